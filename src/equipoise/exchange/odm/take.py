"""Taking a snapshot of a trial: what a viewer sees now, and who entered each value, when and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace

from equipoise.analysis.cut import CutParticipant
from equipoise.capture.state import QueryRow
from equipoise.conduct.trail import AuditLine
from equipoise.conduct.view.lines import RecordLine, VersionLine
from equipoise.conduct.view.views import MaskedView
from equipoise.definition.expression import encode_value
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.recording import Stored, decode_item
from equipoise.exchange.odm.snapshot import (
    Account,
    Answer,
    Entered,
    Place,
    Progress,
    Record,
    Snapshot,
    Version,
    in_order,
    snapshot_of,
)

RECORDED = ("FormRecorded", "UnmaskingFormRecorded")
CORRECTED = ("ItemCorrected", "UnmaskingItemCorrected")
REMOVED = ("RowRemoved", "UnmaskingRowRemoved")
MADE = (
    *("SourceCollected", "SourceDetailed", "ManufactureRecorded"),
    *("UnitAdministered", "UnitAdministrationDetailed"),
)
"""The entries that hold what was filled in of a lot or a unit."""

MET = ("EncounterStarted", "EncounterMissed")

FACT_OF_KIND: Mapping[str, str] = {
    "ParticipantConsented": "consented_on",
    "ParticipantRandomised": "randomised_on",
    "ScreeningFailed": "ended_on",
    "ParticipantWithdrawn": "ended_on",
    "ParticipantCompleted": "ended_on",
}
"""Which fact of a participant an entry of the ledger gave."""


def take_snapshot(
    view: MaskedView, *, history: bool = False, progress: Progress = lambda done, planned: None
) -> Snapshot:
    """Return the trial as a viewer sees it now, with who entered what; `history` adds what was there before.

    `progress` is told of each participant that is read.

    Raises Refused for viewers who do not see the data of all sites.
    """
    cut = view.cut()
    order = {form.id: place for place, form in enumerate(cut.definition.forms)}
    versions = tuple(map(_version, view.versions()))
    under = _Under(versions)
    lines: dict[int, Entered] = {}
    courses: defaultdict[str, list[AuditLine]] = defaultdict(list)
    for line in view.audit():
        lines[line.position] = _entered(line)
        under.learn(line)
        courses[str(line.content.get("participant"))].append(line)
    base = snapshot_of(cut)
    of_products = {
        form
        for product in cut.definition.supply.products
        for form in (product.source_form, product.manufacture_form, product.administration_form)
    }
    queries: defaultdict[str, list[QueryRow]] = defaultdict(list)
    for query in view.queries():
        queries[query.participant].append(query)
    people = []
    for number, person in enumerate(base.people, start=1):
        code = person.facts.participant
        lines_of_forms = [line for line in view.records(code) if history or not line.removed]
        filled = {each.place: each for each in _filled(lines_of_forms, lines, courses[code], history)}
        others = [_with_names(record, lines) for record in person.records if record.place not in filled]
        made = [line for line in courses[code] if line.kind in MADE and line.content["item_values"]]
        others = [
            _as_made(cut.definition, record, made) if record.form in of_products else record
            for record in others
        ]
        people.append(
            replace(
                person,
                records=in_order(map(under.record, (*filled.values(), *others)), order),
                entered=dict(_facts_entered(courses[code])),
                met_under=under.encounters(person.facts, courses[code]),
                signatures=view.signature_lines(code),
                queries=tuple(queries[code]),
            )
        )
        progress(number, len(base.people))
    return replace(
        base,
        people=tuple(people),
        accounts=tuple(
            dict.fromkeys(
                Account(account=grant.account, role=grant.role, site=grant.site) for grant in view.grants()
            )
        ),
        approved={line.site: line.approved_on for line in view.all_sites() if line.approved_on is not None},
        history=history,
        days_only=False,
        versions=versions,
        releases=view.releases(),
    )


def _version(line: VersionLine) -> Version:
    return Version(**{each.name: getattr(line, each.name) for each in fields(Version)})


class _Under:
    """Under which version of the study something was recorded; of what no line tells it, under the latest."""

    def __init__(self, versions: tuple[Version, ...]) -> None:
        self._numbers = {version.definition: version.number for version in versions}
        self._latest = versions[-1].definition
        self._lines: dict[int, str] = {}

    def learn(self, line: AuditLine) -> None:
        """Take in a line; those under the latest version need not be kept."""
        if line.definition != self._latest and line.definition in self._numbers:
            self._lines[line.position] = line.definition

    def record(self, record: Record) -> Record:
        """Say of a record the latest version that anything in it was recorded under."""
        entered = [each.entered for answers in record.answers.values() for each in answers]
        known = [each for each in (*entered, record.made, record.removed) if each is not None]
        found = {self._lines.get(each.position, self._latest) for each in known} or {self._latest}
        return replace(record, definition=max(found, key=self._numbers.__getitem__))

    def encounters(self, person: CutParticipant, course: Iterable[AuditLine]) -> dict[str, str]:
        """Say of each encounter of a participant under which version it was recorded."""
        found = {
            str(line.content["encounter"]): self._lines.get(line.position, self._latest)
            for line in course
            if line.kind in MET
        }
        return {each.encounter: found.get(each.encounter, self._latest) for each in person.encounters}


def _entered(line: AuditLine) -> Entered:
    return Entered(
        position=line.position,
        at=line.recorded_at,
        account=line.account,
        role=line.role,
        site=line.site,
        reason=line.reason,
    )


def _with_names(record: Record, lines: Mapping[int, Entered]) -> Record:
    """Say who entered the values of a record that another room holds, as final readings are."""
    answers = {}
    for item, (answer,) in record.answers.items():
        entered = answer.entered and lines.get(answer.entered.position, answer.entered)
        answers[item] = (Answer(answer.value, entered),)
    return replace(record, answers=answers)


def _filled(
    filled: Iterable[RecordLine], lines: Mapping[int, Entered], course: Iterable[AuditLine], history: bool
) -> Iterable[Record]:
    pasts = _pasts(course) if history else {}
    for line in filled:
        place: Place = (line.form, line.encounter or None, line.row or None)
        past, removed = pasts.get(place, ({}, None))
        if line.removed and removed is None:
            # Who struck the row out is not for this viewer to know: it is not there.
            continue
        current = {
            item: (Answer(value, lines.get(line.entered[item]["position"])),)
            for item, value in line.values.items()
        }
        yield Record(
            form=line.form,
            encounter=place[1],
            row=place[2],
            dated=line.dated,
            answers={**current, **past},
            verified=line.verified,
            verified_items=tuple(item for item, mark in line.source.items() if mark.state == "verified"),
            changed_items=tuple(item for item, mark in line.source.items() if mark.state == "changed"),
            removed=removed if line.removed else None,
        )


def _as_made(definition: StudyDefinition, record: Record, lines: list[AuditLine]) -> Record:
    """Return what is recorded of a lot or a unit as it was stored, with who recorded it.

    A cut does not say which entry a row is of. It is one that says the same; `lines` loses those found.
    """
    form = definition.form(record.form)
    types = {} if form is None else {item.id: item.type for item in form.items}
    answers = dict(record.answers)
    made: Entered | None = None
    for line in list(lines):
        stored = line.content["item_values"]
        here = line.content.get("encounter") in (None, record.encounter)
        if here and all(
            item in answers and encode_value(decode_item(types[item], value)) == answers[item][-1].value
            for item, value in stored.items()
        ):
            lines.remove(line)
            answers |= {item: (Answer(value),) for item, value in stored.items()}
            made = made or _entered(line)
            if len(stored) == len(record.answers):
                break
    return replace(record, answers=answers, made=made)


_Past = tuple[dict[str, tuple[Answer, ...]], Entered | None]


def _pasts(course: Iterable[AuditLine]) -> dict[Place, _Past]:
    """Return all values of each filled form in their order, and when it was struck out."""
    found: dict[Place, _Past] = {}
    for line in course:
        said, entered = line.content, _entered(line)
        if line.kind not in (*RECORDED, *CORRECTED, *REMOVED):
            continue
        place: Place = (said["form"], said["encounter"] or None, said["row"] or None)
        answers, removed = found.get(place, ({}, None))
        given: Mapping[str, Stored | None] = {}
        if line.kind in RECORDED:
            given = said["item_values"]
        elif line.kind in CORRECTED:
            # What the viewer may not see has been taken out of the line.
            given = {said["item"]: said["after"]} if "after" in said else {}
        else:
            removed = entered
        for item, value in given.items():
            answers[item] = (*answers.get(item, ()), Answer(value, entered))
        found[place] = answers, removed
    return found


def _facts_entered(course: Iterable[AuditLine]) -> Iterable[tuple[str, Entered]]:
    for line in course:
        if line.kind in FACT_OF_KIND:
            yield FACT_OF_KIND[line.kind], _entered(line)
        elif line.kind in MET:
            yield str(line.content["encounter"]), _entered(line)
