"""Analysis datasets in the manner of ADaM: subject level, one per event log, one per profile.

Names and conventions follow the CDISC ADaM Implementation Guide 1.3: ADSL with a row per participant,
occurrence data with a row per event, BDS with a row per participant, parameter and visit. Treatment variables
are absent from a masked cut.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

from equipoise.analysis.course import (
    epoch_on,
    epoch_starts,
    treatment_epochs,
    treatment_planned,
    treatment_received,
)
from equipoise.analysis.cut import CutParticipant
from equipoise.analysis.derive import Frame, item_at
from equipoise.analysis.safety import derive_events
from equipoise.analysis.tables import participants_analysed
from equipoise.definition.expression import PartialDate, Value
from equipoise.definition.model.analysis import EventLog, Profile
from equipoise.definition.model.forms import Item

ColumnType = Literal["string", "integer", "decimal", "date"]
Cell = str | int | float | None

NAME_LENGTH_MAX = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A variable: its name of at most 8 upper-case characters, its label, its type (that of Dataset-JSON)."""

    name: str
    label: str
    type: ColumnType


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A dataset: rows with a cell for each column, None where the value is missing; dates are ISO texts."""

    name: str
    label: str
    structure: str
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Cell], ...]


def derive_datasets(frame: Frame) -> tuple[Dataset, ...]:
    """ADSL, then the event logs, then the profiles; profiles that share a dataset are its parameters."""
    planned = frame.definition.analysis
    datasets = [derive_subjects(frame)]
    datasets += [_occurrences(frame, log) for log in planned.logs]
    by_name: dict[str, list[Profile]] = {}
    for profile in planned.profiles:
        name = (profile.dataset or f"AD{profile.id}").upper().replace("_", "")[:NAME_LENGTH_MAX]
        by_name.setdefault(name, []).append(profile)
    datasets += [_findings(frame, name, profiles) for name, profiles in by_name.items()]
    return tuple(datasets)


def write_datasets(datasets: Iterable[Dataset], folder: Path) -> tuple[Path, ...]:
    """Write each dataset as CSV (UTF-8, line feeds) and datasets.json with all metadata; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    metadata = []
    for dataset in datasets:
        names = [column.name for column in dataset.columns]
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(dataset.rows)
        path = folder / f"{dataset.name.lower()}.csv"
        path.write_text(text.getvalue(), encoding="utf-8", newline="\n")
        files.append(path)
        metadata.append(
            {
                "name": dataset.name,
                "label": dataset.label,
                "structure": dataset.structure,
                "file": path.name,
                "records": len(dataset.rows),
                "columns": [asdict(column) for column in dataset.columns],
            }
        )
    index = folder / "datasets.json"
    index.write_text(
        json.dumps(metadata, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n"
    )
    return (*files, index)


class _Names:
    """Variable names of at most 8 characters, each given out once."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    def new(self, wanted: str, ending: str = "") -> str:
        """A name like the one wanted, with its last characters replaced by a number where it is taken."""
        plain = "".join(each for each in wanted.upper() if each.isalnum() and each.isascii()) or "V"
        plain = plain if plain[0].isalpha() else f"V{plain}"
        name, number = plain[: NAME_LENGTH_MAX - len(ending)] + ending, 1
        while name in self._taken:
            number += 1
            tail = f"{number}{ending}"
            name = plain[: NAME_LENGTH_MAX - len(tail)] + tail
        self._taken.add(name)
        return name


def _text(name: str, label: str) -> Column:
    return Column(name=name, label=label, type="string")


def _day(name: str, label: str) -> Column:
    return Column(name=name, label=label, type="date")


def _whole(name: str, label: str) -> Column:
    return Column(name=name, label=label, type="integer")


IDENTIFIERS = (
    _text("STUDYID", "Study Identifier"),
    _text("USUBJID", "Unique Subject Identifier"),
    _text("SITEID", "Study Site Identifier"),
    _text("COUNTRY", "Country"),
)


def _identifiers(frame: Frame, person: CutParticipant) -> dict[str, Cell]:
    study = frame.definition.study.id.upper()
    return {
        "STUDYID": study,
        "USUBJID": f"{study}-{person.participant}",
        "SITEID": person.site,
        "COUNTRY": person.country,
    }


def _subject_columns(frame: Frame) -> tuple[list[Column], list[Column]]:
    """The treatment columns and the others of ADSL whose names do not depend on the study's baseline and
    sets.
    """
    fixed = [
        *IDENTIFIERS,
        _text("SUBJID", "Subject Identifier for the Study"),
        _text("SUBTRIAL", "Sub-Trial"),
        _text("VARIANT", "Variant of the Eligibility Criteria"),
        _day("RFICDT", "Date of Informed Consent"),
        _day("RANDDT", "Date of Randomization"),
        _day("TRTSDT", "Date of First Exposure to Treatment"),
        _day("TRTEDT", "Date of Last Exposure to Treatment"),
        _day("EOSDT", "End of Study Date"),
        _text("EOSSTT", "End of Study Status"),
        _text("DCSREAS", "Reason for Discontinuation from Study"),
    ]
    if frame.cut.masked:
        return [], fixed
    crossover = frame.definition.study.model == "crossover"
    treatment = [_text("ARMCD", "Planned Arm Code"), _text("ARM", "Description of Planned Arm")]
    if crossover:
        treatment.append(_text("TRTSEQP", "Planned Sequence of Treatments"))
        treatment.append(_text("TRTSEQA", "Actual Sequence of Treatments"))
    for number in range(1, len(treatment_epochs(frame.definition)) + 1):
        treatment.append(_text(f"TRT{number:02}P", f"Planned Treatment for Period {number:02}"))
        treatment.append(_text(f"TRT{number:02}A", f"Actual Treatment for Period {number:02}"))
    for number in range(1, len(treatment_epochs(frame.definition)) + 1):
        treatment.append(_day(f"AP{number:02}SDT", f"Period {number:02} Start Date"))
    return treatment, fixed


def derive_subjects(frame: Frame) -> Dataset:
    """ADSL: one row for everybody who consented, with flags of the sets and the baseline variables."""
    treatment, fixed = _subject_columns(frame)
    names = _Names(column.name for column in (*fixed, *treatment))
    flags = {each.id: names.new(each.id.replace("_", ""), "FL") for each in frame.definition.analysis.sets}
    baseline = {each.id: names.new(each.id) for each in frame.definition.analysis.baseline}
    columns = [*fixed, *treatment]
    columns += [_text(flags[each.id], f"{each.title} Flag") for each in frame.definition.analysis.sets]
    columns += [
        Column(
            name=baseline[each.id],
            label=each.title + (f" ({each.unit})" if each.unit else ""),
            type="decimal" if each.type == "continuous" else "string",
        )
        for each in frame.definition.analysis.baseline
    ]
    rows: list[Mapping[str, Cell]] = []
    for code, person in frame.people.items():
        row: dict[str, Cell] = {**_identifiers(frame, person), **_disposition(person)}
        if not frame.cut.masked:
            row |= _treatments(frame, person)
        for set_id, name in flags.items():
            row[name] = "Y" if code in frame.analysis_set(set_id).members else "N"
        for each in frame.definition.analysis.baseline:
            found = (
                frame.number(each.value, code) if each.type == "continuous" else frame.text(each.value, code)
            )
            row[baseline[each.id]] = rounded(found) if isinstance(found, float) else found
        rows.append({column.name: row.get(column.name) for column in columns})
    return Dataset(
        name="ADSL",
        label="Subject-Level Analysis Dataset",
        structure="One record per subject",
        columns=tuple(columns),
        rows=tuple(rows),
    )


def rounded(value: float) -> float:
    """A float without the noise of its last binary digits, so that files agree between machines."""
    return float(f"{value:.12g}")


def _disposition(person: CutParticipant) -> dict[str, Cell]:
    given = sorted(each.given_on for each in person.administrations)
    status = {"completed": "COMPLETED", "withdrawn": "DISCONTINUED", "failed": "SCREEN FAILURE"}
    return {
        "SUBJID": person.participant,
        "SUBTRIAL": person.sub_trial,
        "VARIANT": person.variant,
        "RFICDT": _iso(person.consented_on),
        "RANDDT": _iso(person.randomised_on),
        "TRTSDT": _iso(given[0] if given else None),
        "TRTEDT": _iso(given[-1] if given else None),
        "EOSDT": _iso(person.ended_on),
        "EOSSTT": status.get(person.status, "ONGOING"),
        "DCSREAS": person.end_cause,
    }


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _treatments(frame: Frame, person: CutParticipant) -> dict[str, Cell]:
    definition, arm = frame.definition, frame.definition.arm(person.arm or "")
    epochs, starts = treatment_epochs(definition), epoch_starts(definition, person)
    crossover = definition.study.model == "crossover"
    row: dict[str, Cell] = {"ARMCD": person.arm, "ARM": arm.name if arm else None}
    actual = []
    for number, epoch in enumerate(epochs, start=1):
        received = treatment_received(definition, person, epoch.id) if epoch.id in starts else None
        planned = treatment_planned(definition, person.arm, epoch.id)
        # Outside a crossover the arm is the treatment: two doses of one drug are two treatments.
        if arm is not None and not crossover and number == 1:
            planned, received = arm.name, arm.name if received else None
        row[f"TRT{number:02}P"], row[f"TRT{number:02}A"] = planned, received
        row[f"AP{number:02}SDT"] = _iso(starts.get(epoch.id)) if person.randomised_on or arm is None else None
        actual.append(received or "Not treated")
    row["TRTSEQP"] = (
        " / ".join(treatment_planned(definition, person.arm, each.id) or "" for each in epochs)
        if arm
        else None
    )
    row["TRTSEQA"] = " / ".join(actual) if arm else None
    return row


def _period_columns(frame: Frame) -> list[Column]:
    columns = [_text("EPOCH", "Epoch"), _whole("APERIOD", "Period"), _text("APERIODC", "Period (C)")]
    if not frame.cut.masked:
        columns += [_text("TRTP", "Planned Treatment"), _text("TRTA", "Actual Treatment")]
    return columns


def _period(frame: Frame, person: CutParticipant, epoch: str | None) -> dict[str, Cell]:
    """The epoch of a record, and for a treatment epoch its number and its treatments."""
    names = {each.id: each.name for each in frame.definition.study.epochs}
    numbers = {each.id: number for number, each in enumerate(treatment_epochs(frame.definition), start=1)}
    row: dict[str, Cell] = {"EPOCH": None if epoch is None else names[epoch]}
    if epoch in numbers:
        number = numbers[epoch]
        row |= {"APERIOD": number, "APERIODC": names[epoch]}
        if not frame.cut.masked:
            treatments = _treatments(frame, person)
            row |= {"TRTP": treatments[f"TRT{number:02}P"], "TRTA": treatments[f"TRT{number:02}A"]}
    return row


_ITEM_TYPES: Mapping[str, ColumnType] = {"integer": "integer", "decimal": "decimal", "date": "date"}


def _occurrences(frame: Frame, log: EventLog) -> Dataset:
    """One row per event, with the form's items; those that would unmask are left out of a masked cut."""
    form = frame.definition.form(log.form)
    items = [] if form is None else [each for each in form.items if not (frame.cut.masked and each.unmasking)]
    safety = frame.definition.safety
    about_events = safety is not None and safety.form == log.form
    extra = [
        _whole("ASEQ", "Analysis Sequence Number"),
        _text("ASTDTC", "Analysis Start Date, as known"),
        _day("ASTDT", "Analysis Start Date, earliest"),
        *_period_columns(frame),
        _text("TRTEMFL", "Treatment Emergent Analysis Flag"),
    ]
    if about_events:
        extra += [_text("AESER", "Serious Event"), _text("AREL", "Related in the Investigator's Judgement")]
    names = _Names(column.name for column in (*IDENTIFIERS, *extra))
    called = {each.id: names.new(_standard_name(frame, log, each)) for each in items}
    columns = [*IDENTIFIERS, *extra]
    columns += [
        Column(name=called[each.id], label=each.label, type=_ITEM_TYPES.get(each.type, "string"))
        for each in items
    ]
    treated = {epoch.id for epoch in treatment_epochs(frame.definition)}
    rows: list[Mapping[str, Cell]] = []
    numbers: dict[str, int] = {}
    for event in derive_events(frame, log.form, participants_analysed(frame)):
        person = frame.people[event.participant]
        numbers[event.participant] = numbers.get(event.participant, 0) + 1
        row = _identifiers(frame, person) | _period(frame, person, event.epoch)
        row["ASEQ"] = numbers[event.participant]
        row["ASTDTC"] = None if event.row.date is None else str(event.row.date)
        row["ASTDT"] = None if event.row.date is None else event.row.date.first.isoformat()
        row["TRTEMFL"] = "Y" if event.epoch in treated else "N"
        if about_events:
            row["AESER"] = "Y" if "serious" in event.traits else "N"
            row["AREL"] = "Y" if "related" in event.traits else "N"
        for each in items:
            seen = event.row.values.get(each.id)
            row[called[each.id]] = _cell(None if seen is None else seen.value)
        rows.append({column.name: row.get(column.name) for column in columns})
    return Dataset(
        name=log.dataset.upper()[:NAME_LENGTH_MAX],
        label=f"{log.title} Analysis Dataset",
        structure="One record per subject per event",
        columns=tuple(columns),
        rows=tuple(rows),
    )


def _standard_name(frame: Frame, log: EventLog, item: Item) -> str:
    """The name that CDISC gives to what safety.yaml says an item means, else the item's own."""
    safety = frame.definition.safety
    if safety is None or safety.form != log.form:
        return item.id
    standard = {
        safety.term: "AETERM",
        safety.onset: "AESTDTC",
        safety.severity: "AESEV",
        safety.causality: "AEREL",
        safety.outcome: "AEOUT",
    }
    if safety.resolved:
        standard[safety.resolved] = "AEENDTC"
    if safety.body_system:
        standard[safety.body_system] = "AEBODSYS"
    return standard.get(item.id, f"AE{item.id}")


def _cell(value: Value) -> Cell:
    if isinstance(value, bool):
        return "Y" if value else "N"
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date | PartialDate):
        return str(value)
    return value


