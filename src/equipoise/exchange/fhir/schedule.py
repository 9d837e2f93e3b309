"""PlanDefinition for the schedule: epochs, what each arm is given in them, encounters and activities.

Source: HL7 FHIR R5, PlanDefinition; for the window of a visit, the extension of the Vulcan implementation
guide "Schedule of Activities".
"""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.schedule import Activity, Encounter
from equipoise.definition.model.study import Epoch
from equipoise.definition.names import ANCHORS
from equipoise.exchange.fhir.codes import PLAN_TYPE, VISIT_WINDOW
from equipoise.exchange.fhir.study import publication_status
from equipoise.exchange.fhir.tree import Names, Tree, concept, days, extension, kept, slug


def schedule_resources(definition: StudyDefinition, names: Names) -> Iterator[Tree]:
    """Yield the plan, and the definition of each activity that it names."""
    study, schedule = definition.study, definition.schedule
    anchors = dict.fromkeys(each.anchor for each in schedule.encounters)
    yield names.resource(
        "PlanDefinition",
        "schedule",
        url=names.url("PlanDefinition", "schedule"),
        version=study.version,
        title=f"Schedule of activities: {study.title}",
        type=concept(None, PLAN_TYPE, "clinical-protocol"),
        status=publication_status(study),
        subjectCodeableConcept=concept("Participant"),
        action=[
            *({"linkId": f"anchor.{slug(each)}", "title": ANCHORS[each].capitalize()} for each in anchors),
            *(_epoch(definition, each, names) for each in study.epochs),
            *_loose(definition, "logs", "Logs, filled in at any time", schedule.logs, names),
            *_loose(definition, "unscheduled", "When needed", schedule.unscheduled, names),
        ],
    )
    yield from (_activity(each, names) for each in schedule.activities)


def _epoch(definition: StudyDefinition, epoch: Epoch, names: Names) -> Tree:
    treated = [arm for arm in definition.study.arms if arm.cells.get(epoch.id)]
    cells = [
        {
            "linkId": f"cell.{slug(epoch.id)}.{slug(arm.id)}",
            "title": arm.label,
            "action": [
                {
                    "linkId": f"given.{slug(epoch.id)}.{slug(arm.id)}.{slug(each)}",
                    "definitionCanonical": names.url("ActivityDefinition", f"intervention:{each}"),
                }
                for each in arm.cells[epoch.id]
            ],
        }
        for arm in treated
    ]
    treatment = {
        "linkId": f"treatment.{slug(epoch.id)}",
        "title": "Treatment, by arm",
        "groupingBehavior": "logical-group",
        "selectionBehavior": "exactly-one",
        "action": cells,
    }
    encounters = [each for each in definition.schedule.encounters if each.epoch == epoch.id]
    return kept(
        linkId=f"epoch.{slug(epoch.id)}",
        title=epoch.name,
        code=concept(epoch.type),
        groupingBehavior="logical-group",
        action=[
            *([treatment] if cells else []),
            *(_encounter(definition, each, names) for each in encounters),
        ],
    )


def _encounter(definition: StudyDefinition, encounter: Encounter, names: Names) -> Tree:
    """Return a visit: so many days from its anchor, and the days that are acceptable."""
    window = {
        "low": days(encounter.day - encounter.early_days),
        "high": days(encounter.day + encounter.late_days),
    }
    timing = {
        "extension": [extension(VISIT_WINDOW, valueRange=window)],
        "targetId": f"anchor.{slug(encounter.anchor)}",
        "relationship": "after" if encounter.day >= 0 else "before",
        "offsetDuration": days(abs(encounter.day)),
    }
    return kept(
        linkId=f"encounter.{slug(encounter.id)}",
        title=encounter.name,
        relatedAction=[timing],
        action=[
            _done(definition, encounter, each, names)
            for each in definition.schedule.activities
            if encounter.id in each.encounters
        ],
    )


def _done(definition: StudyDefinition, encounter: Encounter, activity: Activity, names: Names) -> Tree:
    place = f"{slug(encounter.id)}.{slug(activity.id)}"
    return kept(
        linkId=f"activity.{place}",
        title=activity.name,
        definitionCanonical=names.url("ActivityDefinition", f"activity:{activity.id}"),
        action=[_form(definition, f"form.{place}.{slug(each)}", each, names) for each in activity.forms],
    )


def _form(definition: StudyDefinition, link: str, form_id: str, names: Names) -> Tree:
    form = definition.form(form_id)
    return kept(
        linkId=link,
        title=form.title if form else None,
        definitionCanonical=names.url("Questionnaire", form_id),
    )


def _loose(
    definition: StudyDefinition, link: str, title: str, forms: tuple[str, ...], names: Names
) -> Iterator[Tree]:
    """Yield the forms that no encounter plans, as a group of their own."""
    if forms:
        yield {
            "linkId": link,
            "title": title,
            "groupingBehavior": "logical-group",
            "selectionBehavior": "any",
            "action": [_form(definition, f"{link}.{slug(each)}", each, names) for each in forms],
        }


def _activity(activity: Activity, names: Names) -> Tree:
    return names.resource(
        "ActivityDefinition",
        f"activity:{activity.id}",
        url=names.url("ActivityDefinition", f"activity:{activity.id}"),
        name=activity.id,
        title=activity.name,
        status="active",
        usage=activity.note,
    )
