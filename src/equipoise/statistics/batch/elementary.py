"""Exponential and logarithm without branches or tables, so that loops over lanes are vectorised."""

from __future__ import annotations

import numpy as np

from .compile import compiled

# Beyond this the exponential is held: a mean of 1e304 belongs to no data.
EXP_MOST = 700.0

_LOG2_E = 1.4426950408889634
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
# Adding it leaves a number rounded to a whole one in the low bits of the sum.
_ROUNDER = 6755399441055744.0
_ROUNDER_BITS = 4843621399236968448
_ONE_BITS = 4607182418800017408
_SQRT_HALF_BITS = 4604544271217802189
_MANTISSA = (1 << 52) - 1
# 2^52 and its bits: or-ing a small whole number into them makes it a float.
_WHOLE = 4503599627370496.0
_WHOLE_BITS = 4841369599423283200


@compiled
def exponential(x: float) -> float:
    """Return e^x within 2 units in the last place for |x| <= 700, held at the ends beyond.

    Reduction by two-part ln 2, Taylor's series to degree 13 on |r| <= ln(2)/2.
    """
    x = min(max(x, -EXP_MOST), EXP_MOST)
    shifted = x * _LOG2_E + _ROUNDER
    power = shifted - _ROUNDER
    r = (x - power * _LN2_HIGH) - power * _LN2_LOW
    # In pairs, and these in pairs again (Estrin), as a long chain would leave the processor waiting.
    q = r * r
    low = (0.5 + 0.16666666666666666 * r) + q * (0.041666666666666664 + 0.008333333333333333 * r)
    middle = (0.001388888888888889 + 0.0001984126984126984 * r) + q * (
        2.48015873015873e-05 + 2.7557319223985893e-06 * r
    )
    high = (2.755731922398589e-07 + 2.505210838544172e-08 * r) + q * (
        2.08767569878681e-09 + 1.6059043836821613e-10 * r
    )
    fourth = q * q
    p = low + fourth * (middle + fourth * high)
    p = r + q * p
    whole = np.float64(shifted).view(np.int64) - _ROUNDER_BITS
    scale = np.int64((whole << 52) + _ONE_BITS).view(np.float64)
    return scale + scale * p


@compiled
def logarithm(x: float) -> float:
    """Return ln x within 2 units in the last place for normal x > 0.

    The argument is 2^e m with sqrt(1/2) <= m < sqrt(2); series in s = (m - 1) / (m + 1) with the minimax
    coefficients of Sun's fdlibm.
    """
    bits = np.float64(x).view(np.int64)
    # Adding what 1 exceeds sqrt(1/2) by carries into the exponent where the mantissa is above sqrt(2).
    lifted = bits + (_ONE_BITS - _SQRT_HALF_BITS)
    exponent = np.int64((lifted >> 52) | _WHOLE_BITS).view(np.float64) - (_WHOLE + 1023.0)
    m = np.int64((lifted & _MANTISSA) + _SQRT_HALF_BITS).view(np.float64)
    f = m - 1.0
    s = f / (2.0 + f)
    z = s * s
    w = z * z
    odd = z * (
        6.666666666666735130e-01
        + w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01))
    )
    even = w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01))
    p = odd + even
    half = 0.5 * f * f
    return exponent * _LN2_HIGH - ((half - (s * (half + p) + exponent * _LN2_LOW)) - f)


@compiled
def log_1p(v: float, inverse: float) -> float:
    """Return ln(1 + v) for v >= 0, given 1 / (1 + v): what rounding loses of 1 + v is put back."""
    u = 1.0 + v
    return logarithm(u) + (v - (u - 1.0)) * inverse
