"""Names of a study folder made from the identifiers and names of a foreign file: lower case, each once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from equipoise.definition.expression import RESERVED
from equipoise.definition.model.fields import IDENTIFIER_PATTERN
from equipoise.definition.names import ANCHORS, TRIAL_FORMS

_LENGTH_MAX: Final = 48
_NUMBER_LENGTH_MAX: Final = 7
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_REFUSED: Final[Mapping[str, frozenset[str]]] = {
    "encounter": RESERVED | ANCHORS.keys(),
    "form": RESERVED | TRIAL_FORMS.keys(),
}
"""What would mean two things in an expression; of other kinds only the language's words."""


class Identifiers:
    """Gives out names within one kind of things: each once, and none that expressions cannot use.

    In a file of this system's own, names are those of a study folder, and stay as they are.
    """

    def __init__(self, kind: str, *, own: bool = False) -> None:
        self._kind = kind
        self._own = own
        self._refused = frozenset() if own else _REFUSED.get(kind, RESERVED)
        self._taken: set[str] = set()
        self._last: dict[str, int] = {}

    def new(self, *codes: str, words: str = "") -> str:
        """Return a name made of the first code that can be one as it is, else of words, else of a code."""
        plain = (text for text in codes if _NAME.fullmatch(text) and len(text) <= _LENGTH_MAX)
        lettered = (text for text in (words, *codes) if re.search("[A-Za-z]", text))
        chosen = next(plain, None) or next(lettered, codes[0])
        if self._own and re.fullmatch(IDENTIFIER_PATTERN, chosen):
            return self._once(chosen)
        base = re.sub(r"[^a-z0-9]+", "_", chosen.lower()).strip("_")
        base = base if base[:1].isalpha() else f"{self._kind}_{base}".rstrip("_")
        return self._once(base[:_LENGTH_MAX].rstrip("_"))

    def _once(self, base: str) -> str:
        name, stem = base, base[: _LENGTH_MAX - _NUMBER_LENGTH_MAX].rstrip("_")
        while name in self._taken or name in self._refused:
            # Numbers go on from the last of their stem, so that many equal names take no longer each.
            self._last[stem] = self._last.get(stem, 1) + 1
            name = f"{stem}_{self._last[stem]}"
        self._taken.add(name)
        return name
