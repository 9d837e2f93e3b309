"""The trial that the story plays: the small one, just opened, with its cast and one administrator."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from django.contrib.auth.hashers import make_password

from equipoise.access.actor import SYSTEM
from equipoise.conduct.clock import read_system_clock
from equipoise.conduct.entropy import SystemEntropy
from equipoise.conduct.rooms import apply_entry
from equipoise.conduct.trial import Trial
from equipoise.definition.lock import canonical_json, hashed
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.study import Organisation
from equipoise.governance.commands import OpenTrial
from equipoise.ledger.memory import MemoryLedger
from equipoise.ledger.tables import Tables
from equipoise.store.identities import IDENTITIES, IDENTITIES_KEY, IdentityRegister
from equipoise.store.names import TRIAL_FILE
from equipoise.store.sealing import read_or_make_key
from equipoise.store.trial_store import TrialStore
from equipoise.store.vault import VAULT, VAULT_KEY, DatabaseVault
from equipoise.web.accounts.models import Account
from equipoise.web.clinic import disconnect, opened_clinic, prepare_clinic
from tests.small_trial import SCHEDULE, STUDY, SUPPLY, make_definition

PASSWORD = "a long enough password"
SITE = "SE01"


@dataclass(frozen=True)
class Member:
    """One of the cast: the account, the name that is printed, the role and where it is held."""

    account: str
    name: str
    role: str
    site: str = ""


ADMINISTRATOR = Member("ada.imagined", "Ada (imagined)", "administrator")
CAST: Mapping[str, Member] = {
    each.account.split(".")[0]: each
    for each in (
        ADMINISTRATOR,
        Member("priya.imagined", "Priya (imagined)", "investigator", SITE),
        Member("nils.imagined", "Nils (imagined)", "nurse", SITE),
        Member("nora.imagined", "Nora (imagined)", "nurse", SITE),
        Member("cleo.imagined", "Cleo (imagined)", "laboratory", SITE),
        Member("ines.imagined", "Ines (imagined)", "infuser", SITE),
        Member("rita.imagined", "Rita (imagined)", "reader"),
        Member("omar.imagined", "Omar (imagined)", "reader"),
        Member("alba.imagined", "Alba (imagined)", "adjudicator"),
        Member("svea.imagined", "Svea (imagined)", "safety_desk"),
        Member("dana.imagined", "Dana (imagined)", "data_manager"),
        Member("mona.imagined", "Mona (imagined)", "monitor"),
        Member("lena.imagined", "Lena (imagined)", "list_statistician"),
    )
}
"""By first name. Nora is not here yet when the story begins: she is invited."""

INVITED = "nora"


def story_definition() -> StudyDefinition:
    """The small trial under a name that can be shown; the cells are collected at its screening."""
    study = replace(STUDY, acronym="KITE", sponsor=Organisation(name="An invented university hospital"))
    screening, *later = SCHEDULE.encounters
    from_consent = replace(screening, anchor="consent", day=14, early_days=14, late_days=28)
    schedule = replace(SCHEDULE, encounters=(from_consent, *later))
    products = tuple(replace(each, collected_at=screening.id) for each in SUPPLY.products)
    return hashed(make_definition(study=study, schedule=schedule, supply=replace(SUPPLY, products=products)))


def open_story(folder: Path) -> None:
    """Open the trial in a folder; the cast have accounts, and the administrator the only role."""
    definition = story_definition()
    key = read_or_make_key(folder, VAULT_KEY)
    with closing(DatabaseVault.create(folder / VAULT.file, key)) as vault:
        trial = Trial(definition, MemoryLedger(), vault, read_system_clock, SystemEntropy())
        opened = trial.record(SYSTEM, OpenTrial(mode="rehearsal", administrator=ADMINISTRATOR.account))
    assert isinstance(opened, tuple), opened
    tables = Tables()
    tables.begin()
    for entry in opened:
        apply_entry(tables, entry)
    store = TrialStore.create(folder / TRIAL_FILE, definition.hash, canonical_json(definition))
    with store.ledger.exclusive() as transaction:
        transaction.append(opened, tables.changes())
    store.close()
    IdentityRegister.create(folder / IDENTITIES.file, read_or_make_key(folder, IDENTITIES_KEY)).close()
    disconnect()
    prepare_clinic(folder)
    with opened_clinic(folder) as clinic:
        now, encoded = clinic.now(), make_password(PASSWORD)
        Account.objects.bulk_create(
            Account(
                username=each.account,
                printed_name=each.name,
                password=encoded,
                created_at=now,
                password_set_at=now,
            )
            for first, each in CAST.items()
            if first != INVITED
        )


def day(before: int) -> str:
    """The day that was so many days ago, as a field holds it."""
    return (today() - timedelta(days=before)).isoformat()


def today() -> date:
    """The day that it is, in UTC."""
    return read_system_clock().date()
