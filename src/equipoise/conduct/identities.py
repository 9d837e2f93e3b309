"""Identities: what the ledger says of them and what the register keeps of them, brought to agree.

The ledger leads and the register follows. What is decided is recorded first, with its permissions, and then
done; whatever is interrupted between the two, no identity stays that the ledger does not answer for:

- registered in the ledger and not kept: the name is lost, and is registered again after an erasure;
- erased in the ledger and still kept: `settle` erases it, here before and after every other act.

`unmatched` says where the two disagree. Reading an identity leaves no entry: it changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from equipoise.access.actor import Actor
from equipoise.access.permissions import check_permission, check_site
from equipoise.access.refusal import Refusal, Refused
from equipoise.conduct.policies import check_holder, site_of
from equipoise.conduct.trial import Trial
from equipoise.enrolment.commands import EraseIdentity, RegisterIdentity
from equipoise.enrolment.state import IdentityRow
from equipoise.ledger.entry import Entry
from equipoise.ledger.protocol import StoreUnavailable
from equipoise.ledger.receipts import Sending, SentBefore

T_co = TypeVar("T_co", covariant=True)


class Register(Protocol[T_co]):
    """Where identities are kept, by participant code."""

    def record(self, participant: str, name: str, contact: str) -> None:
        """Keep an identity."""

    def read(self, participant: str) -> T_co | None:
        """Return an identity, or None."""

    def erase(self, participant: str) -> None:
        """Take an identity away for good; does nothing where there is none."""

    def codes(self) -> Collection[str]:
        """List the codes of all whose identity is kept."""
        ...


class IdentityUnmatched(Exception):
    """The ledger has it and the register could not follow."""

    code = "CON-IDENTITY"

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(f"{self.code}: {sentence}")


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A participant whose identity is `missing` from the register, or is left there over (not missing)."""

    participant: str
    missing: bool

    @property
    def sentence(self) -> str:
        """Say what is wrong and what to do."""
        if self.missing:
            return (
                f"The identity of {self.participant} is registered and not kept. Erase it, saying so as the"
                " cause, and register it again."
            )
        return (
            f"An identity is kept for {self.participant} that is not, or no longer, registered. It is erased"
            " when the next identity is registered or erased."
        )


def unmatched(codes: Collection[str], rows: Iterable[IdentityRow]) -> tuple[Unmatched, ...]:
    """Compare the codes of a register with what the ledger leads to, by participant."""
    registered = {row.participant for row in rows if row.status == "registered"}
    return tuple(Unmatched(code, code in registered) for code in sorted(registered ^ set(codes)))


def settle(trial: Trial, register: Register[object]) -> None:
    """Erase what the register keeps and the ledger does not say is registered."""
    # An entry comes before what it is about: read first, no code is taken for one that is not registered.
    codes = register.codes()
    trial.catch_up()
    for each in unmatched(codes, trial.tables.all(IdentityRow)):
        if not each.missing:
            register.erase(each.participant)


def register_identity(
    trial: Trial,
    register: Register[object],
    actor: Actor,
    command: RegisterIdentity,
    name: str,
    contact: str,
    sending: Sending | None = None,
) -> tuple[Entry, ...] | Refusal:
    """Record that an identity is kept, and keep it.

    Raises StoreUnavailable and SentBefore when nothing was recorded, IdentityUnmatched (CON-IDENTITY) when
    it was and the register failed.
    """
    if not name.strip():
        return Refusal("CON-NAME", "The name is empty.", "Write the participant's name.")
    settle(trial, register)
    try:
        outcome = trial.record(actor, command, sending=sending)
    except SentBefore as failure:
        # It was recorded, and may have been cut off before the name was kept.
        lost = Unmatched(command.participant, missing=True)
        if lost in unmatched(register.codes(), trial.tables.all(IdentityRow)):
            raise IdentityUnmatched(lost.sentence) from failure
        raise
    if isinstance(outcome, Refusal):
        return outcome
    try:
        register.record(command.participant, name.strip(), contact.strip())
        # Somebody may have erased it while it was on its way.
        settle(trial, register)
    except StoreUnavailable as failure:
        raise IdentityUnmatched(Unmatched(command.participant, missing=True).sentence) from failure
    return outcome


def erase_identity(
    trial: Trial,
    register: Register[object],
    actor: Actor,
    command: EraseIdentity,
    sending: Sending | None = None,
) -> tuple[Entry, ...] | Refusal:
    """Record that an identity is kept no more, and erase it; raises as `register_identity`."""
    settle(trial, register)
    outcome = trial.record(actor, command, sending=sending)
    if isinstance(outcome, Refusal):
        return outcome
    try:
        settle(trial, register)
    except StoreUnavailable as failure:
        raise IdentityUnmatched(Unmatched(command.participant, missing=False).sentence) from failure
    return outcome


def read_identity(trial: Trial, register: Register[T_co], actor: Actor, participant: str) -> T_co | None:
    """Return a participant's identity to those who may register it at their own site, while it is registered.

    Raises Refused for everybody else.
    """
    trial.catch_up()
    command = RegisterIdentity(participant=participant)
    refusal = check_permission(trial.definition, actor, type(command).__name__)
    refusal = refusal or check_holder(actor, trial.tables)
    refusal = refusal or check_site(actor, site_of(command, trial.tables))
    if refusal is not None:
        raise Refused(refusal)
    row = trial.tables.get(IdentityRow, participant)
    return register.read(participant) if row is not None and row.status == "registered" else None
