"""Receipts of what was sent: what they are known by, and when they go."""

import pytest

from equipoise.ledger.entry import Head
from equipoise.ledger.receipts import RECEIPT_DAYS_MAX, Receipt, Sending, SentBefore, pruned_before

HASH = "0" * 64


def test_spec_a_sending_is_known_by_its_name_and_what_goes_with_it_and_tells_neither() -> None:
    sending = Sending.of(("form", "a ticket"), ("nurse",))
    assert sending == Sending.of(("form", "a ticket"), ("nurse",))
    other = Sending.of(("form", "a ticket"), ("somebody else",))
    assert sending.key == other.key and sending.said != other.said
    assert Sending.of(("form", "another"), ("nurse",)).key != sending.key
    assert len(sending.key) == len(sending.said) == 64
    assert "ticket" not in repr(sending) and "nurse" not in repr(sending)


def test_spec_what_was_sent_before_is_told_with_its_receipt() -> None:
    receipt = Receipt(Sending.of(("form", "a"), ()), 7, 2, "2024-06-03T09:00:00.000000Z")
    with pytest.raises(SentBefore, match="sent before") as caught:
        raise SentBefore(receipt)
    assert caught.value.receipt is receipt


def test_spec_old_receipts_go_with_one_append_in_a_thousand() -> None:
    receipt = Receipt(Sending.of(("form", "a"), ()), 1000, 1, "2024-06-03T09:00:00.000000Z")
    assert RECEIPT_DAYS_MAX == 30
    assert pruned_before(receipt, Head(998, HASH), Head(999, HASH)) is None
    assert pruned_before(receipt, Head(999, HASH), Head(1000, HASH)) == "2024-05-04T09:00:00.000000Z"
