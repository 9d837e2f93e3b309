"""The audit trail, readable by a person: who did what, when and why, page by page, and as a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from equipoise.access.content import KINDS, Audience
from equipoise.conduct.trail import AuditLine
from equipoise.conduct.view.texts import has_text
from equipoise.web.listing import as_csv
from equipoise.web.pages.reviews import link_to_record
from equipoise.web.people import names_of
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.sentences import Teller, Told, day_at
from equipoise.web.sentences_of_kinds import TITLES
from equipoise.web.visible import Gives, Sees

PAGE_LINES = 100


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lines are asked for; what is empty does not narrow. Days are those at the reader's site."""

    kind: str
    account: str
    first_day: date | None
    last_day: date | None
    before: int | None

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the address, without the page."""
        given = {
            "kind": self.kind,
            "account": self.account,
            "from": self.first_day.isoformat() if self.first_day else "",
            "to": self.last_day.isoformat() if self.last_day else "",
        }
        return {name: text for name, text in given.items() if text}


def list_trail(request: ClinicRequest) -> HttpResponse:
    """Draw the audit trail of the trial, the latest entry first, or send it as a file."""
    return _show(request, None)


def list_participant_trail(request: ClinicRequest, participant: str) -> HttpResponse:
    """Draw the audit trail of one participant."""
    request.seen.timeline(participant, request.today)
    return _show(request, participant)


def _show(request: ClinicRequest, participant: str | None) -> HttpResponse:
    wanted = _read_filter(request)
    if request.GET.get("as") == "csv":
        return _as_file(request, participant, wanted)
    lines = list(islice(_lines(request, participant, wanted), PAGE_LINES + 1))
    shown = lines[:PAGE_LINES]
    teller = Teller(request, shown)
    blots = Gives(("BlotText",)).admits(request.seen.viewer)
    older = {**wanted.parameters, "before": str(shown[-1].position)} if len(lines) > PAGE_LINES else None
    context = {
        "participant": participant,
        "told": [(teller.tell(line), blots and has_text(request.definition, line)) for line in shown],
        "wanted": wanted,
        "kinds": _kinds(request),
        "accounts": _accounts(request),
        "older": f"?{urlencode(older)}" if older else "",
        "newest": f"?{urlencode(wanted.parameters)}" if wanted.before else "",
        "review": link_to_record(
            request,
            request.get_full_path(),
            reviewed="audit_trail",
            participant=participant,
            narrowed=urlencode(wanted.parameters),
        ),
        "export": f"?{urlencode({**wanted.parameters, 'as': 'csv'})}",
    }
    return render(request, "pages/audit.html", context)


def _lines(request: ClinicRequest, participant: str | None, wanted: Filter) -> Iterator[AuditLine]:
    """Iterate over the lines that are asked for, the latest first."""
    zone = request.clinic.zone(request.actor.site)
    # Entries are in the order of time, so their days are too: beyond the first day nothing is looked at.
    earliest = (wanted.first_day - timedelta(days=2)).isoformat() if wanted.first_day else ""
    latest = (wanted.last_day + timedelta(days=2)).isoformat() if wanted.last_day else ""
    for line in request.seen.audit(participant, wanted.before, newest_first=True):
        if earliest and line.recorded_at < earliest:
            return
        if (wanted.kind and line.kind != wanted.kind) or (wanted.account and line.account != wanted.account):
            continue
        if latest and line.recorded_at > latest:
            continue
        if wanted.first_day and day_at(line, zone) < wanted.first_day:
            continue
        if wanted.last_day and day_at(line, zone) > wanted.last_day:
            continue
        yield line


def _read_filter(request: ClinicRequest) -> Filter:
    before = request.GET.get("before", "")
    return Filter(
        kind=request.GET.get("kind", ""),
        account=request.GET.get("account", ""),
        first_day=_day(request.GET.get("from", "")),
        last_day=_day(request.GET.get("to", "")),
        before=int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None,
    )


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if date(1900, 1, 1) < day < date(2200, 1, 1) else None


def _kinds(request: ClinicRequest) -> list[tuple[str, str]]:
    """The kinds of entry that the reader may see at all."""
    audiences = request.seen.viewer.audiences
    found = [(kind, str(TITLES[kind])) for kind, content in KINDS.items() if content.audience in audiences]
    return sorted(found, key=lambda each: each[1].casefold())


def _accounts(request: ClinicRequest) -> list[tuple[str, str]]:
    names = names_of(line.account for line in request.seen.grants())
    return sorted(names.items(), key=lambda each: (each[1].casefold(), each[0]))


def _as_file(request: ClinicRequest, participant: str | None, wanted: Filter) -> HttpResponse:
    lines = list(_lines(request, participant, wanted))
    teller = Teller(request, lines)
    titles = (
        _("Entry"),
        _("Time (UTC)"),
        _("Time at the site"),
        _("Account"),
        _("Name"),
        _("Role"),
        _("Site"),
        _("Kind"),
        _("Participant"),
        _("What was done"),
        _("Answers"),
        _("Reason"),
        _("Passage blotted out"),
    )
    rows = ((line, teller.tell(line)) for line in lines)
    name = f"audit-trail-{participant}" if participant else "audit-trail"
    return as_csv(name, titles, (_row(line, told) for line, told in rows))


def _row(line: AuditLine, told: Told) -> tuple[object, ...]:
    return (
        line.position,
        line.recorded_at,
        told.at,
        told.account,
        told.name,
        told.role,
        told.site,
        line.kind,
        told.participant,
        told.sentence,
        "; ".join(f"{label}: {text}" for label, text in told.answers),
        told.reason,
        "; ".join(told.blots),
    )


ROUTES: tuple[Route, ...] = (
    Route("audit/", list_trail, "audit", Sees(Audience.TRIAL)),
    Route(
        "participants/<code:participant>/audit/",
        list_participant_trail,
        "participant_audit",
        Sees(Audience.CONDUCT),
    ),
)
