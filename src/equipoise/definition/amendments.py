"""Two versions of a definition compared, and what a trial under way cannot take.

What was once recorded must stay readable, with the meaning that it had, behind the mask that it had: so
nothing that answers hang on is removed or given another meaning. What is no longer asked is `retired`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from .lock import canonical_json
from .model.definition import StudyDefinition

What = Literal["added", "removed", "changed", "retired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference between two versions.

    `place` leads to it by keys and names: forms, vitals, items, pulse, maximum. `before` and `after` are in
    words. `obstacle` is the code of the reason why a trial under way cannot take it, `remedy` what to do.
    """

    place: tuple[str, ...]
    what: What
    before: str
    after: str
    obstacle: str | None = None
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class _Obstacle:
    """What stands against changes at some places.

    In the pattern of a place, * is any one step, and ** at its end whatever follows.
    """

    code: str
    remedy: str
    patterns: tuple[str, ...]
    what: tuple[What, ...] = ("added", "removed", "changed", "retired")


_OBSTACLES: Final = (
    _Obstacle(
        "AMEND-DESIGN",
        "Take this change back: arms, epochs and allocation stay as the trial began with them.",
        (
            "study/id",
            "study/type",
            "study/model",
            "study/randomised",
            "study/masking/parties",
            "study/arms/*",
            "study/arms/*/type",
            "study/arms/*/cells/**",
            "study/epochs",
            "study/epochs/*",
            "study/epochs/*/type",
            "study/epochs/*/masked",
            "allocation/method",
            "allocation/ratio/**",
            "allocation/strata/**",
            "allocation/factors/**",
            "allocation/probability",
            "allocation/slots_per_stratum",
        ),
    ),
    _Obstacle(
        "AMEND-MASK",
        "Take this change back: what was recorded behind the mask stays there.",
        ("forms/*/unmasking", "forms/*/items/*/unmasking"),
        ("removed",),
    ),
    _Obstacle(
        "AMEND-MASK",
        "Take this change back, and give people another role: who is masked was promised.",
        ("study/roles/*/masked",),
    ),
    _Obstacle(
        "AMEND-GONE",
        "Put it back. What is no longer asked gets retired: true, so that what was recorded stays readable.",
        (
            "forms/*",
            "forms/*/items/*",
            "forms/*/items/*/codes/*",
            "schedule/encounters/*",
        ),
        ("removed",),
    ),
    _Obstacle(
        "AMEND-GONE",
        "Put it back: people, records and products of the trial belong to it.",
        (
            "study/sites/*",
            "study/roles/*",
            "study/interventions/*",
            "supply",
            "supply/products/*",
            "safety",
            "imaging",
        ),
        ("removed",),
    ),
    _Obstacle(
        "AMEND-MEANING",
        "Take this change back; ask anew in another item or form, and retire this one.",
        (
            "forms/*/repeating",
            "forms/*/log",
            "forms/*/dated_by",
            "forms/*/items/*/type",
            "forms/*/items/*/unit",
            "schedule/encounters/*/epoch",
            "schedule/encounters/*/anchor",
            "study/roles/*/kind",
            "study/roles/*/scope",
            "study/sites/*/country",
            "supply/products/*/kind",
            "supply/products/*/interventions",
            "supply/products/*/source_form",
            "supply/products/*/manufacture_form",
            "supply/products/*/administration_form",
            "safety/form",
            "imaging/acquisition_form",
            "imaging/read_form",
            "imaging/readers",
        ),
    ),
)
_NAMES: Final = ("id", "code", "item", "registry")
"""By what the entries of a list may be told apart."""

_CALLED: Final = ("label", "title", "name", "text", "message")
_WORDS_MAX: Final = 120
_MISSING: Final = object()


def compare_versions(before: StudyDefinition, after: StudyDefinition) -> tuple[Change, ...]:
    """List what differs between two versions of a definition, in the order of the newer."""
    old, new = (json.loads(canonical_json(each)) for each in (before, after))
    return tuple(_judged(change) for change in _differences(old, new, ()))


def _judged(change: Change) -> Change:
    for each in _OBSTACLES:
        if change.what in each.what and any(_fits(change.place, pattern) for pattern in each.patterns):
            return replace(change, obstacle=each.code, remedy=each.remedy)
    return change


def _fits(place: tuple[str, ...], pattern: str) -> bool:
    steps = pattern.split("/")
    if steps[-1] == "**":
        steps.pop()
        place = place[: len(steps)]
    return len(place) == len(steps) and all(
        wanted in ("*", step) for step, wanted in zip(place, steps, strict=True)
    )


def _differences(old: Any, new: Any, place: tuple[str, ...]) -> Iterator[Change]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _of_entries(old, new, place)
        return
    before, after = _named(old), _named(new)
    if before is None or after is None:
        yield _change(old, new, place)
        return
    yield from _of_entries(before, after, place)
    kept = [key for key in after if key in before]
    if kept != [key for key in before if key in after]:
        yield Change(place=place, what="changed", before=", ".join(before), after=", ".join(after))


def _of_entries(old: Mapping[str, Any], new: Mapping[str, Any], place: tuple[str, ...]) -> Iterator[Change]:
    if place and new.get("retired") and not old.get("retired"):
        yield Change(place=place, what="retired", before=_words(old), after=_words(new))
    for key in dict.fromkeys((*new, *old)):
        if key != "retired" or not new.get("retired"):
            yield from _differences(old.get(key, _MISSING), new.get(key, _MISSING), (*place, key))


def _named(value: Any) -> dict[str, Any] | None:
    """Return the entries of a list by what tells them apart; None for what is no such list."""
    if value is _MISSING or value == []:
        return {}
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        return None
    for name in _NAMES:
        found = {str(each[name]): each for each in value if name in each}
        if len(found) == len(value):
            return found
    return None


def _change(old: Any, new: Any, place: tuple[str, ...]) -> Change:
    what: What = "added" if old is _MISSING else "removed" if new is _MISSING else "changed"
    return Change(place=place, what=what, before=_words(old), after=_words(new))


def _words(value: Any) -> str:
    """Say in few words what stands at a place: what it is called, or what it is."""
    if value is _MISSING:
        return ""
    if isinstance(value, dict):
        called = next((value[key] for key in _CALLED if isinstance(value.get(key), str)), None)
        value = called if called is not None else value
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _WORDS_MAX else f"{text[: _WORDS_MAX - 1]}…"
