"""The vault on disk: the contract of all vaults, and what somebody with the file can do."""

from base64 import urlsafe_b64encode

import pytest

from equipoise.ledger import StoreUnavailable
from equipoise.store.sealing import Locked
from equipoise.store.trial_store import StoreUnreadable
from equipoise.store.vault import DatabaseVault
from tests.allocation.vault_contract import VaultContract
from tests.store.samples import new_trial, plain

KEY = bytes(range(32))
CODED = urlsafe_b64encode(KEY).decode()


class TestDatabaseVault(VaultContract):
    @pytest.fixture
    def vault_factory(self, tmp_path):
        made: list[DatabaseVault] = []

        def make():
            made.append(DatabaseVault.create(tmp_path / f"{len(made)}.sqlite", KEY))
            return made[-1]

        yield make
        for vault in made:
            vault.close()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vault.sqlite"


@pytest.fixture
def vault(path):
    made = DatabaseVault.create(path, KEY)
    yield made
    made.close()


def test_vault_is_opened_again_with_its_key(vault, path):
    vault.seal("a", b"placebo")
    vault.close()
    again = DatabaseVault(path, KEY)
    assert (again.names(), again.open("a")) == (("a",), b"placebo")
    again.close()


def test_vault_does_not_open_with_another_key(vault, path):
    vault.seal("a", b"placebo")
    with pytest.raises(Locked, match="VAULT-KEY: "):
        DatabaseVault(path, KEY[::-1])


def test_vault_is_readable_by_its_owner_only(vault, path):
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("write", "code"),
    [
        (lambda path: None, "STORE-MISSING"),
        (lambda path: path.write_bytes(b"something"), "STORE-NOT-A-TRIAL"),
        (lambda path: path.write_bytes(new_trial()), "STORE-NOT-VAULT"),
    ],
)
def test_what_is_no_vault_is_not_opened(path, write, code):
    write(path)
    with pytest.raises(StoreUnreadable) as refusal:
        DatabaseVault(path, KEY)
    assert refusal.value.code == code
    assert path.exists() == (code != "STORE-MISSING")


def test_vault_without_its_key_check_is_no_vault(vault, path):
    with plain(path) as connection:
        connection.execute("DELETE FROM sealed_record")
    with pytest.raises(StoreUnreadable, match="STORE-NOT-VAULT"):
        DatabaseVault(path, KEY)


def test_vault_is_not_made_over_another(vault, path):
    vault.seal("a", b"placebo")
    with pytest.raises(StoreUnreadable, match="STORE-EXISTS"):
        DatabaseVault.create(path, KEY)
    assert vault.open("a") == b"placebo"


def test_making_with_a_bad_key_leaves_nothing(tmp_path, path):
    with pytest.raises(ValueError, match="key"):
        DatabaseVault.create(path, b"short")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.requirement("G9", "G15")
def test_plaintext_and_key_are_never_in_the_files(vault, path):
    secret = b"a very recognisable arm"
    for number in range(50):
        vault.seal(f"slot/{number}", secret)
    files = b"".join(file.read_bytes() for file in path.parent.iterdir())
    vault.close()
    files += path.read_bytes()
    assert b"slot/49" in files
    for part in (secret, secret[:8], secret[-8:], KEY, KEY[:8], CODED.encode()):
        assert part not in files


def test_equal_plaintexts_and_lengths_do_not_show(vault, path):
    for name, plaintext in (("a", b"MSC"), ("b", b"MSC"), ("c", b"placebo, long name")):
        vault.seal(name, plaintext)
    with plain(path) as connection:
        rows = connection.execute("SELECT nonce, ciphertext FROM sealed_record WHERE name <> ''").fetchall()
    assert len({nonce for nonce, _ in rows}) == len({ciphertext for _, ciphertext in rows}) == 3
    assert {len(ciphertext) for _, ciphertext in rows} == {64 + 16}


@pytest.mark.parametrize("length", [0, 1, 62, 63, 64, 127, 128])
def test_padding_gives_every_length_back(vault, length):
    for plaintext in (bytes(length), b"\x80" * length):
        vault.seal(f"{plaintext!r}", plaintext)
        assert vault.open(f"{plaintext!r}") == plaintext


@pytest.mark.parametrize("column", ["nonce", "ciphertext"])
@pytest.mark.parametrize("place", [0, 5, -1])
def test_every_changed_byte_is_found(vault, path, column, place):
    vault.seal("a", b"placebo")
    with plain(path) as connection:
        (kept,) = connection.execute(f"SELECT {column} FROM sealed_record WHERE name = 'a'").fetchone()
        changed = bytearray(kept)
        changed[place] ^= 1
        connection.execute(f"UPDATE sealed_record SET {column} = ? WHERE name = 'a'", (bytes(changed),))
    with pytest.raises(Locked, match="VAULT-CHANGED") as failure:
        vault.open("a")
    assert "placebo" not in str(failure.value)


@pytest.mark.parametrize("value", ["x''", "x'00'", "7", "'text'", "substr(ciphertext, 1, 20)", "nonce"])
def test_ciphertext_of_another_shape_is_found(vault, path, value):
    vault.seal("a", b"placebo")
    with plain(path) as connection:
        connection.execute(f"UPDATE sealed_record SET nonce = {value} WHERE name = 'a' AND {value} <> nonce")
        connection.execute(f"UPDATE sealed_record SET ciphertext = {value} WHERE name = 'a'")
    with pytest.raises(Locked, match="VAULT-CHANGED"):
        vault.open("a")


def test_records_that_changed_places_are_found(vault, path):
    """Who can write the file must not be able to exchange two participants' allocations."""
    vault.seal("a", b"placebo")
    vault.seal("b", b"verum")
    with plain(path) as connection:
        for old, new in (("a", "c"), ("b", "a"), ("c", "b")):
            connection.execute("UPDATE sealed_record SET name = ? WHERE name = ?", (new, old))
    for name in ("a", "b"):
        with pytest.raises(Locked, match="VAULT-CHANGED"):
            vault.open(name)


def test_vault_that_cannot_be_read_says_so(vault, path):
    with plain(path) as connection:
        connection.execute("DROP TABLE sealed_record")
    for use in (lambda: vault.open("a"), lambda: vault.seal("a", b""), vault.names):
        with pytest.raises(StoreUnavailable, match="STORE-FAILED"):
            use()
