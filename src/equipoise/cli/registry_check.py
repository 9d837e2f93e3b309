"""`equipoise registry check`: what a registry's reviewer sends back, of one record or half a million."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from equipoise.cli.console import clear_errors, counted, err, fail, out, say, write

if TYPE_CHECKING:
    from equipoise.exchange.registry import Finding
    from equipoise.exchange.registry.many import Progress, Summary

_PARQUET: Final = ".parquet"
_LINES: Final = frozenset({".jsonl", ".ndjson"})
_PLACES_SHOWN_MAX: Final = 4
_INTERRUPTED: Final = 130

Files = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...|FOLDER|DUMP",
        help="A copied registry page or an API v2 JSON record; or many: folders, .zip, .jsonl, also as .gz.",
    ),
]


def check(
    files: Files,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON: the findings of one record, or the summary of many.")
    ] = False,
    out_file: Annotated[
        Path | None,
        typer.Option("--out", help="Write the findings to this file: .jsonl, a record a line, or .parquet."),
    ] = None,
    jobs: Annotated[
        int, typer.Option(min=0, help="Check many records with so many processes; 0: one for each core.")
    ] = 0,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 when a finding is major.")] = False,
) -> None:
    """Check registry records: where they contradict themselves, and what reviewers would send back."""
    from equipoise.exchange.registry.many import holds_many

    with clear_errors():
        if len(files) > 1 or holds_many(files[0]) or out_file is not None:
            majors = _check_many(files, as_json, out_file, jobs or os.cpu_count() or 1)
        else:
            majors = _check_one(files[0], as_json)
        if strict and majors:
            raise typer.Exit(1)


# ---- one record --------------------------------------------------------------------------------------------


def _check_one(file: Path, as_json: bool) -> int:
    """Print what is found in one record; return how much of it is major."""
    from equipoise.exchange.registry import read_record
    from equipoise.exchange.registry.findings import MAJOR_COMMENT
    from equipoise.exchange.registry.many.run import finding_tree
    from equipoise.exchange.registry.quality import review

    findings = review(read_record(file))
    majors = sum(finding.comment == MAJOR_COMMENT for finding in findings)
    if as_json:
        write(json.dumps([finding_tree(finding) for finding in findings], ensure_ascii=False, indent=2))
        return majors
    if findings:
        _print_table(findings)
    say(f"{counted(majors, 'major finding')}, {len(findings) - majors} advisory")
    return majors


def _print_table(findings: Sequence[Finding]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading, wide in (("", False), ("code", False), ("what is wrong, what to do, where", True)):
        table.add_column(heading, overflow="fold", no_wrap=not wide)
    for finding in findings:
        shown = finding.places[:_PLACES_SHOWN_MAX]
        lines = [f"{finding.sentence} {finding.remedy}"]
        lines += [f"  line {place.line}: {place.quote}" for place in shown]
        if len(finding.places) > len(shown):
            lines.append(f"  and {counted(len(finding.places) - len(shown), 'more place')}")
        table.add_row(finding.comment, finding.code, Text("\n".join(lines)))
    out.print(table, soft_wrap=False)


# ---- many records ------------------------------------------------------------------------------------------


def _check_many(files: Sequence[Path], as_json: bool, out_file: Path | None, jobs: int) -> int:
    """Check many records, and print which codes touch how many; return how many have a major finding."""
    from equipoise.exchange.registry.many import check_many, files_of

    if out_file is not None:
        _check_out(out_file, files)
    # What a run before this one wrote may lie in the folder that is checked.
    records = [path for path in files_of(files) if out_file is None or path.resolve() != out_file.resolve()]
    with _writing(out_file) as write_line, _telling() as tell:
        summary = check_many(records, jobs, write_line, tell)
    for trouble in summary.damaged_named:
        err.print(trouble, markup=False)
    if summary.damaged > len(summary.damaged_named):
        err.print(f"and {summary.damaged - len(summary.damaged_named)} more that could not be read")
    if as_json:
        write(json.dumps(_summary_tree(summary), indent=2))
    else:
        _print_summary(summary)
    if out_file is not None:
        err.print(f"written   {out_file}", markup=False)
    if summary.is_interrupted:
        raise typer.Exit(_INTERRUPTED)
    return summary.majors


def _ranked(summary: Summary) -> list[tuple[str, str, int, float]]:
    """Return code, comment, records and their share in per cent, the most frequent first."""
    read = max(summary.records - summary.damaged, 1)
    ranked = sorted(summary.touched.items(), key=lambda item: (-item[1], item[0]))
    return [(code, summary.comments[code], number, 100 * number / read) for code, number in ranked]


def _summary_tree(summary: Summary) -> dict[str, object]:
    return {
        "records": summary.records,
        "damaged": summary.damaged,
        "withMajor": summary.majors,
        "interrupted": summary.is_interrupted,
        "codes": [
            {"code": code, "comment": comment, "records": number, "percent": round(share, 2)}
            for code, comment, number, share in _ranked(summary)
        ],
    }


def _print_summary(summary: Summary) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("code")
    table.add_column("")
    table.add_column("records", justify="right")
    table.add_column("per cent", justify="right")
    for code, comment, number, share in _ranked(summary):
        table.add_row(code, comment, f"{number:,}", f"{share:.1f}")
    if summary.touched:
        out.print(table, soft_wrap=False)
    told = f"{counted(summary.records, 'record')}, {summary.majors} with a major finding"
    told += f", {summary.damaged} not readable" if summary.damaged else ""
    say(told + ("; interrupted" if summary.is_interrupted else ""))


def _check_out(out_file: Path, files: Sequence[Path]) -> None:
    """Refuse a file for the findings that cannot be written, or that is one of those to check."""
    from equipoise.exchange.registry.many.tables import check_polars

    suffix = out_file.suffix.lower()
    if suffix not in _LINES | {_PARQUET}:
        fail("OUT-FORM", f"{out_file.name} ends in neither .jsonl nor .parquet. Give --out one of these.")
    if not out_file.parent.is_dir():
        fail("OUT-FOLDER", f"There is no folder {out_file.parent} to write to. Make it first.")
    if any(path.resolve() == out_file.resolve() for path in files):
        fail("OUT-INPUT", f"{out_file.name} is what is to be checked. Give --out another name.")
    if suffix == _PARQUET:
        check_polars()


@contextmanager
def _writing(out_file: Path | None) -> Iterator[Callable[[str], object]]:
    """Open the file for the findings, and hand out what writes a line to it.

    Lines are written as they come, so that a run that ends early leaves what it did; a Parquet file is made
    of them at the end.
    """
    from equipoise.exchange.registry.many.tables import write_parquet

    if out_file is None:
        yield len
        return
    if out_file.suffix.lower() in _LINES:
        with out_file.open("w", encoding="utf-8") as handle:
            yield handle.write
        return
    lines = out_file.with_name(f".{out_file.name}.jsonl")
    partial = out_file.with_name(f".{out_file.name}.partial")
    try:
        with lines.open("w", encoding="utf-8") as handle:
            yield handle.write
        write_parquet(lines, partial)
        partial.replace(out_file)
    finally:
        lines.unlink(missing_ok=True)
        partial.unlink(missing_ok=True)


@contextmanager
def _telling() -> Iterator[Callable[[Progress], object]]:
    """Draw a progress bar on standard error where that is a terminal, and hand out what moves it."""
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn())
    with Bar(TextColumn("{task.description}"), *columns, console=err, disable=not err.is_terminal) as bar:
        task = bar.add_task("checking", total=1)

        def tell(progress: Progress) -> None:
            done = f"{progress.records:,} records"
            told = f"{done}, {progress.damaged:,} not readable" if progress.damaged else done
            bar.update(task, description=told, completed=progress.bytes_done, total=progress.bytes_all or 1)

        yield tell
