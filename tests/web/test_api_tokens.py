"""Tokens: how one is made and revoked, as whom it acts, and that one that does not hold lets nobody in."""

import re
from datetime import timedelta

import pytest
from django.test import Client, RequestFactory

from equipoise.access.actor import Actor
from equipoise.governance.commands import RevokeRole
from equipoise.web.accounts.models import AccessEvent, Account, ApiToken
from equipoise.web.accounts.people import close_account, hash_of
from equipoise.web.clinic import Clinic
from tests.web.clinics import PASSWORD, actor_of, browser_of, form_of
from tests.web.programs import API, Program


@pytest.fixture
def owner(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> Actor:
    # The hash of a password is slow to make; whether one is right is tested with the signatures.
    monkeypatch.setattr(Account, "check_password", lambda _, raw: raw == PASSWORD)
    return actor_of(clinic, "nurse", "SE01")


def made_by(browser: Client, **changed: str) -> str:
    """Return the token that the page of tokens shows for what its form sends."""
    fields = form_of(browser, "/tokens/") | {"label": "export", "proof_password": PASSWORD} | changed
    assert browser.post("/tokens/", fields)["Location"] == "/tokens/"
    found = re.search(r"equipoise_[A-Za-z0-9_-]{43}", browser.get("/tokens/").content.decode())
    assert found is not None
    return found[0]


def status_with(authorization: str, path: str = "participants") -> tuple[int, str]:
    answer = Client(headers={"authorization": authorization}).get(API + path)
    said = answer.json()
    return answer.status_code, said["code"] if answer.status_code != 200 else ""


def test_spec_a_token_is_shown_once_and_only_its_hash_is_kept(clinic: Clinic, owner: Actor):
    browser = browser_of(owner)
    secret = made_by(browser, days="30")
    assert secret not in browser.get("/tokens/").content.decode()
    token = ApiToken.objects.get()
    assert (token.token_hash, token.label, token.role, token.site) == (
        hash_of(secret),
        "export",
        owner.role,
        "SE01",
    )
    assert token.expires_at - token.made_at == timedelta(days=30)
    assert status_with(f"Bearer {secret}") == (200, "")
    (event,) = AccessEvent.objects.filter(what="token_made")
    assert (event.account, event.by) == (owner.account, owner.account)


def test_spec_a_revoked_token_lets_nobody_in(clinic: Clinic, owner: Actor):
    browser = browser_of(owner)
    secret = made_by(browser)
    number = ApiToken.objects.get().pk
    fields = {"acting_as": form_of(browser, "/tokens/")["acting_as"]}
    for _ in range(2):
        assert browser.post(f"/tokens/{number}/revoke/", fields)["Location"] == "/tokens/"
    assert status_with(f"Bearer {secret}") == (401, "WEB-TOKEN")
    assert AccessEvent.objects.filter(what="token_revoked", account=owner.account).count() == 1


def test_nobody_revokes_the_token_of_another(clinic: Clinic, owner: Actor):
    other = Program(clinic, "monitor")
    browser = browser_of(owner)
    fields = {"acting_as": form_of(browser, "/tokens/")["acting_as"]}
    answer = browser.post(f"/tokens/{ApiToken.objects.get().pk}/revoke/", fields)
    assert answer.status_code == 404
    assert other.read("participants")


WRONG_FORMS = {
    "WEB-TOKEN-LABEL": {"label": " "},
    "WEB-TOKEN-ROLE": {"role": "administrator@"},
    "WEB-TOKEN-DAYS": {"days": "366"},
    "WEB-PROOF": {"proof_password": "a guess"},
}


def test_a_token_needs_a_label_a_role_that_is_held_an_end_and_its_owner(clinic: Clinic, owner: Actor):
    browser = browser_of(owner)
    fields = form_of(browser, "/tokens/") | {"label": "export", "proof_password": PASSWORD}
    for code, wrong in WRONG_FORMS.items():
        answer = browser.post("/tokens/", fields | wrong)
        assert answer.status_code == 422 and code in answer.content.decode(), code
    assert not ApiToken.objects.exists()


def test_spec_tokens_that_do_not_hold_are_all_told_the_same(clinic: Clinic):
    program = Program(clinic, "nurse", "SE01")
    secret = program.authorization.partition(" ")[2]
    wrong = [
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {secret}x",
        f"Basic {secret}",
        secret,
        "Bearer \x01é",
        "Bearer a b",
    ]
    told = {status_with(each) for each in wrong}
    bodies = {Client(headers={"authorization": each}).get(f"{API}sites").content for each in wrong}
    ApiToken.objects.update(expires_at=clinic.now())
    expired = Client(headers={"authorization": program.authorization}).get(f"{API}sites")
    bodies.add(expired.content)
    assert told == {(401, "WEB-TOKEN")} and len(bodies) == 1
    assert expired["WWW-Authenticate"] == 'Bearer realm="Equipoise"'


def test_spec_a_token_ends_with_the_role_that_it_acts_in(clinic: Clinic):
    program = Program(clinic, "nurse", "SE01")
    assert program.read("participants")
    nurse = program.actor
    revoke = RevokeRole(account=nurse.account, role=nurse.role, site=nurse.site)
    assert isinstance(clinic.trial.record(actor_of(clinic, "administrator"), revoke, "She left."), tuple)
    assert status_with(program.authorization) == (401, "WEB-TOKEN")


def test_spec_a_token_ends_with_its_account(clinic: Clinic):
    program = Program(clinic, "nurse", "SE01")
    account = Account.objects.get(username=program.actor.account)
    close_account(RequestFactory().get("/"), account, by="administrator", now=clinic.now())
    assert status_with(program.authorization) == (401, "WEB-TOKEN")
    ApiToken.objects.update(revoked_at=None)
    assert status_with(program.authorization) == (401, "WEB-TOKEN")


def test_wrong_tokens_are_noted_and_then_answered_shortly(clinic: Clinic):
    program = Program(clinic, "nurse", "SE01")
    told = [status_with("Bearer wrong") for _ in range(22)]
    assert told == [(401, "WEB-TOKEN")] * 20 + [(429, "WEB-TOKEN-LIMIT")] * 2
    assert AccessEvent.objects.filter(what="token_failed", account="").count() == 20
    # Somebody else at the same address goes on.
    assert program.read("participants")
