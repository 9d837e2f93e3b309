"""The log likelihood of counts, its slopes, and its maximum where that is finite."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln, polygamma

from .design import Array

# Beyond this theta a count is Poisson in every digit that is reported.
THETA_MAX = 1e7

_ITERATIONS_MAX = 100
_MOVE_LEAST = 1e-9
# What rounding may take from a log likelihood in a step that rises.
_SLACK = 1e-12
# Squares of means stay finite.
_ETA_MAX = 300.0
_TAIL_MAX = 10_000


@dataclass(frozen=True, slots=True)
class CountData:
    """n counts, an n by p matrix, and n offsets and prior weights; all finite, weights above 0."""

    y: Array
    X: Array
    offset: Array
    weights: Array

    def eta(self, beta: Array) -> Array:
        """The log means."""
        return np.minimum(self.X @ beta + self.offset, _ETA_MAX)


@dataclass(frozen=True, slots=True)
class Maximum:
    """Where the likelihood is highest; theta is None for the Poisson model."""

    beta: Array
    theta: float | None
    iterations: int


class _Rising:
    """Weighted sums over rows of log(theta (theta + 1) ... (theta + y - 1) / theta^y), and its derivatives.

    They are taken from tail counts, the weight of the rows with y > j: a difference of two log gamma
    functions loses its digits where theta is large.
    """

    def __init__(self, data: CountData) -> None:
        self.data = data
        largest = int(data.y.max())
        self.tail: Array | None = None
        if largest <= _TAIL_MAX:
            at = np.bincount(data.y.astype(int), weights=data.weights, minlength=largest + 1)
            self.tail = at[::-1].cumsum()[::-1][1:]
            self.steps = np.arange(largest)

    def value(self, theta: float) -> float:
        if self.tail is not None:
            return float(self.tail @ np.log1p(self.steps / theta))
        y = self.data.y
        return float(self.data.weights @ (gammaln(y + theta) - gammaln(theta) - y * np.log(theta)))

    def slopes(self, theta: float) -> tuple[float, float]:
        """The sums of 1 / (theta + j) and of 1 / (theta + j)^2 over j < y."""
        if self.tail is not None:
            each = 1 / (theta + self.steps)
            return float(self.tail @ each), float(self.tail @ each**2)
        y, weights = self.data.y, self.data.weights
        first = weights @ (digamma(y + theta) - digamma(theta))
        return float(first), float(weights @ (polygamma(1, theta) - polygamma(1, y + theta)))


def log_likelihood(data: CountData, beta: Array, theta: float | None) -> float:
    """The log likelihood, weighted, with its constant."""
    constant = float(data.weights @ gammaln(data.y + 1))
    if theta is None:
        return _poisson_value(data, beta) - constant
    return _value(data, _Rising(data), beta, theta) - constant


def information(data: CountData, beta: Array, theta: float | None) -> Array:
    """The expected information of beta."""
    mu = np.exp(data.eta(beta))
    weight = data.weights * (mu if theta is None else mu / (1 + mu / theta))
    return data.X.T @ (data.X * weight[:, None])


def observed_information(data: CountData, beta: Array, theta: float) -> Array:
    """The observed information of (beta, log theta)."""
    return -_slopes(data, _Rising(data), beta, theta)[1]


def scores(data: CountData, beta: Array, theta: float | None) -> Array:
    """The contribution of each row to the slope in beta, n by p."""
    mu = np.exp(data.eta(beta))
    rest = data.weights * (data.y - mu) / (1.0 if theta is None else 1 + mu / theta)
    return data.X * rest[:, None]


def maximise(data: CountData, *, over_dispersed: bool) -> Maximum | None:
    """The maximum in beta, and in theta where the data are over-dispersed; None when none was reached.

    The slope of the likelihood in 1 / theta at 0 is half the weighted sum of (y - mu)^2 - y at the Poisson
    fit: where it is not above 0 the Poisson model is the maximum (Lawless, Canad J Stat 1987;15:209).
    """
    found = maximise_poisson(data)
    if found is None or not over_dispersed or len(data.y) <= data.X.shape[1]:
        return found
    mu = np.exp(data.eta(found.beta))
    excess = float(data.weights @ ((data.y - mu) ** 2 - data.y))
    if excess <= 0:
        return found
    start = float(np.clip(data.weights @ mu**2 / excess, 0.05, 1e3))
    joint = _maximise_jointly(data, found.beta, start)
    return found if joint is not None and joint.theta is None else joint


def maximise_poisson(data: CountData) -> Maximum | None:
    """The maximum of the Poisson likelihood by Newton's method with step halving."""
    y, X = data.y, data.X
    if not X.shape[1]:
        return Maximum(beta=np.zeros(0), theta=None, iterations=0)
    beta = np.linalg.lstsq(X, np.log(y + 0.5) - data.offset, rcond=None)[0]
    best = _poisson_value(data, beta)
    for step in range(1, _ITERATIONS_MAX + 1):
        try:
            move = np.linalg.solve(information(data, beta, None), scores(data, beta, None).sum(axis=0))
        except np.linalg.LinAlgError:
            return None
        for _ in range(40):
            now = _poisson_value(data, beta + move)
            if now >= best - _SLACK * (1 + abs(best)):
                break
            move = move / 2
        beta, best = beta + move, now
        if _largest(X, move) < _MOVE_LEAST:
            return Maximum(beta=beta, theta=None, iterations=step)
    return None


