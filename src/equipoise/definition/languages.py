"""A study definition as it reads in another language: the same ids and expressions, other texts.

A text has a place: the keys that lead to it in languages/TAG.yaml. One walk over the definition
(`_rewritten`) knows which texts can be translated; what can be, what is, and what is missing follow from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import TypeAlias

from .findings import Place
from .model.conduct import Product, Safety
from .model.definition import StudyDefinition
from .model.eligibility import Criterion, Eligibility
from .model.forms import Form, Item
from .model.language import Language
from .model.schedule import Activity, Schedule
from .model.study import Study

_Say: TypeAlias = Callable[[Place, str], str]
"""What to write instead of the text at a place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslatedDefinition(StudyDefinition):
    """A definition to read and to show, never one to record under.

    An entry holds words of the definition, such as the message of an edit check, and names the hash of what
    was approved. So this one has no hash of its own: `hash` is the original's behind the language ('sv:' and
    64 digits), which no trial runs under, and a trial refuses every command under it. It cannot be locked. It
    equals no StudyDefinition. `original` is the one that was approved, these texts included.
    """

    original: StudyDefinition = field(repr=False)


def in_language(definition: StudyDefinition, tag: str) -> StudyDefinition:
    """Return the definition as a reader of a language sees it, in the nearest language that the folder has.

    'sv-SE' falls back to 'sv' and then to the folder's own language, text by text. When nothing is nearer
    than the folder's own, the original itself is returned, otherwise a TranslatedDefinition, whose
    `study.language` is the language found. Building it takes milliseconds; keep it for each tag. Upper and
    lower case of a tag (BCP 47) are the same.
    """
    original = definition.original if isinstance(definition, TranslatedDefinition) else definition
    tags = languages_for(original, tag)
    if not tags:
        return original
    said: dict[Place, str] = {}
    for name in reversed(tags):
        said |= translations_of(original.languages[name])
    read = _rewritten(original, said.get)
    parts = {part.name: getattr(read, part.name) for part in fields(read)}
    parts["study"] = replace(read.study, language=tags[0])
    parts["hash"] = f"{tags[0]}:{original.hash}"
    return TranslatedDefinition(**parts, original=original)


def languages_for(definition: StudyDefinition, tag: str) -> tuple[str, ...]:
    """Return the languages of the folder that serve a reader of a language, the nearest first.

    Empty is the folder's own. Subtags are dropped from the end, as RFC 4647, section 3.4, looks up a tag.
    """
    own = definition.study.language.lower()
    known = {name.lower(): name for name in definition.languages}
    found: list[str] = []
    subtags = tag.lower().split("-")
    while subtags and (prefix := "-".join(subtags)) != own:
        if prefix in known:
            found.append(known[prefix])
        subtags.pop()
    return tuple(found)


def texts_of(definition: StudyDefinition) -> dict[Place, str]:
    """Return every text that can be translated, by its place, in the order of the definition."""
    found: dict[Place, str] = {}

    def note(place: Place, text: str) -> str:
        found[place] = text
        return text

    _rewritten(definition, note)
    return found


def translations_of(language: Language) -> dict[Place, str]:
    """Return every text of a language by its place."""
    return dict(_texts_in((), language))


def _texts_in(place: Place, part: object) -> Iterator[tuple[Place, str]]:
    if isinstance(part, str):
        yield place, part
    for step, inner in parts_of(part):
        yield from _texts_in((*place, step), inner)


def parts_of(part: object) -> Iterator[tuple[str, object]]:
    """Yield the keys of a part of a language that are written, with what stands under them."""
    if isinstance(part, dict):
        yield from part.items()
    elif is_dataclass(part):
        written = ((each.name, getattr(part, each.name)) for each in fields(part))
        yield from ((name, inner) for name, inner in written if inner is not None)


def missing_texts(definition: StudyDefinition, tag: str) -> tuple[Place, ...]:
    """Return the places of texts that a reader of one of the folder's languages sees in the folder's own.

    A language that refines another, as 'pt-BR' does 'pt', or the folder's own, lacks only what both lack.
    """
    if tag.lower().startswith(f"{definition.study.language.lower()}-"):
        return ()
    said = {
        place
        for name in languages_for(definition, tag)
        for place in translations_of(definition.languages[name])
    }
    return tuple(place for place in texts_of(definition) if place not in said)


