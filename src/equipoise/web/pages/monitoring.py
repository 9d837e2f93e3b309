"""Monitoring: what was compared with its source, and where it pays to look (ICH E6(R3) 3.11.4, 4.2.3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from equipoise.access.refusal import Refused
from equipoise.conduct.view.lines import RecordLine
from equipoise.conduct.view.verification import VerificationLine
from equipoise.definition.model.forms import Form
from equipoise.web.casebook_html import read_answer
from equipoise.web.errors import not_found
from equipoise.web.listing import Column, make_listing, show_listing
from equipoise.web.pages.verifying import Badge, Sent, badge_of, sent_of
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Gives, Kinds
from equipoise.web.words_of_values import word_of_state

_WHO = Kinds(("monitor", "data_manager"))


@dataclass(frozen=True, slots=True)
class WatchLine:
    """A participant, or a site, in the eyes of a monitor: the counts that point to where to look."""

    subject: str
    site: str
    status: str
    participants: int
    recorded: int
    items_due: int
    items_verified: int
    queries: int
    open_queries: int
    corrections: int
    missing: int
    deviations: int

    @property
    def percent_verified(self) -> float | None:
        """How many of the answers that the plan asks for were compared with their source, in per cent."""
        return _percent(self.items_verified, self.items_due)

    @property
    def signals(self) -> float | None:
        """Queries, corrections, missing forms and deviations for each 100 filled forms."""
        found = self.queries + self.corrections + self.missing + self.deviations
        return round(100 * found / self.recorded, 1) if self.recorded else None


@dataclass(frozen=True, slots=True)
class Unverified:
    """A filled form with `waiting` answers to compare with their source, `changed` of them since then."""

    participant: str
    form: str
    title: str
    encounter: str
    place: str
    row: int
    waiting: int
    changed: int


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """An answer as it is compared: text and mark; one that is `critical` matters more than others."""

    item: str
    label: str
    text: str
    critical: bool
    badge: Badge | None


@dataclass(frozen=True, slots=True)
class SourceForm:
    """A filled form as it is compared: its answers, and what its buttons send.

    Of `due` answers that the plan asks for, `done` are verified; `state` is verified, waiting or unplanned.
    """

    form: str
    title: str
    encounter: str
    place: str
    row: int
    state: str
    due: int
    done: int
    answers: tuple[SourceAnswer, ...]
    open_queries: int
    sent: Sent


def show_monitoring(request: ClinicRequest) -> HttpResponse:
    """Draw sites and participants, those first where there is most to look at."""
    people = _watch(request)
    sites = make_listing(request, "sites_list", _site_columns(), _by_signals(_sum_by_site(people)))
    if isinstance(sites, HttpResponse):
        return sites
    listing = make_listing(request, "participants_list", _columns(), _by_signals(people))
    if isinstance(listing, HttpResponse):
        return listing
    lines = request.seen.verification()
    due, verified = sum(each.due for each in lines), sum(each.verified for each in lines)
    items_due = sum(each.items_due for each in lines)
    items_verified = sum(each.items_verified for each in lines)
    context = {
        "sites": sites,
        "participants": listing,
        "due": due,
        "verified": verified,
        "unverified": due - verified,
        "items_due": items_due,
        "items_verified": items_verified,
        "items_left": items_due - items_verified,
        "items_changed": sum(len(form.changed) for each in lines for form in each.unverified),
        "percent": _percent(items_verified, items_due),
        "open_queries": sum(each.open_queries for each in people),
        "deviations": sum(each.deviations for each in people),
    }
    return render(request, "pages/monitoring.html", context)


def list_unverified(request: ClinicRequest) -> HttpResponse:
    """List the filled forms of which something is to be compared with its source."""
    may = Gives(("VerifySource",)).admits(request.seen.viewer)
    columns: tuple[Column[Unverified], ...] = (
        Column("participant", _("Participant"), lambda line: line.participant, link=_compare),
        Column("form", _("Form"), lambda line: line.title),
        Column("encounter", _("Encounter"), lambda line: line.place),
        Column("row", _("Row"), lambda line: line.row or None, mark=_right),
        Column("items", _("To compare"), lambda line: line.waiting, mark=_right),
        Column("changed", _("Changed since"), lambda line: line.changed or None, mark=_right),
        Column("compare", _("Action"), lambda _line: _("Compare") if may else _("Look"), link=_compare),
    )
    return show_listing(request, "pages/unverified.html", "unverified", columns, _unverified(request))


def show_source(request: ClinicRequest, participant: str) -> HttpResponse:
    """Draw a participant's filled forms with the mark of each answer, and a box beside those to compare."""
    seen = request.seen
    line = next((each for each in seen.verification() if each.participant == participant), None)
    if line is None:
        raise Refused(not_found())
    zone = request.clinic.zone(participant.split("-", maxsplit=1)[0])
    queries = [each for each in seen.queries() if each.participant == participant]
    open_at = Counter((each.form, each.encounter, each.row) for each in queries if each.status != "closed")
    visits = {each.id: place for place, each in enumerate(request.definition.schedule.encounters)}
    order = {each.id: place for place, each in enumerate(request.definition.forms)}
    titles = {each.id: each.title for each in request.definition.forms}
    records = [each for each in seen.records(participant) if not each.removed]
    # Visit by visit, as the source is; what belongs to none comes last.
    records.sort(
        key=lambda each: (visits.get(each.encounter, len(visits)), order.get(each.form, len(order)), each.row)
    )
    forms = [
        _source_form(request, participant, record, open_at[record.form, record.encounter, record.row], zone)
        for record in records
    ]
    context = {
        "participant": participant,
        "line": line,
        "forms": sorted(forms, key=lambda each: each.state != "waiting"),
        "may_verify": Gives(("VerifySource",)).admits(seen.viewer),
        "may_ask": Gives(("OpenQuery",)).admits(seen.viewer),
        "queries": [(each, titles.get(each.form, each.form)) for each in queries],
        "deviations": [each for each in seen.out_of_window() if each.participant == participant],
        "missing": [each for each in seen.missing_forms() if each.participant == participant],
    }
    return render(request, "pages/source.html", context)


