"""Adverse events, the clocks that they start, and allocations that were learned early."""

from __future__ import annotations

from datetime import datetime

from equipoise.access.content import Audience
from equipoise.allocation.state import UnblindingRow
from equipoise.conduct.view.lines import ClockLine
from equipoise.conduct.view.scope import Scope
from equipoise.safety.state import ClockRow, EventRow, overdue_clocks

_STATES = {"running": "running", "met": "submitted", "missed": "submitted_late", "stopped": "stopped"}


def list_events(scope: Scope) -> tuple[EventRow, ...]:
    """List the adverse events as judged."""
    scope.need(Audience.CONDUCT)
    rows = scope.tables.all(EventRow)
    return tuple(row for row in rows if scope.viewer.sees_participant(row.participant))


def list_clocks(scope: Scope) -> tuple[ClockRow, ...]:
    """List the safety clocks."""
    scope.need(Audience.CONDUCT)
    rows = scope.tables.all(ClockRow)
    return tuple(row for row in rows if scope.viewer.sees_participant(row.participant))


def list_clock_states(scope: Scope, now: datetime) -> tuple[ClockLine, ...]:
    """List the safety clocks as they stand at a moment, in the order in which they are due."""
    late = set(overdue_clocks(scope.tables, now))
    rows = sorted(list_clocks(scope), key=lambda row: row.due_at)
    return tuple(_clock_line(scope, row, "overdue" if row in late else _STATES[row.status]) for row in rows)


def list_overdue_clocks(scope: Scope, now: datetime) -> tuple[ClockLine, ...]:
    """List the clocks that still run although their deadline is over, the longest overdue first."""
    return tuple(line for line in list_clock_states(scope, now) if line.state == "overdue")


def _clock_line(scope: Scope, row: ClockRow, state: str) -> ClockLine:
    clocks = scope.definition.safety.clocks if scope.definition.safety else ()
    return ClockLine(
        participant=row.participant,
        row=row.row,
        clock=row.clock,
        title=next((each.title for each in clocks if each.id == row.clock), row.clock),
        started_at=row.started_at,
        due_at=row.due_at,
        submitted_at=row.submitted_at,
        state=state,
    )


def list_unblindings(scope: Scope) -> tuple[UnblindingRow, ...]:
    """List who learned an allocation early, when and why; never what it was."""
    scope.need(Audience.CONDUCT)
    rows = scope.tables.all(UnblindingRow)
    return tuple(row for row in rows if scope.viewer.sees_participant(row.participant))
