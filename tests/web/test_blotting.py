"""Blotting out from the audit trail: what the page says, what it takes, and what the trail shows after it."""

import re

import pytest

from equipoise.access.permissions import PERMITTED
from equipoise.ledger import MARK
from equipoise.web.accounts.models import AccessEvent, Account, Draft, Job
from equipoise.web.clinic import Clinic
from tests.web.clinics import PASSWORD, actor_of, browser_of, form_of
from tests.web.filled import address_of, recorded_form

NAME = "Zyxwvut Qponmlk"
REASON = f"Misread by {NAME} yesterday"


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Account, "check_password", lambda _, raw: raw == PASSWORD)


def corrected(clinic: Clinic) -> tuple[str, int]:
    """A correction whose reason names a person: the participant and the position of the entry."""
    record = recorded_form(clinic)
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    correct = f"{address_of(record)}correct/"
    browser.post(correct, form_of(browser, correct) | {"item-weight": "99.5", "reason": REASON})
    (line, *_) = clinic.trial.as_seen_by(actor_of(clinic, "data_manager")).audit(newest_first=True)
    assert line.reason == REASON
    return record.participant, line.position


def blot_page(position: int) -> str:
    return f"/do/blot-text/?position={position}&path=reason&next=/audit/"


PROOF = {"reason": "It names a relative.", "proof_password": PASSWORD}


@pytest.mark.requirement("G4", "G13")
def test_spec_a_data_manager_blots_a_name_out_from_the_audit_trail(clinic: Clinic):
    _, position = corrected(clinic)
    manager = actor_of(clinic, "data_manager")
    browser = browser_of(manager)
    link = f"/do/blot-text/?position={position}&amp;next=/audit/"
    assert link in browser.get("/audit/").content.decode()
    page = browser.get(blot_page(position)).content.decode()
    for number, word in enumerate(REASON.split(), start=1):
        assert re.search(rf'name="word" value="{number}"> {word}<', page)
    fields = form_of(browser, blot_page(position)) | PROOF | {"word": ["3", "4"]}
    answer = browser.post("/do/blot-text/", fields)
    assert (answer.status_code, answer["Location"]) == (302, "/audit/")
    shown = browser.get("/audit/").content.decode()
    assert NAME not in shown
    assert f"Misread by {MARK} yesterday" in shown
    assert re.search(rf"{MARK} blotted out on [^<]+ by The {manager.account}: It names a relative\.", shown)
    taken = browser.get("/audit/?as=csv").content.decode()
    assert NAME not in taken
    assert re.search(
        rf"^{position},.*Misread by {MARK} yesterday,{MARK} blotted out on ", taken, re.MULTILINE
    )
    line = next(clinic.trial.as_seen_by(manager).audit(after=position - 1, limit=1))
    assert len(line.blotted_by) == 1


@pytest.mark.requirement("G4")
@pytest.mark.parametrize(
    ("given", "status", "said"),
    [
        ({"word": []}, 422, "Mark the words"),
        ({"word": ["9"]}, 422, "Mark the words"),
        ({"word": ["3"], "reason": ""}, 422, "Say why."),
        ({"word": ["3", "4"], "reason": f"It was {NAME}."}, 422, "Say why without it."),
        ({"word": ["3"], "proof_password": "wrong"}, None, "The proof of who you are was not right."),
    ],
)
def test_spec_without_words_a_reason_and_a_proof_nothing_is_blotted_out(clinic: Clinic, given, status, said):
    _, position = corrected(clinic)
    browser = browser_of(actor_of(clinic, "data_manager"))
    answer = browser.post("/do/blot-text/", form_of(browser, blot_page(position)) | PROOF | given)
    assert said in answer.content.decode()
    assert status is None or answer.status_code == status
    assert 'name="word" value="4"' in answer.content.decode()
    line = next(clinic.trial.as_seen_by(actor_of(clinic, "data_manager")).audit(after=position - 1, limit=1))
    assert line.reason == REASON


@pytest.mark.requirement("G4")
def test_spec_nobody_else_has_the_page(clinic: Clinic):
    assert PERMITTED["BlotText"] == {"data_manager", "unblinded_statistician"}
    browser = browser_of(actor_of(clinic, "monitor"))
    assert browser.get("/do/blot-text/?position=3").status_code == 403
    assert "/do/blot-text/" not in browser.get("/audit/").content.decode()


def test_an_entry_without_free_text_or_without_a_number_says_so(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "data_manager"))
    for asked in ("", "?position=1", "?position=99999999", "?position=x"):
        page = browser.get(f"/do/blot-text/{asked}").content.decode()
        assert "There is no free text in this entry that you see." in page
        assert 'name="word"' not in page


@pytest.mark.requirement("G13")
def test_spec_drafts_and_files_that_hold_it_are_removed_and_copies_that_left_are_listed(clinic: Clinic):
    _, position = corrected(clinic)
    manager = actor_of(clinic, "data_manager")
    browser = browser_of(manager)
    account = Account.objects.first()
    now = clinic.now()
    common = {"account": account, "role": "nurse", "definition": clinic.definition.hash, "saved_at": now}
    Draft.objects.create(page="/a/", fields={"item-remark": f"Again {NAME}"}, **common)
    Draft.objects.create(page="/b/", fields={"item-remark": "Well"}, **common)
    AccessEvent.objects.create(happened_at=now, what="copy_taken", account=manager.account, detail="site.zip")
    Job.objects.create(
        job="a" * 32, account="x", role="nurse", site="", kind="k", arguments={}, status="done", file="x.zip"
    )
    clinic.jobs.mkdir(exist_ok=True)
    (clinic.jobs / ("a" * 32)).write_text(NAME)
    page = browser.get(blot_page(position)).content.decode()
    assert "1 copy was taken since the entry was recorded" in page
    assert "site.zip" in page
    fields = form_of(browser, blot_page(position)) | PROOF | {"word": ["3", "4"]}
    assert browser.post("/do/blot-text/", fields).status_code == 302
    assert [draft.page for draft in Draft.objects.all()] == ["/b/"]
    assert not (clinic.jobs / ("a" * 32)).exists()
    assert not Job.objects.filter(job="a" * 32)
