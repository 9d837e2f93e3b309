"""Whatever is edited in a trial's file by other means is found: every cell, row, table, trigger and index."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.conduct.verify import verify_trial
from equipoise.ledger import check_chain
from equipoise.store.rows import ROW_TYPES, sql_of
from tests.store.samples import fill, make_store, plain

CELLS = [(row_type, column) for row_type in ROW_TYPES for column in sql_of(row_type).columns]

# What an edited cell may hold; one that is refused, or that changes nothing, is no edit.
EDITS = (
    "{c} || 'x'",
    "substr({c}, 2)",
    "upper({c}) || ''",
    "CAST({c} || '' AS BLOB)",
    "{c} || char(0)",
    "CAST(x'ff' AS TEXT)",
    "''",
    "NULL",
    "7",
    "0",
    "1",
    "{c} + 1",
    "{c} + 0.5",
    "x'00'",
    "'true'",
)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A trial with two rows in every table, its file as it was, and what it should hold."""
    path = tmp_path_factory.mktemp("filled") / "trial.sqlite"
    store = make_store(path)
    entries, rows = fill(store)
    store.close()
    yield store, path.read_bytes(), entries, rows
    store.close()


@pytest.fixture
def trial(filled):
    store, kept, entries, rows = filled
    yield store, entries, rows
    store.close()
    store.place.write_bytes(kept)


@pytest.mark.parametrize(("row_type", "column"), CELLS)
@pytest.mark.requirement("G4", "P7")
def test_every_edited_cell_of_every_table_is_found(trial, row_type, column):
    store, _, rows = trial
    table = row_type.table
    where = f'rowid = (SELECT min(rowid) FROM "{table}")'
    with plain(store.place) as connection:
        quoted = f'"{column}"'
        (original,) = connection.execute(f'SELECT {quoted} FROM "{table}" WHERE {where}').fetchone()
        edited = 0
        for expression in EDITS:
            change = f'UPDATE "{table}" SET {quoted} = {expression.format(c=quoted)} WHERE {where}'
            same = f'SELECT {quoted} IS ?, typeof({quoted}) = typeof(?) FROM "{table}" WHERE {where}'
            try:
                connection.execute(change)
            except (connection.IntegrityError, connection.OperationalError):
                continue
            if connection.execute(same, (original, original)).fetchone() != (1, 1):
                edited += 1
                assert len(store.differing_rows(row_type, rows[row_type])) in (1, 2), expression
            connection.execute(f'UPDATE "{table}" SET {quoted} = ? WHERE {where}', (original,))
            assert store.differing_rows(row_type, rows[row_type]) == []
    assert edited >= 5


@pytest.mark.parametrize("row_type", ROW_TYPES)
def test_every_added_or_removed_row_is_found(trial, row_type):
    store, _, rows = trial
    first, second = rows[row_type]
    assert len(store.differing_rows(row_type, [first])) == 1
    assert "is not in the ledger" in store.differing_rows(row_type, [first])[0]
    with plain(store.place) as connection:
        connection.execute(f'DELETE FROM "{row_type.table}" WHERE rowid = 1')
    (difference,) = store.differing_rows(row_type, [first, second])
    assert difference.endswith("is missing")


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("CREATE TABLE notes (x)", "an unexpected table notes"),
        ("CREATE VIEW notes AS SELECT 1", "an unexpected view notes"),
        ("CREATE INDEX notes ON ledger (previous)", "an unexpected index notes"),
        (
            "CREATE TRIGGER notes AFTER INSERT ON ledger BEGIN DELETE FROM ledger; END",
            "an unexpected trigger notes",
        ),
        ("ALTER TABLE ledger ADD COLUMN notes", "an unexpected table ledger"),
        (f"DROP TABLE {ROW_TYPES[0].table}", f"a missing table {ROW_TYPES[0].table}"),
        ("UPDATE sqlite_master SET sql = replace(sql, ' UNIQUE', '') WHERE name = 'ledger'", "table ledger"),
        ("UPDATE django_migrations SET name = '0002_more'", "another list of migrations"),
        ("UPDATE django_migrations SET applied = '2001-01-01 00:00:00'", "another list of migrations"),
        ("UPDATE django_migrations SET id = 2", "another list of migrations"),
        ("DELETE FROM django_migrations", "another list of migrations"),
        (
            "INSERT INTO django_migrations (app, name, applied) VALUES ('store', '0001_initial', 0)",
            "another list of migrations",
        ),
        ("UPDATE sqlite_sequence SET seq = 9", "another list of counters"),
        ("INSERT INTO ledger_head VALUES (2, 0, '')", "another list of heads"),
        ("DELETE FROM ledger_head", "another list of heads"),
    ],
)
def test_every_change_of_the_structure_is_found(trial, statement, found):
    store, _, _ = trial
    assert store.structure_problems() == []
    with plain(store.place) as connection:
        connection.execute(statement)
    assert any(found in line for line in store.structure_problems())


