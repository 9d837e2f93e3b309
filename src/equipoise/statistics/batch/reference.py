"""The same fits in plain numpy, all trials in one array: what the kernels are checked against."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, gammaln, polygamma

from ..design import independent_columns, separating_direction
from .results import STATUSES, FitResults, Floats

_ITERATIONS_MAX = 250
_TOLERANCE = 1e-9
_LOG_THETA_MAX = np.log(1e7)


class _Model(NamedTuple):
    """Which participants and columns each trial's model holds, by trial."""

    rows: NDArray[np.bool_]
    columns: NDArray[np.bool_]


class _Found(NamedTuple):
    beta: Floats
    theta: Floats
    converged: NDArray[np.bool_]


def fit_reference(
    y: ArrayLike,
    treatment: ArrayLike,
    covariate: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    sites: ArrayLike | None = None,
) -> FitResults:
    """Fit each row of y as `engine.fit_many` does; the arguments are taken to be good.

    Columns are treatment, covariate, and an indicator for each site, or a single one for all.
    """
    counts = np.atleast_2d(np.asarray(y, dtype=float))

    def table(values: ArrayLike | None) -> Floats:
        whole = np.zeros(1) if values is None else np.asarray(values, dtype=float)
        return np.broadcast_to(whole, counts.shape)

    t, x, places = table(treatment), table(covariate), table(sites)
    indicators = [places == site for site in range(int(places.max()) + 1)]
    X = np.stack([t, x, *indicators], axis=2).astype(float)
    if sites is None:
        codes, full, null = _describe(counts, t, x, covariate is not None)
    else:
        codes, full, null = _describe_sites(counts, X, covariate is not None)
    return _report(counts, X, table(offset), codes, full, null)


def _report(
    counts: Floats, X: Floats, shift: Floats, codes: NDArray[np.int64], full: _Model, null: _Model
) -> FitResults:
    found, found_null = _maximise(counts, X, shift, full), _maximise(counts, X, shift, null)
    top = _log_likelihood(counts, X, shift, full, found)
    _, information = _treatment_score(counts, X, shift, full, found)
    score, known = _treatment_score(counts, X, shift, null, found_null)
    bottom = _log_likelihood(counts, X, shift, null, found_null)
    silent = codes == STATUSES.index("no_events")
    several = X.shape[2] > 3
    # Of what is separated by several sites nothing is fitted.
    nothing = silent | (codes == STATUSES.index("separated")) & ~full.rows.any(axis=1)
    alive = found.converged & ~nothing
    one_arm = codes == STATUSES.index("no_events_arm")
    # The arm with events is the one that is left where both are present.
    left = np.sum(counts * full.rows * np.where(X[:, :, 0] > 0, -1, 1) * _shared(X)[1], axis=1)
    none_in_reference = one_arm & (left < 0)
    log_ratio = np.where(one_arm, np.where(none_in_reference, np.inf, -np.inf), found.beta[:, 0])
    with np.errstate(divide="ignore", invalid="ignore"):
        error = np.where(one_arm, np.inf, 1 / np.sqrt(information))
        score_z = np.where(known > 1e-10, score / np.sqrt(known), 0.0)
        wald_z = np.where(one_arm, 0.0, log_ratio / error)
    poisson = (codes == STATUSES.index("fitted")) & np.isinf(found.theta)
    status = np.where(poisson, STATUSES.index("poisson"), codes)
    both = found.converged & found_null.converged
    status = np.where(~both & ~nothing, STATUSES.index("not_converged"), status)
    tested = alive & found_null.converged
    intercept = np.where(silent | none_in_reference, -np.inf, np.where(alive, found.beta[:, 2], np.nan))
    return FitResults(
        log_ratio=np.where(alive, log_ratio, np.nan),
        standard_error=np.where(silent, np.inf, np.where(alive, error, np.nan)),
        intercept=np.full(len(counts), np.nan) if several else intercept,
        slope=np.where(alive & full.columns[:, 1], found.beta[:, 1], np.nan),
        theta=np.where(alive, found.theta, np.nan),
        log_likelihood=np.where(silent, 0.0, np.where(alive, top, np.nan)),
        wald_z=np.where(alive, wald_z, 0.0),
        score_z=np.where(tested, score_z, 0.0),
        likelihood_ratio=np.where(tested, np.maximum(0.0, 2 * (top - bottom)), 0.0),
        status=status.astype(np.int8),
    )


