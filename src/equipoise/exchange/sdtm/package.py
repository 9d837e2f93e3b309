"""The tabulation datasets of a data cut: SDTMIG 3.4 with SDTM 2.0."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from equipoise.analysis.cut import DataCut
from equipoise.analysis.derive import Frame
from equipoise.analysis.deviations import KINDS
from equipoise.analysis.result import Deviation
from equipoise.definition.model.datasets import Tabulation
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import Form
from equipoise.definition.sdtm.guide import VERSION, Domain, domains
from equipoise.definition.sdtm.naming import short_label
from equipoise.definition.tabulation import permitted, tabulations
from equipoise.exchange.datasets.model import Cell, Dataset, Package
from equipoise.exchange.sdtm.coding import coded_item
from equipoise.exchange.sdtm.design import design_rows
from equipoise.exchange.sdtm.metadata import Content, dataset_of
from equipoise.exchange.sdtm.observations import Record, exposures, flag_last_before_exposure, records_of
from equipoise.exchange.sdtm.plan import Plan
from equipoise.exchange.sdtm.subjects import (
    Subject,
    demographics,
    deviations,
    dispositions,
    elements,
    exceptions,
    subjects_of,
    visits,
)
from equipoise.exchange.sdtm.summary import summary_rows

Row = dict[str, Cell]

KEYS: Mapping[str, tuple[str, ...]] = {
    "TA": ("ARMCD", "TAETORD"),
    "TE": ("ETCD",),
    "TV": ("VISITNUM",),
    "TI": ("IETESTCD", "TIVERS"),
    "TS": ("TSPARMCD", "TSSEQ"),
    "DM": ("USUBJID",),
    "SE": ("USUBJID", "TAETORD", "SESEQ"),
    "SV": ("USUBJID", "VISITNUM"),
    "DS": ("USUBJID", "DSSTDTC", "DSCAT", "DSDECOD", "DSSEQ"),
    "IE": ("USUBJID", "IETESTCD", "IESEQ"),
    "DV": ("USUBJID", "DVSTDTC", "DVDECOD", "DVTERM", "DVSEQ"),
    "RELREC": ("RELID", "RDOMAIN"),
}
_OF_CLASS: Mapping[str, tuple[str, ...]] = {
    "INTERVENTIONS": ("USUBJID", "--STDTC", "--TRT", "--SEQ"),
    "EVENTS": ("USUBJID", "--STDTC", "--TERM", "--SEQ"),
    "FINDINGS": ("USUBJID", "--CAT", "--TESTCD", "VISITNUM", "--DTC", "--SEQ"),
    "FINDINGS ABOUT": ("USUBJID", "--OBJ", "--TESTCD", "VISITNUM", "--DTC", "--SEQ"),
}
ORDER = (
    "TRIAL DESIGN",
    "SPECIAL PURPOSE",
    "INTERVENTIONS",
    "EVENTS",
    "FINDINGS",
    "FINDINGS ABOUT",
    "RELATIONSHIP",
)


def sdtm_package(cut: DataCut) -> Package:
    """All tabulation datasets that have a record, DM in any case.

    A masked cut makes a package in which the arm stands nowhere: DM names it as masked, SE names one element
    for whatever the arms are given in an epoch, and EX names the product.
    """
    frame = Frame(cut)
    made = _Tabulated(frame)
    study = frame.definition.study
    return Package(
        standard="SDTMIG",
        version=VERSION,
        controlled_terms=frame.definition.datasets.terminology if frame.definition.datasets else None,
        study=made.plan.study,
        study_name=study.acronym or study.id.upper(),
        study_description=study.official_title or study.title,
        protocol=study.id.upper(),
        created=cut.recorded_at,
        definition_hash=frame.definition.hash,
        masked=cut.masked,
        datasets=made.datasets(),
    )


class _Tabulated:
    """The records of every domain, collected subject by subject."""

    def __init__(self, frame: Frame) -> None:
        self.frame, self.definition = frame, frame.definition
        self.plan = Plan(frame.definition, masked=frame.cut.masked)
        self.tabulations = tabulations(frame.definition)
        self.deviations: dict[str, list[Deviation]] = {}
        for each in frame.deviations:
            self.deviations.setdefault(each.participant, []).append(each)
        self.records: dict[str, list[Record]] = {}
        self.rows: dict[str, list[Row]] = design_rows(self.plan)
        self.rows["TS"] = summary_rows(frame.cut)
        for name in ("DM", "SE", "SV", "DS", "IE", "DV"):
            self.rows[name] = []
        for subject in subjects_of(frame, self.plan):
            self._subject(subject)
        self.content = contents(self.definition, self.tabulations, masked=frame.cut.masked)
        for tabulation in self.tabulations:
            topic = coded_item(domains()[tabulation.domain], tabulation)
            self.content[tabulation.domain].codings |= {
                (coding.dictionary, coding.version)
                for person in frame.cut.participants
                for row in person.rows
                if row.form == tabulation.form and (coding := row.codings.get(topic or "")) is not None
            }

    def _subject(self, subject: Subject) -> None:
        found = self._of_forms(subject)
        collected: Row = {}
        person: list[Record] = found.pop("DM", [])
        for record in person:
            collected |= {name: value for name, value in record.row.items() if name != "USUBJID"}
        self.rows["DM"].append(demographics(subject, collected, _died(found, collected)))
        self.rows["SE"] += elements(subject)
        self.rows["SV"] += visits(subject)
        left = found.pop("DS", [])
        self.rows["IE"] += exceptions(subject)
        self.rows["DV"] += deviations(subject, self.deviations.get(subject.person.participant, []), KINDS)
        for row in dispositions(subject, [each.row for each in left]):
            qualifiers = next((each.qualifiers for each in left if each.row is row), [])
            self.records.setdefault("DS", []).append(Record("DS", row, qualifiers))
        if any(each.qualifiers for each in person):
            everything = [qualifier for each in person for qualifier in each.qualifiers]
            self.records.setdefault("DM", []).append(Record("DM", {"USUBJID": subject.usubjid}, everything))
        for name, records in found.items():
            domain = domains()[name]
            if domain.is_findings:
                flag_last_before_exposure(records, domain, subject)
            self.records.setdefault(name, []).extend(records)

    def _of_forms(self, subject: Subject) -> dict[str, list[Record]]:
        """A subject's records by domain; those of EX are administrations, with what forms say of them."""
        found: dict[str, list[Record]] = {}
        evidence = self.frame.evidence(subject.person.participant)
        told: dict[str, Record] = {}
        for tabulation in self.tabulations:
            form = _form(self.definition, tabulation)
            # What is asked about by name is no part of what an administration's own record says.
            own = replace(tabulation, tests=()) if tabulation.domain == "EX" else tabulation
            made = list(records_of(subject, evidence, form, own, self.definition.safety))
            if tabulation.domain == "EX":
                told |= {record.encounter or "": record for record in made}
            else:
                found.setdefault(tabulation.domain, []).extend(made)
        given = list(exposures(subject, told))
        return found | ({"EX": given} if given else {})

    def datasets(self) -> tuple[Dataset, ...]:
        """The datasets, each followed by its supplemental qualifiers, in the order of the classes."""
        made: list[Dataset] = []
        for name, domain in sorted(
            domains().items(), key=lambda item: (ORDER.index(item[1].dataset_class), item[0])
        ):
            records = self.records.get(name, [])
            rows = self.rows.get(name, []) + [each.row for each in records if name not in ("DM",)]
            if name in ("SUPPQUAL", "RELREC") or (not rows and name != "DM"):
                continue
            content = self.content.get(name, Content())
            made.append(dataset_of(domain, rows, content, self.plan.study, keys=keys_of(domain, rows)))
            extra = _supplemental(domain, records, self.plan.study)
            made += [extra] if extra is not None else []
        related = _related(self.definition, {each.name for each in made}, self.plan.study)
        return (*made, *([related] if related is not None else []))


