"""The trial as a whole: its sites and how they recruit, who holds which role, and what the lock waits for."""

from __future__ import annotations

from dataclasses import replace

from equipoise.access.content import Audience
from equipoise.access.permissions import permitted_commands
from equipoise.allocation.state import AllocationRow
from equipoise.conduct.readiness import OpenMatter, open_matters
from equipoise.conduct.trail import AuditLine
from equipoise.conduct.view.lines import (
    GrantLine,
    MilestoneLine,
    ReconsentLine,
    RecruitmentLine,
    SiteLine,
    SiteRecruitmentLine,
    SiteStatusLine,
    VersionLine,
)
from equipoise.conduct.view.scope import Scope
from equipoise.definition.amendments import Change
from equipoise.definition.model.study import Site
from equipoise.enrolment.commands import RenewConsent
from equipoise.enrolment.state import TRANSITIONS, ParticipantRow, state_of
from equipoise.governance.state import SiteRow, VersionRow, versions_of
from equipoise.ledger.entry import Head
from equipoise.ledger.protocol import Ledger


def list_sites(scope: Scope) -> tuple[SiteLine, ...]:
    """Count recruitment for each activated site; only the viewer's own when they belong to one."""
    scope.need(Audience.TRIAL)
    return tuple(_site_line(scope, row) for row in scope.tables.all(SiteRow) if scope.sees_site(row.site))


def _site_line(scope: Scope, row: SiteRow) -> SiteLine:
    people = scope.tables.where(ParticipantRow, site=row.site)
    states = [person.status for person in people]
    allocated = sum(scope.tables.get(AllocationRow, each.participant) is not None for each in people)
    return SiteLine(
        site=row.site,
        status=row.status,
        consented=len(people),
        failed=states.count("failed"),
        randomised=allocated,
        withdrawn=states.count("withdrawn"),
        completed=states.count("completed"),
    )


def list_all_sites(scope: Scope) -> tuple[SiteStatusLine, ...]:
    """List the sites of the study, also those not activated; the viewer's own when they belong to one."""
    scope.need(Audience.TRIAL)
    activated, closed = _times(scope, "SiteActivated"), _times(scope, "SiteClosed")
    return tuple(
        _status_line(scope, site, activated.get(site.id), closed.get(site.id))
        for site in scope.definition.study.sites
        if scope.sees_site(site.id)
    )


def _status_line(scope: Scope, site: Site, activated: str | None, closed: str | None) -> SiteStatusLine:
    row = scope.tables.get(SiteRow, site.id)
    return SiteStatusLine(
        site=site.id,
        name=site.name,
        country=site.country,
        status=row.status if row else "planned",
        study_version=scope.tables.require(VersionRow, row.definition).study_version if row else None,
        approved_on=row.approved_on if row else None,
        activated_at=activated,
        closed_at=closed,
    )


def list_versions(scope: Scope) -> tuple[VersionLine, ...]:
    """List the versions of the study with the sites at which each holds; of these, those in the scope."""
    scope.need(Audience.TRIAL)
    sites = [row for row in scope.tables.all(SiteRow) if scope.sees_site(row.site)]
    return tuple(
        VersionLine(
            number=row.number,
            study_version=row.study_version,
            title=row.title,
            definition=row.definition,
            substantial=row.substantial,
            reconsent=row.reconsent,
            recorded_at=row.recorded_at,
            sites=tuple(site.site for site in sites if site.definition == row.definition),
        )
        for row in versions_of(scope.tables)
    )


def list_changes(scope: Scope, number: int | None) -> tuple[Change, ...]:
    """List what a version of the study changed; nothing of the first, and of one that there is not."""
    scope.need(Audience.TRIAL)
    known = {each.number: each.definition for each in versions_of(scope.tables)}
    wanted = max(known) if number is None else number
    return scope.versions.changes(known.get(wanted - 1, ""), known.get(wanted, ""))


def list_reconsents(scope: Scope) -> tuple[ReconsentLine, ...]:
    """List who takes part under a version that asks for consent anew, and consented under one before it."""
    versions = versions_of(scope.tables)
    numbers = {version.definition: version.number for version in versions}
    lines = []
    for person in scope.people():
        site = scope.tables.get(SiteRow, person.site)
        if site is None or RenewConsent not in TRANSITIONS[state_of(person)]:
            continue
        given, held = numbers[person.consented_under], numbers[site.definition]
        wanted = [each for each in versions[given:held] if each.reconsent]
        if wanted:
            lines.append(
                ReconsentLine(
                    participant=person.participant,
                    consent_version=person.consent_version,
                    study_version=wanted[-1].study_version,
                    title=wanted[-1].title,
                )
            )
    return tuple(lines)


