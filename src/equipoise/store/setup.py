"""Django's set-up: settings, and a database alias for each file that is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import django
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connections

TRIAL_APP = "store"
VAULT_APP = "vault"
IDENTITIES_APP = "identities"

_ENGINE = "equipoise.store.sqlite_backend"
_BUSY_TIMEOUT_SECONDS = 30


def set_up_django() -> None:
    """Configure Django once per process; does nothing when an application has configured it already."""
    if not settings.configured:
        settings.configure(
            INSTALLED_APPS=[
                "equipoise.store.apps.StoreConfig",
                "equipoise.store.vault_app.apps.VaultConfig",
                "equipoise.store.identities_app.apps.IdentitiesConfig",
            ],
            DATABASES={"default": {"ENGINE": "django.db.backends.dummy"}},
            USE_TZ=True,
            TIME_ZONE="UTC",
            DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
            LOGGING_CONFIG=None,
        )
    if not apps.ready:
        django.setup()


def connect_sqlite(path: Path) -> str:
    """Return the database alias of a SQLite file, which must be there.

    The same file has the same alias throughout a process; each thread has a connection of its own.
    """
    set_up_django()
    whole = path.resolve()
    alias = f"sqlite:{whole}"
    if alias not in connections.databases:
        _register(
            alias,
            {
                "ENGINE": _ENGINE,
                # A file that was moved away must fail, and not come to be anew without its entries.
                "NAME": f"file:{quote(str(whole))}?mode=rw",
                "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": _BUSY_TIMEOUT_SECONDS},
            },
        )
    return alias


def connect_memory() -> str:
    """Return the alias of an empty database in memory, gone when `discard` is called."""
    set_up_django()
    alias = "memory"
    if alias not in connections.databases:
        _register(alias, {"ENGINE": _ENGINE, "NAME": ":memory:"})
    return alias


def _register(alias: str, database: dict[str, Any]) -> None:
    defaults: dict[str, Any] = {
        "ATOMIC_REQUESTS": False,
        "AUTOCOMMIT": True,
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": False,
        "OPTIONS": {},
        "TIME_ZONE": None,
        "USER": "",
        "PASSWORD": "",
        "HOST": "",
        "PORT": "",
        "TEST": {"CHARSET": None, "COLLATION": None, "MIGRATE": True, "MIRROR": None, "NAME": None},
    }
    connections.databases[alias] = defaults | database


def migrate(alias: str, app: str) -> None:
    """Bring one application's tables in a database up to date.

    The migration table's time stamps are set to a fixed value: when a schema was made is no fact of the
    trial, and without them the same rehearsal gives the same file.
    """
    call_command("migrate", app, database=alias, verbosity=0, interactive=False)
    with connections[alias].cursor() as cursor:
        cursor.execute("UPDATE django_migrations SET applied = %s", ["2000-01-01 00:00:00"])


def let_readers_go_on(alias: str) -> None:
    """Have a SQLite file keep a write-ahead log, so that readers go on while one writer writes.

    The file remembers it; only a file that is known to be a trial or vault may be changed so.
    """
    with connections[alias].cursor() as cursor:
        cursor.execute("PRAGMA journal_mode = WAL")


def close(alias: str) -> None:
    """Close a database's connection in this thread; it opens again when it is used."""
    connections[alias].close()


def discard(alias: str) -> None:
    """Close a database in memory, which destroys it."""
    connection = connections[alias]
    # Django's own close() keeps a database in memory alive.
    if connection.connection is not None:
        connection.connection.close()
        connection.connection = None
