"""Adverse events and other logs, counted by arm, by epoch and by what was in force; never tested."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from equipoise.analysis.course import epoch_on, epoch_starts, treatment_epochs, treatment_received
from equipoise.analysis.derive import Frame
from equipoise.analysis.result import EventTable, SeriousEvent, TallyRow
from equipoise.analysis.summaries import arm_name
from equipoise.analysis.tables import group_members, participants_analysed, shown_value
from equipoise.definition.coding import title_of_dictionary
from equipoise.definition.expression import EvidenceTable, FormRow, Node, Truth, truth
from equipoise.definition.model.analysis import EventLog
from equipoise.definition.model.conduct import Safety
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.study import Epoch

NOT_CODED = "Not stated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A row of a log, with the epoch in which it began and what its participant had been given then."""

    participant: str
    arm: str | None
    epoch: str | None
    in_force: str | None
    row: FormRow
    traits: frozenset[str]

    def text(self, item: str) -> str | None:
        """The value of an item as text, None when there is none."""
        seen = self.row.values.get(item)
        return None if seen is None or seen.value is None else shown_value(seen.value)


def derive_events(frame: Frame, form: str, members: Sequence[str]) -> tuple[Event, ...]:
    """The rows of a log of some participants, each attributed to an epoch."""
    safety = frame.definition.safety
    treated = treatment_epochs(frame.definition)
    events: list[Event] = []
    for participant in members:
        person = frame.people[participant]
        starts = epoch_starts(frame.definition, person)
        for row in frame.evidence(participant).rows(form):
            epoch = epoch_on(starts, _began(row, starts, treated))
            given = treatment_received(frame.definition, person, epoch) if epoch else None
            traits = _traits(safety, row) if safety and safety.form == form else frozenset[str]()
            events.append(
                Event(
                    participant=participant,
                    arm=person.arm,
                    epoch=epoch,
                    in_force=given,
                    row=row,
                    traits=traits,
                )
            )
    return tuple(events)


def _began(row: FormRow, starts: dict[str, date], treated: Sequence[Epoch]) -> date | None:
    """The day to which an event is attributed: the earliest possible, but under treatment if it may have
    been.

    What may have begun under treatment counts as treatment-emergent, which errs on the side of caution.
    """
    treatment = starts.get(treated[0].id) if treated else None
    if row.date is None:
        return treatment
    if treatment is not None and row.date.first < treatment <= row.date.last:
        return treatment
    return row.date.first


def _traits(safety: Safety, row: FormRow) -> frozenset[str]:
    """serious and related, as the definition's conditions say of this row alone."""
    alone = EvidenceTable(row.date.first if row.date else date.min, [row])
    conditions: dict[str, Node] = {"serious": safety.serious, "related": safety.related}
    return frozenset(name for name, node in conditions.items() if truth(node, alone) is Truth.MET)


def coded_at(event: Event, safety: Safety, level: str) -> str | None:
    """What an event is called on a level of MedDRA (PT, SOC), None where it is not coded."""
    coding = event.row.codings.get(safety.term)
    step = coding.at(level) if coding else None
    return None if step is None else step.term


def vocabulary_of(event: Event, safety: Safety) -> str | None:
    """The dictionary with its version that an event is coded with, None where it is not coded."""
    coding = event.row.codings.get(safety.term)
    if coding is None:
        return None
    return f"{title_of_dictionary(coding.dictionary)} {coding.version}"


def derive_event_tables(frame: Frame) -> tuple[EventTable, ...]:
    """For every log: after the first treatment by arm, and by epoch and what was in force."""
    tables: list[EventTable] = []
    treated = {epoch.id for epoch in treatment_epochs(frame.definition)}
    members = participants_treated(frame)
    for log in frame.definition.analysis.logs:
        events = [each for each in derive_events(frame, log.form, members) if each.epoch in treated]
        tables.append(_by_arm(frame, log, events, members))
        by_period = _by_period(frame, log, events, members)
        if by_period is not None:
            tables.append(by_period)
        coded = _by_class(frame, log, events, members)
        if coded is not None:
            tables.append(coded)
    return tuple(tables)


