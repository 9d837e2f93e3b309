"""Trees of USDM for the tests: the studies that are written, and a strict reading of the published schema."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from equipoise.definition.load import load_study
from equipoise.definition.model.analysis import TestingProcedure
from equipoise.definition.model.conduct import Supply
from equipoise.definition.model.definition import StudyDefinition
from equipoise.exchange.usdm import usdm_text, write_usdm
from equipoise.studies import study_folder, study_names
from tests.analysis.trials import crossover_definition, parallel_definition, single_definition

ROOT = Path(__file__).resolve().parents[2]
EXTERNAL = ROOT.parent / "shared" / "external" / "usdm"
PILOT = EXTERNAL / "CDISC_Pilot_Study.json"
SCHEMA = EXTERNAL / "USDM_API.json"
with_external = pytest.mark.skipif(not SCHEMA.exists(), reason="the external files of USDM are not here")

FOLDERS = {name: study_folder(name) for name in study_names()} | {
    name: ROOT / "tests" / "studies" / name for name in ("tern", "dipper", "plover", "curlew", "wren")
}
MADE = {"crossover": crossover_definition, "parallel": parallel_definition, "single": single_definition}
STUDIES = (*FOLDERS, *MADE, "observational", "drafted")


@cache
def definition_of(name: str) -> StudyDefinition:
    if name in FOLDERS:
        return load_study(FOLDERS[name]).definition
    if name in MADE:
        made = MADE[name]()
        ratio = {arm.id: 1 for arm in made.study.arms}
        return replace(made, allocation=replace(made.allocation, ratio=ratio))
    base = crossover_definition()
    if name == "observational":
        return replace(base, study=replace(base.study, type="observational", randomised=False))
    # What a folder may leave out is left out, and what CDISC has no word for is used.
    study = replace(
        base.study,
        version="draft 2",
        purpose="other",
        conditions=("A & B", "C < D"),
        arms=tuple(replace(arm, type="other", short_name=None) for arm in base.study.arms),
        epochs=tuple(replace(epoch, type="extension") for epoch in base.study.epochs),
        interventions=tuple(replace(one, type="other") for one in base.study.interventions),
        sites=(),
    )
    schedule = replace(base.schedule, encounters=(), activities=(), logs=(), unscheduled=())
    analysis = replace(base.analysis, estimands=(), endpoints=(), testing=TestingProcedure(method="none"))
    criteria = tuple(replace(one, when=None, text='"<p>" & more') for one in base.eligibility.criteria)
    eligibility = replace(base.eligibility, sex="female", criteria=criteria, age_maximum_years=None)
    return replace(
        base, study=study, schedule=schedule, analysis=analysis, eligibility=eligibility, supply=Supply()
    )


@cache
def text_of(name: str) -> str:
    return usdm_text(write_usdm(definition_of(name)))


def tree_of(name: str) -> dict[str, Any]:
    tree: dict[str, Any] = json.loads(text_of(name))
    return tree


def version_of(tree: dict[str, Any]) -> dict[str, Any]:
    version: dict[str, Any] = tree["study"]["versions"][0]
    return version


def design_of(tree: dict[str, Any]) -> dict[str, Any]:
    design: dict[str, Any] = version_of(tree)["studyDesigns"][0]
    return design


def objects(node: object, path: str = "$") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of a tree with its path."""
    if isinstance(node, dict):
        yield path, node
        for key, below in node.items():
            yield from objects(below, f"{path}.{key}")
    elif isinstance(node, list):
        for number, below in enumerate(node):
            yield from objects(below, f"{path}[{number}]")


@cache
def schemas() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))["components"]["schemas"]
    return found


_TYPES = {"string": str, "boolean": bool, "null": type(None), "array": list, "object": dict}
_FORMATS = {
    "date": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
}


def faults(value: object, schema: dict[str, Any], path: str = "$") -> list[str]:
    """What in a value is not as the schema says; a property that it does not name is a fault too."""
    if "$ref" in schema:
        return faults(value, schemas()[schema["$ref"].rpartition("/")[2]], path)
    if "anyOf" in schema:
        tried = [faults(value, one, path) for one in schema["anyOf"]]
        return [] if [] in tried else min(tried, key=len)
    kind = schema["type"]
    if kind in ("number", "integer"):
        wanted = (int, float) if kind == "number" else (int,)
        return [] if isinstance(value, wanted) and not isinstance(value, bool) else [f"{path}: no {kind}"]
    if not isinstance(value, _TYPES[kind]):
        return [f"{path}: no {kind}"]
    if isinstance(value, dict):
        return _object_faults(value, schema, path)
    if isinstance(value, list):
        return [
            fault for n, one in enumerate(value) for fault in faults(one, schema["items"], f"{path}[{n}]")
        ]
    return _text_faults(value, schema, path) if isinstance(value, str) else []


def _object_faults(value: dict[str, Any], schema: dict[str, Any], path: str) -> list[str]:
    properties = schema["properties"]
    found = [f"{path}.{name}: not in the schema" for name in value if name not in properties]
    found += [f"{path}.{name}: missing" for name in schema.get("required", ()) if name not in value]
    for name, below in value.items():
        if name in properties:
            found += faults(below, properties[name], f"{path}.{name}")
    return found


def _text_faults(value: str, schema: dict[str, Any], path: str) -> list[str]:
    found = []
    if len(value) < schema.get("minLength", 0):
        found.append(f"{path}: too short")
    if value not in schema.get("enum", (value,)):
        found.append(f"{path}: not {schema['enum']}")
    if "format" in schema and not _FORMATS[schema["format"]].fullmatch(value):
        found.append(f"{path}: no {schema['format']}")
    return found


def broken_references(tree: dict[str, Any]) -> list[str]:
    """Ids that two objects have, that nothing has, or that a class of its own does not fit."""
    ids = [node["id"] for _, node in objects(tree) if node.get("id")]
    found = [f"twice: {one}" for one, number in Counter(ids).items() if number > 1]
    known = set(ids)
    for path, node in objects(tree):
        for key, value in node.items():
            if key.endswith(("Id", "Ids")) and value is not None:
                wanted = value if isinstance(value, list) else [value]
                found += [f"{path}.{key}: {one}" for one in wanted if one not in known]
    return found


def broken_chains(tree: dict[str, Any]) -> list[str]:
    """Lists whose links to the previous and the next do not follow their order."""
    found = []
    for path, node in objects(tree):
        for key, value in node.items():
            linked = isinstance(value, list) and any(
                isinstance(one, dict) and "nextId" in one for one in value
            )
            if linked:
                ids = [None, *(one["id"] for one in value), None]
                for place, one in enumerate(value):
                    if (one["previousId"], one["nextId"]) != (ids[place], ids[place + 2]):
                        found.append(f"{path}.{key}[{place}]")
    return found


def same_names(tree: dict[str, Any]) -> list[str]:
    """Names that two objects of one class have (DDF00010 of CDISC's conformance rules)."""
    names = Counter(
        (node["instanceType"], node["name"]) for _, node in objects(tree) if node.get("name") is not None
    )
    return [f"{kind}: {name}" for (kind, name), number in names.items() if number > 1]
