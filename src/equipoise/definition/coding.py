"""Which answers are coded, with which dictionary, and the levels that each dictionary has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .coded import DictionaryName
from .model.definition import StudyDefinition
from .model.forms import Form, Item

LEVELS: Mapping[DictionaryName, tuple[str, ...]] = {
    "meddra": ("LLT", "PT", "HLT", "HLGT", "SOC"),
    "whodrug": ("DRUG", "PREFERRED", "ATC4", "ATC3", "ATC2", "ATC1"),
}
"""The levels of each dictionary from the lowest, in which one codes, to the highest."""

DICTIONARY_TITLES: Mapping[DictionaryName, str] = {"meddra": "MedDRA", "whodrug": "WHODrug"}
"""What each dictionary is called."""


def title_of_dictionary(name: str) -> str:
    """Return what a dictionary is called, from what an entry names it."""
    return next((title for each, title in DICTIONARY_TITLES.items() if each == name), name)


def coded_items(definition: StudyDefinition) -> Iterator[tuple[Form, Item, DictionaryName]]:
    """Iterate over the items whose answers are coded, in the order of the forms."""
    for form in definition.forms:
        for item in form.items:
            if item.coded_with is not None:
                yield form, item, item.coded_with


def coded_with(definition: StudyDefinition) -> tuple[DictionaryName, ...]:
    """Return the dictionaries that the study codes with, each once, in the order of their names."""
    return tuple(sorted({name for _form, _item, name in coded_items(definition)}))
