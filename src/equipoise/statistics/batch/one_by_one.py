"""Simulated trials analysed one after the other, by the functions that analyse a single trial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..arguments import check_one_of
from ..count_tests import Alternative, CountTest, permutation_test, score_test, wald_test
from ..counts import fit_negative_binomial, fit_poisson, fit_poisson_gee
from .engine import CountDesign, TrialData, draw_trials
from .passes import Floats

# `sandwich` does these for many trials at once, the others are done here only.
SANDWICHED = ("wald_robust", "poisson", "poisson_robust")
SLOW_TESTS = ("wald_observed", "score_observed", "permutation")
SINGLE_TESTS = SANDWICHED + SLOW_TESTS

_PERMUTATIONS = 999
_TREATMENT = "treatment"


class _Model(NamedTuple):
    """A trial's data as a regression takes them."""

    y: Floats
    X: Floats
    offset: Floats
    names: tuple[str, ...]


def count_rejections(
    design: CountDesign,
    trials: int,
    seed: int,
    *,
    first: int,
    tests: Sequence[str],
    alpha: float,
    alternative: Alternative,
) -> dict[str, int]:
    """Count by test, of SINGLE_TESTS, in how many trials from `first` on p is at most alpha.

    A test for which a trial's data give no p does not reject. The permutation test has 999 arrangements from
    a stream of the trial's own.
    """
    data, found = draw_trials(design, trials, seed, first), dict.fromkeys(tests, 0)
    for row in range(trials):
        for test in tests:
            p = analyse(test, data, row, alternative, np.random.default_rng([seed, first + row])).p
            found[test] += p is not None and p <= alpha
    return found


def analyse(
    test: str, data: TrialData, row: int, alternative: Alternative, generator: np.random.Generator
) -> CountTest:
    """Test the treatment in one of the trials.

    test: of SINGLE_TESTS. Those named `wald` are of the negative binomial model, by its observed information
    or the sandwich. The permutation test goes within the blocks of the randomisation. `poisson` trusts the
    variance of the Poisson model, `poisson_robust` does not (counts.fit_poisson_gee).
    """
    check_one_of("test", test, SINGLE_TESTS)
    model = _make_model(data, row)
    if test == "score_observed":
        return score_test(*model, _TREATMENT, information="observed", alternative=alternative)
    if test == "permutation":
        return permutation_test(
            *model,
            _TREATMENT,
            strata=data.block.tolist(),
            alternative=alternative,
            permutations=_PERMUTATIONS,
            generator=generator,
        )
    if test == "poisson":
        return wald_test(fit_poisson(*model), _TREATMENT, alternative=alternative)
    if test == "poisson_robust":
        each = [str(participant) for participant in range(len(model.y))]
        return wald_test(fit_poisson_gee(*model, each), _TREATMENT, alternative=alternative)
    return wald_test(
        fit_negative_binomial(*model),
        _TREATMENT,
        information="observed" if test == "wald_observed" else "robust",
        alternative=alternative,
    )


def _make_model(data: TrialData, row: int) -> _Model:
    columns, names = [np.ones_like(data.y[row]), data.treatment[row]], ["intercept", _TREATMENT]
    if data.covariate is not None:
        columns.append(data.covariate[row])
        names.append("covariate")
    return _Model(data.y[row], np.column_stack(columns), np.log(data.exposure[row]), tuple(names))
