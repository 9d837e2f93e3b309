"""Reading a dictionary as a list of its own: terms.csv, one line for each term of the lowest level.

Columns: `code`, `term`, then for each level above it that the dictionary has the pair `LEVEL_code` and
`LEVEL` in lower case (WHODrug: preferred, atc4, atc3, atc2, atc1), and `current` (Y or N; Y where it is left
out). The file is UTF-8 with commas (RFC 4180).
"""

from __future__ import annotations

import csv
from pathlib import Path

from equipoise.coding.dictionary import DictionaryContent, Term
from equipoise.coding.meddra import LLT_FILE, read_meddra
from equipoise.coding.reading import DictionaryUnreadable, check_any, check_text, read_lines, twice
from equipoise.definition.coded import DictionaryName, Level
from equipoise.definition.coding import LEVELS, title_of_dictionary

LIST_FILE = "terms.csv"


def read_dictionary(folder: Path, name: DictionaryName, version: str) -> DictionaryContent:
    """Read a dictionary's folder: MedDRA's own files where they are there, else terms.csv.

    Raises DictionaryUnreadable, as the two readers do.
    """
    if name == "meddra" and ((folder / LLT_FILE).exists() or not (folder / LIST_FILE).exists()):
        return read_meddra(folder, version)
    return read_list(folder, name)


def read_list(folder: Path, name: DictionaryName) -> DictionaryContent:
    """Read terms.csv; the level next above the lowest must be there for every term.

    Raises DictionaryUnreadable: DICT-MISSING, DICT-ENCODING, DICT-COLUMNS, DICT-VALUE, DICT-TWICE,
    DICT-HIERARCHY, DICT-EMPTY.
    """
    numbered = list(read_lines(folder, LIST_FILE, title_of_dictionary(name)))
    check_any(len(numbered), LIST_FILE)
    header = _columns(_values(*numbered[0]), name)
    terms: dict[str, Term] = {}
    for number, line in numbered[1:]:
        values = _values(number, line)
        if len(values) != len(header):
            raise DictionaryUnreadable(
                "DICT-COLUMNS",
                f"{LIST_FILE}, line {number}: there are {len(values)} values under {len(header)} columns."
                " Correct the line; a comma within a value needs quotes.",
            )
        term = _term(name, number, dict(zip(header, values, strict=True)))
        if term.code in terms:
            raise twice(LIST_FILE, number, "code", term.code)
        terms[term.code] = term
    check_any(len(terms), LIST_FILE)
    return DictionaryContent(name, tuple(terms[code] for code in sorted(terms)))


def _values(number: int, line: str) -> list[str]:
    try:
        return next(csv.reader([line]))
    except csv.Error:
        raise DictionaryUnreadable(
            "DICT-COLUMNS",
            f"{LIST_FILE}, line {number}: no line of a list with commas. Save it as CSV in UTF-8.",
        ) from None


def _columns(values: list[str], name: DictionaryName) -> list[str]:
    header = [each.strip().lower() for each in values]
    above = [level.lower() for level in LEVELS[name][1:]]
    pairs = [f"{level}{end}" for level in above for end in ("_code", "")]
    unknown = [each for each in header if each not in ("code", "term", "current", *pairs)]
    # The next level is asked for always, and one half of a pair never goes alone.
    wanted = ["code", "term", above[0], *(each for each in pairs if _other(each) in header)]
    missing = [each for each in wanted if each not in header]
    doubled = [each for each in header if header.count(each) > 1]
    for problem, names in (("does not know", unknown), ("lacks", missing), ("has twice", doubled)):
        if names:
            raise DictionaryUnreadable(
                "DICT-COLUMNS",
                f"{LIST_FILE}: the list {problem} the column {names[0]}. The columns of"
                f" {title_of_dictionary(name)} are code, term, {', '.join(pairs)} and current.",
            )
    return header


def _other(column: str) -> str:
    return column.removesuffix("_code") if column.endswith("_code") else f"{column}_code"


def _term(name: DictionaryName, number: int, row: dict[str, str]) -> Term:
    lowest, *above = LEVELS[name]
    own = Level(
        lowest,
        check_text(LIST_FILE, number, "code", row["code"]),
        check_text(LIST_FILE, number, "term", row["term"]),
    )
    levels = [own]
    for level in above:
        code, text = row.get(f"{level.lower()}_code", "").strip(), row.get(level.lower(), "").strip()
        if not code and not text and level != above[0]:
            continue
        if not code or not text:
            raise DictionaryUnreadable(
                "DICT-HIERARCHY",
                f"{LIST_FILE}, line {number}: the term {own.code} has no {level.lower()}. Add it, with its"
                " code.",
            )
        code = check_text(LIST_FILE, number, f"{level.lower()}_code", code)
        levels.append(Level(level, code, check_text(LIST_FILE, number, level.lower(), text)))
    current = row.get("current", "").strip() or "Y"
    if current not in ("Y", "N"):
        raise DictionaryUnreadable(
            "DICT-VALUE", f"{LIST_FILE}, line {number}: current is neither Y nor N. Correct it."
        )
    return Term(tuple(levels), current=current == "Y")
