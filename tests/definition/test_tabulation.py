"""Where forms go in the tabulation datasets, and the laws of short names, labels and submitted values."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.definition.expression import PartialDate
from equipoise.definition.lint_datasets import check_datasets
from equipoise.definition.model.datasets import Datasets, TabulatedTest, TabulatedVariable, Tabulation
from equipoise.definition.model.forms import Code, Form, Item
from equipoise.definition.sdtm.guide import (
    LABEL_LENGTH_MAX,
    NAME_LENGTH_MAX,
    TEXT_LENGTH_MAX,
    code_lists,
    domains,
)
from equipoise.definition.sdtm.naming import ShortNames, cut_text, short_label
from equipoise.definition.tabulation import permitted, placed, submitted, tabulations, unit_of
from tests.small_trial import make_definition

SMALL = make_definition()


def with_plan(*forms: Tabulation, extra: tuple[Form, ...] = ()) -> list[tuple[str, str, str]]:
    definition = replace(SMALL, forms=(*SMALL.forms, *extra), datasets=Datasets(forms=forms))
    return [(each.item, each.domain, each.place) for each in placed(definition)]


@given(st.lists(st.text(max_size=30), max_size=40), st.sampled_from(["", "FL"]))
def test_law_short_names_are_valid_and_each_given_once(wanted: list[str], ending: str) -> None:
    names = ShortNames(["AGE"])
    made = [names.new(each, ending) for each in wanted]
    assert len({*made, "AGE"}) == len(made) + 1
    for name in made:
        assert len(name) <= NAME_LENGTH_MAX and name.isascii() and name.isalnum() and name.isupper()
        assert name[0].isalpha() and name.endswith(ending)


@given(st.text(max_size=300), st.integers(min_value=4, max_value=TEXT_LENGTH_MAX))
def test_law_a_cut_text_is_a_beginning_within_its_length(text: str, length: int) -> None:
    piece = cut_text(text, length)
    assert text.startswith(piece) and len(piece.encode()) <= length
    assert piece == text or len(text.encode()) > length
    # Cutting again and again comes to an end.
    assert piece or not text.strip(" ,;:(")


@given(st.text(alphabet="a ,é😀", max_size=60), st.integers(min_value=4, max_value=30))
def test_law_a_cut_text_is_at_least_half_of_what_fits_unless_it_ends_in_marks(text: str, length: int) -> None:
    piece = cut_text(text, length)
    assert len(piece.encode()) <= length
    fits = text.encode()[:length].decode(errors="ignore")
    assert 2 * len(piece) >= len(fits) or not text[len(piece) : (len(fits) + 1) // 2].strip(" ,")


@pytest.mark.parametrize(
    ("text", "length", "piece"),
    [
        (" " + "a" * 300, 200, " " + "a" * 199),
        ("a " + "b" * 300, 200, "a " + "b" * 198),
        ("one two three", 7, "one two"),
        ("one two three", 8, "one two"),
        ("one two three", 10, "one two"),
        ("one, two", 5, "one"),
    ],
)
def test_spec_a_text_is_cut_between_words_where_one_word_is_not_most_of_it(
    text: str, length: int, piece: str
) -> None:
    assert cut_text(text, length) == piece


@given(st.text(max_size=120))
def test_law_a_label_is_short_and_ascii(text: str) -> None:
    label = short_label(text)
    assert len(label) <= LABEL_LENGTH_MAX and label.isascii()


def test_spec_every_variable_of_the_guide_has_a_name_and_a_label_within_the_limits() -> None:
    for domain in domains().values():
        names = [each.name for each in domain.variables]
        assert len(set(names)) == len(names)
        assert all(len(name) <= NAME_LENGTH_MAX for name in names)
        assert all(0 < len(each.label) <= LABEL_LENGTH_MAX for each in domain.variables)
        assert len(domain.label) <= LABEL_LENGTH_MAX


def test_spec_a_code_list_has_each_value_once_and_no_word_means_two_values() -> None:
    for each in code_lists().values():
        words = [word.casefold() for term in each.terms for word in {term.value, *term.synonyms}]
        assert len(set(words)) == len(words), each.name


def test_spec_a_form_without_a_plan_goes_where_the_definition_says_what_it_is() -> None:
    found = {each.item: (each.domain, each.place) for each in placed(SMALL)}
    assert found["adverse_event.term"] == ("AE", "AETERM")
    assert found["adverse_event.serious"] == ("AE", "AESER")
    assert found["demographics.sex"] == ("DM", "SEX")
    assert found["demographics.birth_date"] == ("DM", "BRTHDTC")
    assert found["labs.crp"][0] == "ZF"
    assert {each.domain for each in tabulations(SMALL) if each.form == "infusion"} == {"EX"}


def test_spec_what_a_plan_leaves_out_of_a_form_is_kept_beside_it() -> None:
    tests = (TabulatedTest(item="weight", code="WEIGHT", name="Weight"),)
    found = with_plan(Tabulation(form="vitals", domain="VS", tests=tests))
    vitals = {item: place for item, _, place in found if item.startswith("vitals.")}
    assert vitals["vitals.weight"] == "VSTESTCD WEIGHT"
    assert vitals["vitals.systolic"] == "VSTESTCD SYSTOLIC"
    term = TabulatedVariable(item="term", variable="CETERM")
    events = with_plan(Tabulation(form="adverse_event", domain="CE", variables=(term,)))
    places = {item: place for item, _, place in events if item.startswith("adverse_event.")}
    assert places["adverse_event.onset"] == "CESTDTC"
    assert places["adverse_event.severity"] == "SUPPCE CESEVERI"


def test_spec_a_form_that_asks_only_for_its_date_keeps_it() -> None:
    asked = Item(id="seen_on", label="Seen on", type="date")
    form = Form(id="glimpse", title="Glimpse", dated_by="seen_on", items=(asked,))
    assert ("glimpse.seen_on", "ZF", "ZFTESTCD SEENON") in with_plan(extra=(form,))


def test_spec_a_log_without_a_domain_is_kept_among_the_findings() -> None:
    asked = Item(id="what", label="What", type="text")
    log = Form(id="diary", title="Diary", repeating=True, items=(asked,))
    assert ("diary.what", "ZF", "ZFTESTCD WHAT") in with_plan(extra=(log,))


def test_spec_what_a_record_has_no_place_for_becomes_a_qualifier_or_without_a_record_a_finding() -> None:
    sex = TabulatedVariable(item="sex", variable="SEX")
    found = with_plan(Tabulation(form="demographics", domain="DM", variables=(sex,)))
    assert ("demographics.birth_date", "DM", "SUPPDM BIRTHDAT") in found
    heavy = TabulatedTest(item="weight", name="Heavy")
    found = with_plan(Tabulation(form="vitals", domain="MH", tests=(heavy,)))
    assert {domain for item, domain, _ in found if item == "vitals.weight"} == {"MH"}
    assert {domain for item, domain, _ in found if item == "vitals.systolic"} == {"ZF"}


def test_spec_a_form_of_which_everything_is_named_gets_nothing_more() -> None:
    form = Form(id="scale", title="Scale", items=(SCORE,))
    test = TabulatedTest(item="score", code="SCORE", name="Score")
    found = with_plan(Tabulation(form="scale", domain="QS", tests=(test,)), extra=(form,))
    assert [each for each in found if each[0].startswith("scale.")] == [
        ("scale.score", "QS", "QSTESTCD SCORE")
    ]


SCORE = Item(id="score", label="Score", type="integer", minimum=Decimal(0), maximum=Decimal(2))


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        (TabulatedVariable(item="nobody", variable="ZFORRES"), "There is no item 'scale.nobody'."),
        (
            TabulatedTest(item="score", code="SCORE", name="Score", dated_by="never"),
            "There is no item 'scale.never'.",
        ),
        (
            TabulatedVariable(
                item="score", qualifier="SCOREX", label="Score", values={"0": "NO", "3": "YES"}
            ),
            "'scale.score' has no answer '3'. Use one of: 0, 1, 2.",
        ),
    ],
)
def test_what_a_plan_names_and_the_form_has_not_is_said(
    entry: TabulatedVariable | TabulatedTest, sentence: str
) -> None:
    form = Form(id="scale", title="Scale", items=(SCORE,))
    variables = (entry,) if isinstance(entry, TabulatedVariable) else ()
    tests = (entry,) if isinstance(entry, TabulatedTest) else ()
    plan = Datasets(forms=(Tabulation(form="scale", domain="ZF", variables=variables, tests=tests),))
    problems = list(check_datasets(replace(SMALL, forms=(*SMALL.forms, form), datasets=plan)))
    assert any(problem.sentence.startswith(sentence) for problem in problems)


SEVERITY = Item(
    id="severity",
    label="Severity",
    type="choice",
    codes=(Code(code="mild", label="Hardly felt"), Code(code="bad", label="Severe")),
)


@pytest.mark.parametrize(
    ("value", "values", "standard"),
    [
        ("mild", {}, "MILD"),
        ("bad", {}, "SEVERE"),
        ("bad", {"bad": "MODERATE"}, "MODERATE"),
        ("unheard", {}, "unheard"),
    ],
)
def test_spec_an_answer_is_mapped_or_matched_or_stands_as_its_label(value, values, standard) -> None:
    found = submitted(SEVERITY, value, values, "C66769")
    assert found is not None and found.standard == standard


def test_spec_answers_of_other_types_are_submitted_as_they_were_given() -> None:
    number = Item(id="n", label="N", type="decimal")
    assert submitted(number, None, {}) is None
    found = submitted(number, Decimal("1.50"), {})
    assert found is not None and (found.collected, found.number) == ("1.50", 1.5)
    for value, text in ((True, "Y"), (False, "N"), (PartialDate(2024, 5), "2024-05")):
        given_as = submitted(Item(id="x", label="X", type="boolean"), value, {})
        assert given_as is not None and given_as.standard == text
    assert permitted(SEVERITY, {}, "C66769") == ("MILD", "SEVERE")
    assert permitted(Item(id="x", label="X", type="boolean"), {}) == ("Y", "N")


def test_spec_a_unit_is_the_submission_value_of_its_ucum_code() -> None:
    pulse = Item(id="pulse", label="Pulse", type="integer", unit="/min")
    assert unit_of(pulse, domains()["VS"], None) == "beats/min"
    assert unit_of(pulse, domains()["VS"], "BEATS") == "BEATS"
    assert unit_of(replace(pulse, unit="furlong"), domains()["VS"], None) == "furlong"