def _shared(X: Floats) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which participants are at which site, and which of them at a site that has both arms."""
    sites = np.asarray(X[:, :, 2:] > 0, dtype=bool)
    treated = np.asarray(X[:, :, :1] > 0, dtype=bool)
    both = (sites & treated).any(axis=1) & (sites & ~treated).any(axis=1)
    return sites, np.asarray((sites & both[:, None, :]).any(axis=2), dtype=bool)


def _describe_sites(y: Floats, X: Floats, has_covariate: bool) -> tuple[NDArray[np.int64], _Model, _Model]:
    """Return what `_describe` does, separation found as a linear programme."""
    trials, n, width = X.shape
    codes = np.zeros(trials, dtype=np.int64)
    full = _Model(np.ones((trials, n), dtype=bool), np.ones((trials, width), dtype=bool))
    null = _Model(full.rows.copy(), full.columns.copy())
    null.columns[:, 0] = False
    sites, shared = _shared(X)
    for trial in range(trials):
        rows, columns = full.rows[trial], full.columns[trial]
        empty = ~(sites[trial] & (y[trial] > 0)[:, None]).any(axis=0)
        for one in (full, null):
            one.rows[trial] &= ~sites[trial][:, empty].any(axis=1)
            one.columns[trial, 2:] &= ~empty
        arms = [shared[trial] & (X[trial, :, 0] == arm) for arm in (0, 1)]
        alive = [arm for arm in arms if y[trial][arm].any()]
        if len(alive) == 1:
            codes[trial] = STATUSES.index("no_events_arm")
            columns[0] = False
            rows &= alive[0] | ~shared[trial]
        if not has_covariate or not _tells(X[trial][rows], columns):
            codes[trial] = STATUSES.index("rank") if has_covariate and not codes[trial] else codes[trial]
            columns[1] = null.columns[trial, 1] = False
        elif not _tells(X[trial][null.rows[trial]], null.columns[trial]):
            null.columns[trial, 1] = False
        held, nobody = X[trial][rows][:, columns], np.zeros(int(rows.sum()), dtype=bool)
        if alive and separating_direction(held, y[trial][rows] > 0, nobody) is not None:
            codes[trial] = STATUSES.index("separated")
        if not alive:
            codes[trial] = STATUSES.index("no_events")
        if not alive or codes[trial] == STATUSES.index("separated"):
            rows[:] = columns[:] = null.rows[trial] = null.columns[trial] = False
    return codes, full, null


def _tells(X: Floats, columns: NDArray[np.bool_]) -> bool:
    """Say whether the covariate is not determined by the model's other columns."""
    order = [int(column) for column in np.flatnonzero(columns) if column != 1]
    return len(independent_columns(X[:, [*order, 1]])) > len(independent_columns(X[:, order]))


def _describe(
    y: Floats, t: Floats, x: Floats, has_covariate: bool
) -> tuple[NDArray[np.int64], _Model, _Model]:
    """Return each trial's status as far as the data decide it, and what its two models hold."""
    trials, n = y.shape
    codes = np.zeros(trials, dtype=np.int64)
    full = _Model(np.ones((trials, n), dtype=bool), np.ones((trials, 3), dtype=bool))
    null = _Model(full.rows.copy(), full.columns.copy())
    null.columns[:, 0] = False
    for trial in range(trials):
        arms = [t[trial] == arm for arm in (0, 1) if y[trial][t[trial] == arm].any()]
        if not has_covariate:
            full.columns[trial, 1] = null.columns[trial, 1] = False
        elif not any(np.ptp(x[trial][arm]) > 1e-9 * max(1, abs(x[trial][arm].max())) for arm in arms):
            full.columns[trial, 1] = null.columns[trial, 1] = False
            codes[trial] = STATUSES.index("rank")
        else:
            aside = _find_separated(y[trial], x[trial], arms)
            if aside.any():
                full.columns[trial, 1] = False
                full.rows[trial] &= ~aside
                codes[trial] = STATUSES.index("separated")
            if np.ptp(x[trial]) == 0:
                null.columns[trial, 1] = False
            aside = _find_separated(y[trial], x[trial], [np.ones(n, dtype=bool)])
            if aside.any():
                null.columns[trial, 1] = False
                null.rows[trial] &= ~aside
        if len(arms) == 1:
            codes[trial] = STATUSES.index("no_events_arm")
            full.columns[trial, 0] = False
            full.rows[trial] &= arms[0]
        if not arms:
            codes[trial] = STATUSES.index("no_events")
    return codes, full, null


