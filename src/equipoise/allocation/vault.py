"""The vault: where allocations lie sealed, what lies in it, and how the ledger is bound to it.

Nothing outside this room opens the vault. What it holds names arms by number, so that the length of what
is sealed tells nothing.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import fields as dataclass_fields
from fractions import Fraction
from hashlib import sha256
from typing import Protocol

from equipoise.allocation.entries import AllocationCommitted, ParticipantRandomised, TrialUnblinded
from equipoise.allocation.methods import List, Stream, draw_blocks, draw_simple, imbalance, minimise
from equipoise.definition.model.conduct import Allocation
from equipoise.ledger.canonical import canonical_json
from equipoise.ledger.entry import Entry

PLAN = "plan"
"""The name under which the list, or the seed of the random element, is sealed."""

_DOMAIN = b"equipoise allocation commitment 1\x00"


class VaultConflict(Exception):
    """Something else is already sealed under this name; nothing was changed."""

    code = "VAULT-CONFLICT"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The vault already holds something else under '{name}'. What is sealed is never replaced."
        )


class VaultMissing(Exception):
    """Nothing is sealed under this name."""

    code = "VAULT-MISSING"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The vault holds nothing under '{name}'. Connect the vault that belongs to this ledger."
        )


class VaultMismatch(Exception):
    """What the vault holds is not what the ledger is committed to."""

    code = "VAULT-MISMATCH"

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The vault and the ledger disagree about {what}. Treat nobody on it; restore the vault."
        )


def commit(salt: bytes, message: bytes) -> str:
    """Return a commitment in hexadecimal: it hides the message while the salt is secret, and binds to it.

    SHA-256 over a domain, the length of the salt, the salt and the message, so that no other use of the
    hash and no other division of the bytes gives the same.
    """
    return sha256(_DOMAIN + len(salt).to_bytes(8, "big") + salt + message).hexdigest()


class Vault(Protocol):
    """Sealed storage, apart from the ledger and with a key that is not in it."""

    def seal(self, name: str, plaintext: bytes) -> None:
        """Keep this for good; VaultConflict when something else is sealed under this name."""

    def open(self, name: str) -> bytes:
        """Return what was sealed; raise VaultMissing when there is nothing under this name."""

    def names(self) -> tuple[str, ...]:
        """Return the names of all that is sealed, sorted."""

    def commitment(self, salt: bytes, message: bytes) -> str:
        """Return the commitment that stands in the ledger for a message; every real vault returns `commit`.

        It is the vault's, because a commitment depends on the arm, as it must: whoever holds the salt can
        check it. A test that runs a trial twice with arms exchanged, and asks for the same bytes, gives
        its vault an ideal commitment instead, one of the salt alone, which is what a hash looks like to
        those who lack the salt.
        """


class MemoryVault:
    """A vault in the memory of one process, without encryption: for rehearsals and tests."""

    def __init__(self) -> None:
        self._sealed: dict[str, bytes] = {}

    def seal(self, name: str, plaintext: bytes) -> None:
        """Keep this for good."""
        if self._sealed.setdefault(name, plaintext) != plaintext:
            raise VaultConflict(name)

    def open(self, name: str) -> bytes:
        """Return what was sealed."""
        if name not in self._sealed:
            raise VaultMissing(name)
        return self._sealed[name]

    def names(self) -> tuple[str, ...]:
        """Return the names of all that is sealed, sorted."""
        return tuple(sorted(self._sealed))

    def commitment(self, salt: bytes, message: bytes) -> str:
        """Return the commitment that stands in the ledger for a message."""
        return commit(salt, message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is committed to before the first participant: the design, the seed, and the lists drawn from it.

    Everything secret follows from the seed: lists, the random element of minimisation, and the salts. The
    lists are sealed all the same, so that they do not depend on a later release drawing them alike. A
    stratum that a later version of the definition adds (another site) has its list drawn from the same
    committed seed.
    """

    study: str
    method: str
    arms: tuple[str, ...]
    ratio: tuple[int, ...]
    weights: Mapping[str, int]
    probability: str
    slots: int
    seed: bytes
    lists: Mapping[str, List]

    @classmethod
    def draw(cls, study: str, allocation: Allocation, strata: Sequence[str], seed: bytes) -> Plan:
        """Make the plan of a study's allocation; minimisation has no lists."""
        plan = cls(
            study=study,
            method=allocation.method,
            arms=tuple(allocation.ratio),
            ratio=tuple(allocation.ratio.values()),
            weights={factor.id: factor.weight for factor in allocation.factors},
            probability=str(allocation.probability),
            slots=allocation.slots_per_stratum,
            seed=seed,
            lists={},
        )
        if plan.method == "minimisation":
            return plan
        return replace(plan, lists={stratum: plan._draw_list(stratum) for stratum in strata})

    @classmethod
    def read(cls, sealed: bytes) -> Plan:
        """Read a plan back from what was sealed."""
        fields = json.loads(sealed)
        return cls(
            study=fields["study"],
            method=fields["method"],
            arms=tuple(fields["arms"]),
            ratio=tuple(fields["ratio"]),
            weights=fields["weights"],
            probability=fields["probability"],
            slots=fields["slots"],
            seed=bytes.fromhex(fields["seed"]),
            lists={stratum: tuple(map(tuple, blocks)) for stratum, blocks in fields["lists"].items()},
        )

    def write(self) -> bytes:
        """Return what is sealed and committed to: canonical JSON."""
        fields = {each.name: getattr(self, each.name) for each in dataclass_fields(self)}
        return canonical_json(fields | {"seed": self.seed.hex()})

    def fits(self, study: str, allocation: Allocation) -> bool:
        """Tell whether this is still the plan of an allocation.

        Strata may be added, and the order in which the arms are named is of no account.
        """
        return self._design() == Plan.draw(study, allocation, (), self.seed)._design()

    def arm_at(self, stratum: str, slot: int) -> int | None:
        """Return the arm of a slot (from 1) of a stratum's list, or None beyond its end."""
        blocks = self.lists[stratum] if stratum in self.lists else self._draw_list(stratum)
        arms = [arm for block in blocks for arm in block]
        return arms[slot - 1] if slot <= len(arms) else None

    def arm_by_minimisation(
        self, slot: int, levels: Mapping[str, str], history: Sequence[tuple[Mapping[str, str], int]]
    ) -> int:
        """Return the arm of a slot, given the participant's levels and those allocated before them."""
        totals = imbalance(self.ratio, self.weights, history, levels)
        stream = Stream(self.seed, f"minimisation/{slot}")
        return minimise(stream, self.ratio, Fraction(self.probability), totals)

    def plan_salt(self) -> bytes:
        """Return the salt of the commitment to the whole plan."""
        return self._salt("plan")

    def slot_salt(self, stratum: str, slot: int) -> bytes:
        """Return the salt of the commitment to one slot."""
        return self._salt(f"slot/{slot}/{stratum}")

    def _design(self) -> tuple[object, ...]:
        shares = dict(zip(self.arms, self.ratio, strict=True))
        return self.study, self.method, shares, self.weights, Fraction(self.probability)

    def _salt(self, purpose: str) -> bytes:
        return hmac.digest(self.seed, f"salt/{purpose}".encode(), "sha256")

    def _draw_list(self, stratum: str) -> List:
        draw = draw_simple if self.method == "simple" else draw_blocks
        return draw(Stream(self.seed, f"list/{stratum}"), self.ratio, self.slots)


