"""Tabulation datasets: the guide's rules over every study, and what each domain holds."""

import re
from dataclasses import fields, replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from equipoise.analysis.cut import CutAdministration, CutEncounter, CutParticipant, CutRenewal, DataCut
from equipoise.analysis.derive import mask_cut
from equipoise.conduct.cut import cut_trial, replay
from equipoise.conduct.versions import Versions
from equipoise.definition.expression import PartialDate, Value, form_row
from equipoise.definition.model.datasets import Datasets, TabulatedTest, TabulatedVariable, Tabulation
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.study import Intervention, Phase
from equipoise.definition.sdtm.guide import domains
from equipoise.definition.tabulation import placed
from equipoise.exchange.datasets.define import define_xml
from equipoise.exchange.datasets.model import Package
from equipoise.exchange.sdtm import HELD, LEFT_OUT, sdtm_package, summary
from equipoise.exchange.usdm import terms
from tests.analysis.cuts import swap_arms
from tests.blinding.worlds import make_worlds
from tests.exchange.amended_trial import amended_view
from tests.exchange.dataset_checks import (
    INVENTED,
    by_name,
    cut_of,
    definition_of,
    every_complaint,
    guide_complaints,
    table,
)
from tests.exchange.results_trials import MAKERS

KINDS = [*MAKERS, "masked crossover", "mesems", "masked mesems", *INVENTED]
CROSSOVER = cut_of("crossover")


