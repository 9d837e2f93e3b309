"""The fast scanner reads as the slow one does; rules and readers hold out against any record."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.exchange.registry import record_html, record_tree
from equipoise.exchange.registry.json_tree import scan, scan_any
from equipoise.exchange.registry.quality import review
from equipoise.exchange.registry.read_json import read_json
from equipoise.exchange.registry.source import RecordUnreadable, Source

from .quality_files import CLEAN, P

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
INDENTS = st.sampled_from([None, 0, 1, "\t"])
ODD: list[Any] = [
    None,
    "",
    [],
    {},
    "0",
    -1,
    1e300,
    "NA",
    "1/0",
    "∞",
    [[]],
    {"a": "b"},
    "x" * 400,
    "2019-13-45",
    "9999-12-31",
    "9999-11",
    "9" * 400,
    "9" * 5000,
    "(",
    "1.",
]


def outcome(scanner, text):
    try:
        scanned = scanner(text)
    except RecordUnreadable as error:
        return error.code, error.sentence, error.place
    return scanned.root, list(scanned.leaves), scanned.cut_line


@given(TREES, INDENTS, st.booleans())
def test_double_a_whole_file_is_read_alike(tree, indent, ascii_only):
    text = json.dumps(tree, indent=indent, ensure_ascii=ascii_only)
    assert outcome(scan, text) == outcome(scan_any, text)


@given(TREES, INDENTS, st.data())
def test_double_a_changed_file_is_read_alike(tree, indent, data):
    text = json.dumps(tree, indent=indent)
    at = data.draw(st.integers(0, len(text)))
    until = data.draw(st.integers(at, min(len(text), at + 3)))
    put = data.draw(st.sampled_from(["", "}", "]", ",", '"', "\\", "{", "[", ":", "1", "\n", "e", "\x00"]))
    cut = data.draw(st.booleans())
    changed = text[:at] + put + ("" if cut else text[until:])
    assert outcome(scan, changed) == outcome(scan_any, changed)


def test_double_deep_and_repeated_names_are_read_alike():
    for text in (
        "[" * 64 + "]" * 64,
        "[" * 65 + "]" * 65,
        "[" * 66 + "1" + "]" * 66,
        '{"a": 1, "a": 2}',
        "",
        " ",
    ):
        assert outcome(scan, text) == outcome(scan_any, text)


def places_of(node, path=()):
    yield path
    if isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from places_of(value, (*path, key))


PLACES = sorted((path for path in places_of(CLEAN) if path), key=str)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(ODD)), min_size=1, max_size=6), st.data())
def test_no_record_breaks_a_rule_and_every_quotation_stands(changes, data):
    """Values anywhere are replaced by odd ones or taken away; what is left is read, checked and quoted."""
    record = json.loads(json.dumps(CLEAN))
    for (*parents, last), odd in changes:
        node = record
        for step in parents:
            try:
                node = node[step]
            except (KeyError, IndexError, TypeError):
                node = None
        if isinstance(node, dict) or (isinstance(node, list) and isinstance(last, int) and last < len(node)):
            if data.draw(st.booleans()):
                node[last] = odd
            elif isinstance(node, dict):
                node.pop(last, None)
    text = json.dumps(record, indent=data.draw(st.sampled_from([None, 1])))
    try:
        read = read_json(Source(text))
    except RecordUnreadable:
        return
    lines = text.split("\n")
    for finding in review(read):
        assert all(place.quote in lines[place.line - 1] for place in finding.places)
    assert "</html>" in record_html(record_tree(read))


@pytest.mark.parametrize("odd", ["9" * 400, "9" * 5000, "9999-12-31", "9999-11"])
def test_no_number_and_no_date_is_too_large_anywhere(odd):
    record, changed = json.loads(json.dumps(CLEAN)), 0
    for *parents, last in PLACES:
        node = record
        for step in parents:
            node = node[step]
        dated = isinstance(node[last], str) and re.fullmatch(r"\d{4}(-\d\d){1,2}", node[last])
        if dated if "-" in odd else re.fullmatch(r"[\d.]+", str(node[last])):
            node[last], changed = odd, changed + 1
    assert changed > 5
    read = read_json(Source(json.dumps(record)))
    review(read)
    assert "</html>" in record_html(record_tree(read))


def test_a_title_that_counts_without_end_is_searched_in_a_moment():
    record = json.loads(json.dumps(CLEAN))
    record[P]["outcomesModule"]["primaryOutcomes"][0]["measure"] = "1. " * 60_000
    assert any(
        finding.code.startswith("PRS-LENGTH") for finding in review(read_json(Source(json.dumps(record))))
    )
