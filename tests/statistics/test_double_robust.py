"""The robust variance against statsmodels' sandwich, which lacks the correction n / (n - p)."""

from __future__ import annotations

import numpy as np
import statsmodels.api as sm

from equipoise.statistics.counts import fit_negative_binomial, fit_poisson


def simulated(seed: int, dispersion: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n = 120
    X = np.column_stack([np.ones(n), rng.integers(0, 2, n), rng.normal(size=n)])
    offset = np.log(rng.integers(1, 4, n))
    mean = np.exp(X @ [0.5, -0.3, 0.4] + offset)
    frailty = rng.gamma(1 / dispersion, dispersion, n) if dispersion else np.ones(n)
    return rng.poisson(mean * frailty), X, offset


def test_double_robust_variance_of_the_negative_binomial_model() -> None:
    y, X, offset = simulated(1, 1.2)
    fit = fit_negative_binomial(y, X, offset, ("intercept", "arm", "baseline"))
    assert fit.theta is not None and fit.robust is not None
    model = sm.GLM(y, X, family=sm.families.NegativeBinomial(alpha=1 / fit.theta), offset=offset)
    double = model.fit(tol=1e-12)
    assert np.allclose(fit.robust.values, double.params, atol=1e-6)
    # Its own sandwich takes the observed information, ours the expected one, as R's sandwich does.
    scores = X * model.score_factor(double.params)[:, None]
    bread = np.linalg.inv(X.T @ (X * model.hessian_factor(double.params, observed=False)[:, None]))
    expected = bread @ (scores.T @ scores) @ bread * 120 / 117
    assert np.allclose(fit.robust.covariance, expected, rtol=1e-4, atol=1e-8)


def test_double_robust_variance_of_the_poisson_model() -> None:
    y, X, offset = simulated(2, 0.0)
    fit = fit_poisson(y, X, offset, ("intercept", "arm", "baseline"))
    assert fit.robust is not None
    double = sm.GLM(y, X, family=sm.families.Poisson(), offset=offset).fit(cov_type="HC0", tol=1e-12)
    assert np.allclose(fit.robust.covariance, double.cov_params() * 120 / 117, rtol=1e-5)


def test_as_many_columns_as_rows_leave_no_robust_variance() -> None:
    fit = fit_poisson([2, 5], [[1.0, 0.0], [1.0, 1.0]], names=("intercept", "arm"))
    assert fit.robust is None
