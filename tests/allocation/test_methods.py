"""Lists and minimisation as pure functions of a seed."""

from collections import Counter
from fractions import Fraction
from hashlib import sha256
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.allocation.methods import (
    Stream,
    draw_blocks,
    draw_simple,
    imbalance,
    minimise,
    preference,
)

seeds = st.binary(min_size=32, max_size=32)
ratios = st.lists(st.integers(1, 4), min_size=2, max_size=4)


def seed_of(number):
    return sha256(str(number).encode()).digest()


@given(seeds, st.integers(1, 1000))
def test_numbers_lie_below_the_bound(seed, bound):
    stream = Stream(seed, "test")
    assert all(0 <= stream.below(bound) < bound for _ in range(20))


def test_each_number_is_as_likely():
    stream = Stream(seed_of(1), "test")
    found = Counter(stream.below(6) for _ in range(6000))
    # Chi-squared with 5 degrees of freedom exceeds 20.5 once in a thousand seeds; this seed is fixed.
    assert sum((found[face] - 1000) ** 2 / 1000 for face in range(6)) < 20.5


def test_each_order_is_as_likely():
    stream = Stream(seed_of(2), "test")
    found = Counter(stream.shuffle("abc") for _ in range(6000))
    assert found.keys() == set(permutations("abc"))
    assert sum((count - 1000) ** 2 / 1000 for count in found.values()) < 20.5


def test_purposes_and_seeds_have_streams_of_their_own():
    def take(seed, purpose):
        stream = Stream(seed_of(seed), purpose)
        return [stream.below(2**30) for _ in range(4)]

    assert take(1, "list/a") == take(1, "list/a")
    assert take(1, "list/a") != take(1, "list/b")
    assert take(1, "list/a") != take(2, "list/a")


def test_double_the_stream_is_hmac_sha_256_in_counter_mode():
    import hmac

    first = hmac.new(b"k" * 32, (0).to_bytes(8, "big") + b"p", "sha256").digest()
    second = hmac.new(b"k" * 32, (1).to_bytes(8, "big") + b"p", "sha256").digest()
    stream = Stream(b"k" * 32, "p")
    assert bytes(stream.below(256) for _ in range(64)) == first + second


@given(seeds, ratios, st.integers(1, 60))
def test_blocks_fill_the_list_and_keep_the_ratio(seed, ratio, slots):
    blocks = draw_blocks(Stream(seed, "test"), ratio, slots)
    assert sum(map(len, blocks)) == slots
    for block in blocks[:-1]:
        multiple, rest = divmod(len(block), sum(ratio))
        assert rest == 0
        assert 1 <= multiple <= 3
        assert Counter(block) == {arm: share * multiple for arm, share in enumerate(ratio)}


@given(seeds, ratios, st.integers(1, 60))
def test_no_arm_is_ever_far_from_its_share(seed, ratio, slots):
    arms = [arm for block in draw_blocks(Stream(seed, "test"), ratio, slots) for arm in block]
    counts = [0] * len(ratio)
    for slot, arm in enumerate(arms, start=1):
        counts[arm] += 1
        for each, share in enumerate(ratio):
            # Within a block an arm is at most all of its places ahead, and at most these behind.
            assert abs(counts[each] - Fraction(slot * share, sum(ratio))) <= 3 * share


def test_blocks_vary_in_length():
    lengths = Counter(len(block) for block in draw_blocks(Stream(seed_of(3), "test"), (1, 1), 600)[:-1])
    assert lengths.keys() == {2, 4, 6}
    assert min(lengths.values()) > 30


def test_a_simple_list_stands_in_the_ratio():
    ((*arms,),) = draw_simple(Stream(seed_of(4), "test"), (1, 2), 6000)
    assert abs(Counter(arms)[1] - 4000) < 4 * (6000 * 2 / 9) ** 0.5


# Pocock and Simon, Biometrics 1975;31:103-115, Table 1: how many of 50 earlier patients with each level of
# three factors had each of three treatments; the first factor weighs twice. Section 3.4 takes through it a
# patient who has level 1 of the first factor and level 2 of the others.
POCOCK_SIMON = {"first": ("1", (9, 10, 9)), "second": ("2", (9, 11, 9)), "third": ("2", (4, 5, 3))}


def history_of(margins):
    """Earlier patients who share one level each with the next, so that every margin comes out as given."""
    factors = list(margins)
    return [
        ({factor: level if factor == own else "other" for factor in factors}, arm)
        for own, (level, counts) in margins.items()
        for arm, count in enumerate(counts)
        for _ in range(count)
    ]