@cache
def package_of(kind: str) -> Package:
    return sdtm_package(cut_of(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_spec_every_package_keeps_the_rules_of_the_guide(kind: str) -> None:
    package = package_of(kind)
    assert every_complaint(package) == []
    assert list(guide_complaints(package)) == []
    assert len(by_name(package)["DM"].rows) == len(cut_of(kind).participants)


@pytest.mark.parametrize("kind", ["mesems", *INVENTED])
def test_spec_every_item_of_every_form_is_in_a_dataset(kind: str) -> None:
    definition = definition_of(kind)
    found = {each.item for each in placed(definition)}
    assert {f"{form.id}.{item.id}" for form in definition.forms for item in form.items} <= found


def test_spec_the_pilot_says_of_every_item_where_it_goes() -> None:
    definition = definition_of("mesems")
    assert [each for each in placed(definition) if each.by_itself or each.domain == "ZF"] == []


def test_spec_every_field_of_a_cut_is_held_or_said_to_be_left_out() -> None:
    kinds = (DataCut, CutParticipant, CutRenewal, CutEncounter, CutAdministration)
    every = {f"{kind.__name__}.{field.name}" for kind in kinds for field in fields(kind)}
    assert HELD.keys() | LEFT_OUT.keys() == every
    assert not HELD.keys() & LEFT_OUT.keys()


@pytest.mark.parametrize("study", ["pilot", "betraying"])
def test_spec_a_masked_package_is_the_same_whichever_arm_was_given(study: str) -> None:
    one, other = (
        sdtm_package(cut_trial(Versions(world.definition), replay(world.ledger), None))
        for world in make_worlds(study)
    )
    assert one.masked and one == other


def test_spec_a_masked_package_does_not_depend_on_the_arm_nor_name_it() -> None:
    masked = sdtm_package(mask_cut(CROSSOVER))
    assert masked == sdtm_package(mask_cut(swap_arms(CROSSOVER)))
    datasets = by_name(masked)
    assert {row["ARMNRS"] for row in table(datasets["DM"])} == {"MASKED", "SCREEN FAILURE"}
    assert all(row["ARM"] is row["ACTARM"] is None for row in table(datasets["DM"]))
    assert {row["EXTRT"] for row in table(datasets["EX"])} == {"Bag of cells or vehicle"}
    elements = {row["ETCD"] for row in table(datasets["SE"])}
    assert elements == {"SCREENIN", "MASKED", "MASKED2"}
    assert elements <= {row["ETCD"] for row in table(datasets["TE"])}


def test_spec_unmasked_subjects_are_in_the_elements_of_their_arm() -> None:
    datasets = by_name(package_of("crossover"))
    planned = {(row["ARMCD"], row["TAETORD"]): row["ETCD"] for row in table(datasets["TA"])}
    arms = {row["USUBJID"]: row["ARMCD"] for row in table(datasets["DM"])}
    for row in table(datasets["SE"]):
        if arms[row["USUBJID"]] is not None:
            assert row["ETCD"] == planned[arms[row["USUBJID"]], row["TAETORD"]]
    for row in table(datasets["EX"]):
        epoch = {"TREATMENT 1": "first", "TREATMENT 2": "second"}[str(row["EPOCH"])]
        assert str(row["EXTRT"]).lower() in str(arms[row["USUBJID"]]) or epoch == "second"


def test_spec_study_days_have_no_day_0_and_count_from_the_first_administration() -> None:
    datasets = by_name(package_of("crossover"))
    starts = {row["USUBJID"]: row["RFSTDTC"] for row in table(datasets["DM"])}
    for row in table(datasets["SV"]):
        start, on = starts[row["USUBJID"]], row["SVSTDTC"]
        if start is None or on is None:
            assert row["SVSTDY"] is None
            continue
        days = (date.fromisoformat(str(on)) - date.fromisoformat(str(start))).days
        assert row["SVSTDY"] == (days + 1 if days >= 0 else days) != 0


def test_spec_partial_dates_stay_partial_and_have_no_day() -> None:
    rows = table(by_name(package_of("crossover"))["AE"])
    partial = [row for row in rows if len(str(row["AESTDTC"])) == 7]
    assert partial and all(row["AESTDY"] is None for row in partial)


def test_spec_unscheduled_visits_are_numbered_between_the_planned_ones() -> None:
    person = next(each for each in CROSSOVER.participants if each.status == "completed")
    first, second = person.encounters[0], person.encounters[1]
    assert first.took_place_on and second.took_place_on
    extra = tuple(
        CutEncounter(
            encounter=f"unscheduled_{number}",
            status="unscheduled",
            took_place_on=on,
            days_off=0,
            cause="Fell",
        )
        for number, on in ((1, second.took_place_on), (2, first.took_place_on))
    )
    changed = replace(CROSSOVER, participants=(replace(person, encounters=(*person.encounters, *extra)),))
    rows = [row for row in table(by_name(sdtm_package(changed))["SV"]) if row["SVPRESP"] is None]
    assert [(row["VISITNUM"], row["VISIT"]) for row in rows] == [
        (1.01, "UNSCHEDULED 1.01"),
        (2.01, "UNSCHEDULED 2.01"),
    ]
    assert {row["SVUPDES"] for row in rows} == {"Fell"} and {row["SVOCCUR"] for row in rows} == {None}


def test_spec_whoever_has_no_arm_has_a_reason_for_it() -> None:
    rows = table(by_name(package_of("crossover"))["DM"])
    assert all((row["ARMCD"] is None) == (row["ARMNRS"] == "SCREEN FAILURE") for row in rows)
    assert {row["ACTARM"] is None for row in rows if row["ARMNRS"] is None} == {False}


def test_spec_the_last_value_before_exposure_is_flagged_once_for_each_test() -> None:
    datasets = by_name(package_of("mesems"))
    first = {row["USUBJID"]: row["RFXSTDTC"] for row in table(datasets["DM"])}
    rows = table(datasets["VS"])
    flagged = [row for row in rows if row["VSLOBXFL"] == "Y"]
    keys = [(row["USUBJID"], row["VSTESTCD"]) for row in flagged]
    assert flagged and len(set(keys)) == len(keys)
    for row in flagged:
        later = [
            other["VSDTC"]
            for other in rows
            if (other["USUBJID"], other["VSTESTCD"]) == (row["USUBJID"], row["VSTESTCD"])
            and str(row["VSDTC"]) < str(other["VSDTC"]) < str(first[row["USUBJID"]])
        ]
        assert later == []


def test_spec_every_milestone_and_one_end_of_participation_is_a_disposition() -> None:
    for kind in ("crossover", "mesems"):
        cut, rows = cut_of(kind), table(by_name(package_of(kind))["DS"])
        for person in cut.participants:
            mine = [row for row in rows if str(row["USUBJID"]).endswith(person.participant)]
            terms = [row["DSDECOD"] for row in mine if row["DSCAT"] == "PROTOCOL MILESTONE"]
            assert terms == ["INFORMED CONSENT OBTAINED", *(["RANDOMIZED"] if person.randomised_on else [])]
            ends = [row for row in mine if row["DSSCAT"] == "STUDY PARTICIPATION"]
            assert len(ends) == (person.status != "randomised"), (person.participant, mine)


def test_spec_each_renewed_consent_is_a_milestone_and_the_first_stays_that_of_dm() -> None:
    """SDTMIG 3.4: DM.RFICDTC is the first of several consents; each of them may be a milestone of DS."""
    cut = amended_view().cut()
    datasets = by_name(sdtm_package(cut))
    (renewed,) = [person for person in cut.participants if person.renewals]
    consents = [
        (row["DSTERM"], row["DSSTDTC"])
        for row in table(datasets["DS"])
        if str(row["USUBJID"]).endswith(renewed.participant) and row["DSDECOD"] == "INFORMED CONSENT OBTAINED"
    ]
    day = renewed.consented_on.isoformat()
    assert consents == [
        ("INFORMED CONSENT OBTAINED", day),
        ("Informed consent renewed, version 2.0", day),
    ]


def test_spec_criteria_not_met_are_in_ie_and_all_criteria_in_ti() -> None:
    datasets = by_name(package_of("crossover"))
    codes = {row["IETESTCD"] for row in table(datasets["TI"])}
    rows = table(datasets["IE"])
    assert rows and {row["IETESTCD"] for row in rows} <= codes
    assert {(row["IECAT"], row["IEORRES"]) for row in rows} == {("INCLUSION", "N"), ("EXCLUSION", "Y")}


def test_spec_a_scan_and_its_reading_share_a_link() -> None:
    datasets = by_name(package_of("mesems"))
    scans = {(r["USUBJID"], r["PRLNKID"]) for r in table(datasets["PR"]) if r["PRLNKID"]}
    readings = {(r["USUBJID"], r["NVLNKID"]) for r in table(datasets["NV"]) if r["NVLNKID"]}
    assert readings and readings <= scans
    assert [row["RDOMAIN"] for row in table(datasets["RELREC"])] == ["NV", "PR"]


def test_spec_qualifiers_name_a_record_that_is_there() -> None:
    datasets = by_name(package_of("mesems"))
    for name, dataset in datasets.items():
        if name.startswith("SUPP"):
            parent = table(datasets[name[4:]])
            there = {(row["USUBJID"], str(row[f"{name[4:]}SEQ"])) for row in parent}
            assert {(row["USUBJID"], row["IDVARVAL"]) for row in table(dataset)} <= there
            guide = {each.name for each in domains()[name[4:]].variables}
            assert not {row["QNAM"] for row in table(dataset)} & guide


def test_spec_a_long_answer_goes_on_in_qualifiers_and_none_of_it_is_lost() -> None:
    words = "Ångest och oro, " * 40
    person = next(each for each in CROSSOVER.participants if each.status == "completed")
    row = form_row(
        "adverse_event",
        {"term": words.strip(), "severity": "mild", "serious": False},
        row=9,
        date=PartialDate(2024, 3),
    )
    one = replace(person, rows=(row,))
    datasets = by_name(sdtm_package(replace(CROSSOVER, participants=(one,))))
    (event,) = table(datasets["AE"])
    pieces = [
        str(each["QVAL"]) for each in table(datasets["SUPPAE"]) if str(each["QNAM"]).startswith("AETERM")
    ]
    whole = "".join((str(event["AETERM"]), *pieces))
    assert whole.replace(" ", "") == words.replace(" ", "")


def test_spec_a_mapping_gives_tests_units_and_standard_values() -> None:
    plan = Datasets(
        forms=(
            Tabulation(
                form="visit",
                domain="QS",
                tests=(
                    TabulatedTest(item="count", code="SPOTS", name="Spots"),
                    TabulatedTest(
                        item="well", code="WELL", name="Well", values={"true": "WELL", "false": "ILL"}
                    ),
                ),
                constants={"QSCAT": "DIARY"},
            ),
            Tabulation(
                form="adverse_event",
                domain="AE",
                variables=(
                    TabulatedVariable(item="term", variable="AETERM"),
                    TabulatedVariable(item="outcome", variable="AEOUT", values={"recovered": "UNKNOWN"}),
                ),
            ),
        )
    )
    definition = replace(CROSSOVER.definition, datasets=plan)
    datasets = by_name(sdtm_package(replace(CROSSOVER, definition=definition)))
    rows = table(datasets["QS"])
    assert {row["QSCAT"] for row in rows} == {"DIARY"}
    assert {row["QSSTRESC"] for row in rows if row["QSTESTCD"] == "WELL"} == {"WELL", "ILL"}
    assert {row["QSORRES"] for row in rows if row["QSTESTCD"] == "WELL"} == {"Y", "N"}
    # What the mapping leaves out is a test of the same domain, or a qualifier of the event.
    assert {row["QSTESTCD"] for row in rows} == {"SPOTS", "WELL", "SCORE"}
    assert {row["AEOUT"] for row in table(datasets["AE"])} == {"UNKNOWN"}
    assert "AESEVERI" in {row["QNAM"] for row in table(datasets["SUPPAE"])}


def test_spec_summary_says_what_is_not_known() -> None:
    rows = table(by_name(package_of("mesems"))["TS"])
    by_code = {str(row["TSPARMCD"]): row for row in rows}
    assert by_code["INTMODEL"]["TSVALCD"] == "C82637"
    assert (by_code["TPHASE"]["TSVAL"], by_code["TPHASE"]["TSVALCD"]) == ("PHASE I/II TRIAL", "C15693")
    assert by_code["AGEMIN"]["TSVAL"] == "P18Y"
    assert all((row["TSVAL"] is None) == (row["TSVALNF"] is not None) for row in rows)


def test_spec_the_same_cut_makes_the_same_package() -> None:
    assert sdtm_package(CROSSOVER) == sdtm_package(CROSSOVER)


def test_spec_the_documentation_says_what_is_left_out() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "sdtm.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+\.\w+)` \| (.+) \|$", page, re.MULTILINE))
    assert rows == dict(LEFT_OUT)


