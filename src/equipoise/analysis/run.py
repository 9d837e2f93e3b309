"""The whole analysis of a data cut, unmasked or masked."""

from __future__ import annotations

from collections import Counter

from equipoise.analysis.cut import DataCut
from equipoise.analysis.derive import Frame, mask_cut
from equipoise.analysis.endpoints import fit_endpoint, fit_subgroups
from equipoise.analysis.flow import derive_flow
from equipoise.analysis.result import AnalysisResult, EndpointResult
from equipoise.analysis.safety import derive_event_tables, derive_serious
from equipoise.analysis.tables import derive_baseline, derive_profile, participants_analysed
from equipoise.analysis.testing import execute_procedure


def analyse(cut: DataCut) -> AnalysisResult:
    """Analyse a data cut as the definition says; a masked cut is described for all participants together."""
    return _run(Frame(cut))


def describe_masked(cut: DataCut) -> AnalysisResult:
    """Describe a data cut for all participants together, whether or not it holds arms."""
    return _run(Frame(mask_cut(cut)))


def _run(frame: Frame) -> AnalysisResult:
    cut, planned = frame.cut, frame.definition.analysis
    endpoints = tuple(fit_endpoint(frame, each.id) for each in planned.endpoints)
    sensitivity = tuple(
        fit_endpoint(frame, each.id, name) for each in planned.endpoints for name in each.sensitivity
    )
    main = _main_endpoint(endpoints)
    by_id = {each.id: each for each in endpoints}
    members = participants_analysed(frame)
    lots = Counter(cause for person in frame.people.values() for cause in person.failed_lots)
    return AnalysisResult(
        definition=frame.definition,
        masked=cut.masked,
        mode=cut.mode,
        position=cut.position,
        head=cut.head,
        recorded_at=cut.recorded_at,
        locked_at=cut.locked_at,
        unblinded_at=cut.unblinded_at,
        participants=len(frame.people),
        randomised=len(members),
        arms=tuple(
            (arm, name.name, sum(frame.people[each].arm == arm for each in members))
            for arm in frame.arms
            if (name := frame.definition.arm(arm)) is not None
        ),
        flow=derive_flow(frame, main.set if main else None),
        sets=tuple(frame.analysis_set(each.id) for each in planned.sets),
        baseline=derive_baseline(frame),
        endpoints=endpoints,
        sensitivity=sensitivity,
        subgroups=() if main is None or cut.masked else fit_subgroups(frame, main.id),
        testing=() if cut.masked else execute_procedure(planned.testing, by_id),
        profiles=tuple(derive_profile(frame, each) for each in planned.profiles),
        events=derive_event_tables(frame),
        serious=derive_serious(frame),
        deviations=frame.deviations,
        unblindings=tuple(
            (person.participant, kind) for person in frame.people.values() for kind in person.unblindings
        ),
        failed_lots=tuple(sorted(lots.items())),
        notes=_notes(frame, len(members)),
        counts=dict(cut.counts),
        amendments=cut.amendments,
    )


def _main_endpoint(endpoints: tuple[EndpointResult, ...]) -> EndpointResult | None:
    primary = [each for each in endpoints if each.role == "primary"]
    return next((each for each in primary if each.model != "descriptive"), primary[0] if primary else None)


def _notes(frame: Frame, members: int) -> tuple[str, ...]:
    """What a reader must know before anything else."""
    notes = []
    if not frame.people:
        notes.append("Nobody has consented up to this position of the ledger.")
    elif members == 0:
        verb = "randomised" if frame.definition.study.randomised else "enrolled"
        notes.append(f"Nobody has been {verb} up to this position of the ledger.")
    elif members < SMALL:
        number = "one participant" if members == 1 else f"{members} participants"
        notes.append(f"With {number} no comparison can show anything; estimates are given where they exist.")
    if frame.cut.locked_at is None:
        notes.append("The data are not locked: everything here may still change.")
    return tuple(notes)


SMALL = 10
