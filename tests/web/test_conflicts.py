"""Two people on one form: both versions are shown, nothing is lost, nothing is overwritten unseen."""

import pytest

from equipoise.capture.state import RecordRow
from equipoise.web.clinic import Clinic
from tests.web.clinics import actor_of, browser_of, form_of, read_form
from tests.web.filled import VITAL_SIGNS, address_of, open_form, recorded_form


def values_of(clinic: Clinic, record: RecordRow) -> dict[str, object]:
    row = clinic.trial.tables.require(
        RecordRow, record.participant, record.form, record.encounter, record.row
    )
    return row.item_values


def test_spec_a_correction_changes_what_was_touched_and_nothing_else(clinic: Clinic):
    record = recorded_form(clinic)
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    correct = f"{address_of(record)}correct/"
    fields = form_of(browser, correct) | {"item-weight": "81,5", "reason": "Wrong column"}
    before = clinic.trial.head.position
    assert browser.post(correct, fields)["Location"] == address_of(record)
    (entry,) = clinic.trial.ledger.read(before)
    assert (entry.kind, entry.content["item"], entry.reason) == ("ItemCorrected", "weight", "Wrong column")
    course = browser.get(f"{address_of(record)}items/weight/").content.decode()
    assert "81.5 kg" in course
    assert "Wrong column" in course
    assert "UTC+" in course


@pytest.mark.requirement("G2", "R13")
def test_a_correction_needs_a_reason_and_a_change(clinic: Clinic):
    record = recorded_form(clinic)
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    correct = f"{address_of(record)}correct/"
    fields = form_of(browser, correct)
    before = clinic.trial.head
    unexplained = browser.post(correct, fields | {"item-weight": "81"})
    assert (unexplained.status_code, "Say why." in unexplained.content.decode()) == (422, True)
    unchanged = browser.post(correct, fields | {"reason": "Because"})
    assert "CAP-UNCHANGED" in unchanged.content.decode()
    assert clinic.trial.head == before


@pytest.mark.requirement("G2", "R13")
def test_spec_two_corrections_of_one_item_end_at_a_page_with_both(clinic: Clinic):
    record = recorded_form(clinic)
    first, second = (browser_of(actor_of(clinic, kind, "SE01")) for kind in ("nurse", "investigator"))
    correct = f"{address_of(record)}correct/"
    mine = form_of(second, correct) | {"item-weight": "82", "item-pulse": "70", "reason": "Read again"}
    theirs = form_of(first, correct) | {"item-weight": "81", "item-systolic": "121", "reason": "Wrong column"}
    assert first.post(correct, theirs).status_code == 302
    before = clinic.trial.head
    answer = second.post(correct, mine)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "81 kg" in page
    assert "82 kg" in page
    assert clinic.trial.head == before
    chosen = read_form(page)
    # Who alone changed an item keeps it; the item that both changed is for the second to decide.
    assert (chosen["take-pulse"], chosen["take-systolic"]) == ("mine", "theirs")
    assert "take-weight" not in chosen
    assert chosen["reason"] == "Read again"


def test_spec_the_choice_is_recorded_as_a_correction(clinic: Clinic):
    record = recorded_form(clinic)
    first, second = (browser_of(actor_of(clinic, kind, "SE01")) for kind in ("nurse", "investigator"))
    correct = f"{address_of(record)}correct/"
    mine = form_of(second, correct) | {"item-weight": "82", "item-pulse": "70", "reason": "Read again"}
    first.post(
        correct, form_of(first, correct) | {"item-weight": "81", "item-systolic": "121", "reason": "No"}
    )
    chosen = read_form(second.post(correct, mine).content.decode())
    undecided = second.post(correct, chosen)
    assert (undecided.status_code, "Choose one of the two" in undecided.content.decode()) == (409, True)
    chosen = read_form(undecided.content.decode()) | {"take-weight": "mine"}
    before = clinic.trial.head.position
    assert second.post(correct, chosen).status_code == 302
    entries = list(clinic.trial.ledger.read(before))
    assert [(each.kind, each.content["item"]) for each in entries] == [
        ("ItemCorrected", "pulse"),
        ("ItemCorrected", "weight"),
    ]
    values = values_of(clinic, record)
    assert (values["weight"], values["pulse"], values["systolic"]) == ("82", 70, 121)


