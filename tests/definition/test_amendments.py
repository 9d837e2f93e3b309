"""Two versions of a definition compared: every difference is told, what takes something away is refused."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.definition.amendments import Change, compare_versions
from equipoise.definition.model.conduct import Factor, Supply
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.study import Site, StudyIdentifier
from tests.small_trial import ADVERSE_EVENTS, STUDY, VITALS, codes, item, make_definition, when

BASE = make_definition()
Edit = Callable[[StudyDefinition], StudyDefinition]


def study(**changes: Any) -> Edit:
    return lambda base: replace(base, study=replace(base.study, **changes))


def form(name: str, **changes: Any) -> Edit:
    return lambda base: replace(
        base, forms=tuple(replace(each, **changes) if each.id == name else each for each in base.forms)
    )


def asked(name: str, item_id: str, **changes: Any) -> Edit:
    def edit(base: StudyDefinition) -> StudyDefinition:
        found = base.form(name)
        assert found is not None
        items = tuple(replace(each, **changes) if each.id == item_id else each for each in found.items)
        return form(name, items=items)(base)

    return edit


def planned(encounter: str, **changes: Any) -> Edit:
    def edit(base: StudyDefinition) -> StudyDefinition:
        encounters = tuple(
            replace(each, **changes) if each.id == encounter else each for each in base.schedule.encounters
        )
        return replace(base, schedule=replace(base.schedule, encounters=encounters))

    return edit


def changes(*edits: Edit) -> tuple[Change, ...]:
    return compare_versions(BASE, reduce(lambda base, edit: edit(base), edits, BASE))


def test_spec_a_version_differs_from_itself_in_nothing() -> None:
    assert changes() == ()


@pytest.mark.parametrize(
    ("edit", "what", "place", "before", "after"),
    [
        (study(title="Vehicle first"), "changed", "study/title", STUDY.title, "Vehicle first"),
        (asked("vitals", "weight", maximum=None), "removed", "forms/vitals/items/weight/maximum", "250", ""),
        (asked("vitals", "remark", retired=True), "retired", "forms/vitals/items/remark", "Remark", "Remark"),
        (form("vitals", retired=True), "retired", "forms/vitals", "Vital signs", "Vital signs"),
        (planned("week_4", late_days=7), "changed", "schedule/encounters/week_4/late_days", "3", "7"),
        (form("vitals", checks=VITALS.checks[:1]), "removed", "forms/vitals/checks/light", "", ""),
        (
            form("vitals", items=(*VITALS.items, item("pulse", "integer"))),
            "added",
            "forms/vitals/items/pulse",
            "",
            "Pulse",
        ),
        (
            form("vitals", items=tuple(reversed(VITALS.items))),
            "changed",
            "forms/vitals/items",
            "taken_on, weight",
            "remark, diastolic",
        ),
        (
            study(sites=(*STUDY.sites, replace(STUDY.sites[0], id="SE02", name="x" * 200))),
            "added",
            "study/sites/SE02",
            "",
            "x" * 119 + "…",
        ),
        (
            asked("demographics", "pregnancy_test", when=when("demographics.sex is known")),
            "changed",
            "forms/demographics/items/pregnancy_test/when",
            "demographics.sex = 'f'",
            "demographics.sex is known",
        ),
        (study(keywords=("cells",)), "added", "study/keywords", "", '["cells"]'),
    ],
)
def test_spec_a_difference_is_told_with_its_place(
    edit: Edit, what: str, place: str, before: str, after: str
) -> None:
    (change,) = changes(edit)
    assert (change.what, "/".join(change.place), change.obstacle) == (what, place, None)
    assert change.before.startswith(before) and change.after.startswith(after)


def test_spec_numbers_that_share_a_registry_are_compared_as_a_whole() -> None:
    one, other, third = (StudyIdentifier(registry="A registry", value=str(each)) for each in range(3))
    before, after = (study(identifiers=each)(BASE) for each in ((one, other), (one, third)))
    (change,) = compare_versions(before, after)
    assert (change.what, change.place) == ("changed", ("study", "identifiers"))


_ARM, _OTHER_ARM = STUDY.arms
_SEVERITY = ADVERSE_EVENTS.item("severity")
assert _SEVERITY is not None


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (study(id="kestrel"), "AMEND-DESIGN"),
        (study(arms=(replace(_ARM, type="other"), _OTHER_ARM)), "AMEND-DESIGN"),
        (
            study(arms=(replace(_ARM, cells={**_ARM.cells, "first": ("vehicle",)}), _OTHER_ARM)),
            "AMEND-DESIGN",
        ),
        (study(arms=(*STUDY.arms, replace(_ARM, id="third"))), "AMEND-DESIGN"),
        (study(epochs=tuple(reversed(STUDY.epochs))), "AMEND-DESIGN"),
        (study(masking=replace(STUDY.masking, parties=("participant",))), "AMEND-DESIGN"),
        (lambda base: replace(base, allocation=replace(base.allocation, method="simple")), "AMEND-DESIGN"),
        (
            lambda base: replace(base, allocation=replace(base.allocation, strata=(Factor(id="country"),))),
            "AMEND-DESIGN",
        ),
        (asked("labs", "marker", unmasking=False), "AMEND-MASK"),
        (form("thaw", unmasking=False), "AMEND-MASK"),
        (study(roles=tuple(replace(each, masked=True) for each in STUDY.roles)), "AMEND-MASK"),
        (lambda base: replace(base, forms=base.forms[1:]), "AMEND-GONE"),
        (form("vitals", items=VITALS.items[:-1]), "AMEND-GONE"),
        (asked("adverse_event", "severity", codes=_SEVERITY.codes[1:]), "AMEND-GONE"),
        (
            lambda base: replace(
                base, schedule=replace(base.schedule, encounters=base.schedule.encounters[:-1])
            ),
            "AMEND-GONE",
        ),
        (study(sites=STUDY.sites[:1]), "AMEND-GONE"),
        (study(roles=STUDY.roles[:-1]), "AMEND-GONE"),
        (lambda base: replace(base, supply=Supply()), "AMEND-GONE"),
        (lambda base: replace(base, safety=None), "AMEND-GONE"),
        (asked("vitals", "weight", type="integer"), "AMEND-MEANING"),
        (asked("vitals", "weight", unit="g"), "AMEND-MEANING"),
        (asked("vitals", "weight", unit=None), "AMEND-MEANING"),
        (form("vitals", dated_by=None), "AMEND-MEANING"),
        (form("adverse_event", log=False), "AMEND-MEANING"),
        (planned("call", anchor="consent"), "AMEND-MEANING"),
        (study(sites=(replace(STUDY.sites[0], country="NO"), *STUDY.sites[1:])), "AMEND-MEANING"),
    ],
)
def test_spec_what_a_trial_under_way_cannot_take_says_why(edit: Edit, code: str) -> None:
    obstacles = [change for change in changes(edit) if change.obstacle is not None]
    assert {change.obstacle for change in obstacles} == {code}
    assert all(change.remedy.endswith(".") for change in obstacles)


@pytest.mark.parametrize(
    "edit",
    [
        study(version="2.0", title="Another title"),
        study(sites=(*STUDY.sites, Site(id="NO01", name="Coast", country="NO", time_zone="Europe/Oslo"))),
        study(arms=(replace(_ARM, name="Cells, then vehicle"), _OTHER_ARM)),
        study(arms=tuple(reversed(STUDY.arms))),
        asked("labs", "crp", unmasking=True),
        asked("vitals", "weight", minimum=Decimal(35), help="Without shoes."),
        asked("adverse_event", "severity", codes=_SEVERITY.codes + codes("unknown")),
        asked(
            "adverse_event",
            "severity",
            codes=(replace(_SEVERITY.codes[0], retired=True), *_SEVERITY.codes[1:]),
        ),
        form("vitals", checks=()),
        form("thaw", retired=True),
        planned("week_8", day=57),
        lambda base: replace(base, eligibility=replace(base.eligibility, criteria=(), variants=())),
    ],
)
def test_spec_what_takes_nothing_away_is_no_obstacle(edit: Edit) -> None:
    found = changes(edit)
    assert found and all(change.obstacle is None for change in found)


def test_spec_what_is_asked_again_is_a_change() -> None:
    retired = asked("vitals", "remark", retired=True)(BASE)
    (change,) = compare_versions(retired, BASE)
    assert ("/".join(change.place), change.what) == ("forms/vitals/items/remark/retired", "removed")


_EDITS = (
    asked("vitals", "weight", unit="g"),
    asked("vitals", "weight", type="integer", step=None),
    asked("vitals", "systolic", maximum=Decimal(250)),
    asked("vitals", "remark", retired=True),
    asked("adverse_event", "severity", codes=_SEVERITY.codes[:2]),
    asked("adverse_event", "severity", codes=_SEVERITY.codes + codes("unknown")),
    form("vitals", items=(*VITALS.items[:2], *VITALS.items[3:]), checks=()),
    form("scan", retired=True),
    planned("week_4", retired=True),
    planned("week_8", epoch="first"),
    lambda base: replace(base, forms=tuple(each for each in base.forms if each.id != "scan")),
    study(version="2.0"),
)


@given(st.lists(st.sampled_from(_EDITS), max_size=4))
def test_law_under_a_version_without_obstacles_every_answer_means_what_it_meant(edits: list[Edit]) -> None:
    after = reduce(lambda base, edit: edit(base), edits, BASE)
    keeps = all(change.obstacle is None for change in compare_versions(BASE, after))
    meanings = [
        {
            (known.id, asks.id): (asks.type, asks.unit, tuple(code.code for code in asks.codes))
            for known in each.forms
            for asks in known.items
        }
        for each in (BASE, after)
    ]
    old, new = meanings
    epochs = {each.id: each.epoch for each in after.schedule.encounters}
    meant = all(
        place in new and new[place][:2] == meaning[:2] and set(meaning[2]) <= set(new[place][2])
        for place, meaning in old.items()
    ) and all(epochs.get(each.id) == each.epoch for each in BASE.schedule.encounters)
    assert keeps == meant
