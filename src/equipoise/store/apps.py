"""The Django application that holds a trial's database."""

from __future__ import annotations

from django.apps import AppConfig


class StoreConfig(AppConfig):
    """Entries and current-state tables."""

    name = "equipoise.store"
    label = "store"
