"""The general observation classes: what each row of a form becomes, with its supplemental qualifiers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from equipoise.analysis.course import interventions_planned
from equipoise.analysis.cut import CutAdministration
from equipoise.definition.expression import EvidenceTable, FormRow, Truth, truth
from equipoise.definition.model.conduct import Safety
from equipoise.definition.model.datasets import TabulatedTest, TabulatedVariable, Tabulation
from equipoise.definition.model.forms import Form, Item
from equipoise.definition.sdtm.guide import TEXT_LENGTH_MAX, Domain, domains
from equipoise.definition.sdtm.naming import cut_text
from equipoise.definition.tabulation import submitted, unit_of
from equipoise.exchange.datasets.model import Cell
from equipoise.exchange.sdtm.coding import fill_codes
from equipoise.exchange.sdtm.subjects import Subject, iso

Row = dict[str, Cell]
_FULL_DATE_LENGTH = 10


@dataclass(frozen=True, slots=True)
class Qualifier:
    """A value beside a record, for which its domain has no variable."""

    name: str
    label: str
    value: str
    origin: str = "Collected"


@dataclass(slots=True)
class Record:
    """A row of a domain with its qualifiers, and the encounter that the form's row was filled at."""

    domain: str
    row: Row
    qualifiers: list[Qualifier] = field(default_factory=list)
    encounter: str | None = None


def records_of(
    subject: Subject, evidence: EvidenceTable, form: Form, tabulation: Tabulation, safety: Safety | None
) -> Iterator[Record]:
    """The records that a participant's rows of a form make in one domain."""
    domain = domains()[tabulation.domain]
    for row in evidence.rows(form.id):
        main = _main(subject, form, tabulation, row, domain)
        if main is not None:
            if safety is not None and domain.name == "AE" and safety.form == form.id:
                serious = truth(safety.serious, _row_alone(evidence, row))
                main.row.setdefault("AESER", "Y" if serious is Truth.MET else "N")
            yield main
        for test in tabulation.tests:
            record = _tested(subject, form, tabulation, row, domain, test)
            if record is not None:
                yield record


def _row_alone(evidence: EvidenceTable, row: FormRow) -> EvidenceTable:
    """What a condition about one row of a log is asked of."""
    return EvidenceTable(evidence.as_of, [row])


def _item(form: Form, name: str) -> Item:
    found = form.item(name)
    assert found is not None, "the linter has found every item"
    return found


def _main(
    subject: Subject, form: Form, tabulation: Tabulation, row: FormRow, domain: Domain
) -> Record | None:
    """The record of the row as a whole, None where the domain records tests or the row says nothing of it."""
    record = Record(domain.name, {}, encounter=row.encounter)
    for entry in tabulation.variables:
        _fill(record, domain, form, entry, row)
    record.qualifiers += [Qualifier(*each) for each in fill_codes(record.row, domain, tabulation, row)]
    if domain.is_findings or (not record.row and not record.qualifiers):
        constant_alone = domain.topic in tabulation.constants and not tabulation.variables
        if domain.is_findings or not constant_alone:
            return None
    for name, value in tabulation.constants.items():
        record.row.setdefault(name, _constant(domain, name, value))
    if domain.topic is None or domain.name == "EX" or record.row.get(domain.topic) is not None:
        _time(subject, record, domain, row, _dated(row))
        return record
    return None


def _constant(domain: Domain, name: str, value: str) -> Cell:
    known = domain.variable(name)
    if known is None or not known.numeric:
        return value
    return float(value) if "." in value else int(value)


def _fill(record: Record, domain: Domain, form: Form, entry: TabulatedVariable, row: FormRow) -> None:
    seen, item = row.values.get(entry.item), _item(form, entry.item)
    known = domain.variable(entry.variable or "")
    found = submitted(item, seen.value if seen else None, entry.values, known.codelist if known else None)
    if found is None:
        return
    if known is None:
        name, label = entry.qualifier or entry.item, entry.label or item.label
        record.qualifiers += _pieces(name, label, found.standard)
        return
    if known.numeric:
        record.row[known.name] = found.number
        if entry.unit and known.name.endswith("DOSE"):
            record.row[f"{known.name[:-1]}U"] = entry.unit
        return
    record.row[known.name] = first = cut_text(found.standard, TEXT_LENGTH_MAX)
    rest = found.standard[len(first) :].strip()
    if rest:
        record.qualifiers += _pieces(f"{known.name}1"[-8:], known.label, rest)


