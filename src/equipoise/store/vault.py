"""The vault on disk: sealed records in a database of their own, under a key that is never in it."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import IntegrityError, connections, transaction

from equipoise.allocation.vault import VaultConflict, VaultMissing, commit
from equipoise.store import setup
from equipoise.store.failures import storage_errors
from equipoise.store.trial_store import StoreUnreadable, check_sqlite_file, claim_file

KEY_VARIABLE = "EQUIPOISE_VAULT_KEY"
_KEY_BYTES = 32
_NONCE_BYTES = 12
_BLOCK = 64
# A record that every vault has, under a name that no other can have, tells whether a key is the vault's.
_KEY_CHECK = ""
_KEY_CHECK_PLAINTEXT = b"equipoise vault 1"

_INSERT = "INSERT INTO sealed_record (name, nonce, ciphertext) VALUES (%s, %s, %s)"
_SELECT = "SELECT nonce, ciphertext FROM sealed_record WHERE name = %s"
_SELECT_NAMES = "SELECT name FROM sealed_record WHERE name <> %s ORDER BY name"


class VaultLocked(Exception):
    """The vault's key is missing, unsafe or wrong, or a record was changed."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
        super().__init__(f"{code}: {sentence}")


def make_key_file(path: Path) -> None:
    """Write a new random key to a file that only its owner can read; on return it is on the disk.

    Raises VaultLocked (VAULT-KEY-EXISTS) where a file is already: a key that is lost cannot be made again.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    except FileExistsError:
        raise VaultLocked(
            "VAULT-KEY-EXISTS", f"{path.name} is there already and is not replaced. Choose another place."
        ) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    # The name must survive a power cut as well as what it names.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_key(path: Path | None) -> bytes:
    """Return the key from the environment, else from a file.

    Raises VaultLocked: VAULT-NO-KEY, VAULT-KEY-OPEN (others can read the file), VAULT-KEY (it is no key).
    """
    written = os.environ.get(KEY_VARIABLE)
    try:
        coded = _read_key_file(path) if written is None else written.encode()
        key = base64.b64decode(coded.strip(), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise VaultLocked(
            "VAULT-KEY",
            "The vault's key is not 32 bytes in base64. Use the key that the vault was made with.",
        )
    return key


def _read_key_file(path: Path | None) -> bytes:
    try:
        if path is None:
            raise FileNotFoundError
        with path.open("rb") as file:
            # Asked of the open file: the path may lead elsewhere a moment later.
            if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise VaultLocked(
                    "VAULT-KEY-OPEN",
                    f"Others can read the key file {path.name}. Make it readable by its owner only.",
                )
            return file.read()
    except OSError as error:
        raise VaultLocked(
            "VAULT-NO-KEY",
            f"The vault's key is not there, or cannot be read. Set {KEY_VARIABLE}, or put the key file back.",
        ) from error


class DatabaseVault:
    """Sealed records, encrypted with AES-256-GCM (NIST SP 800-38D); the name is authenticated too.

    Plaintexts are padded to whole blocks of 64 bytes, so that the length of an arm's name does not show.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        """Open a vault's database.

        Raises StoreUnreadable where there is none, VaultLocked (VAULT-KEY) when the key is not the vault's.
        """
        check_sqlite_file(path)
        self._alias = setup.connect_sqlite(path)
        self._cipher = AESGCM(key)
        with storage_errors():
            tables = connections[self._alias].introspection.table_names()
        if "sealed_record" not in tables or self._read(_KEY_CHECK) is None:
            raise StoreUnreadable(
                "STORE-NOT-A-VAULT", f"{path.name} is no vault. Name the vault.sqlite of the trial."
            )
        try:
            self.open(_KEY_CHECK)
        except VaultLocked:
            raise VaultLocked(
                "VAULT-KEY", "The key does not open this vault. Use the key that the vault was made with."
            ) from None

    @classmethod
    def create(cls, path: Path, key: bytes) -> DatabaseVault:
        """Make a new vault, readable by its owner only; raises StoreUnreadable as `TrialStore.create`."""
        claim_file(path)
        alias = setup.connect_sqlite(path)
        try:
            with storage_errors():
                setup.let_readers_go_on(alias)
                setup.migrate(alias, setup.VAULT_APP)
                with connections[alias].cursor() as cursor:
                    cursor.execute(_INSERT, _encrypt(AESGCM(key), _KEY_CHECK, _KEY_CHECK_PLAINTEXT))
            return cls(path, key)
        except BaseException:
            setup.close(alias)
            path.unlink()
            raise

    def close(self) -> None:
        """Close this thread's connection; it opens again when the vault is used."""
        setup.close(self._alias)

    def seal(self, name: str, plaintext: bytes) -> None:
        """Keep a record; the same record may be sealed again, a different one under the same name not."""
        with storage_errors():
            try:
                with transaction.atomic(using=self._alias), connections[self._alias].cursor() as cursor:
                    cursor.execute(_INSERT, _encrypt(self._cipher, name, plaintext))
                return
            except IntegrityError:
                # The name is taken.
                pass
        if self.open(name) != plaintext:
            raise VaultConflict(name)

    def open(self, name: str) -> bytes:
        """Return a record; raises VaultMissing, and VaultLocked (VAULT-CHANGED) for one that was changed."""
        row = self._read(name)
        if row is None:
            raise VaultMissing(name)
        try:
            nonce, ciphertext = (memoryview(part).tobytes() for part in row)
            return _unpad(self._cipher.decrypt(nonce, ciphertext, name.encode()))
        except (InvalidTag, TypeError, ValueError):
            # The two others come from values that are no bytes, or too few to be a nonce.
            raise VaultLocked(
                "VAULT-CHANGED", f"The vault's record '{name}' was changed. Restore the vault from a backup."
            ) from None

    def names(self) -> tuple[str, ...]:
        """List the names of all records, sorted."""
        with storage_errors(), connections[self._alias].cursor() as cursor:
            cursor.execute(_SELECT_NAMES, [_KEY_CHECK])
            return tuple(sorted(name for (name,) in cursor.fetchall()))

    def commitment(self, salt: bytes, message: bytes) -> str:
        """Return the commitment to a message."""
        return commit(salt, message)

    def _read(self, name: str) -> tuple[Any, ...] | None:
        with storage_errors(), connections[self._alias].cursor() as cursor:
            cursor.execute(_SELECT, [name])
            row: tuple[Any, ...] | None = cursor.fetchone()
            return row


def _encrypt(cipher: AESGCM, name: str, plaintext: bytes) -> tuple[str, bytes, bytes]:
    nonce = os.urandom(_NONCE_BYTES)
    return name, nonce, cipher.encrypt(nonce, _pad(plaintext), name.encode())


def _pad(plaintext: bytes) -> bytes:
    """Add a one bit and zeros up to a whole block (ISO/IEC 9797-1, padding method 2)."""
    return plaintext + b"\x80" + bytes(-(len(plaintext) + 1) % _BLOCK)


def _unpad(padded: bytes) -> bytes:
    return padded[: padded.rindex(b"\x80")]
