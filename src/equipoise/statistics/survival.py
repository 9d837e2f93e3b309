"""Time to an event: proportional hazards, Kaplan-Meier curves, the log-rank test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, log
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from .design import Array, Coefficients, as_matrix, chi_square_p, independent_columns

CoxStatus = Literal["fitted", "separated", "no_events", "no_data", "not_converged"]

_NONE = Coefficients(names=(), values=np.zeros(0), covariance=np.zeros((0, 0)))
_ITERATIONS_MAX = 60
# A hazard ratio beyond e^15 is no estimate: the likelihood has no maximum.
_COEFFICIENT_MAX = 15.0
_STEP_MAX = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CoxFit:
    """Proportional hazards, ties by Efron; `separated` when a coefficient runs to infinity (none is
    reported).
    """

    status: CoxStatus
    coefficients: Coefficients
    aliased: tuple[str, ...] = ()
    log_likelihood: float | None = None
    n: int = 0
    events: int = 0


def fit_cox(time: ArrayLike, event: ArrayLike, X: ArrayLike, names: Sequence[str]) -> CoxFit:
    """Fit a hazard proportional to exp(X beta), X without an intercept; never raises for data.

    Efron, J Am Stat Assoc 1977;72:557.
    """
    times, happened = np.asarray(time, dtype=float), np.asarray(event, dtype=bool)
    matrix = as_matrix(X, names)
    n, events = len(times), int(happened.sum())
    kept = independent_columns(matrix - matrix.mean(axis=0)) if n else []
    labels = tuple(names[column] for column in kept)
    nothing = CoxFit(
        status="no_data",
        coefficients=_NONE,
        aliased=tuple(x for x in names if x not in labels),
        n=n,
        events=events,
    )
    if not kept:
        return nothing
    if events == 0:
        return replace(nothing, status="no_events")
    used = matrix[:, kept]
    used = used - used.mean(axis=0)
    spread = used.std(axis=0)
    beta = np.zeros(len(kept))
    best, gradient, information = _partial(times, happened, used, beta)
    for _ in range(_ITERATIONS_MAX):
        move = np.linalg.lstsq(information, gradient, rcond=None)[0]
        # On its way to infinity a separated coefficient would overflow the exponential.
        move = move / max(1.0, float(np.max(np.abs(used @ move))) / _STEP_MAX)
        for _ in range(30):
            now, gradient, information = _partial(times, happened, used, beta + move)
            if now >= best - 1e-10 * (1 + abs(best)):
                break
            move = move / 2
        beta, best = beta + move, now
        if float(np.max(np.abs(beta) * spread)) > _COEFFICIENT_MAX:
            return replace(nothing, status="separated", log_likelihood=best)
        if float(np.max(np.abs(move))) < 1e-9:
            break
    else:
        return replace(nothing, status="not_converged")
    if np.linalg.cond(information) > 1e10:
        return replace(nothing, status="separated", log_likelihood=best)
    coefficients = Coefficients(names=labels, values=beta, covariance=np.linalg.inv(information))
    return replace(nothing, status="fitted", coefficients=coefficients, log_likelihood=best)


def _partial(time: Array, event: Array, X: Array, beta: Array) -> tuple[float, Array, Array]:
    """Efron's partial log likelihood with its gradient and information."""
    eta = X @ beta
    risk = np.exp(eta)
    p = X.shape[1]
    value, gradient, information = 0.0, np.zeros(p), np.zeros((p, p))
    for moment in np.unique(time[event.astype(bool)]):
        at_risk, now = time >= moment, (time == moment) & event.astype(bool)
        tied = int(now.sum())
        value += float(eta[now].sum())
        gradient += X[now].sum(axis=0)
        sums = [_moments(risk[which], X[which]) for which in (at_risk, now)]
        for order in range(tied):
            share = order / tied
            zeroth = sums[0][0] - share * sums[1][0]
            first = (sums[0][1] - share * sums[1][1]) / zeroth
            second = (sums[0][2] - share * sums[1][2]) / zeroth
            value -= log(zeroth)
            gradient -= first
            information += second - np.outer(first, first)
    return value, gradient, information


def _moments(risk: Array, X: Array) -> tuple[float, Array, Array]:
    weighted = X * risk[:, None]
    return float(risk.sum()), weighted.sum(axis=0), weighted.T @ X


@dataclass(frozen=True, slots=True, kw_only=True)
class SurvivalCurve:
    """A Kaplan-Meier curve: at each time of an event, the share still without it, with pointwise bounds.

    `median` and its bounds are None where the curve does not come down to one half. `censored` are the times
    at which somebody left without the event.
    """

    times: tuple[float, ...]
    survival: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    at_risk: tuple[int, ...]
    censored: tuple[float, ...]
    median: float | None
    median_low: float | None
    median_high: float | None


def kaplan_meier(time: ArrayLike, event: ArrayLike, level: float = 0.95) -> SurvivalCurve:
    """The product-limit estimate with Greenwood's variance on the scale of log(-log) (Kalbfleisch and
    Prentice).
    """
    times, happened = np.asarray(time, dtype=float), np.asarray(event, dtype=bool)
    z = float(ndtri((1 + level) / 2))
    at: list[float] = []
    survival, low, high, at_risk = [], [], [], []
    share, variance = 1.0, 0.0
    for moment in np.unique(times[happened]):
        risk = int((times >= moment).sum())
        deaths = int(((times == moment) & happened).sum())
        share *= 1 - deaths / risk
        variance += deaths / (risk * (risk - deaths)) if risk > deaths else 0.0
        at.append(float(moment))
        at_risk.append(risk)
        survival.append(share)
        if 0 < share < 1:
            half = z * variance**0.5 / abs(log(share))
            low.append(share ** exp(half))
            high.append(share ** exp(-half))
        else:
            low.append(share)
            high.append(share)

    def reaches_half(curve: list[float]) -> float | None:
        return next((moment for moment, value in zip(at, curve, strict=True) if value <= 0.5), None)

    return SurvivalCurve(
        times=tuple(at),
        survival=tuple(survival),
        low=tuple(low),
        high=tuple(high),
        at_risk=tuple(at_risk),
        censored=tuple(sorted(float(moment) for moment in times[~happened])),
        median=reaches_half(survival),
        median_low=reaches_half(low),
        median_high=reaches_half(high),
    )


def log_rank_p(time: ArrayLike, event: ArrayLike, groups: Sequence[str]) -> float | None:
    """The p-value of the log-rank test over all groups; None with one group or without an event."""
    times, happened = np.asarray(time, dtype=float), np.asarray(event, dtype=bool)
    levels = sorted(set(groups))
    if len(levels) < 2 or not happened.any():
        return None
    member = np.array([[group == level for level in levels] for group in groups], dtype=float)
    excess, covariance = np.zeros(len(levels)), np.zeros((len(levels), len(levels)))
    for moment in np.unique(times[happened]):
        risk = member[times >= moment].sum(axis=0)
        n, deaths = float(risk.sum()), float(((times == moment) & happened).sum())
        excess += member[(times == moment) & happened].sum(axis=0) - deaths * risk / n
        if n > 1:
            share = risk / n
            covariance += deaths * (n - deaths) / (n - 1) * (np.diag(share) - np.outer(share, share))
    inverse = np.linalg.pinv(covariance[:-1, :-1])
    statistic = float(excess[:-1] @ inverse @ excess[:-1])
    return chi_square_p(statistic, len(levels) - 1)
