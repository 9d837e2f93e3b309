"""What is recorded of a participant outside forms, as generated groups of items, so that files are plain ODM.

Each group of a participant is a form at an event of its own; those of encounters and of filled forms stand
within these; those of the trial are reference data. A fact that is not there has no item.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from equipoise.analysis.cut import (
    CutAdministration,
    CutAmendment,
    CutEncounter,
    CutParticipant,
    CutRenewal,
)
from equipoise.capture.state import QueryRow
from equipoise.conduct.view.lines import SignatureLine
from equipoise.definition.amendments import Change
from equipoise.exchange.odm.snapshot import Entered, Person, Record, Snapshot

FactType = Literal["text", "integer", "boolean", "date", "datetime"]
Row = Mapping[str, Any]
"""A row of a group: the values of its facts by their names, as the dataclass that it is made of has them."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One item of a generated group; an `optional` one may be None."""

    id: str
    label: str
    type: FactType = "text"
    optional: bool = False


@dataclass(frozen=True, slots=True)
class FactGroup:
    """A generated group; `place` is whose facts it holds."""

    id: str
    title: str
    place: Literal["participant", "encounter", "record", "trial"]
    repeating: bool
    facts: tuple[Fact, ...]


CONSENT: Final = FactGroup(
    "CONSENT",
    "Consent and status",
    "participant",
    False,
    (
        Fact("consented_on", "Day of consent", "date"),
        Fact("country", "Country"),
        Fact("sub_trial", "Sub-trial", optional=True),
        Fact("variant", "Variant of the eligibility rules", optional=True),
        Fact("status", "Status"),
        Fact("screening_outcome", "Outcome of the last eligibility assessment", optional=True),
    ),
)
RENEWAL: Final = FactGroup(
    "RENEWAL",
    "Consents renewed",
    "participant",
    True,
    (
        Fact("consent_version", "Version of the consent form"),
        Fact("renewed_on", "Day of renewal", "date"),
    ),
)
CRITERION: Final = FactGroup(
    "CRITERION",
    "Eligibility criteria as assessed",
    "participant",
    True,
    (Fact("criterion", "Criterion"), Fact("result", "Result")),
)
RANDOMISATION: Final = FactGroup(
    "RANDOMISATION",
    "Randomisation",
    "participant",
    False,
    (Fact("randomised_on", "Day of randomisation", "date", optional=True), Fact("arm", "Arm", optional=True)),
)
ADMINISTRATION: Final = FactGroup(
    "ADMINISTRATION",
    "Administrations",
    "participant",
    True,
    (
        Fact("product", "Product"),
        Fact("encounter", "Encounter"),
        Fact("epoch", "Epoch"),
        Fact("given_on", "Day of administration", "date"),
    ),
)
REVIEW: Final = FactGroup(
    "REVIEW",
    "Logs confirmed complete",
    "participant",
    True,
    (Fact("form", "Log"), Fact("through", "Complete through", "date")),
)
LOT: Final = FactGroup("LOT", "Lots that failed", "participant", True, (Fact("cause", "Cause"),))
UNBLINDING: Final = FactGroup(
    "UNBLINDING", "Unblindings before the planned one", "participant", True, (Fact("kind", "Kind"),)
)
END: Final = FactGroup(
    "END",
    "End of participation",
    "participant",
    False,
    (
        Fact("ended_on", "Last day in the trial", "date", optional=True),
        Fact("end_scope", "What was ended", optional=True),
        Fact("end_cause", "Cause", optional=True),
    ),
)
SIGNATURE: Final = FactGroup(
    "SIGNATURE",
    "Signatures on the casebook",
    "participant",
    True,
    (
        Fact("position", "Ledger position", "integer"),
        Fact("account", "Account"),
        Fact("role", "Role"),
        Fact("meaning", "Meaning"),
        Fact("signed_at", "Signed at", "datetime"),
        Fact("signed_hash", "Hash of what was signed"),
        Fact("holds", "The casebook still is what was signed", "boolean"),
    ),
)
QUERY: Final = FactGroup(
    "QUERY",
    "Queries",
    "participant",
    True,
    (
        Fact("query", "Number"),
        Fact("participant", "Participant"),
        Fact("form", "Form"),
        Fact("encounter", "Encounter"),
        Fact("row", "Row", "integer"),
        Fact("item", "Item", optional=True),
        Fact("text", "Question"),
        Fact("status", "Status"),
        Fact("origin", "Edit check"),
        Fact("opened_by", "Opened by"),
        Fact("opened_at", "Opened at", "datetime"),
        Fact("answer", "Answer", optional=True),
        Fact("unmasking", "Would unmask", "boolean"),
    ),
)
ENCOUNTER: Final = FactGroup(
    "ENCOUNTER",
    "Encounter",
    "encounter",
    False,
    (
        Fact("status", "Status"),
        Fact("took_place_on", "Day on which it took place", "date", optional=True),
        Fact("days_off", "Days from the planned day", "integer"),
        Fact("cause", "Cause", optional=True),
        Fact("not_asked", "Forms that the version of then did not ask for", optional=True),
    ),
)
RECORD: Final = FactGroup(
    "RECORD",
    "Filled form",
    "record",
    False,
    (
        Fact("dated", "Clinical date", optional=True),
        Fact("verified", "Compared with its source", "boolean", optional=True),
        Fact("verified_items", "Items compared with their source", optional=True),
        Fact("changed_items", "Items changed since they were compared", optional=True),
    ),
)
TRIAL: Final = FactGroup(
    "TRIAL",
    "Trial",
    "trial",
    False,
    (
        Fact("study", "Study"),
        Fact("version", "Version of the study definition"),
        Fact("definition", "Hash of the study definition"),
        Fact("masked", "Without allocations", "boolean"),
        Fact("mode", "Live or rehearsal"),
        Fact("position", "Ledger position", "integer"),
        Fact("head", "Hash of the ledger there"),
        Fact("recorded_at", "Time of the entry there", "datetime"),
        Fact("locked_at", "Locked at", "datetime", optional=True),
        Fact("unblinded_at", "Unblinded at", "datetime", optional=True),
        Fact("history", "With former values", "boolean"),
        Fact("days_only", "Of date-times only the day", "boolean"),
    ),
)
COUNT: Final = FactGroup(
    "COUNT", "Counts", "trial", True, (Fact("name", "What is counted"), Fact("count", "Count", "integer"))
)
SITE: Final = FactGroup(
    "SITE", "Open sites", "trial", True, (Fact("site", "Site"), Fact("approved_on", "Approved on", "date"))
)
GRANT: Final = FactGroup(
    "GRANT",
    "Roles granted",
    "trial",
    True,
    (Fact("account", "Account"), Fact("role", "Role"), Fact("site", "Site", optional=True)),
)
VERSION: Final = FactGroup(
    "VERSION",
    "Versions of the study definition",
    "trial",
    True,
    (
        Fact("number", "Number", "integer"),
        Fact("study_version", "Version"),
        Fact("title", "Title of the amendment"),
        Fact("definition", "Hash of the study definition"),
        Fact("substantial", "Needs the approval of each site", "boolean"),
        Fact("reconsent", "Asks for consent anew", "boolean"),
        Fact("recorded_at", "Recorded at", "datetime"),
    ),
)
RELEASE: Final = FactGroup(
    "RELEASE",
    "Versions at the sites",
    "trial",
    True,
    (
        Fact("site", "Site"),
        Fact("number", "Number of the version", "integer"),
        Fact("approved_on", "Approved on", "date", optional=True),
        Fact("recorded_at", "Recorded at", "datetime"),
    ),
)
AMENDMENT: Final = FactGroup(
    "AMENDMENT",
    "Amendments",
    "trial",
    True,
    (
        Fact("study_version", "Version"),
        Fact("title", "Title"),
        Fact("recorded_on", "Recorded on", "date"),
        Fact("randomised", "Randomised before it", "integer"),
    ),
)
CHANGE: Final = FactGroup(
    "CHANGE",
    "What amendments changed",
    "trial",
    True,
    (
        Fact("study_version", "Version"),
        Fact("place", "Place, as a JSON pointer"),
        Fact("what", "What happened to it"),
        Fact("before", "Before"),
        Fact("after", "After"),
    ),
)

