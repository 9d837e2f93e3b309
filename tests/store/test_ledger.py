"""The ledger in a database keeps the contract of all ledgers, also between processes and connections."""

import signal
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from random import Random
from typing import Any

import pytest
from django.db import connections
from hypothesis import given
from hypothesis import strategies as st

from equipoise.capture.state import EncounterRow
from equipoise.governance.state import TrialRow
from equipoise.ledger import (
    Change,
    Draft,
    Head,
    LedgerCorrupt,
    LedgerMisused,
    StoreUnavailable,
    Tables,
    check_chain,
    seal,
)
from equipoise.store.rows import ROW_TYPES, encode_rows, read_table
from tests.ledger.ledger_contract import (
    STAMP,
    LedgerContract,
    StoppedError,
    append_numbers,
    seal_numbers,
)
from tests.store.samples import edited, fill, insertion, sample_row, start_worker


class TestDatabaseLedger(LedgerContract):
    @pytest.fixture
    def ledger_factory(self, trials):
        return lambda: trials.make().ledger


def kept_rows(store, row_type):
    with connections[store.ledger.alias].cursor() as cursor:
        return read_table(cursor, row_type)


def test_statements_take_their_parameters_by_place_or_by_name(store):
    with connections[store.ledger.alias].cursor() as cursor:
        cursor.execute("SELECT %s, '%%s', %s", [1, "é"])
        assert cursor.fetchone() == (1, "%s", "é")
        cursor.execute("SELECT %(b)s, %(a)s", {"a": 1, "b": "é"})
        assert cursor.fetchone() == ("é", 1)


def test_four_processes_lose_nothing(store):
    workers = [start_worker("count", store.place) for _ in range(4)]
    assert [worker.wait(120) for worker in workers] == [0] * 4
    for worker in workers:
        worker.communicate()
    entries = list(store.ledger.read())
    assert [entry.content["number"] for entry in entries] == list(range(1, 201))
    assert check_chain(store.records()).intact


@pytest.mark.parametrize(("action", "position"), [("die", 2), ("die_after", 4)])
def test_process_that_dies_leaves_all_or_nothing(store, action, position):
    append_numbers(store.ledger, 1, 2)
    with start_worker(action, store.place) as worker:
        worker.communicate(timeout=60)
    assert worker.returncode == 3
    assert store.head().position == position
    assert check_chain(store.records()).head == store.head()
    assert kept_rows(store, TrialRow) == {}
    append_numbers(store.ledger, 3)
    assert store.structure_problems() == []


def test_process_that_is_killed_has_lost_nothing_that_it_acknowledged(store):
    chance = Random(20260512)
    for _ in range(4):
        before = store.head().position
        with start_worker("record_on", store.place) as worker:
            assert worker.stdout is not None
            told = [worker.stdout.readline() for _ in range(chance.randrange(1, 40))]
            # Not at the acknowledgement itself, but somewhere in what follows upon it.
            for _ in range(chance.randrange(60_000)):
                pass
            worker.kill()
            # communicate() would lose the lines that have been read ahead of those taken above.
            told += worker.stdout.readlines()
        assert worker.returncode == -signal.SIGKILL
        promised = [Head(int(position), digest) for position, digest in map(str.split, told)]
        # The writer that takes its place waits until what the dead one held is free.
        append_numbers(store.ledger, 3)
        report = check_chain(store.records(), promised)
        assert (report.intact, report.head) == (True, store.head())
        # At most the transaction that was under way is there without having been acknowledged.
        assert store.head().position - 1 - promised[-1].position in (0, 2)
        assert promised[0].position == before + 2
    assert store.structure_problems() == []


@pytest.mark.parametrize(("action", "position"), [("fork", 3), ("fork_within", 1)])
def test_no_connection_crosses_a_fork(store, action, position):
    with start_worker(action, store.place) as worker:
        worker.communicate(timeout=60)
    assert worker.returncode == 0
    assert check_chain(store.records()).head == store.head()
    assert store.head().position == position


