"""The scannable code on a container's label."""

from __future__ import annotations

from dataclasses import dataclass

from qrcode.constants import ERROR_CORRECT_Q
from qrcode.main import QRCode


@dataclass(frozen=True, slots=True)
class ScannableCode:
    """A QR code (ISO/IEC 18004) as one path of an SVG drawing of `size` modules a side."""

    size: int
    path: str


def draw_code(text: str) -> ScannableCode:
    """Draw a text as a QR code that is read even with a quarter of it damaged, its quiet zone around it."""
    code = QRCode(error_correction=ERROR_CORRECT_Q, border=4)
    code.add_data(text)
    matrix = code.get_matrix()
    dark = (
        f"M{column} {line}h1v1h-1z"
        for line, modules in enumerate(matrix)
        for column, module in enumerate(modules)
        if module
    )
    return ScannableCode(len(matrix), "".join(dark))
