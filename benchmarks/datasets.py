"""Rows of datasets written and read a second: beside plain JSON, and beside pyreadstat alone."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.rates import CountingRow, rate
from equipoise.exchange.datasets.dataset_json import Header, dataset_json, dataset_ndjson
from equipoise.exchange.datasets.dataset_json_read import read_dataset_json
from equipoise.exchange.datasets.model import Cell, Dataset, DataType, Variable
from equipoise.exchange.datasets.xpt import xpt
from equipoise.exchange.datasets.xpt_read import read_xpt
from equipoise.exchange.made import Content, write_file

_SEED = 1
_ROWS = 50_000
_CREATED = "2026-03-01T09:30:00"
_VARIABLES: tuple[tuple[str, DataType, int | None], ...] = (
    ("STUDYID", "text", 12),
    ("DOMAIN", "text", 2),
    ("USUBJID", "text", 16),
    ("LBSEQ", "integer", None),
    ("LBTESTCD", "text", 8),
    ("LBTEST", "text", 40),
    ("LBORRES", "text", 20),
    ("LBORRESU", "text", 12),
    ("LBSTRESN", "float", None),
    ("LBNRIND", "text", 8),
    ("VISITNUM", "float", None),
    ("VISIT", "text", 20),
    ("LBDTC", "date", None),
    ("LBDY", "integer", None),
)
_TESTS = (("ALT", "Alanine Aminotransferase"), ("CRP", "C Reactive Protein"), ("GLUC", "Glucose"))


def measure_datasets(quick: bool = False) -> list[CountingRow]:
    """Measure a laboratory dataset of 14 variables, on one core, with what is written on disk."""
    dataset = _laboratory(500 if quick else _ROWS)
    # Python would look through all that the other figures have loaded, with each hundred thousand rows read.
    gc.collect()
    gc.freeze()
    with TemporaryDirectory(prefix=".bench-", dir=Path(__file__).parent) as folder:
        rows = [*_measure_json(dataset, Path(folder)), *_measure_xpt(dataset, Path(folder))]
    gc.unfreeze()
    return rows


def _measure_json(dataset: Dataset, folder: Path) -> list[CountingRow]:
    header = Header(
        created=_CREATED,
        item_group_oid="IG.LB",
        item_oids=tuple(f"IT.LB.{each.name}" for each in dataset.variables),
    )
    plain, document, lines = (folder / name for name in ("plain.json", "lb.json", "lb.ndjson"))

    many = len(dataset.rows)
    dumped = rate(lambda: plain.write_text(json.dumps({"rows": dataset.rows})), many)
    written = rate(_writing(lambda: dataset_json(header, dataset), document), many)
    written_lines = rate(_writing(lambda: dataset_ndjson(header, dataset), lines), many)
    loaded = rate(lambda: json.loads(plain.read_bytes()), many)
    read = rate(lambda: read_dataset_json(document), many)
    read_lines = rate(lambda: read_dataset_json(lines), many)
    return [
        CountingRow("rows as Dataset-JSON, against json.dumps", written, dumped, ">= 0.33 of json.dumps"),
        CountingRow("rows as NDJSON, against json.dumps", written_lines, dumped, ">= 0.33 of json.dumps"),
        CountingRow("rows from Dataset-JSON, against json.loads", read, loaded, ">= 0.2 of json.loads"),
        CountingRow("rows from NDJSON, against json.loads", read_lines, loaded, ">= 0.2 of json.loads"),
    ]


def _measure_xpt(dataset: Dataset, folder: Path) -> list[CountingRow]:
    import pandas as pd
    import pyreadstat

    mine, theirs = folder / "lb.xpt", folder / "pyreadstat.xpt"
    frame = pd.DataFrame(dataset.rows, columns=[each.name for each in dataset.variables])
    many = len(dataset.rows)
    written = rate(_writing(lambda: xpt(dataset, _CREATED), mine), many)
    alone = rate(lambda: pyreadstat.write_xport(frame, str(theirs), file_format_version=5), many)
    read = rate(lambda: read_xpt(mine), many)
    read_alone = rate(lambda: pyreadstat.read_xport(str(mine)), many)
    return [
        CountingRow("rows as XPT, against pyreadstat alone", written, alone, ">= 1 of pyreadstat"),
        CountingRow("rows from XPT, against pyreadstat alone", read, read_alone, ">= 0.5 of pyreadstat"),
    ]


def _writing(content: Callable[[], Content], path: Path) -> Callable[[], None]:
    return lambda: write_file(content(), path)


def _laboratory(many: int) -> Dataset:
    """Return findings of which one in twenty is missing."""
    random = np.random.default_rng(_SEED)
    values, missing = random.lognormal(3, 1, many).round(2).tolist(), (random.random(many) < 0.05).tolist()
    rows: list[tuple[Cell, ...]] = []
    for number, (value, none) in enumerate(zip(values, missing, strict=True)):
        code, name = _TESTS[number % 3]
        visit, day = number // 3 % 8, 7 * (number // 3 % 8) + 1
        result: tuple[Cell, ...] = (None,) * 4 if none else (str(value), "U/L", value, "NORMAL")
        on = f"2026-{visit + 1:02}-{number % 28 + 1:02}"
        subject = f"TRIAL-1-{number // 24:05}"
        rows.append(
            (
                "TRIAL-1",
                "LB",
                subject,
                number % 24 + 1,
                code,
                name,
                *result,
                float(visit),
                f"WEEK {visit}",
                on,
                day,
            )
        )
    variables = tuple(
        Variable(name=name, label=name, type=type_, origin=None, length=length)
        for name, type_, length in _VARIABLES
    )
    return Dataset(
        name="LB",
        label="Laboratory Test Results",
        structure="One record per test per visit per subject",
        dataset_class="FINDINGS",
        variables=variables,
        rows=tuple(rows),
    )
