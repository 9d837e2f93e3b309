"""Comparisons of arms: from the rows of an analysis to estimates, by model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp

import numpy as np

from equipoise.analysis.result import Estimate, Scale
from equipoise.analysis.rows import INTERCEPT, Row, arm_column, design
from equipoise.definition.model.analysis import Fit
from equipoise.statistics.binary import fisher_exact_p, fit_logistic, newcombe_difference
from equipoise.statistics.continuous import (
    RankTest,
    crossover_difference,
    fit_ancova,
    fit_repeated_measures,
    rank_sum,
)
from equipoise.statistics.count_tests import profile_interval
from equipoise.statistics.counts import (
    CountFit,
    fit_negative_binomial,
    fit_poisson_gee,
    likelihood_ratio_p,
)
from equipoise.statistics.design import Array, Contrast, chi_square_p
from equipoise.statistics.survival import fit_cox, log_rank_p


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What is compared: rows, arms in order, the reference among them, and their names."""

    rows: Sequence[Row]
    fit: Fit
    arms: Sequence[str]
    reference: str
    names: dict[str, str]

    @property
    def others(self) -> list[str]:
        """The arms that are compared with the reference."""
        return [arm for arm in self.arms if arm != self.reference]

    @property
    def level(self) -> float:
        """The level of the intervals."""
        return float(self.fit.confidence)

    def of(self, arm: str) -> list[Row]:
        """The rows of an arm."""
        return [row for row in self.rows if row.arm == arm]

    def estimate(
        self, arm: str, measure: str, scale: Scale, contrast: Contrast | None, p: float | None = None
    ) -> Estimate:
        """An effect against the reference; a ratio is the exponential of its contrast."""
        turn: Callable[[float], float] = (lambda x: exp(min(x, 700.0))) if scale == "ratio" else (lambda x: x)
        return Estimate(
            label=f"{self.names[arm]} against {self.names[self.reference]}",
            measure=measure,
            scale=scale,
            value=None if contrast is None else turn(contrast.estimate),
            low=None if contrast is None else turn(contrast.low),
            high=None if contrast is None else turn(contrast.high),
            p=p if contrast is None else contrast.p,
            se=None if contrast is None else contrast.se,
            arm=arm,
            reference=self.reference,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Modelled:
    """What a model gave: its status in a word, its method in a sentence, and estimates."""

    status: str
    method: str
    estimates: tuple[Estimate, ...] = ()
    joint_p: float | None = None
    further: tuple[Estimate, ...] = ()
    details: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = ()


STATUS = {"fitted": "estimated", "poisson": "estimated"}


def adjusted_for(fit: Fit) -> str:
    """The words for what a model adjusts for, empty for nothing."""
    names = [name.replace("_", " ") for name in (*fit.covariates, *fit.categories)]
    return (
        ""
        if not names
        else ", adjusted for "
        + (names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1])
    )


def negative_binomial(what: Comparison) -> Modelled:
    """Rate ratios by negative binomial regression; Wald intervals by its own variance or a robust one."""
    fit = what.fit
    matrix, names = design(what.rows, fit, what.arms, what.reference)
    y = [row.response for row in what.rows]
    offset = np.array([row.offset for row in what.rows])
    found = fit_negative_binomial(y, matrix, offset, names)
    method = "Negative binomial regression, log link, maximum likelihood" + adjusted_for(fit)
    method += ", with an offset for the exposure" if fit.offset is not None else ""
    robust = fit.variance == "robust" and found.robust is not None
    method += "; Wald intervals from " + (
        "a robust variance (sandwich, corrected by n / (n - p))" if robust else "the expected information"
    )
    coefficients = found.robust if robust and found.robust is not None else found.coefficients
    arm_columns = [arm_column(arm) for arm in what.others]
    keep = [index for index, name in enumerate(names) if name not in arm_columns]
    reduced = fit_negative_binomial(y, matrix[:, keep], offset, [names[index] for index in keep])
    ratio_p = likelihood_ratio_p(found, reduced)
    estimates = []
    for arm in what.others:
        contrast = coefficients.contrast(arm_column(arm), what.level) if found.usable else None
        estimate = what.estimate(arm, "Rate ratio", "ratio", contrast)
        if contrast is None and found.usable:
            estimate = _one_sided(what, estimate, arm, y, matrix, offset, names, found, ratio_p)
        estimates.append(estimate)
    details = [("Theta (1 / dispersion)", found.theta), ("Likelihood-ratio p", ratio_p)]
    status = STATUS.get(found.status, found.status)
    if found.usable and not any(name in arm_columns for name, _ in found.diverging):
        # A country of zeros is no obstacle to comparing the arms; a note names it.
        status = "estimated"
    return Modelled(
        status=status,
        method=method,
        estimates=tuple(estimates),
        joint_p=ratio_p,
        details=tuple((name, value) for name, value in details if value is not None),
        notes=_count_notes(found),
    )


