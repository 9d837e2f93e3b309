"""Bad inputs for every command: each is a folder that is prepared, and a command line that must fail in it.

The folder holds copies of a rehearsed trial (`trial/`, of the study DIPPER) and of two study folders.
"""

import errno
import os
import re
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest import mock

import typer.testing

from equipoise.cli.main import app

INVENTED = Path(__file__).parent.parent / "studies"
MANAGER = "data_manager:data_manager"
RUNNER = typer.testing.CliRunner(env={"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200"})

Case = Callable[[Path], list[str]]
CASES: dict[str, Case] = {}


def case(made: Case) -> Case:
    """Register a bad input under its function's name."""
    CASES[made.__name__] = made
    return made


def run(arguments: list[str]) -> typer.testing.Result:
    """Run a command line in this process."""
    return RUNNER.invoke(app, arguments)


def study(folder: Path, name: str = "dipper") -> Path:
    """Copy a study into the folder."""
    return Path(shutil.copytree(INVENTED / name, folder / name))


def written(path: Path, content: bytes) -> str:
    """Write a file and return its path."""
    path.write_bytes(content)
    return str(path)


def trial(folder: Path) -> Path:
    """Return the path of the rehearsed trial."""
    return folder / "trial" / "trial.sqlite"


# -- study folders


@case
def check_of_a_missing_folder(folder: Path) -> list[str]:
    return ["check", str(folder / "nowhere")]


@case
def check_of_an_empty_folder(folder: Path) -> list[str]:
    (folder / "empty").mkdir()
    return ["check", str(folder / "empty")]


@case
def check_of_a_file(folder: Path) -> list[str]:
    return ["check", written(folder / "study.yaml", b"id: x")]


@case
def check_of_a_binary_part(folder: Path) -> list[str]:
    written(study(folder) / "study.yaml", bytes(range(256)))
    return ["check", str(folder / "dipper")]


@case
def check_of_an_empty_part(folder: Path) -> list[str]:
    written(study(folder) / "analysis.yaml", b"")
    return ["check", str(folder / "dipper")]


@case
def check_of_a_dangling_name(folder: Path) -> list[str]:
    path = study(folder) / "schedule.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("[swimmer]", "[swimer]"), encoding="utf-8")
    return ["check", str(folder / "dipper")]


@case
def show_of_a_missing_folder(folder: Path) -> list[str]:
    return ["show", str(folder / "nowhere")]


@case
def show_into_a_folder_that_is_not_there(folder: Path) -> list[str]:
    return ["show", str(study(folder)), "--out", str(folder / "nowhere" / "synopsis.md")]


@case
def show_of_a_broken_study(folder: Path) -> list[str]:
    written(study(folder) / "eligibility.yaml", b"criteria: 3\n")
    return ["show", str(folder / "dipper")]


@case
def lock_of_a_broken_study(folder: Path) -> list[str]:
    written(study(folder) / "eligibility.yaml", b"criteria: 3\n")
    return ["lock", str(folder / "dipper")]


@case
def new_where_something_is(folder: Path) -> list[str]:
    return ["new", str(study(folder))]


# -- registry records


@case
def import_of_a_missing_file(folder: Path) -> list[str]:
    return ["import", str(folder / "nowhere.txt"), "--out", str(folder / "draft")]


@case
def import_of_a_folder(folder: Path) -> list[str]:
    return ["import", str(folder / "trial"), "--out", str(folder / "draft")]


@case
def import_of_an_empty_file(folder: Path) -> list[str]:
    return ["import", written(folder / "page.txt", b""), "--out", str(folder / "draft")]


@case
def import_of_a_binary_file(folder: Path) -> list[str]:
    return ["import", written(folder / "page.txt", bytes(range(256)) * 9), "--out", str(folder / "draft")]


@case
def import_of_json_that_is_no_record(folder: Path) -> list[str]:
    return ["import", written(folder / "page.json", b'{"a": [1]}'), "--out", str(folder / "draft")]


@case
def import_of_broken_json(folder: Path) -> list[str]:
    return ["import", written(folder / "page.json", b'{"a": ['), "--out", str(folder / "draft")]


