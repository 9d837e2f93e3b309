"""A form before it is recorded, and a casebook before it is signed, as a view shows them."""

from dataclasses import replace
from datetime import date
from functools import cache

import pytest

from equipoise.access.refusal import Refused
from equipoise.capture.evidence import casebook_hash
from equipoise.capture.state import RecordRow
from equipoise.conduct.trial import Trial
from equipoise.conduct.view import MaskedView
from equipoise.definition.model.forms import Form
from equipoise.enrolment.state import ParticipantRow
from tests.blinding.worlds import make_worlds

TODAY = date(2024, 6, 3)


@cache
def trial() -> Trial:
    world, _ = make_worlds("betraying")
    return world.at(world.points[-1])


def view_as(kind: str) -> MaskedView:
    world, _ = make_worlds("betraying")
    roles = {role.id for role in trial().definition.study.roles if role.kind == kind}
    return trial().as_seen_by(next(each for each in world.cast.accounts() if each.role in roles))


def person_of(view: MaskedView) -> str:
    rows = trial().tables.all(ParticipantRow)
    return next(row.participant for row in rows if view.viewer.sees_participant(row.participant))


def forms_that_hide(part: bool) -> list[Form]:
    forms = trial().definition.forms
    if part:
        return [f for f in forms if not f.unmasking and any(item.unmasking for item in f.items)]
    return [f for f in forms if f.unmasking]


def test_what_a_masked_role_types_for_an_item_that_is_hidden_changes_nothing() -> None:
    view = view_as("nurse")
    code = person_of(view)
    forms = forms_that_hide(part=True)
    assert forms
    for form in forms:
        plain = view.check_answers(code, form.id, {}, TODAY)
        hidden = [item for item in form.items if item.unmasking]
        for text in ("1", "0", "true", "x"):
            typed = {item.id: text for item in hidden}
            assert view.check_answers(code, form.id, typed, TODAY) == plain
        assert not {item.id for item in hidden} & {problem.item for problem in plain.problems}
        assert not {item.id for item in hidden} & set(plain.asked)


def test_a_form_that_unmasks_is_refused_to_a_masked_role_like_one_that_is_not_there() -> None:
    view = view_as("nurse")
    code = person_of(view)
    hidden = forms_that_hide(part=False)
    assert hidden
    refusals = []
    for form in (hidden[0].id, "unheard_of"):
        with pytest.raises(Refused) as refused:
            view.check_answers(code, form, {}, TODAY)
        said = refused.value.refusal
        refusals.append(replace(said, sentence=said.sentence.replace(form, "FORM")))
    assert refusals[0] == refusals[1]


@pytest.mark.parametrize("kind", ["reader", "laboratory", "administrator"])
def test_who_sees_no_participant_checks_no_form_and_signs_nothing(kind: str) -> None:
    view = view_as(kind)
    code = person_of(view)
    for ask in (
        lambda: view.check_answers(code, "vitals", {}, TODAY),
        lambda: view.casebook_hash(code),
        lambda: view.signature_lines(code),
    ):
        with pytest.raises(Refused):
            ask()


def test_the_hash_to_be_signed_is_of_what_the_signer_sees() -> None:
    tables = trial().tables
    masked, unmasked = view_as("investigator"), view_as("unblinded_statistician")
    hiding = (row.participant for row in tables.all(RecordRow) if row.hidden or row.unmasking)
    code = next(each for each in hiding if masked.viewer.sees_participant(each))
    assert masked.casebook_hash(code) == casebook_hash(tables, code, masked=True)
    assert unmasked.casebook_hash(code) == casebook_hash(tables, code)
    assert casebook_hash(tables, code) != casebook_hash(tables, code, masked=True)


def test_signatures_say_who_signed_as_what_and_whether_they_hold() -> None:
    view = view_as("data_manager")
    lines = [
        line for row in trial().tables.all(ParticipantRow) for line in view.signature_lines(row.participant)
    ]
    assert lines
    assert {line.role for line in lines} <= {role.id for role in trial().definition.study.roles}
    signed = {line.participant for line in view.participants() if line.signed}
    for code in signed:
        assert view.signature_lines(code)[-1].holds
