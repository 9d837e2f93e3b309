"""Registry records checked a second, and the memory that takes, by the number of records."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from equipoise.definition.load import load_study
from equipoise.exchange.registry import registry_record
from equipoise.studies import study_folder, study_names

_REAL = Path(__file__).resolve().parents[2] / "shared" / "external" / "records"
_LINES = 1_000
_SECONDS_MAX = 120.0
# In a process of its own, whose memory nothing else has swelled. It stops as Ctrl-C stops it.
_RUN = """
import json, resource, signal, sys
from pathlib import Path
from time import perf_counter
from equipoise.exchange.registry.many import check_many

def own_peak():
    # What the system counts for a process begins with the memory of the one that started it; this does not.
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) / 1024 for line in status.open() if line.startswith("VmHWM"))

def checking_peak():
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024

if __name__ == "__main__":
    dump, times, jobs, seconds_max = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    bytes_out, start = 0, perf_counter()

    def write(line):
        global bytes_out
        bytes_out += len(line)

    def tell(progress):
        if perf_counter() - start > seconds_max:
            signal.raise_signal(signal.SIGINT)

    summary = check_many([Path(dump)] * times, jobs, write, tell)
    seconds = perf_counter() - start
    print(json.dumps([summary.records, summary.damaged, seconds, bytes_out, own_peak(), checking_peak()]))
"""


@dataclass(frozen=True, slots=True)
class RecordsRow:
    """Records asked for and checked, in how many seconds, and the peak memory in MB of the process that
    collects and of the largest of those that check.
    """

    asked: int
    checked: int
    damaged: int
    seconds: float
    collecting: float
    checking: float


def measure_records(folder: Path, *, quick: bool = False, whole: bool = False) -> list[RecordsRow]:
    """Measure with a process for each core; a run that takes longer than two minutes ends there, unless the
    whole is asked for, and is told as far as it came.
    """
    lines, sizes = (8, (8, 16)) if quick else (_LINES, (1_000, 10_000, 100_000))
    dump, program = folder / "dump.jsonl", folder / "run.py"
    templates = list(_templates())
    with dump.open("w", encoding="utf-8") as handle:
        for place in range(lines):
            handle.write(templates[place % len(templates)] + "\n")
    program.write_text(_RUN, encoding="utf-8")
    seconds_max = inf if whole else _SECONDS_MAX
    return [_measure(program, dump, size, size // lines, seconds_max) for size in sizes]


def _measure(program: Path, dump: Path, size: int, times: int, seconds_max: float) -> RecordsRow:
    jobs = str(os.cpu_count() or 1)
    command = [sys.executable, str(program), str(dump), str(times), jobs, str(seconds_max)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    checked, damaged, seconds, _, collecting, checking = json.loads(done.stdout)
    return RecordsRow(size, checked, damaged, seconds, collecting, checking)


def _templates() -> Iterator[str]:
    """Yield the study's own record in several sizes, and real ones where they are at hand."""
    record = registry_record(load_study(study_folder(study_names()[0])).definition)
    for times in (1, 1, 1, 2, 3, 5):
        yield json.dumps(_longer(record, times), ensure_ascii=False)
    for path in sorted(_REAL.glob("*.json")) if _REAL.is_dir() else ():
        yield json.dumps(json.loads(path.read_text(encoding="utf-8")), ensure_ascii=False)


def _longer(record: Any, times: int) -> Any:
    """Return a record with its texts and its lists of outcomes and criteria repeated."""
    made = json.loads(json.dumps(record))
    section = made["protocolSection"]
    for module, name in (
        ("descriptionModule", "detailedDescription"),
        ("eligibilityModule", "eligibilityCriteria"),
    ):
        if name in section.get(module, {}):
            section[module][name] = "\n\n".join([section[module][name]] * times)
    outcomes = section.get("outcomesModule", {})
    for name, listed in outcomes.items():
        outcomes[name] = listed * times
    return made
