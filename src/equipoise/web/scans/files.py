"""How the files of scans are kept: in one folder, readable by the owner only, named by their SHA-256.

The ledger names a file by its hash, so that the store needs no index, and nobody can put another file in its
place unseen. A file is kept before its entry is recorded, with a mark beside it that says so: after a crash
the mark tells which files to hold against the ledger.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from hashlib import file_digest
from pathlib import Path
from tempfile import mkstemp
from typing import IO

from equipoise.access.refusal import Refused
from equipoise.conduct.clock import read_system_clock
from equipoise.web.scans import refusals
from equipoise.web.scans.kinds import take_in

INCOMING = "incoming-"
"""How the names of files begin that are on their way."""

_UNSETTLED = "unsettled-"
_LOCK = ".lock"
_ABANDONED_SECONDS = timedelta(days=1).total_seconds()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file that may be kept: where it lies meanwhile, its SHA-256, and the codes that it had in it."""

    path: Path
    hash: str
    codes: frozenset[str]

    def discard(self) -> None:
        """Remove it, unless it was kept."""
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class ScanFiles:
    """The files of a trial's scans."""

    folder: Path

    def make(self) -> None:
        """Make the folder where there is none."""
        self.folder.mkdir(mode=0o700, exist_ok=True)

    def prepare(self, source: IO[bytes], size: int) -> Prepared:
        """Check a file and write what is to be kept of it; raises Refused for what cannot be taken."""
        handle, name = mkstemp(prefix=INCOMING, dir=self.folder)
        path = Path(name)
        try:
            with os.fdopen(handle, "w+b") as target:
                codes = take_in(source, size, target)
                target.flush()
                os.fsync(target.fileno())
                target.seek(0)
                return Prepared(path, file_digest(target, "sha256").hexdigest(), codes)
        except BaseException:
            path.unlink()
            raise

    @contextmanager
    def kept(self, prepared: Prepared) -> Iterator[None]:
        """Keep a file while its entry is recorded in the block; other processes wait with theirs meanwhile.

        Where the block raises, and the process goes on, it stays unsettled until `drop` or `sweep`.
        """
        place, mark = self.folder / prepared.hash, self._mark(prepared.hash)
        with self._alone():
            if not place.exists():
                mark.touch(0o600)
                self._settle()
            prepared.path.replace(place)
            self._settle()
            yield
            mark.unlink(missing_ok=True)

    def drop(self, file_hash: str) -> None:
        """Remove a file whose entry was not recorded, unless it was there before. For use within `kept`."""
        mark = self._mark(file_hash)
        if mark.exists():
            (self.folder / file_hash).unlink()
            mark.unlink()

    def open(self, file_hash: str) -> IO[bytes]:
        """Open a file to be read from its start; raises Refused if it is gone or is not what was recorded."""
        try:
            file = (self.folder / file_hash).open("rb")
        except FileNotFoundError:
            raise Refused(refusals.changed()) from None
        if file_digest(file, "sha256").hexdigest() != file_hash:
            file.close()
            raise Refused(refusals.changed())
        file.seek(0)
        return file

    def sweep(self, named: Callable[[], set[str]]) -> None:
        """Remove what a process that ended too early left behind; `named` returns the ledger's hashes.

        Only what is marked as unsettled is held against the ledger: a ledger that was restored from an older
        backup takes no file away.
        """
        if not self.folder.is_dir():
            return
        now = read_system_clock().timestamp()
        with self._alone():
            for mark in list(self.folder.glob(f"{_UNSETTLED}*")):
                file_hash = mark.name.removeprefix(_UNSETTLED)
                if file_hash not in named():
                    (self.folder / file_hash).unlink(missing_ok=True)
                mark.unlink()
            for path in list(self.folder.glob(f"{INCOMING}*")):
                # What others are receiving now is on its way, too.
                with suppress(FileNotFoundError):
                    if now - path.stat().st_mtime > _ABANDONED_SECONDS:
                        path.unlink()

    def _mark(self, file_hash: str) -> Path:
        return self.folder / f"{_UNSETTLED}{file_hash}"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with os.fdopen(os.open(self.folder / _LOCK, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _settle(self) -> None:
        """Have the names in the folder outlast a loss of power."""
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
