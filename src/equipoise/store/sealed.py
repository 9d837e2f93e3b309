"""A database of sealed records: names in clear, everything else under a key that is never in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from django.db import IntegrityError, connections, transaction

from equipoise.store import setup
from equipoise.store.failures import storage_errors
from equipoise.store.sealing import KeyKind, Locked, SealBroken, Sealer
from equipoise.store.trial_store import StoreUnreadable, check_sqlite_file, claim_file

# A record that every such database has, under a name that no other can have, tells whether a key is its own.
_KEY_CHECK = ""


@dataclass(frozen=True, slots=True)
class SealedKind:
    """What a database of sealed records is for.

    `app` is the Django application that holds `table`; from one that is `erasable` records can be taken, and
    then nothing of them stays in its file.
    """

    what: str
    file: str
    app: str
    table: str
    key: KeyKind
    erasable: bool = False


class SealedRecords:
    """Records under names, each sealed (see `Sealer`)."""

    def __init__(self, path: Path, key: bytes, kind: SealedKind) -> None:
        """Open such a database.

        Raises StoreUnreadable where there is none of this kind (STORE-NOT-VAULT, by the prefix of the kind
        of key), Locked (VAULT-KEY likewise) when the key is not its own.
        """
        self._alias = _connect(path, kind)
        self._kind = kind
        self._sealer = Sealer(key)
        sealed = self._read(_KEY_CHECK)
        if sealed is None:
            raise _foreign(path, kind)
        try:
            self._sealer.open(_KEY_CHECK, sealed)
        except SealBroken:
            raise Locked(
                f"{kind.key.prefix}-KEY",
                f"The key does not open this {kind.what}. Use the key that {kind.key.used}.",
            ) from None

    @classmethod
    def create(cls, path: Path, key: bytes, kind: SealedKind) -> Self:
        """Make a new database, readable by its owner only; raises StoreUnreadable as `TrialStore.create`."""
        claim_file(path)
        alias = setup.connect_sqlite(path)
        try:
            with storage_errors():
                if not kind.erasable:
                    # Of one that is erasable, what was erased would stay in the log.
                    setup.let_readers_go_on(alias)
                setup.migrate(alias, kind.app)
                with connections[alias].cursor() as cursor:
                    sealed = Sealer(key).seal(_KEY_CHECK, f"equipoise {kind.what} 1".encode())
                    cursor.execute(_insert(kind), (_KEY_CHECK, *sealed))
            return cls(path, key, kind)
        except BaseException:
            setup.close(alias)
            path.unlink()
            raise

    def close(self) -> None:
        """Close this thread's connection; it opens again when it is used."""
        setup.close(self._alias)

    def insert(self, name: str, plaintext: bytes) -> bool:
        """Keep a record; returns False, and changes nothing, where the name is taken."""
        with storage_errors():
            try:
                with transaction.atomic(using=self._alias), connections[self._alias].cursor() as cursor:
                    cursor.execute(_insert(self._kind), (name, *self._sealer.seal(name, plaintext)))
            except IntegrityError:
                return False
            return True

    def open(self, name: str) -> bytes | None:
        """Return a record, or None; raises Locked (VAULT-CHANGED, by the prefix) for one that was changed."""
        sealed = self._read(name)
        try:
            return None if sealed is None else self._sealer.open(name, sealed)
        except SealBroken:
            raise Locked(
                f"{self._kind.key.prefix}-CHANGED",
                f"The record '{name}' of the {self._kind.what} was changed. Restore it from a backup.",
            ) from None

    def erase(self, name: str) -> None:
        """Take a record away, its bytes overwritten; does nothing where there is none."""
        with storage_errors(), connections[self._alias].cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")
            statement = f"DELETE FROM {self._kind.table} WHERE name = %s AND name <> %s"
            cursor.execute(statement, [name, _KEY_CHECK])

    def names(self) -> tuple[str, ...]:
        """List the names of all records, sorted."""
        return _read_names(self._alias, self._kind)

    def _read(self, name: str) -> tuple[Any, ...] | None:
        with storage_errors(), connections[self._alias].cursor() as cursor:
            cursor.execute(f"SELECT nonce, ciphertext FROM {self._kind.table} WHERE name = %s", [name])
            row: tuple[Any, ...] | None = cursor.fetchone()
            return row


def read_names(path: Path, kind: SealedKind) -> tuple[str, ...]:
    """List the names of all records, sorted, without the key; raises StoreUnreadable as `SealedRecords`."""
    return _read_names(_connect(path, kind), kind)


def _connect(path: Path, kind: SealedKind) -> str:
    check_sqlite_file(path)
    alias = setup.connect_sqlite(path)
    with storage_errors():
        tables = connections[alias].introspection.table_names()
    if kind.table not in tables:
        raise _foreign(path, kind)
    return alias


def _read_names(alias: str, kind: SealedKind) -> tuple[str, ...]:
    with storage_errors(), connections[alias].cursor() as cursor:
        cursor.execute(f"SELECT name FROM {kind.table} WHERE name <> %s ORDER BY name", [_KEY_CHECK])
        return tuple(sorted(name for (name,) in cursor.fetchall()))


def _insert(kind: SealedKind) -> str:
    return f"INSERT INTO {kind.table} (name, nonce, ciphertext) VALUES (%s, %s, %s)"


def _foreign(path: Path, kind: SealedKind) -> StoreUnreadable:
    return StoreUnreadable(
        f"STORE-NOT-{kind.key.prefix}", f"{path.name} is no {kind.what}. Name the {kind.file} of the trial."
    )
