"""Simulated trials under one truth after another: on any backend, kept as they come, and gone on with later.

A question is what JSON has of it: the arguments of a `CountDesign`, and how its trials are looked at. A line
is a question with what was found.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from equipoise.cli.console import counted, err, fail
from equipoise.cli.designing import bounds_of
from equipoise.cli.rehearsing import progress_bar

Question = Mapping[str, Any]
Line = dict[str, Any]

INTERRUPTED = 130
_HOW = ("alpha", "sides", "direction", "tests", "trials", "seed")
_BOUNDS = "bounds"

Threads = Annotated[int, typer.Option("--threads", help="Threads of each process.")]
BackendOption = Annotated[
    Literal["local", "ray", "dask"], typer.Option("--backend", help="Where it is simulated.")
]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", help="Processes; if not said one, or on a cluster as many as processors."),
]
Address = Annotated[
    str | None,
    typer.Option("--address", help="A cluster that runs already; without one, one is started here."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What it is simulated with, which changes no number."""

    threads: int
    backend: Literal["local", "ray", "dask"]
    jobs: int | None
    address: str | None


def simulate(
    asked: Sequence[Question], means: Means, lines: list[Line], kept: Path | None, out: Path | None
) -> bool:
    """Add a line for each question that has none, and keep it in a file as it comes; `out` is as given.

    Returns whether that came to its end; after an interruption it says what there is, and how to go on.
    """
    try:
        for line in _simulate([each for each in asked if not lines_of([each], lines)], means):
            lines.append(line)
            if kept is not None:
                with kept.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
    except KeyboardInterrupt:
        on = f"; go on with --resume --out {out}" if out is not None else ""
        sentence = f"interrupted after {len(lines)} of {counted(len(asked), 'truth')}{on}"
        err.print(sentence, markup=False)
        return False
    return True


def lines_of(asked: Sequence[Question], lines: Sequence[Line]) -> list[Line]:
    """Return the lines that answer some questions, in the order of the questions."""
    return [
        line
        for each in asked
        for line in [line for line in lines if all(line[key] == value for key, value in each.items())][:1]
    ]


def read_kept(kept: Path | None, resume: bool, asked: Sequence[Question]) -> list[Line]:
    """Return what an earlier run left in a file, of what is asked now."""
    if kept is None:
        if resume:
            fail(
                "DESIGN-RESUME",
                "There is nothing to go on with. Name the file of the earlier run with --out.",
            )
        return []
    if not kept.parent.is_dir():
        fail("OUT-FOLDER", f"There is no folder {kept.parent} to write to. Make it first.")
    if not kept.exists():
        return []
    if not resume:
        fail(
            "DESIGN-EXISTS",
            f"{kept.name} is there of an earlier run. Go on with it by --resume, or name another file.",
        )
    whole, newline, rest = kept.read_text(encoding="utf-8", errors="replace").rpartition("\n")
    if rest:
        # The run was killed while it wrote its last line.
        kept.write_text(whole + newline, encoding="utf-8")
    read = [
        _read_line(kept.name, number, text, asked) for number, text in enumerate(whole.splitlines(), start=1)
    ]
    return lines_of(asked, read)


def _read_line(name: str, number: int, text: str, asked: Sequence[Question]) -> Line:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        line = None
    wanted = {"rejected", *(key for each in asked for key in each)}
    if not isinstance(line, dict) or not wanted <= line.keys():
        fail(
            "DESIGN-LINES",
            f"Line {number} of {name} is no result of this command. Remove the file, or name another.",
        )
    return line


def _simulate(asked: Sequence[Question], means: Means) -> Iterator[Line]:
    from equipoise.statistics.batch.engine import CountDesign
    from equipoise.statistics.batch.operating import operating_characteristics
    from equipoise.statistics.batch.spread import open_workers

    if not asked:
        return
    with (
        open_workers(means.backend, means.jobs, means.address) as workers,
        progress_bar("simulating") as progress,
    ):
        for place, each in enumerate(asked):
            truth = {key: value for key, value in each.items() if key not in (*_HOW, _BOUNDS)}
            if "block" in truth:
                truth["block"] = tuple(truth["block"])
            found = operating_characteristics(
                CountDesign(**truth),
                **{key: each[key] for key in _HOW},
                bounds=bounds_of(each[_BOUNDS], each["alpha"], each["sides"]) if _BOUNDS in each else None,
                threads=means.threads,
                workers=workers,
                progress=lambda done, tasks, each=each, place=place: progress(  # type: ignore[misc]
                    place * tasks + done,
                    len(asked) * tasks,
                    f"ratio {each['ratio']:g}, dispersion {each['dispersion']:g}",
                ),
            )
            values = asdict(found)
            yield {
                **each,
                **{name: _finite(values[name]) for name in values if name not in ("design", "trials")},
            }


def _finite(value: Any) -> Any:
    """Return a value as JSON has it: None for a number that is none."""
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not isfinite(value) else value
