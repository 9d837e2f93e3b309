"""Crossover models programmed twice: here and in R, statsmodels, scipy or closed forms."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from equipoise.statistics.batch.crossover import fit_crossovers
from equipoise.statistics.continuous import fit_ancova
from equipoise.statistics.crossover import (
    CrossoverFit,
    crossover_design,
    fit_conditional_counts,
    fit_crossover_counts,
    fit_crossover_means,
)
from equipoise.statistics.quadrature import MarginalLikelihood, as_panel, climb, polish

RSCRIPT = shutil.which("Rscript")
NAMES = ("intercept", "period", "treatment", "sequence")

_GLMMTMB = """
suppressMessages(library(glmmTMB))
d <- read.csv(file("stdin"))
f <- glmmTMB(y ~ period + treatment + sequence + offset(o) + (1 | id), data = d, family = nbinom2)
cat(sprintf("%.10f", c(logLik(f), f$fit$par, sqrt(diag(vcov(f, full = TRUE))))), sep = "\\n")
"""
_GLMER = """
suppressMessages(library(lme4))
d <- read.csv(file("stdin"))
f <- glmer(y ~ period + treatment + sequence + offset(o) + (1 | id), data = d, family = poisson, nAGQ = 15,
           control = glmerControl(tolPwrss = 1e-12))
