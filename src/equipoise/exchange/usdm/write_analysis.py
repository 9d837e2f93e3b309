"""Objectives, endpoints, estimands and analysis populations in USDM."""

from __future__ import annotations

from equipoise.definition.document import Rule
from equipoise.definition.model.analysis import Endpoint, Estimand
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.names import DefinitionNames
from equipoise.definition.synopsis_words import joined, rule_of, words
from equipoise.exchange.usdm.make import Maker, Tree, html_text
from equipoise.exchange.usdm.terms import ENDPOINT_LEVELS, OBJECTIVE_LEVELS
from equipoise.exchange.usdm.write_criteria import POPULATION, rule_text

SAFETY = "Safety"
_PURPOSES = {"arms": "Comparison of arms", "epochs": "Comparison of epochs", "none": "Description"}


def _level(endpoint: Endpoint) -> str:
    """USDM has three levels; an endpoint of safety is a secondary one with that purpose."""
    return "secondary" if endpoint.role == "safety" else endpoint.role


def write_objectives(maker: Maker, definition: StudyDefinition) -> list[Tree]:
    """Return one objective for each level that has endpoints; its text names these."""
    found = []
    for level, term in OBJECTIVE_LEVELS.items():
        endpoints = [one for one in definition.analysis.endpoints if _level(one) == level]
        if endpoints:
            text = f"To assess: {joined(one.title for one in endpoints)}"
            fields: Tree = {
                "name": level,
                "label": f"{level.capitalize()} objective",
                "text": html_text(text),
                "level": maker.code(term),
                "endpoints": [_endpoint(maker, one) for one in endpoints],
            }
            found.append(maker.make("Objective", fields))
    return found


def _endpoint(maker: Maker, endpoint: Endpoint) -> Tree:
    return maker.make(
        "Endpoint",
        {
            "name": endpoint.id,
            "text": html_text(endpoint.title),
            "purpose": SAFETY if endpoint.role == "safety" else _PURPOSES[endpoint.analysis.compare],
            "level": maker.code(ENDPOINT_LEVELS[_level(endpoint)]),
            "notes": maker.notes(
                ("Time frame", endpoint.time_frame),
                ("Variable", endpoint.type),
                ("Better", endpoint.better),
            ),
        },
        key=endpoint.id,
    )


def write_populations(maker: Maker, definition: StudyDefinition) -> list[Tree]:
    """Return the analysis sets, each with whom it holds in words."""
    names = DefinitionNames(definition)
    found = []
    for one in definition.analysis.sets:
        parts = tuple(rule_of(condition, names) for condition in one.requires.values())
        rule = rule_text(Rule("Participants of whom all of these hold:", parts))
        fields: Tree = {
            "name": one.id,
            "label": one.title,
            "text": rule,
            "subsetOfIds": [maker.id_of("StudyDesignPopulation", POPULATION)],
            "notes": maker.notes(("Grouped", words(one.grouped))),
        }
        found.append(maker.make("AnalysisPopulation", fields, key=one.id))
    return found


def write_estimands(maker: Maker, definition: StudyDefinition) -> list[Tree]:
    """Return an estimand for each endpoint that has one, as USDM ties it to one variable.

    The second endpoint of an estimand and those after it give it a name of their own.
    """
    estimands = {one.id: one for one in definition.analysis.estimands}
    taken: set[str] = set()
    found = []
    for endpoint in definition.analysis.endpoints:
        if endpoint.estimand is not None:
            name = endpoint.estimand
            name = name if name not in taken else f"{name}.{endpoint.id}"
            taken.add(name)
            found.append(_estimand(maker, definition, name, estimands[endpoint.estimand], endpoint))
    return found


def _estimand(
    maker: Maker, definition: StudyDefinition, name: str, estimand: Estimand, endpoint: Endpoint
) -> Tree:
    given = {one for arm in definition.study.arms for cell in arm.cells.values() for one in cell}
    return maker.make(
        "Estimand",
        {
            "name": name,
            "label": estimand.title,
            "populationSummary": estimand.summary,
            "analysisPopulationId": maker.id_of("AnalysisPopulation", endpoint.analysis.set),
            "interventionIds": [
                maker.id_of("StudyIntervention", one.id)
                for one in definition.study.interventions
                if one.id in given
            ],
            "variableOfInterestId": maker.id_of("Endpoint", endpoint.id),
            "intercurrentEvents": [
                maker.make(
                    "IntercurrentEvent",
                    {
                        "name": f"{name} {number}",
                        "description": event.text,
                        "text": html_text(event.event),
                        "strategy": words(event.strategy),
                    },
                )
                for number, event in enumerate(estimand.intercurrent_events, 1)
            ],
            "notes": maker.notes(
                ("Population", estimand.population),
                ("Treatment", estimand.treatment),
                ("Variable", estimand.variable),
            ),
        },
    )
