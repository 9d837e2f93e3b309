"""Rows to columns and back: the SQL that keeps the current-state tables level with the ledger."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from itertools import groupby
from operator import attrgetter, itemgetter
from typing import Any, Protocol

import equipoise.allocation.state
import equipoise.capture.state
import equipoise.coding.state
import equipoise.enrolment.state
import equipoise.governance.state
import equipoise.imaging.state
import equipoise.safety.state
import equipoise.supply.state
from equipoise.ledger.canonical import canonical_json
from equipoise.ledger.tables import Change, Row
from equipoise.store.failures import inconsistent

_ROOMS = (
    equipoise.governance.state,
    equipoise.enrolment.state,
    equipoise.allocation.state,
    equipoise.capture.state,
    equipoise.coding.state,
    equipoise.safety.state,
    equipoise.imaging.state,
    equipoise.supply.state,
)


def _row_types() -> tuple[type[Row], ...]:
    found = (each for room in _ROOMS for each in vars(room).values() if isinstance(each, type))
    rows = {each.table: each for each in found if issubclass(each, Row) and each is not Row}
    return tuple(rows[table] for table in sorted(rows))


ROW_TYPES: tuple[type[Row], ...] = _row_types()
"""Every row type of every room, by the name of its table."""


class Cursor(Protocol):
    """What is used of a cursor (PEP 249); parameters are marked with %s."""

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""
        ...

    def execute(self, statement: str, parameters: Sequence[Any], /) -> object:
        """Run a statement."""
        ...

    def executemany(self, statement: str, parameters: Sequence[Sequence[Any]], /) -> object:
        """Run a statement several times."""
        ...

    def nextset(self) -> bool | None:
        """Go on to what the next of several statements found."""
        ...

    def fetchall(self) -> list[Any]:
        """Return the rows that the last statement found."""
        ...


Kept = dict[tuple[object, ...], tuple[object, ...]]
"""A table as it is kept: columns by key."""


@dataclass(frozen=True, slots=True)
class TableSql:
    """The statements for one table, and what reads their parameters from a row.

    Columns stand in the order of the row type's fields; `others` are those outside the key.
    """

    columns: tuple[str, ...]
    key: tuple[str, ...]
    insert: str
    update: str
    delete: str
    select: str
    read_columns: Callable[[Row], tuple[Any, ...]]
    read_others: Callable[[Row], tuple[Any, ...]]


def sql_of(row_type: type[Row]) -> TableSql:
    """Return the statements for a row type, written once."""
    return _write_sql(typing.cast(Any, row_type))


@cache
def _write_sql(row_type: Any) -> TableSql:
    columns = tuple(each.name for each in fields(row_type))
    others = tuple(name for name in columns if name not in row_type.key)
    where = " AND ".join(f'"{name}" = %s' for name in row_type.key)
    names = ", ".join(f'"{name}"' for name in columns)
    table = f'"{row_type.table}"'
    # Between equal keys of a row that has nothing else there is no difference to write.
    assignments = ", ".join(f'"{name}" = %s' for name in others or row_type.key[:1])
    return TableSql(
        columns=columns,
        key=row_type.key,
        insert=f"INSERT INTO {table} ({names}) VALUES ({', '.join(['%s'] * len(columns))})",
        update=f"UPDATE {table} SET {assignments} WHERE {where}",
        delete=f"DELETE FROM {table} WHERE {where}",
        select=f"SELECT {names} FROM {table}",
        read_columns=_reader(row_type, columns),
        read_others=_reader(row_type, others or row_type.key[:1]),
    )


def _reader(row_type: type[Row], names: tuple[str, ...]) -> Callable[[Row], tuple[Any, ...]]:
    hints = typing.get_type_hints(row_type)
    readers = [_encoding(name) if _is_json(hints[name]) else attrgetter(name) for name in names]
    return lambda row: tuple([read(row) for read in readers])


def _is_json(hint: Any) -> bool:
    options = {hint, *typing.get_args(hint)}
    return any(option in (dict, tuple) or typing.get_origin(option) in (dict, tuple) for option in options)


def _encoding(name: str) -> Callable[[Row], object]:
    read = attrgetter(name)

    def encode(row: Row) -> object:
        value = read(row)
        return None if value is None else canonical_json(value).decode()

    return encode


def statement_and_parameters(change: Change) -> tuple[str, tuple[Any, ...]]:
    """Return what applies a change to its table."""
    sql = sql_of(change.row_type)
    if change.after is None:
        return sql.delete, change.key
    if change.before is None:
        return sql.insert, sql.read_columns(change.after)
    return sql.update, sql.read_others(change.after) + change.key


def execute_all(cursor: Cursor, statements: Sequence[tuple[str, tuple[Any, ...]]], *, together: bool) -> None:
    """Run statements of which each changes one row, in order; `together` sends them as one.

    Raises StoreUnavailable (STORE-INCONSISTENT) when a row that is to be changed is not there.
    """
    if together:
        parameters = [value for _, values in statements for value in values]
        cursor.execute("; ".join(statement for statement, _ in statements), parameters)
        for _ in statements:
            _check_changed(cursor, 1)
            cursor.nextset()
        return
    for statement, group in groupby(statements, key=itemgetter(0)):
        rows = [values for _, values in group]
        if len(rows) == 1:
            cursor.execute(statement, rows[0])
        else:
            cursor.executemany(statement, rows)
        _check_changed(cursor, len(rows))


def _check_changed(cursor: Cursor, number: int) -> None:
    if cursor.rowcount != number:
        raise inconsistent()


def read_table(cursor: Cursor, row_type: type[Row]) -> Kept:
    """Read a whole table as it is kept, by key; nothing is converted, so that an edited byte shows."""
    statements = sql_of(row_type)
    places = [statements.columns.index(name) for name in statements.key]
    cursor.execute(statements.select, ())
    return {tuple(row[place] for place in places): tuple(row) for row in cursor.fetchall()}


def encode_rows(row_type: type[Row], rows: Iterable[Row]) -> Kept:
    """Return rows as `read_table` would, by key."""
    statements = sql_of(row_type)
    return {
        tuple(getattr(row, name) for name in statements.key): statements.read_columns(row) for row in rows
    }
