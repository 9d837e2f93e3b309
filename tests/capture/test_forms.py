"""Filled forms: where they belong, what they hold, and how they are corrected."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from equipoise.access.content import KINDS, Audience
from equipoise.capture.commands import (
    AnswerQuery,
    CloseQuery,
    CorrectForm,
    MissEncounter,
    OpenQuery,
    RecordForm,
    RemoveRow,
    StartEncounter,
    StartUnscheduledEncounter,
    VerifySource,
)
from equipoise.capture.decide import DECIDE
from equipoise.capture.state import APPLY, EncounterRow, QueryRow, RecordRow, visible_values
from equipoise.definition.model.forms import EditCheck
from equipoise.ledger import Draft, Entry
from tests.factory import CLEO, PRIYA, Bench, item, make_definition, when
from tests.small_trial import LABS

CODE = "SE01-001"
GOOD = {"taken_on": "2024-05-02", "weight": "60", "systolic": 120, "diastolic": 80}
EVENT = {"term": "Cough", "onset": "2024-05", "severity": "mild", "outcome": "ongoing"}
WHY = "Transcription error"


@pytest.fixture
def bench() -> Bench:
    bench = Bench((DECIDE, APPLY))
    for encounter in ("screening", "week_0"):
        bench.do(StartEncounter(participant=CODE, encounter=encounter, took_place_on=date(2024, 5, 2)))
    return bench


def fill(form: str, encounter: str | None = "screening", /, **values: Any) -> RecordForm:
    return RecordForm(participant=CODE, form=form, encounter=encounter, values=values)


def correct(
    form: str, item: str, value: Any, encounter: str | None = "screening", row: int | None = None
) -> CorrectForm:
    return CorrectForm(participant=CODE, form=form, values={item: value}, encounter=encounter, row=row)


def record(bench: Bench, form: str, encounter: str = "screening", row: int = 0) -> RecordRow:
    return bench.tables.require(RecordRow, CODE, form, encounter, row)


def queries(bench: Bench) -> dict[str, tuple[str, str]]:
    return {row.query: (row.origin, row.status) for row in bench.tables.all(QueryRow)}


def seen_by_masked(entry: Entry | Draft) -> bool:
    return KINDS[entry.kind].audience not in (Audience.PRODUCT, Audience.UNMASKED)


@pytest.mark.requirement("G18")
def test_a_form_is_recorded_with_its_clinical_date(bench: Bench) -> None:
    [entry] = bench.do(fill("vitals", **{**GOOD, "taken_on": "2024-05-01"}))
    row = record(bench, "vitals")
    assert row.item_values == {**GOOD, "taken_on": "2024-05-01"}
    assert row.dated == entry.clinical_time == "2024-05-01"
    assert row.entered["weight"] == {"position": entry.position, "at": entry.recorded_at}
    bench.do(fill("demographics", birth_date="1990-01-01", sex="m"))
    assert record(bench, "demographics").dated == "2024-05-02"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (fill("scribbles"), "CAP-UNKNOWN-FORM"),
        (fill("vitals", None, **GOOD), "CAP-ENCOUNTER"),
        (fill("vitals", "week_4", **GOOD), "CAP-NOT-TAKEN-PLACE"),
        (fill("demographics", "week_0", birth_date="1990-01-01", sex="m"), "CAP-NOT-PLANNED"),
        (fill("read", spots=1, volume="1"), "CAP-FORM"),
        (fill("harvest", volume=50), "CAP-FORM"),
        (fill("culture", yield_millions=50), "CAP-FORM"),
        (fill("infusion", "week_0", minutes=5), "CAP-FORM"),
        (fill("vitals", **{**GOOD, "weight": "1000"}), "CAP-VALUE"),
        (fill("vitals", **{**GOOD, "taken_on": "2024-06-04"}), "CAP-DATE"),
        (fill("vitals", **{**GOOD, "diastolic": 120}), "CAP-CHECK"),
        (fill("adverse_event", None, **{**EVENT, "onset": "2024-07"}), "CAP-DATE"),
        (fill("adverse_event", None, **EVENT, aware="2024-06-04T23:59:00+02:00"), "CAP-DATE"),
    ],
)
def test_a_form_that_does_not_fit_is_refused(bench: Bench, command: RecordForm, code: str) -> None:
    assert bench.refused(command).code == code


@pytest.mark.parametrize("aware", ["2024-06-03T23:59:00+02:00", "2024-06-04T00:10:00+02:00"])
def test_no_site_is_aware_of_an_event_before_it_knows(bench: Bench, aware: str) -> None:
    refusal = bench.refused(fill("adverse_event", None, **EVENT, aware=aware))
    assert (refusal.code, "is in the future" in refusal.sentence) == ("CAP-DATE", True)
    bench.do(fill("adverse_event", None, **EVENT, aware="2024-06-03T09:00:00+02:00"))
    corrected = correct("adverse_event", "aware", aware, None, row=1)
    assert bench.refused(corrected, WHY).code == "CAP-DATE"


def test_refusals_name_items_and_checks_but_no_values(bench: Bench) -> None:
    refusal = bench.refused(fill("vitals", **{**GOOD, "weight": "1234.5", "systolic": "4321"}))
    assert [detail.split(":")[0] for detail in refusal.details] == ["weight", "systolic"]
    assert "1234.5" not in f"{refusal} {refusal.details}"
    assert "4321" not in f"{refusal} {refusal.details}"
    refusal = bench.refused(fill("vitals", **{**GOOD, "diastolic": 121}))
    assert refusal.details == ("pressures: The systolic pressure must be above the diastolic.",)


def test_spec_what_is_recorded_once_is_corrected_and_not_recorded_again(bench: Bench) -> None:
    bench.do(fill("vitals", **GOOD))
    assert bench.refused(fill("vitals", **GOOD)).code == "CAP-TWICE"
    bench.do(fill("vitals", "week_0", **GOOD))


def test_a_missed_encounter_has_no_forms(bench: Bench) -> None:
    bench.do(MissEncounter(participant=CODE, encounter="week_8", cause="Ill"))
    assert bench.refused(fill("vitals", "week_8", **GOOD)).code == "CAP-NOT-TAKEN-PLACE"


def test_an_unscheduled_encounter_has_the_forms_that_the_schedule_allows(bench: Bench) -> None:
    day = date(2024, 5, 9)
    bench.do(StartUnscheduledEncounter(participant=CODE, took_place_on=day, cause="Fever"))
    bench.do(fill("vitals", "unscheduled_1", **GOOD))
    refusal = bench.refused(fill("demographics", "unscheduled_1", birth_date="1990-01-01", sex="m"))
    assert (refusal.code, refusal.details) == ("CAP-NOT-PLANNED", ("vitals", "labs"))


def test_rows_of_a_log_count_through_all_encounters_and_removals(bench: Bench) -> None:
    bench.do(fill("adverse_event", None, **EVENT))
    bench.do(fill("adverse_event", "week_0", **EVENT))
    bench.do(RemoveRow(participant=CODE, form="adverse_event", row=2), WHY)
    bench.do(fill("adverse_event", None, **EVENT))
    rows = bench.tables.where(RecordRow, participant=CODE, form="adverse_event")
    assert sorted((row.row, row.encounter, row.removed) for row in rows) == [
        (1, "", False),
        (2, "week_0", True),
        (3, "", False),
    ]


def test_a_query_check_opens_a_query_with_the_form(bench: Bench) -> None:
    entries = bench.do(fill("vitals", **{**GOOD, "weight": "35"}))
    assert [entry.kind for entry in entries] == ["FormRecorded", "QueryOpened"]
    [query] = bench.tables.all(QueryRow)
    assert (query.query, query.origin, query.item, query.status) == ("Q-000001", "light", "weight", "open")
    assert query.text == "Is the weight right?"


# -- corrections


@pytest.mark.requirement("G2")
def test_spec_a_correction_keeps_before_and_after_with_its_reason(bench: Bench) -> None:
    bench.do(fill("vitals", **GOOD))
    bench.do(VerifySource(participant=CODE, form="vitals", encounter="screening"))
    command = correct("vitals", "weight", "61.5")
    assert bench.refused(command).code == "CAP-REASON"
    assert bench.refused(command, "  ").code == "CAP-REASON"
    [entry] = bench.do(command, WHY)
    assert (entry.content["before"], entry.content["after"], entry.reason) == ("60", "61.5", WHY)
    row = record(bench, "vitals")
    assert row.item_values["weight"] == "61.5"
    assert row.entered["weight"]["position"] == entry.position > row.entered["systolic"]["position"]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (correct("scribbles", "weight", 1), "CAP-UNKNOWN-FORM"),
        (correct("vitals", "mood", 1), "CAP-UNKNOWN-ITEM"),
        (correct("vitals", "weight", "61", "week_0"), "CAP-UNKNOWN-RECORD"),
        (correct("vitals", "weight", "heavy"), "CAP-VALUE"),
        (correct("vitals", "weight", None), "CAP-VALUE"),
        (correct("vitals", "weight", "60"), "CAP-UNCHANGED"),
        (correct("vitals", "remark", None), "CAP-UNCHANGED"),
        (correct("vitals", "diastolic", 130), "CAP-CHECK"),
        (correct("vitals", "taken_on", "2024-06-30"), "CAP-DATE"),
    ],
)
def test_a_correction_that_does_not_fit_is_refused(bench: Bench, command: CorrectForm, code: str) -> None:
    bench.do(fill("vitals", **GOOD))
    assert bench.refused(command, WHY).code == code


def test_a_correction_may_take_an_answer_away_or_give_a_first_one(bench: Bench) -> None:
    bench.do(fill("vitals", **GOOD))
    bench.do(correct("vitals", "remark", "Sitting"), WHY)
    assert record(bench, "vitals").item_values["remark"] == "Sitting"
    bench.do(correct("vitals", "remark", None), WHY)
    assert "remark" not in record(bench, "vitals").item_values


def test_a_corrected_date_moves_the_row_and_other_corrections_leave_it(bench: Bench) -> None:
    bench.do(fill("vitals", **GOOD))
    bench.do(correct("vitals", "taken_on", "2024-05-03"), WHY)
    assert record(bench, "vitals").dated == "2024-05-03"
    bench.do(correct("vitals", "weight", "70"), WHY)
    assert record(bench, "vitals").dated == "2024-05-03"


def test_a_correction_settles_queries_and_opens_new_ones(bench: Bench) -> None:
    bench.do(fill("vitals", **{**GOOD, "weight": "35"}))
    bench.do(correct("vitals", "systolic", 125), WHY)
    assert queries(bench) == {"Q-000001": ("light", "open")}
    bench.do(correct("vitals", "weight", "55"), WHY)
    assert queries(bench) == {"Q-000001": ("light", "answered")}
    bench.do(correct("vitals", "weight", "36"), WHY)
    assert queries(bench) == {"Q-000001": ("light", "answered"), "Q-000002": ("light", "open")}


def test_a_correction_of_something_else_asks_nothing_again_and_answers_nobody(bench: Bench) -> None:
    bench.do(fill("vitals", **{**GOOD, "weight": "35"}))
    bench.do(AnswerQuery(query="Q-000001", text="Weighed twice"))
    bench.do(CloseQuery(query="Q-000001"))
    ask = OpenQuery(participant=CODE, form="vitals", encounter="screening", text="Standing or sitting?")
    bench.do(ask)
    bench.do(correct("vitals", "systolic", 125), WHY)
    assert queries(bench) == {"Q-000001": ("light", "closed"), "Q-000002": ("", "open")}


def test_what_a_correction_makes_missing_becomes_a_query(bench: Bench) -> None:
    bench.do(fill("demographics", birth_date="1990-01-01", sex="m"))
    bench.do(correct("demographics", "sex", "f"), WHY)
    assert queries(bench) == {"Q-000001": ("ITEM-MISSING:pregnancy_test", "open")}
    bench.do(correct("demographics", "pregnancy_test", "negative"), WHY)
    assert queries(bench) == {"Q-000001": ("ITEM-MISSING:pregnancy_test", "answered")}
    assert bench.refused(correct("demographics", "pregnancy_test", None), WHY).code == "CAP-VALUE"


# -- several values at once


def together(form: str, encounter: str | None = "screening", /, **values: Any) -> CorrectForm:
    row = 1 if form == "adverse_event" else None
    return CorrectForm(participant=CODE, form=form, encounter=encounter, values=values, row=row)


def test_spec_values_that_a_hard_check_ties_together_are_corrected_together(bench: Bench) -> None:
    bench.do(fill("vitals", **{**GOOD, "systolic": 120, "diastolic": 80}))
    for alone in ({"systolic": 70}, {"diastolic": 130}):
        assert bench.refused(together("vitals", **alone), WHY).code == "CAP-CHECK"
    entries = bench.do(together("vitals", systolic=70, diastolic=60, weight="60"), WHY)
    assert [(e.kind, e.content["item"], e.reason) for e in entries] == [
        ("ItemCorrected", "systolic", WHY),
        ("ItemCorrected", "diastolic", WHY),
    ]
    row = record(bench, "vitals")
    assert (row.item_values["systolic"], row.item_values["diastolic"]) == (70, 60)
    assert {item for item, place in row.entered.items() if place["position"] >= entries[0].position} == {
        "systolic",
        "diastolic",
    }
    assert bench.replayed() == bench.tables.dump()


def test_spec_answers_to_what_is_no_longer_asked_are_taken_away_in_the_same_correction(bench: Bench) -> None:
    bench.do(fill("demographics", birth_date="1990-01-01", sex="f", pregnancy_test="negative"))
    refusal = bench.refused(together("demographics", sex="m"), WHY)
    assert (refusal.code, refusal.details) == ("CAP-NOT-ASKED", ("pregnancy_test",))
    assert (
        bench.refused(together("demographics", sex="m", pregnancy_test="positive"), WHY).code == "CAP-VALUE"
    )
    bench.do(together("demographics", sex="m", pregnancy_test=None), WHY)
    assert record(bench, "demographics").item_values == {"birth_date": "1990-01-01", "sex": "m"}
    assert not queries(bench)
    bench.do(together("demographics", sex="f", pregnancy_test="positive"), WHY)
    assert not queries(bench)
    assert record(bench, "demographics").item_values["pregnancy_test"] == "positive"


def test_an_answer_that_another_form_made_pointless_keeps_nobody_from_correcting_the_rest() -> None:
    asked = replace(LABS.items[0], id="test", type="text", minimum=None, when=when("demographics.sex = 'f'"))
    labs = replace(LABS, items=(*LABS.items, asked))
    forms = tuple(labs if form.id == "labs" else form for form in make_definition().forms)
    bench = Bench((DECIDE, APPLY), definition=make_definition(forms=forms))
    bench.do(StartEncounter(participant=CODE, encounter="screening", took_place_on=date(2024, 5, 2)))
    bench.do(fill("labs", crp="3", test="negative"))
    bench.know("demographics", sex="m")
    bench.do(together("labs", crp="4"), WHY)
    assert bench.refused(together("labs", test="positive"), WHY).code == "CAP-VALUE"
    bench.do(together("labs", test=None), WHY)


@pytest.mark.requirement("G2")
def test_spec_what_was_entered_since_one_looked_is_not_overwritten_unseen(bench: Bench) -> None:
    [recorded, *_] = bench.do(fill("vitals", **GOOD))

    def after(position: int, **values: Any) -> CorrectForm:
        return replace(together("vitals", **values), seen=position)

    [first] = bench.do(after(recorded.position, weight="61"), WHY)
    refusal = bench.refused(after(recorded.position, systolic=130), WHY)
    assert (refusal.code, refusal.details) == ("CAP-CHANGED", ("weight",))
    assert bench.refused(after(0, systolic=130), WHY).details == (
        "taken_on",
        "weight",
        "systolic",
        "diastolic",
    )
    assert bench.refused(after(recorded.position, weight="61"), WHY).code == "CAP-CHANGED"
    bench.do(after(first.position, remark="Sitting"), WHY)
    [gone] = bench.do(after(first.position + 1, remark=None), WHY)
    assert bench.refused(after(first.position + 1, weight="62"), WHY).details == ("remark",)
    bench.do(after(gone.position, weight="62"), WHY)


def test_spec_a_masked_corrector_is_not_told_that_a_hidden_value_changed(bench: Bench) -> None:
    bench.do(fill("labs", crp="3", marker="50"))
    seen = max(place["position"] for place in record(bench, "labs").entered.values())
    bench.actor = CLEO
    bench.do(replace(together("labs", marker="51"), seen=seen), WHY)
    refusal = bench.refused(replace(together("labs", crp="4"), seen=seen), WHY)
    assert (refusal.code, refusal.details) == ("CAP-CHANGED", ("marker",))
    bench.actor = PRIYA
    bench.do(replace(together("labs", crp="4"), seen=seen), WHY)


def test_a_correction_of_shown_and_hidden_values_says_each_to_its_own_audience(bench: Bench) -> None:
    bench.do(fill("labs", crp="3", marker="50"))
    bench.actor = CLEO
    entries = bench.do(together("labs", marker="60", crp="4"), WHY)
    assert [(e.kind, e.content.get("item")) for e in entries] == [
        ("ItemCorrected", "crp"),
        ("UnmaskingItemCorrected", "marker"),
        ("UnmaskingChecksRun", None),
    ]


def test_spec_a_masked_corrector_is_not_told_what_hangs_on_a_hidden_value() -> None:
    """A shown item is asked only if the hidden one is high: whether it fits is asked in a hidden query."""
    asked = item("repeated", "boolean", required=False, when=when("labs.marker > 100"))
    labs = replace(LABS, items=(*LABS.items, asked), checks=())
    forms = tuple(labs if form.id == "labs" else form for form in make_definition().forms)
    definition = make_definition(forms=forms)
    for marker, opened in (("500", set()), ("5", {"ITEM-NOT-ASKED:repeated"})):
        bench = Bench((DECIDE, APPLY), definition=definition)
        bench.do(StartEncounter(participant=CODE, encounter="screening", took_place_on=date(2024, 5, 2)))
        bench.do(fill("labs", crp="3", marker=marker))
        entries = bench.do(together("labs", repeated=True), WHY)
        assert [entry.kind for entry in entries] == ["ItemCorrected", "UnmaskingChecksRun"]
        assert {row.origin for row in bench.tables.all(QueryRow)} == opened


@pytest.mark.requirement("G2")
def test_rows_are_struck_out_with_a_reason_and_their_queries_with_them(bench: Bench) -> None:
    def remove(row: int, form: str = "adverse_event") -> RemoveRow:
        return RemoveRow(participant=CODE, form=form, row=row)

    bench.do(fill("adverse_event", None, **{**EVENT, "severity": "fatal", "serious": False}))
    assert queries(bench) == {"Q-000001": ("fatal_is_serious", "open")}
    assert bench.refused(remove(1)).code == "CAP-REASON"
    assert bench.refused(remove(2), WHY).code == "CAP-UNKNOWN-RECORD"
    assert bench.refused(remove(0, "vitals"), WHY).code == "CAP-ROW"
    assert bench.refused(remove(0, "scribbles"), WHY).code == "CAP-UNKNOWN-FORM"
    bench.do(remove(1), WHY)
    assert queries(bench) == {"Q-000001": ("fatal_is_serious", "answered")}
    assert record(bench, "adverse_event", "", 1).item_values["term"] == "Cough"
    assert bench.refused(remove(1), WHY).code == "CAP-REMOVED"
    assert bench.refused(correct("adverse_event", "term", "Cold", None, 1), WHY).code == "CAP-REMOVED"


# -- what would unmask


def test_spec_what_would_unmask_is_kept_from_masked_roles_by_its_kind(bench: Bench) -> None:
    entries = bench.do(fill("labs", crp="3", marker="250"))
    seen = [entry for entry in entries if seen_by_masked(entry)]
    assert [entry.kind for entry in seen] == ["FormRecorded"]
    assert seen[0].content["item_values"] == {"crp": "3"}
    row = record(bench, "labs")
    assert (row.item_values, row.hidden) == ({"crp": "3", "marker": "250"}, ("marker",))
    assert visible_values(bench.definition, "labs", row.item_values, True) == {"crp": "3"}
    assert visible_values(bench.definition, "labs", row.item_values, False) == row.item_values


def test_spec_the_entries_do_not_betray_a_value_by_their_presence() -> None:
    """Whether the hidden item is answered, and whether its check fails: the same kinds in the same order."""

    def kinds(**marker: str) -> list[list[str]]:
        bench = Bench((DECIDE, APPLY))
        bench.do(StartEncounter(participant=CODE, encounter="week_0", took_place_on=date(2024, 5, 2)))
        recorded = bench.do(fill("labs", "week_0", crp="3", **marker))
        corrected = bench.do(correct("labs", "crp", "4", "week_0"), WHY)
        light = bench.do(fill("vitals", "week_0", **{**GOOD, "weight": "35"}))
        assert light[-1].content["query"] == "Q-000001"
        return [[entry.kind for entry in entries] for entries in (recorded, corrected, light)]

    assert kinds() == kinds(marker="5") == kinds(marker="500")


def test_a_hidden_check_asks_in_a_series_of_its_own(bench: Bench) -> None:
    bench.do(fill("labs", crp="3", marker="500"))
    [query] = bench.tables.all(QueryRow)
    assert (query.query, query.origin, query.unmasking) == ("U-000001", "marker_high", True)
    bench.actor = CLEO
    [corrected, _] = bench.do(correct("labs", "marker", "50"), WHY)
    assert corrected.kind == "UnmaskingItemCorrected"
    assert queries(bench) == {"U-000001": ("marker_high", "answered")}


def test_spec_a_hidden_check_never_refuses_a_masked_role() -> None:
    """Else the refusal would say what the hidden value is like."""
    hard = EditCheck(
        id="marker_low", holds=when("labs.crp > labs.marker"), message="Is it so?", severity="hard"
    )
    labs = replace(LABS, checks=(hard,))
    forms = tuple(labs if form.id == "labs" else form for form in make_definition().forms)
    bench = Bench((DECIDE, APPLY), definition=make_definition(forms=forms))
    for encounter in ("screening", "week_0"):
        bench.do(StartEncounter(participant=CODE, encounter=encounter, took_place_on=date(2024, 5, 2)))
    bench.do(fill("labs", crp="3", marker="5"))
    assert queries(bench) == {"U-000001": ("marker_low", "open")}
    bench.do(correct("labs", "crp", "6"), WHY)
    bench.do(correct("labs", "crp", "4"), WHY)
    assert queries(bench)["U-000002"] == ("marker_low", "open")
    bench.actor = CLEO
    assert bench.refused(fill("labs", "week_0", crp="3", marker="5")).code == "CAP-CHECK"


def test_spec_a_masked_role_is_not_asked_for_what_it_must_not_see() -> None:
    marker = item("marker", "decimal", unmasking=True)
    labs = replace(LABS, items=(LABS.items[0], marker))
    forms = tuple(labs if form.id == "labs" else form for form in make_definition().forms)
    bench = Bench((DECIDE, APPLY), definition=make_definition(forms=forms))
    bench.do(StartEncounter(participant=CODE, encounter="week_0", took_place_on=date(2024, 5, 2)))
    bench.actor = CLEO
    assert bench.refused(fill("labs", "week_0", crp="3")).code == "CAP-VALUE"
    bench.actor = PRIYA
    bench.do(fill("labs", "week_0", crp="3"))
    bench.actor = CLEO
    bench.do(correct("labs", "marker", "5", "week_0"), "First value, from the laboratory")
    assert record(bench, "labs", "week_0").hidden == ("marker",)


def test_a_masked_role_cannot_try_out_a_hidden_value(bench: Bench) -> None:
    bench.do(fill("labs", crp="3", marker="50"))
    for guess in ("50", "51"):
        refusal = bench.refused(correct("labs", "marker", guess), WHY)
        other = bench.refused(correct("labs", "mood", guess), WHY)
        assert refusal.code == other.code == "CAP-UNKNOWN-ITEM"
        assert refusal.sentence == other.sentence.replace("mood", "marker")


def test_a_form_that_would_unmask_leaves_nothing_for_masked_roles(bench: Bench) -> None:
    bench.actor = CLEO
    entries = bench.do(fill("thaw", "week_0", thawed_on="2024-05-02", viability="90"))
    assert not [entry for entry in entries if seen_by_masked(entry)]
    row = record(bench, "thaw", "week_0")
    assert row.unmasking
    assert visible_values(bench.definition, "thaw", row.item_values, True) == {}
    [corrected] = bench.do(correct("thaw", "viability", "91", "week_0"), WHY)
    assert not seen_by_masked(corrected)
    assert visible_values(make_definition(), "scribbles", {"a": 1}, False) == {}


def test_what_is_recorded_replays(bench: Bench) -> None:
    bench.do(fill("labs", crp="3", marker="500"))
    bench.do(fill("vitals", **{**GOOD, "weight": "35"}))
    bench.do(correct("vitals", "weight", "50"), WHY)
    bench.do(fill("adverse_event", None, **EVENT))
    bench.do(RemoveRow(participant=CODE, form="adverse_event", row=1), WHY)
    assert bench.replayed() == bench.tables.dump()
    assert bench.tables.require(EncounterRow, CODE, "screening").status == "in_window"
