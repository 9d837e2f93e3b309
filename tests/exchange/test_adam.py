"""Analysis datasets as a package: metadata, traceability to the tabulation datasets, blinding."""

from dataclasses import replace
from functools import cache

import pytest

from equipoise.analysis.derive import Frame, mask_cut
from equipoise.analysis.endpoints import fit_endpoint
from equipoise.conduct.cut import cut_trial, replay
from equipoise.conduct.versions import Versions
from equipoise.definition.expression import PartialDate, form_row
from equipoise.definition.model.datasets import Datasets, TabulatedVariable, Tabulation
from equipoise.exchange.adam import adam_package
from equipoise.exchange.datasets.model import Dataset, Package, Variable
from equipoise.exchange.sdtm import sdtm_package
from tests.analysis.cuts import swap_arms
from tests.blinding.worlds import make_worlds
from tests.exchange.dataset_checks import INVENTED, by_name, cut_of, every_complaint, table
from tests.exchange.results_trials import MAKERS

KINDS = [*MAKERS, "masked crossover", "mesems", "masked mesems", *INVENTED]


@cache
def package_of(kind: str) -> Package:
    return adam_package(cut_of(kind))


def variable(dataset: Dataset, name: str) -> Variable:
    return next(each for each in dataset.variables if each.name == name)


@pytest.mark.parametrize("kind", KINDS)
def test_spec_every_package_keeps_the_rules(kind: str) -> None:
    package = package_of(kind)
    assert every_complaint(package) == []
    assert len(by_name(package)["ADSL"].rows) == len(cut_of(kind).participants)


@pytest.mark.parametrize("study", ["pilot", "betraying"])
def test_spec_a_masked_package_is_the_same_whichever_arm_was_given(study: str) -> None:
    one, other = (
        adam_package(cut_trial(Versions(world.definition), replay(world.ledger), None))
        for world in make_worlds(study)
    )
    assert one.masked and one == other


def test_spec_a_masked_package_has_no_treatment_variable() -> None:
    masked = adam_package(mask_cut(cut_of("crossover")))
    assert masked == adam_package(mask_cut(swap_arms(cut_of("crossover"))))
    names = {each.name for dataset in masked.datasets for each in dataset.variables}
    assert not {name for name in names if name.startswith(("ARM", "TRT0", "TRTP", "TRTA", "TRTSEQ"))}


@pytest.mark.parametrize("kind", ["crossover", "parallel", "single", "mesems", "tern", "wren"])
def test_spec_what_is_copied_is_in_the_tabulation_datasets_with_the_same_values(kind: str) -> None:
    cut = cut_of(kind)
    tabulated, analysed = by_name(sdtm_package(cut)), by_name(adam_package(cut))
    people = {row["USUBJID"]: row for row in table(tabulated["DM"])}
    for name, dataset in analysed.items():
        for each in dataset.variables:
            home, _, source = (each.predecessor or "").partition(".")
            if home == "DM":
                for row in table(dataset):
                    assert row[each.name] == people[row["USUBJID"]][source], (name, each.name)
            elif home and not home.startswith("SUPP") and home in tabulated:
                sequence = f"{home}SEQ"
                if sequence in {other.name for other in dataset.variables}:
                    parent = {(row["USUBJID"], row[sequence]): row for row in table(tabulated[home])}
                    for row in table(dataset):
                        assert row[each.name] == parent[row["USUBJID"], row[sequence]][source], each.name


def test_spec_an_endpoint_has_the_values_that_its_analysis_reads() -> None:
    cut = cut_of("parallel")
    frame = Frame(cut)
    rows = [*table(by_name(adam_package(cut))["ADEP"])]
    for endpoint in frame.definition.analysis.endpoints:
        if endpoint.type in ("count", "continuous") and not endpoint.analysis.repeated:
            mine = [row for row in rows if row["PARAM"] == endpoint.title]
            assert len(mine) == fit_endpoint(frame, endpoint.id).n
            assert all(row["ANL01FL"] == "Y" and row["AVAL"] is not None for row in mine)


def test_spec_a_time_to_an_event_says_whether_it_is_censored() -> None:
    datasets = by_name(package_of("dipper"))
    rows = table(datasets["ADTTE"])
    assert rows and {row["CNSR"] for row in rows} <= {0, 1}
    for row in rows:
        assert (row["CNSR"] == 0) == (row["EVNTDESC"] == "EVENT")
        assert row["STARTDT"] is not None and isinstance(row["AVAL"], float) and row["AVAL"] > 0


