"""The box at the top of a report: the primary endpoint in a few lines."""

from __future__ import annotations

from equipoise.analysis.report import views
from equipoise.analysis.report.content import KeyResult
from equipoise.analysis.report.numbers import estimate_text, fixed, p_value, whole
from equipoise.analysis.result import AnalysisResult, EndpointResult, HypothesisResult


def key_result(result: AnalysisResult) -> KeyResult | None:
    """Return what the box says of the primary endpoint; None where there is none."""
    primary = result.primary
    if primary is None:
        return None
    groups = [
        (group.name, f"{line} (n = {whole(group.n)})".removeprefix(f"{group.name}: "))
        for group, line in zip(primary.groups, views.short_summary(primary).split("\n"), strict=True)
    ]
    hypothesis = next((each for each in result.testing if each.endpoint == primary.id), None)
    tested = hypothesis is not None and hypothesis.tested
    value = measure = p = ""
    if len(primary.estimates) == 1:
        (estimate,) = primary.estimates
        value = estimate_text(estimate)
        measure = f"{estimate.measure}, {estimate.label}, {fixed(100 * primary.confidence, 0)}% interval"
        p = _equals(estimate.p) if tested and estimate.p is not None else ""
    elif primary.estimates:
        groups += [
            (each.label, estimate_text(each) + (f", p {_equals(each.p)}" if tested else ""))
            for each in primary.estimates
        ]
        measure = primary.estimates[0].measure
    return KeyResult(
        label="Primary endpoint, all participants" if result.masked else "Primary endpoint",
        endpoint=primary.title,
        value=value,
        p=p,
        measure=measure,
        groups=tuple(groups),
        verdict=_verdict(result, primary, hypothesis),
    )


def _equals(p: float | None) -> str:
    text = p_value(p)
    return text if text.startswith(("<", ">")) else f"= {text}"


def _verdict(result: AnalysisResult, primary: EndpointResult, hypothesis: HypothesisResult | None) -> str:
    if result.masked:
        return "This report is masked. It describes all participants together and compares nothing."
    if hypothesis is not None and hypothesis.tested:
        if hypothesis.rejected:
            return "The hypothesis of no effect was rejected: the primary endpoint was met."
        return "The hypothesis of no effect was not rejected: the primary endpoint was not met."
    if not primary.estimates or all(each.value is None for each in primary.estimates):
        words = views.STATUS_WORDS.get(primary.status, primary.status)
        return f"There is no estimate ({words})."
    return "No hypothesis was tested; the estimate describes."
