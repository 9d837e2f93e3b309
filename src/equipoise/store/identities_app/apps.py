"""The Django application that holds the register of identities."""

from __future__ import annotations

from django.apps import AppConfig


class IdentitiesConfig(AppConfig):
    """Sealed names and contacts."""

    name = "equipoise.store.identities_app"
    label = "identities"
