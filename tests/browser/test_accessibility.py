"""Every page is checked by axe-core, against WCAG 2.2 at level AA; those of a nurse on a phone, too."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

from equipoise.access.actor import Actor
from tests.browser.axe import Axe
from tests.browser.browsers import PHONE, WIDE, Person, Watch, chromium, needs_chromium
from tests.browser.screens import picture
from tests.browser.serving import served
from tests.browser.tour import SITE, Tour, make_tour

pytestmark = needs_chromium

_PICTURES = ("reading", "board", "statistics")
_OVERFLOW = "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
_FAULTS = {
    "color-contrast": "document.querySelector('main h1').style.color = '#ddd'",
    "label": "document.querySelector('main').append(document.createElement('input'))",
    "target-size": "document.querySelector('main').append(...['one', 'two'].map(name => Object.assign("
    "document.createElement('button'), {textContent: name, style: 'all: unset; font-size: 6px'})))",
}
"""Things that are wrong, each by the rule that finds it."""


def test_every_page_meets_wcag_22_aa_and_those_of_a_nurse_fit_a_phone(tmp_path: Path) -> None:
    tour = make_tour(tmp_path)
    found: list[str] = []
    with served(tmp_path) as address, chromium() as browser:
        watch, axe = Watch(address), Axe()
        for actor in dict.fromkeys(stop.actor for stop in tour.stops):
            # The policy of the pages lets no script in but their own: here, axe-core is let in.
            person = Person(browser, watch, address, strict=False)
            axe.over(person.context)
            if actor is not None:
                person.is_here(tour.sessions[actor])
            for stop in tour.stops:
                if stop.actor == actor:
                    person.page.goto(stop.address)
                    wrong = axe.look(person.page)
                    if stop.route in _PICTURES:
                        picture(person.page, stop.route)
                    if actor == _nurse(tour):
                        wrong += _on_a_phone(axe, person.page)
                    found += [f"{stop.route} {stop.address}: {each}" for each in wrong]
            person.leaves()
        assert watch.complaints == []
        assert not found, f"{len(found)} violations\n" + "\n".join(found)
        person = Person(browser, watch, address, strict=False)
        axe.over(person.context)
        _faults_are_found(axe, person.is_here(tour.sessions[_nurse(tour)]).goes("/"))


def _nurse(tour: Tour) -> Actor:
    return next(actor for actor in tour.sessions if actor.role == "nurse" and actor.site == SITE)


def _faults_are_found(axe: Axe, page: Page) -> None:
    """A page that was found to be right is found to be wrong once something is wrong with it."""
    assert axe.look(page) == []
    for rule, fault in _FAULTS.items():
        page.evaluate(fault)
        assert any(each.startswith(f"{rule}:") for each in axe.look(page)), rule
    page.evaluate("document.querySelector('main').style.minWidth = '700px'")
    assert "on a phone: 340 px too wide" in _on_a_phone(axe, page)


def _on_a_phone(axe: Axe, page: Page) -> list[str]:
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    over = page.evaluate(_OVERFLOW)
    found = axe.look_on_a_phone(page)
    if over > 0:
        found.append(f"{over} px too wide")
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    return [f"on a phone: {each}" for each in found]
