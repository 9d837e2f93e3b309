"""Heads of a chain, signed and given to somebody outside.

A chain alone proves little to whoever owns the database. Each published head is signed (Ed25519, RFC 8032);
who was given the public key apart from the file can tell that no head was added or exchanged. A head that was
left out of the file shows only to somebody who kept it.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from equipoise.ledger.canonical import canonical_json
from equipoise.ledger.entry import Head
from equipoise.store.sealing import KeyKind

HEAD_KEY = KeyKind(
    "HEAD", "heads' key", "the heads were signed with", file="head.key", variable="EQUIPOISE_HEAD_KEY"
)

_FIELDS = frozenset({"position", "hash", "occasion", "key", "signature"})
_HASH = re.compile(r"[0-9a-f]{64}")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")
# What is signed begins with what it is, so that no signature holds for anything else.
_DOMAIN = b"equipoise published head 1\n"
_SHOWN = 16


class HeadsRefused(Exception):
    """A file of published heads is not one, or is not signed as it should be."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
        super().__init__(f"{code}: {sentence}")


@dataclass(frozen=True, slots=True)
class PublishedHead:
    """A head, the occasion on which it was given out, and the public key in hex that it was signed with."""

    head: Head
    occasion: str
    key: str


def public_key_of(key: bytes) -> str:
    """Return the public key in hex that belongs to a private one of 32 bytes."""
    return Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw().hex()


def publish_head(path: Path, head: Head, occasion: str, key: bytes) -> None:
    """Sign a head and add it to a file of heads, durably; what stands there already is never changed."""
    signature = Ed25519PrivateKey.from_private_bytes(key).sign(_message(head, occasion))
    line = json.dumps(
        {
            "position": head.position,
            "hash": head.hash,
            "occasion": occasion,
            "key": public_key_of(key),
            "signature": signature.hex(),
        },
        ensure_ascii=False,
    )
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_heads(path: Path, public_key: str | None = None) -> tuple[PublishedHead, ...]:
    """Read the heads of a file, each of which must be signed with one key: that given, else the first line's.

    Raises HeadsRefused: HEADS-PUBLIC-KEY (the key given is none), HEADS-UNREADABLE, HEADS-KEY (signed with
    another key), HEADS-SIGNATURE.
    """
    if public_key is not None and not _HASH.fullmatch(public_key):
        raise HeadsRefused(
            "HEADS-PUBLIC-KEY",
            "A public key is 64 hexadecimal digits in lower case. Give it as it was given out.",
        )
    heads: list[PublishedHead] = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        where = f"Line {number} of {path.name}"
        published, message, signature = _read_line(line, where)
        wanted = public_key or (heads or [published])[0].key
        if published.key != wanted:
            raise HeadsRefused(
                "HEADS-KEY",
                f"{where} is signed with the key {published.key[:_SHOWN]}, not with {wanted[:_SHOWN]}."
                " Use the file and the public key as they were given out.",
            )
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(published.key)).verify(signature, message)
        except InvalidSignature:
            raise HeadsRefused(
                "HEADS-SIGNATURE",
                f"{where} was changed: its signature does not hold. Use the file as it was given out.",
            ) from None
        heads.append(published)
    return tuple(heads)


def describe_heads(heads: tuple[PublishedHead, ...]) -> str:
    """Return how many heads there are, all being in the chain, and with which key they were signed."""
    signed = f", all in the chain, signed by {heads[0].key[:_SHOWN]}" if heads else ""
    return f"{len(heads)} {'head' if len(heads) == 1 else 'heads'}{signed}"


def _message(head: Head, occasion: str) -> bytes:
    return _DOMAIN + canonical_json({"position": head.position, "hash": head.hash, "occasion": occasion})


def _read_line(line: bytes, where: str) -> tuple[PublishedHead, bytes, bytes]:
    """Return a line's head, what was signed of it, and the signature, which is not verified here."""
    try:
        fields = json.loads(line)
        if not isinstance(fields, dict) or fields.keys() != _FIELDS:
            raise ValueError
        head = Head(fields["position"], fields["hash"])
        if type(head.position) is not int or not isinstance(fields["occasion"], str):
            raise ValueError
        for name, pattern in (("hash", _HASH), ("key", _HASH), ("signature", _SIGNATURE)):
            if not isinstance(fields[name], str) or not pattern.fullmatch(fields[name]):
                raise ValueError
        message = _message(head, fields["occasion"])
    except (ValueError, RecursionError) as error:
        raise HeadsRefused(
            "HEADS-UNREADABLE",
            f"{where} is no published head. Each line is JSON with position, hash, occasion, key and"
            " signature; use the file as it was given out.",
        ) from error
    return PublishedHead(head, fields["occasion"], fields["key"]), message, bytes.fromhex(fields["signature"])
