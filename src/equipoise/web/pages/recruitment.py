"""The drawing of recruitment: how many were randomised by each day, against the plan, and by site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from equipoise.conduct.view.lines import RecruitmentLine, SiteLine
from equipoise.definition.model.definition import StudyDefinition

WIDTH, HEIGHT = 1000, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 24, 16, 34
_TICKS = 5
_DAYS_TICKS_MAX = 9
_NICE = (1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid with its words."""

    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Plot:
    """The curve and the plan, as the points of SVG polylines; `plan` is empty where none can be drawn."""

    width: int
    height: int
    left: int
    right: int
    top: int
    foot: int
    curve: str
    consents: str
    plan: str
    days: tuple[Tick, ...]
    counts: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class SiteBar:
    """One site's bar: consented, and of these randomised; in units of a bar 600 wide."""

    site: str
    consented: int
    randomised: int
    consented_width: int
    randomised_width: int
    top: int

    @property
    def text_y(self) -> int:
        """The base line of the words beside the bar."""
        return self.top + 15

    @property
    def count_x(self) -> int:
        """Where the counts stand."""
        return _BAR_LEFT + self.consented_width + 8


BAR_ROW = 28
_BAR_LEFT, _BAR_WIDTH = 70, 600


@dataclass(frozen=True, slots=True)
class Plan:
    """What was planned: how many, from when, until which last day of randomisation."""

    enrolment: int
    first: date
    last: date


def plan_of(definition: StudyDefinition, line: RecruitmentLine) -> Plan | None:
    """Return the plan of recruitment, even from the first activation to the last day that leaves time.

    That day is the primary completion less the longest follow-up after randomisation. None where the
    definition gives no such date.
    """
    completion = definition.study.dates.primary_completion
    if completion is None or line.first_activated_at is None:
        return None
    follow_up = max(
        (each.day + each.late_days for each in definition.schedule.encounters if each.anchor != "consent"),
        default=0,
    )
    first = date.fromisoformat(line.first_activated_at[:10])
    last = completion - timedelta(days=follow_up)
    return Plan(line.planned_enrolment, first, last) if last > first else None


def draw_recruitment(line: RecruitmentLine, plan: Plan | None, today: date) -> Plot | None:
    """Return the drawing up to today, or None before the first site is active."""
    if line.first_activated_at is None:
        return None
    first = date.fromisoformat(line.first_activated_at[:10])
    randomised = sorted(date.fromisoformat(day) for site in line.sites for day in site.randomised_on)
    consented = sorted(date.fromisoformat(day) for site in line.sites for day in site.consented_on)
    last = max([today, first + timedelta(days=30), *randomised, *consented])
    expected = _expected(plan, last) if plan else 0
    most = max(len(consented), len(randomised), round(expected), 4)
    step = next((each for each in _NICE if most / each <= _TICKS), most)
    top = -(-most // step) * step
    axes = _Axes(first, last, top)
    return Plot(
        width=WIDTH,
        height=HEIGHT,
        left=_LEFT,
        right=WIDTH - _RIGHT,
        top=_TOP,
        foot=HEIGHT - _BOTTOM,
        curve=axes.steps(randomised),
        consents=axes.steps(consented),
        plan=_plan_points(plan, axes) if plan else "",
        days=axes.day_ticks(),
        counts=tuple(Tick(str(count), axes.y(count)) for count in range(0, top + 1, step)),
    )


def _expected(plan: Plan, day: date) -> float:
    share = (day - plan.first).days / (plan.last - plan.first).days
    return plan.enrolment * min(1.0, max(0.0, share))


def _plan_points(plan: Plan, axes: _Axes) -> str:
    days = [axes.first, *([plan.last] if plan.last < axes.last else []), axes.last]
    return " ".join(f"{axes.x(day)},{axes.y(_expected(plan, day))}" for day in days)


@dataclass(frozen=True, slots=True)
class _Axes:
    first: date
    last: date
    top: int

    def x(self, day: date) -> int:
        share = (day - self.first).days / max(1, (self.last - self.first).days)
        return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT))

    def y(self, count: float) -> int:
        return round(HEIGHT - _BOTTOM - count / self.top * (HEIGHT - _TOP - _BOTTOM))

    def steps(self, days: Sequence[date]) -> str:
        points = [(self.x(self.first), self.y(0))]
        for count, day in enumerate(days, 1):
            points += [
                (self.x(max(day, self.first)), self.y(count - 1)),
                (self.x(max(day, self.first)), self.y(count)),
            ]
        points.append((self.x(self.last), self.y(len(days))))
        return " ".join(f"{x},{y}" for x, y in points)

    def day_ticks(self) -> tuple[Tick, ...]:
        months = (self.last.year - self.first.year) * 12 + self.last.month - self.first.month
        step = next(each for each in (1, 2, 3, 6, 12, 24, 60, 1200) if months / each <= _DAYS_TICKS_MAX)
        start = self.first.year * 12 + self.first.month
        every = (date(each // 12, each % 12 + 1, 1) for each in range(start, start + months))
        return tuple(
            Tick(f"{day:%Y-%m}", self.x(day)) for day in every if (day.year * 12 + day.month - 1) % step == 0
        )


def site_bars(sites: Sequence[SiteLine]) -> tuple[SiteBar, ...]:
    """Return a bar for each site, in the order given."""
    most = max((each.consented for each in sites), default=0) or 1
    return tuple(
        SiteBar(
            site=each.site,
            consented=each.consented,
            randomised=each.randomised,
            consented_width=round(_BAR_WIDTH * each.consented / most),
            randomised_width=round(_BAR_WIDTH * each.randomised / most),
            top=BAR_ROW * place + 4,
        )
        for place, each in enumerate(sites)
    )
