"""Current-state tables: constraints, undo, and agreement with a naive reference."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from hashlib import sha256
from typing import ClassVar, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from equipoise.ledger import (
    Change,
    ConstraintViolated,
    MissingRow,
    Row,
    RowTypeInvalid,
    Tables,
    TablesMisused,
)


@dataclass(frozen=True, slots=True)
class Slot(Row):
    table: ClassVar[str] = "slot"
    key: ClassVar[tuple[str, ...]] = ("site", "number")
    unique: ClassVar[tuple[tuple[str, ...], ...]] = (("participant",), ("site", "label"))
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("site",), ("site", "used"), ("participant",))
    site: str
    number: int
    participant: str | None = None
    label: str | None = None
    used: bool = False


@dataclass(frozen=True, slots=True)
class Person(Row):
    table: ClassVar[str] = "person"
    key: ClassVar[tuple[str, ...]] = ("name",)
    name: str
    roles: tuple[str, ...] = ()
    nickname: Optional[str] = None  # noqa: UP045


def naive_conflicts(rows: Sequence[Row], row: Row) -> bool:
    for other in rows:
        if all(getattr(other, name) == getattr(row, name) for name in row.key):
            continue
        for group in row.unique:
            mine = [getattr(row, name) for name in group]
            if None not in mine and mine == [getattr(other, name) for name in group]:
                return True
    return False


SITES = st.sampled_from(["A", "B"])
NUMBERS = st.integers(0, 3)
MAYBE = st.none() | st.sampled_from(["x", "y", "z"])
SLOTS = st.builds(Slot, SITES, NUMBERS, MAYBE, MAYBE, st.booleans())


class TablesAgainstList(RuleBasedStateMachine):
    """The reference is a list of rows, copied whole at `begin`."""

    @initialize()
    def start(self):
        self.tables = Tables()
        self.rows: list[Slot] = []
        self.saved: list[Slot] | None = None

    def find(self, site, number, rows=None):
        return next(
            (r for r in (self.rows if rows is None else rows) if (r.site, r.number) == (site, number)), None
        )

    @rule(row=SLOTS)
    def put(self, row):
        if naive_conflicts(self.rows, row):
            with pytest.raises(ConstraintViolated):
                self.tables.put(row)
        else:
            self.tables.put(row)
            self.rows = [r for r in self.rows if (r.site, r.number) != (row.site, row.number)] + [row]

    @rule(site=SITES, number=NUMBERS)
    def remove(self, site, number):
        row = self.find(site, number)
        if row is None:
            with pytest.raises(MissingRow):
                self.tables.remove(Slot, site, number)
        else:
            assert self.tables.remove(Slot, site, number) == row
            self.rows = [r for r in self.rows if r != row]

    @precondition(lambda self: self.saved is None)
    @rule()
    def begin(self):
        self.tables.begin()
        self.saved = list(self.rows)

    @precondition(lambda self: self.saved is not None)
    @rule(keep=st.booleans())
    def end(self, keep):
        if keep:
            self.tables.commit()
        else:
            self.tables.rollback()
            self.rows = list(self.saved or [])
        self.saved = None

    @rule(
        equals=st.fixed_dictionaries(
            {},
            optional={
                "site": SITES,
                "used": st.booleans(),
                "participant": MAYBE,
                "label": MAYBE,
                "number": NUMBERS,
            },
        )
    )
    def where(self, equals):
        expected = [r for r in self.rows if all(getattr(r, name) == value for name, value in equals.items())]
        assert self.tables.where(Slot, **equals) == sorted(expected, key=lambda r: (r.site, r.number))

    @invariant()
    def rows_agree(self):
        expected = sorted(self.rows, key=lambda r: (r.site, r.number))
        assert list(self.tables.all(Slot)) == expected
        for site in "AB":
            for number in range(4):
                assert self.tables.get(Slot, site, number) == self.find(site, number)

    @invariant()
    def changes_lead_from_the_saved_rows_to_the_present_ones(self):
        if self.saved is None:
            return
        changes = {change.key: change for change in self.tables.changes()}
        for site in "AB":
            for number in range(4):
                before, after = self.find(site, number, self.saved), self.find(site, number)
                change = changes.pop((site, number), None)
                assert change == (None if before == after else Change(Slot, (site, number), before, after))
        assert not changes


TestTablesAgainstList = TablesAgainstList.TestCase
TestTablesAgainstList.settings = settings(max_examples=60, stateful_step_count=30)


@pytest.fixture
def tables():
    tables = Tables()
    tables.put(Slot("A", 2, "p2"))
    tables.put(Slot("A", 1, "p1", "first"))
    return tables


def test_spec_one_slot_one_participant(tables):
    with pytest.raises(ConstraintViolated) as caught:
        tables.put(Slot("B", 1, "p1"))
    error = caught.value
    assert (error.table, error.constraint) == ("slot", "slot_unique_participant")
    assert error.sentence == (
        "Another row of the table slot already has the same participant. "
        "Choose another, or release it there first."
    )
    assert tables.get(Slot, "B", 1) is None


def test_unique_pair_is_named_whole(tables):
    with pytest.raises(ConstraintViolated) as caught:
        tables.put(Slot("A", 3, None, "first"))
    assert caught.value.constraint == "slot_unique_site_label"
    tables.put(Slot("B", 3, None, "first"))


def test_required_row(tables):
    assert tables.require(Slot, "A", 1).label == "first"
    with pytest.raises(MissingRow) as caught:
        tables.require(Slot, "A", 9)
    assert (caught.value.table, caught.value.key) == ("slot", ("A", 9))
    assert "9" not in str(caught.value)


def test_key_of_one_field():
    tables = Tables()
    tables.begin()
    tables.put(Person("Rita", ("reader", "investigator")))
    assert tables.get(Person, "Rita") == Person("Rita", ("reader", "investigator"))
    assert [change.key for change in tables.changes()] == [("Rita",)]
    assert tables.where(Person, nickname=None) == [Person("Rita", ("reader", "investigator"))]
    assert tables.remove(Person, "Rita").name == "Rita"
    assert tables.changes() == []


def test_iteration_is_over_the_rows_of_the_call(tables):
    seen = []
    for slot in tables.all(Slot):
        seen.append(slot.number)
        tables.put(Slot("A", slot.number + 10))
    assert seen == [1, 2]


def test_changes_come_as_removals_replacements_insertions(tables):
    tables.begin()
    tables.put(Slot("A", 3))
    tables.put(Slot("A", 2, "p2", used=True))
    tables.remove(Slot, "A", 1)
    tables.put(Slot("A", 4, "p1"))
    tables.remove(Slot, "A", 4)
    tables.put(Slot("A", 4))
    assert [(change.key[1], change.before is None, change.after is None) for change in tables.changes()] == [
        (1, False, True),
        (2, False, False),
        (3, True, False),
        (4, True, False),
    ]


def test_rollback_restores_the_digest(tables):
    digest = tables.digest()
    tables.begin()
    tables.remove(Slot, "A", 1)
    tables.put(Slot("A", 2, "p1"))
    tables.put(Person("Omar"))
    assert tables.digest() != digest
    tables.rollback()
    assert tables.digest() == digest
    with pytest.raises(ConstraintViolated):
        tables.put(Slot("A", 3, "p1"))


def test_each_step_has_its_own_changes_and_a_rollback_takes_back_all(tables):
    digest = tables.digest()
    tables.begin()
    tables.put(Slot("A", 3))
    tables.next_step()
    assert tables.changes() == []
    tables.put(Slot("A", 3, "p3"))
    assert [(change.before, change.after) for change in tables.changes()] == [
        (Slot("A", 3), Slot("A", 3, "p3"))
    ]
    tables.rollback()
    assert tables.digest() == digest
    tables.begin()
    tables.put(Slot("A", 3))
    assert [change.key for change in tables.changes()] == [("A", 3)]


@given(st.lists(SLOTS, max_size=6), st.lists(SLOTS, max_size=6))
def test_law_tables_become_others_and_the_undo_log_takes_it_back(mine, theirs):
    one, other = Tables(), Tables()
    for tables, rows in ((one, mine), (other, theirs)):
        for row in rows:
            tables.put(replace(row, participant=None, label=None))
    other.put(Person("Ada"))
    one.get(Person, "Ada")
    before = one.digest()
    one.begin()
    one.become(other)
    assert one.digest() == other.digest()
    one.rollback()
    assert one.digest() == before
    one.become(Tables())
    assert one.dump() == {}


def test_undo_log_does_not_nest_and_must_be_open(tables):
    for call in (tables.changes, tables.commit, tables.rollback, tables.next_step):
        with pytest.raises(TablesMisused, match="no open undo log"):
            call()
    tables.begin()
    with pytest.raises(TablesMisused, match="already"):
        tables.begin()


def test_dump_is_by_table_and_key_and_the_digest_follows_from_it(tables):
    tables.put(Person("Sam", ("statistician",)))
    tables.put(Person("Dana"))
    tables.get(Empty, 1)
    assert tables.dump() == {
        "person": [
            {"name": "Dana", "roles": (), "nickname": None},
            {"name": "Sam", "roles": ("statistician",), "nickname": None},
        ],
        "slot": [
            {"site": "A", "number": 1, "participant": "p1", "label": "first", "used": False},
            {"site": "A", "number": 2, "participant": "p2", "label": None, "used": False},
        ],
    }
    assert list(tables.dump()) == ["person", "slot"]
    written = json.dumps(tables.dump(), sort_keys=True, separators=(",", ":")).encode()
    assert tables.digest() == sha256(written).hexdigest()


def test_digest_does_not_depend_on_the_way_there(tables):
    other = Tables()
    other.put(Slot("A", 1, "p2"))
    other.put(replace(other.require(Slot, "A", 1), participant="p1", label="first"))
    other.put(Slot("A", 2, "p2"))
    assert other.digest() == tables.digest()


@pytest.mark.parametrize(
    ("row", "constraint"),
    [
        (Slot("A", True), "slot_type_number"),
        (Slot("A", 1, used=1), "slot_type_used"),  # type: ignore[arg-type]
        (Slot("A", 1, participant=0.5), "slot_type_participant"),  # type: ignore[arg-type]
        (Slot(None, 1), "slot_type_site"),  # type: ignore[arg-type]
        (Person("Cleo", ["cell laboratory"]), "person_type_roles"),  # type: ignore[arg-type]
        (Person("Cleo", ("cell laboratory", 1)), "person_type_roles"),  # type: ignore[arg-type]
    ],
)
def test_value_of_another_type_is_refused(tables, row, constraint):
    tables.put(Person("Cleo", ("cell laboratory",)))
    with pytest.raises(ConstraintViolated) as caught:
        tables.put(row)
    assert caught.value.constraint == constraint


def test_calls_that_do_not_fit_the_table(tables):
    with pytest.raises(TablesMisused, match="is site, number"):
        tables.get(Slot, "A")
    with pytest.raises(TablesMisused, match="no field colour"):
        tables.where(Slot, site="A", colour="red")


@dataclass(frozen=True, slots=True)
class Empty(Row):
    table: ClassVar[str] = "empty"
    key: ClassVar[tuple[str, ...]] = ("number",)
    number: int


@dataclass(slots=True)
class Mutable(Row):
    table: ClassVar[str] = "mutable"
    key: ClassVar[tuple[str, ...]] = ("number",)
    number: int


@dataclass(frozen=True)
class Unslotted(Row):
    table: ClassVar[str] = "unslotted"
    key: ClassVar[tuple[str, ...]] = ("number",)
    number: int


class Bare(Row):
    table: ClassVar[str] = "bare"
    key: ClassVar[tuple[str, ...]] = ("number",)


@dataclass(frozen=True, slots=True)
class Keyless(Row):
    table: ClassVar[str] = "keyless"
    key: ClassVar[tuple[str, ...]] = ()
    number: int


@dataclass(frozen=True, slots=True)
class Dangling(Row):
    table: ClassVar[str] = "dangling"
    key: ClassVar[tuple[str, ...]] = ("number",)
    unique: ClassVar[tuple[tuple[str, ...], ...]] = (("colour",),)
    number: int


@dataclass(frozen=True, slots=True)
class OpenKey(Row):
    table: ClassVar[str] = "open_key"
    key: ClassVar[tuple[str, ...]] = ("number",)
    number: int | None


@dataclass(frozen=True, slots=True)
class Mixed(Row):
    table: ClassVar[str] = "mixed"
    key: ClassVar[tuple[str, ...]] = ("number",)
    number: int
    value: int | bool


@dataclass(frozen=True, slots=True)
class Floating(Row):
    table: ClassVar[str] = "floating"
    key: ClassVar[tuple[str, ...]] = ("number",)
    number: int
    value: float | None


@pytest.mark.parametrize("row_type", [Mutable, Unslotted, Bare, Keyless, Dangling, OpenKey, Mixed, Floating])
def test_row_type_that_no_table_can_keep_is_refused(row_type):
    with pytest.raises(RowTypeInvalid, match=f"The row type {row_type.__name__} cannot be a table"):
        Tables().get(row_type, 1)


def test_two_row_types_cannot_share_a_table(tables):
    @dataclass(frozen=True, slots=True)
    class OtherSlot(Row):
        table: ClassVar[str] = "slot"
        key: ClassVar[tuple[str, ...]] = ("number",)
        number: int

    with pytest.raises(RowTypeInvalid, match="another has the table name slot"):
        tables.put(OtherSlot(1))


def test_class_variables_are_no_fields():
    assert [each.name for each in fields(Empty)] == ["number"]
