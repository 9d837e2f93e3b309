"""Checks many records in parallel: in the order in which they stand, with memory that does not grow.

A task is a few records; as many tasks wait as the processes have at hand, so that neither the records nor
what was found pile up. What was found leaves as lines of JSON, and only counts are kept.
"""

from __future__ import annotations

import json
import signal
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from threading import Event, current_thread, main_thread
from typing import Final

from equipoise.exchange.registry.findings import MAJOR_COMMENT, Finding
from equipoise.exchange.registry.many.sources import Raw, records_in
from equipoise.exchange.registry.quality import review
from equipoise.exchange.registry.read import read_text
from equipoise.exchange.registry.read_json import read_json
from equipoise.exchange.registry.source import RecordUnreadable, decode

_RECORDS_A_TASK: Final = 32
_BYTES_A_TASK: Final = 1_000_000
_TASKS_A_PROCESS: Final = 3
_NAMED_MAX: Final = 20
_UNREADABLE: Final = "REC-DAMAGED"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: records checked, of which damaged, and bytes read of all bytes."""

    records: int
    damaged: int
    bytes_done: int
    bytes_all: int


@dataclass
class Summary:
    """What a run found: records, those that could not be read, and how many records each code touches.

    `damaged_named` names the first of the damaged ones, each with what is wrong; `majors` counts the records
    with a finding that a reviewer would call major; `comments` gives what each code is called.
    """

    records: int = 0
    damaged: int = 0
    majors: int = 0
    is_interrupted: bool = False
    damaged_named: list[str] = field(default_factory=list)
    touched: Counter[str] = field(default_factory=Counter)
    comments: dict[str, str] = field(default_factory=dict)

    def add(self, checked: Checked) -> None:
        """Count a record."""
        self.records += 1
        if checked.trouble:
            self.damaged += 1
            if len(self.damaged_named) < _NAMED_MAX:
                self.damaged_named.append(checked.trouble)
        self.majors += MAJOR_COMMENT in dict(checked.codes).values()
        for code, comment in checked.codes:
            self.touched[code] += 1
            # One code can be major in one record and advisory in another; it is called by the graver.
            if self.comments.get(code) != MAJOR_COMMENT:
                self.comments[code] = comment


@dataclass(frozen=True, slots=True)
class Checked:
    """What one record gave: its line of JSON, its codes with what they are called, what is wrong with it."""

    text: str
    codes: tuple[tuple[str, str], ...]
    trouble: str = ""


def finding_tree(finding: Finding) -> dict[str, object]:
    """Return a finding as plain values for JSON."""
    return {
        "code": finding.code,
        "severity": finding.severity,
        "comment": finding.comment,
        "sentence": finding.sentence,
        "remedy": finding.remedy,
        "places": [
            {"section": place.section, "line": place.line, "quote": place.quote} for place in finding.places
        ],
    }


def check_raw(raw: Raw) -> Checked:
    """Check one record as found."""
    head: dict[str, object] = {"file": raw.file, "line": raw.line}
    try:
        if raw.trouble:
            raise RecordUnreadable(_UNREADABLE, raw.trouble)
        source = decode(raw.content, raw.file)
        record = read_json(source) if raw.is_line else read_text(source)
    except RecordUnreadable as error:
        head |= {"error": {"code": error.code, "sentence": error.sentence, "place": error.place}}
        where = f"{raw.file}, line {raw.line}" if raw.line else raw.file
        return Checked(_line(head), (), f"{where}: {error.code}: {error.sentence}")
    findings = review(record)
    number = record.identification.nct_id
    head |= {
        "nctId": number.text if number else None,
        "findings": [finding_tree(finding) for finding in findings],
    }
    codes = {finding.code: finding.comment for finding in reversed(findings)}
    return Checked(_line(head), tuple(codes.items()))


def _line(tree: dict[str, object]) -> str:
    return json.dumps(tree, ensure_ascii=False) + "\n"


def _check_task(task: Sequence[Raw]) -> list[Checked]:
    return [check_raw(raw) for raw in task]


def _let_the_parent_stop() -> None:
    """Leave Ctrl-C to the process that collects: it says when to stop, and this one ends its task."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@dataclass
class _Tasks:
    """The records of some files in tasks, counting the bytes of those read."""

    paths: Sequence[Path]
    bytes_done: int = 0

    def __iter__(self) -> Iterator[list[Raw]]:
        task: list[Raw] = []
        size = 0
        for path in self.paths:
            before = self.bytes_done
            for raw in records_in(path):
                self.bytes_done = before + raw.done
                task.append(raw)
                size += len(raw.content)
                if len(task) >= _RECORDS_A_TASK or size >= _BYTES_A_TASK:
                    yield task
                    task, size = [], 0
            self.bytes_done = before + path.stat().st_size
        if task:
            yield task


@contextmanager
def _until_stopped() -> Iterator[Event]:
    """Let Ctrl-C set an event instead of breaking in, so that nothing is half written."""
    stop = Event()
    if current_thread() is not main_thread():
        yield stop
        return
    before = signal.signal(signal.SIGINT, lambda *_: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def check_many(
    files: Sequence[Path],
    jobs: int,
    write: Callable[[str], object],
    tell: Callable[[Progress], object],
) -> Summary:
    """Check the records of files, as `files_of` lists them, with so many processes; with one, in this one.

    `write` gets a line of JSON for each record, in the order of the records; `tell` how far the run is, after
    each task. Ctrl-C ends the run: what is done by then is written and counted. Raises RecordUnreadable:
    CHECK-PROCESS when a process ended by itself.
    """
    tasks = _Tasks(files)
    size = sum(path.stat().st_size for path in files)
    summary = Summary()

    def take(checked: Sequence[Checked]) -> None:
        for each in checked:
            write(each.text)
            summary.add(each)
        tell(Progress(summary.records, summary.damaged, tasks.bytes_done, size))

    with _until_stopped() as stop:
        if jobs > 1:
            _check_in_parallel(tasks, jobs, take, stop)
        else:
            for task in tasks:
                take(_check_task(task))
                if stop.is_set():
                    break
        summary.is_interrupted = stop.is_set()
    return summary


def _check_in_parallel(
    tasks: _Tasks, jobs: int, take: Callable[[Sequence[Checked]], None], stop: Event
) -> None:
    waiting: deque[Future[list[Checked]]] = deque()
    # Spawned, as a forked process would inherit the locks of whatever threads the caller has.
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_let_the_parent_stop) as pool:
        try:
            for task in tasks:
                waiting.append(pool.submit(_check_task, task))
                if len(waiting) >= jobs * _TASKS_A_PROCESS:
                    take(waiting.popleft().result())
                if stop.is_set():
                    pool.shutdown(wait=True, cancel_futures=True)
                    break
            while waiting and not waiting[0].cancelled():
                take(waiting.popleft().result())
        except BrokenProcessPool as error:
            raise RecordUnreadable(
                "CHECK-PROCESS",
                "A process of the check ended by itself, as for want of memory. Run it again with "
                "fewer --jobs.",
            ) from error
