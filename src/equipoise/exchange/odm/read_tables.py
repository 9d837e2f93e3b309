"""Reads the data of participants that another system wrote, as one table for each form.

A table has a row for each group of items of each filled form, under ODM's own keys, and a column for each
item, named as in the drafted form. What was changed or removed later is as it was left in the end.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from lxml import etree

from equipoise.exchange.markup import line_of
from equipoise.exchange.odm.draft import Draft
from equipoise.exchange.odm.names import tail
from equipoise.exchange.odm.stream import NotUnderstood, child, children, name_of

DATA_VALUES_MAX: Final = 2_000_000
"""The most values that are kept, with what they stand in: they take memory until all are known."""

CELLS_MAX: Final = 50_000_000
"""The most cells of one table: what has a column of its own in each row would grow with the square."""

KEYS: Final = (
    *("SubjectKey", "LocationOID", "StudyEventOID", "StudyEventRepeatKey"),
    *("FormOID", "FormRepeatKey", "ItemGroupOID", "ItemGroupRepeatKey"),
)
_TOLD: Final = frozenset(
    {"SubjectKey", "StudyEventOID", "StudyEventRepeatKey", "FormOID", "FormRepeatKey", "ItemGroupOID"}
    | {"ItemGroupRepeatKey", "ItemOID", "Value", "TransactionType", "ItemGroupDataSeq", "ItemDataSeq"}
)
_UNIT: Final = ".unit"
_ROWS_AT_ONCE: Final = 5000
_NAMES_MAX: Final = 200

_Oid = tuple[str, str]
"""An identifier with the repeat key under which it stands, empty where there is none."""

_Items = dict[str, str]
_Form = dict[_Oid, _Items]
_Event = dict[_Oid, _Form]


@dataclass(frozen=True, slots=True)
class DataTable:
    """The data of a form; `name` is that of the drafted form.

    `columns` are those of the items; `values` hold what was answered, by row and by the place of the column.
    """

    name: str
    columns: tuple[str, ...]
    values: Mapping[tuple[str, ...], Mapping[int, str]]

    @property
    def head(self) -> tuple[str, ...]:
        """The names of all columns, the keys first."""
        return (*KEYS, *self.columns)

    def rows(self) -> Iterator[tuple[str, ...]]:
        """Yield each row, as long as the head; a missing value is empty."""
        places = range(len(self.columns))
        for key, answered in self.values.items():
            yield (*key, *(answered.get(place, "") for place in places))

    def csv(self) -> Iterator[bytes]:
        """Yield the table as CSV (RFC 4180), UTF-8, the head first."""
        yield _lines([self.head])
        rows = self.rows()
        while some := list(islice(rows, _ROWS_AT_ONCE)):
            yield _lines(some)


@dataclass(slots=True)
class _Subject:
    site: str
    events: dict[_Oid, _Event] = field(default_factory=dict)


class TableReader:
    """Gathers the data of participants, one after another; with too many of them only counts these."""

    def __init__(self) -> None:
        self._told = 0
        self._subjects: dict[str, _Subject] = {}
        self._values = 0
        self._left: Counter[str] = Counter()
        self._line = 0
        self._sparse: list[str] = []

    @property
    def participants(self) -> int:
        """How many participants have data; with too many values, how often one is told of."""
        return self._told if self.too_many else len(self._subjects)

    @property
    def too_many(self) -> bool:
        """Whether there are more values than are kept."""
        return self._values > DATA_VALUES_MAX

    def add_subject(self, subject: etree._Element) -> None:
        """Take in what stands in one SubjectData."""
        code = subject.get("SubjectKey", "")
        self._line = self._line or line_of(subject)
        self._told += 1
        if subject.get("TransactionType") == "Remove":
            self._left["Remove"] += 1
            self._subjects.pop(code, None)
            return
        if self.too_many:
            return
        self._values += 1
        self._note(subject, "StudyEventData", "SiteRef")
        site = child(subject, "SiteRef")
        told = self._subjects.setdefault(code, _Subject(""))
        if site is not None:
            told.site = site.get("LocationOID", "")
        for event in children(subject, "StudyEventData"):
            self._add_event(told, event)
        if self.too_many:
            self._subjects.clear()

    def _add_event(self, told: _Subject, event: etree._Element) -> None:
        key = (event.get("StudyEventOID", ""), event.get("StudyEventRepeatKey", ""))
        if self._removed(event):
            told.events.pop(key, None)
            return
        self._note(event, "FormData", "ItemGroupData")
        forms = told.events.setdefault(key, {})
        self._values += 1
        for form in children(event, "FormData", "ItemGroupData"):
            self._add_form(forms, form)

    def _add_form(self, forms: _Event, form: etree._Element) -> None:
        """Take in a form, which in ODM 2.0 is a group of items, and may have items of its own."""
        kind = name_of(form).removesuffix("Data")
        key = (form.get(f"{kind}OID", ""), form.get(f"{kind}RepeatKey", ""))
        if self._removed(form):
            forms.pop(key, None)
            return
        groups = forms.setdefault(key, {})
        self._values += 1
        if kind == "Form":
            self._note(form, "ItemGroupData")
            for group in children(form, "ItemGroupData"):
                self._add_group(groups, group, ())
            return
        for group in self._add_items(groups, (key[0], ""), form):
            self._add_group(groups, group, ())

    def _add_group(self, groups: _Form, group: etree._Element, around: tuple[str, ...]) -> None:
        """Take in a group, and those within it, whose repeat key is preceded by that of this one."""
        keys = (*around, group.get("ItemGroupRepeatKey", ""))
        place = (group.get("ItemGroupOID", ""), "/".join(keys) if any(keys) else "")
        if self._removed(group):
            groups.pop(place, None)
            return
        for below in self._add_items(groups, place, group):
            self._add_group(groups, below, keys)

    def _add_items(self, groups: _Form, place: _Oid, group: etree._Element) -> list[etree._Element]:
        """Take in the items of a group, and return the groups within it."""
        given, within = [], []
        for each in group:
            name = name_of(each)
            if name == "ItemGroupData":
                within.append(each)
            elif name.startswith("ItemData"):
                given.append(each)
            elif isinstance(each.tag, str):
                self._count(name or etree.QName(each).localname)
        self._note_attributes(group)
        if given or not within:
            items = groups.setdefault(place, {})
            self._values += 1 + len(given)
            for item in given:
                self._add_item(items, item)
        return within

    def _add_item(self, items: _Items, item: etree._Element) -> None:
        oid = item.get("ItemOID", "")
        if self._removed(item):
            items.pop(oid, None)
            return
        value = _value(item)
        if items.get(oid, value) != value:
            self._count("earlier value")
        items[oid] = value
        if len(item):
            self._note(item, "Value", "MeasurementUnitRef")
            for unit in children(item, "MeasurementUnitRef"):
                items[f"{oid}{_UNIT}"] = unit.get("MeasurementUnitOID", "")
        else:
            self._note_attributes(item)

    def _removed(self, element: etree._Element) -> bool:
        gone = element.get("TransactionType") == "Remove"
        self._left["Remove"] += gone
        return gone

    def _note(self, element: etree._Element, *known: str) -> None:
        """Count what else stands in an element: audit records, comments, what a vendor adds."""
        for each in element:
            if isinstance(each.tag, str) and name_of(each) not in known:
                self._count(name_of(each) or etree.QName(each).localname)
        self._note_attributes(element)

    def _note_attributes(self, element: etree._Element) -> None:
        for name in element.attrib:
            if name not in _TOLD:
                self._count(etree.QName(str(name)).localname)

    def _count(self, name: str) -> None:
        self._left[name if name in self._left or len(self._left) < _NAMES_MAX else "others"] += 1

    # -- in the end

    def left(self) -> Iterator[NotUnderstood]:
        """Yield what is not in the tables, once these were made: of each kind how many."""
        path = "ClinicalData/SubjectData"
        if self.too_many:
            text = f"the data of {self._told} participants: more than {DATA_VALUES_MAX} values"
            yield NotUnderstood(path, self._line, text)
        for name in self._sparse:
            yield NotUnderstood(path, self._line, f"the table of {name}: more than {CELLS_MAX} cells")
        for name, count in self._left.items():
            yield NotUnderstood(path, self._line, f"{name}: {count} in the data of participants")

    def tables(self, draft: Draft) -> tuple[DataTable, ...]:
        """Return the table of each form that was filled in, by the names of the drafted forms."""
        tables: dict[str, _Table] = {}

        def table(name: str) -> _Table:
            if name not in tables:
                tables[name] = _Table(draft, name)
            return tables[name]

        for code, told in self._subjects.items():
            for (event, event_key), forms in told.events.items():
                for (form, form_key), groups in forms.items():
                    main = self._main(draft, form)
                    for (group, group_key), items in groups.items():
                        key = (code, told.site, event, event_key, form, form_key, group, group_key)
                        if not items:
                            table(main).row(key)
                        for oid, value in items.items():
                            plain = oid.removesuffix(_UNIT)
                            plain = plain if (form, plain) in draft.columns else oid
                            name, column = draft.columns.get((form, plain), (main, oid))
                            column = f"{column}{oid.removeprefix(plain)}" if plain != oid else column
                            table(name).set(key, column, value)
        made = [tables[name].whole(name) for name in sorted(tables)]
        self._sparse = [each.name for each in made if len(each.values) * len(each.head) > CELLS_MAX]
        return tuple(each for each in made if each.name not in self._sparse)

    def _main(self, draft: Draft, form: str) -> str:
        """Return the drafted form that a form became; one that the file does not define gets a name."""
        if form not in draft.forms:
            draft.forms[form] = [draft.form_names.new(tail(form) or "form")]
        return draft.forms[form][0]


class _Table:
    """A table in the making: columns in the order of the drafted form, others as they come."""

    def __init__(self, draft: Draft, name: str) -> None:
        items = draft.parts.get(f"forms/{name}.yaml", {}).get("items", [])
        self._columns: dict[str, int] = {str(item["id"]): place for place, item in enumerate(items)}
        self._rows: dict[tuple[str, ...], dict[int, str]] = {}

    def row(self, key: tuple[str, ...]) -> dict[int, str]:
        """Return the row with a key, which is there from now on."""
        return self._rows.setdefault(key, {})

    def set(self, key: tuple[str, ...], column: str, value: str) -> None:
        """Set a value; one that the drafted form has no item for is under its identifier."""
        self.row(key)[self._columns.setdefault(column, len(self._columns))] = value

    def whole(self, name: str) -> DataTable:
        """Return the table as it is."""
        return DataTable(name, tuple(self._columns), self._rows)


def _value(item: etree._Element) -> str:
    """Return the value of an item: an attribute, an element, several of which are lines, or its text."""
    if "Value" in item.attrib:
        return str(item.get("Value", ""))
    values = children(item, "Value")
    return "\n".join(each.text or "" for each in values) if values else (item.text or "").strip()


def _lines(rows: Iterable[tuple[str, ...]]) -> bytes:
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()
