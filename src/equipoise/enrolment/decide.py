"""What is decided about consent, screening, eligibility, the end of participation, and identities."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from equipoise.access.command import Command, Moment
from equipoise.access.filling import check_day, check_text
from equipoise.access.refusal import Refusal
from equipoise.definition.expression import Aggregate, Evidence, Item, Name, Node, Truth, truth, walk
from equipoise.definition.model.eligibility import Criterion
from equipoise.enrolment.commands import (
    AssessEligibility,
    CompleteParticipant,
    ConsentParticipant,
    EraseIdentity,
    FailScreening,
    RegisterIdentity,
    RenewConsent,
    RescreenParticipant,
    WithdrawParticipant,
)
from equipoise.enrolment.entries import (
    ConsentRenewed,
    EligibilityAssessed,
    IdentityErased,
    IdentityRegistered,
    ParticipantCompleted,
    ParticipantConsented,
    ParticipantRescreened,
    ParticipantWithdrawn,
    ScreeningFailed,
)
from equipoise.enrolment.state import TRANSITIONS, IdentityRow, ParticipantRow, state_of
from equipoise.ledger.entry import Draft

Decision = tuple[Draft, ...] | Refusal

OUTCOMES = {Truth.MET: "met", Truth.NOT_MET: "not_met", Truth.UNKNOWN: "unknown"}
SCOPES = ("treatment", "study", "consent")
"""What a participant may withdraw from, each wider than the one before."""

_WHAT = {
    RenewConsent: "consent cannot be renewed",
    AssessEligibility: "eligibility cannot be assessed",
    FailScreening: "screening cannot be ended",
    RescreenParticipant: "screening cannot begin again",
    WithdrawParticipant: "withdrawal cannot be recorded",
    CompleteParticipant: "completion cannot be recorded",
}


def decide_consent_participant(command: ConsentParticipant, moment: Moment) -> Decision:
    """Give the next code of the site, and freeze the variant of the rules that holds there."""
    site, definition = command.site, moment.definition
    if definition.site(site) is None:
        return Refusal("ENR-UNKNOWN-SITE", f"The study has no site {site}.", "Check the site's code.")
    refusal = check_day(moment, site, command.consented_on, "ENR")
    refusal = refusal or check_text(command.consent_version, "consent_version", "ENR")
    if refusal is not None:
        return refusal
    number = len(moment.tables.where(ParticipantRow, site=site)) + 1
    day = command.consented_on.isoformat()
    consented = ParticipantConsented(
        participant=f"{site}-{number:03d}",
        site=site,
        consent_version=command.consent_version.strip(),
        consented_on=day,
        variant=definition.variant_of(site),
    )
    return (consented.draft(clinical_time=day),)


def decide_renew_consent(command: RenewConsent, moment: Moment) -> Decision:
    """Record consent to a newer version."""
    row = moment.tables.get(ParticipantRow, command.participant)
    refusal = check_state(row, command, command.participant) or check_when(
        row, command.consented_on, moment, "renewed consent"
    )
    refusal = refusal or check_text(command.consent_version, "consent_version", "ENR")
    if refusal is not None:
        return refusal
    day = command.consented_on.isoformat()
    renewed = ConsentRenewed(
        participant=command.participant, consent_version=command.consent_version.strip(), consented_on=day
    )
    return (renewed.draft(clinical_time=day),)


def decide_assess_eligibility(command: AssessEligibility, moment: Moment) -> Decision:
    """Evaluate the criteria that hold for the participant's variant on the day of the assessment."""
    row = moment.tables.get(ParticipantRow, command.participant)
    refusal = check_state(row, command, command.participant) or check_when(
        row, command.assessed_on, moment, "assessment"
    )
    if row is None or refusal is not None:
        return refusal or _unknown(command.participant)
    rules = moment.definition.eligibility.rules_for(row.variant, command.assessed_on)
    refusal = check_no_drafts(rules)
    if refusal is not None:
        return refusal
    evidence = moment.evidence(command.participant, command.assessed_on)
    outcomes = {rule.id: truth(rule.when, evidence) for rule in rules if rule.when is not None}
    day = command.assessed_on.isoformat()
    assessed = EligibilityAssessed(
        participant=command.participant,
        screening=row.screening,
        assessed_on=day,
        outcome=derive_outcome(rules, outcomes),
        variant=row.variant,
        criteria={rule: OUTCOMES[outcome] for rule, outcome in outcomes.items()},
        sources={rule.id: derive_sources(rule.when, evidence) for rule in rules if rule.when is not None},
    )
    return (assessed.draft(clinical_time=day),)


