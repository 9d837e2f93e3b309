"""Products: lots and their release, units, their labels, and whose each was at every step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from equipoise.access.content import Audience
from equipoise.access.refusal import Refusal, Refused
from equipoise.conduct.view import UnmaskedView
from equipoise.conduct.view.lines import PreparationLine, UnitLabelLine
from equipoise.definition.expression import Explanation
from equipoise.definition.model.conduct import Product
from equipoise.supply.state import LotRow, UnitRow
from equipoise.web.bag_label import draw_code
from equipoise.web.items import shown
from equipoise.web.listing import Column, make_listing
from equipoise.web.people import names_of
from equipoise.web.protect import Route
from equipoise.web.request import ClinicRequest
from equipoise.web.visible import Both, Gives, Sees
from equipoise.web.words_of_values import time_at, word_of_state

STAGES: dict[str, Promise] = {
    "collected": gettext_lazy("in manufacture"),
    "made": gettext_lazy("to be released"),
    "released": gettext_lazy("released"),
    "failed": gettext_lazy("given up"),
}
"""What the states of a lot are called."""

STEPS: dict[str, Promise] = {
    "SourceCollected": gettext_lazy("Collected"),
    "ManufactureRecorded": gettext_lazy("Manufacture recorded"),
    "LotReleased": gettext_lazy("Lot released"),
    "LotFailed": gettext_lazy("Lot given up"),
    "UnitPrepared": gettext_lazy("Unit prepared"),
    "UnitAdministered": gettext_lazy("Given"),
    "UnitDiscarded": gettext_lazy("Discarded"),
}
"""What the steps of the chain of identity are called."""

_STEP_WIDTH = 190
_STAGE_MARKS = {"failed": "bad", "made": "warn"}


@dataclass(frozen=True, slots=True)
class LotAge:
    """How many days a lot is from its collection, beside what the definition plans; widths are per mille."""

    days: int
    least: int | None
    most: int | None

    @property
    def state(self) -> str:
        """Whether it is early, on time, or late."""
        if self.most is not None and self.days > self.most:
            return "overdue"
        return "early" if self.least is not None and self.days < self.least else "on_time"

    @property
    def scale(self) -> int:
        """The days that the whole bar stands for."""
        return max(self.days, self.most or self.days, 1)

    @property
    def filled(self) -> int:
        """How far the bar is filled."""
        return self.days * 1000 // self.scale

    @property
    def opens(self) -> int | None:
        """Where the planned time begins."""
        return None if self.least is None else self.least * 1000 // self.scale


@dataclass(frozen=True, slots=True)
class LotAtWork:
    """A lot that somebody has to do something about."""

    lot: LotRow
    product: str
    stage: str
    age: LotAge


@dataclass(frozen=True, slots=True)
class Preparation:
    """A unit to prepare, in the reader's words; `ready` when nothing stands in its way."""

    line: PreparationLine
    product: str
    encounter: str
    contents: str
    state: str
    ready: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the chain of identity, and where it is drawn."""

    title: str
    code: str
    day: str
    recorded_at: str
    name: str
    x: int


def unmasked(request: ClinicRequest) -> UnmaskedView:
    """Return the view of somebody who works with products; raises Refused for everybody else."""
    if isinstance(request.seen, UnmaskedView):
        return request.seen
    sentence = _("This page is not open to the role %(role)s.") % {"role": request.actor.role}
    raise Refused(Refusal("ACC-PAGE", sentence, _("Ask somebody whose role it is, or change your role.")))


def age_of(product: Product | None, lot: LotRow, today: date) -> LotAge:
    """Return the age of a lot: up to its record where there is one, else up to today."""
    until = date.fromisoformat(lot.made_on) if lot.made_on else today
    return LotAge(
        days=max(0, (until - date.fromisoformat(lot.collected_on)).days),
        least=product.manufacture_days_min if product else None,
        most=product.manufacture_days_max if product else None,
    )


def find_lot(request: ClinicRequest, code: str) -> LotRow:
    """Return a lot that the reader may see; raises Http404."""
    found = next((each for each in unmasked(request).lots() if each.lot == code), None)
    if found is None:
        raise Http404
    return found


def find_label(request: ClinicRequest, code: str) -> UnitLabelLine:
    """Return what stands on a unit that the reader may see; raises Http404."""
    found = next((each for each in unmasked(request).unit_labels() if each.unit == code), None)
    if found is None:
        raise Http404
    return found


def show_laboratory(request: ClinicRequest) -> HttpResponse:
    """Draw what there is to do: lots in manufacture and to be released, units to prepare and to give."""
    seen = unmasked(request)
    lots = seen.lots()
    kind, may = seen.viewer.role.kind, seen.permitted_commands()
    products = {each.id: each for each in request.definition.supply.products}
    counts = Counter(lot.status for lot in lots)
    work = [
        LotAtWork(lot, products[lot.product].name, str(STAGES[lot.status]), _age(request, lot))
        for lot in sorted(lots, key=lambda lot: (lot.collected_on, lot.lot))
        if lot.status in ("collected", "made")
    ]
    context = {
        "stages": [(stage, STAGES[stage], counts[stage]) for stage in STAGES],
        "work": work,
        "preparations": [_preparation(request, line) for line in seen.preparations()],
        "prepared": [line for line in seen.unit_labels() if line.status == "prepared"],
        "may_record": "RecordManufacture" in may,
        "may_prepare": [id for id, each in products.items() if kind in each.prepared_by],
        "may_give": [id for id, each in products.items() if kind in each.given_by],
        "may_discard": "DiscardUnit" in may,
    }
    return render(request, "pages/laboratory.html", context)


def list_lots(request: ClinicRequest) -> HttpResponse:
    """List every lot."""
    products = {each.id: each.name for each in request.definition.supply.products}
    columns: tuple[Column[LotRow], ...] = (
        Column("lot", gettext_lazy("Lot"), lambda row: row.lot, lambda row: reverse("lot", args=[row.lot])),
        Column("participant", gettext_lazy("Participant"), lambda row: row.participant),
        Column("product", gettext_lazy("Product"), lambda row: products.get(row.product, row.product)),
        Column("collected_on", gettext_lazy("Collected"), lambda row: row.collected_on),
        Column("made_on", gettext_lazy("Manufacture recorded"), lambda row: row.made_on),
        Column("days", gettext_lazy("Days"), lambda row: _age(request, row).days, mark=lambda row: "number"),
        Column(
            "status",
            gettext_lazy("Stage"),
            lambda row: str(STAGES[row.status]),
            mark=lambda row: _STAGE_MARKS.get(row.status, ""),
        ),
        Column("decided_on", gettext_lazy("Decided"), lambda row: row.decided_on),
        Column("cause", gettext_lazy("Why given up"), lambda row: row.cause),
    )
    listing = make_listing(request, "lots", columns, unmasked(request).lots())
    if isinstance(listing, HttpResponse):
        return listing
    return render(request, "pages/products.html", {"listing": listing, "title": _("Lots")})


def list_units(request: ClinicRequest) -> HttpResponse:
    """List every unit."""
    labels = {each.unit: each for each in unmasked(request).unit_labels()}
    columns: tuple[Column[UnitRow], ...] = (
        Column(
            "unit", gettext_lazy("Unit"), lambda row: row.unit, lambda row: reverse("unit", args=[row.unit])
        ),
        Column("participant", gettext_lazy("Participant"), lambda row: row.participant),
        Column("encounter", gettext_lazy("Encounter"), lambda row: labels[row.unit].encounter_name),
        Column("lot", gettext_lazy("Lot"), lambda row: row.lot),
        Column("prepared_on", gettext_lazy("Prepared"), lambda row: row.prepared_on),
        Column("given_on", gettext_lazy("Given"), lambda row: row.given_on),
        Column("status", gettext_lazy("Status"), lambda row: word_of_state(row.status)),
        Column("cause", gettext_lazy("Why discarded"), lambda row: row.cause),
    )
    listing = make_listing(request, "units", columns, unmasked(request).units())
    if isinstance(listing, HttpResponse):
        return listing
    return render(request, "pages/products.html", {"listing": listing, "title": _("Units")})


def show_lot(request: ClinicRequest, lot: str) -> HttpResponse:
    """Draw one lot: its records, its release criteria, its units."""
    row = find_lot(request, lot)
    product = request.definition.supply.product(row.product)
    seen = unmasked(request)
    context = {
        "lot": row,
        "product": product,
        "stage": STAGES[row.status],
        "age": _age(request, row),
        "records": [
            (title, answers)
            for title, answers in (
                _answers(request, product.source_form if product else None, row.source_values),
                _answers(request, product.manufacture_form if product else None, row.manufacture_values),
            )
            if answers
        ],
        "criteria": criteria_of(request, row),
        "units": [each for each in seen.units() if each.lot == row.lot],
        "may": seen.permitted_commands(),
    }
    return render(request, "pages/lot.html", context)


def criteria_of(request: ClinicRequest, lot: LotRow) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """List a lot's release criteria: the text, met or not met or unknown, and the answers behind it."""
    product = request.definition.supply.product(lot.product)
    found = unmasked(request).explain_release(lot.lot, request.today)
    criteria = []
    for each in product.release if product else ():
        outcome = found[each.id].outcome
        state = outcome.value.replace(" ", "_") if outcome else "unknown"
        criteria.append((each.text, state, list(_behind(request, found[each.id], lot))))
    return criteria


