"""Clinics for the tests: a trial under way, rehearsed once per process, copied for each test."""

import atexit
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
from django.test import Client

from equipoise.access.actor import Actor
from equipoise.allocation.state import AllocationRow
from equipoise.conduct.rooms import apply_entry
from equipoise.definition.load import load_study
from equipoise.definition.lock import canonical_json
from equipoise.governance.state import GrantRow
from equipoise.ledger.tables import Tables
from equipoise.rehearsal.rehearse import rehearse
from equipoise.store.identities import IDENTITIES, IDENTITIES_KEY, IdentityRegister
from equipoise.store.names import TRIAL_FILE
from equipoise.store.place import DATABASE_URL, DatabaseUrl
from equipoise.store.sealing import read_or_make_key
from equipoise.store.trial_store import TrialStore
from equipoise.store.vault import VAULT, VAULT_KEY, DatabaseVault
from equipoise.studies import study_folder
from equipoise.web.accounts.models import Account
from equipoise.web.clinic import CLINIC_FILE, Clinic, disconnect, opened_clinic, prepare_clinic

BOTH = ("sqlite", "postgresql")
"""A module that says `BACK_ENDS = BOTH` has its clinics on both."""
PASSWORD = "a long enough password"
CHEAP_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
"""For tests that are not about passwords: the clinic's own hash is slow to make, as it must be."""
_BACKEND = "equipoise.web.accounts.sessions.AccountBackend"
_FILES = (TRIAL_FILE, VAULT.file, VAULT_KEY.file, IDENTITIES.file, IDENTITIES_KEY.file, CLINIC_FILE)
_WANTED, _SITES, _UNTIL = 12, 3, 8


@cache
def trial_under_way(seed: int = 1) -> Path:
    """Return the folder of a trial in which 8 of 12 are randomised, at 3 sites; not to be changed."""
    folder = Path(mkdtemp(prefix="clinic-"))
    atexit.register(shutil.rmtree, folder)
    definition = load_study(study_folder("mesems")).definition
    store = TrialStore.create(folder / TRIAL_FILE, definition.hash, canonical_json(definition))
    vault = DatabaseVault.create(folder / VAULT.file, read_or_make_key(folder, VAULT_KEY))
    IdentityRegister.create(folder / IDENTITIES.file, read_or_make_key(folder, IDENTITIES_KEY)).close()
    rehearse(
        definition,
        seed=seed,
        scenario="published",
        participants=_WANTED,
        sites=_SITES,
        ledger=store.ledger,
        vault=vault,
        until=lambda trial: sum(1 for _ in trial.tables.all(AllocationRow)) >= _UNTIL,
    )
    store.close()
    vault.close()
    prepare_clinic(folder)
    with opened_clinic(folder) as clinic:
        for account in sorted({row.account for row in clinic.trial.tables.all(GrantRow)}):
            # The hash of a password is slow to make: who needs one sets it.
            Account.objects.create(
                username=account, printed_name=f"The {account.replace('.', ' at ')}", created_at=clinic.now()
            )
    return folder


@contextmanager
def clinic_in(folder: Path, seed: int = 1) -> Iterator[Clinic]:
    """Open a clinic on a copy of the trial under way, made in a folder."""
    source = trial_under_way(seed)
    for name in _FILES:
        shutil.copy(source / name, folder / name)
    disconnect()
    with opened_clinic(folder) as clinic:
        yield clinic


def keep_in_postgresql(url: str, folder: Path, seed: int = 1) -> None:
    """Put the trial under way, and the accounts of its clinic, into a database; the setting must name it."""
    source = trial_under_way(seed)
    disconnect()
    with opened_clinic(source) as clinic:
        entries, changes = list(clinic.trial.ledger.read()), Tables()
        accounts = list(Account.objects.all())
        canonical = canonical_json(clinic.definition)
    changes.begin()
    for entry in entries:
        apply_entry(changes, entry)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(DATABASE_URL, url)
        store = TrialStore.create(DatabaseUrl.read(url), entries[0].definition, canonical)
        with store.ledger.exclusive() as transaction:
            transaction.append(entries, changes.changes())
        store.close()
        prepare_clinic(folder)
        for account in accounts:
            # The database counts on from its own numbers, and not from those of the other one.
            account.pk = None
        Account.objects.bulk_create(accounts)
        disconnect()


@contextmanager
def clinic_in_postgresql(url: str, folder: Path, seed: int = 1) -> Iterator[Clinic]:
    """Open a clinic on a database that is a copy of one that `keep_in_postgresql` filled."""
    for name in set(_FILES) - {TRIAL_FILE, CLINIC_FILE}:
        shutil.copy(trial_under_way(seed) / name, folder / name)
    disconnect()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(DATABASE_URL, url)
        with opened_clinic(folder) as clinic:
            yield clinic


def actor_of(clinic: Clinic, kind: str, site: str | None = None) -> Actor:
    """Return the first account of a kind of role, at a site where one is named."""
    roles = {role.id for role in clinic.definition.study.roles if role.kind == kind}
    for row in clinic.trial.tables.all(GrantRow):
        if row.role in roles and site in (None, row.site) and row.revoked_at is None:
            return Actor(row.account, row.role, row.site or None)
    raise AssertionError(f"nobody is {kind} at {site}")


def browser_of(actor: Actor) -> Client:
    """Return a browser in which an account is logged in, acting in its role."""
    browser = Client()
    browser.force_login(Account.objects.get(username=actor.account), backend=_BACKEND)
    session = browser.session
    session["acting_as"] = [actor.role, actor.site]
    session.save()
    return browser


def form_of(browser: Client, address: str) -> dict[str, str]:
    """Return what the form `#command` of a page would send if nothing were changed in it."""
    page = browser.get(address)
    assert page.status_code == 200, page.content.decode()
    return read_form(page.content.decode())


def read_form(html: str) -> dict[str, str]:
    """Return the fields of the form `#command` with their values."""
    from html.parser import HTMLParser

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.fields: dict[str, str] = {}
            self.inside = False
            self.select: str | None = None
            self.area: str | None = None

        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            given = dict(attributes)
            name = given.get("name")
            if tag == "form":
                self.inside = given.get("id") == "command"
            if not self.inside:
                return
            if tag == "option" and self.select and "selected" in given:
                self.fields[self.select] = given.get("value") or ""
            if name is None:
                return
            if tag == "select":
                self.select = name
                self.fields.setdefault(name, "")
            elif tag == "textarea":
                self.area = name
                self.fields[name] = ""
            elif tag == "input" and (given.get("type") not in ("radio", "checkbox") or "checked" in given):
                self.fields[name] = given.get("value") or ""

        def handle_endtag(self, tag: str) -> None:
            if tag == "form":
                self.inside = False
            if tag == "select":
                self.select = None
            if tag == "textarea":
                self.area = None

        def handle_data(self, data: str) -> None:
            if self.area is not None:
                self.fields[self.area] += data

    reader = Reader()
    reader.feed(html)
    return reader.fields
