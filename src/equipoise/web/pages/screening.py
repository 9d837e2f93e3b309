"""Screening: every criterion met, not met or unknown, with what stands behind it and what would decide it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from equipoise.access.content import Audience
from equipoise.access.refusal import Refusal, Refused
from equipoise.conduct.view.lines import ParticipantLine
from equipoise.definition.expression import Explanation, Quantity, Source, Truth, Value, shown
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.eligibility import Criterion
from equipoise.definition.model.forms import Item
from equipoise.definition.names import ANCHORS
from equipoise.enrolment.state import AssessmentRow
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Sees
from equipoise.web.words_of_values import text_of

_WORDS: Mapping[Truth, str] = {Truth.MET: "met", Truth.NOT_MET: "not_met", Truth.UNKNOWN: "unknown"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One observation: what was asked, what was answered, where and when, and a remark."""

    what: str
    value: str
    where: str
    dated: str
    note: str
    open: bool
    link: str | None


@dataclass(frozen=True, slots=True)
class Reason:
    """One part of a criterion: `outcome` is met, not_met or unknown, empty for a quantity.

    `matters` says that it stands as the part above it does, which it thereby explains.
    """

    text: str
    outcome: str
    found: str
    evidence: tuple[Evidence, ...]
    parts: tuple[Reason, ...]
    matters: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """One criterion: how it stands, whether that lets the participant in, and what is to be recorded.

    `stands` is fulfilled, against or unknown; an exclusion criterion stands against when it is met.
    """

    id: str
    category: str
    text: str
    outcome: str
    stands: str
    reason: Reason
    lacking: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """The eligibility of a participant on a day: `outcome` is eligible, ineligible or unknown."""

    on: date
    outcome: str
    groups: tuple[tuple[str, tuple[Judged, ...]], ...]
    against: tuple[Judged, ...]
    unknown: tuple[Judged, ...]
    total: int
    hidden: int


def read_standing(request: ClinicRequest, line: ParticipantLine, on: date) -> Standing:
    """Return how every criterion that the reader may see stands on a day."""
    explained = request.seen.explain_eligibility(line.participant, on)
    rules = request.definition.eligibility.rules_for(line.variant, on)
    judged = [
        _judge(request.definition, line.participant, rule, explained[rule.id])
        for rule in rules
        if rule.id in explained
    ]
    against = tuple(each for each in judged if each.stands == "against")
    unknown = tuple(each for each in judged if each.stands == "unknown")
    titles = {"inclusion": _("Inclusion: each must be met"), "exclusion": _("Exclusion: none may be met")}
    groups = tuple(
        (titles[category], tuple(each for each in judged if each.category == category)) for category in titles
    )
    return Standing(
        on=on,
        outcome="ineligible" if against else "unknown" if unknown else "eligible",
        groups=tuple((title, each) for title, each in groups if each),
        against=against,
        unknown=unknown,
        total=len(judged),
        hidden=sum(rule.when is not None for rule in rules) - len(judged),
    )


def _judge(definition: StudyDefinition, participant: str, rule: Criterion, explained: Explanation) -> Judged:
    outcome = explained.outcome or Truth.UNKNOWN
    wanted = Truth.MET if rule.category == "inclusion" else Truth.NOT_MET
    stands = "unknown" if outcome is Truth.UNKNOWN else "fulfilled" if outcome is wanted else "against"
    reason = _reason(definition, participant, explained, explained.outcome)
    lacking = tuple(dict.fromkeys(_lacking(reason))) if stands == "unknown" else ()
    return Judged(rule.id, rule.category, rule.text, _WORDS[outcome], stands, reason, lacking)


def _reason(
    definition: StudyDefinition, participant: str, explained: Explanation, above: Truth | None
) -> Reason:
    negated = explained.text == "not"
    return Reason(
        text=str(_JOINTS.get(explained.text, explained.text)),
        outcome=_WORDS[explained.outcome] if explained.outcome is not None else "",
        found="" if explained.value is None else _found(explained.value),
        evidence=tuple(_evidence(definition, participant, each) for each in explained.sources),
        parts=tuple(
            _reason(definition, participant, each, None if negated else explained.outcome)
            for each in explained.children
        ),
        matters=None in (above, explained.outcome) or above is explained.outcome,
    )


def _found(value: Value | Quantity) -> str:
    if isinstance(value, Decimal):
        return text_of(Decimal(shown(value)))
    return text_of(value) if isinstance(value, bool) else shown(value)


