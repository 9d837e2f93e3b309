"""Reading the YAML files of a study folder into plain data, with the line of every value.

YAML 1.2 is read event by event, so that nothing is constructed but text, whole numbers, truth values, null,
lists and mappings. Numbers with a decimal point stay text, exactly as they are written. Size, depth and the
expansion of aliases are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)

from .findings import Finding, Place, Problem, Severity

Data: TypeAlias = "str | int | bool | list[Data] | dict[str, Data] | None"

SIZE_MAX_BYTES = 2_000_000
DEPTH_MAX = 60
VALUES_MAX = 100_000

PARTS: Mapping[str, bool] = {
    "study": True,
    "eligibility": True,
    "schedule": True,
    "allocation": True,
    "analysis": True,
    "sample_size": False,
    "safety": False,
    "imaging": False,
    "supply": False,
    "registry": False,
    "datasets": False,
    "rehearsal": False,
}
"""The files of a folder besides its forms, and whether each is needed."""

FOLDERS = ("forms", "languages")
"""The folders within it, of which every file has the same format."""

LOCK_NAME = "study.lock"
_NOTES = (".md", ".txt")
# What an import leaves beside the files of the study.
_IMPORTED = ("record.json", "losses.json", "findings.json", "not_understood.json")

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
# What a whole number looks like when it can be written back as it was; anything else stays text.
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file: its data, and the line (from 1) of each value; of a key's value, the line of the key."""

    name: str
    data: Data
    lines: Mapping[Place, int]

    def line(self, place: Place) -> int:
        """Return the line of a value, or of the nearest value around it that is there."""
        while place not in self.lines:
            place = place[:-1]
        return self.lines[place]


@dataclass(frozen=True, slots=True)
class StudySource:
    """The files of a folder that could be read, by name ('forms/x.yaml')."""

    files: Mapping[str, SourceFile]

    def locate(self, problem: Problem) -> Finding:
        """Give a problem of the linter its line."""
        file = self.files.get(problem.file)
        return Finding(
            code=problem.code,
            sentence=problem.sentence,
            file=problem.file,
            line_number=None if file is None else file.line(problem.place),
            severity=problem.severity,
        )

    def within(self, folder: str) -> tuple[SourceFile, ...]:
        """Return the files of one of the FOLDERS, by name."""
        return tuple(file for name, file in sorted(self.files.items()) if name.startswith(f"{folder}/"))


class _Unreadable(Exception):
    """Why a file cannot be read any further."""

    def __init__(self, code: str, sentence: str, line: int | None) -> None:
        self.code = code
        self.sentence = sentence
        self.line = line


@dataclass(slots=True)
class _Tree:
    """A value as written: a scalar, a list of trees, or a mapping of keys to their line and tree."""

    line: int
    value: object


def read_folder(folder: Path) -> tuple[StudySource, tuple[Finding, ...]]:
    """Read every file that a study folder may have; never raises for what the files hold."""
    findings: list[Finding] = []
    files: dict[str, SourceFile] = {}
    if not folder.is_dir():
        sentence = f"There is no folder {folder.name}. Name the folder that holds study.yaml."
        return StudySource({}), (Finding(code="FILE-FOLDER", sentence=sentence, file=folder.name),)
    for name, needed in PARTS.items():
        if needed and not (folder / f"{name}.yaml").is_file():
            sentence = f"The file {name}.yaml is missing. Add it; docs/study-folder.md says what it holds."
            findings.append(Finding(code="FILE-MISSING", sentence=sentence, file=f"{name}.yaml"))
    for name, path in _files_of(folder):
        if _is_read(name):
            file, found = read_file(name, path)
            findings += found
            if file is not None:
                files[name] = file
        elif name not in (LOCK_NAME, *_IMPORTED) and not name.endswith(_NOTES):
            findings.append(_not_read(name))
    if not any(name.startswith("forms/") and _is_read(name) for name, _ in _files_of(folder)):
        sentence = "The folder forms holds no form. Add one file forms/NAME.yaml for each form."
        findings.append(Finding(code="FILE-MISSING", sentence=sentence, file="forms"))
    return StudySource(files), tuple(findings)


