"""Analysis datasets: names, rows, baseline, treatments, and the files they are written to."""

import csv
import json
from dataclasses import replace
from pathlib import Path

from equipoise.analysis.datasets import Dataset, derive_datasets, write_datasets
from equipoise.analysis.derive import Frame, mask_cut
from equipoise.definition.model.analysis import Profile
from equipoise.definition.model.study import Epoch
from tests.analysis.cuts import make_cut, swap_arms
from tests.analysis.trials import crossover_definition, parallel_definition

CUT = make_cut(crossover_definition())


def by_name(datasets: tuple[Dataset, ...]) -> dict[str, Dataset]:
    return {each.name: each for each in datasets}


ALL = by_name(derive_datasets(Frame(CUT)))


def test_spec_names_of_variables_are_those_that_adam_allows() -> None:
    assert list(ALL) == ["ADSL", "ADAE", "ADSPOT", "ADSCORE", "ADEP"]
    for dataset in ALL.values():
        names = [column.name for column in dataset.columns]
        assert len(set(names)) == len(names)
        assert all(
            name.isalnum() and name.isupper() and len(name) <= 8 and name[0].isalpha() for name in names
        )
        assert all(0 < len(column.label) <= 40 for column in dataset.columns)
        assert all(list(row) == names for row in dataset.rows)


def test_spec_adsl_has_a_row_for_everybody_with_sequence_and_periods() -> None:
    people = {person.participant: person for person in CUT.participants}
    assert len(ALL["ADSL"].rows) == len(people)
    for row in ALL["ADSL"].rows:
        person = people[str(row["SUBJID"])]
        assert row["ARMCD"] == person.arm
        if person.arm == "cells_first":
            assert (row["TRTSEQP"], row["TRT01P"], row["TRT02P"]) == ("Cells / Vehicle", "Cells", "Vehicle")
        if person.arm is None:
            assert row["TRT01P"] is row["TRTSEQP"] is None
        given = {each.epoch for each in person.administrations}
        assert (row["TRT02A"] is not None) == ("second" in given)
        assert (row["FULLFL"] == "Y") == (person.participant in Frame(CUT).analysis_set("full").members)
        assert row["TRTSDT"] == (str(person.administrations[0].given_on) if person.administrations else None)


def test_spec_outside_a_crossover_the_arm_is_the_treatment() -> None:
    adsl = by_name(derive_datasets(Frame(make_cut(parallel_definition(), 12))))["ADSL"]
    assert "TRTSEQP" not in {column.name for column in adsl.columns}
    treatments = {(row["ARMCD"], row["TRT01P"]) for row in adsl.rows}
    assert {("low", "Low dose"), ("high", "High dose"), ("placebo", "Placebo")} <= treatments


def test_spec_an_event_carries_its_period_and_its_treatment() -> None:
    rows = ALL["ADAE"].rows
    assert rows and {row["AESER"] for row in rows} == {"Y", "N"}
    treatments = {(row["ARMCD"], row["SUBJID"]): row for row in ALL["ADSL"].rows}
    for row in rows:
        subject = next(
            each for (_, code), each in treatments.items() if str(row["USUBJID"]).endswith(str(code))
        )
        assert (row["TRTEMFL"] == "Y") == (row["APERIOD"] is not None)
        if row["APERIOD"] is not None:
            assert row["TRTA"] == subject[f"TRT{row['APERIOD']:02}A"]
    first = [row["ASEQ"] for row in rows if row["USUBJID"] == rows[0]["USUBJID"]]
    assert first == list(range(1, len(first) + 1))


def test_spec_change_is_from_the_last_value_before_treatment() -> None:
    definition = crossover_definition()
    profile = Profile(id="score", title="Score", item="person.score", encounters=("screening", "week_0"))
    visits = Profile(
        id="count", title="Count", item="visit.count", encounters=("week_0", "week_4"), dataset="ADX"
    )
    planned = replace(definition.analysis, profiles=(replace(profile, dataset="ADX"), visits))
    frame = Frame(replace(CUT, definition=replace(definition, analysis=planned)))
    rows = by_name(derive_datasets(frame))["ADX"].rows
    assert {row["PARAMCD"] for row in rows} == {"SCORE", "COUNT"}
    for row in rows:
        if row["PARAMCD"] == "SCORE":
            assert (row["ABLFL"], row["AVAL"], row["CHG"]) == ("Y", row["BASE"], None)
        else:
            # No visit of the count lies before treatment.
            assert row["ABLFL"] is row["BASE"] is row["CHG"] is None


def test_spec_masked_datasets_have_no_treatment_and_do_not_depend_on_it() -> None:
    masked = derive_datasets(Frame(mask_cut(CUT)))
    names = {column.name for dataset in masked for column in dataset.columns}
    assert not names & {"ARM", "ARMCD", "TRTSEQP", "TRTSEQA", "TRT01P", "TRT01A", "TRTP", "TRTA"}
    assert masked == derive_datasets(Frame(mask_cut(swap_arms(CUT))))


def test_spec_files_are_the_same_in_every_run(tmp_path: Path) -> None:
    one = write_datasets(ALL.values(), tmp_path / "one")
    two = write_datasets(derive_datasets(Frame(CUT)), tmp_path / "two")
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    assert b"\r" not in one[0].read_bytes()
    described = json.loads((tmp_path / "one" / "datasets.json").read_text(encoding="utf-8"))
    for entry in described:
        with (tmp_path / "one" / entry["file"]).open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        assert rows[0] == [column["name"] for column in entry["columns"]]
        assert len(rows) == entry["records"] + 1


def test_spec_a_visit_after_treatment_is_no_baseline() -> None:
    definition = crossover_definition()
    study, schedule = definition.study, definition.schedule
    epochs = {"week_0": "screening", "week_20": "after"}
    changed = replace(
        definition,
        study=replace(study, epochs=(*study.epochs, Epoch(id="after", name="After", type="follow_up"))),
        schedule=replace(
            schedule,
            encounters=tuple(
                replace(each, epoch=epochs.get(each.id, each.epoch)) for each in schedule.encounters
            ),
        ),
        analysis=replace(
            definition.analysis,
            profiles=(
                Profile(
                    id="score",
                    title="Score",
                    item="visit.score",
                    encounters=("week_0", "week_4", "week_20"),
                    dataset="ADX",
                ),
            ),
        ),
    )
    rows = by_name(derive_datasets(Frame(replace(CUT, definition=changed))))["ADX"].rows
    assert {row["AVISIT"] for row in rows} == {"Week 0", "Week 4", "Week 20"}
    for row in rows:
        assert (row["ABLFL"] == "Y") == (row["AVISIT"] == "Week 0")
        if row["CHG"] is not None:
            assert isinstance(row["AVAL"], float) and isinstance(row["BASE"], float)
            assert row["CHG"] == round(row["AVAL"] - row["BASE"], 10)
