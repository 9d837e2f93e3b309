"""Listings by participant: what was recorded of each, in the chapters of ICH E3, appendix 16.2.

A masked cut is listed without groups and without what would unmask.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from equipoise.analysis.course import epoch_on, epoch_starts, treatment_received
from equipoise.analysis.cut import CutParticipant
from equipoise.analysis.derive import Frame
from equipoise.analysis.report.content import Section, Table, numbered
from equipoise.analysis.report.numbers import MINUS, NONE, decimals_for, fixed
from equipoise.analysis.report.views import RowView, TableView
from equipoise.analysis.safety import Event, derive_events
from equipoise.analysis.summaries import arm_name
from equipoise.analysis.tables import participants_analysed, shown_value
from equipoise.definition.expression import FormRow
from equipoise.definition.model.forms import Form, Item

DISCONTINUED, DEVIATIONS, EXCLUDED, DEMOGRAPHY, EXPOSURE, RESPONSE, EVENTS, MEASURED = (
    f"16.2.{number}" for number in range(1, 9)
)
"""Discontinued, deviations, excluded from an analysis, demographic data, compliance, efficacy, adverse
events, individual measurements (ICH E3, 16.2.1 to 16.2.8)."""

CONSENTED = "All participants who consented"
COLUMNS_MAX = 7
"""The most items that stand side by side; a form with more is listed in parts."""


def derive_listings(frame: Frame) -> Section:
    """Return every listing of a cut, in the order of their numbers; one without rows says so."""
    analysed = participants_analysed(frame)
    blocks = (
        _discontinued(frame, analysed),
        *_recorded(frame, DISCONTINUED),
        _deviations(frame),
        _excluded(frame, analysed),
        _demography(frame, analysed),
        *_recorded(frame, DEMOGRAPHY),
        *_exposure(frame, analysed),
        *_recorded(frame, EXPOSURE),
        *_recorded(frame, RESPONSE),
        *_recorded(frame, EVENTS),
        *_recorded(frame, MEASURED),
    )
    return numbered((Section(id="listings", title="Listings by participant", blocks=blocks),))[0]


@dataclass(frozen=True, slots=True)
class _Listing:
    """The frame of every listing: participant, perhaps group, then what is listed."""

    frame: Frame

    def table(
        self,
        title: str,
        chapter: str,
        population: str,
        head: Sequence[str],
        rows: Iterable[tuple[str, Sequence[str]]],
    ) -> Table:
        grouped = len(self.frame.arms) > 1
        lines = tuple(
            RowView(
                cells=(code, *((self._group(code),) if grouped else ()), *(each or NONE for each in cells))
            )
            for code, cells in rows
        )
        full = ("Participant", *(("Group",) if grouped else ()), *head)
        view = TableView(
            caption=title,
            head=full,
            rows=lines,
            words=len(full),
            notes=_notes(frame=self.frame, head=full, empty=not lines),
        )
        return Table(view=view, chapter=chapter, population=population, word="Listing", wide=True)

    def _group(self, code: str) -> str:
        arm = self.frame.people[code].arm
        return NONE if arm is None else arm_name(self.frame, arm)


def _notes(frame: Frame, head: Sequence[str], empty: bool) -> tuple[str, ...]:
    anchor = "randomisation" if frame.definition.study.randomised else "consent"
    notes = (
        [f"Study day 1 is the day of {anchor}; the day before it is {MINUS}1."] if "Study day" in head else []
    )
    return (*notes, *(("There is nothing to list.",) if empty else ()))


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _study_day(frame: Frame, person: CutParticipant, day: date | None) -> str:
    """The day of the study, from 1 on the day of randomisation (or consent) and without a day 0."""
    start = person.randomised_on if frame.definition.study.randomised else person.consented_on
    if day is None or start is None:
        return ""
    days = (day - start).days
    return str(days + 1) if days >= 0 else f"{MINUS}{-days}"


def _discontinued(frame: Frame, members: Sequence[str]) -> Table:
    rows = []
    for code in members:
        person = frame.people[code]
        if person.end_cause is not None or person.status == "withdrawn":
            epoch = epoch_on(epoch_starts(frame.definition, person), person.ended_on)
            cells = (
                (person.end_scope or "").replace("_", " "),
                _day(person.ended_on),
                _study_day(frame, person, person.ended_on),
                _epoch_name(frame, epoch),
                person.end_cause or "",
            )
            rows.append((code, cells))
    head = ("Left", "Date", "Study day", "Epoch", "Reason")
    return _Listing(frame).table("Participants who discontinued", DISCONTINUED, _analysed(frame), head, rows)


def _analysed(frame: Frame) -> str:
    return "Everybody randomised" if frame.definition.study.randomised else "Everybody enrolled"


def _epoch_name(frame: Frame, epoch: str | None) -> str:
    return next((each.name for each in frame.definition.study.epochs if each.id == epoch), "")


def _deviations(frame: Frame) -> Table:
    names = {each.id: each.name for each in frame.definition.schedule.encounters}
    rows = [
        (
            each.participant,
            (each.severity, each.text, names.get(each.encounter or "", each.encounter or ""), _day(each.on)),
        )
        for each in frame.deviations
    ]
    head = ("Severity", "Deviation", "Encounter", "Date")
    return _Listing(frame).table("Protocol deviations", DEVIATIONS, _analysed(frame), head, rows)


def _excluded(frame: Frame, members: Sequence[str]) -> Table:
    rows = [
        (code, (title, reason))
        for title, excluded in (
            (found.title, found.excluded)
            for each in frame.definition.analysis.sets
            for found in (frame.analysis_set(each.id),)
        )
        for code, reason in excluded
        if code in members
    ]
    rows.sort(key=lambda row: row[0])
    return _Listing(frame).table(
        "Participants left out of an analysis set",
        EXCLUDED,
        _analysed(frame),
        ("Analysis set", "Reason"),
        rows,
    )


def _demography(frame: Frame, members: Sequence[str]) -> Table:
    variables = frame.definition.analysis.baseline
    found: list[list[str]] = []
    for variable in variables:
        if variable.type == "continuous":
            numbers = [frame.number(variable.value, code) for code in members]
            decimals = 0 if all(x is None or x.is_integer() for x in numbers) else decimals_for(numbers)
            found.append(["" if x is None else fixed(x, decimals) for x in numbers])
        else:
            texts = [frame.text(variable.value, code) for code in members]
            found.append(["" if x is None else variable.labels.get(x, x) for x in texts])
    rows = []
    for place, code in enumerate(members):
        person = frame.people[code]
        cells = (person.site, _day(person.consented_on), _day(person.randomised_on))
        rows.append((code, (*cells, *(column[place] for column in found))))
    titles = [each.title + (f", {each.unit}" if each.unit else "") for each in variables]
    head = ("Site", "Consent", "Randomised", *titles)
    return _Listing(frame).table("Demographic and baseline data", DEMOGRAPHY, _analysed(frame), head, rows)


def _exposure(frame: Frame, members: Sequence[str]) -> Iterator[Table]:
    """Each unit that was given; what it held only where the groups are shown."""
    products = {each.id: each for each in frame.definition.supply.products}
    if not products:
        return
    names = {each.id: each.name for each in frame.definition.schedule.encounters}
    shown = bool(frame.arms)
    rows = []
    for code in members:
        person = frame.people[code]
        for each in person.administrations:
            product = products.get(each.product)
            cells = [
                product.name if product else each.product,
                names.get(each.encounter, each.encounter),
                _epoch_name(frame, each.epoch),
                _day(each.given_on),
                _study_day(frame, person, each.given_on),
            ]
            if shown:
                cells.append(treatment_received(frame.definition, person, each.epoch) or "")
            rows.append((code, cells))
    head = ["Product", "Encounter", "Epoch", "Date", "Study day", *(["Intervention"] if shown else [])]
    yield _Listing(frame).table("Administrations", EXPOSURE, _analysed(frame), head, rows)


# -- forms


def _chapter(frame: Frame, form: Form) -> str:
    """Where a form is listed: by what the definition uses it for, else by how often it is filled."""
    definition = frame.definition
    safety, imaging = definition.safety, definition.imaging
    if safety is not None and form.id == safety.form:
        return EVENTS
    supplied = {
        name
        for each in definition.supply.products
        for name in (each.source_form, each.manufacture_form, each.administration_form)
    }
    if form.id in supplied:
        return EXPOSURE
    analysed = {each.item.split(".", 1)[0] for each in definition.analysis.profiles}
    analysed |= {each.form for each in definition.analysis.logs}
    if form.id in analysed or (imaging is not None and form.id == imaging.read_form):
        return RESPONSE
    planned = sum(form.id in definition.schedule.forms_at(each.id) for each in definition.schedule.encounters)
    if form.log or planned == 1:
        return DEMOGRAPHY
    measured = any(each.type in ("integer", "decimal") for each in form.items)
    return MEASURED if planned or measured else DISCONTINUED


def _recorded(frame: Frame, chapter: str) -> Iterator[Table]:
    """What was recorded in the forms of a chapter; whole forms that would unmask are left out when masked."""
    everybody = tuple(frame.people)
    for form in frame.definition.forms:
        if _chapter(frame, form) != chapter or not _items(frame, form):
            continue
        if not form.log:
            yield from _measurements(frame, form, chapter)
            continue
        events = derive_events(frame, form.id, everybody)
        yield _log(frame, form, chapter, form.title, events)
        if chapter == EVENTS:
            serious = [each for each in events if "serious" in each.traits]
            yield _log(frame, form, chapter, f"{form.title}: serious", serious)


def _items(frame: Frame, form: Form) -> tuple[Item, ...]:
    hidden = frame.cut.masked
    return tuple(each for each in form.items if not (hidden and (form.unmasking or each.unmasking)))


def _label(item: Item) -> str:
    return item.label + (f", {item.unit}" if item.unit else "")


def _shown(item: Item, row: FormRow) -> str:
    seen = row.values.get(item.id)
    text = "" if seen is None else shown_value(seen.value)
    return next((code.label for code in item.codes if code.code == text), text)


def _measurements(frame: Frame, form: Form, chapter: str) -> Iterator[Table]:
    """The rows of a form by encounter, its items side by side; a form with many items has several parts."""
    items = _items(frame, form)
    names = {each.id: each.name for each in frame.definition.schedule.encounters}
    found: list[tuple[str, tuple[str, str, str], FormRow]] = []
    for code, person in frame.people.items():
        for row in frame.evidence(code).rows(form.id):
            where = names.get(row.encounter or "", row.encounter or "")
            day = row.date.first if row.date is not None and row.date.first == row.date.last else None
            date_text = "" if row.date is None else str(row.date)
            found.append((code, (where, date_text, _study_day(frame, person, day)), row))
    parts = -(-len(items) // COLUMNS_MAX)
    size = -(-len(items) // parts)
    for part in range(parts):
        mine = items[part * size : (part + 1) * size]
        yield _Listing(frame).table(
            form.title + (f", part {part + 1} of {parts}" if parts > 1 else ""),
            chapter,
            CONSENTED,
            ("Encounter", "Date", "Study day", *(_label(each) for each in mine)),
            [(code, (*cells, *(_shown(each, row) for each in mine))) for code, cells, row in found],
        )


def _log(frame: Frame, form: Form, chapter: str, title: str, events: Sequence[Event]) -> Table:
    """The rows of a log with the epoch in which each began; what was answered yes stands in one column."""
    items = [each for each in _items(frame, form) if each.type != "boolean"]
    shown = bool(frame.arms)
    rows = []
    for each in events:
        flags = "; ".join(
            item.label
            for item in _items(frame, form)
            if item.type == "boolean" and _shown(item, each.row) == "yes"
        )
        cells = [_epoch_name(frame, each.epoch)]
        if shown:
            cells.append(each.in_force or "")
        rows.append((each.participant, [*cells, *(_shown(item, each.row) for item in items), flags]))
    head = ["Epoch", *(["Given then"] if shown else []), *(_label(each) for each in items)]
    return _Listing(frame).table(title, chapter, CONSENTED, [*head, "Answered yes"], rows)
