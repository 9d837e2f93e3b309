"""Random codes."""

import re

from hypothesis import given
from hypothesis import strategies as st

from equipoise.access.codes import random_code
from tests.factory import CountingEntropy


class Bytes:
    """Entropy that gives these tokens in turn."""

    def __init__(self, *tokens: bytes) -> None:
        self.tokens = list(tokens)

    def token(self, size: int) -> bytes:
        return self.tokens.pop(0)


@given(st.binary(min_size=5, max_size=5), st.binary(min_size=5, max_size=5))
def test_a_code_holds_all_of_its_entropy(one, other):
    def code(token):
        return random_code(Bytes(token), "S", lambda code: False)

    assert re.fullmatch("S-[0-9A-HJKMNP-TV-Z]{8}", code(one))
    assert (code(one) == code(other)) is (one == other)


def test_a_code_that_is_taken_is_drawn_again():
    first, second = bytes(5), bytes([0, 0, 0, 0, 1])
    assert random_code(Bytes(first, second), "B", lambda code: code == "B-00000000") == "B-00000001"


def test_codes_are_not_in_the_order_in_which_they_are_drawn():
    entropy = CountingEntropy()
    drawn = [random_code(entropy, "T", lambda code: False) for _ in range(20)]
    assert len(set(drawn)) == 20
    assert sorted(drawn) != drawn
