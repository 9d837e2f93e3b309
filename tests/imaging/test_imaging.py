"""Scans, independent readings and adjudication."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.access.actor import Actor
from equipoise.access.content import KINDS, Audience
from equipoise.definition.model.forms import Form
from equipoise.imaging.commands import AcceptScan, ReceiveScan, RecordAdjudication, RecordRead, RefuseScan
from equipoise.imaging.decide import DECIDE, agree, final_reading, reading_queue
from equipoise.imaging.state import APPLY, ReadingRow, ScanRow, TaskRow
from tests.factory import PRIYA, Bench, item, make_definition

DAY = date(2024, 6, 3)
RITA = Actor(account="rita", role="reader")
OMAR = Actor(account="omar", role="reader")
ADA = Actor(account="ada", role="adjudicator")
RECEIVE = ReceiveScan(participant="SE01-001", encounter="week_4", acquired_on=DAY)


def make_bench(definition=None, readers=None) -> Bench:
    if readers is not None:
        imaging = make_definition().imaging
        assert imaging is not None
        definition = make_definition(imaging=replace(imaging, readers=readers))
    return Bench((DECIDE, APPLY), definition=definition)


def receive(bench, command=RECEIVE) -> str:
    bench.actor = PRIYA
    return str(bench.do(command)[0].content["scan"])


def accept(bench, command=RECEIVE) -> str:
    scan = receive(bench, command)
    bench.do(AcceptScan(scan=scan))
    return scan


def read(bench, actor, spots=3, volume="1.0"):
    """The next reading in the actor's queue."""
    bench.actor = actor
    task = reading_queue(bench.tables, actor.account)[0]
    kind = RecordRead if task.slot else RecordAdjudication
    return bench.do(kind(task=task.task, values={"spots": spots, "volume": Decimal(volume)}))


def refused(bench, actor, command):
    bench.actor = actor
    return bench.refused(command).code


def values(spots=3, volume="1.0"):
    return {"spots": spots, "volume": Decimal(volume)}


# -- receiving and judging


@pytest.mark.parametrize("encounter", ["week_0", "nowhere", "unscheduled_1"])
def test_spec_a_scan_belongs_to_an_encounter_at_which_one_is_planned(encounter):
    assert make_bench().refused(replace(RECEIVE, encounter=encounter)).code == "IMG-ENCOUNTER"


def test_without_central_reading_there_are_no_scans():
    bench = make_bench()
    scan = receive(bench)
    bench.definition = make_definition(imaging=None)
    assert bench.refused(RECEIVE).code == "IMG-ENCOUNTER"
    assert bench.refused(AcceptScan(scan=scan)).code == "IMG-NONE"
    assert bench.refused(RecordRead(task="T-1", values={})).code == "IMG-NONE"
    assert bench.do(RefuseScan(scan=scan, cause="Anything"))


def test_spec_nothing_is_acquired_in_the_future():
    assert make_bench().refused(replace(RECEIVE, acquired_on=DAY + timedelta(days=1))).code == "IMG-DATE"


def test_spec_a_second_scan_comes_only_after_the_first_was_refused():
    bench = make_bench()
    first = receive(bench)
    assert bench.refused(RECEIVE).code == "IMG-DUPLICATE"
    bench.do(RefuseScan(scan=first, cause="Motion"))
    second = accept(bench)
    assert second != first
    assert bench.refused(RECEIVE).code == "IMG-DUPLICATE"
    assert receive(bench, replace(RECEIVE, encounter="week_8")) not in (first, second)


def test_spec_quality_is_judged_once_and_refused_for_a_reason_of_the_definition():
    bench = make_bench()
    assert bench.refused(AcceptScan(scan="S-0")).code == "IMG-SCAN"
    assert bench.refused(RefuseScan(scan="S-0", cause="Motion")).code == "IMG-SCAN"
    scan = receive(bench)
    assert bench.refused(RefuseScan(scan=scan, cause="Mood")).code == "IMG-CAUSE"
    bench.do(AcceptScan(scan=scan))
    assert bench.refused(AcceptScan(scan=scan)).code == "IMG-SCAN"
    assert bench.refused(RefuseScan(scan=scan, cause="Motion")).code == "IMG-SCAN"


