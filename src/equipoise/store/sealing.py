"""Secret keys in files that only their owner can read, and what is sealed under them."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES = 32
_NONCE_BYTES = 12
_BLOCK = 64


@dataclass(frozen=True, slots=True)
class KeyKind:
    """What a key is for, and where it is kept: in a file, or in an environment variable, which goes first."""

    prefix: str
    name: str
    used: str
    file: str
    variable: str


class Locked(Exception):
    """A key is missing, unsafe or wrong, or what was sealed under it was changed."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code = code
        self.sentence = sentence
        super().__init__(f"{code}: {sentence}")


def make_key_file(path: Path, kind: KeyKind) -> None:
    """Write a new random key to a file that only its owner can read; on return it is on the disk.

    Raises Locked (VAULT-KEY-EXISTS, by the kind's prefix) where a file is already: a key that is lost cannot
    be made again.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
    except FileExistsError:
        raise Locked(
            f"{kind.prefix}-KEY-EXISTS",
            f"{path.name} is there already and is not replaced. Choose another place.",
        ) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.urlsafe_b64encode(os.urandom(_KEY_BYTES)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    # The name must survive a power cut as well as what it names.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_key(path: Path | None, kind: KeyKind) -> bytes:
    """Return a key of 32 bytes from the environment, else from a file.

    Raises Locked, the codes beginning with the kind's prefix: VAULT-NO-KEY, VAULT-KEY-OPEN (others can read
    the file), VAULT-KEY (it is no key).
    """
    written = os.environ.get(kind.variable)
    try:
        coded = _read_key_file(path, kind) if written is None else written.encode()
        key = base64.b64decode(coded.strip(), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise Locked(
            f"{kind.prefix}-KEY",
            f"The {kind.name} is not 32 bytes in base64. Use the key that {kind.used}.",
        )
    return key


def read_or_make_key(folder: Path, kind: KeyKind) -> bytes:
    """Return a key as `read_key` does, having made its file in a folder where there is neither."""
    path = folder / kind.file
    if kind.variable not in os.environ and not path.exists():
        make_key_file(path, kind)
    return read_key(path, kind)


def _read_key_file(path: Path | None, kind: KeyKind) -> bytes:
    try:
        if path is None:
            raise FileNotFoundError
        with path.open("rb") as file:
            # Asked of the open file: the path may lead elsewhere a moment later.
            if os.fstat(file.fileno()).st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise Locked(
                    f"{kind.prefix}-KEY-OPEN",
                    f"Others can read the key file {path.name}. Make it readable by its owner only.",
                )
            return file.read()
    except OSError as error:
        raise Locked(
            f"{kind.prefix}-NO-KEY",
            f"The {kind.name} is not there, or cannot be read. Set {kind.variable}, or put the key file"
            " back.",
        ) from error


class SealBroken(Exception):
    """What was sealed was changed, has another name, or was sealed under another key."""


class Sealer:
    """Encrypts with AES-256-GCM (NIST SP 800-38D); the name under which it is kept is authenticated too.

    Plaintexts are padded to whole blocks of 64 bytes, so that their length does not show.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, name: str, plaintext: bytes) -> tuple[bytes, bytes]:
        """Return a new nonce and the ciphertext."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce, self._cipher.encrypt(nonce, _pad(plaintext), name.encode())

    def open(self, name: str, sealed: Sequence[Any]) -> bytes:
        """Return the plaintext of a nonce and a ciphertext as a database gave them; raises SealBroken."""
        try:
            nonce, ciphertext = (memoryview(part).tobytes() for part in sealed)
            return _unpad(self._cipher.decrypt(nonce, ciphertext, name.encode()))
        except (InvalidTag, TypeError, ValueError) as error:
            # The two others come from values that are no bytes, or too few to be a nonce.
            raise SealBroken from error


def _pad(plaintext: bytes) -> bytes:
    """Add a one bit and zeros up to a whole block (ISO/IEC 9797-1, padding method 2)."""
    return plaintext + b"\x80" + bytes(-(len(plaintext) + 1) % _BLOCK)


def _unpad(padded: bytes) -> bytes:
    return padded[: padded.rindex(b"\x80")]
