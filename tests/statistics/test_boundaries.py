"""The laws of group-sequential boundaries, a second computation of them, and what they refuse."""

from __future__ import annotations

from itertools import pairwise
from math import log, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr, ndtri

from equipoise.statistics.arguments import ArgumentError
from equipoise.statistics.boundaries import (
    Futility,
    boundaries,
    count_information,
    crossing_probabilities,
    drift_for,
    equal_looks,
    expected_information,
    information_for,
    spending,
)

FAMILIES: list[tuple[str, dict[str, float]]] = [
    ("OF", {}),
    ("P", {}),
    ("WT", {"delta": 0.25}),
    ("WT", {"delta": 0.8}),
    ("asOF", {}),
    ("asP", {}),
    ("asHSD", {"gamma": -4}),
    ("asHSD", {"gamma": 2}),
    ("asKD", {"gamma": 1.5}),
]
shares = st.lists(st.integers(1, 19), min_size=1, max_size=4, unique=True).map(
    lambda places: (*(place / 20 for place in sorted(places)), 1.0)
)
levels = st.floats(0.001, 0.2)


@settings(max_examples=15)
@given(family=st.sampled_from(FAMILIES), information=shares, alpha=levels, sides=st.sampled_from([1, 2]))
def test_under_the_null_hypothesis_all_crossings_sum_to_alpha(family, information, alpha, sides) -> None:
    name, shape = family
    found = boundaries(name, information=information, alpha=alpha, sides=sides, **shape)
    null = crossing_probabilities(found, 0)
    assert sum(null.upper) * sides == pytest.approx(alpha, rel=1e-7)
    assert np.cumsum(null.upper) * sides == pytest.approx(found.spent, rel=1e-6)
    assert null.lower == pytest.approx(null.upper if sides == 2 else [0] * len(information), rel=1e-9)
    assert found.nominal_p[-1] <= alpha * (1 + 1e-9)
    assert list(found.nominal_p) == pytest.approx([sides * ndtr(-bound) for bound in found.critical])


@settings(max_examples=6)
@given(information=shares, alpha=levels, beta=st.floats(0.05, 0.4), binding=st.booleans())
@pytest.mark.parametrize("name", ["asOF", "asHSD"])
def test_futility_spends_beta_at_the_drift_and_never_adds_to_alpha(
    name, information, alpha, beta, binding
) -> None:
    gamma = -2 if name == "asHSD" else None
    rule = Futility(family=name, beta=beta, binding=binding, gamma=gamma)
    found = boundaries(name, information=information, alpha=alpha, gamma=gamma, futility=rule)
    assert found.lower is not None
    assert found.drift is not None
    real = crossing_probabilities(found, found.drift)
    assert sum(real.upper) == pytest.approx(1 - beta, abs=1e-8)
    assert np.cumsum(real.lower) == pytest.approx(found.spent_beta, abs=1e-8)
    assert found.lower[-1] == found.critical[-1]
    assert all(low < high for low, high in zip(found.lower[:-1], found.critical, strict=False))
    null = crossing_probabilities(found, 0)
    free = crossing_probabilities(found, 0, obey_futility=False)
    assert sum(null.upper) + sum(null.lower) == pytest.approx(1, abs=1e-8)
    assert sum((null if binding else free).upper) == pytest.approx(alpha, rel=1e-7)
    assert drift_for(found, beta) == pytest.approx(found.drift, abs=1e-6)


def test_a_binding_bound_lowers_the_upper_ones_and_one_that_does_not_bind_leaves_them() -> None:
    looks: dict[str, Any] = {"information": equal_looks(3), "alpha": 0.025}
    plain = boundaries("asOF", **looks)
    loose = boundaries("asOF", **looks, futility=Futility(family="asP", beta=0.2))
    tight = boundaries("asOF", **looks, futility=Futility(family="asP", beta=0.2, binding=True))
    assert loose.critical == plain.critical
    assert tight.critical[-1] < plain.critical[-1]
    assert tight.drift is not None
    assert loose.drift is not None
    assert tight.drift < loose.drift


