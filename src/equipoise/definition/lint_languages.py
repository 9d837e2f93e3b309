"""Rules for languages/*.yaml: what is translated exists, and what is not translated is counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import get_origin

from .findings import Place, Problem, suggest
from .languages import missing_texts, parts_of, texts_of
from .model.definition import StudyDefinition
from .model.language import Language
from .wording import type_at

_NAMED_MAX = 3
# What a name under a key of a language is the name of.
_KINDS = {
    "roles": "role",
    "interventions": "intervention",
    "epochs": "epoch",
    "arms": "arm",
    "criteria": "criterion",
    "variants": "variant",
    "encounters": "encounter",
    "activities": "activity",
    "forms": "form",
    "items": "item",
    "codes": "code",
    "checks": "check",
    "clocks": "reporting clock",
    "products": "product",
    "release": "criterion of release",
}


def check_languages(definition: StudyDefinition) -> Iterator[Problem]:
    """Find translations of what is not there, and count what is there and not translated."""
    places = tuple(texts_of(definition))
    known = {place[:length]: None for place in places for length in range(len(place) + 1)}
    for tag, language in definition.languages.items():
        file = f"languages/{tag}.yaml"
        if tag.lower() == definition.study.language.lower():
            sentence = f"The folder itself is in the language {tag}. Remove the file, or correct study.yaml."
            yield Problem(code="LINT-LANGUAGE", sentence=sentence, file=file)
            continue
        for place in _strays(language, (), known):
            yield _stray(file, place, known)
        missing = missing_texts(definition, tag)
        if missing:
            named = ", ".join(".".join(map(str, place)) for place in missing[:_NAMED_MAX])
            rest = f" and {len(missing) - _NAMED_MAX} more" if len(missing) > _NAMED_MAX else ""
            sentence = (
                f"Not translated, and left in the language {definition.study.language}, are {len(missing)} "
                f"of {len(places)} texts: {named}{rest}. Translate them."
            )
            yield Problem(code="LINT-TRANSLATION", sentence=sentence, file=file, severity="warning")


def _strays(part: object, place: Place, known: Mapping[Place, None]) -> Iterator[Place]:
    """The places of a language, each as far as it must be followed, where the definition has nothing."""
    for step, inner in parts_of(part):
        here = (*place, step)
        if here in known or isinstance(inner, dict):
            yield from _strays(inner, here, known)
        else:
            yield here


def _stray(file: str, place: Place, known: Mapping[Place, None]) -> Problem:
    *around, name = map(str, place)
    siblings = (str(other[-1]) for other in known if other and other[:-1] == place[:-1])
    kind = "text"
    if get_origin(type_at(Language, place[:-1])) is dict:
        kind = _KINDS[around.pop()]
    where = f" of {'.'.join(around)}" if around else ""
    sentence = f"There is no {kind} '{name}'{where} to translate. {suggest(name, siblings)}"
    return Problem(code="LINT-REFERENCE", sentence=sentence, file=file, place=place)
