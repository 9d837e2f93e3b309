"""The database's failures, as errors of the house with a code for each kind of remedy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, IntegrityError

from equipoise.ledger.protocol import StoreUnavailable

_BY_SQLITE_CODE: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_BUSY: (
        "STORE-BUSY",
        "Another process kept the database busy for too long. Nothing was recorded; try again.",
    ),
    sqlite3.SQLITE_READONLY: (
        "STORE-READ-ONLY",
        "The database cannot be written. Nothing was recorded; correct the permissions of it and its folder.",
    ),
    sqlite3.SQLITE_FULL: (
        "STORE-FULL",
        "The disk is full. Nothing was recorded; make room and record again.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "STORE-UNREACHABLE",
        "The database cannot be opened. Nothing was recorded; check that the file is there, and the "
        "permissions of it and of its folder.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "STORE-DAMAGED",
        "The database is damaged. Nothing was recorded; restore it from a backup.",
    ),
    sqlite3.SQLITE_NOTADB: (
        "STORE-DAMAGED",
        "The database is damaged. Nothing was recorded; restore it from a backup.",
    ),
}


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn the database's failures into StoreUnavailable."""
    try:
        yield
    except IntegrityError as error:
        raise inconsistent() from error
    except (DatabaseError, sqlite3.Error) as error:
        raise _unavailable(error) from error


def inconsistent() -> StoreUnavailable:
    """Return the error for tables that do not stand where the ledger led them."""
    return StoreUnavailable(
        "STORE-INCONSISTENT",
        "The trial's tables or the head of its ledger were changed from outside. Nothing was recorded; "
        "verify the trial.",
    )


def _unavailable(error: DatabaseError | sqlite3.Error) -> StoreUnavailable:
    cause = error if isinstance(error, sqlite3.Error) else error.__cause__
    # The low byte is the primary result code, the rest tells its variants apart.
    code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
    if code in _BY_SQLITE_CODE:
        return StoreUnavailable(*_BY_SQLITE_CODE[code])
    return StoreUnavailable(
        "STORE-FAILED",
        f"The database failed ({type(error).__name__}). Nothing was recorded; verify the trial.",
    )
