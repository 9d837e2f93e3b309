"""The study definition in the forms that others read: for everybody who may read the study itself."""

from __future__ import annotations

from functools import cache
from mimetypes import guess_type

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from equipoise.exchange.formats import FORMATS, FormatName, FormName, Source
from equipoise.web.accounts.events import note_access
from equipoise.web.exporting import moment_of, title_of, whole, word_of_form
from equipoise.web.pages.study import PARTS
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import AnyRole

EXPLANATIONS: dict[FormatName, Promise] = {
    "ctgov": _("The registry's record, without results."),
    "usdm": _("The protocol for a machine: design, schedule, objectives, criteria."),
    "odm132": _("The forms as another data capture system reads them."),
    "odm2": _("The forms with their schedule, as another data capture system reads them."),
    "fhir": _("Study, criteria and questionnaires as one bundle."),
}
"""What a study is in a format."""


@cache
def files_of_study() -> dict[str, tuple[FormatName, FormName]]:
    """Return every file that a study may be had as, by its name in an address."""
    return {
        f"{name}.{form}": (name, form)
        for name, each in FORMATS.items()
        if "study" in each.of
        for form in each.forms
    }


def show_standards(request: ClinicRequest) -> HttpResponse:
    """Draw the formats of the study, each with its files."""
    rows = [
        (
            title_of(name),
            words,
            [
                (word_of_form(name, form), reverse("study_standard_file", args=[file]))
                for file, (owner, form) in files_of_study().items()
                if owner == name
            ],
        )
        for name, words in EXPLANATIONS.items()
    ]
    context = {
        "rows": rows,
        "hash": request.clinic.definition.hash,
        "parts": [(reverse(name), words, name == "study_standards") for name, words in PARTS],
    }
    return render(request, "pages/study_standards.html", context)


def send_study(request: ClinicRequest, file: str) -> HttpResponse:
    """Send the study in a format, and note that it was taken away."""
    if file not in files_of_study():
        raise Http404
    name, form = files_of_study()[file]
    clinic = request.clinic
    source = Source(load=lambda: clinic.definition, moment=moment_of(clinic))
    (made,) = FORMATS[name].make(source, form)
    called = f"{clinic.definition.study.id}-{file}"
    note_access(request, "copy_taken", request.actor.account, detail=f"{called} as {request.actor.role}")
    response = HttpResponse(whole(made.content), content_type=guess_type(file)[0] or "application/x-ndjson")
    response["Content-Disposition"] = f'attachment; filename="{called}"'
    return response


ROUTES: tuple[Route, ...] = (
    Route("study/standards/", show_standards, "study_standards", AnyRole()),
    Route("study/standards/<code:file>/", send_study, "study_standard_file", AnyRole()),
)
