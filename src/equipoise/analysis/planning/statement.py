"""The determination in the words of a protocol: a paragraph and a table that can be pasted into one."""

from __future__ import annotations

from collections.abc import Iterator

from equipoise.analysis.planning.determine import ATTRITION, Determination, attrition_of
from equipoise.analysis.report.numbers import NONE, fixed, whole
from equipoise.analysis.report.views import RowView, TableView
from equipoise.definition.model.sample_size import InterimAnalyses, SampleSize
from equipoise.definition.synopsis_sample_size import Label, basis_of, boundaries_words, labels_of, method_of
from equipoise.definition.synopsis_words import first_up, joined
from equipoise.statistics.planning import whole_above


def percent_of(share: float, decimals: int = 1) -> str:
    """A share in per cent, without decimals that say nothing."""
    text = fixed(100 * share, decimals)
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}%"


def number_text(value: float) -> str:
    """An assumed number with the digits that it was written with, up to six."""
    return f"{value:.6g}".replace("-", "\N{MINUS SIGN}")


def level_words(plan: SampleSize) -> str:
    """The level, as in 'a two-sided level of 5%'."""
    return f"a {'two' if plan.sides == 2 else 'one'}-sided level of {percent_of(float(plan.alpha), 2)}"


def paragraph(found: Determination) -> str:
    """The determination as one paragraph: test, level, power, assumptions, numbers (ICH E9 3.5)."""
    return " ".join(_sentences(found))


def _sentences(found: Determination) -> Iterator[str]:
    plan, needed = found.plan, found.needed
    test, source = method_of(plan)
    yield (
        f"The sample size is determined for the {found.endpoint.role} endpoint “{found.endpoint.title}”, "
        f"{found.treated.label} against {found.reference.label} (reference), by {test} at "
        f"{level_words(plan)}, for a power of {percent_of(float(plan.power))} ({source})."
    )
    labels = labels_of(plan)
    numbers = (
        f"{_lowered(labels[name].title)} {number_text(float(number.value))} {labels[name].unit}".strip()
        for name, number in plan.assumptions.items()
    )
    yield f"It assumes: {'; '.join(numbers)}."
    if plan.interim is not None:
        yield _interim_sentence(plan.interim, needed.inflation)
    n1, n2 = whole(needed.n1), whole(needed.n2)
    each = f"{n1} participants in each group" if n1 == n2 else f"{n1} and {n2} participants (reference first)"
    events = "" if needed.events is None else f", with {whole(needed.events)} events in all,"
    yield f"Then {each}{events} must be analysed, which gives a power of {percent_of(needed.power)}."
    lost = attrition_of(plan)
    attrition = f"With {percent_of(lost)} of whom nothing can be analysed, " if lost else ""
    to_arms = joined(f"{whole(found.arms[arm.id])} to {arm.label}" for arm in found.definition.study.arms)
    yield first_up(f"{attrition}{whole(found.total)} participants are to be randomised: {to_arms}.")
    planned = found.definition.study.planned_enrolment
    if planned != found.total:
        yield (
            f"The planned enrolment is {whole(planned)}, with which the power is "
            f"{percent_of(found.power_as_planned)}."
        )


def _lowered(label: str) -> str:
    return label[0].lower() + label[1:]


def _interim_sentence(interim: InterimAnalyses, inflation: float) -> str:
    early = interim.information[:-1]
    times = "once" if len(early) == 1 else f"{len(early)} times"
    shares = joined(percent_of(float(share)) for share in early)
    return (
        f"The endpoint is analysed {times} before the end, at {shares} of the information, with "
        f"{boundaries_words(interim)}, which raises the size by {percent_of(inflation - 1)}."
    )


