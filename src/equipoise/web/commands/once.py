"""Recording from a page of its own: with the ticket of the form that was sent, and once."""

from __future__ import annotations

from django.utils.translation import gettext as _

from equipoise.access.command import Command
from equipoise.access.refusal import Refusal
from equipoise.conduct.identities import IdentityUnmatched
from equipoise.ledger.entry import Entry
from equipoise.ledger.receipts import SentBefore
from equipoise.web.commands.perform import perform
from equipoise.web.commands.tickets import sending, sending_of
from equipoise.web.request import ClinicRequest


def was_recorded(request: ClinicRequest) -> bool:
    """Tell whether the form that is sent was recorded already, by an earlier click."""
    sent = sending(request.POST.get("ticket", ""), request.actor.account)
    receipt = request.clinic.trial.ledger.receipts([sent.key]).get(sent.key)
    return receipt is not None and receipt.sending == sent


def record_once(
    request: ClinicRequest, command: Command, reason: str | None = None
) -> tuple[Entry, ...] | Refusal:
    """Record a command under the ticket of the form that was sent; nothing where that was done before.

    While it is on its way to the disk other pages go on: the trial stands still again for a refusal, which
    is drawn. Raises StoreUnavailable.
    """
    request.standstill.close()
    outcome = _record(request, command, reason)
    if isinstance(outcome, Refusal):
        request.standstill.enter_context(request.clinic.trial.reading())
    return outcome


def _record(request: ClinicRequest, command: Command, reason: str | None) -> tuple[Entry, ...] | Refusal:
    sent = sending_of(request)
    if isinstance(sent, Refusal):
        return sent
    try:
        return perform(request, command, reason, sent)
    except SentBefore as before:
        if before.receipt.sending == sent:
            return ()
        sentence = _("This form was sent by another account before. Nothing was recorded.")
        return Refusal("WEB-SENT-TWICE", sentence, _("Open the page again and send it from there."))
    except IdentityUnmatched as failure:
        return Refusal(failure.code, failure.sentence, "")
