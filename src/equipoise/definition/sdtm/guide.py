"""The domains and variables of SDTMIG 3.4 with SDTM 2.0, read from tables beside this module.

`domains.csv` lists the variables of each domain in the guide's order, `!` after the required and `+` after
the expected ones; `--` stands for the domain's two letters. `variables.csv` says what each is, for all
domains and then where one domain says otherwise. ZF is a domain of ours in the guide's sense (SDTMIG 3.4,
2.6: codes that begin with Z are the sponsor's): the findings of forms for which a study names no domain.
`terms.csv` holds controlled terminology as far as it is used here, with words that mean the same.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

VERSION = "3.4"
MODEL_VERSION = "2.0"
FORMS_WITHOUT_DOMAIN = "ZF"
NAME_LENGTH_MAX = 8
LABEL_LENGTH_MAX = 40
TEXT_LENGTH_MAX = 200
"""Bytes of a text in a version 5 transport file, hence of every text of a domain."""

Core = Literal["required", "expected", "permissible"]
DomainClass = Literal[
    "TRIAL DESIGN",
    "SPECIAL PURPOSE",
    "INTERVENTIONS",
    "EVENTS",
    "FINDINGS",
    "FINDINGS ABOUT",
    "RELATIONSHIP",
]
CLASSES: tuple[DomainClass, ...] = (
    "TRIAL DESIGN",
    "SPECIAL PURPOSE",
    "INTERVENTIONS",
    "EVENTS",
    "FINDINGS",
    "FINDINGS ABOUT",
    "RELATIONSHIP",
)
_CORES: Mapping[str, Core] = {"!": "required", "+": "expected"}
TOPICS: Mapping[DomainClass, str] = {
    "INTERVENTIONS": "TRT",
    "EVENTS": "TERM",
    "FINDINGS": "TESTCD",
    "FINDINGS ABOUT": "TESTCD",
}
"""The end of the name of the topic variable of each general observation class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideVariable:
    """A variable of a domain; `codelist` is the code of its CDISC terminology in NCI's thesaurus."""

    name: str
    label: str
    role: str
    numeric: bool
    codelist: str | None
    core: Core


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A domain with its variables in the guide's order."""

    name: str
    label: str
    dataset_class: DomainClass
    structure: str
    variables: tuple[GuideVariable, ...]

    def variable(self, name: str) -> GuideVariable | None:
        """Return the variable of this name, or None."""
        return next((each for each in self.variables if each.name == name), None)

    @property
    def is_findings(self) -> bool:
        """Whether a record is the result of a test."""
        return self.dataset_class in ("FINDINGS", "FINDINGS ABOUT")

    @property
    def topic(self) -> str | None:
        """The variable that says what a record is about, None outside the general observation classes."""
        ending = TOPICS.get(self.dataset_class)
        return None if ending is None else self.name + ending


def _table(name: str) -> Iterator[dict[str, str]]:
    with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


@cache
def domains() -> Mapping[str, Domain]:
    """Every domain by its two letters; SUPPQUAL and RELREC by their names."""
    said = {(row["domain"], row["variable"]): row for row in _table("variables.csv")}
    return {row["domain"]: _domain(row, said) for row in _table("domains.csv")}


def _domain(row: Mapping[str, str], said: Mapping[tuple[str, str], Mapping[str, str]]) -> Domain:
    name = row["domain"]
    return Domain(
        name=name,
        label=row["label"],
        dataset_class=next(each for each in CLASSES if each == row["class"]),
        structure=row["structure"],
        variables=tuple(_variable(name, written, said) for written in row["variables"].split()),
    )


def _variable(domain: str, written: str, said: Mapping[tuple[str, str], Mapping[str, str]]) -> GuideVariable:
    pattern = written.rstrip("!+")
    common, own = said["", pattern], said.get((domain, pattern), {})
    return GuideVariable(
        name=pattern.replace("--", domain),
        label=own.get("label") or common["label"],
        role=own.get("role") or common["role"],
        numeric=common["type"] == "num",
        codelist=own.get("codelist") or common["codelist"] or None,
        core=_CORES.get(written[-1], "permissible"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideTerm:
    """A submission value of CDISC controlled terminology, with words that mean the same."""

    value: str
    ncit: str | None
    synonyms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuideCodeList:
    """A code list of CDISC controlled terminology, as far as it is known here."""

    code: str
    name: str
    extensible: bool
    terms: tuple[GuideTerm, ...]

    def term(self, value: str) -> GuideTerm | None:
        """Return the term with this submission value, or None."""
        return next((each for each in self.terms if each.value == value), None)

    def meant(self, *words: str) -> str | None:
        """Return the submission value that one of these words is or means, upper and lower case alike."""
        wanted = {_plain(each) for each in words}
        return next(
            (each.value for each in self.terms if wanted & {_plain(x) for x in (each.value, *each.synonyms)}),
            None,
        )


def _plain(word: str) -> str:
    return word.replace("_", " ").replace("'", "").strip().casefold()


@cache
def code_lists() -> Mapping[str, GuideCodeList]:
    """The code lists whose terms are known here, by their codes."""
    rows: dict[str, list[dict[str, str]]] = {}
    for row in _table("terms.csv"):
        rows.setdefault(row["codelist"], []).append(row)
    return {
        code: GuideCodeList(
            code=code,
            name=found[0]["name"],
            extensible=found[0]["extensible"] == "yes",
            terms=tuple(
                GuideTerm(
                    value=row["value"],
                    ncit=row["ncit"] or None,
                    synonyms=tuple(filter(None, row["synonyms"].split("|"))),
                )
                for row in found
            ),
        )
        for code, found in rows.items()
    }
