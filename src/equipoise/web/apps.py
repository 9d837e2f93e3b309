"""The Django application of the clinic's pages."""

from __future__ import annotations

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Pages, templates and static files; it keeps nothing itself."""

    name = "equipoise.web"
    label = "web"
