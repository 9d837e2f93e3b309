"""The flow of participants drawn: enrolment, allocation, a row for each epoch, analysis."""

from __future__ import annotations

from equipoise.analysis.report.numbers import whole
from equipoise.analysis.report.svg import ACCENT, PAPER, TINT, Box, arrow, document, line, rectangle, text
from equipoise.analysis.result import Flow, FlowArm, FlowStage

WIDTH = 1000.0
GUTTER = 118.0
GAP = 24.0
STEP = 26.0


def draw_flow(flow: Flow, *, crossover: bool) -> str:
    """The diagram of CONSORT 2010, or with a row for each period that of its crossover extension."""
    parts: list[str] = []
    inner = WIDTH - GUTTER
    centre = GUTTER + inner * 0.27
    top = Box(lines=(f"Assessed for eligibility {_n(flow.assessed)}",), width=300)
    verb = "Randomised" if flow.is_randomised else "Enrolled"
    middle = Box(lines=(f"{verb} {_n(flow.randomised)}",), width=300)
    out = _excluded(flow, GUTTER + inner - (centre + 190))
    y = 8.0
    parts.append(top.draw(centre - 150, y))
    below = y + top.height
    side = below + 14
    parts.append(out.draw(centre + 190, side))
    parts.append(arrow([(centre, side + 18), (centre + 190, side + 18)]))
    meet = side + max(out.height, 30) + 16
    parts.append(arrow([(centre, below), (centre, meet)]))
    parts.append(middle.draw(centre - 150, meet))
    parts.append(_label("Enrolment", y, meet + middle.height))
    y = meet + middle.height
    columns = len(flow.arms) or 1
    width = (inner - GAP * (columns - 1)) / columns
    lefts = [GUTTER + index * (width + GAP) for index in range(columns)]
    rows = _rows(flow, width, crossover)
    for index, (name, boxes) in enumerate(rows):
        height = max(box.height for box in boxes)
        start = y + (STEP + 12 if index == 0 and columns > 1 else STEP)
        if index == 0 and columns > 1:
            bar = y + 14
            parts.append(line(centre, y, centre, bar))
            parts.append(line(min(centre, lefts[0] + width / 2), bar, lefts[-1] + width / 2, bar))
        for left, box in zip(lefts, boxes, strict=True):
            x = left + width / 2
            above = y + 14 if index == 0 and columns > 1 else y
            first = centre if index == 0 and columns == 1 else x
            parts.append(arrow([(first, above), (first, start)]))
            parts.append(box.draw(left, start, height))
        parts.append(_label(name, start, start + height))
        y = start + height
    return document(WIDTH, y + 8, "Flow of participants", parts)


def _n(count: int) -> str:
    # With spaces that do not break: a number belongs to its n.
    return f"(n\u00a0=\u00a0{whole(count)})"


def _label(name: str, top: float, bottom: float) -> str:
    words = name.split(" ", 1) if len(name) > 13 else [name]
    height = bottom - top
    parts = [rectangle(0, top, GUTTER - 20, height, fill=TINT, stroke=TINT)]
    first = top + height / 2 + 4 - 8 * (len(words) - 1)
    for index, word in enumerate(words):
        parts.append(
            text(
                (GUTTER - 20) / 2,
                first + 16 * index,
                word,
                size=12,
                anchor="middle",
                weight="600",
                fill=ACCENT,
            )
        )
    return "".join(parts)


def _excluded(flow: Flow, width: float) -> Box:
    total = sum(count for _, count in flow.excluded)
    lines = [f"Excluded {_n(total)}"]
    for reason, count in flow.excluded:
        lines.append(f"{reason} {_n(count)}")
        if reason == "Not eligible":
            lines += [f"\t{name} {_shortened(words)} {_n(many)}" for name, words, many in flow.criteria]
    if flow.in_screening:
        lines.append(f"Still in screening {_n(flow.in_screening)}")
    return Box(lines=tuple(lines), width=width, fill=PAPER)


def _shortened(words: str) -> str:
    plain = words.rstrip(".")
    return plain if len(plain) <= 70 else plain[:67].rstrip() + "…"


def _rows(flow: Flow, width: float, crossover: bool) -> list[tuple[str, list[Box]]]:
    rows: list[tuple[str, list[Box]]] = []
    if not flow.arms:
        return rows
    word = "sequence" if crossover else "arm"
    if len(flow.arms) > 1:
        allocated = [
            Box(
                lines=(arm.name, f"Allocated to this {word} {_n(arm.allocated)}"),
                width=width,
                fill=TINT,
            )
            for arm in flow.arms
        ]
        rows.append(("Allocation", allocated))
    for index, stage in enumerate(flow.arms[0].stages):
        rows.append(
            (stage.name.split(",")[0], [_stage_box(arm.stages[index], width, index) for arm in flow.arms])
        )
    rows.append(("Analysis", [_analysis_box(flow, arm, width) for arm in flow.arms]))
    return rows


def _stage_box(stage: FlowStage, width: float, index: int) -> Box:
    title = stage.treatment or stage.name
    lines = [f"{title} {_n(stage.entered)}" if index else title]
    if stage.received is not None:
        lines.append(f"Received it {_n(stage.received)}")
    if stage.not_received:
        lines.append(f"Did not receive it {_n(stage.not_received)}")
    total = sum(count for _, count in stage.ended)
    lines.append(f"Discontinued {_n(total)}" + (":" if total else ""))
    lines += [f"\t{reason} {_n(count)}" for reason, count in stage.ended]
    return Box(lines=tuple(lines), width=width)


def _analysis_box(flow: Flow, arm: FlowArm, width: float) -> Box:
    lines = [f"Analysed {_n(arm.analysed)}"]
    if flow.analysis_set:
        lines.append(flow.analysis_set)
    total = sum(count for _, count in arm.not_analysed)
    lines.append(f"Not analysed {_n(total)}" + (":" if total else ""))
    lines += [f"\t{reason} {_n(count)}" for reason, count in arm.not_analysed]
    return Box(lines=tuple(lines), width=width, fill=TINT)
