"""Occurrence data (ADaM OCCDS 1.0): one row for each event of a log, named as in the tabulation datasets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from equipoise.analysis.course import treatment_epochs
from equipoise.analysis.dataset_columns import (
    IDENTIFIERS,
    Cell,
    Column,
    ColumnType,
    Dataset,
    day,
    day_of,
    flag,
    identifiers,
    period,
    period_columns,
    text,
    whole,
)
from equipoise.analysis.derive import Frame
from equipoise.analysis.safety import Event, derive_events
from equipoise.analysis.tables import participants_analysed
from equipoise.definition.expression import FormRow, PartialDate
from equipoise.definition.model.analysis import EventLog
from equipoise.definition.model.datasets import Tabulation
from equipoise.definition.model.forms import Form, Item
from equipoise.definition.sdtm.coded import LABELS, coded_cells
from equipoise.definition.sdtm.guide import NAME_LENGTH_MAX, TEXT_LENGTH_MAX, Domain, domains
from equipoise.definition.sdtm.naming import ShortNames, cut_text, short_label
from equipoise.definition.tabulation import permitted, submitted, tabulations

_TYPES: Mapping[str, ColumnType] = {"integer": "integer", "decimal": "decimal", "date": "date"}


@dataclass(frozen=True, slots=True)
class _Asked:
    """A column filled from an item, with the code list of its variable in the tabulation datasets."""

    column: Column
    item: Item
    values: Mapping[str, str]
    codelist: str | None


def derive_occurrences(frame: Frame, log: EventLog) -> Dataset:
    """One row per event, with the form's items; those that would unmask are left out of a masked cut."""
    form = frame.definition.form(log.form)
    assert form is not None, "the linter has found the form of every log"
    safety = frame.definition.safety
    about_events = safety is not None and safety.form == log.form
    tabulation = _tabulation(frame, form)
    sequence = _sequence(frame, tabulation)
    extra = [
        whole("ASEQ", "Analysis Sequence Number", None, "Numbers the events of a subject by date, from 1"),
        *([whole(sequence, "Sequence Number", f"{sequence[:2]}.{sequence}")] if sequence else []),
        text(
            "ASTDTC",
            "Analysis Start Date, as known",
            None,
            "The date that the log was given, partial where so",
        ),
        day("ASTDT", "Analysis Start Date", None, "The earliest day that ASTDTC can be"),
        whole(
            "ASTDY", "Analysis Start Relative Day", None, "ASTDT less ADSL.TRTSDT, plus 1 from that day on"
        ),
        text(
            "ASTDTF", "Analysis Start Date Imputation Flag", None, "D or M where day or month were not known"
        ),
        *period_columns(frame),
        flag("TRTEMFL", "Treatment Emergent Analysis Flag", "Y where the event began in a treatment epoch"),
    ]
    if about_events:
        extra += [
            flag("AESER", "Serious Event", "Y where the condition of seriousness of the safety plan is met"),
            flag(
                "AREL", "Related in Investigator's Judgement", "Y where the condition of relatedness is met"
            ),
        ]
    asked = _asked(frame, form, tabulation, taken=[column.name for column in (*IDENTIFIERS, *extra)])
    events = derive_events(frame, log.form, participants_analysed(frame))
    rows = _rows(frame, events, asked, tabulation, sequence, about_events=about_events)
    coded = _add_codes(rows, events, tabulation, {each.column.name for each in asked})
    columns = (*IDENTIFIERS, *extra, *(each.column for each in asked), *coded)
    return Dataset(
        name=log.dataset.upper()[:NAME_LENGTH_MAX],
        label=short_label(f"{log.title} Analysis Dataset"),
        structure="One record per subject per event",
        kind="events" if about_events else "occurrences",
        keys=("STUDYID", "USUBJID", "ASEQ"),
        columns=columns,
        rows=tuple({column.name: row.get(column.name) for column in columns} for row in rows),
    )


def _rows(
    frame: Frame,
    events: tuple[Event, ...],
    asked: list[_Asked],
    tabulation: Tabulation | None,
    sequence: str | None,
    *,
    about_events: bool,
) -> list[dict[str, Cell]]:
    treated = {epoch.id for epoch in treatment_epochs(frame.definition)}
    numbers: dict[str, int] = {}
    rows = []
    tabulated = _numbered(frame, tabulation, events) if sequence and tabulation else [None] * len(events)
    for event, number in zip(events, tabulated, strict=True):
        person = frame.people[event.participant]
        numbers[event.participant] = numbers.get(event.participant, 0) + 1
        row = identifiers(frame, person) | period(frame, person, event.epoch)
        row["ASEQ"] = numbers[event.participant]
        if sequence is not None:
            row[sequence] = number
        on = event.row.date
        first = None if on is None else on.first.isoformat()
        row |= {
            "ASTDTC": None if on is None else str(on),
            "ASTDT": first,
            "ASTDY": day_of(person, first),
            "ASTDTF": None if on is None or on.exact else "D" if on.month else "M",
            "TRTEMFL": "Y" if event.epoch in treated else "N",
        }
        if about_events:
            row["AESER"] = "Y" if "serious" in event.traits else "N"
            row["AREL"] = "Y" if "related" in event.traits else "N"
        for each in asked:
            row[each.column.name] = _cell(each, event.row)
        rows.append(row)
    return rows


