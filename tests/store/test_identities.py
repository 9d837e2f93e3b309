"""The register of identities on disk: what its file shows, with the key and without, and after an erasure."""

import pytest

from equipoise.ledger import StoreUnavailable
from equipoise.store.identities import (
    IDENTITIES,
    Identity,
    IdentityRegister,
    IdentityTaken,
    read_codes,
)
from equipoise.store.sealing import Locked
from equipoise.store.trial_store import StoreUnreadable
from equipoise.store.vault import DatabaseVault
from tests.store.samples import new_trial, plain

KEY = bytes(range(32))
NAME, CONTACT = "Ångström, Maja Kristina", "070-123 45 67, maja@example.org"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "identities.sqlite"


@pytest.fixture
def register(path):
    made = IdentityRegister.create(path, KEY)
    yield made
    made.close()


def content(path):
    """Everything that is on the disk, in the register's file or beside it."""
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_identity_is_read_as_it_was_recorded_and_goes_when_erased(register):
    register.record("SE01-002", "Omar", "")
    register.record("SE01-001", NAME, CONTACT)
    assert register.codes() == ("SE01-001", "SE01-002")
    assert register.read("SE01-001") == Identity(NAME, CONTACT)
    register.erase("SE01-001")
    register.erase("SE01-001")
    assert (register.read("SE01-001"), register.codes()) == (None, ("SE01-002",))
    register.record("SE01-001", "Somebody else", CONTACT)
    assert register.read("SE01-001") == Identity("Somebody else", CONTACT)


def test_register_is_opened_again_with_its_key_and_with_no_other(register, path):
    register.record("SE01-001", NAME, CONTACT)
    register.close()
    again = IdentityRegister(path, KEY)
    assert again.read("SE01-001") == Identity(NAME, CONTACT)
    again.close()
    with pytest.raises(Locked, match=r"^IDENTITIES-KEY: The key does not open this register of identities"):
        IdentityRegister(path, KEY[::-1])


def test_codes_are_read_without_the_key(register, path):
    assert read_codes(path) == ()
    register.record("SE01-001", NAME, CONTACT)
    assert read_codes(path) == ("SE01-001",)


def test_another_identity_is_never_put_over_one(register):
    register.record("SE01-001", NAME, CONTACT)
    register.record("SE01-001", NAME, CONTACT)
    for name, contact in ((NAME, "moved"), ("Somebody else", CONTACT)):
        with pytest.raises(IdentityTaken) as refusal:
            register.record("SE01-001", name, contact)
        assert name not in str(refusal.value)
    assert register.read("SE01-001") == Identity(NAME, CONTACT)
    with pytest.raises(IdentityTaken):
        register.record("", NAME, CONTACT)


@pytest.mark.requirement("G13")
def test_neither_name_nor_contact_nor_their_length_is_in_the_file(register, path):
    register.record("SE01-001", NAME, CONTACT)
    register.record("SE01-002", "O", "")
    found = content(path)
    assert b"SE01-001" in found
    for part in (NAME, NAME[:4], "Maja", CONTACT[:6], "example.org"):
        assert part.encode() not in found
    with plain(path) as connection:
        rows = connection.execute("SELECT ciphertext FROM sealed_identity WHERE name <> ''").fetchall()
    assert len({len(ciphertext) // 64 for (ciphertext,) in rows}) <= 2
    assert NAME not in repr(Identity(NAME, CONTACT))
    assert CONTACT not in str(Identity(NAME, CONTACT))


@pytest.mark.requirement("G13")
def test_nothing_of_what_was_erased_is_left_on_the_disk_even_sealed(register, path):
    for number in range(60):
        register.record(f"SE01-{number:03d}", f"{NAME} {number}", CONTACT)
    with plain(path) as connection:
        kept = dict(connection.execute("SELECT name, ciphertext FROM sealed_identity").fetchall())
    gone, *others = (kept[f"SE01-{number:03d}"] for number in (17, 16, 18))
    assert gone in content(path)
    register.erase("SE01-017")
    found = content(path)
    assert not [start for start in range(0, len(gone) - 8, 8) if gone[start : start + 8] in found]
    assert all(other in found for other in others)
    assert b"SE01-017" not in found


def test_register_is_readable_by_its_owner_only(register, path):
    assert path.stat().st_mode & 0o077 == 0


def test_register_keeps_no_log_in_which_an_erased_identity_would_stay(register, path):
    register.record("SE01-001", NAME, CONTACT)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("change", ["ciphertext", "name"])
def test_identity_that_was_changed_or_given_to_another_code_is_found(register, path, change):
    register.record("SE01-001", NAME, CONTACT)
    with plain(path) as connection:
        if change == "name":
            connection.execute("UPDATE sealed_identity SET name = 'SE01-002' WHERE name = 'SE01-001'")
        else:
            connection.execute("UPDATE sealed_identity SET ciphertext = nonce WHERE name = 'SE01-001'")
    with pytest.raises(Locked, match="IDENTITIES-CHANGED"):
        register.read("SE01-002" if change == "name" else "SE01-001")


@pytest.mark.parametrize(
    ("write", "code"),
    [
        (lambda path: None, "STORE-MISSING"),
        (lambda path: path.write_bytes(b"something"), "STORE-NOT-A-TRIAL"),
        (lambda path: path.write_bytes(new_trial()), "STORE-NOT-IDENTITIES"),
        (lambda path: DatabaseVault.create(path, KEY).close(), "STORE-NOT-IDENTITIES"),
    ],
)
def test_what_is_no_register_is_not_opened(path, write, code):
    write(path)
    for use in (lambda: IdentityRegister(path, KEY), lambda: read_codes(path)):
        with pytest.raises(StoreUnreadable) as refusal:
            use()
        assert refusal.value.code == code


def test_register_is_not_made_over_another(register, path):
    register.record("SE01-001", NAME, CONTACT)
    with pytest.raises(StoreUnreadable, match="STORE-EXISTS"):
        IdentityRegister.create(path, KEY)
    assert register.codes() == ("SE01-001",)


def test_register_that_cannot_be_read_says_so(register, path):
    with plain(path) as connection:
        connection.execute(f"DROP TABLE {IDENTITIES.table}")
    for use in (
        lambda: register.read("SE01-001"),
        lambda: register.record("SE01-001", NAME, CONTACT),
        lambda: register.erase("SE01-001"),
        register.codes,
    ):
        with pytest.raises(StoreUnavailable, match="STORE-FAILED"):
            use()
