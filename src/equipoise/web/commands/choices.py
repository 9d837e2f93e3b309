"""What may be chosen in a field where that depends on the command: lots at the right stage, open clocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from equipoise.access.content import Audience
from equipoise.conduct.view import UnmaskedView
from equipoise.definition.coding import coded_with
from equipoise.web.commands.fields import Field
from equipoise.web.request import ClinicRequest
from equipoise.web.words_of_values import word_of_state

Given = Mapping[str, str]
Choices = tuple[tuple[str, str], ...]


def narrowed(request: ClinicRequest, command: str, field: Field, given: Given) -> Field:
    """Return a field of a command with what may be chosen in it now, where the command has such a list."""
    find = _CHOICES.get((command, field.name))
    if find is None:
        return field
    choices = find(request, given)
    if not choices and not field.fixed:
        return field
    known = {code for code, _label in choices}
    kept = ((field.value, field.value),) if field.value and field.value not in known else ()
    value = choices[0][0] if not field.value and len(choices) == 1 else field.value
    return replace(field, kind="choice", choices=(*choices, *kept), value=value)


def _quality_reasons(request: ClinicRequest, given: Given) -> Choices:
    """The reasons as the locked definition has them, shown in the reader's language."""
    recorded, shown = request.version.imaging, request.definition.imaging
    if recorded is None or shown is None:
        return ()
    return tuple(zip(recorded.quality_reasons, shown.quality_reasons, strict=True))


def _encounters_with_scan(request: ClinicRequest, given: Given) -> Choices:
    imaging, schedule = request.definition.imaging, request.definition.schedule
    return tuple(
        (each.id, each.name)
        for each in schedule.encounters
        if imaging is not None and imaging.acquisition_form in schedule.forms_at(each.id)
    )


def _received_scans(request: ClinicRequest, given: Given) -> Choices:
    waiting = (line for line in request.seen.scan_log() if line.status == "received")
    return tuple((line.scan, f"{line.scan}, {line.participant} {line.encounter}") for line in waiting)


def _open_clocks(request: ClinicRequest, given: Given) -> Choices:
    safety = request.definition.safety
    titles = {clock.id: clock.title for clock in safety.clocks} if safety else {}
    place = (given.get("participant", ""), given.get("row", ""))
    return tuple(
        (line.clock, str(titles.get(line.clock, line.clock)))
        for line in request.seen.clock_states(request.clinic.now())
        if (line.participant, str(line.row)) == place and line.state in ("running", "overdue")
    )


def _lots_in(*statuses: str) -> Callable[[ClinicRequest, Given], Choices]:
    def find(request: ClinicRequest, given: Given) -> Choices:
        seen = request.seen
        if not isinstance(seen, UnmaskedView) or Audience.PRODUCT not in seen.viewer.audiences:
            return ()
        lots = (lot for lot in seen.lots() if lot.status in statuses)
        return tuple((lot.lot, f"{lot.lot}, {lot.participant}") for lot in lots)

    return find


def _dispensed_at(request: ClinicRequest, given: Given) -> Choices:
    product = request.definition.supply.product(given.get("product", ""))
    products = (product,) if product else request.definition.supply.products
    wanted = {encounter for each in products for encounter in each.dispensed_at}
    return tuple((each.id, each.name) for each in request.definition.schedule.encounters if each.id in wanted)


_ABOUT_FORMS = tuple(
    (name, "form")
    for name in ("RecordForm", "CorrectForm", "RemoveRow", "ConfirmLog", "OpenQuery", "VerifySource")
)


def _forms(request: ClinicRequest, given: Given) -> Choices:
    """The forms that the reader may know of, by their titles."""
    hides = Audience.PRODUCT not in request.seen.viewer.audiences
    return tuple((form.id, form.title) for form in request.definition.forms if not (hides and form.unmasking))


def _items(request: ClinicRequest, given: Given) -> Choices:
    hides = Audience.PRODUCT not in request.seen.viewer.audiences
    form = request.definition.form(given.get("form", ""))
    if form is None or (hides and form.unmasking):
        return ()
    return tuple((item.id, item.label) for item in form.items if not (hides and item.unmasking))


def _dictionaries(request: ClinicRequest, given: Given) -> Choices:
    return tuple((name, word_of_state(name)) for name in coded_with(request.definition))


_CHOICES: Mapping[tuple[str, str], Callable[[ClinicRequest, Given], Choices]] = {
    ("ReceiveScan", "encounter"): _encounters_with_scan,
    ("AcceptScan", "scan"): _received_scans,
    ("RefuseScan", "scan"): _received_scans,
    ("RefuseScan", "cause"): _quality_reasons,
    **dict.fromkeys(_ABOUT_FORMS, _forms),
    ("OpenQuery", "item"): _items,
    ("CodeMatches", "dictionary"): _dictionaries,
    ("CarryOverCodings", "dictionary"): _dictionaries,
    ("SubmitSafetyReport", "clock"): _open_clocks,
    ("RecordManufacture", "lot"): _lots_in("collected", "made"),
    ("ReleaseLot", "lot"): _lots_in("made"),
    ("FailLot", "lot"): _lots_in("collected", "made", "released"),
    ("PrepareUnit", "encounter"): _dispensed_at,
}
