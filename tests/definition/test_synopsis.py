"""The synopsis: all that a trialist looks for, in both formats, and no text that is taken for markup."""

import re
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.definition.document import escape
from equipoise.definition.load import check_study, load_study
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.sample_size import (
    Assumed,
    EventAssumptions,
    FutilityBoundary,
    InterimAnalyses,
    MeanAssumptions,
    ProportionAssumptions,
)
from equipoise.definition.names import DefinitionNames, inner, plural
from equipoise.definition.synopsis import render_synopsis, synopsis_of
from equipoise.definition.synopsis_sample_size import boundaries_words
from equipoise.definition.synopsis_words import counted, joined
from tests.definition.folders import write_study


@pytest.fixture(scope="module")
def definition(tmp_path_factory: pytest.TempPathFactory) -> StudyDefinition:
    return load_study(write_study(tmp_path_factory.mktemp("study"))).definition


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> StudyDefinition:
    """The example study with every key that the example leaves out."""

    def edit(files: dict[str, str]) -> None:
        for name, old, new in CHANGES:
            assert files[name].count(old) == 1, (name, old)
            files[name] = files[name].replace(old, new)

    loaded, findings = check_study(write_study(tmp_path_factory.mktemp("rich"), edit=edit))
    assert loaded is not None, [finding.line() for finding in findings]
    return loaded


CHANGES = (
    (
        "study.yaml",
        "phases: [phase_2]",
        "official_title: A randomised <trial>\nphases: [phase_1, phase_2]\n"
        "dates: {start: 2024-01-02, primary_completion: 2025-01-02, completion: 2025-06-30}\n"
        "collaborators: [{name: A foundation, kind: funder}]\n"
        "officials: [{name: A. Person, role: Chair, affiliation: A place}]\nresponsible_party: The sponsor",
    ),
    ("study.yaml", "name: Placebo capsule,", "name: Placebo capsule, other_names: [Dummy],"),
    ("study.yaml", "name: Period 2, type: treatment}", "name: Period 2, type: treatment, masked: false}"),
    ("study.yaml", "    name: Placebo first\n", "    name: Placebo first\n    text: The other way round.\n"),
    ("eligibility.yaml", "rescreening_after_days: 30\n", ""),
    (
        "eligibility.yaml",
        "    when: severe_events > 0\n",
        "    when:\n      all:\n        - severe_events > 0\n        - not: {text: Old, when: age > 60}\n"
        "        - {any: [age > 20, age < 90, baseline.tired]}\n        - not age > 65\n",
    ),
    ("eligibility.yaml", "    when: demography.sex = 'female' and baseline.pregnant\n", ""),
    (
        "eligibility.yaml",
        "      - {id: I1,",
        "      - {id: N, number: 7, category: inclusion, text: New}\n      - {id: I1,",
    ),
    ("schedule.yaml", "day: 28, early_days: 3, late_days: 3", "day: 28, early_days: 3, late_days: 5"),
    (
        "schedule.yaml",
        "encounters: [screening]}",
        "encounters: [screening]}\n  - {id: talk, name: Talk, encounters: [week_4]}",
    ),
    ("schedule.yaml", "unscheduled: [baseline]", "unscheduled: []"),
    ("schedule.yaml", "logs: [adverse_event]\n", "logs: []\n"),
    (
        "forms/dispensing.yaml",
        "type: integer, minimum: 1, maximum: 60",
        "type: integer, minimum: 1, unmasking: true, help: Count",
    ),
    (
        "forms/dispensing.yaml",
        "title: Dispensing\n",
        "title: Dispensing\nunmasking: true\nrepeating: true\nsource: Us\n",
    ),
    (
        "forms/recording.yaml",
        "label: Device, type: text",
        "label: Length, type: decimal, unit: h, maximum: 9",
    ),
    (
        "allocation.yaml",
        "method: permuted_blocks",
        "method: minimisation\n"
        "factors: [{id: tired, value: baseline.score at screening, levels: [low, high]}]",
    ),
    (
        "supply.yaml",
        "    administration_form: dispensing\n",
        "    administration_form: dispensing\n    manufacture_form: baseline\n    collected_at: screening\n"
        "    manufacture_days_max: 9\n    released_before_randomisation: true\n"
        "    release: [{id: fit, text: Fit for use, when: baseline.score > 1}]\n",
    ),
    ("imaging.yaml", "acquisition_form", "visible_to_sites: true\nacquisition_form"),
    (
        "analysis.yaml",
        "    analysis: {model: descriptive, set: full,",
        "    sensitivity:\n"
        "      course: {model: descriptive, set: full, item: reading.wakes, repeated: [week_4, week_10],\n"
        "        note: Seen}\n"
        "      epochs: {model: descriptive, set: full, compare: epochs, against: wakes_first,\n"
        "        categories: {s: demography.sex}}\n"
        "    analysis: {model: descriptive, set: full, compare: none,",
    ),
    (
        "analysis.yaml",
        "testing: {method: fixed_sequence, order: [wakes, latency]}",
        "testing: {method: none}",
    ),
    ("analysis.yaml", "strategy: treatment_policy}", "strategy: treatment_policy, text: Whatever came}"),
)


