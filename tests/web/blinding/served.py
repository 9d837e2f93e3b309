"""The two worlds of the arm-swap test, each as a clinic that can be opened again and again from one state."""

from __future__ import annotations

import os
import random
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client, override_settings
from django.utils import timezone

from equipoise.access.actor import Actor
from equipoise.conduct.entropy import SeededEntropy, SystemEntropy
from equipoise.conduct.identities import register_identity
from equipoise.conduct.rooms import apply_entry
from equipoise.conduct.trial import Trial
from equipoise.conduct.view import MaskedView
from equipoise.definition.lock import canonical_json
from equipoise.enrolment.commands import RegisterIdentity
from equipoise.enrolment.state import ParticipantRow
from equipoise.ledger import Tables
from equipoise.store.identities import IDENTITIES, IDENTITIES_KEY, IdentityRegister
from equipoise.store.names import TRIAL_FILE
from equipoise.store.sealing import read_or_make_key
from equipoise.store.trial_store import TrialStore
from equipoise.store.vault import VAULT, VAULT_KEY, DatabaseVault
from equipoise.web import works
from equipoise.web.accounts import sessions
from equipoise.web.accounts.models import Account, ApiToken
from equipoise.web.accounts.people import hash_of
from equipoise.web.clinic import CLINIC_FILE, Clinic, disconnect, opened_clinic, prepare_clinic, use_clinic
from tests.blinding.worlds import World
from tests.web.clinics import CHEAP_HASHERS

PASSWORD = "a long enough password"
EVE = "eve"
"""Somebody with an account and without a role."""

PRINTED = "Zephyrine"
"""The first name that every account prints: no word of a page, so that it is found wherever it is."""

IDENTITY = ("Quirinus Xanthopoulos", "Vxqz Street 7")
"""Who a participant is, and how to reach them: as little a word of a page."""

_FILES = (TRIAL_FILE, VAULT.file, VAULT_KEY.file, IDENTITIES.file, IDENTITIES_KEY.file, CLINIC_FILE)


@dataclass(frozen=True)
class Served:
    """A world as a clinic in a folder; `now` is the time that it always is there."""

    world: World
    folder: Path
    now: datetime

    @contextmanager
    def opened(self) -> Iterator[Clinic]:
        """Open the clinic as it was when it was made; what is done in it is gone afterwards."""
        folder = Path(mkdtemp(dir=self.folder.parent))
        for name in _FILES:
            shutil.copy(self.folder / name, folder / name)
        disconnect()
        with (
            opened_clinic(folder) as other,
            pytest.MonkeyPatch.context() as patch,
            override_settings(PASSWORD_HASHERS=CHEAP_HASHERS),
        ):
            self._stop(patch)
            # The head of the chain is named by its entry before it goes into files whose hashes are shown.
            cut = MaskedView.cut
            patch.setattr(MaskedView, "cut", lambda *asked: self.world.with_named_head(cut(*asked)))
            vault = deepcopy(self.world.vault)
            trial = Trial(self.world.definition, other.store.ledger, vault, self.clock, SeededEntropy(7))
            clinic = Clinic(folder, trial, other.store, other.register, self.clock)
            use_clinic(clinic)
            try:
                yield clinic
            finally:
                works.wait_for_works()

    def clock(self) -> datetime:
        """The time that it is."""
        return self.now

    def _stop(self, patch: pytest.MonkeyPatch) -> None:
        """Have it be the same time in both worlds, and chance come out the same."""
        patch.setattr(timezone, "now", self.clock)
        for reads_it in (sessions, works):
            patch.setattr(reads_it, "read_system_clock", self.clock)
        patch.setattr(time, "time", self.now.timestamp)
        for name in ("created_at", "last_seen_at"):
            # These hold on to the function that they were given when they were made.
            patch.setattr(UserSession._meta.get_field(name), "_get_default", self.clock)
        own = SeededEntropy(11)
        patch.setattr(SystemEntropy, "token", lambda _self, size: own.token(size))
        # What others draw: keys of sessions, tokens against forgery, secrets of second factors.
        drawn = random.Random(12).randbytes
        patch.setattr(os, "urandom", drawn)
        patch.setattr(random, "_urandom", drawn)
        patch.setattr(secrets, "token_bytes", lambda size=32: drawn(size))


def serve(world: World, position: int, folder: Path) -> Served:
    """Make a clinic of a world as it stood at a position; two participants have their identities in it."""
    definition = world.definition
    store = TrialStore.create(folder / TRIAL_FILE, definition.hash, canonical_json(definition))
    entries, tables = list(world.ledger.read())[:position], Tables()
    tables.begin()
    for entry in entries:
        apply_entry(tables, entry)
    with store.ledger.exclusive() as transaction:
        transaction.append(entries, tables.changes())
    now = datetime.fromisoformat(entries[-1].recorded_at) + timedelta(days=1)
    register = IdentityRegister.create(folder / IDENTITIES.file, read_or_make_key(folder, IDENTITIES_KEY))
    trial = Trial(definition, store.ledger, deepcopy(world.vault), lambda: now, SeededEntropy(5))
    for actor in world.masked:
        if actor.role != "nurse" or actor.site is None:
            continue
        code = next(
            row.participant
            for row in trial.tables.all(ParticipantRow)
            if row.participant.startswith(actor.site)
        )
        done = register_identity(trial, register, actor, RegisterIdentity(participant=code), *IDENTITY)
        assert isinstance(done, tuple), done
    register.close()
    world.learn(trial)
    store.close()
    prepare_clinic(folder)
    # What opens a clinic asks for a vault of its own; the world's is put in its place.
    DatabaseVault.create(folder / VAULT.file, read_or_make_key(folder, VAULT_KEY)).close()
    with override_settings(PASSWORD_HASHERS=CHEAP_HASHERS), opened_clinic(folder):
        _make_accounts(world, now)
    disconnect()
    return Served(world, folder, now)


def _make_accounts(world: World, now: datetime) -> None:
    for name in [*(actor.account for actor in world.cast.accounts()), EVE]:
        account = Account(username=name, printed_name=f"{PRINTED} {name.title()}", created_at=now)
        account.password_set_at = now
        account.set_password(PASSWORD)
        account.save()
    for actor in world.cast.accounts():
        ApiToken.objects.create(
            account=Account.objects.get(username=actor.account),
            label="a program",
            role=actor.role,
            site=actor.site or "",
            token_hash=hash_of(secret_of(actor)),
            made_at=now,
            expires_at=now + timedelta(days=300),
        )


def secret_of(actor: Actor) -> str:
    """Return the token of an actor's program."""
    return f"equipoise_{actor.account}_{actor.role}"


def browser_of(account: str, actor: Actor | None = None) -> Client:
    """Return a browser in which an account is logged in, and acts in a role."""
    browser = Client(raise_request_exception=False)
    browser.force_login(
        Account.objects.get(username=account), "equipoise.web.accounts.sessions.AccountBackend"
    )
    if actor is not None:
        session = browser.session
        session["acting_as"] = [actor.role, actor.site]
        session.save()
    return browser
