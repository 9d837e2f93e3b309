"""The analysis datasets of a data cut with the metadata that Define-XML asks for: ADaMIG 1.3.

The values are those of analysis.datasets, from which the report can be had again; nothing is derived here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from equipoise.analysis.cut import DataCut
from equipoise.analysis.dataset_columns import Column, ColumnType, DatasetKind
from equipoise.analysis.dataset_columns import Dataset as Derived
from equipoise.analysis.datasets import derive_datasets
from equipoise.analysis.derive import Frame
from equipoise.definition.sdtm.guide import TEXT_LENGTH_MAX, code_lists
from equipoise.definition.sdtm.naming import cut_text
from equipoise.exchange.datasets.content import cell_order
from equipoise.exchange.datasets.model import (
    Cell,
    CodeList,
    Dataset,
    DatasetClass,
    DataType,
    Origin,
    Package,
    Term,
    ValueLevel,
    Variable,
)

VERSION = "1.3"
_CLASSES: Mapping[DatasetKind, DatasetClass] = {
    "subjects": "SUBJECT LEVEL ANALYSIS DATASET",
    "events": "OCCURRENCE DATA STRUCTURE",
    "occurrences": "OCCURRENCE DATA STRUCTURE",
    "findings": "BASIC DATA STRUCTURE",
    "times": "BASIC DATA STRUCTURE",
}
_SUBCLASSES: Mapping[DatasetKind, str] = {"events": "ADVERSE EVENT", "times": "TIME-TO-EVENT"}
# Lists of CDISC terminology that variables of analysis datasets are drawn from, by the variable's name.
_TERMINOLOGY = {"SEX": "C66731", "RACE": "C74457", "ETHNIC": "C66790", "APHASE": "C99079"}
_TYPES: Mapping[ColumnType, DataType] = {
    "string": "text",
    "integer": "integer",
    "decimal": "float",
    "date": "date",
}
_YES_NO = "C66742"
_DECODED = {"Y": "Yes", "N": "No"}
_MANDATORY = frozenset({"STUDYID", "USUBJID", "SUBJID", "SITEID", "PARAMCD", "PARAM", "ASEQ"})


def adam_package(cut: DataCut) -> Package:
    """ADSL, event logs, profiles and endpoints of a cut; a masked one has no treatment variable."""
    frame = Frame(cut)
    study = frame.definition.study
    return Package(
        standard="ADaMIG",
        version=VERSION,
        controlled_terms=frame.definition.datasets.terminology if frame.definition.datasets else None,
        study=study.id.upper(),
        study_name=study.acronym or study.id.upper(),
        study_description=study.official_title or study.title,
        protocol=study.id.upper(),
        created=cut.recorded_at,
        definition_hash=frame.definition.hash,
        masked=cut.masked,
        datasets=tuple(_dataset(each) for each in derive_datasets(frame)),
    )


def _dataset(derived: Derived) -> Dataset:
    rows = sorted(derived.rows, key=lambda row: [cell_order(row[key]) for key in derived.keys])
    variables = tuple(_variable(derived, each, rows) for each in derived.columns)
    return Dataset(
        name=derived.name,
        label=derived.label,
        structure=derived.structure,
        dataset_class=_CLASSES[derived.kind],
        variables=variables,
        rows=tuple(tuple(_cell(each, row[each.name]) for each in variables) for row in rows),
        repeating=derived.kind != "subjects",
        subclass=_SUBCLASSES.get(derived.kind),
    )


def _cell(variable: Variable, cell: Cell) -> Cell:
    """A cell of the variable's type, of a text as much as one holds."""
    if cell is None or variable.type == "date":
        return cell
    if variable.type == "text":
        return cut_text(str(cell), TEXT_LENGTH_MAX) or None
    return float(cell) if variable.type == "float" else cell


def _variable(derived: Derived, column: Column, rows: Sequence[Mapping[str, Cell]]) -> Variable:
    cells = [cut_text(str(row[column.name]), TEXT_LENGTH_MAX) for row in rows if row[column.name] is not None]
    kind = _type(column)
    return Variable(
        name=column.name,
        label=column.label,
        type=kind,
        origin=_origin(column),
        source="Sponsor" if column.predecessor is None else None,
        length=max((len(each.encode()) for each in cells), default=1) if kind == "text" else None,
        codelist=_codelist(derived, column, cells, kind),
        key=derived.keys.index(column.name) + 1 if column.name in derived.keys else None,
        mandatory=column.name in _MANDATORY and len(cells) == len(rows),
        method=column.method if column.predecessor is None else None,
        predecessor=column.predecessor,
        significant_digits=max((_digits(each) for each in cells), default=0) if kind == "float" else None,
        numeric_date=kind == "date",
        values=_value_level(column, rows) if column.name == "AVAL" else (),
    )


def _origin(column: Column) -> Origin:
    """A variable of the tabulation datasets is copied; the codes and names of parameters are assigned."""
    if column.predecessor is not None:
        return "Predecessor"
    return "Assigned" if column.name in ("PARAMCD", "PARAM", "PARAMN", "PARCAT1") else "Derived"


def _type(column: Column) -> DataType:
    return _TYPES[column.type]


def _digits(written: str) -> int:
    return len(written.partition(".")[2]) if "e" not in written else 12


def _codelist(derived: Derived, column: Column, cells: Sequence[str], kind: DataType) -> CodeList | None:
    """The values that a column may have, where all that it has are among them."""
    if not column.permitted or kind not in ("text", "integer"):
        return None
    if not set(cells) <= {value for value, _ in column.permitted}:
        return None
    yes = {value for value, _ in column.permitted} <= _DECODED.keys()
    code = _YES_NO if yes else _TERMINOLOGY.get(column.name)
    standard = code_lists().get(code or "")
    terms = []
    permitted = (
        [each for each in _DECODED.items() if each[0] in dict(column.permitted)] if yes else column.permitted
    )
    for value, decode in permitted:
        known = standard.term(value) if standard else None
        terms.append(Term(value, decode, known.ncit if known else None))
    shared = yes or column.name in _TERMINOLOGY
    return CodeList(
        id=f"NY.{len(terms)}" if yes else column.name if shared else f"{derived.name}.{column.name}",
        name=standard.name if standard else column.label,
        terms=tuple(terms),
        type="integer" if kind == "integer" else "text",
        ncit=code,
        extended=standard is not None and any(standard.term(each.value) is None for each in terms),
    )


def _value_level(column: Column, rows: Sequence[Mapping[str, Cell]]) -> tuple[ValueLevel, ...]:
    """What AVAL is for each parameter: whole or not, its digits."""
    by_code: dict[str, list[str]] = {}
    for row in rows:
        found = row[column.name]
        if found is not None:
            by_code.setdefault(str(row["PARAMCD"]), []).append(str(found))
    found_levels = []
    for code, cells in by_code.items():
        digits = max(0 if each.endswith(".0") else _digits(each) for each in cells)
        variable = Variable(
            name=column.name,
            label=column.label,
            type="float" if digits else "integer",
            origin="Derived",
            source="Sponsor",
            length=max(len(each.removesuffix(".0")) for each in cells),
            method=column.method,
            significant_digits=digits or None,
        )
        found_levels.append(ValueLevel(where=(("PARAMCD", code),), variable=variable))
    return tuple(found_levels)
