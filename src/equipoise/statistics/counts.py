"""Regression of counts: negative binomial by maximum likelihood, and Poisson with robust standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, gammaln, polygamma

from .design import (
    Array,
    Coefficients,
    as_matrix,
    chi_square_p,
    independent_columns,
    separating_direction,
)

CountStatus = Literal["fitted", "poisson", "separated", "no_events", "no_data", "not_converged"]

_ITERATIONS_MAX = 100
_TOLERANCE = 1e-10
# Beyond this theta a count is Poisson in every digit that is reported.
_THETA_MAX = 1e7


@dataclass(frozen=True, slots=True, kw_only=True)
class CountFit:
    """A count regression with a log link.

    `status`: `fitted`; `poisson` when the data are not over-dispersed, so that theta is infinite and the
    Poisson model was fitted; `separated` when the counts of some group are all 0, so that the coefficients of
    `diverging` (name: -1 or +1 for the direction) are infinite and the rows of the group tell nothing of the
    others; `no_events`, `no_data`, `not_converged`. `theta` is MASS's: variance mu + mu^2 / theta.
    `coefficients` has the expected information, with theta held fixed as MASS::glm.nb reports it, `observed`
    the full observed one, and `robust` the sandwich of both, which does not trust the model's variance, with
    the correction n / (n - p) (HC1: MacKinnon and White, J Econometrics 1985;29:305).
    """

    status: CountStatus
    coefficients: Coefficients
    observed: Coefficients
    robust: Coefficients | None = None
    aliased: tuple[str, ...] = ()
    diverging: tuple[tuple[str, int], ...] = ()
    theta: float | None = None
    theta_se: float | None = None
    log_likelihood: float | None = None
    iterations: int = 0
    n: int = 0

    @property
    def usable(self) -> bool:
        """Whether the coefficients may be read."""
        return self.status in ("fitted", "poisson", "separated") and bool(self.coefficients.names)


_NONE = Coefficients(names=(), values=np.zeros(0), covariance=np.zeros((0, 0)))


def fit_negative_binomial(
    y: ArrayLike, X: ArrayLike, offset: ArrayLike | None = None, names: Sequence[str] = ()
) -> CountFit:
    """Fit log E(y) = X beta + offset with variance mu + mu^2 / theta, jointly in beta and log theta.

    y: n counts; X: n by p with the intercept among its columns; names: p. Never raises for data, never gives
    NaN: see `CountFit.status`. Joint Newton in (beta, log theta) from the Poisson fit, Fisher scoring where
    the surface is not concave (model: Lawless, Canad J Stat 1987;15:209).
    """
    return _fit(y, X, offset, names, over_dispersed=True)


def fit_poisson(
    y: ArrayLike, X: ArrayLike, offset: ArrayLike | None = None, names: Sequence[str] = ()
) -> CountFit:
    """Fit the Poisson model; the status is `poisson` when it was fitted."""
    return _fit(y, X, offset, names, over_dispersed=False)


def fit_poisson_gee(
    y: ArrayLike,
    X: ArrayLike,
    offset: ArrayLike | None,
    names: Sequence[str],
    clusters: Sequence[str],
) -> CountFit:
    """Fit a Poisson mean with independence working correlation and standard errors robust to clustering.

    The sandwich of Liang and Zeger (Biometrika 1986;73:13), times G / (G - 1) for G clusters. Both sets of
    standard errors of the result are this sandwich.
    """
    fit = fit_poisson(y, X, offset, names)
    if not fit.usable or fit.status == "separated":
        return fit
    matrix = as_matrix(X, names)[:, [names.index(name) for name in fit.coefficients.names]]
    counts, shift = np.asarray(y, dtype=float), _offset(offset, len(matrix))
    mu = np.exp(matrix @ fit.coefficients.values + shift)
    order = {cluster: row for row, cluster in enumerate(dict.fromkeys(clusters))}
    if len(order) < 2:
        return replace(fit, status="no_data", coefficients=_NONE, observed=_NONE)
    scores = np.zeros((len(order), matrix.shape[1]))
    np.add.at(scores, [order[cluster] for cluster in clusters], matrix * (counts - mu)[:, None])
    bread = np.linalg.inv(matrix.T @ (matrix * mu[:, None]))
    robust = bread @ (scores.T @ scores) @ bread * len(order) / (len(order) - 1)
    coefficients = replace(fit.coefficients, covariance=robust)
    return replace(fit, coefficients=coefficients, observed=coefficients)


def likelihood_ratio_p(full: CountFit, reduced: CountFit) -> float | None:
    """The p-value of the columns that `full` has and `reduced` lacks; None unless both were fitted."""
    if full.log_likelihood is None or reduced.log_likelihood is None:
        return None
    df = len(full.coefficients.names) + len(full.diverging) - len(reduced.coefficients.names)
    return chi_square_p(2 * (full.log_likelihood - reduced.log_likelihood), df) if df > 0 else None


def profile_bound(
    y: ArrayLike, X: ArrayLike, offset: ArrayLike | None, names: Sequence[str], name: str, level: float
) -> float | None:
    """The finite end of the profile-likelihood interval of a coefficient that diverges; None when not found.

    Where all counts of a group are 0 its log rate has no estimate, but a bound on one side: that value at
    which the likelihood falls by half the chi-square quantile from its supremum.
    """
    from scipy.optimize import brentq  # noqa: PLC0415  # slow to import, and seldom needed
    from scipy.special import chdtri  # noqa: PLC0415

    full = fit_negative_binomial(y, X, offset, names)
    direction = dict(full.diverging).get(name)
    if direction is None or full.log_likelihood is None:
        return None
    matrix, top = as_matrix(X, names), full.log_likelihood
    shift, column = _offset(offset, len(matrix)), names.index(name)
    others = [other for other in names if other != name]
    rest = np.delete(matrix, column, axis=1)
    drop = float(chdtri(1, 1 - level))

    def short(value: float) -> float:
        held = fit_negative_binomial(y, rest, shift + value * matrix[:, column], others)
        # At the far end the likelihood touches its supremum, hence nothing is missing there.
        return 2 * (top - held.log_likelihood) - drop if held.log_likelihood is not None else -drop

    far, near = 30.0 * direction, 0.0
    while short(near) < 0 and abs(near) < 20:
        near -= 2.0 * direction
    if short(far) >= 0 or short(near) <= 0:
        return None
    return float(brentq(short, near, far, xtol=1e-6))


def _offset(offset: ArrayLike | None, n: int) -> Array:
    return np.zeros(n) if offset is None else np.asarray(offset, dtype=float)


def _fit(
    y: ArrayLike, X: ArrayLike, offset: ArrayLike | None, names: Sequence[str], over_dispersed: bool
) -> CountFit:
    counts, matrix = np.asarray(y, dtype=float), as_matrix(X, names)
    shift = _offset(offset, len(counts))
    n = len(counts)
    nothing = CountFit(status="no_data", coefficients=_NONE, observed=_NONE, n=n)
    if n == 0 or not (np.isfinite(matrix).all() and np.isfinite(shift).all() and (counts >= 0).all()):
        return nothing
    kept = independent_columns(matrix)
    aliased = tuple(name for column, name in enumerate(names) if column not in kept)
    if not kept or not counts.any():
        return replace(nothing, status="no_events", aliased=aliased)
    matrix, names = matrix[:, kept], [names[column] for column in kept]
    rows = np.ones(n, dtype=bool)
    diverging: tuple[tuple[str, int], ...] = ()
    direction = separating_direction(matrix, counts > 0, np.zeros(n, dtype=bool))
    if direction is not None:
        # A group without a single event contributes nothing at the supremum of the likelihood.
        rows = matrix @ direction > -1e-7
        diverging = tuple(
            (name, 1 if slope > 0 else -1)
            for name, slope in zip(names, direction, strict=True)
            if abs(slope) > 1e-7
        )
        lost = {name for name, _ in diverging}
        # Of the columns that can no longer be told apart, those that diverge go first.
        order = sorted(range(len(names)), key=lambda column: (names[column] in lost, column))
        left = sorted(order[i] for i in independent_columns(matrix[rows][:, order]))
        matrix, names = matrix[:, left], [names[column] for column in left]
        diverging = tuple((name, sign) for name, sign in diverging if name not in names)
    fit = _maximise(counts[rows], matrix[rows], shift[rows], tuple(names), over_dispersed)
    if diverging and fit.usable:
        fit = replace(fit, status="separated", diverging=diverging)
    return replace(fit, aliased=aliased, n=n)


def _maximise(y: Array, X: Array, offset: Array, names: tuple[str, ...], over_dispersed: bool) -> CountFit:
    beta, steps = _poisson(y, X, offset)
    if beta is None:
        return CountFit(status="not_converged", coefficients=_NONE, observed=_NONE, iterations=steps)
    mu = np.exp(X @ beta + offset)
    excess = float(np.sum((y - mu) ** 2 - y))
    theta = None
    if over_dispersed and excess > 0 and len(y) > len(names):
        # The score for over-dispersion at none is half of this sum; below 0 the maximum lies at the Poisson
        # model.
        start = float(np.clip(np.sum(mu**2) / excess, 0.05, 1e3))
        found = _joint_newton(y, X, offset, beta, start)
        if found is None:
            return CountFit(
                status="not_converged", coefficients=_NONE, observed=_NONE, iterations=_ITERATIONS_MAX
            )
        beta, theta, steps = found
    if theta is None or theta > _THETA_MAX:
        return _poisson_result(y, X, offset, beta, names, steps)
    mu = np.exp(X @ beta + offset)
    expected = np.linalg.inv(X.T @ (X * (mu / (1 + mu / theta))[:, None]))
    _, hessian = _slopes(y, X, mu, theta)
    full = np.linalg.inv(-hessian)
    p = len(names)
    return CountFit(
        status="fitted",
        coefficients=Coefficients(names=names, values=beta, covariance=expected),
        robust=_robust(names, beta, expected, X * ((y - mu) / (1 + mu / theta))[:, None]),
        observed=Coefficients(names=names, values=beta, covariance=full[:p, :p]),
        theta=theta,
        theta_se=theta * float(full[p, p]) ** 0.5,
        log_likelihood=_log_likelihood(y, mu, theta),
        iterations=steps,
    )


def _robust(names: tuple[str, ...], beta: Array, bread: Array, scores: Array) -> Coefficients | None:
    """The coefficients with their sandwich variance; None where there are no more rows than columns."""
    n, p = scores.shape
    if n <= p:
        return None
    covariance = bread @ (scores.T @ scores) @ bread * (n / (n - p))
    return Coefficients(names=names, values=beta, covariance=covariance)


def _poisson_result(
    y: Array, X: Array, offset: Array, beta: Array, names: tuple[str, ...], steps: int
) -> CountFit:
    mu = np.exp(X @ beta + offset)
    expected = np.linalg.inv(X.T @ (X * mu[:, None]))
    coefficients = Coefficients(names=names, values=beta, covariance=expected)
    return CountFit(
        status="poisson",
        coefficients=coefficients,
        observed=coefficients,
        robust=_robust(names, beta, expected, X * (y - mu)[:, None]),
        log_likelihood=float(np.sum(y * np.log(mu) - mu - gammaln(y + 1))),
        iterations=steps,
    )


def _poisson(y: Array, X: Array, offset: Array) -> tuple[Array | None, int]:
    """Poisson coefficients by Newton's method with step halving; None when it does not settle."""

    def value(beta: Array) -> float:
        eta = X @ beta + offset
        return float(y @ eta - np.sum(np.exp(np.minimum(eta, 500))))

    beta = np.linalg.lstsq(X, np.log(y + 0.5) - offset, rcond=None)[0]
    best = value(beta)
    for step in range(1, _ITERATIONS_MAX + 1):
        mu = np.exp(np.minimum(X @ beta + offset, 500))
        try:
            move = np.linalg.solve(X.T @ (X * mu[:, None]), X.T @ (y - mu))
        except np.linalg.LinAlgError:
            return None, step
        for _ in range(30):
            now = value(beta + move)
            if now >= best - 1e-12 * (1 + abs(best)):
                break
            move = move / 2
        beta, best = beta + move, now
        if float(np.max(np.abs(move))) < _TOLERANCE:
            return beta, step
    return None, _ITERATIONS_MAX


