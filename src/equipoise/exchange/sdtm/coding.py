"""What a dictionary says of a record: its terms and codes in the variables of the domain."""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.definition.coding import title_of_dictionary
from equipoise.definition.expression import FormRow
from equipoise.definition.model.datasets import Tabulation
from equipoise.definition.sdtm.coded import LABELS, TOPIC_ENDINGS, coded_cells, coded_endings
from equipoise.definition.sdtm.guide import TEXT_LENGTH_MAX, Domain
from equipoise.definition.sdtm.naming import cut_text
from equipoise.exchange.datasets.model import Cell

AS_REPORTED = "Class Given by the Site"


def coded_item(domain: Domain, tabulation: Tabulation) -> str | None:
    """Return the item with the words of the topic, which are the ones that a dictionary codes."""
    topics = {f"{domain.name}{ending}" for ending in TOPIC_ENDINGS}
    return next((entry.item for entry in tabulation.variables if entry.variable in topics), None)


def fill_codes(
    cells: dict[str, Cell], domain: Domain, tabulation: Tabulation, row: FormRow
) -> Iterator[tuple[str, str, str, str]]:
    """Put the coding of a row's topic into the cells of its record.

    Yields what the domain has no variable for, as name, label, value and origin of a qualifier; and what the
    site had said in a variable that the dictionary decides.
    """
    coding = row.codings.get(coded_item(domain, tabulation) or "")
    if coding is None:
        return
    for ending, text in coded_cells(coding):
        name = f"{domain.name}{ending}"
        known = domain.variable(name)
        value = cut_text(text, TEXT_LENGTH_MAX)
        if known is None:
            yield name, LABELS[ending], value, "Assigned"
            continue
        before = cells.get(name)
        if before is not None and before != value:
            yield f"{domain.name}{ending[:5]}R", AS_REPORTED, str(before), "Collected"
        if not known.numeric:
            cells[name] = value
        elif text.isdigit():
            cells[name] = int(text)


def dictionary_of(name: str, domain: Domain, codings: set[tuple[str, str]]) -> tuple[str, str] | None:
    """Return the dictionary, and the versions of it, that fill a variable of a domain; None if none does."""
    ending = name.removeprefix(domain.name)
    found = sorted(each for each in codings if ending in coded_endings(each[0]))
    if not found:
        return None
    return title_of_dictionary(found[0][0]), ", ".join(version for _dictionary, version in found)
