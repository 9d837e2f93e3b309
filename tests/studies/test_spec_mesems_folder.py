"""MESEMS, the rest of the folder: visits, scans, sites, supply, safety, reading, analysis, record."""

from collections import Counter
from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from equipoise.definition.expression import EvidenceTable, Truth, form_row, number, truth
from equipoise.definition.model.fields import hours_of
from equipoise.studies import study_folder, study_names
from tests.studies.mesems_cast import complaints, mesems, row

SCANS = {"baseline", "week_4", "week_12", "week_24", "week_28", "week_36", "week_48"}


def test_spec_the_study_ships_with_the_package():
    assert study_names() == ("mesems",)
    with pytest.raises(LookupError, match="mesems"):
        study_folder("mesem")


# -- visits


def test_spec_thirteen_visits_every_four_weeks_from_week_0_to_week_48():
    visits = [e for e in mesems().schedule.encounters if e.anchor == "randomisation"]
    assert [(e.id, e.day) for e in visits] == [(f"week_{week}", 7 * week) for week in range(0, 49, 4)]


def test_spec_windows_of_two_visits_do_not_overlap():
    visits = [e for e in mesems().schedule.encounters if e.anchor == "randomisation"]
    for earlier, later in pairwise(visits):
        assert earlier.day + earlier.late_days < later.day - later.early_days


def test_spec_scans_at_baseline_and_the_six_published_weeks():
    schedule = mesems().schedule
    assert {e.id for e in schedule.encounters if "mri_acquisition" in schedule.forms_at(e.id)} == SCANS


def test_spec_vital_signs_at_each_of_the_thirteen_visits():
    assert all("vital_signs" in mesems().schedule.forms_at(f"week_{week}") for week in range(0, 49, 4))


def test_spec_period_2_begins_with_the_second_infusion():
    week_24 = mesems().schedule.encounter("week_24")
    assert week_24.epoch == "period_2"
    assert mesems().schedule.encounter("week_20").epoch == "period_1"


def test_spec_a_culture_of_the_longest_time_ends_before_the_last_day_for_baseline():
    harvest, baseline = (mesems().schedule.encounter(name) for name in ("harvest", "baseline"))
    longest = mesems().supply.products[0].manufacture_days_max
    assert harvest.day + harvest.late_days + longest <= baseline.day + baseline.late_days


# -- sites and registrations


def test_spec_fifteen_sites_in_nine_countries():
    sites = mesems().study.sites
    assert len(sites) == 15
    assert {s.country for s in sites} == {"SE", "IT", "ES", "CA", "GB", "FR", "DK", "AT", "IR"}


def test_spec_only_sites_in_a_published_place_have_a_town():
    named = {s.city for s in mesems().study.sites if not s.assumed}
    assert named == {"Stockholm", "London", "Copenhagen", "Badalona"}
    assert all(s.city is None for s in mesems().study.sites if s.assumed)


@pytest.mark.parametrize("site", mesems().study.sites, ids=lambda site: site.id)
def test_spec_a_site_lies_in_its_country(site):
    assert site.id[:2] == site.country
    assert ZoneInfo(site.time_zone)
    sub_trial = next(s for s in mesems().study.sub_trials if s.id == site.sub_trial)
    assert sub_trial.country == site.country


def test_spec_each_national_trial_has_its_published_registration():
    assert {i.value: i.sub_trial for i in mesems().study.identifiers} == {
        "NCT01730547": "sweden",
        "NCT01854957": "italy",
        "NCT01745783": "spain_andalusia",
        "NCT02035514": "spain_badalona",
        "NCT02239393": "canada",
        "NCT01606215": "united_kingdom",
        "NCT02403947": "france",
        "2012-000518-13": "denmark",
        "2015-000137-78": "austria",
    }


def test_spec_iran_is_not_confirmed():
    iran = next(s for s in mesems().study.sub_trials if s.id == "iran")
    assert iran.registration is None
    assert "Not confirmed" in iran.status


def test_spec_the_variants_hold_at_their_sites():
    variants = {s.id: mesems().variant_of(s.id) for s in mesems().study.sites}
    assert {site: v for site, v in variants.items() if v is not None} == {
        "SE01": "sweden",
        "ES01": "badalona",
        "GB01": "london",
        "DK01": "copenhagen",
        "CA01": "canada",
        "CA02": "canada",
    }


def test_spec_every_rule_set_has_four_inclusion_and_fourteen_exclusion_criteria():
    for variant in (None, *(v.id for v in mesems().eligibility.variants)):
        rules = mesems().eligibility.rules_for(variant, date(2024, 1, 1))
        assert [c.id for c in rules] == [f"I{n}" for n in range(1, 5)] + [f"E{n}" for n in range(1, 15)]
        assert all(c.when is not None for c in rules)


# -- design


