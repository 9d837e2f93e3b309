"""Rules that every package of datasets keeps, whatever the study: each returns what breaks it."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from equipoise.analysis.cut import DataCut
from equipoise.analysis.derive import mask_cut
from equipoise.definition.load import load_study
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.sdtm.guide import LABEL_LENGTH_MAX, NAME_LENGTH_MAX, TEXT_LENGTH_MAX, domains
from equipoise.exchange.datasets.model import (
    Cell,
    CodeList,
    Dataset,
    Package,
    Variable,
)
from equipoise.rehearsal.rehearse import rehearse
from equipoise.studies import study_folder
from tests.analysis.cuts import make_cut
from tests.exchange.results_trials import MAKERS

STUDIES = Path(__file__).resolve().parents[1] / "studies"
INVENTED = ("tern", "dipper", "plover", "curlew", "wren")
DATE = re.compile(r"\d{4}(-\d{2}(-\d{2}(T\d{2}(:\d{2}(:\d{2})?)?(Z|[+-]\d{2}:\d{2})?)?)?)?")
# Required by the guide and not recorded by anybody here: terms are not coded with a dictionary.
UNRECORDED = {("AE", "AEDECOD")}


@cache
def definition_of(name: str) -> StudyDefinition:
    return load_study(STUDIES / name if name in INVENTED else study_folder(name)).definition


@cache
def rehearsed(name: str) -> DataCut:
    """A small rehearsed trial of a study folder, unmasked."""
    result = rehearse(definition_of(name), seed=5, scenario="hoped", participants=3, sites=1)
    kinds = {role.id: role.kind for role in definition_of(name).study.roles}
    actor = next(each for each in result.cast.accounts() if kinds[each.role] == "data_manager")
    cut: DataCut = result.trial.as_seen_by(actor).cut()
    return cut


@cache
def cut_of(kind: str) -> DataCut:
    """A cut by name: an invented one, or that of a rehearsed study folder; `masked` in front masks it."""
    if kind.startswith("masked "):
        return mask_cut(cut_of(kind.removeprefix("masked ")))
    return make_cut(MAKERS[kind]()) if kind in MAKERS else rehearsed(kind)


def by_name(package: Package) -> dict[str, Dataset]:
    return {each.name: each for each in package.datasets}


def table(dataset: Dataset) -> list[dict[str, Cell]]:
    names = [each.name for each in dataset.variables]
    return [dict(zip(names, row, strict=True)) for row in dataset.rows]


def every_complaint(package: Package) -> list[str]:
    found = []
    names = [each.name for each in package.datasets]
    found += [f"{name} twice" for name, count in Counter(names).items() if count > 1]
    for dataset in package.datasets:
        found += [f"{dataset.name}: {each}" for each in _of_dataset(dataset)]
    found += list(_people(package))
    found += list(_code_lists(package))
    return found


def _of_dataset(dataset: Dataset) -> Iterator[str]:
    if len(dataset.name) > NAME_LENGTH_MAX or len(dataset.label) > LABEL_LENGTH_MAX:
        yield f"name or label {dataset.label!r}"
    names = [each.name for each in dataset.variables]
    yield from (f"{name} twice" for name, count in Counter(names).items() if count > 1)
    rows = table(dataset)
    for place, variable in enumerate(dataset.variables):
        yield from (f"{variable.name}: {each}" for each in _of_variable(variable))
        for cells in dataset.rows:
            yield from (f"{variable.name}: {each}" for each in _of_cell(variable, cells[place]))
    keys = [each.name for each in sorted(dataset.variables, key=lambda x: x.key or 0) if each.key]
    if not keys or [v.key for v in sorted(dataset.variables, key=lambda x: x.key or 99) if v.key] != list(
        range(1, len(keys) + 1)
    ):
        yield f"keys {keys}"
    counted = Counter(tuple(row[key] for key in keys) for row in rows)
    yield from (f"key {key} {count} times" for key, count in counted.items() if count > 1)
    sequence = next((name for name in names if name.endswith("SEQ") and len(name) == 5), None)
    if sequence and "USUBJID" in names and dataset.name[:2] == sequence[:2]:
        numbered: dict[Cell, list[Cell]] = {}
        for row in rows:
            numbered.setdefault(row["USUBJID"], []).append(row[sequence])
        for code, numbers in numbered.items():
            if numbers != list(range(1, len(numbers) + 1)):
                yield f"{sequence} of {code}: {numbers}"
    for variable in dataset.variables:
        for level in variable.values:
            if not any(all(row[name] == value for name, value in level.where) for row in rows):
                yield f"value level {level.where} of {variable.name} holds nowhere"


def _of_variable(variable: Variable) -> Iterator[str]:
    if not re.fullmatch(r"[A-Z][A-Z0-9_]{0,7}", variable.name):
        yield "name"
    if not 0 < len(variable.label.encode()) <= LABEL_LENGTH_MAX or not variable.label.isascii():
        yield f"label {variable.label!r}"
    if variable.origin == "Derived" and not variable.method:
        yield "derived without a method"
    if variable.origin == "Predecessor" and not variable.predecessor:
        yield "copied from nowhere"
    if (variable.type == "text") != (variable.length is not None):
        yield f"length {variable.length} of type {variable.type}"


def _of_cell(variable: Variable, cell: Cell) -> Iterator[str]:
    if cell is None:
        if variable.mandatory:
            yield "missing and mandatory"
        return
    if variable.type == "text":
        if not isinstance(cell, str) or not 0 < len(cell.encode()) <= min(
            variable.length or 0, TEXT_LENGTH_MAX
        ):
            yield f"{cell!r} longer than {variable.length}"
        if variable.codelist and cell not in {term.value for term in variable.codelist.terms}:
            yield f"{cell!r} not in {variable.codelist.id}"
    elif variable.type in ("integer", "float"):
        if isinstance(cell, str) or (variable.type == "integer" and not isinstance(cell, int)):
            yield f"{cell!r} is no {variable.type}"
    elif variable.type != "durationDatetime" and not DATE.fullmatch(str(cell)):
        yield f"{cell!r} is no date"
    elif variable.type == "date" and len(str(cell)) != 10:
        yield f"{cell!r} is no full date"


def _people(package: Package) -> Iterator[str]:
    first = by_name(package)["DM" if package.standard == "SDTMIG" else "ADSL"]
    people = {row["USUBJID"] for row in table(first)}
    for dataset in package.datasets:
        if "USUBJID" in {each.name for each in dataset.variables} and dataset.name != "RELREC":
            strangers = {row["USUBJID"] for row in table(dataset)} - people
            yield from (f"{dataset.name}: {each} is not in {first.name}" for each in strangers)


def _code_lists(package: Package) -> Iterator[str]:
    """Two code lists of one id are one."""
    seen: dict[str, CodeList] = {}
    for dataset in package.datasets:
        for variable in dataset.variables:
            for each in (variable, *(level.variable for level in variable.values)):
                if each.codelist is not None:
                    if seen.setdefault(each.codelist.id, each.codelist) != each.codelist:
                        yield f"two code lists {each.codelist.id}"
                    terms = [term.value for term in each.codelist.terms]
                    yield from (f"{each.codelist.id}: {x} twice" for x, n in Counter(terms).items() if n > 1)


def guide_complaints(package: Package) -> Iterator[str]:
    """Variables that the guide lacks, that are out of its order, or that it requires and are not there."""
    for dataset in package.datasets:
        name = "SUPPQUAL" if dataset.name.startswith("SUPP") else dataset.name
        guide = domains()[name]
        order = [each.name for each in guide.variables]
        names = [each.name for each in dataset.variables]
        if names != [each for each in order if each in names]:
            yield f"{dataset.name}: order of {names}"
        for known in guide.variables:
            if known.core != "permissible" and known.name not in names:
                yield f"{dataset.name}: {known.name} is not there"
            required = known.core == "required" and (dataset.name, known.name) not in UNRECORDED
            if required and any(row[known.name] is None for row in table(dataset)):
                yield f"{dataset.name}: {known.name} is missing in a row"
