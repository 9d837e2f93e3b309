"""Tests and profile-likelihood intervals of one column of a negative binomial regression."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from math import comb, isfinite, prod, sqrt
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtri, ndtr, ndtri

from .arguments import ArgumentError, check_one_of, check_probability, check_whole
from .count_likelihood import CountData, observed_information
from .counts import CountFit, CountModel, CountStatus, check_model, fit_model
from .design import Array

Alternative = Literal["two-sided", "less", "greater"]
Information = Literal["expected", "observed", "robust"]
ColumnStatus = CountStatus | Literal["aliased"]

# Of the information of a column, the share that the other columns may leave before it counts as none.
_SHARE_LEAST = 1e-12
# Statistics that differ by less are tied: the same arrangement, summed in another order.
_TIE = 1e-9
_CELLS_AT_ONCE = 1_000_000
# How far, in units of the log mean, an end of an interval is sought.
_FAR = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CountTest:
    """The test of one coefficient.

    `status`: that of the fit which the test rests upon (Wald: with the column; score and permutation:
    without; likelihood ratio: with), or `aliased` where other columns determine this one. `statistic` has
    the sign of the effect and, but for the permutation test, a standard normal distribution under the
    hypothesis; it and `p` are None where the data give none. `permutations` were looked at, all of them where
    `exact`.
    """

    test: Literal["wald", "score", "likelihood_ratio", "permutation"]
    status: ColumnStatus
    statistic: float | None = None
    p: float | None = None
    permutations: int | None = None
    exact: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileInterval:
    """A coefficient with the ends of its profile-likelihood interval.

    An end is None where the likelihood does not fall far enough. Of a coefficient that diverges
    (`direction`, else 0) the estimate and the end on that side are infinite, hence None, and the other end
    is where the likelihood has fallen from its supremum.
    """

    status: ColumnStatus
    direction: int = 0
    estimate: float | None = None
    low: float | None = None
    high: float | None = None


def wald_test(
    fit: CountFit,
    name: str,
    *,
    information: Information = "expected",
    null: float = 0.0,
    alternative: Alternative = "two-sided",
) -> CountTest:
    """Test that a coefficient of a fit is `null` by its estimate and standard error.

    information: whose standard error, as `CountFit` has them. Too many rejections are to be expected in
    small arms; the other tests keep closer to their level. Raises ArgumentError for a name that the fit
    does not have.
    """
    check_one_of("information", information, ("expected", "observed", "robust"))
    _check_alternative(alternative)
    _check_null(null)
    if not fit.usable:
        return CountTest(test="wald", status=fit.status)
    lost = [each for each, _ in fit.diverging]
    check_one_of("name", name, [*fit.coefficients.names, *lost, *fit.aliased])
    chosen = {"expected": fit.coefficients, "observed": fit.observed, "robust": fit.robust}[information]
    contrast = chosen.contrast(name) if chosen is not None else None
    if contrast is None or contrast.se == 0:
        return CountTest(test="wald", status="aliased" if name in fit.aliased else fit.status)
    return _tested("wald", fit.status, (contrast.estimate - null) / contrast.se, alternative)


def score_test(
    y: ArrayLike,
    X: ArrayLike,
    offset: ArrayLike | None,
    names: Sequence[str],
    name: str,
    *,
    weights: ArrayLike | None = None,
    information: Literal["expected", "observed"] = "expected",
    null: float = 0.0,
    alternative: Alternative = "two-sided",
) -> CountTest:
    """Test that a coefficient is `null` by the slope of the likelihood there (Rao, Proc Camb Phil Soc
    1948;44:50).

    y, X, offset, names, weights: as `fit_negative_binomial` takes them; name: of the column. The other
    coefficients and theta are at their maximum without the column. With the expected information theta and
    the coefficients are orthogonal; with the observed one theta is profiled out too. Defined also where all
    counts of an arm are 0. Raises ArgumentError.
    """
    check_one_of("information", information, ("expected", "observed"))
    _check_alternative(alternative)
    column = _isolate(y, X, offset, names, name, weights, null)
    if column.status is not None:
        return CountTest(test="score", status=column.status)
    fit = fit_model(column.rest)
    if not fit.usable:
        return CountTest(test="score", status=fit.status)
    slope = _Slope(column.rest, fit)
    found = float(slope.of(column.x[None])[0])
    if not isfinite(found):
        return CountTest(test="score", status="aliased")
    if information == "observed" and not isfinite(found := slope.observed(column.x)):
        # Away from the maximum the observed information need not be positive.
        return CountTest(test="score", status=fit.status)
    return _tested("score", fit.status, found, alternative)


def likelihood_ratio_test(
    y: ArrayLike,
    X: ArrayLike,
    offset: ArrayLike | None,
    names: Sequence[str],
    name: str,
    *,
    weights: ArrayLike | None = None,
    null: float = 0.0,
    alternative: Alternative = "two-sided",
) -> CountTest:
    """Test that a coefficient is `null` by the fall of the likelihood when it is held there.

    Arguments as `score_test`. The statistic is the signed root of the likelihood ratio. A coefficient that
    diverges is tested against the supremum. Where no event was counted, nothing falls, and p is 1.
    """
    _check_alternative(alternative)
    column = _isolate(y, X, offset, names, name, weights, null)
    if column.status is not None:
        p = 1.0 if column.status == "no_events" else None
        return CountTest(test="likelihood_ratio", status=column.status, p=p)
    full, held = fit_model(column.whole), fit_model(column.rest)
    if full.log_likelihood is None or held.log_likelihood is None:
        status = held.status if full.usable else full.status
        return CountTest(test="likelihood_ratio", status=status)
    root = sqrt(max(2 * (full.log_likelihood - held.log_likelihood), 0.0))
    direction = dict(full.diverging).get(name)
    if direction is None:
        contrast = full.coefficients.contrast(name)
        if contrast is None:
            return CountTest(test="likelihood_ratio", status="aliased")
        direction = 1 if contrast.estimate >= null else -1
    return _tested("likelihood_ratio", full.status, direction * root, alternative)


def permutation_test(
    y: ArrayLike,
    X: ArrayLike,
    offset: ArrayLike | None,
    names: Sequence[str],
    name: str,
    *,
    strata: Sequence[object] | None = None,
    weights: ArrayLike | None = None,
    alternative: Alternative = "two-sided",
    permutations: int = 9_999,
    exact_up_to: int = 20_000,
    generator: np.random.Generator | None = None,
) -> CountTest:
    """Test that a column has no effect by the score statistics of its permutations.

    Arguments as `score_test`; strata: n labels, within which the values of the column change places, as the
    randomisation that drew them could have drawn them. All different arrangements are looked at where there
    are at most `exact_up_to`; else `permutations` random ones by `generator`, with p = (b + 1) / (m + 1)
    (Phipson and Smyth, Stat Appl Genet Mol Biol 2010;9:39). The other columns stay with their counts, so
    that the fit without the column serves for all. The test is exact, whatever the distribution of the
    counts, where each arrangement was as likely, and the hypothesis is that no count depends on the column.
    Raises ArgumentError, also when a generator is needed and not given.
    """
    _check_alternative(alternative)
    check_whole("permutations", permutations)
    check_whole("exact_up_to", exact_up_to, 0)
    column = _isolate(y, X, offset, names, name, weights, 0.0)
    labels = [None] * len(column.present) if strata is None else list(strata)
    if len(labels) != len(column.present):
        raise ArgumentError(
            "strata", f"{len(labels)} labels", f"{len(column.present)} labels, as y has counts"
        )
    if column.status is not None:
        p = 1.0 if column.status == "no_events" else None
        return CountTest(test="permutation", status=column.status, p=p)
    groups = _groups([label for label, present in zip(labels, column.present, strict=True) if present])
    count = prod(_arrangements_count(column.x[group]) for group in groups)
    exact = count <= exact_up_to
    if not exact and generator is None:
        raise ArgumentError("generator", None, f"a numpy Generator, for there are {count} arrangements")
    fit = fit_model(column.rest)
    if not fit.usable:
        return CountTest(test="permutation", status=fit.status)
    slope = _Slope(column.rest, fit)
    observed = float(slope.of(column.x[None])[0])
    if not isfinite(observed):
        return CountTest(test="permutation", status="aliased")
    draws = (
        _all_arrangements(column.x, groups)
        if exact or generator is None
        else _random_arrangements(column.x, groups, permutations, generator)
    )
    as_extreme = sum(_as_extreme(np.nan_to_num(slope.of(block)), observed, alternative) for block in draws)
    looked_at = count if exact else permutations
    p = as_extreme / count if exact else (as_extreme + 1) / (permutations + 1)
    return CountTest(
        test="permutation",
        status=fit.status,
        statistic=observed,
        p=p,
        permutations=looked_at,
        exact=exact,
    )


def profile_interval(
    y: ArrayLike,
    X: ArrayLike,
    offset: ArrayLike | None,
    names: Sequence[str],
    name: str,
    level: float = 0.95,
    *,
    weights: ArrayLike | None = None,
) -> ProfileInterval:
    """The values of a coefficient at which the likelihood-ratio test of level 1 - `level` does not reject.

    Arguments as `score_test`. The other coefficients and theta are at their maximum at each value. Where all
    counts of a group are 0 its log rate has no estimate, but the interval an end on one side. Raises
    ArgumentError.
    """
    check_probability("level", level)
    column = _isolate(y, X, offset, names, name, weights, 0.0)
    if column.status is not None:
        return ProfileInterval(status=column.status)
    full = fit_model(column.whole)
    top, drop = full.log_likelihood, float(chdtri(1, 1 - level))
    if top is None:
        return ProfileInterval(status=full.status)
    size = float(np.abs(column.x).max())

    def gap(value: float) -> float:
        held = fit_model(replace(column.rest, offset=column.rest.offset + value / size * column.x))
        return np.nan if held.log_likelihood is None else 2 * (top - held.log_likelihood) - drop

    direction = dict(full.diverging).get(name, 0)
    if direction:
        inside = _towards(gap, 0.0, direction, 1.0, below=True)
        end = None if inside is None else _end(gap, inside, -direction, 1.0, size)
        low, high = (end, None) if direction > 0 else (None, end)
        return ProfileInterval(status=full.status, direction=direction, low=low, high=high)
    contrast = full.coefficients.contrast(name)
    if contrast is None:
        return ProfileInterval(status="aliased")
    step = max(contrast.se * size * float(ndtri((1 + level) / 2)), 1e-6)
    low, high = (_end(gap, contrast.estimate * size, sign, step, size) for sign in (-1, 1))
    return ProfileInterval(status=full.status, estimate=contrast.estimate, low=low, high=high)


def _towards(
    gap: Callable[[float], float], start: float, sign: int, step: float, *, below: bool
) -> float | None:
    """The first of start, start + step, + 3 step, + 7 step... where the gap is below, or above, 0."""
    at = start
    while abs(at - start) <= _FAR:
        value = gap(at)
        if not isfinite(value):
            return None
        if (value < 0) == below:
            return at
        at += sign * step
        step *= 2
    return None


def _end(gap: Callable[[float], float], inside: float, sign: int, step: float, size: float) -> float | None:
    """Where the gap rises through 0, on one side of a value at which it is below; None when nowhere."""
    from scipy.optimize import brentq  # noqa: PLC0415  # slow to import

    outside = _towards(gap, inside + sign * step, sign, step, below=False)
    if outside is None or not gap(inside) < 0:
        return None
    try:
        return float(brentq(gap, inside, outside, xtol=1e-9)) / size
    except ValueError:
        # On the way the likelihood came to no maximum, which brentq refuses as a NaN.
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A column and the rest of its model, without rows of no weight and without aliased columns.

    `status` says why nothing can be tested, else None; `present` marks the rows that are left.
    """

    x: Array
    rest: CountModel
    whole: CountModel
    present: NDArray[np.bool_]
    status: ColumnStatus | None