def _one_sided(
    what: Comparison,
    estimate: Estimate,
    arm: str,
    y: Sequence[float],
    matrix: Array,
    offset: Array,
    names: Sequence[str],
    found: CountFit,
    p: float | None,
) -> Estimate:
    """The bound and the test that remain where an arm has no event."""
    direction = dict(found.diverging).get(arm_column(arm))
    if direction is None:
        return estimate
    interval = profile_interval(y, matrix, offset, names, arm_column(arm), what.level)
    bound = interval.high if direction < 0 else interval.low
    if bound is None:
        return estimate
    finite = exp(bound)
    return Estimate(
        label=estimate.label,
        measure=estimate.measure,
        scale=estimate.scale,
        value=0.0 if direction < 0 else None,
        low=0.0 if direction < 0 else finite,
        high=finite if direction < 0 else None,
        p=p if len(what.others) == 1 else None,
        arm=arm,
        reference=what.reference,
    )


def _count_notes(found: CountFit) -> tuple[str, ...]:
    notes = []
    if found.status == "poisson":
        notes.append(POISSON_NOTE)
    if found.diverging:
        which = ", ".join(name for name, _ in found.diverging)
        notes.append(f"No event was counted in a group ({which}): its rate is estimated as 0.")
    notes += _aliased(found.aliased)
    if found.status == "not_converged":
        notes.append("The likelihood did not come to a maximum; there is no estimate.")
    if found.status == "no_events":
        notes.append("Not one event was counted; there is no estimate.")
    return tuple(notes)


POISSON_NOTE = "The counts vary no more than by chance, so that the model is the Poisson model."


def poisson_gee(what: Comparison) -> Modelled:
    """Rate ratios by Poisson regression with robust standard errors, one cluster per participant."""
    matrix, names = design(what.rows, what.fit, what.arms, what.reference)
    found = fit_poisson_gee(
        [row.response for row in what.rows],
        matrix,
        np.array([row.offset for row in what.rows]),
        names,
        [row.participant for row in what.rows],
    )
    usable = found.usable and found.status != "separated"
    columns = [arm_column(arm) for arm in what.others]
    estimates = [
        what.estimate(
            arm,
            "Rate ratio",
            "ratio",
            found.coefficients.contrast(arm_column(arm), what.level) if usable else None,
        )
        for arm in what.others
    ]
    return Modelled(
        status=STATUS.get(found.status, found.status),
        method=f"Poisson regression, log link, robust standard errors{adjusted_for(what.fit)}",
        estimates=tuple(estimates),
        joint_p=_joint(found.coefficients.wald_test(columns) if usable else None),
        notes=tuple(each for each in _count_notes(found) if each != POISSON_NOTE),
    )


def _joint(found: tuple[float, int] | None) -> float | None:
    return None if found is None else chi_square_p(*found)


def ancova(what: Comparison) -> Modelled:
    """Differences of adjusted means by ordinary least squares."""
    matrix, names = design(what.rows, what.fit, what.arms, what.reference)
    found = fit_ancova([row.response for row in what.rows], matrix, names)
    columns = [arm_column(arm) for arm in what.others]
    estimates = [
        what.estimate(
            arm, "Difference of means", "difference", found.coefficients.contrast(column, what.level)
        )
        for arm, column in zip(what.others, columns, strict=True)
    ]
    return Modelled(
        status=STATUS.get(found.status, found.status),
        method=f"Linear model by least squares{adjusted_for(what.fit)}; t intervals",
        estimates=tuple(estimates),
        joint_p=found.joint_p(columns),
        details=() if found.sigma is None else (("Residual SD", found.sigma),),
        notes=_aliased(found.aliased),
    )


