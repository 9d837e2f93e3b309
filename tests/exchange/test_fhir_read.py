"""From FHIR to the draft of a study: what comes back, what does not and is said, and what cannot be read."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from equipoise.definition import expression as ex
from equipoise.definition.model.forms import Form
from equipoise.exchange.fhir import FhirDraft, fhir_ndjson, fhir_text, read_fhir, write_fhir
from equipoise.exchange.fhir.bundle import FHIR_BYTES_MAX
from equipoise.exchange.fhir.conditions import Writer
from equipoise.exchange.fhir.cursor import Cursor
from equipoise.exchange.fhir.read_conditions import read_characteristic, read_enable_when
from equipoise.exchange.fhir.tree import Names
from equipoise.exchange.made import yaml_text
from equipoise.exchange.unreadable import FileUnreadable
from equipoise.studies import study_folder, study_names
from tests.exchange.e2b_cases import rehearsed
from tests.exchange.fhir_bundles import bundle, shipped
from tests.exchange.losses import Parts, compare_parts
from tests.small_trial import codes, item, make_definition, when

READ_BACK = ("study.yaml", "eligibility.yaml", "schedule.yaml", "registry.yaml", "forms/")


def draft_of(tree: object, folder: Path, name: str = "x.json") -> FhirDraft:
    path = folder / name
    path.write_text(tree if isinstance(tree, str) else json.dumps(tree), encoding="utf-8")
    return read_fhir(path)


@cache
def shipped_draft() -> FhirDraft:
    with tempfile.TemporaryDirectory() as folder:
        return draft_of(bundle("shipped"), Path(folder))


@cache
def folder_parts() -> Parts:
    folder = study_folder(study_names()[0])
    reader = YAML(typ="safe")
    paths = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*.yaml"))}
    return {name: reader.load(path) for name, path in paths.items() if name.startswith(READ_BACK)}


# -- round trip

KEPT = {
    "study.yaml": (
        *("title", "version", "phases[]", "arms[].cells", "sites[].time_zone", "epochs[].type"),
        *("responsible_party", "officials[].name", "officials[].role", "officials[].affiliation", "sponsor"),
        *("masking", "interventions[]", "conditions[]", "planned_enrolment", "sites[].sub_trial"),
    ),
    "eligibility.yaml": ("criteria[].text", "criteria[].when", "variables", "variants[].criteria[].text"),
    "schedule.yaml": ("encounters[]", "activities[]", "logs[]", "unscheduled[]"),
    "registry.yaml": ("brief_summary", "outcomes[].measure", "outcomes[].time_frame", "publications[]"),
    "forms/*.yaml": (
        "items[].label",
        "items[].codes[]",
        "items[].minimum",
        "items[].when",
        "checks[].message",
    ),
}


@pytest.mark.parametrize("file", KEPT)
def test_spec_what_FHIR_can_hold_comes_back_from_it(file: str) -> None:
    kinds = [each for each in compare_parts(folder_parts(), shipped_draft().parts) if each.file == file]
    for prefix in KEPT[file]:
        own = [each for each in kinds if each.pattern.startswith(prefix)]
        assert own, prefix
        assert [each for each in own if each.kept < each.leaves] == []


def test_spec_most_of_a_study_folder_comes_back() -> None:
    kinds = compare_parts(folder_parts(), shipped_draft().parts)
    assert sum(each.kept for each in kinds) > 0.8 * sum(each.leaves for each in kinds)


def test_spec_of_our_own_bundle_only_the_estimands_are_not_understood() -> None:
    left = shipped_draft().not_understood
    assert left
    assert {path.partition(".")[2].partition("[")[0] for path, _ in left} == {"objective"}


@pytest.mark.parametrize("name", ["x.json", "x.ndjson"])
def test_spec_lines_and_bundle_make_the_same_draft(name: str, tmp_path: Path) -> None:
    tree = bundle("crossover")
    text = fhir_ndjson(tree) if name == "x.ndjson" else fhir_text(tree)
    draft = draft_of(text, tmp_path, name)
    assert {each: yaml_text(dict(part)) for each, part in draft.parts.items()} == {
        each: yaml_text(dict(part)) for each, part in draft_of(tree, tmp_path).parts.items()
    }
    assert any("AdverseEvent is no part" in text for _, text in draft.not_understood)


def test_spec_a_draft_written_again_makes_the_same_draft(tmp_path: Path) -> None:
    cut = rehearsed("parallel")
    first = draft_of(fhir_text(write_fhir(cut.definition)), tmp_path)
    assert first.parts["study.yaml"]["arms"] == [
        {
            "id": arm.id,
            "name": arm.name,
            "type": arm.type,
            "cells": {epoch: list(given) for epoch, given in arm.cells.items() if given},
        }
        for arm in cut.definition.study.arms
    ]


# -- conditions, there and back

QUESTIONS = Form(
    id="exam",
    title="Examination",
    items=(
        item("score", "decimal", unit="mg/L"),
        item("count", "integer"),
        item("flag", "boolean"),
        item("kind", "choice", codes=codes("a", "b")),
        item("note", "text"),
        item("day", "date"),
    ),
)
DEFINITION = make_definition(forms=(QUESTIONS,))
WRITER = Writer(DEFINITION, Names("x"))
LINKS = {f"exam.{each.id}": f"exam.{each.id}" for each in QUESTIONS.items}

_SCORE, _FLAG = ex.Item("exam", "score"), ex.Item("exam", "flag")
_decimals = st.decimals(-1000, 1000, places=2).map(ex.Literal)
_words = st.text("a'b ü", min_size=1, max_size=4)
_leaves = st.one_of(
    st.builds(
        ex.Compare, st.sampled_from(["=", "!=", "<", ">="]), st.just(ex.Item("exam", "score")), _decimals
    ),
    st.builds(ex.Compare, st.just("="), st.just(ex.Item("exam", "kind")), st.builds(ex.Literal, _words)),
    st.builds(
        ex.Compare, st.just("="), st.just(ex.Item("exam", "flag")), st.builds(ex.Literal, st.booleans())
    ),
    st.builds(ex.Compare, st.just("<"), st.just(ex.Item("exam", "score", "week_4")), _decimals),
    st.builds(ex.IsKnown, st.just(ex.Item("exam", "day")), st.booleans()),
    st.just(_FLAG),
    st.just(when("count(exam where exam.score > 2 within 3 months before randomisation) >= 2")),
)
_labels = _words.filter(str.strip)
_trees: st.SearchStrategy[ex.Node] = st.recursive(
    _leaves,
    lambda nodes: st.one_of(
        st.builds(ex.Not, nodes),
        st.builds(ex.Labelled, _labels, nodes),
        st.builds(ex.All, st.lists(nodes, min_size=2, max_size=3).map(tuple)),
        st.builds(ex.Any, st.lists(nodes, min_size=2, max_size=3).map(tuple)),
        st.builds(ex.AtLeast, st.integers(1, 2), st.lists(nodes, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)


@settings(max_examples=60)
@given(_trees)
def test_law_a_condition_comes_back_from_its_characteristic(tree: ex.Node) -> None:
    written = json.loads(json.dumps(WRITER.characteristic(tree)))
    assert read_characteristic(Cursor(written, "x", {})) == tree


def test_spec_a_condition_is_told_in_the_words_of_FHIR() -> None:
    form = Names("x").url("Questionnaire", "exam")
    first = WRITER.characteristic(when("exam.kind = 'a'"))
    node = when("exam.score >= 3 and not (exam.kind = 'a' as 'Of the first kind')")
    assert WRITER.characteristic(node) == {
        "definitionByCombination": {
            "code": "all-of",
            "characteristic": [
                {
                    "definitionByTypeAndValue": {
                        "type": {
                            "coding": [{"system": form, "code": "exam.score"}],
                            "text": "Score",
                        },
                        "valueQuantity": {
                            "value": 3,
                            "comparator": ">=",
                            "unit": "mg/L",
                            "system": "http://unitsofmeasure.org",
                            "code": "mg/L",
                        },
                    }
                },
                {
                    "exclude": True,
                    "definitionByCombination": {
                        "code": "all-of",
                        "characteristic": [{"description": "Of the first kind", **first}],
                    },
                },
            ],
        }
    }


@pytest.mark.parametrize(
    "condition",
    [
        "exam.flag = true",
        "exam.count > 3",
        "exam.score <= 3.5",
        "exam.day >= date '2024-02-03'",
        "exam.note = 'x'",
        "exam.kind in ('a', 'b')",
        "exam.day is known",
        "exam.day is unknown",
        "exam.flag = true and exam.count >= 2",
        "exam.flag = true or exam.kind = 'b'",
    ],
)
def test_spec_when_to_ask_comes_back_from_enable_when(condition: str) -> None:
    written = WRITER.enable_when(when(condition), "exam")
    assert written is not None
    assert read_enable_when(Cursor(written, "x", {}), LINKS) == when(condition)


@pytest.mark.parametrize(
    "condition",
    ["other.flag = true", "exam.score + 1 > 2", "exam.flag", "not exam.flag = true", "exam.count = 1.5"],
)
def test_spec_what_enable_when_cannot_say_is_left_to_an_expression(condition: str) -> None:
    assert WRITER.enable_when(when(condition), "exam") is None


# -- what others write

FOREIGN = {
    "resourceType": "Questionnaire",
    "title": "Pain diary",
    "status": "draft",
    "copyright": "A hospital",
    "item": [
        {"linkId": "1", "text": "Where does it hurt?", "type": "string", "required": True},
        {
            "linkId": "2",
            "text": "How much?",
            "type": "choice",
            "answerOption": [{"valueInteger": 0}, {"valueString": "a lot"}, {"valueDate": "2024-01-01"}],
            "enableWhen": [{"question": "1", "operator": "exists", "answerBoolean": True}],
        },
        {"linkId": "3", "type": "group", "item": [{"linkId": "3.1", "text": "Since", "type": "date"}]},
        {"linkId": "4", "text": "A drawing", "type": "attachment"},
    ],
}


def test_spec_a_questionnaire_of_others_becomes_a_form_and_the_rest_is_listed(tmp_path: Path) -> None:
    draft = draft_of(FOREIGN, tmp_path)
    (form,) = draft.parts.values()
    items = form["items"]
    assert isinstance(items, list)
    assert [(each["id"], each["type"]) for each in items] == [
        ("item_1", "text"),
        ("item_2", "choice"),
        ("item_1_2", "partial_date"),
    ]
    assert items[1]["codes"] == [{"code": "0", "label": "0"}, {"code": "a lot", "label": "a lot"}]
    assert items[1]["when"] == "pain_diary.item_1 is known"
    texts = [text for _, text in draft.not_understood]
    assert {"A hospital", "A drawing", "attachment", "2024-01-01"} <= set(texts)


PLAN = {
    "resourceType": "PlanDefinition",
    "status": "draft",
    "title": "A plan",
    "purpose": "To know",
    "action": [
        {
            "linkId": "v1",
            "title": "First visit",
            "action": [{"linkId": "v1a", "title": "Blood"}, {"linkId": "v1b", "title": "Urine"}],
        },
        {
            "linkId": "v2",
            "title": "Second visit",
            "relatedAction": [
                {
                    "targetId": "v1",
                    "relationship": "after",
                    "offsetDuration": {"value": 2, "unit": "weeks", "code": "wk"},
                }
            ],
            "action": [{"linkId": "v2a", "title": "Blood"}],
        },
    ],
}


def test_spec_a_plan_of_others_becomes_a_schedule_as_far_as_it_is_one(tmp_path: Path) -> None:
    draft = draft_of(PLAN, tmp_path)
    schedule = draft.parts["schedule.yaml"]
    assert schedule["encounters"] == [
        {"id": "v1", "name": "First visit"},
        {"id": "v2", "name": "Second visit", "day": 14},
    ]
    assert schedule["activities"] == [
        {"id": "blood", "name": "Blood", "encounters": ["v1", "v2"]},
        {"id": "urine", "name": "Urine", "encounters": ["v1"]},
    ]
    assert ("PlanDefinition[0].purpose", "To know") in draft.not_understood
    assert ("PlanDefinition[0].action[1].relatedAction[0].targetId", "v1") in draft.not_understood


@pytest.mark.parametrize(
    "kind", ["ResearchStudy", "PlanDefinition", "Questionnaire", "ActivityDefinition", "Location"]
)
def test_law_what_is_not_known_is_listed_wherever_it_stands(kind: str, tmp_path: Path) -> None:
    tree = json.loads(json.dumps(bundle("shipped")))
    owner = next(each["resource"] for each in tree["entry"] if each["resource"]["resourceType"] == kind)
    marked = _mark(owner)
    texts = {text for _, text in draft_of(tree, tmp_path).not_understood}
    assert marked <= texts


def _mark(resource: dict[str, Any]) -> set[str]:
    """Put a member of our own into a resource and into the first of each of its groups."""
    groups = ("item", "action", "comparisonGroup", "outcomeMeasure", "associatedParty", "identifier")
    resource["unheardOf"] = "word 0"
    marks = {"word 0"}
    for name in groups:
        if isinstance(resource.get(name), list):
            inner = resource[name][0]
            marks.add(f"word {name}")
            inner["unheardOf"] = f"word {name}"
    return marks


# -- bad input


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "FILE-EMPTY"),
        (b'{"resourceType": "Bund', "JSON-INVALID"),
        (b"[1, 2]", "FHIR-FORM"),
        (b"<Bundle/>", "FHIR-FORM"),
        (b'{"a": 1}', "FHIR-FORM"),
        (b'{"resourceType": "Bundle", "entry": [{}]}', "FHIR-FORM"),
        (b'{"resourceType": "Bundle", "entry": 5}', "FHIR-NONE"),
        (b'{"resourceType": "Patient"}', "FHIR-NONE"),
        (b'{"resourceType": "Patient"}\n{"resourceType": ', "JSON-INVALID"),
        (b'{"resourceType": "Patient", "id": "\xff"}', "JSON-ENCODING"),
        ("{}".encode("utf-16"), "JSON-ENCODING"),
        (b'{"resourceType": "Patient", "resourceType": "Patient"}', "JSON-DUPLICATE"),
        (b'{"resourceType": "Patient", "x": NaN}', "JSON-NUMBER"),
        (b'{"resourceType": "Patient", "x": ' + b"9" * 5000 + b"}", "JSON-NUMBER"),
        (b'{"resourceType": "Patient", "x": ' + b"[" * 120 + b"]" * 120 + b"}", "JSON-TOO-DEEP"),
        (b'{"x": ' + b"[" * 200_000, "JSON-TOO-DEEP"),
    ],
)
def test_bad_input_is_named(content: bytes, code: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(FileUnreadable) as caught:
        read_fhir(path)
    assert caught.value.code == code


def test_bad_input_is_no_larger_than_it_may_be(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    with path.open("wb") as handle:
        handle.truncate(FHIR_BYTES_MAX + 1)
    with pytest.raises(FileUnreadable, match="FILE-TOO-LARGE"):
        read_fhir(path)


_odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**20),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.just(["x"]),
    st.just([{"linkId": 1}]),
    st.just({"coding": [{"code": 3}], "text": ""}),
)


def test_a_questionnaire_with_members_of_odd_kinds_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    constraint = {
        "url": "http://hl7.org/fhir/StructureDefinition/targetConstraint",
        "extension": [{"url": "key"}],
    }
    items = [
        {"type": "string", "text": "First"},
        {"type": "string", "text": "First"},
        {"type": ["string"], "text": "Third"},
        {"type": {"a": 1}, "linkId": 4},
    ]
    form = {
        "resourceType": "Questionnaire",
        "item": [{"type": "group", "extension": [constraint], "item": items}],
    }
    (read,) = draft_of(form, tmp_path).parts.values()
    assert read["items"] == [
        {"id": name, "label": "First", "type": "text", "required": False} for name in ("first", "first_2")
    ]
    assert "checks" not in read


@cache
def small_bundle() -> str:
    return fhir_text(write_fhir(make_definition()))


@st.composite
def spoiled(draw: st.DrawFn) -> object:
    """A bundle with a few values replaced by others of any kind."""
    tree = json.loads(json.dumps(bundle("crossover")))
    tree["entry"] = [each for each in tree["entry"] if each["resource"]["resourceType"] != "AdverseEvent"][
        :40
    ]
    for _ in range(draw(st.integers(1, 4))):
        node: Any = draw(st.sampled_from(tree["entry"]))["resource"]
        while True:
            keys = list(node) if isinstance(node, Mapping) else list(range(len(node)))
            key = draw(st.sampled_from(keys)) if keys else None
            if key is None:
                break
            if isinstance(node[key], dict | list) and node[key] and draw(st.integers(0, 5)):
                node = node[key]
                continue
            node[key] = deepcopy(draw(_odd))
            break
    return tree


@settings(max_examples=25)
@given(spoiled())
def test_law_a_spoiled_bundle_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, tree: object
) -> None:
    try:
        draft = draft_of(tree, tmp_path_factory.getbasetemp())
    except FileUnreadable:
        return
    for part in draft.parts.values():
        assert yaml_text(dict(part))


def test_the_shipped_study_has_what_these_tests_need() -> None:
    assert shipped().eligibility.variants
    assert any(each.when for form in shipped().forms for each in form.items)
