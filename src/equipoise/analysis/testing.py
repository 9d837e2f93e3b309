"""The testing procedure of the definition, executed on the endpoints' p-values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from equipoise.analysis.result import EndpointResult, HypothesisResult
from equipoise.definition.model.analysis import TestingProcedure
from equipoise.statistics.multiplicity import Step, fixed_sequence, hochberg, holm

_PROCEDURES: dict[str, Callable[[Sequence[float | None], float], tuple[Step, ...]]] = {
    "fixed_sequence": fixed_sequence,
    "holm": holm,
    "hochberg": hochberg,
}


def execute_procedure(
    procedure: TestingProcedure, endpoints: Mapping[str, EndpointResult]
) -> tuple[HypothesisResult, ...]:
    """What the procedure does with each endpoint of its order; nothing for the method none."""
    if procedure.method == "none":
        return ()
    p_values = [endpoints[each].p for each in procedure.order]
    steps = _PROCEDURES[procedure.method](p_values, float(procedure.alpha))
    return tuple(
        HypothesisResult(
            endpoint=endpoint,
            title=endpoints[endpoint].title,
            p=step.p,
            tested=step.tested,
            local_alpha=step.local_alpha,
            adjusted=step.adjusted,
            rejected=step.rejected,
        )
        for endpoint, step in zip(procedure.order, steps, strict=True)
    )
