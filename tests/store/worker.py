"""What other processes do to a trial in the tests: `python -m tests.store.worker ACTION PLACE`."""

import os
import sys
from collections.abc import Callable
from typing import cast

from equipoise.governance.state import TrialRow
from equipoise.ledger import Receipt, Sending, StoreUnavailable
from equipoise.store.trial_store import TrialStore
from tests.ledger.ledger_contract import STAMP, append_numbers, seal_numbers
from tests.store.samples import insertion, place_of, sample_row

SENT = Receipt(Sending.of(("form", "sent"), ("nils",)), 1, 2, STAMP.recorded_at)
"""That what those record who die was sent."""


def count(store: TrialStore) -> None:
    """Read the highest number and append the next, 50 times."""
    for _ in range(50):
        with store.ledger.exclusive() as transaction:
            tail = transaction.tail(max(transaction.head.position - 1, 0))
            number = max((cast(int, entry.content["number"]) for entry in tail), default=0) + 1
            transaction.append(seal_numbers(transaction.head, number), ())


def die(store: TrialStore) -> None:
    """End without a word after appending and before the commit."""
    with store.ledger.exclusive() as transaction:
        entries = seal_numbers(transaction.head, 8, 9)
        transaction.append(entries, [insertion(sample_row(TrialRow))], [SENT])
        os._exit(3)


def die_after(store: TrialStore) -> None:
    """End without a word after the commit."""
    with store.ledger.exclusive() as transaction:
        transaction.append(seal_numbers(transaction.head, 8, 9), (), [SENT])
    os._exit(3)


def record_on(store: TrialStore) -> None:
    """Record, and say so after each commit, until killed."""
    while True:
        entries = append_numbers(store.ledger, 1, 2)
        os.write(1, f"{entries[-1].position} {entries[-1].hash}\n".encode())


def fork(store: TrialStore) -> None:
    """Record on both sides of a fork, one after the other."""
    append_numbers(store.ledger, 1)
    child = os.fork()
    if child == 0:
        append_numbers(store.ledger, 2)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    append_numbers(store.ledger, 3)


def fork_within(store: TrialStore) -> None:
    """Fork within a transaction: the child must not touch the file, and the parent goes on."""
    with store.ledger.exclusive() as transaction:
        child = os.fork()
        if child == 0:
            try:
                store.ledger.head()
            except StoreUnavailable as error:
                os._exit(7 if error.code == "STORE-FORKED" else 1)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        transaction.append(seal_numbers(transaction.head, 1), ())


def leave_a_child(store: TrialStore) -> None:
    """Die within a transaction, survived by a child that was forked in it."""
    with store.ledger.exclusive() as transaction:
        transaction.append(seal_numbers(transaction.head, 8), ())
        if os.fork() == 0:
            sys.stdin.read()
            os._exit(0)
        os._exit(3)


ACTIONS: dict[str, Callable[[TrialStore], None]] = {
    each.__name__: each for each in (count, die, die_after, record_on, fork, fork_within, leave_a_child)
}

if __name__ == "__main__":
    opened = TrialStore.open(place_of(sys.argv[2]))
    ACTIONS[sys.argv[1]](opened)
    opened.close()
