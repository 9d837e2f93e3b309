"""What a design does over and over: how often each test rejects, and what the estimate is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log, sqrt
from typing import Literal

import numpy as np
from scipy.special import ndtri

from ..arguments import check_one_of, check_probability, check_whole
from .engine import CountDesign, simulate_trials
from .passes import Floats
from .results import STATUSES, TrialResults

Direction = Literal["fewer", "more"]
TESTS = ("wald", "score", "likelihood_ratio")

_AT_A_TIME = 8192


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


def operating_characteristics(
    design: CountDesign,
    *,
    trials: int,
    seed: int,
    alpha: float = 0.05,
    sides: int = 2,
    direction: Direction = "fewer",
    threads: int = 1,
    progress: Callable[[int, int], None] = lambda _done, _trials: None,
) -> Operating:
    """Simulate a design and say how its tests and its estimate behave.

    alpha: of both sides together where there are two. direction: what a one-sided test shows, fewer events
    under treatment or more. progress: is told how many trials are done, and of how many. With `ratio` 1 the
    share that a test rejects is its type I error, else its power. Raises ArgumentError.
    """
    check_whole("trials", trials)
    check_probability("alpha", alpha)
    check_one_of("sides", sides, (1, 2))
    check_one_of("direction", direction, ("fewer", "more"))
    # All trials, in parts: what a part draws depends on the indices of its trials alone.
    parts: list[TrialResults] = []
    for first in range(0, trials, _AT_A_TIME):
        number = min(_AT_A_TIME, trials - first)
        parts.append(simulate_trials(design, number, seed, threads=threads, first=first))
        progress(first + number, trials)

    def whole(name: str) -> Floats:
        return np.concatenate([getattr(part, name) for part in parts])

    estimate, error = whole("log_ratio"), whole("standard_error")
    root = np.sign(np.nan_to_num(estimate)) * np.sqrt(np.maximum(whole("likelihood_ratio"), 0))
    statistics = {"wald": whole("wald_z"), "score": whole("score_z"), "likelihood_ratio": root}
    bound = float(ndtri(1 - alpha / sides))
    sign = -1 if direction == "fewer" else 1
    rejected = {
        name: Share.of(int(np.sum((np.abs(z) if sides == 2 else sign * z) > bound)), trials)
        for name, z in statistics.items()
    }
    finite = np.isfinite(estimate) & np.isfinite(error)
    away, its_error = estimate[finite] - log(design.ratio), error[finite]
    known = len(away)
    spread = float(away.std(ddof=1)) if known > 1 else float("nan")
    half = float(ndtri(1 - alpha / 2)) * its_error
    statuses = np.bincount(whole("status").astype(int), minlength=len(STATUSES))
    return Operating(
        design=design,
        trials=trials,
        rejected=rejected,
        bias=float(away.mean()) if known else float("nan"),
        bias_error=spread / sqrt(known) if known else float("nan"),
        spread=spread,
        mean_error=float(its_error.mean()) if known else float("nan"),
        coverage=Share.of(int(np.sum(np.abs(away) <= half)), known),
        statuses={name: int(count) for name, count in zip(STATUSES, statuses, strict=True) if count},
    )
