"""What goes wrong with a file or its disk: a code for each remedy, and nothing changed."""

import os
import re
import sqlite3

import pytest
from django.db import connections

from equipoise.governance.state import TrialRow
from equipoise.ledger import Head, StoreUnavailable, check_chain
from equipoise.store import setup
from equipoise.store.trial_store import StoreUnreadable, TrialStore, snapshot
from tests.ledger.ledger_contract import append_numbers, seal_numbers
from tests.store.samples import (
    CANONICAL,
    CANONICAL_HASH,
    fill,
    insertion,
    make_store,
    new_trial,
    plain,
    sample_row,
)


@pytest.fixture
def store(tmp_path):
    opened = make_store(tmp_path / "trial.sqlite")
    yield opened
    opened.close()


def ask(store, pragma):
    with connections[store.ledger.alias].cursor() as cursor:
        cursor.execute(f"PRAGMA {pragma}")
        return cursor.fetchone()


def test_full_disk_changes_nothing_and_recording_goes_on_when_there_is_room(store):
    entries = append_numbers(store.ledger, 1)
    pages = ask(store, "page_count")[0]
    ask(store, f"max_page_count = {pages + 2}")
    with pytest.raises(StoreUnavailable) as failure, store.ledger.exclusive() as transaction:
        changes = [insertion(sample_row(TrialRow))]
        transaction.append(seal_numbers(transaction.head, *range(2, 200)), changes)
    assert failure.value.code == "STORE-FULL"
    assert list(store.ledger.read()) == entries
    assert store.differing_rows(TrialRow, []) == []
    ask(store, f"max_page_count = {pages + 1000}")
    append_numbers(store.ledger, *range(2, 200))
    assert check_chain(store.records()).head == store.head()
    assert store.structure_problems() == []


def test_file_that_another_writer_holds_is_busy_and_can_be_read(store):
    entries = append_numbers(store.ledger, 1)
    ask(store, "busy_timeout = 1")
    with plain(store.place) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE ledger_head SET position = 9")
        with pytest.raises(StoreUnavailable) as failure, store.ledger.exclusive():
            raise AssertionError("two writers at once")
        assert failure.value.code == "STORE-BUSY"
        assert list(store.ledger.read()) == entries
        other.execute("ROLLBACK")
    assert append_numbers(store.ledger, 2)[0].position == 2


def test_database_that_cannot_be_written_can_be_read(store):
    entries = append_numbers(store.ledger, 1)
    ask(store, "query_only = ON")
    with pytest.raises(StoreUnavailable) as failure:
        append_numbers(store.ledger, 2)
    assert failure.value.code == "STORE-READ-ONLY"
    assert list(store.ledger.read()) == entries


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_file_without_permission_to_write_can_be_read(store):
    append_numbers(store.ledger, 1)
    store.close()
    store.place.chmod(0o400)
    opened = TrialStore.open(store.place)
    assert opened.head().position == 1
    with pytest.raises(StoreUnavailable, match="STORE-READ-ONLY"):
        append_numbers(opened.ledger, 2)


def test_file_that_went_away_is_not_made_anew(store):
    store.close()
    store.place.rename(store.place.with_name("elsewhere"))
    with pytest.raises(StoreUnavailable, match="STORE-UNREACHABLE"):
        store.head()
    assert not store.place.exists()


def test_damaged_page_is_found_and_changes_nothing_else(store):
    fill(store, entries=300)
    store.close()
    kept = bytearray(store.place.read_bytes())
    middle = len(kept) // 2 // 4096 * 4096
    kept[middle : middle + 64] = b"\xa5" * 64
    store.place.write_bytes(kept)
    assert any("damage" in line or "cannot be read" in line for line in store.structure_problems())


def test_damaged_ledger_cannot_be_read(store):
    fill(store, entries=300)
    store.close()
    with plain(store.place) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ledger'").fetchone()
    kept = bytearray(store.place.read_bytes())
    kept[(page - 1) * 4096 : page * 4096] = b"\xa5" * 4096
    store.place.write_bytes(kept)
    assert store.structure_problems() == ["a database that cannot be read (STORE-DAMAGED)"]
    with pytest.raises(StoreUnavailable, match="STORE-DAMAGED"):
        list(store.records())
    with pytest.raises(StoreUnavailable, match="STORE-DAMAGED"):
        append_numbers(store.ledger, 1)


def test_damaged_index_is_told_from_a_database_that_cannot_be_read(store):
    entries, _ = fill(store, entries=300)
    store.close()
    kept = store.place.read_bytes()
    last = entries[-1]
    seen = []
    for place in (found.start() for found in re.finditer(last.hash.encode(), kept)):
        store.close()
        store.place.write_bytes(kept[:place] + b"x" + kept[place + 1 :])
        problems = store.structure_problems()
        assert all(line.startswith("damage: ") for line in problems)
        seen.append((bool(problems), check_chain(store.records()).intact, store.head() == last.head))
    # The hash stands in the head, in the index of hashes, and in the row itself.
    assert sorted(seen) == [(False, True, False), (True, False, True), (True, True, True)]


def test_trial_that_is_held_by_another_cannot_be_opened_now(tmp_path, monkeypatch):
    monkeypatch.setattr(setup, "_BUSY_TIMEOUT_SECONDS", 0)
    path = tmp_path / "trial.sqlite"
    path.write_bytes(new_trial())
    with plain(path) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("UPDATE ledger_head SET position = 0")
        with pytest.raises(StoreUnavailable, match="STORE-BUSY"):
            TrialStore.open(path)


