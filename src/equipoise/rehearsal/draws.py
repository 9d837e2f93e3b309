"""Random values as a study folder describes them."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from hashlib import sha256
from statistics import NormalDist
from typing import TypeVar

from scipy.special import gammaincinv

from equipoise.definition.expression import (
    Duration,
    Evidence,
    FormRow,
    Literal,
    Node,
    Observation,
    PartialDate,
    Truth,
    Value,
    number,
    truth,
)
from equipoise.definition.model.forms import Item
from equipoise.definition.model.rehearsal import Draw

COUNT_MEAN_MAX = 600
"""Beyond this mean the first probability of a count comes near the smallest number that there is."""

_NUMBERS_MAX = Decimal(10) ** 9
_WORDS = struct.Struct(">4Q")
_UNIT = 2.0**-52
_NORMAL = NormalDist()
_Option = TypeVar("_Option")


class RehearsalImpossible(Exception):
    """The study folder does not say enough, or says something that cannot be simulated."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
        # As it was made: an error of a worker process is made anew in the process that waits for it.
        super().__init__(code, sentence)

    def __str__(self) -> str:
        return f"{self.code}: {self.sentence}"


class Situation:
    """What a draw may look at: a person's variables, effects and latest true values, then what was recorded.

    It is mutable and belongs to one person; `today` is the simulated day. `recorded` reads the trial's
    evidence, which answers what true values cannot: rows of forms, and dates of encounters.
    """

    def __init__(self, today: date, recorded: Callable[[date], Evidence]) -> None:
        self.move_to(today)
        self._recorded = recorded
        self._names: dict[str, Node] = {}
        self._latest: dict[tuple[str, str], Observation] = {}
        self._at: dict[tuple[str, str, str], Observation] = {}

    def move_to(self, today: date) -> None:
        """Let it be another day."""
        self.today = today
        self._dated = PartialDate.of(today)

    @property
    def as_of(self) -> date:
        """The simulated day."""
        return self.today

    def set_name(self, name: str, value: Value) -> None:
        """Give a bare name its value, or take it away."""
        if value is None or isinstance(value, PartialDate):
            self._names.pop(name, None)
        else:
            self._names[name] = Literal(value)

    def note(self, form: str, item: str, value: Value, encounter: str | None) -> None:
        """Remember a true value."""
        seen = Observation(form, item, value, encounter, None, self._dated)
        self._latest[form, item] = seen
        if encounter is not None:
            self._at[form, item, encounter] = seen

    def forget(self, form: str, item: str) -> None:
        """Take the latest true value of an item away: it was not answered this time."""
        self._latest.pop((form, item), None)

    def rows(self, form: str) -> Sequence[FormRow]:
        """Return the recorded rows of a form."""
        return self._recorded(self.today).rows(form)

    def latest(self, form: str, item: str) -> Observation | None:
        """Return the latest true value of an item."""
        return self._latest.get((form, item))

    def at(self, form: str, item: str, encounter: str) -> Observation | None:
        """Return the true value of an item at an encounter."""
        return self._at.get((form, item, encounter))

    def reviewed(self, form: str) -> date | None:
        """Return the present day: what happens to a person is known to the simulation at once."""
        return self.today

    def is_log(self, form: str) -> bool:
        """Tell that no form needs a review here."""
        return False

    def anchor(self, name: str) -> date | None:
        """Return the day itself, or a recorded date."""
        return self.today if name == "today" else self._recorded(self.today).anchor(name)

    def variable(self, name: str) -> Node | None:
        """Return the value of a bare name: one of the rehearsal's, else a variable of the criteria."""
        return self._names.get(name) or self._recorded(self.today).variable(name)


