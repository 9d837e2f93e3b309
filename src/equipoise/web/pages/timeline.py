"""The drawing of a participant's course: epochs, windows, what took place, and today, along time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from equipoise.conduct.view.lines import TimelineLine
from equipoise.definition.model.definition import StudyDefinition
from equipoise.web.words_of_values import word_of_state

WIDTH = 1000
_LEFT, _RIGHT, _TOP, _ROW, _BOTTOM = 210, 24, 46, 24, 26
_TICKS_MAX = 12
_MONTHS_BETWEEN_TICKS = (1, 2, 3, 6, 12, 24, 60)
_BAR_HALF, _BAR_LEAST = 6, 4
_NAME_LENGTH_MAX, _LETTER = 28, 7


@dataclass(frozen=True, slots=True)
class Band:
    """An epoch: where it begins and how wide it is."""

    name: str
    x: int
    width: int
    shaded: bool


@dataclass(frozen=True, slots=True)
class Tick:
    """A day of the axis."""

    text: str
    x: int


@dataclass(frozen=True, slots=True)
class Mark:
    """What happened at an encounter, and when; `status` gives its shape and colour."""

    x: int
    status: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One encounter: its window, its target, what took place; whatever is not known is None."""

    name: str
    words: str
    middle: int
    x: int | None
    width: int
    target: int | None
    status: str
    mark: Mark | None

    @property
    def top(self) -> int:
        """The upper edge of the window."""
        return self.middle - _BAR_HALF


@dataclass(frozen=True, slots=True)
class Drawing:
    """The whole drawing, in units of an SVG view box."""

    width: int
    height: int
    left: int
    foot: int
    bands: tuple[Band, ...]
    ticks: tuple[Tick, ...]
    bars: tuple[Bar, ...]
    today: int | None

    @property
    def label_x(self) -> int:
        """Where the names of the encounters end."""
        return self.left - 10


@dataclass(frozen=True, slots=True)
class _Axis:
    first: date
    last: date

    def x(self, day: date) -> int:
        share = (day - self.first).days / max(1, (self.last - self.first).days)
        return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT))


def draw_timeline(definition: StudyDefinition, lines: Sequence[TimelineLine], today: date) -> Drawing | None:
    """Return the drawing of all encounters whose day is known, or None where none is.

    The axis reaches from the first day to the last; today is drawn where it falls on it.
    """
    placed = [line for line in lines if line.target is not None or line.took_place_on is not None]
    days = [day for line in placed for day in _days_of(line)]
    if not days:
        return None
    axis = _Axis(min(days) - timedelta(days=5), max(days) + timedelta(days=5))
    foot = _TOP + _ROW * len(placed)
    return Drawing(
        width=WIDTH,
        height=foot + _BOTTOM,
        left=_LEFT,
        foot=foot,
        bands=_bands(definition, placed, axis),
        ticks=_ticks(axis),
        bars=tuple(_bar(line, row, axis) for row, line in enumerate(placed)),
        today=axis.x(today) if axis.first <= today <= axis.last else None,
    )


def _days_of(line: TimelineLine) -> list[date]:
    took_place = date.fromisoformat(line.took_place_on) if line.took_place_on else None
    return [day for day in (line.opens, line.closes, took_place) if day is not None]


def _bar(line: TimelineLine, row: int, axis: _Axis) -> Bar:
    x, width = None, 0
    if line.opens is not None and line.closes is not None:
        x = axis.x(line.opens)
        width = max(_BAR_LEAST, axis.x(line.closes) - x)
    target = axis.x(line.target) if line.target is not None else None
    mark = None
    if line.took_place_on is not None:
        mark = Mark(axis.x(date.fromisoformat(line.took_place_on)), line.status)
    elif line.status == "missed" and target is not None:
        mark = Mark(target, line.status)
    words = f"{line.name}: {word_of_state(line.status)}"
    if line.took_place_on:
        words += f", {line.took_place_on}"
    elif line.opens is not None:
        words += f", {line.opens} – {line.closes}"
    return Bar(
        name=_short(line.name, _NAME_LENGTH_MAX),
        words=words,
        middle=_TOP + _ROW * row + _ROW // 2,
        x=x,
        width=width,
        target=target,
        status=line.status,
        mark=mark,
    )


def _short(name: str, length: int) -> str:
    return name if len(name) <= length else f"{name[: max(0, length - 1)].rstrip(' ,')}…"


def _bands(definition: StudyDefinition, lines: Sequence[TimelineLine], axis: _Axis) -> tuple[Band, ...]:
    """Return the epochs that have begun or are foreseen; each lasts until the next begins."""
    opened: dict[str, date] = {}
    for line in lines:
        planned = definition.schedule.encounter(line.encounter)
        if planned is not None and line.opens is not None:
            # An epoch begins with its first encounter's own day, not with the first day of its window.
            begins = line.target or line.opens
            opened[planned.epoch] = min(begins, opened.get(planned.epoch, begins))
    epochs = sorted((opened[epoch.id], epoch.name) for epoch in definition.study.epochs if epoch.id in opened)
    starts = [axis.x(day) for day, _ in epochs]
    if starts:
        starts[0] = _LEFT
    ends = [*starts, WIDTH - _RIGHT][1:]
    return tuple(
        Band(_short(name, (end - start) // _LETTER), start, max(0, end - start), place % 2 == 0)
        for place, ((_, name), start, end) in enumerate(zip(epochs, starts, ends, strict=True))
    )


def _ticks(axis: _Axis) -> tuple[Tick, ...]:
    months = (axis.last.year - axis.first.year) * 12 + axis.last.month - axis.first.month
    step = next(
        (each for each in _MONTHS_BETWEEN_TICKS if months / each <= _TICKS_MAX), _MONTHS_BETWEEN_TICKS[-1]
    )
    count = axis.first.year * 12 + axis.first.month
    found = []
    while (day := date(count // 12, count % 12 + 1, 1)) <= axis.last:
        if (day.month - 1) % min(step, 12) == 0:
            found.append(Tick(f"{day:%Y-%m}", axis.x(day)))
        count += 1
    return tuple(found)
