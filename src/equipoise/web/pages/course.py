"""One participant's course: how far they are, encounter by encounter, and what may be done now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from equipoise.access.content import Audience
from equipoise.conduct.view.lines import ParticipantLine, RecordLine, TimelineLine
from equipoise.definition.model.forms import Form
from equipoise.web.commands.catalogue import CATALOGUE
from equipoise.web.request import ClinicRequest

NOT_EXPECTED = "not_expected"
"""The state of an encounter that nobody waits for, as the participant is not followed any more."""

_OPEN = ("planned", "due", "overdue")


@dataclass(frozen=True, slots=True)
class FormLink:
    """A form of an encounter: `state` is recorded, due or optional; `link` leads to it."""

    title: str
    state: str
    link: str


@dataclass(frozen=True, slots=True)
class Action:
    """Something that the reader may do now: what it is called, and the page on which it is done."""

    title: str
    link: str
    main: bool = False


@dataclass(frozen=True, slots=True)
class CourseRow:
    """One encounter with its forms and what may be done about it."""

    line: TimelineLine
    forms: tuple[FormLink, ...]
    actions: tuple[Action, ...]


@dataclass(frozen=True, slots=True)
class LogLink:
    """A log: how many rows it has, and through which day it was confirmed."""

    title: str
    rows: int
    through: str | None
    link: str


def is_followed(line: ParticipantLine) -> bool:
    """Tell whether a participant is expected at encounters."""
    return line.status in ("screening", "randomised") or line.end_scope == "treatment"


def read_course(request: ClinicRequest, line: ParticipantLine) -> tuple[TimelineLine, ...]:
    """Return the encounters of a participant; whom nobody follows misses none."""
    names = {each.id: each.name for each in request.definition.schedule.encounters}
    followed = is_followed(line)
    return tuple(
        replace(
            each,
            name=names.get(each.encounter, each.name),
            status=each.status if followed or each.status not in _OPEN else NOT_EXPECTED,
        )
        for each in request.seen.timeline(line.participant, request.today)
    )


def next_encounter(lines: tuple[TimelineLine, ...]) -> TimelineLine | None:
    """Return the encounter that is to take place next: the first open one whose day is known."""
    return next((each for each in lines if each.status in _OPEN and each.target is not None), None)


# -- the table beside the drawing


def course_rows(
    request: ClinicRequest,
    line: ParticipantLine,
    lines: tuple[TimelineLine, ...],
    records: Sequence[RecordLine],
) -> tuple[CourseRow, ...]:
    """Return the rows of the table: each encounter with its forms and its actions; `records` are theirs."""
    filled = {(each.form, each.encounter) for each in records}
    may = frozenset(request.seen.permitted_commands())
    following = next_encounter(lines)
    return tuple(
        CourseRow(
            each,
            tuple(_form_links(request, line.participant, each, filled)),
            tuple(_encounter_actions(line, each, may, is_next=each is following)),
        )
        for each in lines
    )


def _form_links(
    request: ClinicRequest, participant: str, line: TimelineLine, filled: set[tuple[str, str]]
) -> Iterator[FormLink]:
    if line.took_place_on is None:
        return
    schedule = request.definition.schedule
    planned = schedule.forms_at(line.encounter)
    if schedule.encounter(line.encounter) is None:
        planned = schedule.unscheduled
    known = dict.fromkeys((*planned, *(form for form, at in filled if at == line.encounter)))
    for form in filter(None, map(request.definition.form, known)):
        recorded = (form.id, line.encounter) in filled
        offered = not form.retired and _filled_here(request, form)
        if form.repeating or not (recorded or offered):
            continue
        state = "recorded" if recorded else "due" if form.id in line.forms_due else "optional"
        yield FormLink(form.title, state, reverse("form", args=[participant, form.id, line.encounter]))


def _filled_here(request: ClinicRequest, form: Form) -> bool:
    """Whether a form is filled in at a desk that the reader sees: no reading, and nothing of a product."""
    if form.unmasking and Audience.PRODUCT not in request.seen.viewer.audiences:
        return False
    definition = request.definition
    elsewhere = {definition.imaging.read_form} if definition.imaging else set()
    for product in definition.supply.products:
        elsewhere |= {form for form in (product.source_form, product.manufacture_form) if form}
        elsewhere |= {product.administration_form} if product.administration_form else set()
    return form.id not in elsewhere


def log_links(request: ClinicRequest, participant: str, records: Sequence[RecordLine]) -> tuple[LogLink, ...]:
    """Return the participant's logs, as far as the reader may see them."""
    reviews = {each.form: each.through for each in request.seen.log_reviews(participant)}
    rows = Counter(each.form for each in records)
    found = (
        form
        for form in request.definition.forms
        if form.repeating and _filled_here(request, form) and not (form.retired and not rows[form.id])
    )
    return tuple(
        LogLink(
            title=form.title,
            rows=rows[form.id],
            through=reviews.get(form.id),
            link=reverse("log", args=[participant, form.id]),
        )
        for form in found
    )


