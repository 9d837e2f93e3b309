"""Crossovers of counts by the thousand, against R's glmmTMB and the fit of one dataset."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.rates import CountingRow, rate, rate_r

_SEED = 1
_PATIENTS = 72
_GLMMTMB = """
suppressMessages(library(glmmTMB))
d <- as.matrix(read.csv(file("stdin"), header = FALSE))
n <- ncol(d) / 3
id <- factor(rep(seq_len(n / 2), each = 2))
one <- function(i) {
  data <- data.frame(y = d[i, 1:n], p = d[i, n + 1:n], t = d[i, 2 * n + 1:n], id = id)
  fit <- try(glmmTMB(y ~ p + t + (1 | id), data = data, family = nbinom2), silent = TRUE)
  summary(fit)
}
suppressWarnings({
  one(1)
  s <- proc.time()[3]; for (i in 1:nrow(d)) one(i); cat(nrow(d) / (proc.time()[3] - s))
})
"""


def measure_crossovers(quick: bool = False) -> list[CountingRow]:
    """Measure fits and simulated trials of 72 patients and two periods a second, on one core."""
    from equipoise.statistics.batch.crossover import CrossoverDesign, fit_crossovers, simulate_crossovers
    from equipoise.statistics.crossover import fit_crossover_counts

    y, first = _draw(64 if quick else 4096)
    ours = rate(lambda: fit_crossovers(y, first, tests="wald"), len(y))
    few = 2 if quick else 12
    treated = np.stack([first, 1 - first], axis=2).reshape(len(y), -1)
    period, patient = np.tile([0, 1], _PATIENTS), np.repeat(np.arange(_PATIENTS), 2)

    def one_by_one() -> None:
        for trial in range(few):
            columns = np.column_stack([np.ones(2 * _PATIENTS), period, treated[trial]])
            fit_crossover_counts(y[trial].ravel(), columns, patient)

    plain = rate(one_by_one, few, repetitions=2)
    lines = np.hstack([y[:few].reshape(few, -1), np.tile(period, (few, 1)), treated[:few]])
    design = CrossoverDesign(patients=_PATIENTS, rate0=2.84, ratio=0.6, dispersion=1 / 1.5, sigma=0.8)
    trials = rate(lambda: simulate_crossovers(design, len(y), _SEED, tests="wald"), len(y))
    return [
        CountingRow("crossovers, 15 nodes: R glmmTMB (Laplace)", ours, rate_r(_GLMMTMB, lines), ">= 500"),
        CountingRow("crossovers, 15 nodes: one dataset in numpy", ours, plain, ""),
        CountingRow("crossovers simulated and fitted", trials, None, ""),
    ]


def _draw(trials: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Counts, by trial, patient and period, and who has treatment first."""
    rng = np.random.default_rng(_SEED)
    first = rng.permuted(np.tile(np.arange(_PATIENTS) % 2, (trials, 1)), axis=1)
    treated = np.stack([first, 1 - first], axis=2)
    mean = 2.0 * np.exp(np.log(0.6) * treated + 0.8 * rng.normal(size=(trials, _PATIENTS, 1)))
    return rng.poisson(mean * rng.gamma(1.5, 1 / 1.5, mean.shape)).astype(float), first
