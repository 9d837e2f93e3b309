"""Other languages: nothing but texts changes, each falls back by itself, and no hash can be confused."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.definition.expression import Node
from equipoise.definition.findings import Place
from equipoise.definition.languages import (
    TranslatedDefinition,
    in_language,
    languages_for,
    missing_texts,
    texts_of,
    translations_of,
)
from equipoise.definition.load import load_study
from equipoise.definition.lock import canonical_json, definition_from_json, hashed, write_lock
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.language import FormTexts, ItemTexts, Language
from equipoise.definition.synopsis import render_synopsis
from tests.definition.folders import write_study

# The keys of the model that hold words for a reader at a site.
TEXTS = frozenset(
    {"title", "name", "short_name", "text", "note", "label", "help", "message", "unit_name", "dose"}
)


@cache
def calm() -> StudyDefinition:
    """The example study with its Danish texts."""
    with TemporaryDirectory() as folder:
        return load_study(write_study(Path(folder), translated=True)).definition


def spoken(definition: StudyDefinition, **languages: Language) -> StudyDefinition:
    """A definition with these languages alone; a '_' in a name is the '-' of its tag."""
    return hashed(
        replace(definition, languages={tag.replace("_", "-"): told for tag, told in languages.items()})
    )


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Everything that a definition is made of, with the keys that lead to it."""
    if isinstance(value, tuple):
        for index, member in enumerate(value):
            yield from leaves(member, (*place, index))
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from leaves(member, (*place, key))
    elif is_dataclass(value) and not isinstance(value, Node | Language):
        for each in fields(StudyDefinition if isinstance(value, StudyDefinition) else value):
            yield from leaves(getattr(value, each.name), (*place, each.name))
    else:
        yield place, value


def language_of(said: dict[Place, str]) -> Language:
    """The language that says these texts of the title, of roles, and of the labels and codes of items."""
    forms: dict[str, FormTexts] = {}
    for place, text in said.items():
        if place[0] == "forms" and place[2] == "items":
            form = forms.setdefault(str(place[1]), FormTexts())
            item = form.items.setdefault(str(place[3]), ItemTexts())
            changed = (
                replace(item, label=text)
                if place[4] == "label"
                else replace(item, codes={**item.codes, str(place[5]): text})
            )
            form.items[str(place[3])] = changed
    roles = {str(place[1]): text for place, text in said.items() if place[0] == "roles"}
    return Language(title=said.get(("title",)), roles=roles, forms=forms)


SAYABLE = [
    place
    for place in texts_of(calm())
    if place[0] in ("title", "roles") or (place[0] == "forms" and place[2] == "items")
]
texts = st.dictionaries(st.sampled_from(SAYABLE), st.text(min_size=1, max_size=5))


def test_every_text_of_the_example_is_read_in_the_other_language() -> None:
    danish = in_language(calm(), "da")
    told = translations_of(calm().languages["da"])
    assert texts_of(danish) == told
    assert list(texts_of(danish)) == list(texts_of(calm()))
    form = danish.form("demography")
    assert form is not None
    assert [(item.label, [code.label for code in item.codes]) for item in form.items] == [
        ("Fødselsdato", []),
        ("Køn", ["Kvinde", "Mand"]),
    ]


def test_nothing_but_texts_changes() -> None:
    before, after = dict(leaves(calm())), dict(leaves(in_language(calm(), "da")))
    assert before.keys() == after.keys()
    changed = {place for place in before if before[place] != after[place]}
    own = {("study", "language"), ("hash",)}
    assert {place[-1] for place in changed - own} <= TEXTS
    assert len(changed - own) > len(texts_of(calm())) * 0.8
    assert own <= changed


@given(texts, texts)
def test_each_text_falls_back_by_itself(swiss: dict[Place, str], german: dict[Place, str]) -> None:
    definition = spoken(calm(), de=language_of(german), de_CH=language_of(swiss))
    own = texts_of(calm())
    assert texts_of(in_language(definition, "de-CH")) == own | german | swiss
    assert texts_of(in_language(definition, "de-AT")) == own | german
    assert in_language(definition, "fr") is definition


