"""A trial on disk is amended from a study folder, whole or not at all."""

import re
from pathlib import Path
from typing import Any

import pytest

from equipoise.access.actor import Actor
from equipoise.cli.trials import open_trial
from equipoise.conduct.verify import verify_trial
from equipoise.governance.commands import GrantRole
from equipoise.governance.state import VersionRow
from equipoise.store.trial_store import TrialStore
from tests.cli.bad_inputs import run, study

ADA = "ada:administrator"


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """A live trial of a study whose folder lies beside it."""
    assert run(["lock", str(study(tmp_path))]).exit_code == 0
    opening = ["open", str(tmp_path / "dipper"), "--out", str(tmp_path / "live"), "--administrator", "ada"]
    assert run(opening).exit_code == 0
    return tmp_path / "live"


def change(live: Path, name: str, old: str, new: str) -> None:
    path = live.parent / "dipper" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def raise_version(live: Path) -> None:
    path = live.parent / "dipper" / "study.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"^version: .*$", 'version: "7.0"', text, count=1, flags=re.MULTILINE), "utf-8")


def amend(live: Path, *options: str) -> Any:
    folder = str(live.parent / "dipper")
    return run(["amend", str(live), folder, "--as", ADA, "--title", "Amendment 1", *options])


def test_a_trial_is_amended_and_verifies(live: Path) -> None:
    raise_version(live)
    change(live, "study.yaml", "planned_enrolment: 60", "planned_enrolment: 66")
    checked = amend(live, "--check")
    assert checked.exit_code == 0, checked.output
    assert "study/planned_enrolment" in checked.stdout and "2 changes, and nothing" in checked.stdout
    assert len(list(open_trial(live).tables.all(VersionRow))) == 1
    assert amend(live).exit_code == 1, "the folder is not locked"
    assert run(["lock", str(live.parent / "dipper")]).exit_code == 0
    done = amend(live, "--minor", "--reconsent")
    assert done.exit_code == 0, done.output
    assert "amended   version 7.0, entry 3" in done.stdout
    trial = open_trial(live)
    assert (trial.definition.study.version, trial.definition.study.planned_enrolment) == ("7.0", 66)
    rows = {row.number: (row.substantial, row.reconsent) for row in trial.tables.all(VersionRow)}
    assert rows == {1: (True, False), 2: (False, True)}
    assert verify_trial(TrialStore.open(live / "trial.sqlite")).intact


def test_a_check_says_what_would_be_refused_and_the_reason_is_recorded(live: Path) -> None:
    change(live, "study.yaml", "planned_enrolment: 60", "planned_enrolment: 66")
    checked = amend(live, "--check")
    assert checked.exit_code == 1 and checked.stderr.startswith("GOV-AMEND-VERSION")
    raise_version(live)
    assert run(["lock", str(live.parent / "dipper")]).exit_code == 0
    assert amend(live, "--reason", "The authority asked for it.").exit_code == 0
    entry = list(open_trial(live).ledger.read())[-1]
    assert (entry.kind, entry.reason) == ("StudyAmended", "The authority asked for it.")


def test_what_the_trial_cannot_take_is_said_place_by_place_and_nothing_is_recorded(live: Path) -> None:
    raise_version(live)
    change(live, "study.yaml", "model: ", "model: factorial # ")
    result = amend(live)
    assert result.exit_code == 1
    assert "AMEND-DESIGN" in result.stdout and "study/model" in result.stdout
    assert result.stderr.startswith("AMEND-OBSTACLE: The trial cannot take 1 of these changes.")
    assert len(list(open_trial(live).tables.all(VersionRow))) == 1


def test_an_amended_trial_leaves_with_its_amendment_and_comes_back(live: Path) -> None:
    raise_version(live)
    change(live, "study.yaml", "planned_enrolment: 60", "planned_enrolment: 66")
    assert run(["lock", str(live.parent / "dipper")]).exit_code == 0
    assert amend(live).exit_code == 0
    trial = open_trial(live)
    role = next(role.id for role in trial.definition.study.roles if role.kind == "data_manager")
    granted = trial.record(Actor("ada", "administrator"), GrantRole(account="dana", role=role, site=None))
    assert isinstance(granted, tuple), granted
    reader = ["--reader", f"dana:{role}"]
    for name, words in (("usdm", '"number": "1"'), ("odm2", 'OID="MDV.7.0"'), ("odm132", 'OID="MDV.7.0"')):
        out = live.parent / name
        written = run(["export", str(live), "--format", name, "--out", str(out), *reader])
        assert written.exit_code == 0, written.output
        assert words in out.read_text(encoding="utf-8")
        read = run(["import", str(out), "--out", str(live.parent / f"{name}-draft")])
        assert read.exit_code == 0, read.output
