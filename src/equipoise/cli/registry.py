"""`equipoise registry`: records for a registry, of a study and of a trial with its results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.console import clear_errors, fail, say, write
from equipoise.cli.studies import StudyArgument, load_definition
from equipoise.cli.trials import TrialArgument, open_trial, read_actor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from equipoise.access.actor import Actor
    from equipoise.conduct.trial import Trial

records = typer.Typer(
    help="Write records of ClinicalTrials.gov (API v2): of a study, or of a trial with its results.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Out = Annotated[Path | None, typer.Option("--out", help="Write to this file and not to standard output.")]


@records.command("record")
def record(study: StudyArgument, out: Out = None) -> None:
    """Write a study definition as a record without results: what it holds, and nothing else."""
    from equipoise.exchange.registry import registry_record

    with clear_errors():
        _write_out(registry_record(load_definition(study)), out)


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
        actor = read_actor(account) if account else _reader_of_all(opened)
        _write_out(results_record(opened.as_seen_by(actor).cut(), threshold), out)


def _reader_of_all(trial: Trial) -> Actor:
    """Return the first account that reads what was recorded at all sites."""
    from equipoise.access.actor import Actor
    from equipoise.access.content import Audience
    from equipoise.access.visibility import viewer_of
    from equipoise.governance.state import GrantRow

    for grant in trial.tables.all(GrantRow):
        role = trial.definition.role(grant.role)
        if grant.revoked_at is None and role is not None and role.scope == "trial":
            actor = Actor(grant.account, grant.role)
            seen = viewer_of(trial.definition, actor, unblinded=trial.unblinded).audiences
            if {Audience.CONDUCT, Audience.READING} <= seen:
                return actor
    return fail(
        "RESULTS-READER",
        "No account holds a role that reads the data of all sites, as a data manager's. Name one: --as.",
    )


def _write_out(made: Mapping[str, object], out: Path | None) -> None:
    """Print a record, or put it into a file, whole or not at all."""
    from equipoise.exchange.registry import write_json

    text = write_json(made)
    if out is None:
        write(text)
        return
    if not out.parent.is_dir():
        fail("OUT-FOLDER", f"There is no folder {out.parent} to write {out.name} to. Make it first.")
    partial = out.with_name(f".{out.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    say(f"written   {out}")
