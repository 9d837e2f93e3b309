"""What an author is told, word for word: each case of errors/*.txt changes the example study.

A case is `== title`, then changes (`edit FILE`, `add FILE`, `drop FILE`; `< ` lines that stand there, `> `
lines that replace them), then the findings. SNAPSHOTS=write in the environment
writes the findings anew.
"""

import os
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from equipoise.definition import source
from equipoise.definition.load import check_study
from tests.definition.folders import write_study

FOLDER = Path(__file__).parent / "errors"


@pytest.fixture(autouse=True, scope="module")
def read_once() -> Iterator[None]:
    """Most files are the same in every case; reading them once makes these tests ten times as fast."""
    read = cache(source.read_yaml)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "read_yaml", lambda name, content: deepcopy(read(name, content)))
        yield


@dataclass
class Case:
    title: str
    changes: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    def apply(self, files: dict[str, str]) -> None:
        verb, name = "", ""
        old: list[str] = []
        new: list[str] = []
        for line in [*self.changes, "end"]:
            if (line.startswith("< ") and new) or line[:2] not in ("< ", "> "):
                change(files, verb, name, "\n".join(old), "\n".join(new))
                old, new = [], []
            if line.startswith("< "):
                old.append(line[2:])
            elif line.startswith("> "):
                new.append(line[2:])
            else:
                verb, _, name = line.partition(" ")


def change(files: dict[str, str], verb: str, name: str, old: str, new: str) -> None:
    if verb == "drop":
        del files[name]
    elif verb == "add":
        files[name] = f"{new}\n"
    elif verb == "edit" and (old or new):
        assert files[name].count(old) == 1, f"{old!r} stands {files[name].count(old)} times in {name}"
        files[name] = files[name].replace(old, new)


def read_cases(path: Path) -> list[Case]:
    cases: list[Case] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            cases.append(Case(line[3:]))
        elif line.partition(" ")[0] in ("edit", "add", "drop", "<", ">"):
            cases[-1].changes.append(line)
        elif line:
            cases[-1].findings.append(line)
    return cases


def findings_of(case: Case, folder: Path) -> list[str]:
    definition, findings = check_study(write_study(folder, edit=case.apply))
    assert (definition is None) == any(finding.severity == "error" for finding in findings)
    return [finding.line() for finding in findings]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_an_author_is_told(path: Path, tmp_path: Path) -> None:
    cases = read_cases(path)
    told = [findings_of(case, tmp_path / str(number)) for number, case in enumerate(cases)]
    if os.environ.get("SNAPSHOTS") == "write":
        blocks = [
            "\n".join([f"== {c.title}", *c.changes, *found]) for c, found in zip(cases, told, strict=True)
        ]
        path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    assert [(case.title, case.findings) for case in cases] == [
        (case.title, found) for case, found in zip(cases, told, strict=True)
    ]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_each_case_finds_something_in_our_voice(path: Path) -> None:
    for case in read_cases(path):
        assert case.findings, case.title
        for line in case.findings:
            assert line.endswith((".", "?", ")", "'")), line
            assert "pydantic" not in line.lower() and "Input should" not in line, line
