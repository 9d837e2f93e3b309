"""Recording a command from the clinic: almost every one goes straight to the trial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from django.utils.translation import gettext as _

from equipoise.access.command import Command
from equipoise.access.refusal import Refusal
from equipoise.capture.commands import SignCasebook
from equipoise.coding.commands import CarryOverCodings, CodeMatches
from equipoise.conduct.identities import erase_identity, register_identity
from equipoise.enrolment.commands import EraseIdentity, RegisterIdentity
from equipoise.governance.commands import BlotText
from equipoise.imaging.commands import ReceiveScan
from equipoise.ledger.entry import Entry
from equipoise.ledger.receipts import Sending
from equipoise.web.commands.blotting import blot_text
from equipoise.web.commands.fields import FieldType
from equipoise.web.request import ClinicRequest
from equipoise.web.scans.upload import receive_scan

EXTRA_FIELDS: Mapping[str, tuple[FieldType, ...]] = {
    "RegisterIdentity": (FieldType("name", "text", True), FieldType("contact", "long_text", True))
}
"""What is asked beside a command's own fields, and goes elsewhere than into the ledger."""


def perform(
    request: ClinicRequest, command: Command, reason: str | None, sending: Sending
) -> tuple[Entry, ...] | Refusal:
    """Record a command as the sender of a request; raises SentBefore, StoreUnavailable, IdentityUnmatched."""
    clinic = request.clinic
    if isinstance(command, SignCasebook | CodeMatches | CarryOverCodings):
        command = replace(command, shown_hash=request.POST.get("shown_hash") or None)
    if isinstance(command, BlotText):
        return blot_text(request, command, reason, sending)
    if isinstance(command, ReceiveScan):
        return receive_scan(request, command, reason, sending)
    if not isinstance(command, RegisterIdentity | EraseIdentity):
        return clinic.trial.record(request.actor, command, reason, sending)
    if clinic.register is None:
        sentence = _("This clinic keeps no register of identities.")
        return Refusal("WEB-NO-REGISTER", sentence, _("Keep names and contacts as the site does otherwise."))
    if isinstance(command, EraseIdentity):
        return erase_identity(clinic.trial, clinic.register, request.actor, command, sending)
    name, contact = request.POST["name"], request.POST["contact"]
    return register_identity(clinic.trial, clinic.register, request.actor, command, name, contact, sending)
