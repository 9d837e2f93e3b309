"""Reads the JSON of a USDM file within limits, and keeps account of what was understood in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Any, Final, NoReturn

from equipoise.exchange.bounded_json import parse_json, read_json_text
from equipoise.exchange.unreadable import FileUnreadable
from equipoise.exchange.usdm.terms import OWN, Codelist, Term, Word

BYTES_MAX: Final = 200_000_000
VALUES_MAX: Final = 1_000_000
"""How many values a file may hold: a study has some ten thousand, and each takes memory when it is read."""

_KINDS: Final = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
_STRUCTURAL: Final = frozenset({"id", "instanceType"})


def _refuse(code: str, sentence: str, place: str = "") -> NoReturn:
    raise FileUnreadable(f"USDM-{code}", sentence, place)


def read_json(path: Path) -> dict[str, Any]:
    """Return the object that a file holds.

    Raises FileUnreadable: the codes of `read_json_text` and `parse_json`, and USDM-NOT-USDM.
    """
    tree = parse_json(path, read_json_text(path, BYTES_MAX, VALUES_MAX))
    if not isinstance(tree, dict) or not isinstance(tree.get("study"), dict):
        _refuse("NOT-USDM", "The file is JSON, but holds no study. Export it as USDM 4.0 from its source.")
    return tree


class Account:
    """What was understood of a tree: leaves by the object that holds them, and objects by their id."""

    def __init__(self, root: dict[str, Any]) -> None:
        self.root = root
        self.seen: set[tuple[int, str | int]] = set()
        self.objects: dict[str, Part] = {}
        waiting = [Part(self, root, "$")]
        while waiting:
            part = waiting.pop()
            self._register(part)
            waiting.extend(part.below())

    def _register(self, part: Part) -> None:
        own = part.tree.get("id")
        if isinstance(own, str):
            if own in self.objects:
                place = self.objects[own].place
                _refuse("DUPLICATE-ID", f"The id {own[:60]!r} is also that of {place}.", part.place)
            self.objects[own] = part

    def left(self) -> Iterator[tuple[str, str]]:
        """Yield what was not understood: the JSON path of each leaf that says something, and its text.

        A code is one of them, with its decode and its system.
        """
        waiting: list[tuple[str, Any, tuple[int, str | int] | None]] = [("$", self.root, None)]
        while waiting:
            place, value, leaf = waiting.pop()
            if isinstance(value, dict) and value.get("instanceType") == "Code" and not self._touched(value):
                yield place, _code_text(value)
            elif isinstance(value, dict):
                waiting += [
                    (f"{place}.{key}", below, (id(value), key))
                    for key, below in reversed(value.items())
                    if key not in _STRUCTURAL
                ]
            elif isinstance(value, list):
                waiting += [(f"{place}[{n}]", value[n], (id(value), n)) for n in reversed(range(len(value)))]
            elif value not in (None, "") and leaf not in self.seen:
                yield place, value if isinstance(value, str) else json.dumps(value)

    def _touched(self, tree: dict[str, Any]) -> bool:
        return any((id(tree), key) in self.seen for key in tree)


def _code_text(code: dict[str, Any]) -> str:
    return (
        f"{code.get('decode')} ({code.get('codeSystem')} {code.get('codeSystemVersion')}: {code.get('code')})"
    )


class Part:
    """An object of the tree, with its JSON path. Whatever is asked of it counts as understood."""

    __slots__ = ("account", "place", "tree")

    def __init__(self, account: Account, tree: dict[str, Any], place: str) -> None:
        self.account = account
        self.tree = tree
        self.place = place

    @property
    def id(self) -> str:
        """The object's id, empty where it has none."""
        return str(self.tree.get("id") or "")

    @property
    def kind(self) -> str:
        """The object's class."""
        return self.peek("instanceType") or ""

    def below(self) -> Iterator[Part]:
        """Yield the objects right within this one."""
        for key, value in self.tree.items():
            if isinstance(value, dict):
                yield Part(self.account, value, f"{self.place}.{key}")
            elif isinstance(value, list):
                for number, one in enumerate(value):
                    if isinstance(one, dict):
                        yield Part(self.account, one, f"{self.place}.{key}[{number}]")

    def _value(self, key: str, *kinds: type) -> Any:
        value = self.tree.get(key)
        if value is None:
            return None
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            wanted = " or ".join(_KINDS.get(kind, "a number") for kind in kinds[:1])
            found = _KINDS.get(type(value), "a number")
            _refuse("TYPE", f"Here {wanted} is expected, and {found} was found.", f"{self.place}.{key}")
        return value

    def peek(self, key: str) -> str | None:
        """Return a text without counting it as understood."""
        value: str | None = self._value(key, str)
        return value

    def done(self, *keys: str) -> None:
        """Count these leaves as understood."""
        self.account.seen.update((id(self.tree), key) for key in keys)

    def text(self, key: str) -> str | None:
        """Return a text without white space around it, None where there is none."""
        value = self.peek(key)
        self.done(key)
        return (value or "").strip() or None

    def flag(self, key: str) -> bool | None:
        """Return a truth."""
        value: bool | None = self._value(key, bool)
        self.done(key)
        return value

    def number(self, key: str) -> int | float | None:
        """Return a number."""
        value: int | float | None = self._value(key, int, float)
        if value is not None and not isfinite(value):
            _refuse("NUMBER", "A number is larger than any study has.", f"{self.place}.{key}")
        self.done(key)
        return value

    def texts(self, key: str) -> list[str]:
        """Return the texts of a list."""
        found = self._value(key, list) or []
        for number, one in enumerate(found):
            if not isinstance(one, str):
                _refuse("TYPE", "Here text is expected.", f"{self.place}.{key}[{number}]")
            self.account.seen.add((id(found), number))
        return list(found)

    def part(self, key: str) -> Part | None:
        """Return the object at a key."""
        value = self._value(key, dict)
        return None if value is None else Part(self.account, value, f"{self.place}.{key}")

    def parts(self, key: str) -> list[Part]:
        """Return the objects of a list."""
        found = []
        for number, value in enumerate(self._value(key, list) or []):
            place = f"{self.place}.{key}[{number}]"
            if not isinstance(value, dict):
                _refuse("TYPE", "Here an object is expected.", place)
            found.append(Part(self.account, value, place))
        return found

    def linked(self, key: str) -> list[Part]:
        """Return the objects of a list; links to neighbours are understood where they agree with it."""
        found = self.parts(key)
        for place, part in enumerate(found):
            for name, step in (("previousId", -1), ("nextId", 1)):
                inside = 0 <= place + step < len(found)
                target = part.peek(name)
                if target is not None:
                    self._find(target, f"{part.place}.{name}")
                if target == (found[place + step].id if inside else None):
                    part.done(name)
        return found

    def _find(self, target: str, place: str) -> Part:
        if target not in self.account.objects:
            _refuse("DANGLING", f"The file has no object with the id {target[:60]!r}.", place)
        return self.account.objects[target]

    def follow(self, key: str) -> Part | None:
        """Return the object whose id stands at a key."""
        target = self.text(key)
        return None if target is None else self._find(target, f"{self.place}.{key}")

    def follow_all(self, key: str) -> list[Part]:
        """Return the objects whose ids stand in a list."""
        targets, found = self._value(key, list) or [], []
        for number, target in enumerate(targets):
            place = f"{self.place}.{key}[{number}]"
            if not isinstance(target, str):
                _refuse("TYPE", "Here an id is expected.", place)
            found.append(self._find(target, place))
            self.account.seen.add((id(targets), number))
        return found

    def settle(self) -> None:
        """Count this object and all within it as understood."""
        waiting: list[Any] = [self.tree]
        while waiting:
            node = waiting.pop()
            pairs = node.items() if isinstance(node, dict) else enumerate(node)
            for key, value in pairs:
                self.account.seen.add((id(node), key))
                if isinstance(value, dict | list):
                    waiting.append(value)

    def settle_at(self, *keys: str) -> None:
        """Count the objects at these keys as understood."""
        for key in keys:
            part = self.part(key)
            if part is not None:
                part.settle()

    def standard(self, key: str) -> Part | None:
        """Return the code at a key, of a code with aliases the standard one."""
        part = self.part(key)
        return part.part("standardCode") if part is not None and part.kind == "AliasCode" else part

    def coded(self, key: str, codelist: Codelist[Word]) -> Word | None:
        """Return the word for a code, by its code or its decode; the code is understood then."""
        part = self.standard(key)
        return None if part is None else part.word(codelist)

    def word(self, codelist: Codelist[Word]) -> Word | None:
        """Return the word for this code."""
        code, decode = self.peek("code"), (self.peek("decode") or "").lower()
        for word, term in codelist.items():
            if term.code == code or term.decode.lower() == decode:
                self.settle()
                return word
        return None

    def own(self, key: str) -> str | None:
        """Return the word that a code of the project's own system stands for."""
        part = self.standard(key)
        return None if part is None else part.own_word()

    def own_word(self) -> str | None:
        """Return the word that this code of the project's own system stands for."""
        if self.peek("codeSystem") != OWN:
            return None
        self.settle()
        return self.peek("code")

    def is_code(self, key: str, *terms: Term) -> bool:
        """Whether the code at a key is one of these; it is understood then."""
        return self.coded(key, {term.code: term for term in terms}) is not None

    def noted(self, *labels: str) -> dict[str, str]:
        """Return the notes "Label: text" that have one of these labels, the first of each."""
        wanted = {f"{label}: ": label for label in labels}
        found: dict[str, str] = {}
        for note in self.parts("notes"):
            text = note.peek("text") or ""
            for start, label in wanted.items():
                if text.startswith(start) and label not in found:
                    found[label] = text.removeprefix(start)
                    note.done("text")
        return found

    def noted_all(self, label: str) -> list[str]:
        """Return the texts of all notes that have this label."""
        found = [note for note in self.parts("notes") if (note.peek("text") or "").startswith(f"{label}: ")]
        for note in found:
            note.done("text")
        return [(note.peek("text") or "").removeprefix(f"{label}: ") for note in found]

    def lines(self, key: str, *labels: str) -> Mapping[str, str]:
        """Return the lines "Label: text" of a text that consists of such lines with these labels only."""
        pairs = [line.partition(": ")[::2] for line in (self.peek(key) or "").split("\n")]
        found = dict(pairs)
        if not set(found) <= set(labels):
            return {}
        self.done(key)
        return found