# -- reading


def _watch(request: ClinicRequest) -> list[WatchLine]:
    seen = request.seen
    verification = {each.participant: each for each in seen.verification()}
    queries = Counter(each.participant for each in seen.queries())
    corrections = seen.corrections()
    missing = Counter(each.participant for each in seen.missing_forms())
    deviations = Counter(each.participant for each in seen.out_of_window())
    return [
        WatchLine(
            subject=person.participant,
            site=person.site,
            status=person.status,
            participants=1,
            recorded=verification[person.participant].recorded,
            items_due=verification[person.participant].items_due,
            items_verified=verification[person.participant].items_verified,
            queries=queries[person.participant],
            open_queries=person.open_queries,
            corrections=corrections.get(person.participant, 0),
            missing=missing[person.participant],
            deviations=deviations[person.participant],
        )
        for person in seen.participants()
    ]


def _sum_by_site(people: Iterable[WatchLine]) -> list[WatchLine]:
    groups: dict[str, list[WatchLine]] = {}
    for each in people:
        groups.setdefault(each.site, []).append(each)
    return [
        WatchLine(
            subject=site,
            site=site,
            status="",
            participants=len(lines),
            recorded=sum(each.recorded for each in lines),
            items_due=sum(each.items_due for each in lines),
            items_verified=sum(each.items_verified for each in lines),
            queries=sum(each.queries for each in lines),
            open_queries=sum(each.open_queries for each in lines),
            corrections=sum(each.corrections for each in lines),
            missing=sum(each.missing for each in lines),
            deviations=sum(each.deviations for each in lines),
        )
        for site, lines in sorted(groups.items())
    ]


