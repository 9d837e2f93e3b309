"""Intervals and multiplicity against published examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.statistics.binary import newcombe_difference
from equipoise.statistics.intervals import (
    clopper_pearson,
    mean_interval,
    median_interval,
    poisson_rate_interval,
    quartiles,
    wilson,
)
from equipoise.statistics.multiplicity import fixed_sequence, hochberg, holm


@pytest.mark.parametrize(
    ("events", "n", "against", "against_n", "low", "high"),
    [
        # Newcombe, Stat Med 1998;17:873, table II, method 10, cases a to h.
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (6, 7, 2, 7, 0.0582, 0.8062),
        (5, 56, 0, 29, -0.0381, 0.1926),
        (0, 10, 0, 20, -0.1611, 0.2775),
        (0, 10, 0, 10, -0.2775, 0.2775),
        (10, 10, 0, 20, 0.6791, 1.0000),
        (10, 10, 0, 10, 0.6075, 1.0000),
    ],
)
def test_newcombe_differences(
    events: int, n: int, against: int, against_n: int, low: float, high: float
) -> None:
    found = newcombe_difference(events, n, against, against_n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("events", "n", "exact", "score"),
    [
        # Newcombe, Stat Med 1998;17:857, table I: Clopper-Pearson and Wilson.
        (81, 263, (0.2527, 0.3676), (0.2553, 0.3662)),
        (15, 148, (0.0578, 0.1617), (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1684), (0.0, 0.1611)),
        (1, 29, (0.0009, 0.1776), (0.0061, 0.1718)),
    ],
)
def test_single_proportions(
    events: int, n: int, exact: tuple[float, float], score: tuple[float, float]
) -> None:
    found, other = clopper_pearson(events, n), wilson(events, n)
    assert (found.low, found.high) == pytest.approx(exact, abs=5.1e-5)
    assert (other.low, other.high) == pytest.approx(score, abs=5.1e-5)


def test_rare_events_and_means() -> None:
    # Garwood 1936: no event observed has the upper bound -log(0.025) = 3.689; ten events 4.795 to 18.390.
    assert poisson_rate_interval(0, 1).high == pytest.approx(3.689, abs=5e-4)
    ten = poisson_rate_interval(10, 1)
    assert (ten.low, ten.high) == pytest.approx((4.795, 18.390), abs=1e-3)
    # Student's sleep data (Biometrika 1908;6:1), the ten differences.
    sleep = mean_interval([1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4])
    assert sleep.estimate == pytest.approx(1.58)
    assert (sleep.low, sleep.high) == pytest.approx((0.7001142, 2.4598858), abs=1e-6)
    # The ranks of ten observations for a 95% interval of the median are 2 and 9 (Conover, table A3).
    median = median_interval(range(1, 11))
    assert (median.estimate, median.low, median.high) == (5.5, 2, 9)
    assert median_interval([1, 2]).low is None
    assert quartiles([1, 2, 3, 4]) == (1.5, 2.5, 3.5)


def test_holm_and_hochberg_on_four_hypotheses() -> None:
    # Wright, Biometrics 1992;48:1005, and R's p.adjust on the same four.
    p = [0.01, 0.04, 0.03, 0.005]
    assert [step.adjusted for step in holm(p, 0.05)] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert [step.rejected for step in holm(p, 0.05)] == [True, False, False, True]
    assert [step.local_alpha for step in holm(p, 0.05)] == pytest.approx([0.05 / 3, None, 0.025, 0.0125])
    assert [step.adjusted for step in hochberg(p, 0.05)] == pytest.approx([0.03, 0.04, 0.04, 0.02])
    assert all(step.rejected for step in hochberg(p, 0.05))


def test_a_fixed_sequence_stops_at_the_first_that_fails() -> None:
    steps = fixed_sequence([0.01, 0.2, 0.001], 0.05)
    assert [step.tested for step in steps] == [True, True, False]
    assert [step.rejected for step in steps] == [True, False, False]
    assert [step.adjusted for step in steps] == [0.01, 0.2, 0.2]
    assert [step.rejected for step in fixed_sequence([0.01, None, 0.001], 0.05)] == [True, False, False]


P_VALUES = st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=1, max_size=8)


@given(P_VALUES)
def test_a_hypothesis_is_rejected_exactly_when_its_adjusted_p_is_at_most_alpha(p: list[float | None]) -> None:
    for procedure in (fixed_sequence, holm, hochberg):
        for step in procedure(p, 0.05):
            # Where both lie within rounding of each other nothing is claimed.
            if step.adjusted is not None and abs(step.adjusted - 0.05) > 1e-12:
                assert step.rejected is (step.adjusted <= 0.05)
            assert step.adjusted is not None or not step.rejected


@given(P_VALUES)
def test_hochberg_rejects_all_that_holm_rejects(p: list[float | None]) -> None:
    for one, two in zip(holm(p, 0.05), hochberg(p, 0.05), strict=True):
        assert two.rejected or not one.rejected


@given(st.integers(0, 40), st.integers(1, 40))
def test_exact_and_score_intervals_hold_the_estimate(events: int, n: int) -> None:
    events = min(events, n)
    for found in (clopper_pearson(events, n), wilson(events, n)):
        assert found.low is not None and found.estimate is not None and found.high is not None
        assert 0 <= found.low <= found.estimate <= found.high <= 1
