"""Emergencies, accidents, and the planned unblinding."""

import json
from dataclasses import replace

import pytest

from equipoise.access.content import KINDS, Audience
from equipoise.allocation.commands import (
    RandomiseParticipant,
    ReportUnblinding,
    UnblindInEmergency,
    UnblindTrial,
)
from equipoise.allocation.state import CommitmentRow, RevealedRow, UnblindingRow
from tests.allocation.bench import ARMS, DAY, codes, make_bench
from tests.factory import CLEO


@pytest.mark.requirement("G9", "S2")
def test_spec_an_emergency_is_recorded_without_the_arm_and_says_who_stays_masked():
    bench = make_bench()
    bench.randomise("SE01-001")
    (entry,) = bench.do(UnblindInEmergency(participant="SE01-001", cause="Anaphylaxis"))
    assert KINDS[entry.kind].audience is Audience.CONDUCT
    assert entry.content == {
        "participant": "SE01-001",
        "account": "priya",
        "role": "investigator",
        "cause": "Anaphylaxis",
        "informed": ("safety_desk", "data_manager"),
        "remains_masked": (
            "nurse",
            "reader",
            "adjudicator",
            "safety_desk",
            "data_manager",
            "monitor",
            "statistician",
            "administrator",
        ),
    }
    (row,) = bench.tables.all(UnblindingRow)
    assert (row.kind, row.account, row.cause) == ("emergency", "priya", "Anaphylaxis")


@pytest.mark.requirement("G9", "S2")
def test_spec_only_the_roles_of_the_definition_break_the_code_and_only_with_a_cause():
    bench = make_bench()
    assert bench.refused(UnblindInEmergency(participant="SE01-001", cause="x")).code == "ALL-NOT-RANDOMISED"
    bench.randomise("SE01-001")
    assert bench.refused(UnblindInEmergency(participant="SE01-001", cause="  ")).code == "ALL-TEXT"
    bench.actor = CLEO
    assert bench.refused(UnblindInEmergency(participant="SE01-001", cause="x")).code == "ALL-EMERGENCY"


@pytest.mark.requirement("G9")
def test_spec_an_accident_is_recorded_and_how_it_happened_is_for_unmasked_roles():
    bench = make_bench()
    report = ReportUnblinding(participant="SE01-001", who="Nils", how="A label", assessment="No harm")
    assert bench.refused(report).code == "ALL-NOT-RANDOMISED"
    bench.randomise("SE01-001")
    for field in ("who", "how", "assessment"):
        assert bench.refused(replace(report, **{field: ""})).code == "ALL-TEXT"
    fact, story = bench.do(report)
    assert (KINDS[fact.kind].audience, KINDS[story.kind].audience) == (Audience.CONDUCT, Audience.UNMASKED)
    assert fact.content == {"participant": "SE01-001", "who": "Nils"}
    (row,) = bench.tables.all(UnblindingRow)
    assert (row.kind, row.account, row.cause) == ("accidental", "Nils", None)


@pytest.mark.requirement("G11")
def test_spec_the_planned_unblinding_reveals_everything_once():
    bench = make_bench()
    for code in codes("SE01", 3):
        bench.randomise(code)
    arms = bench.all_arms()
    (entry,) = bench.do(UnblindTrial())
    assert KINDS[entry.kind].audience is Audience.UNMASKED
    assert {row.participant: row.arm for row in bench.tables.all(RevealedRow)} == arms
    assert json.loads(str(entry.content["plan"]))["arms"] == list(ARMS)
    (commitment,) = bench.tables.all(CommitmentRow)
    assert commitment.revealed_at == entry.recorded_at
    for command in (
        UnblindTrial(),
        UnblindInEmergency(participant="SE01-001", cause="x"),
        RandomiseParticipant(participant="SE01-004", randomised_on=DAY),
    ):
        assert bench.refused(command).code == "ALL-REVEALED"


def test_nothing_is_revealed_before_there_is_something():
    assert make_bench(committed=False).refused(UnblindTrial()).code == "ALL-UNCOMMITTED"
