"""Encounters, activities, forms and timelines in USDM.

Consent, randomisation and the first administration are points of the main timeline of their own, from which
the encounters are counted, each with its window. Logs and unplanned visits have timelines of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import Form, Item
from equipoise.definition.model.schedule import Encounter
from equipoise.exchange.usdm.make import Maker, Tree
from equipoise.exchange.usdm.terms import AFTER, BEFORE, DAY, FIXED, START_TO_START, VISIT, Term

ANCHOR_ACTIVITIES = {
    "consent": "Consent",
    "randomisation": "Randomisation",
    "first_administration": "First administration",
}
"""The activities at the points that encounters are counted from."""
UNSCHEDULED = "Unscheduled visit"
LOG = "Log: "
ADMINISTRATION = "Administration: "
MAIN = "Main timeline"
ASKED_OF_UNMASKED = "Shown to unmasked roles only"
DATATYPES = {
    "integer": "integer",
    "decimal": "decimal",
    "text": "text",
    "boolean": "boolean",
    "choice": "string",
    "date": "date",
    "partial_date": "partialDate",
    "datetime": "datetime",
}


@dataclass(frozen=True, slots=True)
class Stop:
    """A point of the main timeline: an encounter, or an anchor that encounters are counted from."""

    epoch: str
    encounter: Encounter | None
    anchor: str | None

    @property
    def key(self) -> str:
        return self.encounter.id if self.encounter else f"anchor {self.anchor}"


def stops_of(definition: StudyDefinition) -> list[Stop]:
    """Return the points in their order; an anchor stands before the first encounter that is not before it."""
    encounters = definition.schedule.encounters
    stops = [Stop(encounter.epoch, encounter, None) for encounter in encounters]
    for anchor in dict.fromkeys(encounter.anchor for encounter in encounters):
        counted = [stop for stop in stops if stop.encounter and stop.encounter.anchor == anchor]
        after = [stop for stop in counted if stop.encounter and stop.encounter.day >= 0]
        place = stops.index(after[0]) if after else stops.index(counted[-1]) + 1
        stops.insert(place, Stop((after or counted[-1:])[0].epoch, None, anchor))
    return stops


def write_encounters(maker: Maker, definition: StudyDefinition) -> list[Tree]:
    """Return the planned visits, linked in their order."""
    encounters = definition.schedule.encounters
    return [
        maker.make(
            "Encounter",
            {
                "name": encounter.id,
                "label": encounter.name,
                "type": maker.code(VISIT),
                "environmentalSettings": [],
                "contactModes": [],
                "previousId": maker.id_of("Encounter", encounters[place - 1].id) if place else None,
                "nextId": maker.id_of("Encounter", encounters[place + 1].id)
                if place + 1 < len(encounters)
                else None,
                "scheduledAtId": maker.id_of("Timing", encounter.id),
            },
            key=encounter.id,
        )
        for place, encounter in enumerate(encounters)
    ]


@dataclass(frozen=True, slots=True)
class _Activity:
    """An activity with where it is done; `given` are the interventions that it gives."""

    name: str
    label: str
    note: str | None = None
    forms: tuple[str, ...] = ()
    encounters: tuple[str, ...] = ()
    given: tuple[str, ...] = ()


def _activities(definition: StudyDefinition) -> Iterator[_Activity]:
    """The activities of the schedule, with those that the folder says elsewhere."""
    schedule = definition.schedule
    for anchor in dict.fromkeys(encounter.anchor for encounter in schedule.encounters):
        yield _Activity(ANCHOR_ACTIVITIES[anchor], ANCHOR_ACTIVITIES[anchor])
    for one in schedule.activities:
        yield _Activity(one.id, one.name, one.note, one.forms, one.encounters)
    for product in definition.supply.products:
        yield _Activity(
            f"{ADMINISTRATION}{product.id}",
            f"{ADMINISTRATION}{product.name}",
            encounters=product.dispensed_at,
            given=product.interventions,
        )
    if schedule.unscheduled:
        yield _Activity(UNSCHEDULED, UNSCHEDULED, forms=schedule.unscheduled)
    titles = {form.id: form.title for form in definition.forms}
    for name in schedule.logs:
        yield _Activity(f"{LOG}{name}", titles[name], forms=(name,))


def write_activities(maker: Maker, definition: StudyDefinition) -> list[Tree]:
    """Return what is done, linked in its order: forms as biomedical concepts, all else as procedures."""
    activities = list(_activities(definition))
    called = {one.id: one.name for one in definition.study.interventions}

    def neighbour(place: int) -> str | None:
        inside = 0 <= place < len(activities)
        return maker.id_of("Activity", activities[place].name) if inside else None

    return [
        maker.make(
            "Activity",
            {
                "name": one.name,
                "label": one.label,
                "description": one.note,
                "previousId": neighbour(place - 1),
                "nextId": neighbour(place + 1),
                "definedProcedures": [
                    _procedure(maker, given, called[given], "Administration", given) for given in one.given
                ]
                or ([] if one.forms else [_procedure(maker, one.name, one.label, "Study procedure")]),
                "biomedicalConceptIds": [maker.id_of("BiomedicalConcept", form) for form in one.forms],
            },
            key=one.name,
        )
        for place, one in enumerate(activities)
    ]


def _procedure(maker: Maker, name: str, label: str, kind: str, given: str | None = None) -> Tree:
    return maker.make(
        "Procedure",
        {
            "name": name,
            "label": label,
            "procedureType": kind,
            "code": maker.code(Term(name, label), "Equipoise activities", "1"),
            "studyInterventionId": maker.id_of("StudyIntervention", given) if given else None,
        },
    )


def write_concepts(maker: Maker, definition: StudyDefinition) -> list[Tree]:
    """Return the forms as biomedical concepts of the study's own, with their items as properties."""
    system = f"{definition.study.id} forms"
    return [
        maker.make(
            "BiomedicalConcept",
            {
                "name": form.id,
                "label": form.title,
                "reference": f"forms/{form.id}.yaml",
                "properties": [_property(maker, definition, form, item) for item in form.items],
                "code": _study_code(maker, definition, system, Term(form.id, form.title)),
                "notes": _form_notes(maker, form),
            },
            key=form.id,
        )
        for form in definition.forms
    ]


