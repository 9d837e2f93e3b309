"""What both versions of ODM say of a study, in one form: events, forms, items, code lists, conditions.

A form of ODM 1.3 is a FormDef, one of ODM 2.0 an ItemGroupDef of the type Form; here both are groups.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Texts: TypeAlias = Mapping[str, str]
"""A text by the tag of its language, which is empty where the file names none."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A formal expression; `context` names the language that it is written in."""

    context: str | None
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeCheck:
    """What must hold of an item: a comparison with values, or an expression. `unit` is the name of a unit."""

    hard: bool
    comparator: str | None = None
    values: tuple[str, ...] = ()
    expressions: tuple[Expression, ...] = ()
    message: Texts = field(default_factory=dict)
    unit: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDef:
    """A question. `own` holds what only this system says of it, by name."""

    oid: str
    name: str
    type: str
    length: int | None = None
    digits: int | None = None
    question: Texts = field(default_factory=dict)
    help: Texts = field(default_factory=dict)
    units: tuple[str, ...] = ()
    checks: tuple[RangeCheck, ...] = ()
    code_list: str | None = None
    own: Mapping[str, str] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ref:
    """A reference to a form, a group or an item; `condition` is one under which it is not collected.

    In ODM 2.0 `units_item` is the item that holds the unit, and `preset` a value that is not asked.
    """

    oid: str
    mandatory: bool
    condition: str | None = None
    units_item: str | None = None
    preset: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDef:
    """A form, which refers to groups, or a group, which refers to items and perhaps to groups."""

    oid: str
    name: str
    kind: Literal["form", "group"]
    repeating: bool
    refs: tuple[Ref, ...]
    title: Texts = field(default_factory=dict)
    reference: bool = False
    own: Mapping[str, str] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventDef:
    """A study event with the forms that are filled in at it; `type` is Scheduled, Unscheduled or Common."""

    oid: str
    name: str
    type: str
    repeating: bool
    refs: tuple[Ref, ...]
    title: Texts = field(default_factory=dict)
    category: str | None = None
    own: Mapping[str, str] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True, slots=True)
class Term:
    """A code and what is read for it; `own` holds what only this system says of it, by name."""

    value: str
    decode: Texts
    own: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeListDef:
    """The codes of an item; `external` names a dictionary that holds them instead."""

    oid: str
    name: str
    terms: tuple[Term, ...]
    external: str | None = None
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Formal:
    """A condition or a method, in words and as expressions."""

    oid: str
    name: str
    text: Texts
    expressions: tuple[Expression, ...]
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """One version of a study's metadata; units are by their names, everything else by its identifier."""

    study: str
    name: str
    description: str
    protocol: str
    oid: str
    version: str
    title: Texts = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, EventDef] = field(default_factory=dict)
    groups: Mapping[str, GroupDef] = field(default_factory=dict)
    items: Mapping[str, ItemDef] = field(default_factory=dict)
    code_lists: Mapping[str, CodeListDef] = field(default_factory=dict)
    conditions: Mapping[str, Formal] = field(default_factory=dict)
    methods: Mapping[str, Formal] = field(default_factory=dict)
