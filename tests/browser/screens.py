"""The pictures of the user guide: browser tests make them where EQUIPOISE_SCREENSHOTS=write asks for it."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path

from playwright.sync_api import Page

IMAGES = Path(__file__).parents[2] / "docs" / "guide" / "images"
BYTES_MAX = 150_000
_WRITES = os.environ.get("EQUIPOISE_SCREENSHOTS") == "write"
_HEIGHT_MAX = 1000
_COLOURS = 128


def picture(page: Page, name: str, *, height: int = _HEIGHT_MAX) -> None:
    """Keep the upper part of a page as it is now under a name of the guide."""
    if not _WRITES:
        return
    # Whatever the pointer was over is not to be seen in a picture.
    page.mouse.move(0, 0)
    page.evaluate("window.scrollTo(0, 0)")
    whole = page.evaluate("document.documentElement.scrollHeight")
    assert page.viewport_size is not None
    clip = {"x": 0, "y": 0, "width": page.viewport_size["width"], "height": min(height, whole)}
    drawn = page.screenshot(full_page=True, animations="disabled", clip=clip)  # type: ignore[arg-type]
    small = _with_fewer_colours(drawn)
    assert len(small) <= BYTES_MAX, f"{name}: {len(small)} bytes"
    IMAGES.mkdir(parents=True, exist_ok=True)
    (IMAGES / f"{name}.png").write_bytes(small)


def _with_fewer_colours(png: bytes) -> bytes:
    from PIL import Image

    out = BytesIO()
    with Image.open(BytesIO(png)) as image:
        image.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()
