"""Long works: they run beside the pages, belong to who asked, and tell how they ended."""

import stat
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.test import Client

from equipoise.access.actor import Actor
from equipoise.conduct.clock import read_system_clock
from equipoise.web.accounts.models import AccessEvent, Job
from equipoise.web.clinic import Clinic
from equipoise.web.commands.tickets import make_ticket
from equipoise.web.protect import role_token
from equipoise.web.works import wait_for_works
from tests.web.clinics import actor_of, browser_of


@pytest.fixture(autouse=True)
def works_end(clinic: Clinic) -> Iterator[None]:
    yield
    wait_for_works()


def begin(browser: Client, actor: Actor, kind: str, **fields: str) -> str:
    """Begin a work, wait until it ended, and return its page's address."""
    given = {"kind": kind, "ticket": make_ticket(), "acting_as": role_token(actor)} | fields
    answer = browser.post("/jobs/start/", given)
    assert answer.status_code == 302, answer.content.decode()
    wait_for_works()
    return answer["Location"]


@pytest.mark.requirement("G15", "P7")
def test_spec_the_ledger_is_verified_and_the_result_stands_on_the_governance_page(clinic: Clinic):
    actor = actor_of(clinic, "administrator")
    browser = browser_of(actor)
    address = begin(browser, actor, "verification")
    page = browser.get(address).content.decode()
    assert "Download" in page
    result = browser.get(f"{address}file/")
    assert "The trial is what was recorded" in result.content.decode()
    assert (
        result["Content-Disposition"]
        == f'attachment; filename="verification-{clinic.trial.head.position}.html"'
    )
    assert f"up to position {clinic.trial.head.position}" in browser.get("/governance/").content.decode()


@pytest.mark.requirement("G1", "P7")
def test_a_result_is_for_the_owner_of_the_process_only_and_taking_it_is_on_record(clinic: Clinic):
    actor = actor_of(clinic, "data_manager")
    browser = browser_of(actor)
    address = begin(browser, actor, "verification")
    job = Job.objects.get()
    path = clinic.jobs / job.job
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(clinic.jobs.stat().st_mode) == 0o700
    assert not AccessEvent.objects.filter(what="copy_taken").exists()
    browser.get(f"{address}file/")
    taken = AccessEvent.objects.get(what="copy_taken")
    assert (taken.account, taken.detail) == (actor.account, f"{job.file} as {actor.role}")


def test_nobody_else_comes_to_a_work_and_neither_does_its_owner_in_another_role(clinic: Clinic):
    actor = actor_of(clinic, "data_manager")
    address = begin(browser_of(actor), actor, "verification")
    other = browser_of(actor_of(clinic, "administrator"))
    assert [other.get(each).status_code for each in (address, f"{address}file/")] == [404, 404]
    Job.objects.update(role="statistician")
    assert browser_of(actor).get(address).status_code == 404


def test_a_form_that_is_sent_twice_begins_one_work(clinic: Clinic):
    actor = actor_of(clinic, "data_manager")
    browser, ticket = browser_of(actor), make_ticket()
    assert {begin(browser, actor, "verification", ticket=ticket) for _ in range(2)} == {
        f"/jobs/{Job.objects.get().job}/"
    }


def test_a_work_of_a_process_that_is_gone_shows_as_interrupted(clinic: Clinic):
    actor = actor_of(clinic, "data_manager")
    Job.objects.create(job="a" * 32, account=actor.account, role=actor.role, kind="copy")
    browser = browser_of(actor)
    assert "<progress" in browser.get(f"/jobs/{'a' * 32}/").content.decode()
    Job.objects.update(beat_at=read_system_clock() - timedelta(minutes=5))
    page = browser.get(f"/jobs/{'a' * 32}/").content.decode()
    assert "WEB-WORK-INTERRUPTED" in page
    assert "hx-get" not in page


def test_only_two_works_of_an_account_are_under_way_at_once(clinic: Clinic):
    actor = actor_of(clinic, "data_manager")
    for letter in "ab":
        Job.objects.create(job=letter * 32, account=actor.account, role=actor.role, kind="copy")
    given = {"kind": "verification", "ticket": make_ticket(), "acting_as": role_token(actor)}
    answer = browser_of(actor).post("/jobs/start/", given)
    assert (answer.status_code, Job.objects.count()) == (422, 2)
    assert "WEB-WORKS-BUSY" in answer.content.decode()


def test_what_a_work_made_is_removed_after_a_day(clinic: Clinic):
    actor = actor_of(clinic, "data_manager")
    browser = browser_of(actor)
    begin(browser, actor, "verification")
    old = Job.objects.get()
    Job.objects.update(started_at=read_system_clock() - timedelta(days=2))
    begin(browser, actor, "verification")
    assert not (clinic.jobs / old.job).exists()
    assert Job.objects.count() == 1


def test_a_refusal_is_shown_and_leaves_no_file(clinic: Clinic):
    (clinic.folder / "heads.jsonl").write_text("no head\n")
    actor = actor_of(clinic, "administrator")
    browser = browser_of(actor)
    page = browser.get(begin(browser, actor, "verification")).content.decode()
    assert "HEADS-UNREADABLE" in page
    assert not list(clinic.jobs.iterdir())


@pytest.mark.parametrize(
    ("kind", "work"),
    [
        ("administrator", "copy"),
        ("data_manager", "closed_report"),
        ("statistician", "closed_datasets"),
        ("statistician", "closed_report"),
        ("data_manager", "unheard_of"),
    ],
)
@pytest.mark.requirement("G14")
def test_spec_who_may_not_ask_for_a_work_cannot_begin_it(clinic: Clinic, kind: str, work: str):
    actor = actor_of(clinic, kind)
    given = {"kind": work, "ticket": make_ticket(), "acting_as": role_token(actor)}
    answer = browser_of(actor).post("/jobs/start/", given)
    assert (answer.status_code, Job.objects.count()) == (403, 0)


@pytest.mark.parametrize("ticket", ["", "x", "é" * 32])
def test_a_work_without_a_ticket_is_refused(clinic: Clinic, ticket: str):
    actor = actor_of(clinic, "data_manager")
    given = {"kind": "copy", "ticket": ticket, "acting_as": role_token(actor)}
    answer = browser_of(actor).post("/jobs/start/", given)
    assert "WEB-TICKET" in answer.content.decode()
    assert (answer.status_code, Job.objects.count()) == (409, 0)


@pytest.mark.parametrize("kind", ["nurse", "monitor", "reader", "laboratory"])
def test_roles_without_long_works_have_no_page_for_them(clinic: Clinic, kind: str):
    assert browser_of(actor_of(clinic, kind)).get("/jobs/").status_code == 403
