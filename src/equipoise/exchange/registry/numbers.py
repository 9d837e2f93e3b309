"""Numbers, ranges and lengths of time as people write them in protocols: words, dashes, dots, commas, ≥ and
"at least".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

# fmt: off
_UNITS: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
# fmt: on
_TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS: Final = {word: index for index, word in enumerate(_UNITS)} | {
    word: 10 * index for index, word in enumerate(_TENS, 2)
}
_ANY_UNIT: Final = "|".join(sorted(_UNITS[1:], key=len, reverse=True))
_ANY_TEN: Final = "|".join(_TENS)
# The look-ahead holds the beginnings of all of these words: most other words are passed over at once.
WORD_NUMBER: Final = (
    r"(?:(?=on|t[ehw]|f[io]|s[ei]|ei|ni|el|a\s)"
    rf"(?:(?:(?:{_ANY_UNIT}|a)\s+hundred(?:\s+and)?(?:\s+))?(?:(?:{_ANY_TEN})(?:[-\s](?:{_ANY_UNIT}))?"
    rf"|{_ANY_UNIT})"
    rf"|(?:{_ANY_UNIT}|a)\s+hundred)(?!\s+(?:hundred|thousand|million)))"
)
DIGITS: Final = r"\d{1,3}(?:,\d{3})+(?![\d.,]\d)|\d+(?:[.·‧∙,]\d{1,3})?"
NUMBER: Final = rf"(?:{DIGITS}|\b{WORD_NUMBER}\b)"
DASH: Final = "[-‐‑‒–—−~]"
TO: Final = rf"\s*(?:{DASH}|\bto\b|\bthrough\b|\bthru\b|\buntil\b|\band\b|\bup\s+to\b)\s*"
TIME_UNIT: Final = r"(?:hours?|hrs?|days?|weeks?|wks?|months?|mos?|years?|yrs?)\b"
AT_LEAST: Final = (
    r"(?:≥|>=|=>|⩾|>|\bat\s+least|\bminimum(?:\s+of)?|\bno\s+less\s+than|\bnot\s+less\s+than"
    r"|\bmore\s+than|\bgreater\s+than"
    r"(?:\s+or\s+equal\s+to)?|\bover(?:\s+the\s+age\s+of)?|\babove|\bolder\s+than|\bfrom|\blonger\s+than"
    r"|\bexceeding)"
)
AT_MOST: Final = (
    r"(?:≤|<=|=<|⩽|<|\bat\s+most|\bmaximum(?:\s+of)?|\bno\s+more\s+than|\bnot\s+more\s+than|\bless\s+than"
    r"(?:\s+or\s+equal\s+to)?|\bunder(?:\s+the\s+age\s+of)?|\bbelow|\byounger\s+than|\bup\s+to"
    r"|\bshorter\s+than|\bwithin)"
)
_HOURS: Final = {"h": 1.0, "d": 24.0, "w": 168.0, "m": 730.5, "y": 8766.0}
_ROMAN: Final = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "X": 10}
# Two lengths in different units are one when they differ by no more than this: 12 weeks are three months.
_UNIT_TOLERANCE: Final = 0.09


@dataclass(frozen=True, slots=True)
class Range:
    """A closed range; a missing bound is None."""

    low: float | None = None
    high: float | None = None

    def agrees_with(self, other: Range) -> bool:
        """Say whether no bound that both give differs."""
        pairs = ((self.low, other.low), (self.high, other.high))
        return all(mine is None or theirs is None or abs(mine - theirs) < 1e-9 for mine, theirs in pairs)


@dataclass(frozen=True, slots=True)
class Length:
    """A length of time as written: a number and the first letter of its unit (h, d, w, m, y)."""

    amount: float
    unit: str

    @property
    def hours(self) -> float:
        return self.amount * _HOURS[self.unit]

    @property
    def years(self) -> float:
        return self.amount * (
            1.0 if self.unit == "y" else 1 / 12 if self.unit == "m" else _HOURS[self.unit] / 8766.0
        )

    def same_as(self, other: Length) -> bool:
        """Compare exactly within one unit, and with a tolerance across units: 12 months are 52 weeks or 365
        days.
        """
        if self.unit == other.unit or {self.unit, other.unit} in ({"d", "w"}, {"m", "y"}, {"h", "d"}):
            return abs(self.hours - other.hours) < 1e-6
        return abs(self.hours - other.hours) <= _UNIT_TOLERANCE * max(self.hours, other.hours)


def parse_number(text: str) -> float:
    """Parse a number in digits (with point, comma or middle dot; comma for thousands) or in words."""
    text = text.strip().lower()
    if text[0].isdigit():
        if re.fullmatch(r"\d{1,3}(?:,\d{3})+", text):
            return float(text.replace(",", ""))
        return float(re.sub(r"[·‧∙,]", ".", text))
    total = 0
    for word in re.split(r"[-\s]+", text):
        if word == "hundred":
            total = max(total, 1) * 100
        elif word not in {"and", "a"}:
            total += _WORDS[word]
    return float(total)


def parse_roman(text: str) -> float:
    """Parse a Roman number from I to X, or a number in digits."""
    return float(_ROMAN[text.upper()]) if text.upper() in _ROMAN else parse_number(text)


def parse_length(number: str, unit: str) -> Length:
    """Parse a length of time such as ("24", "weeks") or ("two", "yrs")."""
    return Length(parse_number(number), unit.strip().lower()[0])
