"""A form as it was recorded: its values, who entered them and when, and what was asked about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.http import Http404, HttpResponse
from django.shortcuts import render

from equipoise.access.content import Audience
from equipoise.capture.state import QueryRow
from equipoise.conduct.trail import AuditLine
from equipoise.conduct.view.lines import ItemLine, RecordLine
from equipoise.definition.model.forms import Item
from equipoise.web.items import shown
from equipoise.web.pages.places import FormPlace, find_place, find_record, may_fill, why_closed
from equipoise.web.pages.verifying import Badge, badge_of, sent_of
from equipoise.web.people import names_of
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Gives, Sees


@dataclass(frozen=True, slots=True)
class Answer:
    """One item as it was answered; `corrected` says that it was something else before.

    `compared` is who compared it with its source last, and `compared_at` when.
    """

    item: str
    label: str
    text: str
    who: str
    at: str
    corrected: bool
    history: str
    ask: str
    queries: tuple[QueryRow, ...]
    badge: Badge | None = None
    compared: str = ""
    compared_at: str = ""


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One value that an item had, as it is read."""

    line: ItemLine
    text: str
    who: str
    role: str


def show_record(request: ClinicRequest, place: FormPlace, record: RecordLine) -> HttpResponse:
    """Draw a recorded form."""
    queries = _queries_of(request, record, place)
    closed = why_closed(request, place)
    fills = may_fill(request, place.form) and not closed and not record.removed
    viewer = request.seen.viewer
    asks = Gives(("OpenQuery",)).admits(viewer) and not record.removed
    verifies = Gives(("VerifySource",)).admits(viewer) and not record.removed
    context = {
        "place": place,
        "record": record,
        "answers": read_answers(request, place, record, queries, ask=asks),
        "queries": [query for query in queries if query.item is None],
        "closed": closed,
        "correct": place.correction if fills else "",
        "strike": place.command("RemoveRow") if fills and place.row else "",
        "ask": place.command("OpenQuery") if asks else "",
        "sent": sent_of(place.participant, record) if verifies else None,
    }
    return render(request, "pages/form_recorded.html", context)


def read_answers(
    request: ClinicRequest,
    place: FormPlace,
    record: RecordLine,
    queries: Sequence[QueryRow] = (),
    *,
    ask: bool = False,
) -> list[Answer]:
    """Return the items of a recorded form in their order, as far as the reader may see them."""
    lines = {line.position: line for line in request.seen.audit(place.participant)}
    names = names_of(line.account for line in lines.values())
    return [
        _answer(item, place, record, lines, names, queries, ask)
        for item in place.form.items
        if item.id not in place.hidden
    ]


def _answer(
    item: Item,
    place: FormPlace,
    record: RecordLine,
    lines: Mapping[int, AuditLine],
    names: Mapping[str, str],
    queries: Sequence[QueryRow],
    ask: bool,
) -> Answer:
    entered = record.entered.get(item.id)
    line = lines.get(entered["position"]) if entered else None
    mark = record.source.get(item.id)
    verified = lines.get(mark.position) if mark and mark.position else None
    return Answer(
        item=item.id,
        label=item.label,
        text=shown(item, record.values.get(item.id), place.zone),
        who=names[line.account] if line else "",
        at=entered["at"] if entered else "",
        corrected=line is not None and line.kind.endswith("ItemCorrected"),
        history=place.item_address(item.id),
        ask=place.command("OpenQuery", item=item.id) if ask else "",
        queries=tuple(query for query in queries if query.item == item.id),
        badge=badge_of(mark),
        compared=names[verified.account] if verified else "",
        compared_at=verified.recorded_at if verified else "",
    )


def _queries_of(request: ClinicRequest, record: RecordLine, place: FormPlace) -> list[QueryRow]:
    here = (place.participant, record.form, record.encounter, record.row)
    return [
        query
        for query in request.seen.queries()
        if (query.participant, query.form, query.encounter, query.row) == here
    ]


def show_item(request: ClinicRequest, participant: str, form: str, encounter: str, item: str) -> HttpResponse:
    """Draw the course of one item of a form."""
    return _show_course(request, find_place(request, participant, form, encounter), item)


def show_log_item(request: ClinicRequest, participant: str, form: str, row: int, item: str) -> HttpResponse:
    """Draw the course of one item of a row of a log."""
    return _show_course(request, find_place(request, participant, form, None, row), item)


def _show_course(request: ClinicRequest, place: FormPlace, item_id: str) -> HttpResponse:
    item = _item(place, item_id)
    record = find_record(request, place)
    if record is None:
        raise Http404
    lines = request.seen.item_history(
        place.participant, place.form.id, item.id, place.encounter_id, place.row
    )
    names = names_of(line.account for line in lines)
    roles = {role.id: role.name for role in request.definition.study.roles}
    course = [
        HistoryLine(
            line, shown(item, line.value, place.zone), names[line.account], roles.get(line.role, line.role)
        )
        for line in lines
    ]
    queries = [query for query in _queries_of(request, record, place) if query.item == item.id]
    context = {"place": place, "item": item, "course": course, "queries": queries, "utc": ZoneInfo("UTC")}
    return render(request, "pages/item.html", context)


def _item(place: FormPlace, item_id: str) -> Item:
    item = place.form.item(item_id)
    if item is None or item.id in place.hidden:
        raise Http404
    return item


ROUTES: tuple[Route, ...] = (
    Route(
        "participants/<code:participant>/forms/<id:form>/<id:encounter>/items/<id:item>/",
        show_item,
        "item",
        Sees(Audience.CONDUCT),
    ),
    Route(
        "participants/<code:participant>/logs/<id:form>/<int:row>/items/<id:item>/",
        show_log_item,
        "log_item",
        Sees(Audience.CONDUCT),
    ),
)
