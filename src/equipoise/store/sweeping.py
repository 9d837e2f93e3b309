"""Sweeping: what was blotted out leaves the file of a trial too, with its free pages and its log.

SQLite leaves what was overwritten in pages that it no longer uses, and in the write-ahead log. The file is
therefore written anew. That it is to be is noted in the transaction that blots out, in the file's own header:
where a process ends before it has swept, the next one that opens the trial does.
"""

from __future__ import annotations

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from equipoise.ledger.protocol import StoreUnavailable
from equipoise.store.failures import storage_errors
from equipoise.store.rows import Cursor

_ASK = "PRAGMA user_version = 1"
_DONE = "PRAGMA user_version = 0"
_ASKED = "PRAGMA user_version"


def ask_for_sweep(connection: BaseDatabaseWrapper, cursor: Cursor) -> None:
    """Note in a transaction that the file is to be swept; PostgreSQL sweeps where its owner says so."""
    if connection.vendor == "sqlite":
        cursor.execute("PRAGMA secure_delete = ON", ())
        cursor.execute(_ASK, ())


def is_to_be_swept(alias: str) -> bool:
    """Tell whether something was blotted out of a file, and the file was not swept since."""
    if connections[alias].vendor != "sqlite":
        return False
    with storage_errors(), connections[alias].cursor() as cursor:
        cursor.execute(_ASKED)
        return bool(cursor.fetchone()[0])


def sweep(alias: str) -> bool:
    """Write a file anew if it is to be swept; False where somebody still reads what it was.

    What fails leaves the file to be swept by who opens it next.
    """
    try:
        if not is_to_be_swept(alias):
            return True
        if not write_anew(alias):
            return False
        with storage_errors(), connections[alias].cursor() as cursor:
            cursor.execute(_DONE)
    except StoreUnavailable:
        return False
    return True


def write_anew(alias: str) -> bool:
    """Write a SQLite file anew, without what it no longer uses; False where somebody still reads that.

    Raises StoreUnavailable. PostgreSQL has its own means, which take its owner.
    """
    if connections[alias].vendor != "sqlite":
        return True
    with storage_errors(), connections[alias].cursor() as cursor:
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        busy, _, _ = cursor.fetchone()
        return not busy