def _by_signals(lines: Iterable[WatchLine]) -> list[WatchLine]:
    return sorted(lines, key=lambda each: (-(each.signals or 0), each.subject))


def _unverified(request: ClinicRequest) -> list[Unverified]:
    return [
        Unverified(line.participant, place.form, form.title if form else place.form, place.encounter,
                   _encounter(request, place.encounter), place.row, len(place.items), len(place.changed))
        for line in request.seen.verification()
        for place in line.unverified
        for form in (request.definition.form(place.form),)
    ]  # fmt: skip


def _source_form(
    request: ClinicRequest, participant: str, record: RecordLine, open_queries: int, zone: ZoneInfo
) -> SourceForm:
    form = request.definition.form(record.form)
    place = [_encounter(request, record.encounter), record.dated or ""]
    due = sum(mark.due for mark in record.source.values())
    left = sum(mark.waits for mark in record.source.values())
    return SourceForm(
        form=record.form,
        title=form.title if form else record.form,
        encounter=record.encounter,
        place=", ".join(word for word in place if word),
        row=record.row,
        state="waiting" if left else "verified" if due else "unplanned",
        due=due,
        done=due - left,
        answers=tuple(_answers(form, record, zone)),
        open_queries=open_queries,
        sent=sent_of(participant, record),
    )


def _answers(form: Form | None, record: RecordLine, zone: ZoneInfo) -> Iterable[SourceAnswer]:
    for item in form.items if form else ():
        if item.id in record.source:
            text = read_answer(item, record.values[item.id], zone) if item.id in record.values else ""
            yield SourceAnswer(item.id, item.label, text, item.critical, badge_of(record.source[item.id]))


def _encounter(request: ClinicRequest, encounter: str) -> str:
    planned = request.definition.schedule.encounter(encounter)
    return planned.name if planned else encounter.replace("_", " ")


# -- columns


def _compare(line: Unverified | VerificationLine) -> str:
    return reverse("source", args=[line.participant])


def _columns() -> tuple[Column[WatchLine], ...]:
    return (
        Column(
            "participant",
            _("Participant"),
            lambda line: line.subject,
            link=lambda line: reverse("source", args=[line.subject]),
        ),
        Column("site", _("Site"), lambda line: line.site),
        Column("status", _("Status"), lambda line: word_of_state(line.status)),
        *_counts(),
    )


def _site_columns() -> tuple[Column[WatchLine], ...]:
    people: Column[WatchLine] = Column(
        "participants", _("Participants"), lambda line: line.participants, mark=_right
    )
    return (Column("site", _("Site"), lambda line: line.subject), people, *_counts())


def _counts() -> tuple[Column[WatchLine], ...]:
    return (
        Column("recorded", _("Forms"), lambda line: line.recorded, mark=_right),
        Column("items", _("To compare"), lambda line: line.items_due - line.items_verified, mark=_right),
        Column("verified", _("Verified, %"), lambda line: line.percent_verified, mark=_right),
        Column("queries", _("Queries"), lambda line: line.queries, mark=_right),
        Column("open", _("Open"), lambda line: line.open_queries, mark=_right),
        Column("corrections", _("Corrections"), lambda line: line.corrections, mark=_right),
        Column("missing", _("Missing"), lambda line: line.missing, mark=_right),
        Column("deviations", _("Off schedule"), lambda line: line.deviations, mark=_right),
        Column("signals", _("Per 100 forms"), lambda line: line.signals, mark=_right),
    )


def _percent(part: int, whole: int) -> float | None:
    return round(100 * part / whole, 1) if whole else None


def _right(_line: Any) -> str:
    return "number"


ROUTES: tuple[Route, ...] = (
    Route("monitoring/", show_monitoring, "monitoring", _WHO),
    Route("monitoring/unverified/", list_unverified, "unverified", _WHO),
    Route("monitoring/source/<code:participant>/", show_source, "source", _WHO),
)
