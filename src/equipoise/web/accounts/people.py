"""What is done with accounts: made, invited, closed, their sessions ended. Each act is in the access log."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from hashlib import sha256

from allauth.usersessions.models import UserSession
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _

from equipoise.access.refusal import Refusal
from equipoise.conduct.entropy import SystemEntropy
from equipoise.web.accounts.events import note_access
from equipoise.web.accounts.models import Account, ApiToken, Invitation

INVITATION_HOURS = 72
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9._-]{1,62}[a-z0-9]")
_SECRET_BYTES = 32


def make_secret() -> str:
    """Return a secret that nobody can guess, for a link or a program."""
    return urlsafe_b64encode(SystemEntropy().token(_SECRET_BYTES)).decode().rstrip("=")


def hash_of(secret: str) -> str:
    """Return what is kept of a secret."""
    return sha256(secret.encode()).hexdigest()


def make_account(
    request: HttpRequest | None, username: str, printed_name: str, email: str, *, by: str, now: datetime
) -> Account | Refusal:
    """Make an account without a password; its owner sets one by invitation."""
    if not _ACCOUNT.fullmatch(username):
        sentence = _("An account's name has 3 to 64 small letters, digits, dots, hyphens and underscores.")
        return Refusal("WEB-ACCOUNT-NAME", sentence, _("Choose another name for the account."))
    if not printed_name:
        sentence = _("A signature shows the printed name, and there is none.")
        return Refusal("WEB-PRINTED-NAME", sentence, _("Write the person's whole name."))
    try:
        with transaction.atomic():
            account = Account(username=username, printed_name=printed_name, email=email, created_at=now)
            account.set_unusable_password()
            account.save()
    except IntegrityError:
        sentence = _("There is an account of this name already; a name is never given again.")
        return Refusal("WEB-ACCOUNT-TAKEN", sentence, _("Choose another name for the account."))
    note_access(request, "account_made", username, by=by)
    return account


def invite(request: HttpRequest | None, account: Account, *, by: str, now: datetime) -> str:
    """Return the secret of a new invitation; earlier ones of this account hold no more."""
    secret = make_secret()
    Invitation.objects.filter(account=account, used_at=None).update(used_at=now)
    Invitation.objects.create(
        account=account,
        token_hash=hash_of(secret),
        made_by=by,
        expires_at=now + timedelta(hours=INVITATION_HOURS),
    )
    note_access(request, "invited", account.username, by=by)
    return secret


def find_invitation(secret: str, now: datetime) -> Invitation | None:
    """Return the invitation of a secret, if it holds."""
    found = Invitation.objects.select_related("account").filter(token_hash=hash_of(secret)).first()
    if found is None or found.used_at is not None or found.expires_at <= now or not found.account.is_active:
        return None
    return found


def accept_invitation(
    request: HttpRequest, invitation: Invitation, password: str, again: str, now: datetime
) -> tuple[str, ...]:
    """Set the password of an invited account, and return what is wrong with it instead."""
    account = invitation.account
    if password != again:
        return (_("The two passwords differ."),)
    try:
        validate_password(password, account)
    except ValidationError as error:
        return tuple(error.messages)
    account.set_password(password)
    account.password_set_at = now
    account.save()
    invitation.used_at = now
    invitation.save(update_fields=["used_at"])
    end_sessions(account)
    note_access(request, "password_set", account.username, by=account.username)
    return ()


def end_sessions(account: Account) -> int:
    """End every session of an account, and return how many there were."""
    sessions = list(UserSession.objects.filter(user=account))
    for session in sessions:
        session.end()
    return len(sessions)


def close_account(request: HttpRequest, account: Account, *, by: str, now: datetime) -> None:
    """Let nobody in with this account any more: its sessions end, its tokens are revoked."""
    account.is_active = False
    account.save(update_fields=["is_active"])
    end_sessions(account)
    ApiToken.objects.filter(account=account, revoked_at=None).update(revoked_at=now)
    note_access(request, "account_closed", account.username, by=by)


def reopen_account(request: HttpRequest, account: Account, *, by: str) -> None:
    """Let the owner of a closed account in again."""
    account.is_active = True
    account.save(update_fields=["is_active"])
    note_access(request, "account_reopened", account.username, by=by)
