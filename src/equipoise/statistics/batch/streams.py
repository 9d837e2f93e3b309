"""Random numbers by counting: Philox 4x32-10, keyed by the seed and counted by trial and participant."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .compile import compiled

Words = NDArray[np.uint64]

_LOW = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = np.uint64(0x9E3779B9)
_WEYL_1 = np.uint64(0xBB67AE85)


@compiled
def fill(words: Words, count: int, seed: int, trial: int, purpose: int) -> None:
    """Fill `words` with four 32-bit numbers for each of `count` participants.

    words: 4 * count, the first numbers of all participants first. The counter is (participant, purpose, low
    and high word of the trial), the key the two words of the seed, hence every number has an address of its
    own and no run, order or division of labour can change it. Salmon and others, Proceedings of SC11, 2011.
    """
    low, high = np.uint64(seed) & _LOW, np.uint64(seed) >> _SHIFT
    trial_low, trial_high = np.uint64(trial) & _LOW, np.uint64(trial) >> _SHIFT
    first, second = words[:count], words[count : 2 * count]
    third, fourth = words[2 * count : 3 * count], words[3 * count : 4 * count]
    for participant in range(count):
        c0, c1 = np.uint64(participant), np.uint64(purpose)
        c2, c3 = trial_low, trial_high
        k0, k1 = low, high
        for _ in range(10):
            product_0 = (c0 & _LOW) * _MULTIPLIER_0
            product_1 = (c2 & _LOW) * _MULTIPLIER_1
            c0 = (product_1 >> _SHIFT) ^ c1 ^ k0
            c1 = product_1 & _LOW
            c2 = (product_0 >> _SHIFT) ^ c3 ^ k1
            c3 = product_0 & _LOW
            k0 = (k0 + _WEYL_0) & _LOW
            k1 = (k1 + _WEYL_1) & _LOW
        first[participant] = c0
        second[participant] = c1
        third[participant] = c2
        fourth[participant] = c3


@compiled
def uniform(high: int, low: int) -> float:
    """Return a number in [0, 1) of 53 bits from two words."""
    bits = (np.uint64(high) << np.uint64(21)) ^ (np.uint64(low) >> np.uint64(11))
    return np.float64(np.int64(bits)) * 1.1102230246251565e-16
