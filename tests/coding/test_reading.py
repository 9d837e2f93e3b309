"""Dictionaries are read whole or not at all; what is wrong with their files is said with its line."""

from pathlib import Path

import pytest

from equipoise.coding.dictionary import DictionaryContent
from equipoise.coding.listed import read_dictionary
from equipoise.coding.meddra import FIELDS, read_meddra
from equipoise.coding.reading import DictionaryUnreadable
from equipoise.definition.coded import Level
from tests.dictionaries import DRUGS, VERSION, drugs, meddra, meddra_files, write_drugs, write_meddra


def test_spec_a_lowest_level_term_has_the_primary_path_of_its_preferred_term(tmp_path: Path) -> None:
    content = meddra(tmp_path)
    term = next(each for each in content.terms if each.code == "10000012")
    assert term.levels == (
        Level("LLT", "10000012", "Glimmering of the ears"),
        Level("PT", "10000021", "Glimmering"),
        Level("HLT", "10000031", "Wobbles of the crown"),
        Level("HLGT", "10000041", "Crown upsets"),
        Level("SOC", "10000051", "Upsets of head"),
    )
    assert content.counts == {"LLT": 9, "PT": 3, "HLT": 2, "HLGT": 2, "SOC": 2}
    assert [each.code for each in content.terms if not each.current] == ["10000014"]


def test_published_the_files_have_the_fields_of_the_distribution_file_format() -> None:
    # MSSO, MedDRA Distribution File Format Document: low_level_term, pref_term, md_hierarchy.
    assert {name: len(fields) for name, fields in FIELDS.items()} == {
        "llt.asc": 11,
        "pt.asc": 11,
        "mdhier.asc": 12,
    }
    assert FIELDS["llt.asc"][9] == "llt_currency"
    assert FIELDS["mdhier.asc"][-1] == "primary_soc_fg"


def test_a_dictionary_of_medicines_is_a_list_whose_higher_levels_may_be_left_out(tmp_path: Path) -> None:
    content = drugs(tmp_path)
    assert [(each.code, each.text, each.current) for each in content.terms] == [
        ("D001", "Nodolex", True),
        ("D002", "Nodolum", True),
        ("D003", "Quietin, forte", True),
        ("D004", "Quietin (old)", False),
    ]
    assert [each.level for each in content.terms[0].levels] == ["DRUG", "PREFERRED", "ATC4"]
    assert [each.level for each in content.terms[2].levels] == ["DRUG", "PREFERRED"]


def test_law_the_hash_is_of_the_terms_and_not_of_how_they_were_written(tmp_path: Path) -> None:
    files = meddra_files()
    backwards = write_meddra(tmp_path / "b", llt=files["llt.asc"][::-1])
    (backwards / "pt.asc").write_text("\ufeff" + "\n".join(files["pt.asc"]), encoding="utf-8")
    assert meddra(tmp_path / "a").sha256 == read_meddra(backwards, VERSION).sha256
    fewer = write_meddra(tmp_path / "c", llt=files["llt.asc"][1:])
    assert meddra(tmp_path / "a").sha256 != read_meddra(fewer, VERSION).sha256


def test_the_version_that_the_files_say_is_the_one_that_is_named(tmp_path: Path) -> None:
    folder = write_meddra(tmp_path)
    (folder / "meddra_release.asc").write_text("28.1$English$$$$\r\n", encoding="utf-8")
    assert read_meddra(folder, "28.1").terms
    with pytest.raises(DictionaryUnreadable, match=r"DICT-VERSION: meddra_release\.asc says version 28\.1"):
        read_meddra(folder, "29.0")


EMPTY = "$" * 6
LLT, PT, HIERARCHY = (meddra_files()[name] for name in ("llt.asc", "pt.asc", "mdhier.asc"))

BAD_MEDDRA: dict[str, tuple[dict[str, list[str]], str]] = {
    "a code twice": ({"llt": [*LLT, LLT[0]]}, "DICT-TWICE: llt.asc, line 10: the code 10000011"),
    "a preferred term twice": ({"pt": [*PT, PT[0]]}, "DICT-TWICE: pt.asc, line 4"),
    "two primary paths": (
        {"mdhier": [*HIERARCHY, HIERARCHY[0]]},
        "DICT-TWICE: mdhier.asc, line 5: the primary path",
    ),
    "no primary path": (
        {"mdhier": HIERARCHY[1:]},
        "DICT-HIERARCHY: pt.asc, line 1: a primary path of the preferred term 10000021 is not",
    ),
    "an unknown preferred term": (
        {"llt": [*LLT, "10000099$Lost$99999999$" + EMPTY + "Y$$"]},
        "DICT-HIERARCHY: llt.asc, line 10: the preferred term 99999999 of 10000099 is not in pt.asc",
    ),
    "a path of nothing": ({"pt": PT[1:]}, "DICT-HIERARCHY: mdhier.asc, line 1: the preferred term 10000021"),
    "too few fields": (
        {"llt": ["10000011$Glimmering$10000021$"]},
        "DICT-COLUMNS: llt.asc, line 1: the format has 11 fields",
    ),
    "no code": ({"llt": ["x$Glimmering$10000021$" + EMPTY + "Y$$"]}, "DICT-VALUE: llt.asc, line 1: llt_code"),
    "no text": (
        {"llt": ["10000011$ $10000021$" + EMPTY + "Y$$"]},
        "DICT-VALUE: llt.asc, line 1: llt_name is empty",
    ),
    "no currency": (
        {"llt": ["10000011$Glim$10000021$" + EMPTY + "$$"]},
        "DICT-VALUE: llt.asc, line 1: llt_currency",
    ),
    "nothing": ({"llt": []}, "DICT-EMPTY: llt.asc holds no term"),
}


