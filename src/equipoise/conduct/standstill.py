"""Letting one thread at a time at the state of a trial; who is about to record goes before who reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Lock, get_ident


class SteppedAside(Exception):
    """The ledger is to be given back: the thread that has the state waits for it, to record inside."""


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
    def held(self) -> Iterator[None]:
        """Have the state, after those who are about to record."""
        if not self.is_mine:
            with self._to_read:
                self._to_read.wait_for(lambda: self._owner is None and not self._recording)
                self._owner = get_ident()
        self._depth += 1
        try:
            yield
        finally:
            self.give()

    def wait(self) -> None:
        """Wait until the thread that has the state gives it back."""
        if self._owner is not None:
            self.take(has_ledger=False)
            self.give()

    def take(self, *, has_ledger: bool = True) -> None:
        """Take the state to record, before those who read.

        Raises SteppedAside, for who has the ledger, where the thread that has the state needs it.
        """
        if not self.is_mine:
            with self._to_record:
                self._recording += 1
                try:
                    self._to_record.wait_for(
                        lambda: self._owner is None or (has_ledger and self._needs_ledger)
                    )
                    if self._owner is not None:
                        raise SteppedAside
                    self._owner = get_ident()
                finally:
                    self._recording -= 1
                    self._wake()
        self._depth += 1

    def give(self) -> None:
        """Give the state back as often as it was taken."""
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

    def _wake(self) -> None:
        (self._to_record if self._recording else self._to_read).notify()
