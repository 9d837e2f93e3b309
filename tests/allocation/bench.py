"""A bench with an allocator over a vault of its own."""

from dataclasses import replace
from datetime import date

from equipoise.allocation.commands import (
    CommitAllocation,
    RandomiseParticipant,
)
from equipoise.allocation.decide import Allocator
from equipoise.allocation.state import APPLY, AllocationRow
from equipoise.allocation.vault import MemoryVault, Vault
from equipoise.definition.model.conduct import Factor
from tests.factory import Bench, CountingEntropy, make_definition, when

DAY = date(2024, 6, 3)
ARMS = ("cells_first", "vehicle_first")
SEX = Factor(id="sex", value=when("demographics.sex"), levels=("f", "m"))


def allocation(**changes):
    return make_definition(allocation=replace(make_definition().allocation, **changes))


MINIMISED = allocation(method="minimisation", strata=(), factors=(Factor(id="site", weight=2), SEX))


class AllocationBench(Bench):
    """A bench with an allocator over a vault of its own."""

    allocator: Allocator

    def connect(self, vault: Vault) -> None:
        self.allocator = Allocator(vault)
        self.decide = dict(self.allocator.decide)

    def randomise(self, participant: str) -> AllocationRow:
        self.do(RandomiseParticipant(participant=participant, randomised_on=DAY))
        return self.tables.require(AllocationRow, participant)

    def arm(self, participant: str) -> str:
        return self.allocator.arm_of(self.tables, participant)

    def all_arms(self) -> dict[str, str]:
        return {row.participant: self.arm(row.participant) for row in self.tables.all(AllocationRow)}


def make_bench(definition=None, vault=None, *, committed=True, seed="") -> AllocationBench:
    bench = AllocationBench(({}, APPLY), definition=definition)
    bench.entropy = CountingEntropy(seed)
    bench.connect(MemoryVault() if vault is None else vault)
    if committed:
        bench.do(CommitAllocation())
    return bench


def codes(site, count):
    return [f"{site}-{number:03d}" for number in range(1, count + 1)]
