"""Entries of the ledger as a person reads them: who did what, when and why (ICH E6(R3) 4.2.2(c))."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from equipoise.access.actor import SYSTEM
from equipoise.conduct.trail import AuditLine
from equipoise.definition.model.forms import Form
from equipoise.ledger.blots import MARK
from equipoise.web.items import shown
from equipoise.web.people import names_of
from equipoise.web.request import ClinicRequest
from equipoise.web.sentences_of_kinds import SENTENCES, TITLES
from equipoise.web.words_of_values import text_of, time_at, word_of_state

_STATES = frozenset({"outcome", "status", "scope", "how", "method", "reviewed"})
_UTC = ZoneInfo("UTC")
_TIMES = frozenset({"due_at", "submitted_at", "started_at", "aware_at"})


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the audit trail in words; `answers` are labels and values of the items in it.

    `at` is the time at the site, and `utc` that for who compares sites, where it is another. `blots` say
    when, by whom and why something was blotted out of it.
    """

    position: int
    at: str
    utc: str
    title: str
    sentence: str
    reason: str
    answers: tuple[tuple[str, str], ...]
    participant: str
    account: str
    name: str
    role: str
    site: str
    blots: tuple[str, ...] = ()


class Teller:
    """Tells lines of the audit trail in the reader's language, with names looked up once."""

    def __init__(self, request: ClinicRequest, lines: Iterable[AuditLine]) -> None:
        self._definition = request.definition
        self._clinic = request.clinic
        self._seen = request.seen
        accounts = {line.account for line in lines} | {row.account for row in request.seen.grants()}
        self._names = names_of(accounts - {SYSTEM.account})
        self._roles = {role.id: role.name for role in self._definition.study.roles}
        safety = self._definition.safety
        self._clocks = {clock.id: clock.title for clock in safety.clocks} if safety else {}
        imaging = self._definition.imaging
        self._read_form = self._definition.form(imaging.read_form) if imaging else None

    def tell(self, line: AuditLine) -> Told:
        """Return one line in words."""
        participant = line.content.get("participant")
        code = participant if isinstance(participant, str) else ""
        zone = self._clinic.zone(code.split("-", maxsplit=1)[0] if code else line.site)
        words = self._words(line, code, zone)
        at, utc = time_at(line.recorded_at, zone), time_at(line.recorded_at, _UTC)
        return Told(
            position=line.position,
            at=at,
            utc=utc if self._seen.viewer.site is None and utc != at else "",
            title=str(TITLES[line.kind]),
            sentence=str(SENTENCES[line.kind]) % words,
            reason=line.reason or "",
            answers=self._answers(line, zone),
            participant=code,
            account=line.account,
            name=self._name(line.account),
            role=self._roles.get(line.role, line.role),
            site=line.site or "",
            blots=tuple(self._blot(position, zone) for position in line.blotted_by),
        )

    def _blot(self, position: int, zone: ZoneInfo) -> str:
        line = next(self._seen.audit(after=position - 1, limit=1))
        words = {
            "mark": MARK,
            "at": time_at(line.recorded_at, zone),
            "name": names_of([line.account]).get(line.account, line.account),
            "reason": line.reason or "",
        }
        return _("%(mark)s blotted out on %(at)s by %(name)s: %(reason)s") % words

    def _name(self, account: str) -> str:
        return _("The system") if account == SYSTEM.account else self._names.get(account, account)

    def _words(self, line: AuditLine, code: str, zone: ZoneInfo) -> Mapping[str, str]:
        said = line.content
        form = self._definition.form(str(said.get("form", "")))
        words = _Words({name: self._word(name, value, zone) for name, value in said.items()})
        role = self._roles.get(line.role, "")
        words["who"] = f"{self._name(line.account)} ({role})" if role else self._name(line.account)
        if "who" in said:
            words["learned_by"] = str(said["who"])
        words["at_site"] = _(" at %(site)s") % {"site": said["site"]} if said.get("site") else ""
        if "reviewed" in said:
            words["of_whom"] = _(" of %(participant)s") % {"participant": code} if code else words["at_site"]
        if "terms" in said:
            steps = zip(said["levels"], said["terms"], said["codes"], strict=True)
            words["path"] = "; ".join(f"{level} {term} ({code})" for level, term, code in steps)
        if form is not None:
            words |= self._words_of_form(form, said, zone)
        return words

    def _words_of_form(self, form: Form, said: Mapping[str, Any], zone: ZoneInfo) -> dict[str, str]:
        parts = [form.title]
        if said.get("row"):
            parts.append(_("row %(row)s") % {"row": said["row"]})
        if said.get("encounter"):
            parts.append(self._encounter(str(said["encounter"])))
        item = form.item(str(said.get("item") or ""))
        place = ", ".join(parts)
        words = {"form": form.title, "place": place, "item_or_form": form.title, "compared": place}
        if said.get("items"):
            items = ", ".join(self._item(form, name) for name in said["items"])
            words["compared"] = _("%(items)s in %(place)s") % {"items": items, "place": place}
        if item is not None:
            words |= {"item": item.label, "item_or_form": item.label}
            for name in ("before", "after"):
                if name in said:
                    words[name] = shown(item, said[name], zone) or _("no answer")
        for check in form.checks:
            if said.get("origin") == check.id:
                words["text"] = check.message
        return words

    def _word(self, name: str, value: Any, zone: ZoneInfo) -> str:
        """One field of an entry, in words."""
        if isinstance(value, list | tuple):
            return ", ".join(self._word(name, each, zone) for each in value) or _("none")
        if isinstance(value, Mapping):
            return str(value.get("query", ""))
        if not isinstance(value, str):
            return text_of(value)
        named: Mapping[str, Callable[[str], str]] = {
            "account": self._name,
            "role": lambda role: self._roles.get(role, role),
            "informed": lambda role: self._roles.get(role, role),
            "encounter": self._encounter,
            "clock": lambda clock: str(self._clocks.get(clock, clock)),
            "product": self._product,
            "dictionary": word_of_state,
            "items": lambda item: self._item(self._read_form, item),
        }
        if name in named:
            return named[name](value)
        if name in _TIMES:
            return time_at(value, zone)
        return word_of_state(value) if name in _STATES else value

    def _encounter(self, encounter: str) -> str:
        planned = self._definition.schedule.encounter(encounter)
        return planned.name if planned else encounter.replace("_", " ")

    def _product(self, product: str) -> str:
        found = self._definition.supply.product(product)
        return found.name if found else product

    def _item(self, form: Form | None, item_id: str) -> str:
        item = form.item(item_id) if form else None
        return item.label if item else item_id

    def _answers(self, line: AuditLine, zone: ZoneInfo) -> tuple[tuple[str, str], ...]:
        """The items in an entry, with their labels."""
        values = line.content.get("item_values")
        if not isinstance(values, Mapping):
            return ()
        form = self._form_of(line, values)
        if form is None:
            return tuple((item, text_of(value)) for item, value in values.items())
        return tuple(
            (item.label, shown(item, values[item.id], zone)) for item in form.items if item.id in values
        )

    def _form_of(self, line: AuditLine, values: Mapping[str, Any]) -> Form | None:
        """The form whose items an entry holds: the one that it names, or that its room fills in."""
        if "form" in line.content:
            return self._definition.form(str(line.content["form"]))
        if "scan" in line.content:
            return self._read_form
        names = {
            "SourceCollected": "source_form",
            "SourceDetailed": "source_form",
            "ManufactureRecorded": "manufacture_form",
            "UnitAdministered": "administration_form",
            "UnitAdministrationDetailed": "administration_form",
        }
        for product in self._definition.supply.products:
            form = self._definition.form(getattr(product, names[line.kind]) or "")
            if form is not None and all(form.item(item) for item in values):
                return form
        return None


class _Words(dict[str, str]):
    """Words for a sentence; what an entry keeps from the reader is said to be kept."""

    def __missing__(self, name: str) -> str:
        return _("(not shown)")


def day_at(line: AuditLine, zone: ZoneInfo) -> date:
    """Return the day on which something was recorded, at a place."""
    return datetime.fromisoformat(line.recorded_at).astimezone(zone).date()
