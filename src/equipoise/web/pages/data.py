"""Data management: what is missing, late, asked and unsigned, and how far the trial is from its lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from equipoise.capture.state import QueryRow
from equipoise.conduct.readiness import OpenMatter
from equipoise.conduct.view.lines import AgreementLine, DueLine, MissingFormLine, ParticipantLine, WindowLine
from equipoise.web.listing import Column, show_listing
from equipoise.web.offers import offers
from equipoise.web.pages.coding import coding_numbers
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Gives, Kinds
from equipoise.web.words import due_by
from equipoise.web.words_of_values import word_of_state

_WHO = Kinds(("data_manager",))

_TABS: tuple[tuple[str, Promise], ...] = (
    ("data", _("Overview")),
    ("data_missing", _("Missing forms")),
    ("data_overdue", _("Due and overdue")),
    ("data_windows", _("Out of window")),
    ("data_queries", _("Queries")),
    ("data_agreement", _("Double reading")),
    ("data_freezes", _("Freeze")),
    ("data_signatures", _("Signatures")),
    ("data_readiness", _("Readiness")),
)


@dataclass(frozen=True, slots=True)
class Tab:
    """One section of data management."""

    title: str
    address: str
    current: bool


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """A participant whose casebook is not signed as it stands; `signed_at` is the last signature's time."""

    participant: str
    site: str
    status: str
    state: str
    signed_at: str | None
    account: str | None


def show_data(request: ClinicRequest) -> HttpResponse:
    """Draw what is open, section by section, and the way to the lock."""
    seen = request.seen
    due = seen.due(request.today)
    queries = [each for each in seen.queries() if each.status != "closed"]
    agreement = seen.reading_agreement()
    numbers = (
        ("data_missing", _("forms are missing"), len(seen.missing_forms())),
        ("data_overdue", _("encounters are overdue"), sum(line.status == "overdue" for line in due)),
        ("data_windows", _("encounters were missed or out of window"), len(seen.out_of_window())),
        ("data_queries", _("queries wait for the site"), sum(each.status == "open" for each in queries)),
        (
            "data_queries",
            _("answers wait to be accepted"),
            sum(each.status == "answered" for each in queries),
        ),
        *coding_numbers(request),
        ("data_agreement", _("items wait for adjudication"), sum(line.waiting for line in agreement)),
        ("data_freezes", _("participants are frozen"), len(seen.freezes())),
        ("data_signatures", _("casebooks are not signed as they stand"), len(_unsigned(request))),
    )
    context = {
        "tabs": _tabs(request, "data"),
        "numbers": [(reverse(name), words, number) for name, words, number in numbers],
        "matters": [each for each in seen.readiness() if each.blocks],
        "may_lock": Gives(("LockDatabase",)).admits(seen.viewer),
        "state": seen.trial(),
        "offers": offers(request, "report", "datasets", "verification", "copy"),
    }
    return render(request, "pages/data.html", context)


def list_missing(request: ClinicRequest) -> HttpResponse:
    """List the forms that are not filled in although their encounter took place."""
    names = _encounter_names(request)
    forms = {form.id: form.title for form in request.definition.forms}
    columns: tuple[Column[MissingFormLine], ...] = (
        _participant_column(),
        Column("encounter", _("Encounter"), lambda line: names.get(line.encounter, line.encounter)),
        Column("took_place_on", _("Took place"), lambda line: line.took_place_on),
        Column("days", _("Days since"), lambda line: _days(request, line.took_place_on)),
        Column("form", _("Form"), lambda line: forms.get(line.form, line.form)),
        _ask_column(
            request,
            lambda line: {"participant": line.participant, "form": line.form, "encounter": line.encounter},
        ),
    )
    return _section(request, "data_missing", "missing", columns, request.seen.missing_forms())


def list_overdue(request: ClinicRequest) -> HttpResponse:
    """List the encounters that are due or overdue."""
    columns: tuple[Column[DueLine], ...] = (
        _participant_column(),
        Column("encounter", _("Encounter"), lambda line: line.name),
        Column("opens", _("Window opens"), lambda line: line.opens),
        Column("closes", _("Window closes"), lambda line: line.closes),
        Column(
            "days",
            _("Days overdue"),
            lambda line: max(0, (request.today - line.closes).days) if line.closes else None,
        ),
        Column(
            "status",
            _("Status"),
            lambda line: word_of_state(line.status),
            mark=lambda line: _mark(line.status),
        ),
    )
    rows = [line for line in due_by(request, request.today) if line.status in ("due", "overdue")]
    rows.sort(key=lambda line: (line.closes or request.today, line.participant))
    return _section(request, "data_overdue", "due", columns, rows)


