"""A study folder is made anew from a definition to the same hash, and comes as a zip from somewhere else."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.definition.load import check_study
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.source import read_yaml
from equipoise.exchange.made import MadeFile, exact_yaml_text, write_folder
from equipoise.exchange.study_folder import ZIP, read_study_zip, study_files
from equipoise.exchange.unreadable import FileUnreadable
from equipoise.web.zips import zip_of
from tests.rehearsal.folders import NAMES, load

TREES = st.recursive(
    st.text() | st.integers(-(10**17), 10**17) | st.booleans(),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def compiled(files: tuple[MadeFile, ...], folder: Path) -> StudyDefinition:
    write_folder(files, folder)
    definition, findings = check_study(folder)
    assert definition is not None, [each.line() for each in findings]
    return definition


@pytest.mark.parametrize("study", ["mesems", *NAMES])
def test_law_a_folder_made_from_a_definition_compiles_to_it(study: str, tmp_path: Path) -> None:
    definition = load(study)
    files = study_files(definition)
    assert compiled(files, tmp_path / "made").hash == definition.hash
    assert study_files(definition) == files


@given(st.dictionaries(st.text(min_size=1, max_size=5), TREES, max_size=3))
def test_law_a_tree_is_read_back_from_its_yaml_as_it_was(tree: Mapping[str, object]) -> None:
    file, findings = read_yaml("any.yaml", exact_yaml_text(tree).encode())
    assert file is not None and not findings, findings
    assert file.data == tree


def named(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {each.path: bytes(each.content) for each in read_study_zip(zip_of(files), "study.zip")}  # type: ignore[arg-type]


def test_a_folder_is_taken_with_what_a_disk_puts_around_and_beside_it() -> None:
    plain = {"study.yaml": b"1", "forms/a.yaml": b"2"}
    assert named(plain) == plain
    around = {f"kite/{name}": content for name, content in plain.items()}
    assert named(around) == plain
    assert named(around | {"__MACOSX/kite/._study.yaml": b"x", "kite/.DS_Store": b"x"}) == plain


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"../study.yaml": b"1"}, "FOLDER-PATH"),
        ({"study.yaml": b"1", "x" * 201: b""}, "FOLDER-PATH"),
        ({"study.yaml": b"1", "/".join("abcdefghi"): b""}, "FOLDER-PATH"),
        ({"study.yaml": b"1", "Forms": b"", "forms/a.yaml": b""}, "FOLDER-TWICE"),
        ({"study.yaml": b"1", "STUDY.yaml": b""}, "FOLDER-TWICE"),
        ({f"{number}.yaml": b"" for number in range(ZIP.files_max + 1)}, "FOLDER-TOO-LARGE"),
    ],
)
def test_names_that_no_disk_takes_and_too_many_are_refused(files: dict[str, bytes], code: str) -> None:
    with pytest.raises(FileUnreadable, match=code):
        named(files)


def test_a_bomb_and_what_is_no_zip_are_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("study.yaml", bytes(7_000_000))
    for content, code in ((packed.getvalue(), "FOLDER-TOO-LARGE"), (b"PK", "FOLDER-NO-ZIP")):
        with pytest.raises(FileUnreadable, match=code):
            read_study_zip(content, "study.zip")
