"""A form's items on a page: how each is asked, what was answered, what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.translation import gettext as _

from equipoise.access.refusal import Refusal
from equipoise.definition.model.forms import Form, Item
from equipoise.definition.recording import ItemProblem
from equipoise.web.request import ClinicRequest
from equipoise.web.words_of_values import text_of, time_at

PREFIX = "item-"
_RADIO_MAX = 5
_THOUSAND = 1000
_COMMA_DECIMAL = re.compile(r"[+-]?[0-9]+,[0-9]+")
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_UNITS = {"Cel": "°C", "umol/L": "µmol/L"}
_POWER = re.compile(r"10\*(-?[0-9]+)")
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_BRACKETS = str.maketrans("", "", "[]{}")
_CONTROLS = {
    "date": "date",
    "datetime": "datetime",
    "text": "textarea",
    "integer": "whole",
    "decimal": "number",
}


@dataclass(frozen=True, slots=True)
class ItemField:
    """One item as it is drawn; `control` names the kind of question, `hint` its limits and unit.

    `problem` stands in the way of recording, `warning` does not. `conditional` questions may not be asked.
    """

    id: str
    name: str
    label: str
    control: str
    value: str
    required: bool
    unit: str
    help: str
    hint: str
    choices: tuple[tuple[str, str], ...]
    problem: str
    warning: str = ""
    conditional: bool = False
    described_by: str = ""


def draw_items(
    request: ClinicRequest,
    form: Form,
    given: Mapping[str, Any],
    refusal: Refusal | None,
    *,
    problems: Mapping[str, str] | None = None,
    warnings: Mapping[str, str] | None = None,
    hidden: Collection[str] = (),
) -> tuple[ItemField, ...]:
    """Return a form's items with what was answered so far; `given` is posted fields or stored values.

    `problems` and `warnings` are sentences by item; without `problems` those of the refusal are taken.
    `hidden` items are not drawn at all, and retired ones only where there is an answer.
    """
    zone = request.clinic.zone(request.actor.site)
    wrong = _problems(refusal, form) if problems is None else problems
    doubtful = warnings or {}
    return tuple(
        _draw(item, given, zone, wrong.get(item.id, ""), doubtful.get(item.id, ""))
        for item in form.items
        if item.id not in hidden and not (item.retired and not _given(item, given))
    )


def read_items(form: Form, posted: Mapping[str, str], zone: ZoneInfo | None = None) -> dict[str, Any]:
    """Return the answers to a form by item; what is empty is no answer.

    Where a decimal comma is written, it is read as the decimal sign, unless it may part thousands. A date and
    time without its distance from UTC is one at `zone`.
    """
    answers: dict[str, Any] = {}
    for item in form.items:
        text = posted.get(PREFIX + item.id, "").strip()
        if text:
            answers[item.id] = _read(item, text, zone)
    return answers


def _read(item: Item, text: str, zone: ZoneInfo | None) -> str:
    if item.type == "decimal" and _COMMA_DECIMAL.fullmatch(text):
        # 1,000 may be one or a thousand: where both are possible it is left as it is, and refused.
        ambiguous = _THOUSANDS.fullmatch(text) and (item.maximum is None or item.maximum >= _THOUSAND)
        return text if ambiguous else text.replace(",", ".")
    if item.type == "datetime" and zone is not None:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return text
        if moment.tzinfo is None:
            return moment.replace(tzinfo=zone).isoformat()
    return text


def written(item: Item, stored: Any, zone: ZoneInfo) -> str:
    """Return a stored answer as the field that asks for it holds it."""
    if stored is None:
        return ""
    if isinstance(stored, bool):
        return "true" if stored else "false"
    if item.type == "datetime":
        moment = _moment(str(stored))
        return f"{moment.astimezone(zone):%Y-%m-%dT%H:%M}" if moment else str(stored)
    if item.type == "decimal":
        return _number(Decimal(str(stored)))
    return str(stored)


def shown(item: Item, stored: Any, zone: ZoneInfo) -> str:
    """Return a stored answer as a reader sees it, with its unit; no answer is an empty text."""
    if stored is None or stored == "":
        return ""
    if item.type == "choice":
        return next((code.label for code in item.codes if code.code == stored), str(stored))
    if item.type == "datetime":
        return time_at(str(stored), zone) if _moment(str(stored)) else str(stored)
    text = text_of(Decimal(str(stored))) if item.type == "decimal" else text_of(stored)
    return f"{text} {unit_words(item)}" if item.unit else text


def unit_words(item: Item) -> str:
    """Return an item's unit, a UCUM code, as people write it: mm[Hg] is mmHg, 10*6 is 10⁶."""
    if item.unit in _UNITS:
        return _UNITS[item.unit]
    powers = _POWER.sub(lambda found: "10" + found[1].translate(_SUPERSCRIPTS), item.unit or "")
    return powers.translate(_BRACKETS).replace("_", " ")


