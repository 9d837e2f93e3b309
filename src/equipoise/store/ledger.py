"""The ledger in a database: the same contract as the ledger in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from equipoise.ledger.blots import BlotWalk, explained
from equipoise.ledger.chain import StoredRecord, check_append, check_blotted
from equipoise.ledger.entry import GENESIS, Entry, Head, LedgerCorrupt
from equipoise.ledger.protocol import LedgerMisused, LedgerTransaction, StoreUnavailable
from equipoise.ledger.receipts import Receipt, Sending, pruned_before
from equipoise.ledger.tables import Change
from equipoise.store import setup
from equipoise.store.failures import inconsistent, storage_errors, uncertain
from equipoise.store.rows import Cursor, execute_all, statement_and_parameters
from equipoise.store.sweeping import ask_for_sweep, sweep

_CHUNK = 1000
_COLUMNS = "SELECT position, previous, hash, body FROM ledger"
_SELECT_FIRST = f"{_COLUMNS} ORDER BY position LIMIT {_CHUNK}"
_SELECT_AFTER = f"{_COLUMNS} WHERE position > %s ORDER BY position LIMIT {_CHUNK}"
# Up to the head, which comes with each entry: what stands beyond it is none of the trial's.
_SELECT_COMMITTED = (
    "SELECT ledger.position, ledger.previous, ledger.hash, ledger.body, ledger_head.position"
    " FROM ledger, ledger_head WHERE ledger_head.id = 1 AND ledger.position > %s"
    f" AND ledger.position <= ledger_head.position ORDER BY ledger.position LIMIT {_CHUNK}"
)
_SELECT_HEAD = "SELECT position, hash FROM ledger_head WHERE id = 1"
# The head, and the hash of the entry that it should be the head of.
_SELECT_CHECKED_HEAD = (
    "SELECT ledger_head.position, ledger_head.hash, "
    "(SELECT hash FROM ledger WHERE position = ledger_head.position) FROM ledger_head WHERE id = 1"
)
_LOCK_HEAD = "SELECT FROM ledger_head WHERE id = 1 FOR UPDATE"
_INSERT = "INSERT INTO ledger (position, previous, hash, body) VALUES (%s, %s, %s, %s)"
# Of an entry that is blotted out the body alone changes: its place in the chain stays what it was.
_BLOT = "UPDATE ledger SET body = %s WHERE position = %s AND hash = %s"
_SELECT_ONE = f"{_COLUMNS} WHERE position = %s"
_SELECT_BLOTS = f"{_COLUMNS} WHERE body LIKE %s ORDER BY position"
_BLOTS = '%"kind":"%TextBlotted","position":%'
_MOVE_HEAD = "UPDATE ledger_head SET position = %s, hash = %s WHERE id = 1"
_RECEIPT = "key, said, position, entries, recorded_at"
_KEEP_RECEIPT = f"INSERT INTO receipt ({_RECEIPT}) VALUES (%s, %s, %s, %s, %s)"
_PRUNE_RECEIPTS = "DELETE FROM receipt WHERE recorded_at < %s"

_NOWHERE = -1

_Select = Callable[[str, list[Any]], list[Any]]


class DatabaseLedger:
    """A ledger in one database of Django's; threads and processes may share it.

    Each thread has a connection of its own, which ends with the thread or with `close`.
    """

    def __init__(self, alias: str) -> None:
        self.alias = alias

    def head(self) -> Head:
        """Return the head as last committed."""
        rows = self._rows(_SELECT_HEAD, [])
        return Head(*rows[0]) if rows else Head.genesis()

    def read(self, after: int = 0) -> Iterator[Entry]:
        """Iterate over the committed entries after a position, up to the head at the time of the call.

        Raises ValueError for a position below 0, LedgerCorrupt where the entries are no chain.
        """
        if after < 0:
            raise ValueError(f"a position is 0 or more, not {after}")
        first = self._rows(_SELECT_COMMITTED, [after])
        if not first:
            return iter(())
        end = first[0][-1]
        more = self._select(_SELECT_AFTER, [first[-1][0]]) if len(first) == _CHUNK else ()
        records = chain(map(_record, first), more)
        return _read_entries((each for each in records if each.position <= end), after, self._rows)

    def records(self) -> Iterator[StoredRecord]:
        """Iterate over all that is stored, unchecked, for verification."""
        return self._select(_SELECT_FIRST, [])

    def receipts(self, keys: Sequence[str]) -> Mapping[str, Receipt]:
        """Return those committed receipts that there are of some keys."""
        with storage_errors(), self._cursor() as cursor:
            return _find_receipts(cursor, keys)

    @contextmanager
    def exclusive(self) -> Iterator[LedgerTransaction]:
        """Lock the head against other writers; commit on normal exit, roll all back on an exception."""
        connection = connections[self.alias]
        if connection.in_atomic_block:
            raise LedgerMisused("This thread already holds the ledger. Use the transaction that it has.")
        committing = False
        try:
            with storage_errors(), transaction.atomic(using=self.alias), connection.cursor() as cursor:
                current = _DatabaseTransaction(connection, cursor.cursor)
                try:
                    yield current
                    current.check_whole()
                finally:
                    current.is_open = False
                committing = True
        except StoreUnavailable as failure:
            if committing and failure.code == "STORE-UNREACHABLE":
                raise uncertain() from failure
            raise
        if current.has_blotted:
            sweep(self.alias)

    def close(self) -> None:
        """Close this thread's connection; it opens again when the ledger is used."""
        setup.close(self.alias)

    def _cursor(self) -> CursorWrapper:
        return connections[self.alias].cursor()

    def _rows(self, statement: str, parameters: list[Any]) -> list[Any]:
        with storage_errors(), self._cursor() as cursor:
            cursor.execute(statement, parameters)
            rows: list[Any] = cursor.fetchall()
            return rows

    def _select(self, statement: str, parameters: list[Any]) -> Iterator[StoredRecord]:
        # One query for each chunk: no read transaction stays open while the reader is at work.
        while True:
            rows = self._rows(statement, parameters)
            yield from map(_record, rows)
            if len(rows) < _CHUNK:
                return
            statement, parameters = _SELECT_AFTER, [rows[-1][0]]


