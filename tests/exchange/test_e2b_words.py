"""E2B(R3): what the words of a study's own answers mean in the codes of a report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from equipoise.exchange.e2b.event_codes import ACTIONS, CAUSALITIES, CRITERIA, OUTCOMES, _meaning
from tests.exchange.e2b_cases import elements, full_cut, write


@pytest.mark.parametrize(
    ("words", "text", "meaning"),
    [
        (OUTCOMES, "not recovered/not resolved", "not_recovered"),
        (OUTCOMES, "recovered with sequelae", "sequelae"),
        (OUTCOMES, "recovering", "recovering"),
        (OUTCOMES, "resolved", "recovered"),
        (OUTCOMES, "death", "fatal"),
        (OUTCOMES, "lost to follow-up", None),
        (OUTCOMES, "fatal", "fatal"),
        (OUTCOMES, "non-fatal", None),
        (OUTCOMES, "non fatal", None),
        (OUTCOMES, "nonfatal", None),
        (OUTCOMES, "not fatal", None),
        (OUTCOMES, "recovered without sequelae", "recovered"),
        (OUTCOMES, "not improved", "not_recovered"),
        (OUTCOMES, "unrecovered", "not_recovered"),
        (CAUSALITIES, "not related", "unrelated"),
        (CAUSALITIES, "unlikely", "unlikely"),
        (CAUSALITIES, "probably related", "probable"),
        (CAUSALITIES, "related", None),
        (CAUSALITIES, "certain", "certain"),
        (CAUSALITIES, "definitely related", "certain"),
        (CAUSALITIES, "uncertain", None),
        (CAUSALITIES, "not certain", None),
        (CAUSALITIES, "definitely not", "unrelated"),
        (CAUSALITIES, "impossible", "unrelated"),
        (CAUSALITIES, "impossible to assess", None),
        (CAUSALITIES, "not possible to assess", None),
        (CAUSALITIES, "possibly", "possible"),
        (CAUSALITIES, "likely", "probable"),
        (CAUSALITIES, "not likely", "unlikely"),
        (CAUSALITIES, "probably not", "unlikely"),
        (CAUSALITIES, "improbable", "unlikely"),
        (CAUSALITIES, "doubtful", "unlikely"),
        (ACTIONS, "next infusion not given", "withdrawn"),
        (ACTIONS, "none", "not_changed"),
        (ACTIONS, "drug not withdrawn", None),
        (ACTIONS, "dose not reduced", None),
        (CRITERIA, "needed or prolonged a stay in hospital", "hospitalisation"),
        (CRITERIA, "non-fatal", None),
        (CRITERIA, "is medically important for another reason", "medically_important"),
    ],
)
def test_spec_words_have_the_meaning_that_a_reader_gives_them(
    words: tuple[tuple[str, str], ...], text: str, meaning: str | None
) -> None:
    assert _meaning(words, text) == meaning


@pytest.mark.parametrize("comment", ["He had eaten nuts.", None])
def test_spec_a_term_that_is_called_a_description_is_no_comment(comment: str | None, tmp_path: Path) -> None:
    cut = full_cut(comment=comment)
    forms = tuple(
        replace(
            form,
            items=tuple(
                replace(each, label="Description of the event") if each.id == "term" else each
                for each in form.items
            ),
        )
        if form.id == "adverse_event"
        else form
        for form in cut.definition.forms
    )
    found = elements(write(replace(cut, definition=replace(cut.definition, forms=forms))), tmp_path)
    assert found["E.i.1.1a"] == ("Fever, with a rash & < 3 °C",)
    assert found.get("H.2") == (None if comment is None else (comment,))
