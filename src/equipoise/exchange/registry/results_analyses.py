"""Statistical analyses of an outcome measure, as the registry writes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from equipoise.analysis.endpoints import MAIN
from equipoise.analysis.report.numbers import estimate_decimals, p_value
from equipoise.analysis.result import EndpointResult, Estimate, HypothesisResult
from equipoise.definition.model.analysis import TestingProcedure
from equipoise.definition.model.definition import StudyDefinition
from equipoise.exchange.registry.results_groups import NOT_AVAILABLE, Group, number_text
from equipoise.exchange.registry.tree import Tree
from equipoise.exchange.registry.write_record import kept

_METHODS: Final = {
    "negative_binomial": "Negative binomial regression",
    "poisson_gee": "Poisson regression",
    "ancova": "ANCOVA",
    "repeated_measures": "Mixed Models Analysis",
    "crossover_continuous": "t-test, 2 sided",
    "wilcoxon_paired": "Wilcoxon (Mann-Whitney)",
    "logistic": "Regression, Logistic",
    "cox": "Regression, Cox",
}
"""The registry's words for a comparison of arms."""

_PARAMETERS: Final = {
    "Odds ratio": "Odds Ratio (OR)",
    "Hazard ratio": "Hazard Ratio (HR)",
    "Rate ratio": "Rate Ratio",
    "Risk difference, percentage points": "Risk Difference (RD)",
}
"""The registry's words for an effect; any other stands as the report names it."""

_WITHIN: Final = "Estimated within one group; the groups are not compared."
_PROCEDURES: Final = {"fixed_sequence": "fixed-sequence", "holm": "Holm", "hochberg": "Hochberg"}


def analyses_of(
    definition: StudyDefinition,
    found: EndpointResult,
    groups: Sequence[Group],
    hypothesis: HypothesisResult | None,
    testing: TestingProcedure,
) -> Iterable[Tree]:
    """Yield the estimates of one analysis, each as an analysis of the record.

    `groups` are those of the outcome measure. With several comparisons the joint test stands first.
    """
    which = "" if found.analysis == MAIN else f"Sensitivity analysis ({found.analysis.replace('_', ' ')}): "
    verdict = _verdict(hypothesis, testing)
    if found.joint_p is not None:
        yield kept(
            groupIds=[group.id for group in groups],
            groupDescription=f"{which}All groups compared at once.",
            nonInferiorityType="SUPERIORITY",
            pValue=p_value(found.joint_p),
            pValueComment=verdict,
            statisticalMethod=_METHODS[found.model],
            statisticalComment=_method(definition, found),
        )
        verdict = None
    for place, estimate in enumerate((*found.estimates, *found.further)):
        is_main = place < len(found.estimates)
        yield _analysis(definition, found, estimate, groups, which, verdict if is_main else None)


def _analysis(
    definition: StudyDefinition,
    found: EndpointResult,
    estimate: Estimate,
    groups: Sequence[Group],
    which: str,
    verdict: str | None,
) -> Tree:
    compared = estimate.reference is not None
    sides = (estimate.arm, estimate.reference) if compared else (estimate.arm,)
    shown = [group for side in sides for group in groups if group.arm == side]
    decimals = estimate_decimals(estimate)
    known = estimate.value is not None or estimate.low is not None or estimate.high is not None
    # The standard error of a ratio is that of its logarithm, for which the record has no place.
    error = estimate.se if estimate.scale == "difference" else None
    return kept(
        groupIds=[group.id for group in shown],
        groupDescription=f"{which}{' against '.join(group.title for group in shown)}.",
        nonInferiorityType="SUPERIORITY" if compared else "OTHER",
        nonInferiorityComment=None if compared else _WITHIN,
        pValue=None if estimate.p is None else p_value(estimate.p),
        pValueComment=None if estimate.p is None else verdict,
        statisticalMethod=None if estimate.p is None else _test(found, compared),
        statisticalComment=_method(definition, found),
        paramType=_PARAMETERS.get(estimate.measure, estimate.measure),
        paramValue=number_text(estimate.value, decimals) if known else None,
        dispersionType=None if error is None else "STANDARD_ERROR_OF_MEAN",
        dispersionValue=None if error is None else number_text(error, decimals),
        **_interval(found, estimate, decimals),
        estimateComment=None if known else "Not estimable from these data.",
    )


def _test(found: EndpointResult, compared: bool) -> str:
    """Return the registry's words for the test behind a p-value: of the arms, or of the periods in one."""
    if compared:
        return _METHODS[found.model]
    if found.model == "wilcoxon_paired":
        return "Wilcoxon signed-rank test"
    return "Poisson regression" if found.type == "count" else "t-test, 2 sided"


def _interval(found: EndpointResult, estimate: Estimate, decimals: int) -> Tree:
    """Return the interval; an end that the data do not give is NA, and says so."""
    if estimate.low is None and estimate.high is None:
        return {}
    low, high = (number_text(each, decimals) for each in (estimate.low, estimate.high))
    why = "The data give no limit on this side."
    return kept(
        ciPctValue=f"{100 * found.confidence:g}",
        ciNumSides="TWO_SIDED",
        ciLowerLimit=low,
        ciUpperLimit=high,
        ciLowerLimitComment=why if low == NOT_AVAILABLE else None,
        ciUpperLimitComment=why if high == NOT_AVAILABLE else None,
    )


def _method(definition: StudyDefinition, found: EndpointResult) -> str:
    """Return the method in a sentence, the analysis set where it is another, and what a reader must know."""
    endpoint = definition.analysis.endpoint(found.id)
    texts = [found.method]
    chosen = definition.analysis.analysis_set(found.set)
    if endpoint and chosen and endpoint.analysis.set != found.set:
        texts.append(f"{chosen.title}, {found.n} participants")
    return " ".join(f"{text.rstrip('.')}." for text in (*texts, *found.notes) if text)


def _verdict(hypothesis: HypothesisResult | None, testing: TestingProcedure) -> str | None:
    """Return what the testing procedure did with a hypothesis."""
    if hypothesis is None:
        return None
    procedure = f"{_PROCEDURES[testing.method]} procedure, two-sided alpha {testing.alpha}"
    if not hypothesis.tested:
        return f"Not tested: the procedure ended before it ({procedure})."
    return f"The hypothesis was {'' if hypothesis.rejected else 'not '}rejected ({procedure})."