# -- what may be done


def command_link(request_path: str, name: str, **fields: str) -> str:
    """Return the address of a command's page with fields that are fixed there, leading back to a page."""
    return f"{reverse(f'do_{name}')}?{urlencode({**fields, 'next': request_path})}"


def _encounter_actions(
    line: ParticipantLine, each: TimelineLine, may: frozenset[str], *, is_next: bool
) -> Iterator[Action]:
    if each.status not in _OPEN or each.target is None or line.frozen:
        return
    if each.status == "planned" and not is_next:
        return
    back = reverse("participant", args=[line.participant])
    words = {"StartEncounter": _("took place"), "MissEncounter": _("missed")}
    for name, title in words.items():
        if name in may and (name == "StartEncounter" or each.status != "planned"):
            link = command_link(back, name, participant=line.participant, encounter=each.encounter)
            yield Action(title, link)


def participant_actions(
    request: ClinicRequest, line: ParticipantLine, lines: tuple[TimelineLine, ...]
) -> tuple[Action, ...]:
    """Return what the reader may do for a participant in the state that they are in."""
    may = frozenset(request.seen.permitted_commands())
    back = reverse("participant", args=[line.participant])
    following = next_encounter(lines)
    found: list[Action] = []
    if (
        "StartEncounter" in may
        and following is not None
        and following.status != "planned"
        and not line.frozen
    ):
        link = command_link(
            back, "StartEncounter", participant=line.participant, encounter=following.encounter
        )
        title = _("%(encounter)s took place") % {"encounter": following.name}
        found.append(Action(title, link, main=True))
    for name in _commands_in(request, line, over=following is None):
        if name in may:
            found.append(Action(str(CATALOGUE[name].title), _link_of(back, name, line.participant)))
    return tuple(found)


def _link_of(back: str, name: str, participant: str) -> str:
    if name == "UnblindInEmergency":
        # Two steps of its own lead to this command.
        return f"{reverse('break_code')}?{urlencode({'participant': participant})}"
    return command_link(back, name, participant=participant)


def _commands_in(request: ClinicRequest, line: ParticipantLine, *, over: bool) -> Iterator[str]:
    """Iterate over the commands that make sense in a state; `over` says that no encounter is open."""
    if line.status == "failed":
        if may_be_screened_again(request, line):
            yield "RescreenParticipant"
        return
    if is_followed(line) and not line.frozen:
        yield "StartUnscheduledEncounter"
    if line.status == "screening":
        yield from ("AssessEligibility", "RandomiseParticipant")
    if is_followed(line):
        yield "RenewConsent"
        yield from _material(request, line)
    if over and (line.status == "randomised" or line.end_scope == "treatment"):
        yield "CompleteParticipant"
    if line.randomised_on is not None and not line.signed:
        yield "SignCasebook"
    if line.status == "screening":
        yield "FailScreening"
    if line.status != "completed" and line.end_scope != "consent":
        yield "WithdrawParticipant"
    if line.randomised_on is not None:
        yield from ("UnblindInEmergency", "ReportUnblinding")


def _material(request: ClinicRequest, line: ParticipantLine) -> Iterator[str]:
    collected = any(product.collected_at for product in request.definition.supply.products)
    if collected and line.status == "screening":
        yield "CollectSource"
    if request.definition.imaging is not None:
        yield "ReceiveScan"


def may_be_screened_again(request: ClinicRequest, line: ParticipantLine) -> bool:
    """Tell whether the study allows a new screening, and its waiting time is over."""
    waiting = request.definition.eligibility.rescreening_after_days
    failed_on = date.fromisoformat(line.ended_on or line.consented_on)
    return waiting > 0 and request.today >= failed_on + timedelta(days=waiting)