def _joint_newton(
    y: Array, X: Array, offset: Array, beta: Array, theta: float
) -> tuple[Array, float | None, int] | None:
    """Beta and theta at the maximum, theta None where it runs away; None when nothing converges."""
    at = np.append(beta, np.log(theta))
    best = _log_likelihood(y, np.exp(X @ beta + offset), theta)
    for step in range(1, _ITERATIONS_MAX + 1):
        mu, theta = np.exp(X @ at[:-1] + offset), float(np.exp(at[-1]))
        gradient, hessian = _slopes(y, X, mu, theta)
        move = _ascent(X, mu, theta, gradient, hessian)
        largest = float(np.max(np.abs(move)))
        move = move * min(1.0, 2.0 / largest) if largest > 0 else move
        for _ in range(40):
            trial = at + move
            now = _log_likelihood(
                y, np.exp(np.minimum(X @ trial[:-1] + offset, 500)), float(np.exp(trial[-1]))
            )
            if now >= best - 1e-12 * (1 + abs(best)):
                break
            move = move / 2
        at, best = at + move, now
        if np.exp(at[-1]) > _THETA_MAX:
            return beta, None, step
        if float(np.max(np.abs(move))) < _TOLERANCE**0.9:
            return at[:-1], float(np.exp(at[-1])), step
    return None