def _aliased(names: Sequence[str]) -> tuple[str, ...]:
    return (f"Left out, because others of the model determine them: {', '.join(names)}.",) if names else ()


def repeated_measures(what: Comparison) -> Modelled:
    """Differences of means at the last encounter, from a model of all measurements."""
    base, names = design(what.rows, what.fit, what.arms, what.reference)
    shared = [index for index, name in enumerate(names) if name != INTERCEPT and not name.startswith("arm ")]
    arms = [index for index, name in enumerate(names) if name.startswith("arm ")]
    y, matrix, subjects, visits = [], [], [], []
    width = len(what.fit.repeated)
    for place, row in enumerate(what.rows):
        for visit, value in enumerate(row.measurements):
            if value is not None:
                here = np.eye(width)[visit]
                y.append(value)
                matrix.append(
                    np.concatenate([here, *(base[place, arm] * here for arm in arms), base[place, shared]])
                )
                subjects.append(row.participant)
                visits.append(visit)
    columns = [f"visit {visit}" for visit in range(width)]
    columns += [f"{names[arm]} at {visit}" for arm in arms for visit in range(width)]
    columns += [names[index] for index in shared]
    df = len(what.rows) - len(what.arms) - len(shared)
    found = fit_repeated_measures(
        y, np.array(matrix).reshape(len(y), len(columns)), columns, subjects, visits, df
    )

    def at(arm: str, visit: int, measure: str) -> Estimate:
        contrast = found.coefficients.contrast(f"{arm_column(arm)} at {visit}", what.level)
        return what.estimate(arm, measure, "difference", contrast)

    words = {"unstructured": "unstructured covariance", "exchangeable": "exchangeable covariance"}
    last = width - 1
    return Modelled(
        status=STATUS.get(found.status, found.status),
        method="Mixed model for repeated measures, arm by encounter, "
        f"{words.get(found.structure, 'one measurement each')}, restricted maximum likelihood"
        f"{adjusted_for(what.fit)}; t intervals with degrees of freedom between participants",
        estimates=tuple(
            at(arm, last, f"Difference of means, {_encounter(what, last)}") for arm in what.others
        ),
        joint_p=found.joint_p([f"{arm_column(arm)} at {last}" for arm in what.others]),
        further=tuple(
            at(arm, visit, f"Difference of means, {_encounter(what, visit)}")
            for arm in what.others
            for visit in range(last)
        ),
        details=() if found.sigma is None else (("Residual SD at the last encounter", found.sigma),),
        notes=_aliased(found.aliased),
    )


def _encounter(what: Comparison, visit: int) -> str:
    return what.fit.repeated[visit].replace("_", " ")


def crossover_continuous(what: Comparison) -> Modelled:
    """The treatment effect from differences within participants, free of the period effect."""
    method = "Two-sample t test of the differences within participants, halved, free of the period effect"
    estimates = []
    for arm in what.others:
        found = crossover_difference(_differences(what, arm), _differences(what, what.reference), what.level)
        estimates.append(what.estimate(arm, "Treatment difference", "difference", found.contrast))
    known = any(each.value is not None for each in estimates)
    return Modelled(status="estimated" if known else "too_few", method=method, estimates=tuple(estimates))


def _differences(what: Comparison, arm: str) -> list[float]:
    return [row.response - row.against for row in what.of(arm)]


def wilcoxon(what: Comparison) -> Modelled:
    """The shift between the arms of the differences within participants, by ranks (Koch, Biometrics
    1972;28:577).
    """
    estimates = []
    for arm in what.others:
        found = rank_sum(_differences(what, arm), _differences(what, what.reference), what.level)
        estimates.append(ranked(what.estimate(arm, "Shift (Hodges-Lehmann)", "difference", None), found))
    known = any(each.value is not None for each in estimates)
    return Modelled(
        status="estimated" if known else "too_few",
        method="Wilcoxon rank-sum test of the differences within participants",
        estimates=tuple(estimates),
    )