def _pieces(name: str, label: str, text: str) -> list[Qualifier]:
    """A qualifier, or several numbered ones for a text longer than one holds (SDTMIG 4.5.3.2)."""
    pieces: list[Qualifier] = []
    number = 0
    while text:
        piece = cut_text(text, TEXT_LENGTH_MAX)
        called = name if number == 0 else f"{name[: 8 - len(str(number))]}{number}"
        pieces.append(Qualifier(called, label, piece))
        text, number = text[len(piece) :].strip(), number + 1
    return pieces


def _tested(
    subject: Subject, form: Form, tabulation: Tabulation, row: FormRow, domain: Domain, test: TabulatedTest
) -> Record | None:
    item, seen = _item(form, test.item), row.values.get(test.item)
    value = None if seen is None else seen.value
    occurs = None if domain.is_findings else domain.variable(f"{domain.name}OCCUR")
    found = submitted(item, value, test.values, occurs.codelist if occurs else None)
    if found is None:
        return None
    two = domain.name
    record = Record(two, {}, encounter=row.encounter)
    if domain.is_findings:
        numeric = item.type in ("integer", "decimal") and not test.values
        unit = unit_of(item, domain, test.unit) if numeric else None
        record.row |= {
            f"{two}TESTCD": test.code,
            f"{two}TEST": test.name,
            f"{two}ORRES": cut_text(found.collected, TEXT_LENGTH_MAX),
            f"{two}ORRESU": unit,
            f"{two}STRESC": cut_text(found.standard, TEXT_LENGTH_MAX),
            f"{two}STRESN": found.number if numeric else None,
            f"{two}STRESU": unit,
        }
        rest = found.collected[len(str(record.row[f"{two}ORRES"])) :].strip()
        record.qualifiers += _pieces(f"{two}ORRES1", "Result or Finding in Original Units", rest)
        if two == "ZF":
            record.row["ZFCAT"] = cut_text(form.title.upper(), TEXT_LENGTH_MAX)
    else:
        record.row |= {
            f"{two}{'TRT' if domain.dataset_class == 'INTERVENTIONS' else 'TERM'}": test.name,
            f"{two}PRESP": "Y",
            f"{two}OCCUR": found.standard,
        }
    for name, constant in {**tabulation.constants, **test.constants}.items():
        record.row[name] = _constant(domain, name, constant)
    if form.repeating and row.row is not None:
        record.row[f"{two}GRPID"] = f"{form.id}-{row.row}"
    dated = row.values.get(test.dated_by) if test.dated_by else None
    on = str(dated.value) if dated is not None and dated.value is not None else _dated(row)
    _time(subject, record, domain, row, on)
    known = {each.name for each in domain.variables}
    record.row = {name: value for name, value in record.row.items() if name in known}
    return record


def _dated(row: FormRow) -> str | None:
    return None if row.date is None else str(row.date)


def _encounter(subject: Subject, row: FormRow) -> str | None:
    """The encounter of a row; what a product starts from is collected at the encounter that supply names."""
    collected = (
        product.collected_at
        for product in subject.plan.definition.supply.products
        if product.source_form == row.form and product.collected_at in subject.visits
    )
    return row.encounter or next(collected, None)


