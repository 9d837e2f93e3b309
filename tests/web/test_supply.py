"""Products: what the laboratory does, what a label says, and that codes that differ stop everything."""

import re

import pytest

from equipoise.access.refusal import Refusal
from equipoise.conduct.view import UnmaskedView
from equipoise.supply.commands import PrepareUnit, RecordManufacture
from equipoise.supply.state import LotRow, UnitRow
from equipoise.web.accounts.models import Account
from equipoise.web.bag_label import draw_code
from equipoise.web.clinic import Clinic
from tests.web.clinics import PASSWORD, actor_of, browser_of, form_of

_CULTURE = {
    "passages": "2",
    "cells": "150",
    "cells_per_kg": "2",
    "viability": "95",
    "sterility": "no_growth",
    "mycoplasma": "not_detected",
    "endotoxin": "1",
    "cd73": "99",
    "cd90": "99",
    "cd105": "99",
    "cd45": "1",
}


def prepared_unit(clinic: Clinic) -> UnitRow:
    """A unit that the laboratory made up and nobody has given yet."""
    for site in ("IT01", "IT02", "SE01"):
        laboratory = actor_of(clinic, "laboratory", site)
        view = clinic.trial.as_seen_by(laboratory)
        assert isinstance(view, UnmaskedView)
        for line in view.preparations():
            if line.lot_status == "released":
                command = PrepareUnit(
                    participant=line.participant,
                    product=line.product,
                    encounter=line.encounter,
                    prepared_on=clinic.today(site),
                )
                outcome = clinic.trial.record(laboratory, command)
                assert not isinstance(outcome, Refusal), outcome
                return clinic.trial.tables.require(UnitRow, str(outcome[0].content["unit"]))
    raise AssertionError("every unit is prepared")


def made_lot(clinic: Clinic, **changed: str) -> LotRow:
    """A lot with its laboratory record, which waits for its release."""
    lot = next(row for row in clinic.trial.tables.all(LotRow) if row.status == "collected")
    site = lot.participant[:4]
    today = clinic.today(site).isoformat()
    values = _CULTURE | {"started_on": lot.collected_on, "ended_on": today} | changed
    command = RecordManufacture(lot=lot.lot, recorded_on=clinic.today(site), values=values)
    outcome = clinic.trial.record(actor_of(clinic, "laboratory", site), command)
    assert not isinstance(outcome, Refusal), outcome
    return clinic.trial.tables.require(LotRow, lot.lot)


@pytest.mark.requirement("G10", "R6")
def test_spec_only_unmasked_product_staff_come_to_the_laboratory(clinic: Clinic):
    unit = next(iter(clinic.trial.tables.all(UnitRow)))
    lot = next(iter(clinic.trial.tables.all(LotRow)))
    addresses = (
        *("/laboratory/", "/laboratory/lots/", "/laboratory/units/", "/laboratory/give/"),
        *(f"/laboratory/lots/{lot.lot}/", f"/laboratory/units/{unit.unit}/"),
        f"/laboratory/units/{unit.unit}/label/",
    )
    site = unit.participant[:4]
    for address in addresses[:4]:
        assert browser_of(actor_of(clinic, "laboratory", site)).get(address).status_code == 200, address
    for kind in ("nurse", "investigator", "data_manager", "reader", "statistician", "safety_board"):
        browser = browser_of(actor_of(clinic, kind))
        for address in addresses:
            assert browser.get(address).status_code == 403, (kind, address)


def test_a_laboratory_sees_the_lots_and_units_of_its_own_site(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "laboratory", "SE01"))
    pages = browser.get("/laboratory/lots/").content + browser.get("/laboratory/units/").content
    things = [("lots", row.lot, row.participant) for row in clinic.trial.tables.all(LotRow)]
    things += [("units", row.unit, row.participant) for row in clinic.trial.tables.all(UnitRow)]
    for kind, code, participant in things:
        own = participant.startswith("SE01")
        assert (code.encode() in pages) == own
        assert browser.get(f"/laboratory/{kind}/{code}/").status_code == (200 if own else 404)


def test_spec_a_release_shows_every_criterion_before_it_is_signed(clinic: Clinic):
    lot = made_lot(clinic, viability="70", sterility="no_growth")
    laboratory = actor_of(clinic, "laboratory", lot.participant[:4])
    browser = browser_of(laboratory)
    page = browser.get(f"/do/release-lot/?lot={lot.lot}").content.decode()
    product = clinic.definition.supply.products[0]
    texts = [each.text for each in product.release]
    assert all(text in page for text in texts)
    assert page.count('<span class="badge not-met">') == 1
    assert page.count('<span class="badge met">') == len(texts) - 1
    assert "the release will be refused" in page
    assert 'name="proof_password"' in page


