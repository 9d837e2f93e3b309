"""The participants: the list, one participant's course, and, for their own site's staff, who they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from equipoise.access.content import Audience
from equipoise.conduct.identities import read_identity
from equipoise.conduct.view.lines import ParticipantLine
from equipoise.store.identities import Identity
from equipoise.web.accounts.events import note_access
from equipoise.web.listing import Column, show_listing
from equipoise.web.pages import course
from equipoise.web.pages.timeline import draw_timeline
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Gives, Sees
from equipoise.web.words_of_values import word_of_state

STATUSES = ("screening", "randomised", "completed", "withdrawn", "failed")


@dataclass(frozen=True, slots=True)
class _Row:
    """One participant of the list: `waiting` is what comes next, `late` says that it is overdue."""

    line: ParticipantLine
    waiting: str
    waiting_by: date | None
    late: bool
    forms_due: int


def _by(row: _Row) -> str | None:
    if row.waiting_by is None:
        return None
    day = row.waiting_by.isoformat()
    return _("%(day)s, overdue") % {"day": day} if row.late else day


def _unbroken(row: _Row) -> str:
    return "nowrap"


_COLUMNS: tuple[Column[_Row], ...] = (
    Column(
        "participant",
        gettext_lazy("Participant"),
        lambda row: row.line.participant,
        link=lambda row: reverse("participant", args=[row.line.participant]),
        mark=_unbroken,
    ),
    Column("site", gettext_lazy("Site"), lambda row: row.line.site),
    Column("status", gettext_lazy("Status"), lambda row: word_of_state(row.line.status)),
    Column("consented_on", gettext_lazy("Consent"), lambda row: row.line.consented_on, mark=_unbroken),
    Column("randomised_on", gettext_lazy("Randomised"), lambda row: row.line.randomised_on, mark=_unbroken),
    Column("number", gettext_lazy("Number"), lambda row: row.line.number, mark=_unbroken),
    Column("next", gettext_lazy("Next encounter"), lambda row: row.waiting),
    Column("by", gettext_lazy("Due by"), _by, mark=lambda row: "bad" if row.late else "nowrap"),
    Column("forms_due", gettext_lazy("Forms due"), lambda row: row.forms_due or None),
    Column(
        "open_queries",
        gettext_lazy("Open queries"),
        lambda row: row.line.open_queries or None,
        mark=lambda row: "warn" if row.line.open_queries else "",
    ),
    Column("marks", gettext_lazy("Marks"), lambda row: _marks(row.line)),
)


def _marks(line: ParticipantLine) -> str:
    return ", ".join(([_("frozen")] if line.frozen else []) + ([_("signed")] if line.signed else []))


def list_participants(request: ClinicRequest) -> HttpResponse:
    """List the participants whom the reader may see: all, those in one status, or those who are late."""
    wanted = request.GET.get("status", "")
    rows = [_row(request, line) for line in request.seen.participants()]
    counts = Counter(row.line.status for row in rows)
    filters = [("", _("All"), len(rows))]
    filters += [(status, word_of_state(status), counts[status]) for status in STATUSES if counts[status]]
    late = [row for row in rows if row.late or row.forms_due]
    if late:
        filters.append(("late", _("overdue, or forms due"), len(late)))
    if wanted == "late":
        shown = late
    else:
        shown = [row for row in rows if wanted in ("", row.line.status)]
    may_consent = "ConsentParticipant" in request.seen.permitted_commands()
    return show_listing(
        request,
        "pages/participants.html",
        "participants",
        _COLUMNS,
        shown,
        filters=filters,
        wanted=wanted,
        may_consent=may_consent,
    )


def _row(request: ClinicRequest, line: ParticipantLine) -> _Row:
    lines = course.read_course(request, line)
    following = course.next_encounter(lines)
    asked = line.status not in ("failed", "withdrawn")
    return _Row(
        line=line,
        waiting=following.name if following else "",
        waiting_by=following.closes if following else None,
        late=any(each.status == "overdue" for each in lines),
        forms_due=sum(len(each.forms_due) for each in lines) if asked else 0,
    )


def show_participant(request: ClinicRequest, participant: str) -> HttpResponse:
    """Draw one participant's course: where they stand, the encounters, and what may be done."""
    line = request.seen.participant(participant)
    lines = course.read_course(request, line)
    seen = request.seen
    records = [each for each in seen.records(participant) if not each.removed]
    context = {
        "participant": participant,
        "line": line,
        "site": request.definition.site(line.site),
        "facts": _facts(line),
        "lines": course.course_rows(request, line, lines, records),
        "drawing": draw_timeline(request.definition, lines, request.today),
        "actions": course.participant_actions(request, line, lines),
        "logs": course.log_links(request, participant, records),
        "queries": [each for each in seen.queries() if _is_open(each.participant, each.status, participant)],
        "assessment": max(seen.eligibility(participant), key=lambda each: each.screening, default=None),
        "may_see_identity": Gives(("RegisterIdentity",)).admits(seen.viewer),
    }
    return render(request, "pages/participant.html", context)


def _is_open(of: str, status: str, participant: str) -> bool:
    return of == participant and status != "closed"


def _facts(line: ParticipantLine) -> list[tuple[str, str]]:
    """Return the key dates, those that there are."""
    ended = {
        "failed": _("Screening failed"),
        "withdrawn": _("Withdrawn"),
        "completed": _("Completed"),
    }.get(line.status, _("Ended"))
    scope = _SCOPES.get(line.end_scope or "")
    found = [
        (
            _("Consent"),
            _("%(day)s, version %(version)s") % {"day": line.consented_on, "version": line.consent_version},
        ),
        (_("Randomised"), line.randomised_on),
        (ended, line.ended_on),
        (_("Scope of the withdrawal"), str(scope) if scope else None),
        (_("Cause"), line.end_cause),
        (_("Variant of the rules"), line.variant),
    ]
    return [(term, text) for term, text in found if text]


_SCOPES: Mapping[str, object] = {
    "treatment": gettext_lazy("treatment only; encounters go on"),
    "study": gettext_lazy("the study; nothing new is collected"),
    "consent": gettext_lazy("consent; nothing new is collected"),
}


def show_identity(request: ClinicRequest, participant: str) -> HttpResponse:
    """Draw name and contact of a participant of the reader's own site; that they looked is put on record."""
    request.seen.participant(participant)
    register = request.clinic.register
    identity: Identity | None = None
    if register is not None:
        identity = read_identity(request.clinic.trial, register, request.actor, participant)
        note_access(request, "identity_read", request.actor.account, detail=participant)
    context = {
        "participant": participant,
        "identity": identity,
        "kept": register is not None,
        "may_erase": "EraseIdentity" in request.seen.permitted_commands(),
    }
    return render(request, "pages/identity.html", context)


ROUTES: tuple[Route, ...] = (
    Route("participants/", list_participants, "participants", Sees(Audience.CONDUCT)),
    Route("participants/<code:participant>/", show_participant, "participant", Sees(Audience.CONDUCT)),
    Route(
        "participants/<code:participant>/identity/",
        show_identity,
        "identity",
        Gives(("RegisterIdentity",)),
    ),
)
