"""The field types that every part of the study definition shares."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, SkipValidation, StringConstraints

from equipoise.definition.expression import (
    ExpressionError,
    Node,
    parse_condition,
    parse_text,
    to_raw,
    unparse,
)

IDENTIFIER_PATTERN = r"[a-z][a-z0-9_]{0,47}"

Identifier = Annotated[str, StringConstraints(pattern=f"^{IDENTIFIER_PATTERN}$")]
"""A name that the definition gives to one of its parts: lower case, digits and underscores."""

SiteIdentifier = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}[0-9]{2,3}$")]
"""Country code (ISO 3166-1 alpha-2) and number, as in SE01."""

CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""

LANGUAGE_TAG_PATTERN = r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?"

LanguageTag = Annotated[str, StringConstraints(pattern=f"^{LANGUAGE_TAG_PATTERN}$")]
"""A BCP 47 tag of language, script and region, in the usual case of letters: sv, pt-BR, zh-Hant-TW."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""Words for a reader; never empty."""

_DURATION_IN_HOURS = {"hour": 1, "hours": 1, "day": 24, "days": 24, "week": 168, "weeks": 168}
_DURATION = re.compile(r"(\d+)\s+(hours?|days?|weeks?)")


def hours_of(duration: str) -> int:
    """Return a written duration in hours; raises ValueError when it is not one."""
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError(f"'{duration}' is not a duration; write a whole number and hours, days or weeks")
    return int(match[1]) * _DURATION_IN_HOURS[match[2]]


def _check_duration(value: str) -> str:
    hours_of(value)
    return value


Duration = Annotated[str, AfterValidator(_check_duration)]
"""A fixed length of time as it is written in a protocol: '24 hours', '15 days', '2 weeks'."""


def _read_condition(raw: Any) -> Node:
    return raw if isinstance(raw, Node) else _parse(parse_condition, raw)


def _read_quantity(raw: Any) -> Node:
    if isinstance(raw, Node):
        return raw
    if isinstance(raw, bool) or not isinstance(raw, str | int):
        raise ValueError("it is no expression; write it as text")
    return _parse(parse_text, str(raw))


def _parse(parse: Callable[[Any], Node], raw: Any) -> Node:
    """Pydantic collects ValueErrors; the cause keeps the place within the expression."""
    try:
        return parse(raw)
    except ExpressionError as error:
        raise ValueError(str(error)) from error


Condition = Annotated[SkipValidation[Node], BeforeValidator(_read_condition), PlainSerializer(to_raw)]
"""A condition of the expression language, as text or as all / any / at_least / not."""

Quantity = Annotated[SkipValidation[Node], BeforeValidator(_read_quantity), PlainSerializer(unparse)]
"""An expression that yields a value rather than a truth."""
