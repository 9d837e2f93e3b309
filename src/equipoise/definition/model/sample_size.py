"""sample_size.yaml: how many participants, on which assumptions, with which interim analyses and recruitment.

ICH E9 3.5 asks for the method, for every quantity that it takes with its basis, and for what deviations from
them would mean.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Literal, TypeAlias

from equipoise.definition.model.fields import Identifier, Text

NullVariance = Literal["null", "alternative", "pooled"]
MeansMethod = Literal["t_test", "ancova", "crossover"]
ProportionVariance = Literal["pooled", "unpooled"]
SpendingFamily = Literal["asOF", "asP", "asHSD", "asKD"]
BoundaryFamily = Literal["OF", "P", "WT", SpendingFamily]
SizeKind = Literal["counts", "means", "proportions", "events"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """A number that the size rests on, with what it rests on itself.

    `assumed` marks what no source states. `deviations` are other values that the truth may well have, for
    which size and power are reported too.
    """

    value: Decimal
    source: Text
    assumed: bool = False
    deviations: tuple[Decimal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CountAssumptions:
    """Negative binomial counts: a participant with the mean mu has the variance mu + dispersion mu^2.

    `rate` is the reference arm's, for each `unit` of exposure; `ratio` the treated arm's rate over it;
    `drop_out` a hazard for each unit. `variance` is that under the null hypothesis: methods 1, 2 and 3 of Zhu
    and Lakkis (Stat Med 2014;33:376).
    """

    unit: Text
    rate: Assumed
    ratio: Assumed
    dispersion: Assumed
    exposure: Assumed
    drop_out: Assumed | None = None
    variance: NullVariance = "alternative"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanAssumptions:
    """Means: of two groups, of two groups adjusted for a baseline, or of both treatments in a crossover.

    `difference` is the treated arm's mean less the reference arm's; `sd` within a group, of a crossover
    within a participant; `correlation` that of the outcome with the baseline, for `ancova`.
    """

    unit: Text
    difference: Assumed
    sd: Assumed
    correlation: Assumed | None = None
    method: MeansMethod = "t_test"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProportionAssumptions:
    """Proportions of participants in the reference arm and in the treated one."""

    reference: Assumed
    treated: Assumed
    variance: ProportionVariance = "pooled"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventAssumptions:
    """Times to an event at constant hazards, compared by the log-rank test.

    `hazard` is the reference arm's for each `unit` of time. Participants enter uniformly over `accrual`, and
    the last one in is followed until `duration` after the first one came; without accrual each for the whole
    `duration`. `drop_out` is a hazard too.
    """

    unit: Text
    hazard: Assumed
    ratio: Assumed
    duration: Assumed
    accrual: Assumed | None = None
    drop_out: Assumed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FutilityBoundary:
    """Below which the trial stops early because it would hardly succeed: how the type II error is spent.

    What is spent in all is 1 less the power. A `binding` boundary must be obeyed, and lowers the upper ones;
    one that does not bind leaves the level as it is without it. `gamma` is a parameter of asHSD and asKD.
    """

    family: SpendingFamily
    binding: bool = False
    gamma: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InterimAnalyses:
    """When the endpoint is looked at early, and the boundaries that keep the level.

    `information` holds the share of the final information at each analysis, the last of them 1. `gamma` is a
    parameter of asHSD and asKD, `delta` of WT. Stopping for `futility` needs a one-sided test.
    """

    family: BoundaryFamily
    information: tuple[Decimal, ...]
    gamma: Decimal | None = None
    delta: Decimal | None = None
    futility: FutilityBoundary | None = None
    text: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecruitmentAssumptions:
    """How fast participants come: the rate of an open site for each month, and how sites differ and open.

    Sites open evenly over `opening_months`. The smaller `shape` is, the more the sites' rates differ.
    """

    rate: Assumed
    shape: Assumed
    opening_months: Assumed | None = None
    target_months: Decimal | None = None


EndpointAssumptions: TypeAlias = CountAssumptions | MeanAssumptions | ProportionAssumptions | EventAssumptions


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSize:
    """The whole of sample_size.yaml; exactly one of `counts`, `means`, `proportions` and `events` is written.

    The treated arm is compared with the reference arm of the endpoint's analysis, in the ratio of
    allocation.yaml. `alpha` is of all sides together. `attrition` is the share of those randomised of whom
    nothing can be analysed.
    """

    endpoint: Identifier
    treated: Identifier | None = None
    power: Decimal
    alpha: Decimal = Decimal("0.05")
    sides: int = 2
    counts: CountAssumptions | None = None
    means: MeanAssumptions | None = None
    proportions: ProportionAssumptions | None = None
    events: EventAssumptions | None = None
    attrition: Assumed | None = None
    interim: InterimAnalyses | None = None
    recruitment: RecruitmentAssumptions | None = None
    text: Text | None = None

    @property
    def kinds(self) -> dict[SizeKind, EndpointAssumptions]:
        """What is assumed of the endpoint, under its kind; a definition without errors has one."""
        written: dict[SizeKind, EndpointAssumptions | None] = {
            "counts": self.counts,
            "means": self.means,
            "proportions": self.proportions,
            "events": self.events,
        }
        return {kind: found for kind, found in written.items() if found is not None}

    @property
    def kind(self) -> SizeKind:
        """The kind of the endpoint."""
        return next(iter(self.kinds))

    @property
    def assumptions(self) -> dict[str, Assumed]:
        """The numbers that are assumed of the endpoint, by their keys."""
        return numbers_of(self.kinds[self.kind])


def numbers_of(part: EndpointAssumptions | RecruitmentAssumptions) -> dict[str, Assumed]:
    """The assumed numbers of a part, by their keys."""
    written = ((field.name, getattr(part, field.name)) for field in fields(part))
    return {name: found for name, found in written if isinstance(found, Assumed)}
