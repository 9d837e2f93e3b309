"""What the rules ask of the record itself, where no other test says it: one short test for each clause.

The identifiers are those of tests/requirements.py.
"""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

import equipoise
from equipoise.access.content import KINDS
from equipoise.access.permissions import PERMITTED
from equipoise.access.refusal import Refusal
from equipoise.access.visibility import AUDIENCES, UNMASKING
from equipoise.allocation.commands import UnblindInEmergency
from equipoise.capture.commands import (
    CorrectForm,
    FreezeParticipant,
    OpenQuery,
    RecordForm,
    StartEncounter,
    UnfreezeParticipant,
)
from equipoise.conduct.entropy import SystemEntropy
from equipoise.conduct.policies import AFTER_LOCK
from equipoise.conduct.trial import Trial
from equipoise.definition.lock import hashed
from equipoise.enrolment.commands import (
    ConsentParticipant,
    RegisterIdentity,
    RenewConsent,
    WithdrawParticipant,
)
from equipoise.governance.commands import ActivateSite, PublishHead
from equipoise.ledger import MemoryLedger
from equipoise.ledger.blots import read_blot
from equipoise.ledger.protocol import Ledger, LedgerTransaction
from tests.blinding.reach import command_types, field_values, make_command, public_names, try_commands
from tests.blinding.worlds import make_worlds
from tests.conduct.clinic import ADA, DANA, DAY, PRIYA, Clinic, randomise
from tests.conduct.test_refusals import at_stage

SOURCE = Path(equipoise.__file__).parent
ABOUT_VALUES = ("RecordForm", "CorrectForm", "RemoveRow", "ConfirmLog", "AnswerQuery")
SPONSOR = frozenset(
    {
        *("data_manager", "monitor", "safety_desk", "safety_board", "statistician"),
        *("unblinded_statistician", "administrator", "reader", "adjudicator"),
    }
)


def filled(clinic: Clinic) -> str:
    """Somebody whose vital signs are recorded."""
    code = clinic.consent()
    clinic.do(PRIYA, StartEncounter(participant=code, encounter="screening", took_place_on=DAY))
    event = {"term": "Headache", "onset": "2024-06", "severity": "mild", "outcome": "ongoing"}
    clinic.do(PRIYA, RecordForm(participant=code, form="adverse_event", values=event))
    return code


# -- G3: what people do


@pytest.mark.requirement("G3", "R16")
def test_spec_what_people_do_is_on_record_and_not_only_values() -> None:
    done = {entry.kind for entry in make_worlds("betraying")[0].ledger.read()}
    assert done >= {
        *("TrialOpened", "RoleGranted", "SiteActivated", "AllocationCommitted", "ParticipantConsented"),
        *("EligibilityAssessed", "ScreeningFailed", "ParticipantRandomised", "EncounterStarted"),
        *("EncounterMissed", "QueryOpened", "QueryAnswered", "QueryClosed", "LogConfirmed", "ScanAccepted"),
        *("LotReleased", "SafetyReportSubmitted", "CasebookSigned", "ParticipantUnblinded", "DatabaseLocked"),
    }


@pytest.mark.requirement("G3", "P6")
def test_spec_a_freeze_and_its_end_are_on_record_with_the_reason() -> None:
    clinic = Clinic()
    code = clinic.consent()
    clinic.do(DANA, FreezeParticipant(participant=code))
    (entry,) = clinic.do(DANA, UnfreezeParticipant(participant=code), "A query came up.")
    assert (entry.kind, entry.actor, entry.reason) == ("ParticipantUnfrozen", "dana", "A query came up.")


# -- G4: the trail cannot be switched off


@pytest.mark.requirement("G4", "G2")
def test_spec_whatever_anybody_does_what_was_recorded_stays_byte_for_byte_unless_it_is_blotted_out() -> None:
    world = make_worlds("betraying, in brief")[0]
    trial = world.at(world.points[0])
    before = [entry.body for entry in trial.ledger.read()]
    everybody = {actor.role: actor for actor in world.cast.accounts()}
    list(try_commands(trial, everybody.values(), without=frozenset({"BlotText"})))
    after = [entry.body for entry in trial.ledger.read()]
    assert len(after) > len(before)
    assert after[: len(before)] == before
    hashes = [entry.hash for entry in trial.ledger.read()]
    list(try_commands(trial, [everybody["data_manager"]]))
    blots = [blot for entry in trial.ledger.read() if (blot := read_blot(entry)) is not None]
    assert blots != []
    assert [entry.hash for entry in trial.ledger.read()][: len(hashes)] == hashes
    changed = {
        entry.position for entry, body in zip(trial.ledger.read(), after, strict=False) if entry.body != body
    }
    assert changed == {blot.target for blot in blots}


@pytest.mark.requirement("G4")
def test_spec_a_ledger_can_be_read_and_added_to_and_nothing_else() -> None:
    assert set(public_names(Ledger)) == {"head", "read", "receipts", "exclusive"}
    assert set(public_names(LedgerTransaction)) == {"head", "tail", "receipts", "append"}


