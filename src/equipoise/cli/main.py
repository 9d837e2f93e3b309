"""The command line: `equipoise COMMAND ...`."""

from __future__ import annotations

from typing import Annotated

import typer

from equipoise.cli import (
    amending,
    backup,
    demo,
    design_report,
    designing,
    dictionaries,
    exporting,
    importing,
    opening,
    operating,
    registry,
    serving,
    studies,
    trials,
)

app = typer.Typer(
    name="equipoise",
    help="Write the protocol once. Rehearse the trial, run it, report it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(value: bool) -> None:
    if value:
        from equipoise import __version__
        from equipoise.cli.console import say

        say(f"equipoise {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Write the protocol once. Rehearse the trial, run it, report it."""


app.command("check")(studies.check)
app.command("show")(studies.show)
app.command("lock")(studies.lock)
app.command("studies")(studies.list_studies)
app.command("new")(studies.new)
app.command("import")(importing.import_file)
app.command("export")(exporting.export)
app.command("open")(opening.open_live)
app.command("amend")(amending.amend)
app.command("serve")(serving.serve)
app.command("invite")(serving.invite)
app.command("cast")(serving.cast)
app.command("backup")(backup.backup)
app.command("rehearse")(trials.rehearse)
app.command("repeat")(trials.repeat)
app.command("verify")(trials.verify)
app.command("report")(trials.report)
app.command("view")(trials.view)
app.command("demo")(demo.demo)
app.add_typer(registry.records, name="registry")
app.add_typer(dictionaries.dictionaries, name="dictionary")
designing.designs.command(design_report.REPORT)(design_report.report)
designing.designs.command("operating")(operating.operating)
app.add_typer(
    designing.designs,
    name="design",
    cls=design_report.StudyOrCommand,
    subcommand_metavar="STUDY | COMMAND [ARGS]...",
)


def main() -> None:
    """Run the command line."""
    app()
