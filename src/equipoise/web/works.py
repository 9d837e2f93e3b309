"""Long works: what takes longer than a page may, done beside the pages in a thread of this process.

A work belongs to the account and the role that asked for it. Its result is a file in the clinic's folder,
readable by the owner of the process only and removed after a day.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread
from typing import Any

from django.db import IntegrityError, connections, transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from equipoise.access.actor import Actor
from equipoise.access.refusal import Refusal, Refused
from equipoise.conduct.clock import read_system_clock
from equipoise.conduct.view import MaskedView, UnmaskedView
from equipoise.ledger.entry import Head
from equipoise.ledger.protocol import StoreUnavailable
from equipoise.web.accounts.models import Job
from equipoise.web.clinic import Clinic
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Kinds

_BEAT_SECONDS = 1.0
_SILENT = timedelta(seconds=30)
_KEPT = timedelta(days=1)
_AT_ONCE = 2
_SENTENCE_LENGTH = 500

_running: list[Thread] = []


@dataclass
class Work:
    """A work under way: for whom, on what, and how far it is.

    `made_of` says, once that is known, of which state of the trial its result is, and the hash of its file.
    """

    clinic: Clinic
    actor: Actor
    arguments: dict[str, Any]
    path: Path
    done: int = 0
    total: int = 0
    made_of: dict[str, Any] = field(default_factory=dict)
    ended: Event = field(default_factory=Event)

    @property
    def seen(self) -> MaskedView | UnmaskedView:
        """The trial as whoever asked may see it now."""
        return self.clinic.trial.as_seen_by(self.actor)

    def plan(self, total: int) -> None:
        """Say of how many steps the work is."""
        self.total = total

    def step(self) -> None:
        """Say that a step is done."""
        self.done += 1

    def be_at(self, done: int, total: int) -> None:
        """Say how many steps of how many are done."""
        self.done, self.total = done, total

    def is_of(self, head: Head) -> None:
        """Say of which state of the trial the result is."""
        self.made_of |= {"position": head.position, "head": head.hash}

    def write(self, content: bytes | Iterable[bytes]) -> None:
        """Write the result, readable by the owner of the process only."""
        digest = sha256()
        with os.fdopen(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            for piece in (content,) if isinstance(content, bytes) else content:
                file.write(piece)
                digest.update(piece)
        self.made_of["sha256"] = digest.hexdigest()


Make = Callable[[Work], "str | Refusal"]
"""Does a work, writes its result, and returns the name under which it is taken away, or why it is not."""


@dataclass(frozen=True, slots=True)
class WorkKind:
    """A kind of long work: what it is called, what it makes, who may ask for it.

    `needs` returns why it cannot be done in the present state of the trial, or None. `read` returns what a
    form asks of it, and raises Refused for what cannot be asked.
    """

    name: str
    title: Promise
    explanation: Promise
    visible: Kinds
    make: Make
    needs: Callable[[MaskedView | UnmaskedView], Refusal | None] = lambda _seen: None
    read: Callable[[ClinicRequest], dict[str, Any]] = lambda _request: {}


def start(
    clinic: Clinic, actor: Actor, kind: WorkKind, arguments: dict[str, Any], ticket: str
) -> str | Refusal:
    """Begin a work and return its code; the same ticket begins it once.

    Refuses an account that has too much under way.
    """
    remove_old(clinic)
    code = sha256(f"{actor.account} {ticket}".encode()).hexdigest()[:32]
    mine = [each for each in works_of(actor) if each.status == "running" and not is_interrupted(each)]
    if len(mine) >= _AT_ONCE and code not in {each.job for each in mine}:
        sentence = _("Two of your works are still under way.")
        return Refusal("WEB-WORKS-BUSY", sentence, _("Wait until one of them is done."))
    language = translation.get_language() or "en"
    try:
        with transaction.atomic():
            Job.objects.create(
                job=code,
                account=actor.account,
                role=actor.role,
                site=actor.site or "",
                kind=kind.name,
                arguments=arguments,
            )
    except IntegrityError:
        return code
    clinic.jobs.mkdir(mode=0o700, exist_ok=True)
    work = Work(clinic, actor, arguments, clinic.jobs / code)
    thread = Thread(target=_run, args=(kind, work, language), name=f"work {kind.name}", daemon=True)
    _running[:] = [each for each in _running if each.is_alive()]
    _running.append(thread)
    thread.start()
    return code


def wait_for_works() -> None:
    """Wait until every work of this process has ended."""
    for thread in list(_running):
        thread.join()


def works_of(actor: Actor) -> QuerySet[Job]:
    """Return the works of an account in a role, the latest first."""
    return Job.objects.filter(account=actor.account, role=actor.role, site=actor.site or "").order_by(
        "-started_at", "job"
    )


def is_interrupted(job: Job) -> bool:
    """Tell whether the process that did a work is gone: it has said nothing for a while."""
    return job.status == "running" and read_system_clock() - job.beat_at > _SILENT


def remove_old(clinic: Clinic) -> None:
    """Remove the works that began more than a day ago, with what they made."""
    old = Job.objects.filter(started_at__lt=read_system_clock() - _KEPT)
    for job in list(old):
        (clinic.jobs / job.job).unlink(missing_ok=True)
        job.delete()


def remove_made(clinic: Clinic) -> None:
    """Remove the results of all works that have ended: they may hold what the record holds no more."""
    for job in Job.objects.exclude(status="running"):
        (clinic.jobs / job.job).unlink(missing_ok=True)
        job.delete()


def _run(kind: WorkKind, work: Work, language: str) -> None:
    beat = Thread(target=_beat, args=(work,), daemon=True)
    beat.start()
    sentence = _("It went wrong in a way that we did not foresee.")
    outcome: str | Refusal = Refusal("WEB-DEFECT", sentence, _("Tell the administrator when it was."))
    try:
        with translation.override(language):
            outcome = kind.make(work)
    except Refused as refused:
        outcome = refused.refusal
    except StoreUnavailable as failure:
        outcome = Refusal(
            failure.code, _("The trial cannot be reached at this moment."), _("Start it again.")
        )
    finally:
        work.ended.set()
        beat.join()
        _note_end(work, outcome)
        connections.close_all()


def _beat(work: Work) -> None:
    """Note how far a work is, again and again: a work that is not noted any more was interrupted."""
    while not work.ended.wait(_BEAT_SECONDS):
        _update(work, done=work.done, total=work.total)
    connections.close_all()


def _note_end(work: Work, outcome: str | Refusal) -> None:
    if isinstance(outcome, Refusal):
        with suppress(FileNotFoundError):
            work.path.unlink()
        sentence = f"{outcome.sentence} {outcome.remedy}"[:_SENTENCE_LENGTH]
        _update(work, status="refused", code=outcome.code, sentence=sentence)
        return
    arguments = work.arguments | work.made_of
    _update(work, status="done", done=work.total, total=work.total, file=outcome, arguments=arguments)


def _update(work: Work, **fields: Any) -> None:
    Job.objects.filter(job=work.path.name).update(beat_at=read_system_clock(), **fields)
