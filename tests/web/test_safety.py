"""The safety desk: clocks in the order in which they are due, assessment, reports, and the line listing."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from equipoise.access.refusal import Refusal
from equipoise.capture.commands import RecordForm
from equipoise.safety.state import ClockRow, EventRow
from equipoise.web.clinic import Clinic
from tests.web.clinics import actor_of, browser_of, form_of

_YES_NO = ("life_threatening", "disability", "congenital_anomaly", "medically_important", "fatal")


def serious_event(clinic: Clinic, participant: str = "SE01-002", *, hours: int, **changed: object) -> int:
    """Record a suspected unexpected serious reaction of which the site is aware for some hours."""
    nurse = actor_of(clinic, "nurse", participant[:4])
    aware = clinic.now() - timedelta(hours=hours)
    there = aware.astimezone(ZoneInfo("Europe/Stockholm"))
    values: dict[str, object] = {
        **dict.fromkeys(_YES_NO, False),
        "term": "Pneumonia",
        "body_system": "infections",
        "onset": there.date().isoformat(),
        "severity": 3,
        "hospitalisation": True,
        "causality": "possible",
        "expectedness": "unexpected",
        "action": "none",
        "outcome": "not_recovered",
        "aware": aware,
    }
    command = RecordForm(participant=participant, form="adverse_event", values=values | changed)
    outcome = clinic.trial.record(nurse, command)
    assert not isinstance(outcome, Refusal), (outcome, outcome.details)
    return int(str(outcome[0].content["row"]))


@pytest.mark.requirement("G6", "S1")
def test_spec_clocks_are_listed_the_overdue_first_with_both_times(clinic: Clinic):
    late = serious_event(clinic, hours=30)
    early = serious_event(clinic, hours=1)
    page = browser_of(actor_of(clinic, "safety_desk")).get("/safety/").content.decode()
    due = page[page.index("Reports that are due") : page.index('id="adverse_events"')]
    assert "overdue by 6 h" in due
    assert "22 h 59 min left" in due or "23 h 0 min left" in due
    order = [due.index(f"SE01-002/{row}<") for row in (late, early)]
    assert order == sorted(order)
    clock = clinic.trial.tables.require(ClockRow, "SE01-002", early, "serious_event")
    assert clock.due_at[:10] in due
    assert "UTC+02:00" in due
    assert due.count('<svg class="bar"') == 4


def test_the_safety_pages_are_not_for_readers_or_the_laboratory(clinic: Clinic):
    row = serious_event(clinic, hours=1)
    for kind in ("reader", "laboratory", "administrator", "nurse"):
        assert browser_of(actor_of(clinic, kind)).get("/safety/").status_code == 403, kind
    for kind in ("reader", "laboratory", "administrator"):
        assert browser_of(actor_of(clinic, kind)).get(f"/safety/SE01-002/{row}/").status_code == 403, kind
    elsewhere = browser_of(actor_of(clinic, "investigator", "IT01"))
    assert elsewhere.get(f"/safety/SE01-002/{row}/").status_code == 404
    assert "SE01-002" not in elsewhere.get("/safety/").content.decode()


def test_spec_the_sponsors_assessment_stands_beside_the_sites(clinic: Clinic):
    row = serious_event(clinic, hours=1)
    desk = browser_of(actor_of(clinic, "safety_desk"))
    address = f"/safety/SE01-002/{row}/"
    page = desk.get(address).content.decode()
    assert f"/do/assess-event/?participant=SE01-002&amp;row={row}" in page
    fields = form_of(desk, f"/do/assess-event/?participant=SE01-002&row={row}&next={address}")
    posted = fields | {"related": "false", "expected": "true", "text": "Seasonal pneumonia"}
    assert desk.post("/do/assess-event/", posted)["Location"] == address
    event = clinic.trial.tables.require(EventRow, "SE01-002", row)
    assert (event.related, event.sponsor_related, event.sponsor_expected) == (True, False, True)
    page = desk.get(address).content.decode()
    assert "not related, expected: Seasonal pneumonia" in page


@pytest.mark.requirement("S1")
def test_spec_a_report_is_recorded_as_sent_and_its_clock_stops(clinic: Clinic):
    row = serious_event(clinic, hours=2)
    desk = browser_of(actor_of(clinic, "safety_desk"))
    place = f"/do/submit-safety-report/?participant=SE01-002&row={row}"
    page = desk.get(place).content.decode()
    assert '<option value="susar_other">' in page
    fields = form_of(desk, f"{place}&clock=serious_event&next=/safety/")
    sent = clinic.now() - timedelta(minutes=30)
    posted = fields | {"submitted_at": f"{sent:%Y-%m-%dT%H:%M}"}
    assert desk.post("/do/submit-safety-report/", posted).status_code == 302
    clock = clinic.trial.tables.require(ClockRow, "SE01-002", row, "serious_event")
    assert clock.status == "met"
    assert "A report was sent" in desk.get(f"/safety/SE01-002/{row}/").content.decode()


@pytest.mark.requirement("S2")
def test_spec_a_susar_says_to_whom_its_allocation_is_revealed(clinic: Clinic):
    row = serious_event(clinic, hours=1)
    other = serious_event(clinic, hours=1, expectedness="expected")
    desk = browser_of(actor_of(clinic, "safety_desk"))
    assert "whom the protocol names (Investigator, Safety desk)" in " ".join(
        desk.get(f"/safety/SE01-002/{row}/").content.decode().split()
    )
    assert "whom the protocol names" not in desk.get(f"/safety/SE01-002/{other}/").content.decode()


def test_the_line_listing_leaves_as_csv(clinic: Clinic):
    serious_event(clinic, hours=1, term="=Pneumonia")
    answer = browser_of(actor_of(clinic, "safety_desk")).get("/safety/?as=csv")
    text = answer.content.decode("utf-8-sig")
    assert answer["Content-Disposition"] == 'attachment; filename="adverse_events.csv"'
    assert len(text.splitlines()) == 1 + len(list(clinic.trial.tables.all(EventRow)))
    assert "'=Pneumonia" in text


def test_an_event_that_is_not_there_is_no_page(clinic: Clinic):
    desk = browser_of(actor_of(clinic, "safety_desk"))
    assert desk.get("/safety/SE01-002/999/").status_code == 404
    assert desk.get("/safety/SE01-999/1/").status_code == 404
