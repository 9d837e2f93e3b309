"""The README tells of what there is: every package, every page of the documentation, the demo's own study."""

import re
from pathlib import Path

from equipoise.definition.load import load_study
from equipoise.studies import study_folder

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text()


def test_every_package_has_its_place_in_the_house() -> None:
    house = TEXT.split("## The house")[1].split("## ")[0]
    packages = {each.parent.name for each in (ROOT / "src/equipoise").glob("*/__init__.py")}
    cells = [row.split("|")[2] for row in house.splitlines() if row.startswith("|")]
    told = [name for cell in cells for name in re.findall("`([a-z]+)`", cell)]
    assert sorted(told) == sorted(packages)


def test_every_page_is_linked_and_every_link_leads_somewhere() -> None:
    links = set(re.findall(r"\]\(([^)#:]+)\)", TEXT))
    assert [link for link in links if not (ROOT / link).is_file()] == []
    pages = {str(page.relative_to(ROOT)) for page in (ROOT / "docs").rglob("*.md")}
    assert pages - links == set()


def test_the_definition_that_the_demo_prints_is_that_of_the_pilot_study() -> None:
    assert f"\ndefinition {load_study(study_folder('mesems')).definition.hash[:12]}...\n" in TEXT
