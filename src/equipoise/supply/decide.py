"""Decisions about products: one chain of identity from the starting material to the participant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from equipoise.access.codes import random_code
from equipoise.access.command import Command, Moment
from equipoise.access.filling import check_day, check_text, fill_form, is_unmasking, split_unmasking
from equipoise.access.refusal import Refusal
from equipoise.definition.expression import (
    Evidence,
    EvidenceTable,
    FormRow,
    PartialDate,
    Truth,
    form_row,
    truth,
)
from equipoise.definition.model.conduct import Product
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.recording import decode_item
from equipoise.ledger.entry import Draft
from equipoise.ledger.tables import Tables
from equipoise.supply.commands import (
    AdministerUnit,
    CollectSource,
    DiscardUnit,
    FailLot,
    PrepareUnit,
    RecordManufacture,
    ReleaseLot,
)
from equipoise.supply.entries import (
    LotFailed,
    LotFailureExplained,
    LotReleased,
    ManufactureRecorded,
    SourceCollected,
    SourceDetailed,
    UnitAdministered,
    UnitAdministrationDetailed,
    UnitDiscarded,
    UnitPrepared,
)
from equipoise.supply.state import LotRow, UnitRow

Decision = tuple[Draft, ...] | Refusal


def content_of_unit(
    definition: StudyDefinition, arm: str, encounter: str, product: str | None = None
) -> tuple[str, ...]:
    """Return the interventions that an arm holds for an encounter: what goes into the unit, or its units.

    With `product`, those of this product only. Raises LookupError for an arm or an encounter that is not
    planned.
    """
    planned, path = definition.schedule.encounter(encounter), definition.arm(arm)
    if planned is None or path is None:
        raise LookupError(f"the definition has no arm {arm} or no encounter {encounter}")
    given = path.cells.get(planned.epoch, ())
    made = definition.supply.product(product) if product else None
    return given if made is None else tuple(each for each in given if each in made.interventions)


def find_product(definition: StudyDefinition, product_id: str) -> Product | Refusal:
    """Return a product of the definition, or refuse."""
    product = definition.supply.product(product_id)
    if product is not None:
        return product
    known = ", ".join(each.id for each in definition.supply.products)
    return Refusal(
        "SUP-PRODUCT", f"The study has no product {product_id}.", f"Use one of: {known or 'none'}."
    )


def find_lot(tables: Tables, code: str, *statuses: str) -> LotRow | Refusal:
    """Return a lot that is in one of these states, or refuse."""
    lot = tables.get(LotRow, code)
    if lot is not None and lot.status in statuses:
        return lot
    state = "does not exist" if lot is None else f"is {lot.status}"
    return Refusal(
        "SUP-LOT-STATE", f"The lot {code} {state}.", f"This needs a lot that is {' or '.join(statuses)}."
    )


def find_unit(tables: Tables, code: str) -> UnitRow | Refusal:
    """Return a unit that is ready to be given, or refuse."""
    unit = tables.get(UnitRow, code)
    if unit is not None and unit.status == "prepared":
        return unit
    state = "does not exist" if unit is None else f"was {unit.status} already"
    return Refusal("SUP-UNIT", f"The unit {code} {state}.", "Check the number on the container.")


def check_no_live_lot(tables: Tables, participant: str, product: str) -> Refusal | None:
    """Refuse a second lot while there is one that did not fail."""
    lots = (lot for lot in tables.where(LotRow, participant=participant) if lot.product == product)
    live = next((lot for lot in lots if lot.status != "failed"), None)
    if live is None:
        return None
    return Refusal(
        "SUP-LOT", f"{participant} has the lot {live.lot} already.", "Fail that lot before a new one."
    )


def check_order(day: date, earlier: str, what: str) -> Refusal | None:
    """Refuse a day before that of the step on which this one builds."""
    if day >= date.fromisoformat(earlier):
        return None
    return Refusal("SUP-DATE", f"The date {day} is before the {what} ({earlier}).", "Correct the date.")


def check_not_expired(product: Product, lot: LotRow, days: int) -> Refusal | None:
    """Refuse a manufacture that took longer than the definition allows."""
    longest = product.manufacture_days_max
    if longest is None or days <= longest:
        return None
    return Refusal(
        "SUP-EXPIRED",
        f"The lot {lot.lot} is {days} days from its collection, and at most {longest} are allowed.",
        "Fail the lot; the participant's material may be collected again.",
    )


def check_change_reason(lot: LotRow, reason: str | None) -> Refusal | None:
    """Refuse to change a laboratory record without saying why."""
    if lot.status != "made" or (reason is not None and reason.strip()):
        return None
    return Refusal("SUP-REASON", f"The lot {lot.lot} has its record already.", "Say why it is changed.")


def check_release(product: Product, evidence: Evidence, lot: LotRow) -> Refusal | None:
    """Refuse a lot of which a release criterion is not met, or not known to be."""
    open_criteria = tuple(each.id for each in product.release if truth(each.when, evidence) is not Truth.MET)
    if not open_criteria:
        return None
    return Refusal(
        "SUP-RELEASE",
        f"The lot {lot.lot} does not meet every release criterion: {', '.join(open_criteria)}.",
        "Complete the laboratory record, or fail the lot.",
        open_criteria,
    )


def check_dispensed(product: Product, encounter: str) -> Refusal | None:
    """Refuse a unit for an encounter at which the product is not given."""
    if encounter in product.dispensed_at:
        return None
    return Refusal(
        "SUP-ENCOUNTER",
        f"The product {product.id} is not given at the encounter {encounter}.",
        f"It is given at: {', '.join(product.dispensed_at)}.",
    )


def check_no_live_unit(tables: Tables, command: PrepareUnit) -> Refusal | None:
    """Refuse a second unit of a product for one encounter, unless the first was discarded."""
    units = tables.where(UnitRow, participant=command.participant)
    same = (unit for unit in units if (unit.product, unit.encounter) == (command.product, command.encounter))
    live = next((unit for unit in same if unit.status != "discarded"), None)
    if live is None:
        return None
    return Refusal(
        "SUP-DUPLICATE",
        f"The unit {live.unit} was {live.status} already for {command.participant} at {command.encounter}.",
        "Discard a unit that will not be given before another is prepared.",
    )


def check_identity(unit: UnitRow, lot: LotRow | None, participant: str) -> Refusal | None:
    """Refuse to give a unit to anybody but the participant for whom, and from whom, it was made."""
    owners = {unit.participant} | ({lot.participant} if lot else set())
    if owners == {participant}:
        return None
    return Refusal(
        "SUP-IDENTITY",
        f"The unit {unit.unit} was made for another participant than {participant}.",
        "Do not give it. Check the number on the container and the participant's code.",
    )


def check_lot_usable(lot: LotRow | None) -> Refusal | None:
    """Refuse a unit whose lot was failed after the unit was prepared."""
    if lot is None or lot.status == "released":
        return None
    return Refusal("SUP-LOT-STATE", f"The lot {lot.lot} of this unit is {lot.status}.", "Discard the unit.")


def decide_collection(command: CollectSource, moment: Moment) -> Decision:
    """Begin a lot under a random code."""
    tables, participant = moment.tables, command.participant
    product = find_product(moment.definition, command.product)
    if isinstance(product, Refusal):
        return product
    if product.kind != "autologous":
        return Refusal(
            "SUP-KIND", f"The product {product.id} is not made from a participant.", "Prepare a unit."
        )
    refusal = check_no_live_lot(tables, participant, product.id) or check_day(
        moment, participant, command.collected_on, "SUP"
    )
    if refusal:
        return refusal
    evidence = moment.evidence(participant, command.collected_on)
    stored = fill_form(moment.definition, product.source_form, command.values, evidence, "SUP")
    if isinstance(stored, Refusal):
        return stored
    form = moment.definition.form(product.source_form or "")
    safe, hidden = split_unmasking(form, stored)
    day = command.collected_on.isoformat()
    lot = random_code(moment.entropy, "L", lambda code: tables.get(LotRow, code) is not None)
    collected = SourceCollected(
        lot=lot, participant=participant, product=product.id, collected_on=day, item_values=safe
    )
    detailed = SourceDetailed(lot=lot, participant=participant, item_values=hidden)
    said = (collected, detailed) if is_unmasking(form) else (collected,)
    return tuple(each.draft(clinical_time=day) for each in said)


def decide_manufacture(command: RecordManufacture, moment: Moment) -> Decision:
    """Record the laboratory's work, or, before release and with a reason, change its record."""
    lot = find_lot(moment.tables, command.lot, "collected", "made")
    if isinstance(lot, Refusal):
        return lot
    product = find_product(moment.definition, lot.product)
    if isinstance(product, Refusal):
        return product
    days = (command.recorded_on - date.fromisoformat(lot.collected_on)).days
    refusal = (
        check_change_reason(lot, moment.reason)
        or check_day(moment, lot.participant, command.recorded_on, "SUP")
        or check_order(command.recorded_on, lot.collected_on, "collection")
        or check_not_expired(product, lot, days)
    )
    if refusal:
        return refusal
    evidence = moment.evidence(lot.participant, command.recorded_on)
    stored = fill_form(moment.definition, product.manufacture_form, command.values, evidence, "SUP")
    if isinstance(stored, Refusal):
        return stored
    entry = ManufactureRecorded(
        lot=lot.lot,
        participant=lot.participant,
        recorded_on=command.recorded_on.isoformat(),
        days=days,
        early=days < (product.manufacture_days_min or 0),
        item_values=stored,
    )
    return (entry.draft(clinical_time=entry.recorded_on),)


