"""The demo: one registry page becomes a rehearsed, verified, analysed trial."""

from __future__ import annotations

import functools
import http.server
import shutil
from pathlib import Path
from typing import Annotated

import typer

from equipoise.cli import trials
from equipoise.cli.console import clear_errors, fail, say
from equipoise.cli.studies import check, find_study, import_into, load_definition

_COPIED_PAGES = "../shared"
_MARK = ".equipoise-demo"
_SCENARIO = "published"


def demo(
    out: Annotated[Path, typer.Option("--out", help="The folder for everything that the demo makes.")] = Path(
        "demo"
    ),
    serve: Annotated[bool, typer.Option(help="End by serving the folder on a loopback port.")] = True,
    study: Annotated[str, typer.Option(help="The study to go through.")] = "",
    seed: Annotated[int, typer.Option(min=0)] = 1,
) -> None:
    """Go through a whole trial: read its registry page, check the study, rehearse, verify, report."""
    from equipoise.definition.synopsis import render_synopsis
    from equipoise.studies import study_names

    with clear_errors():
        name = study or study_names()[0]
        record = _record_of(name)
        _make_room(out)
        _step(1, "The registry page is read, and its contradictions are named")
        findings = import_into(record, out / "draft")
        shutil.copyfile(out / "draft" / "findings.json", out / "findings.json")
        _step(2, "The study definition is checked and printed as a synopsis")
        check(name)
        definition = load_definition(name)
        (out / "synopsis.html").write_text(render_synopsis(definition, "html"), encoding="utf-8")
        say(f"written   {out / 'synopsis.html'}")
        _step(3, "The trial is rehearsed, locked, unblinded, analysed and reported")
        trials.run_rehearsal(definition, out, _SCENARIO, None, None, seed, findings=findings)
        _step(4, "The ledger is verified")
        trials.verify(out / trials.TRIAL_FILE)
        (out / "index.html").write_text(
            _index(definition.study.acronym or definition.study.title), encoding="utf-8"
        )
    if serve:
        _serve(out)


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
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(out))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        say(f"\nOpen http://127.0.0.1:{server.server_port}/ and press Ctrl-C to end.", style="bold")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say("ended")
