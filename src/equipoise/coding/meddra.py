"""Reading a distribution of MedDRA: text files whose fields are separated, and closed, by a dollar sign.

Source: MSSO, MedDRA Distribution File Format Document: the tables low_level_term (llt.asc), pref_term
(pt.asc), md_hierarchy (mdhier.asc) and meddra_release (meddra_release.asc). Files in English are ASCII;
those in other languages are taken as UTF-8.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from equipoise.coding.dictionary import DictionaryContent, Term
from equipoise.coding.reading import (
    DictionaryUnreadable,
    check_any,
    check_text,
    no_hierarchy,
    read_lines,
    twice,
)
from equipoise.definition.coded import Level

LLT_FILE, PT_FILE, HIERARCHY_FILE, RELEASE_FILE = "llt.asc", "pt.asc", "mdhier.asc", "meddra_release.asc"
FIELDS: dict[str, tuple[str, ...]] = {
    LLT_FILE: (
        *("llt_code", "llt_name", "pt_code", "llt_whoart_code", "llt_harts_code", "llt_costart_sym"),
        *("llt_icd9_code", "llt_icd9cm_code", "llt_icd10_code", "llt_currency", "llt_jart_code"),
    ),
    PT_FILE: (
        *("pt_code", "pt_name", "null_field", "pt_soc_code", "pt_whoart_code", "pt_harts_code"),
        *("pt_costart_sym", "pt_icd9_code", "pt_icd9cm_code", "pt_icd10_code", "pt_jart_code"),
    ),
    HIERARCHY_FILE: (
        *("pt_code", "hlt_code", "hlgt_code", "soc_code", "pt_name", "hlt_name", "hlgt_name", "soc_name"),
        *("soc_abbrev", "null_field", "pt_soc_code", "primary_soc_fg"),
    ),
}
"""The fields of each file, in their order."""

_WHOSE = "MedDRA (llt.asc, pt.asc, mdhier.asc)"
_ABOVE = (
    ("HLT", "hlt_code", "hlt_name"),
    ("HLGT", "hlgt_code", "hlgt_name"),
    ("SOC", "soc_code", "soc_name"),
)


def read_meddra(folder: Path, version: str) -> DictionaryContent:
    """Read the lowest level terms of a distribution, each with its primary path.

    Raises DictionaryUnreadable: DICT-MISSING, DICT-ENCODING, DICT-COLUMNS, DICT-VALUE, DICT-TWICE,
    DICT-HIERARCHY, DICT-EMPTY, and DICT-VERSION where the files say that they are of another version.
    """
    _check_release(folder, version)
    preferred = _read_preferred(folder)
    paths = _read_paths(folder, preferred)
    terms: dict[str, Term] = {}
    for number, row in _rows(folder, LLT_FILE):
        code, name = _code(LLT_FILE, number, row, "llt_code"), row["llt_name"]
        pt_code = _code(LLT_FILE, number, row, "pt_code")
        if code in terms:
            raise twice(LLT_FILE, number, "code", code)
        if pt_code not in paths:
            raise no_hierarchy(LLT_FILE, number, f"the preferred term {pt_code} of {code}", PT_FILE)
        if row["llt_currency"] not in ("Y", "N"):
            raise DictionaryUnreadable(
                "DICT-VALUE", f"{LLT_FILE}, line {number}: llt_currency is neither Y nor N. Correct it."
            )
        own = Level("LLT", code, check_text(LLT_FILE, number, "llt_name", name))
        terms[code] = Term((own, *paths[pt_code]), current=row["llt_currency"] == "Y")
    check_any(len(terms), LLT_FILE)
    return DictionaryContent("meddra", tuple(terms[code] for code in sorted(terms)))


def _read_preferred(folder: Path) -> dict[str, tuple[str, int]]:
    """The preferred terms by code, with the lines on which they stand."""
    found: dict[str, tuple[str, int]] = {}
    for number, row in _rows(folder, PT_FILE):
        code = _code(PT_FILE, number, row, "pt_code")
        if code in found:
            raise twice(PT_FILE, number, "code", code)
        found[code] = check_text(PT_FILE, number, "pt_name", row["pt_name"]), number
    return found


def _read_paths(folder: Path, preferred: dict[str, tuple[str, int]]) -> dict[str, tuple[Level, ...]]:
    """What stands above the lowest level: of each preferred term its primary path (primary_soc_fg is Y)."""
    found: dict[str, tuple[Level, ...]] = {}
    for number, row in _rows(folder, HIERARCHY_FILE):
        code = _code(HIERARCHY_FILE, number, row, "pt_code")
        if code not in preferred:
            raise no_hierarchy(HIERARCHY_FILE, number, f"the preferred term {code}", PT_FILE)
        if row["primary_soc_fg"] != "Y":
            continue
        if code in found:
            raise twice(HIERARCHY_FILE, number, "primary path of the preferred term", code)
        above = (
            Level(
                level,
                _code(HIERARCHY_FILE, number, row, code_field),
                check_text(HIERARCHY_FILE, number, name_field, row[name_field]),
            )
            for level, code_field, name_field in _ABOVE
        )
        found[code] = (Level("PT", code, preferred[code][0]), *above)
    for code, (_name, number) in preferred.items():
        if code not in found:
            raise no_hierarchy(
                PT_FILE, number, f"a primary path of the preferred term {code}", HIERARCHY_FILE
            )
    return found


def _check_release(folder: Path, version: str) -> None:
    """Where the distribution says its version, it is the one that was named."""
    if not (folder / RELEASE_FILE).is_file():
        return
    said = next((line.split("$")[0].strip() for _, line in read_lines(folder, RELEASE_FILE, _WHOSE)), "")
    if said != version.strip():
        raise DictionaryUnreadable(
            "DICT-VERSION",
            f"{RELEASE_FILE} says version {said or 'nothing'}, and {version} was named. Name theirs.",
        )


def _rows(folder: Path, name: str) -> Iterator[tuple[int, dict[str, str]]]:
    fields = FIELDS[name]
    for number, line in read_lines(folder, name, _WHOSE):
        values = line.rstrip(" ").removesuffix("$").split("$")
        if len(values) != len(fields):
            raise DictionaryUnreadable(
                "DICT-COLUMNS",
                f"{name}, line {number}: the format has {len(fields)} fields, and the line {len(values)}."
                " Check that the file is whole and of MedDRA.",
            )
        yield number, dict(zip(fields, values, strict=True))


def _code(name: str, number: int, row: dict[str, str], field: str) -> str:
    code = row[field].strip()
    if not (code.isascii() and code.isdigit()):
        raise DictionaryUnreadable(
            "DICT-VALUE", f"{name}, line {number}: {field} is no number. Check that the file is whole."
        )
    return code
