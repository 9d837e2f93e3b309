"""Invented data cuts of the invented trials, with what goes wrong in trials."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from equipoise.analysis.cut import CutAdministration, CutEncounter, CutParticipant, DataCut
from equipoise.definition.expression import FormRow, PartialDate, Value, form_row
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.schedule import Encounter
from equipoise.definition.model.study import Arm

START = date(2024, 1, 8)


def make_cut(
    definition: StudyDefinition,
    participants: int = 40,
    *,
    seed: int = 7,
    masked: bool = False,
    screened_out: int = 6,
    effect: float = 0.5,
) -> DataCut:
    """A whole trial with what goes wrong in trials; the same seed gives the same people whatever the arms."""
    people = [
        _person(definition, number, np.random.default_rng([seed, number]), effect)
        for number in range(participants + screened_out)
    ]
    people = [
        _screened_out(person, number) if number >= participants else person
        for number, person in enumerate(people)
    ]
    cut = DataCut(
        definition=definition,
        participants=tuple(sorted(people, key=lambda each: each.participant)),
        masked=False,
        mode="rehearsal",
        position=1234,
        head="ab12" * 16,
        recorded_at="2025-06-30T12:00:00.000000Z",
        locked_at="2025-06-29T08:00:00.000000Z",
        unblinded_at="2025-06-30T08:00:00.000000Z",
        counts={"forms recorded": 480, "corrections": 12, "queries": 31, "open queries": 2},
    )
    if masked:
        people = [replace(person, arm=None) for person in cut.participants]
        cut = replace(cut, participants=tuple(people), masked=True, unblinded_at=None)
    return cut


def _screened_out(person: CutParticipant, number: int) -> CutParticipant:
    criteria = {
        "I1": "not_met" if number % 2 else "met",
        "I2": "met",
        "E1": "not_met",
        "E2": "met" if number % 3 else "not_met",
    }
    ineligible = "not_met" in (criteria["I1"],) or criteria["E2"] == "met"
    return replace(
        person,
        status="failed",
        randomised_on=None,
        arm=None,
        ended_on=person.consented_on,
        end_scope=None,
        end_cause=None if ineligible else "Declined",
        screening_outcome="ineligible" if ineligible else "eligible",
        criteria=criteria,
        rows=person.rows[:1],
        encounters=person.encounters[:1],
        administrations=(),
        unblindings=(),
        failed_lots=(),
    )


def _person(definition: StudyDefinition, number: int, rng: Any, effect: float) -> CutParticipant:
    arms = [arm.id for arm in definition.study.arms]
    arm = arms[number % len(arms)]
    site = ("SE01", "CA01")[number % 3 == 0]
    consent = START + timedelta(days=3 * number)
    randomised = consent + timedelta(days=10)
    score = Decimal(int(rng.integers(20, 60))) / 10
    rows: list[FormRow] = [
        form_row(
            "person",
            {
                "birth_date": date(1985 - int(rng.integers(0, 15)), 5, 1),
                "sex": ("female", "male")[int(rng.random() < 0.4)],
                "score": score,
            },
            encounter="screening",
            date=PartialDate.of(consent),
            position=10 * number,
        ),
        form_row("culture", {"millions": int(rng.integers(80, 150))}, date=PartialDate.of(consent)),
    ]
    arm_given = definition.arm(arm)
    assert arm_given is not None
    course = _course(definition, arm_given, rng, consent, randomised, float(score), effect, 10 * number)
    rows += course.rows
    left = course.left_on is not None
    rows += _events(rng, consent, randomised)
    return CutParticipant(
        participant=f"{site}-{number + 1:03d}",
        site=site,
        country=site[:2],
        sub_trial="sweden" if site == "SE01" else "canada",
        variant=None,
        status="withdrawn" if left else "completed",
        consented_on=consent,
        randomised_on=randomised if definition.study.randomised else None,
        arm=arm,
        ended_on=course.left_on or randomised + timedelta(days=150),
        end_scope="study" if left else None,
        end_cause=("Moved away", "Adverse event", "Lost to follow-up")[number % 3] if left else None,
        screening_outcome="eligible",
        criteria={"I1": "met", "I2": "unknown" if number == 5 else "met", "E1": "not_met", "E2": "not_met"},
        rows=tuple(rows),
        encounters=tuple(course.seen),
        administrations=tuple(course.given),
        reviewed={"adverse_event": date(2025, 6, 30)},
        failed_lots=("Too few cells",) if number == 4 else (),
        unblindings=("emergency",) if number == 7 else (),
    )


@dataclass
class Course:
    """What happened to one participant after randomisation."""

    rows: list[FormRow] = field(default_factory=list)
    seen: list[CutEncounter] = field(default_factory=list)
    given: list[CutAdministration] = field(default_factory=list)
    left_on: date | None = None


def _course(
    definition: StudyDefinition,
    arm: Arm,
    rng: Any,
    consent: date,
    randomised: date,
    score: float,
    effect: float,
    position: int,
) -> Course:
    course = Course(seen=[_took_place("screening", consent, 0)])
    leaves = int(rng.integers(1, 6)) if rng.random() < 0.12 else None
    frailty = rng.gamma(1 / 1.2, 1.2)
    for index, encounter in enumerate(definition.schedule.encounters[1:]):
        if leaves is not None and index >= leaves:
            course.left_on = course.left_on or randomised + timedelta(days=encounter.day - 5)
            continue
        off = int(rng.integers(-2, 3)) if encounter.day else 0
        if rng.random() < 0.06 and encounter.day:
            off = 6
        if rng.random() < 0.04 and index > 0:
            missed = CutEncounter(
                encounter=encounter.id, status="missed", took_place_on=None, days_off=0, cause="Ill at home"
            )
            course.seen.append(missed)
            continue
        day = randomised + timedelta(days=encounter.day + off)
        course.seen.append(_took_place(encounter.id, day, off))
        active = not set(arm.cells[encounter.epoch]) <= {"vehicle", "placebo"}
        mean = 2.0 * frailty * (effect if active else 1.0)
        course.rows.append(_visit(rng, encounter, day, mean, score, active, position + index + 1))
        dispensed = any(encounter.id in product.dispensed_at for product in definition.supply.products)
        if dispensed and rng.random() < 0.97:
            course.given.append(
                CutAdministration(product="bag", encounter=encounter.id, epoch=encounter.epoch, given_on=day)
            )
    return course


def _visit(
    rng: Any, encounter: Encounter, day: date, mean: float, score: float, active: bool, position: int
) -> FormRow:
    values: dict[str, Value] = {
        "count": int(rng.poisson(mean)),
        "score": Decimal(round(score * 10 - 6 * active + rng.normal(0, 5))) / 10,
        "well": bool(rng.random() < (0.6 if active else 0.4)),
    }
    return form_row("visit", values, encounter=encounter.id, date=PartialDate.of(day), position=position)


def _took_place(encounter: str, day: date, off: int) -> CutEncounter:
    status = "in_window" if abs(off) <= 3 else "late" if off > 0 else "early"
    return CutEncounter(encounter=encounter, status=status, took_place_on=day, days_off=off, cause=None)


def _events(rng: Any, consent: date, randomised: date) -> Sequence[FormRow]:
    rows = []
    for index in range(int(rng.poisson(1.4))):
        onset = consent + timedelta(days=int(rng.integers(0, 140)))
        serious = bool(rng.random() < 0.08)
        rows.append(
            form_row(
                "adverse_event",
                {
                    "term": ("Headache", "Fever", "Cold", "Fatigue")[int(rng.integers(0, 4))],
                    "onset": PartialDate(onset.year, onset.month)
                    if rng.random() < 0.1
                    else PartialDate.of(onset),
                    "severity": ("mild", "moderate", "severe")[2 if serious else int(rng.integers(0, 2))],
                    "serious": serious,
                    "causality": ("none", "possible", "probable")[int(rng.integers(0, 3))],
                    "body_system": ("infections", "nervous", "general")[int(rng.integers(0, 3))],
                    "outcome": "recovered",
                },
                row=index + 1,
                date=PartialDate.of(onset),
            )
        )
    return rows


def swap_arms(cut: DataCut) -> DataCut:
    """The same trial with its arms' labels exchanged in a ring, and other content in the unmasking forms."""
    arms = [arm.id for arm in cut.definition.study.arms]
    ring = dict(zip(arms, [*arms[1:], arms[0]], strict=True))

    def row(old: FormRow) -> FormRow:
        return form_row("culture", {"millions": 1}, date=old.date) if old.form == "culture" else old

    people = tuple(
        replace(
            person,
            arm=ring.get(person.arm) if person.arm else None,
            rows=tuple(row(each) for each in person.rows),
            failed_lots=("Contaminated",) if person.arm == arms[0] else (),
        )
        for person in cut.participants
    )
    return replace(cut, participants=people)
