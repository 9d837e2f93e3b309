"""A definition as a record of the API: read back it is the same study, and the same as the registry page."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from equipoise.cli.main import app
from equipoise.definition.load import load_study
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.eligibility import Criterion
from equipoise.definition.model.study import Official, StudyIdentifier
from equipoise.exchange.registry import (
    RegistryRecord,
    draft_values,
    find_contradictions,
    read_record,
    registry_record,
    write_json,
)
from equipoise.exchange.registry.draft import eligibility_draft, study_draft
from equipoise.studies import study_folder, study_names

from .test_registry_page import reread

INVENTED = Path(__file__).parents[1] / "studies"
FOLDERS = [study_folder(study_names()[0]), *sorted(path.parent for path in INVENTED.glob("*/study.yaml"))]
DEFINITIONS = {folder.name: load_study(folder).definition for folder in FOLDERS}
PILOT = DEFINITIONS[study_names()[0]]


def read_back(definition: StudyDefinition, folder: Path) -> RegistryRecord:
    file = folder / "record.json"
    file.write_text(write_json(registry_record(definition)), encoding="utf-8")
    return read_record(file)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_every_leaf_has_its_place_in_the_model_and_nothing_contradicts_itself(
    name: str, tmp_path: Path
) -> None:
    record = read_back(DEFINITIONS[name], tmp_path)
    assert record.not_understood == () and record.results == ()
    assert [finding.code for finding in find_contradictions(record) if finding.severity == "error"] == []


@pytest.mark.parametrize("name", DEFINITIONS)
def test_double_the_draft_of_the_record_is_the_study_again(name: str, tmp_path: Path) -> None:
    definition = DEFINITIONS[name]
    study, values = definition.study, draft_values(read_back(definition, tmp_path))
    draft: Any = study_draft(values)
    assert [draft[key] for key in ("title", "official_title", "acronym", "type", "purpose", "model")] == [
        study.title, study.official_title, study.acronym, study.type, study.purpose, study.model,
    ]  # fmt: skip
    assert (draft["phases"], draft["conditions"]) == (list(study.phases), list(study.conditions))
    assert draft["sponsor"] == {"name": study.sponsor.name, "agency_class": study.sponsor.agency_class}
    assert draft["planned_enrolment"] == study.planned_enrolment
    assert draft["masking"]["parties"] == list(dict.fromkeys(study.masking.parties))
    assert draft["masking"]["text"] == study.masking.text
    arms = [(arm["name"], arm["type"], arm["text"]) for arm in draft["arms"]]
    assert arms == [(arm.name, arm.type, arm.text) for arm in study.arms]
    given = [
        (each["name"], each["type"], each["text"], each["other_names"]) for each in draft["interventions"]
    ]
    assert given == [
        (each.name, each.type, each.text, list(each.other_names) or None) for each in study.interventions
    ]
    rules: Any = eligibility_draft(values)
    common = definition.eligibility
    assert [(each["id"], each["text"]) for each in rules["criteria"]] == [
        (f"{each.category[0].upper()}{each.number}", each.text) for each in common.criteria
    ]
    limits = [rules[key] for key in ("sex", "age_minimum_years", "age_maximum_years", "healthy_volunteers")]
    assert limits == [
        common.sex, common.age_minimum_years, common.age_maximum_years, common.healthy_volunteers,
    ]  # fmt: skip


def test_double_the_record_says_what_the_page_says(tmp_path: Path) -> None:
    (tmp_path / "page").mkdir()
    page = draft_values(reread(PILOT, tmp_path / "page"))
    record = draft_values(read_back(PILOT, tmp_path))
    alike = ("title", "official_title", "conditions", "keywords", "phases", "model", "purpose", "allocation")
    for key in (*alike, "enrolment", "sponsor", "publications", "brief_summary", "dates"):
        assert record[key] == page[key], key
    outcomes: Any = page["outcomes"]
    # A page has a dash in a cell that is empty.
    told = [each | {"description": each["description"].replace("–", "") or None} for each in outcomes]
    assert record["outcomes"] == told
    # A page shows every site and marks the assumed ones; a record has no mark, and leaves them out.
    known = [site.name for site in PILOT.study.sites if not site.assumed]
    locations: Any = record["locations"]
    assert sorted(each["facility"] for each in locations) == sorted(known)


def test_of_several_numbers_the_first_of_the_registry_is_its_own(tmp_path: Path) -> None:
    numbers = (
        StudyIdentifier(registry="EudraCT", value="2012-000000-13"),
        StudyIdentifier(registry="ClinicalTrials.gov", value="NCT00000001"),
        StudyIdentifier(registry="ClinicalTrials.gov", value="NCT00000002"),
        StudyIdentifier(registry="Sponsor", value="A-1"),
        StudyIdentifier(registry="A hospital", value="77"),
    )
    definition = replace(PILOT, study=replace(PILOT.study, identifiers=numbers))
    found: Any = registry_record(definition)["protocolSection"]
    names = found["identificationModule"]
    assert (names["nctId"], names["orgStudyIdInfo"]) == ("NCT00000001", {"id": "A-1"})
    assert [(each["id"], each["type"], each["domain"]) for each in names["secondaryIdInfos"]] == [
        ("2012-000000-13", "EUDRACT_NUMBER", "EudraCT"),
        ("NCT00000002", "REGISTRY", "ClinicalTrials.gov"),
        ("77", "OTHER", "A hospital"),
    ]


def test_what_the_definition_does_not_hold_is_left_out() -> None:
    study = replace(
        PILOT.study,
        officials=(
            Official(name="A. Person", role="Principal Investigator"),
            Official(name="B. Person", role="Keeper of the keys"),
        ),
        responsible_party=PILOT.study.sponsor.name,
        identifiers=(),
    )
    found: Any = registry_record(replace(PILOT, study=study, registry=None))["protocolSection"]
    assert found["contactsLocationsModule"]["overallOfficials"] == [
        {"name": "A. Person", "role": "PRINCIPAL_INVESTIGATOR"},
        {"name": "B. Person"},
    ]
    assert found["sponsorCollaboratorsModule"]["responsibleParty"] == {"type": "SPONSOR"}
    assert not {"descriptionModule", "referencesModule"} & found.keys()
    assert "nctId" not in found["identificationModule"]
    assert "class" not in found["sponsorCollaboratorsModule"]["leadSponsor"]


def test_criteria_of_several_lines_keep_their_lines_under_their_number(tmp_path: Path) -> None:
    text = "One of these:\n  1. first\n  2. second"
    criterion = Criterion(id="I1", number=1, category="inclusion", text=text)
    rules = replace(
        PILOT.eligibility, criteria=(criterion, replace(criterion, id="I2", number=2, text="Last"))
    )
    record = read_back(replace(PILOT, eligibility=rules), tmp_path)
    first, last = record.eligibility.criteria
    assert first.text.text == "One of these:" and last.text.text == "Last"
    assert [item.text.text for item in first.items] == ["first", "second"]


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner(env={"NO_COLOR": "1"}).invoke(app, [str(each) for each in arguments])
    return result.exit_code, result.stdout or result.stderr


def test_the_command_writes_the_record_of_a_study(tmp_path: Path) -> None:
    code, text = run("registry", "record", INVENTED / "dipper")
    assert code == 0
    assert json.loads(text) == registry_record(DEFINITIONS["dipper"])
    code, said = run("registry", "record", INVENTED / "dipper", "--out", tmp_path / "record.json")
    assert (code, said) == (0, f"written   {tmp_path / 'record.json'}\n")
    assert (tmp_path / "record.json").read_text(encoding="utf-8") == text
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]


def test_the_command_writes_the_results_of_a_finished_trial(tmp_path: Path) -> None:
    code, _ = run("rehearse", INVENTED / "dipper", "--participants", 2, "--out", tmp_path / "trial")
    assert code == 0
    code, text = run("registry", "results", tmp_path / "trial" / "trial.sqlite", "--threshold", 0)
    record = json.loads(text)
    assert code == 0 and record["hasResults"] is True
    started, *_ = record["resultsSection"]["participantFlowModule"]["periods"][0]["milestones"]
    assert sum(int(each["numSubjects"]) for each in started["achievements"]) == 2
    account = "data_manager:data_manager"
    assert run("registry", "results", tmp_path / "trial", "--threshold", 0, "--as", account) == (0, text)
