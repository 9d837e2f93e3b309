"""What is decided about adverse events, and what follows from them by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from equipoise.access.command import Command, Moment
from equipoise.access.filling import check_text
from equipoise.access.refusal import Refusal
from equipoise.definition.expression import PartialDate, Truth, truth
from equipoise.definition.model.conduct import Safety, SafetyClock
from equipoise.definition.model.fields import hours_of
from equipoise.definition.recording import RowEvidence
from equipoise.ledger.entry import Draft, utc_text
from equipoise.safety.commands import AssessEvent, SubmitSafetyReport
from equipoise.safety.entries import (
    AdverseEventAssessed,
    AdverseEventJudged,
    AdverseEventStruckOut,
    SafetyClockStarted,
    SafetyClockStopped,
    SafetyReportSubmitted,
)
from equipoise.safety.state import ClockRow, EventRow

Decision = tuple[Draft, ...] | Refusal


# -- what follows from a recorded, corrected or removed row


def derive_event(
    moment: Moment, participant: str, row: int, evidence: RowEvidence | None
) -> tuple[Draft, ...]:
    """Return what a change of an adverse event's row leads to: its judgement, and its clocks.

    `evidence` is that of the row as it now stands, or None when it was struck out. What the answers leave
    open counts as the cautious side: serious, related, unexpected, and a clock runs. Nothing changed, nothing
    is returned.
    """
    safety = moment.definition.safety
    if safety is None:
        return ()
    event = moment.tables.get(EventRow, participant, row)
    if evidence is None:
        struck_out = AdverseEventStruckOut(participant=participant, row=row).draft()
        stopped = tuple(_stop_all(moment, participant, row))
        return stopped if event is None else (struck_out, *stopped)
    aware = derive_awareness(moment, safety, participant, evidence)
    judged = AdverseEventJudged(
        participant=participant,
        row=row,
        serious=truth(safety.serious, evidence) is not Truth.NOT_MET,
        related=truth(safety.related, evidence) is not Truth.NOT_MET,
        unexpected=truth(safety.unexpected, evidence) is not Truth.NOT_MET,
        aware_at=None if aware is None else utc_text(aware),
    )
    drafts = [] if event is not None and _says(event) == _says(judged) else [judged.draft()]
    for clock in safety.clocks:
        runs = truth(clock.when, evidence) is not Truth.NOT_MET
        drafts += _derive_clock(moment, participant, row, clock, runs, aware)
    return tuple(drafts)


def _says(event: EventRow | AdverseEventJudged) -> tuple[bool, bool, bool, str | None]:
    return event.serious, event.related, event.unexpected, event.aware_at


def derive_awareness(
    moment: Moment, safety: Safety, participant: str, evidence: RowEvidence
) -> datetime | None:
    """Return when the site became aware, UTC; None if not recorded. A mere date counts from its beginning."""
    answer = evidence.stored.get(safety.aware)
    if not isinstance(answer, str):
        return None
    if len(answer) > len("2024-05-17"):
        return datetime.fromisoformat(answer).astimezone(UTC)
    site = moment.definition.site(participant.split("-", maxsplit=1)[0])
    zone = UTC if site is None else ZoneInfo(site.time_zone)
    return datetime.combine(PartialDate.parse(answer).first, time(), zone).astimezone(UTC)


def _derive_clock(
    moment: Moment, participant: str, row: int, clock: SafetyClock, runs: bool, aware: datetime | None
) -> Iterator[Draft]:
    """Start, restart or stop one clock; one that was answered by a report stays as it is."""
    known = moment.tables.get(ClockRow, participant, row, clock.id)
    status = None if known is None else known.status
    if not runs:
        if status == "running":
            yield SafetyClockStopped(participant=participant, row=row, clock=clock.id).draft()
        return
    if status in ("met", "missed"):
        return
    if known is not None and status == "running" and (aware is None or utc_text(aware) == known.started_at):
        return
    # Whoever has not said since when they are aware is so now at the latest.
    start = moment.now if aware is None else aware
    due = start + timedelta(hours=hours_of(clock.due_within))
    yield SafetyClockStarted(
        participant=participant,
        row=row,
        clock=clock.id,
        started_at=utc_text(start),
        due_at=utc_text(due),
    ).draft(clinical_time=utc_text(start))


def _stop_all(moment: Moment, participant: str, row: int) -> Iterator[Draft]:
    for clock in moment.tables.where(ClockRow, participant=participant, row=row):
        if clock.status == "running":
            yield SafetyClockStopped(participant=participant, row=row, clock=clock.clock).draft()


# -- what people decide


def decide_assess_event(command: AssessEvent, moment: Moment) -> Decision:
    """Record the sponsor's assessment beside the site's, which it never replaces."""
    row = moment.tables.get(EventRow, command.participant, command.row)
    refusal = check_serious(row, command) or check_text(command.text, "text", "SAF")
    if refusal is not None:
        return refusal
    assessed = AdverseEventAssessed(
        participant=command.participant,
        row=command.row,
        related=command.related,
        expected=command.expected,
        text=command.text.strip(),
    )
    return (assessed.draft(),)


def decide_submit_safety_report(command: SubmitSafetyReport, moment: Moment) -> Decision:
    """Record that a report was sent, and whether after its deadline."""
    clock = moment.tables.get(ClockRow, command.participant, command.row, command.clock)
    refusal = check_running(clock, command)
    if clock is None or refusal is not None:
        return refusal or _no_clock(command)
    refusal = check_submitted(clock, command, moment)
    if refusal is not None:
        return refusal
    submitted_at = utc_text(command.submitted_at)
    submitted = SafetyReportSubmitted(
        participant=command.participant,
        row=command.row,
        clock=command.clock,
        submitted_at=submitted_at,
        late=submitted_at > clock.due_at,
    )
    return (submitted.draft(clinical_time=submitted_at),)


def check_serious(row: EventRow | None, command: AssessEvent) -> Refusal | None:
    """The sponsor assesses events that are, or may be, serious."""
    if row is None:
        return Refusal(
            "SAF-UNKNOWN-EVENT",
            f"There is no adverse event {command.row} of {command.participant}.",
            "Check participant and row.",
        )
    if row.serious:
        return None
    return Refusal(
        "SAF-NOT-SERIOUS",
        f"The adverse event {command.row} of {command.participant} is not serious.",
        "Only serious events are assessed by the sponsor; have the form corrected if it is.",
    )


def check_running(clock: ClockRow | None, command: SubmitSafetyReport) -> Refusal | None:
    """The clock is there and runs."""
    if clock is None:
        return _no_clock(command)
    if clock.status == "running":
        return None
    return Refusal(
        "SAF-CLOCK",
        f"The clock {command.clock} of adverse event {command.row} of {command.participant} does not run: it "
        f"is {clock.status}.",
        "Check participant, row and clock.",
    )


def check_submitted(clock: ClockRow, command: SubmitSafetyReport, moment: Moment) -> Refusal | None:
    """The report was sent at a time with a zone, after its clock had started and not in the future."""
    sent = command.submitted_at
    if sent.utcoffset() is None:
        return Refusal("SAF-TIME", "The time of the report has no zone.", "Give it in UTC or with its zone.")
    if sent > moment.now:
        return Refusal("SAF-TIME", "The time of the report is in the future.", "Correct the time.")
    if utc_text(sent) < clock.started_at:
        return Refusal(
            "SAF-TIME",
            f"The report is dated before the site was aware of adverse event {command.row} of "
            f"{command.participant}.",
            "Correct the time.",
        )
    return None


def _no_clock(command: SubmitSafetyReport) -> Refusal:
    return Refusal(
        "SAF-CLOCK",
        f"No clock {command.clock} runs for adverse event {command.row} of {command.participant}.",
        "Check participant, row and clock.",
    )


DECIDE: dict[type[Command], Callable[[Any, Moment], Decision]] = {
    AssessEvent: decide_assess_event,
    SubmitSafetyReport: decide_submit_safety_report,
}
