"""Correcting a recorded form: any of its items, together, for one reason."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from equipoise.access.content import Audience
from equipoise.access.refusal import Refusal
from equipoise.capture.commands import CorrectForm
from equipoise.conduct.view.lines import RecordLine
from equipoise.web.commands.once import record_once, was_recorded
from equipoise.web.commands.tickets import ticket_of
from equipoise.web.errors import status_of
from equipoise.web.items import PREFIX, draw_items, read_items, written
from equipoise.web.pages.conflicts import TAKE, changed_items, find_differences, read_seen, show_conflict
from equipoise.web.pages.drafts import forget_draft, offered_draft, resumed_draft
from equipoise.web.pages.judging import Judged, judge
from equipoise.web.pages.places import FormPlace, find_place, find_record, may_fill, why_closed
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Sees

_UNSEEN = 0


def correct_form(request: ClinicRequest, participant: str, form: str, encounter: str) -> HttpResponse:
    """Draw the correction of a form of an encounter, or record it."""
    return _correct(request, find_place(request, participant, form, encounter))


def correct_log_row(request: ClinicRequest, participant: str, form: str, row: int) -> HttpResponse:
    """Draw the correction of a row of a log, or record it."""
    return _correct(request, find_place(request, participant, form, None, row))


def _correct(request: ClinicRequest, place: FormPlace) -> HttpResponse:
    record = find_record(request, place)
    if record is None:
        raise Http404
    if request.method == "POST":
        return _record(request, place, record)
    if record.removed or not may_fill(request, place.form) or why_closed(request, place):
        return redirect(place.address)
    draft = resumed_draft(request, place)
    given = draft.fields if draft else {}
    return _draw(request, place, record, given, draft_used=draft is not None)


def _draw(
    request: ClinicRequest,
    place: FormPlace,
    record: RecordLine,
    given: Mapping[str, str],
    *,
    draft_used: bool = False,
    judged: Judged | None = None,
    refusal: Refusal | None = None,
    problem: str = "",
    status: int = 200,
) -> HttpResponse:
    filled = _filled(place, record, given)
    found = judged or judge(request, place, read_items(place.form, filled, place.zone), record)
    drawn = dict(found.problems) if judged else {}
    if refusal is not None and refusal.code == "CAP-NOT-ASKED":
        drawn |= dict.fromkeys(refusal.details, _("With the other answers this is not asked."))
    context = {
        "place": place,
        "record": record,
        "items": draw_items(
            request,
            place.form,
            filled,
            None,
            problems=drawn,
            warnings=found.warnings if judged else {},
            hidden=place.hidden,
        ),
        "judged": found,
        "refusal": refusal,
        "refused": bool(problem) or (judged is not None and judged.hard),
        "correcting": True,
        "reason": given.get("reason", ""),
        "reason_problem": problem,
        "seen": given.get("seen") or record.position,
        "draft": offered_draft(request, place) if request.method != "POST" else None,
        "draft_used": draft_used,
        "ticket": ticket_of(given),
        "button": _("Record the correction"),
        "back": place.address,
    }
    return render(request, "pages/form.html", context, status=status)


def _filled(place: FormPlace, record: RecordLine, given: Mapping[str, str]) -> dict[str, str]:
    """Every item's field: what was typed so far, else what is recorded."""
    typed = any(name.startswith(PREFIX) for name in given)
    filled = {}
    for item in place.form.items:
        gone = typed and item.when is not None
        recorded = "" if gone else written(item, record.values.get(item.id), place.zone)
        filled[PREFIX + item.id] = given.get(PREFIX + item.id, recorded)
    return filled


def _record(request: ClinicRequest, place: FormPlace, record: RecordLine) -> HttpResponse:
    if was_recorded(request):
        messages.info(request, _("This was recorded already; nothing was recorded twice."))
        return redirect(place.address)
    posted = request.POST.dict()
    reason = request.POST.get("reason", "").strip()
    seen = read_seen(posted)
    if (seen or _UNSEEN) < record.position:
        return show_conflict(request, place)
    chosen = any(name.startswith(TAKE) or name == "resolving" for name in posted)
    if chosen:
        differences = find_differences(request, place, record, record.values)
        if any(posted.get(TAKE + each.item) not in ("mine", "theirs") for each in differences):
            return show_conflict(request, place, problem=_("Choose one of the two for every item."))
        if not reason:
            return show_conflict(request, place, problem=_("Say why."))
        posted |= {
            PREFIX + each.item: written_of(place, record, each.item)
            for each in differences
            if posted.get(TAKE + each.item) != "mine"
        }
    return _record_changes(request, place, record, posted, reason, chosen=chosen)


def written_of(place: FormPlace, record: RecordLine, item_id: str) -> str:
    """Return the recorded answer to an item as its field holds it."""
    item = place.form.item(item_id)
    return written(item, record.values.get(item_id), place.zone) if item else ""


def _record_changes(
    request: ClinicRequest,
    place: FormPlace,
    record: RecordLine,
    posted: Mapping[str, str],
    reason: str,
    *,
    chosen: bool,
) -> HttpResponse:
    changes = changed_items(place, record, posted)
    if chosen and not changes:
        forget_draft(request, request.path)
        messages.info(request, _("What is recorded stays as it is."))
        return redirect(place.address)
    judged = judge(request, place, read_items(place.form, _filled(place, record, posted), place.zone), record)
    if judged.hard or not reason:
        problem = "" if reason else _("Say why.")
        return _draw(request, place, record, posted, judged=judged, problem=problem, status=422)
    command = CorrectForm(
        participant=place.participant,
        form=place.form.id,
        values=changes,
        encounter=place.encounter_id,
        row=place.row,
        seen=record.position,
    )
    outcome = record_once(request, command, reason)
    if isinstance(outcome, Refusal):
        if outcome.code == "CAP-CHANGED":
            return show_conflict(request, place)
        status = status_of(outcome.code)
        return _draw(request, place, record, posted, judged=judged, refusal=outcome, status=status)
    forget_draft(request, request.path)
    forget_draft(request, place.address)
    messages.success(request, _("The correction is recorded."))
    return redirect(place.address)


ROUTES: tuple[Route, ...] = (
    Route(
        "participants/<code:participant>/forms/<id:form>/<id:encounter>/correct/",
        correct_form,
        "correct_form",
        Sees(Audience.CONDUCT),
        posts=True,
    ),
    Route(
        "participants/<code:participant>/logs/<id:form>/<int:row>/correct/",
        correct_log_row,
        "correct_log_row",
        Sees(Audience.CONDUCT),
        posts=True,
    ),
)