_JOINTS: Mapping[str, Promise] = {
    "all of": gettext_lazy("all of these"),
    "any of": gettext_lazy("one or more of these"),
    "not": gettext_lazy("this does not hold"),
}


def _lacking(reason: Reason) -> Iterator[Evidence]:
    """Iterate over what leaves an unknown part unknown; parts that are settled need nothing."""
    if reason.outcome in ("met", "not_met"):
        return
    yield from (each for each in reason.evidence if each.open)
    for part in reason.parts:
        yield from _lacking(part)


def _evidence(definition: StudyDefinition, participant: str, source: Source) -> Evidence:
    encounters = {each.id: each.name for each in definition.schedule.encounters}
    form = definition.form(source.form)
    item = form.item(source.item) if form else None
    if form is None:
        what = ANCHORS.get(source.item) or encounters.get(source.item, source.item)
    elif item is None:
        what = form.title
    else:
        what = f"{form.title}: {item.label}"
    link = None
    if form is not None and form.repeating:
        link = reverse("log", args=[participant, form.id])
    elif form is not None and source.encounter:
        link = reverse("form", args=[participant, form.id, source.encounter])
    return Evidence(
        what=what,
        value="" if source.value is None else _answer(item, source),
        where=encounters.get(source.encounter or "", source.encounter or ""),
        dated=str(source.date) if source.date else "",
        note=source.note,
        open=source.open,
        link=link,
    )


def _answer(item: Item | None, source: Source) -> str:
    labels = {code.code: code.label for code in item.codes} if item else {}
    text = _found(source.value)
    unit = f" {item.unit}" if item is not None and item.unit else ""
    return labels.get(text, f"{text}{unit}")


# -- the page


@dataclass(frozen=True, slots=True)
class Frozen:
    """An assessment as it was frozen, with the criteria that did not let the participant in."""

    row: AssessmentRow
    against: tuple[str, ...]
    unknown: tuple[str, ...]


def freeze_of(row: AssessmentRow, definition: StudyDefinition) -> Frozen:
    """Return a frozen assessment with what stood against the participant, and what was unknown."""
    rules = definition.eligibility.rules_for(row.variant, date.fromisoformat(row.assessed_on))
    wanted = {rule.id: "met" if rule.category == "inclusion" else "not_met" for rule in rules}
    against = tuple(
        name for name, found in row.criteria.items() if found not in ("unknown", wanted.get(name, found))
    )
    unknown = tuple(name for name, found in row.criteria.items() if found == "unknown")
    return Frozen(row, against, unknown)


def _as_assessed(request: ClinicRequest, row: AssessmentRow) -> StudyDefinition:
    """The version of the study under which somebody was assessed."""
    return request.clinic.trial.versions.of(row.definition) or request.definition


def read_day(request: ClinicRequest) -> date:
    """Return the day that the address names, else today; raises Refused (WEB-DAY) for what is no day."""
    text = request.GET.get("on", "")
    if not text:
        return request.today
    try:
        day = date.fromisoformat(text)
    except ValueError:
        sentence, remedy = _("The address names no day."), _("Write the day as YYYY-MM-DD.")
        raise Refused(Refusal("WEB-DAY", sentence, remedy)) from None
    if abs((day - request.today).days) > _DAYS_MAX:
        sentence, remedy = _("The day is too far away."), _("Choose a day of the trial.")
        raise Refused(Refusal("WEB-DAY", sentence, remedy))
    return day


_DAYS_MAX = 40_000


def show_screening(request: ClinicRequest, participant: str) -> HttpResponse:
    """Draw the eligibility of one participant, criterion by criterion, and the frozen assessments."""
    line = request.seen.participant(participant)
    standing = read_standing(request, line, read_day(request))
    may = request.seen.permitted_commands()
    context = {
        "participant": participant,
        "line": line,
        "standing": standing,
        "frozen": [
            freeze_of(row, _as_assessed(request, row)) for row in request.seen.eligibility(participant)
        ],
        "may_assess": "AssessEligibility" in may and line.status == "screening",
        "may_fail": "FailScreening" in may and line.status == "screening",
    }
    return render(request, "pages/screening.html", context)


ROUTES: tuple[Route, ...] = (
    Route("participants/<code:participant>/screening/", show_screening, "screening", Sees(Audience.CONDUCT)),
)
