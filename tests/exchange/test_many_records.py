"""Many records: in their order whatever the processes, damaged ones counted and named, memory bounded."""

from __future__ import annotations

import gzip
import json
import signal
import tracemalloc
import zipfile

import pytest
import typer
from typer.testing import CliRunner

from equipoise.cli.registry_check import check
from equipoise.exchange.registry.many import check_many, files_of, holds_many, records_in, write_parquet
from equipoise.exchange.registry.many import run as run_module
from equipoise.exchange.registry.many import sources as sources_module
from equipoise.exchange.registry.many.run import Checked, check_raw
from equipoise.exchange.registry.source import RecordUnreadable

from .quality_files import CLEAN, P, with_changes
from .registry_pages import OWN_PAGE

NCT = f"{P}.identificationModule.nctId"
VAGUE = {"outcomesModule": {"primaryOutcomes": [{"measure": "Safety", "timeFrame": "12 weeks"}]}}
APP = typer.Typer()
APP.command("check")(check)


def record(number: int, wrong: bool = False) -> dict:
    made = with_changes(CLEAN, {NCT: f"NCT{number:08}"})
    if wrong:
        made[P] |= VAGUE
        made = {key: value for key, value in made.items() if key != "resultsSection"} | {"hasResults": False}
    return made


def line(number: int, wrong: bool = False) -> str:
    return json.dumps(record(number, wrong), ensure_ascii=False) + "\n"


def run(*paths, jobs=1):
    lines: list[str] = []
    summary = check_many(files_of(list(paths)), jobs, lines.append, lambda _: None)
    return summary, [json.loads(each) for each in lines]


