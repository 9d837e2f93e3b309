"""The page that says what each standard can hold: the pilot study sent through every one and read back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from equipoise.definition.load import load_study
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.source import read_folder
from equipoise.exchange.fhir import fhir_text, read_fhir, write_fhir
from equipoise.exchange.made import write_file
from equipoise.exchange.odm import read_odm, write_odm
from equipoise.exchange.registry import draft_parts, read_record, registry_record, write_json
from equipoise.exchange.usdm import read_usdm, usdm_text, write_usdm
from equipoise.studies import study_folder, study_names
from tests.exchange.losses import Kept, Parts, compare_parts

PAGE = Path(__file__).parents[2] / "docs" / "standards.md"
BEGIN, END = "<!-- generated: {} -->", "<!-- end: {} -->"
MOMENT = "2026-01-01T00:00:00Z"

Through = Callable[[StudyDefinition, Path], Parts]
"""Writes a study to a file, and returns what is read of it."""


def _ctgov(definition: StudyDefinition, path: Path) -> Parts:
    write_file(write_json(registry_record(definition)).encode(), path)
    return draft_parts(read_record(path), ())


def _usdm(definition: StudyDefinition, path: Path) -> Parts:
    write_file(usdm_text(write_usdm(definition)).encode(), path)
    return read_usdm(path).parts


def _odm132(definition: StudyDefinition, path: Path) -> Parts:
    write_file(write_odm(definition, "1.3.2", created=MOMENT), path)
    return read_odm(path).parts


def _odm2(definition: StudyDefinition, path: Path) -> Parts:
    write_file(write_odm(definition, "2.0", created=MOMENT), path)
    return read_odm(path).parts


def _fhir(definition: StudyDefinition, path: Path) -> Parts:
    write_file(fhir_text(write_fhir(definition)).encode(), path)
    return read_fhir(path).parts


STANDARDS: Mapping[str, Through] = {
    "ClinicalTrials.gov": _ctgov,
    "USDM 4.0": _usdm,
    "ODM 1.3.2": _odm132,
    "ODM 2.0": _odm2,
    "FHIR R5": _fhir,
}


def pilot() -> tuple[StudyDefinition, Parts]:
    """The pilot study, and its files; the imagined people of its rehearsals are no part of it."""
    folder = study_folder(study_names()[0])
    files = read_folder(folder)[0].files
    parts: dict[str, Any] = {name: file.data for name, file in files.items() if name != "rehearsal.yaml"}
    return load_study(folder).definition, parts


def kept_by_standard(folder: Path) -> dict[str, tuple[Kept, ...]]:
    """What each standard brings back of the pilot study, by the kind of leaf."""
    definition, parts = pilot()
    return {
        name: compare_parts(parts, through(definition, folder / "sent"))
        for name, through in STANDARDS.items()
    }


def study_tables(kept: Mapping[str, Sequence[Kept]]) -> str:
    """The tables of the study folder's files, a row for each kind of leaf."""
    rows = {name: {(each.file, each.pattern): each for each in found} for name, found in kept.items()}
    first = next(iter(rows.values()))
    lines = ["### In all", "", *_head(("file",))]
    for file in dict.fromkeys(file for file, _ in first):
        totals = [[each for (name, _), each in found.items() if name == file] for found in rows.values()]
        lines.append(_row(f"`{file}`", (_share(each) for each in totals)))
    lines.append(_row("**all**", (_share(found.values()) for found in rows.values())))
    for file in dict.fromkeys(file for file, _ in first):
        lines += ["", f"### {file}", "", *_head(("value",))]
        patterns = [pattern for name, pattern in first if name == file]
        lines += [
            _row(f"`{pattern}`", (_share([found[file, pattern]]) for found in rows.values()))
            for pattern in patterns
        ]
    return "\n".join(lines)


def _head(first: tuple[str]) -> list[str]:
    names = (*first, *STANDARDS)
    return [_row(names[0], names[1:]), "|" + " --- |" * len(names)]


def _row(first: str, cells: Iterable[str]) -> str:
    return f"| {' | '.join((first, *cells))} |"


def _share(found: Iterable[Kept]) -> str:
    each = list(found)
    kept, leaves = sum(one.kept for one in each), sum(one.leaves for one in each)
    if kept in (0, leaves):
        return "all" if kept else "–"
    return f"{kept} of {leaves}"


def with_tables(page: str, tables: Mapping[str, str]) -> str:
    """The page with its generated parts replaced."""
    for name, table in tables.items():
        begin, end = BEGIN.format(name), END.format(name)
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = f"{before}{begin}\n\n{table}\n\n{end}{after}"
    return page
