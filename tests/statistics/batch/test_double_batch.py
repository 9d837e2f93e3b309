"""The kernels against the plain numpy form and against the fit of one dataset."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from numpy.typing import NDArray

from equipoise.statistics.batch.engine import STATUSES, FitResults, fit_many
from equipoise.statistics.batch.reference import fit_reference
from equipoise.statistics.counts import fit_negative_binomial, likelihood_ratio_p

_NEAR = 1e-8
Table = NDArray[np.float64]


def draw(seed: int, trials: int, n: int, mean: float, dispersion: float, levels: bool = True) -> list[Table]:
    """Counts, treatment, covariate, offset."""
    rng = np.random.default_rng(seed)
    t = np.stack([rng.permutation(np.arange(n) % 2) for _ in range(trials)]).astype(float)
    x = np.log1p(rng.poisson(1.5, t.shape)) if levels else rng.normal(size=t.shape)
    offset = np.zeros(t.shape) if levels else np.log(rng.uniform(0.3, 1, t.shape))
    mu = mean * np.exp(0.4 * x - 0.5 * t + offset)
    heterogeneity = rng.gamma(1 / dispersion, dispersion, t.shape) if dispersion else np.ones(t.shape)
    return [rng.poisson(mu * heterogeneity).astype(float), t, x, offset]


def names_of(results: FitResults) -> set[str]:
    return {STATUSES[code] for code in results.status}


def assert_same(one: FitResults, other: FitResults, near: float = _NEAR) -> None:
    np.testing.assert_array_equal(one.status, other.status)
    for field in fields(FitResults):
        if field.name not in ("status", "theta"):
            here, there = getattr(one, field.name), getattr(other, field.name)
            np.testing.assert_allclose(here, there, rtol=near, atol=near, err_msg=field.name)
    # Where it is large the likelihood hardly depends on theta: both forms know fewer of its digits there.
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(1 / one.theta, 1 / other.theta, rtol=1e-6, atol=near)


@pytest.mark.parametrize("levels", [True, False])
@pytest.mark.parametrize(
    ("n", "mean", "dispersion"),
    [(144, 2.0, 1.6), (100, 2.0, 0.0), (40, 1.0, 0.5), (24, 0.15, 1.0), (60, 30.0, 3.0)],
)
def test_double_reference(n: int, mean: float, dispersion: float, levels: bool) -> None:
    y, t, x, offset = draw(1, 70, n, mean, dispersion, levels)
    assert_same(fit_many(y, t, x, offset), fit_reference(y, t, x, offset))
    assert_same(fit_many(y, t), fit_reference(y, t))


def test_double_one_dataset() -> None:
    y, t, x, offset = draw(2, 120, 60, 1.2, 0.6)
    batch = fit_many(y, t, x, offset)
    assert {"fitted", "poisson"} <= names_of(batch)
    for trial in range(len(y)):
        columns = np.column_stack([np.ones(60), t[trial], x[trial]])
        one = fit_negative_binomial(y[trial], columns, offset[trial], ("1", "t", "x"))
        null = fit_negative_binomial(y[trial], columns[:, [0, 2]], offset[trial], ("1", "x"))
        assert one.log_likelihood is not None
        assert null.log_likelihood is not None
        assert one.status == STATUSES[batch.status[trial]]
        beta, covariance = one.coefficients.values, one.coefficients.covariance
        found = [batch.intercept[trial], batch.log_ratio[trial], batch.slope[trial]]
        np.testing.assert_allclose(found, beta, rtol=0, atol=_NEAR)
        assert batch.standard_error[trial] == pytest.approx(covariance[1, 1] ** 0.5, rel=_NEAR)
        assert batch.log_likelihood[trial] == pytest.approx(one.log_likelihood, rel=1e-12)
        assert batch.wald_z[trial] == pytest.approx(beta[1] / covariance[1, 1] ** 0.5, rel=_NEAR, abs=_NEAR)
        ratio = max(0.0, 2 * (one.log_likelihood - null.log_likelihood))
        assert batch.likelihood_ratio[trial] == pytest.approx(ratio, abs=_NEAR)
        assert likelihood_ratio_p(one, null) is not None
        if one.theta is not None and one.theta < 1000:
            assert batch.theta[trial] == pytest.approx(one.theta, rel=1e-7)


def test_double_statsmodels() -> None:
    from statsmodels.discrete.discrete_model import NegativeBinomial

    y, t, x, _ = draw(3, 3, 144, 2.0, 1.6)
    batch = fit_many(y, t, x)
    for trial in range(3):
        columns = np.column_stack([np.ones(144), t[trial], x[trial]])
        other = NegativeBinomial(y[trial], columns).fit(method="bfgs", disp=0, maxiter=500, gtol=1e-7)
        assert batch.log_ratio[trial] == pytest.approx(other.params[1], abs=1e-5)
        assert batch.theta[trial] == pytest.approx(1 / other.params[3], rel=1e-4)
        assert batch.log_likelihood[trial] == pytest.approx(other.llf, abs=1e-7)


def test_degenerate_trials_among_others_have_their_status_and_change_nobody() -> None:
    y, t, x, _ = draw(4, 40, 60, 2.0, 1.0)
    before = fit_many(y, t, x)
    y[3] = 0
    y[7, t[7] == 1] = 0
    y[8, t[8] == 0] = 0
    x[11] = 2.0
    # The covariate tells events from none, in both arms at the same end.
    x[13] = np.minimum(x[13], 1.0)
    x[13, :6] = 3.0
    t[13, :6] = [0, 1, 0, 1, 0, 1]
    y[13, 6:] = 0
    y[13, :6] = [1, 2, 3, 1, 9, 2]
    after = fit_many(y, t, x)
    expected = {3: "no_events", 7: "no_events_arm", 8: "no_events_arm", 11: "rank", 13: "separated"}
    for trial, status in expected.items():
        assert STATUSES[after.status[trial]] == status
    assert_same(after, fit_reference(y, t, x))
    others = [trial for trial in range(40) if trial not in expected]
    for field in fields(FitResults):
        np.testing.assert_array_equal(getattr(after, field.name)[others], getattr(before, field.name)[others])
    assert after.log_ratio[7] == -np.inf
    assert after.log_ratio[8] == np.inf
    assert (after.wald_z[[3, 7, 8]] == 0).all()
    assert after.score_z[7] < -2 < 2 < after.score_z[8]
    assert after.likelihood_ratio[3] == 0
    assert (after.likelihood_ratio[[7, 8]] > 10).all()


def test_tiny_trials_end_as_the_reference_says() -> None:
    y, t, x, offset = draw(5, 600, 8, 1.0, 2.0, levels=False)
    batch, plain = fit_many(y, t, x, offset), fit_reference(y, t, x, offset)
    assert {"fitted", "poisson", "no_events_arm", "no_events", "separated"} <= names_of(batch)
    # Of eight participants some have a likelihood with two summits, or a slope that all but runs away.
    settled = batch.status == plain.status
    assert settled.mean() > 0.995
    same = np.isclose(batch.log_likelihood, plain.log_likelihood, atol=1e-7, equal_nan=True)
    assert same[settled].mean() > 0.995
