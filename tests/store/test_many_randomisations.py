"""A hundred randomisations at once, at fifteen sites, from processes that know nothing of each other."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from operator import itemgetter
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.db import connections

from equipoise.access.actor import SYSTEM, Actor
from equipoise.access.command import Command
from equipoise.access.refusal import Refusal
from equipoise.allocation.commands import CommitAllocation, RandomiseParticipant
from equipoise.allocation.decide import Allocator
from equipoise.allocation.state import AllocationRow
from equipoise.conduct.clock import read_system_clock
from equipoise.conduct.entropy import SystemEntropy
from equipoise.conduct.trial import Trial
from equipoise.conduct.verify import verify_trial
from equipoise.definition.lock import canonical_json, hashed
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.eligibility import Eligibility
from equipoise.enrolment.commands import AssessEligibility, ConsentParticipant
from equipoise.governance.commands import ActivateSite, GrantRole, OpenTrial
from equipoise.ledger import Entry, StoreUnavailable
from equipoise.store.trial_store import TrialStore
from equipoise.store.vault import DatabaseVault
from tests.small_trial import STUDY, SUPPLY, make_definition
from tests.store.samples import place_of, text_of

KEY = bytes(range(32))
DAY = date(2024, 6, 3)
SITES = tuple(f"SE{number:02}" for number in range(1, 16))
PARTICIPANTS = 100
PROCESSES = 10
WAIT_SECONDS_MAX = 120
TRIES_MAX = 20
ADA = Actor("ada", "administrator")
LENA = Actor("lena", "list_statistician")


def definition() -> StudyDefinition:
    """The small trial at fifteen sites, each a stratum; everybody who consents is eligible."""
    (first, *_) = STUDY.sites
    sites = tuple(replace(first, id=site, name=f"Hospital {site}") for site in SITES)
    (product,) = SUPPLY.products
    return hashed(
        make_definition(
            study=replace(STUDY, sites=sites),
            eligibility=Eligibility(criteria=()),
            supply=replace(SUPPLY, products=(replace(product, released_before_randomisation=False),)),
        )
    )


def investigator(site: str) -> Actor:
    return Actor(f"investigator.{site}", "investigator", site)


@contextmanager
def opened(place: str, vault: Path) -> Iterator[tuple[Trial, TrialStore, DatabaseVault]]:
    """The trial as each process opens it."""
    store, kept = TrialStore.open(place_of(place)), DatabaseVault(vault, KEY)
    yield Trial(definition(), store.ledger, kept, read_system_clock, SystemEntropy()), store, kept
    store.close()
    kept.close()


def must(trial: Trial, actor: Actor, command: Command) -> tuple[Entry, ...]:
    outcome = trial.record(actor, command)
    assert not isinstance(outcome, Refusal), str(outcome)
    return outcome


def recruit(trial: Trial) -> list[tuple[str, str]]:
    """Open the trial and have everybody consent, the sites in turn; return their sites and codes."""
    must(trial, SYSTEM, OpenTrial(mode="rehearsal", administrator=ADA.account))
    must(trial, ADA, GrantRole(account=LENA.account, role=LENA.role, site=None))
    must(trial, LENA, CommitAllocation())
    for site in SITES:
        actor = investigator(site)
        must(trial, ADA, GrantRole(account=actor.account, role=actor.role, site=site))
        must(trial, ADA, ActivateSite(site=site, approved_on=DAY))
    ready = []
    for number in range(PARTICIPANTS):
        site = SITES[number % len(SITES)]
        consent = ConsentParticipant(site=site, consent_version="1.0", consented_on=DAY)
        (consented, *_) = must(trial, investigator(site), consent)
        code = str(consented.content["participant"])
        must(trial, investigator(site), AssessEligibility(participant=code, assessed_on=DAY))
        ready.append((site, code))
    return ready


def randomise_some(place: str, vault: Path, mine: list[tuple[str, str]], start: Any, answers: Any) -> None:
    """One process: open the trial when all do, then randomise one participant after the other, as all do."""
    start.wait(WAIT_SECONDS_MAX)
    with opened(place, vault) as (trial, _, _):
        for site, code in mine:
            start.wait(WAIT_SECONDS_MAX)
            entries, tries = randomise(trial, site, code)
            (entry,) = (each for each in entries if each.kind == "ParticipantRandomised")
            answers.put((code, entry.content["number"], entry.content["slot"], entry.position, tries))


def randomise(trial: Trial, site: str, code: str) -> tuple[tuple[Entry, ...], int]:
    """Randomise a participant; who finds the database busy waits a little longer each time."""
    command = RandomiseParticipant(participant=code, randomised_on=DAY)
    for tries in range(1, TRIES_MAX):
        try:
            return must(trial, investigator(site), command), tries
        except StoreUnavailable as failure:
            assert failure.code == "STORE-BUSY", failure
            Event().wait(0.05 * tries)
    raise AssertionError(f"busy {TRIES_MAX} times")


def keep_definition(store: TrialStore) -> None:
    """Put the definition into a new trial, which has that of a sample."""
    study = definition()
    with connections[store.ledger.alias].cursor() as cursor:
        cursor.execute(
            "UPDATE study_definition SET hash = %s, canonical = %s",
            [study.hash, canonical_json(study).decode()],
        )


@pytest.fixture
def vault(tmp_path):
    path = tmp_path / "vault.sqlite"
    DatabaseVault.create(path, KEY).close()
    return path


@pytest.mark.requirement("R8", "R10")
def test_a_hundred_randomisations_at_once_lose_and_repeat_nothing(store, vault):
    keep_definition(store)
    place = text_of(store.place)
    with opened(place, vault) as (trial, _, _):
        ready = recruit(trial)
    spawn = multiprocessing.get_context("spawn")
    start, answers = spawn.Barrier(PROCESSES), spawn.Queue()
    shares = [ready[first::PROCESSES] for first in range(PROCESSES)]
    workers = [
        spawn.Process(target=randomise_some, args=(place, vault, share, start, answers)) for share in shares
    ]
    for worker in workers:
        worker.start()
    try:
        told = [answers.get(timeout=WAIT_SECONDS_MAX) for _ in ready]
    finally:
        for worker in workers:
            worker.join(WAIT_SECONDS_MAX)
            worker.kill()
    assert [worker.exitcode for worker in workers] == [0] * PROCESSES

    with opened(place, vault) as (trial, again, kept):
        rows = {row.participant: row for row in trial.tables.all(AllocationRow)}
        # None is lost, and what each process was told is what stands in the trial.
        assert {code: (row.number, row.slot) for code, row in rows.items()} == {
            code: (number, slot) for code, number, slot, _, _ in told
        }
        assert set(rows) == {code for _, code in ready}
        assert (
            len({row.number for row in rows.values()}) == len({position for *_, position, _ in told}) == 100
        )
        in_order = sorted(told, key=itemgetter(3))
        # The slots of each stratum were used in their order, without a gap.
        for site in SITES:
            here = [slot for code, _, slot, _, _ in in_order if rows[code].levels["site"] == site]
            assert here == list(range(1, len(here) + 1))
        # Every commitment opens, with what the vault holds.
        allocator = Allocator(kept)
        assert {allocator.arm_of(trial.tables, code) for code in rows} == {"cells_first", "vehicle_first"}
        report = verify_trial(again)
        assert (report.intact, report.head) == (True, trial.head), report.problems
