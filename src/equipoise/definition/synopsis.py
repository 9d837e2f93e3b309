"""The protocol synopsis: a study definition as a document that a trialist prints and reads."""

from __future__ import annotations

from typing import Literal

from .document import (
    Block,
    Bullets,
    Document,
    Entries,
    Entry,
    Facts,
    Heading,
    Section,
    Table,
    Words,
    to_html,
    to_markdown,
)
from .languages import missing_texts, texts_of
from .model.definition import StudyDefinition
from .model.eligibility import Criterion, Variant
from .model.schedule import Encounter
from .names import DefinitionNames
from .synopsis_conduct import (
    allocation_section,
    analysis_section,
    forms_section,
    imaging_section,
    safety_section,
    supply_section,
)
from .synopsis_sample_size import sample_size_section
from .synopsis_words import counted, day, filled, first_up, joined, rule_of, value_of, words


def render_synopsis(definition: StudyDefinition, format: Literal["markdown", "html"] = "markdown") -> str:
    """Return the synopsis of a definition."""
    document = synopsis_of(definition)
    return to_html(document) if format == "html" else to_markdown(document)


def synopsis_of(definition: StudyDefinition) -> Document:
    """Return the synopsis as a document; a section without content is left out."""
    study, names = definition.study, DefinitionNames(definition)
    sections = (
        _identity_section(definition),
        _design_section(definition),
        _masking_section(definition),
        _eligibility_section(definition, names),
        _variants_section(definition, names),
        schedule_section(definition),
        allocation_section(definition, names),
        supply_section(definition, names),
        safety_section(definition, names),
        imaging_section(definition),
        analysis_section(definition, names),
        sample_size_section(definition),
        _sites_section(definition),
        assumptions_section(definition),
        _contradictions_section(definition),
        forms_section(definition, names),
    )
    title = f"{study.title} ({study.acronym})" if study.acronym else study.title
    return Document(
        title=title,
        subtitle=study.official_title or "",
        language=study.language,
        sections=tuple(section for section in sections if section.blocks),
        footer=f"Protocol version {study.version}. Study definition {definition.hash or 'without hash'}.",
    )


def _identity_section(definition: StudyDefinition) -> Section:
    study, registry = definition.study, definition.registry
    collaborators = [f"{c.name} ({words(c.kind)})" for c in study.collaborators]
    officials = [
        ", ".join(part for part in (person.name, person.role, person.affiliation) if part)
        for person in study.officials
    ]
    numbers = [
        f"{number.registry} {number.value}" + (f" ({number.note})" if number.note else "")
        for number in study.identifiers
    ]
    dates = study.dates
    facts = filled(
        ("Identifiers", "; ".join(numbers)),
        ("Protocol version", study.version),
        ("Sponsor", study.sponsor.name),
        ("Collaborators", "; ".join(collaborators)),
        ("Responsible party", study.responsible_party),
        ("Officials", "; ".join(officials)),
        ("Condition", joined(study.conditions)),
        ("Keywords", ", ".join(study.keywords)),
        ("Start", day(dates.start) if dates.start else None),
        ("Primary completion", day(dates.primary_completion) if dates.primary_completion else None),
        ("Completion", day(dates.completion) if dates.completion else None),
        ("Language", study.language),
        ("Translations", _translations(definition)),
        ("Definition", definition.hash),
    )
    blocks: tuple[Block, ...] = (Facts(facts),)
    if registry is not None:
        blocks += tuple(
            Words(text) for text in (registry.brief_summary, registry.detailed_description) if text
        )
    return Section("The study", blocks)


def _translations(definition: StudyDefinition) -> str:
    """The further languages, each with how many of the texts for sites it has."""
    number = len(texts_of(definition))
    return ", ".join(
        f"{tag} ({number - len(missing_texts(definition, tag))} of {number} texts)"
        for tag in sorted(definition.languages)
    )


def _phase(phases: tuple[str, ...]) -> str:
    named = [phase.removeprefix("phase_") for phase in phases if phase != "not_applicable"]
    return f"Phase {'/'.join(map(words, named))}" if named else "not applicable"


def _design_words(definition: StudyDefinition) -> str:
    study = definition.study
    countries = {site.country for site in study.sites}
    masking = "open" if not study.masking.parties else f"{study.masking.level}-masked"
    arms = "sequence" if study.model == "crossover" else "arm"
    return (
        f"{'Randomised' if study.randomised else 'Non-randomised'}, {masking}, {words(study.model)} "
        f"{words(study.type)} study with {counted(len(study.arms), arms)} and "
        f"{counted(len(study.epochs), 'epoch')}, at {counted(len(study.sites), 'site')} in "
        f"{'1 country' if len(countries) == 1 else f'{len(countries)} countries'}."
    )


