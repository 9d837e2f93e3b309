"""The one place where the time of day is read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns an aware UTC time."""


def read_system_clock() -> datetime:
    """Return the machine's time in UTC."""
    return datetime.now(UTC)
