"""Reports of serious adverse events as ICH E2B(R3): what is asked of who sends one, and how it is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from equipoise.access.actor import Actor
from equipoise.access.refusal import Refusal, Refused
from equipoise.conduct.view import MaskedView, UnmaskedView
from equipoise.definition.countries import alpha_2
from equipoise.exchange.e2b.hl7 import UNWRITABLE
from equipoise.exchange.e2b.parties import (
    Qualification,
    Receiver,
    Reporter,
    Sender,
    SenderType,
)
from equipoise.exchange.formats import FORMATS, EventReport, Source
from equipoise.exchange.made import NotWritten
from equipoise.safety.state import EventRow
from equipoise.web.commands.fields import Field
from equipoise.web.commands.fields import Kind as FieldKind
from equipoise.web.exporting import moment_of
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Kinds, shows_arms
from equipoise.web.works import Work, works_of

KIND = "event_report"
WHO = Kinds(FORMATS["e2b"].takers)
BLINDED, UNBLINDED = "blinded", "unblinded"

SENDERS: Mapping[str, Promise] = {
    "pharmaceutical_company": gettext_lazy("pharmaceutical company"),
    "regulatory_authority": gettext_lazy("regulatory authority"),
    "health_professional": gettext_lazy("health professional"),
    "regional_centre": gettext_lazy("regional pharmacovigilance centre"),
    "who_centre": gettext_lazy("WHO collaborating centre"),
    "other": gettext_lazy("other, as an academic sponsor"),
}
REPORTERS: Mapping[str, Promise] = {
    "physician": gettext_lazy("physician"),
    "pharmacist": gettext_lazy("pharmacist"),
    "other_health_professional": gettext_lazy("other health professional"),
}
_VERSIONS: Mapping[str, Promise] = {
    BLINDED: gettext_lazy("blinded: it names all that may have been given"),
    UNBLINDED: gettext_lazy("unblinded: it names what was given"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for a report, and the longest answer that its element holds (ICH E2B(R3))."""

    name: str
    label: Promise
    length_max: int
    required: bool = False
    kind: FieldKind = "text"
    choices: Mapping[str, Promise] | None = None


ASKED: tuple[Asked, ...] = (
    Asked("sender", gettext_lazy("Sender's identifier, as agreed with the receiver"), 60, required=True),
    Asked("receiver", gettext_lazy("Receiver's identifier"), 60, required=True),
    Asked("organisation", gettext_lazy("Sender's organisation"), 100, required=True),
    Asked("type", gettext_lazy("What the sender is"), 0, required=True, kind="choice", choices=SENDERS),
    Asked("given_name", gettext_lazy("Given name of who answers for the report"), 60),
    Asked("family_name", gettext_lazy("Family name of who answers for the report"), 60),
    Asked("street", gettext_lazy("Sender's street address"), 100),
    Asked("city", gettext_lazy("Sender's city"), 35),
    Asked("state", gettext_lazy("Sender's state or province"), 40),
    Asked("postcode", gettext_lazy("Sender's postcode"), 15),
    Asked("country", gettext_lazy("Sender's country, as a code of two letters (ISO 3166)"), 2),
    Asked("telephone", gettext_lazy("Sender's telephone"), 33),
    Asked("email", gettext_lazy("Sender's e-mail address"), 100),
    Asked(
        "qualification",
        gettext_lazy("Qualification of the reporter at the site"),
        0,
        kind="choice",
        choices=REPORTERS,
    ),
    Asked("comment", gettext_lazy("Sender's comment"), 20_000, kind="long_text"),
)
VERSION = Asked("version", gettext_lazy("Version"), 0, required=True, kind="choice", choices=_VERSIONS)
"""Asked of those alone who may know the allocation; everybody else sends the blinded version."""

_OF_ONE_REPORT = ("comment", "qualification", "version")


def broke_code(actor: Actor, seen: MaskedView | UnmaskedView, participant: str) -> bool:
    """Tell whether an account broke the code of a participant."""
    wanted = (participant, "emergency", actor.account)
    return any((row.participant, row.kind, row.account) == wanted for row in seen.unblindings())


def may_unblind(actor: Actor, seen: MaskedView | UnmaskedView, participant: str) -> bool:
    """Tell whether an account may name what a participant was given: it sees the arms, or broke the code."""
    return shows_arms(seen) or broke_code(actor, seen, participant)


def asked_for(request: ClinicRequest, participant: str) -> tuple[Asked, ...]:
    """Return what the reader is asked for the report of an event of a participant."""
    return (VERSION, *ASKED) if may_unblind(request.actor, request.seen, participant) else ASKED


def fields_of(asked: Sequence[Asked], given: Mapping[str, str], problems: Mapping[str, str]) -> list[Field]:
    """Return the fields of the form, as they were answered."""
    return [
        Field(
            each.name,
            str(each.label),
            each.kind,
            each.required,
            given.get(each.name, ""),
            tuple((code, str(words)) for code, words in (each.choices or {}).items()),
            problem=problems.get(each.name, ""),
        )
        for each in asked
    ]


