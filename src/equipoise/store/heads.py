"""Heads of a chain given to somebody outside: a chain alone proves little to whoever owns the database."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from equipoise.ledger.entry import Head

_HASH = re.compile(r"[0-9a-f]{64}")


class HeadsUnreadable(Exception):
    """A file of published heads is not one."""

    code = "HEADS-UNREADABLE"

    def __init__(self, file: str, line_number: int) -> None:
        self.sentence = (
            f"Line {line_number} of {file} is no published head. Each line is JSON with position and a hash;"
            " use the file as it was given out."
        )
        super().__init__(f"{self.code}: {self.sentence}")


def publish_head(path: Path, head: Head, occasion: str) -> None:
    """Add a head to a file of heads, durably; what stands there already is never changed."""
    line = json.dumps(
        {"position": head.position, "hash": head.hash, "occasion": occasion}, ensure_ascii=False
    )
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def read_heads(path: Path) -> tuple[Head, ...]:
    """Read the heads of a file; raises HeadsUnreadable."""
    heads = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            fields = json.loads(line)
            head = Head(fields["position"], fields["hash"])
        except (ValueError, TypeError, KeyError) as error:
            raise HeadsUnreadable(path.name, number) from error
        if type(head.position) is not int or not isinstance(head.hash, str) or not _HASH.fullmatch(head.hash):
            raise HeadsUnreadable(path.name, number)
        heads.append(head)
    return tuple(heads)
