"""A small trial made in code.

It has two periods, two sequences, two sites under two sets of rules, an adverse-event log, items and a
form that would unmask, scans read twice, and a product grown from each participant's own cells.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

from equipoise.definition.expression import Node, parse_text
from equipoise.definition.model.analysis import Analysis, AnalysisSet, Endpoint, Fit
from equipoise.definition.model.conduct import (
    Allocation,
    EmergencyUnblinding,
    Factor,
    Imaging,
    Product,
    ReadItem,
    ReleaseCriterion,
    Safety,
    SafetyClock,
    Supply,
)
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.eligibility import Criterion, Eligibility, Variant
from equipoise.definition.model.forms import Code, EditCheck, Form, Item
from equipoise.definition.model.schedule import Activity, Encounter, Schedule
from equipoise.definition.model.study import (
    Arm,
    Epoch,
    Intervention,
    Masking,
    Organisation,
    Role,
    Site,
    Study,
    SubTrial,
)

when: Callable[[str], Node] = parse_text


def codes(*names: str) -> tuple[Code, ...]:
    return tuple(Code(code=name, label=name.capitalize()) for name in names)


def item(name: str, kind: Any, **more: Any) -> Item:
    return Item(id=name, label=name.replace("_", " ").capitalize(), type=kind, **more)


ROLES = (
    Role(id="investigator", kind="investigator", name="Investigator", masked=True, scope="site"),
    Role(id="nurse", kind="nurse", name="Study nurse", masked=True, scope="site"),
    Role(id="laboratory", kind="laboratory", name="Cell laboratory", masked=False, scope="site"),
    Role(id="infuser", kind="infuser", name="Infusing physician", masked=False, scope="site"),
    Role(id="reader", kind="reader", name="Reader", masked=True, scope="trial"),
    Role(id="adjudicator", kind="adjudicator", name="Adjudicator", masked=True, scope="trial"),
    Role(id="safety_desk", kind="safety_desk", name="Safety desk", masked=True, scope="trial"),
    Role(id="data_manager", kind="data_manager", name="Data manager", masked=True, scope="trial"),
    Role(id="monitor", kind="monitor", name="Monitor", masked=True, scope="trial"),
    Role(id="statistician", kind="statistician", name="Statistician", masked=True, scope="trial"),
    Role(
        id="list_statistician",
        kind="unblinded_statistician",
        name="List statistician",
        masked=False,
        scope="trial",
    ),
    Role(id="administrator", kind="administrator", name="Administrator", masked=True, scope="trial"),
)

STUDY = Study(
    id="kite",
    version="1.0",
    title="Cells or vehicle first",
    model="crossover",
    sponsor=Organisation(name="A university"),
    conditions=("A condition",),
    planned_enrolment=20,
    masking=Masking(parties=("participant", "care_provider", "investigator", "outcomes_assessor")),
    roles=ROLES,
    interventions=(
        Intervention(id="cells", name="Cells", type="biological"),
        Intervention(id="vehicle", name="Vehicle", type="biological", placebo=True),
    ),
    epochs=(
        Epoch(id="screening", name="Screening", type="screening"),
        Epoch(id="first", name="First period", type="treatment"),
        Epoch(id="second", name="Second period", type="treatment"),
    ),
    arms=(
        Arm(
            id="cells_first",
            name="Cells first",
            type="experimental",
            cells={"screening": (), "first": ("cells",), "second": ("vehicle",)},
        ),
        Arm(
            id="vehicle_first",
            name="Vehicle first",
            type="placebo_comparator",
            cells={"screening": (), "first": ("vehicle",), "second": ("cells",)},
        ),
    ),
    sub_trials=(
        SubTrial(id="sweden", name="Sweden", country="SE"),
        SubTrial(id="canada", name="Canada", country="CA", variant="canadian"),
    ),
    sites=(
        Site(
            id="SE01", name="North hospital", country="SE", time_zone="Europe/Stockholm", sub_trial="sweden"
        ),
        Site(id="CA01", name="West hospital", country="CA", time_zone="America/Toronto", sub_trial="canada"),
    ),
)

DEMOGRAPHICS = Form(
    id="demographics",
    title="Demographics",
    items=(
        item("birth_date", "date"),
        item("sex", "choice", codes=codes("f", "m")),
        item(
            "pregnancy_test",
            "choice",
            codes=codes("negative", "positive"),
            when=when("demographics.sex = 'f'"),
        ),
    ),
)
VITALS = Form(
    id="vitals",
    title="Vital signs",
    items=(
        item("taken_on", "date"),
        item("weight", "decimal", unit="kg", minimum=Decimal(30), maximum=Decimal(250), step=Decimal("0.5")),
        item("systolic", "integer", unit="mmHg", minimum=Decimal(50), maximum=Decimal(300)),
        item("diastolic", "integer", unit="mmHg", minimum=Decimal(20), maximum=Decimal(200)),
        item("remark", "text", required=False),
    ),
    checks=(
        EditCheck(
            id="pressures",
            holds=when("vitals.systolic > vitals.diastolic"),
            message="The systolic pressure must be above the diastolic.",
            severity="hard",
        ),
        EditCheck(id="light", holds=when("vitals.weight >= 40"), message="Is the weight right?"),
    ),
    dated_by="taken_on",
)
LABS = Form(
    id="labs",
    title="Laboratory",
    items=(
        item("crp", "decimal", unit="mg/L", minimum=Decimal(0)),
        item("marker", "decimal", unit="ng/L", required=False, unmasking=True),
    ),
    checks=(
        EditCheck(id="marker_high", holds=when("labs.marker < 100"), message="Please repeat the marker."),
    ),
)
THAW = Form(
    id="thaw",
    title="Thawing record",
    items=(item("thawed_on", "date"), item("viability", "decimal", minimum=Decimal(0), maximum=Decimal(100))),
    dated_by="thawed_on",
    unmasking=True,
    filled_by=("laboratory",),
)
ADVERSE_EVENTS = Form(
    id="adverse_event",
    title="Adverse events",
    items=(
        item("term", "text"),
        item("onset", "partial_date"),
        item("aware", "datetime", required=False),
        item("severity", "choice", codes=codes("mild", "moderate", "severe", "fatal")),
        item("serious", "boolean", required=False),
        item("causality", "choice", codes=codes("none", "possible", "probable"), required=False),
        item("expected", "boolean", required=False),
        item("outcome", "choice", codes=codes("ongoing", "recovered", "fatal")),
        item("resolved", "partial_date", when=when("adverse_event.outcome = 'recovered'")),
    ),
    checks=(
        EditCheck(
            id="order",
            holds=when("adverse_event.resolved >= adverse_event.onset"),
            message="The event must not end before it began.",
            severity="hard",
        ),
        EditCheck(
            id="fatal_is_serious",
            holds=when("adverse_event.severity != 'fatal' or adverse_event.serious"),
            message="A fatal event is serious.",
        ),
    ),
    repeating=True,
    log=True,
    dated_by="onset",
)
SCAN = Form(
    id="scan",
    title="Scan",
    items=(item("scanned_on", "date"), item("field", "choice", codes=codes("low", "high"))),
    dated_by="scanned_on",
)
READ = Form(
    id="read",
    title="Reading",
    items=(
        item("spots", "integer", minimum=Decimal(0), maximum=Decimal(100)),
        item("volume", "decimal", unit="mL", minimum=Decimal(0)),
    ),
    filled_by=("reader", "adjudicator"),
)
HARVEST = Form(
    id="harvest",
    title="Collection of cells",
    items=(item("volume", "integer", unit="mL", minimum=Decimal(1), maximum=Decimal(500)),),
)
CULTURE = Form(
    id="culture",
    title="Culture",
    items=(
        item("yield_millions", "integer", minimum=Decimal(0)),
        item("sterile", "boolean", required=False),
        item("viability", "decimal", minimum=Decimal(0), maximum=Decimal(100), required=False),
    ),
    unmasking=True,
    filled_by=("laboratory",),
)
INFUSION = Form(
    id="infusion",
    title="Infusion",
    items=(item("minutes", "integer", minimum=Decimal(1)), item("reaction", "boolean", required=False)),
    unmasking=True,
    filled_by=("infuser",),
)
FORMS = (DEMOGRAPHICS, VITALS, LABS, THAW, ADVERSE_EVENTS, SCAN, READ, HARVEST, CULTURE, INFUSION)

ELIGIBILITY = Eligibility(
    rescreening_after_days=30,
    variables={"age": when("years(demographics.birth_date, consent)")},
    criteria=(
        Criterion(
            id="I1",
            number=1,
            category="inclusion",
            text="Aged 18 to 50.",
            when=when("age between 18 and 50"),
        ),
        Criterion(
            id="I2",
            number=2,
            category="inclusion",
            text="Weight at least 40 kg.",
            when=when("vitals.weight >= 40"),
        ),
        Criterion(
            id="E1",
            number=1,
            category="exclusion",
            text="Pregnancy.",
            when=when("demographics.pregnancy_test = 'positive'"),
        ),
        Criterion(
            id="E2",
            number=2,
            category="exclusion",
            text="A serious event during screening.",
            when=when("any(adverse_event where adverse_event.serious)"),
        ),
    ),
    variants=(
        Variant(
            id="canadian",
            title="Canada",
            approved_from=date(2024, 2, 1),
            criteria=(
                Criterion(
                    id="I1",
                    number=1,
                    category="inclusion",
                    text="Aged 18 to 60.",
                    when=when("age between 18 and 60"),
                ),
            ),
        ),
    ),
)

SCHEDULE = Schedule(
    encounters=(
        Encounter(id="screening", name="Screening", epoch="screening", day=-14, early_days=28, late_days=13),
        Encounter(id="week_0", name="Week 0", epoch="first", day=0, late_days=3),
        Encounter(id="week_4", name="Week 4", epoch="first", day=28, early_days=3, late_days=3),
        Encounter(id="week_8", name="Week 8", epoch="second", day=56, early_days=3, late_days=3),
        Encounter(id="call", name="Call", epoch="first", day=7, late_days=7, anchor="first_administration"),
    ),
    activities=(
        Activity(id="history", name="History", forms=("demographics",), encounters=("screening",)),
        Activity(
            id="examination",
            name="Examination",
            forms=("vitals", "labs"),
            encounters=("screening", "week_0", "week_4", "week_8"),
        ),
        Activity(id="imaging", name="Imaging", forms=("scan",), encounters=("screening", "week_4", "week_8")),
        Activity(id="thawing", name="Thawing", forms=("thaw",), encounters=("week_0", "week_8")),
    ),
    logs=("adverse_event",),
    unscheduled=("vitals", "labs"),
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
    serious=when("adverse_event.serious"),
    related=when("adverse_event.causality in ('possible', 'probable')"),
    unexpected=when("not adverse_event.expected"),
    clocks=(
        SafetyClock(
            id="serious", title="To the sponsor", when=when("adverse_event.serious"), due_within="24 hours"
        ),
        SafetyClock(
            id="suspected",
            title="To the authority",
            when=when(
                "adverse_event.serious and adverse_event.causality in ('possible', 'probable')"
                " and not adverse_event.expected"
            ),
            due_within="15 days",
        ),
    ),
)

IMAGING = Imaging(
    acquisition_form="scan",
    read_form="read",
    compare=(ReadItem(item="spots"), ReadItem(item="volume", tolerance=Decimal("0.5"))),
    quality_reasons=("Motion", "Wrong sequence"),
)

SUPPLY = Supply(
    products=(
        Product(
            id="bag",
            name="Bag of cells or vehicle",
            kind="autologous",
            interventions=("cells", "vehicle"),
            dispensed_at=("week_0", "week_8"),
            source_form="harvest",
            manufacture_form="culture",
            administration_form="infusion",
            release=(
                ReleaseCriterion(id="sterile", text="Sterile.", when=when("culture.sterile")),
                ReleaseCriterion(
                    id="enough", text="Enough cells.", when=when("culture.yield_millions >= 50")
                ),
            ),
            released_before_randomisation=True,
            manufacture_days_min=10,
            manufacture_days_max=40,
        ),
    )
)


def make_definition(**changes: Any) -> StudyDefinition:
    """The small trial, with any of its parts replaced."""
    definition = StudyDefinition(
        study=STUDY,
        eligibility=ELIGIBILITY,
        schedule=SCHEDULE,
        forms=FORMS,
        allocation=Allocation(
            method="permuted_blocks",
            ratio={"cells_first": 1, "vehicle_first": 1},
            strata=(Factor(id="site"),),
            slots_per_stratum=12,
            emergency_unblinding=EmergencyUnblinding(
                permitted=("investigator",), informed=("safety_desk", "data_manager")
            ),
        ),
        analysis=Analysis(
            sets=(AnalysisSet(id="full", title="Full analysis set", requires={}),),
            endpoints=(
                Endpoint(
                    id="spots",
                    title="New spots",
                    role="primary",
                    type="count",
                    time_frame="8 weeks",
                    analysis=Fit(
                        model="negative_binomial",
                        set="full",
                        response=when("sum(read.spots)"),
                        reference="vehicle_first",
                    ),
                ),
            ),
        ),
        safety=SAFETY,
        imaging=IMAGING,
        supply=SUPPLY,
        hash=sha256(b"the small trial").hexdigest(),
    )
    return replace(definition, **changes)
