"""Tickets: a form that is sent twice, by a second click or by going back, is recorded once."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping

from django.utils.translation import gettext as _

from equipoise.access.refusal import Refusal
from equipoise.conduct.entropy import SystemEntropy
from equipoise.ledger.receipts import Sending
from equipoise.web.request import ClinicRequest

TICKET = re.compile(r"[A-Za-z0-9_-]{32}")
"""What a ticket looks like."""


def make_ticket() -> str:
    """Return a ticket for a form that is drawn."""
    return urlsafe_b64encode(SystemEntropy().token(24)).decode()


def ticket_of(given: Mapping[str, str]) -> str:
    """Return the ticket that a form bore, so that it is drawn with it again; else a new one."""
    text = given.get("ticket", "")
    return text if TICKET.fullmatch(text) else make_ticket()


def check_version(request: ClinicRequest) -> Refusal | None:
    """Refuse a form that was drawn under another version: what it asked may not be what is recorded."""
    if request.POST.get("definition") == request.version.hash:
        return None
    sentence = _("The page was opened under another study definition. Nothing was recorded.")
    remedy = _("Look through your answers under the present version, and send them from here.")
    return Refusal("WEB-DEFINITION", sentence, remedy)


def sending_of(request: ClinicRequest) -> Sending | Refusal:
    """Return what a posted form is sent as: the same ticket of the same account is the same sending.

    Refuses a form that was drawn under another definition, as `check_version` does.
    """
    refusal = check_version(request)
    if refusal is not None:
        return refusal
    ticket = request.POST.get("ticket", "")
    if not TICKET.fullmatch(ticket):
        sentence = _("The form does not say which page it came from. Nothing was recorded.")
        return Refusal("WEB-TICKET", sentence, _("Send it again from here."))
    return sending(ticket, request.actor.account)


def sending(ticket: str, account: str) -> Sending:
    """Return the sending that a ticket stands for when an account sends it."""
    return Sending.of(("form", ticket), (account,))
