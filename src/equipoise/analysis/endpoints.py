"""Endpoints: each analysed as the definition says, on whatever data there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from equipoise.analysis.cut import DataCut
from equipoise.analysis.derive import Frame
from equipoise.analysis.models import COMPARE_ARMS, Comparison, Modelled, adjusted_for
from equipoise.analysis.result import EndpointResult, Estimate, Subgroup
from equipoise.analysis.rows import Rows, derive_rows, reference_arm
from equipoise.analysis.summaries import arm_name, summarise_groups
from equipoise.analysis.within import ALONE, METHODS, periods_compared, value_alone
from equipoise.definition.expression import Node, parse_text
from equipoise.definition.model.analysis import Endpoint, Fit
from equipoise.statistics.survival import SurvivalCurve, kaplan_meier

MAIN = "main"


def fit_endpoint(
    cut_or_frame: DataCut | Frame, endpoint_id: str, sensitivity: str | None = None
) -> EndpointResult:
    """Analyse one endpoint, deriving only what it needs; LookupError for a name that the definition lacks."""
    frame = cut_or_frame if isinstance(cut_or_frame, Frame) else Frame(cut_or_frame)
    endpoint = frame.definition.analysis.endpoint(endpoint_id)
    if endpoint is None:
        raise LookupError(f"There is no endpoint '{endpoint_id}' in the definition.")
    if sensitivity is None:
        return _analyse(frame, endpoint, endpoint.analysis, MAIN)
    if sensitivity not in endpoint.sensitivity:
        raise LookupError(f"The endpoint '{endpoint_id}' has no sensitivity analysis '{sensitivity}'.")
    return _analyse(frame, endpoint, endpoint.sensitivity[sensitivity], sensitivity)


def _analyse(frame: Frame, endpoint: Endpoint, fit: Fit, analysis: str) -> EndpointResult:
    rows = derive_rows(frame, endpoint, fit)
    found = _estimate(frame, endpoint, fit, rows)
    notes = found.notes + ((fit.note,) if fit.note else ())
    return EndpointResult(
        id=endpoint.id,
        title=endpoint.title,
        role=endpoint.role,
        type=endpoint.type,
        time_frame=endpoint.time_frame,
        analysis=analysis,
        model=fit.model,
        method=found.method,
        set=fit.set,
        confidence=float(fit.confidence),
        better=endpoint.better,
        status=found.status,
        n=len(rows.rows),
        groups=summarise_groups(frame, endpoint, fit, rows),
        estimates=found.estimates,
        joint_p=found.joint_p if len(found.estimates) > 1 else None,
        further=found.further,
        details=found.details,
        notes=notes,
        missing=tuple((participant, what) for participant, what, _ in rows.missing),
        curves=_curves(frame, endpoint, fit, rows),
    )


def _estimate(frame: Frame, endpoint: Endpoint, fit: Fit, rows: Rows) -> Modelled:
    if fit.model == "descriptive":
        return Modelled(status="described", method="Described, not tested")
    if frame.cut.masked:
        text = "Masked: described for all participants together; the comparison waits for unmasking"
        return Modelled(status="masked", method=text)
    if not rows.rows:
        return Modelled(status="no_participants", method="", notes=("Nobody has a value of this endpoint.",))
    present = Counter(row.arm for row in rows.rows if row.arm is not None)
    arms = [arm for arm in frame.arms if present[arm]]
    if fit.compare == "epochs":
        return _periods(frame, endpoint, fit, rows, arms)
    if fit.compare == "none" or len(frame.arms) < 2:
        return _alone(frame, endpoint, fit, rows, arms)
    reference = reference_arm(frame, fit, present)
    if reference is None:
        alone = _alone(frame, endpoint, fit, rows, arms)
        note = "Only one of the arms to be compared has a participant with a value; each is shown alone."
        return Modelled(status="one_group", method=alone.method, further=alone.estimates, notes=(note,))
    names = {arm: arm_name(frame, arm) for arm in arms}
    members = [row for row in rows.rows if row.arm is not None]
    what = Comparison(rows=members, fit=fit, arms=arms, reference=reference, names=names)
    return COMPARE_ARMS[fit.model](what)


def _each_group(frame: Frame, rows: Rows, arms: Sequence[str]) -> list[tuple[str | None, str]]:
    # Where nobody has an arm (a trial that allocates none), everybody is one group.
    return [(arm, arm_name(frame, arm)) for arm in arms] or [(None, arm_name(frame, None))]


def _periods(frame: Frame, endpoint: Endpoint, fit: Fit, rows: Rows, arms: Sequence[str]) -> Modelled:
    estimates = tuple(
        periods_compared(endpoint, fit, rows.of_arm(arm), name, arm)
        for arm, name in _each_group(frame, rows, arms)
    )
    kind = "ranks" if fit.model == "wilcoxon_paired" else endpoint.type
    known = any(each.value is not None for each in estimates)
    method = METHODS.get(kind, METHODS["continuous"]) + ", within each arm"
    return Modelled(status="estimated" if known else "too_few", method=method, estimates=estimates)


def _alone(frame: Frame, endpoint: Endpoint, fit: Fit, rows: Rows, arms: Sequence[str]) -> Modelled:
    estimates = tuple(
        value_alone(endpoint, fit, rows.of_arm(arm), name, arm)
        for arm, name in _each_group(frame, rows, arms)
    )
    kind = "ranks" if fit.model == "wilcoxon_paired" else endpoint.type
    method = ALONE[kind]
    if adjusted_for(fit):
        method += "; nothing is adjusted for where nothing is compared"
    known = any(each.value is not None for each in estimates)
    return Modelled(status="estimated" if known else "too_few", method=method, estimates=estimates)


def _curves(frame: Frame, endpoint: Endpoint, fit: Fit, rows: Rows) -> tuple[tuple[str, SurvivalCurve], ...]:
    if endpoint.type != "time_to_event":
        return ()
    arms: tuple[str | None, ...] = frame.arms
    curves: list[tuple[str, SurvivalCurve]] = []
    for arm in arms or (None,):
        mine = rows.of_arm(arm)
        if mine:
            curve = kaplan_meier(
                [row.response for row in mine], [row.event for row in mine], float(fit.confidence)
            )
            curves.append((arm_name(frame, arm), curve))
    return tuple(curves)


SUBGROUP_LEVELS_MAX = 12
SUBGROUP_ARM_MIN = 5


def fit_subgroups(frame: Frame, endpoint_id: str) -> tuple[Subgroup, ...]:
    """The main analysis within each country and each level of the baseline categories; no test, no
    adjustment.

    Levels with fewer than 5 participants in an arm are named without an estimate: it would be noise.
    """
    endpoint = frame.definition.analysis.endpoint(endpoint_id)
    if endpoint is None or len(frame.arms) < 2 or endpoint.analysis.model == "descriptive":
        return ()
    fit = endpoint.analysis
    if fit.compare != "arms":
        return ()
    categories: list[tuple[str, Node, dict[str, str]]] = [("Country", parse_text("participant.country"), {})]
    for each in frame.definition.analysis.baseline:
        if each.type == "category":
            categories.append((each.title, each.value, dict(each.labels)))
    found: list[Subgroup] = []
    for title, node, labels in categories:
        levels: dict[str, list[str]] = {}
        for participant in frame.analysis_set(fit.set).members:
            level = frame.text(node, participant)
            if level is not None:
                levels.setdefault(level, []).append(participant)
        if 1 < len(levels) <= SUBGROUP_LEVELS_MAX:
            order = [*(level for level in labels if level in levels), *sorted(set(levels) - set(labels))]
            found += [_subgroup(frame, endpoint, fit, title, labels.get(x, x), levels[x]) for x in order]
    return tuple(found)


def _subgroup(
    frame: Frame, endpoint: Endpoint, fit: Fit, category: str, level: str, members: Sequence[str]
) -> Subgroup:
    rows = derive_rows(frame, endpoint, fit, only=members)
    present = Counter(row.arm for row in rows.rows)
    status, estimates = "too_few", tuple[Estimate, ...]()
    if all(present[arm] >= SUBGROUP_ARM_MIN for arm in frame.arms):
        modelled = _estimate(frame, endpoint, fit, rows)
        status, estimates = modelled.status, modelled.estimates
    return Subgroup(category=category, level=level, n=len(rows.rows), status=status, estimates=estimates)
