"""Proof of who signs: the account's password, and its second factor where it has one (21 CFR 11.200)."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.core import ratelimit
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.utils.translation import gettext as _

from equipoise.access.refusal import Refusal
from equipoise.web.accounts.events import note_access
from equipoise.web.request import ClinicRequest


@dataclass(frozen=True, slots=True)
class ProofField:
    """One component of the proof."""

    name: str
    label: str
    kind: str


def proof_fields(request: ClinicRequest) -> tuple[ProofField, ...]:
    """Return what the signer is asked for."""
    password = ProofField("proof_password", _("Your password"), "password")
    if _authenticator(request) is None:
        return (password,)
    return (password, ProofField("proof_code", _("Code of your authenticator"), "code"))


def check_proof(request: ClinicRequest) -> Refusal | None:
    """Refuse a signature whose signer did not prove who they are; wrong proofs count as failed log-ins."""
    if not ratelimit.consume(request, action="login_failed", key=request.user.username, dry_run=True):
        sentence = _("Too many wrong passwords were given. Nothing was signed.")
        return Refusal("WEB-PROOF-LOCKED", sentence, _("Wait a quarter of an hour and try again."))
    authenticator = _authenticator(request)
    proved = request.user.check_password(request.POST.get("proof_password", ""))
    if proved and authenticator is not None:
        proved = TOTP(authenticator).validate_code(request.POST.get("proof_code", "").strip())
    if proved:
        return None
    ratelimit.consume(request, action="login_failed", key=request.user.username)
    note_access(request, "proof_failed", request.user.username)
    sentence = _("The proof of who you are was not right. Nothing was signed.")
    return Refusal("WEB-PROOF", sentence, _("Give your own password, and the code where one is asked for."))


def _authenticator(request: ClinicRequest) -> Authenticator | None:
    found: Authenticator | None = Authenticator.objects.filter(
        user=request.user, type=Authenticator.Type.TOTP
    ).first()
    return found
