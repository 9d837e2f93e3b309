"""The results package: whole, the same bytes each time, checked file by file, and hostile zips refused."""

import io
import json
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from equipoise.definition.lock import canonical_json
from equipoise.exchange.documents.package import LOCK, MANIFEST, results_package
from equipoise.exchange.documents.verify import FILES_MAX, verify_package
from equipoise.exchange.made import MadeFile, NotWritten
from equipoise.exchange.unreadable import FileUnreadable
from tests.exchange.documents_reading import bytes_of, cut_of


@cache
def package(masked: bool = False, swapped: bool = False) -> tuple[str, bytes]:
    (made,) = results_package(cut_of("crossover", masked, swapped), forms=("html",))
    return made.path, bytes_of(made)


def inside(content: bytes) -> dict[str, bytes]:
    """The files below the package's folder."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name.split("/", 1)[1]: archive.read(name) for name in archive.namelist()}


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    handle = io.BytesIO()
    with zipfile.ZipFile(handle, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return handle.getvalue()


def found_in(content: bytes, folder: Path) -> list[tuple[str, str]]:
    path = folder / "package.zip"
    path.write_bytes(content)
    return [(each.code, each.path) for each in verify_package(path)]


def refused(content: bytes, folder: Path) -> str:
    with pytest.raises(FileUnreadable) as error:
        found_in(content, folder)
    assert error.value.sentence.endswith(".") and len(error.value.sentence) < 400
    return error.value.code


def test_spec_a_package_is_as_its_manifest_says(tmp_path: Path) -> None:
    name, content = package()
    assert name == "kite-results-1234.zip"
    assert found_in(content, tmp_path) == []
    assert (
        found_in(zipped({f"top/{k}": v for k, v in inside(content).items()}, zipfile.ZIP_DEFLATED), tmp_path)
        == []
    )


def test_spec_it_holds_what_it_was_made_from() -> None:
    cut, files = cut_of("crossover"), inside(package()[1])
    manifest = json.loads(files[MANIFEST])
    assert files[LOCK] == canonical_json(cut.definition) + b"\n"
    assert manifest["definition"]["sha256"] == cut.definition.hash == sha256(files[LOCK][:-1]).hexdigest()
    assert manifest["ledger"] == {"position": 1234, "head": cut.head, "recorded_at": cut.recorded_at}
    assert {"equipoise", "python", "numpy", "scipy"} <= manifest["programs"].keys()
    assert manifest["data"]["simulated"] and not manifest["data"]["masked"]
    assert {each["path"] for each in manifest["files"]} == files.keys() - {MANIFEST}
    for each in manifest["files"]:
        assert each["sha256"] == sha256(files[each["path"]]).hexdigest()
        assert each["bytes"] == len(files[each["path"]])
    assert {"README.txt", "report/report.html", "datasets/adsl.csv", "datasets/datasets.json"} <= files.keys()
    assert json.loads(files["registry/record-with-results.json"])["hasResults"]
    for words in (cut.head, cut.definition.hash, "SIMULATED", "manifest.json"):
        assert words in files["README.txt"].decode()


def test_spec_the_same_cut_makes_the_same_bytes_in_one_order_at_one_time() -> None:
    first, second = (
        bytes_of(made)
        for _ in range(2)
        for made in results_package(cut_of("single"), forms=("html",), listings=False)
    )
    assert first == second
    with zipfile.ZipFile(io.BytesIO(package()[1])) as archive:
        infos = archive.infolist()
    assert [each.filename for each in infos] == sorted(each.filename for each in infos)
    assert {
        (each.date_time, each.external_attr >> 16, each.compress_type, each.flag_bits) for each in infos
    } == {((2025, 6, 30, 12, 0, 0), 0o100644, zipfile.ZIP_STORED, 0)}


def test_spec_a_masked_draft_holds_no_arm_and_no_record() -> None:
    name, content = package(masked=True)
    assert name == "kite-masked-draft-1234.zip"
    assert content == package(masked=True, swapped=True)[1]
    files = inside(content)
    assert not any(path.startswith("registry/") for path in files)
    assert "still masked" in " ".join(files["README.txt"].decode().split())
    assert b"ARMCD" not in files["datasets/adsl.csv"]


def test_spec_arms_of_a_masked_trial_are_not_packed() -> None:
    with pytest.raises(NotWritten) as error:
        list(results_package(replace(cut_of("crossover"), unblinded_at=None)))
    assert error.value.code == "PACKAGE-CLOSED"


def test_spec_other_datasets_take_the_place_of_those_of_the_analysis() -> None:
    mine = [MadeFile("sdtm/dm.json", (b"{", b"}")), MadeFile("define.xml", b"<x/>")]
    told: list[str] = []
    (made,) = results_package(cut_of("single"), datasets=mine, forms=(), listings=False, progress=told.append)
    files = inside(bytes_of(made))
    assert files["datasets/sdtm/dm.json"] == b"{}" and "datasets/adsl.csv" not in files
    assert set(told) == files.keys() - {MANIFEST}


def test_spec_a_changed_a_missing_and_a_further_file_are_named(tmp_path: Path) -> None:
    files = inside(package()[1])
    files["README.txt"] = files["README.txt"].replace(b"by arm", b"by hand")
    del files["datasets/adsl.csv"]
    files["datasets/more.csv"] = b"x"
    files[LOCK] = files[LOCK].replace(b"KITE", b"KITS")
    assert sorted(found_in(zipped({f"p/{k}": v for k, v in files.items()}), tmp_path)) == [
        ("PACKAGE-CHANGED", "README.txt"),
        ("PACKAGE-CHANGED", LOCK),
        ("PACKAGE-DEFINITION", LOCK),
        ("PACKAGE-EXTRA", "datasets/more.csv"),
        ("PACKAGE-MISSING", "datasets/adsl.csv"),
    ]


def entry(name: str, content: bytes = b"x", **fields: int) -> bytes:
    """A zip with a whole package and one more file, whose entry is as given."""
    handle = io.BytesIO(package()[1])
    with zipfile.ZipFile(handle, "a") as archive:
        info = zipfile.ZipInfo(name)
        for field, value in fields.items():
            setattr(info, field, value)
        archive.writestr(info, content, fields.get("compress_type", zipfile.ZIP_STORED))
    return handle.getvalue()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("../outside", "PACKAGE-PATH"),
        ("/etc/passwd", "PACKAGE-PATH"),
        ("kite/../../outside", "PACKAGE-PATH"),
        ("C:/outside", "PACKAGE-PATH"),
        ("a\\b", "PACKAGE-PATH"),
        ("a//b", "PACKAGE-PATH"),
        ("a\nb", "PACKAGE-PATH"),
        ("kite-results-1234/README.TXT", "PACKAGE-TWICE"),
    ],
)
def test_spec_names_that_lead_astray_are_refused(name: str, code: str, tmp_path: Path) -> None:
    assert refused(entry(name), tmp_path) == code


def test_spec_links_and_unusual_compression_are_refused(tmp_path: Path) -> None:
    link = entry("kite-results-1234/link", b"/etc/passwd", external_attr=0o120777 << 16, create_system=3)
    assert refused(link, tmp_path) == "PACKAGE-LINK"
    assert (
        refused(entry("kite-results-1234/x", compress_type=zipfile.ZIP_BZIP2), tmp_path) == "PACKAGE-METHOD"
    )


def test_spec_an_encrypted_file_is_refused(tmp_path: Path) -> None:
    content = bytearray(entry("kite-results-1234/secret"))
    place = content.rindex(b"PK\x01\x02")
    content[place + 8] |= 1
    assert refused(bytes(content), tmp_path) == "PACKAGE-ENCRYPTED"


def test_spec_a_bomb_is_refused_and_never_unpacked(tmp_path: Path) -> None:
    bomb = entry("kite-results-1234/bomb", bytes(30_000_000), compress_type=zipfile.ZIP_DEFLATED)
    tracemalloc.start()
    assert refused(bomb, tmp_path) == "PACKAGE-TOO-LARGE"
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_spec_too_many_files_or_bytes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "package.zip"
    path.write_bytes(package()[1])
    with pytest.raises(FileUnreadable, match="PACKAGE-TOO-LARGE"):
        verify_package(path, bytes_max=1000)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0, FILES_MAX + 1, 0, 0, 0)
    assert refused(end, tmp_path) == "PACKAGE-TOO-LARGE"
    large = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1) + struct.pack("<4s4H2LH", b"PK\x05\x06", *[0] * 7)
    assert refused(large, tmp_path) == "PACKAGE-TOO-LARGE"


def _cut_short(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _wrong_sum(content: bytes) -> bytes:
    place = content.index(b"README.txt") + 40
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (_cut_short, "PACKAGE-NO-ZIP"),
        (lambda content: content + b"more", "PACKAGE-NO-ZIP"),
        (lambda content: b"", "PACKAGE-NO-ZIP"),
        (_wrong_sum, "PACKAGE-DAMAGED"),
    ],
)
def test_spec_a_damaged_file_is_refused(damage: Callable[[bytes], bytes], code: str, tmp_path: Path) -> None:
    assert refused(damage(package()[1]), tmp_path) == code


@pytest.mark.parametrize(
    "manifest",
    [
        None,
        b"",
        b"[]",
        b"[" * 100_000,
        b'{"format": "other"}',
        b'{"format": "equipoise-results-package/1", "definition": {}, "files": [{"path": 1}]}',
        b'{"format": "equipoise-results-package/1", "definition": [], "files": []}',
    ],
)
def test_spec_a_package_without_a_manifest_is_refused(manifest: bytes | None, tmp_path: Path) -> None:
    files = {"p/a.txt": b"x"} | ({} if manifest is None else {f"p/{MANIFEST}": manifest})
    assert refused(zipped(files), tmp_path) == "PACKAGE-MANIFEST"


def test_spec_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable, match="FILE-MISSING"):
        verify_package(tmp_path / "none.zip")


@cache
def tiny() -> bytes:
    """A whole package of two small files."""
    files = {"README.txt": b"words\n" * 20}
    listed = [{"path": k, "bytes": len(v), "sha256": sha256(v).hexdigest()} for k, v in files.items()]
    head = {"format": "equipoise-results-package/1", "definition": {"sha256": ""}, "files": listed}
    files[MANIFEST] = json.dumps(head).encode()
    return zipped({f"p/{k}": v for k, v in files.items()}, zipfile.ZIP_DEFLATED)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_spec_whatever_is_changed_is_found_or_refused(data: st.DataObject, tmp_path: Path) -> None:
    content = bytearray(tiny())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4, unique=True)):
        content[place] = data.draw(st.integers(0, 255))
    try:
        found = found_in(bytes(content), tmp_path)
    except FileUnreadable as error:
        assert error.code.startswith("PACKAGE-")
    else:
        # The time of an entry may change unnoticed; what a file holds may not.
        assert found or inside(bytes(content)) == inside(tiny())
