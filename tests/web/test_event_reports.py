"""The report of a serious event: asked for on its page, blinded for who is masked, made as a long work."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from equipoise.access.actor import Actor
from equipoise.allocation.commands import UnblindInEmergency
from equipoise.allocation.state import AllocationRow
from equipoise.exchange.e2b import read_icsr
from equipoise.exchange.e2b.parties import QUALIFICATIONS, SENDER_TYPES
from equipoise.governance.commands import GrantRole
from equipoise.safety.state import EventRow
from equipoise.web.accounts.models import AccessEvent, Job
from equipoise.web.clinic import Clinic
from equipoise.web.commands.tickets import make_ticket
from equipoise.web.event_reports import ASKED, REPORTERS, SENDERS, WHO
from equipoise.web.protect import role_token
from equipoise.web.works import wait_for_works
from tests.web.clinics import actor_of, browser_of
from tests.web.test_jobs import begin, works_end
from tests.web.test_safety import serious_event

__all__ = ["works_end"]

WHOSE = "SE01-002"
ANSWERS = {
    "sender": "UNI",
    "receiver": "EVHUMAN",
    "organisation": "A university",
    "type": "other",
    "version": "blinded",
}


def place_of(row: int, participant: str = WHOSE) -> str:
    return f"/safety/{participant}/{row}/report/"


def ask(actor: Actor, row: int, participant: str = WHOSE, **given: str) -> Any:
    """Send the form with these answers."""
    browser = browser_of(actor)
    told = {"acting_as": role_token(actor), "ticket": make_ticket()}
    answer = browser.post(place_of(row, participant), told | ANSWERS | given)
    wait_for_works()
    return answer


def elements_of(content: bytes, folder: Path) -> Mapping[str, Sequence[str]]:
    """Return what a report says, by the numbers of its elements."""
    path = folder / "icsr.xml"
    path.write_bytes(content)
    return read_icsr(path)


def report(actor: Actor, row: int, participant: str = WHOSE, **given: str) -> tuple[str, bytes]:
    """Return the name and the content of the report of an event."""
    answer = ask(actor, row, participant, **given)
    assert answer.status_code == 302, answer.content.decode()
    browser = browser_of(actor)
    taken = browser.get(answer["Location"] + "file/")
    assert taken.status_code == 200, browser.get(answer["Location"]).content.decode()
    return taken["Content-Disposition"].split('"')[1], taken.content


@pytest.mark.requirement("G9")
def test_spec_the_safety_desk_takes_the_blinded_report_of_a_serious_event(clinic: Clinic, tmp_path: Path):
    row = serious_event(clinic, hours=1)
    desk = actor_of(clinic, "safety_desk")
    event = browser_of(desk).get(f"/safety/{WHOSE}/{row}/").content.decode()
    assert place_of(row) in event
    form = browser_of(desk).get(place_of(row)).content.decode()
    assert 'name="version"' not in form
    assert clinic.definition.study.sponsor.name in form
    name, content = report(desk, row, comment="Related, in our view.", qualification="physician")
    position = clinic.trial.head.position
    assert name == f"{clinic.definition.study.id}-e2b-{WHOSE}-{row}-blinded-{position}.xml"
    said = elements_of(content, tmp_path)
    assert (said["N.1.3"], said["N.1.4"]) == (("UNI",), ("EVHUMAN",))
    assert said["H.4"] == ("Related, in our view.",)
    assert said["C.2.r.4"] == (QUALIFICATIONS["physician"],)
    assert said["G.k.2.5"] == ("true",)
    assert said["E.i.1.1a"] == ("Pneumonia",)


def test_spec_the_report_has_the_address_of_its_sender(clinic: Clinic, tmp_path: Path):
    row = serious_event(clinic, hours=1)
    address = {
        "street": "Via Sommarive 18",
        "city": "Trento",
        "state": "TN",
        "postcode": "38123",
        "country": "IT",
    }
    _, content = report(actor_of(clinic, "safety_desk"), row, **address)
    said = elements_of(content, tmp_path)
    assert [said[f"C.3.4.{number}"] for number in range(1, 6)] == [(each,) for each in address.values()]


def test_spec_it_is_the_same_report_whoever_takes_it(clinic: Clinic):
    row = serious_event(clinic, hours=1)
    kinds = ("safety_desk", "data_manager", "unblinded_statistician")
    assert len({report(actor_of(clinic, kind), row) for kind in kinds}) == 1


@pytest.mark.requirement("G9", "G10")
def test_spec_only_who_sees_the_arms_is_asked_for_the_unblinded_version(clinic: Clinic, tmp_path: Path):
    row = serious_event(clinic, hours=1)
    knows = actor_of(clinic, "unblinded_statistician")
    assert 'name="version"' in browser_of(knows).get(place_of(row)).content.decode()
    name, content = report(knows, row, version="unblinded")
    assert "-unblinded-" in name
    assert "true" not in elements_of(content, tmp_path).get("G.k.2.5", ())
    masked, blinded = report(actor_of(clinic, "safety_desk"), row, version="unblinded")
    assert "-blinded-" in masked
    assert elements_of(blinded, tmp_path)["G.k.2.5"] == ("true",)


@pytest.mark.requirement("G1", "G9")
def test_spec_whoever_broke_the_code_makes_the_unblinded_report_of_that_participant_alone(
    clinic: Clinic, tmp_path: Path
):
    rows = clinic.trial.tables.all(AllocationRow)
    whose, other = [row.participant for row in rows if row.participant.startswith("SE01")][:2]
    given = {code: serious_event(clinic, code, hours=1) for code in (whose, other)}
    desk = actor_of(clinic, "safety_desk")
    assert desk.role in clinic.definition.allocation.emergency_unblinding.permitted
    broken = UnblindInEmergency(participant=whose, cause="The authority asks for it.")
    assert isinstance(clinic.trial.record(desk, broken), tuple)
    name, content = report(desk, given[whose], whose, version="unblinded")
    assert "-unblinded-" in name
    told = elements_of(content, tmp_path)
    arm = clinic.definition.arm(clinic.trial.emergency_allocation(desk, whose))
    assert arm is not None
    names = {each.id: each.name for each in clinic.definition.study.interventions}
    possible = {names[each] for cell in arm.cells.values() for each in cell}
    assert set(told["G.k.2.2"]) & possible
    assert "true" not in told.get("G.k.2.5", ())
    read = AccessEvent.objects.get(what="allocation_read")
    assert (read.account, read.detail) == (desk.account, whose)
    assert "-blinded-" in report(desk, given[other], other, version="unblinded")[0]
    manager = actor_of(clinic, "data_manager")
    assert "-blinded-" in report(manager, given[whose], whose, version="unblinded")[0]
    assert AccessEvent.objects.filter(what="allocation_read").count() == 1


@pytest.mark.requirement("G9")
def test_spec_who_broke_the_code_in_another_role_is_refused_and_reads_nothing(clinic: Clinic):
    rows = clinic.trial.tables.all(AllocationRow)
    whose = next(row.participant for row in rows if row.participant.startswith("SE01"))
    row = serious_event(clinic, whose, hours=1)
    desk, manager = actor_of(clinic, "safety_desk"), actor_of(clinic, "data_manager")
    admin = actor_of(clinic, "administrator")
    granted = clinic.trial.record(admin, GrantRole(account=desk.account, role=manager.role, site=None))
    assert isinstance(granted, tuple), granted
    broken = UnblindInEmergency(participant=whose, cause="The authority asks for it.")
    assert isinstance(clinic.trial.record(desk, broken), tuple)
    answer = ask(Actor(desk.account, manager.role), row, whose, version="unblinded")
    assert "ALL-NOT-UNBLINDED" in answer.content.decode()
    assert Job.objects.count() == 0
    assert not AccessEvent.objects.filter(what="allocation_read").exists()


@pytest.mark.requirement("G1")
def test_taking_a_report_is_on_record_and_nobody_else_comes_to_it(clinic: Clinic):
    row = serious_event(clinic, hours=1)
    desk = actor_of(clinic, "safety_desk")
    name, _ = report(desk, row)
    taken = AccessEvent.objects.get(what="copy_taken")
    assert (taken.account, taken.detail) == (desk.account, f"{name} as {desk.role}")
    address = f"/jobs/{Job.objects.get().job}/"
    page = browser_of(desk).get(address).content.decode()
    assert f"{WHOSE}/{row}" in page
    assert clinic.trial.head.hash in page
    assert browser_of(actor_of(clinic, "data_manager")).get(address).status_code == 404


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("sender", "", "This must be answered."),
        ("receiver", " ", "This must be answered."),
        ("organisation", "", "This must be answered."),
        ("sender", "x" * 61, "room for 60 characters"),
        ("type", "sponsor", "Choose one of the list."),
        ("qualification", "magician", "Choose one of the list."),
        ("email", "somebody", "This is no e-mail address."),
        ("given_name", "a\x02b", "a character in it that cannot be written"),
        ("family_name", "a\0b", "a character in it that cannot be written"),
        ("country", "Sweden", "room for 2 characters"),
        ("country", "se", "This is no code of a country"),
        ("telephone", "1\n2", "a character in it that cannot be written"),
    ],
)
def test_spec_what_is_missing_or_wrong_is_said_beside_its_field(
    clinic: Clinic, name: str, given: str, said: str
):
    row = serious_event(clinic, hours=1)
    answer = ask(actor_of(clinic, "safety_desk"), row, **{name: given})
    page = answer.content.decode()
    assert (answer.status_code, Job.objects.count()) == (422, 0)
    assert said in page
    assert f'id="problem-{name}"' in page


def test_a_number_that_becomes_too_long_is_said_on_the_page_of_the_work(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("equipoise.exchange.e2b.case._NUMBER_MAX", 20)
    row = serious_event(clinic, hours=1)
    desk = actor_of(clinic, "safety_desk")
    answer = ask(desk, row, comment="two\nlines")
    assert "E2B-NUMBER" in browser_of(desk).get(answer["Location"]).content.decode()
    assert Job.objects.get().status == "refused"


def test_the_parties_are_kept_for_the_next_report_and_what_is_of_one_event_is_not(clinic: Clinic):
    row, next_row = serious_event(clinic, hours=1), serious_event(clinic, hours=2)
    desk = actor_of(clinic, "safety_desk")
    report(desk, row, comment="Of the first alone.", telephone="112")
    page = browser_of(desk).get(place_of(next_row)).content.decode()
    assert 'value="EVHUMAN"' in page
    assert 'value="112"' in page
    assert "Of the first alone." not in page


def test_an_event_that_is_not_serious_or_is_none_has_no_report(clinic: Clinic):
    other = next(each for each in clinic.trial.tables.all(EventRow) if not each.serious)
    browser = browser_of(actor_of(clinic, "safety_desk"))
    place = f"/safety/{other.participant}/{other.row}/"
    assert "/report/" not in browser.get(place).content.decode()
    answer = browser.get(f"{place}report/")
    assert (answer.status_code, "E2B-NOT-SERIOUS" in answer.content.decode()) == (422, True)
    for absent in (f"/safety/{WHOSE}/99/report/", "/safety/SE01-999/1/report/"):
        assert browser.get(absent).status_code == 404


@pytest.mark.requirement("G14")
def test_spec_who_sends_no_reports_cannot_take_one(clinic: Clinic):
    row = serious_event(clinic, hours=1)
    for kind in ("investigator", "nurse", "monitor", "statistician", "safety_board", "reader"):
        actor = actor_of(clinic, kind)
        assert browser_of(actor).get(place_of(row)).status_code == 403, kind
        answer = browser_of(actor).get(f"/safety/{WHOSE}/{row}/")
        assert place_of(row) not in answer.content.decode()


def test_a_report_is_asked_for_on_its_own_page_alone(clinic: Clinic):
    desk = actor_of(clinic, "safety_desk")
    with pytest.raises(AssertionError, match="E2B-EVENT"):
        begin(browser_of(desk), desk, "event_report")
    assert Job.objects.count() == 0


def test_every_kind_of_sender_and_reporter_of_the_standard_may_be_chosen():
    assert SENDERS.keys() == SENDER_TYPES.keys()
    assert REPORTERS.keys() == QUALIFICATIONS.keys()
    assert {each.name for each in ASKED if each.required} == {"sender", "receiver", "organisation", "type"}
    assert "safety_desk" in WHO.kinds
