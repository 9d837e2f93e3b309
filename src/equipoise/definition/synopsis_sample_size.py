"""The sample size in words: what its numbers are called, how it is computed, and the part of the synopsis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .document import Block, Facts, Heading, Section, Table
from .model.definition import StudyDefinition
from .model.sample_size import Assumed, InterimAnalyses, SampleSize, numbers_of
from .synopsis_words import counted, filled, first_up

_COUNT_SOURCES = {"null": "method 1", "alternative": "method 2", "pooled": "method 3"}
_MEANS = {
    "t_test": ("the t test of two independent means", "Julious, Stat Med 2004;23:1921"),
    "ancova": (
        "the comparison of two means adjusted for the baseline",
        "Borm, Fransen and Lemmens, J Clin Epidemiol 2007;60:1234",
    ),
    "crossover": (
        "the comparison of two treatments within participants of a two-period crossover",
        "Julious, Stat Med 2004;23:1921",
    ),
}
_FAMILIES = {
    "OF": "O'Brien and Fleming's boundaries",
    "P": "Pocock's boundaries",
    "WT": "Wang and Tsiatis' boundaries",
    "asOF": "alpha spending as O'Brien and Fleming's boundaries do (Lan and DeMets)",
    "asP": "alpha spending as Pocock's boundaries do (Lan and DeMets)",
    "asHSD": "alpha spending after Hwang, Shih and DeCani",
    "asKD": "alpha spending after Kim and DeMets",
}


@dataclass(frozen=True, slots=True)
class Label:
    """What a number is called, and the unit that stands behind it, perhaps none."""

    title: str
    unit: str = ""

    @property
    def words(self) -> str:
        """The title with its unit, as the head of a line."""
        return f"{self.title}, {self.unit}" if self.unit else self.title


def labels_of(plan: SampleSize) -> Mapping[str, Label]:
    """What the numbers that are assumed of the endpoint are called."""
    if plan.counts is not None:
        unit = plan.counts.unit
        return {
            "rate": Label("Rate in the reference group", f"per {unit}"),
            "ratio": Label("Rate ratio (treated to reference)"),
            "dispersion": Label("Dispersion k (variance μ + k μ²)"),
            "exposure": Label("Exposure of a participant", f"{unit}s"),
            "drop_out": Label("Hazard of leaving early", f"per {unit}"),
        }
    if plan.means is not None:
        unit = plan.means.unit
        within = "participant" if plan.means.method == "crossover" else "group"
        return {
            "difference": Label("Difference of the means (treated less reference)", unit),
            "sd": Label(f"Standard deviation within a {within}", unit),
            "correlation": Label("Correlation of the outcome with the baseline"),
        }
    if plan.proportions is not None:
        return {
            "reference": Label("Proportion in the reference group"),
            "treated": Label("Proportion in the treated group"),
        }
    unit = plan.events.unit if plan.events else ""
    return {
        "hazard": Label("Hazard in the reference group", f"per {unit}"),
        "ratio": Label("Hazard ratio (treated to reference)"),
        "duration": Label("Time from the first entry to the end", f"{unit}s"),
        "accrual": Label("Accrual", f"{unit}s"),
        "drop_out": Label("Hazard of leaving early", f"per {unit}"),
    }


def method_of(plan: SampleSize) -> tuple[str, str]:
    """The test that the size is for, and where the formula is from."""
    if plan.counts is not None:
        found = _COUNT_SOURCES[plan.counts.variance]
        source = f"{found} of Zhu and Lakkis, Stat Med 2014;33:376"
        return "the Wald test of the log rate ratio of negative binomial counts", source
    if plan.means is not None:
        return _MEANS[plan.means.method]
    if plan.proportions is not None:
        of = "the chi-square test" if plan.proportions.variance == "pooled" else "the unpooled normal test"
        source = (
            "Fleiss, Levin and Paik, Statistical Methods for Rates and Proportions, 3rd edition, chapter 4"
        )
        return f"{of} of two proportions", source
    return "the log-rank test", "Schoenfeld, Biometrics 1983;39:499"


def boundaries_words(interim: InterimAnalyses) -> str:
    """What the boundaries are, with their parameter, and where the trial stops for futility."""
    parameter = {"gamma": interim.gamma, "delta": interim.delta}
    written = [f"{name} {value}" for name, value in parameter.items() if value is not None]
    words = ", ".join((_FAMILIES[interim.family], *written))
    futility = interim.futility
    if futility is None:
        return words
    binding = "binding" if futility.binding else "not binding"
    spending = _FAMILIES[futility.family].replace("alpha", "beta")
    gamma = "" if futility.gamma is None else f" with gamma {futility.gamma}"
    return f"{words}; for futility, {binding}, {spending}{gamma}"


def basis_of(number: Assumed) -> str:
    """What a number rests on, with the mark of an assumption."""
    return f"{number.source} (assumption)" if number.assumed else number.source


def sample_size_section(definition: StudyDefinition) -> Section:
    """Say for which comparison the size is determined, with what power, and what is assumed."""
    plan = definition.sample_size
    if plan is None:
        return Section("Sample size", ())
    arms = {arm.id: arm.name for arm in definition.study.arms}
    endpoint = next(each for each in definition.analysis.endpoints if each.id == plan.endpoint)
    reference = endpoint.analysis.reference or ""
    treated = plan.treated or next(arm for arm in arms if arm != reference)
    test, source = method_of(plan)
    facts = filled(
        ("Planned enrolment", counted(definition.study.planned_enrolment, "participant")),
        ("Endpoint", endpoint.title),
        ("Compares", f"{arms[treated]} against {arms[reference]}"),
        ("Determined for", f"{test} ({source})"),
        ("Level", f"{'two' if plan.sides == 2 else 'one'}-sided {plan.alpha}"),
        ("Power", str(plan.power)),
        ("Interim analyses", None if plan.interim is None else _interim_words(plan.interim)),
        ("In words", plan.text),
    )
    blocks: tuple[Block, ...] = (Facts(facts), Heading("Assumptions of the sample size"))
    return Section("Sample size", (*blocks, _numbers_table(plan)))


def _numbers_table(plan: SampleSize) -> Table:
    labels = labels_of(plan)
    numbers = {labels[name].words: found for name, found in plan.assumptions.items()}
    if plan.attrition is not None:
        numbers["Share of those randomised of whom nothing can be analysed"] = plan.attrition
    if plan.recruitment is not None:
        titles = {
            "rate": "Participants of an open site in a month",
            "shape": "Shape of the gamma distribution of the sites' rates",
            "opening_months": "Months over which the sites open",
        }
        found = numbers_of(plan.recruitment)
        numbers |= {title: found[name] for name, title in titles.items() if name in found}
    rows = tuple(
        (title, str(number.value), ", ".join(map(str, number.deviations)) or "–", first_up(basis_of(number)))
        for title, number in numbers.items()
    )
    return Table(("Quantity", "Assumed", "Deviations considered", "Basis"), rows)


def _interim_words(interim: InterimAnalyses) -> str:
    shares = ", ".join(f"{(100 * share).normalize():f}%" for share in interim.information[:-1])
    words = f"at {shares} of the information; {boundaries_words(interim)}"
    return words if interim.text is None else f"{words}. {interim.text}"
