"""A clinic for every test that asks for one: on SQLite, and on PostgreSQL where its module says so."""

from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.utils import translation

from equipoise.definition.lock import definition_from_json
from equipoise.ledger import Entry
from equipoise.store import ledger
from equipoise.web import clinic as clinics
from equipoise.web.clinic import Clinic
from tests.postgresql import PostgresqlServer, name_of, postgresql
from tests.web.clinics import clinic_in, clinic_in_postgresql, keep_in_postgresql

__all__ = ["postgresql"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test of a module that says `BACK_ENDS = BOTH` on both."""
    back_ends = getattr(metafunc.module, "BACK_ENDS", None)
    if back_ends is not None and "clinic" in metafunc.fixturenames:
        metafunc.parametrize("clinic", back_ends, indirect=True)


@pytest.fixture(scope="session", autouse=True)
def read_once() -> Iterator[None]:
    """Read a definition and an entry once per process: neither changes, and every clinic opens with them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clinics, "definition_from_json", cache(definition_from_json))
        patch.setattr(ledger, "Entry", SimpleNamespace(from_body=lru_cache(5000)(Entry.from_body)))
        yield


@pytest.fixture(autouse=True)
def in_english() -> None:
    """Begin in English: a request leaves its thread in the language of whoever sent it."""
    translation.deactivate()


@pytest.fixture(scope="session")
def database_under_way(
    postgresql: PostgresqlServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The name of a database that holds the trial under way and the accounts of its clinic."""
    url = postgresql.make()
    keep_in_postgresql(url, tmp_path_factory.mktemp("database"))
    yield name_of(url)
    postgresql.drop(url)


@pytest.fixture
def clinic(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Clinic]:
    """A clinic, on SQLite unless its module names back ends."""
    if getattr(request, "param", "sqlite") == "sqlite":
        with clinic_in(tmp_path) as opened:
            yield opened
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    url = server.make(request.getfixturevalue("database_under_way"))
    with clinic_in_postgresql(url, tmp_path) as opened:
        yield opened
    server.drop(url)
