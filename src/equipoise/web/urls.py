"""The addresses, for Django: those of the routes' table and those of the accounts."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, include, path

from equipoise.web import converters  # noqa: F401  # registers what may stand in an address
from equipoise.web.api.table import PREFIX
from equipoise.web.protect import protected
from equipoise.web.routes import ROUTES


def _by_first_part() -> Iterator[URLPattern | URLResolver]:
    # Django tries one pattern after the other: by the first part of an address most are passed over at once.
    parts: dict[str, list[URLPattern]] = {}
    for route in ROUTES:
        first, slash, rest = route.path.partition("/")
        parts.setdefault(first + slash, []).append(path(rest, protected(route), name=route.name))
    for first, patterns in parts.items():
        yield from [path(first, include(patterns))] if first else patterns


urlpatterns = [
    path("accounts/", include("equipoise.web.accounts.urls")),
    path(PREFIX, include(("equipoise.web.api.urls", "api"))),
    *_by_first_part(),
]

handler400 = "equipoise.web.errors.show_bad_request"
handler403 = "equipoise.web.errors.show_forbidden"
handler404 = "equipoise.web.errors.show_not_found"
handler500 = "equipoise.web.errors.show_server_error"