def ranked(blank: Estimate, found: RankTest) -> Estimate:
    """An estimate with the result of a rank test in it."""
    return Estimate(
        label=blank.label,
        measure=blank.measure,
        scale=blank.scale,
        value=found.estimate,
        low=found.low,
        high=found.high,
        p=found.p,
        arm=blank.arm,
        reference=blank.reference,
    )


def logistic(what: Comparison) -> Modelled:
    """Odds ratios by logistic regression, and differences of proportions by Newcombe's method."""
    matrix, names = design(what.rows, what.fit, what.arms, what.reference)
    found = fit_logistic([float(row.event) for row in what.rows], matrix, names)
    estimates, further = [], []
    base = what.of(what.reference)
    for arm in what.others:
        mine = what.of(arm)
        table = (sum(row.event for row in mine), len(mine), sum(row.event for row in base), len(base))
        contrast = found.coefficients.contrast(arm_column(arm), what.level)
        exact = fisher_exact_p(*table) if found.status in ("separated", "no_variation") else None
        estimates.append(what.estimate(arm, "Odds ratio", "ratio", contrast, exact))
        gap = newcombe_difference(*table, what.level)
        further.append(
            Estimate(
                label=estimates[-1].label,
                measure="Risk difference, percentage points",
                scale="difference",
                value=None if gap.estimate is None else 100 * gap.estimate,
                low=None if gap.low is None else 100 * gap.low,
                high=None if gap.high is None else 100 * gap.high,
                arm=arm,
                reference=what.reference,
            )
        )
    notes = _aliased(found.aliased)
    if found.status in ("separated", "no_variation"):
        notes += (
            "The odds ratio has no finite estimate; the p-value is Fisher's exact one, without adjustment.",
        )
    columns = [arm_column(arm) for arm in what.others]
    return Modelled(
        status=STATUS.get(found.status, found.status),
        method=f"Logistic regression{adjusted_for(what.fit)}; risk difference by Newcombe's method",
        estimates=tuple(estimates),
        joint_p=_joint(found.coefficients.wald_test(columns)),
        further=tuple(further),
        notes=notes,
    )


def cox(what: Comparison) -> Modelled:
    """Hazard ratios by proportional hazards, with the log-rank test."""
    matrix, names = design(what.rows, what.fit, what.arms, what.reference)
    times, events = [row.response for row in what.rows], [row.event for row in what.rows]
    found = fit_cox(times, events, matrix[:, 1:], names[1:])
    log_rank = log_rank_p(times, events, [row.arm or "" for row in what.rows])
    alone = log_rank if len(what.others) == 1 else None
    columns = [arm_column(arm) for arm in what.others]
    estimates = [
        what.estimate(arm, "Hazard ratio", "ratio", found.coefficients.contrast(column, what.level), alone)
        for arm, column in zip(what.others, columns, strict=True)
    ]
    notes = _aliased(found.aliased)
    if found.status == "separated":
        notes += ("The hazard ratio has no finite estimate; the p-value is that of the log-rank test.",)
    return Modelled(
        status=STATUS.get(found.status, found.status),
        method=f"Proportional hazards, ties by Efron{adjusted_for(what.fit)}",
        estimates=tuple(estimates),
        joint_p=_joint(found.coefficients.wald_test(columns)),
        details=() if log_rank is None else (("Log-rank p", log_rank),),
        notes=notes,
    )


COMPARE_ARMS: dict[str, Callable[[Comparison], Modelled]] = {
    "negative_binomial": negative_binomial,
    "poisson_gee": poisson_gee,
    "ancova": ancova,
    "repeated_measures": repeated_measures,
    "crossover_continuous": crossover_continuous,
    "wilcoxon_paired": wilcoxon,
    "logistic": logistic,
    "cox": cox,
}
"""The comparison of arms by each model."""
