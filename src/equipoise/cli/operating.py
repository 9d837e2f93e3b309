"""`equipoise design operating`: what a design does over and over, under every truth of a grid."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Annotated, Literal

import typer

from equipoise.cli.console import clear_errors, fail, say, write
from equipoise.cli.designing import (
    Alpha,
    Beta,
    Binding,
    Delta,
    ExposureOption,
    Family,
    Futile,
    FutilityGamma,
    Gamma,
    Information,
    Json,
    Looks,
    Rate0,
    Sides,
    plan_futility,
    plan_looks,
    read_looks,
    read_numbers,
)
from equipoise.cli.simulating import (
    INTERRUPTED,
    Address,
    BackendOption,
    Jobs,
    Line,
    Means,
    Question,
    Threads,
    lines_of,
    read_kept,
    simulate,
)

_TITLES = {
    "wald": "Wald",
    "score": "score",
    "likelihood_ratio": "likelihood",
    "wald_robust": "Wald robust",
    "poisson": "Poisson",
    "poisson_robust": "Poisson robust",
    "wald_observed": "Wald observed",
    "score_observed": "score observed",
    "permutation": "permutation",
}

Participants = Annotated[int, typer.Option("--participants", help="All that are randomised, 1:1.")]
Ratios = Annotated[
    str, typer.Option("--ratio", help="True rates of group 2 over group 1; 1 gives the type I error.")
]
Dispersions = Annotated[str, typer.Option("--dispersion", help="True dispersions.")]
Direction = Annotated[
    Literal["fewer", "more"], typer.Option("--direction", help="What a one-sided test is to show.")
]
Tests = Annotated[
    str,
    typer.Option(
        "--tests",
        help=f"Which tests, or all; the last three take long: {', '.join(_TITLES)}.",
    ),
]
Early = Annotated[Family | None, typer.Option("--family", help="Look early, with boundaries of this family.")]


def operating(
    rate0: Rate0,
    participants: Participants,
    ratio: Ratios = "1",
    dispersion: Dispersions = "1",
    exposure: ExposureOption = 1.0,
    alpha: Alpha = 0.05,
    sides: Sides = 2,
    direction: Direction = "fewer",
    tests: Tests = "wald,score,likelihood_ratio",
    family: Early = None,
    looks: Looks = 0,
    information: Information = "",
    gamma: Gamma = None,
    delta: Delta = None,
    futility: Futile = None,
    beta: Beta = 0.2,
    futility_gamma: FutilityGamma = None,
    binding: Binding = False,
    trials: Annotated[int, typer.Option("--trials", help="Simulated trials under each truth.")] = 100_000,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the simulation.")] = 1,
    threads: Threads = 1,
    backend: BackendOption = "local",
    jobs: Jobs = None,
    address: Address = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="A file that takes a line of JSON for each truth when it is done."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the file of an earlier run.")] = False,
    as_json: Json = False,
) -> None:
    """Print how often each test rejects under every combination of truths, and what the estimate is worth.

    Threads, processes and clusters change no number.
    """
    with clear_errors():
        plan = None
        if family is not None:
            stops = plan_futility(futility, beta, futility_gamma, binding)
            plan = plan_looks(family, read_looks(looks, information), gamma, delta, stops)
        elif looks or information or futility:
            fail("DESIGN-LOOKS", "Say with which boundaries the trial is looked at early: give --family.")
        asked: list[Question] = [
            {
                "rate0": rate0,
                "ratio": each,
                "dispersion": k,
                "exposure": exposure,
                "participants": participants,
                "alpha": alpha,
                "sides": sides,
                "direction": direction,
                "tests": _read_tests(tests),
                "trials": trials,
                "seed": seed,
                **({} if plan is None else {"bounds": plan}),
            }
            for each, k in product(read_numbers("--ratio", ratio), read_numbers("--dispersion", dispersion))
        ]
        lines = read_kept(out, resume, asked)
        means = Means(threads=threads, backend=backend, jobs=jobs, address=address)
        whole = simulate(asked, means, lines, out, out)
        _print(lines_of(asked, lines), as_json)
        if not whole:
            raise typer.Exit(INTERRUPTED)


def _read_tests(text: str) -> list[str]:
    """Read the names of tests, in the order in which they are printed."""
    names = set(_TITLES) if text == "all" else set(text.split(","))
    unknown = names - set(_TITLES)
    if unknown:
        fail(
            "DESIGN-TESTS",
            f"There is no test {min(unknown)!r}. Give all, or some of {', '.join(_TITLES)} with commas"
            " between them.",
        )
    return [name for name in _TITLES if name in names]


def _print(lines: list[Line], as_json: bool) -> None:
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
    tests = first["tests"]
    say(_row("ratio", "dispersion", *(_TITLES[test] for test in tests), "bias of log", "coverage"))
    for line in lines:
        say(
            _row(
                f"{line['ratio']:g}",
                f"{line['dispersion']:g}",
                *(_bracketed(line["rejected"][test]) for test in tests),
                _bracketed({"value": line["bias"], "error": line["bias_error"]}),
                _bracketed(line["coverage"]),
            )
        )
        _print_looks(line)
        unusual = {name: count for name, count in line["statuses"].items() if name != "fitted"}
        if unusual:
            say(
                "  of these "
                + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in unusual.items())
            )


def _print_looks(line: Line) -> None:
    """Print which share of all trials ends at each look, and how many participants a trial has in the end."""
    if "bounds" not in line:
        return
    early = line["looks"][:-1]
    ends = [("rejects at", look["participants"], look["rejected"]) for look in line["looks"]]
    if "futility" in line["bounds"]:
        # At the last look nothing ends for futility: what does not reject has failed.
        ends += [("futile at", look["participants"], look["futile"]) for look in early]
    for words, participants, shares in sorted(ends, key=lambda each: int(each[1])):
        say(_wide_row(f"{words} {participants}", *(f"{shares[test]['value']:.4f}" for test in line["tests"])))
    say(_wide_row("participants", *(f"{line['expected'][test]:.1f}" for test in line["tests"])))


def _row(ratio: str, dispersion: str, *others: str) -> str:
    return _wide_row(f"{ratio:>6}{dispersion:>11}", *others)


def _wide_row(beginning: str, *others: str) -> str:
    return f"{beginning:>17}" + "".join(f"{each:>18}" for each in others)


def _bracketed(share: dict[str, float | None]) -> str:
    value, error = share["value"], share["error"]
    return "none" if value is None or error is None else f"{value:.4f} ({error:.4f})"
