"""Two worlds for the arm-swap test: one seeded trial, and the same with the names of its arms exchanged."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from hashlib import sha256
from typing import Any

from equipoise.access.actor import Actor
from equipoise.allocation.vault import PLAN, MemoryVault
from equipoise.analysis.cut import DataCut
from equipoise.conduct.entropy import SeededEntropy
from equipoise.conduct.trial import Trial
from equipoise.definition.load import load_study
from equipoise.definition.lock import hashed
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import EditCheck, Item
from equipoise.definition.model.rehearsal import Draw, Effect, Faults, FormPlan, Rehearsal
from equipoise.definition.model.study import Role
from equipoise.ledger import MemoryLedger
from equipoise.rehearsal.amending import AmendmentPlan
from equipoise.rehearsal.cast import Cast
from equipoise.rehearsal.rehearse import rehearse
from equipoise.studies import study_folder, study_names
from tests.dictionaries import added_dictionaries, invented_dictionaries
from tests.small_trial import ADVERSE_EVENTS, LABS, SUPPLY, THAW, make_definition, when

SEED = 3
SIZES = {"pilot": (2, 1), "betraying": (4, 2), "betraying, in brief": (2, 1), "amended": (4, 2)}
"""How many participants are randomised at how many sites: as few as show both arms."""


class IdealVault(MemoryVault):
    """A vault whose commitments say nothing about the message to those who lack the salt.

    SHA-256 with a secret 32-byte salt is modelled as a random oracle: who does not have the salt cannot tell
    its values from random ones. The ideal commitment is such a value, one of the salt alone; what differs
    between the two worlds under the real one is then the choice of a random number and no information.
    """

    def commitment(self, salt: bytes, message: bytes) -> str:
        return sha256(b"ideal" + salt).hexdigest()


class SwappedVault(IdealVault):
    """The same, in the world in which the plan's two arms have exchanged their names."""

    def open(self, name: str) -> bytes:
        sealed = super().open(name)
        if name != PLAN:
            return sealed
        plan = json.loads(sealed)
        assert len(plan["arms"]) == 2
        return json.dumps(plan | {"arms": plan["arms"][::-1]}).encode()


@dataclass(frozen=True)
class World:
    """A rehearsed, locked and still masked trial; `at` opens it as it stood at a position."""

    definition: StudyDefinition
    ledger: MemoryLedger
    vault: MemoryVault
    cast: Cast
    hashes: dict[str, int] = field(repr=False)

    @property
    def points(self) -> tuple[int, ...]:
        """Positions at which everything is looked at: two thirds through the trial, and at the lock."""
        end = self.ledger.head().position
        return end * 2 // 3, end

    @property
    def masked(self) -> list[Actor]:
        """Every account whose role is masked."""
        return [actor for actor in self.cast.accounts() if _role(self.definition, actor).masked]

    def at(self, position: int) -> Trial:
        """A copy that can be written to; its clock stands a day after its last entry."""
        ledger = MemoryLedger()
        entries = list(self.ledger.read())[:position]
        with ledger.exclusive() as transaction:
            transaction.append(entries, ())
        now = datetime.fromisoformat(entries[-1].recorded_at) + timedelta(days=1)
        entropy = SeededEntropy(position)
        return Trial(self.definition, ledger, self.vault, lambda: now, entropy, invented_dictionaries())

    def learn(self, trial: Trial) -> Trial:
        """Know the hashes of what was recorded in a copy, too."""
        self.hashes.update({entry.hash[:12]: entry.position for entry in trial.ledger.read()})
        return trial

    def name_hashes(self, text: str) -> str:
        """Put the position of an entry in place of its hash, or of the beginning of it."""
        return re.sub(r"\b[0-9a-f]{12,64}\b", self._name_hash, text)

    def with_named_head(self, cut: DataCut) -> DataCut:
        """Put the position of the head in place of its hash in a data cut."""
        return replace(cut, head=self.name_hashes(cut.head))

    def _name_hash(self, match: re.Match[str]) -> str:
        at = self.hashes.get(match[0][:12])
        return match[0] if at is None else f"<hash of entry {at}>"


def _role(definition: StudyDefinition, actor: Actor) -> Any:
    return definition.role(actor.role)


@cache
def make_worlds(study: str) -> tuple[World, World]:
    """The plain world and the swapped one, made once."""
    definition = study_of(study)
    size = SIZES[study]
    amendment = _amendment(definition) if study == "amended" else None
    return (
        _make_world(definition, IdealVault(), *size, amendment),
        _make_world(definition, SwappedVault(), *size, amendment),
    )


def _amendment(definition: StudyDefinition) -> AmendmentPlan:
    """A version in which the pressure is no longer asked for, and the pulse is."""
    forms = tuple(
        replace(
            form,
            items=(
                *(replace(item, retired=item.id == "diastolic") for item in form.items),
                Item(id="pulse", label="Pulse", type="integer", required=True),
            ),
        )
        if form.id == "vitals"
        else form
        for form in definition.forms
    )
    study = replace(definition.study, version=f"{definition.study.version}.1")
    amended = hashed(replace(definition, study=study, forms=forms))
    return AmendmentPlan(definition=amended, day=20, title="Amendment 1", reconsent=True)


