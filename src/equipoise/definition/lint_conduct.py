"""Rules for forms/*.yaml, safety.yaml, imaging.yaml and supply.yaml."""

from __future__ import annotations

from collections.abc import Iterator

from .expression import references
from .findings import Place, Problem, Severity
from .lint_references import SAFETY_ITEMS
from .model.conduct import Product
from .model.definition import StudyDefinition
from .model.forms import Form, Item

_DATES = ("date", "partial_date", "datetime")
_NUMBERS = ("integer", "decimal")
# What an item of the adverse event form must be; the others may be of any type.
_SAFETY_TYPES = {"onset": _DATES, "aware": _DATES, "resolved": _DATES, "severity": ("choice", "integer")}


def _problem(code: str, sentence: str, file: str, place: Place, severity: Severity = "error") -> Problem:
    return Problem(code=code, sentence=sentence, file=file, place=place, severity=severity)


def check_forms(definition: StudyDefinition) -> Iterator[Problem]:
    """Check the items of each form, and that each form is used."""
    used = _used_forms(definition)
    for form in definition.forms:
        file = f"forms/{form.id}.yaml"
        for index, item in enumerate(form.items):
            yield from _check_item(form, item, ("items", index))
        for index, check in enumerate(form.checks):
            if form.id not in references(check.holds).forms:
                sentence = (
                    f"The check '{check.id}' names no item of its own form. Move it to the form it is about."
                )
                yield _problem("LINT-CHECK", sentence, file, ("checks", index), "warning")
        dating = form.item(form.dated_by or "")
        if dating is not None and dating.type not in _DATES:
            sentence = f"The item '{dating.id}' is no date and cannot date a row. Name an item of type date."
            yield _problem("LINT-DATED-BY", sentence, file, ("dated_by",))
        if form.log and not form.repeating:
            sentence = "A log is filled row by row. Write repeating: true."
            yield _problem("LINT-LOG", sentence, file, ("log",))
        if form.log and form.id not in definition.schedule.logs:
            sentence = (
                f"The form '{form.id}' is a log and does not stand under logs in schedule.yaml. Add it."
            )
            yield _problem("LINT-LOG", sentence, file, ("log",), "warning")
        if form.source_verification == "critical" and not any(item.critical for item in form.items):
            sentence = (
                f"The form '{form.id}' has no critical item to compare with its source. Mark one with "
                "critical: true, or write source_verification: none."
            )
            yield _problem("LINT-VERIFICATION", sentence, file, ("source_verification",))
        if form.id not in used:
            sentence = f"The form '{form.id}' is never filled in. Name it in an activity, or remove it."
            yield _problem("LINT-UNUSED", sentence, file, (), "warning")
    logs = {form.id for form in definition.forms if form.log}
    for index, name in enumerate(definition.schedule.logs):
        if name not in logs:
            sentence = f"The form '{name}' stands under logs and is no log. Write log: true in the form."
            yield _problem("LINT-LOG", sentence, "schedule.yaml", ("logs", index), "warning")


def check_coding(definition: StudyDefinition) -> Iterator[Problem]:
    """Check that what is coded are words that whoever codes may see, and that there is somebody who codes."""
    elsewhere = _forms_of_other_rooms(definition)
    held = {role.kind for role in definition.study.roles}
    for form in definition.forms:
        for index, item in enumerate(form.items):
            if item.coded_with is None:
                continue
            file, place = f"forms/{form.id}.yaml", ("items", index, "coded_with")
            if item.type != "text":
                sentence = f"The item '{item.id}' is no text, and words are coded. Remove coded_with."
                yield _problem("LINT-CODED", sentence, file, place)
            if item.unmasking or form.unmasking:
                sentence = f"'{form.id}.{item.id}' would unmask, and who codes is masked. Remove coded_with."
                yield _problem("LINT-CODED", sentence, file, place)
            if form.id in elsewhere:
                sentence = f"The form '{form.id}' is no part of the casebook. Code an item of another form."
                yield _problem("LINT-CODED", sentence, file, place)
            if "data_manager" not in held:
                sentence = "Coding needs a role of the kind data_manager. Add one to study.yaml."
                yield _problem("LINT-ROLE", sentence, file, place)


