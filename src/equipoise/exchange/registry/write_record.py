"""Writes a study definition as a record of ClinicalTrials.gov's API v2: what it holds, and nothing else.

A fact that the definition does not hold, as a sponsor's class or a contact's telephone, is left out of the
record for a person to add. Source: ClinicalTrials.gov, "Study Data Structure" (API v2).
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterable, Mapping
from datetime import date
from typing import Final

from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.eligibility import Eligibility
from equipoise.definition.model.registry import Registry
from equipoise.definition.model.study import Study
from equipoise.exchange.registry.countries import country_name
from equipoise.exchange.registry.stated import (
    age_groups,
    cited,
    given_in,
    has_board,
    named_with_type,
    outcomes_of,
    sites_in_order,
)

Tree = dict[str, object]
"""An object of the record; its values are texts, numbers, truth values, lists and further objects."""

REGISTRY: Final = "ClinicalTrials.gov"
_SPONSOR: Final = "Sponsor"
_NUMBER_TYPES: Final = {REGISTRY: "REGISTRY", "EudraCT": "EUDRACT_NUMBER", "EU CT": "CTIS"}
_OFFICIAL_ROLES: Final = frozenset(
    {"PRINCIPAL_INVESTIGATOR", "STUDY_CHAIR", "STUDY_DIRECTOR", "SUB_INVESTIGATOR"}
)
_INDENT: Final = "   "


def registry_record(
    definition: StudyDefinition, enrolled: int | None = None, sites: Container[str] | None = None
) -> Tree:
    """Return a definition as a record without results.

    `enrolled` is how many took part in the end, and `sites` at which sites; without them the planned number
    stands, as an estimate, and every site that is not only assumed.
    """
    study, registry = definition.study, definition.registry
    protocol = kept(
        identificationModule=_identification(study),
        statusModule=_status(study, registry),
        sponsorCollaboratorsModule=_sponsors(study),
        oversightModule=kept(oversightHasDmc=has_board(study)),
        descriptionModule=kept(
            briefSummary=registry.brief_summary if registry else None,
            detailedDescription=registry.detailed_description if registry else None,
        ),
        conditionsModule=kept(conditions=list(study.conditions), keywords=list(study.keywords)),
        designModule=_design(study, enrolled),
        armsInterventionsModule=_arms(study),
        outcomesModule=_outcomes(definition),
        eligibilityModule=_eligibility(definition.eligibility),
        contactsLocationsModule=_places(study, sites),
        referencesModule=kept(
            references=[{"citation": cited(each)} for each in registry.publications] if registry else None
        ),
    )
    return {"protocolSection": protocol, "hasResults": False}


def write_json(record: Mapping[str, object]) -> str:
    """Return a record as the text of a file."""
    return json.dumps(record, ensure_ascii=False, indent=2) + "\n"


def kept(**members: object) -> Tree:
    """Return an object without what is missing or empty."""
    return {name: value for name, value in members.items() if value is not None and value not in ("", [], {})}


def code(word: str) -> str:
    """Return a word in the API's spelling: 'Active, not recruiting' is ACTIVE_NOT_RECRUITING."""
    return re.sub(r"[^A-Z0-9]+", "_", word.upper()).strip("_")


def _identification(study: Study) -> Tree:
    """Return how the study is numbered and named; of several numbers of the registry the first is its own."""
    own = next((each for each in study.identifiers if each.registry == REGISTRY), None)
    sponsor = next((each for each in study.identifiers if each.registry == _SPONSOR), None)
    others = [each for each in study.identifiers if each not in (own, sponsor)]
    return kept(
        nctId=own.value if own else None,
        orgStudyIdInfo=kept(id=sponsor.value if sponsor else None),
        secondaryIdInfos=[
            {
                "id": each.value,
                "type": _NUMBER_TYPES.get(each.registry, "OTHER"),
                "domain": each.registry,
            }
            for each in others
        ],
        organization=kept(fullName=study.sponsor.name),
        briefTitle=study.title,
        officialTitle=study.official_title,
        acronym=study.acronym,
    )


