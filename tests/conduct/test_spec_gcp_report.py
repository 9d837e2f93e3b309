"""What the guidelines ask of the report and of the plan behind it: estimands, crossover items and flow."""

import re
from dataclasses import replace
from html import unescape

import pytest

from equipoise.analysis.report.render import render_report
from equipoise.analysis.run import analyse
from equipoise.definition.lint import lint
from tests.analysis.cuts import make_cut
from tests.analysis.trials import ESTIMAND, crossover_definition

DEFINITION = crossover_definition()
CUT = make_cut(DEFINITION)


def read_report() -> str:
    """The words of the report, one blank apart."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", render_report(analyse(CUT), CUT))))


@pytest.mark.requirement("C1")
def test_spec_the_flow_of_a_crossover_is_drawn_by_sequence_and_period() -> None:
    flow = analyse(CUT).flow
    assert [arm.name for arm in flow.arms] == [arm.name for arm in DEFINITION.study.arms]
    assert sum(arm.allocated for arm in flow.arms) == flow.randomised
    for arm in flow.arms:
        first, second = arm.stages
        assert first.treatment != second.treatment
        assert (first.entered, second.entered <= first.entered) == (arm.allocated, True)
        for stage in arm.stages:
            assert stage.received is not None
            assert stage.not_received is not None
            assert stage.received + stage.not_received == stage.entered
        assert arm.analysed + sum(number for _, number in arm.not_analysed) == arm.allocated
    text = read_report()
    for words in ("Allocated to this sequence (n = 20)", "First period", "Second period", "Discontinued"):
        assert words in text, words


@pytest.mark.requirement("C1")
def test_spec_the_report_of_a_crossover_says_so_and_compares_within_participants() -> None:
    text = read_report()
    for words in (
        "Randomised, crossover, 2 sequences",
        "extension to crossover trials, BMJ 2019;366:l4378",
        "Treatment difference",
        "Rate ratio of the periods: Cells first",
        "by epoch and intervention in force",
    ):
        assert words in text, words


@pytest.mark.requirement("E1")
def test_spec_the_report_tells_the_five_attributes_of_the_primary_estimand() -> None:
    text = read_report()
    (event, *_) = ESTIMAND.intercurrent_events
    for words in (ESTIMAND.population, ESTIMAND.treatment, ESTIMAND.variable, event.event, ESTIMAND.summary):
        assert words.rstrip(".") in text, words


@pytest.mark.requirement("E1")
def test_spec_a_primary_endpoint_without_an_estimand_is_found_before_the_trial_opens() -> None:
    endpoints = tuple(replace(each, estimand=None) for each in DEFINITION.analysis.endpoints)
    without = replace(DEFINITION, analysis=replace(DEFINITION.analysis, endpoints=endpoints))
    assert "LINT-ESTIMAND" in {problem.code for problem in lint(without)}
    assert "LINT-ESTIMAND" not in {problem.code for problem in lint(DEFINITION)}
