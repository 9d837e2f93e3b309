"""The one write path: all or nothing, one after the other, and the same again."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from equipoise.access.actor import Actor
from equipoise.access.command import Command
from equipoise.access.refusal import Refusal, Refused
from equipoise.allocation.state import AllocationRow
from equipoise.allocation.vault import MemoryVault, VaultMissing
from equipoise.capture.commands import OpenQuery, RecordForm
from equipoise.conduct.clock import read_system_clock
from equipoise.conduct.entropy import SeededEntropy, SystemEntropy
from equipoise.conduct.rooms import APPLY, DECIDE
from equipoise.conduct.trial import Trial
from equipoise.definition.lock import hashed
from equipoise.governance.commands import BlotText, CloseSite, PublishHead
from equipoise.ledger import Entry, LedgerTransaction, MemoryLedger, StoreUnavailable, Tables, check_chain
from equipoise.rehearsal.rehearse import rehearse
from tests.blinding.reach import command_types
from tests.blinding.worlds import study_of
from tests.conduct.clinic import ADA, DANA, PRIYA, SITES, Clinic, FailingLedger, open_definition, randomise

HELLO = PublishHead(destination="the sponsor")


def state(trial: Trial) -> tuple[object, ...]:
    return trial.tables.digest(), trial.head, [entry.hash for entry in trial.ledger.read()]


def replayed(trial: Trial) -> str:
    return Trial(trial.definition, trial.ledger, MemoryVault(), trial._clock, SystemEntropy()).tables.digest()


@pytest.mark.requirement("G3")
def test_every_command_is_decided_and_every_entry_applied_somewhere() -> None:
    # These decide with what lies beside the tables: a vault, dictionaries, the ledger itself.
    beside = ("equipoise.allocation.commands", "equipoise.coding.commands")
    others = {each for each in command_types() if each.__module__ in beside} | {BlotText}
    assert DECIDE.keys() | others == set(command_types()) == set(Clinic().trial._decide)
    assert not DECIDE.keys() & others
    assert all(APPLY.values())


# -- all or nothing


@pytest.mark.parametrize("step", ["lock", "append", "commit"])
def test_when_the_storage_fails_nothing_has_changed_and_the_command_can_be_repeated(step: str) -> None:
    ledger = FailingLedger()
    clinic = Clinic(ledger)
    code = clinic.consent()
    before = state(clinic.trial)
    ledger.fails_at = step
    with pytest.raises(StoreUnavailable, match="disk is full"):
        clinic.trial.record(PRIYA, randomise(code))
    assert state(clinic.trial) == before
    ledger.fails_at = None
    clinic.do(PRIYA, randomise(code))
    assert len(clinic.trial.tables.where(AllocationRow)) == 1
    assert clinic.trial.tables.digest() == replayed(clinic.trial)


def test_when_a_room_fails_nothing_has_changed_and_the_trial_goes_on() -> None:
    clinic = Clinic()
    code = clinic.consent()
    without_vault = Trial(clinic.definition, clinic.ledger, MemoryVault(), clinic.clock, SeededEntropy(1))
    before = state(without_vault)
    with pytest.raises(VaultMissing):
        without_vault.record(PRIYA, randomise(code))
    assert state(without_vault) == before
    assert isinstance(without_vault.record(ADA, HELLO), tuple)
    clinic.do(PRIYA, randomise(code))


def test_when_an_application_fails_halfway_nothing_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    clinic = Clinic()
    code = clinic.consent()
    before = state(clinic.trial)

    def fail(tables: Tables, entry: Entry) -> None:
        raise ArithmeticError("a defect")

    with monkeypatch.context() as patch:
        patch.setitem(APPLY, "ParticipantRandomised", [*APPLY["ParticipantRandomised"], fail])
        with pytest.raises(ArithmeticError):
            clinic.trial.record(PRIYA, randomise(code))
    assert state(clinic.trial) == before
    clinic.do(PRIYA, randomise(code))


def test_what_another_process_recorded_stays_when_the_own_command_fails() -> None:
    ledger = FailingLedger()
    clinic = Clinic(ledger)
    other = clinic.another("other")
    assert isinstance(other.record(ADA, HELLO), tuple)
    ledger.fails_at = "append"
    with pytest.raises(StoreUnavailable):
        clinic.trial.record(ADA, HELLO)
    ledger.fails_at = None
    assert clinic.trial.tables.digest() == other.tables.digest()
    clinic.do(ADA, HELLO)
    assert clinic.trial.tables.digest() == replayed(clinic.trial)


def test_a_refusal_changes_nothing() -> None:
    clinic = Clinic()
    code = clinic.consent("CA01")
    before = state(clinic.trial)
    assert isinstance(clinic.trial.record(PRIYA, randomise(code)), Refusal)
    assert state(clinic.trial) == before


# -- one after the other


def test_two_processes_on_one_ledger_see_what_the_other_recorded() -> None:
    clinic = Clinic()
    other = clinic.another("other")
    code = clinic.consent()
    assert isinstance(other.record(PRIYA, randomise(code)), tuple)
    seen = clinic.trial.as_seen_by(DANA).participants()
    assert [(line.participant, line.status) for line in seen] == [(code, "randomised")]
    clinic.do(ADA, CloseSite(site="SE01"))
    other.catch_up()
    assert other.tables.digest() == clinic.trial.tables.digest()
    assert other.head == clinic.trial.head


def test_what_is_read_in_one_block_is_of_one_state_while_other_threads_record() -> None:
    clinic = Clinic()
    with ThreadPoolExecutor(1) as thread:
        with clinic.trial.reading():
            before = clinic.trial.as_seen_by(DANA).participants()
            consented = thread.submit(clinic.consent)
            # It waits for the lock: no time to wait for could make it end.
            assert not consented.done()
            assert clinic.trial.as_seen_by(DANA).participants() == before == ()
        code = consented.result()
    assert [line.participant for line in clinic.trial.as_seen_by(DANA).participants()] == [code]


def test_what_another_process_records_is_seen_after_the_block_and_the_own_at_once() -> None:
    clinic = Clinic()
    other = clinic.another("other")
    with clinic.trial.reading():
        assert isinstance(other.record(ADA, CloseSite(site="CA01")), tuple)
        assert _status_of(clinic.trial, "CA01") == "active"
        with clinic.trial.reading():
            assert _status_of(clinic.trial, "CA01") == "active"
            clinic.do(ADA, CloseSite(site="SE01"))
            assert _status_of(clinic.trial, "SE01") == "closed"
    other.catch_up()
    assert _status_of(clinic.trial, "CA01") == _status_of(other, "SE01") == "closed"
    assert clinic.trial.tables.digest() == other.tables.digest() == replayed(clinic.trial)


def test_a_block_that_fails_lets_go_of_the_trial() -> None:
    clinic = Clinic()
    other = clinic.another("other")
    with pytest.raises(ArithmeticError), clinic.trial.reading():
        raise ArithmeticError("a defect of a page")
    assert isinstance(other.record(ADA, CloseSite(site="CA01")), tuple)
    assert _status_of(clinic.trial, "CA01") == "closed"


def _status_of(trial: Trial, site: str) -> str:
    return next(line.status for line in trial.as_seen_by(ADA).sites() if line.site == site)


def test_a_participant_is_randomised_once_though_two_ask_for_it() -> None:
    clinic = Clinic()
    other = clinic.another("other")
    code = clinic.consent()
    clinic.do(PRIYA, randomise(code))
    again = other.record(PRIYA, randomise(code))
    assert isinstance(again, Refusal)
    assert again.code == "ALL-RANDOMISED"


def test_threads_that_randomise_at_the_same_time_share_and_lose_no_slot() -> None:
    clinic = Clinic()
    codes = [clinic.consent(site) for site in SITES for _ in range(10)]
    trials = [clinic.trial, *(clinic.another(f"process {number}") for number in range(3))]

    def give(numbered: tuple[int, str]) -> tuple[Entry, ...] | Refusal:
        number, code = numbered
        return trials[number % len(trials)].record(SITES[code[:4]], randomise(code))

    # Every participant is asked for twice, by different threads and processes.
    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(give, enumerate([*codes, *codes[1:], codes[0]])))
    assert sum(isinstance(outcome, tuple) for outcome in outcomes) == len(codes)
    clinic.trial.catch_up()
    rows = clinic.trial.tables.where(AllocationRow)
    assert sorted(row.participant for row in rows) == sorted(codes)
    for site in SITES:
        assert sorted(row.slot for row in rows if row.participant[:4] == site) == list(range(1, 11))
    assert len({row.number for row in rows}) == len(codes)
    assert check_chain(clinic.ledger.records()).intact
    assert clinic.trial.tables.digest() == replayed(clinic.trial)


# -- together


class CountingLedger(FailingLedger):
    """Tells how often it was written to."""

    def __init__(self) -> None:
        super().__init__()
        self.transactions = 0

    @contextmanager
    def exclusive(self) -> Iterator[LedgerTransaction]:
        self.transactions += 1
        with super().exclusive() as transaction:
            yield transaction


def record_at_once(
    trial: Trial, *asked: tuple[Actor, Command]
) -> list["Future[tuple[Entry, ...] | Refusal]"]:
    with ThreadPoolExecutor(len(asked)) as threads:
        with trial.reading():
            futures = [threads.submit(trial.record, *each) for each in asked]
            while len(trial._asked) < len(asked):
                pass
        return futures


def test_what_threads_ask_for_at_once_goes_to_the_disk_together_and_each_has_its_own_answer() -> None:
    ledger = CountingLedger()
    clinic = Clinic(ledger)
    first, second, third = (clinic.consent(site) for site in ("SE01", "CA01", "SE01"))
    asked = [(SITES[code[:4]], randomise(code)) for code in (first, second, third, second)]
    ledger.transactions = 0
    outcomes = [each.result() for each in record_at_once(clinic.trial, *asked)]
    assert ledger.transactions == 1
    refused = [each.code for each in outcomes if isinstance(each, Refusal)]
    assert refused == ["ALL-RANDOMISED"]
    for code, outcome in zip((first, third), (outcomes[0], outcomes[2]), strict=True):
        assert isinstance(outcome, tuple)
        assert {entry.content["participant"] for entry in outcome} == {code}
    assert check_chain(ledger.records()).intact
    assert clinic.trial.tables.digest() == replayed(clinic.trial)


def test_what_cannot_be_decided_takes_nothing_with_it_that_was_asked_for_at_the_same_time() -> None:
    clinic = Clinic()
    code = clinic.consent()
    without_vault = Trial(clinic.definition, clinic.ledger, MemoryVault(), clinic.clock, SeededEntropy(1))
    asked = [(ADA, HELLO), (PRIYA, randomise(code)), (ADA, CloseSite(site="CA01"))]
    hello, randomised, closed = record_at_once(without_vault, *asked)
    with pytest.raises(VaultMissing):
        randomised.result()
    assert isinstance(hello.result(), tuple)
    assert isinstance(closed.result(), tuple)
    assert check_chain(clinic.ledger.records()).intact
    assert without_vault.tables.digest() == replayed(without_vault)


def test_who_records_inside_a_block_records_for_nobody_else() -> None:
    clinic = Clinic()
    with ThreadPoolExecutor(1) as thread:
        with clinic.trial.reading():
            closed = thread.submit(clinic.trial.record, ADA, CloseSite(site="CA01"))
            while not clinic.trial._asked:
                pass
            clinic.do(ADA, HELLO)
            assert _status_of(clinic.trial, "CA01") == "active"
            assert not closed.done()
        assert isinstance(closed.result(), tuple)
    assert _status_of(clinic.trial, "CA01") == "closed"
    assert not clinic.trial._asked
    assert clinic.trial.tables.digest() == replayed(clinic.trial)


@pytest.mark.parametrize("step", ["lock", "append", "commit"])
def test_when_the_storage_fails_all_that_wait_hear_of_it_and_nothing_is_tried_again(step: str) -> None:
    ledger = CountingLedger()
    clinic = Clinic(ledger)
    before = state(clinic.trial)
    ledger.transactions, ledger.fails_at = 0, step
    for each in record_at_once(clinic.trial, (ADA, HELLO), (ADA, CloseSite(site="CA01"))):
        with pytest.raises(StoreUnavailable, match="disk is full"):
            each.result()
    assert ledger.transactions == 1
    assert state(clinic.trial) == before


@pytest.mark.requirement("G6")
def test_a_clock_that_jumps_back_puts_no_entry_before_another() -> None:
    clinic = Clinic()
    clinic.clock.now -= timedelta(hours=2)
    first, second = clinic.do(ADA, HELLO), clinic.do(ADA, HELLO)
    times = [entry.recorded_at for entry in clinic.ledger.read()]
    assert times == sorted(times)
    assert first[0].recorded_at < second[0].recorded_at
    assert check_chain(clinic.ledger.records()).warnings == 0
    clinic.clock.now += timedelta(days=1)
    (later,) = clinic.do(ADA, HELLO)
    assert later.recorded_at[:19] == clinic.clock.now.isoformat()[:19]


@pytest.mark.requirement("G3", "G7")
def test_an_entry_names_its_site_its_reason_and_who_acted_in_which_role() -> None:
    clinic = Clinic()
    code = clinic.consent()
    query = OpenQuery(participant=code, form="vitals", text="Why?")
    (entry,) = clinic.do(DANA, query, "Seen in the review")
    assert (entry.actor, entry.role, entry.site) == ("dana", "data_manager", "SE01")
    assert (entry.reason, entry.definition) == ("Seen in the review", clinic.definition.hash)


def test_the_evidence_of_a_participant_can_be_asked_for() -> None:
    clinic = Clinic()
    code = clinic.consent()
    evidence = clinic.trial.evidence(code, clinic.clock.now.date())
    assert evidence.anchor("consent") == clinic.clock.now.date()


def test_nobody_sees_a_trial_that_is_not_open() -> None:
    clinic = Clinic()
    unopened = Trial(clinic.definition, MemoryLedger(), MemoryVault(), clinic.clock, SystemEntropy())
    assert not unopened.unblinded
    with pytest.raises(Refused):
        unopened.as_seen_by(DANA)


# -- the same again


def rehearsed(seed: int) -> list[bytes]:
    trial = rehearse(study_of("betraying"), seed=seed, scenario="null", participants=3, sites=2).trial
    return [entry.body for entry in trial.ledger.read()]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    first = rehearsed(5)
    assert rehearsed(5) == first
    assert rehearsed(6) != first


def test_a_trial_that_is_opened_anew_has_the_tables_that_the_first_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noted: dict[int, str] = {}
    record = Trial.record

    def note(
        trial: Trial, actor: Actor, command: Command, reason: str | None = None
    ) -> Sequence[Entry] | Refusal:
        outcome = record(trial, actor, command, reason)
        if trial.head.position // 25 > max(noted, default=0) // 25:
            noted[trial.head.position] = trial.tables.digest()
        return outcome

    monkeypatch.setattr(Trial, "record", note)
    definition = study_of("betraying")
    trial = rehearse(definition, seed=5, scenario="null", participants=3, sites=2).trial
    noted[trial.head.position] = trial.tables.digest()
    assert len(noted) > 10
    entries = list(trial.ledger.read())
    for position, digest in noted.items():
        ledger = MemoryLedger()
        with ledger.exclusive() as transaction:
            transaction.append(entries[:position], ())
        again = Trial(definition, ledger, MemoryVault(), trial._clock, SystemEntropy())
        assert again.tables.digest() == digest, f"at position {position}"


def test_entropy_is_reproducible_only_where_it_is_seeded() -> None:
    one, other, third = SeededEntropy(1), SeededEntropy(1), SeededEntropy(2)
    assert one.token(70) == other.token(70) != third.token(70)
    assert one.token(5) == other.token(5)
    assert len(SystemEntropy().token(33)) == 33
    assert SystemEntropy().token(16) != SystemEntropy().token(16)


def test_the_clock_of_the_system_gives_utc() -> None:
    assert read_system_clock().utcoffset() == timedelta(0)


def test_a_study_without_safety_reporting_has_nothing_to_judge() -> None:
    definition = hashed(replace(open_definition(), safety=None))
    clinic = Clinic(definition=definition)
    code = clinic.consent()
    values = {"term": "Headache", "onset": "2024-06", "severity": "mild", "outcome": "ongoing"}
    entries = clinic.do(PRIYA, RecordForm(participant=code, form="adverse_event", values=values))
    assert {entry.kind for entry in entries} == {"FormRecorded"}
