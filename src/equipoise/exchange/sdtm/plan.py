"""What the datasets take from the definition alone: codes of arms, epochs, elements, visits and criteria."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from equipoise.analysis.course import epoch_terms
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.eligibility import Criterion
from equipoise.definition.model.schedule import Encounter
from equipoise.definition.model.study import Arm, Epoch, Intervention
from equipoise.definition.sdtm.guide import LABEL_LENGTH_MAX
from equipoise.definition.sdtm.naming import ShortNames, cut_text, short_label

ANCHORS: Mapping[str, str] = {
    "consent": "informed consent",
    "randomisation": "randomisation",
    "first_administration": "the first administration",
}
CATEGORIES: Mapping[str, str] = {"inclusion": "INCLUSION", "exclusion": "EXCLUSION"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """A building block of an arm: what is given in an epoch (SDTMIG 7.2.2)."""

    code: str
    name: str
    interventions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A planned encounter with its number; `day` is the planned study day where it can be told."""

    number: float
    name: str
    encounter: Encounter
    day: int | None


class Plan:
    """The codes that trial design and subject data share."""

    def __init__(self, definition: StudyDefinition, *, masked: bool) -> None:
        self.definition = definition
        self.masked = masked
        self.study = definition.study.id.upper()
        self.epochs: tuple[Epoch, ...] = definition.study.epochs
        self.epoch_terms = epoch_terms(definition)
        self._names = ShortNames()
        self._by_content: dict[tuple[str, ...], Element] = {}
        self.elements: Mapping[tuple[str, str], Element] = {
            (arm.id, epoch.id): self._element(arm, epoch)
            for arm in definition.study.arms
            for epoch in self.epochs
        }
        self.masked_elements: Mapping[str, Element] = self._masked_elements() if masked else {}
        self.visits: Mapping[str, Visit] = {
            each.id: Visit(number=float(number), name=each.name, encounter=each, day=_study_day(each))
            for number, each in enumerate(definition.schedule.encounters, start=1)
        }
        self.criteria = self._criterion_codes()

    def _element(self, arm: Arm, epoch: Epoch) -> Element:
        given = arm.cells.get(epoch.id, ())
        key = given or ("", epoch.id)
        if key not in self._by_content:
            names = {each.id: _name_of(each) for each in self.definition.study.interventions}
            self._by_content[key] = Element(
                code=self._names.new("".join(given).replace("_", "") if given else epoch.id.replace("_", "")),
                name=short_label(" + ".join(names[each] for each in given) if given else epoch.name),
                interventions=given,
            )
        return self._by_content[key]

    def _masked_elements(self) -> Mapping[str, Element]:
        """An element for each epoch in which the arms differ, which stands for any of theirs."""
        made: dict[str, Element] = {}
        for epoch in self.epochs:
            found = {self.elements[arm.id, epoch.id] for arm in self.definition.study.arms}
            if len(found) > 1:
                name = short_label(f"Masked: {epoch.name}")
                made[epoch.id] = Element(code=self._names.new("MASKED"), name=name, interventions=())
        return made

    def element(self, arm: str | None, epoch: str) -> Element | None:
        """What somebody was in, in an epoch: masked where arms differ, None where the arm is not known."""
        if epoch in self.masked_elements:
            return self.masked_elements[epoch]
        found = {
            self.elements[each.id, epoch] for each in self.definition.study.arms if arm in (None, each.id)
        }
        return found.pop() if len(found) == 1 else None

    def element_order(self, epoch: str) -> int:
        """The place of an epoch's element within each arm, from 1."""
        return next(number for number, each in enumerate(self.epochs, start=1) if each.id == epoch)

    def _criterion_codes(self) -> Mapping[str, str]:
        names = ShortNames()
        rules = self.definition.eligibility
        every = [*rules.criteria, *(each for variant in rules.variants for each in variant.criteria)]
        return {each: names.new(each.replace("_", "")) for each in dict.fromkeys(x.id for x in every)}

    def versions(self) -> list[tuple[str, tuple[Criterion, ...]]]:
        """The criteria in force under the common rules, and under each variant, by the version's name."""
        rules, version = self.definition.eligibility, self.definition.study.version
        found = [(version, rules.criteria)]
        for each in rules.variants:
            found.append((f"{version} {each.title}", rules.rules_for(each.id, each.approved_from)))
        return found


def _name_of(intervention: Intervention) -> str:
    """The name of an intervention, or the first of its other names that fits where it is too long."""
    names = (intervention.name, *intervention.other_names)
    return next((each for each in names if len(each) <= LABEL_LENGTH_MAX), intervention.name)


def arm_code(definition: StudyDefinition, arm: str) -> str:
    """The code of an arm: its name in the definition, cut to 20 characters where it is longer."""
    names = [each.id for each in definition.study.arms]
    if len(arm) <= ARM_CODE_LENGTH_MAX:
        return arm
    return f"{cut_text(arm, ARM_CODE_LENGTH_MAX - 3)}_{names.index(arm) + 1}"


ARM_CODE_LENGTH_MAX = 20


def _study_day(encounter: Encounter) -> int | None:
    """The planned day, counted from 1 as study days are; days from consent cannot be told in study days."""
    if encounter.anchor == "consent":
        return None
    return encounter.day + 1 if encounter.day >= 0 else encounter.day


def window_words(encounter: Encounter) -> str:
    """When an encounter is due, in words."""
    anchor = ANCHORS[encounter.anchor]
    if encounter.day == 0:
        words = f"On the day of {anchor}"
    else:
        days = "day" if abs(encounter.day) == 1 else "days"
        words = f"{abs(encounter.day)} {days} {'after' if encounter.day > 0 else 'before'} {anchor}"
    around = [
        f"{count} {'day' if count == 1 else 'days'} {side}"
        for count, side in ((encounter.early_days, "earlier"), (encounter.late_days, "later"))
        if count
    ]
    return f"{words}, or up to {' or '.join(around)}" if around else words
