"""Every address that there is: the patterns of the URL configuration, filled with all that exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver

from equipoise.access.actor import Actor
from equipoise.access.filling import is_unmasking
from equipoise.capture.state import EncounterRow, QueryRow, RecordRow
from equipoise.conduct.view import UnmaskedView
from equipoise.enrolment.state import ParticipantRow
from equipoise.governance.state import GrantRow
from equipoise.imaging.state import ScanRow, TaskRow
from equipoise.safety.state import EventRow
from equipoise.supply.state import LotRow, UnitRow
from equipoise.web.accounts.models import Account, ApiToken, Job
from equipoise.web.clinic import Clinic
from equipoise.web.pages.standards import files_of_study

Facts = dict[str, str]
"""Values of arguments that belong together."""

ABSENT: Facts = {
    "participant": "SE01-999",
    "form": "unheard_of",
    "encounter": "unheard_of",
    "item": "unheard_of",
    "row": "99",
    "query": "Q-999999",
    "lot": "L-00000000",
    "unit": "B-00000000",
    "scan": "S-00000000",
    "dictionary": "unheard_of",
    "task": "T-00000000",
    "site": "XX99",
    "account": "nobody",
    "secret": "a-secret",
    "job": "0" * 32,
    "file": "unheard_of.xml",
    "number": "9999",
    "pk": "9999",
}
"""A value of every argument that nothing has; an argument that is not here fails the tests."""

ADDRESSES_PER_ROUTE = 4
"""Of more addresses than these, a route is tried at evenly chosen ones."""

_ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclass(frozen=True)
class Pattern:
    """One pattern of the URL configuration: its name, and its address with its arguments in it."""

    name: str
    address: str

    @property
    def arguments(self) -> tuple[str, ...]:
        """What stands in the address."""
        return tuple(_ARGUMENT.findall(self.address))

    def at(self, facts: Facts) -> str:
        """The address for these values."""
        return "/" + _ARGUMENT.sub(lambda match: facts[match[1]], self.address)


def url_patterns() -> list[Pattern]:
    """Every pattern that Django would answer, the included ones too."""

    def below(resolver: URLResolver, prefix: str, space: str) -> Iterator[Pattern]:
        for each in resolver.url_patterns:
            if isinstance(each, URLResolver):
                inner = f"{each.namespace}:" if each.namespace else ""
                yield from below(each, prefix + str(each.pattern), space + inner)
            else:
                assert isinstance(each, URLPattern)
                yield Pattern(f"{space}{each.name}", prefix + str(each.pattern))

    return list(below(get_resolver(), "", ""))


def facts_of(clinic: Clinic) -> list[Facts]:
    """All that an address may name, taken from the tables and not from what anybody sees of them.

    Of forms, encounters and items those of one participant of each arm and site are named, of items that
    unmask those of everybody.
    """
    tables = clinic.trial.tables
    sample = _sample(clinic)
    codes = sorted(
        (row.participant for row in tables.all(ParticipantRow)), key=lambda code: code not in sample
    )
    facts: list[Facts] = [{"participant": code} for code in codes]
    for encounter in tables.all(EncounterRow):
        if encounter.participant in sample:
            for form in clinic.definition.schedule.forms_at(encounter.encounter):
                facts.append(
                    {"participant": encounter.participant, "encounter": encounter.encounter, "form": form}
                )
    facts += [fact for record in tables.all(RecordRow) for fact in _of_record(clinic, record, sample)]
    facts += [{"participant": row.participant, "row": str(row.row)} for row in tables.all(EventRow)]
    facts += [{"query": row.query} for row in tables.all(QueryRow)]
    facts += [{"scan": row.scan} for row in tables.all(ScanRow)]
    facts += [{"task": row.task} for row in tables.all(TaskRow)]
    facts += [{"lot": row.lot} for row in tables.all(LotRow)]
    facts += [{"unit": row.unit} for row in tables.all(UnitRow)]
    facts += [{"dictionary": "meddra"}]
    facts += [{"site": site.id} for site in clinic.definition.study.sites]
    facts += [{"account": each.username} for each in Account.objects.order_by("username")]
    facts += [{"number": str(each.pk), "pk": str(each.pk)} for each in ApiToken.objects.order_by("pk")]
    facts += [{"job": each.job} for each in Job.objects.order_by("job")]
    facts += [{"file": each} for each in files_of_study()]
    return facts


def _of_record(clinic: Clinic, record: RecordRow, sample: set[str]) -> Iterator[Facts]:
    form = clinic.definition.form(record.form)
    assert form is not None
    place = {"participant": record.participant, "form": record.form, "row": str(record.row)}
    if not form.repeating:
        place["encounter"] = record.encounter
    if record.participant in sample or is_unmasking(form):
        yield place
    for number, item in enumerate(form.items):
        unmasks = form.unmasking or item.unmasking
        if unmasks or (record.participant in sample and number < 2):
            yield place | {"item": item.id}


def _sample(clinic: Clinic) -> set[str]:
    """One participant of each arm, and one of another site: the same people in both worlds."""
    arms = arms_of(clinic)
    first = min(arms)
    other = next(code for code in sorted(arms) if arms[code] != arms[first])
    elsewhere = next((code for code in sorted(arms) if code[:4] != first[:4]), first)
    return {first, other, elsewhere}


def arms_of(clinic: Clinic) -> dict[str, str]:
    """The arm of everybody, as whoever may know it sees it."""
    roles = {role.id for role in clinic.definition.study.roles if role.kind == "unblinded_statistician"}
    row = next(row for row in clinic.trial.tables.all(GrantRow) if row.role in roles)
    seen = clinic.trial.as_seen_by(Actor(row.account, row.role))
    assert isinstance(seen, UnmaskedView)
    return dict(seen.arms())


def addresses_of(pattern: Pattern, facts: list[Facts]) -> list[str]:
    """Where a pattern is tried: at all that exists, and at what does not."""
    wanted = pattern.arguments
    if not wanted:
        return [pattern.at({})]
    assert ABSENT.keys() >= set(wanted), f"say what {pattern.address} may have in it"
    fitting = [each for each in facts if each.keys() >= set(wanted)]
    found = dict.fromkeys(pattern.at(each) for each in fitting)
    # Those of both arms and of another site are the first participants.
    step = 1 if wanted == ("participant",) else max(1, -(-len(found) // ADDRESSES_PER_ROUTE))
    known = list(found)[::step][:ADDRESSES_PER_ROUTE]
    whole = next(iter(fitting), ABSENT)
    absent = [pattern.at({**whole, name: ABSENT[name]}) for name in (*wanted[:1], *wanted[1:][-1:])]
    return list(dict.fromkeys([*known, *absent]))
