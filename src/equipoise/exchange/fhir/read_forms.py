"""From questionnaires to the forms of a study folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from equipoise.exchange.fhir.codes import (
    CONSTRAINT,
    ENABLE_WHEN,
    ENTRY_FORMAT,
    FULL_DATE,
    ITEM_UNIT,
    MAX_DECIMALS,
    MAX_VALUE,
    MIN_VALUE,
)
from equipoise.exchange.fhir.cursor import Cursor
from equipoise.exchange.fhir.read_conditions import raw_condition, read_enable_when, read_expression

_TYPES: Final[Mapping[str, str]] = {
    "integer": "integer",
    "decimal": "decimal",
    "quantity": "decimal",
    "text": "text",
    "string": "text",
    "url": "text",
    "boolean": "boolean",
    "coding": "choice",
    "choice": "choice",
    "open-choice": "choice",
    "date": "partial_date",
    "dateTime": "datetime",
}
"""The type of an item by that of a question; R4's names of choices are read, too."""

_NAME_MAX: Final = 48
_NOT_OF_NAME: Final = re.compile(r"[^a-z0-9]+")


def name_of(text: str | None, otherwise: str, taken: set[str]) -> str:
    """Return a text as a name of the definition that is not taken yet, and take it."""
    base = _NOT_OF_NAME.sub("_", (text or "").lower()).strip("_")[:_NAME_MAX].strip("_")
    base = base if base[:1].isalpha() else f"{otherwise}_{base}".strip("_")[:_NAME_MAX]
    name, number = base, 2
    while name in taken:
        name, number = f"{base[: _NAME_MAX - 4]}_{number}", number + 1
    taken.add(name)
    return name


def read_form(place: Cursor, form: str) -> dict[str, object]:
    """Return a questionnaire as the tree of a form of this name."""
    place.skip("resourceType", "id", "url", "version", "status", "subjectType", "name")
    items = place.each("item")
    outer = items[0] if len(items) == 1 and items[0].get("type").value == "group" else None
    title = place.text("title") or place.text("name") or form
    if outer is not None:
        outer.skip("linkId", "type")
        if outer.get("text").value == title:
            outer.skip("text")
    taken: set[str] = set()
    questions = list(_questions(outer.each("item") if outer else items))
    named = [(each, _item_name(each, taken)) for each in questions]
    links = {str(each.get("linkId").value): f"{form}.{name}" for each, name in named}
    return {
        "id": form,
        "title": title,
        "repeating": True if outer and outer.flag("repeats") else None,
        "items": [_read_item(each, name, links) for each, name in named],
        "checks": list(_checks(outer)) if outer else [],
        "source": place.text("purpose"),
    }


def _questions(places: list[Cursor]) -> Iterator[Cursor]:
    """Yield the questions that a form can hold, those of groups within it in their places."""
    for each in places:
        kind = str(each.get("type").value)
        if kind in _TYPES:
            yield each
        if kind in ("group", "question") or kind in _TYPES:
            yield from _questions(each.each("item"))


def _item_name(place: Cursor, taken: set[str]) -> str:
    link = str(place.get("linkId").value or "")
    return name_of(link.rpartition(".")[2] or link or str(place.get("text").value), "item", taken)


def _read_item(place: Cursor, name: str, links: Mapping[str, str]) -> dict[str, object]:
    place.skip("linkId")
    kind = _TYPES[str(place.text("type"))]
    codes = list(_codes(place))
    found: dict[str, object] = {
        "id": name,
        "label": place.text("text") or name.replace("_", " ").capitalize(),
        "type": kind,
        "codes": codes or None,
        "required": None if place.flag("required") else False,
    }
    for each in place.each("extension"):
        found |= each.attempt(_read_extension) or {}
    when = place.attempt(lambda asked: raw_condition(read_enable_when(asked, links)))
    if when is not None:
        found["when"] = when
    helps = [each for each in place.each("item") if each.get("type").value == "display"]
    for each in helps[:1]:
        each.skip("linkId", "type", "extension")
        found["help"] = each.text("text")
    return found


def _codes(place: Cursor) -> Iterator[dict[str, object]]:
    for option in place.each("answerOption"):
        coding = option.get("valueCoding")
        code = coding.text("code")
        if code is not None:
            coding.skip("system")
            yield {"code": code, "label": coding.text("display") or code}
        else:
            word = option.text("valueString")
            whole = option.whole("valueInteger")
            text = word if word is not None else None if whole is None else str(whole)
            if text is not None:
                yield {"code": text, "label": text}


def _read_extension(place: Cursor) -> dict[str, object] | None:
    """Return what an extension of an item says: a limit, a unit, a form of date, a condition; else None."""
    url = place.get("url").value
    found: dict[str, object] = {}
    if url in (MIN_VALUE, MAX_VALUE):
        limit = place.number("valueInteger")
        limit = place.number("valueDecimal") if limit is None else limit
        if limit is not None:
            found["minimum" if url == MIN_VALUE else "maximum"] = limit
    elif url == ITEM_UNIT:
        coding = place.get("valueCoding")
        unit = coding.text("display") or coding.text("code")
        coding.skip("system", "code")
        found |= {} if unit is None else {"unit": unit}
    elif url == MAX_DECIMALS:
        places = place.whole("valueInteger")
        found |= {"step": float(f"1e-{places}")} if places is not None and 0 < places < 20 else {}
    elif url == ENTRY_FORMAT:
        form = place.text("valueString") or ""
        found |= {"type": "date" if form.upper() == FULL_DATE else "partial_date"} if form else {}
    elif url == ENABLE_WHEN:
        raw = raw_condition(read_expression(place.get("valueExpression")))
        found |= {} if raw is None else {"when": raw}
    if not found:
        return None
    place.skip("url")
    return found


def _checks(place: Cursor) -> Iterator[dict[str, object]]:
    for each in place.each("extension"):
        if each.get("url").value != CONSTRAINT:
            continue
        parts = {str(part.get("url").value): part for part in each.each("extension")}
        if not {"expression", "key", "human"} <= parts.keys():
            continue
        expression = parts["expression"].get("valueExpression")
        holds = expression.attempt(lambda place: raw_condition(read_expression(place)))
        if holds is None:
            continue
        each.skip("url")
        for part in parts.values():
            part.skip("url")
        severity = parts["severity"].text("valueCode") if "severity" in parts else None
        yield {
            "id": name_of(parts["key"].text("valueId"), "check", set()),
            "holds": holds,
            "severity": "hard" if severity == "error" else None,
            "message": parts["human"].text("valueString"),
        }
