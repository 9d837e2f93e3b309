"""Signed heads that are given outside come back as they were; whatever was done to the file is refused."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from equipoise.ledger import Head
from equipoise.ledger.canonical import canonical_json
from equipoise.store.heads import (
    HeadsRefused,
    PublishedHead,
    describe_heads,
    public_key_of,
    publish_head,
    read_heads,
)

HASH = "0123456789abcdef" * 4
KEY, OTHER = bytes(range(32)), bytes(32)
PUBLIC = public_key_of(KEY)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "heads.jsonl"
    publish_head(path, Head(3, HASH), "database lock", KEY)
    publish_head(path, Head(7, "f" * 64), "unblinding", KEY)
    return path


def lines(file):
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def write(file, written):
    file.write_text("".join(json.dumps(line) + "\n" for line in written), encoding="utf-8")


def refused(file, public_key=None):
    with pytest.raises(HeadsRefused) as refusal:
        read_heads(file, public_key)
    return refusal.value.code, refusal.value.sentence


def test_published_heads_are_added_and_read_back(tmp_path):
    file = tmp_path / "heads.jsonl"
    heads = (Head(3, HASH), Head(7, "f" * 64))
    for head in heads:
        before = file.read_bytes() if file.exists() else b""
        publish_head(file, head, "café", KEY)
        assert file.read_bytes().startswith(before)
    expected = tuple(PublishedHead(head, "café", PUBLIC) for head in heads)
    assert read_heads(file) == read_heads(file, PUBLIC) == expected
    assert lines(file)[0]["occasion"] == "café"
    assert list(lines(file)[0]) == ["position", "hash", "occasion", "key", "signature"]


def test_published_public_key_is_that_of_rfc_8032():
    """RFC 8032, section 7.1, test 1."""
    secret = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
    public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert public_key_of(bytes.fromhex(secret)) == public


def test_anybody_can_verify_a_signature_without_this_program(file):
    line = lines(file)[0]
    said = {name: line[name] for name in ("position", "hash", "occasion")}
    message = b"equipoise published head 1\n" + canonical_json(said)
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(line["key"]))
    key.verify(bytes.fromhex(line["signature"]), message)


def test_signature_of_the_same_without_its_domain_does_not_hold(file):
    written = lines(file)
    said = {name: written[0][name] for name in ("position", "hash", "occasion")}
    signature = Ed25519PrivateKey.from_private_bytes(KEY).sign(canonical_json(said))
    write(file, [written[0] | {"signature": signature.hex()}])
    assert refused(file)[0] == "HEADS-SIGNATURE"


@pytest.mark.parametrize(
    ("name", "value"),
    [("position", 6), ("hash", "e" * 64), ("occasion", "Unblinding"), ("signature", "0" * 128)],
)
def test_changed_field_is_named_by_its_line(file, name, value):
    first, second = lines(file)
    write(file, [first, second | {name: value}])
    code, sentence = refused(file, PUBLIC)
    assert code == "HEADS-SIGNATURE"
    assert sentence.startswith("Line 2 of heads.jsonl was changed")


def test_signature_of_another_line_does_not_hold(file):
    first, second = lines(file)
    write(file, [first | {"signature": second["signature"]}])
    assert refused(file)[0] == "HEADS-SIGNATURE"


@pytest.mark.requirement("E2")
def test_file_signed_anew_is_found_by_who_has_the_public_key(file, tmp_path):
    forged = tmp_path / "forged.jsonl"
    publish_head(forged, Head(3, "e" * 64), "database lock", OTHER)
    assert [each.key for each in read_heads(forged)] == [public_key_of(OTHER)]
    code, sentence = refused(forged, PUBLIC)
    assert code == "HEADS-KEY"
    assert sentence.startswith(f"Line 1 of forged.jsonl is signed with the key {public_key_of(OTHER)[:16]}, ")


def test_line_under_another_key_is_found_without_the_public_key(file):
    publish_head(file, Head(9, HASH), "later", OTHER)
    code, sentence = refused(file)
    assert (code, sentence.startswith("Line 3 of heads.jsonl")) == ("HEADS-KEY", True)


def test_own_key_over_a_foreign_signature_does_not_hold(file):
    written = lines(file)
    write(file, [written[0] | {"key": public_key_of(OTHER)}])
    assert refused(file)[0] == "HEADS-SIGNATURE"


@pytest.mark.parametrize("key", ["", "x", PUBLIC[:-1], PUBLIC.upper(), PUBLIC + "\n", "g" * 64])
def test_what_is_no_public_key_is_refused(file, key):
    assert refused(file, key)[0] == "HEADS-PUBLIC-KEY"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_law_no_flipped_bit_reads_as_another_head(file, place, bit):
    whole = file.read_bytes()
    expected = read_heads(file)
    changed = bytearray(whole)
    changed[place % len(whole)] ^= 1 << bit
    file.write_bytes(changed)
    try:
        assert read_heads(file, PUBLIC) == expected
    except HeadsRefused:
        return
    finally:
        file.write_bytes(whole)


def test_heads_are_described_with_the_key_that_signed_them(file):
    heads = read_heads(file)
    assert describe_heads(heads) == f"2 heads, all in the chain, signed by {PUBLIC[:16]}"
    assert describe_heads(heads[:1]) == f"1 head, all in the chain, signed by {PUBLIC[:16]}"
    assert describe_heads(()) == "0 heads"


def broken(**changed):
    whole = {"position": 1, "hash": HASH, "occasion": "lock", "key": PUBLIC, "signature": "0" * 128}
    return json.dumps({name: value for name, value in (whole | changed).items() if value != "left out"})


@pytest.mark.parametrize(
    "line",
    [
        "",
        "head",
        "7",
        "[1, 2]",
        "{}",
        "[" * 100_000,
        json.dumps({"position": 1, "hash": HASH}),
        broken(position="1"),
        broken(position=True),
        broken(position=1.0),
        broken(hash=HASH.upper()),
        broken(hash=HASH + "0"),
        broken(hash=5),
        broken(occasion=None),
        broken(occasion="\ud800"),
        broken(key="00"),
        broken(signature="x" * 128),
        broken(signature="left out"),
        broken(more="than is signed"),
    ],
)
def test_line_that_is_no_head_is_named(file, line):
    file.write_text(file.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")
    code, sentence = refused(file)
    assert code == "HEADS-UNREADABLE"
    assert sentence.startswith("Line 3 of heads.jsonl is no published head")


def test_bytes_that_are_no_text_are_no_head(file):
    file.write_bytes(b"\xff\n")
    assert refused(file)[0] == "HEADS-UNREADABLE"
