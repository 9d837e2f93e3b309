"""The record's values in plain words and numbers, from which a draft study folder is written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from equipoise.exchange.registry.design_claims import PLACEBO
from equipoise.exchange.registry.facts import code_of, day_of, integer_of
from equipoise.exchange.registry.model import Criterion, Outcome, Passage, RegistryRecord

_PARTIES: Final = {
    "PARTICIPANT": "participant",
    "CARE_PROVIDER": "care_provider",
    "INVESTIGATOR": "investigator",
    "OUTCOMES_ASSESSOR": "outcomes_assessor",
}
_PHASES: Final = {
    "EARLY_PHASE1": "early_phase_1",
    "EARLY_PHASE_1": "early_phase_1",
    "NA": "not_applicable",
    **{f"PHASE{mark}{number}": f"phase_{number}" for number in "1234" for mark in ("", "_")},
}


def _text(passage: Passage | None) -> str | None:
    return passage.text if passage else None


def _texts(passages: Iterable[Passage | None]) -> list[str]:
    return [passage.text for passage in passages if passage]


def _paragraphs(passages: Iterable[Passage]) -> str | None:
    return "\n\n".join(_texts(passages)) or None


def _code(passage: Passage | None) -> str | None:
    return code_of(passage).lower() or None


def iso_date(passage: Passage | None) -> str | None:
    """Return a date as ISO 8601: 2013-02-01, or 2013-02 when the record gives no day."""
    day = day_of(passage)
    if day is None:
        return None
    return day.first.isoformat() if day.first == day.last else day.first.isoformat()[:7]


def _age(passage: Passage | None) -> str | None:
    return passage.text if passage and code_of(passage) != "NA" else None


def masked_parties(record: RegistryRecord) -> list[str] | None:
    """Return who is masked; all four for quadruple, none for open; None when the record does not say who."""
    info = record.design.info.masking_info
    named = [_PARTIES[code_of(who)] for who in info.who_masked if code_of(who) in _PARTIES]
    if named:
        return named
    level = code_of(info.masking).split("_")[0]
    return {"QUADRUPLE": list(_PARTIES.values()), "NONE": []}.get(level)


def _criterion(criterion: Criterion, number: int) -> dict[str, object]:
    return {
        "id": criterion.id,
        "category": criterion.category,
        "number": number,
        "marker": criterion.number,
        "text": "\n".join([criterion.text.text, *_texts(criterion.more)]),
        "items": [_criterion(item, index) for index, item in enumerate(criterion.items, 1)],
    }


def _criteria(record: RegistryRecord) -> list[dict[str, object]]:
    criteria = record.eligibility.criteria
    return [
        _criterion(criterion, number)
        for category in ("inclusion", "exclusion")
        for number, criterion in enumerate((one for one in criteria if one.category == category), 1)
    ]


def _outcome(outcome: Outcome, category: str) -> dict[str, object]:
    return {
        "category": category,
        "measure": _text(outcome.measure),
        "description": _paragraphs(outcome.description),
        "time_frame": _text(outcome.time_frame),
    }


def _people(record: RegistryRecord) -> dict[str, object]:
    sponsors, party = record.sponsors, record.sponsors.responsible_party
    responsible = (
        _text(party.investigator_name) or _text(party.old_name_title) or _text(record.status.updated_by)
    )
    return {
        "sponsor": _text(sponsors.lead_sponsor.name),
        "collaborators": _texts(one.name for one in sponsors.collaborators),
        "responsible_party": responsible or (_text(sponsors.lead_sponsor.name) if party.type else None),
        "officials": [
            {"name": _text(one.name), "role": _text(one.role), "affiliation": _text(one.affiliation)}
            for one in record.contacts.officials
        ],
        "locations": [
            {
                "facility": _text(one.facility),
                "city": _text(one.city),
                "state": _text(one.state),
                "country": _text(one.country),
            }
            for one in record.contacts.locations
        ],
    }


def _design(record: RegistryRecord) -> dict[str, object]:
    design, info = record.design, record.design.info
    return {
        "study_type": _code(design.study_type),
        "phases": [_PHASES[code_of(phase)] for phase in design.phases if code_of(phase) in _PHASES],
        "allocation": _code(info.allocation),
        "model": _code(info.intervention_model),
        "purpose": _code(info.primary_purpose),
        "masking": {
            "level": _code(info.masking_info.masking),
            "parties": masked_parties(record),
            "text": _paragraphs(info.masking_info.description),
        },
        "enrolment": {"count": integer_of(design.enrolment.count), "type": _code(design.enrolment.type)},
        "arms": [
            {
                "name": _text(arm.label),
                "type": _code(arm.type),
                "text": _paragraphs(arm.description),
                "interventions": [
                    name.text.partition(": ")[2] or name.text for name in arm.intervention_names
                ],
            }
            for arm in record.arms.arm_groups
        ],
        "interventions": [
            {
                "name": _text(one.name),
                "type": _code(one.type),
                "text": _paragraphs(one.description),
                "other_names": _texts(one.other_names),
                "placebo": bool(one.name and PLACEBO.search(one.name.text)),
            }
            for one in record.arms.interventions
        ],
    }


def _dates(record: RegistryRecord) -> dict[str, str | None]:
    status = record.status
    return {
        "start": iso_date(status.start.date),
        "primary_completion": iso_date(status.primary_completion.date),
        "completion": iso_date(status.completion.date),
        "first_submitted": iso_date(status.first_submitted),
        "first_submitted_qc": iso_date(status.first_submitted_qc),
        "first_posted": iso_date(status.first_posted.date),
        "last_update_submitted": iso_date(status.last_update_submitted or status.last_update_submitted_qc),
        "last_update_posted": iso_date(status.last_update_posted.date),
        "last_verified": iso_date(status.status_verified),
    }


def draft_values(record: RegistryRecord) -> dict[str, object]:
    """Return what the record says as nested mappings of plain values; what it does not say is None or empty.

    Codes are in lower case (`parallel`, `active_comparator`), dates in ISO 8601, criteria numbered I1, E1
    with their sub-items; the texts are the record's own.
    """
    names, eligibility, outcomes = record.identification, record.eligibility, record.outcomes
    return {
        "title": _text(names.brief_title),
        "official_title": _text(names.official_title),
        "acronym": _text(names.acronym),
        "identifiers": {
            "nct_id": _text(names.nct_id),
            "sponsor_id": _text(names.org_study_id.id),
            "others": [
                {"value": _text(one.id), "registry": _text(one.domain) or _text(one.type)}
                for one in names.secondary_ids
            ],
        },
        **_people(record),
        "status": _text(record.status.overall_status),
        "brief_summary": _paragraphs(record.description.brief_summary),
        "detailed_description": _paragraphs(record.description.detailed_description),
        "conditions": _texts(record.conditions.conditions),
        "keywords": _texts(record.conditions.keywords),
        "related_terms": _texts(record.related_terms),
        **_design(record),
        "eligibility": {
            "sex": _code(eligibility.sex),
            "minimum_age": _age(eligibility.minimum_age),
            "maximum_age": _age(eligibility.maximum_age),
            "healthy_volunteers": {"TRUE": True, "FALSE": False}.get(code_of(eligibility.healthy_volunteers)),
            "remarks": _texts(eligibility.remarks),
        },
        "criteria": _criteria(record),
        "outcomes": [
            *(_outcome(one, "primary") for one in outcomes.primary),
            *(_outcome(one, "secondary") for one in outcomes.secondary),
            *(_outcome(one, "other") for one in outcomes.other),
        ],
        "dates": _dates(record),
        "publications": _texts(one.citation for one in record.references.references),
    }
