"""The edit checks of the disability scale against a second reading of Kurtzke's appendix, in plain Python."""

from itertools import combinations_with_replacement

import pytest

from tests.studies.mesems_cast import complaints

NAMES = ("pyramidal", "cerebellar", "brainstem", "sensory", "visual", "bowel_bladder")


def derive_step(grades, cerebral):
    """The step of somebody who walks without restriction, None where the grades alone do not decide.

    Kurtzke, Neurology 1983;33:1444, appendix B.
    """
    every = sorted((*grades, cerebral), reverse=True)
    highest, twos, threes = every[0], every.count(2), every.count(3)
    if highest <= 1:
        return (0.0, 1.0, 1.5)[min(sum(grades), 2)]
    if highest == 2:
        return {1: 2.0, 2: 2.5, 3: 3.0, 4: 3.0, 5: 3.5}.get(twos, 4.0)
    if highest == 3:
        return {(1, 0): 3.0, (1, 1): 3.5, (1, 2): 3.5, (2, 0): 3.5}.get((threes, twos), 4.0)
    return 4.0 if highest == 4 and every[1] <= 1 else None


@pytest.mark.parametrize("cerebral", range(5))
def test_double_grades_decide_the_step_of_unrestricted_walkers(cerebral):
    decided = 0
    for grades in combinations_with_replacement(range(5), len(NAMES)):
        found = dict(zip(NAMES, grades, strict=True))
        # The converted grades are what counts; those as examined are left out.
        visual, bladder = found.pop("visual"), found.pop("bowel_bladder")
        found |= {"visual_converted": visual, "bowel_bladder_converted": bladder, "cerebral": cerebral}
        step = derive_step(grades, cerebral)
        if step is not None:
            decided += 1
            assert complaints("edss", **found, ambulation="unrestricted", total=str(step)) == set(), grades
            wrong = str(step + 1 if step < 1 else step - 0.5 if step > 1 else 1.5)
            assert complaints("edss", **found, ambulation="unrestricted", total=wrong), grades
    assert decided > 5