def _forms_of_other_rooms(definition: StudyDefinition) -> set[str | None]:
    """The forms that are filled in with a reading, a lot or an administration."""
    products = definition.supply.products
    found: set[str | None] = {definition.imaging.read_form} if definition.imaging else set()
    for product in products:
        found |= {product.source_form, product.manufacture_form, product.administration_form}
    return found


def _used_forms(definition: StudyDefinition) -> set[str | None]:
    """The forms that some part of the plan fills."""
    schedule, imaging = definition.schedule, definition.imaging
    used: set[str | None] = {*schedule.logs, *schedule.unscheduled}
    used.update(form for activity in schedule.activities for form in activity.forms)
    for product in definition.supply.products:
        used |= {product.source_form, product.manufacture_form, product.administration_form}
    if imaging is not None:
        used |= {imaging.read_form, imaging.acquisition_form}
    return used


def _check_item(form: Form, item: Item, place: Place) -> Iterator[Problem]:
    file = f"forms/{form.id}.yaml"
    if item.type == "choice" and not item.codes:
        sentence = f"The choice '{item.id}' has no codes. Add the answers under codes."
        yield _problem("LINT-CODES", sentence, file, place)
    if item.type != "choice" and item.codes:
        sentence = (
            f"The item '{item.id}' has codes and is no choice. Write type: choice, or remove the codes."
        )
        yield _problem("LINT-CODES", sentence, file, (*place, "codes"))
    seen: set[str] = set()
    for index, code in enumerate(item.codes):
        if code.code in seen:
            sentence = f"The code '{code.code}' stands twice under '{item.id}'. Give one another code."
            yield _problem("LINT-NAME-TWICE", sentence, file, (*place, "codes", index))
        seen.add(code.code)
    limited = [key for key in ("minimum", "maximum", "step") if getattr(item, key) is not None]
    if limited and item.type not in _NUMBERS:
        sentence = f"The item '{item.id}' is no number and cannot have a {limited[0]}. Remove it."
        yield _problem("LINT-RANGE", sentence, file, (*place, limited[0]))
    if item.minimum is not None and item.maximum is not None and item.minimum > item.maximum:
        sentence = f"The minimum of '{item.id}' is above its maximum. Correct one of them."
        yield _problem("LINT-RANGE", sentence, file, (*place, "minimum"))
    if item.step is not None and item.step <= 0:
        sentence = f"The step of '{item.id}' is not above 0. Correct it."
        yield _problem("LINT-RANGE", sentence, file, (*place, "step"))


def _form(definition: StudyDefinition, name: str) -> Form:
    """The form of a name that is known to be one's."""
    return next(form for form in definition.forms if form.id == name)


def check_safety(definition: StudyDefinition) -> Iterator[Problem]:
    """Check that the form of adverse events repeats, and that its items can be what they are said to be."""
    safety = definition.safety
    if safety is None:
        return
    form = _form(definition, safety.form)
    if not form.repeating:
        sentence = f"A participant can have several events. Write repeating: true in the form '{form.id}'."
        yield _problem("LINT-SAFETY", sentence, "safety.yaml", ("form",))
    for key in SAFETY_ITEMS:
        item = form.item(getattr(safety, key) or "")
        if item is None:
            continue
        wanted = _SAFETY_TYPES.get(key, (item.type,))
        if item.type not in wanted:
            sentence = f"'{key}' needs an item of type {', '.join(wanted)}, and '{item.id}' is {item.type}."
            yield _problem("LINT-TYPE", f"{sentence} Name another item.", "safety.yaml", (key,))
        if item.unmasking or form.unmasking:
            sentence = (
                f"'{form.id}.{item.id}' would unmask, and masked roles see the events. Name another item."
            )
            yield _problem("LINT-UNMASKING", sentence, "safety.yaml", (key,), "warning")


