"""One participant's casebook as a page that stands by itself: values, queries, signatures, audit trail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from equipoise.conduct.trail import AuditLine
from equipoise.conduct.versions import Versions
from equipoise.conduct.view.lines import ParticipantLine, RecordLine
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import Item
from equipoise.enrolment.state import AssessmentRow
from equipoise.web.accounts.models import Account
from equipoise.web.pages.verifying import badge_of
from equipoise.web.words_of_values import text_of, time_at

if TYPE_CHECKING:
    from equipoise.web.site_copy import Taken

_NOT_SAID = ("participant", "nonce")


@dataclass(frozen=True, slots=True)
class Names:
    """The printed names of accounts."""

    printed: Mapping[str, str]

    @classmethod
    def now(cls) -> Names:
        """Read the names as they are now."""
        return cls(dict(Account.objects.values_list("username", "printed_name")))

    def of(self, account: str) -> str:
        """Return an account with its printed name, where it has one."""
        name = self.printed.get(account, "")
        return f"{name} ({account})" if name else account


@dataclass(frozen=True, slots=True)
class Answer:
    """An item of a filled form as it is read."""

    label: str
    text: str
    entered: str
    who: str
    source: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A filled form as it is read."""

    title: str
    place: str
    removed: bool
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A line of the audit trail as it is read."""

    position: int
    time: str
    who: str
    role: str
    what: str
    said: tuple[tuple[str, str], ...]
    reason: str


def draw_casebook(
    definition: StudyDefinition,
    versions: Versions,
    taken: Taken,
    person: ParticipantLine,
    audit: Sequence[AuditLine],
    zone: ZoneInfo,
    names: Names,
) -> str:
    """Return one participant's casebook as an HTML file that needs no other."""
    code = person.participant
    who = {line.position: names.of(line.account) for line in audit}
    context = {
        "study": definition.study,
        "person": person,
        "arm": taken.arms.get(code),
        "head": taken.head,
        "zone": zone,
        "timeline": taken.timelines[code],
        "forms": [_filled(definition, record, who, zone) for record in taken.records[code]],
        "assessments": [
            (each, _criteria(versions.of(each.definition) or definition, each))
            for each in taken.assessments[code]
        ],
        "queries": [each for each in taken.queries if each.participant == code],
        "signatures": [(names.of(each.account), each) for each in taken.signatures[code]],
        "reviews": taken.reviews[code],
        "audit": tell(audit, zone, names),
    }
    return render_to_string("copies/casebook.html", context)


def tell(audit: Iterable[AuditLine], zone: ZoneInfo, names: Names) -> list[Told]:
    """Return lines of the audit trail as they are read: who, when at the site, what, and why."""
    return [
        Told(
            position=line.position,
            time=time_at(line.recorded_at, zone),
            who=names.of(line.account),
            role=line.role,
            what=_spaced(line.kind),
            said=tuple(
                (name.replace("_", " "), _said(value))
                for name, value in line.content.items()
                if name not in _NOT_SAID and value not in (None, "", [], (), {})
            ),
            reason=line.reason or "",
        )
        for line in audit
    ]


def read_answer(item: Item | None, value: Any, zone: ZoneInfo) -> str:
    """Return a stored value as it is read: the words of a choice, a number with its unit, local time."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if item is None or value is None:
        return text_of(value)
    if item.type == "datetime":
        return time_at(str(value), zone)
    label = next((code.label for code in item.codes if code.code == value), None)
    text = label or text_of(value)
    return f"{text} {item.unit}" if item.unit else text


def _filled(
    definition: StudyDefinition, record: RecordLine, who: Mapping[int, str], zone: ZoneInfo
) -> Filled:
    form = definition.form(record.form)
    answers = []
    for item in form.items if form else ():
        if item.id in record.values:
            place = record.entered.get(item.id, {})
            badge = badge_of(record.source.get(item.id))
            answers.append(
                Answer(
                    label=item.label,
                    text=read_answer(item, record.values[item.id], zone),
                    entered=time_at(place.get("at"), zone),
                    who=who.get(place.get("position", 0), ""),
                    source=str(badge.text) if badge else "",
                )
            )
    return Filled(
        title=form.title if form else record.form,
        place=_place(definition, record),
        removed=record.removed,
        answers=tuple(answers),
    )


def _criteria(definition: StudyDefinition, assessed: AssessmentRow) -> list[tuple[str, str, str]]:
    """Return each criterion that was assessed, with its text and result, in the definition's order."""
    rules = definition.eligibility.rules_for(assessed.variant, date.fromisoformat(assessed.assessed_on))
    texts = {rule.id: rule.text for rule in rules}
    order = {name: place for place, name in enumerate(texts)}
    found = sorted(assessed.criteria.items(), key=lambda each: order.get(each[0], len(order)))
    return [(name, texts.get(name, ""), result) for name, result in found]


def _place(definition: StudyDefinition, record: RecordLine) -> str:
    planned = definition.schedule.encounter(record.encounter)
    words = [planned.name if planned else record.encounter.replace("_", " ")]
    if record.row:
        words.append(_("row %(row)s") % {"row": record.row})
    if record.dated:
        words.append(record.dated)
    return ", ".join(word for word in words if word)


def _spaced(kind: str) -> str:
    """Return an entry kind as words: ItemCorrected is 'Item corrected'."""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind).strip()
    return words[:1].upper() + words[1:]


def _said(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_said(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_said(each) for each in value)
    return text_of(value)
