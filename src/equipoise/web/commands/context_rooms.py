"""What the pages of commands about scans, products, codes and safety show besides their fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from equipoise.access.refusal import Refused
from equipoise.conduct.view import UnmaskedView
from equipoise.definition.model.forms import Form
from equipoise.supply.state import LotRow
from equipoise.web.items import shown
from equipoise.web.pages import safety, supply
from equipoise.web.request import ClinicRequest
from equipoise.web.settings import UPLOAD_BYTES_MAX

Given = Mapping[str, str]


def _of_adjudication(request: ClinicRequest, given: Given) -> dict[str, Any]:
    """The readings side by side, for a task in the adjudicator's own queue; the form itself says if not."""
    imaging = request.definition.imaging
    form = request.definition.form(imaging.read_form) if imaging else None
    try:
        dispute = request.seen.dispute(given.get("task", ""))
    except Refused:
        return {}
    letters = "ABCDEFGH"[: len(dispute.readings)]
    return {
        **_of_reading(request, given),
        "letters": letters,
        "readings": _side_by_side(form, dispute.readings, dispute.items, request.clinic.zone(None)),
    }


def _of_reading(request: ClinicRequest, given: Given) -> dict[str, Any]:
    """The task whose file is to be read, where it came with one; the form itself says if it is another's."""
    task = given.get("task", "")
    try:
        return {"file_of": task} if request.seen.scan_file(task) else {}
    except Refused:
        return {}


def _of_receipt(request: ClinicRequest, given: Given) -> dict[str, Any]:
    return {"upload_megabytes": UPLOAD_BYTES_MAX[request.path] // 2**20}


def _side_by_side(
    form: Form | None, readings: tuple[Mapping[str, Any], ...], disputed: tuple[str, ...], zone: ZoneInfo
) -> list[tuple[str, list[str], bool]]:
    items = form.items if form else ()
    return [
        (
            item.label,
            [shown(item, reading.get(item.id), zone) or "–" for reading in readings],
            item.id in disputed,
        )
        for item in items
    ]


def _lot(request: ClinicRequest, given: Given) -> LotRow | None:
    if not isinstance(request.seen, UnmaskedView):
        return None
    return next((each for each in request.seen.lots() if each.lot == given.get("lot")), None)


def _of_lot(request: ClinicRequest, given: Given) -> dict[str, Any]:
    lot = _lot(request, given)
    if lot is None:
        return {}
    product = request.definition.supply.product(lot.product)
    return {"lot": lot, "product": product, "age": supply.age_of(product, lot, request.today)}


def _of_release(request: ClinicRequest, given: Given) -> dict[str, Any]:
    lot = _lot(request, given)
    if lot is None:
        return {}
    criteria = supply.criteria_of(request, lot)
    return _of_lot(request, given) | {
        "criteria": criteria,
        "all_met": all(state == "met" for _text, state, _found in criteria),
    }


def _of_preparation(request: ClinicRequest, given: Given) -> dict[str, Any]:
    wanted = tuple(given.get(name, "") for name in ("participant", "product", "encounter"))
    if not isinstance(request.seen, UnmaskedView):
        return {}
    lines = request.seen.preparations()
    line = next((each for each in lines if (each.participant, each.product, each.encounter) == wanted), None)
    interventions = {each.id: each.name for each in request.definition.study.interventions}
    return {
        "line": line,
        "product": request.definition.supply.product(wanted[1]),
        "contents": [interventions.get(each, each) for each in line.contents] if line else (),
    }


def _of_unit(request: ClinicRequest, given: Given) -> dict[str, Any]:
    if not isinstance(request.seen, UnmaskedView):
        return {}
    labels = request.seen.unit_labels()
    label = next((each for each in labels if each.unit == given.get("unit")), None)
    return {"label": label, "same": label is not None and label.participant == given.get("participant")}


def _of_breaking(request: ClinicRequest, given: Given) -> dict[str, Any]:
    told = request.definition.allocation.emergency_unblinding
    roles = request.definition.study.roles
    return {"informed": [role.name for role in roles if role.id in told.informed]}


def _of_event(request: ClinicRequest, given: Given) -> dict[str, Any]:
    place = (given.get("participant", ""), given.get("row", ""))
    found = (
        each for each in safety.read_events(request) if (each.row.participant, str(each.row.row)) == place
    )
    event = next(found, None)
    if event is None:
        return {}
    told = request.definition.allocation.emergency_unblinding.permitted
    return {
        "event": event,
        "term": safety.answer_to(request, event, "term"),
        "answers": list(safety.answers_of(request, event)),
        "revealed_to": [role.name for role in request.definition.study.roles if role.id in told],
    }


CONTEXTS_OF_ROOMS: Mapping[str, Callable[[ClinicRequest, Given], Mapping[str, Any]]] = {
    "ReceiveScan": _of_receipt,
    "RecordRead": _of_reading,
    "RecordAdjudication": _of_adjudication,
    "RecordManufacture": _of_lot,
    "FailLot": _of_lot,
    "ReleaseLot": _of_release,
    "PrepareUnit": _of_preparation,
    "AdministerUnit": _of_unit,
    "DiscardUnit": _of_unit,
    "UnblindInEmergency": _of_breaking,
    "AssessEvent": _of_event,
    "SubmitSafetyReport": _of_event,
}
"""By the command's name."""
