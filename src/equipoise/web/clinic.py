"""The clinic of one trial: its databases, its clock and its definition, opened once per process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from django.core.management import call_command
from django.db import connections

from equipoise.access.actor import Actor
from equipoise.conduct.clock import Clock, read_system_clock
from equipoise.conduct.entropy import SystemEntropy
from equipoise.conduct.trial import Trial
from equipoise.definition.lock import definition_from_json
from equipoise.definition.model.definition import StudyDefinition
from equipoise.governance.state import GrantRow, TrialRow
from equipoise.store import setup
from equipoise.store.identities import IDENTITIES, IDENTITIES_KEY, IdentityRegister
from equipoise.store.place import DatabaseUrl, Place, trial_place
from equipoise.store.sealing import read_key
from equipoise.store.trial_store import TrialStore, claim_file
from equipoise.store.vault import VAULT, VAULT_KEY, DatabaseVault
from equipoise.web.accounts.models import Setting
from equipoise.web.amending import SentFolders
from equipoise.web.scans.files import ScanFiles

CLINIC_FILE = "clinic.sqlite"
_OWN_APPS = ("django_cache", "contenttypes", "auth", "accounts", "sessions", "account", "mfa", "usersessions")
_SCHEMA = "clinic"
_BUSY_TIMEOUT_SECONDS = 30
_SHIFT = "clock_shift_seconds"


class Router:
    """Keeps the tables of the trial out of the clinic's database, and the clinic's out of the trial's."""

    def allow_migrate(self, db: str, app_label: str, **hints: object) -> bool:
        """Tell whether an application has tables in a database."""
        return (db == "default") == (app_label in _OWN_APPS)


@dataclass
class Clinic:
    """What every page has at hand; `register` is None where the identities are kept elsewhere."""

    folder: Path
    trial: Trial
    store: TrialStore
    register: IdentityRegister | None
    clock: Clock
    jobs: Path = field(init=False)
    scans: ScanFiles = field(init=False)
    amendments: SentFolders = field(init=False)

    def __post_init__(self) -> None:
        self.jobs = self.folder / "jobs"
        self.scans = ScanFiles(self.folder / "scans")
        self.amendments = SentFolders(self.folder / "amendments")

    @property
    def definition(self) -> StudyDefinition:
        """The definition under which the trial runs."""
        return self.trial.definition

    @property
    def row(self) -> TrialRow:
        """The state of the trial as a whole."""
        return next(self.trial.tables.all(TrialRow))

    def now(self) -> datetime:
        """Return the time in UTC; in a rehearsed trial it goes on from where the rehearsal stopped."""
        return self.clock()

    def zone(self, site: str | None) -> ZoneInfo:
        """Return the time zone of a site; UTC for whoever belongs to none."""
        found = next((each for each in self.definition.study.sites if each.id == site), None)
        return _zone(found.time_zone if found else "UTC")

    def today(self, site: str | None) -> date:
        """Return the day that it is at a site."""
        return self.now().astimezone(self.zone(site)).date()

    def roles_of(self, account: str) -> tuple[Actor, ...]:
        """List the roles that an account holds now, each as the actor that it makes."""
        rows = self.trial.tables.where(GrantRow, account=account)
        return tuple(Actor(row.account, row.role, row.site or None) for row in rows if row.revoked_at is None)

    def scan_hashes(self) -> set[str]:
        """Return the hashes of all files of scans that the ledger names now."""
        self.trial.catch_up()
        lines = self.trial.trail.of_kind("ScanReceived")
        return {str(line.content["file_hash"]) for line in lines if "file_hash" in line.content}


@cache
def _zone(name: str) -> ZoneInfo:
    # ZoneInfo itself keeps eight, and reads the others from the disk again.
    return ZoneInfo(name)


_current: Clinic | None = None


def current_clinic() -> Clinic:
    """Return the clinic of this process."""
    if _current is None:
        raise RuntimeError("no clinic is open in this process")
    return _current


def use_clinic(clinic: Clinic | None) -> None:
    """Make a clinic that of this process."""
    global _current  # noqa: PLW0603  # Django calls views without anything to hand a clinic over with
    _current = clinic