def _findings(frame: Frame, name: str, profiles: list[Profile]) -> Dataset:
    """BDS: one row per participant, parameter and visit; baseline is the last visit before the first
    treatment.
    """
    columns = [
        *IDENTIFIERS,
        _text("PARAMCD", "Parameter Code"),
        _text("PARAM", "Parameter"),
        _text("AVISIT", "Analysis Visit"),
        _whole("AVISITN", "Analysis Visit (N)"),
        _day("ADT", "Analysis Date"),
        Column(name="AVAL", label="Analysis Value", type="decimal"),
        Column(name="BASE", label="Baseline Value", type="decimal"),
        Column(name="CHG", label="Change from Baseline", type="decimal"),
        _text("ABLFL", "Baseline Record Flag"),
        *_period_columns(frame),
    ]
    names = _Names(())
    rows: list[Mapping[str, Cell]] = []
    codes = {profile.id: names.new(profile.id) for profile in profiles}
    for code in participants_analysed(frame):
        for profile in profiles:
            for row in _measured(frame, profile, frame.people[code]):
                row |= {"PARAMCD": codes[profile.id]}
                rows.append({column.name: row.get(column.name) for column in columns})
    title = profiles[0].title if len(profiles) == 1 else "Findings"
    return Dataset(
        name=name,
        label=f"{title} Analysis Dataset",
        structure="One record per subject per parameter per analysis visit",
        columns=tuple(columns),
        rows=tuple(rows),
    )


