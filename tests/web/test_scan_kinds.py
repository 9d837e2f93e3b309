"""What is taken as a scan's file and what is not, told by its bytes; and that no bytes break the readers."""

import gzip
import io
import struct
import tempfile
from zipfile import ZIP_BZIP2, ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.access.refusal import Refusal, Refused
from equipoise.web.scans import dicom as reader
from equipoise.web.scans import kinds
from equipoise.web.scans.kinds import kind_of, take_in
from equipoise.web.scans.refusals import Unreadable
from tests.web.scan_bytes import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    JPEG,
    SEQUENCE_END,
    UNDEFINED,
    compressed,
    dicom,
    element,
    item,
    nifti,
    pixels,
    zipped,
)

CODE = "SE01-001"


def taken(content: bytes) -> tuple[bytes, frozenset[str]]:
    """What is kept of a file, and the codes that it had."""
    target = io.BytesIO()
    # Bytes in memory and files go wrong in different ways: what is uploaded is a file.
    with tempfile.TemporaryFile() as source:
        source.write(content)
        codes = take_in(source, len(content), target)
    return target.getvalue(), codes


def refused(content: bytes) -> Refusal:
    with pytest.raises(Refused) as raised:
        taken(content)
    return raised.value.refusal


# -- taken


FRAGMENTS = element(0x7FE00010, "OB", b"", length=UNDEFINED) + item(b"") + item(b"jpeg") + SEQUENCE_END


@pytest.mark.parametrize(
    "content",
    [
        dicom(),
        dicom(syntax=IMPLICIT),
        dicom(FRAGMENTS, syntax=JPEG, image=False),
        dicom(element(0x00080020, "DA", b"") + element(0x00100010, "PN", b"  ")),
        dicom(element(0x00100040, "CS", b"F ") + element(0x00120062, "CS", b"YES ")),
        dicom(element(0x00280301, "CS", b"NO")),
        dicom(element(0x00400275, "SQ", b"")),
        dicom(element(0x00082112, "SQ", item(element(0x00081155, "UI", b"1.2\0")))),
        nifti(),
        nifti(order=">"),
        nifti(2),
        nifti(2, order=">"),
        nifti(text=b"   \0"),
    ],
)
def test_a_scan_without_anything_that_tells_whose_it_is_is_kept_as_it_is(content: bytes):
    assert taken(content) == (content, frozenset())


@pytest.mark.parametrize(("syntax", "explicit"), [(EXPLICIT, True), (IMPLICIT, False)])
def test_spec_the_participants_code_is_read_and_blanked(syntax: str, explicit: bool):
    code = element(0x00100020, "LO", CODE.encode(), explicit=explicit)
    name = element(0x00100010, "PN", CODE.encode() + b"^^", explicit=explicit)
    content = dicom(name + code, syntax=syntax)
    kept, codes = taken(content)
    assert codes == {CODE}
    assert CODE.encode() not in kept
    assert len(kept) == len(content)
    assert kept[-8:] == content[-8:]
    assert taken(kept) == (kept, frozenset())


def test_spec_a_zip_is_packed_anew_without_names_and_times():
    one, other = dicom(element(0x00100020, "LO", CODE.encode())), dicom(element(0x00180081, "DS", b"12"))
    kept, codes = taken(zipped({f"{CODE}_20250102_a": one, "b.dcm": other}))
    assert codes == {CODE}
    assert CODE.encode() not in kept
    with ZipFile(io.BytesIO(kept)) as archive:
        assert archive.namelist() == ["IM00001.dcm", "IM00002.dcm"]
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.read("IM00002.dcm") == other
        assert len(archive.read("IM00001.dcm")) == len(one)


def test_spec_a_compressed_nifti_loses_the_name_and_the_time_of_its_header():
    content = nifti(2)
    kept, codes = taken(compressed(content))
    assert (gzip.decompress(kept), codes) == (content, frozenset())
    assert kept[:10] == b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
    assert b"week_4" not in kept
    assert taken(kept)[0] == kept


