"""Consent, screening, eligibility, the end of participation, and whose identity is kept."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.access.command import Command
from equipoise.access.refusal import Refusal
from equipoise.definition.expression import Truth
from equipoise.definition.model.eligibility import Criterion
from equipoise.enrolment.commands import (
    AssessEligibility,
    CompleteParticipant,
    ConsentParticipant,
    EraseIdentity,
    FailScreening,
    RegisterIdentity,
    RenewConsent,
    RescreenParticipant,
    WithdrawParticipant,
)
from equipoise.enrolment.decide import DECIDE, derive_outcome
from equipoise.enrolment.state import APPLY, TRANSITIONS, AssessmentRow, IdentityRow, ParticipantRow, state_of
from tests.factory import Bench, make_definition

CODE = "SE01-001"
CONSENT_DAY = date(2024, 5, 2)
TODAY = date(2024, 6, 3)


def consent(site: str = "SE01", on: date = CONSENT_DAY, version: str = "1.0") -> ConsentParticipant:
    return ConsentParticipant(site=site, consent_version=version, consented_on=on)


def assess(code: str = CODE, on: date = TODAY) -> AssessEligibility:
    return AssessEligibility(participant=code, assessed_on=on)


def fail(on: date = date(2024, 5, 3)) -> FailScreening:
    return FailScreening(participant=CODE, failed_on=on, cause="E1")


def withdraw(scope: Any, on: date = TODAY) -> WithdrawParticipant:
    return WithdrawParticipant(participant=CODE, withdrawn_on=on, scope=scope, cause="Moved away")


@pytest.fixture
def bench() -> Bench:
    bench = Bench((DECIDE, APPLY))
    bench.anchors["consent"] = CONSENT_DAY
    bench.do(consent())
    return bench


def know_all(bench: Bench, born: date = date(1990, 1, 1)) -> None:
    bench.know("demographics", birth_date=born, sex="f", pregnancy_test="negative")
    bench.know("vitals", weight=Decimal(60))
    bench.reviewed["adverse_event"] = TODAY


@pytest.mark.requirement("G13")
def test_spec_participants_are_numbered_within_their_site(bench: Bench) -> None:
    for site in ("SE01", "CA01", "SE01"):
        bench.do(consent(site))
    rows = list(bench.tables.all(ParticipantRow))
    assert [row.participant for row in rows] == ["CA01-001", "SE01-001", "SE01-002", "SE01-003"]
    assert [row.variant for row in rows] == ["canadian", None, None, None]
    assert {row.status for row in rows} == {"screening"}


def test_consent_needs_a_site_a_version_and_a_day_that_has_come(bench: Bench) -> None:
    assert bench.refused(consent("SE09")).code == "ENR-UNKNOWN-SITE"
    assert bench.refused(consent(version=" ")).code == "ENR-TEXT"
    assert bench.refused(consent(on=TODAY + timedelta(days=1))).code == "ENR-DATE"
    # Half past eleven in the evening in UTC is tomorrow in Stockholm, and not yet in Toronto.
    bench.now = datetime(2024, 6, 3, 23, 30, tzinfo=UTC)
    tomorrow = TODAY + timedelta(days=1)
    bench.do(consent("SE01", on=tomorrow))
    assert bench.refused(consent("CA01", on=tomorrow)).code == "ENR-DATE"


@pytest.mark.requirement("G19")
def test_consent_is_renewed_to_a_version_and_keeps_its_first_day(bench: Bench) -> None:
    bench.do(RenewConsent(participant=CODE, consent_version="2.0", consented_on=TODAY))
    row = bench.tables.require(ParticipantRow, CODE)
    assert (row.consent_version, row.consented_on) == ("2.0", CONSENT_DAY.isoformat())


def test_spec_eligible_means_every_criterion_is_known_and_right(bench: Bench) -> None:
    def outcome() -> tuple[str, dict[str, str]]:
        [entry] = bench.do(assess())
        row = bench.tables.require(AssessmentRow, CODE, 1)
        assert row.position == entry.position
        assert row.definition == bench.definition.hash
        return row.outcome, row.criteria

    assert outcome() == ("unknown", dict.fromkeys(("I1", "I2", "E1", "E2"), "unknown"))
    know_all(bench)
    assert outcome() == ("eligible", {"I1": "met", "I2": "met", "E1": "not_met", "E2": "not_met"})
    bench.know("demographics", birth_date=date(1960, 1, 1))
    assert outcome() == ("ineligible", {"I1": "not_met", "I2": "met", "E1": "not_met", "E2": "not_met"})


@given(st.lists(st.tuples(st.sampled_from(["inclusion", "exclusion"]), st.sampled_from(list(Truth)))))
def test_the_outcome_follows_from_the_criteria(drawn: list[tuple[Any, Truth]]) -> None:
    rules = [
        Criterion(id=str(number), number=number, category=category, text="x")
        for number, (category, _) in enumerate(drawn)
    ]
    outcome = derive_outcome(rules, {str(number): truth for number, (_, truth) in enumerate(drawn)})
    wrong = [(c, t) for c, t in drawn if (c, t) in (("inclusion", Truth.NOT_MET), ("exclusion", Truth.MET))]
    open_ = [t for _, t in drawn if t is Truth.UNKNOWN]
    assert outcome == ("ineligible" if wrong else "unknown" if open_ else "eligible")


def test_an_assessment_names_the_values_behind_it(bench: Bench) -> None:
    know_all(bench)
    bench.know("adverse_event", term="Cough", serious=False)
    [entry] = bench.do(assess())
    assert entry.content["sources"] == {
        "I1": (("demographics.birth_date", 1),),
        "I2": (("vitals.weight", 2),),
        "E1": (("demographics.pregnancy_test", 1),),
        "E2": (("adverse_event.serious", 3), ("adverse_event.term", 3)),
    }
    assert "1990" not in str(entry.content["sources"])


@pytest.mark.requirement("G17")
def test_spec_the_rules_of_a_variant_hold_from_its_approval() -> None:
    bench = Bench((DECIDE, APPLY))
    bench.anchors["consent"] = date(2024, 1, 10)
    bench.do(consent("CA01", on=date(2024, 1, 10)))
    know_all(bench, born=date(1969, 1, 1))
    [early] = bench.do(assess("CA01-001", on=date(2024, 1, 31)))
    [later] = bench.do(assess("CA01-001", on=date(2024, 2, 1)))
    assert (early.content["outcome"], later.content["outcome"]) == ("ineligible", "eligible")
    assert early.content["variant"] == later.content["variant"] == "canadian"


def test_spec_nobody_is_assessed_under_a_draft_criterion(bench: Bench) -> None:
    eligibility = bench.definition.eligibility
    draft = Criterion(id="E9", number=9, category="exclusion", text="To be agreed.")
    rules = (*eligibility.criteria, draft)
    bench.definition = make_definition(eligibility=replace(eligibility, criteria=rules))
    refusal = bench.refused(assess())
    assert (refusal.code, refusal.details) == ("ENR-DRAFT", ("E9",))


def test_what_happens_lies_between_consent_and_today(bench: Bench) -> None:
    before, after = CONSENT_DAY - timedelta(days=1), TODAY + timedelta(days=1)
    assert bench.refused(assess(on=before)).code == "ENR-BEFORE-CONSENT"
    assert bench.refused(assess(on=after)).code == "ENR-DATE"
    assert bench.refused(fail(on=before)).code == "ENR-BEFORE-CONSENT"
    assert bench.refused(withdraw("study", on=after)).code == "ENR-DATE"


def test_spec_screening_begins_again_after_the_waiting_time(bench: Bench) -> None:
    def again(day: date) -> RescreenParticipant:
        return RescreenParticipant(participant=CODE, rescreened_on=day)

    assert bench.refused(again(TODAY)).code == "ENR-STATE"
    bench.do(fail(on=date(2024, 5, 4)))
    assert bench.refused(again(date(2024, 6, 2))).code == "ENR-WAITING-TIME"
    bench.do(again(date(2024, 6, 3)))
    row = bench.tables.require(ParticipantRow, CODE)
    assert (row.status, row.screening, row.ended_on, row.end_cause) == ("screening", 2, None, None)
    bench.do(assess())
    assert bench.tables.get(AssessmentRow, CODE, 2) is not None


def test_without_a_waiting_time_there_is_no_second_screening(bench: Bench) -> None:
    bench.do(fail())
    eligibility = replace(bench.definition.eligibility, rescreening_after_days=0)
    bench.definition = make_definition(eligibility=eligibility)
    again = RescreenParticipant(participant=CODE, rescreened_on=TODAY)
    assert bench.refused(again).code == "ENR-RESCREENING"


@pytest.mark.requirement("G19")
def test_spec_a_withdrawal_may_only_become_wider(bench: Bench) -> None:
    assert bench.refused(withdraw("everything")).code == "ENR-SCOPE"
    bench.do(withdraw("treatment"))
    assert state_of(bench.tables.require(ParticipantRow, CODE)) == "withdrawn_from_treatment"
    assert bench.refused(withdraw("treatment")).code == "ENR-SCOPE"
    bench.do(withdraw("study"))
    assert bench.refused(withdraw("treatment")).code == "ENR-SCOPE"
    assert bench.refused(CompleteParticipant(participant=CODE, completed_on=TODAY)).code == "ENR-STATE"
    bench.do(withdraw("consent"))
    assert bench.tables.require(ParticipantRow, CODE).end_scope == "consent"


def test_who_left_treatment_only_can_complete_the_study(bench: Bench) -> None:
    bench.do(withdraw("treatment"))
    bench.do(CompleteParticipant(participant=CODE, completed_on=TODAY))
    row = bench.tables.require(ParticipantRow, CODE)
    assert (row.status, row.end_scope, row.end_cause) == ("completed", "treatment", "Moved away")


def test_spec_an_identity_is_registered_and_erased_in_turn(bench: Bench) -> None:
    register = RegisterIdentity(participant=CODE)
    erase = EraseIdentity(participant=CODE, cause=" Asked for ")
    assert bench.refused(erase).code == "ENR-IDENTITY"
    for _ in range(2):
        bench.do(register)
        assert bench.refused(register).code == "ENR-IDENTITY"
        assert bench.refused(replace(erase, cause=" ")).code == "ENR-TEXT"
        [entry] = bench.do(erase)
        assert entry.content["cause"] == "Asked for"
        assert bench.refused(erase).code == "ENR-IDENTITY"
        assert bench.tables.require(IdentityRow, CODE).status == "erased"
    assert bench.replayed() == bench.tables.dump()


def test_spec_an_identity_can_be_erased_whatever_became_of_the_participant(bench: Bench) -> None:
    bench.do(RegisterIdentity(participant=CODE))
    bench.do(withdraw("consent"))
    bench.do(EraseIdentity(participant=CODE, cause="Consent taken back"))
    assert bench.tables.require(IdentityRow, CODE).status == "erased"


COMMANDS: list[Command] = [
    RenewConsent(participant=CODE, consent_version="2.0", consented_on=TODAY),
    assess(),
    fail(on=date(2024, 5, 4)),
    RescreenParticipant(participant=CODE, rescreened_on=TODAY),
    withdraw("treatment"),
    withdraw("study"),
    CompleteParticipant(participant=CODE, completed_on=TODAY),
]


def test_nobody_unknown_is_acted_on(bench: Bench) -> None:
    identities = [RegisterIdentity(participant=CODE), EraseIdentity(participant=CODE, cause="Asked for")]
    for command in [*COMMANDS, *identities]:
        stranger = replace(command, participant="SE01-099")  # type: ignore[call-arg]
        assert bench.refused(stranger).code == "ENR-UNKNOWN-PARTICIPANT"


@given(st.lists(st.sampled_from(COMMANDS), max_size=8))
def test_every_course_keeps_to_the_transitions_and_replays(commands: list[Command]) -> None:
    bench = Bench((DECIDE, APPLY))
    bench.do(consent())
    for command in commands:
        allowed = type(command) in TRANSITIONS[state_of(bench.tables.require(ParticipantRow, CODE))]
        decision = bench.ask(command)
        if isinstance(decision, Refusal):
            assert (decision.code == "ENR-STATE") is not allowed
            bench.refused(command)
        else:
            assert allowed
            bench.record(decision)
    assert bench.replayed() == bench.tables.dump()
