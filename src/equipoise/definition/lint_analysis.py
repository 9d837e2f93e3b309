"""Rules for analysis.yaml and rehearsal.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .expression import Aggregate, Node, check_variables, type_of, walk
from .findings import Place, Problem, Severity
from .lint_expressions import expressions
from .model.analysis import Endpoint, Fit
from .model.definition import StudyDefinition
from .names import DefinitionSymbols

_FILE = "analysis.yaml"
# Of each model: the types of endpoint it is for, and what it needs.
_MODELS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "negative_binomial": (("count",), ("response",)),
    "poisson_gee": (("count",), ("response",)),
    "ancova": (("continuous",), ("response",)),
    "repeated_measures": (("continuous",), ("item", "repeated")),
    "crossover_continuous": (("continuous", "count"), ("response", "against")),
    "logistic": (("binary",), ()),
    "cox": (("time_to_event",), ("response", "event")),
    "wilcoxon_paired": (("continuous", "count"), ("response", "against")),
    "descriptive": (("count", "continuous", "binary", "time_to_event"), ()),
}
_COUNT_MODELS = ("negative_binomial", "poisson_gee")
WITHOUT_P_VALUE = frozenset({"descriptive"})
"""Models that yield no p-value and cannot be tested."""


def _problem(code: str, sentence: str, place: Place, severity: Severity = "error") -> Problem:
    return Problem(code=code, sentence=sentence, file=_FILE, place=place, severity=severity)


def check_analysis(definition: StudyDefinition) -> Iterator[Problem]:
    """Check that each fit has what its model needs, and that the testing procedure can be run."""
    analysis = definition.analysis
    symbols = None
    if not check_variables(analysis.variables):
        symbols = DefinitionSymbols(definition, definition.forms, analysis.variables, of_trial=True)
    for index, endpoint in enumerate(analysis.endpoints):
        place: Place = ("endpoints", index)
        fits = [((*place, "analysis"), endpoint.analysis)]
        fits += [((*place, "sensitivity", name), fit) for name, fit in endpoint.sensitivity.items()]
        for where, fit in fits:
            yield from _check_fit(endpoint, fit, where)
            yield from _check_crossover(definition, fit, where)
            if symbols is not None:
                yield from _check_types(endpoint, fit, where, symbols)
        if endpoint.role == "primary" and endpoint.estimand is None:
            sentence = (
                f"The primary endpoint '{endpoint.id}' has no estimand (ICH E9(R1)). Describe and name one."
            )
            yield _problem("LINT-ESTIMAND", sentence, place, "warning")
    named = {endpoint.estimand for endpoint in analysis.endpoints}
    for index, estimand in enumerate(analysis.estimands):
        if estimand.id not in named:
            sentence = f"No endpoint names the estimand '{estimand.id}'. Name it in one, or remove it."
            yield _problem("LINT-UNUSED", sentence, ("estimands", index), "warning")
    for index, found in enumerate(analysis.sets):
        for name in found.reasons:
            if name not in found.requires:
                sentence = (
                    f"The set '{found.id}' has a reason '{name}' and no condition of that name. Correct one."
                )
                yield _problem("LINT-REASON", sentence, ("sets", index, "reasons", name))
    yield from _check_testing(definition)


def _check_fit(endpoint: Endpoint, fit: Fit, place: Place) -> Iterator[Problem]:
    types, needed = _MODELS[fit.model]
    if endpoint.type not in types:
        meant = " or ".join(types)
        sentence = (
            f"The model {fit.model} is for {meant} endpoints, and this is {endpoint.type}. Correct one."
        )
        yield _problem("LINT-MODEL", sentence, (*place, "model"))
    needed += ("against",) if fit.compare == "epochs" and "against" not in needed else ()
    for key in needed:
        if not getattr(fit, key):
            of_epochs = key == "against" and fit.compare == "epochs"
            who = "A comparison of epochs" if of_epochs else f"The model {fit.model}"
            yield _problem("LINT-FIT", f"{who} needs the key '{key}'. Add it.", place)
    if fit.model == "logistic" and (fit.response is None) == (fit.event is None):
        sentence = "The model logistic needs either the key 'event' or the key 'response'. Write one of them."
        yield _problem("LINT-FIT", sentence, place)
    if fit.offset is not None and fit.model not in _COUNT_MODELS:
        sentence = f"The model {fit.model} takes no offset. Remove it, or choose a model for counts."
        yield _problem("LINT-FIT", sentence, (*place, "offset"))
    if fit.offset is not None and fit.compare == "epochs" and fit.offset_against is None:
        sentence = "The offset of 'against' is missing. Add offset_against."
        yield _problem("LINT-FIT", sentence, place)
    if fit.compare == "arms" and fit.reference is None and fit.model not in WITHOUT_P_VALUE:
        sentence = "A comparison of arms needs the arm to compare with. Add the key 'reference'."
        yield _problem("LINT-FIT", sentence, place)
    if not 0 < fit.confidence < 1:
        sentence = f"The confidence level is {fit.confidence}. Write a number between 0 and 1, as in 0.95."
        yield _problem("LINT-LEVEL", sentence, (*place, "confidence"))


def _check_crossover(definition: StudyDefinition, fit: Fit, place: Place) -> Iterator[Problem]:
    """The difference of two periods is twice that of two treatments only where the periods are swapped."""
    if fit.model != "crossover_continuous" or fit.compare != "arms":
        return
    periods = [epoch.id for epoch in definition.study.epochs if epoch.type == "treatment"]
    given = [[set(arm.cells.get(epoch, ())) for epoch in periods] for arm in definition.study.arms]
    if len(given) < 2 or len(periods) < 2:  # which the rules for arms have said
        return
    if len(given) > 2 or len(periods) > 2 or given[0] != given[1][::-1]:
        sentence = (
            "The model crossover_continuous compares two sequences of two periods, each the other's reverse, "
            "and this study has others. Choose another model."
        )
        yield _problem("LINT-CROSSOVER", sentence, (*place, "model"))


def check_log_windows(definition: StudyDefinition) -> Iterator[Problem]:
    """Find rows of logs that are asked for beyond the day to which anybody confirms a log."""
    logs = {form.id for form in definition.forms if form.log}
    for found in expressions(definition):
        for node in walk(found.node) if found.file == _FILE else ():
            if isinstance(node, Aggregate) and node.form in logs and not _is_ended(node):
                sentence = (
                    f"This asks for rows of the log '{node.form}' up to the day of the analysis, and a log "
                    "is known only up to the day to which it was confirmed. End the window, as in "
                    "'from randomisation to participant.ended_on'."
                )
                yield _problem("LINT-LOG-WINDOW", sentence, found.place, "warning")


def _is_ended(node: Aggregate) -> bool:
    return bool(node.encounters) or (node.window is not None and node.window.end is not None)


def _check_types(endpoint: Endpoint, fit: Fit, place: Place, symbols: DefinitionSymbols) -> Iterator[Problem]:
    """What a model takes as a number must be one."""
    numbers: dict[Place, Node | None] = {
        ("offset",): fit.offset,
        ("offset_against",): fit.offset_against,
        **{("covariates", name): node for name, node in fit.covariates.items()},
    }
    if endpoint.type != "binary":
        numbers |= {("response",): fit.response, ("against",): fit.against}
    for key, node in numbers.items():
        found = None if node is None else type_of(node, symbols)
        if found not in (None, "number"):
            sentence = (
                f"'{'.'.join(map(str, key))}' must yield a number, and this yields a {found}. Correct it."
            )
            yield _problem("LINT-TYPE", sentence, (*place, *key))


def _check_testing(definition: StudyDefinition) -> Iterator[Problem]:
    analysis = definition.analysis
    testing = analysis.testing
    models = {endpoint.id: endpoint.analysis.model for endpoint in analysis.endpoints}
    if not 0 < testing.alpha < 1:
        sentence = f"The level alpha is {testing.alpha}. Write a number between 0 and 1, as in 0.05."
        yield _problem("LINT-LEVEL", sentence, ("testing", "alpha"))
    if testing.method != "none" and not testing.order:
        sentence = f"The procedure {testing.method} tests nothing. Name endpoints under order."
        yield _problem("LINT-TESTING", sentence, ("testing",))
    for index, name in enumerate(testing.order):
        if models[name] in WITHOUT_P_VALUE:
            sentence = (
                f"The analysis of '{name}' yields no p-value and cannot be tested. Take it out of the order."
            )
            yield _problem("LINT-TESTING", sentence, ("testing", "order", index))
        if name in testing.order[:index]:
            sentence = f"'{name}' stands in the order a second time. Remove it."
            yield _problem("LINT-TESTING", sentence, ("testing", "order", index))
    for index, endpoint in enumerate(analysis.endpoints):
        tested = endpoint.analysis.model not in WITHOUT_P_VALUE and testing.method != "none"
        if endpoint.role == "primary" and tested and endpoint.id not in testing.order:
            sentence = (
                f"The primary endpoint '{endpoint.id}' is not tested. Add it to the order of the testing."
            )
            yield _problem("LINT-TESTING", sentence, ("endpoints", index), "warning")
