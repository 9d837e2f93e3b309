"""Invented trials: a crossover of two sequences, three parallel arms, a single arm."""

from dataclasses import replace
from typing import Any

from equipoise.definition.model.analysis import (
    Analysis,
    AnalysisSet,
    BaselineVariable,
    Endpoint,
    Estimand,
    EventLog,
    Fit,
    IntercurrentEvent,
    Profile,
    TestingProcedure,
)
from equipoise.definition.model.conduct import Safety, Supply
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.forms import Form, Item
from equipoise.definition.model.registry import Contradiction, Registry
from equipoise.definition.model.schedule import Activity, Encounter, Schedule
from equipoise.definition.model.study import Arm, Assumption, Epoch, Intervention
from tests.small_trial import STUDY, codes, item, make_definition, when

EVENTS_FORM = Form(
    id="adverse_event",
    title="Adverse events",
    items=(
        item("term", "text"),
        item("onset", "partial_date"),
        item("severity", "choice", codes=codes("mild", "moderate", "severe")),
        item("serious", "boolean"),
        item("causality", "choice", codes=codes("none", "possible", "probable")),
        item("body_system", "choice", codes=codes("infections", "nervous", "general")),
        item("outcome", "choice", codes=codes("ongoing", "recovered")),
    ),
    repeating=True,
    log=True,
    dated_by="onset",
)
BASELINE = Form(
    id="person",
    title="Person",
    items=(
        item("birth_date", "date"),
        Item(id="sex", label="Sex", type="choice", codes=codes("female", "male")),
        item("score", "decimal"),
    ),
)
VISIT = Form(
    id="visit",
    title="Visit",
    items=(
        item("count", "integer"),
        item("score", "decimal", unit="points"),
        item("well", "boolean"),
    ),
)
CULTURE = Form(id="culture", title="Culture", items=(item("millions", "integer"),), unmasking=True)
FORMS = (BASELINE, VISIT, EVENTS_FORM, CULTURE)

SAFETY = Safety(
    form="adverse_event",
    term="term",
    onset="onset",
    aware="onset",
    severity="severity",
    causality="causality",
    outcome="outcome",
    body_system="body_system",
    serious=when("adverse_event.serious"),
    related=when("adverse_event.causality in ('possible', 'probable')"),
    unexpected=when("false"),
)
LOG = EventLog(
    id="events", title="Adverse events", form="adverse_event", dataset="ADAE", by=("body_system", "severity")
)
SETS = (
    AnalysisSet(
        id="full",
        title="Full analysis set",
        requires={"randomised": when("randomisation is known"), "seen": when("counted >= 1")},
        reasons={"randomised": "Not randomised", "seen": "No visit after randomisation"},
    ),
    AnalysisSet(
        id="safety",
        title="Safety set",
        requires={"treated": when("participant.treated")},
        reasons={"treated": "Nothing was given"},
        grouped="as_treated",
    ),
)
BASELINE_LINES = (
    BaselineVariable(
        id="age",
        title="Age",
        value=when("years(person.birth_date, consent)"),
        type="continuous",
        unit="years",
    ),
    BaselineVariable(
        id="sex",
        title="Sex",
        value=when("person.sex"),
        type="category",
        labels={"female": "Women", "male": "Men"},
    ),
    BaselineVariable(id="score", title="Score", value=when("person.score"), type="continuous"),
)
ESTIMAND = Estimand(
    id="counts",
    title="Effect on the count",
    population="Adults with the condition",
    treatment="Cells against vehicle, once",
    variable="Spots counted over weeks 4 and 8",
    intercurrent_events=(
        IntercurrentEvent(event="Other treatment", strategy="treatment_policy"),
        IntercurrentEvent(event="Withdrawal", strategy="while_on_treatment", text="Visits until then count."),
    ),
    summary="Ratio of rates per visit",
)


def encounters(*weeks: int, second_from: int | None = None) -> tuple[Encounter, ...]:
    """A screening visit, and one for each week, in the first or from a week on in the second epoch."""
    screening = Encounter(id="screening", name="Screening", epoch="screening", day=0, anchor="consent")
    planned = [
        Encounter(
            id=f"week_{week}",
            name=f"Week {week}",
            epoch="second" if second_from is not None and week >= second_from else "first",
            day=7 * week,
            early_days=3,
            late_days=3,
        )
        for week in weeks
    ]
    return (screening, *planned)


