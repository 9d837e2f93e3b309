"""Scans: the log, what is missing, the blinded queue, adjudication."""

from __future__ import annotations

from datetime import date
from typing import TypeVar, cast
from urllib.parse import urlencode

from django.http import FileResponse, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from equipoise.access.content import Audience
from equipoise.access.refusal import Refused
from equipoise.conduct.view.lines import DoneTaskLine, MissingScanLine, ScanLine, TaskLine
from equipoise.web.accounts.events import note_access
from equipoise.web.errors import not_found
from equipoise.web.listing import Column, make_listing
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.scans.kinds import HEAD_BYTES, kind_of
from equipoise.web.visible import Both, Gives, Kinds, Sees
from equipoise.web.words_of_values import time_at, word_of_state

_BYTES = "application/octet-stream"
Task = TypeVar("Task", TaskLine, DoneTaskLine)

_MARKS = {"refused": "bad", "received": "warn"}


def show_scans(request: ClinicRequest) -> HttpResponse:
    """Draw the log of scans, those that wait for a check, and those that are not there."""
    names = {each.id: each.name for each in request.definition.schedule.encounters}
    lines = request.seen.scan_log()
    may = request.seen.permitted_commands()
    listing = make_listing(request, "scans", _log_columns(request, names), lines)
    missing = make_listing(
        request, "missing_list", _missing_columns(request, names), request.seen.missing_scans()
    )
    for each in (listing, missing):
        if isinstance(each, HttpResponse):
            return each
    context = {
        "listing": listing,
        "missing": missing,
        "waiting": [
            (line, names.get(line.encounter, line.encounter))
            for line in lines
            if line.status == "received" and "AcceptScan" in may
        ],
        "may_log": "ReceiveScan" in may,
        "zone": request.clinic.zone(request.actor.site),
    }
    return render(request, "pages/scans.html", context)


def show_reading(request: ClinicRequest) -> HttpResponse:
    """Draw a reader's or an adjudicator's queue, and what they have done."""
    adjudicates = request.seen.viewer.role.kind == "adjudicator"
    command = "RecordAdjudication" if adjudicates else "RecordRead"
    queue = make_listing(request, "queue_list", _queue_columns(command), request.seen.reading_tasks())
    done = make_listing(request, "done_list", _done_columns(request), request.seen.my_readings())
    for each in (queue, done):
        if isinstance(each, HttpResponse):
            return each
    context = {"queue": queue, "done": done, "adjudicates": adjudicates}
    return render(request, "pages/reading.html", context)


def send_task_file(request: ClinicRequest, task: str) -> HttpResponse:
    """Send the file of a task to whoever has it in their queue, or did it."""
    return _send_file(request, task, request.seen.scan_file(task))


def send_scan_file(request: ClinicRequest, scan: str) -> HttpResponse:
    """Send a scan's file to whoever judges its quality."""
    return _send_file(request, scan, request.seen.received_file(scan))


def _send_file(request: ClinicRequest, code: str, file_hash: str | None) -> HttpResponse:
    """Send a file under a code, after comparing it with the ledger, and note that it was taken away.

    What is sent says nothing of whose it is or when it came: no date, no other name than the code.
    """
    if file_hash is None:
        raise Refused(not_found())
    file = request.clinic.scans.open(file_hash)
    kind = kind_of(file.read(HEAD_BYTES))
    length = file.seek(0, 2)
    file.seek(0)
    if request.method == "HEAD":
        file.close()
        return HttpResponse(headers={"Content-Length": str(length)}, content_type=_BYTES)
    note_access(request, "scan_taken", request.actor.account, detail=f"{code} as {request.actor.role}")
    sent = FileResponse(file, as_attachment=True, filename=f"{code}.{kind}", content_type=_BYTES)
    # It is streamed from the disk, which nothing between here and the reader minds.
    return cast(HttpResponse, sent)


