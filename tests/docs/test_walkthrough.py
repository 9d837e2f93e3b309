"""The pages with commands are executed: every command, in its order, with its output."""

from __future__ import annotations

import doctest
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
SOURCE = Path(__file__).parents[2] / "src"
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROGRAM = "import sys; sys.path.insert(0, {source!r}); from equipoise.cli.main import main; main()"


def commands(page: str) -> list[tuple[str, str]]:
    """Every command of the page with the output that the page gives it."""
    found: list[tuple[str, str]] = []
    for block in _BLOCK.findall((DOCS / page).read_text(encoding="utf-8")):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


def run(command: str, folder: Path) -> str:
    """Run a command of the page as a shell would; `equipoise` is the one of this checkout."""
    program = f'"{sys.executable}" -c "{_PROGRAM.format(source=str(SOURCE))}"'
    done = subprocess.run(
        ["bash", "-c", f'equipoise() {{ {program} "$@"; }}; sqlite3() {{ {SQLITE} "$@"; }}; {command}'],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200", "HOME": str(folder)},
    )
    # A progress bar is drawn over itself on standard error; the page does not show it.
    errors = "".join(line + "\n" for line in done.stderr.splitlines() if line and "rehearsing" not in line)
    ending = f"[exit code {done.returncode}]\n" if done.returncode else ""
    return done.stdout + errors + ending


# Not every machine has the sqlite3 shell; Python always has the library.
_STATEMENT = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()"
SQLITE = f'"{sys.executable}" -c "{_STATEMENT}"'


@pytest.mark.parametrize(("page", "least"), [("walkthrough.md", 12), ("designing.md", 6), ("registry.md", 2)])
def test_every_command_prints_what_the_page_says(page: str, least: int, tmp_path: Path) -> None:
    assert shutil.which("bash"), "the page is written for bash"
    checker = doctest.OutputChecker()
    steps = commands(page)
    assert len(steps) >= least
    for command, expected in steps:
        printed = run(command, tmp_path)
        assert checker.check_output(expected, printed, doctest.ELLIPSIS), (
            f"$ {command}\nthe page says:\n{expected}\nit printed:\n{printed}"
        )


def test_the_python_of_the_page_does_what_the_page_says() -> None:
    page = str(DOCS / "walkthrough.md")
    failed, tried = doctest.testfile(page, module_relative=False, optionflags=doctest.ELLIPSIS)
    assert tried > 20
    assert failed == 0
