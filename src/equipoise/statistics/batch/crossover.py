"""Fit or simulate very many two-period crossover trials with counts and a random patient effect.

The kernels do what has a regular maximum. The fit of one dataset, `..crossover.fit_crossover_counts`, stays:
it takes any columns and any number of periods without a compiler, they are held against it, and it fits the
trials that they leave.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from ..arguments import ArgumentError, check_not_negative, check_one_of, check_positive, check_whole
from ..crossover import CrossoverFit, CrossoverStatus, fit_crossover_counts
from ..quadrature import check_nodes, standard_nodes
from .block import COUNT_MOST
from .crossover_generate import MEAN_MOST, draw_counts, draw_patients
from .crossover_kernel import ALPHA_NONE, LEFT, fit_trials, make_work
from .crossover_solve import (
    ALPHA,
    CARRY_OVER,
    ERRORS,
    ESTIMATES,
    LOG_LIKELIHOOD,
    OUTCOME,
    PERIOD,
    RESULTS,
    RHO,
    TREATMENT,
)
from .engine import check_seed
from .passes import Floats, Wholes

CrossoverTests = Literal["all", "wald"]

# The codes of `CrossoverResults.status` are places in this row.
CROSSOVER_STATUSES: tuple[CrossoverStatus, ...] = get_args(CrossoverStatus)

# Trials that a thread takes at a time.
_SHARE = 64
# One patient in a million has an effect beyond so many standard deviations.
_EFFECT_MOST = 4.75
_NAMES = ("intercept", "period", "treatment", "sequence")
_TERMS = (
    ("intercept", "intercept", "intercept_error"),
    ("period", "period", "period_error"),
    ("treatment", "log_ratio", "standard_error"),
    ("sequence", "carry_over", "carry_over_error"),
)
# Of the outcomes of the kernels, LEFT, FITTED, POISSON and NO_VARIANCE.
_CODES = np.array(
    [CROSSOVER_STATUSES.index(name) for name in ("not_converged", "fitted", "poisson", "no_variance")]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossoverResults:
    """One number for each trial; a test that does not exist for a trial's data is 0, hence rejects nothing.

    `status`: a place in CROSSOVER_STATUSES, with the meaning that `crossover.CrossoverFit` has. `log_ratio`,
    `period` (second less first), `carry_over` (treatment first less reference first) and their errors, from
    the observed information of all parameters; infinite where counts are separated, NaN where a term is not
    in the model or cannot be told. `theta` is infinite without over-dispersion, `sigma` 0 without a variance
    of the patients, NaN where it cannot be told. `likelihood_ratio` (chi-square, one degree of freedom)
    compares with the model without treatment; with `tests="wald"` it is 0.
    """

    log_ratio: Floats
    standard_error: Floats
    intercept: Floats
    intercept_error: Floats
    period: Floats
    period_error: Floats
    carry_over: Floats
    carry_over_error: Floats
    theta: Floats
    sigma: Floats
    log_likelihood: Floats
    wald_z: Floats
    likelihood_ratio: Floats
    status: NDArray[np.int8]


_FIELDS = tuple(field.name for field in fields(CrossoverResults))


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedCrossovers(CrossoverResults):
    """The results of simulated trials `first`, `first` + 1, ... of a seed."""

    seed: int
    first: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossoverDesign:
    """A trial of two sequences and two periods, with a normal effect of each patient on the log rate.

    patients: all that are randomised, in permuted blocks of `block` (reference first, treatment first)
    patients. rate0: mean rate over patients under the reference, in the first period of those who begin with
    it; ratio: of the rates, treatment over reference; period: of the rates, second over first; carry_over: of
    the rates of those who begin with treatment over the others', in both periods. dispersion: k of the
    variance mu + k mu^2 of a patient's own counts; sigma: SD of the patients' effects. exposure: of each
    period.
    """

    patients: int
    rate0: float
    ratio: float
    dispersion: float
    sigma: float
    period: float = 1.0
    carry_over: float = 1.0
    exposure: tuple[float, float] = (1.0, 1.0)
    block: tuple[int, int] = (2, 2)

    def __post_init__(self) -> None:
        for name in ("rate0", "ratio", "period", "carry_over"):
            check_positive(name, getattr(self, name))
        check_not_negative("dispersion", self.dispersion)
        check_not_negative("sigma", self.sigma)
        for exposure in self.exposure:
            check_positive("exposure", exposure)
        for count in self.block:
            check_whole("block", count)
        check_whole("patients", self.patients, sum(self.block))
        if not float(self.means.max()) * np.exp(_EFFECT_MOST * self.sigma) <= MEAN_MOST:
            allowed = f"such that no patient in a million has a mean count above {MEAN_MOST:g}"
            raise ArgumentError("rate0", self.rate0, allowed)

    @property
    def means(self) -> Floats:
        """Mean counts of a patient whose effect is 0: by sequence (reference first) and period."""
        rates = np.array([[1.0, self.ratio * self.period], [self.ratio, self.period]])
        rates[1] *= self.carry_over
        level = self.rate0 * np.exp(-0.5 * self.sigma**2)
        means: Floats = level * rates * np.array(self.exposure)
        return means


def fit_crossovers(
    y: ArrayLike,
    treated_first: ArrayLike,
    offset: ArrayLike | None = None,
    carry_over: bool = False,
    nodes: int = 15,
    threads: int = 1,
    tests: CrossoverTests = "all",
) -> CrossoverResults:
    """Fit log E(y) = intercept + period + treatment (+ carry-over) + offset + patient's effect to each trial.

    y, offset: trials by patients by two periods, the offset also of one trial for all; treated_first: 1 for
    patients who have treatment in the first period, else 0, trials by patients or one row for all; nodes: 1
    to 99 of adaptive Gauss-Hermite quadrature. Newton's method with the Hessian of the approximation itself;
    results are those of `crossover.fit_crossover_counts`. tests: "wald" leaves the model without treatment
    aside, in half the time. Raises ArgumentError for what is no data; what is degenerate has a status.
    """
    check_nodes(nodes)
    check_whole("threads", threads)
    check_one_of("tests", tests, get_args(CrossoverTests))
    counts = np.ascontiguousarray(np.asarray(y, dtype=float))
    if counts.ndim != 3 or counts.shape[2] != 2 or not counts.size:
        raise ArgumentError("y", f"an array of the shape {counts.shape}", "trials by patients by two periods")
    if not ((counts >= 0) & (counts <= COUNT_MOST) & (counts == np.floor(counts))).all():
        raise ArgumentError("y", "a table with other numbers", f"whole numbers from 0 to {COUNT_MOST}")
    first, shift = _check_rows(counts.shape, treated_first, offset)
    model = _Model(carry_over, nodes, tests == "all")

    def work(begin: int, end: int) -> Floats:
        part = slice(begin, end)
        return _fit(
            model,
            counts[part],
            first[part] if len(first) > 1 else first,
            shift[part] if len(shift) > 1 else shift,
        )

    return CrossoverResults(**_columns(_spread(work, len(counts), threads)))


def simulate_crossovers(
    design: CrossoverDesign,
    trials: int,
    seed: int,
    threads: int = 1,
    first: int = 0,
    carry_over: bool = False,
    nodes: int = 15,
    tests: CrossoverTests = "all",
) -> SimulatedCrossovers:
    """Simulate the trials `first` to `first + trials - 1` of a seed, and fit each as `fit_crossovers` does.

    Results depend on design, seed and the trial's number only: neither on threads, nor on how a run is
    divided. carry_over: whether the model has the term. Raises ArgumentError.
    """
    check_nodes(nodes)
    check_whole("trials", trials)
    check_whole("threads", threads)
    check_whole("first", first, 0)
    check_seed(seed)
    check_one_of("tests", tests, get_args(CrossoverTests))
    model = _Model(carry_over, nodes, tests == "all")
    shift = np.log(np.array(design.exposure)) * np.ones((1, design.patients, 2))

    def work(begin: int, end: int) -> Floats:
        y, sequence = draw_crossovers(design, end - begin, seed, first + begin)
        return _fit(model, y, sequence, shift)

    return SimulatedCrossovers(**_columns(_spread(work, trials, threads)), seed=seed, first=first)


def draw_crossovers(design: CrossoverDesign, trials: int, seed: int, first: int = 0) -> tuple[Floats, Wholes]:
    """Draw the trials that `simulate_crossovers` fits: counts, and 1 for patients treated first, else 0.

    Shapes: trials by patients by periods, and trials by patients. Raises ArgumentError.
    """
    check_whole("trials", trials)
    check_whole("first", first, 0)
    check_seed(seed)
    shape = (trials, design.patients)
    sequence, chances, y = np.zeros(shape, np.int64), np.zeros((*shape, 3)), np.zeros((*shape, 2))
    draw_patients(design.block, seed, first, sequence, chances)
    effects = design.sigma * ndtri(chances[:, :, 0])
    draw_counts(sequence, chances, effects, design.means.ravel(), design.dispersion, y)
    return y, sequence


def _check_rows(
    shape: tuple[int, ...], treated_first: ArrayLike, offset: ArrayLike | None
) -> tuple[Wholes, Floats]:
    """Return sequences and offsets: by trial, or one row for all."""
    trials, patients, _ = shape
    first = np.atleast_2d(np.asarray(treated_first, dtype=float))
    if first.shape not in ((1, patients), (trials, patients)):
        allowed = f"a row of {patients} numbers, or {trials} of them"
        raise ArgumentError("treated_first", f"an array of the shape {first.shape}", allowed)
    if not ((first == 0) | (first == 1)).all():
        raise ArgumentError("treated_first", "a table with other numbers", "0 and 1")
    shift = np.zeros((patients, 2)) if offset is None else np.asarray(offset, dtype=float)
    shift = np.ascontiguousarray(shift[None] if shift.ndim == 2 else shift)
    if shift.shape not in ((1, patients, 2), shape):
        raise ArgumentError("offset", f"an array of the shape {shift.shape}", f"of the shape {shape}")
    if not np.isfinite(shift).all():
        raise ArgumentError("offset", "a table with NaN or infinity", "finite numbers")
    return np.ascontiguousarray(first.astype(np.int64)), shift


@dataclass(frozen=True, slots=True)
class _Model:
    """What is fitted to each trial, and whether the model without treatment too."""

    carry_over: bool
    nodes: int
    with_null: bool


def _fit(model: _Model, y: Floats, first: Wholes, offset: Floats) -> Floats:
    """Return one row of numbers for each trial, in the order of the fields of CrossoverResults."""
    out = np.zeros(len(y) * 2 * RESULTS)
    work = make_work(y.shape[1], int(y.max()))
    z, log_weights = standard_nodes(model.nodes)
    fit_trials(work, y, first, offset, model.carry_over, model.with_null, z, log_weights, out)
    table = out.reshape(len(y), 2, RESULTS)
    rows = _rows(model, table)
    left = table[:, 0, OUTCOME] == LEFT
    if model.with_null:
        left |= table[:, 1, OUTCOME] == LEFT
    for trial in np.flatnonzero(left):
        rows[trial] = _row(model, y[trial], first[trial % len(first)], offset[trial % len(offset)])
    return rows


def _rows(model: _Model, table: Floats) -> Floats:
    """What the kernels found, as `_FIELDS` has it."""
    full, null = table[:, 0], table[:, 1]
    estimates, errors = full[:, ESTIMATES:ERRORS], full[:, ERRORS:]
    absent = 0.0 if model.carry_over else np.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        theta = np.where(estimates[:, ALPHA] > ALPHA_NONE, np.exp(-estimates[:, ALPHA]), np.inf)
        wald = estimates[:, TREATMENT] / errors[:, TREATMENT]
    ratio = 2 * (full[:, LOG_LIKELIHOOD] - null[:, LOG_LIKELIHOOD])
    columns = {
        "log_ratio": estimates[:, TREATMENT],
        "standard_error": errors[:, TREATMENT],
        "intercept": estimates[:, 0],
        "intercept_error": errors[:, 0],
        "period": estimates[:, PERIOD],
        "period_error": errors[:, PERIOD],
        "carry_over": estimates[:, CARRY_OVER] + absent,
        "carry_over_error": errors[:, CARRY_OVER] + absent,
        "theta": theta,
        "sigma": np.exp(estimates[:, RHO]),
        "log_likelihood": full[:, LOG_LIKELIHOOD],
        "wald_z": wald,
        "likelihood_ratio": np.maximum(ratio, 0.0) if model.with_null else 0.0 * ratio,
        "status": _CODES[full[:, OUTCOME].astype(int)],
    }
    return np.column_stack([columns[name] for name in _FIELDS])


def _row(model: _Model, y: Floats, first: Wholes, offset: Floats) -> Floats:
    """What the fit of one dataset finds, as `_FIELDS` has it."""
    once, second = np.ones(len(first)), np.tile([0.0, 1.0], len(first))
    treated, sequence = np.column_stack([first, 1 - first]).ravel(), np.repeat(first, 2)
    X = np.column_stack([np.repeat(once, 2), second, treated, sequence])
    patient = np.repeat(np.arange(len(first)), 2)
    terms = [0, PERIOD, TREATMENT, CARRY_OVER] if model.carry_over else [0, PERIOD, TREATMENT]

    def fit(columns: list[int]) -> CrossoverFit:
        names = [_NAMES[column] for column in columns]
        return fit_crossover_counts(y.ravel(), X[:, columns], patient, offset.ravel(), names, model.nodes)

    full = fit(terms)
    found: dict[str, float] = dict.fromkeys(_FIELDS, np.nan) | {"wald_z": 0.0, "likelihood_ratio": 0.0}
    for name, estimate, error in _TERMS:
        if name in full.coefficients.names:
            place = full.coefficients.names.index(name)
            found[estimate] = float(full.coefficients.values[place])
            found[error] = float(full.coefficients.covariance[place, place]) ** 0.5
        elif name in dict(full.diverging):
            found[estimate], found[error] = dict(full.diverging)[name] * np.inf, np.inf
    if np.isfinite(found["standard_error"]):
        found["wald_z"] = found["log_ratio"] / found["standard_error"]
    if full.usable:
        found["theta"] = np.inf if full.theta is None else full.theta
        found["sigma"] = np.nan if full.sigma is None else full.sigma
    if full.log_likelihood is not None:
        found["log_likelihood"] = full.log_likelihood
        without = fit([term for term in terms if term != TREATMENT]) if model.with_null else full
        if without.log_likelihood is not None:
            found["likelihood_ratio"] = max(0.0, 2 * (full.log_likelihood - without.log_likelihood))
    found["status"] = CROSSOVER_STATUSES.index(full.status)
    return np.array([found[name] for name in _FIELDS])


def _spread(work: Callable[[int, int], Floats], trials: int, threads: int) -> Floats:
    """Let threads fill the rows of the trials, a share at a time."""
    shares = [(begin, min(begin + _SHARE, trials)) for begin in range(0, trials, _SHARE)]
    if threads == 1:
        return np.concatenate([work(*share) for share in shares])
    with ThreadPoolExecutor(threads) as pool:
        return np.concatenate(list(pool.map(lambda share: work(*share), shares)))


def _columns(rows: Floats) -> dict[str, Any]:
    columns = {name: rows[:, place].copy() for place, name in enumerate(_FIELDS)}
    return columns | {"status": columns["status"].astype(np.int8)}
