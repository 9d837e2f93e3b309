"""From a research study, with what it refers to, to study.yaml and registry.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, get_args

from equipoise.definition.model.study import EpochType, InterventionType, Purpose
from equipoise.exchange.fhir.bundle import Resources
from equipoise.exchange.fhir.codes import (
    ARM_TYPE,
    ARM_TYPES,
    INVESTIGATOR_MASKED,
    MASKED_PARTIES,
    MODELS,
    OBJECTIVE,
    PARTY_ROLE,
    PHASE,
    PHASES,
    RANDOMISED,
    STUDY_TYPES,
    TIME_ZONE,
)
from equipoise.exchange.fhir.cursor import Cursor
from equipoise.exchange.fhir.read_forms import name_of
from equipoise.exchange.fhir.read_plan import Plan
from equipoise.exchange.fhir.study import MASKING, RESPONSIBLE, TIME_FRAME

_SITE: Final = re.compile(r"[A-Z]{2}[0-9]{2,3}")
_DATES: Final[Mapping[str, str]] = {"start": "start", "completion": "end"}
_OWN: Final = ("resourceType", "id", "url", "status")


def read_study(
    resources: Resources, study: Cursor, plan: Plan, interventions: Mapping[str, str]
) -> dict[str, object]:
    """Return study.yaml; `interventions` maps the place of each to its name."""
    labels = {each.get("type").code(): each.text("value") for each in study.each("label")}
    # What else these say stands elsewhere, too: regions in the sites, focus in the interventions.
    study.skip("region", "focus", "protocol", "site", "name")
    sub_trials = [each for each in resources.of("ResearchStudy") if each.path != study.path]
    return {
        "id": name_of(first_text(study, "name", "title"), "study", set()),
        "version": study.text("version") or "draft",
        "title": study.text("title"),
        "official_title": labels.get("official"),
        "acronym": labels.get("acronym"),
        **_design(study),
        "masking": _masking(study),
        "identifiers": [
            *_identifiers(study, None),
            *(each for sub in sub_trials for each in _identifiers(sub, _sub_name(sub))),
        ],
        **_parties(study),
        "conditions": _concepts(study, "condition"),
        "keywords": _concepts(study, "keyword"),
        "planned_enrolment": study.get("recruitment").whole("targetNumber"),
        "dates": {name: study.get("period").day(end) for name, end in _DATES.items()},
        "interventions": [
            _intervention(each, interventions[each.path])
            for each in resources.of("ActivityDefinition")
            if each.path in interventions
        ],
        "epochs": [
            each | {"type": each["type"] if each["type"] in get_args(EpochType) else None}
            for each in plan.epochs
        ],
        "arms": [_arm(each, plan) for each in study.each("comparisonGroup")],
        "sub_trials": [_sub_trial(each) for each in sub_trials],
        "sites": list(_sites(resources, sub_trials)),
    }


def first_text(place: Cursor, *names: str) -> str | None:
    """Return the first of some members that is a text, without counting it as read."""
    texts = (place.get(name).value for name in names)
    return next((text for text in texts if isinstance(text, str) and text.strip()), None)


def _sub_name(place: Cursor) -> str:
    """Return the name by which the definition knows a sub-trial."""
    return name_of(first_text(place, "name", "title"), "trial", set())


def _concepts(place: Cursor, name: str) -> list[str]:
    found = [each.words() for each in place.each(name)]
    return [words for words in found if words is not None]


def _design(study: Cursor) -> dict[str, object]:
    """Return type, phases, purpose, model and assignment."""
    known: dict[str, tuple[str, object]] = {
        **{code: ("type", word) for word, (code, _) in STUDY_TYPES.items()},
        **{code: ("model", word) for word, (code, _) in MODELS.items()},
        **{code: ("randomised", word) for word, (code, _) in RANDOMISED.items()},
        **{word: ("model", word) for word in ("factorial", "sequential")},
    }
    found: dict[str, object] = {}
    for each in study.each("studyDesign"):
        for word in (*(one.get("code").value for one in each.each("coding")), each.get("text").value):
            if isinstance(word, str) and word in known:
                found[known[word][0]] = known[word][1]
                each.mark()
    phase, purpose = study.get("phase").code(PHASE), study.get("primaryPurposeType")
    meant = (purpose.text("text") or purpose.code() or "").replace("-", "_")
    if meant in get_args(Purpose):
        study.skip("primaryPurposeType")
    return {
        "type": found.get("type"),
        "phases": next((list(ours) for ours, theirs in PHASES.items() if theirs == phase), None),
        "purpose": meant if meant in get_args(Purpose) else None,
        "model": found.get("model"),
        "randomised": found.get("randomised"),
    }


def _masking(study: Cursor) -> dict[str, object] | None:
    masked = {code: party for party, (code, _) in MASKED_PARTIES.items()}
    parties: list[str] = []
    for each in study.each("studyDesign"):
        codes = [str(one.get("code").value) for one in each.each("coding")]
        found = [masked[code] for code in codes if code in masked]
        if each.get("text").value == INVESTIGATOR_MASKED:
            found = ["investigator"]
        if found:
            parties += found
            each.mark()
    notes = [each for each in study.each("note") if str(each.get("text").value).startswith(MASKING)]
    texts = [(each.text("text") or "").removeprefix(MASKING) for each in notes]
    return {"parties": parties, "text": next(iter(texts), None)} if parties or texts else None


def _identifiers(study: Cursor, sub_trial: str | None) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for each in study.each("identifier"):
        value = each.text("value")
        if value is not None:
            registry = each.get("type").words() or each.text("system") or "Not named"
            each.skip("system", "use")
            found.append({"registry": registry, "value": value, "sub_trial": sub_trial})
    return found


def _parties(study: Cursor) -> dict[str, object]:
    sponsor: dict[str, object] | None = None
    responsible: str | None = None
    collaborators: list[dict[str, object]] = []
    officials: list[dict[str, object]] = []
    for each in study.each("associatedParty"):
        party = each.get("party")
        name = each.text("name") or party.text("display")
        if name is None:
            continue
        code, words = each.get("role").code(PARTY_ROLE), each.get("role").text("text")
        if code in ("sponsor", "lead-sponsor", "collaborator", "funding-source"):
            each.skip("party")
            if sponsor is None and code.endswith("sponsor"):
                sponsor = {"name": name, "kind": "sponsor"}
            else:
                other = "other" if words == "other" else "collaborator"
                collaborators.append({"name": name, "kind": "funder" if code == "funding-source" else other})
        elif words == RESPONSIBLE:
            responsible = name
        else:
            affiliation = party.text("display")
            officials.append(
                {
                    "name": name,
                    "role": words or (code or "official").replace("-", " ").capitalize(),
                    "affiliation": None if affiliation == name else affiliation,
                }
            )
    return {
        "sponsor": sponsor,
        "collaborators": collaborators,
        "responsible_party": responsible,
        "officials": officials,
    }


def _intervention(place: Cursor, name: str) -> dict[str, object]:
    place.skip(*_OWN, "name", "productCodeableConcept")
    kind = place.get("code").get("text").value
    known = kind in get_args(InterventionType)
    if known:
        place.get("code").skip("text")
    placebo = any(each.get("text").value == "placebo" for each in place.each("topic"))
    if placebo:
        place.skip("topic")
    return {
        "id": name,
        "name": place.text("title") or name,
        "type": kind if known else None,
        "text": place.text("description"),
        "placebo": True if placebo else None,
        "other_names": [each for each in (place.text("subtitle") or "").split("; ") if each],
    }


def _arm(place: Cursor, plan: Plan) -> dict[str, object]:
    name = name_of(first_text(place, "linkId", "name"), "arm", set())
    title, label = place.text("name"), plan.arm_labels.get(name)
    kind = place.get("type")
    code = kind.code(ARM_TYPE)
    if code is not None:
        kind.skip("text")
    place.skip("linkId", "intendedExposure")
    return {
        "id": name,
        "name": title,
        "short_name": label if label != title else None,
        "type": next((ours for ours, theirs in ARM_TYPES.items() if theirs == code), None),
        "text": place.text("description"),
        "cells": plan.cells.get(name),
    }


def _sub_trial(place: Cursor) -> dict[str, object]:
    place.skip("name", "partOf", "site", "version", "progressStatus")
    regions = [each.code() for each in place.each("region")]
    place.skip("region")
    notes = [each.text("text") for each in place.each("note")]
    numbers = [str(each.get("value").value) for each in place.each("identifier")]
    return {
        "id": _sub_name(place),
        "name": place.text("title"),
        "country": next(iter(regions), None),
        "registration": next(iter(numbers), None),
        "status": next(iter(notes), None),
    }


def _sites(resources: Resources, sub_trials: Sequence[Cursor]) -> Iterator[dict[str, object]]:
    """Yield the sites, each with the sub-trial that refers to it."""
    trial_of = {
        found.path: _sub_name(sub)
        for sub in sub_trials
        for each in sub.each("site")
        if (found := resources.find(str(each.get("reference").value))) is not None
    }
    for place in resources.of("Location"):
        place.skip(*_OWN, "mode", "managingOrganization")
        numbers = [each.text("value") for each in place.each("identifier")]
        number = next((each for each in numbers if each and _SITE.fullmatch(each)), None)
        zones = [each for each in place.each("extension") if each.get("url").value == TIME_ZONE]
        for each in zones:
            each.skip("url")
        yield {
            "id": number,
            "name": place.text("name"),
            "city": place.get("address").text("city"),
            "country": place.get("address").text("country"),
            "time_zone": zones[0].text("valueCode") if zones else None,
            "sub_trial": trial_of.get(place.path),
        }


def read_registry(study: Cursor) -> dict[str, object]:
    """Return registry.yaml."""
    states = [each.get("state").words() for each in study.each("progressStatus")]
    for each in study.each("progressStatus"):
        each.skip("actual", "period")
        each.get("state").skip("coding")
    return {
        "brief_summary": study.text("descriptionSummary"),
        "detailed_description": study.text("description"),
        "overall_status": next((each for each in reversed(states) if each), None),
        "outcomes": [_outcome(each) for each in study.each("outcomeMeasure")],
        "publications": [_publication(each) for each in study.each("relatedArtifact")],
        "dates": {"last_update_submitted": study.day("date")},
    }


def _outcome(place: Cursor) -> dict[str, object]:
    text = place.text("description") or ""
    frame, _, rest = text.partition("\n\n") if text.startswith(TIME_FRAME) else ("", "", text)
    words = [each.words() or each.code(OBJECTIVE) for each in place.each("type")]
    for each in place.each("type"):
        each.skip("coding")
    category = next((each for each in words if each in ("primary", "secondary")), "other")
    return {
        "measure": place.text("name"),
        "time_frame": frame.removeprefix(TIME_FRAME) or None,
        "category": category,
        "description": rest or None,
    }


def _publication(place: Cursor) -> dict[str, object]:
    place.skip("type")
    return {"citation": place.text("citation"), "note": place.text("label")}
