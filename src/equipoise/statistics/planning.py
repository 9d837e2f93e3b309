"""What every sample size has in common: quantiles, rounding, and how long participants are followed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil, log, log1p

import numpy as np
from scipy.special import ndtri

from .arguments import (
    ArgumentError,
    check_not_negative,
    check_one_of,
    check_positive,
    check_probability,
)

# More participants than live on Earth are no answer, and rounding would no longer be exact.
_SIZE_MAX = 1e10
_TOLERANCE = 1e-12
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSize:
    """The participants that each of two groups needs, rounded up, and the power that they give."""

    n1: int
    n2: int
    power: float

    @property
    def total(self) -> int:
        """The participants of both groups."""
        return self.n1 + self.n2


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedSize(GroupSize):
    """A size from a closed form; `exact1` is what group 1 needs before it is rounded up."""

    exact1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """How long participants are followed, in the unit of time of the rates.

    Participants enter uniformly over the first `accrual` of a study that lasts `longest`, hence are followed
    between `longest - accrual` and `longest`; with an accrual of 0 all are followed for `longest`. Drop-out
    at a constant hazard of `dropout_hazard` cuts that short.
    """

    longest: float
    accrual: float = 0.0
    dropout_hazard: float = 0.0

    def __post_init__(self) -> None:
        check_positive("longest", self.longest)
        check_not_negative("accrual", self.accrual)
        check_not_negative("dropout_hazard", self.dropout_hazard)
        if self.accrual > self.longest:
            raise ArgumentError("accrual", self.accrual, f"at most the duration, {self.longest:g}")

    @classmethod
    def fixed(cls, time: float, *, dropout_hazard: float = 0.0) -> Exposure:
        """All participants are followed for the same time, unless they drop out."""
        return cls(longest=check_positive("time", time), dropout_hazard=dropout_hazard)

    @classmethod
    def uniform_accrual(cls, duration: float, accrual: float, *, dropout_hazard: float = 0.0) -> Exposure:
        """All participants are followed to the end of a study of that duration, unless they drop out."""
        return cls(
            longest=check_positive("duration", duration), accrual=accrual, dropout_hazard=dropout_hazard
        )

    @property
    def mean(self) -> float:
        """The expected time that a participant is followed."""
        return self.count_information(1.0, 0.0)

    def count_information(self, rate: float, dispersion: float) -> float:
        """The expected information on a log rate from one participant: E[mu / (1 + k mu)], mu = rate x time.

        The integral over the time t that participants are still followed, of P(followed beyond t) times the
        derivative of the integrand. With v = log(1 + c t) it is smooth for any rate, so that 64 nodes of
        Gauss and Legendre on either side of the end of the first follow-up give all digits.
        """
        if not self.accrual and not self.dropout_hazard:
            mean = rate * self.longest
            return mean / (1 + dispersion * mean)
        curvature = dispersion * rate
        c = curvature + self.dropout_hazard + 1 / self.longest
        total, ends = 0.0, (0.0, self.longest - self.accrual, self.longest)
        for start, end in pairwise(ends):
            low, high = log1p(c * start), log1p(c * end)
            v = low + (high - low) * (1 + _NODES) / 2
            time = np.expm1(v) / c
            entered_before = np.clip((self.longest - time) / self.accrual, 0, 1) if self.accrual else 1.0
            staying = entered_before * np.exp(-self.dropout_hazard * time)
            slope = rate / (1 + curvature * time) ** 2
            total += float(np.sum(_WEIGHTS * staying * slope * (1 + c * time))) * (high - low) / (2 * c)
        return total

    def chance_of_event(self, hazard: float) -> float:
        """The probability that a participant has a first event at a constant hazard while being followed."""
        return hazard * replace(self, dropout_hazard=self.dropout_hazard + hazard).mean


def as_exposure(exposure: float | Exposure) -> Exposure:
    """An exposure as it is, or a number as the same for all."""
    if isinstance(exposure, Exposure):
        return exposure
    return Exposure(longest=check_positive("exposure", exposure))


def check_level(alpha: float, sides: int) -> None:
    """Refuse a level that is none, and sides other than one or two."""
    check_probability("alpha", alpha)
    check_one_of("sides", sides, (1, 2))


def critical_z(alpha: float, sides: int) -> float:
    """The normal quantile that a statistic must exceed at a level of which each side has its share."""
    check_level(alpha, sides)
    return -float(ndtri(alpha / sides))


def power_z(power: float, alpha: float) -> float:
    """The normal quantile of a power, which must be above the level: less needs no participants."""
    check_probability("power", power)
    if power <= alpha:
        raise ArgumentError("power", power, f"above alpha, {alpha:g}, and below 1")
    return float(ndtri(power))


def ratio_effect(ratio: float, null_ratio: float) -> float:
    """How far the logarithm of a ratio lies from that of the null hypothesis, which must be another."""
    check_positive("ratio", ratio)
    check_positive("null_ratio", null_ratio)
    if ratio == null_ratio:
        raise ArgumentError("ratio", ratio, "above 0, and not the ratio of the null hypothesis")
    return abs(log(ratio) - log(null_ratio))


def check_share_lost(dropout: float) -> float:
    """Return a share of participants without data, of 0 or more and below 1."""
    if check_not_negative("dropout", dropout) >= 1:
        raise ArgumentError("dropout", dropout, "a share of 0 or more, and below 1")
    return float(dropout)


def round_up(exact1: float, allocation: float, *, argument: str, value: float) -> tuple[int, int]:
    """Both groups' participants, each rounded up from a real number for group 1.

    `argument` with its `value` is what is refused when the size is beyond any trial.
    """
    # Written so that NaN is refused with the infinite.
    if not exact1 * max(1.0, allocation) < _SIZE_MAX:
        raise _too_many(argument, value)
    return whole_above(exact1), whole_above(allocation * exact1)


def settle(
    n1: int, n2: int, allocation: float, power: float, attained: Callable[[int, int], float]
) -> tuple[int, int, float]:
    """Raise both groups until rounding no longer costs power; the power of the result is its last item.

    Where the variance depends on the shares of the groups, a group that was rounded up may take power away.
    """
    reached = attained(n1, n2)
    while reached < power - 1e-9:
        n1 += 1
        n2 = max(n2, whole_above(allocation * n1))
        reached = attained(n1, n2)
    return n1, n2, reached


def smallest(
    least: int, power: float, attained: Callable[[int], float], *, argument: str, value: float
) -> int:
    """The first whole number of `least` or more at which a power that rises with it is reached."""
    low, high = least - 1, least
    while attained(high) < power:
        low, high = high, 2 * high
        if high > _SIZE_MAX:
            raise _too_many(argument, value)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if attained(middle) >= power else (middle, high)
    return high


def whole_above(number: float) -> int:
    """A number of participants rounded up, at least 1, and not because of rounding errors."""
    return max(1, ceil(number * (1 - _TOLERANCE)))


def _too_many(argument: str, value: float) -> ArgumentError:
    return ArgumentError(
        argument, value, f"further from the null hypothesis: more than {_SIZE_MAX:g} would take part"
    )
