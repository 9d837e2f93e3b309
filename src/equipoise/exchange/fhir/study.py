"""ResearchStudy, with the places, organisations and interventions that it refers to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from equipoise.definition.model.analysis import Endpoint, Estimand
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.registry import RegisteredOutcome
from equipoise.definition.model.study import (
    Arm,
    Intervention,
    Official,
    Organisation,
    Site,
    Study,
    StudyIdentifier,
    SubTrial,
)
from equipoise.exchange.fhir.codes import (
    ARM_TYPE,
    ARM_TYPES,
    COUNTRIES,
    INVESTIGATOR_MASKED,
    MASKED_PARTIES,
    MODELS,
    OBJECTIVE,
    OBJECTIVES,
    OFFICIAL_ROLES,
    ORGANISATION_ROLES,
    PARTY_ROLE,
    PHASE,
    PHASES,
    PURPOSE,
    RANDOMISED,
    REGISTRIES,
    STUDY_DESIGN,
    STUDY_STATUS,
    STUDY_STATUSES,
    STUDY_TYPES,
    TIME_ZONE,
    TITLE_TYPE,
)
from equipoise.exchange.fhir.tree import Names, Tree, concept, extension, joined, kept, slug
from equipoise.exchange.registry.countries import country_name
from equipoise.exchange.registry.stated import outcomes_of

TIME_FRAME = "Time frame: "
MASKING = "Masking: "
RESPONSIBLE = "Responsible party"


def study_resources(definition: StudyDefinition, names: Names, enrolled: int | None) -> Iterator[Tree]:
    """Yield the study, its national sub-trials, its sites, and what is given in it."""
    study = definition.study
    yield _study(definition, names, enrolled)
    yield from (_sub_trial(study, each, names) for each in study.sub_trials)
    yield from (_organisation(each, names) for each in (study.sponsor, *study.collaborators))
    for site in study.sites:
        yield names.resource("Organization", f"site:{site.id}", name=site.name, active=True)
        yield _location(site, names)
    for each in study.interventions:
        yield _exposure(each, names)
        yield _intervention(each, names)


def publication_status(study: Study) -> str:
    """Return whether a version of the definition is in force: a draft says so in its version."""
    return "draft" if study.version.lower().startswith("draft") else "active"


def _study(definition: StudyDefinition, names: Names, enrolled: int | None) -> Tree:
    study, registry = definition.study, definition.registry
    own = [each for each in study.identifiers if each.sub_trial is None]
    period = kept(start=_iso(study.dates.start), end=_iso(study.dates.completion))
    return names.resource(
        "ResearchStudy",
        "study",
        identifier=[_identifier(each) for each in own],
        url=names.url("ResearchStudy", "study"),
        version=study.version,
        name=study.id,
        title=study.title,
        label=list(_labels(study)),
        protocol=[names.reference("PlanDefinition", "schedule")],
        relatedArtifact=[
            kept(type="citation", citation=each.citation, label=each.note)
            for each in (registry.publications if registry else ())
        ],
        date=_iso(registry.dates.last_update_submitted) if registry else None,
        status=publication_status(study),
        primaryPurposeType=concept(study.purpose, PURPOSE, _purpose(study)),
        phase=concept(None, PHASE, PHASES[study.phases])
        if study.phases in PHASES
        else concept(", ".join(study.phases)),
        studyDesign=list(_design(study)),
        focus=[{"concept": concept(each.name)} for each in study.interventions],
        condition=[concept(each) for each in study.conditions],
        keyword=[concept(each) for each in study.keywords],
        region=[
            concept(country_name(each), COUNTRIES, each)
            for each in dict.fromkeys(site.country for site in study.sites)
        ],
        descriptionSummary=registry.brief_summary if registry else None,
        description=registry.detailed_description if registry else None,
        period=period,
        site=[names.reference("Location", each.id, each.name) for each in study.sites],
        note=[{"text": f"{MASKING}{study.masking.text}"}] if study.masking.text else [],
        associatedParty=list(_parties(study, names)),
        progressStatus=_progress(registry.overall_status if registry else None, period),
        recruitment=kept(
            targetNumber=study.planned_enrolment,
            actualNumber=enrolled,
            eligibility=names.reference("EvidenceVariable", "eligibility"),
        ),
        comparisonGroup=[_arm(study, each, names) for each in study.arms],
        objective=[_objective(each, definition.analysis.endpoints) for each in definition.analysis.estimands],
        outcomeMeasure=[
            _outcome(each, category)
            for category, outcomes in outcomes_of(definition).items()
            for each in outcomes
        ],
    )


def _sub_trial(study: Study, each: SubTrial, names: Names) -> Tree:
    sites = [site for site in study.sites if site.sub_trial == each.id]
    return names.resource(
        "ResearchStudy",
        f"sub_trial:{each.id}",
        identifier=[_identifier(one) for one in study.identifiers if one.sub_trial == each.id],
        name=each.id,
        title=each.name,
        partOf=[names.reference("ResearchStudy", "study", study.title)],
        status=publication_status(study),
        region=[concept(country_name(each.country), COUNTRIES, each.country)],
        site=[names.reference("Location", site.id, site.name) for site in sites],
        progressStatus=_progress(each.status, {}),
        note=[{"text": each.status}] if each.status else [],
    )


def _identifier(each: StudyIdentifier) -> Tree:
    return kept(type=concept(each.registry), system=REGISTRIES.get(each.registry), value=each.value)


def _labels(study: Study) -> Iterator[Tree]:
    for kind, text in (("official", study.official_title), ("acronym", study.acronym)):
        if text:
            yield {"type": concept(None, TITLE_TYPE, kind), "value": text}


def _purpose(study: Study) -> str | None:
    return None if study.purpose == "other" else study.purpose.replace("_", "-")


def _design(study: Study) -> Iterator[Tree]:
    """Yield the type, the model, the assignment, and who is masked."""
    yield _coded(STUDY_TYPES[study.type])
    model = MODELS.get(study.model)
    yield concept(study.model) if model is None else _coded(model)
    if len(study.arms) > 1:
        yield _coded(RANDOMISED[study.randomised])
    for party in dict.fromkeys(study.masking.parties):
        known = MASKED_PARTIES.get(party)
        yield concept(INVESTIGATOR_MASKED) if known is None else _coded(known)


def _coded(pair: tuple[str, str]) -> Tree:
    return concept(pair[1], STUDY_DESIGN, pair[0])


def _parties(study: Study, names: Names) -> Iterator[Tree]:
    for each in (study.sponsor, *study.collaborators):
        yield kept(
            name=each.name,
            role=concept(each.kind, PARTY_ROLE, ORGANISATION_ROLES[each.kind]),
            party=names.reference("Organization", f"party:{each.name}", each.name),
        )
    if study.responsible_party:
        role = concept(RESPONSIBLE, PARTY_ROLE, "general-contact")
        yield {"name": study.responsible_party, "role": role}
    for official in study.officials:
        yield _official(official)


def _official(each: Official) -> Tree:
    code = OFFICIAL_ROLES.get(each.role.lower(), "general-contact")
    party = {"display": each.affiliation} if each.affiliation else None
    return kept(name=each.name, role=concept(each.role, PARTY_ROLE, code), party=party)


def _organisation(each: Organisation, names: Names) -> Tree:
    return names.resource("Organization", f"party:{each.name}", name=each.name, active=True)


def _location(site: Site, names: Names) -> Tree:
    return names.resource(
        "Location",
        site.id,
        extension=[extension(TIME_ZONE, valueCode=site.time_zone)],
        identifier=[{"value": site.id}],
        status="active",
        name=site.name,
        mode="instance",
        address=kept(city=site.city, country=site.country),
        managingOrganization=names.reference("Organization", f"site:{site.id}", site.name),
    )


def _progress(status: str | None, period: Tree) -> list[Tree]:
    """Return the status of a record in FHIR's words, where it begins with one that FHIR has."""
    words = (status or "").lower()
    code = next((code for known, code in STUDY_STATUSES.items() if words.startswith(known)), None)
    if code is None:
        return []
    return [kept(state=concept(status, STUDY_STATUS, code), actual=True, period=period)]


