"""Endpoints, sets and testing: one short test for each rule."""

from collections.abc import Callable
from dataclasses import replace
from math import exp, isfinite, log
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.analysis.derive import Frame
from equipoise.analysis.endpoints import fit_endpoint, fit_subgroups
from equipoise.analysis.result import EndpointResult, Estimate
from equipoise.analysis.run import analyse, describe_masked
from equipoise.definition.model.analysis import Fit, Profile
from equipoise.definition.model.definition import StudyDefinition
from equipoise.statistics.counts import fit_negative_binomial
from equipoise.statistics.intervals import clopper_pearson
from tests.analysis.cuts import make_cut, swap_arms
from tests.analysis.trials import crossover_definition, parallel_definition, single_definition
from tests.small_trial import when

CROSSOVER = make_cut(crossover_definition())
PARALLEL = make_cut(parallel_definition(), 60)
SINGLE = make_cut(single_definition(), 30)
DEFINITIONS: tuple[Callable[[], StudyDefinition], ...] = (
    crossover_definition,
    parallel_definition,
    single_definition,
)


def only(result: EndpointResult) -> Estimate:
    assert len(result.estimates) == 1
    return result.estimates[0]


@pytest.mark.requirement("E2", "R33")
def test_spec_a_set_counts_everybody_left_out_under_the_first_unmet_condition() -> None:
    frame = Frame(CROSSOVER)
    full = frame.analysis_set("full")
    assert len(full.members) + len(full.excluded) == len(CROSSOVER.participants)
    reasons = dict(full.excluded)
    for person in CROSSOVER.participants:
        if person.randomised_on is None:
            assert reasons[person.participant] == "Not randomised"
    assert "No visit after randomisation" in reasons.values()


def test_spec_a_condition_that_is_not_known_leaves_out_and_says_so() -> None:
    definition = crossover_definition()
    hidden = replace(definition.analysis.sets[0], requires={"low": when("person.score < 3")}, reasons={})
    definition = replace(
        definition, analysis=replace(definition.analysis, sets=(hidden, *definition.analysis.sets[1:]))
    )
    bare = replace(CROSSOVER.participants[0], rows=())
    cut = replace(CROSSOVER, definition=definition, participants=(bare, *CROSSOVER.participants[1:]))
    assert (bare.participant, "Not known: low") in Frame(cut).analysis_set("full").excluded


def test_double_the_primary_rate_ratio_is_that_of_the_model_fitted_by_hand() -> None:
    weeks = ("week_4", "week_8")
    rows = []
    for person in CROSSOVER.participants:
        seen = [row for row in person.rows if row.form == "visit" and row.encounter in weeks]
        if person.randomised_on is None or not seen:
            continue
        counts = [int(row.values["count"].value) for row in seen]  # type: ignore[arg-type]
        score = float(str(person.rows[0].values["score"].value))
        rows.append((sum(counts), person.arm == "cells_first", score, person.country == "CA", log(len(seen))))
    fit = fit_negative_binomial(
        [row[0] for row in rows],
        [[1.0, float(row[1]), row[2], float(row[3])] for row in rows],
        [row[4] for row in rows],
        ("one", "arm", "score", "country"),
    )
    expected = fit.coefficients.contrast("arm")
    assert expected is not None
    found = fit_endpoint(CROSSOVER, "spots")
    assert found.n == len(rows)
    assert (found.status, only(found).arm, only(found).reference) == (
        "estimated",
        "cells_first",
        "vehicle_first",
    )
    assert (only(found).value, only(found).low, only(found).high) == pytest.approx(
        (exp(expected.estimate), exp(expected.low), exp(expected.high)), rel=1e-6
    )
    assert found.p == pytest.approx(expected.p, rel=1e-6)


def test_spec_one_endpoint_alone_is_analysed_as_among_all() -> None:
    whole = analyse(CROSSOVER)
    for each in whole.endpoints:
        assert fit_endpoint(CROSSOVER, each.id) == each
    for each in whole.sensitivity:
        assert fit_endpoint(CROSSOVER, each.id, each.analysis) == each


def test_spec_swapping_the_arms_turns_the_ratio_over() -> None:
    there, back = (
        only(fit_endpoint(cut, "spots", "unadjusted")) for cut in (CROSSOVER, swap_arms(CROSSOVER))
    )
    assert there.value is not None and back.value is not None
    assert there.value * back.value == pytest.approx(1, rel=1e-6)


