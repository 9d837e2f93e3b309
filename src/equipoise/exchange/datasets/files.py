"""All files of a package in one form, and the reading of a file in any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

from equipoise.exchange.datasets.content import complete_package
from equipoise.exchange.datasets.csv_files import METADATA_FILE, csv_metadata, dataset_csv, read_csv
from equipoise.exchange.datasets.dataset_json import (
    DEFINE_FILE,
    Header,
    dataset_json,
    dataset_ndjson,
    header_of,
)
from equipoise.exchange.datasets.dataset_json_read import read_dataset_json
from equipoise.exchange.datasets.define import define_xml
from equipoise.exchange.datasets.define_page import define_page
from equipoise.exchange.datasets.found import FoundDataset
from equipoise.exchange.datasets.model import Dataset, Package
from equipoise.exchange.datasets.oids import dataset_oid, item_oid
from equipoise.exchange.datasets.parquet import dataset_parquet, read_parquet
from equipoise.exchange.datasets.xpt import xpt
from equipoise.exchange.datasets.xpt_read import read_xpt
from equipoise.exchange.made import Content, MadeFile
from equipoise.exchange.unreadable import FileUnreadable

Form = Literal["json", "ndjson", "xpt", "parquet", "csv"]

DEFINE_PAGE: Final = "define.html"

_WRITERS: Final[Mapping[Form, Callable[[Package, Dataset], Content]]] = {
    "json": lambda package, dataset: dataset_json(header_of(package, dataset), dataset),
    "ndjson": lambda package, dataset: dataset_ndjson(header_of(package, dataset), dataset),
    "xpt": lambda package, dataset: xpt(dataset, package.created),
    "parquet": lambda package, dataset: dataset_parquet(header_of(package, dataset), dataset),
    "csv": lambda package, dataset: dataset_csv(dataset),
}
_READERS: Final[Mapping[str, Callable[[Path], tuple[FoundDataset, ...]]]] = {
    ".json": lambda path: (read_dataset_json(path).found,),
    ".ndjson": lambda path: (read_dataset_json(path).found,),
    ".xpt": read_xpt,
    ".parquet": lambda path: (read_parquet(path),),
    ".csv": lambda path: (read_csv(path),),
}


def package_files(package: Package, form: Form) -> Iterator[MadeFile]:
    """Yield the files of a package: a dataset each, define.xml, and define.html for people.

    All of them have the same lengths and formats. Raises NotWritten while they are made or written: those of
    `check_dataset`, of `define_xml`, and of the writer of the form.
    """
    package = complete_package(package)
    for dataset in package.datasets:
        yield MadeFile(f"{dataset.name.lower()}.{form}", _WRITERS[form](package, dataset))
    if form == "csv":
        described = ((header_of(package, dataset), dataset) for dataset in package.datasets)
        yield MadeFile(METADATA_FILE, csv_metadata(described))
    yield MadeFile(DEFINE_FILE, define_xml(package, form))
    yield MadeFile(DEFINE_PAGE, define_page(package, form))


def table_files(datasets: Sequence[Dataset], created: str) -> Iterator[MadeFile]:
    """Yield datasets that were read as CSV files with their metadata; `created` is an ISO 8601 time.

    Raises NotWritten, as `check_dataset`.
    """
    for dataset in datasets:
        yield MadeFile(f"{dataset.name.lower()}.csv", dataset_csv(dataset))
    described = (
        (
            Header(
                created=created,
                item_group_oid=dataset_oid(dataset.name),
                item_oids=tuple(item_oid(dataset.name, each.name) for each in dataset.variables),
            ),
            dataset,
        )
        for dataset in datasets
    )
    yield MadeFile(METADATA_FILE, csv_metadata(described))


def read_datasets(path: Path) -> tuple[FoundDataset, ...]:
    """Read the datasets of a file, whose form its suffix tells; a transport file may hold several.

    Raises FileUnreadable: DATA-FORM for another suffix, and what the readers of the forms raise.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise FileUnreadable(
            "DATA-FORM",
            f"The file {path.name} has none of the suffixes {', '.join(_READERS)}. Rename or convert it.",
        )
    return reader(path)
