"""What an analysis yields: frozen values, from which reports, exports and rehearsals read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from equipoise.analysis.cut import CutAmendment
from equipoise.definition.model.definition import StudyDefinition
from equipoise.statistics.survival import SurvivalCurve

Scale = Literal["ratio", "difference", "value"]
FigureKind = Literal["number", "percent", "count"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """A departure from the protocol; `severity` is major or minor, `text` lacks its full stop."""

    participant: str
    kind: str
    severity: str
    text: str
    encounter: str | None = None
    on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetResult:
    """An analysis set: its members, and (participant, reason) for everybody else."""

    id: str
    title: str
    members: tuple[str, ...]
    excluded: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A summary figure of a group, perhaps with bounds; None where the data give none. Percentages are of
    100.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    kind: FigureKind = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSummary:
    """A group of an analysis: an arm, or everybody (`arm` None). `missing` had no value of the endpoint."""

    arm: str | None
    name: str
    n: int
    missing: int
    figures: tuple[Figure, ...]

    def figure(self, name: str) -> Figure | None:
        """The figure of this name, or None."""
        return next((each for each in self.figures if each.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a model says: an effect of `arm` against `reference`, or a value of one group.

    `value` is None where the data have none (all events on one side), with the bound that they do give.
    """

    label: str
    measure: str
    scale: Scale
    value: float | None
    low: float | None
    high: float | None
    p: float | None = None
    se: float | None = None
    arm: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointResult:
    """One analysis of one endpoint.

    `analysis` is `main` or the name of a sensitivity analysis. `status` is estimated, described, masked, or
    says why there is no estimate: no_participants, one_group, or a status of the model. `joint_p` tests all
    comparisons at once where there are several. `missing` gives (participant, what was not known).
    """

    id: str
    title: str
    role: str
    type: str
    time_frame: str
    analysis: str
    model: str
    method: str
    set: str
    confidence: float
    better: str
    status: str
    n: int
    groups: tuple[GroupSummary, ...]
    estimates: tuple[Estimate, ...] = ()
    joint_p: float | None = None
    further: tuple[Estimate, ...] = ()
    details: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = ()
    missing: tuple[tuple[str, str], ...] = ()
    curves: tuple[tuple[str, SurvivalCurve], ...] = ()

    @property
    def estimate(self) -> Estimate | None:
        """The first estimate, which is the only one of a comparison of two arms."""
        return self.estimates[0] if self.estimates else None

    @property
    def p(self) -> float | None:
        """The p-value of the endpoint's hypothesis.

        With several comparisons it is that of the joint test, or else the smallest by Bonferroni's
        inequality.
        """
        known = [each.p for each in self.estimates if each.p is not None]
        if len(self.estimates) > 1 and self.joint_p is not None:
            return self.joint_p
        if not known or len(known) < len(self.estimates):
            return None
        return min(1.0, min(known) * len(known))


@dataclass(frozen=True, slots=True, kw_only=True)
class Subgroup:
    """The main analysis within one level of a category; `status` says why there may be no estimate."""

    category: str
    level: str
    n: int
    status: str
    estimates: tuple[Estimate, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HypothesisResult:
    """What the testing procedure did with one endpoint's hypothesis."""

    endpoint: str
    title: str
    p: float | None
    tested: bool
    local_alpha: float | None
    adjusted: float | None
    rejected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineLine:
    """A line of the baseline table: the figures of one variable for each group."""

    title: str
    unit: str | None
    type: str
    groups: tuple[GroupSummary, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfilePoint:
    """The summary of one group at one encounter."""

    encounter: str
    name: str
    day: int
    arm: str | None
    n: int
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileResult:
    """The course of one item over the encounters."""

    id: str
    title: str
    unit: str | None
    summary: str
    points: tuple[ProfilePoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TallyRow:
    """A line of an event table: in each column, events and participants with one."""

    label: str
    cells: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTable:
    """Events counted in columns (arms, or what was in force); `at_risk` is the number of participants in
    each.
    """

    title: str
    columns: tuple[str, ...]
    at_risk: tuple[int, ...]
    rows: tuple[TallyRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriousEvent:
    """A line of the listing of serious adverse events."""

    participant: str
    group: str | None
    term: str
    onset: str
    epoch: str | None
    in_force: str | None
    severity: str
    causality: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowStage:
    """An epoch of one arm in the flow; `received` is None where the trial supplies nothing."""

    epoch: str
    name: str
    treatment: str | None
    entered: int
    received: int | None
    not_received: int | None
    ended: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowArm:
    """One arm, or everybody (`arm` None), from allocation to analysis."""

    arm: str | None
    name: str
    allocated: int
    stages: tuple[FlowStage, ...]
    analysed: int
    not_analysed: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The flow of participants (CONSORT 2010; for crossover trials BMJ 2019;366:l4378)."""

    assessed: int
    excluded: tuple[tuple[str, int], ...]
    criteria: tuple[tuple[str, str, int], ...]
    in_screening: int
    randomised: int
    is_randomised: bool
    arms: tuple[FlowArm, ...]
    analysis_set: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisResult:
    """All results of a data cut. A masked one has one group, everybody, and compares nothing."""

    definition: StudyDefinition
    masked: bool
    mode: str
    position: int
    head: str
    recorded_at: str
    locked_at: str | None
    unblinded_at: str | None
    participants: int
    randomised: int
    arms: tuple[tuple[str, str, int], ...]
    flow: Flow
    sets: tuple[SetResult, ...]
    baseline: tuple[BaselineLine, ...]
    endpoints: tuple[EndpointResult, ...]
    sensitivity: tuple[EndpointResult, ...]
    subgroups: tuple[Subgroup, ...]
    testing: tuple[HypothesisResult, ...]
    profiles: tuple[ProfileResult, ...]
    events: tuple[EventTable, ...]
    serious: tuple[SeriousEvent, ...]
    deviations: tuple[Deviation, ...]
    unblindings: tuple[tuple[str, str], ...]
    failed_lots: tuple[tuple[str, int], ...]
    notes: tuple[str, ...]
    counts: Mapping[str, int] = field(default_factory=dict)
    amendments: tuple[CutAmendment, ...] = ()

    def endpoint(self, endpoint_id: str) -> EndpointResult | None:
        """The main analysis of an endpoint, or None."""
        return next((each for each in self.endpoints if each.id == endpoint_id), None)

    @property
    def primary(self) -> EndpointResult | None:
        """The first primary endpoint that is tested or estimated, else the first primary one."""
        found = [each for each in self.endpoints if each.role == "primary"]
        return next((each for each in found if each.model != "descriptive"), found[0] if found else None)
