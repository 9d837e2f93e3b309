"""A bad input ends a command with exit code 1, one sentence with a stable code, and nothing half-written.

The sentences stand in messages.txt, which EQUIPOISE_MESSAGES=write has the tests write anew.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tests.cli.bad_design_reports
import tests.cli.bad_designs
import tests.cli.bad_exports
import tests.cli.bad_trials  # noqa: F401  (adds its cases)
from tests.cli.bad_inputs import CASES, MANAGER, full_disk, run, study, trial

SOURCE = Path(__file__).parent.parent.parent / "src"
MESSAGES = Path(__file__).parent / "messages.txt"
CODE = re.compile(r"(^|\s)(error |warning )?[A-Z][A-Z0-9]*(-[A-Z0-9]+)*: ", re.MULTILINE)
WRITE = os.environ.get("EQUIPOISE_MESSAGES") == "write"


def read_messages():
    """The messages by case: a line `== name`, then the lines of the message."""
    parts = re.split(r"^== (\w+)\n", MESSAGES.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], (text.strip() for text in parts[2::2]), strict=True))


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory):
    """A small trial of DIPPER on disk."""
    folder = tmp_path_factory.mktemp("rehearsed")
    arguments = ["rehearse", str(study(folder)), "--out", str(folder / "trial"), "--participants", "5"]
    result = run(arguments)
    assert result.exit_code == 0, result.output
    return folder / "trial"


@pytest.fixture
def folder(rehearsed, tmp_path):
    shutil.copytree(rehearsed, tmp_path / "trial")
    return tmp_path


@pytest.fixture(scope="module")
def told():
    """What the commands of this run said, to be written when it is asked for."""
    messages: dict[str, str] = {}
    yield messages
    if WRITE:
        text = "".join(f"== {name}\n{message}\n\n" for name, message in sorted(messages.items()))
        MESSAGES.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def contents(folder):
    # A database's log and index of the log come and go with its readers.
    return {
        path.relative_to(folder): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
        if not path.name.endswith(("-wal", "-shm"))
    }


@pytest.mark.parametrize("name", CASES)
def test_a_bad_input_is_named_and_leaves_nothing_behind(name, folder, told):
    arguments = CASES[name](folder)
    before = contents(folder)
    result = run(arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == 1
    message = re.sub(r"\x1b\[[0-9;]*m", "", result.stderr or result.stdout)
    message = message.replace(str(folder), "FOLDER").strip()
    assert CODE.search(message), message
    assert "Traceback" not in message
    assert contents(folder) == before
    told[name] = message
    if not WRITE:
        assert message == read_messages()[name]


def test_every_message_belongs_to_a_case():
    assert WRITE or read_messages().keys() == CASES.keys()


def test_a_full_disk_ends_a_report_with_a_sentence(folder):
    with full_disk():
        result = run(["report", str(trial(folder)), "--as", MANAGER, "--out", str(folder / "new")])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("FILE: report.html: No space left on device.")


def test_a_full_disk_ends_a_rehearsal_and_leaves_nothing_behind(folder):
    with full_disk():
        result = run(["rehearse", str(study(folder)), "--out", str(folder / "new"), "--participants", "2"])
    assert result.exit_code == 1
    assert "FILE: report.html: No space left on device." in result.stderr
    assert not (folder / "new").exists()


SMALL_DISK = """
import resource, sys
from equipoise.cli.main import main
# The same to a program as a disk that is full: a file that cannot grow beyond this many bytes.
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
sys.argv = ["equipoise", *sys.argv[1:]]
main()
"""


def test_a_disk_that_fills_up_ends_a_rehearsal_and_leaves_nothing_behind(tmp_path):
    arguments = ["rehearse", str(study(tmp_path)), "--out", str(tmp_path / "new"), "--participants", "60"]
    done = subprocess.run(
        [sys.executable, "-c", SMALL_DISK, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    assert done.returncode == 1
    assert re.match(r"STORE-[A-Z]+: ", done.stderr), done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "new").exists()
