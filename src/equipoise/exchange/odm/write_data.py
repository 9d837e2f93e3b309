"""Writes the data of a trial: accounts and sites, the trial's own facts, and each participant.

A snapshot that holds former values is written as transactions: a filled form as an Insert of its first
answers, and each later change as an element of its own, in the order in which they were recorded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lxml import etree

from equipoise.capture.state import QueryRow
from equipoise.definition.model.definition import StudyDefinition
from equipoise.exchange.odm import facts
from equipoise.exchange.odm.elements import add, root_of, version_of
from equipoise.exchange.odm.facts import FactGroup, Row
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
    Version,
    metadata_oid,
)
from equipoise.exchange.odm.snapshot import (
    Account,
    Answer,
    Entered,
    Person,
    Record,
    Snapshot,
    accounts_of,
    signer,
)

TRIAL_LOCATION = f"{LOCATION}trial"
UNKNOWN_USER = f"{USER}not_stated"
SIGNATURE_DEF = "SIG."

_USER_TYPES: Mapping[str, tuple[str, str]] = {
    "investigator": ("Investigator", "Investigator"),
    "nurse": ("Other", "Care provider"),
    "laboratory": ("Lab", "Lab"),
    "infuser": ("Other", "Care provider"),
    "reader": ("Other", "Assessor"),
    "adjudicator": ("Other", "Assessor"),
    "safety_desk": ("Sponsor", "Sponsor"),
    "safety_board": ("Other", "Other"),
    "data_manager": ("Sponsor", "Sponsor"),
    "monitor": ("Sponsor", "Monitor"),
    "statistician": ("Sponsor", "Data analyst"),
    "unblinded_statistician": ("Sponsor", "Data analyst"),
    "administrator": ("Other", "Other"),
}
"""The type of user for each kind of role, in ODM 1.3.2 and 2.0."""

_QUERY_STATES = {"open": "Open", "answered": "Answered", "closed": "Closed"}


def user_oid(account: str | None, role: str | None, site: str | None) -> str:
    """Return the identifier of an account in a role at a site, which can be taken apart again."""
    return UNKNOWN_USER if account is None else f"{USER}{role}.{site or ''}.{account}"


def location_oid(site: str | None) -> str:
    """Return the identifier of a site, or of the trial as a whole."""
    return TRIAL_LOCATION if site is None else f"{LOCATION}{site}"


# -- administrative and reference data


def admin_element(
    definition: StudyDefinition,
    snapshot: Snapshot | None,
    versions: Sequence[Metadata],
    version: Version,
    first_day: str,
) -> etree._Element:
    """Return the accounts by their names and roles, the sites, and what signatures mean.

    Each version of the metadata holds for a site from its approval or its entry on, for the trial from its
    entry; where nothing is known of that, the latest holds from `first_day` on.
    """
    metadata = versions[-1]
    admin = root_of(version, "AdminData", {"StudyOID": metadata.study})
    for account in () if snapshot is None else accounts_of(snapshot):
        _add_user(admin, definition, account, version)
    if snapshot is not None:
        unknown = add(admin, "User", {"OID": UNKNOWN_USER})
        add(unknown, "LoginName" if version == "1.3.2" else "UserName", text="Not stated")
    if version == "2.0":
        name = definition.study.sponsor.name
        add(admin, "Organization", {"OID": "ORG.sponsor", "Name": name, "Type": "Sponsor"})
    held = _held(snapshot, {each.oid for each in versions})
    everywhere = {metadata.oid: first_day}
    days = held.get(None, everywhere)
    _add_location(admin, TRIAL_LOCATION, definition.study.title, "Sponsor", metadata, days)
    for site in definition.study.sites:
        days = held.get(site.id, everywhere)
        location = _add_location(admin, location_oid(site.id), site.name, "Site", metadata, days)
        if version == "2.0":
            address = add(location, "Address")
            if site.city is not None:
                add(address, "City", text=site.city)
            add(address, "Country", text=site.country)
    people = () if snapshot is None else snapshot.people
    meanings = dict.fromkeys(each.meaning for person in people for each in person.signatures)
    for meaning in meanings:
        attributes = {"OID": f"{SIGNATURE_DEF}{meaning}", "Methodology": "Electronic"}
        signature = add(admin, "SignatureDef", attributes)
        add(signature, "Meaning", text=meaning)
        add(signature, "LegalReason", text="Electronic signature on the casebook of a participant")
    return admin


def _held(snapshot: Snapshot | None, written: Collection[str]) -> dict[str | None, dict[str, str]]:
    """Return for each site, and for the trial as None, from which day on each written version holds there."""
    if snapshot is None:
        return {}
    oids = {each.number: metadata_oid(each.study_version) for each in snapshot.versions}
    days = [(None, each.number, each.recorded_at[:10]) for each in snapshot.versions]
    held: dict[str | None, dict[str, str]] = {}
    for site, number, day in (
        *days,
        *((each.site, each.number, each.approved_on or each.recorded_at[:10]) for each in snapshot.releases),
    ):
        if oids[number] in written:
            held.setdefault(site, {})[oids[number]] = day
    for site, day in () if snapshot.versions else snapshot.approved.items():
        held[site] = {metadata_oid(snapshot.version): day}
    return held


def _add_user(admin: etree._Element, definition: StudyDefinition, account: Account, version: Version) -> None:
    role = definition.role(account.role)
    old, new = _USER_TYPES["administrator" if role is None else role.kind]
    place = location_oid(account.site)
    attributes: dict[str, str] = {"OID": user_oid(account.account, account.role, account.site)}
    if version == "2.0":
        user = add(admin, "User", {**attributes, "UserType": new, "LocationOID": place})
        add(user, "UserName", text=account.account)
        return
    user = add(admin, "User", {**attributes, "UserType": old})
    add(user, "LoginName", text=account.account)
    add(user, "DisplayName", text=account.role if role is None else role.name)
    add(user, "LocationRef", {"LocationOID": place})


def _add_location(
    admin: etree._Element, oid: str, name: str, kind: str, metadata: Metadata, days: Mapping[str, str]
) -> etree._Element:
    key = "Role" if version_of(admin) == "2.0" else "LocationType"
    location = add(admin, "Location", {"OID": oid, "Name": name, key: kind})
    for held, day in days.items():
        reference = {"StudyOID": metadata.study, "MetaDataVersionOID": held, "EffectiveDate": day}
        add(location, "MetaDataVersionRef", reference)
    return location


def reference_element(snapshot: Snapshot, metadata: Metadata, version: Version) -> etree._Element:
    """Return the facts of the trial as a whole."""
    keys = {"StudyOID": metadata.study, "MetaDataVersionOID": metadata.oid}
    element = root_of(version, "ReferenceData", keys)
    for group, rows in facts.trial_rows(snapshot):
        for number, row in enumerate(rows, 1):
            add_fact_rows(element, group, row, number, "Insert" if snapshot.history else None)
    return element


def add_fact_rows(
    parent: etree._Element,
    group: FactGroup,
    row: Row,
    number: int,
    transaction: str | None,
    entered: Mapping[str, Entered | None] | None = None,
) -> None:
    """Append a row of a generated group; `entered` says of its facts who gave them."""
    name = f"{GENERATED}{group.id}"
    attributes = {
        "ItemGroupOID": f"{GROUP}{name}",
        "ItemGroupRepeatKey": number if group.repeating else None,
        "TransactionType": transaction,
    }
    element = add(parent, "ItemGroupData", attributes)
    for fact, text in facts.written(group, row).items():
        _add_value(element, f"{ITEM}{name}.{fact}", text, (entered or {}).get(fact), transaction)


def _add_value(
    parent: etree._Element, oid: str, text: str | None, entered: Entered | None, transaction: str | None
) -> etree._Element:
    attributes = {"ItemOID": oid, "TransactionType": transaction}
    if version_of(parent) == "2.0":
        element = add(parent, "ItemData", attributes)
        if text is not None:
            add(element, "Value", text=text)
    else:
        element = add(parent, "ItemData", {**attributes, "Value": text})
    if entered is not None:
        _add_audit(element, entered)
    return element


def _add_audit(parent: etree._Element, entered: Entered) -> None:
    audit = add(parent, "AuditRecord")
    add(audit, "UserRef", {"UserOID": user_oid(entered.account, entered.role, entered.site)})
    add(audit, "LocationRef", {"LocationOID": location_oid(entered.site)})
    add(audit, "DateTimeStamp", text=entered.at)
    if entered.reason is not None:
        add(audit, "ReasonForChange", text=entered.reason)
    add(audit, "SourceID", text=str(entered.position))


# -- a participant


@dataclass(slots=True)
class _Event:
    """An event of a participant: its records with their repeat keys, and its facts if it is an encounter."""

    records: list[tuple[Record, str | None]] = field(default_factory=list)
    encounter: Row | None = None


class SubjectWriter:
    """Writes participants, one at a time; `earlier` are the hashes of the versions before the latest."""

    def __init__(
        self,
        definition: StudyDefinition,
        snapshot: Snapshot,
        metadata: Metadata,
        version: Version,
        earlier: Collection[str] = (),
    ) -> None:
        self._planned = {encounter.id for encounter in definition.schedule.encounters}
        self._several = {oid for oid, group in metadata.groups.items() if group.repeating}
        self.version: Version = version
        self.metadata = metadata
        self._insert = "Insert" if snapshot.history else None
        self._earlier = frozenset(earlier)
        self._told: set[tuple[str, ...]] = set()
        self._form, self._key = ("FormData", "Form") if version == "1.3.2" else ("ItemGroupData", "ItemGroup")

    def element(self, person: Person) -> etree._Element:
        """Return the SubjectData of a participant: their facts, and what is of the latest version."""
        subject = self._subject(person)
        # ODM 1.3.2 has signatures before the data that they are on, ODM 2.0 after them.
        if self.version == "1.3.2":
            self._add_signature(subject, person)
        add(subject, "SiteRef", {"LocationOID": location_oid(person.facts.site)})
        for group, rows in facts.person_rows(person):
            if rows:
                event = self._event(subject, f"{GENERATED}{group.id}", None)
                form = self._form_data(event, f"{GENERATED}{group.id}", None)
                for number, row in enumerate(rows, 1):
                    add_fact_rows(form, group, row, number, self._insert, person.entered)
        self._add_events(subject, person, None)
        if self.version == "2.0":
            self._add_signature(subject, person)
        return subject

    def earlier(self, person: Person, definition: str) -> etree._Element | None:
        """Return what of a participant is of an earlier version, the one with this hash; None for nothing."""
        if definition not in (*person.met_under.values(), *(each.definition for each in person.records)):
            return None
        subject = self._subject(person)
        add(subject, "SiteRef", {"LocationOID": location_oid(person.facts.site)})
        self._add_events(subject, person, definition)
        return subject

    def _subject(self, person: Person) -> etree._Element:
        code = person.facts.participant
        attributes = {"SubjectKey": code, "TransactionType": self._once(code)}
        return root_of(self.version, "SubjectData", attributes)

    def _once(self, *told: str) -> str | None:
        """Return how something is told that stands under several versions: as new once, then as a context."""
        if self._insert is None or not self._earlier:
            return self._insert
        if told in self._told:
            return "Context"
        self._told.add(told)
        return self._insert

    def _add_events(self, subject: etree._Element, person: Person, definition: str | None) -> None:
        for encounter, event in self._events(person).items():
            met = self._written_under(person.met_under.get(encounter or "")) == definition
            here = _Event(
                records=[
                    each for each in event.records if self._written_under(each[0].definition) == definition
                ],
                encounter=event.encounter if met else None,
            )
            if here.records or here.encounter is not None:
                self._add_event(subject, person, encounter, here)

    def _written_under(self, definition: str | None) -> str | None:
        """Return the earlier version that something is written under, None for the latest."""
        return definition if definition in self._earlier else None

    def _events(self, person: Person) -> dict[str | None, _Event]:
        events: dict[str | None, _Event] = {
            each.encounter: _Event(encounter=facts.encounter_row(each)) for each in person.facts.encounters
        }
        keys: dict[str | None, dict[str, int]] = {}
        for record in person.records:
            key = self._repeat_key(record, keys.setdefault(record.encounter, {}))
            events.setdefault(record.encounter, _Event()).records.append((record, key))
        return events

    def _event(self, subject: etree._Element, name: str, key: str | None) -> etree._Element:
        attributes = {
            "StudyEventOID": f"{EVENT}{name}",
            "StudyEventRepeatKey": key,
            "TransactionType": self._once(subject.get("SubjectKey", ""), name, key or ""),
        }
        return add(subject, "StudyEventData", attributes)

    def _add_event(
        self, subject: etree._Element, person: Person, encounter: str | None, event: _Event
    ) -> None:
        if encounter is None:
            element = self._event(subject, LOGS, None)
        elif encounter in self._planned:
            element = self._event(subject, encounter, None)
        else:
            element = self._event(subject, UNSCHEDULED, encounter)
        if event.encounter is not None:
            form = self._form_data(element, f"{GENERATED}ENCOUNTER", None)
            entered = {"status": person.entered.get(encounter or "")}
            add_fact_rows(form, facts.ENCOUNTER, event.encounter, 1, self._insert, entered)
        for record, key in event.records:
            self._add_record(element, person, record, key)

    def _repeat_key(self, record: Record, keys: dict[str, int]) -> str | None:
        """Return the row of a record; of one without rows, where there may be several, its marked place."""
        if record.row is not None:
            return str(record.row)
        keys[record.form] = keys.get(record.form, 0) + 1
        several = f"{FORM}{record.form}" in self._several or keys[record.form] > 1
        return f"_{keys[record.form]}" if several else None

    def _form_data(
        self, event: etree._Element, name: str, key: str | None, transaction: str | None = None
    ) -> etree._Element:
        attributes = {
            f"{self._key}OID": f"{FORM}{name}",
            f"{self._key}RepeatKey": key,
            "TransactionType": transaction or self._insert,
        }
        return add(event, self._form, attributes)

    def _add_record(self, event: etree._Element, person: Person, record: Record, key: str | None) -> None:
        form = self._form_data(event, record.form, key)
        queries = [query for query in person.queries if _is_about(query, record)]
        first, later = _split(record.answers)
        if self.version == "1.3.2":
            _add_notes(form, [query for query in queries if query.item not in first])
        keys = {"ItemGroupOID": f"{GROUP}{record.form}", "TransactionType": self._insert}
        group = add(form, "ItemGroupData", keys)
        if record.made is not None and self.version == "1.3.2":
            _add_audit(group, record.made)
        for item, answer in first.items():
            element = self._add_answer(group, record.form, item, answer, self._insert)
            _add_notes(element, [query for query in queries if query.item == item])
        if record.made is not None and self.version == "2.0":
            _add_audit(group, record.made)
        row = facts.record_row(record)
        if facts.written(facts.RECORD, row):
            add_fact_rows(form, facts.RECORD, row, 1, self._insert)
        if self.version == "2.0":
            _add_notes(form, [query for query in queries if query.item not in first])
        for item, before, answer in later:
            context = self._form_data(event, record.form, key, "Context")
            group = add(context, "ItemGroupData", {**keys, "TransactionType": "Context"})
            self._add_answer(group, record.form, item, answer, _transaction(before, answer))
        if record.removed is not None:
            _add_audit(self._form_data(event, record.form, key, "Remove"), record.removed)

    def _add_answer(
        self, group: etree._Element, form: str, item: str, answer: Answer, transaction: str | None
    ) -> etree._Element:
        value = answer.value
        text = str(value).lower() if isinstance(value, bool) else None if value is None else str(value)
        return _add_value(group, f"{ITEM}{form}.{item}", text, answer.entered, transaction)

    def _add_signature(self, subject: etree._Element, person: Person) -> None:
        """Append the last signature that still holds; all of them stand in a group of their own."""
        holding = [signature for signature in person.signatures if signature.holds]
        if not holding:
            return
        signed = holding[-1]
        account = signer(person, signed)
        signature = add(subject, "Signature")
        add(signature, "UserRef", {"UserOID": user_oid(account.account, account.role, account.site)})
        add(signature, "LocationRef", {"LocationOID": location_oid(account.site)})
        add(signature, "SignatureRef", {"SignatureOID": f"{SIGNATURE_DEF}{signed.meaning}"})
        add(signature, "DateTimeStamp", text=signed.signed_at)
        if self.version == "1.3.2":
            add(signature, "CryptoBindingManifest", text=signed.signed_hash)


def _is_about(query: QueryRow, record: Record) -> bool:
    place = (query.form, query.encounter or None, query.row or None)
    # The rows of a repeating form count through all encounters, also where a query names none.
    return place == record.place or (record.row is not None and place == (record.form, None, record.row))


def _split(
    answers: Mapping[str, Sequence[Answer]],
) -> tuple[dict[str, Answer], list[tuple[str, Answer | None, Answer]]]:
    """Return the answers that a form was first filled in with, and the later ones in their order.

    A later one stands with the one before it, None where the item was not answered before.
    """
    starts = [given[0].entered.position for given in answers.values() if given[0].entered is not None]
    several = any(len(given) > 1 for given in answers.values())
    if not several:
        return {item: given[-1] for item, given in answers.items()}, []
    start = min(starts, default=0)
    first = {
        item: given[0]
        for item, given in answers.items()
        if given[0].entered is None or given[0].entered.position == start
    }
    later = [
        (item, given[place - 1] if place else None, answer)
        for item, given in answers.items()
        for place, answer in enumerate(given)
        if place or item not in first
    ]
    later.sort(key=lambda change: 0 if change[2].entered is None else change[2].entered.position)
    return first, later


def _transaction(before: Answer | None, answer: Answer) -> str:
    if answer.value is None:
        return "Remove"
    return "Insert" if before is None or before.value is None else "Update"


def _add_notes(element: etree._Element, queries: Iterable[QueryRow]) -> None:
    """Append queries: elements of their own in ODM 2.0, annotations in ODM 1.3.2."""
    for number, query in enumerate(queries, 1):
        if version_of(element) == "1.3.2":
            words = query.text if query.answer is None else f"{query.text}\n{query.answer}"
            text = f"{query.query}, {query.status}: {words}"
            add(add(element, "Annotation", {"SeqNum": number}), "Comment", text=text)
            continue
        attributes = {
            "OID": query.query,
            "Source": "System" if query.origin else "Data Management",
            "Type": "System" if query.origin else "Manual",
            "State": _QUERY_STATES[query.status],
            "LastUpdateDatetime": query.opened_at,
        }
        add(add(element, "Query", attributes), "Value", text=query.text)
