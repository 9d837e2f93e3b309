"""languages/*.yaml: the texts that people at a site read, in one further language each.

A text stands under the names of the part that it belongs to, as that part is called in the other files.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from equipoise.definition.model.fields import Identifier, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmTexts:
    """The texts of an arm, which are read when its allocation is disclosed."""

    name: Text | None = None
    short_name: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantTexts:
    """The texts of a variant of the eligibility rules."""

    title: Text | None = None
    criteria: dict[Text, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityTexts:
    """The texts of eligibility.yaml; conditions, with the words in them, are the same in every language."""

    title: Text | None = None
    criteria: dict[Text, Text] = field(default_factory=dict)
    variants: dict[Identifier, VariantTexts] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityTexts:
    """The texts of an activity."""

    name: Text | None = None
    note: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemTexts:
    """The texts of an item; `codes` holds the label of each code."""

    label: Text | None = None
    help: Text | None = None
    codes: dict[Text, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormTexts:
    """The texts of a form; `checks` holds the message of each edit check."""

    title: Text | None = None
    items: dict[Identifier, ItemTexts] = field(default_factory=dict)
    checks: dict[Identifier, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductTexts:
    """The texts of a product; `release` holds the text of each criterion of release."""

    name: Text | None = None
    unit_name: Text | None = None
    dose: Text | None = None
    release: dict[Identifier, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """The whole of languages/TAG.yaml; what is left out stays in the language of the folder.

    Of roles, interventions, epochs and encounters the name is given, of reporting clocks the title.
    """

    title: Text | None = None
    roles: dict[Identifier, Text] = field(default_factory=dict)
    interventions: dict[Identifier, Text] = field(default_factory=dict)
    epochs: dict[Identifier, Text] = field(default_factory=dict)
    arms: dict[Identifier, ArmTexts] = field(default_factory=dict)
    eligibility: EligibilityTexts = EligibilityTexts()
    encounters: dict[Identifier, Text] = field(default_factory=dict)
    activities: dict[Identifier, ActivityTexts] = field(default_factory=dict)
    forms: dict[Identifier, FormTexts] = field(default_factory=dict)
    clocks: dict[Identifier, Text] = field(default_factory=dict)
    products: dict[Identifier, ProductTexts] = field(default_factory=dict)
