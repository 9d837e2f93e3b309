"""MESEMS, inclusion criteria 1 to 4: a short test a rule of the record NCT01730547 and its variants."""

from typing import Any

import pytest

from tests.studies.mesems_cast import MET, NOT_MET, RANDOMISATION, UNKNOWN, judge, mesems

NO_SCAN: dict[str, list[Any]] = {"mri_history": []}
NO_RELAPSE: dict[str, list[Any]] = {"relapse": []}


def relapses(*days, documented=True):
    return {"relapse": [{"onset": day, "documented": documented} for day in days]}


def scan(day, enhancing):
    return {"mri_history": [{"scanned_on": day, "gadolinium": True, "gel_count": enhancing}]}


def therapy(drug, months):
    return {
        "drug": drug,
        "started_on": "2018-10",
        "ongoing": False,
        "stopped_on": "2020-01",
        "months_treated": months,
    }


SPMS = {"phenotype": "spms"}
PPMS = {"phenotype": "ppms"}


@pytest.mark.parametrize("site", mesems().study.sites, ids=lambda site: site.id)
@pytest.mark.parametrize("category", ["inclusion", "exclusion"])
def test_spec_the_usual_candidate_may_take_part_at_every_site(site, category):
    variant = mesems().variant_of(site.id)
    rules = mesems().eligibility.rules_for(variant, RANDOMISATION)
    wanted = MET if category == "inclusion" else NOT_MET
    assert {c.id: judge(c.id, variant) for c in rules if c.category == category} == {
        c.id: wanted for c in rules if c.category == category
    }


# -- 1a, relapsing-remitting


def test_spec_I1_one_documented_relapse_in_twelve_months_is_activity():
    assert judge("I1", **relapses("2024-01-15"), **NO_SCAN) is MET


def test_spec_I1_a_relapse_on_the_same_day_a_year_before_still_counts():
    assert judge("I1", **relapses("2023-06-03"), **NO_SCAN) is MET
    assert judge("I1", **relapses("2023-06-02"), **NO_SCAN) is NOT_MET


def test_spec_I1_an_undocumented_relapse_is_no_activity():
    assert judge("I1", **relapses("2024-01-15", documented=False), **NO_SCAN) is NOT_MET


def test_spec_I1_two_relapses_in_twenty_four_months_are_activity():
    assert judge("I1", **relapses("2022-06-03", "2023-02-01"), **NO_SCAN) is MET
    assert judge("I1", **relapses("2022-06-02", "2023-02-01"), **NO_SCAN) is NOT_MET


def test_spec_I1_a_relapse_dated_by_its_year_alone_leaves_the_question_open():
    assert judge("I1", **relapses("2023"), **NO_SCAN) is UNKNOWN


def test_spec_I1_an_enhancing_lesion_in_twelve_months_is_activity():
    assert judge("I1", **NO_RELAPSE, **scan("2023-06-03", 1)) is MET
    assert judge("I1", **NO_RELAPSE, **scan("2023-06-02", 1)) is NOT_MET
    assert judge("I1", **NO_RELAPSE, **scan("2024-02-01", 0)) is NOT_MET


def test_spec_I1_a_log_that_nobody_confirmed_leaves_the_question_open():
    before = {"relapse": RANDOMISATION.replace(month=5)}
    assert judge("I1", **NO_RELAPSE, **NO_SCAN, confirmed=before) is UNKNOWN


def test_spec_I1_no_activity_is_not_met():
    assert judge("I1", **NO_RELAPSE, **NO_SCAN) is NOT_MET


def test_spec_I1_an_unknown_course_leaves_the_question_open():
    assert judge("I1", ms_history={"phenotype": None}) is UNKNOWN


# -- 1a in Sweden: a year of listed therapy


@pytest.mark.parametrize(
    "drug", ["interferon_beta", "glatiramer_acetate", "natalizumab", "mitoxantrone", "fingolimod"]
)
def test_spec_I1_sweden_asks_for_a_year_of_a_listed_therapy(drug):
    assert judge("I1", "sweden", prior_treatment=[therapy(drug, 12)]) is MET
    assert judge("I1", "sweden", prior_treatment=[therapy(drug, 11)]) is NOT_MET


def test_spec_I1_sweden_adds_up_therapies_taken_one_after_the_other():
    both = [therapy("interferon_beta", 5), therapy("glatiramer_acetate", 7)]
    assert judge("I1", "sweden", prior_treatment=both) is MET


