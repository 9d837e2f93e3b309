"""A trial in PostgreSQL: what its sessions are told, and what goes wrong with a server."""

import gc
import os
import sys
from dataclasses import replace
from threading import Event

import pytest
from django.db import OperationalError, connections
from typer.testing import CliRunner

from equipoise.cli.main import app
from equipoise.governance.state import TrialRow
from equipoise.ledger import Head, StoreUnavailable, check_chain
from equipoise.store import setup, structure
from equipoise.store.failures import storage_errors
from equipoise.store.place import DATABASE_URL, DatabaseUrl
from equipoise.store.trial_store import TRIAL_SCHEMA, StoreUnreadable, TrialStore, snapshot
from tests.ledger.ledger_contract import append_numbers, run_threads, seal_numbers
from tests.postgresql import connected
from tests.store.samples import CANONICAL, CANONICAL_HASH, fill, insertion, owned, sample_row, text_of


@pytest.fixture
def store(database_trials):
    return database_trials.make()


@pytest.fixture
def empty(postgresql):
    """An empty database."""
    url = postgresql.make()
    yield DatabaseUrl.read(url)
    setup.close(setup.connect_postgresql(url, TRIAL_SCHEMA))
    postgresql.drop(url)


def ask(store, name):
    with connections[store.ledger.alias].cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return cursor.fetchone()[0]


def sessions_of(url):
    with connected(text_of(replace(url, name="postgres"))) as connection:
        found = connection.execute("SELECT pid FROM pg_stat_activity WHERE datname = %s", [url.name])
        return [pid for (pid,) in found.fetchall()]


def none_is_left(url):
    """Whether every session ends, if it takes the server a moment to notice."""
    return any(not sessions_of(url) for _ in range(1000))


def end_sessions(url):
    """What a server does that is stopped: it ends every session."""
    with connected(text_of(replace(url, name="postgres"))) as connection:
        statement = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
        assert connection.execute(statement, [url.name]).fetchall()


def test_session_is_told_what_the_trial_needs_whatever_the_server_does(store):
    with owned(store.place) as connection:
        for name, value in (
            ("synchronous_commit", "off"),
            ("default_transaction_isolation", "serializable"),
            ("search_path", "public"),
        ):
            connection.execute(f"ALTER DATABASE {store.place.name} SET {name} = '{value}'")
    store.close()
    assert ask(store, "synchronous_commit") == "on"
    assert ask(store, "search_path") == f"{TRIAL_SCHEMA},pg_temp"
    assert (ask(store, "lock_timeout"), ask(store, "statement_timeout")) == ("30s", "1min")
    assert ask(store, "idle_in_transaction_session_timeout") == "1min"
    with store.ledger.exclusive():
        assert ask(store, "transaction_isolation") == "read committed"


def test_temporary_table_does_not_stand_before_that_of_the_trial(store):
    entries = append_numbers(store.ledger, 1)
    with connections[store.ledger.alias].cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE ledger_head AS SELECT 1 AS id, 0 AS position, '' AS hash")
    assert store.head() == entries[-1].head


def test_head_that_another_writer_holds_is_busy_and_can_be_read(store):
    entries = append_numbers(store.ledger, 1)
    store.close()
    connections[store.ledger.alias].settings_dict["OPTIONS"]["options"] += " -c lock_timeout=1"
    with owned(store.place) as other, other.transaction():
        other.execute("UPDATE ledger_head SET position = 9")
        with pytest.raises(StoreUnavailable, match="STORE-BUSY"), store.ledger.exclusive():
            raise AssertionError("two writers at once")
        assert list(store.ledger.read()) == entries
        other.execute("UPDATE ledger_head SET position = 1")
    assert append_numbers(store.ledger, 2)[0].position == 2


def test_statement_that_takes_too_long_is_given_up(store):
    with pytest.raises(StoreUnavailable, match="STORE-BUSY"), store.ledger.exclusive() as transaction:
        transaction.append(seal_numbers(transaction.head, 1), ())
        with storage_errors(), connections[store.ledger.alias].cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = 1")
            cursor.execute("SELECT pg_sleep(60)")
    assert store.head() == Head.genesis()