def _log_columns(request: ClinicRequest, names: dict[str, str]) -> tuple[Column[ScanLine], ...]:
    zone = request.clinic.zone(request.actor.site)
    takes = _TAKE_FILES.admits(request.seen.viewer)
    return (
        Column("scan", gettext_lazy("Scan"), lambda line: line.scan, mark=_on_one_line),
        Column("participant", gettext_lazy("Participant"), lambda line: line.participant, link=_participant),
        Column(
            "encounter", gettext_lazy("Encounter"), lambda line: names.get(line.encounter, line.encounter)
        ),
        Column("acquired_on", gettext_lazy("Made on"), lambda line: line.acquired_on, mark=_on_one_line),
        Column(
            "received_at",
            gettext_lazy("Received"),
            lambda line: time_at(line.received_at, zone),
            mark=_on_one_line,
        ),
        Column(
            "status",
            gettext_lazy("Status"),
            lambda line: word_of_state(line.status),
            mark=lambda line: _MARKS.get(line.status, ""),
        ),
        Column("cause", gettext_lazy("Why refused"), lambda line: line.cause),
        Column(
            "file",
            gettext_lazy("File"),
            lambda line: _("download") if line.has_file and takes else _("there") if line.has_file else None,
            link=lambda line: reverse("scan_file", args=[line.scan]) if line.has_file and takes else None,
        ),
    )


def _missing_columns(request: ClinicRequest, names: dict[str, str]) -> tuple[Column[MissingScanLine], ...]:
    log = "ReceiveScan" in request.seen.permitted_commands()
    return (
        Column("participant", gettext_lazy("Participant"), lambda line: line.participant, link=_participant),
        Column(
            "encounter",
            gettext_lazy("Encounter"),
            lambda line: names.get(line.encounter, line.encounter),
            link=_log_address if log else None,
        ),
        Column("took_place_on", gettext_lazy("Encounter took place"), lambda line: line.took_place_on),
        Column(
            "days",
            gettext_lazy("Days ago"),
            lambda line: (request.today - date.fromisoformat(line.took_place_on)).days,
            mark=lambda line: "number",
        ),
        Column(
            "refused",
            gettext_lazy("Earlier scan"),
            lambda line: _("refused: to be made again") if line.refused else _("none"),
        ),
    )


def _queue_columns(command: str) -> tuple[Column[TaskLine], ...]:
    def link(line: TaskLine) -> str:
        return f"{reverse(f'do_{command}')}?{urlencode({'task': line.task, 'next': reverse('reading')})}"

    return (Column("task", gettext_lazy("Task"), lambda line: line.task, link=link), _file_column())


def _done_columns(request: ClinicRequest) -> tuple[Column[DoneTaskLine], ...]:
    zone = request.clinic.zone(request.actor.site)
    return (
        Column("task", gettext_lazy("Task"), lambda line: line.task),
        Column("recorded_at", gettext_lazy("Done"), lambda line: time_at(line.recorded_at, zone)),
        _file_column(),
    )


def _file_column() -> Column[Task]:
    def link(line: Task) -> str | None:
        return reverse("reading_file", args=[line.task]) if line.has_file else None

    return Column("file", gettext_lazy("File"), lambda line: _("download") if line.has_file else None, link)


def _on_one_line(line: ScanLine) -> str:
    return "nowrap"


def _participant(line: ScanLine | MissingScanLine) -> str:
    return reverse("participant", args=[line.participant])


def _log_address(line: MissingScanLine) -> str:
    given = {"participant": line.participant, "encounter": line.encounter, "next": reverse("scans")}
    return f"{reverse('do_ReceiveScan')}?{urlencode(given)}"


_READERS = Kinds(("reader", "adjudicator"))
_TAKE_FILES = Both(Sees(Audience.READING), Gives(("AcceptScan",)))

ROUTES: tuple[Route, ...] = (
    Route("scans/", show_scans, "scans", Gives(("ReceiveScan", "AcceptScan", "RefuseScan"))),
    Route("scans/<code:scan>/file/", send_scan_file, "scan_file", _TAKE_FILES),
    Route("reading/", show_reading, "reading", _READERS),
    Route("reading/<code:task>/file/", send_task_file, "reading_file", _READERS),
)