def test_a_definition_without_reasons_takes_any_that_says_something():
    imaging = make_definition().imaging
    assert imaging is not None
    bench = make_bench(make_definition(imaging=replace(imaging, quality_reasons=())))
    scan = receive(bench)
    assert bench.refused(RefuseScan(scan=scan, cause=" ")).code == "IMG-TEXT"
    bench.do(RefuseScan(scan=scan, cause="Mood"))
    assert bench.tables.require(ScanRow, scan).cause == "Mood"


# -- the queue


def test_spec_the_queue_says_nothing_about_the_order_in_which_scans_came():
    bench = make_bench()
    scans = [
        accept(bench, replace(RECEIVE, participant=f"SE01-{number:03d}", encounter=encounter))
        for number in range(1, 11)
        for encounter in ("screening", "week_4")
    ]
    queue = reading_queue(bench.tables, "rita")
    assert [task.task for task in queue] == sorted(task.task for task in queue)
    assert {task.scan for task in queue} == set(scans)
    assert [task.scan for task in queue] != scans
    assert scans != sorted(scans)


def test_spec_a_reader_gets_each_scan_once_and_the_other_reader_too():
    bench = make_bench()
    scan = accept(bench)
    assert [task.scan for task in reading_queue(bench.tables, "rita")] == [scan]
    read(bench, RITA)
    assert reading_queue(bench.tables, "rita") == ()
    assert [task.scan for task in reading_queue(bench.tables, "omar")] == [scan]
    read(bench, OMAR)
    assert reading_queue(bench.tables, "omar") == ()
    assert reading_queue(bench.tables, "anybody") == ()


def test_spec_one_account_never_reads_a_scan_twice():
    bench = make_bench()
    accept(bench)
    read(bench, RITA)
    for task in bench.tables.all(TaskRow):
        assert refused(bench, RITA, RecordRead(task=task.task, values=values())) == "IMG-SAME-READER"


def test_two_readers_who_open_the_same_task_both_have_their_reading_kept():
    bench = make_bench()
    accept(bench)
    (task,) = reading_queue(bench.tables, "rita")
    for actor in (RITA, OMAR):
        bench.actor = actor
        bench.do(RecordRead(task=task.task, values=values()))
    rows = list(bench.tables.all(TaskRow))
    assert {row.account for row in rows} == {"rita", "omar"}
    assert {row.status for row in rows} == {"done"}
    assert refused(bench, ADA, RecordRead(task=task.task, values=values())) == "IMG-TASK"


@pytest.mark.requirement("R39")
def test_unknown_tasks_and_unreadable_values_are_refused():
    bench = make_bench()
    accept(bench)
    (task,) = reading_queue(bench.tables, "rita")
    assert refused(bench, RITA, RecordRead(task="T-0", values=values())) == "IMG-TASK"
    assert refused(bench, RITA, RecordAdjudication(task=task.task, values=values())) == "IMG-TASK"
    assert refused(bench, RITA, RecordRead(task=task.task, values={"spots": -1})) == "IMG-VALUE"


# -- agreement


def test_spec_readers_who_agree_settle_a_scan():
    bench = make_bench()
    scan = accept(bench)
    assert [entry.kind for entry in read(bench, RITA, 3, "1.0")] == ["ReadRecorded"]
    assert [entry.kind for entry in read(bench, OMAR, 3, "1.4")] == ["ReadRecorded", "ScanRead"]
    reading = bench.tables.require(ReadingRow, scan)
    assert (reading.participant, reading.encounter, reading.how) == ("SE01-001", "week_4", "agreed")
    assert reading.item_values == {"spots": 3, "volume": "1.20"}
    assert bench.tables.require(ScanRow, scan).status == "read"


