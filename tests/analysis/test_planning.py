"""The sample size of a definition: against the literature, as a law of each kind, and in words."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from equipoise.analysis.planning.determine import SampleSizeMissing, check_enrolment, determine
from equipoise.analysis.planning.question import Question
from equipoise.analysis.planning.recruiting import forecast_for
from equipoise.analysis.planning.render import operating_table, render_design
from equipoise.analysis.planning.statement import (
    deviations_table,
    interim_table,
    paragraph,
    protocol_table,
)
from equipoise.analysis.planning.truths import read_truths, truths_of
from equipoise.definition.load import load_study
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.sample_size import (
    Assumed,
    CountAssumptions,
    FutilityBoundary,
    InterimAnalyses,
    MeanAssumptions,
    ProportionAssumptions,
    SampleSize,
)
from equipoise.statistics.planning import ClosedSize, GroupSize
from equipoise.statistics.sample_size_proportions import size_proportions
from tests.definition.folders import write_study

STUDIES = Path(__file__).parent.parent / "studies"


def assumed(value: str, *deviations: str) -> Assumed:
    return Assumed(value=Decimal(value), source="A test", deviations=tuple(map(Decimal, deviations)))


COUNTS = CountAssumptions(
    unit="year",
    rate=assumed("0.8"),
    ratio=assumed("0.85"),
    dispersion=assumed("0.4"),
    exposure=assumed("0.75"),
)
MEANS = MeanAssumptions(unit="mm", difference=assumed("-5"), sd=assumed("10"))


def plan(**parts: object) -> SampleSize:
    return SampleSize(endpoint="wakes", power=Decimal("0.8"), **parts)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> StudyDefinition:
    return load_study(write_study(tmp_path_factory.mktemp("calm"))).definition


def invented(name: str) -> StudyDefinition:
    return load_study(STUDIES / name).definition


@pytest.mark.parametrize(
    ("variance", "exact"), [("null", 1254.23), ("alternative", 1315.69), ("pooled", 1310.73)]
)
def test_published_sizes_of_counts(calm: StudyDefinition, variance, exact) -> None:
    # Zhu and Lakkis, Stat Med 2014;33:376, in the first row of their examples.
    found = determine(replace(calm, sample_size=plan(counts=replace(COUNTS, variance=variance))))
    assert found.needed.n1 == found.needed.n2 == -int(-exact // 1)
    assert found.needed.power == pytest.approx(0.8, abs=1e-3)


@pytest.mark.parametrize(
    ("family", "looks", "inflation", "rounding"), [("P", 4, 1.183143, 2e-6), ("OF", 5, 172.57 / 168.12, 6e-5)]
)
def test_published_inflation_by_looks(family, looks, inflation, rounding) -> None:
    # SAS/STAT User's Guide, the SEQDESIGN procedure: two-sided level 0.05, power 0.9. Maximum information of
    # Pocock's design (example "Creating Two-Sided Pocock and O'Brien-Fleming Designs"), and of O'Brien and
    # Fleming's against that of one look, as its details on features of designs round them.
    interim = InterimAnalyses(
        family=family, information=tuple(Decimal(look) / looks for look in range(1, looks + 1))
    )
    needed = Question.of(replace(plan(counts=COUNTS, interim=interim), power=Decimal("0.9")), 1.0).needed()
    alone = Question.of(replace(plan(counts=COUNTS), power=Decimal("0.9")), 1.0).needed()
    assert needed.inflation == pytest.approx(inflation, abs=rounding)
    assert needed.n1 == pytest.approx(alone.n1 * inflation, rel=2e-3)


PLANS = {
    "counts": plan(counts=replace(COUNTS, ratio=assumed("0.5"), drop_out=assumed("0.2"))),
    "means": plan(means=MEANS),
    "adjusted": plan(means=replace(MEANS, method="ancova", correlation=assumed("0.5"))),
    "crossover": plan(means=replace(MEANS, method="crossover")),
    "proportions": plan(proportions=ProportionAssumptions(reference=assumed("0.5"), treated=assumed("0.3"))),
}


@pytest.mark.parametrize("looks", [False, True])
@pytest.mark.parametrize("allocation", [1.0, 2.0])
@pytest.mark.parametrize("kind", PLANS)
def test_the_size_has_the_power_and_fewer_have_not(kind, allocation, looks) -> None:
    interim = InterimAnalyses(family="asOF", information=(Decimal("0.5"), Decimal(1)))
    question = Question.of(replace(PLANS[kind], interim=interim if looks else None), allocation)
    needed = question.needed()
    assert needed.n2 >= allocation * needed.n1 - 1e-9
    assert needed.power >= 0.8 - 1e-9
    assert needed.power == question.power(needed.n1, needed.n2)
    fewer = needed.n1 - 2
    assert question.power(fewer, round(allocation * fewer)) < 0.8
    assert needed.inflation >= 1
    assert question.expected_share(needed.n1, needed.n2) <= 1


@pytest.mark.parametrize("binding", [False, True])
def test_a_trial_that_may_stop_for_futility_is_larger_and_ends_earlier(
    calm: StudyDefinition, binding
) -> None:
    looks = InterimAnalyses(family="asOF", information=(Decimal("0.5"), Decimal(1)))
    futile = replace(looks, futility=FutilityBoundary(family="asOF", binding=binding))
    asked = plan(counts=COUNTS, sides=1, alpha=Decimal("0.025"), interim=looks)
    found, stopping = (
        determine(replace(calm, sample_size=each)) for each in (asked, replace(asked, interim=futile))
    )
    assert stopping.needed.inflation > found.needed.inflation
    assert stopping.question.power(stopping.needed.n1, stopping.needed.n2) >= 0.8 - 1e-9
    null = stopping.question.varied(ratio=1.0)
    assert null.expected_share(60, 60) < found.question.varied(ratio=1.0).expected_share(60, 60) - 0.1
    table = interim_table(stopping)
    assert table is not None
    place = table.head.index("Futile below")
    assert stopping.question.bounds is not None and stopping.question.bounds.lower is not None
    early = f"{stopping.question.bounds.lower[0]:.3f}".replace("-", "−")
    assert [row.cells[place] for row in table.rows] == [early, "–"]
    page = render_design(stopping)
    assert "futile below" in page and "for futility" in page


@pytest.mark.parametrize("looks", [False, True])
@pytest.mark.parametrize("sides", [1, 2])
def test_without_an_effect_the_power_is_the_level_of_a_side(sides, looks) -> None:
    interim = InterimAnalyses(family="P", information=(Decimal("0.5"), Decimal(1)))
    asked = plan(counts=COUNTS, sides=sides, alpha=Decimal("0.05"), interim=interim if looks else None)
    question = Question.of(asked, 1.0)
    assert question.varied(ratio=1.0).power(100, 100) == pytest.approx(0.05 / sides, abs=1e-6)


def test_power_tends_to_the_level_of_a_side_as_the_effect_vanishes() -> None:
    question = Question.of(PLANS["means"], 1.0)
    assert question.varied(difference=-1e-6).power(20, 20) == pytest.approx(0.025, abs=1e-5)
    assert question.varied(difference=0.0).power(20, 20) == pytest.approx(0.025)


def test_proportions_are_those_of_the_statistics(calm: StudyDefinition) -> None:
    size: GroupSize = size_proportions(proportion1=0.5, proportion2=0.3, power=0.8)
    needed = determine(replace(calm, sample_size=PLANS["proportions"])).needed
    assert isinstance(size, ClosedSize)
    assert (needed.n1, needed.n2, needed.power) == (size.n1, size.n2, size.power)


def test_attrition_and_the_ratio_of_three_arms_are_made_up_for() -> None:
    found = determine(invented("tern"))
    assert (found.needed.n1, found.needed.n2) == (53, 27)
    assert found.arms == {"vehicle": 57, "weak": 29, "strong": 29}
    assert found.groups_of(found.total + 1) >= (found.needed.n1, found.needed.n2)
    assert (found.reference.id, found.treated.id) == ("vehicle", "strong")
    more = next(each for each in found.deviations if each.name == "attrition")
    assert (more.assumed, more.value) == (0.05, 0.1)
    assert more.participants > found.total
    assert more.power < found.needed.power
    table = deviations_table(found)
    assert table is not None
    assert "Attrition: assumed 0.05" in [row.cells[0] for row in table.rows]


def test_events_are_counted_over_both_groups() -> None:
    found = determine(invented("dipper"))
    assert (found.needed.n1, found.needed.n2, found.needed.events) == (20, 40, 35)
    assert "35 events in all" in paragraph(found)
    assert truths_of(found) == []


def test_fewer_planned_than_needed_are_found(calm: StudyDefinition) -> None:
    assert list(check_enrolment(calm)) == []
    fewer = replace(calm, study=replace(calm.study, planned_enrolment=38))
    (problem,) = check_enrolment(fewer)
    assert (problem.code, problem.severity, problem.file) == ("LINT-ENROLMENT", "warning", "study.yaml")
    assert "38 have 0.786" in problem.sentence
    assert "with which the power is 78.6%" in paragraph(determine(fewer))
    nobody = replace(calm, study=replace(calm.study, planned_enrolment=1))
    assert "1 have 0.000" in next(iter(check_enrolment(nobody))).sentence


def test_an_effect_beyond_any_trial_is_an_error(calm: StudyDefinition) -> None:
    tiny = plan(counts=replace(COUNTS, ratio=assumed("0.9999999")))
    (problem,) = check_enrolment(replace(calm, sample_size=tiny))
    assert (problem.code, problem.severity) == ("LINT-SAMPLE-SIZE", "error")


def test_a_study_that_does_not_ask_is_told_what_to_add(calm: StudyDefinition) -> None:
    with pytest.raises(SampleSizeMissing, match=r"Add sample_size\.yaml"):
        determine(replace(calm, sample_size=None))


def test_each_deviation_changes_size_and_power_as_it_must(calm: StudyDefinition) -> None:
    found = determine(calm)
    by_name = {(each.name, each.value): each for each in found.deviations}
    assert len(by_name) == 6
    for harder in (("rate", 2.4), ("ratio", 0.7), ("dispersion", 0.25)):
        assert by_name[harder].participants > found.total
        assert by_name[harder].power < found.needed.power
    for easier in (("rate", 4.0), ("ratio", 0.6), ("dispersion", 0.1)):
        assert by_name[easier].participants <= found.total
        assert by_name[easier].power > found.needed.power


def test_recruitment_is_forecast_where_something_is_assumed_of_it(calm: StudyDefinition) -> None:
    forecast = forecast_for(calm, seed=1)
    assert forecast is not None
    assert (forecast.target, forecast.by) == (40, 18.0)
    # Two sites with two a month each, from 1.5 months on at most.
    assert forecast.forecast.quantile(0.5) == pytest.approx(40 / 4 + 1.5, abs=4)
    assert forecast_for(replace(calm, sample_size=plan(counts=COUNTS)), seed=1) is None
    assert forecast_for(replace(calm, sample_size=None), seed=1) is None


def simulated(ratio: float, dispersion: float) -> dict:
    share = {"value": 0.05, "error": 0.01}
    return {
        "ratio": ratio,
        "dispersion": dispersion,
        "trials": 400,
        "rejected": dict.fromkeys(("wald", "score", "likelihood_ratio"), share),
        "bias": None,
        "bias_error": None,
        "coverage": {"value": None, "error": None},
        "statuses": {"fitted": 300, "poisson": 60, "no_events_arm": 40},
        "expected": {"wald": 31.25, "score": 30.0, "likelihood_ratio": 30.0},
    }


def test_what_was_simulated_is_tabulated_even_where_nothing_could_be_estimated(calm: StudyDefinition) -> None:
    found = determine(calm)
    asked = truths_of(found)
    assert len(asked) == 12
    assert {truth["ratio"] for truth in asked} == {1.0, 0.7, 0.65, 0.6}
    assert all(truth["participants"] == 36 and truth["block"] == [2, 2] for truth in asked)
    table = operating_table(found, read_truths([simulated(1.0, 0.15), simulated(0.65, 0.15)]))
    assert table.rows[0].cells == ("Rate ratio 1 (no effect: type I error)",)
    assert table.rows[1].cells[1] == "5.00\n± 1.00"
    assert table.rows[1].cells[4:7] == ("–", "–", "10%")
    assert (table.head[7], table.rows[1].cells[7]) == ("Mean participants, Wald test", "31.3")


def test_every_number_of_the_table_has_its_basis(calm: StudyDefinition) -> None:
    rows = {row.cells[0]: row.cells[1:] for row in protocol_table(determine(calm)).rows}
    assert rows["Rate ratio (treated to reference)"] == ("0.65", "Chosen for this example (assumption)")
    assert rows["Rate in the reference group, per hour"] == ("3.2", "An invented sleep laboratory")
    assert rows["Randomised in all"][0] == "40"


def test_a_study_with_too_small_an_enrolment_is_marked_in_its_report(calm: StudyDefinition) -> None:
    asked = replace(calm, sample_size=PLANS["proportions"])
    page = render_design(determine(asked))
    assert "The planned enrolment is smaller than what is assumed needs." in page
    assert "by the true effect and the proportion in the reference group" in page
    assert "Interim analyses" not in page and "Recruitment" not in page