def test_everything_that_is_looked_for_is_there(definition: StudyDefinition) -> None:
    text = render_synopsis(definition)
    for words in (
        "# Magnesium for poor sleep (CALM)",
        "quadruple-masked, crossover interventional study with 2 sequences and 3 epochs, at 2 sites",
        "| Placebo first (placebo comparator) | – | Placebo capsule | Magnesium citrate 300 mg |",
        "* **I2** Poor sleep, by a score of at least 10 or by two of three signs",
        "    - Score of at least 10: insomnia severity index (not older than 30 days) is at least 10",
        "  - Instead of: Age 18 to 70 years",
        "| Capsules are given out |  | × |  | × |  |",
        "day 28 ±3",
        "- **Strata:** site; sex: sex (female or male)",
        "| SUSAR to the authority |",
        "- **Analysis:** Negative binomial regression (log link); Full analysis set; 95% interval",
        "- **Order:** Awakenings per hour of recording → Sleep latency",
        "| One participant in ten leaves before the end. | Chosen for this example. |",
        "| Upper age | Summary: 18 to 70 years / Eligibility: 18 to 65 years | 70 years; 65 in Denmark |",
        "### Adverse event",
        definition.hash,
    ):
        assert words in text, words


def test_every_key_that_has_something_to_say_is_printed(rich: StudyDefinition) -> None:
    text = render_synopsis(rich)
    for words in (
        "A randomised \\<trial\\>",
        "Phase 1/2",
        "2 January 2024",
        "A foundation (funder)",
        "A. Person, Chair, A place",
        "Placebo capsule (Dummy)",
        "- **Open epochs:** Period 2",
        "Placebo first: The other way round.",
        "  - All of these:",
        "    - this does not hold:\n      - Old: age is more than 60",
        "Draft: nobody can be enrolled under it.",
        "* **7 (N)** New",
        "day 28 −3/+5",
        "- **Balanced by:** tired: insomnia severity index at Screening (low or high)",
        "- **Manufacture:** 9 days",
        "- **Seen by sites:** yes",
        "- **Sensitivity: course:** Descriptive, without a test; Full analysis set; 95% interval.",
        "Measured: awakenings. At: Week 4, Week 10",
        "- **Procedure:** None",
        "treatment policy (Whatever came)",
        "whole number, at least 1 | unmasked roles only; Count |",
        "number (h), at most 9",
        "- **Shown to:** unmasked roles only",
    ):
        assert words in text, words
    assert "At any time" not in text


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), name
            if name in ("href", "src"):
                self.links.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_needs_nothing_else_and_runs_nothing(rich: StudyDefinition) -> None:
    page = Page(render_synopsis(rich, "html"))
    assert page.open == []
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert page.links == [f"#{name}" for name in page.ids]
    assert "A randomised <trial>" in "".join(page.words)