# -- rehearsals


@case
def rehearse_of_a_missing_study(folder: Path) -> list[str]:
    return ["rehearse", str(folder / "nowhere"), "--out", str(folder / "new")]


@case
def rehearse_without_a_rehearsal(folder: Path) -> list[str]:
    (study(folder) / "rehearsal.yaml").unlink()
    return ["rehearse", str(folder / "dipper"), "--out", str(folder / "new")]


@case
def rehearse_in_an_unknown_scenario(folder: Path) -> list[str]:
    return ["rehearse", str(study(folder)), "--out", str(folder / "new"), "--scenario", "certain"]


@case
def rehearse_an_amendment_without_its_day(folder: Path) -> list[str]:
    return ["rehearse", str(study(folder)), "--out", str(folder / "new"), "--amend", str(folder / "dipper")]


@case
def rehearse_an_amendment_that_amends_nothing(folder: Path) -> list[str]:
    amended = ["--amend", str(study(folder)), "--amend-at", "30"]
    return ["rehearse", str(folder / "dipper"), "--out", str(folder / "new"), *amended]


@case
def rehearse_at_too_many_sites(folder: Path) -> list[str]:
    return ["rehearse", str(study(folder)), "--out", str(folder / "new"), "--sites", "9"]


@case
def rehearse_with_a_head_key_that_is_none(folder: Path) -> list[str]:
    (folder / "new").mkdir()
    key = folder / "new" / "head.key"
    key.touch(0o600)
    return ["rehearse", str(study(folder)), "--out", str(folder / "new")]


@case
def rehearse_with_more_than_the_list_has(folder: Path) -> list[str]:
    for name, old, new in (("allocation", "120", "6"), ("study", "enrolment: 60", "enrolment: 6")):
        path = (folder / "dipper" if (folder / "dipper").exists() else study(folder)) / f"{name}.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    return ["rehearse", str(folder / "dipper"), "--out", str(folder / "new"), "--participants", "12"]


@case
def rehearse_of_people_who_are_not_eligible(folder: Path) -> list[str]:
    path = study(folder) / "rehearsal.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("low: 14, high: 80", "low: 10, high: 12"), encoding="utf-8"
    )
    return ["rehearse", str(folder / "dipper"), "--out", str(folder / "new"), "--participants", "2"]


@case
def rehearse_into_a_trial(folder: Path) -> list[str]:
    return ["rehearse", str(study(folder)), "--out", str(folder / "trial")]


@case
def rehearse_into_a_file(folder: Path) -> list[str]:
    return ["rehearse", str(study(folder)), "--out", written(folder / "new", b"")]


@case
def rehearse_until_more_are_randomised_than_take_part(folder: Path) -> list[str]:
    arguments = ["--participants", "3", "--until-randomised", "4"]
    return ["rehearse", str(study(folder)), "--out", str(folder / "new"), *arguments]


@case
def rehearse_with_a_vault_key_that_others_can_read(folder: Path) -> list[str]:
    (folder / "new").mkdir()
    key = folder / "new" / "vault.key"
    shutil.copy(folder / "trial" / "vault.key", key)
    key.chmod(0o644)
    return ["rehearse", str(study(folder)), "--out", str(folder / "new")]


@case
def repeat_in_an_unknown_scenario(folder: Path) -> list[str]:
    arguments = ["--times", "2", "--scenario", "certain"]
    return ["repeat", str(study(folder)), "--out", str(folder / "new.json"), *arguments]


@case
def repeat_of_people_who_are_not_eligible(folder: Path) -> list[str]:
    path = study(folder) / "rehearsal.yaml"
    path.write_text(
        path.read_text(encoding="utf-8").replace("low: 14, high: 80", "low: 10, high: 12"), encoding="utf-8"
    )
    arguments = ["--times", "1", "--participants", "2"]
    return ["repeat", str(folder / "dipper"), "--out", str(folder / "new.json"), *arguments]


