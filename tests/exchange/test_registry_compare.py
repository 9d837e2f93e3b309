"""Two versions of a record compared: what a reader is told, and the laws that hold for any two."""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from equipoise.cli.registry_page import diff
from equipoise.exchange.registry import Change, compare_records, comparison_text, read_record, record_tree
from equipoise.exchange.registry.tree import leaves_of

from .registry_files import RECORD, changed, written
from .registry_pages import API_FILES, OWN_PAGE
from .test_registry_parity import DIPPER, mutated
from .test_spec_real_records import present

OUTCOMES = "outcomesModule"
MIRRORED = {"added": "removed", "removed": "added", "changed": "changed", "moved": "moved"}


def told(changes: dict[str, Any]) -> list[str]:
    return [change.sentence for change in compare_records(RECORD, changed(changes))]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {f"{OUTCOMES}.primaryOutcomes.1.timeFrame": "24 weeks"},
            'Outcome measures: the time frame of primary outcome 2 ("Sleep latency") changed from 12 '
            "weeks to 24 weeks.",
        ),
        (
            {f"{OUTCOMES}.primaryOutcomes.0.measure": "Change of ISI from Baseline to Week 16"},
            'Outcome measures: the measure of primary outcome 1 ("Change of ISI from Baseline to Week 12") '
            'changed from "Change of ISI from Baseline to Week 12" to "Change of ISI from Baseline '
            'to Week 16".',
        ),
        (
            {"statusModule.overallStatus": "TERMINATED"},
            "Status and dates: the status changed from Completed to Terminated.",
        ),
        (
            {"statusModule.completionDateStruct": {"date": "2019-10-01", "type": "ESTIMATED"}},
            "Status and dates: the study completion changed from 2019-09-30 (actual) to 2019-10-01 "
            "(estimated), 1 day later.",
        ),
        (
            {"designModule.enrollmentInfo": {"count": 60, "type": "ESTIMATED"}},
            "Design: the enrolment changed from 58 (actual) to 60 (estimated), 2 more.",
        ),
        (
            {"designModule.designInfo.maskingInfo.whoMasked": ["INVESTIGATOR"]},
            'Design: masked party 1 ("Participant") was removed.',
        ),
        (
            {"eligibilityModule.eligibilityCriteria": ("BMI 20 to 35", "BMI 18 to 35")},
            'Eligibility: the text of the criteria changed: now without "BMI 20 to 35 kg/m2"; with "BMI 18 '
            'to 35 kg/m2".',
        ),
        (
            {"contactsLocationsModule.locations.2.status": "RECRUITING"},
            'Contacts and locations: the status of location 3 ("Third") was added: Recruiting.',
        ),
        (
            {"identificationModule.acronym": "CALM"},
            'Identification: the acronym was added: "CALM".',
        ),
        (
            {"conditionsModule.keywords.0": "Sleep"},
            'Conditions and keywords: keyword 1 ("sleep") changed in case or white space alone.',
        ),
    ],
)
def test_spec_a_change_is_told_alone_and_in_words(changes: dict[str, Any], sentence: str) -> None:
    assert told(changes) == [sentence]


def test_spec_an_outcome_that_changes_its_rank_is_promoted_or_demoted() -> None:
    new = changed({})
    outcomes = new["protocolSection"][OUTCOMES]
    outcomes["secondaryOutcomes"].append(outcomes["primaryOutcomes"].pop())
    (change,) = compare_records(RECORD, new)
    assert change.sentence.endswith('primary outcome 2 ("Sleep latency") was demoted to a secondary outcome.')
    assert (change.kind, change.weight) == ("moved", 1)
    (back,) = compare_records(new, RECORD)
    assert back.sentence.endswith('secondary outcome 2 ("Sleep latency") was promoted to a primary outcome.')


def test_spec_what_is_added_and_removed_is_named_by_what_it_is() -> None:
    new = changed({})
    del new["protocolSection"]["contactsLocationsModule"]["locations"][0]
    new["protocolSection"][OUTCOMES]["otherOutcomes"] = [{"measure": "Cost", "timeFrame": "1 year"}]
    assert [change.sentence for change in compare_records(RECORD, new)] == [
        'Outcome measures: other outcome 1 ("Cost") was added.',
        'Contacts and locations: location 1 ("First") was removed.',
    ]


def test_spec_the_weightiest_change_comes_first() -> None:
    changes = {
        "descriptionModule.briefSummary": "Another",
        "statusModule.lastUpdateSubmitDate": "2021-01-01",
        "designModule.phases": ["PHASE3"],
        "statusModule.startDateStruct.date": "2018-04",
    }
    found = compare_records(RECORD, changed(changes))
    assert [change.weight for change in found] == sorted(change.weight for change in found)
    assert [change.module for change in found] == [
        "Design",
        "Design",
        "Status and dates",
        "Description",
        "Status and dates",
    ]
    text = comparison_text(found)
    assert text.index("Phase") < text.index(
        "The study start changed from 2018-03 (actual) to 2018-04 (actual)."
    )


