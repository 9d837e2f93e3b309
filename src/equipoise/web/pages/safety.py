"""Safety: adverse events, their assessment, and the clocks of expedited reports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from equipoise.access.content import Audience
from equipoise.conduct.trail import AuditLine
from equipoise.conduct.view.lines import ClockLine, RecordLine
from equipoise.definition.model.conduct import Safety
from equipoise.safety.state import EventRow, is_suspected_reaction
from equipoise.web.event_reports import WHO as REPORTERS
from equipoise.web.items import shown
from equipoise.web.listing import Column, make_listing
from equipoise.web.people import names_of
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Kinds, Sees
from equipoise.web.words_of_values import time_at, word_of_state

_OPEN = ("running", "overdue")
_DAY, _HOUR = 86400, 3600
_DAY_LENGTH = len("2024-05-17")

STEPS: dict[str, Promise] = {
    "FormRecorded": gettext_lazy("Recorded"),
    "ItemCorrected": gettext_lazy("Corrected"),
    "RowRemoved": gettext_lazy("Struck out"),
    "AdverseEventJudged": gettext_lazy("Judged from the answers"),
    "AdverseEventStruckOut": gettext_lazy("No event any more"),
    "AdverseEventAssessed": gettext_lazy("Assessed by the sponsor"),
    "SafetyClockStarted": gettext_lazy("A clock started"),
    "SafetyClockStopped": gettext_lazy("A clock stopped"),
    "SafetyReportSubmitted": gettext_lazy("A report was sent"),
}
"""What happened to an event, by the kind of entry."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A reporting deadline as it is drawn; `used` is how much of its time is over, per mille."""

    line: ClockLine
    term: str
    due: tuple[str, str]
    left: str
    used: int

    @property
    def address(self) -> str:
        """The page of its event."""
        return reverse("safety_event", args=[self.line.participant, self.line.row])


@dataclass(frozen=True, slots=True)
class Event:
    """An adverse event with what was recorded of it."""

    row: EventRow
    record: RecordLine | None
    clocks: tuple[ClockLine, ...]

    @property
    def address(self) -> str:
        """The page of the event."""
        return reverse("safety_event", args=[self.row.participant, self.row.row])

    @property
    def suspected_reaction(self) -> bool:
        """Whether it is a suspected unexpected serious adverse reaction, by the site or by the sponsor."""
        return is_suspected_reaction(
            serious=self.row.serious,
            related=self.row.related,
            unexpected=self.row.unexpected,
            sponsor_related=self.row.sponsor_related,
            sponsor_expected=self.row.sponsor_expected,
        )

    @property
    def waits(self) -> bool:
        """Whether a serious event has no assessment of the sponsor yet."""
        return self.row.serious and self.row.sponsor_related is None


@dataclass(frozen=True, slots=True)
class Happening:
    """One step in the course of an event."""

    recorded_at: str
    title: str
    name: str
    words: str


def show_safety(request: ClinicRequest) -> HttpResponse:
    """Draw the open clocks, what waits for an assessment, and every event."""
    events = read_events(request)
    lines = request.seen.clock_states(request.clinic.now())
    terms = {(each.row.participant, each.row.row): answer_to(request, each, "term") for each in events}
    listing = make_listing(request, "adverse_events", _columns(request), events)
    clocks = make_listing(request, "clocks_list", _clock_columns(request), lines)
    for each in (listing, clocks):
        if isinstance(each, HttpResponse):
            return each
    context = {
        "listing": listing,
        "clocks": clocks,
        "running": [
            _clock(request, line, terms.get((line.participant, line.row), ""))
            for line in lines
            if line.state in _OPEN
        ],
        "waiting": [(each, answer_to(request, each, "term")) for each in events if each.waits],
        "may": request.seen.permitted_commands(),
    }
    return render(request, "pages/safety.html", context)


def show_event(request: ClinicRequest, participant: str, row: int) -> HttpResponse:
    """Draw one event: its answers, its judgements, its clocks, and what followed."""
    found = [
        each for each in read_events(request) if (each.row.participant, each.row.row) == (participant, row)
    ]
    if not found:
        raise Http404
    event = found[0]
    term = answer_to(request, event, "term")
    definition = request.definition
    permitted = definition.allocation.emergency_unblinding.permitted
    safety = _safety(request)
    context = {
        "event": event,
        "term": term,
        "answers": list(answers_of(request, event)),
        "running": [_clock(request, line, term) for line in event.clocks],
        "course": _course(request, event),
        "may": request.seen.permitted_commands(),
        "may_report": event.row.serious and REPORTERS.admits(request.seen.viewer),
        "form": safety.form,
        "revealed_to": [role.name for role in definition.study.roles if role.id in permitted],
        "aware": _both_times(request, event.row.aware_at, participant),
    }
    return render(request, "pages/safety_event.html", context)