@case
def repeat_into_a_folder_that_is_not_there(folder: Path) -> list[str]:
    arguments = ["--times", "1", "--participants", "2"]
    return ["repeat", str(study(folder)), "--out", str(folder / "nowhere" / "new.json"), *arguments]


@case
def demo_into_a_folder_of_something_else(folder: Path) -> list[str]:
    return ["demo", "--no-serve", "--out", str(folder / "trial")]


@case
def demo_of_a_missing_study(folder: Path) -> list[str]:
    return ["demo", "--no-serve", "--out", str(folder / "new"), "--study", "nowhere"]


# -- amendments


def _amending(folder: Path, *options: str, account: str = "ada:administrator") -> list[str]:
    named = ["--as", account, "--title", "Amendment 1"]
    return ["amend", str(trial(folder)), str(folder / "dipper"), *named, *options]


def _second_version(folder: Path) -> Path:
    """A study folder that differs from the rehearsed trial's in its number alone."""
    path = study(folder) / "study.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"^version: .*$", 'version: "9"', text, flags=re.MULTILINE), encoding="utf-8")
    return path


@case
def amend_of_a_missing_trial(folder: Path) -> list[str]:
    study(folder)
    return ["amend", str(folder / "nowhere"), str(folder / "dipper"), "--as", "a:b", "--title", "x"]


@case
def amend_with_a_missing_study(folder: Path) -> list[str]:
    return _amending(folder, account=MANAGER)


@case
def amend_as_nobody(folder: Path) -> list[str]:
    _second_version(folder)
    return _amending(folder, account="eve:administrator")


@case
def amend_as_somebody_who_may_not(folder: Path) -> list[str]:
    path = _second_version(folder)
    path.write_text(path.read_text(encoding="utf-8") + "keywords: [one more]\n", encoding="utf-8")
    assert run(["lock", str(path.parent)]).exit_code == 0
    return _amending(folder, account=MANAGER)


@case
def amend_with_another_arm(folder: Path) -> list[str]:
    path = _second_version(folder)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("model: parallel", "model: factorial", 1), encoding="utf-8")
    return _amending(folder, "--check", account=MANAGER)


@case
def amend_with_a_folder_that_is_not_locked(folder: Path) -> list[str]:
    _second_version(folder)
    return _amending(folder, account=MANAGER)


# -- live trials


def _opening(folder: Path, administrator: str = "ada") -> list[str]:
    return ["open", str(folder / "dipper"), "--out", str(folder / "new"), "--administrator", administrator]


def _locked(folder: Path) -> Path:
    assert run(["lock", str(study(folder))]).exit_code == 0
    return folder / "dipper"


@case
def open_of_a_missing_study(folder: Path) -> list[str]:
    return _opening(folder)


@case
def open_of_a_broken_study(folder: Path) -> list[str]:
    written(study(folder) / "eligibility.yaml", b"criteria: 3\n")
    return _opening(folder)


@case
def open_of_a_study_with_drafts(folder: Path) -> list[str]:
    path = study(folder) / "eligibility.yaml"
    path.write_text(re.sub(r", when: .*\}", "}", path.read_text(encoding="utf-8")), encoding="utf-8")
    return _opening(folder)


@case
def open_of_a_study_that_is_not_locked(folder: Path) -> list[str]:
    study(folder)
    return _opening(folder)


@case
def open_of_a_study_that_was_changed_after_its_lock(folder: Path) -> list[str]:
    path = _locked(folder) / "study.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("enrolment: 60", "enrolment: 61"), "utf-8")
    return _opening(folder)


@case
def open_for_nobody(folder: Path) -> list[str]:
    _locked(folder)
    return _opening(folder, " ")


@case
def open_into_a_trial(folder: Path) -> list[str]:
    out = str(folder / "trial")
    return ["open", str(_locked(folder)), "--out", out, "--administrator", "ada"]


@case
def open_into_a_file(folder: Path) -> list[str]:
    written(folder / "new", b"")
    _locked(folder)
    return _opening(folder)


def full_disk() -> AbstractContextManager[Any]:
    """Let every text that is written meet a full disk."""
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "report.html")
    return mock.patch.object(Path, "write_text", side_effect=full)
