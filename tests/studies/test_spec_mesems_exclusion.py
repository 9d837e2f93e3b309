"""MESEMS, exclusion criteria 1 to 14: met, not met, unknown, the edges of every window, and what expires."""

from datetime import date
from typing import Any

import pytest

from tests.studies.mesems_cast import MET, NOT_MET, UNKNOWN, judge

IDLE: dict[str, list[Any]] = {"relapse": [], "mri_history": []}


def taken(drug, **dates):
    return [{"drug": drug, "started_on": "2023-01", "ongoing": False, "months_treated": 12, **dates}]


def steroid(group="corticosteroid", **dates):
    usual = {"drug": "x", "indication": "x", "started_on": "2024-03-01", "ongoing": False}
    return [{"group": group, **usual, **dates}]


# -- 1 to 3: courses that do not fulfil inclusion


@pytest.mark.parametrize(("criterion", "course"), [("E1", "rrms"), ("E2", "spms"), ("E3", "ppms")])
def test_spec_E1_to_E3_each_looks_at_its_own_course(criterion, course):
    assert judge(criterion, ms_history={"phenotype": course}, **IDLE) is MET
    assert judge(criterion, ms_history={"phenotype": course}) is NOT_MET
    assert judge(criterion, ms_history={"phenotype": None}, **IDLE) is UNKNOWN
    for other in {"rrms", "spms", "ppms"} - {course}:
        assert judge(criterion, ms_history={"phenotype": other}, **IDLE) is NOT_MET


@pytest.mark.parametrize("variant", ["sweden", "canada"])
@pytest.mark.parametrize(("criterion", "course"), [("E1", "rrms"), ("E2", "spms")])
def test_spec_E1_and_E2_exclude_for_want_of_therapy_where_it_is_asked_for(variant, criterion, course):
    assert judge(criterion, variant, ms_history={"phenotype": course}, prior_treatment=[]) is MET
    assert judge(criterion, variant, ms_history={"phenotype": course}) is NOT_MET


def test_spec_E1_in_london_follows_londons_window():
    once = {"relapse": [{"onset": "2023-01-10", "documented": True}], "mri_history": []}
    assert judge("E1", "london", **once) is NOT_MET
    assert judge("E1", **once) is MET


# -- 4: infection


@pytest.mark.parametrize("test", ["hiv", "hepatitis_b", "hepatitis_c"])
def test_spec_E4_serology(test):
    assert judge("E4", serology={test: "positive"}) is MET
    assert judge("E4", serology={test: None}) is UNKNOWN


def test_spec_E4_any_known_infection_excludes():
    assert judge("E4", medical_history={"infection": True}) is MET
    assert judge("E4") is NOT_MET


def test_spec_E4_serology_expires_after_ninety_days():
    assert judge("E4", serology={"sampled_on": "2024-03-05"}) is NOT_MET
    assert judge("E4", serology={"sampled_on": "2024-03-04"}) is UNKNOWN


# -- 5 to 7: treatments


@pytest.mark.parametrize("drug", ["natalizumab", "fingolimod", "mitoxantrone", "rituximab", "azathioprine"])
def test_spec_E5_immunosuppression_in_the_three_months_before(drug):
    assert judge("E5", prior_treatment=taken(drug, stopped_on="2024-03-03")) is MET
    assert judge("E5", prior_treatment=taken(drug, stopped_on="2024-03-02")) is NOT_MET


def test_spec_E5_a_treatment_still_taken_excludes():
    assert judge("E5", prior_treatment=taken("fingolimod", ongoing=True)) is MET


def test_spec_E5_a_month_without_a_day_is_open_at_the_edge():
    assert judge("E5", prior_treatment=taken("fingolimod", stopped_on="2024-03")) is UNKNOWN
    assert judge("E5", prior_treatment=taken("fingolimod", stopped_on="2024-02")) is NOT_MET


def test_spec_E5_interferon_is_not_meant():
    assert judge("E5", prior_treatment=taken("interferon_beta", ongoing=True)) is NOT_MET


@pytest.mark.parametrize("drug", ["interferon_beta", "glatiramer_acetate"])
def test_spec_E6_immunomodulation_in_the_thirty_days_before(drug):
    assert judge("E6", prior_treatment=taken(drug, stopped_on="2024-05-04")) is MET
    assert judge("E6", prior_treatment=taken(drug, stopped_on="2024-05-03")) is NOT_MET
    assert judge("E6", prior_treatment=taken(drug, ongoing=True)) is MET


def test_spec_E6_natalizumab_is_not_meant():
    assert judge("E6", prior_treatment=taken("natalizumab", ongoing=True)) is NOT_MET


def test_spec_E7_corticosteroids_in_the_thirty_days_before():
    assert judge("E7", concomitant_medication=steroid(stopped_on="2024-05-04")) is MET
    assert judge("E7", concomitant_medication=steroid(stopped_on="2024-05-03")) is NOT_MET
    assert judge("E7", concomitant_medication=steroid(ongoing=True)) is MET
    assert judge("E7", concomitant_medication=steroid("analgesic", ongoing=True)) is NOT_MET


