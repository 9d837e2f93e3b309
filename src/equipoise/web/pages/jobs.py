"""Long works: how far they are, and what they made. Nobody but who asked for one comes to it."""

from __future__ import annotations

from mimetypes import guess_type
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from equipoise.access.refusal import Refusal, Refused
from equipoise.web.accounts.events import note_access
from equipoise.web.accounts.models import Job
from equipoise.web.commands.tickets import TICKET
from equipoise.web.errors import not_found
from equipoise.web.exporting import words_of_export
from equipoise.web.listing import Column, show_listing
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Kinds
from equipoise.web.words_of_values import word_of_state
from equipoise.web.work_kinds import WORK_KINDS
from equipoise.web.works import WorkKind, is_interrupted, start, works_of

_WHO = Kinds(tuple(dict.fromkeys(kind for each in WORK_KINDS.values() for kind in each.visible.kinds)))


def start_work(request: ClinicRequest) -> HttpResponse:
    """Begin a long work, and go to the page that shows how far it is."""
    if request.method != "POST":
        return redirect("jobs")
    kind = WORK_KINDS.get(request.POST.get("kind", ""))
    if kind is None or not kind.visible.admits(request.seen.viewer):
        raise Refused(_no_such_work())
    refusal = kind.needs(request.seen)
    if refusal is not None:
        raise Refused(refusal)
    return begin(request, kind, kind.read(request))


def begin(request: ClinicRequest, kind: WorkKind, arguments: dict[str, Any]) -> HttpResponse:
    """Begin a work that was asked for by a form, and go to the page that shows how far it is."""
    ticket = request.POST.get("ticket", "")
    if not TICKET.fullmatch(ticket):
        sentence = _("The form does not say which page it came from. Nothing was begun.")
        raise Refused(Refusal("WEB-TICKET", sentence, _("Open the page again and send it from there.")))
    begun = start(request.clinic, request.actor, kind, arguments, ticket)
    if isinstance(begun, Refusal):
        raise Refused(begun)
    return redirect("job", job=begun)


def list_jobs(request: ClinicRequest) -> HttpResponse:
    """List the works that the reader began in this role and that are still kept."""
    columns: tuple[Column[Job], ...] = (
        Column(
            "kind",
            gettext_lazy("Work"),
            lambda job: str(WORK_KINDS[job.kind].title),
            link=lambda job: reverse("job", args=[job.job]),
        ),
        Column("site", gettext_lazy("Of"), about),
        Column("status", gettext_lazy("Status"), lambda job: word_of_state(_status(job))),
        Column("file", gettext_lazy("File"), lambda job: job.file),
    )
    return show_listing(request, "pages/jobs.html", "works", columns, works_of(request.actor))


def show_job(request: ClinicRequest, job: str) -> HttpResponse:
    """Draw how far a work is; htmx asks for the inner part again until the work has ended."""
    found = _own(request, job)
    kind = WORK_KINDS[found.kind]
    context = {"job": found, "kind": kind, "about": about(found), "status": _status(found)}
    inner = request.headers.get("HX-Request") == "true"
    return render(request, "parts/job.html" if inner else "pages/job.html", context)


def send_file(request: ClinicRequest, job: str) -> HttpResponse:
    """Send what a work made, and note that it was taken away."""
    found = _own(request, job)
    path = request.clinic.jobs / found.job
    if found.status != "done" or not path.is_file():
        raise Refused(not_found())
    note_access(request, "copy_taken", request.actor.account, detail=f"{found.file} as {request.actor.role}")
    content_type = guess_type(found.file)[0] or "application/octet-stream"
    response = HttpResponse(path.read_bytes(), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{found.file}"'
    return response


def about(job: Job) -> str:
    """Return of what a work is: a site, a format and its form, an adverse event."""
    if job.kind == "export":
        return words_of_export(job.arguments["format"], job.arguments["form"])
    if job.kind == "event_report":
        return f"{job.arguments['participant']}/{job.arguments['row']}"
    return str(job.arguments.get("site", ""))


def _own(request: ClinicRequest, job: str) -> Job:
    """Return a work of this account in this role; anybody else's is not there."""
    found = works_of(request.actor).filter(job=job).first()
    if found is None:
        raise Refused(not_found())
    return found


def _status(job: Job) -> str:
    return "interrupted" if is_interrupted(job) else job.status


def _no_such_work() -> Refusal:
    sentence = _("Your role does not ask for this work.")
    return Refusal("ACC-PAGE", sentence, _("Ask somebody whose role it is, or change your role."))


ROUTES: tuple[Route, ...] = (
    Route("jobs/", list_jobs, "jobs", _WHO),
    Route("jobs/start/", start_work, "start_work", _WHO, posts=True),
    Route("jobs/<code:job>/", show_job, "job", _WHO),
    Route("jobs/<code:job>/file/", send_file, "job_file", _WHO),
)
