"""The state of the trial as a whole: its phase, its roles, its sites."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from equipoise.governance.entries import (
    RoleGranted,
    RoleRevoked,
    SiteActivated,
    SiteClosed,
    StudyAmended,
    TextBlotted,
    TrialOpened,
    VersionActivated,
)
from equipoise.ledger.entry import Entry
from equipoise.ledger.tables import Row, Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow(Row):
    """The trial; one row. `definition` is the hash of its latest; `status` is open, locked or unblinded."""

    table: ClassVar[str] = "trial"
    key: ClassVar[tuple[str, ...]] = ("study",)

    study: str
    definition: str
    mode: str
    status: str
    opened_at: str
    locked_at: str | None = None
    locked_position: int | None = None
    unblinded_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRow(Row):
    """A role that an account holds or held; `site` is empty for a role across the trial."""

    table: ClassVar[str] = "role_grant"
    key: ClassVar[tuple[str, ...]] = ("account", "role", "site")

    account: str
    role: str
    site: str
    granted_at: str
    revoked_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow(Row):
    """A version of the study, numbered from 1, the one that the trial was opened under."""

    table: ClassVar[str] = "study_version"
    key: ClassVar[tuple[str, ...]] = ("definition",)
    unique: ClassVar[tuple[tuple[str, ...], ...]] = (("number",), ("study_version",))

    definition: str
    number: int
    study_version: str
    title: str
    substantial: bool
    reconsent: bool
    recorded_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteVersionRow(Row):
    """A version that holds, or held, at a site; without `approved_on` it needed no approval."""

    table: ClassVar[str] = "site_version"
    key: ClassVar[tuple[str, ...]] = ("site", "number")

    site: str
    number: int
    approved_on: str | None
    recorded_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow(Row):
    """A site that was activated; `definition` is the hash of what holds there, `status` active or closed."""

    table: ClassVar[str] = "site"
    key: ClassVar[tuple[str, ...]] = ("site",)

    site: str
    status: str
    approved_on: str
    definition: str


def trial_of(tables: Tables) -> TrialRow | None:
    """Return the trial, or None before it was opened."""
    return next(tables.all(TrialRow), None)


def is_unblinded(tables: Tables) -> bool:
    """Tell whether the allocations were revealed after the lock."""
    trial = trial_of(tables)
    return trial is not None and trial.status == "unblinded"


def versions_of(tables: Tables) -> list[VersionRow]:
    """Return the versions of the study, the first of them first."""
    return sorted(tables.all(VersionRow), key=lambda row: row.number)


def _apply_trial_opened(tables: Tables, entry: Entry) -> None:
    opened = TrialOpened.of(entry)
    tables.put(
        TrialRow(
            study=opened.study,
            definition=opened.definition,
            mode=opened.mode,
            status="open",
            opened_at=entry.recorded_at,
        )
    )
    tables.put(
        VersionRow(
            definition=opened.definition,
            number=1,
            study_version=opened.study_version,
            title="",
            substantial=True,
            reconsent=False,
            recorded_at=entry.recorded_at,
        )
    )


def _apply_role_granted(tables: Tables, entry: Entry) -> None:
    granted = RoleGranted.of(entry)
    tables.put(
        GrantRow(account=granted.account, role=granted.role, site=granted.site, granted_at=entry.recorded_at)
    )


def _apply_role_revoked(tables: Tables, entry: Entry) -> None:
    revoked = RoleRevoked.of(entry)
    row = tables.require(GrantRow, revoked.account, revoked.role, revoked.site)
    tables.put(replace(row, revoked_at=entry.recorded_at))


def _apply_site_activated(tables: Tables, entry: Entry) -> None:
    activated = SiteActivated.of(entry)
    latest = versions_of(tables)[-1]
    tables.put(
        SiteRow(
            site=activated.site,
            status="active",
            approved_on=activated.approved_on,
            definition=latest.definition,
        )
    )
    _note(tables, activated.site, latest, activated.approved_on, entry)


def _apply_study_amended(tables: Tables, entry: Entry) -> None:
    amended = StudyAmended.of(entry)
    version = VersionRow(
        definition=amended.definition,
        number=versions_of(tables)[-1].number + 1,
        study_version=amended.study_version,
        title=amended.title,
        substantial=amended.substantial,
        reconsent=amended.reconsent,
        recorded_at=entry.recorded_at,
    )
    tables.put(version)
    for trial in tables.all(TrialRow):
        tables.put(replace(trial, definition=amended.definition))
    for site in tables.all(SiteRow):
        _go_on(tables, site, entry)


def _apply_version_activated(tables: Tables, entry: Entry) -> None:
    activated = VersionActivated.of(entry)
    version = tables.require(VersionRow, activated.definition)
    site = replace(tables.require(SiteRow, activated.site), definition=activated.definition)
    tables.put(site)
    _note(tables, activated.site, version, activated.approved_on, entry)
    _go_on(tables, site, entry)


def _go_on(tables: Tables, site: SiteRow, entry: Entry) -> None:
    """Let the versions hold at a site that follow on the one it has and need no approval."""
    held = tables.require(VersionRow, site.definition).number
    for version in versions_of(tables)[held:]:
        if version.substantial:
            return
        tables.put(replace(site, definition=version.definition))
        _note(tables, site.site, version, None, entry)


def _note(tables: Tables, site: str, version: VersionRow, approved_on: str | None, entry: Entry) -> None:
    tables.put(
        SiteVersionRow(
            site=site, number=version.number, approved_on=approved_on, recorded_at=entry.recorded_at
        )
    )


def _apply_site_closed(tables: Tables, entry: Entry) -> None:
    row = tables.require(SiteRow, SiteClosed.of(entry).site)
    tables.put(replace(row, status="closed"))


def _apply_database_locked(tables: Tables, entry: Entry) -> None:
    for row in tables.all(TrialRow):
        tables.put(replace(row, status="locked", locked_at=entry.recorded_at, locked_position=entry.position))


def _apply_trial_unblinded(tables: Tables, entry: Entry) -> None:
    for row in tables.all(TrialRow):
        tables.put(replace(row, status="unblinded", unblinded_at=entry.recorded_at))


def _apply_text_blotted(tables: Tables, entry: Entry) -> None:
    """No table follows from it: what was blotted out is gone from the entry that it names."""
    TextBlotted.of(entry)


def _apply_nothing(tables: Tables, entry: Entry) -> None:
    """A publication, or a review, is a fact of the ledger alone: no table follows from it."""


APPLY: dict[str, Callable[[Tables, Entry], None]] = {
    "TrialOpened": _apply_trial_opened,
    "RoleGranted": _apply_role_granted,
    "RoleRevoked": _apply_role_revoked,
    "SiteActivated": _apply_site_activated,
    "StudyAmended": _apply_study_amended,
    "VersionActivated": _apply_version_activated,
    "SiteClosed": _apply_site_closed,
    "DatabaseLocked": _apply_database_locked,
    "HeadPublished": _apply_nothing,
    "TextBlotted": _apply_text_blotted,
    "UnmaskingTextBlotted": _apply_text_blotted,
    "ReviewRecorded": _apply_nothing,
    "CourseReviewRecorded": _apply_nothing,
    "UnmaskingReviewRecorded": _apply_nothing,
    # Written by another room, which reveals the allocations; here it ends the masking of the trial.
    "TrialUnblinded": _apply_trial_unblinded,
}
