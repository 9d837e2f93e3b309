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

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import clear_url_caches, path

from equipoise.access.actor import Actor
from equipoise.allocation.commands import UnblindInEmergency
from equipoise.capture.state import RecordRow
from equipoise.enrolment.state import ParticipantRow
from equipoise.exchange.formats import FORMATS
from equipoise.web import urls
from equipoise.web.protect import Route, protected, role_token
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import AnyRole
from tests.blinding.reach import find_differences
from tests.blinding.worlds import make_worlds, study_of
from tests.web.blinding.crawl import READER_OF_ALL, Crawl, forget_names, write_answer
from tests.web.blinding.places import ABSENT, addresses_of, arms_of, url_patterns
from tests.web.blinding.served import IDENTITY, PRINTED, Served, browser_of, serve

MASKED = sorted({role.id for role in study_of("betraying").study.roles if role.masked})


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Served]]:
    plain, swapped = (
        serve(world, world.points[0], tmp_path_factory.mktemp("world")) for world in make_worlds("betraying")
    )
    assert plain.now == swapped.now
    # All that is there already stays: to look again and again for what of it is garbage takes a tenth longer.
    gc.freeze()
    yield plain, swapped
    gc.unfreeze()


@pytest.fixture(scope="module")
def private_words(worlds: tuple[Served, Served]) -> set[str]:
    """The values, names and codes that no line of the log may have in it."""
    with worlds[0].opened() as clinic:
        rows = list(clinic.trial.tables.all(RecordRow))
        words = {row.participant for row in clinic.trial.tables.all(ParticipantRow)}
    words |= {str(value) for row in rows for value in row.item_values.values() if len(str(value)) > 3}
    return words | {PRINTED, *IDENTITY, ABSENT["participant"]}


def actor_in(served: Served, role: str) -> Actor:
    return next(actor for actor in served.world.masked if actor.role == role)


def crawl(served: Served, role: str) -> Crawl:
    with served.opened() as clinic:
        crawled = Crawl(clinic, served.world, actor_in(served, role))
        crawled.run()
        return crawled


@pytest.mark.parametrize("role", MASKED)
@pytest.mark.requirement("G9", "G10", "R1", "R7")
def test_every_address_says_the_same_in_both_worlds(
    role: str, worlds: tuple[Served, Served], private_words: set[str]
) -> None:
    plain, swapped = (crawl(served, role) for served in worlds)
    assert find_differences(plain.lines, swapped.lines) == []
    assert plain.logged == swapped.logged
    assert plain.dead == set(), "a page leads to nowhere, or to another host"
    assert [place for place, text in plain.lines if text.startswith("5")] == []
    assert any(line.startswith("equipoise.clinic INFO GET") for line in plain.logged)
    assert [line for line in plain.logged if any(word in line for word in private_words)] == []
    tried = {name for name in plain.statuses if name}
    assert {pattern.name for pattern in url_patterns()} - tried == set(), "these were never asked for"
    if role == READER_OF_ALL:
        files = {f"{name}.{form}" for name, each in FORMATS.items() for form in each.forms}
        assert files - plain.taken == {"ctgov.json"}, "there are no results yet"


# -- the comparison finds a leak


def _arms(request: ClinicRequest) -> dict[str, str]:
    return arms_of(request.clinic)


def _file(name: str) -> HttpResponse:
    return HttpResponse("", headers={"Content-Disposition": f'attachment; filename="{name}.csv"'})


def _missing(gone: bool) -> HttpResponse:
    if gone:
        raise Http404
    return HttpResponse()


def _logged(text: str) -> HttpResponse:
    logging.getLogger("equipoise.clinic").info(text)
    return HttpResponse()


def _with_cookie(name: str) -> HttpResponse:
    response = HttpResponse()
    response.set_cookie(name, "1")
    return response


