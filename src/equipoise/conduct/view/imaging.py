"""Scans, their reading, and what a reader has to do."""

from __future__ import annotations

from collections import Counter, defaultdict

from equipoise.access.content import Audience
from equipoise.capture.state import EncounterRow
from equipoise.conduct.trail import AuditLine
from equipoise.conduct.view.lines import (
    AgreementLine,
    DisputeLine,
    DoneTaskLine,
    MissingScanLine,
    ScanLine,
    TaskLine,
)
from equipoise.conduct.view.scope import Scope
from equipoise.definition.model.conduct import ReadItem
from equipoise.definition.model.forms import Form
from equipoise.imaging.decide import agree, reading_queue
from equipoise.imaging.state import ReadingRow, ScanRow, TaskRow


def list_scans(scope: Scope) -> tuple[ScanRow, ...]:
    """List the scans and where they stand, their reading included."""
    scope.need(Audience.READING)
    rows = scope.tables.all(ScanRow)
    return tuple(row for row in rows if scope.viewer.sees_participant(row.participant))


def list_readings(scope: Scope) -> tuple[ReadingRow, ...]:
    """List the final readings."""
    scope.need(Audience.READING)
    rows = scope.tables.all(ReadingRow)
    return tuple(row for row in rows if scope.viewer.sees_participant(row.participant))


def list_scan_log(scope: Scope) -> tuple[ScanLine, ...]:
    """List the scans by participant and day, with what became of them.

    That a scan arrived and whether its quality was accepted is part of a participant's course. That it was
    read, or is disputed, is for those who follow the reading: to all others it stays accepted.
    """
    scope.need(Audience.CONDUCT)
    received = _received(scope)
    follows = Audience.READING in scope.viewer.audiences
    rows = [row for row in scope.tables.all(ScanRow) if scope.viewer.sees_participant(row.participant)]
    return tuple(
        ScanLine(
            scan=row.scan,
            participant=row.participant,
            encounter=row.encounter,
            acquired_on=row.acquired_on,
            received_at=received[row.scan].recorded_at,
            status=row.status if follows or row.status in ("received", "refused") else "accepted",
            cause=row.cause,
            has_file=_hash_in(received[row.scan]) is not None,
        )
        for row in sorted(rows, key=lambda row: (row.participant, row.acquired_on, row.scan))
    )


def list_missing_scans(scope: Scope) -> tuple[MissingScanLine, ...]:
    """List the encounters that took place and for which a scan is planned, but none has arrived that does."""
    people = {row.participant for row in scope.people()}
    imaging = scope.definition.imaging
    if imaging is None:
        return ()
    return tuple(
        MissingScanLine(
            participant=row.participant,
            encounter=row.encounter,
            took_place_on=row.took_place_on,
            refused=bool(scans),
        )
        for row in scope.tables.all(EncounterRow)
        if row.participant in people and row.took_place_on is not None
        if imaging.acquisition_form in scope.definition.schedule.forms_at(row.encounter)
        for scans in [
            scope.tables.where(ScanRow, participant=row.participant, encounter=row.encounter),
        ]
        if all(scan.status == "refused" for scan in scans)
    )


def list_agreement(scope: Scope) -> tuple[AgreementLine, ...]:
    """Count, for each compared item, the scans whose independent readings agree; none if one reader reads."""
    imaging = scope.definition.imaging
    form = scope.definition.form(imaging.read_form) if imaging else None
    scans = list_scans(scope)
    if imaging is None or form is None or imaging.readers < 2:
        return ()
    tasks: defaultdict[str, list[TaskRow]] = defaultdict(list)
    for task in scope.tables.all(TaskRow):
        if task.slot > 0:
            tasks[task.scan].append(task)
    shown = scope.shown_values(form.id, {each.item: each for each in imaging.compare})
    return tuple(_agreement_line(form, compared, scans, tasks) for compared in shown.values())


