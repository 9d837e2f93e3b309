"""A ledger in the memory of one process: for rehearsals and tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock, get_ident

from equipoise.ledger.chain import StoredRecord, check_append
from equipoise.ledger.entry import Entry, Head
from equipoise.ledger.protocol import LedgerMisused, LedgerTransaction
from equipoise.ledger.tables import Change


class MemoryLedger:
    """Implements `Ledger`; threads may share it.

    It keeps entries only. The current-state tables of a trial in memory are its `Tables`, in which the
    changes that come with an append already stand.
    """

    def __init__(self) -> None:
        self._entries: list[Entry] = []
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

    @contextmanager
    def exclusive(self) -> Iterator[LedgerTransaction]:
        """Lock the head against other writers; commit on normal exit, roll all back on an exception."""
        if self._writer == get_ident():
            raise LedgerMisused("This thread already holds the ledger. Use the transaction that it has.")
        with self._lock:
            self._writer = get_ident()
            transaction = _MemoryTransaction(self._entries, self.head())
            try:
                yield transaction
                self._entries.extend(transaction.pending)
            finally:
                transaction.is_open = False
                self._writer = None


class _MemoryTransaction:
    """Implements `LedgerTransaction`; what it appends is pending until the ledger commits it."""

    def __init__(self, committed: Sequence[Entry], head: Head) -> None:
        self.pending: list[Entry] = []
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
        return iter([*_slice(self._committed, after, committed), *self.pending])

    def append(self, entries: Sequence[Entry], changes: Sequence[Change]) -> None:
        """Append entries; the changes need nothing here (see `MemoryLedger`)."""
        self._check_open()
        self._head = check_append(self._head, entries)
        self.pending.extend(entries)

    def _check_open(self) -> None:
        if not self.is_open:
            raise LedgerMisused("This transaction has ended. Open another with exclusive().")


def _slice(entries: Sequence[Entry], start: int, stop: int) -> Iterator[Entry]:
    if start < 0:
        raise ValueError("Entries are read after position 0 or a later one.")
    return (entries[index] for index in range(start, stop))
