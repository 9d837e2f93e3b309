"""Heads that are given outside come back as they were, and what is no such file is refused."""

import json

import pytest

from equipoise.ledger import Head
from equipoise.store.heads import HeadsUnreadable, publish_head, read_heads

HASH = "0123456789abcdef" * 4


def test_published_heads_are_added_and_read_back(tmp_path):
    file = tmp_path / "heads.jsonl"
    heads = (Head(3, HASH), Head(7, "f" * 64))
    for head in heads:
        before = file.read_bytes() if file.exists() else b""
        publish_head(file, head, "café")
        assert file.read_bytes().startswith(before)
        assert read_heads(file)[-1] == head
    assert read_heads(file) == heads
    assert json.loads(file.read_text(encoding="utf-8").splitlines()[0])["occasion"] == "café"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"head",
        b"7",
        b"[1, 2]",
        b"{}",
        b'{"position": 1}',
        b'{"position": "1", "hash": "%s"}' % HASH.encode(),
        b'{"position": true, "hash": "%s"}' % HASH.encode(),
        b'{"position": 1, "hash": "%s"}' % HASH.upper().encode(),
        b'{"position": 1, "hash": "%s0"}' % HASH.encode(),
        b'{"position": 1, "hash": 5}',
        b"\xff",
    ],
)
def test_line_that_is_no_head_is_named(tmp_path, line):
    file = tmp_path / "heads.jsonl"
    publish_head(file, Head(1, HASH), "lock")
    file.write_bytes(file.read_bytes() + line + b"\n")
    with pytest.raises(HeadsUnreadable) as refusal:
        read_heads(file)
    assert refusal.value.sentence.startswith("Line 2 of heads.jsonl is no published head")