def participants_treated(frame: Frame) -> tuple[str, ...]:
    """Of all who are analysed, those who were given something, or who entered a treatment epoch where the
    trial supplies nothing.
    """
    treated = {epoch.id for epoch in treatment_epochs(frame.definition)}

    def reached(participant: str) -> bool:
        person = frame.people[participant]
        if frame.definition.supply.products:
            return bool(person.administrations)
        return bool(treated & epoch_starts(frame.definition, person).keys())

    return tuple(each for each in participants_analysed(frame) if reached(each))


_Columns = list[tuple[str, int, list[Event]]]
"""Groups by their names, with how many are at risk, and the events of each."""


def _arm_columns(frame: Frame, events: Sequence[Event], members: Sequence[str]) -> _Columns:
    columns = [
        (arm_name(frame, arm), len(mine), [each for each in events if arm is None or each.arm == arm])
        for arm, mine in group_members(frame, members)
    ]
    if len(columns) > 1:
        columns.append(("All participants", len(members), list(events)))
    return columns


def _by_class(
    frame: Frame, log: EventLog, events: Sequence[Event], members: Sequence[str]
) -> EventTable | None:
    """By system organ class and preferred term, the most frequent first; None where nothing is coded."""
    safety = frame.definition.safety
    if safety is None or safety.form != log.form:
        return None
    vocabularies = sorted({each for event in events if (each := vocabulary_of(event, safety)) is not None})
    if not vocabularies:
        return None
    columns = _arm_columns(frame, events, members)
    rows = [_row("All events", columns)]
    classes = _called(columns, safety, "SOC")
    outside = classes.pop(None, None)
    for organ_class in _most_frequent(classes):
        rows.append(_row(organ_class.upper(), classes[organ_class]))
        rows += _by_term(_called(classes[organ_class], safety, "PT"))
    if outside is not None:
        terms = _called(outside, safety, "PT")
        uncoded = terms.pop(None, None)
        rows += _by_term(terms)
        rows += [_row("Not coded", uncoded)] if uncoded is not None else []
    return EventTable(
        title=f"{log.title} by system organ class and preferred term ({', '.join(vocabularies)})",
        columns=tuple(name for name, _, _ in columns),
        at_risk=tuple(n for _, n, _ in columns),
        rows=tuple(rows),
    )


def _by_term(terms: Mapping[str | None, _Columns]) -> Iterator[TallyRow]:
    return (_row(term, terms[term]) for term in _most_frequent(terms))


def _called(columns: _Columns, safety: Safety, level: str) -> dict[str | None, _Columns]:
    """The columns with those of their events alone that are called the same on a level of MedDRA."""
    found: dict[str | None, _Columns] = {}
    for place, (_, _, mine) in enumerate(columns):
        for event in mine:
            empty: _Columns = [(name, at_risk, []) for name, at_risk, _ in columns]
            found.setdefault(coded_at(event, safety, level), empty)[place][2].append(event)
    return found


def _most_frequent(called: Mapping[str | None, _Columns]) -> list[str]:
    """The names by how many participants have an event of them, the most first, then by the name."""
    people = {
        name: len({event.participant for _, _, mine in columns for event in mine})
        for name, columns in called.items()
        if name is not None
    }
    return sorted(people, key=lambda each: (-people[each], each))


def _by_arm(frame: Frame, log: EventLog, events: Sequence[Event], members: Sequence[str]) -> EventTable:
    groups = group_members(frame, members)
    columns = _arm_columns(frame, events, members)
    title = f"{log.title} from the first treatment on" + (", by arm" if len(groups) > 1 else "")
    return _table(frame, log, title, columns)


def _by_period(
    frame: Frame, log: EventLog, events: Sequence[Event], members: Sequence[str]
) -> EventTable | None:
    """By epoch, and in an unmasked cut by what its participants were given in it; None where that adds
    nothing.
    """
    epochs = treatment_epochs(frame.definition)
    columns: list[tuple[str, int, list[Event]]] = []
    for epoch in epochs:
        at_risk: dict[str | None, int] = {}
        for participant in members:
            person = frame.people[participant]
            if epoch.id in epoch_starts(frame.definition, person):
                given = treatment_received(frame.definition, person, epoch.id)
                at_risk[given] = at_risk.get(given, 0) + 1
        mine = [each for each in events if each.epoch == epoch.id]
        for given in treatment_order(frame.definition, at_risk):
            short = epoch.name.split(",")[0]
            name = short if frame.cut.masked else f"{short}: {given or 'nothing given'}"
            columns.append((name, at_risk[given], [each for each in mine if each.in_force == given]))
    if len(columns) < 2 or (len(epochs) == 1 and len(frame.arms) == len(columns)):
        return None
    what = "by epoch" if frame.cut.masked else "by epoch and intervention in force"
    return _table(frame, log, f"{log.title}, {what}", columns)


