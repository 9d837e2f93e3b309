"""A command's fields: what kind of answer each takes, what may be chosen, and how an answer is read."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, Literal

from django.utils.translation import gettext as _

from equipoise.access.command import Command
from equipoise.access.content import Audience
from equipoise.web.accounts.models import Account
from equipoise.web.commands.catalogue import FIELD_LABELS
from equipoise.web.request import ClinicRequest
from equipoise.web.words_of_values import word_of_state

Kind = Literal["text", "long_text", "date", "datetime", "number", "flag", "choice", "values", "items"]

_LONG_TEXTS = frozenset({"cause", "text", "how", "assessment", "contact", "findings"})
TEXT_LENGTH_MAX = 4000
FOUND_OUT = frozenset({"file_hash", "shown_hash", "words"})
"""The fields of commands that nobody answers: the clinic finds them out from what was sent."""


@dataclass(frozen=True, slots=True)
class FieldType:
    """One field of a command, whoever asks."""

    name: str
    kind: Kind
    required: bool
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One field as it is drawn; `fixed` ones were decided by the link that led here."""

    name: str
    label: str
    kind: Kind
    required: bool
    value: str
    choices: tuple[tuple[str, str], ...] = ()
    fixed: bool = False
    problem: str = ""


class Unreadable(Exception):
    """An answer that is none of its field's kind."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)


def field_types(command: type[Command]) -> tuple[FieldType, ...]:
    """Return the fields of a command, in its order."""
    return _field_types(typing.cast(Any, command))


@cache
def _field_types(command: Any) -> tuple[FieldType, ...]:
    hints = typing.get_type_hints(command)
    return tuple(
        _field_type(each.name, hints[each.name], each.default is MISSING)
        for each in fields(command)
        if each.name not in FOUND_OUT
    )


def _field_type(name: str, hint: Any, required: bool) -> FieldType:
    options = [each for each in typing.get_args(hint) if each is not type(None)]
    solid = options[0] if isinstance(hint, types.UnionType) else hint
    if typing.get_origin(solid) is Literal:
        return FieldType(name, "choice", required, tuple(map(str, typing.get_args(solid))))
    kinds: dict[Any, Kind] = {date: "date", datetime: "datetime", int: "number", bool: "flag"}
    if name == "values":
        return FieldType(name, "values", required)
    if typing.get_origin(solid) is tuple:
        return FieldType(name, "items", required)
    kind = kinds.get(solid) or ("long_text" if name in _LONG_TEXTS else "text")
    return FieldType(name, kind, required)


def draw_field(
    request: ClinicRequest, each: FieldType, given: Mapping[str, str], *, fixed: bool, problem: str
) -> Field:
    """Return a field with what may be chosen in it and what was answered so far."""
    value = given.get(each.name, "")
    # Of one who was chosen already nobody needs to see among whom.
    choices = () if fixed and each.name == "participant" else _choices(request, each, given)
    if each.kind == "date" and each.required and not value:
        value = request.today.isoformat()
    if not value and len(choices) == 1 and each.required:
        value = choices[0][0]
    return Field(
        name=each.name,
        label=str(FIELD_LABELS[each.name]),
        kind="choice" if choices else each.kind,
        required=each.required,
        value=value,
        choices=choices,
        fixed=fixed,
        problem=problem,
    )


def _choices(
    request: ClinicRequest, each: FieldType, given: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    definition, seen = request.definition, request.seen
    if each.options:
        return tuple((option, word_of_state(option)) for option in each.options)
    if each.kind == "flag":
        return (("true", _("yes")), ("false", _("no")))
    if each.name == "participant" and Audience.CONDUCT in seen.viewer.audiences:
        return tuple((line.participant, line.participant) for line in seen.participants())
    if each.name == "site":
        sites = definition.study.sites
        return tuple(
            (site.id, f"{site.id} {site.name}") for site in sites if seen.viewer.site in (None, site.id)
        )
    if each.name == "encounter":
        return tuple(
            (planned.id, planned.name)
            for planned in definition.schedule.encounters
            if not planned.retired or planned.id == given.get(each.name)
        )
    if each.name == "study_version":
        return _versions_for(request, given.get("site", ""))
    if each.name == "product":
        return tuple((product.id, product.name) for product in definition.supply.products)
    if each.name == "account":
        accounts = Account.objects.filter(is_active=True).order_by("username")
        return tuple((one.username, f"{one.printed_name} ({one.username})") for one in accounts)
    if each.name == "role":
        return tuple((role.id, role.name) for role in definition.study.roles)
    return ()


def _versions_for(request: ClinicRequest, site: str) -> tuple[tuple[str, str], ...]:
    """The versions that a site may go on to: those after the one that holds there."""
    versions = request.seen.versions()
    held = next((each.number for each in versions if site in each.sites), 0)
    return tuple(
        (each.study_version, f"{each.study_version} {each.title}")
        for each in reversed(versions)
        if each.number > held
    )


def read_field(request: ClinicRequest, each: FieldType, text: str) -> Any:
    """Return an answer as the command takes it, None for no answer; raises Unreadable."""
    if not text:
        if each.required:
            raise Unreadable(_("This must be answered."))
        return None
    if len(text) > TEXT_LENGTH_MAX:
        raise Unreadable(_("This is too long."))
    if each.options and text not in each.options:
        raise Unreadable(_("Choose one of the answers."))
    match each.kind:
        case "date":
            return _read_day(text)
        case "datetime":
            return _read_time(request, text)
        case "number":
            if not (text.isascii() and text.isdigit() and len(text) < 16):
                raise Unreadable(_("Write a whole number."))
            return int(text)
        case "flag":
            if text not in ("true", "false"):
                raise Unreadable(_("Choose one of the answers."))
            return text == "true"
    return text


def read_names(request: ClinicRequest, each: FieldType) -> tuple[str, ...]:
    """Return what was ticked; raises Unreadable where something could be ticked and nothing was."""
    sent = request.POST.getlist(each.name)
    named = tuple(dict.fromkeys(name.strip() for name in sent if name.strip()))
    if sent and not named:
        raise Unreadable(_("Tick at least one item."))
    if any(len(name) > TEXT_LENGTH_MAX for name in named):
        raise Unreadable(_("This is too long."))
    return named


def _read_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Unreadable(_("Write the day as YYYY-MM-DD.")) from None


def _read_time(request: ClinicRequest, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        # A time without its distance from UTC is one at the reader's site.
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=request.clinic.zone(request.actor.site))
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable(_("Write the time as YYYY-MM-DD HH:MM.")) from None
