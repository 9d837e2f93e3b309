"""From a plan to the schedule of a study folder, and to the epochs and cells of its arms."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import Final

from equipoise.exchange.fhir.bundle import Resources
from equipoise.exchange.fhir.codes import VISIT_WINDOW
from equipoise.exchange.fhir.cursor import Cursor
from equipoise.exchange.fhir.read_forms import name_of

_DAYS: Final[Mapping[str, int]] = {"d": 1, "day": 1, "days": 1, "wk": 7, "week": 7, "weeks": 7}
_ANCHORS: Final = frozenset({"consent", "randomisation", "first_administration"})


@dataclass
class Plan:
    """What is read of a plan; arms are mapped to what they are given in each epoch."""

    epochs: list[dict[str, object]] = field(default_factory=list)
    cells: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    arm_labels: dict[str, str] = field(default_factory=dict)
    encounters: list[dict[str, object]] = field(default_factory=list)
    activities: dict[str, dict[str, object]] = field(default_factory=dict)
    loose: dict[str, list[str]] = field(default_factory=dict)


class PlanReader:
    """Reads the actions of a plan: by the links that this program gives them, else by what they look like."""

    def __init__(
        self, resources: Resources, forms: Mapping[str, str], interventions: Mapping[str, str]
    ) -> None:
        self._resources = resources
        self._forms = forms
        self._interventions = interventions
        self._taken: set[str] = set()
        self.plan = Plan()
        for each in resources.of("ActivityDefinition"):
            if each.path not in interventions:
                self._define(each)

    def _define(self, place: Cursor) -> None:
        place.skip("resourceType", "id", "url", "status", "version")
        title = place.text("title") or place.text("name") or "Activity"
        self.plan.activities[place.path] = {
            "id": name_of(place.text("name") or title, "activity", self._taken),
            "name": title,
            "forms": [],
            "encounters": [],
            "note": place.text("usage"),
        }

    def read(self, plan: Cursor) -> None:
        """Read the actions of a plan."""
        plan.skip("resourceType", "id", "url", "status", "version", "title", "type", "subjectCodeableConcept")
        for action in plan.each("action"):
            self._read_top(action)

    def _read_top(self, action: Cursor) -> None:
        kind, _, name = str(action.get("linkId").value or "").partition(".")
        if kind == "anchor":
            action.skip("linkId", "title")
        elif kind == "epoch":
            self._read_epoch(action, _name(name))
        elif kind in ("logs", "unscheduled"):
            action.skip("linkId", "title", "groupingBehavior", "selectionBehavior")
            self.plan.loose[kind] = [
                form for each in action.each("action") if (form := self._form(each)) is not None
            ]
        else:
            self._read_encounter(action, None)

    def _read_epoch(self, action: Cursor, epoch: str) -> None:
        action.skip("linkId", "groupingBehavior")
        self.plan.epochs.append(
            {"id": epoch, "name": action.text("title"), "type": action.get("code").words()}
        )
        for each in action.each("action"):
            if str(each.get("linkId").value).startswith("treatment."):
                each.skip("linkId", "title", "groupingBehavior", "selectionBehavior")
                for cell in each.each("action"):
                    self._read_cell(cell, epoch)
            else:
                self._read_encounter(each, epoch)

    def _read_cell(self, cell: Cursor, epoch: str) -> None:
        arm = _name(str(cell.get("linkId").value).rpartition(".")[2])
        cell.skip("linkId")
        self.plan.arm_labels[arm] = cell.text("title") or arm
        given = self.plan.cells.setdefault(arm, {}).setdefault(epoch, [])
        for each in cell.each("action"):
            found = self._target(each, self._interventions)
            if found is not None:
                each.skip("linkId")
                given.append(self._interventions[found])

    def _read_encounter(self, action: Cursor, epoch: str | None) -> None:
        link = str(action.get("linkId").value or action.get("id").value or "")
        title = action.text("title") or link or "Encounter"
        name = name_of(link.rpartition(".")[2] or title, "encounter", set())
        action.skip("linkId", "id")
        encounter: dict[str, object] = {"id": name, "name": title, "epoch": epoch}
        for timing in action.each("relatedAction")[:1]:
            encounter |= _timing(timing)
        self.plan.encounters.append(encounter)
        for each in action.each("action"):
            self._read_activity(each, name)

    def _read_activity(self, action: Cursor, encounter: str) -> None:
        action.skip("linkId", "id")
        title = action.text("title")
        found = self._target(action, {**self.plan.activities, **self._forms})
        key = found if found in self.plan.activities else None
        if key is None:
            key = title or str(action.get("linkId").value)
            if key not in self.plan.activities:
                self.plan.activities[key] = {
                    "id": name_of(key, "activity", self._taken),
                    "name": key,
                    "forms": [],
                    "encounters": [],
                }
        activity = self.plan.activities[key]
        _add(activity["encounters"], encounter)
        if found is not None and found in self._forms:
            _add(activity["forms"], self._forms[found])
        for each in action.each("action"):
            _add(activity["forms"], self._form(each))

    def _form(self, action: Cursor) -> str | None:
        found = self._target(action, self._forms)
        if found is None:
            return None
        action.skip("linkId", "title")
        return self._forms[found]

    def _target(self, action: Cursor, known: Container[str]) -> str | None:
        """Return the place of what an action is defined by, where it is one of those known."""

        def defined(place: Cursor) -> str | None:
            found = self._resources.find(place.text("definitionCanonical"))
            return found.path if found is not None and found.path in known else None

        return action.attempt(defined)


def _timing(place: Cursor) -> dict[str, object]:
    """Return the day of a visit from its anchor, with its window."""
    anchor = _name(str(place.get("targetId").value or "").removeprefix("anchor."))
    day = _in_days(place.get("offsetDuration"))
    if day is None:
        return {}
    before = str(place.text("relationship") or "").startswith("before")
    day = -day if before else day
    found: dict[str, object] = {"day": day}
    if anchor in _ANCHORS:
        place.skip("targetId")
        found["anchor"] = anchor
    for each in place.each("extension"):
        found |= each.attempt(lambda window: _window(window, day)) or {}
    return found


def _window(place: Cursor, day: int) -> dict[str, object] | None:
    if place.get("url").value != VISIT_WINDOW:
        return None
    low, high = (_in_days(place.get("valueRange").get(end)) for end in ("low", "high"))
    if low is None or high is None:
        return None
    place.skip("url")
    return {"early_days": day - low or None, "late_days": high - day or None}


def _in_days(place: Cursor) -> int | None:
    unit = _DAYS.get(str(place.get("code").value or place.get("unit").value))
    value = place.whole("value") if unit else None
    if unit is None or value is None:
        return None
    place.skip("unit", "code", "system")
    return value * unit


def _name(link: str) -> str:
    return link.replace("-", "_")


def _add(names: object, name: str | None) -> None:
    """Add a name to a list that does not have it yet."""
    assert isinstance(names, list), "an activity's forms and encounters are lists"
    if name is not None and name not in names:
        names.append(name)
