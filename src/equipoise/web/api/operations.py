"""The operations, made from the table: one function for each read and each command."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Annotated, Any, cast, get_args, get_type_hints

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja.params.functions import Body, Header, Path, Query
from pydantic import Field

from equipoise.access.actor import Actor
from equipoise.access.refusal import Refusal, Refused
from equipoise.conduct.view import UnmaskedView
from equipoise.definition.lock import canonical_json
from equipoise.web.accounts.events import note_access
from equipoise.web.api.give import give
from equipoise.web.api.shapes import (
    NUMBER_MAX,
    AuditPage,
    Day,
    DefinitionOut,
    Recorded,
    Text,
    body_model,
    wire_type,
    wire_value,
    writer,
)
from equipoise.web.api.table import Read
from equipoise.web.clinic import current_clinic
from equipoise.web.commands.catalogue import COMMANDS
from equipoise.web.errors import not_found
from equipoise.web.protect import enter, role_token
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import AnyRole, Visible

Answer = Callable[..., HttpResponse]

PAGE_LINES_MAX = 500
_PAGE_LINES = 100
_ALLOCATIONS = frozenset({"arm", "arms"})
_KEY = r"^[\x21-\x7e]{1,200}$"
"""What an Idempotency-Key may be: visible characters of ASCII."""

_IN_ADDRESSES: Mapping[type, Any] = {
    str: Text,
    int: Annotated[int, Field(ge=0, le=NUMBER_MAX)],
    bool: bool,
    date: Day,
}


def read_operation(read: Read) -> tuple[Answer, Any]:
    """Return the function that answers a read, and the type of its answer."""
    method = getattr(UnmaskedView, read.method)
    hints = get_type_hints(method)
    wire = wire_type(read.method, hints.pop("return"))

    def answer(request: HttpRequest, **given: Any) -> HttpResponse:
        with _entered(request, read.visible) as inside:
            arguments = {name: _argument(inside, hint, given.get(name)) for name, hint in hints.items()}
            value = getattr(inside.seen, read.method)(**arguments)
            if value is None:
                raise Refused(not_found())
            if read.method in _ALLOCATIONS:
                actor = inside.actor
                note_access(inside, "allocation_read", actor.account, detail=role_token(actor))
            if isinstance(value, Iterator):
                value = _page(list(value), arguments["limit"])
            return _json(wire, wire_value(read.method, wire, value))

    parameters = [
        _parameter(name, *_asked(read, name, hint)) for name, hint in hints.items() if hint is not datetime
    ]
    return _described(answer, read.method, inspect.getdoc(method) or "", parameters), wire


def definition_operation() -> tuple[Answer, Any]:
    """Return the function that answers with the study definition, and the type of its answer."""

    def answer(request: HttpRequest) -> HttpResponse:
        with _entered(request, AnyRole()) as inside:
            # As it was hashed: the one that the reader works under may hide more.
            definition = inside.clinic.trial.versions.of(inside.version.hash) or inside.version
            content = json.loads(canonical_json(definition))
            return _json(DefinitionOut, DefinitionOut(hash=definition.hash, definition=content))

    return _described(answer, "definition", DefinitionOut.__doc__ or "", []), DefinitionOut


def command_operation(name: str) -> tuple[Answer, Any]:
    """Return the function that gives a command, and the type of its answer."""

    def answer(request: HttpRequest, body: Any, idempotency_key: str | None) -> HttpResponse:
        # Who may give it, the refusal of the command itself says best.
        with _entered(request, AnyRole()) as inside:
            recorded, before = give(inside, name, body, idempotency_key)
            response = _json(Recorded, recorded)
            if before:
                response["Idempotent-Replayed"] = "true"
            return response

    key = Header(None, alias="Idempotency-Key", pattern=_KEY, description="Recorded once for each key.")
    parameters = [
        _parameter("body", body_model(COMMANDS[name]), Body(...)),
        _parameter("idempotency_key", str | None, key),
    ]
    return _described(answer, f"give_{name}", COMMANDS[name].__doc__ or "", parameters), Recorded


@contextmanager
def _entered(request: HttpRequest, visible: Visible) -> Iterator[ClinicRequest]:
    """Let the holder of a token in, if the operation is for them; all within is of one state of the trial."""
    inside, actor = cast(ClinicRequest, request), cast(Actor, vars(request)["auth"])
    inside.clinic = current_clinic()
    with inside.clinic.trial.reading():
        enter(inside, inside.clinic, actor)
        if not visible.admits(inside.seen.viewer):
            sentence = _("This is not open to the role %(role)s: it is for whoever %(visible)s.")
            named = {"role": actor.role, "visible": visible.words}
            raise Refused(Refusal("ACC-UNSEEN", sentence % named, _("Use a token of a role that it is for.")))
        yield inside


def _asked(read: Read, name: str, hint: Any) -> tuple[Any, Any]:
    """Return the type of an argument in an address, and where it stands there."""
    if f"{{{name}}}" in read.path:
        return Text, Path(...)
    if name == "limit":
        return int, Query(_PAGE_LINES, ge=1, le=PAGE_LINES_MAX)
    if hint is bool:
        return bool, Query(False)
    solid = next((each for each in get_args(hint) if each is not type(None)), hint)
    absent = "Today at the site, where none is given." if solid is date else None
    return _IN_ADDRESSES[solid] | None, Query(None, description=absent)


def _argument(request: ClinicRequest, hint: Any, given: Any) -> Any:
    if hint is datetime:
        return request.clinic.now()
    return request.today if hint is date and given is None else given


def _page(lines: Sequence[Any], limit: int) -> AuditPage:
    return AuditPage(lines=list(lines), next=lines[-1].position if len(lines) == limit else None)


def _json(wire: Any, value: Any) -> HttpResponse:
    return HttpResponse(writer(wire).dump_json(value), content_type="application/json; charset=utf-8")


def _parameter(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _described(answer: Answer, name: str, text: str, parameters: list[inspect.Parameter]) -> Answer:
    """Return a function with the name, the words and the parameters by which it is documented and called."""
    request = inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=HttpRequest)
    answer.__name__, answer.__doc__ = name, text
    vars(answer)["__signature__"] = inspect.Signature([request, *parameters])
    return answer
