"""Queries and signatures."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.access.command import Command
from equipoise.access.refusal import Refusal
from equipoise.capture.commands import (
    AnswerQuery,
    CloseQuery,
    CorrectForm,
    OpenQuery,
    RecordForm,
    RemoveRow,
    SignCasebook,
    StartEncounter,
    VerifySource,
)
from equipoise.capture.decide import DECIDE
from equipoise.capture.evidence import casebook_hash, signature_holds
from equipoise.capture.state import APPLY, QueryRow, SignatureRow, next_query, query_code
from equipoise.ledger import Tables
from tests.factory import CLEO, PRIYA, Bench

CODE = "SE01-001"
DAY = date(2024, 5, 2)
GOOD = {"taken_on": "2024-05-02", "weight": "60", "systolic": 120, "diastolic": 80}
EVENT = {"term": "Cough", "onset": "2024-05", "severity": "mild", "outcome": "ongoing"}


@pytest.fixture
def bench() -> Bench:
    return make_bench()


def make_bench() -> Bench:
    bench = Bench((DECIDE, APPLY))
    bench.do(StartEncounter(participant=CODE, encounter="screening", took_place_on=DAY))
    bench.do(RecordForm(participant=CODE, form="vitals", encounter="screening", values=GOOD))
    values = {"crp": "3", "marker": "50"}
    bench.do(RecordForm(participant=CODE, form="labs", encounter="screening", values=values))
    bench.do(RecordForm(participant=CODE, form="adverse_event", values=EVENT))
    return bench


def ask(form: str = "vitals", encounter: str | None = "screening", **more: Any) -> OpenQuery:
    return OpenQuery(participant=CODE, form=form, encounter=encounter, **{"text": "Is it so?", **more})


def test_spec_a_query_is_opened_answered_and_closed_in_this_order(bench: Bench) -> None:
    answer, close = AnswerQuery(query="Q-000001", text="Yes"), CloseQuery(query="Q-000001")
    assert bench.refused(answer).code == bench.refused(close).code == "CAP-UNKNOWN-QUERY"
    bench.do(ask(item="weight"))
    assert bench.refused(close).code == "CAP-QUERY"
    assert bench.refused(AnswerQuery(query="Q-000001", text=" ")).code == "CAP-TEXT"
    bench.do(answer)
    assert bench.refused(answer).code == "CAP-QUERY"
    bench.do(close)
    assert bench.refused(answer).code == bench.refused(close).code == "CAP-QUERY"
    row = bench.tables.require(QueryRow, "Q-000001")
    assert (row.status, row.answer, row.item, row.opened_by) == ("closed", "Yes", "weight", "priya")
    bench.do(ask(item="weight"))
    assert bench.tables.require(QueryRow, "Q-000002").status == "open"


def test_a_query_may_be_about_what_is_missing_but_not_about_nothing(bench: Bench) -> None:
    bench.do(ask("demographics"))
    bench.do(ask("adverse_event", None, row=1))
    assert bench.tables.require(QueryRow, "Q-000002").row == 1
    assert bench.refused(ask("scribbles")).code == "CAP-UNKNOWN-FORM"
    assert bench.refused(ask(item="mood")).code == "CAP-UNKNOWN-ITEM"
    assert bench.refused(ask(text="")).code == "CAP-TEXT"
    assert bench.refused(ask("adverse_event", None, row=2)).code == "CAP-UNKNOWN-RECORD"
    bench.do(RemoveRow(participant=CODE, form="adverse_event", row=1), "A duplicate")
    assert bench.refused(ask("adverse_event", None, row=1)).code == "CAP-REMOVED"


def test_spec_a_query_that_would_unmask_is_not_there_for_masked_roles(bench: Bench) -> None:
    assert bench.refused(ask("labs", item="marker")).code == "CAP-MASKED"
    assert bench.refused(ask("thaw")).code == "CAP-MASKED"
    bench.actor = CLEO
    [opened] = bench.do(ask("labs", item="marker"))
    assert (opened.kind, opened.content["query"]) == ("UnmaskingQueryOpened", "U-000001")
    answer, close = AnswerQuery(query="U-000001", text="Yes"), CloseQuery(query="U-000001")
    bench.actor = PRIYA
    assert str(bench.refused(answer)) == str(
        bench.refused(AnswerQuery(query="U-000009", text="Yes"))
    ).replace("U-000009", "U-000001")
    bench.actor = CLEO
    assert [bench.do(each)[0].kind for each in (answer, close)] == [
        "UnmaskingQueryAnswered",
        "UnmaskingQueryClosed",
    ]


@given(st.integers(0, 300))
def test_query_numbers_follow_without_gaps(count: int) -> None:
    tables = Tables()
    for number in range(1, count + 1):
        tables.put(
            QueryRow(
                query=query_code(number, unmasking=False),
                participant=CODE,
                form="vitals",
                encounter="",
                row=0,
                item=None,
                text="?",
                status="open",
                origin="",
                opened_by="dana",
                opened_at="",
            )
        )
    assert next_query(tables, unmasking=False) == count + 1
    assert next_query(tables, unmasking=True) == 1


# -- signatures


def correct(item: str, value: Any, form: str = "vitals") -> CorrectForm:
    return CorrectForm(participant=CODE, form=form, values={item: value}, encounter="screening")


@pytest.mark.requirement("P2")
def test_spec_a_signature_names_the_hash_of_what_was_signed(bench: Bench) -> None:
    sign = SignCasebook(participant=CODE, meaning="I confirm these data.")
    assert bench.refused(SignCasebook(participant=CODE, meaning="")).code == "CAP-TEXT"
    stranger = SignCasebook(participant="SE01-009", meaning="I confirm these data.")
    assert bench.refused(stranger).code == "CAP-NOTHING-TO-SIGN"
    bench.do(sign)
    [signature] = bench.tables.all(SignatureRow)
    assert (signature.account, signature.meaning) == ("priya", "I confirm these data.")
    assert signature_holds(bench.tables, signature)
    bench.do(correct("weight", "61"), "Typing error")
    assert not signature_holds(bench.tables, signature)
    bench.do(correct("weight", "60"), "It was right")
    assert signature_holds(bench.tables, signature)


@pytest.mark.requirement("P2")
def test_spec_nothing_is_signed_but_what_the_signer_was_shown(bench: Bench) -> None:
    shown = casebook_hash(bench.tables, CODE, masked=True)
    sign = SignCasebook(participant=CODE, meaning="I confirm these data.", shown_hash=shown)
    bench.do(correct("weight", "61"), "Typing error")
    assert bench.refused(sign).code == "CAP-CASEBOOK-CHANGED"
    bench.do(correct("weight", "60"), "It was right")
    bench.do(sign)
    [signature] = bench.tables.all(SignatureRow)
    assert signature.signed_hash == shown


def test_spec_a_masked_signature_says_nothing_of_what_would_unmask(bench: Bench) -> None:
    bench.do(SignCasebook(participant=CODE, meaning="Seen"))
    bench.actor = CLEO
    bench.do(SignCasebook(participant=CODE, meaning="Seen"))
    by_priya, by_cleo = bench.tables.all(SignatureRow)
    assert (by_priya.masked, by_cleo.masked) == (True, False)
    bench.do(correct("marker", "51", "labs"), "Measured again")
    values = {"thawed_on": DAY, "viability": 90}
    bench.do(StartEncounter(participant="SE01-002", encounter="week_0", took_place_on=DAY))
    hashes = [casebook_hash(bench.tables, "SE01-002", masked=masked) for masked in (True, False)]
    bench.do(RecordForm(participant="SE01-002", form="thaw", encounter="week_0", values=values))
    assert signature_holds(bench.tables, by_priya)
    assert not signature_holds(bench.tables, by_cleo)
    assert casebook_hash(bench.tables, "SE01-002", masked=True) == hashes[0]
    assert casebook_hash(bench.tables, "SE01-002") != hashes[1]


COMMANDS: list[Command] = [
    correct("weight", "61"),
    correct("weight", "35"),
    correct("weight", "60"),
    correct("remark", "Sitting"),
    correct("remark", None),
    correct("marker", "500", "labs"),
    CorrectForm(participant=CODE, form="adverse_event", values={"serious": True}, row=1),
    RecordForm(participant=CODE, form="adverse_event", values={**EVENT, "term": "Fall"}),
    RemoveRow(participant=CODE, form="adverse_event", row=1),
    StartEncounter(participant=CODE, encounter="week_0", took_place_on=DAY),
    ask(),
    AnswerQuery(query="Q-000001", text="Yes"),
    CloseQuery(query="Q-000001"),
    VerifySource(participant=CODE, form="vitals", encounter="screening"),
    VerifySource(participant=CODE, form="labs", encounter="screening", items=("crp",)),
    SignCasebook(participant=CODE, meaning="Seen"),
]
QUIET = {"OpenQuery", "AnswerQuery", "CloseQuery", "VerifySource", "SignCasebook"}


@given(st.lists(st.tuples(st.sampled_from(COMMANDS), st.booleans()), max_size=10))
def test_the_casebook_hash_follows_the_values_and_every_course_replays(
    course: list[tuple[Command, bool]],
) -> None:
    bench = make_bench()
    before, seen = snapshot(bench), {casebook_hash(bench.tables, CODE): snapshot(bench)}
    for command, unmasked in course:
        bench.actor = CLEO if unmasked else PRIYA
        decision = bench.ask(command, "Because")
        if isinstance(decision, Refusal):
            bench.refused(command, "Because")
        else:
            bench.record(decision, "Because")
        after = snapshot(bench)
        if type(command).__name__ in QUIET:
            assert after == before
        before = after
        assert seen.setdefault(casebook_hash(bench.tables, CODE), after) == after
    states = list(seen.values())
    assert all(states.count(state) == 1 for state in states)
    assert bench.replayed() == bench.tables.dump()


def snapshot(bench: Bench) -> Any:
    """What a casebook is made of, said in another way than the code does."""
    dump = bench.tables.dump()
    records = [
        (row["form"], row["encounter"], row["row"], row["dated"], row["removed"], row["item_values"])
        for row in dump["form_record"]
    ]
    return records, [(row["encounter"], row["took_place_on"]) for row in dump["encounter"]]
