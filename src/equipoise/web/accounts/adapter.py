"""How allauth behaves in the clinic."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest

from equipoise.store.sealing import Sealer
from equipoise.web.accounts.events import What, note_access
from equipoise.web.accounts.models import Account
from equipoise.web.clinic import current_clinic

_FACTOR = "second factor"
_FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
_FACTOR_EVENTS: Mapping[str, What] = {
    "mfa/email/totp_activated": "factor_added",
    "mfa/email/totp_deactivated": "factor_removed",
    "mfa/email/webauthn_added": "factor_added",
    "mfa/email/webauthn_removed": "factor_removed",
    "mfa/email/recovery_codes_generated": "factor_added",
}
"""Of which events allauth would tell an account's owner by mail, and what the access log says instead."""


def note_factor(template: str, account: Account) -> None:
    """Put on record that a second factor was added or removed, by the mail that allauth has for it."""
    if template in _FACTOR_EVENTS:
        what, kind = _FACTOR_EVENTS[template], template.rsplit("/", 1)[-1].split("_", maxsplit=1)[0]
        note_access(None, what, account.username, by=account.username, detail=kind)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up, an administrator makes the accounts; who comes and who fails to is on record."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False."""
        return False

    def login(self, request: HttpRequest, user: Account) -> None:
        """Let somebody in."""
        super().login(request, user)
        note_access(request, "login", user.username)

    def logout(self, request: HttpRequest) -> None:
        """Let somebody out."""
        name = request.user.get_username()
        super().logout(request)
        if name:
            note_access(request, "logout", name)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Note an attempt; a name that no account has is not kept, it may be a password."""
        known = Account.objects.filter(username__iexact=str(credentials.get("username", ""))).first()
        note_access(request, "login_failed", known.username if known else "")

    def set_password(self, user: Account, password: str) -> None:
        """Set a password and note when."""
        user.password_set_at = current_clinic().now()
        super().set_password(user, password)
        note_access(None, "password_set", user.username, by=user.username)

    def send_notification_mail(self, template_prefix: str, user: Account, *args: Any, **kwargs: Any) -> None:
        """Send nothing, as the clinic writes no mail; what happens to a second factor is on record."""
        note_factor(template_prefix, user)


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors: what they rest on is kept sealed under the clinic's key."""

    def encrypt(self, text: str) -> str:
        """Return a secret as it is kept."""
        nonce, ciphertext = self._sealer().seal(_FACTOR, text.encode())
        return f"{b64encode(nonce).decode()}.{b64encode(ciphertext).decode()}"

    def decrypt(self, encrypted_text: str) -> str:
        """Return a secret that was kept."""
        parts = [b64decode(part) for part in encrypted_text.split(".")]
        return self._sealer().open(_FACTOR, parts).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Tell whether a factor may be removed; in a live trial one must stay."""
        others = Authenticator.objects.filter(user=authenticator.user, type__in=_FACTORS)
        return current_clinic().row.mode != "live" or others.exclude(pk=authenticator.pk).exists()

    def send_notification_mail(self, template_prefix: str, user: Account, *args: Any, **kwargs: Any) -> None:
        """Send nothing, likewise."""
        note_factor(template_prefix, user)

    def _sealer(self) -> Sealer:
        return Sealer(sha256(f"{_FACTOR} {settings.SECRET_KEY}".encode()).digest())