def check_imaging(definition: StudyDefinition) -> Iterator[Problem]:
    """Check that the readers and what they must agree on are there."""
    imaging = definition.imaging
    if imaging is None:
        return
    file, held = "imaging.yaml", {role.kind for role in definition.study.roles}
    if imaging.readers < 1:
        sentence = f"{imaging.readers} readers cannot read anything. Write at least 1."
        yield _problem("LINT-READERS", sentence, file, ("readers",))
    for kind in ("reader", "adjudicator") if imaging.readers > 1 else ("reader",):
        if kind not in held:
            sentence = f"Central reading needs a role of the kind {kind}. Add one to study.yaml."
            yield _problem("LINT-ROLE", sentence, file, ("readers",))
    planned = {form for activity in definition.schedule.activities for form in activity.forms}
    if imaging.acquisition_form not in planned:
        sentence = f"No activity fills the form '{imaging.acquisition_form}'. Name it in schedule.yaml."
        yield _problem("LINT-UNUSED", sentence, file, ("acquisition_form",), "warning")
    items = {item.id: item for item in _form(definition, imaging.read_form).items}
    for index, compared in enumerate(imaging.compare):
        item = items[compared.item]
        place: Place = ("compare", index, "tolerance")
        if compared.tolerance < 0 or (compared.tolerance and item.type not in _NUMBERS):
            sentence = (
                f"'{compared.item}' cannot have the tolerance {compared.tolerance}. Write 0, or a number's."
            )
            yield _problem("LINT-TOLERANCE", sentence, file, place)
        if item.unmasking:
            sentence = f"'{item.id}' would unmask, and readers are masked. Compare another item."
            yield _problem("LINT-UNMASKING", sentence, file, ("compare", index), "warning")


def check_supply(definition: StudyDefinition) -> Iterator[Problem]:
    """Check forms and times of manufacture, and that each arm is given one content at each dispensing."""
    for index, product in enumerate(definition.supply.products):
        place: Place = ("products", index)
        if product.kind == "autologous":
            for key in ("source_form", "manufacture_form"):
                if getattr(product, key) is None:
                    sentence = f"The autologous product '{product.id}' needs a {key}. Add it."
                    yield _problem("LINT-SUPPLY", sentence, "supply.yaml", place)
        shortest, longest = product.manufacture_days_min, product.manufacture_days_max
        if shortest is not None and longest is not None and shortest > longest:
            sentence = "The shortest time of manufacture is above the longest. Correct one of them."
            yield _problem("LINT-SUPPLY", sentence, "supply.yaml", (*place, "manufacture_days_min"))
        yield from _check_contents(definition, product, (*place, "dispensed_at"))


def _check_contents(definition: StudyDefinition, product: Product, place: Place) -> Iterator[Problem]:
    epoch_of = {encounter.id: encounter.epoch for encounter in definition.schedule.encounters}
    for index, name in enumerate(product.dispensed_at):
        for arm in definition.study.arms:
            contents = set(arm.cells.get(epoch_of[name], ())) & set(product.interventions)
            if len(contents) > 1:
                sentence = (
                    f"At '{name}' the arm '{arm.id}' is given {len(contents)} contents of '{product.id}', "
                    "and a unit holds one. Split the product."
                )
                yield _problem("LINT-SUPPLY", sentence, "supply.yaml", (*place, index))
            if not contents and definition.study.masking.parties:
                sentence = (
                    f"At '{name}' the arm '{arm.id}' is given none of the interventions of '{product.id}', "
                    "which betrays it. Give it one, such as a placebo."
                )
                yield _problem("LINT-SUPPLY", sentence, "supply.yaml", (*place, index), "warning")
