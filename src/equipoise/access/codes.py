"""Random codes for randomisation numbers, scans, reading tasks, lots and units."""

from __future__ import annotations

from collections.abc import Callable

from equipoise.access.command import Entropy

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Base 32 without I, L, O and U, which are misread or spell words (Crockford's alphabet)."""


def random_code(entropy: Entropy, prefix: str, is_taken: Callable[[str], bool]) -> str:
    """Return a code that nobody has, such as L-7K2M9QXD: it says nothing about order, person or arm."""
    while True:
        number = int.from_bytes(entropy.token(5), "big")
        code = f"{prefix}-" + "".join(_LETTERS[number >> shift & 31] for shift in range(35, -1, -5))
        if not is_taken(code):
            return code
