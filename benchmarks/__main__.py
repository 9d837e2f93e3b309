"""`python -m benchmarks [--quick]`: a table of figures, each with what it is measured against and its aim."""

from __future__ import annotations

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.recording import measure_recording
from benchmarks.rehearsing import measure_rehearsing
from benchmarks.verifying import measure_verifying
from equipoise.definition.load import load_study
from equipoise.rehearsal.rehearse import scenarios
from equipoise.studies import study_folder, study_names

_SEED = 1
_PARTICIPANTS_ON_DISK = 12
_PARTICIPANTS_IN_MEMORY = 144
_REPETITIONS = 7
_LINE = "{:<46}{:>12}  {:>12}  {:>7}  {}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure what is used most.")
    parser.add_argument("--quick", action="store_true", help="one participant, and no figures to rely on")
    quick: bool = parser.parse_args().quick
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
    rehearsing = measure_rehearsing(definition, participants=in_memory, **common)
    what = f"rehearsal in memory ({rehearsing.participants} randomised)"
    print(_LINE.format(what, f"{rehearsing.seconds:.1f} s", "", "", "a few seconds"))
    print(f"  of {rehearsing.commands} commands and {rehearsing.entries} entries; its parts:")
    for part, seconds in sorted(rehearsing.parts.items(), key=lambda item: -item[1]):
        print(f"  {part:<44}{seconds:>10.2f} s  {seconds / rehearsing.seconds:>11.0%}")


if __name__ == "__main__":
    main()
