"""forms/*.yaml: one form each, with its items and edit checks."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from equipoise.definition.coded import DictionaryName
from equipoise.definition.model.fields import Condition, Identifier, Text

ItemType = Literal["integer", "decimal", "text", "boolean", "choice", "date", "partial_date", "datetime"]
CheckSeverity = Literal["hard", "query"]
VerificationPlan = Literal["all", "critical", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One answer of a choice: what is stored, and what is read; one that is `retired` is no longer given."""

    code: Text
    label: Text
    retired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One question.

    `minimum` and `maximum` are in `unit`. An `unmasking` item would betray the allocation and is shown to
    unmasked
    roles only. `when` says in which rows the question is asked at all. `coded_with` names the dictionary
    that the words of the answer are coded with. A `critical` item is one on which the safety of participants
    or the reliability of the results hangs (ICH E6(R3) 3.11.4). One that is `retired` is no longer asked; its
    answers stay.
    """

    id: Identifier
    label: Text
    type: ItemType
    unit: Text | None = None
    codes: tuple[Code, ...] = ()
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    step: Decimal | None = None
    required: bool = True
    unmasking: bool = False
    when: Condition | None = None
    help: Text | None = None
    coded_with: DictionaryName | None = None
    critical: bool = False
    retired: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EditCheck:
    """What must hold within a form; a hard check refuses the entry, the other kind opens a query."""

    id: Identifier
    holds: Condition
    message: Text
    severity: CheckSeverity = "query"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What is filled in at an encounter, or, when `repeating`, row by row.

    `dated_by` names the item that dates a row; `log` marks a repeating form whose completeness is confirmed
    up to a
    date. `filled_by` lists role kinds; empty means investigator, nurse and data entry of the site.
    `source_verification` says which answers a monitor compares with their source: all, those to critical
    items, or none. One that is `retired` is no longer filled in; what was recorded in it stays.
    """

    id: Identifier
    title: Text
    items: tuple[Item, ...]
    checks: tuple[EditCheck, ...] = ()
    repeating: bool = False
    log: bool = False
    dated_by: Identifier | None = None
    unmasking: bool = False
    filled_by: tuple[Identifier, ...] = ()
    source: Text | None = None
    source_verification: VerificationPlan = "all"
    retired: bool = False

    def to_verify(self, item: Item) -> bool:
        """Tell whether the plan asks that answers to an item be compared with their source."""
        return self.source_verification == "all" or (self.source_verification == "critical" and item.critical)

    def item(self, item_id: str) -> Item | None:
        """Return the item of this name, or None."""
        for item in self.items:
            if item.id == item_id:
                return item
        return None
