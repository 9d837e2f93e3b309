"""How long recruitment of the planned enrolment takes, from what the definition assumes of its sites."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.definition.model.definition import StudyDefinition
from equipoise.statistics.recruitment import RecruitmentForecast, RecruitmentPlan, forecast_recruitment

TRIALS = 4000
LEVEL = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Recruitment:
    """A forecast of the months until `target` participants are randomised; `by` is when they should be."""

    target: int
    by: float | None
    forecast: RecruitmentForecast


def forecast_for(definition: StudyDefinition, *, seed: int) -> Recruitment | None:
    """The forecast for a study; None where its definition assumes nothing of recruitment."""
    plan = definition.sample_size
    if plan is None or plan.recruitment is None:
        return None
    assumed, sites = plan.recruitment, len(definition.study.sites)
    over = 0.0 if assumed.opening_months is None else float(assumed.opening_months.value)
    spacing = over / max(1, sites - 1)
    target = definition.study.planned_enrolment
    recruitment = RecruitmentPlan(
        target=target,
        openings=tuple(spacing * site for site in range(sites)),
        mean_rate=float(assumed.rate.value),
        shape=float(assumed.shape.value),
    )
    return Recruitment(
        target=target,
        by=None if assumed.target_months is None else float(assumed.target_months),
        forecast=forecast_recruitment(recruitment, seed=seed, trials=TRIALS, level=LEVEL),
    )
