"""The ledger in memory keeps the contract of all ledgers."""

import pytest

from equipoise.ledger import LedgerMisused, MemoryLedger, StoreUnavailable, check_chain
from tests.ledger.ledger_contract import LedgerContract, append_numbers, seal_numbers


class TestMemoryLedger(LedgerContract):
    @pytest.fixture
    def ledger_factory(self):
        return MemoryLedger


def test_records_verify():
    ledger = MemoryLedger()
    entries = append_numbers(ledger, 1, 2, 3)
    report = check_chain(ledger.records(), [entries[1].head])
    assert (report.head, report.entries, report.intact) == (ledger.head(), 3, True)


def test_reading_ends_at_the_head_of_the_call():
    ledger = MemoryLedger()
    append_numbers(ledger, 1)
    reading = ledger.read()
    append_numbers(ledger, 2)
    assert [entry.position for entry in reading] == [1]


def test_thread_that_holds_the_ledger_is_told_so_and_does_not_wait_for_itself():
    ledger = MemoryLedger()
    with ledger.exclusive() as transaction:
        with pytest.raises(LedgerMisused), ledger.exclusive():
            raise AssertionError("two transactions at once")
        transaction.append(seal_numbers(transaction.head, 1), ())
    assert append_numbers(ledger, 2)[0].position == 2


def test_unavailable_store_says_what_and_why():
    error = StoreUnavailable("STORE-FULL", "The disk is full. Free some space and record again.")
    assert str(error) == "STORE-FULL: The disk is full. Free some space and record again."
