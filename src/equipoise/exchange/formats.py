"""What a study, or a trial as one account sees it, leaves as: one table, for the command line and the clinic.

Each standard is loaded when something is written in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from equipoise.exchange.made import Content, MadeFile, NotWritten

if TYPE_CHECKING:
    from pathlib import Path

    from equipoise.analysis.cut import DataCut
    from equipoise.conduct.view import MaskedView
    from equipoise.definition.model.definition import StudyDefinition
    from equipoise.exchange.datasets.model import Package
    from equipoise.exchange.e2b import Receiver, Reporter, Sender
    from equipoise.safety.state import EventRow

FormatName = Literal["ctgov", "usdm", "odm132", "odm2", "sdtm", "adam", "fhir", "e2b", "report", "package"]
TableForm = Literal["json", "ndjson", "xpt", "parquet", "csv"]
ReportForm = Literal["html", "rtf", "pdf"]
FormName = Literal["xml", "zip", TableForm, ReportForm]
Subject = Literal["study", "trial", "event"]
Progress = Callable[[int, int], None]
"""Called with what is made and what is to be made: files, or the participants of a single file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventReport:
    """Which adverse event is reported, who sends the report and who receives it.

    `unblinded` names the product that was given; `arm` is that of the participant where whoever asks is
    masked and learned it by breaking the code. `reporter` None is one of whom nothing is known.
    """

    participant: str
    row: int
    sender: Sender
    receiver: Receiver
    unblinded: bool = False
    arm: str | None = None
    reporter: Reporter | None = None
    sender_comment: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is exported: a study, or a trial as one account sees it; `moment` is that of the export.

    `folder` is the study folder, where it is one. `position` is that of the ledger up to which the data are
    taken, None for all; `report` is for e2b alone.
    """

    load: Callable[[], StudyDefinition]
    moment: str
    folder: Path | None = None
    seen: MaskedView | None = None
    position: int | None = None
    report: EventReport | None = None
    progress: Progress = lambda made, planned: None

    @property
    def definition(self) -> StudyDefinition:
        """The study, loaded when it is asked for: a draft may be none yet."""
        return self.load()

    def view(self) -> MaskedView:
        """Return the trial; raises NotWritten (EXPORT-STUDY) where there is only a study."""
        if self.seen is None:
            of_studies = ", ".join(name for name, each in FORMATS.items() if "study" in each.of)
            raise NotWritten(
                "EXPORT-STUDY",
                f"A study has no data yet. Name a trial, or a format of studies: {of_studies}.",
                "the study",
            )
        return self.seen

    def cut(self) -> DataCut:
        """Return the data of the trial as its reader sees them; raises Refused, and NotWritten as `view`."""
        return self.view().cut(self.position)


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A format in which something leaves.

    `of` says of what it is; `forms` are its forms, the first of them the usual one; `single` that it is one
    file, and not a folder of them. `takers` are the kinds of roles to which the clinic gives a trial in it,
    each as it sees it. `make` reads more than a data cut when it is called, and does the rest as its files
    are iterated; it raises NotWritten, and Refused where the reader does not see enough.
    """

    of: tuple[Subject, ...]
    forms: tuple[FormName, ...]
    single: bool
    takers: tuple[str, ...]
    make: Callable[[Source, Any], Iterable[MadeFile]]


def _ctgov(source: Source, form: FormName) -> Iterator[MadeFile]:
    from equipoise.exchange.registry import folder_record, holds_record, registry_record, write_json

    row = None if source.seen is None else source.seen.trial()
    if source.folder is not None and holds_record(source.folder):
        record = folder_record(source.folder)
    elif row is None or row.locked_at is None or row.unblinded_at is None:
        record = registry_record(source.definition)
    else:
        from equipoise.exchange.registry.write_results import results_record

        record = results_record(source.cut())
    yield MadeFile("record.json", write_json(record).encode())


def _usdm(source: Source, form: FormName) -> Iterator[MadeFile]:
    from equipoise.exchange.usdm import amendments_of, usdm_text, write_usdm

    amendments = () if source.seen is None else amendments_of(source.seen, source.position)
    yield MadeFile("usdm.json", usdm_text(write_usdm(source.definition, amendments=amendments)).encode())


def _odm(source: Source, version: Literal["1.3.2", "2.0"]) -> list[MadeFile]:
    from equipoise.exchange.odm import take_snapshot, write_odm

    content: Content
    if source.seen is None:
        content = write_odm(source.definition, version, created=source.moment)
    else:
        *earlier, latest = source.seen.definitions()
        # Everybody is read first, and then written.
        snapshot = take_snapshot(
            source.seen, history=True, progress=lambda done, of: source.progress(done, 2 * of)
        )
        content = write_odm(
            latest,
            version,
            snapshot,
            earlier=earlier,
            progress=lambda done, of: source.progress(of + done, 2 * of),
        )
    return [MadeFile("odm.xml", content)]


def _sdtm(source: Source, form: TableForm) -> Iterator[MadeFile]:
    from equipoise.exchange.sdtm import sdtm_package

    yield from _tables(source, sdtm_package(source.cut()), form)


def _adam(source: Source, form: TableForm) -> Iterator[MadeFile]:
    from equipoise.exchange.adam import adam_package

    yield from _tables(source, adam_package(source.cut()), form)


