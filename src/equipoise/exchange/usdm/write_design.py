"""The study design in USDM: arms, epochs, cells, interventions, and what hangs on them."""

from __future__ import annotations

from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.study import Arm, Epoch, Study
from equipoise.exchange.usdm.make import NOT_STATED, Maker, Tree
from equipoise.exchange.usdm.terms import (
    ARM_TYPES,
    BLINDING,
    CHARACTERISTICS,
    EPOCH_TYPES,
    INTERVENTION_ROLES,
    INTERVENTION_TYPES,
    MODELS,
    OPEN_TREATMENT,
    PHASES,
    PURPOSES,
    STUDY_TYPES,
    SUB_TYPES,
    WITHIN_STUDY,
)
from equipoise.exchange.usdm.write_analysis import (
    write_estimands,
    write_objectives,
    write_populations,
)
from equipoise.exchange.usdm.write_criteria import POPULATION, write_criteria, write_population
from equipoise.exchange.usdm.write_schedule import write_activities, write_encounters, write_timelines


def write_design(maker: Maker, definition: StudyDefinition) -> Tree:
    """Return the study design, of the class that the type of the study asks for."""
    study, registry = definition.study, definition.registry
    own = _observational(maker, study) if study.type == "observational" else _interventional(maker, study)
    design = maker.make(
        "StudyDesign",
        {
            "name": f"{study.id}_design",
            "label": f"Design of {study.acronym or study.title}",
            "description": None if registry is None else registry.detailed_description,
            "studyType": maker.code(STUDY_TYPES[study.type]),
            "studyPhase": maker.alias(maker.coded(PHASES, study.phases)),
            "characteristics": [maker.code(CHARACTERISTICS[word]) for word in _characteristics(definition)],
            "subTypes": [maker.code(SUB_TYPES[word]) for word in _sub_types(definition)],
            "encounters": write_encounters(maker, definition),
            "activities": write_activities(maker, definition),
            "arms": [_arm(maker, arm) for arm in study.arms],
            "studyCells": _cells(maker, study),
            "rationale": NOT_STATED,
            "epochs": [_epoch(maker, study, place) for place in range(len(study.epochs))],
            "elements": _elements(maker, study),
            "estimands": write_estimands(maker, definition),
            "indications": [
                # USDM wants to know whether a disease is rare; the study definition does not say that it is.
                maker.make("Indication", {"name": name, "isRareDisease": False})
                for name in study.conditions
            ],
            "studyInterventionIds": [maker.id_of("StudyIntervention", one.id) for one in study.interventions],
            "objectives": write_objectives(maker, definition),
            "population": write_population(maker, definition),
            "scheduleTimelines": write_timelines(maker, definition),
            "eligibilityCriteria": write_criteria(maker, definition),
            "analysisPopulations": write_populations(maker, definition),
            "notes": maker.notes(("Masking", study.masking.text)),
            **own,
        },
        key="main",
    )
    kind = "ObservationalStudyDesign" if study.type == "observational" else "InterventionalStudyDesign"
    return {**design, "instanceType": kind}


def _interventional(maker: Maker, study: Study) -> Tree:
    level = ("open", "single", "double")[min(len(set(study.masking.parties)), 2)]
    return {
        "model": maker.coded(MODELS, study.model),
        "intentTypes": [maker.coded(PURPOSES, study.purpose)],
        "blindingSchema": maker.alias(maker.code(BLINDING[level])),
    }


def _observational(maker: Maker, study: Study) -> Tree:
    """CDISC's models of an observational study (cohort, case-control) are not those of the study folder."""
    return {
        "model": maker.own_code(study.model),
        "timePerspective": maker.own_code("not_stated"),
        "samplingMethod": None,
    }


def _characteristics(definition: StudyDefinition) -> list[str]:
    """What follows from the definition; of randomisation and its strata CDISC's rules expect one term."""
    study = definition.study
    found = []
    if study.randomised:
        found.append("stratified" if definition.allocation.strata else "randomised")
    if study.sites:
        countries = {site.country for site in study.sites}
        found.append("one_site" if len(study.sites) == 1 else "many_sites")
        found.append("one_country" if len(countries) == 1 else "many_countries")
    return found


def _sub_types(definition: StudyDefinition) -> list[str]:
    """Efficacy where an endpoint other than of safety is compared, safety where an endpoint is of safety.

    CDISC has no efficacy among the types of an observational study.
    """
    endpoints = definition.analysis.endpoints
    efficacy = definition.study.type != "observational" and any(
        one.role != "safety" and one.analysis.compare != "none" for one in endpoints
    )
    safety = any(one.role == "safety" for one in endpoints)
    return [word for word, holds in (("efficacy", efficacy), ("safety", safety)) if holds]


