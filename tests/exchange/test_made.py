"""Files are written whole or not at all, each in its own place."""

from pathlib import Path

import pytest

from equipoise.exchange.made import MadeFile, NotWritten, write_file, write_folder


@pytest.mark.parametrize("path", ["../other.csv", "/other.csv", "a/../../other.csv", "one.csv", "no\0thing"])
def test_no_name_leads_out_of_the_folder_or_over_another_file(path: str, tmp_path: Path) -> None:
    with pytest.raises(NotWritten) as refused:
        write_folder([MadeFile("one.csv", b"1"), MadeFile(path, b"2")], tmp_path / "made")
    assert refused.value.code == "OUT-PATH"
    assert list(tmp_path.iterdir()) == []


def test_what_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "one.csv"
    write_file([b"1", b"2"], out)

    def pieces():
        yield b"3"
        raise ValueError

    with pytest.raises(ValueError):
        write_file(pieces(), out)
    with pytest.raises(ValueError):
        write_folder([MadeFile("one.csv", pieces())], tmp_path / "made")
    assert [path.name for path in tmp_path.iterdir()] == ["one.csv"]
    assert out.read_bytes() == b"12"
