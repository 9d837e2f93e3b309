"""Reading a JSON tree with an account of what was read, so that nothing of it is dropped in silence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import Final, TypeVar

Found = TypeVar("Found")
_DAY: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(T.*)?")


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a tree. Asking for what is not there yields nothing; what was asked for counts as read.

    `read` holds the paths that were read as its keys, the last one last, so that `attempt` can undo it.
    """

    value: object
    path: str
    read: dict[str, None]

    def get(self, name: str) -> Cursor:
        """Return the place of a member."""
        inner = self.value.get(name) if isinstance(self.value, Mapping) else None
        return Cursor(inner, f"{self.path}.{name}", self.read)

    def each(self, name: str) -> list[Cursor]:
        """Return the places of the items of a list; of a single value, that one."""
        inner = self.get(name)
        if isinstance(inner.value, list):
            return [
                Cursor(value, f"{inner.path}[{place}]", self.read) for place, value in enumerate(inner.value)
            ]
        return [] if inner.value is None else [inner]

    def text(self, name: str) -> str | None:
        """Return a text, where there is one that says something."""
        inner = self.get(name)
        if not isinstance(inner.value, str) or not inner.value.strip():
            return None
        inner.mark()
        return inner.value

    def day(self, name: str) -> date | None:
        """Return a whole date; of a moment, its date."""
        inner = self.get(name)
        found = _DAY.fullmatch(inner.value) if isinstance(inner.value, str) else None
        if found is None:
            return None
        try:
            day = date.fromisoformat(found[1])
        except ValueError:
            return None
        inner.mark()
        return day

    def whole(self, name: str) -> int | None:
        """Return a whole number."""
        value = self.get(name).value
        fraction = isinstance(value, float) and not value.is_integer()
        number = None if fraction else self.number(name)
        return None if number is None else int(number)

    def number(self, name: str) -> int | float | None:
        """Return a number."""
        inner = self.get(name)
        if isinstance(inner.value, bool) or not isinstance(inner.value, int | float):
            return None
        if isinstance(inner.value, float) and not isfinite(inner.value):
            return None
        inner.mark()
        return inner.value

    def flag(self, name: str) -> bool | None:
        """Return a truth value."""
        inner = self.get(name)
        if not isinstance(inner.value, bool):
            return None
        inner.mark()
        return inner.value

    def mark(self) -> None:
        """Count this place as read."""
        self.read.setdefault(self.path)

    def skip(self, *names: str) -> None:
        """Count members as read that say nothing of their own."""
        for name in names:
            self.get(name).mark()

    def attempt(self, reading: Callable[[Cursor], Found | None]) -> Found | None:
        """Return what a reading makes of this place; where that is nothing, it counts as not read."""
        before = len(self.read)
        found = reading(self)
        if found is None:
            while len(self.read) > before:
                self.read.popitem()
        return found

    def words(self) -> str | None:
        """Return the words of the concept here: its text, else what its first coding displays."""
        found = self.text("text")
        for coding in self.each("coding"):
            coding.skip("system")
            found = found or coding.text("display")
        return found

    def code(self, system: str | None = None) -> str | None:
        """Return the code in a system of the concept here, or that of its first coding."""
        for coding in self.each("coding"):
            if system is None or coding.get("system").value == system:
                coding.skip("system", "display")
                return coding.text("code")
        return None

    def unread(self) -> Iterator[tuple[str, str]]:
        """Yield every leaf below that nothing asked for: its path and its text."""
        waiting = [self]
        while waiting:
            place = waiting.pop()
            if place.path in self.read:
                continue
            if isinstance(place.value, Mapping):
                waiting += reversed([place.get(str(name)) for name in place.value])
            elif isinstance(place.value, list):
                waiting += reversed(
                    [Cursor(value, f"{place.path}[{at}]", self.read) for at, value in enumerate(place.value)]
                )
            elif place.value is not None:
                yield place.path, str(place.value)
