"""Sample size and power of a comparison of two rates of counts, by the Wald test of the log rate ratio."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

from scipy.special import ndtr

from .arguments import ArgumentError, check_not_negative, check_one_of, check_positive, check_whole
from .planning import (
    ClosedSize,
    Exposure,
    as_exposure,
    check_share_lost,
    critical_z,
    power_z,
    ratio_effect,
    round_up,
    settle,
)

NullVariance = Literal["null", "alternative", "pooled"]

# Expected counts beyond these, or dispersed beyond them, would be lost in the rounding of floating point.
_MEAN_LEAST, _MEAN_MOST = 1e-12, 1e12
_TOLERANCE = 1e-13
_VARIANCES = ("null", "alternative", "pooled")


@dataclass(frozen=True, slots=True, kw_only=True)
class CountSize(ClosedSize):
    """The participants that a comparison of counts needs.

    `information` is what an analysis must reach, one over the variance of the log rate ratio: the square of
    (z_alpha + z_power) / (log ratio - log null_ratio).
    """

    information: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    """What is assumed of the counts, and how they are tested; checked where it is made."""

    rate0: float
    ratio: float
    dispersion: float
    exposure: Exposure
    variance: NullVariance
    null_ratio: float

    def __post_init__(self) -> None:
        check_positive("rate0", self.rate0)
        check_not_negative("dispersion", self.dispersion)
        check_one_of("variance", self.variance, _VARIANCES)
        ratio_effect(self.ratio, self.null_ratio)
        allowed = (
            f"a rate with expected counts, and dispersion times them, from {_MEAN_LEAST:g} to {_MEAN_MOST:g}"
        )
        for ratio in (1.0, self.ratio, self.null_ratio, self.ratio / self.null_ratio):
            mean = self.rate0 * ratio * self.exposure.longest
            if not (_MEAN_LEAST < mean < _MEAN_MOST and self.dispersion * mean < _MEAN_MOST):
                raise ArgumentError("rate0", self.rate0, allowed)

    @property
    def effect(self) -> float:
        """How far the log rate ratio lies from the null hypothesis."""
        return ratio_effect(self.ratio, self.null_ratio)

    def of_one(self, rate: float) -> float:
        """The information on a log rate from one participant."""
        return self.exposure.count_information(rate, self.dispersion)

    def spreads(self, allocation: float) -> tuple[float, float]:
        """The standard deviations of the log rate ratio with one participant in group 1 and `allocation` in
        group 2: under the null hypothesis, and under the assumed rates.
        """
        true = (self.rate0, self.rate0 * self.ratio)
        if self.variance == "alternative":
            null = true
        else:
            first = self.rate0 if self.variance == "null" else self._common(allocation)
            null = (first, self.null_ratio * first)
        under_null, assumed = (
            sqrt(1 / self.of_one(rate1) + 1 / (allocation * self.of_one(rate2)))
            for rate1, rate2 in (null, true)
        )
        return under_null, assumed

    def _common(self, allocation: float) -> float:
        """The rate in group 1 to which the maximum-likelihood estimate under the null hypothesis tends."""
        # The same expected rates as if group 2 were first divided by the ratio of the null hypothesis.
        first, second = self.rate0, self.rate0 * self.ratio / self.null_ratio

        def score(rate: float) -> float:
            pull1 = (first / rate - 1) * self.of_one(rate)
            pull2 = (second / rate - 1) * self.of_one(self.null_ratio * rate)
            return pull1 + allocation * pull2

        from scipy.optimize import brentq  # noqa: PLC0415  # slow to import

        # Relative to the smaller rate, for a tolerance that holds for any unit of time.
        unit = min(first, second)
        high = max(first, second) / unit
        if high - 1 < _TOLERANCE:
            return first
        return unit * float(
            brentq(lambda share: score(unit * share), 1.0, high, xtol=_TOLERANCE, rtol=_TOLERANCE)
        )


def size_counts(
    *,
    rate0: float,
    ratio: float,
    dispersion: float,
    exposure: float | Exposure,
    power: float,
    alpha: float = 0.05,
    sides: int = 2,
    allocation: float = 1.0,
    variance: NullVariance = "alternative",
    null_ratio: float = 1.0,
    dropout: float = 0.0,
) -> CountSize:
    """The participants that a comparison of two negative binomial rates needs.

    rate0: events of a participant of group 1 per unit of exposure; ratio: the rate of group 2 over it;
    dispersion: k of the variance mu + k mu^2, 0 for Poisson; exposure: the same for all, or an `Exposure`;
    alpha: of all sides together; allocation: n2 / n1; null_ratio: the ratio that is tested, for
    non-inferiority the margin; dropout: the share of participants that contribute no data at all (who leaves
    early belongs into the `Exposure`). variance: under the null hypothesis the rates are taken to be rate0
    and null_ratio times it (`null`), as assumed (`alternative`), or what their joint estimate tends to
    (`pooled`): methods 1, 2 and 3 of Zhu and Lakkis, Stat Med 2014;33:376.

    The power leaves out rejections in the wrong direction. ArgumentError names what no design can have.
    """
    counts = _Counts(
        rate0=rate0,
        ratio=ratio,
        dispersion=dispersion,
        exposure=as_exposure(exposure),
        variance=variance,
        null_ratio=null_ratio,
    )
    z_alpha, z_power = critical_z(alpha, sides), power_z(power, alpha)
    check_positive("allocation", allocation)
    present = 1 - check_share_lost(dropout)
    under_null, assumed = counts.spreads(allocation)
    # A power that little above the level may be there at any size when the null variance is the smaller.
    needed = max(0.0, z_alpha * under_null + z_power * assumed) / counts.effect
    exact1 = needed**2 / present
    n1, n2 = round_up(exact1, allocation, argument="ratio", value=ratio)
    n1, n2, reached = settle(
        n1, n2, allocation, power, lambda m1, m2: _power(counts, m1 * present, m2 * present, z_alpha)
    )
    information = ((z_alpha + z_power) / counts.effect) ** 2
    return CountSize(n1=n1, n2=n2, exact1=exact1, power=reached, information=information)


def power_counts(
    *,
    rate0: float,
    ratio: float,
    dispersion: float,
    exposure: float | Exposure,
    n1: int,
    n2: int,
    alpha: float = 0.05,
    sides: int = 2,
    variance: NullVariance = "alternative",
    null_ratio: float = 1.0,
    dropout: float = 0.0,
) -> float:
    """The power of a comparison of two negative binomial rates with n1 and n2 participants.

    The arguments are those of `size_counts`.
    """
    counts = _Counts(
        rate0=rate0,
        ratio=ratio,
        dispersion=dispersion,
        exposure=as_exposure(exposure),
        variance=variance,
        null_ratio=null_ratio,
    )
    present = 1 - check_share_lost(dropout)
    first, second = check_whole("n1", n1) * present, check_whole("n2", n2) * present
    return _power(counts, first, second, critical_z(alpha, sides))


def rates_from_pooled(pooled: float, ratio: float, allocation: float = 1.0) -> tuple[float, float]:
    """The rates of both groups that have a ratio, and together a pooled rate, at n2 / n1 = allocation."""
    check_positive("pooled", pooled)
    check_positive("ratio", ratio)
    check_positive("allocation", allocation)
    rate0 = pooled * (1 + allocation) / (1 + allocation * ratio)
    return rate0, rate0 * ratio


def _power(counts: _Counts, n1: float, n2: float, z_alpha: float) -> float:
    under_null, assumed = counts.spreads(n2 / n1)
    return float(ndtr((counts.effect * sqrt(n1) - z_alpha * under_null) / assumed))
