"""One rehearsal in memory, and where its time goes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from time import perf_counter
from typing import Any
from unittest.mock import patch

import equipoise.conduct.rooms
import equipoise.conduct.trial
from equipoise.allocation.decide import Allocator
from equipoise.conduct.trial import Trial
from equipoise.definition.model.definition import StudyDefinition
from equipoise.rehearsal.rehearse import RehearsalResult, rehearse

_SIMULATION = "simulation"
_PARTS_OF_RECORDING = {
    "check_policies": "policies",
    "derive_reactions": "reactions",
    "evidence_of": "evidence",
    "seal": "sealing",
}


@dataclass(frozen=True, slots=True)
class RehearsingFigures:
    """How many took part, seconds on the wall, and the seconds of each part, which add up to them."""

    participants: int
    commands: int
    entries: int
    seconds: float
    parts: Mapping[str, float]


class _Meter:
    """Counts time to the innermost part that is at work."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.calls: Counter[str] = Counter()
        self._parts = [_SIMULATION]
        self._since = perf_counter()

    def of(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that does the same and is counted."""

        def counted(*arguments: Any, **named: Any) -> Any:
            self._turn()
            self._parts.append(part)
            self.calls[part] += 1
            try:
                return function(*arguments, **named)
            finally:
                self._turn()
                self._parts.pop()

        return counted

    def stop(self) -> None:
        """Count what is left to the part that is at work."""
        self._turn()

    def _turn(self) -> None:
        now = perf_counter()
        self.seconds[self._parts[-1]] += now - self._since
        self._since = now


def measure_rehearsing(definition: StudyDefinition, **rehearsal: Any) -> RehearsingFigures:
    """Rehearse in memory with every room's decisions and applications counted."""
    meter = _Meter()
    with ExitStack() as stack:
        for target, name, replacement in _counted(meter):
            stack.enter_context(patch.object(target, name, replacement))
        result: RehearsalResult = rehearse(definition, **rehearsal)
    meter.stop()
    parts = dict(meter.seconds)
    return RehearsingFigures(
        result.randomised, meter.calls["conduct"], result.trial.head.position, sum(parts.values()), parts
    )


def _counted(meter: _Meter) -> list[tuple[Any, str, Any]]:
    trial, rooms = equipoise.conduct.trial, equipoise.conduct.rooms
    decide = {command: _in_room(meter, each) for command, each in rooms.DECIDE.items()}
    apply = {kind: [_in_room(meter, each) for each in several] for kind, several in rooms.APPLY.items()}
    make = Allocator.__init__

    def make_counted(allocator: Allocator, *arguments: Any) -> None:
        make(allocator, *arguments)
        allocator.decide = {command: _in_room(meter, each) for command, each in allocator.decide.items()}

    return [
        (trial, "DECIDE", decide),
        (rooms, "APPLY", apply),
        (Allocator, "__init__", make_counted),
        (Trial, "record", meter.of("conduct", Trial.record)),
        *((trial, name, meter.of(part, getattr(trial, name))) for name, part in _PARTS_OF_RECORDING.items()),
    ]


def _in_room(meter: _Meter, function: Callable[..., Any]) -> Callable[..., Any]:
    return meter.of(function.__module__.split(".")[1], function)
