"""The narrative of a case, told from what is recorded of it and from nothing else.

Source: ICH E2B(R3) Implementation Guide, user guidance on H.1; ICH E2D, section 5.2.
"""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.exchange.e2b.case import Case
from equipoise.exchange.e2b.event_codes import shown_answer, value_of
from equipoise.exchange.e2b.products import Drug
from equipoise.exchange.registry.countries import country_name

_SEXES = {"female": "woman", "male": "man"}


def write_narrative(case: Case) -> str:
    """Return the narrative: the participant, the products, the event with all that was answered about it."""
    return "\n\n".join(("\n".join(_course(case)), "\n".join(_event(case))))


def _course(case: Case) -> Iterator[str]:
    person, study = case.person, case.study
    who = _SEXES.get(case.demography.sex or "", "person")
    age = "" if case.age is None else f", {case.age} years old when the event began,"
    yield (
        f"Participant {person.participant}, a {who}{age} takes part in the trial {study.title} at "
        f"{case.site.name}, {country_name(person.country)}."
    )
    yield f"Consent: {person.consented_on}. " + (
        f"Randomised: {person.randomised_on}." if person.randomised_on else "Not randomised."
    )
    for drug in case.drugs:
        yield _product(drug)
    if person.ended_on is not None:
        why = f", reason: {person.end_cause}" if person.end_cause else ""
        yield f"Participation ended on {person.ended_on} ({person.status}){why}."


def _product(drug: Drug) -> str:
    if drug.role == "not_administered":
        return f"Study product: {drug.name}. None had been given when the event began."
    kind = "Study product" if drug.role == "suspect" else "Other medication"
    dates = [
        f"{word} {day}" for word, day in (("from", drug.started), ("to", drug.stopped)) if day is not None
    ]
    when = " ".join(dates) or "dates not recorded"
    reason = f", for {drug.indication}" if drug.indication else ""
    return f"{kind}: {drug.name}, {when}{reason}."


def _event(case: Case) -> Iterator[str]:
    safety = case.definition.safety
    form = case.definition.form(safety.form) if safety else None
    assert form is not None, "the event was recorded in its form"
    yield f"Event: {case.event.term or 'without a term'}. As recorded:"
    for item in form.items:
        answer = shown_answer(item, value_of(case.event.row, item.id))
        if answer is not None:
            yield f"- {item.label}: {answer}"
    if case.assessment is not None and case.assessment.sponsor_related is not None:
        related = "related" if case.assessment.sponsor_related else "not related"
        expected = "expected" if case.assessment.sponsor_expected else "unexpected"
        yield f"Assessment by the sponsor: {related}, {expected}."
