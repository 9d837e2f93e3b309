"""Writes onto a disk until it is killed: it forks a worker for every line that it reads.

A line is JSON: `do` (create, rehearse, continue, seal), `folder`, `seed`. The worker writes `start`, then a
line for everything that was acknowledged to it, straight to standard output: what a line says was promised
before the worker died. After the worker's death this process writes `end`.
"""

import json
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from equipoise.access.actor import SYSTEM
from equipoise.access.refusal import Refusal
from equipoise.conduct.entropy import SeededEntropy
from equipoise.conduct.trial import Trial
from equipoise.definition.lock import canonical_json
from equipoise.enrolment.commands import ConsentParticipant
from equipoise.governance.commands import GrantRole, OpenTrial
from equipoise.governance.state import SiteRow, TrialRow
from equipoise.ledger.entry import Entry, Head
from equipoise.ledger.protocol import Ledger, LedgerTransaction
from equipoise.ledger.receipts import Receipt
from equipoise.rehearsal.cast import Cast
from equipoise.rehearsal.rehearse import rehearse
from equipoise.rehearsal.world import SimulatedClock
from equipoise.store import setup
from equipoise.store.trial_store import TrialStore
from equipoise.store.vault import DatabaseVault
from tests.rehearsal.folders import load

STUDY = "tern"
KEY = bytes(range(32))
RECORDS = 100_000


def acknowledge(text: str) -> None:
    """Write a line past every buffer."""
    os.write(1, f"{text}\n".encode())


class AcknowledgingLedger:
    """A ledger that says so once a transaction is committed."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def head(self) -> Head:
        return self._ledger.head()

    def read(self, after: int = 0) -> Iterator[Entry]:
        return self._ledger.read(after)

    def receipts(self, keys: Sequence[str]) -> Mapping[str, Receipt]:
        return self._ledger.receipts(keys)

    @contextmanager
    def exclusive(self) -> Iterator[LedgerTransaction]:
        with self._ledger.exclusive() as transaction:
            yield transaction
        head = self._ledger.head()
        acknowledge(f"{head.position} {head.hash}")


def open_trial(folder: Path, seed: str, *, acknowledging: bool) -> Trial:
    """Open the trial of a folder, some time after it was last written to."""
    store = TrialStore.open(folder / "trial.sqlite")
    vault = DatabaseVault(folder / "vault.sqlite", KEY)
    ledger = AcknowledgingLedger(store.ledger) if acknowledging else store.ledger
    return Trial(
        load(STUDY), ledger, vault, SimulatedClock(datetime(2030, 1, 1, tzinfo=UTC)), SeededEntropy(seed)
    )


def record_on(trial: Trial, number: int) -> None:
    """Record what is possible at any moment of a trial: its opening, else an account, then a participant."""
    cast = Cast(trial.definition, tuple(site.id for site in trial.definition.study.sites))
    administrator = cast.administrator()
    if not list(trial.tables.all(TrialRow)):
        must(trial.record(SYSTEM, OpenTrial(mode="rehearsal", administrator=administrator.account)))
    account = f"later.{number}.{trial.head.position}"
    must(trial.record(administrator, GrantRole(account=account, role="data_manager", site=None)))
    for site in trial.tables.all(SiteRow):
        physician = cast.who("ConsentParticipant", site.site)
        consent = ConsentParticipant(
            site=site.site, consent_version="1.0", consented_on=datetime(2029, 5, 5, tzinfo=UTC).date()
        )
        must(trial.record(physician, consent))


def must(outcome: tuple[Entry, ...] | Refusal) -> None:
    """Crash on a refusal: nothing here may be refused."""
    if isinstance(outcome, Refusal):
        raise AssertionError(str(outcome))


def plaintext(number: int) -> bytes:
    """Return what the sealed record of a number holds."""
    return f"record {number}".encode() * (number % 7 + 1)


def work(do: str, folder: Path, seed: int) -> None:
    """Do one kind of writing; most of it takes longer than the parent waits before it kills."""
    acknowledge("start")
    if do == "create":
        TrialStore.create(folder / "trial.sqlite", load(STUDY).hash, canonical_json(load(STUDY)))
    elif do == "seal":
        vault = DatabaseVault(folder / "vault.sqlite", KEY)
        first = len(vault.names())
        for number in range(first, first + RECORDS):
            vault.seal(str(number), plaintext(number))
            acknowledge(str(number))
    elif do == "rehearse":
        ledger = AcknowledgingLedger(TrialStore.open(folder / "trial.sqlite").ledger)
        vault = DatabaseVault(folder / "vault.sqlite", KEY)
        rehearse(load(STUDY), seed=seed, scenario="hoped", participants=40, ledger=ledger, vault=vault)
    else:
        trial = open_trial(folder, f"{seed}", acknowledging=True)
        for number in range(RECORDS):
            record_on(trial, number)


def main() -> None:
    """Fork a worker for every order."""
    setup.set_up_django()
    load(STUDY)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                work(order["do"], Path(order["folder"]), order["seed"])
                # All is written, and it waits to be killed: the parent decides when, however slow it is.
                signal.pause()
            finally:
                # The worker must not go on to read the orders.
                os._exit(code)
        acknowledge(f"pid {pid}")
        _, status = os.waitpid(pid, 0)
        acknowledge(f"end {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    main()
