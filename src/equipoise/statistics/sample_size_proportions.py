"""Sample size and power of a comparison of two proportions."""

from __future__ import annotations

from math import sqrt
from typing import Literal

import numpy as np
from scipy.special import gammaln, ndtr, xlogy

from .arguments import ArgumentError, check_one_of, check_positive, check_probability, check_whole
from .design import Array
from .planning import ClosedSize, check_level, critical_z, power_z, round_up, settle

ProportionVariance = Literal["pooled", "unpooled"]

# Tables as probable as the observed one count as such in spite of rounding (as R's fisher.test has it).
_TIE = 1 + 1e-7


def size_proportions(
    *,
    proportion1: float,
    proportion2: float,
    power: float,
    alpha: float = 0.05,
    sides: int = 2,
    allocation: float = 1.0,
    variance: ProportionVariance = "pooled",
) -> ClosedSize:
    """The participants that the normal test of two proportions needs, without continuity correction.

    allocation: n2 / n1; variance: under the null hypothesis, from the common proportion (`pooled`: the
    chi-square test) or from both (`unpooled`). Source: Fleiss, Levin and Paik, Statistical Methods for Rates
    and Proportions, 3rd edition, chapter 4. For small groups look at `power_fisher` also. ArgumentError names
    what no design can have.
    """
    _check(proportion1, proportion2, variance)
    z_alpha, z_power = critical_z(alpha, sides), power_z(power, alpha)
    check_positive("allocation", allocation)
    null, assumed = _spreads(proportion1, proportion2, allocation, variance)
    exact1 = (max(0.0, z_alpha * null + z_power * assumed) / (proportion2 - proportion1)) ** 2
    n1, n2 = round_up(exact1, allocation, argument="proportion2", value=proportion2)
    n1, n2, reached = settle(
        n1,
        n2,
        allocation,
        power,
        lambda m1, m2: _normal_power(proportion1, proportion2, m1, m2, z_alpha, variance),
    )
    return ClosedSize(n1=n1, n2=n2, exact1=exact1, power=reached)


def power_proportions(
    *,
    proportion1: float,
    proportion2: float,
    n1: int,
    n2: int,
    alpha: float = 0.05,
    sides: int = 2,
    variance: ProportionVariance = "pooled",
) -> float:
    """The power of the normal test of two proportions, without rejections in the wrong direction.

    The arguments are those of `size_proportions`.
    """
    _check(proportion1, proportion2, variance)
    first, second = check_whole("n1", n1), check_whole("n2", n2)
    return _normal_power(proportion1, proportion2, first, second, critical_z(alpha, sides), variance)


def power_fisher(
    *,
    proportion1: float,
    proportion2: float,
    n1: int,
    n2: int,
    alpha: float = 0.05,
    sides: int = 2,
) -> float:
    """The exact power of Fisher's test, over all tables that two groups can give.

    With two sides the p-value sums all tables that are no more probable than the observed one; with one side
    the test is in the direction of the assumed difference. The power does not rise steadily with the size.
    """
    _check(proportion1, proportion2, "pooled")
    check_level(alpha, sides)
    first, second = check_whole("n1", n1), check_whole("n2", n2)
    if proportion2 < proportion1:
        # Exchanging events and others turns the direction, and nothing else.
        proportion1, proportion2 = 1 - proportion1, 1 - proportion2
    ways1, ways2 = _log_ways(first), _log_ways(second)
    chance1 = np.exp(ways1 + _log_chances(first, proportion1))
    chance2 = np.exp(ways2 + _log_chances(second, proportion2))
    power = 0.0
    for events in range(first + second + 1):
        # The tables with that many events in all, by the events of group 2.
        in2 = np.arange(max(0, events - first), min(second, events) + 1)
        logs = ways2[in2] + ways1[events - in2]
        null = np.exp(logs - logs.max())
        p = _two_sided(null) if sides == 2 else np.cumsum(null[::-1])[::-1]
        rejected = p / null.sum() <= alpha * (1 + 1e-12)
        power += float(np.sum((chance2[in2] * chance1[events - in2])[rejected]))
    return min(power, 1.0)


def _check(proportion1: float, proportion2: float, variance: str) -> None:
    check_probability("proportion1", proportion1)
    check_probability("proportion2", proportion2)
    if proportion1 == proportion2:
        raise ArgumentError("proportion2", proportion2, "other than proportion1")
    check_one_of("variance", variance, ("pooled", "unpooled"))


def _spreads(proportion1: float, proportion2: float, allocation: float, variance: str) -> tuple[float, float]:
    """The standard deviations of the difference with one participant in group 1 and `allocation` in group 2:
    under the null hypothesis, and under the assumed proportions.
    """
    assumed = sqrt(proportion1 * (1 - proportion1) + proportion2 * (1 - proportion2) / allocation)
    if variance == "unpooled":
        return assumed, assumed
    common = (proportion1 + allocation * proportion2) / (1 + allocation)
    return sqrt(common * (1 - common) * (1 + 1 / allocation)), assumed


def _normal_power(
    proportion1: float, proportion2: float, n1: int, n2: int, z_alpha: float, variance: str
) -> float:
    null, assumed = _spreads(proportion1, proportion2, n2 / n1, variance)
    return float(ndtr((abs(proportion2 - proportion1) * sqrt(n1) - z_alpha * null) / assumed))


def _two_sided(null: Array) -> Array:
    """For each table the sum over all that are no more probable."""
    ascending = np.sort(null)
    sums = np.cumsum(ascending)
    return np.asarray(sums[np.searchsorted(ascending, null * _TIE, side="right") - 1], dtype=float)


def _log_ways(n: int) -> Array:
    events = np.arange(n + 1)
    return np.asarray(gammaln(n + 1) - gammaln(events + 1) - gammaln(n - events + 1), dtype=float)


def _log_chances(n: int, proportion: float) -> Array:
    events = np.arange(n + 1)
    return np.asarray(xlogy(events, proportion) + xlogy(n - events, 1 - proportion), dtype=float)