def _measured(frame: Frame, profile: Profile, person: CutParticipant) -> list[dict[str, Cell]]:
    order = {each.id: number for number, each in enumerate(frame.definition.schedule.encounters, start=1)}
    days = {each.encounter: each.took_place_on for each in person.encounters}
    starts = epoch_starts(frame.definition, person)
    treated = {epoch.id for epoch in treatment_epochs(frame.definition)}
    form, item = profile.item.split(".", 1)
    known = frame.definition.form(form)
    asked = known.item(item) if known else None
    unit = f" ({asked.unit})" if asked and asked.unit else ""
    rows: list[dict[str, Cell]] = []
    for encounter in profile.encounters:
        value = frame.number(item_at(profile.item, encounter), person.participant)
        planned = frame.definition.schedule.encounter(encounter)
        if value is None or planned is None:
            continue
        day = days.get(encounter)
        epoch = planned.epoch if planned.epoch in starts else epoch_on(starts, day)
        row = _identifiers(frame, person) | _period(frame, person, epoch)
        row |= {
            "PARAM": profile.title + unit,
            "AVISIT": planned.name,
            "AVISITN": order[encounter],
            "ADT": _iso(day),
            "AVAL": rounded(value),
        }
        rows.append(row)
        if planned.epoch not in treated:
            row["ABLFL"] = "Y"
            for earlier in rows[:-1]:
                earlier["ABLFL"] = None
    base = next((row["AVAL"] for row in rows if row.get("ABLFL") == "Y"), None)
    for row in rows:
        aval = row["AVAL"]
        if isinstance(base, float) and isinstance(aval, float):
            row["BASE"] = base
            row["CHG"] = None if row.get("ABLFL") == "Y" else rounded(aval - base)
    return rows
