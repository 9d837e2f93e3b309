"""The amendments of a trial in USDM: written from its ledger, and counted in the file of another."""

import json
from pathlib import Path
from typing import Any

import pytest

from equipoise.exchange.usdm import amendments_of, read_usdm, usdm_text, write_usdm
from tests.exchange.amended_trial import amended_clinic, amended_view
from tests.exchange.usdm_files import (
    PILOT,
    broken_chains,
    broken_references,
    definition_of,
    faults,
    same_names,
    schemas,
    version_of,
    with_external,
)


@pytest.fixture(scope="module")
def tree() -> dict[str, Any]:
    amendments = amendments_of(amended_view())
    written: dict[str, Any] = json.loads(
        usdm_text(write_usdm(amended_clinic().trial.definition, amendments=amendments))
    )
    return written


@with_external
def test_spec_a_file_with_amendments_is_valid_against_the_published_schema(tree: dict[str, Any]) -> None:
    assert faults(tree, schemas()["Wrapper-Input"]) == []


def test_spec_its_references_hold_and_its_lists_are_linked(tree: dict[str, Any]) -> None:
    assert (broken_references(tree), broken_chains(tree), same_names(tree)) == ([], [], [])


def test_spec_each_amendment_says_what_it_changed_and_follows_the_one_before_it(tree: dict[str, Any]) -> None:
    first, second = version_of(tree)["amendments"]
    assert [one["number"] for one in (first, second)] == ["1", "2"]
    assert (first["previousId"], second["previousId"]) == (None, first["id"])
    assert [one["impacts"][0]["isSubstantial"] for one in (first, second)] == [True, False]
    assert [one["primaryReason"]["code"]["code"] for one in (first, second)] == ["C17649"] * 2
    said = {one["label"]: one["summary"] for one in first["changes"]}
    assert said["forms/vitals/items/remark"] == "retired: Remark"
    assert said["schedule/encounters/week_4/late_days"] == "changed: 3 → 10"
    sections = {one["label"]: one["changedSections"][0]["sectionTitle"] for one in first["changes"]}
    assert sections["forms/vitals/items/remark"] == "Appendix: forms"
    assert sections["schedule/encounters/week_4/late_days"] == "Schedule of activities"
    (document,) = tree["study"]["documentedBy"]
    titles = {one["sectionNumber"]: one["sectionTitle"] for one in document["versions"][0]["contents"]}
    for change in (*first["changes"], *second["changes"]):
        (section,) = change["changedSections"]
        assert titles[section["sectionNumber"]] == section["sectionTitle"]
        assert section["appliesToId"] == document["id"]


def test_spec_it_says_since_when_it_holds_where_and_how_many_were_randomised(tree: dict[str, Any]) -> None:
    first, second = version_of(tree)["amendments"]
    (approval,) = first["dateValues"]
    assert (approval["dateValue"], approval["description"]) == ("2024-06-03", "SE01: 2024-06-03")
    assert approval["geographicScopes"][0]["code"]["standardCode"]["code"] == "SWE"
    (effective,) = second["dateValues"]
    assert effective["type"]["decode"] == "Protocol Effective Date"
    assert effective["geographicScopes"][0]["type"]["decode"] == "Global"
    assert [one["enrollments"][0]["quantity"]["value"] for one in (first, second)] == [2, 3]


def test_spec_a_position_before_an_amendment_has_none_of_it() -> None:
    entries = amended_clinic().ledger.read()
    positions = [entry.position for entry in entries if entry.kind == "StudyAmended"]
    told = [len(amendments_of(amended_view(), position - 1)) for position in positions]
    assert told == [0, 1]


def test_spec_a_study_alone_has_no_amendments() -> None:
    written: Any = write_usdm(definition_of("mesems"))
    assert version_of(written)["amendments"] == []


def test_spec_the_amendments_of_a_file_are_counted_and_what_they_say_is_listed(
    tree: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "study.json"
    path.write_text(json.dumps(tree), encoding="utf-8")
    read = read_usdm(path)
    assert read.amendments == ("Amendment 1", "Amendment 1")
    listed = dict(read.not_understood)
    assert "$.study.versions[0].amendments[0].changes[0].summary" in listed


@with_external
def test_published_the_pilot_study_has_one_amendment() -> None:
    assert read_usdm(PILOT).amendments == ("Amendment 1",)
