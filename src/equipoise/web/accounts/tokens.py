"""Tokens: with one, a program acts for its owner in one role, until it expires or is revoked.

Only the hash of a token is kept. It holds while the account is open and has the role.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from equipoise.access.actor import Actor
from equipoise.access.refusal import Refusal
from equipoise.web.accounts.events import note_access
from equipoise.web.accounts.models import ApiToken
from equipoise.web.accounts.people import hash_of, make_secret
from equipoise.web.accounts.sessions import find_account
from equipoise.web.clinic import Clinic
from equipoise.web.commands.proof import check_proof, proof_fields
from equipoise.web.protect import Route, role_token
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import AnyRole

DAYS_MAX = 365
_DAYS_USUAL = 90
_LABEL_LENGTH_MAX = 100
_PREFIX = "equipoise_"
"""By which programs that look for secrets in public places know one."""
_SHOWN_ONCE = "token_made"
# Written down, as those of a session are: every request of a program looks its token up.
_TOKEN: Final = "SELECT * FROM api_token WHERE token_hash = %s"


@dataclass(frozen=True, slots=True)
class TokenLine:
    """A token in its owner's list; `state` is active, expired, revoked or role_lost."""

    token: ApiToken
    role: str
    state: str


def find_actor(clinic: Clinic, secret: str) -> Actor | None:
    """Return as whom the holder of a token acts now; None when it does not hold, for whatever cause."""
    for found in ApiToken.objects.raw(_TOKEN, [hash_of(secret)]):
        account = find_account(found.account_id)
        if account is not None:
            found.account = account
            return _actor(found) if _state(clinic, found) == "active" else None
    return None


def _actor(token: ApiToken) -> Actor:
    return Actor(token.account.username, token.role, token.site or None)


def _state(clinic: Clinic, token: ApiToken) -> str:
    if token.revoked_at is not None:
        return "revoked"
    if token.expires_at <= clinic.now():
        return "expired"
    return "active" if _actor(token) in clinic.roles_of(token.account.username) else "role_lost"


def show_tokens(request: ClinicRequest) -> HttpResponse:
    """Draw the reader's tokens and the form for another, or make one and show it, once."""
    if request.method != "POST":
        return _draw(request, request.session.pop(_SHOWN_ONCE, None))
    held = {role_token(actor): actor for actor in request.clinic.roles_of(request.actor.account)}
    actor = held.get(request.POST.get("role", ""))
    label, days = request.POST.get("label", "").strip(), request.POST.get("days", "")
    refusal = _check(request, actor, label, days)
    if actor is None or refusal is not None:
        return _draw(request, refusal=refusal, status=422)
    request.session[_SHOWN_ONCE] = make_token(request, actor, label, request.clinic.now(), int(days))
    return redirect("tokens")


def make_token(request: ClinicRequest, actor: Actor, label: str, now: datetime, days: int) -> str:
    """Return a new token of the sender's for one of their roles; nobody can read it again."""
    secret = _PREFIX + make_secret()
    ApiToken.objects.create(
        account=request.user,
        label=label,
        role=actor.role,
        site=actor.site or "",
        token_hash=hash_of(secret),
        made_at=now,
        expires_at=now + timedelta(days=days),
    )
    note_access(request, "token_made", actor.account, by=actor.account, detail=role_token(actor))
    return secret


def revoke_token(request: ClinicRequest, number: int) -> HttpResponse:
    """Revoke one of the sender's own tokens."""
    if request.method == "POST":
        now, own = request.clinic.now(), ApiToken.objects.filter(pk=number, account=request.user)
        token = own.first()
        if token is None:
            raise Http404
        if own.filter(revoked_at=None).update(revoked_at=now):
            actor = _actor(token)
            note_access(request, "token_revoked", actor.account, by=actor.account, detail=role_token(actor))
        messages.success(request, _("The token is revoked. A program that still has it is let in no more."))
    return redirect("tokens")


def _check(request: ClinicRequest, actor: Actor | None, label: str, days: str) -> Refusal | None:
    if not 0 < len(label) <= _LABEL_LENGTH_MAX:
        sentence = _("A token needs a label of 1 to 100 characters.")
        return Refusal("WEB-TOKEN-LABEL", sentence, _("Say which program it is for."))
    if actor is None:
        sentence = _("A token is for one of the roles that you hold.")
        return Refusal("WEB-TOKEN-ROLE", sentence, _("Choose one of them."))
    if not (days.isascii() and days.isdigit() and len(days) < 5 and 0 < int(days) <= DAYS_MAX):
        sentence = _("A token holds for 1 to 365 days.")
        return Refusal("WEB-TOKEN-DAYS", sentence, _("Write a whole number of days."))
    refusal = check_proof(request)
    if refusal is None:
        return None
    # It outlives the session: whoever finds a browser open must not be able to take one away.
    return Refusal(refusal.code, _("It is not proved that it is you. No token was made."), refusal.remedy)


def _draw(
    request: ClinicRequest, secret: str | None = None, *, refusal: Refusal | None = None, status: int = 200
) -> HttpResponse:
    names = {role.id: role.name for role in request.definition.study.roles}
    own = ApiToken.objects.select_related("account").filter(account=request.user).order_by("-pk")
    held = request.clinic.roles_of(request.actor.account)
    context = {
        "secret": secret,
        "refusal": refusal,
        "tokens": [
            TokenLine(each, _named(names, _actor(each)), _state(request.clinic, each)) for each in own
        ],
        "held": [(role_token(actor), _named(names, actor)) for actor in held],
        "proof": proof_fields(request),
        "days": _DAYS_USUAL,
        "days_max": DAYS_MAX,
        "given": request.POST,
    }
    return render(request, "accounts/tokens.html", context, status=status)


def _named(names: dict[str, str], actor: Actor) -> str:
    name = names.get(actor.role, actor.role)
    return f"{name}, {actor.site}" if actor.site else name


ROUTES: tuple[Route, ...] = (
    Route("tokens/", show_tokens, "tokens", AnyRole(), posts=True),
    Route("tokens/<int:number>/revoke/", revoke_token, "revoke_token", AnyRole(), posts=True),
)
