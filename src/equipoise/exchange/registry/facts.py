"""What a rule looks at: the record, its texts, and its coded values in one spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Final

from equipoise.exchange.registry.findings import Finding, places_of
from equipoise.exchange.registry.model import Outcome, Passage, RegistryRecord
from equipoise.exchange.registry.texts import Claim, Spot, spots

_CODES: Final = {
    "CROSSOVER_ASSIGNMENT": "CROSSOVER",
    "PARALLEL_ASSIGNMENT": "PARALLEL",
    "SINGLE_GROUP_ASSIGNMENT": "SINGLE_GROUP",
    "FACTORIAL_ASSIGNMENT": "FACTORIAL",
    "SEQUENTIAL_ASSIGNMENT": "SEQUENTIAL",
    "NOT_APPLICABLE": "NA",
    "N_A": "NA",
    "NON_RANDOMISED": "NON_RANDOMIZED",
    "RANDOMISED": "RANDOMIZED",
    "OPEN_LABEL": "NONE",
    "ANTICIPATED": "ESTIMATED",
    "ESTIMATE": "ESTIMATED",
    "YES": "TRUE",
    "NO": "FALSE",
}
_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_ISO: Final = re.compile(r"^(\d{4})-(\d{2})(?:-(\d{2}))?")
_AMERICAN: Final = re.compile(r"^([A-Za-z]+)\.?(?:\s+(\d{1,2}),)?\s+(\d{4})$")
_DAY_FIRST: Final = re.compile(r"^(\d{1,2})\s+([A-Za-z]+)\s+(\d{4})$")
_MONTHS_A_YEAR: Final = 12


def code_of(passage: Passage | None) -> str:
    """Return a coded value in the API's spelling: "Crossover Assignment" is CROSSOVER, nothing ""."""
    return "" if passage is None else _code(passage.text)


@lru_cache(maxsize=2048)
def _code(text: str) -> str:
    code = re.sub(r"[^A-Z0-9]+", "_", text.upper()).strip("_")
    return _CODES.get(code, code)


@dataclass(frozen=True, slots=True)
class Day:
    """A date that may be known to the month only: the first and the last day it can be."""

    first: date
    last: date

    def surely_after(self, other: Day) -> bool:
        return self.first > other.last


def day_of(passage: Passage | None) -> Day | None:
    """Read 2013-02-01, 2013-02, "February 1, 2013", "February 2013" or "1 February 2013"."""
    if passage is None:
        return None
    text = passage.text.strip()
    if iso := _ISO.match(text):
        year, month, number = int(iso[1]), int(iso[2]), iso[3]
    elif american := _AMERICAN.match(text):
        year, month, number = int(american[3]), _month(american[1]), american[2]
    elif day_first := _DAY_FIRST.match(text):
        year, month, number = int(day_first[3]), _month(day_first[2]), day_first[1]
    else:
        return None
    try:
        if number:
            return Day(date(year, month, int(number)), date(year, month, int(number)))
        following = date(year + month // _MONTHS_A_YEAR, month % _MONTHS_A_YEAR + 1, 1)
        return Day(date(year, month, 1), date.fromordinal(following.toordinal() - 1))
    except ValueError:
        return None


def _month(name: str) -> int:
    return next((index for index, month in enumerate(_MONTHS, 1) if month.startswith(name.lower()[:3])), 0)


def integer_of(passage: Passage | None) -> int | None:
    """Return a whole number written in digits, or None."""
    text = passage.text.replace(",", "").strip() if passage else ""
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


@dataclass(frozen=True)
class Facts:
    """The record and its texts, made once for all rules."""

    record: RegistryRecord

    @cached_property
    def spots(self) -> tuple[Spot, ...]:
        return spots(self.record)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        outcomes = self.record.outcomes
        return (*outcomes.primary, *outcomes.secondary, *outcomes.other)

    def finding(
        self, code: str, severity: str, message: str, places: Iterable[Passage | Claim | None]
    ) -> Finding:
        """Make a finding whose places quote the given passages and claims."""
        return Finding(code, severity, message, places_of(self.record, places))


def first_of_each_passage(claims: Iterable[Claim]) -> Iterator[Claim]:
    """Yield the first claim of each passage, so that a quotation is not repeated within one text."""
    seen: set[tuple[str, int]] = set()
    for claim in claims:
        key = (claim.passage.section, claim.passage.line)
        if key not in seen:
            seen.add(key)
            yield claim


def in_words(claims: Iterable[Claim]) -> str:
    """Quote what claims say, each wording once: "2-15 years" and "2 to 10 years"."""
    words = list(dict.fromkeys(claim.passage.text[claim.start : claim.end].strip(" .,;") for claim in claims))
    return " and ".join(f'"{word}"' for word in words)


def plain(value: float) -> str:
    """Write a number without a needless decimal part."""
    return f"{value:g}"
