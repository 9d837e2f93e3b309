"""The audit trail in memory: what it holds, how it is paged, and that a failure leaves nothing behind."""

import pytest

from equipoise.allocation.vault import MemoryVault, VaultMissing
from equipoise.capture.commands import RecordForm
from equipoise.conduct.entropy import SeededEntropy
from equipoise.conduct.trail import Trail
from equipoise.conduct.trial import Trial
from equipoise.governance.commands import PublishHead
from equipoise.ledger import StoreUnavailable
from tests.conduct.clinic import ADA, DANA, PRIYA, Clinic, FailingLedger, randomise

EVENT = {"term": "Headache", "onset": "2024-06", "severity": "mild", "outcome": "ongoing"}


def positions(trail: Trail, participant: str | None = None) -> list[int]:
    return [line.position for line in trail.page(participant, None, newest_first=False)]


def busy() -> tuple[Clinic, str, str]:
    clinic = Clinic()
    first, second = clinic.consent(), clinic.consent("CA01")
    for _ in range(3):
        clinic.do(PRIYA, RecordForm(participant=first, form="adverse_event", values=EVENT))
    return clinic, first, second


def test_the_trail_is_the_ledger_by_participant_and_by_kind() -> None:
    clinic, first, second = busy()
    entries = list(clinic.ledger.read())
    trail = clinic.trial.trail
    assert positions(trail) == [entry.position for entry in entries]
    for code in (first, second, "SE01-999"):
        own = [e.position for e in entries if e.content.get("participant") == code]
        assert positions(trail, code) == [line.position for line in trail.of_participant(code)] == own
    kinds = ("FormRecorded", "RoleGranted")
    assert [line.position for line in trail.of_kind(*kinds)] == [
        e.position for e in entries if e.kind in kinds
    ]
    for entry in entries:
        line = trail.at(entry.position)
        assert (line.kind, line.account, line.role, line.site) == (
            *(entry.kind, entry.actor, entry.role, entry.site),
        )
        assert (line.recorded_at, line.reason, line.content) == (
            *(entry.recorded_at, entry.reason, entry.content),
        )


@pytest.mark.requirement("G5")
def test_pages_follow_one_another_in_both_directions_without_gap_or_repetition() -> None:
    clinic, first, _ = busy()
    view = clinic.trial.as_seen_by(DANA)
    for participant in (None, first):
        whole = list(view.audit(participant))
        for newest_first in (False, True):
            found, after = [], None
            while page := list(view.audit(participant, after, 2, newest_first=newest_first)):
                assert len(page) <= 2
                found += page
                after = page[-1].position
            assert found == (whole[::-1] if newest_first else whole)


def test_a_page_counts_the_lines_that_the_viewer_sees() -> None:
    clinic, _, second = busy()
    lines = list(clinic.trial.as_seen_by(PRIYA).audit(limit=4, newest_first=True))
    assert len(lines) == 4
    assert {line.site for line in lines} == {"SE01"}
    assert list(clinic.trial.as_seen_by(PRIYA).audit(second)) == []


@pytest.mark.parametrize("step", ["lock", "append", "commit"])
def test_what_failed_to_be_recorded_leaves_no_line(step: str) -> None:
    ledger = FailingLedger()
    clinic = Clinic(ledger)
    code = clinic.consent()
    other = clinic.another("other")
    assert isinstance(other.record(ADA, PublishHead(destination="the sponsor")), tuple)
    ledger.fails_at = step
    for actor, command in ((PRIYA, randomise(code)), (ADA, PublishHead(destination="the sponsor"))):
        with pytest.raises(StoreUnavailable):
            clinic.trial.record(actor, command)
    ledger.fails_at = None
    clinic.trial.catch_up()
    for participant in (None, code):
        assert positions(clinic.trial.trail, participant) == positions(Trail.of(ledger.read()), participant)
    assert len(list(clinic.trial.trail.of_kind("HeadPublished"))) == 1
    clinic.do(PRIYA, randomise(code))
    assert positions(clinic.trial.trail, code) == positions(Trail.of(ledger.read()), code)


def test_a_room_that_fails_leaves_no_line() -> None:
    clinic = Clinic()
    code = clinic.consent()
    without_vault = Trial(clinic.definition, clinic.ledger, MemoryVault(), clinic.clock, SeededEntropy(1))
    before = positions(without_vault.trail, code)
    with pytest.raises(VaultMissing):
        without_vault.record(PRIYA, randomise(code))
    assert positions(without_vault.trail, code) == before