def schedule(*weeks: int, second_from: int | None = None) -> Schedule:
    visits = encounters(*weeks, second_from=second_from)
    return Schedule(
        encounters=visits,
        activities=(
            Activity(id="history", name="History", forms=("person",), encounters=("screening",)),
            Activity(
                id="visit",
                name="Visit",
                forms=("visit",),
                encounters=tuple(each.id for each in visits[1:]),
            ),
        ),
        logs=("adverse_event",),
    )


REGISTRY = Registry(
    brief_summary="Do the cells help?",
    contradictions=(
        Contradiction(
            topic="Upper age",
            places=("Summary: 18 to 50 years", "Eligibility: 18 to 60 years"),
            followed="50 years; 60 in Canada",
        ),
    ),
)


EVENTS = Endpoint(
    id="events",
    title="Adverse events",
    role="safety",
    type="count",
    time_frame="20 weeks",
    analysis=Fit(
        model="descriptive",
        set="safety",
        compare="none",
        response=when("count(adverse_event after randomisation)"),
    ),
)


def crossover_endpoints() -> tuple[Endpoint, ...]:
    first, second = "at week_4, week_8", "at week_16, week_20"
    count = Fit(
        model="negative_binomial",
        set="full",
        reference="vehicle_first",
        response=when(f"sum(known visit.count {first})"),
        offset=when(f"log(count(known visit.count {first}))"),
        covariates={"baseline": when("person.score")},
        categories={"country": when("country")},
    )
    return (
        Endpoint(
            id="spots",
            title="Spots over weeks 4 and 8",
            role="primary",
            type="count",
            time_frame="8 weeks",
            estimand="counts",
            analysis=count,
            sensitivity={"unadjusted": replace(count, covariates={}, categories={})},
        ),
        Endpoint(
            id="well",
            title="Well at week 8",
            role="secondary",
            type="binary",
            time_frame="8 weeks",
            analysis=Fit(model="logistic", set="full", event=when("visit.well at week_8")),
            better="higher",
        ),
        Endpoint(
            id="score",
            title="Score in the two periods",
            role="secondary",
            type="continuous",
            time_frame="20 weeks",
            analysis=Fit(
                model="crossover_continuous",
                set="full",
                response=when("visit.score at week_8"),
                against=when("visit.score at week_20"),
            ),
        ),
        Endpoint(
            id="switch",
            title="Spots in the second period against the first",
            role="secondary",
            type="count",
            time_frame="20 weeks",
            analysis=Fit(
                model="poisson_gee",
                set="full",
                compare="epochs",
                response=when(f"sum(known visit.count {second})"),
                against=when(f"sum(known visit.count {first})"),
                offset=when(f"log(count(known visit.count {second}))"),
                offset_against=when(f"log(count(known visit.count {first}))"),
            ),
        ),
        EVENTS,
    )


def crossover_definition() -> StudyDefinition:
    analysis = Analysis(
        variables={"counted": when("count(known visit.count at week_4, week_8)")},
        sets=SETS,
        estimands=(ESTIMAND,),
        baseline=BASELINE_LINES,
        profiles=(
            Profile(
                id="spots",
                title="Spots",
                item="visit.count",
                encounters=("week_4", "week_8", "week_16", "week_20"),
                dataset="ADSPOT",
            ),
            Profile(
                id="score",
                title="Score",
                item="visit.score",
                encounters=("week_4", "week_8", "week_16", "week_20"),
                summary="median",
            ),
        ),
        logs=(LOG,),
        endpoints=crossover_endpoints(),
        testing=TestingProcedure(
            method="fixed_sequence", order=("spots", "well", "score"), text="In order, each at 5%."
        ),
    )
    assumed = Assumption(id="order", text="The order of testing.", source="Not published")
    return make_definition(
        study=replace(STUDY, title="Cells or vehicle first", acronym="KITE", assumptions=(assumed,)),
        schedule=schedule(0, 4, 8, 12, 16, 20, second_from=12),
        forms=FORMS,
        safety=SAFETY,
        imaging=None,
        supply=Supply(
            products=(
                replace(
                    make_definition().supply.products[0],
                    dispensed_at=("week_0", "week_12"),
                    source_form=None,
                    manufacture_form=None,
                    administration_form=None,
                    release=(),
                ),
            )
        ),
        analysis=analysis,
        registry=REGISTRY,
    )


