"""Filling in a form: drawn from the definition, kept as a draft, checked, recorded once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from equipoise.access.content import Audience
from equipoise.access.refusal import Refusal
from equipoise.capture.commands import RecordForm
from equipoise.web.commands.once import record_once, was_recorded
from equipoise.web.commands.tickets import check_version, ticket_of
from equipoise.web.errors import status_of
from equipoise.web.items import draw_items, read_items
from equipoise.web.pages.conflicts import show_conflict
from equipoise.web.pages.drafts import forget_draft, offered_draft, resumed_draft
from equipoise.web.pages.judging import Judged, judge
from equipoise.web.pages.places import (
    FormPlace,
    find_place,
    find_record,
    is_log,
    is_planned,
    may_fill,
    why_closed,
)
from equipoise.web.pages.recorded import show_record
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Gives, Sees


def show_form(request: ClinicRequest, participant: str, form: str, encounter: str) -> HttpResponse:
    """Draw the form of an encounter: to be filled in, or as it was recorded; or record it."""
    return fill(request, find_place(request, participant, form, encounter))


def add_row(request: ClinicRequest, participant: str, form: str) -> HttpResponse:
    """Draw a new row of a log, or record it."""
    place = find_place(request, participant, form)
    if not is_log(request.definition, place.form):
        raise Http404
    return fill(request, place)


def fill(request: ClinicRequest, place: FormPlace) -> HttpResponse:
    """Draw a form that is to be filled in, or record it; one that is recorded is shown."""
    record = find_record(request, place)
    if request.method == "POST":
        return _record(request, place)
    if record is not None:
        return show_record(request, place, record)
    if not is_planned(request.definition, place):
        raise Http404
    closed = why_closed(request, place)
    if closed or not may_fill(request, place.form):
        context = {"place": place, "closed": closed, "start": _start(request, place), "back": _back(place)}
        return render(request, "pages/form_open.html", context)
    draft = resumed_draft(request, place)
    return draw_form(request, place, draft.fields if draft else {}, draft_used=draft is not None)


def draw_form(
    request: ClinicRequest,
    place: FormPlace,
    given: Mapping[str, str],
    *,
    draft_used: bool = False,
    judged: Judged | None = None,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    """Draw a form with what was answered so far, and what is wrong with it."""
    found = judged or judge(request, place, read_items(place.form, given, place.zone))
    context = {
        "place": place,
        "items": draw_items(
            request,
            place.form,
            given,
            None,
            problems=found.problems if judged else {},
            warnings=found.warnings if judged else {},
            hidden=place.hidden,
        ),
        "judged": found,
        "refusal": refusal,
        "refused": judged is not None and judged.hard,
        "draft": offered_draft(request, place) if request.method != "POST" else None,
        "draft_used": draft_used,
        "ticket": ticket_of(given),
        "button": _("Record"),
        "back": _back(place),
    }
    return render(request, "pages/form.html", context, status=status)


def _record(request: ClinicRequest, place: FormPlace) -> HttpResponse:
    following = _back(place) if place.form.repeating else place.address
    if was_recorded(request):
        messages.info(request, _("This was recorded already; nothing was recorded twice."))
        return redirect(following)
    if find_record(request, place) is not None:
        return show_conflict(request, place)
    given = request.POST.dict()
    answers = read_items(place.form, given, place.zone)
    judged = judge(request, place, answers)
    refusal = check_version(request)
    if refusal is not None:
        return draw_form(request, place, given, judged=judged, refusal=refusal, status=409)
    if judged.hard:
        return draw_form(request, place, given, judged=judged, status=422)
    command = RecordForm(
        participant=place.participant, form=place.form.id, values=answers, encounter=place.encounter_id
    )
    outcome = record_once(request, command)
    if isinstance(outcome, Refusal):
        if outcome.code == "CAP-TWICE" and find_record(request, place) is not None:
            return show_conflict(request, place)
        status = status_of(outcome.code)
        return draw_form(request, place, given, judged=judged, refusal=outcome, status=status)
    forget_draft(request, request.path)
    messages.success(request, _("The form is recorded."))
    _tell_queries(request, [entry.kind for entry in outcome])
    return redirect(following)


def _tell_queries(request: ClinicRequest, kinds: list[str]) -> None:
    if "QueryOpened" in kinds:
        messages.warning(request, _("It opened a query, which waits for an answer: see Queries."))


def _back(place: FormPlace) -> str:
    if place.form.repeating or place.encounter is None:
        return reverse("log", args=[place.participant, place.form.id])
    return reverse("participant", args=[place.participant])


def _start(request: ClinicRequest, place: FormPlace) -> str:
    """Return where the encounter is started, if the reader may and it has not taken place."""
    encounter = place.encounter
    may = Gives(("StartEncounter",)).admits(request.seen.viewer)
    if encounter is None or encounter.took_place_on or not may:
        return ""
    given = {"participant": place.participant, "encounter": encounter.encounter, "next": place.address}
    return f"{reverse('do_StartEncounter')}?{urlencode(given)}"


def _of(path: str, page: Any, name: str) -> Route:
    return Route(f"participants/<code:participant>/{path}", page, name, Sees(Audience.CONDUCT), posts=True)


ROUTES: tuple[Route, ...] = (
    _of("forms/<id:form>/<id:encounter>/", show_form, "form"),
    _of("logs/<id:form>/add/", add_row, "add_row"),
)
