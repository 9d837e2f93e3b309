"""From rows to datasets: the variables of the guide with origin, method, length, key and code list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from equipoise.definition.sdtm.guide import Domain, GuideVariable, code_lists
from equipoise.exchange.datasets.content import cell_order
from equipoise.exchange.datasets.model import (
    Cell,
    CodeList,
    Dataset,
    DataType,
    Origin,
    Source,
    Term,
    ValueLevel,
    Variable,
)
from equipoise.exchange.sdtm.coding import dictionary_of

Row = dict[str, Cell]

_PROTOCOL = frozenset(
    {"STUDYID", "VISITDY", "ARMCD", "ARM", "TAETORD", "ETCD", "ELEMENT", "VISITNUM", "VISIT"}
)
_METHODS: Mapping[str, str] = {
    "USUBJID": "STUDYID and SUBJID joined by a hyphen",
    "SEQ": "Numbers the records of a subject in the order of the keys, from 1",
    "DY": "--DTC less RFSTDTC in days, plus 1 from RFSTDTC on; there is no day 0",
    "STDY": "--STDTC less RFSTDTC in days, plus 1 from RFSTDTC on; there is no day 0",
    "ENDY": "--ENDTC less RFSTDTC in days, plus 1 from RFSTDTC on; there is no day 0",
    "EPOCH": "The epoch of the planned visit where it was reached, else the last one begun by the date",
    "STRESC": "The result in the words of the terminology; a number as it was collected",
    "STRESN": "STRESC as a number",
    "STRESU": "The unit of STRESC, which is that of collection",
    "LOBXFL": "Y for the last result of a test on a day before RFXSTDTC",
    "RFSTDTC": "RFXSTDTC; where the trial hands nothing out, the start of the first treatment epoch",
    "RFENDTC": "The last day in the trial of a subject with RFSTDTC",
    "RFXSTDTC": "The earliest EXSTDTC",
    "RFXENDTC": "The latest EXENDTC",
    "RFPENDTC": "The last day in the trial",
    "AGE": "Completed years from BRTHDTC, a partial one taken as its last day, to RFSTDTC, else to RFICDTC",
    "DTHFL": "Y where an adverse event was fatal or a death was recorded",
    "DTHDTC": "The end of the fatal adverse event",
    "AESER": "Y where the condition of seriousness of the safety plan is met",
    "SVPRESP": "Y for a visit of the schedule",
    "SVOCCUR": "N for a planned visit recorded as missed, Y for one that took place",
    "SESTDTC": "Consent; then the first administration of the epoch, else its first visit",
    "SEENDTC": "The start of the next element, else the last day in the trial",
}
_COLLECTED = frozenset(
    {"RFICDTC", "SUBJID", "DSSTDTC", "SVSTDTC", "SVENDTC", "SVREASOC", "EXSTDTC", "EXENDTC"}
)


@dataclass(slots=True)
class Content:
    """What is known of a domain's values besides its rows.

    `pages` names the forms that fill a variable, `permitted` the values that its closed questions allow;
    `result_pages` and `results` say the same of each test's result, by the test's code. `codings` are the
    dictionaries, with their versions, that fill variables of the domain.
    """

    pages: dict[str, list[str]] = field(default_factory=dict)
    permitted: dict[str, list[str]] = field(default_factory=dict)
    result_pages: dict[str, list[str]] = field(default_factory=dict)
    results: dict[str, list[str]] = field(default_factory=dict)
    codings: set[tuple[str, str]] = field(default_factory=set)

    def add(self, variable: str, page: str, values: Iterable[str]) -> None:
        """Note that a form fills a variable, with the values of a closed question."""
        _extend(self.pages, variable, [page])
        _extend(self.permitted, variable, values)

    def add_result(self, test: str, page: str, values: Iterable[str]) -> None:
        """Note that a form asks for the result of a test, with the values of a closed question."""
        _extend(self.result_pages, test, [page])
        _extend(self.results, test, values)


def _extend(found: dict[str, list[str]], key: str, values: Iterable[str]) -> None:
    known = found.setdefault(key, [])
    known += [each for each in values if each not in known]


def dataset_of(
    domain: Domain,
    rows: Sequence[Row],
    content: Content,
    study: str,
    *,
    keys: Sequence[str],
) -> Dataset:
    """A dataset with the required and expected variables, and of the others those that have a value.

    The rows are sorted by `keys`, and numbered within a subject where the domain has a sequence number.
    """
    name = domain.name
    ordered = sorted(rows, key=lambda row: [cell_order(row.get(key)) for key in keys])
    sequence = f"{name}SEQ"
    if domain.variable(sequence) is not None and name != "TS":
        _number(ordered, sequence)
    for row in ordered:
        row["STUDYID"] = study
        if domain.variable("DOMAIN") is not None:
            row["DOMAIN"] = name
    kept = [
        each
        for each in domain.variables
        if each.core != "permissible" or any(row.get(each.name) is not None for row in ordered)
    ]
    names = {each.name for each in kept}
    used = [key for key in ("STUDYID", *keys) if key in names]
    places = {key: number for number, key in enumerate(used, start=1)}
    variables = tuple(_variable(domain, each, ordered, content, places) for each in kept)
    return Dataset(
        name=name,
        label=domain.label,
        structure=domain.structure,
        dataset_class=domain.dataset_class,
        variables=variables,
        rows=tuple(tuple(_cell(each, row.get(each.name)) for each in variables) for row in ordered),
        repeating=name != "DM",
        reference=domain.dataset_class == "TRIAL DESIGN",
    )


def _number(rows: Sequence[Row], sequence: str) -> None:
    counted: dict[Cell, int] = {}
    for row in rows:
        counted[row["USUBJID"]] = row[sequence] = counted.get(row["USUBJID"], 0) + 1


def _cell(variable: Variable, cell: Cell) -> Cell:
    return float(cell) if variable.type == "float" and isinstance(cell, int) else cell


def _variable(
    domain: Domain, known: GuideVariable, rows: Sequence[Row], content: Content, places: Mapping[str, int]
) -> Variable:
    cells = [row[known.name] for row in rows if row.get(known.name) is not None]
    kind = _type(known, cells)
    dictionary = dictionary_of(known.name, domain, content.codings)
    origin, source = _origin(domain, known, content)
    if dictionary is not None:
        origin, source = "Assigned", "Sponsor"
    ending = known.name.removeprefix(domain.name)
    method = _METHODS.get(known.name) or _METHODS.get(ending)
    pages = content.pages.get(known.name)
    made = Variable(
        name=known.name,
        label=known.label,
        type=kind,
        origin=origin if cells else "Not Available",
        source=source if cells else None,
        length=max((len(str(cell).encode()) for cell in cells), default=1) if kind == "text" else None,
        key=places.get(known.name),
        role=known.role,
        mandatory=known.core == "required" and len(cells) == len(rows),
        method=method if origin == "Derived" and cells else None,
        page=", ".join(pages) if pages and origin == "Collected" and cells else None,
        comment=None if cells else "Expected by the guide; the study does not record it",
    )
    if dictionary is not None and cells:
        made = replace(made, codelist=_external(domain, *dictionary, numeric=kind == "integer"))
    elif kind == "text":
        made = replace(made, codelist=_codelist(domain, known, cells, content))
    if ending in ("ORRES", "STRESC", "STRESN") and domain.is_findings and cells:
        made = replace(made, values=_value_level(domain, made, ending, rows, content))
    return made


def _type(known: GuideVariable, cells: Sequence[Cell]) -> DataType:
    if known.numeric:
        whole = known.name != "VISITNUM" and all(isinstance(cell, int) for cell in cells)
        return "integer" if whole else "float"
    if known.name.endswith("DTC"):
        lengths = {len(str(cell)) for cell in cells}
        if any(length > 10 for length in lengths):
            return "datetime" if min(lengths) > 10 else "incompleteDatetime"
        return "partialDate" if lengths - {10} else "date"
    return "durationDatetime" if known.name in ("TEDUR",) else "text"


def _origin(domain: Domain, known: GuideVariable, content: Content) -> tuple[Origin, Source]:
    name, ending = known.name, known.name.removeprefix(domain.name)
    if domain.dataset_class == "TRIAL DESIGN" and name not in ("STUDYID", "DOMAIN"):
        return ("Derived", "Sponsor") if ending == "SEQ" else ("Protocol", "Sponsor")
    if name == "DOMAIN":
        return "Assigned", "Sponsor"
    if name in content.pages or name in _COLLECTED:
        return "Collected", "Investigator"
    if ending == "DTC" or (ending == "ORRES" and domain.name != "IE"):
        return "Collected", "Investigator"
    if name in _METHODS or ending in _METHODS:
        return "Derived", "Sponsor"
    return ("Protocol", "Sponsor") if name in _PROTOCOL else ("Assigned", "Sponsor")


def _codelist(
    domain: Domain, known: GuideVariable, cells: Sequence[Cell], content: Content
) -> CodeList | None:
    """The values a variable may have: of the terminology those that occur, of a closed question all."""
    standard = code_lists().get(known.codelist or "")
    values = [*content.permitted.get(known.name, ()), *sorted({str(cell) for cell in cells})]
    values = list(dict.fromkeys(values))
    if not values or (known.codelist is None and not content.permitted.get(known.name)):
        return None
    if set(map(str, cells)) - set(content.permitted.get(known.name, ())) and known.codelist is None:
        return None
    return make_codelist(
        f"{domain.name}.{known.name}", standard.name if standard else known.label, values, known.codelist
    )


def _external(domain: Domain, dictionary: str, version: str, *, numeric: bool) -> CodeList:
    """A dictionary in place of a list of terms; its codes are numbers, and a list of their own."""
    name = f"{dictionary} codes" if numeric else dictionary
    return CodeList(
        id=f"{domain.name}.{name.upper().replace(' ', '.')}",
        name=name,
        terms=(),
        type="integer" if numeric else "text",
        dictionary=dictionary,
        dictionary_version=version,
    )


def make_codelist(list_id: str, name: str, values: Iterable[str], code: str | None) -> CodeList:
    """A code list with the concepts of its terms where the terminology's terms are known here."""
    standard = code_lists().get(code or "")
    terms = []
    for value in values:
        term = standard.term(value) if standard else None
        terms.append(Term(value, ncit=term.ncit if term else None))
    extended = standard is not None and any(standard.term(each.value) is None for each in terms)
    return CodeList(id=list_id, name=name, terms=tuple(terms), ncit=code, extended=extended)