def _behind(request: ClinicRequest, found: Explanation, lot: LotRow) -> Iterator[tuple[str, str]]:
    """Iterate over the items that an outcome was found from, with their answers."""
    values = lot.source_values | lot.manufacture_values
    zone = request.clinic.zone(request.actor.site)
    for source in found.sources:
        form = request.definition.form(source.form)
        item = form.item(source.item) if form else None
        if item is not None:
            yield item.label, shown(item, values.get(item.id), zone) or "–"
    for child in found.children:
        yield from _behind(request, child, lot)


def show_unit(request: ClinicRequest, unit: str) -> HttpResponse:
    """Draw the chain of one unit, from the participant to the participant."""
    label = find_label(request, unit)
    seen = unmasked(request)
    lines = seen.chain_of_identity(unit)
    names = names_of(line.account for line in lines)
    zone = request.clinic.zone(request.actor.site)
    width = _STEP_WIDTH * max(1, len(lines))
    steps = [
        Step(
            title=str(STEPS[line.kind]),
            code=line.unit or line.lot or "",
            day=(line.clinical_time or line.recorded_at)[:10],
            recorded_at=time_at(line.recorded_at, zone),
            name=names[line.account],
            x=_STEP_WIDTH // 2 + place * _STEP_WIDTH,
        )
        for place, line in enumerate(lines)
    ]
    context = {
        "label": label,
        "steps": steps,
        "width": width,
        "start": _STEP_WIDTH // 2,
        "end": width - _STEP_WIDTH // 2,
        "may": seen.permitted_commands(),
        "gives": _gives(request, label.product),
    }
    return render(request, "pages/unit.html", context)


