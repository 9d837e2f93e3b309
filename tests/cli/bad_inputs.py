"""Bad inputs for every command: each is a folder that is prepared, and a command line that must fail in it.

The folder holds copies of a rehearsed trial (`trial/`, of the study DIPPER) and of two study folders.
"""

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest import mock

import typer.testing

from equipoise.cli.main import app
from equipoise.ledger import Head
from equipoise.store.heads import publish_head

INVENTED = Path(__file__).parent.parent / "studies"
PHYSICIAN = "physician.nz01:physician:NZ01"
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


# -- trials on disk


def _damage(path: Path, damage: Callable[[bytes], bytes]) -> str:
    return written(path, damage(path.read_bytes()))


def _flip(content: bytes) -> bytes:
    place = content.index(b"ParticipantConsented")
    return content[:place] + b"p" + content[place + 1 :]


def _tampered(folder: Path) -> str:
    path = trial(folder)
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE ledger SET body = replace(body, 'NZ01-001', 'NZ01-002') WHERE position > 20"
        )
    connection.close()
    return str(path)


@case
def verify_of_a_missing_file(folder: Path) -> list[str]:
    return ["verify", str(folder / "nowhere.sqlite")]


@case
def verify_of_a_folder(folder: Path) -> list[str]:
    return ["verify", str(folder / "trial")]


@case
def verify_of_an_empty_file(folder: Path) -> list[str]:
    return ["verify", written(folder / "empty.sqlite", b"")]


@case
def verify_of_a_text(folder: Path) -> list[str]:
    return ["verify", written(folder / "text.sqlite", b"Dear colleague, " * 400)]


@case
def verify_of_another_database(folder: Path) -> list[str]:
    with sqlite3.connect(folder / "other.sqlite") as connection:
        connection.execute("CREATE TABLE swimmers (name TEXT)")
    connection.close()
    return ["verify", str(folder / "other.sqlite")]


@case
def verify_of_the_vault(folder: Path) -> list[str]:
    return ["verify", str(folder / "trial" / "vault.sqlite")]


