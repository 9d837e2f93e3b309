"""What the ledger says of adverse events beyond their form: judgements and reporting clocks."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.access.content import Audience, Content, entry_kind


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class AdverseEventJudged(Content):
    """What the recorded answers make of an event; what they leave open counts as the cautious side.

    `aware_at` is the moment from which its clocks run, UTC, or None when it is not recorded.
    """

    participant: str
    row: int
    serious: bool
    related: bool
    unexpected: bool
    aware_at: str | None


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class AdverseEventStruckOut(Content):
    """The row of an event was struck out: there is no such event."""

    participant: str
    row: int


@entry_kind(audience=Audience.CONDUCT, texts=("text",))
@dataclass(frozen=True, slots=True, kw_only=True)
class AdverseEventAssessed(Content):
    """The sponsor gave an assessment of its own."""

    participant: str
    row: int
    related: bool
    expected: bool
    text: str


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyClockStarted(Content):
    """A deadline runs; also when its start was corrected. Times are UTC."""

    participant: str
    row: int
    clock: str
    started_at: str
    due_at: str


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyClockStopped(Content):
    """A deadline no longer runs, because a correction made its condition untrue."""

    participant: str
    row: int
    clock: str


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyReportSubmitted(Content):
    """A report that a clock asked for was sent; `late` if after its deadline."""

    participant: str
    row: int
    clock: str
    submitted_at: str
    late: bool
