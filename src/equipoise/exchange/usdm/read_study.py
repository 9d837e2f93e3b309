"""study.yaml, registry.yaml and supply.yaml as far as a USDM file holds them."""

from __future__ import annotations

from typing import Final

from equipoise.exchange.usdm.draft import Draft, Tree, called, filled
from equipoise.exchange.usdm.make import NOT_STATED
from equipoise.exchange.usdm.narrative import SYNOPSIS
from equipoise.exchange.usdm.read_people import people_of
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
    TITLES,
    WITHIN_STUDY,
)
from equipoise.exchange.usdm.tree import Part

_DATES: Final = {
    "Study start": "start",
    "Primary completion": "primary_completion",
    "Study completion": "completion",
}


def study_part(draft: Draft) -> Tree:
    """Return the content of study.yaml; interventions, epochs and arms get their names here."""
    version, design = draft.version, draft.design
    dates = version.noted(*_DATES)
    kind, model = design.coded("studyType", STUDY_TYPES), design.coded("model", MODELS)
    purposes = [one.word(PURPOSES) or one.own_word() for one in design.parts("intentTypes")[:1]]
    parts: Tree = {
        "id": draft.name(draft.study, "study"),
        "version": version.text("versionIdentifier"),
        **_titles(draft),
        "language": _language(draft),
        "type": kind,
        "phases": _phases(design),
        "purpose": purposes[0] if purposes else None,
        "model": model or design.own("model"),
        "randomised": _randomised(draft),
        **people_of(draft),
        "conditions": _conditions(design),
        "keywords": version.noted_all("Keyword"),
        "planned_enrolment": _enrolment(design),
        "dates": {_DATES[label]: day for label, day in dates.items()},
        "interventions": [_intervention(draft, one) for one in version.parts("studyInterventions")],
        "epochs": [_epoch(draft, one) for one in design.linked("epochs")],
    }
    parts["arms"] = _arms(draft)
    if draft.own:
        _settle_derived(draft)
    return parts


def _titles(draft: Draft) -> Tree:
    found: dict[str, str | None] = {}
    for title in draft.version.parts("titles"):
        kind = title.coded("type", TITLES)
        if kind is not None and kind not in found:
            found[kind] = title.text("text")
    official, brief, acronym = (found.get(kind) for kind in ("official", "brief", "acronym"))
    if draft.study.peek("label") in (acronym, brief):
        draft.study.done("label")
    # Without a brief title the official one is the only title that there is.
    return {
        "title": brief or official,
        "official_title": official if brief and official != brief else None,
        "acronym": acronym,
    }


def _phases(design: Part) -> list[str]:
    """The phases; a combination that CDISC has no term for is a word of this program's own."""
    phases = design.coded("studyPhase", PHASES) or tuple((design.own("studyPhase") or "").split("+"))
    return [phase for phase in phases if phase]


def _language(draft: Draft) -> str | None:
    """The language of the first document, which is that of the study folder where this program wrote it."""
    for document in draft.study.parts("documentedBy")[:1]:
        code = document.part("language")
        language = document.noted("Language").get("Language")
        if code is not None:
            language = language or code.peek("code")
            code.settle()
        return language
    return None


def _randomised(draft: Draft) -> bool | None:
    """Whether the study is randomised; a file of another origin that does not say so leaves it open."""
    words = {one.word(CHARACTERISTICS) for one in draft.design.parts("characteristics")}
    if words & {"randomised", "stratified"}:
        return True
    return False if draft.own else None


def _conditions(design: Part) -> list[str | None]:
    found = []
    for indication in design.parts("indications"):
        found.append(called(indication))
        if indication.peek("description") == indication.peek("label"):
            indication.done("description")
        if indication.tree.get("isRareDisease") is False:
            indication.done("isRareDisease")
    return list(dict.fromkeys(found))


def _enrolment(design: Part) -> int | None:
    population = design.part("population")
    planned = population.part("plannedEnrollmentNumber") if population else None
    number = planned.number("value") if planned else None
    return None if number is None else int(number)


