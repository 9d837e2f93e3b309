"""The course of a participant through the epochs: when each began, and what was in force on a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from equipoise.analysis.cut import CutParticipant
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.study import Epoch

_EPOCH_TERMS: Mapping[str, str] = {
    "screening": "SCREENING",
    "run_in": "RUN-IN",
    "treatment": "TREATMENT",
    "washout": "WASHOUT",
    "follow_up": "FOLLOW-UP",
    "extension": "EXTENSION",
}


def epoch_terms(definition: StudyDefinition) -> dict[str, str]:
    """The EPOCH of each epoch in datasets: its kind, with a number where there are several of the kind.

    A treatment or extension that nobody is masked in is called OPEN LABEL TREATMENT where another is masked.
    """
    epochs = definition.study.epochs
    masked = any(each.masked for each in epochs)
    terms = {}
    for each in epochs:
        given = each.type in ("treatment", "extension")
        opened = masked and given and not each.masked
        terms[each.id] = "OPEN LABEL TREATMENT" if opened else _EPOCH_TERMS[each.type]
    numbered: dict[str, str] = {}
    for name, term in terms.items():
        alike = [other for other, its in terms.items() if its == term]
        numbered[name] = term if len(alike) == 1 else f"{term} {alike.index(name) + 1}"
    return numbered


def treatment_epochs(definition: StudyDefinition) -> tuple[Epoch, ...]:
    """The epochs in which some arm is given something, in order."""
    given = {epoch for arm in definition.study.arms for epoch, what in arm.cells.items() if what}
    return tuple(epoch for epoch in definition.study.epochs if epoch.id in given)


def dispensing_epochs(definition: StudyDefinition) -> frozenset[str]:
    """The epochs in which the trial hands something out."""
    dispensed_at = {each for product in definition.supply.products for each in product.dispensed_at}
    return frozenset(each.epoch for each in definition.schedule.encounters if each.id in dispensed_at)


def epoch_starts(definition: StudyDefinition, person: CutParticipant) -> dict[str, date]:
    """The first day of each epoch that a participant reached.

    A treatment epoch begins with its first administration, else with its first encounter; the first of them
    with randomisation where neither took place, and where the trial hands nothing out in it. An epoch never
    begins before the one that precedes it.
    """
    planned = {each.id: each.epoch for each in definition.schedule.encounters}
    given: dict[str, date] = {}
    for administration in person.administrations:
        given[administration.epoch] = min(
            administration.given_on, given.get(administration.epoch, administration.given_on)
        )
    seen: dict[str, date] = {}
    for encounter in person.encounters:
        epoch, day = planned.get(encounter.encounter), encounter.took_place_on
        if epoch is not None and day is not None:
            seen[epoch] = min(day, seen.get(epoch, day))
    treated = treatment_epochs(definition)
    dispensed = dispensing_epochs(definition)
    starts: dict[str, date] = {}
    latest = person.consented_on
    for index, each in enumerate(definition.study.epochs):
        start = given.get(each.id) or seen.get(each.id)
        if index == 0:
            start = person.consented_on
        elif treated and each.id == treated[0].id and person.randomised_on is not None:
            # Its first encounter may be the trial's last, while treatment began with randomisation.
            supplied = start is not None and each.id in dispensed
            start = start if supplied else person.randomised_on
        if start is not None and start >= latest:
            starts[each.id] = latest = start
    return starts


def reference_start(definition: StudyDefinition, person: CutParticipant) -> date | None:
    """The day from which study days count (RFSTDTC): the first administration.

    Where the trial hands nothing out, the start of the first treatment epoch stands for it.
    """
    if person.administrations:
        return min(each.given_on for each in person.administrations)
    if definition.supply.products or person.status == "failed":
        return None
    starts = epoch_starts(definition, person)
    return next((starts[each.id] for each in treatment_epochs(definition) if each.id in starts), None)


def epoch_examined(definition: StudyDefinition, encounter_id: str) -> str:
    """The epoch that an examination at an encounter is about.

    Where an encounter opens a treatment epoch by handing out its product, what is examined there still shows
    the treatment epoch before.
    """
    planned = definition.schedule.encounter(encounter_id)
    if planned is None:
        return ""
    treated = [epoch.id for epoch in treatment_epochs(definition)]
    opens = next(each for each in definition.schedule.encounters if each.epoch == planned.epoch) == planned
    dispensed = any(encounter_id in product.dispensed_at for product in definition.supply.products)
    if opens and dispensed and planned.epoch in treated[1:]:
        return treated[treated.index(planned.epoch) - 1]
    return planned.epoch


def epoch_on(starts: dict[str, date], day: date | None) -> str | None:
    """The epoch in force on a day: the last one that had begun; None for a day before all or unknown."""
    if day is None:
        return None
    return next((epoch for epoch in reversed(starts) if starts[epoch] <= day), None)


def interventions_planned(definition: StudyDefinition, arm: str | None, epoch: str) -> tuple[str, ...]:
    """What the arm is given in an epoch; empty without an arm."""
    planned = None if arm is None else definition.arm(arm)
    return planned.cells.get(epoch, ()) if planned else ()


def treatment_received(definition: StudyDefinition, person: CutParticipant, epoch: str) -> str | None:
    """The names of what a participant was in fact given in an epoch, None for nothing or when the arm is
    hidden.

    Where the trial supplies a product, what was planned counts as given only if a unit was administered in
    that epoch.
    """
    planned = interventions_planned(definition, person.arm, epoch)
    names = {each.id: each.name for each in definition.study.interventions}
    dispensed = dispensing_epochs(definition)
    if not planned or (epoch in dispensed and all(each.epoch != epoch for each in person.administrations)):
        return None
    return " + ".join(names[each] for each in planned)


def treatment_planned(definition: StudyDefinition, arm: str | None, epoch: str) -> str | None:
    """The names of what an arm is given in an epoch; None for nothing or when the arm is hidden."""
    names = {each.id: each.name for each in definition.study.interventions}
    planned = interventions_planned(definition, arm, epoch)
    return " + ".join(names[each] for each in planned) or None
