"""Analysis datasets in the manner of ADaM: subjects, events, measurements, endpoints.

Names and conventions follow the CDISC ADaM Implementation Guide 1.3: ADSL with a row per participant,
occurrence data with a row per event, BDS with a row per participant, parameter and visit, and time-to-event
data. Treatment variables are absent from a masked cut.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from equipoise.analysis.course import reference_start
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
    rounded,
    text,
    treatment_columns,
    treatments,
    whole,
)
from equipoise.analysis.dataset_endpoints import derive_endpoints
from equipoise.analysis.dataset_events import derive_occurrences
from equipoise.analysis.dataset_findings import derive_findings
from equipoise.analysis.derive import Frame
from equipoise.definition.expression import PartialDate
from equipoise.definition.expression.unparse import unparse
from equipoise.definition.expression.values import completed_years
from equipoise.definition.model.analysis import BaselineVariable, Profile
from equipoise.definition.model.datasets import TabulatedVariable
from equipoise.definition.model.forms import Item
from equipoise.definition.sdtm.guide import (
    NAME_LENGTH_MAX,
    TEXT_LENGTH_MAX,
    GuideVariable,
    code_lists,
    domains,
)
from equipoise.definition.sdtm.naming import ShortNames, cut_text, short_label
from equipoise.definition.tabulation import submitted, tabulations

__all__ = ["Column", "Dataset", "derive_datasets", "derive_subjects", "write_datasets"]


def derive_datasets(frame: Frame) -> tuple[Dataset, ...]:
    """ADSL, the event logs, the profiles (those that share a dataset are its parameters), the endpoints."""
    planned = frame.definition.analysis
    datasets = [derive_subjects(frame)]
    datasets += [derive_occurrences(frame, log) for log in planned.logs]
    by_name: dict[str, list[Profile]] = {}
    for profile in planned.profiles:
        name = (profile.dataset or f"AD{profile.id}").upper().replace("_", "")[:NAME_LENGTH_MAX]
        by_name.setdefault(name, []).append(profile)
    datasets += [derive_findings(frame, name, profiles) for name, profiles in by_name.items()]
    datasets += derive_endpoints(frame, taken=[each.name for each in datasets])
    return tuple(datasets)


def write_datasets(datasets: Iterable[Dataset], folder: Path) -> tuple[Path, ...]:
    """Write each dataset as CSV (UTF-8, line feeds) and datasets.json with all metadata; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files: list[Path] = []
    metadata = []
    for dataset in datasets:
        names = [column.name for column in dataset.columns]
        content = io.StringIO(newline="")
        writer = csv.DictWriter(content, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(dataset.rows)
        path = folder / f"{dataset.name.lower()}.csv"
        path.write_text(content.getvalue(), encoding="utf-8", newline="\n")
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


EOS_STATES = {
    "completed": "COMPLETED",
    "withdrawn": "DISCONTINUED",
    "failed": "SCREEN FAILURE",
}
ONGOING = "ONGOING"
PERSON = ("SEX", "RACE", "ETHNIC")
REQUIRED = ("SEX", "RACE")
"""What demographics says of a person besides age: where the study asks it, and what ADSL has in any case."""

POPULATIONS: Mapping[str, tuple[str, str]] = {
    "full_analysis": ("FASFL", "Full Analysis Set Population Flag"),
    "safety": ("SAFFL", "Safety Population Flag"),
    "per_protocol": ("PPROTFL", "Per-Protocol Population Flag"),
    "intention_to_treat": ("ITTFL", "Intent-To-Treat Population Flag"),
    "completers": ("COMPLFL", "Completers Population Flag"),
    "randomised": ("RANDFL", "Randomized Population Flag"),
    "enrolled": ("ENRLFL", "Enrolled Population Flag"),
}
"""Names and labels that ADaMIG 3.2.4 gives to the flags of the usual sets, by their usual ids."""


def _fixed_columns(frame: Frame) -> list[Column]:
    """The columns of ADSL whose names do not depend on the study's baseline and sets."""
    states = tuple((each, None) for each in (*EOS_STATES.values(), ONGOING))
    columns = [
        *IDENTIFIERS,
        text("SUBJID", "Subject Identifier for the Study", "DM.SUBJID"),
        text("SUBTRIAL", "Sub-Trial", None, "The national trial that the site belongs to"),
        text("VARIANT", "Variant of the Eligibility Criteria", None, "The rules that the site follows"),
        whole("AGE", "Age", "DM.AGE"),
        text("AGEU", "Age Units", "DM.AGEU"),
    ]
    asked = {known.name for _, _, _, known in _asked_of_person(frame)}
    columns += [_person_column(name) for name in PERSON if name in REQUIRED or name in asked]
    return [
        *columns,
        day("RFICDT", "Date of Informed Consent", "DM.RFICDTC"),
        day("RANDDT", "Date of Randomization", None, "DS.DSSTDTC where DS.DSDECOD is RANDOMIZED"),
        day("TRTSDT", "Date of First Exposure to Treatment", "DM.RFXSTDTC"),
        day("TRTEDT", "Date of Last Exposure to Treatment", "DM.RFXENDTC"),
        day(
            "EOSDT",
            "End of Study Date",
            None,
            "The last day in the trial",
        ),
        Column(
            name="EOSSTT",
            label="End of Study Status",
            type="string",
            method="From the participant's state in the trial",
            permitted=states,
        ),
        text("DCSREAS", "Reason for Discontinuation from Study", None, "The cause as the trial recorded it"),
        text(
            "DCTREAS", "Reason for Discontinuation of Treatment", None, "The cause as the trial recorded it"
        ),
    ]


def _person_column(name: str) -> Column:
    known = domains()["DM"].variable(name)
    assert known is not None, "the guide has every one of PERSON"
    terms = code_lists()[known.codelist].terms if known.codelist else ()
    return Column(
        name=name,
        label=known.label,
        type="string",
        predecessor=f"DM.{name}",
        permitted=tuple((term.value, None) for term in terms),
    )


Asked = tuple[str, Item, TabulatedVariable, GuideVariable]
"""An item that fills a variable of demographics: its form, itself, its tabulation, the variable."""


def _asked_of_person(frame: Frame) -> list[Asked]:
    found: list[Asked] = []
    for each in tabulations(frame.definition):
        form, domain = frame.definition.form(each.form), domains()[each.domain]
        for entry in each.variables if domain.name == "DM" and form is not None else ():
            item, known = form.item(entry.item) if form else None, domain.variable(entry.variable or "")
            if item is not None and known is not None:
                found.append((each.form, item, entry, known))
    return found


def derive_subjects(frame: Frame) -> Dataset:
    """ADSL: one row for everybody who consented, with flags of the sets and the baseline variables."""
    planned = frame.definition.analysis
    fixed = [*_fixed_columns(frame), *treatment_columns(frame)]
    names = ShortNames(column.name for column in fixed)
    taken = {column.name for column in fixed} | {*PERSON}
    flags = {
        each.id: names.new(POPULATIONS[each.id][0])
        if each.id in POPULATIONS
        else names.new(each.id.replace("_", ""), "FL")
        for each in planned.sets
    }
    # What demographics calls so is another value: as collected, at consent, in the terms of the guide.
    baseline = {
        each.id: names.new(f"{each.id}BL" if each.id.upper() in taken else each.id)
        for each in planned.baseline
    }
    columns = [*fixed]
    columns += [
        flag(
            flags[each.id],
            POPULATIONS[each.id][1] if each.id in POPULATIONS else short_label(f"{each.title} Flag"),
            "Y where all hold: " + "; ".join(unparse(node) for node in each.requires.values()),
        )
        for each in planned.sets
    ]
    columns += [_baseline_column(baseline[each.id], each) for each in planned.baseline]
    asked = _asked_of_person(frame)
    rows: list[Mapping[str, Cell]] = []
    for code, person in frame.people.items():
        row: dict[str, Cell] = {
            **identifiers(frame, person),
            **_demographics(frame, person, asked),
            **_disposition(person),
        }
        if not frame.cut.masked:
            row |= treatments(frame, person)
        for set_id, name in flags.items():
            row[name] = "Y" if code in frame.analysis_set(set_id).members else "N"
        for each in planned.baseline:
            found = (
                frame.number(each.value, code) if each.type == "continuous" else frame.text(each.value, code)
            )
            row[baseline[each.id]] = rounded(found) if isinstance(found, float) else found
        rows.append({column.name: row.get(column.name) for column in columns})
    return Dataset(
        name="ADSL",
        label="Subject-Level Analysis Dataset",
        structure="One record per subject",
        kind="subjects",
        keys=("STUDYID", "USUBJID"),
        columns=tuple(columns),
        rows=tuple(rows),
    )


def _baseline_column(name: str, variable: BaselineVariable) -> Column:
    title = variable.title + (f" ({variable.unit})" if variable.unit else "")
    return Column(
        name=name,
        label=short_label(title),
        type="decimal" if variable.type == "continuous" else "string",
        method=unparse(variable.value),
        permitted=tuple(variable.labels.items()),
    )


def _demographics(frame: Frame, person: CutParticipant, asked: Sequence[Asked]) -> dict[str, Cell]:
    """Age, sex, race and ethnicity as demographics has them: of several answers the last."""
    row: dict[str, Cell] = {"SEX": "U"}
    evidence = frame.evidence(person.participant)
    for form, item, entry, known in asked:
        for each in evidence.rows(form):
            seen = each.values.get(item.id)
            found = submitted(item, seen.value if seen else None, entry.values, known.codelist)
            if found is not None:
                row[known.name] = found.standard
    born = row.pop("BRTHDTC", None)
    if isinstance(born, str):
        on = reference_start(frame.definition, person) or person.consented_on
        row |= {"AGE": completed_years(PartialDate.parse(born[:10]).last, on), "AGEU": "YEARS"}
    return row


def _disposition(person: CutParticipant) -> dict[str, Cell]:
    given = sorted(each.given_on for each in person.administrations)
    cause = person.end_cause and cut_text(person.end_cause, TEXT_LENGTH_MAX)
    # Whoever gave up treatment alone goes on to be followed, and may complete the trial.
    of_treatment = person.end_scope == "treatment"
    followed = of_treatment and person.status == "withdrawn"
    return {
        "SUBJID": person.participant,
        "SUBTRIAL": person.sub_trial,
        "VARIANT": person.variant,
        "RFICDT": iso(person.consented_on),
        "RANDDT": iso(person.randomised_on),
        "TRTSDT": iso(given[0] if given else None),
        "TRTEDT": iso(given[-1] if given else None),
        "EOSDT": None if followed else iso(person.ended_on),
        "EOSSTT": ONGOING if followed else EOS_STATES.get(person.status, ONGOING),
        "DCSREAS": None if of_treatment else cause,
        "DCTREAS": cause if of_treatment else None,
    }