def _isolate(
    y: ArrayLike,
    X: ArrayLike,
    offset: ArrayLike | None,
    names: Sequence[str],
    name: str,
    weights: ArrayLike | None,
    null: float,
) -> _Column:
    """Take a column out of a model, and hold its coefficient at `null` by the offset."""
    model = check_model(y, X, offset, names, weights)
    check_one_of("name", name, model.names)
    _check_null(null)
    if model.names.count(name) > 1:
        raise ArgumentError("names", model.names, f"names among which {name} is once")
    present = model.weights > 0
    whole, aliased = model.keep(present, range(len(model.names))).distinct()
    status: ColumnStatus | None = None
    if not len(whole.y):
        status = "no_data"
    elif not whole.y.any():
        status = "no_events"
    elif name in aliased:
        status = "aliased"
    if status is not None:
        return _Column(x=np.zeros(len(whole.y)), rest=whole, whole=whole, present=present, status=status)
    at = whole.names.index(name)
    every = np.ones(len(whole.y), dtype=bool)
    rest = whole.keep(every, [other for other in range(len(whole.names)) if other != at])
    x = whole.X[:, at]
    held = replace(rest, offset=rest.offset + null * x)
    return _Column(x=x, rest=held, whole=whole, present=present, status=None)


class _Slope:
    """Score statistics of columns, from the fit without them."""

    def __init__(self, rest: CountModel, fit: CountFit) -> None:
        self.fit = fit
        self.X = rest.X[:, [rest.names.index(each) for each in fit.coefficients.names]]
        self.y, self.offset, self.weights, self.theta = rest.y, rest.offset, rest.weights, fit.theta
        shrink = 1.0 if fit.theta is None else 1 + fit.means / fit.theta
        self.residual = np.where(fit.means > 0, self.weights * (self.y - fit.means) / shrink, 0.0)
        self.weight = self.weights * fit.means / shrink

    def of(self, columns: Array) -> Array:
        """The statistic of each row of `columns` by the expected information; NaN where it has none."""
        root = np.sqrt(self.weight)
        basis = np.linalg.qr(self.X * root[:, None])[0]
        scaled = columns * root
        # The projection is taken off rather than its square, for the difference may be small.
        left = scaled - (scaled @ basis) @ basis.T
        return self._divide(columns @ self.residual, np.sum(left**2, axis=1), np.sum(scaled**2, axis=1))

    def observed(self, x: Array) -> float:
        """The statistic of a column by the observed information."""
        if self.theta is None:
            return float(self.of(x[None])[0])
        inside, p = self.fit.means > 0, self.X.shape[1]
        data = CountData(
            y=self.y[inside],
            X=np.column_stack([self.X, x])[inside],
            offset=self.offset[inside],
            weights=self.weights[inside],
        )
        joint = observed_information(data, np.append(self.fit.coefficients.values, 0.0), self.theta)
        others = np.delete(np.arange(p + 2), p)
        cross = joint[p, others]
        left = joint[p, p] - cross @ np.linalg.solve(joint[np.ix_(others, others)], cross)
        return float(
            self._divide(np.array([x @ self.residual]), np.array([left]), np.array([joint[p, p]]))[0]
        )

    @staticmethod
    def _divide(slopes: Array, left: Array, whole: Array) -> Array:
        known = left > _SHARE_LEAST * whole
        return np.where(known, slopes / np.sqrt(np.where(known, left, 1.0)), np.nan)


