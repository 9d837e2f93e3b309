"""`python -m benchmarks [--quick]`: a table of figures, each with what it is measured against and its aim."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.clinic import ClinicFigures, measure_clinic
from benchmarks.counting import measure_counting
from benchmarks.crossing_over import measure_crossovers
from benchmarks.datasets import measure_datasets
from benchmarks.rates import CountingRow
from benchmarks.recording import measure_recording
from benchmarks.records import RecordsRow, measure_records
from benchmarks.rehearsing import RehearsingFigures, measure_rehearsing
from benchmarks.starting import measure_starting
from benchmarks.verifying import measure_verifying
from equipoise.definition.load import load_study
from equipoise.rehearsal.rehearse import scenarios
from equipoise.studies import study_folder, study_names

_SEED = 1
_PARTICIPANTS_ON_DISK = 12
_PARTICIPANTS_IN_MEMORY = 144
_REPETITIONS = 7
_USERS = 200
_LOAD_SECONDS = 10.0
_LOAD_LINE = "{:<46}{:>12}{:>12}{:>12}{:>12}  {}"
_LINE = "{:<52}{:>12}  {:>12}  {:>7}  {}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what is used most.")
    parser.add_argument("--quick", action="store_true", help="one participant, and no figures to rely on")
    parser.add_argument("--whole", action="store_true", help="all 100,000 records: a quarter of an hour more")
    asked = parser.parse_args()
    quick: bool = asked.quick
    definition = load_study(study_folder(study_names()[0])).definition
    named = scenarios(definition)
    common = {"seed": _SEED, "scenario": named[0] if named else "default"}
    on_disk, in_memory, repetitions = (
        (1, 1, 1) if quick else (_PARTICIPANTS_ON_DISK, _PARTICIPANTS_IN_MEMORY, _REPETITIONS)
    )

    print(_LINE.format("", "measured", "bare", "ratio", "aim"))
    # Beside this file, as the folder for temporary files is often in memory, where nothing is durable.
    with TemporaryDirectory(prefix=".bench-", dir=Path(__file__).parent) as folder:
        recording = measure_recording(definition, Path(folder), participants=on_disk, **common)
        print(
            _LINE.format(
                f"commands recorded, durable ({recording.commands})",
                f"{1 / recording.seconds:,.0f}/s",
                f"{1 / recording.bare_seconds:,.0f}/s",
                f"{recording.ratio:.2f}",
                ">= 0.25 of bare SQLite insertion",
            )
        )
        verifying = measure_verifying(Path(folder) / "trial.sqlite", repetitions)
    for what, seconds, aim in (
        (f"entries: every hash and link ({verifying.entries})", verifying.links, ">= 0.2 of bare SHA-256"),
        ("entries: and every body parsed", verifying.chain, ""),
        ("entries: and replayed into the tables", verifying.chain_and_replay, ""),
        ("entries: whole trial verified, from disk", verifying.whole, ""),
    ):
        print(
            _LINE.format(
                what,
                f"{verifying.entries / seconds:,.0f}/s",
                f"{verifying.entries / verifying.bare:,.0f}/s",
                f"{verifying.bare / seconds:.3f}",
                aim,
            )
        )
    _print_rates((*measure_counting(quick), *measure_crossovers(quick), *measure_datasets(quick)))
    starting = measure_starting(repetitions)
    for what, seconds, aim in (
        ("equipoise --help, against Python alone", starting.help, "under 0.3 s"),
        ("first simulated trials of a new process", starting.trials, ""),
    ):
        print(
            _LINE.format(
                what, f"{seconds:.2f} s", f"{starting.bare:.2f} s", f"{seconds / starting.bare:.1f}", aim
            )
        )
    rehearsing = measure_rehearsing(definition, participants=in_memory, **common)
    _print_rehearsing(rehearsing)
    with TemporaryDirectory(prefix=".bench-", dir=Path(__file__).parent) as folder:
        _print_records(measure_records(Path(folder), quick=quick, whole=asked.whole))
    with TemporaryDirectory(prefix=".bench-", dir=Path(__file__).parent) as folder:
        users, seconds = (4, 0.3) if quick else (_USERS, _LOAD_SECONDS)
        _print_clinic(measure_clinic(Path(folder), users=users, seconds=seconds, quick=quick), users)


def _print_rates(rows: Iterable[CountingRow]) -> None:
    for row in rows:
        print(
            _LINE.format(
                row.what,
                f"{row.measured:,.0f}/s",
                "" if row.against is None else f"{row.against:,.0f}/s",
                "" if row.ratio is None else f"{row.ratio:,.2f}",
                row.aim,
            )
        )


def _print_rehearsing(rehearsing: RehearsingFigures) -> None:
    what = f"rehearsal in memory ({rehearsing.participants} randomised)"
    print(_LINE.format(what, f"{rehearsing.seconds:.1f} s", "", "", "a few seconds"))
    print(f"  of {rehearsing.commands} commands and {rehearsing.entries} entries; its parts:")
    for part, seconds in sorted(rehearsing.parts.items(), key=lambda item: -item[1]):
        print(f"  {part:<44}{seconds:>10.2f} s  {seconds / rehearsing.seconds:>11.0%}")


def _print_records(rows: list[RecordsRow]) -> None:
    print(
        "\nregistry records checked, a process for each core; peak memory of collecting, of one that checks"
    )
    for row in rows:
        what = (
            f"{row.asked:,} records"
            if row.checked == row.asked
            else f"{row.checked:,} of {row.asked:,} records"
        )
        memory = f"{row.collecting:,.0f} MB", f"{row.checking:,.0f} MB"
        print(
            _LINE.format(what, f"{row.checked / row.seconds:,.0f}/s", *memory, ">= 12/s: 500,000 in a night")
        )


def _print_clinic(figures: ClinicFigures, users: int) -> None:
    bare = figures.bare
    print(
        f"\nthe clinic on PostgreSQL, {users} virtual users; beside it a bare Django view that writes one row"
    )
    print(_LOAD_LINE.format("", "per second", "p50", "p95", "p99", "of the bare view's rate, of its p99"))
    for what, load, kind in (
        ("bare view, rows written", bare, "save"),
        ("bare view with a login, rows written", figures.login, "save"),
        ("form saves alone", figures.saves, "save"),
        ("mixed: form saves, one in three", figures.mixed, "save"),
        ("mixed: pages read", figures.mixed, "read"),
        (f"mixed, {2 * users} users: form saves", figures.double, "save"),
    ):
        times = [f"{load.percentile(kind, share) * 1000:,.0f} ms" for share in (0.5, 0.95, 0.99)]
        ratio = load.rate(kind) / bare.rate("save")
        slower = load.percentile(kind, 0.99) / bare.percentile("save", 0.99)
        print(_LOAD_LINE.format(what, f"{load.rate(kind):,.0f}", *times, f"{ratio:.2f}  {slower:.1f}"))
    loads = (figures.saves, figures.mixed, figures.double)
    others = {status for load in loads for _, status in load.statuses} - {200, 302}
    print(f"  other answers than 200 and 302: {sorted(others) or 'none'}; saves lost: {figures.lost}")
    login = figures.saves.rate("save") / figures.login.rate("save")
    print(f"  form saves alone, of the rate of the bare view with a login: {login:.2f}")
    print("  aims: saves at 0.33 of the bare view's rate or more, p99 under 10 times its p99, none lost")


if __name__ == "__main__":
    main()
