"""The arm-swap test over the web: every address that exists, as every masked role.

The two worlds of `tests.blinding` are each kept as a clinic's folder, in the middle of the trial, and opened
one after the other. In each, one account of every masked role asks for every address of the URL
configuration, sends every form that it finds, gives every command on its page and as a program, and posts to
everything else. What comes is compared byte for byte: status, headers, cookies, bodies, the contents of
files, and what is logged meanwhile. Time stands still and chance is seeded, so that nothing need be taken
out of the answers before they are compared, except:

    hashes of the chain         by the position of their entry, as in `tests.blinding`
    a cookie's `expires`        read from the machine's clock
    the size of packed files    what is packed is compared instead

Sampled, not enumerated (routes and roles never are): of the addresses of a route, `ADDRESSES_PER_ROUTE` that
exist, evenly chosen, and two at which there is nothing; forms and items of one participant of each arm and
one of another site; of links that differ in their values only, `LINKS_PER_ROUTE`; each form as it is found
first. A page that is not open to a role is asked for once.

Left out: the page that tells an allocation to whoever broke the code. There the worlds differ, and must.
"""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.urls import clear_url_caches, path

from equipoise.access.actor import Actor
from equipoise.allocation.state import UnblindingRow
from equipoise.web import urls
from equipoise.web.clinic import current_clinic
from equipoise.web.protect import Route, protected
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import AnyRole
from tests.blinding.reach import find_differences
from tests.blinding.worlds import make_worlds, study_of
from tests.web.blinding.crawl import Crawl, write_answer
from tests.web.blinding.places import Pattern, arms_of, url_patterns
from tests.web.blinding.served import IDENTITY, PRINTED, Served, browser_of, serve

MASKED = sorted({role.id for role in study_of("betraying").study.roles if role.masked})


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Served, Served]:
    plain, swapped = (
        serve(world, world.points[0], tmp_path_factory.mktemp("world") / "kept") for world in make_worlds("betraying")
    )
    assert plain.now == swapped.now
    return plain, swapped


def actor_in(served: Served, role: str) -> Actor:
    return next(actor for actor in served.world.masked if actor.role == role)


def crawl(served: Served, role: str) -> Crawl:
    with served.opened() as clinic:
        crawled = Crawl(clinic, served.world, actor_in(served, role))
        crawled.run()
        return crawled


@pytest.mark.parametrize("role", MASKED)
def test_every_address_says_the_same_in_both_worlds(role: str, worlds: tuple[Served, Served]) -> None:
    plain, swapped = (crawl(served, role) for served in worlds)
    assert find_differences(plain.lines, swapped.lines) == []
    assert plain.logged == swapped.logged
    assert plain.dead == set(), "a page leads to nowhere, or to another host"
    assert [place for place, text in plain.lines if text.startswith("5")] == []
    assert shown_in_logs(plain, worlds[0]) == []
    tried = {name for name in plain.statuses if name}
    assert {pattern.name for pattern in url_patterns()} - tried == set(), "these were never asked for"


def shown_in_logs(crawled: Crawl, served: Served) -> list[str]:
    """The log lines that have a value, a name or a code in them."""
    said = "\n".join(crawled.logged)
    with served.opened() as clinic:
        codes = {row.participant for row in clinic.trial.tables.all(ParticipantRow)}
        values = {
            str(value)
            for row in clinic.trial.tables.all(RecordRow)
            for value in row.item_values.values()
            if len(str(value)) > 3
        }
    forbidden = codes | values | {PRINTED, *IDENTITY, "SE01-999"}
    return [line for line in crawled.logged if any(word in line for word in forbidden)] if said else ["nothing"]