@pytest.mark.requirement("G4")
def test_spec_no_statement_of_the_program_takes_an_entry_away_or_changes_one() -> None:
    wrong = re.compile(r"\b(DELETE\s+FROM|UPDATE|TRUNCATE|DROP\s+TABLE|REPLACE\s+INTO)\s+ledger\b(?!_)", re.I)
    texts = {path: path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")}
    assert any("INSERT INTO ledger " in text for text in texts.values())
    # The one that blots out leaves the hash: what it changed is explained by a later entry, or found.
    blotting = '"UPDATE ledger SET body = %s WHERE position = %s AND hash = %s"'
    assert sum(text.count(blotting) for text in texts.values()) == 1
    assert [path.name for path, text in texts.items() if wrong.search(text.replace(blotting, ""))] == []


@pytest.mark.requirement("G4")
def test_spec_no_setting_has_to_do_with_the_trail() -> None:
    named = {
        name
        for path in SOURCE.rglob("*.py")
        for name in re.findall(r"EQUIPOISE_[A-Z_]+", path.read_text(encoding="utf-8"))
    }
    where_the_trial_is = {"EQUIPOISE_DATABASE_URL"}
    keys = {f"EQUIPOISE_{name}_KEY" for name in ("CLINIC", "HEAD", "IDENTITIES", "VAULT")}
    assert named == where_the_trial_is | keys


@pytest.mark.requirement("G4", "G2", "G7", "R13")
def test_spec_what_was_entered_wrongly_is_put_right_by_a_further_entry_with_its_reason() -> None:
    clinic = Clinic()
    code = filled(clinic)
    wrong = list(clinic.ledger.read())[-2:]
    command = CorrectForm(participant=code, form="adverse_event", values={"severity": "moderate"}, row=1)
    (entry, *_) = clinic.do(PRIYA, command, "Misread.")
    assert list(clinic.ledger.read())[: entry.position - 1][-2:] == wrong
    assert (entry.actor, entry.reason) == ("priya", "Misread.")
    assert (entry.content["before"], entry.content["after"]) == ("mild", "moderate")


# -- G7: the data of a site are the site's


@pytest.mark.requirement("G7")
def test_spec_no_role_of_the_sponsor_has_a_command_that_changes_a_value_of_a_site() -> None:
    for name in ABOUT_VALUES:
        assert not PERMITTED[name] & SPONSOR, name
    assert AUDIENCES.keys() == SPONSOR | {"investigator", "nurse", "laboratory", "infuser"}


@pytest.mark.requirement("G7")
def test_spec_a_data_manager_asks_and_the_investigator_corrects() -> None:
    clinic = Clinic()
    code = filled(clinic)
    command = CorrectForm(participant=code, form="adverse_event", values={"severity": "moderate"}, row=1)
    before = clinic.trial.head
    refusal = clinic.trial.record(DANA, command, "It must be moderate.")
    assert isinstance(refusal, Refusal)
    assert (refusal.code, clinic.trial.head) == ("ACC-COMMAND", before)
    asked = OpenQuery(participant=code, form="adverse_event", row=1, item="severity", text="Mild?")
    clinic.do(DANA, asked)
    (entry, *_) = clinic.do(PRIYA, command, "The source says moderate.")
    assert (entry.kind, entry.role, entry.site) == ("ItemCorrected", "investigator", "SE01")


# -- G10: what unmasks


@pytest.mark.requirement("G10", "G9")
def test_spec_no_masked_kind_of_role_is_an_audience_of_what_unmasks() -> None:
    world = make_worlds("betraying")[0]
    trial = world.at(world.points[-1])
    assert any(kind.audience in UNMASKING for kind in KINDS.values())
    for actor in world.masked:
        assert not trial.as_seen_by(actor).viewer.audiences & UNMASKING


# -- G11: nothing changes after the lock


@pytest.mark.requirement("G11", "E2")
def test_spec_after_the_lock_every_command_about_data_is_refused_to_everybody() -> None:
    world, trial = at_stage("locked")
    values = field_values(world.at(world.points[0]))
    actors = {world.definition.role(a.role).kind: a for a in world.cast.accounts()}  # type: ignore[union-attr]
    closed = [kind for kind in command_types() if kind.__name__ not in AFTER_LOCK | {"OpenTrial"}]
    assert len(closed) > 30
    before = trial.head
    for kind in closed:
        for role in PERMITTED[kind.__name__] & actors.keys():
            refusal = trial.record(actors[role], make_command(kind, values, 0), "A reason")
            assert isinstance(refusal, Refusal), kind.__name__
            assert refusal.code == "CON-LOCKED", f"{kind.__name__}: {refusal}"
    assert trial.head == before


# -- G13: codes


@pytest.mark.requirement("G13")
def test_spec_no_command_but_that_of_the_register_could_carry_a_name_or_contact() -> None:
    fields = {name for kind in command_types() for name in kind.__dataclass_fields__}
    assert not {name for name in fields if re.search(r"name|contact|phone|address|email|birth", name)}
    assert set(RegisterIdentity.__dataclass_fields__) == {"participant"}


# -- G17: only after the approval


@pytest.mark.requirement("G17")
def test_spec_nobody_consents_at_a_site_that_is_not_activated() -> None:
    clinic = Clinic()
    consent = ConsentParticipant(site="SE01", consent_version="1.0", consented_on=DAY)
    ledger = MemoryLedger()
    with ledger.exclusive() as transaction:
        entries = list(clinic.ledger.read())
        until = next(entry.position for entry in entries if entry.kind == "SiteActivated")
        transaction.append(entries[: until - 1], ())
    trial = Trial(clinic.definition, ledger, clinic.vault, clinic.clock, SystemEntropy())
    refusal = trial.record(PRIYA, consent)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "CON-SITE"
    early = trial.record(ADA, ActivateSite(site="SE01", approved_on=DAY + timedelta(days=1)))
    assert isinstance(early, Refusal), "an approval that is still to come activates nothing"
    assert isinstance(trial.record(ADA, ActivateSite(site="SE01", approved_on=DAY)), tuple)
    assert isinstance(trial.record(PRIYA, consent), tuple)


# -- G18: entered later


@pytest.mark.requirement("G18", "G6")
def test_spec_what_is_entered_after_a_downtime_has_the_day_it_happened_and_the_time_of_its_recording() -> (
    None
):
    clinic = Clinic()
    code = clinic.consent()
    clinic.clock.now += timedelta(days=5)
    (entry,) = clinic.do(PRIYA, StartEncounter(participant=code, encounter="screening", took_place_on=DAY))
    assert entry.clinical_time == DAY.isoformat()
    assert entry.recorded_at.startswith("2024-06-08T")
    assert entry.recorded_at.endswith("Z")


# -- G19: withdrawal and consent


@pytest.mark.requirement("G19")
def test_spec_what_was_recorded_before_a_withdrawal_stays_and_nothing_new_comes() -> None:
    clinic = Clinic()
    code = filled(clinic)
    kept = clinic.trial.as_seen_by(PRIYA).records(code)
    clinic.do(PRIYA, WithdrawParticipant(participant=code, scope="consent", withdrawn_on=DAY, cause="Asked."))
    event = {"term": "Nausea", "onset": "2024-06", "severity": "mild", "outcome": "ongoing"}
    refusal = clinic.trial.record(PRIYA, RecordForm(participant=code, form="adverse_event", values=event))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "CON-WITHDRAWN"
    assert clinic.trial.as_seen_by(PRIYA).records(code) == kept


@pytest.mark.requirement("G19")
def test_spec_every_consent_names_its_version() -> None:
    clinic = Clinic()
    code = clinic.consent()
    clinic.do(PRIYA, RenewConsent(participant=code, consent_version="2.0", consented_on=DAY))
    said = [
        (entry.kind, entry.content["consent_version"])
        for entry in clinic.ledger.read()
        if entry.kind in ("ParticipantConsented", "ConsentRenewed")
    ]
    assert said == [("ParticipantConsented", "1.0"), ("ConsentRenewed", "2.0")]


# -- E2: the analysis was fixed before


@pytest.mark.requirement("E2", "G16")
def test_spec_the_first_entry_names_the_definition_and_another_analysis_is_another_definition() -> None:
    clinic = Clinic()
    first = next(clinic.ledger.read())
    assert (first.kind, first.definition) == ("TrialOpened", clinic.definition.hash)
    analysis = clinic.definition.analysis
    (some, *others) = analysis.sets
    for changed in (
        replace(analysis, sets=(replace(some, grouped="as_treated"), *others)),
        replace(analysis, testing=replace(analysis.testing, alpha=Decimal("0.1"))),
    ):
        later = hashed(replace(clinic.definition, analysis=changed))
        assert later.hash != clinic.definition.hash
        trial = Trial(later, clinic.ledger, clinic.vault, clinic.clock, SystemEntropy())
        refusal = trial.record(DANA, PublishHead(destination="the sponsor"))
        assert isinstance(refusal, Refusal)
        assert refusal.code == "CON-DEFINITION"


# -- S2: for whom the allocation is revealed


@pytest.mark.requirement("S2", "G9")
def test_spec_a_code_is_broken_for_one_pair_of_eyes_and_the_entry_tells_no_arm() -> None:
    clinic = Clinic()
    code = clinic.consent()
    clinic.do(PRIYA, randomise(code))
    (entry, *_) = clinic.do(PRIYA, UnblindInEmergency(participant=code, cause="A reaction to be reported."))
    arm = clinic.trial.emergency_allocation(PRIYA, code)
    assert arm in {each.id for each in clinic.definition.study.arms}
    assert not [each for each in clinic.definition.study.arms if each.id.encode() in entry.body]
    assert (entry.actor, entry.content["cause"]) == ("priya", "A reaction to be reported.")
    for line in clinic.trial.as_seen_by(DANA).unblindings():
        assert (line.participant, line.account) == (code, "priya")