def _arm(study: Study, arm: Arm, names: Names) -> Tree:
    given = {each for cell in arm.cells.values() for each in cell}
    return kept(
        linkId=slug(arm.id),
        name=arm.name,
        type=concept(arm.type, ARM_TYPE, ARM_TYPES[arm.type]),
        description=arm.text,
        intendedExposure=[
            names.reference("EvidenceVariable", f"exposure:{each.id}", each.name)
            for each in study.interventions
            if each.id in given
        ],
    )


def _objective(estimand: Estimand, endpoints: Sequence[Endpoint]) -> Tree:
    role = next((each.role for each in endpoints if each.estimand == estimand.id), "other")
    events = "; ".join(
        f"{each.event}: {each.strategy.replace('_', ' ')}" for each in estimand.intercurrent_events
    )
    attributes = {
        "Population": estimand.population,
        "Treatment": estimand.treatment,
        "Variable": estimand.variable,
        "Intercurrent events": events,
        "Summary": estimand.summary,
    }
    return {
        "name": estimand.title,
        "type": concept(role, OBJECTIVE, OBJECTIVES[role]),
        "description": joined([f"{name}: {text}" for name, text in attributes.items() if text]),
    }


def _outcome(each: RegisteredOutcome, category: str) -> Tree:
    parts = [f"{TIME_FRAME}{each.time_frame}", *([each.description] if each.description else [])]
    return {
        "name": each.measure,
        "type": [concept(category, OBJECTIVE, OBJECTIVES[category])],
        "description": joined(parts),
    }


def _exposure(each: Intervention, names: Names) -> Tree:
    return names.resource(
        "EvidenceVariable",
        f"exposure:{each.id}",
        url=names.url("EvidenceVariable", f"exposure:{each.id}"),
        title=each.name,
        status="active",
        description=each.text,
        characteristic=[
            {
                "description": each.name,
                "definitionCodeableConcept": concept(each.name),
            }
        ],
    )


def _intervention(each: Intervention, names: Names) -> Tree:
    return names.resource(
        "ActivityDefinition",
        f"intervention:{each.id}",
        url=names.url("ActivityDefinition", f"intervention:{each.id}"),
        name=each.id,
        title=each.name,
        subtitle="; ".join(each.other_names),
        status="active",
        description=each.text,
        topic=[concept("placebo")] if each.placebo else [],
        code=concept(each.type),
        productCodeableConcept=concept(each.name),
    )


def _iso(day: object) -> str | None:
    return None if day is None else str(day)
