"""Who the participants are: names and contacts, sealed, in a database of their own from which they can go.

The ledger has participant codes and says when an identity was registered or erased; this register has the
rest, and can be kept by a site without the trial. What is erased here is gone from the file; a backup of the
file has it still, sealed, until the backup or the key is destroyed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from equipoise.store import setup
from equipoise.store.sealed import SealedKind, SealedRecords, read_names
from equipoise.store.sealing import KeyKind

IDENTITIES_KEY = KeyKind(
    "IDENTITIES",
    "identities' key",
    "the register of identities was made with",
    file="identities.key",
    variable="EQUIPOISE_IDENTITIES_KEY",
)
IDENTITIES = SealedKind(
    "register of identities",
    "identities.sqlite",
    setup.IDENTITIES_APP,
    "sealed_identity",
    IDENTITIES_KEY,
    erasable=True,
)


@dataclass(frozen=True, slots=True)
class Identity:
    """A participant's name and how to reach them; neither shows when it is printed."""

    name: str = field(repr=False)
    contact: str = field(repr=False)


class IdentityTaken(Exception):
    """Another identity is already kept under this code; nothing was changed."""

    code = "IDENTITIES-TAKEN"

    def __init__(self, participant: str) -> None:
        self.sentence = f"An identity is already kept for {participant}. Erase it first."
        super().__init__(f"{self.code}: {self.sentence}")


class IdentityRegister:
    """Identities by participant code (see `SealedRecords`); only codes and their number show without the key.

    Who may register, read and erase is not decided here: see `equipoise.conduct.identities`.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        """Open a register; raises StoreUnreadable and Locked as `SealedRecords`."""
        self._records = SealedRecords(path, key, IDENTITIES)

    @classmethod
    def create(cls, path: Path, key: bytes) -> IdentityRegister:
        """Make a new register, readable by its owner only; raises StoreUnreadable as `TrialStore.create`."""
        SealedRecords.create(path, key, IDENTITIES)
        return cls(path, key)

    def close(self) -> None:
        """Close this thread's connection; it opens again when the register is used."""
        self._records.close()

    def record(self, participant: str, name: str, contact: str) -> None:
        """Keep an identity; the same may be recorded again, another under the same code is IdentityTaken."""
        plaintext = json.dumps({"name": name, "contact": contact}).encode()
        if not self._records.insert(participant, plaintext) and self._records.open(participant) != plaintext:
            raise IdentityTaken(participant)

    def read(self, participant: str) -> Identity | None:
        """Return an identity, or None; raises Locked (IDENTITIES-CHANGED) for one that was changed."""
        plaintext = self._records.open(participant)
        return None if plaintext is None else Identity(**json.loads(plaintext))

    def erase(self, participant: str) -> None:
        """Take an identity away for good; does nothing where there is none."""
        self._records.erase(participant)

    def codes(self) -> tuple[str, ...]:
        """List the codes of all whose identity is kept, sorted."""
        return self._records.names()


def read_codes(path: Path) -> tuple[str, ...]:
    """List the codes in a register without its key; raises StoreUnreadable as `SealedRecords`."""
    return read_names(path, IDENTITIES)
