"""Estimates within one group: its two periods compared, or its value alone with an exact or t interval."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

import numpy as np

from equipoise.analysis.models import ranked
from equipoise.analysis.result import Estimate
from equipoise.analysis.rows import INTERCEPT, Row
from equipoise.definition.model.analysis import Endpoint, Fit
from equipoise.statistics.continuous import paired_t, signed_rank
from equipoise.statistics.counts import fit_negative_binomial, fit_poisson_gee
from equipoise.statistics.intervals import (
    Bounds,
    clopper_pearson,
    mean_interval,
    median_interval,
    poisson_rate_interval,
)
from equipoise.statistics.survival import kaplan_meier

METHODS = {
    "count": "Poisson regression of both periods with robust standard errors, one cluster per participant",
    "continuous": "Paired t test of the differences within participants",
    "ranks": "Wilcoxon signed-rank test with the Hodges-Lehmann estimate",
}

ALONE = {
    "count": "Mean rate by a negative binomial model without covariates; where there is no over-dispersion, "
    "the exact Poisson interval",
    "binary": "Proportion with the exact interval of Clopper and Pearson",
    "continuous": "Mean with its t interval",
    "ranks": "Median with its interval by order statistics",
    "time_to_event": "Median time by Kaplan and Meier",
}


def periods_compared(
    endpoint: Endpoint, fit: Fit, rows: Sequence[Row], name: str, arm: str | None
) -> Estimate:
    """`response` against `against` in the same participants."""
    level = float(fit.confidence)
    blank = Estimate(label=name, measure="", scale="difference", value=None, low=None, high=None, arm=arm)
    differences = [row.response - row.against for row in rows]
    if endpoint.type == "count" and fit.model != "wilcoxon_paired":
        return _rates_compared(fit, rows, name, arm)
    if fit.model == "wilcoxon_paired":
        found = signed_rank(differences, level)
        return ranked(_measured(blank, "Shift (Hodges-Lehmann)"), found)
    contrast = paired_t(differences, level)
    return Estimate(
        label=name,
        measure="Mean difference of the periods",
        scale="difference",
        value=None if contrast is None else contrast.estimate,
        low=None if contrast is None else contrast.low,
        high=None if contrast is None else contrast.high,
        p=None if contrast is None else contrast.p,
        se=None if contrast is None else contrast.se,
        arm=arm,
    )


def _measured(blank: Estimate, measure: str) -> Estimate:
    return Estimate(
        label=blank.label, measure=measure, scale="difference", value=None, low=None, high=None, arm=blank.arm
    )


def _rates_compared(fit: Fit, rows: Sequence[Row], name: str, arm: str | None) -> Estimate:
    y = [value for row in rows for value in (row.response, row.against)]
    offset = [value for row in rows for value in (row.offset, row.offset_against)]
    matrix = np.tile([[1.0, 1.0], [1.0, 0.0]], (len(rows), 1))
    clusters = [row.participant for row in rows for _ in range(2)]
    found = fit_poisson_gee(y, matrix, offset, (INTERCEPT, "period"), clusters)
    usable = found.usable and found.status != "separated"
    contrast = found.coefficients.contrast("period", float(fit.confidence)) if usable else None
    return Estimate(
        label=name,
        measure="Rate ratio of the periods",
        scale="ratio",
        value=None if contrast is None else exp(contrast.estimate),
        low=None if contrast is None else exp(min(contrast.low, 700.0)),
        high=None if contrast is None else exp(min(contrast.high, 700.0)),
        p=None if contrast is None else contrast.p,
        se=None if contrast is None else contrast.se,
        arm=arm,
    )


def value_alone(endpoint: Endpoint, fit: Fit, rows: Sequence[Row], name: str, arm: str | None) -> Estimate:
    """The value of one group with its interval."""
    level = float(fit.confidence)
    measure, bounds = _alone(endpoint, fit, rows, level)
    return Estimate(
        label=name,
        measure=measure,
        scale="value",
        value=bounds.estimate,
        low=bounds.low,
        high=bounds.high,
        arm=arm,
    )


def _alone(endpoint: Endpoint, fit: Fit, rows: Sequence[Row], level: float) -> tuple[str, Bounds]:
    if fit.model == "repeated_measures":
        last = [each for row in rows if (each := row.measurements[-1]) is not None]
        return f"Mean, {fit.repeated[-1].replace('_', ' ')}", mean_interval(last, level)
    if endpoint.type == "binary":
        found = clopper_pearson(sum(row.event for row in rows), len(rows), level)
        share, low, high = (None if x is None else 100 * x for x in (found.estimate, found.low, found.high))
        return "Per cent", Bounds(share, low, high)
    if endpoint.type == "time_to_event":
        curve = kaplan_meier([row.response for row in rows], [row.event for row in rows], level)
        return "Median time", Bounds(curve.median, curve.median_low, curve.median_high)
    values = [row.response for row in rows]
    if endpoint.type == "count":
        return "Mean rate" if fit.offset is not None else "Mean count", _rate(rows, level)
    if fit.model == "wilcoxon_paired":
        return "Median", median_interval(values, level)
    return "Mean", mean_interval(values, level)


def _rate(rows: Sequence[Row], level: float) -> Bounds:
    exposure = sum(exp(row.offset) for row in rows)
    exact = poisson_rate_interval(int(sum(row.response for row in rows)), exposure, level)
    found = fit_negative_binomial(
        [row.response for row in rows], np.ones((len(rows), 1)), [row.offset for row in rows], (INTERCEPT,)
    )
    contrast = found.coefficients.contrast(INTERCEPT, level) if found.status == "fitted" else None
    if contrast is None:
        return exact
    return Bounds(exp(contrast.estimate), exp(contrast.low), exp(contrast.high))
