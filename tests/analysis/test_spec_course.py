"""Which epoch an examination is about."""

from __future__ import annotations

import pytest

from equipoise.analysis.course import epoch_examined
from equipoise.definition.load import load_study
from equipoise.studies import study_folder


@pytest.mark.parametrize(
    ("encounter", "epoch"),
    [
        ("baseline", "screening"),
        ("week_0", "period_1"),
        ("week_4", "period_1"),
        ("week_24", "period_1"),
        ("week_28", "period_2"),
        ("unscheduled_1", ""),
    ],
)
def test_spec_the_scan_of_week_24_is_made_before_the_second_infusion(encounter: str, epoch: str) -> None:
    assert epoch_examined(load_study(study_folder("mesems")).definition, encounter) == epoch
