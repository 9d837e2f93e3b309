"""The names of a study definition: what they are called in prose, and what type they have in expressions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from .expression import Node, type_of
from .model.definition import StudyDefinition
from .model.forms import Form, Item

ANCHORS: Mapping[str, str] = {
    "today": "today",
    "consent": "consent",
    "randomisation": "randomisation",
    "first_administration": "the first administration",
}
"""Anchor dates besides the encounters, and what they are called."""

TRIAL_FORMS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "participant": {
        "id": ("text", "the participant"),
        "site": ("text", "the site"),
        "country": ("text", "the country"),
        "sub_trial": ("text", "the sub-trial"),
        "variant": ("text", "the variant of the rules"),
        "arm": ("text", "the arm"),
        "status": ("text", "the participant's status"),
        "randomised": ("boolean", "randomised"),
        "treated": ("boolean", "treated"),
        "completed": ("boolean", "completed"),
        "withdrawn": ("boolean", "withdrawn"),
        "consented_on": ("date", "the day of consent"),
        "randomised_on": ("date", "the day of randomisation"),
        "ended_on": ("date", "the last day in the trial"),
        "first_administration_on": ("date", "the day of the first administration"),
        "administrations": ("integer", "the number of administrations"),
    },
    "administration": {
        "product": ("text", "the product"),
        "encounter": ("text", "the encounter"),
        "epoch": ("text", "the epoch"),
    },
    "deviation": {
        "kind": ("text", "the kind of deviation"),
        "severity": ("text", "the severity of the deviation"),
    },
}
"""The forms that the trial itself fills, for expressions of analysis.yaml: types and words of their items."""


def inner(label: str) -> str:
    """Return a label as it reads within a sentence: without question mark, its first word not capitalised."""
    label = label.rstrip("?: ")
    return label[0].lower() + label[1:] if label[1:2].islower() else label


def plural(words: str) -> str:
    """Return the English plural of words that are not one already."""
    if words.endswith("s"):
        return words
    return f"{words[:-1]}ies" if words.endswith("y") and words[-2:-1] not in "aeiou" else f"{words}s"


class DefinitionNames:
    """The words of a definition, as `prose` wants them."""

    def __init__(self, definition: StudyDefinition) -> None:
        self._forms = {form.id: form for form in definition.forms}
        self._encounters = {encounter.id: encounter.name for encounter in definition.schedule.encounters}
        self._variables = {*definition.eligibility.variables, *definition.analysis.variables}
        self._labels = Counter(item.label for form in definition.forms for item in form.items)

    def _item(self, form: str, item: str) -> Item | None:
        found = self._forms.get(form)
        return None if found is None else found.item(item)

    def item_label(self, form: str, item: str) -> str:
        """The item's label; with its form where two forms ask the same."""
        if form in TRIAL_FORMS and form not in self._forms:
            return TRIAL_FORMS[form][item][1]
        found = self._item(form, item)
        if found is None:
            return f"{form}.{item}"
        label = inner(found.label)
        return f"{label} ({inner(self._forms[form].title)})" if self._labels[found.label] > 1 else label

    def form_label(self, form: str, number: int) -> str:
        """The form's title, in the plural unless the number is 1."""
        found = self._forms.get(form)
        words = form.replace("_", " ") if found is None else inner(found.title)
        return words if number == 1 else plural(words)

    def unit(self, form: str, item: str) -> str | None:
        """The unit of the item."""
        found = self._item(form, item)
        return None if found is None else found.unit

    def choice_label(self, form: str, item: str, code: str | int) -> str | None:
        """The label of the code, None when it is none of the item's."""
        found = self._item(form, item)
        codes = () if found is None else found.codes
        return next((inner(known.label) for known in codes if known.code == str(code)), None)

    def anchor_label(self, name: str) -> str | None:
        """The words for an anchor or the name of an encounter; None for a variable."""
        return None if name in self._variables else ANCHORS.get(name) or self._encounters.get(name)

    def variable_label(self, name: str) -> str:
        """The name of the variable as words."""
        return name.replace("_", " ")


class DefinitionSymbols:
    """The names that an expression of one file may use, with their types, as `typecheck` wants them."""

    def __init__(
        self,
        definition: StudyDefinition,
        forms: Collection[Form],
        variables: Mapping[str, Node],
        *,
        of_trial: bool = False,
    ) -> None:
        self.items: dict[str, dict[str, str]] = {
            form: {item: kind for item, (kind, _) in items.items()}
            for form, items in (TRIAL_FORMS if of_trial else {}).items()
        }
        self.items |= {form.id: {item.id: item.type for item in form.items} for form in forms}
        self._codes = {
            (form.id, item.id): tuple(code.code for code in item.codes)
            for form in forms
            for item in form.items
        }
        self.variables = variables
        self.encounters = tuple(encounter.id for encounter in definition.schedule.encounters)
        self._types: dict[str, str] = {}

    def form_exists(self, form: str) -> bool:
        """Whether the expression may name this form."""
        return form in self.items

    def item_type(self, form: str, item: str) -> str | None:
        """The type of an item; None if there is no such item."""
        return self.items.get(form, {}).get(item)

    def item_codes(self, form: str, item: str) -> Collection[str | int]:
        """The codes of a choice."""
        return self._codes.get((form, item), ())

    def variable_type(self, name: str) -> str | None:
        """The type of a variable, 'unknown' where it cannot be told; None if there is no such variable."""
        if name not in self.variables:
            return None
        if name not in self._types:
            # Also what a variable that needs itself finds on its way round.
            self._types[name] = "unknown"
            self._types[name] = type_of(self.variables[name], self) or "unknown"
        return self._types[name]

    def anchor_exists(self, name: str) -> bool:
        """Whether this is an anchor or an encounter."""
        return name in ANCHORS or name in self.encounters

    def encounter_exists(self, name: str) -> bool:
        """Whether this is an encounter."""
        return name in self.encounters

    def bare_names(self) -> tuple[str, ...]:
        """Everything that a name without a point may be."""
        return (*self.variables, *ANCHORS, *self.encounters)
