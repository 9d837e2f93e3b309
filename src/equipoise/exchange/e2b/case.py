"""The facts of one case: gathered from a data cut, before anything is written in a standard's form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from equipoise.analysis.cut import CutParticipant, DataCut
from equipoise.analysis.derive import mask_cut
from equipoise.definition.expression import FormRow, PartialDate, Truth
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.study import Arm, Site, Study, StudyIdentifier
from equipoise.exchange.e2b.event_codes import Answers, CodedEvent, Demography, age_at
from equipoise.exchange.e2b.parties import Sender
from equipoise.exchange.e2b.products import Drug, list_drugs
from equipoise.exchange.made import NotWritten
from equipoise.safety.state import EventRow, is_suspected_reaction

SPONSOR_REGISTRY: Final = "Sponsor"
_NUMBER_MAX: Final = 100
_EUROPEAN: Final = frozenset({"EudraCT", "EU CT", "CTIS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One event of one participant, with everything that a report says of it.

    `number` is the case's identification in the world (C.1.1, C.1.8.1), `batch` that of this version of its
    report (N.1.2), `created` the moment of the data cut. `assessment` is the sponsor's own where it gave one.
    `expedited` says that it is a suspected unexpected serious adverse reaction.
    """

    definition: StudyDefinition
    number: str
    batch: str
    created: str
    first_known: PartialDate
    last_known: PartialDate
    person: CutParticipant
    site: Site
    demography: Demography
    age: int | None
    event: CodedEvent
    drugs: tuple[Drug, ...]
    assessment: EventRow | None
    expedited: bool

    @property
    def study(self) -> Study:
        """The study in which the event was observed."""
        return self.definition.study

    def derived_id(self, what: str) -> str:
        """Return the identifier of a part of the report, the same in every version of it."""
        return str(uuid5(NAMESPACE_URL, f"urn:equipoise:icsr:{self.number}:{what}"))

    def registrations(self) -> Iterator[tuple[str, str | None]]:
        """Yield the numbers under which this participant's trial is registered, each with its country."""
        countries = {each.id: each.country for each in self.study.sub_trials}
        for each in self.study.identifiers:
            own = each.sub_trial in (None, self.person.sub_trial)
            if own and each.registry != SPONSOR_REGISTRY:
                yield each.value, _country(each, countries.get(each.sub_trial or ""))

    def sponsor_number(self) -> str:
        """Return the sponsor's number of the study, else the name by which the definition knows it."""
        own = (each.value for each in self.study.identifiers if each.registry == SPONSOR_REGISTRY)
        return next(own, self.study.id)


def derive_case(
    cut: DataCut,
    participant: str,
    row: int,
    *,
    sender: Sender,
    unblinded: bool,
    assessment: EventRow | None = None,
) -> Case:
    """Return the case of the event in a row of the log.

    A case that is not `unblinded` is derived from the masked cut, so that nothing of it can come from an arm.
    Raises NotWritten: E2B-MASKED, E2B-SAFETY, E2B-EVENT, E2B-NOT-SERIOUS, E2B-NUMBER.
    """
    place = f"{participant}, adverse event {row}"
    person, event_row = _find(cut, participant, row, place)
    if unblinded and cut.masked:
        raise NotWritten(
            "E2B-MASKED",
            "The data hold no allocation, so that an unblinded report cannot be made from them. Have it made "
            "by somebody who may see the allocation, or send the blinded version.",
            place,
        )
    if not unblinded:
        masked = mask_cut(replace(cut, participants=(person,)))
        person, event_row = _find(masked, participant, row, place)
    definition = cut.definition
    site = definition.site(person.site)
    assert definition.safety is not None and site is not None, "both were needed to record the event"
    answers = Answers(definition)
    event = answers.event(definition.safety, event_row)
    if event.serious is Truth.NOT_MET:
        raise NotWritten(
            "E2B-NOT-SERIOUS",
            "The event is not serious, and only serious events are reported one by one. Have the form "
            "corrected if it is.",
            place,
        )
    demography = answers.demography(person)
    known = _known_days(cut, event)
    suspected = is_suspected_reaction(
        serious=True,
        related=event.related is not Truth.NOT_MET,
        unexpected=event.unexpected is not Truth.NOT_MET,
        sponsor_related=None if assessment is None else assessment.sponsor_related,
        sponsor_expected=None if assessment is None else assessment.sponsor_expected,
    )
    number = f"{person.country}-{sender.identifier}-{definition.study.id}-{participant}-{row}"
    return Case(
        definition=definition,
        number=number,
        batch=_batch(number, cut.position, place),
        created=cut.recorded_at,
        first_known=known[0],
        last_known=known[1],
        person=person,
        site=site,
        demography=demography,
        age=age_at(demography.born, event.started),
        event=event,
        drugs=list_drugs(definition, person, answers, event.started, arm=_arm(definition, person)),
        assessment=assessment,
        expedited=suspected,
    )


def _batch(number: str, position: int, place: str) -> str:
    """Return the number of a batch; cut to what a report holds, it could be that of another case, too."""
    batch = f"{number}-{position}"
    if len(batch) > _NUMBER_MAX:
        raise NotWritten(
            "E2B-NUMBER",
            f"The number of the report, {batch}, is longer than the {_NUMBER_MAX} characters of E2B(R3). "
            "Give the sender a shorter identifier, or the study a shorter id.",
            place,
        )
    return batch


def _find(cut: DataCut, participant: str, row: int, place: str) -> tuple[CutParticipant, FormRow]:
    safety = cut.definition.safety
    if safety is None:
        raise NotWritten(
            "E2B-SAFETY",
            "The study definition says nothing about adverse events, so that there is none to report. Add "
            "safety.yaml.",
            "safety.yaml",
        )
    for person in cut.participants:
        for found in person.rows:
            if (person.participant, found.form, found.row) == (participant, safety.form, row):
                return person, found
    raise NotWritten(
        "E2B-EVENT", f"There is no adverse event {row} of {participant}. Check participant and row.", place
    )


def _arm(definition: StudyDefinition, person: CutParticipant) -> Arm | None:
    """Return the arm as far as the cut tells it; a single arm that nobody is allocated to is no secret."""
    arms = definition.study.arms
    if len(arms) == 1 and not definition.study.randomised:
        return arms[0]
    return None if person.arm is None else definition.arm(person.arm)


def _known_days(cut: DataCut, event: CodedEvent) -> tuple[PartialDate, PartialDate]:
    """Return when the event was first recorded, and when anything about it was recorded last."""
    days = sorted(seen.recorded_at[:10] for seen in event.row.values.values() if seen.recorded_at)
    latest = PartialDate.parse(days[-1] if days else cut.recorded_at[:10])
    return (PartialDate.parse(days[0]) if days else event.aware or latest), latest


def _country(identifier: StudyIdentifier, sub_trial: str | None) -> str | None:
    return "EU" if identifier.registry in _EUROPEAN else sub_trial
