"""Cross references of a definition: every name that stands somewhere must exist where it is defined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import get_args

from .findings import Place, Problem, suggest
from .model.analysis import Fit
from .model.definition import StudyDefinition
from .model.study import RoleKind


@dataclass(frozen=True, slots=True)
class Reference:
    """A name at a place, and the kind of thing that must be called so."""

    file: str
    place: Place
    name: str | None
    kind: str


def check_references(definition: StudyDefinition) -> Iterator[Problem]:
    """Find names that nothing is called."""
    known = _known(definition)
    for reference in _references(definition):
        if reference.name is not None and reference.name not in known[reference.kind]:
            advice = suggest(reference.name, known[reference.kind])
            sentence = f"There is no {reference.kind} '{reference.name}'. {advice}"
            yield Problem(
                code="LINT-REFERENCE", sentence=sentence, file=reference.file, place=reference.place
            )


def _known(definition: StudyDefinition) -> Mapping[str, tuple[str, ...]]:
    study, analysis = definition.study, definition.analysis
    held = {role.kind for role in study.roles}
    return {
        "arm": tuple(arm.id for arm in study.arms),
        "epoch": tuple(epoch.id for epoch in study.epochs),
        "intervention": tuple(intervention.id for intervention in study.interventions),
        "role": tuple(role.id for role in study.roles),
        "role of the kind": tuple(kind for kind in get_args(RoleKind) if kind in held),
        "sub-trial": tuple(sub_trial.id for sub_trial in study.sub_trials),
        "variant": tuple(variant.id for variant in definition.eligibility.variants),
        "criterion": tuple(criterion.id for criterion in definition.eligibility.criteria),
        "encounter": tuple(encounter.id for encounter in definition.schedule.encounters),
        "form": tuple(form.id for form in definition.forms),
        "analysis set": tuple(found.id for found in analysis.sets),
        "estimand": tuple(estimand.id for estimand in analysis.estimands),
        "endpoint": tuple(endpoint.id for endpoint in analysis.endpoints),
        "site": tuple(site.id for site in study.sites),
        "item": tuple(f"{form.id}.{item.id}" for form in definition.forms for item in form.items),
    }


def _each(file: str, place: Place, names: Iterable[str], kind: str) -> Iterator[Reference]:
    for index, name in enumerate(names):
        yield Reference(file, (*place, index), name, kind)


def _references(definition: StudyDefinition) -> Iterator[Reference]:
    yield from _of_study(definition)
    yield from _of_plan(definition)
    yield from _of_forms(definition)
    yield from _of_supply(definition)
    yield from _of_analysis(definition)
    yield from _of_sample_size(definition)
    yield from _of_rehearsal(definition)


def _of_study(definition: StudyDefinition) -> Iterator[Reference]:
    file, study = "study.yaml", definition.study
    for index, arm in enumerate(study.arms):
        for epoch, interventions in arm.cells.items():
            place: Place = ("arms", index, "cells", epoch)
            yield Reference(file, place, epoch, "epoch")
            yield from _each(file, place, interventions, "intervention")
    for index, sub_trial in enumerate(study.sub_trials):
        yield Reference(file, ("sub_trials", index, "variant"), sub_trial.variant, "variant")
    for index, site in enumerate(study.sites):
        yield Reference(file, ("sites", index, "sub_trial"), site.sub_trial, "sub-trial")
        yield Reference(file, ("sites", index, "variant"), site.variant, "variant")
    for index, identifier in enumerate(study.identifiers):
        yield Reference(file, ("identifiers", index, "sub_trial"), identifier.sub_trial, "sub-trial")
    for index, variant in enumerate(definition.eligibility.variants):
        yield from _each("eligibility.yaml", ("variants", index, "remove"), variant.remove, "criterion")
    if definition.registry is not None:
        for index, outcome in enumerate(definition.registry.outcomes):
            yield Reference("registry.yaml", ("outcomes", index, "endpoint"), outcome.endpoint, "endpoint")
        for index, registered in enumerate(definition.registry.sites):
            yield Reference("registry.yaml", ("sites", index, "site"), registered.site, "site")


def _of_plan(definition: StudyDefinition) -> Iterator[Reference]:
    file, schedule = "schedule.yaml", definition.schedule
    for index, encounter in enumerate(schedule.encounters):
        yield Reference(file, ("encounters", index, "epoch"), encounter.epoch, "epoch")
    for index, activity in enumerate(schedule.activities):
        yield from _each(file, ("activities", index, "forms"), activity.forms, "form")
        yield from _each(file, ("activities", index, "encounters"), activity.encounters, "encounter")
    yield from _each(file, ("logs",), schedule.logs, "form")
    yield from _each(file, ("unscheduled",), schedule.unscheduled, "form")
    file, allocation = "allocation.yaml", definition.allocation
    for arm in allocation.ratio:
        yield Reference(file, ("ratio", arm), arm, "arm")
    unblinding = allocation.emergency_unblinding
    yield from _each(file, ("emergency_unblinding", "permitted"), unblinding.permitted, "role")
    yield from _each(file, ("emergency_unblinding", "informed"), unblinding.informed, "role")


def _of_forms(definition: StudyDefinition) -> Iterator[Reference]:
    for form in definition.forms:
        yield from _each(f"forms/{form.id}.yaml", ("filled_by",), form.filled_by, "role of the kind")
        if form.dated_by is not None:
            name = f"{form.id}.{form.dated_by}"
            yield Reference(f"forms/{form.id}.yaml", ("dated_by",), name, "item")
    safety, imaging = definition.safety, definition.imaging
    if safety is not None:
        yield Reference("safety.yaml", ("form",), safety.form, "form")
        if definition.form(safety.form) is not None:
            for key in SAFETY_ITEMS:
                name = getattr(safety, key)
                item = None if name is None else f"{safety.form}.{name}"
                yield Reference("safety.yaml", (key,), item, "item")
    if imaging is not None:
        yield Reference("imaging.yaml", ("acquisition_form",), imaging.acquisition_form, "form")
        yield Reference("imaging.yaml", ("read_form",), imaging.read_form, "form")
        if definition.form(imaging.read_form) is not None:
            for index, compared in enumerate(imaging.compare):
                item = f"{imaging.read_form}.{compared.item}"
                yield Reference("imaging.yaml", ("compare", index, "item"), item, "item")


SAFETY_ITEMS = ("term", "onset", "aware", "severity", "causality", "outcome", "resolved", "body_system")
"""The keys of safety.yaml that name an item of its form."""


def _of_supply(definition: StudyDefinition) -> Iterator[Reference]:
    file = "supply.yaml"
    for index, product in enumerate(definition.supply.products):
        place: Place = ("products", index)
        yield from _each(file, (*place, "interventions"), product.interventions, "intervention")
        yield from _each(file, (*place, "dispensed_at"), product.dispensed_at, "encounter")
        yield Reference(file, (*place, "collected_at"), product.collected_at, "encounter")
        for key in ("source_form", "manufacture_form", "administration_form"):
            yield Reference(file, (*place, key), getattr(product, key), "form")
        yield from _each(file, (*place, "prepared_by"), product.prepared_by, "role of the kind")
        yield from _each(file, (*place, "given_by"), product.given_by, "role of the kind")


def _of_analysis(definition: StudyDefinition) -> Iterator[Reference]:
    file, analysis = "analysis.yaml", definition.analysis
    for index, endpoint in enumerate(analysis.endpoints):
        place: Place = ("endpoints", index)
        yield Reference(file, (*place, "estimand"), endpoint.estimand, "estimand")
        yield from _of_fit((*place, "analysis"), endpoint.analysis)
        for name, fit in endpoint.sensitivity.items():
            yield from _of_fit((*place, "sensitivity", name), fit)
    yield from _each(file, ("testing", "order"), analysis.testing.order, "endpoint")
    for index, profile in enumerate(analysis.profiles):
        yield Reference(file, ("profiles", index, "item"), profile.item, "item")
        yield from _each(file, ("profiles", index, "encounters"), profile.encounters, "encounter")
    for index, log in enumerate(analysis.logs):
        yield Reference(file, ("logs", index, "form"), log.form, "form")
        if definition.form(log.form) is not None:
            items = (f"{log.form}.{name}" for name in log.by)
            yield from _each(file, ("logs", index, "by"), items, "item")


def _of_fit(place: Place, fit: Fit) -> Iterator[Reference]:
    file = "analysis.yaml"
    yield Reference(file, (*place, "set"), fit.set, "analysis set")
    yield Reference(file, (*place, "reference"), fit.reference, "arm")
    yield Reference(file, (*place, "item"), fit.item, "item")
    yield from _each(file, (*place, "repeated"), fit.repeated, "encounter")


def _of_sample_size(definition: StudyDefinition) -> Iterator[Reference]:
    file, plan = "sample_size.yaml", definition.sample_size
    if plan is not None:
        yield Reference(file, ("endpoint",), plan.endpoint, "endpoint")
        yield Reference(file, ("treated",), plan.treated, "arm")


def _of_rehearsal(definition: StudyDefinition) -> Iterator[Reference]:
    file, rehearsal = "rehearsal.yaml", definition.rehearsal
    if rehearsal is None:
        return
    yield from _each(file, ("faults", "early_end_forms"), rehearsal.faults.early_end_forms, "form")
    for form, plan in rehearsal.forms.items():
        yield Reference(file, ("forms", form), form, "form")
        yield from _each(file, ("forms", form, "only_at"), plan.only_at, "encounter")
        if definition.form(form) is not None:
            for item in plan.items:
                yield Reference(file, ("forms", form, "items", item), f"{form}.{item}", "item")
    for index, effect in enumerate(rehearsal.effects):
        for scenario, values in effect.scenarios.items():
            for name in values:
                place: Place = ("effects", index, "scenarios", scenario, name)
                yield Reference(file, place, name, "intervention")
    for index, delay in enumerate(rehearsal.delays):
        yield from _each(file, ("delays", index, "encounters"), delay.encounters, "encounter")
    for scenario, truths in rehearsal.truth.items():
        for name in truths:
            yield Reference(file, ("truth", scenario, name), name, "endpoint")
