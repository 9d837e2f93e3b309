"""The stream of JSON values: what a parser of the whole reads, however the file is spaced and divided."""

import json
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.exchange.datasets import json_stream
from equipoise.exchange.datasets.json_stream import JsonStream
from equipoise.exchange.unreadable import FileUnreadable

CELLS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
ROWS = st.lists(st.lists(CELLS, max_size=4) | CELLS, max_size=8)
SPACE = st.text(" \t\r\n", max_size=3)


def write(rows: list[Any], spaces: tuple[str, str, str]) -> bytes:
    """A list with its items spaced out."""
    before, between, after = spaces
    items = f"{before},{between}".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return f"{before}[{between}{items}{after}]{after}".encode(errors="surrogatepass")


def read(content: bytes, piece: int) -> list[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_stream, "_PIECE_BYTES", piece)
        stream = JsonStream(BytesIO(content), "rows.json")
        items = list(stream.items())
        assert stream.peek() == ""
        return items


@given(ROWS, st.tuples(SPACE, SPACE, SPACE), st.integers(1, 40))
def test_law_items_are_those_of_the_whole_however_they_are_spaced_and_divided(
    rows: list[Any], spaces: tuple[str, str, str], piece: int
) -> None:
    content = write(rows, spaces)
    assert read(content, piece) == json.loads(content) == rows


@given(ROWS.filter(bool), st.tuples(SPACE, SPACE, SPACE), st.integers(1, 40), st.data())
def test_law_a_list_that_is_cut_off_is_refused(
    rows: list[Any], spaces: tuple[str, str, str], piece: int, data: st.DataObject
) -> None:
    content = write(rows, spaces).rstrip()
    kept = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(FileUnreadable, match=r"cut off|no JSON|expected|not in UTF-8"):
        read(content[:kept], piece)


@pytest.mark.parametrize("text", ["[1, NaN, 2]", "[1, 2 3]", "[1,, 2]", "[1, 2,]", "[[1], [2}, 3]", "{}"])
def test_what_is_no_list_is_refused_where_it_stands(text: str) -> None:
    for piece in (1, 100):
        with pytest.raises(FileUnreadable) as refused:
            read(text.encode(), piece)
        assert refused.value.code == "DATA-INVALID"
        assert "character" in str(refused.value)
