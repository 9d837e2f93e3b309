"""Laws of sample size and power: they invert each other, and know nothing of labels, units and directions."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, inf, nan, sqrt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from equipoise.statistics.arguments import ArgumentError
from equipoise.statistics.planning import Exposure, settle
from equipoise.statistics.sample_size import power_counts, rates_from_pooled, size_counts
from equipoise.statistics.sample_size_events import (
    power_events,
    power_survival,
    size_events,
    size_survival,
)
from equipoise.statistics.sample_size_means import (
    power_ancova,
    power_crossover,
    power_means,
    size_ancova,
    size_crossover,
    size_means,
)
from equipoise.statistics.sample_size_proportions import power_fisher, power_proportions, size_proportions

ratios = st.floats(0.3, 3.0).filter(lambda ratio: abs(ratio - 1) > 0.05)
powers = st.floats(0.3, 0.99)
allocations = st.floats(0.25, 4.0)
levels = st.tuples(st.sampled_from([0.01, 0.025, 0.05, 0.1]), st.sampled_from([1, 2]))
exposures = st.one_of(
    st.floats(0.1, 5.0),
    st.builds(
        lambda duration, share, hazard: Exposure.uniform_accrual(
            duration, share * duration, dropout_hazard=hazard
        ),
        st.floats(0.5, 5.0),
        st.sampled_from([0.0, 0.3, 1.0]),
        st.sampled_from([0.0, 0.2]),
    ),
)
few = settings(max_examples=40, deadline=None)


@few
@given(
    rate0=st.floats(0.1, 10),
    ratio=ratios,
    dispersion=st.sampled_from([0.0, 0.5, 2.0]),
    exposure=exposures,
    power=powers,
    level=levels,
    allocation=allocations,
    variance=st.sampled_from(["null", "alternative"]),
    null_ratio=st.sampled_from([1.0, 0.25, 3.5]),
    dropout=st.sampled_from([0.0, 0.15]),
)
def test_size_of_counts_is_the_least_that_has_the_power(
    power: float, level: tuple[float, int], allocation: float, **assumed: Any
) -> None:
    assumed |= {"alpha": level[0], "sides": level[1]}
    size = size_counts(power=power, allocation=allocation, **assumed)
    reached = power_counts(n1=size.n1, n2=size.n2, **assumed)
    assert reached == size.power >= power - 1e-9
    if min(size.n1, size.n2) > 1:
        assert power_counts(n1=size.n1 - 1, n2=size.n2 - 1, **assumed) < power


@few
@given(
    rate0=st.floats(0.1, 10), ratio=ratios, dispersion=st.floats(0, 3), power=powers, allocation=allocations
)
def test_size_of_counts_with_pooled_variance_has_the_power(
    rate0: float, ratio: float, dispersion: float, power: float, allocation: float
) -> None:
    size = size_counts(
        rate0=rate0,
        ratio=ratio,
        dispersion=dispersion,
        exposure=1,
        power=power,
        allocation=allocation,
        variance="pooled",
    )
    assert size.power >= power - 1e-9
    assert size.n1 >= size.exact1 * (1 - 1e-9)
    assert size.n1 <= size.exact1 + 3


@few
@given(rate0=st.floats(0.1, 10), ratio=ratios, exposure=exposures, null_ratio=st.floats(0.2, 5))
def test_pooled_variance_does_not_know_which_group_is_the_first(
    rate0: float, ratio: float, exposure: float | Exposure, null_ratio: float
) -> None:
    ways = (
        {"rate0": rate0, "ratio": ratio, "n1": 80, "n2": 130, "null_ratio": null_ratio},
        {"rate0": rate0 * ratio, "ratio": 1 / ratio, "n1": 130, "n2": 80, "null_ratio": 1 / null_ratio},
    )
    if ratio == null_ratio:
        return
    one, other = (
        power_counts(dispersion=0.7, exposure=exposure, variance="pooled", **way)  # type: ignore[arg-type]
        for way in ways
    )
    assert one == pytest.approx(other, abs=1e-9)


def test_pooled_variance_solves_the_quadratic_of_the_restricted_likelihood() -> None:
    # k R m^2 (1 + a) + m (1 - k R mu1 + a (R - k mu2)) - (mu1 + a mu2) = 0, with equal exposures.
    rate0, ratio, k, margin, a = 0.8, 1.0, 0.6, 1.25, 1.5
    b = 1 - k * margin * rate0 + a * (margin - k * rate0 * ratio)
    q = k * margin * (1 + a)
    m = (-b + sqrt(b * b + 4 * q * rate0 * (1 + a * ratio))) / (2 * q)
    null = sqrt((1 + k * m) / m + (1 + k * margin * m) / (a * margin * m))
    true = sqrt((1 + k * rate0) / rate0 * (1 + 1 / a))
    exact = ((1.6448536269514722 * null + 1.2815515655446004 * true) / 0.22314355131420976) ** 2
    size = size_counts(
        rate0=rate0,
        ratio=ratio,
        dispersion=k,
        exposure=1,
        power=0.9,
        sides=1,
        allocation=a,
        variance="pooled",
        null_ratio=margin,
    )
    assert size.exact1 == pytest.approx(exact, rel=1e-10)


@few
@given(exposure=exposures.filter(lambda each: isinstance(each, Exposure)), rate=st.floats(0.01, 50))
def test_information_is_the_integral_over_the_exposures(exposure: Exposure, rate: float) -> None:
    k, h = 1.3, exposure.dropout_hazard

    def of(time: float) -> float:
        mean = rate * time
        return mean / (1 + k * mean)

    def until(end: float) -> float:
        if not h:
            return of(end)
        return float(quad(lambda t: of(t) * h * exp(-h * t), 0, end)[0]) + of(end) * exp(-h * end)

    longest, accrual = exposure.longest, exposure.accrual
    expected = (
        float(quad(until, longest - accrual, longest, epsabs=1e-9)[0]) / accrual
        if accrual
        else until(longest)
    )
    assert exposure.count_information(rate, k) == pytest.approx(expected, rel=1e-6)


def test_mean_exposure_and_chance_of_an_event_have_closed_forms() -> None:
    exposure = Exposure.uniform_accrual(4, 1.5, dropout_hazard=0.1)
    # Lachin and Foulkes's probability of an event, with uniform accrual and exponential drop-out.
    both = 0.3 + 0.1
    closed = 0.3 / both * (1 - (exp(-both * 2.5) - exp(-both * 4)) / (both * 1.5))
    assert exposure.chance_of_event(0.3) == pytest.approx(closed, rel=1e-13)
    assert Exposure.uniform_accrual(4, 1.5).mean == pytest.approx(3.25, rel=1e-13)
    assert Exposure.fixed(2.0).mean == 2.0
    # Drop-out so slow that it is none, and so fast that nobody stays.
    assert Exposure.fixed(2.0, dropout_hazard=1e-9).mean == pytest.approx(2.0, rel=1e-8)
    assert Exposure.fixed(2.0, dropout_hazard=1e5).mean == pytest.approx(1e-5, rel=1e-10)


@few
@given(pooled=st.floats(0.01, 10), ratio=ratios, allocation=allocations)
def test_rates_from_pooled_pool_to_it(pooled: float, ratio: float, allocation: float) -> None:
    rate0, rate1 = rates_from_pooled(pooled, ratio, allocation)
    assert rate1 / rate0 == pytest.approx(ratio)
    assert (rate0 + allocation * rate1) / (1 + allocation) == pytest.approx(pooled)


def test_dropout_asks_for_more_and_little_power_for_one_each() -> None:
    plan: dict[str, Any] = {"rate0": 1.0, "ratio": 0.5, "dispersion": 0.5, "exposure": 1, "power": 0.8}
    full, fewer = size_counts(**plan), size_counts(**plan, dropout=0.2)
    assert fewer.exact1 == pytest.approx(full.exact1 / 0.8)
    assert fewer.information == full.information
    early = size_counts(**plan | {"exposure": Exposure.fixed(1, dropout_hazard=0.5)})
    assert full.n1 < early.n1
    # Any size reaches 6% where the variance under the null hypothesis is by far the smaller.
    tiny = size_counts(**plan | {"ratio": 0.01, "power": 0.06, "variance": "null"})
    assert (tiny.n1, tiny.n2, tiny.exact1) == (1, 1, 0.0)


def test_settling_raises_both_groups_until_the_power_is_there() -> None:
    assert settle(3, 6, 2.0, 0.9, lambda n1, n2: 0.01 * (n1 + n2) + 0.75) == (5, 10, 0.9)


_MEANS: tuple[tuple[Callable[..., Any], Callable[..., float], dict[str, float]], ...] = (
    (size_means, power_means, {"sd": 1.2}),
    (size_ancova, power_ancova, {"sd": 1.2, "correlation": 0.6}),
    (size_crossover, power_crossover, {"sd_within": 1.2}),
)


@few
@given(
    which=st.sampled_from(_MEANS),
    difference=st.floats(0.1, 4.0),
    sign=st.sampled_from([-1, 1]),
    power=powers,
    level=levels,
    allocation=allocations,
)
def test_size_of_means_is_the_least_that_has_the_power(
    which: tuple[Callable[..., Any], Callable[..., float], dict[str, float]],
    difference: float,
    sign: int,
    power: float,
    level: tuple[float, int],
    allocation: float,
) -> None:
    size_of, power_of, spread = which
    assumed = {"difference": sign * difference, "alpha": level[0], "sides": level[1], **spread}
    size = size_of(power=power, allocation=allocation, **assumed)
    assert power_of(n1=size.n1, n2=size.n2, **assumed) == size.power >= power
    assert allocation * size.n1 <= size.n2 + 1e-9 < allocation * size.n1 + 1 + 1e-9
    if size.n1 > 3 and size.n2 > 3:
        fewer = size.n2 - 1 if allocation <= 1 else int(size.n2 - allocation)
        assert power_of(n1=size.n1 - 1, n2=fewer, **assumed) < power


def test_means_of_one_design_are_those_of_another() -> None:
    common = {"difference": 0.5, "n1": 20, "n2": 24}
    crossover = power_crossover(sd_within=1.0, **common)  # type: ignore[arg-type]
    assert crossover == power_means(sd=1 / sqrt(2), **common)  # type: ignore[arg-type]
    margin = power_means(difference=0.0, sd=1.0, n1=20, n2=24, null_difference=-0.5, sides=1)
    assert margin == power_means(difference=0.5, sd=1.0, n1=20, n2=24, sides=1)
    without = power_means(difference=0.5, sd=1.0, n1=200, n2=240)
    adjusted = power_ancova(difference=0.5, sd=1.25, correlation=0.6, n1=200, n2=240)
    assert adjusted == pytest.approx(without, abs=1e-4)
    # A difference of a hundred standard deviations, far beyond the digits of the distribution.
    assert power_means(difference=100, sd=1.0, n1=30, n2=30) == 1.0


@few
@given(
    proportions=st.tuples(st.floats(0.02, 0.98), st.floats(0.02, 0.98)).filter(
        lambda pair: abs(pair[0] - pair[1]) > 0.03
    ),
    power=powers,
    level=levels,
    allocation=allocations,
    variance=st.sampled_from(["pooled", "unpooled"]),
)
def test_size_of_proportions_has_the_power(
    proportions: tuple[float, float],
    power: float,
    level: tuple[float, int],
    allocation: float,
    variance: Any,
) -> None:
    assumed: dict[str, Any] = {
        "proportion1": proportions[0],
        "proportion2": proportions[1],
        "alpha": level[0],
        "sides": level[1],
        "variance": variance,
    }
    size = size_proportions(power=power, allocation=allocation, **assumed)
    assert power_proportions(n1=size.n1, n2=size.n2, **assumed) == size.power >= power - 1e-9
    if variance == "unpooled" and min(size.n1, size.n2) > 1:
        assert power_proportions(n1=size.n1 - 1, n2=size.n2 - 1, **assumed) < power


def test_fisher_never_exceeds_its_level_and_is_symmetric() -> None:
    # Nearly equal proportions: the power is the type I error, which the exact test keeps.
    for sides in (1, 2):
        level = power_fisher(proportion1=0.3, proportion2=0.3 + 1e-9, n1=17, n2=23, sides=sides)
        assert level <= 0.05
    one = power_fisher(proportion1=0.2, proportion2=0.6, n1=15, n2=21, sides=1)
    assert one == pytest.approx(power_fisher(proportion1=0.6, proportion2=0.2, n1=21, n2=15, sides=1))
    assert power_fisher(proportion1=0.1, proportion2=0.9, n1=200, n2=150) == pytest.approx(1.0)


@few
@given(
    hazard0=st.floats(0.02, 2),
    ratio=ratios,
    exposure=exposures,
    power=powers,
    level=levels,
    margin=st.sampled_from([1.0, 0.25, 3.5]),
)
def test_size_of_survival_has_the_power_and_the_events(
    hazard0: float,
    ratio: float,
    exposure: float | Exposure,
    power: float,
    level: tuple[float, int],
    margin: float,
) -> None:
    tested: dict[str, Any] = {"ratio": ratio, "alpha": level[0], "sides": level[1], "null_ratio": margin}
    events = size_events(power=power, **tested)
    assert power_events(events=events, **tested) >= power - 1e-9
    if events > 1:
        assert power_events(events=events - 1, **tested) < power
    assumed = tested | {"hazard0": hazard0, "exposure": exposure}
    size = size_survival(power=power, **assumed)
    assert size.events == events
    assert power_survival(n1=size.n1, n2=size.n2, **assumed) == size.power >= power - 1e-9
    if size.n1 > 1:
        assert power_survival(n1=size.n1 - 1, n2=size.n2 - 1, **assumed) < power


def test_survival_with_dropout_and_unequal_groups() -> None:
    plan: dict[str, Any] = {"hazard0": 0.4, "ratio": 0.6, "exposure": Exposure.uniform_accrual(3, 1)}
    size = size_survival(power=0.9, allocation=2, dropout=0.1, **plan)
    whole = size_survival(power=0.9, allocation=2, **plan)
    assert size.exact1 == pytest.approx(whole.exact1 / 0.9)
    assert size.events == whole.events
    assert power_survival(n1=size.n1, n2=size.n2, dropout=0.1, **plan) == size.power


_COUNTS: dict[str, Any] = {"rate0": 1.0, "ratio": 0.5, "dispersion": 0.5, "exposure": 1.0, "power": 0.8}
_T: dict[str, Any] = {"difference": 1.0, "sd": 1.0, "power": 0.8}
_P: dict[str, Any] = {"proportion1": 0.2, "proportion2": 0.4, "power": 0.8}
_H: dict[str, Any] = {"hazard0": 0.3, "ratio": 0.6, "exposure": 2.0, "power": 0.8}


@pytest.mark.parametrize(
    ("function", "plan", "argument", "value"),
    [
        *((size_counts, _COUNTS, "rate0", bad) for bad in (0, -1, nan, inf, 1e-300, 1e300)),
        *((size_counts, _COUNTS, "ratio", bad) for bad in (0, 1, nan, inf, 1 + 1e-13)),
        *((size_counts, _COUNTS, "dispersion", bad) for bad in (-0.1, nan, inf)),
        *((size_counts, _COUNTS, "exposure", bad) for bad in (0, nan, inf)),
        *((size_counts, _COUNTS, "power", bad) for bad in (0, 1, 0.05, 0.01, nan)),
        *((size_counts, _COUNTS, "alpha", bad) for bad in (0, 1, nan)),
        *((size_counts, _COUNTS, "sides", bad) for bad in (0, 3)),
        *((size_counts, _COUNTS, "allocation", bad) for bad in (0, nan, inf)),
        *((size_counts, _COUNTS, "dropout", bad) for bad in (-0.1, 1, nan)),
        (size_counts, _COUNTS, "null_ratio", 0),
        (size_counts, _COUNTS, "variance", "robust"),
        *((size_means, _T, "difference", bad) for bad in (0, nan, inf, 1e-9)),
        *((size_means, _T, "sd", bad) for bad in (0, nan)),
        (size_means, _T, "null_difference", nan),
        (size_means, _T, "power", 0.05),
        (size_means, _T, "sides", 3),
        *((size_ancova, {**_T, "correlation": 0.5}, "correlation", bad) for bad in (-1, 1, nan)),
        (size_crossover, {"difference": 1.0, "sd_within": 1.0, "power": 0.8}, "sd_within", 0),
        *((size_proportions, _P, "proportion1", bad) for bad in (0, 1, nan)),
        (size_proportions, _P, "proportion2", 0.2),
        (size_proportions, _P, "proportion2", 0.2 + 1e-9),
        (size_proportions, _P, "variance", "exact"),
        *((size_survival, _H, "hazard0", bad) for bad in (0, nan, 1e-320)),
        *((size_survival, _H, "ratio", bad) for bad in (0, 1, nan)),
        (size_survival, _H, "power", 0.05),
        (power_counts, {**_COUNTS, "n1": 5, "n2": 5}, "n1", 0),
        (power_counts, {**_COUNTS, "n1": 5, "n2": 5}, "n2", 2.5),
        (power_means, {**_T, "n1": 5, "n2": 5}, "n1", 0),
        (power_means, {**_T, "n1": 1, "n2": 5}, "n2", 1),
        (power_fisher, {**_P, "n1": 5, "n2": 5}, "n2", -1),
        (power_survival, {**_H, "n1": 5, "n2": 5}, "n1", nan),
        (power_events, {"ratio": 0.5, "events": 5}, "events", 0),
    ],
)
def test_what_no_design_can_have_is_named(
    function: Callable[..., object], plan: dict[str, Any], argument: str, value: object
) -> None:
    plan = dict(plan)
    if function.__name__.startswith("power_"):
        plan.pop("power", None)
    with pytest.raises(ArgumentError) as refused:
        function(**plan | {argument: value})
    assert refused.value.argument == argument
    assert refused.value.allowed


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ((0.0,), "longest"),
        ((2.0, 3.0), "accrual"),
        ((2.0, -1.0), "accrual"),
        ((2.0, 1.0, nan), "dropout_hazard"),
    ],
)
def test_an_exposure_cannot_be_invalid(arguments: tuple[float, ...], argument: str) -> None:
    names = ("longest", "accrual", "dropout_hazard")
    with pytest.raises(ArgumentError) as refused:
        Exposure(**dict(zip(names, arguments, strict=False)))
    assert refused.value.argument == argument
