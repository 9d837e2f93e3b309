"""What can be asked for in the running of the trial as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from equipoise.access.command import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTrial(Command):
    """Open the ledger of a study: the first command of every trial."""

    mode: Literal["live", "rehearsal"]
    administrator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRole(Command):
    """Let an account act in a role, at one site or across the trial."""

    account: str
    role: str
    site: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeRole(Command):
    """End an account's role."""

    account: str
    role: str
    site: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivateSite(Command):
    """Release the trial to a site whose approvals are there."""

    site: str
    approved_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendStudy(Command):
    """Bring in a new version of the study definition, as canonical JSON.

    A `substantial` one holds at a site once its approvals are there, any other at once. `reconsent` says
    that who takes part must consent anew.
    """

    title: str
    canonical: str
    substantial: bool
    reconsent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivateVersion(Command):
    """Release a version of the study to a site whose approvals of it are there."""

    site: str
    study_version: str
    approved_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseSite(Command):
    """Stop a site from enrolling; those enrolled go on."""

    site: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LockDatabase(Command):
    """Close the data for good, so that the analysis can begin; nothing may be unfinished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlotText(Command):
    """Blot a passage of free text out of the entry at a position: the name of a person. Needs a reason.

    `path` says which text of the entry. `words` are the numbers of its words, counted from 1 and parted by
    commas, or `all`. The same text in other entries about the same participant is blotted out with it.
    """

    position: int
    path: str
    words: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishHead(Command):
    """Put on record that the head of the chain was given to somebody outside."""

    destination: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordReview(Command):
    """Put on record that the audit trail, the access of people or data were reviewed, and what was found.

    Without `site` and `participant` it is of all that the reviewer sees. `reviewed_through` is the ledger
    position up to which entries were reviewed, `narrowed` the filter under which the audit trail was read, as
    in the address of its page. `next_due` is the day by which it is to be done again.
    """

    reviewed: Literal["audit_trail", "access", "data"]
    site: str | None = None
    participant: str | None = None
    reviewed_through: int
    narrowed: str | None = None
    findings: str
    next_due: date | None = None