def list_windows(request: ClinicRequest) -> HttpResponse:
    """List the encounters that were missed, or took place outside their window."""
    names = _encounter_names(request)
    columns: tuple[Column[WindowLine], ...] = (
        _participant_column(),
        Column("encounter", _("Encounter"), lambda line: names.get(line.encounter, line.encounter)),
        Column(
            "status",
            _("Status"),
            lambda line: word_of_state(line.status),
            mark=lambda line: _mark(line.status),
        ),
        Column("took_place_on", _("Took place"), lambda line: line.took_place_on),
        Column("days_off", _("Days from plan"), lambda line: line.days_off, mark=lambda _line: "number"),
        Column("cause", _("Cause"), lambda line: line.cause),
    )
    return _section(request, "data_windows", "out-of-window", columns, request.seen.out_of_window())


def list_open_queries(request: ClinicRequest) -> HttpResponse:
    """List the queries that are not closed, the oldest first."""
    now = request.clinic.now()
    forms = {form.id: form.title for form in request.definition.forms}

    def age(query: QueryRow) -> int:
        return (now - datetime.fromisoformat(query.opened_at)).days

    columns: tuple[Column[QueryRow], ...] = (
        Column("query", _("Query"), lambda query: query.query),
        _participant_column(),
        Column("form", _("Form"), lambda query: forms.get(query.form, query.form)),
        Column("item", _("Item"), lambda query: query.item),
        Column("text", _("Question"), lambda query: query.text),
        Column("answer", _("Answer"), lambda query: query.answer),
        Column("status", _("Status"), lambda query: word_of_state(query.status)),
        Column("age", _("Days open"), age, mark=lambda query: "number bad" if age(query) > 30 else "number"),
        Column(
            "close",
            _("Action"),
            lambda query: _("Close") if query.status == "answered" else "",
            link=lambda query: (
                _do(request, "CloseQuery", {"query": query.query}) if query.status == "answered" else None
            ),
        ),
    )
    rows = sorted(
        (q for q in request.seen.queries() if q.status != "closed"), key=lambda q: (q.opened_at, q.query)
    )
    return _section(request, "data_queries", "open-queries", columns, rows)


def list_agreement(request: ClinicRequest) -> HttpResponse:
    """List how the independent readings of each item agree."""
    columns: tuple[Column[AgreementLine], ...] = (
        Column("item", _("Item"), lambda line: line.label),
        Column("agree", _("Agree"), lambda line: line.agree),
        Column("adjudicated", _("Adjudicated"), lambda line: line.adjudicated),
        Column("waiting", _("Wait for adjudication"), lambda line: line.waiting),
        Column("percent", _("Agreement, per cent"), _percent_agreed),
        Column("unread", _("Scans not read twice"), lambda line: line.unread),
    )
    return _section(request, "data_agreement", "agreement", columns, request.seen.reading_agreement())


def list_freezes(request: ClinicRequest) -> HttpResponse:
    """List every participant with whether their data are closed for entry, and the way to change it."""
    frozen = {line.participant: line for line in request.seen.freezes()}
    columns: tuple[Column[ParticipantLine], ...] = (
        _participant_column(),
        Column("site", _("Site"), lambda line: line.site),
        Column("status", _("Status"), lambda line: word_of_state(line.status)),
        Column("open_queries", _("Open queries"), lambda line: line.open_queries),
        Column("signed", _("Signed as it stands"), lambda line: line.signed),
        Column("frozen", _("Frozen"), lambda line: line.frozen),
        Column(
            "since", _("Since"), lambda line: frozen[line.participant].frozen_at[:10] if line.frozen else None
        ),
        Column("by", _("By"), lambda line: frozen[line.participant].frozen_by if line.frozen else None),
        Column(
            "action",
            _("Action"),
            lambda line: _("Unfreeze") if line.frozen else _("Freeze"),
            link=lambda line: _do(
                request,
                "UnfreezeParticipant" if line.frozen else "FreezeParticipant",
                {"participant": line.participant},
            ),
        ),
    )
    return _section(request, "data_freezes", "freezes", columns, request.seen.participants())


