"""Recording a command on disk, against the bare durable insertion of the very same rows."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from unittest.mock import patch

from equipoise.access.refusal import Refusal
from equipoise.conduct.trial import Trial
from equipoise.definition.lock import canonical_json
from equipoise.definition.model.definition import StudyDefinition
from equipoise.ledger import Entry
from equipoise.rehearsal.rehearse import rehearse
from equipoise.store.rows import Cursor, execute_all
from equipoise.store.trial_store import TrialStore
from equipoise.store.vault import DatabaseVault

_COMMANDS_PER_RATIO = 50
_VAULT_KEY = bytes(32)

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
    written: list[Statement] = []

    def watch(cursor: Cursor, statements: Sequence[Statement], *, together: bool) -> None:
        written.extend(statements)
        execute_all(cursor, statements, together=together)

    with closing(sqlite3.connect(folder / "bare.sqlite", isolation_level=None)) as bare:
        bare.execute("PRAGMA synchronous = FULL")

        def timed(trial: Trial, *arguments: Any) -> tuple[Entry, ...] | Refusal:
            written.clear()
            start = perf_counter()
            outcome = record(trial, *arguments)
            seconds = perf_counter() - start
            if not isinstance(outcome, Refusal):
                times.append((seconds, _insert(bare, _bare(written))))
            return outcome

        with patch.object(Trial, "record", timed), patch("equipoise.store.ledger.execute_all", watch):
            rehearse(definition, ledger=store.ledger, vault=vault, **rehearsal)
    store.close()
    vault.close()
    return _summarise(times)


def _bare(written: Sequence[Statement]) -> list[Statement]:
    # The head of the other ledger stays where it is: what is measured against is the insertion of rows.
    return [(sql.replace("%s", "?"), values) for sql, values in written if "ledger_head" not in sql]


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
