"""What a page shows when something is not done: a code, a sentence, a remedy."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from equipoise.access.refusal import Refusal
from equipoise.ledger.protocol import StoreUnavailable

UNKNOWN_SENDER, FORBIDDEN, NOT_FOUND, WRONG_METHOD, CONFLICT = 401, 403, 404, 405, 409
TOO_LARGE, TOO_OFTEN, SERVER_ERROR, BUSY = 413, 429, 500, 503
UNCERTAIN = "STORE-UNCERTAIN"
_RETRY_SECONDS = "2"

_STATUS_BY_CODE = {
    "ACC-PARTICIPANT": NOT_FOUND,
    "ENR-UNKNOWN-PARTICIPANT": NOT_FOUND,
    "WEB-NOT-FOUND": NOT_FOUND,
    "CAP-CHANGED": CONFLICT,
    "WEB-DEFINITION": CONFLICT,
    "WEB-AMEND-CHANGED": CONFLICT,
    "WEB-TICKET": CONFLICT,
    "WEB-SENT-TWICE": CONFLICT,
    "CAP-CASEBOOK-CHANGED": CONFLICT,
    "WEB-FILE-CHANGED": CONFLICT,
    "WEB-BROWSER-ONLY": FORBIDDEN,
    "WEB-METHOD": WRONG_METHOD,
    "WEB-SIGNED": FORBIDDEN,
    "WEB-TOKEN": UNKNOWN_SENDER,
    "WEB-TOKEN-LIMIT": TOO_OFTEN,
    "WEB-TOO-LARGE": TOO_LARGE,
}


def status_of(code: str) -> int:
    """Return the HTTP status (RFC 9110) of a refusal: that of its code, 403 for access, 422 for all else."""
    if code in _STATUS_BY_CODE:
        return _STATUS_BY_CODE[code]
    if code.startswith("STORE-"):
        return BUSY
    return FORBIDDEN if code.startswith("ACC-") else 422


def show_refusal(request: HttpRequest, refusal: Refusal, status: int | None = None) -> HttpResponse:
    """Return the page, or for a program the JSON, that says what was not done, why, and what to do."""
    number = status or status_of(refusal.code)
    if request.path.startswith("/api/"):
        response: HttpResponse = JsonResponse(
            {
                "code": refusal.code,
                "sentence": refusal.sentence,
                "remedy": refusal.remedy,
                "details": list(refusal.details),
            },
            status=number,
        )
    else:
        response = render(request, "error.html", {"refusal": refusal, "status": number}, status=number)
    if number == BUSY and refusal.code != UNCERTAIN:
        response["Retry-After"] = _RETRY_SECONDS
    return response


def refusal_of(failure: StoreUnavailable) -> Refusal:
    """Return what a page says when the storage fails."""
    if failure.code == UNCERTAIN:
        sentence = _("The connection broke while this was being recorded: it may be recorded, or not.")
        return Refusal(failure.code, sentence, _("Look whether it was, before you send it again."))
    sentence = _("The trial cannot be reached at this moment. Nothing was recorded.")
    return Refusal(failure.code, sentence, _("Wait a moment and try again."))


def not_found() -> Refusal:
    """Return the refusal for an address at which there is nothing for this reader."""
    return Refusal("WEB-NOT-FOUND", _("There is no such page."), _("Check the address, or start from home."))


def show_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Return the page for an address that is none."""
    return show_refusal(request, not_found())


def show_bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Return the page for a request that cannot be read."""
    sentence = _("The request could not be read. Nothing was recorded.")
    return show_refusal(request, Refusal("WEB-REQUEST", sentence, _("Go back and try again.")), 400)


def show_forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Return the page for what is not for this reader."""
    sentence = _("This is not open to you.")
    return show_refusal(request, Refusal("ACC-PAGE", sentence, _("Ask somebody whose role it is.")))


def show_csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Return the page for a form that did not come from a page of the clinic, or outlived its session."""
    sentence = _("The form did not come from an open page of this clinic. Nothing was recorded.")
    remedy = _("Log in, open the page again and send it from there; a draft was kept.")
    return show_refusal(request, Refusal("WEB-FORGED", sentence, remedy), FORBIDDEN)


def show_server_error(request: HttpRequest) -> HttpResponse:
    """Return the page for a defect: it tells nothing of what went wrong inside."""
    sentence = _("Something went wrong that we did not foresee. Nothing was recorded.")
    remedy = _("Try again. If it happens again, tell the administrator what you did, and when.")
    return show_refusal(request, Refusal("WEB-DEFECT", sentence, remedy), SERVER_ERROR)