class Dice:
    """A named stream of random numbers: the same for the same seed and name, whatever else is drawn.

    SHA-256 in counter mode, so that the numbers do not depend on any library's release.
    """

    def __init__(self, seed: int, *name: str | int) -> None:
        self._root = sha256("\x1f".join(map(str, (seed, *name))).encode())
        self._blocks = 0
        self._ready: list[int] = []

    def random(self) -> float:
        """Return the next number; it lies between 0 and 1, and is neither."""
        if not self._ready:
            block = self._root.copy()
            block.update(b"\x1f%d" % self._blocks)
            self._blocks += 1
            self._ready = list(_WORDS.unpack(block.digest()))
        return ((self._ready.pop() >> 12) + 0.5) * _UNIT

    def chance(self, probability: Decimal | float) -> bool:
        """Tell whether something of this probability happens; always uses up one number."""
        return self.random() < float(probability)

    def between(self, low: int, high: int) -> int:
        """Return a whole number between two, both included."""
        return low + int(self.random() * (high - low + 1))

    def pick(self, options: Sequence[_Option]) -> _Option:
        """Return one of several, with equal chances."""
        return options[int(self.random() * len(options))]

    def exponential(self, mean: Decimal) -> float:
        """Return a waiting time with this mean."""
        return -float(mean) * math.log1p(-self.random())

    def draw(self, draw: Draw, evidence: Evidence) -> Value:
        """Return a value of a draw; always uses up one number, so that what follows stays as it is."""
        return derive_value(draw, self.random(), evidence)


def derive_value(draw: Draw, share: float, evidence: Evidence) -> Value:
    """Return the value below which a `share` of a draw's distribution lies.

    It is None when the draw's `when` does not hold. Raises RehearsalImpossible when a parameter is missing or
    not known.
    """
    if draw.when is not None and truth(draw.when, evidence) is not Truth.MET:
        return None
    if draw.draw == "value":
        return _exact(draw.value, evidence, "value")
    if draw.draw == "choice":
        return _choose(draw.weights, share, evidence)
    if draw.draw == "bernoulli":
        return share < _real(draw.probability, evidence, "probability")
    if draw.draw == "date":
        return _date(draw, share, evidence)
    return _rounded(_number(draw, share, evidence), draw, evidence)


def _number(draw: Draw, share: float, evidence: Evidence) -> float:
    if draw.draw == "uniform":
        low, high = _real(draw.low, evidence, "low"), _real(draw.high, evidence, "high")
        return low + share * (high - low)
    mean = _real(draw.mean, evidence, "mean")
    if draw.draw == "poisson":
        return _count(mean, 0.0, share)
    if draw.draw in ("normal", "lognormal"):
        value = mean + _real(draw.sd, evidence, "sd") * _NORMAL.inv_cdf(share)
        return value if draw.draw == "normal" else math.exp(value)
    # Variance mean + dispersion x mean^2 for counts, dispersion x mean^2 for the gamma frailty.
    dispersion = _real(draw.dispersion, evidence, "dispersion")
    if draw.draw == "negative_binomial":
        return _count(mean, dispersion, share)
    if dispersion <= 0 or mean <= 0:
        return mean
    return float(gammaincinv(1 / dispersion, share)) * mean * dispersion


def _count(mean: float, dispersion: float, share: float) -> float:
    """Return a quantile of a count, by adding up its probabilities; `dispersion` 0 is Poisson."""
    if mean <= 0:
        return 0.0
    if mean > COUNT_MEAN_MAX:
        raise RehearsalImpossible(
            "REH-COUNT",
            f"A count in rehearsal.yaml has the mean {mean:.0f}; at most {COUNT_MEAN_MAX} can be drawn."
            " Draw a normal value.",
        )
    spread = mean * dispersion
    size = 1 / dispersion if dispersion > 0 else 0.0
    probability = math.exp(-size * math.log1p(spread)) if dispersion > 0 else math.exp(-mean)
    below, count = probability, 0
    while below < share and probability > 0:
        factor = (count + size) * spread / (1 + spread) if dispersion > 0 else mean
        count += 1
        probability *= factor / count
        # Far above the mean the terms vanish, and rounding may keep the sum below the share for ever.
        if count > mean and below + probability == below:
            break
        below += probability
    return float(count)


