"""Everything that an account can reach, found by enumeration and written as text that can be compared."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from itertools import product, zip_longest
from types import NoneType
from typing import Any, get_args, get_type_hints

from equipoise.access.actor import Actor
from equipoise.access.command import Command
from equipoise.access.content import KINDS
from equipoise.access.filling import is_unmasking
from equipoise.access.refusal import Refusal, Refused
from equipoise.access.visibility import UNMASKING
from equipoise.capture.state import EncounterRow, QueryRow
from equipoise.conduct.trial import Trial
from equipoise.conduct.view import MaskedView
from equipoise.definition.expression import PartialDate
from equipoise.definition.lock import canonical_json
from equipoise.definition.model.definition import StudyDefinition
from equipoise.enrolment.state import ParticipantRow
from equipoise.imaging.state import ScanRow, TaskRow
from equipoise.supply.state import LotRow, UnitRow

Line = tuple[str, str]
"""Where something was found, and what it says."""

_PLAIN = (bool, int, float, str, Decimal, date, timedelta, Enum, PartialDate)

VARIANTS = 4
"""How many commands of each type an account tries."""


def write_value(value: object) -> str:
    """Write a value as text, in its own order; what has no text is an error, and not an address in memory."""
    kind = type(value)
    if kind not in _WRITERS:
        _WRITERS[kind] = _make_writer(kind)
    return _WRITERS[kind](value)


_WRITERS: dict[type, Callable[[Any], str]] = {}
"""How values of each type are written: found once, for there are hundreds of thousands of them."""


def _make_writer(kind: type) -> Callable[[Any], str]:
    if kind is NoneType or issubclass(kind, _PLAIN):
        return repr
    if issubclass(kind, StudyDefinition):
        return lambda value: f"the definition {value.hash}"
    if issubclass(kind, bytes):
        return lambda value: value.hex()
    if is_dataclass(kind):
        return _dataclass_writer(kind)
    if issubclass(kind, Mapping):
        return lambda value: (
            "{" + ", ".join([f"{write_value(k)}: {write_value(v)}" for k, v in value.items()]) + "}"
        )
    if issubclass(kind, frozenset | set):
        return lambda value: "{" + ", ".join(sorted(map(write_value, value))) + "}"
    if issubclass(kind, Iterable):
        return lambda value: "[" + ", ".join(map(write_value, value)) + "]"
    raise TypeError(f"{kind.__name__} has no text to compare")


def _dataclass_writer(kind: Any) -> Callable[[Any], str]:
    names = [each.name for each in fields(kind)]

    def write(value: Any) -> str:
        parts = [f"{name}={write_value(getattr(value, name))}" for name in names]
        return f"{kind.__name__}({', '.join(parts)})"

    return write


def public_names(of: type) -> list[str]:
    """The public methods and properties of a class."""
    return sorted(name for name, _ in inspect.getmembers(of) if not name.startswith("_"))


def argument_values(trial: Trial) -> dict[str, list[object]]:
    """What each argument of a method of a view may be; an argument that is not here fails the test."""
    codes = [row.participant for row in trial.tables.all(ParticipantRow)]
    last = date.fromisoformat(next(iter(reversed(list(trial.ledger.read())))).recorded_at[:10])
    days: list[object] = [last - timedelta(days=100), last]
    safety = trial.definition.safety
    hiding = [form for form in trial.definition.forms if is_unmasking(form)]
    shown = [form for form in trial.definition.forms if form not in hiding and not form.repeating]
    encounters = [row.encounter for row in trial.tables.all(EncounterRow)]
    return {
        "participant": [*codes, "SE01-999", None],
        "today": days,
        "on": days,
        "position": [None, trial.head.position * 2 // 3, 10**6],
        "after": [None, trial.head.position // 2],
        "limit": [None, 3],
        "number": [1, 2, None],
        "dictionary": ["meddra", "whodrug"],
        "words": [None, "glim"],
        "newest_first": [False, True],
        "now": [datetime(2001, 1, 1, tzinfo=UTC), datetime(last.year, last.month, last.day, tzinfo=UTC)],
        "form": [hiding[0].id, shown[0].id, safety.form if safety else "unheard_of", "unheard_of"],
        "item": [
            next(item.id for item in hiding[0].items if item.unmasking or hiding[0].unmasking),
            shown[0].items[0].id,
            safety.severity if safety else "unheard_of",
        ],
        "encounter": [encounters[0], None],
        "row": [None, 1],
        "values": [{}, {hiding[0].items[0].id: 1, shown[0].items[0].id: "x"}],
        "unit": [*[row.unit for row in trial.tables.all(UnitRow)][:2], "B-00000000"],
        "lot": [*[row.lot for row in trial.tables.all(LotRow)][:2], "L-00000000"],
        "scan": [*[row.scan for row in trial.tables.all(ScanRow)][:2], "S-00000000"],
        "task": [
            *[row.task for row in trial.tables.all(TaskRow) if row.slot == 0 and row.status == "open"],
            *[row.task for row in trial.tables.all(TaskRow)][:2],
            "T-00000000",
        ],
    }


def read_views(trial: Trial, actor: Actor, view_type: type = MaskedView) -> Iterator[Line]:
    """Call every public method of the view that an actor gets, with every combination of its arguments."""
    view = trial.as_seen_by(actor)
    assert type(view) is view_type, f"{actor.account} gets a {type(view).__name__}"
    values = argument_values(trial)
    yield f"{actor.account} viewer", write_value(view.viewer)
    for name in public_names(type(view)):
        method = getattr(view, name)
        parameters = list(inspect.signature(method).parameters)
        assert values.keys() >= set(parameters), f"say what {name} may be called with: {parameters}"
        hints = get_type_hints(method)
        fitting = (_fit(values[each], hints.get(each, Any)) for each in parameters)
        for arguments in product(*fitting):
            named = dict(zip(parameters, arguments, strict=True))
            yield f"{actor.account} {name}{arguments}", _call(method, named)


def _fit(values: list[Any], hint: object) -> list[Any]:
    """Those values that a type allows: None is not everywhere a value."""
    may_be_none = hint is Any or type(None) in get_args(hint)
    return [each for each in values if each is not None or may_be_none]


def _call(method: Callable[..., object], arguments: Mapping[str, object]) -> str:
    try:
        return write_value(method(**arguments))
    except Refused as refused:
        return f"refused: {refused.refusal!r}"
    except ValueError as error:
        return f"error: {error}"


def command_types() -> list[type[Command]]:
    """Every command that exists: the rooms are all imported with the trial."""

    def below(kind: type[Command]) -> Iterator[type[Command]]:
        for each in kind.__subclasses__():
            yield each
            yield from below(each)

    # A dataclass with slots is made anew from the class that was written, which may linger under its name.
    found = {
        each
        for each in below(Command)
        if each.__module__.startswith("equipoise.")
        and vars(sys.modules[each.__module__])[each.__name__] is each
    }
    return sorted(found, key=lambda each: each.__name__)


def field_values(trial: Trial) -> dict[str, list[Any]]:
    """What each field of a command may be: things that are there, and one that is not."""
    tables, definition = trial.tables, trial.definition
    today = datetime.fromisoformat(list(trial.ledger.read())[-1].recorded_at).date()
    codes = [row.participant for row in tables.all(ParticipantRow)]
    encounters = [row.encounter for row in tables.where(EncounterRow, participant=codes[0])]
    forms = sorted((form.id for form in definition.forms), key=lambda form: (len(form), form))
    days = [today, today - timedelta(days=1), today + timedelta(days=9), date(2001, 1, 1)]
    items = [item.id for form in definition.forms for item in form.items if item.unmasking or form.unmasking]
    texts = ["Because.", "Seen at the visit", " ", "Because."]
    return {
        "participant": [*codes[:2], *codes[-1:], "SE01-999"],
        "site": ["SE01", "CA01", None, "XX99"],
        "account": ["eve", "nurse.se01", "", "eve"],
        "administrator": ["eve"],
        "role": ["nurse", "laboratory", "statistician", "burglar"],
        "mode": ["live", "rehearsal"],
        "study_version": [definition.study.version, "9", "unheard of"],
        "canonical": [canonical_json(_amended(definition)).decode(), "{}", " "],
        "substantial": [True, False],
        "reconsent": [False, True],
        "scope": ["treatment", "study", "consent"],
        "consent_version": ["2.0", "1.0"],
        "encounter": [*encounters[-2:], "unheard_of", None],
        "form": [*forms[:2], "adverse_event", "unheard_of"],
        "item": [items[0], items[-1], "unheard_of", None],
        "items": [(), (), (items[0],), ("unheard_of",)],
        "seen": [None, 10**6, 1, None],
        "reviewed": ["audit_trail", "access", "data"],
        "reviewed_through": [10, 10**6, 0],
        "narrowed": [None, "kind=ItemCorrected&from=2024-01-01", "unheard_of"],
        "next_due": [None, today + timedelta(days=90), date(2001, 1, 1)],
        "dictionary": ["meddra", "whodrug"],
        "version": ["29.0", " "],
        "sha256": ["ab" * 32],
        "verbatim": ["Glimmering of the ears", "unheard_of"],
        "code": ["10000012", "10000014", "unheard_of"],
        "values": [{}, {items[0]: 1}, {items[-1]: "x", "unheard_of": 2}, {"spots": 3, "volume": "1.0"}],
        "row": [1, 2, 99, 1],
        "product": [each.id for each in definition.supply.products] + ["unheard_of"],
        "clock": [each.id for each in (definition.safety.clocks if definition.safety else ())] + ["never"],
        "submitted_at": [datetime.combine(day, datetime.min.time(), UTC) for day in days],
        "related": [True, False],
        "expected": [False, True],
        "query": [*[row.query for row in tables.all(QueryRow)][:2], "U-000001", "Q-999999"],
        "scan": [*[row.scan for row in tables.all(ScanRow)][:3], "S-00000000"],
        "task": [*[row.task for row in tables.all(TaskRow)][:3], "T-00000000"],
        "lot": [*[row.lot for row in tables.all(LotRow)][:3], "L-00000000"],
        "unit": [*[row.unit for row in tables.all(UnitRow)][:3], "B-00000000"],
        "position": [*_positions_with_texts(trial), 10**6],
        "path": ["content.cause", "reason", "content.participant"],
        "words": ["all", "1", "0", None],
        "file_hash": [None, "no hash", "ab" * 32, None],
        "shown_hash": [None, "no hash", "ab" * 32, None],
        **dict.fromkeys(_TEXTS, texts),
        **dict.fromkeys(_DAYS, days),
    }


def _positions_with_texts(trial: Trial) -> list[int]:
    """Entries out of which something can be blotted: a cause that masked roles do not see, and a reason."""
    entries = list(trial.ledger.read())
    hidden = [entry for entry in entries if KINDS[entry.kind].audience in UNMASKING]
    return [
        next((entry.position for entry in hidden if "cause" in entry.content), 1),
        next((entry.position for entry in entries if entry.reason is not None), 1),
    ]


def _amended(definition: StudyDefinition) -> StudyDefinition:
    """A version that a trial under way can take: its number, and an item that is no longer required."""
    first, *others = definition.forms
    items = (replace(first.items[0], required=not first.items[0].required), *first.items[1:])
    study = replace(definition.study, version=f"{definition.study.version}+")
    return replace(definition, study=study, forms=(replace(first, items=items), *others))


_TEXTS = ("cause", "text", "title", "meaning", "who", "how", "assessment", "destination", "findings")
_DAYS = (
    *("approved_on", "consented_on", "assessed_on", "failed_on", "rescreened_on", "withdrawn_on", "given_on"),
    *("completed_on", "randomised_on", "took_place_on", "acquired_on", "collected_on", "recorded_on"),
    *("released_on", "prepared_on", "through"),
)


def make_command(kind: type[Command], values: Mapping[str, list[Any]], variant: int) -> Command:
    """A command with the variant-th value of each field; fails for a field of which no value is known."""
    hints = get_type_hints(kind)
    assert values.keys() >= hints.keys(), f"say what the fields of {kind.__name__} may be: {list(hints)}"
    fitting = {name: _fit(values[name], hint) for name, hint in hints.items()}
    return kind(**{name: each[variant % len(each)] for name, each in fitting.items()})


def try_commands(
    trial: Trial, actors: Iterable[Actor], without: frozenset[str] = frozenset()
) -> Iterator[Line]:
    """Give every command as every actor, in several variants; some succeed and change the trial."""
    values = field_values(trial)
    for actor, kind, variant in product(actors, command_types(), range(VARIANTS)):
        if kind.__name__ in without:
            continue
        outcome = trial.record(
            actor, make_command(kind, values, variant), "A reason" if variant % 2 else None
        )
        what = outcome if isinstance(outcome, Refusal) else [(e.position, e.kind) for e in outcome]
        yield f"{actor.account} gives {kind.__name__} {variant}", write_value(what)


def find_difference(plain: Iterable[Line], swapped: Iterable[Line], about: str = "") -> str:
    """Name the first place about something where the two worlds differ, and read no further.

    Empty where they are the same.
    """
    for first, second in zip_longest(plain, swapped, fillvalue=("the end", "")):
        if first != second and (about in first[0] or about in second[0]):
            return f"{first[0]} against {second[0]}"
    return ""


def find_differences(plain: Iterable[Line], swapped: Iterable[Line]) -> list[str]:
    """Name the places where the two worlds differ, also in the number or order of places."""
    first, second = list(plain), list(swapped)
    places = [f"place {a[0]} against {b[0]}" for a, b in zip(first, second, strict=False) if a[0] != b[0]]
    texts = [f"text at {a[0]}" for a, b in zip(first, second, strict=False) if a != b and a[0] == b[0]]
    counts = [f"{len(first)} places against {len(second)}"] if len(first) != len(second) else []
    return counts + places + texts
