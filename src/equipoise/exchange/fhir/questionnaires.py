"""Questionnaire for each form: its items with their limits, its edit checks, and when an item is asked."""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import EditCheck, Form, Item
from equipoise.exchange.fhir.codes import (
    CONSTRAINT,
    ENABLE_WHEN,
    ENTRY_FORMAT,
    FULL_DATE,
    ITEM_CONTROL,
    ITEM_CONTROLS,
    ITEM_TYPES,
    ITEM_UNIT,
    MAX_DECIMALS,
    MAX_VALUE,
    MIN_VALUE,
    PARTIAL_DATE,
)
from equipoise.exchange.fhir.conditions import Writer, code_of, unit_of
from equipoise.exchange.fhir.study import publication_status
from equipoise.exchange.fhir.tree import Names, Tree, concept, extension, kept, number

_SEVERITIES = {"hard": "error", "query": "warning"}


def questionnaire_resources(definition: StudyDefinition, names: Names) -> Iterator[Tree]:
    """Yield the forms. A repeating form is a group that repeats."""
    writer = Writer(definition, names)
    for form in definition.forms:
        yield names.resource(
            "Questionnaire",
            form.id,
            url=names.url("Questionnaire", form.id),
            version=definition.study.version,
            name=form.id,
            title=form.title,
            status=publication_status(definition.study),
            subjectType=["Patient"],
            purpose=form.source,
            item=[
                kept(
                    extension=[_check(each, writer) for each in form.checks],
                    linkId=form.id,
                    text=form.title,
                    type="group",
                    repeats=True if form.repeating else None,
                    item=[_item(form, each, writer) for each in form.items],
                )
            ],
        )


def _check(check: EditCheck, writer: Writer) -> Tree:
    return extension(
        CONSTRAINT,
        extension=[
            extension("key", valueId=check.id.replace("_", "-")),
            extension("severity", valueCode=_SEVERITIES[check.severity]),
            extension("expression", valueExpression=writer.expression(check.holds)),
            extension("human", valueString=check.message),
        ],
    )


def _item(form: Form, item: Item, writer: Writer) -> Tree:
    asked = None if item.when is None else writer.enable_when(item.when, form.id)
    extensions = list(_limits(item))
    if item.when is not None and asked is None:
        extensions.append(extension(ENABLE_WHEN, valueExpression=writer.expression(item.when)))
    link = f"{form.id}.{item.id}"
    return kept(
        extension=extensions,
        linkId=link,
        text=item.label,
        type=ITEM_TYPES[item.type],
        **(asked or {}),
        required=item.required,
        answerOption=[
            {"valueCoding": code_of(writer.names, form.id, item, each.code)} for each in item.codes
        ],
        item=[_help(link, item.help)] if item.help else [],
    )


def _limits(item: Item) -> Iterator[Tree]:
    kind = "valueInteger" if item.type == "integer" else "valueDecimal"
    if item.type in ("date", "partial_date"):
        yield extension(ENTRY_FORMAT, valueString=FULL_DATE if item.type == "date" else PARTIAL_DATE)
    for url, limit in ((MIN_VALUE, item.minimum), (MAX_VALUE, item.maximum)):
        if limit is not None:
            yield extension(url, **{kind: number(limit)})
    if item.unit is not None:
        unit = unit_of(item.unit)
        coding = {"system": unit["system"], "code": unit["code"]} if "code" in unit else {}
        yield extension(ITEM_UNIT, valueCoding={**coding, "display": item.unit})
    if item.step is not None and item.step < 1 and item.step.normalize().as_tuple().digits == (1,):
        yield extension(MAX_DECIMALS, valueInteger=-item.step.adjusted())


def _help(link: str, text: str) -> Tree:
    control = extension(ITEM_CONTROL, valueCodeableConcept=concept(None, ITEM_CONTROLS, "help"))
    return {"extension": [control], "linkId": f"{link}.help", "text": text, "type": "display"}
