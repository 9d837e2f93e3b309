"""The products of a case: what the participant had been given when the event began, blinded or not.

Source: ICH E2B(R3) Implementation Guide, user guidance on G.k.1, G.k.2.2 and G.k.2.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from equipoise.analysis.course import epoch_starts, treatment_epochs
from equipoise.analysis.cut import CutParticipant
from equipoise.definition.expression import FormRow, PartialDate, Value
from equipoise.definition.model.conduct import Product
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


@dataclass(frozen=True, slots=True)
class _Part:
    """What is named as one drug: an intervention, or all those `hidden` behind one name; and its epochs."""

    interventions: frozenset[str]
    epochs: tuple[Epoch, ...]
    hidden: bool


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

    Everything given is suspect: of a product that acts for long, an earlier period is no excuse. What should
    have been given beside it, and was not yet, is named as not administered. What all arms are given is no
    secret and stands by itself, as does everything where the arm is known.
    """
    treated = treatment_epochs(definition)
    received = [
        each
        for each in treated
        if any(_was_given(definition, person, part, each, began) for part in _parts(definition, [each], arm))
    ]
    for part in _parts(definition, received or treated[:1], arm):
        yield _study_drug(definition, person, part, began)


def _parts(definition: StudyDefinition, epochs: Sequence[Epoch], arm: Arm | None) -> list[_Part]:
    """Return each intervention that may be told, then in one all those that must not be."""
    known: dict[str, list[Epoch]] = {}
    hidden: set[str] = set()
    hidden_in: list[Epoch] = []
    arms = definition.study.arms if arm is None else (arm,)
    for epoch in epochs:
        cells = [set(each.cells.get(epoch.id, ())) for each in arms]
        shared = set.intersection(*cells)
        apart = set.union(*cells) - shared
        hidden |= apart
        hidden_in += [epoch] if apart else []
        for intervention in definition.study.interventions:
            if intervention.id in shared:
                known.setdefault(intervention.id, []).append(epoch)
    parts = [_Part(frozenset({each}), tuple(own), hidden=False) for each, own in known.items()]
    return [*parts, _Part(frozenset(hidden), tuple(hidden_in), hidden=True)] if hidden else parts


def _products(definition: StudyDefinition, part: _Part) -> list[Product]:
    """Return the products by which a part is supplied; none where the trial hands nothing out for it."""
    return [each for each in definition.supply.products if part.interventions & set(each.interventions)]


def _administered(
    definition: StudyDefinition, person: CutParticipant, part: _Part, epochs: Iterable[Epoch]
) -> list[date]:
    """Return the days on which the products of a part were administered in some epochs, in order."""
    products = {each.id for each in _products(definition, part)}
    own = {each.id for each in epochs}
    given = (each for each in person.administrations if each.product in products and each.epoch in own)
    return sorted(each.given_on for each in given)


def _was_given(
    definition: StudyDefinition, person: CutParticipant, part: _Part, epoch: Epoch, began: date
) -> bool:
    start = epoch_starts(definition, person).get(epoch.id)
    if start is None or start > began:
        return False
    dispensed_at = {each for product in _products(definition, part) for each in product.dispensed_at}
    supplied = {each.epoch for each in definition.schedule.encounters if each.id in dispensed_at}
    given = _administered(definition, person, part, [epoch])
    return epoch.id not in supplied or any(day <= began for day in given)


def _study_drug(definition: StudyDefinition, person: CutParticipant, part: _Part, began: date) -> Drug:
    names = [each.name for each in definition.study.interventions if each.id in part.interventions]
    # Whoever was never randomised was allocated nothing that could be kept from anybody.
    blinded = part.hidden and person.randomised_on is not None
    name = " or ".join(names) + (" (blinded)" if blinded else "")
    received = [each for each in part.epochs if _was_given(definition, person, part, each, began)]
    if not received:
        return Drug(name=name, role="not_administered", blinded=blinded)
    given = _administered(definition, person, part, received)
    starts = epoch_starts(definition, person)
    doses = [each.dose for each in _products(definition, part) if each.dose]
    return Drug(
        name=name,
        role="suspect",
        blinded=blinded,
        started=PartialDate.of(min(given or [starts[each.id] for each in received])),
        stopped=PartialDate.of(given[-1]) if given else None,
        dose="; ".join(doses) or None,
        indication=definition.study.conditions[0],
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
