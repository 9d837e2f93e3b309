"""What a viewer sees of a trial: their own site, their own queue, and every row that is theirs."""

from dataclasses import replace
from datetime import date
from functools import cache

import pytest

from equipoise.access.actor import Actor
from equipoise.access.refusal import Refused
from equipoise.allocation.state import AllocationRow
from equipoise.capture.state import EncounterRow
from equipoise.conduct.trial import Trial
from equipoise.conduct.view import MaskedView, UnmaskedView
from equipoise.definition.names import inner
from equipoise.enrolment.state import ParticipantRow
from equipoise.imaging.state import TaskRow
from equipoise.supply.state import LotRow, UnitRow
from tests.blinding.reach import read_views
from tests.blinding.worlds import World, make_worlds


@cache
def locked() -> tuple[World, Trial]:
    world, _ = make_worlds("betraying")
    return world, world.at(world.points[-1])


def view_as(role: str, site: str | None = None) -> MaskedView:
    world, trial = locked()
    actor = next(each for each in world.cast.accounts() if (each.role, each.site) == (role, site))
    return trial.as_seen_by(actor)


def test_the_staff_of_a_site_see_no_participant_of_another() -> None:
    world, trial = locked()
    sites = {row.participant: row.site for row in trial.tables.all(ParticipantRow)}
    assert set(sites.values()) == {"SE01", "CA01"}
    for actor in world.cast.accounts():
        if actor.site is None:
            continue
        view = trial.as_seen_by(actor)
        texts = [text for place, text in read_views(trial, actor, type(view)) if "refused" not in text]
        elsewhere = {code for code, site in sites.items() if site != actor.site}
        assert not [text for text in texts if any(code in text for code in elsewhere)], actor.account


@pytest.mark.parametrize("role", ["reader", "adjudicator"])
def test_a_reader_sees_a_queue_and_nothing_else(role: str) -> None:
    world, trial = locked()
    actor = next(each for each in world.cast.accounts() if each.role == role)
    seen = {
        place.split()[1].split("(")[0]
        for place, text in read_views(trial, actor)
        if not text.startswith(("refused", "error")) and text != "[]"
    }
    queue = {"reading_tasks", "my_readings", "dispute", "scan_file"}
    assert seen <= {"viewer", "trial", "permitted_commands", *queue}
    assert list(trial.as_seen_by(actor).audit()) == []


def test_the_queue_holds_open_tasks_by_code_alone() -> None:
    world, _ = make_worlds("betraying")
    for position in range(60, world.points[-1], 7):
        trial = world.at(position)
        waiting = {row.task for row in trial.tables.all(TaskRow) if row.status == "open" and row.slot > 0}
        queue = trial.as_seen_by(Actor("reader.1", "reader")).reading_tasks()
        if queue:
            break
    assert queue
    assert {line.task for line in queue} <= waiting
    assert [line.task for line in queue] == sorted(line.task for line in queue)


def test_unmasked_roles_see_arms_lots_and_units() -> None:
    _, trial = locked()
    view = view_as("list_statistician")
    assert isinstance(view, UnmaskedView)
    assert view.arms().keys() == {row.participant for row in trial.tables.all(AllocationRow)}
    assert {line.lot for line in view.lots()} == {row.lot for row in trial.tables.all(LotRow)}
    assert {line.unit for line in view.units()} == {row.unit for row in trial.tables.all(UnitRow)}
    cut = view.cut()
    assert not cut.masked
    assert {person.arm for person in cut.participants} == {"cells_first", "vehicle_first", None}


def test_an_arm_is_refused_for_who_has_none_and_for_another_site() -> None:
    _, trial = locked()
    statistician, nurse = view_as("list_statistician"), view_as("ward_nurse", "SE01")
    assert isinstance(statistician, UnmaskedView)
    assert isinstance(nurse, UnmaskedView)
    allocated = {row.participant for row in trial.tables.all(AllocationRow)}
    failed = next(r.participant for r in trial.tables.all(ParticipantRow) if r.participant not in allocated)
    for view, code in ((statistician, failed), (statistician, "SE01-999"), (nurse, "CA01-001")):
        with pytest.raises(Refused) as refused:
            view.arm(code)
        assert refused.value.refusal.code == "ACC-UNSEEN"
    assert set(nurse.arms()) == {code for code in allocated if code.startswith("SE01")}


