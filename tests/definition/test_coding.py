"""Which answers are coded, and where a coded term stands in datasets."""

from dataclasses import replace

import pytest

from equipoise.definition.coded import Coding, Level
from equipoise.definition.coding import LEVELS, coded_items, coded_with, title_of_dictionary
from equipoise.definition.sdtm.coded import LABELS, coded_cells, coded_endings
from tests.small_trial import ADVERSE_EVENTS, item, make_definition


def a_coding(dictionary: str, *levels: str) -> Coding:
    return Coding(
        dictionary, "1.0", tuple(Level(each, f"code of {each}", f"term of {each}") for each in levels)
    )


def test_spec_the_items_that_are_coded_are_found_in_their_order_with_their_dictionary() -> None:
    assert list(coded_items(make_definition())) == [] and coded_with(make_definition()) == ()
    term, *others = ADVERSE_EVENTS.items
    taken = item("taken_for_it", "text", required=False, coded_with="whodrug")
    form = replace(ADVERSE_EVENTS, items=(replace(term, coded_with="meddra"), *others, taken))
    forms = tuple(form if each.id == form.id else each for each in make_definition().forms)
    definition = make_definition(forms=forms)
    assert [(each.id, name) for _form, each, name in coded_items(definition)] == [
        ("term", "meddra"),
        ("taken_for_it", "whodrug"),
    ]
    assert coded_with(definition) == ("meddra", "whodrug")


def test_spec_a_dictionary_has_its_own_name_and_another_is_called_as_it_is() -> None:
    assert [title_of_dictionary(each) for each in ("meddra", "whodrug", "other")] == [
        "MedDRA",
        "WHODrug",
        "other",
    ]


def test_spec_a_level_of_a_coding_is_found_by_its_name() -> None:
    coding = a_coding("meddra", *LEVELS["meddra"])
    assert coding.at("PT") == Level("PT", "code of PT", "term of PT")
    assert coding.at("ATC4") is None


def test_spec_every_level_of_MedDRA_has_its_variables() -> None:
    cells = dict(coded_cells(a_coding("meddra", *LEVELS["meddra"])))
    assert cells.keys() == set(coded_endings("meddra")) == LABELS.keys() - {"CLAS", "CLASCD"}
    assert (cells["DECOD"], cells["PTCD"]) == ("term of PT", "code of PT")
    assert cells["BODSYS"] == cells["SOC"] == "term of SOC"


@pytest.mark.parametrize(
    ("levels", "filled"),
    [
        (("DRUG",), {}),
        (("DRUG", "PREFERRED"), {"DECOD": "term of PREFERRED"}),
        (
            ("DRUG", "PREFERRED", "ATC2", "ATC1"),
            {"DECOD": "term of PREFERRED", "CLAS": "term of ATC2", "CLASCD": "code of ATC2"},
        ),
    ],
)
def test_spec_a_medicine_has_its_preferred_name_and_its_lowest_class(
    levels: tuple[str, ...], filled: dict[str, str]
) -> None:
    assert dict(coded_cells(a_coding("whodrug", *levels))) == filled
    assert set(filled) <= set(coded_endings("whodrug"))


def test_spec_of_another_dictionary_nothing_is_known() -> None:
    assert list(coded_cells(a_coding("other", "PT"))) == [] and coded_endings("other") == ()
