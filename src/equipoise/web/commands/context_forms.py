"""What the pages of commands about forms, queries, coding and signatures show besides their fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.http import Http404
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from equipoise.access.refusal import Refused
from equipoise.web.commands.context_participants import participant_of
from equipoise.web.pages import casebook, coding
from equipoise.web.pages.places import FormPlace, find_place, find_record
from equipoise.web.pages.queries import read_query
from equipoise.web.pages.recorded import read_answers
from equipoise.web.request import ClinicRequest

Given = Mapping[str, str]

MEANINGS: tuple[Promise, ...] = (
    _("I have reviewed all that is recorded of this participant; it is complete and correct."),
    _("I am responsible for these data (ICH E6(R3) 2.12)."),
    _("I approve the data of this participant for the analysis."),
)
"""What a signature on a casebook may mean; the signer may say it in other words."""


def _place(request: ClinicRequest, given: Given) -> FormPlace | None:
    """Return the place that the form names, if the reader has it; the command itself says if not."""
    row = given.get("row", "")
    number = int(row) if row.isascii() and row.isdigit() and len(row) < 7 else None
    participant, form = given.get("participant", ""), given.get("form", "")
    try:
        return find_place(request, participant, form, given.get("encounter") or None, number)
    except (Http404, Refused):
        return None


def _of_form(request: ClinicRequest, given: Given) -> dict[str, Any]:
    place = _place(request, given)
    record = find_record(request, place) if place else None
    if place is None or record is None:
        return {"place": place}
    wanted = given.get("item")
    answers = read_answers(request, place, record)
    return {
        "place": place,
        "record": record,
        "answers": [answer for answer in answers if wanted in (None, "", answer.item)],
    }


def _of_source(request: ClinicRequest, given: Given) -> dict[str, Any]:
    """The form with a box for each answer: those ticked that were sent, else all that wait."""
    found = _of_form(request, given)
    sent = request.POST.getlist("items")
    waiting = [each.item for each in found.get("answers", ()) if each.badge and each.badge.waits]
    return {**found, "ticked": sent or waiting}


def _of_log(request: ClinicRequest, given: Given) -> dict[str, Any]:
    place = _place(request, given)
    if place is None:
        return {}
    records = [each for each in request.seen.records(place.participant) if each.form == place.form.id]
    reviews = request.seen.log_reviews(place.participant)
    return {
        "place": place,
        "rows": sum(not record.removed for record in records),
        "through": next((line.through for line in reviews if line.form == place.form.id), ""),
        "log": reverse("log", args=[place.participant, place.form.id]),
    }


def _of_query(request: ClinicRequest, given: Given) -> dict[str, Any]:
    return {"about": read_query(request, given.get("query", ""))}


def _of_signature(request: ClinicRequest, given: Given) -> dict[str, Any]:
    line = participant_of(request, given)
    if line is None:
        return {}
    return {
        "casebook": casebook.casebook_of(request, line.participant),
        "meanings": MEANINGS,
        "signed_at": request.clinic.now().isoformat(timespec="minutes"),
        "signer_role": next(
            role.name for role in request.definition.study.roles if role.id == request.actor.role
        ),
    }


CONTEXTS_OF_FORMS: Mapping[str, Callable[[ClinicRequest, Given], Mapping[str, Any]]] = {
    "RecordForm": _of_form,
    "CorrectForm": _of_form,
    "RemoveRow": _of_form,
    "ConfirmLog": _of_log,
    "OpenQuery": _of_form,
    "AnswerQuery": _of_query,
    "CloseQuery": _of_query,
    "SignCasebook": _of_signature,
    "CodeTerm": coding.context_of_term,
    "CodeMatches": coding.context_of_matches,
    "CarryOverCodings": coding.context_of_carried,
    "VerifySource": _of_source,
}
"""By the command's name."""
