"""The ledger: entries, their hash chain, the tables they lead to, and what every ledger offers."""

from equipoise.ledger.canonical import JSON, CanonicalError, canonical_json
from equipoise.ledger.chain import (
    AppendRefused,
    ChainProblem,
    ChainReport,
    StoredRecord,
    check_append,
    check_chain,
    check_published_head,
    find_head,
    verify_chain,
)
from equipoise.ledger.entry import (
    GENESIS,
    Draft,
    Entry,
    EntryInvalid,
    Head,
    LedgerCorrupt,
    Stamp,
    is_utc_time,
    seal,
    utc_text,
)
from equipoise.ledger.memory import MemoryLedger
from equipoise.ledger.protocol import Ledger, LedgerMisused, LedgerTransaction, StoreUnavailable
from equipoise.ledger.receipts import RECEIPT_DAYS_MAX, Receipt, Sending, SentBefore
from equipoise.ledger.tables import (
    Change,
    ConstraintViolated,
    MissingRow,
    Row,
    RowTypeInvalid,
    Tables,
    TablesMisused,
)

__all__ = [
    "GENESIS",
    "JSON",
    "RECEIPT_DAYS_MAX",
    "AppendRefused",
    "CanonicalError",
    "ChainProblem",
    "ChainReport",
    "Change",
    "ConstraintViolated",
    "Draft",
    "Entry",
    "EntryInvalid",
    "Head",
    "Ledger",
    "LedgerCorrupt",
    "LedgerMisused",
    "LedgerTransaction",
    "MemoryLedger",
    "MissingRow",
    "Receipt",
    "Row",
    "RowTypeInvalid",
    "Sending",
    "SentBefore",
    "Stamp",
    "StoreUnavailable",
    "StoredRecord",
    "Tables",
    "TablesMisused",
    "canonical_json",
    "check_append",
    "check_chain",
    "check_published_head",
    "find_head",
    "is_utc_time",
    "seal",
    "utc_text",
    "verify_chain",
]
