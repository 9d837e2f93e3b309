"""What is sent is recorded once, wherever a process dies on the way, and however often it is sent again."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.access.actor import SYSTEM, Actor
from equipoise.allocation.vault import MemoryVault
from equipoise.conduct.clock import read_system_clock
from equipoise.conduct.entropy import SystemEntropy
from equipoise.conduct.trial import Trial
from equipoise.governance.commands import OpenTrial, PublishHead
from equipoise.ledger import (
    Change,
    Entry,
    Head,
    Ledger,
    LedgerTransaction,
    MemoryLedger,
    Receipt,
    Sending,
    SentBefore,
    check_chain,
)
from tests.conduct.clinic import open_definition
from tests.store.samples import FileTrials, edited, start_worker
from tests.store.worker import SENT

ADA = Actor("ada", "administrator")
HELLO = PublishHead(destination="the sponsor")
STEPS = ("lock", "look", "append", "commit", "answer")
"""Where a process may die: each before the next, the last when all is recorded and nobody knows it yet."""

_numbers = count()


class Died(BaseException):
    """The process ended."""


class DyingLedger:
    """A ledger whose process dies at a step."""

    def __init__(self, ledger: Ledger, step: str | None) -> None:
        self._ledger, self.step = ledger, step

    def head(self) -> Head:
        return self._ledger.head()

    def read(self, after: int = 0) -> Iterator[Entry]:
        return self._ledger.read(after)

    def receipts(self, keys: Sequence[str]) -> Mapping[str, Receipt]:
        return self._ledger.receipts(keys)

    @contextmanager
    def exclusive(self) -> Iterator[LedgerTransaction]:
        with self._ledger.exclusive() as transaction:
            self.die("lock")
            yield _DyingTransaction(self, transaction)
            self.die("commit")
        self.die("answer")

    def die(self, step: str) -> None:
        if self.step == step:
            raise Died


class _DyingTransaction:
    def __init__(self, ledger: DyingLedger, transaction: LedgerTransaction) -> None:
        self._ledger, self._transaction = ledger, transaction

    @property
    def head(self) -> Head:
        return self._transaction.head

    def tail(self, after: int) -> Iterator[Entry]:
        return self._transaction.tail(after)

    def receipts(self, keys: Sequence[str]) -> Mapping[str, Receipt]:
        found = self._transaction.receipts(keys)
        self._ledger.die("look")
        return found

    def append(
        self,
        entries: Sequence[Entry],
        changes: Sequence[Change],
        receipts: Sequence[Receipt] = (),
        blotted: Sequence[Entry] = (),
    ) -> None:
        self._transaction.append(entries, changes, receipts, blotted)
        self._ledger.die("append")


def trial_on(ledger: Ledger) -> Trial:
    """The trial as a process opens it."""
    trial = Trial(open_definition(), ledger, MemoryVault(), read_system_clock, SystemEntropy())
    if trial.head.position == 0:
        assert isinstance(trial.record(SYSTEM, OpenTrial(mode="live", administrator="ada")), tuple)
    return trial


def send(trial: Trial, sending: Sending) -> str:
    """Send something, and tell what came of it."""
    try:
        return "recorded" if isinstance(trial.record(ADA, HELLO, None, sending), tuple) else "refused"
    except SentBefore as before:
        assert before.receipt.sending == sending
        return "sent before"
    except Died:
        return "died"


def another() -> Sending:
    return Sending.of(("form", f"{next(_numbers)}"), ("nils",))


@pytest.fixture(scope="module", params=["memory", "sqlite", "postgresql"])
def ledger(request, tmp_path_factory):
    """A ledger of each kind."""
    if request.param == "memory":
        yield MemoryLedger()
        return
    is_file = request.param == "sqlite"
    made = FileTrials(tmp_path_factory.mktemp("sent")) if is_file else request.getfixturevalue("databases")()
    yield made.make().ledger
    made.close()


@settings(max_examples=40, deadline=None)
@given(deaths=st.lists(st.sampled_from(STEPS), max_size=4), again=st.integers(1, 2))
def test_law_wherever_processes_die_what_is_sent_until_it_is_answered_is_recorded_once(ledger, deaths, again):
    trial = trial_on(ledger)
    before, sending = trial.head.position, another()
    told = [send(trial_on(DyingLedger(ledger, step)), sending) for step in deaths]
    told += [send(trial_on(ledger), sending) for _ in range(again)]
    entries = list(ledger.read(before))
    assert [entry.kind for entry in entries] == ["HeadPublished"]
    # Recorded by whoever lived beyond the commit; all who come later hear of it, unless they die before.
    recorded = deaths.index("answer") if "answer" in deaths else len(deaths)
    assert told[:recorded] == ["died"] * recorded
    assert told[-1] == ("sent before" if recorded < len(told) - 1 else "recorded")
    receipt = ledger.receipts([sending.key])[sending.key]
    assert (receipt.position, receipt.entries) == (before + 1, 1)
    assert receipt.recorded_at == entries[0].recorded_at


def test_law_of_what_many_send_at_once_one_is_recorded_and_the_others_hear_of_it(ledger):
    """Half the threads have the trial to themselves, as processes have; the others share one."""
    shared, sending = trial_on(ledger), another()
    before = shared.head.position
    trials = [shared] * 4 + [trial_on(ledger) for _ in range(4)]
    with ThreadPoolExecutor(len(trials)) as threads:
        told = list(threads.map(send, trials, [sending] * len(trials)))
    assert sorted(told) == ["recorded"] + ["sent before"] * 7
    assert ledger.head().position == before + 1


def test_other_words_under_the_same_key_are_told_apart_by_their_receipt(ledger):
    trial = trial_on(ledger)
    sending = another()
    other = Sending(sending.key, "0" * 64)
    assert send(trial, sending) == "recorded"
    with pytest.raises(SentBefore) as before:
        trial.record(ADA, HELLO, None, other)
    assert before.value.receipt.sending == sending


def test_a_refusal_leaves_no_receipt(ledger):
    trial, sending = trial_on(ledger), another()
    before = trial.head
    assert not isinstance(trial.record(Actor("eve", "administrator"), HELLO, None, sending), tuple)
    assert ledger.receipts([sending.key]) == {} and trial.head == before
    assert send(trial, sending) == "recorded"


@pytest.mark.parametrize(("action", "kept"), [("die", 0), ("die_after", 1)])
def test_a_process_that_is_gone_leaves_entries_and_receipt_or_neither(store, action, kept):
    with start_worker(action, store.place) as worker:
        worker.communicate(timeout=60)
    assert worker.returncode == 3
    assert (store.head().position > 0, len(store.ledger.receipts([SENT.sending.key]))) == (kept, kept)
    assert store.structure_problems() == []


def test_receipts_are_no_part_of_the_chain_and_show_nothing_of_what_was_sent(store):
    trial = trial_on(store.ledger)
    sending = Sending.of(("form", "the ticket"), ("nils",))
    assert send(trial, sending) == "recorded"
    with edited(store) as connection:
        ((*row,),) = connection.execute("SELECT * FROM receipt").fetchall()
        assert not any("ticket" in str(cell) or "nils" in str(cell) for cell in row)
        connection.execute("DELETE FROM receipt")
    assert check_chain(store.records()).intact and store.structure_problems() == []


@pytest.mark.parametrize(
    "change",
    ["position = position + 1", "position = -1", "entries = 7", "entries = -1", "key = 'x'", "said = 'x'"],
)
def test_a_receipt_for_what_the_ledger_cannot_hold_is_found(store, change):
    assert send(trial_on(store.ledger), another()) == "recorded"
    assert store.structure_problems() == []
    with edited(store) as connection:
        connection.execute(f"UPDATE receipt SET {change}")
    assert any("list of receipts" in line for line in store.structure_problems())