class _DatabaseTransaction:
    """The right to append to a database, within one transaction of it."""

    def __init__(self, connection: BaseDatabaseWrapper, cursor: Cursor) -> None:
        self.is_open = True
        self.has_blotted = False
        self._is_whole = True
        self._connection = connection
        # The backend's own cursor: what Django wraps around it costs as much as a statement.
        self._cursor = cursor
        # To a server, statements that need no answer in between go together: each word with it costs time
        # in which everybody else waits for the head.
        self._together = connection.vendor == "postgresql"
        self._head = self._lock_head()

    @property
    def head(self) -> Head:
        """The head, including what this transaction appended."""
        self._check_open()
        return self._head

    def tail(self, after: int) -> Iterator[Entry]:
        """Iterate over the entries after a position, including what this transaction appended."""
        self._check_open()
        if after >= self._head.position:
            return iter(())
        rows = self._rows(f"{_COLUMNS} WHERE position > %s ORDER BY position", [after])
        return _read_entries(map(_record, rows), after, self._rows)

    def receipts(self, keys: Sequence[str]) -> Mapping[str, Receipt]:
        """Return those receipts that there are of some keys, including what this transaction appended."""
        self._check_open()
        with storage_errors(), self._connection.wrap_database_errors:
            return _find_receipts(self._cursor, keys)

    def append(
        self,
        entries: Sequence[Entry],
        changes: Sequence[Change],
        receipts: Sequence[Receipt] = (),
        blotted: Sequence[Entry] = (),
    ) -> None:
        """Append entries, apply the changes of the current-state tables that go with them, keep receipts.

        All or none: AppendRefused changes nothing, and after StoreUnavailable nothing can be committed. What
        is `blotted` is swept from the file once it is committed.
        """
        self._check_open()
        head = check_append(self._head, entries)
        check_blotted(entries, blotted, self._stood)
        self._is_whole = False
        statements = [
            *((_BLOT, (each.body.decode(), each.position, each.hash)) for each in blotted),
            *((_INSERT, (each.position, each.previous, each.hash, each.body.decode())) for each in entries),
            *map(statement_and_parameters, changes),
            *((_KEEP_RECEIPT, _columns_of(each)) for each in receipts),
            (_MOVE_HEAD, (head.position, head.hash)),
        ]
        with storage_errors(), self._connection.wrap_database_errors:
            oldest = pruned_before(receipts[0], self._head, head) if receipts else None
            if oldest is not None:
                self._cursor.execute(_PRUNE_RECEIPTS, (oldest,))
            if blotted:
                self.has_blotted = True
                ask_for_sweep(self._connection, self._cursor)
            execute_all(self._cursor, statements, together=self._together)
        self._head = head
        self._is_whole = True

    def check_whole(self) -> None:
        """Raise LedgerMisused when an append broke off, and so nothing may be committed."""
        if not self._is_whole:
            raise LedgerMisused("An append failed in this transaction. Record nothing more in it.")

    def _rows(self, statement: str, parameters: list[Any]) -> list[Any]:
        with storage_errors(), self._connection.wrap_database_errors:
            self._cursor.execute(statement, parameters)
            return self._cursor.fetchall()

    def _stood(self, position: int) -> Entry | None:
        rows = self._rows(_SELECT_ONE, [position])
        return next(_read_entries(map(_record, rows), position - 1, self._rows), None)

    def _lock_head(self) -> Head:
        with self._connection.wrap_database_errors:
            if self._together:
                # Two statements, for the second must see what was committed while the first waited.
                self._cursor.execute(f"{_LOCK_HEAD}; {_SELECT_CHECKED_HEAD}", ())
                self._cursor.nextset()
            else:
                # SQLite locked the whole database when the transaction began.
                self._cursor.execute(_SELECT_CHECKED_HEAD, ())
            rows = self._cursor.fetchall()
        # To append upon a head that somebody moved would make the damage worse.
        if len(rows) != 1 or (rows[0][0] != 0 and rows[0][1] != rows[0][2]):
            raise inconsistent()
        return Head(rows[0][0], rows[0][1])

    def _check_open(self) -> None:
        if not self.is_open:
            raise LedgerMisused("This transaction has ended. Begin another.")
        self.check_whole()


