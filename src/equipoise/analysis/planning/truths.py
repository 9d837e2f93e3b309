"""Which truths are simulated, and what came of each: the operating characteristics of a design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from equipoise.analysis.planning.determine import Determination

TESTS = {"wald": "Wald", "score": "Score", "likelihood_ratio": "Likelihood ratio"}
"""The tests that are simulated, by the names that the statistics have for them."""

# Blocks are twice the ratio; the real sizes are in no study folder.
_BLOCKS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share of the simulated trials, and its Monte Carlo standard error."""

    value: float
    error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The operating characteristics under one truth.

    `rejected` is by test. `bias` is of the log ratio, `coverage` that of the Wald interval; both are None
    where no trial had an estimate. `statuses` counts how the fits ended. `expected` is, by test, the mean
    number of participants, of those who can be analysed, with whom the trials ended. With interim analyses
    the bias, the coverage and the statuses are those at the end that the Wald test gives a trial.
    """

    ratio: float
    dispersion: float
    trials: int
    rejected: Mapping[str, Share]
    bias: float | None
    bias_error: float | None
    coverage: Share | None
    statuses: Mapping[str, int]
    expected: Mapping[str, float]

    @property
    def without_estimate(self) -> int:
        """The trials whose likelihood has no maximum or was not maximised."""
        return self.trials - sum(self.statuses.get(name, 0) for name in _FITTED)


_FITTED = ("fitted", "poisson")


def truths_of(found: Determination) -> list[dict[str, Any]]:
    """What is to be simulated: a design of the statistics for each truth, as its arguments.

    Empty where the endpoint is no count: only trials with counts are simulated.
    """
    if found.plan.kind != "counts":
        return []
    ratios = (1.0, *reversed(found.values_of("ratio")))
    values, needed, ratio = found.question.values, found.needed, found.definition.allocation.ratio
    shared = {
        "participants": needed.n1 + needed.n2,
        "rate0": values["rate"],
        "exposure": values["exposure"],
        "hazard": values.get("drop_out", 0.0),
        "block": [_BLOCKS * ratio[arm.id] for arm in (found.reference, found.treated)],
    }
    grid = product(ratios, found.values_of("dispersion"))
    return [{"ratio": each, "dispersion": k, **shared} for each, k in grid]


def read_truths(lines: Sequence[Mapping[str, Any]]) -> tuple[Truth, ...]:
    """The truths that were simulated, from lines of JSON: arguments, number of trials and what was found."""
    return tuple(_read(line) for line in lines)


def _read(line: Mapping[str, Any]) -> Truth:
    return Truth(
        ratio=line["ratio"],
        dispersion=line["dispersion"],
        trials=line["trials"],
        rejected={name: Share(**share) for name, share in line["rejected"].items()},
        bias=line["bias"],
        bias_error=line["bias_error"],
        coverage=None if line["coverage"]["value"] is None else Share(**line["coverage"]),
        statuses=line["statuses"],
        expected=line["expected"],
    )
