"""Simulated crossovers: permuted blocks, an effect of each patient, and counts by inversion.

A trial's numbers come from a stream of its own, as those of `generate` do: a patient's first words allocate
and give the effect, those of the second purpose the counts of the two periods.
"""

from __future__ import annotations

import numpy as np

from .compile import compiled
from .elementary import exponential
from .generate import first_probability, invert
from .passes import Floats, Wholes
from .streams import fill, uniform

# Means above are held at this.
MEAN_MOST = 500.0

# In the place of a uniform number of 0, whose effect would be infinite.
_LEAST = 5.551115123125783e-17


@compiled
def draw_patients(block: tuple[int, int], seed: int, base: int, sequence: Wholes, chances: Floats) -> None:
    """Draw each patient's sequence, and uniform numbers for the effect and the two counts.

    base: the number of the first trial; sequence: trials by patients, 1 where treatment comes first; chances:
    by 3. block: patients of a block with the reference first, and with treatment first.
    """
    n = sequence.shape[1]
    words, more = np.empty(4 * n, np.uint64), np.empty(4 * n, np.uint64)
    for trial in range(sequence.shape[0]):
        fill(words, n, seed, base + trial, 0)
        fill(more, n, seed, base + trial, 1)
        reference, treated = 0, 0
        for i in range(n):
            if reference + treated == 0:
                reference, treated = block
            # Of the places left in the block one is drawn.
            first = 1 if np.int64(words[i]) * (reference + treated) >> 32 < treated else 0
            treated -= first
            reference -= 1 - first
            sequence[trial, i] = first
            chances[trial, i, 0] = max(uniform(words[2 * n + i], words[3 * n + i]), _LEAST)
            chances[trial, i, 1] = uniform(more[i], more[n + i])
            chances[trial, i, 2] = uniform(more[2 * n + i], more[3 * n + i])


@compiled
def draw_counts(
    sequence: Wholes, chances: Floats, effects: Floats, means: Floats, dispersion: float, y: Floats
) -> None:
    """Draw the counts, trials by patients by periods; means: of effect 0, by sequence and period."""
    for trial in range(y.shape[0]):
        for i in range(y.shape[1]):
            factor = exponential(effects[trial, i])
            for period in range(2):
                mean = min(means[2 * sequence[trial, i] + period] * factor, MEAN_MOST)
                none = first_probability(mean, dispersion)
                y[trial, i, period] = invert(chances[trial, i, 1 + period], none, mean, dispersion)
