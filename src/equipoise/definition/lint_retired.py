"""Rules for what an amendment retired: what is still done must not hang on it."""

from __future__ import annotations

from collections.abc import Iterator

from .findings import Problem
from .model.definition import StudyDefinition


def check_retired(definition: StudyDefinition) -> Iterator[Problem]:
    """Find forms and choices of which nothing is left to ask, and retired parts that are still used."""
    for form in definition.forms:
        file = f"forms/{form.id}.yaml"
        if not form.retired and all(item.retired for item in form.items):
            sentence = f"Every item of the form '{form.id}' is retired. Retire the form."
            yield Problem(code="LINT-RETIRED", sentence=sentence, file=file, place=("items",))
        for index, item in enumerate(form.items):
            if not item.retired and item.codes and all(code.retired for code in item.codes):
                sentence = (
                    f"Every code of the item '{item.id}' is retired. Retire the item, or give it others."
                )
                yield Problem(
                    code="LINT-RETIRED", sentence=sentence, file=file, place=("items", index, "codes")
                )
    yield from _used_forms(definition)
    retired = {each.id for each in definition.schedule.encounters if each.retired}
    for index, product in enumerate(definition.supply.products):
        for key, named in (("dispensed_at", product.dispensed_at), ("collected_at", (product.collected_at,))):
            for encounter in sorted(retired.intersection(filter(None, named))):
                sentence = (
                    f"The encounter '{encounter}' is retired and still has a product. Take it out here."
                )
                place = ("products", index, key)
                yield Problem(code="LINT-RETIRED", sentence=sentence, file="supply.yaml", place=place)


def _used_forms(definition: StudyDefinition) -> Iterator[Problem]:
    """Find retired forms that imaging, safety or a product goes on to fill in."""
    used: list[tuple[str, tuple[str | int, ...], str | None]] = []
    if definition.safety is not None:
        used.append(("safety.yaml", ("form",), definition.safety.form))
    if definition.imaging is not None:
        for key in ("acquisition_form", "read_form"):
            used.append(("imaging.yaml", (key,), getattr(definition.imaging, key)))
    for index, product in enumerate(definition.supply.products):
        for key in ("source_form", "manufacture_form", "administration_form"):
            used.append(("supply.yaml", ("products", index, key), getattr(product, key)))
    retired = {form.id for form in definition.forms if form.retired}
    for file, place, form_id in used:
        if form_id in retired:
            sentence = (
                f"The form '{form_id}' is retired and still used here. Name another, or do not retire it."
            )
            yield Problem(code="LINT-RETIRED", sentence=sentence, file=file, place=place)
