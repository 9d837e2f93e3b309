"""`equipoise design`: how many participants, with what power, at which boundaries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from equipoise.cli.console import clear_errors, fail, say, write
from equipoise.cli.studies import load_definition

if TYPE_CHECKING:
    from equipoise.statistics.boundaries import Boundaries

designs = typer.Typer(
    help="Answer how many participants a design needs, and what it can tell, from its assumptions: "
    "`design STUDY` from those of a study.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


class Variance(StrEnum):
    """The variance under the null hypothesis: Zhu and Lakkis's methods 1, 2 and 3."""

    NULL = "null"
    ALTERNATIVE = "alternative"
    POOLED = "pooled"


class Family(StrEnum):
    """Families of group-sequential boundaries."""

    OF = "OF"
    P = "P"
    WT = "WT"
    AS_OF = "asOF"
    AS_P = "asP"
    AS_HSD = "asHSD"
    AS_KD = "asKD"


Rate0 = Annotated[
    float,
    typer.Option("--rate0", help="Events per participant and unit of exposure in group 1, the reference."),
]
Ratio = Annotated[float, typer.Option("--ratio", help="Rate of group 2 over the rate of group 1.")]
Dispersion = Annotated[float, typer.Option("--dispersion", help="k of the variance mu + k mu^2.")]
ExposureOption = Annotated[
    float, typer.Option("--exposure", help="Exposure of each participant, in the unit of the rate.")
]
Alpha = Annotated[
    float, typer.Option("--alpha", help="The level, of both sides together where there are two.")
]
Sides = Annotated[int, typer.Option("--sides", help="1 or 2.")]
VarianceOption = Annotated[Variance, typer.Option("--variance", help="Variance under the null hypothesis.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Looks = Annotated[int, typer.Option("--looks", help="Number of equally spaced looks.")]
Information = Annotated[
    str, typer.Option("--information", help="Share of the information at each look, as in 0.4,0.7,1.")
]
Gamma = Annotated[float | None, typer.Option("--gamma", help="Of asHSD and asKD.")]
Delta = Annotated[float | None, typer.Option("--delta", help="Of WT.")]
Futile = Annotated[
    Family | None,
    typer.Option("--futility", help="Stop for futility too: the family by which beta is spent."),
]
Beta = Annotated[float, typer.Option("--beta", help="What bounds for futility spend: 1 less the power.")]
FutilityGamma = Annotated[
    float | None, typer.Option("--futility-gamma", help="Of asHSD and asKD, for futility.")
]
Binding = Annotated[bool, typer.Option("--binding", help="Bounds for futility must be obeyed.")]


def size(
    rate0: Rate0,
    ratio: Ratio,
    dispersion: Dispersion,
    power: Annotated[float, typer.Option("--power", help="The power that is asked for.")],
    exposure: ExposureOption = 1.0,
    alpha: Alpha = 0.05,
    sides: Sides = 2,
    allocation: Annotated[
        float, typer.Option("--allocation", help="Participants in group 2 for each one in group 1.")
    ] = 1.0,
    variance: VarianceOption = Variance.ALTERNATIVE,
    as_json: Json = False,
) -> None:
    """Print how many participants a comparison of two rates of counts needs."""
    from equipoise.statistics.sample_size import size_counts

    assumed = _assumptions(rate0, ratio, dispersion, exposure, alpha, sides, variance)
    with clear_errors():
        found = size_counts(**assumed, power=power, allocation=allocation)
    result = {
        "n1": found.n1,
        "n2": found.n2,
        "total": found.total,
        "n1_exact": found.exact1,
        "power": found.power,
        "information": found.information,
    }
    _print(as_json, {**assumed, "power": power, "allocation": allocation}, result)


def power(
    rate0: Rate0,
    ratio: Ratio,
    dispersion: Dispersion,
    n1: Annotated[int, typer.Option("--n1", help="Participants in group 1, the reference.")],
    n2: Annotated[int, typer.Option("--n2", help="Participants in group 2.")],
    exposure: ExposureOption = 1.0,
    alpha: Alpha = 0.05,
    sides: Sides = 2,
    variance: VarianceOption = Variance.ALTERNATIVE,
    as_json: Json = False,
) -> None:
    """Print the power that a comparison of two rates of counts has with given numbers of participants."""
    from equipoise.statistics.sample_size import power_counts

    assumed = _assumptions(rate0, ratio, dispersion, exposure, alpha, sides, variance)
    with clear_errors():
        found = power_counts(**assumed, n1=n1, n2=n2)
    _print(as_json, {**assumed, "n1": n1, "n2": n2}, {"power": found})


def bounds(
    family: Annotated[Family, typer.Option("--family", help="The family of the boundaries.")],
    looks: Looks = 0,
    information: Information = "",
    alpha: Annotated[float, typer.Option("--alpha", help="The level.")] = 0.025,
    sides: Sides = 1,
    gamma: Gamma = None,
    delta: Delta = None,
    futility: Futile = None,
    beta: Beta = 0.2,
    futility_gamma: FutilityGamma = None,
    binding: Binding = False,
    as_json: Json = False,
) -> None:
    """Print the boundaries of a group-sequential test."""
    with clear_errors():
        stops = plan_futility(futility, beta, futility_gamma, binding)
        plan = plan_looks(family, read_looks(looks, information), gamma, delta, stops)
        found = bounds_of(plan, alpha, sides)
    given = {"family": plan.pop("family"), "alpha": alpha, "sides": sides, **plan}
    del given["information"]
    result: dict[str, Any] = {
        "information": list(found.information),
        "bounds": list(found.critical),
        "nominal_p": list(found.nominal_p),
        "alpha_spent": list(found.spent),
    }
    if found.lower is not None and found.spent_beta is not None:
        result |= {
            "futility_bounds": list(found.lower),
            "beta_spent": list(found.spent_beta),
            "drift": found.drift,
        }
    _print(as_json, given, result)


def plan_futility(
    family: Family | None, beta: float, gamma: float | Decimal | None, binding: bool
) -> dict[str, Any] | None:
    """Return how a trial stops for futility, as JSON has it; None where it does not."""
    if family is None:
        return None
    return {"family": family.value, "beta": beta, "binding": binding, **_given(gamma=gamma)}


def read_looks(looks: int, information: str) -> Sequence[float]:
    """Return the shares of the information at which a trial is looked at."""
    from equipoise.statistics.boundaries import equal_looks

    if bool(looks) == bool(information):
        fail("DESIGN-LOOKS", "Say when the looks are: give either --looks or --information.")
    return read_numbers("--information", information) if information else equal_looks(looks)


def plan_looks(
    family: Family,
    information: Sequence[float],
    gamma: float | Decimal | None,
    delta: float | Decimal | None,
    futility: dict[str, Any] | None,
) -> dict[str, Any]:
    """Return when a trial is looked at and how it then may stop, as JSON has it."""
    return {
        "family": family.value,
        "information": list(information),
        **_given(gamma=gamma, delta=delta),
        **({} if futility is None else {"futility": futility}),
    }


def bounds_of(plan: Mapping[str, Any], alpha: float, sides: int) -> Boundaries:
    """Return the boundaries of a plan. Raises ArgumentError."""
    from equipoise.statistics.boundaries import Futility, boundaries

    futility = plan.get("futility")
    return boundaries(
        plan["family"],
        information=plan["information"],
        alpha=alpha,
        sides=sides,
        gamma=plan.get("gamma"),
        delta=plan.get("delta"),
        futility=None if futility is None else Futility(**futility),
    )


def graph(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="JSON with weights, transitions, p_values and alpha."),
    ],
    as_json: Json = False,
) -> None:
    """Print which hypotheses a graphical procedure rejects, with their adjusted p-values."""
    from equipoise.statistics.graphs import graphical_procedure

    with clear_errors():
        given = _read_graph(file)
        found = graphical_procedure(**given)
    result = {"rejected": list(found.rejected), "adjusted": list(found.adjusted)}
    _print(as_json, {"alpha": given["alpha"], "p_values": given["p_values"]}, result)


