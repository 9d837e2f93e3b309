"""The results package: everything of a data cut in one zip, with the hash of every file in its manifest.

The same cut and the same versions of the programs make the same bytes: names are sorted, all times are that
of the cut, and nothing is compressed, since programs compress differently.
"""

from __future__ import annotations

import json
import platform
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Final

from equipoise import __version__
from equipoise.analysis.cut import DataCut
from equipoise.analysis.datasets import derive_datasets, write_datasets
from equipoise.analysis.derive import Frame
from equipoise.analysis.report.sections import ReportFinding
from equipoise.definition.lock import canonical_json
from equipoise.exchange.documents.files import Form, print_files, report_of
from equipoise.exchange.documents.readme import readme
from equipoise.exchange.made import MadeFile, NotWritten
from equipoise.exchange.registry import write_json
from equipoise.exchange.registry.write_results import ResultsRefused, results_record

FORMAT: Final = "equipoise-results-package/1"
MANIFEST, README, LOCK = "manifest.json", "README.txt", "definition/study.lock"
REPORTS, RECORD, DATASETS = "report", "registry/record-with-results.json", "datasets"
PROGRAMS: Final = ("numpy", "scipy", "numba", "matplotlib", "typst", "polars")
"""What the numbers and the pages are made with, where it is installed."""

FORMS: Final[tuple[Form, ...]] = ("html", "pdf", "rtf")
Step = Callable[[str], None]
"""Called with the path of each file that is made."""

_BLOCK: Final = 1 << 20


def results_package(
    cut: DataCut,
    *,
    datasets: Iterable[MadeFile] | None = None,
    forms: Sequence[Form] = FORMS,
    findings: Sequence[ReportFinding] | None = None,
    listings: bool = True,
    fonts: Path | None = None,
    progress: Step = lambda path: None,
) -> Iterator[MadeFile]:
    """Make the package of a cut: one zip, its files below a folder of its own name.

    `datasets` are files below the folder of datasets; without them those of the analysis are written as CSV.
    Before the unblinding a masked cut makes a draft: pooled, without a registry record of results. Raises
    NotWritten: PACKAGE-CLOSED for a cut that holds the arms of a trial which is still masked; EXTRA-MISSING
    as `report_files`.
    """
    _check_open(cut)
    files = package_files(
        cut, datasets=datasets, forms=forms, findings=findings, listings=listings, fonts=fonts
    )
    name = f"{cut.definition.study.id}-{'masked-draft' if cut.masked else 'results'}-{cut.position}"
    yield MadeFile(f"{name}.zip", _zipped(cut, name, files, progress))


def package_files(
    cut: DataCut,
    *,
    datasets: Iterable[MadeFile] | None = None,
    forms: Sequence[Form] = FORMS,
    findings: Sequence[ReportFinding] | None = None,
    listings: bool = True,
    fonts: Path | None = None,
) -> Iterator[MadeFile]:
    """Make the files of the package one after another, without the manifest; errors as `results_package`."""
    _check_open(cut)
    yield MadeFile(LOCK, canonical_json(cut.definition) + b"\n")
    for file in dataset_files(cut) if datasets is None else datasets:
        yield MadeFile(f"{DATASETS}/{file.path}", file.content)
    content, listed = report_of(cut, findings, listings=listings)
    for form in forms:
        for file in print_files(content, listed, form, fonts=fonts):
            below = "rtf/" if form == "rtf" else ""
            yield MadeFile(f"{REPORTS}/{below}{file.path}", file.content)
    refused = ""
    try:
        yield MadeFile(RECORD, write_json(results_record(cut)).encode())
    except ResultsRefused as refusal:
        refused = refusal.sentence
    yield MadeFile(README, readme(cut, forms, programs(), refused).encode())


def dataset_files(cut: DataCut) -> Iterator[MadeFile]:
    """The analysis datasets as CSV, with datasets.json, which describes their variables."""
    with TemporaryDirectory() as folder:
        for path in write_datasets(derive_datasets(Frame(cut)), Path(folder)):
            yield MadeFile(path.name, path.read_bytes())


def programs() -> dict[str, str]:
    """The versions of what makes the numbers and the pages."""
    found = {"equipoise": __version__, "python": platform.python_version()}
    for name in PROGRAMS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def manifest(cut: DataCut, files: Iterable[tuple[str, int, str]]) -> bytes:
    """What the package is of, and every file of it: path, bytes, SHA-256 in hexadecimal."""
    study = cut.definition.study
    content = {
        "format": FORMAT,
        "study": {"id": study.id, "title": study.title, "version": study.version},
        "definition": {"file": LOCK, "sha256": cut.definition.hash},
        "ledger": {"position": cut.position, "head": cut.head, "recorded_at": cut.recorded_at},
        "data": {
            "simulated": cut.mode == "rehearsal",
            "masked": cut.masked,
            "locked_at": cut.locked_at,
            "unblinded_at": cut.unblinded_at,
        },
        "programs": programs(),
        "files": [{"path": path, "bytes": size, "sha256": digest} for path, size, digest in sorted(files)],
    }
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def _check_open(cut: DataCut) -> None:
    if cut.closed:
        raise NotWritten(
            "PACKAGE-CLOSED",
            "The trial is still masked, this data cut holds its arms, and a package is made to be passed on. "
            "Unblind the trial first, or take the cut as a masked role has it.",
            cut.definition.study.id,
        )


def _zipped(cut: DataCut, name: str, files: Iterable[MadeFile], progress: Step) -> Iterator[bytes]:
    """The zip piece by piece; its files wait on disk, since they are sorted and may be large."""
    with TemporaryDirectory() as folder:
        stored: dict[str, Path] = {}
        found: list[tuple[str, int, str]] = []
        for number, file in enumerate(files):
            path = Path(folder) / str(number)
            _check_path(file.path, stored)
            found.append((file.path, *_keep(file, path)))
            stored[file.path] = path
            progress(file.path)
        stored[MANIFEST] = Path(folder) / MANIFEST
        stored[MANIFEST].write_bytes(manifest(cut, found))
        with TemporaryFile() as handle:
            with zipfile.ZipFile(handle, "w", zipfile.ZIP_STORED) as archive:
                for inner in sorted(stored):
                    with _entry(archive, cut, f"{name}/{inner}") as entry, stored[inner].open("rb") as source:
                        while block := source.read(_BLOCK):
                            entry.write(block)
            handle.seek(0)
            while block := handle.read(_BLOCK):
                yield block


def _check_path(path: str, others: Iterable[str]) -> None:
    parts = PurePosixPath(path).parts
    assert parts and "/" not in parts and ".." not in parts, f"{path} lies below the package"
    assert path not in others, f"{path} is made once"


def _keep(file: MadeFile, path: Path) -> tuple[int, str]:
    """Write a file to disk; return its bytes and its hash."""
    digest, size = sha256(), 0
    with path.open("wb") as handle:
        for piece in (file.content,) if isinstance(file.content, bytes) else file.content:
            handle.write(piece)
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


@contextmanager
def _entry(archive: zipfile.ZipFile, cut: DataCut, name: str) -> Iterator[IO[bytes]]:
    moment = datetime.fromisoformat(cut.recorded_at)
    info = zipfile.ZipInfo(name, moment.timetuple()[:6])
    info.create_system = 3
    info.external_attr = 0o100644 << 16
    with archive.open(info, "w") as entry:
        yield entry
