"""What holds for every answer: the headers that shield it, the end of idle sessions, errors as pages."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import cast

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
from equipoise.web.errors import TOO_LARGE, show_refusal
from equipoise.web.settings import IDLE_SECONDS, PASSWORD_DAYS_MAX, POST_BYTES_MAX

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
        match = getattr(request, "resolver_match", None)
        log.info("%s %s %s", request.method, match.view_name if match else "-", response.status_code)
        return response

    def _answer_or_refuse(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/api/"):
            # A program comes with its token alone: whoever is logged in, in a browser, is nobody there.
            request.META.pop("HTTP_COOKIE", None)
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > POST_BYTES_MAX:
            return self._too_large(request)
        return self._answer(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer what a page could not read; everything else is a defect."""
        if isinstance(exception, RequestDataTooBig | TooManyFieldsSent):
            return self._too_large(request)
        if isinstance(exception, BadRequest | UnicodeDecodeError):
            refusal = Refusal(
                "WEB-REQUEST",
                _("The request could not be read. Nothing was recorded."),
                _("Go back and try again."),
            )
            return show_refusal(request, refusal, 400)
        return None

    def _too_large(self, request: HttpRequest) -> HttpResponse:
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
                return redirect(f"{reverse('account_login')}?next={request.path}&idle=1")
            if _SEEN_KEY not in request.session or now - seen > _TOUCH_SECONDS:
                request.session[_SEEN_KEY] = now
        return self._answer(request)


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
