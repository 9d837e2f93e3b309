"""The state of safety reporting: assessed events and running clocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from equipoise.ledger.entry import Entry, utc_text
from equipoise.ledger.tables import Row, Tables
from equipoise.safety.entries import (
    AdverseEventAssessed,
    AdverseEventJudged,
    AdverseEventStruckOut,
    SafetyClockStarted,
    SafetyClockStopped,
    SafetyReportSubmitted,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow(Row):
    """An adverse event as it stands: the site's judgement and, for a serious one, the sponsor's."""

    table: ClassVar[str] = "adverse_event"
    key: ClassVar[tuple[str, ...]] = ("participant", "row")
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("participant",),)

    participant: str
    row: int
    serious: bool
    related: bool
    unexpected: bool
    aware_at: str | None = None
    sponsor_related: bool | None = None
    sponsor_expected: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockRow(Row):
    """A reporting deadline. `status` is running, met, missed (reported late) or stopped; times are UTC."""

    table: ClassVar[str] = "safety_clock"
    key: ClassVar[tuple[str, ...]] = ("participant", "row", "clock")
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("participant", "row"), ("status",))

    participant: str
    row: int
    clock: str
    started_at: str
    due_at: str
    status: str
    submitted_at: str | None = None


def is_suspected_reaction(
    *,
    serious: bool,
    related: bool,
    unexpected: bool,
    sponsor_related: bool | None,
    sponsor_expected: bool | None,
) -> bool:
    """Tell whether an event is a suspected unexpected serious adverse reaction (ICH E2A III).

    The relation is suspected where site or sponsor suspects it. What is expected the sponsor judges, by the
    reference safety information; until it did, the site's answer counts. Whoever asks counts what the site
    left open as serious, related and unexpected.
    """
    judged_unexpected = unexpected if sponsor_expected is None else not sponsor_expected
    return serious and (related or bool(sponsor_related)) and judged_unexpected


def overdue_clocks(tables: Tables, now: datetime) -> tuple[ClockRow, ...]:
    """Return the clocks that still run although their deadline is over, the longest overdue first."""
    time = utc_text(now)
    overdue = [clock for clock in tables.where(ClockRow, status="running") if clock.due_at < time]
    return tuple(sorted(overdue, key=lambda clock: clock.due_at))


def _apply_adverse_event_judged(tables: Tables, entry: Entry) -> None:
    judged = AdverseEventJudged.of(entry)
    before = tables.get(EventRow, judged.participant, judged.row)
    tables.put(
        EventRow(
            participant=judged.participant,
            row=judged.row,
            serious=judged.serious,
            related=judged.related,
            unexpected=judged.unexpected,
            aware_at=judged.aware_at,
            sponsor_related=None if before is None else before.sponsor_related,
            sponsor_expected=None if before is None else before.sponsor_expected,
        )
    )


def _apply_adverse_event_struck_out(tables: Tables, entry: Entry) -> None:
    struck_out = AdverseEventStruckOut.of(entry)
    tables.remove(EventRow, struck_out.participant, struck_out.row)


def _apply_adverse_event_assessed(tables: Tables, entry: Entry) -> None:
    assessed = AdverseEventAssessed.of(entry)
    row = tables.require(EventRow, assessed.participant, assessed.row)
    tables.put(replace(row, sponsor_related=assessed.related, sponsor_expected=assessed.expected))


def _apply_safety_clock_started(tables: Tables, entry: Entry) -> None:
    started = SafetyClockStarted.of(entry)
    tables.put(
        ClockRow(
            participant=started.participant,
            row=started.row,
            clock=started.clock,
            started_at=started.started_at,
            due_at=started.due_at,
            status="running",
        )
    )


def _apply_safety_clock_stopped(tables: Tables, entry: Entry) -> None:
    stopped = SafetyClockStopped.of(entry)
    row = tables.require(ClockRow, stopped.participant, stopped.row, stopped.clock)
    tables.put(replace(row, status="stopped"))


def _apply_safety_report_submitted(tables: Tables, entry: Entry) -> None:
    submitted = SafetyReportSubmitted.of(entry)
    row = tables.require(ClockRow, submitted.participant, submitted.row, submitted.clock)
    status = "missed" if submitted.late else "met"
    tables.put(replace(row, status=status, submitted_at=submitted.submitted_at))


APPLY: dict[str, Callable[[Tables, Entry], None]] = {
    "AdverseEventJudged": _apply_adverse_event_judged,
    "AdverseEventStruckOut": _apply_adverse_event_struck_out,
    "AdverseEventAssessed": _apply_adverse_event_assessed,
    "SafetyClockStarted": _apply_safety_clock_started,
    "SafetyClockStopped": _apply_safety_clock_stopped,
    "SafetyReportSubmitted": _apply_safety_report_submitted,
}
