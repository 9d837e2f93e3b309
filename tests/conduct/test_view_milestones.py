"""The steps of the trial as a whole, the head of what is shown, and how much was corrected."""

from collections import Counter

import pytest

from equipoise.access.refusal import Refused
from equipoise.ledger.entry import Head
from tests.conduct.test_view import locked, view_as


@pytest.mark.requirement("E2")
def test_milestones_say_what_was_fixed_before_anybody_was_randomised() -> None:
    _, trial = locked()
    steps = {line.kind: line for line in view_as("administrator").milestones()}
    first = next(e for e in trial.ledger.read() if e.kind == "ParticipantRandomised")
    assert steps["TrialOpened"].detail == trial.definition.hash
    assert len(steps["AllocationCommitted"].detail) == 64
    assert steps["AllocationCommitted"].position < first.position < steps["DatabaseLocked"].position


def test_a_published_head_is_the_one_before_its_entry() -> None:
    _, trial = locked()
    for line in view_as("administrator").milestones():
        if line.kind == "HeadPublished":
            before = next(trial.ledger.read(line.position - 2))
            assert line.head == before.hash
        else:
            assert line.head is None


def test_the_head_is_that_of_the_state_that_is_shown() -> None:
    _, trial = locked()
    assert view_as("data_manager").head() == trial.head
    assert isinstance(view_as("administrator").head(), Head)


def test_readers_see_neither_milestones_nor_head() -> None:
    reader = view_as("reader")
    for read in (reader.milestones, reader.head, reader.corrections):
        with pytest.raises(Refused):
            read()


def test_corrections_are_counted_within_the_scope() -> None:
    _, trial = locked()
    corrected = Counter(e.content["participant"] for e in trial.ledger.read() if e.kind == "ItemCorrected")
    seen = view_as("data_manager").corrections()
    assert sum(seen.values()) == sum(corrected.values()) > 0
    assert {each.split("-")[0] for each in view_as("investigator", "SE01").corrections()} == {"SE01"}