def protocol_table(found: Determination) -> TableView:
    """The determination as a table: what was asked, what is assumed with its basis, and what follows."""
    plan, needed = found.plan, found.needed
    test, source = method_of(plan)
    rows = [
        RowView(cells=("Question",), kind="heading"),
        RowView(cells=("Endpoint", found.endpoint.title, first_up(found.endpoint.role))),
        RowView(
            cells=(
                "Comparison",
                f"{found.treated.label} against {found.reference.label}",
                "The second is the reference",
            )
        ),
        RowView(cells=("Test", first_up(test), first_up(source))),
        RowView(
            cells=("Level", percent_of(float(plan.alpha), 2), "Two-sided" if plan.sides == 2 else "One-sided")
        ),
        RowView(cells=("Power", percent_of(float(plan.power)), "")),
        RowView(cells=("Assumptions",), kind="heading"),
    ]
    labels = labels_of(plan)
    rows += [
        RowView(cells=(labels[name].words, number_text(float(number.value)), first_up(basis_of(number))))
        for name, number in plan.assumptions.items()
    ]
    if plan.attrition is not None:
        share = percent_of(attrition_of(plan))
        rows.append(RowView(cells=("Attrition", share, first_up(basis_of(plan.attrition)))))
    rows.append(RowView(cells=("Participants",), kind="heading"))
    pairs = ((found.reference, needed.n1), (found.treated, needed.n2))
    rows += [RowView(cells=(f"Analysed: {arm.label}", whole(n), "")) for arm, n in pairs]
    rows += [
        RowView(cells=(f"Randomised: {arm.label}", whole(found.arms[arm.id]), ""))
        for arm in found.definition.study.arms
    ]
    rows.append(RowView(cells=("Randomised in all", whole(found.total), ""), kind="total"))
    if needed.information is not None:
        rows.append(
            RowView(cells=("Information of the log ratio at the end", fixed(needed.information, 2), ""))
        )
    if needed.events is not None:
        rows.append(RowView(cells=("Events at the end", whole(needed.events), "Both groups together")))
    planned = found.definition.study.planned_enrolment
    power = f"Power {percent_of(found.power_as_planned)}"
    rows.append(RowView(cells=("Planned enrolment", whole(planned), power)))
    return TableView(
        caption="Sample size determination",
        head=("Quantity", "Value", "Basis or note"),
        rows=tuple(rows),
        words=3,
    )


def interim_table(found: Determination) -> TableView | None:
    """The analyses with their boundaries; None where the trial is analysed once."""
    bounds, question, needed = found.question.bounds, found.question, found.needed
    if bounds is None:
        return None
    groups = (needed.n1, needed.n2)
    null = question.varied(**{found.effect: question.null})
    # Information grows with the events where there are any, else with the participants.
    unit, most = ("events", needed.events) if needed.events else ("participants", sum(groups))
    measured, looks = needed.information is not None, len(bounds.information)
    rows = tuple(
        RowView(
            cells=(
                f"{number}",
                percent_of(share),
                whole(whole_above(share * most)),
                *((fixed(share * (needed.information or 0.0), 2),) if measured else ()),
                fixed(critical, 3),
                *((fixed(lower, 3) if number < looks else NONE,) if bounds.lower else ()),
                f"{nominal:.2g}",
                fixed(spent, 4),
                f"{fixed(100 * power, 1)}%",
            )
        )
        for number, (share, critical, lower, nominal, spent, power) in enumerate(
            zip(
                bounds.information,
                bounds.critical,
                bounds.lower or bounds.critical,
                bounds.nominal_p,
                bounds.spent,
                question.stops(*groups),
                strict=True,
            ),
            start=1,
        )
    )
    expected, without = (whole(each.expected_share(*groups) * most) for each in (question, null))
    notes = (
        f"Of all who can be analysed. When the trial ends, {expected} {unit} are expected with the assumed "
        f"effect, {without} without any. Without an effect, {percent_of(null.stops(*groups)[-1], 2)} of "
        "trials reject in the direction that was assumed.",
    )
    head = (
        "Analysis",
        "Information",
        first_up(unit),
        *(("Information of the log ratio",) if measured else ()),
        "Boundary of Z" + (" (absolute)" if bounds.sides == 2 else ""),
        *(("Futile below",) if bounds.lower else ()),
        "Nominal p",
        "Alpha spent",
        "Power so far",
    )
    return TableView(caption="Analyses and boundaries", head=head, rows=rows, notes=notes)


def deviations_table(found: Determination) -> TableView | None:
    """What each deviation from an assumption would mean; None where none is considered."""
    if not found.deviations:
        return None
    labels = {**labels_of(found.plan), ATTRITION: Label("Attrition")}
    rows: list[RowView] = []
    assumed = {each.name: number_text(each.assumed) for each in found.deviations}
    for name, value in assumed.items():
        rows.append(RowView(cells=(f"{labels[name].words}: assumed {value}",), kind="heading"))
        rows += [
            RowView(
                cells=(number_text(each.value), whole(each.participants), f"{fixed(100 * each.power, 1)}%"),
                kind="indent",
            )
            for each in found.deviations
            if each.name == name
        ]
    size = whole(found.needed.n1 + found.needed.n2)
    return TableView(
        caption="Deviations from one assumption at a time",
        head=(
            "If it is",
            f"To be randomised for a power of {percent_of(float(found.plan.power))}",
            f"Power with {size} analysed",
        ),
        rows=tuple(rows),
    )