def test_spec_a_crossover_in_which_both_sequences_hold_cells_and_medium():
    arms = {a.id: (a.cells["period_1"], a.cells["period_2"]) for a in mesems().study.arms}
    assert arms == {"msc_first": (("msc",), ("medium",)), "medium_first": (("medium",), ("msc",))}
    assert mesems().allocation.ratio == {"msc_first": 1, "medium_first": 1}


def test_spec_masking_is_quadruple():
    assert mesems().study.masking.level == "quadruple"


def test_spec_at_a_site_only_the_laboratory_and_the_infuser_are_unmasked():
    unmasked = {r.id for r in mesems().study.roles if r.scope == "site" and not r.masked}
    assert unmasked == {"laboratory", "infuser"}


def test_spec_every_masked_party_but_the_participant_has_a_masked_role():
    parties = {r.party for r in mesems().study.roles if r.masked and r.party}
    assert parties == set(mesems().study.masking.parties) - {"participant"}
    assert all(r.masked for r in mesems().study.roles if r.party)


def test_spec_no_block_size_and_no_seed_in_the_folder():
    text = (study_folder("mesems") / "allocation.yaml").read_text("utf-8")
    assert "block_size" not in text
    assert "seed:" not in text


def test_spec_what_betrays_the_bag_is_marked():
    unmasking = {(f.id, i.id) for f in mesems().forms for i in f.items if f.unmasking or i.unmasking}
    assert {("infusion", "volume"), ("infusion", "cells_per_kg"), ("infusion", "appearance")} <= unmasking
    assert {form for form, _ in unmasking} == {"infusion", "culture"}
    assert ("infusion", "reaction") not in unmasking


# -- supply


def test_spec_everybody_is_harvested_and_both_bags_come_from_the_same_product():
    (product,) = mesems().supply.products
    assert product.kind == "autologous"
    assert set(product.interventions) == {"msc", "medium"}
    assert product.dispensed_at == ("week_0", "week_24")
    assert product.source_form == "marrow_harvest"


GOOD_LOT = {
    "started_on": "2024-04-22",
    "ended_on": "2024-05-20",
    "cells_per_kg": "1.5",
    "viability": "92.5",
    "sterility": "no_growth",
    "mycoplasma": "not_detected",
    "endotoxin": "0.5",
    "cd73": "99",
    "cd90": "98",
    "cd105": "97",
    "cd45": "0.4",
}


@pytest.mark.parametrize(
    ("change", "failing"),
    [
        ({}, set()),
        ({"cells_per_kg": "1"}, set()),
        ({"cells_per_kg": "0.99"}, {"dose"}),
        ({"viability": "80"}, set()),
        ({"viability": "79.9"}, {"viability"}),
        ({"sterility": "growth"}, {"sterility"}),
        ({"mycoplasma": "detected"}, {"mycoplasma"}),
        ({"endotoxin": "5"}, {"endotoxin"}),
        ({"cd105": "94.9"}, {"identity"}),
        ({"cd45": "2.1"}, {"identity"}),
        ({"sterility": None}, {"sterility"}),
    ],
)
def test_spec_a_lot_is_released_when_it_meets_every_limit(change, failing):
    lot = EvidenceTable(date(2024, 5, 21), [row("culture", {**GOOD_LOT, **change})])
    (product,) = mesems().supply.products
    assert {c.id for c in product.release if truth(c.when, lot) is not Truth.MET} == failing


@pytest.mark.parametrize(("days", "fits"), [(18, False), (19, True), (36, True), (37, False)])
def test_spec_a_culture_takes_19_to_36_days(days, fits):
    ended = date.fromordinal(date(2024, 4, 22).toordinal() + days)
    found = complaints("culture", started_on="2024-04-22", ended_on=ended)
    assert ("days_of_culture" not in found) is fits


# -- safety


EVENT = {
    "term": "fever",
    "onset": "2024-06-04",
    "fatal": False,
    "life_threatening": False,
    "hospitalisation": False,
    "disability": False,
    "congenital_anomaly": False,
    "medically_important": False,
    "causality": "possible",
    "expectedness": "unexpected",
}


@pytest.mark.parametrize(
    ("change", "clocks"),
    [
        ({}, {}),
        ({"hospitalisation": True}, {"serious_event": 24, "susar_other": 360}),
        ({"hospitalisation": True, "causality": "unlikely"}, {"serious_event": 24}),
        ({"hospitalisation": True, "expectedness": "expected"}, {"serious_event": 24}),
        ({"life_threatening": True}, {"serious_event": 24, "susar_fatal": 168, "susar_fatal_follow_up": 360}),
        ({"fatal": True}, {"serious_event": 24, "susar_fatal": 168, "susar_fatal_follow_up": 360}),
    ],
)
@pytest.mark.requirement("S1")
def test_spec_clocks_of_safety_reports_in_hours(change, clocks):
    event = EvidenceTable(date(2024, 6, 5), [row("adverse_event", {**EVENT, **change}, 1)])
    running = [c for c in mesems().safety.clocks if truth(c.when, event) is Truth.MET]
    assert {c.id: hours_of(c.due_within) for c in running} == clocks