def _groups(labels: Sequence[object]) -> list[NDArray[np.intp]]:
    """The rows of each label."""
    rows: dict[object, list[int]] = {}
    for row, label in enumerate(labels):
        rows.setdefault(label, []).append(row)
    return [np.array(each, dtype=np.intp) for each in rows.values()]


def _arrangements_count(values: Array) -> int:
    left, count = len(values), 1
    for times in np.unique(values, return_counts=True)[1]:
        count *= comb(left, int(times))
        left -= int(times)
    return count


def _arrangements(values: Array) -> Iterator[Array]:
    """Each different order of the values once."""
    distinct, times = np.unique(values, return_counts=True)

    def place(level: int, free: tuple[int, ...], row: Array) -> Iterator[Array]:
        if level == len(distinct) - 1:
            row = row.copy()
            row[list(free)] = distinct[level]
            yield row
            return
        for chosen in combinations(free, int(times[level])):
            row[list(chosen)] = distinct[level]
            yield from place(level + 1, tuple(each for each in free if each not in chosen), row)

    yield from place(0, tuple(range(len(values))), np.empty(len(values)))


def _all_arrangements(x: Array, groups: Sequence[NDArray[np.intp]]) -> Iterator[Array]:
    """Blocks of rows, together all different arrangements of the column within its groups."""
    block: list[Array] = []
    for parts in product(*(list(_arrangements(x[group])) for group in groups)):
        row = np.empty_like(x)
        for group, part in zip(groups, parts, strict=True):
            row[group] = part
        block.append(row)
        if len(block) * len(x) >= _CELLS_AT_ONCE:
            yield np.array(block)
            block = []
    if block:
        yield np.array(block)