def derive_outcome(rules: Sequence[Criterion], outcomes: dict[str, Truth]) -> str:
    """Return eligible when all inclusions are met and all exclusions are known not to be; else why not."""
    wanted = {"inclusion": Truth.MET, "exclusion": Truth.NOT_MET}
    off = {outcomes[rule.id] for rule in rules if outcomes[rule.id] is not wanted[rule.category]}
    if not off:
        return "eligible"
    return "unknown" if off == {Truth.UNKNOWN} else "ineligible"


def derive_sources(node: Node, evidence: Evidence) -> tuple[tuple[str, int], ...]:
    """Return form.item and ledger position of each recorded value that a condition may rest on."""
    return tuple(sorted(set(_sources(node, evidence, frozenset()))))


def _sources(node: Node, evidence: Evidence, opened: frozenset[str]) -> Iterator[tuple[str, int]]:
    for part in walk(node):
        if isinstance(part, Item):
            found = (
                evidence.latest(part.form, part.item)
                if part.encounter is None
                else evidence.at(part.form, part.item, part.encounter)
            )
            if found is not None and found.position is not None:
                yield f"{part.form}.{part.item}", found.position
        elif isinstance(part, Aggregate):
            yield from _row_sources(part, evidence)
        elif isinstance(part, Name) and part.name not in opened:
            variable = evidence.variable(part.name)
            if variable is not None:
                yield from _sources(variable, evidence, opened | {part.name})


def _row_sources(part: Aggregate, evidence: Evidence) -> Iterator[tuple[str, int]]:
    """Every row that was looked at: of an aggregate over a whole form, each of its values."""
    for row in evidence.rows(part.form):
        for name, seen in row.values.items():
            if part.item in (None, name) and seen.position is not None:
                yield f"{part.form}.{name}", seen.position


def decide_fail_screening(command: FailScreening, moment: Moment) -> Decision:
    """End screening."""
    row = moment.tables.get(ParticipantRow, command.participant)
    refusal = check_state(row, command, command.participant) or check_when(
        row, command.failed_on, moment, "screening failure"
    )
    refusal = refusal or check_text(command.cause, "cause", "ENR")
    if row is None or refusal is not None:
        return refusal or _unknown(command.participant)
    day = command.failed_on.isoformat()
    failed = ScreeningFailed(
        participant=row.participant, screening=row.screening, failed_on=day, cause=command.cause.strip()
    )
    return (failed.draft(clinical_time=day),)


def decide_rescreen_participant(command: RescreenParticipant, moment: Moment) -> Decision:
    """Begin another screening, once the waiting time is over."""
    row = moment.tables.get(ParticipantRow, command.participant)
    refusal = check_state(row, command, command.participant)
    refusal = refusal or check_when(row, command.rescreened_on, moment, "new screening")
    if row is None or refusal is not None:
        return refusal or _unknown(command.participant)
    refusal = check_waiting_time(row, command, moment)
    if refusal is not None:
        return refusal
    day = command.rescreened_on.isoformat()
    rescreened = ParticipantRescreened(
        participant=row.participant, screening=row.screening + 1, rescreened_on=day
    )
    return (rescreened.draft(clinical_time=day),)


def decide_withdraw_participant(command: WithdrawParticipant, moment: Moment) -> Decision:
    """End participation in a scope; a later withdrawal may only widen it."""
    row = moment.tables.get(ParticipantRow, command.participant)
    refusal = check_state(row, command, command.participant)
    refusal = refusal or check_when(row, command.withdrawn_on, moment, "withdrawal")
    refusal = refusal or check_text(command.cause, "cause", "ENR")
    if row is None or refusal is not None:
        return refusal or _unknown(command.participant)
    refusal = check_scope(row, command)
    if refusal is not None:
        return refusal
    day = command.withdrawn_on.isoformat()
    withdrawn = ParticipantWithdrawn(
        participant=row.participant, withdrawn_on=day, scope=command.scope, cause=command.cause.strip()
    )
    return (withdrawn.draft(clinical_time=day),)


def decide_complete_participant(command: CompleteParticipant, moment: Moment) -> Decision:
    """End participation as planned."""
    row = moment.tables.get(ParticipantRow, command.participant)
    refusal = check_state(row, command, command.participant) or check_when(
        row, command.completed_on, moment, "completion"
    )
    if refusal is not None:
        return refusal
    day = command.completed_on.isoformat()
    return (ParticipantCompleted(participant=command.participant, completed_on=day).draft(clinical_time=day),)


def decide_register_identity(command: RegisterIdentity, moment: Moment) -> Decision:
    """Record that a participant's identity is kept; once, unless it was erased."""
    refusal = check_exists(command.participant, moment) or check_identity(
        command.participant, moment, registered=False
    )
    return refusal or (IdentityRegistered(participant=command.participant).draft(),)


