"""Regression of counts: negative binomial by maximum likelihood, and Poisson with robust standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arguments import ArgumentError, check_counts
from .count_likelihood import (
    CountData,
    information,
    log_likelihood,
    maximise,
    observed_information,
    scores,
)
from .design import Array, Coefficients, chi_square_p, independent_columns, separating_direction

CountStatus = Literal["fitted", "poisson", "separated", "no_events", "no_data", "not_converged"]

# A slope of a direction below this is rounding.
_SLOPE_LEAST = 1e-7


def _no_coefficients() -> Coefficients:
    return Coefficients(names=(), values=np.zeros(0), covariance=np.zeros((0, 0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class CountFit:
    """A count regression with a log link.

    `status`: `fitted`; `poisson` when the data are not over-dispersed, so that theta is infinite and the
    Poisson model was fitted; `separated` when the counts of some group are all 0, so that the coefficients of
    `diverging` (name: -1 or +1 for the direction) are infinite and the rows of the group tell nothing of the
    others; `no_events`, `no_data`, `not_converged`. `aliased` names the columns that others determine.
    `theta` is MASS's: variance mu + mu^2 / theta. `coefficients` has the expected information, with theta
    held fixed as MASS::glm.nb reports it, `observed` the full observed one, and `robust` the sandwich of
    both, which does not trust the model's variance, with the correction n / (n - p) (HC1: MacKinnon and
    White, J Econometrics 1985;29:305). `means` are the fitted means of the rows, 0 in a group without events
    and in rows without weight; `n` is the number of rows with weight.
    """

    status: CountStatus
    coefficients: Coefficients = field(default_factory=_no_coefficients)
    observed: Coefficients = field(default_factory=_no_coefficients)
    robust: Coefficients | None = None
    aliased: tuple[str, ...] = ()
    diverging: tuple[tuple[str, int], ...] = ()
    theta: float | None = None
    theta_se: float | None = None
    log_likelihood: float | None = None
    iterations: int = 0
    n: int = 0
    means: Array = field(default_factory=lambda: np.zeros(0))

    @property
    def usable(self) -> bool:
        """Whether the coefficients may be read."""
        return self.status in ("fitted", "poisson", "separated")


@dataclass(frozen=True, slots=True, kw_only=True)
class CountModel:
    """Checked arguments of a count regression: n counts, n by p columns, names, n offsets and weights."""

    y: Array
    X: Array
    offset: Array
    weights: Array
    names: tuple[str, ...]

    def keep(self, rows: NDArray[np.bool_], columns: Sequence[int]) -> CountModel:
        """The model of some rows and columns."""
        return CountModel(
            y=self.y[rows],
            X=self.X[rows][:, list(columns)],
            offset=self.offset[rows],
            weights=self.weights[rows],
            names=tuple(self.names[column] for column in columns),
        )

    def distinct(self) -> tuple[CountModel, tuple[str, ...]]:
        """The model without the columns that earlier ones determine, and their names."""
        kept = independent_columns(self.X / _sizes(self.X)) if len(self.y) else []
        lost = tuple(name for column, name in enumerate(self.names) if column not in kept)
        return self.keep(np.ones(len(self.y), dtype=bool), kept), lost


def check_model(
    y: ArrayLike, X: ArrayLike, offset: ArrayLike | None, names: Sequence[str], weights: ArrayLike | None
) -> CountModel:
    """The arguments of a count regression as arrays of floats.

    Raises ArgumentError for counts that are negative, not whole or not finite, for shapes that do not match,
    and for numbers that are not finite. No rows at all are no error.
    """
    counts = np.asarray(y, dtype=float)
    if counts.shape != (0,):
        counts = check_counts("y", counts)
    n = len(counts)
    matrix = np.asarray(X, dtype=float)
    if matrix.ndim != 2 or len(matrix) != n:
        raise ArgumentError("X", f"an array of the shape {matrix.shape}", f"a matrix of {n} rows, as y has")
    if matrix.shape[1] != len(names):
        raise ArgumentError("names", tuple(names), f"{matrix.shape[1]} names, one for each column of X")
    _check_finite("X", matrix)
    shift = _check_row("offset", offset, n, 0.0)
    prior = _check_row("weights", weights, n, 1.0)
    if (prior < 0).any():
        raise ArgumentError("weights", float(prior.min()), "finite numbers of 0 or more")
    return CountModel(y=counts, X=matrix, offset=shift, weights=prior, names=tuple(names))


def fit_negative_binomial(
    y: ArrayLike,
    X: ArrayLike,
    offset: ArrayLike | None = None,
    names: Sequence[str] = (),
    weights: ArrayLike | None = None,
) -> CountFit:
    """Fit log E(y) = X beta + offset with variance mu + mu^2 / theta, jointly in beta and log theta.

    y: n counts; X: n by p with the intercept among its columns; names: p; weights: n, each the factor of a
    row's log likelihood, as MASS::glm.nb takes them. Raises ArgumentError for what no dataset can hold
    (`check_model`); never raises for data, never gives NaN: see `CountFit.status`. Joint Newton in
    (beta, log theta) from the Poisson fit, Fisher scoring where the surface is not concave (model: Lawless,
    Canad J Stat 1987;15:209).
    """
    return fit_model(check_model(y, X, offset, names, weights))


def fit_poisson(
    y: ArrayLike,
    X: ArrayLike,
    offset: ArrayLike | None = None,
    names: Sequence[str] = (),
    weights: ArrayLike | None = None,
) -> CountFit:
    """Fit the Poisson model; the status is `poisson` when it was fitted."""
    return fit_model(check_model(y, X, offset, names, weights), over_dispersed=False)


def fit_poisson_gee(
    y: ArrayLike,
    X: ArrayLike,
    offset: ArrayLike | None,
    names: Sequence[str],
    clusters: Sequence[str],
) -> CountFit:
    """Fit a Poisson mean with independence working correlation and standard errors robust to clustering.

    The sandwich of Liang and Zeger (Biometrika 1986;73:13), times G / (G - 1) for G clusters. Both sets of
    standard errors of the result are this sandwich. Raises ArgumentError as `fit_negative_binomial` does.
    """
    model = check_model(y, X, offset, names, None)
    if len(clusters) != len(model.y):
        raise ArgumentError("clusters", f"{len(clusters)} names", f"{len(model.y)} names, as y has counts")
    fit = fit_model(model, over_dispersed=False)
    if not fit.usable or fit.status == "separated":
        return fit
    matrix = model.X[:, [model.names.index(name) for name in fit.coefficients.names]]
    order = {cluster: row for row, cluster in enumerate(dict.fromkeys(clusters))}
    if len(order) < 2:
        return replace(fit, status="no_data", coefficients=_no_coefficients(), observed=_no_coefficients())
    sums = np.zeros((len(order), matrix.shape[1]))
    np.add.at(sums, [order[cluster] for cluster in clusters], matrix * (model.y - fit.means)[:, None])
    bread = np.linalg.inv(matrix.T @ (matrix * fit.means[:, None]))
    robust = bread @ (sums.T @ sums) @ bread * len(order) / (len(order) - 1)
    coefficients = replace(fit.coefficients, covariance=robust)
    return replace(fit, coefficients=coefficients, observed=coefficients)


def likelihood_ratio_p(full: CountFit, reduced: CountFit) -> float | None:
    """The p-value of the columns that `full` has and `reduced` lacks; None unless both were fitted."""
    if full.log_likelihood is None or reduced.log_likelihood is None:
        return None
    df = len(full.coefficients.names) + len(full.diverging) - len(reduced.coefficients.names)
    return chi_square_p(2 * (full.log_likelihood - reduced.log_likelihood), df) if df > 0 else None


def fit_model(model: CountModel, *, over_dispersed: bool = True) -> CountFit:
    """Fit checked arguments."""
    present = model.weights > 0
    left, aliased = model.keep(present, range(len(model.names))).distinct()
    n = len(left.y)
    if not n or not left.y.any():
        status: CountStatus = "no_events" if n else "no_data"
        return CountFit(status=status, aliased=aliased, n=n, means=np.zeros(len(present)))
    inside = np.ones(n, dtype=bool)
    lost: dict[str, int] = {}
    # Along one direction not every group without events need come to light.
    while (found := _diverge(left)) is not None:
        stay, directions, gone = found
        inside[np.flatnonzero(inside)[~stay]] = False
        lost |= directions
        aliased += tuple(name for name in gone if name not in lost)
        left = left.keep(stay, [at for at, name in enumerate(left.names) if name not in gone])
    fit = _estimate(left, over_dispersed)
    diverging = tuple((name, lost[name]) for name in lost if name not in left.names)
    means = np.zeros(len(present))
    if fit.usable:
        means[np.flatnonzero(present)[inside]] = fit.means
        fit = replace(fit, status="separated", diverging=diverging) if diverging else fit
    return replace(fit, aliased=aliased, n=n, means=means)


def _diverge(model: CountModel) -> tuple[NDArray[np.bool_], dict[str, int], set[str]] | None:
    """The rows that stay where a group without an event drops out, the directions of columns, and the columns
    that cannot be told apart without it; None when the maximum is finite.
    """
    if not model.names:
        return None
    scaled = model.X / _sizes(model.X)
    slopes = separating_direction(scaled, model.y > 0, np.zeros(len(model.y), dtype=bool))
    if slopes is None:
        return None
    # The group contributes nothing at the supremum of the likelihood.
    stay = scaled @ slopes > -_SLOPE_LEAST
    if stay.all():
        return None
    directions = {
        name: 1 if slope > 0 else -1
        for name, slope in zip(model.names, slopes, strict=True)
        if abs(slope) > _SLOPE_LEAST
    }
    # Of the columns that can no longer be told apart, those that diverge go first.
    order = sorted(range(len(model.names)), key=lambda column: (model.names[column] in directions, column))
    kept = {model.names[order[at]] for at in independent_columns(scaled[stay][:, order])}
    return stay, directions, set(model.names) - kept


def _estimate(model: CountModel, over_dispersed: bool) -> CountFit:
    """The fit where every coefficient is finite."""
    # Orthonormal columns, lest a year of 2026 beside an intercept costs digits.
    basis, triangle = np.linalg.qr(model.X)
    data = CountData(y=model.y, X=basis, offset=model.offset, weights=model.weights)
    found = maximise(data, over_dispersed=over_dispersed)
    if found is None:
        return CountFit(status="not_converged")
    beta, theta, (n, p) = found.beta, found.theta, data.X.shape
    try:
        expected = observed = np.linalg.inv(information(data, beta, theta))
        theta_se = None
        if theta is not None:
            joint = np.linalg.inv(observed_information(data, beta, theta))
            observed, theta_se = joint[:p, :p], theta * float(joint[p, p]) ** 0.5
    except np.linalg.LinAlgError:
        return CountFit(status="not_converged", iterations=found.iterations)

    back = np.linalg.inv(triangle)

    def named(covariance: Array) -> Coefficients:
        return Coefficients(names=model.names, values=back @ beta, covariance=back @ covariance @ back.T)

    each = scores(data, beta, theta)
    return CountFit(
        status="poisson" if theta is None else "fitted",
        coefficients=named(expected),
        observed=named(observed),
        robust=named(expected @ (each.T @ each) @ expected * (n / (n - p))) if n > p else None,
        theta=theta,
        theta_se=theta_se,
        log_likelihood=log_likelihood(data, beta, theta),
        iterations=found.iterations,
        means=np.exp(data.eta(beta)),
    )


def _sizes(X: Array) -> Array:
    """The largest absolute value of each column, 1 for a column of zeros."""
    largest = np.abs(X).max(axis=0, initial=0.0)
    return np.where(largest > 0, largest, 1.0)


def _check_row(name: str, values: ArrayLike | None, n: int, otherwise: float) -> Array:
    row = np.full(n, otherwise) if values is None else np.asarray(values, dtype=float)
    if row.shape != (n,):
        raise ArgumentError(name, f"an array of the shape {row.shape}", f"a row of {n} numbers, as y has")
    _check_finite(name, row)
    return row


def _check_finite(name: str, values: Array) -> None:
    bad = np.argwhere(~np.isfinite(values))
    if bad.size:
        place = tuple(int(index) for index in bad[0])
        raise ArgumentError(f"{name}[{', '.join(map(str, place))}]", values[place], "a finite number")
