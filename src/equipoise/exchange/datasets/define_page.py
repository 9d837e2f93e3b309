"""The metadata of a package as a page for people: what define.xml says, without a style sheet to fetch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from equipoise.definition.document import Block, Document, Facts, Heading, Section, Table, Words, to_html
from equipoise.exchange.datasets.content import complete_package
from equipoise.exchange.datasets.formats import display_format
from equipoise.exchange.datasets.model import CodeList, Dataset, Package, Variable

_DATASETS: Final = ("Dataset", "Description", "Class", "Structure", "Keys", "Records", "File")
_VARIABLES: Final = ("Variable", "Label", "Type", "Codes", "Origin", "Notes")
_LEVELS: Final = ("Where", "Label", "Type", "Codes", "Origin", "Notes")
_NOTHING: Final = "–"


def define_page(package: Package, suffix: str = "xpt") -> bytes:
    """Return the page, self-contained and printable, of a package whose files have this suffix."""
    return to_html(_document(complete_package(package), suffix)).encode()


def _document(package: Package, suffix: str) -> Document:
    sections = [
        Section("Study and standards", (_standards(package),)),
        Section("Datasets", (_datasets(package, suffix),)),
        *(_dataset(dataset) for dataset in package.datasets),
    ]
    if codelists := _codelists(package.datasets):
        sections.append(Section("Code lists", tuple(_codes_blocks(codelists))))
    return Document(
        title=f"Data definitions: {package.study_name}",
        subtitle=f"{package.standard} {package.version}",
        language="en",
        sections=tuple(sections),
        footer=f"Study definition {package.definition_hash or 'without hash'}, data of {package.created}.",
    )


def _standards(package: Package) -> Facts:
    facts = [
        ("Study", package.study_name),
        ("Description", package.study_description),
        ("Protocol", package.protocol),
        ("Standard", f"{package.standard} {package.version}"),
        ("Controlled terminology", f"CDISC/NCI {package.controlled_terms or _NOTHING}"),
        ("Allocation", "Masked: no dataset holds it" if package.masked else "Not masked"),
    ]
    if package.annotated_crf is not None:
        facts.append(("Annotated forms", package.annotated_crf))
    return Facts(tuple(facts))


def _datasets(package: Package, suffix: str) -> Table:
    rows = [
        (
            dataset.name,
            dataset.label,
            ", ".join(filter(None, (dataset.dataset_class, dataset.subclass))) or _NOTHING,
            dataset.structure or _NOTHING,
            ", ".join(_keys(dataset)) or _NOTHING,
            str(len(dataset.rows)),
            f"{dataset.name.lower()}.{suffix}",
        )
        for dataset in package.datasets
    ]
    return Table(_DATASETS, tuple(rows))


def _keys(dataset: Dataset) -> list[str]:
    keyed = [(variable.key, variable.name) for variable in dataset.variables if variable.key is not None]
    return [name for _, name in sorted(keyed)]


def _dataset(dataset: Dataset) -> Section:
    blocks: list[Block] = [] if dataset.comment is None else [Words(dataset.comment)]
    rows = [(variable.name, variable.label, *_described(variable)) for variable in dataset.variables]
    blocks.append(Table(_VARIABLES, tuple(rows)))
    for variable in dataset.variables:
        if variable.values:
            blocks.append(Heading(f"Values of {variable.name}"))
            blocks.append(_levels(variable))
    return Section(f"{dataset.name}: {dataset.label}", tuple(blocks))


def _levels(variable: Variable) -> Table:
    rows = [
        (
            " and ".join(f"{name} = {value}" for name, value in level.where),
            level.variable.label,
            *_described(level.variable),
        )
        for level in variable.values
    ]
    return Table(_LEVELS, tuple(rows))


def _described(variable: Variable) -> tuple[str, str, str, str]:
    """Return the type of a variable with its length and format, its code list, its origin and its notes."""
    length = None if variable.length is None else str(variable.length)
    if variable.significant_digits:
        length = f"{length}.{variable.significant_digits}"
    origin = " ".join(filter(None, (variable.origin, variable.source and f"({variable.source})")))
    notes = (variable.predecessor, variable.page, variable.method, variable.comment)
    return (
        "\N{NO-BREAK SPACE}".join(filter(None, (variable.type, length, display_format(variable)))),
        _NOTHING if variable.codelist is None else variable.codelist.name,
        origin or _NOTHING,
        ". ".join(note.rstrip(".") for note in notes if note) or _NOTHING,
    )


def _codelists(datasets: Iterable[Dataset]) -> list[CodeList]:
    """Return the code lists of all variables and value levels once each, in the order of their use."""
    found: dict[str, CodeList] = {}
    for dataset in datasets:
        for variable in dataset.variables:
            for each in (variable, *(level.variable for level in variable.values)):
                if each.codelist is not None:
                    found.setdefault(each.codelist.id, each.codelist)
    return list(found.values())


def _codes_blocks(codelists: Iterable[CodeList]) -> Iterable[Block]:
    for codelist in codelists:
        concept = "" if codelist.ncit is None else f" ({codelist.ncit})"
        yield Heading(f"{codelist.name}{concept}")
        if codelist.dictionary is not None:
            yield Words(" ".join(filter(None, (codelist.dictionary, codelist.dictionary_version))))
        if codelist.terms:
            rows = tuple(
                (term.value, term.decode or _NOTHING, term.ncit or _NOTHING) for term in codelist.terms
            )
            yield Table(("Term", "Meaning", "NCI concept"), rows)
