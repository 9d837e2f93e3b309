"""`equipoise design operating`: what a design does over and over, under every truth of a grid."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from equipoise.cli.console import clear_errors, counted, fail, say, write
from equipoise.cli.designing import Alpha, ExposureOption, Json, Rate0, Sides, read_numbers
from equipoise.cli.rehearsing import progress_bar

if TYPE_CHECKING:
    from equipoise.statistics.batch.operating import Operating

_INTERRUPTED = 130
_LINE = "{:>6}{:>11}{:>18}{:>18}{:>18}{:>18}{:>18}"
_TITLES = ("ratio", "dispersion", "Wald", "score", "likelihood", "bias of log", "coverage")


def operating(
    rate0: Rate0,
    participants: Annotated[int, typer.Option("--participants", help="All that are randomised, 1:1.")],
    ratio: Annotated[
        str, typer.Option("--ratio", help="True rates of group 2 over group 1; 1 gives the type I error.")
    ] = "1",
    dispersion: Annotated[str, typer.Option("--dispersion", help="True dispersions.")] = "1",
    exposure: ExposureOption = 1.0,
    alpha: Alpha = 0.05,
    sides: Sides = 2,
    direction: Annotated[
        Literal["fewer", "more"], typer.Option("--direction", help="What a one-sided test is to show.")
    ] = "fewer",
    trials: Annotated[int, typer.Option("--trials", help="Simulated trials under each truth.")] = 100_000,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the simulation.")] = 1,
    threads: Annotated[int, typer.Option("--threads", help="Threads; they change no number.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="A file that takes a line of JSON for each truth when it is done."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the file of an earlier run.")] = False,
    as_json: Json = False,
) -> None:
    """Print how often each test rejects under every combination of truths, and what the estimate is worth."""
    with clear_errors():
        truths = list(product(read_numbers("--ratio", ratio), read_numbers("--dispersion", dispersion)))
        settings = {"alpha": alpha, "sides": sides, "direction": direction, "trials": trials, "seed": seed}
        asked = [
            {
                "rate0": rate0,
                "ratio": each,
                "dispersion": k,
                "exposure": exposure,
                "participants": participants,
                **settings,
            }
            for each, k in truths
        ]
        found = _known(out, resume, asked)
        try:
            for line in _simulate([each for each in asked if _key(each) not in found], threads):
                found[_key(line)] = line
                if out is not None:
                    with out.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(line) + "\n")
        except KeyboardInterrupt:
            _print([found[_key(each)] for each in asked if _key(each) in found], as_json)
            kept = f"; go on with --resume --out {out}" if out is not None else ""
            say(f"interrupted after {len(found)} of {counted(len(asked), 'truth')}{kept}")
            raise typer.Exit(_INTERRUPTED) from None
    _print([found[_key(each)] for each in asked], as_json)


def _simulate(asked: list[dict[str, Any]], threads: int) -> Iterator[dict[str, Any]]:
    from equipoise.statistics.batch.engine import CountDesign
    from equipoise.statistics.batch.operating import operating_characteristics

    with progress_bar("simulating") as progress:
        for place, each in enumerate(asked):
            design = CountDesign(
                participants=each["participants"],
                rate0=each["rate0"],
                ratio=each["ratio"],
                dispersion=each["dispersion"],
                exposure=each["exposure"],
            )
            at, before = f"ratio {each['ratio']:g}, dispersion {each['dispersion']:g}", place * each["trials"]
            characteristics = operating_characteristics(
                design,
                trials=each["trials"],
                seed=each["seed"],
                alpha=each["alpha"],
                sides=each["sides"],
                direction=each["direction"],
                threads=threads,
                progress=lambda done, total, at=at, before=before: progress(  # type: ignore[misc]
                    before + done, total * len(asked), at
                ),
            )
            yield {**each, **_line(characteristics)}


def _line(found: Operating) -> dict[str, Any]:
    values = asdict(found)
    return {name: values[name] for name in values if name not in ("design", "trials")}


def _known(out: Path | None, resume: bool, asked: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what an earlier run left in the file, of what is asked now."""
    if out is None:
        if resume:
            fail(
                "DESIGN-RESUME",
                "There is nothing to go on with. Name the file of the earlier run with --out.",
            )
        return {}
    if not out.parent.is_dir():
        fail("OUT-FOLDER", f"There is no folder {out.parent} to write {out.name} to. Make it first.")
    if not out.exists():
        return {}
    if not resume:
        fail(
            "DESIGN-EXISTS", f"{out.name} is there already. Go on with it by --resume, or name another file."
        )
    wanted = {_key(each) for each in asked}
    found: dict[str, dict[str, Any]] = {}
    whole, newline, rest = out.read_text(encoding="utf-8", errors="replace").rpartition("\n")
    if rest:
        # The run was killed while it wrote its last line.
        out.write_text(whole + newline, encoding="utf-8")
    for number, text in enumerate(whole.splitlines(), start=1):
        try:
            line = json.loads(text)
            key = _key(line)
        except (ValueError, TypeError, KeyError, RecursionError):
            fail(
                "DESIGN-LINES",
                f"Line {number} of {out.name} is no result of this command. Name another file.",
            )
        if key in wanted:
            found[key] = line
    return found


_ASKED = (
    "rate0",
    "ratio",
    "dispersion",
    "exposure",
    "participants",
    "alpha",
    "sides",
    "direction",
    "trials",
    "seed",
)


def _key(line: dict[str, Any]) -> str:
    return json.dumps([line[name] for name in _ASKED])


def _print(lines: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        write(json.dumps(lines))
        return
    if not lines:
        return
    first = lines[0]
    say(
        f"rate0 {first['rate0']:g}, exposure {first['exposure']:g}, {first['participants']} participants,"
        f" alpha {first['alpha']:g}, sides {first['sides']}"
    )
    say(f"{first['trials']} trials each, seed {first['seed']}; Monte Carlo standard errors in brackets")
    say(_LINE.format(*_TITLES))
    for line in lines:
        shares = [*(line["rejected"][test] for test in ("wald", "score", "likelihood_ratio"))]
        say(
            _LINE.format(
                f"{line['ratio']:g}",
                f"{line['dispersion']:g}",
                *(_bracketed(share["value"], share["error"]) for share in shares),
                _bracketed(line["bias"], line["bias_error"]),
                _bracketed(line["coverage"]["value"], line["coverage"]["error"]),
            )
        )
        unusual = {name: count for name, count in line["statuses"].items() if name != "fitted"}
        if unusual:
            say(
                "  of these "
                + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in unusual.items())
            )


def _bracketed(value: float, error: float) -> str:
    return f"{value:.4f} ({error:.4f})"