def _arm(maker: Maker, arm: Arm) -> Tree:
    return maker.make(
        "StudyArm",
        {
            "name": arm.id,
            "label": arm.name,
            "description": arm.text,
            "type": maker.coded(ARM_TYPES, arm.type),
            "dataOriginDescription": "Collected from the participants of the study",
            "dataOriginType": maker.code(WITHIN_STUDY),
            "populationIds": [maker.id_of("StudyDesignPopulation", POPULATION)],
            "notes": maker.notes(("Short name", arm.short_name)),
        },
        key=arm.id,
    )


def _epoch(maker: Maker, study: Study, place: int) -> Tree:
    epochs = study.epochs
    epoch = epochs[place]
    open_treatment = epoch.type == "treatment" and not epoch.masked
    return maker.make(
        "StudyEpoch",
        {
            "name": epoch.id,
            "label": epoch.name,
            "type": maker.code(OPEN_TREATMENT) if open_treatment else maker.coded(EPOCH_TYPES, epoch.type),
            "previousId": maker.id_of("StudyEpoch", epochs[place - 1].id) if place else None,
            "nextId": maker.id_of("StudyEpoch", epochs[place + 1].id) if place + 1 < len(epochs) else None,
            "notes": maker.notes(("Masked", None if epoch.masked else "no")),
        },
        key=epoch.id,
    )


def _element_key(arm: Arm, epoch: Epoch) -> str:
    """What is given makes the element, so that a crossover has the same element in two epochs."""
    given = arm.cells.get(epoch.id, ())
    return " + ".join(given) if given else f"none in {epoch.id}"


def _elements(maker: Maker, study: Study) -> list[Tree]:
    called = {one.id: one.name for one in study.interventions}
    elements: dict[str, Tree] = {}
    for arm in study.arms:
        for epoch in study.epochs:
            key, given = _element_key(arm, epoch), arm.cells.get(epoch.id, ())
            if key not in elements:
                label = " + ".join(called[name] for name in given) if given else epoch.name
                ids = [maker.id_of("StudyIntervention", name) for name in given]
                fields: Tree = {"name": key, "label": label, "studyInterventionIds": ids}
                elements[key] = maker.make("StudyElement", fields, key=key)
    return list(elements.values())


def _cells(maker: Maker, study: Study) -> list[Tree]:
    return [
        maker.make(
            "StudyCell",
            {
                "armId": maker.id_of("StudyArm", arm.id),
                "epochId": maker.id_of("StudyEpoch", epoch.id),
                "elementIds": [maker.id_of("StudyElement", _element_key(arm, epoch))],
            },
        )
        for arm in study.arms
        for epoch in study.epochs
    ]


def _given_in(study: Study, intervention: str) -> set[str]:
    """The types of the arms in which an intervention is given."""
    return {arm.type for arm in study.arms if any(intervention in given for given in arm.cells.values())}


def write_interventions(maker: Maker, definition: StudyDefinition) -> list[Tree]:
    """Return the interventions, each with the administrations of the products that hold it."""
    study = definition.study
    experimental = any(arm.type == "experimental" for arm in study.arms)
    found = []
    for one in study.interventions:
        comparator = experimental and _given_in(study, one.id) == {"active_comparator"}
        role = "placebo" if one.placebo else "active_comparator" if comparator else "experimental"
        found.append(
            maker.make(
                "StudyIntervention",
                {
                    "name": one.id,
                    "label": one.name,
                    "description": one.text,
                    "role": maker.code(INTERVENTION_ROLES[role]),
                    "type": maker.coded(INTERVENTION_TYPES, one.type),
                    "administrations": _administrations(maker, definition, one.id),
                    "notes": maker.notes(*(("Other name", name) for name in one.other_names)),
                },
                key=one.id,
            )
        )
    return found


def _administrations(maker: Maker, definition: StudyDefinition, intervention: str) -> list[Tree]:
    """How it is given: the dose stays in words, as a quantity would need a route and a frequency too."""
    return [
        maker.make(
            "Administration",
            {
                "name": f"{intervention}.{product.id}",
                "label": product.name,
                "description": product.dose,
                "duration": maker.varying_duration(NOT_STATED, NOT_STATED),
                "dose": None,
                "route": None,
                "frequency": None,
                "notes": maker.notes(("Kind", product.kind), ("Unit", product.unit_name)),
            },
        )
        for product in definition.supply.products
        if intervention in product.interventions
    ]