cat(sprintf("%.10f", c(fixef(f), f@theta, sqrt(diag(vcov(f))))), sep = "\\n")
"""


@cache
def has_package(package: str) -> bool:
    program = f'quit(status = !nzchar(system.file(package = "{package}")))'
    return (
        RSCRIPT is not None
        and subprocess.run([RSCRIPT, "--vanilla", "-e", program], check=False).returncode == 0
    )


def run_r(package: str, program: str, given: str) -> list[float]:
    if RSCRIPT is None or not has_package(package):
        pytest.skip(f"R with {package} is not on this machine")
    done = subprocess.run(
        [RSCRIPT, "--vanilla", "-e", program], input=given, capture_output=True, text=True, check=True
    )
    return [float(line) for line in done.stdout.split()]


def a_trial(
    seed: int, patients: int, sigma: float, theta: float | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Counts, design, patient and offset of a two-period crossover."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), 2)
    period, sequence = np.tile([0, 1], patients), patient % 2
    X = np.column_stack([np.ones(2 * patients), period, period == sequence, sequence]).astype(float)
    offset = np.log(rng.integers(2, 4, 2 * patients))
    mu = np.exp(X @ [-0.2, 0.1, -0.4, 0.1] + offset + sigma * rng.normal(size=patients)[patient])
    gamma = 1.0 if theta is None else rng.gamma(theta, 1 / theta, 2 * patients)
    return rng.poisson(mu * gamma), X, patient, offset


def as_csv(y: np.ndarray, X: np.ndarray, patient: np.ndarray, offset: np.ndarray) -> str:
    lines = [",".join(["y", *NAMES, "id", "o"])]
    for count, row, who, shift in zip(y, X, patient, offset, strict=True):
        lines.append(",".join(map(repr, [int(count), *row.tolist(), int(who), float(shift)])))
    return "\n".join(lines) + "\n"


def errors(fit: CrossoverFit) -> np.ndarray:
    return np.sqrt(np.diag(fit.parameters.covariance))


def test_one_node_against_glmmtmb() -> None:
    y, X, patient, offset = a_trial(1, 72, 0.8, 1.5)
    fit = fit_crossover_counts(y, X, patient, offset, NAMES, nodes=1)
    assert fit.status == "fitted" and fit.log_likelihood is not None
    # Here the second sequence is the one that begins with the reference.
    batch = fit_crossovers(
        y.reshape(1, -1, 2), 1 - X[::2, 3], offset.reshape(1, -1, 2), carry_over=True, nodes=1, tests="wald"
    )
    value, *rest = run_r("glmmTMB", _GLMMTMB, as_csv(y, X, patient, offset))
    # R holds log theta and log sigma behind the coefficients, as `parameters` does.
    assert fit.log_likelihood == pytest.approx(value, rel=1e-8)
    assert fit.parameters.values == pytest.approx(rest[:6], rel=1e-4, abs=1e-4)
    assert errors(fit) == pytest.approx(rest[6:], rel=1e-3)
    found = [batch.period, batch.log_ratio, -batch.carry_over, np.log(batch.theta), np.log(batch.sigma)]
    assert np.ravel(found) == pytest.approx(rest[1:6], rel=1e-4, abs=1e-4)
    assert batch.log_likelihood[0] == pytest.approx(value, rel=1e-8)
    its_errors = [batch.period_error, batch.standard_error, batch.carry_over_error]
    assert np.ravel(its_errors) == pytest.approx(rest[7:10], rel=1e-3)


def test_fifteen_nodes_without_over_dispersion_against_glmer() -> None:
    y, X, patient, offset = a_trial(5, 60, 0.8, None)
    fit = fit_crossover_counts(y, X, patient, offset, NAMES)
    assert fit.status == "poisson" and fit.theta is None
    found = run_r("lme4", _GLMER, as_csv(y, X, patient, offset))
    assert [*fit.coefficients.values, fit.sigma] == pytest.approx(found[:5], rel=2e-4, abs=2e-4)
    assert errors(fit)[:4] == pytest.approx(found[5:], rel=5e-3)


@pytest.mark.parametrize("theta", [0.7, None])
def test_the_likelihood_is_that_of_a_fine_sum_over_the_intercepts(theta: float | None) -> None:
    y, X, patient, offset = a_trial(5, 12, 1.2, 0.7)
    beta, sigma = np.array([0.1, 0.2, -0.3, 0.1]), 1.2
    u = np.linspace(-9, 9, 4001)
    mu = np.exp((X @ beta + offset)[:, None] + sigma * u)
    if theta is None:
        logs = stats.poisson.logpmf(y[:, None], mu)
    else:
        logs = stats.nbinom.logpmf(y[:, None], theta, theta / (theta + mu))
    joint = logs.reshape(12, 2, -1).sum(axis=1) + stats.norm.logpdf(u)
    expected = np.log(np.trapezoid(np.exp(joint), u, axis=1)).sum()
    at = np.concatenate([beta, [] if theta is None else [np.log(theta)], [sigma]])
    panel = as_panel(y.astype(float), X, offset, patient)
    assert MarginalLikelihood(panel, 60, theta is not None)(at)[0] == pytest.approx(expected, abs=1e-7)
    assert MarginalLikelihood(panel, 15, theta is not None)(at)[0] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("counts", [[9000.0, 8500.0], [0.0, 0.0], [0.0, 60000.0]])
def test_a_patient_far_from_the_others_is_found(counts: list[float]) -> None:
    panel = as_panel(np.array(counts), np.ones((2, 1)), np.zeros(2), ["a", "a"])
    value, _ = MarginalLikelihood(panel, 15, over_dispersed=False)(np.array([4.0, 2.5]))
    u = np.linspace(-12, 12, 200_001)
    logs = stats.poisson.logpmf(np.array(counts)[:, None], np.exp(4 + 2.5 * u)).sum(axis=0)
    logs += stats.norm.logpdf(u)
    expected = logs.max() + np.log(np.trapezoid(np.exp(logs - logs.max()), u))
    assert value == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("over_dispersed", [True, False])
@pytest.mark.parametrize("nodes", [1, 2, 15])
def test_the_gradient_is_that_of_the_approximation(nodes: int, over_dispersed: bool) -> None:
    y, X, patient, offset = a_trial(6, 20, 0.8, 1.0)
    keep = np.arange(40) != 7
    panel = as_panel(y[keep].astype(float), X[keep], offset[keep], patient[keep])
    likelihood = MarginalLikelihood(panel, nodes, over_dispersed)
    for sigma in (0.9, -0.6, 0.0):
        at = np.array([0.1, 0.2, -0.3, 0.1, *([0.4] if over_dispersed else []), sigma])
        slope = likelihood(at)[1].sum(axis=0)
        steps = 1e-5 * np.eye(len(at))
        numeric = [(likelihood(at + step)[0] - likelihood(at - step)[0]) / 2e-5 for step in steps]
        assert slope == pytest.approx(numeric, rel=1e-6, abs=1e-5)


def test_the_maximum_is_a_maximum() -> None:
    y, X, patient, offset = a_trial(7, 40, 0.8, 1.5)
    likelihood = MarginalLikelihood(as_panel(y.astype(float), X, offset, patient), 15, True)
    top = polish(likelihood, climb(likelihood, np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.5])))
    assert top is not None and top.information is not None
    assert np.abs(likelihood(top.at)[1].sum(axis=0)).max() < 1e-6
    assert np.linalg.eigvalsh(top.information).min() > 0


def test_conditional_estimates_are_those_of_poisson_regression_with_an_effect_for_each_patient() -> None:
    y, X, patient, offset = a_trial(8, 40, 0.8, 1.5)
    fit = fit_conditional_counts(y, X, patient, offset, NAMES)
    assert fit.coefficients.names == ("period", "treatment") and fit.aliased == ("intercept", "sequence")
    events = np.bincount(patient, weights=y)[patient] > 0
    effects = np.eye(40)[patient][events]
    design = np.hstack([X[events, 1:3], effects[:, effects.any(axis=0)]])
    other = sm.GLM(y[events], design, family=sm.families.Poisson(), offset=offset[events]).fit(tol=1e-12)
    assert fit.coefficients.values == pytest.approx(other.params[:2], abs=1e-7)
    assert np.sqrt(np.diag(fit.coefficients.covariance)) == pytest.approx(other.bse[:2], rel=1e-6)


def test_conditional_sandwich_is_that_of_a_logistic_regression_of_totals() -> None:
    y, X, patient, offset = a_trial(9, 40, 0.8, 1.5)
    fit = fit_conditional_counts(y, X, patient, offset, NAMES)
    pairs = np.column_stack([y[1::2], y[0::2]])
    told = pairs.sum(axis=1) > 0
    assert fit.informative == told.sum() < 40
    other = sm.GLM(
        pairs[told],
        (X[1::2] - X[0::2])[told][:, 1:3],
        family=sm.families.Binomial(),
        offset=(offset[1::2] - offset[0::2])[told],
    ).fit(cov_type="HC0")
    assert fit.robust is not None and fit.dispersion is not None
    assert fit.robust.values == pytest.approx(other.params, abs=1e-8)
    m = fit.informative
    assert np.diag(fit.robust.covariance) == pytest.approx(other.bse**2 * m / (m - 2), rel=1e-6)
    assert fit.dispersion == pytest.approx(other.pearson_chi2 / other.df_resid, rel=1e-8)
    assert fit.log_likelihood == pytest.approx(other.llf, rel=1e-8)


def test_conditional_effect_of_two_periods_in_closed_form() -> None:
    y, X, patient, _ = a_trial(10, 40, 0.8, 1.5)
    fit = fit_conditional_counts(y, X, patient, None, NAMES)
    sums = {(s, p): y[(X[:, 3] == s) & (X[:, 1] == p)].sum() for s in (0, 1) for p in (0, 1)}
    odds = [np.log(sums[s, 1] / sums[s, 0]) for s in (0, 1)]
    # Sequence 0 is treated in period 0, sequence 1 in period 1.
    assert fit.coefficients.values == pytest.approx([(odds[0] + odds[1]) / 2, (odds[1] - odds[0]) / 2])


def test_means_are_those_of_least_squares_with_an_effect_for_each_patient() -> None:
    rng = np.random.default_rng(11)
    first, second = rng.normal([0.5, 0.0], size=(7, 2)), rng.normal([0.0, 0.5], size=(5, 2))
    found = fit_crossover_means(first, second, 0.9)
    sequence = ["AB"] * 14 + ["BA"] * 10
    period = ["1", "2"] * 12
    treatment = ["A", "B"] * 7 + ["B", "A"] * 5
    X, names = crossover_design(sequence, period, treatment)
    patients = np.repeat(np.eye(12), 2, axis=0)
    labels = tuple(f"patient {number}" for number in range(12))
    y = np.concatenate([first.ravel(), second.ravel()])
    fit = fit_ancova(y, np.hstack([patients, X[:, 1:]]), (*labels, *names[1:]))
    effect, period_effect = (
        fit.coefficients.contrast({"treatment B": -1.0}, 0.9),
        fit.coefficients.contrast("period 2", 0.9),
    )
    assert effect is not None and found.treatment.contrast is not None
    assert period_effect is not None and found.period.contrast is not None
    for name in ("estimate", "se", "low", "high", "p", "df"):
        assert getattr(found.treatment.contrast, name) == pytest.approx(getattr(effect, name))
        assert getattr(found.period.contrast, name) == pytest.approx(getattr(period_effect, name))
    carried = stats.ttest_ind(first.sum(axis=1), second.sum(axis=1))
    assert found.carry_over.contrast is not None
    assert found.carry_over.contrast.p == pytest.approx(carried.pvalue)
