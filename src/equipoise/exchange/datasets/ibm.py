"""Numbers as SAS transport files hold them: IBM's floating point of eight bytes, base 16.

A number is (-1)^sign x fraction x 16^(exponent - 64), with 7 bits of exponent and 56 of fraction. Its
fraction holds all 53 bits of an IEEE 754 double, so every double within the range is exact. A missing value
is a letter, an underscore or a point in the first byte, and zeros after it. Source: SAS Institute, TS-140,
"The Record Layout of a Data Set in SAS Transport (XPORT) Format".
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

LARGEST: Final = (1 - 2.0**-53) * 16.0**63
"""The largest double that has an IBM form; the largest IBM number is less than one rounding above it."""
SMALLEST: Final = 16.0**-65
"""The smallest number whose fraction begins with a digit other than zero."""

MISSING: Final = ord(".") << 56
_FRACTION: Final = np.uint64((1 << 56) - 1)
_SPECIAL: Final = np.array([byte in b"._ABCDEFGHIJKLMNOPQRSTUVWXYZ" for byte in range(256)])


def holds(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which numbers have an IBM form; what is not a number stands for a missing value, which has."""
    size = np.abs(values)
    held: NDArray[np.bool_] = np.isnan(values) | (size == 0) | ((size >= SMALLEST) & (size <= LARGEST))
    return held


def to_ibm(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Return the eight bytes of each number as a big-endian integer; NaN becomes the missing value.

    Every number must be one that `holds` accepts.
    """
    missing = np.isnan(values)
    fraction, exponent = np.frexp(np.where(missing, 0.0, np.abs(values)))
    hexadecimal = -(-exponent // 4)
    # Between 53 and 56 bits before the point: a whole number, which a double holds.
    whole = np.ldexp(fraction, 56 + exponent - 4 * hexadecimal).astype(np.uint64)
    sign = np.signbit(values).astype(np.uint64) << np.uint64(63)
    bits: NDArray[np.uint64] = sign | ((hexadecimal + 64).astype(np.uint64) << np.uint64(56)) | whole
    bits[whole == 0] = 0
    bits[missing] = MISSING
    return bits


def from_ibm(bits: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return the numbers that eight bytes stand for, NaN for missing values of every kind.

    A fraction of more than 53 bits is rounded to the nearest double.
    """
    fraction = bits & _FRACTION
    first = (bits >> np.uint64(56)).astype(np.int64)
    values = np.ldexp(fraction.astype(np.float64), (4 * ((first & 127) - 64) - 56).astype(np.int32))
    values = np.where(first & 128, -values, values)
    empty = fraction == 0
    values[empty] = 0.0
    values[empty & _SPECIAL[first]] = np.nan
    return values
