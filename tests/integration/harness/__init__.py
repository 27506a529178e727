# SPDX-License-Identifier: MIT
"""What the integration tests stand on: the build, certificates, a broker, a bad network."""
