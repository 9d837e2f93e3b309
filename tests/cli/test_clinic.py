"""The demo's clinic stops on a day on which every role has something to do."""

from collections import Counter
from datetime import date

import pytest

from equipoise.access.actor import Actor
from equipoise.capture.state import RecordRow, SignatureRow
from equipoise.cli.demo import make_clinic
from equipoise.cli.trials import open_trial
from tests.cli.bad_inputs import run
from tests.rehearsal.folders import load


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "clinic"
    make_clinic(load("mesems"), folder, 1)
    return folder


@pytest.fixture(scope="module")
def trial(clinic):
    return open_trial(clinic)


@pytest.fixture(scope="module")
def seen(trial):
    return trial.as_seen_by(Actor("data_manager", "data_manager"))


@pytest.fixture(scope="module")
def due(trial, seen):
    """The encounters that are due, by site."""
    last = next(trial.ledger.read(trial.head.position - 1))
    today = date.fromisoformat(last.recorded_at[:10])
    return [
        (person.site, line.encounter)
        for person in seen.participants()
        if person.status in ("screening", "randomised")
        for line in seen.timeline(person.participant, today)
        if line.status in ("due", "overdue")
    ]


def test_it_is_intact_and_can_be_served(clinic):
    result = run(["verify", str(clinic)])
    assert result.exit_code == 0, result.output
    assert (clinic / "identities.sqlite").exists()


def test_it_is_in_the_midst_of_recruitment(seen):
    states = Counter(person.status for person in seen.participants())
    assert 0.6 * 144 <= sum(states[each] for each in ("randomised", "completed", "withdrawn")) < 144
    assert states["screening"] > 0
    assert states["randomised"] > 10


def test_investigators_and_nurses_have_visits_queries_and_signatures(trial, seen, due):
    assert len({site for site, _ in due}) > 3
    assert sum(query.status == "open" for query in seen.queries()) > 2
    signed = {row.participant for row in trial.tables.all(SignatureRow)}
    assert {p.participant for p in seen.participants() if p.status == "completed"} - signed


def test_the_data_manager_has_scans_and_the_monitor_sources(trial, seen):
    assert "received" in {scan.status for scan in seen.scans()}
    assert any(not row.verified for row in trial.tables.all(RecordRow))


@pytest.mark.parametrize("account", ["reader.1", "reader.2", "adjudicator"])
def test_readers_and_adjudicator_have_scans(trial, account):
    actor = Actor(account, account.split(".")[0])
    assert trial.as_seen_by(actor).reading_tasks()


def test_the_laboratory_has_a_lot_and_the_infuser_somebody_to_come(trial, due):
    statistician = Actor("unblinded_statistician", "unblinded_statistician")
    lots = trial.as_seen_by(statistician).lots()
    assert {lot.status for lot in lots} & {"collected", "made"}
    assert {encounter for _, encounter in due} & {"week_0", "week_24"}


def test_the_safety_desk_has_a_running_clock_and_events_to_assess(seen):
    assert [clock for clock in seen.clocks() if clock.status == "running"]
    assert any(event.serious and event.sponsor_related is None for event in seen.adverse_events())
