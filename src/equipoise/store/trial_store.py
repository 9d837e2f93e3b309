"""A trial's database as a whole: made, opened, and read back raw for verification."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from django.db import connections, transaction

from equipoise.ledger.chain import StoredRecord
from equipoise.ledger.entry import GENESIS, Head
from equipoise.ledger.protocol import StoreUnavailable
from equipoise.ledger.tables import Row
from equipoise.store import setup
from equipoise.store.dictionaries import DatabaseDictionaries
from equipoise.store.failures import StoreUnreadable, storage_errors
from equipoise.store.ledger import DatabaseLedger, bytes_of
from equipoise.store.place import DatabaseUrl, Place, describe
from equipoise.store.rows import ROW_TYPES, Kept, encode_rows, read_table
from equipoise.store.structure import find_damage, find_differences
from equipoise.store.sweeping import sweep

__all__ = ["StoreUnreadable", "TrialStore", "check_sqlite_file", "claim_file", "snapshot"]

TRIAL_SCHEMA = "trial"
"""Where in a PostgreSQL database the trial is; nothing else of the database is looked at."""

_SQLITE_MAGIC = b"SQLite format 3\x00"
_OWN_TABLES = frozenset({"ledger", "ledger_head", "study_definition", "django_migrations"})


class TrialStore:
    """One trial in one database: its ledger, its current-state tables, its definition, dictionaries."""

    def __init__(self, place: Place, alias: str) -> None:
        self.place = place
        self.ledger = DatabaseLedger(alias)
        self.dictionaries = DatabaseDictionaries(alias)
        self._alias = alias

    @classmethod
    def create(cls, place: Place, definition_hash: str, canonical: bytes) -> TrialStore:
        """Make a new trial's database: a file, or a schema, that only its owner can read.

        Raises StoreUnreadable: STORE-EXISTS (a file or schema is there already), STORE-FOLDER (none can be
        made there), STORE-DRIVER, STORE-ENCODING (the database does not keep text as UTF-8).
        """
        if isinstance(place, DatabaseUrl):
            alias = setup.connect_postgresql(place, TRIAL_SCHEMA)
            try:
                with storage_errors(), transaction.atomic(using=alias):
                    _claim_database(place, alias)
                    _fill_new(alias, definition_hash, canonical)
            except BaseException:
                setup.close(alias)
                raise
            return cls(place, alias)
        claim_file(place)
        alias = setup.connect_sqlite(place)
        try:
            with storage_errors():
                setup.let_readers_go_on(alias)
                _fill_new(alias, definition_hash, canonical)
        except BaseException:
            setup.close(alias)
            place.unlink()
            raise
        return cls(place, alias)

    @classmethod
    def open(cls, place: Place) -> TrialStore:
        """Open a trial's database.

        Raises StoreUnreadable: STORE-MISSING, STORE-UNREACHABLE, STORE-NOT-A-TRIAL, STORE-DAMAGED,
        STORE-RELEASE, STORE-DRIVER; StoreUnavailable when a server cannot be reached.
        """
        if isinstance(place, Path):
            check_sqlite_file(place)
            alias = setup.connect_sqlite(place)
        else:
            alias = setup.connect_postgresql(place, TRIAL_SCHEMA)
        try:
            with storage_errors():
                if isinstance(place, DatabaseUrl) and not setup.has_schema(alias, TRIAL_SCHEMA):
                    raise StoreUnreadable(
                        "STORE-MISSING", f"{describe(place)} holds no trial. Check the setting that names it."
                    )
                _check_tables(place, set(connections[alias].introspection.table_names()))
                if isinstance(place, Path):
                    setup.let_readers_go_on(alias)
            sweep(alias)
        except StoreUnavailable as failure:
            setup.close(alias)
            if failure.code != "STORE-DAMAGED":
                raise
            raise StoreUnreadable(
                "STORE-DAMAGED", f"{describe(place)} cannot be read as a database. Restore it from a backup."
            ) from failure
        except StoreUnreadable:
            setup.close(alias)
            raise
        return cls(place, alias)

    def close(self) -> None:
        """Close this thread's connection; it opens again when the trial is used."""
        setup.close(self._alias)

    def definitions(self) -> dict[str, bytes]:
        """Return the canonical JSON of every definition kept here, by the hash it is kept under."""
        with storage_errors(), connections[self._alias].cursor() as cursor:
            cursor.execute("SELECT hash, canonical FROM study_definition ORDER BY hash")
            rows = cursor.fetchall()
        return {bytes_of(digest).decode(errors="replace"): bytes_of(canonical) for digest, canonical in rows}

    def founding_definition(self) -> bytes:
        """Return the canonical JSON of the definition that the first entry names.

        Raises StoreUnreadable (TRIAL-EMPTY) for a trial that was never opened, or whose definition is gone.
        """
        first = next(self.ledger.read(), None)
        found = self.definitions().get(first.definition) if first is not None else None
        if found is None:
            raise StoreUnreadable(
                "TRIAL-EMPTY",
                f"{describe(self.place)} holds no opened trial. Verify it, or restore it from a backup.",
            )
        return found

    def dictionary_hash(self, name: str, digest: str) -> str | None:
        """Return the SHA-256 of the terms that are kept under one, or None where none are."""
        return self.dictionaries.rehash(name, digest)

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
        can be found. In PostgreSQL the account needs the right to make a schema, which it takes back.
        """
        try:
            damage = find_damage(self._alias)
            if damage:
                self._read_everything()
            differences = list(find_differences(self._alias))
        except StoreUnavailable as failure:
            return [f"a database that cannot be read ({failure.code})"]
        return [*(f"damage: {line}" for line in damage), *differences]

    def _read_everything(self) -> None:
        list(self.records())
        self.definitions()
        for row_type in ROW_TYPES:
            self.differing_rows(row_type, ())


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


def snapshot(source: Place, target: Path) -> None:
    """Copy a trial's database while it is in use, whole and consistent (SQLite's online backup).

    Raises StoreUnreadable: STORE-EXISTS and STORE-FOLDER for the target, STORE-MISSING, STORE-UNREACHABLE
    and STORE-NOT-A-TRIAL for the source; STORE-SNAPSHOT for PostgreSQL, which has its own means.
    """
    if isinstance(source, DatabaseUrl):
        raise StoreUnreadable(
            "STORE-SNAPSHOT",
            f"{describe(source)} is one of PostgreSQL's. Back it up by its own means: pg_dump.",
        )
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


def _claim_database(url: DatabaseUrl, alias: str) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute("SHOW server_encoding")
        if cursor.fetchone() != ("UTF8",):
            raise StoreUnreadable(
                "STORE-ENCODING",
                f"{describe(url)} does not keep text as UTF-8. Make one that does: createdb --encoding=UTF8.",
            )
    if not setup.claim_schema(alias, TRIAL_SCHEMA):
        raise StoreUnreadable(
            "STORE-EXISTS", f"{describe(url)} has a schema {TRIAL_SCHEMA} already. Choose another database."
        )


def _fill_new(alias: str, definition_hash: str, canonical: bytes) -> None:
    setup.migrate(alias, setup.TRIAL_APP)
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute(
            "INSERT INTO study_definition (hash, canonical) VALUES (%s, %s)",
            [definition_hash, canonical.decode()],
        )
        cursor.execute("INSERT INTO ledger_head (id, position, hash) VALUES (1, 0, %s)", [GENESIS])


def _check_tables(place: Place, tables: set[str]) -> None:
    if not tables >= _OWN_TABLES:
        name_it = "Name the trial.sqlite" if isinstance(place, Path) else "Name the database"
        raise StoreUnreadable(
            "STORE-NOT-A-TRIAL", f"{describe(place)} holds no ledger. {name_it} of a trial."
        )
    if not tables >= {"receipt", *(row_type.table for row_type in ROW_TYPES)}:
        raise StoreUnreadable(
            "STORE-RELEASE",
            f"{describe(place)} lacks tables that this release keeps. Use the release that it was made with.",
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
