"""`equipoise dictionary`: the dictionaries that a trial codes with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from equipoise.cli.console import clear_errors, say
from equipoise.cli.trials import TrialArgument, open_trial, read_actor
from equipoise.definition.coded import DictionaryName

dictionaries = typer.Typer(
    help="The dictionaries that a trial codes with.", no_args_is_help=True, rich_markup_mode=None
)


@dictionaries.callback()
def _dictionary() -> None:
    """The dictionaries that a trial codes with."""


@dictionaries.command("add")
def add(
    trial: TrialArgument,
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="MedDRA's own files, or terms.csv."),
    ],
    name: Annotated[DictionaryName, typer.Option("--name", help="Which dictionary it is.")],
    version: Annotated[str, typer.Option("--version", help="Its version, such as 28.1.")],
    account: Annotated[str, typer.Option("--as", help="ACCOUNT:ROLE, who adds it.")],
) -> None:
    """Load a version of a dictionary into a trial, which codes with it from now on."""
    from equipoise.access.refusal import Refusal, Refused
    from equipoise.coding.commands import AddDictionary
    from equipoise.coding.listed import read_dictionary
    from equipoise.coding.state import DictionaryRow
    from equipoise.definition.coding import DICTIONARY_TITLES

    with clear_errors():
        opened, actor = open_trial(trial), read_actor(account)
        content = read_dictionary(folder, name, version)
        digest = content.sha256
        opened.coder.dictionaries.add(content)
        outcome = opened.record(actor, AddDictionary(dictionary=name, version=version, sha256=digest))
        if isinstance(outcome, Refusal):
            # The terms stay where an earlier version is made of the same.
            if all(row.sha256 != digest for row in opened.tables.all(DictionaryRow)):
                opened.coder.dictionaries.remove(digest)
            raise Refused(outcome)
        say(f"added     {DICTIONARY_TITLES[name]} {version.strip()}")
        say("terms     " + ", ".join(f"{level} {number}" for level, number in content.counts.items()))
        say(f"current   {sum(each.current for each in content.terms)} of the lowest level")
        say(f"sha256    {digest}")
