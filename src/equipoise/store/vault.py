"""The vault on disk: sealed records in a database of their own, under a key that is never in it."""

from __future__ import annotations

from pathlib import Path

from equipoise.allocation.vault import VaultConflict, VaultMissing, commit
from equipoise.store import setup
from equipoise.store.names import VAULT_FILE
from equipoise.store.sealed import SealedKind, SealedRecords
from equipoise.store.sealing import KeyKind

VAULT_KEY = KeyKind(
    "VAULT", "vault's key", "the vault was made with", file="vault.key", variable="EQUIPOISE_VAULT_KEY"
)
VAULT = SealedKind("vault", VAULT_FILE, setup.VAULT_APP, "sealed_record", VAULT_KEY)


class DatabaseVault:
    """Sealed records (see `SealedRecords`); neither an arm's name nor its length shows."""

    def __init__(self, path: Path, key: bytes) -> None:
        """Open a vault's database; raises StoreUnreadable and Locked as `SealedRecords`."""
        self._records = SealedRecords(path, key, VAULT)

    @classmethod
    def create(cls, path: Path, key: bytes) -> DatabaseVault:
        """Make a new vault, readable by its owner only; raises StoreUnreadable as `TrialStore.create`."""
        SealedRecords.create(path, key, VAULT)
        return cls(path, key)

    def close(self) -> None:
        """Close this thread's connection; it opens again when the vault is used."""
        self._records.close()

    def seal(self, name: str, plaintext: bytes) -> None:
        """Keep a record; the same record may be sealed again, a different one under the same name not."""
        if not self._records.insert(name, plaintext) and self.open(name) != plaintext:
            raise VaultConflict(name)

    def open(self, name: str) -> bytes:
        """Return a record; raises VaultMissing, and Locked (VAULT-CHANGED) for one that was changed."""
        plaintext = self._records.open(name)
        if plaintext is None:
            raise VaultMissing(name)
        return plaintext

    def names(self) -> tuple[str, ...]:
        """List the names of all records, sorted."""
        return self._records.names()

    def commitment(self, salt: bytes, message: bytes) -> str:
        """Return the commitment to a message."""
        return commit(salt, message)
