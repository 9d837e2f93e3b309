"""Copies: the data of a site with their audit trail, taken away at any time (ICH E6(R3) 3.16.1)."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from equipoise.web.offers import offers
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Kinds
from equipoise.web.works import works_of


def show_copies(request: ClinicRequest) -> HttpResponse:
    """Draw what a copy holds, the button that makes one, and those that are still kept."""
    context = {
        "offers": offers(request, "copy"),
        "works": works_of(request.actor).filter(kind="copy"),
        "head": request.seen.head(),
        "site": request.seen.viewer.site,
        "people": len(request.seen.participants()),
    }
    return render(request, "pages/copies.html", context)


ROUTES: tuple[Route, ...] = (
    Route("copies/", show_copies, "copies", Kinds(("investigator", "data_manager"))),
)
