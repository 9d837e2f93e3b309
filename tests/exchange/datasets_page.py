"""What each form of datasets holds: the pilot study's packages written in every one and read back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from equipoise.exchange.adam import adam_package
from equipoise.exchange.datasets.content import complete_package
from equipoise.exchange.datasets.define_read import read_define
from equipoise.exchange.datasets.files import Form, package_files, read_datasets
from equipoise.exchange.datasets.model import CodeList, Dataset, Package, Variable
from equipoise.exchange.made import write_folder
from equipoise.exchange.sdtm import sdtm_package
from equipoise.studies import study_names
from tests.exchange.dataset_checks import cut_of

FORMS: Mapping[str, Form] = {
    "Dataset-JSON 1.1": "json",
    "Dataset-NDJSON 1.1": "ndjson",
    "XPT 5": "xpt",
    "Parquet": "parquet",
    "CSV with metadata": "csv",
}
DEFINE = "Define-XML 2.1"
_APART = {Package: {"datasets"}, Dataset: {"variables", "rows"}, Variable: {"codelist", "values"}}
_NAMES = {Package: "package", Dataset: "dataset", Variable: "variable", CodeList: "code list"}

Leaves = dict[tuple[str, Hashable], object]
"""Values by what they are, as `variable: length`, and by where they stand."""


def kept_by_form(folder: Path) -> tuple[Counter[str], dict[str, Counter[str]]]:
    """How many values of each kind there are in both packages, and how many each form brings back."""
    cut = cut_of(study_names()[0])
    there: Counter[str] = Counter()
    kept: dict[str, Counter[str]] = {name: Counter() for name in (DEFINE, *FORMS)}
    for package in (complete_package(sdtm_package(cut)), complete_package(adam_package(cut))):
        before = dict(_of_package(package))
        there.update(kind for kind, _ in before)
        for name, form in FORMS.items():
            made = folder / package.standard / form
            write_folder(package_files(package, form), made)
            read = dict(_of_datasets(_read(package, made, form)))
            kept[name].update(
                kind for (kind, place), value in before.items() if _is(read, kind, place, value)
            )
            if form == "xpt":
                defined = dict(_of_package(read_define(made / "define.xml").package))
                kept[DEFINE].update(
                    kind for (kind, place), value in before.items() if _is(defined, kind, place, value)
                )
    return there, kept


def _is(read: Leaves, kind: str, place: Hashable, value: object) -> bool:
    return (kind, place) in read and read[kind, place] == value


def _read(package: Package, folder: Path, form: Form) -> Iterator[Dataset]:
    for dataset in package.datasets:
        (found,) = read_datasets(folder / f"{dataset.name.lower()}.{form}")
        yield found.dataset


def _of_package(package: Package) -> Iterator[tuple[tuple[str, Hashable], object]]:
    yield from _of(package, ())
    yield from _of_datasets(package.datasets)


def _of_datasets(datasets: Iterable[Dataset]) -> Iterator[tuple[tuple[str, Hashable], object]]:
    for dataset in datasets:
        yield from _of(dataset, (dataset.name,))
        for variable in dataset.variables:
            yield from _of_variable(variable, (dataset.name, variable.name))
        for row, cells in enumerate(dataset.rows):
            for variable, cell in zip(dataset.variables, cells, strict=True):
                if cell is not None:
                    kind = "text" if isinstance(cell, str) else "number"
                    yield (f"value: {kind}", (dataset.name, variable.name, row)), cell


def _of_variable(
    variable: Variable, place: tuple[str, ...], level: str = ""
) -> Iterator[tuple[tuple[str, Hashable], object]]:
    yield from _of(variable, place, level)
    if variable.codelist is not None:
        yield from _of(variable.codelist, place, level)
    for each in variable.values:
        yield from _of_variable(each.variable, (*place, str(each.where)), "of a test's results, ")


def _of(part: Any, place: Hashable, level: str = "") -> Iterator[tuple[tuple[str, Hashable], object]]:
    """The fields that say something: not those that are empty or at what they are by default."""
    for field in fields(part):
        value = getattr(part, field.name)
        said = value not in (None, "", (), False) and value != field.default
        if said and field.name not in _APART.get(type(part), ()):
            yield (f"{level}{_NAMES[type(part)]}: {field.name}", place), value


def form_table(there: Counter[str], kept: Mapping[str, Counter[str]]) -> str:
    """The table, a row for each kind of value."""
    names = ("value", *kept)
    lines = [f"| {' | '.join(names)} |", "|" + " --- |" * len(names)]
    for kind, number in sorted(there.items(), key=lambda item: item[0].startswith("of a test")):
        cells = (_share(found[kind], number) for found in kept.values())
        lines.append(f"| {' | '.join((kind.replace('_', ' '), *cells))} |")
    return "\n".join(lines)


def _share(kept: int, number: int) -> str:
    if kept in (0, number):
        return "all" if kept else "–"
    return f"{kept} of {number}"