def test_spec_I1_sweden_does_not_count_a_therapy_outside_the_list():
    assert judge("I1", "sweden", prior_treatment=[therapy("teriflunomide", 24)]) is NOT_MET


def test_spec_I1_sweden_also_asks_for_activity():
    assert judge("I1", "sweden", **NO_RELAPSE, **NO_SCAN) is NOT_MET


def test_spec_I1_the_common_rule_asks_for_no_therapy():
    assert judge("I1", prior_treatment=[]) is MET


def test_spec_I1_canada_counts_further_therapies():
    assert judge("I1", "canada", prior_treatment=[therapy("teriflunomide", 24)]) is MET
    assert judge("I1", "canada", prior_treatment=[]) is NOT_MET


# -- 1b, secondary progressive


def test_spec_I1_secondary_progression_needs_one_point_up_to_a_score_of_5_0():
    assert judge("I1", ms_history={**SPMS, "reference_edss": "4.0"}, edss={"total": "5.0"}) is MET
    assert judge("I1", ms_history={**SPMS, "reference_edss": "4.5"}, edss={"total": "5.0"}) is NOT_MET


def test_spec_I1_secondary_progression_needs_half_a_point_from_5_5_on():
    assert judge("I1", ms_history={**SPMS, "reference_edss": "5.0"}, edss={"total": "5.5"}) is MET
    assert judge("I1", ms_history={**SPMS, "reference_edss": "5.5"}, edss={"total": "5.5"}) is NOT_MET


def test_spec_I1_secondary_progression_is_measured_within_twelve_months():
    score = {**SPMS, "reference_edss": "3.0"}
    assert judge("I1", ms_history={**score, "reference_edss_date": "2023-06-03"}) is MET
    assert judge("I1", ms_history={**score, "reference_edss_date": "2023-06-02"}) is NOT_MET


def test_spec_I1_secondary_progressive_disease_needs_a_relapse_or_an_enhancing_lesion_too():
    assert judge("I1", ms_history=SPMS, **NO_RELAPSE) is MET
    assert judge("I1", ms_history=SPMS, **NO_SCAN) is MET
    assert judge("I1", ms_history=SPMS, **NO_RELAPSE, **NO_SCAN) is NOT_MET


def test_spec_I1_secondary_progressive_disease_does_not_qualify_by_two_relapses_in_two_years():
    assert judge("I1", ms_history=SPMS, **relapses("2022-09-01", "2023-02-01"), **NO_SCAN) is NOT_MET


def test_spec_I1_without_an_earlier_score_progression_is_not_known():
    unknown = {**SPMS, "reference_edss": None, "reference_edss_date": None}
    assert judge("I1", ms_history=unknown) is UNKNOWN


def test_spec_I1_sweden_asks_for_therapy_in_secondary_progressive_disease():
    assert judge("I1", "sweden", ms_history=SPMS) is MET
    assert judge("I1", "sweden", ms_history=SPMS, prior_treatment=[]) is NOT_MET


# -- 1c, primary progressive


@pytest.mark.parametrize("variant", [None, "sweden", "london", "canada"])
def test_spec_I1_primary_progressive_disease_needs_all_three_features(variant):
    assert judge("I1", variant, ms_history=PPMS) is MET
    assert judge("I1", variant, ms_history={**PPMS, "reference_edss": "3.5"}) is NOT_MET
    assert judge("I1", variant, ms_history=PPMS, **NO_SCAN) is NOT_MET
    assert judge("I1", variant, ms_history={**PPMS, "csf_oligoclonal_bands": "negative"}) is NOT_MET


def test_spec_I1_primary_progressive_disease_needs_no_earlier_therapy():
    assert judge("I1", "sweden", ms_history=PPMS, prior_treatment=[]) is MET


def test_spec_I1_in_primary_progressive_disease_a_relapse_does_not_stand_in_for_a_lesion():
    assert judge("I1", ms_history=PPMS, **relapses("2024-01-15"), **scan("2024-02-01", 0)) is NOT_MET


def test_spec_I1_bands_not_yet_known_leave_the_question_open():
    assert judge("I1", ms_history={**PPMS, "csf_oligoclonal_bands": None}) is UNKNOWN


# -- variants of 1


def test_spec_I1_london_looks_back_eighteen_months_for_a_relapse():
    assert judge("I1", "london", **relapses("2022-12-03"), **NO_SCAN) is MET
    assert judge("I1", "london", **relapses("2022-12-02"), **NO_SCAN) is NOT_MET