def list_signatures(request: ClinicRequest) -> HttpResponse:
    """List the casebooks whose signature does not hold, or that nobody signed."""
    columns: tuple[Column[SignatureLine], ...] = (
        _participant_column(),
        Column("site", _("Site"), lambda line: line.site),
        Column("status", _("Status"), lambda line: word_of_state(line.status)),
        Column(
            "state",
            _("Signature"),
            lambda line: word_of_state(line.state),
            mark=lambda line: "bad" if line.signed_at else "",
        ),
        Column("signed_at", _("Last signed"), lambda line: line.signed_at and line.signed_at[:10]),
        Column("account", _("By"), lambda line: line.account),
    )
    return _section(request, "data_signatures", "signatures", columns, _unsigned(request))


def list_readiness(request: ClinicRequest) -> HttpResponse:
    """List what is open before the lock."""
    kinds = {
        "query": _("Query"),
        "scan": _("Scan"),
        "coding": _("Coding"),
        "participant": _("Participant"),
        "casebook": _("Casebook"),
    }
    columns: tuple[Column[OpenMatter], ...] = (
        Column("kind", _("What"), lambda line: str(kinds[line.kind])),
        Column("subject", _("Code"), lambda line: line.subject),
        _participant_column(),
        Column("state", _("State"), lambda line: word_of_state(line.state)),
        Column("text", _("What is open"), lambda line: line.text),
    )
    rows = [line for line in request.seen.readiness() if line.blocks]
    return _section(
        request, "data_readiness", "readiness", columns, rows,
        may_lock=Gives(("LockDatabase",)).admits(request.seen.viewer), state=request.seen.trial(),
    )  # fmt: skip


# -- what the sections share


def _section(
    request: ClinicRequest, route: str, name: str, columns: tuple[Column[Any], ...], rows: Any, **context: Any
) -> HttpResponse:
    title = next(str(words) for each, words in _TABS if each == route)
    return show_listing(
        request, "pages/data_section.html", name, columns, rows,
        tabs=_tabs(request, route), title=title, route=route, **context,
    )  # fmt: skip


def _tabs(request: ClinicRequest, current: str) -> list[Tab]:
    return [Tab(str(title), reverse(name), name == current) for name, title in _TABS]


def _participant_column() -> Column[Any]:
    return Column(
        "participant",
        _("Participant"),
        lambda line: line.participant,
        link=lambda line: reverse("participant", args=[line.participant]),
    )


def _ask_column(request: ClinicRequest, given: Any) -> Column[Any]:
    may = Gives(("OpenQuery",)).admits(request.seen.viewer)
    return Column(
        "ask",
        _("Action"),
        lambda _line: _("Ask") if may else "",
        link=lambda line: _do(request, "OpenQuery", given(line)) if may else None,
    )


def _do(request: ClinicRequest, command: str, given: Mapping[str, str]) -> str:
    return f"{reverse(f'do_{command}')}?{urlencode({**given, 'next': request.path})}"


def _unsigned(request: ClinicRequest) -> list[SignatureLine]:
    lines = []
    for person in request.seen.participants():
        if person.signed or person.status in ("screening", "failed"):
            continue
        signatures = request.seen.signatures(person.participant)
        last = signatures[-1] if signatures else None
        lines.append(
            SignatureLine(
                participant=person.participant,
                site=person.site,
                status=person.status,
                state="changed_after_it_was_signed" if last else "never_signed",
                signed_at=last.signed_at if last else None,
                account=last.account if last else None,
            )
        )
    return lines


def _encounter_names(request: ClinicRequest) -> dict[str, str]:
    return {planned.id: planned.name for planned in request.definition.schedule.encounters}


def _percent_agreed(line: AgreementLine) -> float | None:
    compared = line.agree + line.adjudicated + line.waiting
    return round(100 * line.agree / compared, 1) if compared else None


def _days(request: ClinicRequest, day: str) -> int | None:
    return (request.today - datetime.fromisoformat(day).date()).days if day else None


def _mark(status: str) -> str:
    return "bad" if status in ("overdue", "missed") else "warn"


ROUTES: tuple[Route, ...] = (
    Route("data/", show_data, "data", _WHO),
    Route("data/missing/", list_missing, "data_missing", _WHO),
    Route("data/overdue/", list_overdue, "data_overdue", _WHO),
    Route("data/windows/", list_windows, "data_windows", _WHO),
    Route("data/queries/", list_open_queries, "data_queries", _WHO),
    Route("data/agreement/", list_agreement, "data_agreement", _WHO),
    Route("data/freezes/", list_freezes, "data_freezes", _WHO),
    Route("data/signatures/", list_signatures, "data_signatures", _WHO),
    Route("data/readiness/", list_readiness, "data_readiness", _WHO),
)