def _times(scope: Scope, kind: str) -> dict[str, str]:
    """When something was recorded of each site."""
    return {str(line.content["site"]): line.recorded_at for line in scope.trail.of_kind(kind)}


def read_recruitment(scope: Scope) -> RecruitmentLine:
    """Return the days of consent and randomisation at each activated site, and what was planned."""
    scope.need(Audience.TRIAL)
    activated = _times(scope, "SiteActivated")
    sites = tuple(
        _site_recruitment(scope, site, when)
        for site, when in sorted(activated.items())
        if scope.sees_site(site)
    )
    return RecruitmentLine(
        planned_enrolment=scope.definition.study.planned_enrolment,
        first_activated_at=min((each.activated_at for each in sites), default=None),
        sites=sites,
    )


def _site_recruitment(scope: Scope, site: str, activated_at: str) -> SiteRecruitmentLine:
    people = scope.tables.where(ParticipantRow, site=site)
    allocated = [scope.tables.get(AllocationRow, each.participant) for each in people]
    return SiteRecruitmentLine(
        site=site,
        activated_at=activated_at,
        consented_on=tuple(sorted(each.consented_on for each in people)),
        randomised_on=tuple(sorted(each.randomised_on for each in allocated if each)),
    )


def list_grants(scope: Scope) -> tuple[GrantLine, ...]:
    """List who was given which role, by whom and until when, in the order of giving.

    Who belongs to a site sees its own and those that span the trial.
    """
    scope.need(Audience.TRIAL)
    log: list[GrantLine] = []
    held: dict[tuple[str, str, str], int] = {}
    for line in scope.trail.of_kind("RoleGranted", "RoleRevoked"):
        said = line.content
        key = (said["account"], said["role"], said["site"])
        if line.kind == "RoleRevoked":
            place = held.pop(key)
            log[place] = replace(log[place], revoked_at=line.recorded_at, revoked_by=line.account)
            continue
        held[key] = len(log)
        log.append(
            GrantLine(
                account=said["account"],
                role=said["role"],
                site=said["site"] or None,
                granted_at=line.recorded_at,
                granted_by=line.account,
                revoked_at=None,
                revoked_by=None,
            )
        )
    return tuple(line for line in log if line.site is None or scope.sees_site(line.site))


_MILESTONES = {
    "TrialOpened": "definition",
    "StudyAmended": "definition",
    "AllocationCommitted": "commitment",
    "HeadPublished": "destination",
    "DatabaseLocked": "",
    "TrialUnblinded": "",
}
"""The entries that are steps of the trial as a whole, and what of each is told."""


def list_milestones(scope: Scope, ledger: Ledger) -> tuple[MilestoneLine, ...]:
    """List the steps of the trial as a whole, in their order."""
    scope.need(Audience.TRIAL)
    lines = scope.trail.of_kind(*_MILESTONES)
    return tuple(_milestone(line, ledger) for line in lines if scope.sees_line(line))


def _milestone(line: AuditLine, ledger: Ledger) -> MilestoneLine:
    published = line.kind == "HeadPublished"
    return MilestoneLine(
        position=line.position,
        recorded_at=line.recorded_at,
        account=line.account,
        kind=line.kind,
        detail=str(line.content.get(_MILESTONES[line.kind], "")),
        head=next(ledger.read(line.position - 1)).previous if published else None,
    )


def read_head(scope: Scope, ledger: Ledger) -> Head:
    """Return the head of the chain as it is in the state that is shown, whatever came after it."""
    scope.need(Audience.TRIAL)
    return next(ledger.read(scope.trail.position - 1)).head


def list_readiness(scope: Scope) -> tuple[OpenMatter, ...]:
    """List what is still open before the lock, of the participants within the scope.

    Queries about what would unmask are for those who may know of them; that a scan waits to be read is for
    those who follow the reading.
    """
    scope.need(Audience.CONDUCT)
    follows = Audience.READING in scope.viewer.audiences
    sees = scope.viewer.sees_participant
    return tuple(
        matter
        for matter in open_matters(
            scope.definition, scope.tables, unmasking=not scope.hides_unmasking, of=sees
        )
        if follows or matter.kind != "scan" or matter.state == "received"
    )


def list_commands(scope: Scope) -> tuple[str, ...]:
    """Return the names of the commands that the viewer's role may give."""
    return permitted_commands(scope.viewer.role.kind)
