"""The Django application of the accounts."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """What the clinic keeps in a database of its own."""

    name = "equipoise.web.accounts"
    label = "accounts"