def decide_release(command: ReleaseLot, moment: Moment) -> Decision:
    """Release a lot on the evidence of its own records."""
    lot = find_lot(moment.tables, command.lot, "made")
    if isinstance(lot, Refusal):
        return lot
    product = find_product(moment.definition, lot.product)
    if isinstance(product, Refusal):
        return product
    made_on = lot.made_on or lot.collected_on
    refusal = (
        check_day(moment, lot.participant, command.released_on, "SUP")
        or check_order(command.released_on, made_on, "laboratory record")
        or check_release(product, evidence_of_lot(moment.definition, product, lot, command.released_on), lot)
    )
    if refusal:
        return refusal
    entry = LotReleased(lot=lot.lot, participant=lot.participant, released_on=command.released_on.isoformat())
    return (entry.draft(clinical_time=entry.released_on),)


def decide_failure(command: FailLot, moment: Moment) -> Decision:
    """Give a lot up, whatever was done with it so far."""
    lot = find_lot(moment.tables, command.lot, "collected", "made", "released")
    if isinstance(lot, Refusal):
        return lot
    refusal = (
        check_day(moment, lot.participant, command.failed_on, "SUP")
        or check_order(command.failed_on, lot.collected_on, "collection")
        or check_text(command.cause, "cause", "SUP")
    )
    if refusal:
        return refusal
    day = command.failed_on.isoformat()
    failed = LotFailed(lot=lot.lot, participant=lot.participant, failed_on=day)
    explained = LotFailureExplained(lot=lot.lot, participant=lot.participant, cause=command.cause)
    return (failed.draft(clinical_time=day), explained.draft(clinical_time=day))


