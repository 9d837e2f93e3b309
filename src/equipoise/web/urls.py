"""The addresses, for Django: those of the routes' table and those of the accounts."""

from __future__ import annotations

from django.urls import include, path

from equipoise.web import converters  # noqa: F401  # registers what may stand in an address
from equipoise.web.api.table import PREFIX
from equipoise.web.protect import protected
from equipoise.web.routes import ROUTES

urlpatterns = [
    path("accounts/", include("equipoise.web.accounts.urls")),
    path(PREFIX, include(("equipoise.web.api.urls", "api"))),
    *(path(route.path, protected(route), name=route.name) for route in ROUTES),
]

handler400 = "equipoise.web.errors.show_bad_request"
handler403 = "equipoise.web.errors.show_forbidden"
handler404 = "equipoise.web.errors.show_not_found"
handler500 = "equipoise.web.errors.show_server_error"
