"""Fit or simulate very many two-arm trials with counts as their endpoint."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from ..arguments import ArgumentError, check_not_negative, check_one_of, check_positive, check_whole
from .block import (
    COUNT_MOST,
    INTERCEPT,
    LOG_LIKELIHOOD,
    LOG_RATIO,
    RATIO,
    RESULTS,
    SCORE,
    SLOPE,
    STANDARD_ERROR,
    STATUS,
    THETA,
    WALD,
    make_block,
)
from .draws import draw_tables
from .generate import (
    GUIDE,
    Plan,
    first_probability,
    invert,
    make_bench,
    tabulate,
    write_guide,
)
from .pack import Data, are_whole, make_desk
from .passes import Floats, Wholes
from .results import STATUSES, FitResults, TrialResults
from .share import DRAWN, GIVEN, GIVEN_SITES, Task, Tools, run_share
from .sites import measure_sites

Tests = Literal["all", "wald"]
Method = Literal["auto", "tables", "inversion"]

__all__ = [
    "STATUSES",
    "CountDesign",
    "FitResults",
    "TrialData",
    "TrialResults",
    "baseline_levels",
    "check_seed",
    "draw_trials",
    "fit_many",
    "simulate_trials",
]

_PLACES = {
    "log_ratio": LOG_RATIO,
    "standard_error": STANDARD_ERROR,
    "intercept": INTERCEPT,
    "slope": SLOPE,
    "theta": THETA,
    "log_likelihood": LOG_LIKELIHOOD,
    "wald_z": WALD,
    "score_z": SCORE,
    "likelihood_ratio": RATIO,
}

# Trials that a thread takes at a time.
_SHARE = 512
_MEAN_MOST = 500.0
_TABLE_MOST = 1 << 22
_SEED_MOST = 1 << 63
_SITES_MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class CountDesign:
    """A two-arm trial with negative binomial counts.

    participants: all that are randomised, in permuted blocks of `block` (reference, treated) participants.
    rate0: mean rate of the reference arm over the levels of the covariate; ratio: treated over reference;
    dispersion: k of the variance mu + k mu^2. exposure: a participant's, or the least and greatest of a
    uniform follow-up; hazard: of drop-out, by which follow-up ends early.
    levels, weights: values of the baseline covariate and their probabilities; slope: of the log rate on it.
    None: no covariate, and none in the model.
    """

    participants: int
    rate0: float
    ratio: float
    dispersion: float
    exposure: float | tuple[float, float] = 1.0
    hazard: float = 0.0
    block: tuple[int, int] = (2, 2)
    levels: tuple[float, ...] | None = None
    weights: tuple[float, ...] | None = None
    slope: float = 0.0

    def __post_init__(self) -> None:
        check_positive("rate0", self.rate0)
        check_positive("ratio", self.ratio)
        check_not_negative("dispersion", self.dispersion)
        check_not_negative("hazard", self.hazard)
        low, high = self.follow_up
        check_positive("exposure", low)
        if not low <= high < np.inf:
            raise ArgumentError(
                "exposure", self.exposure, "a number above 0, or the least and the greatest one"
            )
        for count in self.block:
            check_whole("block", count)
        check_whole("participants", self.participants, sum(self.block))
        if not np.isfinite(self.slope):
            raise ArgumentError("slope", self.slope, "a finite number")
        if (self.levels is None) != (self.weights is None) or (self.levels is None and self.slope != 0):
            raise ArgumentError(
                "levels", self.levels, "given together with weights, and wherever there is a slope"
            )
        values, shares = np.array(self.levels or (0.0,)), np.array(self.weights or (1.0,))
        if values.shape != shares.shape or not np.isfinite(values).all():
            raise ArgumentError("levels", self.levels, "finite numbers, as many as there are weights")
        if not ((shares > 0).all() and abs(float(shares.sum()) - 1) < 1e-9):
            raise ArgumentError("weights", self.weights, "numbers above 0 with the sum 1")
        greatest = float(self.rates.max()) * high
        if not greatest <= _MEAN_MOST:
            raise ArgumentError("rate0", self.rate0, f"such that no mean count exceeds {_MEAN_MOST:g}")

    @property
    def follow_up(self) -> tuple[float, float]:
        """The least and the greatest exposure."""
        if isinstance(self.exposure, tuple):
            return self.exposure
        return self.exposure, self.exposure

    @property
    def rates(self) -> Floats:
        """Rates by level, the reference arm's first; each arm's mean rate is its own."""
        effects = np.exp(self.slope * np.array(self.levels or (0.0,)))
        reference = self.rate0 * effects / float(effects @ np.array(self.weights or (1.0,)))
        return np.concatenate([reference, self.ratio * reference])


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialData:
    """Trials by participants in the order of their randomisation; block: each participant's block."""

    y: Floats
    treatment: Floats
    covariate: Floats | None
    exposure: Floats
    block: Wholes


