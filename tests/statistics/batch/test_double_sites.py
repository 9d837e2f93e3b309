"""Site effects: the kernels against the plain numpy form, the fit of one dataset, and their own laws."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from equipoise.statistics.arguments import ArgumentError
from equipoise.statistics.batch.engine import STATUSES, FitResults, fit_many
from equipoise.statistics.batch.reference import fit_reference
from equipoise.statistics.counts import fit_negative_binomial

_NEAR = 1e-8
Table = NDArray[np.float64]


def draw(seed: int, trials: int, n: int, mean: float, dispersion: float, sites: int) -> list[Table]:
    """Counts, treatment, covariate, offset, sites: trials in which some site has both arms."""
    rng = np.random.default_rng(seed)
    t = np.stack([rng.permutation(np.arange(n) % 2) for _ in range(trials)]).astype(float)
    x = np.log1p(rng.poisson(1.5, t.shape))
    offset = np.log(rng.uniform(0.3, 1, t.shape))
    place = rng.integers(0, sites, t.shape)
    effect = np.take_along_axis(rng.normal(0, 0.5, (trials, sites)), place, axis=1)
    mu = mean * np.exp(0.4 * x - 0.5 * t + offset + effect)
    y = rng.poisson(mu * rng.gamma(1 / dispersion, dispersion, t.shape))
    good = [any(len(set(a[s == site])) == 2 for site in range(sites)) for a, s in zip(t, place, strict=True)]
    return [table[good].astype(float) for table in (y, t, x, offset, place)]


def assert_same(one: FitResults, other: FitResults, near: float = _NEAR) -> None:
    np.testing.assert_array_equal(one.status, other.status)
    for field in fields(FitResults):
        if field.name not in ("status", "theta"):
            here, there = getattr(one, field.name), getattr(other, field.name)
            np.testing.assert_allclose(here, there, rtol=near, atol=near, err_msg=field.name)
    # Where it is large the likelihood hardly depends on theta: both forms know fewer of its digits there.
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(1 / one.theta, 1 / other.theta, rtol=1e-6, atol=near)


def take(results: FitResults, rows: slice | NDArray[np.int64]) -> FitResults:
    return FitResults(**{field.name: getattr(results, field.name)[rows] for field in fields(FitResults)})


def statuses(results: FitResults) -> set[str]:
    return {STATUSES[code] for code in results.status}


@pytest.mark.parametrize(
    ("n", "mean", "dispersion", "sites"),
    [(144, 2.0, 1.6, 15), (40, 1.0, 0.5, 5), (30, 1.0, 2.0, 3), (60, 30.0, 3.0, 4)],
)
def test_double_reference(n: int, mean: float, dispersion: float, sites: int) -> None:
    y, t, x, offset, place = draw(1, 50, n, mean, dispersion, sites)
    assert_same(fit_many(y, t, x, offset, sites=place), fit_reference(y, t, x, offset, place))
    assert_same(fit_many(y, t, sites=place), fit_reference(y, t, sites=place))


def test_double_reference_where_every_kind_of_data_is_degenerate() -> None:
    """Ten participants at three sites: what is separated the plain form finds as a linear programme."""
    y, t, x, offset, place = draw(7, 160, 10, 0.4, 1.0, 3)
    batch, plain = fit_many(y, t, x, offset, sites=place), fit_reference(y, t, x, offset, place)
    np.testing.assert_array_equal(batch.status, plain.status)
    assert statuses(batch) == {"fitted", "poisson", "no_events_arm", "no_events", "separated"}
    np.testing.assert_allclose(batch.log_ratio, plain.log_ratio, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(batch.log_likelihood, plain.log_likelihood, rtol=1e-7, atol=1e-7)


def test_double_one_dataset() -> None:
    y, t, x, offset, place = draw(2, 12, 72, 1.2, 0.6, 6)
    place[0] = np.where(place[0] == 5, 0, place[0])
    batch = fit_many(y, t, x, offset, sites=place)
    for trial in range(len(y)):
        used = np.unique(place[trial])
        columns = np.column_stack([t[trial], x[trial], *(place[trial] == site for site in used)])
        names = [str(column) for column in range(columns.shape[1])]
        one = fit_negative_binomial(y[trial], columns, offset[trial], names)
        null = fit_negative_binomial(y[trial], columns[:, 1:], offset[trial], names[1:])
        assert one.log_likelihood is not None
        assert null.log_likelihood is not None
        empty = {names[2 + at] for at, site in enumerate(used) if not y[trial][place[trial] == site].any()}
        assert {name for name, _ in one.diverging} == empty
        assert STATUSES[batch.status[trial]] == ("poisson" if one.theta is None else "fitted")
        found = [batch.log_ratio[trial], batch.slope[trial]]
        np.testing.assert_allclose(found, one.coefficients.values[:2], rtol=0, atol=_NEAR)
        error = one.coefficients.covariance[0, 0] ** 0.5
        assert batch.standard_error[trial] == pytest.approx(error, rel=_NEAR)
        assert batch.log_likelihood[trial] == pytest.approx(one.log_likelihood, rel=1e-12)
        ratio = max(0.0, 2 * (one.log_likelihood - null.log_likelihood))
        assert batch.likelihood_ratio[trial] == pytest.approx(ratio, abs=_NEAR)
        if one.theta is not None and one.theta < 1000:
            assert batch.theta[trial] == pytest.approx(one.theta, rel=1e-7)


def test_double_statsmodels() -> None:
    from statsmodels.discrete.discrete_model import NegativeBinomial

    y, t, x, _, place = draw(3, 1, 144, 2.0, 1.6, 15)
    batch = fit_many(y, t, x, sites=place)
    columns = np.column_stack([t[0], x[0], *(place[0] == site for site in range(15))]).astype(float)
    start = np.r_[batch.log_ratio, batch.slope, np.zeros(15), 1 / batch.theta]
    other = NegativeBinomial(y[0], columns).fit(start, method="bfgs", disp=0, maxiter=500, gtol=1e-6)
    assert batch.log_ratio[0] == pytest.approx(other.params[0], abs=1e-5)
    assert batch.theta[0] == pytest.approx(1 / other.params[-1], rel=1e-4)
    assert batch.log_likelihood[0] == pytest.approx(other.llf, abs=1e-7)


def test_a_site_without_events_adds_nothing() -> None:
    y, t, x, offset, place = draw(4, 40, 60, 2.0, 1.0, 6)
    place[:] = np.arange(60) // 10
    y[:, place[0] == 2] = 0
    rest = place[0] != 2
    with_it, without = (
        fit_many(y[:, kept], t[:, kept], x[:, kept], offset[:, kept], sites=place[:, kept])
        for kept in (np.ones(60, dtype=bool), rest)
    )
    assert statuses(with_it) <= {"fitted", "poisson"}
    assert_same(with_it, without, 1e-10)


def test_a_covariate_that_sites_and_treatment_determine_is_left_out() -> None:
    y, t, x, offset, place = draw(9, 6, 60, 2.0, 1.0, 4)
    x[2] = 3 * place[2] + 2 * t[2]
    x[4] = 1.0
    batch = fit_many(y, t, x, offset, sites=place)
    assert [STATUSES[code] for code in batch.status].count("rank") == 2
    assert_same(batch, fit_reference(y, t, x, offset, place))
    without = fit_many(y, t, None, offset, sites=place)
    assert batch.log_ratio[[2, 4]] == pytest.approx(without.log_ratio[[2, 4]], abs=1e-12)


def test_one_site_is_none() -> None:
    y, t, x, offset, _ = draw(5, 50, 60, 1.0, 1.0, 2)
    assert_same(fit_many(y, t, x, offset, sites=np.zeros(60)), fit_many(y, t, x, offset), 1e-9)


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(5)), st.integers(0, 1000))
def test_names_of_sites_and_the_order_of_participants_change_nothing(names: list[int], seed: int) -> None:
    y, t, x, offset, place = draw(6, 20, 50, 1.5, 1.0, 5)
    order = np.random.default_rng(seed).permutation(50)
    other = np.array(names)[place.astype(int)]
    before = fit_many(y, t, x, offset, sites=place)
    after = fit_many(y[:, order], t[:, order], x[:, order], offset[:, order], sites=other[:, order])
    assert_same(before, after, 1e-9)


def test_neighbours_and_threads_change_no_bit() -> None:
    y, t, x, offset, place = draw(8, 1100, 36, 1.0, 1.0, 4)
    whole = fit_many(y, t, x, offset, sites=place)
    threads = fit_many(y, t, x, offset, sites=place, threads=2)
    some = np.array([3, 40, 1090])
    alone = fit_many(y[some], t[some], x[some], offset[some], sites=place[some])
    for field in fields(FitResults):
        np.testing.assert_array_equal(getattr(whole, field.name), getattr(threads, field.name))
        np.testing.assert_array_equal(getattr(take(whole, some), field.name), getattr(alone, field.name))


@pytest.mark.parametrize(
    ("sites", "said"),
    [
        ([0, 0, 1, 1.5], "whole numbers"),
        ([0, 0, 1, -1], "whole numbers"),
        ([0, 0, 1, 200], "whole numbers"),
        ([0, 0, 1], "shape"),
        ([0, 1, 0, 1], "a site with both arms"),
    ],
)
def test_impossible_sites_are_named(sites: list[float], said: str) -> None:
    with pytest.raises(ArgumentError, match=said) as refused:
        fit_many([[1, 2, 0, 3]], [0, 1, 0, 1], sites=sites)
    assert refused.value.argument == "sites"