def test_the_cut_is_for_those_who_see_all_sites_and_the_readings() -> None:
    for role, site in (("investigator", "SE01"), ("monitor", None), ("administrator", None)):
        with pytest.raises(Refused):
            view_as(role, site).cut()
    assert view_as("statistician").cut().masked


def test_a_cut_at_an_earlier_position_is_the_trial_as_it_was() -> None:
    world, _ = locked()
    position = world.points[0]
    now = world.at(position).as_seen_by(Actor("statistician", "statistician")).cut()
    assert view_as("statistician").cut(position) == now
    assert now.position == position
    with pytest.raises(ValueError, match="ends at position"):
        view_as("statistician").cut(10**6)


def test_law_the_cut_of_a_participant_is_theirs_in_the_cut_of_all() -> None:
    for world in (*make_worlds("betraying"), *make_worlds("amended")):
        for position in world.points:
            view = world.at(position).as_seen_by(Actor("data_manager", "data_manager"))
            whole = view.cut()
            for person in whole.participants:
                alone = view.participant_cut(person.participant)
                assert alone == replace(whole, participants=(person,), counts={}, amendments=())


def test_a_timeline_says_what_is_planned_due_and_overdue() -> None:
    _, trial = locked()
    view = view_as("investigator", "SE01")
    code = next(row.participant for row in trial.tables.all(AllocationRow) if row.participant[:4] == "SE01")
    world, _ = locked()
    early = world.at(
        next(
            e.position
            for e in world.ledger.read()
            if e.kind == "ParticipantRandomised" and e.content["participant"] == code
        )
    )
    randomised = date.fromisoformat(early.tables.require(AllocationRow, code).randomised_on)
    then = early.as_seen_by(Actor("investigator.se01", "investigator", "SE01"))
    states = {line.encounter: line.status for line in then.timeline(code, randomised)}
    assert states["week_0"] == "due"
    assert states["week_4"] == states["call"] == "planned"
    later = {line.encounter: line.status for line in then.timeline(code, date(2030, 1, 1))}
    assert later["week_4"] == "overdue"
    assert all(line.took_place_on for line in view.timeline(code, randomised) if line.status == "in_window")


def test_a_missed_encounter_says_why_and_a_late_one_by_how_many_days() -> None:
    _, trial = locked()
    view = view_as("data_manager")
    rows = {(row.participant, row.encounter): row for row in trial.tables.all(EncounterRow)}
    lines = {
        (code, line.encounter): line
        for code in {participant for participant, _ in rows}
        for line in view.timeline(code, date(2030, 1, 1))
    }
    assert rows
    for place, row in rows.items():
        assert (lines[place].days_off, lines[place].cause) == (row.days_off, row.cause)


def test_a_line_of_a_participant_says_how_it_ended() -> None:
    _, trial = locked()
    ended = 0
    for line in view_as("data_manager").participants():
        row = trial.tables.require(ParticipantRow, line.participant)
        assert (line.ended_on, line.end_scope, line.end_cause) == (row.ended_on, row.end_scope, row.end_cause)
        assert line.consent_version == row.consent_version
        ended += line.ended_on is not None
    assert ended


def test_a_criterion_is_explained_in_the_words_of_the_forms() -> None:
    world, _ = locked()
    view = view_as("data_manager")
    code = view.participants()[0].participant
    labels = {inner(item.label) for form in world.definition.forms for item in form.items}
    explained = view.explain_eligibility(code, date(2024, 6, 1)).values()
    text = "\n".join(line for each in explained for line in each.lines())
    assert any(f" {label}" in text for label in labels)
