"""Reads the metadata of an ODM file of any version: definitions, with every reference followed.

Versions 1.1 to 1.3.2 and 2.0 are told apart by their elements and not by what a file declares: real files mix
them, or declare no namespace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from typing import Final, Literal, TypeVar

from lxml import etree

from equipoise.exchange.markup import line_of
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
from equipoise.exchange.odm.names import OWN, XML_LANG
from equipoise.exchange.odm.stream import Taker, child, children, name_of
from equipoise.exchange.unreadable import FileUnreadable

Definition = TypeVar("Definition", EventDef, GroupDef, ItemDef, CodeListDef, Formal)

_NUMBER: Final = re.compile(r"-?[0-9]{1,9}")


def read_metadata(take: Taker, root: etree._Element) -> tuple[Metadata, etree._Element]:
    """Return the last version of the metadata of a file's first study that has any, and its element.

    A version that includes an earlier one of the same file is read with it. Raises FileUnreadable: ODM-STUDY
    without metadata, ODM-MISSING, ODM-DUPLICATE, and ODM-REFERENCE for what refers to nothing.
    """
    for study in children(root, "Study"):
        versions = children(study, "MetaDataVersion")
        if versions:
            metadata = _MetadataReader(take, study, versions).read()
            _check_references(take, metadata)
            return metadata, versions[-1]
    raise FileUnreadable(
        "ODM-STUDY",
        f"The file {take.file} holds no metadata of a study. Export the study with its forms.",
        f"line {line_of(root)}",
    )


def read_texts(take: Taker, element: etree._Element | None) -> dict[str, str]:
    """Take the texts of an element by language; of several in one language the first."""
    found: dict[str, str] = {}
    for each in children(element, "TranslatedText"):
        language = each.get(XML_LANG) or ""
        if language in found or not (each.text or "").strip():
            continue
        take.attribute(each, XML_LANG)
        take.attribute(each, "Type")
        found[language] = take.text(each).strip()
    if element is not None and not found and (element.text or "").strip():
        found[""] = take.text(element).strip()
    return found


class _MetadataReader:
    def __init__(self, take: Taker, study: etree._Element, versions: list[etree._Element]) -> None:
        self.take = take
        self.study = study
        self.versions = self._included(versions)
        self.units = {
            take.required(unit, "OID"): self._unit_name(unit)
            for unit in children(child(study, "BasicDefinitions"), "MeasurementUnit")
        }

    def _included(self, versions: list[etree._Element]) -> list[etree._Element]:
        """Return the last version, preceded by those that it includes."""
        by_oid = {version.get("OID"): version for version in versions}
        found = [versions[-1]]
        while (include := child(found[0], "Include")) is not None:
            earlier = by_oid.get(include.get("MetaDataVersionOID"))
            if earlier is None or earlier in found:
                break
            for name in ("MetaDataVersionOID", "StudyOID"):
                self.take.attribute(include, name)
            found.insert(0, earlier)
        return found

    def _unit_name(self, unit: etree._Element) -> str:
        name = self.take.attribute(unit, "Name")
        symbols = read_texts(self.take, child(unit, "Symbol"))
        return next(iter(symbols.values()), None) or name or ""

    def read(self) -> Metadata:
        take, version = self.take, self.versions[-1]
        names = child(self.study, "GlobalVariables")
        protocol = child(version, "Protocol")
        study = take.required(self.study, "OID")
        number, label = take.attribute(self.study, "VersionID"), take.attribute(version, "Name")
        name = take.attribute(self.study, "StudyName") or take.text(child(names, "StudyName")).strip()
        other = take.attribute(self.study, "ProtocolName")
        words = read_texts(take, child(self.study, "Description"))
        said = take.text(child(names, "StudyDescription")).strip()
        return Metadata(
            study=study,
            name=name or study,
            description=next(iter(words.values()), "") or said,
            protocol=other or take.text(child(names, "ProtocolName")).strip(),
            oid=take.required(version, "OID"),
            version=number or label or "",
            title=read_texts(take, child(protocol, "Description")) if take.own else {},
            own=self._own(protocol),
            events=self._events(protocol),
            groups=self._all(("FormDef", "ItemGroupDef"), self._group),
            items=self._all(("ItemDef",), self._item),
            code_lists=self._all(("CodeList",), self._code_list),
            conditions=self._all(("ConditionDef",), self._formal),
            methods=self._all(("MethodDef",), self._formal),
        )

    def _all(
        self, names: tuple[str, ...], read: Callable[[etree._Element], Definition]
    ) -> dict[str, Definition]:
        """Read every definition of a kind; one of a later version replaces one that it includes."""
        found: dict[str, Definition] = {}
        for version in self.versions:
            here: dict[str, Definition] = {}
            for element in children(version, *names):
                definition = read(element)
                if definition.oid in here:
                    raise FileUnreadable(
                        "ODM-DUPLICATE",
                        f"The file {self.take.file} defines {definition.oid} twice, first in line "
                        f"{here[definition.oid].line}. Export it again, or remove one of them.",
                        f"line {definition.line}",
                    )
                here[definition.oid] = definition
            found |= here
        return found

    # -- events and groups

    def _events(self, protocol: etree._Element | None) -> dict[str, EventDef]:
        """Read the events, in the order in which the protocol, or a group of events, refers to them."""
        events = self._all(("StudyEventDef",), self._event)
        order: list[Ref] = []
        for around in (protocol, *children(self.versions[-1], "StudyEventGroupDef")):
            if around is not None:
                order += self._refs(around, "StudyEventRef")
        for ref in order:
            if ref.oid not in events:
                raise dangling(self.take, ref.oid, "event", ref.line)
        return {oid: events[oid] for oid in dict.fromkeys([*(ref.oid for ref in order), *events])}

    def _event(self, element: etree._Element) -> EventDef:
        take = self.take
        return EventDef(
            oid=take.required(element, "OID"),
            name=take.attribute(element, "Name") or "",
            type=take.attribute(element, "Type") or "Scheduled",
            repeating=self._repeating(element),
            refs=self._refs(element, "FormRef", "ItemGroupRef"),
            title=read_texts(take, child(element, "Description")),
            category=take.attribute(element, "Category"),
            own=self._own(element),
            line=line_of(element),
        )

    def _group(self, element: etree._Element) -> GroupDef:
        take = self.take
        kind: Literal["form", "group"] = "group"
        if name_of(element) == "FormDef" or element.get("Type") == "Form":
            kind = "form"
        if element.get("Type") in ("Form", "Section"):
            take.attribute(element, "Type")
        return GroupDef(
            oid=take.required(element, "OID"),
            name=take.attribute(element, "Name") or "",
            kind=kind,
            repeating=self._repeating(element),
            refs=self._refs(element, "ItemGroupRef", "ItemRef"),
            title=read_texts(take, child(element, "Description")),
            reference=take.attribute(element, "IsReferenceData") == "Yes",
            own=self._own(element),
            line=line_of(element),
        )

    def _repeating(self, element: etree._Element) -> bool:
        return (self.take.attribute(element, "Repeating") or "No") != "No"

    def _refs(self, element: etree._Element, *names: str) -> tuple[Ref, ...]:
        """Take references in their order: by their numbers where all have one, else as in the file."""
        return tuple(map(self._ref, _by_number(children(element, *names))))

    def _ref(self, element: etree._Element) -> Ref:
        take = self.take
        keys = ("FormOID", "ItemGroupOID", "ItemOID", "StudyEventOID")
        key = next((name for name in keys if name in element.attrib), "ItemOID")
        take.attribute(element, "OrderNumber")
        return Ref(
            oid=take.required(element, key),
            mandatory=take.attribute(element, "Mandatory") == "Yes",
            condition=take.attribute(element, "CollectionExceptionConditionOID"),
            units_item=take.attribute(element, "UnitsItemOID"),
            preset=take.attribute(element, "PreSpecifiedValue"),
            line=line_of(element),
        )

    def _own(self, element: etree._Element | None) -> dict[str, str]:
        found = {}
        for alias in children(element, "Alias"):
            context = alias.get("Context", "")
            if context.startswith(OWN):
                self.take.attribute(alias, "Context")
                found[context.removeprefix(OWN)] = self.take.attribute(alias, "Name") or ""
        return found

    # -- items

    def _item(self, element: etree._Element) -> ItemDef:
        take = self.take
        question = read_texts(take, child(element, "Question"))
        for name in ("Prompt", "Description"):
            # Without a question, what else is said of an item is one.
            question = question or read_texts(take, child(element, name))
        words = read_texts(take, child(element, "CRFCompletionInstructions"))
        units = [
            self._known_unit(take.required(each, "MeasurementUnitOID"), element)
            for each in children(element, "MeasurementUnitRef")
        ]
        lists = [take.required(each, "CodeListOID") for each in children(element, "CodeListRef")]
        if take.own:
            for name in ("Length", "SignificantDigits", "DisplayFormat"):
                take.attribute(element, name)
        return ItemDef(
            oid=take.required(element, "OID"),
            name=take.attribute(element, "Name") or "",
            type=take.attribute(element, "DataType") or "text",
            question=question,
            help=words or read_texts(take, child(element, "Description")),
            units=tuple(units),
            checks=tuple(self._check(each) for each in children(element, "RangeCheck")),
            code_list=next(iter(lists), None),
            own=self._own(element),
            line=line_of(element),
        )

    def _known_unit(self, oid: str, element: etree._Element) -> str:
        if oid not in self.units:
            raise dangling(self.take, oid, "measurement unit", line_of(element))
        return self.units[oid]

    def _check(self, element: etree._Element) -> RangeCheck:
        take = self.take
        units = [
            self._known_unit(take.required(each, "MeasurementUnitOID"), element)
            for each in children(element, "MeasurementUnitRef")
        ]
        return RangeCheck(
            hard=take.attribute(element, "SoftHard") == "Hard",
            comparator=take.attribute(element, "Comparator"),
            values=tuple(take.text(each).strip() for each in children(element, "CheckValue")),
            expressions=self._expressions(element),
            message=read_texts(take, child(element, "ErrorMessage")),
            unit=next(iter(units), None),
            line=line_of(element),
        )

    def _expressions(self, element: etree._Element) -> tuple[Expression, ...]:
        found = []
        for each in children(element, "FormalExpression"):
            code = child(each, "Code")
            text = self.take.text(each if code is None else code).strip()
            found.append(Expression(self.take.attribute(each, "Context"), text))
        return tuple(found)

    def _code_list(self, element: etree._Element) -> CodeListDef:
        take = self.take
        outside = [
            " ".join(filter(None, (take.attribute(each, name) for name in ("Dictionary", "Version"))))
            for each in children(element, "ExternalCodeList")
        ]
        listed = _by_number(children(element, "CodeListItem", "EnumeratedItem"))
        for each in listed:
            take.attribute(each, "OrderNumber")
        take.attribute(element, "DataType")
        return CodeListDef(
            oid=take.required(element, "OID"),
            name=take.attribute(element, "Name") or "",
            terms=tuple(self._term(each) for each in listed),
            external=next(iter(outside), None),
            line=line_of(element),
        )

    def _term(self, element: etree._Element) -> Term:
        decode = read_texts(self.take, child(element, "Decode"))
        value = self.take.attribute(element, "CodedValue") or ""
        return Term(value, decode or read_texts(self.take, child(element, "Description")), self._own(element))

    def _formal(self, element: etree._Element) -> Formal:
        take = self.take
        take.attribute(element, "Type")
        return Formal(
            oid=take.required(element, "OID"),
            name=take.attribute(element, "Name") or "",
            text=read_texts(take, child(element, "Description")),
            expressions=self._expressions(element),
            line=line_of(element),
        )


def _by_number(found: list[etree._Element]) -> list[etree._Element]:
    """Return elements in the order of their numbers where all have one, else in that of the file."""
    numbers = [each.get("OrderNumber", "") for each in found]
    if not all(_NUMBER.fullmatch(number) for number in numbers):
        return found
    return [each for _, each in sorted(zip(map(int, numbers), found, strict=True), key=itemgetter(0))]


def first_text(texts: Texts, language: str) -> str | None:
    """Return a text in a language, else without one, else in the first."""
    return texts.get(language) or texts.get("") or next(iter(texts.values()), None)


# -- references


def dangling(take: Taker, oid: str, what: str, line: int) -> FileUnreadable:
    """Return the error that a reference leads nowhere."""
    return FileUnreadable(
        "ODM-REFERENCE",
        f"The file {take.file} refers to the {what} {oid}, which it does not define. Export it with all that "
        "belongs to it.",
        f"line {line}",
    )


def _check_references(take: Taker, metadata: Metadata) -> None:
    for event in metadata.events.values():
        _check_each(take, event.refs, (metadata.groups,), "form", metadata)
    for group in metadata.groups.values():
        _check_each(take, group.refs, (metadata.groups, metadata.items), "group or item", metadata)
        for ref in group.refs:
            if ref.units_item is not None and ref.units_item not in metadata.items:
                raise dangling(take, ref.units_item, "item", ref.line)
    for item in metadata.items.values():
        if item.code_list is not None and item.code_list not in metadata.code_lists:
            raise dangling(take, item.code_list, "code list", item.line)


def _check_each(
    take: Taker,
    refs: Iterable[Ref],
    known: tuple[Mapping[str, object], ...],
    what: str,
    metadata: Metadata,
) -> None:
    for ref in refs:
        if not any(ref.oid in definitions for definitions in known):
            raise dangling(take, ref.oid, what, ref.line)
        if ref.condition is not None and ref.condition not in metadata.conditions:
            raise dangling(take, ref.condition, "condition", ref.line)
