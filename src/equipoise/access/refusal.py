"""Refusals: what was not done, why, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Refusal:
    """A typed 'no'. `code` is stable; `sentence` says what and why; `remedy` says what next.

    `details` are machine-readable, such as the items of a form at fault; they obey the same masking as
    everything.
    """

    code: str
    sentence: str
    remedy: str
    details: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence} {self.remedy}"


class Refused(Exception):
    """Raised where a caller asked for a refusal to be an exception."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal
