# SPDX-License-Identifier: MIT
import random

import pytest
from lab import stats


def test_median_of_odd_even_and_none():
    assert stats.median([3, 1, 2]) == 2
    assert stats.median([4, 1, 2, 3]) == 2.5
    assert stats.median([]) is None


def test_quantile_interpolates_between_neighbours():
    values = list(range(11))
    assert stats.quantile(values, 0.9) == 9
    assert stats.quantile([0, 10], 0.25) == 2.5
    assert stats.quantile([5], 0.99) == 5


def test_pairs_are_of_the_keys_both_have():
    assert stats.pairs({1: "a", 2: "b"}, {2: "x", 3: "y"}) == [("b", "x")]


def test_identical_variants_compare_to_one():
    values = [(x, x) for x in range(1, 30)]
    assert stats.bootstrap_ratio(values) == (1, 1, 1)


def test_interval_holds_the_true_ratio_in_about_95_of_100_cases():
    draw = random.Random(5)
    held = 0
    for case in range(100):
        sample = [(2 * draw.gauss(10, 1), draw.gauss(10, 1)) for _ in range(30)]
        _, low, high = stats.bootstrap_ratio(sample, rounds=300, seed=case)
        held += low <= 2 <= high
    assert 88 <= held <= 100


def test_what_a_seed_does_to_both_stays_together():
    """Values that differ a hundredfold between seeds but not within a pair."""
    draw = random.Random(6)
    sample = []
    for _ in range(40):
        base = 10 ** draw.uniform(0, 2)
        sample.append((base * 1.5, base))
    ratio, low, high = stats.bootstrap_ratio(sample)
    assert ratio == pytest.approx(1.5)
    assert (low, high) == (pytest.approx(1.5), pytest.approx(1.5))


def test_no_pairs_no_ratio():
    assert stats.bootstrap_ratio([]) == (None, None, None)
    assert stats.bootstrap_ratio([(1, 0)]) == (None, None, None)


def test_too_few_rounds_have_a_ratio_and_no_interval():
    assert stats.bootstrap_ratio([(1, 2)]) == (0.5, None, None)
    assert stats.bootstrap_ratio([(1, 2)] * 2) == (0.5, 0.5, 0.5)


def test_path_of_three_links_as_in_the_dissertation():
    assert 100 * stats.path_loss(0.02) == pytest.approx(5.88, abs=0.01)
    assert stats.path_loss(0) == 0