def _dated(day: date | None) -> Tree:
    return kept(date=None if day is None else day.isoformat())


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _status(study: Study, registry: Registry | None) -> Tree:
    record = registry.dates if registry else None
    return kept(
        statusVerifiedDate=record.last_verified if record else None,
        overallStatus=code(registry.overall_status) if registry and registry.overall_status else None,
        startDateStruct=_dated(study.dates.start),
        primaryCompletionDateStruct=_dated(study.dates.primary_completion),
        completionDateStruct=_dated(study.dates.completion),
        studyFirstSubmitDate=_day(record.first_submitted) if record else None,
        studyFirstSubmitQcDate=_day(record.first_submitted_qc) if record else None,
        studyFirstPostDateStruct=_dated(record.first_posted) if record else None,
        lastUpdateSubmitDate=_day(record.last_update_submitted) if record else None,
        lastUpdatePostDateStruct=_dated(record.last_update_posted) if record else None,
    )


def _sponsors(study: Study) -> Tree:
    party = study.responsible_party
    responsible = kept(oldNameTitle=party) if party != study.sponsor.name else kept(type="SPONSOR")
    return kept(
        responsibleParty=responsible,
        leadSponsor=kept(name=study.sponsor.name),
        collaborators=[kept(name=each.name) for each in study.collaborators],
    )


def _design(study: Study, enrolled: int | None) -> Tree:
    parties = list(dict.fromkeys(study.masking.parties))
    masking = kept(
        masking=code(study.masking.level),
        maskingDescription=study.masking.text,
        whoMasked=[code(each) for each in parties],
    )
    # Where there is one arm, nobody is allocated to any other.
    allocation = "NA" if len(study.arms) == 1 else "RANDOMIZED" if study.randomised else "NON_RANDOMIZED"
    info = kept(
        allocation=allocation,
        interventionModel=code(study.model),
        primaryPurpose=code(study.purpose),
        maskingInfo=masking,
    )
    return kept(
        studyType=code(study.type),
        phases=[_phase(each) for each in study.phases],
        designInfo=info if study.type == "interventional" else None,
        enrollmentInfo={
            "count": study.planned_enrolment if enrolled is None else enrolled,
            "type": "ESTIMATED" if enrolled is None else "ACTUAL",
        },
    )


def _phase(phase: str) -> str:
    return "NA" if phase == "not_applicable" else code(phase).replace("PHASE_", "PHASE")


def _arms(study: Study) -> Tree:
    given = {arm.id: given_in(arm, study.interventions) for arm in study.arms}
    return kept(
        armGroups=[
            kept(
                label=arm.name,
                type=code(arm.type),
                description=arm.text,
                interventionNames=[named_with_type(each) for each in given[arm.id]],
            )
            for arm in study.arms
        ],
        interventions=[
            kept(
                type=code(each.type),
                name=each.name,
                description=each.text,
                armGroupLabels=[arm.name for arm in study.arms if each in given[arm.id]],
                otherNames=list(each.other_names),
            )
            for each in study.interventions
        ],
    )


def _outcomes(definition: StudyDefinition) -> Tree:
    return kept(
        **{
            f"{category}Outcomes": [
                kept(measure=each.measure, description=each.description, timeFrame=each.time_frame)
                for each in outcomes
            ]
            for category, outcomes in outcomes_of(definition).items()
        }
    )


def _eligibility(rules: Eligibility) -> Tree:
    low, high = rules.age_minimum_years, rules.age_maximum_years
    return kept(
        eligibilityCriteria="\n\n".join(_criteria(rules)),
        healthyVolunteers=rules.healthy_volunteers,
        sex=code(rules.sex),
        minimumAge=None if low is None else f"{low} Years",
        maximumAge=None if high is None else f"{high} Years",
        stdAges=[code(each) for each in age_groups(low, high)],
    )


def _criteria(rules: Eligibility) -> Iterable[str]:
    """Yield the heading and the numbered criteria of each category; further lines of one are indented."""
    for category in ("inclusion", "exclusion"):
        found = sorted((each for each in rules.criteria if each.category == category), key=lambda c: c.number)
        if found:
            yield f"{category.capitalize()} Criteria:"
            yield "\n".join(
                f"{each.number}. {each.text.replace(chr(10), chr(10) + _INDENT)}" for each in found
            )


def _places(study: Study, took_part: Container[str] | None) -> Tree:
    """Return officials and sites."""
    return kept(
        overallOfficials=[
            kept(
                name=each.name,
                affiliation=each.affiliation,
                role=code(each.role) if code(each.role) in _OFFICIAL_ROLES else None,
            )
            for each in study.officials
        ],
        locations=[
            kept(facility=site.name, city=site.city, country=country_name(site.country))
            for site in sites_in_order(study)
            if (not site.assumed if took_part is None else site.id in took_part)
        ],
    )
