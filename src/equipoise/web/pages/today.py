"""The jobs of the day, by kind of role: each a card with a count, its first few cases, and a way to all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from equipoise.conduct.view import UnmaskedView
from equipoise.conduct.view.lines import DueLine
from equipoise.web.request import ClinicRequest
from equipoise.web.words import due_by
from equipoise.web.words_of_values import time_at, word_of_state

SHOWN_MAX = 6
_WEEK = timedelta(days=6)


@dataclass(frozen=True, slots=True)
class Case:
    """One case of a job: what it is, a remark, and where it is done."""

    text: str
    remark: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One job; `tone` is bad, warn or empty, `link` leads to all of its cases."""

    title: str | Promise
    count: int
    cases: tuple[Case, ...] = ()
    more: int = 0
    link: str = ""
    tone: str = ""


Cards = Callable[[ClinicRequest], Iterator[Card]]


def cards_of(request: ClinicRequest) -> tuple[Card, ...]:
    """Return the jobs of the reader's role."""
    return tuple(CARDS[request.seen.viewer.role.kind](request))


def link_to(request: ClinicRequest, name: str) -> str:
    """Return the address of a page if the reader may come there, else an empty text."""
    # The table of all routes has this page in it.
    from equipoise.web.routes import ROUTES  # noqa: PLC0415

    open_ = any(route.name == name and route.visible.admits(request.seen.viewer) for route in ROUTES)
    return reverse(name) if open_ else ""


def make_card(title: str | Promise, cases: Sequence[Case], link: str = "", tone: str = "") -> Card:
    """Return a card with the first of its cases; without any it has no tone."""
    return Card(
        title,
        len(cases),
        tuple(cases[:SHOWN_MAX]),
        max(0, len(cases) - SHOWN_MAX),
        link,
        tone if cases else "",
    )


def _to_participant(participant: str) -> str:
    return reverse("participant", args=[participant])


# -- the staff of a site


def _visits(request: ClinicRequest) -> Iterator[Card]:
    today = request.today
    due = due_by(request, today)
    open_now = {(each.participant, each.encounter) for each in due}
    soon = [
        each
        for each in due_by(request, today + _WEEK)
        if each.status == "due" and (each.participant, each.encounter) not in open_now
    ]
    overdue = [each for each in due if each.status == "overdue"]
    waiting = [each for each in due if each.status == "due"]
    all_of_them = link_to(request, "participants")
    late = f"{all_of_them}?status=late" if all_of_them else ""
    yield make_card(_("Encounters overdue"), [_visit(each) for each in overdue], late, "bad")
    yield make_card(_("Encounters due now"), [_visit(each) for each in waiting], all_of_them, "warn")
    yield make_card(_("Windows that open this week"), [_opening(each) for each in soon], all_of_them)
    yield make_card(_("Forms due"), list(_forms(request, due)), late, "warn")


def _visit(each: DueLine) -> Case:
    return Case(
        f"{each.participant} {each.name}", f"{each.opens} – {each.closes}", _to_participant(each.participant)
    )


def _opening(each: DueLine) -> Case:
    return Case(f"{each.participant} {each.name}", str(each.opens), _to_participant(each.participant))


def _forms(request: ClinicRequest, due: Sequence[DueLine]) -> Iterator[Case]:
    titles = {form.id: form.title for form in request.definition.forms}
    for each in due:
        for form in each.forms_due:
            link = reverse("form", args=[each.participant, form, each.encounter])
            yield Case(f"{each.participant} {titles[form]}", each.name, link)


def _queries(request: ClinicRequest, status: str, title: str | Promise) -> Card:
    cases = [
        Case(f"{each.query} {each.participant}", each.text, reverse("query", args=[each.query]))
        for each in request.seen.queries()
        if each.status == status
    ]
    return make_card(title, cases, link_to(request, "queries"), "warn")


def _candidates(request: ClinicRequest) -> Card:
    cases = [
        Case(each.participant, each.consented_on, reverse("screening", args=[each.participant]))
        for each in request.seen.participants()
        if each.status == "screening"
    ]
    return make_card(_("Candidates in screening"), cases, f"{reverse('participants')}?status=screening")


def _to_sign(request: ClinicRequest) -> Card:
    cases = [
        Case(each.participant, word_of_state(each.status), reverse("casebook", args=[each.participant]))
        for each in request.seen.participants()
        if each.randomised_on and each.status in ("completed", "withdrawn") and not each.signed
    ]
    return make_card(_("Casebooks to sign"), cases, reverse("participants"))