def test_database_that_cannot_be_written_can_be_read(store):
    entries = append_numbers(store.ledger, 1)
    with owned(store.place) as connection:
        connection.execute(f"ALTER DATABASE {store.place.name} SET default_transaction_read_only = on")
    store.close()
    with pytest.raises(StoreUnavailable, match="STORE-READ-ONLY"):
        append_numbers(store.ledger, 2)
    assert list(store.ledger.read()) == entries


def test_account_without_a_right_is_told_so(store, database_trials, monkeypatch):
    server, account = database_trials.server, f"reader_of_{store.place.name}"
    server.administer(f"CREATE ROLE {account} LOGIN")
    try:
        url = replace(store.place, user=account)
        # The schema is its owner's: nobody else can even see that it holds a trial.
        with pytest.raises(StoreUnreadable, match="STORE-NOT-A-TRIAL"):
            TrialStore.open(url)
        with owned(store.place) as connection:
            connection.execute(f"GRANT USAGE ON SCHEMA trial TO {account}")
            connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA trial TO {account}")
        opened = TrialStore.open(url)
        assert opened.head() == Head.genesis()
        with pytest.raises(StoreUnavailable, match="STORE-DENIED"):
            append_numbers(opened.ledger, 1)
        monkeypatch.setattr(structure, "_EXPECTED_BY_VERSION", {})
        # What the tables should be is made beside them, which only an account with that right can do.
        assert opened.structure_problems() == ["a database that cannot be read (STORE-DENIED)"]
        opened.close()
        with owned(store.place) as connection:
            connection.execute(f"DROP OWNED BY {account}")
    finally:
        server.administer(f"DROP ROLE {account}")


def test_connection_that_was_lost_is_replaced_by_the_next_call(store):
    entries = append_numbers(store.ledger, 1)
    end_sessions(store.place)
    with pytest.raises(StoreUnavailable) as failure:
        append_numbers(store.ledger, 2)
    assert failure.value.code == "STORE-UNREACHABLE"
    assert append_numbers(store.ledger, 2)[0].position == 2
    end_sessions(store.place)
    with pytest.raises(StoreUnavailable, match="STORE-UNREACHABLE"):
        store.head()
    assert store.head().position == 2
    assert list(store.ledger.read())[:1] == entries


def test_connection_that_is_lost_while_recording_takes_everything_back(store):
    with pytest.raises(StoreUnavailable, match="STORE-UNREACHABLE"), store.ledger.exclusive() as transaction:
        transaction.append(seal_numbers(transaction.head, 1), [insertion(sample_row(TrialRow))])
        end_sessions(store.place)
        transaction.append(seal_numbers(transaction.head, 2), ())
    assert store.head() == Head.genesis()
    assert store.differing_rows(TrialRow, []) == []
    assert append_numbers(store.ledger, 1)[0].position == 1


def test_connection_that_is_lost_at_the_commit_leaves_it_open_what_was_recorded(store):
    with pytest.raises(StoreUnavailable, match="STORE-UNCERTAIN"), store.ledger.exclusive() as transaction:
        transaction.append(seal_numbers(transaction.head, 1), ())
        end_sessions(store.place)
    assert append_numbers(store.ledger, 1)[0].position == 1


def test_writer_that_went_silent_does_not_keep_the_head(store):
    silent, answered = Event(), Event()

    def hold():
        with pytest.raises(StoreUnavailable, match="STORE-UNREACHABLE"), store.ledger.exclusive() as mine:
            with connections[store.ledger.alias].cursor() as cursor:
                cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 1")
            silent.set()
            assert answered.wait(60)
            mine.append(seal_numbers(mine.head, 7), ())

    def go_on():
        assert silent.wait(60)
        append_numbers(store.ledger, 1)
        answered.set()

    run_threads(hold, go_on)
    assert [entry.content["number"] for entry in store.ledger.read()] == [1]


