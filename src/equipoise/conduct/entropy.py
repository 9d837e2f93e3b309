"""The one place where unpredictable bytes come from."""

from __future__ import annotations

import hmac
import secrets
from hashlib import sha256


class SystemEntropy:
    """The operating system's cryptographic source."""

    def token(self, size: int) -> bytes:
        """Return `size` unpredictable bytes."""
        return secrets.token_bytes(size)


class SeededEntropy:
    """A reproducible stream for rehearsals: HMAC-SHA-256 in counter mode; never for a live trial."""

    def __init__(self, seed: int | str) -> None:
        self._key = sha256(f"equipoise rehearsal {seed}".encode()).digest()
        self._counter = 0

    def token(self, size: int) -> bytes:
        """Return the next `size` bytes of the stream."""
        taken = bytearray()
        while len(taken) < size:
            taken += hmac.digest(self._key, self._counter.to_bytes(8, "big"), "sha256")
            self._counter += 1
        return bytes(taken[:size])
