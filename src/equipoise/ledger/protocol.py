"""What every ledger offers, wherever it keeps its entries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from equipoise.ledger.entry import Entry, Head
from equipoise.ledger.receipts import Receipt
from equipoise.ledger.tables import Change


class StoreUnavailable(Exception):
    """Storage cannot be read or written now (busy, disk full); nothing was changed."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
        super().__init__(f"{code}: {sentence}")


class LedgerMisused(RuntimeError):
    """A call that a ledger or transaction cannot serve in its present state: an error of the program."""

    code = "LEDGER-MISUSED"


class LedgerTransaction(Protocol):
    """The right to append, held by one writer at a time; after its end every use raises LedgerMisused."""

    @property
    def head(self) -> Head:
        """The head, including what this transaction appended."""

    def tail(self, after: int) -> Iterator[Entry]:
        """Iterate over the entries after a position, including what this transaction appended."""

    def receipts(self, keys: Sequence[str]) -> Mapping[str, Receipt]:
        """Return those receipts that there are of some keys, including what this transaction appended."""

    def append(
        self,
        entries: Sequence[Entry],
        changes: Sequence[Change],
        receipts: Sequence[Receipt] = (),
        blotted: Sequence[Entry] = (),
    ) -> None:
        """Append entries, apply the changes of the current-state tables that go with them, keep receipts.

        `blotted` are earlier entries as the appended ones blot them out: they take the place of what stood.
        All or none: raises AppendRefused when the entries do not continue the chain (see `check_append`), or
        do not say what is blotted out (see `check_blotted`).
        """


class Ledger(Protocol):
    """The append-only, hash-chained record of all that happened."""

    def head(self) -> Head:
        """Return the head as last committed."""

    def read(self, after: int = 0) -> Iterator[Entry]:
        """Iterate over the committed entries after a position; raise ValueError for one below 0."""

    def receipts(self, keys: Sequence[str]) -> Mapping[str, Receipt]:
        """Return those committed receipts that there are of some keys."""

    def exclusive(self) -> AbstractContextManager[LedgerTransaction]:
        """Lock the head against other writers; commit on normal exit, roll all back on an exception."""
