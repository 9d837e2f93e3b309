"""A rehearsal that is amended on its way: sites follow one by one, and people consent anew."""

from dataclasses import replace
from typing import Any

import pytest

from equipoise.access.refusal import Refused
from equipoise.analysis.report.render import render_report
from equipoise.analysis.run import analyse
from equipoise.definition.lock import hashed
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import Item
from equipoise.definition.model.rehearsal import Draw, FormPlan
from equipoise.governance.state import SiteRow
from equipoise.rehearsal.amending import AmendmentPlan
from equipoise.rehearsal.draws import RehearsalImpossible
from equipoise.rehearsal.rehearse import RehearsalResult, rehearse
from tests.rehearsal.folders import load

NEW, RETIRED, ADDED = "week_10", "week_8", "stiffness"


def amended_tern() -> StudyDefinition:
    """TERN without its visit at week 8, with one at week 10, and with a question more about the pain."""
    tern = load("tern")
    week_8 = next(each for each in tern.schedule.encounters if each.id == RETIRED)
    week_10 = replace(week_8, id=NEW, name="Week 10", day=70)
    encounters = (
        *(replace(each, retired=each.id == RETIRED) for each in tern.schedule.encounters),
        week_10,
    )
    activities = tuple(
        replace(each, encounters=(*each.encounters, NEW)) if each.id == "pain" else each
        for each in tern.schedule.activities
    )
    (gel,) = tern.supply.products
    handed_out = tuple(each for each in gel.dispensed_at if each != RETIRED)
    forms = tuple(
        replace(form, items=(*form.items, Item(id=ADDED, label="Stiffness", type="integer", required=True)))
        if form.id == "pain"
        else form
        for form in tern.forms
    )
    assert tern.rehearsal is not None
    pain = tern.rehearsal.forms["pain"]
    asked = FormPlan(items={**pain.items, ADDED: Draw(draw="poisson", mean=pain.items["score"].sd)})
    return hashed(
        replace(
            tern,
            study=replace(tern.study, version="3.0"),
            schedule=replace(tern.schedule, encounters=encounters, activities=activities),
            supply=replace(tern.supply, products=(replace(gel, dispensed_at=handed_out),)),
            forms=forms,
            rehearsal=replace(
                tern.rehearsal, consent_version="3.0", forms={**tern.rehearsal.forms, "pain": asked}
            ),
        )
    )


def run(day: int = 60, **options: Any) -> RehearsalResult:
    plan: dict[str, Any] = {"title": "Amendment 1", "substantial": True, "reconsent": True}
    plan |= {name: options.pop(name) for name in tuple(options) if name in plan or name == "definition"}
    amendment = AmendmentPlan(**{"definition": amended_tern(), "day": day, **plan})
    settings: dict[str, Any] = {"seed": 5, "scenario": "hoped", "participants": 24, "sites": 3} | options
    return rehearse(load("tern"), amendment=amendment, **settings)


@pytest.fixture(scope="module")
def rehearsed() -> RehearsalResult:
    return run()


def of(result: RehearsalResult, kind: str) -> list[Any]:
    return [entry for entry in result.trial.ledger.read() if entry.kind == kind]


def test_spec_every_site_follows_after_its_own_approval(rehearsed: RehearsalResult) -> None:
    (amended,) = of(rehearsed, "StudyAmended")
    approvals = of(rehearsed, "VersionActivated")
    assert len({each.content["site"] for each in approvals}) == 3
    assert len({each.recorded_at[:10] for each in approvals}) == 3
    assert all(each.recorded_at > amended.recorded_at for each in approvals)
    latest = rehearsed.trial.definition.hash
    assert {row.definition for row in rehearsed.trial.tables.all(SiteRow)} == {latest}


def test_spec_people_are_asked_what_the_version_of_their_site_asks(rehearsed: RehearsalResult) -> None:
    since = {each.content["site"]: each.position for each in of(rehearsed, "VersionActivated")}
    pains = [each for each in of(rehearsed, "FormRecorded") if each.content["form"] == "pain"]
    later = [each for each in pains if each.position > since[each.site]]
    assert later and len(later) < len(pains)
    assert all((ADDED in each.content["item_values"]) == (each in later) for each in pains)
    started = of(rehearsed, "EncounterStarted")
    assert any(each.content["encounter"] == NEW for each in started)
    assert all(each.position < since[each.site] for each in started if each.content["encounter"] == RETIRED)
    assert all(each.position > since[each.site] for each in started if each.content["encounter"] == NEW)


def test_spec_who_takes_part_consents_anew_at_their_next_visit(rehearsed: RehearsalResult) -> None:
    since = {each.content["site"]: each.position for each in of(rehearsed, "VersionActivated")}
    renewed = {each.content["participant"]: each for each in of(rehearsed, "ConsentRenewed")}
    assert renewed and {each.content["consent_version"] for each in renewed.values()} == {"3.0"}
    planned = [
        each
        for each in of(rehearsed, "EncounterStarted")
        if not each.content["encounter"].startswith("unscheduled")
    ]
    for visit in planned:
        person = visit.content["participant"]
        consented = next(
            each for each in of(rehearsed, "ParticipantConsented") if each.content["participant"] == person
        )
        if consented.position < since[visit.site] < visit.position:
            assert renewed[person].position < visit.position
    assert rehearsed.trial.as_seen_by(rehearsed.cast.who("LockDatabase", None)).reconsents() == ()


def test_the_report_says_what_the_amendment_changed(rehearsed: RehearsalResult) -> None:
    cut = rehearsed.trial.as_seen_by(rehearsed.cast.who("LockDatabase", None)).cut()
    text = render_report(analyse(cut), cut)
    assert "Amendment 1" in text and "3.0" in text


def test_the_same_seed_gives_the_same_amended_trial(rehearsed: RehearsalResult) -> None:
    assert run().trial.head == rehearsed.trial.head
    before = next(each.position for each in rehearsed.trial.ledger.read() if each.kind == "StudyAmended")
    plain = rehearse(load("tern"), seed=5, scenario="hoped", participants=24, sites=3).trial.ledger.read()
    same = zip(plain, rehearsed.trial.ledger.read(), strict=False)
    assert all(one.body == other.body for _, (one, other) in zip(range(before - 1), same, strict=False))


def test_spec_a_minor_amendment_holds_at_once() -> None:
    result = run(substantial=False, reconsent=False)
    assert not of(result, "VersionActivated") and not of(result, "ConsentRenewed")
    (amended,) = of(result, "StudyAmended")
    pains = [each for each in of(result, "FormRecorded") if each.content["form"] == "pain"]
    assert all((ADDED in each.content["item_values"]) == (each.position > amended.position) for each in pains)


def test_a_day_after_the_end_and_a_version_that_no_trial_takes_are_refused() -> None:
    with pytest.raises(RehearsalImpossible, match="REH-AMEND-DAY"):
        run(day=9000)
    with pytest.raises(Refused, match="GOV-AMEND-VERSION"):
        run(definition=load("tern"))
