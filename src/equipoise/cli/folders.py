"""The folder of a trial: its databases, their keys, the heads that were published."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from equipoise.cli.console import counted, fail, say
from equipoise.store.names import HEADS_FILE, TRIAL_FILE, VAULT_FILE

if TYPE_CHECKING:
    from equipoise.conduct.trial import Trial
    from equipoise.ledger import Head
    from equipoise.store.place import Place
    from equipoise.store.vault import DatabaseVault


@dataclass(frozen=True, slots=True)
class TrialFolder:
    """A new trial's folder while the trial is put into it."""

    path: Path
    vault: DatabaseVault
    head_key: bytes

    def keep(self, trial: Trial) -> None:
        """Keep a trial that is in memory: in the database that the setting names, else in a file here."""
        from equipoise.conduct.rooms import apply_entry
        from equipoise.definition.lock import canonical_json
        from equipoise.ledger.tables import Tables
        from equipoise.store.place import trial_place
        from equipoise.store.trial_store import TrialStore

        entries, tables = list(trial.ledger.read()), Tables()
        tables.begin()
        for entry in entries:
            apply_entry(tables, entry)
        definition = trial.definition
        place = trial_place(self.path / TRIAL_FILE)
        store = TrialStore.create(place, definition.hash, canonical_json(definition))
        try:
            with store.ledger.exclusive() as transaction:
                transaction.append(entries, tables.changes())
        finally:
            store.close()

    def publish(self, head: Head, occasion: str) -> None:
        """Sign a head and add it to the published ones."""
        from equipoise.store.heads import publish_head

        publish_head(self.path / HEADS_FILE, head, occasion, self.head_key)

    def say_head(self, head: Head) -> None:
        """Print where the ledger stands and whose signature its published heads have."""
        from equipoise.store.heads import public_key_of

        say(f"ledger    {counted(head.position, 'entry', 'entries')}, head {head.hash}")
        say(f"signed    with the public key {public_key_of(self.head_key)}")


@contextmanager
def new_trial(out: Path, *, identities: bool) -> Iterator[TrialFolder]:
    """Make a new trial's vault and keys in a new or empty folder; all of it goes again on any failure.

    `identities` adds the register of identities, which a trial has that people go on with.
    """
    from equipoise.store.heads import HEAD_KEY
    from equipoise.store.identities import IDENTITIES, IDENTITIES_KEY, IdentityRegister
    from equipoise.store.sealing import read_or_make_key
    from equipoise.store.vault import VAULT_KEY, DatabaseVault

    for name in (TRIAL_FILE, VAULT_FILE, *((IDENTITIES.file,) if identities else ())):
        if (out / name).exists():
            fail(
                "OUT-EXISTS",
                f"{out / name} is there already. Choose another folder: a trial is never overwritten.",
            )
    with ExitStack() as stack:
        stack.enter_context(whole_or_nothing(out))
        key, head_key = read_or_make_key(out, VAULT_KEY), read_or_make_key(out, HEAD_KEY)
        vault = DatabaseVault.create(out / VAULT_FILE, key)
        stack.callback(vault.close)
        if identities:
            key = read_or_make_key(out, IDENTITIES_KEY)
            IdentityRegister.create(out / IDENTITIES.file, key).close()
        yield TrialFolder(out, vault, head_key)


def place_of(trial: Path) -> Place:
    """Return where the trial is kept that a command names: the file itself, where there is one."""
    from equipoise.store.place import trial_place

    return trial if trial.is_file() else trial_place(trial)


@contextmanager
def whole_or_nothing(out: Path) -> Iterator[None]:
    """Make a folder where there is none; what was made goes again when the command does not end well."""
    made = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    before = set(out.iterdir())
    try:
        yield
    except BaseException:
        for path in set(out.iterdir()) - before:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        if made:
            out.rmdir()
        raise