def _tables(source: Source, package: Package, form: TableForm) -> Iterator[MadeFile]:
    from equipoise.exchange.datasets.files import package_files

    for made, file in enumerate(package_files(package, form), start=1):
        yield file
        # What describes the datasets is the end of it, and soon done.
        source.progress(min(made, len(package.datasets)), len(package.datasets))


def _fhir(source: Source, form: FormName) -> Iterator[MadeFile]:
    from equipoise.exchange.fhir import fhir_ndjson, fhir_text, write_fhir

    cut = None if source.seen is None else source.cut()
    bundle = write_fhir(source.definition, cut, source.progress)
    yield MadeFile(f"fhir.{form}", (fhir_ndjson(bundle) if form == "ndjson" else fhir_text(bundle)).encode())


def _e2b(source: Source, form: FormName) -> Iterator[MadeFile]:
    seen, asked = source.view(), source.report
    assert asked is not None, "whoever asks for a report names its event"
    place = (asked.participant, asked.row)
    assessment = next(
        (event for event in seen.adverse_events() if (event.participant, event.row) == place), None
    )
    return _icsr(seen.participant_cut(asked.participant), asked, assessment)


def _icsr(cut: DataCut, asked: EventReport, assessment: EventRow | None) -> Iterator[MadeFile]:
    from equipoise.exchange.e2b import write_icsr
    from equipoise.exchange.e2b.parties import UNKNOWN_REPORTER

    if asked.arm is not None:
        # What would unmask beside the arm stays out: only the arm was revealed.
        people = tuple(replace(person, arm=asked.arm) for person in cut.participants)
        cut = replace(cut, participants=people, masked=False)
    content = write_icsr(
        cut,
        asked.participant,
        asked.row,
        sender=asked.sender,
        receiver=asked.receiver,
        unblinded=asked.unblinded,
        reporter=asked.reporter or UNKNOWN_REPORTER,
        assessment=assessment,
        sender_comment=asked.sender_comment,
    )
    yield MadeFile("icsr.xml", content)


def _report(source: Source, form: ReportForm) -> Iterator[MadeFile]:
    from equipoise.exchange.documents.files import report_files

    yield from report_files(source.cut(), form, progress=source.progress)


def _package(source: Source, form: FormName) -> Iterator[MadeFile]:
    from equipoise.exchange.adam import adam_package
    from equipoise.exchange.datasets.files import package_files
    from equipoise.exchange.documents.package import FORMS, REPORTS, results_package
    from equipoise.exchange.sdtm import sdtm_package

    cut = source.cut()
    packages = {"sdtm": sdtm_package(cut), "adam": adam_package(cut)}
    datasets = (
        MadeFile(f"{folder}/{file.path}", file.content)
        for folder, package in packages.items()
        for file in package_files(package, "xpt")
    )
    planned = sum(len(package.datasets) for package in packages.values()) + len(FORMS)
    made: set[str] = set()

    def count(path: str) -> None:
        # A dataset is a file, and a report a form: how many files RTF takes is not known before.
        if path.startswith(REPORTS):
            made.add(PurePosixPath(path).suffix)
        elif path.endswith(".xpt"):
            made.add(path)
        source.progress(min(len(made), planned), planned)

    yield from results_package(cut, datasets=datasets, progress=count)


TABLES: Final[tuple[FormName, ...]] = get_args(TableForm)
_ANALYSTS: Final = ("data_manager", "statistician", "unblinded_statistician")
_REVIEWERS: Final = (*_ANALYSTS, "safety_board")

FORMATS: Final[Mapping[FormatName, Format]] = {
    "ctgov": Format(of=("study", "trial"), forms=("json",), single=True, takers=_ANALYSTS, make=_ctgov),
    "usdm": Format(of=("study", "trial"), forms=("json",), single=True, takers=_ANALYSTS, make=_usdm),
    "odm132": Format(
        of=("study", "trial"),
        forms=("xml",),
        single=True,
        takers=_ANALYSTS,
        make=lambda source, _: _odm(source, "1.3.2"),
    ),
    "odm2": Format(
        of=("study", "trial"),
        forms=("xml",),
        single=True,
        takers=_ANALYSTS,
        make=lambda source, _: _odm(source, "2.0"),
    ),
    "sdtm": Format(of=("trial",), forms=TABLES, single=False, takers=_ANALYSTS, make=_sdtm),
    "adam": Format(of=("trial",), forms=TABLES, single=False, takers=_ANALYSTS, make=_adam),
    "fhir": Format(
        of=("study", "trial"), forms=("json", "ndjson"), single=True, takers=_ANALYSTS, make=_fhir
    ),
    "e2b": Format(
        of=("event",),
        forms=("xml",),
        single=True,
        takers=("safety_desk", "data_manager", "unblinded_statistician"),
        make=_e2b,
    ),
    "report": Format(
        of=("trial",), forms=get_args(ReportForm), single=False, takers=_REVIEWERS, make=_report
    ),
    "package": Format(of=("trial",), forms=("zip",), single=True, takers=_REVIEWERS, make=_package),
}
"""Every format in which something leaves; who sees the trial masked exports it masked."""
