"""The parts of the synopsis on allocation, supply, safety, imaging, analysis and forms."""

from __future__ import annotations

from .document import Block, Bullets, Entries, Entry, Facts, Heading, Section, Table, Words
from .expression import prose
from .model.analysis import Endpoint, Estimand, Fit
from .model.conduct import Factor, Product
from .model.definition import StudyDefinition
from .model.forms import Form, Item
from .names import DefinitionNames
from .synopsis_words import filled, first_up, joined, rule_of, value_of, words


def allocation_section(definition: StudyDefinition, names: DefinitionNames) -> Section:
    """Say how arms are allocated; block sizes and seeds are in no definition."""
    allocation, study = definition.allocation, definition.study
    arms = {arm.id: arm.name for arm in study.arms}
    roles = {role.id: role.name for role in study.roles}
    ratio = allocation.ratio
    unblinding = allocation.emergency_unblinding
    minimised = allocation.method == "minimisation"
    facts = filled(
        ("Method", first_up(words(allocation.method))),
        ("Ratio", f"{' : '.join(map(str, ratio.values()))} ({joined(arms[arm] for arm in ratio)})"),
        ("Strata", "; ".join(_factor(factor, names) for factor in allocation.strata)),
        ("Balanced by", "; ".join(_factor(factor, names) for factor in allocation.factors)),
        ("Probability of the preferred arm", str(allocation.probability) if minimised else None),
        ("In words", allocation.text),
        ("Emergency unblinding by", joined(roles[role] for role in unblinding.permitted)),
        ("Told that it happened", ", ".join(roles[role] for role in unblinding.informed)),
    )
    return Section("Allocation", (Facts(facts),))


def _factor(factor: Factor, names: DefinitionNames) -> str:
    if factor.value is None:
        return words(factor.id)
    return f"{words(factor.id)}: {value_of(factor.value, names)} ({joined(factor.levels, 'or')})"


def supply_section(definition: StudyDefinition, names: DefinitionNames) -> Section:
    """Say what is prepared, released and given."""
    blocks: list[Block] = []
    for product in definition.supply.products:
        blocks += _product_blocks(definition, product, names)
    return Section("Supply", tuple(blocks))


def _product_blocks(definition: StudyDefinition, product: Product, names: DefinitionNames) -> list[Block]:
    called = {intervention.id: intervention.name for intervention in definition.study.interventions}
    visits = {encounter.id: encounter.name for encounter in definition.schedule.encounters}
    titles = {form.id: form.title for form in definition.forms}
    shortest, longest = product.manufacture_days_min, product.manufacture_days_max
    collected = product.collected_at
    days = " to ".join(str(number) for number in (shortest, longest) if number is not None)
    forms = (product.source_form, product.manufacture_form, product.administration_form)
    facts = filled(
        ("Kind", _KINDS[product.kind]),
        (
            "Holds",
            f"{joined((called[name] for name in product.interventions), 'or')}, one to a {product.unit_name}",
        ),
        ("Dose", product.dose),
        ("Collected at", visits[collected] if collected else None),
        ("Manufacture", f"{days} days" if days else None),
        (
            "Before randomisation",
            "a released lot is needed" if product.released_before_randomisation else None,
        ),
        ("Given at", joined(visits[name] for name in product.dispensed_at)),
        ("Prepared by", joined(map(words, product.prepared_by))),
        ("Given by", joined(map(words, product.given_by))),
        ("Recorded on", ", ".join(titles[form] for form in forms if form is not None)),
    )
    blocks: list[Block] = [Heading(product.name), Facts(facts)]
    if product.release:
        criteria = (Entry(words(c.id), c.text, rule_of(c.when, names)) for c in product.release)
        blocks += [Heading("Release criteria"), Entries(tuple(criteria))]
    return blocks


_KINDS = {
    "autologous": "made of the participant's own material; each lot belongs to one person",
    "prepared": "made up for each dispensing",
}


def safety_section(definition: StudyDefinition, names: DefinitionNames) -> Section:
    """Say which events must be reported, and until when."""
    safety = definition.safety
    if safety is None:
        return Section("Safety", ())
    facts = (
        ("Recorded on", names.form_label(safety.form, 2)),
        ("Serious", prose(safety.serious, names)),
        ("Related", prose(safety.related, names)),
        ("Unexpected", prose(safety.unexpected, names)),
    )
    blocks: list[Block] = [Facts(facts)]
    if safety.clocks:
        rows = tuple(
            (clock.title, prose(clock.when, names), clock.due_within, clock.source or "–")
            for clock in safety.clocks
        )
        head = ("Report", "When", "Within", "Source")
        aware = names.item_label(safety.form, safety.aware)
        blocks += [Heading("Reporting clocks"), Words(f"Each clock runs from: {aware}."), Table(head, rows)]
    if safety.stopping_rules:
        blocks += [Heading("Stopping rules"), Bullets(safety.stopping_rules)]
    return Section("Safety", tuple(blocks))


