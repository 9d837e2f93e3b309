"""What every page has around it: the trial's name, the role, the menu."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from equipoise.web.clinic import current_clinic
from equipoise.web.menu import MENU
from equipoise.web.protect import role_token
from equipoise.web.request import ClinicRequest
from equipoise.web.routes import ROUTES

_VISIBLE = {route.name: route.visible for route in ROUTES}


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One entry of the menu."""

    title: str
    address: str
    current: bool


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return the frame of a page; a page without a role has no menu."""
    clinic = current_clinic()
    study = clinic.definition.study
    around: dict[str, Any] = {
        "study_name": study.acronym or study.title,
        "trial": clinic.row,
        "static": settings.STATIC_URL,
    }
    if not hasattr(request, "seen"):
        return around
    page = cast(ClinicRequest, request)
    role = page.seen.viewer.role
    return around | {
        "actor": page.actor,
        "role": next(each for each in page.definition.study.roles if each.id == role.id),
        "role_token": role_token(page.actor),
        "definition_hash": page.version.hash,
        "roles_held": len(clinic.roles_of(page.actor.account)),
        "menu": _menu(page),
        "today": page.today,
        "zone": clinic.zone(page.actor.site),
    }


@cache
def _address_of(name: str) -> str:
    """Where an entrance is: the same for everybody, on every page."""
    return reverse(name)


def _menu(request: ClinicRequest) -> list[MenuItem]:
    here = request.path
    items = []
    for name, title in MENU:
        if _VISIBLE[name].admits(request.seen.viewer):
            address = _address_of(name)
            current = here == address or (address != "/" and here.startswith(address))
            items.append(MenuItem(str(title), address, current))
    return items
