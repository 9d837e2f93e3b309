"""Who comes with a token, and what those hear who come with none that holds: always the same."""

from __future__ import annotations

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja.security import HttpBearer

from equipoise.access.actor import Actor
from equipoise.access.refusal import Refusal
from equipoise.web.accounts.events import note_access
from equipoise.web.accounts.tokens import find_actor
from equipoise.web.clinic import current_clinic
from equipoise.web.errors import show_refusal

_FAILURES_MAX = 20
_WINDOW_SECONDS = 5 * 60


class TokenAuth(HttpBearer):
    """A bearer token (RFC 6750), which acts as one account in one of its roles."""

    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:
        """Return as whom a token acts, or None."""
        clinic = current_clinic()
        with clinic.trial.reading():
            return find_actor(clinic, token)


def refuse_token(request: HttpRequest, error: Exception) -> HttpResponse:
    """Refuse whoever comes without a token that holds, and note it, up to a number from one address."""
    key = f"token_failed:{request.META.get('REMOTE_ADDR', '')}"
    failures = cache.get(key, 0)
    if failures >= _FAILURES_MAX:
        # Those with a token that holds are let in all the same: they may come from the same address.
        sentence = _("Too many tokens that do not hold came from this address.")
        remedy = _("Correct the program before it tries again, in five minutes.")
        response = show_refusal(request, Refusal("WEB-TOKEN-LIMIT", sentence, remedy))
        response["Retry-After"] = str(_WINDOW_SECONDS)
        return response
    cache.set(key, failures + 1, _WINDOW_SECONDS)
    note_access(request, "token_failed", "")
    sentence = _("There is no token that holds with this request.")
    remedy = _("Send 'Authorization: Bearer' and a token; its owner makes one on the page of tokens.")
    response = show_refusal(request, Refusal("WEB-TOKEN", sentence, remedy))
    response["WWW-Authenticate"] = 'Bearer realm="Equipoise"'
    return response
