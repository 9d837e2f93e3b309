"""What the ledger says of the trial as a whole."""

from __future__ import annotations

from dataclasses import dataclass

from equipoise.access.content import Audience, Content, entry_kind


@entry_kind(audience=Audience.TRIAL)
@dataclass(frozen=True, slots=True, kw_only=True)
class TrialOpened(Content):
    """The ledger of a study was opened; `definition` is the hash of the study definition."""

    study: str
    study_version: str
    definition: str
    mode: str


@entry_kind(audience=Audience.TRIAL)
@dataclass(frozen=True, slots=True, kw_only=True)
class RoleGranted(Content):
    """An account may act in a role; `site` is empty for a role across the trial."""

    account: str
    role: str
    site: str


@entry_kind(audience=Audience.TRIAL)
@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRevoked(Content):
    """An account may no longer act in a role."""

    account: str
    role: str
    site: str


@entry_kind(audience=Audience.TRIAL)
@dataclass(frozen=True, slots=True, kw_only=True)
class SiteActivated(Content):
    """The trial was released to a site, whose approval is of the day given."""

    site: str
    approved_on: str


@entry_kind(audience=Audience.TRIAL)
@dataclass(frozen=True, slots=True, kw_only=True)
class StudyAmended(Content):
    """The study has a new version: the definition with the hash `definition`, which is `canonical`.

    It `amends` the definition with that hash.
    """

    study: str
    study_version: str
    title: str
    definition: str
    amends: str
    substantial: bool
    reconsent: bool
    canonical: str


@entry_kind(audience=Audience.TRIAL)
@dataclass(frozen=True, slots=True, kw_only=True)
class VersionActivated(Content):
    """A version of the study was released to a site, whose approval of it is of the day given."""

    site: str
    study_version: str
    definition: str
    approved_on: str


@entry_kind(audience=Audience.TRIAL)
@dataclass(frozen=True, slots=True, kw_only=True)
class SiteClosed(Content):
    """A site no longer enrols."""

    site: str


@entry_kind(audience=Audience.TRIAL)
@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseLocked(Content):
    """The data were closed for good."""

    study: str


@entry_kind(audience=Audience.TRIAL, texts=("destination",))
@dataclass(frozen=True, slots=True, kw_only=True)
class HeadPublished(Content):
    """The head of the chain, as it stood before this entry, was given to somebody outside."""

    destination: str


@entry_kind(audience=Audience.TRIAL)
@dataclass(frozen=True, slots=True, kw_only=True)
class TextBlotted(Content):
    """A passage of the text at `path` of the entry at `position` was blotted out; of whom it was is told.

    `was` and `now` are the SHA-256 of that entry's body before and after. To whom the text is not shown, it
    is not shown that it was blotted out.
    """

    position: int
    path: str
    participant: str | None
    was: str
    now: str


@entry_kind(audience=Audience.PRODUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class UnmaskingTextBlotted(TextBlotted):
    """A passage of a text that masked roles do not see was blotted out."""


@entry_kind(audience=Audience.TRIAL)
@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRecorded(Content):
    """Somebody reviewed who may come in, or something else without seeing the course of any participant.

    `reviewed` is audit_trail, access or data; `site` and `participant` are empty for all that the reviewer
    sees. `reviewed_through` is a ledger position, `narrowed` the filter of the page, empty for none.
    """

    reviewed: str
    site: str
    participant: str | None
    reviewed_through: int
    narrowed: str
    findings: str
    next_due: str | None


@entry_kind(audience=Audience.CONDUCT)
@dataclass(frozen=True, slots=True, kw_only=True)
class CourseReviewRecorded(ReviewRecorded):
    """Somebody reviewed the audit trail or data who sees the course of participants, but no arm."""


@entry_kind(audience=Audience.UNMASKED)
@dataclass(frozen=True, slots=True, kw_only=True)
class UnmaskingReviewRecorded(ReviewRecorded):
    """Somebody who sees the arms reviewed something: their words are for those who see them, too."""
