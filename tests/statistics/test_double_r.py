"""The count model against R's MASS::glm.nb, where R is on the machine (`.ci/run` installs it)."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import nbinom, poisson

from equipoise.statistics.counts import fit_negative_binomial
from tests.statistics.quine import read_quine

RSCRIPT = shutil.which("Rscript")

pytestmark = pytest.mark.skipif(RSCRIPT is None, reason="R with MASS is not on this machine")

DATASETS = 2000
NAMES = ("intercept", "arm", "baseline", "site")

# For each dataset on standard input: how many rows, then rows of y, exposure, weight, arm, baseline, site.
# For each one line: 2 where R found a maximum, 1 where it warned, 0 where it failed; then theta, estimates,
# standard errors.
_FITS = """
suppressMessages(library(MASS))
given <- scan(file("stdin"), quiet = TRUE)
control <- glm.control(epsilon = 1e-11, maxit = 25)
fit <- function(d) {
  names(d) <- c("y", "exposure", "w", "arm", "baseline", "site")
  warned <- FALSE
  f <- tryCatch(
    withCallingHandlers(
      glm.nb(y ~ arm + baseline + site + offset(log(exposure)), data = d, weights = w, control = control),
      warning = function(x) { warned <<- TRUE; invokeRestart("muffleWarning") }
    ),
    error = function(x) NULL
  )
  if (is.null(f)) return("0")
  s <- summary(f)$coefficients
  settled <- !warned && f$converged && is.null(f$th.warn)
  paste(sprintf("%.15g", c(if (settled) 2 else 1, f$theta, s[, 1], s[, 2])), collapse = " ")
}
sets <- list()
at <- 1
while (at < length(given)) {
  n <- given[at]
  sets[[length(sets) + 1]] <- as.data.frame(matrix(given[(at + 1):(at + 6 * n)], n, byrow = TRUE))
  at <- at + 6 * n + 1
}
cat(unlist(parallel::mclapply(sets, fit, mc.cores = 2)), sep = "\\n")
"""
_QUINE = """
suppressMessages(library(MASS))
cat(with(quine, paste(Eth, Sex, Age, Lrn, Days)), sep = "\\n")
"""


def run_r(program: str, given: str = "") -> list[str]:
    assert RSCRIPT is not None
    done = subprocess.run(
        [RSCRIPT, "--vanilla", "-e", program], input=given, capture_output=True, text=True, check=True
    )
    return done.stdout.split("\n")[:-1]


@dataclass(frozen=True, slots=True)
class Dataset:
    y: np.ndarray
    X: np.ndarray
    exposure: np.ndarray
    weights: np.ndarray

    def lines(self) -> str:
        table = np.column_stack([self.y, self.exposure, self.weights, self.X[:, 1:]])
        return "\n".join([str(len(self.y)), *(" ".join(map(repr, row)) for row in table.tolist())])


def draw(seed: int) -> Dataset:
    """A trial of 30 to 100 participants with a dispersion of 0.25 to 4; every third one has weights."""
    rng = np.random.default_rng([2026, seed])
    n = int(rng.integers(30, 101))
    baseline = np.round(np.log1p(rng.poisson(1.2, n)), 3)
    X = np.column_stack([np.ones(n), np.arange(n) % 2, baseline, rng.integers(0, 2, n)])
    exposure = rng.integers(1, 4, n)
    dispersion = np.exp(rng.uniform(np.log(0.25), np.log(4)))
    beta = [rng.uniform(-0.5, 1.5), rng.uniform(-0.8, 0.3), 0.4, rng.normal(0, 0.3)]
    mu = np.exp(X @ beta) * exposure
    y = rng.poisson(mu * rng.gamma(1 / dispersion, dispersion, n))
    weights = rng.choice([0.5, 1.0, 2.0], n) if seed % 3 == 0 else np.ones(n)
    return Dataset(y, X, exposure, weights)


def test_double_quine_rows_are_those_of_mass() -> None:
    days, rows = read_quine()
    mine = []
    for count, (_, eth, sex, f1, f2, f3, slow) in zip(days, rows, strict=True):
        age = "F1" if f1 else "F2" if f2 else "F3" if f3 else "F0"
        mine.append(f"{'N' if eth else 'A'} {'M' if sex else 'F'} {age} {'SL' if slow else 'AL'} {count}")
    assert sorted(mine) == sorted(run_r(_QUINE))


def likelihood(data: Dataset, beta: np.ndarray, theta: float) -> float:
    """The log likelihood by scipy's distributions; beyond any use of theta that of the Poisson model."""
    mu = np.exp(data.X @ beta) * data.exposure
    each = poisson.logpmf(data.y, mu) if theta > 1e6 else nbinom.logpmf(data.y, theta, theta / (theta + mu))
    return float(data.weights @ each)


def test_double_glm_nb_has_the_same_estimates_and_expected_information() -> None:
    datasets = [draw(seed) for seed in range(DATASETS)]
    answers = run_r(_FITS, "\n".join(each.lines() for each in datasets) + "\n")
    unsettled = failed = 0
    for data, line in zip(datasets, answers, strict=True):
        fit = fit_negative_binomial(data.y, data.X, np.log(data.exposure), NAMES, data.weights)
        state, *numbers = map(float, line.split())
        assert fit.status in ("fitted", "poisson")
        if state == 0:
            failed += 1
            continue
        theta, beta, errors = numbers[0], np.array(numbers[1:5]), np.array(numbers[5:])
        assert fit.log_likelihood is not None
        assert fit.log_likelihood > likelihood(data, beta, theta) - 1e-7
        if state == 1 or fit.theta is None:
            unsettled += 1
            continue
        assert fit.theta == pytest.approx(theta, rel=1e-6)
        assert fit.coefficients.values == pytest.approx(beta, rel=1e-6, abs=1e-6)
        assert np.diag(fit.coefficients.covariance) ** 0.5 == pytest.approx(errors, rel=1e-6)
    # Of little over-dispersion theta.ml finds no end; and it fails where theta runs away.
    assert unsettled < 0.08 * DATASETS and failed < 0.005 * DATASETS