@pytest.mark.parametrize("family", ["OF", "P"])
def test_futility_that_does_not_bind_goes_with_bounds_that_do_not_spend(family) -> None:
    rule = Futility(family="asKD", beta=0.1, gamma=2)
    found = boundaries(family, information=(0.5, 1), alpha=0.025, futility=rule)
    assert found.critical == boundaries(family, information=(0.5, 1), alpha=0.025).critical
    assert found.drift is not None
    assert sum(crossing_probabilities(found, found.drift).upper) == pytest.approx(0.9, abs=1e-9)


def test_the_bounds_of_pocock_are_all_equal_and_those_of_o_brien_fleming_fall_as_one_over_root_t() -> None:
    information = (0.3, 0.45, 0.9, 1)
    pocock = boundaries("P", information=information, alpha=0.05, sides=2).critical
    assert pocock == pytest.approx([pocock[0]] * 4, rel=1e-12)
    obrien = boundaries("OF", information=information, alpha=0.05, sides=2).critical
    assert np.multiply(obrien, np.sqrt(information)) == pytest.approx([obrien[-1]] * 4, rel=1e-12)


def test_wang_and_tsiatis_hold_both_of_their_limits() -> None:
    looks: dict[str, Any] = {"information": equal_looks(4), "alpha": 0.025}
    assert boundaries("WT", delta=0, **looks).critical == boundaries("OF", **looks).critical
    assert boundaries("WT", delta=0.5, **looks).critical == boundaries("P", **looks).critical


@pytest.mark.parametrize("sides", [1, 2])
def test_more_looks_never_lower_the_last_bound_of_o_brien_fleming(sides) -> None:
    last = [
        boundaries("OF", information=equal_looks(k), alpha=0.05, sides=sides).critical[-1]
        for k in range(1, 6)
    ]
    assert last == sorted(last)


@pytest.mark.parametrize(("family", "shape"), FAMILIES)
def test_without_a_look_before_the_end_every_family_is_the_plain_test(family, shape) -> None:
    for sides in (1, 2):
        found = boundaries(family, information=[1], alpha=0.04, sides=sides, **shape)
        assert found.critical == pytest.approx([-ndtri(0.04 / sides)], abs=1e-9)
        assert expected_information(found, 1.3) == 1
        assert drift_for(found, 0.1) == pytest.approx(-ndtri(0.04 / sides) - ndtri(0.1), abs=1e-9)


@given(
    family=st.sampled_from([each for each in FAMILIES if each[0].startswith("as")]),
    information=shares,
    alpha=levels,
    sides=st.sampled_from([1, 2]),
)
def test_spending_rises_to_alpha(family, information, alpha, sides) -> None:
    name, shape = family
    spent = spending(name, information, alpha=alpha, sides=sides, **shape)
    assert all(late > early for early, late in pairwise(spent))
    assert spent[0] > 0
    assert spent[-1] == pytest.approx(alpha)


def test_two_sides_spend_as_two_tests_of_half_the_level() -> None:
    information = (0.2, 0.7, 1)
    both = spending("asOF", information, alpha=0.05, sides=2)
    assert both == pytest.approx([2 * each for each in spending("asOF", information, alpha=0.025)])


def by_quadrature(information, lower, upper, drift) -> list[float]:
    """The upper crossings of three looks, in the increments of the score, by Gauss and Legendre's rule."""
    nodes, weights = np.polynomial.legendre.leggauss(80)
    t1, t2, t3 = information

    def between(low, high):
        return low + (high - low) * (nodes + 1) / 2, weights * (high - low) / 2

    def density(change, step):
        return np.exp(-((change - drift * step) ** 2) / (2 * step)) / sqrt(2 * np.pi * step)

    def above(score, bound, start, end):
        return ndtr((score + drift * (end - start) - bound * sqrt(end)) / sqrt(end - start))

    s1, w1 = between(max(lower[0], -9) * sqrt(t1), upper[0] * sqrt(t1))
    s2, w2 = between(max(lower[1], -9) * sqrt(t2), upper[1] * sqrt(t2))
    going1 = w1 * density(s1, t1)
    going2 = (going1 @ density(s2[None, :] - s1[:, None], t2 - t1)) * w2
    return [
        float(above(0, upper[0], 0, t1)),
        float(going1 @ above(s1, upper[1], t1, t2)),
        float(going2 @ above(s2, upper[2], t2, t3)),
    ]