def test_taking_all_of_theirs_records_nothing(clinic: Clinic):
    record = recorded_form(clinic)
    first, second = (browser_of(actor_of(clinic, kind, "SE01")) for kind in ("nurse", "investigator"))
    correct = f"{address_of(record)}correct/"
    mine = form_of(second, correct) | {"item-weight": "82", "reason": "Read again"}
    first.post(correct, form_of(first, correct) | {"item-weight": "81", "reason": "Wrong column"})
    chosen = read_form(second.post(correct, mine).content.decode()) | {"take-weight": "theirs"}
    before = clinic.trial.head
    assert second.post(correct, chosen).status_code == 302
    assert clinic.trial.head == before
    assert values_of(clinic, record)["weight"] == "81"


def test_a_third_change_in_between_is_a_conflict_again(clinic: Clinic):
    record = recorded_form(clinic)
    first, second = (browser_of(actor_of(clinic, kind, "SE01")) for kind in ("nurse", "investigator"))
    correct = f"{address_of(record)}correct/"
    mine = form_of(second, correct) | {"item-weight": "82", "reason": "Read again"}
    first.post(correct, form_of(first, correct) | {"item-weight": "81", "reason": "Wrong column"})
    chosen = read_form(second.post(correct, mine).content.decode()) | {"take-weight": "mine"}
    first.post(correct, form_of(first, correct) | {"item-weight": "83", "reason": "Once more"})
    answer = second.post(correct, chosen)
    assert answer.status_code == 409
    assert "83 kg" in answer.content.decode()
    assert values_of(clinic, record)["weight"] == "83"


def test_spec_two_who_fill_in_one_form_lose_nothing(clinic: Clinic):
    address = open_form(clinic)
    first, second = (browser_of(actor_of(clinic, kind, "SE01")) for kind in ("nurse", "investigator"))
    mine = form_of(second, address) | VITAL_SIGNS | {"item-pulse": "70"}
    assert first.post(address, form_of(first, address) | VITAL_SIGNS).status_code == 302
    answer = second.post(address, mine)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "70 /min" in page
    assert "The same in both:" in page
    chosen = read_form(page) | {"take-pulse": "mine", "reason": "Counted for a full minute"}
    before = clinic.trial.head.position
    assert second.post(f"{address}correct/", chosen)["Location"] == address
    (entry,) = clinic.trial.ledger.read(before)
    assert (entry.kind, entry.content["before"], entry.content["after"]) == ("ItemCorrected", 66, 70)


def test_a_correction_that_does_not_say_what_it_saw_overwrites_nothing(clinic: Clinic):
    record = recorded_form(clinic)
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    correct = f"{address_of(record)}correct/"
    fields = form_of(browser, correct) | {"item-weight": "81", "reason": "Wrong column"}
    for seen in ("", "x", "-1", "9" * 40):
        before = clinic.trial.head
        assert browser.post(correct, fields | {"seen": seen}).status_code == 409
        assert clinic.trial.head == before


def test_an_answer_goes_with_the_question_that_is_no_longer_asked(clinic: Clinic):
    rows = clinic.trial.tables.where(RecordRow, form="prior_treatment")
    record = next(row for row in rows if "stopped_on" in row.item_values)
    site = record.participant.split("-")[0]
    browser = browser_of(actor_of(clinic, "nurse", site))
    correct = f"/participants/{record.participant}/logs/prior_treatment/{record.row}/correct/"
    fields = form_of(browser, correct) | {"item-ongoing": "true", "reason": "Still taken"}
    kept = browser.post(correct, fields)
    assert kept.status_code == 422
    assert "not asked" in kept.content.decode()
    # The page puts such questions away, and does not send them.
    away = {
        name: text for name, text in fields.items() if name not in ("item-stopped_on", "item-stop_reason")
    }
    assert browser.post(correct, away).status_code == 302
    assert "stopped_on" not in values_of(clinic, record)
