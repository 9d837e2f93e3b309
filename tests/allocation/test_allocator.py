"""The allocator: commitment, slots, numbers, and what it tells nobody."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.access.content import KINDS, Audience
from equipoise.access.refusal import Refusal
from equipoise.allocation.commands import (
    CommitAllocation,
    RandomiseParticipant,
    ReportUnblinding,
    UnblindInEmergency,
    UnblindTrial,
)
from equipoise.allocation.decide import Allocator, strata_of, stratum_name
from equipoise.allocation.state import AllocationRow
from equipoise.allocation.vault import MemoryVault, Plan, VaultMismatch, VaultMissing
from equipoise.definition.model.conduct import Factor
from equipoise.definition.model.study import Site
from equipoise.ledger import MemoryLedger, MissingRow
from tests.allocation.bench import ARMS, DAY, MINIMISED, SEX, allocation, codes, make_bench
from tests.factory import CountingEntropy, make_definition, when


@pytest.mark.requirement("E2", "R11")
def test_spec_the_list_is_committed_to_once_and_before_anybody_is_randomised():
    bench = make_bench(committed=False)
    refusal = bench.refused(RandomiseParticipant(participant="SE01-001", randomised_on=DAY))
    assert refusal.code == "ALL-UNCOMMITTED"
    (entry,) = bench.do(CommitAllocation())
    assert KINDS[entry.kind].audience is Audience.TRIAL
    assert entry.content.keys() == {"method", "commitment"}
    assert bench.refused(CommitAllocation()).code == "ALL-COMMITTED"


def test_spec_the_same_participant_is_never_randomised_twice():
    bench = make_bench()
    bench.randomise("SE01-001")
    assert (
        bench.refused(RandomiseParticipant(participant="SE01-001", randomised_on=DAY)).code
        == "ALL-RANDOMISED"
    )


def test_spec_nobody_is_randomised_in_the_future():
    tomorrow = RandomiseParticipant(participant="SE01-001", randomised_on=DAY + timedelta(days=1))
    assert make_bench().refused(tomorrow).code == "ALL-DATE"


def test_spec_slots_are_given_in_order_within_a_stratum():
    bench = make_bench()
    rows = [bench.randomise(code) for code in ("SE01-001", "CA01-001", "SE01-002", "CA01-002")]
    assert [(row.stratum, row.slot) for row in rows] == [
        ("site=SE01", 1),
        ("site=CA01", 1),
        ("site=SE01", 2),
        ("site=CA01", 2),
    ]


def test_spec_an_exhausted_stratum_is_refused_and_others_go_on():
    bench = make_bench()
    for code in codes("SE01", 12):
        bench.randomise(code)
    refusal = bench.refused(RandomiseParticipant(participant="SE01-013", randomised_on=DAY))
    assert refusal.code == "ALL-EXHAUSTED"
    assert bench.randomise("CA01-001").slot == 1


def test_spec_the_number_tells_neither_order_nor_arm():
    bench = make_bench()
    rows = [bench.randomise(code) for code in codes("SE01", 12)]
    numbers = [row.number for row in rows]
    assert len(set(numbers)) == 12
    assert sorted(numbers) != numbers
    # Another list gives the same participants other arms and, from the same entropy, the same numbers.
    plans = {}
    for seed in ("a", "b"):
        other = make_bench(seed=seed)
        other.entropy = CountingEntropy("numbers")
        plans[seed] = [(other.randomise(code).number, other.arm(code)) for code in codes("SE01", 12)]
    assert [number for number, _ in plans["a"]] == [number for number, _ in plans["b"]]
    assert [arm for _, arm in plans["a"]] != [arm for _, arm in plans["b"]]


@pytest.mark.requirement("G9")
def test_spec_no_entry_before_the_unblinding_holds_an_arm_a_seed_or_a_block():
    for definition in (make_definition(), MINIMISED):
        vault = MemoryVault()
        bench = make_bench(definition, vault)
        bench.know("demographics", sex="f")
        for code in codes("SE01", 6):
            bench.randomise(code)
        bench.do(UnblindInEmergency(participant="SE01-001", cause="Anaphylaxis"))
        written = b"".join(entry.body for entry in bench.entries).decode() + repr(bench.tables.dump())
        seed = Plan.read(vault.open("plan")).seed.hex()
        for secret in (*ARMS, seed, "seed", "lists", "weights"):
            assert secret not in written


def test_spec_the_entry_of_a_randomisation_holds_what_a_masked_role_may_see():
    bench = make_bench()
    (entry,) = bench.do(RandomiseParticipant(participant="SE01-001", randomised_on=DAY))
    assert KINDS[entry.kind].audience is Audience.CONDUCT
    fields = {"participant", "number", "stratum", "slot", "levels", "randomised_on", "commitment"}
    assert entry.content.keys() == fields
    assert entry.clinical_time == "2024-06-03"


def test_the_tables_follow_from_the_entries():
    bench = make_bench()
    bench.randomise("SE01-001")
    bench.do(UnblindInEmergency(participant="SE01-001", cause="Anaphylaxis"))
    bench.do(ReportUnblinding(participant="SE01-001", who="Nils", how="A label", assessment="No harm"))
    bench.do(UnblindTrial())
    assert bench.replayed() == bench.tables.dump()


# -- lists


def test_strata_cross_all_levels_and_keep_each_site_in_its_country():
    definition = allocation(strata=(Factor(id="country"), Factor(id="site"), SEX))
    assert strata_of(definition) == (
        "country=SE;site=SE01;sex=f",
        "country=SE;site=SE01;sex=m",
        "country=CA;site=CA01;sex=f",
        "country=CA;site=CA01;sex=m",
    )
    assert strata_of(allocation(strata=())) == ("all",)
    assert stratum_name({"site": "SE01", "sex": "f"}) == "site=SE01;sex=f"


def test_every_stratum_has_its_list_before_the_first_participant():
    vault = MemoryVault()
    make_bench(vault=vault)
    plan = Plan.read(vault.open("plan"))
    assert list(plan.lists) == ["site=CA01", "site=SE01"]
    assert all(sum(map(len, blocks)) == 12 for blocks in plan.lists.values())
    assert plan.lists["site=CA01"] != plan.lists["site=SE01"]


@given(st.permutations(codes("SE01", 6) + codes("CA01", 6)))
def test_the_list_does_not_depend_on_who_enrols_when(order):
    bench = make_bench()
    rows = [bench.randomise(code) for code in order]
    by_slot = {(row.stratum, row.slot): bench.arm(row.participant) for row in rows}
    plan = bench.allocator._plan(bench.tables)
    for (stratum, slot), arm in by_slot.items():
        listed = plan.arm_at(stratum, slot)
        assert listed is not None
        assert plan.arms[listed] == arm


def test_a_site_added_later_has_a_list_from_the_committed_seed():
    vault = MemoryVault()
    bench = make_bench(vault=vault)
    bench.randomise("SE01-001")
    site = Site(id="SE02", name="South hospital", country="SE", time_zone="Europe/Stockholm")
    study = replace(bench.definition.study, sites=(*bench.definition.study.sites, site))
    bench.definition = replace(bench.definition, study=study)
    bench.connect(vault)
    assert [bench.randomise(code).slot for code in codes("SE02", 4)] == [1, 2, 3, 4]
    again = Allocator(vault)
    assert all(again.arm_of(bench.tables, code) == bench.arm(code) for code in codes("SE02", 4))


def test_every_slot_and_the_plan_have_salts_of_their_own():
    vault = MemoryVault()
    make_bench(vault=vault)
    plan = Plan.read(vault.open("plan"))
    salts = [plan.slot_salt(stratum, slot) for stratum in plan.lists for slot in range(1, 13)]
    assert len({*salts, plan.plan_salt(), plan.seed}) == 26


def test_simple_randomisation_follows_the_ratio():
    definition = allocation(
        method="simple", strata=(), ratio={"cells_first": 3, "vehicle_first": 1}, slots_per_stratum=200
    )
    bench = make_bench(definition)
    plan = bench.allocator._plan(bench.tables)
    arms = Counter(plan.arms[plan.arm_at("all", slot) or 0] for slot in range(1, 201))
    assert abs(arms["cells_first"] - 150) < 25


@pytest.mark.parametrize("changes", [{"method": "simple"}, {"ratio": {"cells_first": 2, "vehicle_first": 1}}])
def test_a_changed_design_is_refused(changes):
    vault = MemoryVault()
    bench = make_bench(vault=vault)
    bench.definition = allocation(**changes)
    bench.connect(vault)
    assert bench.refused(RandomiseParticipant(participant="SE01-001", randomised_on=DAY)).code == "ALL-DESIGN"


# -- levels


@pytest.mark.parametrize("participant", ["XX99-001", "SE01001"])
def test_an_unknown_site_is_refused(participant):
    for factor in ("site", "country"):
        bench = make_bench(allocation(strata=(Factor(id=factor),)))
        refusal = bench.refused(RandomiseParticipant(participant=participant, randomised_on=DAY))
        assert (refusal.code, refusal.details) == ("ALL-FACTOR", (factor,))


@pytest.mark.parametrize("sex", [None, "x"])
def test_an_unknown_level_is_refused_and_uses_no_slot(sex):
    bench = make_bench(allocation(strata=(SEX,)))
    if sex:
        bench.know("demographics", sex=sex)
    refusal = bench.refused(RandomiseParticipant(participant="SE01-001", randomised_on=DAY))
    assert (refusal.code, refusal.details) == ("ALL-FACTOR", ("sex",))
    bench.rows.clear()
    bench.know("demographics", sex="f")
    assert bench.randomise("SE01-001").slot == 1


@pytest.mark.parametrize(
    ("value", "levels", "expected"),
    [
        ("vitals.weight >= 70", ("true", "false"), "true"),
        ("vitals.weight > 70", ("true", "false"), "false"),
        ("vitals.weight", ("70", "80"), "70"),
        ("vitals.systolic", ("120", "130"), "120"),
        ("vitals.taken_on", ("2024-06-01", "2024-06-02"), "2024-06-01"),
    ],
)
def test_levels_are_written_as_the_definition_writes_them(value, levels, expected):
    factor = Factor(id="factor", value=when(value), levels=levels)
    bench = make_bench(allocation(strata=(factor,)))
    bench.know("vitals", weight=Decimal("70.0"), systolic=120, taken_on=date(2024, 6, 1))
    assert bench.randomise("SE01-001").levels == {"factor": expected}


# -- minimisation


def test_minimisation_counts_everybody_in_one_stratum_and_seals_each_arm():
    vault = MemoryVault()
    bench = make_bench(MINIMISED, vault)
    bench.know("demographics", sex="f")
    rows = [bench.randomise(code) for code in ("SE01-001", "CA01-001", "SE01-002")]
    assert [(row.stratum, row.slot) for row in rows] == [("all", 1), ("all", 2), ("all", 3)]
    assert rows[0].levels == {"site": "SE01", "sex": "f"}
    assert set(vault.names()) == {"plan", *(f"arm/{row.number}" for row in rows)}
    assert {len(vault.open(f"arm/{row.number}")) for row in rows} == {1}


def test_certain_minimisation_alternates_among_people_alike():
    definition = replace(MINIMISED, allocation=replace(MINIMISED.allocation, probability=Decimal(1)))
    bench = make_bench(definition)
    bench.know("demographics", sex="f")
    arms = []
    for code in codes("SE01", 10):
        bench.randomise(code)
        arms.append(bench.arm(code))
    assert all({first, second} == set(ARMS) for first, second in zip(arms[::2], arms[1::2], strict=True))


@pytest.mark.parametrize("definition", [make_definition(), MINIMISED])
def test_an_attempt_that_is_cut_off_before_the_ledger_changes_nobodys_arm(definition):
    def run(vault, *, cut_off):
        bench = make_bench(definition, vault, committed=False)
        bench.know("demographics", sex="f")
        for command in [
            CommitAllocation(),
            *(RandomiseParticipant(participant=code, randomised_on=DAY) for code in codes("SE01", 8)),
        ]:
            if cut_off:
                assert not isinstance(bench.ask(command), Refusal)
            bench.do(command)
        return bench.all_arms()

    assert run(MemoryVault(), cut_off=True) == run(MemoryVault(), cut_off=False)


def test_after_a_cut_another_participant_may_take_the_slot():
    bench = make_bench(MINIMISED)
    bench.know("demographics", sex="f")
    bench.ask(RandomiseParticipant(participant="SE01-001", randomised_on=DAY))
    assert bench.randomise("SE01-002").slot == 1
    assert bench.randomise("SE01-001").slot == 2
    assert set(bench.all_arms()) == {"SE01-001", "SE01-002"}


# -- the vault


@pytest.mark.parametrize("definition", [make_definition(), MINIMISED])
def test_two_allocators_over_one_vault_agree(definition):
    vault = MemoryVault()
    bench = make_bench(definition, vault)
    bench.know("demographics", sex="f")
    for code in codes("SE01", 8):
        bench.connect(vault)
        bench.randomise(code)
    other = Allocator(vault)
    assert {code: other.arm_of(bench.tables, code) for code in codes("SE01", 8)} == bench.all_arms()


def test_a_plan_that_was_sealed_and_not_committed_to_is_taken_and_not_drawn_again():
    vault = MemoryVault()
    make_bench(vault=vault, seed="first")
    sealed = vault.open("plan")
    later = make_bench(vault=vault, seed="second")
    assert vault.open("plan") == sealed
    assert later.randomise("SE01-001").slot == 1


@pytest.mark.parametrize(
    "other",
    [allocation(method="simple"), make_definition(study=replace(make_definition().study, id="other"))],
)
def test_the_vault_of_another_design_is_refused(other):
    vault = MemoryVault()
    make_bench(vault=vault)
    assert make_bench(other, vault, committed=False).refused(CommitAllocation()).code == "ALL-VAULT"


def test_no_vault_but_the_committed_one_is_believed():
    bench = make_bench(seed="first")
    bench.randomise("SE01-001")
    other = MemoryVault()
    make_bench(vault=other, seed="second")
    bench.connect(other)
    with pytest.raises(VaultMismatch, match="plan"):
        bench.arm("SE01-001")
    bench.connect(MemoryVault())
    with pytest.raises(VaultMissing, match="plan"):
        bench.arm("SE01-001")


class ForgedVault(MemoryVault):
    """A vault in which every sealed arm was exchanged afterwards."""

    def open(self, name):
        sealed = super().open(name)
        return {b"0": b"1", b"1": b"0"}.get(sealed, sealed)


def test_an_arm_that_was_changed_in_the_vault_is_not_handed_out():
    bench = make_bench(MINIMISED, ForgedVault())
    bench.know("demographics", sex="f")
    bench.randomise("SE01-001")
    with pytest.raises(VaultMismatch, match="SE01-001"):
        bench.arm("SE01-001")


@pytest.mark.parametrize("change", [{"slot": 13}, {"number": "R-00000000"}, {"commitment": "0" * 64}])
def test_a_row_that_does_not_open_its_commitment_gives_no_arm(change):
    bench = make_bench()
    bench.tables.put(replace(bench.randomise("SE01-001"), **change))
    with pytest.raises(VaultMismatch, match="SE01-001"):
        bench.arm("SE01-001")


def test_nobody_has_an_arm_who_is_not_randomised():
    with pytest.raises(MissingRow):
        make_bench().arm("SE01-001")


# -- exchanging the arms


class IdealVault(MemoryVault):
    """A vault whose commitments hide perfectly: they depend on the salt alone."""

    def commitment(self, salt, message):
        return super().commitment(salt, b"")


@pytest.mark.parametrize("definition", [make_definition(), allocation(method="simple"), MINIMISED])
def test_exchanging_the_two_arms_exchanges_nothing_else(definition):
    ratio = dict(reversed(definition.allocation.ratio.items()))
    swapped = replace(definition, allocation=replace(definition.allocation, ratio=ratio))
    benches = []
    for each in (definition, swapped):
        bench = make_bench(each, IdealVault())
        for code in codes("SE01", 12):
            bench.rows.clear()
            bench.know("demographics", sex="fm"[int(code[-1]) % 3 == 0])
            bench.randomise(code)
        bench.do(UnblindInEmergency(participant="SE01-001", cause="Anaphylaxis"))
        benches.append(bench)
    one, other = benches
    exchange = dict(zip(ARMS, reversed(ARMS), strict=True))
    assert [entry.body for entry in one.entries] == [entry.body for entry in other.entries]
    assert one.tables.dump() == other.tables.dump()
    assert other.all_arms() == {code: exchange[arm] for code, arm in one.all_arms().items()}
    assert set(one.all_arms().values()) == set(ARMS)


# -- at the same time


@pytest.mark.parametrize("definition", [make_definition(), MINIMISED])
@pytest.mark.requirement("R8")
def test_no_slot_is_lost_or_shared_by_many_at_once(definition):
    bench, ledger = make_bench(definition), MemoryLedger()
    bench.know("demographics", sex="f")
    barrier = Barrier(4)

    def enrol(part: int) -> None:
        barrier.wait(timeout=60)
        for number in range(1 + part, 13, 4):
            with ledger.exclusive():
                bench.randomise(f"SE01-{number:03d}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(enrol, range(4)))
    rows = list(bench.tables.all(AllocationRow))
    assert sorted(row.slot for row in rows) == list(range(1, 13))
    assert len({row.number for row in rows}) == 12
