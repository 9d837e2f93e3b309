"""Design matrices: which columns can be estimated, and which lead to infinity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, ndtr, ndtri, stdtr, stdtrit

Array: TypeAlias = NDArray[np.floating[Any]]

RANK_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """A linear combination of coefficients with its Wald interval and two-sided p-value.

    `df` is None for the normal distribution.
    """

    estimate: float
    se: float
    low: float
    high: float
    p: float
    df: float | None = None


def wald(estimate: float, se: float, level: float = 0.95, df: float | None = None) -> Contrast:
    """The Wald interval and test of an estimate, by the normal or by the t distribution with `df`."""
    tail = (1 + level) / 2
    quantile = float(ndtri(tail) if df is None else stdtrit(df, tail))
    statistic = abs(estimate) / se if se > 0 else (0.0 if estimate == 0 else np.inf)
    p = 2 * float(ndtr(-statistic) if df is None else stdtr(df, -statistic))
    return Contrast(
        estimate=estimate, se=se, low=estimate - quantile * se, high=estimate + quantile * se, p=p, df=df
    )


def chi_square_p(statistic: float, df: int) -> float:
    """The upper tail of the chi-square distribution; a statistic below 0 by rounding counts as 0."""
    return float(chdtrc(df, max(statistic, 0.0)))


def as_matrix(X: ArrayLike, names: Sequence[str]) -> Array:
    """X as a matrix of floats, one column per name; ValueError when the shape differs."""
    matrix = np.asarray(X, dtype=float)
    if matrix.ndim != 2 or matrix.shape[1] != len(names):
        raise ValueError(f"X has the shape {matrix.shape}, but there are {len(names)} names of columns.")
    return matrix


def independent_columns(X: Array) -> list[int]:
    """The columns that are no combination of earlier ones, in order (as R drops aliased terms)."""
    kept: list[int] = []
    basis: list[Array] = []
    for column in range(X.shape[1]):
        x = X[:, column]
        rest = x
        # Twice, because one pass of Gram-Schmidt loses orthogonality to rounding.
        for _ in range(2):
            for unit in basis:
                rest = rest - unit * float(unit @ rest)
        length = float(np.linalg.norm(rest))
        if length > RANK_TOLERANCE * max(1.0, float(np.linalg.norm(x))):
            kept.append(column)
            basis.append(rest / length)
    return kept


def separating_direction(X: Array, fixed: NDArray[np.bool_], upper: NDArray[np.bool_]) -> Array | None:
    """A direction along which the likelihood rises without end, None when there is none.

    It must leave the rows of `fixed` unchanged; all others must not rise, or where `upper` holds must not
    fall (Albert and Anderson, Biometrika 1984;71:1). Found as a linear programme, only where the rank of the
    fixed rows leaves room for it.
    """
    anchored = X[fixed]
    if anchored.size and np.linalg.matrix_rank(anchored) == X.shape[1]:
        return None
    from scipy.optimize import linprog  # noqa: PLC0415  # slow to import, and seldom needed

    free = np.where(upper[:, None], -X, X)[~fixed]
    found = linprog(
        free.sum(axis=0),
        A_ub=np.vstack([free, -free]),
        b_ub=np.concatenate([np.zeros(len(free)), np.ones(len(free))]),
        A_eq=anchored if len(anchored) else None,
        b_eq=np.zeros(len(anchored)) if len(anchored) else None,
        bounds=[(None, None)] * X.shape[1],
        method="highs",
    )
    return np.asarray(found.x, dtype=float) if found.success and found.fun < -RANK_TOLERANCE else None


def dummies(
    values: Sequence[str], reference: str | None = None, prefix: str = ""
) -> tuple[Array, tuple[str, ...]]:
    """Indicator columns of a category, one for each level but the reference.

    The reference is the most frequent level, the first in alphabetical order among equals, unless it is
    given.
    """
    tally: dict[str, int] = {}
    for value in values:
        tally[value] = tally.get(value, 0) + 1
    levels = sorted(tally)
    base = reference if reference in tally else max(levels, key=lambda each: tally[each], default=None)
    shown = [level for level in levels if level != base]
    columns = np.array([[float(value == level) for level in shown] for value in values], dtype=float)
    return columns.reshape(len(values), len(shown)), tuple(f"{prefix}{level}" for level in shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficients:
    """Estimates by name of column, with their covariance; aliased columns are not among them."""

    names: tuple[str, ...]
    values: Array
    covariance: Array
    df: float | None = None

    def contrast(self, weights: str | Mapping[str, float], level: float = 0.95) -> Contrast | None:
        """A coefficient, or a weighted sum of several; None when one of them was not estimated."""
        wanted = {weights: 1.0} if isinstance(weights, str) else dict(weights)
        if any(name not in self.names for name, weight in wanted.items() if weight):
            return None
        vector = np.array([wanted.get(name, 0.0) for name in self.names])
        variance = float(vector @ self.covariance @ vector)
        if not np.isfinite(variance) or variance < 0:
            return None
        return wald(float(vector @ self.values), variance**0.5, level, self.df)

    def wald_test(self, names: Sequence[str]) -> tuple[float, int] | None:
        """The Wald chi-square and degrees of freedom of those coefficients of `names` that were estimated."""
        index = [self.names.index(name) for name in names if name in self.names]
        if not index:
            return None
        part = self.values[index]
        try:
            statistic = float(part @ np.linalg.solve(self.covariance[np.ix_(index, index)], part))
        except np.linalg.LinAlgError:
            return None
        return statistic, len(index)
