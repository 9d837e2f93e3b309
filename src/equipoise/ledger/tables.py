"""Current-state tables in memory, with the constraints and the undo that a database gives.

A row type is a frozen, slotted dataclass that derives from `Row`. Rows always come out in the order of their
keys: a database would not keep the order of insertion, and a rollback would have to restore it.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from hashlib import sha256
from operator import attrgetter
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar, cast

from equipoise.ledger.canonical import JSON, canonical_json

_NONE = type(None)
_TYPES: dict[object, type] = {
    str: str,
    int: int,
    bool: bool,
    tuple[str, ...]: tuple,
    dict[str, Any]: dict,
}


class Row:
    """The base of every row; field names stand in `key`, `unique` and `indexes`.

    Fields are of type str, int, bool, a tuple of str, a dictionary of JSON values (which nobody changes
    afterwards), or one of these or None; key fields are str, int or bool. As in SQL, None in a field of a
    unique constraint collides with nothing.
    """

    __slots__ = ()
    table: ClassVar[str]
    key: ClassVar[tuple[str, ...]]
    unique: ClassVar[tuple[tuple[str, ...], ...]] = ()
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = ()


R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Change:
    """The net change of one row; `before` is None for an insertion, `after` for a removal."""

    row_type: type[Row]
    key: tuple[object, ...]
    before: Row | None
    after: Row | None


class RowTypeInvalid(TypeError):
    """A row type declares what a table cannot keep."""

    code = "TABLE-ROW-TYPE"

    def __init__(self, row_type: type[Row], flaw: str) -> None:
        super().__init__(f"The row type {row_type.__name__} cannot be a table: {flaw}. Correct it.")


class TablesMisused(RuntimeError):
    """A call that does not fit the tables or the state of their undo log: an error of the program."""

    code = "TABLE-MISUSED"


class MissingRow(LookupError):
    """There is no row with this key; the key is not in the sentence, for it may be confidential."""

    code = "TABLE-MISSING"

    def __init__(self, table: str, key: tuple[object, ...]) -> None:
        self.table = table
        self.key = key
        self.sentence = f"The table {table} has no row with the key asked for. Check what was meant."
        super().__init__(self.sentence)


class ConstraintViolated(Exception):
    """A row would break a constraint of its table; nothing was changed."""

    code = "TABLE-CONSTRAINT"

    def __init__(self, table: str, constraint: str, sentence: str) -> None:
        self.table = table
        self.constraint = constraint
        self.sentence = sentence
        super().__init__(sentence)


class _Column:
    """The values of some fields of a row: the bare value for one field, a tuple for several."""

    __slots__ = ("names", "read")

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.read: Callable[[Row], Any] = attrgetter(*names)

    def pack(self, values: tuple[object, ...]) -> Any:
        return values[0] if len(self.names) == 1 else values

    def is_open(self, packed: object) -> bool:
        """Tell whether a None takes the row out of a unique constraint."""
        return packed is None if len(self.names) == 1 else None in cast(tuple[object, ...], packed)


_Index: TypeAlias = tuple[_Column, dict[Any, set[Any]]]


@dataclass(frozen=True)
class _Layout:
    """A row type's declaration, checked and made ready; computed once for each type."""

    key: _Column
    unique: tuple[_Column, ...]
    indexes: tuple[_Column, ...]
    field_names: tuple[str, ...]
    read_types: Callable[[Row], tuple[type, ...]]
    accepted: dict[str, frozenset[type]]
    tuple_fields: tuple[str, ...]


@cache
def _layout(row_type: Any) -> _Layout:
    is_frozen = is_dataclass(row_type) and cast(Any, row_type).__dataclass_params__.frozen
    if not is_frozen or row_type.__dictoffset__:
        raise RowTypeInvalid(row_type, "it is not a frozen dataclass with slots")
    hints = typing.get_type_hints(row_type)
    names = tuple(each.name for each in fields(row_type))
    accepted = {name: _accepted_types(row_type, name, hints[name]) for name in names}
    for declared in (row_type.key, *row_type.unique, *row_type.indexes):
        if not declared or not accepted.keys() >= set(declared):
            raise RowTypeInvalid(row_type, f"a key, unique constraint or index names {declared}")
    for name in row_type.key:
        if accepted[name] & {tuple, dict, _NONE}:
            raise RowTypeInvalid(row_type, f"the key field {name} is not of type str, int or bool")
    readers = tuple(attrgetter(name) for name in names)
    return _Layout(
        _Column(row_type.key),
        tuple(_Column(group) for group in row_type.unique),
        tuple(_Column(group) for group in row_type.indexes),
        names,
        lambda row: tuple([type(read(row)) for read in readers]),
        accepted,
        tuple(name for name in names if tuple in accepted[name]),
    )


