"""What a design does over and over: how often each test rejects, and what the estimate is worth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import log, sqrt
from typing import Literal

import numpy as np
from scipy.special import ndtri

from ..arguments import ArgumentError, check_one_of, check_probability, check_whole
from ..boundaries import Boundaries
from ..count_tests import Alternative
from .engine import CountDesign, check_seed, simulate_trials
from .one_by_one import SANDWICHED, SINGLE_TESTS, SLOW_TESTS, count_rejections
from .passes import Floats, Wholes
from .results import STATUSES, TrialResults
from .sandwich import robust_statistics
from .sequential import Look, at_stop, cut_off, looks_of, stops_of
from .spread import Workers

Direction = Literal["fewer", "more"]
KERNEL_TESTS = ("wald", "score", "likelihood_ratio")
TESTS = KERNEL_TESTS + SINGLE_TESTS

# Trials of a task: analysed at once, or one by one.
_AT_A_TIME = 8192
_FEW = 64
_HERE = Workers()


@dataclass(frozen=True, slots=True)
class Share:
    """A proportion of simulated trials, and its Monte Carlo standard error."""

    value: float
    error: float

    @classmethod
    def of(cls, count: int, trials: int) -> Share:
        """Return the share that `count` is."""
        value = count / trials if trials else float("nan")
        return cls(value, sqrt(value * (1 - value) / trials) if trials else float("nan"))


@dataclass(frozen=True, slots=True, kw_only=True)
class LookShare:
    """What happens at an analysis: how many participants it has, and by test which share of all trials ends
    there with a rejection, and which for futility.
    """

    participants: int
    rejected: dict[str, Share]
    futile: dict[str, Share]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operating:
    """The operating characteristics of a design under one truth, from `trials` simulated trials.

    rejected: by test. bias, spread: mean and standard deviation of the estimated log rate ratio less the
    true one, where it is finite. mean_error: the mean standard error there. coverage: of the Wald interval,
    there too. statuses: how many trials ended with each status. With looks, estimates and statuses are those
    of the look at which the first of the tests ends the trial, unadjusted for the looks; expected: by test,
    the mean number of participants in the end.
    """

    design: CountDesign
    trials: int
    rejected: dict[str, Share]
    looks: tuple[LookShare, ...]
    expected: dict[str, float]
    bias: float
    bias_error: float
    spread: float
    mean_error: float
    coverage: Share
    statuses: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """When a test rejects."""

    alpha: float
    sides: int
    direction: Direction
    looks: tuple[Look, ...]


@dataclass(frozen=True, slots=True)
class _Task:
    """Trials `first` to `first` + `number` - 1, to be analysed at once or one by one."""

    first: int
    number: int
    at_once: bool


@dataclass(frozen=True, slots=True)
class _Sums:
    """What the trials of a task add: by test, rejections and ends for futility at each look; of those with a
    finite estimate the sums of its distance to the truth, of the squares of these, and of standard errors,
    and how many intervals cover; statuses.
    """

    rejected: dict[str, tuple[int, ...]]
    futile: dict[str, tuple[int, ...]]
    known: int = 0
    away: float = 0.0
    squares: float = 0.0
    errors: float = 0.0
    covered: int = 0
    statuses: tuple[int, ...] = (0,) * len(STATUSES)

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(
            _added(self.rejected, other.rejected),
            _added(self.futile, other.futile),
            self.known + other.known,
            self.away + other.away,
            self.squares + other.squares,
            self.errors + other.errors,
            self.covered + other.covered,
            tuple(one + more for one, more in zip(self.statuses, other.statuses, strict=True)),
        )


def _added(one: dict[str, tuple[int, ...]], more: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    both = {
        name: tuple(map(sum, zip(one[name], more[name], strict=True))) for name in one.keys() & more.keys()
    }
    return one | more | both


def operating_characteristics(
    design: CountDesign,
    *,
    trials: int,
    seed: int,
    alpha: float = 0.05,
    sides: int = 2,
    direction: Direction = "fewer",
    tests: Sequence[str] = KERNEL_TESTS,
    bounds: Boundaries | None = None,
    threads: int = 1,
    workers: Workers = _HERE,
    progress: Callable[[int, int], None] = lambda _done, _tasks: None,
) -> Operating:
    """Simulate a design and say how its tests and its estimate behave.

    alpha: of both sides together where there are two. direction: what a one-sided test shows, fewer events
    under treatment or more. tests: of TESTS; those of KERNEL_TESTS are the fastest, and SLOW_TESTS take a
    thousand times as long. bounds: of a group-sequential test with this alpha and these sides; each look is
    an analysis of the first participants, all followed to the end, and SLOW_TESTS have none. threads: of each
    worker. workers: as `spread.open_workers` gives
    them. progress: is told how many tasks are done, and of how many. With `ratio` 1 the share that a test
    rejects is its type I error, else its power. Neither threads nor workers change a bit of the result.
    Raises ArgumentError.
    """
    check_whole("trials", trials)
    check_seed(seed)
    check_probability("alpha", alpha)
    check_one_of("sides", sides, (1, 2))
    check_one_of("direction", direction, ("fewer", "more"))
    check_whole("threads", threads)
    if not tests:
        raise ArgumentError("tests", "empty", "some of " + ", ".join(TESTS))
    for test in tests:
        check_one_of("tests", test, TESTS)
    slow = any(test in SLOW_TESTS for test in tests)
    if slow and bounds is not None:
        raise ArgumentError("tests", min(set(tests) & set(SLOW_TESTS)), "one that can be looked at early")
    rule = _Rule(alpha=alpha, sides=sides, direction=direction, looks=looks_of(design, alpha, sides, bounds))
    tasks = [
        _Task(first, min(size, trials - first), at_once)
        for at_once, size in ((True, _AT_A_TIME), (False, _FEW))
        if at_once or slow
        for first in range(0, trials, size)
    ]
    work = partial(
        _work,
        design=design,
        seed=seed,
        rule=rule,
        tests=tests,
        threads=threads,
    )
    sums = _Sums({}, {})
    for done, part in enumerate(workers.run(work, tasks), start=1):
        sums += part
        progress(done, len(tasks))
    return _summarise(design, trials, tests, rule.looks, sums)


def _work(
    task: _Task, *, design: CountDesign, seed: int, rule: _Rule, tests: Sequence[str], threads: int
) -> _Sums:
    if not task.at_once:
        one_sided: Alternative = "less" if rule.direction == "fewer" else "greater"
        found = count_rejections(
            design,
            task.number,
            seed,
            first=task.first,
            tests=[test for test in tests if test in SLOW_TESTS],
            alpha=rule.alpha,
            alternative="two-sided" if rule.sides == 2 else one_sided,
        )
        return _Sums({name: (count,) for name, count in found.items()}, dict.fromkeys(found, (0,)))
    statistics: dict[str, list[Floats]] = {}
    columns: dict[str, list[Floats]] = {"estimate": [], "error": [], "status": []}
    for look in rule.looks:
        shorter = cut_off(design, look)
        trials = simulate_trials(shorter, task.number, seed, threads=threads, first=task.first)
        columns["estimate"].append(trials.log_ratio)
        columns["error"].append(trials.standard_error)
        columns["status"].append(trials.status.astype(float))
        for name, z in _statistics(shorter, trials, tests, rule).items():
            statistics.setdefault(name, []).append(z)
    stops = {name: stops_of(rule.looks, np.stack(values)) for name, values in statistics.items()}
    leading = next((test for test in tests if test in stops), "wald")
    ended = at_stop(columns, stops[leading])
    estimate, error = ended["estimate"], ended["error"]
    finite = np.isfinite(estimate) & np.isfinite(error)
    away, its_error = estimate[finite] - log(design.ratio), error[finite]
    half = float(ndtri(1 - rule.alpha / 2)) * its_error
    statuses = np.bincount(ended["status"].astype(int), minlength=len(STATUSES))
    places = len(rule.looks)
    return _Sums(
        {name: _counts(each.look[each.rejected], places) for name, each in stops.items()},
        {name: _counts(each.look[each.futile], places) for name, each in stops.items()},
        known=len(away),
        away=float(away.sum()),
        squares=float(away @ away),
        errors=float(its_error.sum()),
        covered=int(np.sum(np.abs(away) <= half)),
        statuses=tuple(int(count) for count in statuses),
    )


def _statistics(
    design: CountDesign, trials: TrialResults, tests: Sequence[str], rule: _Rule
) -> dict[str, Floats]:
    """Return the statistics of the tests of KERNEL_TESTS and of SANDWICHED; large values reject."""
    root = np.sign(np.nan_to_num(trials.log_ratio)) * np.sqrt(np.maximum(trials.likelihood_ratio, 0))
    found = {"wald": trials.wald_z, "score": trials.score_z, "likelihood_ratio": root}
    found |= robust_statistics(design, trials, [test for test in tests if test in SANDWICHED])
    sign = -1 if rule.direction == "fewer" else 1
    return {name: np.abs(z) if rule.sides == 2 else sign * z for name, z in found.items()}


def _counts(places: Wholes, looks: int) -> tuple[int, ...]:
    return tuple(int(count) for count in np.bincount(places, minlength=looks))


def _summarise(
    design: CountDesign, trials: int, tests: Sequence[str], looks: tuple[Look, ...], sums: _Sums
) -> Operating:
    known, unknown = sums.known, float("nan")
    bias = sums.away / known if known else unknown
    spread = sqrt(max(0.0, sums.squares - known * bias * bias) / (known - 1)) if known > 1 else unknown
    asked = [test for test in TESTS if test in tests]
    most = design.participants
    return Operating(
        design=design,
        trials=trials,
        rejected={test: Share.of(sum(sums.rejected[test]), trials) for test in asked},
        looks=tuple(
            LookShare(
                participants=look.participants,
                rejected={test: Share.of(sums.rejected[test][place], trials) for test in asked},
                futile={test: Share.of(sums.futile[test][place], trials) for test in asked},
            )
            for place, look in enumerate(looks)
        ),
        expected={
            test: most
            - sum(
                (most - look.participants) * (sums.rejected[test][place] + sums.futile[test][place])
                for place, look in enumerate(looks)
            )
            / trials
            for test in asked
        },
        bias=bias,
        bias_error=spread / sqrt(known) if known else unknown,
        spread=spread,
        mean_error=sums.errors / known if known else unknown,
        coverage=Share.of(sums.covered, known),
        statuses={name: count for name, count in zip(STATUSES, sums.statuses, strict=True) if count},
    )
