"""Protocol deviations, by rule: what the cut shows and the definition did not plan (ICH E3, 10.2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from equipoise.analysis.cut import CutParticipant, DataCut
from equipoise.analysis.result import Deviation
from equipoise.definition.model.definition import StudyDefinition

KINDS = {
    "ineligible": "Randomised although a criterion was not met",
    "emergency_unblinding": "Code broken in an emergency",
    "not_administered": "Planned administration not given",
    "missed_encounter": "Encounter missed",
    "out_of_window": "Encounter outside its window",
    "missing_form": "Planned form not filled",
    "missing_reading": "Central reading missing",
}
"""Every kind of deviation, with its words, in the order of reporting."""

MAJOR = frozenset({"ineligible", "emergency_unblinding", "not_administered"})


def derive_deviations(cut: DataCut) -> tuple[Deviation, ...]:
    """All deviations of randomised participants (of all, where nobody is randomised), by participant."""
    study = cut.definition.study
    return tuple(
        deviation
        for person in cut.participants
        if person.randomised_on is not None or not study.randomised
        for deviation in _of_participant(cut.definition, person)
    )


def _of_participant(definition: StudyDefinition, person: CutParticipant) -> Iterator[Deviation]:
    yield from _ineligible(definition, person)
    if "emergency" in person.unblindings:
        yield _deviation(person, "emergency_unblinding", "The code was broken in an emergency")
    yield from _encounters(definition, person)
    yield from _missing(definition, person)


def _deviation(
    person: CutParticipant, kind: str, text: str, encounter: str | None = None, on: date | None = None
) -> Deviation:
    return Deviation(
        participant=person.participant,
        kind=kind,
        severity="major" if kind in MAJOR else "minor",
        text=text,
        encounter=encounter,
        on=on,
    )


def _ineligible(definition: StudyDefinition, person: CutParticipant) -> Iterator[Deviation]:
    day = person.randomised_on
    if day is None:
        return
    for criterion in definition.eligibility.rules_for(person.variant, day):
        found = person.criteria.get(criterion.id)
        wanted = "met" if criterion.category == "inclusion" else "not_met"
        if found is not None and found != wanted:
            words = "not known" if found == "unknown" else found.replace("_", " ")
            yield _deviation(person, "ineligible", f"Criterion {criterion.id} was {words}", on=day)


def _encounters(definition: StudyDefinition, person: CutParticipant) -> Iterator[Deviation]:
    for each in person.encounters:
        planned = definition.schedule.encounter(each.encounter)
        name = planned.name if planned else each.encounter
        if each.status == "missed":
            cause = f": {each.cause}" if each.cause else ""
            yield _deviation(person, "missed_encounter", f"{name} was missed{cause}", each.encounter)
        elif each.status in ("early", "late"):
            days = abs(each.days_off)
            text = f"{name} took place {days} {'day' if days == 1 else 'days'} too {each.status}"
            yield _deviation(person, "out_of_window", text, each.encounter, each.took_place_on)


def _missing(definition: StudyDefinition, person: CutParticipant) -> Iterator[Deviation]:
    filled = {(row.form, row.encounter) for row in person.rows}
    given = {each.encounter for each in person.administrations}
    imaging = definition.imaging
    # Forms of unmasking content are absent from a masked cut, which says nothing about whether they were
    # filled.
    skipped = {form.id for form in definition.forms if form.unmasking or form.repeating or form.retired}
    conditional = {
        form.id
        for form in definition.forms
        if all(item.when is not None or item.retired for item in form.items)
    }
    for each in person.encounters:
        planned = definition.schedule.encounter(each.encounter)
        if planned is None or each.took_place_on is None:
            continue
        for form in definition.schedule.forms_at(each.encounter):
            asked = form not in skipped | conditional and form not in each.not_asked
            if asked and (form, each.encounter) not in filled:
                title = next(known.title for known in definition.forms if known.id == form)
                text = f"{title} was not filled at {planned.name}"
                yield _deviation(person, "missing_form", text, each.encounter, each.took_place_on)
        scanned = imaging is not None and (imaging.acquisition_form, each.encounter) in filled
        if imaging and scanned and (imaging.read_form, each.encounter) not in filled:
            text = f"No reading of {planned.name} is final"
            yield _deviation(person, "missing_reading", text, each.encounter, each.took_place_on)
        # Whoever withdrew from treatment and comes to be followed is given nothing, as agreed.
        stopped = (
            person.end_scope == "treatment" and (person.ended_on or each.took_place_on) <= each.took_place_on
        )
        for product in definition.supply.products:
            if not stopped and each.encounter in product.dispensed_at and each.encounter not in given:
                text = f"{product.name} was not given at {planned.name}"
                yield _deviation(person, "not_administered", text, each.encounter, each.took_place_on)
