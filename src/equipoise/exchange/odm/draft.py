"""What the writers of a draft share: the trees that are being written, and what was not understood."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from equipoise.definition.expression import Node
from equipoise.exchange.identifiers import Identifiers
from equipoise.exchange.odm.languages import Languages
from equipoise.exchange.odm.metadata import EventDef, GroupDef, Metadata, Ref
from equipoise.exchange.odm.names import FORM, GENERATED, GROUP
from equipoise.exchange.odm.read_metadata import first_text
from equipoise.exchange.odm.stream import NotUnderstood

Tree = dict[str, Any]


@dataclass(slots=True)
class Draft:
    """The trees that are being written, and what was not understood.

    `forms` are the names of the forms that a group became; `columns` the form and the item that an item of a
    form became; `units` the unit that each preset item of ODM 2.0 holds; `asked` counts what stands in forms.
    """

    metadata: Metadata
    file: str
    own: bool
    languages: Languages
    parts: dict[str, Tree] = field(default_factory=dict)
    notes: list[NotUnderstood] = field(default_factory=list)
    forms: dict[str, list[str]] = field(default_factory=dict)
    columns: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    form_names: Identifiers = field(init=False)
    units: dict[str, str] = field(default_factory=dict)
    asked: int = 0
    conditions: dict[str, Node] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.form_names = self.names("form")

    def names(self, kind: str) -> Identifiers:
        """Return what gives out the names of a kind of things."""
        return Identifiers(kind, own=self.own)

    def note(self, path: str, line: int, text: str) -> None:
        self.notes.append(NotUnderstood(path, line, text))

    def title(self, place: tuple[str, ...], kind: str, definition: EventDef | GroupDef) -> str | None:
        """Return what an event or a form is called: in our files by its description, in all languages."""
        if self.own:
            return self.languages.say(place, definition.title) or definition.name
        for text in definition.title.values():
            if text != definition.name:
                self.note(f"{kind}[{definition.oid}]/Description", definition.line, text)
        return definition.name or first_text(definition.title, self.languages.main)

    def note_condition(self, kind: str, ref: Ref) -> None:
        """Note a condition that is in no language of ours."""
        condition = self.metadata.conditions[ref.condition or ""]
        self.used.add(condition.oid)
        words = [*condition.text.values(), *(each.code for each in condition.expressions)]
        text = "; ".join(words) or condition.name
        self.note(
            f"{kind}[{ref.oid}]", ref.line, f"not collected under the condition {condition.oid}: {text}"
        )

    def note_unused(self) -> None:
        """Note the definitions that nothing refers to."""
        metadata = self.metadata
        for kind, definitions in (
            ("ItemGroupDef", metadata.groups),
            ("ItemDef", metadata.items),
            ("CodeList", metadata.code_lists),
            ("ConditionDef", metadata.conditions),
        ):
            for oid, definition in definitions.items():
                if oid not in self.used and not self.own:
                    text = f'nothing refers to "{definition.name}"'
                    self.note(f"{kind}[{oid}]", definition.line, text)

    def part(self, name: str) -> Tree:
        return self.parts.setdefault(name, {})

    def is_generated(self, oid: str) -> bool:
        """Whether a definition is one of what the trial itself fills."""
        name = oid.removeprefix(FORM) if oid.startswith(FORM) else oid.removeprefix(GROUP)
        return self.own and name.startswith(GENERATED)