def _accepted_types(row_type: type[Row], name: str, hint: object) -> frozenset[type]:
    # One type and perhaps None: were int and bool mixed, 1 and True would be the same value.
    is_union = isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union
    options = set(typing.get_args(hint)) if is_union else {hint}
    solid = options - {_NONE}
    if len(solid) == 1 and solid <= _TYPES.keys():
        return frozenset(_TYPES.get(option, _NONE) for option in options)
    raise RowTypeInvalid(
        row_type, f"the field {name} is not of type str, int, bool, tuple[str, ...] or dict[str, Any]"
    )


class _Table(Generic[R]):
    """The rows of one type, with their unique and other indexes; keys are packed (see `_Column`)."""

    def __init__(self, row_type: type[R]) -> None:
        self.row_type = row_type
        self.layout = _layout(cast(Hashable, row_type))
        self.rows: dict[Any, R] = {}
        self._read_key = self.layout.key.read
        self._read_types = self.layout.read_types
        self._known_types: set[tuple[type, ...]] = set()
        self._unique: list[tuple[_Column, dict[Any, Any]]] = [(each, {}) for each in self.layout.unique]
        self._indexes: list[_Index] = [(each, {}) for each in self.layout.indexes]
        self._ordered: list[Any] | None = None
        self._paths: dict[tuple[str, ...], _Index | None] = {}

    def pack_key(self, key: tuple[object, ...]) -> Any:
        names = self.layout.key.names
        if len(key) != len(names):
            raise TablesMisused(f"The key of the table {self.row_type.table} is {', '.join(names)}.")
        return key[0] if len(names) == 1 else key

    def unpack_key(self, packed: Any) -> tuple[object, ...]:
        return (packed,) if len(self.layout.key.names) == 1 else packed

    def check(self, row: R) -> Any:
        """Return the packed key of a row that may be put; raise ConstraintViolated for one that may not."""
        if self.layout.tuple_fields or self._read_types(row) not in self._known_types:
            self._check_types(row)
        key = self._read_key(row)
        for column, holders in self._unique:
            value = column.read(row)
            if holders.get(value, key) != key:
                raise ConstraintViolated(
                    self.row_type.table,
                    "_".join((self.row_type.table, "unique", *column.names)),
                    f"Another row of the table {self.row_type.table} already has the same "
                    f"{' and '.join(column.names)}. Choose another, or release it there first.",
                )
        return key

    def _check_types(self, row: R) -> None:
        for name in self.layout.field_names:
            value = getattr(row, name)
            good = type(value) in self.layout.accepted[name]
            if good and type(value) is tuple:
                good = all(type(item) is str for item in value)
            if not good:
                raise ConstraintViolated(
                    self.row_type.table,
                    "_".join((self.row_type.table, "type", name)),
                    f"The field {name} of the table {self.row_type.table} does not take a value of type "
                    f"{type(value).__name__}. Correct what writes it.",
                )
        self._known_types.add(self._read_types(row))

    def replace(self, key: Any, row: R | None) -> R | None:
        """Set or remove the row of a key, unchecked, and return the one that was there."""
        before = self.rows.get(key)
        if before is not None:
            for column, holders in self._unique:
                holders.pop(column.read(before), None)
            for column, buckets in self._indexes:
                value = column.read(before)
                if row is not None and column.read(row) == value:
                    continue
                bucket = buckets[value]
                bucket.remove(key)
                if not bucket:
                    del buckets[value]
        if row is None:
            del self.rows[key]
            self._ordered = None
            return before
        for column, holders in self._unique:
            value = column.read(row)
            if not column.is_open(value):
                holders[value] = key
        for column, buckets in self._indexes:
            buckets.setdefault(column.read(row), set()).add(key)
        if before is None:
            self._ordered = None
        self.rows[key] = row
        return before

    def ordered(self) -> list[R]:
        if self._ordered is None:
            self._ordered = sorted(self.rows)
        return [self.rows[key] for key in self._ordered]

    def where(self, equals: dict[str, object]) -> list[R]:
        names = tuple(equals)
        if names not in self._paths:
            self._paths[names] = self._choose_path(names)
        path = self._paths[names]
        if path is None:
            candidates = self.ordered()
        else:
            column, buckets = path
            keys = buckets.get(column.pack(tuple([equals[name] for name in column.names])), ())
            candidates = [self.rows[key] for key in sorted(keys)]
            names = tuple(name for name in names if name not in column.names)
        for name in names:
            read, wanted = attrgetter(name), equals[name]
            candidates = [row for row in candidates if read(row) == wanted]
        return candidates

    def _choose_path(self, names: tuple[str, ...]) -> _Index | None:
        unknown = [name for name in names if name not in self.layout.field_names]
        if unknown:
            raise TablesMisused(f"The table {self.row_type.table} has no field {unknown[0]}.")
        usable = [each for each in self._indexes if set(each[0].names) <= set(names)]
        return max(usable, key=lambda each: len(each[0].names), default=None)


