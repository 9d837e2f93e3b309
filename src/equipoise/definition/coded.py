"""What the words of an answer are called in a dictionary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DictionaryName = Literal["meddra", "whodrug"]


@dataclass(frozen=True, slots=True)
class Level:
    """One step of a hierarchy: LLT, PT, ...; its code, and what it is called."""

    level: str
    code: str
    term: str


@dataclass(frozen=True, slots=True)
class Coding:
    """The term of a dictionary that was chosen, with everything above it, from the lowest to the highest."""

    dictionary: str
    version: str
    levels: tuple[Level, ...]

    def at(self, level: str) -> Level | None:
        """Return the step of the hierarchy with this name, or None."""
        return next((each for each in self.levels if each.level == level), None)
