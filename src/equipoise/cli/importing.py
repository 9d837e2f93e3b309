"""`equipoise import`: a file in any standard that can be read, as the draft of a study or as plain tables."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.console import clear_errors, counted, fail, say

if TYPE_CHECKING:
    from equipoise.exchange.made import MadeFile
    from equipoise.exchange.recognise import Kind
    from equipoise.exchange.registry import Finding


def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A registry record (a copied page or API v2 JSON), USDM, ODM, FHIR, Define-XML, a dataset "
            "(Dataset-JSON, XPT, Parquet, CSV), E2B, or a results package.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", help="The folder to write: a draft study, or tables.")],
) -> None:
    """Read what others wrote: a study into a draft folder, data into tables, nothing dropped silently."""
    from equipoise.exchange.recognise import kind_of

    with clear_errors():
        _READERS[kind_of(file)](file, out)


def import_record(file: Path, out: Path) -> list[Finding]:
    """Read a record into a draft folder, print what contradicts itself, and return it."""
    from equipoise.exchange.registry import find_contradictions, read_record, write_draft

    record = read_record(file)
    findings = find_contradictions(record)
    write_draft(record, out)
    for finding in findings:
        say(f"{finding.severity} {finding.code}: {finding.message}")
        for place in finding.places:
            say(f'    {place.section}, line {place.line}: "{place.quote}"')
    passages = counted(len(record.not_understood), "passage")
    say(f"{counted(len(findings), 'finding')}, {passages} not understood")
    say(f"written: {out}")
    return findings


def _usdm(file: Path, out: Path) -> None:
    from equipoise.exchange.usdm import read_usdm

    read = read_usdm(file)
    if read.amendments:
        say(f"amended   {counted(len(read.amendments), 'time')}: {', '.join(read.amendments)}")
    _write_draft(read.parts, [{"path": each[0], "text": each[1]} for each in read.not_understood], out)


def _odm(file: Path, out: Path) -> None:
    from equipoise.exchange.made import MadeFile
    from equipoise.exchange.odm import read_odm

    read = read_odm(file)
    if read.participants:
        tables = counted(len(read.tables), "table")
        say(f"data      {counted(read.participants, 'participant')} in {tables}")
    made = [MadeFile(f"data/{table.name}.csv", table.csv()) for table in read.tables]
    _write_draft(read.parts, [asdict(each) for each in read.not_understood], out, made)


def _fhir(file: Path, out: Path) -> None:
    from equipoise.exchange.fhir import read_fhir

    read = read_fhir(file)
    _write_draft(read.parts, [{"path": path, "text": text} for path, text in read.not_understood], out)


def _define(file: Path, out: Path) -> None:
    from equipoise.exchange.datasets.define_page import define_page
    from equipoise.exchange.datasets.define_read import read_define
    from equipoise.exchange.made import MadeFile

    found = read_define(file)
    _write([MadeFile("define.html", define_page(found.package))], out)


def _datasets(file: Path, out: Path) -> None:
    from equipoise.conduct.clock import read_system_clock
    from equipoise.exchange.datasets.files import read_datasets, table_files
    from equipoise.exchange.made import MadeFile
    from equipoise.ledger.entry import utc_text

    found = read_datasets(file)
    left = [{"path": path, "text": text} for each in found for path, text in each.not_understood]
    created = utc_text(read_system_clock().replace(microsecond=0))
    tables = table_files([each.dataset for each in found], created)
    say(f"{counted(len(left), 'passage')} not understood")
    _write([*tables, MadeFile("not_understood.json", _json(left))], out)


def _e2b(file: Path, out: Path) -> None:
    from equipoise.exchange.e2b import missing_elements, read_icsr
    from equipoise.exchange.made import MadeFile

    values = read_icsr(file)
    missing = missing_elements(values)
    if missing:
        say(f"missing   {', '.join(missing)}")
    _write([MadeFile("elements.json", _json(values))], out)


def _package(file: Path, out: Path) -> None:
    from equipoise.exchange.documents.verify import verify_package

    findings = verify_package(file)
    for each in findings:
        say(f"{each.code}: {each.sentence}")
    if findings:
        fail("PACKAGE-CHANGED", f"{file.name} is not as it was made. Ask its maker for it again.")


_READERS: Mapping[Kind, Callable[[Path, Path], object]] = {
    "ctgov": import_record,
    "usdm": _usdm,
    "odm": _odm,
    "fhir": _fhir,
    "define": _define,
    "datasets": _datasets,
    "e2b": _e2b,
    "package": _package,
}


def _write_draft(
    parts: Mapping[str, Mapping[str, object]],
    left: list[dict[str, object]],
    out: Path,
    beside: Iterable[MadeFile] = (),
) -> None:
    """Write the draft of a study folder, beside it what else was made, and what of the file is in neither."""
    from equipoise.exchange.made import MadeFile, yaml_text

    files = [MadeFile(name, yaml_text(tree).encode()) for name, tree in sorted(parts.items())]
    say(f"{counted(len(left), 'passage')} not understood")
    _write([*files, *beside, MadeFile("not_understood.json", _json(left))], out)


def _write(files: Iterable[MadeFile], out: Path) -> None:
    from equipoise.exchange.made import write_folder

    paths = write_folder(files, out)
    say(f"written: {out} ({counted(len(paths), 'file')})")


def _json(content: object) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()