def test_child_does_not_keep_what_its_dead_parent_held(store):
    with start_worker("leave_a_child", store.place) as worker:
        assert worker.wait(60) == 3
        # The child is alive until its input ends, which is when this block does.
        assert append_numbers(store.ledger, 1)[0].position == 1
    assert check_chain(store.records()).head == store.head()


def test_thread_that_holds_the_ledger_is_told_so_and_does_not_wait_for_itself(store):
    with store.ledger.exclusive() as transaction:
        with pytest.raises(LedgerMisused), store.ledger.exclusive():
            raise AssertionError("two transactions at once")
        transaction.append(seal_numbers(transaction.head, 1), ())
    assert append_numbers(store.ledger, 2)[0].position == 2


def test_reading_ends_at_the_head_of_the_call_and_disturbs_no_writer(store):
    append_numbers(store.ledger, *range(1, 1501))
    reading = store.ledger.read()
    first = next(reading)
    append_numbers(store.ledger, 1501)
    assert [first.position, *(entry.position for entry in reading)] == list(range(1, 1501))


def test_changes_go_with_the_entries_or_not_at_all(store):
    row = sample_row(TrialRow)
    with pytest.raises(StoppedError), store.ledger.exclusive() as transaction:
        transaction.append(seal_numbers(transaction.head, 1), [insertion(row)])
        raise StoppedError
    assert kept_rows(store, TrialRow) == {}
    with store.ledger.exclusive() as transaction:
        transaction.append(seal_numbers(transaction.head, 1), [insertion(row)])
    assert kept_rows(store, TrialRow) == encode_rows(TrialRow, [row])


@pytest.fixture(scope="module")
def shared_store(shared_trials):
    return shared_trials.make()


@pytest.mark.parametrize("row_type", ROW_TYPES)
def test_every_table_takes_what_its_row_type_allows(shared_store, row_type):
    store = shared_store
    row, other = sample_row(row_type, 1), sample_row(row_type, 2)
    (key, *_), (other_key, *_) = encode_rows(row_type, [row]), encode_rows(row_type, [other])
    # Some tables have nothing but keys and a flag, which every second sample has the same.
    changed = next((each for each in _variants(row) if each != row), row)
    for changes, expected in (
        ([insertion(row), insertion(other)], [row, other]),
        ([Change(row_type, key, row, changed)], [changed, other]),
        ([Change(row_type, other_key, other, None)], [changed]),
    ):
        with store.ledger.exclusive() as transaction:
            transaction.append(seal_numbers(transaction.head, 1), changes)
        assert kept_rows(store, row_type) == encode_rows(row_type, expected)
        assert store.differing_rows(row_type, expected) == []


def _variants(row: Any) -> Iterator[Any]:
    """Rows with the same key and something else in the other fields; at last the row itself."""
    for number in (3, 4):
        sample: Any = sample_row(type(row), number)
        yield replace(sample, **{name: getattr(row, name) for name in row.key})
    yield replace(row)


HISTORIES = st.lists(
    st.lists(st.tuples(st.sampled_from((1, 2, 3)), st.sampled_from((1, 2, None))), max_size=4), max_size=5
)


@given(HISTORIES)
def test_tables_follow_any_history(shared_store, histories):
    """Each history is one transaction of puts and removals: a key, and what to put there, None to remove."""
    tables = Tables()
    numbers = count()
    with connections[shared_store.ledger.alias].cursor() as cursor:
        cursor.execute(f"DELETE FROM {EncounterRow.table}")
    for history in histories:
        tables.begin()
        for key, value in history:
            row = sample_row(EncounterRow, key)
            place = [getattr(row, name) for name in EncounterRow.key]
            if value is not None:
                tables.put(replace(row, status=f"status {value}", cause=None))
            elif tables.get(EncounterRow, *place) is not None:
                tables.remove(EncounterRow, *place)
        with shared_store.ledger.exclusive() as transaction:
            transaction.append(seal_numbers(transaction.head, next(numbers)), tables.changes())
        tables.commit()
        expected = list(tables.all(EncounterRow))
        assert kept_rows(shared_store, EncounterRow) == encode_rows(EncounterRow, expected)


