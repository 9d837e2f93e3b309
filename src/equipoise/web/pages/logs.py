"""Logs: the rows of a repeating form, struck out or not, and up to which day they are complete."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from equipoise.access.content import Audience
from equipoise.conduct.view.lines import ClockLine, RecordLine
from equipoise.definition.model.conduct import Safety
from equipoise.definition.model.forms import Form, Item
from equipoise.safety.state import EventRow
from equipoise.web.items import shown
from equipoise.web.listing import Column, show_listing
from equipoise.web.pages.places import (
    FormPlace,
    find_place,
    find_record,
    is_log,
    is_planned,
    may_fill,
    why_closed,
)
from equipoise.web.pages.recorded import show_record
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Gives, Sees
from equipoise.web.words_of_values import time_at, word_of_state

_COLUMNS_MAX = 6
_LONG_TEXT = 60


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a log in its list; `note` is what its kind of log adds: seriousness, clocks."""

    record: RecordLine
    link: str
    cells: tuple[str, ...]
    encounter: str


def show_log(request: ClinicRequest, participant: str, form: str) -> HttpResponse:
    """Draw a log: its rows, and what may be done with it."""
    place = find_place(request, participant, form)
    records = [record for record in request.seen.records(participant) if record.form == place.form.id]
    if not place.form.repeating:
        return _show_single(request, place)
    if not records and not is_planned(request.definition, place) and not _at_encounters(request, place.form):
        raise Http404
    columns = _columns_of(place)
    closed = why_closed(request, place)
    fills = may_fill(request, place.form) and not closed
    review = next((line for line in request.seen.log_reviews(participant) if line.form == form), None)
    context = {
        "place": place,
        "columns": columns,
        "rows": [_row(request, place, record, columns) for record in records],
        "closed": closed,
        "add": _add_address(place) if fills and is_log(request.definition, place.form) else "",
        "through": review.through if review else "",
        "confirm": _confirm_address(place) if fills and place.form.log else "",
        "ask": _ask_address(request, place),
    }
    return render(request, "pages/log.html", context)


def show_log_row(request: ClinicRequest, participant: str, form: str, row: int) -> HttpResponse:
    """Draw one row of a log as it was recorded; row 0 is a form that does not repeat."""
    place = find_place(request, participant, form, None, row)
    if place.row is None:
        return _show_single(request, place)
    record = find_record(request, place)
    if record is None:
        raise Http404
    return show_record(request, place, record)


def _show_single(request: ClinicRequest, place: FormPlace) -> HttpResponse:
    """Draw a form between encounters that is filled in once, or go to where that is done."""
    record = find_record(request, place)
    if record is not None:
        return show_record(request, place, record)
    if not is_log(request.definition, place.form):
        raise Http404
    return redirect(_add_address(place))


def _columns_of(place: FormPlace) -> list[Item]:
    """The items that tell a row from another: those asked of every row, the first of them."""
    asked = [item for item in place.form.items if item.id not in place.hidden and item.when is None]
    return asked[:_COLUMNS_MAX]


