"""Items on a page: how answers are read, shown, and found wrong."""

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from equipoise.definition.model.forms import Code, Form, Item
from equipoise.definition.recording import read_values
from equipoise.web.items import problem_words, read_items, shown, unit_words, written

STOCKHOLM = ZoneInfo("Europe/Stockholm")
WEIGHT = Item(
    id="weight", label="Weight", type="decimal", unit="kg", minimum=Decimal(1), maximum=Decimal(250)
)
CELLS = Item(id="cells", label="Cells", type="decimal", unit="10*6/kg", maximum=Decimal(2000))
AWARE = Item(id="aware", label="Aware", type="datetime")
SEX = Item(id="sex", label="Sex", type="choice", codes=(Code(code="f", label="Female"),))
FORM = Form(id="f", title="F", items=(WEIGHT, CELLS, AWARE, SEX))


@pytest.mark.parametrize(
    ("item", "typed", "read"),
    [
        ("weight", "71,5", "71.5"),
        ("weight", " 71.5 ", "71.5"),
        # Thousands are out of this item's range, so that the comma can only be the decimal sign.
        ("weight", "71,125", "71.125"),
        ("cells", "0,125", "0.125"),
        ("cells", "1,25", "1.25"),
    ],
)
def test_spec_a_decimal_comma_is_the_decimal_sign(item: str, typed: str, read: str):
    assert read_items(FORM, {f"item-{item}": typed}) == {item: read}


@pytest.mark.parametrize("typed", ["1,000", "12,345", "1.000,5", "1 000"])
def test_spec_what_may_part_thousands_is_refused_and_not_guessed(typed: str):
    answers = read_items(FORM, {"item-cells": typed})
    (problem,) = [each for each in read_values(FORM, answers).problems if each.item == "cells"]
    assert problem.code == "ITEM-TYPE"
    assert "thousands" in problem_words(CELLS, problem)


@pytest.mark.requirement("G6")
def test_spec_a_time_is_one_at_the_site_and_is_stored_in_utc():
    answers = read_items(FORM, {"item-aware": "2024-07-01T09:30"}, STOCKHOLM)
    stored = read_values(FORM, answers).stored["aware"]
    assert stored == "2024-07-01T07:30:00Z"
    assert written(AWARE, stored, STOCKHOLM) == "2024-07-01T09:30"
    assert shown(AWARE, stored, STOCKHOLM) == "2024-07-01 09:30 UTC+02:00"


@pytest.mark.parametrize("typed", ["yesterday", "2024-02-30T09:00", "0001-01-01T00:00"])
def test_a_time_that_is_none_is_a_problem_of_its_item(typed: str):
    answers = read_items(FORM, {"item-aware": typed}, STOCKHOLM)
    assert [each.item for each in read_values(FORM, answers).problems if each.code != "ITEM-MISSING"] == [
        "aware"
    ]


def test_numbers_are_shown_in_the_readers_language():
    with translation.override("sv"):
        assert (shown(WEIGHT, "71.5", STOCKHOLM), written(WEIGHT, "71.5", STOCKHOLM)) == ("71,5 kg", "71,5")
    assert shown(WEIGHT, "71.5", STOCKHOLM) == "71.5 kg"


def test_a_choice_is_shown_by_its_label_and_a_unit_as_people_write_it():
    assert shown(SEX, "f", STOCKHOLM) == "Female"
    assert unit_words(CELLS) == "10⁶/kg"
    assert unit_words(Item(id="p", label="P", type="integer", unit="mm[Hg]")) == "mmHg"


def test_every_problem_that_reading_can_find_has_words_of_its_own():
    form = Form(
        id="g",
        title="G",
        items=tuple(
            Item(id=kind, label=kind, type=kind, minimum=Decimal(5) if kind == "integer" else None)
            for kind in (
                "integer",
                "decimal",
                "text",
                "boolean",
                "choice",
                "date",
                "partial_date",
                "datetime",
            )
        ),
    )
    wrong = {item.id: "\x00" for item in form.items} | {"integer": "4"}
    for problem in [*read_values(form, wrong).problems, *read_values(form, {}).problems]:
        item = form.item(problem.item)
        assert item is not None
        assert problem_words(item, problem) != "This cannot be read."
