"""Models of binary outcomes: logistic regression, differences of proportions, Fisher's exact test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, gammaln

from .design import Array, Coefficients, as_matrix, independent_columns, separating_direction
from .intervals import Bounds, wilson

BinaryStatus = Literal["fitted", "separated", "no_variation", "no_data", "not_converged"]

_NONE = Coefficients(names=(), values=np.zeros(0), covariance=np.zeros((0, 0)))
_ITERATIONS_MAX = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class LogisticFit:
    """A logistic regression by maximum likelihood.

    `separated` when a combination of columns tells the outcomes apart, so that the coefficients of
    `diverging` (name, direction) are infinite; `no_variation` when all outcomes are the same.
    """

    status: BinaryStatus
    coefficients: Coefficients
    aliased: tuple[str, ...] = ()
    diverging: tuple[tuple[str, int], ...] = ()
    log_likelihood: float | None = None
    n: int = 0


def fit_logistic(y: ArrayLike, X: ArrayLike, names: Sequence[str]) -> LogisticFit:
    """Fit logit P(y = 1) = X beta by Newton's method; never raises for data."""
    outcome, matrix = np.asarray(y, dtype=float), as_matrix(X, names)
    n = len(outcome)
    nothing = LogisticFit(status="no_data", coefficients=_NONE, n=n)
    if n == 0 or not np.isfinite(matrix).all():
        return nothing
    kept = independent_columns(matrix)
    used, labels = matrix[:, kept], tuple(names[column] for column in kept)
    nothing = replace(nothing, aliased=tuple(name for name in names if name not in labels))
    if outcome.all() or not outcome.any():
        return replace(nothing, status="no_variation")
    direction = separating_direction(used, np.zeros(n, dtype=bool), outcome == 1)
    if direction is not None:
        diverging = tuple(
            (name, 1 if slope > 0 else -1)
            for name, slope in zip(labels, direction, strict=True)
            if abs(slope) > 1e-7
        )
        return replace(nothing, status="separated", diverging=diverging)
    beta = np.zeros(len(kept))
    best = _log_likelihood(outcome, used @ beta)
    for _ in range(_ITERATIONS_MAX):
        mean = expit(used @ beta)
        information = used.T @ (used * (mean * (1 - mean))[:, None])
        move = np.linalg.lstsq(information, used.T @ (outcome - mean), rcond=None)[0]
        while (now := _log_likelihood(outcome, used @ (beta + move))) < best - 1e-10 * (1 + abs(best)):
            move = move / 2
        beta, best = beta + move, now
        if float(np.max(np.abs(move))) < 1e-9:
            mean = expit(used @ beta)
            inverse = np.linalg.inv(used.T @ (used * (mean * (1 - mean))[:, None]))
            coefficients = Coefficients(names=labels, values=beta, covariance=inverse)
            return replace(nothing, status="fitted", coefficients=coefficients, log_likelihood=best)
    return replace(nothing, status="not_converged")


def _log_likelihood(y: Array, eta: Array) -> float:
    return float(np.sum(y * eta - np.logaddexp(0, eta)))


def newcombe_difference(events: int, n: int, against: int, against_n: int, level: float = 0.95) -> Bounds:
    """The difference of two proportions by the score method (Newcombe, Stat Med 1998;17:873, method 10)."""
    one, two = wilson(events, n, level), wilson(against, against_n, level)
    if one.estimate is None or two.estimate is None:
        return Bounds(None, None, None)
    assert one.low is not None and one.high is not None and two.low is not None and two.high is not None
    difference = one.estimate - two.estimate
    below = sqrt((one.estimate - one.low) ** 2 + (two.high - two.estimate) ** 2)
    above = sqrt((one.high - one.estimate) ** 2 + (two.estimate - two.low) ** 2)
    return Bounds(difference, difference - below, difference + above)


def fisher_exact_p(events: int, n: int, against: int, against_n: int) -> float:
    """The two-sided p-value of Fisher's exact test: all tables no more probable than that observed."""
    total = events + against
    low, high = max(0, total - against_n), min(n, total)
    k = np.arange(low, high + 1, dtype=float)

    def log_choose(of: float, some: Array) -> Array:
        return np.asarray(gammaln(of + 1) - gammaln(some + 1) - gammaln(of - some + 1), dtype=float)

    weights = log_choose(n, k) + log_choose(against_n, total - k)
    shares = np.exp(weights - weights.max())
    shares /= shares.sum()
    return float(min(1.0, shares[shares <= shares[events - low] * (1 + 1e-7)].sum()))
