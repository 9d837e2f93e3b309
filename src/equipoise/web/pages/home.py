"""Where everybody starts: what there is to do today in their role, and which role they act in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.i18n import set_language

from equipoise.access.refusal import Refusal, Refused
from equipoise.store.failures import inconsistent, storage_errors
from equipoise.web.accounts.models import Setting
from equipoise.web.clinic import current_clinic
from equipoise.web.pages.today import cards_of
from equipoise.web.protect import Route, act_as, role_token
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import AnyAccount, Anyone, AnyRole


def show_home(request: ClinicRequest) -> HttpResponse:
    """Draw the day's work of the reader's role."""
    cards = cards_of(request)
    context = {
        "cards": [card for card in cards if card.count],
        "nothing_in": [card.title for card in cards if not card.count],
    }
    return render(request, "pages/home.html", context)


def choose_role(request: HttpRequest) -> HttpResponse:
    """Draw the roles that the account holds, or act in the one that was chosen."""
    clinic = current_clinic()
    roles = clinic.roles_of(request.user.get_username())
    if request.method != "POST":
        words = {role.id: role.name for role in clinic.definition.study.roles}
        held = [(role_token(each), words.get(each.role, each.role), each.site) for each in roles]
        return render(request, "pages/choose_role.html", {"held": held})
    for actor in roles:
        if request.POST.get("role") == role_token(actor):
            act_as(request, actor)
            return redirect("home")
    sentence = _("Your account does not hold this role.")
    raise Refused(Refusal("ACC-GRANT", sentence, _("An administrator can grant it.")))


def show_health(request: HttpRequest) -> HttpResponse:
    """Tell whoever watches over the server that both databases answer and the ledger ends at its head.

    Nothing of the trial is in the answer; a failure is 503, as on every page.
    """
    store = current_clinic().store
    with storage_errors():
        Setting.objects.exists()
    head = store.head()
    last = next(store.ledger.read(head.position - 1), None)
    if last is None or last.head != head:
        raise inconsistent()
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


ROUTES: tuple[Route, ...] = (
    Route("", show_home, "home", AnyRole()),
    Route("language/", set_language, "set_language", Anyone(), posts=True),
    Route("health/", show_health, "health", Anyone()),
    Route("role/", choose_role, "choose_role", AnyAccount(), posts=True),
)