@pytest.mark.parametrize(
    ("content", "kind"),
    [(dicom(), "dcm"), (zipped({"a": dicom()}), "zip"), (nifti(), "nii"), (compressed(nifti()), "nii.gz")],
)
def test_the_kind_is_told_by_the_first_bytes(content: bytes, kind: str):
    assert kind_of(content[: kinds.HEAD_BYTES]) == kind
    assert kind_of(b"") is None


# -- refused: identity and dates


@pytest.mark.parametrize("explicit", [True, False])
@pytest.mark.parametrize(
    ("tag", "vr", "value"),
    [
        (0x00080050, "SH", b"ACC1"),
        (0x00080080, "LO", b"The hospital"),
        (0x00080090, "PN", b"Xu^Wei"),
        (0x00081030, "LO", b"Week 24"),
        (0x00081070, "PN", b"Xu^Wei"),
        (0x00101000, "LO", b"191212121212"),
        (0x00101001, "PN", b"Other^Name"),
        (0x00101040, "LO", b"A street 7"),
        (0x00102154, "SH", b"0701234567"),
        (0x00104000, "LT", b"Called back"),
        (0x00120050, "LO", b"week_24"),
        (0x00204000, "LT", b"after the second infusion"),
        (0x00280301, "CS", b"YES"),
        (0x00290010, "LO", b"MAKER CSA"),
        (0x00321060, "LO", b"asked for"),
        (0x00400253, "SH", b"STEP1"),
        (0x60003000, "OW", b"\1\0"),
        (0xFFFCFFFC, "OB", b"\1\1"),
    ],
)
def test_spec_what_identifies_is_refused_and_not_repeated(tag: int, vr: str, value: bytes, explicit: bool):
    syntax = EXPLICIT if explicit else IMPLICIT
    refusal = refused(dicom(element(tag, vr, value, explicit=explicit), syntax=syntax))
    assert refusal.code == "WEB-FILE-IDENTITY"
    assert refusal.details[0].startswith(f"({tag >> 16:04X},{tag & 0xFFFF:04X})")
    assert value.decode("latin-1") not in str(refusal) + "".join(refusal.details)
    assert "PS3.15" in refusal.remedy


@pytest.mark.parametrize("explicit", [True, False])
@pytest.mark.parametrize(
    "tag", [0x00080012, 0x00080020, 0x00080021, 0x00080022, 0x00080023, 0x0008002A, 0x00181012]
)
def test_spec_the_day_of_the_scan_is_refused(tag: int, explicit: bool):
    vr = "DT" if tag == 0x0008002A else "DA"
    syntax = EXPLICIT if explicit else IMPLICIT
    refusal = refused(dicom(element(tag, vr, b"20250102", explicit=explicit), syntax=syntax))
    assert refusal.code == "WEB-FILE-DATES"
    assert "retain dates" in refusal.remedy


def test_a_date_of_birth_is_refused():
    refusal = refused(dicom(element(0x00100030, "DA", b"19700101")))
    assert refusal.details == ("(0010,0030) Patient's Birth Date",)


def test_a_long_number_of_the_patient_is_refused_as_such():
    assert refused(dicom(element(0x00100020, "LO", b"1" * 2000))).code == "WEB-FILE-IDENTITY"


@pytest.mark.parametrize("vr", ["DA", "PN"])
def test_dates_and_names_are_found_under_tags_that_nobody_listed(vr: str):
    assert refused(dicom(element(0x00189999, vr, b"20250102"))).details == ("(0018,9999)",)


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("explicit", [True, False])
def test_spec_what_is_nested_is_found(explicit: bool, closed: bool):
    hidden = element(0x00100030, "DA", b"19700101", explicit=explicit)
    inner = item(hidden, closed=closed) + (SEQUENCE_END if closed else b"")
    for _level in range(3):
        sequence = element(0x00082112, "SQ", inner, explicit=explicit, length=UNDEFINED if closed else None)
        inner = item(sequence, closed=closed) + (SEQUENCE_END if closed else b"")
    content = dicom(sequence, syntax=EXPLICIT if explicit else IMPLICIT)
    assert refused(content).code == "WEB-FILE-DATES"


