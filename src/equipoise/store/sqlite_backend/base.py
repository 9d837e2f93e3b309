"""SQLite for a trial: durable commits, values read back untouched, connections that end with their thread."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any
from weakref import WeakSet

from django.db import connections
from django.db.backends.sqlite3 import base

from equipoise.ledger.protocol import StoreUnavailable

_PRAGMAS = (
    # An acknowledged commit survives a power cut.
    "PRAGMA synchronous = FULL",
    # A schema that somebody tampered with must not run functions.
    "PRAGMA trusted_schema = OFF",
)


class _Connection(sqlite3.Connection):
    """A connection that closes itself when it is dropped, as that of a thread is when the thread ends."""

    def __del__(self) -> None:
        # One that failed to open cannot be closed.
        with suppress(sqlite3.ProgrammingError):
            self.close()


class _Cursor(base.SQLiteCursorWrapper):
    """Django's cursor, which need not rewrite a statement that it has rewritten before."""

    def convert_query(self, query: str, *, param_names: Any = None) -> str:
        """Return a statement with SQLite's own marks for its parameters."""
        if param_names is None:
            return _to_marks(query)
        converted: str = super().convert_query(query, param_names=param_names)
        return converted


@lru_cache(maxsize=512)
def _to_marks(query: str) -> str:
    return base.FORMAT_QMARK_REGEX.sub("?", query).replace("%%", "%")


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper of a SQLite connection, for trials and vaults."""

    def get_connection_params(self) -> dict[str, Any]:
        """Return the arguments of sqlite3.connect."""
        # Without converters a boolean that was edited to 7 is read as 7.
        return super().get_connection_params() | {"detect_types": 0, "factory": _Connection}

    def create_cursor(self, name: str | None = None) -> _Cursor:
        """Return a new cursor."""
        cursor: _Cursor = self.connection.cursor(factory=_Cursor)
        return cursor

    def get_new_connection(self, conn_params: Any) -> sqlite3.Connection:
        """Connect; a file that another process opened before it forked this one is refused."""
        if self.alias in _INHERITED:
            raise StoreUnavailable(
                "STORE-FORKED",
                "This process was forked from one that was using the database, and must not use it. Start "
                "the process before the database is opened, or as a new one.",
            )
        connection: sqlite3.Connection = super().get_new_connection(conn_params)
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        # An edited byte may leave a text that is no UTF-8: verification must read it to name it.
        connection.text_factory = partial(str, encoding="utf-8", errors="surrogateescape")
        _CONNECTED.add(self)
        return connection


_CONNECTED: WeakSet[DatabaseWrapper] = WeakSet()
"""The wrappers of all threads that have, or had, a connection."""

_INHERITED: dict[str, list[Any]] = {}
"""What a forked process must neither use nor close, by alias."""


def _close_idle() -> None:
    # SQLite's locks belong to a process, its record of them to memory: a connection that crosses a fork makes
    # the child believe in locks that it does not hold, and the trial can be lost. Those of this thread can be
    # closed, and are opened anew when they are needed.
    for wrapper in connections.all(initialized_only=True):
        if isinstance(wrapper, DatabaseWrapper) and not wrapper.in_atomic_block:
            wrapper.close()


def _give_up_inherited() -> None:
    # Connections of the parent's other threads, or within a transaction, could not be closed before. SQLite
    # must not open their files a second time in this process.
    for wrapper in list(_CONNECTED):
        if wrapper.connection is not None:
            _INHERITED.setdefault(wrapper.alias, []).append(wrapper.connection)
            wrapper.connection = None


os.register_at_fork(before=_close_idle, after_in_child=_give_up_inherited)
