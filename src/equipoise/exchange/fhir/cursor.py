"""Reading a JSON tree with an account of what was read, so that nothing of it is dropped in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a tree. Asking for what is not there yields nothing; what was asked for counts as read."""

    value: object
    path: str
    read: set[str]

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
        self.read.add(inner.path)
        return inner.value

    def whole(self, name: str) -> int | None:
        """Return a whole number."""
        number = self.number(name)
        return int(number) if number is not None and number == int(number) else None

    def number(self, name: str) -> int | float | None:
        """Return a number."""
        inner = self.get(name)
        if isinstance(inner.value, bool) or not isinstance(inner.value, int | float):
            return None
        if not isfinite(inner.value):
            return None
        self.read.add(inner.path)
        return inner.value

    def flag(self, name: str) -> bool | None:
        """Return a truth value."""
        inner = self.get(name)
        if not isinstance(inner.value, bool):
            return None
        self.read.add(inner.path)
        return inner.value

    def skip(self, *names: str) -> None:
        """Count members as read that say nothing of their own."""
        self.read.update(f"{self.path}.{name}" for name in names)

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
