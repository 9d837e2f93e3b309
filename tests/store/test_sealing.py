"""Secret keys: private, random, never replaced, asked for by name; over every kind that there is."""

import os
from base64 import urlsafe_b64encode

import pytest

from equipoise.store.heads import HEAD_KEY
from equipoise.store.identities import IDENTITIES_KEY
from equipoise.store.sealing import KeyKind, Locked, make_key_file, read_key, read_or_make_key
from equipoise.store.vault import VAULT_KEY

KEY = bytes(range(32))
CODED = urlsafe_b64encode(KEY).decode()
KINDS = (VAULT_KEY, HEAD_KEY, IDENTITIES_KEY)


@pytest.fixture(params=KINDS, ids=lambda kind: kind.prefix)
def kind(request: pytest.FixtureRequest) -> KeyKind:
    return request.param


def test_no_two_kinds_of_key_share_a_place():
    for field in ("prefix", "name", "file", "variable"):
        assert len({getattr(kind, field) for kind in KINDS}) == len(KINDS)


def test_key_is_made_once_and_not_where_the_environment_has_one(kind, tmp_path, monkeypatch):
    monkeypatch.setenv(kind.variable, CODED)
    assert read_or_make_key(tmp_path, kind) == KEY
    assert list(tmp_path.iterdir()) == []
    monkeypatch.delenv(kind.variable)
    made = read_or_make_key(tmp_path, kind)
    assert [path.name for path in tmp_path.iterdir()] == [kind.file]
    assert read_or_make_key(tmp_path, kind) == made != KEY


def test_new_key_file_is_private_random_and_never_replaced(kind, tmp_path, monkeypatch):
    monkeypatch.delenv(kind.variable, raising=False)
    one, other = tmp_path / "one.key", tmp_path / "other.key"
    make_key_file(one, kind)
    make_key_file(other, kind)
    assert one.stat().st_mode & 0o777 == 0o600
    key = read_key(one, kind)
    assert (len(key), key != read_key(other, kind)) == (32, True)
    with pytest.raises(Locked, match=f"^{kind.prefix}-KEY-EXISTS"):
        make_key_file(one, kind)
    assert read_key(one, kind) == key


def test_key_of_the_environment_goes_before_the_file(kind, tmp_path, monkeypatch):
    make_key_file(tmp_path / "key", kind)
    monkeypatch.setenv(kind.variable, CODED)
    assert read_key(tmp_path / "key", kind) == read_key(None, kind) == KEY


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601])
def test_key_file_that_others_can_reach_is_refused(kind, tmp_path, monkeypatch, mode):
    monkeypatch.delenv(kind.variable, raising=False)
    make_key_file(tmp_path / "key", kind)
    (tmp_path / "key").chmod(mode)
    with pytest.raises(Locked, match=f"^{kind.prefix}-KEY-OPEN"):
        read_key(tmp_path / "key", kind)


BAD_KEYS = [
    "",
    "x",
    CODED[:-4],
    CODED + "AAAA",
    CODED[:-1] + "!",
    "!!" + CODED,
    CODED[:10] + " " + CODED[10:],
    "é",
]


@pytest.mark.parametrize("written", BAD_KEYS)
def test_what_is_no_key_is_refused_and_not_shown(kind, tmp_path, monkeypatch, written):
    monkeypatch.setenv(kind.variable, written)
    with pytest.raises(Locked, match=f"^{kind.prefix}-KEY: ") as refusal:
        read_key(None, kind)
    assert CODED[:10] not in str(refusal.value)
    monkeypatch.delenv(kind.variable)
    file = tmp_path / "key"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(written.encode() + b"\xff" * (len(written) == 1))
    with pytest.raises(Locked, match=f"^{kind.prefix}-KEY: "):
        read_key(file, kind)


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir()])
def test_key_that_is_not_there_is_asked_for(kind, tmp_path, monkeypatch, make):
    monkeypatch.delenv(kind.variable, raising=False)
    make(tmp_path / "key")
    for path in (None, tmp_path / "key"):
        with pytest.raises(Locked, match=f"^{kind.prefix}-NO-KEY"):
            read_key(path, kind)
