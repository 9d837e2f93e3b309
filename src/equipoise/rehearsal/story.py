"""The course of one simulated person, from consent to the end, told through commands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from equipoise.allocation.commands import RandomiseParticipant, ReportUnblinding, UnblindInEmergency
from equipoise.capture.commands import MissEncounter, SignCasebook, StartEncounter, StartUnscheduledEncounter
from equipoise.conduct.view import UnmaskedView
from equipoise.definition.expression import Evidence, Truth, truth
from equipoise.definition.model.schedule import Encounter
from equipoise.enrolment.commands import (
    AssessEligibility,
    CompleteParticipant,
    ConsentParticipant,
    FailScreening,
    RenewConsent,
    WithdrawParticipant,
)
from equipoise.rehearsal.draws import Dice, Situation
from equipoise.rehearsal.forms import FormFiller
from equipoise.rehearsal.person import Person
from equipoise.rehearsal.products import ProductDesk
from equipoise.rehearsal.readings import ReadingDesk
from equipoise.rehearsal.treatment import TreatmentPlan
from equipoise.rehearsal.world import Story, World, at_hour, content

_DAYS_PER_MONTH = Decimal("30.4375")
_VISIT_HOUR = 12
_GIVING_HOUR = 15
_EMERGENCY_PLACE = 2


class CourseTeller:
    """Tells the course of people in one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.treatment = TreatmentPlan(world)
        self.forms = FormFiller(world)
        self.products = ProductDesk(world, self.forms, self.treatment)
        self.readings = ReadingDesk(world, self.forms)

    def tell(self, number: int, site: str) -> Story:
        """Tell the course of a site's candidate; `number` counts them from 1."""
        person = self._consent(number, site)
        yield from self._screen(person)
        if self._randomise(person):
            yield from self._follow(person)
            yield from self._end(person)
        self.world.finished += 1

    def _before(self, person: Person) -> tuple[Encounter, ...]:
        """The encounters before randomisation, as the version of a person's site plans them now."""
        return self.treatment.course(person.site).before

    def _after(self, person: Person) -> tuple[Encounter, ...]:
        """Those from randomisation on."""
        return self.treatment.course(person.site).after

    def _consent(self, number: int, site: str) -> Person:
        world, today, terms = self.world, self.world.today, self.world.terms(site)
        command = ConsentParticipant(
            site=site, consent_version=terms.plan.consent_version, consented_on=today
        )
        consented = content(world.give(site, command), "ParticipantConsented")
        assert consented is not None, "a consent gives a participant code"
        world.consented += 1
        code = str(consented["participant"])

        def recorded(on: date) -> Evidence:
            return world.trial.evidence(code, on)

        person = Person(code, site, number, world.seed, Situation(today, recorded), today, terms)
        known = terms.definition.site(site)
        person.situation.set_name("site", site)
        person.situation.set_name("country", known.country if known else site[:2])
        person.situation.set_name("leaving", False)
        dice = person.dice("person")
        for name, draw in terms.plan.person.items():
            person.situation.set_name(name, dice.draw(draw, person.situation))
        self.treatment.begin(person, None)
        return person

    def _screen(self, person: Person) -> Iterator[datetime]:
        day_planned = self._randomisation_day(person)
        done: set[str] = set()
        while encounter := next((each for each in self._before(person) if each.id not in done), None):
            done.add(encounter.id)
            anchor = person.consented_on if encounter.anchor == "consent" else day_planned
            day = max(anchor + timedelta(days=encounter.day), self.world.today)
            yield at_hour(day, _VISIT_HOUR)
            yield from self._attend(person, encounter)
        ready = max(day_planned, self.products.ready_on(person))
        if self.world.today < ready:
            yield at_hour(ready, _VISIT_HOUR)

    def _randomisation_day(self, person: Person) -> date:
        lead = max((-e.day for e in self._before(person) if e.anchor != "consent"), default=0)
        last = max((e.day for e in self._before(person) if e.anchor == "consent"), default=0)
        return person.consented_on + timedelta(days=max(lead, last + 1))

    def _randomise(self, person: Person) -> bool:
        world, today = self.world, self.world.today
        if not world.recruiting:
            self._fail(person, "Enrolment was complete")
            return False
        if self.products.lacks_release(person):
            self._fail(person, "No product could be released")
            return False
        self.forms.confirm_logs(person)
        assessed = content(
            world.give(person.site, AssessEligibility(participant=person.code, assessed_on=today)),
            "EligibilityAssessed",
        )
        assert assessed is not None, "an assessment says what it found"
        if assessed["outcome"] != "eligible":
            world.note_ineligible(assessed["criteria"])
            self._fail(person, "Not eligible")
            return False
        world.give(person.site, RandomiseParticipant(participant=person.code, randomised_on=today))
        world.randomised += 1
        person.randomised_on = today
        view = world.trial.as_seen_by(world.cast.unmasked(person.site))
        assert isinstance(view, UnmaskedView), "only an unmasked role is asked what was given"
        person.arm = view.arm(person.code)
        self.treatment.begin(person, next(iter(self._after(person)), None))
        return True

    def _fail(self, person: Person, cause: str) -> None:
        self.world.give(
            person.site, FailScreening(participant=person.code, failed_on=self.world.today, cause=cause)
        )

    def _follow(self, person: Person) -> Iterator[datetime]:
        faults = self.world.plan.faults
        first = {each.id for each in self._after(person)}
        done: set[str] = set()
        place = -1
        while ahead := [each for each in self._after(person) if each.id not in done]:
            dated = [(day, each) for each in ahead if (day := self._planned_day(person, each)) is not None]
            if not dated:
                # Nothing was given, and what counts from the first administration does not come.
                return
            planned, encounter = min(dated, key=lambda pair: pair[0])
            done.add(encounter.id)
            late = planned + timedelta(days=encounter.late_days)
            if encounter.id not in first and late < self.world.today:
                # An amendment planned it for days that are gone.
                continue
            place += 1
            dice = person.dice("visit", encounter.id)
            leaves, days_before = self._drops_out(person, planned, dice), dice.between(1, 10)
            if self.world.faults and place > 0 and leaves:
                yield at_hour(max(planned - timedelta(days=days_before), self.world.today), _VISIT_HOUR)
                self._withdraw(person)
                return
            day = max(self._actual_day(person, encounter, planned, dice), self.world.today)
            yield at_hour(day, _VISIT_HOUR)
            skips = dice.chance(faults.missed_encounter) and self.world.faults and place > 0
            if not self._is_planned(person, encounter):
                continue
            if skips and len(ahead) > 1 and not self.products.due_at(person, encounter.id):
                cause = self._cause(person, "missed_encounter", "Did not attend")
                self.world.give(
                    person.site,
                    MissEncounter(participant=person.code, encounter=encounter.id, cause=cause),
                )
                continue
            yield from self._attend(person, encounter)
            if place == min(_EMERGENCY_PLACE, len(self._after(person)) - 1):
                self._unblind_in_emergency(person)

    def _planned_day(self, person: Person, encounter: Encounter) -> date | None:
        assert person.randomised_on is not None, "follow-up begins with randomisation"
        anchors = {
            "consent": person.consented_on,
            "randomisation": person.randomised_on,
            "first_administration": person.first_given_on,
        }
        anchor = anchors[encounter.anchor]
        return None if anchor is None else anchor + timedelta(days=encounter.day)

    def _actual_day(self, person: Person, encounter: Encounter, planned: date, dice: Dice) -> date:
        faults = self.world.plan.faults
        within = dice.between(-(encounter.early_days // 2), encounter.late_days // 2)
        strays, beyond = dice.chance(faults.out_of_window), dice.between(1, 7)
        day = planned
        if encounter.day != 0:
            late = encounter.late_days + beyond
            day += timedelta(days=late if strays and self.world.faults else within)
        if self.products.due_at(person, encounter.id):
            day = max(day, self.products.ready_on(person))
        for delay in self.world.terms(person.site).plan.delays if self.world.faults else ():
            if encounter.id in delay.encounters:
                evidence = self.world.trial.evidence(person.code, max(day, self.world.today))
                if truth(delay.when, evidence) is Truth.MET:
                    day += timedelta(days=delay.days)
        return day

    def _is_planned(self, person: Person, encounter: Encounter) -> bool:
        """Whether no amendment has retired an encounter since it was planned."""
        planned = self.world.terms(person.site).definition.schedule.encounter(encounter.id)
        return planned is not None and not planned.retired

    def _renew_consent(self, person: Person) -> None:
        terms = self.world.terms(person.site)
        if terms is person.consented_to or not terms.reconsent:
            return
        renewed = RenewConsent(
            participant=person.code,
            consent_version=terms.plan.consent_version,
            consented_on=self.world.today,
        )
        self.world.give(person.site, renewed)
        person.consented_to = terms

    def _attend(self, person: Person, encounter: Encounter) -> Iterator[datetime]:
        if not self._is_planned(person, encounter):
            return
        world, today = self.world, self.world.today
        self._renew_consent(person)
        world.give(
            person.site, StartEncounter(participant=person.code, encounter=encounter.id, took_place_on=today)
        )
        person.visit += 1
        self._look_around(person)
        self.treatment.arrive(person, encounter)
        left_out = self.readings.skips(person, encounter.id)
        aftermath = self.forms.fill_encounter(person, encounter.id, without=left_out)
        if left_out is None:
            self.readings.send(person, encounter.id)
        self.products.collect(person, encounter.id)
        person.seen_on = today
        if person.randomised_on is not None and self.products.due_at(person, encounter.id):
            yield at_hour(today, _GIVING_HOUR)
            if self.products.give(person, encounter.id) and person.first_given_on is None:
                person.first_given_on = world.today
        self.treatment.leave(person, encounter)
        self.forms.settle(person, aftermath, encounter.id)

    def _look_around(self, person: Person) -> None:
        today, situation = self.world.today, person.situation
        situation.move_to(today)
        since = person.seen_on or today
        situation.set_name("months", Decimal((today - since).days) / _DAYS_PER_MONTH)
        situation.set_name("visit", person.visit)
        situation.set_name("day", (today - (person.randomised_on or today)).days)

    def _drops_out(self, person: Person, planned: date, dice: Dice) -> bool:
        months = max(Decimal((planned - (person.seen_on or planned)).days) / _DAYS_PER_MONTH, Decimal(0))
        return dice.chance(1 - (1 - self.world.plan.faults.drop_out_per_month) ** months)

    def _withdraw(self, person: Person) -> None:
        world, code = self.world, person.code
        cause = self._cause(person, "drop_out", "Wished to stop")
        person.left = True
        person.unscheduled += 1
        encounter = f"unscheduled_{person.unscheduled}"
        world.give(
            person.site,
            StartUnscheduledEncounter(participant=code, took_place_on=world.today, cause="Early end"),
        )
        self._look_around(person)
        person.situation.set_name("leaving", True)
        aftermath = self.forms.fill_at_early_end(person, encounter)
        self.forms.settle(person, aftermath, encounter)
        world.give(
            person.site,
            WithdrawParticipant(participant=code, withdrawn_on=world.today, scope="study", cause=cause),
        )

    def _end(self, person: Person) -> Iterator[datetime]:
        world = self.world
        if not person.left:
            self.forms.confirm_logs(person)
            world.give(person.site, CompleteParticipant(participant=person.code, completed_on=world.today))
        while world.clock.now <= person.settled_at:
            yield person.settled_at + timedelta(days=1)
        meaning = "I have reviewed this casebook and confirm that it is complete and accurate."
        world.give(person.site, SignCasebook(participant=person.code, meaning=meaning))

    def _unblind_in_emergency(self, person: Person) -> None:
        world, wanted = self.world, self.world.plan.faults.emergency_unblindings
        permitted = world.terms(person.site).definition.allocation.emergency_unblinding.permitted
        if not world.faults or not permitted or world.emergencies >= wanted:
            return
        # Spread over the trial: one in each equal part of those randomised.
        if world.randomised * (wanted + 1) < (world.emergencies + 1) * world.wanted:
            return
        world.emergencies += 1
        cause = self._cause(person, "emergency_unblinding", "Care depended on knowing what was given")
        actor = world.cast.who("UnblindInEmergency", person.site, among=permitted)
        world.act(actor, UnblindInEmergency(participant=person.code, cause=cause))
        world.give(
            person.site,
            ReportUnblinding(
                participant=person.code,
                who="the treating team",
                how="the emergency unblinding was discussed on the ward",
                assessment="Those who assess outcomes and enter them were not present.",
            ),
        )

    def _cause(self, person: Person, fault: str, otherwise: str) -> str:
        causes = self.world.plan.faults.causes.get(fault, ())
        return person.dice("cause", fault, person.visit).pick(causes) if causes else otherwise


def recruit(world: World, teller: CourseTeller, site: str) -> Story:
    """Tell a site's recruitment: candidates come one after the other until the trial has enough."""
    dice = Dice(world.seed, "site", site)
    number = 0
    while world.recruiting:
        yield world.clock.now + timedelta(days=dice.exponential(world.plan.accrual_days_mean))
        if not world.recruiting:
            return
        number += 1
        world.tell(teller.tell(number, site), at_hour(world.today + timedelta(days=1), _VISIT_HOUR))
