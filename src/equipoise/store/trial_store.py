"""A trial's database as a whole: made, opened, and read back raw for verification."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.db import connections, transaction

from equipoise.ledger.chain import StoredRecord
from equipoise.ledger.entry import GENESIS, Head
from equipoise.ledger.protocol import StoreUnavailable
from equipoise.ledger.tables import Row
from equipoise.store import setup
from equipoise.store.failures import storage_errors
from equipoise.store.ledger import DatabaseLedger, bytes_of
from equipoise.store.rows import ROW_TYPES, Kept, encode_rows, read_table

_SQLITE_MAGIC = b"SQLite format 3\x00"
_OWN_TABLES = frozenset({"ledger", "ledger_head", "study_definition", "django_migrations"})

_SCHEMA = "schema"
_HEADS = "list of heads"
# What no entry leads to: each is to be as in a trial that was made this moment.
_STRUCTURE = {
    _SCHEMA: "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name",
    "list of migrations": "SELECT id, app, name, applied FROM django_migrations ORDER BY id",
    "list of counters": "SELECT name, seq FROM sqlite_sequence ORDER BY name",
    _HEADS: "SELECT id FROM ledger_head ORDER BY id",
}

_Structure = dict[str, list[tuple[object, ...]]]


class StoreUnreadable(Exception):
    """The file is not a trial's database, or cannot become one."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
        super().__init__(f"{code}: {sentence}")


class TrialStore:
    """One trial in one database: its ledger, its current-state tables, its definition."""

    def __init__(self, path: Path, alias: str) -> None:
        self.path = path
        self.ledger = DatabaseLedger(alias)
        self._alias = alias

    @classmethod
    def create(cls, path: Path, definition_hash: str, canonical: bytes) -> TrialStore:
        """Make a new trial's database, readable by its owner only.

        Raises StoreUnreadable: STORE-EXISTS (a file is there already), STORE-FOLDER (none can be made there).
        """
        claim_file(path)
        alias = setup.connect_sqlite(path)
        try:
            with storage_errors():
                setup.let_readers_go_on(alias)
                setup.migrate(alias, setup.TRIAL_APP)
                with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
                    cursor.execute(
                        "INSERT INTO study_definition (hash, canonical) VALUES (%s, %s)",
                        [definition_hash, canonical.decode()],
                    )
                    cursor.execute(
                        "INSERT INTO ledger_head (id, position, hash) VALUES (1, 0, %s)", [GENESIS]
                    )
        except BaseException:
            setup.close(alias)
            path.unlink()
            raise
        return cls(path, alias)

    @classmethod
    def open(cls, path: Path) -> TrialStore:
        """Open a trial's database.

        Raises StoreUnreadable: STORE-MISSING, STORE-UNREACHABLE, STORE-NOT-A-TRIAL, STORE-DAMAGED,
        STORE-RELEASE.
        """
        check_sqlite_file(path)
        alias = setup.connect_sqlite(path)
        try:
            with storage_errors():
                _check_tables(path, set(connections[alias].introspection.table_names()))
                setup.let_readers_go_on(alias)
        except StoreUnavailable as failure:
            setup.close(alias)
            if failure.code != "STORE-DAMAGED":
                raise
            raise StoreUnreadable(
                "STORE-DAMAGED", f"{path.name} cannot be read as a database. Restore it from a backup."
            ) from failure
        except StoreUnreadable:
            setup.close(alias)
            raise
        return cls(path, alias)

    def close(self) -> None:
        """Close this thread's connection; it opens again when the trial is used."""
        setup.close(self._alias)

    def definitions(self) -> dict[str, bytes]:
        """Return the canonical JSON of every definition kept here, by the hash it is kept under."""
        rows = self._rows("SELECT hash, canonical FROM study_definition ORDER BY hash")
        return {bytes_of(digest).decode(errors="replace"): bytes_of(canonical) for digest, canonical in rows}

    def records(self) -> Iterator[StoredRecord]:
        """Iterate over the ledger as it is kept, unchecked."""
        return self.ledger.records()

    def head(self) -> Head:
        """Return the head as it is kept."""
        return self.ledger.head()

    def row_types(self) -> tuple[type[Row], ...]:
        """Return every row type that has a table here."""
        return ROW_TYPES

    def differing_rows(self, row_type: type[Row], expected: Sequence[Row]) -> list[str]:
        """Compare a table with the rows that the ledger leads to, and name the keys of those that differ."""
        with storage_errors(), connections[self._alias].cursor() as cursor:
            found = read_table(cursor, row_type)
        wanted = encode_rows(row_type, expected)
        differing = [key for key in found.keys() | wanted.keys() if _differ(found.get(key), wanted.get(key))]
        return [_describe(key, found, wanted) for key in sorted(differing, key=repr)]

    def structure_problems(self) -> list[str]:
        """Say where the database's structure is not what this release makes: damage, other tables, triggers.

        Each line completes the sentence 'The storage has ...'; one with 'cannot be read' says that no more
        can be found.
        """
        try:
            damage = [str(line) for (line,) in self._rows("PRAGMA integrity_check(10)") if line != "ok"]
            found = {what: self._rows(statement) for what, statement in _STRUCTURE.items()}
            if damage:
                self._read_everything()
        except StoreUnavailable as failure:
            return [f"a database that cannot be read ({failure.code})"]
        differences = _compare_structure(found, _expected_structure())
        return [*(f"damage: {line}" for line in damage), *differences]

    def _read_everything(self) -> None:
        list(self.records())
        self.definitions()
        for row_type in ROW_TYPES:
            self.differing_rows(row_type, ())

    def _rows(self, statement: str) -> list[tuple[Any, ...]]:
        with storage_errors(), connections[self._alias].cursor() as cursor:
            cursor.execute(statement)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows


