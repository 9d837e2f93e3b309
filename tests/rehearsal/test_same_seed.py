"""The same seed gives the same trial, a person's course depends on nobody else, a scenario on its effects."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from equipoise.rehearsal.rehearse import rehearse
from tests.rehearsal.folders import load

ROOT = Path(__file__).parent.parent.parent
HEAD = """
from equipoise.rehearsal.rehearse import rehearse
from tests.rehearsal.folders import load
import sys
sys.stdout.write(rehearse(load("tern"), seed=11, scenario="hoped", participants=6).trial.head.hash)
"""


def entries_of(name, **options):
    settings: dict[str, Any] = {"seed": 5, "scenario": "hoped", "participants": 12} | options
    return list(rehearse(load(name), **settings).trial.ledger.read())


def values_of(entries):
    """What was recorded at each place: (participant, form, encounter, row) to values."""
    return {
        (c["participant"], c["form"], c["encounter"], c["row"]): c["item_values"]
        for c in (entry.content for entry in entries if entry.kind == "FormRecorded")
    }


@pytest.mark.parametrize("name", ["tern", "curlew"])
def test_the_same_seed_gives_the_same_bytes(name):
    first, second = entries_of(name), entries_of(name)
    assert [entry.body for entry in first] == [entry.body for entry in second]
    assert [entry.body for entry in entries_of(name, seed=6)] != [entry.body for entry in first]


def test_the_same_seed_gives_the_same_bytes_in_another_process():
    heads = {
        subprocess.run(
            [sys.executable, "-c", HEAD],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        ).stdout
        for seed in ("0", "4711")
    }
    assert heads == {rehearse(load("tern"), seed=11, scenario="hoped", participants=6).trial.head.hash}


def test_who_a_person_is_does_not_depend_on_how_many_there_are():
    few = values_of(entries_of("tern", participants=6, sites=2))
    many = values_of(entries_of("tern", participants=24))
    screened = [place for place in few if place[1:3] in (("person", "screening"), ("pain", "screening"))]
    assert len(screened) >= 12
    assert all(few[place] == many[place] for place in screened)


def test_an_effect_changes_only_what_names_it():
    hoped, null = (entries_of("tern", scenario=scenario, participants=40) for scenario in ("hoped", "null"))
    before, after = values_of(null), values_of(hoped)
    assert before.keys() == after.keys()
    changed = {place[1] for place in before if before[place] != after[place]}
    assert changed == {"pain", "walking"}
    early = {place for place in before if place[2] in ("screening", "week_0")}
    assert all(before[place] == after[place] for place in early)


def test_an_effect_moves_nobody_the_other_way():
    null, hoped = (
        values_of(entries_of("dipper", scenario=scenario, participants=60, faults=False))
        for scenario in ("null", "hoped")
    )
    episodes = [{place for place in values if place[1] == "episode"} for values in (null, hoped)]
    assert episodes[1] < episodes[0]


def test_what_is_given_acts_while_it_is_given():
    """CURLEW: salt acts at the end of its own period, and neither in the washout nor as the other begins."""
    options: dict[str, Any] = {"participants": 30, "faults": False}
    null, hoped = (values_of(entries_of("curlew", scenario=each, **options)) for each in ("null", "hoped"))
    diaries = [place for place in null if place[1] == "diary"]
    changed = Counter(place[2] for place in diaries if null[place] != hoped[place])
    assert changed.keys() == {"first_end", "second_end"}
    # Half of them take salt in the first period, the others in the second.
    assert min(changed.values()) > 8
    assert all(hoped[place]["cramps"] <= null[place]["cramps"] for place in diaries)
