"""Dictionaries in a database: the contract of all keepers, and the same answers as those in memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.coding.dictionary import (
    Dictionaries,
    DictionaryContent,
    MemoryDictionaries,
    Term,
)
from equipoise.definition.coded import Level
from equipoise.store.trial_store import TrialStore
from tests.coding.dictionary_contract import DictionariesContract

WORDS = ("ear", "ears", "earl", "Ärger", "wax", "ß", "ss", "a-b")
SAID = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)
ASKED = st.lists(st.sampled_from([*WORDS, "e", "a", "-", "EAR", "%"]), max_size=3).map(" ".join)


class TestDatabase(DictionariesContract):
    @pytest.fixture
    def kept(self, store: TrialStore) -> Dictionaries:
        return store.dictionaries


def content_of(texts: list[str]) -> DictionaryContent:
    above = Level("PT", "1", "Upset")
    terms = (
        Term((Level("LLT", f"{number:03d}", text), above), current=number % 5 != 4)
        for number, text in enumerate(texts)
    )
    return DictionaryContent("meddra", tuple(terms))


@pytest.fixture(scope="module")
def one_store(shared_trials) -> TrialStore:
    store: TrialStore = shared_trials.make()
    return store


def test_double_the_database_finds_what_memory_finds(one_store: TrialStore) -> None:
    @given(
        st.lists(SAID, min_size=1, max_size=12), st.lists(ASKED, min_size=1, max_size=5), st.integers(1, 6)
    )
    def the_same(texts: list[str], asked: list[str], limit: int) -> None:
        content = content_of(texts)
        digest, plain = content.sha256, MemoryDictionaries([content])
        one_store.dictionaries.add(content)
        for words in asked:
            assert one_store.dictionaries.search(digest, words, limit) == plain.search(digest, words, limit)
            assert one_store.dictionaries.equal(digest, words) == plain.equal(digest, words)
        one_store.dictionaries.remove(digest)

    the_same()


def test_a_dictionary_that_cannot_be_kept_whole_is_not_kept(store: TrialStore) -> None:
    content = content_of(["ear", "wax"])
    broken = DictionaryContent("meddra", (*content.terms, content.terms[0]))
    with pytest.raises(Exception, match=r"(?i)unique|STORE"):
        store.dictionaries.add(broken)
    assert store.dictionaries.counts(broken.sha256) is None
    assert store.structure_problems() == []