def baseline_levels(
    mean: float, dispersion: float, tail: float = 1e-9
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return log(1 + b) and the probabilities of negative binomial baseline counts b, cut off at `tail`."""
    check_positive("mean", mean)
    check_not_negative("dispersion", dispersion)
    size = invert(1.0 - tail, first_probability(mean, dispersion), mean, dispersion) + 1
    cdf = np.zeros(COUNT_MOST + 2)
    tabulate(mean, dispersion, cdf)
    weights = np.diff(cdf[:size], prepend=0.0)
    weights = weights / weights.sum()
    return tuple(np.log1p(np.arange(size)).tolist()), tuple(weights.tolist())


def check_seed(seed: int) -> None:
    """Refuse what cannot be the seed of a simulation."""
    check_whole("seed", seed, 0)
    if seed >= _SEED_MOST:
        raise ArgumentError("seed", seed, "below 2^63")


def simulate_trials(
    design: CountDesign,
    trials: int,
    seed: int,
    threads: int = 1,
    first: int = 0,
    tests: Tests = "all",
    method: Method = "auto",
) -> TrialResults:
    """Simulate the trials `first` to `first + trials - 1` of a seed, and analyse each.

    Results depend on design, seed and the trial's number only: neither on threads, nor on how a run is
    divided. tests: "wald" leaves the model without treatment aside, in half the time. method: of drawing
    counts, by tables where there are few means; the counts are the same. Raises ArgumentError.
    """
    check_whole("trials", trials)
    check_whole("threads", threads)
    check_whole("first", first, 0)
    check_seed(seed)
    check_one_of("tests", tests, ("all", "wald"))
    check_one_of("method", method, ("auto", "tables", "inversion"))
    plan = _make_plan(design, method)
    task = Task(
        source=DRAWN,
        participants=plan.participants,
        singles=len(plan.cdf) == 0,
        has_covariate=design.levels is not None,
        with_null=tests == "all",
        seed=seed,
        first=first,
        plan=plan,
        data=_NO_DATA,
    )

    def make_tools() -> Tools:
        block = make_block(2 * plan.participants, COUNT_MOST)
        return Tools(block, make_bench(plan), make_desk(1, 1))

    columns = _columns(_spread(task, make_tools, trials, threads))
    return TrialResults(**columns, seed=seed, first=first)


def draw_trials(design: CountDesign, trials: int, seed: int, first: int = 0) -> TrialData:
    """Draw the data that `simulate_trials` analyses; arguments as there."""
    check_whole("trials", trials)
    check_whole("first", first, 0)
    check_seed(seed)
    plan, shape = _make_plan(design, "inversion"), (trials, design.participants)
    cells, exposures, y = np.zeros(shape, np.int64), np.zeros(shape), np.zeros(shape)
    draw_tables(plan, seed, first, make_bench(plan).words, cells, exposures, y)
    levels = len(plan.level_x)
    return TrialData(
        y=y,
        treatment=(cells // levels).astype(float),
        covariate=None if design.levels is None else plan.level_x[cells % levels],
        exposure=exposures,
        block=np.arange(design.participants) // sum(design.block),
    )


def fit_many(
    y: ArrayLike,
    treatment: ArrayLike,
    covariate: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    threads: int = 1,
    tests: Tests = "all",
    sites: ArrayLike | None = None,
) -> FitResults:
    """Fit log E(y) = b0 + b1 treatment (+ b2 covariate) + offset, variance mu + mu^2 / theta, to each row of
    y.

    y: trials by participants; treatment (0 or 1), covariate, offset: the same shape, or one row for all
    trials. sites: so too, whole numbers from 0 on, each with an intercept of its own in place of b0. Maximum
    likelihood by Newton's method in the coefficients and log dispersion. Raises ArgumentError for what is no
    data, and where no site has both arms; what is degenerate has a status.
    """
    check_whole("threads", threads)
    check_one_of("tests", tests, ("all", "wald"))
    data = _check_data(y, treatment, covariate, offset, sites)
    participants, most = data.y.shape[1], int(data.y.max())
    rows, labels, used = 2 * participants, 0, 1
    if sites is not None:
        labels = int(data.sites.max()) + 1
        used, rows, apart = measure_sites(data.treated, data.sites, labels)
        if apart >= 0:
            raise ArgumentError("sites", f"one arm in each site of trial {apart}", "a site with both arms")
    task = Task(
        source=GIVEN if sites is None else GIVEN_SITES,
        participants=participants,
        singles=sites is not None,
        has_covariate=covariate is not None,
        with_null=tests == "all",
        seed=0,
        first=0,
        plan=_NO_PLAN,
        data=data,
    )

    def make_tools() -> Tools:
        desk = make_desk(participants, most, labels)
        return Tools(make_block(rows, most, used), make_bench(_NO_PLAN), desk)

    return FitResults(**_columns(_spread(task, make_tools, len(data.y), threads)))


def _check_data(
    y: ArrayLike,
    treatment: ArrayLike,
    covariate: ArrayLike | None,
    offset: ArrayLike | None,
    sites: ArrayLike | None,
) -> Data:
    counts = _check_wholes("y", y, COUNT_MOST, None)
    arms = _check_wholes("treatment", treatment, 1, counts.shape)
    treated = arms.sum(axis=1)
    if treated.min() == 0 or treated.max() == counts.shape[1]:
        raise ArgumentError("treatment", "a table with one arm in a trial", "0 and 1, both in every trial")
    nothing = np.zeros((1, counts.shape[1]))
    return Data(
        y=counts,
        treated=arms,
        x=nothing if covariate is None else _check_finite("covariate", covariate, counts.shape),
        offset=nothing if offset is None else _check_finite("offset", offset, counts.shape),
        sites=(
            nothing if sites is None else _check_wholes("sites", sites, _SITES_MOST - 1, counts.shape)
        ).astype(np.int64),
    )


def _check_table(name: str, values: ArrayLike, shape: tuple[int, ...] | None) -> Floats:
    table = np.ascontiguousarray(np.atleast_2d(np.asarray(values, dtype=float)))
    allowed = "trials by participants" if shape is None else f"of the shape {shape}, or one row of it"
    good = table.ndim == 2 and table.size > 0
    if shape is not None:
        good = good and table.shape[1] == shape[1] and table.shape[0] in (1, shape[0])
    if not good:
        raise ArgumentError(name, f"an array of the shape {table.shape}", allowed)
    return table


def _check_wholes(name: str, values: ArrayLike, most: int, shape: tuple[int, ...] | None) -> Floats:
    table = _check_table(name, values, shape)
    if not are_whole(table, most):
        raise ArgumentError(name, "a table with other numbers", f"whole numbers from 0 to {most}")
    return table


def _check_finite(name: str, values: ArrayLike, shape: tuple[int, ...]) -> Floats:
    table = _check_table(name, values, shape)
    if not np.isfinite(table).all():
        raise ArgumentError(name, "a table with NaN or infinity", "finite numbers")
    return table


def _make_plan(design: CountDesign, method: Method) -> Plan:
    low, high = design.follow_up
    rates, fixed = design.rates, low == high and design.hazard == 0
    if method == "tables" and not fixed:
        raise ArgumentError("method", method, '"inversion" or "auto" where exposure varies')
    begins, cdf, guide = np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.uint16)
    if fixed and method != "inversion":
        tables, row = [], np.zeros(COUNT_MOST + 2)
        guide = np.zeros(len(rates) * GUIDE, np.uint16)
        for cell, rate in enumerate(rates * high):
            length = tabulate(float(rate), float(design.dispersion), row)
            tables.append(row[:length].copy())
            write_guide(row[:length], guide[cell * GUIDE : (cell + 1) * GUIDE])
        lengths = [len(table) for table in tables]
        if sum(lengths) <= _TABLE_MOST or method == "tables":
            begins, cdf = np.cumsum([0, *lengths[:-1]]), np.concatenate(tables)
    level_cdf = np.cumsum(np.array(design.weights or (1.0,)))
    level_cdf[-1] = 1.0
    level_guide = np.zeros(GUIDE, np.uint16)
    write_guide(level_cdf, level_guide)
    return Plan(
        participants=int(design.participants),
        block=(int(design.block[0]), int(design.block[1])),
        level_cdf=level_cdf,
        level_guide=level_guide,
        level_x=np.array(design.levels or (0.0,), dtype=float),
        dispersion=float(design.dispersion),
        rates=rates,
        exposure=(float(low), float(high)),
        hazard=float(design.hazard),
        begins=begins,
        cdf=cdf,
        guide=guide,
    )


_NOTHING = np.zeros((1, 1))
_NO_DATA = Data(_NOTHING, _NOTHING, _NOTHING, _NOTHING, np.zeros((1, 1), np.int64))
_NO_PLAN = Plan(
    participants=0,
    block=(1, 1),
    level_cdf=np.zeros(0),
    level_guide=np.zeros(0, np.uint16),
    level_x=np.zeros(0),
    dispersion=0.0,
    rates=np.zeros(0),
    exposure=(0.0, 0.0),
    hazard=0.0,
    begins=np.zeros(0, np.int64),
    cdf=np.zeros(0),
    guide=np.zeros(0, np.uint16),
)


def _spread(task: Task, make_tools: Callable[[], Tools], trials: int, threads: int) -> Floats:
    """Let threads fill trials by RESULTS numbers; each takes the next share when it is done with one."""
    out = np.zeros(trials * RESULTS)
    shares = iter(range(0, trials, _SHARE))

    def work() -> None:
        tools = make_tools()
        # What an iterator has given to one thread it gives to no other.
        for begin in shares:
            end = min(begin + _SHARE, trials)
            run_share(task, tools, begin, end, out[begin * RESULTS : end * RESULTS])

    if threads == 1:
        work()
    else:
        with ThreadPoolExecutor(threads) as pool:
            for future in [pool.submit(work) for _ in range(threads)]:
                future.result()
    return out.reshape(trials, RESULTS)


def _columns(table: Floats) -> dict[str, Any]:
    columns = {name: table[:, place].copy() for name, place in _PLACES.items()}
    return columns | {"status": table[:, STATUS].astype(np.int8)}
