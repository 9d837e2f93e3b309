"""The likelihood of counts with a normal intercept for each patient, by adaptive Gauss-Hermite quadrature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, expit, gammaln

from .arguments import ArgumentError, check_whole
from .design import Array

Objective = Callable[[Array], tuple[float, Array]]

# A row that a patient lacks is held by a mean of exp(-10000), which is 0 whatever the patient's intercept.
_ABSENT = -1e4
_NODES_MAX = 99
_MODE_STEPS_MAX = 200
_MODE_TOLERANCE = 1e-12
# Beyond this theta gammaln differences lose the digits that tell negative binomial counts from Poisson ones.
_LOG_THETA_MAX = float(np.log(1e6))
_CLIMB_STEPS_MAX = 200
_GAIN_TOLERANCE = 1e-10


@dataclass(frozen=True, slots=True)
class Panel:
    """Counts by patient and row, filled up to the longest patient with rows that add nothing.

    For I patients and at most m rows: `y` and `offset` are I by m, `X` is I by m by p.
    """

    y: Array
    X: Array
    offset: Array


def as_panel(y: Array, X: Array, offset: Array, patient: ArrayLike) -> Panel:
    """Rows arranged by patient, in an order that the labels of the patients and the rows' own order leave
    alone but for rounding.
    """
    _, index, sizes = np.unique(np.asarray(patient), return_inverse=True, return_counts=True)
    order = np.argsort(index, kind="stable")
    place = np.arange(len(y)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    shape = (len(sizes), int(sizes.max()))
    at = (index[order], place)
    counts, shift, matrix = np.zeros(shape), np.full(shape, _ABSENT), np.zeros((*shape, X.shape[1]))
    counts[at], shift[at], matrix[at] = y[order], offset[order], X[order]
    return Panel(counts, matrix, shift)


def check_nodes(nodes: int) -> int:
    """Return a number of nodes that there can be."""
    if check_whole("nodes", nodes) > _NODES_MAX:
        raise ArgumentError("nodes", nodes, f"a whole number from 1 to {_NODES_MAX}")
    return nodes


@lru_cache(maxsize=16)
def standard_nodes(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes in standard deviations, and the log weights of a density's values there."""
    x, weights = np.polynomial.hermite.hermgauss(count)
    z: NDArray[np.float64] = np.sqrt(2.0) * x
    log_weights: NDArray[np.float64] = np.log(weights) + x**2 - 0.5 * np.log(np.pi)
    return z, log_weights


