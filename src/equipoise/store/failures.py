"""The database's failures, as errors of the house with a code for each kind of remedy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError, DataError, IntegrityError, OperationalError

from equipoise.ledger.protocol import StoreUnavailable

_BUSY = (
    "STORE-BUSY",
    "Another process kept the database busy for too long. Nothing was recorded; try again.",
)
_FULL = ("STORE-FULL", "The disk is full. Nothing was recorded; make room and record again.")
_DAMAGED = (
    "STORE-DAMAGED",
    "The database is damaged. Nothing was recorded; restore it from a backup.",
)
_BY_SQLITE_CODE: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_READONLY: (
        "STORE-READ-ONLY",
        "The database cannot be written. Nothing was recorded; correct the permissions of it and its folder.",
    ),
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_CANTOPEN: (
        "STORE-UNREACHABLE",
        "The database cannot be opened. Nothing was recorded; check that the file is there, and the "
        "permissions of it and of its folder.",
    ),
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}

_LOST = (
    "STORE-UNREACHABLE",
    "The database server cannot be reached, refused the connection, or ended it. Nothing was recorded; check "
    "that the server runs, and the setting that names the database.",
)
_TEXT = (
    "STORE-TEXT",
    "A text holds a character that the database cannot keep. Nothing was recorded; correct the text.",
)
# By SQLSTATE, or by its class of two characters (PostgreSQL, appendix A).
_BY_SQLSTATE: dict[str, tuple[str, str]] = {
    "55P03": _BUSY,
    "57014": _BUSY,
    "40001": _BUSY,
    "40P01": _BUSY,
    "53300": _BUSY,
    "53100": _FULL,
    "25006": (
        "STORE-READ-ONLY",
        "The database cannot be written: its server is a standby, or was made read-only. Nothing was "
        "recorded; name the server that can be written.",
    ),
    "42501": (
        "STORE-DENIED",
        "The account lacks a right in the database. Nothing was recorded; use the account that owns the "
        "trial.",
    ),
    "22021": _TEXT,
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
    "08": _LOST,
    "28": _LOST,
    "57P01": _LOST,
    "57P02": _LOST,
    "57P03": _LOST,
    "25P03": _LOST,
    "3D000": _LOST,
}


class StoreUnreadable(Exception):
    """What was named is not a trial's database, cannot become one, or cannot be named so."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
        super().__init__(f"{code}: {sentence}")


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


def uncertain() -> StoreUnavailable:
    """Return the error for a connection that was lost between a commit and its answer."""
    return StoreUnavailable(
        "STORE-UNCERTAIN",
        "The connection to the database was lost before it answered. Whether this was recorded is not known: "
        "look at the trial before you record it again.",
    )


def _unavailable(error: DatabaseError | sqlite3.Error) -> StoreUnavailable:
    cause = error if isinstance(error, sqlite3.Error) else error.__cause__
    known = _by_sqlstate(error, cause) if hasattr(cause, "sqlstate") else _by_sqlite_code(cause)
    if known is not None:
        return StoreUnavailable(*known)
    return StoreUnavailable(
        "STORE-FAILED",
        f"The database failed ({type(error).__name__}). Nothing was recorded; verify the trial.",
    )


def _by_sqlite_code(cause: BaseException | None) -> tuple[str, str] | None:
    # The low byte is the primary result code, the rest tells its variants apart.
    return _BY_SQLITE_CODE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)


def _by_sqlstate(error: BaseException, cause: BaseException | None) -> tuple[str, str] | None:
    state = getattr(cause, "sqlstate", None)
    if state is not None:
        return _BY_SQLSTATE.get(state) or _BY_SQLSTATE.get(state[:2])
    # What the driver finds by itself has no such code: that there is no connection, or a NUL within a text.
    if isinstance(error, OperationalError):
        return _LOST
    return _TEXT if isinstance(error, DataError) else None
