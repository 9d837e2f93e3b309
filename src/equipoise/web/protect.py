"""What stands between an address and its page: login, role, visibility, and one state of the trial."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from equipoise.access.actor import Actor
from equipoise.access.refusal import Refusal, Refused
from equipoise.ledger.protocol import StoreUnavailable
from equipoise.web.clinic import Clinic, current_clinic
from equipoise.web.errors import refusal_of, show_refusal
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import AnyAccount, Anyone, Visible
from equipoise.web.words import in_words_of

Page = Callable[..., HttpResponse]

_ROLE_KEY = "acting_as"
_READING = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Route:
    """An address, the page behind it, its name, who may come there, and whether forms are sent to it."""

    path: str
    page: Page
    name: str
    visible: Visible
    posts: bool = False


def protected(route: Route) -> Page:
    """Return a route's page as Django may call it."""
    if isinstance(route.visible, Anyone):
        return login_not_required(with_errors(_with_methods(route, _with_clinic(route.page))))
    if isinstance(route.visible, AnyAccount):
        return with_errors(_with_methods(route, _with_clinic(route.page)))
    return with_errors(_with_methods(route, _with_role(route)))


def acting_as(request: HttpRequest, clinic: Clinic) -> Actor | None:
    """Return the actor that the sender of a request is now: the role they chose, or their only one."""
    roles = clinic.roles_of(request.user.get_username())
    chosen = request.session.get(_ROLE_KEY)
    for actor in roles:
        if chosen == [actor.role, actor.site]:
            return actor
    return roles[0] if len(roles) == 1 else None


def act_as(request: HttpRequest, actor: Actor) -> None:
    """Have the sender act in one of their roles from now on."""
    request.session[_ROLE_KEY] = [actor.role, actor.site]


def role_token(actor: Actor) -> str:
    """Return what a form bears to say in which role it was opened."""
    return f"{actor.role}@{actor.site or ''}"


def _with_methods(route: Route, page: Page) -> Page:
    methods = (*_READING, "POST") if route.posts else _READING

    @wraps(page)
    def respond(request: HttpRequest, **arguments: Any) -> HttpResponse:
        return page(request, **arguments) if request.method in methods else HttpResponseNotAllowed(methods)

    return respond


def _with_clinic(page: Page) -> Page:
    @wraps(page)
    def respond(request: HttpRequest, **arguments: Any) -> HttpResponse:
        cast(ClinicRequest, request).clinic = current_clinic()
        return page(request, **arguments)

    return respond


def with_errors(page: Page) -> Page:
    """Return a page that says what was refused, or that the trial cannot be reached, and raises neither."""

    @wraps(page)
    def respond(request: HttpRequest, **arguments: Any) -> HttpResponse:
        try:
            return page(request, **arguments)
        except Refused as refused:
            return show_refusal(request, refused.refusal)
        except StoreUnavailable as failure:
            return show_refusal(request, refusal_of(failure))

    return respond


def _with_role(route: Route) -> Page:
    @wraps(route.page)
    def respond(plain: HttpRequest, **arguments: Any) -> HttpResponse:
        request = cast(ClinicRequest, plain)
        clinic = request.clinic = current_clinic()
        # One page, one state of the trial: other threads record before it or after it.
        with ExitStack() as request.standstill:
            request.standstill.enter_context(clinic.trial.reading())
            actor = acting_as(request, clinic)
            if actor is None:
                return redirect("choose_role")
            enter(request, clinic, actor)
            if not route.visible.admits(request.seen.viewer):
                raise Refused(_unseen(actor))
            if request.method == "POST":
                _check_same_role(request, actor)
            try:
                return route.page(request, **arguments)
            except Http404:
                sentence = _("There is no such page.")
                refusal = Refusal("WEB-NOT-FOUND", sentence, _("Check the address, or start from home."))
                raise Refused(refusal) from None

    return respond


def enter(request: ClinicRequest, clinic: Clinic, actor: Actor) -> None:
    """Give a request what its page reads through; raises Refused for a role that is not held."""
    request.actor = actor
    request.seen = clinic.trial.as_seen_by(actor)
    request.version = clinic.trial.definition_for(actor)
    request.definition = in_words_of(request.version, get_language())
    request.today = clinic.today(actor.site)


def _unseen(actor: Actor) -> Refusal:
    sentence = _("This page is not open to the role %(role)s.") % {"role": actor.role}
    return Refusal("ACC-PAGE", sentence, _("Ask somebody whose role it is, or change your role."))


def _check_same_role(request: ClinicRequest, actor: Actor) -> None:
    opened_as = request.POST.get("acting_as")
    if opened_as == role_token(actor):
        return
    sentence = _("The page was opened in another role than the one you act in now. Nothing was recorded.")
    raise Refused(Refusal("WEB-ROLE-CHANGED", sentence, _("Open the page again and send it from there.")))
