"""Count regression programmed twice: here and in statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.statistics.count_tests import likelihood_ratio_test, profile_interval, score_test
from equipoise.statistics.counts import (
    fit_negative_binomial,
    fit_poisson,
    fit_poisson_gee,
    likelihood_ratio_p,
)

NAMES = ("intercept", "arm", "baseline")


def draw(seed: int, n: int = 120, dispersion: float = 1.8) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    baseline = np.log1p(rng.poisson(1.2, n))
    X = np.column_stack([np.ones(n), np.arange(n) % 2, baseline])
    offset = np.log(rng.integers(1, 4, n))
    mu = np.exp(0.1 - 0.3 * X[:, 1] + 0.5 * baseline + offset)
    return rng.poisson(mu * rng.gamma(1 / dispersion, dispersion, n)), X, offset


@pytest.mark.parametrize("seed", range(5))
def test_negative_binomial_against_statsmodels(seed: int) -> None:
    y, X, offset = draw(seed)
    fit = fit_negative_binomial(y, X, offset, NAMES)
    other = sm.NegativeBinomial(y, X, offset=offset).fit(method="bfgs", maxiter=500, gtol=1e-8, disp=0)
    assert fit.status == "fitted" and fit.theta is not None and fit.log_likelihood is not None
    assert fit.coefficients.values == pytest.approx(other.params[:-1], abs=1e-4)
    assert 1 / fit.theta == pytest.approx(other.params[-1], rel=1e-3)
    assert fit.log_likelihood == pytest.approx(other.llf, abs=1e-6)
    assert fit.log_likelihood >= other.llf - 1e-8
    assert np.diag(fit.observed.covariance) ** 0.5 == pytest.approx(other.bse[:-1], rel=1e-3)
    # With theta held fixed, the generalised linear model has the expected information.
    glm = sm.GLM(y, X, offset=offset, family=sm.families.NegativeBinomial(alpha=1 / fit.theta))
    glm = glm.fit(tol=1e-12, maxiter=300, tol_criterion="params")
    assert fit.coefficients.values == pytest.approx(glm.params, abs=1e-6)
    assert np.diag(fit.coefficients.covariance) ** 0.5 == pytest.approx(glm.bse, rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_score_tests_against_statsmodels(seed: int) -> None:
    y, X, offset = draw(seed)
    rest, arm = X[:, [0, 2]], X[:, 1]
    held = fit_negative_binomial(y, rest, offset, ("intercept", "baseline"))
    assert held.theta is not None
    family = sm.families.NegativeBinomial(alpha=1 / held.theta)
    glm = sm.GLM(y, rest, offset=offset, family=family)
    square = glm.score_test(held.coefficients.values, exog_extra=arm, observed=False)[0]
    found = score_test(y, X, offset, NAMES, "arm").statistic
    assert found is not None and found**2 == pytest.approx(float(square.item()), rel=1e-7)
    # With theta profiled out: the slope and curvature of the joint likelihood, which has alpha = 1 / theta.
    joint = sm.NegativeBinomial(y, np.column_stack([rest, arm]), offset=offset)
    joint._transparams = False  # its last parameter is alpha, not its logarithm
    at = np.array([*held.coefficients.values, 0.0, 1 / held.theta])
    slope = joint.score(at)
    square = slope @ np.linalg.solve(-joint.hessian(at), slope)
    found = score_test(y, X, offset, NAMES, "arm", information="observed").statistic
    assert found is not None and found**2 == pytest.approx(square, rel=1e-5)


@pytest.mark.parametrize("seed", range(2))
def test_likelihood_ratio_and_profile_against_statsmodels(seed: int) -> None:
    y, X, offset = draw(seed)

    def top(columns: list[int], shift: np.ndarray) -> float:
        model = sm.NegativeBinomial(y, X[:, columns], offset=shift)
        return float(model.fit(method="bfgs", maxiter=500, gtol=1e-8, disp=0).llf)

    full = top([0, 1, 2], offset)
    found = likelihood_ratio_test(y, X, offset, NAMES, "arm").statistic
    assert found is not None and found**2 == pytest.approx(2 * (full - top([0, 2], offset)), abs=1e-5)
    interval = profile_interval(y, X, offset, NAMES, "arm")
    assert interval.low is not None and interval.high is not None
    for end in (interval.low, interval.high):
        # The 95 per cent quantile of chi-square on 1 degree of freedom.
        assert 2 * (full - top([0, 2], offset + end * X[:, 1])) == pytest.approx(3.841459, abs=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_poisson_and_its_sandwich_against_statsmodels(seed: int) -> None:
    y, X, offset = draw(seed)
    clusters = [str(row // 2) for row in range(len(y))]
    plain = fit_poisson(y, X, offset, NAMES)
    glm = sm.GLM(y, X, offset=offset, family=sm.families.Poisson()).fit()
    assert plain.coefficients.values == pytest.approx(glm.params, abs=1e-7)
    assert plain.log_likelihood == pytest.approx(glm.llf)
    robust = fit_poisson_gee(y, X, offset, NAMES, clusters)
    gee = sm.GEE(y, X, groups=clusters, offset=offset, family=sm.families.Poisson()).fit()
    groups = len(set(clusters))
    factor = (groups / (groups - 1)) ** 0.5
    assert np.diag(robust.coefficients.covariance) ** 0.5 == pytest.approx(gee.bse * factor, rel=1e-5)


def test_counts_without_over_dispersion_are_fitted_as_poisson_and_said_so() -> None:
    y = [1, 2, 1, 2, 1, 2, 2, 1]
    fit = fit_negative_binomial(y, np.ones((8, 1)), names=("intercept",))
    assert (fit.status, fit.theta) == ("poisson", None)
    assert fit.coefficients.values == pytest.approx([np.log(1.5)])


def test_an_arm_of_zeros_has_a_direction_and_a_bound_instead_of_an_estimate() -> None:
    X = np.column_stack([np.ones(20), np.repeat([0.0, 1.0], 10)])
    y = [3, 0, 1, 7, 2, 0, 0, 4, 1, 2, *[0] * 10]
    fit = fit_negative_binomial(y, X, names=("intercept", "arm"))
    assert fit.status == "separated" and fit.usable
    assert fit.diverging == (("arm", -1),)
    assert fit.coefficients.contrast("arm") is None
    interval = profile_interval(y, X, None, ("intercept", "arm"), "arm")
    assert (interval.status, interval.direction, interval.low) == ("separated", -1, None)
    assert interval.estimate is None and interval.high is not None and -4 < interval.high < -1
    p = likelihood_ratio_p(fit, fit_negative_binomial(y, np.ones((20, 1)), names=("intercept",)))
    assert p is not None and p < 0.01
    # The other way round: the same bound, with the other sign.
    X[:, 1] = 1 - X[:, 1]
    turned = fit_negative_binomial(y, X, names=("intercept", "arm"))
    assert turned.diverging == (("arm", 1),)
    mirrored = profile_interval(y, X, None, ("intercept", "arm"), "arm")
    assert mirrored.high is None and mirrored.low == pytest.approx(-interval.high, abs=1e-6)


def test_a_country_of_zeros_leaves_the_arm_and_theta_as_without_it() -> None:
    y, X, offset = draw(1)
    country = np.arange(120) < 10
    y[country] = 0
    wide = np.column_stack([X, country])
    names = (*NAMES, "country")
    with_it = fit_negative_binomial(y, wide, offset, names)
    without = fit_negative_binomial(y[10:], X[10:], offset[10:], NAMES)
    assert with_it.status == "separated" and with_it.diverging == (("country", -1),)
    assert with_it.theta == pytest.approx(without.theta)
    assert with_it.coefficients.contrast("arm") == without.coefficients.contrast("arm")


def test_aliased_columns_are_named_and_dropped() -> None:
    y, X, offset = draw(2)
    fit = fit_negative_binomial(y, np.column_stack([X, 1 - X[:, 1]]), offset, (*NAMES, "other_arm"))
    assert fit.aliased == ("other_arm",)
    assert fit.coefficients.names == NAMES


@pytest.mark.parametrize(("y", "status"), [([0, 0, 0, 0], "no_events"), ([], "no_data"), ([5, 1], "poisson")])
def test_little_data_have_a_status(y: list[int], status: str) -> None:
    X = np.column_stack([np.ones(len(y)), np.arange(len(y)) % 2])
    assert fit_negative_binomial(y, X, names=("intercept", "arm")).status == status


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.booleans(), st.integers(0, 2)), min_size=1, max_size=25),
    st.booleans(),
)
def test_no_data_raise_or_give_nan(rows: list[tuple[int, bool, int]], over_dispersed: bool) -> None:
    y = [row[0] for row in rows]
    X = [[1.0, float(arm), float(level == 1), float(level == 2)] for _, arm, level in rows]
    fit = (fit_negative_binomial if over_dispersed else fit_poisson)(y, X, None, ("one", "arm", "b", "c"))
    assert np.isfinite(fit.coefficients.values).all() and np.isfinite(fit.coefficients.covariance).all()
    assert np.isfinite(fit.observed.covariance).all()
    if fit.usable:
        assert fit.log_likelihood is not None and np.isfinite(fit.log_likelihood)
        assert (np.diag(fit.coefficients.covariance) > 0).all()
    else:
        assert fit.status in ("no_events", "no_data", "not_converged")
        assert fit.status != "no_events" or not any(y)
