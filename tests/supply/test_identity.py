"""The chain of identity: a unit reaches only the person whose cells it was made from."""

from datetime import date, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from equipoise.access.refusal import Refusal
from equipoise.supply.commands import (
    AdministerUnit,
    CollectSource,
    DiscardUnit,
    FailLot,
    PrepareUnit,
    RecordManufacture,
    ReleaseLot,
)
from equipoise.supply.decide import DECIDE
from equipoise.supply.state import APPLY, LotRow, UnitRow
from tests.factory import Bench

DAY = date(2024, 6, 3)
participants = st.sampled_from(["SE01-001", "SE01-002", "CA01-001"])
numbers = st.integers(0, 5)
cultures = st.fixed_dictionaries({"yield_millions": st.sampled_from([10, 90]), "sterile": st.booleans()})


class Chain(RuleBasedStateMachine):
    """Any sequence of commands, sensible or not, about three people's lots and units."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench((DECIDE, APPLY))
        self.sources: dict[str, str] = {}

    def attempt(self, command) -> None:
        decision = self.bench.ask(command, reason="A correction")
        if not isinstance(decision, Refusal):
            for entry in self.bench.record(decision, "A correction"):
                if entry.kind == "SourceCollected":
                    self.sources[str(entry.content["lot"])] = str(entry.content["participant"])

    def pick(self, row_type, number) -> str:
        rows = [getattr(row, row_type.key[0]) for row in self.bench.tables.all(row_type)]
        return rows[number % len(rows)] if rows else "none"

    @rule(participant=participants)
    def collect(self, participant):
        day = DAY - timedelta(days=30)
        self.attempt(
            CollectSource(participant=participant, product="bag", collected_on=day, values={"volume": 100})
        )

    @rule(number=numbers, values=cultures)
    def manufacture(self, number, values):
        day = DAY - timedelta(days=10)
        self.attempt(RecordManufacture(lot=self.pick(LotRow, number), recorded_on=day, values=values))

    @rule(number=numbers)
    def release(self, number):
        self.attempt(ReleaseLot(lot=self.pick(LotRow, number), released_on=DAY))

    @rule(number=numbers)
    def fail(self, number):
        self.attempt(FailLot(lot=self.pick(LotRow, number), failed_on=DAY, cause="Contaminated"))

    @rule(participant=participants, encounter=st.sampled_from(["week_0", "week_8"]))
    def prepare(self, participant, encounter):
        self.attempt(
            PrepareUnit(participant=participant, product="bag", encounter=encounter, prepared_on=DAY)
        )

    @rule(number=numbers, participant=participants)
    def give(self, number, participant):
        unit = self.pick(UnitRow, number)
        self.attempt(AdministerUnit(unit=unit, participant=participant, given_on=DAY, values={"minutes": 30}))

    @rule(number=numbers)
    def discard(self, number):
        self.attempt(DiscardUnit(unit=self.pick(UnitRow, number), cause="Dropped"))

    @rule(participant=participants)
    def treat(self, participant):
        """All steps at once, as otherwise few sequences get as far as an administration."""
        self.collect(participant)
        lots = self.bench.tables.where(LotRow, participant=participant)
        for lot in lots:
            values = {"yield_millions": 90, "sterile": True}
            day = DAY - timedelta(days=10)
            self.attempt(RecordManufacture(lot=lot.lot, recorded_on=day, values=values))
            self.attempt(ReleaseLot(lot=lot.lot, released_on=DAY))
        self.prepare(participant, "week_0")

    @invariant()
    def every_unit_given_came_from_its_recipient(self):
        given = [entry for entry in self.bench.entries if entry.kind == "UnitAdministered"]
        for entry in given:
            unit = self.bench.tables.require(UnitRow, entry.content["unit"])
            assert unit.lot is not None
            assert self.sources[unit.lot] == entry.content["participant"]
        assert len({entry.content["unit"] for entry in given}) == len(given)

    @invariant()
    def nobody_has_two_live_lots_or_two_live_units_for_an_encounter(self):
        lots = [row.participant for row in self.bench.tables.all(LotRow) if row.status != "failed"]
        units = [
            (row.participant, row.encounter)
            for row in self.bench.tables.all(UnitRow)
            if row.status != "discarded"
        ]
        assert len(set(lots)) == len(lots)
        assert len(set(units)) == len(units)


TestChain = Chain.TestCase
TestChain.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
