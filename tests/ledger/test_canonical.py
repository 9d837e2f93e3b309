"""Canonical JSON: one value, one sequence of bytes."""

import json
from enum import IntEnum, StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.ledger import JSON, CanonicalError, canonical_json
from equipoise.ledger.canonical import DEPTH_MAX

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | TEXT
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)


def tag(value):
    """The value with its types, as 1 and True are equal in Python and not in JSON."""
    if isinstance(value, dict):
        return {name: tag(member) for name, member in value.items()}
    if isinstance(value, list):
        return [tag(item) for item in value]
    return (type(value).__name__, value)


def write_plainly(value) -> str:
    """The reference: canonical JSON written out by its rules."""
    if isinstance(value, dict):
        members = (f"{write_plainly(name)}:{write_plainly(value[name])}" for name in sorted(value))
        return "{" + ",".join(members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(write_plainly, value)) + "]"
    if isinstance(value, str):
        short = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
        return '"' + "".join(short.get(c, f"\\u{ord(c):04x}" if c < " " else c) for c in value) + '"'
    return {None: "null", True: "true", False: "false"}[value] if type(value) is not int else str(value)


def reverse_keys(value):
    if isinstance(value, dict):
        return {name: reverse_keys(value[name]) for name in reversed(value)}
    return [reverse_keys(item) for item in value] if isinstance(value, list) else value


@given(VALUES)
def test_parsing_gives_the_value_back(value):
    assert tag(json.loads(canonical_json(value))) == tag(value)


@given(VALUES)
def test_double_programmed_writer_agrees(value):
    assert canonical_json(value) == write_plainly(value).encode("utf-8")


@given(VALUES)
def test_order_of_keys_does_not_matter(value):
    assert canonical_json(reverse_keys(value)) == canonical_json(value)


@given(VALUES, VALUES)
def test_different_values_have_different_bytes(one, other):
    assert (canonical_json(one) == canonical_json(other)) == (tag(one) == tag(other))


def test_form_is_compact_sorted_by_code_point_and_unescaped():
    value: JSON = {"é": (1, [True, None]), "\uffff": "/", "\U00010000": -(10**30), "a": "line\nend\u007f"}
    text = '{"a":"line\\nend\x7f","é":[1,[true,null]],"\uffff":"/","\U00010000":-' + "1" + "0" * 30 + "}"
    assert canonical_json(value) == text.encode("utf-8")


class Colour(StrEnum):
    RED = "red"


class Number(IntEnum):
    ONE = 1


def nest(levels):
    value: JSON = 0
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "code", "path"),
    [
        (1.0, "CANONICAL-TYPE", ()),
        ({"a": [0, float("nan")]}, "CANONICAL-TYPE", ("a", "1")),
        ({"a": {"b": b""}}, "CANONICAL-TYPE", ("a", "b")),
        ({"a": {1}}, "CANONICAL-TYPE", ("a",)),
        (Colour.RED, "CANONICAL-TYPE", ()),
        ([Number.ONE], "CANONICAL-TYPE", ("0",)),
        ({"a": {1: "x"}}, "CANONICAL-KEY", ("a",)),
        ({Colour.RED: "x"}, "CANONICAL-KEY", ()),
        ({"a": "\ud800"}, "CANONICAL-TEXT", ()),
        ({"\udfff": 1}, "CANONICAL-TEXT", ()),
        pytest.param(10**5000, "CANONICAL-NUMBER", (), id="long number"),
        (nest(DEPTH_MAX + 1), "CANONICAL-DEPTH", ("0",) * DEPTH_MAX),
    ],
)
def test_what_has_no_canonical_form_is_refused(value, code, path):
    with pytest.raises(CanonicalError) as caught:
        canonical_json(value)
    assert (caught.value.code, caught.value.path) == (code, path)


def test_the_deepest_value_permitted_is_written():
    assert canonical_json(nest(DEPTH_MAX)) == b"[" * DEPTH_MAX + b"0" + b"]" * DEPTH_MAX


def test_error_says_where_what_and_what_next():
    with pytest.raises(CanonicalError) as caught:
        canonical_json({"items": [{"value": 0.5}]})  # type: ignore[dict-item]
    assert str(caught.value) == (
        "The value cannot be written as canonical JSON: at items/0/value, a value is of type float. Use "
        "text, whole numbers, true, false, null, lists and objects; write a decimal number as text."
    )
