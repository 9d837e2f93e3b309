"""The user guide: a page a role, with pictures that exist, naming nothing that the clinic does not have."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from equipoise.definition.model.study import RoleKind
from equipoise.web.commands.catalogue import CATALOGUE
from equipoise.web.menu import MENU

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "guide"
WEB = ROOT / "src" / "equipoise" / "web"
PAGES = sorted(GUIDE.glob("*.md"))
PAGES_MAX = 10
IMAGES_MAX = 20
IMAGE_BYTES_MAX = 150_000

_IMAGE = re.compile(r"!\[([^\]]*)\]\(images/([^)]+)\)")
_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)]+)\)")
_BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
_ROLES = re.compile(r"<!-- roles: ([a-z_ ]+) -->")
_MARKED = (
    re.compile(r"""\{% trans (["'])(.+?)\1"""),
    re.compile(r"""\b_\((["'])(.+?)\1\)"""),
    re.compile(r"""\bgettext_lazy\((["'])(.+?)\1\)"""),
    re.compile(r"(\{% blocktrans[^%]*%\})(.+?)\{%", re.DOTALL),
)


def texts_of_the_clinic() -> set[str]:
    """Every text that a page of the clinic may show: those of templates and of code, menu and commands."""
    found = {str(title) for _, title in MENU}
    found |= {str(part) for text in CATALOGUE.values() for part in (text.title, text.button)}
    for path in [*WEB.rglob("*.html"), *WEB.rglob("*.py")]:
        source = path.read_text(encoding="utf-8")
        found |= {match[2].strip() for pattern in _MARKED for match in pattern.finditer(source)}
    return found


def pictures() -> list[str]:
    """Every picture that a page shows, in their order."""
    return [match[2] for page in PAGES for match in _IMAGE.finditer(page.read_text(encoding="utf-8"))]


def test_the_guide_has_at_most_ten_pages_and_one_for_every_kind_of_role() -> None:
    assert 0 < len(PAGES) <= PAGES_MAX
    found = [role for page in PAGES for match in _ROLES.findall(page.read_text()) for role in match.split()]
    assert sorted(found) == sorted(set(found))
    assert set(found) == set(get_args(RoleKind))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_a_title_pictures_and_links_that_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert 1 <= len(_IMAGE.findall(text)) <= 3
    assert all(words for words, _ in _IMAGE.findall(text)), (
        "a picture without words says nothing to the blind"
    )
    assert [link for link in _LINK.findall(text) if not (GUIDE / link).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_names_nothing_that_the_clinic_does_not_have(page: Path) -> None:
    known = texts_of_the_clinic()
    named = [" ".join(bold.split()) for bold in _BOLD.findall(page.read_text(encoding="utf-8"))]
    assert named
    assert [name for name in named if name not in known] == []


def test_every_picture_of_the_guide_is_there_and_none_is_left_over() -> None:
    named = pictures()
    assert len(named) == len(set(named)) <= IMAGES_MAX
    assert sorted(named) == sorted(path.name for path in (GUIDE / "images").iterdir())


def test_every_picture_is_made_by_a_browser_test_and_is_small() -> None:
    tests = "".join(path.read_text() for path in (ROOT / "tests" / "browser").glob("test_*.py"))
    assert [name for name in pictures() if f'"{Path(name).stem}"' not in tests] == []
    for path in (GUIDE / "images").iterdir():
        assert path.stat().st_size <= IMAGE_BYTES_MAX, f"{path.name} has {path.stat().st_size} bytes"
