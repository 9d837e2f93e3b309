"""Decisions about scans, their independent masked reading, and adjudication."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from equipoise.access.codes import random_code
from equipoise.access.command import Command, Moment
from equipoise.access.filling import check_day, check_text, fill_form
from equipoise.access.refusal import Refusal
from equipoise.definition.expression import encode_value
from equipoise.definition.model.conduct import Imaging
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import Form
from equipoise.imaging.commands import AcceptScan, ReceiveScan, RecordAdjudication, RecordRead, RefuseScan
from equipoise.imaging.entries import (
    AdjudicationRecorded,
    ReadingsDisagreed,
    ReadRecorded,
    ScanAccepted,
    ScanRead,
    ScanReceived,
    ScanRefused,
)
from equipoise.imaging.state import ScanRow, TaskRow
from equipoise.ledger.entry import Draft
from equipoise.ledger.tables import Tables

Decision = tuple[Draft, ...] | Refusal
Reading = Mapping[str, Any]

_NUMBERS = ("integer", "decimal")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def reading_queue(tables: Tables, account: str) -> tuple[TaskRow, ...]:
    """Return the open tasks that an account may do, in the scrambled order of their codes.

    Nobody gets two tasks of one scan: of several open ones the first is shown, and none to those who read it.
    Slot 0 marks the tasks of adjudicators.
    """
    read = {row.scan for row in tables.where(TaskRow, account=account)}
    first: dict[str, TaskRow] = {}
    for task in tables.where(TaskRow, status="open"):
        if task.scan not in read:
            first.setdefault(task.scan, task)
    return tuple(sorted(first.values(), key=lambda task: task.task))


def check_planned(definition: StudyDefinition, encounter: str) -> Refusal | None:
    """Refuse a scan of an encounter at which the definition has none made."""
    imaging = definition.imaging
    if imaging is not None and imaging.acquisition_form in definition.schedule.forms_at(encounter):
        return None
    return Refusal(
        "IMG-ENCOUNTER", f"No scan is planned at the encounter {encounter}.", "Check the encounter."
    )


def check_no_other(tables: Tables, participant: str, encounter: str) -> Refusal | None:
    """Refuse a second scan of an encounter, unless the earlier ones were refused."""
    rows = tables.where(ScanRow, participant=participant, encounter=encounter)
    other = next((row for row in rows if row.status != "refused"), None)
    if other is None:
        return None
    return Refusal(
        "IMG-DUPLICATE",
        f"The scan of {participant} at {encounter} is there already, as {other.scan}.",
        "Refuse that one first if its quality does not do.",
    )


def check_file_hash(file_hash: str | None) -> Refusal | None:
    """Refuse what is no SHA-256 in hexadecimal digits; a scan may come without a file."""
    if file_hash is None or _SHA256.fullmatch(file_hash):
        return None
    return Refusal(
        "IMG-FILE-HASH",
        "The hash of the scan's file is not 64 hexadecimal digits in lower case.",
        "Name the SHA-256 of the file as it is stored.",
    )


def find_received(tables: Tables, code: str) -> ScanRow | Refusal:
    """Return the scan of this code, or refuse one that is unknown or whose quality was judged."""
    scan = tables.get(ScanRow, code)
    if scan is not None and scan.status == "received":
        return scan
    state = "does not exist" if scan is None else f"is {scan.status}"
    return Refusal(
        "IMG-SCAN", f"The scan {code} {state}.", "Only a scan that was just received can be judged."
    )


def check_cause(imaging: Imaging | None, cause: str) -> Refusal | None:
    """Refuse a cause that is none of those in the definition, where it has any."""
    reasons = imaging.quality_reasons if imaging else ()
    if not reasons or cause in reasons:
        return check_text(cause, "cause", "IMG")
    return Refusal(
        "IMG-CAUSE", "The cause is none of the definition's.", f"Use one of: {', '.join(reasons)}."
    )


def check_not_reader(tables: Tables, scan: str, account: str) -> Refusal | None:
    """Refuse to let one account read a scan twice, or adjudicate its own reading."""
    if all(row.account != account for row in tables.where(TaskRow, scan=scan)):
        return None
    return Refusal(
        "IMG-SAME-READER",
        f"The account {account} has read this scan already: readings are independent.",
        "Leave this task to somebody else.",
    )


def find_task(tables: Tables, code: str, *, adjudication: bool) -> TaskRow | Refusal:
    """Return the open task of this code, or refuse.

    A task that another reader finished meanwhile stands for the next open one of its scan: both show the same
    scan, and no reading is lost because two readers opened the same task.
    """
    named = tables.get(TaskRow, code)
    if named is not None and (named.slot == 0) == adjudication:
        same = [row for row in tables.where(TaskRow, scan=named.scan) if (row.slot == 0) == adjudication]
        open_tasks = sorted((row for row in same if row.status == "open"), key=lambda row: row.task != code)
        if open_tasks:
            return open_tasks[0]
    return Refusal("IMG-TASK", f"The task {code} is not open.", "Take another task from the queue.")


def decide_receipt(command: ReceiveScan, moment: Moment) -> Decision:
    """Take a scan in under a random code."""
    tables, participant = moment.tables, command.participant
    refusal = (
        check_planned(moment.definition, command.encounter)
        or check_no_other(tables, participant, command.encounter)
        or check_day(moment, participant, command.acquired_on, "IMG")
        or check_file_hash(command.file_hash)
    )
    if refusal:
        return refusal
    entry = ScanReceived(
        scan=random_code(moment.entropy, "S", lambda code: tables.get(ScanRow, code) is not None),
        participant=participant,
        encounter=command.encounter,
        acquired_on=command.acquired_on.isoformat(),
        file_hash=command.file_hash,
    )
    return (entry.draft(clinical_time=entry.acquired_on),)


def decide_acceptance(command: AcceptScan, moment: Moment) -> Decision:
    """Accept a scan and make its tasks."""
    scan, imaging = find_received(moment.tables, command.scan), moment.definition.imaging
    if isinstance(scan, Refusal):
        return scan
    if imaging is None:
        return _no_imaging()
    tasks: list[str] = []
    for _ in range(imaging.readers):
        tasks.append(_new_task(moment, tasks))
    return (ScanAccepted(scan=scan.scan, participant=scan.participant, tasks=tuple(tasks)).draft(),)


def decide_refusal(command: RefuseScan, moment: Moment) -> Decision:
    """Refuse a scan, which may then be made again."""
    scan = find_received(moment.tables, command.scan)
    if isinstance(scan, Refusal):
        return scan
    refusal = check_cause(moment.definition.imaging, command.cause)
    if refusal:
        return refusal
    return (ScanRefused(scan=scan.scan, participant=scan.participant, cause=command.cause).draft(),)


def decide_read(command: RecordRead, moment: Moment) -> Decision:
    """Record a reading; the last one of a scan settles it or calls for an adjudicator."""
    found = _read_task(command.task, command.values, moment, adjudication=False)
    if isinstance(found, Refusal):
        return found
    task, imaging, form, values = found
    recorded = ReadRecorded(task=task.task, scan=task.scan, item_values=values).draft()
    others = [row for row in moment.tables.where(TaskRow, scan=task.scan) if row.task != task.task]
    if any(row.status == "open" for row in others):
        return (recorded,)
    by_slot = sorted([(task.slot, values), *((row.slot, row.item_values or {}) for row in others)], key=_slot)
    readings = [reading for _, reading in by_slot]
    disputed = tuple(
        each.item for each in imaging.compare if not agree(readings, each.item, each.tolerance, form)
    )
    if disputed:
        new = _new_task(moment, ())
        return (recorded, ReadingsDisagreed(scan=task.scan, task=new, items=disputed).draft())
    final = final_reading(readings, [each.item for each in imaging.compare], form)
    return (recorded, ScanRead(scan=task.scan, how="agreed", item_values=final).draft())


def decide_adjudication(command: RecordAdjudication, moment: Moment) -> Decision:
    """Record the reading of a third person, which is final."""
    found = _read_task(command.task, command.values, moment, adjudication=True)
    if isinstance(found, Refusal):
        return found
    task, _, _, values = found
    return (
        AdjudicationRecorded(task=task.task, scan=task.scan, item_values=values).draft(),
        ScanRead(scan=task.scan, how="adjudicated", item_values=values).draft(),
    )


def agree(readings: Sequence[Reading], item: str, tolerance: Decimal, form: Form) -> bool:
    """Tell whether readers agree in an item: numbers within the tolerance, everything else exactly.

    Not answered agrees with not answered only.
    """
    answers: list[Any] = [reading.get(item) for reading in readings]
    if _is_number(form, item) and None not in answers:
        numbers = [Decimal(answer) for answer in answers]
        return max(numbers) - min(numbers) <= tolerance
    return all(answer == answers[0] for answer in answers)


def final_reading(readings: Sequence[Reading], compared: Sequence[str], form: Form) -> dict[str, Any]:
    """Return the final reading of readers who agree: their common values, else their mean.

    A mean has one decimal more than the readings, that of whole numbers none; halves go to the even side, so
    that many scans together are not shifted. Items that are not compared are those of the first slot.
    """
    final = dict(readings[0])
    for item in compared:
        answers: list[Any] = [reading.get(item) for reading in readings]
        if any(answer != answers[0] for answer in answers):
            final[item] = _mean([Decimal(answer) for answer in answers], form, item)
    return final


def _mean(numbers: Sequence[Decimal], form: Form, item: str) -> str | int:
    places = max(0, *(-int(number.as_tuple().exponent) for number in numbers))
    mean = sum(numbers, Decimal(0)) / len(numbers)
    asked = form.item(item)
    if asked is not None and asked.type == "integer":
        return int(mean.to_integral_value(ROUND_HALF_EVEN))
    return str(encode_value(mean.quantize(Decimal(1).scaleb(-places - 1), ROUND_HALF_EVEN)))


def _is_number(form: Form, item: str) -> bool:
    asked = form.item(item)
    return asked is not None and asked.type in _NUMBERS


def _slot(reading: tuple[int, Reading]) -> int:
    return reading[0]


def _read_task(
    code: str, values: Mapping[str, Any], moment: Moment, *, adjudication: bool
) -> tuple[TaskRow, Imaging, Form, dict[str, Any]] | Refusal:
    """Find the task, check who does it and read what was filled in."""
    imaging, tables = moment.definition.imaging, moment.tables
    form = moment.definition.form(imaging.read_form) if imaging else None
    if imaging is None or form is None:
        return _no_imaging()
    task = find_task(tables, code, adjudication=adjudication)
    if isinstance(task, Refusal):
        return task
    refusal = check_not_reader(tables, task.scan, moment.actor.account)
    if refusal:
        return refusal
    # Without evidence: what else is known of the participant must not reach a reader through a refusal.
    stored = fill_form(moment.definition, form.id, values, None, "IMG")
    return stored if isinstance(stored, Refusal) else (task, imaging, form, stored)


def _new_task(moment: Moment, taken: Sequence[str]) -> str:
    tables = moment.tables
    return random_code(
        moment.entropy, "T", lambda code: code in taken or tables.get(TaskRow, code) is not None
    )


def _no_imaging() -> Refusal:
    return Refusal("IMG-NONE", "The study definition has no central reading.", "Check the study.")


DECIDE: dict[type[Command], Callable[[Any, Moment], Decision]] = {
    ReceiveScan: decide_receipt,
    AcceptScan: decide_acceptance,
    RefuseScan: decide_refusal,
    RecordRead: decide_read,
    RecordAdjudication: decide_adjudication,
}
"""The decision on each command of this room."""
