"""`equipoise registry page` and `equipoise registry diff`: a record for a reader, and two compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.console import clear_errors, say, write
from equipoise.cli.studies import find_study, load_definition

if TYPE_CHECKING:
    from equipoise.exchange.registry import RegistryRecord

_RECORD = "A record of the API (JSON), a copied page, a study folder, or the name of a study that ships."
_FILES = (".json", ".txt")
RecordArgument = Annotated[str, typer.Argument(metavar="RECORD", help=_RECORD)]


def page(
    record: RecordArgument,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write to this file and not to standard output.")
    ] = None,
) -> None:
    """Show a record, with its results and what contradicts itself, as one page of HTML."""
    from equipoise.exchange.made import write_file
    from equipoise.exchange.registry import find_contradictions, record_html, record_tree

    with clear_errors():
        read = _read(record)
        text = record_html(record_tree(read), find_contradictions(read))
        if out is None:
            write(text)
            return
        write_file(text.encode(), out)
        say(f"written   {out}")


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help=_RECORD)],
    new: Annotated[str, typer.Argument(metavar="NEW", help=_RECORD)],
    as_json: Annotated[
        bool, typer.Option("--json", help="Write every change with its paths as JSON.")
    ] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="End with exit code 1 where the two differ.")
    ] = False,
) -> None:
    """Compare two versions of a record, module by module, in words."""
    from equipoise.exchange.registry import compare_records, comparison_json, comparison_text, record_tree

    with clear_errors():
        changes = compare_records(record_tree(_read(old)), record_tree(_read(new)))
        write(comparison_json(changes) if as_json else comparison_text(changes))
        if exit_code and changes:
            raise typer.Exit(1)


def _read(record: str) -> RegistryRecord:
    """Read a record from a file, or write and read that of a study."""
    from equipoise.exchange.registry import (
        folder_record,
        holds_record,
        read_record,
        registry_record,
        write_json,
    )
    from equipoise.exchange.registry.read import read_text
    from equipoise.exchange.registry.source import Source

    if Path(record).is_file() or Path(record).suffix in _FILES:
        return read_record(record)
    folder = find_study(record)
    made = folder_record(folder) if holds_record(folder) else registry_record(load_definition(record))
    return read_text(Source(write_json(made)))
