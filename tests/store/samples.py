"""Databases, entries and rows for the tests of the store."""

import os
import sqlite3
import subprocess
import sys
import typing
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import fields, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from types import UnionType
from typing import Any

from equipoise.ledger import Change, Draft, Entry, Row, seal
from equipoise.store.rows import ROW_TYPES
from equipoise.store.trial_store import TrialStore
from tests.ledger.ledger_contract import STAMP

ROOT = Path(__file__).resolve().parents[2]
CANONICAL = b'{"study":"caf\xc3\xa9"}'
CANONICAL_HASH = sha256(CANONICAL).hexdigest()


@cache
def new_trial() -> bytes:
    """The file of a new trial; making one takes longer than copying it."""
    with TemporaryDirectory() as folder:
        store = TrialStore.create(Path(folder) / "trial.sqlite", CANONICAL_HASH, CANONICAL)
        store.close()
        return store.path.read_bytes()


def make_store(path: Path) -> TrialStore:
    path.write_bytes(new_trial())
    return TrialStore.open(path)


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
def plain(path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody who edits the file with SQLite's own means; every statement is committed."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        yield connection


def environment() -> dict[str, str]:
    """The environment of a process that finds the package and the tests."""
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}


def start_worker(action: str, path: Path) -> "subprocess.Popen[str]":
    """Another process at work on a trial (see worker.py)."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.store.worker", action, str(path)],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
