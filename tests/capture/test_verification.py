"""Source verification, item by item."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.access.refusal import Refusal
from equipoise.capture.commands import CorrectForm, RecordForm, RemoveRow, StartEncounter, VerifySource
from equipoise.capture.decide import DECIDE
from equipoise.capture.entries import SourceVerified
from equipoise.capture.state import APPLY, RecordRow
from equipoise.capture.verification import mark_of
from equipoise.definition.model.forms import Form, VerificationPlan
from equipoise.ledger import Draft
from tests.factory import CLEO, PRIYA, Bench, make_definition

CODE = "SE01-001"
GOOD = {"taken_on": "2024-05-02", "weight": "60", "systolic": 120, "diastolic": 80}
WHY = "As the source says"


def make_bench(plan: VerificationPlan = "all", *critical: str) -> Bench:
    """Vital signs and laboratory values that were filled in, under a plan for both."""
    definition = make_definition()
    forms = tuple(_planned(form, plan, critical) for form in definition.forms)
    bench = Bench((DECIDE, APPLY), definition=replace(definition, forms=forms))
    bench.do(StartEncounter(participant=CODE, encounter="screening", took_place_on=date(2024, 5, 2)))
    bench.do(RecordForm(participant=CODE, form="vitals", encounter="screening", values=GOOD))
    bench.actor = CLEO
    bench.do(
        RecordForm(participant=CODE, form="labs", encounter="screening", values={"crp": "3", "marker": "50"})
    )
    bench.actor = PRIYA
    return bench


def _planned(form: Form, plan: VerificationPlan, critical: tuple[str, ...]) -> Form:
    items = tuple(replace(item, critical=item.id in critical) for item in form.items)
    return replace(form, items=items, source_verification=plan)


@pytest.fixture
def bench() -> Bench:
    return make_bench()


def verify(*items: str, form: str = "vitals", seen: int | None = None) -> VerifySource:
    return VerifySource(participant=CODE, form=form, encounter="screening", items=items, seen=seen)


def correct(form: str = "vitals", **values: Any) -> CorrectForm:
    return CorrectForm(participant=CODE, form=form, encounter="screening", values=values)


def marks(bench: Bench, form: str = "vitals") -> dict[str, str]:
    row = bench.tables.require(RecordRow, CODE, form, "screening", 0)
    return {item: mark_of(row, item) for item in row.entered}


@pytest.mark.requirement("G3")
def test_spec_source_is_verified_once_for_each_state_of_a_form(bench: Bench) -> None:
    [entry] = bench.do(verify())
    assert (entry.kind, "items" in entry.content) == ("SourceVerified", False)
    assert set(marks(bench).values()) == {"verified"}
    assert bench.refused(verify()).code == "CAP-VERIFIED"
    for form, code in (
        ("scribbles", "CAP-UNKNOWN-FORM"),
        ("demographics", "CAP-UNKNOWN-RECORD"),
        ("thaw", "CAP-MASKED"),
    ):
        assert bench.refused(verify(form=form)).code == code


@pytest.mark.requirement("G3")
def test_spec_single_items_are_verified_and_one_entry_names_them(bench: Bench) -> None:
    [entry] = bench.do(verify("systolic", "weight"))
    assert entry.content["items"] == ("weight", "systolic")
    assert marks(bench) == {
        "taken_on": "unverified",
        "weight": "verified",
        "systolic": "verified",
        "diastolic": "unverified",
    }
    assert bench.refused(verify("weight")).code == "CAP-VERIFIED"
    [entry] = bench.do(verify("weight", "diastolic"))
    assert entry.content["items"] == ("diastolic",)
    bench.do(verify())
    assert set(marks(bench).values()) == {"verified"}


@pytest.mark.requirement("G2", "G3")
def test_spec_a_correction_takes_the_mark_of_that_item_alone(bench: Bench) -> None:
    bench.do(verify())
    bench.do(correct(weight="61.5"), WHY)
    assert {item for item, mark in marks(bench).items() if mark != "verified"} == {"weight"}
    assert marks(bench)["weight"] == "changed"
    bench.do(verify("weight"))
    assert set(marks(bench).values()) == {"verified"}


def test_spec_an_added_answer_is_not_verified_and_one_taken_away_is_to_be_compared(bench: Bench) -> None:
    bench.do(verify())
    bench.do(correct(remark="Sitting"), WHY)
    assert marks(bench)["remark"] == "unverified"
    bench.do(verify())
    bench.do(correct(remark=None), "No remark in the source")
    assert marks(bench)["remark"] == "changed"
    bench.do(verify("remark"))
    assert set(marks(bench).values()) == {"verified"}


def test_spec_what_was_changed_since_the_monitor_looked_is_not_verified_unseen(bench: Bench) -> None:
    looked = bench.tables.require(RecordRow, CODE, "vitals", "screening", 0).entered["weight"]["position"]
    bench.do(correct(weight="61"), WHY)
    for command in (verify(seen=looked), verify("systolic", "weight", seen=looked)):
        refusal = bench.refused(command)
        assert (refusal.code, refusal.details) == ("CAP-CHANGED", ("weight",))
    bench.do(verify("systolic", seen=looked))


def test_items_that_are_not_there_hidden_or_blank_are_refused(bench: Bench) -> None:
    assert bench.refused(verify("mood")).code == "CAP-UNKNOWN-ITEM"
    assert bench.refused(verify("remark")).code == "CAP-UNANSWERED"
    hidden, unheard = bench.refused(verify("marker", form="labs")), bench.refused(verify("mood", form="labs"))
    assert hidden.code == "CAP-UNKNOWN-ITEM"
    assert str(hidden).replace("marker", "mood") == str(unheard)
    values = {"term": "Cough", "onset": "2024-05", "severity": "mild", "outcome": "ongoing"}
    bench.do(RecordForm(participant=CODE, form="adverse_event", values=values))
    bench.do(RemoveRow(participant=CODE, form="adverse_event", row=1), "A duplicate")
    assert bench.refused(VerifySource(participant=CODE, form="adverse_event", row=1)).code == "CAP-REMOVED"


def test_a_refusal_says_what_is_blank_or_was_changed_and_what_next(bench: Bench) -> None:
    bench.do(verify("weight"))
    bench.do(correct(systolic=121), WHY)
    refused = [bench.refused(each) for each in (verify("weight"), verify("remark"), verify(seen=5))]
    assert [(each.code, each.sentence) for each in refused] == [
        ("CAP-VERIFIED", "Of what you would verify in the form vitals of SE01-001 nothing is left."),
        ("CAP-UNANSWERED", "The form vitals of SE01-001 has no answer to: remark."),
        ("CAP-CHANGED", "The form vitals of SE01-001 was changed since you looked at it: systolic."),
    ]


# -- the plan


@pytest.mark.requirement("G5")
def test_spec_a_reduced_plan_asks_for_the_critical_items(bench: Bench) -> None:
    bench = make_bench("critical", "weight")
    [entry] = bench.do(verify())
    assert entry.content["items"] == ("weight",)
    assert bench.refused(verify()).code == "CAP-VERIFIED"
    bench.do(correct(systolic=121), WHY)
    assert bench.refused(verify()).code == "CAP-VERIFIED"
    [entry] = bench.do(verify("systolic"))
    assert entry.content["items"] == ("systolic",)


@pytest.mark.requirement("G5")
def test_spec_where_nothing_is_planned_items_are_verified_by_name() -> None:
    bench = make_bench("none", "weight")
    assert bench.refused(verify()).code == "CAP-VERIFIED"
    bench.do(verify("weight"))
    assert marks(bench)["weight"] == "verified"


# -- the mask


@pytest.mark.requirement("G9")
def test_spec_a_masked_monitor_verifies_what_they_see_and_learns_nothing_of_the_rest(bench: Bench) -> None:
    [entry] = bench.do(verify(form="labs"))
    assert entry.kind == "SourceVerified"
    assert marks(bench, "labs") == {"crp": "verified", "marker": "unverified"}
    bench.actor = CLEO
    bench.do(correct("labs", marker="51"), WHY)
    bench.actor = PRIYA
    assert bench.refused(verify(form="labs", seen=0)).code == "CAP-VERIFIED"


@pytest.mark.parametrize("marker", [{"marker": "50"}, {}])
def test_law_which_entries_an_unmasked_monitor_leads_to_does_not_hang_on_a_value(
    marker: dict[str, str],
) -> None:
    bench = make_bench()
    bench.actor = CLEO
    bench.do(StartEncounter(participant=CODE, encounter="week_0", took_place_on=date(2024, 5, 2)))
    values = {"crp": "3", **marker}
    bench.do(RecordForm(participant=CODE, form="labs", encounter="week_0", values=values))
    entries = bench.do(VerifySource(participant=CODE, form="labs", encounter="week_0"))
    assert [entry.kind for entry in entries] == ["SourceVerified", "UnmaskingSourceVerified"]
    row = bench.tables.require(RecordRow, CODE, "labs", "week_0", 0)
    assert row.verified.keys() == row.entered.keys() == values.keys()


def test_items_of_both_kinds_are_verified_by_an_entry_of_each(bench: Bench) -> None:
    bench.actor = CLEO
    entries = bench.do(verify("marker", "crp", form="labs"))
    assert [(entry.kind, entry.content["items"]) for entry in entries] == [
        ("SourceVerified", ("crp",)),
        ("UnmaskingSourceVerified", ("marker",)),
    ]
    bench.do(StartEncounter(participant=CODE, encounter="week_0", took_place_on=date(2024, 5, 2)))
    thawed = {"thawed_on": "2024-05-02", "viability": "80"}
    bench.do(RecordForm(participant=CODE, form="thaw", encounter="week_0", values=thawed))
    [entry] = bench.do(VerifySource(participant=CODE, form="thaw", encounter="week_0"))
    assert entry.kind == "UnmaskingSourceVerified"
    row = bench.tables.require(RecordRow, CODE, "thaw", "week_0", 0)
    assert row.verified.keys() == thawed.keys()


# -- the ledger


def test_an_entry_of_before_there_were_items_is_of_the_whole_form(bench: Bench) -> None:
    old = Draft(
        kind="SourceVerified",
        version=1,
        content={"participant": CODE, "form": "vitals", "encounter": "screening", "row": 0},
        clinical_time=None,
    )
    [entry] = bench.record((old,))
    assert SourceVerified.of(entry).items == ()
    assert set(marks(bench).values()) == {"verified"}


STEPS = st.one_of(
    st.sets(st.sampled_from([*GOOD, "remark"])).map(lambda items: verify(*sorted(items))),
    st.integers(60, 63).map(lambda weight: correct(weight=str(weight))),
    st.sampled_from([None, "Sitting"]).map(lambda remark: correct(remark=remark)),
)


@given(st.lists(STEPS, max_size=8))
def test_law_an_item_is_verified_if_nobody_entered_it_since_and_every_course_replays(
    course: list[VerifySource | CorrectForm],
) -> None:
    bench = make_bench()
    expected = dict.fromkeys(GOOD, "unverified")
    for command in course:
        decision = bench.ask(command, WHY)
        if isinstance(decision, Refusal):
            continue
        bench.record(decision, WHY)
        if isinstance(command, VerifySource):
            expected |= dict.fromkeys(command.items or expected, "verified")
        else:
            [item] = command.values
            expected[item] = "unverified" if expected.get(item, "unverified") == "unverified" else "changed"
    assert marks(bench) == expected
    assert bench.replayed() == bench.tables.dump()
