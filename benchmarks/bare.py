"""`python -m benchmarks.bare URL PORT WORKERS`: a view that writes one row, served as the clinic is."""

from __future__ import annotations

import sys

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.urls import path
from gunicorn.app.base import BaseApplication

from equipoise.store.place import DatabaseUrl

THREADS = 4


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


def main() -> None:
    """Make the table and serve."""
    url, port, workers = sys.argv[1:]
    place = DatabaseUrl.read(url)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": place.name,
        "USER": place.user,
        "HOST": place.host,
        "CONN_MAX_AGE": None,
    }
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"], DATABASES={"default": database}, ROOT_URLCONF=__name__, SECRET_KEY="bare"
    )
    get_wsgi_application()
    with connections["default"].cursor() as cursor:
        cursor.execute("CREATE TABLE bare_row (id bigserial PRIMARY KEY, body text NOT NULL)")
    connections["default"].close()
    Bare(port, workers).run()


if __name__ == "__main__":
    main()
