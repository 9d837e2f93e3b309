"""MESEMS in the languages of its sites: complete, of the same things, and with the same numbers in them."""

import re
from pathlib import Path

import pytest

from equipoise.definition.languages import in_language, missing_texts, texts_of, translations_of
from equipoise.studies import study_folder
from tests.studies.mesems_cast import mesems

LANGUAGES = ("it", "sv")
# What is called the same in both languages, or is a name.
SAME_MAX = 25


def test_spec_sites_read_in_swedish_and_italian():
    assert tuple(sorted(mesems().languages)) == LANGUAGES


@pytest.mark.parametrize("tag", LANGUAGES)
def test_spec_every_text_is_translated_and_nothing_else(tag):
    assert missing_texts(mesems(), tag) == ()
    assert translations_of(mesems().languages[tag]).keys() == texts_of(mesems()).keys()


@pytest.mark.parametrize("tag", LANGUAGES)
def test_spec_all_twenty_forms_and_sixteen_encounters_are_translated(tag):
    translated = in_language(mesems(), tag)
    assert len(translated.forms) == 20
    assert len(translated.schedule.encounters) == 16
    for form, original in zip(translated.forms, mesems().forms, strict=True):
        assert [item.id for item in form.items] == [item.id for item in original.items]
        assert [item.when for item in form.items] == [item.when for item in original.items]
        assert [check.holds for check in form.checks] == [check.holds for check in original.checks]


@pytest.mark.parametrize("tag", LANGUAGES)
def test_spec_a_translation_has_the_numbers_of_its_original(tag):
    said = translations_of(mesems().languages[tag])
    for place, text in texts_of(mesems()).items():
        numbers = [sorted(re.findall(r"\d+(?:\.\d+)?", each)) for each in (text, said[place])]
        assert numbers[0] == numbers[1], place


@pytest.mark.parametrize("tag", LANGUAGES)
def test_spec_the_texts_are_not_the_english_ones(tag):
    said, own = translations_of(mesems().languages[tag]), texts_of(mesems())
    assert len({own[place] for place in own if own[place] == said[place]}) <= SAME_MAX


@pytest.mark.parametrize("tag", LANGUAGES)
def test_spec_what_is_called_the_same_is_translated_the_same(tag):
    said = translations_of(mesems().languages[tag])
    for kind in ("message", "visit"):
        told: dict[str, set[str]] = {}
        for place, text in texts_of(mesems()).items():
            if (kind == "message" and "checks" in place) or (kind == "visit" and place[0] == "encounters"):
                told.setdefault(text, set()).add(said[place])
        assert all(len(words) == 1 for words in told.values())


@pytest.mark.parametrize("tag", LANGUAGES)
def test_spec_a_reader_is_told_that_the_translation_was_not_validated(tag):
    head = Path(study_folder("mesems") / "languages" / f"{tag}.yaml").read_text(encoding="utf-8")
    assert "have not been linguistically validated" in " ".join(head.split("\ntitle:")[0].split())
    assert "translations" in {assumption.id for assumption in mesems().study.assumptions}


def test_spec_the_site_reads_the_swedish_rule_in_swedish():
    swedish = in_language(mesems(), "sv-SE")
    variant = next(v for v in swedish.eligibility.variants if v.id == "sweden")
    assert variant.title == "Sverige"
    assert {c.id: c.text for c in variant.criteria}[
        "I4"
    ] == "Expanded Disability Status Scale från 3.0 till 6.5"
    assert {form.id: form.title for form in swedish.forms}["relapse"] == "Skov"
    assert swedish.supply.products[0].unit_name == "påse"