@pytest.mark.parametrize("path", API_FILES, ids=lambda path: path.stem)
def test_published_records_in_another_order_say_the_same(path: Path) -> None:
    tree = record_tree(read_record(present(path)))
    assert compare_records(tree, shuffled(tree, 7)) == ()
    assert comparison_text(()) == "The two versions say the same.\n"


def test_a_page_and_the_record_it_became_say_the_same() -> None:
    tree = record_tree(read_record(OWN_PAGE))
    assert compare_records(tree, json.loads(json.dumps(tree))) == ()


def test_very_many_outcomes_without_a_fellow_are_told_apart_in_bounded_time() -> None:
    old, new = (
        changed({f"{OUTCOMES}.secondaryOutcomes": [{"measure": f"{word} {i} of all"} for i in range(600)]})
        for word in ("Sleep", "Wake")
    )
    assert len(compare_records(old, new)) == 1200


def shuffled(tree: Any, seed: int) -> Any:
    """Return a record with its arms, outcomes, locations and words in another order."""
    made, order = copy.deepcopy(tree), random.Random(seed)
    protocol = made["protocolSection"]
    for module, name in (
        ("armsInterventionsModule", "armGroups"),
        ("armsInterventionsModule", "interventions"),
        (OUTCOMES, "primaryOutcomes"),
        (OUTCOMES, "secondaryOutcomes"),
        ("contactsLocationsModule", "locations"),
        ("conditionsModule", "keywords"),
    ):
        if isinstance(found := protocol.get(module, {}).get(name), list):
            order.shuffle(found)
    made["protocolSection"] = dict(reversed(protocol.items()))
    return made


# -- laws


def values(changes: tuple[Change, ...], side: str) -> Counter[str]:
    return Counter(json.dumps(value) for change in changes for _, value in leaves_of(getattr(change, side)))


def mirror(change: Change) -> tuple[object, ...]:
    return (
        change.module,
        MIRRORED[change.kind],
        change.weight,
        change.new_path,
        change.old_path,
        json.dumps(change.new),
        json.dumps(change.old),
    )


def flat(change: Change) -> tuple[object, ...]:
    return (
        change.module,
        change.kind,
        change.weight,
        change.old_path,
        change.new_path,
        json.dumps(change.old),
        json.dumps(change.new),
    )


@settings(max_examples=60, deadline=None)
@given(mutated(), st.integers(0, 9))
def test_nothing_differs_from_itself(record: dict[str, Any], seed: int) -> None:
    assert compare_records(record, copy.deepcopy(record)) == ()
    assert compare_records(RECORD, shuffled(RECORD, seed)) == ()


@settings(max_examples=60, deadline=None)
@given(mutated(), mutated())
def test_every_changed_leaf_is_named(old: dict[str, Any], new: dict[str, Any]) -> None:
    changes = compare_records(old, new)
    before, after = ([json.dumps(value) for _, value in leaves_of(tree)] for tree in (old, new))
    for gone, side in ((Counter(before) - Counter(after), "old"), (Counter(after) - Counter(before), "new")):
        assert gone <= values(changes, side), gone - values(changes, side)
    assert all(change.sentence.endswith(".") and change.module in change.sentence for change in changes)


@settings(max_examples=60, deadline=None)
@given(mutated(), mutated())
def test_the_way_back_mirrors_the_way_there(old: dict[str, Any], new: dict[str, Any]) -> None:
    there, back = compare_records(old, new), compare_records(new, old)
    assert Counter(map(flat, there)) == Counter(map(mirror, back))


# -- the command


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(diff)
    result = CliRunner(env={"NO_COLOR": "1"}).invoke(app, list(arguments))
    return result.exit_code, result.stdout


def test_the_command_compares_files_and_studies(tmp_path: Path) -> None:
    old, new = str(tmp_path / "old.json"), str(tmp_path / "new.json")
    Path(old).write_text(written(RECORD), encoding="utf-8")
    Path(new).write_text(written(changed({"statusModule.overallStatus": "SUSPENDED"})), encoding="utf-8")
    assert run(old, old, "--exit-code") == (0, "The two versions say the same.\n")
    code, text = run(old, new)
    assert (code, text) == (0, "Status and dates\n  The status changed from Completed to Suspended.\n")
    assert run(old, new, "--exit-code")[0] == 1
    code, text = run(old, new, "--json")
    (change,) = json.loads(text)
    assert (code, change["kind"], change["weight"]) == (0, "changed", 1)
    assert change["old_path"] == change["new_path"] == "protocolSection.statusModule.overallStatus"
    code, text = run(old, str(DIPPER))
    assert code == 0 and 'The brief title changed from "Magnesium for Poor Sleep" to ' in text
