"""A trial in a file: what SQLite is told, and which files are there when."""

import gc

import pytest
from django.db import connections

from equipoise.ledger import Head
from equipoise.store.sqlite_backend import base
from equipoise.store.trial_store import TrialStore
from tests.conftest import DURABLE
from tests.ledger.ledger_contract import append_numbers, run_threads
from tests.store.samples import make_store, plain


@pytest.fixture
def store(tmp_path):
    opened = make_store(tmp_path / "trial.sqlite")
    yield opened
    opened.close()


def test_commits_are_durable_and_readers_do_not_wait(tmp_path, monkeypatch):
    monkeypatch.setattr(base, "_PRAGMAS", DURABLE)
    store = make_store(tmp_path / "trial.sqlite")

    def ask(name):
        with connections[store.ledger.alias].cursor() as cursor:
            cursor.execute(f"PRAGMA {name}")
            return cursor.fetchone()[0]

    assert ask("journal_mode") == "wal"
    assert ask("synchronous") == 2
    assert ask("trusted_schema") == 0
    assert connections[store.ledger.alias].get_autocommit()
    with store.ledger.exclusive():
        assert ask("synchronous") == 2
    store.close()


def test_opening_restores_the_log_that_lets_readers_go_on(store):
    store.close()
    with plain(store.place) as connection:
        assert connection.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    TrialStore.open(store.place)
    with connections[store.ledger.alias].cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        assert cursor.fetchone() == ("wal",)


def test_closing_leaves_no_file_open(store):
    store.ledger.head()
    assert connections[store.ledger.alias].connection is not None
    assert store.place.with_name("trial.sqlite-wal").exists()
    store.close()
    assert connections[store.ledger.alias].connection is None
    # The last connection to a file takes its companions away.
    assert [path.name for path in store.place.parent.iterdir()] == ["trial.sqlite"]
    store.close()
    assert store.head() == Head.genesis()


def test_connection_of_a_thread_ends_with_it(store):
    def work():
        append_numbers(store.ledger, 1)

    run_threads(work, work)
    # Django's wrappers refer to themselves in a circle.
    gc.collect()
    store.close()
    assert [path.name for path in store.place.parent.iterdir()] == ["trial.sqlite"]
