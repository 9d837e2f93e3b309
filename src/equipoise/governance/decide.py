"""What is decided about the trial as a whole, from its own rows and the study definition."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from equipoise.access.command import Command, Moment
from equipoise.access.content import Audience
from equipoise.access.filling import check_day, check_text
from equipoise.access.refusal import Refusal
from equipoise.access.visibility import viewer_of
from equipoise.definition.amendments import compare_versions
from equipoise.definition.lint import lint
from equipoise.definition.lock import LockInvalid, canonical_json, definition_from_json
from equipoise.definition.model.definition import StudyDefinition
from equipoise.governance.commands import (
    ActivateSite,
    ActivateVersion,
    AmendStudy,
    CloseSite,
    GrantRole,
    LockDatabase,
    OpenTrial,
    PublishHead,
    RecordReview,
    RevokeRole,
)
from equipoise.governance.entries import (
    CourseReviewRecorded,
    DatabaseLocked,
    HeadPublished,
    ReviewRecorded,
    RoleGranted,
    RoleRevoked,
    SiteActivated,
    SiteClosed,
    StudyAmended,
    TrialOpened,
    UnmaskingReviewRecorded,
    VersionActivated,
)
from equipoise.governance.state import GrantRow, SiteRow, VersionRow, trial_of, versions_of
from equipoise.ledger.entry import Draft

Decision = tuple[Draft, ...] | Refusal

_DETAILS_MAX = 20
_NOT_OPEN = Refusal("GOV-NOT-OPEN", "The trial has not been opened.", "Open it first.")


def decide_open_trial(command: OpenTrial, moment: Moment) -> Decision:
    """Open the trial and grant its first administrator."""
    if trial_of(moment.tables) is not None:
        return Refusal("GOV-OPEN", "The trial is already open.", "Go on with it, or start another ledger.")
    study = moment.definition.study
    administrator = next((role for role in study.roles if role.kind == "administrator"), None)
    if administrator is None:
        return Refusal(
            "GOV-ADMINISTRATOR",
            "The study definition has no role of the kind administrator, so nobody could grant roles.",
            "Add one to study.yaml.",
        )
    refusal = check_text(command.administrator, "administrator", "GOV")
    if refusal is not None:
        return refusal
    opened = TrialOpened(
        study=study.id, study_version=study.version, definition=moment.definition.hash, mode=command.mode
    )
    granted = RoleGranted(account=command.administrator.strip(), role=administrator.id, site="")
    return opened.draft(), granted.draft()


def decide_grant_role(command: GrantRole, moment: Moment) -> Decision:
    """Grant a role that exists, with a site exactly when the role is one of a site."""
    refusal = check_open(moment) or check_text(command.account, "account", "GOV")
    refusal = refusal or check_role(command, moment) or check_not_held(command, moment)
    if refusal is not None:
        return refusal
    granted = RoleGranted(account=command.account.strip(), role=command.role, site=command.site or "")
    return (granted.draft(),)


def decide_revoke_role(command: RevokeRole, moment: Moment) -> Decision:
    """Revoke a role that is held, unless nobody would be left to grant roles."""
    row = moment.tables.get(GrantRow, command.account, command.role, command.site or "")
    if row is None or row.revoked_at is not None:
        return Refusal(
            "GOV-NOT-HELD",
            f"The account does not hold the role {command.role}{_at(command.site)}.",
            "Check account, role and site.",
        )
    refusal = check_administrator_left(command, moment)
    if refusal is not None:
        return refusal
    return (RoleRevoked(account=row.account, role=row.role, site=row.site).draft(),)


def decide_activate_site(command: ActivateSite, moment: Moment) -> Decision:
    """Activate a site of the definition once its approval is there."""
    refusal = check_open(moment) or check_site(command.site, moment)
    if refusal is not None:
        return refusal
    row = moment.tables.get(SiteRow, command.site)
    if row is not None:
        return Refusal(
            "GOV-SITE-STATE", f"The site {command.site} was already activated.", "Nothing needs to be done."
        )
    refusal = check_day(moment, command.site, command.approved_on, "GOV")
    if refusal is not None:
        return refusal
    approved_on = command.approved_on.isoformat()
    return (SiteActivated(site=command.site, approved_on=approved_on).draft(clinical_time=approved_on),)


def decide_amend_study(command: AmendStudy, moment: Moment) -> Decision:
    """Bring in a version that leaves all that was recorded readable, as it was meant."""
    refusal = check_open(moment) or check_text(command.title, "title", "GOV")
    if refusal is not None:
        return refusal
    content = command.canonical.strip().encode()
    try:
        amended = definition_from_json(content)
    except LockInvalid:
        amended = None
    if amended is None or canonical_json(amended) != content:
        return Refusal(
            "GOV-AMEND-FORM",
            "What was sent is not the canonical form of a study definition.",
            "Write it with equipoise lock, and send study.lock as it is.",
        )
    known = [each.study_version for each in versions_of(moment.tables)]
    refusal = check_amendment(amended, moment.definition, known)
    if refusal is not None:
        return refusal
    entry = StudyAmended(
        study=amended.study.id,
        study_version=amended.study.version,
        title=command.title.strip(),
        definition=amended.hash,
        amends=moment.definition.hash,
        substantial=command.substantial,
        reconsent=command.reconsent,
        canonical=content.decode(),
    )
    return (entry.draft(),)


def decide_activate_version(command: ActivateVersion, moment: Moment) -> Decision:
    """Release a version to an active site that works under an earlier one."""
    refusal = check_open(moment) or check_site(command.site, moment)
    if refusal is not None:
        return refusal
    site = moment.tables.get(SiteRow, command.site)
    if site is None:
        return Refusal(
            "GOV-SITE-STATE",
            f"The site {command.site} is not activated.",
            "Activate it: it begins with the latest version.",
        )
    found = moment.tables.where(VersionRow, study_version=command.study_version)
    held = moment.tables.require(VersionRow, site.definition)
    if not found or found[0].number <= held.number:
        later = [each.study_version for each in versions_of(moment.tables) if each.number > held.number]
        return Refusal(
            "GOV-VERSION",
            f"Version {command.study_version} is none that follows on {held.study_version}, which holds at"
            f" {command.site}.",
            f"Choose one of {', '.join(later)}." if later else "Nothing needs to be done.",
        )
    refusal = check_day(moment, command.site, command.approved_on, "GOV")
    if refusal is not None:
        return refusal
    approved_on = command.approved_on.isoformat()
    entry = VersionActivated(
        site=command.site,
        study_version=found[0].study_version,
        definition=found[0].definition,
        approved_on=approved_on,
    )
    return (entry.draft(clinical_time=approved_on),)


def decide_close_site(command: CloseSite, moment: Moment) -> Decision:
    """Close an active site."""
    row = moment.tables.get(SiteRow, command.site)
    if row is None or row.status != "active":
        return Refusal("GOV-SITE-STATE", f"The site {command.site} is not active.", "Check the site.")
    return (SiteClosed(site=command.site).draft(),)


def decide_lock_database(command: LockDatabase, moment: Moment) -> Decision:
    """Lock an open trial."""
    trial = trial_of(moment.tables)
    if trial is None:
        return _NOT_OPEN
    if trial.status != "open":
        return Refusal("GOV-LOCKED", "The database is already locked.", "Nothing needs to be done.")
    return (DatabaseLocked(study=trial.study).draft(),)


def decide_publish_head(command: PublishHead, moment: Moment) -> Decision:
    """Record to whom the head of the chain was given."""
    refusal = check_open(moment) or check_text(command.destination, "destination", "GOV")
    if refusal is not None:
        return refusal
    return (HeadPublished(destination=command.destination.strip()).draft(),)


def decide_record_review(command: RecordReview, moment: Moment) -> Decision:
    """Record what was reviewed and found; the words are for those who see as much as who wrote them."""
    refusal = check_open(moment) or check_text(command.findings, "findings", "GOV")
    refusal = refusal or (check_site(command.site, moment) if command.site else None)
    refusal = refusal or check_next_due(command, moment)
    if refusal is not None:
        return refusal
    own_site = command.participant.split("-")[0] if command.participant else command.site
    reviewed = _review_kind(command, moment)(
        reviewed=command.reviewed,
        site=own_site or moment.actor.site or "",
        participant=command.participant,
        reviewed_through=command.reviewed_through,
        narrowed=(command.narrowed or "").strip(),
        findings=command.findings.strip(),
        next_due=command.next_due.isoformat() if command.next_due else None,
    )
    return (reviewed.draft(),)


def _review_kind(command: RecordReview, moment: Moment) -> type[ReviewRecorded]:
    audiences = viewer_of(moment.definition, moment.actor, unblinded=False).audiences
    if Audience.UNMASKED in audiences:
        return UnmaskingReviewRecorded
    # Who may come in concerns whoever grants roles, also those who see no course.
    if command.reviewed == "access" or Audience.CONDUCT not in audiences:
        return ReviewRecorded
    return CourseReviewRecorded


def check_next_due(command: RecordReview, moment: Moment) -> Refusal | None:
    """What is to be done again is to be done on a day to come."""
    if command.next_due is None or command.next_due > moment.now.date():
        return None
    return Refusal(
        "GOV-NEXT-DUE", f"The next review is due on {command.next_due}, which is over.", "Name a day to come."
    )


def check_open(moment: Moment) -> Refusal | None:
    """The trial must have been opened."""
    return _NOT_OPEN if trial_of(moment.tables) is None else None


def check_amendment(
    amended: StudyDefinition, present: StudyDefinition, known: Collection[str]
) -> Refusal | None:
    """A version has a number that none of the known has, is without faults, and takes nothing from what was
    recorded under those before it.
    """
    if amended.study.version in known:
        return Refusal(
            "GOV-AMEND-VERSION",
            f"There is a version {amended.study.version} of the study already.",
            "Raise version in study.yaml.",
        )
    faults = [problem for problem in lint(amended) if problem.severity == "error"]
    if faults:
        return Refusal(
            "GOV-AMEND-FAULTS",
            f"The study definition has {len(faults)} faults.",
            "Run equipoise check on the study folder.",
            tuple(f"{each.file}: {each.code}: {each.sentence}" for each in faults[:_DETAILS_MAX]),
        )
    changes = compare_versions(present, amended)
    obstacles = [each for each in changes if each.obstacle is not None]
    if obstacles:
        return Refusal(
            "GOV-AMEND-OBSTACLE",
            f"A trial under way cannot take {len(obstacles)} of the changes.",
            "Mend the study folder as each of them says.",
            tuple(
                f"{each.obstacle}: {'/'.join(each.place)} ({each.what}). {each.remedy}"
                for each in obstacles[:_DETAILS_MAX]
            ),
        )
    if all(each.place == ("study", "version") for each in changes):
        return Refusal(
            "GOV-AMEND-NOTHING", "But for its number, the version is the one before.", "Check the folder."
        )
    return None


def check_role(command: GrantRole, moment: Moment) -> Refusal | None:
    """The role and its site must be in the definition and fit together."""
    role = moment.definition.role(command.role)
    if role is None:
        known = ", ".join(each.id for each in moment.definition.study.roles)
        return Refusal(
            "GOV-UNKNOWN-ROLE", f"The study has no role {command.role}.", f"Choose one of {known}."
        )
    if role.scope == "trial" and command.site is not None:
        return Refusal(
            "GOV-SCOPE", f"The role {role.id} spans the trial and has no site.", "Grant it without a site."
        )
    if role.scope == "site":
        if command.site is None:
            return Refusal("GOV-SCOPE", f"The role {role.id} is held at a site.", "Name the site.")
        return check_site(command.site, moment)
    return None


def check_site(site: str, moment: Moment) -> Refusal | None:
    """The site must be in the definition."""
    if moment.definition.site(site) is not None:
        return None
    return Refusal("GOV-UNKNOWN-SITE", f"The study has no site {site}.", "Check the site's code.")


def check_not_held(command: GrantRole, moment: Moment) -> Refusal | None:
    """A role is granted once."""
    row = moment.tables.get(GrantRow, command.account.strip(), command.role, command.site or "")
    if row is None or row.revoked_at is not None:
        return None
    return Refusal(
        "GOV-HELD",
        f"The account already holds the role {command.role}{_at(command.site)}.",
        "Nothing needs to be done.",
    )


def check_administrator_left(command: RevokeRole, moment: Moment) -> Refusal | None:
    """Somebody must be left who can grant roles."""
    kinds = {role.id: role.kind for role in moment.definition.study.roles}
    if kinds.get(command.role) != "administrator":
        return None
    held = [
        row
        for row in moment.tables.all(GrantRow)
        if row.revoked_at is None and kinds.get(row.role) == "administrator"
    ]
    if len(held) > 1:
        return None
    return Refusal(
        "GOV-LAST-ADMINISTRATOR",
        "This is the last administrator of the trial.",
        "Grant the role to somebody else first.",
    )


def _at(site: str | None) -> str:
    return "" if site is None else f" at {site}"


DECIDE: dict[type[Command], Callable[[Any, Moment], Decision]] = {
    OpenTrial: decide_open_trial,
    GrantRole: decide_grant_role,
    RevokeRole: decide_revoke_role,
    ActivateSite: decide_activate_site,
    AmendStudy: decide_amend_study,
    ActivateVersion: decide_activate_version,
    CloseSite: decide_close_site,
    LockDatabase: decide_lock_database,
    PublishHead: decide_publish_head,
    RecordReview: decide_record_review,
}
