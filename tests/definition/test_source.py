"""Reading YAML: what becomes of scalars, where values stand, and what no file can do to the reader."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.definition import source
from equipoise.definition.findings import Problem
from equipoise.definition.source import SourceFile, StudySource, read_file, read_folder, read_yaml


def read(text: str) -> SourceFile:
    file, findings = read_yaml("x.yaml", text.encode())
    assert findings == () and file is not None
    return file


def fault(content: bytes) -> tuple[str, int | None]:
    file, findings = read_yaml("x.yaml", content)
    assert file is None
    return findings[-1].code, findings[-1].line_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("NO", "NO"),
        ("off", "off"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("12", 12),
        ("-3", -3),
        ("007", "007"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("0.10", "0.10"),
        ("1e3", "1e3"),
        ("2024-05-17", "2024-05-17"),
        ("12:30:00", "12:30:00"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("''", ""),
        ("1234567890123456789", "1234567890123456789"),
        ("[a, {b: c}]", ["a", {"b": "c"}]),
        ("|\n  two\n  lines\n", "two\nlines\n"),
    ],
)
def test_a_scalar_is_read_by_the_core_schema(text: str, value: object) -> None:
    assert read(f"key: {text}").data == {"key": value}


def test_every_value_has_the_line_of_its_key() -> None:
    file = read("a: 1\nb:\n  - c:\n      d\n  - e: [f,\n      g]\n")
    assert file.lines == {
        (): 1,
        ("a",): 1,
        ("b",): 2,
        ("b", 0): 3,
        ("b", 0, "c"): 3,
        ("b", 1): 5,
        ("b", 1, "e"): 5,
        ("b", 1, "e", 0): 5,
        ("b", 1, "e", 1): 6,
    }
    assert file.line(("b", 1, "nothing", 7)) == 5


def test_an_alias_is_written_out_and_stands_where_it_is_used() -> None:
    file = read("a: &shared {b: 1}\nc: *shared\n")
    assert file.data == {"a": {"b": 1}, "c": {"b": 1}}
    assert file.lines["c",] == 2


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    file, _ = read_yaml("x.yaml", b"\xef\xbb\xbfa: 1")
    assert file is not None and file.data == {"a": 1}


@pytest.mark.parametrize(
    ("content", "code", "line"),
    [
        (b"a: 1\nb: \xff\n", "FILE-ENCODING", 2),
        (b"", "FILE-EMPTY", None),
        (b"null", "FILE-EMPTY", None),
        (b"a: \x07", "YAML-SYNTAX", None),
        (b"'", "YAML-SYNTAX", 1),
        (b"a: 'open\n", "YAML-SYNTAX", 1),
        (b"a: " + b"[" * 70 + b"]" * 70, "YAML-DEPTH", 1),
        (b"[" * 100_000, "YAML-DEPTH", 1),
        (b"a: &a\n  b: *a\n", "YAML-DEPTH", 1),
        (b"a: &a [x]\n" + b"b: *nothing", "YAML-ALIAS", 2),
    ],
)
def test_what_cannot_be_read_is_refused_at_its_line(content: bytes, code: str, line: int | None) -> None:
    assert fault(content) == (code, line)


def test_aliases_cannot_multiply_without_end() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert fault("\n".join(rows).encode())[0] == "YAML-ALIAS"


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("a: 12345", encoding="utf-8")
    monkeypatch.setattr(source, "SIZE_MAX_BYTES", 5)
    _, findings = read_file("study.yaml", path)
    assert [finding.code for finding in findings] == ["FILE-SIZE"]


def test_a_folder_in_the_place_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "safety.yaml").mkdir()
    _, findings = read_folder(tmp_path)
    assert ("FILE-UNKNOWN", "safety.yaml") in {(finding.code, finding.file) for finding in findings}


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    files, findings = read_folder(tmp_path / "nowhere")
    assert files.files == {}
    assert [finding.line() for finding in findings] == [
        "nowhere: error FILE-FOLDER: There is no folder nowhere. Name the folder that holds study.yaml."
    ]


def test_hidden_files_notes_and_the_lock_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "forms").mkdir()
    for name in (".hidden", "README.md", "record.txt", "study.lock", "forms/.hidden"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    files, findings = read_folder(tmp_path)
    assert files.files == {}
    assert {finding.code for finding in findings} == {"FILE-MISSING"}


def test_a_problem_of_a_file_that_is_not_there_has_no_line() -> None:
    found = StudySource({}).locate(Problem(code="X", sentence="It is so.", file="safety.yaml"))
    assert found.line() == "safety.yaml: error X: It is so."


@given(st.binary(max_size=60))
def test_no_content_can_break_the_reader(content: bytes) -> None:
    file, findings = read_yaml("x.yaml", content)
    assert file is not None or findings