def prepare_clinic(folder: Path) -> None:
    """Make the clinic's own database where there is none, and bring it up to date.

    Call it before any process serves; Django must be set up. Raises StoreUnreadable.
    """
    place = _connect(folder)
    if isinstance(place, Path):
        if not (folder / CLINIC_FILE).exists():
            claim_file(folder / CLINIC_FILE)
        setup.let_readers_go_on("default")
    call_command("migrate", database="default", verbosity=0, interactive=False)
    call_command("createcachetable", database="default", verbosity=0)
    _start_clock(place)


def open_clinic(folder: Path) -> Clinic:
    """Open a prepared clinic and its trial.

    Raises StoreUnreadable and Locked as the stores do, StoreUnreadable (TRIAL-EMPTY) for a trial that was
    never opened.
    """
    store = TrialStore.open(_connect(folder))
    definition = definition_from_json(store.founding_definition())
    vault = DatabaseVault(folder / VAULT.file, read_key(folder / VAULT_KEY.file, VAULT_KEY))
    identities = folder / IDENTITIES.file
    register = (
        IdentityRegister(identities, read_key(folder / IDENTITIES_KEY.file, IDENTITIES_KEY))
        if identities.exists()
        else None
    )
    clock = _read_clock()
    trial = Trial(definition, store.ledger, vault, clock, SystemEntropy(), store.dictionaries)
    clinic = Clinic(folder=folder, trial=trial, store=store, register=register, clock=clock)
    clinic.scans.sweep(clinic.scan_hashes)
    return clinic


@contextmanager
def opened_clinic(folder: Path) -> Iterator[Clinic]:
    """Open a clinic as that of this process, and close it again."""
    clinic = open_clinic(folder)
    use_clinic(clinic)
    try:
        yield clinic
    finally:
        use_clinic(None)
        clinic.store.close()
        disconnect()


def disconnect() -> None:
    """Close this thread's connection to the clinic's own database, so that another may be opened."""
    connections["default"].close()
    del connections["default"]


def _connect(folder: Path) -> Place:
    """Make the clinic's own database that of Django's `default`, and return where the trial is kept.

    It does not wait for the disk: a crash loses nothing, a power cut the last moments of sessions, drafts and
    visits. What is recorded in the trial is on the disk before anybody is told so.
    """
    place = trial_place(folder)
    if isinstance(place, DatabaseUrl):
        alias = setup.connect_postgresql(place, _SCHEMA, create=True)
        # The schema is made; from here on it is reached as `default`.
        setup.close(alias)
        wanted = dict(connections.databases[alias])
        options = wanted["OPTIONS"]
        swift = options["options"].replace("synchronous_commit=on", "synchronous_commit=off")
        wanted["OPTIONS"] = options | {"options": swift}
    else:
        database = {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(folder / CLINIC_FILE),
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": _BUSY_TIMEOUT_SECONDS,
                "init_command": "PRAGMA synchronous = NORMAL",
            },
        }
        wanted = connections.configure_settings({"default": database})["default"]
    if connections.databases["default"] != wanted:
        disconnect()
        connections.databases["default"] = wanted
    return place


def _start_clock(place: Place) -> None:
    """Note, once, by how much the clock of a rehearsed trial is behind."""
    if Setting.objects.filter(name=_SHIFT).exists():
        return
    store = TrialStore.open(place)
    head = store.ledger.head()
    first = next(store.ledger.read(), None)
    last = next(store.ledger.read(max(0, head.position - 1)), None)
    store.close()
    shift = timedelta(0)
    if first is not None and last is not None and first.content.get("mode") == "rehearsal":
        shift = read_system_clock() - datetime.fromisoformat(last.recorded_at).astimezone(UTC)
    Setting.objects.create(name=_SHIFT, value=str(shift.total_seconds()))


def _read_clock() -> Clock:
    shift = timedelta(seconds=float(Setting.objects.get(name=_SHIFT).value))
    return lambda: read_system_clock() - shift
