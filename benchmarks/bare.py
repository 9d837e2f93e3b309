"""`python -m benchmarks.bare URL PORT WORKERS [login]`: a view that writes one row, served as the clinic is.

With `login` it is Django's own way of doing that for whoever is logged in: sessions, accounts and protection
against cross-site posts, and nothing else of what the clinic has.
"""

from __future__ import annotations

import sys
from datetime import timedelta

from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.urls import path
from gunicorn.app.base import BaseApplication

from equipoise.conduct.clock import read_system_clock
from equipoise.store.place import DatabaseUrl

THREADS = 8
LOGIN = {
    "INSTALLED_APPS": ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ],
    "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
}
SESSION = "bare" * 8
"""The session that somebody is logged in with."""


def write_row(request: HttpRequest) -> HttpResponse:
    """Write what was posted as one row."""
    with connections["default"].cursor() as cursor:
        cursor.execute("INSERT INTO bare_row (body) VALUES (%s)", [request.body.decode()])
    return HttpResponse("written", headers={"Content-Length": "7"})


urlpatterns = [path("", write_row)]


class Bare(BaseApplication):  # type: ignore[misc]
    """Gunicorn with the same number of processes and threads as the clinic has."""

    def __init__(self, port: str, workers: str) -> None:
        self._options = {"bind": f"127.0.0.1:{port}", "workers": int(workers), "threads": THREADS}
        super().__init__()

    def load_config(self) -> None:
        """Set what the clinic sets."""
        for name, value in (self._options | {"worker_class": "gthread", "loglevel": "warning"}).items():
            self.cfg.set(name, value)

    def load(self) -> object:
        """Return the application."""
        return get_wsgi_application()


def _log_in() -> None:
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.models import Session

    call_command("migrate", verbosity=0, interactive=False)
    user = User.objects.create(username="bare")
    said = {
        SESSION_KEY: str(user.pk),
        BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend",
        HASH_SESSION_KEY: user.get_session_auth_hash(),
    }
    Session.objects.save(SESSION, said, read_system_clock() + timedelta(days=1))


def main() -> None:
    """Make the table and serve."""
    url, port, workers, *login = sys.argv[1:]
    place = DatabaseUrl.read(url)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": place.name,
        "USER": place.user,
        "HOST": place.host,
        "CONN_MAX_AGE": None,
    }
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={"default": database},
        ROOT_URLCONF=__name__,
        SECRET_KEY="bare",
        **(LOGIN if login else {}),
    )
    get_wsgi_application()
    with connections["default"].cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bare_row (id bigserial PRIMARY KEY, body text NOT NULL)")
    if login:
        _log_in()
    connections["default"].close()
    Bare(port, workers).run()


if __name__ == "__main__":
    main()
