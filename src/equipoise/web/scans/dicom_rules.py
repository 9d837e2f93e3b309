"""Which DICOM elements must be empty in a scan that is read blinded.

After the Basic Application Level Confidentiality Profile of DICOM PS3.15, Annex E, without its options that
retain dates, institutions or private elements. What tells how an image was made (series, sequence, device)
stays: readers need it. So do sex, age, size and weight. Where the kind of a value is written in the file
(explicit VR), every date and every name of a person is found by it, wherever it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Rule = Literal["code", "identity", "date", "burned"]
"""What holds for an element: only the participant's code, nothing, no date, or not YES."""

_CODES = frozenset({0x00100010, 0x00100020, 0x00120040})
_BURNED = 0x00280301

_HARMLESS = frozenset(
    {
        *(0x00100040, 0x00101010, 0x00101020, 0x00101030),
        *(0x00120010, 0x00120020, 0x00120021, 0x00120060, 0x00120062, 0x00120063, 0x00120064),
        *(0x00400555, 0x004008EA),
    }
)
"""What may be there although its group may not: sex, age, size, weight; the trial and how it was masked."""

_DATES = frozenset(
    {
        *(0x00080012, 0x00080015, 0x00080020, 0x00080021, 0x00080022, 0x00080023, 0x00080024, 0x00080025),
        *(0x0008002A, 0x00100030, 0x00181012, 0x00181078, 0x00181079, 0x00181200, 0x00181202, 0x0018700C),
        *(0x00189074, 0x00189151, 0x00189516, 0x00189517, 0x00189623, 0x0018A002, 0x00203403, 0x00321000),
        *(0x00321010, 0x00321040, 0x00321050, 0x00380020, 0x00380030, 0x00400002, 0x00400004, 0x00400244),
        *(0x00400250, 0x00402004, 0x00404005, 0x00404010, 0x00404011, 0x00404050, 0x00404051, 0x00404052),
        *(0x0040A023, 0x0040A030, 0x0040A032, 0x0040A082, 0x0040A110, 0x0040A120, 0x0040A121, 0x0040A13A),
        *(0x0040DB06, 0x0040DB07, 0x00440004, 0x0044000B, 0x00440010, 0x00440104, 0x00440105, 0x00686226),
        *(0x00700082, 0x0072000A, 0x01000420, 0x04000105, 0x04000562, 0x30060008, 0x300A0006, 0x300E0004),
    }
)

_IDENTITIES = frozenset(
    {
        # Numbers of requests and visits; institutions; people; descriptions that are written by hand.
        *(0x00020102, 0x00080050, 0x00080051, 0x00080080, 0x00080081, 0x00080082, 0x00080090, 0x00080092),
        *(0x00080094, 0x00080096, 0x0008009C, 0x0008009D, 0x00081010, 0x00081030, 0x00081032, 0x00081040),
        *(0x00081041, 0x00081048, 0x00081049, 0x00081050, 0x00081052, 0x00081060, 0x00081062, 0x00081070),
        *(0x00081072, 0x00081080, 0x00081084, 0x00081120, 0x00084000, 0x00182042, 0x00184000, 0x00189185),
        *(0x00200010, 0x00204000, 0x00209158, 0x00284000, 0x00880904, 0x00880906, 0x00880910, 0x00880912),
        *(0x00403001, 0x0040A073, 0x0040A075, 0x0040A078, 0x0040A07A, 0x0040A07C, 0x0040A088, 0x0040A123),
        *(0x0040A353, 0x0040A354, 0x0040A358, 0x0040A730),
    }
)

_GROUPS = frozenset({0x0010, 0x0012, 0x0032, 0x0038, 0x0042, 0x0070, 0x0400, 0x4000, 0x4008, 0xFFFA, 0xFFFC})
"""The patient, the trial, requests, visits, documents, drawings, signatures, results, and what trails."""

_PROCEDURES, _PROCEDURES_END = 0x0040, 0x3000
_CURVES, _OVERLAYS = 0x50, 0x60
"""The first half of the numbers of groups in which lines are drawn over the image."""

_NAMES: Mapping[int, str] = {
    0x00080012: "Instance Creation Date",
    0x00080020: "Study Date",
    0x00080021: "Series Date",
    0x00080022: "Acquisition Date",
    0x00080023: "Content Date",
    0x0008002A: "Acquisition DateTime",
    0x00080050: "Accession Number",
    0x00080080: "Institution Name",
    0x00080081: "Institution Address",
    0x00080090: "Referring Physician's Name",
    0x00081010: "Station Name",
    0x00081030: "Study Description",
    0x00081040: "Institutional Department Name",
    0x00081050: "Performing Physician's Name",
    0x00081070: "Operators' Name",
    0x00100010: "Patient's Name",
    0x00100020: "Patient ID",
    0x00100030: "Patient's Birth Date",
    0x00101000: "Other Patient IDs",
    0x00101001: "Other Patient Names",
    0x00101040: "Patient's Address",
    0x00102154: "Patient's Telephone Numbers",
    0x00104000: "Patient Comments",
    0x00120040: "Clinical Trial Subject ID",
    0x00120050: "Clinical Trial Time Point ID",
    0x00200010: "Study ID",
    0x00204000: "Image Comments",
    0x00280301: "Burned In Annotation",
    0x00400244: "Performed Procedure Step Start Date",
    0x00400275: "Request Attributes Sequence",
}


def rule_of(tag: int, vr: bytes) -> Rule | None:
    """Return what holds for an element of a tag (group and element) and VR, empty where that is implicit."""
    group, element = divmod(tag, 0x10000)
    if tag in _CODES:
        return "code"
    if tag == _BURNED:
        return "burned"
    if vr in (b"DA", b"DT") or tag in _DATES:
        return "date"
    if tag in _HARMLESS:
        return None
    of_group = group in _GROUPS or (group == _PROCEDURES and element < _PROCEDURES_END)
    # Groups of an odd number are private.
    of_group = of_group or group % 2 == 1 or group >> 8 in (_CURVES, _OVERLAYS)
    return "identity" if of_group or vr == b"PN" or tag in _IDENTITIES else None


def name_of(tag: int) -> str:
    """Return how a tag is written, with the name of its element where that is a usual one."""
    group, element = divmod(tag, 0x10000)
    written = f"({group:04X},{element:04X})"
    if group % 2:
        return f"{written} private"
    return f"{written} {_NAMES[tag]}" if tag in _NAMES else written
