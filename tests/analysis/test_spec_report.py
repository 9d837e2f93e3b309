"""The report: what it says, that it holds all it needs, that it is the same every time, and that it masks."""

import re
from dataclasses import replace
from types import SimpleNamespace

import pytest

from equipoise.analysis.report import numbers
from equipoise.analysis.report.key import key_result
from equipoise.analysis.report.render import render_report
from equipoise.analysis.result import Estimate
from equipoise.analysis.run import analyse, describe_masked
from equipoise.definition.expression import form_row
from equipoise.definition.model.analysis import BaselineVariable
from tests.analysis.cuts import make_cut, swap_arms
from tests.analysis.trials import crossover_definition, parallel_definition, single_definition
from tests.small_trial import when

CUT = make_cut(crossover_definition())
REPORT = render_report(analyse(CUT), CUT)


@pytest.mark.requirement("R36")
def test_spec_numbers_are_rounded_half_away_from_zero() -> None:
    assert [numbers.fixed(x, 2) for x in (0.125, -0.125, 0.005, 2.675, -0.001)] == [
        "0.13",
        "−0.13",
        "0.01",
        "2.68",
        "0.00",
    ]
    assert numbers.fixed(None, 1) == "–"
    assert [numbers.p_value(p) for p in (0.0004, 0.0495, 0.0005, 0.9996, None)] == [
        "<0.001",
        "0.050",
        "<0.001",
        ">0.999",
        "–",
    ]
    assert numbers.p_value(0.0015) == "0.002"
    assert numbers.whole(12345) == "12\u2009345"
    assert numbers.percent(1, 3) == "33.3%" and numbers.percent(0, 0) == "–"


def test_spec_an_estimate_without_a_value_says_so() -> None:
    bare = Estimate(label="a", measure="Rate ratio", scale="ratio", value=None, low=None, high=None)
    assert numbers.estimate_text(bare) == numbers.estimate_text(None) == "not estimable"
    assert numbers.estimate_text(replace(bare, low=1.5)) == "not estimable (1.50 or more)"
    assert numbers.estimate_text(replace(bare, value=0.0, low=0.0, high=0.25)) == "0.00 (0.00 to 0.25)"


@pytest.mark.parametrize("make", [crossover_definition, parallel_definition, single_definition])
def test_spec_the_same_cut_gives_the_same_bytes(make) -> None:
    cut = make_cut(make(), 24)
    assert render_report(analyse(cut), cut) == render_report(analyse(cut), cut)


def test_spec_the_file_needs_nothing_from_outside() -> None:
    addresses = set(re.findall(r"https?://[^\s\"'<]+", REPORT))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "<script" not in REPORT and "@import" not in REPORT and "<link" not in REPORT
    for target in re.findall(r'href="#([a-z]+)"', REPORT):
        assert f'id="{target}"' in REPORT


@pytest.mark.requirement("E1", "C1")
def test_spec_a_trialist_finds_every_part() -> None:
    result = analyse(CUT)
    estimate = result.endpoints[0].estimate
    for words in (
        "Simulated data",
        "Assessed for eligibility",
        "Baseline characteristics",
        "Intercurrent events",
        "treatment policy",
        "Testing procedure: Fixed sequence",
        "the primary endpoint was met",
        "Serious adverse events",
        "by epoch and intervention in force",
        "Protocol deviations",
        "Full analysis set",
        "Codes broken",
        "Upper age",
        "The order of testing.",
        "half away from zero",
        numbers.estimate_text(estimate),
        CUT.head,
        CUT.definition.hash,
    ):
        assert words in REPORT, words
    live = replace(CUT, mode="live", locked_at=None)
    text = render_report(analyse(live), live)
    assert "Simulated data" not in text and "not locked" in text


def test_spec_words_of_participants_are_escaped() -> None:
    person = CUT.participants[0]
    row = form_row(
        "adverse_event", {"term": "<script>alert(1)</script>", "severity": "mild", "serious": True}, row=99
    )
    cut = replace(CUT, participants=(replace(person, rows=(*person.rows, row)), *CUT.participants[1:]))
    text = render_report(analyse(cut), cut)
    assert "<script" not in text and "&lt;script&gt;alert(1)" in text


def test_spec_findings_are_quoted_with_their_places() -> None:
    place = SimpleNamespace(section="Eligibility", line=12, quote="3.0 to 6.5")
    finding = SimpleNamespace(
        code="REG-RANGE", severity="error", message="Two ranges differ.", places=(place,)
    )
    text = render_report(analyse(CUT), CUT, [finding])
    assert "Two ranges differ." in text and "Eligibility, line 12: “3.0 to 6.5”" in text


@pytest.mark.parametrize("make", [crossover_definition, parallel_definition])
def test_spec_a_masked_report_is_the_same_whatever_the_arms_are(make) -> None:
    cut = make_cut(make(), 30)
    other = swap_arms(cut)
    assert analyse(cut) != analyse(other)
    reports = {render_report(describe_masked(each), each, masked=True) for each in (cut, other)}
    assert len(reports) == 1
    (text,) = reports
    assert "Masked" in text and "describes all participants together" in text
    for arm in cut.definition.study.arms:
        body = text.replace(cut.definition.study.title, "")
        assert f"{arm.name}:" not in body and f">{arm.name}<" not in body


@pytest.mark.requirement("R6")
def test_spec_an_unmasked_result_is_never_rendered_as_masked() -> None:
    with pytest.raises(ValueError, match="describe_masked"):
        render_report(analyse(CUT), CUT, masked=True)


def test_spec_a_result_of_another_cut_is_refused() -> None:
    with pytest.raises(ValueError, match="Analyse this cut"):
        render_report(analyse(CUT), replace(CUT, position=7))


@pytest.mark.parametrize(("participants", "screened_out"), [(0, 0), (0, 2), (1, 0), (2, 0)])
def test_spec_the_smallest_trials_have_a_report_that_says_so(participants: int, screened_out: int) -> None:
    for make in (crossover_definition, parallel_definition, single_definition):
        cut = make_cut(make(), participants, screened_out=screened_out)
        text = render_report(analyse(cut), cut)
        assert 'class="caution"' in text
        assert "nan" not in re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL).lower().split()


def test_spec_short_names_of_arms_and_words_for_truth_values_are_used() -> None:
    base = parallel_definition()
    arms = tuple(
        replace(arm, name=f"{arm.name} every four weeks", short_name=arm.id) for arm in base.study.arms
    )
    seen = BaselineVariable(id="seen", title="Seen", value=when("participant.randomised"), type="category")
    definition = replace(
        base,
        study=replace(base.study, arms=arms),
        analysis=replace(base.analysis, baseline=(seen,)),
    )
    cut = make_cut(definition, 60)
    result = analyse(cut)
    assert [figure.name for figure in result.baseline[0].groups[0].figures] == ["Yes"]
    assert "every four weeks" not in render_report(result, cut)


def test_spec_where_nothing_was_tested_the_key_result_has_no_p_value() -> None:
    result = analyse(make_cut(crossover_definition()))
    tested, described = key_result(result), key_result(replace(result, testing=()))
    assert tested is not None and tested.p.startswith(("=", "<", ">"))
    assert described is not None and described.p == ""
    assert (described.value, described.measure) == (tested.value, tested.measure)
    assert described.verdict == "No hypothesis was tested; the estimate describes."
