"""Who may give which command: one table, default deny."""

from __future__ import annotations

from collections.abc import Mapping

from equipoise.access.actor import SYSTEM, Actor
from equipoise.access.refusal import Refusal
from equipoise.definition.model.definition import StudyDefinition

_SITE_STAFF = frozenset({"investigator", "nurse"})
_PRODUCT_STAFF = frozenset({"laboratory", "infuser"})
_DATA = frozenset({"data_manager"})
_ADMINISTRATION = frozenset({"administrator"})

PERMITTED: Mapping[str, frozenset[str]] = {
    "OpenTrial": frozenset({"system"}),
    "GrantRole": _ADMINISTRATION,
    "RevokeRole": _ADMINISTRATION,
    "ActivateSite": _ADMINISTRATION,
    "AmendStudy": _ADMINISTRATION,
    "ActivateVersion": _ADMINISTRATION,
    "CloseSite": _ADMINISTRATION,
    "LockDatabase": _DATA,
    "PublishHead": _ADMINISTRATION | _DATA,
    "BlotText": _DATA | frozenset({"unblinded_statistician"}),
    "RecordReview": _ADMINISTRATION | _DATA | frozenset({"monitor"}),
    "ConsentParticipant": _SITE_STAFF,
    "RenewConsent": _SITE_STAFF,
    "AssessEligibility": frozenset({"investigator"}),
    "FailScreening": frozenset({"investigator"}),
    "RescreenParticipant": frozenset({"investigator"}),
    "WithdrawParticipant": _SITE_STAFF,
    "CompleteParticipant": frozenset({"investigator"}),
    "RegisterIdentity": _SITE_STAFF,
    "EraseIdentity": frozenset({"investigator"}) | _ADMINISTRATION,
    "CommitAllocation": frozenset({"unblinded_statistician", "administrator"}),
    "RandomiseParticipant": _SITE_STAFF,
    "UnblindInEmergency": frozenset({"investigator", "safety_desk"}),
    "ReportUnblinding": _SITE_STAFF | _DATA | frozenset({"monitor", "safety_desk"}),
    "UnblindTrial": frozenset({"unblinded_statistician", "administrator"}),
    "StartEncounter": _SITE_STAFF,
    "StartUnscheduledEncounter": _SITE_STAFF,
    "MissEncounter": _SITE_STAFF,
    "RecordForm": _SITE_STAFF | _PRODUCT_STAFF,
    "CorrectForm": _SITE_STAFF | _PRODUCT_STAFF,
    "RemoveRow": _SITE_STAFF | _PRODUCT_STAFF,
    "ConfirmLog": _SITE_STAFF | _PRODUCT_STAFF,
    "OpenQuery": _DATA | frozenset({"monitor", "safety_desk"}),
    "AnswerQuery": _SITE_STAFF | _PRODUCT_STAFF,
    "CloseQuery": _DATA | frozenset({"monitor", "safety_desk"}),
    "VerifySource": frozenset({"monitor"}),
    "SignCasebook": frozenset({"investigator"}),
    "FreezeParticipant": _DATA,
    "UnfreezeParticipant": _DATA,
    "AddDictionary": _DATA | _ADMINISTRATION,
    "CodeTerm": _DATA,
    "CodeMatches": _DATA,
    "CarryOverCodings": _DATA,
    "AssessEvent": frozenset({"safety_desk"}),
    "SubmitSafetyReport": frozenset({"safety_desk", "investigator"}),
    "ReceiveScan": _SITE_STAFF | _DATA,
    "AcceptScan": _DATA,
    "RefuseScan": _DATA,
    "RecordRead": frozenset({"reader"}),
    "RecordAdjudication": frozenset({"adjudicator"}),
    "CollectSource": _SITE_STAFF,
    "RecordManufacture": frozenset({"laboratory"}),
    "ReleaseLot": frozenset({"laboratory"}),
    "FailLot": frozenset({"laboratory"}),
    "PrepareUnit": _SITE_STAFF | _PRODUCT_STAFF,
    "AdministerUnit": _SITE_STAFF | _PRODUCT_STAFF,
    "DiscardUnit": frozenset({"laboratory", "infuser"}),
}
"""The role kinds that may give a command, by its name; a command that is not here is nobody's."""


def permitted_commands(kind: str) -> tuple[str, ...]:
    """Return the names of the commands that a role kind may give, in their order."""
    return tuple(sorted(name for name, kinds in PERMITTED.items() if kind in kinds))


def role_kind(definition: StudyDefinition, actor: Actor) -> str | None:
    """Return the kind of the actor's role in this study, or None when the study has no such role."""
    if actor == SYSTEM:
        return "system"
    role = definition.role(actor.role)
    return role.kind if role else None


def check_permission(definition: StudyDefinition, actor: Actor, command: str) -> Refusal | None:
    """Refuse a command that the actor's role may not give."""
    kind = role_kind(definition, actor)
    if kind is None:
        return Refusal(
            "ACC-ROLE",
            f"This study has no role '{actor.role}'.",
            f"Use one of: {', '.join(role.id for role in definition.study.roles)}.",
        )
    permitted = PERMITTED.get(command, frozenset())
    if kind in permitted:
        return None
    return Refusal(
        "ACC-COMMAND",
        f"The role {actor.role} may not give the command {command}.",
        f"It is given by: {', '.join(sorted(permitted)) or 'nobody'}.",
    )


def check_filled_by(definition: StudyDefinition, actor: Actor, form_id: str) -> Refusal | None:
    """Refuse a form to a role that does not fill it in; one that names nobody is the site staff's."""
    form = definition.form(form_id)
    kinds = frozenset(form.filled_by if form else ()) or _SITE_STAFF
    if role_kind(definition, actor) in kinds:
        return None
    return Refusal(
        "ACC-FORM",
        f"The role {actor.role} does not fill in the form {form_id}.",
        f"It is filled in by: {', '.join(sorted(kinds))}.",
    )


def check_answers(definition: StudyDefinition, actor: Actor, form_id: str) -> Refusal | None:
    """Refuse an answer about a form to a role that is neither site staff nor fills that form in."""
    if role_kind(definition, actor) in _SITE_STAFF:
        return None
    return check_filled_by(definition, actor, form_id)


def check_site(actor: Actor, site: str | None) -> Refusal | None:
    """Refuse a command of a site's staff that concerns another site."""
    if actor.site is None or site is None or actor.site == site:
        return None
    return Refusal(
        "ACC-SITE",
        f"The account {actor.account} acts for site {actor.site} and cannot act for site {site}.",
        f"Ask the staff of site {site}, or an administrator for a role there.",
    )
