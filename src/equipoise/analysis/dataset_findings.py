"""Basic data structure: one row for each participant, parameter and visit; baseline precedes treatment."""

from __future__ import annotations

from collections.abc import Mapping

from equipoise.analysis.course import epoch_on, epoch_starts, treatment_epochs
from equipoise.analysis.cut import CutParticipant
from equipoise.analysis.dataset_columns import (
    IDENTIFIERS,
    Cell,
    Column,
    Dataset,
    day,
    day_of,
    flag,
    identifiers,
    iso,
    number,
    period,
    period_columns,
    rounded,
    text,
    whole,
)
from equipoise.analysis.derive import Frame, item_at
from equipoise.analysis.tables import participants_analysed
from equipoise.definition.model.analysis import Profile
from equipoise.definition.sdtm.naming import ShortNames, short_label
from equipoise.definition.tabulation import tabulations


def derive_findings(frame: Frame, name: str, profiles: list[Profile]) -> Dataset:
    """One row per participant, parameter and visit; baseline is the last visit before the first treatment."""
    names = ShortNames()
    codes = {profile.id: names.new(profile.id) for profile in profiles}
    titles = {codes[each.id]: _title(frame, each) for each in profiles}
    columns = _columns(frame, profiles, titles)
    rows: list[Mapping[str, Cell]] = []
    sources = {profile.id: _source(frame, profile) for profile in profiles}
    for code in participants_analysed(frame):
        for place, profile in enumerate(profiles, start=1):
            source = sources[profile.id]
            for row in _measured(frame, profile, frame.people[code]):
                row |= {
                    "PARAMCD": codes[profile.id],
                    "PARAMN": place,
                    "SRCDOM": source[0],
                    "SRCVAR": source[1],
                }
                rows.append({column.name: row.get(column.name) for column in columns})
    title = profiles[0].title if len(profiles) == 1 else "Findings"
    return Dataset(
        name=name,
        label=short_label(f"{title} Analysis Dataset"),
        structure="One record per subject per parameter per analysis visit",
        kind="findings",
        keys=("STUDYID", "USUBJID", "PARAMCD", "AVISITN"),
        columns=tuple(columns),
        rows=tuple(rows),
    )


def _columns(frame: Frame, profiles: list[Profile], titles: Mapping[str, str]) -> list[Column]:
    asked = ", ".join(dict.fromkeys(profile.item for profile in profiles))
    planned = {each for profile in profiles for each in profile.encounters}
    encounters = [each for each in frame.definition.schedule.encounters if each.id in planned]
    visits = tuple((each.name, None) for each in encounters)
    return [
        *IDENTIFIERS,
        Column(
            name="PARAMCD",
            label="Parameter Code",
            type="string",
            method="Assigned to the profile in the analysis plan",
            permitted=tuple(titles.items()),
        ),
        Column(
            name="PARAM",
            label="Parameter",
            type="string",
            method="Title of the profile with the unit of its item",
            permitted=tuple((each, None) for each in titles.values()),
        ),
        whole("PARAMN", "Parameter (N)", None, "Place of the profile among those of the dataset"),
        Column(
            name="AVISIT",
            label="Analysis Visit",
            type="string",
            method="Name of the encounter",
            permitted=visits,
        ),
        whole("AVISITN", "Analysis Visit (N)", None, "Place of the encounter in the schedule, as VISITNUM"),
        day("ADT", "Analysis Date", None, "Day on which the encounter took place"),
        whole("ADY", "Analysis Relative Day", None, "ADT less ADSL.TRTSDT, plus 1 from that day on"),
        number("AVAL", "Analysis Value", None, f"The last answer at the encounter to {asked}"),
        number("BASE", "Baseline Value", None, "AVAL of the record with ABLFL"),
        number("CHG", "Change from Baseline", None, "AVAL less BASE; none for the baseline itself"),
        flag(
            "ABLFL", "Baseline Record Flag", "The last visit before the first treatment epoch", always=False
        ),
        text("SRCDOM", "Source Data", None, "Domain of the tabulation datasets that holds the answers"),
        text("SRCVAR", "Source Variable", None, "Its variable that holds them"),
        *period_columns(frame),
    ]


def _title(frame: Frame, profile: Profile) -> str:
    form, item = profile.item.split(".", 1)
    known = frame.definition.form(form)
    asked = known.item(item) if known else None
    return profile.title + (f" ({asked.unit})" if asked and asked.unit else "")


def _source(frame: Frame, profile: Profile) -> tuple[str | None, str | None]:
    form, item = profile.item.split(".", 1)
    for each in tabulations(frame.definition):
        if each.form == form and item in {test.item for test in each.tests}:
            return each.domain, f"{each.domain}STRESN"
    return None, None


def _before_treatment(frame: Frame) -> frozenset[str]:
    """The epochs that precede the first in which anything is given; none where nothing is given at all."""
    epochs, treated = frame.definition.study.epochs, treatment_epochs(frame.definition)
    return frozenset(each.id for each in epochs[: epochs.index(treated[0])]) if treated else frozenset()


def _measured(frame: Frame, profile: Profile, person: CutParticipant) -> list[dict[str, Cell]]:
    order = {each.id: place for place, each in enumerate(frame.definition.schedule.encounters, start=1)}
    days = {each.encounter: each.took_place_on for each in person.encounters}
    starts = epoch_starts(frame.definition, person)
    before = _before_treatment(frame)
    rows: list[dict[str, Cell]] = []
    for encounter in profile.encounters:
        value = frame.number(item_at(profile.item, encounter), person.participant)
        planned = frame.definition.schedule.encounter(encounter)
        if value is None or planned is None:
            continue
        on = days.get(encounter)
        epoch = planned.epoch if planned.epoch in starts else epoch_on(starts, on)
        row = identifiers(frame, person) | period(frame, person, epoch)
        row |= {
            "PARAM": _title(frame, profile),
            "AVISIT": planned.name,
            "AVISITN": order[encounter],
            "ADT": iso(on),
            "ADY": day_of(person, iso(on)),
            "AVAL": rounded(value),
        }
        rows.append(row)
        if planned.epoch in before:
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
