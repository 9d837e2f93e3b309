"""Reads the metadata of a package from CDISC Define-XML 2.1.

Source: CDISC Define-XML Specification 2.1. Identifiers are followed and not kept, as they are made from names
when the package is written. Whatever else has no place in a package is listed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Final, Literal, TypeVar, cast, get_args

from lxml import etree

from equipoise.exchange.datasets.content import NUMBERS
from equipoise.exchange.datasets.define import NCI, ODM, PREFIXES, tag
from equipoise.exchange.datasets.formats import dated_by
from equipoise.exchange.datasets.model import (
    CodeList,
    Dataset,
    DatasetClass,
    DataType,
    Origin,
    Package,
    PublishingSet,
    Source,
    Term,
    ValueLevel,
    Variable,
)
from equipoise.exchange.markup import line_of, read_xml
from equipoise.exchange.unreadable import FileUnreadable

_T = TypeVar("_T", bound=str)

_OLD_DEF: Final = "http://www.cdisc.org/ns/def/v2.0"
_CONDITIONS_MAX: Final = 500
_LEVELS_DEPTH_MAX: Final = 3

_TYPES: Final[Mapping[str, DataType]] = {
    **{type_: type_ for type_ in get_args(DataType)},
    "string": "text",
    "URI": "text",
    "boolean": "text",
    "double": "float",
}

# What is read, or follows from what is read, of each element; everything else is listed as not understood.
_KNOWN: Final[Mapping[str, frozenset[str]]] = {
    tag(name): frozenset(tag(each) if ":" in each else each for each in attributes.split())
    for name, attributes in {
        "ODM": "ODMVersion FileType FileOID CreationDateTime AsOfDateTime SourceSystem SourceSystemVersion "
        "def:Context",
        "Study": "OID",
        "GlobalVariables": "",
        "StudyName": "",
        "StudyDescription": "",
        "ProtocolName": "",
        "MetaDataVersion": "OID Name Description def:DefineVersion",
        "def:Standards": "",
        "def:Standard": "OID Name Type PublishingSet Version Status",
        "def:AnnotatedCRF": "",
        "def:DocumentRef": "leafID",
        "def:PDFPageRef": "PageRefs Type FirstPage LastPage",
        "def:ValueListDef": "OID",
        "def:WhereClauseDef": "OID",
        "def:WhereClauseRef": "WhereClauseOID",
        "def:ValueListRef": "ValueListOID",
        "RangeCheck": "Comparator SoftHard def:ItemOID",
        "CheckValue": "",
        "ItemGroupDef": "OID Name Domain Repeating IsReferenceData SASDatasetName Purpose def:Structure "
        "def:ArchiveLocationID def:StandardOID def:HasNoData def:CommentOID",
        "def:Class": "Name",
        "def:SubClass": "Name",
        "def:leaf": "ID xlink:href",
        "def:title": "",
        "Description": "",
        "TranslatedText": "xml:lang",
        "ItemRef": "ItemOID OrderNumber Mandatory KeySequence MethodOID Role def:HasNoData",
        "ItemDef": "OID Name DataType Length SignificantDigits SASFieldName def:DisplayFormat def:CommentOID",
        "CodeListRef": "CodeListOID",
        "def:Origin": "Type Source",
        "CodeList": "OID Name DataType def:StandardOID def:IsNonStandard",
        "CodeListItem": "CodedValue OrderNumber def:ExtendedValue",
        "EnumeratedItem": "CodedValue OrderNumber def:ExtendedValue",
        "ExternalCodeList": "Dictionary Version",
        "Decode": "",
        "Alias": "Name Context",
        "MethodDef": "OID Name Type",
        "def:CommentDef": "OID",
    }.items()
}


@dataclass(frozen=True, slots=True)
class FoundPackage:
    """A package without rows, with the places and texts of what was not understood."""

    package: Package
    not_understood: tuple[tuple[str, str], ...]


def read_define(path: Path) -> FoundPackage:
    """Read a Define-XML 2.1 file.

    A condition on one of several values becomes a value level for each. Raises FileUnreadable: those of
    `read_xml`; DEFINE-ROOT for another kind of XML; DEFINE-VERSION; DEFINE-REFERENCE for an identifier that
    nothing has; DEFINE-VALUE for an attribute that is missing or of another kind.
    """
    root = read_xml(path)
    if root.tag != tag("ODM"):
        raise FileUnreadable(
            "DEFINE-ROOT", f"The file {path.name} is no Define-XML: its first element is not ODM.", "line 1"
        )
    versions = root.findall(f".//{tag('MetaDataVersion')}")
    if _OLD_DEF in root.nsmap.values() or not versions or versions[0].get(tag("def:DefineVersion")) is None:
        raise FileUnreadable(
            "DEFINE-VERSION",
            f"The file {path.name} holds no metadata in Define-XML 2.1, the version that is read. Export it "
            "in that version.",
            f"line {line_of(versions[0]) if versions else 1}",
        )
    reader = _Reader(path.name, root, versions[0])
    return FoundPackage(reader.package(), tuple(reader.not_understood))


class _Reader:
    """A document with its definitions by identifier."""

    def __init__(self, file: str, root: etree._Element, metadata: etree._Element) -> None:
        self.not_understood: list[tuple[str, str]] = []
        self._file = file
        self._root = root
        self._metadata = metadata
        self._defined = {
            kind: {each.get("OID") or each.get("ID"): each for each in root.iter(tag(kind))}
            for kind in (
                "ItemDef",
                "CodeList",
                "MethodDef",
                "def:CommentDef",
                "def:ValueListDef",
                "def:WhereClauseDef",
                "def:leaf",
                "def:Standard",
            )
        }
        self._codelists: dict[str, CodeList] = {}
        self._crf: str | None = None

    def package(self) -> Package:
        """Return the whole, without rows."""
        for later in self._root.findall(f".//{tag('MetaDataVersion')}")[1:]:
            self._lose(later, "a further version of the metadata")
        study = self._metadata.getparent()
        if study is None or study.tag != tag("Study"):
            raise self._bad(self._metadata, "stands in no Study")
        self._read_crf()
        standard, version, terms = self._standards()
        oid = self._need(study, "OID").removeprefix("STDY.")
        definition_hash, masked = self._origin_of(oid, standard, version)
        package = Package(
            standard=standard,
            version=version,
            controlled_terms=terms,
            study=oid,
            study_name=self._global(study, "StudyName"),
            study_description=self._global(study, "StudyDescription"),
            protocol=self._global(study, "ProtocolName"),
            created=self._need(self._root, "CreationDateTime"),
            definition_hash=definition_hash,
            masked=masked,
            datasets=tuple(self._dataset(each) for each in self._metadata.findall(tag("ItemGroupDef"))),
            annotated_crf=self._crf,
        )
        self._list_unknown()
        return package

    def _origin_of(self, study: str, standard: str, version: str) -> tuple[str, bool]:
        """Return the hash of the definition and whether the package is masked, if the file says so."""
        own = f"{study}/{standard}/{version}/"
        file_oid = self._need(self._root, "FileOID")
        if not file_oid.startswith(own):
            self._lose(self._root, f"FileOID {file_oid}")
            return "", False
        rest = file_oid.removeprefix(own)
        return rest.removesuffix("/masked"), rest.endswith("/masked")

    def _global(self, study: etree._Element, name: str) -> str:
        return study.findtext(f"{tag('GlobalVariables')}/{tag(name)}") or ""

    def _standards(self) -> tuple[Literal["SDTMIG", "ADaMIG"], str, str | None]:
        guides = [each for each in self._defined["def:Standard"].values() if each.get("Type") == "IG"]
        terms = [each for each in self._defined["def:Standard"].values() if each.get("Type") == "CT"]
        if not guides:
            raise self._bad(self._metadata, "names no implementation guide as its standard")
        name = self._need(guides[0], "Name")
        standard: Literal["SDTMIG", "ADaMIG"] = "ADaMIG" if name.startswith("ADaM") else "SDTMIG"
        if name != standard:
            self._lose(guides[0], f"the standard {name}, which is taken for {standard}")
        dates = [self._need(each, "Version") for each in terms]
        for each in guides[1:]:
            self._lose(each, f"a further standard, {each.get('Name')} {each.get('Version')}")
        for each, version in zip(terms, dates, strict=True):
            if version != dates[0] or each.get("PublishingSet") not in get_args(PublishingSet):
                self._lose(each, f"terminology {each.get('PublishingSet')} {version}")
        return standard, self._need(guides[0], "Version"), dates[0] if dates else None

    def _read_crf(self) -> None:
        """Find the annotated forms: the document declared as such, else the first that an origin names."""
        references = self._root.findall(f".//{tag('def:AnnotatedCRF')}/{tag('def:DocumentRef')}")
        for number, reference in enumerate(references):
            href = self._follow(reference, "leafID", "def:leaf").get(tag("xlink:href")) or ""
            if number:
                self._lose(reference, f"further annotated forms, {href}")
            else:
                self._crf = href
        document = self._root.find(f".//{tag('def:Origin')}/{tag('def:DocumentRef')}")
        if not references and document is not None:
            self._crf = self._follow(document, "leafID", "def:leaf").get(tag("xlink:href"))

    def _dataset(self, group: etree._Element) -> Dataset:
        kind = group.find(tag("def:Class"))
        sub = None if kind is None else kind.find(tag("def:SubClass"))
        name = self._need(group, "Name")
        references = group.findall(tag("ItemRef"))
        names = {each.get("ItemOID"): self._item_of(each).get("Name") or "" for each in references}
        return Dataset(
            name=name,
            label=_description(group) or "",
            structure=group.get(tag("def:Structure"), ""),
            dataset_class=None if kind is None else self._one_of(kind, "Name", DatasetClass),
            subclass=None if sub is None else sub.get("Name"),
            variables=tuple(self._variable(each, names, 0) for each in references),
            rows=(),
            repeating=group.get("Repeating") != "No",
            reference=group.get("IsReferenceData") == "Yes",
            comment=self._told(group, tag("def:CommentOID"), "def:CommentDef"),
        )

    def _item_of(self, reference: etree._Element) -> etree._Element:
        return self._follow(reference, "ItemOID", "ItemDef")

    def _variable(self, reference: etree._Element, names: Mapping[str | None, str], depth: int) -> Variable:
        item = self._item_of(reference)
        declared = self._need(item, "DataType")
        if declared not in _TYPES:
            raise self._bad(item, f"has the unknown data type {declared[:20]!r}")
        if (type_ := _TYPES[declared]) != declared:
            self._lose(item, f"data type {declared}, which is taken for {type_}")
        shown = item.get(tag("def:DisplayFormat"))
        counted = dated_by(shown) if type_ in NUMBERS else None
        origin, page, predecessor = self._origin(item)
        codes = item.find(tag("CodeListRef"))
        levels = item.find(tag("def:ValueListRef"))
        if levels is not None and depth >= _LEVELS_DEPTH_MAX:
            raise self._bad(item, "nests value lists within one another")
        variable = Variable(
            name=self._need(item, "Name"),
            label=_description(item) or "",
            type=counted or type_,
            origin=None if origin is None else self._one_of(origin, "Type", Origin),
            length=None if counted else self._number(item, "Length"),
            codelist=None if codes is None else self._codelist(codes),
            key=self._number(reference, "KeySequence"),
            role=reference.get("Role"),
            mandatory=reference.get("Mandatory") == "Yes",
            source=None if origin is None else self._one_of(origin, "Source", Source),
            method=self._told(reference, "MethodOID", "MethodDef"),
            page=page,
            predecessor=predecessor,
            comment=self._told(item, tag("def:CommentOID"), "def:CommentDef"),
            significant_digits=self._number(item, "SignificantDigits"),
            numeric_date=counted is not None,
            display_format=shown,
        )
        if levels is None:
            return variable
        return replace(variable, values=tuple(self._levels(levels, names, depth)))

    def _levels(
        self, reference: etree._Element, names: Mapping[str | None, str], depth: int
    ) -> Iterator[ValueLevel]:
        for each in self._follow(reference, "ValueListOID", "def:ValueListDef").findall(tag("ItemRef")):
            wheres = [
                where
                for clause in each.findall(tag("def:WhereClauseRef"))
                for where in self._wheres(self._follow(clause, "WhereClauseOID", "def:WhereClauseDef"), names)
            ]
            if wheres:
                variable = self._variable(each, names, depth + 1)
                yield from (ValueLevel(where=where, variable=variable) for where in wheres)
            else:
                self._lose(each, f"value level {each.get('ItemOID')}, whose condition has no place")

    def _wheres(
        self, clause: etree._Element, names: Mapping[str | None, str]
    ) -> list[tuple[tuple[str, str], ...]]:
        """Return the conditions that a clause stands for, one for each of several values, or none."""
        choices: list[list[tuple[str, str]]] = []
        many = 1
        for check in clause.findall(tag("RangeCheck")):
            name = names.get(check.get(tag("def:ItemOID")))
            values = [each.text or "" for each in check.findall(tag("CheckValue"))]
            many *= len(values)
            if name is None or check.get("Comparator") not in ("EQ", "IN") or many > _CONDITIONS_MAX:
                told = f"{check.get(tag('def:ItemOID'))} {check.get('Comparator')} {', '.join(values)}"
                self._lose(check, told[:200])
                return []
            choices.append([(name, value) for value in values])
        return list(product(*choices))

    def _origin(self, item: etree._Element) -> tuple[etree._Element | None, str | None, str | None]:
        """Return the origin of an item, the forms or pages that it is from, and its predecessor."""
        origins = item.findall(tag("def:Origin"))
        for further in origins[1:]:
            self._lose(further, f"a further origin, {further.get('Type')}")
        if not origins:
            return None, None, None
        said = _description(origins[0])
        if origins[0].get("Type") == "Predecessor":
            return origins[0], None, said
        pages = []
        for document in origins[0].findall(tag("def:DocumentRef")):
            href = self._follow(document, "leafID", "def:leaf").get(tag("xlink:href"))
            if href == self._crf:
                pages += [_pages(each) for each in document.findall(tag("def:PDFPageRef"))]
            else:
                self._lose(document, f"a reference to {href}")
        if pages and said is not None:
            self._lose(origins[0], said)
        return origins[0], " ".join(pages) or said, None

    def _codelist(self, reference: etree._Element) -> CodeList:
        whole = self._follow(reference, "CodeListOID", "CodeList")
        oid = self._need(whole, "OID")
        if oid not in self._codelists:
            items = [each for each in whole if each.tag in (tag("CodeListItem"), tag("EnumeratedItem"))]
            external = whole.find(tag("ExternalCodeList"))
            standard = self._defined["def:Standard"].get(whole.get(tag("def:StandardOID")))
            published = None if standard is None else standard.get("PublishingSet")
            type_: Literal["text", "integer", "float"] | None
            type_ = self._one_of(whole, "DataType", Literal["text", "integer", "float"])
            self._codelists[oid] = CodeList(
                id=oid,
                name=self._need(whole, "Name"),
                terms=tuple(self._term(each) for each in items),
                type=type_ or "text",
                ncit=self._concept(whole),
                extended=any(each.get(tag("def:ExtendedValue")) == "Yes" for each in items),
                publishing_set="ADaM" if published == "ADaM" else "SDTM",
                dictionary=None if external is None else external.get("Dictionary"),
                dictionary_version=None if external is None else external.get("Version"),
            )
        return self._codelists[oid]

    def _term(self, item: etree._Element) -> Term:
        decode = item.find(tag("Decode"))
        text = None if decode is None else decode.findtext(tag("TranslatedText")) or ""
        return Term(value=self._need(item, "CodedValue"), decode=text, ncit=self._concept(item))

    def _concept(self, element: etree._Element) -> str | None:
        concepts = [each for each in element.findall(tag("Alias")) if each.get("Context") == NCI]
        for other in element.findall(tag("Alias")):
            if other not in concepts[:1]:
                self._lose(other, f"alias {other.get('Context')} {other.get('Name')}")
        return concepts[0].get("Name") if concepts else None

    def _told(self, element: etree._Element, attribute: str, kind: str) -> str | None:
        if element.get(attribute) is None:
            return None
        told = self._follow(element, attribute, kind)
        if told.get("Type") not in (None, "Computation"):
            self._lose(told, f"a method of the type {told.get('Type')}")
        return _description(told) or ""

    def _follow(self, element: etree._Element, attribute: str, kind: str) -> etree._Element:
        oid = self._need(element, attribute)
        if oid not in self._defined[kind]:
            raise FileUnreadable(
                "DEFINE-REFERENCE",
                f"The file {self._file} refers to {kind} {oid[:60]}, which it does not define. Export it "
                "again.",
                f"line {line_of(element)}",
            )
        return self._defined[kind][oid]

    def _need(self, element: etree._Element, attribute: str) -> str:
        value = element.get(attribute)
        if value is None:
            raise self._bad(element, f"has no {etree.QName(attribute).localname}")
        return value

    def _number(self, element: etree._Element, attribute: str) -> int | None:
        value = element.get(attribute)
        if value is not None and not (value.isascii() and value.isdigit() and len(value) < 10):
            raise self._bad(element, f"has no whole number as its {attribute}")
        return None if value is None else int(value)

    def _one_of(self, element: etree._Element, attribute: str, allowed: object) -> _T | None:
        """Return a value that is one of those allowed; another one is listed."""
        value = element.get(attribute)
        if value is not None and value not in get_args(allowed):
            self._lose(element, f"{attribute} {value}")
            return None
        return cast("_T | None", value)

    def _bad(self, element: etree._Element, what: str) -> FileUnreadable:
        return FileUnreadable(
            "DEFINE-VALUE",
            f"The file {self._file} has an element {etree.QName(element).localname} that {what}. Export it "
            "again.",
            f"line {line_of(element)}",
        )

    def _lose(self, element: etree._Element, what: str) -> None:
        self.not_understood.append((f"line {line_of(element)}", what))

    def _list_unknown(self) -> None:
        """List the elements and attributes that nothing above reads."""
        inside: etree._Element | None = None
        for event, element in etree.iterwalk(self._root, events=("start", "end")):
            if event == "end":
                inside = None if element is inside else inside
            elif inside is None and isinstance(element.tag, str):
                known = _KNOWN.get(element.tag)
                if known is None:
                    inside = element
                    self._lose(element, f"element {_prefixed(element.tag)}")
                    continue
                for name, value in element.attrib.items():
                    if name not in known:
                        self._lose(element, f"attribute {_prefixed(str(name))} {str(value)[:200]}")


def _description(element: etree._Element) -> str | None:
    """Return the description of an element, in English if it has one in several languages."""
    texts = element.findall(f"{tag('Description')}/{tag('TranslatedText')}")
    english = [each for each in texts if (each.get(tag("xml:lang")) or "en").startswith("en")]
    return (english or texts)[0].text or "" if texts else None


def _pages(reference: etree._Element) -> str:
    first, last = reference.get("FirstPage"), reference.get("LastPage")
    if first is not None and last is not None:
        return f"{first}-{last}"
    return reference.get("PageRefs") or first or ""


def _prefixed(name: str) -> str:
    named = etree.QName(name)
    prefixes = {namespace: f"{prefix}:" for prefix, namespace in PREFIXES.items()} | {ODM: ""}
    return prefixes.get(named.namespace or ODM, "") + named.localname