def test_spec_whoever_gives_up_treatment_alone_is_still_in_the_trial() -> None:
    person = next(each for each in CROSSOVER.participants if each.status == "withdrawn")
    people = (
        replace(person, end_scope="treatment", end_cause="Own wish"),
        replace(person, participant="SE01-900", status="completed", end_scope="treatment"),
    )
    datasets = by_name(sdtm_package(replace(CROSSOVER, participants=people)))
    ends = {
        (row["USUBJID"], row["DSSCAT"]): (row["DSDECOD"], row["DSSTDTC"])
        for row in table(datasets["DS"])
        if row["DSCAT"] == "DISPOSITION EVENT"
    }
    one, other = (f"KITE-{each.participant}" for each in people)
    assert ends[one, "STUDY TREATMENT"] == ("WITHDRAWAL BY SUBJECT", str(person.ended_on))
    assert ends[other, "STUDY PARTICIPATION"] == ("COMPLETED", str(person.ended_on))
    assert (one, "STUDY PARTICIPATION") not in ends and ends[other, "STUDY TREATMENT"][1] is None
    rows = {row["USUBJID"]: row["RFPENDTC"] for row in table(datasets["DM"])}
    assert (rows[one], rows[other]) == (None, str(person.ended_on))


def test_spec_where_nothing_is_handed_out_treatment_begins_with_randomisation() -> None:
    cut = cut_of("dipper")
    datasets = by_name(sdtm_package(cut))
    starts = {str(row["SUBJID"]): row["RFSTDTC"] for row in table(datasets["DM"])}
    for person in cut.participants:
        assert starts[person.participant] == (person.randomised_on and person.randomised_on.isoformat())
    rows = [row for row in table(datasets["SE"]) if row["EPOCH"] == "TREATMENT"]
    assert rows and all(row["SESTDY"] == 1 for row in rows)


