"""What is found wrong with a study folder: a stable code, a place, and one sentence with what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, TypeAlias

Severity = Literal["error", "warning"]
Place: TypeAlias = tuple[str | int, ...]
"""Keys and indices that lead from the top of a file to a value."""

_SHOWN_MAX = 12
_VALUE_LENGTH_MAX = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong (error) or looks wrong (warning).

    `line_number` counts from 1; None is the whole file.
    """

    code: str
    sentence: str
    file: str
    line_number: int | None = None
    severity: Severity = "error"

    def line(self) -> str:
        """Return 'eligibility.yaml:12: error LINT-NAME: sentence'."""
        where = self.file if self.line_number is None else f"{self.file}:{self.line_number}"
        return f"{where}: {self.severity} {self.code}: {self.sentence}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A finding of the linter, which knows the key and not the line."""

    code: str
    sentence: str
    file: str
    place: Place = ()
    severity: Severity = "error"


def has_errors(findings: Iterable[Finding]) -> bool:
    """Tell whether anything found forbids the use of the folder."""
    return any(finding.severity == "error" for finding in findings)


def suggest(word: str, known: Iterable[str]) -> str:
    """Return what to do about a word that is not among the known ones: the nearest, else all of them."""
    names = list(dict.fromkeys(known))
    near = get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"Did you mean '{near[0]}'?"
    if not names:
        return "There are none to name."
    rest = f" and {len(names) - _SHOWN_MAX} more" if len(names) > _SHOWN_MAX else ""
    return f"Use one of: {', '.join(names[:_SHOWN_MAX])}{rest}."


def shown(value: object) -> str:
    """Return a value as a sentence shows it: quoted and cut short."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "nothing"}[value]
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "keys with values"
    text = str(value)
    return f"'{text}'" if len(text) <= _VALUE_LENGTH_MAX else f"'{text[: _VALUE_LENGTH_MAX - 3]}...'"