def _add_codes(
    rows: Sequence[dict[str, Cell]],
    events: Sequence[Event],
    tabulation: Tabulation | None,
    taken: set[str],
) -> tuple[Column, ...]:
    """Put what a dictionary calls each event into its row; return the columns that this adds.

    They have the names of the tabulation dataset, in whose domain they are; without a coded event there are
    none.
    """
    if tabulation is None:
        return ()
    domain = domains()[tabulation.domain]
    topic = next((each.item for each in tabulation.variables if each.variable == domain.topic), "")
    columns: dict[str, Column] = {}
    for row, event in zip(rows, events, strict=True):
        coding = event.row.codings.get(topic)
        for ending, said in coded_cells(coding) if coding else ():
            name = f"{domain.name}{ending}"
            known = domain.variable(name)
            numeric = known is not None and known.numeric
            if numeric and not said.isdigit():
                continue
            row[name] = int(said) if numeric else cut_text(said, TEXT_LENGTH_MAX)
            label, home = (known.label, domain.name) if known else (LABELS[ending], f"SUPP{domain.name}")
            source = f"{home}.{name if known else 'QVAL'}"
            make = whole if numeric else text
            columns.setdefault(name, make(name, label, source))
    return tuple(column for name, column in columns.items() if name not in taken)


def _tabulation(frame: Frame, form: Form) -> Tabulation | None:
    """How the tabulation datasets name a log, where each row is one record of events or interventions."""
    found = [each for each in tabulations(frame.definition) if each.form == form.id]
    mains = [each for each in found if domains()[each.domain].dataset_class in ("EVENTS", "INTERVENTIONS")]
    return mains[0] if len(mains) == 1 and not mains[0].tests else None


def _sequence(frame: Frame, tabulation: Tabulation | None) -> str | None:
    """The name of the sequence number in the tabulation datasets, where the log is all of its domain."""
    if tabulation is None or tabulation.domain in ("EX", "DS"):
        return None
    same = [each for each in tabulations(frame.definition) if each.domain == tabulation.domain]
    return f"{tabulation.domain}SEQ" if same == [tabulation] else None


def _numbered(frame: Frame, tabulation: Tabulation, events: Sequence[Event]) -> list[int | None]:
    """The number of each event in the tabulation dataset, where a participant's records stand by start and
    topic, missing ones last; None for a row that has no record there because its topic is missing.
    """
    form, domain = frame.definition.form(tabulation.form), domains()[tabulation.domain]
    assert form is not None and domain.topic is not None, "a log of events or interventions has both"
    topic, start = domain.topic, f"{domain.name}STDTC"
    # Where no item says when it began, a row of a visit began on its date, unless that is when it was asked.
    by_row = domain.variable(f"{domain.name}DTC") is None
    keys: list[tuple[str, bool, str, str, int]] = []
    for place, event in enumerate(events):
        about = _tabulated(form, domain, tabulation, topic, event.row)
        began = _tabulated(form, domain, tabulation, start, event.row)
        if began is None and by_row and event.row.encounter is not None and event.row.date is not None:
            began = str(event.row.date)
        if about is not None:
            keys.append((event.participant, began is None, began or "", about, place))
    numbers: list[int | None] = [None] * len(events)
    counted: Counter[str] = Counter()
    for participant, *_, place in sorted(keys):
        counted[participant] += 1
        numbers[place] = counted[participant]
    return numbers


def _tabulated(form: Form, domain: Domain, tabulation: Tabulation, variable: str, row: FormRow) -> str | None:
    """The text that a variable of the tabulation dataset has for a row."""
    known = domain.variable(variable)
    for entry in tabulation.variables:
        item, seen = form.item(entry.item), row.values.get(entry.item)
        if entry.variable == variable and item is not None and seen is not None:
            found = submitted(item, seen.value, entry.values, known.codelist if known else None)
            if found is not None:
                return cut_text(found.standard, TEXT_LENGTH_MAX)
    return tabulation.constants.get(variable)


def _asked(frame: Frame, form: Form, tabulation: Tabulation | None, taken: list[str]) -> list[_Asked]:
    names = ShortNames(taken)
    shown = {each.id: each for each in form.items if not (frame.cut.masked and each.unmasking)}
    if tabulation is None:
        return [_column(names.new(each.id), each, {}, None, None) for each in shown.values()]
    domain: Domain = domains()[tabulation.domain]
    found = []
    for entry in tabulation.variables:
        if entry.item not in shown or (entry.variable in taken and entry.variable is not None):
            continue
        name, known = entry.variable or entry.qualifier or entry.item, domain.variable(entry.variable or "")
        home = domain.name if known else f"SUPP{domain.name}"
        source = f"{home}.{name}" if known else f"{home}.QVAL"
        label = known.label if known else entry.label
        called = names.new(name)
        found.append(
            _column(called, shown[entry.item], entry.values, known.codelist if known else None, source, label)
        )
    return found


def _column(
    name: str,
    item: Item,
    values: Mapping[str, str],
    codelist: str | None,
    predecessor: str | None,
    label: str | None = None,
) -> _Asked:
    closed = tuple((each, None) for each in permitted(item, values, codelist))
    kind = _TYPES.get(item.type, "string") if not values else "string"
    column = Column(
        name=name,
        label=short_label(label or item.label),
        # The tabulation datasets hold a grade as text, and dates as texts of ISO 8601.
        type="string" if predecessor is not None and kind in ("integer", "date") else kind,
        predecessor=predecessor,
        method=None if predecessor else f"The answer to: {item.label}",
        permitted=closed,
    )
    return _Asked(column, item, values, codelist)


def _cell(asked: _Asked, row: FormRow) -> Cell:
    seen = row.values.get(asked.item.id)
    found = submitted(asked.item, seen.value if seen else None, asked.values, asked.codelist)
    if found is None:
        return None
    if asked.column.type in ("integer", "decimal"):
        return found.number
    value = seen.value if seen else None
    if isinstance(value, date | PartialDate):
        return str(value)
    return cut_text(found.standard, TEXT_LENGTH_MAX)
