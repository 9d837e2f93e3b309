"""docs/study-folder.md cannot drift: every key with its type and default, every example."""

import re
from pathlib import Path

import pytest

from equipoise.definition.expression import parse_text
from equipoise.definition.load import check_study
from tests.definition.folders import DOCS, examples, write_study
from tests.definition.format import documented_classes, table_start


@pytest.mark.parametrize("owner", tuple(documented_classes()), ids=lambda owner: owner.__name__)
def test_every_key_is_documented_with_type_and_default(owner: type) -> None:
    _, _, rest = DOCS.read_text(encoding="utf-8").partition(f"\n**`{owner.__name__}`**\n\n")
    table = rest.split("\n\n")[0].splitlines()[2:]
    assert [row[: len(start)] for row, start in zip(table, table_start(owner), strict=True)] == table_start(
        owner
    )


def test_the_examples_are_one_study_without_findings(tmp_path: Path) -> None:
    definition, findings = check_study(write_study(tmp_path, translated=True))
    assert findings == ()
    assert definition is not None and definition.rehearsal is not None
    assert list(definition.languages) == ["da"]


def test_every_file_of_the_format_has_an_example() -> None:
    documented = set(re.findall(r"^\| `([a-z_]+\.yaml)` \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE))
    assert documented == {name for name in examples() if "/" not in name}


def test_every_expression_of_the_table_can_be_read() -> None:
    _, _, section = DOCS.read_text(encoding="utf-8").partition("## Expressions")
    left = re.findall(r"^\| (`.+?`) \|", section, re.MULTILINE)
    written = [text for cell in left for text in re.findall(r"`([^`]+)`", cell)]
    whole = [text for text in written if re.search(r"[('.]", text) and not text.startswith(("...", "and or"))]
    assert len(whole) >= 12
    for text in whole:
        parse_text(text)