@pytest.mark.parametrize("drift", [0.0, 2.9, -1.0])
@pytest.mark.parametrize("sides", [1, 2])
def test_double_crossing_probabilities_by_another_quadrature(drift, sides) -> None:
    information = (0.35, 0.6, 1.0)
    bounds = boundaries("WT", information=information, alpha=0.05, sides=sides, delta=0.3)
    lower = [-bound if sides == 2 else -np.inf for bound in bounds.critical]
    expected = by_quadrature(information, lower, bounds.critical, drift)
    assert crossing_probabilities(bounds, drift).upper == pytest.approx(expected, abs=1e-8)


def test_double_crossing_probabilities_with_futility_by_another_quadrature() -> None:
    rule = Futility(family="asOF", beta=0.2, binding=True)
    bounds = boundaries("asP", information=(0.25, 0.5, 1), alpha=0.025, futility=rule)
    for drift in (0.0, 1.0, bounds.drift):
        assert drift is not None
        expected = by_quadrature(bounds.information, bounds.lower, bounds.critical, drift)
        assert crossing_probabilities(bounds, drift).upper == pytest.approx(expected, abs=1e-8)


def test_looks_that_are_far_apart_or_close_together_still_spend_alpha() -> None:
    found = boundaries("asOF", information=(0.02, 0.04, 0.5, 0.501, 1), alpha=0.025)
    assert found.critical[0] > 15
    assert sum(crossing_probabilities(found, 0).upper) == pytest.approx(0.025, rel=1e-9)


def test_information_for_two_sides_takes_half_the_level_and_a_design_inflates_it() -> None:
    plain = information_for(log(0.6), alpha=0.05, beta=0.1, sides=2)
    assert plain == pytest.approx(((1.959963985 + 1.281551566) / log(0.6)) ** 2)
    design = boundaries("P", information=equal_looks(5), alpha=0.05, sides=2)
    inflated = information_for(log(0.6), alpha=0.05, beta=0.1, sides=2, design=design)
    # A Pocock test of five looks needs about a fifth more.
    assert 1.15 < inflated / plain < 1.25
    reached = sqrt(inflated) * abs(log(0.6))
    assert sum(crossing_probabilities(design, reached).upper) == pytest.approx(0.9, abs=1e-9)


def test_the_information_of_counts_is_the_inverse_of_the_delta_method_s_variance() -> None:
    found = count_information(60, 90, rate1=0.8, rate2=0.5, dispersion=1.2, exposure=2)
    assert 1 / found == pytest.approx((1 / 1.6 + 1.2) / 60 + (1 / 1.0 + 1.2) / 90)
    poisson = count_information(60, 90, rate1=0.8, rate2=0.5, dispersion=0)
    assert 1 / poisson == pytest.approx(1 / 48 + 1 / 45)


GOOD: dict[str, Any] = {"information": (0.5, 1), "alpha": 0.025}


