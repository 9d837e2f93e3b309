"""Which form a command's `values` answer."""

from __future__ import annotations

from collections.abc import Mapping

from equipoise.access.content import Audience
from equipoise.conduct.view import UnmaskedView
from equipoise.definition.model.conduct import Product
from equipoise.definition.model.forms import Form
from equipoise.web.request import ClinicRequest


def form_of_values(request: ClinicRequest, name: str, given: Mapping[str, str]) -> Form | None:
    """Return the form that a command's `values` answer, given its other fields; None where there is none."""
    definition = request.definition
    form_id: str | None = None
    if name in ("RecordForm", "CorrectForm"):
        form_id = given.get("form")
    elif name in ("RecordRead", "RecordAdjudication"):
        form_id = definition.imaging.read_form if definition.imaging else None
    elif name in ("CollectSource", "RecordManufacture", "AdministerUnit"):
        product = _product_of(request, name, given)
        if product is not None:
            form_id = {
                "CollectSource": product.source_form,
                "RecordManufacture": product.manufacture_form,
                "AdministerUnit": product.administration_form,
            }[name]
    return definition.form(form_id) if form_id else None


def _product_of(request: ClinicRequest, name: str, given: Mapping[str, str]) -> Product | None:
    """Return the product: the named one, that of the lot or unit, or the only one the command may be about.

    A masked role does not learn of a lot or a unit which product it is of.
    """
    supply = request.definition.supply
    named = given.get("product") or _known_product(request, given)
    if named:
        return supply.product(named)
    kind = request.seen.viewer.role.kind
    fitting = [
        product
        for product in supply.products
        if (name == "AdministerUnit" and kind in product.given_by)
        or (name != "AdministerUnit" and product.kind == "autologous")
    ]
    return fitting[0] if len(fitting) == 1 else None


def _known_product(request: ClinicRequest, given: Mapping[str, str]) -> str:
    seen = request.seen
    if not isinstance(seen, UnmaskedView) or Audience.PRODUCT not in seen.viewer.audiences:
        return ""
    lot = next((each for each in seen.lots() if each.lot == given.get("lot")), None)
    if lot is not None:
        return lot.product
    unit = next((each for each in seen.units() if each.unit == given.get("unit")), None)
    return unit.product if unit is not None else ""
