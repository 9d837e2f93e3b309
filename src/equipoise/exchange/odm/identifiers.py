"""Names of a study folder made from the identifiers and names of a foreign file: lower case, each once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from equipoise.definition.expression import RESERVED
from equipoise.definition.model.fields import IDENTIFIER_PATTERN

_LENGTH_MAX: Final = 48
_PREFIX: Final = re.compile(
    r"(?:ODM|PROJECT|SE|EVENT|STUDYEVENT|FO|FORM|F|IG|ITEMGROUP|GRP|IT|ITEM|I|S|STUDY)[._:-]+(?=.*[A-Za-z])",
    re.IGNORECASE,
)
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


class Identifiers:
    """Gives out names within one kind of things: each once, and none that expressions cannot use."""

    def __init__(self, otherwise: str, taken: Iterable[str] = ()) -> None:
        self._otherwise = otherwise
        self._taken = {*taken}

    def new(self, *codes: str, words: str = "") -> str:
        """Return a name made of the first code that can be one as it is, else of words, else of a code."""
        plain = (text for text in codes if _NAME.fullmatch(text) and len(text) <= _LENGTH_MAX)
        lettered = (text for text in (words, *codes) if re.search("[A-Za-z]", text))
        chosen = next(plain, None) or next(lettered, "")
        base = re.sub(r"[^a-z0-9]+", "_", chosen.lower()).strip("_")
        if not re.fullmatch(IDENTIFIER_PATTERN, base[:_LENGTH_MAX]):
            base = f"{self._otherwise}_{base}".strip("_")
        base = base[:_LENGTH_MAX].rstrip("_")
        name, number = base, 1
        while name in self._taken or name in RESERVED:
            number += 1
            name = f"{base[: _LENGTH_MAX - 7].rstrip('_')}_{number}"
        self._taken.add(name)
        return name


def tail(oid: str) -> str:
    """Return an object identifier without what only says of which kind the object is: F.VITALS is VITALS."""
    return _PREFIX.sub("", oid, count=1) if _PREFIX.match(oid) else oid
