"""Amending the study: the folder is sent, what it changes is shown, and what was shown is confirmed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from equipoise.access.refusal import Refusal, Refused
from equipoise.definition.lock import canonical_json
from equipoise.exchange.study_folder import study_files
from equipoise.governance.commands import AmendStudy
from equipoise.web.accounts.events import note_access
from equipoise.web.amending import Examined
from equipoise.web.commands.fields import Field, FieldType, Unreadable, read_field
from equipoise.web.commands.once import record_once, was_recorded
from equipoise.web.commands.proof import check_proof, proof_fields
from equipoise.web.commands.tickets import ticket_of
from equipoise.web.errors import status_of
from equipoise.web.exporting import whole
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.settings import POST_BYTES_MAX
from equipoise.web.visible import Gives, Kinds
from equipoise.web.zips import zip_of

FILE = "file"
"""The field of the form in which the folder comes."""

TAKES_FOLDER = Kinds(("administrator", "data_manager", "unblinded_statistician"))
"""Who writes a new version, and so takes the folder of the present one."""

_ASKED = (
    FieldType("title", "text", True),
    FieldType("substantial", "flag", True),
    FieldType("reconsent", "flag", True),
    FieldType("reason", "long_text", True),
)
_LABELS: Mapping[str, Promise] = {
    "title": gettext_lazy("What the amendment is called"),
    "substantial": gettext_lazy("Where it holds"),
    "reconsent": gettext_lazy("Consent"),
    "reason": gettext_lazy("Reason"),
}
_CHOICES: Mapping[str, Mapping[str, Promise]] = {
    "substantial": {
        "true": gettext_lazy("substantial: from each site's approval on"),
        "false": gettext_lazy("minor: at once"),
    },
    "reconsent": {
        "true": gettext_lazy("who takes part consents anew"),
        "false": gettext_lazy("the consents go on"),
    },
}


def show_amendment(request: ClinicRequest) -> HttpResponse:
    """Draw what the reader sent and what it changes, or take in a folder that they send."""
    if request.method == "POST":
        return _take(request)
    content = request.clinic.amendments.read(request.actor)
    examined = _examine(request, content) if content is not None else None
    return _draw(request, examined)


def record_amendment(request: ClinicRequest) -> HttpResponse:
    """Record the amendment that the page showed, if the folder is still what was shown."""
    if request.method != "POST":
        return redirect("amendment")
    if was_recorded(request):
        messages.info(request, _("This was recorded already; nothing was recorded twice."))
        return redirect("versions")
    content = request.clinic.amendments.read(request.actor)
    if content is None:
        return _draw(request, None, refusal=_changed())
    examined = _examine(request, content)
    if examined.definition is None or examined.definition.hash != request.POST.get("shown_hash"):
        return _draw(request, examined, refusal=_changed())
    answers, problems = _read_answers(request)
    if problems:
        return _draw(request, examined, problems=problems)
    refusal = check_proof(request)
    if refusal is not None:
        return _draw(request, examined, refusal=refusal)
    command = AmendStudy(
        title=answers["title"],
        canonical=canonical_json(examined.definition).decode(),
        substantial=answers["substantial"],
        reconsent=answers["reconsent"],
    )
    outcome = record_once(request, command, answers["reason"])
    if isinstance(outcome, Refusal):
        return _draw(request, examined, refusal=outcome)
    request.clinic.amendments.forget(request.actor)
    messages.success(request, _("The study is amended."))
    return redirect("versions")


def send_folder(request: ClinicRequest) -> HttpResponse:
    """Send the study folder of the version that the reader works under, and note that it was taken away."""
    study = request.version.study
    called = f"{study.id}-{study.version}"
    files = {f"{called}/{file.path}": whole(file.content) for file in study_files(request.version)}
    detail = f"{called}.zip as {request.actor.role}"
    note_access(request, "copy_taken", request.actor.account, detail=detail)
    response = HttpResponse(zip_of(files), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{called}.zip"'
    return response


def _take(request: ClinicRequest) -> HttpResponse:
    sent = request.FILES.get(FILE)
    if sent is None:
        return _draw(request, None, problems={FILE: _("Choose a file.")})
    try:
        request.clinic.amendments.keep(request.actor, sent.read())
    except Refused as refused:
        return _draw(request, None, refusal=refused.refusal)
    return redirect("amendment")


def _examine(request: ClinicRequest, content: bytes) -> Examined:
    """Compile what was sent; it takes its time, in which others go on."""
    known = [each.study_version for each in request.seen.versions()]
    request.standstill.close()
    examined = request.clinic.amendments.examine(content, request.version, known)
    request.standstill.enter_context(request.clinic.trial.reading())
    return examined


def _changed() -> Refusal:
    sentence = _("The study folder is not the one that the page showed. Nothing was recorded.")
    return Refusal("WEB-AMEND-CHANGED", sentence, _("Look through its changes, and confirm them from here."))


def _read_answers(request: ClinicRequest) -> tuple[dict[str, Any], dict[str, str]]:
    answers: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for each in _ASKED:
        try:
            answers[each.name] = read_field(request, each, request.POST.get(each.name, "").strip())
        except Unreadable as trouble:
            problems[each.name] = trouble.sentence
    return answers, problems


def _draw(
    request: ClinicRequest,
    examined: Examined | None,
    *,
    problems: Mapping[str, str] | None = None,
    refusal: Refusal | None = None,
) -> HttpResponse:
    found = problems or {}
    status = status_of(refusal.code) if refusal else 422 if found else 200
    context = {
        "examined": examined,
        "open": request.seen.trial().status == "open",
        "present": request.version.study.version,
        "fields": [_field(each, request.POST.dict(), found) for each in _ASKED],
        "proof": proof_fields(request),
        "problems": found,
        "file_problem": found.get(FILE, ""),
        "refusal": refusal,
        "kilobytes": POST_BYTES_MAX // 1024,
        "ticket": ticket_of(request.POST.dict()),
    }
    return render(request, "pages/amendment.html", context, status=status)


def _field(each: FieldType, given: Mapping[str, str], problems: Mapping[str, str]) -> Field:
    return Field(
        name=each.name,
        label=str(_LABELS[each.name]),
        kind="choice" if each.kind == "flag" else each.kind,
        required=each.required,
        value=given.get(each.name, ""),
        choices=tuple((code, str(words)) for code, words in _CHOICES.get(each.name, {}).items()),
        problem=problems.get(each.name, ""),
    )


ROUTES: tuple[Route, ...] = (
    Route("governance/versions/amend/", show_amendment, "amendment", Gives(("AmendStudy",)), posts=True),
    Route(
        "governance/versions/amend/record/",
        record_amendment,
        "record_amendment",
        Gives(("AmendStudy",)),
        posts=True,
    ),
    Route("governance/versions/folder/", send_folder, "study_folder_file", TAKES_FOLDER),
)
