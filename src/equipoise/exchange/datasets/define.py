"""Writes the metadata of a package as CDISC Define-XML 2.1.

Source: CDISC Define-XML Specification 2.1, with the schema define2-1-0.xsd. Identifiers are derived from
names, and are those that the package's Dataset-JSON files refer to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import count
from typing import Final

from lxml import etree

from equipoise import __version__
from equipoise.definition.sdtm.guide import NAME_LENGTH_MAX
from equipoise.exchange.datasets.content import NUMBER_LENGTH, complete_package
from equipoise.exchange.datasets.formats import display_format
from equipoise.exchange.datasets.model import (
    CodeList,
    Dataset,
    Package,
    PublishingSet,
    Term,
    Variable,
)
from equipoise.exchange.datasets.oids import (
    dataset_oid,
    file_oid,
    item_oid,
    metadata_oid,
    study_oid,
    value_suffixes,
)
from equipoise.exchange.made import NotWritten

ODM: Final = "http://www.cdisc.org/ns/odm/v1.3"
DEF: Final = "http://www.cdisc.org/ns/def/v2.1"
XLINK: Final = "http://www.w3.org/1999/xlink"
XML: Final = "http://www.w3.org/XML/1998/namespace"
PREFIXES: Final = {"def": DEF, "xlink": XLINK, "xml": XML}
NCI: Final = "nci:ExtCodeID"
DEFINE_VERSION: Final = "2.1.0"

_PURPOSES: Final = {"SDTMIG": "Tabulation", "ADaMIG": "Analysis"}
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PAGES: Final = re.compile(r"\d+( \d+)*")
_CRF_LEAF: Final = "LF.acrf"

Where = tuple[tuple[str, str], ...]


def define_xml(package: Package, suffix: str = "xpt") -> bytes:
    """Return the metadata of a package, whose datasets are in files with this suffix.

    Lengths that the package does not give are those of the data (see `complete_package`). Raises NotWritten:
    those of `check_dataset`; DEFINE-CODELIST for a code list that has no terms or stands for two;
    DEFINE-WHERE for a value level without a condition, or with one on another dataset; DEFINE-TEXT for a text
    with a character that XML cannot hold.
    """
    return _Writer(complete_package(package), suffix).document()


def tag(name: str) -> str:
    """Return the name of an element or attribute as lxml has it: `def:Origin`, or `ItemDef` of ODM."""
    prefix, _, local = name.rpartition(":")
    return f"{{{PREFIXES[prefix] if prefix else ODM}}}{local}"


class _Writer:
    """The parts of a document, which refer to one another and stand in a fixed order."""

    def __init__(self, package: Package, suffix: str) -> None:
        self._package = package
        self._suffix = suffix
        self._value_lists: list[etree._Element] = []
        self._groups: list[etree._Element] = []
        self._items: list[etree._Element] = []
        self._methods: list[etree._Element] = []
        self._comments: list[etree._Element] = []
        self._codelists: dict[str, CodeList] = {}
        self._wheres: dict[tuple[str, Where], str] = {}
        self._standards: dict[PublishingSet, str] = {}

    def document(self) -> bytes:
        """Return the whole."""
        package = self._package
        for dataset in package.datasets:
            self._dataset(dataset)
        codelists = [self._codelist(each) for each in self._codelists.values()]
        root = etree.Element(tag("ODM"), nsmap={None: ODM, "def": DEF, "xlink": XLINK})
        for key, value in {
            "ODMVersion": "1.3.2",
            "FileType": "Snapshot",
            "FileOID": file_oid(package),
            "CreationDateTime": package.created,
            "AsOfDateTime": package.created,
            "SourceSystem": "Equipoise",
            "SourceSystemVersion": __version__,
            tag("def:Context"): "Other",
        }.items():
            root.set(key, _plain(value, "ODM"))
        study = _add(root, "Study", {"OID": study_oid(package)})
        names = _add(study, "GlobalVariables")
        for name, text in (
            ("StudyName", package.study_name),
            ("StudyDescription", package.study_description),
            ("ProtocolName", package.protocol),
        ):
            # None of them may be empty; what is read from elsewhere may lack one.
            _add(names, name, text=text or package.study)
        whole = _add(
            study,
            "MetaDataVersion",
            {
                "OID": metadata_oid(package),
                "Name": f"{package.study_name}, {package.standard} {package.version}",
                "Description": f"Data definitions, {package.standard} {package.version}",
                "def:DefineVersion": DEFINE_VERSION,
            },
        )
        self._add_standards(whole)
        if package.annotated_crf is not None:
            _add(_add(whole, "def:AnnotatedCRF"), "def:DocumentRef", {"leafID": _CRF_LEAF})
        wheres = [self._where(oid, *key) for key, oid in self._wheres.items()]
        whole.extend(
            [
                *self._value_lists,
                *wheres,
                *self._groups,
                *self._items,
                *codelists,
                *self._methods,
                *self._comments,
            ]
        )
        if package.annotated_crf is not None:
            _leaf(whole, _CRF_LEAF, package.annotated_crf)
        return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)

    def _add_standards(self, whole: etree._Element) -> None:
        package = self._package
        standards = _add(whole, "def:Standards")
        guide = {"OID": "STD.IG", "Name": package.standard, "Type": "IG", "Version": package.version}
        _add(standards, "def:Standard", guide | {"Status": "Final"})
        for publishing_set, oid in sorted(self._standards.items()):
            terms = {"OID": oid, "Name": "CDISC/NCI", "Type": "CT", "PublishingSet": publishing_set}
            _add(
                standards,
                "def:Standard",
                terms | {"Version": package.controlled_terms, "Status": "Final"},
            )

    def _dataset(self, dataset: Dataset) -> None:
        package, name = self._package, dataset.name
        with_data = any(each.rows for each in package.datasets)
        group = _new(
            "ItemGroupDef",
            {
                "OID": dataset_oid(name),
                "Domain": _domain(dataset) if package.standard == "SDTMIG" else None,
                "Name": name,
                "Repeating": _yes_no(dataset.repeating),
                "IsReferenceData": _yes_no(dataset.reference),
                "SASDatasetName": name if len(name) <= NAME_LENGTH_MAX else None,
                "Purpose": _PURPOSES[package.standard],
                "def:Structure": dataset.structure,
                "def:ArchiveLocationID": f"LF.{name}",
                "def:StandardOID": "STD.IG",
                "def:HasNoData": "Yes" if with_data and not dataset.rows else None,
                "def:CommentOID": self._comment(name, dataset.comment),
            },
        )
        _describe(group, dataset.label)
        for place, variable in enumerate(dataset.variables, start=1):
            empty = bool(dataset.rows) and all(row[place - 1] is None for row in dataset.rows)
            oid = item_oid(name, variable.name)
            self._item(group, place, oid, variable, dataset, empty=empty)
        if dataset.dataset_class is not None:
            kind = _add(group, "def:Class", {"Name": dataset.dataset_class})
            if dataset.subclass is not None:
                _add(kind, "def:SubClass", {"Name": dataset.subclass})
        _leaf(group, f"LF.{name}", f"{name.lower()}.{self._suffix}")
        self._groups.append(group)

    def _item(
        self,
        parent: etree._Element,
        place: int,
        oid: str,
        variable: Variable,
        dataset: Dataset,
        *,
        empty: bool,
    ) -> etree._Element:
        """Define a variable or a value level, and refer to it from its dataset or value list."""
        about = oid.removeprefix("IT.")
        reference = _add(
            parent,
            "ItemRef",
            {
                "ItemOID": oid,
                "OrderNumber": str(place),
                "Mandatory": _yes_no(variable.mandatory),
                "KeySequence": None if variable.key is None else str(variable.key),
                "MethodOID": self._method(about, variable.method),
                "Role": variable.role,
                "def:HasNoData": "Yes" if empty else None,
            },
        )
        digits = variable.significant_digits
        # A date that statistical programs count is a whole number here, which its format tells.
        counted = variable.numeric_date
        length = NUMBER_LENGTH if counted else variable.length
        item = _new(
            "ItemDef",
            {
                "OID": oid,
                "Name": variable.name,
                "DataType": "integer" if counted else variable.type,
                "Length": None if length is None else str(length),
                "SignificantDigits": None if digits is None else str(digits),
                "SASFieldName": variable.name if len(variable.name) <= NAME_LENGTH_MAX else None,
                "def:DisplayFormat": display_format(variable),
                "def:CommentOID": self._comment(about, variable.comment),
            },
        )
        self._items.append(item)
        _describe(item, variable.label)
        if variable.codelist is not None:
            self._use(variable.codelist, about)
            _add(item, "CodeListRef", {"CodeListOID": variable.codelist.id})
        self._origin(item, variable)
        if variable.values:
            list_oid = f"VL.{about}"
            _add(item, "def:ValueListRef", {"ValueListOID": list_oid})
            self._levels(list_oid, oid, variable, dataset)
        return reference

    def _levels(self, list_oid: str, oid: str, variable: Variable, dataset: Dataset) -> None:
        levels = _new("def:ValueListDef", {"OID": list_oid})
        self._value_lists.append(levels)
        numbered = enumerate(zip(variable.values, value_suffixes(variable), strict=True), start=1)
        for place, (level, suffix) in numbered:
            reference = self._item(levels, place, f"{oid}.{suffix}", level.variable, dataset, empty=False)
            where_oid = self._where_oid(dataset, level.where, f"{oid}.{suffix}")
            _add(reference, "def:WhereClauseRef", {"WhereClauseOID": where_oid})

    def _where_oid(self, dataset: Dataset, where: Where, place: str) -> str:
        names = {variable.name for variable in dataset.variables}
        if not where or not {name for name, _ in where} <= names:
            raise NotWritten(
                "DEFINE-WHERE",
                "A value level needs a condition on variables of its own dataset. Correct it.",
                place,
            )
        key = (dataset.name, where)
        if key not in self._wheres:
            plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", ".".join(f"{name}.{value}" for name, value in where))
            oids = (f"WC.{dataset.name}.{plain}" + (f".{n}" if n > 1 else "") for n in count(1))
            self._wheres[key] = next(oid for oid in oids if oid not in self._wheres.values())
        return self._wheres[key]

    def _where(self, oid: str, dataset: str, where: Where) -> etree._Element:
        clause = _new("def:WhereClauseDef", {"OID": oid})
        for name, value in where:
            check = _add(
                clause,
                "RangeCheck",
                {"Comparator": "EQ", "SoftHard": "Soft", "def:ItemOID": item_oid(dataset, name)},
            )
            _add(check, "CheckValue", text=value)
        return clause

    def _origin(self, item: etree._Element, variable: Variable) -> None:
        if variable.origin is None:
            return
        origin = _add(item, "def:Origin", {"Type": variable.origin, "Source": variable.source})
        if variable.origin == "Predecessor":
            _describe(origin, variable.predecessor)
        elif self._package.annotated_crf is None:
            _describe(origin, variable.page)
        elif variable.page is not None:
            kind = "PhysicalRef" if _PAGES.fullmatch(variable.page) else "NamedDestination"
            document = _add(origin, "def:DocumentRef", {"leafID": _CRF_LEAF})
            _add(document, "def:PDFPageRef", {"PageRefs": variable.page, "Type": kind})

    def _method(self, about: str, text: str | None) -> str | None:
        if text is None:
            return None
        oid = f"MT.{about}"
        names = {"OID": oid, "Name": f"Derivation of {about}", "Type": "Computation"}
        self._methods.append(_describe(_new("MethodDef", names), text))
        return oid

    def _comment(self, about: str, text: str | None) -> str | None:
        if text is None:
            return None
        oid = f"COM.{about}"
        self._comments.append(_describe(_new("def:CommentDef", {"OID": oid}), text))
        return oid

    def _use(self, codelist: CodeList, place: str) -> None:
        if self._codelists.setdefault(codelist.id, codelist) != codelist:
            raise NotWritten(
                "DEFINE-CODELIST",
                f"The code list {codelist.id} has other terms elsewhere. Give one of them another id.",
                place,
            )
        if not codelist.terms and codelist.dictionary is None:
            raise NotWritten(
                "DEFINE-CODELIST",
                f"The code list {codelist.id} has neither terms nor a dictionary. Leave it out.",
                place,
            )
        if codelist.ncit is not None and self._package.controlled_terms is not None:
            self._standards[codelist.publishing_set] = f"STD.CT.{codelist.publishing_set}"

    def _codelist(self, codelist: CodeList) -> etree._Element:
        own = codelist.ncit is None and codelist.dictionary is None
        whole = _new(
            "CodeList",
            {
                "OID": codelist.id,
                "Name": codelist.name,
                "DataType": codelist.type,
                "def:IsNonStandard": "Yes" if own else None,
                "def:StandardOID": (
                    self._standards.get(codelist.publishing_set) if codelist.ncit is not None else None
                ),
            },
        )
        if codelist.dictionary is not None:
            names = {"Dictionary": codelist.dictionary, "Version": codelist.dictionary_version}
            _add(whole, "ExternalCodeList", names)
        for place, term in enumerate(codelist.terms, start=1):
            self._term(whole, codelist, place, term)
        if codelist.ncit is not None:
            _add(whole, "Alias", {"Name": codelist.ncit, "Context": NCI})
        return whole

    def _term(self, whole: etree._Element, codelist: CodeList, place: int, term: Term) -> None:
        added = codelist.extended and term.ncit is None
        attributes = {
            "CodedValue": term.value,
            "OrderNumber": str(place),
            "def:ExtendedValue": "Yes" if added else None,
        }
        item = _add(whole, "EnumeratedItem" if term.decode is None else "CodeListItem", attributes)
        if term.decode is not None:
            _add(_add(item, "Decode"), "TranslatedText", {"xml:lang": "en"}, term.decode)
        if term.ncit is not None:
            _add(item, "Alias", {"Name": term.ncit, "Context": NCI})


def _domain(dataset: Dataset) -> str:
    """Return the domain of a tabulation dataset: what it calls itself, or qualifies."""
    for place, variable in enumerate(dataset.variables):
        if variable.name in ("DOMAIN", "RDOMAIN") and dataset.rows:
            return str(dataset.rows[0][place] or dataset.name)
    return dataset.name


def _yes_no(value: bool) -> str:
    return "Yes" if value else "No"


def _plain(text: str, place: str) -> str:
    if _NO_XML.search(text):
        raise NotWritten(
            "DEFINE-TEXT", f"The text {text[:40]!r} has a character that XML cannot hold. Remove it.", place
        )
    return text


def _new(name: str, attributes: Mapping[str, str | None]) -> etree._Element:
    element = etree.Element(tag(name), nsmap={None: ODM, "def": DEF, "xlink": XLINK})
    return _set(element, name, attributes)


def _set(element: etree._Element, name: str, attributes: Mapping[str, str | None]) -> etree._Element:
    for key, value in attributes.items():
        if value is not None:
            element.set(tag(key) if ":" in key else key, _plain(value, f"{name}/@{key}"))
    return element


def _add(
    parent: etree._Element, name: str, attributes: Mapping[str, str | None] = {}, text: str | None = None
) -> etree._Element:
    element = _set(etree.SubElement(parent, tag(name)), name, attributes)
    if text is not None:
        element.text = _plain(text, name)
    return element


def _describe(parent: etree._Element, text: str | None) -> etree._Element:
    if text:
        _add(_add(parent, "Description"), "TranslatedText", {"xml:lang": "en"}, text)
    return parent


def _leaf(parent: etree._Element, oid: str, href: str) -> None:
    leaf = _add(parent, "def:leaf", {"ID": oid, "xlink:href": href})
    _add(leaf, "def:title", text=href)
