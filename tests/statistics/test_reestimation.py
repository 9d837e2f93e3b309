"""Blinded re-estimation: the plan comes back from data that are as planned, and no group is looked at."""

from __future__ import annotations

import inspect
from math import log
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom

from equipoise.statistics.arguments import ArgumentError
from equipoise.statistics.planning import Exposure
from equipoise.statistics.reestimation import reestimate_counts
from equipoise.statistics.sample_size import power_counts, size_counts

_PLAN: dict[str, Any] = {"ratio": 0.6, "exposure": 1.0, "power": 0.8}


def exact_counts(rate: float, dispersion: float, n: int) -> list[int]:
    """Counts at evenly spaced quantiles: data that are the negative binomial distribution itself."""
    theta = 1 / dispersion
    at = (np.arange(n) + 0.5) / n
    return [int(count) for count in nbinom.ppf(at, theta, theta / (theta + rate))]


@pytest.mark.parametrize("allocation", [1, 2])
@pytest.mark.parametrize(("rate0", "ratio", "dispersion"), [(2.0, 0.6, 0.8), (1.2, 1.5, 0.5)])
def test_data_as_planned_give_the_planned_size(
    rate0: float, ratio: float, dispersion: float, allocation: int
) -> None:
    first, second = exact_counts(rate0, dispersion, 400), exact_counts(rate0 * ratio, dispersion, 400)
    counts = first + second * allocation
    planned = size_counts(
        rate0=rate0, ratio=ratio, dispersion=dispersion, exposure=1, power=0.9, allocation=allocation
    )
    found = reestimate_counts(
        counts, np.ones(len(counts)), ratio=ratio, exposure=1, power=0.9, allocation=allocation
    )
    assert found.status == "fitted"
    assert found.rate == pytest.approx(rate0 * (1 + allocation * ratio) / (1 + allocation), rel=0.01)
    assert found.dispersion == pytest.approx(dispersion, rel=0.06)
    assert found.size is not None
    assert found.size.exact1 == pytest.approx(planned.exact1, rel=0.05)
    # Without the correction the spread between the groups is taken for spread within them.
    safe = reestimate_counts(
        counts,
        np.ones(len(counts)),
        ratio=ratio,
        exposure=1,
        power=0.9,
        allocation=allocation,
        within_groups=False,
    )
    assert safe.size is not None
    assert safe.dispersion == found.observed_dispersion
    assert safe.size.exact1 > found.size.exact1


def test_exposures_so_far_count_as_they_are() -> None:
    rng = np.random.default_rng(20)
    times = rng.uniform(0.2, 2.0, 4000)
    counts = rng.poisson(1.5 * times * rng.gamma(1 / 0.7, 0.7, times.size))
    found = reestimate_counts(
        counts,
        times,
        ratio=0.8,
        exposure=Exposure.uniform_accrual(2, 1),
        power=0.8,
        within_groups=False,
    )
    assert found.rate == pytest.approx(1.5, rel=0.06)
    assert found.dispersion == pytest.approx(0.7, rel=0.1)


@settings(max_examples=30, deadline=None)
@given(
    counts=st.lists(st.integers(0, 12), min_size=2, max_size=60),
    least=st.integers(1, 900),
    allocation=st.floats(0.3, 3),
)
def test_size_is_never_below_what_is_there_or_asked_for(
    counts: list[int], least: int, allocation: float
) -> None:
    found = reestimate_counts(
        counts, [1.0] * len(counts), ratio=0.1, exposure=30, power=0.3, least=least, allocation=allocation
    )
    if not any(counts):
        assert (found.status, found.size) == ("no_events", None)
        return
    assert found.size is not None
    assert found.rate is not None
    assert found.dispersion is not None
    assert found.size.total >= max(len(counts), least)
    reached = power_counts(
        rate0=found.rate * (1 + allocation) / (1 + 0.1 * allocation),
        ratio=0.1,
        dispersion=found.dispersion,
        exposure=30,
        n1=found.size.n1,
        n2=found.size.n2,
    )
    assert found.size.power == pytest.approx(reached)
    if found.raised:
        assert found.size.total <= max(len(counts), least) + 2


@settings(max_examples=15, deadline=None)
@given(st.permutations(list(range(12))))
def test_order_of_the_participants_tells_nothing(order: list[int]) -> None:
    counts, times = [0, 3, 1, 0, 7, 2, 0, 0, 4, 1, 9, 2], [1.0 + 0.1 * i for i in range(12)]
    one = reestimate_counts(counts, times, **_PLAN)
    other = reestimate_counts([counts[i] for i in order], [times[i] for i in order], **_PLAN)
    assert one.size is not None
    assert other.size is not None
    assert one.size.exact1 == pytest.approx(other.size.exact1, rel=1e-6)


def test_no_group_can_be_given() -> None:
    names = set(inspect.signature(reestimate_counts).parameters)
    assert not names & {"arm", "arms", "group", "groups", "treatment", "allocations", "sequence"}


def test_counts_that_are_not_over_dispersed_are_poisson() -> None:
    found = reestimate_counts([1, 2, 1, 2, 1, 2, 1, 2], np.ones(8), **_PLAN)
    assert (found.status, found.observed_dispersion, found.dispersion) == ("poisson", 0.0, 0.0)
    assert found.rate == pytest.approx(1.5)
    assert found.size is not None
    poisson = size_counts(rate0=1.5 * 2 / 1.6, dispersion=0, **_PLAN)
    assert found.size.exact1 == pytest.approx(poisson.exact1)
    assert poisson.exact1 == pytest.approx(
        (1.959963984540054 + 0.8416212335729143) ** 2 * (1 / 1.875 + 1 / 1.125) / log(0.6) ** 2
    )


@pytest.mark.parametrize(
    ("counts", "exposures", "changed", "argument"),
    [
        ([], [], {}, "counts"),
        ([1, -1], [1, 1], {}, "counts[1]"),
        ([1, 0.5], [1, 1], {}, "counts[1]"),
        ([1, float("nan")], [1, 1], {}, "counts[1]"),
        ([1, 2], [1, 0], {}, "exposures[1]"),
        ([1, 2], [1, float("inf")], {}, "exposures[1]"),
        ([1, 2], [1], {}, "exposures"),
        ([1, 2], [[1, 1]], {}, "exposures"),
        ([1, 5], [1, 1], {"ratio": 1.0}, "ratio"),
        ([1, 5], [1, 1], {"power": 0.05}, "power"),
        ([1, 5], [1, 1], {"least": 0}, "least"),
        ([1, 5], [1, 1], {"allocation": 0}, "allocation"),
    ],
)
def test_what_cannot_be_is_named(
    counts: list[float], exposures: list[Any], changed: dict[str, Any], argument: str
) -> None:
    with pytest.raises(ArgumentError) as refused:
        reestimate_counts(counts, exposures, **_PLAN | changed)
    assert refused.value.argument == argument
