"""Blinded re-estimation of the sample size: the assumptions looked at again, the groups still hidden."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .arguments import ArgumentError, check_counts, check_positive, check_whole
from .counts import CountStatus, fit_negative_binomial
from .design import Array
from .planning import Exposure, whole_above
from .sample_size import CountSize, NullVariance, power_counts, rates_from_pooled, size_counts


@dataclass(frozen=True, slots=True, kw_only=True)
class CountReestimate:
    """What the pooled counts say of the assumptions, and the size that follows from them.

    `status` is that of the fit of one mean: `poisson` when the counts are not over-dispersed, and `no_events`
    when there are none, so that no size follows. `observed_dispersion` is that of the pooled counts;
    `dispersion` is what is left of it within the groups. `size` is None where nothing could be estimated, and
    `raised` says that it is what is there already, or what was asked for at the least.
    """

    status: CountStatus
    n: int
    rate: float | None = None
    observed_dispersion: float | None = None
    dispersion: float | None = None
    size: CountSize | None = None
    raised: bool = False


def reestimate_counts(
    counts: ArrayLike,
    exposures: ArrayLike,
    *,
    ratio: float,
    exposure: float | Exposure,
    power: float,
    alpha: float = 0.05,
    sides: int = 2,
    allocation: float = 1.0,
    variance: NullVariance = "alternative",
    null_ratio: float = 1.0,
    dropout: float = 0.0,
    within_groups: bool = True,
    least: int = 1,
) -> CountReestimate:
    """Size a comparison of counts anew from the counts so far, without knowing who is in which group.

    counts, exposures: n each, of all participants so far; ratio and the arguments from `exposure` to
    `dropout`: as planned, see `size_counts`; least: participants in all below which the new size must not
    fall. One mean and one dispersion are estimated by maximum likelihood, and the planned ratio is kept, so
    that the type I error is not put at risk (Friede and Schmidli, Stat Med 2010;29:1145).

    If the ratio is as planned, the pooled counts vary more than those of a group, because the means of the
    groups differ. With `within_groups` that share, which follows from the ratio, is taken off; without it the
    estimate stays as it is, and the size is on the safe side. Never below the participants that are there.
    """
    y, times = check_counts("counts", counts), _check_exposures(exposures)
    if y.shape != times.shape:
        raise ArgumentError("exposures", f"an array of {times.size}", f"as long as counts, {y.size}")
    floor = max(len(y), check_whole("least", least))
    rate1, rate2 = rates_from_pooled(1.0, ratio, allocation)
    fit = fit_negative_binomial(y, np.ones((len(y), 1)), np.log(times), ("mean",))
    if not fit.usable:
        return CountReestimate(status=fit.status, n=len(y))
    rate = float(np.exp(fit.coefficients.values[0]))
    observed = 0.0 if fit.theta is None else 1 / fit.theta
    # The square of a participant's rate, expected over both groups, in units of the pooled rate's square.
    square = (rate1**2 + allocation * rate2**2) / (1 + allocation)
    dispersion = max(0.0, (observed + 1 - square) / square) if within_groups else observed
    assumed: dict[str, Any] = {
        "rate0": rate * rate1,
        "ratio": ratio,
        "dispersion": dispersion,
        "exposure": exposure,
        "alpha": alpha,
        "sides": sides,
        "variance": variance,
        "null_ratio": null_ratio,
        "dropout": dropout,
    }
    size = size_counts(**assumed, power=power, allocation=allocation)
    raised = size.total < floor
    if raised:
        n1 = max(size.n1, whole_above(floor / (1 + allocation)))
        n2 = max(size.n2, floor - n1)
        size = replace(size, n1=n1, n2=n2, power=power_counts(**assumed, n1=n1, n2=n2))
    return CountReestimate(
        status=fit.status,
        n=len(y),
        rate=rate,
        observed_dispersion=observed,
        dispersion=dispersion,
        size=size,
        raised=raised,
    )


def _check_exposures(exposures: ArrayLike) -> Array:
    times = np.asarray(exposures, dtype=float)
    if times.ndim != 1:
        raise ArgumentError("exposures", f"an array of the shape {times.shape}", "a row of times")
    for place, time in enumerate(times):
        check_positive(f"exposures[{place}]", float(time))
    return times