def test_spec_twenty_seven_system_organ_classes():
    codes = mesems().form("adverse_event").item("body_system").codes
    assert len({c.label for c in codes}) == len({c.code for c in codes}) == 27


@pytest.mark.parametrize(
    ("answers", "check"),
    [
        ({"onset": "2024-06-04", "outcome": "recovered", "resolved_on": "2024-06-03"}, "end_after_onset"),
        ({"severity": 5, "fatal": False}, "fatal_severity"),
        ({"fatal": True, "outcome": "recovered"}, "fatal_outcome"),
        ({"fatal": False, "outcome": "fatal"}, "fatal_outcome"),
        ({"severity": 4, "life_threatening": False}, "life_threatening_severity"),
        ({"onset": "2024-06-04", "aware": "2024-06-03T09:00+02:00"}, "aware_after_onset"),
    ],
)
def test_spec_an_event_must_agree_with_itself(answers, check):
    assert complaints("adverse_event", **answers) == {check}


def test_spec_a_partial_last_day_that_may_fit_raises_no_query():
    answers = {"onset": "2024-06-04", "outcome": "recovered", "resolved_on": "2024-06"}
    assert complaints("adverse_event", **answers) == set()


# -- reading


def test_spec_two_readers_and_any_difference_in_a_count_is_adjudicated():
    imaging = mesems().imaging
    assert imaging.readers == 2
    assert {c.item: c.tolerance for c in imaging.compare} == dict.fromkeys(
        ("gel_count", "new_or_enlarging_t2", "combined_unique_active"), 0
    )


@pytest.mark.parametrize(("combined", "fits"), [(3, False), (4, True), (7, True), (8, False)])
def test_spec_combined_lesions_count_none_twice_and_leave_none_out(combined, fits):
    found = complaints("mri_read", gel_count=3, new_or_enlarging_t2=4, combined_unique_active=combined)
    assert (not found) is fits


# -- analysis


def test_spec_the_primary_endpoint_counts_lesions_over_weeks_4_12_and_24():
    endpoint = mesems().analysis.endpoint("gels")
    assert (endpoint.role, endpoint.analysis.model, endpoint.analysis.set) == (
        "primary",
        "negative_binomial",
        "full_analysis",
    )


@pytest.mark.parametrize(
    ("counts", "lesions", "scans"),
    [
        ({"baseline": 9, "week_4": 1, "week_12": 0, "week_24": 2, "week_28": 7}, 3, 3),
        ({"week_4": 1, "week_24": 2}, 3, 2),
        ({"week_28": 7}, 0, 0),
    ],
)
def test_spec_lesions_are_summed_over_the_scans_that_were_read(counts, lesions, scans):
    variables = mesems().analysis.variables
    reads = [form_row("mri_read", {"gel_count": count}, encounter=visit) for visit, count in counts.items()]
    evidence = EvidenceTable(date(2025, 1, 1), reads, variables=variables)
    assert number(variables["gels_period_1"], evidence) == lesions
    assert number(variables["scans_period_1"], evidence) == scans
    (full, *_) = mesems().analysis.sets
    assert truth(full.requires["scan_read"], evidence) is (Truth.MET if scans else Truth.NOT_MET)


@pytest.mark.requirement("E1")
def test_spec_every_primary_endpoint_has_an_estimand():
    estimands = {e.id for e in mesems().analysis.estimands}
    assert all(e.estimand in estimands for e in mesems().analysis.endpoints if e.role == "primary")


def test_spec_the_testing_procedure_begins_with_the_primary_endpoint():
    assert mesems().analysis.testing.order[0] == "gels"


# -- the record


def test_spec_the_records_seven_contradictions_are_listed_with_what_is_followed():
    assert Counter(c.topic for c in mesems().registry.contradictions) == Counter(
        [
            "Disease duration",
            "Disability score",
            "Size",
            "Phase",
            "Control",
            "Time frame of the co-primary endpoint",
            "Decimals",
        ]
    )
    assert all(len(c.places) >= 2 for c in mesems().registry.contradictions)


def test_spec_the_dates_are_those_of_the_record():
    dates, registered = mesems().study.dates, mesems().registry.dates
    assert (dates.start, dates.primary_completion, dates.completion) == (
        date(2013, 2, 1),
        date(2019, 5, 9),
        date(2021, 11, 20),
    )
    assert (registered.first_submitted, registered.first_submitted_qc, registered.first_posted) == (
        date(2012, 11, 9),
        date(2012, 11, 20),
        date(2012, 11, 21),
    )
    assert registered.last_update_submitted == date(2023, 5, 30)
    assert registered.last_update_posted == date(2023, 6, 1)


def test_spec_every_assumption_has_a_source():
    assumptions = mesems().study.assumptions
    assert len({a.id for a in assumptions}) == len(assumptions)
    assert all(a.source for a in assumptions)
