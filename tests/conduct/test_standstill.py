"""Threads of one process while others have the ledger: they read on, look once for all, and never block."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from time import monotonic

import pytest

from equipoise.conduct import standstill
from equipoise.conduct.standstill import Standstill, SteppedAside
from equipoise.conduct.trial import Trial
from equipoise.governance.commands import CloseSite, PublishHead
from equipoise.governance.state import SiteRow
from equipoise.ledger import Entry, LedgerTransaction, MemoryLedger
from tests.conduct.clinic import ADA, Clinic

HELLO = PublishHead(destination="the sponsor")
CLOSE = CloseSite(site="CA01")
PATIENCE = 60
"""Seconds after which what was to happen has not."""


class WatchedLedger(MemoryLedger):
    """Counts who reads it, and lets who has it go on only when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.is_had, self.goes_on = Event(), Event()
        self.goes_on.set()

    def hold_up(self) -> None:
        """Keep whoever has it next from going on."""
        self.is_had.clear()
        self.goes_on.clear()

    def read(self, after: int = 0) -> Iterator[Entry]:
        self.reads += 1
        return super().read(after)

    @contextmanager
    def exclusive(self) -> Iterator[LedgerTransaction]:
        with super().exclusive() as transaction:
            self.is_had.set()
            assert self.goes_on.wait(PATIENCE)
            yield transaction


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nobody step aside because the machine is slow."""
    monkeypatch.setattr(standstill, "_PATIENCE_SECONDS", PATIENCE)


def status_in(trial: Trial) -> str:
    """Return the status of the site that is closed, as a page reads it."""
    with trial.reading():
        return trial.tables.require(SiteRow, "CA01").status


def wait_for(condition: Callable[[], bool]) -> None:
    """Go on as soon as something is so, which other threads bring about."""
    end = monotonic() + PATIENCE
    while not condition():
        assert monotonic() < end, "it did not come to this"


def test_who_reads_does_not_wait_for_the_ledger_that_another_process_has() -> None:
    clinic = Clinic(WatchedLedger())
    with ThreadPoolExecutor(2) as threads:
        with clinic.ledger.exclusive():
            closing = threads.submit(clinic.trial.record, ADA, CLOSE)
            wait_for(lambda: bool(clinic.trial._turn.locked()))
            assert threads.submit(status_in, clinic.trial).result(PATIENCE) == "active"
            assert not closing.done()
        assert isinstance(closing.result(PATIENCE), tuple)
        assert threads.submit(status_in, clinic.trial).result(PATIENCE) == "closed"


def test_of_those_who_wait_to_read_one_looks_for_all() -> None:
    ledger = WatchedLedger()
    clinic = Clinic(ledger)
    other = clinic.another("other")

    def head() -> int:
        with clinic.trial.reading():
            return clinic.trial.trail.position

    with ThreadPoolExecutor(5) as threads:
        with clinic.trial.reading():
            seen = [threads.submit(head) for _ in range(5)]
            wait_for(lambda: len(clinic.trial._standstill._to_read._waiters) == 5)  # type: ignore[attr-defined]
            assert isinstance(other.record(ADA, HELLO), tuple)
            before = ledger.reads
        assert {each.result(PATIENCE) for each in seen} == {ledger.head().position}
    assert ledger.reads == before + 1


def test_who_looks_after_another_looked_sees_what_was_recorded_in_between() -> None:
    clinic = Clinic()
    other = clinic.another("other")
    for _ in range(3):
        clinic.trial.catch_up()
        assert isinstance(other.record(ADA, HELLO), tuple)
        clinic.trial.catch_up()
        assert clinic.trial.trail.position == clinic.ledger.head().position


@pytest.mark.parametrize("times", [1, 2])
def test_who_records_inside_a_block_is_given_the_ledger_by_who_waits_for_the_block_to_end(times: int) -> None:
    ledger = WatchedLedger()
    clinic = Clinic(ledger)
    state = clinic.trial._standstill
    ledger.hold_up()
    with ThreadPoolExecutor(1) as threads:
        closing = threads.submit(clinic.trial.record, ADA, CLOSE)
        assert ledger.is_had.wait(PATIENCE)
        with clinic.trial.reading():
            ledger.goes_on.set()
            wait_for(lambda: state._recording == 1)
            for _ in range(times):
                assert isinstance(clinic.trial.record(ADA, HELLO), tuple)
                assert clinic.trial.tables.require(SiteRow, "CA01").status == "active"
        assert isinstance(closing.result(PATIENCE), tuple)
    kinds = [entry.kind for entry in ledger.read()]
    assert kinds[-times - 1 :] == [*["HeadPublished"] * times, "SiteClosed"]


def test_who_stepped_aside_once_records_before_the_next_who_comes() -> None:
    ledger = WatchedLedger()
    clinic = Clinic(ledger)
    state = clinic.trial._standstill
    ledger.hold_up()

    def inside() -> None:
        with clinic.trial.reading():
            assert isinstance(clinic.trial.record(ADA, PublishHead(destination="the last")), tuple)

    with ThreadPoolExecutor(2) as threads:
        closing = threads.submit(clinic.trial.record, ADA, CLOSE)
        assert ledger.is_had.wait(PATIENCE)
        with clinic.trial.reading():
            ledger.goes_on.set()
            wait_for(lambda: state._recording == 1)
            assert isinstance(clinic.trial.record(ADA, HELLO), tuple)
            wait_for(lambda: state._recording == 1)
            last = threads.submit(inside)
            wait_for(lambda: len(state._to_read._waiters) == 1)  # type: ignore[attr-defined]
        closing.result(PATIENCE)
        last.result(PATIENCE)
    assert [entry.kind for entry in ledger.read()][-3:] == ["HeadPublished", "SiteClosed", "HeadPublished"]


def test_other_processes_do_not_wait_for_a_block_that_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standstill, "_PATIENCE_SECONDS", 0.001)
    ledger = WatchedLedger()
    clinic = Clinic(ledger)
    other = clinic.another("other")
    ledger.hold_up()
    with ThreadPoolExecutor(2) as threads:
        closing = threads.submit(clinic.trial.record, ADA, CLOSE)
        assert ledger.is_had.wait(PATIENCE)
        with clinic.trial.reading():
            ledger.goes_on.set()
            assert isinstance(threads.submit(other.record, ADA, HELLO).result(PATIENCE), tuple)
            assert not closing.done()
        assert isinstance(closing.result(PATIENCE), tuple)


class SlowLedger(MemoryLedger):
    """Once, what was read is kept back after it was found."""

    def __init__(self) -> None:
        super().__init__()
        self.keeps_back = False
        self.has_found, self.goes_on = Event(), Event()

    def read(self, after: int = 0) -> Iterator[Entry]:
        found = super().read(after)
        if self.keeps_back:
            self.keeps_back = False
            self.has_found.set()
            assert self.goes_on.wait(PATIENCE)
        return found


def test_who_comes_while_an_answer_is_on_its_way_looks_again() -> None:
    ledger = SlowLedger()
    clinic = Clinic(ledger)
    other = clinic.another("other")

    ledger.keeps_back = True
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(status_in, clinic.trial)
        assert ledger.has_found.wait(PATIENCE)
        assert isinstance(other.record(ADA, CLOSE), tuple)
        second = threads.submit(status_in, clinic.trial)
        wait_for(lambda: len(clinic.trial._standstill._to_read._waiters) == 1)  # type: ignore[attr-defined]
        ledger.goes_on.set()
        assert (first.result(PATIENCE), second.result(PATIENCE)) == ("active", "closed")


def test_the_state_is_given_back_by_who_has_it_alone() -> None:
    with pytest.raises(RuntimeError, match="does not have the state"):
        Standstill().give()


def test_who_is_about_to_record_goes_before_who_reads() -> None:
    state, order = Standstill(), list[str]()

    def read() -> None:
        with state.held():
            order.append("read")

    def record() -> None:
        state.take_with_ledger()
        order.append("recorded")
        state.give()

    with ThreadPoolExecutor(3) as threads:
        with state.held(), state.held():
            waiting = [threads.submit(read), threads.submit(read)]
            wait_for(lambda: len(state._to_read._waiters) == 2)  # type: ignore[attr-defined]
            waiting.append(threads.submit(record))
            wait_for(lambda: state._recording == 1)
            assert order == []
        for each in waiting:
            each.result(PATIENCE)
    assert order == ["recorded", "read", "read"]


def test_who_steps_aside_lets_others_read() -> None:
    state = Standstill()
    with ThreadPoolExecutor(1) as threads:
        with state.held():
            recording = threads.submit(state.take_with_ledger)
            wait_for(lambda: state._recording == 1)
            with state.needing_ledger(), pytest.raises(SteppedAside):
                recording.result(PATIENCE)
        with state.held():
            assert state.is_mine
    assert not state.is_mine
