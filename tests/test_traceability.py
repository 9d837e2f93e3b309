"""Every requirement has its tests or says why it has none; the page that says so is up to date.

EQUIPOISE_WRITE_SNAPSHOTS=1 has these tests write the page anew.
"""

import os
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest

from equipoise import __version__
from tests.requirements import LESSONS, REQUIREMENTS
from tests.traceability import PAGE, MarkedTest, Results, find_marked, proofs_of, render_results, write_page

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
MARKED = find_marked()
TESTS = proofs_of(MARKED)


@pytest.mark.requirement("G16")
def test_spec_every_requirement_is_proved_or_is_for_people_alone() -> None:
    for each in REQUIREMENTS:
        assert bool(TESTS[each.id]) != each.organisational, each.id
        assert each.unit or not each.organisational, each.id


def test_every_lesson_about_conduct_has_a_test_and_every_other_a_place() -> None:
    for each in LESSONS:
        assert TESTS[each.id] or each.belongs, each.id


def test_every_identifier_is_given_once_and_every_marker_names_known_ones() -> None:
    ids = [each.id for each in REQUIREMENTS] + [each.id for each in LESSONS]
    assert len(ids) == len(set(ids))
    assert TESTS.keys() == set(ids)
    assert all(test.ids and len(test.ids) == len(set(test.ids)) for test in MARKED)


@pytest.mark.requirement("R42")
def test_a_test_that_proves_something_can_fail() -> None:
    assert [test.node for test in MARKED if not test.can_fail] == []


@pytest.mark.requirement("G16", "R41")
def test_spec_the_page_says_what_the_tests_say() -> None:
    page = write_page(MARKED)
    if os.environ.get("EQUIPOISE_WRITE_SNAPSHOTS"):
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page


def test_a_marker_that_is_no_plain_one_is_refused(tmp_path: Path) -> None:
    def read(text: str) -> tuple[MarkedTest, ...]:
        (tmp_path / "tests").mkdir(exist_ok=True)
        (tmp_path / "tests" / "test_one.py").write_text(text)
        return find_marked(tmp_path / "tests")

    mark = '@pytest.mark.requirement("G1", "P3")\n'
    assert read(f"{mark}def test_a(x):\n    assert x\n") == (
        MarkedTest("tests/test_one.py::test_a", ("G1", "P3"), can_fail=True),
    )
    assert not read(f"{mark}def test_a():\n    print()\n")[0].can_fail
    for wrong in (
        f"{mark}{mark}def test_a(): pass",
        "@pytest.mark.requirement\ndef test_a(): pass",
        '@pytest.mark.requirement(id="G1")\ndef test_a(): pass',
        f"class TestA:\n    {mark.strip()}\n    def test_a(self): pass",
    ):
        with pytest.raises(ValueError, match=r"tests/test_one\.py: give test_a"):
            read(wrong)


def report(node: str, outcome: str, when: str = "call") -> SimpleNamespace:
    return SimpleNamespace(nodeid=node, outcome=outcome, when=when)


@pytest.mark.requirement("G16", "R41")
def test_spec_a_run_leaves_the_result_of_each_test_with_version_and_date(tmp_path: Path) -> None:
    marked = tuple(
        MarkedTest(f"tests/test_a.py::test_{name}", (each,), can_fail=True)
        for name, each in (("one", "G1"), ("two", "G1"), ("three", "P3"), ("four", "R8"))
    )
    place = tmp_path / "build" / "traceability.html"
    results = Results(place, lambda: NOW, marked)
    for each in (
        report("tests/test_a.py::test_one[a]", "passed", "setup"),
        report("tests/test_a.py::test_one[a]", "passed"),
        report("tests/test_a.py::test_one[b]", "passed"),
        report("tests/test_a.py::test_two", "passed"),
        report("tests/test_a.py::test_two", "failed", "teardown"),
        report("tests/test_a.py::test_three", "skipped", "setup"),
        report("tests/test_a.py::test_of_something_else", "failed"),
    ):
        results.pytest_runtest_logreport(each)
    results.pytest_sessionfinish()
    page = place.read_text(encoding="utf-8")
    assert [path.name for path in place.parent.iterdir()] == ["traceability.html"]
    for words in (
        '<span class="passed">passed (2 cases)</span> <code>tests/test_a.py::test_one</code>',
        '<span class="failed">failed</span> <code>tests/test_a.py::test_two</code>',
        '<span class="skipped">skipped</span> <code>tests/test_a.py::test_three</code>',
        '<span class="not-run">not run</span> <code>tests/test_a.py::test_four</code>',
        "1 passed, 1 skipped, 1 failed, 1 not run",
        f"<dd>{__version__}</dd>",
        "2026-03-01 09:30 UTC",
    ):
        assert words in page, words
    assert "something_else" not in page


def test_the_results_page_names_every_requirement_and_lesson_and_closes_what_it_opens() -> None:
    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.open: list[str] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag not in ("meta", "br"):
                self.open.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

    page = render_results(MARKED, {}, NOW)
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    for each in TESTS:
        assert f'<th scope="row">{each}</th>' in page
