"""Sessions and their accounts, each found with a statement that is written down and not composed.

Every request looks up both, for a session may be revoked and an account closed at any moment. To compose the
two statements anew each time takes longer than to answer them.
"""

from __future__ import annotations

from typing import Any, Final

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session

from equipoise.conduct.clock import read_system_clock
from equipoise.web.accounts.models import Account

_SESSION: Final = "SELECT * FROM django_session WHERE session_key = %s"
_ACCOUNT: Final = "SELECT * FROM account WHERE id = %s"


class SessionStore(db.SessionStore):
    """Django's sessions in a database, read faster."""

    def _get_session_from_db(self) -> Session | None:
        for session in Session.objects.raw(_SESSION, [self.session_key]):
            if session.expire_date > read_system_clock():
                return session
        self._session_key = None
        return None


class AccountBackend(AuthenticationBackend):  # type: ignore[misc]
    """allauth's way of knowing who somebody is, with the account of a session read faster."""

    def get_user(self, user_id: Any) -> Account | None:
        """Return the account of a session, unless it was closed."""
        for account in Account.objects.raw(_ACCOUNT, [user_id]):
            return account if account.is_active else None
        return None
