"""What the readers of a USDM file share: where it is read from, and the names that the draft gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from equipoise.exchange.identifiers import Identifiers
from equipoise.exchange.usdm.tree import Part

Tree = dict[str, object]


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
    kinds: dict[str, Identifiers] = field(default_factory=dict)
    given_at: dict[str, list[str]] = field(default_factory=dict)

    def name(self, part: Part, kind: str, text: str | None = None) -> str:
        """Give an object a name for the study folder, made of its own, each within its kind once."""
        names = self.kinds.setdefault(kind, self.identifiers(kind))
        name = names.new(text or part.text("name") or "")
        if part.id:
            self.names[part.id] = name
        return name

    def identifiers(self, kind: str) -> Identifiers:
        """Return what gives out the names of a kind of things."""
        return Identifiers(kind, own=self.own)

    def named(self, part: Part | None) -> str | None:
        """Return the name that an object was given."""
        return None if part is None else self.names.get(part.id)


def called(part: Part) -> str | None:
    """Return what an object is called: its label, else its name."""
    name = part.text("name")
    return part.text("label") or name


def filled(tree: Mapping[str, object]) -> Tree:
    """Return a tree without what is missing; a list or mapping that is empty is missing."""
    return {name: value for name, value in tree.items() if value is not None and value not in ([], {})}
