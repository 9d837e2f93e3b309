"""Coming in and being kept out: log-ins, lock-out, invitations, sessions, second factors, the access log."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.test import Client, override_settings

from equipoise.access.actor import SYSTEM, Actor
from equipoise.conduct.clock import read_system_clock
from equipoise.conduct.entropy import SystemEntropy
from equipoise.conduct.trial import Trial
from equipoise.definition.lock import canonical_json
from equipoise.governance.commands import OpenTrial
from equipoise.store.names import TRIAL_FILE
from equipoise.store.sealing import read_or_make_key
from equipoise.store.trial_store import TrialStore
from equipoise.store.vault import VAULT, VAULT_KEY, DatabaseVault
from equipoise.web.accounts import people
from equipoise.web.accounts.models import AccessEvent, Account
from equipoise.web.clinic import Clinic, disconnect, opened_clinic, prepare_clinic
from equipoise.web.settings import IDLE_SECONDS
from tests.small_trial import make_definition
from tests.web.clinics import BOTH, PASSWORD, actor_of, browser_of, form_of

BACK_ENDS = BOTH

NURSE, BOSS = "nurse.se01", "administrator"


def give_password(account: str) -> None:
    person = Account.objects.get(username=account)
    person.set_password(PASSWORD)
    person.save()


def log_in(account: str, password: str = PASSWORD, browser: Client | None = None):
    return (browser or Client()).post("/accounts/login/", {"login": account, "password": password})


def events(what: str) -> list[str]:
    return list(AccessEvent.objects.filter(what=what).values_list("account", flat=True))


@pytest.mark.requirement("G1")
def test_spec_who_logs_in_and_out_is_on_record(clinic: Clinic):
    give_password(NURSE)
    browser = Client()
    assert log_in(NURSE, browser=browser).status_code == 302
    assert browser.get("/").status_code == 200
    browser.post("/accounts/logout/")
    assert browser.get("/").status_code == 302
    assert (events("login"), events("logout")) == ([NURSE], [NURSE])


@pytest.mark.requirement("G1", "G15", "P5")
def test_spec_five_wrong_passwords_lock_an_account_for_a_while(clinic: Clinic):
    give_password(NURSE)
    for _ in range(5):
        assert log_in(NURSE, "wrong").status_code == 200
    answer = log_in(NURSE)
    assert answer.status_code == 200
    assert "Too many failed login attempts" in answer.content.decode()
    assert events("login_failed") == [NURSE] * 5


def test_spec_behind_a_proxy_an_attempt_is_noted_under_the_address_that_the_proxy_wrote(clinic: Clinic):
    give_password(NURSE)
    sent = {"login": NURSE, "password": "wrong"}
    claimed = {"X-Forwarded-For": "198.51.100.7, 203.0.113.9", "X-Forwarded-Proto": "https"}
    Client().post("/accounts/login/", sent, headers=claimed)
    with override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")):
        Client().post("/accounts/login/", sent, headers=claimed)
    noted = AccessEvent.objects.filter(what="login_failed").order_by("id").values_list("address", flat=True)
    assert list(noted) == ["127.0.0.1", "203.0.113.9"]


def test_a_failed_login_under_no_known_name_does_not_keep_what_was_typed(clinic: Clinic):
    log_in("my-password-in-the-wrong-field", "wrong")
    assert events("login_failed") == [""]


@pytest.mark.requirement("G14")
def test_spec_nobody_signs_up(clinic: Clinic):
    assert Client().get("/accounts/signup/").status_code in (302, 404)


@pytest.mark.requirement("G14", "P5")
def test_spec_an_idle_session_ends(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    assert browser.get("/").status_code == 200
    started = clinic.now()
    clinic.clock = lambda: started + timedelta(seconds=IDLE_SECONDS + 61)
    answer = browser.get("/participants/")
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/login/?next=%2Fparticipants%2F&idle=1"


@pytest.mark.requirement("G1", "G14", "P3", "P5", "R14")
def test_spec_an_account_is_made_by_invitation_and_its_owner_sets_the_password(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
):
    boss = browser_of(actor_of(clinic, "administrator"))
    # Of the secrets that are drawn one in thirty begins with a sign.
    monkeypatch.setattr(people, "make_secret", lambda: "-_" * 21 + "x")
    fields = form_of(boss, "/people/new/") | {"username": "new.nurse", "printed_name": "New Nurse"}
    page = boss.post("/people/new/", fields, follow=True).content.decode()
    link = page.split("/welcome/")[1].split("/")[0]
    assert "/welcome/" not in boss.get("/people/of/new.nurse/").content.decode(), "the link is shown once"
    browser = Client()
    address = f"/welcome/{link}/"
    assert browser.post(address, {"password": "short", "again": "short"}).status_code == 422
    assert browser.post(address, {"password": PASSWORD, "again": "another one"}).status_code == 422
    assert browser.post(address, {"password": PASSWORD, "again": PASSWORD}).status_code == 302
    assert browser.get(address).status_code == 403, "an invitation is used once"
    assert log_in("new.nurse").status_code == 302
    assert (events("account_made"), events("invited"), events("password_set")) == (["new.nurse"],) * 3


@pytest.mark.requirement("P3")
def test_spec_a_link_is_never_shown_on_the_page_of_somebody_else(clinic: Clinic):
    boss = browser_of(actor_of(clinic, "administrator"))
    fields = form_of(boss, "/people/new/") | {"username": "new.nurse", "printed_name": "New Nurse"}
    assert boss.post("/people/new/", fields)["Location"] == "/people/of/new.nurse/"
    assert "/welcome/" not in boss.get(f"/people/of/{NURSE}/").content.decode()


@pytest.mark.parametrize("name", ["", "ab", "Åsa", "nurse se01", "nurse.se01", "-nurse", "x" * 80])
@pytest.mark.requirement("P3")
def test_an_account_name_that_cannot_be_is_refused(clinic: Clinic, name: str):
    boss = browser_of(actor_of(clinic, "administrator"))
    before = Account.objects.count()
    fields = form_of(boss, "/people/new/") | {"username": name, "printed_name": "Somebody"}
    answer = boss.post("/people/new/", fields)
    assert (answer.status_code, Account.objects.count()) == (422, before)
    assert "WEB-ACCOUNT" in answer.content.decode()


@pytest.mark.requirement("G1", "G14", "P5")
def test_spec_closing_an_account_ends_its_sessions(clinic: Clinic):
    give_password(NURSE)
    browser = Client()
    log_in(NURSE, browser=browser)
    boss = browser_of(actor_of(clinic, "administrator"))
    page = {"act": "close", "acting_as": "administrator@"}
    assert boss.post(f"/people/of/{NURSE}/change/", page).status_code == 302
    assert browser.get("/").status_code == 302
    assert log_in(NURSE).status_code in (200, 302)
    assert Account.objects.get(username=NURSE).is_active is False
    assert events("account_closed") == [NURSE]


def test_an_administrator_cannot_close_their_own_account(clinic: Clinic):
    boss = browser_of(actor_of(clinic, "administrator"))
    page = {"act": "close", "acting_as": "administrator@"}
    assert boss.post(f"/people/of/{BOSS}/change/", page).status_code == 422


@pytest.mark.requirement("G14")
def test_spec_people_pages_are_the_administrators_only(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "investigator", "SE01"))
    for address in ("/people/", "/people/new/", f"/people/of/{NURSE}/", "/people/access/"):
        assert browser.get(address).status_code == 403, address


@pytest.mark.requirement("P3", "P4")
def test_spec_a_signature_needs_the_signers_own_password(clinic: Clinic):
    signer = actor_of(clinic, "investigator", "SE01")
    give_password(signer.account)
    browser = browser_of(signer)
    seen = clinic.trial.as_seen_by(signer)
    code = next(line.participant for line in seen.participants() if line.status == "randomised")
    address = f"/do/sign-casebook/?participant={code}"
    fields = form_of(browser, address) | {"meaning": "I reviewed it"}
    before = clinic.trial.head.position
    refused = browser.post(address, fields | {"proof_password": "not mine"})
    assert "WEB-PROOF" in refused.content.decode()
    assert clinic.trial.head.position == before
    assert browser.post(address, fields | {"proof_password": PASSWORD}).status_code == 302
    assert [entry.kind for entry in clinic.trial.ledger.read(before)] == ["CasebookSigned"]


@pytest.mark.requirement("G15", "P4")
def test_spec_with_a_second_factor_a_signature_needs_its_code_too(clinic: Clinic):
    signer = actor_of(clinic, "investigator", "SE01")
    give_password(signer.account)
    secret = "JBSWY3DPEHPK3PXP"
    TOTP.activate(Account.objects.get(username=signer.account), secret)
    kept = Authenticator.objects.get().data["secret"]
    assert secret not in kept, "what the codes rest on is sealed"
    browser = browser_of(signer)
    seen = clinic.trial.as_seen_by(signer)
    code = next(line.participant for line in seen.participants() if line.status == "randomised")
    address = f"/do/sign-casebook/?participant={code}"
    fields = form_of(browser, address) | {"meaning": "I reviewed it", "proof_password": PASSWORD}
    assert "WEB-PROOF" in browser.post(address, fields | {"proof_code": "000000"}).content.decode()
    right = format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))
    assert browser.post(address, fields | {"proof_code": right}).status_code == 302


@pytest.fixture
def live_clinic(tmp_path: Path) -> Iterator[Clinic]:
    definition = make_definition()
    store = TrialStore.create(tmp_path / TRIAL_FILE, definition.hash, canonical_json(definition))
    vault = DatabaseVault.create(tmp_path / VAULT.file, read_or_make_key(tmp_path, VAULT_KEY))
    trial = Trial(definition, store.ledger, vault, read_system_clock, SystemEntropy())
    trial.record(SYSTEM, OpenTrial(mode="live", administrator=BOSS))
    prepare_clinic(tmp_path)
    with opened_clinic(tmp_path) as clinic:
        Account.objects.create(
            username=BOSS, printed_name="The boss", created_at=clinic.now(), password_set_at=clinic.now()
        )
        yield clinic
    disconnect()


@pytest.mark.requirement("G14", "P5")
def test_spec_in_a_live_trial_nobody_goes_on_without_a_second_factor(live_clinic: Clinic):
    browser = browser_of(Actor(BOSS, "administrator"))
    assert browser.get("/people/")["Location"] == "/accounts/factors/"
    TOTP.activate(Account.objects.get(username=BOSS), "JBSWY3DPEHPK3PXP")
    assert browser.get("/people/").status_code == 200


@pytest.mark.requirement("P5")
def test_spec_in_a_live_trial_a_password_is_renewed_every_year(live_clinic: Clinic):
    person = Account.objects.get(username=BOSS)
    TOTP.activate(person, "JBSWY3DPEHPK3PXP")
    person.password_set_at = live_clinic.now() - timedelta(days=366)
    person.save()
    assert browser_of(Actor(BOSS, "administrator")).get("/people/")["Location"] == "/accounts/password/"
