"""Verifying a ledger, against the bare SHA-256 of the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from statistics import median
from time import perf_counter

from equipoise.conduct.rooms import apply_entry
from equipoise.conduct.verify import verify_trial
from equipoise.ledger import Entry, StoredRecord, Tables, check_chain, find_head
from equipoise.store.trial_store import TrialStore


@dataclass(frozen=True, slots=True)
class VerifyingFigures:
    """Entries, and the medians of seconds for all of them."""

    entries: int
    bare: float
    links: float
    chain: float
    chain_and_replay: float
    whole: float


def measure_verifying(path: Path, repetitions: int) -> VerifyingFigures:
    """Verify a trial on disk several times, each way in turn."""
    store = TrialStore.open(path)
    records = list(store.records())

    def hash_only() -> None:
        for record in records:
            sha256(record.body).hexdigest()

    def links_only() -> None:
        if find_head(records) is None:
            raise AssertionError("the ledger's links do not hold")

    def check_only() -> None:
        if not check_chain(records).intact:
            raise AssertionError("the ledger does not verify")

    def check_and_replay() -> None:
        check_only()
        _replay(records)

    def verify_all() -> None:
        if not verify_trial(store).intact:
            raise AssertionError("the trial does not verify")

    works = (hash_only, links_only, check_only, check_and_replay, verify_all)
    times = [[_time(work) for work in works] for _ in range(repetitions)]
    store.close()
    return VerifyingFigures(len(records), *(median(column) for column in zip(*times, strict=True)))


def _replay(records: Sequence[StoredRecord]) -> None:
    tables = Tables()
    for record in records:
        apply_entry(tables, Entry.from_body(record.body, record.hash))


def _time(work: Callable[[], None]) -> float:
    start = perf_counter()
    work()
    return perf_counter() - start
