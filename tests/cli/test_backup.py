"""A trial is copied while it is in use; with its keys beside it the copy is the trial again."""

import shutil
import sqlite3
from contextlib import closing

import pytest

from equipoise.cli.trials import open_trial
from equipoise.ledger import Head
from equipoise.store.heads import HEAD_KEY, publish_head
from equipoise.store.sealing import read_key
from tests.cli.bad_inputs import run, study


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    arguments = ["--participants", "8", "--until-randomised", "4"]
    result = run(["rehearse", str(study(folder)), "--out", str(folder / "trial"), *arguments])
    assert result.exit_code == 0, result.output
    return folder / "trial"


@pytest.fixture
def folder(kept, tmp_path):
    shutil.copytree(kept, tmp_path / "trial")
    return tmp_path


@pytest.mark.requirement("G15", "P7")
def test_spec_a_copy_is_the_trial_without_its_keys_and_verifies(folder):
    result = run(["backup", str(folder / "trial"), str(folder / "copy")])
    assert result.exit_code == 0, result.output
    names = {path.name for path in (folder / "copy").iterdir()}
    assert names == {"trial.sqlite", "vault.sqlite", "identities.sqlite", "heads.jsonl"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in (folder / "copy").glob("*.sqlite"))
    assert "not here  the keys" in result.stdout
    verified = run(["verify", str(folder / "copy")])
    assert verified.exit_code == 0, verified.output
    assert "published 1 head, all in the chain" in verified.stdout


@pytest.mark.requirement("G15", "P7")
def test_spec_a_trial_goes_on_from_its_copy_and_its_keys(folder):
    before = open_trial(folder / "trial")
    assert run(["backup", str(folder / "trial"), str(folder / "copy")]).exit_code == 0
    for key in (folder / "trial").glob("*.key"):
        shutil.copy(key, folder / "copy" / key.name)
    shutil.rmtree(folder / "trial")
    restored = open_trial(folder / "copy")
    assert restored.head == before.head
    assert restored.tables.digest() == before.tables.digest()


@pytest.mark.requirement("G15")
def test_a_copy_is_of_the_last_commit_while_somebody_writes(folder):
    place = folder / "trial" / "trial.sqlite"
    with closing(sqlite3.connect(place, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE ledger_head SET position = 0")
        assert run(["backup", str(folder / "trial"), str(folder / "copy")]).exit_code == 0
        writer.execute("ROLLBACK")
    assert run(["verify", str(folder / "copy")]).exit_code == 0


def test_heads_are_copied_before_the_trial(folder, monkeypatch):
    """A head that is given out during the copying would otherwise name an entry that the copy lacks."""
    trial = folder / "trial"
    order = []
    from equipoise.store import trial_store

    real = trial_store.snapshot

    def snapshot(source, target):
        order.append(target.name)
        assert (target.parent / "heads.jsonl").exists()
        key = read_key(trial / HEAD_KEY.file, HEAD_KEY)
        publish_head(trial / "heads.jsonl", Head(10**6, "0" * 64), "later", key)
        real(source, target)

    monkeypatch.setattr(trial_store, "snapshot", snapshot)
    assert run(["backup", str(trial), str(folder / "copy")]).exit_code == 0
    assert order == ["trial.sqlite", "identities.sqlite", "vault.sqlite"]
    assert run(["verify", str(folder / "copy")]).exit_code == 0


def test_nothing_is_put_over_an_earlier_copy(folder):
    (folder / "copy").mkdir()
    (folder / "copy" / "notes.txt").write_text("mine")
    result = run(["backup", str(folder / "trial"), str(folder / "copy")])
    assert result.exit_code == 1
    assert result.stderr.startswith("OUT-EXISTS: ")
    assert [path.name for path in (folder / "copy").iterdir()] == ["notes.txt"]


def test_a_trial_on_a_server_is_left_to_the_servers_own_means(folder, monkeypatch):
    (folder / "trial" / "trial.sqlite").unlink()
    monkeypatch.setenv("EQUIPOISE_DATABASE_URL", "postgresql://ada@localhost/trials")
    result = run(["backup", str(folder / "trial"), str(folder / "copy")])
    assert result.exit_code == 0, result.output
    assert not (folder / "copy" / "trial.sqlite").exists()
    assert "The database trials, where the trial is: dump it with pg_dump" in result.stdout


@pytest.mark.requirement("G15")
def test_spec_the_files_of_scans_are_copied_and_those_on_their_way_are_not(folder):
    kept, incoming = folder / "trial" / "scans" / ("a" * 64), folder / "trial" / "scans" / "incoming-1"
    kept.parent.mkdir(mode=0o700)
    kept.write_bytes(b"a scan")
    incoming.write_bytes(b"half of one")
    result = run(["backup", str(folder / "trial"), str(folder / "copy")])
    assert result.exit_code == 0, result.output
    copied = folder / "copy" / "scans"
    assert {path.name: path.read_bytes() for path in copied.iterdir()} == {kept.name: b"a scan"}
    assert copied.stat().st_mode & 0o077 == 0