def test_spec_flags_of_the_usual_sets_have_their_usual_names() -> None:
    adsl = by_name(package_of("mesems"))["ADSL"]
    labels = {each.name: each.label for each in adsl.variables}
    assert labels["FASFL"] == "Full Analysis Set Population Flag"
    assert {"SAFFL", "PPROTFL", "AGE", "AGEU", "SEX", "RACE"} <= labels.keys()
    flag = variable(adsl, "FASFL")
    assert flag.codelist is not None and [term.ncit for term in flag.codelist.terms] == ["C49488", "C49487"]


def test_spec_lesion_counts_are_a_parameter_with_its_value_level_metadata() -> None:
    dataset = by_name(package_of("mesems"))["ADGEL"]
    assert dataset.dataset_class == "BASIC DATA STRUCTURE"
    (level,) = variable(dataset, "AVAL").values
    assert level.where == (("PARAMCD", "GELS"),) and level.variable.type == "integer"
    assert {(row["SRCDOM"], row["SRCVAR"]) for row in table(dataset)} == {("NV", "NVSTRESN")}


def test_spec_dates_are_numbers_in_a_transport_file() -> None:
    for dataset in package_of("crossover").datasets:
        for each in dataset.variables:
            assert each.numeric_date == (each.type == "date")


def test_spec_nobody_yet_makes_an_empty_package_of_the_same_structure() -> None:
    cut = cut_of("crossover")
    empty = adam_package(replace(cut, participants=()))
    assert [each.name for each in empty.datasets] == [each.name for each in adam_package(cut).datasets]
    assert all(dataset.rows == () for dataset in empty.datasets)


def test_spec_whoever_gives_up_treatment_alone_has_not_ended_the_study() -> None:
    cut = cut_of("crossover")
    person = next(each for each in cut.participants if each.status == "withdrawn")
    changed = replace(person, end_scope="treatment")
    (row,) = table(by_name(adam_package(replace(cut, participants=(changed,))))["ADSL"])
    assert (row["EOSSTT"], row["EOSDT"], row["DCSREAS"]) == ("ONGOING", None, None)
    assert row["DCTREAS"] == person.end_cause


def test_spec_an_event_has_the_number_of_its_record_in_the_tabulation_dataset() -> None:
    """Records stand by date and submitted term; what has no term has no record, and equal rows are two."""
    cut = cut_of("crossover")
    person = next(each for each in cut.participants if each.status == "completed")
    on = PartialDate(2024, 3, 1)
    told = ({"term": "b"}, {"severity": "mild"}, {"term": "a"}, {"term": "a"}, {"term": "c"})
    rows = tuple(
        form_row("adverse_event", {**each, "onset": on, "serious": False}, row=1, date=on) for each in told
    )
    named = TabulatedVariable(item="term", variable="AETERM", values={"a": "Zoster", "b": "Boil"})
    plan = Datasets(forms=(Tabulation(form="adverse_event", domain="AE", variables=(named,)),))
    changed = replace(
        cut,
        definition=replace(cut.definition, datasets=plan),
        participants=(replace(person, rows=(*person.rows[:1], *rows)),),
    )
    events = table(by_name(adam_package(changed))["ADAE"])
    records = table(by_name(sdtm_package(changed))["AE"])
    assert [(row["AETERM"], row["AESEQ"]) for row in events] == [
        ("Boil", 1),
        (None, None),
        ("Zoster", 2),
        ("Zoster", 3),
        ("c", 4),
    ]
    assert [(row["AETERM"], row["AESEQ"]) for row in records] == [
        (row["AETERM"], row["AESEQ"])
        for row in sorted(events, key=lambda row: str(row["AESEQ"]))
        if row["AESEQ"]
    ]


@pytest.mark.parametrize(("kind", "two"), [("mesems", "AE"), ("mesems", "CE"), ("wren", "AE")])
def test_spec_the_numbers_of_events_are_those_of_rehearsed_records(kind: str, two: str) -> None:
    events, records = by_name(package_of(kind))[f"AD{two}"], by_name(sdtm_package(cut_of(kind)))[two]
    # Of relapses, which are all called the same, the analysis dataset has no term.
    told = f"{two}TERM" if two == "AE" else f"{two}STDTC"
    names = ("USUBJID", told, f"{two}SEQ")
    found = [{tuple(row[name] for name in names) for row in table(each)} for each in (events, records)]
    assert found[0] and found[0] == found[1]
