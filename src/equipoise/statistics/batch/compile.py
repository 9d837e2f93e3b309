"""How the kernels of this package are compiled."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

_Function = TypeVar("_Function", bound=Callable[..., Any])

# Trials that are worked on together: eight vectors of four, or four of eight.
LANES = 32


_IMPORTED = re.compile(r"^from \.(\w+) import", re.MULTILINE)


@cache
def hash_sources(module: Path) -> str:
    """Return the SHA-256 of a module and of all that it imports from its folder, directly or not."""
    texts: dict[Path, str] = {}
    waiting = [module]
    while waiting:
        path = waiting.pop()
        if path not in texts:
            texts[path] = path.read_text(encoding="utf-8")
            waiting += [path.with_name(f"{name}.py") for name in _IMPORTED.findall(texts[path])]
    return sha256("".join(texts[path] for path in sorted(texts)).encode()).hexdigest()


def compiled(function: _Function) -> _Function:
    """Compile to machine code, kept in a cache beside the module or, where that is read-only, in the user's.

    Multiplication and addition may be contracted to one operation, which is more exact; nothing is reordered,
    so that the same trial gives the same bits in every run on a machine. Division by zero gives infinity, as
    a check would keep the loops from being vectorised.
    """
    decorate = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
    kernel: Any = decorate(function)
    # numba's cache goes by a kernel's own file, yet a kernel holds those that it calls and their constants.
    file = kernel._cache._cache_file
    file._source_stamp = (file._source_stamp, hash_sources(Path(function.__code__.co_filename)))
    return cast(_Function, kernel)
