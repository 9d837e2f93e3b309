"""Endpoints as they are analysed: ADEP, with what each fit is given, and ADTTE, the times to events.

Every value is that of the rows which the models of the report read, so that an estimate can be had again from
the dataset. A participant who is in the set and not in the rows lacks a value that the analysis needs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from equipoise.analysis.course import epoch_starts, treatment_epochs
from equipoise.analysis.cut import CutParticipant
from equipoise.analysis.dataset_columns import (
    IDENTIFIERS,
    Cell,
    Column,
    Dataset,
    day,
    flag,
    identifiers,
    iso,
    number,
    rounded,
    text,
    treatments,
    whole,
)
from equipoise.analysis.derive import Frame
from equipoise.analysis.rows import Row, derive_rows
from equipoise.definition.expression.unparse import unparse
from equipoise.definition.model.analysis import Endpoint
from equipoise.definition.sdtm.naming import ShortNames

ENDPOINTS, TIMES = "ADEP", "ADTTE"


def derive_endpoints(frame: Frame, taken: Iterable[str] = ()) -> list[Dataset]:
    """ADEP with the endpoints that are no times to an event, ADTTE with those that are; no empty one."""
    names = ShortNames()
    codes = {each.id: names.new(each.id.replace("_", "")) for each in frame.definition.analysis.endpoints}
    against = {
        each.id: names.new(each.id.replace("_", ""), "C")
        for each in frame.definition.analysis.endpoints
        if each.analysis.against is not None
    }
    endpoints = frame.definition.analysis.endpoints
    times = [each for each in endpoints if each.type == "time_to_event"]
    others = [each for each in endpoints if each.type != "time_to_event"]
    called = ShortNames(taken)
    datasets = []
    if others:
        datasets.append(_values(frame, called.new(ENDPOINTS), others, codes, against))
    if times:
        datasets.append(_times(frame, called.new(TIMES), times, codes))
    return datasets


def _shared(frame: Frame, endpoints: list[Endpoint], parameters: Mapping[str, str]) -> list[Column]:
    columns = [
        *IDENTIFIERS,
        Column(
            name="PARAMCD",
            label="Parameter Code",
            type="string",
            method="Assigned to the endpoint",
            permitted=tuple(parameters.items()),
        ),
        Column(
            name="PARAM",
            label="Parameter",
            type="string",
            method="Title of the endpoint",
            permitted=tuple((each, None) for each in dict.fromkeys(parameters.values())),
        ),
        Column(
            name="PARCAT1",
            label="Parameter Category 1",
            type="string",
            method="Role of the endpoint",
            permitted=tuple((each, None) for each in dict.fromkeys(x.role.upper() for x in endpoints)),
        ),
    ]
    if not frame.cut.masked:
        columns.append(
            text("TRTP", "Planned Treatment", None, "ADSL.TRTSEQP of a crossover, else ADSL.TRT01P")
        )
    return columns


def _treated(frame: Frame, person: CutParticipant) -> dict[str, Cell]:
    if frame.cut.masked:
        return {}
    given = treatments(frame, person)
    return {"TRTP": given["TRTSEQP" if frame.definition.study.model == "crossover" else "TRT01P"]}


def _values(
    frame: Frame, name: str, endpoints: list[Endpoint], codes: Mapping[str, str], against: Mapping[str, str]
) -> Dataset:
    parameters = {codes[each.id]: each.title for each in endpoints}
    parameters |= {
        against[each.id]: f"{each.title}: compared with" for each in endpoints if each.id in against
    }
    visits = {
        each.id: (place, each.name) for place, each in enumerate(frame.definition.schedule.encounters, 1)
    }
    how = "; ".join(f"{codes[each.id]}: {_expression(each)}" for each in endpoints)
    columns = [
        *_shared(frame, endpoints, parameters),
        text("AVISIT", "Analysis Visit", None, "Name of the encounter, of repeated measurements"),
        whole("AVISITN", "Analysis Visit (N)", None, "Place of the encounter in the schedule"),
        number(
            "AVAL", "Analysis Value", None, f"Response of the main analysis; of a condition 1 or 0. {how}"
        ),
        Column(
            name="AVALC",
            label="Analysis Value (C)",
            type="string",
            method="Of a condition whether it is met",
            permitted=(("Y", "Yes"), ("N", "No")),
        ),
        number("OFFSET", "Logarithm of Exposure", None, "Offset of the main analysis of a count"),
        flag(
            "ANL01FL", "Analysis Flag 01", "The record is in the main analysis of its endpoint", always=False
        ),
    ]
    rows = []
    for endpoint in endpoints:
        for row in derive_rows(frame, endpoint, endpoint.analysis).rows:
            person = frame.people[row.participant]
            common: dict[str, Cell] = {
                **identifiers(frame, person),
                **_treated(frame, person),
                "PARCAT1": endpoint.role.upper(),
                "ANL01FL": "Y",
            }
            for code, found in _of_row(endpoint, row, codes, against, visits):
                whole_row = common | {"PARAMCD": code, "PARAM": parameters[code]} | found
                rows.append({column.name: whole_row.get(column.name) for column in columns})
    return Dataset(
        name=name,
        label="Endpoints Analysis Dataset",
        structure="One record per subject per parameter per analysis visit",
        kind="findings",
        keys=("STUDYID", "USUBJID", "PARAMCD", "AVISITN"),
        columns=tuple(columns),
        rows=tuple(sorted(rows, key=lambda row: str(row["USUBJID"]))),
    )


def _expression(endpoint: Endpoint) -> str:
    fit = endpoint.analysis
    node = fit.event if endpoint.type == "binary" and fit.event is not None else fit.response
    return unparse(node) if node is not None else fit.item or "nothing"


def _of_row(
    endpoint: Endpoint,
    row: Row,
    codes: Mapping[str, str],
    against: Mapping[str, str],
    visits: Mapping[str, tuple[int, str]],
) -> Iterator[tuple[str, dict[str, Cell]]]:
    fit, code = endpoint.analysis, codes[endpoint.id]
    exposed = endpoint.type == "count"
    if row.measurements:
        for encounter, value in zip(fit.repeated, row.measurements, strict=True):
            if value is not None:
                place, name = visits[encounter]
                yield code, {"AVISITN": place, "AVISIT": name, "AVAL": rounded(value)}
        return
    if endpoint.type == "binary":
        yield code, {"AVAL": float(row.event), "AVALC": "Y" if row.event else "N"}
        return
    offset = rounded(row.offset) if exposed and fit.offset is not None else None
    yield code, {"AVAL": rounded(row.response), "OFFSET": offset}
    if endpoint.id in against:
        offset = rounded(row.offset_against) if exposed and fit.offset_against is not None else None
        yield against[endpoint.id], {"AVAL": rounded(row.against), "OFFSET": offset}


def _times(frame: Frame, name: str, endpoints: list[Endpoint], codes: Mapping[str, str]) -> Dataset:
    parameters = {codes[each.id]: each.title for each in endpoints}
    how = "; ".join(f"{codes[each.id]}: {_expression(each)}" for each in endpoints)
    happened = "; ".join(
        f"{codes[each.id]}: {unparse(each.analysis.event)}"
        for each in endpoints
        if each.analysis.event is not None
    )
    columns = [
        *_shared(frame, endpoints, parameters),
        number("AVAL", "Analysis Value", None, f"Time to the event or to censoring. {how}"),
        day(
            "STARTDT",
            "Time-to-Event Origin Date for Subject",
            None,
            "Randomisation, else the start of treatment",
        ),
        Column(
            name="CNSR",
            label="Censor",
            type="integer",
            method=f"0 where the event happened, 1 where it did not. {happened}",
            permitted=(("0", "Event"), ("1", "Censored")),
        ),
        text("EVNTDESC", "Event or Censoring Description", None, "From CNSR"),
        flag(
            "ANL01FL", "Analysis Flag 01", "The record is in the main analysis of its endpoint", always=False
        ),
    ]
    rows = []
    for endpoint in endpoints:
        for row in derive_rows(frame, endpoint, endpoint.analysis).rows:
            person = frame.people[row.participant]
            made: dict[str, Cell] = {
                **identifiers(frame, person),
                **_treated(frame, person),
                "PARAMCD": codes[endpoint.id],
                "PARAM": endpoint.title,
                "PARCAT1": endpoint.role.upper(),
                "AVAL": rounded(row.response),
                "STARTDT": iso(_origin(frame, person)),
                "CNSR": 0 if row.event else 1,
                "EVNTDESC": "EVENT" if row.event else "CENSORED AT THE END OF OBSERVATION",
                "ANL01FL": "Y",
            }
            rows.append({column.name: made.get(column.name) for column in columns})
    return Dataset(
        name=name,
        label="Time-to-Event Analysis Dataset",
        structure="One record per subject per parameter",
        kind="times",
        keys=("STUDYID", "USUBJID", "PARAMCD"),
        columns=tuple(columns),
        rows=tuple(sorted(rows, key=lambda row: str(row["USUBJID"]))),
    )


def _origin(frame: Frame, person: CutParticipant) -> date | None:
    starts = epoch_starts(frame.definition, person)
    first = next((starts[each.id] for each in treatment_epochs(frame.definition) if each.id in starts), None)
    return person.randomised_on or first
