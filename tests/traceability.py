"""Which test proves which requirement: read from the markers, written as a page, and as results of a run.

A test bears the marker `requirement("G1", "R14")`. The markers are read from the text of the tests, so that
the page does not depend on which of them a run chooses.
"""

import ast
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Protocol

import django

from equipoise import __version__
from equipoise.conduct.clock import Clock
from tests.requirements import LESSONS, REQUIREMENTS, Lesson, Requirement

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "traceability.md"
MARK = "requirement"
MARK_WORDS = f"{MARK}(*ids): what the test proves, by the identifiers of tests/requirements.py"
HASH_FORMAT = "SHA-256 of the study definition's canonical JSON (`equipoise lock`), in hexadecimal"


@dataclass(frozen=True, slots=True)
class MarkedTest:
    """A test that proves something; `node` is what pytest calls it, without parameters."""

    node: str
    ids: tuple[str, ...]
    can_fail: bool

    @property
    def file(self) -> str:
        """Its file, from the root of the project."""
        return self.node.split("::")[0]

    @property
    def name(self) -> str:
        """Its name within the file."""
        return self.node.split("::", 1)[1]


def find_marked(folder: Path = ROOT / "tests") -> tuple[MarkedTest, ...]:
    """Read the markers of all tests below a folder, in the order of files and lines."""
    found: list[MarkedTest] = []
    for path in sorted(folder.rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if f"mark.{MARK}" in text:
            found += _marked_in(path.relative_to(folder.parent).as_posix(), ast.parse(text))
    return tuple(found)


def _marked_in(file: str, tree: ast.Module) -> Iterator[MarkedTest]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        marks = [mark for mark in node.decorator_list if ast.unparse(mark).startswith(f"pytest.mark.{MARK}")]
        for mark in marks:
            if not isinstance(mark, ast.Call) or len(marks) > 1 or node not in tree.body or mark.keywords:
                raise ValueError(
                    f"{file}: give {node.name}, a plain function, one marker with its identifiers"
                )
            yield MarkedTest(f"{file}::{node.name}", tuple(map(ast.literal_eval, mark.args)), _can_fail(node))


def _can_fail(test: ast.FunctionDef) -> bool:
    return any(
        isinstance(node, ast.Assert) or ast.unparse(node) == "pytest.raises" for node in ast.walk(test)
    )


def proofs_of(marked: Iterable[MarkedTest]) -> dict[str, list[MarkedTest]]:
    """Return the tests of each requirement."""
    ids = [each.id for each in REQUIREMENTS] + [each.id for each in LESSONS]
    found: dict[str, list[MarkedTest]] = {each: [] for each in ids}
    for test in marked:
        for each in test.ids:
            found.setdefault(each, []).append(test)
    return found


# -- the page of the documentation

_INTRODUCTION = """\
# What the rules ask, and where it is proved

Generated from `tests/requirements.py` and the markers of the tests; `EQUIPOISE_WRITE_SNAPSHOTS=1` before
`pytest tests/test_traceability.py` writes it anew. `make test` writes the same table with the result of each
test of that run to `build/traceability.html`.

Software alone fulfils none of this: the last column says what a trial unit does itself, and
[operating.md](operating.md) how.
"""


def write_page(marked: Iterable[MarkedTest]) -> str:
    """Return the page: each requirement with its source, how it is met, its tests, and what is left to do."""
    tests = proofs_of(marked)
    lines = [
        _INTRODUCTION,
        "## Requirements",
        "",
        "| id | requirement | source | how the product meets it | tests | what the unit does itself |",
        "| --- | --- | --- | --- | --- | --- |",
        *(_requirement_line(each, tests[each.id]) for each in REQUIREMENTS),
        "",
        "## Lessons",
        "",
        "What went wrong in other systems, by the public thread or source that tells of it. A lesson about"
        " the conduct of trials has a test that would have caught it.",
        "",
        "| id | what went wrong | told in | tests, or where it belongs |",
        "| --- | --- | --- | --- |",
        *(_lesson_line(each, tests[each.id]) for each in LESSONS),
    ]
    return "\n".join(lines) + "\n"


def _requirement_line(each: Requirement, tests: list[MarkedTest]) -> str:
    proved = "for people alone" if each.organisational else _named(tests)
    return f"| {each.id} | {each.asks} | {each.source} | {each.means} | {proved} | {each.unit} |"


def _lesson_line(each: Lesson, tests: list[MarkedTest]) -> str:
    where = "; ".join(part for part in (_named(tests), each.belongs) if part)
    return f"| {each.id} | {each.lesson} | {each.thread} | {where} |"


def _named(tests: list[MarkedTest]) -> str:
    """The tests by file, the files as links."""
    parts = []
    for file, group in groupby(tests, key=lambda test: test.file):
        names = ", ".join(f"`{test.name.removeprefix('test_')}`" for test in group)
        parts.append(f"[{file.removeprefix('tests/')}](../{file}): {names}")
    return "<br>".join(parts)


# -- the results of a run


class Report(Protocol):
    """What pytest tells of one phase of one test."""

    nodeid: str
    when: str | None
    outcome: str


class Results:
    """A plugin that keeps the result of each marked test of a run, and writes the page at its end.

    Under xdist it stands in the process that collects the reports.
    """

    def __init__(self, place: Path, clock: Clock, marked: tuple[MarkedTest, ...]) -> None:
        self._place = place
        self._clock = clock
        self._marked = marked
        self._nodes = {test.node for test in marked}
        self._outcomes: dict[str, dict[str, str]] = {}

    def pytest_runtest_logreport(self, report: Report) -> None:
        """Keep the worst outcome of the phases of each case of a test."""
        node = report.nodeid.split("[", 1)[0]
        if node not in self._nodes:
            return
        cases = self._outcomes.setdefault(node, {})
        said = cases.get(report.nodeid)
        if said is None or _WORST.index(report.outcome) < _WORST.index(said):
            cases[report.nodeid] = report.outcome

    def pytest_sessionfinish(self) -> None:
        """Write the page, all of it or nothing."""
        self._place.parent.mkdir(parents=True, exist_ok=True)
        draft = self._place.with_name(f".{self._place.name}.new")
        draft.write_text(render_results(self._marked, self.results(), self._clock()), encoding="utf-8")
        draft.replace(self._place)

    def results(self) -> dict[str, str]:
        """Return the result of each test that ran: the worst of its cases."""
        return {
            node: min(cases.values(), key=_WORST.index) + (f" ({len(cases)} cases)" if len(cases) > 1 else "")
            for node, cases in self._outcomes.items()
        }


_WORST = ("failed", "skipped", "passed")
_NOT_RUN = "not run"
_STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 2rem; color: #1a1a1a; }
table { border-collapse: collapse; width: 100%; margin: 0 0 2rem; }
th, td { border: 1px solid #c4c4c4; padding: .4rem .6rem; text-align: left; vertical-align: top; }
th { background: #f0f0f0; }
ul { margin: 0; padding: 0; list-style: none; }
code { font-size: 12px; overflow-wrap: anywhere; }
.failed { color: #a30000; font-weight: 600; }
.skipped, .not-run { color: #7a5200; font-weight: 600; }
"""


def render_results(marked: Iterable[MarkedTest], results: Mapping[str, str], now: datetime) -> str:
    """Return the HTML page: the versions, and each requirement with its tests and their results."""
    tests = proofs_of(marked)
    rows = [
        f'<tr><th scope="row">{each.id}</th><td>{escape(each.asks)}<br>{escape(each.source)}</td>'
        f"<td>{_results_of(tests[each.id], results)}</td><td>{escape(each.unit)}</td></tr>"
        for each in REQUIREMENTS
    ]
    lessons = [
        f'<tr><th scope="row">{each.id}</th><td>{escape(each.lesson)}<br>{escape(each.thread)}</td>'
        f"<td>{_results_of(tests[each.id], results)}</td><td>{escape(each.belongs)}</td></tr>"
        for each in LESSONS
    ]
    nodes = {test.node for each in tests.values() for test in each}
    counts = _counted([results.get(node, _NOT_RUN) for node in nodes])
    facts = {
        "Equipoise": __version__,
        "Run": f"{now:%Y-%m-%d %H:%M} UTC",
        "Python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "Django": django.get_version(),
        "Definition hash": HASH_FORMAT,
        "Results": counts,
    }
    told = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in facts.items())
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Traceability</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>Requirements, tests and their results</h1>\n"
        f"<dl>{told}</dl>\n"
        + _table("Requirements", "What the unit does itself", rows)
        + _table("Lessons", "Where it belongs", lessons)
        + "</body></html>\n"
    )


def _table(title: str, last: str, rows: list[str]) -> str:
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("id", "Requirement", "Tests", last))
    body = "\n".join(rows)
    return f"<h2>{title}</h2>\n<table><thead><tr>{heads}</tr></thead><tbody>\n{body}\n</tbody></table>\n"


def _results_of(tests: list[MarkedTest], results: Mapping[str, str]) -> str:
    lines = []
    for test in tests:
        result = results.get(test.node, _NOT_RUN)
        look = result.split(" (")[0].replace(" ", "-")
        lines.append(f'<li><span class="{look}">{result}</span> <code>{escape(test.node)}</code></li>')
    return f"<ul>{''.join(lines)}</ul>" if lines else ""


def _counted(results: list[str]) -> str:
    kinds = [result.split(" (")[0] for result in results]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in (*reversed(_WORST), _NOT_RUN) if kind in kinds)