class MarginalLikelihood:
    """The log likelihood of a panel and each patient's part of its gradient, in (beta, log theta, sigma).

    log E(y) = X beta + offset + sigma u with u standard normal for each patient; the variance of y given u
    is mu + mu^2 / theta, or with `over_dispersed` false mu, and log theta is not among the parameters. Sigma
    may be negative: the likelihood is even in it, hence smooth at 0. The gradient is that of the
    approximation itself, the nodes' dependence on the parameters included, so that value and gradient agree
    at any number of nodes; 1 is the Laplace approximation (Pinheiro and Bates, J Comput Graph Stat
    1995;4:12).
    """

    def __init__(self, panel: Panel, nodes: int, over_dispersed: bool) -> None:
        self._panel, self._over_dispersed = panel, over_dispersed
        self._z, self._log_weights = standard_nodes(nodes)
        self._modes: Array = np.zeros(len(panel.y))
        self._constant = float(np.sum(gammaln(panel.y + 1)))

    def __call__(self, at: Array) -> tuple[float, Array]:
        """The log likelihood, and the scores: one row per patient, one column per parameter.

        Minus infinity, and scores of 0, where theta can no longer be told from infinity or a number is too
        large.
        """
        panel, sigma, p = self._panel, float(at[-1]), self._panel.X.shape[2]
        log_theta = float(at[p]) if self._over_dispersed else None
        bad = (-np.inf, np.zeros((len(panel.y), len(at))))
        if log_theta is not None and abs(log_theta) > _LOG_THETA_MAX:
            return bad
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            eta = panel.X @ at[:p] + panel.offset
            modes = self._find_modes(eta, log_theta, abs(sigma)) if sigma else self._modes * 0
            value, scores = self._evaluate(eta, log_theta, sigma, np.sign(sigma) * modes)
        if not (np.isfinite(value) and np.isfinite(scores).all()):
            return bad
        self._modes = modes
        return value, scores

    def _find_modes(self, eta: Array, log_theta: float | None, sigma: float) -> Array:
        """Each patient's most probable u for sigma above 0, by Newton's method within a bracket.

        The slope of the log density falls in u, and by at least 1 per unit: its root lies between 0 and the
        slope at 0, and where a mean lies between the smallest and the largest of its count.
        """
        y = self._panel.y
        first = sigma * _slopes(eta, y, log_theta)[0].sum(axis=1)
        reach = (np.log(y) - eta) / sigma
        low = np.minimum(np.maximum(first, reach.min(axis=1)), 0)
        high = np.maximum(np.minimum(first, reach.max(axis=1)), 0)
        modes = np.clip(self._modes, low, high)
        for _ in range(_MODE_STEPS_MAX):
            one, two = _slopes(eta + sigma * modes[:, None], y, log_theta)
            slope = sigma * one.sum(axis=1) - modes
            low, high = np.where(slope > 0, modes, low), np.where(slope < 0, modes, high)
            moved = modes + slope / (1 - sigma**2 * two.sum(axis=1))
            # A step off the bracket, or one without a value, is replaced by the bracket's middle.
            moved = np.where((moved >= low) & (moved <= high), moved, (low + high) / 2)
            change = np.abs(moved - modes)
            modes = moved
            if float(np.max(change - _MODE_TOLERANCE * np.abs(modes))) <= _MODE_TOLERANCE:
                break
        return modes

    def _evaluate(
        self, eta: Array, log_theta: float | None, sigma: float, modes: Array
    ) -> tuple[float, Array]:
        panel, z = self._panel, self._z
        y, X = panel.y, panel.X
        at_mode = eta + sigma * modes[:, None]
        one, two = _slopes(at_mode, y, log_theta)
        three = _third(at_mode, y, log_theta)
        first, second, third = one.sum(axis=1), two.sum(axis=1), three.sum(axis=1)
        curvature = 1 - sigma**2 * second
        spread = curvature**-0.5
        u = modes[:, None] + spread[:, None] * z
        at_nodes = eta[:, :, None] + sigma * u[:, None, :]
        terms, slopes, by_theta = _terms(at_nodes, y[:, :, None], log_theta)
        heights = terms.sum(axis=1) - u**2 / 2 + self._log_weights
        top = heights.max(axis=1)
        shares = np.exp(heights - top[:, None])
        total = shares.sum(axis=1)
        shares /= total[:, None]
        value = float(np.sum(np.log(spread) + top + np.log(total))) - self._constant
        mean_slope = slopes.sum(axis=1)
        by_node = shares * (sigma * mean_slope - u)
        drift = by_node.sum(axis=1)
        stretch = -0.5 * (1 + spread * (by_node @ z)) / curvature
        # What moves with the mode moves the curvature too, by its third derivative.
        shift = (drift - stretch * sigma**3 * third) / curvature
        rows = (slopes * shares[:, None, :]).sum(axis=2)
        rows = rows + (shift * sigma)[:, None] * two - (stretch * sigma**2)[:, None] * three
        columns = [np.einsum("ij,ijp->ip", rows, X)]
        if log_theta is not None:
            value += _rising(y, log_theta)
            direct = (by_theta.sum(axis=1) * shares).sum(axis=1)
            one_by, two_by = _slopes_by_theta(at_mode, y, log_theta)
            moved = shift * sigma * one_by.sum(axis=1) - stretch * sigma**2 * two_by.sum(axis=1)
            columns.append((direct + moved + _rising_by_theta(y, log_theta))[:, None])
        by_sigma = (shares * u * mean_slope).sum(axis=1)
        by_sigma += shift * (first + sigma * modes * second)
        by_sigma -= stretch * (2 * sigma * second + sigma**2 * modes * third)
        columns.append(by_sigma[:, None])
        return value, np.hstack(columns)


def _terms(eta: Array, y: Array, log_theta: float | None) -> tuple[Array, Array, Array]:
    """A count's log probability, less what does not depend on eta, with its slopes in eta and log theta.

    The latter also without what does not depend on eta; it is empty for Poisson counts.
    """
    if log_theta is None:
        mu = np.exp(eta)
        return y * eta - mu, y - mu, np.zeros(0)
    theta, t = np.exp(log_theta), eta - log_theta
    size = y + theta
    # log(1 + exp(t)) and its slope from one exponential that cannot overflow.
    small = np.exp(-np.abs(t))
    soft = np.maximum(t, 0) + np.log1p(small)
    fitted = size * np.where(t > 0, 1.0, small) / (1 + small)
    return y * t - size * soft, y - fitted, fitted - theta * soft - y


def _slopes(eta: Array, y: Array, log_theta: float | None) -> tuple[Array, Array]:
    """First and second derivatives of the log probability in eta."""
    if log_theta is None:
        mu = np.exp(eta)
        return y - mu, -mu
    size = y + np.exp(log_theta)
    share = expit(eta - log_theta)
    return y - size * share, -size * share * (1 - share)