@given(texts, texts)
def test_what_is_missing_is_what_nobody_said(swiss: dict[Place, str], german: dict[Place, str]) -> None:
    definition = spoken(calm(), de=language_of(german), de_CH=language_of(swiss))
    everything = texts_of(definition)
    assert missing_texts(definition, "de") == tuple(p for p in everything if p not in german)
    assert missing_texts(definition, "de-CH") == tuple(p for p in everything if p not in german | swiss)


@given(texts)
def test_a_definition_with_languages_comes_back_from_its_lock(said: dict[Place, str]) -> None:
    definition = spoken(
        calm(), pt_BR=language_of({place: text.strip() or "-" for place, text in said.items()})
    )
    restored = definition_from_json(canonical_json(definition))
    assert restored.languages == definition.languages
    assert restored.hash == definition.hash


@pytest.mark.parametrize(
    ("own", "tag", "found"),
    [
        ("en", "pt-BR", ("pt-BR", "pt")),
        ("en", "PT-br", ("pt-BR", "pt")),
        ("en", "pt-PT", ("pt",)),
        ("en", "pt-BR-x-lab", ("pt-BR", "pt")),
        ("en", "p", ()),
        ("en", "", ()),
        ("en", "en", ()),
        ("en", "en-GB", ("en-GB",)),
        ("pt", "pt-BR", ("pt-BR",)),
        ("pt-BR", "pt-BR", ()),
        ("EN-gb", "en-GB", ()),
    ],
)
def test_the_nearest_language_is_found(own: str, tag: str, found: tuple[str, ...]) -> None:
    definition = spoken(calm(), pt=Language(), pt_BR=Language(), en_GB=Language())
    definition = replace(definition, study=replace(definition.study, language=own))
    assert languages_for(definition, tag) == found


def test_a_refinement_of_the_folders_own_language_lacks_nothing() -> None:
    definition = spoken(calm(), en_GB=Language(), eng=Language())
    assert missing_texts(definition, "en-GB") == ()
    assert missing_texts(definition, "eng") == tuple(texts_of(definition))


def test_a_translation_cannot_be_taken_for_what_was_approved(tmp_path: Path) -> None:
    danish = in_language(calm(), "da-DK")
    assert isinstance(danish, TranslatedDefinition)
    assert danish.original is calm()
    assert danish.study.language == "da"
    assert danish.hash == f"da:{calm().hash}"
    assert not re.fullmatch("[0-9a-f]{64}", danish.hash)
    assert danish != calm() and calm() != danish
    for locks in (canonical_json, hashed, lambda definition: write_lock(tmp_path, definition)):
        with pytest.raises(TypeError, match="for reading"):
            locks(danish)
    assert list(tmp_path.iterdir()) == []


def test_a_translation_is_translated_from_its_original() -> None:
    definition = spoken(calm(), da=calm().languages["da"], nb=Language(title="Magnesium mot dårlig søvn"))
    norwegian = in_language(in_language(definition, "da"), "nb")
    assert texts_of(norwegian) == texts_of(in_language(definition, "nb"))
    assert norwegian.hash == f"nb:{definition.hash}"
    assert in_language(norwegian, "en") is definition


def test_translations_are_part_of_what_is_approved() -> None:
    plain = spoken(calm())
    assert b"languages" not in canonical_json(plain)
    assert len({plain.hash, calm().hash, spoken(calm(), da=Language(title="Søvn")).hash}) == 3


def test_the_synopsis_names_the_languages_with_how_much_they_have() -> None:
    definition = spoken(calm(), nb=Language(title="Søvn"), da=calm().languages["da"])
    number = len(texts_of(calm()))
    text = render_synopsis(definition)
    assert "- **Language:** en\n" in text
    assert f"- **Translations:** da ({number} of {number} texts), nb (1 of {number} texts)\n" in text
    assert "Translations" not in render_synopsis(spoken(calm()))


def test_parts_that_a_study_leaves_out_need_no_texts(tmp_path: Path) -> None:
    def edit(files: dict[str, str]) -> None:
        for name in ("safety", "supply", "imaging", "registry", "rehearsal"):
            del files[f"{name}.yaml"]

    definition = load_study(write_study(tmp_path, edit=edit)).definition
    spoken_of = spoken(definition, da=Language(title="Søvn"))
    assert {place[0] for place in texts_of(spoken_of)} & {"clocks", "products"} == set()
    assert in_language(spoken_of, "da").safety is None