def _choose(weights: Mapping[str, Node], share: float, evidence: Evidence) -> str:
    sizes = {name: max(_real(weight, evidence, "weights"), 0.0) for name, weight in weights.items()}
    total = sum(sizes.values())
    if not total > 0:
        raise RehearsalImpossible(
            "REH-WEIGHTS", "A choice in rehearsal.yaml has no positive weight. Give one."
        )
    below, chosen = 0.0, ""
    for name, size in sizes.items():
        below += size / total
        chosen = name if size > 0 else chosen
        if share < below:
            break
    return chosen


def _date(draw: Draw, share: float, evidence: Evidence) -> date:
    if draw.value is not None:
        value = _exact(draw.value, evidence, "value")
        if isinstance(value, date):
            return value
        return evidence.as_of + timedelta(days=round(_real(draw.value, evidence, "value")))
    low, high = (
        round(_real(part, evidence, name)) for part, name in ((draw.low, "low"), (draw.high, "high"))
    )
    low = min(low, high)
    return evidence.as_of + timedelta(days=low + int(share * (high - low + 1)))


def plausible_value(item: Item, share: float, today: date) -> Value:
    """Return a value that an item of this type and range may have, where the folder describes none."""
    if item.type in ("integer", "decimal"):
        low = item.minimum if item.minimum is not None else Decimal(0)
        high = item.maximum if item.maximum is not None else low + 100
        place = min(max(0.5 + _NORMAL.inv_cdf(share) / 6, 0.0), 1.0)
        return fit_number(low + (high - low) * Decimal(str(round(place, 3))), item)
    if item.type == "boolean":
        return False
    if item.type == "choice":
        return next(code.code for code in item.codes if not code.retired)
    if item.type == "text":
        return f"{item.label} (simulated)"
    return today


def fit_number(value: Decimal | float, item: Item) -> Value:
    """Return a number on the item's grid and within its range."""
    exact = min(max(Decimal(str(value)), -_NUMBERS_MAX), _NUMBERS_MAX)
    if item.minimum is not None:
        exact = max(exact, item.minimum)
    if item.maximum is not None:
        exact = min(exact, item.maximum)
    step = item.step or (Decimal(1) if item.type == "integer" else Decimal("0.1"))
    origin = item.minimum if item.step is not None and item.minimum is not None else Decimal(0)
    on_grid = origin + ((exact - origin) / step).quantize(Decimal(1), ROUND_HALF_UP) * step
    if item.maximum is not None and on_grid > item.maximum:
        on_grid -= step
    return int(on_grid) if item.type == "integer" else on_grid


def _exact(node: Node | None, evidence: Evidence, name: str) -> Value:
    if type(node) is Literal and not isinstance(node.value, Duration):
        return node.value
    value = number(node, evidence) if node is not None else None
    if value is None:
        raise RehearsalImpossible(
            "REH-PARAMETER",
            f"A draw in rehearsal.yaml needs '{name}', and it is missing or not known at this point."
            " Name only what was drawn before.",
        )
    return value


def _real(node: Node | None, evidence: Evidence, name: str) -> float:
    value = _exact(node, evidence, name)
    if isinstance(value, bool | str | date | PartialDate) or value is None:
        raise RehearsalImpossible(
            "REH-PARAMETER", f"The '{name}' of a draw in rehearsal.yaml is not a number."
        )
    return float(value)


def _rounded(value: float, draw: Draw, evidence: Evidence) -> Decimal:
    if draw.low is not None:
        value = max(value, _real(draw.low, evidence, "low"))
    if draw.high is not None:
        value = min(value, _real(draw.high, evidence, "high"))
    return Decimal(str(value)).quantize(Decimal(1).scaleb(-draw.decimals), ROUND_HALF_UP)