def _study_code(maker: Maker, definition: StudyDefinition, system: str, term: Term) -> Tree:
    return maker.alias(maker.code(term, system, definition.study.version))


def _form_notes(maker: Maker, form: Form) -> list[Tree]:
    return maker.notes(
        ("Repeating", "yes" if form.repeating else None),
        ("Log", "yes" if form.log else None),
        ("Dated by", form.dated_by),
        ("Filled by", ", ".join(form.filled_by)),
        (ASKED_OF_UNMASKED, "yes" if form.unmasking else None),
        ("Source", form.source),
        ("Source verification", None if form.source_verification == "all" else form.source_verification),
    )


def _property(maker: Maker, definition: StudyDefinition, form: Form, item: Item) -> Tree:
    system = f"{definition.study.id} {form.id}"
    answers = [
        maker.make(
            "ResponseCode",
            {
                "name": f"{form.id}.{item.id}.{code.code}",
                "label": code.label,
                "isEnabled": True,
                "code": maker.code(
                    Term(code.code, code.label), f"{system}.{item.id}", definition.study.version
                ),
            },
        )
        for code in item.codes
    ]
    return maker.make(
        "BiomedicalConceptProperty",
        {
            "name": f"{form.id}.{item.id}",
            "label": item.label,
            "isRequired": item.required,
            "isEnabled": True,
            "datatype": DATATYPES[item.type],
            "responseCodes": answers,
            "code": _study_code(maker, definition, system, Term(item.id, item.label)),
            "notes": maker.notes(
                ("Unit", item.unit),
                ("Minimum", _number(item.minimum)),
                ("Maximum", _number(item.maximum)),
                ("Step", _number(item.step)),
                (ASKED_OF_UNMASKED, "yes" if item.unmasking else None),
                ("Coded with", item.coded_with),
                ("Critical", "yes" if item.critical else None),
                ("Help", item.help),
            ),
        },
    )


def _number(value: object) -> str | None:
    return None if value is None else str(value)


def write_timelines(maker: Maker, definition: StudyDefinition) -> list[Tree]:
    """Return the main timeline, and one for unplanned visits and for each log."""
    schedule = definition.schedule
    titles = {form.id: form.title for form in definition.forms}
    found = [_main_timeline(maker, definition)] if schedule.encounters else []
    if schedule.unscheduled:
        when = "When a visit is made that is not planned"
        found.append(_side_timeline(maker, UNSCHEDULED, UNSCHEDULED, UNSCHEDULED, when))
    for name in schedule.logs:
        when = f"When there is something to record under {titles[name]}, at an encounter or between"
        found.append(_side_timeline(maker, f"{LOG}{name}", titles[name], f"{LOG}{name}", when))
    return found