def _to_consent_anew(request: ClinicRequest) -> Card:
    cases = [
        Case(each.participant, each.study_version, _to_participant(each.participant))
        for each in request.seen.reconsents()
    ]
    return make_card(_("To consent anew"), cases, tone="warn")


def _nurse(request: ClinicRequest) -> Iterator[Card]:
    yield from _visits(request)
    yield _to_consent_anew(request)
    yield _queries(request, "open", _("Queries to answer"))
    yield _candidates(request)


def _investigator(request: ClinicRequest) -> Iterator[Card]:
    yield from _nurse(request)
    yield _to_sign(request)
    yield from _clocks(request)


# -- reading, laboratory, infusion


def _reading(request: ClinicRequest) -> Iterator[Card]:
    link = link_to(request, "reading")
    tasks = [Case(each.task, link=link) for each in request.seen.reading_tasks()]
    yield make_card(_("Scans waiting for you"), tasks, link, "warn")
    yield Card(_("Scans that you have read"), len(request.seen.my_readings()), link=link)


def _lots(request: ClinicRequest) -> Iterator[Card]:
    if not isinstance(request.seen, UnmaskedView):
        return
    titles = {
        "collected": _("Lots in culture"),
        "made": _("Lots to release"),
    }
    lots = request.seen.lots()
    for status, title in titles.items():
        cases = [
            Case(
                f"{each.lot} {each.participant}",
                each.made_on or each.collected_on,
                reverse("lot", args=[each.lot]),
            )
            for each in lots
            if each.status == status
        ]
        yield make_card(title, cases, link_to(request, "laboratory"), "warn" if status == "made" else "")


def _units(request: ClinicRequest) -> Iterator[Card]:
    if not isinstance(request.seen, UnmaskedView):
        return
    names = {each.id: each.name for each in request.definition.schedule.encounters}
    wanted = [
        Case(
            f"{each.participant} {names.get(each.encounter, each.encounter)}",
            link=link_to(request, "laboratory"),
        )
        for each in request.seen.preparations()
    ]
    yield make_card(_("Units to prepare"), wanted, link_to(request, "laboratory"), "warn")
    ready = [
        Case(f"{each.unit} {each.participant}", each.prepared_on, reverse("unit", args=[each.unit]))
        for each in request.seen.units()
        if each.status == "prepared"
    ]
    yield make_card(_("Units to give"), ready, link_to(request, "units"), "warn")


def _laboratory(request: ClinicRequest) -> Iterator[Card]:
    yield from _lots(request)
    yield from _units(request)


def _infuser(request: ClinicRequest) -> Iterator[Card]:
    yield from _units(request)
    yield from _visits(request)


# -- those who oversee


def _clocks(request: ClinicRequest) -> Iterator[Card]:
    zone = request.clinic.zone(request.actor.site)
    states = request.seen.clock_states(request.clinic.now())
    titles = {"overdue": _("Safety reports overdue"), "running": _("Safety reports to send")}
    for state, title in titles.items():
        cases = [
            Case(
                f"{each.participant} {each.title}",
                time_at(each.due_at, zone),
                _to_participant(each.participant),
            )
            for each in states
            if each.state == state
        ]
        yield make_card(title, cases, link_to(request, "safety"), "bad" if state == "overdue" else "warn")


def _safety_desk(request: ClinicRequest) -> Iterator[Card]:
    yield from _clocks(request)
    events = request.seen.adverse_events()
    cases = [
        Case(each.participant, f"#{each.row}", reverse("safety_event", args=[each.participant, each.row]))
        for each in events
        if each.serious and each.sponsor_related is None
    ]
    yield make_card(_("Serious events to assess"), cases, link_to(request, "safety"), "warn")
    yield _queries(request, "answered", _("Answers to look at"))


