"""The draft of a study folder: what is written, that the loader takes it, that nothing is overwritten."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from equipoise.definition.load import check_study
from equipoise.exchange.made import NotWritten, yaml_text
from equipoise.exchange.registry import find_contradictions, read_record, write_draft, write_findings
from equipoise.exchange.registry.read_json import read_json
from equipoise.exchange.registry.source import Source

from .registry_files import changed, written
from .registry_pages import API_FILES, OWN_PAGE

NAMES = [
    "eligibility.yaml",
    "findings.json",
    "losses.json",
    "losses.md",
    "not_understood.json",
    "record.json",
    "registry.yaml",
    "study.yaml",
]
RECORD = read_json(Source(written(changed({}))))


def read_yaml(path):
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def test_the_draft_says_what_the_record_says(tmp_path):
    assert [path.name for path in write_draft(RECORD, tmp_path / "draft")] == NAMES
    study = read_yaml(tmp_path / "draft" / "study.yaml")
    assert study["phases"] == ["phase_2"] and study["model"] == "parallel" and study["randomised"] is True
    assert [(arm["id"], arm["cells"]) for arm in study["arms"]] == [
        ("magnesium", {"treatment": ["magnesium"]}),
        ("placebo", {"treatment": ["placebo"]}),
    ]
    assert [site["id"] for site in study["sites"]] == ["SE01", "SE02", "DK01", "DK02"]
    assert "planned_enrolment" not in study, "an actual enrolment is no plan"
    assert set(study["dates"]) == {"primary_completion", "completion"}, "a month is no date"
    eligibility = read_yaml(tmp_path / "draft" / "eligibility.yaml")
    assert [one["id"] for one in eligibility["criteria"]] == ["I1", "I2", "I3", "I4", "E1", "E2", "E3"]
    assert eligibility["criteria"][5]["text"] == "Pregnancy:\n  1. known, or\n  2. planned"
    assert all("when" not in one for one in eligibility["criteria"])


@pytest.mark.parametrize("path", [OWN_PAGE, *API_FILES], ids=lambda path: path.stem)
def test_the_draft_is_a_study_folder_that_lacks_only_what_no_record_says(path, tmp_path):
    if not path.exists():
        pytest.skip(f"{path.name} is not distributed with the project")
    write_draft(read_record(path), tmp_path / "draft")
    _, findings = check_study(tmp_path / "draft")
    assert {finding.code for finding in findings} <= {"KEY-MISSING", "FILE-MISSING"}
    files = {finding.file for finding in findings if finding.code == "KEY-MISSING"}
    assert files == {"study.yaml"}


def test_contradictions_wait_for_a_decision(tmp_path):
    record = read_record(OWN_PAGE)
    write_draft(record, tmp_path / "draft")
    contradictions = read_yaml(tmp_path / "draft" / "registry.yaml")["contradictions"]
    assert [one["followed"] for one in contradictions] == ["Not decided yet"] * 7
    findings = json.loads((tmp_path / "draft" / "findings.json").read_text(encoding="utf-8"))
    assert [one["code"] for one in findings] == [one.code for one in find_contradictions(record)]
    assert set(findings[0]) == {"code", "severity", "message", "places"}
    assert set(findings[0]["places"][0]) == {"section", "line", "quote"}


def test_findings_are_written_as_a_list(tmp_path):
    write_findings([], tmp_path / "findings.json")
    assert json.loads((tmp_path / "findings.json").read_text(encoding="utf-8")) == []


def test_a_foreign_folder_is_refused_and_left_alone(tmp_path):
    folder = tmp_path / "draft"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(NotWritten) as caught:
        write_draft(RECORD, folder)
    assert caught.value.code == "OUT-EXISTS"
    assert [path.name for path in tmp_path.iterdir()] == ["draft"]
    assert (folder / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_a_draft_that_somebody_has_edited_is_refused(tmp_path):
    write_draft(RECORD, tmp_path / "draft")
    write_draft(RECORD, tmp_path / "draft")
    study = tmp_path / "draft" / "study.yaml"
    study.write_text(study.read_text(encoding="utf-8") + "roles: []\n", encoding="utf-8")
    with pytest.raises(NotWritten):
        write_draft(RECORD, tmp_path / "draft")
    assert study.read_text(encoding="utf-8").endswith("roles: []\n")


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "draft").mkdir()
    assert len(write_draft(RECORD, tmp_path / "draft")) == len(NAMES)


@given(st.text(st.characters(blacklist_categories=["Cs"]), min_size=1))
def test_every_text_survives_the_writing(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("yaml") / "text.yaml"
    path.write_text(yaml_text({"key": text}), encoding="utf-8")
    found = read_yaml(path)["key"]
    expected = text if "\n" not in text else "\n".join(line.rstrip() for line in text.strip().split("\n"))
    assert found == expected