def _value_level(
    domain: Domain, variable: Variable, ending: str, rows: Sequence[Row], content: Content
) -> tuple[ValueLevel, ...]:
    """What the results of each test are: type, length, code list and the form that they are from."""
    two, found = domain.name, []
    by_test: dict[str, list[Row]] = {}
    for row in rows:
        if row.get(variable.name) is not None:
            by_test.setdefault(str(row[f"{two}TESTCD"]), []).append(row)
    for code, mine in by_test.items():
        cells = [row[variable.name] for row in mine]
        numeric = all(row.get(f"{two}STRESN") is not None for row in mine)
        page, permitted = ", ".join(content.result_pages.get(code, ())), content.results.get(code, ())
        closed = ending == "STRESC" and bool(permitted) and {str(cell) for cell in cells} <= set(permitted)
        whole = all("." not in str(cell) for cell in cells) if numeric else False
        kind: DataType = ("integer" if whole else "float") if numeric else "text"
        if ending == "STRESN":
            kind = variable.type
        digits = max((len(str(cell).partition(".")[2]) for cell in cells), default=0)
        length = max(len(str(cell).encode()) for cell in cells)
        listed = make_codelist(f"{two}.{variable.name}.{code}", f"Results of {code}", permitted, None)
        found.append(
            ValueLevel(
                where=((f"{two}TESTCD", code),),
                variable=replace(
                    variable,
                    type=kind,
                    length=length,
                    key=None,
                    values=(),
                    codelist=listed if closed and kind == "text" else None,
                    page=page or None if variable.origin == "Collected" else None,
                    significant_digits=digits if kind == "float" else None,
                ),
            )
        )
    return tuple(found)
