"""Writes a study as a record of ClinicalTrials.gov's API v2: what its folder says, and nothing else.

A fact that the folder does not state is left out of the record for a person to add. Source:
ClinicalTrials.gov, "Study Data Structure" (API v2).
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any, Final, TypeAlias

from equipoise.definition.model.definition import StudyDefinition
from equipoise.exchange.registry.countries import country_name
from equipoise.exchange.registry.stated import age_groups, title_case
from equipoise.exchange.registry.supplement import CONTACT, SITE, code, overlay, write_rows, write_supplement
from equipoise.exchange.registry.tree import Tree, at, objects

Parts: TypeAlias = Mapping[str, Any]
"""The files of a study folder by name (`study.yaml`), each as the tree that its YAML is."""

STUDY, ELIGIBILITY, REGISTRY_FILE, ANALYSIS = (
    "study.yaml",
    "eligibility.yaml",
    "registry.yaml",
    "analysis.yaml",
)
REGISTRY: Final = "ClinicalTrials.gov"
SPONSOR: Final = "Sponsor"
NUMBER_TYPES: Final = {
    REGISTRY: "REGISTRY",
    "EudraCT": "EUDRACT_NUMBER",
    "EU CT": "CTIS",
    **{agency: agency for agency in ("NIH", "FDA", "VA", "CDC", "AHRQ", "SAMHSA")},
}
_OFFICIAL_ROLES: Final = frozenset(
    {"PRINCIPAL_INVESTIGATOR", "STUDY_CHAIR", "STUDY_DIRECTOR", "SUB_INVESTIGATOR"}
)
_MASKING: Final = ("NONE", "SINGLE", "DOUBLE", "TRIPLE", "QUADRUPLE")
_INDENT: Final = "   "


def registry_record(
    definition: StudyDefinition, enrolled: int | None = None, sites: Container[str] | None = None
) -> Tree:
    """Return a definition as a record without results.

    `enrolled` is how many took part in the end, and `sites` at which sites; without them the planned number
    stands, as an estimate, and every site that is not only assumed.
    """
    return record_of(stated_parts(definition), enrolled, sites)


def record_of(parts: Parts, enrolled: int | None = None, sites: Container[str] | None = None) -> Tree:
    """Return the files of a study folder, or of the draft of one, as a record without results."""
    study, registry = parts.get(STUDY, {}), parts.get(REGISTRY_FILE, {})
    protocol = kept(
        identificationModule=_identification(study),
        statusModule=_status(study, registry),
        sponsorCollaboratorsModule=_sponsors(study, registry),
        oversightModule=_oversight(study, registry),
        descriptionModule=kept(
            briefSummary=registry.get("brief_summary"),
            detailedDescription=registry.get("detailed_description"),
        ),
        conditionsModule=kept(conditions=study.get("conditions"), keywords=study.get("keywords")),
        designModule=_design(study, registry, enrolled),
        armsInterventionsModule=_arms(study),
        outcomesModule=_outcomes(registry, parts.get(ANALYSIS, {})),
        eligibilityModule=_eligibility(parts.get(ELIGIBILITY, {})),
        contactsLocationsModule=_places(study, registry, sites),
    )
    asked = overlay(protocol, write_supplement({**registry, "publications": _publications(registry)}))
    return {"protocolSection": asked, "hasResults": False}


def stated_parts(definition: StudyDefinition) -> dict[str, Tree]:
    """Return what a registry asks of a definition, as the trees of the files that say it."""
    rules = definition.eligibility
    return {
        STUDY: _tree(definition.study),
        REGISTRY_FILE: {} if definition.registry is None else _tree(definition.registry),
        ELIGIBILITY: kept(
            sex=rules.sex,
            age_minimum_years=rules.age_minimum_years,
            age_maximum_years=rules.age_maximum_years,
            healthy_volunteers=rules.healthy_volunteers,
            criteria=[
                {"id": each.id, "number": each.number, "category": each.category, "text": each.text}
                for each in rules.criteria
            ],
        ),
        ANALYSIS: {
            "endpoints": [
                {"id": each.id, "title": each.title, "role": each.role, "time_frame": each.time_frame}
                for each in definition.analysis.endpoints
            ]
        },
    }


def write_json(record: Mapping[str, object]) -> str:
    """Return a record as the text of a file."""
    return json.dumps(record, ensure_ascii=False, indent=2) + "\n"


def kept(**members: object) -> Tree:
    """Return an object without what is missing or empty."""
    return {name: value for name, value in members.items() if value is not None and value not in ("", [], {})}


def _tree(value: Any) -> Any:
    """Return a part of the definition as its YAML has it, without what is missing."""
    if is_dataclass(value):
        return {
            spec.name: _tree(found)
            for spec in fields(value)
            if (found := getattr(value, spec.name)) is not None
        }
    if isinstance(value, Mapping):
        return {name: _tree(below) for name, below in value.items()}
    if isinstance(value, tuple):
        return [_tree(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def _identification(study: Tree) -> Tree:
    """Return how the study is numbered and named; of several numbers of the registry the first is its own."""
    numbers = objects(study, "identifiers")
    own = next((each for each in numbers if each.get("registry") == REGISTRY), {})
    sponsor = next((each for each in numbers if each.get("registry") == SPONSOR), {})
    return kept(
        nctId=own.get("value"),
        orgStudyIdInfo=kept(id=sponsor.get("value")),
        secondaryIdInfos=[_number(each) for each in numbers if each is not own and each is not sponsor],
        organization=kept(
            fullName=at(study, "sponsor", "name"), **{"class": _coded(study, "sponsor", "agency_class")}
        ),
        briefTitle=study.get("title"),
        officialTitle=study.get("official_title"),
        acronym=study.get("acronym"),
    )


def _number(number: Tree) -> Tree:
    registry = number.get("registry", "")
    kind = NUMBER_TYPES.get(registry, "OTHER")
    # The type of a grant's number is its domain.
    domain = None if kind == registry else registry
    return kept(id=number.get("value"), type=kind, domain=domain, link=number.get("link"))


def _coded(node: Tree, *names: str) -> str | None:
    word = at(node, *names)
    return code(word) if word else None


def _status(study: Tree, registry: Tree) -> Tree:
    dates = study.get("dates", {})
    return kept(
        statusVerifiedDate=at(registry, "dates", "last_verified"),
        overallStatus=_coded(registry, "overall_status"),
        startDateStruct=kept(date=dates.get("start")),
        primaryCompletionDateStruct=kept(date=dates.get("primary_completion")),
        completionDateStruct=kept(date=dates.get("completion")),
    )


def _agency(organisation: Tree | None) -> Tree:
    found = organisation or {}
    return kept(name=found.get("name"), **{"class": _coded(found, "agency_class")})


def _sponsors(study: Tree, registry: Tree) -> Tree:
    party, stated = study.get("responsible_party"), registry.get("responsible_party", {})
    sponsor = study.get("sponsor", {})
    if stated.get("type") in ("principal_investigator", "sponsor_investigator"):
        responsible = kept(investigatorFullName=party)
    elif stated.get("type") == "sponsor" or (party and party == sponsor.get("name")):
        responsible = kept(type="SPONSOR")
    else:
        responsible = kept(oldNameTitle=party)
    return kept(
        responsibleParty=responsible,
        leadSponsor=_agency(sponsor),
        collaborators=[_agency(each) for each in objects(study, "collaborators")],
    )


def _oversight(study: Tree, registry: Tree) -> Tree:
    """Return whether a board watches: as registered, else whether a role is one, where roles are stated."""
    roles = study.get("roles")
    board = None if roles is None else any(role.get("kind") == "safety_board" for role in roles)
    registered = at(registry, "oversight", "monitoring_board")
    return kept(oversightHasDmc=board if registered is None else registered)


def _design(study: Tree, registry: Tree, enrolled: int | None) -> Tree:
    parties, stated = list(dict.fromkeys(at(study, "masking", "parties") or ())), "masking" in study
    masking = kept(
        masking=_MASKING[len(parties)] if stated else None,
        maskingDescription=at(study, "masking", "text"),
        whoMasked=[code(each) for each in parties],
    )
    randomised = study.get("randomised")
    allocation = None if randomised is None else "RANDOMIZED" if randomised else "NON_RANDOMIZED"
    info = kept(
        # Where there is one arm, nobody is allocated to any other.
        allocation="NA" if allocation and len(objects(study, "arms")) == 1 else allocation,
        interventionModel=_coded(study, "model"),
        primaryPurpose=_coded(study, "purpose"),
        maskingInfo=masking,
    )
    return kept(
        studyType=_coded(study, "type"),
        phases=[_phase(each) for each in study.get("phases", ())],
        designInfo=info if study.get("type") == "interventional" else None,
        enrollmentInfo=_enrolment(study, registry, enrolled),
    )


def _enrolment(study: Tree, registry: Tree, enrolled: int | None) -> Tree:
    planned = study.get("planned_enrolment")
    if enrolled is not None or planned is not None:
        count, kind = (planned, "ESTIMATED") if enrolled is None else (enrolled, "ACTUAL")
        return {"count": count, "type": kind}
    return kept(count=registry.get("enrolment_count"), type=_coded(registry, "enrolment_type"))


def _phase(phase: str) -> str:
    return "NA" if phase == "not_applicable" else code(phase).replace("PHASE_", "PHASE")


def named_with_type(intervention: Tree) -> str:
    """Return an intervention as the registry lists it with an arm: 'Drug: Placebo'."""
    kind = intervention.get("type")
    return f"{title_case(kind)}: {intervention.get('name')}" if kind else str(intervention.get("name"))


def _arms(study: Tree) -> Tree:
    arms, interventions = objects(study, "arms"), objects(study, "interventions")
    given = [{name for names in (arm.get("cells") or {}).values() for name in names} for arm in arms]
    return kept(
        armGroups=[
            kept(
                label=arm.get("name"),
                type=_coded(arm, "type"),
                description=arm.get("text"),
                interventionNames=[
                    named_with_type(each) for each in interventions if each.get("id") in names
                ],
            )
            for arm, names in zip(arms, given, strict=True)
        ],
        interventions=[
            kept(
                type=_coded(each, "type"),
                name=each.get("name"),
                description=each.get("text"),
                armGroupLabels=[
                    arm.get("name") for arm, names in zip(arms, given, strict=True) if each.get("id") in names
                ],
                otherNames=list(each.get("other_names", ())),
            )
            for each in interventions
        ],
    )


def _outcomes(registry: Tree, analysis: Tree) -> Tree:
    """Return the outcome measures: as registered, else the endpoints."""
    stated = objects(registry, "outcomes") or [
        {
            "measure": each["title"],
            "time_frame": each["time_frame"],
            "category": each["role"] if each["role"] in ("primary", "secondary") else "other",
        }
        for each in objects(analysis, "endpoints")
    ]
    return kept(
        **{
            f"{category}Outcomes": [
                kept(
                    measure=each.get("measure"),
                    description=each.get("description"),
                    timeFrame=each.get("time_frame"),
                )
                for each in stated
                if each.get("category", "primary") == category
            ]
            for category in ("primary", "secondary", "other")
        }
    )


def _eligibility(rules: Tree) -> Tree:
    low, high = rules.get("age_minimum_years"), rules.get("age_maximum_years")
    return kept(
        eligibilityCriteria="\n\n".join(_criteria(objects(rules, "criteria"))),
        healthyVolunteers=rules.get("healthy_volunteers"),
        sex=_coded(rules, "sex"),
        minimumAge=None if low is None else f"{low} Years",
        maximumAge=None if high is None else f"{high} Years",
        stdAges=[code(each) for each in age_groups(low, high)],
    )


def _criteria(criteria: list[Tree]) -> Iterable[str]:
    """Yield the heading and the numbered criteria of each category; further lines of one are indented."""
    for category in ("inclusion", "exclusion"):
        found = sorted(
            (each for each in criteria if each.get("category") == category), key=lambda c: c.get("number", 0)
        )
        if found:
            yield f"{category.capitalize()} Criteria:"
            yield "\n".join(
                f"{each.get('number')}. {str(each.get('text')).replace(chr(10), chr(10) + _INDENT)}"
                for each in found
            )


def _places(study: Tree, registry: Tree, took_part: Container[str] | None) -> Tree:
    """Return officials and sites, these by country and number."""
    more = {each.get("site"): each for each in objects(registry, "sites")}
    sites = sorted(
        objects(study, "sites"), key=lambda site: (country_name(site.get("country", "")), site.get("id", ""))
    )
    return kept(
        overallOfficials=[
            kept(
                name=each.get("name"),
                affiliation=each.get("affiliation"),
                role=role if (role := code(each.get("role", ""))) in _OFFICIAL_ROLES else None,
            )
            for each in objects(study, "officials")
        ],
        locations=[
            _location(site, more.get(site.get("id"), {}))
            for site in sites
            if (not site.get("assumed") if took_part is None else site.get("id") in took_part)
        ],
    )


def _location(site: Tree, registered: Tree) -> Tree:
    country = site.get("country")
    return overlay(
        kept(
            facility=site.get("name"),
            city=site.get("city"),
            country=country_name(country) if country else None,
        ),
        {
            **write_rows(SITE, registered),
            **kept(contacts=[write_rows(CONTACT, each) for each in objects(registered, "contacts")]),
        },
    )


def _publications(registry: Tree) -> list[Tree]:
    """Return the publications, with a note behind the citation."""
    return [
        {**each, "citation": f"{each.get('citation')} ({each['note']})"} if each.get("note") else each
        for each in objects(registry, "publications")
    ]
