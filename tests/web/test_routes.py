"""Every address by every kind of role: what is declared is what happens, and nothing else is there.

The table is kept in docs/route-matrix.md; set EQUIPOISE_WRITE_SNAPSHOTS=1 to write it anew.
"""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.cache import cache
from django.test import Client

from equipoise.access.actor import Actor
from equipoise.access.command import Command
from equipoise.access.visibility import viewer_of
from equipoise.governance.state import GrantRow
from equipoise.web import urls
from equipoise.web.accounts.models import Account, ApiToken
from equipoise.web.accounts.people import hash_of
from equipoise.web.api.table import API_ROUTES, ApiRoute
from equipoise.web.clinic import Clinic
from equipoise.web.commands.catalogue import COMMANDS
from equipoise.web.protect import Route
from equipoise.web.routes import ROUTES
from equipoise.web.visible import AnyAccount, Anyone
from tests.blinding.reach import VARIANTS, field_values, make_command
from tests.web.blinding.places import Facts, Pattern, addresses_of, facts_of, url_patterns
from tests.web.clinics import browser_of, clinic_in

MATRIX = Path(__file__).parents[2] / "docs" / "route-matrix.md"
REGENERATE = "EQUIPOISE_WRITE_SNAPSHOTS"

OF_ACCOUNTS = frozenset(
    {
        *("account_login", "account_logout", "account_inactive", "account_reauthenticate"),
        *("account_change_password", "usersessions_list", "mfa_index", "mfa_authenticate"),
        *("mfa_reauthenticate", "mfa_activate_totp", "mfa_deactivate_totp", "mfa_view_recovery_codes"),
        *("mfa_generate_recovery_codes", "mfa_download_recovery_codes", "mfa_list_webauthn"),
        *("mfa_add_webauthn", "mfa_reauthenticate_webauthn", "mfa_remove_webauthn", "mfa_edit_webauthn"),
        "mfa_login_webauthn",
    }
)
"""The addresses that are allauth's: logging in, second factors, sessions. Nothing of the trial is there."""

WITHOUT_LOGIN = frozenset({"account_login", "account_inactive", "mfa_login_webauthn", "mfa_authenticate"})
"""Those of allauth that somebody comes to who is not logged in yet."""

NOBODY, EVE = "nobody", "Eve"
"""Whoever is not logged in, and somebody with an account and without a role."""

_NOT_FOR_ROLE = (b"ACC-PAGE", b"it is for whoever", b"ACC-COMMAND")

Who = Actor | str


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with clinic_in(tmp_path_factory.mktemp("clinic")) as opened:
        Account.objects.create(username=EVE, printed_name="Eve", created_at=opened.now())
        yield opened


def everybody(clinic: Clinic) -> dict[str, Who]:
    """Nobody, Eve, and one account of each kind of role."""
    found: dict[str, Who] = {}
    kinds = {role.id: role.kind for role in clinic.definition.study.roles}
    for row in clinic.trial.tables.all(GrantRow):
        found.setdefault(kinds[row.role], Actor(row.account, row.role, row.site or None))
    return {NOBODY: NOBODY, EVE: EVE, **dict(sorted(found.items()))}


def routes_by_name() -> dict[str, Route | ApiRoute]:
    """Every route, by the name of its pattern."""
    found: dict[str, Route | ApiRoute] = {route.name: route for route in ROUTES}
    return found | {f"api:{route.name}": route for route in API_ROUTES}


def may_come(clinic: Clinic, route: Route | ApiRoute, who: Who) -> bool:
    """Whether somebody may come, by what the route declares."""
    if isinstance(route.visible, Anyone):
        return True
    if not isinstance(who, Actor):
        return isinstance(route.visible, AnyAccount) and who == EVE
    return route.visible.admits(viewer_of(clinic.definition, who, unblinded=False))


class Asker:
    """Somebody who comes to every address, in a browser and with a program."""

    def __init__(self, clinic: Clinic, facts: list[Facts], bodies: Mapping[str, str], who: Who) -> None:
        self.who, self.facts, headers = who, facts, {}
        if isinstance(who, Actor):
            self.browser = browser_of(who)
            headers = {"authorization": f"Bearer {_token_of(clinic, who)}"}
            own = [each for each in facts if each.get("participant", who.site or "")[:4] == who.site]
            self.facts = own + facts if who.site else facts
        else:
            self.browser = browser_of(Actor(EVE, "", None)) if who == EVE else Client()
        self.program = Client(headers=headers)
        self.bodies = bodies

    def ask(self, pattern: Pattern, route: Route | ApiRoute) -> str:
        """What somebody gets: the status, or where they are sent instead."""
        address = next(iter(addresses_of(pattern, self.facts)))
        if isinstance(route, ApiRoute):
            if not isinstance(self.who, Actor):
                # After twenty requests without a token that holds, more would be refused for their number.
                cache.clear()
            if route.method == "POST":
                # What is not there, so that nothing is recorded.
                body = self.bodies[route.name.removeprefix("give_")]
                answer = self.program.post(address, body, content_type="application/json")
            else:
                answer = self.program.get(address)
        else:
            answer = self.browser.get(address)
        if answer.status_code == 302 and answer["Location"].startswith("/accounts/login/"):
            return "log in"
        if answer.status_code == 302 and answer["Location"] == "/role/":
            return "no role"
        if answer.status_code == 403 and not any(code in answer.content for code in _NOT_FOR_ROLE):
            # The page is theirs, and what they asked for on it is not.
            return "403 there"
        return str(answer.status_code)


def _body(kind: type[Command], values: Mapping[str, list[Any]]) -> str:
    command = make_command(kind, values, VARIANTS - 1)
    given = {each.name: getattr(command, each.name) for each in fields(cast(Any, kind))}
    told = {name: value for name, value in given.items() if value is not None} | {"reason": "A reason"}
    return json.dumps(told, default=lambda moment: moment.isoformat())


