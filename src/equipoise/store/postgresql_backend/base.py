"""PostgreSQL for a trial: connections end with their thread, are replaced when lost, and never inherited.

What a session is told (its schema, durability, time-outs) stands in `equipoise.store.setup`.
"""

from __future__ import annotations

import os
from typing import Any
from weakref import WeakSet

import psycopg
from django.db.backends.postgresql import base

from equipoise.ledger.protocol import StoreUnavailable


class _Connection(psycopg.Connection[Any]):
    """A connection that closes itself when it is dropped, as that of a thread is when the thread ends."""

    def __del__(self, _warn: Any = None, /) -> None:
        # One that failed to open has nothing to close.
        if hasattr(self, "pgconn"):
            self.close()


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's wrapper of a PostgreSQL connection, for trials and clinics."""

    def get_new_connection(self, conn_params: Any) -> _Connection:
        """Connect; a process that was forked within a transaction is refused."""
        if self in _FORKED_WITHIN:
            raise StoreUnavailable(
                "STORE-FORKED",
                "This process was forked from one that was recording, and must not use the database. Start "
                "the process before the transaction, or as a new one.",
            )
        connection = _Connection.connect(**conn_params)
        _CONNECTED.add(self)
        return connection

    def ensure_connection(self) -> None:
        """Connect where there is no connection, or where it was lost outside a transaction."""
        if self.connection is not None and self.connection.closed and not self.in_atomic_block:
            self.close()
        super().ensure_connection()


_CONNECTED: WeakSet[DatabaseWrapper] = WeakSet()
"""The wrappers of all threads that have, or had, a connection."""

_FORKED_WITHIN: WeakSet[DatabaseWrapper] = WeakSet()
"""Those whose thread was in a transaction, which is the parent's, when this process was forked."""


def _give_up_inherited() -> None:
    # A word from the child, were it only farewell, would be one from the parent's session; and a socket that
    # the child held open would keep the session, and what it locked, after the parent's death. What the child
    # may still say through it goes nowhere.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for wrapper in list(_CONNECTED):
        if wrapper.connection is None:
            continue
        if not wrapper.connection.closed:
            os.dup2(nowhere, wrapper.connection.fileno(), inheritable=False)
        wrapper.connection = None
        if wrapper.in_atomic_block:
            _FORKED_WITHIN.add(wrapper)
    os.close(nowhere)


os.register_at_fork(after_in_child=_give_up_inherited)
