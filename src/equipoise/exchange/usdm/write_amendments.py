"""The amendments of a trial in USDM: what each changed, since when it holds, how many took part by then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from equipoise.analysis.cut import CutAmendment
from equipoise.conduct.view import MaskedView
from equipoise.definition.amendments import Change
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.synopsis import synopsis_of
from equipoise.exchange.usdm.make import NOT_STATED, Maker, Tree, lines_of
from equipoise.exchange.usdm.narrative import SYNOPSIS
from equipoise.exchange.usdm.terms import APPROVAL, EFFECTIVE, OTHER_REASON

_SECTIONS: Final[Mapping[tuple[str, ...], str]] = {
    ("study", "arms"): "Design",
    ("study", "epochs"): "Design",
    ("study", "interventions"): "Design",
    ("study", "model"): "Design",
    ("study", "planned_enrolment"): "Design",
    ("study", "masking"): "Masking and roles",
    ("study", "roles"): "Masking and roles",
    ("study", "sites"): "Sites",
    ("study", "sub_trials"): "Sites",
    ("study", "assumptions"): "Assumptions",
    ("eligibility", "variants"): "Variants of the rules",
    ("eligibility",): "Eligibility",
    ("schedule",): "Schedule of activities",
    ("allocation",): "Allocation",
    ("supply",): "Supply",
    ("safety",): "Safety",
    ("imaging",): "Central reading",
    ("analysis",): "Endpoints and analysis",
    ("sample_size",): "Sample size",
    ("forms",): "Appendix: forms",
}
"""The section of the synopsis that tells what stands at a place; all else is told in the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """An amendment of a trial; `approved` is the day of its approval at each site that has one."""

    told: CutAmendment
    substantial: bool
    reconsent: bool
    approved: Mapping[str, str]


def amendments_of(seen: MaskedView, position: int | None = None) -> tuple[Amendment, ...]:
    """Return the amendments of a trial up to a position, the first of them first."""
    told = {each.study_version: each for each in seen.cut(position).amendments}
    releases = seen.releases()
    return tuple(
        Amendment(
            told=told[version.study_version],
            substantial=version.substantial,
            reconsent=version.reconsent,
            approved={
                each.site: each.approved_on
                for each in releases
                if each.number == version.number and each.approved_on is not None
            },
        )
        for version in seen.versions()
        if version.study_version in told
    )


def write_amendments(
    maker: Maker, definition: StudyDefinition, amendments: Sequence[Amendment]
) -> list[Tree]:
    """Return a StudyAmendment for each amendment, each with the one before it."""
    sections = {section.title: n for n, section in enumerate(synopsis_of(definition).sections, 1)}
    return [
        _amendment(maker, definition, sections, number, each) for number, each in enumerate(amendments, 1)
    ]


def _amendment(
    maker: Maker, definition: StudyDefinition, sections: Mapping[str, int], number: int, amendment: Amendment
) -> Tree:
    told = amendment.told
    return maker.make(
        "StudyAmendment",
        {
            "name": f"amendment_{number}",
            "label": told.title,
            "description": lines_of(
                ("Version", told.study_version),
                ("Recorded", told.recorded_on.isoformat()),
                ("Consent anew", "yes" if amendment.reconsent else None),
            ),
            "number": f"{number}",
            "summary": told.title,
            "primaryReason": maker.make(
                "StudyAmendmentReason", {"code": maker.code(OTHER_REASON), "otherReason": NOT_STATED}
            ),
            "changes": [
                _change(maker, sections, f"amendment_{number}_change_{place}", change)
                for place, change in enumerate(told.changes, 1)
            ],
            "impacts": [_impact(maker, amendment)],
            "geographicScopes": [maker.everywhere()],
            "enrollments": [_enrolment(maker, number, told.randomised)],
            "dateValues": list(_dates(maker, definition, number, amendment)),
            "previousId": None if number == 1 else maker.id_of("StudyAmendment", f"{number - 1}"),
        },
        key=f"{number}",
    )


def _change(maker: Maker, sections: Mapping[str, int], name: str, change: Change) -> Tree:
    words = {"added": change.after, "removed": change.before, "retired": change.before}
    text = words.get(change.what, f"{change.before} → {change.after}")
    title = next((found for start, found in _SECTIONS.items() if change.place[: len(start)] == start), "")
    title = title if title in sections else next(iter(sections))
    section = maker.make(
        "DocumentContentReference",
        {
            "sectionNumber": f"{sections[title]}",
            "sectionTitle": title,
            "appliesToId": maker.id_of("StudyDefinitionDocument", SYNOPSIS),
        },
    )
    return maker.make(
        "StudyChange",
        {
            "name": name,
            "label": "/".join(change.place),
            "summary": f"{change.what}: {text}",
            "rationale": NOT_STATED,
            "changedSections": [section],
        },
    )


def _impact(maker: Maker, amendment: Amendment) -> Tree:
    """Say whether it is substantial; on what it has an impact, nobody recorded."""
    held = "Holds at a site from its approval there on." if amendment.substantial else "Holds at once."
    return maker.make(
        "StudyAmendmentImpact",
        {"type": maker.own_code("not_stated"), "text": held, "isSubstantial": amendment.substantial},
    )


def _enrolment(maker: Maker, number: int, randomised: int) -> Tree:
    return maker.make(
        "SubjectEnrollment",
        {
            "name": f"amendment_{number}_randomised",
            "label": "Randomised before the amendment",
            "quantity": maker.quantity(randomised),
            "forGeographicScope": maker.everywhere(),
        },
    )


def _dates(maker: Maker, definition: StudyDefinition, number: int, amendment: Amendment) -> Iterator[Tree]:
    """Yield since when an amendment holds: a minor one from its entry, another from approvals.

    USDM dates what holds in a country: it is the first day there, and the description has that of each site.
    """
    if not amendment.substantial:
        yield maker.make(
            "GovernanceDate",
            {
                "name": f"amendment_{number}_effective",
                "type": maker.code(EFFECTIVE),
                "dateValue": amendment.told.recorded_on.isoformat(),
                "geographicScopes": [maker.everywhere()],
            },
        )
    countries: dict[str, dict[str, str]] = {}
    for site in definition.study.sites:
        if site.id in amendment.approved:
            countries.setdefault(site.country, {})[site.id] = amendment.approved[site.id]
    for country, days in countries.items():
        yield maker.make(
            "GovernanceDate",
            {
                "name": f"amendment_{number}_approval_{country}",
                "label": "First approval at a site of the country",
                "description": lines_of(*days.items()),
                "type": maker.code(APPROVAL),
                "dateValue": min(days.values()),
                "geographicScopes": [maker.scope(country)],
            },
        )
