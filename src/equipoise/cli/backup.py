"""The command that copies a trial while it is in use."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path
from typing import Annotated

import typer

from equipoise.cli.console import clear_errors, counted, fail, say
from equipoise.cli.folders import whole_or_nothing
from equipoise.store.names import HEADS_FILE, TRIAL_FILE, VAULT_FILE

_SCANS = "scans"
_HASH_LENGTH = 64


def backup(
    trial: Annotated[Path, typer.Argument(metavar="TRIAL", help="The folder of a trial.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new or empty folder for the copy.")],
) -> None:
    """Copy a trial while it is in use, whole and consistent: databases, published heads, scans; no keys."""
    from equipoise.store.place import DatabaseUrl, describe, folder_of, trial_place
    from equipoise.store.trial_store import snapshot

    with clear_errors():
        folder = folder_of(trial)
        place = trial_place(folder)
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            fail("OUT-EXISTS", f"{out} is not empty. Name a new folder: a copy is never put over another.")
        files = _databases(folder, in_file=not isinstance(place, DatabaseUrl))
        with whole_or_nothing(out):
            # First what may be older than the trial: a head that was given out later is not in the copy.
            if (folder / HEADS_FILE).exists():
                shutil.copy(folder / HEADS_FILE, out / HEADS_FILE)
            for name in files:
                snapshot(folder / name, out / name)
            # A file is placed before its entry is recorded, and its name is its hash: it is never changed.
            scans = [path for path in folder.glob(f"{_SCANS}/*") if len(path.name) == _HASH_LENGTH]
            if scans:
                (out / _SCANS).mkdir(mode=stat.S_IRWXU)
            for path in scans:
                shutil.copy2(path, out / _SCANS / path.name)
        say(f"copied    {counted(len(files), 'database')} to {out}: {', '.join(files)}")
        if scans:
            say(f"copied    {counted(len(scans), 'scan file')}")
        if isinstance(place, DatabaseUrl):
            say(f"not here  {describe(place)}, where the trial is: dump it with pg_dump before each copy.")
        say("not here  the keys: keep copies of them apart, or nobody opens the vault and the identities.")
        say(f"next      equipoise verify {out}")


def _databases(folder: Path, *, in_file: bool) -> tuple[str, ...]:
    """Name the databases in the order of copying: the trial goes first.

    What the ledger refers to in the vault was sealed there before, so that a later copy of the vault has it.
    """
    found = {path.name for path in folder.glob("*.sqlite")}
    expected = {VAULT_FILE, *((TRIAL_FILE,) if in_file else ())}
    missing = sorted(expected - found)
    if missing:
        fail("BACKUP-MISSING", f"{folder} lacks {' and '.join(missing)}. Name the folder of a trial.")
    return tuple(sorted(found, key=lambda name: (name != TRIAL_FILE, name)))
