"""Sample size and power of comparisons of two means, by the noncentral t distribution."""

from __future__ import annotations

from math import sqrt

import numpy as np
from scipy.special import nctdtr, stdtrit

from .arguments import ArgumentError, check_positive, check_whole
from .planning import GroupSize, check_level, power_z, smallest, whole_above


def size_means(
    *,
    difference: float,
    sd: float,
    power: float,
    alpha: float = 0.05,
    sides: int = 2,
    allocation: float = 1.0,
    null_difference: float = 0.0,
) -> GroupSize:
    """The participants that the t test of two independent means needs.

    difference: mean of group 2 minus that of group 1; sd: within either group, in the same unit; allocation:
    n2 / n1; null_difference: the difference that is tested, for non-inferiority the margin. Method: Julious,
    Stat Med 2004;23:1921. ArgumentError names what no design can have.
    """
    return _size(
        difference, sd, power, alpha, sides, allocation, null_difference=null_difference, estimated=2
    )


def power_means(
    *,
    difference: float,
    sd: float,
    n1: int,
    n2: int,
    alpha: float = 0.05,
    sides: int = 2,
    null_difference: float = 0.0,
) -> float:
    """The power of the t test of two independent means; the arguments are those of `size_means`."""
    return _power(difference, sd, n1, n2, alpha, sides, null_difference=null_difference, estimated=2)


def size_ancova(
    *,
    difference: float,
    sd: float,
    correlation: float,
    power: float,
    alpha: float = 0.05,
    sides: int = 2,
    allocation: float = 1.0,
    null_difference: float = 0.0,
) -> GroupSize:
    """The participants that a comparison of two means needs when it is adjusted for the baseline.

    correlation: of the baseline with the outcome, within a group; the other arguments are those of
    `size_means`. The adjustment leaves 1 - correlation^2 of the variance and takes a degree of freedom (Borm,
    Fransen and Lemmens, J Clin Epidemiol 2007;60:1234).
    """
    left = _residual(sd, correlation)
    return _size(
        difference, left, power, alpha, sides, allocation, null_difference=null_difference, estimated=3
    )


def power_ancova(
    *,
    difference: float,
    sd: float,
    correlation: float,
    n1: int,
    n2: int,
    alpha: float = 0.05,
    sides: int = 2,
    null_difference: float = 0.0,
) -> float:
    """The power of a comparison of two means adjusted for the baseline; see `size_ancova`."""
    left = _residual(sd, correlation)
    return _power(difference, left, n1, n2, alpha, sides, null_difference=null_difference, estimated=3)


def size_crossover(
    *,
    difference: float,
    sd_within: float,
    power: float,
    alpha: float = 0.05,
    sides: int = 2,
    allocation: float = 1.0,
    null_difference: float = 0.0,
) -> GroupSize:
    """The participants that a crossover of two treatments in two periods needs; its groups are the sequences.

    difference: between the treatments, within a participant; sd_within: of one period's value within a
    participant, which is the standard deviation between participants times sqrt(1 - correlation of the
    periods). The analysis compares the differences of the periods between the sequences, on n1 + n2 - 2
    degrees of freedom, and assumes no carry-over (Julious, Stat Med 2004;23:1921).
    """
    check_positive("sd_within", sd_within)
    half = sd_within / sqrt(2)
    return _size(
        difference, half, power, alpha, sides, allocation, null_difference=null_difference, estimated=2
    )


def power_crossover(
    *,
    difference: float,
    sd_within: float,
    n1: int,
    n2: int,
    alpha: float = 0.05,
    sides: int = 2,
    null_difference: float = 0.0,
) -> float:
    """The power of a crossover with n1 and n2 participants in its sequences; see `size_crossover`."""
    check_positive("sd_within", sd_within)
    half = sd_within / sqrt(2)
    return _power(difference, half, n1, n2, alpha, sides, null_difference=null_difference, estimated=2)


def _size(
    difference: float,
    sd: float,
    power: float,
    alpha: float,
    sides: int,
    allocation: float,
    *,
    null_difference: float,
    estimated: int,
) -> GroupSize:
    effect = _effect(difference, null_difference)
    check_positive("sd", sd)
    check_positive("allocation", allocation)
    check_level(alpha, sides)
    power_z(power, alpha)

    def attained(n1: int) -> float:
        return _t_power(effect / sd, n1, whole_above(allocation * n1), alpha, sides, estimated)

    n1 = smallest(1, power, attained, argument="difference", value=difference)
    return GroupSize(n1=n1, n2=whole_above(allocation * n1), power=attained(n1))


def _power(
    difference: float,
    sd: float,
    n1: int,
    n2: int,
    alpha: float,
    sides: int,
    *,
    null_difference: float,
    estimated: int,
) -> float:
    effect = _effect(difference, null_difference)
    check_positive("sd", sd)
    check_level(alpha, sides)
    first, second = check_whole("n1", n1), check_whole("n2", n2)
    if first + second <= estimated:
        raise ArgumentError(
            "n2", second, f"such that n1 + n2 is above {estimated}: the test has no degrees left"
        )
    return _t_power(effect / sd, first, second, alpha, sides, estimated)


def _t_power(effect: float, n1: int, n2: int, alpha: float, sides: int, estimated: int) -> float:
    df = n1 + n2 - estimated
    if df < 1:
        return 0.0
    shift = effect / sqrt(1 / n1 + 1 / n2)
    critical = -float(stdtrit(df, alpha / sides))
    # Far out in a tail the distribution has no digits left: there it is 0.
    below = float(np.nan_to_num(nctdtr(df, shift, critical)))
    wrong = float(np.nan_to_num(nctdtr(df, shift, -critical))) if sides == 2 else 0.0
    return 1 - below + wrong


def _effect(difference: float, null_difference: float) -> float:
    for name, value in (("difference", difference), ("null_difference", null_difference)):
        if not np.isfinite(value):
            raise ArgumentError(name, value, "a finite number")
    if difference == null_difference:
        raise ArgumentError("difference", difference, "other than the difference of the null hypothesis")
    return abs(difference - null_difference)


def _residual(sd: float, correlation: float) -> float:
    check_positive("sd", sd)
    if not -1 < correlation < 1:
        raise ArgumentError("correlation", correlation, "above -1 and below 1")
    return sd * sqrt(1 - correlation**2)
