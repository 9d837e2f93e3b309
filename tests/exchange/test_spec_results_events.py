"""Adverse events of a record with results: by arm, or in a crossover by what was given."""

from dataclasses import replace
from typing import Any

from equipoise.analysis.derive import Frame
from equipoise.analysis.event_terms import derive_event_terms
from equipoise.definition.expression import form_row
from tests.analysis.cuts import make_cut
from tests.analysis.trials import crossover_definition

from .results_trials import record_of, trial


def test_spec_events_of_parallel_arms_are_those_of_the_table_by_arm() -> None:
    _, result, _ = trial("parallel")
    module = record_of(trial("parallel")[0], over_percent=0)["resultsSection"]["adverseEventsModule"]
    table = result.events[0]
    rows = {row.label: row.cells for row in table.rows if row.cells}
    arms = len(result.arms)
    assert [group["seriousNumAtRisk"] for group in module["eventGroups"]] == list(table.at_risk[:arms])
    affected = [affected for _, affected in rows["Serious"][:arms]]
    assert [group["seriousNumAffected"] for group in module["eventGroups"]] == affected
    for place in range(arms):
        events = {
            kind: sum(each["stats"][place]["numEvents"] for each in module[kind])
            for kind in ("seriousEvents", "otherEvents")
        }
        assert events["seriousEvents"] == rows["Serious"][place][0]
        assert sum(events.values()) == rows["All events"][place][0]


def test_spec_events_of_a_crossover_are_those_of_the_intervention_in_force() -> None:
    cut, result, _ = trial("crossover")
    module = record_of(cut, over_percent=0)["resultsSection"]["adverseEventsModule"]
    table = next(each for each in result.events if "intervention in force" in each.title)
    rows = {row.label: row.cells for row in table.rows if row.cells}
    assert [group["title"] for group in module["eventGroups"]] == [
        "Cells",
        "Vehicle",
        "No study intervention",
    ]
    for place, group in enumerate(module["eventGroups"]):
        name = "nothing given" if place == 2 else group["title"]
        columns = [n for n, column in enumerate(table.columns) if column.endswith(f": {name}")]
        assert columns
        at_risk = sum(table.at_risk[n] for n in columns)
        # Nobody is given the same twice, so that the periods' participants are different people.
        assert group["seriousNumAtRisk"] == group["otherNumAtRisk"] == group["deathsNumAtRisk"] == at_risk
        assert group["seriousNumAffected"] == sum(rows["Serious"][n][1] for n in columns)
        all_ = sum(
            each["stats"][place]["numEvents"] for each in module["seriousEvents"] + module["otherEvents"]
        )
        assert all_ == sum(rows["All events"][n][0] for n in columns)


def event(term: str, **values: Any) -> Any:
    """A row of the log whose day is not known, which counts from the first treatment on."""
    known = {"term": term, "severity": "mild", "serious": False, "body_system": "general", **values}
    return form_row("adverse_event", known, row=99)


def test_spec_a_rare_event_is_listed_only_above_the_threshold() -> None:
    cut = trial("parallel")[0]
    placebo = [each for each in cut.participants if each.arm == "placebo" and each.randomised_on]
    hit = replace(placebo[0], rows=(*placebo[0].rows, event("Hiccup"), event(" hiccup ")))
    cut = replace(cut, participants=(hit, *(each for each in cut.participants if each is not placebo[0])))
    share = 100 / len(placebo)
    for over, listed in ((share - 0.1, True), (share, False)):
        found = derive_event_terms(Frame(cut), over)
        assert found
        terms = {each.term: each.cells for each in found.terms if not each.serious}
        assert ("Hiccup" in terms) == listed
        if listed:
            assert terms["Hiccup"] == ((2, 1), (0, 0), (0, 0))


def test_spec_events_and_the_people_they_befell_are_counted_apart() -> None:
    cut = trial("parallel")[0]
    one, two = [each for each in cut.participants if each.arm == "low" and each.randomised_on][:2]
    log = {
        one.participant: (event("Hiccup"), event("Hiccup"), event("Yawn", serious=True)),
        # Of a term that is listed among the others only a serious event: no other event.
        two.participant: (event("Hiccup", serious=True),),
    }
    people = []
    for each in cut.participants:
        rows = [row for row in each.rows if row.form != "adverse_event"]
        people.append(replace(each, rows=(*rows, *log.get(each.participant, ()))))
    module = record_of(replace(cut, participants=tuple(people)))["resultsSection"]["adverseEventsModule"]
    _, low, _ = module["eventGroups"]
    assert (low["otherNumAffected"], low["seriousNumAffected"]) == (1, 2)
    (hiccup,) = module["otherEvents"]
    stats = {"groupId": low["id"], "numEvents": 2, "numAffected": 1, "numAtRisk": low["otherNumAtRisk"]}
    assert hiccup["stats"][1] == stats
    assert [each["term"] for each in module["seriousEvents"]] == ["Hiccup", "Yawn"]


def test_spec_a_serious_event_is_always_listed_and_a_death_is_counted() -> None:
    cut = trial("parallel")[0]
    person = next(each for each in cut.participants if each.arm == "low" and each.randomised_on)
    hit = replace(person, rows=(*person.rows, event("Stroke", serious=True, outcome="fatal")))
    cut = replace(cut, participants=(hit, *(each for each in cut.participants if each is not person)))
    module = record_of(cut)["resultsSection"]["adverseEventsModule"]
    (stroke,) = (each for each in module["seriousEvents"] if each["term"] == "Stroke")
    assert [each["numAffected"] for each in stroke["stats"]] == [0, 1, 0]
    assert stroke["organSystem"] == "General"
    assert [group["deathsNumAffected"] for group in module["eventGroups"]] == [0, 1, 0]
    assert module["frequencyThreshold"] == "5"


def test_spec_without_a_word_for_death_no_death_is_counted() -> None:
    module = record_of(make_cut(crossover_definition(), 12))["resultsSection"]["adverseEventsModule"]
    assert [key for group in module["eventGroups"] for key in group if key.startswith("deaths")] == []
    assert "allCauseMortalityComment" not in module
