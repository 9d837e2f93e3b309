"""Who acts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """An account acting in one of its roles; `site` is None for a role that spans the trial."""

    account: str
    role: str
    site: str | None = None


SYSTEM = Actor(account="system", role="system")
"""The one actor that is no person: it opens a trial and grants its first administrator."""
