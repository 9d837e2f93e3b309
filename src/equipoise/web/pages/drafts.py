"""Drafts: a half-filled form survives a lost connection, a closed browser and the end of a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

from equipoise.access.refusal import Refusal, Refused
from equipoise.definition.recording import TEXT_LENGTH_MAX
from equipoise.web.accounts.models import Draft
from equipoise.web.commands.once import was_recorded
from equipoise.web.items import PREFIX
from equipoise.web.pages.places import FormPlace
from equipoise.web.protect import Route, role_token
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Gives
from equipoise.web.words_of_values import time_at

FORM_PAGES = ("form", "add_row", "correct_form", "correct_log_row")
"""The pages that are filled in, by the names of their routes."""

_OTHER_FIELDS = ("reason", "seen")
_DRAFTS_MAX = 200


@dataclass(frozen=True, slots=True)
class KeptDraft:
    """What somebody typed on a page before, and when; `older` says under another definition."""

    fields: Mapping[str, str]
    saved_at: str
    older: bool


def find_draft(request: ClinicRequest, place: FormPlace) -> KeptDraft | None:
    """Return the reader's own draft of this page, in this role; only what the form still asks."""
    draft = _drafts(request, request.path).first()
    if draft is None:
        return None
    known = {PREFIX + item.id for item in place.form.items if item.id not in place.hidden}
    return KeptDraft(
        fields={name: text for name, text in draft.fields.items() if name in known or name in _OTHER_FIELDS},
        saved_at=time_at(draft.saved_at.astimezone(UTC).isoformat(), place.zone),
        older=draft.definition != request.version.hash,
    )


def offered_draft(request: ClinicRequest, place: FormPlace) -> KeptDraft | None:
    """Return the draft that a page offers before it is filled in anew; None once that is decided."""
    return None if "draft" in request.GET else find_draft(request, place)


def resumed_draft(request: ClinicRequest, place: FormPlace) -> KeptDraft | None:
    """Return the draft that the reader goes on with."""
    return find_draft(request, place) if "draft" in request.GET else None


def forget_draft(request: ClinicRequest, page: str) -> None:
    """Drop the reader's draft of a page: it is recorded, or not wanted any more."""
    _drafts(request, page).delete()


def keep_draft(request: ClinicRequest) -> HttpResponse:
    """Keep what was typed on a page, or drop it.

    A draft whose form was recorded in the meantime is dropped: the browser may send it late.
    """
    if request.method != "POST":
        return redirect("home")
    page = request.POST.get("page", "")
    if not _is_form_page(page):
        sentence = _("A draft belongs to a form, and this address is none.")
        raise Refused(Refusal("WEB-DRAFT", sentence, _("Open the form again.")))
    if "discard" in request.POST:
        forget_draft(request, page)
        return redirect(page)
    if was_recorded(request):
        forget_draft(request, page)
        return HttpResponse(status=204)
    fields = {name: text for name, text in request.POST.dict().items() if _belongs(name, text)}
    if any(text for name, text in fields.items() if name != "seen"):
        Draft.objects.update_or_create(
            account=request.user,
            role=role_token(request.actor),
            page=page,
            defaults={
                "fields": fields,
                "definition": request.version.hash,
                "saved_at": request.clinic.now(),
            },
        )
        _drop_oldest(request)
    else:
        forget_draft(request, page)
    return HttpResponse(status=204)


def _drafts(request: ClinicRequest, page: str) -> QuerySet[Draft]:
    return Draft.objects.filter(account=request.user, role=role_token(request.actor), page=page)


def _drop_oldest(request: ClinicRequest) -> None:
    own = Draft.objects.filter(account=request.user)
    if own.count() > _DRAFTS_MAX:
        kept = list(own.order_by("-saved_at").values_list("pk", flat=True)[:_DRAFTS_MAX])
        own.exclude(pk__in=kept).delete()


def _belongs(name: str, text: str) -> bool:
    return (name.startswith(PREFIX) or name in _OTHER_FIELDS) and len(text) <= TEXT_LENGTH_MAX


def _is_form_page(page: str) -> bool:
    try:
        return resolve(page).url_name in FORM_PAGES
    except Resolver404:
        return False


ROUTES: tuple[Route, ...] = (
    Route("drafts/", keep_draft, "keep_draft", Gives(("RecordForm", "CorrectForm")), posts=True),
)
