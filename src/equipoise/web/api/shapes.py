"""What goes over the wire: the shape of each answer, made from the lines that views return, and of each body.

One type serves to write an answer and to describe it in the OpenAPI document, so that the two cannot differ.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from datetime import UTC, date, datetime
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, TypeAdapter, create_model
from pydantic.json_schema import WithJsonSchema

from equipoise.access.command import Command
from equipoise.conduct.trail import AuditLine
from equipoise.definition.expression import Explanation
from equipoise.web.commands.catalogue import CATALOGUE, FIELD_LABELS
from equipoise.web.commands.fields import FOUND_OUT, TEXT_LENGTH_MAX

# What a page's form cannot bring either, and what files in XML cannot hold.
_CLEAN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:.]+([Zz]|[+-][0-9]{2}:[0-9]{2})")
NUMBER_MAX = 999_999_999_999_999


class Problem(BaseModel):
    """What was not done, why, and what to do next; `code` is stable."""

    code: str
    sentence: str
    remedy: str
    details: list[str]


class EntryOut(BaseModel):
    """An entry of the ledger that a command led to."""

    position: int
    kind: str
    hash: str
    recorded_at: str


class Recorded(BaseModel):
    """What a command led to, as far as its giver may see it."""

    entries: list[EntryOut]


class ExplanationOut(BaseModel):
    """How a condition stands, and from what: a line for each part of it and for each observation."""

    outcome: Literal["met", "not met", "unknown"] | None
    lines: list[str]


class DefinitionOut(BaseModel):
    """The study definition, as it was hashed, and its SHA-256."""

    hash: str
    definition: dict[str, Any]


class AuditPage(BaseModel):
    """A page of the audit trail; `next` is what to ask for `after`, and null on the last page."""

    lines: list[AuditLine]
    next: int | None


# -- answers


def wire_type(name: str, hint: Any) -> Any:
    """Return the type of what is sent for what a method of a view returns."""
    if typing.get_origin(hint) is Iterator:
        return AuditPage
    if hint == Mapping[str, Explanation]:
        return dict[str, ExplanationOut]
    if hint is str:
        members: dict[str, Any] = {name: (str, ...)}
        return create_model(f"{name.title().replace('_', '')}Out", **members)
    if isinstance(hint, types.UnionType):
        return next(each for each in typing.get_args(hint) if each is not type(None))
    return hint


def wire_value(name: str, wire: Any, value: Any) -> Any:
    """Return what is sent, of the type of its answer, for a value that a view returned."""
    if isinstance(value, str):
        return wire(**{name: value})
    if isinstance(value, Mapping):
        return {key: _explained(each) for key, each in value.items()}
    return value


def _explained(value: Any) -> Any:
    if not isinstance(value, Explanation):
        return value
    outcome = None if value.outcome is None else value.outcome.value
    return ExplanationOut(outcome=outcome, lines=value.lines())


@cache
def writer(wire: Any) -> TypeAdapter[Any]:
    """Return what writes a type as JSON: dates in ISO 8601, decimals as text."""
    return TypeAdapter(wire)


# -- what is sent to us


def _read_day(value: object) -> date:
    if isinstance(value, str) and _DAY.fullmatch(value):
        return date.fromisoformat(value)
    raise ValueError("Write the day as YYYY-MM-DD")


def _read_time(value: object) -> datetime:
    if isinstance(value, str) and _TIME.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except OverflowError:
            pass
    raise ValueError("Write the time as YYYY-MM-DDTHH:MM:SS with its distance from UTC")


Text = Annotated[str, Field(strict=True, max_length=TEXT_LENGTH_MAX, pattern=_CLEAN)]
Number = Annotated[int, Field(strict=True, ge=0, le=NUMBER_MAX)]
Day = Annotated[date, BeforeValidator(_read_day), WithJsonSchema({"type": "string", "format": "date"})]
Time = Annotated[
    datetime, BeforeValidator(_read_time), WithJsonSchema({"type": "string", "format": "date-time"})
]
Whole = Annotated[int, Field(strict=True, ge=-NUMBER_MAX, le=NUMBER_MAX)]
Values = dict[Text, Text | StrictBool | Whole | None]
"""Answers by item; decimals and dates are text, because a JSON number may lose its last digit."""

_BY_TYPE: Mapping[Any, Any] = {str: Text, int: Number, bool: StrictBool, date: Day, datetime: Time}


def body_model(command: type[Command]) -> type[BaseModel]:
    """Return what is sent to give a command: its fields, and a reason."""
    hints = typing.get_type_hints(command)
    members: dict[str, Any] = {}
    for each in fields(command):
        if each.name in FOUND_OUT:
            continue
        wire = Values if each.name == "values" else wire_of(hints[each.name])
        default = ... if each.default is MISSING else each.default
        described = Field(default, description=str(FIELD_LABELS[each.name]))
        members[each.name] = (wire, described)
    if CATALOGUE[command.__name__].reason:
        needed = Field(..., min_length=1, description="Why this is done")
        members["reason"] = (Text, needed)
    else:
        members["reason"] = (Text | None, Field(None, description="Why this is done"))
    return create_model(command.__name__, __config__=ConfigDict(extra="forbid"), **members)


def wire_of(hint: Any) -> Any:
    """Return the strict type of what is sent for a plain type."""
    if isinstance(hint, types.UnionType):
        solid = next(each for each in typing.get_args(hint) if each is not type(None))
        return _BY_TYPE[solid] | None
    if typing.get_origin(hint) is tuple:
        return tuple[Text, ...]
    return hint if typing.get_origin(hint) is Literal else _BY_TYPE[hint]
