"""Sample sizes and power against published numbers."""

from __future__ import annotations

import pytest

from equipoise.statistics.planning import Exposure
from equipoise.statistics.sample_size import NullVariance, power_counts, rates_from_pooled, size_counts
from equipoise.statistics.sample_size_events import size_events
from equipoise.statistics.sample_size_proportions import power_proportions, size_proportions

# Zhu and Lakkis, Stat Med 2014;33:376: per group, two-sided 5%, equal groups, by methods 1, 2 and 3.
_ZHU_LAKKIS = [
    ((0.8, 0.85, 0.4, 0.75), (1254.23, 1315.69, 1310.73)),
    ((1.4, 1.15, 1.5, 0.75), (1955.76, 1920.91, 1918.47)),
    ((2.0, 0.5, 1.0, 1.0), (51.40, 57.18, 55.27)),
    ((5.0, 2.0, 0.5, 1.0), (22.37, 21.24, 20.86)),
]
_METHODS: tuple[NullVariance, ...] = ("null", "alternative", "pooled")


@pytest.mark.parametrize(("assumed", "per_group"), _ZHU_LAKKIS)
def test_three_variances(assumed: tuple[float, ...], per_group: tuple[float, ...]) -> None:
    rate0, ratio, dispersion, exposure = assumed
    for variance, expected in zip(_METHODS, per_group, strict=True):
        size = size_counts(
            rate0=rate0,
            ratio=ratio,
            dispersion=dispersion,
            exposure=exposure,
            power=0.8,
            variance=variance,
        )
        assert size.exact1 == pytest.approx(expected, abs=0.0051)


def test_stata_tworates() -> None:
    """Stata, `power tworates_zhu`: the size of the first design, and power at unequal groups by method 3."""
    size = size_counts(rate0=0.8, ratio=0.85, dispersion=0.4, exposure=0.75, power=0.8, variance="pooled")
    assert (size.n1, size.n2, size.total) == (1311, 1311, 2622)
    for n1, n2, expected in ((100, 50, 0.6207448), (50, 100, 0.5825763)):
        power = power_counts(
            rate0=0.5, ratio=0.6, dispersion=0.5, exposure=2, n1=n1, n2=n2, variance="pooled"
        )
        assert power == pytest.approx(expected, abs=5.1e-8)


@pytest.mark.parametrize(
    ("rate0", "rate1", "dispersion", "power", "per_group"),
    [(0.5, 0.3, 0.1, 0.8, 167), (1.0, 0.5, 0.5, 0.9, 88), (0.6, 0.3, 0.4, 0.8, 95), (1.0, 0.5, 0.5, 0.8, 66)],
)
def test_one_sided_sizes(rate0: float, rate1: float, dispersion: float, power: float, per_group: int) -> None:
    """One-sided 2.5%, exposure 1, method 2 of Zhu and Lakkis."""
    size = size_counts(
        rate0=rate0,
        ratio=rate1 / rate0,
        dispersion=dispersion,
        exposure=1,
        power=power,
        alpha=0.025,
        sides=1,
    )
    assert (size.n1, size.n2) == (per_group, per_group)


def test_pooled_rate_of_rpact() -> None:
    """rpact, counts: pooled rate 0.234, theta 0.7, over-dispersion 0.71, one-sided 1%, 95% power."""
    rate0, rate1 = rates_from_pooled(0.234, 0.7)
    assert rate1 / rate0 == pytest.approx(0.7)
    size = size_counts(rate0=rate0, ratio=0.7, dispersion=0.71, exposure=1, power=0.95, alpha=0.01, sides=1)
    assert size.total == 2540
    assert size.information == pytest.approx(123.96487, abs=5.1e-6)


def test_uniform_accrual_of_gscounts() -> None:
    """gscounts: four years with an accrual of 1.25: 975 an arm, whose information is 61.71."""
    size = size_counts(
        rate0=0.125,
        ratio=0.0875 / 0.125,
        dispersion=5,
        exposure=Exposure.uniform_accrual(4, 1.25),
        power=0.8,
        alpha=0.025,
        sides=1,
    )
    assert (size.n1, size.n2) == (975, 975)
    # The published information is that of the rounded groups.
    assert size.information * 975 / size.exact1 == pytest.approx(61.71, abs=0.0051)


def test_proportions_of_the_r_manual() -> None:
    """R, `?power.prop.test`, examples: 0.5 against 0.75; 50 a group have 0.740, and 90% needs 76.7."""
    power = power_proportions(proportion1=0.5, proportion2=0.75, n1=50, n2=50)
    size = size_proportions(proportion1=0.5, proportion2=0.75, power=0.9)
    assert power == pytest.approx(0.740, abs=5.1e-4)
    assert size.exact1 == pytest.approx(76.7, abs=0.051)


@pytest.mark.parametrize(("ratio", "participants"), [(1.25, 1264), (1.5, 384), (1.75, 204), (2.0, 132)])
def test_schoenfeld_events(ratio: float, participants: int) -> None:
    """Schoenfeld's sizes at 5%, 80% power and half of all censored (Trials 2015;16, article 0727-9, table 1).

    There the events of each group are rounded up, and doubled for the participants.
    """
    events = size_events(ratio=ratio, power=0.8)
    assert 4 * -(-events // 2) == participants