def test_spec_the_pilots_domains_hold_what_they_are_for() -> None:
    masked, datasets = by_name(package_of("masked mesems")), by_name(package_of("mesems"))
    given = {(row["EXTRT"], row["EXDOSU"]) for row in table(datasets["EX"])}
    assert given == {
        ("Autologous bone-marrow-derived mesenchymal stem cells", "10^6/kg"),
        ("Suspension medium", "10^6/kg"),
    }
    assert {row["EXDOSU"] for row in table(masked["EX"])} == {"BAG"}
    cultures = [row for row in table(datasets["FA"]) if row["FAOBJ"] == "Cell culture"]
    assert cultures and not [row for row in table(masked["FA"]) if row["FAOBJ"] == "Cell culture"]
    harvests = [row for row in table(datasets["PR"]) if row["PRCAT"] == "HARVEST"]
    assert {row["VISIT"] for row in harvests} == {"Bone-marrow harvest"}
    tests = {row["NVTESTCD"] for row in table(datasets["NV"]) if row["NVCAT"] == "CENTRAL READING"}
    assert {"GELCOUNT", "T2NEWENL", "CUACOUNT", "GELVOL", "T2VOL", "T1BHVOL"} == tests
    assert {row["RSCAT"] for row in table(datasets["RS"])} == {"EDSS"}


