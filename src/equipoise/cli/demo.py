"""The demo: one registry page becomes a rehearsed, verified, analysed trial."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from equipoise.cli import trials
from equipoise.cli.console import clear_errors, fail, say
from equipoise.cli.importing import import_record
from equipoise.cli.rehearsing import count_randomised, leave_under_way, run_rehearsal
from equipoise.cli.studies import check, find_study, load_definition
from equipoise.store.names import TRIAL_FILE

if TYPE_CHECKING:
    from equipoise.conduct.trial import Trial
    from equipoise.definition.model.definition import StudyDefinition

_COPIED_PAGES = "../shared"
_MARK = ".equipoise-demo"
_SCENARIO = "published"
_CLINIC = "clinic"
_PORT = 8000
_COMMAND = (sys.executable, "-c", "from equipoise.cli.main import main; main()")
_SHARE_LEAST, _SHARE_MOST = 0.6, 0.8


def demo(
    out: Annotated[Path, typer.Option("--out", help="The folder for everything that the demo makes.")] = Path(
        "demo"
    ),
    serve: Annotated[bool, typer.Option(help="End by serving both trials to this machine.")] = True,
    study: Annotated[str, typer.Option(help="The study to go through.")] = "",
    seed: Annotated[int, typer.Option(min=0)] = 1,
) -> None:
    """Go through a whole trial: read its registry page, check the study, rehearse, verify, report, go on."""
    from equipoise.definition.synopsis import render_synopsis
    from equipoise.rehearsal.repeat import RepeatPlan
    from equipoise.studies import study_names

    with clear_errors():
        name = study or study_names()[0]
        record = _record_of(name)
        _make_room(out)
        _step(1, "The registry page is read, and its contradictions are named")
        findings = import_record(record, out / "draft")
        shutil.copyfile(out / "draft" / "findings.json", out / "findings.json")
        _step(2, "The study definition is checked and printed as a synopsis")
        check(name)
        definition = load_definition(name)
        (out / "synopsis.html").write_text(render_synopsis(definition, "html"), encoding="utf-8")
        say(f"written   {out / 'synopsis.html'}")
        _step(3, "The trial is rehearsed, locked, unblinded, analysed and reported")
        run_rehearsal(RepeatPlan(definition=definition, scenario=_SCENARIO), seed, out, findings)
        _step(4, "The ledger is verified")
        trials.verify(out / TRIAL_FILE)
        _step(5, "A second rehearsal stops half-way, for people to go on with")
        make_clinic(definition, out / _CLINIC, seed)
        (out / "index.html").write_text(
            _index(definition.study.acronym or definition.study.title), encoding="utf-8"
        )
    if serve:
        _serve(out)


def make_clinic(definition: StudyDefinition, folder: Path, seed: int) -> None:
    """Make a trial under way in a folder of its own, to be served.

    It stops once three in five are randomised and a safety clock runs, which is rare, so at the latest when
    four in five are: then every role finds work.
    """
    from equipoise.conduct.clock import read_system_clock
    from equipoise.rehearsal.repeat import RepeatPlan
    from equipoise.safety.state import ClockRow

    begun = read_system_clock()
    planned = definition.rehearsal.participants if definition.rehearsal else 0

    def until(trial: Trial) -> bool:
        randomised = count_randomised(trial)
        running = any(clock.status == "running" for clock in trial.tables.all(ClockRow))
        return randomised >= (_SHARE_LEAST if running else _SHARE_MOST) * planned

    leave_under_way(RepeatPlan(definition=definition, scenario=_SCENARIO), seed, folder, until)
    say(f"took      {(read_system_clock() - begun).total_seconds():.0f} s")


def _record_of(name: str) -> Path:
    for each in load_definition(name).study.identifiers:
        copied = Path(_COPIED_PAGES) / f"record-{each.value}.txt"
        if copied.is_file():
            return copied
    return find_study(name) / "record.txt"


def _make_room(out: Path) -> None:
    # Only what an earlier demo made is ever removed.
    if out.exists():
        if any(out.iterdir()) and not (out / _MARK).exists():
            fail("OUT-EXISTS", f"{out} holds other files. Choose another folder with --out.")
        shutil.rmtree(out)
    out.mkdir(parents=True)
    (out / _MARK).write_text("Made by equipoise demo, which may remove this folder.\n", encoding="utf-8")


def _step(number: int, text: str) -> None:
    say(f"\n{number}. {text}", style="bold")


def _index(title: str) -> str:
    from html import escape

    pages = [
        ("report.html", "The report", "the unblinded analysis of the rehearsed trial"),
        ("report-masked.html", "The masked draft", "the same, pooled, as it stood at the lock"),
        ("synopsis.html", "The synopsis", "the protocol as the study definition says it"),
        ("findings.json", "The findings", "where the registry page contradicts itself"),
    ]
    items = "".join(f'<li><a href="{file}">{name}</a>: {what}</li>' for file, name, what in pages)
    style = "body{font:1.1rem/1.6 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}, rehearsed</title>'
        f"<style>{style}</style><h1>{escape(title)}, rehearsed</h1><ul>{items}</ul></html>\n"
    )


def _serve(out: Path) -> None:
    """Serve the trial under way and, beside it, the finished one, until the process is told to end."""
    under_way = out / _CLINIC
    # Each in a process of its own: Django serves one database as the clinic's.
    for folder in (out, under_way):
        said = None if folder == under_way else subprocess.DEVNULL
        subprocess.run([*_COMMAND, "cast", str(folder)], check=True, stdout=said)
    served = [
        subprocess.Popen([*_COMMAND, "serve", str(folder), "--port", str(port), "--workers", "1"])
        for folder, port in ((out, _PORT + 1), (under_way, _PORT))
    ]
    say(f"\nThe trial under way is at port {_PORT}, the finished one at port {_PORT + 1}.")
    # Whoever ends the demo by a signal ends what it serves.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for process in served:
            process.wait()
    except KeyboardInterrupt:
        say("ended")
    finally:
        for process in served:
            process.terminate()
            process.wait()