def _design_section(definition: StudyDefinition) -> Section:
    study = definition.study
    called = {intervention.id: intervention.name for intervention in study.interventions}
    facts = filled(
        ("Design", _design_words(definition)),
        ("Phase", _phase(study.phases)),
        ("Purpose", first_up(words(study.purpose))),
        ("Planned enrolment", counted(study.planned_enrolment, "participant")),
    )
    arms = Table(
        head=("Arm", *(epoch.name for epoch in study.epochs)),
        subheads=(("Type", *(words(epoch.type) for epoch in study.epochs)),),
        rows=tuple(
            (
                f"{arm.name} ({words(arm.type)})",
                *(
                    " + ".join(called[i] for i in arm.cells.get(epoch.id, ())) or "–"
                    for epoch in study.epochs
                ),
            )
            for arm in study.arms
        ),
    )
    notes = tuple(Words(f"{arm.name}: {arm.text}") for arm in study.arms if arm.text)
    interventions = Table(
        head=("Intervention", "Type", "Description"),
        rows=tuple(
            (
                found.name + (f" ({', '.join(found.other_names)})" if found.other_names else ""),
                words(found.type) + (", placebo" if found.placebo else ""),
                found.text or "–",
            )
            for found in study.interventions
        ),
    )
    return Section("Design", (Facts(facts), Heading("Arms and epochs"), arms, *notes, interventions))


def _masking_section(definition: StudyDefinition) -> Section:
    study = definition.study
    masked = [words(party) for party in study.masking.parties]
    facts = filled(
        ("Masked", first_up(joined(masked)) if masked else "Nobody: the study is open"),
        ("How it is kept", study.masking.text),
        ("Unmasked roles", joined(role.name for role in study.roles if not role.masked)),
        ("Open epochs", ", ".join(epoch.name for epoch in study.epochs if not epoch.masked)),
    )
    roles = Table(
        head=("Role", "Kind", "Knows the allocation", "Sees"),
        rows=tuple(
            (
                role.name,
                words(role.kind),
                "no, masked" if role.masked else "may know",
                "its site" if role.scope == "site" else "the whole trial",
            )
            for role in study.roles
        ),
    )
    return Section("Masking and roles", (Facts(facts), roles))


def _label(criterion: Criterion) -> str:
    number = str(criterion.number)
    return criterion.id if criterion.id.endswith(number) else f"{number} ({criterion.id})"


def _entry(criterion: Criterion, names: DefinitionNames, note: str | None = None) -> Entry:
    rule = None if criterion.when is None else rule_of(criterion.when, names)
    draft = "Draft: nobody can be enrolled under it." if rule is None else None
    return Entry(_label(criterion), criterion.text, rule, note or draft)


def _eligibility_section(definition: StudyDefinition, names: DefinitionNames) -> Section:
    eligibility = definition.eligibility
    youngest, oldest = eligibility.age_minimum_years, eligibility.age_maximum_years
    facts = filled(
        ("Rules", eligibility.title),
        ("Sex", eligibility.sex),
        ("Minimum age", f"{youngest} years" if youngest is not None else None),
        ("Maximum age", f"{oldest} years" if oldest is not None else None),
        ("Healthy volunteers", "accepted" if eligibility.healthy_volunteers else "not accepted"),
        (
            "Screened again",
            f"after {eligibility.rescreening_after_days} days at the earliest"
            if eligibility.rescreening_after_days
            else None,
        ),
    )
    blocks: list[Block] = [Facts(facts)]
    for category, meaning in (("inclusion", "each must be met"), ("exclusion", "none may be met")):
        found = sorted((c for c in eligibility.criteria if c.category == category), key=lambda c: c.number)
        if found:
            blocks.append(Heading(f"{category.capitalize()} criteria ({meaning})"))
            blocks.append(Entries(tuple(_entry(criterion, names) for criterion in found)))
    if eligibility.variables:
        terms = (
            (first_up(names.variable_label(name)), value_of(node, names))
            for name, node in eligibility.variables.items()
        )
        blocks += [Heading("Terms of these rules"), Facts(tuple(terms))]
    return Section("Eligibility", tuple(blocks))


def _variants_section(definition: StudyDefinition, names: DefinitionNames) -> Section:
    blocks: list[Block] = []
    for variant in definition.eligibility.variants:
        blocks += _variant_blocks(definition, variant, names)
    return Section("Variants of the rules", tuple(blocks))


