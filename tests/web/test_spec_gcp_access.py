"""What the rules ask about accounts, access and signatures, where no other test says it."""

import re
from datetime import UTC
from pathlib import Path
from typing import get_args

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.test import Client

import equipoise.web
from equipoise.governance.state import GrantRow
from equipoise.web.accounts.events import What
from equipoise.web.accounts.models import AccessEvent, Account
from equipoise.web.accounts.pages import EVENT_WORDS
from equipoise.web.clinic import Clinic
from tests.web.clinics import PASSWORD, actor_of, browser_of, form_of

SOURCE = Path(equipoise.web.__file__).parent
NURSE = "nurse.se01"


def with_password(account: str) -> Account:
    person = Account.objects.get(username=account)
    person.set_password(PASSWORD)
    person.save()
    return person


def logged_in(account: str) -> Client:
    with_password(account)
    browser = Client()
    answer = browser.post("/accounts/login/", {"login": account, "password": PASSWORD})
    assert answer.status_code == 302
    return browser


def noted(what: str) -> list[str]:
    return list(AccessEvent.objects.filter(what=what).values_list("account", flat=True))


@pytest.mark.requirement("G1", "P5")
def test_spec_every_event_of_the_access_log_has_words_and_is_noted_somewhere():
    assert set(get_args(What)) == EVENT_WORDS.keys()
    texts = "".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    calls = re.sub(r"\s+", " ", texts)
    for what in get_args(What):
        by_name = f'note_access(request, "{what}"' in calls or f'note_access(None, "{what}"' in calls
        assert by_name or re.search(rf'(: |, |\()"{what}"[,)]', calls), what


@pytest.mark.requirement("G1", "G4")
def test_spec_nothing_changes_or_removes_what_the_access_log_holds():
    used = [
        line.strip()
        for path in SOURCE.rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "AccessEvent.objects" in line
    ]
    assert used
    assert not [line for line in used if re.search(r"\.(delete|update|bulk_update|raw)\(", line)]


@pytest.mark.requirement("G1", "R14", "P5")
def test_spec_a_changed_password_is_on_record(clinic: Clinic):
    browser = logged_in(NURSE)
    new = "quite another long password"
    given = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert browser.post("/accounts/password/", given).status_code == 302
    assert Account.objects.get(username=NURSE).check_password(new)
    assert noted("password_set") == [NURSE]


@pytest.mark.requirement("G1", "P5")
def test_spec_a_second_factor_is_on_record_when_it_comes_and_when_it_goes(clinic: Clinic):
    browser = logged_in(NURSE)
    assert browser.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302
    assert browser.get("/accounts/factors/totp/activate/").status_code == 200
    secret = browser.session["mfa.totp.secret"]
    code = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    assert browser.post("/accounts/factors/totp/activate/", {"code": code}).status_code == 302
    assert set(noted("factor_added")) == {NURSE}
    assert browser.post("/accounts/factors/totp/deactivate/").status_code == 302
    assert noted("factor_removed") == [NURSE]


@pytest.mark.requirement("G1", "P5", "P3")
def test_spec_a_failed_proof_for_a_signature_is_on_record(clinic: Clinic):
    signer = actor_of(clinic, "investigator", "SE01")
    with_password(signer.account)
    browser = browser_of(signer)
    code = clinic.trial.as_seen_by(signer).participants()[0].participant
    address = f"/do/sign-casebook/?participant={code}"
    fields = form_of(browser, address) | {"meaning": "I reviewed it", "proof_password": "somebody else's"}
    assert "WEB-PROOF" in browser.post("/do/sign-casebook/", fields).content.decode()
    assert noted("proof_failed") == [signer.account]


@pytest.mark.requirement("P4")
def test_spec_every_signing_of_a_session_is_proved_anew(clinic: Clinic):
    signer = actor_of(clinic, "investigator", "SE01")
    with_password(signer.account)
    browser = browser_of(signer)
    code = clinic.trial.as_seen_by(signer).participants()[0].participant
    fields = form_of(browser, f"/do/sign-casebook/?participant={code}") | {"meaning": "I reviewed it"}
    assert browser.post("/do/sign-casebook/", fields | {"proof_password": PASSWORD}).status_code == 302
    before = clinic.trial.head
    again = form_of(browser, f"/do/sign-casebook/?participant={code}") | {"meaning": "I reviewed it"}
    assert "proof_password" in again
    assert not again["proof_password"]
    assert "WEB-PROOF" in browser.post("/do/sign-casebook/", again).content.decode()
    assert clinic.trial.head == before


@pytest.mark.requirement("P1", "G12")
def test_spec_a_signature_is_shown_with_printed_name_time_zone_and_meaning(clinic: Clinic):
    signer = actor_of(clinic, "investigator", "SE01")
    person = with_password(signer.account)
    browser = browser_of(signer)
    code = clinic.trial.as_seen_by(signer).participants()[0].participant
    fields = form_of(browser, f"/do/sign-casebook/?participant={code}")
    meaning = "I have reviewed these data"
    proved = fields | {"meaning": meaning, "proof_password": PASSWORD}
    assert browser.post("/do/sign-casebook/", proved).status_code == 302
    page = browser.get(f"/participants/{code}/casebook/").content.decode()
    row = next(row for row in page.split("<tr>") if meaning in row)
    assert person.printed_name in row
    day = clinic.now().astimezone(clinic.zone("SE01"))
    assert re.search(rf"{day:%Y-%m-%d} \d\d:\d\d UTC\+0[12]:00", row)


@pytest.mark.requirement("P3", "G14")
def test_spec_no_two_accounts_have_one_name_whatever_its_letters(clinic: Clinic):
    boss = browser_of(actor_of(clinic, "administrator"))
    before = Account.objects.count()
    for name in (NURSE, NURSE.upper(), f" {NURSE} "):
        fields = form_of(boss, "/people/new/") | {"username": name, "printed_name": "Somebody else"}
        assert boss.post("/people/new/", fields).status_code == 422, name
    assert Account.objects.count() == before


@pytest.mark.requirement("G14")
def test_spec_an_account_without_a_role_sees_nothing_of_the_trial(clinic: Clinic):
    Account.objects.create(username="eve", printed_name="Eve", created_at=clinic.now())
    with_password("eve")
    browser = logged_in("eve")
    for address in ("/", "/participants/", "/audit/", "/people/"):
        answer = browser.get(address)
        assert (answer.status_code, answer["Location"]) == (302, "/role/"), address
    page = browser.get("/role/").content.decode()
    assert not re.search(r"[A-Z]{2}\d\d-\d{3}", page)


@pytest.mark.requirement("G14")
def test_spec_the_list_of_people_can_be_reviewed_with_roles_and_last_visit(clinic: Clinic):
    now = clinic.now().astimezone(UTC)
    Account.objects.filter(username=NURSE).update(last_login=now)
    page = browser_of(actor_of(clinic, "administrator")).get("/people/?as=csv").content.decode("utf-8-sig")
    row = next(line for line in page.splitlines() if line.startswith(f"{NURSE},"))
    assert "nurse SE01" in row
    assert f"{now:%Y-%m-%d}" in row
    held = {grant.account for grant in clinic.trial.tables.all(GrantRow) if grant.revoked_at is None}
    assert len(page.splitlines()) == len(held) + 1
