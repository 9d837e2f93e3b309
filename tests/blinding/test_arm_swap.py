"""The arm-swap test: what masked roles can reach is byte for byte the same, whichever arm is which.

One seeded trial is run twice. In the second world the vault exchanges the names of the two arms; all that
happens in the clinic is the same, as the scenario is one without an effect. Two studies are run so: the one
that ships with the package, and a small one in which everything that the definition marks as unmasking does
depend on the arm. Everything that any account in a masked role can reach in either world is written down as
text, and the texts are compared. What can be reached is found by enumeration: every public method of the
view, every command, every command of the command line.

The commitments in the ledger depend on the arm, as they must, through a hash that is salted with 32 secret
bytes. In both worlds they are replaced by ideal ones (see `IdealVault`), and `test_the_real_commitment_...`
shows of the real one that it binds and is verified. Likewise each hash of the chain is compared by the
position of the entry that it belongs to: an entry that masked roles must not see has unpredictable bytes in
it, so that its hash tells nobody else what it says (`test_an_entry_that_unmasks_cannot_be_guessed_...`).

What could unmask by inference, and what would show it here:

    order of rows                    the texts keep the order in which rows come
    number of rows                   a row more or less is another text
    number and position of entries   positions stand in the audit trail, in records, in signatures
    time of entries                  every time of recording stands in the audit trail
    randomisation and unit numbers   they stand in lists and entries; both worlds draw the same
    codes of queries                 queries that unmask have a series of their own, which leaves no gap
    what is refused, and how         every command is tried by everybody, right or wrong
    names of files                   what the command line writes is compared with its names
    log records                      compared, and nothing of ours is among them

What is not covered: what people do because they know. An unmasked nurse who answers a query about a value
that only one arm has leaves entries behind her, whose positions masked roles find missing.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from equipoise.access.actor import Actor
from equipoise.access.content import KINDS, Audience
from equipoise.access.refusal import Refused
from equipoise.access.visibility import AUDIENCES, UNMASKING
from equipoise.allocation.commands import UnblindInEmergency, UnblindTrial
from equipoise.allocation.state import AllocationRow, CommitmentRow, UnblindingRow
from equipoise.allocation.vault import MemoryVault, commit, verify_openings
from equipoise.analysis.report.render import render_report
from equipoise.analysis.run import describe_masked
from equipoise.conduct import cut as cut_module
from equipoise.conduct.trial import Trial
from equipoise.conduct.view import MaskedView, UnmaskedView
from equipoise.conduct.view import scope as scope_module
from equipoise.conduct.view.scope import Scope
from equipoise.enrolment.state import ParticipantRow
from equipoise.governance.commands import GrantRole, RevokeRole
from equipoise.ledger import Entry
from equipoise.ledger.blots import NONCE
from tests.blinding.reach import (
    Line,
    command_types,
    find_difference,
    find_differences,
    public_names,
    read_views,
    try_commands,
    write_value,
)
from tests.blinding.worlds import World, make_worlds

UNBLINDING = frozenset({"UnblindTrial"})
"""The one command after which masked roles do see the arms, and are meant to."""


@pytest.fixture(params=["pilot", "betraying"])
def worlds(request: pytest.FixtureRequest) -> tuple[World, World]:
    return make_worlds(request.param)


def named(world: World, found: Iterable[Line]) -> Iterator[Line]:
    """What was found in a world, with hashes of the chain by their positions."""
    for place, text in found:
        yield place, world.name_hashes(text)


def compare(plain: World, swapped: World, *texts: Iterable[Line]) -> list[str]:
    """The differences of what was found in the two worlds, hashes of the chain aside."""
    first, second = (list(named(world, found)) for world, found in zip((plain, swapped), texts, strict=True))
    assert first, "nothing was compared"
    return find_differences(first, second)


def differ(plain: World, swapped: World, about: str = "") -> bool:
    """Whether masked accounts find the worlds to differ at the lock; reads on until they do."""
    first, second = (named(world, everything(world, world.points[-1])) for world in (plain, swapped))
    return find_difference(first, second, about) != ""


def with_logs(found: Iterable[Line], caplog: pytest.LogCaptureFixture) -> Iterator[Line]:
    """What is found, and then what was logged meanwhile: among that must be nothing of ours."""
    with caplog.at_level(logging.DEBUG):
        caplog.clear()
        yield from found
        for record in caplog.records:
            assert not record.name.startswith("equipoise"), record.getMessage()
            yield f"log of {record.name}", record.getMessage()


def everything(world: World, position: int) -> Iterator[Line]:
    trial = world.at(position)
    for actor in world.masked:
        yield from read_views(trial, actor)


@pytest.mark.requirement("G9", "G10")
def test_every_view_of_every_masked_account_and_every_log_line_is_the_same(
    worlds: tuple[World, World], caplog: pytest.LogCaptureFixture
) -> None:
    for position in worlds[0].points:
        found = (with_logs(everything(world, position), caplog) for world in worlds)
        assert compare(*worlds, *found) == []


@pytest.mark.requirement("G9", "G10", "G17")
def test_every_view_of_an_amended_trial_is_the_same() -> None:
    worlds = make_worlds("amended")
    assert any(each.kind == "VersionActivated" for each in worlds[0].ledger.read())
    assert compare(*worlds, *(everything(world, world.points[-1]) for world in worlds)) == []


@pytest.mark.requirement("G9", "G10")
def test_every_command_of_every_masked_account_is_answered_and_logged_the_same(
    worlds: tuple[World, World], caplog: pytest.LogCaptureFixture
) -> None:
    def answers(world: World, position: int) -> Iterator[Line]:
        trial = world.at(position)
        yield from try_commands(trial, world.masked, without=UNBLINDING)
        world.learn(trial)
        for kind in ("investigator", "data_manager"):
            actor = next(actor for actor in world.masked if _kind(world, actor) == kind)
            yield from read_views(trial, actor)

    for position in worlds[0].points:
        found = (with_logs(answers(world, position), caplog) for world in worlds)
        assert compare(*worlds, *found) == []


def test_the_masked_analysis_is_the_same(worlds: tuple[World, World]) -> None:
    def reports(world: World) -> Iterator[Line]:
        trial = world.at(world.points[-1])
        for actor in world.masked:
            if not AUDIENCES[_kind(world, actor)] >= {Audience.CONDUCT, Audience.READING}:
                continue
            cut = trial.as_seen_by(actor).cut()
            assert cut.masked
            described = describe_masked(cut)
            yield f"analysis for {actor.account}", write_value(described)
            yield f"report for {actor.account}", render_report(described, cut, masked=True)

    assert compare(*worlds, *(reports(world) for world in worlds)) == []


def test_every_entry_that_masked_roles_see_is_the_same(worlds: tuple[World, World]) -> None:
    plain, swapped = (list(world.ledger.read()) for world in worlds)
    assert [_frame(entry) for entry in plain] == [_frame(entry) for entry in swapped]
    for ours, theirs in zip(plain, swapped, strict=True):
        if KINDS[ours.kind].audience not in UNMASKING:
            assert ours.content == theirs.content, f"{ours.kind} at {ours.position}"


def test_the_arms_do_differ_and_unmasked_roles_see_it(worlds: tuple[World, World]) -> None:
    plain, swapped = (
        dict(view.arms())
        for view in (world.at(world.points[-1]).as_seen_by(_statistician(world)) for world in worlds)
        if isinstance(view, UnmaskedView)
    )
    assert plain.keys() == swapped.keys()
    assert all(plain[code] != swapped[code] for code in plain)
    assert len(set(plain.values())) == 2


def test_the_unmasked_views_are_found_to_differ(worlds: tuple[World, World]) -> None:
    def unmasked(world: World) -> Iterator[Line]:
        return read_views(world.at(world.points[-1]), _statistician(world), UnmaskedView)

    differences = compare(*worlds, *(unmasked(world) for world in worlds))
    for method in ("arms()", "arm(", "cut("):
        assert any(method in each for each in differences), f"{method} is the same in both worlds"


def test_in_the_betraying_study_what_unmasks_does_depend_on_the_arm() -> None:
    plain, swapped = (list(world.ledger.read()) for world in make_worlds("betraying"))
    differing = {a.kind for a, b in zip(plain, swapped, strict=True) if _said(a) != _said(b)}
    assert differing == {"UnmaskingFormRecorded", "UnmaskingChecksRun", "UnitAdministrationDetailed"}


# -- the comparison finds a leak


LEAKS: dict[str, Callable[[Any, dict[str, str]], object]] = {
    "by value": lambda lines, arms: [(line, arms.get(line.participant)) for line in lines],
    "by order": lambda lines, arms: sorted(lines, key=lambda line: arms.get(line.participant, "")),
    "by number": lambda lines, arms: [
        line for line in lines if arms.get(line.participant) != min(arms.values())
    ],
}
"""Ways in which a list could betray the arms."""


def _leaking(leak: Callable[[Any, dict[str, str]], object], real: Any, arms: dict[str, str]) -> Any:
    return lambda view: leak(real(view), arms)


@pytest.mark.parametrize("method", ["participants", "scans"])
@pytest.mark.parametrize("way", LEAKS)
def test_a_view_that_leaks_is_caught(way: str, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    worlds = make_worlds("pilot")
    real = getattr(MaskedView, method)
    found = []
    for world in worlds:
        view = world.at(world.points[-1]).as_seen_by(_statistician(world))
        assert isinstance(view, UnmaskedView)
        arms = dict(view.arms())
        monkeypatch.setattr(MaskedView, method, _leaking(LEAKS[way], real, arms))
        trial = world.at(world.points[-1])
        found.append(list(read_views(trial, _data_manager(world))))
    assert any(method in each for each in compare(*worlds, *map(iter, found)))


@pytest.mark.parametrize("kind", ["UnitAdministrationDetailed", "UnmaskingChecksRun"])
def test_an_entry_for_unmasked_eyes_that_gets_another_audience_is_caught(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds = make_worlds("betraying")
    monkeypatch.setattr(KINDS[kind], "audience", Audience.CONDUCT)
    assert differ(*worlds, "audit")


@pytest.mark.parametrize("guard", ["shows_query", "hides_unmasking", "visible_values", "mask_cut"])
def test_each_guard_of_the_masked_view_is_needed(guard: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Made before anything is changed: worlds are kept for all tests.
    worlds = make_worlds("betraying")
    if guard == "visible_values":
        monkeypatch.setattr(scope_module, guard, lambda definition, form, values, masked: dict(values))
    elif guard == "mask_cut":
        monkeypatch.setattr(cut_module, guard, lambda cut: replace(cut, masked=True))
    elif guard == "shows_query":
        monkeypatch.setattr(Scope, guard, lambda scope, query: True)
    else:
        monkeypatch.setattr(Scope, guard, property(lambda scope: False))
    assert differ(*worlds)


# -- what stands for the ideal commitment and the ideal hash


def test_the_real_commitment_binds_and_is_verified_from_the_ledger_alone() -> None:
    salt, other = bytes(32), bytes(31) + b"\x01"
    assert commit(salt, b"one") == commit(salt, b"one") == MemoryVault().commitment(salt, b"one")
    assert (
        len({commit(salt, b"one"), commit(salt, b"two"), commit(other, b"one"), commit(salt + b"o", b"ne")})
        == 4
    )
    plain, swapped = make_worlds("betraying")
    for world in (plain, swapped):
        trial = world.at(world.points[-1])
        revealed = trial.record(_statistician(world), UnblindTrial())
        assert isinstance(revealed, tuple)
        entries = list(trial.ledger.read())
        assert verify_openings(entries, world.vault.commitment) == ()
        assert [problem.code for problem in verify_openings(entries)] == ["OPENING-PLAN"]


def test_no_two_salts_are_the_same_and_none_is_in_the_ledger() -> None:
    (world, _) = make_worlds("betraying")
    tables = world.at(world.points[-1]).tables
    commitments = [row.commitment for row in tables.all(AllocationRow)]
    commitments += [row.commitment for row in tables.all(CommitmentRow)]
    assert len(set(commitments)) == len(commitments)
    assert not any(b'"salt"' in entry.body or b'"seed"' in entry.body for entry in world.ledger.read())


def test_an_entry_that_unmasks_cannot_be_guessed_from_its_hash(worlds: tuple[World, World]) -> None:
    nonces = [entry.content.get(NONCE) for entry in worlds[0].ledger.read()]
    hidden = [KINDS[entry.kind].audience in UNMASKING for entry in worlds[0].ledger.read()]
    assert [nonce is not None for nonce in nonces] == hidden
    drawn = [str(nonce) for nonce in nonces if nonce is not None]
    assert len(set(drawn)) == len(drawn) > 0
    assert {len(nonce) for nonce in drawn} == {32}


# -- who learns an allocation early


def test_the_arm_of_an_emergency_is_for_the_account_that_broke_the_code() -> None:
    for world in make_worlds("betraying"):
        trial = world.at(world.points[0])
        statistician = trial.as_seen_by(_statistician(world))
        assert isinstance(statistician, UnmaskedView)
        code = next(iter(statistician.arms()))
        priya = Actor(f"investigator.{code[:4].lower()}", "investigator", code[:4])
        assert _refused(trial, priya, code) == "ALL-NOT-UNBLINDED"
        trial.record(priya, UnblindInEmergency(participant=code, cause="Care depends on it."))
        assert trial.emergency_allocation(priya, code) == statistician.arm(code)
        others = [row.participant for row in trial.tables.all(ParticipantRow) if row.participant != code]
        for other in (*others, "SE01-999"):
            if not trial.tables.where(UnblindingRow, participant=other):
                assert _refused(trial, priya, other) == "ALL-NOT-UNBLINDED"
        for actor in world.cast.accounts():
            if actor != priya:
                assert _refused(trial, actor, code) == "ALL-NOT-UNBLINDED"
        assert _refused(trial, replace(priya, role="nurse"), code) == "ALL-NOT-UNBLINDED"
        assert _refused(trial, replace(priya, account="eve"), code) == "ALL-NOT-UNBLINDED"


def test_the_arm_of_an_emergency_is_gone_with_the_role() -> None:
    world, _ = make_worlds("betraying")
    trial = world.at(world.points[-1])
    row = next(row for row in trial.tables.all(UnblindingRow) if row.kind == "emergency")
    asker = Actor(row.account, "investigator", row.participant[:4])
    assert trial.emergency_allocation(asker, row.participant)
    revoked = RevokeRole(account=asker.account, role=asker.role, site=asker.site)
    assert isinstance(trial.record(world.cast.administrator(), revoked), tuple)
    assert _refused(trial, asker, row.participant) == "ALL-NOT-UNBLINDED"


def test_who_is_refused_an_emergency_allocation_reads_the_same_in_both_worlds(
    worlds: tuple[World, World],
) -> None:
    def refusals(world: World) -> Iterator[Line]:
        trial = world.at(world.points[-1])
        codes = [row.participant for row in trial.tables.all(ParticipantRow)]
        asked = {(row.account, row.participant) for row in trial.tables.all(UnblindingRow)}
        for actor in world.masked:
            for code in codes:
                if (actor.account, code) in asked:
                    continue
                with pytest.raises(Refused) as refused:
                    trial.emergency_allocation(actor, code)
                yield f"{actor.account} {code}", str(refused.value)

    assert compare(*worlds, *(refusals(world) for world in worlds)) == []


@pytest.mark.requirement("G14")
def test_nobody_reads_without_holding_the_role() -> None:
    world, _ = make_worlds("betraying")
    trial = world.at(world.points[0])
    eve = Actor("eve", _statistician(world).role)
    with pytest.raises(Refused) as refused:
        trial.as_seen_by(eve)
    assert refused.value.refusal.code == "ACC-GRANT"
    trial.record(world.cast.administrator(), GrantRole(account="eve", role=eve.role))
    assert isinstance(trial.as_seen_by(eve), UnmaskedView)
    trial.record(world.cast.administrator(), RevokeRole(account="eve", role=eve.role))
    with pytest.raises(Refused):
        trial.as_seen_by(eve)


def test_after_the_unblinding_the_same_roles_see_the_arms(worlds: tuple[World, World]) -> None:
    for world in worlds:
        trial = world.at(world.points[-1])
        dana = _data_manager(world)
        assert type(trial.as_seen_by(dana)) is MaskedView
        trial.record(_statistician(world), UnblindTrial())
        seen = trial.as_seen_by(dana)
        assert isinstance(seen, UnmaskedView)
        assert not seen.cut().masked


# -- what is enumerated is all there is


@pytest.mark.requirement("G4")
def test_a_trial_has_no_other_way_to_read_than_these() -> None:
    ways = {"as_seen_by", "emergency_allocation"}
    writing = {"record", "catch_up", "reading", "moment"}
    about_the_whole = {"definition", "definition_for", "evidence", "head", "unblinded"}
    assert set(public_names(Trial)) == ways | writing | about_the_whole


def test_masked_views_have_no_method_that_the_arms_could_come_from() -> None:
    assert set(public_names(UnmaskedView)) - set(public_names(MaskedView)) == {
        *("arm", "arms", "lots", "units", "products", "unit_labels", "chain_of_identity"),
        *("preparations", "explain_release"),
    }
    assert len(public_names(MaskedView)) >= 35
    assert len(command_types()) >= 40


def _kind(world: World, actor: Actor) -> str:
    role = world.definition.role(actor.role)
    assert role is not None
    return role.kind


def _statistician(world: World) -> Actor:
    return next(actor for actor in world.cast.accounts() if _kind(world, actor) == "unblinded_statistician")


def _data_manager(world: World) -> Actor:
    """Somebody who is masked and sees most of what masked roles see."""
    return next(actor for actor in world.masked if _kind(world, actor) == "data_manager")


def _refused(trial: Trial, actor: Actor, participant: str) -> str:
    with pytest.raises(Refused) as refused:
        trial.emergency_allocation(actor, participant)
    return refused.value.refusal.code


def _frame(entry: Entry) -> tuple[object, ...]:
    """All of an entry but what it says and its hashes."""
    return (
        entry.position,
        entry.kind,
        entry.version,
        entry.actor,
        entry.role,
        entry.site,
        entry.recorded_at,
        (
            entry.clinical_time,
            entry.reason,
        ),
    )


def _said(entry: Entry) -> dict[str, object]:
    return {name: value for name, value in entry.content.items() if name != NONCE}
