"""A trial that was written is read back as it was, whatever stands in it; masked files tell no allocation."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from equipoise.access.refusal import Refused
from equipoise.analysis.cut import DataCut
from equipoise.analysis.derive import mask_cut
from equipoise.capture.state import QueryRow
from equipoise.definition.expression import PartialDate, form_row
from equipoise.exchange.odm import cut_of, read_odm, snapshot_of
from equipoise.exchange.odm.names import Version, escaped, unescaped
from equipoise.exchange.odm.snapshot import Answer, Entered, Record
from tests.analysis.cuts import make_cut, swap_arms
from tests.exchange.odm_files import VERSIONS, read_back, snapshot, written
from tests.exchange.results_trials import MAKERS
from tests.rehearsal.folders import load

TRIALS = [
    ("tern", "data_manager", False),
    ("tern", "unblinded_statistician", True),
    ("wren", "data_manager", False),
    ("curlew", "data_manager", True),
]


def with_times(cut: DataCut) -> DataCut:
    """The same with a time of entry for every value, as a ledger has it."""
    people = []
    for person in cut.participants:
        rows = tuple(
            form_row(
                row.form,
                {item: seen.value for item, seen in row.values.items()},
                encounter=row.encounter,
                row=row.row,
                date=row.date,
                recorded_at=f"2024-02-{1 + place % 28:02d}T08:00:00.000000Z",
                position=place + 1,
            )
            for place, row in enumerate(person.rows)
        )
        people.append(replace(person, rows=rows))
    return replace(cut, participants=tuple(people))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("study", "role", "history"), TRIALS)
def test_a_rehearsed_trial_comes_back_equal(study, role, history, version, tmp_path):
    seen = snapshot(study, role, history=history)
    back = read_back(written(load(study), version, seen), tmp_path)
    assert back.snapshot == seen
    assert back.not_understood == ()
    assert back.version == version


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("kind", ["crossover", "parallel", "single"])
def test_a_cut_comes_back_as_the_analysis_reads_it(kind, masked, version, tmp_path):
    cut = with_times(make_cut(MAKERS[kind](), participants=4, masked=masked))
    back = read_back(written(cut.definition, version, snapshot_of(cut)), tmp_path).snapshot
    assert back is not None
    again = cut_of(back, cut.definition)
    assert replace(again, participants=()) == replace(cut, participants=())
    for before, after in zip(cut.participants, again.participants, strict=True):
        assert replace(before, rows=()) == replace(after, rows=())
        assert sorted(map(repr, before.rows)) == sorted(map(repr, after.rows))


@pytest.mark.parametrize("version", VERSIONS)
def test_what_was_compared_with_its_source_comes_back_item_by_item(version, tmp_path):
    seen = snapshot("wren", "data_manager", history=True)
    first, *others = seen.people
    marked = tuple(
        replace(
            each,
            verified=len(each.answers) == 1,
            verified_items=tuple(each.answers)[:1],
            changed_items=tuple(each.answers)[1:],
        )
        for each in first.records
    )
    assert any(each.changed_items for each in marked)
    verified = replace(seen, people=(replace(first, records=marked), *others))
    assert read_back(written(load("wren"), version, verified), tmp_path).snapshot == verified


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("study", ["tern", "wren"])
def test_the_cut_of_a_real_ledger_comes_back_with_its_order(study, version, tmp_path):
    seen = snapshot(study, "data_manager", history=False)
    definition = load(study)
    back = read_back(written(definition, version, seen), tmp_path).snapshot
    assert back is not None
    assert cut_of(back, definition) == cut_of(seen, definition)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_masked_file_is_the_same_whoever_is_in_which_arm(version):
    for maker in MAKERS.values():
        cut = make_cut(maker(), participants=4)
        seen, swapped = snapshot_of(mask_cut(cut)), snapshot_of(mask_cut(swap_arms(cut)))
        content = written(cut.definition, version, seen)
        assert content == written(cut.definition, version, swapped)
        assert content != written(cut.definition, version, snapshot_of(cut))
        assert b"RANDOMISATION.arm" not in content.partition(b"<ClinicalData")[2]


def test_a_masked_role_gets_neither_arms_nor_what_would_unmask():
    masked = snapshot("tern", "data_manager", history=True)
    open_eyes = snapshot("tern", "unblinded_statistician", history=True)
    assert masked.masked
    assert all(person.facts.arm is None for person in masked.people)
    assert any(person.facts.arm is not None for person in open_eyes.people)
    definition = load("tern")
    hidden = {form.id for form in definition.forms if form.unmasking}
    items = {(form.id, item.id) for form in definition.forms for item in form.items if item.unmasking}
    answered = {
        (record.form, item)
        for person in masked.people
        for record in person.records
        for item in record.answers
    }
    assert not answered & items
    assert not {form for form, _ in answered} & hidden


# -- transactions


def corrected() -> Record:
    def entered(position: int, reason: str | None = None) -> Entered:
        return Entered(
            position=position,
            at=f"2024-02-01T08:{position:02d}:00.000000Z",
            account="nils.n",
            role="nurse",
            site="SE01",
            reason=reason,
        )

    return Record(
        form="visit",
        encounter="week_4",
        row=None,
        dated="2024-02-01",
        answers={
            "count": (Answer(3, entered(4)), Answer(4, entered(6, "misread")), Answer(None, entered(9))),
            "score": (Answer("4.5", entered(7, "found later")),),
            "well": (Answer(True, entered(4)),),
        },
        removed=entered(12, "entered twice"),
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_every_change_is_a_transaction_of_its_own_in_the_order_of_the_ledger(version, tmp_path):
    cut = make_cut(MAKERS["crossover"](), participants=1, screened_out=0)
    base = snapshot_of(cut)
    person = replace(base.people[0], records=(corrected(),))
    seen = replace(base, people=(person,), history=True, days_only=False)
    content = written(cut.definition, version, seen)
    root = etree.fromstring(content)
    assert root.get("FileType") == "Transactional"
    changes = [
        (item.get("ItemOID"), item.get("TransactionType"), item.findtext("{*}AuditRecord/{*}SourceID"))
        for item in root.iter("{*}ItemData")
        if item.get("ItemOID", "").startswith("I.visit")
    ]
    assert changes == [
        ("I.visit.count", "Insert", "4"),
        ("I.visit.well", "Insert", "4"),
        ("I.visit.count", "Update", "6"),
        ("I.visit.score", "Insert", "7"),
        ("I.visit.count", "Remove", "9"),
    ]
    removed = [each for each in root.iter("{*}*") if each.get("TransactionType") == "Remove"]
    assert removed[-1].findtext("{*}AuditRecord/{*}ReasonForChange") == "entered twice"
    assert read_back(content, tmp_path).snapshot == seen


def test_a_query_on_an_item_that_was_first_answered_later_is_annotated_at_its_form():
    cut = make_cut(MAKERS["crossover"](), participants=1, screened_out=0)
    base = snapshot_of(cut)
    asked = QueryRow(
        query="Q-1",
        participant=base.people[0].facts.participant,
        form="visit",
        encounter="week_4",
        row=0,
        item="score",
        text="Please score.",
        status="open",
        origin="",
        opened_by="dora",
        opened_at="2024-02-01T08:05:00.000000Z",
    )
    person = replace(base.people[0], records=(corrected(),), queries=(asked,))
    seen = replace(base, people=(person,), history=True, days_only=False)
    told: tuple[tuple[Version, str], ...] = (("1.3.2", "Annotation"), ("2.0", "Query"))
    for version, name in told:
        root = etree.fromstring(written(cut.definition, version, seen))
        (found,) = root.iter(f"{{*}}{name}")
        around = found.getparent()
        assert around is not None and around.get("TransactionType") == "Insert"
        assert "Please score." in "".join(found.itertext())


# -- odd texts

ODD = st.text(
    st.one_of(
        st.sampled_from("\x00\x01\x0b\r\n\t \u0085\u2028\ufeff\ufffe\uffff\U0001f9ea_x0F1]>&<'\"\ud800"),
        st.characters(),
    ),
    max_size=20,
)


@given(ODD)
def test_what_xml_cannot_hold_is_escaped_and_comes_back(text):
    held = escaped(text)
    assert unescaped(held) == text
    assert etree.fromstring(etree.tostring(_element(held))).text == (held or None)


def _element(text: str) -> etree._Element:
    element = etree.Element("t")
    element.text = text
    return element


DATES = st.one_of(
    st.none(),
    st.builds(PartialDate, st.integers(1900, 2100)),
    st.builds(PartialDate, st.integers(1900, 2100), st.integers(1, 12)),
    st.dates(min_value=date(1, 1, 1)).map(PartialDate.of),
)


ONE = make_cut(MAKERS["crossover"](), participants=1, screened_out=0)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(ODD, min_size=1, max_size=4),
    number=st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9),
    onset=DATES,
    dated=DATES,
    answered=st.booleans(),
    version=st.sampled_from(VERSIONS),
)
def test_odd_texts_partial_dates_numbers_and_empty_rows_come_back(
    texts, number, onset, dated, answered, version, tmp_path
):
    cut = ONE
    rows = [
        form_row(
            "adverse_event",
            {"term": text, **({} if onset is None else {"onset": onset})},
            encounter=("week_4", None)[place % 2],
            row=place + 1,
            date=dated,
            recorded_at="2024-05-05T00:00:00.000001Z",
            position=place,
        )
        for place, text in enumerate(texts)
    ]
    empty = form_row("visit", {"score": number} if answered else {}, encounter="unscheduled_1", date=dated)
    person = replace(cut.participants[0], rows=(empty, *rows), end_cause=texts[0])
    seen = snapshot_of(replace(cut, participants=(person,)))
    assert read_back(written(cut.definition, version, seen), tmp_path).snapshot == seen


def test_a_file_of_days_says_that_its_date_times_are_partial():
    definition = load("tern")
    seen = replace(snapshot("tern", "data_manager", history=False), days_only=True)
    assert b'DataType="partialDatetime"' in written(definition, "1.3.2", seen)
    assert b'DataType="partialDatetime"' not in written(definition, "1.3.2")


def test_who_may_not_see_all_sites_writes_no_file():
    with pytest.raises(Refused):
        snapshot("tern", "investigator", history=False)


@pytest.mark.parametrize("history", [False, True])
def test_queries_stand_where_they_were_asked(history):
    seen = snapshot("curlew", "data_manager", history=history)
    root = etree.fromstring(written(load("curlew"), "2.0", seen))
    asked = {query.query for person in seen.people for query in person.queries}
    found = {query.get("OID") for query in root.iter("{*}Query")}
    assert found <= asked
    assert len(found) > len(asked) / 2
    assert {query.get("State") for query in root.iter("{*}Query")} <= {"Open", "Answered", "Closed"}
    old = etree.fromstring(written(load("curlew"), "1.3.2", seen))
    assert len(list(old.iter("{*}Annotation"))) == len(list(root.iter("{*}Query")))


def test_a_signature_that_holds_is_on_the_participant():
    seen = snapshot("wren", "data_manager", history=False)
    for version in VERSIONS:
        root = etree.fromstring(written(load("wren"), version, seen))
        signed = {
            each.get("SubjectKey")
            for each in root.iter("{*}SubjectData")
            if each.find("{*}Signature") is not None
        }
        assert signed == {
            person.facts.participant
            for person in seen.people
            if any(signature.holds for signature in person.signatures)
        }
        assert signed


def test_what_is_recorded_of_a_unit_says_who_recorded_it(tmp_path):
    definition = load("curlew")
    forms = {product.administration_form for product in definition.supply.products}
    seen = snapshot("curlew", "data_manager", history=False)
    given = [record for person in seen.people for record in person.records if record.form in forms]
    assert given
    assert all(record.made is not None and record.made.account for record in given)
    back = read_back(written(definition, "2.0", seen), tmp_path).snapshot
    assert back is not None
    again = [record for person in back.people for record in person.records if record.form in forms]
    assert again == given


def test_names_of_people_are_in_no_file():
    root = etree.fromstring(written(load("tern"), "1.3.2", snapshot("tern", "data_manager", history=False)))
    users = list(root.iter("{*}User"))
    assert users
    for user in users:
        assert {etree.QName(each).localname for each in user} <= {"LoginName", "DisplayName", "LocationRef"}


def test_a_file_is_read_from_its_path_alone(tmp_path):
    path = tmp_path / "trial.xml"
    path.write_bytes(written(load("dipper"), "2.0", snapshot("dipper", "data_manager", history=False)))
    assert read_odm(path).parts.keys() >= {"study.yaml", "schedule.yaml", "forms/swimmer.yaml"}