def slot_message(participant: str, number: str, stratum: str, slot: int, arm: str) -> bytes:
    """Return what a commitment is about; it names the participant, and proves nothing about another."""
    return canonical_json([participant, number, stratum, slot, arm])


@dataclass(frozen=True, slots=True)
class OpeningProblem:
    """Something revealed at the planned unblinding that does not agree with what was committed to."""

    code: str
    participant: str | None
    sentence: str


def verify_openings(
    entries: Iterable[Entry], commitment: Callable[[bytes, bytes], str] = commit
) -> tuple[OpeningProblem, ...]:
    """Check what was revealed against what was committed to, from the ledger alone: no vault is needed.

    Empty while nothing is revealed, and when everything agrees: the plan opens its commitment, every
    randomised participant has one opening, each opens its commitment, and each arm is the one that the
    plan gives to the slot.
    """
    committed: AllocationCommitted | None = None
    randomised: list[ParticipantRandomised] = []
    revealed: TrialUnblinded | None = None
    for entry in entries:
        if entry.kind == AllocationCommitted.kind:
            committed = AllocationCommitted.of(entry)
        elif entry.kind == ParticipantRandomised.kind:
            randomised.append(ParticipantRandomised.of(entry))
        elif entry.kind == TrialUnblinded.kind:
            revealed = TrialUnblinded.of(entry)
    if revealed is None:
        return ()
    sealed = revealed.plan.encode()
    if committed is None or commitment(bytes.fromhex(revealed.salt), sealed) != committed.commitment:
        sentence = "The revealed plan is not the one that was committed to before the first participant."
        return (OpeningProblem("OPENING-PLAN", None, sentence),)
    openings = {opening["participant"]: opening for opening in revealed.openings}
    strangers = openings.keys() - {one.participant for one in randomised}
    problems = [
        OpeningProblem("OPENING-UNKNOWN", code, f"{code} has an opening and was never randomised.")
        for code in sorted(strangers)
    ]
    planned = _planned_arms(Plan.read(sealed), randomised)
    for one in randomised:
        problem = _check_opening(one, openings.get(one.participant), planned[one.participant], commitment)
        problems += [problem] if problem else []
    return tuple(problems)


def _planned_arms(plan: Plan, randomised: Sequence[ParticipantRandomised]) -> dict[str, str | None]:
    """Return the arm that the plan gives to each participant, drawn again from the seed."""
    arms: dict[str, str | None] = {}
    history: list[tuple[Mapping[str, str], int]] = []
    for one in randomised:
        if plan.method == "minimisation":
            taken = plan.arm_by_minimisation(one.slot, one.levels, history)
            history.append((one.levels, taken))
            arms[one.participant] = plan.arms[taken]
        else:
            arm = plan.arm_at(one.stratum, one.slot)
            arms[one.participant] = None if arm is None else plan.arms[arm]
    return arms


def _check_opening(
    one: ParticipantRandomised,
    opening: Mapping[str, str] | None,
    planned: str | None,
    commitment: Callable[[bytes, bytes], str],
) -> OpeningProblem | None:
    code = one.participant
    if opening is None:
        return OpeningProblem("OPENING-MISSING", code, f"The allocation of {code} was not revealed.")
    message = slot_message(code, one.number, one.stratum, one.slot, opening["arm"])
    if commitment(bytes.fromhex(opening["salt"]), message) != one.commitment:
        return OpeningProblem(
            "OPENING-SLOT", code, f"The revealed arm of {code} is not the one committed to."
        )
    if opening["arm"] != planned:
        return OpeningProblem(
            "OPENING-ARM", code, f"The arm of {code} is not what the plan gives to the slot."
        )
    return None