def _variant_blocks(definition: StudyDefinition, variant: Variant, names: DefinitionNames) -> list[Block]:
    sites = [site.id for site in definition.study.sites if definition.variant_of(site.id) == variant.id]
    common = {criterion.id: criterion for criterion in definition.eligibility.criteria}
    facts = filled(
        ("Holds from", day(variant.approved_from)),
        ("Holds at", joined(sites)),
        ("Source", variant.source),
    )
    changed = [
        _entry(c, names, f"Instead of: {common[c.id].text}" if c.id in common else f"Added ({c.category}).")
        for c in variant.criteria
    ]
    removed = [
        Entry(_label(common[name]), "Does not hold.", None, f"Removed: {common[name].text}")
        for name in variant.remove
    ]
    return [Heading(variant.title), Facts(facts), Entries((*changed, *removed))]


_ANCHORED = {"consent": "consent", "randomisation": "randomisation", "first_administration": "first dose"}


def _window(encounter: Encounter) -> str:
    day_words = f"day {encounter.day}".replace("-", "−")
    if not encounter.early_days and not encounter.late_days:
        return day_words
    if encounter.early_days == encounter.late_days:
        return f"{day_words} ±{encounter.early_days}"
    return f"{day_words} −{encounter.early_days}/+{encounter.late_days}"


def schedule_section(definition: StudyDefinition) -> Section:
    """Say what is done at which encounter, and on which forms it is recorded."""
    schedule = definition.schedule
    encounters = [encounter for encounter in schedule.encounters if not encounter.retired]
    epochs = {epoch.id: epoch.name for epoch in definition.study.epochs}
    titles = {form.id: form.title for form in definition.forms}
    notes: list[str] = []
    rows = []
    for activity in schedule.activities:
        mark = ""
        if activity.note:
            notes.append(f"{len(notes) + 1}) {activity.name}: {activity.note}")
            mark = f" {len(notes)})"
        marks = ("×" if encounter.id in activity.encounters else "" for encounter in encounters)
        rows.append((f"{activity.name}{mark}", *marks))
    table = Table(
        head=("Activity", *(encounter.name for encounter in encounters)),
        subheads=(
            ("Epoch", *(epochs[encounter.epoch] for encounter in encounters)),
            ("Day and window", *(_window(encounter) for encounter in encounters)),
            ("Counted from", *(_ANCHORED[encounter.anchor] for encounter in encounters)),
        ),
        rows=tuple(rows),
        wide=True,
    )
    facts = filled(
        ("At any time", ", ".join(titles[form] for form in schedule.logs)),
        ("At unplanned visits", ", ".join(titles[form] for form in schedule.unscheduled)),
    )
    recorded = [
        f"{activity.name}: {joined(titles[form] for form in activity.forms)}"
        for activity in schedule.activities
        if activity.forms
    ]
    blocks: list[Block] = [table, *map(Words, notes)]
    blocks += [Facts(facts)] if facts else []
    blocks += [Heading("Recorded on"), Bullets(tuple(recorded))] if recorded else []
    return Section("Schedule of activities", tuple(blocks))


def _sites_section(definition: StudyDefinition) -> Section:
    study = definition.study
    called = {sub_trial.id: sub_trial.name for sub_trial in study.sub_trials}
    variants = {variant.id: variant.title for variant in definition.eligibility.variants}
    rows = tuple(
        (
            site.country,
            site.id,
            site.name + (f", {site.city}" if site.city else "") + (" (assumed)" if site.assumed else ""),
            called.get(site.sub_trial or "", "–"),
            variants.get(definition.variant_of(site.id) or "", definition.eligibility.title),
        )
        for site in sorted(study.sites, key=lambda site: (site.country, site.id))
    )
    blocks: tuple[Block, ...] = (Table(("Country", "Site", "Name", "Sub-trial", "Rules"), rows),)
    if study.sub_trials:
        national = ((s.name, s.country, s.registration or "–", s.status or "–") for s in study.sub_trials)
        head = ("Sub-trial", "Country", "Registration", "Status")
        blocks += (Heading("National trials"), Table(head, tuple(national)))
    return Section("Sites", blocks)


def assumptions_section(definition: StudyDefinition) -> Section:
    """Say what the definition takes for granted although no source states it."""
    found = definition.study.assumptions
    if not found:
        return Section("Assumptions", ())
    rows = tuple((assumption.text, assumption.source) for assumption in found)
    opening = Words("No source states these; the definition takes them for granted.")
    return Section("Assumptions", (opening, Table(("Assumption", "Source"), rows)))


def _contradictions_section(definition: StudyDefinition) -> Section:
    found = () if definition.registry is None else definition.registry.contradictions
    if not found:
        return Section("Contradictions of the record", ())
    rows = tuple((c.topic, " / ".join(c.places), c.followed) for c in found)
    table = Table(("Topic", "What the places say", "What is followed here"), rows)
    return Section("Contradictions of the record", (table,))