# -- the one walk over all that can be translated


def _rewritten(definition: StudyDefinition, say: _Say) -> StudyDefinition:
    return replace(
        definition,
        study=_study(definition.study, say),
        eligibility=_eligibility(definition.eligibility, say),
        schedule=_schedule(definition.schedule, say),
        forms=tuple(_form(form, say) for form in definition.forms),
        safety=None if definition.safety is None else _safety(definition.safety, say),
        supply=replace(
            definition.supply,
            products=tuple(_product(product, say) for product in definition.supply.products),
        ),
    )


def _optional(say: _Say, place: Place, text: str | None) -> str | None:
    return None if text is None else say(place, text)


def _study(study: Study, say: _Say) -> Study:
    return replace(
        study,
        title=say(("title",), study.title),
        roles=tuple(replace(role, name=say(("roles", role.id), role.name)) for role in study.roles),
        interventions=tuple(
            replace(given, name=say(("interventions", given.id), given.name)) for given in study.interventions
        ),
        epochs=tuple(replace(epoch, name=say(("epochs", epoch.id), epoch.name)) for epoch in study.epochs),
        arms=tuple(
            replace(
                arm,
                name=say(("arms", arm.id, "name"), arm.name),
                short_name=_optional(say, ("arms", arm.id, "short_name"), arm.short_name),
            )
            for arm in study.arms
        ),
    )


def _eligibility(eligibility: Eligibility, say: _Say) -> Eligibility:
    return replace(
        eligibility,
        title=say(("eligibility", "title"), eligibility.title),
        criteria=_criteria(eligibility.criteria, ("eligibility", "criteria"), say),
        variants=tuple(
            replace(
                variant,
                title=say(("eligibility", "variants", variant.id, "title"), variant.title),
                criteria=_criteria(
                    variant.criteria, ("eligibility", "variants", variant.id, "criteria"), say
                ),
            )
            for variant in eligibility.variants
        ),
    )


def _criteria(criteria: tuple[Criterion, ...], place: Place, say: _Say) -> tuple[Criterion, ...]:
    return tuple(
        replace(criterion, text=say((*place, criterion.id), criterion.text)) for criterion in criteria
    )


def _schedule(schedule: Schedule, say: _Say) -> Schedule:
    return replace(
        schedule,
        encounters=tuple(
            replace(visit, name=say(("encounters", visit.id), visit.name)) for visit in schedule.encounters
        ),
        activities=tuple(_activity(activity, say) for activity in schedule.activities),
    )


def _activity(activity: Activity, say: _Say) -> Activity:
    place = ("activities", activity.id)
    name = say((*place, "name"), activity.name)
    return replace(activity, name=name, note=_optional(say, (*place, "note"), activity.note))


def _form(form: Form, say: _Say) -> Form:
    place = ("forms", form.id)
    return replace(
        form,
        title=say((*place, "title"), form.title),
        items=tuple(_item(item, (*place, "items", item.id), say) for item in form.items),
        checks=tuple(
            replace(check, message=say((*place, "checks", check.id), check.message)) for check in form.checks
        ),
    )


def _item(item: Item, place: Place, say: _Say) -> Item:
    return replace(
        item,
        label=say((*place, "label"), item.label),
        help=_optional(say, (*place, "help"), item.help),
        codes=tuple(
            replace(code, label=say((*place, "codes", code.code), code.label)) for code in item.codes
        ),
    )


def _safety(safety: Safety, say: _Say) -> Safety:
    clocks = (replace(clock, title=say(("clocks", clock.id), clock.title)) for clock in safety.clocks)
    return replace(safety, clocks=tuple(clocks))


def _product(product: Product, say: _Say) -> Product:
    place = ("products", product.id)
    return replace(
        product,
        name=say((*place, "name"), product.name),
        unit_name=say((*place, "unit_name"), product.unit_name),
        dose=_optional(say, (*place, "dose"), product.dose),
        release=tuple(
            replace(rule, text=say((*place, "release", rule.id), rule.text)) for rule in product.release
        ),
    )