def _third(eta: Array, y: Array, log_theta: float | None) -> Array:
    if log_theta is None:
        third: Array = -np.exp(eta)
        return third
    share = expit(eta - log_theta)
    return np.asarray(-(y + np.exp(log_theta)) * share * (1 - share) * (1 - 2 * share))


def _slopes_by_theta(eta: Array, y: Array, log_theta: float) -> tuple[Array, Array]:
    """The derivatives in log theta of the first two derivatives in eta."""
    theta, share = np.exp(log_theta), expit(eta - log_theta)
    inner = share * (1 - share)
    return (y + theta) * inner - theta * share, (y + theta) * inner * (1 - 2 * share) - theta * inner


def _rising(y: Array, log_theta: float) -> float:
    theta = np.exp(log_theta)
    return float(np.sum(gammaln(y + theta) - gammaln(theta)))


def _rising_by_theta(y: Array, log_theta: float) -> Array:
    theta = np.exp(log_theta)
    slope: Array = theta * (digamma(y + theta) - digamma(theta)).sum(axis=1)
    return slope


@dataclass(frozen=True, slots=True)
class Summit:
    """Where a climb ended, and how high; `information` is minus the Hessian, None when it was not asked for
    or is not positive definite.
    """

    at: Array
    value: float
    iterations: int
    information: Array | None = None


def climb(objective: Objective, start: Array, ceiling: Array | None = None) -> Summit:
    """Maximise by BFGS, from the inverse of the sum of the squared scores as first curvature.

    `objective` gives the value and the scores by patient (Berndt, Hall, Hall and Hausman, Ann Econ Soc Meas
    1974;3:653). The climb ends where a parameter passes its `ceiling`.
    """
    at = start
    value, scores = objective(at)
    gradient, metric = scores.sum(axis=0), _metric(scores)
    for step in range(1, _CLIMB_STEPS_MAX + 1):
        move = metric @ gradient
        gain = float(gradient @ move)
        if gain < _GAIN_TOLERANCE:
            return Summit(at, value, step)
        move = move * min(1.0, 1.5 / float(np.max(np.abs(move))))
        found = _search(objective, at, value, move, float(gradient @ move))
        if found is None:
            return Summit(at, value, step)
        move, value, scores = found
        change = gradient - scores.sum(axis=0)
        at, gradient = at + move, gradient - change
        if ceiling is not None and np.any(at > ceiling):
            return Summit(at, value, step)
        along = float(move @ change)
        if along > 1e-12 * float(np.linalg.norm(move) * np.linalg.norm(change)):
            across = np.eye(len(at)) - np.outer(move, change) / along
            metric = across @ metric @ across.T + np.outer(move, move) / along
        else:
            metric = _metric(scores)
    return Summit(at, value, _CLIMB_STEPS_MAX)


def _metric(scores: Array) -> Array:
    squares = scores.T @ scores
    ridge = np.diag(1e-3 * np.diag(squares) + 1e-3)
    inverse: Array = np.linalg.inv(squares + ridge)
    return inverse


def _search(
    objective: Objective, at: Array, value: float, move: Array, slope: float
) -> tuple[Array, float, Array] | None:
    """The first of the halved moves that rises enough; None when none does."""
    for halving in range(30):
        now, scores = objective(at + move)
        if now >= value + 1e-4 * slope / 2**halving:
            return move, now, scores
        move = move / 2
    return None


def polish(objective: Objective, summit: Summit) -> Summit | None:
    """Newton's method from a climb's end, with the information there; None when it does not settle.

    The Hessian is the central difference of the gradient.
    """
    at, value = summit.at, summit.value
    for step in range(1, 21):
        _, scores = objective(at)
        information = -_hessian(objective, at)
        try:
            np.linalg.cholesky(information)
        except np.linalg.LinAlgError:
            return None
        move = np.linalg.solve(information, scores.sum(axis=0))
        settled = float(np.max(np.abs(move) / (1 + np.abs(at)))) < 1e-5
        for _ in range(20):
            now = objective(at + move)[0]
            if now >= value - 1e-11 * (1 + abs(value)):
                break
            move = move / 2
        at, value = at + move, now
        if settled:
            # So short a step changes the information by no more than its own rounding.
            return Summit(at, value, summit.iterations + step, information)
    return None


def _hessian(objective: Objective, at: Array) -> Array:
    hessian = np.empty((len(at), len(at)))
    for column, place in enumerate(at):
        width = 1e-5 * max(1.0, abs(float(place)))
        step = np.zeros(len(at))
        step[column] = width
        above, below = objective(at + step)[1], objective(at - step)[1]
        hessian[column] = (above - below).sum(axis=0) / (2 * width)
    return (hessian + hessian.T) / 2