def _files_of(folder: Path) -> Iterator[tuple[str, Path]]:
    """Names and paths of what lies in the folder and in its FOLDERS; hidden files are none of ours."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.name in FOLDERS and path.is_dir():
            yield from (
                (f"{path.name}/{file.name}", file)
                for file in sorted(path.iterdir())
                if not file.name.startswith(".")
            )
        else:
            yield path.name, path


def _is_read(name: str) -> bool:
    if name.partition("/")[0] in FOLDERS:
        return name.endswith(".yaml")
    return name.removesuffix(".yaml") in PARTS and name.endswith(".yaml")


def _not_read(name: str) -> Finding:
    stem, _, ending = name.rpartition(".")
    hint = (
        f"Rename it to {stem}.yaml, or remove it." if ending == "yml" else "Remove it, or correct its name."
    )
    sentence = f"The file {name} is not part of a study folder and is not read. {hint}"
    return Finding(code="FILE-UNKNOWN", sentence=sentence, file=name, severity="warning")


def read_file(name: str, path: Path) -> tuple[SourceFile | None, tuple[Finding, ...]]:
    """Read one file; None when nothing of it can be used."""
    try:
        if not path.is_file():
            raise _Unreadable("FILE-UNKNOWN", f"{name} is no file. Put a text file in its place.", None)
        if path.stat().st_size > SIZE_MAX_BYTES:
            megabytes = SIZE_MAX_BYTES // 1_000_000
            raise _Unreadable(
                "FILE-SIZE", f"The file {name} is larger than {megabytes} MB. Split or shorten it.", None
            )
        return read_yaml(name, path.read_bytes())
    except _Unreadable as trouble:
        return None, (_finding(name, trouble.code, trouble.sentence, trouble.line),)


def _finding(name: str, code: str, sentence: str, line: int | None, severity: Severity = "error") -> Finding:
    return Finding(code=code, sentence=sentence, file=name, line_number=line, severity=severity)


def read_yaml(name: str, content: bytes) -> tuple[SourceFile | None, tuple[Finding, ...]]:
    """Read the content of one file; None when nothing of it can be used."""
    reader = _Reader(name)
    try:
        tree = reader.compose(_text(content))
        lines: dict[Place, int] = {}
        data = _plain(tree, tree.line, (), lines)
    except _Unreadable as trouble:
        return None, (*reader.findings, _finding(name, trouble.code, trouble.sentence, trouble.line))
    return SourceFile(name, data, lines), tuple(reader.findings)


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        sentence = "The file is not UTF-8 text here. Save it as UTF-8."
        raise _Unreadable("FILE-ENCODING", sentence, line) from None


class _Reader:
    """Builds one tree from the events of one file, and notes double keys on the way."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.findings: list[Finding] = []
        self.anchors: dict[str, _Tree] = {}
        self.open: list[_Tree] = []
        # The key that waits for its value, for each open collection.
        self.keys: list[tuple[str, int] | None] = []
        self.root: _Tree | None = None

    def compose(self, text: str) -> _Tree:
        try:
            for event in YAML(typ="safe", pure=True).parse(text):
                self.take(event)
        except MarkedYAMLError as error:
            raise self.syntax(error, text.splitlines()) from None
        except YAMLError:
            raise _Unreadable(
                "YAML-SYNTAX", "The file holds a character that YAML does not allow. Remove it.", None
            ) from None
        if self.root is None or self.root.value is None:
            sentence = "The file is empty. Fill it, or remove it if it is not needed."
            raise _Unreadable("FILE-EMPTY", sentence, None)
        return self.root

    def syntax(self, error: MarkedYAMLError, lines: list[str]) -> _Unreadable:
        mark = error.problem_mark or error.context_mark
        number = min(mark.line, max(len(lines) - 1, 0))
        if lines and "\t" in lines[number][: len(lines[number]) - len(lines[number].lstrip())]:
            return _Unreadable("YAML-TAB", "A tab indents this line. Indent with spaces.", number + 1)
        told = (error.problem or error.context or "").replace("\\t", "tab")
        hint = "Look at the indentation, the colons and the quotes of this line and the one above."
        return _Unreadable("YAML-SYNTAX", f"This is not YAML: {told}. {hint}", number + 1)

    def take(self, event: Event) -> None:
        line = event.start_mark.line + 1
        if isinstance(event, DocumentStartEvent) and self.root is not None:
            raise _Unreadable(
                "YAML-DOCUMENTS", "A second document begins here. Put one document in one file.", line
            )
        if isinstance(event, CollectionEndEvent):
            self.open.pop()
            self.keys.pop()
        elif isinstance(event, AliasEvent):
            if event.anchor not in self.anchors:
                sentence = f"The alias *{event.anchor} has no anchor above it. Write the value out."
                raise _Unreadable("YAML-ALIAS", sentence, line)
            self.place(self.anchors[event.anchor], event, line)
        elif isinstance(event, NodeEvent):
            self.node(event, line)

    def node(self, event: NodeEvent, line: int) -> None:
        if getattr(event, "tag", None) is not None:
            raise _Unreadable("YAML-TAG", "A tag (!...) stands here, and tags are not read. Remove it.", line)
        if len(self.open) >= DEPTH_MAX:
            raise _too_deep(line)
        if isinstance(event, ScalarEvent):
            tree = _Tree(line, _scalar(event))
        else:
            tree = _Tree(line, {} if isinstance(event, MappingStartEvent) else [])
        if event.anchor is not None:
            self.anchors[event.anchor] = tree
        self.place(tree, event, line)
        if not isinstance(event, ScalarEvent):
            self.open.append(tree)
            self.keys.append(None)

    def place(self, tree: _Tree, event: NodeEvent, line: int) -> None:
        """Put a value where it belongs: the root, the next of a list, a key, or a key's value."""
        if not self.open:
            self.root = tree
            return
        parent = self.open[-1].value
        if isinstance(parent, list):
            parent.append(tree)
            return
        assert isinstance(parent, dict), "an open collection is a list or a mapping"
        waiting = self.keys[-1]
        if waiting is None:
            if not isinstance(event, ScalarEvent):
                sentence = "A key must be a word. Put text that looks like this in quotes."
                raise _Unreadable("YAML-KEY", sentence, line)
            self.keys[-1] = (event.value, line)
            return
        self.keys[-1] = None
        key, key_line = waiting
        if key in parent:
            first = parent[key][0]
            sentence = f"The key '{key}' stands here again, first on line {first}. Keep one of the two."
            self.findings.append(_finding(self.name, "YAML-DUPLICATE", sentence, key_line))
            return
        parent[key] = (key_line, tree)


