"""The course of participants: epochs, events, deviations, flow, baseline, profiles."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from equipoise.analysis.course import epoch_on, epoch_starts, treatment_received
from equipoise.analysis.cut import CutParticipant, DataCut
from equipoise.analysis.derive import Frame
from equipoise.analysis.deviations import derive_deviations
from equipoise.analysis.run import analyse
from equipoise.analysis.safety import derive_events
from equipoise.definition.expression import PartialDate, form_row
from tests.analysis.cuts import make_cut
from tests.analysis.trials import crossover_definition, parallel_definition, single_definition
from tests.small_trial import when

DEFINITION = crossover_definition()
CUT = make_cut(DEFINITION)


def steady() -> CutParticipant:
    """A participant who completed both periods and was given both bags."""
    return next(
        person
        for person in CUT.participants
        if person.status == "completed" and len(person.administrations) == 2 and person.arm == "cells_first"
    )


def with_only(person: CutParticipant) -> DataCut:
    return replace(CUT, participants=(person,))


def with_event(onset: PartialDate | None, **values: bool) -> CutParticipant:
    event = form_row(
        "adverse_event", {"term": "Fever", "onset": onset, "severity": "mild", **values}, date=onset
    )
    return replace(steady(), rows=(*(row for row in steady().rows if row.form != "adverse_event"), event))


def test_spec_an_epoch_begins_with_its_administration() -> None:
    person = steady()
    starts = epoch_starts(DEFINITION, person)
    assert list(starts) == ["screening", "first", "second"]
    assert starts["screening"] == person.consented_on
    assert [starts["first"], starts["second"]] == [each.given_on for each in person.administrations]
    assert epoch_on(starts, starts["second"]) == "second"
    assert epoch_on(starts, starts["second"] - timedelta(days=1)) == "first"
    assert epoch_on(starts, person.consented_on - timedelta(days=1)) is None
    assert epoch_on(starts, None) is None


def test_spec_what_is_in_force_is_what_was_given() -> None:
    person = steady()
    assert [treatment_received(DEFINITION, person, epoch) for epoch in ("screening", "first", "second")] == [
        None,
        "Cells",
        "Vehicle",
    ]
    once = replace(person, administrations=person.administrations[:1])
    assert treatment_received(DEFINITION, once, "second") is None
    assert treatment_received(DEFINITION, replace(person, arm=None), "first") is None
    # Where the trial supplies nothing, the plan is all that is known.
    parallel = parallel_definition()
    assert treatment_received(parallel, replace(person, arm="low", administrations=()), "first") == "Low dose"


def test_spec_an_event_that_may_have_begun_under_treatment_counts_as_such() -> None:
    first = steady().administrations[0].given_on
    cases = {
        PartialDate.of(first): "first",
        PartialDate.of(first - timedelta(days=1)): "screening",
        PartialDate(first.year, first.month): "first",
        PartialDate.of(steady().administrations[1].given_on): "second",
        None: "first",
    }
    for onset, epoch in cases.items():
        frame = Frame(with_only(with_event(onset)))
        (event,) = derive_events(frame, "adverse_event", (steady().participant,))
        assert event.epoch == epoch
        assert event.in_force == {"first": "Cells", "second": "Vehicle", "screening": None}[epoch]


def test_spec_a_serious_event_without_a_date_is_listed() -> None:
    result = analyse(with_only(with_event(None, serious=True)))
    assert [(each.term, each.onset, each.in_force) for each in result.serious] == [("Fever", "", "Cells")]


def test_spec_event_tables_count_events_and_participants() -> None:
    result = analyse(CUT)
    by_arm, by_period = result.events
    assert by_arm.columns == ("Cells first", "Vehicle first", "All participants")
    assert by_arm.at_risk[2] == by_arm.at_risk[0] + by_arm.at_risk[1]
    all_events = by_arm.rows[0]
    for events, people in all_events.cells:
        assert events >= people
    assert all_events.cells[2][0] == all_events.cells[0][0] + all_events.cells[1][0]
    assert sum(events for events, _ in by_period.rows[0].cells) == all_events.cells[2][0]
    mild, moderate, severe = (
        next(row for row in by_arm.rows if row.label == each) for each in ("Mild", "Moderate", "Severe")
    )
    assert mild.cells[2][0] + moderate.cells[2][0] + severe.cells[2][0] == all_events.cells[2][0]


def test_spec_deviations_follow_from_the_data() -> None:
    clean = replace(
        steady(), criteria=dict.fromkeys(("I1", "I2"), "met") | dict.fromkeys(("E1", "E2"), "not_met")
    )
    quiet = replace(
        clean,
        encounters=tuple(replace(each, status="in_window", days_off=0) for each in clean.encounters),
        unblindings=(),
    )
    assert derive_deviations(with_only(quiet)) == ()

    def kinds(**changes: Any) -> list[tuple[str, str]]:
        person = replace(quiet, **changes)
        return [(each.kind, each.severity) for each in derive_deviations(with_only(person))]

    assert kinds(criteria=dict(quiet.criteria) | {"I2": "unknown"}) == [("ineligible", "major")]
    assert kinds(criteria=dict(quiet.criteria) | {"E1": "met"}) == [("ineligible", "major")]
    assert kinds(unblindings=("emergency",)) == [("emergency_unblinding", "major")]
    assert kinds(unblindings=("end_of_trial",)) == []
    assert kinds(administrations=quiet.administrations[:1]) == [("not_administered", "major")]
    assert kinds(rows=tuple(row for row in quiet.rows if row.form != "person")) == [("missing_form", "minor")]
    late = replace(quiet.encounters[2], status="late", days_off=5)
    assert kinds(encounters=(*quiet.encounters[:2], late, *quiet.encounters[3:])) == [
        ("out_of_window", "minor")
    ]
    missed = replace(quiet.encounters[2], status="missed", took_place_on=None)
    assert kinds(encounters=(*quiet.encounters[:2], missed, *quiet.encounters[3:])) == [
        ("missed_encounter", "minor")
    ]
    assert kinds(randomised_on=None) == []


def test_spec_whoever_withdrew_from_treatment_misses_no_administration() -> None:
    person = steady()
    first, second = person.administrations
    stopped = replace(
        person,
        administrations=(first,),
        status="withdrawn",
        end_scope="treatment",
        end_cause="Own wish",
        ended_on=second.given_on - timedelta(days=5),
    )
    assert not [each for each in derive_deviations(with_only(stopped)) if each.kind == "not_administered"]
    flow = analyse(with_only(stopped)).flow.arms[0]
    assert [stage.ended for stage in flow.stages] == [(("Own wish", 1),), ()]


def test_spec_a_study_of_one_arm_allocates_nobody_and_still_has_the_arm() -> None:
    cut = make_cut(single_definition(), 12)
    without = replace(cut, participants=tuple(replace(person, arm=None) for person in cut.participants))
    assert analyse(without) == analyse(cut)
    waiting = replace(cut.participants[0], status="screening", encounters=cut.participants[0].encounters[:1])
    flow = analyse(replace(cut, participants=(waiting, *cut.participants[1:]))).flow
    assert (flow.in_screening, flow.randomised) == (1, analyse(cut).randomised - 1)
    # Without allocation it is the first treatment that makes a participant, whatever the status is called.
    under_way = replace(cut.participants[0], status="screening")
    assert analyse(replace(cut, participants=(under_way, *cut.participants[1:]))).flow.in_screening == 0


def test_spec_expressions_see_the_forms_that_the_trial_itself_fills() -> None:
    person = next(each for each in CUT.participants if each.unblindings)
    frame = Frame(CUT)
    code = person.participant
    assert frame.text(when("participant.arm"), code) == person.arm
    assert frame.text(when("country"), code) == person.country
    assert frame.number(when("participant.administrations"), code) == len(person.administrations)
    assert frame.number(when("count(administration where administration.epoch = 'first')"), code) == 1
    assert frame.text(when("any(deviation where deviation.severity = 'major')"), code) == "true"
    assert frame.number(when("days(randomisation, first_administration)"), code) == 0
    assert frame.text(when("today"), code) == "2025-06-30"
    assert Frame(replace(CUT, masked=True)).text(when("participant.arm"), code) is None


@pytest.mark.parametrize("make", [crossover_definition, parallel_definition, single_definition])
def test_spec_the_flow_loses_nobody(make) -> None:
    flow = analyse(make_cut(make(), 50)).flow
    assert flow.assessed == flow.randomised + sum(count for _, count in flow.excluded) + flow.in_screening
    assert flow.randomised == sum(arm.allocated for arm in flow.arms)
    for arm in flow.arms:
        assert arm.allocated == arm.analysed + sum(count for _, count in arm.not_analysed)
        assert arm.stages[0].entered == arm.allocated
        for stage in arm.stages:
            if stage.received is not None and stage.not_received is not None:
                assert stage.entered == stage.received + stage.not_received


def test_spec_the_flow_names_the_criteria_that_kept_people_out() -> None:
    flow = analyse(CUT).flow
    assert [name for name, _, _ in flow.criteria] == ["I1", "E2"]
    assert dict(flow.excluded)["Not eligible"] <= sum(count for _, _, count in flow.criteria)


def test_spec_baseline_is_described_by_arm_and_never_tested() -> None:
    age, sex, _ = analyse(CUT).baseline
    assert [group.name for group in age.groups] == ["Cells first", "Vehicle first", "All participants"]
    women = [group.figure("Women") for group in sex.groups]
    assert all(figure is not None for figure in women)
    assert [group.n + group.missing for group in age.groups] == [20, 20, 40]


def test_spec_a_profile_has_a_point_for_each_group_and_encounter() -> None:
    spots, score = analyse(CUT).profiles
    assert len(spots.points) == 2 * 4
    assert score.unit == "points"
    for point in (*spots.points, *score.points):
        assert point.value is not None and point.low is not None and point.high is not None
        assert point.low <= point.value <= point.high
