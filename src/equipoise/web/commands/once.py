"""Recording from a page of its own: with the ticket of the form that was sent, and once."""

from __future__ import annotations

from equipoise.access.command import Command
from equipoise.access.refusal import Refusal
from equipoise.ledger.entry import Entry
from equipoise.web.accounts.models import Ticket
from equipoise.web.commands.perform import perform
from equipoise.web.commands.tickets import claim_ticket, redeem_ticket, release_ticket
from equipoise.web.request import ClinicRequest


def was_recorded(request: ClinicRequest) -> bool:
    """Tell whether the form that is sent was recorded already, by an earlier click."""
    ticket = request.POST.get("ticket", "")
    return Ticket.objects.filter(
        ticket=ticket, account=request.actor.account, position__isnull=False
    ).exists()


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
    claimed = claim_ticket(request)
    if isinstance(claimed, Refusal):
        return claimed
    if claimed.position is not None:
        return ()
    try:
        outcome = perform(request, command, reason)
    except BaseException:
        release_ticket(claimed)
        raise
    if isinstance(outcome, Refusal):
        release_ticket(claimed)
        return outcome
    redeem_ticket(claimed, outcome[-1].position if outcome else 0)
    return outcome
