"""The design report rendered: one self-contained HTML file, the same bytes for the same input."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from equipoise import __version__
from equipoise.analysis.planning import figures, statement
from equipoise.analysis.planning.determine import Determination
from equipoise.analysis.planning.recruiting import LEVEL, TRIALS, Recruitment
from equipoise.analysis.planning.truths import TESTS, Share, Truth
from equipoise.analysis.report.numbers import NONE, fixed, whole
from equipoise.analysis.report.views import RowView, TableView
from equipoise.definition.synopsis_sample_size import labels_of

_HERE = Path(__file__).parent
_CSS_AND_TABLES = _HERE.parent / "report"


def render_design(
    found: Determination,
    *,
    truths: Sequence[Truth] = (),
    seed: int = 1,
    recruitment: Recruitment | None = None,
) -> str:
    """Render a determination with its figures; `truths` are simulated ones, `seed` is theirs."""
    environment = Environment(
        loader=FileSystemLoader([_HERE, _CSS_AND_TABLES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    study = found.definition.study
    power = figures.power_to_draw(found)
    return environment.get_template("design.html").render(
        found=found,
        study=study,
        title=study.acronym or study.title,
        paragraph=statement.paragraph(found),
        protocol=statement.protocol_table(found),
        attained=statement.percent_of(found.needed.power),
        planned_power=statement.percent_of(found.power_as_planned),
        by_size=Markup(figures.draw_power_by_size(found, power)),
        by_effect=Markup(figures.draw_power_by_effect(found, power)),
        by_both=Markup(figures.draw_power_map(found, power)),
        deviations=statement.deviations_table(found),
        nuisance=labels_of(found.plan)[found.nuisance].title.split(" (")[0].lower(),
        boundaries=Markup(figures.draw_boundaries(found)),
        interim=statement.interim_table(found),
        recruitment=recruitment,
        recruited=None if recruitment is None else _recruited(found, recruitment),
        recruitment_figure=None if recruitment is None else Markup(_draw(recruitment)),
        truths=truths,
        rejections=Markup(figures.draw_rejections(found, truths)) if truths else None,
        operating=operating_table(found, truths) if truths else None,
        simulated=found.plan.kind == "counts",
        seed=seed,
        version=__version__,
        whole=whole,
    )


def operating_table(found: Determination, truths: Sequence[Truth]) -> TableView:
    """What was simulated: rejections by test, bias, coverage, fits without an estimate, by truth."""
    interim = found.question.bounds is not None
    rows: list[RowView] = []
    for ratio in dict.fromkeys(each.ratio for each in truths):
        mark = " (no effect: type I error)" if ratio == 1 else ""
        rows.append(RowView(cells=(f"Rate ratio {statement.number_text(ratio)}{mark}",), kind="heading"))
        for each in truths:
            if each.ratio != ratio:
                continue
            cells = (
                statement.number_text(each.dispersion),
                *(_share(each.rejected[test]) for test in TESTS),
                NONE if each.bias is None else f"{fixed(each.bias, 3)}\n± {fixed(each.bias_error, 3)}",
                _share(each.coverage),
                statement.percent_of(each.without_estimate / each.trials, 2),
                *((fixed(each.expected["wald"], 1),) if interim else ()),
            )
            rows.append(RowView(cells=cells, kind="indent"))
    return TableView(
        caption="Per cent of simulated trials that reject, and what the estimate is worth",
        head=(
            "Dispersion",
            *TESTS.values(),
            "Bias of the log ratio",
            "Coverage of the Wald interval",
            "No finite estimate",
            *(("Mean participants, Wald test",) if interim else ()),
        ),
        rows=tuple(rows),
    )


def _share(share: Share | None) -> str:
    if share is None:
        return NONE
    return f"{fixed(100 * share.value, 2)}\n± {fixed(100 * share.error, 2)}"


def _recruited(found: Determination, recruitment: Recruitment) -> TableView:
    forecast = recruitment.forecast
    low, high = (1 - LEVEL) / 2, (1 + LEVEL) / 2
    rows = [
        RowView(cells=("Median", fixed(forecast.quantile(0.5), 1))),
        RowView(
            cells=(
                f"{statement.percent_of(LEVEL)} of trials",
                f"{fixed(forecast.quantile(low), 1)} to {fixed(forecast.quantile(high), 1)}",
            )
        ),
    ]
    if recruitment.by is not None:
        chance, error = forecast.probability_by(recruitment.by)
        words = f"{fixed(100 * chance, 1)}% (Monte Carlo standard error {fixed(100 * error, 1)})"
        rows.append(RowView(cells=(f"Done by month {statement.number_text(recruitment.by)}", words)))
    sites = len(found.definition.study.sites)
    note = (
        f"{whole(TRIALS)} simulated recruitments at {sites} sites, whose rates are drawn from a gamma "
        "distribution (Anisimov and Fedorov, Stat Med 2007;26:4958)."
    )
    caption = f"Until {whole(recruitment.target)} participants are randomised"
    return TableView(caption=caption, head=("", "Months"), rows=tuple(rows), words=2, notes=(note,))


def _draw(recruitment: Recruitment) -> str:
    return figures.draw_recruitment(recruitment.forecast, recruitment.target, recruitment.by)
