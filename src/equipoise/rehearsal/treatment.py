"""Which interventions act on a simulated person at which time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.rehearsal import Effect
from equipoise.definition.model.schedule import Encounter
from equipoise.rehearsal.person import Person
from equipoise.rehearsal.world import Terms, World

_SCREENING = ("screening", "run_in")


@dataclass(frozen=True, slots=True)
class Course:
    """The encounters of a version before and after randomisation, and what each of its epochs begins with."""

    definition: StudyDefinition
    effects: Sequence[Effect]
    before: tuple[Encounter, ...]
    after: tuple[Encounter, ...]
    order: tuple[str, ...]
    supplied: frozenset[tuple[str, str]]
    beginnings: frozenset[str]


def course_of(terms: Terms) -> Course:
    """Return the course that people take under some terms."""
    definition = terms.definition
    types = {epoch.id: epoch.type for epoch in definition.study.epochs}
    planned = [each for each in definition.schedule.encounters if not each.retired]
    before = tuple(
        each
        for each in planned
        if types[each.epoch] in _SCREENING and (each.anchor == "consent" or each.day < 0)
    )
    after = tuple(each for each in planned if each not in before)
    epochs = {encounter.id: encounter.epoch for encounter in definition.schedule.encounters}
    products = definition.supply.products
    dispensing = {encounter for product in products for encounter in product.dispensed_at}
    first: dict[str, Encounter] = {}
    for encounter in after:
        first.setdefault(encounter.epoch, encounter)
    return Course(
        definition=definition,
        effects=terms.plan.effects,
        before=before,
        after=after,
        order=tuple(epoch.id for epoch in definition.study.epochs),
        supplied=frozenset(
            (intervention, epochs[encounter])
            for product in products
            for intervention in product.interventions
            for encounter in product.dispensed_at
        ),
        beginnings=frozenset(
            encounter.id
            for epoch, encounter in first.items()
            if encounter.id in dispensing
            or (types[epoch] == "treatment" and sum(each.epoch == epoch for each in after) > 1)
        ),
    )


class TreatmentPlan:
    """The epochs of one study, as far as they say what acts on a person.

    What a product holds acts from its being given to the end of the epoch; everything else acts throughout
    its epoch. An epoch begins with its first encounter when something is handed out there, or when it is one
    of several of a treatment epoch: what is examined at it still shows the epoch before.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._scenario = world.scenario
        self._known: dict[Terms, Course] = {}

    def course(self, site: str) -> Course:
        """Return the course that people take at a site now."""
        terms = self._world.terms(site)
        if terms not in self._known:
            self._known[terms] = course_of(terms)
        return self._known[terms]

    def begin(self, person: Person, following: Encounter | None) -> None:
        """Let act what acts from now until an encounter: before consent nothing does."""
        if following is None:
            self._let_act(person, "")
        else:
            self.arrive(person, following)

    def arrive(self, person: Person, encounter: Encounter) -> None:
        """Let act what acts while an encounter's forms are filled in."""
        epoch = encounter.epoch
        course = self.course(person.site)
        if encounter.id in course.beginnings:
            place = course.order.index(epoch)
            epoch = course.order[place - 1] if place > 0 else ""
        self._let_act(person, epoch)

    def leave(self, person: Person, encounter: Encounter) -> None:
        """Let act what acts from an encounter on."""
        self._let_act(person, encounter.epoch)

    def supply(self, person: Person, encounter: str, interventions: tuple[str, ...]) -> None:
        """Note what a product's unit holds, and let it act."""
        planned = self.course(person.site).definition.schedule.encounter(encounter)
        assert planned is not None, "units are given at planned encounters"
        content = self._cell(person, planned.epoch)
        person.supplied |= {(each, planned.epoch) for each in interventions if each in content}
        self._let_act(person, planned.epoch)

    def _cell(self, person: Person, epoch: str) -> tuple[str, ...]:
        arm = self.course(person.site).definition.arm(person.arm or "")
        return tuple(arm.cells.get(epoch, ())) if arm else ()

    def _let_act(self, person: Person, epoch: str) -> None:
        course = self.course(person.site)
        person.in_force = tuple(
            each
            for each in self._cell(person, epoch)
            if (each, epoch) in person.supplied or (each, epoch) not in course.supplied
        )
        person.given = tuple(dict.fromkeys((*person.given, *person.in_force)))
        for effect in course.effects:
            sizes = effect.scenarios.get(self._scenario, {})
            acting = person.in_force if effect.lasts == "epoch" else person.given
            found = [sizes[name] for name in acting if name in sizes]
            person.situation.set_name(effect.id, found[-1] if found else effect.otherwise)
