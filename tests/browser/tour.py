"""A tour of the clinic: every page that there is, each by somebody who may come there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.test import Client, override_settings

from equipoise.access.actor import Actor
from equipoise.access.visibility import viewer_of
from equipoise.allocation.commands import UnblindInEmergency
from equipoise.allocation.state import AllocationRow
from equipoise.capture.state import RecordRow
from equipoise.conduct.entropy import SystemEntropy
from equipoise.governance.state import GrantRow
from equipoise.safety.state import EventRow
from equipoise.store.sealing import read_or_make_key
from equipoise.web.accounts.models import Account, Job
from equipoise.web.accounts.people import invite
from equipoise.web.clinic import Clinic, disconnect, opened_clinic
from equipoise.web.commands.catalogue import COMMANDS
from equipoise.web.commands.fields import field_types
from equipoise.web.keys import CLINIC_KEY
from equipoise.web.routes import ROUTES
from tests.web.blinding.places import Pattern, facts_of, url_patterns
from tests.web.clinics import _FILES, CHEAP_HASHERS, PASSWORD, actor_of, trial_under_way
from tests.web.test_safety import serious_event

SITE = "SE01"
NO_PAGES = frozenset(
    {
        # These only take what a form sends.
        "set_language",
        "keep_draft",
        "check_form",
        "start_work",
        "change_person",
        "revoke_token",
        # These send data for a script, or a file.
        "site_copy",
        "mfa_download_recovery_codes",
        "mfa_login_webauthn",
        "health",
        # These are there for an account with a second factor, and are drawn as the others of their kind.
        "mfa_deactivate_totp",
        "mfa_view_recovery_codes",
        "mfa_remove_webauthn",
        "mfa_edit_webauthn",
    }
)
"""What a GET gets no page from here."""
_ROUTES = {route.name: route for route in ROUTES}
_TRIED_MAX = 30
_HTML = "text/html"
_API = "/api/"


@dataclass(frozen=True)
class Stop:
    """One page of the tour: its address, and who goes there; without an actor nobody is logged in."""

    route: str
    actor: Actor | None
    address: str


@dataclass(frozen=True)
class Tour:
    """All stops, and the session in which each who goes there is logged in at the clinic of the folder."""

    stops: list[Stop]
    sessions: Mapping[Actor, str]


def make_tour(folder: Path) -> Tour:
    """Copy the trial under way into a folder, log its people in, and find every page of its clinic."""
    source = trial_under_way()
    for name in _FILES:
        shutil.copy(source / name, folder / name)
    disconnect()
    # A session holds in the process that serves the folder if it is made with the key of that folder.
    key = read_or_make_key(folder, CLINIC_KEY).hex()
    with (
        override_settings(SECRET_KEY=key, PASSWORD_HASHERS=CHEAP_HASHERS),
        opened_clinic(folder) as clinic,
    ):
        Account.objects.update(password=make_password(PASSWORD), password_set_at=clinic.now())
        browsers = {actor: _logged_in(actor) for actor in guides(clinic)}
        tour = Tour(
            list(_stops(clinic, browsers)),
            {
                actor: browser.cookies[settings.SESSION_COOKIE_NAME].value
                for actor, browser in browsers.items()
            },
        )
    disconnect()
    return tour


def _logged_in(actor: Actor) -> Client:
    """A browser in which an account has logged in with its password, just now, and acts in its role."""
    browser = Client()
    answer = browser.post("/accounts/login/", {"login": actor.account, "password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()
    session = browser.session
    session["acting_as"] = [actor.role, actor.site]
    session.save()
    return browser


def guides(clinic: Clinic) -> list[Actor]:
    """One of each kind of role, those of sites at one site; of investigators one who may break a code."""
    kinds = dict.fromkeys(role.kind for role in clinic.definition.study.roles)
    sites = {role.kind: SITE if role.scope == "site" else None for role in clinic.definition.study.roles}
    others = [kind for kind in kinds if kind not in ("nurse", "investigator")]
    nurse = actor_of(clinic, "nurse", SITE)
    return [nurse, _breaker(clinic), *(actor_of(clinic, kind, sites[kind]) for kind in others)]


def _breaker(clinic: Clinic) -> Actor:
    """Somebody at the site who may break a code."""
    permitted = clinic.definition.allocation.emergency_unblinding.permitted
    rows = clinic.trial.tables.where(GrantRow, site=SITE)
    return next(Actor(row.account, row.role, row.site) for row in rows if row.role in permitted)


def _stops(clinic: Clinic, browsers: Mapping[Actor, Client]) -> Iterator[Stop]:
    facts = _facts(clinic)
    for pattern in url_patterns():
        sends_a_file = pattern.name.endswith("_file")
        if f"/{pattern.address}".startswith(_API) or pattern.name in NO_PAGES or sends_a_file:
            continue
        may_come = {actor: each for actor, each in browsers.items() if _may_come(clinic, pattern.name, actor)}
        yield _first_page(pattern, facts, {None: Client()} if pattern.name == "account_login" else may_come)
    # What one starts from differs from role to role.
    yield from (Stop("home", actor, "/") for actor in browsers)
    yield Stop("not found", None, "/nowhere/")
    yield Stop("refused", actor_of(clinic, "reader"), "/participants/")


def _may_come(clinic: Clinic, name: str, actor: Actor) -> bool:
    """Whether a role may come to a page, by what its route declares."""
    route = _ROUTES.get(name)
    return route is None or route.visible.admits(viewer_of(clinic.definition, actor, unblinded=False))


def _first_page(
    pattern: Pattern,
    facts: list[dict[str, str]],
    browsers: Mapping[Any, Client],
) -> Stop:
    """Find somebody who gets a page there."""
    wanted = set(pattern.arguments)
    fitting = [each for each in facts if each.keys() >= wanted]
    addresses = dict.fromkeys(pattern.at(each) for each in fitting)
    for actor, browser in browsers.items():
        for address in islice(addresses, _TRIED_MAX):
            answer = browser.get(_with_query(pattern.name, address, facts), follow=True)
            if answer.status_code == 200 and answer["Content-Type"].startswith(_HTML):
                return Stop(pattern.name, actor, _with_query(pattern.name, address, facts))
    raise AssertionError(f"nobody gets a page from {pattern.name} at {list(addresses)[:3]}")


def _with_query(name: str, address: str, facts: list[dict[str, str]]) -> str:
    """What is done is done about somebody, a lot, a reading that waits: whatever the command asks for."""
    command = COMMANDS.get(name.removeprefix("do_"))
    if command is None:
        return address
    about = {}
    for each in field_types(command):
        found = next((fact[each.name] for fact in facts if each.name in fact), None)
        if found is not None:
            about[each.name] = found
    return f"{address}?{urlencode(about)}"


def _facts(clinic: Clinic) -> list[dict[str, str]]:
    """What addresses may name, those of the site first.

    There are a work, an invitation, a broken code and a serious event.
    """
    now, nurse = clinic.now(), actor_of(clinic, "nurse", SITE)
    account = Account.objects.get(username=nurse.account)
    secret = invite(None, account, by="tests", now=now)
    for actor in guides(clinic):
        Job.objects.create(
            job=SystemEntropy().token(16).hex(),
            account=Account.objects.get(username=actor.account).username,
            role=actor.role,
            site=actor.site or "",
            kind="report",
            status="done",
            done=3,
            total=3,
        )
    who = next(
        row.participant for row in clinic.trial.tables.all(AllocationRow) if row.participant.startswith(SITE)
    )
    broken = clinic.trial.record(_breaker(clinic), UnblindInEmergency(participant=who, cause="Anaphylaxis."))
    assert isinstance(broken, tuple), broken
    serious_event(clinic, hours=1)
    serious = [
        {"participant": row.participant, "row": str(row.row)}
        for row in clinic.trial.tables.all(EventRow)
        if row.serious
    ]
    found = [*serious, *_records(clinic, who), *facts_of(clinic), {"secret": secret}]
    return sorted(found, key=lambda each: each.get("participant", who) != who)


def _records(clinic: Clinic, participant: str) -> Iterator[dict[str, str]]:
    """Every form of a participant that is filled in, the repeating ones first: both kinds are found early."""
    rows = sorted(clinic.trial.tables.where(RecordRow, participant=participant), key=lambda row: not row.row)
    for row in rows:
        form = clinic.definition.form(row.form)
        assert form is not None
        place = {"participant": participant, "form": row.form, "item": form.items[0].id}
        yield place | ({"row": str(row.row)} if form.repeating else {"encounter": row.encounter})
