"""Tests and intervals of one column: laws, degenerate data, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.statistics.arguments import ArgumentError
from equipoise.statistics.count_tests import (
    CountTest,
    likelihood_ratio_test,
    permutation_test,
    profile_interval,
    score_test,
    wald_test,
)
from equipoise.statistics.counts import fit_negative_binomial, fit_poisson, fit_poisson_gee

NAMES = ("intercept", "arm", "baseline")
TWO = ("intercept", "arm")
ZEROS = [3, 0, 1, 7, 2, 0, 0, 4, 1, 2, *[0] * 10]
ARMS = np.column_stack([np.ones(20), np.repeat([0.0, 1.0], 10)])


def draw(seed: int, n: int = 60, dispersion: float = 1.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(n), np.arange(n) % 2, np.log1p(rng.poisson(1.2, n))])
    offset = np.log(rng.integers(1, 4, n))
    mu = np.exp(0.3 - 0.4 * X[:, 1] + 0.5 * X[:, 2] + offset)
    return rng.poisson(mu * rng.gamma(1 / dispersion, dispersion, n)), X, offset


def wald_of(y: Any, X: Any, offset: Any, names: Any, name: str) -> CountTest:
    return wald_test(fit_negative_binomial(y, X, offset, names), name)


ASYMPTOTIC: list[Callable[..., CountTest]] = [wald_of, score_test, likelihood_ratio_test]


@pytest.mark.parametrize("test", ASYMPTOTIC)
def test_the_statistic_does_not_know_units_or_the_order_of_rows_and_columns(
    test: Callable[..., CountTest],
) -> None:
    y, X, offset = draw(1)
    plain = test(y, X, offset, NAMES, "arm").statistic
    order = np.random.default_rng(2).permutation(len(y))
    assert test(y[order], X[order], offset[order], NAMES, "arm").statistic == pytest.approx(plain, abs=1e-7)
    units = X * [1.0, -1000.0, 1e-4]
    turned = test(y, units[:, ::-1], offset - 2.0, NAMES[::-1], "arm").statistic
    assert plain is not None and turned == pytest.approx(-plain, abs=1e-7)


def test_a_hypothesis_other_than_none_moves_into_the_offset() -> None:
    y, X, offset = draw(3)
    moved = offset + 0.7 * X[:, 1]
    for test in (score_test, likelihood_ratio_test):
        here = test(y, X, offset, NAMES, "arm", null=0.7)
        assert here.statistic == pytest.approx(test(y, X, moved, NAMES, "arm").statistic, abs=1e-7)
    fit, other = fit_negative_binomial(y, X, offset, NAMES), fit_negative_binomial(y, X, moved, NAMES)
    there = wald_test(other, "arm").statistic
    assert wald_test(fit, "arm", null=0.7).statistic == pytest.approx(there, abs=1e-7)


def test_two_tails_are_twice_the_smaller_one() -> None:
    y, X, offset = draw(4)
    both, less, greater = (
        score_test(y, X, offset, NAMES, "arm", alternative=each).p
        for each in ("two-sided", "less", "greater")
    )
    assert less is not None and greater is not None
    assert less + greater == pytest.approx(1)
    assert both == pytest.approx(2 * min(less, greater))


@pytest.mark.parametrize("seed", [5, 6])
def test_the_ends_of_the_profile_interval_are_where_the_likelihood_ratio_test_turns(seed: int) -> None:
    y, X, offset = draw(seed)
    for name in NAMES:
        found = profile_interval(y, X, offset, NAMES, name, 0.9)
        assert found.low is not None and found.high is not None and found.estimate is not None
        assert found.low < found.estimate < found.high
        for end in (found.low, found.high):
            p = likelihood_ratio_test(y, X, offset, NAMES, name, null=end).p
            assert p == pytest.approx(0.1, abs=1e-6)


def test_the_profile_interval_of_a_model_with_one_column() -> None:
    y, _, _ = draw(7)
    found = profile_interval(y, np.ones((60, 1)), None, ("intercept",), "intercept")
    assert found.estimate == pytest.approx(np.log(y.mean()))
    assert found.low is not None and found.high is not None and found.low < np.log(y.mean()) < found.high


def test_whole_weights_are_so_many_rows_and_no_weight_is_no_row() -> None:
    y, X, offset = draw(8)
    weights = np.random.default_rng(8).integers(0, 3, len(y))
    times = np.repeat(np.arange(len(y)), weights)
    fit = fit_negative_binomial(y, X, offset, NAMES, weights)
    long = fit_negative_binomial(y[times], X[times], offset[times], NAMES)
    assert fit.theta == pytest.approx(long.theta) and fit.theta_se == pytest.approx(long.theta_se)
    assert fit.log_likelihood == pytest.approx(long.log_likelihood)
    assert fit.coefficients.values == pytest.approx(long.coefficients.values)
    assert np.allclose(fit.coefficients.covariance, long.coefficients.covariance)
    assert np.allclose(fit.observed.covariance, long.observed.covariance)
    for information in ("expected", "observed"):
        found, expected = (
            score_test(*each, NAMES, "arm", weights=w, information=information)
            for each, w in (((y, X, offset), weights), ((y[times], X[times], offset[times]), None))
        )
        assert found.statistic == pytest.approx(expected.statistic)


def test_an_exact_permutation_test_of_two_arms_is_that_of_their_totals() -> None:
    # Without covariates the statistic is a rising function of the total of the arm.
    y = np.array([0, 1, 1, 4, 0, 2, 9, 3, 12, 5])
    X = np.column_stack([np.ones(10), np.repeat([0.0, 1.0], 5)])
    found = permutation_test(y, X, None, TWO, "arm", alternative="greater")
    totals = [sum(y[list(each)]) for each in combinations(range(10), 5)]
    assert (found.exact, found.permutations) == (True, 252)
    assert found.p == pytest.approx(np.mean(np.array(totals) >= y[5:].sum()))
    drawn = permutation_test(
        y,
        X,
        None,
        TWO,
        "arm",
        alternative="greater",
        exact_up_to=0,
        permutations=4000,
        generator=np.random.default_rng(1),
    )
    assert not drawn.exact and drawn.p == pytest.approx(found.p, abs=0.02)


def test_strata_keep_the_values_of_a_column_within_them() -> None:
    y, X, offset = draw(9, n=12)
    strata = ["a"] * 4 + ["b"] * 8
    found = permutation_test(y, X, offset, NAMES, "arm", strata=strata)
    assert (found.exact, found.permutations) == (True, 6 * 70)
    lonely = permutation_test(y, X, offset, NAMES, "arm", strata=list(range(12)))
    assert (lonely.permutations, lonely.p) == (1, 1.0)
    three = X.copy()
    three[:, 1] = np.arange(12) % 3
    doses = permutation_test(y[:9], three[:9], offset[:9], NAMES, "arm")
    assert doses.permutations == 1680


def test_random_permutations_are_those_of_the_generator() -> None:
    y, X, offset = draw(10)

    def run(seed: int) -> CountTest:
        return permutation_test(
            y, X, offset, NAMES, "arm", permutations=499, generator=np.random.default_rng(seed)
        )

    assert run(1) == run(1)
    p = run(2).p
    assert p is not None and (p * 500) == pytest.approx(round(p * 500)) and p >= 1 / 500


def test_exact_permutation_p_values_are_uniform_over_all_arrangements() -> None:
    # Over the randomisations of the same counts, p is at most alpha in at most that share.
    y = np.array([0, 0, 1, 2, 5, 9, 0, 3])
    ps = []
    for chosen in combinations(range(8), 4):
        X = np.column_stack([np.ones(8), np.isin(np.arange(8), chosen)])
        ps.append(permutation_test(y, X, None, TWO, "arm").p)
    shares = np.sort(np.array(ps, dtype=float))
    assert all(np.mean(shares <= alpha) <= alpha + 1e-12 for alpha in shares)


def test_an_arm_of_zeros_is_tested_and_has_one_end() -> None:
    fit = fit_negative_binomial(ZEROS, ARMS, names=TWO)
    assert wald_test(fit, "arm") == CountTest(test="wald", status="separated")
    score = score_test(ZEROS, ARMS, None, TWO, "arm")
    ratio = likelihood_ratio_test(ZEROS, ARMS, None, TWO, "arm")
    permuted = permutation_test(ZEROS[3:17], ARMS[3:17], None, TWO, "arm", alternative="less")
    for each in (score, ratio, permuted):
        assert each.statistic is not None and each.statistic < 0 and each.p is not None and each.p < 0.05
    # As small a total as 0 has an arm of 7 of the 9 rows without an event: 36 of 3432 arrangements.
    assert permuted.p == pytest.approx(36 / 3432)
    assert (score.status, ratio.status) == ("fitted", "separated")
    interval = profile_interval(ZEROS, ARMS, None, TWO, "arm")
    assert (interval.status, interval.direction, interval.estimate, interval.low) == (
        "separated",
        -1,
        None,
        None,
    )
    p = likelihood_ratio_test(ZEROS, ARMS, None, TWO, "arm", null=interval.high or 0.0).p
    assert p == pytest.approx(0.05, abs=1e-6)
    bounded = profile_interval(ZEROS, ARMS * [1, 1e5], None, TWO, "arm")
    assert bounded.high == pytest.approx((interval.high or 0.0) / 1e5, rel=1e-6)


def test_a_site_of_zeros_changes_no_test_of_the_arm() -> None:
    y, X, offset = draw(11)
    site = np.arange(60) < 8
    y[site] = 0
    wide, names = np.column_stack([X, site]), (*NAMES, "site")
    for test in ASYMPTOTIC:
        found = test(y, wide, offset, names, "arm")
        assert found.status == "separated"
        assert found.statistic == pytest.approx(
            test(y[8:], X[8:], offset[8:], NAMES, "arm").statistic, abs=1e-7
        )


def test_groups_of_zeros_that_one_direction_does_not_show_are_found() -> None:
    # A dose at which the counts end, and in it a level that no event has; both diverge.
    y = [4, 0, 2, 7, 1, 3, 0, 0, 0, 0, 0, 0]
    dose = [0, 0, 0, 0, 0, 0, 1, 2, 3, 1, 2, 3]
    level = [0, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 1]
    other = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    X = np.column_stack([np.ones(12), dose, level, other])
    fit = fit_negative_binomial(y, X, names=("intercept", "dose", "level", "other"))
    alone = fit_negative_binomial(y[:6], X[:6][:, [0, 2]], names=("intercept", "level"))
    assert fit.status == "separated" and fit.coefficients.names == ("intercept", "level")
    assert {name for name, _ in fit.diverging} | set(fit.aliased) == {"dose", "other"}
    assert fit.log_likelihood == pytest.approx(alone.log_likelihood)
    assert fit.means[6:] == pytest.approx(np.zeros(6))


def test_a_column_that_others_determine_is_named_and_not_tested() -> None:
    y, X, offset = draw(12)
    wide, names = np.column_stack([X, 1 - X[:, 1]]), (*NAMES, "other")
    for test in (*ASYMPTOTIC, permutation_test):
        assert test(y, wide, offset, names, "other").status == "aliased"
    # The aliased column does not take the place of the one that is tested.
    found = likelihood_ratio_test(y, wide, offset, names, "arm")
    assert found.statistic == pytest.approx(likelihood_ratio_test(y, X, offset, NAMES, "arm").statistic)
    assert profile_interval(y, wide, offset, names, "other").status == "aliased"


def test_no_events_and_no_rows_are_outcomes() -> None:
    none = np.zeros(20)
    fit = fit_negative_binomial(none, ARMS, names=TWO)
    assert fit.status == "no_events" and wald_test(fit, "arm").p is None
    assert score_test(none, ARMS, None, TWO, "arm").status == "no_events"
    assert likelihood_ratio_test(none, ARMS, None, TWO, "arm").p == 1
    assert permutation_test(none, ARMS, None, TWO, "arm").p == 1
    assert profile_interval(none, ARMS, None, TWO, "arm").status == "no_events"
    assert fit_negative_binomial(ZEROS, ARMS, None, TWO, np.zeros(20)).status == "no_data"
    assert score_test([], np.zeros((0, 2)), None, TWO, "arm").status == "no_data"


def test_a_model_without_columns_has_a_likelihood() -> None:
    y, _, offset = draw(13)
    fit = fit_negative_binomial(y, np.zeros((60, 0)), offset)
    assert fit.status == "fitted" and fit.coefficients.names == () and fit.theta is not None
    assert fit.means == pytest.approx(np.exp(offset))


def test_counts_beyond_the_tail_tables_are_fitted_alike() -> None:
    rng = np.random.default_rng(14)
    y = rng.poisson(9_000 * rng.gamma(4, 1 / 4, 200))
    assert y.max() > 10_000
    small = fit_negative_binomial(np.minimum(y, 10_000), np.ones((200, 1)), names=("one",))
    large = fit_negative_binomial(np.where(y >= 10_000, 10_001, y), np.ones((200, 1)), names=("one",))
    assert small.theta is not None and large.theta == pytest.approx(small.theta, rel=1e-3)
    assert small.theta_se == pytest.approx(large.theta_se, rel=1e-3)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.integers(0, 2)), min_size=1, max_size=12),
    st.sampled_from(["arm", "b", "c"]),
)
def test_no_data_raise_or_give_nan(rows: list[tuple[int, bool, int]], name: str) -> None:
    y = [row[0] for row in rows]
    X = [[1.0, float(arm), float(level == 1), float(level == 2)] for _, arm, level in rows]
    given_model = (y, X, None, ("one", "arm", "b", "c"), name)
    found = [wald_of(*given_model), likelihood_ratio_test(*given_model)]
    found += [score_test(*given_model, information=each) for each in ("expected", "observed")]
    found.append(
        permutation_test(*given_model, permutations=50, exact_up_to=50, generator=np.random.default_rng(1))
    )
    for each in found:
        assert each.p is None or 0 <= each.p <= 1
        assert each.statistic is None or np.isfinite(each.statistic)
    interval = profile_interval(*given_model)
    known = [each for each in (interval.low, interval.estimate, interval.high) if each is not None]
    assert np.isfinite(known).all() and known == sorted(known)


@pytest.mark.parametrize(
    ("argument", "changed"),
    [
        ("y[0]", {"y": [np.nan, 1, 2]}),
        ("y[1]", {"y": [1, np.inf, 2]}),
        ("y[2]", {"y": [1, 0, -2]}),
        ("y[0]", {"y": [1.5, 0, 2]}),
        ("y", {"y": [[1, 0, 2]]}),
        ("X", {"X": np.ones((2, 2))}),
        ("X", {"X": np.ones(3)}),
        ("X[1, 0]", {"X": [[1, 0], [np.nan, 1], [1, 1]]}),
        ("names", {"names": ("one",)}),
        ("offset", {"offset": [0.0]}),
        ("offset[2]", {"offset": [0.0, 0.0, -np.inf]}),
        ("weights", {"weights": [1.0, 1.0, -1.0]}),
        ("weights[0]", {"weights": [np.nan, 1.0, 1.0]}),
        ("weights", {"weights": [1.0]}),
    ],
)
def test_what_no_dataset_can_hold_is_named(argument: str, changed: dict[str, Any]) -> None:
    right: dict[str, Any] = {"y": [1, 0, 2], "X": [[1, 0], [1, 1], [1, 1]], "offset": None, "names": TWO}
    for fit in (fit_negative_binomial, fit_poisson):
        with pytest.raises(ArgumentError) as caught:
            fit(**(right | changed))
        assert caught.value.argument == argument
    with pytest.raises(ArgumentError):
        score_test(**(right | changed), name="arm")


def test_wrong_arguments_of_the_tests_are_named() -> None:
    y, X, offset = draw(15)
    fit = fit_negative_binomial(y, X, offset, NAMES)
    calls: list[tuple[str, Callable[[], object]]] = [
        ("name", lambda: wald_test(fit, "dose")),
        ("information", lambda: wald_test(fit, "arm", information="full")),  # type: ignore[arg-type]
        ("null", lambda: wald_test(fit, "arm", null=np.nan)),
        ("name", lambda: score_test(y, X, offset, NAMES, "dose")),
        ("information", lambda: score_test(y, X, offset, NAMES, "arm", information="robust")),  # type: ignore[arg-type]
        ("alternative", lambda: score_test(y, X, offset, NAMES, "arm", alternative="both")),  # type: ignore[arg-type]
        ("names", lambda: likelihood_ratio_test(y, X, offset, ("one", "arm", "arm"), "arm")),
        ("level", lambda: profile_interval(y, X, offset, NAMES, "arm", 95)),
        ("strata", lambda: permutation_test(y, X, offset, NAMES, "arm", strata=["a"])),
        ("generator", lambda: permutation_test(y, X, offset, NAMES, "arm")),
        ("permutations", lambda: permutation_test(y, X, offset, NAMES, "arm", permutations=0)),
        ("clusters", lambda: fit_poisson_gee(y, X, offset, NAMES, ["a"])),
    ]
    for argument, call in calls:
        with pytest.raises(ArgumentError) as caught:
            call()
        assert caught.value.argument == argument
