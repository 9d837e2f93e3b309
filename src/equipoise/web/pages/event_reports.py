"""The report of a serious adverse event as ICH E2B(R3): a small form, and then a long work."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render

from equipoise.web.accounts.events import note_access
from equipoise.web.commands.tickets import ticket_of
from equipoise.web.event_reports import (
    KIND,
    UNBLINDED,
    VERSION,
    WHO,
    asked_for,
    event_of,
    fields_of,
    read_answers,
    usual_answers,
)
from equipoise.web.pages.jobs import begin
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import shows_arms
from equipoise.web.work_kinds import WORK_KINDS


def ask_for_report(request: ClinicRequest, participant: str, row: int) -> HttpResponse:
    """Ask who sends the report and who receives it; what is answered in full begins the work."""
    if event_of(request, participant, row) is None:
        raise Http404
    asked = asked_for(request, participant)
    answers, problems = usual_answers(request), dict[str, str]()
    if request.method == "POST":
        answers, problems = read_answers(request, asked)
        if not problems:
            if answers.get("version") == UNBLINDED:
                if not shows_arms(request.seen):
                    # Who broke the code in another role, or lost that role since, is refused here.
                    request.clinic.trial.emergency_allocation(request.actor, participant)
                note_access(request, "allocation_read", request.actor.account, detail=participant)
            arguments = {"participant": participant, "row": row, "answers": answers}
            return begin(request, WORK_KINDS[KIND], arguments)
    context = {
        "participant": participant,
        "row": row,
        "fields": fields_of(asked, answers, problems),
        "problems": problems,
        "may_unblind": VERSION in asked,
        "ticket": ticket_of(request.POST.dict()),
    }
    return render(request, "pages/event_report.html", context, status=422 if problems else 200)


ROUTES: tuple[Route, ...] = (
    Route("safety/<code:participant>/<int:row>/report/", ask_for_report, "event_report", WHO, posts=True),
)