def _find_separated(y: Floats, x: Floats, groups: list[NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Return whom an infinite slope takes out of the likelihood: nobody, or all on one side."""
    aside, sides = np.zeros(len(y), dtype=bool), set()
    for group in groups:
        events = x[group & (y > 0)]
        if not len(events) or np.ptp(events) > 0:
            return np.zeros(len(y), dtype=bool)
        away = group & (x != events[0])
        sides |= set(np.sign(x[away] - events[0]).tolist())
        aside |= away
    return aside if len(sides) == 1 else np.zeros(len(y), dtype=bool)


def _means(X: Floats, shift: Floats, beta: Floats) -> Floats:
    eta = np.einsum("ijk,ik->ij", X, beta) + shift
    return np.asarray(np.exp(np.clip(eta, -700, 700)), dtype=np.float64)


def _solve(matrix: Floats, vector: Floats, columns: NDArray[np.bool_]) -> Floats:
    """Solve each trial's equations in the columns that it holds; the others stay 0."""
    both = columns[:, :, None] & columns[:, None, :]
    held = np.where(both, matrix, 0.0) + np.where(columns, 0.0, 1.0)[:, :, None] * np.eye(columns.shape[1])
    solved = np.linalg.solve(held, np.where(columns, vector, 0.0)[:, :, None])
    return np.asarray(solved[:, :, 0], dtype=np.float64)


def _maximise(y: Floats, X: Floats, shift: Floats, model: _Model) -> _Found:
    """Return Poisson's maximum where the score for dispersion is not above 0 there, else the joint one."""
    w = model.rows.astype(float)
    events = (w * y).sum(axis=1) > 0
    gram = np.einsum("ij,ijk,ijl->ikl", w, X, X)
    target = np.einsum("ij,ijk->ik", w * (np.log(y + 0.5) - shift), X)
    beta = _solve(gram, target, model.columns)
    resting = ~events
    for _ in range(_ITERATIONS_MAX):
        mu = w * _means(X, shift, beta)
        information = np.einsum("ij,ijk,ijl->ikl", np.where(resting[:, None], w, mu), X, X)
        step = _solve(information, np.einsum("ij,ijk->ik", w * y - mu, X), model.columns)
        step = step * (2 / np.maximum(np.abs(step).max(axis=1), 2))[:, None]
        step = np.where(resting[:, None], 0.0, step)
        beta = beta + step
        resting |= np.abs(step).max(axis=1) < _TOLERANCE
        if resting.all():
            break
    mu = w * _means(X, shift, beta)
    excess = np.sum(w * ((y - mu) ** 2 - y), axis=1)
    enough = model.rows.sum(axis=1) > model.columns.sum(axis=1)
    climbing = resting & events & (excess > 0) & enough
    theta = np.full(len(y), np.inf)
    if climbing.any():
        start = np.clip(np.sum(mu**2, axis=1)[climbing] / excess[climbing], 0.05, 1e3)
        part = _Model(model.rows[climbing], model.columns[climbing])
        at, good = _climb(y[climbing], X[climbing], shift[climbing], part, beta[climbing], np.log(start))
        away = at[:, -1] > _LOG_THETA_MAX
        theta[climbing] = np.where(away, np.inf, np.exp(at[:, -1]))
        beta[climbing] = np.where(away[:, None], beta[climbing], at[:, :-1])
        resting[climbing] = good | away
    return _Found(beta, theta, resting)


def _climb(
    y: Floats, X: Floats, shift: Floats, model: _Model, beta: Floats, log_theta: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """Newton's method in (beta, log theta), each step halved until the likelihood does not fall."""
    at = np.concatenate([beta, log_theta[:, None]], axis=1)
    columns = np.concatenate([model.columns, np.ones((len(y), 1), dtype=bool)], axis=1)

    def value(where: Floats) -> Floats:
        found = _Found(where[:, :-1], np.exp(where[:, -1]), np.ones(len(y), dtype=bool))
        return _log_likelihood(y, X, shift, model, found)

    best, resting = value(at), np.zeros(len(y), dtype=bool)
    for _ in range(_ITERATIONS_MAX):
        gradient, hessian = _slopes(y, X, shift, model, at)
        step = _solve(-hessian, gradient, columns)
        down = np.sum(step * np.where(columns, gradient, 0.0), axis=1) <= 0
        # Where the surface is not concave, a plain step uphill.
        plain = np.where(columns, gradient, 0.0) / (np.abs(np.einsum("ikk->ik", hessian)) + 1e-8)
        step = np.where(down[:, None] & ~resting[:, None], plain, step)
        largest = np.abs(step).max(axis=1)
        step = step * np.minimum(1.0, 2.0 / np.maximum(largest, 1e-300))[:, None]
        step = np.where(resting[:, None], 0.0, step)
        for _ in range(40):
            now = value(at + step)
            falling = ~(now >= best - 1e-12 * (1 + np.abs(best)))
            if not falling.any():
                break
            step[falling] /= 2
        at, best = at + step, now
        resting |= (largest < 1e-6) | (at[:, -1] > _LOG_THETA_MAX)
        if resting.all():
            break
    return at, resting


def _slopes(y: Floats, X: Floats, shift: Floats, model: _Model, at: Floats) -> tuple[Floats, Floats]:
    w = model.rows.astype(float)
    mu, theta = _means(X, shift, at[:, :-1]), np.exp(at[:, -1])[:, None]
    whole = theta + mu
    by_theta = digamma(y + theta) - digamma(theta) - np.log1p(mu / theta) + 1 - (y + theta) / whole
    second = polygamma(1, y + theta) - polygamma(1, theta) + 1 / theta - 2 / whole + (y + theta) / whole**2
    slope = theta[:, 0] * np.sum(w * by_theta, axis=1)
    gradient = np.einsum("ij,ijk->ik", w * (y - mu) * theta / whole, X)
    width = X.shape[2]
    hessian = np.empty((len(y), width + 1, width + 1))
    hessian[:, :width, :width] = -np.einsum("ij,ijk,ijl->ikl", w * mu * theta * (y + theta) / whole**2, X, X)
    mixed = theta * np.einsum("ij,ijk->ik", w * (y - mu) * mu / whole**2, X)
    hessian[:, :width, width] = hessian[:, width, :width] = mixed
    hessian[:, width, width] = theta[:, 0] ** 2 * np.sum(w * second, axis=1) + slope
    return np.concatenate([gradient, slope[:, None]], axis=1), hessian


def _log_likelihood(y: Floats, X: Floats, shift: Floats, model: _Model, found: _Found) -> Floats:
    eta = np.clip(np.einsum("ijk,ik->ij", X, found.beta) + shift, -700, 700)
    mu, poisson = np.exp(eta), np.isinf(found.theta)[:, None]
    theta = np.where(poisson, 1.0, found.theta[:, None])
    over = gammaln(y + theta) - gammaln(theta) - y * np.log(theta) - (y + theta) * np.log1p(mu / theta)
    each = y * eta - gammaln(y + 1) + np.where(poisson, -mu, over)
    return np.asarray(np.sum(each * model.rows, axis=1))


def _treatment_score(
    y: Floats, X: Floats, shift: Floats, model: _Model, found: _Found
) -> tuple[Floats, Floats]:
    """Return the score for the treatment, and the expected information on it given the other columns."""
    w = model.rows.astype(float)
    mu = _means(X, shift, found.beta)
    inverse = w / (1 + mu / found.theta[:, None])
    information = np.einsum("ij,ijk,ijl->ikl", mu * inverse, X, X)
    others = model.columns.copy()
    others[:, 0] = False
    shared = information[:, 0, :]
    known = information[:, 0, 0] - np.sum(
        _solve(information, shared, others) * np.where(others, shared, 0), axis=1
    )
    return np.sum((y - mu) * inverse * X[:, :, 0], axis=1), known
