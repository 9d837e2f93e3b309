"""What every form becomes in the tabulation datasets: as datasets.yaml says, or by itself.

Nothing that is asked is dropped. An item that datasets.yaml does not name becomes a qualifier of its form's
first record, or a test of its form's first findings domain. A form that it does not name becomes adverse
events or exposure where safety.yaml or supply.yaml says that it holds them; birth date, sex, race and
ethnicity under their usual names go to demographics; all else goes to the domain ZF, a test for each
question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from .expression import PartialDate, Value
from .expression.values import plain
from .model.datasets import TabulatedTest, TabulatedVariable, Tabulation
from .model.definition import StudyDefinition
from .model.forms import Form, Item
from .sdtm.guide import FORMS_WITHOUT_DOMAIN, Domain, code_lists, domains
from .sdtm.naming import ShortNames, short_label

_PERSON_ITEMS = {
    "birth_date": "BRTHDTC",
    "date_of_birth": "BRTHDTC",
    "born_on": "BRTHDTC",
    "sex": "SEX",
    "gender": "SEX",
    "race": "RACE",
    "ethnicity": "ETHNIC",
}
_SAFETY_VARIABLES = {
    "term": "AETERM",
    "onset": "AESTDTC",
    "causality": "AEREL",
    "outcome": "AEOUT",
    "resolved": "AEENDTC",
    "body_system": "AEBODSYS",
}
_EVENT_ITEMS = {"serious": "AESER", "action": "AEACN", "action_taken": "AEACN"}


def tabulations(definition: StudyDefinition) -> tuple[Tabulation, ...]:
    """Every record that forms make, with all items in it, in the order of datasets.yaml."""
    plan = definition.datasets
    written: dict[str, list[Tabulation]] = {}
    for each in plan.forms if plan else ():
        written.setdefault(each.form, []).append(each)
    made = [
        each
        for form in definition.forms
        for each in _completed(form, written.get(form.id) or list(_by_itself(definition, form)))
    ]
    order = {each: place for place, each in enumerate(dict.fromkeys(written))}
    return tuple(sorted(_named(made), key=lambda each: order.get(each.form, len(order))))


def _by_itself(definition: StudyDefinition, form: Form) -> Iterator[Tabulation]:
    safety = definition.safety
    if safety is not None and form.id == safety.form:
        named = {
            getattr(safety, key): name for key, name in _SAFETY_VARIABLES.items() if getattr(safety, key)
        }
        severity = form.item(safety.severity)
        named[safety.severity] = "AETOXGR" if severity and severity.type == "integer" else "AESEV"
        named |= {item.id: _EVENT_ITEMS[item.id] for item in form.items if item.id in _EVENT_ITEMS}
        yield _variables(form.id, "AE", named)
    elif form.id in {product.administration_form for product in definition.supply.products}:
        yield Tabulation(form=form.id, domain="EX")
    elif not form.repeating:
        named = {item.id: _PERSON_ITEMS[item.id] for item in form.items if item.id in _PERSON_ITEMS}
        if named:
            yield _variables(form.id, "DM", named)
        yield Tabulation(form=form.id, domain=FORMS_WITHOUT_DOMAIN)
    else:
        yield Tabulation(form=form.id, domain=FORMS_WITHOUT_DOMAIN)


def _variables(form: str, domain: str, named: Mapping[str, str]) -> Tabulation:
    entries = tuple(TabulatedVariable(item=item, variable=name) for item, name in named.items())
    return Tabulation(form=form, domain=domain, variables=entries)


def _completed(form: Form, found: Sequence[Tabulation]) -> list[Tabulation]:
    """The tabulations of a form with every item in one of them."""
    made = [_dated(form, each) for each in found]
    used: set[str | None] = {entry.item for each in made for entry in each.variables}
    used |= {test.item for each in made for test in each.tests}
    used |= {test.dated_by for each in made for test in each.tests if test.dated_by}
    if any(domains()[each.domain].topic is not None for each in made):
        # The date of a row is the date of each of its records.
        used.add(form.dated_by)
    rest = [item for item in form.items if item.id not in used]
    if not rest and used == {form.dated_by}:
        # A form that asks for nothing but its date: the date itself is the answer.
        rest = [item for item in form.items if item.id == form.dated_by]
    if not rest:
        return made
    index = next((n for n, each in enumerate(made) if domains()[each.domain].is_findings), None)
    if index is None:
        index = next((n for n, each in enumerate(made) if _has_record(each)), None)
    if index is None:
        made.append(Tabulation(form=form.id, domain=FORMS_WITHOUT_DOMAIN))
        index = len(made) - 1
    home = made[index]
    if domains()[home.domain].is_findings:
        tests = tuple(
            TabulatedTest(item=item.id, name=short_label(item.label), code="", unit=item.unit)
            for item in rest
        )
        made[index] = replace(home, tests=(*home.tests, *tests))
    else:
        entries = tuple(
            TabulatedVariable(item=item.id, qualifier="", label=short_label(item.label)) for item in rest
        )
        made[index] = replace(home, variables=(*home.variables, *entries))
    return made


def _has_record(tabulation: Tabulation) -> bool:
    """Whether a row makes a record of its own, besides those of its tests."""
    topic = domains()[tabulation.domain].topic
    named = {*(entry.variable for entry in tabulation.variables), *tabulation.constants}
    return tabulation.domain in ("DM", "EX") or topic in named


def _dated(form: Form, tabulation: Tabulation) -> Tabulation:
    """The tabulation with the item that dates the form's rows as the start of an event or intervention."""
    domain = domains()[tabulation.domain]
    start = domain.variable(f"{domain.name}STDTC")
    taken = {*(entry.variable for entry in tabulation.variables), *tabulation.constants}
    mapped = {entry.item for entry in tabulation.variables}
    if start is None or domain.name in ("DM", "EX") or form.dated_by is None:
        return tabulation
    if start.name in taken or form.dated_by in mapped or not _has_record(tabulation):
        return tabulation
    entry = TabulatedVariable(item=form.dated_by, variable=start.name)
    return replace(tabulation, variables=(*tabulation.variables, entry))