def _ascent(X: Array, mu: Array, theta: float, gradient: Array, hessian: Array) -> Array:
    """Newton's step, or where the surface is not concave, Fisher's for beta and a plain one for log theta."""
    try:
        np.linalg.cholesky(-hessian)
        return np.linalg.solve(-hessian, gradient)
    except np.linalg.LinAlgError:
        weights = mu / (1 + mu / theta)
        step = np.linalg.lstsq(X.T @ (X * weights[:, None]), gradient[:-1], rcond=None)[0]
        slope = float(gradient[-1])
        return np.append(step, slope / max(abs(float(hessian[-1, -1])), abs(slope), 1e-8))


def _log_likelihood(y: Array, mu: Array, theta: float) -> float:
    return float(
        np.sum(
            gammaln(y + theta)
            - gammaln(theta)
            - gammaln(y + 1)
            + y * (np.log(mu) - np.log(theta))
            - (y + theta) * np.log1p(mu / theta)
        )
    )


def _slopes(y: Array, X: Array, mu: Array, theta: float) -> tuple[Array, Array]:
    """Gradient and Hessian of the log likelihood in (beta, log theta)."""
    whole = theta + mu
    by_eta = (y - mu) * theta / whole
    by_theta = digamma(y + theta) - digamma(theta) - np.log1p(mu / theta) + 1 - (y + theta) / whole
    second = polygamma(1, y + theta) - polygamma(1, theta) + 1 / theta - 2 / whole + (y + theta) / whole**2
    slope = float(np.sum(by_theta))
    p = X.shape[1]
    hessian = np.empty((p + 1, p + 1))
    hessian[:p, :p] = -(X.T @ (X * (mu * theta * (y + theta) / whole**2)[:, None]))
    hessian[:p, p] = hessian[p, :p] = theta * (X.T @ ((y - mu) * mu / whole**2))
    hessian[p, p] = theta**2 * float(np.sum(second)) + theta * slope
    return np.append(X.T @ by_eta, theta * slope), hessian
