"""The metadata of a study definition: its encounters as events, its forms, items, codes and conditions.

What ODM has no place for stands in `own`, and is written as an alias that other systems pass over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from equipoise.definition.expression import Aggregate, Not, prose, unparse, walk
from equipoise.definition.expression import Item as ItemNode
from equipoise.definition.expression.prose import phrase
from equipoise.definition.findings import Place
from equipoise.definition.languages import translations_of
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import EditCheck, Form, Item
from equipoise.definition.names import DefinitionNames
from equipoise.definition.recording import DIGITS_MAX, TEXT_LENGTH_MAX
from equipoise.exchange.odm import facts
from equipoise.exchange.odm.metadata import (
    CodeListDef,
    EventDef,
    Expression,
    Formal,
    GroupDef,
    ItemDef,
    Metadata,
    RangeCheck,
    Ref,
    Term,
    Texts,
)
from equipoise.exchange.odm.names import (
    CODE_LIST,
    CONDITION,
    EVENT,
    FORM,
    GENERATED,
    GROUP,
    ITEM,
    LOGS,
    SYSTEM,
    UNSCHEDULED,
    VARIABLES,
    escaped,
    metadata_oid,
)

DATA_TYPES: Final = {
    "integer": "integer",
    "decimal": "decimal",
    "text": "text",
    "boolean": "boolean",
    "choice": "text",
    "date": "date",
    "partial_date": "partialDate",
    "datetime": "datetime",
}
"""The data type of ODM 2.0 for each type of item; what is called decimal is a float in ODM 1.3.2."""

_WHOLE_DIGITS_MAX: Final = 18


@dataclass(frozen=True, slots=True)
class _Study:
    """A definition, and its texts in every language."""

    definition: StudyDefinition
    translations: Mapping[str, Mapping[Place, str]]

    def texts(self, text: str | None, *place: str) -> Texts:
        """Return a text with its translations."""
        if text is None:
            return {}
        others = {tag: said[place] for tag, said in self.translations.items() if place in said}
        return {self.definition.study.language: text, **others}


def metadata_of(definition: StudyDefinition, *, with_data: bool = False, days_only: bool = False) -> Metadata:
    """Return the metadata of a study; `with_data` adds the generated groups that a trial's data need.

    With `days_only` date-times are declared as partial, as a data cut holds their days alone.
    """
    said = {tag: translations_of(language) for tag, language in definition.languages.items()}
    study = _Study(definition, said)
    groups: dict[str, GroupDef] = {}
    items: dict[str, ItemDef] = {}
    lists: dict[str, CodeListDef] = {}
    for form in definition.forms:
        groups |= {group.oid: group for group in _groups(study, form, with_data)}
        for item in form.items:
            found = _item(study, form, item, days_only=days_only)
            items[found.oid] = found
            if item.codes:
                lists[f"{CODE_LIST}{form.id}.{item.id}"] = _code_list(study, form, item)
    if with_data:
        groups |= {group.oid: group for group in _generated_groups()}
        items |= {item.oid: item for item in _generated_items()}
    return Metadata(
        study=definition.study.id,
        name=definition.study.title,
        description=definition.study.official_title or definition.study.title,
        protocol=definition.study.acronym or definition.study.id,
        oid=metadata_oid(definition.study.version),
        version=definition.study.version,
        title=study.texts(definition.study.title, "title"),
        own=_known({"language": definition.study.language, "acronym": definition.study.acronym}),
        events={event.oid: event for event in _events(study, with_data)},
        groups=groups,
        items=items,
        code_lists=lists,
        conditions={found.oid: found for found in _conditions(study)},
        methods={found.oid: found for found in _methods(study)},
    )


def _known(own: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in own.items() if value}


def _retired(retired: bool) -> dict[str, str]:
    """Say of what an amendment retired that nothing new is recorded in it."""
    return {"retired": "true"} if retired else {}


# -- events


def _events(study: _Study, with_data: bool) -> Iterator[EventDef]:
    schedule = study.definition.schedule
    facts_form = [Ref(oid=f"{FORM}{GENERATED}ENCOUNTER", mandatory=True)] if with_data else []
    between = _unplanned_forms(study.definition)
    for encounter in schedule.encounters:
        planned = schedule.forms_at(encounter.id)
        refs = [Ref(oid=f"{FORM}{form}", mandatory=True) for form in planned]
        if with_data:
            refs += [Ref(oid=f"{FORM}{form}", mandatory=False) for form in between if form not in planned]
        yield EventDef(
            oid=f"{EVENT}{encounter.id}",
            name=encounter.name,
            type="Scheduled",
            repeating=False,
            refs=(*facts_form, *refs),
            title=study.texts(encounter.name, "encounters", encounter.id),
            category=next((e.name for e in study.definition.study.epochs if e.id == encounter.epoch), None),
            own={
                "epoch": encounter.epoch,
                "anchor": encounter.anchor,
                "day": str(encounter.day),
                "early_days": str(encounter.early_days),
                "late_days": str(encounter.late_days),
                **_retired(encounter.retired),
            },
        )
    unscheduled = between if with_data else schedule.unscheduled
    if unscheduled:
        event = _event(UNSCHEDULED, "Unscheduled encounter", "Unscheduled", unscheduled, facts_form)
        yield replace(event, own=_known({"forms": " ".join(schedule.unscheduled)}))
    logs = tuple(form.id for form in study.definition.forms) if with_data else schedule.logs
    if logs:
        event = _event(LOGS, "Between encounters", "Common", logs, [])
        yield replace(event, own=_known({"forms": " ".join(schedule.logs)}))
    if with_data:
        for group in facts.GROUPS:
            if group.place == "participant":
                yield _event(f"{GENERATED}{group.id}", group.title, "Common", [f"{GENERATED}{group.id}"], [])


def _event(name: str, title: str, kind: str, forms: Iterable[str], before: list[Ref]) -> EventDef:
    return EventDef(
        oid=f"{EVENT}{name}",
        name=title,
        type=kind,
        repeating=kind == "Unscheduled",
        refs=(*before, *(Ref(oid=f"{FORM}{form}", mandatory=False) for form in forms)),
    )


def _unplanned_forms(definition: StudyDefinition) -> tuple[str, ...]:
    """Return the forms that may be filled at an encounter that does not plan them."""
    wanted = {*definition.schedule.logs, *definition.schedule.unscheduled}
    for product in definition.supply.products:
        wanted |= {product.source_form or "", product.manufacture_form or ""}
        wanted |= {product.administration_form or ""}
    if definition.imaging is not None:
        wanted |= {definition.imaging.acquisition_form, definition.imaging.read_form}
    return tuple(form.id for form in definition.forms if form.id in wanted)


# -- forms


def _several(definition: StudyDefinition, form: Form) -> bool:
    """Whether a form may be filled several times at one place: by row, or once for each lot, unit or scan."""
    made = {
        name
        for product in definition.supply.products
        for name in (product.source_form, product.manufacture_form, product.administration_form)
    }
    read = definition.imaging is not None and form.id == definition.imaging.read_form
    return form.repeating or form.id in made or read


def _groups(study: _Study, form: Form, with_data: bool) -> Iterator[GroupDef]:
    title = study.texts(form.title, "forms", form.id, "title")
    refs = [Ref(oid=f"{GROUP}{form.id}", mandatory=True)]
    if with_data:
        refs.append(Ref(oid=f"{GROUP}{GENERATED}RECORD", mandatory=False))
    yield GroupDef(
        oid=f"{FORM}{form.id}",
        name=form.title,
        kind="form",
        repeating=_several(study.definition, form),
        refs=tuple(refs),
        title=title,
        own=_known(
            {
                "repeating": "true" if form.repeating else None,
                "log": "true" if form.log else None,
                "dated_by": form.dated_by,
                "unmasking": "true" if form.unmasking else None,
                "filled_by": " ".join(form.filled_by),
                "source": form.source,
                **_retired(form.retired),
                "source_verification": None
                if form.source_verification == "all"
                else form.source_verification,
            }
        ),
    )
    yield GroupDef(
        oid=f"{GROUP}{form.id}",
        name=form.title,
        kind="group",
        repeating=False,
        refs=tuple(
            Ref(
                oid=f"{ITEM}{form.id}.{item.id}",
                mandatory=item.required,
                condition=None if item.when is None else f"{CONDITION}{form.id}.{item.id}",
            )
            for item in form.items
        ),
    )


def _item(study: _Study, form: Form, item: Item, *, days_only: bool) -> ItemDef:
    place = ("forms", form.id, "items", item.id)
    cut_off = days_only and item.type == "datetime"
    return ItemDef(
        oid=f"{ITEM}{form.id}.{item.id}",
        name=item.id,
        type="partialDatetime" if cut_off else DATA_TYPES[item.type],
        length=_length(item),
        digits=_decimals(item) if item.type == "decimal" else None,
        question=study.texts(item.label, *place, "label"),
        help=study.texts(item.help, *place, "help"),
        units=() if item.unit is None else (item.unit,),
        checks=(*_limits(item), *_checks(study, form, item)),
        code_list=f"{CODE_LIST}{form.id}.{item.id}" if item.codes else None,
        own=_known(
            {
                "type": "datetime" if cut_off else None,
                "step": None if item.step is None else str(item.step),
                "unmasking": "true" if item.unmasking else None,
                "coded_with": item.coded_with,
                **_retired(item.retired),
                "critical": "true" if item.critical else None,
            }
        ),
    )


def _length(item: Item) -> int | None:
    if item.type == "choice":
        return max((len(escaped(code.code)) for code in item.codes), default=1)
    if item.type == "integer":
        bounds = [len(str(abs(int(bound)))) for bound in (item.minimum, item.maximum) if bound is not None]
        return max(bounds) if len(bounds) == 2 else _WHOLE_DIGITS_MAX
    return {"text": TEXT_LENGTH_MAX, "decimal": DIGITS_MAX}.get(item.type)


def _decimals(item: Item) -> int | None:
    """How many decimals an item has that is entered in steps, else None: nothing limits them."""
    if item.step is None:
        return None
    parts = [number for number in (item.step, item.minimum) if number is not None]
    return max(max(0, -int(Decimal(number).normalize().as_tuple().exponent)) for number in parts)


def _limits(item: Item) -> Iterator[RangeCheck]:
    for comparator, bound in (("GE", item.minimum), ("LE", item.maximum)):
        if bound is not None:
            yield RangeCheck(hard=True, comparator=comparator, values=(format(bound, "f"),), unit=item.unit)


def _checks(study: _Study, form: Form, item: Item) -> Iterator[RangeCheck]:
    """Yield the edit checks that stand at an item: each at the last item of the form that it looks at."""
    for check in form.checks:
        if _place_of(form, check) == item.id:
            yield RangeCheck(
                hard=check.severity == "hard",
                expressions=(Expression(f"{SYSTEM}:{check.id}", unparse(check.holds)),),
                message=study.texts(check.message, "forms", form.id, "checks", check.id),
            )


def _place_of(form: Form, check: EditCheck) -> str:
    named = {
        part.item
        for part in walk(check.holds)
        if isinstance(part, ItemNode | Aggregate) and part.form == form.id
    }
    return next((item.id for item in reversed(form.items) if item.id in named), form.items[0].id)


def _code_list(study: _Study, form: Form, item: Item) -> CodeListDef:
    place = ("forms", form.id, "items", item.id, "codes")
    return CodeListDef(
        oid=f"{CODE_LIST}{form.id}.{item.id}",
        name=item.label,
        terms=tuple(
            Term(code.code, study.texts(code.label, *place, code.code), _retired(code.retired))
            for code in item.codes
        ),
    )


# -- conditions and methods


def _conditions(study: _Study) -> Iterator[Formal]:
    """Yield the conditions under which an item is not asked: what the definition says, turned round."""
    names = DefinitionNames(study.definition)
    for form in study.definition.forms:
        for item in form.items:
            if item.when is not None:
                yield Formal(
                    oid=f"{CONDITION}{form.id}.{item.id}",
                    name=f"{form.id}.{item.id} is not asked",
                    text={"en": f"Not asked unless: {prose(item.when, names)}"},
                    expressions=(Expression(SYSTEM, unparse(Not(item.when))),),
                )


def _methods(study: _Study) -> Iterator[Formal]:
    """Yield how the variables of eligibility and analysis are derived from what is collected."""
    names = DefinitionNames(study.definition)
    variables = {
        "eligibility": study.definition.eligibility.variables,
        "analysis": study.definition.analysis.variables,
    }
    for part, prefix in VARIABLES.items():
        for name, node in variables[part].items():
            yield Formal(
                oid=f"{prefix}{name}",
                name=name,
                text={"en": phrase(node, names)},
                expressions=(Expression(SYSTEM, unparse(node)),),
            )


# -- what the trial itself fills


def _generated_groups() -> Iterator[GroupDef]:
    for group in facts.GROUPS:
        name = f"{GENERATED}{group.id}"
        if group.place in ("participant", "encounter"):
            yield GroupDef(
                oid=f"{FORM}{name}",
                name=group.title,
                kind="form",
                repeating=False,
                refs=(Ref(oid=f"{GROUP}{name}", mandatory=False),),
            )
        yield GroupDef(
            oid=f"{GROUP}{name}",
            name=group.title,
            kind="group",
            repeating=group.repeating,
            refs=tuple(Ref(oid=f"{ITEM}{name}.{fact.id}", mandatory=False) for fact in group.facts),
            reference=group.place == "trial",
        )


def _generated_items() -> Iterator[ItemDef]:
    for group in facts.GROUPS:
        for fact in group.facts:
            yield ItemDef(
                oid=f"{ITEM}{GENERATED}{group.id}.{fact.id}",
                name=fact.id,
                type=fact.type,
                length={"text": TEXT_LENGTH_MAX, "integer": _WHOLE_DIGITS_MAX}.get(fact.type),
                question={"en": fact.label},
            )
