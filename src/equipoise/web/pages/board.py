"""The safety board: the open report for everybody who is masked, the closed one for the board alone.

ICH E9 4.5 and 4.6; FDA guidance on data monitoring committees 2006, 4.3.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from equipoise.conduct.view import UnmaskedView
from equipoise.safety.state import EventRow
from equipoise.web.listing import Column, make_listing
from equipoise.web.offers import offers
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Kinds, shows_arms


@dataclass(frozen=True, slots=True)
class ArmLine:
    """What was seen in one arm so far; `with_serious` counts participants, the others events."""

    arm: str
    randomised: int
    events: int
    serious: int
    with_serious: int
    related: int
    unexpected: int
    ended: int

    @property
    def percent(self) -> float | None:
        """How many of the randomised had a serious event, in per cent."""
        return round(100 * self.with_serious / self.randomised, 1) if self.randomised else None


def show_board(request: ClinicRequest) -> HttpResponse:
    """Draw what the board has before it: recruitment, the reports, and the serious events by arm."""
    seen = request.seen
    context = {
        "open_offers": offers(request, "report", "datasets"),
        "closed_offers": offers(request, "closed_report", "closed_datasets"),
        "sites": seen.sites(),
        "planned": request.definition.study.planned_enrolment,
        "randomised": sum(line.randomised for line in seen.sites()),
        "clocks": sum(line.state == "overdue" for line in seen.clock_states(request.clinic.now())),
        "unblindings": len(seen.unblindings()),
        "closed": False,
    }
    if shows_arms(seen):
        arms = seen.arms()
        serious = [event for event in seen.adverse_events() if event.serious]
        serious.sort(key=lambda event: (event.participant, event.row))
        listing = make_listing(request, "closed-serious-events", _event_columns(request, arms), serious)
        if isinstance(listing, HttpResponse):
            return listing
        context |= {"closed": True, "arms": _by_arm(request, seen, arms), "listing": listing}
    return render(request, "pages/board.html", context)


def _by_arm(request: ClinicRequest, seen: UnmaskedView, arms: Mapping[str, str]) -> list[ArmLine]:
    events = seen.adverse_events()
    ended = {line.participant for line in seen.participants() if line.status == "withdrawn"}
    lines = []
    for arm in request.definition.study.arms:
        people = {code for code, held in arms.items() if held == arm.id}
        mine = [event for event in events if event.participant in people]
        serious = [event for event in mine if event.serious]
        lines.append(
            ArmLine(
                arm=arm.label,
                randomised=len(people),
                events=len(mine),
                serious=len(serious),
                with_serious=len({event.participant for event in serious}),
                related=sum(_related(event) for event in serious),
                unexpected=sum(_related(event) and event.unexpected for event in serious),
                ended=len(people & ended),
            )
        )
    return lines


def _related(event: EventRow) -> bool:
    """Whether the site or the sponsor holds an event for related: either of them suffices (ICH E2A III.B)."""
    return event.related or bool(event.sponsor_related)


def _event_columns(request: ClinicRequest, arms: Mapping[str, str]) -> tuple[Column[EventRow], ...]:
    labels = {arm.id: arm.label for arm in request.definition.study.arms}
    return (
        Column("participant", _("Participant"), lambda event: event.participant),
        Column("row", _("Event"), lambda event: event.row),
        Column(
            "arm",
            _("Arm"),
            lambda event: (
                labels[arms[event.participant]] if event.participant in arms else _("not randomised")
            ),
        ),
        Column("aware", _("Known since"), lambda event: event.aware_at and event.aware_at[:10]),
        Column("related", _("Related"), lambda event: event.related),
        Column("sponsor", _("Related, by the sponsor"), lambda event: event.sponsor_related),
        Column("unexpected", _("Unexpected"), lambda event: event.unexpected),
    )


ROUTES: tuple[Route, ...] = (
    Route("board/", show_board, "board", Kinds(("safety_board", "unblinded_statistician"))),
)
