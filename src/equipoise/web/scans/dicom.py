"""DICOM Part 10: as much of a file as is needed to find what tells whose a scan is, or when it was made.

Reads explicit and implicit VR little endian, compressed pixels included, element by element and forwards
only; every length is checked against what encloses it, so that no file can lead out of itself or round in
circles. DICOM PS3.5 (encoding), PS3.10 (files), PS3.15 Annex E (what identifies).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import IO

from django.utils.translation import gettext as _

from equipoise.web.scans.dicom_rules import Rule, name_of, rule_of
from equipoise.web.scans.refusals import Unreadable

ELEMENTS_MAX = 3_000_000
"""So many elements are read of all that is sent at once."""

_UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_ITEM_BYTES = b"\xfe\xff\x00\xe0"
_DELIMITERS, _META = 0xFFFE, 0x0002
_TRANSFER_SYNTAX = 0x00020010
_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_IMPLICIT, _EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
# JPEG in its variants, MPEG and high-throughput JPEG 2000; run lengths.
_COMPRESSED = ("1.2.840.10008.1.2.4.", "1.2.840.10008.1.2.5")
_DEPTH_MAX = 16
_VALUE_MAX = 1024
_PREAMBLE = 128
_PADDING = " \0^="


@dataclass
class Budget:
    """How many elements may still be read."""

    left: int = ELEMENTS_MAX

    def spend(self) -> None:
        """Count one; raises Unreadable when there are too many."""
        self.left -= 1
        if self.left < 0:
            raise Unreadable(_("it has too many elements"))


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a file, from a position on."""

    start: int
    length: int


@dataclass
class Findings:
    """What was found: codes that stand for the patient and where they stand, and what must not be there."""

    codes: set[str] = field(default_factory=set)
    spans: list[Span] = field(default_factory=list)
    identities: dict[str, None] = field(default_factory=dict)
    dates: dict[str, None] = field(default_factory=dict)


def read_dicom(source: IO[bytes], size: int, findings: Findings, budget: Budget) -> None:
    """Read a file of a size from its start, and add to the findings; raises Unreadable."""
    _Reader(source, size, findings, budget).read()


