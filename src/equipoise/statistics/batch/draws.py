"""The data of simulated trials, participant by participant, as `generate` packs them for the fits."""

from __future__ import annotations

from .compile import compiled
from .generate import Plan, draw_exposures, draw_participants, first_probability, invert
from .passes import Floats, Wholes
from .streams import Words


@compiled
def draw_tables(
    plan: Plan, seed: int, first: int, words: Words, cells: Wholes, exposures: Floats, y: Floats
) -> None:
    """Draw the trials from `first` on; cells (arm * levels + level), exposures, y: trials by participants."""
    for trial in range(y.shape[0]):
        # The uniform numbers of the counts make place for the counts.
        chances = y[trial]
        draw_participants(plan, seed, first + trial, words, cells[trial], chances)
        draw_exposures(plan, seed, first + trial, words, exposures[trial])
        for i in range(y.shape[1]):
            mean = plan.rates[cells[trial, i]] * exposures[trial, i]
            none = first_probability(mean, plan.dispersion)
            y[trial, i] = invert(chances[i], none, mean, plan.dispersion)
