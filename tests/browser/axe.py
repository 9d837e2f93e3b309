"""axe-core in a browser: read once per page, and the contrast of each way of drawing a text checked once.

Most of the time that axe takes goes to the contrast of texts, and nearly all texts of a page are drawn as
those of the pages before it: by elements of the same names and classes, with the same computed colours,
backgrounds, sizes and weights, each inside of others for which the same holds. Of those alike, the first is
checked.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import axe_playwright_python  # type: ignore[import-untyped]
from playwright.sync_api import BrowserContext, Page

_SCRIPT = Path(axe_playwright_python.__file__).with_name("axe.min.js")
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_EVERYTHING: dict[str, Any] = {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": _TAGS}}
# What a narrow page may break: the rest was looked at on a wide one.
_ON_A_PHONE = {"resultTypes": ["violations"], "runOnly": ["target-size", "scrollable-region-focusable"]}

_RUN = "async options => (await axe.run(document, options)).violations"
_RUN_ON_NEW_TEXTS = """
async ([options, known]) => {
    const seen = new Set(known), found = [], ways = new Map();
    const looks = ['color', '-webkit-text-fill-color', 'text-shadow', 'font-size', 'font-weight', 'opacity',
        'background-color', 'background-image', 'filter', 'mix-blend-mode', 'visibility', 'position'];
    const hash = text => {
        let first = 0xdeadbeef, second = 0x41c6ce57;
        for (let at = 0; at < text.length; at++) {
            const code = text.charCodeAt(at);
            first = Math.imul(first ^ code, 2654435761);
            second = Math.imul(second ^ code, 1597334677);
        }
        return (first >>> 0).toString(36) + (second >>> 0).toString(36);
    };
    const read = (element, pseudo) => {
        const style = getComputedStyle(element, pseudo);
        const drawn = !pseudo || style.content !== 'none';
        return drawn ? looks.map(name => style.getPropertyValue(name)).join('|') : '';
    };
    const way = element => {
        if (element === null) return '';
        if (!ways.has(element)) {
            const own = [element.tagName, element.getAttribute('class'), element.type, element.disabled];
            const drawn = [read(element), read(element, '::before'), read(element, '::after')];
            ways.set(element, hash([way(element.parentElement), ...own, ...drawn].join('\\n')));
        }
        return ways.get(element);
    };
    const written = 'input, select, textarea, button';
    for (const element of document.body.querySelectorAll('*')) {
        const texts = [...element.childNodes].some(each => each.nodeType === 3 && each.data.trim());
        if (!texts && !element.matches(written)) continue;
        if (seen.has(way(element))) continue;
        seen.add(way(element));
        found.push(way(element));
        element.setAttribute('data-drawn-anew', '');
    }
    axe.configure({rules: [{id: 'color-contrast', selector: '[data-drawn-anew]'}]});
    return [(await axe.run(document, options)).violations, found];
}
"""


class Axe:
    """Checks pages against WCAG 2.2 at level AA; knows how texts were drawn that it has checked."""

    def __init__(self) -> None:
        self._known: list[str] = []

    def over(self, context: BrowserContext) -> None:
        """Have axe-core be there on every page of a window."""
        context.add_init_script(path=_SCRIPT)

    def look(self, page: Page) -> list[str]:
        """Return what is wrong on a page."""
        violations, new = page.evaluate(_RUN_ON_NEW_TEXTS, [_EVERYTHING, self._known])
        self._known += new
        return _in_words(violations)

    def look_on_a_phone(self, page: Page) -> list[str]:
        """Return what is wrong on a page that was looked at, and is narrow now."""
        return _in_words(page.evaluate(_RUN, _ON_A_PHONE))


def _in_words(violations: list[dict[str, Any]]) -> list[str]:
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:160]}"
        f" ({len(each['nodes'])} places; {each['nodes'][0]['failureSummary'].splitlines()[-1].strip()})"
        for each in violations
    ]
