"""Summaries of a group: what was seen, before any model."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

import numpy as np

from equipoise.analysis.derive import Frame
from equipoise.analysis.result import Figure, GroupSummary
from equipoise.analysis.rows import Row, Rows
from equipoise.definition.model.analysis import Endpoint, Fit
from equipoise.statistics.intervals import clopper_pearson, poisson_rate_interval, quartiles
from equipoise.statistics.survival import kaplan_meier


def summarise_groups(frame: Frame, endpoint: Endpoint, fit: Fit, rows: Rows) -> tuple[GroupSummary, ...]:
    """A summary of every arm that has members, or of everybody in a masked cut or without arms."""
    arms: tuple[str | None, ...] = frame.arms
    groups: list[GroupSummary] = []
    for arm in arms or (None,):
        mine = rows.of_arm(arm)
        missing = sum(arm is None or other == arm for _, _, other in rows.missing)
        groups.append(
            GroupSummary(
                arm=arm,
                name=arm_name(frame, arm),
                n=len(mine),
                missing=missing,
                figures=summarise(frame, endpoint, fit, mine),
            )
        )
    return tuple(groups)


def arm_name(frame: Frame, arm: str | None) -> str:
    """What tables and figures call an arm, or the words for everybody."""
    known = None if arm is None else frame.definition.arm(arm)
    return known.label if known else "All participants"


def summarise(frame: Frame, endpoint: Endpoint, fit: Fit, rows: Sequence[Row]) -> tuple[Figure, ...]:
    """The figures of one group by the type of the endpoint."""
    if not rows:
        return ()
    level = float(fit.confidence)
    if fit.model == "repeated_measures":
        return _measurements(frame, fit, rows)
    if endpoint.type == "binary":
        return proportion([row.event for row in rows], level)
    if endpoint.type == "time_to_event":
        return _times(rows, level)
    if fit.against is not None:
        first, second = [row.response for row in rows], [row.against for row in rows]
        if endpoint.type == "count":
            return (
                Figure(name="Events", value=sum(first), kind="count"),
                Figure(name="Events in the other period", value=sum(second), kind="count"),
                *_rate("Rate", first, [row.offset for row in rows], fit.offset is not None),
                *_rate(
                    "Rate in the other period",
                    second,
                    [row.offset_against for row in rows],
                    fit.offset_against is not None,
                ),
            )
        differences = [row.response - row.against for row in rows]
        return tuple(
            Figure(
                name=f"{each.name} of the difference" if each.name in ("Mean", "Median") else each.name,
                value=each.value,
                low=each.low,
                high=each.high,
                kind=each.kind,
            )
            for each in moments(differences)
        )
    values = [row.response for row in rows]
    if endpoint.type == "count":
        return counts(values, [row.offset for row in rows] if fit.offset is not None else None, level)
    return moments(values)


def moments(values: Sequence[float]) -> tuple[Figure, ...]:
    """Mean with SD, median with quartiles, and range."""
    x = np.asarray(values, dtype=float)
    low, middle, high = quartiles(x)
    return (
        Figure(name="Mean", value=float(x.mean())),
        Figure(name="SD", value=float(x.std(ddof=1)) if len(x) > 1 else None),
        Figure(name="Median", value=middle, low=low, high=high),
        Figure(name="Range", value=None, low=float(x.min()), high=float(x.max())),
    )


def counts(values: Sequence[float], offsets: Sequence[float] | None, level: float) -> tuple[Figure, ...]:
    """Events, participants with one or more, the rate, and the spread."""
    x = np.asarray(values, dtype=float)
    some = clopper_pearson(int((x > 0).sum()), len(x), level)
    share = Figure(
        name="With one or more",
        value=100 * (some.estimate or 0.0),
        low=100 * (some.low or 0.0),
        high=100 * (1.0 if some.high is None else some.high),
        kind="percent",
    )
    return (
        Figure(name="Events", value=float(x.sum()), kind="count"),
        Figure(name="Participants with one or more", value=float((x > 0).sum()), kind="count"),
        share,
        *_rate("Rate", values, offsets or [0.0] * len(x), offsets is not None),
        *moments(values),
    )


def _rate(name: str, values: Sequence[float], offsets: Sequence[float], exposed: bool) -> tuple[Figure, ...]:
    if not exposed:
        return ()
    exposure = sum(exp(each) for each in offsets)
    return (Figure(name=name, value=poisson_rate_interval(int(sum(values)), exposure).estimate),)


def proportion(events: Sequence[bool], level: float) -> tuple[Figure, ...]:
    """How many, of how many, in per cent with the exact interval."""
    found = clopper_pearson(sum(events), len(events), level)
    assert found.estimate is not None and found.low is not None and found.high is not None
    return (
        Figure(name="Participants with the event", value=float(sum(events)), kind="count"),
        Figure(
            name="Share",
            value=100 * found.estimate,
            low=100 * found.low,
            high=100 * found.high,
            kind="percent",
        ),
    )


def _times(rows: Sequence[Row], level: float) -> tuple[Figure, ...]:
    curve = kaplan_meier([row.response for row in rows], [row.event for row in rows], level)
    return (
        Figure(name="Participants with the event", value=float(sum(row.event for row in rows)), kind="count"),
        Figure(name="Time at risk", value=sum(row.response for row in rows), kind="count"),
        Figure(name="Median time", value=curve.median, low=curve.median_low, high=curve.median_high),
    )


def _measurements(frame: Frame, fit: Fit, rows: Sequence[Row]) -> tuple[Figure, ...]:
    figures: list[Figure] = []
    for index, encounter in enumerate(fit.repeated):
        planned = frame.definition.schedule.encounter(encounter)
        name = planned.name if planned else encounter
        known = [each for row in rows if (each := row.measurements[index]) is not None]
        figures.append(Figure(name=f"{name}, n", value=float(len(known)), kind="count"))
        if known:
            mean, sd, *_ = moments(known)
            figures += [
                Figure(name=f"{name}, mean", value=mean.value),
                Figure(name=f"{name}, SD", value=sd.value),
            ]
    return tuple(figures)