@pytest.mark.parametrize(
    ("criterion", "log"),
    [
        ("E5", "prior_treatment"),
        ("E6", "prior_treatment"),
        ("E7", "concomitant_medication"),
        ("E8", "relapse"),
    ],
)
def test_spec_E5_to_E8_an_empty_log_excludes_nobody_once_it_is_confirmed(criterion, log):
    assert judge(criterion, **{log: []}) is NOT_MET
    assert judge(criterion, **{log: []}, confirmed={log: date(2024, 6, 2)}) is UNKNOWN


# -- 8: relapse


def test_spec_E8_a_relapse_in_the_sixty_days_before():
    assert judge("E8", relapse=[{"onset": "2024-04-04", "documented": True}]) is MET
    assert judge("E8", relapse=[{"onset": "2024-04-03", "documented": True}]) is NOT_MET
    assert judge("E8", relapse=[{"onset": "2024-04", "documented": True}]) is UNKNOWN


def test_spec_E8_a_relapse_on_the_day_of_randomisation_excludes():
    assert judge("E8", relapse=[{"onset": "2024-06-03", "documented": True}]) is MET


def test_spec_E8_an_undocumented_relapse_excludes_too():
    assert judge("E8", relapse=[{"onset": "2024-05-20", "documented": False}]) is MET


# -- 9 to 11: other illness


@pytest.mark.parametrize("kind", ["basal_cell_skin", "in_situ"])
def test_spec_E9_the_two_exempt_malignancies_need_more_than_a_year_of_remission(kind):
    def since(day):
        return judge("E9", medical_history={"malignancy": kind, "remission_since": day})

    assert since("2023-06-02") is NOT_MET
    assert since("2023-06-03") is MET
    assert since("2023-06") is UNKNOWN
    assert since(None) is UNKNOWN


def test_spec_E9_another_malignancy_excludes_for_good():
    assert judge("E9", medical_history={"malignancy": "other"}) is MET
    assert judge("E9", medical_history={"malignancy": "none"}) is NOT_MET
    assert judge("E9", medical_history={"malignancy": None}) is UNKNOWN


@pytest.mark.parametrize(
    ("criterion", "question", "excluding"),
    [
        ("E10", "life_expectancy_limited", True),
        ("E11", "haematological_disease", True),
        ("E12", "contraception", False),
        ("E13", "renal_failure", True),
        ("E13", "mri_possible", False),
        ("E14", "able_to_consent", False),
    ],
)
def test_spec_E10_to_E14_a_question_to_the_investigator(criterion, question, excluding):
    assert judge(criterion, medical_history={question: excluding}) is MET
    assert judge(criterion, medical_history={question: not excluding}) is NOT_MET
    assert judge(criterion, medical_history={question: None}) is UNKNOWN


def test_spec_E11_relevant_white_cell_counts():
    assert judge("E11", laboratory={"white_cells_relevant": True}) is MET
    assert judge("E11", laboratory={"white_cells_relevant": None}) is UNKNOWN


# -- 12: pregnancy


def test_spec_E12_a_positive_test_excludes():
    assert judge("E12", pregnancy_test={"result": "positive"}) is MET
    assert judge("E12", pregnancy_test={"result": None}) is UNKNOWN


def test_spec_E12_a_test_expires_after_seven_days():
    assert judge("E12", pregnancy_test={"tested_on": "2024-05-27"}) is NOT_MET
    assert judge("E12", pregnancy_test={"tested_on": "2024-05-26"}) is UNKNOWN


def test_spec_E12_asks_neither_men_nor_women_who_cannot_become_pregnant():
    unasked = {"can_become_pregnant": None, "contraception": None}
    no_test = {"applicable": False, "result": None}
    man = {"sex": "male"}
    assert judge("E12", demography=man, medical_history=unasked, pregnancy_test=no_test) is NOT_MET
    cannot = {"can_become_pregnant": False, "contraception": None}
    assert judge("E12", medical_history=cannot, pregnancy_test=no_test) is NOT_MET


# -- 13: kidneys


def test_spec_E13_filtration_below_sixty_excludes():
    assert judge("E13", laboratory={"egfr": 59}) is MET
    assert judge("E13", laboratory={"egfr": 60}) is NOT_MET
    assert judge("E13", laboratory={"egfr": None}) is UNKNOWN


@pytest.mark.parametrize("criterion", ["E11", "E13"])
def test_spec_E11_and_E13_blood_tests_expire_after_thirty_days(criterion):
    assert judge(criterion, laboratory={"sampled_on": "2024-05-04"}) is NOT_MET
    assert judge(criterion, laboratory={"sampled_on": "2024-05-03"}) is UNKNOWN


def test_spec_a_candidate_who_waits_too_long_must_be_examined_again():
    assert judge("E13", on=date(2024, 6, 26)) is NOT_MET
    assert judge("E13", on=date(2024, 6, 27)) is UNKNOWN
