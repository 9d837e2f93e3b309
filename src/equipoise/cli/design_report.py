"""`equipoise design STUDY`: the sample size of a study definition, and the report about it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from equipoise.cli.console import clear_errors, say, write
from equipoise.cli.designing import Family, Json, plan_futility, plan_looks
from equipoise.cli.simulating import (
    INTERRUPTED,
    Address,
    BackendOption,
    Jobs,
    Line,
    Means,
    Question,
    Threads,
    lines_of,
    read_kept,
    simulate,
)
from equipoise.cli.studies import StudyArgument, load_definition

if TYPE_CHECKING:
    from equipoise.analysis.planning.determine import Determination
    from equipoise.analysis.planning.recruiting import Recruitment
    from equipoise.definition.document import Document
    from equipoise.definition.model.sample_size import InterimAnalyses

REPORT = "report"
_TRIALS = 20_000


class StudyOrCommand(TyperGroup):
    """A group of commands of which one is meant where the first word is no command: the report of a study."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Take `design STUDY` for `design report STUDY`, and what looks like a command for a misspelt one."""
        word = args[0]
        if word not in self.commands and (Path(word).exists() or not get_close_matches(word, self.commands)):
            args = [REPORT, *args]
        return super().resolve_command(ctx, args)


def report(
    study: StudyArgument,
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the report to this file, with simulated trials.")
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option("--trials", help=f"Simulated trials under each truth; with --out {_TRIALS}, else none."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the simulations.")] = 1,
    threads: Threads = 1,
    backend: BackendOption = "local",
    jobs: Jobs = None,
    address: Address = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what an interrupted run has left beside --out.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Print the sample size of a study for its protocol, or write the report: `design STUDY` for short."""
    from equipoise.analysis.planning.determine import determine
    from equipoise.analysis.planning.recruiting import forecast_for
    from equipoise.statistics.arguments import check_whole

    with clear_errors():
        found = determine(load_definition(study))
        number = check_whole("trials", (_TRIALS if out else 0) if trials is None else trials, 0)
        means = Means(threads=threads, backend=backend, jobs=jobs, address=address)
        lines = _simulated(_asked(found, number, seed), means, out, resume)
        recruitment = forecast_for(found.definition, seed=seed)
        if out is not None:
            _write_report(found, lines, seed, recruitment, out)
        if as_json:
            write(json.dumps(_as_json(found, lines, recruitment), ensure_ascii=False))
        elif out is not None:
            say(f"written: {out}")
        else:
            from equipoise.definition.document import to_markdown

            write(to_markdown(_document(found)))


def _write_report(
    found: Determination,
    lines: Sequence[Mapping[str, Any]],
    seed: int,
    recruitment: Recruitment | None,
    out: Path,
) -> None:
    from equipoise.analysis.planning.render import render_design
    from equipoise.analysis.planning.truths import read_truths
    from equipoise.exchange.made import write_file

    text = render_design(found, truths=read_truths(lines), seed=seed, recruitment=recruitment)
    write_file(text.encode(), out)
    _part_of(out).unlink(missing_ok=True)


# -- simulated trials, and what is kept of them when they are interrupted


def _asked(found: Determination, trials: int, seed: int) -> list[Question]:
    from equipoise.analysis.planning.truths import TESTS, truths_of

    plan = found.plan
    how: dict[str, Any] = {
        "alpha": float(plan.alpha),
        "sides": plan.sides,
        "direction": "fewer" if found.question.values[found.effect] < found.question.null else "more",
        "tests": list(TESTS),
        "trials": trials,
        "seed": seed,
    }
    if plan.interim is not None:
        how["bounds"] = _plan_of(plan.interim, 1 - float(plan.power))
    return [{**truth, **how} for truth in truths_of(found)] if trials else []


def _plan_of(interim: InterimAnalyses, beta: float) -> dict[str, Any]:
    """Return interim analyses as those of `design operating` are, in JSON."""
    rule = interim.futility
    return plan_looks(
        Family(interim.family),
        [float(share) for share in interim.information],
        interim.gamma,
        interim.delta,
        None if rule is None else plan_futility(Family(rule.family), beta, rule.gamma, rule.binding),
    )


def _simulated(asked: Sequence[Question], means: Means, out: Path | None, resume: bool) -> list[Line]:
    """Return a line for each truth; until the report is written they are kept beside it."""
    kept = None if out is None else _part_of(out)
    lines = read_kept(kept, resume, asked)
    if not simulate(asked, means, lines, kept, out):
        raise typer.Exit(INTERRUPTED)
    return lines_of(asked, lines)


def _part_of(out: Path) -> Path:
    return out.with_name(f"{out.name}.part")


# -- what is printed


def _document(found: Determination) -> Document:
    """Return the paragraph and the tables, to be pasted into a protocol."""
    from equipoise.analysis.planning import statement
    from equipoise.definition.document import Block, Document, Section, Table, Words

    tables = (
        statement.protocol_table(found),
        statement.deviations_table(found),
        statement.interim_table(found),
    )
    sections = [Section("Sample size", (Words(statement.paragraph(found)),))]
    for table in tables:
        if table is not None:
            empty = ("",) * len(table.head)
            rows = tuple((*row.cells, *empty)[: len(table.head)] for row in table.rows)
            blocks: tuple[Block, ...] = (Table(table.head, rows), *map(Words, table.notes))
            sections.append(Section(table.caption, blocks))
    study = found.definition.study
    return Document(
        title=study.acronym or study.title,
        subtitle="",
        language=study.language,
        sections=tuple(sections),
        footer=f"Protocol version {study.version}. Study definition {found.definition.hash}.",
    )


def _as_json(
    found: Determination, lines: Sequence[Mapping[str, Any]], recruitment: Recruitment | None
) -> dict[str, Any]:
    plan, needed, bounds = found.plan, found.needed, found.question.bounds
    result: dict[str, Any] = {
        "study": found.definition.study.id,
        "definition": found.definition.hash,
        "endpoint": plan.endpoint,
        "reference": found.reference.id,
        "treated": found.treated.id,
        "alpha": float(plan.alpha),
        "sides": plan.sides,
        "power": float(plan.power),
        "assumed": dict(found.question.values),
        "n1": needed.n1,
        "n2": needed.n2,
        "attained": needed.power,
        "inflation": needed.inflation,
        "information": needed.information,
        "events": needed.events,
        "arms": found.arms,
        "total": found.total,
        "planned": found.definition.study.planned_enrolment,
        "power_as_planned": found.power_as_planned,
        "deviations": [asdict(each) for each in found.deviations],
        "operating": list(lines),
    }
    if bounds is not None:
        result["interim"] = {
            "family": bounds.family,
            "information": list(bounds.information),
            "bounds": list(bounds.critical),
            "nominal_p": list(bounds.nominal_p),
            "alpha_spent": list(bounds.spent),
            **({} if bounds.lower is None else {"futility_bounds": list(bounds.lower)}),
        }
    if recruitment is not None:
        forecast = recruitment.forecast
        low, high = (1 - forecast.level) / 2, (1 + forecast.level) / 2
        result["recruitment"] = {
            "target": recruitment.target,
            "median": forecast.quantile(0.5),
            "low": forecast.quantile(low),
            "high": forecast.quantile(high),
            "done_by": None if recruitment.by is None else forecast.probability_by(recruitment.by)[0],
        }
    return result
