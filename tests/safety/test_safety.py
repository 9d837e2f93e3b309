"""Adverse events and the clocks of expedited reports."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.definition.expression import EvidenceTable
from equipoise.definition.recording import RowEvidence, read_values
from equipoise.ledger import Entry
from equipoise.ledger.entry import utc_text
from equipoise.safety.commands import AssessEvent, SubmitSafetyReport
from equipoise.safety.decide import DECIDE, derive_event
from equipoise.safety.state import APPLY, ClockRow, EventRow, is_suspected_reaction, overdue_clocks
from tests.factory import Bench, make_definition
from tests.small_trial import ADVERSE_EVENTS, item

CODE = "SE01-001"
AWARE = datetime(2024, 6, 1, 8, 0, tzinfo=UTC)
SUSAR: dict[str, Any] = {"aware": AWARE, "serious": True, "causality": "probable", "expected": False}


@pytest.fixture
def bench() -> Bench:
    return Bench((DECIDE, APPLY))


def happen(bench: Bench, row: int = 1, **answers: Any) -> list[Entry]:
    """Let an event's row stand with these answers, and record what follows."""
    stored = read_values(ADVERSE_EVENTS, answers).stored
    base = EvidenceTable(bench.now.date(), logs=["adverse_event"])
    evidence = RowEvidence(ADVERSE_EVENTS, stored, base, row=row)
    return bench.record(derive_event(bench.moment(), CODE, row, evidence))


def clocks(bench: Bench) -> dict[str, tuple[str, str]]:
    return {clock.clock: (clock.status, clock.due_at[:16]) for clock in bench.tables.all(ClockRow)}


def report(clock: str = "serious", at: datetime | None = None, row: int = 1) -> SubmitSafetyReport:
    sent = AWARE + timedelta(hours=2) if at is None else at
    return SubmitSafetyReport(participant=CODE, row=row, clock=clock, submitted_at=sent)


@pytest.mark.requirement("S1")
def test_spec_clocks_run_from_the_moment_of_awareness(bench: Bench) -> None:
    kinds = [entry.kind for entry in happen(bench, **SUSAR)]
    assert kinds == ["AdverseEventJudged", "SafetyClockStarted", "SafetyClockStarted"]
    assert clocks(bench) == {
        "serious": ("running", "2024-06-02T08:00"),
        "suspected": ("running", "2024-06-16T08:00"),
    }
    event = bench.tables.require(EventRow, CODE, 1)
    assert (event.serious, event.related, event.unexpected) == (True, True, True)
    assert event.aware_at == "2024-06-01T08:00:00.000000Z"


def test_a_harmless_event_starts_no_clock(bench: Bench) -> None:
    happen(bench, aware=AWARE, serious=False, causality="none", expected=True)
    event = bench.tables.require(EventRow, CODE, 1)
    assert (event.serious, event.related, event.unexpected) == (False, False, False)
    assert clocks(bench) == {}


@pytest.mark.requirement("S1")
def test_spec_what_is_not_known_counts_as_the_cautious_side(bench: Bench) -> None:
    happen(bench)
    event = bench.tables.require(EventRow, CODE, 1)
    assert (event.serious, event.related, event.unexpected) == (True, True, True)
    # Nobody said when they became aware: the time of recording is the latest that it can have been.
    assert clocks(bench) == {
        "serious": ("running", "2024-06-04T09:30"),
        "suspected": ("running", "2024-06-18T09:30"),
    }
    bench.wait(hours=5)
    assert happen(bench) == []


def test_nothing_changed_nothing_is_written(bench: Bench) -> None:
    happen(bench, **SUSAR)
    assert happen(bench, **SUSAR, term="Fever") == []


