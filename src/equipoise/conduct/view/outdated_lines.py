"""What a view lists of codings with an earlier version of a dictionary."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class OutdatedLine:
    """Words that are coded with an earlier version of a dictionary, and what became of their term.

    `change` is unchanged, moved, not_current or gone; `terms` name the hierarchy as it was coded, `terms_now`
    as it is in the version in use, empty where the term is gone.
    """

    participant: str
    form: str
    encounter: str
    row: int
    item: str
    verbatim: str
    version: str
    code: str
    terms: tuple[str, ...]
    terms_now: tuple[str, ...]
    change: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutdatedCodings:
    """All codings with earlier versions, and the hash by which `CarryOverCodings` says what was shown."""

    lines: tuple[OutdatedLine, ...]
    shown_hash: str
