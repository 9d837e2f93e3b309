"""A clinic as its people have it: served by `equipoise serve` in a process of its own, on a free port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from threading import Timer
from urllib.request import urlopen

SOURCE = Path(__file__).parents[2] / "src"
_PROGRAM = f"import sys; sys.path.insert(0, {str(SOURCE)!r}); from equipoise.cli.main import main; main()"
_READY_SECONDS = 60
_END_SECONDS = 20


def command_line(*arguments: str) -> list[str]:
    """The program of this checkout with its arguments."""
    return [sys.executable, "-c", _PROGRAM, *arguments]


def free_port() -> int:
    """A port of this machine at which nobody listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve the trial in a folder, and return where; the process is told to end, and must do so by itself."""
    port = free_port()
    arguments = command_line("serve", str(folder), "--port", str(port), "--workers", "1")
    with (
        (folder / "served.log").open("w") as log,
        subprocess.Popen(
            arguments,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            # The ready line must not wait in a buffer.
            env=os.environ | {"PYTHONUNBUFFERED": "1", "COLUMNS": "200"},
        ) as process,
    ):
        try:
            _wait(process, port, folder)
            address = f"http://localhost:{port}"
            # The first page of a process waits until all modules are read; no test is about that.
            with urlopen(f"{address}/accounts/login/", timeout=_READY_SECONDS) as answer:
                assert answer.status == HTTPStatus.OK
            yield address
            process.send_signal(signal.SIGTERM)
            assert process.wait(_END_SECONDS) == 0, "the clinic did not end as it was told to"
            said = (folder / "served.log").read_text()
            assert "Traceback" not in said, said
        finally:
            if process.poll() is None:
                process.kill()


def _wait(process: subprocess.Popen[str], port: int, folder: Path) -> None:
    """Read what is printed until the clinic says that it listens; one that never does is ended."""
    assert process.stdout is not None
    watchdog = Timer(_READY_SECONDS, process.kill)
    watchdog.start()
    try:
        if any(f"localhost:{port}" in line for line in process.stdout):
            return
    finally:
        watchdog.cancel()
    raise AssertionError(f"the clinic did not begin: {(folder / 'served.log').read_text()}")
