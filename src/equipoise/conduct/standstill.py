"""Letting one thread at a time at the state of a trial; who is about to record goes before who reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Lock, get_ident

_PATIENCE_SECONDS = 0.2
"""So long who has the ledger waits for the state, while other processes wait for them."""


class SteppedAside(Exception):
    """The ledger is to be given back: who has the state needs it, or keeps the state for long."""


class Standstill:
    """A lock of the state, which a thread may take again that has it.

    Whoever records gets hold of the ledger first, for which other processes wait, and then of the state: so
    they wait for the one thread that has it, and not for all that would like to read. Whoever records inside
    a block that reads has the state first, and then needs the ledger: the other gives it back meanwhile.
    """

    def __init__(self) -> None:
        guard = Lock()
        self._to_read, self._to_record = Condition(guard), Condition(guard)
        self._owner: int | None = None
        self._depth = 0
        self._recording = 0
        self._needs_ledger = False

    @property
    def is_mine(self) -> bool:
        """Whether the thread that asks has the state."""
        return self._owner == get_ident()

    @contextmanager
    def held(self, *, to_record: bool = False) -> Iterator[None]:
        """Have the state: to record before all others, to read after those who are about to record."""
        if not self.is_mine:
            if to_record:
                self._take_to_record(has_ledger=False)
            else:
                self._take_to_read()
        self._depth += 1
        try:
            yield
        finally:
            self.give()

    def take_with_ledger(self) -> None:
        """Take the state to record; raises SteppedAside where the ledger is to be given back before."""
        if not self.is_mine:
            self._take_to_record(has_ledger=True)
        self._depth += 1

    def give(self) -> None:
        """Give the state back as often as it was taken; raises RuntimeError for who does not have it."""
        if not self.is_mine:
            raise RuntimeError("This thread does not have the state of the trial.")
        self._depth -= 1
        if not self._depth:
            with self._to_read:
                self._owner = None
                self._wake()

    @contextmanager
    def needing_ledger(self) -> Iterator[None]:
        """Have whoever has the ledger, and waits for the state that this thread has, give it back."""
        with self._to_record:
            self._needs_ledger = True
            self._to_record.notify_all()
        try:
            yield
        finally:
            self._needs_ledger = False

    def _take_to_read(self) -> None:
        with self._to_read:
            try:
                self._to_read.wait_for(lambda: self._owner is None and not self._recording)
                self._owner = get_ident()
            finally:
                self._wake()

    def _take_to_record(self, *, has_ledger: bool) -> None:
        with self._to_record:
            self._recording += 1
            try:
                self._to_record.wait_for(
                    lambda: self._owner is None or (has_ledger and self._needs_ledger),
                    timeout=_PATIENCE_SECONDS if has_ledger else None,
                )
                if self._owner is not None:
                    raise SteppedAside
                self._owner = get_ident()
            finally:
                self._recording -= 1
                self._wake()

    def _wake(self) -> None:
        if self._owner is None:
            (self._to_record if self._recording else self._to_read).notify()
