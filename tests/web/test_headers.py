"""What stands around every answer, and what no page has in it."""

import logging
import re
from html.parser import HTMLParser
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import clear_url_caches, path

from equipoise.web import urls
from equipoise.web.accounts.models import Account
from equipoise.web.clinic import Clinic, current_clinic, use_clinic
from equipoise.web.middleware import CONTENT_SECURITY_POLICY
from equipoise.web.serve import make_application
from equipoise.web.settings import STATIC_FILES
from tests.web.blinding.places import addresses_of, facts_of, url_patterns
from tests.web.clinics import actor_of, browser_of

FIRST_PAGE_BYTES_MAX = 150_000
KINDS = ("nurse", "data_manager", "laboratory", "reader", "administrator", "safety_board")
"""Roles that together come to every page."""

_LEADING = ("href", "src", "action", "hx-get", "hx-post")
_ELSEWHERE = re.compile(r"(?:[a-z]+:)?//|javascript:")
JAVASCRIPT = ("", "text/javascript", "module")


class Shape(HTMLParser):
    """What a page has in it that a strict policy forbids, and what it loads from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "style" or "style" in given:
            self.wrong.append(f"<{tag}> has a style of its own")
        if tag == "script" and "src" not in given and given.get("type", "") in JAVASCRIPT:
            self.wrong.append("a script stands in the page")
        for name, value in given.items():
            if name.startswith(("on", "hx-on")):
                self.wrong.append(f"<{tag}> has {name}")
            if name in _LEADING and _ELSEWHERE.match(value):
                self.wrong.append(f"<{tag}> leads to {value}")


def wrong_in(html: str) -> list[str]:
    shape = Shape()
    shape.feed(html)
    return shape.wrong


def test_every_answer_is_shielded_and_no_page_has_script_or_style_or_another_host(clinic: Clinic) -> None:
    wrong: list[str] = []
    browsers = [browser_of(actor_of(clinic, kind)) for kind in KINDS] + [Client()]
    facts = facts_of(clinic)
    for pattern in url_patterns():
        address = next(iter(addresses_of(pattern, facts)))
        for browser in browsers:
            answer = browser.get(address)
            wrong += [f"{address}: {each}" for each in unshielded(answer)]
            if answer["Content-Type"].startswith("text/html"):
                wrong += [f"{address}: {each}" for each in wrong_in(answer.content.decode())]
    assert wrong == []


def unshielded(answer: object) -> list[str]:
    """The headers that an answer lacks."""
    headers = answer.headers  # type: ignore[attr-defined]
    wanted = {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    found = [name for name, value in wanted.items() if headers.get(name) != value]
    kept = "no-store" not in headers.get("Cache-Control", "")
    return found + (["Cache-Control"] if kept else [])


@pytest.mark.parametrize(
    "html",
    [
        '<p style="color:red">',
        "<style>p{}</style>",
        "<script>1</script>",
        '<a onclick="x()">',
        '<img src="https://example.org/x.png">',
        '<a href="//example.org/">',
        '<a href="javascript:x()">',
    ],
)
def test_what_a_page_may_not_have_is_found(html: str) -> None:
    assert len(wrong_in(html)) == 1


def test_the_policy_allows_nothing_but_the_clinic_itself() -> None:
    allowed = dict(part.split(" ", 1) for part in CONTENT_SECURITY_POLICY.split("; "))
    assert allowed["default-src"] == "'none'"
    assert {source for each in allowed.values() for source in each.split()} == {"'none'", "'self'", "data:"}
    assert allowed["script-src"] == allowed["style-src"] == "'self'"


def served_file(folder: Path, name: str, method: str = "GET") -> tuple[str, dict[str, str], bytes]:
    """What the server's application answers for a static file."""
    kept = current_clinic()
    try:
        return call(make_application(folder), settings.STATIC_URL + name, method)
    finally:
        use_clinic(kept)


def call(application: object, address: str, method: str) -> tuple[str, dict[str, str], bytes]:
    """Call a WSGI application as a server does."""
    environ: dict[str, object] = {"REQUEST_METHOD": method, "PATH_INFO": address, "HTTP_HOST": "localhost"}
    environ["REMOTE_ADDR"] = "127.0.0.1"
    setup_testing_defaults(environ)
    said: list[tuple[str, dict[str, str]]] = []
    body = application(environ, lambda status, headers: said.append((status, dict(headers))))  # type: ignore[operator]
    content = b"".join(body)
    getattr(body, "close", lambda: None)()
    return (*said[0], content)


