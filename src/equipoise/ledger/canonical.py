"""One JSON value, one sequence of bytes: the form in which entries are hashed and stored.

Object keys are sorted by Unicode code point, there is no white space, text is unescaped UTF-8 save for what
JSON must escape, and numbers are whole. This is narrower than RFC 8785 (JSON Canonicalization Scheme):
without floating point there is no question of how a number is printed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

JSON: TypeAlias = "bool | int | str | Sequence[JSON] | Mapping[str, JSON] | None"

DEPTH_MAX = 32
"""How deep a value may be nested; what is sealed can then always be read back."""

_SCALARS = frozenset({type(None), bool, int, str})
_ENCODER = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


class CanonicalError(ValueError):
    """A value has no canonical form; `path` says where in it the trouble is."""

    def __init__(self, code: str, problem: str, path: tuple[str, ...] = ()) -> None:
        self.code = code
        self.problem = problem
        self.path = path
        where = "/".join(path) or "its top level"
        super().__init__(f"The value cannot be written as canonical JSON: at {where}, {problem}")

    def under(self, step: str) -> CanonicalError:
        """Return the same error as seen from one level further out."""
        return CanonicalError(self.code, self.problem, (step, *self.path))


def canonical_json(value: JSON) -> bytes:
    """Write a value as canonical JSON.

    Takes None, bool, int, str, list, tuple and dict with str keys, and no subclass of them: a subclass could
    come back from storage as something else. Raises CanonicalError for anything else, for text that is no
    Unicode (lone surrogates), for nesting deeper than DEPTH_MAX and for numbers longer than the interpreter
    will print.
    """
    return encode_plain(copy_plain(value))


def copy_plain(value: object, depth: int = DEPTH_MAX) -> JSON:
    """Return a checked copy that shares no mutable part with the value; lists and tuples become tuples.

    Raises CanonicalError as `canonical_json` does, except for what only encoding can find.
    """
    kind = type(value)
    if kind in _SCALARS:
        return value  # type: ignore[return-value]
    if isinstance(value, dict) and kind is dict:
        check_depth(depth)
        members: dict[str, JSON] = {}
        for name, member in value.items():
            if type(name) is not str:
                raise CanonicalError(
                    "CANONICAL-KEY", f"a key is of type {type(name).__name__}. Use text as the key."
                )
            if type(member) in _SCALARS:
                members[name] = member
                continue
            try:
                members[name] = copy_plain(member, depth - 1)
            except CanonicalError as error:
                raise error.under(name) from None
        return members
    if isinstance(value, (list, tuple)) and (kind is list or kind is tuple):
        check_depth(depth)
        items: list[JSON] = []
        for number, item in enumerate(value):
            try:
                items.append(copy_plain(item, depth - 1))
            except CanonicalError as error:
                raise error.under(str(number)) from None
        return tuple(items)
    raise CanonicalError(
        "CANONICAL-TYPE",
        f"a value is of type {kind.__name__}. Use text, whole numbers, true, false, null, lists and objects; "
        "write a decimal number as text.",
    )


def check_depth(depth: int) -> None:
    """Raise CanonicalError when no further level of nesting is left."""
    if depth <= 0:
        raise CanonicalError("CANONICAL-DEPTH", f"it is nested deeper than {DEPTH_MAX} levels. Flatten it.")


def encode_plain(value: object) -> bytes:
    """Encode a value that is already known to be plain (see `copy_plain`)."""
    try:
        return _ENCODER.encode(value).encode("utf-8")
    except UnicodeEncodeError:
        raise CanonicalError(
            "CANONICAL-TEXT", "a text holds a lone surrogate. Correct the text where it was read."
        ) from None
    except ValueError:
        # The interpreter limits the digits of a printed whole number (4300 unless it is told otherwise).
        raise CanonicalError(
            "CANONICAL-NUMBER", "a whole number has too many digits. Write it as text."
        ) from None
