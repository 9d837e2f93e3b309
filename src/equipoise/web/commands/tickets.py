"""Tickets: a form that is sent twice, by a second click or by going back, is recorded once."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping

from django.db import connection
from django.utils.translation import gettext as _

from equipoise.access.refusal import Refusal
from equipoise.conduct.entropy import SystemEntropy
from equipoise.web.accounts.models import Ticket
from equipoise.web.clinic import current_clinic
from equipoise.web.request import ClinicRequest

TICKET = re.compile(r"[A-Za-z0-9_-]{32}")
"""What a ticket looks like."""

# One statement each, and no transaction around it: every form that is sent waits for them.
_CLAIM = "INSERT INTO ticket (ticket, account, begun_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING"
_REDEEM = "UPDATE ticket SET position = %s WHERE ticket = %s"


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


def claim_ticket(request: ClinicRequest) -> Ticket | Refusal:
    """Claim the ticket of a posted form; one that was redeemed has the position of what it recorded.

    Refuses a form that was drawn under another definition, as `check_version` does.
    """
    refusal = check_version(request)
    if refusal is not None:
        return refusal
    text = request.POST.get("ticket", "")
    if not TICKET.fullmatch(text):
        sentence = _("The form does not say which page it came from. Nothing was recorded.")
        return Refusal("WEB-TICKET", sentence, _("Send it again from here."))
    return claim(text, request.actor.account)


def claim(text: str, account: str) -> Ticket | Refusal:
    """Claim a ticket for an account; one that was redeemed has the position of what was recorded."""
    ticket = Ticket(ticket=text, account=account, begun_at=current_clinic().now())
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [text, account, ticket.begun_at])
        if cursor.rowcount == 1:
            return ticket
    earlier = Ticket.objects.filter(ticket=text, account=account).first()
    if earlier is not None and earlier.position is not None:
        return earlier
    sentence = _("This form was sent a moment ago, and how that ended is not known yet.")
    return Refusal("WEB-SENT-TWICE", sentence, _("Look whether it was recorded before you send it again."))


def redeem_ticket(ticket: Ticket, position: int) -> None:
    """Note that a form was recorded."""
    with connection.cursor() as cursor:
        cursor.execute(_REDEEM, [position, ticket.ticket])


def release_ticket(ticket: Ticket) -> None:
    """Give a ticket back: its form was not recorded, and may be sent again."""
    ticket.delete()
