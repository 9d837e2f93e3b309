"""Crossover trials: counts with a random patient effect or given the patient's total, and means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from .arguments import ArgumentError, check_counts, check_probability
from .continuous import TwoSample, crossover_difference, two_sample_t
from .counts import CountFit, fit_negative_binomial
from .design import Array, Coefficients, dummies, independent_columns, separating_direction
from .quadrature import MarginalLikelihood, Panel, Summit, as_panel, check_nodes, climb, polish

CrossoverStatus = Literal[
    "fitted", "poisson", "no_variance", "separated", "no_events", "no_data", "not_converged"
]
ConditionalStatus = Literal["fitted", "no_informative", "separated", "no_events", "not_converged"]

# From the first theta on the Poisson model is tried too; the last is the largest with digits left.
_THETA_FAR, _THETA_LAST = 1e3, 9e5
# A log likelihood that rises by less has not risen.
_RISE = 1e-7
_ITERATIONS_MAX = 100
_TOLERANCE = 1e-10

_NONE = Coefficients(names=(), values=np.zeros(0), covariance=np.zeros((0, 0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossoverFit:
    """A count regression with a log link and a normal intercept for each patient.

    `status`: `fitted`; `poisson` when a patient's own counts are not over-dispersed, so that theta is
    infinite; `no_variance` when the patients do not differ, so that sigma is 0 and the fit is that of
    `counts.fit_negative_binomial` (theta None where it too is Poisson), or when no patient has two rows left,
    so that sigma cannot be told from over-dispersion and is None; `separated` when the counts of some
    group are all 0, so that the coefficients of `diverging` (name: -1 or +1 for the direction) are infinite
    and the rows of the group are left out; `no_events`; `no_data` for fewer than two patients;
    `not_converged`. `parameters` has the coefficients, `log theta` and `log sigma` as far as they were
    estimated, with the inverse of the observed information of all of them. theta is of the variance
    mu + mu^2 / theta given the patient, sigma the SD of the patients' intercepts on the log scale.
    """

    status: CrossoverStatus
    coefficients: Coefficients = _NONE
    parameters: Coefficients = _NONE
    sigma: float | None = None
    theta: float | None = None
    log_likelihood: float | None = None
    aliased: tuple[str, ...] = ()
    diverging: tuple[tuple[str, int], ...] = ()
    iterations: int = 0
    n: int = 0
    patients: int = 0

    @property
    def usable(self) -> bool:
        """Whether the coefficients may be read."""
        return bool(self.coefficients.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionalFit:
    """A count regression given each patient's total.

    `status`: `fitted`; `no_events`; `no_informative` when no patient has events and two rows that differ;
    `separated` as in `CrossoverFit`; `not_converged`. `aliased` holds also the columns that are the same in
    all rows of each patient. `coefficients` has the model's information, which supposes Poisson counts given
    the patient, `robust` the sandwich over patients, which supposes the mean only, times m / (m - p) for m
    `informative` patients; None where one patient alone carries a coefficient. `dispersion` is Pearson's
    chi-square by its degrees of freedom, 1 for Poisson counts.
    """

    status: ConditionalStatus
    coefficients: Coefficients = _NONE
    robust: Coefficients | None = None
    dispersion: float | None = None
    log_likelihood: float | None = None
    aliased: tuple[str, ...] = ()
    diverging: tuple[tuple[str, int], ...] = ()
    iterations: int = 0
    informative: int = 0

    @property
    def usable(self) -> bool:
        """Whether the coefficients may be read."""
        return bool(self.coefficients.names)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinuousCrossover:
    """The effects of a two-period crossover in means; a contrast is None where the data give none.

    `treatment`: what the first sequence had in period 1 less what it had in period 2. `period`: period 2
    less period 1. `carry_over`: the first sequence's mean total less the second's, which is the difference
    of the carry-over effects.
    """

    treatment: TwoSample
    period: TwoSample
    carry_over: TwoSample


def crossover_design(
    sequence: Sequence[str], period: Sequence[str], treatment: Sequence[str], carry_over: bool = False
) -> tuple[Array, tuple[str, ...]]:
    """The columns `intercept`, `period ...`, `treatment ...` and, with carry-over, `sequence ...`.

    One row per patient and period; labels in alphabetical order, the first of each kind being the reference.
    In the design of two sequences and two periods the sequence column is the carry-over effect, from which
    neither a sequence effect nor an interaction of treatment and period can be told (Senn, Cross-over Trials
    in Clinical Research, 2nd ed., ch. 3).
    """
    n = len(sequence)
    for name, labels in (("period", period), ("treatment", treatment)):
        if len(labels) != n:
            raise ArgumentError(name, f"a row of {len(labels)} labels", f"as long as sequence, which has {n}")
    if not n:
        raise ArgumentError("sequence", "empty", "a row of at least one label")
    kinds = [("period", period), ("treatment", treatment)]
    columns: list[Array] = [np.ones((n, 1))]
    names = ["intercept"]
    for kind, labels in [*kinds, ("sequence", sequence)] if carry_over else kinds:
        texts = [str(label) for label in labels]
        found, added = dummies(texts, reference=min(texts), prefix=f"{kind} ")
        columns.append(found)
        names.extend(added)
    return np.hstack(columns), tuple(names)


def fit_crossover_counts(
    y: ArrayLike,
    X: ArrayLike,
    patient: ArrayLike,
    offset: ArrayLike | None = None,
    names: Sequence[str] = (),
    nodes: int = 15,
) -> CrossoverFit:
    """Fit log E(y) = X beta + offset + patient's normal intercept, with variance mu + mu^2 / theta.

    y: n counts; X: n by p with the intercept among its columns; patient: n labels; names: p, or none for
    `x1` and so on; nodes: 1 to 99 of adaptive Gauss-Hermite quadrature, 1 being the Laplace approximation.
    Maximum likelihood in beta, log theta and sigma together (Pinheiro and Bates, J Comput Graph Stat
    1995;4:12). Data never raise: see `CrossoverFit.status`; arguments raise ArgumentError.
    """
    counts, matrix, shift, labels, titles = _checked(y, X, patient, offset, names)
    check_nodes(nodes)
    patients = len(set(labels.tolist()))
    bare = CrossoverFit(status="no_data", n=len(counts), patients=patients)
    if patients < 2:
        return bare
    if not counts.any():
        return replace(bare, status="no_events")
    rows, columns, aliased, diverging = _estimable(matrix, counts > 0, titles)
    if not columns:
        return replace(bare, status="no_events", aliased=aliased)
    kept = tuple(titles[column] for column in columns)
    fit = _maximise(counts[rows], matrix[rows][:, columns], shift[rows], labels[rows], kept, nodes)
    if diverging and fit.usable:
        fit = replace(fit, status="separated", diverging=diverging)
    return replace(fit, aliased=aliased, n=len(counts), patients=patients)


def fit_conditional_counts(
    y: ArrayLike,
    X: ArrayLike,
    patient: ArrayLike,
    offset: ArrayLike | None = None,
    names: Sequence[str] = (),
) -> ConditionalFit:
    """Fit the ratios of a patient's own counts, given the patient's total.

    y: n counts; X: n by p; patient: n labels; names: p, or none for `x1` and so on. Given the total the
    counts are multinomial, or in two periods binomial with the logit of the difference of the two rows, and
    whatever the patient brings into all periods is gone (Hausman, Hall and Griliches, Econometrica
    1984;52:909). With the sandwich only the mean need be right (Wooldridge, J Econometrics 1999;90:77). Data
    never raise: see `ConditionalFit.status`; arguments raise ArgumentError.
    """
    counts, matrix, shift, labels, titles = _checked(y, X, patient, offset, names)
    if not counts.any():
        return ConditionalFit(status="no_events")
    _, index = np.unique(labels, return_inverse=True)
    differences = matrix - matrix[_base_rows(counts, index)[index]]
    told = np.bincount(index, weights=counts) > 0
    rows, columns, aliased, diverging = _estimable(differences[told[index]], counts[told[index]] > 0, titles)
    used = np.flatnonzero(told[index])[rows]
    differs = np.bincount(index[used], weights=np.abs(differences[used][:, columns]).sum(axis=1)) > 0
    used = used[differs[index[used]]]
    if not columns:
        status: ConditionalStatus = "separated" if diverging else "no_informative"
        return ConditionalFit(status=status, aliased=aliased, diverging=diverging)
    kept = tuple(titles[column] for column in columns)
    panel = as_panel(counts[used], differences[used][:, columns], shift[used], index[used])
    fit = replace(_conditional(panel, kept), aliased=aliased, diverging=diverging)
    return replace(fit, status="separated") if diverging and fit.usable else fit


def fit_crossover_means(first: ArrayLike, second: ArrayLike, level: float = 0.95) -> ContinuousCrossover:
    """Treatment, period and carry-over effect of a two-period crossover in means, each by a pooled t test.

    first, second: one row per patient of each sequence, period 1 and period 2 in its columns. The treatment
    effect supposes no difference in carry-over. That cannot be chosen from the same data: a test of the
    carry-over before it makes the whole procedure anti-conservative (Freeman, Stat Med 1989;8:1421), so the
    carry-over is to be read and not acted upon. A sequence without two patients, or no spread, gives None
    for a contrast (method: Senn, Cross-over Trials in Clinical Research, 2nd ed., ch. 3).
    """
    check_probability("level", level)
    a, b = _two_periods("first", first), _two_periods("second", second)
    before, after = a[:, 0] - a[:, 1], b[:, 0] - b[:, 1]
    return ContinuousCrossover(
        treatment=crossover_difference(before, after, level),
        period=crossover_difference(-before, after, level),
        carry_over=two_sample_t(a.sum(axis=1), b.sum(axis=1), level),
    )


def _two_periods(name: str, values: ArrayLike) -> Array:
    table = np.asarray(values, dtype=float)
    if table.ndim != 2 or table.shape[1] != 2 or not len(table):
        raise ArgumentError(name, f"an array of the shape {table.shape}", "rows of two periods, at least one")
    return _finite(name, table)


def _finite(name: str, values: Array) -> Array:
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        place = ", ".join(str(int(i)) for i in bad[0])
        raise ArgumentError(f"{name}[{place}]", float(values[tuple(bad[0])]), "a finite number")
    return values


def _checked(
    y: ArrayLike, X: ArrayLike, patient: ArrayLike, offset: ArrayLike | None, names: Sequence[str]
) -> tuple[Array, Array, Array, NDArray[np.str_], tuple[str, ...]]:
    counts = check_counts("y", y)
    n = len(counts)
    matrix = np.asarray(X, dtype=float)
    if matrix.ndim != 2 or len(matrix) != n or not matrix.shape[1]:
        raise ArgumentError("X", f"an array of the shape {matrix.shape}", f"{n} rows, as y has, by columns")
    labels = np.asarray(patient).astype(str)
    if labels.shape != (n,):
        raise ArgumentError(
            "patient", f"an array of the shape {labels.shape}", f"{n} labels, as y has counts"
        )
    shift = np.zeros(n) if offset is None else np.asarray(offset, dtype=float)
    if shift.shape != (n,):
        raise ArgumentError("offset", f"an array of the shape {shift.shape}", f"{n} numbers, as y has counts")
    titles = tuple(names) or tuple(f"x{column + 1}" for column in range(matrix.shape[1]))
    if len(set(titles)) != matrix.shape[1]:
        raise ArgumentError(
            "names", ", ".join(titles), f"{matrix.shape[1]} different names, as X has columns"
        )
    return counts, _finite("X", matrix), _finite("offset", shift), labels, titles


def _estimable(
    matrix: Array, fixed: NDArray[np.bool_], names: Sequence[str]
) -> tuple[NDArray[np.bool_], list[int], tuple[str, ...], tuple[tuple[str, int], ...]]:
    """The rows and columns that a finite maximum is left with, the aliased names and the diverging ones.

    `fixed` marks the rows with events: a group without any adds nothing at the supremum.
    """
    columns = independent_columns(matrix)
    aliased = tuple(name for column, name in enumerate(names) if column not in columns)
    rows = np.ones(len(matrix), dtype=bool)
    diverging: tuple[tuple[str, int], ...] = ()
    # Again after each direction: one that hides behind another shows only when the other is gone.
    while columns:
        direction = separating_direction(
            matrix[rows][:, columns], fixed[rows], np.zeros(int(rows.sum()), dtype=bool)
        )
        if direction is None:
            break
        slopes = dict(zip(columns, direction, strict=True))
        rows &= matrix[:, columns] @ direction > -1e-7
        moving = [column for column in columns if abs(slopes[column]) > 1e-7]
        # Of the columns that can no longer be told apart, those that diverge go first.
        order = [column for column in columns if column not in moving] + moving
        left = sorted(order[place] for place in independent_columns(matrix[rows][:, order]))
        diverging += tuple(
            (names[column], int(np.sign(slopes[column]))) for column in moving if column not in left
        )
        columns = left
    return rows, columns, aliased, diverging


def _maximise(
    y: Array, X: Array, offset: Array, patient: NDArray[np.str_], names: tuple[str, ...], nodes: int
) -> CrossoverFit:
    alike = fit_negative_binomial(y, X, offset, names)
    if not alike.usable or alike.log_likelihood is None:
        return CrossoverFit(status="not_converged", iterations=alike.iterations)
    panel = as_panel(y, X, offset, patient)
    if panel.y.shape[1] == 1:
        return replace(_without_variance(alike), sigma=None)
    least = alike.log_likelihood + _RISE
    likelihood, summit, over_dispersed = _top(panel, _start(panel, alike), nodes)
    if summit.value <= least:
        # A few trials have a second top, where the patients differ.
        k = 0.0 if alike.theta is None else 1 / alike.theta
        start = _share_out(panel, alike.coefficients.values, 1.0, k)
        likelihood, summit, over_dispersed = _top(panel, start, nodes)
    if summit.value <= least:
        return _without_variance(alike)
    found = polish(likelihood, summit)
    if found is None or found.information is None:
        return CrossoverFit(status="not_converged", iterations=summit.iterations)
    return _result(found, names, over_dispersed)


def _top(panel: Panel, start: Array, nodes: int) -> tuple[MarginalLikelihood, Summit, bool]:
    """Where a climb from a start ends, on which likelihood, and whether counts are over-dispersed there."""
    likelihood, p = MarginalLikelihood(panel, nodes, over_dispersed=True), panel.X.shape[2]
    ceiling = np.full(p + 2, np.inf)
    ceiling[p] = np.log(_THETA_FAR)
    summit = climb(likelihood, start, ceiling)
    if summit.at[p] <= ceiling[p]:
        return likelihood, summit, True
    without = MarginalLikelihood(panel, nodes, over_dispersed=False)
    other = climb(without, np.delete(summit.at, p))
    edge = np.insert(other.at, p, np.log(_THETA_LAST))
    if float(likelihood(edge)[1][:, p].sum()) < 0 or other.value < summit.value:
        return likelihood, climb(likelihood, summit.at), True
    # With the last dispersion that can be told from none the likelihood still falls. A few trials have a
    # second top, where dispersion is large.
    again = climb(likelihood, np.insert(other.at, p, 0.0), ceiling)
    if again.at[p] <= ceiling[p] and again.value > other.value + _RISE:
        return likelihood, again, True
    return without, other, False


def _start(panel: Panel, alike: CountFit) -> Array:
    """Moments of the marginal model: variance on and covariance off the diagonal, within a patient."""
    beta = alike.coefficients.values
    mu = np.exp(panel.X @ beta + panel.offset)
    rest = panel.y - mu
    pairs = float(np.sum(mu.sum(axis=1) ** 2 - (mu**2).sum(axis=1)))
    shared = float(np.sum(rest.sum(axis=1) ** 2 - (rest**2).sum(axis=1))) / pairs if pairs > 0 else 0.0
    variance = float(np.clip(np.log1p(max(shared, 0.0)), 0.04, 4.0))
    return _share_out(panel, beta, variance, float(np.sum(rest**2 - panel.y)) / float(np.sum(mu**2)))


def _share_out(panel: Panel, beta: Array, variance: float, dispersion: float) -> Array:
    """Give part of a dispersion between all counts to an effect of the patient."""
    rest = float(np.clip((1 + dispersion) / np.exp(variance) - 1, 0.05, 20.0))
    rows = panel.X.reshape(-1, panel.X.shape[2])
    level = np.linalg.lstsq(rows, np.ones(len(rows)), rcond=None)[0]
    return np.concatenate([beta - level * variance / 2, [-np.log(rest), variance**0.5]])


def _without_variance(alike: CountFit) -> CrossoverFit:
    observed = alike.observed
    return CrossoverFit(
        status="no_variance",
        coefficients=observed,
        parameters=observed,
        sigma=0.0,
        theta=alike.theta,
        log_likelihood=alike.log_likelihood,
        iterations=alike.iterations,
    )


def _result(summit: Summit, names: tuple[str, ...], over_dispersed: bool) -> CrossoverFit:
    at, p = summit.at.copy(), len(names)
    sigma = abs(float(at[-1]))
    # From sigma, which may have climbed on its negative side, to log sigma.
    scale = np.ones(len(at))
    scale[-1] = 1 / float(at[-1])
    at[-1] = np.log(sigma)
    covariance = np.linalg.inv(np.asarray(summit.information)) * np.outer(scale, scale)
    more = ("log theta", "log sigma") if over_dispersed else ("log sigma",)
    return CrossoverFit(
        status="fitted" if over_dispersed else "poisson",
        coefficients=Coefficients(names=names, values=at[:p], covariance=covariance[:p, :p]),
        parameters=Coefficients(names=(*names, *more), values=at, covariance=covariance),
        sigma=sigma,
        theta=float(np.exp(at[p])) if over_dispersed else None,
        log_likelihood=summit.value,
        iterations=summit.iterations,
    )


def _base_rows(counts: Array, index: NDArray[np.intp]) -> NDArray[np.intp]:
    """For each patient a row with events, where there is one."""
    order = np.lexsort((counts, index))
    last = np.append(np.flatnonzero(np.diff(index[order])), len(order) - 1)
    rows: NDArray[np.intp] = order[last]
    return rows


def _conditional(panel: Panel, names: tuple[str, ...]) -> ConditionalFit:
    y, X, total = panel.y, panel.X, panel.y.sum(axis=1)
    m, p = len(y), len(names)

    def shares(beta: Array) -> tuple[float, Array]:
        eta = X @ beta + panel.offset
        eta = eta - eta.max(axis=1, keepdims=True)
        logs = eta - np.log(np.exp(eta).sum(axis=1, keepdims=True))
        return float(np.sum(y * logs)), np.exp(logs)

    beta = np.zeros(p)
    value, share = shares(beta)
    for step in range(1, _ITERATIONS_MAX + 1):
        scores = np.einsum("ij,ijp->ip", y - total[:, None] * share, X)
        centred = X - np.einsum("ij,ijp->ip", share, X)[:, None, :]
        parts = np.einsum("ij,ijp,ijq->ipq", total[:, None] * share, centred, centred)
        try:
            inverse = np.linalg.inv(parts.sum(axis=0))
        except np.linalg.LinAlgError:
            break
        move = inverse @ scores.sum(axis=0)
        if float(np.max(np.abs(move))) < _TOLERANCE:
            variance, constant = _sandwich(inverse, parts, scores), gammaln(total + 1) - gammaln(y + 1).sum(1)
            return ConditionalFit(
                status="fitted",
                coefficients=Coefficients(names=names, values=beta, covariance=inverse),
                robust=None
                if variance is None
                else Coefficients(names=names, values=beta, covariance=variance),
                dispersion=_dispersion(panel, total[:, None] * share, p),
                log_likelihood=value + float(np.sum(constant)),
                iterations=step,
                informative=m,
            )
        for _ in range(30):
            now, share = shares(beta + move)
            if now >= value - 1e-12 * (1 + abs(value)):
                break
            move = move / 2
        beta, value = beta + move, now
    return ConditionalFit(status="not_converged", informative=m, iterations=_ITERATIONS_MAX)


def _sandwich(inverse: Array, parts: Array, scores: Array) -> Array | None:
    m, p = scores.shape
    if m <= p:
        return None
    # A patient who carries a direction of the coefficients alone is fitted exactly, and seems to vary by 0.
    root = np.linalg.cholesky(inverse)
    leverage = np.linalg.eigvalsh(root.T @ parts @ root)
    if float(leverage.max()) > 1 - 1e-9:
        return None
    covariance: Array = inverse @ (scores.T @ scores) @ inverse * (m / (m - p))
    return covariance


def _dispersion(panel: Panel, expected: Array, p: int) -> float | None:
    there = panel.offset > -1e3
    df = int(there.sum()) - len(panel.y) - p
    if df < 1:
        return None
    residuals = (panel.y[there] - expected[there]) ** 2 / expected[there]
    return float(residuals.sum()) / df
