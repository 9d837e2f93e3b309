"""Receipts: what was sent was recorded, so that the same, sent again, is not recorded again.

A receipt stands beside the chain, written in the transaction of the entries that it is for: there is no
moment at which one is there without the other. It is no part of the trial's record, and goes when it is old.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from equipoise.ledger.canonical import canonical_json
from equipoise.ledger.entry import Head, utc_text

RECEIPT_DAYS_MAX = 30
"""How long a receipt is kept at least."""

_PRUNED_EVERY = 1000


@dataclass(frozen=True, slots=True)
class Sending:
    """One form or command that is sent, perhaps more than once.

    `key` says which it is, `said` what goes with it; each is a SHA-256 in hexadecimal, from which nothing
    can be read back without what the sender alone knows.
    """

    key: str
    said: str

    @classmethod
    def of(cls, name: tuple[str, ...], said: tuple[str, ...]) -> Sending:
        """Return the sending of a name, which only its sender knows, and of what goes with it."""
        return cls(_digest("key", *name), _digest("said", *name, *said))


@dataclass(frozen=True, slots=True)
class Receipt:
    """That a sending was recorded: so many `entries` from `position` on, at a time in UTC."""

    sending: Sending
    position: int
    entries: int
    recorded_at: str


class SentBefore(Exception):
    """What was sent had been recorded, or something else under the same key; nothing was recorded now."""

    def __init__(self, receipt: Receipt) -> None:
        self.receipt = receipt
        super().__init__("It was sent before.")


def pruned_before(receipt: Receipt, before: Head, after: Head) -> str | None:
    """Return the time before which receipts go with an append that leaves one; None with most appends."""
    if before.position // _PRUNED_EVERY == after.position // _PRUNED_EVERY:
        return None
    return utc_text(datetime.fromisoformat(receipt.recorded_at) - timedelta(days=RECEIPT_DAYS_MAX))


def _digest(*parts: str) -> str:
    return sha256(canonical_json(list(parts))).hexdigest()
