"""`equipoise export`: a study, or a trial as one account sees it, in the forms that others read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli.console import clear_errors, counted, fail, say
from equipoise.cli.studies import find_study, load_definition
from equipoise.cli.trials import open_trial, read_actor, reader_of_all
from equipoise.exchange.formats import FORMATS, EventReport, FormatName, FormName, Source

if TYPE_CHECKING:
    from equipoise.definition.model.definition import StudyDefinition

STUDY_FILE = "study.yaml"


def export(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="STUDY-OR-TRIAL",
            help="A study folder or the name of a study, or a trial's folder or its trial.sqlite.",
        ),
    ],
    format_name: Annotated[FormatName, typer.Option("--format", help="The standard to write.")],
    out: Annotated[Path, typer.Option("--out", help="The file to write; of several files a new folder.")],
    form: Annotated[
        FormName | None, typer.Option("--as", help="The form of its files; if not said, the usual one.")
    ] = None,
    account: Annotated[
        str,
        typer.Option(
            "--reader",
            help="ACCOUNT:ROLE, as whom to read; else the first account that may read the data of all sites.",
        ),
    ] = "",
    event: Annotated[str, typer.Option("--event", help="Of e2b: the adverse event, PARTICIPANT:ROW.")] = "",
    unblinded: Annotated[
        bool, typer.Option("--unblinded", help="Of e2b: name the product that was given.")
    ] = False,
    sender: Annotated[
        str, typer.Option("--sender", help="Of e2b: the sender's identifier, as agreed with the receiver.")
    ] = "",
    receiver: Annotated[str, typer.Option("--receiver", help="Of e2b: the receiver's.")] = "",
) -> None:
    """Write a study, or a trial's data, in a standard: what a masked reader exports tells no allocation."""
    from equipoise.exchange.made import write_file, write_folder

    with clear_errors():
        chosen = FORMATS[format_name]
        if form is not None and form not in chosen.forms:
            fail(
                "EXPORT-FORM",
                f"The format {format_name} has no form {form}. It has: {', '.join(chosen.forms)}.",
            )
        source = _source(subject, account)
        if "event" in chosen.of:
            report = _event_report(source, event, sender, receiver, unblinded=unblinded)
            source = replace(source, report=report)
        files = chosen.make(source, form or chosen.forms[0])
        if chosen.single:
            write_file(next(iter(files)).content, out)
            say(f"written   {out}")
        else:
            paths = write_folder(files, out)
            say(f"written   {out} ({counted(len(paths), 'file')})")


def _source(subject: str, account: str) -> Source:
    """Open what is exported: a folder with a study.yaml is a study, and so is a name; all else is a trial."""
    from equipoise.conduct.clock import read_system_clock
    from equipoise.ledger.entry import utc_text

    path = Path(subject)
    folder, seen = None, None
    if path.exists() and not (path / STUDY_FILE).exists():
        trial = open_trial(path)
        seen = trial.as_seen_by(read_actor(account) if account else reader_of_all(trial))
        load: Callable[[], StudyDefinition] = partial(getattr, trial, "definition")
    else:
        folder, load = find_study(subject), partial(load_definition, subject)
    moment = utc_text(read_system_clock().replace(microsecond=0))
    return Source(load=load, folder=folder, seen=seen, moment=moment)


def _event_report(source: Source, event: str, sender: str, receiver: str, *, unblinded: bool) -> EventReport:
    """Return the report that is asked for, or end the command where its event or a party is not named."""
    from equipoise.exchange.e2b import Receiver, Sender

    source.view()
    participant, colon, row = event.partition(":")
    if not (participant and colon and row.isdigit()):
        fail(
            "EXPORT-EVENT",
            "A report is of one adverse event. Name it: --event PARTICIPANT:ROW, as in --event SE01-003:2.",
        )
    if not (sender and receiver):
        fail(
            "EXPORT-PARTIES",
            "A report says who sends it to whom. Give --sender and --receiver, as the two have agreed.",
        )
    return EventReport(
        participant=participant,
        row=int(row),
        sender=Sender(identifier=sender, organisation=source.definition.study.sponsor.name),
        receiver=Receiver(identifier=receiver),
        unblinded=unblinded,
    )
