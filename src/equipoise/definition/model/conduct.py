"""allocation.yaml, safety.yaml, imaging.yaml and supply.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from equipoise.definition.model.fields import Condition, Duration, Identifier, Quantity, Text

AllocationMethod = Literal["permuted_blocks", "minimisation", "simple"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """A stratum or a minimisation factor: `site`, `country`, or a named expression with its levels."""

    id: Identifier
    value: Quantity | None = None
    levels: tuple[Text, ...] = ()
    weight: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyUnblinding:
    """Who may break the code for one participant, and who is told that it was broken (never what it held)."""

    permitted: tuple[Identifier, ...]
    informed: tuple[Identifier, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """The whole of allocation.yaml. Block sizes and seeds are not here: site staff can read this file."""

    method: AllocationMethod
    ratio: dict[Identifier, int]
    strata: tuple[Factor, ...] = ()
    factors: tuple[Factor, ...] = ()
    probability: Decimal = Decimal("0.8")
    slots_per_stratum: int = 60
    emergency_unblinding: EmergencyUnblinding
    text: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyClock:
    """A reporting deadline: when it starts to run, from which moment, and how long it is."""

    id: Identifier
    title: Text
    when: Condition
    due_within: Duration
    source: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Safety:
    """The whole of safety.yaml: which form holds adverse events and what its items mean.

    `aware` names the item with the moment at which the site became aware; clocks run from it.
    """

    form: Identifier
    term: Identifier
    onset: Identifier
    aware: Identifier
    severity: Identifier
    causality: Identifier
    outcome: Identifier
    resolved: Identifier | None = None
    body_system: Identifier | None = None
    serious: Condition
    related: Condition
    unexpected: Condition
    clocks: tuple[SafetyClock, ...] = ()
    stopping_rules: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadItem:
    """An item of the read form on which two readers must agree, within a tolerance in the item's unit."""

    item: Identifier
    tolerance: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imaging:
    """The whole of imaging.yaml: central reading, blinded and independent.

    `acquisition_form` is filled at the site when the scan is made; `read_form` by each reader. The final
    reading is
    the readers' common value (their mean within the tolerance) or the adjudicator's.
    """

    acquisition_form: Identifier
    read_form: Identifier
    readers: int = 2
    compare: tuple[ReadItem, ...]
    quality_reasons: tuple[Text, ...] = ()
    visible_to_sites: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseCriterion:
    """What a manufactured lot must satisfy before it may be given."""

    id: Identifier
    text: Text
    when: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """What is prepared, labelled with a blinded number and given at encounters.

    An `autologous` product starts from the participant's own material, so each lot belongs to one person; a
    `prepared` product is made up by the pharmacy for each dispensing. `source_form` records the collection,
    `manufacture_form` the laboratory's work (both filled per lot), `administration_form` what happened at
    the bedside.
    """

    id: Identifier
    name: Text
    kind: Literal["autologous", "prepared"]
    interventions: tuple[Identifier, ...]
    dispensed_at: tuple[Identifier, ...]
    unit_name: Text = "bag"
    collected_at: Identifier | None = None
    source_form: Identifier | None = None
    manufacture_form: Identifier | None = None
    administration_form: Identifier | None = None
    release: tuple[ReleaseCriterion, ...] = ()
    released_before_randomisation: bool = False
    manufacture_days_min: int | None = None
    manufacture_days_max: int | None = None
    dose: Text | None = None
    prepared_by: tuple[Identifier, ...] = ("laboratory",)
    given_by: tuple[Identifier, ...] = ("infuser",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """The whole of supply.yaml."""

    products: tuple[Product, ...] = ()

    def product(self, product_id: str) -> Product | None:
        """Return the product of this name, or None."""
        return next((p for p in self.products if p.id == product_id), None)
