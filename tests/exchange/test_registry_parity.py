"""A record goes into a draft and comes back leaf by leaf; what the draft does not hold is reported."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from typer.testing import CliRunner

from equipoise.cli.main import app
from equipoise.definition.load import check_study, load_study
from equipoise.exchange.made import yaml_text
from equipoise.exchange.registry import (
    RecordRefused,
    RegistryRecord,
    draft_parts,
    folder_record,
    losses_of,
    read_record,
    record_tree,
    registry_record,
    write_draft,
    written_again,
)
from equipoise.exchange.registry.kept import as_read
from equipoise.exchange.registry.read_json import read_json
from equipoise.exchange.registry.source import Source
from equipoise.exchange.registry.tree import leaves_of
from equipoise.exchange.registry.write_record import record_of

from .registry_files import RECORD, changed, written
from .registry_pages import API_FILES, OWN_PAGE, REAL_PAGE
from .test_spec_real_records import present

# What of a real record's protocol a draft does not hold, as read by hand.
LEFT = {
    # The criteria are numbered anew.
    "NCT00763412": {"eligibilityModule.eligibilityCriteria"},
    "NCT02210780": {"eligibilityModule.eligibilityCriteria"},
    # An observational study: no epoch in which a group would be given anything.
    "NCT03475563": {
        "eligibilityModule.eligibilityCriteria",
        "armsInterventionsModule.armGroups[0].interventionNames[0]",
        "armsInterventionsModule.interventions[0].armGroupLabels[0]",
    },
    "NCT04207047": {"eligibilityModule.eligibilityCriteria"},
}
DIPPER = Path(__file__).parents[1] / "studies" / "dipper"


PERSON = {"name": "A. Nurse", "role": "CONTACT", "phone": "+46 1", "phoneExt": "7", "email": "a@b.example"}
FULL = changed(
    {
        "identificationModule.secondaryIdInfos": [
            {"id": "R01", "type": "NIH", "link": "https://reporter.example/R01"},
            {"id": "2012-000000-13", "type": "EUDRACT_NUMBER", "domain": "EudraCT"},
        ],
        "statusModule.whyStopped": "No funds",
        "statusModule.lastKnownStatus": "ACTIVE_NOT_RECRUITING",
        "statusModule.expandedAccessInfo": {
            "hasExpandedAccess": True,
            "nctId": "NCT00000002",
            "statusForNctId": "AVAILABLE",
        },
        "statusModule.resultsFirstSubmitDate": "2020-01-01",
        "statusModule.dispFirstPostDateStruct": {"date": "2020-01-02", "type": "ESTIMATED"},
        "sponsorCollaboratorsModule": {
            "responsibleParty": {
                "type": "PRINCIPAL_INVESTIGATOR",
                "investigatorFullName": "P. Investigator",
                "investigatorTitle": "Professor",
                "investigatorAffiliation": "An invented hospital",
            },
            "leadSponsor": {"name": "An invented hospital", "class": "OTHER"},
            "collaborators": [{"name": "An agency", "class": "NIH"}, {"name": "A firm", "class": "INDUSTRY"}],
        },
        "oversightModule": {
            "oversightHasDmc": True,
            "isFdaRegulatedDrug": True,
            "isFdaRegulatedDevice": False,
            "isUsExport": False,
        },
        "designModule.designInfo.interventionModelDescription": "Two groups.",
        "designModule.bioSpec": {"retention": "SAMPLES_WITH_DNA", "description": "Blood"},
        "eligibilityModule.minimumAge": "6 Months",
        "eligibilityModule.stdAges": ["CHILD", "ADULT", "OLDER_ADULT"],
        "eligibilityModule.genderBased": True,
        "eligibilityModule.genderDescription": "Whoever says so",
        "contactsLocationsModule.centralContacts": [PERSON],
        "contactsLocationsModule.overallOfficials": [
            {
                "name": "P. Investigator",
                "affiliation": "An invented hospital",
                "role": "PRINCIPAL_INVESTIGATOR",
            }
        ],
        "contactsLocationsModule.locations.0": {
            "facility": "First",
            "status": "NOT_YET_RECRUITING",
            "city": "Malmö",
            "state": "Skåne",
            "zip": "20502",
            "country": "Sweden",
            "contacts": [PERSON],
            "geoPoint": {"lat": 55.60587, "lon": 13.00073},
        },
        "referencesModule": {
            "references": [{"pmid": "1", "type": "RESULT", "citation": "A. J Sleep 2020"}],
            "seeAlsoLinks": [{"label": "The study's page", "url": "https://calm.example"}],
            "availIpds": [
                {"id": "D1", "type": "Data set", "url": "https://d.example", "comment": "On request"}
            ],
        },
        "ipdSharingStatementModule": {
            "ipdSharing": "YES",
            "description": "All of it",
            "infoTypes": ["STUDY_PROTOCOL", "SAP"],
            "timeFrame": "For ten years",
            "accessCriteria": "Ask",
            "url": "https://share.example",
        },
    }
)
FULL["documentSection"] = {
    "largeDocumentModule": {"largeDocs": [{"filename": "Prot.pdf", "hasProtocol": True, "size": 4711}]}
}


def read(record: dict[str, Any]) -> RegistryRecord:
    return read_json(Source(written(record)))


def leaves(node: object) -> set[tuple[str, str]]:
    return {(path, json.dumps(value)) for path, value in leaves_of(node)}


def edit(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text, f"{file} has no {old!r}"
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize("path", API_FILES, ids=lambda path: path.stem)
def test_published_every_leaf_of_a_record_comes_back(path: Path, tmp_path: Path) -> None:
    write_draft(read_record(present(path)), tmp_path / "draft")
    assert folder_record(tmp_path / "draft") == json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", API_FILES, ids=lambda path: path.stem)
def test_published_every_leaf_is_held_by_the_folder_or_reported_lost(path: Path, tmp_path: Path) -> None:
    record = read_record(present(path))
    write_draft(record, tmp_path / "draft")
    lost = json.loads((tmp_path / "draft" / "losses.json").read_text(encoding="utf-8"))
    folder = {value for _, value in leaves(record_of(as_read(draft_parts(record))))}
    reported = {(loss["path"], json.dumps(loss["value"])) for loss in lost}
    for leaf in leaves(json.loads(path.read_text(encoding="utf-8"))):
        assert leaf in reported or leaf[1] in folder, leaf
    protocol = {path.removeprefix("protocolSection.") for path, _ in reported if path.startswith("protocol")}
    assert protocol == LEFT[path.stem]
    assert all(loss["why"].endswith(".") for loss in lost)


@pytest.mark.parametrize("path", [OWN_PAGE, REAL_PAGE], ids=["own", "real"])
def test_a_page_comes_back_in_the_form_of_the_api(path: Path, tmp_path: Path) -> None:
    record = read_record(present(path))
    write_draft(record, tmp_path / "draft")
    made = folder_record(tmp_path / "draft")
    assert made == record_tree(record)
    assert (tmp_path / "draft" / "record.txt").read_text(encoding="utf-8") == path.read_text(encoding="utf-8")
    protocol = made["protocolSection"]
    assert protocol["designModule"]["phases"] == ["PHASE2", "PHASE1"]
    assert protocol["statusModule"]["studyFirstPostDateStruct"]["type"] == "ESTIMATED"
    assert protocol["eligibilityModule"]["eligibilityCriteria"].count("\n\nExclusion Criteria:\n\n1. ") == 1
    assert {loss.path.partition(" > ")[0] for loss in losses_of(record)} <= {
        "protocolSection.eligibilityModule.eligibilityCriteria",
        "More Information",
    }


def test_what_a_registry_asks_has_its_field_in_the_folder(tmp_path: Path) -> None:
    write_draft(read(FULL), tmp_path / "draft")
    assert folder_record(tmp_path / "draft") == FULL
    assert {loss.path.partition("Module")[2] for loss in losses_of(read(FULL))} == {
        "",  # of hasResults
        ".eligibilityCriteria",
        ".largeDocs[0].filename",
        ".largeDocs[0].hasProtocol",
        ".largeDocs[0].size",
    }
    registry = YAML(typ="safe").load((tmp_path / "draft" / "registry.yaml").read_text(encoding="utf-8"))
    assert registry["months"] == {"start": "2018-03"} and registry["minimum_age"] == "6 Months"
    assert registry["data_sharing"]["documents"] == ["study_protocol", "sap"]
    assert registry["sites"][0]["contacts"][0]["extension"] == "7"


def test_a_record_that_the_folder_holds_whole_has_no_losses(tmp_path: Path) -> None:
    record = {
        "protocolSection": {"identificationModule": {"briefTitle": "Magnesium", "nctId": "NCT00000000"}}
    }
    write_draft(read(record), tmp_path / "draft")
    assert losses_of(read(record)) == ()
    assert "Nothing." in (tmp_path / "draft" / "losses.md").read_text(encoding="utf-8")
    assert folder_record(tmp_path / "draft") == record


def test_what_the_folder_says_now_is_what_the_record_says(tmp_path: Path) -> None:
    draft = tmp_path / "draft"
    record = changed({})
    record["protocolSection"]["identificationModule"]["acronymNote"] = "no field has it"
    record["resultsSection"] = {"participantFlowModule": {"groups": [{"id": "FG000", "title": "Magnesium"}]}}
    write_draft(read(record), draft)
    edit(draft, "study.yaml", "title: Magnesium for Poor Sleep", "title: Magnesium at Night")
    edit(draft, "study.yaml", "name: Magnesium\n    type: experimental", "name: Mg\n    type: experimental")
    edit(draft, "registry.yaml", "time_frame: 12 weeks", "time_frame: 24 weeks")
    edit(draft, "registry.yaml", "overall_status: COMPLETED", "overall_status: 'Active, not recruiting'")
    found = folder_record(draft)
    expected = copy.deepcopy(record)
    protocol = expected["protocolSection"]
    protocol["identificationModule"]["briefTitle"] = "Magnesium at Night"
    protocol["statusModule"]["overallStatus"] = "ACTIVE_NOT_RECRUITING"
    protocol["outcomesModule"]["primaryOutcomes"][1]["timeFrame"] = "24 weeks"
    protocol["armsInterventionsModule"]["armGroups"][0]["label"] = "Mg"
    protocol["armsInterventionsModule"]["interventions"][0]["armGroupLabels"] = ["Mg"]
    assert found == expected


def test_what_is_taken_out_of_the_folder_is_gone_from_the_record(tmp_path: Path) -> None:
    draft = tmp_path / "draft"
    record = changed({})
    record["protocolSection"]["contactsLocationsModule"]["locations"][1]["ward"] = "no field has it"
    write_draft(read(record), draft)
    study = YAML(typ="safe").load((draft / "study.yaml").read_text(encoding="utf-8"))
    del study["keywords"], study["sites"][0]
    study["conditions"].append("Restlessness")
    (draft / "study.yaml").write_text(yaml_text(study), encoding="utf-8")
    found = folder_record(draft)["protocolSection"]
    assert found["conditionsModule"] == {"conditions": ["Insomnia", "Restlessness"]}
    places = found["contactsLocationsModule"]["locations"]
    assert sorted(each["facility"] for each in places) == ["Fourth", "Second", "Third"]
    assert next(each for each in places if each["facility"] == "Second")["ward"] == "no field has it"


def test_a_name_is_changed_where_the_record_points_to_it(tmp_path: Path) -> None:
    """In a crossover no file of a draft says which arm is given what: the record alone does."""
    record = changed({"designModule.designInfo.interventionModel": "CROSSOVER"})
    write_draft(read(record), tmp_path / "draft")
    edit(
        tmp_path / "draft", "study.yaml", "name: Placebo\n    type: placebo", "name: Sham\n    type: placebo"
    )
    edit(tmp_path / "draft", "study.yaml", "name: Magnesium\n    type: drug", "name: Mg\n    type: drug")
    arms = folder_record(tmp_path / "draft")["protocolSection"]["armsInterventionsModule"]
    assert [each["interventionNames"] for each in arms["armGroups"]] == [["Drug: Mg"], ["Drug: Placebo"]]
    assert [each["armGroupLabels"] for each in arms["interventions"]] == [["Magnesium"], ["Sham"]]


def test_of_two_keys_of_one_name_the_first_comes_back_and_the_second_is_reported(tmp_path: Path) -> None:
    text = written(changed({})).replace('"nctId":', '"nctId": "NCT00000001", "nctId":', 1)
    record = read_json(Source(text))
    (doubled,) = (loss for loss in losses_of(record) if loss.path.endswith("nctId"))
    assert doubled.value == "NCT00000000" and "first" in doubled.why and not doubled.returns
    write_draft(record, tmp_path / "draft")
    names = folder_record(tmp_path / "draft")["protocolSection"]["identificationModule"]
    assert names["nctId"] == "NCT00000001"


def test_a_record_that_was_cut_off_gives_what_was_read_of_it(tmp_path: Path) -> None:
    record = changed({})
    record["derivedSection"] = {"miscInfoModule": {"versionHolder": "2024-01-03", "after": "x"}}
    text = written({"derivedSection": record["derivedSection"], **RECORD})
    cut = read_json(Source(text[: text.index('"secondaryOutcomes"')]))
    assert cut.incomplete is not None
    write_draft(cut, tmp_path / "draft")
    found = folder_record(tmp_path / "draft")["protocolSection"]
    assert found["designModule"] == RECORD["protocolSection"]["designModule"]
    assert "eligibilityModule" not in found
    assert "2024-01-03" in {loss.value for loss in losses_of(cut)}
    assert (tmp_path / "draft" / "record.txt").is_file()


def test_a_complete_study_that_began_as_a_record_keeps_what_the_record_alone_knew(tmp_path: Path) -> None:
    study = tmp_path / "study"
    shutil.copytree(DIPPER, study)
    definition = load_study(study).definition
    record = registry_record(definition)
    record["protocolSection"]["identificationModule"]["former"] = "no field has it"
    record["protocolSection"]["identificationModule"]["briefTitle"] = "As it was called"
    record["resultsSection"] = {"moreInfoModule": {"limitationsAndCaveats": {"description": "Few"}}}
    (study / "record.json").write_text(json.dumps(record), encoding="utf-8")
    found = folder_record(study)
    names = found["protocolSection"]["identificationModule"]
    assert names.pop("former") == "no field has it" and names["briefTitle"] == definition.study.title
    assert found.pop("resultsSection") == record["resultsSection"]
    assert found == registry_record(definition)


def test_a_draft_with_other_faults_is_refused(tmp_path: Path) -> None:
    write_draft(read(RECORD), tmp_path / "draft")
    edit(tmp_path / "draft", "study.yaml", "model: parallel", "model: sideways")
    with pytest.raises(RecordRefused) as caught:
        folder_record(tmp_path / "draft")
    assert caught.value.code == "REC-DRAFT" and "sideways" in caught.value.sentence
    assert str(tmp_path) not in caught.value.sentence


def test_the_commands_import_and_write_again(tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text(written(RECORD), encoding="utf-8")
    runner = CliRunner(env={"NO_COLOR": "1"})
    draft = str(tmp_path / "draft")
    assert runner.invoke(app, ["import", str(tmp_path / "record.json"), "--out", draft]).exit_code == 0
    result = runner.invoke(app, ["registry", "record", draft])
    assert (result.exit_code, json.loads(result.stdout)) == (0, RECORD)
    report = (tmp_path / "draft" / "losses.md").read_text(encoding="utf-8")
    assert "## protocolSection.eligibilityModule" in report


# -- laws

WORDS = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)
SCALARS = st.one_of(
    WORDS,
    st.booleans(),
    st.none(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([" ", "\u2028", "\x00", "- a", "2013-02-31", "2019", "true", "{}", "18 Years", "#", "'"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda below: st.one_of(
        st.lists(below, max_size=3), st.dictionaries(st.one_of(WORDS, st.just("id")), below, max_size=3)
    ),
    max_leaves=4,
)


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    if isinstance(node, dict | list):
        for key, below in node.items() if isinstance(node, dict) else enumerate(node):
            yield from places(below, (*path, key))


PLACES = [place for place in places(RECORD) if len(place) > 2]


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """The invented record with values dropped, replaced, and put under keys that no record has."""
    record = copy.deepcopy(RECORD)
    for place in draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=4)):
        node: Any = record
        for step in place[:-1]:
            try:
                node = node[step]
            except (KeyError, IndexError, TypeError):
                break
        change = draw(st.sampled_from(["drop", "replace", "add"]))
        if change == "drop" and isinstance(node, dict):
            node.pop(place[-1], None)
        elif change == "replace" and isinstance(node, dict):
            node[str(place[-1])] = draw(VALUES)
        elif isinstance(node, dict):
            node[draw(st.one_of(WORDS, st.sampled_from(["phone", "class", "zip", "id"])))] = draw(VALUES)
        elif isinstance(node, list):
            node.insert(0, draw(VALUES))
    return record


@settings(max_examples=40, deadline=None)
@given(mutated())
def test_every_leaf_of_any_record_comes_back_or_is_reported(record: dict[str, Any]) -> None:
    found = read(record)
    parts = as_read(draft_parts(found))
    assert written_again(found, parts) == record
    held = {value for _, value in leaves(record_of(parts))}
    reported = {(loss.path, json.dumps(loss.value)) for loss in losses_of(found)}
    assert all(leaf in reported or leaf[1] in held for leaf in leaves(record))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_the_draft_of_any_record_has_no_fault_but_what_it_lacks(
    tmp_path_factory: pytest.TempPathFactory, record: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("any") / "draft"
    write_draft(read(record), folder)
    _, findings = check_study(folder)
    assert {one.code for one in findings} <= {"KEY-MISSING", "FILE-MISSING"}
    assert folder_record(folder) == record


@settings(max_examples=20, deadline=None)
@given(mutated(), st.sampled_from(["title", "official_title", "acronym"]), st.text("abc xyz", min_size=3))
def test_a_changed_text_changes_its_leaf_and_no_other(record: dict[str, Any], key: str, text: str) -> None:
    found = read(record)
    parts = as_read(draft_parts(found))
    parts["study.yaml"][key] = text
    api = {"title": "briefTitle", "official_title": "officialTitle", "acronym": "acronym"}[key]
    path = f"protocolSection.identificationModule.{api}"
    before, after = leaves(record), leaves(written_again(found, parts))
    names = record["protocolSection"].get("identificationModule")
    if isinstance(names, dict) and not isinstance(names.get(api), dict | list):
        assert {one for one, _ in before ^ after} <= {path, "protocolSection.identificationModule"}
        assert (path, json.dumps(text)) in after
