"""The addresses of the JSON interface, for Django, and its OpenAPI document.

Imported once Django is set up: the library that reads parameters asks for its settings.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from equipoise import __version__
from equipoise.access.refusal import Refusal
from equipoise.web.api.auth import TokenAuth, refuse_token
from equipoise.web.api.operations import Answer, command_operation, definition_operation, read_operation
from equipoise.web.api.shapes import Problem
from equipoise.web.api.table import OPENAPI_PATH, PREFIX, READS, command_path
from equipoise.web.commands.catalogue import CATALOGUE, COMMANDS
from equipoise.web.errors import WRONG_METHOD, show_refusal
from equipoise.web.protect import with_errors

_PROBLEM = Problem.__name__
_READ_PROBLEMS = (400, 401, 403, 404, 422, 429, 503)
_COMMAND_PROBLEMS = (*_READ_PROBLEMS, 409, 413)
_DESCRIPTION = """The reads and commands of a clinical trial, as the role of a token may see and give them.

Every refusal has a stable `code`, a `sentence`, a `remedy` and `details`. Commands that are signatures, and \
those about names and contacts, are given in the browser only."""


def _make_api() -> NinjaAPI:
    api = NinjaAPI(
        title="Equipoise",
        version=__version__,
        description=_DESCRIPTION,
        auth=TokenAuth(),
        openapi_url=None,
        docs_url=None,
        urls_namespace="api",
    )
    _mount(api.get, "definition", "Definition", "reads", definition_operation(), _READ_PROBLEMS)
    for read in READS:
        title = read.method.replace("_", " ").capitalize()
        _mount(api.get, read.path, title, "reads", read_operation(read), _READ_PROBLEMS)
    for name in COMMANDS:
        title = str(CATALOGUE[name].title)
        _mount(api.post, command_path(name), title, "commands", command_operation(name), _COMMAND_PROBLEMS)
    api.add_exception_handler(AuthenticationError, refuse_token)  # type: ignore[arg-type]
    api.add_exception_handler(HttpError, _refuse_body)  # type: ignore[arg-type]
    api.add_exception_handler(ValidationError, _refuse_fields)  # type: ignore[arg-type]
    return api


def _mount(
    method: Callable[..., Any],
    address: str,
    title: str,
    tag: str,
    operation: tuple[Answer, Any],
    problems: tuple[int, ...],
) -> None:
    answer, wire = operation
    # A model of its own for each problem of each operation would take seconds to make.
    described = {status: {"$ref": f"#/components/responses/{_PROBLEM}"} for status in problems}
    mount = method(
        f"/{address}",
        response={200: wire},
        operation_id=answer.__name__,
        summary=title,
        tags=[tag],
        openapi_extra={"responses": described},
    )
    mount(answer)


def _refuse_body(request: HttpRequest, error: HttpError) -> HttpResponse:
    sentence = _("The body cannot be read as JSON. Nothing was recorded.")
    return show_refusal(request, Refusal("WEB-BODY", sentence, _("Send one JSON object in UTF-8.")))


def _refuse_fields(request: HttpRequest, error: ValidationError) -> HttpResponse:
    details = tuple(
        f"{_place(each['loc'])}: {each['msg'].removeprefix('Value error, ')}." for each in error.errors
    )
    sentence = _("What was sent is not what this operation takes. Nothing was recorded.")
    remedy = _("Correct what the details name; the OpenAPI document describes every field.")
    return show_refusal(request, Refusal("WEB-BODY", sentence, remedy, details))


def _place(steps: tuple[int | str, ...]) -> str:
    """Return where something is wrong: the name of a field, or of a parameter in the address."""
    return ".".join(map(str, steps[2:] if steps[0] == "body" else steps[1:])) or "body"


def _guarded(view: Answer) -> Answer:
    """Return a view as Django may call it: for whoever has a token, and with every refusal as JSON."""

    @wraps(view)
    def respond(request: HttpRequest, **arguments: Any) -> HttpResponse:
        # A slow sender must not hold up everybody else: the body is here before the trial stands still.
        request.body  # noqa: B018
        response = view(request, **arguments)
        if response.status_code != WRONG_METHOD:
            return response
        sentence = _("This address does not take the method %(method)s.") % {"method": request.method}
        refused = show_refusal(request, Refusal("WEB-METHOD", sentence, _("Use the method of its document.")))
        refused["Allow"] = response["Allow"]
        return refused

    # A token is sent on purpose, never by a browser on its own: there is no request to forge (CWE-352).
    return csrf_exempt(login_not_required(with_errors(respond)))


@require_GET
def show_openapi(request: HttpRequest) -> HttpResponse:
    """Return the OpenAPI document, in which there is nothing of the trial."""
    return HttpResponse(openapi_document(), content_type="application/json; charset=utf-8")


@cache
def openapi_document() -> bytes:
    """Return the OpenAPI document as JSON."""
    document = API.get_openapi_schema(path_prefix=PREFIX)
    components = document["components"]
    components["schemas"][_PROBLEM] = Problem.model_json_schema(mode="serialization")
    shape = {"application/json": {"schema": {"$ref": f"#/components/schemas/{_PROBLEM}"}}}
    components["responses"] = {_PROBLEM: {"description": "It was not done.", "content": shape}}
    return json.dumps(document, ensure_ascii=False).encode()


API = _make_api()

urlpatterns = [
    path(OPENAPI_PATH, _guarded(show_openapi), name="openapi"),
    *(
        URLPattern(each.pattern, _guarded(each.callback), each.default_args, each.name)
        for each in API.urls[0]
        if isinstance(each, URLPattern) and each.name != "api-root"
    ),
]
