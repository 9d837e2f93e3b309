"""Who may do what: one table, which misses no command and lets nobody in by accident."""

import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

import equipoise.conduct.rooms  # noqa: F401 - brings every command and entry kind in
from equipoise.access.actor import SYSTEM, Actor
from equipoise.access.permissions import (
    PERMITTED,
    check_answers,
    check_filled_by,
    check_permission,
    check_site,
    permitted_commands,
    role_kind,
)
from equipoise.definition.model.study import Role
from tests.blinding.reach import command_types
from tests.small_trial import make_definition

DEFINITION = make_definition()
ROLE_KINDS = frozenset(typing.get_args(typing.get_type_hints(Role)["kind"]))
NAMES = frozenset(each.__name__ for each in command_types())


def test_every_command_has_a_row_and_every_row_a_command():
    assert PERMITTED.keys() == NAMES


def test_every_command_is_somebodys_and_every_permitted_kind_exists():
    assert all(PERMITTED.values())
    assert frozenset().union(*PERMITTED.values()) <= ROLE_KINDS | {"system"}


@pytest.mark.parametrize("kind", sorted(ROLE_KINDS | {"burglar"}))
def test_the_commands_of_a_kind_are_those_whose_rows_name_it(kind):
    names = permitted_commands(kind)
    assert list(names) == sorted(names)
    assert {name for name in NAMES if kind in PERMITTED[name]} == set(names)


@given(role=st.sampled_from(DEFINITION.study.roles), command=st.sampled_from(sorted(NAMES)))
def test_a_role_may_give_exactly_what_its_row_says(role, command):
    refusal = check_permission(DEFINITION, Actor("somebody", role.id, "SE01"), command)
    if role.kind in PERMITTED[command]:
        assert refusal is None
    else:
        assert refusal is not None
        assert refusal.code == "ACC-COMMAND"


@given(st.text().filter(lambda name: name not in NAMES))
def test_a_command_that_is_not_in_the_table_is_nobodys(command):
    for actor in (SYSTEM, *(Actor("somebody", role.id) for role in DEFINITION.study.roles)):
        refusal = check_permission(DEFINITION, actor, command)
        assert refusal is not None
        assert refusal.remedy == "It is given by: nobody."


@given(st.text().filter(lambda name: DEFINITION.role(name) is None), st.sampled_from(sorted(NAMES)))
def test_a_role_that_the_study_does_not_have_may_do_nothing(role, command):
    refusal = check_permission(DEFINITION, Actor("eve", role), command)
    assert refusal is not None
    assert refusal.code == "ACC-ROLE"


def test_only_the_system_itself_is_of_the_kind_system():
    assert role_kind(DEFINITION, SYSTEM) == "system"
    assert check_permission(DEFINITION, SYSTEM, "OpenTrial") is None
    for actor in (Actor("eve", "system"), Actor("system", "system", "SE01"), Actor("system", "nurse")):
        assert check_permission(DEFINITION, actor, "OpenTrial") is not None
    assert "system" not in ROLE_KINDS


@pytest.mark.parametrize(
    ("own", "concerned", "allowed"),
    [
        ("SE01", "SE01", True),
        ("SE01", "CA01", False),
        ("SE01", None, True),
        (None, "CA01", True),
        (None, None, True),
    ],
)
def test_site_staff_act_at_their_own_site(own, concerned, allowed):
    refusal = check_site(Actor("nils", "nurse", own), concerned)
    assert (refusal is None) is allowed
    assert refusal is None or refusal.code == "ACC-SITE"


@pytest.mark.parametrize(
    ("role", "form", "allowed"),
    [
        ("nurse", "vitals", True),
        ("laboratory", "vitals", False),
        ("laboratory", "thaw", True),
        ("nurse", "thaw", False),
        ("nurse", "unheard_of", True),
        ("burglar", "unheard_of", False),
    ],
)
def test_a_form_is_filled_in_by_the_site_staff_or_by_whom_it_names(role, form, allowed):
    refusal = check_filled_by(DEFINITION, Actor("somebody", role, "SE01"), form)
    assert (refusal is None) is allowed
    assert refusal is None or refusal.code == "ACC-FORM"


@pytest.mark.parametrize(
    ("role", "form", "allowed"),
    [("nurse", "thaw", True), ("laboratory", "thaw", True), ("laboratory", "vitals", False)],
)
def test_what_a_form_says_is_answered_for_by_site_staff_and_by_who_fills_it_in(role, form, allowed):
    refusal = check_answers(DEFINITION, Actor("somebody", role, "SE01"), form)
    assert (refusal is None) is allowed
    assert refusal is None or refusal.code == "ACC-FORM"
