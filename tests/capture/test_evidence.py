"""What was recorded, as the expression language reads it: the fast reader against the plain one."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.capture.commands import ConfirmLog, CorrectForm, RecordForm, RemoveRow, StartEncounter
from equipoise.capture.decide import DECIDE
from equipoise.capture.evidence import RecordedEvidence, read_row
from equipoise.capture.state import APPLY, EncounterRow, RecordRow
from equipoise.definition.expression import (
    EvidenceTable,
    Observation,
    PartialDate,
    decode_value,
    form_row,
    truth,
)
from equipoise.ledger import Tables
from tests.factory import Bench, make_definition, when

CODE = "SE01-001"
DEFINITION = make_definition()
TODAY = date(2024, 6, 3)
VITALS = {"taken_on": "2024-05-02", "weight": "60", "systolic": 120, "diastolic": 80}

answers = st.fixed_dictionaries(
    {},
    optional={
        "systolic": st.integers(60, 70),
        "weight": st.sampled_from(["40", "50.5"]),
        "remark": st.sampled_from(["a", "b"]),
    },
)
stored_rows = st.lists(
    st.tuples(
        st.sampled_from(["", "screening", "week_0"]),
        st.sampled_from([None, "2024", "2024-05", "2024-05-02"]),
        answers,
        st.booleans(),
        st.integers(1, 3),
    ),
    max_size=6,
)


@given(stored_rows)
@pytest.mark.requirement("R34")
def test_double_the_rows_are_read_as_the_plain_table_reads_them(drawn: list[Any]) -> None:
    tables, plain = Tables(), []
    types = {item.id: item.type for form in DEFINITION.forms if form.id == "vitals" for item in form.items}
    for number, (encounter, dated, values, removed, position) in enumerate(drawn, 1):
        entered = {item: {"position": position, "at": f"time {number}"} for item in values}
        tables.put(
            RecordRow(
                participant=CODE,
                form="vitals",
                encounter=encounter,
                row=number,
                dated=dated,
                item_values=values,
                entered=entered,
                removed=removed,
            )
        )
        if not removed:
            plain.append(
                form_row(
                    "vitals",
                    {item: decode_value(types[item], value) for item, value in values.items()},
                    encounter=encounter or None,
                    row=number,
                    date=None if dated is None else PartialDate.parse(dated),
                    recorded_at=f"time {number}",
                    position=position,
                )
            )
    fast, slow = RecordedEvidence(DEFINITION, tables, CODE, TODAY), EvidenceTable(TODAY, plain)
    filled = [row for row in fast.rows("vitals") if row.values]
    assert filled == [row for row in slow.rows("vitals") if row.values]
    for item in types:
        assert fast.latest("vitals", item) == slow.latest("vitals", item)
        for encounter in ("screening", "week_0", "week_4"):
            assert fast.at("vitals", item, encounter) == slow.at("vitals", item, encounter)


def test_evidence_follows_what_is_recorded_corrected_and_struck_out() -> None:
    bench = Bench((DECIDE, APPLY))

    def evidence(**more: Any) -> RecordedEvidence:
        return RecordedEvidence(bench.definition, bench.tables, CODE, TODAY, **more)

    def latest(form: str, item: str) -> Any:
        seen = evidence().latest(form, item)
        return None if seen is None else seen.value

    bench.do(StartEncounter(participant=CODE, encounter="screening", took_place_on=date(2024, 5, 2)))
    [recorded] = bench.do(RecordForm(participant=CODE, form="vitals", encounter="screening", values=VITALS))
    assert latest("vitals", "weight") == Decimal(60)
    change = CorrectForm(participant=CODE, form="vitals", values={"weight": "62"}, encounter="screening")
    [corrected] = bench.do(change, "Typing error")
    seen, other = (evidence().latest("vitals", item) for item in ("weight", "systolic"))
    assert seen == Observation(
        "vitals",
        "weight",
        Decimal(62),
        "screening",
        None,
        PartialDate(2024, 5, 2),
        corrected.recorded_at,
        corrected.position,
    )
    assert other is not None
    assert other.position == recorded.position
    values = {"term": "Cough", "onset": "2024-05", "aware": "2024-05-04T23:00Z", "severity": "mild"}
    bench.do(RecordForm(participant=CODE, form="adverse_event", values={**values, "outcome": "ongoing"}))
    assert latest("adverse_event", "aware") == date(2024, 5, 4)
    assert latest("adverse_event", "onset") == PartialDate(2024, 5)
    assert [row.row for row in evidence().rows("adverse_event")] == [1]
    bench.do(RemoveRow(participant=CODE, form="adverse_event", row=1), "A duplicate")
    assert evidence().rows("adverse_event") == []
    assert evidence().rows("scribbles") == []
    assert evidence().reviewed("adverse_event") is None
    bench.do(ConfirmLog(participant=CODE, form="adverse_event", through=date(2024, 5, 20)))
    assert evidence().reviewed("adverse_event") == date(2024, 5, 20)
    assert (evidence().is_log("adverse_event"), evidence().is_log("vitals")) == (True, False)
    assert truth(when("any(adverse_event before screening)"), evidence()).value == "not met"
    assert truth(when("heavy"), evidence(variables={"heavy": when("vitals.weight > 61")})).value == "met"


def test_anchors_come_from_outside_or_are_encounters_that_took_place() -> None:
    tables = Tables()
    tables.put(EncounterRow(participant=CODE, encounter="week_0", status="late", took_place_on="2024-05-02"))
    tables.put(EncounterRow(participant=CODE, encounter="week_4", status="missed"))
    anchors = {"randomisation": date(2024, 5, 1), "consent": None}
    evidence = RecordedEvidence(DEFINITION, tables, CODE, TODAY, anchors=anchors)
    named = ("randomisation", "consent", "week_0", "week_4", "week_8", "today")
    assert [evidence.anchor(name) for name in named] == [
        date(2024, 5, 1),
        None,
        date(2024, 5, 2),
        None,
        None,
        TODAY,
    ]
    assert evidence.as_of == TODAY


def test_rows_of_other_rooms_stand_among_the_others() -> None:
    read = next(form for form in DEFINITION.forms if form.id == "read")
    asked = []

    def extra(form: str) -> list[Any]:
        asked.append(form)
        if form != "read":
            return []
        return [
            read_row(
                read,
                {"spots": number, "volume": "1.5"},
                encounter=f"week_{number}",
                dated=f"2024-05-0{number}",
                recorded_at="then",
                position=number,
            )
            for number in (8, 4)
        ]

    evidence = RecordedEvidence(DEFINITION, Tables(), CODE, TODAY, extra=extra)
    assert [row.encounter for row in evidence.rows("read")] == ["week_4", "week_8"]
    seen = evidence.latest("read", "spots")
    assert seen is not None
    assert (seen.value, seen.position, seen.recorded_at) == (8, 8, "then")
    assert asked == ["read"]