def treatment_order(definition: StudyDefinition, found: Iterable[str | None]) -> list[str | None]:
    """What was given, in the order of the interventions; last what stands for nothing given."""
    names = [each.name for each in definition.study.interventions]
    return sorted(
        found,
        key=lambda each: (
            each is None,
            [names.index(x) if x in names else 99 for x in (each or "").split(" + ")],
        ),
    )


def _table(
    frame: Frame, log: EventLog, title: str, columns: Sequence[tuple[str, int, list[Event]]]
) -> EventTable:
    safety = frame.definition.safety
    rows = [_row("All events", columns)]
    if safety and safety.form == log.form:
        rows.append(_row("Serious", columns, lambda event: "serious" in event.traits))
        rows.append(
            _row("Related, in the investigator's judgement", columns, lambda event: "related" in event.traits)
        )
    by = list(log.by) or ([safety.severity] if safety and safety.form == log.form else [])
    # Severity first: it is what the reader looks for, and its few lines come before the many body systems.
    by.sort(key=lambda item: safety is None or item != safety.severity)
    for item in by:
        rows += _rows_by(frame.definition, log.form, item, columns)
    return EventTable(
        title=title,
        columns=tuple(name for name, _, _ in columns),
        at_risk=tuple(n for _, n, _ in columns),
        rows=tuple(rows),
    )


def _row(
    label: str,
    columns: Sequence[tuple[str, int, list[Event]]],
    holds: Callable[[Event], bool] = lambda event: True,
) -> TallyRow:
    cells = []
    for _, _, events in columns:
        mine = [event for event in events if holds(event)]
        cells.append((len(mine), len({event.participant for event in mine})))
    return TallyRow(label=label, cells=tuple(cells))


def _rows_by(
    definition: StudyDefinition, form: str, item: str, columns: Sequence[tuple[str, int, list[Event]]]
) -> list[TallyRow]:
    """A heading (a row without cells), and a line for each value that occurs, in the order of its codes."""
    known = definition.form(form)
    asked = known.item(item) if known else None
    labels = {code.code: code.label for code in asked.codes} if asked else {}
    seen = {event.text(item) for _, _, events in columns for event in events}
    values = {value for value in seen if value is not None}
    order = [*(code for code in labels if code in values), *sorted(values - set(labels))]
    if not order:
        return []
    title = asked.label if asked else item
    rows = [TallyRow(label=title, cells=())]
    rows += [
        _row(labels.get(value, value), columns, lambda event, value=value: event.text(item) == value)  # type: ignore[misc]
        for value in order
    ]
    if None in seen:
        rows.append(_row(NOT_CODED, columns, lambda event: event.text(item) is None))
    return rows


def derive_serious(frame: Frame) -> tuple[SeriousEvent, ...]:
    """The listing of serious adverse events of all participants, by participant and day."""
    safety = frame.definition.safety
    if safety is None:
        return ()
    form = frame.definition.form(safety.form)
    epochs = {epoch.id: epoch.name for epoch in frame.definition.study.epochs}

    def coded(event: Event, item: str) -> str:
        asked = form.item(item) if form else None
        text = event.text(item) or ""
        return next((code.label for code in asked.codes if code.code == text), text) if asked else text

    return tuple(
        SeriousEvent(
            participant=event.participant,
            group=None if event.arm is None else arm_name(frame, event.arm),
            term=event.text(safety.term) or "",
            onset=event.text(safety.onset) or "",
            epoch=None if event.epoch is None else epochs[event.epoch],
            in_force=event.in_force,
            severity=coded(event, safety.severity),
            causality=coded(event, safety.causality),
            outcome=coded(event, safety.outcome),
        )
        for event in derive_events(frame, safety.form, tuple(frame.people))
        if "serious" in event.traits
    )
