"""study.lock: one definition, one text, one hash, and exactly the same definition back."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from equipoise.definition.load import load_study
from equipoise.definition.lock import (
    LockInvalid,
    canonical_json,
    check_lock,
    definition_from_json,
    definition_hash,
    write_lock,
)
from equipoise.definition.model.definition import StudyDefinition
from tests.definition.folders import Change, write_study


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def definition(folder: Path) -> StudyDefinition:
    return load_study(folder).definition


def test_a_definition_comes_back_from_its_lock(definition: StudyDefinition) -> None:
    restored = definition_from_json(canonical_json(definition))
    assert restored == replace(definition, rehearsal=None)
    assert restored.hash == definition.hash == definition_hash(restored)
    assert canonical_json(restored) == canonical_json(definition)


def test_the_text_is_canonical(definition: StudyDefinition) -> None:
    text = canonical_json(definition)
    tree = json.loads(text, parse_float=lambda number: pytest.fail(f"a float: {number}"))
    assert json.dumps(tree, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode() == text
    assert "rehearsal" not in tree and "hash" not in tree


def test_what_equals_its_default_is_not_written(definition: StudyDefinition) -> None:
    tree = json.loads(canonical_json(definition))
    assert "language" not in tree["study"]
    assert (
        "variables"
        not in json.loads(
            canonical_json(replace(definition, eligibility=replace(definition.eligibility, variables={})))
        )["eligibility"]
    )


@pytest.mark.parametrize(
    ("change", "same"),
    [
        (("rehearsal.yaml", "participants: 40", "participants: 41"), True),
        (("study.yaml", "id: calm", "# a remark\nid: calm"), True),
        (("eligibility.yaml", "    when: severe_events > 0", "    when: (severe_events)  >  0"), True),
        (("imaging.yaml", "compare:", "readers: 2\ncompare:"), True),
        (("study.yaml", "planned_enrolment: 40", "planned_enrolment: 41"), False),
        (("sample_size.yaml", "value: 3.2", "value: 3.3"), False),
        (("eligibility.yaml", "    when: severe_events > 0", "    when: severe_events > 1"), False),
        (("imaging.yaml", "tolerance: 0.1", "tolerance: 0.2"), False),
    ],
)
def test_the_hash_changes_with_the_meaning_alone(
    definition: StudyDefinition, tmp_path: Path, change: Change, same: bool
) -> None:
    changed = load_study(write_study(tmp_path, change)).definition
    assert (changed.hash == definition.hash) is same


@pytest.mark.requirement("G16")
def test_a_lock_is_written_and_checked(definition: StudyDefinition, tmp_path: Path) -> None:
    assert [finding.code for finding in check_lock(tmp_path, definition)] == ["LOCK-MISSING"]
    path = write_lock(tmp_path, definition)
    assert path.read_bytes() == canonical_json(definition) + b"\n"
    assert [found.name for found in tmp_path.iterdir()] == ["study.lock"]
    assert check_lock(tmp_path, definition) == ()
    assert definition_from_json(path.read_bytes()).hash == definition.hash
    later = replace(definition, study=replace(definition.study, planned_enrolment=41))
    assert [(found.code, found.severity) for found in check_lock(tmp_path, later)] == [
        ("LOCK-STALE", "warning")
    ]


@pytest.mark.parametrize("content", [b"null", b"{}", b"[]", b"not json", b'{"study": {"colour": "red"}}'])
def test_what_is_no_definition_is_refused(content: bytes) -> None:
    with pytest.raises(LockInvalid, match="Lock the folder anew"):
        definition_from_json(content)