@pytest.mark.parametrize("kind", ["mesems", "crossover"])
def test_spec_every_reference_of_the_define_file_is_to_something_in_it(kind: str) -> None:
    tree = etree.fromstring(define_xml(package_of(kind)))
    defined = {each.get("OID") for each in tree.iter() if each.get("OID")}
    for each in tree.iter():
        for name, value in each.attrib.items():
            if str(name).endswith("OID") and not str(name).endswith(("}OID", "FileOID")) and name != "OID":
                assert value in defined, (each.tag, name, value)


def tabulated(*forms: Tabulation) -> StudyDefinition:
    return replace(CROSSOVER.definition, datasets=Datasets(forms=forms))


def test_spec_an_administration_has_the_answers_of_its_own_visit() -> None:
    """A visit at which nothing was answered has no record; what is asked about by name is not the dose."""
    person = next(each for each in CROSSOVER.participants if len(each.administrations) == 2)
    answers: dict[str, dict[str, Value]] = {"screening": {}, "week_0": {"count": 3}, "week_12": {"count": 5}}
    rows = tuple(
        form_row(
            "visit", values | ({"well": True} if values else {}), encounter=at, date=PartialDate(2024, n)
        )
        for n, (at, values) in enumerate(answers.items(), start=1)
    )
    given = Tabulation(
        form="visit",
        domain="EX",
        variables=(TabulatedVariable(item="count", variable="EXDOSE"),),
        tests=(TabulatedTest(item="well", name="Wellness"),),
    )
    cut = replace(CROSSOVER, definition=tabulated(given), participants=(replace(person, rows=rows),))
    found = table(by_name(sdtm_package(cut))["EX"])
    assert [(row["EPOCH"], row["EXDOSE"]) for row in found] == [("TREATMENT 1", 3), ("TREATMENT 2", 5)]
    assert "Wellness" not in {row["EXTRT"] for row in found}


