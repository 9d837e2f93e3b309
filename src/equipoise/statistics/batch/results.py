"""What a fit or a simulation of many trials returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# The codes of `FitResults.status` are places in this row.
STATUSES = ("fitted", "poisson", "no_events_arm", "no_events", "separated", "rank", "not_converged")


@dataclass(frozen=True, slots=True, kw_only=True)
class FitResults:
    """One number for each trial; a test that does not exist for a trial's data is 0, hence rejects nothing.

    `status`: a place in STATUSES. `fitted`; `poisson`: not over-dispersed, theta infinite; `no_events_arm`:
    one arm without events, log_ratio and standard_error infinite, wald_z its limit 0 (Hauck and Donner, J Am
    Stat Assoc 1977;72:851), while score_z and likelihood_ratio hold; `no_events`: none at all; `separated`:
    the covariate tells events from none, its slope is infinite, and the rest is that of its limit; `rank`:
    the covariate varies in no arm and was left out; `not_converged`.
    With sites, one without events is left out, as it adds nothing at the maximum; `no_events_arm` and
    `no_events` are said of the sites that have both arms; `separated` is fitted no further; `rank` means that
    sites and treatment determine the covariate; and `intercept` is NaN where a trial has several.
    `standard_error` is from the expected information with theta held fixed, as MASS::glm.nb has it. `theta`
    is 1 / dispersion. `slope` is NaN where there is none. `score_z` and `likelihood_ratio` (chi-square, one
    degree of freedom) compare with the model without treatment; with `tests="wald"` both are 0.
    """

    log_ratio: Floats
    standard_error: Floats
    intercept: Floats
    slope: Floats
    theta: Floats
    log_likelihood: Floats
    wald_z: Floats
    score_z: Floats
    likelihood_ratio: Floats
    status: NDArray[np.int8]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResults(FitResults):
    """The results of simulated trials `first`, `first` + 1, ... of a seed."""

    seed: int
    first: int
