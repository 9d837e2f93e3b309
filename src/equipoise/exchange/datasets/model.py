"""A package of datasets: what Define-XML describes and Dataset-JSON, XPT, Parquet and CSV hold.

Names are those of CDISC Define-XML 2.1 and Dataset-JSON 1.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Cell = str | int | float | None
"""A value: dates and times are ISO 8601 texts (partial where so collected), None is missing."""

DataType = Literal[
    "text",
    "integer",
    "float",
    "date",
    "datetime",
    "time",
    "partialDate",
    "partialTime",
    "partialDatetime",
    "incompleteDatetime",
    "durationDatetime",
]
Origin = Literal["Collected", "Derived", "Assigned", "Protocol", "Predecessor", "Not Available", "Other"]
Source = Literal["Investigator", "Sponsor", "Subject", "Vendor"]
PublishingSet = Literal["SDTM", "ADaM"]
DatasetClass = Literal[
    "STUDY REFERENCE",
    "TRIAL DESIGN",
    "SPECIAL PURPOSE",
    "INTERVENTIONS",
    "EVENTS",
    "FINDINGS",
    "FINDINGS ABOUT",
    "RELATIONSHIP",
    "SUBJECT LEVEL ANALYSIS DATASET",
    "OCCURRENCE DATA STRUCTURE",
    "BASIC DATA STRUCTURE",
    "REFERENCE DATA STRUCTURE",
    "DEVICE LEVEL ANALYSIS DATASET",
    "MEDICAL DEVICE BASIC DATA STRUCTURE",
    "MEDICAL DEVICE OCCURRENCE DATA STRUCTURE",
    "ADAM OTHER",
]


@dataclass(frozen=True, slots=True)
class Term:
    """A permitted value; `decode` is what it means, `ncit` its concept in NCI's thesaurus where known."""

    value: str
    decode: str | None = None
    ncit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeList:
    """The permitted values of a variable, all of one type.

    One that is a dictionary, such as MedDRA or ISO 3166, has its name and version in place of terms.
    `publishing_set` says which of CDISC's terminologies a list with an `ncit` concept is published in;
    `extended` that terms without a concept were added to it.
    """

    id: str
    name: str
    terms: tuple[Term, ...]
    type: Literal["text", "integer", "float"] = "text"
    ncit: str | None = None
    extended: bool = False
    publishing_set: PublishingSet = "SDTM"
    dictionary: str | None = None
    dictionary_version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable of a dataset.

    `length` counts bytes of a text, and characters of a number where it is given; dates have none. `key` is
    its place in the sort key, from 1. `numeric_date` says that a transport file holds a date as SAS counts it
    (days since 1960-01-01; date-times and times in seconds), as analysis datasets do, and not as its text;
    `display_format` is the format of SAS that a number or such a date is shown in. `method` says in words how
    a derived value is derived; `page` names the forms that a collected one is from, or their pages in the
    package's annotated form; `predecessor` is DATASET.VARIABLE. What was read from a file that does not say
    has no `origin`.
    """

    name: str
    label: str
    type: DataType
    origin: Origin | None
    length: int | None = None
    codelist: CodeList | None = None
    key: int | None = None
    role: str | None = None
    mandatory: bool = False
    source: Source | None = None
    method: str | None = None
    page: str | None = None
    predecessor: str | None = None
    comment: str | None = None
    significant_digits: int | None = None
    numeric_date: bool = False
    display_format: str | None = None
    values: tuple[ValueLevel, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueLevel:
    """What a variable holds in the rows where other variables have these values: one test's results."""

    where: tuple[tuple[str, str], ...]
    variable: Variable


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A dataset; each row has a cell for each variable, in the same order.

    What was read from a file that does not say has no `dataset_class`, and an empty `structure`.
    """

    name: str
    label: str
    structure: str
    dataset_class: DatasetClass | None
    variables: tuple[Variable, ...]
    rows: tuple[tuple[Cell, ...], ...]
    repeating: bool = True
    reference: bool = False
    comment: str | None = None
    subclass: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """All datasets of one standard.

    `standard` with `version` is an implementation guide and its version; `controlled_terms` the date of the
    CDISC controlled terminology that is referred to. `created` is the moment of the data cut, an ISO 8601
    time in UTC: the same cut makes the same bytes. `masked` packages hold no allocation in any form.
    `annotated_crf` is the file name of annotated forms that go with the package, where there are such.
    """

    standard: Literal["SDTMIG", "ADaMIG"]
    version: str
    controlled_terms: str | None
    study: str
    study_name: str
    study_description: str
    protocol: str
    created: str
    definition_hash: str
    masked: bool
    datasets: tuple[Dataset, ...]
    annotated_crf: str | None = None