def test_both_formats_say_the_same(rich: StudyDefinition) -> None:
    words = re.findall(r"\w+", " ".join(Page(render_synopsis(rich, "html")).words))
    for section in synopsis_of(rich).sections:
        assert re.findall(r"\w+", section.title)[0] in words
    written = set(re.findall(r"\w{4,}", render_synopsis(rich).replace("\\", "")))
    assert written <= set(words)


def test_a_study_with_little_to_say_is_printed_too(tmp_path: Path) -> None:
    def edit(files: dict[str, str]) -> None:
        for name in ("safety", "imaging", "supply", "registry", "rehearsal"):
            del files[f"{name}.yaml"]
        for old, new in (
            ("phases: [phase_2]\n", "randomised: false\n"),
            ("acronym: CALM\n", ""),
            ("model: crossover", "model: parallel"),
            ("  parties: [participant, care_provider, investigator, outcomes_assessor]\n", "  parties: []\n"),
            (", sub_trial: denmark", ""),
            ("sub_trials:\n  - {id: denmark, name: CALM Denmark, country: DK, variant: denmark}\n", ""),
        ):
            files["study.yaml"] = files["study.yaml"].replace(old, new)
        text = files["study.yaml"]
        files["study.yaml"] = (
            text[: text.index("assumptions:")].replace("DK", "SE").replace("SE01", "SE02", 1)
        )
        eligibility = files["eligibility.yaml"]
        eligibility = eligibility[: eligibility.index("  - id: E1")].replace("age_minimum_years: 18\n", "")
        files["eligibility.yaml"] = eligibility.replace("age_maximum_years: 70\n", "")
        files["schedule.yaml"] = re.sub(r", forms: \[.*?\]", "", files["schedule.yaml"])
        files["allocation.yaml"] = files["allocation.yaml"].replace("  informed: [data_manager]\n", "")
        files["analysis.yaml"] = files["analysis.yaml"].replace("    estimand: wakes\n", "")

    definition, findings = check_study(write_study(tmp_path, edit=edit))
    assert definition is not None, [finding.line() for finding in findings]
    text = render_synopsis(definition)
    assert "Non-randomised, open, parallel interventional study" in text
    assert "Nobody: the study is open" in text
    assert "in 1 country" in text
    assert "- **Phase:** not applicable" in text
    for title in ("Safety", "Supply", "Central reading", "Assumptions", "Contradictions", "Variants"):
        assert f"\n## {title}" not in text


@given(st.text(alphabet="a1 |*_`<>[]#-+.)\\\n~", max_size=30))
def test_no_text_can_be_taken_for_markdown(text: str) -> None:
    line = escape(text)
    assert "\n" not in line
    assert re.sub(r"\\(.)", r"\1", line) == " ".join(text.split())
    assert not re.search(r"(?<!\\)(\\\\)*[|*_`<>\[\]#~]", line)
    assert not re.match(r"[-+#]|\d+[.)] ", line)


def test_lists_and_numbers_in_words() -> None:
    assert [joined([]), joined(["a"]), joined(["a", "b", "c"], "or")] == ["none", "a", "a, b or c"]
    assert [counted(1, "site"), counted(2, "country")] == ["1 site", "2 countries"]


def test_what_has_no_terms_clocks_or_rules_has_no_headings_for_them(definition: StudyDefinition) -> None:
    assert definition.safety is not None
    bare = replace(
        definition,
        eligibility=replace(definition.eligibility, variables={}),
        analysis=replace(definition.analysis, variables={}),
        safety=replace(definition.safety, clocks=(), stopping_rules=()),
    )
    text = render_synopsis(bare)
    for title in ("Terms of", "Reporting clocks", "Stopping rules"):
        assert title in render_synopsis(definition)
        assert title not in text


