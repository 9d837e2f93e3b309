"""Rules for sample_size.yaml: that there is one question, and that its numbers can be those of a trial."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from itertools import pairwise

from .findings import Place, Problem, Severity
from .model.analysis import Endpoint
from .model.definition import StudyDefinition
from .model.sample_size import Assumed, InterimAnalyses, RecruitmentAssumptions, SampleSize, numbers_of

FILE = "sample_size.yaml"
_TYPES = {
    "counts": "count",
    "means": "continuous",
    "proportions": "binary",
    "events": "time_to_event",
}
_Range = tuple[Callable[[Decimal], bool], str]
_POSITIVE: _Range = (lambda value: value > 0, "a number above 0")
_NOT_NEGATIVE: _Range = (lambda value: value >= 0, "a number of 0 or more")
_SHARE: _Range = (lambda value: 0 < value < 1, "a number above 0 and below 1")
_RATIO: _Range = (lambda value: value > 0 and value != 1, "a number above 0 other than 1, which is no effect")
_RANGES: Mapping[tuple[str, str], _Range] = {
    ("counts", "rate"): _POSITIVE,
    ("counts", "ratio"): _RATIO,
    ("counts", "dispersion"): _NOT_NEGATIVE,
    ("counts", "exposure"): _POSITIVE,
    ("counts", "drop_out"): _NOT_NEGATIVE,
    ("means", "difference"): (lambda value: value != 0, "a number other than 0, which is no effect"),
    ("means", "sd"): _POSITIVE,
    ("means", "correlation"): (lambda value: -1 < value < 1, "a number above -1 and below 1"),
    ("proportions", "reference"): _SHARE,
    ("proportions", "treated"): _SHARE,
    ("events", "hazard"): _POSITIVE,
    ("events", "ratio"): _RATIO,
    ("events", "duration"): _POSITIVE,
    ("events", "accrual"): _NOT_NEGATIVE,
    ("events", "drop_out"): _NOT_NEGATIVE,
    ("recruitment", "rate"): _POSITIVE,
    ("recruitment", "shape"): _POSITIVE,
    ("recruitment", "opening_months"): _NOT_NEGATIVE,
}
_GAMMA: Mapping[str, _Range] = {
    "asHSD": (lambda value: abs(value) <= 20, "a number from -20 to 20"),
    "asKD": (lambda value: 0 < value <= 20, "a number above 0 and at most 20"),
}
_DELTA: Mapping[str, _Range] = {
    "WT": (lambda value: Decimal("-0.5") <= value <= 1, "a number from -0.5 to 1"),
}
# Two analyses closer to each other than this share are one.
_STEP_MIN = Decimal("1.001")
_ANALYSES_MAX = 20


def _problem(sentence: str, place: Place, severity: Severity = "error") -> Problem:
    return Problem(code="LINT-SAMPLE-SIZE", sentence=sentence, file=FILE, place=place, severity=severity)


def check_sample_size(definition: StudyDefinition) -> Iterator[Problem]:
    """Check that the size answers one question about one comparison, and each number of it."""
    plan = definition.sample_size
    if plan is None:
        return
    endpoint = next(each for each in definition.analysis.endpoints if each.id == plan.endpoint)
    yield from _check_comparison(definition, plan, endpoint)
    yield from _check_level(definition, plan)
    written = list(plan.kinds)
    if len(written) != 1:
        names = ", ".join(_TYPES)
        yield _problem(f"One of {names} is wanted here, and there are {len(written)}. Keep one.", ())
        return
    if endpoint.type != _TYPES[plan.kind]:
        sentence = (
            f"'{plan.kind}' is for {_TYPES[plan.kind]} endpoints, and '{endpoint.id}' is {endpoint.type}. "
            "Correct one."
        )
        yield _problem(sentence, (plan.kind,))
    yield from _check_numbers(plan)
    if plan.interim is not None:
        yield from _check_interim(plan.interim)
        yield from _check_futility(plan, plan.interim)


def _check_comparison(definition: StudyDefinition, plan: SampleSize, endpoint: Endpoint) -> Iterator[Problem]:
    arms = [arm.id for arm in definition.study.arms]
    reference = endpoint.analysis.reference
    if endpoint.analysis.compare != "arms" or reference is None or len(arms) < 2:
        sentence = (
            f"The analysis of '{endpoint.id}' compares no arm with a reference. Name an endpoint that does, "
            "or remove this file."
        )
        yield _problem(sentence, ("endpoint",))
    elif plan.treated is None and len(arms) > 2:
        sentence = f"Say which arm is compared with '{reference}': add the key 'treated'."
        yield _problem(sentence, ())
    elif plan.treated == reference:
        sentence = f"'{reference}' is the reference of the endpoint's analysis. Name another arm."
        yield _problem(sentence, ("treated",))


def _check_level(definition: StudyDefinition, plan: SampleSize) -> Iterator[Problem]:
    if not 0 < plan.alpha < 1:
        yield _problem(f"The level alpha is {plan.alpha}. Write a number as in 0.05.", ("alpha",))
    if not plan.alpha < plan.power < 1:
        sentence = f"The power is {plan.power}. Write a number above alpha and below 1, as in 0.9."
        yield _problem(sentence, ("power",))
    if plan.sides not in (1, 2):
        yield _problem(f"sides is {plan.sides}. Write 1 or 2.", ("sides",))
        return
    testing = definition.analysis.testing
    of_both = plan.alpha if plan.sides == 2 else 2 * plan.alpha
    if testing.method != "none" and plan.endpoint in testing.order and of_both != testing.alpha:
        sentence = (
            f"The size is for the two-sided level {of_both}, and the endpoint is tested at {testing.alpha} "
            "(analysis.yaml). Correct one."
        )
        yield _problem(sentence, ("alpha",), "warning")


def _check_numbers(plan: SampleSize) -> Iterator[Problem]:
    parts: dict[str, dict[str, Assumed]] = {plan.kind: numbers_of(plan.kinds[plan.kind])}
    if plan.recruitment is not None:
        parts["recruitment"] = numbers_of(plan.recruitment)
    for part, numbers in parts.items():
        for name, number in numbers.items():
            places: dict[Place, Decimal] = {(part, name, "value"): number.value}
            places |= {(part, name, "deviations", i): value for i, value in enumerate(number.deviations)}
            for place, value in places.items():
                is_good, allowed = _RANGES[part, name]
                if not is_good(value):
                    yield _problem(f"{part}.{name} is {value}. Write {allowed}.", place)
    yield from _check_direction(plan)
    yield from _check_together(plan)


def _check_direction(plan: SampleSize) -> Iterator[Problem]:
    """A deviation in the other direction would be another hypothesis."""
    nulls = {"ratio": Decimal(1), "difference": Decimal(0)}
    for name, found in plan.assumptions.items():
        null = nulls.get(name)
        for index, value in enumerate(found.deviations):
            if null is not None and (value - null) * (found.value - null) < 0:
                sentence = f"{name} deviates to {value}, beyond no effect ({null}). Keep to one side of it."
                yield _problem(sentence, (plan.kind, name, "deviations", index))
    if plan.proportions is not None:
        of_one, of_other = plan.proportions.reference, plan.proportions.treated
        if of_one.value == of_other.value:
            sentence = "Both proportions are the same, which is no effect. Correct one."
            yield _problem(sentence, ("proportions", "treated", "value"))
            return
        planned = of_other.value - of_one.value
        differences = {("reference", i): of_other.value - value for i, value in enumerate(of_one.deviations)}
        differences |= {("treated", i): value - of_one.value for i, value in enumerate(of_other.deviations)}
        for (name, index), difference in differences.items():
            if difference * planned <= 0:
                sentence = "With this deviation the effect is none, or the other way round. Correct it."
                yield _problem(sentence, ("proportions", name, "deviations", index))


def _check_together(plan: SampleSize) -> Iterator[Problem]:
    """Numbers that are each possible and not together."""
    shares = () if plan.attrition is None else (plan.attrition.value, *plan.attrition.deviations)
    for share in shares:
        if not 0 <= share < 1:
            sentence = f"attrition is {share}. Write a share of 0 or more and below 1."
            yield _problem(sentence, ("attrition",))
    if plan.means is not None:
        adjusted = plan.means.method == "ancova"
        if adjusted != (plan.means.correlation is not None):
            sentence = (
                "The method ancova needs the key 'correlation'. Add it."
                if adjusted
                else "A correlation is for the method ancova. Remove it, or choose that method."
            )
            yield _problem(sentence, ("means",))
    events = plan.events
    if events is not None and events.accrual is not None and events.accrual.value > events.duration.value:
        sentence = f"Participants enter for longer than the duration, {events.duration.value}. Correct one."
        yield _problem(sentence, ("events", "accrual", "value"))
    if plan.recruitment is not None:
        yield from _check_recruitment(plan.recruitment)


def _check_recruitment(recruitment: RecruitmentAssumptions) -> Iterator[Problem]:
    for name, found in numbers_of(recruitment).items():
        if found.deviations:
            sentence = f"The size does not depend on recruitment.{name}. Remove its deviations."
            yield _problem(sentence, ("recruitment", name, "deviations"), "warning")
    if recruitment.target_months is not None and recruitment.target_months <= 0:
        sentence = f"target_months is {recruitment.target_months}. Write a number above 0."
        yield _problem(sentence, ("recruitment", "target_months"))


def _check_interim(interim: InterimAnalyses) -> Iterator[Problem]:
    shares = interim.information
    ascending = all(_STEP_MIN * early < late for early, late in pairwise(shares))
    if not 2 <= len(shares) <= _ANALYSES_MAX or shares[0] <= 0 or shares[-1] != 1 or not ascending:
        sentence = (
            f"The shares of the information are {', '.join(map(str, shares)) or 'none'}. Write two to "
            f"{_ANALYSES_MAX} that ascend to 1, as in [0.5, 1]."
        )
        yield _problem(sentence, ("interim", "information"))
    yield from _check_parameter(interim.family, "gamma", interim.gamma, _GAMMA, ("interim",))
    yield from _check_parameter(interim.family, "delta", interim.delta, _DELTA, ("interim",))


def _check_futility(plan: SampleSize, interim: InterimAnalyses) -> Iterator[Problem]:
    futility, place = interim.futility, ("interim", "futility")
    if futility is None:
        return
    if plan.sides == 2:
        sentence = "A two-sided test does not stop for futility here. Remove this part, or write sides: 1."
        yield _problem(sentence, place)
    if futility.binding and interim.family in ("OF", "P", "WT"):
        sentence = (
            f"A binding boundary needs a family that spends alpha, and {interim.family} does not. Choose one "
            "as asOF, or let it not bind."
        )
        yield _problem(sentence, place)
    yield from _check_parameter(futility.family, "gamma", futility.gamma, _GAMMA, place)


def _check_parameter(
    family: str, name: str, value: Decimal | None, ranges: Mapping[str, _Range], place: Place
) -> Iterator[Problem]:
    ranged = ranges.get(family)
    if ranged is None and value is not None:
        yield _problem(f"The family {family} takes no {name}. Remove it.", (*place, name))
    elif ranged is not None and (value is None or not ranged[0](value)):
        given = "missing" if value is None else value
        yield _problem(f"The {name} of {family} is {given}. Write {ranged[1]}.", place)