def test_spec_several_arms_are_each_compared_with_the_placebo_and_tested_together() -> None:
    course = fit_endpoint(PARALLEL, "course")
    assert [(each.arm, each.reference) for each in course.estimates] == [
        ("low", "placebo"),
        ("high", "placebo"),
    ]
    assert course.joint_p is not None and course.p == course.joint_p
    assert {each.measure for each in course.further} == {
        "Difference of means, week 4",
        "Difference of means, week 8",
    }
    assert fit_endpoint(PARALLEL, "time").curves[0][0] == "Placebo"


def test_spec_two_periods_are_compared_within_each_arm() -> None:
    switch = fit_endpoint(CROSSOVER, "switch")
    assert [each.arm for each in switch.estimates] == ["cells_first", "vehicle_first"]
    cells, vehicle = switch.estimates
    assert cells.value is not None and vehicle.value is not None
    assert cells.value > 1 > vehicle.value
    # Bonferroni, as there is no joint test of the two.
    assert switch.p == pytest.approx(2 * min(each.p for each in switch.estimates if each.p is not None))


def test_spec_a_single_arm_has_values_with_their_intervals_and_no_p() -> None:
    binary = fit_endpoint(SINGLE, "binary")
    share = binary.groups[0].figure("Participants with the event")
    assert share is not None and share.value is not None
    exact = clopper_pearson(int(share.value), binary.n)
    assert exact.low is not None and exact.high is not None
    assert (only(binary).low, only(binary).high) == pytest.approx((100 * exact.low, 100 * exact.high))
    for name in ("count", "continuous", "time_to_event"):
        found = fit_endpoint(SINGLE, name)
        assert (found.status, only(found).scale, found.p) == ("estimated", "value", None)


def test_spec_what_is_no_count_is_not_fitted_as_one_but_named() -> None:
    definition = crossover_definition()
    spots, *others = definition.analysis.endpoints
    assert spots.type == "count" and spots.analysis is not None
    change = replace(
        spots, analysis=replace(spots.analysis, response=when("visit.count at week_4 - 2")), sensitivity={}
    )
    cut = replace(
        CROSSOVER,
        definition=replace(definition, analysis=replace(definition.analysis, endpoints=(change, *others))),
    )
    found = fit_endpoint(cut, "spots")
    whats = [what for _, what in found.missing]
    assert "outcome that is a count" in whats
    assert found.n > 0 and found.n + len(whats) == len(Frame(cut).analysis_set("full").members)


def test_spec_a_member_without_a_value_is_named_with_what_is_missing() -> None:
    well = fit_endpoint(CROSSOVER, "well")
    members = Frame(CROSSOVER).analysis_set("full").members
    assert well.missing and {what for _, what in well.missing} == {"outcome"}
    assert well.n + len(well.missing) == len(members)
    assert sum(group.n + group.missing for group in well.groups) == len(members)


def test_spec_an_arm_without_events_has_a_bound_and_a_likelihood_ratio_p() -> None:
    definition = crossover_definition()
    nobody = make_cut(definition, 30, effect=0.0)
    found = only(fit_endpoint(nobody, "spots", "unadjusted"))
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high is not None and 0 < found.high < 0.5
    assert found.p is not None and found.p < 0.001


def test_spec_unknown_names_are_refused() -> None:
    for name, sensitivity in (("nothing", None), ("spots", "nothing")):
        with pytest.raises(LookupError, match="nothing"):
            fit_endpoint(CROSSOVER, name, sensitivity)
    with pytest.raises(LookupError, match="no analysis set"):
        Frame(CROSSOVER).analysis_set("nobody")


@pytest.mark.requirement("E2")
def test_spec_the_procedure_stops_where_a_hypothesis_is_not_rejected() -> None:
    steps = analyse(CROSSOVER).testing
    assert [each.endpoint for each in steps] == ["spots", "well", "score"]
    assert [each.tested for each in steps] == [True, True, False]
    assert [each.rejected for each in steps] == [True, False, False]
    assert steps[2].p is not None and steps[2].p < 0.001


