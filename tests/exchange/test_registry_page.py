"""The registry page of a definition: the registry's own headings, read back by the reader of such pages."""

from dataclasses import replace
from pathlib import Path

from equipoise.definition.document import Bullets, Document, Entries, Facts, Heading, Table, Words
from equipoise.definition.load import load_study
from equipoise.definition.model.definition import StudyDefinition
from equipoise.exchange.registry import RegistryRecord, read_record, registry_page
from equipoise.exchange.registry.page_layout import LAYOUT
from equipoise.exchange.registry.stated import outcomes_of, title_case
from equipoise.studies import study_folder

DEFINITION = load_study(study_folder("mesems")).definition
_OWN = "Assumptions of the definition"


def lines_of(document: Document) -> list[str]:
    """The page as somebody would copy it from a browser."""
    lines = [document.title]
    for section in document.sections:
        if section.title == _OWN:
            continue
        lines.append(section.title)
        under = ""
        for block in section.blocks:
            if isinstance(block, Heading):
                under = block.text
                lines.append(block.text)
            elif isinstance(block, Words):
                lines.append(block.text)
            elif isinstance(block, Bullets):
                lines += [f"  • {item}" for item in block.items]
            elif isinstance(block, Facts):
                lines += [text for pair in block.pairs for text in pair]
            elif isinstance(block, Entries):
                lines += [f"  {entry.label} {entry.text}" for entry in block.entries]
            elif isinstance(block, Table) and under.endswith("Outcome Measures"):
                lines += [
                    cell for row in block.rows for cell in (row[0], f"Time Frame: {row[2]}", row[1], row[2])
                ]
            elif isinstance(block, Table) and under == "Arms and Interventions":
                for arm, text, given in block.rows:
                    lines += [arm, text, *given.split("; ")]
    return lines


def reread(definition: StudyDefinition, folder: Path) -> RegistryRecord:
    page = folder / "page.txt"
    page.write_text("\n\n".join(lines_of(registry_page(definition))), encoding="utf-8")
    return read_record(page)


def test_every_heading_is_one_that_the_registry_prints_in_its_order():
    sections = [section for section in registry_page(DEFINITION).sections if section.title != _OWN]
    assert [section.title for section in sections] == [title for title in LAYOUT if title in LAYOUT]
    for section in sections:
        for block in section.blocks:
            if isinstance(block, Heading) and block.text != "Registrations of the national trials":
                assert block.text.removesuffix(" (Estimated)") in LAYOUT[section.title]


def test_double_the_reader_of_registry_pages_finds_the_definition_again(tmp_path: Path):
    record = reread(DEFINITION, tmp_path)
    study = DEFINITION.study
    info = record.design.info
    assert [each.text for each in record.conditions.conditions] == list(study.conditions)
    assert [each.text for each in record.design.phases] == ["Phase 1", "Phase 2"]
    assert record.design.enrolment.count is not None and record.design.enrolment.type is not None
    assert (record.design.enrolment.count.text, record.design.enrolment.type.text) == ("144", "Estimated")
    assert info.allocation is not None and info.allocation.text == "Randomized"
    assert info.intervention_model is not None and info.intervention_model.text == "Crossover Assignment"
    assert info.primary_purpose is not None and info.primary_purpose.text == "Treatment"
    assert info.masking_info.masking is not None and info.masking_info.masking.text.startswith("Quadruple")
    assert record.status.start.date is not None and record.status.start.date.text == "2013-02-01"
    assert [arm.label.text for arm in record.arms.arm_groups if arm.label] == [arm.name for arm in study.arms]


def test_double_outcomes_and_criteria_are_read_back_as_they_stand(tmp_path: Path):
    record = reread(DEFINITION, tmp_path)
    outcomes = outcomes_of(DEFINITION)
    for category, found in (("primary", record.outcomes.primary), ("secondary", record.outcomes.secondary)):
        read = [
            (each.measure and each.measure.text, each.time_frame and each.time_frame.text) for each in found
        ]
        assert read == [(each.measure, each.time_frame) for each in outcomes[category]]
    criteria = {each.id: each.text.text for each in record.eligibility.criteria}
    assert criteria == {each.id: each.text for each in DEFINITION.eligibility.criteria}
    assert record.eligibility.minimum_age is not None and record.eligibility.maximum_age is not None
    assert (record.eligibility.minimum_age.text, record.eligibility.maximum_age.text) == (
        "18 years",
        "50 years",
    )


def test_without_a_registry_file_the_endpoints_are_the_outcome_measures():
    bare = replace(DEFINITION, registry=None)
    primary = [each.title for each in DEFINITION.analysis.endpoints if each.role == "primary"]
    assert [each.measure for each in outcomes_of(bare)["primary"]] == primary
    assert "Study Plan" in [section.title for section in registry_page(bare).sections]


def test_what_is_assumed_is_marked_and_listed():
    sections = {section.title: section for section in registry_page(DEFINITION).sections}
    (table,) = (each for each in sections["Contacts and Locations"].blocks if isinstance(each, Table))
    marked = [row for row in table.rows if row[2].endswith("(assumed)")]
    assert len(marked) == sum(site.assumed for site in DEFINITION.study.sites)
    (listed,) = (each for each in sections[_OWN].blocks if isinstance(each, Table))
    assert len(listed.rows) == len(DEFINITION.study.assumptions)


def test_words_of_the_format_are_written_as_the_registry_writes_them():
    assert title_case("placebo_comparator") == "Placebo Comparator"