@pytest.mark.parametrize(
    ("family", "change", "argument"),
    [
        ("OBF", {}, "family"),
        ("OF", {"alpha": 0}, "alpha"),
        ("OF", {"alpha": float("nan")}, "alpha"),
        ("OF", {"alpha": 0.5}, "alpha"),
        ("OF", {"sides": 3}, "sides"),
        ("OF", {"information": ()}, "information"),
        ("OF", {"information": "0.5"}, "information"),
        ("OF", {"information": ("a", 1)}, "information"),
        ("OF", {"information": ((0.5, 1),)}, "information"),
        ("OF", {"information": (0.5, float("nan"))}, "information[1]"),
        ("OF", {"information": (0, 1)}, "information[0]"),
        ("OF", {"information": (0.5, 0.5, 1)}, "information[1]"),
        ("OF", {"information": (0.5, 0.5001, 1)}, "information[1]"),
        ("OF", {"information": (0.5, 1.2)}, "information[1]"),
        ("OF", {"information": (0.5, 0.9)}, "information[1]"),
        ("OF", {"information": np.linspace(0.01, 1, 51)}, "information"),
        ("asOF", {"information": (1e-9, 1)}, "information"),
        ("OF", {"delta": 0.1}, "delta"),
        ("WT", {}, "delta"),
        ("WT", {"delta": float("nan")}, "delta"),
        ("asOF", {"gamma": 1}, "gamma"),
        ("asHSD", {}, "gamma"),
        ("asHSD", {"gamma": float("inf")}, "gamma"),
        ("asKD", {"gamma": 0}, "gamma"),
        ("asOF", {"sides": 2, "futility": Futility(family="asOF", beta=0.1)}, "futility"),
        ("OF", {"futility": Futility(family="asOF", beta=0.1, binding=True)}, "futility.binding"),
        ("asOF", {"futility": Futility(family="asOF", beta=0.98)}, "futility.beta"),
    ],
)
def test_an_impossible_design_is_refused_by_the_name_of_its_argument(family, change, argument) -> None:
    with pytest.raises(ArgumentError) as refused:
        boundaries(family, **{**GOOD, **change})
    assert refused.value.argument == argument
    assert "It must be" in refused.value.sentence


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"family": "OF"}, "futility.family"),
        ({"beta": 1}, "futility.beta"),
        ({"gamma": 2}, "futility.gamma"),
        ({"family": "asKD"}, "futility.gamma"),
        ({"binding": "perhaps"}, "futility.binding"),
    ],
)
def test_an_impossible_rule_for_futility_is_refused(change, argument) -> None:
    with pytest.raises(ArgumentError) as refused:
        Futility(**{"family": "asOF", "beta": 0.1, **change})
    assert refused.value.argument == argument


@pytest.mark.parametrize("looks", [0, 2.5, 51, float("inf")])
def test_an_impossible_number_of_looks_is_refused(looks) -> None:
    with pytest.raises(ArgumentError, match="looks"):
        equal_looks(looks)


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"log_ratio": 0}, "log_ratio"),
        ({"log_ratio": float("inf")}, "log_ratio"),
        ({"beta": 0.976}, "beta"),
        ({"alpha": 0.05}, "design"),
    ],
)
def test_information_for_an_impossible_design_is_refused(change, argument) -> None:
    asked: dict[str, Any] = {
        "log_ratio": -0.4,
        "alpha": 0.025,
        "beta": 0.2,
        "design": boundaries("P", **GOOD),
    }
    with pytest.raises(ArgumentError) as refused:
        information_for(**{**asked, **change})
    assert refused.value.argument == argument


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"n1": 0}, "n1"),
        ({"n2": 3.5}, "n2"),
        ({"rate1": 0}, "rate1"),
        ({"rate2": float("nan")}, "rate2"),
        ({"dispersion": -0.1}, "dispersion"),
        ({"exposure": []}, "exposure"),
        ({"exposure": [1, 0]}, "exposure"),
    ],
)
def test_information_of_impossible_counts_is_refused(change, argument) -> None:
    asked: dict[str, Any] = {"n1": 50, "n2": 50, "rate1": 1.0, "rate2": 0.7, "dispersion": 0.5}
    with pytest.raises(ArgumentError) as refused:
        count_information(**{**asked, **change})
    assert refused.value.argument == argument


def test_an_endless_drift_is_refused() -> None:
    with pytest.raises(ArgumentError, match="drift"):
        crossing_probabilities(boundaries("P", **GOOD), float("nan"))