def imaging_section(definition: StudyDefinition) -> Section:
    """Say how records are read centrally."""
    imaging = definition.imaging
    if imaging is None:
        return Section("Central reading", ())
    form = definition.form(imaging.read_form)
    titles = {found.id: found.title for found in definition.forms}
    facts = filled(
        ("Acquired", titles[imaging.acquisition_form]),
        ("Read on", titles[imaging.read_form]),
        ("Readers", f"{imaging.readers}, independent and masked"),
        ("Seen by sites", "yes" if imaging.visible_to_sites else "not before the trial is unblinded"),
        ("Unreadable because of", "; ".join(imaging.quality_reasons)),
    )
    rows = []
    for compared in imaging.compare:
        item = None if form is None else form.item(compared.item)
        label = compared.item if item is None else item.label
        unit = "" if item is None or item.unit is None else f" {item.unit}"
        rows.append((label, f"within {compared.tolerance}{unit}" if compared.tolerance else "the same"))
    table = Table(("Item", "Readers agree when"), tuple(rows))
    closing = Words("What the readers do not agree on is decided by the adjudicator.")
    return Section("Central reading", (Facts(facts), table, closing))


def analysis_section(definition: StudyDefinition, names: DefinitionNames) -> Section:
    """Say what is estimated, how, and in which order it is tested."""
    analysis = definition.analysis
    rules = tuple(
        (found.title, "; ".join(prose(node, names) for node in found.requires.values()), words(found.grouped))
        for found in analysis.sets
    )
    blocks: list[Block] = [Heading("Analysis sets"), Table(("Set", "Who", "Grouped"), rules)]
    for endpoint in analysis.endpoints:
        blocks += _endpoint_blocks(definition, endpoint, names)
    testing = analysis.testing
    titles = {endpoint.id: endpoint.title for endpoint in analysis.endpoints}
    order = " → ".join(titles[name] for name in testing.order)
    facts = filled(
        ("Procedure", first_up(words(testing.method))),
        ("Level", f"two-sided {testing.alpha}, family-wise" if testing.method != "none" else None),
        ("Order", order),
        ("In words", testing.text),
    )
    blocks += [Heading("Testing procedure"), Facts(facts)]
    if analysis.variables:
        terms = (
            (first_up(names.variable_label(name)), value_of(node, names))
            for name, node in analysis.variables.items()
        )
        blocks += [Heading("Terms of the analysis"), Facts(tuple(terms))]
    return Section("Endpoints and analysis", tuple(blocks))


def _endpoint_blocks(definition: StudyDefinition, endpoint: Endpoint, names: DefinitionNames) -> list[Block]:
    estimand = next((e for e in definition.analysis.estimands if e.id == endpoint.estimand), None)
    facts = filled(
        ("Time frame", endpoint.time_frame),
        ("Type", words(endpoint.type)),
        *_estimand_facts(estimand),
        *_fit_facts(definition, endpoint.analysis, names),
        *(
            (f"Sensitivity: {words(name)}", _fit_words(definition, fit, names))
            for name, fit in endpoint.sensitivity.items()
        ),
    )
    return [Heading(f"{first_up(endpoint.role)} endpoint: {endpoint.title}"), Facts(facts)]


def _estimand_facts(estimand: Estimand | None) -> tuple[tuple[str, str], ...]:
    if estimand is None:
        return ()
    events = (
        f"{found.event}: {words(found.strategy)}" + (f" ({found.text})" if found.text else "")
        for found in estimand.intercurrent_events
    )
    return (
        ("Estimand", estimand.title),
        ("Population", estimand.population),
        ("Treatment", estimand.treatment),
        ("Variable", estimand.variable),
        ("Intercurrent events", "; ".join(events) or "none"),
        ("Summary", estimand.summary),
    )


_MODELS = {
    "negative_binomial": "Negative binomial regression (log link)",
    "poisson_gee": "Poisson regression with generalised estimating equations (log link)",
    "ancova": "Analysis of covariance",
    "repeated_measures": "Mixed model for repeated measures",
    "crossover_continuous": "Crossover analysis of within-participant differences",
    "logistic": "Logistic regression",
    "cox": "Cox proportional hazards regression",
    "wilcoxon_paired": "Wilcoxon signed-rank test",
    "descriptive": "Descriptive, without a test",
}