def _make_world(
    definition: StudyDefinition,
    vault: MemoryVault,
    participants: int,
    sites: int,
    amendment: AmendmentPlan | None,
) -> World:
    ledger = MemoryLedger()
    result = rehearse(
        definition,
        seed=SEED,
        scenario="null",
        participants=participants,
        sites=sites,
        ledger=ledger,
        vault=vault,
        unblind=False,
        amendment=amendment,
        dictionaries=invented_dictionaries(),
        added=added_dictionaries(definition),
    )
    hashes = {entry.hash[:12]: entry.position for entry in ledger.read()}
    return World(definition, ledger, vault, result.cast, hashes)


def study_of(name: str) -> StudyDefinition:
    """The study that ships with the package as it is, or one whose unmasking items depend on the arm."""
    if name == "pilot":
        return load_study(study_folder(study_names()[0])).definition
    return _betraying_study()


def _betraying_study() -> StudyDefinition:
    """The small trial, in which nothing that masked roles see depends on the arm, and all that unmasks does.

    A marker in the blood is high after cells and low before: an edit check asks about either, in a query that
    unmasks. Cells take longer to infuse than the vehicle, and fewer of them live once they are thawed.
    """
    definition = make_definition()
    (product,) = SUPPLY.products
    # Somebody must be there who may enter the marker, and somebody who may ask about it.
    nurse = Role(id="ward_nurse", kind="nurse", name="Ward nurse", masked=False, scope="site")
    monitor = Role(id="ward_monitor", kind="monitor", name="Ward monitor", masked=False, scope="trial")
    site_staff, others = definition.study.roles[:2], definition.study.roles[2:]
    thaw = replace(THAW, items=tuple(replace(item, unmasking=True) for item in THAW.items))
    # One of the two always asks: that somebody answers must not depend on the arm, as what people do shows.
    low = EditCheck(id="marker_low", holds=when("labs.marker >= 100"), message="Is the marker so low?")
    labs = replace(LABS, checks=(*LABS.checks, low))
    term, *others_of_event = ADVERSE_EVENTS.items
    events = replace(ADVERSE_EVENTS, items=(replace(term, coded_with="meddra"), *others_of_event))
    changed_forms = {form.id: form for form in (labs, thaw, events)}
    changed = replace(
        definition,
        forms=tuple(changed_forms.get(form.id, form) for form in definition.forms),
        study=replace(definition.study, roles=(*site_staff, nurse, *others, monitor)),
        supply=replace(SUPPLY, products=(replace(product, collected_at="screening"),)),
        rehearsal=_plan(),
    )
    return hashed(changed)


def _value(text: str) -> Draw:
    return Draw(draw="value", value=when(text))


def _normal(mean: str, sd: str, decimals: int = 0) -> Draw:
    return Draw(draw="normal", mean=when(mean), sd=when(sd), decimals=decimals)


def _plan() -> Rehearsal:
    pick = {name: when("1") for name in ("none", "possible", "probable")}
    return Rehearsal(
        start=date(2024, 3, 1),
        participants=4,
        accrual_days_mean=Decimal(10),
        effects=(Effect(id="cells_given", scenarios={"null": {"cells": Decimal(1)}}, otherwise=Decimal(0)),),
        forms={
            "demographics": FormPlan(
                items={
                    "birth_date": Draw(draw="date", low=when("-14000"), high=when("-10000")),
                    "sex": Draw(draw="choice", weights={"f": when("1"), "m": when("1")}),
                    "pregnancy_test": _value("'negative'"),
                }
            ),
            "vitals": FormPlan(
                items={
                    "taken_on": Draw(draw="date", value=when("0")),
                    "weight": _normal("75", "6", 1),
                    "systolic": _normal("125", "5"),
                    "diastolic": _normal("75", "5"),
                }
            ),
            "labs": FormPlan(
                items={"crp": _normal("5", "0.5", 1), "marker": _value("50 + 100 * cells_given")}
            ),
            "thaw": FormPlan(
                items={
                    "thawed_on": Draw(draw="date", value=when("0")),
                    "viability": _value("90 - 20 * cells_given"),
                }
            ),
            "adverse_event": FormPlan(
                rows=Draw(draw="poisson", mean=when("0.7")),
                items={
                    "term": _value("'Glimmering of the ears'"),
                    "onset": Draw(draw="date", value=when("0")),
                    "severity": Draw(draw="choice", weights={"mild": when("3"), "severe": when("1")}),
                    "serious": _value("adverse_event.severity = 'severe' and visit > 1"),
                    "causality": Draw(draw="choice", weights=pick),
                    "expected": Draw(draw="bernoulli", probability=when("0.5")),
                    "outcome": _value("'ongoing'"),
                },
            ),
            "read": FormPlan(items={"spots": _normal("20", "5"), "volume": _normal("5", "1", 1)}),
            "culture": FormPlan(items={"yield_millions": _normal("90", "5"), "sterile": _value("true")}),
            "infusion": FormPlan(
                items={"minutes": _value("30 + 60 * cells_given"), "reaction": _value("cells_given > 0")}
            ),
        },
        faults=Faults(
            missed_encounter=Decimal("0.2"),
            out_of_window=Decimal("0.2"),
            drop_out_per_month=Decimal("0.1"),
            entry_error=Decimal("0.2"),
            scan_refused=Decimal("0.2"),
            reader_error=Decimal("0.3"),
            lot_failure=Decimal("0.1"),
            emergency_unblindings=1,
            early_end_forms=("vitals", "labs"),
        ),
    )
