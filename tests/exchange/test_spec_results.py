"""The results section of a locked trial: the shape of real records, and the numbers of the report."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from equipoise.analysis.cut import DataCut
from equipoise.analysis.derive import Frame
from equipoise.analysis.report.numbers import MINUS, estimate_text, fixed, p_value
from equipoise.analysis.tables import participants_analysed
from equipoise.definition.model.registry import RegisteredOutcome
from equipoise.exchange.registry import find_contradictions, read_record, write_json
from equipoise.exchange.registry.results_analyses import analyses_of
from equipoise.exchange.registry.results_groups import groups_of
from equipoise.exchange.registry.write_results import ResultsRefused, results_record
from tests.analysis.cuts import make_cut
from tests.analysis.trials import crossover_definition

from .registry_pages import API_FILES
from .results_trials import MAKERS, counts_of, leaves, record_of, results_of, trial

# Keys of the published data structure (ClinicalTrials.gov, "Study Data Structure", API v2) that neither of
# the two real records happens to use, as the last steps of their paths.
PUBLISHED = {
    "categories[].measurements[].comment",
    "analyses[].pValueComment",
    "analyses[].statisticalComment",
    "analyses[].nonInferiorityComment",
    "analyses[].ciLowerLimitComment",
    "analyses[].ciUpperLimitComment",
    "adverseEventsModule.allCauseMortalityComment",
    "seriousEvents[].stats[].numEvents",
    "otherEvents[].stats[].numEvents",
}


@cache
def real_leaves() -> dict[str, set[type]]:
    """The paths of the two real records that have results, with the types of what stands there."""
    found: dict[str, set[type]] = {}
    for file in API_FILES[:2]:
        if not file.exists():
            pytest.skip("the real records are not in ../shared/external")
        record = json.loads(file.read_text(encoding="utf-8"))
        for path, value in leaves(record["resultsSection"]):
            found.setdefault(path, set()).add(type(value))
    return found


@pytest.mark.parametrize("kind", MAKERS)
def test_spec_every_path_is_one_of_the_real_records_or_published(kind: str) -> None:
    real = real_leaves()
    for path, value in leaves(results_of(kind)):
        if path in real:
            assert type(value) in real[path], f"{path} is {type(value).__name__}"
        else:
            assert path.endswith(tuple(PUBLISHED)), path


def test_spec_what_is_called_published_is_in_neither_real_record() -> None:
    assert [path for path in real_leaves() if path.endswith(tuple(PUBLISHED))] == []


def test_spec_a_crossover_has_every_module_and_almost_every_path_of_the_real_records() -> None:
    written = {path for path, _ in leaves(results_of("crossover"))}
    modules = {path.partition(".")[0] for path in real_leaves()}
    assert {path.partition(".")[0] for path in written} == modules
    # What a trial with missing values, several visits, an agreement or a point of contact would add.
    lacking = {path for path in real_leaves() if path not in written}
    assert {path for path in lacking if "certainAgreement" not in path and "pointOfContact" not in path} == {
        "baselineCharacteristicsModule.measures[].description",
        "baselineCharacteristicsModule.measures[].populationDescription",
        "baselineCharacteristicsModule.measures[].classes[].denoms[].units",
        "baselineCharacteristicsModule.measures[].classes[].denoms[].counts[].groupId",
        "baselineCharacteristicsModule.measures[].classes[].denoms[].counts[].value",
        "baselineCharacteristicsModule.measures[].classes[].categories[].measurements[].lowerLimit",
        "baselineCharacteristicsModule.measures[].classes[].categories[].measurements[].upperLimit",
        "outcomeMeasuresModule.outcomeMeasures[].classes[].categories[].measurements[].lowerLimit",
        "outcomeMeasuresModule.outcomeMeasures[].classes[].categories[].measurements[].upperLimit",
        "outcomeMeasuresModule.outcomeMeasures[].classes[].denoms[].units",
        "outcomeMeasuresModule.outcomeMeasures[].classes[].denoms[].counts[].groupId",
        "outcomeMeasuresModule.outcomeMeasures[].classes[].denoms[].counts[].value",
        "outcomeMeasuresModule.outcomeMeasures[].analyses[].estimateComment",
        "adverseEventsModule.seriousEvents[].sourceVocabulary",
        "adverseEventsModule.otherEvents[].sourceVocabulary",
    }


def group_ids(value: object) -> Iterator[str]:
    for path, leaf in leaves(value):
        if path.endswith((".groupId", "groupIds[]")):
            yield str(leaf)


@pytest.mark.parametrize("kind", MAKERS)
def test_spec_every_group_that_is_named_is_listed(kind: str) -> None:
    found = results_of(kind)
    parts = [found["participantFlowModule"], found["baselineCharacteristicsModule"]]
    parts += found["outcomeMeasuresModule"]["outcomeMeasures"]
    parts.append({**found["adverseEventsModule"], "groups": found["adverseEventsModule"]["eventGroups"]})
    for part in parts:
        assert {group["id"] for group in part["groups"]} == set(group_ids(part))


# ---- participant flow


@pytest.mark.parametrize("kind", MAKERS)
def test_spec_the_flow_has_the_counts_of_the_report_and_adds_up(kind: str) -> None:
    flow, module = trial(kind)[1].flow, results_of(kind)["participantFlowModule"]
    assert len(module["periods"]) == len(flow.arms[0].stages)
    before = None
    for place, period in enumerate(module["periods"]):
        stages = [arm.stages[place] for arm in flow.arms]
        got = {each["type"]: counts_of(each["achievements"]) for each in period["milestones"]}
        assert got["STARTED"] == [stage.entered for stage in stages]
        assert got["NOT COMPLETED"] == [sum(count for _, count in stage.ended) for stage in stages]
        assert got.get("Received Intervention", [None] * len(stages)) == [stage.received for stage in stages]
        added = zip(got["COMPLETED"], got["NOT COMPLETED"], strict=True)
        assert got["STARTED"] == [completed + left for completed, left in added]
        reasons = [counts_of(each["reasons"]) for each in period.get("dropWithdraws", [])]
        assert [sum(column) for column in zip(*reasons, strict=True)] == got["NOT COMPLETED"]
        if before is not None:
            assert all(now <= then for now, then in zip(got["STARTED"], before, strict=True))
        before = got["COMPLETED"]


def test_spec_a_crossover_has_its_periods_by_sequence_and_the_registry_words_reasons() -> None:
    module = results_of("crossover")["participantFlowModule"]
    assert [each["title"] for each in module["periods"]] == ["First period", "Second period"]
    assert [each["title"] for each in module["groups"]] == ["Cells first", "Vehicle first"]
    assert module["groups"][0]["description"] == "First period: Cells; Second period: Vehicle."
    reasons = {each["type"] for period in module["periods"] for each in period["dropWithdraws"]}
    assert reasons == {"Adverse Event", "Moved away"}
    assert module["preAssignmentDetails"].startswith(
        "46 people were assessed for eligibility, 40 were random"
    )
    assert module["recruitmentDetails"].endswith("at 2 sites in Canada, Sweden.")
    assert results_of("parallel")["participantFlowModule"]["periods"][0]["title"] == "Overall Study"


# ---- baseline


@pytest.mark.parametrize("kind", MAKERS)
def test_spec_the_baseline_has_the_figures_of_the_report_and_the_countries(kind: str) -> None:
    cut, result, _ = trial(kind)
    module = results_of(kind)["baselineCharacteristicsModule"]
    sizes = [count for _, _, count in result.arms]
    sizes += [sum(sizes)] if len(sizes) > 1 else []
    assert counts_of(module["denoms"][0]["counts"]) == sizes
    age, sex, score, region = module["measures"]
    titles = ["Age, Continuous", "Sex: Female, Male", "Score", "Region of Enrollment"]
    assert [each["title"] for each in module["measures"]] == titles
    for measure, line in ((age, result.baseline[0]), (score, result.baseline[2])):
        decimals = 1 if measure is age else 2
        for row, group in zip(
            measure["classes"][0]["categories"][0]["measurements"], line.groups, strict=True
        ):
            mean, spread = group.figure("Mean"), group.figure("SD")
            assert mean and spread
            assert (row["value"], row["spread"]) == (
                fixed(mean.value, decimals),
                fixed(spread.value, decimals),
            )
    women, men = (counts_of(each["measurements"]) for each in sex["classes"][0]["categories"])
    assert [sum(pair) for pair in zip(women, men, strict=True)] == sizes
    everybody = [each for each in cut.participants if each.participant in participants_analysed(Frame(cut))]
    swedes = sum(each.country == "SE" for each in everybody)
    (sweden,) = (each for each in region["classes"] if each["title"] == "Sweden")
    assert counts_of(sweden["categories"][0]["measurements"])[-1] == swedes > 0


def test_spec_a_value_that_is_missing_shows_in_the_denominators_of_its_line() -> None:
    cut = trial("crossover")[0]
    first, *others = (each for each in cut.participants if each.arm == "vehicle_first")
    rows = tuple(
        replace(row, values={name: seen for name, seen in row.values.items() if name != "score"})
        for row in first.rows
    )
    kept = [each for each in cut.participants if each != first]
    module = record_of(replace(cut, participants=(*kept, replace(first, rows=rows))))["resultsSection"]
    _, sex, score, _ = module["baselineCharacteristicsModule"]["measures"]
    assert counts_of(score["classes"][0]["denoms"][0]["counts"]) == [20, len(others), 20 + len(others)]
    assert score["populationDescription"] and "populationDescription" not in sex


# ---- outcome measures


def written(text: str) -> str:
    return text.replace(MINUS, "-")


def shown(analysis: dict[str, Any]) -> str:
    """An analysis of the record as the report would print its estimate."""
    if "paramValue" not in analysis:
        return "not estimable"
    value = analysis["paramValue"]
    if "ciLowerLimit" not in analysis:
        return str(value)
    return f"{value} ({analysis['ciLowerLimit']} to {analysis['ciUpperLimit']})"


@pytest.mark.parametrize("kind", MAKERS)
def test_spec_every_estimate_of_the_report_is_an_analysis_of_the_record(kind: str) -> None:
    _, result, _ = trial(kind)
    measures = {each["title"]: each for each in results_of(kind)["outcomeMeasuresModule"]["outcomeMeasures"]}
    assert len(measures) == len(result.endpoints)
    for endpoint in result.endpoints:
        more = [each for each in result.sensitivity if each.id == endpoint.id]
        estimates = [
            (found, each) for found in (endpoint, *more) for each in (*found.estimates, *found.further)
        ]
        analyses = [a for a in measures[endpoint.title].get("analyses", []) if "paramType" in a]
        assert len(analyses) == len(estimates)
        for analysis, (found, estimate) in zip(analyses, estimates, strict=True):
            if None not in (estimate.value, estimate.low, estimate.high):
                assert shown(analysis) == written(estimate_text(estimate))
            assert analysis.get("pValue") == (None if estimate.p is None else p_value(estimate.p))
            assert ("statisticalMethod" in analysis) == (estimate.p is not None)
            assert analysis["ciPctValue"] == f"{100 * found.confidence:g}"
            sides = 1 if estimate.reference is None else 2
            assert len(analysis["groupIds"]) == sides
            assert analysis["nonInferiorityType"] == ("SUPERIORITY" if sides == 2 else "OTHER")
        joint = [a for a in measures[endpoint.title].get("analyses", []) if "paramType" not in a]
        wanted = [each.joint_p for each in (endpoint, *more) if each.joint_p is not None]
        assert [a["pValue"] for a in joint] == [p_value(p) for p in wanted]


def test_spec_the_first_group_of_a_comparison_is_the_one_that_is_compared() -> None:
    for kind in ("crossover", "parallel"):
        cut, result, _ = trial(kind)
        measure = results_of(kind)["outcomeMeasuresModule"]["outcomeMeasures"][0]
        titles = {group["id"]: group["title"] for group in measure["groups"]}
        estimates = [*result.endpoints[0].estimates, *result.endpoints[0].further]
        names = {arm.id: arm.name for arm in cut.definition.study.arms}
        analyses = [
            a
            for a in measure["analyses"]
            if "paramType" in a and not a["groupDescription"].startswith("Sensitivity")
        ]
        for analysis, each in zip(analyses, estimates, strict=True):
            assert each.arm and each.reference
            assert [titles[group] for group in analysis["groupIds"]] == [
                names[each.arm],
                names[each.reference],
            ]


@pytest.mark.parametrize("kind", MAKERS)
def test_spec_every_outcome_has_the_participants_and_the_figures_of_the_report(kind: str) -> None:
    _, result, _ = trial(kind)
    measures = {each["title"]: each for each in results_of(kind)["outcomeMeasuresModule"]["outcomeMeasures"]}
    for endpoint in result.endpoints:
        measure = measures[endpoint.title]
        assert counts_of(measure["denoms"][0]["counts"]) == [group.n for group in endpoint.groups]
        known = {
            number
            for group in endpoint.groups
            for figure in group.figures
            for value in (figure.value, figure.low, figure.high)
            if value is not None
            for number in (written(fixed(value, decimals)) for decimals in (0, 1, 2))
        }
        for path, value in leaves(measure["classes"]):
            if path.endswith((".value", ".spread", ".lowerLimit", ".upperLimit")):
                assert value in known | {"NA"}, f"{endpoint.title}: {value} at {path}"


def test_spec_a_mean_is_the_mean_and_a_count_the_count() -> None:
    spots, well, *_ = results_of("crossover")["outcomeMeasuresModule"]["outcomeMeasures"]
    for measure, place, name, decimals in (
        (spots, 0, "Mean", 2),
        (well, 1, "Participants with the event", 0),
    ):
        groups = trial("crossover")[1].endpoints[place].groups
        figures = [figure.value for group in groups if (figure := group.figure(name))]
        (line,) = measure["classes"][0]["categories"]
        assert [row["value"] for row in line["measurements"]] == [fixed(each, decimals) for each in figures]


def test_spec_each_type_of_endpoint_is_shown_in_its_way() -> None:
    shapes = {
        each["title"]: (
            each["paramType"],
            each.get("dispersionType"),
            each["unitOfMeasure"],
            len(each["classes"]),
        )
        for kind in MAKERS
        for each in results_of(kind)["outcomeMeasuresModule"]["outcomeMeasures"]
    }
    sd = "Standard Deviation"
    assert shapes["Spots over weeks 4 and 8"] == ("MEAN", sd, "events per participant", 1)
    assert shapes["Well at week 8"] == ("COUNT_OF_PARTICIPANTS", None, "Participants", 1)
    assert shapes["Score in the two periods"] == ("MEAN", sd, "points", 1)
    rates = ("NUMBER", None, "events per unit of exposure", 2)
    assert shapes["Spots in the second period against the first"] == rates
    assert shapes["Score at week 12"] == ("MEAN", sd, "points", 3)
    assert shapes["Time to the first event"] == ("MEDIAN", "95% Confidence Interval", "days", 1)


def test_spec_what_the_testing_procedure_did_stands_with_its_p_value() -> None:
    measures = results_of("crossover")["outcomeMeasuresModule"]["outcomeMeasures"]
    verdicts = [
        measure["analyses"][0].get("pValueComment", "") for measure in measures if "analyses" in measure
    ]
    assert [verdict.partition(" (")[0] for verdict in verdicts] == [
        "The hypothesis was rejected",
        "The hypothesis was not rejected",
        "Not tested: the procedure ended before it",
        "",
    ]


def test_spec_a_registered_outcome_keeps_its_words_and_one_without_an_endpoint_is_not_posted() -> None:
    cut = trial("crossover")[0]
    registry = cut.definition.registry
    assert registry
    outcomes = (
        RegisteredOutcome(measure="Spots", time_frame="Weeks 4 and 8", endpoint="spots"),
        RegisteredOutcome(measure="Spots, again", time_frame="8 weeks", category="other", endpoint="spots"),
        RegisteredOutcome(measure="Sleep", time_frame="20 weeks", category="other"),
    )
    definition = replace(cut.definition, registry=replace(registry, outcomes=outcomes))
    record = record_of(replace(cut, definition=definition))
    first, *between, last = record["resultsSection"]["outcomeMeasuresModule"]["outcomeMeasures"]
    (again,) = (each for each in between if each["title"] == "Spots, again")
    assert (again["type"], again["classes"]) == ("OTHER_PRE_SPECIFIED", first["classes"])
    assert (first["type"], first["title"], first["timeFrame"]) == ("PRIMARY", "Spots", "Weeks 4 and 8")
    assert "Analysed as: Spots over weeks 4 and 8." in first["description"]
    assert last == {
        "type": "OTHER_PRE_SPECIFIED",
        "title": "Sleep",
        "reportingStatus": "NOT_POSTED",
        "timeFrame": "20 weeks",
    }


# ---- the record as a whole


def test_spec_simulated_data_say_so_and_real_ones_do_not() -> None:
    assert "simulated" in results_of("crossover")["moreInfoModule"]["limitationsAndCaveats"]["description"]
    live = record_of(replace(trial("crossover")[0], mode="live"))["resultsSection"]
    assert "moreInfoModule" not in live and "simulated" not in json.dumps(live).lower()


@pytest.mark.parametrize("kind", MAKERS)
def test_spec_the_record_is_read_back_whole_and_contradicts_itself_nowhere(kind: str, tmp_path: Path) -> None:
    _, result, written_record = trial(kind)
    file = tmp_path / "record.json"
    file.write_text(write_json(written_record), encoding="utf-8")
    record = read_record(file)
    assert record.not_understood == () and record.incomplete is None
    assert len(record.results) == len(list(leaves(results_of(kind))))
    assert [finding.code for finding in find_contradictions(record) if finding.severity == "error"] == []
    assert record.has_results and record.has_results.text == "true"
    enrolment = record.design.enrolment
    assert enrolment.count and enrolment.type
    assert (enrolment.count.text, enrolment.type.text) == (str(result.randomised), "ACTUAL")
    assert {each.country.text for each in record.contacts.locations if each.country} == {"Canada", "Sweden"}


def refused(cut: DataCut) -> str:
    with pytest.raises(ResultsRefused) as caught:
        results_record(cut)
    assert caught.value.sentence.endswith(".")
    return caught.value.code


@pytest.mark.requirement("R6")
def test_spec_nothing_is_written_before_the_unblinding_or_without_participants() -> None:
    cut = trial("crossover")[0]
    assert refused(replace(cut, locked_at=None, unblinded_at=None)) == "RESULTS-OPEN"
    # A board's cut holds the arms while the trial is still masked.
    assert refused(replace(cut, unblinded_at=None)) == "RESULTS-MASKED"
    assert refused(replace(cut, masked=True)) == "RESULTS-MASKED"
    assert refused(make_cut(crossover_definition(), 0, screened_out=2)) == "RESULTS-NONE"


@pytest.mark.parametrize("participants", [1, 2, 3])
def test_spec_a_trial_of_a_few_is_written_with_what_it_lacks_as_not_available(participants: int) -> None:
    found = record_of(make_cut(crossover_definition(), participants))["resultsSection"]
    texts = [str(value) for _, value in leaves(found)]
    assert not {"nan", "None", "inf", "–"} & set(texts)
    assert "NA" in texts or participants == 3


def test_spec_an_open_end_of_an_interval_is_not_available_and_says_why() -> None:
    definition, endpoint = crossover_definition(), trial("crossover")[1].endpoints[0]
    first = endpoint.estimates[0]
    groups = groups_of(definition, "OG", [each.arm for each in endpoint.groups])

    def analysis(low: float | None = None, p: float | None = None) -> dict[str, Any]:
        found = replace(first, value=None, low=low, high=None, p=p)
        (only,) = analyses_of(
            definition, replace(endpoint, estimates=(found,)), groups, None, definition.analysis.testing
        )
        return only

    bounded = analysis(low=1.64, p=0.02)
    assert (bounded["paramValue"], bounded["ciLowerLimit"], bounded["ciUpperLimit"]) == ("NA", "1.64", "NA")
    assert bounded["ciUpperLimitComment"] and "ciLowerLimitComment" not in bounded
    assert bounded["pValue"] == "0.020"
    unknown = analysis()
    assert unknown["estimateComment"] and not {"paramValue", "ciLowerLimit", "pValue"} & unknown.keys()