def test_append_that_failed_cannot_be_committed(store):
    row = sample_row(TrialRow)
    with store.ledger.exclusive() as transaction:
        transaction.append(seal_numbers(transaction.head, 1), [insertion(row)])
    with pytest.raises(LedgerMisused), store.ledger.exclusive() as transaction:
        with pytest.raises(StoreUnavailable, match="STORE-INCONSISTENT"):
            transaction.append(seal_numbers(transaction.head, 2), [insertion(row)])
        with pytest.raises(LedgerMisused):
            transaction.append((), ())
    assert store.head().position == 1
    assert append_numbers(store.ledger, 2)[0].position == 2


@pytest.mark.parametrize("after", [None, sample_row(TrialRow, 1)])
def test_change_of_a_row_that_is_not_there_is_found_at_once(store, after):
    row = sample_row(TrialRow)
    (key, *_) = encode_rows(TrialRow, [row])
    with pytest.raises(StoreUnavailable, match="STORE-INCONSISTENT"), store.ledger.exclusive() as transaction:
        transaction.append(seal_numbers(transaction.head, 1), [Change(TrialRow, key, row, after)])
    assert store.head() == Head.genesis()


@pytest.mark.parametrize(
    "edit",
    [
        "UPDATE ledger_head SET position = 1",
        "UPDATE ledger_head SET position = 3",
        "UPDATE ledger_head SET hash = 'f'",
        "DELETE FROM ledger_head",
        "DELETE FROM ledger WHERE position = 2",
        "UPDATE ledger SET hash = 'f' WHERE position = 2",
    ],
)
def test_nothing_is_recorded_upon_a_head_that_was_moved(store, edit):
    append_numbers(store.ledger, 1, 2)
    with edited(store) as connection:
        connection.execute(edit)
    with pytest.raises(StoreUnavailable, match="STORE-INCONSISTENT"), store.ledger.exclusive():
        raise AssertionError("the head was taken as it was")


@pytest.mark.parametrize(
    "edit",
    [
        "DELETE FROM ledger WHERE position = 2",
        "UPDATE ledger SET body = body || ' ' WHERE position = 2",
        "UPDATE ledger SET body = (SELECT body FROM ledger WHERE position = 1), "
        "hash = (SELECT hash || '' FROM ledger WHERE position = 1) WHERE position = 2",
    ],
)
def test_reading_stops_where_the_chain_is_broken(store, edit):
    append_numbers(store.ledger, 1, 2, 3)
    with edited(store) as connection:
        if "SELECT" in edit:
            # Two rows cannot have the same hash while both are there.
            connection.execute("CREATE TEMP TABLE kept AS SELECT * FROM ledger WHERE position = 1")
            connection.execute("DELETE FROM ledger WHERE position = 1")
            edit = edit.replace("FROM ledger", "FROM kept")
        connection.execute(edit)
    for after in (0, 1):
        with pytest.raises(LedgerCorrupt):
            list(store.ledger.read(after))


def test_large_and_unusual_texts_come_back(store):
    draft = Draft("Counted", 1, {"text": "\x00\u2028\U0001f600'\";%s%% \\", "large": "é" * 100_000})
    with store.ledger.exclusive() as transaction:
        entry = seal(transaction.head, draft, STAMP)
        transaction.append([entry], ())
    assert list(store.ledger.read()) == [entry]
    assert next(store.records()).body == entry.body


def test_filled_trial_verifies(store):
    entries, rows = fill(store)
    report = check_chain(store.records())
    assert (report.intact, report.head, store.head()) == (True, entries[-1].head, entries[-1].head)
    assert all(store.differing_rows(row_type, each) == [] for row_type, each in rows.items())
    assert store.structure_problems() == []
