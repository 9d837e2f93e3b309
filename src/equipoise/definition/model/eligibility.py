"""eligibility.yaml: who may take part, as expressions, and how a site's rules differ."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from equipoise.definition.model.fields import Condition, Identifier, Quantity, Text

CriterionCategory = Literal["inclusion", "exclusion"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One numbered criterion (USDM EligibilityCriterion).

    An inclusion criterion must be met, an exclusion criterion must be known not to be met. A criterion
    without
    `when` is a draft: it can be read and printed, but nobody can be enrolled under it.
    """

    id: Text
    number: int
    category: CriterionCategory
    text: Text
    when: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A difference laid over the common rules, held by a sub-trial or a site from its approval on."""

    id: Identifier
    title: Text
    approved_from: date
    source: Text | None = None
    criteria: tuple[Criterion, ...] = ()
    remove: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligibility:
    """The whole of eligibility.yaml."""

    title: Text = "Common rules"
    sex: Literal["all", "female", "male"] = "all"
    age_minimum_years: int | None = None
    age_maximum_years: int | None = None
    healthy_volunteers: bool = False
    rescreening_after_days: int = 0
    variables: dict[Identifier, Quantity] = field(default_factory=dict)
    criteria: tuple[Criterion, ...]
    variants: tuple[Variant, ...] = ()

    def rules_for(self, variant: str | None, on: date) -> tuple[Criterion, ...]:
        """Return the criteria in force under a variant on a day, in the order of the record."""
        overlay = next((v for v in self.variants if v.id == variant and v.approved_from <= on), None)
        if overlay is None:
            return self.criteria
        changed = {criterion.id: criterion for criterion in overlay.criteria}
        kept = [changed.pop(c.id, c) for c in self.criteria if c.id not in overlay.remove]
        return tuple(sorted([*kept, *changed.values()], key=lambda c: (c.category != "inclusion", c.number)))
