"""Reads a bundle of FHIR R5 into the draft of a study folder.

A draft holds what the bundle says and nothing that it does not say. Every value that the study folder has no
place for is listed with its path.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from equipoise.exchange.fhir.bundle import Resources, read_resources
from equipoise.exchange.fhir.cursor import Cursor
from equipoise.exchange.fhir.read_eligibility import read_eligibility
from equipoise.exchange.fhir.read_forms import name_of, read_form
from equipoise.exchange.fhir.read_plan import Plan, PlanReader
from equipoise.exchange.fhir.read_study import first_text, read_registry, read_study
from equipoise.exchange.unreadable import FileUnreadable

_READ_KINDS: Final = frozenset(
    {
        "ActivityDefinition",
        "EvidenceVariable",
        "Location",
        "Organization",
        "PlanDefinition",
        "Questionnaire",
        "ResearchStudy",
    }
)
_OWN: Final = ("resourceType", "id", "url", "status")


@dataclass(frozen=True, slots=True)
class FhirDraft:
    """The files of a study folder as far as a bundle gives them, by name, each as the tree of its YAML.

    `not_understood` has the path and the text of everything else; a resource that is no part of a study
    definition stands there once, under its kind.
    """

    parts: Mapping[str, Mapping[str, object]]
    not_understood: tuple[tuple[str, str], ...]


def read_fhir(path: Path) -> FhirDraft:
    """Return the draft that a bundle, a single resource or a file of resources makes.

    Raises FileUnreadable: those of `read_resources`, FHIR-NONE for a file without a study, a plan, rules or
    a questionnaire.
    """
    resources = read_resources(path)
    studies = resources.of("ResearchStudy")
    study = next((each for each in studies if each.get("partOf").value is None), None)
    forms = _form_names(resources)
    interventions = _intervention_names(resources)
    reader = PlanReader(resources, forms, interventions)
    for each in resources.of("PlanDefinition"):
        reader.read(each)
    parts: dict[str, Mapping[str, object]] = {}
    if study is not None:
        parts["study.yaml"] = read_study(resources, study, reader.plan, interventions)
        parts["registry.yaml"] = read_registry(study)
    parts["eligibility.yaml"] = read_eligibility(resources, study)
    if reader.plan.encounters:
        parts["schedule.yaml"] = _schedule(reader.plan)
    for each in resources.of("Questionnaire"):
        parts[f"forms/{forms[each.path]}.yaml"] = read_form(each, forms[each.path])
    kept = {name: tree for name, whole in parts.items() if (tree := _without_nothing(whole))}
    if not kept:
        raise FileUnreadable(
            "FHIR-NONE",
            f"The file {path.name} holds no study, plan, eligibility rules or questionnaire to draft a study "
            "from. Choose a file with one of these.",
        )
    return FhirDraft(kept, tuple(_not_understood(resources)))


def _not_understood(resources: Resources) -> Iterator[tuple[str, str]]:
    for each in resources.all:
        kind = str(each.get("resourceType").value)
        if kind not in _READ_KINDS:
            yield each.path, f"A resource of type {kind} is no part of a study definition."
            continue
        each.skip(*_OWN, "meta", "text")
        if kind == "Organization" or _is_exposure(each):
            # What these say stands with the sites, the parties and the interventions, too.
            continue
        yield from each.unread()


def _is_exposure(place: Cursor) -> bool:
    """Whether a variable is what an arm is exposed to: one characteristic, of the variable's own title."""
    parts = place.each("characteristic")
    kind, title = place.get("resourceType").value, place.get("title").value
    return kind == "EvidenceVariable" and len(parts) == 1 and parts[0].get("description").value == title


def _without_nothing(tree: Mapping[str, object]) -> dict[str, object]:
    """Return a tree without the members that say nothing, at any depth."""

    def clean(value: object) -> object:
        if isinstance(value, Mapping):
            return _without_nothing(value)
        return [clean(each) for each in value] if isinstance(value, list) else value

    cleaned = {name: clean(value) for name, value in tree.items()}
    return {name: value for name, value in cleaned.items() if value is not None and value not in ({}, [])}


def _form_names(resources: Resources) -> dict[str, str]:
    taken: set[str] = set()
    return {
        each.path: name_of(first_text(each, "name", "title", "id"), "form", taken)
        for each in resources.of("Questionnaire")
    }


def _intervention_names(resources: Resources) -> dict[str, str]:
    taken: set[str] = set()
    return {
        each.path: name_of(first_text(each, "name", "title", "id"), "intervention", taken)
        for each in resources.of("ActivityDefinition")
        if each.get("productCodeableConcept").value is not None
    }


def _schedule(plan: Plan) -> dict[str, object]:
    return {
        "encounters": plan.encounters,
        "activities": [each for each in plan.activities.values() if each["encounters"]],
        "logs": plan.loose.get("logs"),
        "unscheduled": plan.loose.get("unscheduled"),
    }
