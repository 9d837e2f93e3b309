"""What every keeper of dictionaries does; a subclass says where they are kept."""

from pathlib import Path

import pytest

from equipoise.coding.dictionary import Dictionaries
from tests.dictionaries import drugs, meddra


class DictionariesContract:
    @pytest.fixture
    def kept(self) -> Dictionaries:
        raise NotImplementedError

    @pytest.fixture
    def digest(self, kept: Dictionaries, tmp_path: Path) -> str:
        content = meddra(tmp_path / "meddra")
        kept.add(content)
        return content.sha256

    def test_a_term_is_found_by_its_code_also_when_it_is_not_current(
        self, kept: Dictionaries, digest: str
    ) -> None:
        found = kept.term(digest, "10000012")
        assert found is not None
        assert found.text == "Glimmering of the ears"
        assert [each.level for each in found.levels] == ["LLT", "PT", "HLT", "HLGT", "SOC"]
        old = kept.term(digest, "10000014")
        assert old is not None
        assert (found.current, old.current) == (True, False)
        assert kept.term(digest, "10000021") is None
        assert kept.counts(digest) == {"LLT": 9, "PT": 3, "HLT": 2, "HLGT": 2, "SOC": 2}

    def test_the_hash_of_what_is_kept_is_that_of_what_was_added(
        self, kept: Dictionaries, digest: str, tmp_path: Path
    ) -> None:
        other = drugs(tmp_path / "drugs")
        kept.add(other)
        assert kept.rehash("meddra", digest) == digest
        assert kept.rehash("whodrug", other.sha256) == other.sha256
        assert kept.rehash("meddra", "0" * 64) is None

    def test_equal_terms_are_found_without_regard_to_case_and_spaces(
        self, kept: Dictionaries, digest: str
    ) -> None:
        assert [term.code for term in kept.equal(digest, " glimmering OF  the ears")] == ["10000012"]
        assert [term.code for term in kept.equal(digest, "Twice named")] == ["10000018", "10000019"]
        assert kept.equal(digest, "Glimmers, old-fashioned") == kept.equal(digest, "") == ()

    def test_search_finds_the_beginnings_of_words_the_likeliest_first(
        self, kept: Dictionaries, digest: str
    ) -> None:
        def found(words: str, limit: int = 9) -> list[str]:
            return [term.text for term in kept.search(digest, words, limit)]

        assert found("glim") == ["Glimmering", "Glimmering of the ears", "Ear glimmer"]
        assert found("ear GLIM") == ["Ear glimmer", "Glimmering of the ears"]
        assert found("glim", 2) == ["Glimmering", "Glimmering of the ears"]
        assert found("humming") == [
            "Humming",
            "Crown humming in dim, still and public rooms, fitful, at noon or later",
        ]
        assert found("old-fashioned") == found("") == found(" ,- ") == found("limmer") == []

    def test_several_dictionaries_are_kept_apart(
        self, kept: Dictionaries, digest: str, tmp_path: Path
    ) -> None:
        other = drugs(tmp_path / "drugs")
        kept.add(other)
        kept.add(other)
        assert [term.text for term in kept.search(other.sha256, "n", 9)] == ["Nodolex", "Nodolum"]
        kept.remove(other.sha256)
        kept.remove(other.sha256)
        assert kept.counts(other.sha256) is None
        assert kept.search(other.sha256, "n", 9) == kept.equal(other.sha256, "Nodolex") == ()
        assert kept.term(other.sha256, "D001") is None
        assert kept.term(digest, "10000012") is not None
