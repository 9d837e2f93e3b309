"""schedule.yaml as far as a USDM file holds it: encounters with their days and windows, and activities."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from equipoise.exchange.unreadable import FileUnreadable
from equipoise.exchange.usdm.draft import Draft, Tree, called, filled
from equipoise.exchange.usdm.terms import AFTER, BEFORE, FIXED, START_TO_START, VISIT
from equipoise.exchange.usdm.tree import Part
from equipoise.exchange.usdm.write_schedule import (
    ADMINISTRATION,
    ANCHOR_ACTIVITIES,
    LOG,
    UNSCHEDULED,
)

_DURATION: Final = re.compile(
    r"P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?)?"
)
_SECONDS: Final = (604_800, 86_400, 3_600, 60, 1)
_DAY_LABEL: Final = re.compile(r"Day -?\d+")
_WINDOW_LABEL: Final = re.compile(r"-\d+\.\.\+\d+ days")
# Words that tell which point of a trial a timeline is anchored at, the first that is found.
_ANCHOR_WORDS: Final = {
    "randomi": "randomisation",
    "dose": "first_administration",
    "dosing": "first_administration",
    "administration": "first_administration",
    "treatment": "first_administration",
    "consent": "consent",
    "screen": "consent",
}


@dataclass
class _Timeline:
    """The main timeline: its instances in order, and the timing that each is placed by."""

    instances: list[Part]
    timings: dict[str, Part]
    anchors: dict[str, str | None] = field(default_factory=dict)


def schedule_part(draft: Draft) -> Tree:
    """Return the content of schedule.yaml; encounters and activities get their names here."""
    timelines = draft.design.parts("scheduleTimelines")
    main = next((one for one in timelines if one.tree.get("mainTimeline") is True), None)
    for one in timelines:
        one.flag("mainTimeline")
    timeline = _timeline(main) if main else _Timeline([], {})
    parts = draft.design.linked("encounters")
    for part in parts:
        draft.name(part, "encounter")
    encounters = [_encounter(draft, part, timeline) for part in parts]
    done = _done_at(draft, timeline)
    activities: list[Tree] = []
    tree: Tree = {"encounters": encounters, "activities": activities}
    for part in draft.design.linked("activities"):
        if not (draft.own and _is_derived(draft, part, tree, done.get(part.id, []))):
            activities.append(_activity(draft, part, done.get(part.id, [])))
    if draft.own:
        for one in timelines:
            _settle_timeline(one)
    return tree


def _timeline(main: Part) -> _Timeline:
    """Follow the timeline from its entry along the default conditions."""
    instances: list[Part] = []
    passed: set[str] = set()
    here = main.follow("entryId")
    while here is not None:
        if here.id in passed:
            raise FileUnreadable(
                "USDM-LOOP", "The timeline comes back to an instance that it passed before.", here.place
            )
        passed.add(here.id)
        here.follow("timelineExitId")
        if here.kind == "ScheduledActivityInstance":
            instances.append(here)
        here = here.follow("defaultConditionId")
    timings: dict[str, Part] = {}
    for timing in main.parts("timings"):
        timings.setdefault(timing.peek("relativeFromScheduledInstanceId") or "", timing)
    return _Timeline(instances, timings)


def _encounter(draft: Draft, part: Part, timeline: _Timeline) -> Tree:
    part.is_code("type", VISIT)
    instances = [one for one in timeline.instances if one.peek("encounterId") == part.id]
    scheduled = part.follow("scheduledAtId")
    instance = next((one for one in instances if one.id in timeline.timings), None)
    if scheduled is not None:
        placed = scheduled.peek("relativeFromScheduledInstanceId")
        instance = next((one for one in instances if one.id == placed), instance)
    timing = scheduled or (timeline.timings.get(instance.id) if instance else None)
    epoch = draft.named(instances[0].follow("epochId")) if instances else None
    day, anchor = _day(timeline, instance) if instance is not None else (None, None)
    windows = {
        "early_days": _days(timing, "windowLower") if timing else None,
        "late_days": _days(timing, "windowUpper") if timing else None,
    }
    if timing is not None and draft.own:
        timing.done("windowLabel")
    return filled(
        {
            "id": draft.named(part),
            "name": called(part),
            "epoch": epoch,
            "anchor": anchor,
            "day": day,
            **{name: days for name, days in windows.items() if days},
        }
    )


def _day(timeline: _Timeline, instance: Part) -> tuple[int | None, str | None]:
    """Return the day of an instance, counted from the anchor that its timings lead to, and that anchor."""
    day: Decimal = Decimal(0)
    passed: set[str] = set()
    while instance.id not in passed:
        passed.add(instance.id)
        timing = timeline.timings.get(instance.id)
        if timing is None:
            return None, None
        if timing.is_code("type", FIXED):
            return int(day), _anchor(timeline, instance, timing)
        before = timing.is_code("type", BEFORE)
        step, target = _duration(timing.peek("value")), timing.follow("relativeToScheduledInstanceId")
        if step is None or target is None or not (before or timing.is_code("type", AFTER)):
            return None, None
        day += -step if before else step
        if step == int(step):
            timing.done("value", "relativeFromScheduledInstanceId")
            timing.is_code("relativeToFrom", START_TO_START)
            timing.done(*(["valueLabel"] if _DAY_LABEL.fullmatch(timing.peek("valueLabel") or "") else []))
        instance = target
    raise FileUnreadable("USDM-LOOP", "The timings refer to one another in a circle.", instance.place)


def _anchor(timeline: _Timeline, instance: Part, timing: Part) -> str | None:
    """The anchor of the study folder that the words of an anchor say, None where they say none."""
    if instance.id not in timeline.anchors:
        words = " ".join(
            part.peek(key) or "" for part in (instance, timing) for key in ("name", "label", "description")
        ).lower()
        found = [anchor for word, anchor in _ANCHOR_WORDS.items() if word in words]
        named = [name for name in ANCHOR_ACTIVITIES if f"anchor {name}" == instance.peek("name")]
        timeline.anchors[instance.id] = next(iter((*named, *found)), None)
    return timeline.anchors[instance.id]


def _duration(text: str | None) -> Decimal | None:
    """Return an ISO 8601 duration of weeks, days and parts of a day, in days."""
    match = _DURATION.fullmatch(text or "")
    if match is None or not any(match.groups()):
        return None
    seconds = sum(int(part or 0) * unit for part, unit in zip(match.groups(), _SECONDS, strict=True))
    return Decimal(seconds) / 86_400


def _days(timing: Part, key: str) -> int | None:
    """Return the whole days of one side of a window; of a part of a day the file keeps what is left."""
    days = _duration(timing.peek(key))
    if days is None:
        return None
    if days == int(days):
        timing.done(key)
        if _WINDOW_LABEL.fullmatch(timing.peek("windowLabel") or ""):
            timing.done("windowLabel")
    return int(days)


def _done_at(draft: Draft, timeline: _Timeline) -> dict[str, list[str]]:
    """The encounters at which each activity is done, by the id of the activity."""
    found: dict[str, list[str]] = {}
    for instance in timeline.instances:
        encounter = draft.named(instance.follow("encounterId"))
        instance.follow("epochId")
        if encounter is not None:
            for activity in instance.follow_all("activityIds"):
                places = found.setdefault(activity.id, [])
                if encounter not in places:
                    places.append(encounter)
    return found


def _is_derived(draft: Draft, part: Part, tree: Tree, encounters: list[str]) -> bool:
    """Whether this program made an activity of something else; that goes back to where it came from."""
    name = part.peek("name") or ""
    forms = [form for one in part.follow_all("biomedicalConceptIds") if (form := draft.named(one))]
    if name == UNSCHEDULED:
        tree["unscheduled"] = forms
    elif name.startswith(LOG):
        logs = tree.setdefault("logs", [])
        if isinstance(logs, list):
            logs += forms
    elif name.startswith(ADMINISTRATION):
        draft.given_at[name.removeprefix(ADMINISTRATION)] = encounters
    elif name not in ANCHOR_ACTIVITIES.values():
        return False
    part.settle()
    return True


def _activity(draft: Draft, part: Part, encounters: list[str]) -> Tree:
    forms = [form for one in part.follow_all("biomedicalConceptIds") if (form := draft.named(one))]
    tree = filled(
        {
            "id": draft.name(part, "activity"),
            "name": called(part),
            "forms": forms,
            "encounters": encounters,
            "note": part.text("description"),
        }
    )
    if draft.own:
        for procedure in part.parts("definedProcedures"):
            procedure.settle()
    return tree


def _settle_timeline(timeline: Part) -> None:
    """Count the timings and instances that this program wrote as understood."""
    timeline.done("name", "label", "entryCondition", "entryId")
    for part in (*timeline.parts("timings"), *timeline.parts("instances")):
        part.settle()
    timeline.settle_at("plannedDuration")
