"""Queries: asked, answered, closed; each beside what it asks about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from equipoise.access.content import Audience
from equipoise.capture.state import QueryRow
from equipoise.conduct.trail import AuditLine
from equipoise.definition.model.forms import Form
from equipoise.web.items import shown
from equipoise.web.listing import Column, make_listing
from equipoise.web.pages.places import FormPlace, find_place, find_record
from equipoise.web.people import names_of
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Gives, Sees
from equipoise.web.words_of_values import time_at, word_of_state

_SHOWS = ("waiting", "open", "answered", "closed", "mine", "all")


@dataclass(frozen=True, slots=True)
class Question:
    """A query in the list: what it asks about, in words."""

    query: QueryRow
    about: str
    at: str
    by: str
    link: str


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to a query: who, when, what was said."""

    what: str
    who: str
    at: str
    said: str


@dataclass(frozen=True, slots=True)
class ShownQuery:
    """One query with its course, the form it asks about, and the answer as it stands."""

    query: QueryRow
    place: FormPlace
    label: str
    value: str
    recorded: bool
    asked_by: str
    steps: tuple[Step, ...]


def list_queries(request: ClinicRequest) -> HttpResponse:
    """List the queries within the reader's scope; `?show=` keeps those in one state, or the reader's own."""
    rows = request.seen.queries()
    show = request.GET.get("show", "waiting")
    show = show if show in _SHOWS else "waiting"
    names = names_of(row.opened_by for row in rows)
    questions = [
        _question(request, row, names[row.opened_by]) for row in rows if _is_shown(request, row, show)
    ]
    listing = make_listing(request, "queries", _COLUMNS, reversed(questions))
    if isinstance(listing, HttpResponse):
        return listing
    tabs = [
        (f"?show={name}", title, sum(_is_shown(request, row, name) for row in rows), name == show)
        for name, title in _tabs()
    ]
    return render(request, "pages/queries.html", {"listing": listing, "tabs": tabs})


def _tabs() -> list[tuple[str, str]]:
    return [
        ("waiting", _("Not closed")),
        ("open", _("Open")),
        ("answered", _("Answered")),
        ("closed", _("Closed")),
        ("mine", _("For me")),
        ("all", _("All")),
    ]


def _is_shown(request: ClinicRequest, row: QueryRow, show: str) -> bool:
    if show == "all":
        return True
    if show == "waiting":
        return row.status != "closed"
    if show == "mine":
        return _is_mine(request, row)
    return row.status == show


def _is_mine(request: ClinicRequest, row: QueryRow) -> bool:
    """Whether a query waits for the reader: to be answered at the site, or accepted by who asked."""
    if Gives(("AnswerQuery",)).admits(request.seen.viewer):
        return row.status == "open"
    if Gives(("CloseQuery",)).admits(request.seen.viewer):
        return row.status == "answered" and (row.origin != "" or row.opened_by == request.actor.account)
    return row.opened_by == request.actor.account


def _question(request: ClinicRequest, row: QueryRow, name: str) -> Question:
    form = request.definition.form(row.form)
    words = [form.title if form else row.form, _encounter_name(request, row.encounter)]
    item = form.item(row.item) if form and row.item else None
    words += [_("row %(row)s") % {"row": row.row}] if row.row else []
    words += [item.label] if item else []
    return Question(
        query=row,
        about=", ".join(word for word in words if word),
        at=time_at(row.opened_at, request.clinic.zone(row.participant.split("-", maxsplit=1)[0])),
        by=name if row.origin == "" else _("edit check"),
        link=reverse("query", args=[row.query]),
    )


def _encounter_name(request: ClinicRequest, encounter: str) -> str:
    planned = request.definition.schedule.encounter(encounter)
    return planned.name if planned else encounter.replace("_", " ")


def _unbroken(each: Question) -> str:
    return "nowrap"


_COLUMNS: tuple[Column[Question], ...] = (
    Column(
        "query",
        gettext_lazy("Query"),
        lambda each: each.query.query,
        link=lambda each: each.link,
        mark=_unbroken,
    ),
    Column("status", gettext_lazy("Status"), lambda each: word_of_state(each.query.status)),
    Column("participant", gettext_lazy("Participant"), lambda each: each.query.participant),
    Column("about", gettext_lazy("About"), lambda each: each.about),
    Column("text", gettext_lazy("Question"), lambda each: each.query.text, mark=lambda _each: "prose"),
    Column("answer", gettext_lazy("Answer"), lambda each: each.query.answer, mark=lambda _each: "prose"),
    Column("by", gettext_lazy("Asked by"), lambda each: each.by),
    Column("at", gettext_lazy("Asked"), lambda each: each.at, mark=_unbroken),
)


def show_query(request: ClinicRequest, query: str) -> HttpResponse:
    """Draw one query with what it asks about, and what may be done about it."""
    about = read_query(request, query)
    if about is None:
        raise Http404
    viewer, here = request.seen.viewer, reverse("query", args=[query])
    given = urlencode({"query": query, "next": here})
    answers = about.query.status == "open" and Gives(("AnswerQuery",)).admits(viewer)
    closes = about.query.status == "answered" and Gives(("CloseQuery",)).admits(viewer)
    corrects = about.recorded and answers and Gives(("CorrectForm",)).admits(viewer)
    context = {
        "about": about,
        "answer": f"{reverse('do_AnswerQuery')}?{given}" if answers else "",
        "close": f"{reverse('do_CloseQuery')}?{given}" if closes else "",
        "correct": about.place.correction if corrects else "",
    }
    return render(request, "pages/query.html", context)


def read_query(request: ClinicRequest, code: str) -> ShownQuery | None:
    """Return a query as the reader may see it, or None."""
    if Audience.CONDUCT not in request.seen.viewer.audiences:
        return None
    row = next((each for each in request.seen.queries() if each.query == code), None)
    if row is None:
        return None
    form = request.definition.form(row.form)
    place = find_place(request, row.participant, row.form, row.encounter or None, row.row or None)
    record = find_record(request, place)
    item = form.item(row.item) if form and row.item else None
    value = shown(item, record.values.get(item.id), place.zone) if item and record else ""
    lines = [line for line in request.seen.audit(row.participant) if line.content.get("query") == code]
    names = names_of([row.opened_by, *(line.account for line in lines)])
    return ShownQuery(
        query=row,
        place=place,
        label=item.label if item else "",
        value=value,
        recorded=record is not None,
        asked_by=names[row.opened_by],
        steps=_steps(row, lines, names, place, form),
    )


def _steps(
    row: QueryRow, lines: list[AuditLine], names: Mapping[str, str], place: FormPlace, form: Form | None
) -> tuple[Step, ...]:
    messages = {check.id: check.message for check in form.checks} if form else {}
    asked = _("asked by an edit check, when the form was recorded") if row.origin else _("asked")
    steps = [
        Step(
            asked,
            names[row.opened_by],
            time_at(row.opened_at, place.zone),
            messages.get(row.origin, row.text),
        )
    ]
    for line in lines:
        if line.kind.endswith("QueryOpened"):
            continue
        answered = line.kind.endswith("QueryAnswered")
        what = _("answered") if answered else _("closed")
        at = time_at(line.recorded_at, place.zone)
        steps.append(Step(what, names[line.account], at, line.content.get("text", "")))
    return tuple(steps)


ROUTES: tuple[Route, ...] = (
    Route("queries/", list_queries, "queries", Sees(Audience.CONDUCT)),
    Route("queries/<code:query>/", show_query, "query", Sees(Audience.CONDUCT)),
)