@pytest.mark.parametrize("name", BAD_MEDDRA)
def test_what_is_wrong_with_a_distribution_is_said_with_file_and_line(name: str, tmp_path: Path) -> None:
    changed, said = BAD_MEDDRA[name]
    with pytest.raises(DictionaryUnreadable) as raised:
        read_meddra(write_meddra(tmp_path, **changed), VERSION)
    assert str(raised.value).startswith(said)
    assert raised.value.sentence.endswith(".")


@pytest.mark.parametrize("name", ["llt.asc", "pt.asc", "mdhier.asc"])
def test_a_file_that_is_not_there_or_not_in_utf_8_is_named(name: str, tmp_path: Path) -> None:
    folder = write_meddra(tmp_path)
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content.replace(b"Glimmering", "Fr\u00fch".encode("latin-1"), 1))
    with pytest.raises(DictionaryUnreadable, match=f"DICT-ENCODING: {name}, line 1: character"):
        read_meddra(folder, VERSION)
    (folder / name).unlink()
    with pytest.raises(DictionaryUnreadable, match=f"DICT-MISSING: .* has no file {name}"):
        read_dictionary(folder, "meddra", VERSION)


BAD_LISTS: dict[str, tuple[tuple[str, ...], str]] = {
    "no lines": ((), "DICT-EMPTY"),
    "no terms": (DRUGS[:1], "DICT-EMPTY"),
    "an unknown column": (
        ("code,term,preferred_code,preferred,colour",),
        "DICT-COLUMNS: terms.csv: the list does",
    ),
    "a missing column": (
        ("code,term,preferred",),
        "DICT-COLUMNS: terms.csv: the list lacks the column preferred_c",
    ),
    "half a level": (
        ("code,term,preferred_code,preferred,atc4",),
        "DICT-COLUMNS: terms.csv: the list lacks the",
    ),
    "a column twice": (
        ("code,term,preferred_code,preferred,term",),
        "DICT-COLUMNS: terms.csv: the list has twice",
    ),
    "line ends of another system": (("\r".join(DRUGS),), "DICT-COLUMNS: terms.csv, line 1: no line"),
    "too few values": ((*DRUGS, "D005,Lost"), "DICT-COLUMNS: terms.csv, line 6"),
    "a code twice": ((*DRUGS, DRUGS[1]), "DICT-TWICE: terms.csv, line 6"),
    "no preferred term": ((*DRUGS, "D005,Lost,,,,,"), "DICT-HIERARCHY: terms.csv, line 6"),
    "half a class": ((*DRUGS, "D005,Lost,P1,Lost,Z01,,"), "DICT-HIERARCHY: terms.csv, line 6"),
    "no currency": ((*DRUGS, "D005,Lost,P1,Lost,,,perhaps"), "DICT-VALUE: terms.csv, line 6: current"),
    "too long": ((*DRUGS, f"D005,{'x' * 501},P1,Lost,,,"), "DICT-VALUE: terms.csv, line 6: term is longer"),
    "not printable": ((*DRUGS, "D005,x\x07y,P1,Lost,,,"), "DICT-VALUE: terms.csv, line 6: term holds"),
}


@pytest.mark.parametrize("name", BAD_LISTS)
def test_what_is_wrong_with_a_list_is_said_with_its_line(name: str, tmp_path: Path) -> None:
    lines, said = BAD_LISTS[name]
    with pytest.raises(DictionaryUnreadable) as raised:
        read_dictionary(write_drugs(tmp_path, lines), "whodrug", "1")
    assert str(raised.value).startswith(said)


def test_a_list_stands_for_meddra_where_its_own_files_are_not_there(tmp_path: Path) -> None:
    lines = ("code,term,pt_code,pt,soc_code,soc", "1,Glim,2,Glimmer,3,Upsets")
    content: DictionaryContent = read_dictionary(write_drugs(tmp_path, lines), "meddra", "1")
    assert [each.level for each in content.terms[0].levels] == ["LLT", "PT", "SOC"]
