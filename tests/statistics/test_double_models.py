"""Linear, logistic and hazard models programmed twice: here and in statsmodels or scipy."""

import warnings

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.duration.survfunc import SurvfuncRight, survdiff

from equipoise.statistics.binary import fisher_exact_p, fit_logistic
from equipoise.statistics.continuous import (
    crossover_difference,
    fit_ancova,
    fit_repeated_measures,
    paired_t,
    rank_sum,
    signed_rank,
)
from equipoise.statistics.survival import fit_cox, kaplan_meier, log_rank_p

RNG = np.random.default_rng(20)
N = 60
ARM = np.arange(N) % 2
COVARIATE = RNG.normal(size=N)
X = np.column_stack([np.ones(N), ARM, COVARIATE])
NAMES = ("intercept", "arm", "covariate")


def test_ancova_against_statsmodels() -> None:
    y = 1 + ARM + 2 * COVARIATE + RNG.normal(size=N)
    fit, other = fit_ancova(y, X, NAMES), sm.OLS(y, X).fit()
    arm = fit.coefficients.contrast("arm")
    assert arm is not None and fit.coefficients.df == N - 3
    assert fit.coefficients.values == pytest.approx(other.params)
    assert (arm.low, arm.high) == pytest.approx(other.conf_int()[1])
    assert arm.p == pytest.approx(other.pvalues[1])
    assert fit.joint_p(("arm", "covariate")) == pytest.approx(
        float(other.f_test(np.eye(3)[1:]).pvalue), rel=1e-6
    )


def long_form(seed: int, missing: bool) -> tuple[np.ndarray, np.ndarray, list[str], list[int], np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(40, 1)) + rng.normal(size=(40, 3)) * [1.0, 1.3, 1.6]
    arm = np.arange(40) % 2
    keep = rng.random((40, 3)) < 0.85 if missing else np.ones((40, 3), dtype=bool)
    rows = [(s, v) for s in range(40) for v in range(3) if keep[s, v]]
    design = np.array(
        [[float(v == w and (a == 0 or arm[s])) for a in (0, 1) for w in range(3)] for s, v in rows]
    )
    return np.array([y[r] for r in rows]), design, [str(s) for s, _ in rows], [v for _, v in rows], y


VISITS = tuple(f"{kind}{visit}" for kind in ("visit", "arm") for visit in range(3))


def test_unstructured_covariance_of_complete_data_is_the_pooled_covariance_of_the_arms() -> None:
    y, design, subjects, visits, table = long_form(4, missing=False)
    fit = fit_repeated_measures(y, design, VISITS, subjects, visits, 38)
    first, second = table[0::2], table[1::2]
    pooled = (np.cov(first.T) + np.cov(second.T)) / 2
    assert fit.structure == "unstructured" and fit.within is not None
    assert fit.within == pytest.approx(pooled, rel=2e-3, abs=2e-3)
    last = fit.coefficients.contrast("arm2")
    assert last is not None
    assert last.estimate == pytest.approx(float(second[:, 2].mean() - first[:, 2].mean()))
    assert last.se == pytest.approx((pooled[2, 2] * 2 / 20) ** 0.5, rel=2e-3)


def test_exchangeable_covariance_against_a_random_intercept() -> None:
    y, design, subjects, visits, _ = long_form(6, missing=True)
    from equipoise.statistics import continuous

    blocks = continuous._by_pattern(y, design, subjects, visits)
    found = continuous._restricted(blocks, "exchangeable", 3, float(np.std(y)))
    assert found is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = sm.MixedLM(y, design, groups=subjects).fit(reml=True)
    assert -found[0] == pytest.approx(other.llf, abs=1e-3)
    assert found[2] == pytest.approx(np.asarray(other.fe_params), abs=1e-3)
    assert np.diag(found[3]) ** 0.5 == pytest.approx(np.asarray(other.bse_fe), rel=1e-2)


def test_repeated_measures_of_very_few_fall_back_or_say_so() -> None:
    y, design, subjects, visits, _ = long_form(8, missing=False)
    few = fit_repeated_measures(y[:9], design[:9], VISITS, subjects[:9], visits[:9], 1)
    assert few.status == "fitted" and few.structure == "exchangeable"
    assert fit_repeated_measures(y[:3], design[:3], VISITS, subjects[:3], visits[:3], -1).status == "too_few"


def test_crossover_is_half_the_t_test_of_the_differences() -> None:
    a, b = RNG.normal(1, 1, 12), RNG.normal(0, 1, 9)
    found, other = crossover_difference(a, b).contrast, stats.ttest_ind(a, b)
    assert found is not None
    assert found.p == pytest.approx(other.pvalue)
    assert found.estimate == pytest.approx((a.mean() - b.mean()) / 2)
    interval = other.confidence_interval()
    assert (found.low, found.high) == pytest.approx((interval.low / 2, interval.high / 2))
    assert crossover_difference([1.0], b).contrast is None