def _scalar(event: ScalarEvent) -> str | int | bool | None:
    """The value of a scalar by the core schema of YAML 1.2; what is quoted or in a block is text."""
    text = str(event.value)
    if not event.implicit[0]:
        return text
    if text in _NULLS:
        return None
    if text in _TRUTHS:
        return _TRUTHS[text]
    return int(text) if _WHOLE.fullmatch(text) else text


def _too_deep(line: int) -> _Unreadable:
    sentence = f"The values are nested more than {DEPTH_MAX} levels deep. Flatten them."
    return _Unreadable("YAML-DEPTH", sentence, line)


def _plain(tree: _Tree, line: int, place: Place, lines: dict[Place, int]) -> Data:
    """Plain data of a tree, with aliases written out; fills `lines`."""
    if len(place) > DEPTH_MAX:
        raise _too_deep(tree.line)
    if len(lines) >= VALUES_MAX:
        sentence = f"Aliases make more than {VALUES_MAX} values of this file. Write out less."
        raise _Unreadable("YAML-ALIAS", sentence, tree.line)
    lines[place] = line
    if isinstance(tree.value, list):
        return [_plain(item, item.line, (*place, index), lines) for index, item in enumerate(tree.value)]
    if isinstance(tree.value, dict):
        return {
            key: _plain(item, key_line, (*place, key), lines) for key, (key_line, item) in tree.value.items()
        }
    assert tree.value is None or isinstance(tree.value, str | int), "a scalar is text, number or nothing"
    return tree.value
