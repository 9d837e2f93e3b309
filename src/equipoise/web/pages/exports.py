"""Exports: the trial in the forms that others read, as far and as masked as the role sees it."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render

from equipoise.exchange.formats import FORMATS, FormatName, FormName
from equipoise.web.commands.tickets import make_ticket
from equipoise.web.exporting import (
    EXPLANATIONS,
    WHO,
    formats_for,
    takes_closed,
    title_of,
    word_of_form,
    words_of_export,
)
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import shows_arms
from equipoise.web.works import works_of


@dataclass(frozen=True, slots=True)
class Offered:
    """A format in which the reader may take the trial: its forms, each with its word, and a ticket."""

    name: FormatName
    title: str
    explanation: str
    forms: tuple[tuple[FormName, str], ...]
    ticket: str


def show_exports(request: ClinicRequest) -> HttpResponse:
    """Draw the formats with a button for each, of what state they would be, and those that are still kept."""
    names = formats_for(request.clinic, request.seen)
    kept = [
        (job, words_of_export(job.arguments["format"], job.arguments["form"]))
        for job in works_of(request.actor).filter(kind="export")
    ]
    context = {
        "offered": [_offered(name) for name in names],
        "kept": kept,
        "head": request.seen.head(),
        "hash": request.clinic.definition.hash,
        "closed": takes_closed(request.clinic, request.seen),
        "arms": shows_arms(request.seen),
        "state": request.seen.trial(),
    }
    return render(request, "pages/exports.html", context)


def _offered(name: FormatName) -> Offered:
    forms = tuple((form, word_of_form(name, form)) for form in FORMATS[name].forms)
    return Offered(name, title_of(name), str(EXPLANATIONS[name]), forms, make_ticket())


ROUTES: tuple[Route, ...] = (Route("exports/", show_exports, "exports", WHO),)
