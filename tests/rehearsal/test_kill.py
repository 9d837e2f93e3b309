"""Killed at any moment, a trial has lost nothing that it acknowledged, is whole, and can be recorded on."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from equipoise.conduct.verify import verify_trial
from equipoise.definition.lock import canonical_json
from equipoise.ledger.entry import Head
from equipoise.store.trial_store import StoreUnreadable, TrialStore
from equipoise.store.vault import DatabaseVault
from tests.rehearsal.folders import load
from tests.rehearsal.kill_child import KEY, STUDY, open_trial, plaintext, record_on

ROOT = Path(__file__).parent.parent.parent
FRESH_TRIALS = 9
KILLS_PER_TRIAL = 5
KILLED = f"end {-signal.SIGKILL}"


class Child:
    """The process that forks workers, and kills them."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.rehearsal.kill_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        )
        assert self.process.stdin is not None and self.process.stdout is not None
        self.orders, self.answers = self.process.stdin, self.process.stdout

    def run_and_kill(self, do, folder, chance, acknowledgements, spins=60_000):
        """Let a worker write, kill it a little after so many acknowledgements, return all that it wrote."""
        order = {"do": do, "folder": str(folder), "seed": chance.randrange(1_000_000)}
        self.orders.write(json.dumps(order) + "\n")
        self.orders.flush()
        pid, told, started = None, [], False
        while pid is None or not started or len(told) < acknowledgements:
            line = self.read()
            if line.startswith("pid "):
                pid = int(line.removeprefix("pid "))
            elif line == "start":
                started = True
            else:
                assert not line.startswith("end"), f"the worker ended by itself: {line}"
                told.append(line)
        # Not at the acknowledgement itself, but somewhere in what follows upon it.
        for _ in range(chance.randrange(spins)):
            pass
        os.kill(pid, signal.SIGKILL)
        while not (line := self.read()).startswith("end"):
            told.append(line)
        assert line == KILLED
        return told

    def read(self):
        line = self.answers.readline()
        assert line, "the child is gone"
        return line.rstrip("\n")

    def close(self):
        self.orders.close()
        assert self.process.wait() == 0
        self.answers.close()


@pytest.fixture(scope="module")
def child():
    started = Child()
    yield started
    started.close()


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """An empty trial and its vault, to be copied: making one takes longer than filling it."""
    folder = tmp_path_factory.mktemp("template")
    definition = load(STUDY)
    TrialStore.create(folder / "trial.sqlite", definition.hash, canonical_json(definition)).close()
    DatabaseVault.create(folder / "vault.sqlite", KEY).close()
    return folder


def check_trial(folder, told, number):
    """All that was promised is there, all of it is sound, and it goes on."""
    promised = [Head(int(position), digest) for position, digest in (line.split() for line in told)]
    store = TrialStore.open(folder / "trial.sqlite")
    report = verify_trial(store, promised)
    assert report.intact, report.problems
    assert not promised or report.entries >= promised[-1].position
    trial = open_trial(folder, f"check {number}", acknowledging=False)
    before = trial.head.position
    record_on(trial, number)
    assert trial.head.position > before
    store.close()
    return before


def test_law_a_trial_that_is_killed_has_lost_nothing(child, template, tmp_path):
    chance = random.Random(20260512)
    lost_at, kills = set(), 0
    for trial in range(FRESH_TRIALS):
        folder = shutil.copytree(template, tmp_path / f"trial-{trial}")
        for number in range(KILLS_PER_TRIAL):
            do = "continue" if number else "rehearse"
            told = child.run_and_kill(do, folder, chance, chance.randrange(90 if number == 0 else 25))
            lost_at.add(check_trial(folder, told, number))
            kills += 1
    assert kills == FRESH_TRIALS * KILLS_PER_TRIAL
    # The kills fell on different places, so that they tested more than one.
    assert len(lost_at) > kills // 2


def test_law_a_vault_that_is_killed_has_lost_nothing(child, template, tmp_path):
    chance = random.Random(7)
    folder = shutil.copytree(template, tmp_path / "vault")
    kept = 0
    for _ in range(6):
        told = child.run_and_kill("seal", folder, chance, chance.randrange(40))
        vault = DatabaseVault(folder / "vault.sqlite", KEY)
        names = vault.names()
        assert {int(name) for name in names} == set(range(len(names)))
        assert set(told) <= set(names)
        # At most the record that was under way is there without having been acknowledged.
        assert len(names) - kept - len(told) in (0, 1)
        assert all(vault.open(name) == plaintext(int(name)) for name in names)
        vault.seal(str(len(names)), plaintext(len(names)))
        kept = len(names) + 1
        vault.close()


def test_a_trial_that_is_killed_while_it_is_made_is_refused_or_whole(child, tmp_path):
    chance = random.Random(11)
    for number in range(5):
        folder = tmp_path / f"made-{number}"
        folder.mkdir()
        child.run_and_kill("create", folder, chance, 0, spins=6_000_000)
        path = folder / "trial.sqlite"
        try:
            store = TrialStore.open(path)
        except StoreUnreadable as error:
            assert error.code in ("STORE-MISSING", "STORE-NOT-A-TRIAL", "STORE-RELEASE", "STORE-DAMAGED")
        else:
            assert list(store.ledger.read()) == []
            store.close()