def test_what_is_nested_in_a_sequence_of_unknown_kind_is_found():
    hidden = item(element(0x00100030, "DA", b"19700101", explicit=False))
    assert refused(dicom(element(0x00189998, "UN", hidden))).code == "WEB-FILE-DATES"


def test_what_follows_the_pixels_is_read_too():
    assert refused(dicom(pixels() + element(0x00100030, "DA", b"19700101"))).code == "WEB-FILE-DATES"


def test_a_preamble_that_says_something_is_refused():
    assert refused(dicom(preamble=b"II*\0 Anna Andersson")).code == "WEB-FILE-IDENTITY"


@pytest.mark.parametrize(
    ("version", "at"), [(1, 4), (1, 14), (1, 148), (1, 228), (1, 328), (2, 240), (2, 508), (2, 525)]
)
def test_spec_text_in_a_nifti_header_is_refused(version: int, at: int):
    refusal = refused(nifti(version, text=b"t=102030", at=at))
    assert refusal.code == "WEB-FILE-TEXT"
    assert "t=102030" not in str(refusal) + "".join(refusal.details)
    assert refused(compressed(nifti(version, text=b"t=102030", at=at))).code == "WEB-FILE-TEXT"


def test_a_nifti_extension_is_refused():
    extension = struct.pack("<ii", 32, 6) + b"Anna Andersson".ljust(24, b"\0")
    assert refused(nifti(extension=extension)).code == "WEB-FILE-TEXT"


# -- refused: not what it says


BROKEN = {
    "empty": b"",
    "text": b"A letter.\n" * 30,
    "html": b"<!doctype html>" * 30,
    "deflated": dicom(syntax=DEFLATED),
    "big endian": dicom(syntax=BIG_ENDIAN),
    "no image": dicom(image=False),
    "no data set": dicom()[:132],
    "cut in the pixels": dicom()[:-3],
    "cut in an element": dicom(image=False)[:-3],
    "a huge length": dicom(element(0x00180081, "UT", b"12", length=0x7FFFFFFF)),
    "an open length": dicom(element(0x00180081, "UT", b"12", length=UNDEFINED)),
    "an open sequence": dicom(element(0x00082112, "SQ", item(b""), length=UNDEFINED)),
    "an open item": dicom(element(0x00082112, "SQ", item(b"", closed=True)[:-8])),
    "an item longer than its sequence": dicom(element(0x00082112, "SQ", item(b"1234")[:-2])),
    "no item": dicom(element(0x00082112, "SQ", b"12345678")),
    "a delimiter": dicom(SEQUENCE_END),
    "an unknown kind": dicom(b"\x18\x00\x81\x00??\x02\x0012"),
    "meta information later": dicom(element(0x00020010, "UI", b"1.2\0")),
    "pixels cut short": dicom(FRAGMENTS[:-8], syntax=JPEG, image=False),
    "an empty zip": zipped({}),
    "a zip with a folder": zipped({"series/a.dcm": dicom()}),
    "a zip with a path": zipped({"..\\a.dcm": dicom()}),
    "a zip in a zip": zipped({"a.zip": zipped({"a": dicom()})}),
    "a zip with a letter": zipped({"a.dcm": dicom(), "letter.txt": b"Dear" * 50}),
    "a zip cut short": zipped({"a": dicom()})[:-30],
    "nifti cut short": nifti()[:-1],
    "nifti and more": nifti() + b"more",
    "half a nifti header": nifti()[:350],
    "compressed text": gzip.compress(b"A letter.\n" * 100),
    "compressed and cut short": compressed(nifti())[:-9],
    "compressed, and more": compressed(nifti()) + b"Anna",
    "compressed twice over": compressed(nifti()) + compressed(nifti()),
    "compressed, of no known flags": b"\x1f\x8b\x08\xe0" + compressed(nifti())[4:],
}


