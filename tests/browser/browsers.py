"""Browsers that watch what they are shown: nothing from another host, no error on a page or of the server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Page, Request, Response, sync_playwright

CHROMIUM = os.environ.get("EQUIPOISE_CHROMIUM") or shutil.which("chromium")
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None,
    reason="there is no chromium here: install it (Debian: apt-get install chromium), or name it in"
    " EQUIPOISE_CHROMIUM",
)
WIDE = (1200, 850)
PHONE = (360, 740)
_SERVER_ERROR = 500
_WAIT_MILLISECONDS = 30_000
_OWN_SCHEMES = ("data", "blob", "about")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser, and end it: while it is there, this process reads no database."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            # Nobody watches: pages are drawn without the detour through an imitated graphics processor.
            args=[
                "--no-sandbox",
                "--disable-background-networking",
                "--disable-gpu",
                "--disable-software-rasterizer",
            ],
        )
        try:
            yield browser
        finally:
            browser.close()


class Watch:
    """What happened in a browser that must not happen, in any of its windows."""

    def __init__(self, address: str) -> None:
        self._own = urlsplit(address).netloc
        self.complaints: list[str] = []

    def over(self, context: BrowserContext) -> None:
        """Watch a window from now on."""
        context.on("request", self._look_at_request)
        context.on("response", self._look_at_response)
        context.on("weberror", lambda error: self.complaints.append(f"script: {error.error}"))
        context.on("console", lambda said: self._look_at_console(said.type, said.text))

    def _look_at_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in _OWN_SCHEMES and parts.netloc != self._own:
            self.complaints.append(f"another host: {request.url}")

    def _look_at_response(self, response: Response) -> None:
        if response.status >= _SERVER_ERROR:
            self.complaints.append(f"{response.status}: {response.url}")

    def _look_at_console(self, kind: str, text: str) -> None:
        # That a page answered 4xx is said by the test that asked for it.
        if kind == "error" and not text.startswith("Failed to load resource"):
            self.complaints.append(f"console: {text}")


class Person:
    """Somebody at a browser of their own: what they do is named as they would say it."""

    def __init__(
        self,
        browser: Browser,
        watch: Watch,
        address: str,
        *,
        size: tuple[int, int] = WIDE,
        strict: bool = True,
    ) -> None:
        self._browser, self._watch, self._address = browser, watch, address
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            base_url=address,
            locale="en-GB",
            has_touch=size == PHONE,
            bypass_csp=not strict,
            reduced_motion="reduce",
        )
        self.context.set_default_timeout(_WAIT_MILLISECONDS)
        watch.over(self.context)
        self.page: Page = self.context.new_page()

    def comes(self, account: str, password: str) -> Person:
        """Log in with the mouse and the keyboard."""
        self.page.goto("/accounts/login/")
        self.page.get_by_label("Account", exact=True).fill(account)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_role("button", name="Log in", exact=True).click()
        self.page.wait_for_url(f"{self._address}/")
        return self

    def is_here(self, session: str) -> Person:
        """Be logged in already, in a session that was begun elsewhere."""
        name = f"clinic_{urlsplit(self._address).port}_session"
        self.context.add_cookies([{"name": name, "value": session, "url": self._address}])
        return self

    def goes(self, path: str) -> Page:
        """Open a page that there is."""
        answer = self.page.goto(path)
        assert answer is not None and answer.ok, f"{path}: {answer and answer.status}"
        return self.page

    def follows(self, name: str) -> Page:
        """Follow the first link of this name."""
        self.page.get_by_role("link", name=name).first.click()
        return self.page

    def takes(self, command: str, about: str = "") -> Page:
        """Follow the link of the page that leads to a command, about whom or what is named."""
        about_them = f"[href*='{about}']" if about else ""
        self.page.locator(f"main a[href*='{reverse(f'do_{command}')}']{about_them}").first.click()
        self.page.locator("#command").wait_for()
        return self.page

    def presses(self, name: str) -> Page:
        """Press a button."""
        self.page.get_by_role("button", name=name, exact=True).click()
        return self.page

    def answers(self, **answers: str) -> Page:
        """Answer the questions of a form, or the fields of a command, by their names."""
        for name, value in answers.items():
            self.answer(name, value)
        return self.page

    def answer(self, name: str, value: str) -> None:
        """Answer one question: its item's or its field's name, and what is chosen or typed."""
        form = self.page.locator("main form[method=post]").first
        wanted = f"[name=item-{name}], [name={name}]"
        field = form.locator(wanted).first
        kind = field.get_attribute("type")
        if kind == "radio":
            form.locator(f"[name=item-{name}][value='{value}']").check()
        elif field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)

    def records(self, said: str = "", /, **answers: str) -> Page:
        """Answer what is asked, send it, and see it confirmed."""
        self.answers(**answers)
        self.sends()
        self.page.locator(".note.success", has_text=said).first.wait_for()
        return self.page

    def sends(self) -> Page:
        """Press the button of the form that records."""
        self.page.locator("#command .buttons button").first.click()
        return self.page

    def sees(self, text: str) -> None:
        """Check that a text is on the page, and wait for it for a while."""
        self.page.get_by_text(text).first.wait_for()

    def leaves(self) -> None:
        """Close the browser; what it has not sent is gone."""
        self.context.close()
