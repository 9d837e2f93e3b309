"""What went wrong in other systems, and does not here: one short test for each lesson that conduct can teach.

Each test names where the lesson comes from. Lessons about masking are in tests/blinding/test_rivals.py.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from equipoise.access.refusal import Refusal
from equipoise.allocation.commands import CommitAllocation
from equipoise.allocation.state import AllocationRow
from equipoise.allocation.vault import PLAN, MemoryVault, Plan
from equipoise.capture.commands import CorrectForm, RecordForm, RemoveRow, StartUnscheduledEncounter
from equipoise.conduct.entropy import SystemEntropy
from equipoise.conduct.view import UnmaskedView
from equipoise.definition.lock import hashed
from equipoise.definition.model.conduct import Allocation, Factor
from equipoise.governance.commands import GrantRole, RevokeRole
from equipoise.ledger import ConstraintViolated, Entry, StoreUnavailable
from tests.blinding.worlds import make_worlds
from tests.conduct.clinic import (
    ADA,
    DANA,
    DAY,
    LENA,
    PRIYA,
    Clinic,
    FailingLedger,
    open_definition,
    randomise,
)


def rehearsed() -> list[Entry]:
    return list(make_worlds("betraying")[0].ledger.read())


def event_recorded(clinic: Clinic) -> str:
    code = clinic.consent()
    values = {"term": "Headache", "onset": "2024-06", "severity": "mild", "outcome": "ongoing"}
    clinic.do(PRIYA, RecordForm(participant=code, form="adverse_event", values=values))
    return code


# -- randomisation


@pytest.mark.requirement("R8")
def test_two_who_randomise_at_once_never_take_one_slot_clinicedc() -> None:
    clinic = Clinic()
    first, second = clinic.consent(), clinic.consent()
    other = clinic.another("other")
    # Each decided before it saw what the other recorded, were it not for the lock.
    clinic.do(PRIYA, randomise(first))
    assert isinstance(other.record(PRIYA, randomise(second)), tuple)
    assert [row.slot for row in other.tables.all(AllocationRow)] == [1, 2]


@pytest.mark.requirement("R9")
def test_a_slot_is_not_left_unused_when_minimisation_is_cut_off_unbiased_67() -> None:
    definition: Any = open_definition()
    minimised = Allocation(
        method="minimisation",
        ratio={"cells_first": 1, "vehicle_first": 1},
        factors=(Factor(id="site"),),
        probability=Decimal("0.8"),
        emergency_unblinding=definition.allocation.emergency_unblinding,
    )
    ledger = FailingLedger()
    clinic = Clinic(ledger, definition=hashed(replace(definition, allocation=minimised)))
    code, other = clinic.consent(), clinic.consent()
    ledger.fails_at = "commit"
    with pytest.raises(StoreUnavailable):
        clinic.trial.record(PRIYA, randomise(code))
    ledger.fails_at = None
    clinic.do(PRIYA, randomise(other))
    clinic.do(PRIYA, randomise(code))
    slots = {row.participant: row.slot for row in clinic.trial.tables.all(AllocationRow)}
    assert slots == {other: 1, code: 2}
    view = clinic.trial.as_seen_by(LENA)
    assert isinstance(view, UnmaskedView)
    assert len(view.arms()) == 2


@pytest.mark.requirement("R10")
def test_no_two_participants_have_one_randomisation_number_redcap_265() -> None:
    clinic = Clinic()
    clinic.do(PRIYA, randomise(clinic.consent()))
    (row,) = clinic.trial.tables.all(AllocationRow)
    with pytest.raises(ConstraintViolated, match="number"):
        clinic.trial.tables.put(replace(row, participant="SE01-002", slot=2))


@pytest.mark.requirement("R11")
def test_no_correction_draws_a_list_anew_redcap() -> None:
    clinic = Clinic()
    again = clinic.trial.record(LENA, CommitAllocation())
    assert isinstance(again, Refusal)
    assert again.code == "ALL-COMMITTED"


@pytest.mark.requirement("R12")
def test_a_list_cannot_be_drawn_again_from_what_is_known_phoenix() -> None:
    vaults = (MemoryVault(), MemoryVault())
    for vault in vaults:
        clinic = Clinic(vault=vault, entropy=SystemEntropy())
        clinic.do(PRIYA, randomise(clinic.consent()))
    seeds = [Plan.read(vault.open(PLAN)).seed for vault in vaults]
    assert seeds[0] != seeds[1]
    assert {len(seed) for seed in seeds} == {32}


# -- audit trail


@pytest.mark.requirement("G2", "G7", "R13")
def test_no_correction_is_made_without_a_reason_collect_5291() -> None:
    clinic = Clinic()
    code = event_recorded(clinic)
    command = CorrectForm(participant=code, form="adverse_event", values={"severity": "moderate"}, row=1)
    for reason in (None, "", "  "):
        refusal = clinic.trial.record(PRIYA, command, reason)
        assert isinstance(refusal, Refusal)
        assert refusal.code == "CAP-REASON"
    (entry, *_) = clinic.do(PRIYA, command, "It was worse.")
    assert entry.reason == "It was worse."
    assert (entry.content["before"], entry.content["after"]) == ("mild", "moderate")


@pytest.mark.requirement("G1", "R14")
def test_what_is_done_to_an_account_is_on_record_central_backend_274() -> None:
    clinic = Clinic()
    granted = clinic.do(ADA, GrantRole(account="eve", role="monitor"))
    revoked = clinic.do(ADA, RevokeRole(account="eve", role="monitor"))
    assert [(entry.kind, entry.actor) for entry in (*granted, *revoked)] == [
        ("RoleGranted", "ada"),
        ("RoleRevoked", "ada"),
    ]


@pytest.mark.requirement("G2", "R17")
def test_a_row_that_was_struck_out_keeps_its_values_in_the_audit_trail_openclinica_69() -> None:
    clinic = Clinic()
    code = event_recorded(clinic)
    clinic.do(PRIYA, RemoveRow(participant=code, form="adverse_event", row=1), "Entered twice.")
    lines = [
        line
        for line in clinic.trial.as_seen_by(DANA).audit(code)
        if line.kind in ("FormRecorded", "RowRemoved")
    ]
    assert [line.kind for line in lines] == ["FormRecorded", "RowRemoved"]
    assert lines[0].content["item_values"]["term"] == "Headache"
    assert lines[1].reason == "Entered twice."


@pytest.mark.requirement("R16", "R18")
def test_every_signature_and_verification_names_who_gave_it_openclinica_2977_382() -> None:
    for entry in rehearsed():
        if entry.kind in ("CasebookSigned", "SourceVerified"):
            assert entry.role in ("investigator", "monitor")
            assert entry.actor.startswith(entry.role)


@pytest.mark.requirement("G4", "R15", "R19")
def test_nothing_is_written_that_the_ledger_does_not_hold_openclinica_1074() -> None:
    clinic = Clinic()
    event_recorded(clinic)
    clinic.do(PRIYA, StartUnscheduledEncounter(participant="SE01-001", took_place_on=DAY, cause="Pain."))
    assert clinic.another("fresh").tables.digest() == clinic.trial.tables.digest()


@pytest.mark.requirement("R43")
def test_adverse_events_and_unscheduled_visits_repeat_ctsms_331() -> None:
    clinic = Clinic()
    code = event_recorded(clinic)
    values = {"term": "Nausea", "onset": "2024-06-02", "severity": "mild", "outcome": "ongoing"}
    (second, *_) = clinic.do(PRIYA, RecordForm(participant=code, form="adverse_event", values=values))
    assert second.content["row"] == 2
    for number in (1, 2):
        visit = StartUnscheduledEncounter(participant=code, took_place_on=DAY, cause="Pain.")
        (started,) = clinic.do(PRIYA, visit)
        assert started.content["encounter"] == f"unscheduled_{number}"


@pytest.mark.requirement("G2", "R23", "R24")
def test_an_answer_that_is_taken_away_is_gone_and_on_record_libreclinica_314_315() -> None:
    clinic = Clinic()
    code = event_recorded(clinic)
    where: dict[str, Any] = {"participant": code, "form": "adverse_event", "row": 1}
    clinic.do(PRIYA, CorrectForm(values={"causality": "possible"}, **where), "Asked again.")
    clinic.do(PRIYA, CorrectForm(values={"causality": None}, **where), "Not known yet.")
    (record,) = (each for each in clinic.trial.as_seen_by(DANA).records(code) if each.form == "adverse_event")
    assert record.values.get("causality") is None
    line = [line for line in clinic.trial.as_seen_by(DANA).audit(code) if line.kind == "ItemCorrected"][-1]
    assert (line.content["before"], line.content["after"]) == ("possible", None)
    assert line.reason == "Not known yet."


@pytest.mark.requirement("G2", "R19")
def test_many_values_that_are_written_at_once_leave_an_entry_each_history_by_hooks() -> None:
    clinic = Clinic()
    code = event_recorded(clinic)
    changed = {"term": "Migraine", "severity": "severe", "onset": "2024-05"}
    command = CorrectForm(participant=code, form="adverse_event", values=changed, row=1)
    corrected = [entry for entry in clinic.do(PRIYA, command, "Misread.") if entry.kind == "ItemCorrected"]
    assert {entry.content["item"]: entry.content["after"] for entry in corrected} == changed
    assert {entry.reason for entry in corrected} == {"Misread."}
