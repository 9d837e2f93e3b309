"""The running of the trial as a whole."""

from dataclasses import replace
from datetime import date

import pytest

from equipoise.governance.commands import (
    ActivateSite,
    CloseSite,
    GrantRole,
    LockDatabase,
    OpenTrial,
    PublishHead,
    RevokeRole,
)
from equipoise.governance.decide import DECIDE
from equipoise.governance.state import APPLY, GrantRow, SiteRow, TrialRow, trial_of
from equipoise.ledger import Draft
from tests.factory import Bench, make_definition

OPEN = OpenTrial(mode="live", administrator="alma")
NILS = GrantRole(account="nils", role="nurse", site="SE01")


@pytest.fixture
def bench() -> Bench:
    bench = Bench((DECIDE, APPLY))
    bench.do(OPEN)
    return bench


def test_a_trial_opens_once_with_an_administrator() -> None:
    bench = Bench((DECIDE, APPLY))
    for command in (NILS, LockDatabase(), PublishHead(destination="a notary")):
        assert bench.refused(command).code == "GOV-NOT-OPEN"
    assert [entry.kind for entry in bench.do(OPEN)] == ["TrialOpened", "RoleGranted"]
    trial = trial_of(bench.tables)
    assert trial is not None
    assert (trial.study, trial.mode, trial.status) == ("kite", "live", "open")
    assert trial.definition == bench.definition.hash
    assert bench.tables.get(GrantRow, "alma", "administrator", "") is not None
    assert bench.refused(OPEN).code == "GOV-OPEN"


def test_a_trial_without_administrators_cannot_open() -> None:
    study = make_definition().study
    roles = tuple(role for role in study.roles if role.kind != "administrator")
    bench = Bench((DECIDE, APPLY), definition=make_definition(study=replace(study, roles=roles)))
    assert bench.refused(OPEN).code == "GOV-ADMINISTRATOR"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (GrantRole(account="nils", role="king"), "GOV-UNKNOWN-ROLE"),
        (GrantRole(account="nils", role="nurse"), "GOV-SCOPE"),
        (GrantRole(account="nils", role="monitor", site="SE01"), "GOV-SCOPE"),
        (GrantRole(account="nils", role="nurse", site="SE99"), "GOV-UNKNOWN-SITE"),
        (GrantRole(account=" ", role="monitor"), "GOV-TEXT"),
    ],
)
def test_a_role_fits_the_study(bench: Bench, command: GrantRole, code: str) -> None:
    assert bench.refused(command).code == code


def test_a_role_is_held_until_it_is_revoked(bench: Bench) -> None:
    bench.do(NILS)
    assert bench.refused(NILS).code == "GOV-HELD"
    bench.do(GrantRole(account="nils", role="nurse", site="CA01"))
    revoke = RevokeRole(account="nils", role="nurse", site="SE01")
    bench.do(revoke)
    assert bench.refused(revoke).code == "GOV-NOT-HELD"
    held = {row.site: row.revoked_at for row in bench.tables.where(GrantRow, account="nils")}
    assert held["CA01"] is None
    assert held["SE01"] is not None
    bench.do(NILS)
    assert bench.tables.require(GrantRow, "nils", "nurse", "SE01").revoked_at is None


def test_the_last_administrator_stays(bench: Bench) -> None:
    alma = RevokeRole(account="alma", role="administrator")
    assert bench.refused(alma).code == "GOV-LAST-ADMINISTRATOR"
    bench.do(GrantRole(account="arne", role="administrator"))
    bench.do(alma)


@pytest.mark.requirement("G17")
def test_spec_a_site_is_activated_once_after_its_approval(bench: Bench) -> None:
    def activate(site: str, day: date) -> ActivateSite:
        return ActivateSite(site=site, approved_on=day)

    today = bench.now.date()
    assert bench.refused(activate("XX01", today)).code == "GOV-UNKNOWN-SITE"
    assert bench.refused(activate("SE01", date(2024, 6, 4))).code == "GOV-DATE"
    assert bench.refused(CloseSite(site="SE01")).code == "GOV-SITE-STATE"
    bench.do(activate("SE01", today))
    assert bench.refused(activate("SE01", today)).code == "GOV-SITE-STATE"
    bench.do(CloseSite(site="SE01"))
    assert bench.tables.require(SiteRow, "SE01").status == "closed"
    assert bench.refused(CloseSite(site="SE01")).code == "GOV-SITE-STATE"


@pytest.mark.requirement("G11")
def test_the_lock_is_for_good_and_the_unblinding_follows_it(bench: Bench) -> None:
    [locked] = bench.do(LockDatabase())
    trial = bench.tables.require(TrialRow, "kite")
    assert (trial.status, trial.locked_position, trial.locked_at) == (
        "locked",
        locked.position,
        locked.recorded_at,
    )
    assert bench.refused(LockDatabase()).code == "GOV-LOCKED"
    # Another room writes this entry, whatever it holds.
    bench.record([Draft(kind="TrialUnblinded", version=1, content={})])
    assert bench.tables.require(TrialRow, "kite").status == "unblinded"
    assert bench.refused(LockDatabase()).code == "GOV-LOCKED"


@pytest.mark.requirement("E2")
def test_the_publication_of_the_head_is_on_record(bench: Bench) -> None:
    [entry] = bench.do(PublishHead(destination=" a notary "))
    assert entry.content == {"destination": "a notary"}
    assert bench.refused(PublishHead(destination="")).code == "GOV-TEXT"


def test_a_replay_gives_the_same_tables(bench: Bench) -> None:
    bench.do(NILS)
    bench.do(ActivateSite(site="CA01", approved_on=date(2024, 5, 1)))
    bench.do(RevokeRole(account="nils", role="nurse", site="SE01"))
    bench.do(LockDatabase())
    assert bench.replayed() == bench.tables.dump()
