"""Tables as the template prints them: captions, heads, rows of text; all formatting happens here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.analysis.deviations import KINDS
from equipoise.analysis.report.charts import group_name
from equipoise.analysis.report.numbers import (
    NONE,
    decimals_for,
    estimate_text,
    figure_text,
    fixed,
    interval,
    p_value,
    percent,
    whole,
)
from equipoise.analysis.result import (
    AnalysisResult,
    BaselineLine,
    EndpointResult,
    EventTable,
    Figure,
    GroupSummary,
    ProfileResult,
    SetResult,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowView:
    """A row: its cells, and its kind: line, heading (one cell across), indent or total."""

    cells: tuple[str, ...]
    kind: str = "line"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableView:
    """A table: `words` is the number of leading columns that hold words and are set to the left."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[RowView, ...]
    words: int = 1
    notes: tuple[str, ...] = ()


STATUS_WORDS = {
    "no_participants": "nobody has a value",
    "one_group": "only one group has values",
    "too_few": "too few values for an estimate",
    "separated": "a group has no event, or only events",
    "no_events": "no event was counted",
    "no_variation": "the outcome is the same for everybody",
    "no_data": "no usable values",
    "not_converged": "the model did not converge",
    "described": "described, not tested",
    "masked": "not compared while masked",
}
ONLY_TESTED = "Only the p-values of the testing procedure below are tests; the others describe."
ROLES = {"primary": "Primary", "secondary": "Secondary", "exploratory": "Exploratory", "safety": "Safety"}


def baseline_table(result: AnalysisResult) -> TableView | None:
    """The baseline table: mean (SD) and median [quartiles], or number (per cent)."""
    if not result.baseline or result.randomised == 0:
        return None
    groups = result.baseline[0].groups
    head = tuple(f"{group.name}\n(n = {whole(group.n + group.missing)})" for group in groups)
    rows: list[RowView] = []
    for line in result.baseline:
        rows += _baseline_rows(line)
    return TableView(
        caption="Baseline characteristics of everybody "
        + ("randomised" if result.definition.study.randomised else "enrolled"),
        head=("", *head),
        rows=tuple(rows),
        notes=("Differences at baseline are due to chance and are not tested (CONSORT 2010, item 15).",)
        if len(groups) > 1
        else (),
    )


def _baseline_rows(line: BaselineLine) -> list[RowView]:
    unit = f", {line.unit}" if line.unit else ""
    missing = [whole(group.missing) if group.missing else NONE for group in line.groups]
    rows: list[RowView] = []
    if line.type == "category":
        rows.append(RowView(cells=(line.title,), kind="heading"))
        names = [figure.name for figure in line.groups[0].figures]
        for name in names:
            figures = [(group.figure(name), group.n) for group in line.groups]
            cells = (
                f"{whole(figure.value)} ({percent(figure.value or 0, n)})" if figure else NONE
                for figure, n in figures
            )
            rows.append(RowView(cells=(name, *cells), kind="indent"))
    else:
        rows.append(RowView(cells=(f"{line.title}{unit}",), kind="heading"))
        decimals = decimals_for(
            each for group in line.groups for figure in group.figures for each in (figure.value, figure.high)
        )
        rows.append(_line("Mean (SD)", line.groups, lambda group: _mean_sd(group, decimals)))
        rows.append(_line("Median [quartiles]", line.groups, lambda group: _median(group, decimals)))
    if any(group.missing for group in line.groups):
        rows.append(RowView(cells=("Missing", *missing), kind="indent"))
    return rows


def _line(label: str, groups: Sequence[GroupSummary], show) -> RowView:  # type: ignore[no-untyped-def]
    return RowView(cells=(label, *(show(group) for group in groups)), kind="indent")


def _mean_sd(group: GroupSummary, decimals: int) -> str:
    mean, sd = group.figure("Mean"), group.figure("SD")
    if mean is None or mean.value is None:
        return NONE
    return f"{fixed(mean.value, decimals)} ({fixed(sd.value if sd else None, decimals)})"


