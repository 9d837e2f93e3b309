"""Every page is checked by axe-core, against WCAG 2.2 at level AA; those of a nurse on a phone, too."""

from __future__ import annotations

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page

from tests.browser.browsers import PHONE, WIDE, Person, Watch, chromium, needs_chromium
from tests.browser.screens import picture
from tests.browser.serving import served
from tests.browser.tour import SITE, Stop, make_tour
from tests.web.clinics import PASSWORD

pytestmark = needs_chromium

_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_EVERYTHING = {"resultTypes": ["violations"], "runOnly": {"type": "tag", "values": _TAGS}}
# What a narrow page may break: the rest was looked at on a wide one.
_ON_A_PHONE = {"resultTypes": ["violations"], "runOnly": ["target-size", "scrollable-region-focusable"]}
_PICTURES = ("reading", "board", "statistics")
_OVERFLOW = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"


def test_every_page_meets_wcag_22_aa_and_those_of_a_nurse_fit_a_phone(tmp_path: Path) -> None:
    stops = make_tour(tmp_path)
    accounts = dict.fromkeys(stop.actor for stop in stops)
    found: list[str] = []
    with served(tmp_path) as address, chromium() as browser:
        watch = Watch(address)
        for actor in accounts:
            # The policy of the pages lets no script in but their own: here, axe-core is let in.
            person = Person(browser, watch, address, strict=False)
            if actor is not None:
                person.comes(actor.account, PASSWORD)
            for stop in stops:
                if stop.actor == actor:
                    person.page.goto(stop.address)
                    found += _violations(person.page, stop)
                    if stop.route in _PICTURES:
                        picture(person.page, stop.route)
                    if actor is not None and actor.role == "nurse" and actor.site == SITE:
                        found += _on_a_phone(person.page, stop)
            person.leaves()
        assert watch.complaints == []
    assert not found, f"{len(found)} violations\n" + "\n".join(found)


def _violations(page: Page, stop: Stop, options: dict = _EVERYTHING) -> list[str]:
    results = Axe().run(page, options=options)
    return [
        f"{stop.route} {stop.address}: {each['id']}: {each['nodes'][0]['html'][:160]}"
        f" ({len(each['nodes'])} places; {each['nodes'][0]['failureSummary'].splitlines()[-1].strip()})"
        for each in results.response["violations"]
    ]


def _on_a_phone(page: Page, stop: Stop) -> list[str]:
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    over = page.evaluate(_OVERFLOW)
    found = _violations(page, stop, _ON_A_PHONE)
    if over > 0:
        found.append(f"{stop.route} {stop.address}: {over} px too wide for a phone")
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    return [f"on a phone: {each}" for each in found]
