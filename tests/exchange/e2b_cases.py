"""Invented serious events, with as much recorded of them as a trial can record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

from equipoise.analysis.cut import CutAdministration, DataCut
from equipoise.definition.expression import PartialDate, Value, form_row
from equipoise.definition.model.conduct import Safety
from equipoise.definition.model.datasets import Datasets, TabulatedVariable, Tabulation
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import Code, Form
from equipoise.definition.model.study import StudyIdentifier
from equipoise.exchange.e2b import Receiver, Reporter, Sender, read_icsr, write_icsr
from equipoise.safety.state import EventRow
from tests.analysis.cuts import make_cut
from tests.analysis.trials import crossover_definition
from tests.exchange.results_trials import MAKERS, with_deaths
from tests.small_trial import codes, item, when

SENDER = Sender(
    identifier="UNI",
    organisation="A university",
    type="health_professional",
    department="Trials & safety",
    title="Dr",
    given_name="Ada",
    family_name="Åström",
    street="1 Long Road",
    city="Uppsala",
    state="Uppland",
    postcode="75105",
    country="SE",
    telephone="+46 18 0",
    fax="+46 18 1",
    email="safety@university.example",
)
RECEIVER = Receiver(identifier="EVHUMAN", batch_identifier="EVGATEWAY")
CRITERIA = ("fatal", "life_threatening", "hospitalisation", "disability", "anomaly", "important")
_LABELS = {
    "anomaly": "The event is a congenital anomaly",
    "important": "The event is medically important",
    "comment": "Comment of the investigator",
    "llt": "MedDRA code, lowest level term",
    "dictionary": "MedDRA version",
}
FORM = Form(
    id="adverse_event",
    title="Adverse events",
    items=tuple(
        replace(each, label=_LABELS.get(each.id, each.label))
        for each in (
            item("term", "text"),
            item("onset", "partial_date"),
            item("aware", "datetime"),
            item("severity", "choice", codes=codes("mild", "severe")),
            *(item(name, "boolean") for name in CRITERIA),
            item("causality", "choice", codes=codes("none", "possible", "probable")),
            item("expected", "boolean"),
            item("action", "choice", codes=(Code(code="a", label="Discontinued"),)),
            item("outcome", "choice", codes=codes("recovered", "not_recovered", "fatal")),
            item("resolved", "partial_date"),
            item("comment", "text"),
            item("llt", "text"),
            item("dictionary", "text"),
            item("marker", "integer", unmasking=True),
        )
    ),
    repeating=True,
    log=True,
    dated_by="onset",
)
MEDICATION = Form(
    id="medication",
    title="Other medication",
    items=(
        item("drug", "text"),
        item("reason", "text"),
        item("since", "partial_date"),
        item("until", "partial_date"),
    ),
    repeating=True,
    dated_by="since",
)
SAFETY = Safety(
    form="adverse_event",
    term="term",
    onset="onset",
    aware="aware",
    severity="severity",
    causality="causality",
    outcome="outcome",
    resolved="resolved",
    serious=when(" or ".join(f"adverse_event.{name} = true" for name in CRITERIA)),
    related=when("adverse_event.causality in ('possible', 'probable')"),
    unexpected=when("adverse_event.expected = false"),
)
EVENT: dict[str, Value] = {
    "term": "Fever, with a rash & < 3 °C",
    "onset": PartialDate(2024, 2, 3),
    "aware": date(2024, 2, 5),
    "severity": "severe",
    "fatal": True,
    "life_threatening": True,
    "hospitalisation": True,
    "disability": True,
    "anomaly": True,
    "important": True,
    "causality": "possible",
    "expected": False,
    "action": "a",
    "outcome": "fatal",
    "resolved": PartialDate(2024, 2, 9),
    "comment": "He had eaten nuts.",
    "llt": "10016558",
    "dictionary": "27.0",
    "marker": 7,
}
ASSESSMENT = EventRow(
    participant="SE01-002",
    row=1,
    serious=True,
    related=True,
    unexpected=True,
    sponsor_related=False,
    sponsor_expected=True,
)


def full_definition() -> StudyDefinition:
    base = crossover_definition()
    dose = replace(base.supply.products[0], dose="One bag")
    entries = {"drug": "CMTRT", "reason": "CMINDC", "since": "CMSTDTC", "until": "CMENDTC"}
    named = tuple(TabulatedVariable(item=name, variable=variable) for name, variable in entries.items())
    medication = Tabulation(form="medication", domain="CM", variables=named)
    numbers = (
        StudyIdentifier(registry="Sponsor", value="UNI-7"),
        StudyIdentifier(registry="EudraCT", value="2020-000001-11"),
        StudyIdentifier(registry="ClinicalTrials.gov", value="NCT00000001", sub_trial="sweden"),
        StudyIdentifier(registry="ClinicalTrials.gov", value="NCT00000002", sub_trial="canada"),
    )
    sites = tuple(replace(site, city="Umeå") for site in base.study.sites)
    return replace(
        base,
        study=replace(base.study, identifiers=numbers, sites=sites),
        forms=(*(form for form in base.forms if form.id != FORM.id), FORM, MEDICATION),
        safety=SAFETY,
        supply=replace(base.supply, products=(dose,)),
        datasets=Datasets(forms=(medication,)),
    )


@cache
def rehearsed(kind: str) -> DataCut:
    """A whole invented trial: crossover, parallel or single."""
    return make_cut(with_deaths(MAKERS[kind]()))


@cache
def full_cut(**changes: Value) -> DataCut:
    """A trial of three, of whom SE01-002 has one event, begun after the first of two administrations."""
    definition = full_definition()
    cut = make_cut(definition, participants=3, screened_out=0)
    person = next(each for each in cut.participants if each.participant == "SE01-002")
    onset = EVENT | changes
    dated = onset["onset"] if isinstance(onset["onset"], PartialDate) else None
    event = form_row(
        "adverse_event", onset, row=1, date=dated, recorded_at="2024-02-06T10:11:12.000000Z", position=5
    )
    medicine: dict[str, Value] = {
        "drug": "Aspirin",
        "reason": "Headache",
        "since": PartialDate(2024, 1),
        "until": PartialDate(2024, 3),
    }
    earlier = medicine | {"drug": "Penicillin", "until": PartialDate(2024, 1, 30)}
    rows = [row for row in person.rows if row.form != "adverse_event"]
    rows += [event, form_row("medication", medicine, row=1), form_row("medication", earlier, row=2)]
    given = tuple(
        CutAdministration(product="bag", encounter=encounter, epoch=epoch, given_on=day)
        for encounter, epoch, day in (
            ("week_0", "first", date(2024, 1, 21)),
            ("week_12", "second", date(2024, 4, 15)),
        )
    )
    person = replace(person, rows=tuple(rows), administrations=given, status="completed", end_cause=None)
    return replace(cut, participants=(person,))


def write(cut: DataCut, *, unblinded: bool = False, row: int = 1) -> bytes:
    return write_icsr(
        cut,
        "SE01-002",
        row,
        sender=SENDER,
        receiver=RECEIVER,
        unblinded=unblinded,
        reporter=Reporter(qualification="physician"),
        assessment=ASSESSMENT,
        sender_comment="Seen by the board.",
    )


def elements(content: bytes, folder: Path) -> dict[str, tuple[str, ...]]:
    path = folder / "report.xml"
    path.write_bytes(content)
    return dict(read_icsr(path))


def serious_events(cut: DataCut) -> Iterator[tuple[str, int]]:
    """The serious events of a rehearsed trial, by its own question."""
    for person in cut.participants:
        for row in person.rows:
            if row.form == "adverse_event" and row.values["serious"].value and row.row is not None:
                yield person.participant, row.row
