"""What holds for every answer: the headers that shield it, the end of idle sessions, errors as pages."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from traceback import extract_tb
from typing import cast
from urllib.parse import urlencode

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.core.exceptions import BadRequest, RequestDataTooBig, TooManyFieldsSent
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from equipoise.access.refusal import Refusal
from equipoise.web.accounts.models import Account
from equipoise.web.clinic import current_clinic
from equipoise.web.errors import SERVER_ERROR, TOO_LARGE, WRONG_METHOD, show_refusal
from equipoise.web.settings import IDLE_SECONDS, PASSWORD_DAYS_MAX, POST_BYTES_MAX, UPLOAD_BYTES_MAX

Answer = Callable[[HttpRequest], HttpResponse]

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_SEEN_KEY = "seen_at"
_FACTOR_KEY = "has_factor"
_TOUCH_SECONDS = 60
_PLACES = 6
_OPEN_PATHS = ("/accounts/", "/language/")
_YEAR_SECONDS = 31_536_000

log = logging.getLogger("equipoise.clinic")


class ShieldMiddleware:
    """Sets the headers that shield every answer, and logs a request without values, names or codes."""

    def __init__(self, get_response: Answer) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        response = self._answer_or_refuse(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if settings.SESSION_COOKIE_SECURE:
            response["Strict-Transport-Security"] = f"max-age={_YEAR_SECONDS}"
        # What a page shows is for this reader, now: no cache may keep it, the browser's own included.
        response.headers.setdefault("Cache-Control", "no-store")
        level = logging.ERROR if response.status_code >= SERVER_ERROR else logging.INFO
        log.log(level, "%s %s %s", request.method, _page_of(request), response.status_code)
        if request.method == "HEAD":
            # No body goes with it; the length stays that of the page (RFC 9110, 9.3.2).
            response.content = b""
        return response

    def _answer_or_refuse(self, request: HttpRequest) -> HttpResponse:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
        if settings.SECURE_PROXY_SSL_HEADER and forwarded:
            # Else everybody has the address of the proxy, and one who guesses passwords locks all others
            # out. The last is the one that the proxy itself wrote.
            request.META["REMOTE_ADDR"] = forwarded.rsplit(",", 1)[-1].strip()
        if request.path.startswith("/api/"):
            # A program comes with its token alone: whoever is logged in, in a browser, is nobody there.
            request.META.pop("HTTP_COOKIE", None)
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > UPLOAD_BYTES_MAX.get(request.path, POST_BYTES_MAX):
            return too_large(request)
        return self._answer(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer what a page could not read; everything else is a defect."""
        if isinstance(exception, RequestDataTooBig | TooManyFieldsSent):
            return too_large(request)
        if isinstance(exception, BadRequest | UnicodeDecodeError):
            refusal = Refusal(
                "WEB-REQUEST",
                _("The request could not be read. Nothing was recorded."),
                _("Go back and try again."),
            )
            return show_refusal(request, refusal, 400)
        # Where it went wrong and how, but not its words: they may hold a value.
        places = [f"{place.name}:{place.lineno}" for place in extract_tb(exception.__traceback__)]
        log.error("%s in %s: %s", type(exception).__name__, _page_of(request), " ".join(places[-_PLACES:]))
        return None


def too_large(request: HttpRequest) -> HttpResponse:
    """Return the answer to a request of which nothing is read, because it is too large."""
    sentence, remedy = _("The request is too large. Nothing was recorded."), _("Send less at once.")
    if request.path.startswith("/api/"):
        response = show_refusal(request, Refusal("WEB-TOO-LARGE", sentence, remedy))
    else:
        response = HttpResponse(
            f"WEB-TOO-LARGE: {sentence} {remedy}\n",
            content_type="text/plain; charset=utf-8",
            status=TOO_LARGE,
        )
    # What is not read must not be taken for the next request.
    response["Connection"] = "close"
    return response


def _page_of(request: HttpRequest) -> str:
    """Return the name of the page that a request is for: its address has codes in it."""
    match = getattr(request, "resolver_match", None)
    return match.view_name if match else "-"


class SessionEndMiddleware:
    """Ends a session that was idle for too long, and one whose account was closed."""

    def __init__(self, get_response: Answer) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        if request.user.is_authenticated:
            now = int(current_clinic().now().timestamp())
            seen = request.session.get(_SEEN_KEY, now)
            # Time that runs backwards ends no session, and prolongs none.
            if now - seen > IDLE_SECONDS:
                logout(request)
                leads_back = urlencode({"next": request.get_full_path(), "idle": 1})
                return redirect(f"{reverse('account_login')}?{leads_back}")
            if _SEEN_KEY not in request.session or now - seen > _TOUCH_SECONDS:
                request.session[_SEEN_KEY] = now
        return self._answer(request)


class MethodMiddleware:
    """Has an address that does not take a method say so on a page."""

    def __init__(self, get_response: Answer) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        response = self._answer(request)
        if response.status_code != WRONG_METHOD or response.content:
            return response
        sentence = _("This address does not take the method %(method)s.") % {"method": request.method}
        remedy = _("Start from the page that led here.")
        refused = show_refusal(request, Refusal("WEB-METHOD", sentence, remedy))
        refused["Allow"] = response["Allow"]
        return refused


class FirstStepsMiddleware:
    """Lets nobody on in a live trial without a second factor, or with an old password (21 CFR 11.300)."""

    def __init__(self, get_response: Answer) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request."""
        step = None if request.path.startswith(_OPEN_PATHS) else self._missing_step(request)
        return self._answer(request) if step is None else redirect(step)

    def _missing_step(self, request: HttpRequest) -> str | None:
        user = request.user
        if not user.is_authenticated or current_clinic().row.mode != "live":
            return None
        if not request.session.get(_FACTOR_KEY):
            if not Authenticator.objects.filter(user=user).exists():
                messages.warning(request, _("Before you go on, add a second factor to your account."))
                return "mfa_index"
            request.session[_FACTOR_KEY] = True
        oldest = current_clinic().now() - timedelta(days=PASSWORD_DAYS_MAX)
        set_at = cast(Account, user).password_set_at
        if set_at is None or set_at < oldest:
            messages.warning(request, _("Your password is more than a year old. Choose a new one."))
            return "account_change_password"
        return None
