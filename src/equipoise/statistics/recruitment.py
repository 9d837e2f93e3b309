"""How long recruitment takes: sites of unequal rates that open one after the other.

The Poisson-gamma model (Anisimov and Fedorov, Stat Med 2007;26:4958): participants come to a site as a
Poisson process, whose rate is drawn for each site from one gamma distribution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .arguments import ArgumentError, check_not_negative, check_positive, check_probability, check_whole
from .design import Array


@dataclass(frozen=True, slots=True, kw_only=True)
class RecruitmentPlan:
    """What is assumed, and what has come in so far.

    `openings`: for each site the time from now at which it opens, 0 for one that is open. `mean_rate`:
    participants for each site and unit of time; `shape`: of the gamma distribution of the rates, whose
    coefficient of variation is its square root's inverse; infinite where all sites are alike. `enrolled` and
    `open_for`: participants of each site until now, and how long it has been open.
    """

    target: int
    openings: tuple[float, ...]
    mean_rate: float
    shape: float = 1.2
    enrolled: tuple[int, ...] = ()
    open_for: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        check_whole("target", self.target)
        check_positive("mean_rate", self.mean_rate)
        if self.shape != np.inf:
            check_positive("shape", self.shape)
        if not self.openings:
            raise ArgumentError("openings", self.openings, "a time for each site, of at least one")
        for name in ("openings", "enrolled", "open_for"):
            values: Sequence[float] = getattr(self, name)
            if values and len(values) != len(self.openings):
                raise ArgumentError(name, values, f"a value for each of the {len(self.openings)} sites")
            for place, value in enumerate(values):
                where = f"{name}[{place}]"
                if name == "enrolled":
                    check_whole(where, value, 0)
                else:
                    check_not_negative(where, value)
        if any(self.enrolled) and not any(self.open_for):
            raise ArgumentError("open_for", self.open_for, "above 0 where participants were enrolled")

    @property
    def missing(self) -> int:
        """How many participants are still to come."""
        return max(0, self.target - sum(self.enrolled))


@dataclass(frozen=True, slots=True, kw_only=True)
class RecruitmentForecast:
    """When the target is reached, and how many there are until then.

    `completion`: the time from now in each simulated trial, sorted. `times`: t; `low`, `median` and `high`:
    participants at those times, with the interval at `level`. `by_site`: the mean number that each site has
    when the target is reached.
    """

    completion: Array
    times: Array
    low: Array
    median: Array
    high: Array
    by_site: Array
    level: float

    def quantile(self, share: float) -> float:
        """The time by which the target is reached in a share of the simulated trials."""
        return float(np.quantile(self.completion, check_probability("share", share)))

    def probability_by(self, time: float) -> tuple[float, float]:
        """The probability that the target is reached by a time, and its Monte Carlo standard error."""
        n = len(self.completion)
        p = float(np.searchsorted(self.completion, time, side="right")) / n
        return p, (p * (1 - p) / n) ** 0.5


def forecast_recruitment(
    plan: RecruitmentPlan, *, seed: int, trials: int = 2000, level: float = 0.9, points: int = 61
) -> RecruitmentForecast:
    """Forecast when a trial has its participants, from the sites' rates and what they have done so far.

    The rate of a site with n participants in a time t has the posterior gamma distribution with the shape
    `shape` + n and the rate `shape` / `mean_rate` + t. The times are exact given the rates.
    """
    check_whole("trials", trials, 2)
    check_probability("level", level)
    rng = np.random.default_rng(seed)
    openings = np.asarray(plan.openings, dtype=float)
    rates = _draw_rates(plan, trials, rng)
    wanted = rng.standard_gamma(plan.missing, trials) if plan.missing else np.zeros(trials)
    completion = _time_of(wanted, rates, openings)
    times = np.linspace(0, float(np.quantile(completion, (1 + level) / 2)), points)
    expected = rates @ np.maximum(0, times[:, None] - openings).T
    numbers = sum(plan.enrolled) + np.cumsum(rng.poisson(np.diff(expected, axis=1, prepend=0)), axis=1)
    tail = (1 - level) / 2
    low, median, high = np.quantile(np.minimum(numbers, plan.target), [tail, 0.5, 1 - tail], axis=0)
    share = rates * np.maximum(0, completion[:, None] - openings)
    whole = share.sum(axis=1, keepdims=True)
    shares = np.divide(share, whole, out=np.zeros_like(share), where=whole > 0)
    return RecruitmentForecast(
        completion=np.sort(completion),
        times=times,
        low=low,
        median=median,
        high=high,
        by_site=np.asarray(plan.enrolled or np.zeros(len(openings))) + plan.missing * shares.mean(axis=0),
        level=level,
    )


def _draw_rates(plan: RecruitmentPlan, trials: int, rng: np.random.Generator) -> Array:
    """Rates of the sites, trials by sites."""
    sites = len(plan.openings)
    if plan.shape == np.inf:
        return np.full((trials, sites), plan.mean_rate)
    shape = plan.shape + np.asarray(plan.enrolled or [0] * sites, dtype=float)
    inverse = plan.shape / plan.mean_rate + np.asarray(plan.open_for or [0.0] * sites)
    return rng.standard_gamma(np.broadcast_to(shape, (trials, sites))) / inverse


def _time_of(wanted: ArrayLike, rates: Array, openings: Array) -> Array:
    """The time at which the cumulative intensity of all sites is what is wanted; one for each trial.

    Between two openings the intensity is constant: the cumulative one is a line, which is followed from each
    opening to the next.
    """
    order = np.argsort(openings, kind="stable")
    opens, intensity = openings[order], np.cumsum(rates[:, order], axis=1)
    reached = np.zeros((len(rates), len(opens)))
    reached[:, 1:] = np.cumsum(intensity[:, :-1] * np.diff(opens), axis=1)
    needed = np.asarray(wanted, dtype=float)
    last = np.maximum(0, (reached <= needed[:, None]).sum(axis=1) - 1)
    row = np.arange(len(rates))
    time = opens[last] + (needed - reached[row, last]) / intensity[row, last]
    return np.where(needed == 0, 0.0, time)