LEAKS: dict[str, Callable[[dict[str, str]], HttpResponse]] = {
    "a value": lambda arms: HttpResponse(arms[min(arms)]),
    "the order of rows": lambda arms: HttpResponse(
        " ".join(sorted(arms, key=lambda code: (arms[code], code)))
    ),
    "a length": lambda arms: HttpResponse("." * (10 + (arms[min(arms)] == min(arms.values())))),
    "a status": lambda arms: _missing(arms[min(arms)] == min(arms.values())),
    "a defect": lambda arms: HttpResponse(1 // (arms[min(arms)] == min(arms.values()))),
    "a header": lambda arms: HttpResponse(headers={"ETag": f'"{arms[min(arms)]}"'}),
    "a file's name": lambda arms: _file(arms[min(arms)]),
    "where it leads": lambda arms: HttpResponseRedirect(f"/?{arms[min(arms)]}"),
    "a cookie's name": lambda arms: _with_cookie(arms[min(arms)]),
    "a line of the log": lambda arms: _logged(arms[min(arms)]),
}
"""Ways in which a page could betray the arms."""


@contextmanager
def pages(*routes: Route) -> Iterator[None]:
    """Have the clinic have further pages."""
    with pytest.MonkeyPatch.context() as patch:
        added = [path(route.path, protected(route), name=route.name) for route in routes]
        patch.setattr(urls, "urlpatterns", [*urls.urlpatterns, *added])
        forget_names()
        clear_url_caches()
        yield
    forget_names()
    clear_url_caches()


def test_a_page_that_leaks_is_caught_whatever_it_leaks_by(worlds: tuple[Served, Served]) -> None:
    def leaking(leak: Callable[[dict[str, str]], HttpResponse]) -> Callable[..., HttpResponse]:
        return lambda request: leak(_arms(request))

    added = [
        Route(f"leak/{number}/", leaking(leak), f"leak_{number}", AnyRole())
        for number, leak in enumerate(LEAKS.values())
    ]
    found: list[list[tuple[str, str]]] = []
    with pages(*added):
        patterns = [pattern for pattern in url_patterns() if pattern.name.startswith("leak_")]
        assert len(patterns) == len(LEAKS), "a page that is added is enumerated"
        for served in worlds:
            with served.opened() as clinic:
                crawled = Crawl(clinic, served.world, actor_in(served, "nurse"))
                with crawled.keeping_logs():
                    for pattern in patterns:
                        crawled.read_addresses(addresses_of(pattern, []))
                found.append([*crawled.lines, *(("log", line) for line in crawled.logged)])
    differing = {place for place, _ in set(found[0]) ^ set(found[1])}
    wanted = {f"nurse.se01 GET /leak/{number}/" for number, name in enumerate(LEAKS) if "log" not in name}
    assert differing >= wanted | {"log"}


def test_a_link_to_nowhere_and_one_to_another_host_are_caught(worlds: tuple[Served, Served]) -> None:
    links = (
        '<a href="/no/such/page/">x</a><img src="https://example.org/x.png"><a href="/participants/">y</a>'
    )
    route = Route("leak/", lambda request: HttpResponse(links), "leak", AnyRole())
    with pages(route), worlds[0].opened() as clinic:
        crawled = Crawl(clinic, worlds[0].world, actor_in(worlds[0], "nurse"))
        crawled.get("/leak/")
        assert crawled.dead == {"/no/such/page/", "https://example.org/x.png"}


def test_whoever_broke_the_code_is_told_the_arm_and_nobody_else(worlds: tuple[Served, Served]) -> None:
    told: list[tuple[str, int, str]] = []
    refused: list[tuple[str, int, str]] = []
    for served in worlds:
        with served.opened() as clinic:
            priya = actor_in(served, "investigator")
            code = next(code for code in sorted(arms_of(clinic)) if code.startswith(priya.site or ""))
            broken = UnblindInEmergency(participant=code, cause="Care depends on it.")
            assert isinstance(clinic.trial.record(priya, broken), tuple)
            for actor in served.world.masked:
                fields = {"acting_as": role_token(actor)}
                answer = browser_of(actor.account, actor).post(f"/unblindings/of/{code}/", fields)
                written = served.world.name_hashes(write_answer(answer))
                (told if actor == priya else refused).append((actor.account, answer.status_code, written))
    assert [status for _, status, _ in told] == [200, 200]
    assert told[0] != told[1]
    half = len(refused) // 2
    assert refused[:half] == refused[half:]
    assert {status for _, status, _ in refused} <= {403, 404}