def decide_erase_identity(command: EraseIdentity, moment: Moment) -> Decision:
    """Record that a participant's identity is kept no more."""
    refusal = check_exists(command.participant, moment) or check_identity(
        command.participant, moment, registered=True
    )
    refusal = refusal or check_text(command.cause, "cause", "ENR")
    if refusal is not None:
        return refusal
    return (IdentityErased(participant=command.participant, cause=command.cause.strip()).draft(),)


def check_exists(participant: str, moment: Moment) -> Refusal | None:
    """There is such a participant, in whatever state."""
    return None if moment.tables.get(ParticipantRow, participant) else _unknown(participant)


def check_identity(participant: str, moment: Moment, *, registered: bool) -> Refusal | None:
    """The participant's identity is registered, or is not, as is wanted."""
    row = moment.tables.get(IdentityRow, participant)
    if (row is not None and row.status == "registered") is registered:
        return None
    if registered:
        return Refusal(
            "ENR-IDENTITY",
            f"The participant {participant} has no registered identity.",
            "Nothing needs to be erased.",
        )
    return Refusal(
        "ENR-IDENTITY",
        f"The identity of the participant {participant} is registered already.",
        "If it is wrong, erase it and register it again.",
    )


def check_state(row: ParticipantRow | None, command: Command, participant: str) -> Refusal | None:
    """The participant must exist, in a state that allows the command."""
    if row is None:
        return _unknown(participant)
    if type(command) in TRANSITIONS[state_of(row)]:
        return None
    state = state_of(row).replace("_", " ")
    return Refusal(
        "ENR-STATE",
        f"The participant {participant} is in the state '{state}', in which {_WHAT[type(command)]}.",
        "Check the participant's code and history.",
    )


def check_when(row: ParticipantRow | None, day: date, moment: Moment, what: str) -> Refusal | None:
    """What happened lies between the day of consent and today at the site."""
    if row is None:
        return None
    if day.isoformat() >= row.consented_on:
        return check_day(moment, row.participant, day, "ENR")
    return Refusal(
        "ENR-BEFORE-CONSENT",
        f"The {what} of the participant {row.participant} is dated before their consent.",
        "Correct the date.",
    )


def check_no_drafts(rules: Sequence[Criterion]) -> Refusal | None:
    """Nobody is enrolled under a criterion that cannot be evaluated."""
    drafts = tuple(rule.id for rule in rules if rule.when is None)
    if not drafts:
        return None
    return Refusal(
        "ENR-DRAFT",
        f"Eligibility cannot be assessed: {', '.join(drafts)} cannot be evaluated, having no condition.",
        "Complete eligibility.yaml.",
        drafts,
    )


def check_waiting_time(row: ParticipantRow, command: RescreenParticipant, moment: Moment) -> Refusal | None:
    """The definition allows rescreening, and its waiting time since the failure is over."""
    days = moment.definition.eligibility.rescreening_after_days
    if days == 0:
        return Refusal(
            "ENR-RESCREENING",
            f"The participant {row.participant} cannot be screened again: the study does not allow it.",
            "Leave the screening failure as it stands.",
        )
    earliest = date.fromisoformat(row.ended_on or row.consented_on) + timedelta(days=days)
    if command.rescreened_on >= earliest:
        return None
    return Refusal(
        "ENR-WAITING-TIME",
        f"The participant {row.participant} cannot be screened again before {earliest}, {days} days after "
        "the failure.",
        "Wait until then.",
    )


def check_scope(row: ParticipantRow, command: WithdrawParticipant) -> Refusal | None:
    """A scope that exists, and wider than that of an earlier withdrawal."""
    if command.scope not in SCOPES:
        return Refusal(
            "ENR-SCOPE", "The scope of a withdrawal is treatment, study or consent.", "Choose one of these."
        )
    if row.end_scope is None or SCOPES.index(command.scope) > SCOPES.index(row.end_scope):
        return None
    return Refusal(
        "ENR-SCOPE",
        f"The participant {row.participant} has already withdrawn in the scope {row.end_scope} or wider.",
        "Record a wider scope, or nothing.",
    )


def _unknown(participant: str) -> Refusal:
    return Refusal(
        "ENR-UNKNOWN-PARTICIPANT", f"There is no participant {participant}.", "Check the participant's code."
    )


DECIDE: dict[type[Command], Callable[[Any, Moment], Decision]] = {
    ConsentParticipant: decide_consent_participant,
    RenewConsent: decide_renew_consent,
    AssessEligibility: decide_assess_eligibility,
    FailScreening: decide_fail_screening,
    RescreenParticipant: decide_rescreen_participant,
    WithdrawParticipant: decide_withdraw_participant,
    CompleteParticipant: decide_complete_participant,
    RegisterIdentity: decide_register_identity,
    EraseIdentity: decide_erase_identity,
}
