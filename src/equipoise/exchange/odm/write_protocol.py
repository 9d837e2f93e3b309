"""Writes the protocol of a study for ODM 2.0: summary, structure, timings, estimands, criteria."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from lxml import etree

from equipoise.definition.expression import prose, unparse
from equipoise.definition.model.analysis import Estimand
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.schedule import Encounter
from equipoise.definition.names import DefinitionNames
from equipoise.exchange.odm.elements import add, add_expression, add_own, add_texts, yes
from equipoise.exchange.odm.metadata import Expression, Metadata, Texts
from equipoise.exchange.odm.names import EVENT, GENERATED, ITEM, SYSTEM
from equipoise.exchange.odm.protocol_terms import (
    ARM,
    BLINDING,
    CRITERION,
    CRITERION_CONDITION,
    ENDPOINT,
    ENDPOINT_LEVELS,
    EPOCH,
    EPOCH_GROUP,
    ESTIMAND,
    INDICATION,
    INTERVENTION,
    LABELS,
    MODELS,
    PARAMETER,
    POPULATION,
    PURPOSES,
    SEXES,
    STUDY_TYPES,
    TIME_FRAME,
    TIMING,
    YES_NO,
    phase_term,
)

_ANCHORS: Final = {
    "consent": f"{ITEM}{GENERATED}CONSENT.consented_on",
    "randomisation": f"{ITEM}{GENERATED}RANDOMISATION.randomised_on",
    "first_administration": f"{ITEM}{GENERATED}ADMINISTRATION.given_on",
}
"""The item from whose date the window of an encounter counts."""

_OTHER_EVENTS: Final = f"{EPOCH_GROUP}{GENERATED}OTHER"


def add_protocol(parent: etree._Element, definition: StudyDefinition, metadata: Metadata) -> None:
    """Append the protocol with everything that ODM 2.0 has an element for."""
    protocol = add(parent, "Protocol")
    add_texts(protocol, "Description", metadata.title)
    summary = add(protocol, "StudySummary")
    for number, (name, value) in enumerate(_parameters(definition), 1):
        attributes = {"OID": f"{PARAMETER}{number}", "Term": LABELS[name], "ShortName": name}
        add(add(summary, "StudyParameter", attributes), "ParameterValue", {"Value": value})
    _add_structure(protocol, definition)
    add(protocol, "TrialPhase", {"Value": phase_term(definition.study.phases)})
    _add_timings(protocol, definition, metadata)
    _add_named(protocol, definition)
    _add_estimands(protocol, definition)
    _add_criteria(protocol, definition)
    for number, group in enumerate(_event_groups(definition, metadata), 1):
        attributes = {"StudyEventGroupOID": group, "OrderNumber": str(number), "Mandatory": "Yes"}
        add(protocol, "StudyEventGroupRef", attributes)
    add_own(protocol, metadata.own)


def _text(definition: StudyDefinition, text: str) -> Texts:
    return {definition.study.language: text}


def _texts(
    definition: StudyDefinition, text: str, translations: Mapping[str, Mapping[str, str]], key: str
) -> Texts:
    """Return a text with those that stand under its key in other languages."""
    others = {tag: said[key] for tag, said in translations.items() if key in said}
    return {definition.study.language: text, **others}


def _parameters(definition: StudyDefinition) -> Iterator[tuple[str, str]]:
    study, eligibility = definition.study, definition.eligibility
    yield "STYPE", STUDY_TYPES[study.type]
    yield "INTMODEL", MODELS[study.model]
    yield "TINDTP", PURPOSES[study.purpose]
    yield "RANDOM", YES_NO[str(study.randomised).lower()]
    yield "TBLIND", BLINDING.get(study.masking.level, "DOUBLE BLIND")
    yield "PLANSUB", str(study.planned_enrolment)
    yield "SPONSOR", study.sponsor.name
    for name, day in (("SSTDTC", study.dates.start), ("SENDTC", study.dates.completion)):
        if day is not None:
            yield name, day.isoformat()
    yield "SEXPOP", SEXES[eligibility.sex]
    ages = (("AGEMIN", eligibility.age_minimum_years), ("AGEMAX", eligibility.age_maximum_years))
    for name, years in ages:
        if years is not None:
            yield name, f"P{years}Y"
    yield "HLTSUBJI", YES_NO[str(eligibility.healthy_volunteers).lower()]
    for identifier in study.identifiers:
        yield "REGID", f"{identifier.registry}: {identifier.value}"


def _add_structure(protocol: etree._Element, definition: StudyDefinition) -> None:
    structure = add(protocol, "StudyStructure")
    for arm in definition.study.arms:
        element = add(structure, "Arm", {"OID": f"{ARM}{arm.id}", "Name": arm.name})
        if arm.text is not None:
            add_texts(element, "Description", _text(definition, arm.text))
    for number, epoch in enumerate(definition.study.epochs, 1):
        attributes = {"OID": f"{EPOCH}{epoch.id}", "Name": epoch.name, "SequenceNumber": str(number)}
        said = {tag: each.epochs for tag, each in definition.languages.items()}
        texts = _texts(definition, epoch.name, said, epoch.id)
        add_texts(add(structure, "Epoch", attributes), "Description", texts)


def _add_timings(protocol: etree._Element, definition: StudyDefinition, metadata: Metadata) -> None:
    encounters = definition.schedule.encounters
    if not encounters:
        return
    timings = add(protocol, "StudyTimings")
    for encounter in encounters:
        attributes = {"OID": f"{TIMING}{encounter.id}", "Name": encounter.name}
        constraint = add(timings, "StudyTiming", attributes)
        add(constraint, "RelativeTimingConstraint", _timing(encounter, metadata))


def _timing(encounter: Encounter, metadata: Metadata) -> dict[str, str | None]:
    anchor = _ANCHORS[encounter.anchor]
    sign = "-" if encounter.day < 0 else ""
    return {
        "OID": f"{TIMING}{encounter.id}.window",
        "Name": f"{encounter.name}, days from {encounter.anchor.replace('_', ' ')}",
        "PredecessorOID": anchor if anchor in metadata.items else None,
        "SuccessorOID": f"{EVENT}{encounter.id}",
        "Type": "StartToStart",
        "TimepointRelativeTarget": f"{sign}P{abs(encounter.day)}D",
        "TimepointPreWindow": f"P{encounter.early_days}D",
        "TimepointPostWindow": f"P{encounter.late_days}D",
    }


def _add_named(protocol: etree._Element, definition: StudyDefinition) -> None:
    """Append indications, interventions and endpoints."""
    study = definition.study
    if study.conditions:
        indications = add(protocol, "StudyIndications")
        for number, condition in enumerate(study.conditions, 1):
            element = add(indications, "StudyIndication", {"OID": f"{INDICATION}{number}"})
            add_texts(element, "Description", _text(definition, condition))
    if study.interventions:
        interventions = add(protocol, "StudyInterventions")
        for given in study.interventions:
            element = add(interventions, "StudyIntervention", {"OID": f"{INTERVENTION}{given.id}"})
            said = {tag: each.interventions for tag, each in definition.languages.items()}
            add_texts(element, "Description", _texts(definition, given.name, said, given.id))
    endpoints = add(protocol, "StudyEndPoints") if definition.analysis.endpoints else protocol
    for endpoint in definition.analysis.endpoints:
        attributes = {"OID": f"{ENDPOINT}{endpoint.id}", "Name": endpoint.title, "Type": "Simple"}
        attributes |= {"Level": ENDPOINT_LEVELS[endpoint.role]} if endpoint.role in ENDPOINT_LEVELS else {}
        text = f"{TIME_FRAME}{endpoint.time_frame}"
        add_texts(add(endpoints, "StudyEndPoint", attributes), "Description", _text(definition, text))


def _add_estimands(protocol: etree._Element, definition: StudyDefinition) -> None:
    """Append the estimands; ODM has one target population, that of the first."""
    estimands = definition.analysis.estimands
    if not estimands:
        return
    population = estimands[0].population
    element = add(protocol, "StudyTargetPopulation", {"OID": POPULATION, "Name": "Target population"})
    add_texts(element, "Description", _text(definition, population))
    around = add(protocol, "StudyEstimands")
    for estimand in estimands:
        _add_estimand(around, definition, estimand, population)


def _add_estimand(
    around: etree._Element, definition: StudyDefinition, estimand: Estimand, population: str
) -> None:
    endpoints = [each for each in definition.analysis.endpoints if each.estimand == estimand.id]
    attributes = {"OID": f"{ESTIMAND}{estimand.id}", "Name": estimand.title}
    level = next((ENDPOINT_LEVELS.get(each.role) for each in endpoints), None)
    element = add(around, "StudyEstimand", {**attributes, "Level": level})
    add_texts(element, "Description", _text(definition, estimand.variable))
    if estimand.population == population:
        add(element, "StudyTargetPopulationRef", {"StudyTargetPopulationOID": POPULATION})
    if endpoints:
        add(element, "StudyEndPointRef", {"StudyEndPointOID": f"{ENDPOINT}{endpoints[0].id}"})
    for event in estimand.intercurrent_events:
        text = f"{event.event} ({event.strategy})"
        add_texts(add(element, "IntercurrentEvent"), "Description", _text(definition, text))
    add_texts(add(element, "SummaryMeasure"), "Description", _text(definition, estimand.summary))


def _add_criteria(protocol: etree._Element, definition: StudyDefinition) -> None:
    around = add(protocol, "InclusionExclusionCriteria")
    for category, name in (("inclusion", "InclusionCriteria"), ("exclusion", "ExclusionCriteria")):
        found = [each for each in definition.eligibility.criteria if each.category == category]
        if found:
            element = add(around, name)
            for criterion in found:
                attributes = {
                    "OID": f"{CRITERION}{criterion.id}",
                    "Name": criterion.id,
                    "ConditionOID": f"{CRITERION_CONDITION}{criterion.id}",
                }
                criterion_element = add(element, "Criterion", attributes)
                said = {tag: each.eligibility.criteria for tag, each in definition.languages.items()}
                texts = _texts(definition, criterion.text, said, criterion.id)
                add_texts(criterion_element, "Description", texts)


def add_conditions(parent: etree._Element, definition: StudyDefinition) -> None:
    """Append the conditions that the criteria name; one of a criterion without a rule has words alone."""
    names = DefinitionNames(definition)
    for criterion in definition.eligibility.criteria:
        attributes = {"OID": f"{CRITERION_CONDITION}{criterion.id}", "Name": criterion.id}
        element = add(parent, "ConditionDef", attributes)
        words = criterion.text if criterion.when is None else prose(criterion.when, names)
        language = definition.study.language if criterion.when is None else "en"
        add_texts(element, "Description", {language: words})
        add(element, "MethodSignature")
        if criterion.when is not None:
            add_expression(element, Expression(SYSTEM, unparse(criterion.when)))


def _event_groups(definition: StudyDefinition, metadata: Metadata) -> list[str]:
    groups = [f"{EPOCH_GROUP}{epoch.id}" for epoch in definition.study.epochs]
    others = any(event.type != "Scheduled" for event in metadata.events.values())
    return [*groups, _OTHER_EVENTS] if others else groups


def add_event_groups(parent: etree._Element, definition: StudyDefinition, metadata: Metadata) -> None:
    """Append the events of each epoch as a group, and a group of those that belong to none."""
    for group in _event_groups(definition, metadata):
        epoch = next((e for e in definition.study.epochs if f"{EPOCH_GROUP}{e.id}" == group), None)
        attributes = {"OID": group, "Name": "Outside the schedule" if epoch is None else epoch.name}
        attributes |= {} if epoch is None else {"EpochOID": f"{EPOCH}{epoch.id}"}
        element = add(parent, "StudyEventGroupDef", attributes)
        inside = [
            event
            for event in metadata.events.values()
            if event.own.get("epoch") == (None if epoch is None else epoch.id)
        ]
        for number, event in enumerate(inside, 1):
            add(
                element,
                "StudyEventRef",
                {
                    "StudyEventOID": event.oid,
                    "OrderNumber": number,
                    "Mandatory": yes(event.type == "Scheduled"),
                },
            )
