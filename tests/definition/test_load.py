"""From a folder to a definition: exact values, one round of errors, and our own words for pydantic's."""

from decimal import Decimal
from pathlib import Path

import pytest
from pydantic_core import ErrorDetails

from equipoise.definition.findings import suggest
from equipoise.definition.load import StudyInvalid, check_study, load_study, read_part
from equipoise.definition.model.conduct import Imaging
from equipoise.definition.model.forms import Form
from equipoise.definition.source import read_yaml
from equipoise.definition.wording import path_words, reword, type_at
from tests.definition.folders import write_study


def test_a_folder_is_loaded_with_its_source_and_hash(tmp_path: Path) -> None:
    loaded = load_study(write_study(tmp_path))
    assert len(loaded.definition.hash) == 64
    assert loaded.findings == ()
    assert loaded.source.files["study.yaml"].line(("model",)) == 6
    assert [form.id for form in loaded.definition.forms][:2] == ["adverse_event", "baseline"]


def test_optional_files_may_be_left_out(tmp_path: Path) -> None:
    def edit(files: dict[str, str]) -> None:
        for name in ("safety", "imaging", "supply", "registry", "rehearsal"):
            del files[f"{name}.yaml"]

    definition = load_study(write_study(tmp_path, edit=edit)).definition
    left_out = (definition.safety, definition.imaging, definition.registry, definition.rehearsal)
    assert left_out == (None, None, None, None)
    assert definition.supply.products == ()


def test_decimals_are_exact(tmp_path: Path) -> None:
    imaging = load_study(write_study(tmp_path)).definition.imaging
    assert imaging is not None
    assert [str(compared.tolerance) for compared in imaging.compare] == ["5", "0", "0.1"]
    assert imaging.compare[2].tolerance == Decimal("0.1")


def test_a_number_is_read_as_written_where_words_are_wanted() -> None:
    text = (
        b"id: grade\ntitle: 7\nitems:\n- {id: a, label: A, type: choice, codes: [{code: 1, label: 1.10}]}\n"
    )
    file, _ = read_yaml("forms/grade.yaml", text)
    assert file is not None
    form, problems = read_part(file, Form)
    assert problems == []
    assert isinstance(form, Form)
    assert form.title == "7"
    assert [(code.code, code.label) for code in form.items[0].codes] == [("1", "1.10")]


def test_errors_are_raised_together_with_the_warnings(tmp_path: Path) -> None:
    folder = write_study(tmp_path, ("study.yaml", "model: crossover", "model: diagonal"))
    (tmp_path / "notes.xyz").write_text("x", encoding="utf-8")
    with pytest.raises(StudyInvalid, match="VALUE-CHOICE") as raised:
        load_study(folder)
    assert [finding.code for finding in raised.value.findings] == ["FILE-UNKNOWN", "VALUE-CHOICE"]


def test_warnings_alone_do_not_forbid_a_study(tmp_path: Path) -> None:
    change = ("schedule.yaml", "day: 42, early_days: 3", "day: 42, early_days: 13")
    definition, findings = check_study(write_study(tmp_path, change))
    assert definition is not None
    assert [(finding.code, finding.severity) for finding in findings] == [("LINT-WINDOW", "warning")]


def test_an_error_without_words_of_its_own_says_where_to_look() -> None:
    file, _ = read_yaml("imaging.yaml", b"readers: 2\n")
    assert file is not None
    error: ErrorDetails = {"type": "greater_than", "loc": ("readers",), "msg": "", "input": 2}
    problem = reword(error, file, Imaging)
    assert (
        problem.sentence == "'2' in readers is not what belongs there. docs/study-folder.md says what does."
    )


def test_places_and_types_beyond_what_is_there() -> None:
    assert path_words([{"id": 3}], (0, "a", "b")) == "[1].a.b"
    assert path_words({}, ()) == "the file"
    assert type_at(Form, ("items", 0, "label", "x")) is None
    assert type_at(Form, ("nothing", "x")) is None


def test_a_suggestion_names_the_nearest_or_some_of_all() -> None:
    assert suggest("epok", ["epoch", "arm"]) == "Did you mean 'epoch'?"
    assert suggest("x", []) == "There are none to name."
    assert suggest("x", [f"n{n}" for n in range(14)]).endswith("n11 and 2 more.")


def test_an_expression_too_long_for_the_lock_is_found_before(tmp_path: Path) -> None:
    parts = "".join(
        f"\n        - baseline.score + baseline.wakes + {n} > baseline.latency" for n in range(99)
    )
    change = ("eligibility.yaml", "    when: severe_events > 0\n", f"    when:\n      all:{parts}\n")
    _, findings = check_study(write_study(tmp_path, change))
    assert [(finding.code, finding.line_number) for finding in findings] == [("EXPR-LENGTH", 31)]


def test_a_washout_needs_no_visit(tmp_path: Path) -> None:
    period = "  - {id: period_2, name: Period 2, type: treatment}\n"
    washout = "  - {id: washout, name: Washout, type: washout}\n"
    assert load_study(write_study(tmp_path, ("study.yaml", period, washout + period))).findings == ()