def _data_manager(request: ClinicRequest) -> Iterator[Card]:
    seen = request.seen
    names = {each.id: each.name for each in request.definition.schedule.encounters}
    titles = {form.id: form.title for form in request.definition.forms}
    scans = [
        Case(
            f"{each.scan} {each.participant}",
            names.get(each.encounter, each.encounter),
            link_to(request, "scans"),
        )
        for each in seen.scan_log()
        if each.status == "received"
    ]
    yield make_card(_("Scans to check"), scans, link_to(request, "scans"), "warn")
    yield _queries(request, "answered", _("Answers to look at"))
    missing = [
        Case(
            f"{each.participant} {titles[each.form]}",
            names.get(each.encounter, each.encounter),
            reverse("form", args=[each.participant, each.form, each.encounter]),
        )
        for each in seen.missing_forms()
    ]
    yield make_card(_("Forms missing"), missing, link_to(request, "data_missing"), "warn")
    overdue = [_visit(each) for each in due_by(request, request.today) if each.status == "overdue"]
    yield make_card(_("Encounters overdue"), overdue, link_to(request, "data_overdue"), "bad")
    outside = [
        Case(
            f"{each.participant} {names.get(each.encounter, each.encounter)}",
            word_of_state(each.status),
            _to_participant(each.participant),
        )
        for each in seen.out_of_window()
    ]
    yield make_card(_("Missed, or out of their window"), outside, link_to(request, "data_windows"))
    yield _to_consent_anew(request)
    yield Card(_("Open before the lock"), len(seen.readiness()), link=link_to(request, "data_readiness"))
    yield from _overdue_reviews(request)


def _monitor(request: ClinicRequest) -> Iterator[Card]:
    lines = [each for each in request.seen.verification() if each.unverified]
    cases = [
        Case(
            each.participant,
            f"{each.items_verified}/{each.items_due}",
            reverse("source", args=[each.participant]),
        )
        for each in sorted(lines, key=lambda each: each.items_verified - each.items_due)
    ]
    yield make_card(_("Participants with answers to verify"), cases, link_to(request, "monitoring"), "warn")
    yield _queries(request, "answered", _("Answers to look at"))
    yield _queries(request, "open", _("Queries that wait for the site"))
    yield from _overdue_reviews(request)


def _overdue_reviews(request: ClinicRequest) -> Iterator[Card]:
    """What is to be reviewed anew, where there is something."""
    link = link_to(request, "reviews")
    cases = [
        Case(word_of_state(each.reviewed), str(each.next_due), link)
        for each in request.seen.reviews(request.today)
        if each.state == "overdue"
    ]
    if cases:
        yield make_card(_("Reviews overdue"), cases, link, "bad")


def _state(request: ClinicRequest) -> Iterator[Card]:
    """The state of the trial, for those whose work is not of the day."""
    sites = request.seen.sites()
    planned = request.definition.study.planned_enrolment
    link = link_to(request, "sites")
    by_site = [Case(each.site, f"{each.randomised}/{each.consented}", link) for each in sites]
    randomised = sum(each.randomised for each in sites)
    yield Card(_("Randomised"), randomised, (Case(str(_("planned")), str(planned), link),), link=link)
    yield make_card(_("Sites under way (randomised/consented)"), by_site, link)
    yield Card(_("Completed"), sum(each.completed for each in sites), link=link)
    yield Card(_("Withdrawn"), sum(each.withdrawn for each in sites), link=link)


def _board(request: ClinicRequest) -> Iterator[Card]:
    yield from _state(request)
    yield from _clocks(request)
    events = [each for each in request.seen.adverse_events() if each.serious]
    yield Card(_("Serious adverse events"), len(events), link=link_to(request, "board"))


def _statistician(request: ClinicRequest) -> Iterator[Card]:
    yield from _state(request)
    yield Card(_("Open before the lock"), len(request.seen.readiness()), link=link_to(request, "statistics"))


def _administrator(request: ClinicRequest) -> Iterator[Card]:
    yield from _state(request)
    link = link_to(request, "governance") or link_to(request, "sites")
    planned = [
        Case(f"{each.site} {each.name}", each.country, link)
        for each in request.seen.all_sites()
        if each.status == "planned"
    ]
    yield make_card(_("Sites not activated"), planned, link)
    held = [each for each in request.seen.grants() if each.revoked_at is None]
    yield Card(_("Roles held"), len(held), link=link_to(request, "people"))
    yield from _overdue_reviews(request)


CARDS: Mapping[str, Cards] = {
    "investigator": _investigator,
    "nurse": _nurse,
    "laboratory": _laboratory,
    "infuser": _infuser,
    "reader": _reading,
    "adjudicator": _reading,
    "safety_desk": _safety_desk,
    "safety_board": _board,
    "data_manager": _data_manager,
    "monitor": _monitor,
    "statistician": _statistician,
    "unblinded_statistician": _statistician,
    "administrator": _administrator,
}
"""What there is to do, by kind of role."""
