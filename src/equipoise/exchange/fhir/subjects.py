"""Patient, ResearchSubject and AdverseEvent for what was recorded of each participant.

From a masked cut nothing here says, by an element that is there or not, what anybody was given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from equipoise.analysis.course import epoch_starts, treatment_epochs
from equipoise.analysis.cut import CutParticipant, DataCut
from equipoise.analysis.derive import Frame
from equipoise.analysis.safety import Event, derive_events
from equipoise.definition.expression import Truth
from equipoise.definition.model.definition import StudyDefinition
from equipoise.exchange.e2b.event_codes import Answers, CodedEvent, Demography
from equipoise.exchange.fhir.codes import (
    CAUSALITIES,
    CAUSALITY,
    CRITERIA,
    EVENT_OUTCOME,
    MILESTONE,
    OUTCOMES,
    SERIOUSNESS,
    SEVERITY,
    SUBJECT_STATE,
    SUBJECT_STATE_TYPE,
)
from equipoise.exchange.fhir.tree import Names, Tree, coded_concept, concept, extension, kept, moment, slug

Progress = Callable[[int, int], None]
"""Called with participants done and all participants."""

_EXPECTED: Final[Mapping[Truth, bool]] = {Truth.MET: False, Truth.NOT_MET: True}
_SERIOUSNESS: Final[Mapping[Truth, str]] = {Truth.MET: "serious", Truth.NOT_MET: "non-serious"}


def subject_resources(
    cut: DataCut, names: Names, progress: Progress = lambda done, planned: None
) -> Iterator[Tree]:
    """Yield each participant under their code, as person and as subject of the study, with their events.

    `progress` is told of each who is done.
    """
    frame = Frame(cut)
    safety, answers = cut.definition.safety, Answers(cut.definition)
    for place, (code, person) in enumerate(frame.people.items(), start=1):
        rows = derive_events(frame, safety.form, (code,)) if safety else ()
        events = [(answers.event(safety, each.row), each) for each in rows] if safety else []
        died = any(event.outcome == "fatal" for event, _ in events)
        yield _patient(person, answers.demography(person), names, died=died)
        yield _subject(cut.definition, person, names)
        for number, (event, attributed) in enumerate(events, start=1):
            yield _event(cut, person, number, event, attributed, names)
        progress(place, len(frame.people))


def _identifier(person: CutParticipant, names: Names) -> list[Tree]:
    return [{"system": names.url("ResearchStudy", "study"), "value": person.participant}]


def _patient(person: CutParticipant, demography: Demography, names: Names, *, died: bool) -> Tree:
    return names.resource(
        "Patient",
        person.participant,
        identifier=_identifier(person, names),
        gender=demography.sex or "unknown",
        birthDate=None if demography.born is None else str(demography.born),
        deceasedBoolean=True if died else None,
        managingOrganization=names.reference("Organization", f"site:{person.site}"),
    )


def _subject(definition: StudyDefinition, person: CutParticipant, names: Names) -> Tree:
    arm = None if person.arm is None else slug(person.arm)
    return names.resource(
        "ResearchSubject",
        person.participant,
        identifier=_identifier(person, names),
        status="active",
        progress=list(_progress(definition, person)),
        period=kept(
            start=person.consented_on.isoformat(),
            end=None if person.ended_on is None else person.ended_on.isoformat(),
        ),
        study=names.reference("ResearchStudy", "study"),
        subject=names.reference("Patient", person.participant, person.participant),
        assignedComparisonGroup=arm,
        actualComparisonGroup=arm if person.administrations else None,
    )


def _progress(definition: StudyDefinition, person: CutParticipant) -> Iterator[Tree]:
    """Yield the milestones, then the states in their order, each from the day on which it began."""
    consented, randomised, ended = person.consented_on, person.randomised_on, person.ended_on
    # The code SignedUp means interest before any consent; for consent itself there is none.
    yield _milestone(concept("Informed consent given"), str(consented))
    if person.screening_outcome is not None:
        yield _milestone(concept(None, MILESTONE, "Screened"), None)
    if randomised is not None:
        yield _milestone(concept(None, MILESTONE, "Randomized"), str(randomised))
    screened = randomised if randomised is not None else ended if person.status == "failed" else None
    yield _state("screening", str(consented), None if screened is None else str(screened))
    if person.screening_outcome == "eligible":
        yield _state("eligible", None, None)
    if person.status == "failed":
        failed = "ineligible" if person.screening_outcome == "ineligible" else "not-registered"
        yield _state(failed, str(ended) if ended else None, None, person.end_cause)
        return
    starts = epoch_starts(definition, person)
    treated = [starts[each.id] for each in treatment_epochs(definition) if each.id in starts]
    entered = randomised or min(treated, default=None)
    given = sorted(each.given_on for each in person.administrations)
    last = None if ended is None else str(ended)
    if entered is not None:
        yield _state("on-study", str(entered), last)
    if given:
        yield _state("on-study-intervention", str(given[0]), last)
    if person.status == "withdrawn":
        yield _state("withdrawn", last, None, person.end_cause)
    elif person.status == "completed":
        yield _state("off-study", last, None)


def _milestone(reached: Tree, on: str | None) -> Tree:
    return kept(
        type=concept(None, SUBJECT_STATE_TYPE, "Milestone"),
        milestone=reached,
        startDate=on,
    )


def _state(code: str, start: str | None, end: str | None, why: str | None = None) -> Tree:
    return kept(
        type=concept(None, SUBJECT_STATE_TYPE, "Enrollment"),
        subjectState=concept(None, SUBJECT_STATE, code),
        reason=concept(why) if why else None,
        startDate=start,
        endDate=end,
    )


def _event(
    cut: DataCut, person: CutParticipant, number: int, event: CodedEvent, attributed: Event, names: Names
) -> Tree:
    """Return an event; its `suspectEntity` is what was given then, or the study where that is not told."""
    row = event.row.row or number
    started = None if event.started is None else str(event.started)
    ended = None if event.ended is None else str(event.ended)
    recorded = min((seen.recorded_at for seen in event.row.values.values() if seen.recorded_at), default=None)
    over = event.outcome in ("recovered", "sequelae", "fatal")
    extensions = [extension(SEVERITY, valueCodeableConcept=concept(event.severity))] if event.severity else []
    return names.resource(
        "AdverseEvent",
        f"{person.participant}:{row}",
        extension=[*extensions, *(_criterion(each) for each in sorted(event.criteria))],
        identifier=[{"system": names.url("ResearchStudy", "study"), "value": f"{person.participant}-{row}"}],
        status="completed" if over else "in-progress" if event.outcome else "unknown",
        actuality="actual",
        category=[concept(event.body_system)] if event.body_system else [],
        code=coded_concept(event.term, event.coding) if event.term else None,
        subject=names.reference("Patient", person.participant, person.participant),
        occurrenceDateTime=started if ended is None else None,
        occurrencePeriod=None if ended is None else kept(start=started, end=ended),
        detected=None if event.aware is None else str(event.aware),
        recordedDate=moment(recorded) if recorded else None,
        location=names.reference("Location", person.site),
        seriousness=concept(None, SERIOUSNESS, _SERIOUSNESS.get(event.serious)),
        outcome=[concept(event.outcome_label, EVENT_OUTCOME, OUTCOMES.get(event.outcome or ""))]
        if event.outcome_label
        else [],
        study=[names.reference("ResearchStudy", "study")],
        expectedInResearchStudy=_EXPECTED.get(event.unexpected),
        suspectEntity=[_suspect(event, attributed, names)] if event.causality_label else [],
    )


def _criterion(criterion: str) -> Tree:
    return extension(
        CRITERIA,
        extension=[
            extension("criterionCode", valueCodeableConcept=concept(criterion.replace("_", " "))),
            extension("criterionPresent", valueBoolean=True),
        ],
    )


def _suspect(event: CodedEvent, attributed: Event, names: Names) -> Tree:
    code = CAUSALITIES.get(event.causality or "")
    judged = {"entityRelatedness": concept(event.causality_label, CAUSALITY, code)}
    if attributed.in_force is None:
        study = names.reference("ResearchStudy", "study")
        return {"instanceReference": study, "causality": judged}
    return {"instanceCodeableConcept": concept(attributed.in_force), "causality": judged}