def test_published_imbalance_of_pocock_and_simon():
    levels = {factor: level for factor, (level, _) in POCOCK_SIMON.items()}
    weights = {"first": 2, "second": 1, "third": 1}
    assert imbalance((1, 1, 1), weights, history_of(POCOCK_SIMON), levels) == tuple(map(Fraction, (6, 10, 5)))


# Han, Enas and McEntegart, Stat Med 2009;28:3329-3346: ratio 1:2:3 and probability 0.7 for the smallest arm.
@pytest.mark.parametrize(
    ("preferred", "published"),
    [(0, ("0.7", "0.12", "0.18")), (1, ("0.06", "0.76", "0.18")), (2, ("0.06", "0.12", "0.82"))],
)
def test_published_probabilities_of_biased_coin_minimisation(preferred, published):
    ratio = (1, 2, 3)
    outright = preference(ratio, Fraction("0.7"))
    found = [
        (1 - outright) * Fraction(share, 6) + (arm == preferred) * outright for arm, share in enumerate(ratio)
    ]
    assert found == [Fraction(text) for text in published]
    totals = [Fraction(arm != preferred) for arm in range(3)]
    streams = (Stream(seed_of(number), "test") for number in range(4000))
    drawn = Counter(minimise(stream, ratio, Fraction("0.7"), totals) for stream in streams)
    for arm, probability in enumerate(found):
        assert abs(drawn[arm] - 4000 * probability) < 4 * (4000 * probability * (1 - probability)) ** 0.5


@given(ratios, st.fractions(0, 1))
def test_the_probability_is_that_of_the_smallest_arm(ratio, probability):
    smallest = Fraction(min(ratio), sum(ratio))
    outright = preference(ratio, probability)
    assert (1 - outright) * smallest + outright == max(probability, smallest)


@given(seeds)
def test_certainty_takes_the_preferred_arm(seed):
    assert (
        minimise(Stream(seed, "test"), (1, 1, 1), Fraction(1), [Fraction(2), Fraction(1), Fraction(2)]) == 1
    )


def test_among_equals_the_ratio_decides():
    streams = (Stream(seed_of(number), "test") for number in range(3000))
    equal = [Fraction(1)] * 2
    drawn = Counter(minimise(stream, (1, 2), Fraction(1), equal) for stream in streams)
    assert abs(drawn[1] - 2000) < 4 * (3000 * 2 / 9) ** 0.5


@given(
    seeds, st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xy"), st.integers(0, 1)), max_size=12)
)
def test_exchanging_two_arms_exchanges_their_imbalances(seed, earlier):
    history = [({"one": one, "two": two}, arm) for one, two, arm in earlier]
    swapped = [(levels, 1 - arm) for levels, arm in history]
    levels, weights = {"one": "a", "two": "x"}, {"one": 2, "two": 1}
    assert imbalance((1, 1), weights, history, levels) == imbalance((1, 1), weights, swapped, levels)[::-1]


def test_minimisation_balances_the_margins_better_than_chance():
    """Thirty trials of 60 people with three factors: the mean difference of a margin."""
    weights = {"one": 1, "two": 1, "three": 1}
    differences = {"minimisation": 0, "simple": 0}
    for trial in range(30):
        people, seed = Stream(seed_of(trial), "people"), seed_of(trial)
        histories: dict[str, list] = {"minimisation": [], "simple": []}
        for slot in range(60):
            levels = {
                "one": "ab"[people.below(2)],
                "two": "abc"[people.below(3)],
                "three": "ab"[people.below(2)],
            }
            stream = Stream(seed, f"minimisation/{slot}")
            totals = imbalance((1, 1), weights, histories["minimisation"], levels)
            histories["minimisation"].append((levels, minimise(stream, (1, 1), Fraction("0.8"), totals)))
            histories["simple"].append((levels, Stream(seed, f"simple/{slot}").choose((1, 1))))
        for method, history in histories.items():
            for factor in weights:
                for level in "abc":
                    arms = [arm for levels, arm in history if levels[factor] == level]
                    differences[method] += abs(2 * sum(arms) - len(arms))
    assert differences["minimisation"] * 2 < differences["simple"]


def test_unequal_ratios_are_kept_by_minimisation():
    history: list[tuple[dict[str, str], int]] = []
    people = Stream(seed_of(5), "people")
    for slot in range(300):
        levels = {"one": "ab"[people.below(2)], "two": "ab"[people.below(2)]}
        totals = imbalance((1, 2, 3), {"one": 1, "two": 1}, history, levels)
        history.append((levels, minimise(Stream(seed_of(6), str(slot)), (1, 2, 3), Fraction("0.8"), totals)))
    counts = Counter(arm for _, arm in history)
    assert all(abs(counts[arm] - 50 * (arm + 1)) <= 10 for arm in range(3))
