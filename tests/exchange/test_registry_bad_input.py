"""Bad input: each has its code, its sentence and its place, and none takes long."""

from __future__ import annotations

import json

import pytest

from equipoise.exchange.registry import RecordUnreadable, find_contradictions, read_record
from equipoise.exchange.registry.json_tree import MAX_LEAVES
from equipoise.exchange.registry.source import MAX_BYTES

from .registry_files import RECORD, changed, written
from .registry_pages import repaired_page

DEEP = '{"protocolSection": ' + '{"a": ' * 100_000
WIDE = '{"protocolSection": {"conditionsModule": {"keywords": [' + "0," * 1_000_000 + "0]}}}"
PAGE = repaired_page().encode()
FILE = written(RECORD).encode()

BAD = {
    "empty": (b"", "REC-EMPTY", ""),
    "blank": (b" \n\t\n", "REC-EMPTY", ""),
    "zeros": (b"Study Overview\nStatus\0\0", "REC-BINARY", "line 2"),
    "picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "REC-BINARY", "line 3"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3", "REC-BINARY", "line 1"),
    "noise": (bytes(range(1, 256)) * 20, "REC-BINARY", "line 1"),
    "utf-16": (PAGE.decode().encode("utf-16"), "REC-ENCODING", "line 1"),
    "latin-1": ("Study Overview\n\nStatus\n\nMalmö hospital".encode("latin-1"), "REC-ENCODING", "line 5"),
    "prose": (b"Dear Nils,\n\nplease find the record attached.\n", "REC-NOT-A-RECORD", "line 1"),
    "list": (b"[1, 2, 3]", "REC-NOT-A-RECORD", "line 1"),
    "other json": (b'{"name": "Eve"}', "REC-NOT-A-RECORD", "line 1"),
    "hollow": (b'{"protocolSection": {}}', "REC-NOT-A-RECORD", "line 1"),
    "missing comma": (FILE.replace(b'",\n', b'"\n', 1), "REC-JSON", "line 5"),
    "bare word": (FILE.replace(b'"COMPLETED"', b"completed"), "REC-JSON", "line 16"),
    "bad escape": (FILE.replace(b"COMPLETED", b"\\q"), "REC-JSON", "line 16"),
    "two records": (FILE + FILE, "REC-JSON", None),
    "deep": (DEEP.encode(), "REC-TOO-DEEP", "line 1"),
    "long page": (PAGE + b"a\n" * 1_000_000, "REC-TOO-LARGE", "line 20001"),
    "endless line": (PAGE + b"a" * 1_000_000, "REC-TOO-LARGE", None),
    "wide": (WIDE.encode(), "REC-TOO-LARGE", "line 1"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_has_a_code_a_sentence_and_a_place(name, tmp_path):
    content, code, place = BAD[name]
    path = tmp_path / "record.txt"
    path.write_bytes(content)
    with pytest.raises(RecordUnreadable) as caught:
        read_record(path)
    assert caught.value.code == code
    assert caught.value.sentence.endswith(".") and str(tmp_path) not in str(caught.value)
    assert place is None or caught.value.place == place


def test_a_file_of_fifty_megabytes_is_refused_after_its_limit(tmp_path):
    path = tmp_path / "large.txt"
    with path.open("wb") as handle:
        handle.truncate(50_000_000)
    with pytest.raises(RecordUnreadable) as caught:
        read_record(path)
    assert caught.value.code == "REC-TOO-LARGE"
    assert MAX_BYTES < 50_000_000 and MAX_LEAVES < 1_000_000


@pytest.mark.parametrize("name", ["no such file", "."])
def test_a_path_without_a_file(name, tmp_path):
    with pytest.raises(RecordUnreadable) as caught:
        read_record(tmp_path / name)
    assert caught.value.code == "REC-MISSING"


def test_a_file_cut_within_a_character_is_incomplete(tmp_path):
    path = tmp_path / "record.txt"
    path.write_bytes(PAGE[: PAGE.index("·".encode() if "·".encode() in PAGE else "≥".encode()) + 1])
    record = read_record(path)
    assert find_contradictions(record)[0].code == "REC-INCOMPLETE"


def test_a_byte_order_mark_is_no_text(tmp_path):
    path = tmp_path / "record.json"
    path.write_bytes(b"\xef\xbb\xbf" + FILE)
    assert find_contradictions(read_record(path)) == []


@pytest.mark.parametrize(
    "unit",
    [
        "a ",
        "1 ",
        "1,",
        "aged 18 ",
        "Expanded Disability ",
        "phase 1/",
        "week 1, ",
        "(",
        "EDSS of ",
        "18-",
        "if ",
    ],
)
def test_endless_texts_are_read_in_bounded_time(unit, tmp_path):
    path = tmp_path / "record.json"
    text = unit * (12_000 // len(unit))
    record = changed({"descriptionModule.detailedDescription": text, "descriptionModule.briefSummary": text})
    record["protocolSection"]["outcomesModule"]["primaryOutcomes"][0]["description"] = text
    record["protocolSection"]["eligibilityModule"]["eligibilityCriteria"] = "Inclusion Criteria:\n\n* " + text
    path.write_text(json.dumps(record), encoding="utf-8")
    assert isinstance(find_contradictions(read_record(path)), list)