def _random_arrangements(
    x: Array, groups: Sequence[NDArray[np.intp]], total: int, generator: np.random.Generator
) -> Iterator[Array]:
    """Blocks of rows, together `total` random arrangements of the column within its groups."""
    size = max(_CELLS_AT_ONCE // len(x), 1)
    for start in range(0, total, size):
        block = np.tile(x, (min(size, total - start), 1))
        for group in groups:
            block[:, group] = generator.permuted(block[:, group], axis=1)
        yield block


def _as_extreme(drawn: Array, observed: float, alternative: Alternative) -> int:
    """How many statistics are as extreme as the observed one."""
    if alternative == "two-sided":
        drawn, observed = np.abs(drawn), abs(observed)
    elif alternative == "less":
        drawn, observed = -drawn, -observed
    return int(np.count_nonzero(drawn >= observed - _TIE * (1 + abs(observed))))


def _tested(
    test: Literal["wald", "score", "likelihood_ratio"],
    status: ColumnStatus,
    statistic: float,
    alternative: Alternative,
) -> CountTest:
    tails = {"less": ndtr(statistic), "greater": ndtr(-statistic), "two-sided": 2 * ndtr(-abs(statistic))}
    return CountTest(test=test, status=status, statistic=statistic, p=float(tails[alternative]))


def _check_alternative(alternative: str) -> None:
    check_one_of("alternative", alternative, ("two-sided", "less", "greater"))


def _check_null(null: float) -> None:
    if not isfinite(null):
        raise ArgumentError("null", null, "a finite number")
