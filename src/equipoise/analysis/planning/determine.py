"""The sample size determination: a definition's question answered, and what deviations would mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from equipoise.analysis.planning.question import EFFECTS, NUISANCES, GroupsNeeded, Question
from equipoise.definition.findings import Problem
from equipoise.definition.model.analysis import Endpoint
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.sample_size import SampleSize
from equipoise.definition.model.study import Arm
from equipoise.statistics.arguments import ArgumentError
from equipoise.statistics.planning import whole_above

ATTRITION = "attrition"


class SampleSizeMissing(Exception):
    """The definition has no sample size determination."""

    code = "DESIGN-NONE"

    def __init__(self, study: str) -> None:
        self.sentence = (
            f"The study {study} says nothing of its sample size. Add sample_size.yaml with the endpoint, the "
            "power and what is assumed; docs/study-folder.md says how."
        )
        super().__init__(f"{self.code}: {self.sentence}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """What one number is, what it was assumed to be, and what follows: the size for it and the power without.

    `participants` are all that would be randomised for the power that is asked for; `power` is that of the
    size as determined.
    """

    name: str
    assumed: float
    value: float
    participants: int
    power: float


@dataclass(frozen=True, kw_only=True)
class Determination:
    """The answer to the question of a definition.

    `needed` is what the final analysis needs of each group; `arms` are the participants to be randomised to
    each arm, attrition included.
    """

    definition: StudyDefinition
    plan: SampleSize
    endpoint: Endpoint
    reference: Arm
    treated: Arm
    question: Question
    needed: GroupsNeeded
    arms: dict[str, int]

    @property
    def total(self) -> int:
        """All participants to be randomised."""
        return sum(self.arms.values())

    @property
    def effect(self) -> str:
        """The key of the number that is the effect."""
        return EFFECTS[self.plan.kind]

    @property
    def nuisance(self) -> str:
        """The key of the number that nobody asks about."""
        return NUISANCES[self.plan.kind]

    @cached_property
    def deviations(self) -> tuple[Deviation, ...]:
        """Each assumed number replaced by each of its deviations, one at a time. Raises ArgumentError."""
        return tuple(self._deviations())

    @cached_property
    def power_as_planned(self) -> float:
        """The power with the planned enrolment, of whom attrition takes its share. Raises ArgumentError."""
        n1, n2 = self.groups_of(self.definition.study.planned_enrolment)
        return self.question.power(n1, n2) if min(n1, n2) >= 2 else 0.0

    def groups_of(self, randomised: int, attrition: float | None = None) -> tuple[int, int]:
        """The participants of both groups that can be analysed when so many are randomised to all arms.

        `attrition` is what is assumed where it is not given.
        """
        ratio = self.definition.allocation.ratio
        lost = attrition_of(self.plan) if attrition is None else attrition
        left = (1 - lost) * randomised / sum(ratio.values())
        # As exact as a count is: 0.9 times 80 is 72.
        n1, n2 = (int(left * ratio[arm.id] + 1e-9) for arm in (self.reference, self.treated))
        return n1, n2

    def values_of(self, name: str) -> tuple[float, ...]:
        """What is assumed of a number and its deviations, in ascending order."""
        found = self.plan.assumptions[name]
        return tuple(sorted({float(value) for value in (found.value, *found.deviations)}))

    def _deviations(self) -> Iterator[Deviation]:
        for name, found in self.plan.assumptions.items():
            for value in map(float, sorted(found.deviations)):
                question = self.question.varied(**{name: value})
                needed = question.needed()
                yield Deviation(
                    name=name,
                    assumed=float(found.value),
                    value=value,
                    participants=sum(_randomised(self, needed, attrition_of(self.plan)).values()),
                    power=question.power(self.needed.n1, self.needed.n2),
                )
        for lost in sorted(() if self.plan.attrition is None else map(float, self.plan.attrition.deviations)):
            yield Deviation(
                name=ATTRITION,
                assumed=attrition_of(self.plan),
                value=lost,
                participants=sum(_randomised(self, self.needed, lost).values()),
                power=self.question.power(*self.groups_of(self.total, lost)),
            )


def determine(definition: StudyDefinition) -> Determination:
    """Answer how many participants a study needs.

    Raises SampleSizeMissing where the definition does not ask, ArgumentError where no trial can be as it
    assumes.
    """
    plan = definition.sample_size
    if plan is None:
        raise SampleSizeMissing(definition.study.id)
    endpoint = next(each for each in definition.analysis.endpoints if each.id == plan.endpoint)
    arms = {arm.id: arm for arm in definition.study.arms}
    reference = arms.pop(endpoint.analysis.reference or "")
    treated = arms[plan.treated] if plan.treated else next(iter(arms.values()))
    ratio = definition.allocation.ratio
    question = Question.of(plan, ratio[treated.id] / ratio[reference.id])
    found = Determination(
        definition=definition,
        plan=plan,
        endpoint=endpoint,
        reference=reference,
        treated=treated,
        question=question,
        needed=question.needed(),
        arms={},
    )
    return replace(found, arms=_randomised(found, found.needed, attrition_of(plan)))


def check_enrolment(definition: StudyDefinition) -> Iterator[Problem]:
    """Find a planned enrolment that is smaller than what the definition's own assumptions need.

    Raises SampleSizeMissing where the definition has none.
    """
    try:
        found = determine(definition)
        power = found.power_as_planned
    except ArgumentError as error:
        yield Problem(code="LINT-SAMPLE-SIZE", sentence=error.sentence, file="sample_size.yaml")
        return
    planned = definition.study.planned_enrolment
    if planned < found.total:
        sentence = (
            f"{planned} participants are planned, and what is assumed needs {found.total} for a power of "
            f"{found.plan.power}: {planned} have {power:.3f}. Plan more, or correct the assumptions."
        )
        place = ("planned_enrolment",)
        yield Problem(
            code="LINT-ENROLMENT", sentence=sentence, file="study.yaml", place=place, severity="warning"
        )


def attrition_of(plan: SampleSize) -> float:
    """The share of those randomised of whom nothing can be analysed."""
    return 0.0 if plan.attrition is None else float(plan.attrition.value)


def _randomised(found: Determination, needed: GroupsNeeded, attrition: float) -> dict[str, int]:
    """The participants of each arm, in the allocation's ratio, so that enough are left of both groups."""
    ratio = found.definition.allocation.ratio
    share = max(needed.n1 / ratio[found.reference.id], needed.n2 / ratio[found.treated.id])
    return {
        arm.id: whole_above(share * ratio[arm.id] / (1 - attrition)) for arm in found.definition.study.arms
    }
