"""The products of a case: what the participant had been given when the event began, blinded or not.

Source: ICH E2B(R3) Implementation Guide, user guidance on G.k.1, G.k.2.2 and G.k.2.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from equipoise.analysis.course import epoch_starts, treatment_epochs
from equipoise.analysis.cut import CutParticipant
from equipoise.definition.expression import FormRow, PartialDate, Value
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import Form
from equipoise.definition.model.study import Arm, Epoch
from equipoise.exchange.e2b.event_codes import Answers, dated, shown_answer, value_of

Role = Literal["suspect", "concomitant", "not_administered"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drug:
    """A drug of a case (G.k); `started` and `stopped` are its first and its last administration.

    A `blinded` one is named by everything that it may have been, the same for every participant.
    """

    name: str
    role: Role
    blinded: bool = False
    started: PartialDate | None = None
    stopped: PartialDate | None = None
    dose: str | None = None
    indication: str | None = None


def list_drugs(
    definition: StudyDefinition,
    person: CutParticipant,
    answers: Answers,
    onset: PartialDate | None,
    *,
    arm: Arm | None,
) -> tuple[Drug, ...]:
    """Return the study's products, then the other medication at the time of the event.

    `arm` is the participant's where it is known to whom the report is for, else None.
    """
    began = onset.last if onset else date.max
    study = list(_study_drugs(definition, person, began, arm))
    return (*study, *_medication(definition, person, answers, onset))


def _study_drugs(
    definition: StudyDefinition, person: CutParticipant, began: date, arm: Arm | None
) -> Iterator[Drug]:
    """Yield what was given up to the event; where nothing was, what the first treatment would have been.

    Everything given is suspect: of a product that acts for long, an earlier period is no excuse. What all
    arms are given is no secret and stands by itself, as does everything where the arm is known.
    """
    received = [
        epoch for epoch in treatment_epochs(definition) if _was_given(definition, person, epoch, began)
    ]
    planned = received or list(treatment_epochs(definition)[:1])
    role: Role = "suspect" if received else "not_administered"
    known, hidden = _interventions(definition, planned, arm)
    names = {each.id: each.name for each in definition.study.interventions}
    for intervention, epochs in known.items():
        yield _study_drug(definition, person, names[intervention], role, epochs, blinded=False)
    if hidden:
        # Whoever was never randomised was allocated nothing that could be kept from anybody.
        blinded = person.randomised_on is not None
        name = " or ".join(names[each.id] for each in definition.study.interventions if each.id in hidden)
        yield _study_drug(
            definition, person, f"{name} (blinded)" if blinded else name, role, planned, blinded=blinded
        )


def _interventions(
    definition: StudyDefinition, epochs: Sequence[Epoch], arm: Arm | None
) -> tuple[Mapping[str, list[Epoch]], frozenset[str]]:
    """Return the interventions that may be told, each with its epochs, and those that must not be."""
    known: dict[str, list[Epoch]] = {}
    hidden: set[str] = set()
    arms = definition.study.arms if arm is None else (arm,)
    for epoch in epochs:
        cells = [set(each.cells.get(epoch.id, ())) for each in arms]
        shared = set.intersection(*cells)
        hidden |= set.union(*cells) - shared
        for intervention in definition.study.interventions:
            if intervention.id in shared:
                known.setdefault(intervention.id, []).append(epoch)
    return known, frozenset(hidden)


def _was_given(definition: StudyDefinition, person: CutParticipant, epoch: Epoch, began: date) -> bool:
    start = epoch_starts(definition, person).get(epoch.id)
    if start is None or start > began:
        return False
    supplied = {
        encounter.epoch
        for product in definition.supply.products
        for encounter in definition.schedule.encounters
        if encounter.id in product.dispensed_at
    }
    return epoch.id not in supplied or any(
        given.epoch == epoch.id and given.given_on <= began for given in person.administrations
    )


def _study_drug(
    definition: StudyDefinition,
    person: CutParticipant,
    name: str,
    role: Role,
    epochs: Iterable[Epoch],
    *,
    blinded: bool,
) -> Drug:
    own = {epoch.id for epoch in epochs}
    given = sorted(each.given_on for each in person.administrations if each.epoch in own)
    starts = [day for epoch, day in epoch_starts(definition, person).items() if epoch in own]
    began = min(given or starts, default=None) if role == "suspect" else None
    doses = [product.dose for product in definition.supply.products if product.dose]
    return Drug(
        name=name,
        role=role,
        blinded=blinded,
        started=PartialDate.of(began) if began else None,
        stopped=PartialDate.of(given[-1]) if given and role == "suspect" else None,
        dose="; ".join(doses) if role == "suspect" and doses else None,
        indication=definition.study.conditions[0] if role == "suspect" else None,
    )


def _medication(
    definition: StudyDefinition, person: CutParticipant, answers: Answers, onset: PartialDate | None
) -> Iterator[Drug]:
    """Yield the other medication that was or may have been taken when the event began."""
    for form, named in answers.items("CM", "CMTRT"):

        def answer(row: FormRow, variable: str, form: Form = form) -> Value:
            item = answers.item(form.id, "CM", variable)
            return None if item is None else value_of(row, item.id)

        for row in person.rows:
            name = shown_answer(named, value_of(row, named.id)) if row.form == form.id else None
            why = answer(row, "CMINDC") if name else None
            drug = Drug(
                name=name or "",
                role="concomitant",
                started=dated(answer(row, "CMSTDTC")) or row.date,
                stopped=dated(answer(row, "CMENDTC")),
                indication=why if isinstance(why, str) else None,
            )
            if name and _overlaps(drug, onset):
                yield drug


def _overlaps(drug: Drug, onset: PartialDate | None) -> bool:
    if onset is None:
        return True
    begun = drug.started is None or drug.started.first <= onset.last
    return begun and (drug.stopped is None or drug.stopped.last >= onset.first)
