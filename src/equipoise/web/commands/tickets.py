"""Tickets: a form that is sent twice, by a second click or by going back, is recorded once."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from equipoise.access.refusal import Refusal
from equipoise.conduct.entropy import SystemEntropy
from equipoise.web.accounts.models import Ticket
from equipoise.web.request import ClinicRequest

TICKET = re.compile(r"[A-Za-z0-9_-]{32}")
"""What a ticket looks like."""


def make_ticket() -> str:
    """Return a ticket for a form that is drawn."""
    return urlsafe_b64encode(SystemEntropy().token(24)).decode()


def claim_ticket(request: ClinicRequest) -> Ticket | Refusal:
    """Claim the ticket of a posted form; one that was redeemed has the position of what it recorded."""
    text = request.POST.get("ticket", "")
    if not TICKET.fullmatch(text):
        sentence = _("The form does not say which page it came from. Nothing was recorded.")
        return Refusal("WEB-TICKET", sentence, _("Send it again from here."))
    return claim(text, request.actor.account)


def claim(text: str, account: str) -> Ticket | Refusal:
    """Claim a ticket for an account; one that was redeemed has the position of what was recorded."""
    try:
        with transaction.atomic():
            return Ticket.objects.create(ticket=text, account=account)
    except IntegrityError:
        earlier = Ticket.objects.filter(ticket=text, account=account).first()
    if earlier is not None and earlier.position is not None:
        return earlier
    sentence = _("This form was sent a moment ago, and how that ended is not known yet.")
    return Refusal("WEB-SENT-TWICE", sentence, _("Look whether it was recorded before you send it again."))


def redeem_ticket(ticket: Ticket, position: int) -> None:
    """Note that a form was recorded."""
    ticket.position = position
    ticket.save(update_fields=["position"])


def release_ticket(ticket: Ticket) -> None:
    """Give a ticket back: its form was not recorded, and may be sent again."""
    ticket.delete()