def usual_answers(request: ClinicRequest) -> dict[str, str]:
    """Return what the form begins with: the sponsor, else what this account answered in this role within a
    day.
    """
    usual = {
        "organisation": request.clinic.definition.study.sponsor.name,
        "type": "other",
        "version": BLINDED,
    }
    last = works_of(request.actor).filter(kind=KIND).first()
    if last is None:
        return usual
    kept = {name: said for name, said in last.arguments["answers"].items() if name not in _OF_ONE_REPORT}
    return usual | kept


def read_answers(request: ClinicRequest, asked: Sequence[Asked]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what was answered, and by field what is wrong with it; what was not asked is not read."""
    answers, problems = {}, {}
    for each in asked:
        given = answers[each.name] = request.POST.get(each.name, "").replace("\r\n", "\n").strip()
        problem = _problem(each, given)
        if problem:
            problems[each.name] = problem
    return answers, problems


def _problem(each: Asked, given: str) -> str:
    if not given:
        return _("This must be answered.") if each.required else ""
    if each.choices is not None:
        return "" if given in each.choices else _("Choose one of the list.")
    if len(given) > each.length_max:
        return _("The report has room for %(number)s characters here.") % {"number": each.length_max}
    broken = each.kind != "long_text" and any(sign in given for sign in "\t\n\r")
    if broken or UNWRITABLE.search(given):
        return _("This has a character in it that cannot be written.")
    if each.name == "country" and alpha_2(given) != given:
        return _("This is no code of a country, as SE for Sweden.")
    if each.name == "email":
        try:
            validate_email(given)
        except ValidationError:
            return _("This is no e-mail address.")
    return ""


def event_of(request: ClinicRequest, participant: str, row: int) -> EventRow | None:
    """Return a serious event that the reader sees, None where there is none.

    Raises Refused (E2B-NOT-SERIOUS) for another one.
    """
    rows = request.seen.adverse_events()
    found = next((each for each in rows if (each.participant, each.row) == (participant, row)), None)
    if found is not None and not found.serious:
        sentence = _("The event is not serious, and only serious events are reported one by one.")
        raise Refused(Refusal("E2B-NOT-SERIOUS", sentence, _("Have the form corrected if it is.")))
    return found


def read_report_arguments(request: ClinicRequest) -> dict[str, Any]:
    """Refuse a report that is asked for beside the page of its event, which alone says what is missing."""
    sentence = _("A report is made on the page of its adverse event.")
    raise Refused(Refusal("E2B-EVENT", sentence, _("Open the event, and take the report there.")))


def make_event_report(work: Work) -> str | Refusal:
    """Make the report of an event, from the data of its participant as they stand when the work begins.

    Raises Refused (ALL-NOT-UNBLINDED) for an unblinded one that the account may not have any more.
    """
    clinic, answers = work.clinic, cast(dict[str, str], work.arguments["answers"])
    participant, row = str(work.arguments["participant"]), int(work.arguments["row"])
    unblinded = answers.get("version") == UNBLINDED
    work.plan(1)
    try:
        with clinic.trial.reading():
            seen, head, definition = work.seen, work.seen.head(), clinic.definition
            report = _report_of(participant, row, answers, unblinded=unblinded)
            if unblinded and not shows_arms(seen):
                report = replace(report, arm=clinic.trial.emergency_allocation(work.actor, participant))
            files = FORMATS["e2b"].make(
                Source(
                    load=lambda: definition,
                    moment=moment_of(clinic),
                    seen=seen,
                    report=report,
                ),
                "xml",
            )
        (made,) = files
    except NotWritten as refused:
        return Refusal(refused.code, refused.sentence, "")
    work.is_of(head)
    work.write(made.content)
    word = UNBLINDED if unblinded else BLINDED
    return f"{definition.study.id}-e2b-{participant}-{row}-{word}-{head.position}.xml"


def _report_of(participant: str, row: int, answers: Mapping[str, str], *, unblinded: bool) -> EventReport:
    def said(name: str) -> str | None:
        return answers.get(name) or None

    return EventReport(
        participant=participant,
        row=row,
        sender=Sender(
            identifier=answers["sender"],
            organisation=answers["organisation"],
            type=cast(SenderType, answers["type"]),
            given_name=said("given_name"),
            family_name=said("family_name"),
            street=said("street"),
            city=said("city"),
            state=said("state"),
            postcode=said("postcode"),
            country=said("country"),
            telephone=said("telephone"),
            email=said("email"),
        ),
        receiver=Receiver(identifier=answers["receiver"]),
        unblinded=unblinded,
        reporter=Reporter(qualification=cast(Qualification | None, said("qualification"))),
        sender_comment=said("comment"),
    )