def _row(request: ClinicRequest, place: FormPlace, record: RecordLine, columns: list[Item]) -> Row:
    return Row(
        record=record,
        link=reverse("log_row", args=[place.participant, place.form.id, record.row]),
        cells=tuple(_short(shown(item, record.values.get(item.id), place.zone)) for item in columns),
        encounter=_encounter_name(request, record.encounter),
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONG_TEXT else f"{text[:_LONG_TEXT].rstrip()}…"


def _encounter_name(request: ClinicRequest, encounter: str) -> str:
    planned = request.definition.schedule.encounter(encounter)
    return planned.name if planned else encounter.replace("_", " ")


def _at_encounters(request: ClinicRequest, form: Form) -> bool:
    return any(form.id in activity.forms for activity in request.definition.schedule.activities)


def _add_address(place: FormPlace) -> str:
    return reverse("add_row", args=[place.participant, place.form.id])


def _confirm_address(place: FormPlace) -> str:
    here = reverse("log", args=[place.participant, place.form.id])
    given = {"participant": place.participant, "form": place.form.id, "next": here}
    return f"{reverse('do_ConfirmLog')}?{urlencode(given)}"


def _ask_address(request: ClinicRequest, place: FormPlace) -> str:
    if not Gives(("OpenQuery",)).admits(request.seen.viewer):
        return ""
    here = reverse("log", args=[place.participant, place.form.id])
    given = {"participant": place.participant, "form": place.form.id, "next": here}
    return f"{reverse('do_OpenQuery')}?{urlencode(given)}"


# -- adverse events across participants


@dataclass(frozen=True, slots=True)
class Event:
    """An adverse event with what its row says, as it was judged, and its clocks."""

    event: EventRow
    term: str
    onset: str
    severity: str
    outcome: str
    due: str
    states: frozenset[str]


def list_events(request: ClinicRequest) -> HttpResponse:
    """List the adverse events of the participants within the reader's scope."""
    safety = request.definition.safety
    form = request.definition.form(safety.form) if safety else None
    events = _events(request, safety, form) if safety and form else []
    logs = []
    if form is not None:
        codes = [line.participant for line in request.seen.participants()]
        logs = [(code, reverse("log", args=[code, form.id])) for code in codes]
    context = {"logs": logs, "may_add": form is not None and may_fill(request, form)}
    return show_listing(request, "pages/events.html", "events", _event_columns(form), events, **context)


def _events(request: ClinicRequest, safety: Safety, form: Form) -> list[Event]:
    clocks: dict[tuple[str, int], list[ClockLine]] = {}
    for line in request.seen.clock_states(request.clinic.now()):
        clocks.setdefault((line.participant, line.row), []).append(line)
    records: dict[tuple[str, int], RecordLine] = {}
    rows = request.seen.adverse_events()
    for participant in {event.participant for event in rows}:
        for record in request.seen.records(participant):
            if record.form == form.id:
                records[participant, record.row] = record
    return [
        _event(request, safety, form, event, records.get((event.participant, event.row)), clocks)
        for event in sorted(rows, key=lambda event: (event.participant, event.row))
    ]


def _event(
    request: ClinicRequest,
    safety: Safety,
    form: Form,
    event: EventRow,
    record: RecordLine | None,
    clocks: dict[tuple[str, int], list[ClockLine]],
) -> Event:
    zone = request.clinic.zone(event.participant.split("-", maxsplit=1)[0])
    own = clocks.get((event.participant, event.row), [])

    def told(name: str) -> str:
        item = form.item(name)
        return shown(item, record.values.get(item.id), zone) if item and record else ""

    return Event(
        event=event,
        term=told(safety.term) or _("row %(row)s") % {"row": event.row},
        onset=told(safety.onset),
        severity=told(safety.severity),
        outcome=told(safety.outcome),
        due="; ".join(f"{word_of_state(line.state)} ({time_at(line.due_at, zone)})" for line in own),
        states=frozenset(line.state for line in own),
    )


def _event_columns(form: Form | None) -> tuple[Column[Event], ...]:
    def link(event: Event) -> str | None:
        args = [event.event.participant, form.id if form else "", event.event.row]
        return reverse("log_row", args=args) if form else None

    return (
        Column("participant", gettext_lazy("Participant"), lambda event: event.event.participant),
        Column("event", gettext_lazy("Event"), lambda event: event.term, link=link),
        Column("onset", gettext_lazy("First day"), lambda event: event.onset, mark=_unbroken),
        Column("severity", gettext_lazy("Severity"), lambda event: event.severity),
        Column("serious", gettext_lazy("Serious"), lambda event: event.event.serious, mark=_mark_of_event),
        Column("related", gettext_lazy("Related"), lambda event: event.event.related),
        Column("expected", gettext_lazy("Expected"), lambda event: not event.event.unexpected),
        Column("outcome", gettext_lazy("Outcome"), lambda event: event.outcome),
        Column("clocks", gettext_lazy("Reports due"), lambda event: event.due, mark=_mark_of_clocks),
    )


def _unbroken(event: Event) -> str:
    return "nowrap"


def _mark_of_event(event: Event) -> str:
    return "bad" if event.event.serious else ""


def _mark_of_clocks(event: Event) -> str:
    return "bad" if "overdue" in event.states else "warn" if "running" in event.states else ""


ROUTES: tuple[Route, ...] = (
    Route("participants/<code:participant>/logs/<id:form>/", show_log, "log", Sees(Audience.CONDUCT)),
    Route(
        "participants/<code:participant>/logs/<id:form>/<int:row>/",
        show_log_row,
        "log_row",
        Sees(Audience.CONDUCT),
    ),
    Route("events/", list_events, "events", Sees(Audience.CONDUCT)),
)
