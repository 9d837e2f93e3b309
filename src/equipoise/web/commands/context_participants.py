"""What the pages of commands about a participant show besides their fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.urls import reverse

from equipoise.access.content import Audience
from equipoise.access.refusal import Refused
from equipoise.conduct.view import UnmaskedView
from equipoise.conduct.view.lines import ParticipantLine, TimelineLine
from equipoise.web.pages import course
from equipoise.web.pages.screening import read_standing
from equipoise.web.request import ClinicRequest

Given = Mapping[str, str]


def participant_of(request: ClinicRequest, given: Given) -> ParticipantLine | None:
    """Return the participant that the form names, if the reader sees them; the form itself says if not."""
    try:
        return request.seen.participant(given.get("participant", ""))
    except Refused:
        return None


def _of_participant(request: ClinicRequest, given: Given) -> dict[str, Any]:
    return {"line": participant_of(request, given)}


def _of_consent(request: ClinicRequest, given: Given) -> dict[str, Any]:
    site = request.definition.site(given.get("site") or request.actor.site or "")
    variants = {each.id: each for each in request.definition.eligibility.variants}
    return {
        "site": site,
        "variant": variants.get(request.definition.variant_of(site.id) or "") if site else None,
    }


def _of_eligibility(request: ClinicRequest, given: Given) -> dict[str, Any]:
    line = participant_of(request, given)
    if line is None:
        return {}
    on = _day(given.get("assessed_on") or given.get("randomised_on")) or request.today
    return {
        "line": line,
        "standing": read_standing(request, line, on),
        "criteria_at": reverse("screening", args=[line.participant]),
    }


def _of_randomisation(request: ClinicRequest, given: Given) -> dict[str, Any]:
    context = _of_eligibility(request, given)
    line = context.get("line")
    if not isinstance(line, ParticipantLine):
        return {}
    day = _day(given.get("randomised_on")) or request.today
    frozen = [
        each for each in request.seen.eligibility(line.participant) if each.assessed_on == day.isoformat()
    ]
    needed = [each for each in request.definition.supply.products if each.released_before_randomisation]
    lots = None
    if isinstance(request.seen, UnmaskedView) and Audience.PRODUCT in request.seen.viewer.audiences:
        lots = [each for each in request.seen.lots() if each.participant == line.participant]
    assess_at = course.command_link(
        request.get_full_path(), "AssessEligibility", participant=line.participant
    )
    return context | {
        "assessment": frozen[-1] if frozen else None,
        "needed": needed,
        "lots": lots,
        "assess_at": assess_at if "AssessEligibility" in request.seen.permitted_commands() else None,
        "ratio": request.definition.allocation.ratio,
    }


def _of_rescreening(request: ClinicRequest, given: Given) -> dict[str, Any]:
    return _of_participant(request, given) | {
        "waiting_days": request.definition.eligibility.rescreening_after_days
    }


def _of_encounter(request: ClinicRequest, given: Given) -> dict[str, Any]:
    line = participant_of(request, given)
    if line is None:
        return {}
    wanted = given.get("encounter", "")
    found: TimelineLine | None = next(
        (each for each in course.read_course(request, line) if each.encounter == wanted), None
    )
    titles = {form.id: form.title for form in request.definition.forms}
    forms = [titles[form] for form in request.definition.schedule.forms_at(wanted)]
    return {"line": line, "encounter": found, "forms": forms}


def _day(text: str | None) -> date | None:
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    # A day far away is refused when the form is sent; nothing is worked out for it here.
    return day if 1900 < day.year < 2200 else None


CONTEXTS_OF_PARTICIPANTS: Mapping[str, Callable[[ClinicRequest, Given], Mapping[str, Any]]] = {
    "ConsentParticipant": _of_consent,
    "AssessEligibility": _of_eligibility,
    "FailScreening": _of_eligibility,
    "RandomiseParticipant": _of_randomisation,
    "RescreenParticipant": _of_rescreening,
    "WithdrawParticipant": _of_participant,
    "CompleteParticipant": _of_participant,
    "StartEncounter": _of_encounter,
    "MissEncounter": _of_encounter,
    "RegisterIdentity": _of_participant,
    "EraseIdentity": _of_participant,
}
"""By the command's name."""
