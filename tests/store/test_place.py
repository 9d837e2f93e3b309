"""Where a trial is kept: the one setting, and how strictly its URL is read."""

import traceback

import pytest

from equipoise.store.place import DATABASE_URL, DatabaseUrl, folder_of, trial_place
from equipoise.store.trial_store import StoreUnreadable

URL = "postgresql://nils@localhost/trial"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (URL, DatabaseUrl("nils", "localhost", "trial")),
        ("postgres://nils@db.example.org:6543/trial", DatabaseUrl("nils", "db.example.org", "trial", 6543)),
        ("postgresql://nils@[::1]/trial", DatabaseUrl("nils", "::1", "trial")),
        ("postgresql://nils:@localhost/trial", DatabaseUrl("nils", "localhost", "trial")),
        (
            "postgresql://n%C3%A9%40:a%2Fb%3A%3F%23%25@localhost/the%20trial?sslmode=verify-full",
            DatabaseUrl("né@", "localhost", "the trial", None, "verify-full", "a/b:?#%"),
        ),
        ("postgresql://nils@/trial?host=/run/a%20b", DatabaseUrl("nils", "/run/a b", "trial")),
        (
            "postgresql://nils@:6543/trial?sslmode=disable&host=/run",
            DatabaseUrl("nils", "/run", "trial", 6543, "disable"),
        ),
    ],
)
def test_url_is_read(text, expected):
    assert DatabaseUrl.read(text) == expected


SECRET = "Geheim"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "postgresql://"),
        ("trial.sqlite", "postgresql://"),
        (f"mysql://nils:{SECRET}@localhost/trial", "postgresql://"),
        (f"postgresql://:{SECRET}@localhost/trial", "no user"),
        (f"postgresql://nils:{SECRET}@/trial", "one host"),
        (f"postgresql://nils:{SECRET}@localhost/trial?host=/run", "one host"),
        (f"postgresql://nils:{SECRET}@one,other/trial", "more than one host"),
        (f"postgresql://nils:{SECRET}@localhost", "name"),
        (f"postgresql://nils:{SECRET}@localhost/", "name"),
        (f"postgresql://nils:{SECRET}@localhost/{'n' * 64}", "too long"),
        (f"postgresql://nils:{SECRET}@localhost/a/b", "/"),
        (f"postgresql://nils:{SECRET}@localhost:port/trial", "form"),
        (f"postgresql://nils:{SECRET}@localhost:66000/trial", "form"),
        (f"postgresql://nils:{SECRET}@[localhost/trial", "form"),
        (f"postgresql://nils:{SECRET}@localhost/trial?sslmode=maybe", "sslmode"),
        (f"postgresql://nils:{SECRET}@localhost/trial?sslmode", "form"),
        (f"postgresql://nils:{SECRET}@localhost/trial?sslmode=allow&sslmode=allow", "another option"),
        (f"postgresql://nils:{SECRET}@localhost/trial?options=-cfsync=off", "another option"),
        (f"postgresql://nils:{SECRET}@/trial?host=localhost", "full path"),
        (f"postgresql://nils:x?{SECRET}@localhost/trial", "form"),
        (f"postgresql://nils:x#{SECRET}@localhost/trial", "character"),
        (f"postgresql://nils:{SECRET}%@localhost/trial", "character"),
        (f"postgresql://nils:{SECRET}%ff@localhost/trial", "form"),
        (f"postgresql://nils:{SECRET}%00@localhost/trial", "NUL"),
        (f"postgresql://nils:{SECRET}é@localhost/trial", "character"),
        (f"postgresql://nils:{SECRET}@localhost/trial\n", "character"),
        (f" postgresql://nils:{SECRET}@localhost/trial", "character"),
    ],
)
def test_url_that_is_not_clear_is_refused_and_not_shown(text, problem):
    with pytest.raises(StoreUnreadable) as refusal:
        DatabaseUrl.read(text)
    assert refusal.value.code == "STORE-URL"
    assert problem in refusal.value.sentence
    assert SECRET not in "".join(traceback.format_exception(refusal.value))


def test_password_does_not_show():
    url = DatabaseUrl.read(f"postgresql://nils:{SECRET}@localhost:6543/trial")
    assert url.password == SECRET
    assert SECRET not in f"{url} {url!r}"
    assert str(url) == "nils@localhost:6543/trial"


def test_folder_and_file_name_the_same_trial(tmp_path, monkeypatch):
    monkeypatch.delenv(DATABASE_URL, raising=False)
    file = tmp_path / "trial.sqlite"
    assert trial_place(tmp_path) == trial_place(file) == file
    assert folder_of(tmp_path) == folder_of(file) == tmp_path
    assert trial_place(tmp_path / "copy.sqlite") == tmp_path / "copy.sqlite"


def test_setting_names_the_database_of_every_trial_that_is_no_file(tmp_path, monkeypatch):
    monkeypatch.setenv(DATABASE_URL, URL)
    file = tmp_path / "trial.sqlite"
    assert trial_place(tmp_path) == trial_place(file) == DatabaseUrl("nils", "localhost", "trial")
    monkeypatch.setenv(DATABASE_URL, "trial")
    with pytest.raises(StoreUnreadable, match="STORE-URL"):
        trial_place(tmp_path)
    monkeypatch.setenv(DATABASE_URL, "")
    assert trial_place(tmp_path) == file


def test_file_beside_a_setting_is_taken_for_neither(tmp_path, monkeypatch):
    monkeypatch.setenv(DATABASE_URL, URL)
    (tmp_path / "trial.sqlite").touch()
    for trial in (tmp_path, tmp_path / "trial.sqlite"):
        with pytest.raises(StoreUnreadable, match="STORE-TWO-PLACES"):
            trial_place(trial)