def decide_preparation(command: PrepareUnit, moment: Moment) -> Decision:
    """Make a unit up under a random number.

    The allocation is not looked at: an autologous unit belongs to a lot whichever arm it is for, so that
    the record is the same.
    """
    tables, participant = moment.tables, command.participant
    product = find_product(moment.definition, command.product)
    if isinstance(product, Refusal):
        return product
    refusal = (
        check_dispensed(product, command.encounter)
        or check_no_live_unit(tables, command)
        or check_day(moment, participant, command.prepared_on, "SUP")
    )
    if refusal:
        return refusal
    lot = _released_lot(tables, participant, product)
    if isinstance(lot, Refusal):
        return lot
    entry = UnitPrepared(
        unit=random_code(moment.entropy, "B", lambda code: tables.get(UnitRow, code) is not None),
        product=product.id,
        participant=participant,
        encounter=command.encounter,
        lot=lot.lot if lot else None,
        prepared_on=command.prepared_on.isoformat(),
    )
    return (entry.draft(clinical_time=entry.prepared_on),)


def decide_administration(command: AdministerUnit, moment: Moment) -> Decision:
    """Give a unit to the participant for whom it was made."""
    tables, participant = moment.tables, command.participant
    unit = find_unit(tables, command.unit)
    if isinstance(unit, Refusal):
        return unit
    product = find_product(moment.definition, unit.product)
    if isinstance(product, Refusal):
        return product
    lot = tables.require(LotRow, unit.lot) if unit.lot else None
    refusal = (
        check_identity(unit, lot, participant)
        or check_lot_usable(lot)
        or check_day(moment, participant, command.given_on, "SUP")
        or check_order(command.given_on, unit.prepared_on, "preparation")
    )
    if refusal:
        return refusal
    evidence = moment.evidence(participant, command.given_on)
    stored = fill_form(moment.definition, product.administration_form, command.values, evidence, "SUP")
    if isinstance(stored, Refusal):
        return stored
    form = moment.definition.form(product.administration_form or "")
    safe, hidden = split_unmasking(form, stored)
    given = UnitAdministered(
        unit=unit.unit,
        product=unit.product,
        participant=participant,
        encounter=unit.encounter,
        given_on=command.given_on.isoformat(),
        item_values=safe,
    )
    detailed = UnitAdministrationDetailed(unit=unit.unit, participant=participant, item_values=hidden)
    said = (given, detailed) if is_unmasking(form) else (given,)
    return tuple(each.draft(clinical_time=given.given_on) for each in said)


