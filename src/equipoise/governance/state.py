"""The state of the trial as a whole: its phase, its roles, its sites."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

from equipoise.governance.entries import RoleGranted, RoleRevoked, SiteActivated, SiteClosed, TrialOpened
from equipoise.ledger.entry import Entry
from equipoise.ledger.tables import Row, Tables


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRow(Row):
    """The trial; one row. `status` is open, locked or unblinded."""

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
class SiteRow(Row):
    """A site that was activated; `status` is active or closed."""

    table: ClassVar[str] = "site"
    key: ClassVar[tuple[str, ...]] = ("site",)

    site: str
    status: str
    approved_on: str


def trial_of(tables: Tables) -> TrialRow | None:
    """Return the trial, or None before it was opened."""
    return next(tables.all(TrialRow), None)


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
    tables.put(SiteRow(site=activated.site, status="active", approved_on=activated.approved_on))


def _apply_site_closed(tables: Tables, entry: Entry) -> None:
    row = tables.require(SiteRow, SiteClosed.of(entry).site)
    tables.put(replace(row, status="closed"))


def _apply_database_locked(tables: Tables, entry: Entry) -> None:
    for row in tables.all(TrialRow):
        tables.put(replace(row, status="locked", locked_at=entry.recorded_at, locked_position=entry.position))


def _apply_trial_unblinded(tables: Tables, entry: Entry) -> None:
    for row in tables.all(TrialRow):
        tables.put(replace(row, status="unblinded", unblinded_at=entry.recorded_at))


def _apply_nothing(tables: Tables, entry: Entry) -> None:
    """A publication is a fact of the ledger alone: no table follows from it."""


APPLY: dict[str, Callable[[Tables, Entry], None]] = {
    "TrialOpened": _apply_trial_opened,
    "RoleGranted": _apply_role_granted,
    "RoleRevoked": _apply_role_revoked,
    "SiteActivated": _apply_site_activated,
    "SiteClosed": _apply_site_closed,
    "DatabaseLocked": _apply_database_locked,
    "HeadPublished": _apply_nothing,
    # Written by another room, which reveals the allocations; here it ends the masking of the trial.
    "TrialUnblinded": _apply_trial_unblinded,
}
