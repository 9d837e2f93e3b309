"""A rehearsal can stop on a day in its middle; in its story somebody always waits for somebody else."""

from typing import Any

import pytest

from equipoise.allocation.state import AllocationRow
from equipoise.conduct.trial import Trial
from equipoise.governance.state import TrialRow
from equipoise.rehearsal.draws import RehearsalImpossible
from equipoise.rehearsal.rehearse import rehearse
from tests.rehearsal.folders import NAMES, load


def run(name, **options):
    settings: dict[str, Any] = {"seed": 3, "scenario": "hoped", "participants": 16} | options
    return rehearse(load(name), **settings)


def randomised(trial: Trial) -> int:
    return sum(1 for _ in trial.tables.all(AllocationRow))


def days(entries, kind):
    """The days on which each query came to an entry of a kind."""
    return {entry.content["query"]: entry.recorded_at[:10] for entry in entries if entry.kind == kind}


@pytest.mark.parametrize("name", NAMES)
def test_its_ledger_is_the_first_part_of_the_whole_one_up_to_the_end_of_a_day(name):
    stopped = run(name, until=lambda trial: randomised(trial) >= 9)
    kept = list(stopped.trial.ledger.read())
    whole = list(run(name).trial.ledger.read())
    assert [entry.body for entry in kept] == [entry.body for entry in whole[: len(kept)]]
    last = kept[-1].recorded_at[:10]
    assert whole[len(kept)].recorded_at[:10] > last
    reached = [entry.recorded_at[:10] for entry in whole if entry.kind == "ParticipantRandomised"]
    assert reached[8] == last


def test_it_is_left_under_way_and_nobody_writes_a_draft():
    drafts: list[object] = []
    result = run(
        "dipper", until=lambda trial: randomised(trial) >= 9, before_unblinding=lambda *it: drafts.append(it)
    )
    assert next(result.trial.tables.all(TrialRow)).status == "open"
    assert result.randomised == randomised(result.trial) >= 9
    assert drafts == []


def test_a_day_that_does_not_come_is_named():
    with pytest.raises(RehearsalImpossible) as caught:
        run("tern", until=lambda trial: False)
    assert caught.value.code == "REH-UNTIL"
    assert "with 16 randomised" in caught.value.sentence


@pytest.mark.parametrize("name", ["tern", "curlew"])
def test_a_query_is_asked_answered_and_closed_on_different_days(name):
    entries = list(run(name, participants=30).trial.ledger.read())
    opened, answered, closed = (days(entries, f"Query{what}") for what in ("Opened", "Answered", "Closed"))
    assert opened.keys() == answered.keys() == closed.keys()
    reviewed = [
        entry.content["query"]
        for entry in entries
        if entry.kind == "QueryOpened" and entry.content["text"].startswith("Please compare this value")
    ]
    assert len(reviewed) > 20
    assert all(opened[query] < answered[query] for query in reviewed)
    assert all(answered[query] < closed[query] for query in closed)


def test_a_lot_is_tested_for_days_before_it_is_released():
    entries = list(run("mesems", scenario="published", participants=3).trial.ledger.read())
    made, released = (
        {entry.content["lot"]: entry.recorded_at[:10] for entry in entries if entry.kind == kind}
        for kind in ("ManufactureRecorded", "LotReleased")
    )
    assert released
    assert all(made[lot] < released[lot] for lot in released)


def test_the_adjudicator_takes_weeks():
    entries = list(run("wren", participants=12).trial.ledger.read())
    disagreed, adjudicated = (
        [entry.recorded_at[:10] for entry in entries if entry.kind == kind]
        for kind in ("ReadingsDisagreed", "AdjudicationRecorded")
    )
    assert len(disagreed) == len(adjudicated) > 0
    assert all(before < after for before, after in zip(disagreed, adjudicated, strict=True))