def _form(definition: StudyDefinition, tabulation: Tabulation) -> Form:
    found = definition.form(tabulation.form)
    assert found is not None, "the linter has found every form"
    return found


def keys_of(domain: Domain, rows: Sequence[Row]) -> tuple[str, ...]:
    """The variables by which a dataset is sorted, and which together are unique."""
    if domain.name in KEYS:
        return KEYS[domain.name]
    keys = (each.replace("--", domain.name) for each in _OF_CLASS[domain.dataset_class])
    used = {name for row in rows for name, cell in row.items() if cell is not None}
    return tuple(each for each in keys if each in used or each.endswith("SEQ"))


def _died(found: Mapping[str, list[Record]], collected: Mapping[str, Cell]) -> tuple[bool, str | None]:
    """Whether a fatal event or a death was recorded, and its day."""
    if collected.get("DTHDTC") or collected.get("DTHFL") == "Y":
        day = collected.get("DTHDTC")
        return True, day if isinstance(day, str) else None
    for each in found.get("AE", []):
        if each.row.get("AEOUT") == "FATAL" or each.row.get("AESDTH") == "Y":
            end = each.row.get("AEENDTC")
            return True, end if isinstance(end, str) else None
    return any(each.row.get("DSDECOD") == "DEATH" for each in found.get("DS", [])), None