def test_connection_of_a_thread_ends_with_it(store):
    store.close()
    assert none_is_left(store.place)

    def work():
        append_numbers(store.ledger, 1)

    run_threads(work, work)
    # Django's wrappers refer to themselves in a circle.
    gc.collect()
    assert none_is_left(store.place)


def test_child_leaves_the_session_of_its_parent_alone(store):
    entries = append_numbers(store.ledger, 1)
    session = sessions_of(store.place)
    child = os.fork()
    if child == 0:
        seen = store.head() == entries[-1].head
        store.close()
        gc.collect()
        os._exit(0 if seen else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert append_numbers(store.ledger, 2)[0].position == 2
    assert session[0] in sessions_of(store.place)


@pytest.mark.parametrize("text", ["NUL \0", "\0"])
def test_text_that_cannot_be_kept_is_refused_with_everything_else(store, text):
    row = replace(sample_row(TrialRow), status=text)
    with pytest.raises(StoreUnavailable, match="STORE-TEXT"), store.ledger.exclusive() as transaction:
        transaction.append(seal_numbers(transaction.head, 1), [insertion(row)])
    assert store.head() == Head.genesis()
    assert append_numbers(store.ledger, 1)[0].position == 1


def test_new_trial_has_its_definition_and_nothing_else(empty):
    store = TrialStore.create(empty, CANONICAL_HASH, CANONICAL)
    assert store.definitions() == {CANONICAL_HASH: CANONICAL}
    assert store.head() == Head.genesis()
    assert all(store.differing_rows(row_type, []) == [] for row_type in store.row_types())
    assert store.structure_problems() == []
    with owned(empty) as connection:
        rights = "SELECT nspacl FROM pg_namespace WHERE nspname = 'trial'"
        assert connection.execute(rights).fetchone() == (None,)


def test_trial_is_not_made_over_another(empty):
    store = TrialStore.create(empty, CANONICAL_HASH, CANONICAL)
    entries, _ = fill(store)
    with pytest.raises(StoreUnreadable, match="STORE-EXISTS"):
        TrialStore.create(empty, CANONICAL_HASH, CANONICAL)
    assert TrialStore.open(empty).head() == entries[-1].head


def test_of_two_who_make_a_trial_at_once_one_makes_it(empty):
    made: list[object] = []

    def make():
        try:
            made.append(TrialStore.create(empty, CANONICAL_HASH, CANONICAL).structure_problems())
        except StoreUnreadable as refusal:
            made.append(refusal.code)

    run_threads(make, make)
    assert sorted(made, key=str) == ["STORE-EXISTS", []]
    gc.collect()


def test_making_that_breaks_off_leaves_nothing(empty):
    with pytest.raises(UnicodeDecodeError):
        TrialStore.create(empty, CANONICAL_HASH, b"\xff")
    with pytest.raises(StoreUnreadable, match="STORE-MISSING"):
        TrialStore.open(empty)
    TrialStore.create(empty, CANONICAL_HASH, CANONICAL)


def test_database_that_does_not_keep_every_text_is_refused(postgresql):
    postgresql.administer("CREATE DATABASE latin ENCODING LATIN1 LOCALE 'C' TEMPLATE template0")
    url = DatabaseUrl.read(postgresql.url("latin"))
    with pytest.raises(StoreUnreadable, match="STORE-ENCODING"):
        TrialStore.create(url, CANONICAL_HASH, CANONICAL)
    postgresql.drop(text_of(url))


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("SELECT 1", "STORE-MISSING"),
        ("CREATE TABLE ledger (position bigint)", "STORE-MISSING"),
        ("CREATE SCHEMA trial", "STORE-NOT-A-TRIAL"),
        ("CREATE SCHEMA trial CREATE TABLE ledger (position bigint)", "STORE-NOT-A-TRIAL"),
    ],
)
def test_what_is_no_trial_is_not_opened(empty, statement, code):
    with connected(text_of(empty)) as connection:
        connection.execute(statement)
    with pytest.raises(StoreUnreadable) as refusal:
        TrialStore.open(empty)
    assert refusal.value.code == code
    assert empty.name in refusal.value.sentence
    assert empty.host not in refusal.value.sentence


