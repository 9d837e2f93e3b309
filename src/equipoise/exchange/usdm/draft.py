"""What the readers of a USDM file share: where it is read from, and the names that the draft gives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from equipoise.definition.model.fields import IDENTIFIER_PATTERN
from equipoise.exchange.usdm.tree import Part

Tree = dict[str, object]

_NAME_CHARACTERS_MAX: Final = 48


@dataclass
class Draft:
    """A study version with its design; `own` says that this program wrote the file.

    `names` holds the name in the draft of each object that has one, by the object's id; `given_at` the
    encounters at which a product is given.
    """

    study: Part
    version: Part
    design: Part
    own: bool
    names: dict[str, str] = field(default_factory=dict)
    taken: dict[str, set[str]] = field(default_factory=dict)
    given_at: dict[str, list[str]] = field(default_factory=dict)

    def name(self, part: Part, otherwise: str, text: str | None = None) -> str:
        """Give an object a name for the study folder, made of its own, each within its kind once."""
        wanted = text or part.text("name") or ""
        name = identifier(wanted, self.taken.setdefault(otherwise, set()), otherwise)
        if part.id:
            self.names[part.id] = name
        return name

    def named(self, part: Part | None) -> str | None:
        """Return the name that an object was given."""
        return None if part is None else self.names.get(part.id)


def identifier(text: str, taken: set[str], otherwise: str) -> str:
    """Make a name of a text: lower case, digits and underscores, each name once."""
    base = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    base = text if re.fullmatch(IDENTIFIER_PATTERN, text) else base
    base = base if base[:1].isalpha() else f"{otherwise}_{base}".strip("_")
    base = base[:_NAME_CHARACTERS_MAX].strip("_") if base != text else base
    name, number = base, 2
    while name in taken:
        name = f"{base[: _NAME_CHARACTERS_MAX - 6].strip('_')}_{number}"
        number += 1
    taken.add(name)
    return name


def called(part: Part) -> str | None:
    """Return what an object is called: its label, else its name."""
    name = part.text("name")
    return part.text("label") or name


def filled(tree: Mapping[str, object]) -> Tree:
    """Return a tree without what is missing; a list or mapping that is empty is missing."""
    return {name: value for name, value in tree.items() if value is not None and value not in ([], {})}
