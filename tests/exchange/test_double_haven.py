"""Transport files against R's haven, where it is on the machine (`.ci/run` installs it)."""

from __future__ import annotations

import shutil
import subprocess
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from equipoise.exchange.adam import adam_package
from equipoise.exchange.datasets.files import package_files
from equipoise.exchange.datasets.model import Cell, Package, Variable
from equipoise.exchange.made import write_folder
from equipoise.exchange.sdtm import sdtm_package
from equipoise.studies import study_names
from tests.exchange.dataset_checks import cut_of

RSCRIPT = shutil.which("Rscript")

# For each variable of each file a line: file, name, label, values; texts in hexadecimal digits after an x.
_READ = """
suppressMessages(library(haven))
hex <- function(text) paste(c("x", as.character(charToRaw(enc2utf8(text)))), collapse = "")
hexes <- function(texts) { once <- unique(texts); vapply(once, hex, "")[match(texts, once)] }
for (file in commandArgs(TRUE)) {
  data <- read_xpt(file)
  for (name in names(data)) {
    x <- data[[name]]
    cells <- if (is.character(x)) hexes(x) else sprintf("%.17g", as.numeric(x))
    cat(paste(c(basename(file), name, attr(x, "label"), cells), collapse = "\\t"), "\\n", sep = "")
  }
}
"""


@cache
def has_haven() -> bool:
    asked = [RSCRIPT or "", "-e", "library(haven)"]
    return RSCRIPT is not None and subprocess.run(asked, capture_output=True, check=False).returncode == 0


def as_r_has_it(variable: Variable, cell: Cell) -> str | float | None:
    if variable.numeric_date and cell is not None:
        # R counts days from 1970.
        return float((date.fromisoformat(str(cell)) - date(1970, 1, 1)).days)
    if variable.numeric_date or variable.type in ("integer", "float"):
        return None if cell is None else float(cell)
    return "x" + str(cell or "").encode().hex()


def read(cell: str) -> str | float | None:
    if cell.startswith("x"):
        return cell
    return None if cell == "NA" else float(cell)


@pytest.mark.skipif(not has_haven(), reason="R with haven is not on this machine")
@pytest.mark.parametrize("make", [sdtm_package, adam_package])
def test_double_haven_reads_what_was_written(make, tmp_path: Path) -> None:
    package: Package = make(cut_of(study_names()[0]))
    files = write_folder(package_files(package, "xpt"), tmp_path / "made")
    done = subprocess.run(
        [RSCRIPT or "", "-e", _READ, *(str(path) for path in files if path.suffix == ".xpt")],
        capture_output=True,
        text=True,
        check=True,
    )
    found = {(file, name): rest for file, name, *rest in map(_fields, done.stdout.splitlines())}
    for dataset in package.datasets:
        for place, variable in enumerate(dataset.variables):
            label, *cells = found.pop((f"{dataset.name.lower()}.xpt", variable.name))
            assert label == variable.label
            wanted = [as_r_has_it(variable, row[place]) for row in dataset.rows]
            assert list(map(read, cells)) == wanted, (dataset.name, variable.name)
    assert found == {}


def _fields(line: str) -> list[str]:
    return line.split("\t")
