"""Wald tests of simulated trials that do not trust the model's variance, and those of the Poisson model.

As `counts` has them for one trial, in numpy for many: the negative binomial estimates are those of the
kernels, the Poisson ones are found from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arguments import check_one_of
from .engine import CountDesign, TrialData, draw_trials
from .one_by_one import SANDWICHED, analyse
from .passes import Floats
from .results import STATUSES, TrialResults

# Trials that are held in memory at a time.
_AT_A_TIME = 512
_ITERATIONS_MAX = 25
_TOLERANCE = 1e-9
_REGULAR = (STATUSES.index("fitted"), STATUSES.index("poisson"))


class _Tables(NamedTuple):
    """Counts (trials by participants), columns (by columns), and exposures."""

    y: Floats
    X: Floats
    exposure: Floats


def robust_statistics(design: CountDesign, found: TrialResults, tests: Sequence[str]) -> dict[str, Floats]:
    """Return by test the statistic of each of the simulated trials, 0 where there is none."""
    for test in tests:
        check_one_of("tests", test, SANDWICHED)
    trials = len(found.status)
    out = {test: np.zeros(trials) for test in tests}
    # Without tests there is nothing to draw the data again for.
    for begin in range(0, trials if tests else 0, _AT_A_TIME):
        part = slice(begin, min(begin + _AT_A_TIME, trials))
        data = draw_trials(design, part.stop - begin, found.seed, found.first + begin)
        # With as many parameters as participants there is no residual to learn from.
        known = np.isin(found.status[part], _REGULAR) & (
            design.participants > 2 + (design.levels is not None)
        )
        at = np.flatnonzero(known)
        tables = _make_tables(data, at)
        beta = _estimates(found, part)[at]
        poisson, converged = _fit_poisson(tables, beta)
        n, p = tables.X.shape[1:]
        settings = {
            "wald_robust": (beta, 1 / found.theta[part][at], n / max(n - p, 1)),
            "poisson": (poisson, np.zeros(len(at)), None),
            "poisson_robust": (poisson, np.zeros(len(at)), n / (n - 1)),
        }
        known[at[~converged]] = False
        for test in tests:
            with np.errstate(divide="ignore", invalid="ignore"):
                statistics = _statistics(tables, *settings[test])
            out[test][begin + at] = statistics
            unknown = ~known
            unknown[at[~np.isfinite(statistics)]] = True
            for row in np.flatnonzero(unknown):
                # What is degenerate is left to those who know what becomes of it.
                alone = analyse(test, data, int(row), "two-sided", np.random.default_rng(0))
                out[test][begin + row] = alone.statistic or 0.0
    return out


def _make_tables(data: TrialData, at: NDArray[np.intp]) -> _Tables:
    columns = [np.ones_like(data.y), data.treatment]
    if data.covariate is not None:
        columns.append(data.covariate)
    return _Tables(data.y[at], np.stack(columns, axis=2)[at], data.exposure[at])


def _estimates(found: TrialResults, part: slice) -> Floats:
    columns = [found.intercept[part], found.log_ratio[part]]
    if not np.isnan(found.slope[part]).all():
        columns.append(found.slope[part])
    return np.column_stack(columns)


def _means(tables: _Tables, beta: Floats) -> Floats:
    means: Floats = np.exp((tables.X @ beta[:, :, None])[:, :, 0]) * tables.exposure
    return means


def _crossed(X: Floats, weights: Floats) -> Floats:
    """X' W X of each trial."""
    crossed: Floats = np.swapaxes(X * weights[:, :, None], 1, 2) @ X
    return crossed


def _fit_poisson(tables: _Tables, start: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the maxima of the Poisson likelihoods, and which were reached, by Newton's method."""
    beta, X = start.copy(), tables.X
    moved = np.full(len(beta), np.inf)
    for _ in range(_ITERATIONS_MAX):
        if not (moved > _TOLERANCE).any():
            break
        means = _means(tables, beta)
        slopes = np.swapaxes(X, 1, 2) @ (tables.y - means)[:, :, None]
        step = np.linalg.solve(_crossed(X, means), slopes)[:, :, 0]
        beta += step
        moved = np.abs(step).max(axis=1)
    return beta, moved <= _TOLERANCE


def _statistics(tables: _Tables, beta: Floats, dispersion: Floats, correction: float | None) -> Floats:
    """Return the treatment's estimate over its standard error: the model's own without a correction."""
    means = _means(tables, beta)
    shrink = 1 + means * dispersion[:, None]
    covariance = np.linalg.inv(_crossed(tables.X, means / shrink))
    if correction is not None:
        meat = _crossed(tables.X, ((tables.y - means) / shrink) ** 2)
        covariance = covariance @ meat @ covariance * correction
    return np.asarray(beta[:, 1] / np.sqrt(covariance[:, 1, 1]), dtype=np.float64)