def decide_discard(command: DiscardUnit, moment: Moment) -> Decision:
    """Destroy a unit that was not given."""
    unit = find_unit(moment.tables, command.unit)
    if isinstance(unit, Refusal):
        return unit
    refusal = check_text(command.cause, "cause", "SUP")
    if refusal:
        return refusal
    return (UnitDiscarded(unit=unit.unit, participant=unit.participant, cause=command.cause).draft(),)


def _released_lot(tables: Tables, participant: str, product: Product) -> LotRow | Refusal | None:
    """Return the participant's own released lot; None for a product that has no lots."""
    if product.kind != "autologous":
        return None
    lots = tables.where(LotRow, participant=participant)
    found = next((lot for lot in lots if lot.product == product.id and lot.status == "released"), None)
    return found or Refusal(
        "SUP-LOT",
        f"{participant} has no released lot of {product.id}.",
        "Release the participant's own lot first.",
    )


def evidence_of_lot(definition: StudyDefinition, product: Product, lot: LotRow, on: date) -> Evidence:
    """Return what is known of a lot on a day: its own records, and nothing else of the participant."""
    rows = [
        _row_of_lot(definition, product.source_form, lot.source_values, lot.collected_on),
        _row_of_lot(
            definition, product.manufacture_form, lot.manufacture_values, lot.made_on or lot.collected_on
        ),
    ]
    return EvidenceTable(on, [row for row in rows if row is not None])


def _row_of_lot(
    definition: StudyDefinition, form_id: str | None, stored: dict[str, Any], day: str
) -> FormRow | None:
    form = definition.form(form_id or "")
    if form is None:
        return None
    values = {item.id: decode_item(item.type, stored[item.id]) for item in form.items if item.id in stored}
    return form_row(form.id, values, date=PartialDate.parse(day))


DECIDE: dict[type[Command], Callable[[Any, Moment], Decision]] = {
    CollectSource: decide_collection,
    RecordManufacture: decide_manufacture,
    ReleaseLot: decide_release,
    FailLot: decide_failure,
    PrepareUnit: decide_preparation,
    AdministerUnit: decide_administration,
    DiscardUnit: decide_discard,
}
"""The decision on each command of this room."""