@pytest.mark.parametrize(
    ("spots", "volume", "items"), [(4, "1.0", ("spots",)), (4, "1.6", ("spots", "volume"))]
)
def test_spec_readers_who_disagree_call_for_an_adjudicator(spots, volume, items):
    bench = make_bench()
    scan = accept(bench)
    read(bench, RITA, 3, "1.0")
    recorded, disagreed = read(bench, OMAR, spots, volume)
    assert (recorded.kind, disagreed.kind) == ("ReadRecorded", "ReadingsDisagreed")
    assert disagreed.content["items"] == items
    assert bench.tables.require(ScanRow, scan).status == "disputed"
    (task,) = reading_queue(bench.tables, "ada")
    assert task.slot == 0
    for reader in (RITA, OMAR):
        assert reading_queue(bench.tables, reader.account) == ()
        code = refused(bench, reader, RecordAdjudication(task=task.task, values=values()))
        assert code == "IMG-SAME-READER"
    assert refused(bench, ADA, RecordRead(task=task.task, values=values())) == "IMG-TASK"
    read(bench, ADA, 4, "1.1")
    reading = bench.tables.require(ReadingRow, scan)
    assert (reading.how, reading.item_values) == ("adjudicated", {"spots": 4, "volume": "1.1"})
    assert refused(bench, ADA, RecordAdjudication(task=task.task, values=values())) == "IMG-TASK"


@pytest.mark.parametrize("readers", [1, 3])
def test_the_number_of_readers_is_the_definitions(readers):
    bench = make_bench(readers=readers)
    scan = accept(bench)
    for number in range(readers):
        assert bench.tables.get(ReadingRow, scan) is None
        read(bench, Actor(account=f"reader{number}", role="reader"))
    assert bench.tables.require(ReadingRow, scan).item_values == {"spots": 3, "volume": "1.0"}


def test_the_tables_follow_from_the_entries():
    bench = make_bench()
    bench.do(RefuseScan(scan=receive(bench), cause="Motion"))
    accept(bench)
    for reader, spots in ((RITA, 1), (OMAR, 2), (ADA, 2)):
        read(bench, reader, spots)
    assert bench.replayed() == bench.tables.dump()


def test_spec_entries_about_readings_name_no_participant_encounter_or_date():
    bench = make_bench()
    accept(bench)
    for reader, spots in ((RITA, 1), (OMAR, 2), (ADA, 2)):
        read(bench, reader, spots)
    of_reading = [entry for entry in bench.entries if KINDS[entry.kind].audience is Audience.READING]
    assert len(of_reading) == 5
    for entry in of_reading:
        assert entry.clinical_time is None
        assert not {"participant", "encounter", "acquired_on"} & entry.content.keys()
        assert all(text not in str(entry.content) for text in ("SE01", "week_4", "2024"))


# -- the rules of agreement, by themselves

FORM = Form(
    id="read",
    title="Reading",
    items=(
        item("count", "integer", required=False),
        item("size", "decimal", required=False),
        item("remark", "text"),
    ),
)
sizes = st.decimals(0, 100, places=1).map(str)


@given(st.lists(sizes, min_size=1, max_size=4), st.decimals(0, 10, places=1))
def test_readers_agree_exactly_when_every_two_are_within_the_tolerance(answers, tolerance):
    readings = [{"size": answer} for answer in answers]
    pairs = all(abs(Decimal(one) - Decimal(other)) <= tolerance for one in answers for other in answers)
    assert agree(readings, "size", tolerance, FORM) is pairs


@given(st.lists(sizes, min_size=1, max_size=4))
def test_the_final_value_lies_between_the_readings(answers):
    final = Decimal(final_reading([{"size": answer} for answer in answers], ["size"], FORM)["size"])
    numbers = [Decimal(answer) for answer in answers]
    assert min(numbers) <= final <= max(numbers)
    assert abs(final - sum(numbers, Decimal(0)) / len(numbers)) <= Decimal("0.005")


@pytest.mark.parametrize(("one", "other", "final"), [(3, 4, 4), (4, 5, 4), (3, 5, 4), (7, 7, 7)])
def test_the_mean_of_counts_is_whole_and_halves_go_to_the_even_side(one, other, final):
    assert final_reading([{"count": one}, {"count": other}], ["count"], FORM) == {"count": final}


@pytest.mark.parametrize("name", ["size", "remark"])
def test_no_answer_agrees_with_no_answer_only(name):
    assert agree([{}, {}], name, Decimal(1), FORM)
    assert not agree([{}, {name: "1"}], name, Decimal(1), FORM)


def test_what_is_not_compared_is_that_of_the_first_slot():
    readings = [{"count": 1, "remark": "one"}, {"count": 1, "remark": "other"}]
    assert final_reading(readings, ["count"], FORM) == {"count": 1, "remark": "one"}
