"""Bad inputs for the commands that read a trial: cases as in bad_inputs.py."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from equipoise.ledger import Head
from equipoise.store.heads import publish_head
from tests.cli.bad_inputs import MANAGER, case, study, trial, written
from tests.dictionaries import write_meddra

PHYSICIAN = "physician.nz01:physician:NZ01"


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
def verify_of_a_folder_without_a_trial(folder: Path) -> list[str]:
    return ["verify", str(study(folder))]


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


@case
def backup_of_a_folder_without_a_trial(folder: Path) -> list[str]:
    return ["backup", str(study(folder)), str(folder / "copy")]


@case
def backup_of_a_trial_without_its_vault(folder: Path) -> list[str]:
    (folder / "trial" / "vault.sqlite").unlink()
    return ["backup", str(trial(folder).parent), str(folder / "copy")]


@case
def backup_into_the_trial_itself(folder: Path) -> list[str]:
    return ["backup", str(trial(folder).parent), str(trial(folder).parent)]


@case
def backup_of_a_damaged_trial(folder: Path) -> list[str]:
    half = _damage(trial(folder), lambda content: content[:16] + b"\xff" * 8000)
    return ["backup", half, str(folder / "copy")]


@case
def serve_of_a_folder_without_a_trial(folder: Path) -> list[str]:
    return ["serve", str(study(folder))]


@case
def serve_of_a_missing_folder(folder: Path) -> list[str]:
    return ["serve", str(folder / "nowhere")]


@case
def serve_beyond_this_machine_in_the_clear(folder: Path) -> list[str]:
    return ["serve", str(trial(folder)), "--host", "0.0.0.0"]


@case
def cast_of_a_folder_without_a_trial(folder: Path) -> list[str]:
    return ["cast", str(study(folder))]


@case
def invite_to_a_missing_folder(folder: Path) -> list[str]:
    return ["invite", str(folder / "nowhere"), "somebody"]


@case
def registry_results_of_a_missing_file(folder: Path) -> list[str]:
    return ["registry", "results", str(folder / "nowhere.sqlite")]


@case
def registry_results_of_a_half(folder: Path) -> list[str]:
    half = _damage(trial(folder), lambda content: content[: len(content) // 2])
    return ["registry", "results", half, "--out", str(folder / "record.json")]


@case
def registry_results_as_somebody_without_the_role(folder: Path) -> list[str]:
    return ["registry", "results", str(trial(folder)), "--as", "eve:data_manager"]


@case
def registry_results_into_a_folder_that_is_not_there(folder: Path) -> list[str]:
    return ["registry", "results", str(trial(folder)), "--out", str(folder / "nowhere" / "record.json")]


@case
def registry_record_of_a_missing_study(folder: Path) -> list[str]:
    return ["registry", "record", str(folder / "nowhere")]


# -- dictionaries


def _add(folder: Path, files: Path, account: str = MANAGER) -> list[str]:
    named = ["--name", "meddra", "--version", "28.1", "--as", account]
    return ["dictionary", "add", str(trial(folder)), str(files), *named]


@case
def dictionary_of_a_missing_folder(folder: Path) -> list[str]:
    return _add(folder, folder / "nowhere")


@case
def dictionary_that_is_damaged(folder: Path) -> list[str]:
    files = write_meddra(folder / "files")
    written(files / "pt.asc", (files / "pt.asc").read_bytes()[:40])
    return _add(folder, files)


@case
def dictionary_in_another_encoding(folder: Path) -> list[str]:
    files = write_meddra(folder / "files")
    written(files / "llt.asc", "10000011$Gl\u00fchen$".encode("latin-1"))
    return _add(folder, files)


@case
def dictionary_after_the_lock(folder: Path) -> list[str]:
    return _add(folder, write_meddra(folder / "files"))


@case
def dictionary_by_somebody_without_the_role(folder: Path) -> list[str]:
    return _add(folder, write_meddra(folder / "files"), PHYSICIAN)