def read_events(request: ClinicRequest) -> list[Event]:
    """Return the adverse events that the reader may see, with their answers and clocks."""
    seen, form = request.seen, _safety(request).form
    rows = seen.adverse_events()
    records: dict[tuple[str, int], RecordLine] = {}
    for code in sorted({row.participant for row in rows}):
        for line in seen.records(code):
            if line.form == form:
                records[code, line.row] = line
    clocks: dict[tuple[str, int], list[ClockLine]] = {}
    for each in seen.clock_states(request.clinic.now()):
        clocks.setdefault((each.participant, each.row), []).append(each)
    return [
        Event(
            row,
            records.get((row.participant, row.row)),
            tuple(clocks.get((row.participant, row.row), ())),
        )
        for row in sorted(rows, key=lambda row: (row.participant, row.row))
    ]


def answer_to(request: ClinicRequest, event: Event, what: str) -> str:
    """Return the answer to the item that the definition names for a meaning, as it is read."""
    form = request.definition.form(_safety(request).form)
    named = getattr(_safety(request), what)
    item = form.item(named) if form and named else None
    if item is None or event.record is None:
        return ""
    given = event.record.values.get(item.id)
    return shown(item, given, _zone(request, event.row.participant))


def _safety(request: ClinicRequest) -> Safety:
    safety = request.definition.safety
    if safety is None:
        raise Http404
    return safety


def answers_of(request: ClinicRequest, event: Event) -> Iterator[tuple[str, str]]:
    """Iterate over what was answered of an event: the question, and the answer as it is read."""
    form = request.definition.form(_safety(request).form)
    for item in form.items if form else ():
        if event.record is not None and item.id in event.record.values:
            given = event.record.values[item.id]
            if item.type == "datetime":
                yield item.label, _both_times(request, str(given), event.row.participant)
            else:
                yield item.label, shown(item, given, _zone(request, event.row.participant))


def _clock(request: ClinicRequest, line: ClockLine, term: str) -> Clock:
    now = request.clinic.now()
    started, due = datetime.fromisoformat(line.started_at), datetime.fromisoformat(line.due_at)
    whole = max(1.0, (due - started).total_seconds())
    end = datetime.fromisoformat(line.submitted_at) if line.submitted_at else now
    used = min(1.0, max(0.0, (end - started).total_seconds() / whole))
    left = _time_left(line, (due - now).total_seconds())
    return Clock(line, term, _times(request, line.due_at, line.participant), left, round(used * 1000))


def _time_left(line: ClockLine, seconds: float) -> str:
    if line.state == "overdue":
        return _("overdue by %(time)s") % {"time": _duration(-seconds)}
    return _("%(time)s left") % {"time": _duration(seconds)} if line.state == "running" else ""


def _duration(seconds: float) -> str:
    days, rest = divmod(int(max(0.0, seconds)), _DAY)
    hours, minutes = divmod(rest, _HOUR)
    if days:
        day = ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
        return f"{day} {hours} h"
    return f"{hours} h {minutes // 60} min"


def _times(request: ClinicRequest, recorded: str, participant: str) -> tuple[str, str]:
    """A time as it was at the participant's site, and in UTC."""
    here = _zone(request, participant)
    return time_at(recorded, here), time_at(recorded, request.clinic.zone(None))


def _zone(request: ClinicRequest, participant: str) -> ZoneInfo:
    return request.clinic.zone(participant.split("-", maxsplit=1)[0])


def _both_times(request: ClinicRequest, recorded: str | None, participant: str) -> str:
    if not recorded or len(recorded) <= _DAY_LENGTH:
        return recorded or ""
    there, utc = _times(request, recorded, participant)
    return there if there == utc else f"{there} ({utc})"


def _course(request: ClinicRequest, event: Event) -> list[Happening]:
    form, row = _safety(request).form, event.row.row
    lines = [
        line
        for line in request.seen.audit(event.row.participant)
        if line.kind in STEPS and line.content.get("row") == row and line.content.get("form", form) == form
    ]
    names = names_of(line.account for line in lines)
    return [
        Happening(
            _times(request, line.recorded_at, event.row.participant)[0],
            str(STEPS[line.kind]),
            names[line.account],
            _what(request, line),
        )
        for line in lines
    ]