def _median(group: GroupSummary, decimals: int) -> str:
    median = group.figure("Median")
    if median is None or median.value is None:
        return NONE
    quartiles = f"{fixed(median.low, decimals)}, {fixed(median.high, decimals)}"
    return f"{fixed(median.value, decimals)} [{quartiles}]"


def groups_table(endpoint: EndpointResult) -> TableView:
    """All figures of one endpoint by group."""
    names = list(dict.fromkeys(figure.name for group in endpoint.groups for figure in group.figures))
    rows = [
        RowView(cells=("Participants with a value", *(whole(group.n) for group in endpoint.groups))),
        RowView(cells=("Value not known", *(whole(group.missing) for group in endpoint.groups))),
    ]
    for name in names:
        figures = [group.figure(name) for group in endpoint.groups]
        decimals = _common_decimals([x for x in figures if x])
        cells = (figure_text(x, decimals) if x else NONE for x in figures)
        rows.append(RowView(cells=(_figure_label(name), *cells)))
    return TableView(
        caption=f"{endpoint.title}: what was seen",
        head=("", *(group.name for group in endpoint.groups)),
        rows=tuple(rows),
    )


def _common_decimals(figures: Sequence[Figure]) -> int:
    """The decimals of a line: none where all its numbers are whole, so that a range of counts reads as
    counts.
    """
    values = [x for each in figures for x in (each.value, each.low, each.high) if x is not None]
    return 0 if all(x.is_integer() for x in values) else decimals_for(values)


def _figure_label(name: str) -> str:
    if name == "Median" or name.startswith("Median of"):
        return f"{name} (quartiles)"
    return name


def estimates_table(endpoint: EndpointResult, sensitivity: Sequence[EndpointResult]) -> TableView:
    """The estimates of an endpoint: main, further, then the sensitivity analyses."""
    rows = []
    for each in (endpoint, *sensitivity):
        name = (
            "Main analysis" if each.analysis == "main" else f"Sensitivity: {each.analysis.replace('_', ' ')}"
        )
        for estimate in (*each.estimates, *each.further):
            several = len(each.estimates) > 1 or each.further
            label = f"{name}. {estimate.label}" if several else name
            cells = (label, estimate.measure, whole(each.n), estimate_text(estimate), p_value(estimate.p))
            rows.append(RowView(cells=cells))
        if not each.estimates and not each.further:
            words = STATUS_WORDS.get(each.status, each.status)
            rows.append(RowView(cells=(name, words, whole(each.n), NONE, NONE)))
        if each.joint_p is not None:
            cells = (
                f"{name}. All comparisons together",
                "Joint test",
                whole(each.n),
                NONE,
                p_value(each.joint_p),
            )
            rows.append(RowView(cells=cells))
    level = fixed(100 * endpoint.confidence, 0)
    return TableView(
        caption=f"{endpoint.title}: estimates",
        head=("Analysis", "Measure", "n", f"Estimate ({level}% interval)", "p"),
        rows=tuple(rows),
        words=2,
    )


def results_table(result: AnalysisResult) -> TableView:
    """One line for each endpoint and comparison, by role."""
    titles = {each.id: each.title for each in result.sets}
    rows: list[RowView] = []
    for role, words in ROLES.items():
        mine = [each for each in result.endpoints if each.role == role]
        if mine:
            rows.append(RowView(cells=(words,), kind="heading"))
        for each in mine:
            first = (each.title, short_summary(each))
            n = whole(each.n)
            if not each.estimates:
                words = STATUS_WORDS.get(each.status, each.status)
                rows.append(RowView(cells=(*first, words[0].upper() + words[1:], n, NONE, NONE)))
            for index, estimate in enumerate(each.estimates):
                several = len(each.estimates) > 1
                measure = f"{estimate.measure}: {estimate.label}" if several else estimate.measure
                opening = first if index == 0 else ("", "")
                rows.append(
                    RowView(cells=(*opening, measure, n, estimate_text(estimate), p_value(estimate.p)))
                )
    used = ", ".join(
        titles[each] for each in dict.fromkeys(each.set for each in result.endpoints) if each in titles
    )
    return TableView(
        caption="Endpoints by role, as analysed",
        head=("Endpoint", "Seen, by group", "Measure", "n", "Estimate (interval)", "p"),
        rows=tuple(rows),
        words=3,
        notes=(f"Analysis sets: {used}." + (f" {ONLY_TESTED}" if result.testing else ""),),
    )


