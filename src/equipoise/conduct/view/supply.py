"""Products, for unmasked eyes: what is to be given, what is on a label, and whose it was at every step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from equipoise.access.content import Audience
from equipoise.conduct.evidence import anchors_of
from equipoise.conduct.trail import AuditLine
from equipoise.conduct.view.lines import IdentityLine, PreparationLine, ProductLine, UnitLabelLine
from equipoise.conduct.view.scope import Scope
from equipoise.definition.expression import Explanation, explain
from equipoise.definition.model.conduct import Product
from equipoise.definition.names import DefinitionNames
from equipoise.enrolment.state import ParticipantRow
from equipoise.supply.decide import content_of_unit, evidence_of_lot
from equipoise.supply.state import LotRow, UnitRow

_STEPS = (
    *("SourceCollected", "ManufactureRecorded", "LotReleased", "LotFailed"),
    *("UnitPrepared", "UnitAdministered", "UnitDiscarded"),
)


def list_lots(scope: Scope) -> tuple[LotRow, ...]:
    """List the lots."""
    scope.need(Audience.PRODUCT)
    rows = scope.tables.all(LotRow)
    return tuple(row for row in rows if scope.viewer.sees_participant(row.participant))


def list_units(scope: Scope) -> tuple[UnitRow, ...]:
    """List the units."""
    scope.need(Audience.PRODUCT)
    rows = scope.tables.all(UnitRow)
    return tuple(row for row in rows if scope.viewer.sees_participant(row.participant))


def list_products(scope: Scope, participant: str, arm: str | None) -> tuple[ProductLine, ...]:
    """List each product at each encounter where it is given; without an arm, not what it holds."""
    scope.need(Audience.PRODUCT)
    exists = scope.tables.get(ParticipantRow, participant) is not None
    if not exists or not scope.viewer.sees_participant(participant):
        raise scope.refused(f"the participant {participant}")
    return tuple(
        _product_line(scope, participant, product, encounter, arm)
        for product in scope.definition.supply.products
        for encounter in product.dispensed_at
    )


def _product_line(
    scope: Scope, participant: str, product: Product, encounter: str, arm: str | None
) -> ProductLine:
    lots = [row for row in scope.tables.where(LotRow, participant=participant) if row.product == product.id]
    units = [
        row
        for row in scope.tables.where(UnitRow, participant=participant)
        if (row.product, row.encounter) == (product.id, encounter) and row.status != "discarded"
    ]
    unit = units[0] if units else None
    used = unit.lot if unit else None
    # The unit's own lot, else the one that is not failed; of several failed ones the last.
    lot = max(lots, key=lambda row: (row.lot == used, row.status != "failed", row.collected_on), default=None)
    contents = content_of_unit(scope.definition, arm, encounter, product.id) if arm else ()
    return ProductLine(
        product=product.id,
        name=product.name,
        encounter=encounter,
        contents=contents,
        lot=lot.lot if lot else None,
        lot_status=lot.status if lot else None,
        unit=unit.unit if unit else None,
        unit_status=unit.status if unit else None,
        prepared_on=unit.prepared_on if unit else None,
        given_on=unit.given_on if unit else None,
    )


def list_preparations(scope: Scope, arms: Mapping[str, str]) -> tuple[PreparationLine, ...]:
    """List the units that are still to be made up for those who are treated, by the day they are due."""
    scope.need(Audience.PRODUCT)
    people = (scope.tables.require(ParticipantRow, code) for code in arms)
    lines = [
        _preparation_line(scope, person.participant, line)
        for person in people
        if person.status not in ("withdrawn", "completed")
        for line in list_products(scope, person.participant, arms[person.participant])
        if line.unit is None
    ]
    return tuple(sorted(lines, key=lambda line: (line.target or date.max, line.participant)))


def _preparation_line(scope: Scope, participant: str, line: ProductLine) -> PreparationLine:
    planned = scope.definition.schedule.encounter(line.encounter)
    anchor = anchors_of(scope.tables, participant).get(planned.anchor) if planned else None
    target = anchor + timedelta(days=planned.day) if planned and anchor else None
    return PreparationLine(
        participant=participant,
        product=line.product,
        encounter=line.encounter,
        contents=line.contents,
        opens=target - timedelta(days=planned.early_days) if planned and target else None,
        target=target,
        closes=target + timedelta(days=planned.late_days) if planned and target else None,
        lot=line.lot,
        lot_status=line.lot_status,
    )


def explain_release(scope: Scope, lot: str, on: date) -> Mapping[str, Explanation]:
    """Explain every release criterion of a lot, as of a day."""
    row = next((each for each in list_lots(scope) if each.lot == lot), None)
    product = scope.definition.supply.product(row.product) if row else None
    if row is None or product is None:
        raise scope.refused(f"the lot {lot}")
    evidence, names = evidence_of_lot(scope.definition, product, row, on), DefinitionNames(scope.definition)
    return {each.id: explain(each.when, evidence, names) for each in product.release}


def list_labels(scope: Scope) -> tuple[UnitLabelLine, ...]:
    """List what stands on every container."""
    names = {product.id: product.name for product in scope.definition.supply.products}
    encounters = {each.id: each.name for each in scope.definition.schedule.encounters}
    return tuple(
        UnitLabelLine(
            unit=row.unit,
            product=row.product,
            name=names[row.product],
            participant=row.participant,
            encounter=row.encounter,
            encounter_name=encounters[row.encounter],
            lot=row.lot,
            prepared_on=row.prepared_on,
            status=row.status,
        )
        for row in list_units(scope)
    )


def list_identity(scope: Scope, unit: str) -> tuple[IdentityLine, ...]:
    """List the steps of one unit, from the collection of its lot to the participant."""
    scope.need(Audience.PRODUCT)
    row = scope.tables.get(UnitRow, unit)
    if row is None or not scope.viewer.sees_participant(row.participant):
        raise scope.refused(f"the unit {unit}")
    lines = scope.trail.of_participant(row.participant, *_STEPS)
    return tuple(_identity_lines(lines, row))


def _identity_lines(lines: Iterator[AuditLine], row: UnitRow) -> Iterator[IdentityLine]:
    for line in lines:
        lot, unit = line.content.get("lot"), line.content.get("unit")
        if unit == row.unit or (unit is None and lot == row.lot):
            yield IdentityLine(
                position=line.position,
                recorded_at=line.recorded_at,
                account=line.account,
                role=line.role,
                kind=line.kind,
                participant=row.participant,
                lot=row.lot,
                unit=unit,
                clinical_time=line.clinical_time,
            )
