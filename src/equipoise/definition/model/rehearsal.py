"""rehearsal.yaml: what the imagined people, sites and faults of a rehearsal are like."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from equipoise.definition.model.fields import Condition, Identifier, Quantity, Text

DrawKind = Literal[
    "value",
    "choice",
    "bernoulli",
    "normal",
    "lognormal",
    "uniform",
    "poisson",
    "negative_binomial",
    "gamma",
    "date",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """One random value; every parameter is an expression.

    An expression may use: the person's variables, effects, `site`, `country`, `form.item` for the latest
    true value (in the row being filled, an item that was drawn before it), `form.item at encounter`, `day`
    (days since randomisation), `months` (since the previous encounter), `visit` (number of the encounter,
    from 1), `leaving` (whether the forms of an early end are being filled in), the variables of the criteria,
    and aggregates of rows that were recorded before.

    `date` yields the encounter's day plus `value` days, or plus a whole number from `low` to `high`; a
    `value` that is a date stands for itself. `when` unmet, the item is not answered. `low` and `high` clip;
    `decimals` rounds.
    """

    draw: DrawKind = "value"
    value: Quantity | None = None
    mean: Quantity | None = None
    sd: Quantity | None = None
    dispersion: Quantity | None = None
    probability: Quantity | None = None
    low: Quantity | None = None
    high: Quantity | None = None
    weights: dict[Text, Quantity] = field(default_factory=dict)
    when: Condition | None = None
    decimals: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FormPlan:
    """How a form is filled, item by item in the order given here. Items without a draw get a plausible value.

    For a repeating form `rows` draws how many new rows arise per encounter; `only_at` restricts it to
    encounters.
    """

    items: dict[Identifier, Draw] = field(default_factory=dict)
    rows: Draw | None = None
    only_at: tuple[Identifier, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A number that depends on what is given in the current epoch, by scenario and intervention.

    Where no listed intervention is in force it is `otherwise`; where several are, the last of them in the
    arm's cell counts. `lasts` says whether an intervention is in force during its own epoch or from then on.
    """

    id: Identifier
    scenarios: dict[Text, dict[Identifier, Decimal]]
    otherwise: Decimal = Decimal(1)
    lasts: Literal["epoch", "onwards"] = "epoch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What goes wrong, as probabilities per occasion unless said otherwise.

    `early_end_forms` are filled when somebody leaves early; `causes` gives, by fault, the words for it.
    """

    missed_encounter: Decimal = Decimal(0)
    out_of_window: Decimal = Decimal(0)
    drop_out_per_month: Decimal = Decimal(0)
    entry_error: Decimal = Decimal(0)
    scan_missing: Decimal = Decimal(0)
    scan_refused: Decimal = Decimal(0)
    reader_error: Decimal = Decimal(0)
    lot_failure: Decimal = Decimal(0)
    emergency_unblindings: int = 0
    early_end_forms: tuple[Identifier, ...] = ()
    causes: dict[Text, tuple[Text, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """A rule by which an encounter is put off: when a condition holds on its planned day, by so many days."""

    encounters: tuple[Identifier, ...]
    when: Condition
    days: int
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """The whole of rehearsal.yaml.

    `person` draws, in order, the variables of each candidate; `accrual_days_mean` is the mean number of days
    between two candidates at one site. `truth` says, by scenario and endpoint, the value that the analysis
    estimates: of several comparisons, the first.
    """

    start: date
    participants: int
    accrual_days_mean: Decimal = Decimal(14)
    consent_version: Text = "1.0"
    person: dict[Identifier, Draw] = field(default_factory=dict)
    effects: tuple[Effect, ...] = ()
    forms: dict[Identifier, FormPlan] = field(default_factory=dict)
    faults: Faults = Faults()
    delays: tuple[Delay, ...] = ()
    truth: dict[Text, dict[Identifier, Decimal]] = field(default_factory=dict)
