"""When a command may be given: the rules that look at more than one room.

Each rule is one `check_...` function; the tables at the end say which commands it holds for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from equipoise.access.actor import SYSTEM, Actor
from equipoise.access.command import Command, Moment
from equipoise.access.permissions import check_answers, check_filled_by, check_site, role_kind
from equipoise.access.refusal import Refusal
from equipoise.allocation.state import AllocationRow
from equipoise.capture.commands import AnswerQuery
from equipoise.capture.state import EncounterRow, FreezeRow, QueryRow
from equipoise.conduct.readiness import open_matters
from equipoise.enrolment.state import AssessmentRow, ParticipantRow
from equipoise.governance.state import GrantRow, SiteRow, TrialRow, VersionRow
from equipoise.imaging.state import ScanRow
from equipoise.ledger.tables import Tables
from equipoise.supply.commands import AdministerUnit
from equipoise.supply.state import LotRow, UnitRow

Policy = Callable[[Any, Moment], Refusal | None]

_DETAILS_MAX = 20


def participant_of(command: Command, tables: Tables) -> str | None:
    """Return the participant whom a command concerns, directly or through a lot, unit, query or scan."""
    code = getattr(command, "participant", None)
    if code is not None:
        return str(code)
    for field_name, row_type in (("lot", LotRow), ("unit", UnitRow), ("query", QueryRow), ("scan", ScanRow)):
        key = getattr(command, field_name, None)
        row: Any = tables.get(row_type, key) if key is not None else None
        if row is not None:
            return str(row.participant)
    return None


def site_of(command: Command, tables: Tables) -> str | None:
    """Return the site that a command concerns, or None."""
    participant = participant_of(command, tables)
    if participant is not None:
        return participant.split("-")[0]
    site = getattr(command, "site", None)
    return None if site is None else str(site)


def check_opened(command: Command, moment: Moment) -> Refusal | None:
    """Refuse everything before the trial is opened, and what would change data after the lock."""
    name = type(command).__name__
    trial = next(moment.tables.all(TrialRow), None)
    if trial is None:
        if name == "OpenTrial":
            return None
        return Refusal("CON-NOT-OPEN", "The trial is not open yet.", "Open it first.")
    if moment.tables.get(VersionRow, moment.definition.hash) is None:
        return Refusal(
            "CON-DEFINITION",
            f"The trial runs under the definition {trial.definition[:12]}, not"
            f" {moment.definition.hash[:12]}.",
            "Load the definition that the ledger names.",
        )
    if trial.status == "open" or name in AFTER_LOCK:
        return None
    return Refusal(
        "CON-LOCKED",
        f"The database was locked at {trial.locked_at}, so {name} is closed.",
        "Describe the matter in the statistical report; locked data are not changed.",
    )


def check_grant(command: Command, moment: Moment) -> Refusal | None:
    """Refuse an account that does not hold the role it acts in."""
    return None if moment.actor == SYSTEM else check_holder(moment.actor, moment.tables)


def check_holder(actor: Actor, tables: Tables) -> Refusal | None:
    """Refuse an account that does not, or no longer, hold a role, whether it would record or read."""
    grant = tables.get(GrantRow, actor.account, actor.role, actor.site or "")
    if grant is not None and grant.revoked_at is None:
        return None
    where = f" at site {actor.site}" if actor.site else ""
    return Refusal(
        "ACC-GRANT",
        f"The account {actor.account} does not hold the role {actor.role}{where}.",
        "An administrator can grant it.",
    )


def check_own_site(command: Command, moment: Moment) -> Refusal | None:
    """Refuse the staff of one site a command that concerns another.

    To a masked role a query about what would unmask is not there, here as in its own room.
    """
    query = moment.tables.get(QueryRow, getattr(command, "query", ""))
    role = moment.definition.role(moment.actor.role)
    if query is not None and query.unmasking and (role is None or role.masked):
        return None
    return check_site(moment.actor, site_of(command, moment.tables))


def check_participant(command: Command, moment: Moment) -> Refusal | None:
    """Refuse a code that no participant has."""
    code = getattr(command, "participant", None)
    if code is None or moment.tables.get(ParticipantRow, code) is not None:
        return None
    return Refusal(
        "ENR-UNKNOWN-PARTICIPANT",
        f"There is no participant {code}.",
        "Check the code against the site's list.",
    )


def check_form_role(command: Any, moment: Moment) -> Refusal | None:
    """Refuse a form to a role that does not fill it in."""
    return check_filled_by(moment.definition, moment.actor, command.form)


def check_query_role(command: AnswerQuery, moment: Moment) -> Refusal | None:
    """Refuse an answer from a role that is neither site staff nor fills in the form that was asked about."""
    query = moment.tables.get(QueryRow, command.query)
    return None if query is None else check_answers(moment.definition, moment.actor, query.form)


def check_product_role(command: Any, moment: Moment) -> Refusal | None:
    """Refuse to make up or to give a product in a role that the definition does not name for it."""
    if isinstance(command, AdministerUnit):
        unit = moment.tables.get(UnitRow, command.unit)
        product = moment.definition.supply.product(unit.product) if unit else None
        kinds = product.given_by if product else ()
    else:
        product = moment.definition.supply.product(command.product)
        kinds = product.prepared_by if product else ()
    if product is None or role_kind(moment.definition, moment.actor) in kinds:
        return None
    return Refusal(
        "ACC-PRODUCT",
        f"The role {moment.actor.role} does not handle {product.id} in this step.",
        f"It is done by: {', '.join(kinds)}.",
    )


def check_one_side_of_the_mask(command: Any, moment: Moment) -> Refusal | None:
    """Refuse a role that would put one account on both sides of the mask."""
    role = moment.definition.role(command.role)
    held = moment.tables.where(GrantRow, account=command.account.strip())
    others = [moment.definition.role(row.role) for row in held if row.revoked_at is None]
    if role is None or all(other is None or other.masked == role.masked for other in others):
        return None
    return Refusal(
        "ACC-MASK",
        f"The account {command.account} would hold a masked and an unmasked role at once.",
        "Give the role to somebody else, or revoke the other one first.",
    )


def check_site_active(command: Any, moment: Moment) -> Refusal | None:
    """Refuse new participants at a site that is not activated, or is closed."""
    site = site_of(command, moment.tables)
    row = moment.tables.get(SiteRow, site) if site else None
    if row is not None and row.status == "active":
        return None
    state = "closed" if row is not None else "not activated"
    return Refusal(
        "CON-SITE",
        f"The site {site} is {state}.",
        "An administrator activates a site once its approvals are there.",
    )


def check_not_frozen(command: Any, moment: Moment) -> Refusal | None:
    """Refuse changes to a participant whose data are frozen."""
    participant = participant_of(command, moment.tables)
    if participant is None or moment.tables.get(FreezeRow, participant) is None:
        return None
    return Refusal(
        "CON-FROZEN",
        f"The data of {participant} are frozen.",
        "A data manager can unfreeze them, with a reason.",
    )


def check_still_in(command: Any, moment: Moment) -> Refusal | None:
    """Refuse new data of a participant who left the study or took consent back."""
    row = moment.tables.get(ParticipantRow, command.participant)
    if row is None or row.status != "withdrawn" or row.end_scope == "treatment":
        return None
    return Refusal(
        "CON-WITHDRAWN",
        f"{command.participant} left the study on {row.ended_on} (scope: {row.end_scope}).",
        "Nothing new is collected; what was recorded before stays.",
    )


def check_on_treatment(command: Any, moment: Moment) -> Refusal | None:
    """Refuse to treat a participant who withdrew in any scope."""
    row = moment.tables.get(ParticipantRow, command.participant)
    if row is None or row.status != "withdrawn":
        return None
    return Refusal(
        "CON-WITHDRAWN",
        f"{command.participant} withdrew on {row.ended_on}.",
        "No further treatment is given.",
    )


def check_eligible(command: Any, moment: Moment) -> Refusal | None:
    """Refuse to randomise without an assessment of the same day that found every criterion satisfied."""
    row = moment.tables.get(ParticipantRow, command.participant)
    if row is None:
        return None
    if row.status != "screening":
        return Refusal(
            "CON-STATE",
            f"{command.participant} is not in screening ({row.status}).",
            "Nobody is randomised outside it.",
        )
    found = moment.tables.get(AssessmentRow, command.participant, row.screening)
    if found is None or found.assessed_on != command.randomised_on.isoformat():
        return Refusal(
            "CON-ASSESSMENT",
            f"The eligibility of {command.participant} was not assessed for {command.randomised_on}:"
            " the criteria's"
            " windows count from that day.",
            "Assess eligibility for the day of randomisation.",
        )
    if found.outcome == "eligible":
        return None
    wrong = tuple(f"{criterion}: {truth}" for criterion, truth in found.criteria.items())
    return Refusal(
        "CON-NOT-ELIGIBLE",
        f"{command.participant} was found {found.outcome}.",
        "Complete what is unknown, or record a screening failure.",
        wrong[:_DETAILS_MAX],
    )


def check_released(command: Any, moment: Moment) -> Refusal | None:
    """Refuse to randomise before a product that must be released first."""
    for product in moment.definition.supply.products:
        lots = moment.tables.where(LotRow, participant=command.participant)
        released = any(lot.product == product.id and lot.status == "released" for lot in lots)
        if product.released_before_randomisation and not released:
            return Refusal(
                "CON-RELEASE",
                f"No released lot of {product.id} exists for {command.participant}.",
                "Wait for the laboratory's release, or record a screening failure.",
            )
    return None


def check_not_randomised(command: Any, moment: Moment) -> Refusal | None:
    """Refuse to end screening of somebody who is already randomised."""
    if moment.tables.get(AllocationRow, command.participant) is None:
        return None
    return Refusal(
        "CON-RANDOMISED",
        f"{command.participant} is already randomised.",
        "Record a withdrawal or a completion.",
    )


def check_randomised(command: Any, moment: Moment) -> Refusal | None:
    """Refuse what only a randomised participant can have."""
    if moment.tables.get(AllocationRow, command.participant) is not None:
        return None
    return Refusal("CON-NOT-RANDOMISED", f"{command.participant} is not randomised.", "Randomise first.")


def check_encounter_due(command: Any, moment: Moment) -> Refusal | None:
    """Refuse an encounter that is planned after randomisation for somebody who is not randomised."""
    planned = moment.definition.schedule.encounter(command.encounter)
    if planned is None or planned.anchor == "consent" or planned.day < 0:
        return None
    return check_randomised(command, moment)


def check_took_place(command: Any, moment: Moment) -> Refusal | None:
    """Refuse a scan or a unit for an encounter that has not taken place."""
    encounter = getattr(command, "encounter", None)
    if encounter is None:
        unit = moment.tables.get(UnitRow, command.unit)
        encounter = unit.encounter if unit and unit.participant == command.participant else None
    if encounter is None:
        return None
    row = moment.tables.get(EncounterRow, command.participant, encounter)
    if row is not None and row.status != "missed":
        return None
    return Refusal(
        "CON-ENCOUNTER",
        f"The encounter {encounter} of {command.participant} has not taken place.",
        "Record the encounter first.",
    )


def check_ready_to_lock(command: Any, moment: Moment) -> Refusal | None:
    """Refuse the lock while a query, a reading, coding or a participant is unfinished, or a casebook is
    not signed.
    """
    open_ends = [matter.text for matter in open_matters(moment.definition, moment.tables)]
    if not open_ends:
        return None
    return Refusal(
        "CON-LOCK",
        f"The database cannot be locked: {len(open_ends)} matters are open.",
        "Settle them; the first of them are listed.",
        tuple(open_ends[:_DETAILS_MAX]),
    )


def check_locked(command: Any, moment: Moment) -> Refusal | None:
    """Refuse the planned unblinding before the lock, and a second one."""
    trial = next(moment.tables.all(TrialRow), None)
    if trial is not None and trial.status == "locked":
        return None
    done = trial is not None and trial.status == "unblinded"
    return Refusal(
        "CON-UNBLIND",
        f"The trial is {trial.status if trial else 'not open'}; allocations are revealed once, after"
        " the lock.",
        "Nothing needs to be done." if done else "Lock the database first.",
    )


AFTER_LOCK = frozenset(
    {
        "UnblindTrial",
        "UnblindInEmergency",
        "PublishHead",
        "RecordReview",
        "ReportUnblinding",
        "GrantRole",
        "RevokeRole",
        "SubmitSafetyReport",
        "EraseIdentity",
        "BlotText",
    }
)
"""What may still be recorded when the data are closed."""

EVERYWHERE: tuple[Policy, ...] = (check_opened, check_grant, check_own_site, check_participant)

_NEW_DATA: tuple[Policy, ...] = (check_not_frozen, check_still_in)

POLICIES: Mapping[str, tuple[Policy, ...]] = {
    "ConsentParticipant": (check_site_active,),
    "AssessEligibility": (check_not_frozen, check_not_randomised),
    "FailScreening": (check_not_randomised,),
    "RescreenParticipant": (check_site_active, check_not_randomised),
    "CompleteParticipant": (check_not_frozen, check_randomised),
    "WithdrawParticipant": (check_not_frozen,),
    "RandomiseParticipant": (check_site_active, check_eligible, check_released),
    "UnblindInEmergency": (check_randomised,),
    "StartEncounter": (*_NEW_DATA, check_encounter_due),
    "StartUnscheduledEncounter": _NEW_DATA,
    "MissEncounter": (check_not_frozen,),
    "GrantRole": (check_one_side_of_the_mask,),
    "RecordForm": (check_form_role, *_NEW_DATA),
    "CorrectForm": (check_form_role, check_not_frozen),
    "RemoveRow": (check_form_role, check_not_frozen),
    "ConfirmLog": (check_form_role, check_not_frozen),
    "AnswerQuery": (check_query_role,),
    "ReceiveScan": (check_took_place,),
    "CollectSource": _NEW_DATA,
    "PrepareUnit": (check_product_role, check_randomised, check_on_treatment),
    "AdministerUnit": (check_product_role, check_randomised, check_on_treatment, check_took_place),
    "LockDatabase": (check_ready_to_lock,),
    "UnblindTrial": (check_locked,),
}
"""The rules for each command, in the order in which they are checked, after those that hold everywhere."""


def check_policies(command: Command, moment: Moment) -> Refusal | None:
    """Return the first refusal among the rules that hold for a command, or None."""
    for check in (*EVERYWHERE, *POLICIES.get(type(command).__name__, ())):
        refusal = check(command, moment)
        if refusal is not None:
            return refusal
    return None
