"""`equipoise dictionary add`: a dictionary goes into a trial whole, once, and in the name of an account."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from equipoise.conduct.rooms import apply_entry
from equipoise.definition.lock import canonical_json
from equipoise.ledger import Tables
from equipoise.store.trial_store import TrialStore
from tests.cli.bad_inputs import run
from tests.coding.test_coding import Coding
from tests.dictionaries import invented, write_meddra


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    """A trial on disk, with two adverse events to be coded."""
    clinic = Coding(tmp_path / "clinic")
    for term in ("Shimmers", "Humming"):
        clinic.event(term)
    path = tmp_path / "trial.sqlite"
    store = TrialStore.create(path, clinic.definition.hash, canonical_json(clinic.definition))
    entries, tables = list(clinic.ledger.read()), Tables()
    tables.begin()
    for entry in entries:
        apply_entry(tables, entry)
    with store.ledger.exclusive() as transaction:
        transaction.append(entries, tables.changes())
    store.close()
    return path


def add(trial: Path, files: Path, version: str = "28.1", account: str = "dana:data_manager") -> list[str]:
    named = ["--name", "meddra", "--version", version, "--as", account]
    return ["dictionary", "add", str(trial), str(files), *named]


def kept(trial: Path) -> dict[str, int] | None:
    store = TrialStore.open(trial)
    counts = store.dictionaries.counts(invented()["meddra"].sha256)
    store.close()
    return counts


def test_spec_a_dictionary_is_loaded_and_the_trial_is_intact(trial: Path, tmp_path: Path) -> None:
    files = write_meddra(tmp_path / "files")
    result = run(add(trial, files))
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[:3] == [
        "added     MedDRA 28.1",
        "terms     LLT 9, PT 3, HLT 2, HLGT 2, SOC 2",
        "current   8 of the lowest level",
    ]
    assert run(["verify", str(trial)]).exit_code == 0
    (line,) = run(["view", str(trial), "dictionaries", "--as", "dana:data_manager"]).output.splitlines()
    assert json.loads(line)["sha256"] == invented()["meddra"].sha256
    lines = run(["view", str(trial), "coding", "--as", "dana:data_manager"]).output.splitlines()
    assert [(json.loads(each)["verbatim"], json.loads(each)["status"]) for each in lines] == [
        ("Shimmers", "uncoded"),
        ("Humming", "uncoded"),
    ]


def test_spec_a_refused_dictionary_leaves_nothing_behind(trial: Path, tmp_path: Path) -> None:
    files = write_meddra(tmp_path / "files")
    refused = run(add(trial, files, account="priya:investigator:SE01"))
    assert (refused.exit_code, "ACC-COMMAND" in refused.output + refused.stderr) == (1, True)
    assert kept(trial) is None


def test_a_dictionary_that_is_in_use_stays_when_it_is_added_twice(trial: Path, tmp_path: Path) -> None:
    files = write_meddra(tmp_path / "files")
    assert run(add(trial, files)).exit_code == 0
    twice = run(add(trial, files))
    assert (twice.exit_code, "COD-TWICE" in twice.output + twice.stderr) == (1, True)
    assert kept(trial) is not None


def test_spec_verification_finds_terms_that_were_changed_and_warns_of_those_that_are_gone(
    trial: Path, tmp_path: Path
) -> None:
    assert run(add(trial, write_meddra(tmp_path / "files"))).exit_code == 0
    with closing(sqlite3.connect(trial)) as database, database:
        database.execute("UPDATE dictionary_term SET text = 'Glimmering of the toes' WHERE code = '10000012'")
    changed = run(["verify", str(trial)])
    assert (changed.exit_code, "VERIFY-DICTIONARY" in changed.stderr) == (1, True)
    assert "MedDRA 28.1" in changed.stderr
    store = TrialStore.open(trial)
    store.dictionaries.remove(invented()["meddra"].sha256)
    store.close()
    gone = run(["verify", str(trial)])
    assert gone.exit_code == 0, gone.output
    assert "warning VERIFY-DICTIONARY" in gone.stdout