def test_names_as_words(definition: StudyDefinition) -> None:
    names = DefinitionNames(definition)
    assert [plural("body"), plural("day"), plural("relapse"), plural("vital signs")] == [
        "bodies",
        "days",
        "relapses",
        "vital signs",
    ]
    assert [inner("MRI scan"), inner("Any pain?")] == ["MRI scan", "any pain"]
    assert names.item_label("nowhere", "item") == "nowhere.item"
    assert names.item_label("participant", "arm") == "the arm"
    assert names.item_label("baseline", "latency") == "time to fall asleep"
    assert names.form_label("deviation", 2) == "deviations"
    assert names.unit("nowhere", "item") is None
    assert names.choice_label("baseline", "score", 3) is None
    assert names.anchor_label("age") is None


def test_the_sample_size_is_told_with_the_basis_of_each_number(definition: StudyDefinition) -> None:
    text = render_synopsis(definition)
    _, _, section = text.partition("## Sample size\n")
    section = section.partition("\n## ")[0]
    assert "- **Compares:** Magnesium first against Placebo first" in section
    assert "- **Level:** two-sided 0.05" in section
    assert "- **Interim analyses:** at 60% of the information; alpha spending" in section
    assert (
        "| Rate in the reference group, per hour | 3.2 | 2.4, 4 | An invented sleep laboratory |" in section
    )
    ratio = "| Rate ratio (treated to reference) | 0.65 | 0.6, 0.7 | Chosen for this example (assumption) |"
    assert ratio in section
    assert "| Months over which the sites open | 3 | – | Chosen for this example (assumption) |" in section
    assert "## Sample size" not in render_synopsis(replace(definition, sample_size=None))


MEANS = MeanAssumptions(
    unit="minutes",
    difference=Assumed(value=Decimal(-5), source="x"),
    sd=Assumed(value=Decimal(10), source="x"),
    method="crossover",
)
EVENTS = EventAssumptions(
    unit="month",
    hazard=Assumed(value=Decimal("0.1"), source="x"),
    ratio=Assumed(value=Decimal("0.5"), source="x"),
    duration=Assumed(value=Decimal(24), source="x"),
)
PROPORTIONS = ProportionAssumptions(
    reference=Assumed(value=Decimal("0.5"), source="x"),
    treated=Assumed(value=Decimal("0.3"), source="x"),
    variance="unpooled",
)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ({"means": MEANS}, ("two-period crossover", "Standard deviation within a participant, minutes")),
        ({"events": EVENTS}, ("the log-rank test", "Hazard in the reference group, per month")),
        ({"proportions": PROPORTIONS}, ("the unpooled normal test", "Proportion in the treated group")),
    ],
)
def test_each_kind_of_sample_size_has_its_words(definition: StudyDefinition, kind, words) -> None:
    assert definition.sample_size is not None
    interim = InterimAnalyses(
        family="WT", information=(Decimal("0.5"), Decimal(1)), delta=Decimal("0.25"), text="Once."
    )
    plan = replace(
        definition.sample_size, counts=None, interim=interim, alpha=Decimal("0.025"), sides=1, **kind
    )
    plan = replace(plan, attrition=None, recruitment=None)
    text = render_synopsis(replace(definition, sample_size=plan))
    assert "Share of those randomised" not in text and "open site" not in text
    assert [each for each in (*words, "one-sided 0.025", "delta 0.25. Once.") if each not in text] == []


def test_stopping_for_futility_is_put_in_words() -> None:
    interim = InterimAnalyses(
        family="asOF",
        information=(Decimal("0.5"), Decimal(1)),
        futility=FutilityBoundary(family="asHSD", gamma=Decimal(-2)),
    )
    words = "; for futility, not binding, beta spending after Hwang, Shih and DeCani with gamma -2"
    assert boundaries_words(interim).endswith(words)
    binding = FutilityBoundary(family="asP", binding=True)
    words = "; for futility, binding, beta spending as Pocock's boundaries do (Lan and DeMets)"
    assert boundaries_words(replace(interim, futility=binding)).endswith(words)
