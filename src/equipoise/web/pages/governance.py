"""The trial as a whole: its state, its sites, its delegation log, what roles may do, its commitments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from equipoise.access.actor import Actor
from equipoise.access.content import Audience
from equipoise.access.permissions import permitted_commands
from equipoise.access.visibility import viewer_of
from equipoise.conduct.view.lines import GrantLine, SiteStatusLine, VersionLine
from equipoise.definition.amendments import Change
from equipoise.definition.model.study import Role
from equipoise.web.accounts.models import Account
from equipoise.web.commands.catalogue import CATALOGUE
from equipoise.web.listing import Column, show_listing
from equipoise.web.offers import offers
from equipoise.web.pages.amending import TAKES_FOLDER
from equipoise.web.pages.reviews import link_to_record
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Gives, Kinds, Sees
from equipoise.web.words_of_values import time_at, word_of_state
from equipoise.web.work_kinds import last_verification

_OVERSEES = Kinds(("administrator", "data_manager", "unblinded_statistician"))

AUDIENCE_WORDS: Mapping[Audience, Promise] = {
    Audience.TRIAL: _("the running of the trial: sites, roles, lock"),
    Audience.CONDUCT: _("the course of participants, without anything that unmasks"),
    Audience.READING: _("scans and final readings"),
    Audience.PRODUCT: _("what was made and given, which betrays the allocation"),
    Audience.UNMASKED: _("allocations"),
}

STEP_WORDS: Mapping[str, Promise] = {
    "TrialOpened": _("The trial was opened under a study definition"),
    "StudyAmended": _("The study was amended"),
    "AllocationCommitted": _("The allocation was sealed and committed to"),
    "HeadPublished": _("The head of the ledger was given out"),
    "DatabaseLocked": _("The database was locked"),
    "TrialUnblinded": _("The trial was unblinded"),
}

_SEES_LOG = Kinds(("administrator", "data_manager", "monitor", "investigator"))

_ACTIONS = ("CommitAllocation", "PublishHead", "LockDatabase", "UnblindTrial")


@dataclass(frozen=True, slots=True)
class RoleLine:
    """A role of the study: what it sees now and after the unblinding, and what it may give."""

    role: Role
    sees: tuple[str, ...]
    sees_later: tuple[str, ...]
    gives: tuple[str, ...]
    held: int


@dataclass(frozen=True, slots=True)
class VersionShown:
    """A version with what it changed, and the sites that wait for their approval of it."""

    version: VersionLine
    changes: Sequence[Change]
    waiting: tuple[str, ...]


def show_governance(request: ClinicRequest) -> HttpResponse:
    """Draw the state of the trial, the steps that led there, and the next ones that the reader may take."""
    seen = request.seen
    steps = seen.milestones()
    verified = last_verification()
    actions = [
        (CATALOGUE[name], f"{reverse(f'do_{name}')}?{urlencode({'next': request.path})}")
        for name in _ACTIONS
        if Gives((name,)).admits(seen.viewer) and _is_next(request, name)
    ]
    context = {
        "state": seen.trial(),
        "head": seen.head(),
        "steps": [(STEP_WORDS[step.kind], step) for step in reversed(steps)],
        "committed": next((step for step in steps if step.kind == "AllocationCommitted"), None),
        "published": [step for step in steps if step.kind == "HeadPublished"],
        "verified": verified,
        "verified_at": f"{verified[0]:%Y-%m-%d %H:%M} UTC" if verified else "",
        "actions": actions,
        "offers": offers(request, "verification"),
        "definition": request.definition,
        "sees_log": _SEES_LOG.admits(seen.viewer),
        "administers": Gives(("ActivateSite",)).admits(seen.viewer),
    }
    return render(request, "pages/governance.html", context)


def _is_next(request: ClinicRequest, command: str) -> bool:
    """Whether the state of the trial lets a step be taken at all."""
    status = request.seen.trial().status
    committed = any(step.kind == "AllocationCommitted" for step in request.seen.milestones())
    return {
        "CommitAllocation": not committed,
        "PublishHead": True,
        "LockDatabase": status == "open",
        "UnblindTrial": status == "locked",
    }[command]


def list_site_administration(request: ClinicRequest) -> HttpResponse:
    """List the sites of the study, with the way to activate or close each."""
    recruited = {line.site: line for line in request.seen.sites()}
    columns: tuple[Column[SiteStatusLine], ...] = (
        Column("site", _("Site"), lambda line: line.site),
        Column("name", _("Name"), lambda line: line.name),
        Column("country", _("Country"), lambda line: line.country),
        Column("status", _("Status"), lambda line: word_of_state(line.status)),
        Column("study_version", _("Version"), lambda line: line.study_version),
        Column("approved_on", _("Approved on"), lambda line: line.approved_on),
        Column("activated_at", _("Activated"), lambda line: line.activated_at and line.activated_at[:10]),
        Column("closed_at", _("Closed"), lambda line: line.closed_at and line.closed_at[:10]),
        Column(
            "consented",
            _("Consented"),
            lambda line: recruited[line.site].consented if line.site in recruited else 0,
        ),
        Column(
            "randomised",
            _("Randomised"),
            lambda line: recruited[line.site].randomised if line.site in recruited else 0,
        ),
        Column(
            "action",
            _("Action"),
            lambda line: {"planned": _("Activate"), "active": _("Close")}.get(line.status, ""),
            link=lambda line: _site_action(request, line),
        ),
    )
    return show_listing(request, "pages/site_administration.html", "sites", columns, request.seen.all_sites())


def list_versions(request: ClinicRequest) -> HttpResponse:
    """Draw the versions of the study, what each changed, where each holds, and who may go on to the next."""
    versions = request.seen.versions()
    releases = Gives(("ActivateVersion",)).admits(request.seen.viewer)
    lines = [
        VersionShown(
            version=each, changes=request.seen.changes(each.number), waiting=_waiting(each, versions)
        )
        for each in reversed(versions)
    ]
    context = {
        "lines": lines,
        "releases": releases,
        "amends": Gives(("AmendStudy",)).admits(request.seen.viewer),
        "takes": TAKES_FOLDER.admits(request.seen.viewer),
        "present": request.version.study.version,
    }
    return render(request, "pages/versions.html", context)


def _waiting(version: VersionLine, versions: Sequence[VersionLine]) -> tuple[str, ...]:
    """The sites at which a version does not hold yet that needs their approval."""
    earlier = (each for each in versions if each.number < version.number)
    return tuple(sorted(site for each in earlier for site in each.sites)) if version.substantial else ()


def _site_action(request: ClinicRequest, line: SiteStatusLine) -> str | None:
    command = {"planned": "ActivateSite", "active": "CloseSite"}.get(line.status)
    if command is None:
        return None
    return f"{reverse(f'do_{command}')}?{urlencode({'site': line.site, 'next': request.path})}"


def list_delegation(request: ClinicRequest) -> HttpResponse:
    """List who held which role, from when to when, and who gave it: the delegation log (ICH E6(R3) 2.3.3)."""
    printed = dict(Account.objects.values_list("username", "printed_name"))
    roles = {role.id: role.name for role in request.definition.study.roles}
    zone = request.clinic.zone(request.actor.site)
    may_revoke = Gives(("RevokeRole",)).admits(request.seen.viewer)
    shown = request.GET.get("held", "")
    columns: tuple[Column[GrantLine], ...] = (
        Column("name", _("Name"), lambda line: printed.get(line.account, line.account)),
        Column("account", _("Account"), lambda line: line.account),
        Column("role", _("Role"), lambda line: roles.get(line.role, line.role)),
        Column("site", _("Site"), lambda line: line.site),
        Column("granted_at", _("From"), lambda line: time_at(line.granted_at, zone), mark=_time),
        Column("granted_by", _("Given by"), lambda line: printed.get(line.granted_by, line.granted_by)),
        Column("revoked_at", _("Until"), lambda line: time_at(line.revoked_at, zone), mark=_time),
        Column("revoked_by", _("Taken by"), lambda line: printed.get(line.revoked_by or "", line.revoked_by)),
    )
    if may_revoke:
        action: Column[GrantLine] = Column(
            "action",
            _("Action"),
            lambda line: "" if line.revoked_at else _("Revoke"),
            link=lambda line: None if line.revoked_at else _revoke(request, line),
        )
        columns = (*columns, action)
    rows = [line for line in request.seen.grants() if shown != "now" or line.revoked_at is None]
    may_grant = Gives(("GrantRole",)).admits(request.seen.viewer)
    review = link_to_record(request, reverse("delegation"), reviewed="access")
    context = {"held_now": shown == "now", "may_grant": may_grant, "review": review}
    return show_listing(request, "pages/delegation.html", "delegation-log", columns, rows, **context)


def _time(_line: GrantLine) -> str:
    return "nowrap"


def _revoke(request: ClinicRequest, line: GrantLine) -> str:
    given = {"account": line.account, "role": line.role, "next": request.path}
    return f"{reverse('do_RevokeRole')}?{urlencode(given | ({'site': line.site} if line.site else {}))}"


def show_roles(request: ClinicRequest) -> HttpResponse:
    """Draw what each role of the study sees and may give, from the rules that decide it."""
    held: dict[str, int] = {}
    for line in request.seen.grants():
        held[line.role] = held.get(line.role, 0) + (line.revoked_at is None)
    lines = [_role_line(request, role, held.get(role.id, 0)) for role in request.definition.study.roles]
    return render(request, "pages/roles.html", {"lines": lines})


def _role_line(request: ClinicRequest, role: Role, held: int) -> RoleLine:
    someone = Actor("", role.id, request.definition.study.sites[0].id if role.scope == "site" else None)
    now, later = (viewer_of(request.definition, someone, unblinded=each).audiences for each in (False, True))
    commands = [name for name in permitted_commands(role.kind) if name in CATALOGUE]
    return RoleLine(
        role=role,
        sees=tuple(str(words) for audience, words in AUDIENCE_WORDS.items() if audience in now),
        sees_later=tuple(str(words) for audience, words in AUDIENCE_WORDS.items() if audience in later - now),
        gives=tuple(str(CATALOGUE[name].title) for name in commands),
        held=held,
    )


ROUTES: tuple[Route, ...] = (
    Route("governance/", show_governance, "governance", _OVERSEES),
    Route(
        "governance/sites/",
        list_site_administration,
        "site_administration",
        Gives(("ActivateSite", "CloseSite")),
    ),
    Route(
        "governance/delegation/",
        list_delegation,
        "delegation",
        _SEES_LOG,
    ),
    Route("governance/roles/", show_roles, "roles", Sees(Audience.TRIAL)),
    Route("governance/versions/", list_versions, "versions", Sees(Audience.TRIAL)),
)
