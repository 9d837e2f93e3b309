"""Giving a command as a program: who may, whether it was given before, and what it led to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from hashlib import sha256

from django.utils.translation import gettext as _
from pydantic import BaseModel

from equipoise.access.permissions import check_permission
from equipoise.access.refusal import Refusal, Refused
from equipoise.ledger.entry import Entry
from equipoise.web.accounts.models import Ticket
from equipoise.web.api.shapes import EntryOut, Recorded
from equipoise.web.api.table import BROWSER_ONLY, SIGNED
from equipoise.web.commands.catalogue import CATALOGUE, COMMANDS
from equipoise.web.commands.fields import FOUND_OUT
from equipoise.web.commands.tickets import claim, redeem_ticket, release_ticket
from equipoise.web.request import ClinicRequest

_HALF = 32


def give(request: ClinicRequest, name: str, body: BaseModel, key: str | None) -> tuple[Recorded, bool]:
    """Record a command, once for each key; return what it led to, and whether that had happened before.

    Raises Refused and StoreUnavailable.
    """
    refusal = _check(request, name)
    if refusal is not None:
        raise Refused(refusal)
    if key is None:
        return _shown(request, _record(request, name, body)), False
    ticket = _claim(request, name, body, key)
    if ticket.position is not None:
        return _shown(request, tuple(_recorded_at(request, ticket.position))), True
    try:
        entries = _record(request, name, body)
    except BaseException:
        release_ticket(ticket)
        raise
    redeem_ticket(ticket, entries[0].position if entries else 0)
    return _shown(request, entries), False


def _check(request: ClinicRequest, name: str) -> Refusal | None:
    refusal = check_permission(request.definition, request.actor, name)
    if refusal is not None:
        return refusal
    if name in SIGNED:
        sentence = _("The command %(name)s is a signature, and a token proves no person.") % {"name": name}
        return Refusal("WEB-SIGNED", sentence, _("Sign in the browser."))
    if name in BROWSER_ONLY:
        sentence = _("The command %(name)s is about a name or a contact.") % {"name": name}
        return Refusal("WEB-BROWSER-ONLY", sentence, _("Give it in the browser."))
    return None


def _record(request: ClinicRequest, name: str, body: BaseModel) -> tuple[Entry, ...]:
    command = COMMANDS[name]
    arguments = {
        each.name: getattr(body, each.name) for each in fields(command) if each.name not in FOUND_OUT
    }
    reason = str(vars(body)["reason"] or "").strip() or None
    if reason is None and CATALOGUE[name].reason:
        sentence = _("The command %(name)s needs a reason.") % {"name": name}
        raise Refused(Refusal("WEB-REASON", sentence, _("Say why.")))
    outcome = request.clinic.trial.record(request.actor, command(**arguments), reason)
    if isinstance(outcome, Refusal):
        raise Refused(outcome)
    return outcome


def _claim(request: ClinicRequest, name: str, body: BaseModel, key: str) -> Ticket:
    """Claim the ticket of a key; its first half names the key, its second what was sent with it."""
    actor = request.actor
    said = f"{name} {body.model_dump_json()}"
    half = _digest(f"{actor.role} {actor.site} {actor.account} {key}")
    ticket = claim(half + _digest(said), actor.account)
    if isinstance(ticket, Refusal):
        raise Refused(ticket)
    # Claimed first and compared then: of two that are sent at the same moment, none is recorded.
    if Ticket.objects.filter(ticket__startswith=half).exclude(pk=ticket.pk).exists():
        release_ticket(ticket)
        sentence = _("This key was sent before, with another command or with other fields.")
        raise Refused(Refusal("WEB-KEY-REUSED", sentence, _("Send each command with a key of its own.")))
    return ticket


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:_HALF]


def _recorded_at(request: ClinicRequest, position: int) -> Iterator[Entry]:
    """Iterate over the entries that were recorded together with the one at a position, from it on."""
    first: Entry | None = None
    for entry in request.clinic.trial.ledger.read(position - 1) if position else ():
        first = first or entry
        stamped = (entry.recorded_at, entry.actor, entry.role)
        if stamped != (first.recorded_at, first.actor, first.role):
            return
        yield entry


def _shown(request: ClinicRequest, entries: Sequence[Entry]) -> Recorded:
    """Return the entries that the giver sees in the audit trail; of the others not even their number."""
    if not entries:
        return Recorded(entries=[])
    trail = request.seen.audit(after=entries[0].position - 1, limit=len(entries))
    visible = {line.position for line in trail}
    return Recorded(
        entries=[
            EntryOut(position=each.position, kind=each.kind, hash=each.hash, recorded_at=each.recorded_at)
            for each in entries
            if each.position in visible
        ]
    )
