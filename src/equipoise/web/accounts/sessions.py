"""Sessions and their accounts, found together, with one statement that is written down and not composed.

Every request looks up both, for a session may be revoked and an account closed at any moment. To compose two
statements anew each time takes longer than to answer them.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import cache
from typing import Any, Final

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.sessions.backends import db
from django.db import connection

from equipoise.conduct.clock import read_system_clock
from equipoise.web.accounts.models import Account

_FIELDS = Account._meta.concrete_fields
_NAMES = [each.attname for each in _FIELDS]
_COLUMNS: Final = ", ".join(f"account.{each.column}" for each in _FIELDS)
# Whose session it is stands in what is sealed in it. Beside it allauth keeps a table of sessions by account:
# with that the account comes along, and where it is another, or none, it is looked up by itself.
_SESSION: Final = (
    f"SELECT django_session.session_data, {_COLUMNS} FROM django_session"
    " LEFT JOIN usersessions_usersession known ON known.session_key = django_session.session_key"
    " LEFT JOIN account ON account.id = known.user_id"
    " WHERE django_session.session_key = %s AND django_session.expire_date > %s"
)
_ACCOUNT: Final = f"SELECT {_COLUMNS} FROM account WHERE id = %s"

_came_along: ContextVar[Account | None] = ContextVar("account that came along with a session", default=None)


class SessionStore(db.SessionStore):
    """Django's sessions in a database, read faster."""

    def load(self) -> dict[str, Any]:
        """Return what a session holds, nothing where there is none that is valid; its account comes along."""
        now = connection.ops.adapt_datetimefield_value(read_system_clock())
        rows = _fetch(_SESSION, [self.session_key, now])
        _came_along.set(_account(rows[0][1:]) if rows else None)
        if not rows:
            self._session_key = None
            return {}
        held: dict[str, Any] = self.decode(rows[0][0])
        return held


class AccountBackend(AuthenticationBackend):  # type: ignore[misc]
    """allauth's way of knowing who somebody is, with the account of a session read faster."""

    def get_user(self, user_id: Any) -> Account | None:
        """Return the account of a session, unless it was closed."""
        found = _came_along.get()
        # It is as it was when the session was read, and for whoever reads the session no more than once.
        _came_along.set(None)
        if found is None or found.pk != user_id:
            return find_account(user_id)
        return found if found.is_active else None


def find_account(number: Any) -> Account | None:
    """Return an account as it is now, unless it was closed."""
    rows = _fetch(_ACCOUNT, [number])
    found = _account(rows[0]) if rows else None
    return found if found is not None and found.is_active else None


def _fetch(statement: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _account(row: tuple[Any, ...]) -> Account | None:
    if row[0] is None:
        return None
    values = list(row)
    for place, convert in _converters(connection.vendor):
        values[place] = convert(values[place])
    return Account.from_db(connection.alias, _NAMES, values)


@cache
def _converters(vendor: str) -> tuple[tuple[int, Callable[[Any], Any]], ...]:
    """Return what makes of a column what its field holds, by the place of the column."""
    return tuple(
        (place, lambda value, field=field, convert=convert: convert(value, field, connection))
        for place, field in enumerate(_FIELDS)
        for convert in connection.ops.get_db_converters(field.get_col(Account._meta.db_table))
    )
