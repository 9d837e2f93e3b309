"""Programs for the tests: each has a token of an account, and talks to the JSON interface."""

import json
from datetime import timedelta
from typing import Any

from django.test import Client

from equipoise.access.actor import Actor
from equipoise.web.accounts.models import Account, ApiToken
from equipoise.web.accounts.people import hash_of
from equipoise.web.api.table import PREFIX
from equipoise.web.clinic import Clinic
from equipoise.web.commands.catalogue import SLUGS
from tests.web.clinics import actor_of

API = f"/{PREFIX}"


def token_of(clinic: Clinic, actor: Actor) -> str:
    """Return a token that acts as an actor."""
    secret = f"secret of {actor.account} as {actor.role}"
    ApiToken.objects.get_or_create(
        token_hash=hash_of(secret),
        defaults={
            "account": Account.objects.get(username=actor.account),
            "label": "a program",
            "role": actor.role,
            "site": actor.site or "",
            "made_at": clinic.now(),
            "expires_at": clinic.now() + timedelta(days=1),
        },
    )
    return secret


class Program:
    """A program with a token."""

    def __init__(self, clinic: Clinic, kind: str, site: str | None = None) -> None:
        self.actor = actor_of(clinic, kind, site)
        self.authorization = f"Bearer {token_of(clinic, self.actor)}"
        self.client = Client(headers={"authorization": self.authorization})

    def read(self, path: str, **query: Any) -> Any:
        answer = self.client.get(API + path, query)
        assert answer.status_code == 200, answer.content.decode()
        return answer.json()

    def give(self, name: str, body: Any, **headers: str) -> Any:
        content = body if isinstance(body, bytes) else json.dumps(body)
        return self.client.post(
            f"{API}commands/{SLUGS[name]}", content, content_type="application/json", headers=headers
        )
