"""The identifiers that Define-XML and Dataset-JSON know the parts of a package by: the same in both."""

from __future__ import annotations

import re

from equipoise.exchange.datasets.model import Package, Variable


def study_oid(package: Package) -> str:
    """Return the identifier of the study."""
    return f"STDY.{package.study}"


def metadata_oid(package: Package) -> str:
    """Return the identifier of the metadata of all datasets of a package."""
    return f"MDV.{package.study}.{package.standard}.{package.version}"


def file_oid(package: Package, *further: str) -> str:
    """Return the identifier of a file of a package: of which definition, of what standard, masked or not."""
    kind = ("masked",) if package.masked else ()
    return "/".join(
        (package.study, package.standard, package.version, package.definition_hash, *kind, *further)
    )


def dataset_oid(dataset: str) -> str:
    """Return the identifier of a dataset."""
    return f"IG.{dataset}"


def item_oid(dataset: str, variable: str) -> str:
    """Return the identifier of a variable of a dataset."""
    return f"IT.{dataset}.{variable}"


def value_suffixes(variable: Variable) -> tuple[str, ...]:
    """Return what tells the value levels of a variable apart: the values that they are for."""
    taken: set[str] = set()
    suffixes = []
    for level in variable.values:
        plain = ".".join(re.sub(r"[^A-Za-z0-9_-]+", "_", value) for _, value in level.where) or "ALL"
        suffix, number = plain, 1
        while suffix in taken:
            number += 1
            suffix = f"{plain}.{number}"
        taken.add(suffix)
        suffixes.append(suffix)
    return tuple(suffixes)
