"""`equipoise export`: a study, or a trial as one account sees it, in the forms that others read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import typer

from equipoise.cli.console import clear_errors, counted, fail, say
from equipoise.cli.studies import find_study, load_definition
from equipoise.cli.trials import open_trial, read_actor, reader_of_all

if TYPE_CHECKING:
    from equipoise.analysis.cut import DataCut
    from equipoise.conduct.view import MaskedView
    from equipoise.definition.model.definition import StudyDefinition
    from equipoise.exchange.made import Content, MadeFile

STUDY_FILE = "study.yaml"

FormatName = Literal["ctgov", "usdm", "odm132", "odm2", "sdtm", "adam", "fhir", "e2b", "report", "package"]
TableForm = Literal["json", "ndjson", "xpt", "parquet", "csv"]
ReportForm = Literal["html", "rtf", "pdf"]
FormName = Literal["xml", "zip", TableForm, ReportForm]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is exported: a study, or a trial as one account sees it; `moment` is that of the export.

    `event` is a row of the log of adverse events, as PARTICIPANT:ROW, and `sender` and `receiver` name who
    sends and who receives the report of it.
    """

    load: Callable[[], StudyDefinition]
    folder: Path | None
    seen: MaskedView | None
    moment: str
    event: str
    unblinded: bool
    sender: str
    receiver: str

    @property
    def definition(self) -> StudyDefinition:
        """The study; a draft that is none yet ends the command."""
        return self.load()

    def view(self) -> MaskedView:
        """Return the trial, or end the command where there is only a study."""
        if self.seen is None:
            fail(
                "EXPORT-STUDY",
                "A study has no data yet. Name a trial, or a format of studies: ctgov, usdm, odm132, odm2, "
                "fhir.",
            )
        return self.seen

    def cut(self) -> DataCut:
        """Return the data of the trial as its reader sees them."""
        return self.view().cut()


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """A format that is one file: its forms, the first of them the usual one, and who makes it."""

    forms: tuple[FormName, ...]
    make: Callable[[Source, Any], Content]


@dataclass(frozen=True, slots=True, kw_only=True)
class Several:
    """A format that is a folder of files."""

    forms: tuple[FormName, ...]
    make: Callable[[Source, Any], Iterable[MadeFile]]


def _ctgov(source: Source, form: FormName) -> Content:
    from equipoise.exchange.registry import folder_record, holds_record, registry_record, write_json

    if source.folder is not None and holds_record(source.folder):
        return write_json(folder_record(source.folder)).encode()
    row = None if source.seen is None else source.seen.trial()
    if row is None or row.locked_at is None or row.unblinded_at is None:
        return write_json(registry_record(source.definition)).encode()
    from equipoise.exchange.registry.write_results import results_record

    return write_json(results_record(source.cut())).encode()


def _usdm(source: Source, form: FormName) -> Content:
    from equipoise.exchange.usdm import usdm_text, write_usdm

    return usdm_text(write_usdm(source.definition)).encode()


def _odm(source: Source, version: Literal["1.3.2", "2.0"]) -> Content:
    from equipoise.exchange.odm import take_snapshot, write_odm

    if source.seen is None:
        return write_odm(source.definition, version, created=source.moment)
    return write_odm(source.definition, version, take_snapshot(source.seen, history=True))


def _sdtm(source: Source, form: TableForm) -> Iterable[MadeFile]:
    from equipoise.exchange.datasets.files import package_files
    from equipoise.exchange.sdtm import sdtm_package

    return package_files(sdtm_package(source.cut()), form)


def _adam(source: Source, form: TableForm) -> Iterable[MadeFile]:
    from equipoise.exchange.adam import adam_package
    from equipoise.exchange.datasets.files import package_files

    return package_files(adam_package(source.cut()), form)


def _fhir(source: Source, form: FormName) -> Content:
    from equipoise.exchange.fhir import fhir_ndjson, fhir_text, write_fhir

    bundle = write_fhir(source.definition, None if source.seen is None else source.cut())
    return (fhir_ndjson(bundle) if form == "ndjson" else fhir_text(bundle)).encode()


def _e2b(source: Source, form: FormName) -> Content:
    from equipoise.exchange.e2b import Receiver, Sender, write_icsr

    seen = source.view()
    participant, colon, row = source.event.partition(":")
    if not (participant and colon and row.isdigit()):
        fail(
            "EXPORT-EVENT",
            "A report is of one adverse event. Name it: --event PARTICIPANT:ROW, as in --event SE01-003:2.",
        )
    if not (source.sender and source.receiver):
        fail(
            "EXPORT-PARTIES",
            "A report says who sends it to whom. Give --sender and --receiver, as the two have agreed.",
        )
    return write_icsr(
        seen.cut(),
        participant,
        int(row),
        sender=Sender(identifier=source.sender, organisation=source.definition.study.sponsor.name),
        receiver=Receiver(identifier=source.receiver),
        unblinded=source.unblinded,
        assessment=next(
            (
                event
                for event in seen.adverse_events()
                if (event.participant, event.row) == (participant, int(row))
            ),
            None,
        ),
    )


def _report(source: Source, form: ReportForm) -> Iterable[MadeFile]:
    from equipoise.exchange.documents.files import report_files

    return report_files(source.cut(), form)


def _package(source: Source, form: FormName) -> Content:
    from equipoise.exchange.adam import adam_package
    from equipoise.exchange.datasets.files import package_files
    from equipoise.exchange.documents.package import results_package
    from equipoise.exchange.made import MadeFile
    from equipoise.exchange.sdtm import sdtm_package

    cut = source.cut()
    datasets = (
        MadeFile(f"{folder}/{file.path}", file.content)
        for folder, make in (("sdtm", sdtm_package), ("adam", adam_package))
        for file in package_files(make(cut), "xpt")
    )
    return next(iter(results_package(cut, datasets=datasets))).content


TABLES: tuple[FormName, ...] = get_args(TableForm)
FORMATS: Mapping[FormatName, Single | Several] = {
    "ctgov": Single(forms=("json",), make=_ctgov),
    "usdm": Single(forms=("json",), make=_usdm),
    "odm132": Single(forms=("xml",), make=lambda source, _: _odm(source, "1.3.2")),
    "odm2": Single(forms=("xml",), make=lambda source, _: _odm(source, "2.0")),
    "sdtm": Several(forms=TABLES, make=_sdtm),
    "adam": Several(forms=TABLES, make=_adam),
    "fhir": Single(forms=("json", "ndjson"), make=_fhir),
    "e2b": Single(forms=("xml",), make=_e2b),
    "report": Several(forms=get_args(ReportForm), make=_report),
    "package": Single(forms=("zip",), make=_package),
}
"""Every format in which something leaves; who sees the trial masked exports it masked."""


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
        source = _source(subject, account, event, unblinded=unblinded, sender=sender, receiver=receiver)
        wanted = form or chosen.forms[0]
        if isinstance(chosen, Single):
            write_file(chosen.make(source, wanted), out)
            say(f"written   {out}")
        else:
            paths = write_folder(chosen.make(source, wanted), out)
            say(f"written   {out} ({counted(len(paths), 'file')})")


def _source(subject: str, account: str, event: str, *, unblinded: bool, sender: str, receiver: str) -> Source:
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
    return Source(
        load=load,
        folder=folder,
        seen=seen,
        moment=utc_text(read_system_clock().replace(microsecond=0)),
        event=event,
        unblinded=unblinded,
        sender=sender,
        receiver=receiver,
    )
