"""Groups, counts and numbers, as every module of a record's results section writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from equipoise.analysis.report import numbers
from equipoise.definition.expression import Aggregate, Calculate, Call, Name, Node, references, walk
from equipoise.definition.model.definition import StudyDefinition
from equipoise.exchange.registry.tree import Tree
from equipoise.exchange.registry.write_record import kept

NOT_AVAILABLE: Final = "NA"
ON_A_SCALE: Final = "units on a scale"
"""The registry's words for a measure without a unit."""

_EVERYBODY: Final = "All Participants"
_LENGTHS: Final = frozenset({"days", "weeks", "months", "years"})


@dataclass(frozen=True, slots=True)
class Group:
    """A reporting group; `arm` is None for everybody, and for what is no arm."""

    id: str
    title: str
    description: str | None
    arm: str | None

    def tree(self) -> Tree:
        return kept(id=self.id, title=self.title, description=self.description)


def groups_of(definition: StudyDefinition, prefix: str, arms: Iterable[str | None]) -> tuple[Group, ...]:
    """Return a group for each arm, numbered as the registry does: FG000, FG001."""
    found = []
    for place, arm in enumerate(arms):
        known = None if arm is None else definition.arm(arm)
        title = known.name if known else _EVERYBODY
        found.append(Group(f"{prefix}{place:03d}", title, arm_description(definition, arm), arm))
    return tuple(found)


def arm_description(definition: StudyDefinition, arm: str | None) -> str | None:
    """Return the words of the definition for an arm, else what it is given in each epoch."""
    known = None if arm is None else definition.arm(arm)
    if known is None:
        return None
    if known.text:
        return known.text
    names = {each.id: each.name for each in definition.study.interventions}
    given = [
        f"{epoch.name}: {' + '.join(names[each] for each in known.cells[epoch.id])}"
        for epoch in definition.study.epochs
        if known.cells.get(epoch.id)
    ]
    return "; ".join(given) + "." if given else None


def participants(groups: Sequence[Group], counts: Sequence[int]) -> list[Tree]:
    """Return the denominators of some groups."""
    pairs = zip(groups, counts, strict=True)
    return [
        {
            "units": "Participants",
            "counts": [{"groupId": group.id, "value": str(count)} for group, count in pairs],
        }
    ]


def number_text(value: float | None, decimals: int) -> str:
    """Return a number as the report rounds it, with the registry's minus; NA for none."""
    text = numbers.fixed(value, decimals)
    return NOT_AVAILABLE if text == numbers.NONE else text.replace(numbers.MINUS, "-")


def measured(
    group: Group,
    value: float | None,
    decimals: int,
    *,
    spread: float | None = None,
    limits: tuple[float | None, float | None] | None = None,
    spreads: bool = False,
    why_none: str = "No participant has a value.",
) -> Tree:
    """Return a measurement of a group; what cannot be given is NA, with the reason as a comment."""
    found: Tree = {"groupId": group.id, "value": number_text(value, decimals)}
    comments = [] if value is not None else [why_none]
    if spreads:
        found["spread"] = number_text(spread, decimals)
        comments += (
            ["The spread of a single value is not known."] if value is not None and spread is None else []
        )
    if limits is not None:
        found["lowerLimit"], found["upperLimit"] = (number_text(each, decimals) for each in limits)
        comments += ["The data give no limit."] if value is not None and None in limits else []
    if comments:
        found["comment"] = " ".join(comments)
    return found


def unit_of(definition: StudyDefinition, node: Node | None) -> str | None:
    """Return the unit of an expression where it can be told: that of its items, of a count, of a length of
    time.
    """
    variables: Mapping[str, Node] = {**definition.eligibility.variables, **definition.analysis.variables}
    while isinstance(node, Name) and node.name in variables:
        node = variables[node.name]
    if node is None:
        return None
    if isinstance(node, Aggregate) and node.function == "count":
        return "events" if node.item is None else "number"
    parts = list(_unfolded(node, variables))
    if any(isinstance(each, Calculate) and each.sign in ("*", "/") for each in parts):
        return None
    calls = {each.function for each in parts if isinstance(each, Call)}
    if any(each.startswith("log") for each in calls):
        return None
    if calls & _LENGTHS:
        lengths = calls & _LENGTHS
        return next(iter(lengths)) if len(lengths) == 1 else None
    items = [
        form.item(item)
        for part in parts
        for form_id, item in references(part).items
        if (form := definition.form(form_id)) is not None
    ]
    units = {each.unit for each in items if each is not None}
    if len(units) != 1:
        return None
    (unit,) = units
    counted = unit is None and all(each is not None and each.type == "integer" for each in items)
    return "number" if counted else unit


def _unfolded(node: Node, variables: Mapping[str, Node]) -> Iterable[Node]:
    """Yield the parts of an expression and of the variables that it names, each variable once."""
    waiting, seen = [node], set[str]()
    while waiting:
        for part in walk(waiting.pop()):
            yield part
            if isinstance(part, Name) and part.name in variables and part.name not in seen:
                seen.add(part.name)
                waiting.append(variables[part.name])
