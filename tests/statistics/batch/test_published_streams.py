"""Philox 4x32-10 against the known answers that its authors publish (Random123, kat_vectors)."""

from __future__ import annotations

import numpy as np
import pytest

from equipoise.statistics.batch.streams import fill, uniform


def test_published_answer_for_zeros() -> None:
    words = np.zeros(4, np.uint64)
    fill(words, 1, 0, 0, 0)
    assert [int(word) for word in words] == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


def test_participants_have_streams_of_their_own() -> None:
    few, many = np.zeros(4 * 3, np.uint64), np.zeros(4 * 200, np.uint64)
    fill(few, 3, 7, 11, 0)
    fill(many, 200, 7, 11, 0)
    assert (few.reshape(4, 3) == many.reshape(4, 200)[:, :3]).all()
    assert len(set(many.tolist())) == many.size


@pytest.mark.parametrize(
    ("seed", "trial", "purpose"), [(8, 11, 0), (7, 12, 0), (7, 11, 1), (7, 11 + 2**32, 0)]
)
def test_each_part_of_the_address_matters(seed: int, trial: int, purpose: int) -> None:
    here, there = np.zeros(4 * 50, np.uint64), np.zeros(4 * 50, np.uint64)
    fill(here, 50, 7, 11, 0)
    fill(there, 50, seed, trial, purpose)
    assert not set(here.tolist()) & set(there.tolist())


def test_uniform_numbers_stay_below_one() -> None:
    assert uniform(0, 0) == 0.0
    assert uniform(2**32 - 1, 2**32 - 1) == 1 - 2.0**-53
