"""Count regressions by the thousand, against R, statsmodels and numpy, and simulated trials end to end."""

from __future__ import annotations

import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from math import log
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from benchmarks.rates import CountingRow, rate, rate_r

_SEED = 1
_PARTICIPANTS = 144
_SITES = 15
_PREPARE = """
suppressMessages(library(MASS))
d <- as.matrix(read.csv(file("stdin"), header = FALSE))
n <- ncol(d) / 4
"""
_GLM_NB = """
fit <- function(y, t, x, s) coef(summary(glm.nb(y ~ t + x)))[2, 1:2]
"""
_GLM_NB_SITES = """
fit <- function(y, t, x, s) coef(summary(glm.nb(y ~ t + x + factor(s))))[2, 1:2]
"""
_LEAN = """
fit <- function(y, t, x, s) {
  X <- cbind(1, t, x); th <- 1
  for (i in 1:25) {
    f <- glm.fit(X, y, family = negative.binomial(th))
    old <- th; th <- as.numeric(theta.ml(y, f$fitted.values, limit = 25))
    if (abs(th - old) < 1e-8 * th) break
  }
  c(f$coefficients[2], th)
}
"""
_TIME = """
part <- function(i, k) d[i, k * n + 1:n]
one <- function(i) suppressWarnings(try(fit(part(i, 0), part(i, 1), part(i, 2), part(i, 3)), silent = TRUE))
one(1)
s <- proc.time()[3]; for (i in 1:nrow(d)) one(i); cat(nrow(d) / (proc.time()[3] - s))
"""


def measure_counting(quick: bool = False) -> list[CountingRow]:
    """Measure fits and simulated trials a second, on one core unless two are named."""
    return [*_measure_fits(quick), *_measure_trials(quick)]


def _measure_fits(quick: bool) -> list[CountingRow]:
    from equipoise.statistics.batch.engine import fit_many
    from equipoise.statistics.batch.reference import fit_reference

    y, t, x, s = _draw(320 if quick else 16_384)
    few = 3 if quick else 150
    ours = rate(lambda: fit_many(y, t, x, tests="wald"), len(y))
    with_sites = rate(lambda: fit_many(y, t, x, tests="wald", sites=s), len(y))
    with_tests = rate(lambda: fit_many(y, t, x), len(y))
    some = slice(0, 32 if quick else 1024)
    plain = rate(lambda: fit_reference(y[some], t[some], x[some]), len(y[some]), repetitions=2)
    lines = np.hstack([y[:few], t[:few], x[:few], s[:few]])
    bare, lean, bare_sites = (
        rate_r(_PREPARE + fit + _TIME, lines) for fit in (_GLM_NB, _LEAN, _GLM_NB_SITES)
    )
    return [
        CountingRow("fits: R glm.nb with summary", ours, bare, ">= 1500"),
        CountingRow(f"fits: R glm.nb with summary, {_SITES} site effects", with_sites, bare_sites, ">= 1000"),
        CountingRow("fits: R's leanest loop (glm.fit, theta.ml)", ours, lean, ""),
        CountingRow("fits: statsmodels", ours, _rate_statsmodels(y, t, x, few), ""),
        CountingRow("fits: batched numpy, three tests", with_tests, plain, ""),
    ]


def _measure_trials(quick: bool) -> list[CountingRow]:
    from equipoise.statistics.batch.engine import CountDesign, baseline_levels, simulate_trials

    levels, weights = baseline_levels(1.7, 1 / 0.6)
    few = CountDesign(
        participants=_PARTICIPANTS,
        rate0=2.84,
        ratio=1.71 / 2.84,
        dispersion=1 / 0.6,
        levels=levels,
        weights=weights,
        slope=0.5,
    )
    many = replace(few, exposure=(0.75, 1.25))
    trials = 320 if quick else 65_536
    one = rate(lambda: simulate_trials(few, trials, _SEED, tests="wald"), trials)
    two = rate(lambda: simulate_trials(few, trials, _SEED, threads=2, tests="wald"), trials)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        half = partial(simulate_trials, few, trials // 2, _SEED, tests="wald")
        apart = rate(lambda: [future.result() for future in [pool.submit(half) for _ in range(2)]], trials)
    whole = rate(lambda: simulate_trials(few, trials, _SEED), trials)
    elsewhere = rate(lambda: simulate_trials(many, trials, _SEED, tests="wald"), trials)
    return [
        CountingRow("trials: few means, by tables", one, None, ">= 150 thousand"),
        CountingRow("trials: a mean for each participant, by inversion", elsewhere, None, ">= 80 thousand"),
        CountingRow("trials: few means, three tests", whole, one, ""),
        CountingRow("trials: two threads against one", two, one, ">= 1.8"),
        CountingRow("trials: two processes against one, the machine's limit", apart, one, ""),
    ]


def _draw(trials: int) -> tuple[NDArray[np.float64], ...]:
    """Counts, treatment, covariate, site: trials of 72 + 72 with means of about 2.84 and 1.71, theta 0.6,
    log(1 + baseline) beside, and each pair of participants at any of the sites.
    """
    rng = np.random.default_rng(_SEED)
    t = np.tile(np.arange(_PARTICIPANTS) % 2, (trials, 1)).astype(float)
    heterogeneity = rng.gamma(0.6, 1 / 0.6, t.shape)
    x = np.log1p(rng.poisson(1.7 * rng.gamma(0.6, 1 / 0.6, t.shape)))
    mean = np.exp(0.5 * x + log(1.71 / 2.84) * t)
    y = rng.poisson(mean * (2.84 / np.exp(0.5 * x).mean()) * heterogeneity).astype(float)
    pairs = rng.integers(0, _SITES, (trials, _PARTICIPANTS // 2)).astype(float)
    return y, t, x, np.repeat(pairs, 2, axis=1)


def _rate_statsmodels(
    y: NDArray[np.float64], t: NDArray[np.float64], x: NDArray[np.float64], trials: int
) -> float:
    from statsmodels.discrete.discrete_model import NegativeBinomial

    def work() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for trial in range(trials):
                columns = np.column_stack([np.ones(_PARTICIPANTS), t[trial], x[trial]])
                NegativeBinomial(y[trial], columns).fit(method="newton", disp=0)

    return rate(work, trials, repetitions=1)