def _agreement_line(
    form: Form, compared: ReadItem, scans: tuple[ScanRow, ...], tasks: dict[str, list[TaskRow]]
) -> AgreementLine:
    states: Counter[str] = Counter()
    for scan in scans:
        if scan.scan not in tasks:
            continue
        readings = [task.item_values for task in tasks[scan.scan] if task.item_values is not None]
        if len(readings) < len(tasks[scan.scan]):
            states["unread"] += 1
        elif agree(readings, compared.item, compared.tolerance, form):
            states["agree"] += 1
        else:
            states["adjudicated" if scan.status == "read" else "waiting"] += 1
    item = form.item(compared.item)
    return AgreementLine(
        item=compared.item,
        label=item.label if item else compared.item,
        agree=states["agree"],
        adjudicated=states["adjudicated"],
        waiting=states["waiting"],
        unread=states["unread"],
    )


def list_my_readings(scope: Scope) -> tuple[DoneTaskLine, ...]:
    """List the tasks that a reader, or an adjudicator, has done, in their order; not what they read."""
    kind = "AdjudicationRecorded" if is_adjudicator(scope, "readings of their own") else "ReadRecorded"
    account, received = scope.viewer.actor.account, _received(scope)
    return tuple(
        DoneTaskLine(
            task=str(line.content["task"]),
            recorded_at=line.recorded_at,
            has_file=_hash_in(received[str(line.content["scan"])]) is not None,
        )
        for line in scope.trail.of_kind(kind)
        if line.account == account
    )


def list_tasks(scope: Scope) -> tuple[TaskLine, ...]:
    """List what a reader may read, in the scrambled order of the codes; the adjudicator's queue likewise."""
    adjudicates = is_adjudicator(scope, "the reading queue")
    tasks = reading_queue(scope.tables, scope.viewer.actor.account)
    received = _received(scope)
    return tuple(
        TaskLine(task=task.task, has_file=_hash_in(received[task.scan]) is not None)
        for task in tasks
        if (task.slot == 0) == adjudicates
    )


def find_task_file(scope: Scope, task: str) -> str | None:
    """Return the hash of the file behind a task of the viewer's queue, or one that they did.

    None where the scan came without a file; raises Refused for every other task, and for one that is none.
    """
    adjudicates = is_adjudicator(scope, "the files of scans")
    account = scope.viewer.actor.account
    row = scope.tables.get(TaskRow, task)
    if row is not None and (row.slot == 0) == adjudicates:
        in_queue = any(each.task == task for each in reading_queue(scope.tables, account))
        if in_queue or row.account == account:
            return _hash_in(_received(scope)[row.scan])
    raise scope.refused(f"the file behind the task {task}")


def find_received_file(scope: Scope, scan: str) -> str | None:
    """Return the hash of a scan's file, for those who follow the reading; None where it came without one."""
    scope.need(Audience.READING)
    row = scope.tables.get(ScanRow, scan)
    if row is None or not scope.viewer.sees_participant(row.participant):
        raise scope.refused(f"the scan {scan}")
    return _hash_in(_received(scope)[scan])


def _received(scope: Scope) -> dict[str, AuditLine]:
    """Return the line of every scan's arrival, by its code."""
    return {str(line.content["scan"]): line for line in scope.trail.of_kind("ScanReceived")}


def _hash_in(line: AuditLine) -> str | None:
    found = line.content.get("file_hash")
    return None if found is None else str(found)


def is_adjudicator(scope: Scope, what: str) -> bool:
    """Tell an adjudicator from a reader; raise Refused for everybody else."""
    kind = scope.viewer.role.kind
    if kind not in ("reader", "adjudicator"):
        raise scope.refused(what)
    return kind == "adjudicator"


def read_dispute(scope: Scope, task: str) -> DisputeLine:
    """Return the readings between which an adjudicator has to decide, for a task in their queue only.

    They come in the order of their tasks' random codes: it tells neither who read first nor who read what.
    """
    own = {line.task for line in list_tasks(scope)} if is_adjudicator(scope, "the readings of others") else ()
    if task not in own:
        raise scope.refused(f"the readings behind the task {task}")
    scan = scope.tables.require(TaskRow, task).scan
    others = [row for row in scope.tables.where(TaskRow, scan=scan) if row.slot > 0]
    disputes = (line for line in scope.trail.of_kind("ReadingsDisagreed") if line.content["task"] == task)
    form = scope.definition.imaging.read_form if scope.definition.imaging else ""
    return DisputeLine(
        items=tuple(next(disputes).content["items"]),
        readings=tuple(
            scope.shown_values(form, row.item_values or {})
            for row in sorted(others, key=lambda each: each.task)
        ),
    )