@case
def verify_of_a_half(folder: Path) -> list[str]:
    return ["verify", _damage(trial(folder), lambda content: content[: len(content) // 2])]


@case
def verify_of_a_flipped_byte(folder: Path) -> list[str]:
    return ["verify", _damage(trial(folder), _flip)]


@case
def verify_of_changed_entries(folder: Path) -> list[str]:
    return ["verify", _tampered(folder)]


@case
def verify_quickly_of_changed_entries(folder: Path) -> list[str]:
    return ["verify", _tampered(folder), "--quick"]


@case
def verify_against_heads_that_are_none(folder: Path) -> list[str]:
    return ["verify", str(trial(folder)), "--heads", written(folder / "heads.jsonl", b"\xff\x00{}\n")]


def _signed(folder: Path) -> Path:
    """Publish two heads with keys that are the same in every run."""
    heads = folder / "heads.jsonl"
    for key in (bytes(32), bytes(range(32))):
        publish_head(heads, Head.genesis(), "database lock", key)
    return heads


@case
def verify_against_heads_of_two_keys(folder: Path) -> list[str]:
    return ["verify", str(trial(folder)), "--heads", str(_signed(folder))]


@case
def verify_against_heads_of_another_key(folder: Path) -> list[str]:
    return ["verify", str(trial(folder)), "--heads", str(_signed(folder)), "--public-key", "0" * 64]


@case
def verify_with_a_public_key_that_is_none(folder: Path) -> list[str]:
    return ["verify", str(trial(folder)), "--public-key", "secret"]


@case
def verify_against_changed_heads(folder: Path) -> list[str]:
    heads = _signed(folder)
    heads.write_bytes(heads.read_bytes().replace(b"lock", b"look"))
    return ["verify", str(trial(folder)), "--heads", str(heads)]


@case
def verify_with_a_public_key_and_no_heads(folder: Path) -> list[str]:
    (folder / "trial" / "heads.jsonl").unlink()
    return ["verify", str(trial(folder)), "--public-key", "0" * 64]


@case
def verify_quickly_with_a_public_key(folder: Path) -> list[str]:
    return ["verify", str(trial(folder)), "--quick", "--public-key", "0" * 64]


@case
def verify_against_missing_heads(folder: Path) -> list[str]:
    return ["verify", str(trial(folder)), "--heads", str(folder / "nowhere.jsonl")]


@case
def view_of_a_half(folder: Path) -> list[str]:
    half = _damage(trial(folder), lambda content: content[: len(content) // 2])
    return ["view", half, "trial", "--as", MANAGER]


@case
def view_of_a_flipped_byte(folder: Path) -> list[str]:
    return ["view", _damage(trial(folder), _flip), "trial", "--as", MANAGER]


@case
def view_of_changed_entries(folder: Path) -> list[str]:
    return ["view", _tampered(folder), "trial", "--as", MANAGER]


@case
def view_as_nobody(folder: Path) -> list[str]:
    return ["view", str(trial(folder)), "trial", "--as", "physician"]


@case
def view_as_a_role_that_is_not(folder: Path) -> list[str]:
    return ["view", str(trial(folder)), "trial", "--as", "eve:king"]


@case
def view_as_somebody_without_the_role(folder: Path) -> list[str]:
    return ["view", str(trial(folder)), "trial", "--as", "eve:data_manager"]


@case
def view_of_something_else(folder: Path) -> list[str]:
    return ["view", str(trial(folder)), "secrets", "--as", MANAGER]


@case
def view_of_a_day_that_is_none(folder: Path) -> list[str]:
    arguments = ["--participant", "NZ01-001", "--on", "31 May"]
    return ["view", str(trial(folder)), "timeline", "--as", PHYSICIAN, *arguments]


@case
def view_of_a_participant_who_is_not(folder: Path) -> list[str]:
    return ["view", str(trial(folder)), "records", "--as", PHYSICIAN, "--participant", "NZ01-999"]


@case
def view_without_the_vault_key(folder: Path) -> list[str]:
    (folder / "trial" / "vault.key").unlink()
    return ["view", str(trial(folder)), "trial", "--as", MANAGER]


@case
def view_with_a_vault_key_that_others_can_read(folder: Path) -> list[str]:
    (folder / "trial" / "vault.key").chmod(0o640)
    return ["view", str(trial(folder)), "trial", "--as", MANAGER]


@case
def view_with_another_vault_key(folder: Path) -> list[str]:
    key = folder / "trial" / "vault.key"
    key.write_bytes(b"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=\n")
    return ["view", str(trial(folder)), "trial", "--as", MANAGER]


@case
def report_of_a_missing_file(folder: Path) -> list[str]:
    return ["report", str(folder / "nowhere.sqlite"), "--as", MANAGER, "--out", str(folder / "new")]


@case
def report_of_a_half(folder: Path) -> list[str]:
    half = _damage(trial(folder), lambda content: content[: len(content) // 2])
    return ["report", half, "--as", MANAGER, "--out", str(folder / "new")]


@case
def report_as_nobody(folder: Path) -> list[str]:
    return ["report", str(trial(folder)), "--as", "eve", "--out", str(folder / "new")]


@case
def report_as_a_role_that_is_not(folder: Path) -> list[str]:
    return ["report", str(trial(folder)), "--as", "eve:king", "--out", str(folder / "new")]


@case
def report_into_a_file(folder: Path) -> list[str]:
    return ["report", str(trial(folder)), "--as", MANAGER, "--out", written(folder / "new", b"")]


def full_disk() -> AbstractContextManager[Any]:
    """Let every text that is written meet a full disk."""
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "report.html")
    return mock.patch.object(Path, "write_text", side_effect=full)
