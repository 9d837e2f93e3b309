"""What every page has around it: the trial's name, the role, the menu."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from equipoise.web.clinic import current_clinic
from equipoise.web.menu import IN_BAR_MAX, MENU, OF_THE_TRIAL, TOGETHER
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
    of_the_trial: bool


@dataclass(frozen=True, slots=True)
class Menu:
    """The menu of a role: what stands in the bar, and what stands together behind its last entry."""

    bar: tuple[MenuItem, ...]
    together: tuple[MenuItem, ...]

    @property
    def title(self) -> str:
        """What those that stand together are called."""
        return str(TOGETHER)

    @property
    def inside(self) -> MenuItem | None:
        """The entry behind the last one on whose page the reader is."""
        return next((item for item in self.together if item.current), None)


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


def _menu(request: ClinicRequest) -> Menu:
    here = request.path
    items = []
    for name, title in MENU:
        if _VISIBLE[name].admits(request.seen.viewer):
            address = _address_of(name)
            current = here == address or (address != "/" and here.startswith(address))
            items.append(MenuItem(str(title), address, current, name in OF_THE_TRIAL))
    if len(items) <= IN_BAR_MAX:
        return Menu(tuple(items), ())
    bar = tuple(item for item in items if not item.of_the_trial)
    return Menu(bar, tuple(item for item in items if item.of_the_trial))