def _record(row: tuple[Any, ...]) -> StoredRecord:
    position, previous, digest, body, *_ = row
    # What is no number has no place in any order; the check of the chain names it by this one.
    place = position if isinstance(position, int) else _NOWHERE
    return StoredRecord(place, previous, digest, bytes_of(body))


def _columns_of(receipt: Receipt) -> tuple[Any, ...]:
    sending = receipt.sending
    return sending.key, sending.said, receipt.position, receipt.entries, receipt.recorded_at


def _find_receipts(cursor: Cursor | CursorWrapper, keys: Sequence[str]) -> dict[str, Receipt]:
    if not keys:
        return {}
    marks = ", ".join(["%s"] * len(keys))
    cursor.execute(f"SELECT {_RECEIPT} FROM receipt WHERE key IN ({marks})", tuple(keys))
    return {key: Receipt(Sending(key, said), *others) for key, said, *others in cursor.fetchall()}


def _read_entries(records: Iterator[StoredRecord], after: int, select: _Select) -> Iterator[Entry]:
    previous = GENESIS if after == 0 else None
    blots = BlotWalk()
    for record in records:
        try:
            entry = Entry.from_body(record.body, record.hash)
        except LedgerCorrupt as corruption:
            found = explained(record.body, record.hash, blots.of(record.position))
            if found is None:
                # All at once, and anew when others blotted something out while this was being read.
                blots = _find_blots(select)
                found = explained(record.body, record.hash, blots.of(record.position))
            if found is None:
                raise corruption from None
            entry = found
        after += 1
        if entry.position != after or (previous is not None and entry.previous != previous):
            raise LedgerCorrupt(
                "CHAIN-PREVIOUS",
                after,
                f"The entry at position {after} does not follow the one before it. Compare it with a backup.",
            )
        previous = entry.hash
        yield entry


def _find_blots(select: _Select) -> BlotWalk:
    blots = BlotWalk()
    for record in map(_record, select(_SELECT_BLOTS, [_BLOTS])):
        blots.learn_body(record.body, record.hash)
    return blots


def bytes_of(text: object) -> bytes:
    """Return a stored text's bytes as they are, also of a blob or of bytes that are no UTF-8."""
    return text if isinstance(text, bytes) else str(text).encode("utf-8", "surrogateescape")
