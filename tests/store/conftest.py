"""Every test that asks for `trials`, or for a `store` of them, is run on SQLite and on PostgreSQL."""

import pytest

from equipoise.store.place import DatabaseUrl
from equipoise.store.trial_store import TrialStore
from tests.postgresql import name_of, postgresql
from tests.store.samples import CANONICAL, CANONICAL_HASH, DatabaseTrials, FileTrials

__all__ = ["postgresql"]


@pytest.fixture(scope="session")
def databases(postgresql):
    """What makes trials in PostgreSQL; each is a copy of one that was made once."""
    url = postgresql.make()
    TrialStore.create(DatabaseUrl.read(url), CANONICAL_HASH, CANONICAL).close()
    yield lambda: DatabaseTrials(postgresql, name_of(url))
    postgresql.drop(url)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def back_end(request):
    return request.param


@pytest.fixture(scope="module")
def shared_trials(back_end, request, tmp_path_factory):
    """What makes the trials of a module, on one back end after the other."""
    is_file = back_end == "sqlite"
    made = (
        FileTrials(tmp_path_factory.mktemp("shared")) if is_file else request.getfixturevalue("databases")()
    )
    yield made
    made.close()


@pytest.fixture
def trials(back_end, request, tmp_path):
    """What makes the trials of one test."""
    made = FileTrials(tmp_path) if back_end == "sqlite" else request.getfixturevalue("databases")()
    yield made
    made.close()


@pytest.fixture
def store(trials):
    return trials.make()


@pytest.fixture
def database_trials(databases):
    """The same, on PostgreSQL only."""
    made = databases()
    yield made
    made.close()
