"""The imagined participants of the pilot are like the published ones, and everything that can happen happens.

Published: 144 randomised, of whom 94, 33 and 17 had the three courses and 87 were women; mean age 39 years;
median disability 4. About 53% had an adverse event; there were 1.5 for each participant. Lesions: 1.19 in a
scan, and 3.57 over three scans with a dispersion of 1.8.
"""

from collections import Counter, defaultdict
from datetime import date
from statistics import mean, median, variance
from typing import Any

import pytest

from equipoise.allocation.state import AllocationRow
from equipoise.capture.state import EncounterRow, RecordRow
from equipoise.enrolment.state import ParticipantRow
from equipoise.imaging.state import ReadingRow
from equipoise.rehearsal.rehearse import rehearse
from tests.rehearsal.folders import load

FIRST_SCANS = ("week_4", "week_12", "week_24")
STEROID_DAYS = 28


class Population:
    """What one rehearsal of the pilot recorded."""

    def __init__(self):
        result = rehearse(load("mesems"), seed=1, scenario="published")
        self.result = result
        self.tables = result.trial.tables
        self.kinds = Counter(entry.kind for entry in result.trial.ledger.read())
        self.randomised = {
            row.participant: date.fromisoformat(row.randomised_on) for row in self.tables.all(AllocationRow)
        }
        self.rows = defaultdict(list)
        for row in self.tables.all(RecordRow):
            if row.participant in self.randomised and not row.removed:
                self.rows[row.form].append(row)
        self.scans: dict[str, dict[str, Any]] = defaultdict(dict)
        for reading in self.tables.all(ReadingRow):
            if reading.participant in self.randomised:
                self.scans[reading.participant][reading.encounter] = reading.item_values["gel_count"]

    def answers(self, form, item):
        return [row.item_values[item] for row in self.rows[form] if item in row.item_values]

    def steroid_days(self, participant):
        return [
            date.fromisoformat(row.item_values["started_on"])
            for row in self.rows["concomitant_medication"]
            if row.participant == participant and row.item_values["group"] == "corticosteroid"
        ]


@pytest.fixture(scope="module")
def population():
    return Population()


def test_spec_as_many_are_randomised_as_published(population):
    assert population.result.randomised == len(population.randomised) == 144


def test_spec_the_courses_are_as_published(population):
    found = Counter(population.answers("ms_history", "phenotype"))
    assert found["rrms"] == pytest.approx(94, abs=14)
    assert found["spms"] == pytest.approx(33, abs=12)
    assert found["ppms"] == pytest.approx(17, abs=10)


def test_spec_sex_age_and_disability_are_as_published(population):
    assert population.answers("demography", "sex").count("female") == pytest.approx(87, abs=14)
    born = {
        row.participant: date.fromisoformat(row.item_values["birth_date"])
        for row in population.rows["demography"]
    }
    ages = [(population.randomised[code] - day).days / 365.25 for code, day in born.items()]
    assert mean(ages) == pytest.approx(39, abs=1.5)
    assert min(ages) >= 18
    disability = [
        float(row.item_values["total"]) for row in population.rows["edss"] if row.encounter == "baseline"
    ]
    assert median(disability) in (3.5, 4.0, 4.5)
    assert 2.5 <= min(disability) <= max(disability) <= 6.5


def test_spec_screening_fails_plausibly_often_and_seldom_for_want_of_data(population):
    causes = Counter(row.end_cause for row in population.tables.all(ParticipantRow) if row.status == "failed")
    screened = population.result.consented - causes["Enrolment was complete"]
    assert 0.2 < causes["Not eligible"] / screened < 0.35
    assert 0 < causes["No product could be released"] < 20
    outcomes = Counter(
        entry.content["outcome"]
        for entry in population.result.trial.ledger.read()
        if entry.kind == "EligibilityAssessed"
    )
    assert outcomes["unknown"] <= 0.02 * sum(outcomes.values())


def test_spec_lesions_are_as_assumed_from_the_literature(population):
    assert mean(scans["baseline"] for scans in population.scans.values()) == pytest.approx(1.19, abs=0.35)
    totals = [
        sum(scans[week] for week in FIRST_SCANS)
        for scans in population.scans.values()
        if scans.keys() >= set(FIRST_SCANS)
    ]
    assert len(totals) > 110
    assert mean(totals) == pytest.approx(3.57, abs=1.1)
    # By the method of moments, whose own spread over trials of this size is large.
    assert (variance(totals) - mean(totals)) / mean(totals) ** 2 == pytest.approx(1.8, abs=0.9)


def test_spec_who_is_randomised_does_not_depend_on_how_active_they_are(population):
    # The criteria look at scans made before consent, which are drawn without the frailty.
    definition = load("mesems")
    assert definition.rehearsal is not None
    criteria = definition.rehearsal.forms["mri_history"].items["gel_count"]
    assert "activity" not in repr(criteria)


def test_spec_adverse_events_are_as_published(population):
    events = [row.participant for row in population.rows["adverse_event"]]
    assert len(events) / 144 == pytest.approx(1.5, abs=0.45)
    assert len(set(events)) / 144 == pytest.approx(0.53, abs=0.1)
    assert population.kinds["SafetyClockStarted"] >= 1
    assert population.kinds["SafetyReportSubmitted"] == population.kinds["SafetyClockStarted"]


def test_spec_relapses_are_plausible(population):
    years = 144 * 48 / 52
    after = [
        row
        for row in population.rows["relapse"]
        if date.fromisoformat(row.item_values["onset"]) > population.randomised[row.participant]
    ]
    assert 0.2 < len(after) / years < 0.55


def test_spec_what_goes_wrong_in_trials_goes_wrong_here(population):
    kinds = population.kinds
    assert 3 <= kinds["ParticipantWithdrawn"] <= 15
    assert kinds["ParticipantUnblinded"] == 1
    assert kinds["ReadingsDisagreed"] == kinds["AdjudicationRecorded"] > 5
    assert kinds["QueryOpened"] == kinds["QueryClosed"] > 10
    assert min(kinds["ItemCorrected"], kinds["EncounterMissed"], kinds["ScanRefused"], kinds["LotFailed"]) > 3


def test_spec_scans_wait_after_corticosteroids(population):
    schedule = load("mesems").schedule
    waited = 0
    for row in population.tables.all(EncounterRow):
        planned = schedule.encounter(row.encounter)
        if row.encounter not in (*FIRST_SCANS, "week_28", "week_36", "week_48") or row.took_place_on is None:
            continue
        if row.participant not in population.randomised or planned is None:
            continue
        came = date.fromisoformat(row.took_place_on)
        late = (came - population.randomised[row.participant]).days - planned.day > planned.late_days
        treated = population.steroid_days(row.participant)
        waited += late and any(0 <= (came - day).days <= STEROID_DAYS + 9 + 28 for day in treated)
    assert waited >= 2