@pytest.mark.parametrize("name", BROKEN)
def test_spec_a_file_that_is_not_what_it_says_is_refused(name: str):
    assert refused(BROKEN[name]).code == "WEB-FILE-TYPE"


def test_compression_that_is_not_read_and_encryption_are_refused():
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_BZIP2) as archive:
        archive.writestr("a", dicom())
    assert refused(packed.getvalue()).code == "WEB-FILE-TYPE"
    content = bytearray(zipped({"a": dicom()}))
    for mark, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.find(mark) + flags] |= 1
    assert refused(bytes(content)).code == "WEB-FILE-TYPE"


def test_a_member_that_was_changed_is_refused():
    packed = io.BytesIO()
    with ZipFile(packed, "w") as archive:
        archive.writestr("a", dicom())
    content = bytearray(packed.getvalue())
    content[content.find(b"after contrast")] ^= 1
    assert refused(bytes(content)).code == "WEB-FILE-TYPE"


# -- refused: too much


def test_spec_what_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kinds, "UNPACKED_BYTES_MAX", 500)
    assert refused(zipped({"a": dicom(), "b": dicom(), "c": dicom()})).code == "WEB-FILE-TOO-MUCH"
    bomb = nifti() + bytes(1_000_000)
    assert refused(compressed(bomb)).code == "WEB-FILE-TOO-MUCH"


def test_a_zip_of_too_many_files_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kinds, "MEMBERS_MAX", 2)
    assert refused(zipped({"a": dicom(), "b": dicom(), "c": dicom()})).code == "WEB-FILE-TOO-MUCH"


def test_a_file_of_too_many_elements_is_refused():
    empty = element(0x00180081, "DS", b"") * 100
    with pytest.raises(Unreadable):
        content = dicom(empty)
        reader.read_dicom(io.BytesIO(content), len(content), reader.Findings(), reader.Budget(50))


def test_sequences_that_are_nested_too_deeply_are_refused():
    inner = b""
    for _level in range(400):
        inner = element(0x00082112, "SQ", item(inner))
    assert refused(dicom(inner)).code == "WEB-FILE-TYPE"


# -- laws

VALID = (
    dicom(element(0x00100020, "LO", CODE.encode())),
    dicom(
        element(
            0x00082112,
            "SQ",
            item(element(0x00081155, "UI", b"1.2\0"), closed=True) + SEQUENCE_END,
            length=UNDEFINED,
        )
    ),
    dicom(syntax=IMPLICIT),
    dicom(FRAGMENTS, syntax=JPEG, image=False),
    zipped({"a": dicom(), "b": dicom()}),
    nifti(),
    nifti(2),
    compressed(nifti()),
)


def only_refused(content: bytes) -> None:
    """Whatever the bytes are, they are taken or refused in words, and nothing else happens."""
    try:
        kept, _codes = taken(content)
    except Refused as raised:
        assert raised.refusal.code.startswith("WEB-FILE-")
    else:
        # What was kept would be taken again, and is then left as it is.
        assert taken(kept) == (kept, frozenset())


@given(start=st.sampled_from(["", "dicom", "zip", "gzip", "nifti"]), rest=st.binary(max_size=600))
def test_no_bytes_break_the_readers(start: str, rest: bytes):
    starts = {
        "": b"",
        "dicom": dicom(image=False),
        "zip": b"PK\3\4",
        "gzip": b"\x1f\x8b\x08",
        "nifti": nifti()[:40],
    }
    only_refused(starts[start] + rest)


@given(st.data())
def test_no_damage_to_a_scan_breaks_the_readers(data: st.DataObject):
    content = bytearray(data.draw(st.sampled_from(VALID)))
    for _time in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        length = data.draw(st.integers(0, 8))
        content[at : at + length] = data.draw(st.binary(max_size=8))
    only_refused(
        bytes(
            content[: data.draw(st.integers(1, len(content) or 1))] if data.draw(st.booleans()) else content
        )
    )
