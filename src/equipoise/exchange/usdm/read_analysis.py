"""analysis.yaml as far as a USDM file holds it: sets, estimands and endpoints, without models."""

from __future__ import annotations

from typing import Final, get_args, get_type_hints

from equipoise.definition.model.analysis import IntercurrentEvent
from equipoise.definition.synopsis_words import words
from equipoise.exchange.usdm.draft import Draft, Tree, called, filled
from equipoise.exchange.usdm.html import expanded
from equipoise.exchange.usdm.terms import ENDPOINT_LEVELS, OBJECTIVE_LEVELS
from equipoise.exchange.usdm.tree import Part
from equipoise.exchange.usdm.write_analysis import SAFETY

_STRATEGIES: Final = get_args(get_type_hints(IntercurrentEvent)["strategy"])
_GROUPED: Final = {"as treated": "as_treated"}


def analysis_part(draft: Draft) -> Tree:
    """Return the content of analysis.yaml."""
    sets = [_set(draft, one) for one in draft.design.parts("analysisPopulations")]
    endpoints: dict[str, Tree] = {}
    for objective in draft.design.parts("objectives"):
        level = objective.coded("level", OBJECTIVE_LEVELS)
        if draft.own:
            objective.done("name", "label", "text")
        for part in objective.parts("endpoints"):
            endpoints[part.id] = _endpoint(draft, part, level)
    return {
        "sets": sets,
        "estimands": _estimands(draft, endpoints),
        "endpoints": [filled(endpoint) for endpoint in endpoints.values()],
    }


def _set(draft: Draft, part: Part) -> Tree:
    part.follow_all("subsetOfIds")
    grouped = part.noted("Grouped").get("Grouped", "")
    return filled(
        {
            "id": draft.name(part, "set"),
            "title": part.text("label") or (None if draft.own else expanded(part, "text")),
            "grouped": _GROUPED.get(grouped),
        }
    )


def _endpoint(draft: Draft, part: Part, level: str | None) -> Tree:
    notes = part.noted("Time frame", "Variable", "Better")
    role = part.coded("level", ENDPOINT_LEVELS) or level
    safety = part.peek("purpose") == SAFETY
    if safety or draft.own:
        part.done("purpose")
    return {
        "id": draft.name(part, "endpoint"),
        "title": expanded(part, "text"),
        "role": "safety" if safety and role == "secondary" else role,
        "type": notes.get("Variable"),
        "time_frame": notes.get("Time frame"),
        "better": notes.get("Better"),
    }


def _estimands(draft: Draft, endpoints: dict[str, Tree]) -> list[Tree]:
    """Estimands; one that repeats another for a further endpoint, as this program writes it, is that one."""
    found: dict[str, Tree] = {}
    for part in draft.design.parts("estimands"):
        whole, _, further = (part.peek("name") or "").partition(".")
        repeats = draft.own and bool(further) and whole in found
        name = whole if repeats else draft.name(part, "estimand")
        variable = part.follow("variableOfInterestId")
        if variable is not None and variable.id in endpoints:
            endpoints[variable.id]["estimand"] = name
        if repeats:
            part.settle()
        else:
            found[name] = _estimand(draft, part, name)
    return list(found.values())


def _estimand(draft: Draft, part: Part, name: str) -> Tree:
    notes = part.noted("Population", "Treatment", "Variable")
    population, variable = part.follow("analysisPopulationId"), part.follow("variableOfInterestId")
    given = part.follow_all("interventionIds")
    part.done("name")
    events = [_event(draft, one) for one in part.parts("intercurrentEvents")]
    return filled(
        {
            "id": name,
            "title": part.text("label"),
            "population": notes.get("Population") or (expanded(population, "text") if population else None),
            "treatment": notes.get("Treatment")
            or (", ".join(text for one in given if (text := called(one))) or None),
            "variable": notes.get("Variable") or (expanded(variable, "text") if variable else None),
            "intercurrent_events": events,
            "summary": part.text("populationSummary"),
        }
    )


def _event(draft: Draft, part: Part) -> Tree:
    if draft.own:
        part.done("name")
    written = (part.peek("strategy") or "").lower()
    strategy = next((one for one in _STRATEGIES if written.startswith(words(one))), None)
    if strategy is not None and written == words(strategy):
        part.done("strategy")
    return filled({"event": expanded(part, "text"), "strategy": strategy, "text": part.text("description")})