GROUPS: Final = (
    *(CONSENT, RENEWAL, CRITERION, RANDOMISATION, ADMINISTRATION, REVIEW, LOT, UNBLINDING, END),
    *(SIGNATURE, QUERY),
    *(ENCOUNTER, RECORD, TRIAL, COUNT, SITE, GRANT, VERSION, RELEASE, AMENDMENT, CHANGE),
)
BY_ID: Final = {group.id: group for group in GROUPS}

_WRITE: Mapping[FactType, Callable[[Any], str]] = {
    "text": str,
    "integer": str,
    "boolean": lambda value: "true" if value else "false",
    "date": lambda value: value if isinstance(value, str) else value.isoformat(),
    "datetime": str,
}
_READ: Mapping[FactType, Callable[[str], Any]] = {
    "text": str,
    "integer": int,
    "boolean": lambda text: {"true": True, "false": False}[text],
    "date": date.fromisoformat,
    "datetime": str,
}


def written(group: FactGroup, row: Row) -> dict[str, str]:
    """Return the facts of a row as texts, without those that are None."""
    return {fact.id: _WRITE[fact.type](row[fact.id]) for fact in group.facts if row.get(fact.id) is not None}


def read(group: FactGroup, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return a row from its texts, None for what may be missing; raises ValueError or KeyError otherwise."""
    return {fact.id: _read_fact(fact, texts) for fact in group.facts}


def _read_fact(fact: Fact, texts: Mapping[str, str]) -> Any:
    return None if fact.optional and fact.id not in texts else _READ[fact.type](texts[fact.id])


def _row(group: FactGroup, of: object) -> dict[str, Any]:
    return {fact.id: getattr(of, fact.id) for fact in group.facts}


def person_rows(person: Person) -> Iterable[tuple[FactGroup, Sequence[Row]]]:
    """Return the rows of each group of a participant, in the order of the groups."""
    facts = person.facts
    yield CONSENT, [_row(CONSENT, facts)]
    yield (
        RENEWAL,
        [
            {"consent_version": each.consent_version, "renewed_on": each.consented_on}
            for each in facts.renewals
        ],
    )
    yield CRITERION, [{"criterion": name, "result": result} for name, result in facts.criteria.items()]
    yield RANDOMISATION, [_row(RANDOMISATION, facts)] if facts.randomised_on or facts.arm else []
    yield ADMINISTRATION, [_row(ADMINISTRATION, given) for given in facts.administrations]
    yield REVIEW, [{"form": form, "through": through} for form, through in facts.reviewed.items()]
    yield LOT, [{"cause": cause} for cause in facts.failed_lots]
    yield UNBLINDING, [{"kind": kind} for kind in facts.unblindings]
    yield END, [_row(END, facts)] if facts.ended_on or facts.end_scope or facts.end_cause else []
    yield SIGNATURE, [_row(SIGNATURE, signature) for signature in person.signatures]
    yield QUERY, [_row(QUERY, query) for query in person.queries]


def person_of(
    participant: str,
    site: str,
    rows: Mapping[str, Sequence[Row]],
    encounters: Sequence[tuple[str, Row]],
    records: tuple[Record, ...],
    entered: Mapping[str, Entered],
    met_under: Mapping[str, str],
) -> Person:
    """Return a participant from the rows of their groups, which are named as in `GROUPS`.

    Raises KeyError or IndexError without the row of the consent.
    """
    once = {
        name: value
        for group in (RANDOMISATION, END)
        for name, value in (rows.get(group.id) or [read(group, {})])[0].items()
    }

    def several(group: FactGroup) -> Sequence[Row]:
        return rows.get(group.id, ())

    return Person(
        facts=CutParticipant(
            participant=participant,
            site=site,
            **rows[CONSENT.id][0],
            **once,
            criteria={row["criterion"]: row["result"] for row in several(CRITERION)},
            rows=(),
            encounters=tuple(
                CutEncounter(encounter=name, **{**row, "not_asked": tuple((row["not_asked"] or "").split())})
                for name, row in encounters
            ),
            administrations=tuple(CutAdministration(**row) for row in several(ADMINISTRATION)),
            reviewed={row["form"]: row["through"] for row in several(REVIEW)},
            failed_lots=tuple(row["cause"] for row in several(LOT)),
            unblindings=tuple(row["kind"] for row in several(UNBLINDING)),
            renewals=tuple(
                CutRenewal(consent_version=row["consent_version"], consented_on=row["renewed_on"])
                for row in several(RENEWAL)
            ),
        ),
        records=records,
        entered=entered,
        met_under=met_under,
        signatures=tuple(SignatureLine(**row) for row in several(SIGNATURE)),
        queries=tuple(QueryRow(**row) for row in several(QUERY)),
    )


def encounter_row(encounter: CutEncounter) -> Row:
    """Return the facts of an encounter."""
    return {**_row(ENCOUNTER, encounter), "not_asked": " ".join(encounter.not_asked) or None}


def record_row(record: Record) -> Row:
    """Return the facts of a filled form."""
    return {
        "dated": record.dated,
        "verified": record.verified or None,
        "verified_items": " ".join(record.verified_items) or None,
        "changed_items": " ".join(record.changed_items) or None,
    }


def trial_rows(snapshot: Snapshot) -> Iterable[tuple[FactGroup, Sequence[Row]]]:
    """Return the rows of each group of the trial."""
    yield TRIAL, [_row(TRIAL, snapshot)]
    yield COUNT, [{"name": name, "count": count} for name, count in snapshot.counts.items()]
    yield SITE, [{"site": site, "approved_on": day} for site, day in snapshot.approved.items()]
    yield GRANT, [_row(GRANT, account) for account in snapshot.accounts]
    yield VERSION, [_row(VERSION, version) for version in snapshot.versions]
    yield RELEASE, [_row(RELEASE, release) for release in snapshot.releases]
    yield AMENDMENT, [_row(AMENDMENT, amendment) for amendment in snapshot.amendments]
    yield (
        CHANGE,
        [
            {
                "study_version": each.study_version,
                "place": _pointer(change.place),
                "what": change.what,
                "before": change.before,
                "after": change.after,
            }
            for each in snapshot.amendments
            for change in each.changes
        ],
    )


def amendments_of(rows: Mapping[str, Sequence[Row]]) -> tuple[CutAmendment, ...]:
    """Return the amendments with their changes from the rows of the trial."""
    changes: dict[str, list[Change]] = {}
    for row in rows.get(CHANGE.id, ()):
        change = Change(
            place=_steps(row["place"]), what=row["what"], before=row["before"], after=row["after"]
        )
        changes.setdefault(row["study_version"], []).append(change)
    return tuple(
        CutAmendment(**row, changes=tuple(changes.get(row["study_version"], ())))
        for row in rows.get(AMENDMENT.id, ())
    )


def _pointer(place: Sequence[str]) -> str:
    """Return a place as a JSON pointer (RFC 6901)."""
    return "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in place)


def _steps(pointer: str) -> tuple[str, ...]:
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])