def test_dropped_index_is_found(trial):
    """The indexes are those of constraints: only an editor of the schema itself can drop one."""
    store, _, _ = trial
    with plain(store.place) as connection:
        connection.execute("DELETE FROM sqlite_master WHERE name = 'sqlite_autoindex_ledger_2'")
    assert store.structure_problems() != []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_head SET position = 2",
        "UPDATE ledger_head SET position = 2.5",
        "UPDATE ledger_head SET hash = upper(hash)",
        "UPDATE ledger_head SET hash = CAST(hash AS BLOB)",
        "DELETE FROM ledger_head",
        "UPDATE study_definition SET canonical = canonical || ' '",
        "UPDATE study_definition SET canonical = CAST(x'ff' AS TEXT)",
        "UPDATE study_definition SET hash = CAST(x'ff' AS TEXT)",
        "UPDATE study_definition SET hash = 'f' || hash",
        "INSERT INTO study_definition VALUES ('f', '{}')",
        "DELETE FROM study_definition",
        "DELETE FROM ledger WHERE position = 1",
        "DELETE FROM ledger WHERE position = 3",
        "DELETE FROM ledger",
        "INSERT INTO ledger SELECT 4, hash, 'f', body FROM ledger WHERE position = 3",
        "INSERT INTO ledger SELECT -5, previous, 'f', body FROM ledger WHERE position = 1",
        "INSERT INTO ledger SELECT 0, previous, 'f', body FROM ledger WHERE position = 1",
        "INSERT INTO ledger SELECT 'x', previous, 'f', body FROM ledger WHERE position = 1",
        "UPDATE ledger SET position = 'x' WHERE position = 3",
        "UPDATE ledger SET position = x'03' WHERE position = 3",
        "UPDATE ledger SET position = 2.5 WHERE position = 2",
        "UPDATE ledger SET position = 9 WHERE position = 3",
        "UPDATE ledger SET previous = upper(previous) || 'x' WHERE position = 2",
        "UPDATE ledger SET previous = CAST(previous AS BLOB) WHERE position = 2",
        "UPDATE ledger SET hash = CAST(hash AS BLOB) WHERE position = 2",
        "UPDATE ledger SET hash = hash || 'x' WHERE position = 3",
    ],
)
@pytest.mark.requirement("G4", "P7")
def test_every_edit_of_ledger_head_and_definition_is_found(trial, statement):
    store, _, _ = trial
    before = verify_trial(store).problems
    assert not {"VERIFY-HEAD", "VERIFY-DEFINITION", "VERIFY-STORE"} & {problem.code for problem in before}
    with plain(store.place) as connection:
        connection.execute(statement)
    assert verify_trial(store).problems != before


@given(st.data())
def test_every_flipped_bit_of_the_ledger_is_found(filled, data):
    store, _, entries, _ = filled
    entry = data.draw(st.sampled_from(entries))
    column = data.draw(st.sampled_from(["body", "hash", "previous"]))
    text = {"body": entry.body, "hash": entry.hash.encode(), "previous": entry.previous.encode()}[column]
    place = data.draw(st.integers(0, len(text) - 1))
    flipped = bytearray(text)
    flipped[place] ^= 1 << data.draw(st.integers(0, 7))
    with plain(store.place) as connection:
        statement = f"UPDATE ledger SET {column} = CAST(? AS TEXT) WHERE position = ?"
        connection.execute(statement, (bytes(flipped), entry.position))
        assert not check_chain(store.records()).intact
        connection.execute(statement, (text, entry.position))
    assert check_chain(store.records()).intact


def test_body_kept_as_a_blob_is_read_as_it_is(trial):
    """The same bytes under another type: what was sealed is there, and the entry still proves intact."""
    store, entries, _ = trial
    with plain(store.place) as connection:
        connection.execute("UPDATE ledger SET body = CAST(body AS BLOB)")
    assert list(store.ledger.read()) == entries
