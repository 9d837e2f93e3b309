"""Whatever the owner of the database edits in it is found: every cell and row, and all of the structure."""

from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.db import connections, transaction

from equipoise.conduct.verify import verify_trial
from equipoise.governance.state import TrialRow
from equipoise.ledger import Change, StoreUnavailable
from equipoise.store import structure
from equipoise.store.rows import ROW_TYPES, sql_of
from tests.ledger.ledger_contract import append_numbers, seal_numbers
from tests.store.samples import fill, owned, sample_row

CELLS = [(row_type, column) for row_type in ROW_TYPES for column in sql_of(row_type).columns]

# What an edited cell may hold; one that is refused, or that changes nothing, is no edit.
EDITS = (
    "{c} || 'x'",
    "substr({c}, 2)",
    "upper({c})",
    "{c} || chr(1)",
    "normalize({c}, NFD)",
    "''",
    "NULL",
    "'7'",
    "0",
    "1",
    "{c} + 1",
    "-{c}",
    "NOT {c}",
)


@pytest.fixture(scope="module")
def filled(databases):
    """A trial with two rows in every table, and what it should hold."""
    trials = databases()
    store = trials.make()
    entries, rows = fill(store)
    store.close()
    yield store, entries, rows
    trials.close()


@contextmanager
def tampered(store, statement):
    """The trial as it is after a statement, which is taken back: in PostgreSQL every such one can be."""
    alias = store.ledger.alias
    with transaction.atomic(using=alias):
        with connections[alias].cursor() as cursor:
            cursor.execute(statement)
        yield
        transaction.set_rollback(True, using=alias)


@pytest.mark.parametrize(("row_type", "column"), CELLS)
def test_every_edited_cell_of_every_table_is_found(filled, row_type, column):
    store, _, rows = filled
    table, quoted = f'"{row_type.table}"', f'"{column}"'
    edited = 0
    with owned(store.place) as connection:
        connection.execute(f"CREATE TEMP TABLE kept AS TABLE {table}")
        for expression in EDITS:
            try:
                connection.execute(
                    f"UPDATE {table} SET {quoted} = {expression.format(c=quoted)}"
                    f" WHERE ctid = (SELECT min(ctid) FROM {table})"
                )
            except (connection.IntegrityError, connection.ProgrammingError, connection.DataError):
                continue
            if connection.execute(f"TABLE {table} EXCEPT TABLE kept").fetchall():
                edited += 1
                assert len(store.differing_rows(row_type, rows[row_type])) in (1, 2), expression
            connection.execute(f"DELETE FROM {table}")
            connection.execute(f"INSERT INTO {table} TABLE kept")
            assert store.differing_rows(row_type, rows[row_type]) == []
    assert edited >= 1


@pytest.mark.parametrize("row_type", ROW_TYPES)
def test_every_added_or_removed_row_is_found(filled, row_type):
    store, _, rows = filled
    first, second = rows[row_type]
    (added,) = store.differing_rows(row_type, [first])
    assert added.endswith("is not in the ledger")
    with owned(store.place) as connection:
        table = f'"{row_type.table}"'
        connection.execute(f"CREATE TEMP TABLE kept AS TABLE {table}")
        connection.execute(f"DELETE FROM {table} WHERE ctid = (SELECT min(ctid) FROM {table})")
        (missing,) = store.differing_rows(row_type, [first, second])
        assert missing.endswith("is missing")
        connection.execute(f"INSERT INTO {table} SELECT * FROM kept ORDER BY ctid LIMIT 1")
    assert store.differing_rows(row_type, [first, second]) == []


