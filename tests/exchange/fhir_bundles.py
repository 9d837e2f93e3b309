"""Bundles of the shipped study and of invented trials, as their files hold them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from equipoise.definition.load import load_study
from equipoise.definition.model.definition import StudyDefinition
from equipoise.exchange.fhir import fhir_text, write_fhir
from equipoise.studies import study_folder, study_names
from tests.exchange.e2b_cases import full_cut, rehearsed


@cache
def shipped() -> StudyDefinition:
    return load_study(study_folder(study_names()[0])).definition


@cache
def bundle(kind: str) -> dict[str, Any]:
    """A bundle as its file holds it."""
    if kind == "shipped":
        return dict(json.loads(fhir_text(write_fhir(shipped()))))
    cut = full_cut() if kind == "full" else rehearsed(kind)
    return dict(json.loads(fhir_text(write_fhir(cut.definition, cut))))


def resources(tree: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    found = (each["resource"] for each in tree["entry"])
    return [each for each in found if each["resourceType"] == kind]


def study_of(tree: Mapping[str, Any]) -> dict[str, Any]:
    return next(each for each in resources(tree, "ResearchStudy") if "partOf" not in each)


def objects(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for below in node.values():
            yield from objects(below)
    elif isinstance(node, list):
        for below in node:
            yield from objects(below)
