"""Amendments that are sent as a zip: one file an account, kept until it is confirmed or for a day."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory, mkstemp

from django.utils.translation import gettext as _

from equipoise.access.actor import Actor
from equipoise.access.refusal import Refusal, Refused
from equipoise.conduct.clock import read_system_clock
from equipoise.definition.amendments import Change, compare_versions
from equipoise.definition.findings import Finding
from equipoise.definition.lint_study import draft_criteria
from equipoise.definition.load import check_study
from equipoise.definition.lock import check_lock
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.source import LOCK_NAME
from equipoise.exchange.made import MadeFile, write_folder
from equipoise.exchange.study_folder import read_study_zip
from equipoise.exchange.unreadable import FileUnreadable
from equipoise.governance.decide import check_amendment

_KEPT_SECONDS = timedelta(days=1).total_seconds()
_SENT_AS = "study.zip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What a study folder that was sent says, held against the version that the trial has.

    `definition` is None where the folder has errors; `refusal` says why the trial does not take it.
    """

    definition: StudyDefinition | None
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...]
    refusal: Refusal | None

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What forbids the use of the folder."""
        return tuple(each for each in self.findings if each.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """What looks wrong in it."""
        return tuple(each for each in self.findings if each.severity == "warning")


@dataclass(frozen=True, slots=True)
class SentFolders:
    """The study folders that were sent and are not confirmed yet, in one folder, for the owner only."""

    folder: Path

    def keep(self, actor: Actor, content: bytes) -> None:
        """Keep what an account sent, in the place of what it sent before; raises Refused for no zip."""
        _files_of(content)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._remove_old()
        handle, partial = mkstemp(dir=self.folder)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(partial).replace(self._place(actor))

    def read(self, actor: Actor) -> bytes | None:
        """Return what an account sent; None where there is nothing, or nothing any more."""
        with suppress(FileNotFoundError):
            return self._place(actor).read_bytes()
        return None

    def forget(self, actor: Actor) -> None:
        """Remove what an account sent."""
        self._place(actor).unlink(missing_ok=True)

    def examine(self, content: bytes, present: StudyDefinition, known: Sequence[str]) -> Examined:
        """Compile a folder that was sent and compare it with the present version; `known` are all numbers.

        Raises Refused for what is no zip of a study folder.
        """
        definition, findings, locked = _compile(self.folder, content)
        if definition is None:
            return Examined(definition=None, findings=findings, changes=(), refusal=None)
        changes = compare_versions(present, definition)
        refusal = check_amendment(definition, present, known) or _why_not_ready(definition, locked)
        return Examined(definition=definition, findings=findings, changes=changes, refusal=refusal)

    def _place(self, actor: Actor) -> Path:
        owner = f"{actor.account} {actor.role}"
        return self.folder / f"{sha256(owner.encode()).hexdigest()[:32]}.zip"

    def _remove_old(self) -> None:
        now = read_system_clock().timestamp()
        for path in list(self.folder.iterdir()):
            # What others are sending now comes and goes meanwhile.
            with suppress(FileNotFoundError):
                if now - path.stat().st_mtime > _KEPT_SECONDS:
                    rmtree(path) if path.is_dir() else path.unlink()


@lru_cache(maxsize=2)
def _compile(
    folder: Path, content: bytes
) -> tuple[StudyDefinition | None, tuple[Finding, ...], tuple[Finding, ...]]:
    """Return what a zip compiles to, what was found, and what stands against its lock, if it has one.

    The pages from its sending to its confirmation ask for the same several times.
    """
    files = _files_of(content)
    with TemporaryDirectory(dir=folder) as unpacked:
        study = Path(unpacked) / "study"
        write_folder(files, study)
        definition, findings = check_study(study)
        locked: tuple[Finding, ...] = ()
        if definition is not None and (study / LOCK_NAME).exists():
            locked = check_lock(study, definition)
        return definition, findings, locked


def _files_of(content: bytes) -> tuple[MadeFile, ...]:
    try:
        return read_study_zip(content, _SENT_AS)
    except FileUnreadable as failure:
        details = (failure.place,) if failure.place != _SENT_AS else ()
        raise Refused(Refusal(failure.code, failure.sentence, "", details)) from None


def _why_not_ready(definition: StudyDefinition, locked: Sequence[Finding]) -> Refusal | None:
    """Refuse a version under which nobody can be enrolled, and one that is not what its lock says."""
    drafts = draft_criteria(definition.eligibility)
    if drafts:
        sentence = _("The study has draft criteria, under which nobody can be enrolled.")
        return Refusal("OPEN-DRAFT", sentence, _("Write what each demands in eligibility.yaml."), drafts)
    if locked:
        sentence = _("The study.lock in the folder says something else than the folder.")
        remedy = _("Lock the folder anew, or leave study.lock out: what you confirm here is recorded.")
        return Refusal("LOCK-STALE", sentence, remedy)
    return None
