"""Checking, from the ledger alone, that what was revealed is what was committed to."""

from dataclasses import replace

import pytest

from equipoise.allocation.commands import UnblindInEmergency, UnblindTrial
from equipoise.allocation.vault import MemoryVault, verify_openings
from equipoise.ledger import Draft, Entry, Head, Stamp, seal
from tests.allocation.bench import MINIMISED, allocation, codes, make_bench
from tests.factory import make_definition

DESIGNS = [make_definition(), allocation(method="simple"), MINIMISED]


def revealed(definition=None, vault=None):
    bench = make_bench(definition, vault)
    bench.know("demographics", sex="f")
    for code in codes("SE01", 5):
        bench.randomise(code)
    bench.do(UnblindInEmergency(participant="SE01-002", cause="Anaphylaxis"))
    bench.do(UnblindTrial())
    return bench


def changed(entries, kind, change, participant=None):
    """The same entries, the content of one kind changed and everything sealed again."""
    new: list[Entry] = []
    for old in entries:
        content = dict(old.content)
        if old.kind == kind and participant in (None, content.get("participant")):
            change(content)
        head = new[-1].head if new else Head.genesis()
        stamp = Stamp(old.definition, old.actor, old.role, old.site, old.recorded_at, old.reason)
        new.append(seal(head, Draft(old.kind, old.version, content, old.clinical_time), stamp))
    return new


def problems(entries):
    return [(problem.code, problem.participant) for problem in verify_openings(entries)]


@pytest.mark.parametrize("definition", DESIGNS)
def test_a_true_unblinding_verifies(definition):
    assert verify_openings(revealed(definition).entries) == ()


def test_before_the_unblinding_there_is_nothing_to_verify():
    assert verify_openings(make_bench().entries) == ()


@pytest.mark.parametrize("definition", DESIGNS)
def test_another_plan_is_found(definition):
    def change(content):
        content["plan"] = content["plan"].replace("[0,1", "[1,0").replace('"seed":"', '"seed":"0')

    assert problems(changed(revealed(definition).entries, "TrialUnblinded", change)) == [
        ("OPENING-PLAN", None)
    ]


def test_an_unblinding_without_a_commitment_is_found():
    entries = [entry for entry in revealed().entries if entry.kind != "AllocationCommitted"]
    assert problems(entries) == [("OPENING-PLAN", None)]


@pytest.mark.parametrize("definition", DESIGNS)
def test_an_arm_that_was_exchanged_in_the_unblinding_is_found(definition):
    def change(content):
        other = {"cells_first": "vehicle_first", "vehicle_first": "cells_first"}
        first, *rest = content["openings"]
        content["openings"] = ({**first, "arm": other[first["arm"]]}, *rest)

    found = problems(changed(revealed(definition).entries, "TrialUnblinded", change))
    assert found == [("OPENING-SLOT", "SE01-001")]


def test_a_salt_that_opens_nothing_is_found():
    def change(content):
        first, *rest = content["openings"]
        content["openings"] = ({**first, "salt": "00"}, *rest)

    found = problems(changed(revealed().entries, "TrialUnblinded", change))
    assert found == [("OPENING-SLOT", "SE01-001")]


def test_a_participant_who_was_left_out_is_found():
    def change(content):
        content["openings"] = content["openings"][1:]

    found = problems(changed(revealed().entries, "TrialUnblinded", change))
    assert found == [("OPENING-MISSING", "SE01-001")]


def test_a_participant_who_was_never_randomised_is_found():
    def change(content):
        content["openings"] = (
            *content["openings"],
            {"participant": "SE01-999", "arm": "cells_first", "salt": ""},
        )

    found = problems(changed(revealed().entries, "TrialUnblinded", change))
    assert found == [("OPENING-UNKNOWN", "SE01-999")]


class CarelessVault(MemoryVault):
    """A vault that commits to the salts alone, so that the arms could be exchanged afterwards."""

    def commitment(self, salt, message):
        return super().commitment(salt, b"")


@pytest.mark.parametrize("definition", DESIGNS)
def test_an_arm_that_the_plan_does_not_give_is_found_even_if_its_commitment_opens(definition):
    def change(content):
        other = {"cells_first": "vehicle_first", "vehicle_first": "cells_first"}
        first, *rest = content["openings"]
        content["openings"] = ({**first, "arm": other[first["arm"]]}, *rest)

    vault = CarelessVault()
    entries = changed(revealed(definition, vault).entries, "TrialUnblinded", change)
    found = [(problem.code, problem.participant) for problem in verify_openings(entries, vault.commitment)]
    assert found == [("OPENING-ARM", "SE01-001")]


def test_a_slot_beyond_the_end_of_the_list_is_found():
    def change(content):
        content["slot"] = 99

    vault = CarelessVault()
    entries = changed(revealed(vault=vault).entries, "ParticipantRandomised", change, "SE01-002")
    found = [
        (problem.code, problem.participant) for problem in verify_openings(entries, lambda salt, message: "x")
    ]
    assert found == [("OPENING-PLAN", None)]
    committed = changed(entries, "AllocationCommitted", lambda content: content.update(commitment="x"))
    for each in codes("SE01", 5):
        committed = changed(
            committed, "ParticipantRandomised", lambda content: content.update(commitment="x"), each
        )
    found = [
        (problem.code, problem.participant)
        for problem in verify_openings(committed, lambda salt, message: "x")
    ]
    assert found == [("OPENING-ARM", "SE01-002")]


def test_a_sentence_names_the_participant_and_no_arm():
    def change(content):
        content["openings"] = ()

    for problem in verify_openings(changed(revealed().entries, "TrialUnblinded", change)):
        assert problem.participant is not None
        assert problem.participant in problem.sentence
        assert "first" not in replace(problem).sentence