@pytest.mark.requirement("P3")
def test_spec_a_lot_is_released_with_a_signature(clinic: Clinic):
    lot = made_lot(clinic)
    laboratory = actor_of(clinic, "laboratory", lot.participant[:4])
    account = Account.objects.get(username=laboratory.account)
    account.set_password(PASSWORD)
    account.save()
    browser = browser_of(laboratory)
    fields = form_of(browser, f"/do/release-lot/?lot={lot.lot}&next=/laboratory/")
    assert browser.post("/do/release-lot/", fields).status_code == 422
    answer = browser.post("/do/release-lot/", fields | {"proof_password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()
    assert clinic.trial.tables.require(LotRow, lot.lot).status == "released"


def test_spec_the_record_of_a_lot_is_filled_in_on_its_page(clinic: Clinic):
    lot = next(row for row in clinic.trial.tables.all(LotRow) if row.status == "collected")
    browser = browser_of(actor_of(clinic, "laboratory", lot.participant[:4]))
    fields = form_of(browser, f"/do/record-manufacture/?lot={lot.lot}")
    assert "item-viability" in fields
    day = clinic.today(lot.participant[:4]).isoformat()
    culture = _CULTURE | {"started_on": lot.collected_on, "ended_on": day}
    answer = browser.post(
        "/do/record-manufacture/", fields | {f"item-{id}": each for id, each in culture.items()}
    )
    assert answer.status_code == 302, answer.content.decode()
    assert clinic.trial.tables.require(LotRow, lot.lot).status == "made"


@pytest.mark.requirement("G9", "R7")
def test_spec_a_label_says_for_whom_and_nothing_of_the_contents(clinic: Clinic):
    unit = prepared_unit(clinic)
    browser = browser_of(actor_of(clinic, "laboratory", unit.participant[:4]))
    page = browser.get(f"/laboratory/units/{unit.unit}/label/").content.decode()
    label = page[page.index('<section class="bag-label"') : page.index("</section>")]
    for said in (unit.unit, unit.participant, unit.prepared_on, "MESEMS", "For clinical trial use only"):
        assert said in label
    assert draw_code(unit.unit).path in label
    for arm in clinic.definition.study.arms:
        assert arm.name not in label
    assert "Suspension medium" not in label


def test_a_label_is_the_same_whatever_the_unit_holds(clinic: Clinic):
    labels: dict[str, set[str]] = {}
    for row in clinic.trial.tables.all(UnitRow):
        browser = browser_of(actor_of(clinic, "laboratory", row.participant[:4]))
        page = browser.get(f"/laboratory/units/{row.unit}/label/").content.decode()
        text = page[page.index('<section class="bag-label"') : page.index("</section>")]
        text = re.sub(r'd="M[^"]+"', "", text)
        for own in (row.unit, row.participant, row.prepared_on, str(row.lot)):
            text = text.replace(own, "*")
        labels.setdefault(row.encounter, set()).add(text)
    assert all(len(texts) == 1 for texts in labels.values())


def test_spec_codes_that_belong_together_lead_to_the_administration(clinic: Clinic):
    unit = prepared_unit(clinic)
    browser = browser_of(actor_of(clinic, "infuser", unit.participant[:4]))
    half = browser.get(f"/laboratory/give/?unit={unit.unit.lower()}&participant=").content.decode()
    assert "Now scan the wristband" in half
    both = browser.get(f"/laboratory/give/?unit={unit.unit}&participant={unit.participant}%20")
    page = both.content.decode()
    assert 'class="verdict match"' in page
    assert f"/do/administer-unit/?unit={unit.unit}&amp;participant={unit.participant}" in page
    form = browser.get(f"/do/administer-unit/?unit={unit.unit}&participant={unit.participant}")
    assert "item-premedication" in form.content.decode()


@pytest.mark.requirement("P6")
def test_spec_codes_that_differ_stop_the_administration(clinic: Clinic):
    unit = prepared_unit(clinic)
    given = next(row for row in clinic.trial.tables.all(UnitRow) if row.status == "given")
    browser = browser_of(actor_of(clinic, "infuser", unit.participant[:4]))
    pairs = (
        (unit.unit, "SE01-999"),
        ("B-00000000", unit.participant),
        (given.unit, given.participant),
    )
    for code, wristband in pairs:
        page = browser.get(f"/laboratory/give/?unit={code}&participant={wristband}").content.decode()
        assert 'class="verdict stop"' in page
        assert "do/administer-unit" not in page


def test_spec_a_chain_of_identity_has_every_step_with_time_and_account(clinic: Clinic):
    unit = next(row for row in clinic.trial.tables.all(UnitRow) if row.status == "given")
    laboratory = actor_of(clinic, "laboratory", unit.participant[:4])
    page = browser_of(laboratory).get(f"/laboratory/units/{unit.unit}/").content.decode()
    for step in ("Collected", "Manufacture recorded", "Lot released", "Unit prepared", "Given"):
        assert page.count(f">{step}<") >= 2, step
    assert "The laboratory at" in page
    assert page.count("UTC") >= 5
