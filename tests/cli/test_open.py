"""A live trial is opened whole, and a rehearsal can be left under way for people to go on with."""

import re

import pytest

from equipoise.cli.trials import open_trial
from equipoise.enrolment.state import ParticipantRow
from equipoise.governance.state import GrantRow, TrialRow
from equipoise.rehearsal.rehearse import rehearse
from equipoise.store.heads import read_heads
from equipoise.store.identities import read_codes
from tests.cli.bad_inputs import run, study
from tests.postgresql import postgresql  # noqa: F401  (a fixture)
from tests.rehearsal.folders import load

FILES = {
    "head.key",
    "heads.jsonl",
    "identities.key",
    "identities.sqlite",
    "trial.sqlite",
    "vault.key",
    "vault.sqlite",
}


def opening(folder):
    assert run(["lock", str(study(folder))]).exit_code == 0
    return ["open", str(folder / "dipper"), "--out", str(folder / "live"), "--administrator", "ada"]


def names(folder):
    # A database's log and index of the log come and go with its readers.
    return {path.name for path in folder.iterdir() if not path.name.endswith(("-wal", "-shm"))}


def test_a_live_trial_has_all_that_a_clinic_needs_and_an_intact_ledger(tmp_path):
    result = run(opening(tmp_path))
    assert result.exit_code == 0, result.output
    folder = tmp_path / "live"
    assert names(folder) == FILES
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir() if path.name != "heads.jsonl")
    trial = open_trial(folder)
    (row,), (grant,) = trial.tables.all(TrialRow), trial.tables.all(GrantRow)
    assert (row.mode, row.status) == ("live", "open")
    assert (grant.account, grant.role) == ("ada", "administrator")
    (published,) = read_heads(folder / "heads.jsonl")
    assert (published.head, published.occasion) == (trial.head, "opening")
    assert read_codes(folder / "identities.sqlite") == ()
    assert "published 1 head, all in the chain" in run(["verify", str(folder)]).stdout


def test_opening_says_what_was_made_and_what_comes_next(tmp_path):
    said = run(opening(tmp_path)).stdout
    assert sorted(FILES) == sorted(re.findall(r"\w+\.(?:sqlite|key|jsonl)", said))
    assert said.splitlines()[-1] == f"next      equipoise serve {tmp_path / 'live'}"


def test_a_database_that_cannot_be_used_leaves_nothing_behind(tmp_path, monkeypatch):
    arguments = opening(tmp_path)
    monkeypatch.setenv("EQUIPOISE_DATABASE_URL", "mysql://ada@localhost/trials")
    result = run(arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith("STORE-URL: ")
    assert not (tmp_path / "live").exists()


def test_a_live_trial_is_kept_in_the_database_that_the_setting_names(tmp_path, monkeypatch, postgresql):  # noqa: F811
    arguments, url = opening(tmp_path), postgresql.make()
    monkeypatch.setenv("EQUIPOISE_DATABASE_URL", url)
    try:
        result = run(arguments)
        assert result.exit_code == 0, result.output
        assert names(tmp_path / "live") == FILES - {"trial.sqlite"}
        assert "published 1 head, all in the chain" in run(["verify", str(tmp_path / "live")]).stdout
        again = run([*arguments, "--out", str(tmp_path / "second")])
        assert again.exit_code == 1
        assert again.stderr.startswith("STORE-EXISTS: ")
        assert not (tmp_path / "second").exists()
    finally:
        postgresql.drop(url)


@pytest.fixture(scope="module")
def under_way(tmp_path_factory):
    folder = tmp_path_factory.mktemp("under_way")
    arguments = ["--participants", "12", "--until-randomised", "7"]
    result = run(["rehearse", str(study(folder)), "--out", str(folder / "trial"), *arguments])
    assert result.exit_code == 0, result.output
    return folder / "trial", result.stdout


def test_a_rehearsal_left_under_way_is_the_first_part_of_the_whole_one(under_way):
    folder, _ = under_way
    kept = list(open_trial(folder).ledger.read())
    whole = rehearse(load("dipper"), seed=1, scenario="null", participants=12)
    ledger = list(whole.trial.ledger.read())
    assert kept == ledger[: len(kept)]
    assert len(kept) < len(ledger)


def test_a_rehearsal_left_under_way_can_be_gone_on_with(under_way):
    folder, said = under_way
    assert names(folder) == FILES
    trial = open_trial(folder)
    assert next(iter(trial.tables.all(TrialRow))).status == "open"
    assert any(row.status == "screening" for row in trial.tables.all(ParticipantRow))
    assert "randomised 7, scenario null, seed 1" in said
    assert re.search(r"^stands    at the end of \d{4}-\d\d-\d\d: \d+ quer", said, re.MULTILINE)
    assert said.splitlines()[-1] == f"next      equipoise serve {folder}"
    assert "published 1 head, all in the chain" in run(["verify", str(folder)]).stdout
