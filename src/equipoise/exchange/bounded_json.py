"""Reading JSON that nobody here wrote: within limits, each member once, with the line of every fault.

Source: RFC 8259; RFC 7493 for what is refused of it: another encoding, a member twice, half of a character.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from equipoise.exchange.unreadable import FileUnreadable, read_bytes

DEPTH_MAX: Final = 100


def read_json_text(path: Path, bytes_max: int, values_max: int) -> str:
    """Return what a file holds as text; the most values are counted before any is made.

    Raises FileUnreadable: the codes of `read_bytes`, JSON-TOO-MANY, JSON-ENCODING.
    """
    content = read_bytes(path, bytes_max)
    if content.count(b",") + content.count(b"{") + content.count(b"[") > values_max:
        raise FileUnreadable(
            "JSON-TOO-MANY",
            f"The file {path.name} holds more than {values_max} values, the most that is read of its kind. "
            "Export less at a time.",
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileUnreadable(
            "JSON-ENCODING",
            f"The file {path.name} is not in UTF-8, as JSON must be. Save it again as UTF-8.",
            f"line {_line_at(content, error.start)}",
        ) from error


def parse_json(path: Path, text: str) -> object:
    """Return the one value that a text holds.

    Raises FileUnreadable: JSON-INVALID with line and column, JSON-DUPLICATE for a member that stands twice,
    JSON-NUMBER, JSON-TOO-DEEP, JSON-ENCODING for half of a character.
    """
    try:
        return _parse(path, text, 1)
    except json.JSONDecodeError as error:
        raise _invalid(path, error, 0) from error


def parse_json_values(path: Path, text: str) -> Iterator[tuple[int, object]]:
    """Yield the value of a text with its line; of a text of lines, the value of each. Raises as `parse_json`.

    Only a second value after a whole first one makes it a text of lines.
    """
    try:
        whole = _parse(path, text, 1)
    except json.JSONDecodeError as error:
        if not error.msg.startswith("Extra data"):
            raise _invalid(path, error, 0) from error
    else:
        yield 1, whole
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                value = _parse(path, line, number)
            except json.JSONDecodeError as error:
                raise _invalid(path, error, number - 1) from error
            yield number, value


def _parse(path: Path, text: str, line: int) -> object:
    def members(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
        made = dict(pairs)
        if len(made) < len(pairs):
            twice = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
            raise FileUnreadable(
                "JSON-DUPLICATE",
                f"In the file {path.name} the member {twice[:60]!r} of an object stands twice. Remove one.",
                f"from line {line} on",
            )
        return made

    try:
        value: object = json.loads(text, object_pairs_hook=members, parse_constant=_no_number)
    except RecursionError as error:
        raise _too_deep(path, line) from error
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        raise FileUnreadable(
            "JSON-NUMBER",
            f"The file {path.name} holds a number that JSON does not have, or an enormous one. Correct it.",
            f"from line {line} on",
        ) from error
    _check_depth(path, value, line)
    if "\\ud" in text or "\\uD" in text:
        _check_characters(path, value, line)
    return value


def _no_number(word: str) -> object:
    raise ValueError(word)


def _invalid(path: Path, error: json.JSONDecodeError, lines_before: int) -> FileUnreadable:
    return FileUnreadable(
        "JSON-INVALID",
        f"The file {path.name} is no complete JSON: {error.msg.lower()}. Export it again.",
        f"line {error.lineno + lines_before}, column {error.colno}",
    )


def _too_deep(path: Path, line: int) -> FileUnreadable:
    return FileUnreadable(
        "JSON-TOO-DEEP",
        f"The file {path.name} nests deeper than {DEPTH_MAX} levels, which no document of its kind does.",
        f"from line {line} on",
    )


def _check_depth(path: Path, value: object, line: int) -> None:
    waiting = [(value, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > DEPTH_MAX:
            raise _too_deep(path, line)
        below = list(node.values()) if isinstance(node, dict) else node if isinstance(node, list) else []
        waiting += [(each, depth + 1) for each in below if isinstance(each, dict | list)]


def _check_characters(path: Path, value: object, line: int) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise FileUnreadable(
            "JSON-ENCODING",
            f"In the file {path.name} a text holds half of a character (a lone surrogate). Export it again.",
            f"from line {line} on",
        ) from error


def _line_at(content: bytes, position: int) -> int:
    return content.count(b"\n", 0, position) + 1