def _fit_facts(definition: StudyDefinition, fit: Fit, names: DefinitionNames) -> tuple[tuple[str, str], ...]:
    """The lines of the main analysis."""
    arms = {arm.id: arm.name for arm in definition.study.arms}
    visits = {encounter.id: encounter.name for encounter in definition.schedule.encounters}
    sets = {found.id: found.title for found in definition.analysis.sets}
    compared = {"arms": "arms, as randomised", "epochs": "epochs, within each arm", "none": None}[fit.compare]
    reference = f"; reference {arms[fit.reference]}" if fit.reference is not None and compared else ""
    return filled(
        (
            "Analysis",
            f"{_MODELS[fit.model]}; {sets[fit.set]}; {(100 * fit.confidence).normalize():f}% interval",
        ),
        ("Compares", f"{compared}{reference}" if compared else None),
        ("Response", None if fit.response is None else value_of(fit.response, names)),
        ("Against", None if fit.against is None else value_of(fit.against, names)),
        ("Event", None if fit.event is None else prose(fit.event, names)),
        ("Measured", None if fit.item is None else names.item_label(*fit.item.split(".", 1))),
        ("At", ", ".join(visits[name] for name in fit.repeated)),
        ("Adjusted for", "; ".join(value_of(node, names) for node in fit.covariates.values())),
        ("By category", "; ".join(value_of(node, names) for node in fit.categories.values())),
        ("Offset", None if fit.offset is None else value_of(fit.offset, names)),
        ("Offset against", None if fit.offset_against is None else value_of(fit.offset_against, names)),
        ("Note", fit.note),
    )


def _fit_words(definition: StudyDefinition, fit: Fit, names: DefinitionNames) -> str:
    """A further analysis in one line."""
    first, *rest = _fit_facts(definition, fit, names)
    return ". ".join((first[1], *(f"{term}: {text}" for term, text in rest)))


_TYPES = {
    "integer": "whole number",
    "decimal": "number",
    "text": "text",
    "boolean": "yes or no",
    "choice": "choice",
    "date": "date",
    "partial_date": "date (day or month may be unknown)",
    "datetime": "date and time",
}


def forms_section(definition: StudyDefinition, names: DefinitionNames) -> Section:
    """List every form with its questions, answers and checks."""
    blocks: list[Block] = []
    for form in definition.forms:
        blocks += _form_blocks(form, names)
    return Section("Appendix: forms", tuple(blocks))


def _form_blocks(form: Form, names: DefinitionNames) -> list[Block]:
    facts = filled(
        ("Name", form.id),
        ("Filled", _filled_words(form)),
        ("Filled by", ", ".join(map(words, form.filled_by))),
        ("Shown to", "unmasked roles only" if form.unmasking else None),
        ("Source", form.source),
        ("Compared with the source", _VERIFIED[form.source_verification]),
    )
    rows = tuple((item.id, item.label, _answer(item), _notes(item, names)) for item in form.items)
    blocks: list[Block] = [
        Heading(form.title),
        Facts(facts),
        Table(("Item", "Question", "Answer", "Notes"), rows),
    ]
    if form.checks:
        checks = (
            (f"{first_up(prose(check.holds, names))}.", check.message, _SEVERITIES[check.severity])
            for check in form.checks
        )
        blocks.append(Table(("Must hold", "Message", "If it does not"), tuple(checks)))
    return blocks


# What is said of every form says nothing: that all is compared is the rule.
_VERIFIED = {"all": None, "critical": "answers to the critical items", "none": "not planned"}

_SEVERITIES = {"hard": "the entry is refused", "query": "a query is opened"}


def _filled_words(form: Form) -> str:
    if form.log:
        return "row by row, as a log whose completeness is confirmed"
    return "row by row" if form.repeating else "where it is planned"


def _answer(item: Item) -> str:
    if item.codes:
        return "; ".join(f"{code.label} ({code.code})" for code in item.codes)
    low, high = item.minimum, item.maximum
    span = ""
    if low is not None and high is not None:
        span = f", {low} to {high}"
    elif low is not None or high is not None:
        span = f", at least {low}" if low is not None else f", at most {high}"
    step = f", in steps of {item.step}" if item.step is not None else ""
    unit = f" ({item.unit})" if item.unit else ""
    return f"{_TYPES[item.type]}{unit}{span}{step}"


def _notes(item: Item, names: DefinitionNames) -> str:
    notes = [] if item.required else ["may be left open"]
    notes += ["unmasked roles only"] if item.unmasking else []
    notes += ["critical"] if item.critical else []
    notes += [] if item.when is None else [f"asked if {prose(item.when, names)}"]
    notes += [item.help] if item.help else []
    return "; ".join(notes) or "–"