@pytest.mark.requirement("S1")
def test_spec_a_correction_stops_a_clock_and_another_starts_it_again(bench: Bench) -> None:
    happen(bench, **SUSAR)
    kinds = [entry.kind for entry in happen(bench, **{**SUSAR, "expected": True})]
    assert kinds == ["AdverseEventJudged", "SafetyClockStopped"]
    assert clocks(bench)["suspected"][0] == "stopped"
    assert clocks(bench)["serious"][0] == "running"
    happen(bench, **SUSAR)
    assert clocks(bench)["suspected"] == ("running", "2024-06-16T08:00")


def test_a_corrected_awareness_moves_the_deadline(bench: Bench) -> None:
    happen(bench, **SUSAR)
    happen(bench, **{**SUSAR, "aware": AWARE - timedelta(hours=8)})
    assert clocks(bench)["serious"] == ("running", "2024-06-02T00:00")


def test_an_event_that_was_struck_out_is_gone_with_its_clocks(bench: Bench) -> None:
    happen(bench, **SUSAR)
    entries = bench.record(derive_event(bench.moment(), CODE, 1, None))
    assert [entry.kind for entry in entries] == [
        "AdverseEventStruckOut",
        "SafetyClockStopped",
        "SafetyClockStopped",
    ]
    assert bench.tables.get(EventRow, CODE, 1) is None
    assert {status for status, _ in clocks(bench).values()} == {"stopped"}
    assert derive_event(bench.moment(), CODE, 1, None) == ()


def test_a_mere_date_of_awareness_counts_from_its_beginning_at_the_site(bench: Bench) -> None:
    items = tuple(
        item("aware", "date", required=False) if each.id == "aware" else each for each in ADVERSE_EVENTS.items
    )
    form = replace(ADVERSE_EVENTS, items=items)
    evidence = RowEvidence(form, {"aware": "2024-06-01", "serious": True}, EvidenceTable(date(2024, 6, 3)))
    bench.record(derive_event(bench.moment(), CODE, 1, evidence))
    # Midnight in Stockholm in summer.
    assert clocks(bench)["serious"] == ("running", "2024-06-01T22:00")


def test_a_study_without_safety_rules_judges_nothing(bench: Bench) -> None:
    bench.definition = make_definition(safety=None)
    assert happen(bench, **SUSAR) == []


@pytest.mark.parametrize(("hours", "status"), [(24, "met"), (25, "missed")])
@pytest.mark.requirement("S1")
def test_spec_a_report_after_its_deadline_is_marked_late(bench: Bench, hours: int, status: str) -> None:
    happen(bench, **SUSAR)
    [entry] = bench.do(report(at=AWARE + timedelta(hours=hours)))
    assert entry.content["late"] is (status == "missed")
    clock = bench.tables.require(ClockRow, CODE, 1, "serious")
    assert (clock.status, clock.submitted_at) == (status, utc_text(AWARE + timedelta(hours=hours)))
    assert bench.refused(report()).code == "SAF-CLOCK"
    # What was reported stays reported, whatever is corrected afterwards.
    happen(bench, **{**SUSAR, "aware": AWARE - timedelta(hours=4)})
    assert clocks(bench)["serious"] == (status, "2024-06-02T08:00")
    happen(bench, **{**SUSAR, "aware": AWARE - timedelta(hours=8), "serious": False})
    assert clocks(bench)["serious"][0] == status


def test_a_report_belongs_to_a_running_clock_and_a_time_that_fits(bench: Bench) -> None:
    assert bench.refused(report()).code == "SAF-CLOCK"
    happen(bench, **SUSAR)
    assert bench.refused(report("unheard_of")).code == "SAF-CLOCK"
    assert bench.refused(report(row=2)).code == "SAF-CLOCK"
    assert bench.refused(report(at=datetime(2024, 6, 1, 9, 0))).code == "SAF-TIME"  # noqa: DTZ001
    assert bench.refused(report(at=AWARE - timedelta(hours=1))).code == "SAF-TIME"
    assert bench.refused(report(at=bench.now + timedelta(hours=1))).code == "SAF-TIME"
    zone = timezone(timedelta(hours=2))
    bench.do(report(at=(AWARE + timedelta(hours=1)).astimezone(zone)))
    assert bench.tables.require(ClockRow, CODE, 1, "serious").submitted_at == "2024-06-01T09:00:00.000000Z"


