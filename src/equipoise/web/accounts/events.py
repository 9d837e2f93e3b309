"""Who came, who did not get in, who took something away: the access log (ICH E6(R3) 4.2.2(a)(i))."""

from __future__ import annotations

from typing import Literal

from django.http import HttpRequest

from equipoise.web.accounts.models import AccessEvent
from equipoise.web.clinic import current_clinic

What = Literal[
    "account_made",
    "account_closed",
    "account_reopened",
    "name_changed",
    "invited",
    "password_set",
    "login",
    "login_failed",
    "logout",
    "sessions_ended",
    "proof_failed",
    "factor_added",
    "factor_removed",
    "token_made",
    "token_revoked",
    "token_failed",
    "identity_read",
    "allocation_read",
    "copy_taken",
    "scan_taken",
]


def note_access(
    request: HttpRequest | None, what: What, account: str, *, by: str = "", detail: str = ""
) -> None:
    """Put on record that something happened to an account, or by it; `detail` holds no value of the trial."""
    AccessEvent.objects.create(
        happened_at=current_clinic().now(),
        what=what,
        account=account,
        by=by,
        address=(request.META.get("REMOTE_ADDR") or "") if request is not None else "",
        detail=detail[:200],
    )
