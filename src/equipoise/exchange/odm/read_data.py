"""Reads the data of a trial back from a file that this system wrote."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lxml import etree

from equipoise.conduct.view.releases import ReleaseLine
from equipoise.definition.recording import Stored
from equipoise.exchange.markup import line_of
from equipoise.exchange.odm import facts
from equipoise.exchange.odm.metadata import Metadata
from equipoise.exchange.odm.names import (
    EVENT,
    FORM,
    GENERATED,
    GROUP,
    ITEM,
    LOCATION,
    LOGS,
    UNSCHEDULED,
    USER,
    metadata_oid,
    unescaped,
)
from equipoise.exchange.odm.snapshot import (
    Account,
    Answer,
    Entered,
    Person,
    Record,
    Snapshot,
    Version,
    in_order,
)
from equipoise.exchange.odm.stream import Taker, child, children, name_of
from equipoise.exchange.odm.write_data import UNKNOWN_USER
from equipoise.exchange.unreadable import FileUnreadable

_RECORD_FACTS = f"{GROUP}{GENERATED}RECORD"


@dataclass(slots=True)
class _Gathered:
    """What the parts of a participant say, each under a version of the metadata; `line` is that of the first.

    Versions are those of the metadata, by their identifiers.
    """

    site: str
    line: int
    parts: int = 0
    rows: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    encounters: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    records: dict[tuple[str | None, str, str | None], Record] = field(default_factory=dict)
    entered: dict[str, Entered] = field(default_factory=dict)
    met_under: dict[str, str] = field(default_factory=dict)


class DataReader:
    """Reads the participants of a file one after another, and at its end the trial as a whole.

    `take` is its own: after each participant it forgets what it took.
    """

    def __init__(self, take: Taker, metadata: Metadata) -> None:
        self._take = take
        self._types = {oid: item.type for oid, item in metadata.items.items()}
        forms = (oid for oid, group in metadata.groups.items() if group.kind == "form")
        self._order = {oid.removeprefix(FORM): place for place, oid in enumerate(forms)}
        self._events = {oid.removeprefix(EVENT): place for place, oid in enumerate(metadata.events)}
        self._people: dict[str, _Gathered] = {}

    def add_subject(self, subject: etree._Element) -> None:
        """Read a participant, or what of one was recorded under another version.

        Raises FileUnreadable (ODM-DATA) where the file does not say what it should.
        """
        try:
            self._gather(subject)
        except (ValueError, LookupError) as error:
            raise self._unreadable(name_of(subject), line_of(subject)) from error
        self._take.forget()

    def snapshot(self, root: etree._Element) -> Snapshot:
        """Return the whole trial; raises FileUnreadable (ODM-DATA) as `add_subject` does."""
        rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        try:
            for element in children(child(root, "ReferenceData"), "ItemGroupData"):
                name, row = self._facts(element)
                rows[name].append(row)
            versions = tuple(Version(**row) for row in rows["VERSION"])
            hashes = {metadata_oid(each.study_version): each.definition for each in versions}
            return Snapshot(
                **rows["TRIAL"][0],
                counts={row["name"]: row["count"] for row in rows["COUNT"]},
                people=tuple(self._person(code, each, hashes) for code, each in self._people.items()),
                accounts=tuple(Account(**row) for row in rows["GRANT"]),
                approved={row["site"]: row["approved_on"].isoformat() for row in rows["SITE"]},
                versions=versions,
                releases=tuple(ReleaseLine(**_as_text(row, "approved_on")) for row in rows["RELEASE"]),
                amendments=facts.amendments_of(rows),
            )
        except (ValueError, LookupError) as error:
            raise self._unreadable(name_of(root), line_of(root)) from error

    def _unreadable(self, name: str, line: int) -> FileUnreadable:
        return FileUnreadable(
            "ODM-DATA",
            f"The data in the file {self._take.file} are not as they were written: "
            f"a {name} lacks something or holds what cannot be read. Export the trial again.",
            f"line {line}",
        )

    # -- participants

    def _gather(self, subject: etree._Element) -> None:
        take = self._take
        code = take.required(subject, "SubjectKey")
        site = take.required(_needed(subject, "SiteRef"), "LocationOID").removeprefix(LOCATION)
        around = subject.getparent()
        version = unescaped("" if around is None else around.get("MetaDataVersionOID", ""))
        # The latest version stands last and has everybody in their order.
        if code not in self._people:
            self._people[code] = _Gathered(site, line_of(subject))
        person = self._people[code] = self._people.pop(code)
        person.parts += 1
        for event in children(subject, "StudyEventData"):
            encounter = self._encounter(event)
            for form in children(event, "FormData", "ItemGroupData"):
                name = _attribute(form, "FormOID", "ItemGroupOID").removeprefix(FORM)
                if not name.startswith(GENERATED):
                    key = form.get("FormRepeatKey") or form.get("ItemGroupRepeatKey")
                    place = (encounter, name, key)
                    record = self._record(form, place, person.records.get(place))
                    person.records[place] = replace(record, definition=version)
                    continue
                for element in children(form, "ItemGroupData"):
                    group, row = self._facts(element)
                    given = dict(self._facts_entered(element))
                    if group == "ENCOUNTER":
                        person.encounters.append((encounter or "", row))
                        person.met_under[encounter or ""] = version
                        if "status" in given:
                            person.entered[encounter or ""] = given["status"]
                    else:
                        person.rows[group].append(row)
                        person.entered |= given

    def _person(self, code: str, told: _Gathered, hashes: Mapping[str, str]) -> Person:
        """Return a participant; what was told in parts is put into the order that one part has."""
        encounters, records = told.encounters, list(told.records.items())
        if told.parts > 1:
            encounters = sorted(encounters, key=lambda met: self._place_of(met[0]))
            records.sort(key=lambda each: (self._place_of(each[0][0]), _number_of(each[0][2])))
        known = [replace(record, definition=hashes.get(record.definition or "")) for _, record in records]
        met_under = {name: hashes[oid] for name, oid in told.met_under.items() if oid in hashes}
        try:
            return facts.person_of(
                code,
                told.site,
                told.rows,
                encounters,
                in_order(known, self._order),
                told.entered,
                met_under,
            )
        except (ValueError, LookupError) as error:
            raise self._unreadable("SubjectData", told.line) from error

    def _place_of(self, encounter: str | None) -> tuple[int, str]:
        """Return the place of an encounter: as planned, then those that are not by name, then none."""
        if encounter in self._events:
            return self._events[encounter], ""
        return len(self._events) + (encounter is None), encounter or ""

    def _encounter(self, event: etree._Element) -> str | None:
        name = event.attrib["StudyEventOID"].removeprefix(EVENT)
        key = self._take.attribute(event, "StudyEventRepeatKey")
        return key if name == UNSCHEDULED else None if name == LOGS else name

    def _facts(self, element: etree._Element) -> tuple[str, dict[str, Any]]:
        """Return the name of a generated group, and a row of it."""
        name = element.attrib["ItemGroupOID"].removeprefix(f"{GROUP}{GENERATED}")
        texts = {}
        for item in children(element, "ItemData"):
            fact = item.attrib["ItemOID"].removeprefix(f"{ITEM}{GENERATED}{name}.")
            texts[fact] = self._value(item) or ""
        return name, facts.read(facts.BY_ID[name], texts)

    def _facts_entered(self, element: etree._Element) -> Iterator[tuple[str, Entered]]:
        for item in children(element, "ItemData"):
            entered = self._entered(item)
            if entered is not None:
                yield item.attrib["ItemOID"].rpartition(".")[2], entered

    def _value(self, item: etree._Element) -> str | None:
        """Return the text of an item, None where there is none."""
        value = child(item, "Value")
        if value is not None:
            return self._take.text(value)
        return None if "Value" not in item.attrib else self._take.attribute(item, "Value") or ""

    def _entered(self, element: etree._Element) -> Entered | None:
        audit = child(element, "AuditRecord")
        if audit is None:
            return None
        take = self._take
        user = take.required(_needed(audit, "UserRef"), "UserOID")
        role = site = account = None
        if user != UNKNOWN_USER:
            role, site, account = user.removeprefix(USER).split(".", 2)
        reason = child(audit, "ReasonForChange")
        return Entered(
            position=int(take.text(child(audit, "SourceID"))),
            at=take.text(child(audit, "DateTimeStamp")),
            account=account,
            role=role,
            site=site or None,
            reason=None if reason is None else take.text(reason),
        )

    # -- filled forms

    def _record(
        self, form: etree._Element, place: tuple[str | None, str, str | None], before: Record | None
    ) -> Record:
        """Return a record as a form in the file leaves it, which may change what an earlier one said."""
        encounter, name, key = place
        removed = None if before is None else before.removed
        if form.get("TransactionType") == "Remove":
            removed = self._entered(form)
        answers = {} if before is None else dict(before.answers)
        made = None if before is None else before.made
        said = {} if before is None else dict(facts.record_row(before))
        for group in children(form, "ItemGroupData"):
            if group.attrib["ItemGroupOID"] == _RECORD_FACTS:
                said = self._facts(group)[1]
                continue
            made = self._entered(group) or made
            for item in children(group, "ItemData"):
                oid = item.attrib["ItemOID"]
                answer = Answer(self._stored(oid, self._value(item)), self._entered(item))
                item_name = oid.removeprefix(f"{ITEM}{name}.")
                answers[item_name] = (*answers.get(item_name, ()), answer)
        return Record(
            form=name,
            encounter=encounter,
            row=int(key) if key is not None and key.isdecimal() else None,
            dated=said.get("dated"),
            answers=answers,
            verified=bool(said.get("verified")),
            verified_items=tuple((said.get("verified_items") or "").split()),
            changed_items=tuple((said.get("changed_items") or "").split()),
            removed=removed,
            made=made,
        )

    def _stored(self, oid: str, text: str | None) -> Stored | None:
        if text is None:
            return None
        kind = self._types.get(oid)
        if kind == "integer":
            return int(text)
        return {"true": True, "false": False}[text] if kind == "boolean" else text


def _as_text(row: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a row with a day as the text that it is in the ledger."""
    return {**row, name: None if row[name] is None else row[name].isoformat()}


def _number_of(key: str | None) -> int:
    """Return the number in the repeat key of a record that has no row."""
    return int(key[1:]) if key is not None and key.startswith("_") else 0


def _needed(element: etree._Element, name: str) -> etree._Element:
    found = child(element, name)
    if found is None:
        raise ValueError(f"no {name}")
    return found


def _attribute(element: etree._Element, *names: str) -> str:
    return next((str(element.attrib[name]) for name in names if name in element.attrib), "")
