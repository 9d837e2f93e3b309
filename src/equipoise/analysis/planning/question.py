"""What a definition asks of the statistics: size and power under given numbers, whatever the kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from scipy.special import ndtr, ndtri

from equipoise.definition.model.sample_size import InterimAnalyses, SampleSize
from equipoise.statistics.boundaries import (
    Boundaries,
    Futility,
    boundaries,
    crossing_probabilities,
    expected_information,
    information_for,
)
from equipoise.statistics.planning import ClosedSize, Exposure, GroupSize, critical_z, whole_above
from equipoise.statistics.sample_size import CountSize, power_counts, size_counts
from equipoise.statistics.sample_size_events import EventSize, power_survival, size_survival
from equipoise.statistics.sample_size_means import (
    power_ancova,
    power_crossover,
    power_means,
    size_ancova,
    size_crossover,
    size_means,
)
from equipoise.statistics.sample_size_proportions import power_proportions, size_proportions

_SIZES_OF_MEANS: Mapping[str, Callable[..., GroupSize]] = {
    "t_test": size_means,
    "ancova": size_ancova,
    "crossover": size_crossover,
}
_POWERS_OF_MEANS: Mapping[str, Callable[..., float]] = {
    "t_test": power_means,
    "ancova": power_ancova,
    "crossover": power_crossover,
}
EFFECTS = {"counts": "ratio", "means": "difference", "proportions": "treated", "events": "ratio"}
"""Of each kind, the number that is the effect, or from which it follows."""

NUISANCES = {"counts": "dispersion", "means": "sd", "proportions": "reference", "events": "hazard"}
"""Of each kind, the number that nobody asks about and that the size depends on most."""

DRIFT_MOST = 12.0
"""Beyond this many standard errors a power is 1 to all digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupsNeeded:
    """What the final analysis needs of each group, with the power that it then has.

    `inflation` is by how much interim analyses raise the size. `information` is the final information of the
    log ratio, where the endpoint is a count; `events` how many events both groups must have, where it is one.
    """

    n1: int
    n2: int
    power: float
    inflation: float = 1.0
    information: float | None = None
    events: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A comparison of two groups with numbers in place of all that is assumed.

    `values` holds the numbers of the kind by their keys. `allocation` is n2 / n1, group 2 the treated.
    """

    plan: SampleSize
    allocation: float
    values: Mapping[str, float]
    bounds: Boundaries | None = None

    @classmethod
    def of(cls, plan: SampleSize, allocation: float) -> Question:
        """The question as the definition asks it. Raises ArgumentError."""
        values = {name: float(found.value) for name, found in plan.assumptions.items()}
        return cls(plan=plan, allocation=allocation, values=values, bounds=_bounds(plan, plan.interim))

    def varied(self, **changed: float) -> Question:
        """The same question with other numbers."""
        return replace(self, values={**self.values, **changed})

    @property
    def null(self) -> float:
        """The value of the effect's number under the null hypothesis."""
        if self.plan.kind == "proportions":
            return self.values["reference"]
        return 0.0 if self.plan.kind == "means" else 1.0

    @property
    def is_null(self) -> bool:
        """Whether there is no effect."""
        return self.values[EFFECTS[self.plan.kind]] == self.null

    def needed(self) -> GroupsNeeded:
        """The participants that the final analysis needs for the power. Raises ArgumentError."""
        fixed, inflation = self._fixed_size(), 1.0
        if self.bounds is not None:
            asked = {**self._level(), "beta": 1 - float(self.plan.power)}
            inflation = information_for(1.0, **asked, design=self.bounds) / information_for(1.0, **asked)
        exact = fixed.exact1 if isinstance(fixed, ClosedSize) else float(fixed.n1)
        n1, n2 = fixed.n1, fixed.n2
        if self.bounds is not None:
            n1 = max(n1, whole_above(exact * inflation))
            n2 = max(n2, whole_above(self.allocation * n1))
        while (power := self.power(n1, n2)) < float(self.plan.power) - 1e-9:
            n1 += 1
            n2 = max(n2, whole_above(self.allocation * n1))
        events = fixed.events if isinstance(fixed, EventSize) else None
        return GroupsNeeded(
            n1=n1,
            n2=n2,
            power=power,
            inflation=inflation,
            information=fixed.information * inflation if isinstance(fixed, CountSize) else None,
            events=None if events is None else whole_above(events * inflation),
        )

    def power(self, n1: int, n2: int) -> float:
        """The power of the whole design with n1 and n2 participants,
        or without an effect the level of a side.
        """
        if self.bounds is None:
            return self._fixed_power(n1, n2)
        drift = self.drift(n1, n2)
        if drift >= DRIFT_MOST:
            return 1.0
        return float(sum(crossing_probabilities(self.bounds, drift).upper))

    def drift(self, n1: int, n2: int) -> float:
        """The mean of the test statistic at the final analysis."""
        if self.is_null:
            return 0.0
        power = self._fixed_power(n1, n2)
        found = critical_z(float(self.plan.alpha), self.plan.sides) + float(ndtri(power))
        return min(max(found, 0.0), DRIFT_MOST)

    def expected_share(self, n1: int, n2: int) -> float:
        """The share of the information at which the trial is expected to stop: 1 without interim analyses."""
        return 1.0 if self.bounds is None else expected_information(self.bounds, self.drift(n1, n2))

    def stops(self, n1: int, n2: int) -> tuple[float, ...]:
        """The probability of having crossed an upper boundary by each analysis."""
        if self.bounds is None:
            return ()
        found, total = [], 0.0
        for share in crossing_probabilities(self.bounds, self.drift(n1, n2)).upper:
            total += share
            found.append(total)
        return tuple(found)

    def _level(self) -> dict[str, Any]:
        return {"alpha": float(self.plan.alpha), "sides": self.plan.sides}

    def _fixed_size(self) -> GroupSize:
        asked = {**self._level(), "power": float(self.plan.power), "allocation": self.allocation}
        plan, values = self.plan, self.values
        if plan.counts is not None:
            return size_counts(**self._count_numbers(), variance=plan.counts.variance, **asked)
        if plan.means is not None:
            return _SIZES_OF_MEANS[plan.means.method](**self._mean_numbers(), **asked)
        if plan.proportions is not None:
            pair: dict[str, Any] = {"proportion1": values["reference"], "proportion2": values["treated"]}
            return size_proportions(**pair, variance=plan.proportions.variance, **asked)
        return size_survival(**self._event_numbers(), **asked)

    def _fixed_power(self, n1: int, n2: int) -> float:
        if self.is_null:
            return float(ndtr(-critical_z(float(self.plan.alpha), self.plan.sides)))
        asked = {**self._level(), "n1": n1, "n2": n2}
        plan, values = self.plan, self.values
        if plan.counts is not None:
            return power_counts(**self._count_numbers(), variance=plan.counts.variance, **asked)
        if plan.means is not None:
            # As for the other kinds, a rejection in the wrong direction is none.
            asked |= {"alpha": float(plan.alpha) / plan.sides, "sides": 1}
            return _POWERS_OF_MEANS[plan.means.method](**self._mean_numbers(), **asked)
        if plan.proportions is not None:
            pair: dict[str, Any] = {"proportion1": values["reference"], "proportion2": values["treated"]}
            return power_proportions(**pair, variance=plan.proportions.variance, **asked)
        return power_survival(**self._event_numbers(), **asked)

    def _count_numbers(self) -> dict[str, Any]:
        values = self.values
        exposure = Exposure.fixed(values["exposure"], dropout_hazard=values.get("drop_out", 0.0))
        return {
            "rate0": values["rate"],
            "ratio": values["ratio"],
            "dispersion": values["dispersion"],
            "exposure": exposure,
        }

    def _mean_numbers(self) -> dict[str, Any]:
        """The numbers under the names that the method has for them."""
        numbers = dict(self.values)
        if self.plan.means is not None and self.plan.means.method == "crossover":
            numbers["sd_within"] = numbers.pop("sd")
        return numbers

    def _event_numbers(self) -> dict[str, Any]:
        values = self.values
        exposure = Exposure.uniform_accrual(
            values["duration"], values.get("accrual", 0.0), dropout_hazard=values.get("drop_out", 0.0)
        )
        return {"hazard0": values["hazard"], "ratio": values["ratio"], "exposure": exposure}


def _bounds(plan: SampleSize, interim: InterimAnalyses | None) -> Boundaries | None:
    if interim is None:
        return None
    return boundaries(
        interim.family,
        information=[float(share) for share in interim.information],
        alpha=float(plan.alpha),
        sides=plan.sides,
        gamma=None if interim.gamma is None else float(interim.gamma),
        delta=None if interim.delta is None else float(interim.delta),
        futility=_futility(plan, interim),
    )


def _futility(plan: SampleSize, interim: InterimAnalyses) -> Futility | None:
    rule = interim.futility
    if rule is None:
        return None
    return Futility(
        family=rule.family,
        beta=1 - float(plan.power),
        binding=rule.binding,
        gamma=None if rule.gamma is None else float(rule.gamma),
    )
