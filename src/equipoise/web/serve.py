"""Serving a clinic: gunicorn's workers, each with the trial opened for itself, and the static files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from equipoise.web.settings import STATIC_FILES, set_up_clinic

# What they ask for at the same time goes to the disk together.
_THREADS = 8
_TIMEOUT_SECONDS = 60
_KEEP_ALIVE_SECONDS = 5
_FOR_EVER = 315_360_000


@dataclass(frozen=True, slots=True)
class ServePlan:
    """Where and how a clinic is served; `https` says that a proxy in front ends TLS."""

    folder: Path
    host: str
    port: int
    workers: int
    names: tuple[str, ...] = ()
    https: bool = False


def set_up(plan: ServePlan) -> None:
    """Set Django up for a clinic; raises Locked where its key cannot be read."""
    # Django's settings must be there before anything that needs them is imported.
    from equipoise.store.sealing import read_or_make_key
    from equipoise.web.keys import CLINIC_KEY

    key = read_or_make_key(plan.folder, CLINIC_KEY)
    set_up_clinic(
        secret_key=key.hex(),
        hosts=(*plan.names, plan.host, "localhost", "127.0.0.1"),
        https=plan.https,
        cookies=f"clinic_{plan.port}",
    )


def make_application(folder: Path) -> Callable[..., Any]:
    """Open a clinic in this process and return its WSGI application."""
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.urls import get_resolver
    from whitenoise import WhiteNoise

    from equipoise.web.clinic import open_clinic, use_clinic

    use_clinic(open_clinic(folder))
    # The pages are imported now, and not by whoever comes first.
    get_resolver().url_patterns  # noqa: B018
    served = WhiteNoise(
        get_wsgi_application(), max_age=_FOR_EVER, add_headers_function=_shield, allow_all_origins=False
    )
    for name, path in STATIC_FILES.items():
        served.add_file_to_dictionary(settings.STATIC_URL + name, str(path))
    application: Callable[..., Any] = served
    return application


def serve(plan: ServePlan, ready: Callable[[], None]) -> None:
    """Serve a clinic until the process is told to end; calls `ready` once it listens.

    Raises StoreUnreadable and Locked before anything is served.
    """
    from gunicorn.app.base import BaseApplication

    from equipoise.web.clinic import disconnect, opened_clinic, prepare_clinic

    prepare_clinic(plan.folder)
    # Whatever is wrong with the trial is to be said here, and not by a worker. No connection may cross the
    # fork.
    with opened_clinic(plan.folder):
        pass
    disconnect()

    class Served(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in {
                "bind": f"{plan.host}:{plan.port}",
                "workers": plan.workers,
                "threads": _THREADS,
                "worker_class": "gthread",
                "timeout": _TIMEOUT_SECONDS,
                "keepalive": _KEEP_ALIVE_SECONDS,
                "loglevel": "warning",
                "proc_name": "equipoise",
                "when_ready": lambda _server: ready(),
            }.items():
                self.cfg.set(name, value)

        def load(self) -> Callable[..., Any]:
            return make_application(plan.folder)

    Served().run()


def _shield(headers: Any, path: str, url: str) -> None:
    from equipoise.web.middleware import CONTENT_SECURITY_POLICY

    headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["X-Content-Type-Options"] = "nosniff"
