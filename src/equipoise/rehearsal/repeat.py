"""The same trial rehearsed many times: what its primary analysis would say if the scenario were true."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from equipoise.analysis.derive import Frame
from equipoise.analysis.endpoints import fit_endpoint
from equipoise.definition.model.definition import StudyDefinition
from equipoise.rehearsal.amending import AmendmentPlan
from equipoise.rehearsal.rehearse import rehearse


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatPlan:
    """What is repeated: everything of a rehearsal but its seed."""

    definition: StudyDefinition
    scenario: str
    participants: int | None = None
    sites: int | None = None
    faults: bool = True
    amendment: AmendmentPlan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatedFit:
    """One analysis of one endpoint in one rehearsal; ratios have their standard error on the log scale."""

    seed: int
    endpoint: str
    analysis: str
    status: str
    scale: str
    estimate: float | None
    se: float | None
    low: float | None
    high: float | None
    p: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatingCharacteristics:
    """What an analysis did over all rehearsals.

    `coverage` is the share of intervals that hold `truth` (None where the study folder gives none);
    `rejected` the
    share of p-values at or below `alpha`; `mean_estimate` is the geometric mean of ratios.
    """

    endpoint: str
    analysis: str
    rehearsals: int
    estimated: int
    truth: float | None
    mean_estimate: float | None
    mean_se: float | None
    coverage: float | None
    rejected: float | None


def repeat_rehearsals(
    plan: RepeatPlan, seeds: Sequence[int], progress: Callable[[int, int], None] | None = None
) -> tuple[RepeatedFit, ...]:
    """Rehearse in memory once for each seed, on every core, and analyse the primary endpoints each time.

    The results stand in the order of the seeds, whatever the number of cores.
    """
    fits: list[RepeatedFit] = []
    with ProcessPoolExecutor(max_workers=os.cpu_count(), initializer=_take, initargs=(plan,)) as pool:
        for done, found in enumerate(pool.map(_rehearse_once, seeds), start=1):
            fits += found
            if progress is not None:
                progress(done, len(seeds))
    return tuple(fits)


def summarise_fits(
    definition: StudyDefinition, scenario: str, fits: Iterable[RepeatedFit]
) -> tuple[OperatingCharacteristics, ...]:
    """Summarise repeated analyses, one line for each endpoint and analysis, in the order of their first
    fit.
    """
    groups: dict[tuple[str, str], list[RepeatedFit]] = {}
    for fit in fits:
        groups.setdefault((fit.endpoint, fit.analysis), []).append(fit)
    truths = definition.rehearsal.truth.get(scenario, {}) if definition.rehearsal else {}
    alpha = float(definition.analysis.testing.alpha)
    return tuple(
        _summarise(group, float(truths[endpoint]) if endpoint in truths else None, alpha)
        for (endpoint, _), group in groups.items()
    )


_plan: RepeatPlan | None = None


def _take(plan: RepeatPlan) -> None:
    global _plan  # noqa: PLW0603  (a worker process is told its plan once)
    _plan = plan


def _rehearse_once(seed: int) -> tuple[RepeatedFit, ...]:
    assert _plan is not None, "a worker is told its plan before it works"
    result = rehearse(
        _plan.definition,
        seed=seed,
        scenario=_plan.scenario,
        participants=_plan.participants,
        sites=_plan.sites,
        faults=_plan.faults,
        amendment=_plan.amendment,
    )
    definition = result.trial.definition
    frame = Frame(result.trial.as_seen_by(result.cast.who("LockDatabase", None)).cut())
    primary = [each for each in definition.analysis.endpoints if each.role == "primary"]
    return tuple(
        _fit(frame, seed, endpoint.id, sensitivity)
        for endpoint in primary
        for sensitivity in (None, *endpoint.sensitivity)
    )


def _fit(frame: Frame, seed: int, endpoint: str, sensitivity: str | None) -> RepeatedFit:
    result = fit_endpoint(frame, endpoint, sensitivity)
    found = result.estimate
    return RepeatedFit(
        seed=seed,
        endpoint=endpoint,
        analysis=result.analysis,
        status=result.status,
        scale=found.scale if found else "",
        estimate=found.value if found else None,
        se=found.se if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
        p=result.p,
    )


def _summarise(group: list[RepeatedFit], truth: float | None, alpha: float) -> OperatingCharacteristics:
    values = [fit.estimate for fit in group if fit.estimate is not None]
    errors = [fit.se for fit in group if fit.se is not None]
    tested = [fit.p for fit in group if fit.p is not None]
    bounds = [(fit.low, fit.high) for fit in group if fit.low is not None and fit.high is not None]
    if values and all(fit.scale == "ratio" for fit in group) and min(values) > 0:
        mean = math.exp(math.fsum(map(math.log, values)) / len(values))
    else:
        mean = math.fsum(values) / len(values) if values else math.nan
    held = None if truth is None else [low <= truth <= high for low, high in bounds]
    return OperatingCharacteristics(
        endpoint=group[0].endpoint,
        analysis=group[0].analysis,
        rehearsals=len(group),
        estimated=len(values),
        truth=truth,
        mean_estimate=mean if values else None,
        mean_se=math.fsum(errors) / len(errors) if errors else None,
        coverage=sum(held) / len(held) if held else None,
        rejected=sum(p <= alpha for p in tested) / len(tested) if tested else None,
    )