class Tables:
    """All tables of a trial's current state; a table comes to be when its row type is first used."""

    def __init__(self) -> None:
        self._tables: dict[type[Row], _Table[Any]] = {}
        self._undo: list[tuple[_Table[Any], Any, Row | None]] | None = None
        self._step = 0

    def get(self, row_type: type[R], *key: object) -> R | None:
        """Return the row with this key (values in the order of the declared key), or None."""
        table = self._table(row_type)
        return table.rows.get(table.pack_key(key))

    def require(self, row_type: type[R], *key: object) -> R:
        """Return the row with this key; raise MissingRow when there is none."""
        row = self.get(row_type, *key)
        if row is None:
            raise MissingRow(row_type.table, key)
        return row

    def where(self, row_type: type[R], **equals: object) -> list[R]:
        """Return the rows whose fields equal these values, ordered by key; None equals None here.

        Uses the declared index with the most fields among those given, and else reads the whole table.
        """
        return self._table(row_type).where(equals)

    def all(self, row_type: type[R]) -> Iterator[R]:
        """Iterate over the rows as they stand at the call, ordered by key."""
        return iter(self._table(row_type).ordered())

    def put(self, row: Row) -> None:
        """Insert a row or replace the one with its key; ConstraintViolated means nothing was changed."""
        table = self._table(type(row))
        key = table.check(row)
        before = table.replace(key, row)
        if self._undo is not None:
            self._undo.append((table, key, before))

    def remove(self, row_type: type[R], *key: object) -> R:
        """Remove the row with this key and return it; raise MissingRow when there is none."""
        row = self.require(row_type, *key)
        table = self._table(row_type)
        packed = table.pack_key(key)
        table.replace(packed, None)
        if self._undo is not None:
            self._undo.append((table, packed, row))
        return row

    def become(self, other: Tables) -> None:
        """Put and remove rows until these tables hold what others hold; the undo log has it."""
        for row_type in [*self._tables]:
            table, wanted = self._table(row_type), other._table(row_type).rows
            for key in [key for key in table.rows if key not in wanted]:
                self.remove(row_type, *table.unpack_key(key))
        for row_type, theirs in other._tables.items():
            mine = self._table(row_type).rows
            for row in [row for key, row in theirs.rows.items() if mine.get(key) != row]:
                self.put(row)

    def begin(self) -> None:
        """Start an undo log; raise TablesMisused when one is open, as they do not nest."""
        if self._undo is not None:
            raise TablesMisused("The tables already have an open undo log. Commit it or roll it back first.")
        self._undo = []
        self._step = 0

    def next_step(self) -> None:
        """Have `changes` tell what changes from here on; `rollback` still takes back all since `begin`."""
        self._step = len(self._log())

    def changes(self) -> list[Change]:
        """Return the net changes since `begin`, or the last step: removals, replacements, insertions.

        Within each they stand in the order of first touch. A database that checks uniqueness row by row can
        apply them in this order, unless rows passed unique values on more than once.
        """
        first: dict[tuple[type[Row], Any], tuple[_Table[Any], Row | None]] = {}
        for table, key, before in self._log()[self._step :]:
            first.setdefault((table.row_type, key), (table, before))
        net = [
            Change(row_type, table.unpack_key(key), before, after)
            for (row_type, key), (table, before) in first.items()
            if (after := table.rows.get(key)) != before
        ]
        return sorted(
            net, key=lambda change: 0 if change.after is None else 2 if change.before is None else 1
        )

    def commit(self) -> None:
        """Keep the changes since `begin` and close the undo log."""
        self._log()
        self._undo = None

    def rollback(self) -> None:
        """Take back the changes since `begin` and close the undo log."""
        for table, key, before in reversed(self._log()):
            table.replace(key, before)
        self._undo = None

    def dump(self) -> dict[str, list[dict[str, JSON]]]:
        """Return all rows as dictionaries, by table, ordered by key; tables without rows are left out."""
        return {
            row_type.table: [
                {name: getattr(row, name) for name in table.layout.field_names} for row in table.ordered()
            ]
            for row_type, table in sorted(self._tables.items(), key=lambda item: item[0].table)
            if table.rows
        }

    def digest(self) -> str:
        """Return the SHA-256, in hexadecimal, of the dump as canonical JSON."""
        return sha256(canonical_json(self.dump())).hexdigest()

    def _log(self) -> list[tuple[_Table[Any], Any, Row | None]]:
        if self._undo is None:
            raise TablesMisused("The tables have no open undo log. Call begin first.")
        return self._undo

    def _table(self, row_type: type[R]) -> _Table[R]:
        table = self._tables.get(row_type)
        if table is None:
            table = _Table(row_type)
            if any(other.table == row_type.table for other in self._tables):
                raise RowTypeInvalid(row_type, f"another has the table name {row_type.table}")
            self._tables[row_type] = table
        return table
