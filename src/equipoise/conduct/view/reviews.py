"""Reviews of the audit trail, of access and of data that are on record (ICH E6(R3) 4.2.3, 4.3.8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from equipoise.access.content import Audience
from equipoise.conduct.trail import AuditLine
from equipoise.conduct.view.scope import Scope

ReviewState = Literal["overdue", "planned", "done"]

_REVIEWS = ("ReviewRecorded", "CourseReviewRecorded", "UnmaskingReviewRecorded")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewLine:
    """A review: who, when, of what, and what was found; `position` is that of its entry.

    It is of the entries from `first` to `last`, where `first` follows on the last review of the same:
    what was reviewed, at which site or of whom, and under which filter (`narrowed`). `state` is done for one
    that was followed by another or that names no day, else planned or overdue by `next_due`.
    """

    position: int
    recorded_at: str
    account: str
    role: str
    reviewed: str
    site: str | None
    participant: str | None
    narrowed: str
    first: int
    last: int
    findings: str
    next_due: date | None
    state: ReviewState


def list_reviews(scope: Scope, today: date) -> tuple[ReviewLine, ...]:
    """List the reviews that the viewer may read of, the latest first."""
    scope.need(Audience.TRIAL)
    found = []
    # The trail is gone through once, backwards: what comes first of the same is its latest review.
    lines = [line for line in scope.trail.of_kind(*_REVIEWS) if scope.sees_line(line)]
    before = _reviewed_before(lines)
    latest: set[tuple[Any, ...]] = set()
    for line in reversed(lines):
        subject = _subject(line)
        found.append(_review_line(line, before[line.position], today, is_latest=subject not in latest))
        latest.add(subject)
    return tuple(found)


def _subject(line: AuditLine) -> tuple[Any, ...]:
    return tuple(line.content[name] for name in ("reviewed", "site", "participant", "narrowed"))


def _last(line: AuditLine) -> int:
    # Nobody has reviewed what was not recorded yet.
    return min(int(line.content["reviewed_through"]), line.position - 1)


def _reviewed_before(lines: list[AuditLine]) -> Mapping[int, int]:
    """Up to where the same had been reviewed before each review; 0 where it had not."""
    known: dict[tuple[Any, ...], int] = {}
    before = {}
    for line in lines:
        before[line.position] = known.get(_subject(line), 0)
        known[_subject(line)] = _last(line)
    return before


def _review_line(line: AuditLine, before: int, today: date, *, is_latest: bool) -> ReviewLine:
    said = line.content
    next_due = date.fromisoformat(said["next_due"]) if said["next_due"] else None
    state: ReviewState = "done"
    if is_latest and next_due is not None:
        state = "overdue" if next_due < today else "planned"
    last = _last(line)
    return ReviewLine(
        position=line.position,
        recorded_at=line.recorded_at,
        account=line.account,
        role=line.role,
        reviewed=said["reviewed"],
        site=said["site"] or None,
        participant=said["participant"],
        narrowed=said["narrowed"],
        first=min(before + 1, last),
        last=last,
        findings=said["findings"],
        next_due=next_due,
        state=state,
    )