def _what(request: ClinicRequest, line: AuditLine) -> str:
    said = line.content
    titles = {clock.id: clock.title for clock in _safety(request).clocks}
    if line.kind == "AdverseEventAssessed":
        related = _("related") if said["related"] else _("not related")
        expected = _("expected") if said["expected"] else _("unexpected")
        return f"{related}, {expected}: {said['text']}"
    if line.kind == "AdverseEventJudged":
        judged = (
            _("serious") if said["serious"] else _("not serious"),
            _("related") if said["related"] else _("not related"),
            _("unexpected") if said["unexpected"] else _("expected"),
        )
        return ", ".join(judged)
    if line.kind == "ItemCorrected":
        return _correction(request, line)
    if "clock" in said:
        title = str(titles.get(said["clock"], said["clock"]))
        late = _("after its deadline") if said.get("late") else ""
        return f"{title} {late}".strip()
    return line.reason or ""


def _correction(request: ClinicRequest, line: AuditLine) -> str:
    form = request.definition.form(_safety(request).form)
    item = form.item(line.content["item"]) if form else None
    if item is None:
        return line.reason or ""
    zone = _zone(request, str(line.content["participant"]))
    before, after = (shown(item, line.content.get(name), zone) or "–" for name in ("before", "after"))
    return f"{item.label}: {before} → {after}. {line.reason or ''}".strip()


def _columns(request: ClinicRequest) -> tuple[Column[Event], ...]:
    def answer(what: str, title: Promise, mark: str = "") -> Column[Event]:
        return Column(what, title, lambda each: answer_to(request, each, what), mark=lambda each: mark)

    return (
        Column(
            "participant",
            gettext_lazy("Participant"),
            lambda each: each.row.participant,
            mark=lambda each: "nowrap",
        ),
        Column("row", gettext_lazy("Event"), lambda each: each.row.row, lambda each: each.address),
        answer("term", gettext_lazy("Term"), "wide"),
        answer("onset", gettext_lazy("Onset"), "nowrap"),
        answer("resolved", gettext_lazy("Resolved"), "nowrap"),
        answer("severity", gettext_lazy("Severity")),
        Column(
            "serious",
            gettext_lazy("Serious"),
            lambda each: each.row.serious,
            mark=lambda each: "warn" if each.row.serious else "",
        ),
        answer("causality", gettext_lazy("Causality")),
        Column("unexpected", gettext_lazy("Unexpected"), lambda each: each.row.unexpected),
        answer("outcome", gettext_lazy("Outcome")),
        Column("sponsor", gettext_lazy("Sponsor"), _sponsor),
        Column(
            "clocks",
            gettext_lazy("Open clocks"),
            lambda each: sum(clock.state in _OPEN for clock in each.clocks) or None,
            mark=lambda each: "bad" if any(clock.state == "overdue" for clock in each.clocks) else "number",
        ),
    )


def _sponsor(event: Event) -> str:
    row = event.row
    if row.sponsor_related is None:
        return _("awaited") if row.serious else ""
    related = _("related") if row.sponsor_related else _("not related")
    return f"{related}, {_('expected') if row.sponsor_expected else _('unexpected')}"


def _clock_columns(request: ClinicRequest) -> tuple[Column[ClockLine], ...]:
    def time(name: str, title: Promise) -> Column[ClockLine]:
        return Column(name, title, lambda line: _both_times(request, getattr(line, name), line.participant))

    return (
        Column("participant", gettext_lazy("Participant"), lambda line: line.participant),
        Column(
            "row",
            gettext_lazy("Event"),
            lambda line: line.row,
            lambda line: reverse("safety_event", args=[line.participant, line.row]),
        ),
        Column("title", gettext_lazy("Report"), lambda line: line.title),
        time("started_at", gettext_lazy("Runs since")),
        time("due_at", gettext_lazy("Due")),
        time("submitted_at", gettext_lazy("Sent")),
        Column(
            "state",
            gettext_lazy("Status"),
            lambda line: word_of_state(line.state),
            mark=lambda line: "bad" if line.state in ("overdue", "submitted_late") else "",
        ),
    )


ROUTES: tuple[Route, ...] = (
    Route(
        "safety/",
        show_safety,
        "safety",
        Kinds(("safety_desk", "investigator", "data_manager", "monitor")),
    ),
    Route("safety/<code:participant>/<int:row>/", show_event, "safety_event", Sees(Audience.CONDUCT)),
)
