"""The accounts of a rehearsed trial's cast, all with one password that everybody knows."""

from __future__ import annotations

from django.contrib.auth.hashers import make_password

from equipoise.access.refusal import Refusal, Refused
from equipoise.governance.state import GrantRow
from equipoise.web.accounts.models import Account
from equipoise.web.clinic import Clinic


def make_cast(clinic: Clinic, password: str) -> list[GrantRow]:
    """Make an account for everybody who holds a role, where there is none, and return the roles held.

    Raises Refused (WEB-LIVE) for a live trial.
    """
    if clinic.row.mode != "rehearsal":
        sentence = "A password that everybody knows is for rehearsed trials only, and this one is live."
        raise Refused(Refusal("WEB-LIVE", sentence, "Invite people: equipoise invite."))
    held = [row for row in clinic.trial.tables.all(GrantRow) if row.revoked_at is None]
    # One hash for all: to make one takes as long as it is to take an attacker.
    encoded = make_password(password)
    known = set(Account.objects.values_list("username", flat=True))
    first = {row.account: row for row in reversed(held) if row.account not in known}
    Account.objects.bulk_create(
        Account(
            username=row.account,
            # Nobody is behind it: a name of a person would be an invented one.
            printed_name=row.account,
            password=encoded,
            created_at=clinic.now(),
            password_set_at=clinic.now(),
        )
        for row in first.values()
    )
    return held
