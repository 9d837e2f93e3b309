"""The copy of a site's data that can be taken at any time: to read, for a machine, with its audit trail.

ICH E6(R3) 3.16.1(k)(o); EMA guideline on computerised systems 2023, 6.1; 21 CFR 11.10(b). All that the role
sees is in it and nothing else. The same state gives the same bytes.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import date
from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from equipoise.access.refusal import Refusal, Refused
from equipoise.capture.state import LogRow, QueryRow, SignatureRow
from equipoise.conduct.trail import AuditLine
from equipoise.conduct.view import MaskedView, UnmaskedView
from equipoise.conduct.view.lines import (
    FreezeLine,
    GrantLine,
    MissingFormLine,
    ParticipantLine,
    RecordLine,
    SiteStatusLine,
    TimelineLine,
    WindowLine,
)
from equipoise.definition.lock import canonical_json
from equipoise.enrolment.state import AssessmentRow
from equipoise.imaging.state import ReadingRow, ScanRow
from equipoise.ledger.entry import Head
from equipoise.safety.state import ClockRow, EventRow
from equipoise.web.casebook_html import Names, draw_casebook
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import shows_arms
from equipoise.web.works import Work
from equipoise.web.zips import MANIFEST, manifest_of, zip_of


@dataclass(frozen=True, slots=True)
class Taken:
    """What is copied, read within one state of the trial."""

    head: Head
    day: date
    people: tuple[ParticipantLine, ...]
    timelines: dict[str, tuple[TimelineLine, ...]]
    records: dict[str, tuple[RecordLine, ...]]
    signatures: dict[str, tuple[SignatureRow, ...]]
    assessments: dict[str, tuple[AssessmentRow, ...]]
    reviews: dict[str, tuple[LogRow, ...]]
    queries: tuple[QueryRow, ...]
    lists: dict[str, tuple[type, tuple[Any, ...]]]
    arms: dict[str, str]
    audit: tuple[AuditLine, ...]


def read_copy_arguments(request: ClinicRequest) -> dict[str, str]:
    """Return which site is copied: the reader's own, or the one that they chose, or all.

    Raises Refused for a site that is none.
    """
    own = request.seen.viewer.site
    site = own or request.POST.get("site", "")
    if site and request.definition.site(site) is None:
        sentence = _("The study has no such site.")
        raise Refused(Refusal("WEB-SITE", sentence, _("Choose one of the list.")))
    return {"site": site}


def make_copy(work: Work) -> str:
    """Make the copy; it is read at once, so that it is of one state, and written out after that."""
    site = work.arguments["site"]
    clinic = work.clinic
    with clinic.trial.reading():
        seen = work.seen
        taken = _take(seen, site)
    work.plan(len(taken.people) + 2)
    definition = clinic.definition
    files = {f"data/{name}": content for name, content in _tables(taken).items()}
    files |= {f"data/forms/{name}": content for name, content in _form_tables(work, taken).items()}
    files["definition.json"] = canonical_json(definition)
    for version in work.seen.versions()[:-1]:
        earlier = clinic.trial.versions.of(version.definition)
        if earlier is not None:
            files[f"definitions/version-{version.number}.json"] = canonical_json(earlier)
    work.step()
    names = Names.now()
    by_person = _lines_by_person(taken.audit)
    for person in taken.people:
        code = person.participant
        text = draw_casebook(
            definition,
            clinic.trial.versions,
            taken,
            person,
            by_person.get(code, []),
            clinic.zone(person.site),
            names,
        )
        files[f"casebooks/{code}.html"] = text.encode()
        work.step()
    files["index.html"] = render_to_string(
        "copies/index.html",
        {
            "study": definition.study,
            "site": site,
            "taken": taken,
            "names": sorted(files),
            "role": seen.viewer.role,
        },
    ).encode()
    said = {"site": site or None, "participants": len(taken.people)}
    files[MANIFEST] = manifest_of(definition, work.actor, taken.head, files, said)
    work.is_of(taken.head)
    work.write(zip_of(files))
    work.step()
    return f"{definition.study.id}-{site or 'all-sites'}-{taken.head.position}.zip"


# -- reading


def _take(seen: MaskedView | UnmaskedView, site: str) -> Taken:
    people = tuple(each for each in seen.participants() if site in ("", each.site))
    codes = {each.participant for each in people}
    audit = tuple(line for line in seen.audit() if _is_of(line, codes, site))
    day = date.fromisoformat(audit[-1].recorded_at[:10]) if audit else date.min
    arms = seen.arms() if shows_arms(seen) else {}
    return Taken(
        head=seen.head(),
        day=day,
        people=people,
        timelines={code: seen.timeline(code, day) for code in sorted(codes)},
        records={code: seen.records(code) for code in sorted(codes)},
        signatures={code: seen.signatures(code) for code in sorted(codes)},
        assessments={code: seen.eligibility(code) for code in sorted(codes)},
        reviews={code: seen.log_reviews(code) for code in sorted(codes)},
        queries=tuple(each for each in seen.queries() if each.participant in codes),
        lists=_lists(seen, codes, site),
        arms={code: arm for code, arm in arms.items() if code in codes},
        audit=audit,
    )


def _lists(
    seen: MaskedView | UnmaskedView, codes: set[str], site: str
) -> dict[str, tuple[type, tuple[Any, ...]]]:
    """Read every list that is neither by participant nor the audit trail, as far as it is for the role."""
    reads: dict[str, tuple[type, Callable[[], Iterable[Any]]]] = {
        "adverse_events": (EventRow, seen.adverse_events),
        "safety_clocks": (ClockRow, seen.clocks),
        "scans": (ScanRow, seen.scans),
        "readings": (ReadingRow, seen.readings),
        "missing_forms": (MissingFormLine, seen.missing_forms),
        "out_of_window": (WindowLine, seen.out_of_window),
        "frozen": (FreezeLine, seen.freezes),
        "delegation_log": (GrantLine, seen.grants),
        "sites": (SiteStatusLine, seen.all_sites),
    }
    lists: dict[str, tuple[type, tuple[Any, ...]]] = {}
    for name, (row_type, read) in reads.items():
        with suppress(Refused):
            rows = tuple(row for row in read() if _in_copy(row, codes, site))
            lists[name] = (row_type, rows)
    return lists


def _in_copy(row: Any, codes: set[str], site: str) -> bool:
    participant = getattr(row, "participant", None)
    if participant is not None:
        return participant in codes
    return not site or getattr(row, "site", None) in (None, site)


def _is_of(line: AuditLine, codes: set[str], site: str) -> bool:
    participant = line.content.get("participant")
    if isinstance(participant, str):
        return participant in codes
    return not site or line.site in (None, site)


def _lines_by_person(audit: Iterable[AuditLine]) -> dict[str, list[AuditLine]]:
    found: dict[str, list[AuditLine]] = {}
    for line in audit:
        participant = line.content.get("participant")
        if isinstance(participant, str):
            found.setdefault(participant, []).append(line)
    return found


# -- writing


def _tables(taken: Taken) -> dict[str, bytes]:
    tables = {
        "participants.csv": _rows_as_csv(ParticipantLine, taken.people),
        "encounters.csv": _by_person(TimelineLine, taken.timelines),
        "signatures.csv": _rows_as_csv(SignatureRow, _flat(taken.signatures)),
        "eligibility.csv": _rows_as_csv(AssessmentRow, _flat(taken.assessments)),
        "log_reviews.csv": _rows_as_csv(LogRow, _flat(taken.reviews)),
        "queries.csv": _rows_as_csv(QueryRow, taken.queries),
        "values.csv": _values(taken),
        "audit_trail.csv": _rows_as_csv(AuditLine, taken.audit),
        "audit_trail.jsonl": "".join(_as_json(asdict(line)) + "\n" for line in taken.audit).encode(),
    }
    if taken.arms:
        tables["arms.csv"] = _csv(("participant", "arm"), sorted(taken.arms.items()))
    return tables | {f"{name}.csv": _rows_as_csv(*found) for name, found in taken.lists.items()}


def _form_tables(work: Work, taken: Taken) -> dict[str, bytes]:
    """Return a table for each form that is filled in: a row for each record, a column for each item seen."""
    tables = {}
    for form in work.clinic.definition.forms:
        records = [
            (code, each) for code, found in taken.records.items() for each in found if each.form == form.id
        ]
        items = [item.id for item in form.items if any(item.id in each.values for _code, each in records)]
        titles = ("participant", "encounter", "row", "dated", "removed", "verified", *items)
        rows = [
            (
                code,
                r.encounter,
                r.row,
                r.dated,
                r.removed,
                r.verified,
                *(r.values.get(item) for item in items),
            )
            for code, r in records
        ]
        if rows:
            tables[f"{form.id}.csv"] = _csv(titles, rows)
    return tables


def _values(taken: Taken) -> bytes:
    """Every value with when it was entered, and where in the ledger."""
    where = ("participant", "form", "encounter", "row", "item")
    titles = (*where, "value", "entered_at", "position", "removed", "source")
    rows = [
        (
            *(code, r.form, r.encounter, r.row, item, value, place.get("at"), place.get("position")),
            *(r.removed, r.source[item].state),
        )
        for code, records in taken.records.items()
        for r in records
        for item, value in r.values.items()
        for place in (r.entered.get(item, {}),)
    ]
    return _csv(titles, rows)


def _flat(by_person: dict[str, tuple[Any, ...]]) -> list[Any]:
    return [row for rows in by_person.values() for row in rows]


def _by_person(row_type: type, by_person: dict[str, tuple[Any, ...]]) -> bytes:
    names = [each.name for each in fields(row_type)]
    rows = [
        (code, *(getattr(row, name) for name in names)) for code, found in by_person.items() for row in found
    ]
    return _csv(("participant", *names), rows)


def _rows_as_csv(row_type: type, rows: Iterable[Any]) -> bytes:
    names = [each.name for each in fields(row_type)]
    return _csv(names, [tuple(getattr(row, name) for name in names) for row in rows])


def _csv(titles: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """RFC 4180 with line feeds, UTF-8; what is not there is empty, what has parts is JSON."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(titles)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list | tuple):
        return _as_json(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=_plain)


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)