def test_spec_a_test_that_two_forms_ask_for_names_both_and_permits_what_either_does() -> None:
    forms = tuple(
        Tabulation(
            form=form,
            domain="QS",
            tests=(TabulatedTest(item=item, code="STATE", name="State", values=values),),
        )
        for form, item, values in (
            ("person", "sex", {"female": "GOOD", "male": "BAD"}),
            ("visit", "well", {"true": "WELL", "false": "ILL"}),
        )
    )
    dataset = by_name(sdtm_package(replace(CROSSOVER, definition=tabulated(*forms))))["QS"]
    levels = {
        each.name: level.variable
        for each in dataset.variables
        for level in each.values
        if level.where == (("QSTESTCD", "STATE"),)
    }
    listed = levels["QSSTRESC"].codelist
    assert listed is not None
    assert {term.value for term in listed.terms} == {"GOOD", "BAD", "WELL", "ILL"}
    assert levels["QSORRES"].page == "Person, Visit"


def test_spec_whoever_has_no_arm_is_in_no_element_in_which_arms_differ() -> None:
    person = next(each for each in CROSSOVER.participants if each.status == "completed")
    cut = replace(CROSSOVER, participants=(replace(person, arm=None),))
    rows = table(by_name(sdtm_package(cut))["SE"])
    assert [(row["ETCD"], row["EPOCH"]) for row in rows] == [("SCREENIN", "SCREENING")]


def test_spec_a_value_without_a_term_stands_beside_those_that_have_one() -> None:
    study = CROSSOVER.definition.study
    first, second = study.arms
    other = Intervention(id="massage", name="Massage", type="other")
    given = {**first.cells, "first": ("cells", "massage")}
    changed = replace(
        study,
        interventions=(*study.interventions, other),
        arms=(replace(first, cells=given), second),
    )
    cut = replace(CROSSOVER, definition=replace(CROSSOVER.definition, study=changed))
    rows = [row for row in table(by_name(sdtm_package(cut))["TS"]) if row["TSPARMCD"] == "INTTYPE"]
    assert [(row["TSSEQ"], row["TSVAL"], row["TSVALCD"], row["TSVALNF"]) for row in rows] == [
        (1, "BIOLOGIC", "C307", None),
        (2, None, None, "OTH"),
    ]


@pytest.mark.parametrize(
    ("phases", "value", "code"),
    [
        (("phase_1", "phase_3"), "PHASE I/III TRIAL", "C198367"),
        (("phase_1", "phase_2", "phase_3"), "PHASE I/II/III TRIAL", "C198366"),
    ],
)
def test_spec_every_phase_has_its_term(phases: tuple[Phase, ...], value: str, code: str) -> None:
    study = replace(CROSSOVER.definition.study, phases=phases)
    cut = replace(CROSSOVER, definition=replace(CROSSOVER.definition, study=study))
    rows = table(by_name(sdtm_package(cut))["TS"])
    assert [(row["TSVAL"], row["TSVALCD"]) for row in rows if row["TSPARMCD"] == "TPHASE"] == [(value, code)]


def test_spec_every_word_with_a_code_has_its_submission_value() -> None:
    for values, codes in (
        (summary.STUDY_TYPES, terms.STUDY_TYPES),
        (summary.PHASES, terms.PHASES),
        (summary.PURPOSES, terms.PURPOSES),
        (summary.MODELS, terms.MODELS),
        (summary.INTERVENTIONS, terms.INTERVENTION_TYPES),
        (summary.BLINDING, terms.BLINDING),
        (summary.SUB_TYPES, terms.SUB_TYPES),
    ):
        assert values.keys() == codes.keys()
