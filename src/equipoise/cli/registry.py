"""`equipoise registry`: records for a registry, of a study and of a trial with its results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli import registry_check, registry_page
from equipoise.cli.console import clear_errors, say, write
from equipoise.cli.studies import StudyArgument, find_study, load_definition
from equipoise.cli.trials import TrialArgument, open_trial, read_actor, reader_of_all

if TYPE_CHECKING:
    from collections.abc import Mapping

records = typer.Typer(
    help="Records of ClinicalTrials.gov: check, compare, show and write them, of a trial with its results.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Out = Annotated[Path | None, typer.Option("--out", help="Write to this file and not to standard output.")]


@records.command("record")
def record(study: StudyArgument, out: Out = None) -> None:
    """Write a study as a record: what its folder says, with what was kept of a record that it began as."""
    from equipoise.exchange.registry import folder_record, holds_record, registry_record

    with clear_errors():
        folder = find_study(study)
        kept = holds_record(folder)
        _write_out(folder_record(folder) if kept else registry_record(load_definition(study)), out)


@records.command("results")
def results(
    trial: TrialArgument,
    out: Out = None,
    account: Annotated[
        str,
        typer.Option(
            "--as",
            help="ACCOUNT:ROLE, as whom to read; else the first account that may read the data of all sites.",
        ),
    ] = "",
    threshold: Annotated[
        float,
        typer.Option(
            min=0,
            max=5,
            help="List other than serious events that befell more than so many per cent of a group.",
        ),
    ] = 5.0,
) -> None:
    """Write the record of a locked and unblinded trial with its results, from what its report prints."""
    from equipoise.exchange.registry.write_results import check_reportable, results_record
    from equipoise.governance.state import TrialRow

    with clear_errors():
        opened = open_trial(trial)
        for row in opened.tables.all(TrialRow):
            # Asked before anybody's allocation is read, and again of the data cut itself.
            check_reportable(row.locked_at, row.unblinded_at)
        actor = read_actor(account) if account else reader_of_all(opened)
        _write_out(results_record(opened.as_seen_by(actor).cut(), threshold), out)


def _write_out(made: Mapping[str, object], out: Path | None) -> None:
    """Print a record, or put it into a file, whole or not at all."""
    from equipoise.exchange.made import write_file
    from equipoise.exchange.registry import write_json

    text = write_json(made)
    if out is None:
        write(text)
        return
    write_file(text.encode(), out)
    say(f"written   {out}")


records.command("check")(registry_check.check)
records.command("page")(registry_page.page)
records.command("diff")(registry_page.diff)