def _token_of(clinic: Clinic, actor: Actor) -> str:
    secret = f"{actor.account} {actor.role}"
    ApiToken.objects.create(
        account=Account.objects.get(username=actor.account),
        label="a program",
        role=actor.role,
        site=actor.site or "",
        token_hash=hash_of(secret),
        made_at=clinic.now(),
        expires_at=clinic.now() + timedelta(days=1),
    )
    return secret


@pytest.fixture(scope="module")
def answers(clinic: Clinic) -> dict[tuple[str, str], str]:
    """What everybody gets at every route."""
    facts, found, values = facts_of(clinic), {}, field_values(clinic.trial)
    bodies = {name: _body(kind, values) for name, kind in COMMANDS.items()}
    patterns, routes = url_patterns(), routes_by_name()
    for name, who in everybody(clinic).items():
        asker = Asker(clinic, facts, bodies, who)
        for pattern in patterns:
            route = routes.get(pattern.name)
            if route is not None:
                found[pattern.name, name] = asker.ask(pattern, route)
    return found


OUT = frozenset({"403", "log in", "no role", "401"})
"""What somebody gets where they may not come."""


def test_who_may_come_comes_and_nobody_else(clinic: Clinic, answers: dict[tuple[str, str], str]) -> None:
    wrong, routes, people = [], routes_by_name(), everybody(clinic)
    for (route_name, who_name), answer in answers.items():
        route, who = routes[route_name], people[who_name]
        if may_come(clinic, route, who) == (answer in OUT):
            wrong.append(f"{route_name} ({route.visible.words}): {who_name} gets {answer}")
    assert not wrong, "\n".join(wrong)


def test_no_page_that_somebody_may_come_to_fails(answers: dict[tuple[str, str], str]) -> None:
    assert {key: answer for key, answer in answers.items() if answer.startswith("5")} == {}


def test_every_address_is_declared_or_one_of_the_accounts() -> None:
    assert undeclared() == set()


def undeclared() -> set[str]:
    """The patterns of the URL configuration that are in no table."""
    return {pattern.name for pattern in url_patterns()} ^ (routes_by_name().keys() | OF_ACCOUNTS)


def test_an_address_that_is_added_beside_the_table_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from django.http import HttpResponse
    from django.urls import clear_url_caches, path

    added = path("beside/", lambda request: HttpResponse(), name="beside")
    monkeypatch.setattr(urls, "urlpatterns", [*urls.urlpatterns, added])
    clear_url_caches()
    try:
        assert undeclared() == {"beside"}
    finally:
        monkeypatch.undo()
        clear_url_caches()


def test_no_two_routes_have_the_same_name_or_address() -> None:
    patterns = url_patterns()
    assert len({pattern.name for pattern in patterns}) == len(patterns)
    assert len({pattern.address for pattern in patterns}) == len(patterns)


def test_of_the_accounts_own_addresses_only_those_for_logging_in_are_open(clinic: Clinic) -> None:
    facts = facts_of(clinic)
    for pattern in url_patterns():
        if pattern.name in OF_ACCOUNTS:
            answer = Client().get(next(iter(addresses_of(pattern, facts))))
            sent = answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")
            assert sent != (pattern.name in WITHOUT_LOGIN and answer.status_code == 200), pattern


# -- the page of the documentation


def test_the_matrix_in_the_documentation_is_this_one(
    clinic: Clinic, answers: dict[tuple[str, str], str]
) -> None:
    text = write_matrix(clinic, answers)
    if os.environ.get(REGENERATE):
        MATRIX.write_text(text, encoding="utf-8")
    assert text == MATRIX.read_text(encoding="utf-8"), f"read the changes, then set {REGENERATE}=1"


_HEAD = """# Who comes where

Every address of the clinic, who may come there, and what each kind of role gets when it asks. The tests write
this page (`tests/web/test_routes.py`), having asked; it is compared in every test run.

A number is the status of the answer (RFC 9110): 200 a page, 302 it leads on, 404 there is nothing for this
role at the address that was tried, 405 it takes posted forms only, 422 it says what is missing. Where a role
may not come there is a dot: it gets 403, from the JSON interface too. Whoever is not logged in is sent to the
page to log in, by the JSON interface refused with 401; an account without a role is told that it has none.

Besides these there are the addresses of allauth under `/accounts/`: logging in and out, the password, second
factors, open sessions. They are about one's own account, and nothing of the trial is there.
"""


def write_matrix(clinic: Clinic, answers: dict[tuple[str, str], str]) -> str:
    """The matrix as a page: pages, commands, and the JSON interface."""
    kinds = list(everybody(clinic))
    parts = [_HEAD]
    for title, belongs in (
        ("Pages", lambda name: not name.startswith(("do_", "api:"))),
        ("Commands, each on a page of its own", lambda name: name.startswith("do_")),
        ("The JSON interface", lambda name: name.startswith("api:")),
    ):
        parts.append(f"\n## {title}\n\n| name | address | who may come | {' | '.join(kinds)} |\n")
        parts.append(f"| --- | --- | --- |{' :-: |' * len(kinds)}\n")
        for pattern in url_patterns():
            route = routes_by_name().get(pattern.name)
            if route is None or not belongs(pattern.name):
                continue
            cells = [_cell(answers[pattern.name, kind]) for kind in kinds]
            name = pattern.name.removeprefix("api:")
            parts.append(f"| {name} | `/{pattern.address}` | {route.visible.words} | {' | '.join(cells)} |\n")
    return "".join(parts)


def _cell(answer: str) -> str:
    return "·" if answer in OUT else answer
