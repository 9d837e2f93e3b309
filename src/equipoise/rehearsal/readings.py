"""The reading centre of a rehearsal: scans arrive, are accepted, and are read twice, blind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from equipoise.access.refusal import Refusal
from equipoise.definition.expression import Value
from equipoise.definition.model.conduct import Imaging
from equipoise.imaging.commands import AcceptScan, ReceiveScan, RecordAdjudication, RecordRead, RefuseScan
from equipoise.ledger.entry import Entry
from equipoise.rehearsal.draws import Dice, fit_number
from equipoise.rehearsal.forms import FormFiller
from equipoise.rehearsal.person import Person
from equipoise.rehearsal.world import Story, Terms, World, at_hour, content

_REFUSED_AT_MOST = 1
_DAYS_TO_ADJUDICATE = (14, 42)


@dataclass(slots=True)
class _Scan:
    """A scan of a person, and what is to be seen in it by the terms under which it is read."""

    person: Person
    encounter: str
    terms: Terms
    truth: dict[str, Value]


class ReadingDesk:
    """Handles the scans of one world."""

    def __init__(self, world: World, forms: FormFiller) -> None:
        self._world = world
        self._forms = forms

    def skips(self, person: Person, encounter: str) -> str | None:
        """Decide whether a planned scan is not made, and return the form that is then left out."""
        imaging = self._planned(person, encounter)
        if imaging is None:
            return None
        dice = person.dice("scan", encounter)
        missing = dice.chance(self._world.plan.faults.scan_missing) and self._world.faults
        # Before randomisation a scan that failed would be made again.
        return imaging.acquisition_form if missing and person.randomised_on is not None else None

    def send(self, person: Person, encounter: str) -> None:
        """Send the scan of an encounter to the reading centre, when one is planned there."""
        imaging = self._planned(person, encounter)
        if imaging is None:
            return
        scan = _Scan(person, encounter, self._world.terms(None), self._truth(person, encounter, imaging))
        start = self._world.clock.now + timedelta(hours=1)
        self._world.tell(self._tell_reading(scan, imaging), start)

    def _planned(self, person: Person, encounter: str) -> Imaging | None:
        """How scans are read, where one is planned at an encounter of a person."""
        definition = self._world.terms(person.site).definition
        imaging = definition.imaging
        planned = imaging is not None and imaging.acquisition_form in definition.schedule.forms_at(encounter)
        return imaging if planned else None

    def _truth(self, person: Person, encounter: str, imaging: Imaging) -> dict[str, Value]:
        return self._forms.true_values(person, imaging.read_form, encounter, encounter, across=True)

    def _look(self, scan: _Scan, imaging: Imaging) -> dict[str, Value]:
        """What is to be seen in a scan; an amendment may ask more of it than when it was made."""
        if scan.terms is not self._world.terms(None):
            scan.terms = self._world.terms(None)
            scan.truth = self._truth(scan.person, scan.encounter, imaging)
        return scan.truth

    def _tell_reading(self, made: _Scan, imaging: Imaging) -> Story:
        person, encounter = made.person, made.encounter
        world, dice, site = self._world, person.dice("reading", encounter), person.site
        refused = 0
        while True:
            command = ReceiveScan(participant=person.code, encounter=encounter, acquired_on=world.today)
            scan = content(world.give(site, command), "ScanReceived")
            assert scan is not None, "a scan gets a code"
            person.settled_at = max(person.settled_at, at_hour(world.today + timedelta(days=30), 18))
            yield at_hour(world.today + timedelta(days=1), 10)
            refuse = (
                dice.chance(world.plan.faults.scan_refused) and world.faults and refused < _REFUSED_AT_MOST
            )
            if not refuse:
                break
            refused += 1
            reasons = imaging.quality_reasons or ("Quality insufficient",)
            world.give(site, RefuseScan(scan=scan["scan"], cause=dice.pick(reasons)))
            yield at_hour(world.today + timedelta(days=3), 14)
        accepted = content(world.give(site, AcceptScan(scan=scan["scan"])), "ScanAccepted")
        assert accepted is not None, "an accepted scan gets its tasks"
        for number, task in enumerate(accepted["tasks"]):
            yield at_hour(world.today + timedelta(days=dice.between(1, 4)), 12)
            truth = self._look(made, imaging)
            entries = self._read(number, task, self._misread(dice, imaging, truth), truth)
        disagreed = content(entries, "ReadingsDisagreed")
        if disagreed is not None:
            met = at_hour(world.today + timedelta(days=dice.between(*_DAYS_TO_ADJUDICATE)), 12)
            person.settled_at = max(person.settled_at, met)
            yield met
            world.give(
                None, RecordAdjudication(task=disagreed["task"], values=dict(self._look(made, imaging)))
            )

    def _read(
        self, number: int, task: str, seen: dict[str, Any], truth: dict[str, Value]
    ) -> tuple[Entry, ...]:
        reader = self._world.cast.reader(number)
        outcome = self._world.trial.record(reader, RecordRead(task=task, values=seen))
        if isinstance(outcome, Refusal):
            # The slip contradicted the rest of the form, so that the reader looked again.
            return self._world.act(reader, RecordRead(task=task, values=dict(truth)))
        return outcome

    def _misread(self, dice: Dice, imaging: Imaging, truth: dict[str, Value]) -> dict[str, Any]:
        world = self._world
        form = world.terms(None).definition.form(imaging.read_form)
        assert form is not None
        values: dict[str, Any] = dict(truth)
        for compared in imaging.compare:
            item = form.item(compared.item)
            errs = dice.chance(world.plan.faults.reader_error)
            up = dice.chance(0.5)
            if item is None or item.id not in truth or not errs or not world.faults:
                continue
            # More than the readers may differ by, so that an error is one.
            step = compared.tolerance + (item.step or Decimal(1))
            values[item.id] = fit_number(Decimal(str(truth[item.id])) + (step if up else -step), item)
        return values