class _Reader:
    def __init__(self, source: IO[bytes], size: int, findings: Findings, budget: Budget) -> None:
        self._source, self._size, self._findings, self._budget = source, size, findings, budget
        self._position = 0
        self._ahead = b""
        self._syntax = ""
        self._meta = True
        self._pixels = False

    def read(self) -> None:
        if self._take(_PREAMBLE).strip(b"\0"):
            self._findings.identities[_("the preamble before the DICOM header")] = None
        if self._take(4) != b"DICM":
            raise Unreadable(_("it has no DICOM header"))
        while self._position < self._size and self._peek(2) == b"\x02\x00":
            self._element(self._size, 0, explicit=True)
        self._meta = False
        self._elements(self._size, 0, explicit=self._is_explicit(), closed=False)
        if not self._pixels:
            raise Unreadable(_("it is DICOM, but holds no image"))

    def _is_explicit(self) -> bool:
        if self._syntax == _IMPLICIT:
            return False
        if self._syntax == _EXPLICIT or self._syntax.startswith(_COMPRESSED):
            return True
        raise Unreadable(_("its DICOM transfer syntax is not one that is taken"))

    # -- bytes

    def _peek(self, count: int) -> bytes:
        if len(self._ahead) < count:
            self._ahead += self._source.read(count - len(self._ahead))
        return self._ahead[:count]

    def _take(self, count: int) -> bytes:
        taken = self._peek(count)
        if len(taken) < count:
            raise Unreadable(_("it ends too early"))
        self._ahead = self._ahead[count:]
        self._position += count
        return taken

    def _skip(self, count: int) -> None:
        ahead = min(count, len(self._ahead))
        self._ahead = self._ahead[ahead:]
        self._position += count
        if count > ahead:
            self._source.seek(count - ahead, 1)

    # -- elements

    def _elements(self, end: int, depth: int, *, explicit: bool, closed: bool) -> None:
        """Read the elements up to an end, or up to the delimiter that closes their item before it."""
        while self._position < end:
            if closed and self._peek(4) == b"\xfe\xff\x0d\xe0":
                self._delimiter(end)
                return
            self._element(end, depth, explicit=explicit)
        if closed:
            raise Unreadable(_("an item in it is not closed"))

    def _element(self, end: int, depth: int, *, explicit: bool) -> None:
        self._budget.spend()
        group, element = struct.unpack("<HH", self._take(4))
        tag = group << 16 | element
        if group == _DELIMITERS or (group == _META) != self._meta:
            raise Unreadable(_("an element in it stands where it may not be"))
        vr, length = self._kind_and_length(explicit)
        rule = rule_of(tag, vr)
        if length == _UNDEFINED:
            self._open_value(tag, vr, rule, end, depth, explicit=explicit)
            return
        stop = self._position + length
        if stop > end:
            raise Unreadable(_("an element in it is longer than what encloses it"))
        if tag in _PIXELS:
            self._pixels = self._pixels or (length > 0 and depth == 0)
            self._skip(length)
        elif vr == b"SQ" or (vr in (b"", b"UN") and length >= 8 and self._peek(4) == _ITEM_BYTES):
            if self._items(stop, depth + 1, explicit=explicit and vr != b"UN", closed=False):
                self._judge_presence(rule, tag)
        elif rule is None and tag != _TRANSFER_SYNTAX:
            self._skip(length)
        else:
            self._value(tag, rule, length)

    def _kind_and_length(self, explicit: bool) -> tuple[bytes, int]:
        """Return an element's VR, none where it is implicit, and its length."""
        if not explicit:
            return b"", int.from_bytes(self._take(4), "little")
        vr = self._take(2)
        if not (vr.isalpha() and vr.isupper()):
            raise Unreadable(_("an element in it is of no kind that DICOM knows"))
        if vr not in _LONG:
            return vr, int.from_bytes(self._take(2), "little")
        self._take(2)
        return vr, int.from_bytes(self._take(4), "little")

    def _open_value(
        self, tag: int, vr: bytes, rule: Rule | None, end: int, depth: int, *, explicit: bool
    ) -> None:
        """Read a value without a length: compressed pixels, or a sequence."""
        if tag in _PIXELS:
            self._pixels = (self._fragments(end) and depth == 0) or self._pixels
        elif vr in (b"", b"SQ", b"UN"):
            if self._items(end, depth + 1, explicit=explicit and vr != b"UN", closed=True):
                self._judge_presence(rule, tag)
        else:
            raise Unreadable(_("an element in it has no length"))

    def _items(self, end: int, depth: int, *, explicit: bool, closed: bool) -> bool:
        """Read the items of a sequence; tell whether there are any."""
        if depth > _DEPTH_MAX:
            raise Unreadable(_("its sequences are nested too deeply"))
        found = False
        while self._position < end:
            tag, length = self._delimiter(end)
            if tag == _SEQUENCE_END and closed:
                return found
            if tag != _ITEM:
                raise Unreadable(_("a sequence in it holds what is no item"))
            found = True
            stop = end if length == _UNDEFINED else self._position + length
            if stop > end:
                raise Unreadable(_("an item in it is longer than its sequence"))
            self._elements(stop, depth, explicit=explicit, closed=length == _UNDEFINED)
        if closed:
            raise Unreadable(_("a sequence in it is not closed"))
        return found

    def _fragments(self, end: int) -> bool:
        """Pass over compressed pixels; tell whether there are any."""
        found = False
        while self._position < end:
            tag, length = self._delimiter(end)
            if tag == _SEQUENCE_END:
                return found
            if tag != _ITEM or self._position + length > end:
                raise Unreadable(_("its pixels are cut short"))
            found = found or length > 0
            self._skip(length)
        raise Unreadable(_("its pixels are not closed"))

    def _delimiter(self, end: int) -> tuple[int, int]:
        self._budget.spend()
        group, element, length = struct.unpack("<HHI", self._take(8))
        if self._position > end:
            raise Unreadable(_("an item in it is longer than its sequence"))
        return group << 16 | element, length

    # -- values

    def _value(self, tag: int, rule: Rule | None, length: int) -> None:
        start, text = self._position, None
        if length <= _VALUE_MAX:
            # Every byte is a character: what is no ASCII is no code.
            text = self._take(length).decode("latin-1").strip(_PADDING)
        else:
            self._skip(length)
        if tag == _TRANSFER_SYNTAX:
            self._syntax = text or ""
        elif rule == "code" and text is not None:
            if text:
                self._findings.codes.add(text)
                self._findings.spans.append(Span(start, length))
        elif rule == "burned":
            if text not in ("", "NO"):
                self._findings.identities[name_of(tag)] = None
        elif text != "":
            self._judge_presence(rule, tag)

    def _judge_presence(self, rule: Rule | None, tag: int) -> None:
        if rule == "date":
            self._findings.dates[name_of(tag)] = None
        elif rule is not None:
            self._findings.identities[name_of(tag)] = None
