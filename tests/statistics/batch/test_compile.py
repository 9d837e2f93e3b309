"""The cache of compiled kernels: an edit to what a kernel calls makes it stale."""

from __future__ import annotations

from copy import copy
from pathlib import Path
from typing import Any

from equipoise.statistics.batch import compile as compiling
from equipoise.statistics.batch.elementary import exponential


def test_an_edit_to_what_a_module_imports_changes_its_hash(tmp_path: Path) -> None:
    texts = {
        "top": "from .middle import f\n",
        "middle": "import numpy\nfrom .bottom import g\n",
        "bottom": "g = 1\n",
        "beside": "from .top import f\n",
    }

    def hash_with(**edits: str) -> str:
        for name, text in (texts | edits).items():
            (tmp_path / f"{name}.py").write_text(text)
        compiling.hash_sources.cache_clear()
        return compiling.hash_sources(tmp_path / "top.py")

    before = hash_with()
    assert hash_with(beside="h = 2\n") == before
    assert hash_with(bottom="g = 2\n") != before


def test_kernels_of_another_hash_are_compiled_anew() -> None:
    assert exponential(0.0) == 1.0
    kernel: Any = exponential
    file = kernel._cache._cache_file
    assert file._load_index()
    stale = copy(file)
    stale._source_stamp = (file._source_stamp[0], "another")
    assert not stale._load_index()
