"""Scans and their reading: who sees the log, what a reader sees, and what an adjudicator does."""

import pytest

from equipoise.access.actor import Actor
from equipoise.access.refusal import Refusal
from equipoise.capture.state import EncounterRow
from equipoise.imaging.commands import AcceptScan, ReceiveScan, RecordRead
from equipoise.imaging.state import ScanRow, TaskRow
from equipoise.ledger.entry import Entry
from equipoise.web.clinic import Clinic
from tests.web.clinics import actor_of, browser_of, form_of

_READING = {
    "gel_count": 2,
    "new_or_enlarging_t2": 1,
    "combined_unique_active": 2,
    "gel_volume": "0.5",
    "t2_volume": "10",
    "black_hole_volume": "1",
}


def record(clinic: Clinic, actor: Actor, command) -> tuple[Entry, ...]:
    outcome = clinic.trial.record(actor, command)
    assert not isinstance(outcome, Refusal), outcome
    return outcome


def readers(clinic: Clinic) -> list[Actor]:
    return [Actor(f"reader.{number}", "reader") for number in (1, 2)]


def scan_to_read(clinic: Clinic) -> str:
    """A scan that nobody has read; its code."""
    for row in list(clinic.trial.tables.all(ScanRow)):
        tasks = clinic.trial.tables.where(TaskRow, scan=row.scan)
        if row.status == "accepted" and all(task.status == "open" for task in tasks):
            return row.scan
    for held in list(clinic.trial.tables.all(EncounterRow)):
        others = clinic.trial.tables.where(ScanRow, participant=held.participant, encounter=held.encounter)
        if held.took_place_on and held.encounter == "baseline" and all(s.status == "refused" for s in others):
            site = held.participant[:4]
            command = ReceiveScan(
                participant=held.participant, encounter="baseline", acquired_on=clinic.today(site)
            )
            received = record(clinic, actor_of(clinic, "nurse", site), command)
            scan = str(received[0].content["scan"])
            record(clinic, actor_of(clinic, "data_manager"), AcceptScan(scan=scan))
            return scan
    raise AssertionError("every scan is read")


def disputed_task(clinic: Clinic) -> str:
    """The adjudicator's task of a scan in which the counts of two readers differ."""
    scan = scan_to_read(clinic)
    first, second = sorted(task.task for task in clinic.trial.tables.where(TaskRow, scan=scan))
    one, other = readers(clinic)
    record(clinic, one, RecordRead(task=first, values=_READING))
    outcome = record(clinic, other, RecordRead(task=second, values=_READING | {"combined_unique_active": 3}))
    return str(next(entry for entry in outcome if entry.kind == "ReadingsDisagreed").content["task"])


def test_the_log_of_scans_is_for_the_sites_and_data_management(clinic: Clinic):
    for kind, status in (("nurse", 200), ("data_manager", 200), ("reader", 403), ("laboratory", 403)):
        assert browser_of(actor_of(clinic, kind)).get("/scans/").status_code == status, kind


@pytest.mark.requirement("G10", "G12")
def test_spec_a_site_sees_its_own_scans_and_nothing_of_their_reading(clinic: Clinic):
    page = browser_of(actor_of(clinic, "nurse", "IT01")).get("/scans/").content.decode()
    codes = {row.scan: row.participant for row in clinic.trial.tables.all(ScanRow)}
    assert all((code in page) == person.startswith("IT01") for code, person in codes.items())
    table = page[page.index('id="scans"') :]
    assert ">accepted<" in table
    assert ">read<" not in table


def test_a_scan_that_does_not_suffice_is_refused_for_one_of_the_definitions_reasons(clinic: Clinic):
    row = next(iter(clinic.trial.tables.all(ScanRow)))
    manager = browser_of(actor_of(clinic, "data_manager"))
    page = manager.get(f"/do/refuse-scan/?scan={row.scan}").content.decode()
    assert '<option value="File damaged">File damaged</option>' in page


def test_an_encounter_without_its_scan_is_missing(clinic: Clinic):
    nurse = actor_of(clinic, "nurse", "SE01")
    lines = clinic.trial.as_seen_by(nurse).missing_scans()
    page = browser_of(nurse).get("/scans/").content.decode()
    assert all(line.participant.startswith("SE01") for line in lines)
    assert page.count("/do/receive-scan/?participant=") == len(lines)


@pytest.mark.requirement("G9", "G13")
def test_spec_a_reader_sees_codes_and_no_participant(clinic: Clinic):
    scan_to_read(clinic)
    browser = browser_of(readers(clinic)[0])
    page = browser.get("/reading/").content.decode()
    tasks = clinic.trial.as_seen_by(readers(clinic)[0]).reading_tasks()
    assert tasks
    assert all(f"task={line.task}" in page for line in tasks)
    form = browser.get(f"/do/record-read/?task={tasks[0].task}").content.decode()
    for row in clinic.trial.tables.all(ScanRow):
        assert row.participant not in page + form
        assert row.scan not in page + form
    assert browser_of(actor_of(clinic, "nurse")).get("/reading/").status_code == 403


@pytest.mark.requirement("R40")
def test_spec_a_reading_recorded_on_a_page_is_an_entry(clinic: Clinic):
    scan_to_read(clinic)
    browser = browser_of(readers(clinic)[0])
    task = clinic.trial.as_seen_by(readers(clinic)[0]).reading_tasks()[0].task
    fields = form_of(browser, f"/do/record-read/?task={task}&next=/reading/")
    before = clinic.trial.head.position
    answer = browser.post("/do/record-read/", fields | {f"item-{id}": each for id, each in _READING.items()})
    assert (answer.status_code, answer["Location"]) == (302, "/reading/")
    entry = next(iter(clinic.trial.ledger.read(before)))
    assert (entry.kind, entry.content["task"]) == ("ReadRecorded", task)
    assert task in browser.get("/reading/").content.decode()


def test_spec_an_adjudicator_sees_both_readings_and_whose_they_are_does_not_show(clinic: Clinic):
    task = disputed_task(clinic)
    adjudicator = actor_of(clinic, "adjudicator")
    dispute = clinic.trial.as_seen_by(adjudicator).dispute(task)
    assert "combined_unique_active" in dispute.items
    assert {reading["combined_unique_active"] for reading in dispute.readings} == {2, 3}
    browser = browser_of(adjudicator)
    page = browser.get(f"/do/record-adjudication/?task={task}").content.decode()
    assert '<table class="readings">' in page
    assert "reader." not in page
    fields = form_of(browser, f"/do/record-adjudication/?task={task}&next=/reading/")
    answer = browser.post(
        "/do/record-adjudication/", fields | {f"item-{id}": each for id, each in _READING.items()}
    )
    assert answer.status_code == 302
    page = browser.get(f"/do/record-adjudication/?task={task}").content.decode()
    assert '<table class="readings">' not in page


@pytest.mark.parametrize("kind", ["reader", "nurse", "data_manager", "statistician", "monitor"])
def test_nobody_else_sees_the_readings_behind_a_dispute(clinic: Clinic, kind: str):
    from equipoise.access.refusal import Refused

    task = disputed_task(clinic)
    with pytest.raises(Refused, match="ACC-UNSEEN"):
        clinic.trial.as_seen_by(actor_of(clinic, kind)).dispute(task)