def write_table(path):
    with plain(path) as connection:
        connection.execute("CREATE TABLE t (x)")


def write_other_release(path):
    path.write_bytes(new_trial())
    with plain(path) as connection:
        connection.execute(f"DROP TABLE {TrialRow.table}")


@pytest.mark.parametrize(
    ("write", "code"),
    [
        (lambda path: None, "STORE-MISSING"),
        (lambda path: path.mkdir(), "STORE-UNREACHABLE"),
        (lambda path: path.write_bytes(b""), "STORE-NOT-A-TRIAL"),
        (lambda path: path.write_bytes(b"a spreadsheet"), "STORE-NOT-A-TRIAL"),
        (lambda path: path.write_bytes(new_trial()[:50]), "STORE-DAMAGED"),
        (lambda path: path.write_bytes(new_trial()[:4096]), "STORE-DAMAGED"),
        (lambda path: path.write_bytes(new_trial()[:16] + b"\xff" * 8000), "STORE-DAMAGED"),
        (write_table, "STORE-NOT-A-TRIAL"),
        (write_other_release, "STORE-RELEASE"),
    ],
)
def test_what_is_no_trial_is_not_opened(tmp_path, write, code):
    path = tmp_path / "trial.sqlite"
    write(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StoreUnreadable) as refusal:
        TrialStore.open(path)
    assert refusal.value.code == code
    assert "trial.sqlite" in refusal.value.sentence
    assert str(tmp_path) not in refusal.value.sentence
    assert (path.read_bytes() if path.is_file() else None) == before


def test_new_trial_has_its_definition_and_nothing_else(tmp_path):
    store = TrialStore.create(tmp_path / "trial.sqlite", CANONICAL_HASH, CANONICAL)
    assert store.definitions() == {CANONICAL_HASH: CANONICAL}
    assert store.head() == Head.genesis()
    assert all(store.differing_rows(row_type, []) == [] for row_type in store.row_types())
    assert store.structure_problems() == []
    assert (tmp_path / "trial.sqlite").stat().st_mode & 0o077 == 0
    store.close()
    assert (tmp_path / "trial.sqlite").read_bytes() == new_trial()


@pytest.mark.parametrize("make", [lambda path: path.write_bytes(b"mine"), lambda path: path.mkdir()])
def test_trial_is_not_made_over_something(tmp_path, make):
    make(tmp_path / "trial.sqlite")
    with pytest.raises(StoreUnreadable, match="STORE-EXISTS"):
        TrialStore.create(tmp_path / "trial.sqlite", CANONICAL_HASH, CANONICAL)
    assert (tmp_path / "trial.sqlite").exists()


def test_trial_is_not_made_where_there_is_no_folder(tmp_path):
    with pytest.raises(StoreUnreadable, match="STORE-FOLDER"):
        TrialStore.create(tmp_path / "missing" / "trial.sqlite", CANONICAL_HASH, CANONICAL)


def test_making_that_breaks_off_leaves_nothing(tmp_path):
    with pytest.raises(UnicodeDecodeError):
        TrialStore.create(tmp_path / "trial.sqlite", CANONICAL_HASH, b"\xff")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.requirement("G15")
def test_snapshot_is_the_trial_as_last_committed(store, tmp_path):
    entries, rows = fill(store)
    target = tmp_path / "copy.sqlite"
    with store.ledger.exclusive() as transaction:
        transaction.append(seal_numbers(transaction.head, 7), ())
        snapshot(store.place, target)
    copy = TrialStore.open(target)
    assert copy.head() == entries[-1].head == check_chain(copy.records()).head
    assert all(copy.differing_rows(row_type, each) == [] for row_type, each in rows.items())
    assert copy.structure_problems() == []
    copy.close()
    assert target.stat().st_mode & 0o077 == 0


def test_snapshot_replaces_nothing_and_needs_a_trial(store, tmp_path):
    target = tmp_path / "copy.sqlite"
    target.write_bytes(b"mine")
    with pytest.raises(StoreUnreadable, match="STORE-EXISTS"):
        snapshot(store.place, target)
    assert target.read_bytes() == b"mine"
    with pytest.raises(StoreUnreadable, match="STORE-MISSING"):
        snapshot(tmp_path / "nowhere", tmp_path / "other.sqlite")
    damaged = tmp_path / "damaged.sqlite"
    damaged.write_bytes(new_trial()[:16] + b"\xff" * 8000)
    with pytest.raises(StoreUnavailable, match="STORE-DAMAGED"):
        snapshot(damaged, tmp_path / "other.sqlite")
    assert not (tmp_path / "other.sqlite").exists()


def test_failure_of_another_kind_keeps_its_cause(store):
    with plain(store.place) as connection:
        connection.execute("DROP TABLE ledger")
    with pytest.raises(StoreUnavailable, match="STORE-FAILED") as failure:
        list(store.records())
    cause = failure.value.__cause__
    assert cause is not None
    assert isinstance(cause.__cause__, sqlite3.OperationalError)


def test_a_trial_that_was_never_opened_says_so(store):
    with pytest.raises(StoreUnreadable) as raised:
        store.founding_definition()
    assert raised.value.code == "TRIAL-EMPTY"
    assert raised.value.sentence.endswith("holds no opened trial. Verify it, or restore it from a backup.")


def test_a_trial_knows_the_definition_that_its_first_entry_names(store):
    fill(store)
    assert store.founding_definition() == CANONICAL
