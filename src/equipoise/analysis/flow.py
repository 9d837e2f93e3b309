"""The flow of participants: assessed, allocated, treated, followed, analysed, each loss with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from equipoise.analysis.course import (
    epoch_on,
    epoch_starts,
    treatment_epochs,
    treatment_planned,
)
from equipoise.analysis.cut import CutParticipant
from equipoise.analysis.derive import Frame
from equipoise.analysis.result import Flow, FlowArm, FlowStage, SetResult
from equipoise.analysis.summaries import arm_name
from equipoise.analysis.tables import group_members, participants_analysed

NO_CAUSE = "Cause not stated"


def derive_flow(frame: Frame, set_id: str | None) -> Flow:
    """The flow up to an analysis set (None: there is none to count)."""
    definition = frame.definition
    members = participants_analysed(frame)
    inside = set(members)
    outside = [person for code, person in frame.people.items() if code not in inside]
    left = [person for person in outside if person.status in ("failed", "withdrawn", "completed")]
    analysed = None if set_id is None else frame.analysis_set(set_id)
    return Flow(
        assessed=len(frame.people),
        excluded=_tally(_screening_reason(person) for person in left),
        criteria=_criteria(frame, left),
        in_screening=len(outside) - len(left),
        randomised=len(members),
        is_randomised=definition.study.randomised,
        arms=tuple(_arm(frame, arm, mine, analysed) for arm, mine in group_members(frame, members)),
        analysis_set=None if analysed is None else analysed.title,
    )


def _tally(reasons: Iterable[str]) -> tuple[tuple[str, int], ...]:
    """Reasons with their numbers, the most frequent first."""
    return tuple(sorted(Counter(reasons).items(), key=lambda pair: (-pair[1], pair[0])))


def _screening_reason(person: CutParticipant) -> str:
    if person.screening_outcome == "ineligible":
        return "Not eligible"
    if person.status == "withdrawn":
        return "Withdrew before allocation"
    return person.end_cause or "Other reason"


def _criteria(frame: Frame, people: Sequence[CutParticipant]) -> tuple[tuple[str, str, int], ...]:
    """Each criterion that kept somebody out: its id, its words, and how many; one person may fail several."""
    counts: Counter[str] = Counter()
    texts: dict[str, str] = {}
    order: dict[str, tuple[bool, int]] = {}
    for person in people:
        if person.screening_outcome != "ineligible":
            continue
        for criterion in frame.definition.eligibility.rules_for(person.variant, frame.today):
            wrong = "not_met" if criterion.category == "inclusion" else "met"
            if person.criteria.get(criterion.id) == wrong:
                counts[criterion.id] += 1
                texts.setdefault(criterion.id, criterion.text)
                order[criterion.id] = (criterion.category != "inclusion", criterion.number)
    return tuple((each, texts[each], counts[each]) for each in sorted(counts, key=lambda each: order[each]))


def _arm(frame: Frame, arm: str | None, members: Sequence[str], analysed: SetResult | None) -> FlowArm:
    people = [frame.people[each] for each in members]
    inside = set(members)
    in_set = set(analysed.members) if analysed else set[str]()
    reasons = dict(analysed.excluded) if analysed else {}
    return FlowArm(
        arm=arm,
        name=arm_name(frame, arm),
        allocated=len(members),
        stages=tuple(
            _stage(frame, arm, people, index) for index in range(len(treatment_epochs(frame.definition)))
        ),
        analysed=len(inside & in_set),
        not_analysed=_tally(reasons[each] for each in members if each in reasons),
    )


def _stage(frame: Frame, arm: str | None, people: Sequence[CutParticipant], index: int) -> FlowStage:
    """One treatment epoch: who entered it, who was given what was planned, who ended in it and why.

    Whoever was allocated has entered the first; a later one is entered with its first administration or
    encounter.
    """
    definition = frame.definition
    epochs = treatment_epochs(definition)
    epoch = epochs[index]
    entered = [each for each in people if index == 0 or epoch.id in epoch_starts(definition, each)]
    supplied = bool(definition.supply.products) and any(
        product.dispensed_at
        and any(
            planned.id in product.dispensed_at and planned.epoch == epoch.id
            for planned in definition.schedule.encounters
        )
        for product in definition.supply.products
    )
    received = sum(any(given.epoch == epoch.id for given in each.administrations) for each in entered)
    ended = []
    for each in people:
        if each.status == "withdrawn" or (
            each.end_scope is not None and each.ended_on is not None and each.status != "completed"
        ):
            starts = {
                name: day
                for name, day in epoch_starts(definition, each).items()
                if name in {e.id for e in epochs}
            }
            last = epoch_on(starts, each.ended_on) or epochs[0].id
            if last == epoch.id:
                ended.append(each.end_cause or NO_CAUSE)
    return FlowStage(
        epoch=epoch.id,
        name=epoch.name,
        treatment=treatment_planned(definition, arm, epoch.id),
        entered=len(entered),
        received=received if supplied else None,
        not_received=len(entered) - received if supplied else None,
        ended=_tally(ended),
    )