@pytest.fixture
def folder(tmp_path):
    """A folder with every kind of file: numbers 1 to 9 in the order in which they are read."""
    made = tmp_path / "records"
    made.mkdir()
    (made / "a.json").write_text(json.dumps(record(1), indent=1))
    (made / "b.jsonl").write_text(line(2) + "\n" + line(3, wrong=True))
    with gzip.open(made / "c.ndjson.gz", "wt") as packed:
        packed.write(line(4))
    with zipfile.ZipFile(made / "d.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("deep/6.json", json.dumps(record(6)))
        archive.writestr("deep/5.json", json.dumps(record(5)))
        archive.writestr("read me.pdf", b"%PDF")
        archive.writestr("more.jsonl", line(7))
        archive.writestr("packed.json.gz", gzip.compress(json.dumps(record(8)).encode()))
    (made / "e").mkdir()
    with gzip.open(made / "e" / "f.json.gz", "wt") as packed:
        json.dump(record(9), packed)
    (made / "notes.md").write_text("no record")
    return made


def test_every_kind_of_file_is_read_in_its_order(folder):
    summary, found = run(folder)
    assert [each["nctId"] for each in found] == [f"NCT{number:08}" for number in range(1, 10)]
    assert (summary.records, summary.damaged, summary.majors) == (9, 0, 1)
    assert summary.touched == {"PRS-OUTCOME-VAGUE": 1}
    assert [(each["file"], each["line"]) for each in found[1:3]] == [("b.jsonl", 1), ("b.jsonl", 3)]
    assert found[5]["file"] == "d.zip/deep/6.json"


@pytest.mark.parametrize(
    "begin", ["[", '{"studies": [', '{"totalCount": 3, "nextPageToken": "x",\n "studies": [']
)
def test_a_list_of_records_and_an_answer_to_a_search_are_read_record_by_record(begin, tmp_path):
    path = tmp_path / "found.json"
    path.write_text(begin + ",\n".join(json.dumps(record(each), indent=1) for each in (1, 2, 3)) + "]}\n")
    assert holds_many(path)
    summary, lines = run(path)
    assert (summary.records, summary.damaged) == (3, 0)
    assert [each["nctId"] for each in lines] == [f"NCT{each:08}" for each in (1, 2, 3)]
    written = path.read_text().split("\n")
    for number, each in enumerate(lines, start=1):
        assert f"NCT{number:08}" in "\n".join(written[each["line"] - 1 :]).split("}")[0]
    path.write_text(path.read_text()[:-200])
    assert run(path)[0].damaged == 1


def test_the_processes_change_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(run_module, "_RECORDS_A_TASK", 2)
    dump = tmp_path / "dump.jsonl"
    dump.write_text("".join(line(number, wrong=number % 3 == 0) for number in range(15)))
    assert run(dump, jobs=2) == run(dump)


def test_damaged_lines_are_counted_and_named_and_do_not_stop_the_run(tmp_path):
    dump = tmp_path / "dump.jsonl"
    bad = ["{}", "[1]", "not JSON", '{"protocolSection": {"a" 1}}', "[" * 100_000, '"\\ud800"', "\x00\x01"]
    dump.write_bytes(
        b"\n".join([line(1).strip().encode(), *map(str.encode, bad), b"\xff\xfe{", line(2).encode()])
    )
    summary, found = run(dump)
    assert (summary.records, summary.damaged) == (10, 8)
    assert [each["line"] for each in found if "error" in each] == list(range(2, 10))
    assert all("findings" in each for each in (found[0], found[-1]))
    assert summary.damaged_named[0].startswith("dump.jsonl, line 2: REC-NOT-A-RECORD: ")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.jsonl.gz", gzip.compress(("{}\n" * 9).encode(), mtime=0)[:-9]),
        ("no.json.gz", b"no gzip at all"),
        ("no.zip", b"PK no archive"),
    ],
)
def test_a_file_that_breaks_off_is_named_and_the_next_one_is_read(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    (tmp_path / "z.json").write_text(json.dumps(record(1)))
    summary, found = run(tmp_path)
    assert summary.damaged >= 1
    assert any(each.get("error", {}).get("code") == "REC-DAMAGED" and each["file"] == name for each in found)
    assert found[-1]["nctId"] == "NCT00000001"


def test_a_line_without_end_is_refused_within_bounded_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(sources_module, "MAX_BYTES", 100_000)
    monkeypatch.setattr("equipoise.exchange.registry.source.MAX_BYTES", 100_000)
    dump = tmp_path / "dump.jsonl.gz"
    with gzip.open(dump, "wb") as packed:
        packed.write(line(1).encode() + b'{"a": "' + b"x" * 30_000_000 + b'"}\n' + line(2).encode())
    tracemalloc.start()
    try:
        _, found = run(dump)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [each.get("error", {}).get("code") for each in found] == [None, "REC-TOO-LARGE", None]
    assert peak < 15_000_000


def test_memory_does_not_grow_with_the_records(tmp_path, monkeypatch):
    monkeypatch.setattr(run_module, "check_raw", lambda raw: Checked(raw.content.decode(), (("A", "major"),)))
    dump = tmp_path / "dump.jsonl"
    dump.write_text(line(1) * 6000)
    tracemalloc.start()
    try:
        check_many([dump], 1, len, lambda _: None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert dump.stat().st_size > 40_000_000
    assert peak < 4_000_000


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_keeps_what_was_done(tmp_path, jobs, monkeypatch):
    monkeypatch.setattr(run_module, "_RECORDS_A_TASK", 1)
    dump = tmp_path / "dump.jsonl"
    count = 30
    dump.write_text("".join(line(number) for number in range(count)))
    lines: list[str] = []

    def tell(_):
        signal.raise_signal(signal.SIGINT)

    summary = check_many([dump], jobs, lines.append, tell)
    assert summary.is_interrupted
    assert 0 < summary.records == len(lines) < count
    assert [json.loads(each)["line"] for each in lines] == list(range(1, len(lines) + 1))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_holds_many(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"")
    assert [
        holds_many(tmp_path / name)
        for name in (".", "a.zip", "b.jsonl", "b.NDJSON.gz", "d.json.gz", "c.json")
    ] == [
        *[True] * 5,
        False,
    ]


def test_nothing_to_read_is_an_error(tmp_path):
    with pytest.raises(RecordUnreadable, match="REC-MISSING"):
        run(tmp_path)
    with pytest.raises(RecordUnreadable, match="REC-MISSING"):
        run(tmp_path / "nowhere.jsonl")


def test_a_page_in_a_folder_is_read_as_a_page():
    (raw,) = records_in(OWN_PAGE)
    assert '"REC-DURATION"' in check_raw(raw).text


def test_a_parquet_file_has_a_row_for_each_finding(folder, tmp_path):
    polars = pytest.importorskip("polars")
    (folder / "z.json").write_text("{}")
    lines = tmp_path / "found.jsonl"
    with lines.open("w") as handle:
        check_many(files_of([folder]), 1, handle.write, lambda _: None)
    write_parquet(lines, tmp_path / "found.parquet")
    frame = polars.read_parquet(tmp_path / "found.parquet")
    assert frame.select("file", "nctId", "code", "comment").rows() == [
        ("b.jsonl", "NCT00000003", "PRS-OUTCOME-VAGUE", "major"),
        ("z.json", None, "REC-NOT-A-RECORD", "major"),
    ]
    assert frame["places"][0][0]["quote"] == "Safety"


# ---- the command -------------------------------------------------------------------------------------------


def command(*arguments: object):
    return CliRunner().invoke(APP, [str(each) for each in arguments], env={"COLUMNS": "150"})


def test_the_command_prints_what_a_reviewer_sends_back():
    result = command(OWN_PAGE)
    assert result.exit_code == 0
    first = [
        row.split()[1] for row in result.stdout.splitlines() if row.strip().startswith(("major", "advisory"))
    ]
    assert first[:2] == ["REC-DURATION", "REC-SCORE"]
    # Where a sentence is broken depends on how wide the terminal is.
    said = " ".join(result.stdout.split())
    assert "State one and use it everywhere." in said and "line 19: disease duration" in said
    assert command(OWN_PAGE, "--strict").exit_code == 1


def test_the_command_prints_json(folder):
    one = json.loads(command(OWN_PAGE, "--json").stdout)
    assert {"code", "severity", "comment", "sentence", "remedy", "places"} == set(one[0])
    many = json.loads(command(folder, "--json", "--jobs", 1).stdout)
    assert many["codes"] == [
        {"code": "PRS-OUTCOME-VAGUE", "comment": "major", "records": 1, "percent": 11.11}
    ]


def test_the_command_sums_up_many_and_writes_what_it_found(folder, tmp_path):
    out = tmp_path / "found.jsonl"
    result = command(folder, "--jobs", 1, "--out", out, "--strict")
    assert result.exit_code == 1
    assert "PRS-OUTCOME-VAGUE" in result.stdout
    assert "9 records, 1 with a major finding" in result.stdout
    assert len(out.read_text().splitlines()) == 9


def test_what_a_run_writes_into_the_folder_that_it_checks_is_not_checked(folder):
    out = folder / "found.jsonl"
    for _ in range(2):
        assert "9 records, 1 with a major finding" in command(folder, "--jobs", 1, "--out", out).stdout
        assert len(out.read_text().splitlines()) == 9


def test_a_list_that_is_too_long_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(sources_module, "MAX_BYTES", 10_000)
    monkeypatch.setattr(sources_module, "_LIST_BYTES_MAX", 20_000)
    path = tmp_path / "many.json"
    path.write_text("[" + ",".join([json.dumps(record(1), ensure_ascii=True)] * 50) + "]")
    summary, found = run(path)
    assert 0 < summary.records - summary.damaged < 50
    assert "with one record a line, as .jsonl" in found[-1]["error"]["sentence"]


def test_the_command_accepts_a_record_without_findings(tmp_path):
    (tmp_path / "one.json").write_text(json.dumps(CLEAN))
    result = command(tmp_path / "one.json", "--strict")
    assert (result.exit_code, result.stdout) == (0, "0 major findings, 0 advisory\n")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("nowhere.json",), "REC-MISSING"),
        (("nowhere.jsonl",), "REC-MISSING"),
        ((".", "--out", "found.csv"), "OUT-FORM"),
        ((".", "--out", "nowhere/found.jsonl"), "OUT-FOLDER"),
        (("found.jsonl", "--out", "found.jsonl"), "OUT-INPUT"),
        (("old.json", "./found.jsonl", "--out", "found.jsonl"), "OUT-INPUT"),
    ],
)
def test_the_command_says_what_is_wrong(arguments, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = command(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{code}: ")
    assert list(tmp_path.iterdir()) == []
