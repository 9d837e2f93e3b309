"""The Expanded Disability Status Scale: the score must fit the grades and the walking.

Kurtzke, Neurology 1983;33:1444; conversions and the floor of single grades as in Neurostatus.
"""

import pytest

from tests.studies.mesems_cast import complaints, mesems

WALKING = {
    "m200": "5.0",
    "m100": "5.5",
    "one_aid": "6.0",
    "two_aids": "6.5",
    "wheelchair": "7.0",
    "wheelchair_help": "7.5",
    "chair": "8.0",
    "bed_mostly": "8.5",
    "bed": "9.0",
    "bed_helpless": "9.5",
}
SYSTEMS = ("pyramidal", "cerebellar", "sensory", "brainstem", "cerebral", "visual", "bowel_bladder")
HALF_STEPS = [f"{half / 2:.1f}" for half in range(21)]


def examined(*grades, total, ambulation="unrestricted", cerebral=None):
    """Grades go to the systems in turn; the visual and the bladder grade only from the sixth on."""
    found = dict.fromkeys(SYSTEMS, 0) | dict(zip(SYSTEMS, grades, strict=False))
    if cerebral is not None:
        found["cerebral"] = cerebral
    converted = {"visual_converted": found["visual"], "bowel_bladder_converted": found["bowel_bladder"]}
    return complaints("edss", **found, **converted, ambulation=ambulation, total=total)


@pytest.mark.parametrize(
    ("grades", "score"),
    [
        ((0,), "0.0"),
        ((1,), "1.0"),
        ((1, 1), "1.5"),
        ((1, 1, 1, 1), "1.5"),
        ((2,), "2.0"),
        ((2, 1, 1), "2.0"),
        ((2, 2), "2.5"),
        ((2, 2, 1, 1), "2.5"),
        ((3,), "3.0"),
        ((3, 1, 1), "3.0"),
        ((2, 2, 2), "3.0"),
        ((2, 2, 2, 2), "3.0"),
        ((3, 2), "3.5"),
        ((3, 2, 2), "3.5"),
        ((3, 3), "3.5"),
        ((3, 3, 1, 1), "3.5"),
        ((2, 2, 2, 2, 2), "3.5"),
        ((4,), "4.0"),
        ((4, 1, 1), "4.0"),
        ((3, 2, 2, 2), "4.0"),
        ((3, 3, 2), "4.0"),
        ((3, 3, 3), "4.0"),
        ((2, 2, 2, 2, 2, 2), "4.0"),
        ((2, 2, 2, 2, 2, 2, 2), "4.0"),
    ],
)
def test_spec_grades_make_the_score_while_walking_is_unrestricted(grades, score):
    assert {total for total in HALF_STEPS if not examined(*grades, total=total)} == {score}


def test_spec_a_cerebral_grade_of_one_alone_leaves_the_score_at_zero():
    assert examined(0, cerebral=1, total="0") == set()
    assert examined(0, cerebral=1, total="1.0") == {"step_0"}
    assert examined(1, cerebral=1, total="1.0") == set()


def test_spec_a_cerebral_grade_of_two_counts_as_any_other():
    assert examined(0, cerebral=2, total="2.0") == set()


def test_spec_there_is_no_half_point():
    assert "no_half_point" in examined(0, total="0.5")


@pytest.mark.parametrize(("walking", "score"), WALKING.items())
def test_spec_walking_decides_from_5_0_on(walking, score):
    assert {total for total in HALF_STEPS if not examined(3, 3, total=total, ambulation=walking)} == {score}


def test_spec_three_hundred_metres_make_4_5_or_5_0():
    fits = {total for total in HALF_STEPS if not examined(3, 3, total=total, ambulation="m300")}
    assert fits == {"4.5", "5.0"}


def test_spec_a_score_below_4_0_needs_unrestricted_walking():
    assert "walking_below_4_0" in examined(3, total="3.0", ambulation="m300")


def test_spec_the_score_is_not_below_a_single_grade():
    assert "not_below_a_grade" in examined(5, total="4.5")
    assert examined(5, total="5.0") == set()


@pytest.mark.parametrize(
    ("system", "converts"),
    [("visual", (0, 1, 2, 2, 3, 3, 4)), ("bowel_bladder", (0, 1, 2, 3, 3, 4, 5))],
)
def test_spec_visual_and_bladder_grades_are_converted(system, converts):
    for grade, right in enumerate(converts):
        for given in range(right + 1):
            answers = {system: grade, f"{system}_converted": given}
            found = complaints("edss", **answers)
            assert (f"{system}_conversion" in found) is (given != right)


def test_spec_a_form_that_is_not_complete_raises_no_query():
    assert complaints("edss", pyramidal=3) == set()


def test_spec_every_score_can_be_reached():
    item = mesems().form("edss").item("total")
    assert (item.minimum, item.maximum, str(item.step)) == (0, 10, "0.5")