def parallel_endpoints() -> tuple[Endpoint, ...]:
    repeated = Fit(
        model="repeated_measures",
        set="full",
        item="visit.score",
        repeated=("week_4", "week_8", "week_12"),
        covariates={"baseline": when("person.score")},
    )
    week = "visit.score at week_12"
    return (
        Endpoint(
            id="course",
            title="Score at week 12",
            role="primary",
            type="continuous",
            time_frame="12 weeks",
            estimand="counts",
            analysis=repeated,
            sensitivity={
                "complete": Fit(
                    model="ancova",
                    set="full",
                    response=when(f"{week} - person.score"),
                    covariates={"baseline": when("person.score")},
                )
            },
        ),
        Endpoint(
            id="well",
            title="Well at week 12",
            role="secondary",
            type="binary",
            time_frame="12 weeks",
            analysis=Fit(model="logistic", set="full", event=when("visit.well at week_12")),
            better="higher",
        ),
        Endpoint(
            id="time",
            title="Time to the first event",
            role="secondary",
            type="time_to_event",
            time_frame="12 weeks",
            analysis=Fit(
                model="cox",
                set="full",
                event=when("any(adverse_event after randomisation)"),
                response=when(
                    "if(any(adverse_event after randomisation), days(randomisation,"
                    " min(adverse_event.onset after randomisation)), days(randomisation, week_12)) + 1"
                ),
            ),
        ),
    )


def parallel_definition() -> StudyDefinition:
    base = crossover_definition()
    names = {"placebo": "Placebo", "low": "Low dose", "high": "High dose"}
    study = replace(
        base.study,
        model="parallel",
        interventions=tuple(
            Intervention(id=key, name=name, type="drug", placebo=key == "placebo")
            for key, name in names.items()
        ),
        epochs=(
            Epoch(id="screening", name="Screening", type="screening"),
            Epoch(id="first", name="Treatment", type="treatment"),
        ),
        arms=tuple(
            Arm(
                id=key,
                name=name,
                type="placebo_comparator" if key == "placebo" else "experimental",
                cells={"screening": (), "first": (key,)},
            )
            for key, name in names.items()
        ),
    )
    analysis = replace(
        base.analysis,
        variables={"counted": when("count(known visit.score at week_4, week_8, week_12)")},
        profiles=(
            Profile(
                id="score", title="Score", item="visit.score", encounters=("week_4", "week_8", "week_12")
            ),
        ),
        endpoints=parallel_endpoints(),
        testing=TestingProcedure(method="holm", order=("course", "well", "time")),
    )
    return replace(
        base,
        study=study,
        schedule=schedule(0, 4, 8, 12),
        supply=Supply(),
        analysis=analysis,
        registry=None,
    )


def single_definition() -> StudyDefinition:
    base = parallel_definition()
    arm = replace(base.study.arms[2], id="open", name="Open treatment", cells={"first": ("high",)})
    fits = {
        "count": Fit(
            model="negative_binomial",
            set="full",
            compare="none",
            response=when("sum(known visit.count at week_4, week_8)"),
            offset=when("log(counted)"),
        ),
        "binary": Fit(model="logistic", set="full", event=when("visit.well at week_12")),
        "continuous": Fit(model="ancova", set="full", response=when("visit.score at week_12")),
        "time_to_event": Fit(
            model="cox",
            set="full",
            event=when("any(adverse_event after consent)"),
            response=when(
                "if(any(adverse_event after consent), days(consent, min(adverse_event.onset after consent)),"
                " days(consent, today)) + 1"
            ),
        ),
    }
    kinds: Any = list(fits)
    endpoints = tuple(
        Endpoint(
            id=kind,
            title=f"Endpoint of type {kind.replace('_', ' ')}",
            role="primary" if kind == "count" else "secondary",
            type=kind,
            time_frame="12 weeks",
            analysis=fits[kind],
        )
        for kind in kinds
    )
    everybody = AnalysisSet(id="full", title="Everybody treated", requires={"seen": when("counted >= 1")})
    return replace(
        base,
        study=replace(base.study, model="single_group", randomised=False, arms=(arm,)),
        analysis=replace(
            base.analysis,
            sets=(everybody,),
            endpoints=endpoints,
            testing=TestingProcedure(method="none"),
        ),
    )