STRUCTURE = [
    ("CREATE TABLE notes (x bigint)", "an unexpected table notes"),
    ("CREATE VIEW notes AS SELECT 1", "an unexpected view notes"),
    ("CREATE MATERIALIZED VIEW notes AS SELECT 1", "an unexpected relation m notes"),
    ("CREATE SEQUENCE notes", "an unexpected sequence notes"),
    ("CREATE TYPE notes AS ENUM ('a')", "an unexpected type notes"),
    ("CREATE INDEX notes ON ledger (previous)", "an unexpected index notes"),
    (
        "CREATE FUNCTION notes() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "an unexpected function notes()",
    ),
    (
        "CREATE FUNCTION public.notes() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER notes BEFORE INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION public.notes()",
        "an unexpected trigger ledger.notes",
    ),
    ("CREATE RULE notes AS ON DELETE TO ledger DO INSTEAD NOTHING", "an unexpected rule ledger.notes"),
    ("CREATE POLICY notes ON ledger USING (position < 3)", "an unexpected policy ledger.notes"),
    ("ALTER TABLE ledger ENABLE ROW LEVEL SECURITY", "an unexpected table ledger"),
    ("ALTER TABLE ledger SET UNLOGGED", "an unexpected table ledger"),
    ("CREATE TABLE public.notes () INHERITS (ledger)", "an unexpected heir ledger.public.notes"),
    (
        "CREATE TABLE public.notes (x bigint REFERENCES ledger)",
        "an unexpected constraint ledger.notes_x_fkey",
    ),
    (
        "CREATE OPERATOR = (FUNCTION = pg_catalog.texteq, LEFTARG = text, RIGHTARG = text)",
        "an unexpected operator",
    ),
    ("ALTER TABLE ledger ADD COLUMN notes text", "an unexpected column ledger.notes"),
    ("ALTER TABLE ledger DROP COLUMN body", "a missing column ledger.body"),
    ("ALTER TABLE ledger ALTER COLUMN body DROP NOT NULL", "an unexpected column ledger.body"),
    ("ALTER TABLE ledger ALTER COLUMN body SET DEFAULT ''", "an unexpected column ledger.body"),
    ("ALTER TABLE ledger ALTER COLUMN body TYPE varchar", "an unexpected column ledger.body"),
    ('ALTER TABLE ledger ALTER COLUMN body TYPE text COLLATE "C"', "an unexpected column ledger.body"),
    ("ALTER TABLE ledger DROP CONSTRAINT ledger_hash_key", "a missing constraint ledger.ledger_hash_key"),
    ("ALTER TABLE ledger ADD CHECK (position < 3) NOT VALID", "an unexpected constraint ledger.ledger_"),
    ("ALTER TABLE allocation DROP CONSTRAINT allocation_unique_stratum_slot", "a missing index allocation"),
    ("DROP INDEX ledger_hash_ab34335c_like", "a missing index ledger_hash_ab34335c_like"),
    (f"DROP TABLE {ROW_TYPES[0].table}", f"a missing table {ROW_TYPES[0].table}"),
    ("UPDATE django_migrations SET name = '0002_more'", "another list of migrations"),
    ("UPDATE django_migrations SET applied = '2001-01-01 00:00:00'", "another list of migrations"),
    ("UPDATE django_migrations SET id = 2", "another list of migrations"),
    ("DELETE FROM django_migrations", "another list of migrations"),
    ("INSERT INTO ledger_head VALUES (2, 0, '')", "another list of heads"),
    ("DELETE FROM ledger_head", "another list of heads"),
    ("DROP TABLE ledger_head", "a database that cannot be read"),
]


@pytest.mark.parametrize(("statement", "found"), STRUCTURE)
def test_every_change_of_the_structure_is_found(filled, statement, found):
    store, _, _ = filled
    assert store.structure_problems() == []
    with tampered(store, statement):
        problems = store.structure_problems()
    assert any(line.startswith(found) for line in problems), problems


def test_counter_that_went_on_is_found(database_trials):
    store = database_trials.make()
    with owned(store.place) as connection:
        connection.execute("SELECT nextval('django_migrations_id_seq')")
    assert store.structure_problems() == ["another list of counters than this release makes"]


def test_comparing_the_structure_leaves_nothing_behind(database_trials, monkeypatch):
    store = database_trials.make()
    monkeypatch.setattr(structure, "_EXPECTED_BY_VERSION", {})
    assert store.structure_problems() == []
    with owned(store.place) as connection:
        schemas = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'expected%'")
        assert schemas.fetchall() == []
    assert append_numbers(store.ledger, 1)[0].position == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_head SET position = 2",
        "UPDATE ledger_head SET hash = upper(hash)",
        "DELETE FROM ledger_head",
        "UPDATE study_definition SET canonical = canonical || ' '",
        "UPDATE study_definition SET hash = 'f' || hash",
        "INSERT INTO study_definition VALUES ('f', '{}')",
        "DELETE FROM study_definition",
        "DELETE FROM ledger WHERE position = 1",
        "DELETE FROM ledger WHERE position = 3",
        "DELETE FROM ledger",
        "INSERT INTO ledger SELECT 4, hash, 'f', body FROM ledger WHERE position = 3",
        "INSERT INTO ledger SELECT -5, previous, 'f', body FROM ledger WHERE position = 1",
        "INSERT INTO ledger SELECT 0, previous, 'f', body FROM ledger WHERE position = 1",
        "UPDATE ledger SET position = 9 WHERE position = 3",
        "UPDATE ledger SET previous = upper(previous) || 'x' WHERE position = 2",
        "UPDATE ledger SET hash = hash || 'x' WHERE position = 3",
        "UPDATE ledger SET body = body || ' ' WHERE position = 2",
        "UPDATE ledger SET body = overlay(body PLACING '7' FROM 20 FOR 1) WHERE position = 2",
    ],
)
def test_every_edit_of_ledger_head_and_definition_is_found(filled, statement):
    store, _, _ = filled
    before = verify_trial(store).problems
    assert not {"VERIFY-HEAD", "VERIFY-DEFINITION", "VERIFY-STORE"} & {problem.code for problem in before}
    with tampered(store, statement):
        assert verify_trial(store).problems != before


def test_table_of_another_schema_does_not_stand_in_for_one_of_the_trial(filled):
    store, _, _ = filled
    exchange = "CREATE TABLE public.ledger_head AS TABLE ledger_head; DROP TABLE ledger_head"
    with tampered(store, exchange), pytest.raises(StoreUnavailable, match="STORE-FAILED"):
        store.head()


def test_nothing_is_recorded_upon_a_row_that_was_taken_away(database_trials):
    store = database_trials.make()
    fill(store)
    row = sample_row(TrialRow)
    with owned(store.place) as connection:
        connection.execute(f"DELETE FROM {TrialRow.table}")
    change = Change(TrialRow, (row.study,), row, replace(row, status="other"))
    with pytest.raises(StoreUnavailable, match="STORE-INCONSISTENT"), store.ledger.exclusive() as recording:
        recording.append(seal_numbers(recording.head, 4), [change])
    assert store.head().position == 3
