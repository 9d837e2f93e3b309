"""Lists and minimisation: pure functions of a secret seed, in which arms are numbered from 0.

Arms are numbers here, in the order in which the definition names them: exchanging two names exchanges
nothing else.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TypeVar

T = TypeVar("T")

BLOCK_MULTIPLES_MAX = 3
"""A block is the sum of the ratio times 1, 2 or 3, each as likely."""

List = tuple[tuple[int, ...], ...]
"""The arms of one stratum, slot by slot, in their blocks."""


class Stream:
    """Unpredictable whole numbers from a 32-byte seed; each purpose has a stream of its own.

    HMAC-SHA-256 in counter mode (NIST SP 800-108r1, 4.1); numbers below a bound by discarding what is too
    large, so that none is favoured (NIST SP 800-90A Rev. 1, A.5.1).
    """

    def __init__(self, seed: bytes, purpose: str) -> None:
        self._seed = seed
        self._purpose = purpose.encode()
        self._counter = 0
        self._buffer = b""

    def below(self, bound: int) -> int:
        """Return a number from 0 to bound - 1, each as likely."""
        bits = (bound - 1).bit_length()
        size = (bits + 7) // 8
        while True:
            number = int.from_bytes(self._take(size), "big") & ((1 << bits) - 1)
            if number < bound:
                return number

    def shuffle(self, items: Sequence[T]) -> tuple[T, ...]:
        """Return the items in random order, each order as likely (Fisher and Yates; Knuth, Algorithm P)."""
        order = list(items)
        for last in range(len(order) - 1, 0, -1):
            other = self.below(last + 1)
            order[last], order[other] = order[other], order[last]
        return tuple(order)

    def choose(self, weights: Sequence[int]) -> int:
        """Return an index with a probability proportional to its weight."""
        number = self.below(sum(weights))
        index = 0
        while number >= weights[index]:
            number -= weights[index]
            index += 1
        return index

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            message = self._counter.to_bytes(8, "big") + self._purpose
            self._buffer += hmac.digest(self._seed, message, "sha256")
            self._counter += 1
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken


def draw_blocks(stream: Stream, ratio: Sequence[int], slots: int) -> List:
    """Draw permuted blocks of varying length; the last block is cut at the end of the list.

    Were it not cut, the slot at which a stratum is exhausted would tell something about the blocks.
    """
    blocks: list[tuple[int, ...]] = []
    left = slots
    while left > 0:
        multiple = 1 + stream.below(BLOCK_MULTIPLES_MAX)
        block = stream.shuffle([arm for arm, share in enumerate(ratio) for _ in range(share * multiple)])
        blocks.append(block[:left])
        left -= len(blocks[-1])
    return tuple(blocks)


def draw_simple(stream: Stream, ratio: Sequence[int], slots: int) -> List:
    """Draw each slot by itself, in the ratio."""
    return (tuple(stream.choose(ratio) for _ in range(slots)),)


def imbalance(
    ratio: Sequence[int],
    weights: Mapping[str, int],
    history: Sequence[tuple[Mapping[str, str], int]],
    levels: Mapping[str, str],
) -> tuple[Fraction, ...]:
    """Return, for each arm, how unbalanced the margins would be if the next participant went there.

    The weighted sum over the factors of the range of the arms' counts, each divided by its share of the
    ratio, among those at the participant's own level. Pocock and Simon, Biometrics 1975;31:103-115,
    section 3; for unequal ratios Han, Enas and McEntegart, Stat Med 2009;28:3329-3346.
    """
    arms = range(len(ratio))
    totals = [Fraction(0)] * len(ratio)
    for factor, weight in weights.items():
        counts = [0] * len(ratio)
        for earlier, arm in history:
            counts[arm] += earlier[factor] == levels[factor]
        for candidate in arms:
            shares = [Fraction(counts[arm] + (arm == candidate), ratio[arm]) for arm in arms]
            totals[candidate] += weight * (max(shares) - min(shares))
    return tuple(totals)


def preference(ratio: Sequence[int], probability: Fraction) -> Fraction:
    """Return how often the preferred arm is taken outright; otherwise all arms stand in the ratio.

    Biased-coin minimisation (Han, Enas and McEntegart 2009): `probability` is that of a preferred arm
    with the smallest share, and larger arms get so much more that every arm keeps its share overall. At
    or below that arm's share of the ratio nothing is preferred.
    """
    total = sum(ratio)
    return max(Fraction(0), 1 - (1 - probability) * Fraction(total, total - min(ratio)))


def minimise(stream: Stream, ratio: Sequence[int], probability: Fraction, totals: Sequence[Fraction]) -> int:
    """Return the next participant's arm from each arm's imbalance; among equals the ratio decides."""
    outright = preference(ratio, probability)
    if stream.below(outright.denominator) >= outright.numerator:
        return stream.choose(ratio)
    least = min(totals)
    return stream.choose([share if total == least else 0 for share, total in zip(ratio, totals, strict=True)])
