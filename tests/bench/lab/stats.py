# SPDX-License-Identifier: MIT
"""The statistics of the bench: few, and each with a test."""

import math
import random


def quantile(values, share):
    """The value below which `share` of the values lie, interpolated; None if there are none."""
    ordered = sorted(values)
    if not ordered:
        return None
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = math.ceil(place)
    if below == above or ordered[below] == ordered[above]:
        return ordered[below]
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def median(values):
    return quantile(values, 0.5)


def pairs(ours, theirs):
    """Values of both that share a key, such as the seed: [(ours, theirs)]."""
    return [(ours[key], theirs[key]) for key in sorted(ours) if key in theirs]


def ratio_of_medians(pairs_of_values):
    theirs = median(b for _, b in pairs_of_values)
    return median(a for a, _ in pairs_of_values) / theirs if theirs else None


# From fewer rounds than this no interval is drawn: it would have the look of certainty.
ROUNDS_MIN = 2


def bootstrap_ratio(pairs_of_values, rounds=1000, level=0.95, seed=1):
    """
    (ratio, low, high): the ratio of medians and its percentile bootstrap interval. Whole pairs
    are drawn, so what a seed did to both stays together. (None, None, None) without pairs, and no
    interval (None) from fewer than ROUNDS_MIN.
    """
    values = list(pairs_of_values)
    if not values or ratio_of_medians(values) is None:
        return None, None, None
    if len(values) < ROUNDS_MIN:
        return ratio_of_medians(values), None, None
    draw = random.Random(seed)
    ratios = []
    for _ in range(rounds):
        sample = [values[draw.randrange(len(values))] for _ in values]
        ratio = ratio_of_medians(sample)
        if ratio is not None:
            ratios.append(ratio)
    tail = (1 - level) / 2
    return ratio_of_medians(values), quantile(ratios, tail), quantile(ratios, 1 - tail)


def path_loss(link_loss, links=3):
    """Loss of a path of equal links."""
    return 1 - (1 - link_loss) ** links


def fairness(shares):
    """Jain's index: 1 if all get the same, 1/n if one gets all; None without shares."""
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares else None
