"""Writes the metadata of a study as elements of ODM 1.3.2 or 2.0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lxml import etree

from equipoise.definition.model.definition import StudyDefinition
from equipoise.exchange.odm.elements import add, add_expression, add_own, add_texts, root_of, version_of, yes
from equipoise.exchange.odm.metadata import (
    CodeListDef,
    EventDef,
    Formal,
    GroupDef,
    ItemDef,
    Metadata,
    RangeCheck,
    Ref,
)
from equipoise.exchange.odm.names import CODE_LIST, GENERATED, ITEM, UNIT, Version
from equipoise.exchange.odm.write_protocol import add_conditions, add_event_groups, add_protocol


def study_element(
    definitions: Sequence[StudyDefinition], versions: Sequence[Metadata], version: Version
) -> etree._Element:
    """Return the Study element of a study with the versions of its definition, the latest of them last.

    Each is whole: to include the one before it would bring back what it dropped. A protocol is written as far
    as the version of ODM holds one.
    """
    metadata = versions[-1]
    units = _units_of(versions)
    if version == "2.0":
        study = root_of(
            version,
            "Study",
            {
                "OID": metadata.study,
                "StudyName": metadata.name,
                "ProtocolName": metadata.protocol,
                "VersionID": metadata.version,
            },
        )
        add_texts(study, "Description", {definitions[-1].study.language: metadata.description})
        for definition, each in zip(definitions, versions, strict=True):
            element = add(study, "MetaDataVersion", {"OID": each.oid, "Name": each.version})
            add_protocol(element, definition, each)
            add_event_groups(element, definition, each)
            _add_definitions_2(element, each, {name: units[name] for name in _units_of([each])})
            add_conditions(element, definition)
            _add_formals(element, each)
        return study
    study = root_of(version, "Study", {"OID": metadata.study})
    names = add(study, "GlobalVariables")
    add(names, "StudyName", text=metadata.name)
    add(names, "StudyDescription", text=metadata.description)
    add(names, "ProtocolName", text=metadata.protocol)
    if units:
        basic = add(study, "BasicDefinitions")
        for name, oid in units.items():
            add_texts(add(basic, "MeasurementUnit", {"OID": oid, "Name": name}), "Symbol", {"": name})
    for each in versions:
        element = add(study, "MetaDataVersion", {"OID": each.oid, "Name": each.version})
        _add_protocol_1(element, each)
        _add_definitions_1(element, each, units)
        _add_formals(element, each)
    return study


def _units_of(versions: Sequence[Metadata]) -> dict[str, str]:
    """Return the identifier of each unit, numbered in the order of the items."""
    names = dict.fromkeys(
        unit for metadata in versions for item in metadata.items.values() for unit in item.units
    )
    return {name: f"{UNIT}{number}" for number, name in enumerate(names, 1)}


def _ref(parent: etree._Element, name: str, key: str, ref: Ref, number: int) -> etree._Element:
    return add(
        parent,
        name,
        {
            key: ref.oid,
            "OrderNumber": number,
            "Mandatory": yes(ref.mandatory),
            "CollectionExceptionConditionOID": ref.condition,
        },
    )


def _add_formals(parent: etree._Element, metadata: Metadata) -> None:
    for condition in metadata.conditions.values():
        add_formal(parent, "ConditionDef", condition)
    for method in metadata.methods.values():
        add_formal(parent, "MethodDef", method)


def add_formal(parent: etree._Element, name: str, formal: Formal) -> None:
    """Append a condition or a method."""
    kind = "Computation" if name == "MethodDef" else None
    element = add(parent, name, {"OID": formal.oid, "Name": formal.name, "Type": kind})
    add_texts(element, "Description", formal.text)
    if version_of(parent) == "2.0":
        add(element, "MethodSignature")
    for expression in formal.expressions:
        add_expression(element, expression)


def _add_code_list(parent: etree._Element, codes: CodeListDef) -> None:
    element = add(parent, "CodeList", {"OID": codes.oid, "Name": codes.name, "DataType": "text"})
    for number, term in enumerate(codes.terms, 1):
        item = add(element, "CodeListItem", {"CodedValue": term.value, "OrderNumber": number})
        add_texts(item, "Decode", term.decode)
        add_own(item, term.own)


# -- ODM 1.3.2


def _add_protocol_1(parent: etree._Element, metadata: Metadata) -> None:
    protocol = add(parent, "Protocol")
    add_texts(protocol, "Description", metadata.title)
    for number, event in enumerate(metadata.events.values(), 1):
        planned = event.type == "Scheduled"
        _ref(protocol, "StudyEventRef", "StudyEventOID", Ref(oid=event.oid, mandatory=planned), number)
    add_own(protocol, metadata.own)


def _add_definitions_1(parent: etree._Element, metadata: Metadata, units: Mapping[str, str]) -> None:
    for event in metadata.events.values():
        element = add(parent, "StudyEventDef", {**_event(event), "Category": event.category})
        add_texts(element, "Description", event.title)
        for number, ref in enumerate(event.refs, 1):
            _ref(element, "FormRef", "FormOID", ref, number)
        add_own(element, event.own)
    for kind, name in (("form", "FormDef"), ("group", "ItemGroupDef")):
        for group in metadata.groups.values():
            if group.kind == kind:
                _add_group_1(parent, name, group)
    for item in metadata.items.values():
        _add_item_1(parent, item, units)
    for codes in metadata.code_lists.values():
        _add_code_list(parent, codes)


def _event(event: EventDef) -> dict[str, str]:
    return {"OID": event.oid, "Name": event.name, "Repeating": yes(event.repeating), "Type": event.type}


def _add_group_1(parent: etree._Element, name: str, group: GroupDef) -> None:
    reference = "Yes" if group.reference else None
    attributes = {"OID": group.oid, "Name": group.name, "Repeating": yes(group.repeating)}
    element = add(parent, name, {**attributes, "IsReferenceData": reference})
    add_texts(element, "Description", group.title)
    below = ("ItemGroupRef", "ItemGroupOID") if group.kind == "form" else ("ItemRef", "ItemOID")
    for number, ref in enumerate(group.refs, 1):
        _ref(element, *below, ref, number)
    add_own(element, group.own)


def _add_item_1(parent: etree._Element, item: ItemDef, units: Mapping[str, str]) -> None:
    element = add(
        parent,
        "ItemDef",
        {
            "OID": item.oid,
            "Name": item.name,
            "DataType": "float" if item.type == "decimal" else item.type,
            "Length": item.length,
            "SignificantDigits": item.digits,
        },
    )
    add_texts(element, "Description", item.help)
    add_texts(element, "Question", item.question)
    for unit in item.units:
        add(element, "MeasurementUnitRef", {"MeasurementUnitOID": units[unit]})
    for check in item.checks:
        checked = _add_check(element, check)
        if check.unit is not None:
            add(checked, "MeasurementUnitRef", {"MeasurementUnitOID": units[check.unit]})
        add_texts(checked, "ErrorMessage", check.message)
    if item.code_list is not None:
        add(element, "CodeListRef", {"CodeListOID": item.code_list})
    add_own(element, item.own)


def _add_check(parent: etree._Element, check: RangeCheck) -> etree._Element:
    attributes = {"Comparator": check.comparator, "SoftHard": "Hard" if check.hard else "Soft"}
    element = add(parent, "RangeCheck", attributes)
    for value in check.values:
        add(element, "CheckValue", text=value)
    for expression in check.expressions:
        add_expression(element, expression)
    return element


# -- ODM 2.0


def _add_definitions_2(parent: etree._Element, metadata: Metadata, units: Mapping[str, str]) -> None:
    for event in metadata.events.values():
        element = add(parent, "StudyEventDef", {**_event(event), "Category": event.category})
        add_texts(element, "Description", event.title)
        for number, ref in enumerate(event.refs, 1):
            _ref(element, "ItemGroupRef", "ItemGroupOID", ref, number)
        add_own(element, event.own)
    for group in metadata.groups.values():
        _add_group_2(parent, group, metadata, units)
    for item in metadata.items.values():
        _add_item_2(parent, item)
    for name, oid in units.items():
        held = {"OID": f"{ITEM}{GENERATED}{oid}", "Name": f"unit {name}", "DataType": "text"}
        element = add(parent, "ItemDef", {**held, "Length": len(name)})
        add(element, "CodeListRef", {"CodeListOID": f"{CODE_LIST}{GENERATED}{oid}"})
    for codes in metadata.code_lists.values():
        _add_code_list(parent, codes)
    for name, oid in units.items():
        listed = {"OID": f"{CODE_LIST}{GENERATED}{oid}", "Name": f"unit {name}", "DataType": "text"}
        add(add(parent, "CodeList", listed), "CodeListItem", {"CodedValue": name})


def _add_group_2(
    parent: etree._Element, group: GroupDef, metadata: Metadata, units: Mapping[str, str]
) -> None:
    element = add(
        parent,
        "ItemGroupDef",
        {
            "OID": group.oid,
            "Name": group.name,
            "Repeating": "Simple" if group.repeating else "No",
            "IsReferenceData": "Yes" if group.reference else None,
            "Type": "Form" if group.kind == "form" else "Section",
        },
    )
    add_texts(element, "Description", group.title)
    if group.kind == "form":
        for number, ref in enumerate(group.refs, 1):
            _ref(element, "ItemGroupRef", "ItemGroupOID", ref, number)
    else:
        _add_item_refs(element, group, metadata, units)
    add_own(element, group.own)


def _add_item_refs(
    element: etree._Element, group: GroupDef, metadata: Metadata, units: Mapping[str, str]
) -> None:
    """Append the references to items, and after them those to the items that hold their units."""
    used: dict[str, str] = {}
    for number, ref in enumerate(group.refs, 1):
        reference = _ref(element, "ItemRef", "ItemOID", ref, number)
        for unit in metadata.items[ref.oid].units:
            used[unit] = f"{ITEM}{GENERATED}{units[unit]}"
            reference.set("UnitsItemOID", used[unit])
    for number, (unit, oid) in enumerate(used.items(), len(group.refs) + 1):
        reference = _ref(element, "ItemRef", "ItemOID", Ref(oid=oid, mandatory=False), number)
        reference.set("PreSpecifiedValue", unit)


def _add_item_2(parent: etree._Element, item: ItemDef) -> None:
    digits = None if item.digits is None else f"{item.length}.{item.digits}"
    element = add(
        parent,
        "ItemDef",
        {
            "OID": item.oid,
            "Name": item.name,
            "DataType": item.type,
            "Length": item.length,
            "DisplayFormat": digits,
        },
    )
    add_texts(element, "Question", item.question)
    add_texts(element, "CRFCompletionInstructions", item.help)
    for check in item.checks:
        add_texts(_add_check(element, check), "ErrorMessage", check.message)
    if item.code_list is not None:
        add(element, "CodeListRef", {"CodeListOID": item.code_list})
    add_own(element, item.own)
