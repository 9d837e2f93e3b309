"""The parts that all analysis datasets share: columns, identifiers, periods and treatments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from equipoise.analysis.course import (
    epoch_starts,
    epoch_terms,
    treatment_epochs,
    treatment_planned,
    treatment_received,
)
from equipoise.analysis.cut import CutParticipant
from equipoise.analysis.derive import Frame
from equipoise.definition.countries import alpha_3
from equipoise.definition.sdtm.naming import short_label

ColumnType = Literal["string", "integer", "decimal", "date"]
DatasetKind = Literal["subjects", "events", "occurrences", "findings", "times"]
Cell = str | int | float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A variable: its name of at most 8 upper-case characters, its label, its type (that of Dataset-JSON).

    Where it comes from is said by one of two: `predecessor` is the variable of the tabulation datasets that
    it copies, `method` says in words how it is derived. `permitted` are the values that it may have, with
    what they mean where that is not the value itself.
    """

    name: str
    label: str
    type: ColumnType
    predecessor: str | None = None
    method: str | None = None
    permitted: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A dataset: rows with a cell for each column, None where the value is missing; dates are ISO texts.

    Together the columns of `keys` are different in every row.
    """

    name: str
    label: str
    structure: str
    kind: DatasetKind
    keys: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Cell], ...]


def text(name: str, label: str, predecessor: str | None = None, method: str | None = None) -> Column:
    """A column of text."""
    return Column(name=name, label=label, type="string", predecessor=predecessor, method=method)


def day(name: str, label: str, predecessor: str | None = None, method: str | None = None) -> Column:
    """A column of dates."""
    return Column(name=name, label=label, type="date", predecessor=predecessor, method=method)


def whole(name: str, label: str, predecessor: str | None = None, method: str | None = None) -> Column:
    """A column of whole numbers."""
    return Column(name=name, label=label, type="integer", predecessor=predecessor, method=method)


def number(name: str, label: str, predecessor: str | None = None, method: str | None = None) -> Column:
    """A column of numbers."""
    return Column(name=name, label=label, type="decimal", predecessor=predecessor, method=method)


def flag(name: str, label: str, method: str, *, always: bool = True) -> Column:
    """A column of Y and N, or of Y alone."""
    permitted = (("Y", "Yes"), ("N", "No")) if always else (("Y", "Yes"),)
    return Column(name=name, label=label, type="string", method=method, permitted=permitted)


IDENTIFIERS = (
    text("STUDYID", "Study Identifier", "DM.STUDYID"),
    text("USUBJID", "Unique Subject Identifier", "DM.USUBJID"),
    text("SITEID", "Study Site Identifier", "DM.SITEID"),
    text("COUNTRY", "Country", "DM.COUNTRY"),
)


def identifiers(frame: Frame, person: CutParticipant) -> dict[str, Cell]:
    """The values of IDENTIFIERS for a participant."""
    study = frame.definition.study.id.upper()
    return {
        "STUDYID": study,
        "USUBJID": f"{study}-{person.participant}",
        "SITEID": person.site,
        "COUNTRY": alpha_3(person.country),
    }


def rounded(value: float) -> float:
    """A float without the noise of its last binary digits, so that files agree between machines."""
    return float(f"{value:.12g}")


def iso(on: date | None) -> str | None:
    """A date as datasets hold it."""
    return None if on is None else on.isoformat()


def day_of(person: CutParticipant, on: str | None) -> int | None:
    """The day counted from the first administration, 1 on that day and -1 on the one before; no day 0."""
    given = min((each.given_on for each in person.administrations), default=None)
    if given is None or on is None:
        return None
    days = (date.fromisoformat(on) - given).days
    return days + 1 if days >= 0 else days


def treatments(frame: Frame, person: CutParticipant) -> dict[str, Cell]:
    """What was planned and what was received, by treatment epoch, and the sequences of both."""
    definition = frame.definition
    arm = None if person.status == "failed" else definition.arm(person.arm or "")
    epochs, starts = treatment_epochs(definition), epoch_starts(definition, person)
    crossover = definition.study.model == "crossover"
    row: dict[str, Cell] = {"ARMCD": arm.id if arm else None, "ARM": arm.name if arm else None}
    actual = []
    for place, epoch in enumerate(epochs, start=1):
        received = treatment_received(definition, person, epoch.id) if arm and epoch.id in starts else None
        planned = treatment_planned(definition, arm.id if arm else None, epoch.id)
        # Outside a crossover the arm is the treatment: two doses of one drug are two treatments.
        if arm is not None and not crossover and place == 1:
            planned, received = arm.name, arm.name if received else None
        row[f"TRT{place:02}P"], row[f"TRT{place:02}A"] = planned, received
        row[f"AP{place:02}SDT"] = iso(starts.get(epoch.id)) if person.randomised_on or arm is None else None
        actual.append(received or "Not treated")
    row["TRTSEQP"] = (
        " / ".join(treatment_planned(definition, arm.id, each.id) or "" for each in epochs) if arm else None
    )
    row["TRTSEQA"] = " / ".join(actual) if arm else None
    return row


def treatment_columns(frame: Frame) -> list[Column]:
    """The columns of `treatments`; none in a masked cut."""
    if frame.cut.masked:
        return []
    epochs = treatment_epochs(frame.definition)
    given = "What the arm is given in the epoch"
    received = (
        "TRTxxP where the epoch was begun and, where the trial supplies a product, a unit was given in it"
    )
    columns = [
        text("ARMCD", "Planned Arm Code", "DM.ARMCD"),
        text("ARM", "Description of Planned Arm", "DM.ARM"),
    ]
    if frame.definition.study.model == "crossover":
        columns.append(
            text("TRTSEQP", "Planned Sequence of Treatments", None, "TRTxxP of all periods, in order")
        )
        columns.append(
            text("TRTSEQA", "Actual Sequence of Treatments", None, "TRTxxA of all periods, in order")
        )
    for place in range(1, len(epochs) + 1):
        columns.append(text(f"TRT{place:02}P", f"Planned Treatment for Period {place:02}", None, given))
        columns.append(text(f"TRT{place:02}A", f"Actual Treatment for Period {place:02}", None, received))
    for place, epoch in enumerate(epochs, start=1):
        began = f"First administration of the epoch {epoch.name}, else its first visit"
        columns.append(day(f"AP{place:02}SDT", f"Period {place:02} Start Date", None, began))
    return columns


def period_columns(frame: Frame) -> list[Column]:
    """The epoch of a record, the number of its period and, unmasked, its treatments."""
    terms = tuple((term, None) for term in epoch_terms(frame.definition).values())
    names = tuple((short_label(each.name), None) for each in treatment_epochs(frame.definition))
    method = "The last epoch that had begun; of a planned visit its own"
    columns = [
        Column(name="APHASE", label="Phase", type="string", method=method, permitted=terms),
        whole("APERIOD", "Period", None, "Number of the treatment epoch"),
        Column(
            name="APERIODC",
            label="Period (C)",
            type="string",
            method="Name of the treatment epoch",
            permitted=names,
        ),
    ]
    if not frame.cut.masked:
        columns += [
            text("TRTP", "Planned Treatment", None, "ADSL.TRTxxP of the period"),
            text("TRTA", "Actual Treatment", None, "ADSL.TRTxxA of the period"),
        ]
    return columns


def period(frame: Frame, person: CutParticipant, epoch: str | None) -> dict[str, Cell]:
    """The epoch of a record, and for a treatment epoch its number and its treatments."""
    numbers = {each.id: place for place, each in enumerate(treatment_epochs(frame.definition), start=1)}
    row: dict[str, Cell] = {"APHASE": None if epoch is None else epoch_terms(frame.definition)[epoch]}
    if epoch in numbers:
        place = numbers[epoch]
        name = next(each.name for each in treatment_epochs(frame.definition) if each.id == epoch)
        row |= {"APERIOD": place, "APERIODC": short_label(name)}
        if not frame.cut.masked:
            given = treatments(frame, person)
            row |= {"TRTP": given[f"TRT{place:02}P"], "TRTA": given[f"TRT{place:02}A"]}
    return row