def test_trial_of_another_release_is_not_opened(store):
    with owned(store.place) as connection:
        connection.execute(f"DROP TABLE {TrialRow.table}")
    with pytest.raises(StoreUnreadable, match="STORE-RELEASE"):
        TrialStore.open(store.place)


@pytest.mark.parametrize("change", [{"name": "nowhere"}, {"user": "nobody"}, {"host": "/nowhere"}])
def test_server_that_refuses_or_is_not_there_is_told(empty, change):
    with pytest.raises(StoreUnavailable, match="STORE-UNREACHABLE"):
        TrialStore.open(replace(empty, **change))


def test_schema_is_made_when_it_is_asked_for_and_only_once(empty):
    alias = setup.connect_postgresql(text_of(empty), "clinic", create=True)
    assert setup.connect_postgresql(text_of(empty), "clinic", create=True) == alias
    with connections[alias].cursor() as cursor:
        cursor.execute("CREATE TABLE account (name text)")
        cursor.execute("SELECT schemaname::text FROM pg_tables WHERE tablename = 'account'")
        assert cursor.fetchall() == [("clinic",)]
    # What is kept beside the trial is no part of it.
    store = TrialStore.create(empty, CANONICAL_HASH, CANONICAL)
    assert alias != store.ledger.alias
    assert store.structure_problems() == []
    setup.close(alias)


def test_password_is_the_one_that_was_named_last_and_in_no_alias(empty):
    for password in ("one", "other"):
        alias = setup.connect_postgresql(replace(empty, password=password), "clinic")
        assert connections.databases[alias]["PASSWORD"] == password
        assert password not in alias


@pytest.mark.parametrize(
    ("sqlstate", "code"),
    [
        ("55P03", "STORE-BUSY"),
        ("57014", "STORE-BUSY"),
        ("40001", "STORE-BUSY"),
        ("40P01", "STORE-BUSY"),
        ("53100", "STORE-FULL"),
        ("25006", "STORE-READ-ONLY"),
        ("42501", "STORE-DENIED"),
        ("57P01", "STORE-UNREACHABLE"),
        ("08006", "STORE-UNREACHABLE"),
        ("28P01", "STORE-UNREACHABLE"),
        ("XX001", "STORE-DAMAGED"),
        ("22021", "STORE-TEXT"),
        ("42P01", "STORE-FAILED"),
    ],
)
def test_failure_has_the_code_of_its_remedy(sqlstate, code):
    psycopg = pytest.importorskip("psycopg")
    with pytest.raises(StoreUnavailable) as failure, storage_errors():
        raise OperationalError from psycopg.errors.lookup(sqlstate)()
    assert failure.value.code == code


def test_driver_that_is_missing_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreUnreadable, match="STORE-DRIVER"):
        TrialStore.open(DatabaseUrl("nils", "localhost", "trial"))


def test_commands_read_the_trial_that_the_setting_names(store, tmp_path, monkeypatch):
    entries, _ = fill(store)
    monkeypatch.setenv(DATABASE_URL, text_of(store.place))
    for trial in (tmp_path, tmp_path / "trial.sqlite"):
        said = CliRunner().invoke(app, ["verify", "--quick", str(trial)])
        assert said.exit_code == 0, said.output
        assert entries[-1].hash in said.output


def test_snapshot_is_left_to_the_server(tmp_path):
    with pytest.raises(StoreUnreadable, match=r"STORE-SNAPSHOT: .*pg_dump"):
        snapshot(DatabaseUrl("nils", "localhost", "trial"), tmp_path / "copy.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_copy_of_the_database_verifies(store, postgresql):
    entries, rows = fill(store)
    store.close()
    url = postgresql.make(store.place.name)
    copy = TrialStore.open(DatabaseUrl.read(url))
    assert check_chain(copy.records()).head == entries[-1].head == copy.head()
    assert all(copy.differing_rows(row_type, each) == [] for row_type, each in rows.items())
    assert copy.structure_problems() == []
    copy.close()
    postgresql.drop(url)