def recruit(
    study: Annotated[
        str, typer.Argument(metavar="[STUDY]", help="A study, for its planned enrolment and its sites.")
    ] = "",
    target: Annotated[int, typer.Option("--target", help="Participants to be enrolled.")] = 0,
    sites: Annotated[int, typer.Option("--sites", help="Number of sites.")] = 0,
    rate: Annotated[
        float, typer.Option("--rate", help="Participants that a site enrols in a unit of time, on average.")
    ] = 0.5,
    shape: Annotated[
        float,
        typer.Option("--shape", help="Shape of the gamma distribution of the sites' rates: an assumption."),
    ] = 1.2,
    opening_over: Annotated[
        float, typer.Option("--opening-over", help="The time over which the sites open, evenly spaced.")
    ] = 0.0,
    by: Annotated[float | None, typer.Option("--by", help="A time to be done by.")] = None,
    level: Annotated[float, typer.Option("--level", help="Of the interval.")] = 0.9,
    trials: Annotated[int, typer.Option("--trials", help="Simulated recruitments.")] = 10_000,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the simulation.")] = 1,
    as_json: Json = False,
) -> None:
    """Print how long recruitment takes, at sites of unequal rates that open one after the other."""
    from equipoise.statistics.arguments import check_whole
    from equipoise.statistics.recruitment import RecruitmentPlan, forecast_recruitment

    with clear_errors():
        if study:
            planned = load_definition(study).study
            target, sites = target or planned.planned_enrolment, sites or len(planned.sites)
        check_whole("sites", sites)
        spacing = opening_over / max(1, sites - 1)
        openings = tuple(spacing * site for site in range(sites))
        plan = RecruitmentPlan(target=target, openings=openings, mean_rate=rate, shape=shape)
        forecast = forecast_recruitment(plan, seed=seed, trials=trials, level=level)
        done = (
            {}
            if by is None
            else dict(zip(("done_by", "done_by_error"), forecast.probability_by(by), strict=True))
        )
    given = {"target": target, "sites": sites, "rate": rate, "shape": shape, "opening_over": opening_over}
    result = {
        "median": forecast.quantile(0.5),
        "low": forecast.quantile((1 - level) / 2),
        "high": forecast.quantile((1 + level) / 2),
        **done,
    }
    _print(as_json, {**given, "level": level, "trials": trials, "seed": seed}, result)