def test_spec_I1_london_counts_a_lesion_within_three_months_before_the_harvest():
    harvest = {"marrow_harvest": {"harvested_on": "2024-04-22"}}
    assert judge("I1", "london", **NO_RELAPSE, **scan("2024-01-22", 1), **harvest) is MET
    assert judge("I1", "london", **NO_RELAPSE, **scan("2024-01-21", 1), **harvest) is NOT_MET
    assert judge("I1", "london", **NO_RELAPSE, **scan("2024-04-23", 1), **harvest) is NOT_MET


def test_spec_I1_london_counts_back_from_the_assessment_until_there_is_a_harvest():
    assert judge("I1", "london", **NO_RELAPSE, **scan("2024-03-03", 1)) is MET
    assert judge("I1", "london", **NO_RELAPSE, **scan("2024-03-02", 1)) is NOT_MET


@pytest.mark.parametrize("variant", ["copenhagen", "badalona"])
@pytest.mark.parametrize("course", [SPMS, PPMS])
def test_spec_I1_copenhagen_and_badalona_take_no_progressive_disease(variant, course):
    assert judge("I1", variant, ms_history=course) is NOT_MET
    assert judge("E2" if course is SPMS else "E3", variant, ms_history=course) is MET


# -- 2, age


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        ("2006-04-08", MET),
        ("2006-04-09", NOT_MET),
        ("1973-04-09", MET),
        ("1973-04-08", NOT_MET),
        ("1973-04", UNKNOWN),
        ("1980", MET),
        (None, UNKNOWN),
    ],
)
def test_spec_I2_age_from_18_to_50_completed_years_at_consent(born, expected):
    assert judge("I2", demography={"birth_date": born}) is expected


# -- 3, disease duration


def test_spec_I3_disease_duration_of_exactly_two_years_is_included():
    assert judge("I3", ms_history={"onset_date": "2022-06-03"}) is MET
    assert judge("I3", ms_history={"onset_date": "2022-06-04"}) is NOT_MET


def test_spec_I3_disease_duration_of_exactly_fifteen_years_is_included():
    assert judge("I3", ms_history={"onset_date": "2009-06-03"}) is MET
    assert judge("I3", ms_history={"onset_date": "2009-06-02"}) is NOT_MET


def test_spec_I3_disease_duration_of_exactly_ten_years_is_included_in_sweden():
    assert judge("I3", "sweden", ms_history={"onset_date": "2014-06-03"}) is MET
    assert judge("I3", "sweden", ms_history={"onset_date": "2014-06-02"}) is NOT_MET


def test_spec_I3_disease_duration_of_exactly_two_years_is_included_in_sweden():
    assert judge("I3", "sweden", ms_history={"onset_date": "2022-06-03"}) is MET
    assert judge("I3", "sweden", ms_history={"onset_date": "2022-06-04"}) is NOT_MET


def test_spec_I3_twelve_years_are_too_long_in_sweden_alone():
    assert judge("I3", ms_history={"onset_date": "2012"}) is MET
    assert judge("I3", "sweden", ms_history={"onset_date": "2012"}) is NOT_MET


def test_spec_I3_an_onset_known_by_its_month_is_open_at_the_edge_only():
    assert judge("I3", "sweden", ms_history={"onset_date": "2014-06"}) is UNKNOWN
    assert judge("I3", "sweden", ms_history={"onset_date": "2014-07"}) is MET


# -- 4, disability


@pytest.mark.parametrize(
    ("variant", "score", "expected"),
    [
        (None, "2.0", NOT_MET),
        (None, "2.5", MET),
        ("sweden", "2.5", NOT_MET),
        ("sweden", "3.0", MET),
        (None, "6.5", MET),
        ("sweden", "6.5", MET),
        (None, "7.0", NOT_MET),
        ("sweden", "7.0", NOT_MET),
        (None, None, UNKNOWN),
    ],
)
def test_spec_I4_disability_score(variant, score, expected):
    assert judge("I4", variant, edss={"total": score}) is expected


def test_spec_I4_a_score_expires_after_thirty_days():
    assert judge("I4", examined=RANDOMISATION.replace(month=5, day=4)) is MET
    assert judge("I4", examined=RANDOMISATION.replace(month=5, day=3)) is UNKNOWN
