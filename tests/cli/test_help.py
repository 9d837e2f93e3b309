"""Help comes at once: it loads nothing that takes time, and names every command and option."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from equipoise.cli.main import app
from tests.cli.bad_inputs import run

SOURCE = Path(__file__).parent.parent.parent / "src"
COMMANDS = sorted(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
SLOW = (
    "numpy",
    "scipy",
    "pandas",
    "polars",
    "pyarrow",
    "matplotlib",
    "statsmodels",
    "numba",
    "django",
    "jinja2",
    "equipoise.definition.model",
)
LOADED = """
import json, sys
from equipoise.cli.main import main
sys.argv = ["equipoise", *json.loads(sys.argv[1])]
try:
    main()
except SystemExit as end:
    sys.stderr.write(json.dumps([end.code, sorted(sys.modules)]))
"""


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)], ids=" ".join
)
def test_help_loads_nothing_slow(arguments):
    done = subprocess.run(
        [sys.executable, "-c", LOADED, json.dumps(arguments)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    code, loaded = json.loads(done.stderr)
    assert code == 0
    assert [name for name in SLOW if name in loaded] == []


def test_help_names_every_command():
    text = run(["--help"]).stdout
    assert [name for name in COMMANDS if name not in text] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_what_it_does_and_every_option_has_a_name(name):
    result = run([name, "--help"])
    assert result.exit_code == 0
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    assert command.help
    assert command.help.split("\n")[0].strip().endswith((".", ",", ":"))
    assert [p.name for p in command.params if (p.metavar or p.opts[0]) not in result.stdout] == []


def test_an_unknown_command_ends_with_the_exit_code_of_a_wrong_use():
    result = run(["prophesy"])
    assert result.exit_code == 2
    assert "No such command" in result.stderr
