"""Recording a command on disk, against the bare durable insertion of the very same rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from unittest.mock import patch

from equipoise.access.refusal import Refusal
from equipoise.conduct.trial import Trial
from equipoise.definition.lock import canonical_json
from equipoise.definition.model.definition import StudyDefinition
from equipoise.ledger import Change, Entry
from equipoise.rehearsal.rehearse import rehearse
from equipoise.store.rows import Cursor, statement_and_parameters, write_changes
from equipoise.store.trial_store import TrialStore
from equipoise.store.vault import DatabaseVault

_COMMANDS_PER_RATIO = 50
_VAULT_KEY = bytes(32)
_INSERT = "INSERT INTO ledger (position, previous, hash, body) VALUES (?, ?, ?, ?)"

Statement = tuple[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class RecordingFigures:
    """Commands, and medians: seconds for a command and for the bare insertion of its rows, ratio of rates."""

    commands: int
    seconds: float
    bare_seconds: float
    ratio: float


def measure_recording(definition: StudyDefinition, folder: Path, **rehearsal: Any) -> RecordingFigures:
    """Rehearse on disk; after each command, insert its rows into another database with nothing in between."""
    canonical = canonical_json(definition)
    store = TrialStore.create(folder / "trial.sqlite", definition.hash, canonical)
    vault = DatabaseVault.create(folder / "vault.sqlite", _VAULT_KEY)
    TrialStore.create(folder / "bare.sqlite", definition.hash, canonical).close()
    record, times = Trial.record, list[tuple[float, float]]()
    written: list[Sequence[Change]] = []

    def watch(cursor: Cursor, changes: Sequence[Change]) -> None:
        written.append(changes)
        write_changes(cursor, changes)

    with closing(sqlite3.connect(folder / "bare.sqlite", isolation_level=None)) as bare:
        bare.execute("PRAGMA synchronous = FULL")

        def timed(trial: Trial, *arguments: Any) -> tuple[Entry, ...] | Refusal:
            written.clear()
            start = perf_counter()
            outcome = record(trial, *arguments)
            seconds = perf_counter() - start
            if not isinstance(outcome, Refusal):
                times.append((seconds, _insert(bare, _statements(outcome, written))))
            return outcome

        with patch.object(Trial, "record", timed), patch("equipoise.store.ledger.write_changes", watch):
            rehearse(definition, ledger=store.ledger, vault=vault, **rehearsal)
    store.close()
    vault.close()
    return _summarise(times)


def _statements(entries: Sequence[Entry], written: Sequence[Sequence[Change]]) -> list[Statement]:
    statements: list[Statement] = [
        (_INSERT, (each.position, each.previous, each.hash, each.body.decode())) for each in entries
    ]
    for change in chain.from_iterable(written):
        statement, parameters = statement_and_parameters(change)
        statements.append((statement.replace("%s", "?"), parameters))
    return statements


def _insert(connection: sqlite3.Connection, statements: list[Statement]) -> float:
    start = perf_counter()
    connection.execute("BEGIN IMMEDIATE")
    for statement, parameters in statements:
        connection.execute(statement, parameters)
    connection.execute("COMMIT")
    return perf_counter() - start


def _summarise(times: list[tuple[float, float]]) -> RecordingFigures:
    chunks = [
        times[start : start + _COMMANDS_PER_RATIO] for start in range(0, len(times), _COMMANDS_PER_RATIO)
    ]
    # The time of a commit varies much on a shared disk: the ratio is taken over neighbours.
    ratios = [sum(bare for _, bare in chunk) / sum(ours for ours, _ in chunk) for chunk in chunks]
    return RecordingFigures(
        len(times), median(ours for ours, _ in times), median(bare for _, bare in times), median(ratios)
    )
