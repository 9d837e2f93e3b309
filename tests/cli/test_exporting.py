"""Everything leaves in every format, and what can be read comes back."""

import json
from pathlib import Path

import pytest

from equipoise.exchange.formats import FORMATS
from equipoise.exchange.recognise import kind_of
from tests.cli.bad_inputs import run, study
from tests.exchange.test_odm_tables import FIRST, STUDY

OF_STUDIES = tuple(name for name, each in FORMATS.items() if "study" in each.of)
KINDS = {"odm132": "odm", "odm2": "odm", "sdtm": "datasets", "adam": "datasets"}
FORMS = [(name, form) for name, each in FORMATS.items() for form in each.forms]


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("rehearsed")
    result = run(["rehearse", str(study(folder)), "--out", str(folder / "trial"), "--participants", "4"])
    assert result.exit_code == 0, result.output
    return folder


def export(subject: Path, name: str, form: str, out: Path, *more: str) -> None:
    result = run(["export", str(subject), "--format", name, "--as", form, "--out", str(out), *more])
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"written   {out}")


@pytest.mark.parametrize(("name", "form"), [each for each in FORMS if each[0] in OF_STUDIES])
def test_a_study_leaves_in_a_format_and_comes_back_as_a_draft(name, form, rehearsed, tmp_path):
    made, draft = tmp_path / "made", tmp_path / "draft"
    export(rehearsed / "dipper", name, form, made)
    assert kind_of(made) == KINDS.get(name, name)
    result = run(["import", str(made), "--out", str(draft)])
    assert result.exit_code == 0, result.output
    assert "dipper" in (draft / "study.yaml").read_text(encoding="utf-8").lower()
    assert isinstance(json.loads((draft / "not_understood.json").read_text(encoding="utf-8")), list)


@pytest.mark.parametrize(("name", "form"), [each for each in FORMS if each[0] != "e2b"])
def test_a_trial_leaves_in_every_format_and_form(name, form, rehearsed, tmp_path):
    made, again = tmp_path / "made", tmp_path / "again"
    export(rehearsed / "trial", name, form, made)
    export(rehearsed / "trial", name, form, again)
    assert contents(made) == contents(again), "the same trial makes the same bytes"
    for path in [made] if made.is_file() else sorted(made.glob(f"*.{form}")):
        if name != "report":
            assert kind_of(path) == KINDS.get(name, name)
        result = run(["import", str(path), "--out", str(tmp_path / "read" / path.name)])
        assert name == "report" or result.exit_code == 0, result.output


def contents(made: Path) -> dict[str, bytes]:
    files = [made] if made.is_file() else [path for path in sorted(made.rglob("*")) if path.is_file()]
    return {path.relative_to(made.parent / made.name).as_posix(): path.read_bytes() for path in files}


def test_a_serious_event_leaves_as_a_report_and_is_read_again(tmp_path):
    rehearsed = tmp_path / "trial"
    result = run(["rehearse", str(study(tmp_path, "tern")), "--out", str(rehearsed), "--participants", "6"])
    assert result.exit_code == 0, result.output
    said = run(["view", str(rehearsed), "events", "--as", "data_manager:data_manager"])
    events = [json.loads(line) for line in said.stdout.splitlines()]
    serious = [f"{each['participant']}:{each['row']}" for each in events if each["serious"]]
    assert serious, "nobody had a serious event: choose another seed"
    made = tmp_path / "icsr.xml"
    parties = ["--event", serious[0], "--sender", "SENDER", "--receiver", "RECEIVER"]
    for more in ([], ["--unblinded"]):
        export(rehearsed, "e2b", "xml", made, *parties, *more)
        assert kind_of(made) == "e2b"
    result = run(["import", str(made), "--out", str(tmp_path / "read")])
    assert result.exit_code == 0, result.output
    assert "SENDER" in (tmp_path / "read" / "elements.json").read_text(encoding="utf-8")


def test_the_data_of_another_system_are_written_beside_the_draft(tmp_path):
    made, out = tmp_path / "other.xml", tmp_path / "draft"
    made.write_text(f"<ODM>{STUDY}<ClinicalData>{FIRST}</ClinicalData></ODM>", encoding="utf-8")
    result = run(["import", str(made), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "data      1 participant in 2 tables" in result.stdout
    assert sorted(path.name for path in (out / "data").iterdir()) == ["vitals.csv", "vitals_drugs.csv"]
    head = (out / "data" / "vitals.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert head[-4:] == ["pulse", "note", "pulse.unit", "I.OTHER"]


def test_the_amendments_of_a_file_are_said(tmp_path):
    made = tmp_path / "usdm.json"
    export(study(tmp_path), "usdm", "json", made)
    tree = json.loads(made.read_text(encoding="utf-8"))
    amendment = {"id": "StudyAmendment_1", "number": "1", "instanceType": "StudyAmendment"}
    tree["study"]["versions"][0]["amendments"] = [amendment]
    made.write_text(json.dumps(tree), encoding="utf-8")
    result = run(["import", str(made), "--out", str(tmp_path / "draft")])
    assert result.exit_code == 0, result.output
    assert "amended   1 time: Amendment 1" in result.stdout
