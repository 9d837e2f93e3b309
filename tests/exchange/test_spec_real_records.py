"""The records as the registry publishes them: nothing is dropped, and what a careful reader finds."""

from __future__ import annotations

import json
import re

import pytest

from equipoise.exchange.registry import find_contradictions, placed_passages, read_record

from .registry_pages import API_FILES, OWN_PAGE, REAL_PAGE

FILES = [OWN_PAGE, REAL_PAGE, *API_FILES]
SEVEN = [
    "REC-DURATION",
    "REC-SCORE",
    "REC-SITES",
    "REC-PHASE",
    "REC-PLACEBO",
    "REC-OUTCOME-TIME",
    "REC-DECIMALS",
]
# What each of the others contradicts itself in, as read by hand.
IN_THE_FILES = {
    # 31 enrolled (actual), 16 started; the description plans 20, and another 20 who are studied once.
    "NCT00763412": ["REC-ENROLMENT"],
    # The arm that gets nothing but placebo is typed EXPERIMENTAL.
    "NCT02210780": ["REC-ARM-TYPE"],
    "NCT03475563": [],
    # One group, and four arms.
    "NCT04207047": ["REC-MODEL"],
}


def present(path):
    if not path.exists():
        pytest.skip(f"{path.name} is not distributed with the project")
    return path


def leaves_of(node, path=""):
    if isinstance(node, dict) and node:
        for key, value in node.items():
            yield from leaves_of(value, f"{path}.{key}" if path else key)
    elif isinstance(node, list) and node:
        for index, value in enumerate(node):
            yield from leaves_of(value, f"{path}[{index}]")
    else:
        yield path, node if isinstance(node, str) else json.dumps(node)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_leaf_and_line_is_placed_or_boilerplate_or_not_understood(path):
    record = read_record(present(path))
    text = path.read_text(encoding="utf-8")
    placed, boilerplate, left = placed_passages(record), record.boilerplate, record.not_understood
    if record.kind == "json":
        expected = sorted(leaves_of(json.loads(text)))
        found = [(passage.section, passage.text) for passage in (*placed, *boilerplate, *left)]
        assert sorted(found) == expected
    else:
        numbered = {number for number, line in enumerate(text.split("\n"), 1) if line.strip()}
        groups = [{passage.line for passage in group} for group in (placed, boilerplate, left)]
        assert set.union(*groups) == numbered
        assert sum(map(len, groups)) == len(numbered), "a line counts once"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_text_stands_at_its_line(path):
    record = read_record(present(path))
    for passage in placed_passages(record):
        line = record.lines[passage.line - 1]
        assert (
            passage.text in line or passage.text in json.loads("{" + line.strip().rstrip(",") + "}").values()
        )


@pytest.mark.parametrize("path", [OWN_PAGE, REAL_PAGE], ids=["own", "real"])
def test_published_the_page_contradicts_itself_seven_times(path):
    findings = find_contradictions(read_record(present(path)))
    assert [finding.code for finding in findings] == SEVEN
    by_code = {finding.code: " | ".join(place.quote for place in finding.places) for finding in findings}
    assert "2-15 years" in by_code["REC-DURATION"] and "2 to 10 years" in by_code["REC-DURATION"]
    assert "2·5-6·5" in by_code["REC-SCORE"] and "3.0 to 6.5" in by_code["REC-SCORE"]
    assert all(word in by_code["REC-SITES"] for word in ("15 sites", "nine countries", "Karolinska", "2"))
    assert all(word in by_code["REC-PHASE"] for word in ("phase 2", "Phase 2", "Phase 1"))
    assert "placebo" in by_code["REC-PLACEBO"] and "Active Comparator" in by_code["REC-PLACEBO"]
    assert "24 weeks" in by_code["REC-OUTCOME-TIME"] and "48 weeks" in by_code["REC-OUTCOME-TIME"]
    assert all(word in by_code["REC-DECIMALS"] for word in ("1,5", "2·5", "3.0"))


@pytest.mark.parametrize("path", API_FILES, ids=lambda path: path.stem)
def test_published_files_contradict_themselves_where_a_reader_agrees(path):
    findings = find_contradictions(read_record(present(path)))
    assert [finding.code for finding in findings] == IN_THE_FILES[path.stem]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_quotation_of_a_real_record_stands_in_it(path):
    lines = present(path).read_text(encoding="utf-8").split("\n")
    for finding in find_contradictions(read_record(path)):
        assert all(place.quote in lines[place.line - 1] for place in finding.places)


def sentences_of(text):
    for sentence in re.split(r"(?<=[.;:])\s+|\n+", text):
        words = re.findall(r"[\w≥≤<>/-]+", sentence.lower())
        if len(words) >= 8:
            yield " ".join(words)


def test_the_own_page_shares_no_sentence_with_the_real_one():
    real = set(sentences_of(present(REAL_PAGE).read_text(encoding="utf-8")))
    own = set(sentences_of(OWN_PAGE.read_text(encoding="utf-8")))
    assert own
    assert own & real == set()