def _maximise_jointly(data: CountData, beta: Array, theta: float) -> Maximum | None:
    """Newton's method in (beta, log theta); theta None where it runs away, None when nothing converges."""
    rising = _Rising(data)
    at = np.append(beta, np.log(theta))
    best = _value(data, rising, beta, theta)
    for step in range(1, _ITERATIONS_MAX + 1):
        gradient, hessian = _slopes(data, rising, at[:-1], float(np.exp(at[-1])))
        move = _ascent(data, at, gradient, hessian)
        largest = max(_largest(data.X, move[:-1]), abs(float(move[-1])))
        move = move * min(1.0, 2.0 / largest) if largest > 0 else move
        for _ in range(40):
            trial = at + move
            now = _value(data, rising, trial[:-1], float(np.exp(trial[-1])))
            if now >= best - _SLACK * (1 + abs(best)):
                break
            move = move / 2
        at, best = at + move, now
        if np.exp(at[-1]) > THETA_MAX:
            return Maximum(beta=beta, theta=None, iterations=step)
        if max(_largest(data.X, move[:-1]), abs(float(move[-1]))) < _MOVE_LEAST:
            return Maximum(beta=at[:-1], theta=float(np.exp(at[-1])), iterations=step)
    return None


def _largest(X: Array, move: Array) -> float:
    """The largest change of a log mean."""
    return float(np.abs(X @ move).max())


def _ascent(data: CountData, at: Array, gradient: Array, hessian: Array) -> Array:
    """Newton's step, or where the surface is not concave, Fisher's for beta and a plain one for log theta."""
    try:
        np.linalg.cholesky(-hessian)
        return np.linalg.solve(-hessian, gradient)
    except np.linalg.LinAlgError:
        expected = information(data, at[:-1], float(np.exp(at[-1])))
        step = np.linalg.lstsq(expected, gradient[:-1], rcond=None)[0]
        slope = float(gradient[-1])
        return np.append(step, slope / max(abs(float(hessian[-1, -1])), abs(slope), 1e-8))


def _poisson_value(data: CountData, beta: Array) -> float:
    eta = data.eta(beta)
    return float(data.weights @ (data.y * eta - np.exp(eta)))


def _value(data: CountData, rising: _Rising, beta: Array, theta: float) -> float:
    eta = data.eta(beta)
    rest = data.y * eta - (data.y + theta) * np.log1p(np.exp(eta) / theta)
    return rising.value(theta) + float(data.weights @ rest)


def _slopes(data: CountData, rising: _Rising, beta: Array, theta: float) -> tuple[Array, Array]:
    """Gradient and Hessian of the log likelihood in (beta, log theta)."""
    y, X, weights = data.y, data.X, data.weights
    mu = np.exp(data.eta(beta))
    whole = theta + mu
    first, second = rising.slopes(theta)
    slope = first - float(weights @ (np.log1p(mu / theta) + (y - mu) / whole))
    bend = float(weights @ (1 / theta - 2 / whole + (y + theta) / whole**2)) - second
    p = X.shape[1]
    hessian = np.empty((p + 1, p + 1))
    hessian[:p, :p] = -(X.T @ (X * (weights * mu * theta * (y + theta) / whole**2)[:, None]))
    hessian[:p, p] = hessian[p, :p] = theta * (X.T @ (weights * (y - mu) * mu / whole**2))
    hessian[p, p] = theta**2 * bend + theta * slope
    gradient = X.T @ (weights * (y - mu) * theta / whole)
    return np.append(gradient, theta * slope), hessian
