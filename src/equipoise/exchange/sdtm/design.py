"""Trial design (SDTMIG 7.2 to 7.4): arms, elements, visits and criteria, from the definition alone."""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.analysis.course import treatment_epochs
from equipoise.definition.model.study import Epoch
from equipoise.definition.sdtm.guide import TEXT_LENGTH_MAX
from equipoise.definition.sdtm.naming import cut_text
from equipoise.exchange.datasets.model import Cell
from equipoise.exchange.sdtm.plan import CATEGORIES, Element, Plan, arm_code, window_words

Row = dict[str, Cell]


def design_rows(plan: Plan) -> dict[str, list[Row]]:
    """The rows of TA, TE, TV and TI by domain."""
    return {
        "TA": list(_arms(plan)),
        "TE": list(_elements(plan)),
        "TV": list(_visits(plan)),
        "TI": list(_criteria(plan)),
    }


def _arms(plan: Plan) -> Iterator[Row]:
    definition = plan.definition
    treated = treatment_epochs(definition)
    ids = [each.id for each in plan.epochs]
    branch = ids.index(treated[0].id) - 1 if treated else -1
    for arm in definition.study.arms:
        for number, epoch in enumerate(plan.epochs):
            element = plan.elements[arm.id, epoch.id]
            branches = number == branch and len(definition.study.arms) > 1
            word = "Randomised to" if definition.study.randomised else "Assigned to"
            yield {
                "ARMCD": arm_code(definition, arm.id),
                "ARM": cut_text(arm.name, TEXT_LENGTH_MAX),
                "TAETORD": number + 1,
                "ETCD": element.code,
                "ELEMENT": element.name,
                "TABRANCH": f"{word} {arm.name}" if branches else None,
                "EPOCH": plan.epoch_terms[epoch.id],
            }


def _elements(plan: Plan) -> Iterator[Row]:
    every: dict[Element, list[Epoch]] = {}
    for (_, epoch_id), element in plan.elements.items():
        used = every.setdefault(element, [])
        used += [epoch for epoch in plan.epochs if epoch.id == epoch_id and epoch not in used]
    for epoch in plan.epochs:
        if epoch.id in plan.masked_elements:
            every[plan.masked_elements[epoch.id]] = [epoch]
    for element, epochs in every.items():
        lengths = {_length_days(plan, epoch) for epoch in epochs}
        days = lengths.pop() if len(lengths) == 1 else None
        yield {
            "ETCD": element.code,
            "ELEMENT": element.name,
            "TESTRL": _start_rule(plan, element, epochs[0]),
            "TEENRL": "Start of the next element, or end of participation",
            "TEDUR": None if not days else f"P{days // 7}W" if days % 7 == 0 else f"P{days}D",
        }


def _start_rule(plan: Plan, element: Element, epoch: Epoch) -> str:
    if epoch == plan.epochs[0]:
        return "Informed consent"
    schedule = plan.definition.schedule
    dispensed = {each for product in plan.definition.supply.products for each in product.dispensed_at}
    first = next((each for each in schedule.encounters if each.epoch == epoch.id), None)
    if any(each.id in dispensed for each in schedule.encounters if each.epoch == epoch.id):
        what = f": {element.name}" if element.interventions else " of the epoch"
        return cut_text(f"First administration{what}", TEXT_LENGTH_MAX)
    return "End of the element before" if first is None else f"Encounter: {first.name}"


def _length_days(plan: Plan, epoch: Epoch) -> int | None:
    """Days between the targets of an epoch's first encounter and the next epoch's, or its own last one's."""
    encounters = plan.definition.schedule.encounters
    mine = [each for each in encounters if each.epoch == epoch.id]
    later = [each.id for each in plan.epochs[plan.epochs.index(epoch) + 1 :]]
    after = next((each for name in later for each in encounters if each.epoch == name), None)
    if not mine:
        return None
    end = after or mine[-1]
    return end.day - mine[0].day if mine[0].anchor == end.anchor and end.day > mine[0].day else None


def _visits(plan: Plan) -> Iterator[Row]:
    for visit in plan.visits.values():
        yield {
            "VISITNUM": visit.number,
            "VISIT": cut_text(visit.name, TEXT_LENGTH_MAX),
            "VISITDY": visit.day,
            "TVSTRL": window_words(visit.encounter),
        }


def _criteria(plan: Plan) -> Iterator[Row]:
    for version, criteria in plan.versions():
        for each in criteria:
            yield {
                "IETESTCD": plan.criteria[each.id],
                "IETEST": cut_text(each.text, TEXT_LENGTH_MAX),
                "IECAT": CATEGORIES[each.category],
                "TIVERS": cut_text(version, TEXT_LENGTH_MAX),
            }