def test_spec_the_sponsor_assesses_serious_events_beside_the_site(bench: Bench) -> None:
    def judge(row: int = 1, text: str = "Not related") -> AssessEvent:
        return AssessEvent(participant=CODE, row=row, related=False, expected=True, text=text)

    assert bench.refused(judge()).code == "SAF-UNKNOWN-EVENT"
    happen(bench, row=2, aware=AWARE, serious=False)
    assert bench.refused(judge(2)).code == "SAF-NOT-SERIOUS"
    happen(bench, **SUSAR)
    assert bench.refused(judge(text="")).code == "SAF-TEXT"
    bench.do(judge())
    event = bench.tables.require(EventRow, CODE, 1)
    assert (event.related, event.sponsor_related, event.sponsor_expected) == (True, False, True)
    happen(bench, **{**SUSAR, "causality": "none"})
    assert bench.tables.require(EventRow, CODE, 1).sponsor_related is False


def test_a_clock_is_overdue_once_its_deadline_is_over(bench: Bench) -> None:
    happen(bench, row=1, **SUSAR)
    happen(bench, row=2, **{**SUSAR, "aware": AWARE - timedelta(hours=3)})
    due = AWARE + timedelta(hours=24)
    assert [clock.row for clock in overdue_clocks(bench.tables, due)] == [2]
    later = overdue_clocks(bench.tables, due + timedelta(seconds=1))
    assert [(clock.row, clock.clock) for clock in later] == [(2, "serious"), (1, "serious")]
    bench.do(report(row=2))
    assert [clock.row for clock in overdue_clocks(bench.tables, due + timedelta(days=1))] == [1]


answers = st.fixed_dictionaries(
    {},
    optional={
        "aware": st.sampled_from([AWARE, AWARE + timedelta(hours=1)]),
        "serious": st.booleans(),
        "causality": st.sampled_from(["none", "possible", "probable"]),
        "expected": st.booleans(),
    },
)


@given(st.lists(st.one_of(answers, st.none()), min_size=1, max_size=6))
def test_clocks_depend_on_the_last_state_alone_and_replay(states: list[dict[str, Any] | None]) -> None:
    bench = Bench((DECIDE, APPLY))
    for state in states:
        if state is None:
            bench.record(derive_event(bench.moment(), CODE, 1, None))
        else:
            happen(bench, **state)
    last = states[-1]
    running = {clock.clock for clock in bench.tables.where(ClockRow, status="running")}
    harmless = last is None or last.get("serious") is False
    assert ("serious" in running) == (not harmless)
    settled = harmless or (last or {}).get("causality") == "none" or (last or {}).get("expected") is True
    assert ("suspected" in running) == (not settled)
    assert (bench.tables.get(EventRow, CODE, 1) is None) == (last is None)
    assert bench.replayed() == bench.tables.dump()


@pytest.mark.parametrize(
    ("related", "unexpected", "sponsor", "suspected"),
    [
        (True, True, (None, None), True),
        (True, False, (None, None), False),
        (False, True, (None, None), False),
        (False, True, (True, False), True),
        (True, True, (False, False), True),
        (True, True, (True, True), False),
        (True, False, (False, False), True),
    ],
)
def test_spec_either_suspects_the_relation_and_the_sponsor_judges_what_is_expected(
    related: bool, unexpected: bool, sponsor: tuple[bool | None, bool | None], suspected: bool
) -> None:
    for serious in (True, False):
        found = is_suspected_reaction(
            serious=serious,
            related=related,
            unexpected=unexpected,
            sponsor_related=sponsor[0],
            sponsor_expected=sponsor[1],
        )
        assert found is (serious and suspected)