def short_summary(endpoint: EndpointResult) -> str:
    """The one figure of each group that says most, by type."""
    parts = []
    for group in endpoint.groups:
        if group.n == 0:
            parts.append(f"{group.name}: {NONE}")
            continue
        parts.append(f"{group.name}: {_short(endpoint, group)}")
    return "\n".join(parts)


def _short(endpoint: EndpointResult, group: GroupSummary) -> str:
    some = group.figure("Participants with the event")
    if some is not None:
        share = percent(some.value or 0, group.n)
        return f"{whole(some.value)} of {whole(group.n)}" + (
            f" ({share})" if endpoint.type == "binary" else ""
        )
    rate, other = group.figure("Rate"), group.figure("Rate in the other period")
    if rate is not None:
        tail = "" if other is None else f" against {fixed(other.value, 2)}"
        return f"rate {fixed(rate.value, 2)}{tail}"
    events = group.figure("Events")
    if events is not None:
        people = group.figure("Participants with one or more")
        return (
            f"{whole(events.value)} in {whole(people.value)} of {whole(group.n)}"
            if people
            else whole(events.value)
        )
    means = [x for x in group.figures if x.name.lower().endswith("mean") or x.name.startswith("Mean")]
    spreads = [x for x in group.figures if x.name.endswith("SD")]
    if not means:
        return NONE
    decimals = decimals_for((means[-1].value,))
    spread = fixed(spreads[-1].value if spreads else None, decimals)
    return f"{fixed(means[-1].value, decimals)} (SD {spread})"


def testing_table(result: AnalysisResult) -> TableView | None:
    """The testing procedure as it was executed."""
    if not result.testing:
        return None
    rows = []
    for number, each in enumerate(result.testing, start=1):
        outcome = "rejected" if each.rejected else "not rejected" if each.tested else "not tested"
        if each.p is None:
            outcome = "not tested: no p-value"
        cells = (
            f"{number}. {each.title}",
            outcome,
            p_value(each.p),
            NONE if each.local_alpha is None else fixed(each.local_alpha, 4).rstrip("0"),
            p_value(each.adjusted),
        )
        rows.append(RowView(cells=cells))
    names = {"fixed_sequence": "Fixed sequence", "holm": "Holm", "hochberg": "Hochberg"}
    procedure = result.definition.analysis.testing
    title = f"Testing procedure: {names[procedure.method]}, two-sided α = {procedure.alpha}"
    notes = [procedure.text] if procedure.text else []
    if any(not each.tested and each.p is not None for each in result.testing):
        notes.append("A hypothesis that the procedure did not reach is not tested, whatever its p-value.")
    if any(len(endpoint.estimates) > 1 for endpoint in result.endpoints if endpoint.p is not None):
        notes.append(
            "The hypothesis of an endpoint with several comparisons is that all are null; its p is that of "
            "the joint test, or by Bonferroni where there is none."
        )
    return TableView(
        caption=title,
        head=("Hypothesis of no effect", "Outcome", "p", "Level used", "Adjusted p"),
        rows=tuple(rows),
        words=2,
        notes=tuple(notes),
    )


def event_table(table: EventTable) -> TableView:
    """Events and participants with an event, with the share of those at risk."""
    head = ("", *(f"{name}\n(n = {whole(n)})" for name, n in zip(table.columns, table.at_risk, strict=True)))
    rows = []
    inside = False
    for row in table.rows:
        if not row.cells:
            rows.append(RowView(cells=(row.label,), kind="heading"))
            inside = True
            continue
        cells = tuple(
            f"{whole(events)} in {whole(people)} ({percent(people, n)})" if events else "0"
            for (events, people), n in zip(row.cells, table.at_risk, strict=True)
        )
        rows.append(RowView(cells=(row.label, *cells), kind="indent" if inside else "line"))
    return TableView(
        caption=table.title,
        head=head,
        rows=tuple(rows),
        notes=("Events in participants with one or more (per cent of those in the column).",),
    )


