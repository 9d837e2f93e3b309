"""The texts of a file in its languages: one is the folder's own, the others go into files of their own."""

from __future__ import annotations

import re
from typing import Any, Final

from equipoise.definition.model.fields import LANGUAGE_TAG_PATTERN
from equipoise.exchange.odm.metadata import Texts
from equipoise.exchange.odm.read_metadata import first_text

_STEP: Final = re.compile("[-_]")


class Languages:
    """Gathers translations by the place that they have in a file of languages/."""

    def __init__(self, main: str) -> None:
        self.main = usual(main) or ""
        self.trees: dict[str, dict[str, Any]] = {}
        self.unknown: dict[str, None] = {}
        self._written = main

    def say(self, place: tuple[str, ...], texts: Texts) -> str | None:
        """Return a text in the folder's own language, and keep those in others."""
        own = first_text(texts, self._written)
        for written, text in texts.items():
            if not written or text is own:
                continue
            tag = usual(written)
            if tag is None:
                self.unknown[written] = None
            elif tag != self.main:
                tree = self.trees.setdefault(tag, {})
                for step in place[:-1]:
                    tree = tree.setdefault(step, {})
                tree[place[-1]] = text
        return own


def usual(tag: str) -> str | None:
    """Return a tag in the usual case of letters (BCP 47), None for one that is not such a tag."""
    steps = _STEP.split(tag)
    shaped = [steps[0].lower(), *(step.title() if len(step) == 4 else step.upper() for step in steps[1:])]
    text = "-".join(shaped)
    return text if re.fullmatch(LANGUAGE_TAG_PATTERN, text) else None
