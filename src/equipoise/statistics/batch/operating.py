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
from ..count_tests import Alternative
from .engine import CountDesign, check_seed, simulate_trials
from .one_by_one import SANDWICHED, SINGLE_TESTS, SLOW_TESTS, count_rejections
from .results import STATUSES
from .sandwich import robust_statistics
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
class Operating:
    """The operating characteristics of a design under one truth, from `trials` simulated trials.

    rejected: by test. bias, spread: mean and standard deviation of the estimated log rate ratio less the
    true one, where it is finite. mean_error: the mean standard error there. coverage: of the Wald interval,
    there too. statuses: how many trials ended with each status.
    """

    design: CountDesign
    trials: int
    rejected: dict[str, Share]
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


@dataclass(frozen=True, slots=True)
class _Task:
    """Trials `first` to `first` + `number` - 1, to be analysed at once or one by one."""

    first: int
    number: int
    at_once: bool


@dataclass(frozen=True, slots=True)
class _Sums:
    """What the trials of a task add: rejections by test; of those with a finite estimate the sums of its
    distance to the truth, of the squares of these, and of standard errors, and how many intervals cover;
    statuses.
    """

    rejected: dict[str, int]
    known: int = 0
    away: float = 0.0
    squares: float = 0.0
    errors: float = 0.0
    covered: int = 0
    statuses: tuple[int, ...] = (0,) * len(STATUSES)

    def __add__(self, other: _Sums) -> _Sums:
        names = self.rejected | other.rejected
        return _Sums(
            {name: self.rejected.get(name, 0) + other.rejected.get(name, 0) for name in names},
            self.known + other.known,
            self.away + other.away,
            self.squares + other.squares,
            self.errors + other.errors,
            self.covered + other.covered,
            tuple(one + more for one, more in zip(self.statuses, other.statuses, strict=True)),
        )


def operating_characteristics(
    design: CountDesign,
    *,
    trials: int,
    seed: int,
    alpha: float = 0.05,
    sides: int = 2,
    direction: Direction = "fewer",
    tests: Sequence[str] = KERNEL_TESTS,
    threads: int = 1,
    workers: Workers = _HERE,
    progress: Callable[[int, int], None] = lambda _done, _tasks: None,
) -> Operating:
    """Simulate a design and say how its tests and its estimate behave.

    alpha: of both sides together where there are two. direction: what a one-sided test shows, fewer events
    under treatment or more. tests: of TESTS; those of KERNEL_TESTS are the fastest, and SLOW_TESTS take a
    thousand times as long. threads: of each worker. workers: as `spread.open_workers` gives
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
        rule=_Rule(alpha=alpha, sides=sides, direction=direction),
        tests=tests,
        threads=threads,
    )
    sums = _Sums({})
    for done, part in enumerate(workers.run(work, tasks), start=1):
        sums += part
        progress(done, len(tasks))
    return _summarise(design, trials, tests, sums)


def _work(
    task: _Task, *, design: CountDesign, seed: int, rule: _Rule, tests: Sequence[str], threads: int
) -> _Sums:
    if not task.at_once:
        one_sided: Alternative = "less" if rule.direction == "fewer" else "greater"
        return _Sums(
            count_rejections(
                design,
                task.number,
                seed,
                first=task.first,
                tests=[test for test in tests if test in SLOW_TESTS],
                alpha=rule.alpha,
                alternative="two-sided" if rule.sides == 2 else one_sided,
            )
        )
    found = simulate_trials(design, task.number, seed, threads=threads, first=task.first)
    estimate, error = found.log_ratio, found.standard_error
    root = np.sign(np.nan_to_num(estimate)) * np.sqrt(np.maximum(found.likelihood_ratio, 0))
    bound, sign = float(ndtri(1 - rule.alpha / rule.sides)), -1 if rule.direction == "fewer" else 1
    statistics = {"wald": found.wald_z, "score": found.score_z, "likelihood_ratio": root}
    statistics |= robust_statistics(design, found, [test for test in tests if test in SANDWICHED])
    rejected = {
        name: int(np.sum((np.abs(z) if rule.sides == 2 else sign * z) > bound))
        for name, z in statistics.items()
    }
    finite = np.isfinite(estimate) & np.isfinite(error)
    away, its_error = estimate[finite] - log(design.ratio), error[finite]
    half = float(ndtri(1 - rule.alpha / 2)) * its_error
    statuses = np.bincount(found.status.astype(int), minlength=len(STATUSES))
    return _Sums(
        rejected,
        known=len(away),
        away=float(away.sum()),
        squares=float(away @ away),
        errors=float(its_error.sum()),
        covered=int(np.sum(np.abs(away) <= half)),
        statuses=tuple(int(count) for count in statuses),
    )


def _summarise(design: CountDesign, trials: int, tests: Sequence[str], sums: _Sums) -> Operating:
    known, unknown = sums.known, float("nan")
    bias = sums.away / known if known else unknown
    spread = sqrt(max(0.0, sums.squares - known * bias * bias) / (known - 1)) if known > 1 else unknown
    return Operating(
        design=design,
        trials=trials,
        rejected={test: Share.of(sums.rejected[test], trials) for test in TESTS if test in tests},
        bias=bias,
        bias_error=spread / sqrt(known) if known else unknown,
        spread=spread,
        mean_error=sums.errors / known if known else unknown,
        coverage=Share.of(sums.covered, known),
        statuses={name: count for name, count in zip(STATUSES, sums.statuses, strict=True) if count},
    )