def serious_table(result: AnalysisResult) -> TableView | None:
    """The listing of serious adverse events."""
    if not result.serious:
        return None
    unmasked = not result.masked
    head = ("Participant", "Event", "Began", "Epoch", "Severity", "Causality", "Outcome")
    rows = tuple(
        RowView(
            cells=(
                each.participant,
                *((each.group or NONE,) if unmasked else ()),
                each.term,
                each.onset,
                (each.epoch or NONE) + (f": {each.in_force}" if each.in_force else ""),
                each.severity,
                each.causality,
                each.outcome,
            )
        )
        for each in result.serious
    )
    full = (head[0], "Group", *head[1:]) if unmasked else head
    return TableView(
        caption="Serious adverse events of all participants", head=full, rows=rows, words=len(full)
    )


def deviations_table(result: AnalysisResult) -> TableView | None:
    """How many deviations of each kind, and in how many participants."""
    if not result.deviations:
        return None
    rows = []
    for kind, words in KINDS.items():
        mine = [each for each in result.deviations if each.kind == kind]
        if mine:
            people = len({each.participant for each in mine})
            rows.append(RowView(cells=(words, mine[0].severity, whole(len(mine)), whole(people))))
    return TableView(
        caption="Protocol deviations, derived from the data by rule",
        head=("Deviation", "Severity", "Number", "Participants"),
        rows=tuple(rows),
        words=2,
    )


def deviations_listing(result: AnalysisResult) -> TableView | None:
    """Every major deviation."""
    major = [each for each in result.deviations if each.severity == "major"]
    if not major:
        return None
    rows = tuple(
        RowView(cells=(each.participant, each.text, "" if each.on is None else each.on.isoformat()))
        for each in major
    )
    return TableView(caption="Major deviations", head=("Participant", "Deviation", "Day"), rows=rows, words=3)


def sets_table(result: AnalysisResult) -> TableView:
    """The analysis sets with the number left out for each reason."""
    rows: list[RowView] = []
    for each in result.sets:
        rows.append(RowView(cells=(each.title, whole(len(each.members))), kind="total"))
        rows += [RowView(cells=(reason, whole(count)), kind="indent") for reason, count in _reasons(each)]
    return TableView(
        caption="Analysis sets, of everybody who consented",
        head=("Set, and why others are not in it", "Participants"),
        rows=tuple(rows),
        notes=("Who fails several conditions of a set is counted under the first of them.",),
    )


def _reasons(each: SetResult) -> list[tuple[str, int]]:
    counts = Counter(reason for _, reason in each.excluded)
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def profile_table(result: AnalysisResult, profile: ProfileResult) -> TableView:
    """The numbers behind a profile's figure."""
    encounters = list(dict.fromkeys((point.encounter, point.name) for point in profile.points))
    decimals = decimals_for(point.high for point in profile.points)
    rows = []
    for arm in dict.fromkeys(point.arm for point in profile.points):
        mine = {point.encounter: point for point in profile.points if point.arm == arm}
        cells = []
        for encounter, _ in encounters:
            point = mine[encounter]
            if point.value is None:
                cells.append(NONE)
                continue
            bounds = interval(point.low, point.high, decimals)
            value = fixed(point.value, decimals) + (f" ({bounds})" if bounds != NONE else "")
            cells.append(f"{value}\nn = {whole(point.n)}")
        rows.append(RowView(cells=(group_name(result, arm), *cells)))
    words = {"mean": "mean", "median": "median", "percent": "per cent"}[profile.summary]
    return TableView(
        caption=f"{profile.title}: {words} with 95% interval",
        head=("", *(name.split(",")[0] for _, name in encounters)),
        rows=tuple(rows),
    )


def counts_table(result: AnalysisResult) -> TableView | None:
    """Tallies of the conduct: queries, corrections, readings."""
    rows = [
        RowView(cells=(name[0].upper() + name[1:], whole(value))) for name, value in result.counts.items()
    ]
    rows += [
        RowView(cells=(f"Lots that failed: {cause or 'no cause given'}", whole(n)))
        for cause, n in result.failed_lots
    ]
    return TableView(caption="Conduct in numbers", head=("", "Number"), rows=tuple(rows)) if rows else None