def _intervention(draft: Draft, part: Part) -> Tree:
    role, kind = part.coded("role", INTERVENTION_ROLES), part.coded("type", INTERVENTION_TYPES)
    return filled(
        {
            "id": draft.name(part, "intervention"),
            "name": called(part),
            "type": kind or part.own("type"),
            "text": part.text("description"),
            "placebo": True if role == "placebo" else None,
            "other_names": part.noted_all("Other name"),
        }
    )


def _epoch(draft: Draft, part: Part) -> Tree:
    open_label = part.is_code("type", OPEN_TREATMENT)
    kind = "treatment" if open_label else part.coded("type", EPOCH_TYPES) or part.own("type")
    noted = part.noted("Masked").get("Masked")
    return filled(
        {
            "id": draft.name(part, "epoch"),
            "name": called(part),
            "type": kind,
            "masked": False if open_label or noted == "no" else True if draft.own else None,
        }
    )


def _arms(draft: Draft) -> list[Tree]:
    cells = _cells(draft)
    arms = []
    for part in draft.design.parts("arms"):
        part.follow_all("populationIds")
        part.is_code("dataOriginType", WITHIN_STUDY)
        kind = part.coded("type", ARM_TYPES)
        if draft.own:
            part.done("dataOriginDescription")
        arms.append(
            filled(
                {
                    "id": draft.name(part, "arm"),
                    "name": called(part),
                    "short_name": part.noted("Short name").get("Short name"),
                    "type": kind or part.own("type"),
                    "text": part.text("description"),
                    "cells": cells.get(part.id),
                }
            )
        )
    return arms


def _cells(draft: Draft) -> dict[str, dict[str, list[str]]]:
    """What each arm is given in each epoch, by the id of the arm."""
    found: dict[str, dict[str, list[str]]] = {}
    for cell in draft.design.parts("studyCells"):
        arm, epoch = cell.follow("armId"), draft.named(cell.follow("epochId"))
        elements = cell.follow_all("elementIds")
        given = [one for element in elements for one in element.follow_all("studyInterventionIds")]
        for element in elements if draft.own else []:
            element.done("name", "label")
        if arm is not None and epoch is not None:
            names = [name for one in given if (name := draft.named(one))]
            found.setdefault(arm.id, {})[epoch] = names
    return found


def _settle_derived(draft: Draft) -> None:
    """Count what this program derived from the rest of the definition as understood."""
    version, design = draft.version, draft.design
    for part, key in ((version, "rationale"), (design, "rationale")):
        if part.peek(key) == NOT_STATED:
            part.done(key)
    design.done("name", "label")
    design.coded("blindingSchema", BLINDING)
    for code in design.parts("subTypes"):
        code.word(SUB_TYPES)
    for approval in version.parts("dateValues"):
        approval.settle()
    for document in draft.study.parts("documentedBy"):
        if document.peek("name") == SYNOPSIS:
            for content in document.parts("versions"):
                for one in content.parts("contents"):
                    if (item := one.follow("contentItemId")) is not None:
                        item.settle()
            document.settle()
    version.follow_all("documentVersionIds")
    design.follow_all("studyInterventionIds")


def registry_part(draft: Draft) -> Tree:
    """Return the content of registry.yaml: the summaries and the references."""
    citations = draft.version.noted_all("Reference")
    return {
        "brief_summary": draft.study.text("description"),
        "detailed_description": draft.design.text("description"),
        "publications": [{"citation": citation} for citation in citations],
    }


def supply_part(draft: Draft) -> Tree:
    """Return the content of supply.yaml: the products that this program wrote as administrations."""
    products: dict[str, Tree] = {}
    given: dict[str, list[str | None]] = {}
    for intervention in draft.version.parts("studyInterventions") if draft.own else []:
        for one in intervention.parts("administrations"):
            notes = one.noted("Kind", "Unit")
            name = (one.text("name") or "").partition(".")[2]
            given.setdefault(name, []).append(draft.named(intervention))
            products[name] = {
                "id": name,
                "name": one.text("label"),
                "kind": notes.get("Kind"),
                "interventions": given[name],
                "dispensed_at": draft.given_at.get(name),
                "unit_name": notes.get("Unit"),
                "dose": one.text("description"),
            }
            one.settle_at("duration")
    return {"products": [filled(product) for product in products.values()]}