def _named(made: Sequence[Tabulation]) -> Iterator[Tabulation]:
    """The tabulations with a short name for each entry that has none, each once in its domain."""
    names: dict[str, ShortNames] = {}
    codes: dict[str, ShortNames] = {}
    for each in made:
        # The names that the study gives, and the guide's own, are taken before any is made up.
        taken = [
            entry.qualifier for other in made if other.domain == each.domain for entry in other.variables
        ]
        guide = [known.name for known in domains()[each.domain].variables]
        names.setdefault(each.domain, ShortNames([*filter(None, taken), *guide]))
        tests = [test.code for other in made if other.domain == each.domain for test in other.tests]
        codes.setdefault(each.domain, ShortNames(filter(None, tests)))
    for each in made:
        prefix = "" if each.domain == "DM" else each.domain
        yield replace(
            each,
            variables=tuple(
                replace(entry, qualifier=names[each.domain].new(prefix + entry.item.replace("_", "")))
                if entry.qualifier == ""
                else entry
                for entry in each.variables
            ),
            tests=tuple(
                replace(test, code=codes[each.domain].new(test.item.replace("_", "")))
                if test.code == ""
                else test
                for test in each.tests
            ),
        )


@dataclass(frozen=True, slots=True)
class Submitted:
    """A value as it is submitted: `collected` in the words of the form, `standard` in those of the domain."""

    collected: str
    standard: str
    number: int | float | None = None


def submitted(
    item: Item, value: Value, values: Mapping[str, str], codelist: str | None = None
) -> Submitted | None:
    """A value of an item as it is submitted, None when it is missing.

    `values` decides; else a word that the code list knows by value or synonym; else the answer's own label.
    """
    if value is None:
        return None
    code = (
        str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else _plain(value)
    )
    label = next((each.label for each in item.codes if each.code == code), code)
    if isinstance(value, bool):
        label = "Y" if value else "N"
    listed = code_lists().get(codelist or "")
    meant = listed.meant(code, label) if listed is not None else None
    number = None
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        number = float(value) if isinstance(value, Decimal) else value
    return Submitted(label, values.get(code) or meant or label, number)


def _plain(value: int | Decimal | date | PartialDate) -> str:
    return plain(value) if isinstance(value, Decimal) else str(value)


def permitted(item: Item, values: Mapping[str, str], codelist: str | None = None) -> tuple[str, ...]:
    """Every value that an answer of a closed question can be submitted as, in the order of the form."""
    answers: tuple[Value, ...] = tuple(each.code for each in item.codes)
    if item.type == "boolean":
        answers = (True, False)
    found = (submitted(item, each, values, codelist) for each in answers)
    return tuple(dict.fromkeys(each.standard for each in found if each is not None))


def unit_of(item: Item, domain: Domain, unit: str | None) -> str | None:
    """The unit of a result: as written, else the submission value of the item's own (UCUM), else that."""
    if unit is not None and unit != item.unit:
        return unit
    known = domain.variable(f"{domain.name}ORRESU")
    listed = code_lists().get((known.codelist if known else None) or "")
    return (listed.meant(item.unit) if listed and item.unit else None) or item.unit


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the answers to an item go: a variable, a test or a qualifier of a domain.

    `by_itself` says that datasets.yaml does not name the item.
    """

    item: str
    domain: str
    place: str
    by_itself: bool


def placed(definition: StudyDefinition) -> tuple[Placed, ...]:
    """Where every item of every form goes, in the order of `tabulations`."""
    plan = definition.datasets
    said = {
        (each.form, item)
        for each in (plan.forms if plan else ())
        for item in (
            *(entry.item for entry in each.variables),
            *(test.item for test in each.tests),
            *(test.dated_by for test in each.tests),
        )
    }
    found: list[Placed] = []
    for each in tabulations(definition):
        two, form = each.domain, definition.form(each.form)
        places = [(entry.item, entry.variable or f"SUPP{two} {entry.qualifier}") for entry in each.variables]
        for test in each.tests:
            places.append((test.item, f"{two}TESTCD {test.code}" if test.code else test.name))
            places += [(test.dated_by, f"{two}DTC")] if test.dated_by else []
        dated = None if form is None else form.dated_by
        if dated is not None and dated not in dict(places):
            places.append((dated, f"{two}DTC"))
        found += [
            Placed(
                item=f"{each.form}.{item}",
                domain=two,
                place=place,
                by_itself=(each.form, item) not in said and item != dated,
            )
            for item, place in places
        ]
    return tuple(found)