def problem_words(item: Item, problem: ItemProblem) -> str:
    """Return what is wrong with an answer, in the reader's language."""
    match problem.code:
        case "ITEM-MISSING":
            return _("This must be answered.")
        case "ITEM-NOT-ASKED":
            return _("With the other answers this is not asked. Take this answer away, or change those.")
        case "ITEM-RANGE":
            return _("Allowed is: %(limits)s.") % {"limits": _hint(item) or _("a shorter number")}
        case "ITEM-STEP":
            return _("Allowed is: %(limits)s.") % {"limits": _hint(item)}
        case "ITEM-TEXT":
            return _("Write a text of at most 4000 characters.")
        case "ITEM-RETIRED":
            return _("This is no longer asked.")
        case "ITEM-CODE" | "ITEM-CODE-RETIRED":
            return _("Choose one of the answers.")
    wanted = {
        "integer": _("Write a whole number."),
        "decimal": _("Write a number such as 12.5; thousands are not parted."),
        "boolean": _("Choose yes or no."),
        "date": _("Write the day as YYYY-MM-DD."),
        "partial_date": _("Write YYYY-MM-DD, YYYY-MM or YYYY."),
        "datetime": _("Write day and time as YYYY-MM-DD HH:MM."),
    }
    return wanted.get(item.type, _("This cannot be read."))


def _draw(item: Item, given: Mapping[str, Any], zone: ZoneInfo, problem: str, warning: str) -> ItemField:
    name = PREFIX + item.id
    about = [f"help-{name}"] if item.help else []
    hint = _hint(item)
    about += [f"hint-{name}"] if hint or item.unit else []
    return ItemField(
        id=item.id,
        name=name,
        label=item.label,
        control=_control(item),
        value=str(given[name]) if name in given else written(item, given.get(item.id), zone),
        required=item.required,
        unit=unit_words(item),
        help=item.help or "",
        hint=hint,
        choices=_choices(item, _given(item, given)),
        problem=problem,
        warning=warning,
        conditional=item.when is not None,
        described_by=" ".join([*about, f"problem-{name}", f"warning-{name}"]),
    )


def _given(item: Item, given: Mapping[str, Any]) -> Any:
    """What was answered: a posted field, or a stored value."""
    return given.get(PREFIX + item.id) or given.get(item.id)


def _control(item: Item) -> str:
    if item.type == "boolean":
        return "radio"
    if item.type == "choice":
        return "radio" if len(item.codes) <= _RADIO_MAX else "select"
    return _CONTROLS.get(item.type, "text")


def _choices(item: Item, given: Any) -> tuple[tuple[str, str], ...]:
    if item.type == "boolean":
        return (("true", _("yes")), ("false", _("no")))
    return tuple((code.code, code.label) for code in item.codes if not code.retired or code.code == given)


def _hint(item: Item) -> str:
    words = []
    if item.minimum is not None and item.maximum is not None:
        words.append(_("%(low)s to %(high)s") % {"low": _number(item.minimum), "high": _number(item.maximum)})
    elif item.minimum is not None:
        words.append(_("at least %(low)s") % {"low": _number(item.minimum)})
    elif item.maximum is not None:
        words.append(_("at most %(high)s") % {"high": _number(item.maximum)})
    if item.step is not None and item.step != 1:
        words.append(_("in steps of %(step)s") % {"step": _number(item.step)})
    if item.type == "partial_date":
        words.append(_("YYYY-MM-DD, YYYY-MM or YYYY"))
    return ", ".join(words)


def _number(value: Decimal) -> str:
    return formats.localize(value)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _problems(refusal: Refusal | None, form: Form) -> dict[str, str]:
    found: dict[str, str] = {}
    for detail in refusal.details if refusal else ():
        sentence = detail.partition(": ")[2] if not detail.startswith("The item ") else detail
        for item in form.items:
            if sentence.startswith(f"The item {item.id} of the form {form.id} "):
                found[item.id] = sentence
    return found
