"""Databases, entries and rows for the tests of the store."""

import os
import sqlite3
import subprocess
import sys
import typing
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import fields, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from types import UnionType
from typing import Any

from equipoise.ledger import Change, Draft, Entry, Row, seal
from equipoise.store.place import DatabaseUrl, Place
from equipoise.store.rows import ROW_TYPES
from equipoise.store.trial_store import TRIAL_SCHEMA, TrialStore
from tests.ledger.ledger_contract import STAMP
from tests.postgresql import PostgresqlServer, connected

ROOT = Path(__file__).resolve().parents[2]
CANONICAL = b'{"study":"caf\xc3\xa9"}'
CANONICAL_HASH = sha256(CANONICAL).hexdigest()


@cache
def new_trial() -> bytes:
    """The file of a new trial; making one takes longer than copying it."""
    with TemporaryDirectory() as folder:
        store = TrialStore.create(Path(folder) / "trial.sqlite", CANONICAL_HASH, CANONICAL)
        store.close()
        return (Path(folder) / "trial.sqlite").read_bytes()


def make_store(path: Path) -> TrialStore:
    path.write_bytes(new_trial())
    return TrialStore.open(path)


class FileTrials:
    """New trials, each in a file of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: list[TrialStore] = []

    def make(self) -> TrialStore:
        self._made.append(make_store(self._folder / f"trial-{len(self._made)}.sqlite"))
        return self._made[-1]

    def close(self) -> None:
        for store in self._made:
            store.close()


class DatabaseTrials:
    """New trials, each in a database of its own on one server."""

    def __init__(self, server: PostgresqlServer, template: str) -> None:
        self.server = server
        self._template = template
        self._made: dict[str, TrialStore] = {}

    def make(self) -> TrialStore:
        url = self.server.make(self._template)
        self._made[url] = TrialStore.open(DatabaseUrl.read(url))
        return self._made[url]

    def close(self) -> None:
        for url, store in self._made.items():
            store.close()
            self.server.drop(url)


def text_of(place: Place) -> str:
    """What names a place to another process."""
    return (
        str(place)
        if isinstance(place, Path)
        else f"postgresql://{place.user}@/{place.name}?host={place.host}"
    )


def place_of(text: str) -> Place:
    return DatabaseUrl.read(text) if text.startswith("postgresql:") else Path(text)


def sample_row(row_type: Any, number: int = 1) -> Any:
    """A row with something in every field."""
    hints = typing.get_type_hints(row_type)
    return row_type(**{each.name: _value(hints[each.name], each.name, number) for each in fields(row_type)})


def _value(hint: Any, name: str, number: int) -> Any:
    options = set(typing.get_args(hint)) if isinstance(hint, UnionType) else {hint}
    (solid,) = options - {type(None)}
    if solid is str:
        return f"{name} é{number}"
    if solid is int:
        return number
    if solid is bool:
        return bool(number % 2)
    return {"b": [number, None], "a": "x"} if typing.get_origin(solid) is dict else ("x", str(number))


def insertion(row: Row) -> Change:
    key = tuple(getattr(row, name) for name in row.key)
    return Change(type(row), key, None, row)


def fill(store: TrialStore, entries: int = 3) -> tuple[list[Entry], dict[type[Row], list[Row]]]:
    """Record some entries, and two rows in every table."""
    stamp = replace(STAMP, definition=CANONICAL_HASH)
    rows = {row_type: [sample_row(row_type, number) for number in (1, 2)] for row_type in ROW_TYPES}
    with store.ledger.exclusive() as transaction:
        sealed: list[Entry] = []
        for number in range(entries):
            head = sealed[-1].head if sealed else transaction.head
            sealed.append(seal(head, Draft("Counted", 1, {"number": number, "text": "é"}), stamp))
        transaction.append(sealed, [insertion(row) for each in rows.values() for row in each])
    return sealed, rows


@contextmanager
def edited(store: TrialStore) -> Iterator[Any]:
    """Somebody who edits a trial by the database's own means; every statement is committed."""
    by_own_means = plain(store.place) if isinstance(store.place, Path) else owned(store.place)
    with by_own_means as connection:
        yield connection


def owned(url: DatabaseUrl) -> AbstractContextManager[Any]:
    """A connection of whoever owns a trial in PostgreSQL."""
    return connected(text_of(url), TRIAL_SCHEMA)


@contextmanager
def plain(path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody who edits the file with SQLite's own means; every statement is committed."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        yield connection


def environment() -> dict[str, str]:
    """The environment of a process that finds the package and the tests."""
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}


def start_worker(action: str, place: Place) -> "subprocess.Popen[str]":
    """Another process at work on a trial (see worker.py)."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.store.worker", action, text_of(place)],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
