"""What a definition states that a registry asks for: said once, for the page and for the record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.registry import Publication, RegisteredOutcome
from equipoise.definition.model.study import Arm, Intervention, Site, Study
from equipoise.exchange.registry.countries import country_name

_AGE_GROUPS: Final = (("child", 0, 17), ("adult", 18, 64), ("older_adult", 65, None))


def title_case(code: str) -> str:
    """Return a word of the format as the registry writes it: 'placebo_comparator' is 'Placebo Comparator'."""
    return " ".join(word.capitalize() for word in code.split("_"))


def age_groups(low: int | None, high: int | None) -> tuple[str, ...]:
    """Return the registry's age groups that some limits in years reach: child, adult from 18, older adult
    from 65.
    """
    return tuple(
        name
        for name, first, last in _AGE_GROUPS
        if (high is None or high >= first) and (last is None or low is None or low <= last)
    )


def named_with_type(intervention: Intervention) -> str:
    """Return an intervention as the registry lists it with an arm: 'Drug: Placebo'."""
    return f"{title_case(intervention.type)}: {intervention.name}"


def given_in(arm: Arm, interventions: tuple[Intervention, ...]) -> tuple[Intervention, ...]:
    """Return what an arm is given in any epoch, in the order of the interventions."""
    given = {name for names in arm.cells.values() for name in names}
    return tuple(each for each in interventions if each.id in given)


def has_board(study: Study) -> bool:
    """Say whether a safety board watches the study."""
    return any(role.kind == "safety_board" for role in study.roles)


def sites_in_order(study: Study) -> tuple[Site, ...]:
    """Return the sites by country and number."""
    return tuple(sorted(study.sites, key=lambda site: (country_name(site.country), site.id)))


def cited(publication: Publication) -> str:
    """Return a publication as one line."""
    return publication.citation + (f" ({publication.note})" if publication.note else "")


def outcomes_of(definition: StudyDefinition) -> Mapping[str, tuple[RegisteredOutcome, ...]]:
    """Return the outcome measures as primary, secondary and other: as registered, else the endpoints."""
    registered = definition.registry.outcomes if definition.registry else ()
    if not registered:
        role = {"primary": "primary", "secondary": "secondary"}
        registered = tuple(
            RegisteredOutcome(
                measure=each.title,
                time_frame=each.time_frame,
                category=role.get(each.role, "other"),  # type: ignore[arg-type]  # a literal of three words
                endpoint=each.id,
            )
            for each in definition.analysis.endpoints
        )
    return {
        category: tuple(each for each in registered if each.category == category)
        for category in ("primary", "secondary", "other")
    }
