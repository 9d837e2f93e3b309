"""The sections of a report, put together from the result of an analysis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from equipoise import __version__
from equipoise.analysis.report import views
from equipoise.analysis.report.charts import draw_profile, draw_survival
from equipoise.analysis.report.comparisons import draw_comparisons
from equipoise.analysis.report.content import (
    Banner,
    Block,
    Drawing,
    Entries,
    Entry,
    Paragraph,
    ReportContent,
    Section,
    Subheading,
    Table,
    numbered,
)
from equipoise.analysis.report.flow_chart import draw_flow
from equipoise.analysis.report.key import key_result
from equipoise.analysis.report.numbers import ROUNDING, fixed, p_value, whole
from equipoise.analysis.result import AnalysisResult, EndpointResult
from equipoise.definition.amendments import Change
from equipoise.definition.model.analysis import Estimand
from equipoise.definition.model.study import Study

PARTICIPANTS, EFFICACY, EVENTS, SERIOUS = "14.1", "14.2", "14.3.1", "14.3.2"
"""Chapters of a clinical study report (ICH E3): demographic data, efficacy, and safety with its events."""

CONSENTED = "All participants who consented"
STRATEGIES = {
    "treatment_policy": "treatment policy",
    "hypothetical": "hypothetical",
    "composite": "composite",
    "while_on_treatment": "while on treatment",
    "principal_stratum": "principal stratum",
}


class FindingPlace(Protocol):
    """Where a public record says something: its section, its line, and its words."""

    @property
    def section(self) -> str: ...
    @property
    def line(self) -> int: ...
    @property
    def quote(self) -> str: ...


class ReportFinding(Protocol):
    """A contradiction that was found in a public record."""

    @property
    def code(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def message(self) -> str: ...
    @property
    def places(self) -> Sequence[FindingPlace]: ...


def report_content(result: AnalysisResult, findings: Sequence[ReportFinding] | None = None) -> ReportContent:
    """Return what the report of a result says; `findings` are those of its public record."""
    study, masked, rehearsal = result.definition.study, result.masked, result.mode == "rehearsal"
    title = study.acronym or study.title
    sections = (
        Section(id="flow", title="Participants", blocks=tuple(_flow(result))),
        Section(id="baseline", title="Baseline", blocks=tuple(_baseline(result))),
        Section(id="primary", title="Primary endpoint", blocks=tuple(_primary(result))),
        Section(id="results", title="All endpoints", blocks=tuple(_results(result))),
        *_further(result),
        Section(id="profiles", title="Course over the encounters", blocks=tuple(_profiles(result))),
        Section(id="safety", title="Safety", blocks=tuple(_safety(result))),
        Section(id="quality", title="Sets, deviations, conduct", blocks=tuple(_quality(result))),
        Section(
            id="assumptions",
            title="Assumptions and contradictions",
            blocks=tuple(_assumptions(result, findings)),
        ),
        *_amendments(result),
        Section(id="origin", title="Where this report comes from", blocks=(_origin(result),)),
    )
    return ReportContent(
        language=study.language,
        study=title,
        kind="Masked statistical report" if masked else "Statistical report",
        page_title=f"{title}: {'masked report' if masked else 'report'}"
        + (" of a rehearsal" if rehearsal else ""),
        heading=(f"{study.acronym}: " if study.acronym else "") + study.title,
        official_title=study.official_title,
        banners=tuple(_banners(masked, rehearsal)),
        facts=tuple(_facts(result, study)),
        key=key_result(result),
        cautions=result.notes,
        sections=numbered(sections),
        marks=tuple(_marks(result)),
        source=source_line(result),
        recorded_at=result.recorded_at,
    )


def everybody(result: AnalysisResult) -> str:
    """Whom the trial describes: all who were randomised, or enrolled where nobody is."""
    verb = "randomised" if result.definition.study.randomised else "enrolled"
    return f"Everybody {verb} (n = {whole(result.randomised)})"


def source_line(result: AnalysisResult) -> str:
    """With which program, from which definition and which data a page was made."""
    return (
        f"Equipoise {__version__}; definition version {result.definition.study.version}, "
        f"{result.definition.hash[:16]}; data cut of {result.recorded_at[:19].replace('T', ' ')} UTC, "
        f"ledger position {result.position}, head {result.head[:16]}"
    )


def _marks(result: AnalysisResult) -> Iterator[str]:
    if result.mode == "rehearsal":
        yield "SIMULATED DATA"
    if result.masked:
        yield "MASKED: all participants together"
    if result.locked_at is None:
        yield "DRAFT: the data are not locked"


def _banners(masked: bool, rehearsal: bool) -> Iterator[Banner]:
    if rehearsal:
        words = (
            "This is the report of a rehearsal: every participant, every value and every result in it is "
            "invented."
        )
        yield Banner(kind="simulated", opening="Simulated data.", text=words)
    if masked:
        words = "All participants are described together. Nothing here depends on who was allocated to what."
        yield Banner(kind="masked", opening="Masked.", text=words)


def _facts(result: AnalysisResult, study: Study) -> Iterator[Entry]:
    yield Entry(term="Sponsor", text=study.sponsor.name)
    if study.identifiers:
        yield Entry(term="Registration", text=", ".join(each.value for each in study.identifiers))
    word = "sequences" if study.model == "crossover" else "arms"
    many = f"{len(study.arms)} {word if len(study.arms) > 1 else 'arm'}"
    allocated = "Randomised" if study.randomised else "Not randomised"
    model = study.model.replace("_", " ")
    yield Entry(term="Design", text=f"{allocated}, {model}, {many}, masking: {study.masking.level}")
    count = f"{whole(result.participants)} consented, {whole(result.randomised)} "
    count += "randomised" if study.randomised else "enrolled"
    if study.planned_enrolment:
        count += f" of {whole(study.planned_enrolment)} planned"
    yield Entry(term="Participants", text=count)
    state = f"Position {whole(result.position)} of the ledger, {result.recorded_at[:10]}; "
    state += f"locked {result.locked_at[:10]}" if result.locked_at else "not locked"
    if not result.masked and result.unblinded_at:
        state += f", unblinded {result.unblinded_at[:10]}"
    yield Entry(term="Data", text=state)
    yield Entry(term="Definition", text=f"Version {study.version}, ", code=result.definition.hash[:16])


def _flow(result: AnalysisResult) -> Iterator[Block]:
    study = result.definition.study
    crossover = study.model == "crossover"
    source = " (CONSORT 2010)" if len(study.arms) > 1 else ""
    if crossover:
        source = " (CONSORT 2010, extension to crossover trials, BMJ 2019;366:l4378)"
    yield Drawing(
        svg=draw_flow(result.flow, crossover=crossover),
        title=f"Flow of participants{source}",
        notes=("One person can fail several criteria.",) if result.flow.criteria else (),
        chapter=PARTICIPANTS,
        population=CONSENTED,
    )


def _baseline(result: AnalysisResult) -> Iterator[Block]:
    view = views.baseline_table(result)
    if view is None:
        yield Paragraph(text="There is nobody to describe.")
    else:
        yield Table(view=view, chapter=PARTICIPANTS, population=everybody(result))


def _set_of(result: AnalysisResult, endpoint: EndpointResult) -> str:
    title = next((each.title for each in result.sets if each.id == endpoint.set), endpoint.set)
    return f"{title}, those with a value (n = {whole(endpoint.n)})"


def endpoint_tables(result: AnalysisResult, endpoint: EndpointResult) -> Iterator[Table]:
    """What was seen of an endpoint by group, and where it is estimated, its estimates."""
    sensitivity = [each for each in result.sensitivity if each.id == endpoint.id]
    found = [views.groups_table(endpoint)]
    if endpoint.model != "descriptive" and not result.masked:
        found.append(views.estimates_table(endpoint, sensitivity))
    for view in found:
        yield Table(view=view, chapter=EFFICACY, population=_set_of(result, endpoint))


def _survival(result: AnalysisResult, endpoint: EndpointResult) -> Iterator[Drawing]:
    drawn = draw_survival(result, endpoint)
    if drawn:
        yield Drawing(
            svg=drawn,
            title=f"{endpoint.title}, by Kaplan and Meier; ticks mark those who left without the event",
            chapter=EFFICACY,
            population=_set_of(result, endpoint),
        )


def _primary(result: AnalysisResult) -> Iterator[Block]:
    primary = result.primary
    if primary is None:
        yield Paragraph(text="The definition names no primary endpoint.")
        return
    yield Paragraph(kind="lead", opening=f"{primary.title}.", text=f"{primary.time_frame}.")
    planned = result.definition.analysis.endpoint(primary.id)
    for each in result.definition.analysis.estimands:
        if planned is not None and each.id == planned.estimand:
            yield Entries(kind="estimand", entries=_estimand(each))
            yield Paragraph(kind="note", text="The five attributes of the estimand (ICH E9(R1), A.3).")
    if primary.method:
        yield Paragraph(text=f"Method: {primary.method}.")
    yield from endpoint_tables(result, primary)
    yield from _survival(result, primary)
    yield from (Paragraph(kind="note", text=note) for note in primary.notes)
    if primary.missing:
        people = ", ".join(f"{participant} ({what} not known)" for participant, what in primary.missing)
        yield Paragraph(kind="note", text=f"Not in the analysis although in its set: {people}.")
    for title, chart in draw_comparisons(result)[:1]:
        words = (
            "Subgroups describe; they are not tested, and those with fewer than five participants in a group "
            "have no estimate."
        )
        yield Drawing(
            svg=chart, title=title, notes=(words,), chapter=EFFICACY, population=_set_of(result, primary)
        )


def _estimand(estimand: Estimand) -> tuple[Entry, ...]:
    events = "; ".join(
        f"{each.event}: {STRATEGIES[each.strategy]}" + (f" ({each.text.rstrip('.')})" if each.text else "")
        for each in estimand.intercurrent_events
    )
    return (
        Entry(term="Population", text=estimand.population),
        Entry(term="Treatment", text=estimand.treatment),
        Entry(term="Variable", text=estimand.variable),
        Entry(term="Intercurrent events", text=events or "none named"),
        Entry(term="Summary", text=estimand.summary),
    )


def _results(result: AnalysisResult) -> Iterator[Block]:
    each_its_own = "The analysis set of each endpoint"
    yield Table(view=views.results_table(result), chapter=EFFICACY, population=each_its_own, wide=True)
    for title, chart in draw_comparisons(result)[1:]:
        yield Drawing(svg=chart, title=title, chapter=EFFICACY, population=each_its_own)
    for endpoint in result.endpoints:
        if endpoint is not result.primary:
            yield from _survival(result, endpoint)
    testing = views.testing_table(result)
    if testing is not None:
        yield Table(view=testing, chapter=EFFICACY, population=each_its_own)
    elif result.masked:
        yield Paragraph(text="No hypothesis is tested while the trial is masked.")
    else:
        yield Paragraph(text="The definition asks for no test.")
    methods = tuple(_methods(result))
    if methods:
        yield Subheading(text="Methods")
        yield Entries(entries=methods)


def _further(result: AnalysisResult) -> Iterator[Section]:
    """Every endpoint but the primary one with all its figures, its estimates and sensitivity analyses."""
    blocks = tuple(
        table
        for endpoint in result.endpoints
        if endpoint is not result.primary
        for table in endpoint_tables(result, endpoint)
    )
    if blocks:
        yield Section(id="endpoints", title="Endpoints one by one", blocks=blocks)


def _methods(result: AnalysisResult) -> Iterator[Entry]:
    """Method and notes of every analysis that has something to say beyond the table."""
    for each in (*result.endpoints, *result.sensitivity):
        name = each.title if each.analysis == "main" else f"{each.title} ({each.analysis.replace('_', ' ')})"
        details = [
            f"{label} {p_value(x) if label.endswith(' p') else fixed(x, 2)}" for label, x in each.details
        ]
        notes = (*each.notes, *((", ".join(details) + ".",) if details else ()))
        if each.method and each.model != "descriptive":
            yield Entry(term=name, text=" ".join((f"{each.method}.", *notes)))


def _profiles(result: AnalysisResult) -> Iterator[Block]:
    for each in result.profiles:
        chart = draw_profile(result, each)
        yield Drawing(
            svg=chart,
            title=f"{each.title} with 95% intervals",
            chapter=EFFICACY,
            population=everybody(result),
            instead=f"{each.title}: nothing has been recorded.",
        )
        if chart:
            view = views.profile_table(result, each)
            yield Table(view=view, chapter=EFFICACY, population=everybody(result), wide=True)
    if not result.profiles:
        yield Paragraph(text="The definition asks for none.")


def _safety(result: AnalysisResult) -> Iterator[Block]:
    for each in result.events:
        view = views.event_table(each)
        yield Table(view=view, chapter=EVENTS, population="Everybody who was treated", wide=True)
    if not result.events:
        yield Paragraph(text="The definition has no log of events.")
    serious = views.serious_table(result)
    if serious is not None:
        yield Table(view=serious, chapter=SERIOUS, population=CONSENTED, wide=True, word="Listing")
    elif result.definition.safety:
        yield Paragraph(text="No serious adverse event is recorded.")
    if result.unblindings:
        broken = ", ".join(
            f"{participant} ({kind.replace('_', ' ')})" for participant, kind in result.unblindings
        )
        yield Subheading(text="Codes broken")
        yield Paragraph(text=f"{broken}.")


def _quality(result: AnalysisResult) -> Iterator[Block]:
    yield Table(view=views.sets_table(result), chapter=PARTICIPANTS, population=CONSENTED)
    deviations = views.deviations_table(result)
    if deviations is None:
        yield Paragraph(text="No protocol deviation was found.")
    else:
        yield Table(view=deviations, chapter=PARTICIPANTS, population=everybody(result))
    major = views.deviations_listing(result)
    if major is not None:
        yield Table(view=major, chapter=PARTICIPANTS, population=everybody(result), word="Listing")
    counts = views.counts_table(result)
    if counts is not None:
        yield Table(view=counts, chapter=PARTICIPANTS, population=CONSENTED)


def _assumptions(result: AnalysisResult, findings: Sequence[ReportFinding] | None) -> Iterator[Block]:
    assumed = tuple(
        Entry(term=each.id.replace("_", " ").capitalize(), text=each.text, source=f"{each.source}.")
        for each in result.definition.study.assumptions
    )
    if assumed:
        yield Subheading(text="What the definition takes for granted")
        yield Entries(entries=assumed)
    else:
        yield Paragraph(text="The definition states no assumption.")
    registry = result.definition.registry
    if registry is not None and registry.contradictions:
        yield Subheading(text="Where the public record contradicts itself")
        yield Entries(
            entries=tuple(
                Entry(
                    term=each.topic,
                    text="; ".join(f"“{place}”" for place in each.places)
                    + f". Followed: {each.followed.rstrip('.')}.",
                )
                for each in registry.contradictions
            )
        )
    if findings:
        yield Subheading(text="What was found in the registry record")
        yield Entries(
            entries=tuple(
                Entry(
                    term=each.code,
                    soft=each.severity,
                    text=each.message,
                    places=tuple(
                        f"{place.section}, line {place.line}: “{place.quote}”" for place in each.places
                    ),
                )
                for each in findings
            )
        )


def _amendments(result: AnalysisResult) -> Iterator[Section]:
    """Say what was changed after the trial had begun (CONSORT 2010, items 3b and 6b)."""
    blocks: list[Block] = []
    for each in result.amendments:
        when = f"Recorded {each.recorded_on}, when {whole(each.randomised)} were randomised."
        blocks += [
            Subheading(text=f"Version {each.study_version}: {each.title}"),
            Paragraph(text=when),
            Entries(entries=tuple(_change(change) for change in each.changes)),
        ]
    if blocks:
        yield Section(id="amendments", title="Changes after the trial began", blocks=tuple(blocks))


def _change(change: Change) -> Entry:
    words = {"added": change.after, "removed": change.before, "retired": change.before}
    text = words.get(change.what, f"{change.before} → {change.after}")
    return Entry(term="/".join(change.place), soft=change.what, text=text)


def _origin(result: AnalysisResult) -> Entries:
    study = result.definition.study
    ledger = f"position {whole(result.position)}, recorded {result.recorded_at}, head "
    return Entries(
        entries=(
            Entry(term="Ledger", text=ledger, code=result.head),
            Entry(
                term="Definition",
                text=f"{study.id}, version {study.version}, SHA-256 ",
                code=result.definition.hash,
            ),
            Entry(term="Software", text=f"Equipoise {__version__}"),
            Entry(term="Numbers", text=ROUNDING),
        )
    )