def test_paired_t_against_scipy() -> None:
    d = RNG.normal(0.3, 1, 15)
    found, other = paired_t(d), stats.ttest_1samp(d, 0)
    assert found is not None and found.p == pytest.approx(other.pvalue)
    assert paired_t([2.0, 2.0]) is None


def test_rank_tests_against_scipy() -> None:
    d = RNG.normal(0.5, 1, 14)
    found = signed_rank(d)
    assert found.exact and found.p == pytest.approx(stats.wilcoxon(d, method="exact").pvalue)
    assert found.low is not None and found.estimate is not None and found.high is not None
    assert found.low < found.estimate < found.high
    tied = signed_rank([0, 1, 1, 2, -1])
    assert not tied.exact and tied.p is not None
    assert signed_rank([0, 0]).p == 1
    a, b = RNG.normal(size=8), RNG.normal(1, 1, 9)
    assert rank_sum(a, b).p == pytest.approx(stats.mannwhitneyu(a, b, method="exact").pvalue)
    assert rank_sum([], b).p is None


def test_logistic_against_statsmodels() -> None:
    y = (COVARIATE + ARM + RNG.logistic(size=N) > 0.5).astype(float)
    fit, other = fit_logistic(y, X, NAMES), sm.Logit(y, X).fit(disp=0)
    assert fit.status == "fitted"
    assert fit.coefficients.values == pytest.approx(other.params, abs=1e-7)
    assert np.diag(fit.coefficients.covariance) ** 0.5 == pytest.approx(other.bse, rel=1e-6)
    assert fit.log_likelihood == pytest.approx(other.llf)


def test_logistic_separation_and_constant_outcomes_have_a_status() -> None:
    two = [[1.0, float(i % 2)] for i in range(10)]
    apart = fit_logistic([0, 1] * 5, two, ("intercept", "arm"))
    assert apart.status == "separated" and ("arm", 1) in apart.diverging
    quasi = fit_logistic([0, 1, 0, 0, 0, 1, 0, 1, 0, 0], two, ("intercept", "arm"))
    assert quasi.status == "separated"
    assert fit_logistic([0] * 10, two, ("intercept", "arm")).status == "no_variation"
    assert fit_logistic([], np.zeros((0, 2)), ("intercept", "arm")).status == "no_data"


def test_fisher_against_scipy() -> None:
    for table in ((3, 10, 8, 11), (0, 5, 4, 6), (7, 7, 0, 7)):
        a, n, b, m = table
        assert fisher_exact_p(a, n, b, m) == pytest.approx(
            stats.fisher_exact([[a, n - a], [b, m - b]]).pvalue
        )


TIMES = np.ceil(RNG.exponential(20 + 10 * ARM)) + 1
EVENTS = RNG.random(N) < 0.7


def test_cox_against_statsmodels() -> None:
    fit = fit_cox(TIMES, EVENTS, X[:, 1:], NAMES[1:])
    other = PHReg(TIMES, X[:, 1:], status=EVENTS, ties="efron").fit()
    assert fit.status == "fitted"
    assert fit.coefficients.values == pytest.approx(other.params, abs=1e-6)
    assert np.diag(fit.coefficients.covariance) ** 0.5 == pytest.approx(other.bse, rel=1e-5)
    assert fit.log_likelihood == pytest.approx(other.llf)


def test_cox_without_an_event_in_an_arm_has_a_status() -> None:
    assert fit_cox(TIMES, EVENTS & (ARM == 1), X[:, 1:2], ("arm",)).status == "separated"
    assert fit_cox(TIMES, EVENTS & False, X[:, 1:2], ("arm",)).status == "no_events"
    assert fit_cox([], [], np.zeros((0, 1)), ("arm",)).status == "no_data"


def test_kaplan_meier_and_log_rank_against_statsmodels() -> None:
    curve, other = kaplan_meier(TIMES, EVENTS), SurvfuncRight(TIMES, EVENTS)
    assert curve.times == pytest.approx(other.surv_times)
    assert curve.survival == pytest.approx(other.surv_prob)
    assert curve.median == pytest.approx(other.quantile(0.5))
    low, high = other.quantile_ci(0.5, method="cloglog")
    assert (curve.median_low, curve.median_high) == pytest.approx((low, high))
    assert log_rank_p(TIMES, EVENTS, [str(a) for a in ARM]) == pytest.approx(survdiff(TIMES, EVENTS, ARM)[1])
    assert log_rank_p(TIMES, EVENTS, ["a"] * N) is None
