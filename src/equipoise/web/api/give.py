"""Giving a command as a program: who may, whether it was given before, and what it led to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from itertools import islice

from django.utils.translation import gettext as _
from pydantic import BaseModel

from equipoise.access.permissions import check_permission
from equipoise.access.refusal import Refusal, Refused
from equipoise.ledger.entry import Entry
from equipoise.ledger.receipts import Sending, SentBefore
from equipoise.web.api.shapes import EntryOut, Recorded
from equipoise.web.api.table import BROWSER_ONLY, SIGNED
from equipoise.web.commands.catalogue import CATALOGUE, COMMANDS
from equipoise.web.commands.fields import FOUND_OUT
from equipoise.web.request import ClinicRequest


def give(request: ClinicRequest, name: str, body: BaseModel, key: str | None) -> tuple[Recorded, bool]:
    """Record a command, once for each key; return what it led to, and whether that had happened before.

    Raises Refused and StoreUnavailable.
    """
    refusal = _check(request, name)
    if refusal is not None:
        raise Refused(refusal)
    sending = None if key is None else _sending(request, name, body, key)
    try:
        return _shown(request, _record(request, name, body, sending)), False
    except SentBefore as before:
        receipt = before.receipt
    if receipt.sending != sending:
        sentence = _("This key was sent before, with another command or with other fields.")
        raise Refused(Refusal("WEB-KEY-REUSED", sentence, _("Send each command with a key of its own.")))
    entries = request.clinic.trial.ledger.read(receipt.position - 1) if receipt.entries else iter(())
    return _shown(request, tuple(islice(entries, receipt.entries))), True


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


def _record(request: ClinicRequest, name: str, body: BaseModel, sending: Sending | None) -> tuple[Entry, ...]:
    command = COMMANDS[name]
    arguments = {
        each.name: getattr(body, each.name) for each in fields(command) if each.name not in FOUND_OUT
    }
    reason = str(vars(body)["reason"] or "").strip() or None
    if reason is None and CATALOGUE[name].reason:
        sentence = _("The command %(name)s needs a reason.") % {"name": name}
        raise Refused(Refusal("WEB-REASON", sentence, _("Say why.")))
    outcome = request.clinic.trial.record(request.actor, command(**arguments), reason, sending)
    if isinstance(outcome, Refusal):
        raise Refused(outcome)
    return outcome


def _sending(request: ClinicRequest, name: str, body: BaseModel, key: str) -> Sending:
    """Return what a command is sent as: the same key of the same sender, with the same command and fields."""
    actor = request.actor
    named = ("program", actor.account, actor.role, actor.site or "", key)
    return Sending.of(named, (name, body.model_dump_json()))


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
