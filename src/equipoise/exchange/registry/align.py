"""Which item of one list is which of another: by what identifies it, not by where it stands."""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

Key = Callable[[Any], Hashable | None]

# For a list of the API, what its items are known by: the first that two of them share makes them the same.
_NAMED: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "armGroups": (("label",), ("type", "description"), ("description",)),
    "interventions": (("type", "name"), ("name",), ("description",)),
    "primaryOutcomes": (("measure", "timeFrame"), ("measure",), ("description", "timeFrame")),
    "secondaryOutcomes": (("measure", "timeFrame"), ("measure",), ("description", "timeFrame")),
    "otherOutcomes": (("measure", "timeFrame"), ("measure",), ("description", "timeFrame")),
    "outcomes": (
        ("category", "measure", "timeFrame"),
        ("measure", "timeFrame"),
        ("category", "measure"),
        ("measure",),
        ("category", "description", "timeFrame"),
    ),
    "locations": (
        ("facility", "city", "zip"),
        ("facility", "city"),
        ("facility",),
        ("city", "zip"),
        ("city", "state", "country"),
        ("city", "country"),
    ),
    "centralContacts": (("name", "role"), ("name",), ("email",), ("phone",)),
    "contacts": (("name", "role"), ("name",), ("email",), ("phone",)),
    "overallOfficials": (("name",),),
    "references": (("pmid",), ("citation",)),
    "seeAlsoLinks": (("url",), ("label",)),
    "availIpds": (("id",), ("url",), ("type",)),
    "secondaryIdInfos": (("id",),),
    "collaborators": (("name",),),
    "largeDocs": (("filename",), ("label",), ("typeAbbrev",)),
    "outcomeMeasures": (("type", "title", "timeFrame"), ("title", "timeFrame"), ("title",)),
    "analyses": (("groupIds", "paramType", "statisticalMethod"), ("groupIds",)),
    "seriousEvents": (("organSystem", "term"), ("term",)),
    "otherEvents": (("organSystem", "term"), ("term",)),
}
_WORDED: Final = {
    "outcomes": "measure",
    "armGroups": "label",
    "interventions": "name",
    "locations": "facility",
    "references": "citation",
    "outcomeMeasures": "title",
}
_ALIKE: Final = 0.5
_COMPARED_MAX: Final = 250_000
_ANY: Final = tuple((name,) for name in ("id", "groupId", "title", "term", "name", "label", "type", "units"))


@dataclass(frozen=True, slots=True)
class Pairs:
    """Which old item each new one is (`old_of`, by the new place), and the old ones that are no more."""

    old_of: tuple[int | None, ...]
    gone: tuple[int, ...]

    @property
    def new_of(self) -> dict[int, int]:
        """By the place of an old item, that of the new one."""
        return {old: new for new, old in enumerate(self.old_of) if old is not None}


def folded(value: object) -> str:
    """Return a value as text that is the same whatever the case and the white space."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return " ".join(text.casefold().split())


def keys_of(name: str) -> tuple[Key, ...]:
    """Return what identifies the items of a list of that name, the strongest first."""
    return tuple(map(_key, _NAMED.get(name, _ANY)))


def pair(old: Sequence[Any], new: Sequence[Any], name: str, *, fill: bool = False) -> Pairs:
    """Find out which item of one list is which of another.

    Equal items are the same; then those that share a key; then, in their order, those that have none. With
    `fill`, what is left between two items that were found is taken for the same where both lists have as many
    there.
    """
    found: list[int | None] = [None] * len(new)
    left = dict.fromkeys(range(len(old)))
    for key in (_whole, *keys_of(name)):
        waiting: dict[Hashable, deque[int]] = defaultdict(deque)
        for place in left:
            if (mark := key(old[place])) is not None:
                waiting[mark].append(place)
        for place, item in enumerate(new):
            if found[place] is None and (mark := key(item)) is not None and waiting[mark]:
                found[place] = source = waiting[mark].popleft()
                del left[source]
    keys = keys_of(name)
    nameless = deque(place for place in left if all(key(old[place]) is None for key in keys))
    for place, item in enumerate(new):
        if nameless and found[place] is None and all(key(item) is None for key in keys):
            found[place] = source = nameless.popleft()
            del left[source]
    if fill:
        for place, source in tuple(_between(found, left, len(old))):
            found[place] = source
            del left[source]
    return Pairs(tuple(found), tuple(left))


def alike(old: Sequence[Any], new: Sequence[Any], pairs: Pairs, name: str) -> Pairs:
    """Add to some pairs what is left and has most of its words in common, where a person gives the words.

    The same two items are found whichever of the lists is the old one.
    """
    key = _WORDED.get(name)
    if key is None:
        return pairs
    before = {place: _words(old[place], key) for place in pairs.gone}
    after = {place: _words(new[place], key) for place, source in enumerate(pairs.old_of) if source is None}
    if len(before) * len(after) > _COMPARED_MAX:
        return pairs
    scored = sorted(
        (-len(mine & theirs) / len(mine | theirs), first + second, abs(first - second), first, second)
        for first, mine in before.items()
        for second, theirs in after.items()
        if mine & theirs
    )
    found = list(pairs.old_of)
    for score, _, _, first, second in scored:
        if -score >= _ALIKE and first in before and second in after:
            found[second] = first
            del before[first], after[second]
    return Pairs(tuple(found), tuple(before))


def _words(item: Any, key: str) -> frozenset[str]:
    return (
        frozenset(folded(item[key]).split()) if isinstance(item, Mapping) and item.get(key) else frozenset()
    )


def _whole(item: Any) -> Hashable:
    return json.dumps(item, ensure_ascii=False, sort_keys=True)


def _key(names: tuple[str, ...]) -> Key:
    def mark(item: Any) -> Hashable | None:
        if not isinstance(item, Mapping):
            return folded(item)
        values = tuple(folded(item[name]) if item.get(name) is not None else "" for name in names)
        return values if all(values) else None

    return mark


def _between(
    found: Sequence[int | None], left: Mapping[int, None], old_count: int
) -> Iterator[tuple[int, int]]:
    """Yield new and old places of what stands, equally many, between neighbours that belong together."""
    fixed = [
        (-1, -1),
        *((new, old) for new, old in enumerate(found) if old is not None),
        (len(found), old_count),
    ]
    for (new_from, old_from), (new_to, old_to) in pairwise(fixed):
        waiting = [old for old in range(old_from + 1, old_to) if old in left]
        if len(waiting) == new_to - new_from - 1:
            yield from zip(range(new_from + 1, new_to), waiting, strict=True)