def _time(subject: Subject, record: Record, domain: Domain, row: FormRow, on: str | None) -> None:
    """Visit, dates, study days, epoch and a scan's link to its reading, as far as the domain has them."""
    two = domain.name
    known = {each.name for each in domain.variables}
    at = _encounter(subject, row)
    made: Row = {"USUBJID": subject.usubjid, **subject.visit(at)}
    imaging = subject.plan.definition.imaging
    if imaging is not None and row.form in (imaging.acquisition_form, imaging.read_form):
        made[f"{two}LNKID"] = at
    dated = record.row.get(f"{two}STDTC")
    if f"{two}DTC" in known:
        at_visit = subject.visits.get(at or "")
        collected = iso(at_visit.seen.took_place_on) if at_visit is not None else None
        # Of an event the date is when it was asked about; of a finding, when the finding was made.
        made[f"{two}DTC"] = on if domain.is_findings else collected
    elif f"{two}STDTC" in known and dated is None and at is not None:
        made[f"{two}STDTC"] = on
    record.row = {**{name: cell for name, cell in made.items() if name in known}, **record.row}
    for name, source in ((f"{two}DY", "DTC"), (f"{two}STDY", "STDTC"), (f"{two}ENDY", "ENDTC")):
        if name in known:
            record.row[name] = subject.day(record.row.get(f"{two}{source}"))
    if "EPOCH" in known:
        when = record.row.get(f"{two}STDTC") or record.row.get(f"{two}DTC")
        about_past = two == "MH"
        encounter = at if domain.is_findings or two == "PR" else None
        record.row["EPOCH"] = None if about_past else subject.epoch(when, encounter)


def exposures(subject: Subject, mapped: Mapping[str, Record]) -> Iterator[Record]:
    """The records of EX, one for each unit given; `mapped` holds what a form says of it, by encounter.

    A masked record names the product, which is the same for all, and never what it held.
    """
    for each in subject.person.administrations:
        told = mapped.get(each.encounter)
        row: Row = {
            "USUBJID": subject.usubjid,
            "EXTRT": cut_text(_content(subject, each), TEXT_LENGTH_MAX),
            "EXDOSE": 1,
            "EXDOSU": _unit_name(subject, each),
            "EPOCH": subject.plan.epoch_terms[each.epoch],
            "EXSTDTC": iso(each.given_on),
            "EXENDTC": iso(each.given_on),
        }
        if told is not None and told.row.get("EXDOSE") is not None:
            row["EXDOSU"] = None
        row |= {name: value for name, value in (told.row if told else {}).items() if value is not None}
        row["EPOCH"] = subject.plan.epoch_terms[each.epoch]
        row["EXSTDY"], row["EXENDY"] = subject.day(row["EXSTDTC"]), subject.day(row["EXENDTC"])
        known = {variable.name for variable in domains()["EX"].variables}
        kept = {name: value for name, value in row.items() if name in known}
        yield Record("EX", kept, list(told.qualifiers) if told else [])


def _content(subject: Subject, given: CutAdministration) -> str:
    """What a unit held, by the arm; the product's name where the arm is hidden."""
    definition = subject.plan.definition
    product = definition.supply.product(given.product)
    planned = interventions_planned(definition, subject.person.arm, given.epoch)
    able = product.interventions if product else ()
    names = [each.name for each in definition.study.interventions if each.id in planned and each.id in able]
    return " + ".join(names) or (product.name if product else given.product)


def _unit_name(subject: Subject, given: CutAdministration) -> str:
    product = subject.plan.definition.supply.product(given.product)
    return (product.unit_name if product else "unit").upper()


def flag_last_before_exposure(records: list[Record], domain: Domain, subject: Subject) -> None:
    """Set --LOBXFL on the last result of each test dated before the day of first exposure (SDTMIG 4.5.9).

    Where days alone are known, a result of the day of exposure may be from after it and does not count.
    """
    two, name = domain.name, f"{domain.name}LOBXFL"
    if domain.variable(name) is None or subject.first_given is None:
        return
    last: dict[tuple[Cell, ...], tuple[str, int]] = {}
    for index, record in enumerate(records):
        on = record.row.get(f"{two}DTC")
        whole = isinstance(on, str) and len(on) >= _FULL_DATE_LENGTH
        if whole and isinstance(on, str) and on[:_FULL_DATE_LENGTH] < subject.first_given.isoformat():
            test = tuple(record.row.get(f"{two}{end}") for end in ("TESTCD", "CAT", "OBJ", "LOC"))
            last[test] = max(last.get(test, ("", -1)), (on, index))
    for _, index in last.values():
        records[index].row[name] = "Y"
