"""Rules for datasets.yaml: forms, items and values that exist, domains and variables that the guide knows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .findings import Place, Problem, Severity, suggest
from .model.datasets import TabulatedTest, TabulatedVariable, Tabulation
from .model.definition import StudyDefinition
from .model.forms import Form, Item
from .sdtm.guide import (
    LABEL_LENGTH_MAX,
    NAME_LENGTH_MAX,
    Domain,
    GuideCodeList,
    GuideVariable,
    code_lists,
    domains,
)

FILE = "datasets.yaml"
_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,7}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DERIVED = ("STUDYID", "DOMAIN", "USUBJID", "VISITNUM", "VISIT", "VISITDY", "EPOCH", "TAETORD")
_DERIVED_ENDINGS = ("SEQ", "TESTCD", "TEST", "ORRES", "STRESC", "STRESN", "LOBXFL", "DY", "STDY", "ENDY")
# A participant has one record in it, made of what several forms say.
_PERSON = frozenset({"BRTHDTC", "SEX", "RACE", "ETHNIC", "DTHDTC", "DTHFL", "INVID", "INVNAM"})


def tabulated_domains() -> Mapping[str, Domain]:
    """The domains that forms can be tabulated in: the general observation classes, and demographics."""
    return {name: each for name, each in domains().items() if each.topic is not None or each.name == "DM"}


def check_datasets(definition: StudyDefinition) -> Iterator[Problem]:
    """Check what datasets.yaml says of each form, and the words for leaving the study."""
    plan = definition.datasets
    if plan is None:
        return
    seen: dict[tuple[str, str], tuple[str, str]] = {}
    for index, tabulation in enumerate(plan.forms):
        place: Place = ("forms", index)
        form = definition.form(tabulation.form)
        domain = tabulated_domains().get(tabulation.domain)
        if form is None:
            advice = suggest(tabulation.form, (each.id for each in definition.forms))
            yield _problem(
                "LINT-REFERENCE", f"There is no form '{tabulation.form}'. {advice}", (*place, "form")
            )
        if domain is None:
            advice = suggest(tabulation.domain, tabulated_domains())
            yield _problem(
                "LINT-DOMAIN",
                f"No form can be tabulated in '{tabulation.domain}'. {advice}",
                (*place, "domain"),
            )
        if form is not None and domain is not None:
            yield from _check_tabulation(definition, form, domain, tabulation, place)
            yield from _check_codes(form, tabulation, place, seen)
    reasons = code_lists()["C66727"]
    for cause, value in plan.disposition.items():
        if reasons.term(value) is None:
            yield _unlisted(value, reasons, ("disposition", cause))


def _problem(code: str, sentence: str, place: Place) -> Problem:
    return Problem(code=code, sentence=sentence, file=FILE, place=place)


def _unlisted(value: str, listed: GuideCodeList, place: Place) -> Problem:
    """A value outside a code list: an error, or a warning where the list may be extended."""
    advice = suggest(value, (each.value for each in listed.terms))
    sentence = f"'{value}' is not a value of the code list {listed.name}. {advice}"
    severity: Severity = "warning" if listed.extensible else "error"
    return Problem(code="LINT-TERM", sentence=sentence, file=FILE, place=place, severity=severity)


def _check_tabulation(
    definition: StudyDefinition, form: Form, domain: Domain, tabulation: Tabulation, place: Place
) -> Iterator[Problem]:
    for index, variable in enumerate(tabulation.variables):
        yield from _check_variable(form, domain, variable, (*place, "variables", index))
    for index, test in enumerate(tabulation.tests):
        yield from _check_test(form, domain, test, (*place, "tests", index))
    yield from _check_constants(domain, tabulation.constants, (*place, "constants"))
    names = [each.variable for each in tabulation.variables if each.variable is not None]
    for name in sorted({name for name in names if names.count(name) > 1 or name in tabulation.constants}):
        sentence = f"Two sources fill '{name}'. Keep one of them, or tabulate the form twice."
        yield _problem("LINT-NAME-TWICE", sentence, (*place, "variables"))
    given = form.id in {product.administration_form for product in definition.supply.products}
    # What was given names an administration's record.
    topics = {*names, *tabulation.constants, *(("EXTRT",) if given else ())}
    is_record = domain.dataset_class in ("EVENTS", "INTERVENTIONS") and not tabulation.tests
    if is_record and domain.topic not in topics:
        sentence = (
            f"A record of {domain.name} has no {domain.topic}. Name its item under variables, or write it "
            "under constants, or ask about it by name under tests."
        )
        yield _problem("LINT-TOPIC", sentence, place)
    if domain.name == "DM" and tabulation.tests:
        yield _problem(
            "LINT-DOMAIN", "Demographics has no tests. Name another domain for them.", (*place, "tests")
        )


def _item(form: Form, name: str, place: Place) -> Iterator[Problem]:
    if form.item(name) is None:
        advice = suggest(name, (each.id for each in form.items))
        yield _problem("LINT-REFERENCE", f"There is no item '{form.id}.{name}'. {advice}", place)


def _check_variable(form: Form, domain: Domain, entry: TabulatedVariable, place: Place) -> Iterator[Problem]:
    yield from _item(form, entry.item, (*place, "item"))
    if (entry.variable is None) == (entry.qualifier is None):
        sentence = f"'{entry.item}' needs either a variable or a qualifier. Write one of the two."
        yield _problem("LINT-VARIABLE", sentence, place)
    elif entry.variable is not None:
        yield from _known(domain, entry.variable, (*place, "variable"))
        yield from _check_type(form.item(entry.item), domain.variable(entry.variable), (*place, "variable"))
    else:
        qualifier = entry.qualifier or ""
        yield from _name(qualifier, (*place, "qualifier"))
        if entry.label is None:
            yield _problem("LINT-LABEL", f"The qualifier '{qualifier}' has no label. Write one.", place)
        if domain.variable(qualifier) is not None:
            sentence = f"'{qualifier}' is a variable of {domain.name}. Write it under variable."
            yield _problem("LINT-VARIABLE", sentence, (*place, "qualifier"))
    if entry.label is not None:
        yield from _label(entry.label, (*place, "label"))
    yield from _check_values(form, domain, entry.item, entry.variable, entry.values, (*place, "values"))


def _check_type(item: Item | None, known: GuideVariable | None, place: Place) -> Iterator[Problem]:
    """Find an item that cannot be what its variable holds: a number, or a date."""
    if item is None or known is None:
        return
    if known.numeric and item.type not in ("integer", "decimal"):
        sentence = f"'{known.name}' is a number, and '{item.id}' is {item.type}. Name another variable."
        yield _problem("LINT-TYPE", sentence, place)
    if known.name.endswith("DTC") and item.type not in ("date", "partial_date", "datetime"):
        sentence = f"'{known.name}' is a date, and '{item.id}' is {item.type}. Name another variable."
        yield _problem("LINT-TYPE", sentence, place)


def _check_test(form: Form, domain: Domain, test: TabulatedTest, place: Place) -> Iterator[Problem]:
    yield from _item(form, test.item, (*place, "item"))
    if test.dated_by is not None:
        yield from _item(form, test.dated_by, (*place, "dated_by"))
    if domain.is_findings and test.code is None:
        yield _problem("LINT-VARIABLE", f"The test '{test.name}' has no code. Write one.", place)
    if test.code is not None:
        yield from _name(test.code, (*place, "code"))
    if domain.is_findings:
        yield from _label(test.name, (*place, "name"))
    yield from _check_constants(domain, test.constants, (*place, "constants"))
    occurs = None if domain.is_findings else f"{domain.name}OCCUR"
    yield from _check_values(form, domain, test.item, occurs, test.values, (*place, "values"))


def _name(name: str, place: Place) -> Iterator[Problem]:
    if not _NAME.fullmatch(name):
        sentence = (
            f"'{name}' cannot be a short name. Write at most {NAME_LENGTH_MAX} characters: capital letters, "
            "digits and underscores, no digit first."
        )
        yield _problem("LINT-SHORT-NAME", sentence, place)


def _label(text: str, place: Place) -> Iterator[Problem]:
    if len(text.encode()) > LABEL_LENGTH_MAX:
        sentence = f"'{text}' is longer than {LABEL_LENGTH_MAX} characters. Shorten it."
        yield _problem("LINT-LABEL", sentence, place)


def _known(domain: Domain, name: str, place: Place) -> Iterator[Problem]:
    """Find a variable that the domain lacks, or that is derived and never filled from a form."""
    if domain.variable(name) is None:
        advice = suggest(name, (each.name for each in domain.variables))
        sentence = f"{domain.name} has no variable '{name}'. {advice} A name of your own is a qualifier."
        yield _problem("LINT-VARIABLE", sentence, place)
    elif name in _DERIVED or name in {domain.name + each for each in _DERIVED_ENDINGS}:
        yield _problem("LINT-VARIABLE", f"'{name}' is derived. Leave it out.", place)
    elif domain.name == "DM" and name not in _PERSON:
        sentence = f"'{name}' follows from the trial itself. Use one of: {', '.join(sorted(_PERSON))}."
        yield _problem("LINT-VARIABLE", sentence, place)


def _check_constants(domain: Domain, constants: Mapping[str, str], place: Place) -> Iterator[Problem]:
    for name, value in constants.items():
        yield from _known(domain, name, (*place, name))
        known = domain.variable(name)
        if known is not None and known.numeric and not _NUMBER.fullmatch(value):
            yield _problem(
                "LINT-TYPE", f"'{name}' is a number, and '{value}' is none. Correct it.", (*place, name)
            )
        elif known is not None:
            yield from _check_term(known.codelist, value, (*place, name))


def _check_term(codelist: str | None, value: str, place: Place) -> Iterator[Problem]:
    """Find a value outside a code list that may not be extended."""
    listed = code_lists().get(codelist or "")
    if listed is not None and not listed.extensible and listed.term(value) is None:
        yield _unlisted(value, listed, place)


def _check_values(
    form: Form, domain: Domain, item_id: str, variable: str | None, values: Mapping[str, str], place: Place
) -> Iterator[Problem]:
    item = form.item(item_id)
    known = domain.variable(variable or "")
    for code, value in values.items():
        if item is not None and code not in _answers(item):
            advice = suggest(code, _answers(item))
            sentence = f"'{form.id}.{item.id}' has no answer '{code}'. {advice}"
            yield _problem("LINT-REFERENCE", sentence, (*place, code))
        if known is not None:
            yield from _check_term(known.codelist, value, (*place, code))


def _answers(item: Item) -> tuple[str, ...]:
    if item.type == "integer" and item.minimum is not None and item.maximum is not None:
        return tuple(str(each) for each in range(int(item.minimum), int(item.maximum) + 1))
    return ("true", "false") if item.type == "boolean" else tuple(each.code for each in item.codes)


def _check_codes(
    form: Form, tabulation: Tabulation, place: Place, seen: dict[tuple[str, str], tuple[str, str]]
) -> Iterator[Problem]:
    """Find a short name that means two things in one domain (SDTMIG 4.2.1: one label for each code)."""
    named = [(("tests", index), test.code, test.name) for index, test in enumerate(tabulation.tests)] + [
        (("variables", index), entry.qualifier, entry.label)
        for index, entry in enumerate(tabulation.variables)
    ]
    for (kind, index), code, words in named:
        if code is None or words is None:
            continue
        first = seen.setdefault((f"{tabulation.domain} {kind}", code), (words, form.id))
        if first[0] != words:
            sentence = (
                f"'{code}' means '{words}' here and '{first[0]}' for the form '{first[1]}'. "
                "Give one of them another name."
            )
            yield _problem("LINT-NAME-TWICE", sentence, (*place, kind, index))
