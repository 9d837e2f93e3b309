"""When a command may be given: one short test for each rule, found by name, so that none goes without."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from equipoise.access.actor import SYSTEM, Actor
from equipoise.access.command import Command
from equipoise.access.permissions import PERMITTED
from equipoise.access.refusal import Refusal
from equipoise.allocation.commands import RandomiseParticipant, UnblindInEmergency, UnblindTrial
from equipoise.allocation.state import AllocationRow
from equipoise.capture.commands import AnswerQuery, CorrectForm, RecordForm, StartEncounter
from equipoise.capture.evidence import casebook_hash
from equipoise.capture.state import EncounterRow, FreezeRow, QueryRow, RecordRow, SignatureRow
from equipoise.conduct import policies
from equipoise.enrolment.commands import ConsentParticipant, RescreenParticipant
from equipoise.enrolment.state import AssessmentRow, ParticipantRow
from equipoise.governance.commands import GrantRole, LockDatabase, OpenTrial, PublishHead
from equipoise.governance.state import GrantRow, SiteRow, TrialRow, VersionRow
from equipoise.imaging.commands import AcceptScan, ReceiveScan
from equipoise.imaging.state import ScanRow
from equipoise.ledger import Row
from equipoise.supply.commands import AdministerUnit, FailLot, PrepareUnit
from equipoise.supply.state import LotRow, UnitRow
from tests.factory import CLEO, PRIYA, Bench

CODE = "SE01-001"
DAY = date(2024, 6, 3)
TODAY = DAY.isoformat()
AT = "2024-06-03T09:00:00.000000Z"
CHECKS: dict[str, Any] = {
    name.removeprefix("check_"): check for name, check in vars(policies).items() if name.startswith("check_")
}
OWN = {name: check for name, check in CHECKS.items() if check.__module__ == policies.__name__}

TRIAL = TrialRow(study="kite", definition=Bench().definition.hash, mode="live", status="open", opened_at=AT)
VERSION = VersionRow(
    definition=TRIAL.definition,
    number=1,
    study_version="1",
    title="",
    substantial=True,
    reconsent=False,
    recorded_at=AT,
)
PERSON = ParticipantRow(
    participant=CODE,
    site="SE01",
    status="screening",
    consent_version="1",
    consented_on=TODAY,
    consented_under="d",
    screening=1,
)
ALLOCATED = AllocationRow(
    participant=CODE,
    number="R-1",
    stratum="site=SE01",
    slot=1,
    levels={},
    randomised_on=TODAY,
    randomised_at=AT,
    commitment="c",
)
ASSESSED = AssessmentRow(
    participant=CODE,
    screening=1,
    assessed_on=TODAY,
    outcome="eligible",
    variant=None,
    definition="d",
    criteria={"I1": "met"},
    position=5,
)
LOT = LotRow(
    lot="L-1",
    participant=CODE,
    product="bag",
    status="released",
    collected_on=TODAY,
    source_values={},
    manufacture_values={},
)
UNIT = UnitRow(
    unit="B-1",
    product="bag",
    participant=CODE,
    encounter="week_0",
    lot="L-1",
    status="prepared",
    prepared_on=TODAY,
)
QUERY = QueryRow(
    query="Q-1",
    participant=CODE,
    form="vitals",
    encounter="",
    row=0,
    item=None,
    text="?",
    status="open",
    origin="",
    opened_by="dana",
    opened_at=AT,
)
SCAN = ScanRow(scan="S-1", participant=CODE, encounter="week_4", acquired_on=TODAY, status="read")
MET = EncounterRow(participant=CODE, encounter="week_0", status="in_window", took_place_on=TODAY)
RECORD = RecordRow(
    participant=CODE,
    form="labs",
    encounter="",
    row=0,
    dated=None,
    item_values={"crp": "1", "marker": "2"},
    entered={},
    hidden=("marker",),
)
RANDOMISE = RandomiseParticipant(participant=CODE, randomised_on=DAY)
START = StartEncounter(participant=CODE, encounter="week_4", took_place_on=DAY)
FILL = RecordForm(participant=CODE, form="vitals", values={}, encounter="week_0")
CORRECT = CorrectForm(participant=CODE, form="vitals", values={"weight": 70}, encounter="week_0")
ADMINISTER = AdministerUnit(unit="B-1", participant=CODE, given_on=DAY, values={})
PREPARE = PrepareUnit(participant=CODE, product="bag", encounter="week_0", prepared_on=DAY)


REFUSED: list[Refusal] = []
"""What these tests provoked; its wording is kept (see `test_refusals`)."""


def bench(*rows: Row, actor: Actor = PRIYA) -> Bench:
    made = Bench(actor=actor)
    for row in rows:
        made.tables.put(row)
    return made


def allowed(name: str, command: Command, *rows: Row, actor: Actor = PRIYA) -> bool:
    return CHECKS[name](command, bench(*rows, actor=actor).moment()) is None


def refused(name: str, command: Command, *rows: Row, actor: Actor = PRIYA) -> Refusal:
    """What a rule says when it refuses."""
    refusal: Refusal | None = CHECKS[name](command, bench(*rows, actor=actor).moment())
    assert refusal is not None, f"{name} refuses nothing"
    REFUSED.append(refusal)
    return refusal


def test_every_rule_has_its_test_and_is_in_force() -> None:
    tested = {name.removeprefix("test_spec_") for name in globals() if name.startswith("test_spec_")}
    in_force = {*policies.EVERYWHERE, *(check for checks in policies.POLICIES.values() for check in checks)}
    assert set(OWN) == tested | {"policies"}
    assert {check for name, check in OWN.items() if name not in ("policies", "holder")} == in_force


def test_the_tables_of_rules_name_commands_that_exist() -> None:
    assert policies.POLICIES.keys() | policies.AFTER_LOCK <= PERMITTED.keys()


def test_the_first_rule_that_refuses_is_the_answer() -> None:
    refusal = policies.check_policies(RANDOMISE, bench(TRIAL, VERSION).moment())
    assert refusal is not None
    assert refusal.code == "ACC-GRANT"


@pytest.mark.requirement("G11", "P6")
def test_spec_opened() -> None:
    opening = OpenTrial(mode="live", administrator="ada")
    locked = replace(TRIAL, status="locked", locked_at=AT)
    assert allowed("opened", opening)
    assert refused("opened", FILL).code == "CON-NOT-OPEN"
    assert allowed("opened", FILL, TRIAL, VERSION)
    assert allowed("opened", FILL, replace(TRIAL, definition="1" * 64), VERSION)
    assert refused("opened", FILL, TRIAL, replace(VERSION, definition="0" * 64)).code == "CON-DEFINITION"
    assert refused("opened", FILL, locked, VERSION).code == "CON-LOCKED"
    assert refused("opened", FILL, replace(locked, status="unblinded"), VERSION).code == "CON-LOCKED"
    assert allowed("opened", PublishHead(destination="the sponsor"), locked, VERSION)


def test_spec_holder() -> None:
    grant = GrantRow(account="priya", role="investigator", site="SE01", granted_at=AT)
    assert policies.check_holder(PRIYA, bench(grant).tables) is None
    for rows in ((), (replace(grant, revoked_at=AT),), (replace(grant, site="CA01"),)):
        refusal = policies.check_holder(PRIYA, bench(*rows).tables)
        assert refusal is not None
        assert refusal.code == "ACC-GRANT"


@pytest.mark.requirement("G14", "P6")
def test_spec_grant() -> None:
    grant = GrantRow(account="dana", role="data_manager", site="", granted_at=AT)
    dana = Actor("dana", "data_manager")
    assert allowed("grant", FILL, actor=SYSTEM)
    assert allowed("grant", FILL, grant, actor=dana)
    assert refused("grant", FILL, replace(grant, revoked_at=AT), actor=dana).code == "ACC-GRANT"
    assert refused("grant", FILL, grant, actor=PRIYA).code == "ACC-GRANT"
    assert refused("grant", FILL, grant, actor=Actor("eve", "data_manager")).code == "ACC-GRANT"


@pytest.mark.requirement("G14", "P6")
def test_spec_own_site() -> None:
    elsewhere = replace(PRIYA, site="CA01")
    assert allowed("own_site", FILL)
    assert refused("own_site", FILL, actor=elsewhere).code == "ACC-SITE"
    assert refused("own_site", FailLot(lot="L-1", failed_on=DAY, cause="?"), LOT, actor=elsewhere)
    assert allowed("own_site", FailLot(lot="L-2", failed_on=DAY, cause="?"), LOT, actor=elsewhere)
    assert allowed("own_site", AcceptScan(scan="S-1"), SCAN, actor=Actor("dana", "data_manager"))
    consent = ConsentParticipant(site="CA01", consent_version="1", consented_on=DAY)
    assert refused("own_site", consent).code == "ACC-SITE"


def test_a_query_that_unmasks_is_not_there_for_a_masked_role_at_any_site() -> None:
    answer = AnswerQuery(query="U-1", text="Yes.")
    hidden = replace(QUERY, query="U-1", unmasking=True)
    assert allowed("own_site", answer, hidden, actor=replace(PRIYA, site="CA01"))
    assert allowed("own_site", answer, hidden, actor=Actor("eve", "burglar", "CA01"))
    assert not allowed("own_site", answer, hidden, actor=replace(CLEO, site="CA01"))
    plain = AnswerQuery(query="Q-1", text="Yes.")
    assert not allowed("own_site", plain, QUERY, actor=replace(PRIYA, site="CA01"))


def test_spec_participant() -> None:
    assert allowed("participant", FILL, PERSON)
    assert refused("participant", FILL).code == "ENR-UNKNOWN-PARTICIPANT"
    assert allowed("participant", LockDatabase())


@pytest.mark.requirement("G7")
def test_spec_form_role() -> None:
    assert allowed("form_role", FILL)
    assert refused("form_role", FILL, actor=CLEO).code == "ACC-FORM"
    thaw = replace(FILL, form="thaw")
    assert allowed("form_role", thaw, actor=CLEO)
    assert refused("form_role", thaw).code == "ACC-FORM"


def test_spec_query_role() -> None:
    answer = AnswerQuery(query="Q-1", text="As in the source.")
    assert allowed("query_role", answer, QUERY)
    assert refused("query_role", answer, QUERY, actor=CLEO).code == "ACC-FORM"
    assert allowed("query_role", answer, replace(QUERY, form="thaw"), actor=CLEO)
    assert allowed("query_role", answer)


def test_spec_product_role() -> None:
    ian = replace(CLEO, account="ian", role="infuser")
    assert allowed("product_role", PREPARE, actor=CLEO)
    assert refused("product_role", PREPARE).code == "ACC-PRODUCT"
    assert refused("product_role", PREPARE, actor=ian).code == "ACC-PRODUCT"
    assert allowed("product_role", replace(PREPARE, product="unheard_of"))
    assert allowed("product_role", ADMINISTER, UNIT, actor=ian)
    assert refused("product_role", ADMINISTER, UNIT, actor=CLEO).code == "ACC-PRODUCT"
    assert allowed("product_role", ADMINISTER)


@pytest.mark.requirement("G9", "G10")
def test_spec_one_side_of_the_mask() -> None:
    held = GrantRow(account="cleo", role="laboratory", site="SE01", granted_at=AT)
    for account in ("cleo", " cleo "):
        masked = GrantRole(account=account, role="nurse", site="SE01")
        assert allowed("one_side_of_the_mask", masked)
        assert refused("one_side_of_the_mask", masked, held).code == "ACC-MASK"
        assert allowed("one_side_of_the_mask", masked, replace(held, revoked_at=AT))
        assert allowed("one_side_of_the_mask", replace(masked, role="infuser"), held)
        assert allowed("one_side_of_the_mask", replace(masked, role="burglar"), held)
    assert allowed("one_side_of_the_mask", masked, replace(held, role="of an earlier version"))


@pytest.mark.requirement("G17")
def test_spec_site_active() -> None:
    consent = ConsentParticipant(site="SE01", consent_version="1", consented_on=DAY)
    again = RescreenParticipant(participant=CODE, rescreened_on=DAY)
    active = SiteRow(site="SE01", status="active", approved_on=TODAY, definition="d")
    assert allowed("site_active", consent, active)
    assert allowed("site_active", again, active, PERSON)
    assert "not activated" in refused("site_active", consent).sentence
    assert "closed" in refused("site_active", again, PERSON, replace(active, status="closed")).sentence


@pytest.mark.requirement("G11")
def test_spec_not_frozen() -> None:
    frozen = FreezeRow(participant=CODE, frozen_at=AT)
    assert allowed("not_frozen", CORRECT, PERSON)
    assert allowed("not_frozen", LockDatabase(), PERSON, frozen)
    assert refused("not_frozen", CORRECT, PERSON, frozen).code == "CON-FROZEN"


@pytest.mark.requirement("G19")
def test_spec_still_in() -> None:
    left = replace(PERSON, status="withdrawn", ended_on=TODAY, end_scope="study")
    assert allowed("still_in", FILL)
    assert allowed("still_in", FILL, PERSON)
    assert allowed("still_in", FILL, replace(left, end_scope="treatment"))
    assert refused("still_in", FILL, left).code == "CON-WITHDRAWN"
    assert refused("still_in", FILL, replace(left, end_scope="consent")).code == "CON-WITHDRAWN"


@pytest.mark.requirement("G19")
def test_spec_on_treatment() -> None:
    left = replace(PERSON, status="withdrawn", ended_on=TODAY, end_scope="treatment")
    assert allowed("on_treatment", PREPARE)
    assert allowed("on_treatment", PREPARE, PERSON)
    assert refused("on_treatment", PREPARE, left).code == "CON-WITHDRAWN"


@pytest.mark.requirement("P6")
def test_spec_eligible() -> None:
    assert allowed("eligible", RANDOMISE)
    assert allowed("eligible", RANDOMISE, PERSON, ASSESSED)
    assert refused("eligible", RANDOMISE, replace(PERSON, status="failed"), ASSESSED).code == "CON-STATE"
    assert refused("eligible", RANDOMISE, PERSON).code == "CON-ASSESSMENT"
    yesterday = replace(ASSESSED, assessed_on="2024-06-02")
    assert refused("eligible", RANDOMISE, PERSON, yesterday).code == "CON-ASSESSMENT"
    earlier_screening = replace(PERSON, screening=2)
    assert refused("eligible", RANDOMISE, earlier_screening, ASSESSED).code == "CON-ASSESSMENT"
    for outcome in ("unknown", "ineligible"):
        refusal = refused("eligible", RANDOMISE, PERSON, replace(ASSESSED, outcome=outcome))
        assert (refusal.code, refusal.details) == ("CON-NOT-ELIGIBLE", ("I1: met",))


@pytest.mark.requirement("P6")
def test_spec_released() -> None:
    assert allowed("released", RANDOMISE, LOT)
    assert refused("released", RANDOMISE).code == "CON-RELEASE"
    for lot in (
        replace(LOT, status="made"),
        replace(LOT, status="failed"),
        replace(LOT, participant="SE01-002"),
        replace(LOT, product="other"),
    ):
        assert refused("released", RANDOMISE, lot).code == "CON-RELEASE"


def test_spec_not_randomised() -> None:
    again = RescreenParticipant(participant=CODE, rescreened_on=DAY)
    assert allowed("not_randomised", again, PERSON)
    assert refused("not_randomised", again, ALLOCATED).code == "CON-RANDOMISED"


def test_spec_randomised() -> None:
    break_code = UnblindInEmergency(participant=CODE, cause="Care.")
    assert allowed("randomised", break_code, ALLOCATED)
    assert refused("randomised", break_code, PERSON).code == "CON-NOT-RANDOMISED"


def test_spec_encounter_due() -> None:
    assert allowed("encounter_due", START, ALLOCATED)
    assert refused("encounter_due", START).code == "CON-NOT-RANDOMISED"
    assert allowed("encounter_due", replace(START, encounter="screening"))
    assert allowed("encounter_due", replace(START, encounter="unheard_of"))


def test_spec_took_place() -> None:
    arrived = ReceiveScan(participant=CODE, encounter="week_0", acquired_on=DAY)
    missed = replace(MET, status="missed", took_place_on=None)
    for command, rows in ((arrived, ()), (ADMINISTER, (UNIT,)), (PREPARE, ())):
        assert allowed("took_place", command, *rows, MET)
        assert refused("took_place", command, *rows).code == "CON-ENCOUNTER"
        assert refused("took_place", command, *rows, missed).code == "CON-ENCOUNTER"
    assert allowed("took_place", ADMINISTER)
    assert allowed("took_place", ADMINISTER, replace(UNIT, participant="SE01-002"))


@pytest.mark.requirement("G11")
def test_spec_ready_to_lock() -> None:
    done = replace(PERSON, status="completed")
    finished = (done, ALLOCATED, RECORD)
    tables = bench(*finished).tables

    def signature(position: int, signed_hash: str, *, masked: bool) -> SignatureRow:
        return SignatureRow(
            position=position,
            participant=CODE,
            account="priya",
            meaning="m",
            signed_at=AT,
            signed_hash=signed_hash,
            masked=masked,
        )

    for masked in (True, False):
        signed = signature(9, casebook_hash(tables, CODE, masked=masked), masked=masked)
        assert allowed("ready_to_lock", LockDatabase(), *finished, signed)
    assert allowed("ready_to_lock", LockDatabase(), replace(PERSON, status="failed"))
    open_ends = [
        ((replace(QUERY, status="answered"),), "query Q-1 is answered"),
        ((replace(SCAN, status="disputed"),), "scan S-1 is disputed"),
        ((signature(10, "0" * 64, masked=True),), f"the casebook of {CODE} is not signed as it stands"),
        ((replace(done, status="screening"),), f"participant {CODE} is still in the trial"),
    ]
    for rows, line in open_ends:
        refusal = refused("ready_to_lock", LockDatabase(), *finished, signed, *rows)
        assert (refusal.code, refusal.details) == ("CON-LOCK", (line,))


def test_what_would_unmask_is_not_told_to_whom_locks() -> None:
    hidden = replace(QUERY, query="U-1", unmasking=True)
    assert allowed("ready_to_lock", LockDatabase(), hidden)


@pytest.mark.requirement("G11")
def test_spec_locked() -> None:
    assert allowed("locked", UnblindTrial(), replace(TRIAL, status="locked", locked_at=AT))
    for rows in ((), (TRIAL,), (replace(TRIAL, status="unblinded"),)):
        assert refused("locked", UnblindTrial(), *rows).code == "CON-UNBLIND"
