"""The page about checking names every rule and limit as the code has them."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from equipoise.exchange.registry import rules
from equipoise.exchange.registry.quality import RULES
from tests.exchange.quality_tables import contradictions_table, limits_table, quality_table

PAGE = Path(__file__).parents[2] / "docs" / "registry-check.md"


@pytest.mark.parametrize("table", [contradictions_table, quality_table, limits_table])
def test_the_page_has_the_table_of_the_code(table):
    assert table() in PAGE.read_text(encoding="utf-8"), f"put this into the page:\n{table()}"


@pytest.mark.parametrize("code", rules.RULES)
def test_a_rule_stands_under_the_code_that_it_finds(code):
    module = inspect.getmodule(rules.RULES[code])
    assert module is not None
    called = inspect.getsource(rules.RULES[code])
    named = set(re.findall(r'"(REC-[A-Z-]+)"', called))
    # One rule makes its finding in a function of its own.
    assert named == {code} or (not named and f'"{code}"' in inspect.getsource(module))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_says_what_it_asks_and_who_asks(rule):
    assert (rule.find.__doc__ or "").strip().split("\n")[0]
    assert rule.source
    assert not rule.sentence.endswith(".") and not rule.remedy.endswith(".")
    assert ". " not in rule.remedy