def test_spec_subgroups_with_few_participants_have_no_estimate() -> None:
    found = fit_subgroups(Frame(PARALLEL), "course")
    assert {each.category for each in found} == {"Country", "Sex"}
    assert any(each.status == "too_few" and not each.estimates for each in found)
    assert sum(each.n for each in found if each.category == "Sex") == fit_endpoint(PARALLEL, "course").n
    assert fit_subgroups(Frame(SINGLE), "count") == ()


def test_spec_a_masked_description_estimates_nothing_that_needs_arms() -> None:
    masked = describe_masked(CROSSOVER)
    assert not (masked.arms or masked.testing or masked.subgroups)
    assert {each.status for each in masked.endpoints} == {"masked", "described"}
    assert all(each.p is None and not each.estimates for each in masked.endpoints)
    assert all(group.arm is None for each in masked.endpoints for group in each.groups)
    # A masked cut is never analysed otherwise.
    assert analyse(make_cut(crossover_definition(), masked=True)).endpoints == masked.endpoints


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(DEFINITIONS),
    st.integers(0, 6),
    st.integers(0, 2),
    st.integers(0, 99),
)
def test_spec_no_trial_is_too_small_to_be_analysed(
    make: Callable[[], StudyDefinition], participants: int, screened_out: int, seed: int
) -> None:
    cut = make_cut(make(), participants, screened_out=screened_out, seed=seed)
    result = analyse(cut)
    assert bool(result.notes) == (participants < 10)
    for each in (*result.endpoints, *result.sensitivity):
        for estimate in (*each.estimates, *each.further):
            for value in (estimate.value, estimate.low, estimate.high, estimate.p):
                assert value is None or isfinite(value)


def refitted(endpoint: str, fit: Fit, kind: Literal["count", "continuous"]) -> EndpointResult:
    """An endpoint of the crossover with another analysis."""
    definition = crossover_definition()
    planned = definition.analysis.endpoint(endpoint)
    assert planned is not None
    changed = replace(planned, type=kind, analysis=fit)
    analysis = replace(definition.analysis, endpoints=(changed,))
    return fit_endpoint(replace(CROSSOVER, definition=replace(definition, analysis=analysis)), endpoint)


RANKS = Fit(
    model="wilcoxon_paired",
    set="full",
    response=when("visit.score at week_8"),
    against=when("visit.score at week_20"),
)
PAIRED: tuple[Literal["wilcoxon_paired", "crossover_continuous"], ...] = (
    "wilcoxon_paired",
    "crossover_continuous",
)


def test_spec_the_same_differences_by_ranks_and_by_means_point_the_same_way() -> None:
    by_means = only(fit_endpoint(CROSSOVER, "score"))
    by_ranks = only(refitted("score", RANKS, "continuous"))
    assert by_means.value is not None and by_ranks.value is not None
    # The shift between the sequences is twice the effect of treatment.
    assert by_ranks.value / 2 == pytest.approx(by_means.value, abs=0.15)
    assert by_ranks.p is not None and by_ranks.p < 0.01


@pytest.mark.parametrize("model", PAIRED)
def test_spec_paired_values_within_each_arm(
    model: Literal["wilcoxon_paired", "crossover_continuous"],
) -> None:
    found = refitted("score", replace(RANKS, model=model, compare="epochs"), "continuous")
    cells, vehicle = found.estimates
    assert cells.value is not None and vehicle.value is not None
    assert cells.value < 0 < vehicle.value
    assert ("signed-rank" in found.method) == (model == "wilcoxon_paired")


def test_spec_a_robust_poisson_model_compares_arms_too() -> None:
    planned = crossover_definition().analysis.endpoints[0].analysis
    robust = refitted("spots", replace(planned, model="poisson_gee"), "count")
    ordinary = only(fit_endpoint(CROSSOVER, "spots")).value
    assert only(robust).value == pytest.approx(ordinary, rel=0.25)
    assert only(robust).p is not None


def test_spec_a_profile_in_per_cent_has_exact_intervals() -> None:
    definition = crossover_definition()
    well = Profile(id="well", title="Well", item="visit.well", encounters=("week_4",), summary="percent")
    planned = replace(definition.analysis, profiles=(well,))
    (profile,) = analyse(replace(CROSSOVER, definition=replace(definition, analysis=planned))).profiles
    for point in profile.points:
        exact = clopper_pearson(round((point.value or 0) * point.n / 100), point.n)
        assert (point.low, point.high) == pytest.approx((100 * (exact.low or 0), 100 * (exact.high or 0)))
