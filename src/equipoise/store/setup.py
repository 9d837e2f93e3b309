"""Django's set-up: settings, and a database alias for each file or PostgreSQL schema that is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import django
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connections, transaction

from equipoise.store.failures import StoreUnreadable, storage_errors
from equipoise.store.place import DatabaseUrl

TRIAL_APP = "store"
VAULT_APP = "vault"
IDENTITIES_APP = "identities"

_ENGINE = "equipoise.store.sqlite_backend"
_POSTGRESQL_ENGINE = "equipoise.store.postgresql_backend"
_BUSY_TIMEOUT_SECONDS = 30
_STATEMENT_TIMEOUT_SECONDS = 60
_IDLE_IN_TRANSACTION_SECONDS = 60
_CONNECT_TIMEOUT_SECONDS = 10
# Whoever makes a schema holds this lock of the database, so that two who start at once do not both make it.
_SCHEMA_LOCK = 0x65717569


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


def connect_postgresql(url: DatabaseUrl | str, schema: str, *, create: bool = False) -> str:
    """Return the database alias of one schema of a PostgreSQL database, made first when it is asked for.

    The same schema has the same alias throughout a process; each thread has a connection of its own. Raises
    StoreUnreadable (STORE-URL, STORE-DRIVER), and StoreUnavailable when a schema cannot be made.
    """
    _check_driver()
    set_up_django()
    known = DatabaseUrl.read(url) if isinstance(url, str) else url
    alias = f"postgresql:{known}/{schema}"
    settings_now = _postgresql_settings(known, schema)
    if alias in connections.databases:
        # In place: what is connected next has the password that was named last.
        connections.databases[alias].update(settings_now)
    else:
        _register(alias, settings_now)
    if create:
        with storage_errors(), transaction.atomic(using=alias):
            claim_schema(alias, schema)
    return alias


def has_schema(alias: str, schema: str) -> bool:
    """Tell whether a PostgreSQL database has a schema."""
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [schema])
        return cursor.fetchone() is not None


def claim_schema(alias: str, schema: str) -> bool:
    """Make a schema, to be called within a transaction; return False where there is one already.

    Only the account that makes it can look into it.
    """
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SCHEMA_LOCK])
        if has_schema(alias, schema):
            return False
        cursor.execute(f'CREATE SCHEMA "{schema}"')
        return True


def _check_driver() -> None:
    try:
        import psycopg  # noqa: F401, PLC0415  # an extra of the package
    except ImportError as error:
        raise StoreUnreadable(
            "STORE-DRIVER",
            "PostgreSQL cannot be used without its driver, psycopg. Install equipoise[postgresql].",
        ) from error


def _postgresql_settings(url: DatabaseUrl, schema: str) -> dict[str, Any]:
    session = {
        # Names are looked up in the schema, and never first among temporary tables.
        "search_path": f"{schema},pg_temp",
        # An acknowledged commit survives a power cut, whatever the server does by default.
        "synchronous_commit": "on",
        # A writer waits for the head, and then sees what was committed while it waited.
        "default_transaction_isolation": r"read\ committed",
        "lock_timeout": f"{_BUSY_TIMEOUT_SECONDS}s",
        "statement_timeout": f"{_STATEMENT_TIMEOUT_SECONDS}s",
        # A writer that is cut off from the server must not keep the head for ever.
        "idle_in_transaction_session_timeout": f"{_IDLE_IN_TRANSACTION_SECONDS}s",
        "timezone": "UTC",
    }
    options: dict[str, Any] = {
        "options": " ".join(f"-c {name}={value}" for name, value in session.items()),
        "connect_timeout": _CONNECT_TIMEOUT_SECONDS,
        "application_name": "equipoise",
    }
    if url.sslmode is not None:
        options["sslmode"] = url.sslmode
    return {
        "ENGINE": _POSTGRESQL_ENGINE,
        "NAME": url.name,
        "USER": url.user,
        "PASSWORD": url.password,
        "HOST": url.host,
        "PORT": "" if url.port is None else str(url.port),
        "OPTIONS": options,
    }


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