def test_static_files_are_shielded_and_kept_for_ever(clinic: Clinic) -> None:
    for name in STATIC_FILES:
        status, headers, content = served_file(clinic.folder, name)
        assert (status, content) == ("200 OK", STATIC_FILES[name].read_bytes()), name
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert "max-age=315360000" in headers["Cache-Control"]
        assert "Access-Control-Allow-Origin" not in headers
    for traversal in ("../clinic.key", "%2e%2e/clinic.key", "no.css"):
        assert served_file(clinic.folder, traversal)[0].startswith("404"), traversal


def test_nothing_follows_the_headers_where_only_they_were_asked_for(clinic: Clinic) -> None:
    for address in ("/accounts/login/", "/participants/", "/no/such/page/"):
        whole, headers, content = call(WSGIHandler(), address, "GET")
        status, others, nothing = call(WSGIHandler(), address, "HEAD")
        assert (status, nothing) == (whole, b""), address
        assert others["Content-Length"] == headers["Content-Length"] == str(len(content))


def test_the_cookies_are_out_of_reach_of_scripts_and_other_sites(clinic: Clinic) -> None:
    browser = Client()
    page = browser.get("/accounts/login/")
    browser.force_login(actor_account(clinic), backend="equipoise.web.accounts.sessions.AccountBackend")
    cookies = {**page.cookies, **browser.get("/").cookies}
    assert set(cookies) == {"clinic_csrf", "clinic_session"}
    for name, cookie in cookies.items():
        assert cookie["httponly"], name
        assert cookie["samesite"] == "Strict", name
    assert not cookies["clinic_session"]["max-age"], "it ends with the browser"


def actor_account(clinic: Clinic) -> Account:
    return Account.objects.get(username=actor_of(clinic, "nurse").account)


def test_behind_https_cookies_never_go_in_the_open(clinic: Clinic) -> None:
    with override_settings(SESSION_COOKIE_SECURE=True, CSRF_COOKIE_SECURE=True):
        answer = Client().get("/accounts/login/")
        assert answer.cookies["clinic_csrf"]["secure"]
        assert answer["Strict-Transport-Security"] == "max-age=31536000"


def test_the_first_page_is_light(clinic: Clinic) -> None:
    loaded = ("clinic.css", "clinic.js", "htmx.js", "icon.svg")
    static = sum(len(STATIC_FILES[name].read_bytes()) for name in loaded)
    for kind in KINDS:
        page = browser_of(actor_of(clinic, kind)).get("/").content
        assert len(page) + static < FIRST_PAGE_BYTES_MAX
        named = re.findall(rf'(?:src|href)="{settings.STATIC_URL}([^"]+)"', page.decode())
        assert sorted(named) == sorted(loaded), "what a page loads is what was weighed"


def test_a_defect_tells_nothing_and_its_line_has_no_words_of_it(
    clinic: Clinic, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(request: object) -> HttpResponse:
        raise KeyError("Quirinus Xanthopoulos SE01-001")

    broken.login_required = False  # type: ignore[attr-defined]
    added = path("broken/SE01-001/", broken, name="broken")
    monkeypatch.setattr(urls, "urlpatterns", [*urls.urlpatterns, added])
    clear_url_caches()
    caplog.set_level(logging.INFO)
    try:
        answer = Client(raise_request_exception=False).get("/broken/SE01-001/")
    finally:
        monkeypatch.undo()
        clear_url_caches()
    assert answer.status_code == 500
    assert "WEB-DEFECT" in answer.content.decode()
    assert unshielded(answer) == []
    assert "Quirinus" not in answer.content.decode() + caplog.text
    assert "SE01-001" not in caplog.text
    assert "KeyError in broken: " in caplog.text


def test_what_django_says_of_requests_is_not_logged(clinic: Clinic) -> None:
    for name in (
        "django",
        "django.request",
        "django.security.csrf",
        "django.security.DisallowedHost",
        "django.server",
    ):
        logger = logging.getLogger(name)
        assert not logger.isEnabledFor(logging.ERROR), name
