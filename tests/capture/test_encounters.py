"""Encounters and their windows, logs, and the freezing of data."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.capture.commands import (
    ConfirmLog,
    FreezeParticipant,
    MissEncounter,
    StartEncounter,
    StartUnscheduledEncounter,
    UnfreezeParticipant,
)
from equipoise.capture.decide import DECIDE, derive_window_status
from equipoise.capture.state import APPLY, EncounterRow, FreezeRow, LogRow
from equipoise.definition.model.schedule import Encounter
from tests.factory import Bench

CODE = "SE01-001"
RANDOMISED = date(2024, 4, 22)


@pytest.fixture
def bench() -> Bench:
    bench = Bench((DECIDE, APPLY))
    bench.anchors["consent"] = date(2024, 4, 1)
    return bench


def start(encounter: str, day: date) -> StartEncounter:
    return StartEncounter(participant=CODE, encounter=encounter, took_place_on=day)


def row(bench: Bench, encounter: str) -> EncounterRow:
    return bench.tables.require(EncounterRow, CODE, encounter)


@pytest.mark.parametrize(
    ("days", "status", "days_off"),
    [(24, "early", -4), (25, "in_window", -3), (28, "in_window", 0), (31, "in_window", 3), (32, "late", 4)],
)
def test_spec_an_encounter_outside_its_window_is_kept_and_marked(
    bench: Bench, days: int, status: str, days_off: int
) -> None:
    bench.anchors["randomisation"] = RANDOMISED
    bench.do(start("week_4", RANDOMISED + timedelta(days=days)))
    assert (row(bench, "week_4").status, row(bench, "week_4").days_off) == (status, days_off)


@given(st.integers(-40, 40), st.integers(0, 9), st.integers(0, 9), st.integers(-60, 60))
def test_a_window_includes_both_of_its_ends(day: int, early: int, late: int, after: int) -> None:
    planned = Encounter(id="v", name="V", epoch="e", day=day, early_days=early, late_days=late)
    status, days_off = derive_window_status(planned, RANDOMISED, RANDOMISED + timedelta(days=after))
    if day < 0 and after == 0:
        assert (status, days_off) == ("in_window", 0)
        return
    assert days_off == after - day
    assert (status == "in_window") == (day - early <= after <= day + late)
    assert (status == "early") == (after < day - early)


def test_screening_has_no_window_before_randomisation(bench: Bench) -> None:
    bench.do(start("screening", date(2024, 4, 2)))
    bench.do(start("week_0", RANDOMISED))
    assert {(r.status, r.days_off) for r in bench.tables.all(EncounterRow)} == {("in_window", 0)}


def test_the_day_itself_may_stand_for_a_randomisation_to_come(bench: Bench) -> None:
    bench.anchors["randomisation"] = date(2024, 4, 2)
    bench.do(start("screening", date(2024, 4, 2)))
    assert (row(bench, "screening").status, row(bench, "screening").days_off) == ("in_window", 0)


def test_what_follows_its_anchor_waits_for_it(bench: Bench) -> None:
    assert bench.refused(start("week_4", RANDOMISED)).code == "CAP-ANCHOR"
    bench.anchors["randomisation"] = RANDOMISED
    refusal = bench.refused(start("call", RANDOMISED))
    assert refusal.code == "CAP-ANCHOR"
    assert "first administration" in refusal.sentence
    bench.anchors["first_administration"] = RANDOMISED
    bench.do(start("call", RANDOMISED + timedelta(days=14)))
    assert (row(bench, "call").status, row(bench, "call").days_off) == ("in_window", 7)


def test_an_encounter_takes_place_once_on_a_day_that_has_come(bench: Bench) -> None:
    assert bench.refused(start("week_99", RANDOMISED)).code == "CAP-UNKNOWN-ENCOUNTER"
    assert bench.refused(start("screening", bench.now.date() + timedelta(days=1))).code == "CAP-DATE"
    assert bench.refused(start("screening", date(2024, 3, 31))).code == "CAP-BEFORE-CONSENT"
    bench.do(start("screening", date(2024, 4, 1)))
    assert bench.refused(start("screening", date(2024, 4, 2))).code == "CAP-ENCOUNTER-TWICE"


def test_a_missed_encounter_can_still_take_place_with_a_reason(bench: Bench) -> None:
    missed = MissEncounter(participant=CODE, encounter="week_0", cause="Ill")
    bench.do(missed)
    assert (row(bench, "week_0").status, row(bench, "week_0").took_place_on) == ("missed", None)
    assert bench.refused(missed).code == "CAP-ENCOUNTER-TWICE"
    assert bench.refused(start("week_0", RANDOMISED)).code == "CAP-REASON"
    bench.do(start("week_0", RANDOMISED), "Recorded for the wrong participant")
    assert row(bench, "week_0").took_place_on == RANDOMISED.isoformat()


def test_missing_an_encounter_needs_a_cause(bench: Bench) -> None:
    assert bench.refused(MissEncounter(participant=CODE, encounter="week_0", cause="")).code == "CAP-TEXT"
    refusal = bench.refused(MissEncounter(participant=CODE, encounter="week_99", cause="Ill"))
    assert refusal.code == "CAP-UNKNOWN-ENCOUNTER"


def test_unscheduled_encounters_are_numbered(bench: Bench) -> None:
    def unscheduled(code: str = CODE, **changes: Any) -> StartUnscheduledEncounter:
        given_ = {"took_place_on": RANDOMISED, "cause": "Fever", **changes}
        return StartUnscheduledEncounter(participant=code, **given_)

    for code in (CODE, "SE01-002", CODE):
        bench.do(unscheduled(code))
    bench.do(start("screening", RANDOMISED))
    names = [each.encounter for each in bench.tables.where(EncounterRow, participant=CODE)]
    assert names == ["screening", "unscheduled_1", "unscheduled_2"]
    assert row(bench, "unscheduled_2").status == "unscheduled"
    assert bench.refused(unscheduled(cause=" ")).code == "CAP-TEXT"
    assert bench.refused(unscheduled(took_place_on=date(2024, 7, 1))).code == "CAP-DATE"
    assert bench.refused(unscheduled(took_place_on=date(2024, 1, 1))).code == "CAP-BEFORE-CONSENT"


def test_a_log_is_confirmed_forwards(bench: Bench) -> None:
    def confirm(through: date, form: str = "adverse_event") -> ConfirmLog:
        return ConfirmLog(participant=CODE, form=form, through=through)

    assert bench.refused(confirm(RANDOMISED, "scribbles")).code == "CAP-UNKNOWN-FORM"
    assert bench.refused(confirm(RANDOMISED, "vitals")).code == "CAP-LOG"
    assert bench.refused(confirm(date(2024, 6, 4))).code == "CAP-DATE"
    bench.do(confirm(RANDOMISED))
    bench.do(confirm(RANDOMISED))
    assert bench.refused(confirm(RANDOMISED - timedelta(days=1))).code == "CAP-LOG-EARLIER"
    bench.do(confirm(bench.now.date()))
    assert bench.tables.require(LogRow, CODE, "adverse_event").through == "2024-06-03"


def test_data_are_frozen_and_opened_again_with_a_reason(bench: Bench) -> None:
    freeze, unfreeze = FreezeParticipant(participant=CODE), UnfreezeParticipant(participant=CODE)
    assert bench.refused(unfreeze, "A late report").code == "CAP-NOT-FROZEN"
    bench.do(freeze)
    assert bench.tables.get(FreezeRow, CODE) is not None
    assert bench.refused(freeze).code == "CAP-FROZEN"
    assert bench.refused(unfreeze).code == "CAP-REASON"
    bench.do(unfreeze, "A late report")
    assert bench.tables.get(FreezeRow, CODE) is None
    assert bench.replayed() == bench.tables.dump()
