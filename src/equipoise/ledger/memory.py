"""A ledger in the memory of one process: for rehearsals and tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock, get_ident

from equipoise.ledger.chain import StoredRecord, check_append, check_blotted
from equipoise.ledger.entry import Entry, Head
from equipoise.ledger.protocol import LedgerMisused, LedgerTransaction
from equipoise.ledger.receipts import Receipt, pruned_before
from equipoise.ledger.tables import Change


class MemoryLedger:
    """Implements `Ledger`; threads may share it.

    It keeps entries only. The current-state tables of a trial in memory are its `Tables`, in which the
    changes that come with an append already stand.
    """

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._receipts: dict[str, Receipt] = {}
        self._lock = Lock()
        self._writer: int | None = None

    def head(self) -> Head:
        """Return the head as last committed."""
        return self._entries[-1].head if self._entries else Head.genesis()

    def read(self, after: int = 0) -> Iterator[Entry]:
        """Iterate over the entries after a position, up to the head at the time of the call."""
        return _slice(self._entries, after, len(self._entries))

    def records(self) -> Iterator[StoredRecord]:
        """Iterate over the entries as storage would hold them, for verification."""
        return map(StoredRecord.of, self.read())

    def receipts(self, keys: Sequence[str]) -> Mapping[str, Receipt]:
        """Return those committed receipts that there are of some keys."""
        return _among(self._receipts, keys)

    @contextmanager
    def exclusive(self) -> Iterator[LedgerTransaction]:
        """Lock the head against other writers; commit on normal exit, roll all back on an exception."""
        if self._writer == get_ident():
            raise LedgerMisused("This thread already holds the ledger. Use the transaction that it has.")
        with self._lock:
            self._writer = get_ident()
            transaction = _MemoryTransaction(self._entries, self._receipts, self.head())
            try:
                yield transaction
                for entry in transaction.blotted.values():
                    self._entries[entry.position - 1] = entry
                self._entries.extend(transaction.pending)
                self._receipts = transaction.kept
            finally:
                transaction.is_open = False
                self._writer = None


class _MemoryTransaction:
    """Implements `LedgerTransaction`; what it appends is pending until the ledger commits it."""

    def __init__(self, committed: Sequence[Entry], receipts: dict[str, Receipt], head: Head) -> None:
        self.pending: list[Entry] = []
        self.blotted: dict[int, Entry] = {}
        self.kept = receipts
        self.is_open = True
        self._committed = committed
        self._head = head

    @property
    def head(self) -> Head:
        """The head, including what this transaction appended."""
        self._check_open()
        return self._head

    def tail(self, after: int) -> Iterator[Entry]:
        """Iterate over the entries after a position, including what this transaction appended."""
        self._check_open()
        committed = len(self._committed)
        if after >= committed:
            return _slice(self.pending, after - committed, len(self.pending))
        stood = (self.blotted.get(each.position, each) for each in _slice(self._committed, after, committed))
        return iter([*stood, *self.pending])

    def receipts(self, keys: Sequence[str]) -> Mapping[str, Receipt]:
        """Return those receipts that there are of some keys, including what this transaction appended."""
        self._check_open()
        return _among(self.kept, keys)

    def append(
        self,
        entries: Sequence[Entry],
        changes: Sequence[Change],
        receipts: Sequence[Receipt] = (),
        blotted: Sequence[Entry] = (),
    ) -> None:
        """Append entries and keep receipts; the changes need nothing here (see `MemoryLedger`)."""
        self._check_open()
        head = check_append(self._head, entries)
        check_blotted(entries, blotted, self._stood)
        self.blotted |= {each.position: each for each in blotted}
        self.pending.extend(entries)
        if receipts:
            oldest = pruned_before(receipts[0], self._head, head) or ""
            young = {key: each for key, each in self.kept.items() if each.recorded_at >= oldest}
            self.kept = young | {each.sending.key: each for each in receipts}
        self._head = head

    def _stood(self, position: int) -> Entry | None:
        within = position <= len(self._committed)
        return self.blotted.get(position, self._committed[position - 1]) if within else None

    def _check_open(self) -> None:
        if not self.is_open:
            raise LedgerMisused("This transaction has ended. Open another with exclusive().")


def _among(receipts: Mapping[str, Receipt], keys: Sequence[str]) -> dict[str, Receipt]:
    return {key: receipts[key] for key in keys if key in receipts}


def _slice(entries: Sequence[Entry], start: int, stop: int) -> Iterator[Entry]:
    if start < 0:
        raise ValueError("Entries are read after position 0 or a later one.")
    return (entries[index] for index in range(start, stop))