def show_label(request: ClinicRequest, unit: str) -> HttpResponse:
    """Draw the label of a unit, to be printed: nothing on it depends on what the unit holds."""
    label = find_label(request, unit)
    product = request.definition.supply.product(label.product)
    encounter = request.definition.schedule.encounter(label.encounter)
    context = {
        "label": label,
        "product": product,
        "encounter": encounter.name if encounter else label.encounter,
        "study": request.definition.study,
        "code": draw_code(label.unit),
    }
    return render(request, "pages/label.html", context)


def compare_identity(request: ClinicRequest) -> HttpResponse:
    """Compare the scanned code of a unit with that of a wristband; only those that match may go on."""
    unit, wristband = (_scanned(request.GET.get(name, "")) for name in ("unit", "participant"))
    label = next((each for each in unmasked(request).unit_labels() if each.unit == unit), None)
    verdict, sentence = _verdict(label, unit, wristband)
    context = {
        "unit": unit,
        "participant": wristband,
        "label": label,
        "verdict": verdict,
        "sentence": sentence,
        "gives": label is not None and _gives(request, label.product),
    }
    return render(request, "pages/compare.html", context)


def _scanned(text: str) -> str:
    """What a scanner typed: blanks around it, and small letters, are those of its settings."""
    return text.strip().upper()[:64]


def _verdict(label: UnitLabelLine | None, unit: str, wristband: str) -> tuple[str, str]:
    if not unit:
        return "", ""
    if label is None:
        return "stop", _("There is no unit with this number here.")
    if label.status != "prepared":
        return "stop", _("This unit was %(state)s already.") % {"state": word_of_state(label.status)}
    if not wristband:
        return "half", _("The unit is known. Now scan the wristband.")
    if wristband != label.participant:
        return "stop", _("This unit was not made for the participant on the wristband.")
    return "match", _("The unit was made for this participant.")


def _gives(request: ClinicRequest, product_id: str) -> bool:
    product = request.definition.supply.product(product_id)
    return product is not None and request.seen.viewer.role.kind in product.given_by


def _age(request: ClinicRequest, lot: LotRow) -> LotAge:
    return age_of(request.definition.supply.product(lot.product), lot, request.today)


def _preparation(request: ClinicRequest, line: PreparationLine) -> Preparation:
    definition = request.definition
    product = definition.supply.product(line.product)
    encounter = definition.schedule.encounter(line.encounter)
    interventions = {each.id: each.name for each in definition.study.interventions}
    autologous = product is not None and product.kind == "autologous"
    state = "planned"
    if line.opens and line.closes and request.today >= line.opens:
        state = "due" if request.today <= line.closes else "overdue"
    return Preparation(
        line=line,
        product=product.name if product else line.product,
        encounter=encounter.name if encounter else line.encounter,
        contents=", ".join(interventions.get(each, each) for each in line.contents) or _("nothing"),
        state=state,
        ready=not autologous or line.lot_status == "released",
    )


def _answers(
    request: ClinicRequest, form_id: str | None, values: dict[str, object]
) -> tuple[str, list[tuple[str, str]]]:
    form = request.definition.form(form_id) if form_id else None
    if form is None:
        return "", []
    given = [item for item in form.items if item.id in values]
    zone = request.clinic.zone(request.actor.site)
    return form.title, [(item.label, shown(item, values[item.id], zone)) for item in given]


_HANDLES = Both(Gives(("PrepareUnit", "AdministerUnit", "ReleaseLot")), Sees(Audience.PRODUCT))

ROUTES: tuple[Route, ...] = (
    Route("laboratory/", show_laboratory, "laboratory", _HANDLES),
    Route("laboratory/lots/", list_lots, "lots", _HANDLES),
    Route("laboratory/lots/<code:lot>/", show_lot, "lot", _HANDLES),
    Route("laboratory/units/", list_units, "units", _HANDLES),
    Route("laboratory/units/<code:unit>/", show_unit, "unit", _HANDLES),
    Route("laboratory/units/<code:unit>/label/", show_label, "label", _HANDLES),
    Route("laboratory/give/", compare_identity, "compare_identity", _HANDLES),
)
