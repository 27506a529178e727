# SPDX-License-Identifier: MIT
"""The one error that a user is to read."""


class BenchError(Exception):
    """Something that the user should read as one sentence."""
