"""The product desk of a rehearsal: material is collected, worked on, released, made up and given."""

from __future__ import annotations

from datetime import date, timedelta

from equipoise.access.refusal import Refusal
from equipoise.definition.model.conduct import Product
from equipoise.rehearsal.draws import Dice
from equipoise.rehearsal.forms import FormFiller
from equipoise.rehearsal.person import Person
from equipoise.rehearsal.treatment import TreatmentPlan
from equipoise.rehearsal.world import Story, World, at_hour, content
from equipoise.supply.commands import (
    AdministerUnit,
    CollectSource,
    FailLot,
    PrepareUnit,
    RecordManufacture,
    ReleaseLot,
)

_DAYS_DEFAULT = (20, 30)
_DAYS_TO_RELEASE = (2, 7)


class ProductDesk:
    """Handles every product of one world."""

    def __init__(self, world: World, forms: FormFiller, treatment: TreatmentPlan) -> None:
        self._world = world
        self._forms = forms
        self._treatment = treatment
        self._ready_on: dict[str, date] = {}
        self._failed: set[tuple[str, str]] = set()

    def due_at(self, person: Person, encounter: str) -> bool:
        """Tell whether something is given at an encounter of a person."""
        return any(encounter in product.dispensed_at for product in self._products(person))

    def lacks_release(self, person: Person) -> bool:
        """Tell whether a product that must be released before randomisation was given up."""
        return any(
            product.released_before_randomisation and (person.code, product.id) in self._failed
            for product in self._products(person)
        )

    def ready_on(self, person: Person) -> date:
        """Return the first day on which all of a person's material is released or given up."""
        done = self._ready_on.get(person.code)
        return date.min if done is None else done + timedelta(days=1)

    def collect(self, person: Person, encounter: str) -> None:
        """Take starting material at the encounter at which the definition wants it."""
        for product in self._products(person):
            if product.kind == "autologous" and product.collected_at == encounter:
                self._collect(person, product)

    def give(self, person: Person, encounter: str) -> bool:
        """Make up and give what the allocation says; from then on it is in force."""
        world, site, today = self._world, person.site, self._world.today
        given = False
        for product in self._products(person):
            if encounter not in product.dispensed_at or (person.code, product.id) in self._failed:
                continue
            maker = world.cast.who("PrepareUnit", site, among=product.prepared_by, unmasked=True)
            made = PrepareUnit(
                participant=person.code, product=product.id, encounter=encounter, prepared_on=today
            )
            unit = content(world.act(maker, made), "UnitPrepared")
            assert unit is not None, "a preparation gives a unit its number"
            # What is seen at the bedside may depend on what the unit holds.
            self._treatment.supply(person, encounter, product.interventions)
            values = {}
            if product.administration_form is not None:
                values = self._forms.true_values(
                    person, product.administration_form, encounter, encounter, product.id
                )
            giver = world.cast.who("AdministerUnit", site, among=product.given_by, unmasked=True)
            giving = AdministerUnit(unit=unit["unit"], participant=person.code, given_on=today, values=values)
            world.act(giver, giving)
            given = True
        return given

    def _products(self, person: Person) -> tuple[Product, ...]:
        """The products that the site of a person handles now."""
        return self._world.terms(person.site).definition.supply.products

    def _collect(self, person: Person, product: Product) -> None:
        world, today = self._world, self._world.today
        dice = person.dice("lot", product.id)
        values = {}
        if product.source_form:
            values = self._forms.true_values(person, product.source_form, None, product.id)
        collected = CollectSource(
            participant=person.code, product=product.id, collected_on=today, values=values
        )
        lot = content(world.give(person.site, collected), "SourceCollected")
        assert lot is not None, "a collection begins a lot"
        low = product.manufacture_days_min or _DAYS_DEFAULT[0]
        high = product.manufacture_days_max or max(low, _DAYS_DEFAULT[1])
        done = today + timedelta(days=dice.between(low, high))
        fails = dice.chance(world.plan.faults.lot_failure) and world.faults
        self._ready_on[person.code] = max(done, self._ready_on.get(person.code, done))
        tested = person.dice("release", product.id).between(*_DAYS_TO_RELEASE)
        made = max(done - timedelta(days=tested), today)
        story = self._tell_making(person, product, lot["lot"], dice, done, fails=fails)
        world.tell(story, at_hour(made, 15))

    def _tell_making(
        self, person: Person, product: Product, lot: str, dice: Dice, done: date, *, fails: bool
    ) -> Story:
        world = self._world
        maker = world.cast.who("ReleaseLot", person.site, among=product.prepared_by, unmasked=True)
        if product.manufacture_form is not None:
            values = self._forms.true_values(person, product.manufacture_form, None, product.id)
            world.act(maker, RecordManufacture(lot=lot, recorded_on=world.today, values=values))
        yield at_hour(done, 16)
        if not fails:
            released = world.trial.record(maker, ReleaseLot(lot=lot, released_on=world.today))
            fails = isinstance(released, Refusal)
        if fails:
            causes = world.plan.faults.causes.get("lot_failure", ("The lot did not meet its specification",))
            world.act(maker, FailLot(lot=lot, failed_on=world.today, cause=dice.pick(causes)))
            self._failed.add((person.code, product.id))