def claim_file(path: Path) -> None:
    """Make an empty file that only its owner can read; raises StoreUnreadable where that cannot be."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR))
    except FileExistsError:
        raise StoreUnreadable(
            "STORE-EXISTS", f"{path.name} is there already. Choose another folder, or move it."
        ) from None
    except OSError as error:
        raise StoreUnreadable(
            "STORE-FOLDER", f"{path.name} cannot be made there ({error.strerror}). Correct the folder."
        ) from error


def snapshot(source: Path, target: Path) -> None:
    """Copy a trial's database while it is in use, whole and consistent (SQLite's online backup).

    Raises StoreUnreadable: STORE-EXISTS and STORE-FOLDER for the target, STORE-MISSING, STORE-UNREACHABLE
    and STORE-NOT-A-TRIAL for the source.
    """
    check_sqlite_file(source)
    claim_file(target)
    try:
        with (
            storage_errors(),
            closing(sqlite3.connect(f"file:{quote(str(source.resolve()))}?mode=ro", uri=True)) as reading,
            closing(sqlite3.connect(target)) as writing,
        ):
            reading.backup(writing)
    except BaseException:
        target.unlink()
        raise


def check_sqlite_file(path: Path) -> None:
    """Raise StoreUnreadable for what is no SQLite database: missing, unreachable, empty, something else."""
    if not path.exists():
        raise StoreUnreadable("STORE-MISSING", f"There is no trial at {path.name}. Check the path.")
    try:
        with path.open("rb") as file:
            magic = file.read(len(_SQLITE_MAGIC))
    except OSError as error:
        raise StoreUnreadable(
            "STORE-UNREACHABLE",
            f"{path.name} cannot be opened ({error.strerror}). Name a file that you may read.",
        ) from error
    if magic != _SQLITE_MAGIC:
        what = "is not a SQLite database" if magic else "is empty"
        raise StoreUnreadable("STORE-NOT-A-TRIAL", f"{path.name} {what}. Name the trial.sqlite of a trial.")


def _check_tables(path: Path, tables: set[str]) -> None:
    if not tables >= _OWN_TABLES:
        raise StoreUnreadable(
            "STORE-NOT-A-TRIAL", f"{path.name} holds no ledger. Name the trial.sqlite of a trial."
        )
    if not tables >= {row_type.table for row_type in ROW_TYPES}:
        raise StoreUnreadable(
            "STORE-RELEASE",
            f"{path.name} lacks tables that this release keeps. Use the release that it was made with.",
        )


def _differ(found: tuple[object, ...] | None, wanted: tuple[object, ...] | None) -> bool:
    if found is None or wanted is None:
        return True
    # SQLite keeps a boolean as 0 or 1, which is equal to it; a blob is never equal to a text.
    return found != wanted


def _describe(key: tuple[object, ...], found: Kept, wanted: Kept) -> str:
    name = "/".join(str(part) for part in key).encode("utf-8", "backslashreplace").decode()
    if key not in wanted:
        return f"{name} is not in the ledger"
    return f"{name} is missing" if key not in found else f"{name} was changed"


@cache
def _expected_structure() -> _Structure:
    alias = setup.connect_memory()
    expected: _Structure = {}
    try:
        setup.migrate(alias, setup.TRIAL_APP)
        with connections[alias].cursor() as cursor:
            for what, statement in _STRUCTURE.items():
                cursor.execute(statement)
                expected[what] = cursor.fetchall()
    finally:
        setup.discard(alias)
    return expected | {_HEADS: [(1,)]}


def _compare_structure(found: _Structure, expected: _Structure) -> Iterator[str]:
    schema, expected_schema = set(found[_SCHEMA]), set(expected[_SCHEMA])
    for kind, name, *_ in sorted(schema - expected_schema, key=repr):
        yield f"an unexpected {kind} {name}"
    for kind, name, *_ in sorted(expected_schema - schema, key=repr):
        yield f"a missing {kind} {name}"
    for what in _STRUCTURE:
        if what != _SCHEMA and found[what] != expected[what]:
            yield f"another {what} than this release makes"
