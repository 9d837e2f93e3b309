"""Dictionaries in memory, and how terms are found."""

import pytest

from equipoise.coding.dictionary import Dictionaries, MemoryDictionaries, folded, rank, words_of
from tests.coding.dictionary_contract import DictionariesContract


class TestMemory(DictionariesContract):
    @pytest.fixture
    def kept(self) -> Dictionaries:
        return MemoryDictionaries()


def test_a_text_is_folded_and_divided_into_words() -> None:
    assert folded("  \ufb02utter\n OF\u00a0Ears ") == "flutter of ears"
    assert words_of("Ear, ear-drum; EAR (left)") == ("ear", "drum", "left")


def test_law_the_term_itself_stands_before_all_others() -> None:
    texts = ["Ear", "Ear wax", "Earl", "Wax of ear", "Years"]
    places = {text: rank(text, "1", "ear") for text in texts}
    ranked = sorted((text for text in texts if places[text]), key=lambda text: str(places[text]))
    assert ranked == ["Ear", "Earl", "Ear wax", "Wax of ear"]
