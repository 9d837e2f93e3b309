"""Models of continuous outcomes: analysis of covariance, repeated measures, crossover, ranks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import fdtrc, ndtri

from .design import Array, Coefficients, Contrast, as_matrix, independent_columns, wald

LinearStatus = Literal["fitted", "too_few", "not_converged"]
Structure = Literal["independent", "exchangeable", "unstructured"]

_NONE = Coefficients(names=(), values=np.zeros(0), covariance=np.zeros((0, 0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearFit:
    """A linear model. `structure` is how the covariance within a subject was modelled; `sigma` the residual
    SD.
    """

    status: LinearStatus
    coefficients: Coefficients
    aliased: tuple[str, ...] = ()
    structure: Structure = "independent"
    sigma: float | None = None
    within: Array | None = None
    log_likelihood: float | None = None
    n: int = 0

    def joint_p(self, names: Sequence[str]) -> float | None:
        """The p-value of the F test that the coefficients of `names` are all 0."""
        found = self.coefficients.wald_test(names)
        if found is None or self.coefficients.df is None:
            return None
        statistic, df = found
        return float(fdtrc(df, self.coefficients.df, statistic / df))


def fit_ancova(y: ArrayLike, X: ArrayLike, names: Sequence[str]) -> LinearFit:
    """Ordinary least squares with t intervals; X holds the intercept, the arms and the covariates."""
    outcome, matrix = np.asarray(y, dtype=float), as_matrix(X, names)
    n = len(outcome)
    kept = independent_columns(matrix) if n else []
    aliased = tuple(name for column, name in enumerate(names) if column not in kept)
    df = n - len(kept)
    if not kept or df < 1:
        return LinearFit(status="too_few", coefficients=_NONE, aliased=aliased, n=n)
    used = matrix[:, kept]
    inverse = np.linalg.inv(used.T @ used)
    beta = inverse @ (used.T @ outcome)
    variance = float(np.sum((outcome - used @ beta) ** 2)) / df
    return LinearFit(
        status="fitted",
        coefficients=Coefficients(
            names=tuple(names[column] for column in kept),
            values=beta,
            covariance=inverse * variance,
            df=float(df),
        ),
        aliased=aliased,
        sigma=variance**0.5,
        n=n,
    )


def fit_repeated_measures(
    y: ArrayLike,
    X: ArrayLike,
    names: Sequence[str],
    subjects: Sequence[str],
    visits: Sequence[int],
    df_between: float,
) -> LinearFit:
    """A mixed model for repeated measures by restricted maximum likelihood (Mallinckrodt, Drug Inf J
    2008;42:303).

    One row per measurement; `visits` counts from 0. The covariance within a subject is unstructured, or
    exchangeable where the data do not carry it. t tests have `df_between` degrees of freedom, as SAS's
    between-within method gives for effects between subjects.
    """
    outcome, matrix = np.asarray(y, dtype=float), as_matrix(X, names)
    kept = independent_columns(matrix) if len(outcome) else []
    aliased = tuple(name for column, name in enumerate(names) if column not in kept)
    too_few = LinearFit(status="too_few", coefficients=_NONE, aliased=aliased, n=len(outcome))
    if not kept or len(outcome) - len(kept) < 2 or df_between < 1:
        return too_few
    groups = _by_pattern(outcome, matrix[:, kept], subjects, visits)
    width = max(visits) + 1
    if width == 1:
        return fit_ancova(y, X, names)
    start = fit_ancova(y, X, names).sigma or 0.0
    if start == 0:
        return too_few
    observed = sum(block.subjects for block in groups if len(block.visits) > 1)
    structures: tuple[Structure, ...] = ("unstructured", "exchangeable")
    for structure in structures:
        if structure == "unstructured" and observed < 2 * width:
            continue
        found = _restricted(groups, structure, width, start)
        if found is not None:
            value, within, beta, covariance = found
            return LinearFit(
                status="fitted",
                coefficients=Coefficients(
                    names=tuple(names[column] for column in kept),
                    values=beta,
                    covariance=covariance,
                    df=df_between,
                ),
                aliased=aliased,
                structure=structure,
                sigma=float(within[-1, -1]) ** 0.5,
                within=within,
                log_likelihood=-value,
                n=len(outcome),
            )
    return LinearFit(status="not_converged", coefficients=_NONE, aliased=aliased, n=len(outcome))


@dataclass(frozen=True, slots=True)
class _Block:
    """Subjects with the same visits, as the sums over them that the likelihood needs.

    For k visits and p columns: `yy` is k*k, `xy` k*k by p, `xx` k*k by p*p.
    """

    visits: tuple[int, ...]
    subjects: int
    yy: Array
    xy: Array
    xx: Array


def _by_pattern(y: Array, X: Array, subjects: Sequence[str], visits: Sequence[int]) -> list[_Block]:
    rows: dict[str, list[int]] = {}
    for row, subject in enumerate(subjects):
        rows.setdefault(subject, []).append(row)
    patterns: dict[tuple[int, ...], list[list[int]]] = {}
    for mine in rows.values():
        mine.sort(key=lambda row: visits[row])
        patterns.setdefault(tuple(visits[row] for row in mine), []).append(mine)
    blocks: list[_Block] = []
    for pattern, all_ in sorted(patterns.items()):
        own_y, own_x = y[np.array(all_)], X[np.array(all_)]
        square, p = len(pattern) ** 2, X.shape[1]
        blocks.append(
            _Block(
                pattern,
                len(all_),
                np.einsum("si,sj->ij", own_y, own_y).reshape(square),
                np.einsum("sip,sj->ijp", own_x, own_y).reshape(square, p),
                np.einsum("sip,sjq->ijpq", own_x, own_x).reshape(square, p * p),
            )
        )
    return blocks


def _restricted(
    blocks: list[_Block], structure: Structure, width: int, sd: float
) -> tuple[float, Array, Array, Array] | None:
    """Minimise minus the restricted log likelihood; its value, the covariance within, beta and its
    covariance.
    """
    from scipy.optimize import minimize  # noqa: PLC0415  # slow to import

    lower = np.tril_indices(width)

    def covariance(parameters: Array) -> Array:
        if structure == "exchangeable":
            # Correlation between -1/(width-1) and 1, so that the matrix stays positive definite.
            floor = -1 / (width - 1)
            share = floor + (1 - floor) / (1 + np.exp(-parameters[1]))
            scale = np.exp(2 * parameters[0])
            matrix: Array = scale * (share * np.ones((width, width)) + (1 - share) * np.eye(width))
            return matrix
        root = np.zeros((width, width))
        root[lower] = parameters
        product: Array = root @ root.T
        return product

    def value(parameters: Array) -> float:
        found = _generalised(
            blocks, covariance(parameters * sd if structure == "unstructured" else parameters)
        )
        return 1e10 if found is None else found[0]

    if structure == "unstructured":
        start = (np.linalg.cholesky(0.5 * np.eye(width) + 0.5))[lower]
    else:
        start = np.array([np.log(sd), 0.5])
    best = minimize(value, start, method="BFGS", options={"gtol": 1e-5, "maxiter": 300})
    within = covariance(best.x * sd if structure == "unstructured" else best.x)
    found = _generalised(blocks, within)
    eigenvalues = np.linalg.eigvalsh(within)
    if found is None or eigenvalues[0] < 1e-8 * eigenvalues[-1]:
        return None
    # BFGS may stop for want of precision at the very optimum; a flat gradient is what counts.
    if not best.success and float(np.max(np.abs(best.jac))) > 1e-2:
        return None
    return float(found[0]), within, found[1], found[2]


def _generalised(blocks: list[_Block], within: Array) -> tuple[float, Array, Array] | None:
    """Minus the restricted log likelihood at a covariance, with beta and its covariance there; None off
    bounds.
    """
    p = blocks[0].xy.shape[1]
    cross, moment = np.zeros((p, p)), np.zeros(p)
    square = constant = 0.0
    for block in blocks:
        part = within[np.ix_(block.visits, block.visits)]
        sign, log_determinant = np.linalg.slogdet(part)
        if sign <= 0 or not np.isfinite(log_determinant):
            return None
        weights = np.linalg.inv(part).reshape(-1)
        cross += (weights @ block.xx).reshape(p, p)
        moment += weights @ block.xy
        square += float(weights @ block.yy)
        constant += block.subjects * (log_determinant + len(block.visits) * np.log(2 * np.pi))
    sign, log_cross = np.linalg.slogdet(cross)
    if sign <= 0 or not np.isfinite(log_cross):
        return None
    inverse = np.linalg.inv(cross)
    beta = inverse @ moment
    value = 0.5 * (constant + square - float(moment @ beta) + log_cross - p * np.log(2 * np.pi))
    return float(value), beta, inverse


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoSample:
    """A comparison of two groups; `contrast` is None when a group has fewer than two values or no spread."""

    contrast: Contrast | None
    n: tuple[int, int]


def crossover_difference(first: ArrayLike, second: ArrayLike, level: float = 0.95) -> TwoSample:
    """The treatment effect of a two-period crossover, free of the period effect.

    `first` and `second` hold, for the two sequences, each patient's difference of period 1 less period 2.
    Half the difference of their means is the effect of what the first sequence had in period 1, with the
    pooled t test on n1 + n2 - 2 degrees of freedom (Senn, Cross-over Trials in Clinical Research, 2nd ed.,
    3.5).
    """
    pooled = two_sample_t(first, second, level)
    if pooled.contrast is None:
        return pooled
    whole = pooled.contrast
    return TwoSample(contrast=wald(whole.estimate / 2, whole.se / 2, level, whole.df), n=pooled.n)


def two_sample_t(first: ArrayLike, second: ArrayLike, level: float = 0.95) -> TwoSample:
    """Mean of `first` less mean of `second`, with the pooled t test."""
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    n = (len(a), len(b))
    if min(n) < 2:
        return TwoSample(contrast=None, n=n)
    df = sum(n) - 2
    variance = float(((a - a.mean()) ** 2).sum() + ((b - b.mean()) ** 2).sum()) / df
    se = (variance * (1 / n[0] + 1 / n[1])) ** 0.5
    if se == 0:
        return TwoSample(contrast=None, n=n)
    return TwoSample(contrast=wald(float(a.mean() - b.mean()), se, level, float(df)), n=n)


def paired_t(differences: ArrayLike, level: float = 0.95) -> Contrast | None:
    """The mean of paired differences with its t test; None for fewer than two or without spread."""
    d = np.asarray(differences, dtype=float)
    if len(d) < 2 or float(d.std(ddof=1)) == 0:
        return None
    return wald(float(d.mean()), float(d.std(ddof=1)) / len(d) ** 0.5, level, float(len(d) - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class RankTest:
    """A rank test with the Hodges-Lehmann estimate of the shift; its bounds are None where the data give
    none.
    """

    estimate: float | None
    low: float | None
    high: float | None
    p: float | None
    exact: bool


_EXACT_MAX = 25


def signed_rank(differences: ArrayLike, level: float = 0.95) -> RankTest:
    """Wilcoxon's signed-rank test: exact for up to 25 differences without ties or zeros, else normal.

    The interval is that of the ordered Walsh averages (Hollander and Wolfe, Nonparametric Statistical
    Methods, 3.3).
    """
    d = np.asarray(differences, dtype=float)
    if len(d) == 0:
        return RankTest(estimate=None, low=None, high=None, p=None, exact=False)
    rows, columns = np.triu_indices(len(d))
    walsh = np.sort((d[rows] + d[columns]) / 2)
    estimate, moved = float(np.median(walsh)), d[d != 0]
    n = len(moved)
    if n == 0:
        return RankTest(estimate=estimate, low=None, high=None, p=1.0, exact=False)
    from scipy.stats import rankdata, wilcoxon  # noqa: PLC0415  # slow to import

    exact = n == len(d) and n <= _EXACT_MAX and len(np.unique(rankdata(np.abs(moved)))) == n
    p = float(wilcoxon(moved, method="exact" if exact else "approx", correction=not exact).pvalue)
    low, high = _order_bounds(walsh, *_signed_rank_moments(len(d)), level)
    return RankTest(estimate=estimate, low=low, high=high, p=p, exact=exact)


def rank_sum(first: ArrayLike, second: ArrayLike, level: float = 0.95) -> RankTest:
    """Wilcoxon's rank-sum test with the Hodges-Lehmann shift of `first` against `second`."""
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if min(len(a), len(b)) == 0:
        return RankTest(estimate=None, low=None, high=None, p=None, exact=False)
    from scipy.stats import mannwhitneyu  # noqa: PLC0415  # slow to import

    differences = np.sort(np.subtract.outer(a, b).ravel())
    both = np.concatenate([a, b])
    exact = len(both) <= _EXACT_MAX and len(np.unique(both)) == len(both)
    spread = len(np.unique(both)) > 1
    p = float(mannwhitneyu(a, b, method="exact" if exact else "asymptotic").pvalue) if spread else 1.0
    mean, variance = len(a) * len(b) / 2, len(a) * len(b) * (len(both) + 1) / 12
    low, high = _order_bounds(differences, mean, variance, level)
    return RankTest(estimate=float(np.median(differences)), low=low, high=high, p=p, exact=exact)


def _signed_rank_moments(n: int) -> tuple[float, float]:
    return n * (n + 1) / 4, n * (n + 1) * (2 * n + 1) / 24


def _order_bounds(
    ordered: Array, mean: float, variance: float, level: float
) -> tuple[float | None, float | None]:
    """The order statistics that bound a shift, by the normal approximation of the rank statistic."""
    rank = int(np.floor(mean - float(ndtri((1 + level) / 2)) * variance**0.5))
    if rank < 1:
        return None, None
    return float(ordered[rank - 1]), float(ordered[len(ordered) - rank])