designs.command("size")(size)
designs.command("power")(power)
designs.command("bounds")(bounds)
designs.command("graph")(graph)
designs.command("recruit")(recruit)

_GRAPH_KEYS = ("weights", "transitions", "p_values", "alpha")


def _assumptions(
    rate0: float,
    ratio: float,
    dispersion: float,
    exposure: float,
    alpha: float,
    sides: int,
    variance: Variance,
) -> dict[str, Any]:
    return {
        "rate0": rate0,
        "ratio": ratio,
        "dispersion": dispersion,
        "exposure": exposure,
        "alpha": alpha,
        "sides": sides,
        "variance": variance.value,
    }


def _given(**options: float | Decimal | None) -> dict[str, float]:
    """Return the numbers that were given."""
    return {name: float(value) for name, value in options.items() if value is not None}


def read_numbers(option: str, text: str) -> tuple[float, ...]:
    """Read the numbers of an option, with commas between them."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        fail("DESIGN-NUMBERS", f"{option} is {text}. Give numbers with commas between them, as in 0.4,0.7,1.")


def _read_graph(file: Path) -> dict[str, Any]:
    try:
        given = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        fail("DESIGN-JSON", f"{file.name} is no JSON. It holds {', '.join(_GRAPH_KEYS)}.")
    if not isinstance(given, dict) or given.keys() != set(_GRAPH_KEYS):
        fail("DESIGN-GRAPH", f"{file.name} must hold {', '.join(_GRAPH_KEYS)}, and nothing else.")
    return given


def _print(as_json: bool, given: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    if as_json:
        write(json.dumps({**given, **found}, ensure_ascii=False))
        return
    width = max(len(name) for name in (*given, *found)) + 2
    for title, lines in (("assumed", given), ("found", found)):
        say(title)
        for name, value in lines.items():
            say(f"  {name.replace('_', ' '):<{width}}{_shown(value)}")


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_shown(each)}" for name, each in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_shown(each) for each in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)
