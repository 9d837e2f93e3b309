"""The Django application that holds a vault's database."""

from __future__ import annotations

from django.apps import AppConfig


class VaultConfig(AppConfig):
    """Sealed records."""

    name = "equipoise.store.vault_app"
    label = "vault"
