"""How the kernels of this package are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

_Function = TypeVar("_Function", bound=Callable[..., Any])

# Trials that are worked on together: eight vectors of four, or four of eight.
LANES = 32


def compiled(function: _Function) -> _Function:
    """Compile to machine code, kept in a cache beside the module or, where that is read-only, in the user's.

    Multiplication and addition may be contracted to one operation, which is more exact; nothing is reordered,
    so that the same trial gives the same bits in every run on a machine. Division by zero gives infinity, as
    a check would keep the loops from being vectorised.
    """
    decorate = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
    return cast(_Function, decorate(function))
