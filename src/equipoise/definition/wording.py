"""What pydantic finds wrong with a file, in our words: what, where, what next."""

from __future__ import annotations

import re
import typing
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from typing import Annotated, Any, get_args, get_origin

from pydantic_core import ErrorDetails

from .expression import ExpressionError
from .findings import Place, Problem, shown, suggest
from .source import Data, SourceFile

# How a pattern of model/fields.py begins, and what it means.
_NAME = "Write lower-case letters, digits and underscores, starting with a letter, at most 48 characters."
_SITE = "Write two capital letters and two or three digits, as in SE01."
_COUNTRY = "Write the two letters of ISO 3166-1, as in SE."
_PATTERNS = (
    ("^[a-z]", ("VALUE-NAME", "a name", _NAME)),
    ("^[A-Z]{2}[", ("VALUE-SITE", "a site code", _SITE)),
    ("^[A-Z]{2}$", ("VALUE-COUNTRY", "a country code", _COUNTRY)),
)
_KINDS = {
    "string_type": ("text", "Put it in quotes if it is meant as a word."),
    "int_type": ("a whole number", "Write digits without quotes and without a decimal point."),
    "bool_type": ("true or false", "Write one of the two, without quotes."),
    "date_type": ("a date", "Write year, month and day, as in 2024-05-17."),
    "date_parsing": ("a date", "Write year, month and day, as in 2024-05-17."),
    "decimal_type": ("a number", "Write digits, with a full stop before the decimals."),
    "decimal_parsing": ("a number", "Write digits, with a full stop before the decimals."),
    "finite_number": ("a finite number", "Write digits, with a full stop before the decimals."),
    "tuple_type": ("a list", "Write it in brackets, or each entry on a line of its own after '- '."),
    "dict_type": ("a mapping of keys to values", "Write 'key: value' lines below it."),
    "dataclass_type": ("a mapping of keys to values", "Write 'key: value' lines below it."),
}
_OTHER = ("what belongs there", "docs/study-folder.md says what does.")
_WRITTEN: Mapping[Any, tuple[re.Pattern[str], str]] = {
    date: (re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}"), "date_type"),
    Decimal: (re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?"), "decimal_type"),
}
_STEP = re.compile(r"[a-z_]+|[0-9]+")


def reword(error: ErrorDetails, file: SourceFile, owner: type) -> Problem:
    """Turn one error of pydantic into a problem at a place of the file, whose top is an `owner`."""
    kind, value = error["type"], error["input"]
    place: Place = error["loc"][:-1] if error["loc"][-1:] == ("[key]",) else error["loc"]
    where, around = path_words(file.data, place), path_words(file.data, place[:-1])
    if kind == "missing":
        code, sentence = "KEY-MISSING", f"The key '{place[-1]}' is missing in {around}. Add it."
    elif kind == "unexpected_keyword_argument":
        known = [field.name for field in fields(type_at(owner, place[:-1]))]
        code = "KEY-UNKNOWN"
        sentence = f"'{place[-1]}' is not a key of {around}. {suggest(str(place[-1]), known)}"
    elif kind == "literal_error":
        known = [str(word) for word in get_args(type_at(owner, place))]
        code = "VALUE-CHOICE"
        sentence = f"{shown(value)} is not a value of {where}. {suggest(str(value), known)}"
    elif kind == "string_pattern_mismatch":
        code, meant, advice = next(w for start, w in _PATTERNS if error["ctx"]["pattern"].startswith(start))
        sentence = f"{shown(value)} in {where} is not {meant}. {advice}"
    elif kind == "string_too_short":
        code, sentence = "VALUE-EMPTY", f"There are no words in {where}. Write some, or remove the key."
    elif kind == "value_error":
        return _raised(error["ctx"]["error"], file.name, place, where)
    elif value is None:
        code, sentence = "VALUE-EMPTY", f"There is nothing in {where}. Write a value, or remove the key."
    else:
        meant, advice = _KINDS.get(kind, _OTHER)
        code, sentence = "VALUE-TYPE", f"{shown(value)} in {where} is not {meant}. {advice}"
    return Problem(code=code, sentence=sentence, file=file.name, place=place)


def _raised(error: ValueError, file: str, place: Place, where: str) -> Problem:
    """What a validator of the model raised: an expression that cannot be read, or a duration."""
    cause = error.__cause__
    if not isinstance(cause, ExpressionError):
        sentence = f"The value of {where} cannot be used: {error}."
        return Problem(code="VALUE-FORM", sentence=sentence, file=file, place=place)
    inner = steps_of(cause.path)
    at = "" if cause.offset is None else f" (character {cause.offset + 1})"
    sentence = f"The expression in {where} cannot be read{at}: {cause.message}"
    return Problem(code=cause.code, sentence=sentence, file=file, place=(*place, *inner))


def steps_of(path: str) -> Place:
    """Return the steps of a path within an expression, such as 'all[1].when'."""
    return tuple(int(step) if step.isdigit() else step for step in _STEP.findall(path))


def path_words(data: Data, place: Place) -> str:
    """Return a place as words: 'roles.nurse.kind', with the id of an entry where it has one."""
    words: list[str] = []
    for step in place:
        if isinstance(data, list) and isinstance(step, int):
            data = data[step]
            name = data.get("id") if isinstance(data, dict) else None
            words.append(name if isinstance(name, str) else f"[{step + 1}]")
        else:
            data = data.get(str(step)) if isinstance(data, dict) else None
            words.append(str(step))
    return ".".join(words).replace(".[", "[") or "the file"


def odd_values(file: SourceFile, owner: type) -> Iterator[Problem]:
    """Find texts that pydantic takes for a date or a number and that are none here (1e9)."""
    for place in file.lines:
        value, kind = value_at(file.data, place), type_at(owner, place)
        if isinstance(value, str) and kind in _WRITTEN:
            pattern, words = _WRITTEN[kind]
            if not pattern.fullmatch(value):
                meant, advice = _KINDS[words]
                sentence = f"{shown(value)} in {path_words(file.data, place)} is not {meant}. {advice}"
                yield Problem(code="VALUE-TYPE", sentence=sentence, file=file.name, place=place)


def value_at(data: Data, place: Place) -> Data:
    """Return the value at a place that is there."""
    for step in place:
        data = data[step]  # type: ignore[index]  # the place comes from these very data
    return data


def type_at(owner: type, place: Place) -> Any:
    """Return the type that the model has at a place, without 'or None'; None where the model has nothing."""
    # Which entry of a list it is does not matter, and most places differ in that alone.
    return _type_along(owner, tuple(0 if isinstance(step, int) else step for step in place))


@lru_cache(10_000)
def _type_along(owner: type, place: Place) -> Any:
    if not place:
        return owner
    *around, step = place
    kind = _type_along(owner, tuple(around))
    if is_dataclass(kind):
        return _bare(hints_of(typing.cast(Hashable, kind)).get(str(step)))
    if get_origin(kind) in (tuple, dict):
        return _bare(get_args(kind)[-1 if get_origin(kind) is dict else 0])
    return None


def _bare(kind: Any) -> Any:
    """A type without 'or None' and without annotations."""
    arguments = get_args(kind)
    if type(None) in arguments:
        return _bare(arguments[0])
    return arguments[0] if get_origin(kind) is Annotated else kind


@cache
def hints_of(owner: Hashable) -> Mapping[str, Any]:
    """Return the types of the keys of a dataclass of the model, with their annotations."""
    return typing.get_type_hints(owner, include_extras=True)