def contents(definition: StudyDefinition, plan: Iterable[Tabulation], *, masked: bool) -> dict[str, Content]:
    """Which forms fill which variables, and what their closed questions allow, by domain.

    A masked package says nothing of what would unmask, not even that it is asked.
    """
    found: dict[str, Content] = {}
    for tabulation in plan:
        form, domain = _form(definition, tabulation), domains()[tabulation.domain]
        content = found.setdefault(domain.name, Content())
        if masked and form.unmasking:
            continue
        for entry in tabulation.variables:
            item, known = form.item(entry.item), domain.variable(entry.variable or "")
            if item is not None and known is not None and not (masked and item.unmasking):
                content.add(known.name, form.title, permitted(item, entry.values, known.codelist))
        for test in tabulation.tests:
            item = form.item(test.item)
            if item is None or (masked and item.unmasking):
                continue
            if domain.is_findings and test.code is not None:
                values = permitted(item, test.values)
                content.add_result(test.code, form.title, values)
                content.add(f"{domain.name}ORRES", form.title, ())
            else:
                content.add(f"{domain.name}OCCUR", form.title, ())
    return found


def _supplemental(domain: Domain, records: Sequence[Record], study: str) -> Dataset | None:
    """SUPP-- of a domain (SDTMIG 8.4): one record for each qualifier of a record."""
    guide = domains()["SUPPQUAL"]
    rows: list[Row] = []
    sequence = None if domain.name == "DM" else f"{domain.name}SEQ"
    for record in records:
        for each in record.qualifiers:
            row: Row = {
                "RDOMAIN": domain.name,
                "USUBJID": record.row["USUBJID"],
                "IDVAR": sequence,
                "IDVARVAL": None if sequence is None else str(record.row[sequence]),
                "QNAM": each.name,
                "QLABEL": short_label(each.label),
                "QVAL": each.value,
                "QORIG": each.origin,
            }
            rows.append(row)
    if not rows:
        return None
    named = replace(guide, name=f"SUPP{domain.name}", label=f"Supplemental Qualifiers for {domain.name}")
    keys = ("RDOMAIN", "USUBJID", "IDVAR", "IDVARVAL", "QNAM")
    return dataset_of(named, rows, Content(), study, keys=keys)


def _related(definition: StudyDefinition, names: set[str], study: str) -> Dataset | None:
    """RELREC between a scan and its central reading, which share a link identifier at each visit (8.3)."""
    imaging = definition.imaging
    if imaging is None or definition.datasets is None:
        return None
    linked = {
        each.form: each.domain
        for each in definition.datasets.forms
        if domains()[each.domain].variable(f"{each.domain}LNKID") is not None
    }
    scan, read = linked.get(imaging.acquisition_form), linked.get(imaging.read_form)
    if scan is None or read is None or scan == read or not {scan, read} <= names:
        return None
    rows: list[Row] = [
        {"RDOMAIN": scan, "IDVAR": f"{scan}LNKID", "RELTYPE": "ONE", "RELID": "READING"},
        {"RDOMAIN": read, "IDVAR": f"{read}LNKID", "RELTYPE": "MANY", "RELID": "READING"},
    ]
    return dataset_of(domains()["RELREC"], rows, Content(), study, keys=KEYS["RELREC"])