def _main_timeline(maker: Maker, definition: StudyDefinition) -> Tree:
    stops, activities = stops_of(definition), list(_activities(definition))
    leave = maker.make("ScheduleTimelineExit", {})
    instances = []
    for place, stop in enumerate(stops):
        done = [
            one.name
            for one in activities
            if (stop.encounter and stop.encounter.id in one.encounters)
            or (stop.anchor and one.name == ANCHOR_ACTIVITIES[stop.anchor])
        ]
        last = place + 1 == len(stops)
        fields: Tree = {
            "name": stop.key,
            "label": stop.encounter.name if stop.encounter else ANCHOR_ACTIVITIES[stop.anchor or ""],
            "defaultConditionId": None if last else _instance_id(maker, stops[place + 1].key),
            "timelineExitId": leave["id"] if last else None,
            "epochId": maker.id_of("StudyEpoch", stop.epoch),
            "activityIds": [maker.id_of("Activity", name) for name in done],
            "encounterId": maker.id_of("Encounter", stop.encounter.id) if stop.encounter else None,
        }
        instances.append(maker.make("ScheduledActivityInstance", fields, key=stop.key))
    return maker.make(
        "ScheduleTimeline",
        {
            "name": MAIN,
            "label": MAIN,
            "mainTimeline": True,
            "entryCondition": "A person is screened for the study",
            "entryId": _instance_id(maker, stops[0].key),
            "exits": [leave],
            "timings": [_timing(maker, stop) for stop in stops],
            "instances": instances,
            "plannedDuration": _duration(maker, stops),
        },
        key=MAIN,
    )


def _instance_id(maker: Maker, key: str) -> str:
    return maker.id_of("ScheduledActivityInstance", key)


def _timing(maker: Maker, stop: Stop) -> Tree:
    encounter, own = stop.encounter, _instance_id(maker, stop.key)
    if encounter is None:
        return _fixed_timing(maker, stop.key, ANCHOR_ACTIVITIES[stop.anchor or ""], own)
    early, late = encounter.early_days, encounter.late_days
    return maker.make(
        "Timing",
        {
            "name": encounter.id,
            "label": encounter.name,
            "type": maker.code(BEFORE if encounter.day < 0 else AFTER),
            "value": f"P{abs(encounter.day)}D",
            "valueLabel": f"Day {encounter.day}",
            "relativeToFrom": maker.code(START_TO_START),
            "relativeFromScheduledInstanceId": own,
            "relativeToScheduledInstanceId": _instance_id(maker, f"anchor {encounter.anchor}"),
            "windowLower": f"P{early}D",
            "windowUpper": f"P{late}D",
            "windowLabel": f"-{early}..+{late} days",
        },
        key=encounter.id,
    )


def _fixed_timing(maker: Maker, key: str, label: str, instance: str) -> Tree:
    return maker.make(
        "Timing",
        {
            "name": key,
            "label": label,
            "type": maker.code(FIXED),
            "value": "P0D",
            "valueLabel": "Day 0",
            "relativeToFrom": maker.code(START_TO_START),
            "relativeFromScheduledInstanceId": instance,
            "relativeToScheduledInstanceId": instance,
        },
        key=key,
    )


def _duration(maker: Maker, stops: list[Stop]) -> Tree:
    last = next(stop.encounter for stop in reversed(stops) if stop.encounter)
    point = ANCHOR_ACTIVITIES[last.anchor].lower()
    text = f"To {last.name}, planned for day {last.day} from {point}"
    days = [stop.encounter.day for stop in stops if stop.encounter]
    if len({stop.encounter.anchor for stop in stops if stop.encounter}) > 1:
        return maker.varying_duration(text, "Encounters are counted from several points")
    quantity = maker.quantity(last.day - min(0, *days), DAY)
    return maker.make("Duration", {"text": text, "quantity": quantity, "durationWillVary": False})


def _side_timeline(maker: Maker, name: str, label: str, activity: str, when: str) -> Tree:
    leave = maker.make("ScheduleTimelineExit", {})
    instance = maker.make(
        "ScheduledActivityInstance",
        {
            "name": name,
            "label": label,
            "timelineExitId": leave["id"],
            "activityIds": [maker.id_of("Activity", activity)],
        },
        key=name,
    )
    own = _instance_id(maker, name)
    return maker.make(
        "ScheduleTimeline",
        {
            "name": name,
            "label": label,
            "mainTimeline": False,
            "entryCondition": when,
            "entryId": own,
            "exits": [leave],
            "timings": [_fixed_timing(maker, name, label, own)],
            "instances": [instance],
        },
        key=name,
    )
