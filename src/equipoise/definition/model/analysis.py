"""analysis.yaml: analysis sets, estimands, endpoints and the testing procedure, fixed before anybody is
unmasked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from equipoise.definition.model.fields import Condition, Identifier, Quantity, Text

VariableType = Literal["count", "continuous", "binary", "time_to_event"]
EndpointRole = Literal["primary", "secondary", "exploratory", "safety"]
Model = Literal[
    "negative_binomial",
    "poisson_gee",
    "ancova",
    "repeated_measures",
    "crossover_continuous",
    "logistic",
    "cox",
    "wilcoxon_paired",
    "descriptive",
]
TestingMethod = Literal["fixed_sequence", "holm", "hochberg", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisSet:
    """Who is analysed (ICH E9 5.2): a condition per participant, each part of which gives a reason for
    leaving out.
    """

    id: Identifier
    title: Text
    requires: dict[Identifier, Condition]
    reasons: dict[Identifier, Text] = field(default_factory=dict)
    grouped: Literal["as_randomised", "as_treated"] = "as_randomised"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntercurrentEvent:
    """An event after the start of treatment and the strategy for it (ICH E9(R1) A.3)."""

    event: Text
    strategy: Literal[
        "treatment_policy", "hypothetical", "composite", "while_on_treatment", "principal_stratum"
    ]
    text: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimand:
    """The five attributes of ICH E9(R1)."""

    id: Identifier
    title: Text
    population: Text
    treatment: Text
    variable: Text
    intercurrent_events: tuple[IntercurrentEvent, ...]
    summary: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How a variable is analysed.

    `variance` of a negative binomial model is the model's own or robust (sandwich).
    `compare`: `arms` compares as randomised; `epochs` compares `response` with `against` within each arm.
    Count
    models have a log link and an `offset` that is already a logarithm. `response` may be overridden for a
    sensitivity analysis. `repeated` names the encounters of a repeated-measures model, `item` its form.item.
    """

    model: Model
    set: Identifier
    compare: Literal["arms", "epochs", "none"] = "arms"
    reference: Identifier | None = None
    response: Quantity | None = None
    against: Quantity | None = None
    event: Condition | None = None
    covariates: dict[Identifier, Quantity] = field(default_factory=dict)
    categories: dict[Identifier, Quantity] = field(default_factory=dict)
    offset: Quantity | None = None
    offset_against: Quantity | None = None
    variance: Literal["model", "robust"] = "model"
    item: Text | None = None
    repeated: tuple[Identifier, ...] = ()
    confidence: Decimal = Decimal("0.95")
    note: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An endpoint with its estimand, its main analysis and its sensitivity analyses."""

    id: Identifier
    title: Text
    role: EndpointRole
    type: VariableType
    time_frame: Text
    estimand: Identifier | None = None
    analysis: Fit
    sensitivity: dict[Identifier, Fit] = field(default_factory=dict)
    better: Literal["lower", "higher", "neither"] = "lower"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestingProcedure:
    """The order and the rule by which hypotheses are tested at one family-wise level.

    `order` names endpoints whose analysis yields a p-value; `two_sided` alpha.
    """

    __test__ = False

    method: TestingMethod
    alpha: Decimal = Decimal("0.05")
    order: tuple[Identifier, ...] = ()
    text: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineVariable:
    """A line of the baseline table."""

    id: Identifier
    title: Text
    value: Quantity
    type: Literal["continuous", "category"]
    unit: Text | None = None
    labels: dict[Text, Text] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A figure and table of one form.item by encounter and arm, with the dataset it is written to."""

    id: Identifier
    title: Text
    item: Text
    encounters: tuple[Identifier, ...]
    summary: Literal["mean", "median", "percent"] = "mean"
    dataset: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLog:
    """A repeating form that becomes a dataset of its own (ADAE, relapses), tabulated by epoch and arm."""

    id: Identifier
    title: Text
    form: Identifier
    dataset: Text
    by: tuple[Identifier, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """The whole of analysis.yaml."""

    variables: dict[Identifier, Quantity] = field(default_factory=dict)
    sets: tuple[AnalysisSet, ...]
    estimands: tuple[Estimand, ...] = ()
    baseline: tuple[BaselineVariable, ...] = ()
    profiles: tuple[Profile, ...] = ()
    logs: tuple[EventLog, ...] = ()
    endpoints: tuple[Endpoint, ...]
    testing: TestingProcedure = TestingProcedure(method="none")

    def endpoint(self, endpoint_id: str) -> Endpoint | None:
        """Return the endpoint of this name, or None."""
        return next((e for e in self.endpoints if e.id == endpoint_id), None)

    def analysis_set(self, set_id: str) -> AnalysisSet | None:
        """Return the analysis set of this name, or None."""
        return next((s for s in self.sets if s.id == set_id), None)
