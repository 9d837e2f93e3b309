"""The whole story of a small trial in a real browser, from the first log-in to the database lock.

Each step is done by the one of the cast whose job it is, through the pages and nothing else.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browsers import PHONE, Person, Watch, chromium, needs_chromium
from tests.browser.screens import picture
from tests.browser.serving import command_line, served
from tests.browser.stage import Story
from tests.browser.story_trial import CAST, INVITED, PASSWORD, SITE, day, open_story

pytestmark = needs_chromium

WHO = f"{SITE}-001"
FORMS = f"/participants/{WHO}/forms"
LOGS = f"/participants/{WHO}/logs"
CONSENT, SCREENING, COLLECTION, MADE, RELEASED = day(90), day(80), day(78), day(60), day(59)
RANDOMISED, WEEK_4, WEEK_8, EVENT = day(57), day(29), day(1), day(40)
VITALS = {"taken_on": SCREENING, "weight": "71.5", "systolic": "128", "diastolic": "82"}


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    open_story(tmp_path)
    with served(tmp_path) as address, chromium() as browser:
        watch = Watch(address)
        yield Story(browser, watch, address)
        assert watch.complaints == []


def test_spec_the_whole_story_from_the_first_log_in_to_the_database_lock(
    story: Story, tmp_path: Path
) -> None:
    administrator_begins(story)
    invited_nurse_comes(story)
    list_is_committed_to(story)
    candidate_consents(story)
    screening_forms_are_filled_in(story)
    eligibility_is_explained(story)
    cells_are_collected_made_and_released(story)
    participant_is_randomised(story)
    unit_is_prepared(story)
    unit_is_given(story)
    serious_event_is_reported(story)
    scan_is_read_twice_and_adjudicated(story)
    query_is_asked_answered_and_closed(story)
    source_is_verified(story)
    value_is_corrected(story)
    code_is_broken_in_an_emergency(story)
    draft_survives_and_two_versions_meet(story)
    what_is_open_is_listed(story)
    casebook_is_signed(story)
    data_are_frozen_and_locked(story)
    ledger_verifies(tmp_path)


# -- beginning


def administrator_begins(story: Story) -> None:
    """Ada logs in by the keyboard, makes an account, grants the roles and activates the site."""
    ada = Person(story.browser, story.watch, story.address)
    page = ada.goes("/")
    keys = page.keyboard
    picture(page, "log-in", height=520)
    page.get_by_label("Account", exact=True).focus()
    keys.type(CAST["ada"].account)
    keys.press("Tab")
    keys.type("not the password")
    keys.press("Enter")
    ada.sees("not correct")
    page.get_by_label("Password", exact=True).focus()
    keys.type(PASSWORD)
    keys.press("Enter")
    page.wait_for_url(f"{story.address}/")
    story.here["ada"] = ada
    ada.goes("/people/new/")
    ada.answers(username=CAST[INVITED].account, printed_name=CAST[INVITED].name)
    ada.sends()
    expect(page.locator(".link")).to_contain_text("/welcome/")
    story.invitation = page.locator(".link").inner_text()
    for first, member in CAST.items():
        if first == "ada":
            continue
        ada.goes(f"/do/grant-role/?account={member.account}&next=/governance/")
        ada.records(role=member.role, site=member.site)
    ada.goes("/governance/sites/")
    ada.takes("ActivateSite", SITE)
    ada.records(approved_on=day(120))
    ada.goes("/people/")
    picture(page, "people")


def invited_nurse_comes(story: Story) -> None:
    """Nora opens the link of her invitation, chooses a password, and logs in with it."""
    nora = Person(story.browser, story.watch, story.address)
    page = nora.page
    page.goto(story.invitation)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same again").fill("another password")
    nora.presses("Set the password")
    nora.sees("The two passwords differ.")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    nora.presses("Set the password")
    nora.sees("Your password is set.")
    story.here["nora"] = nora.comes(CAST[INVITED].account, PASSWORD)
    page.goto(story.invitation)
    nora.sees("This invitation does not hold")


def list_is_committed_to(story: Story) -> None:
    """Lena has the allocation list made, sealed and committed to, before the first participant."""
    lena = story.at("lena")
    lena.goes("/governance/")
    lena.takes("CommitAllocation")
    lena.records()
    story.leaves("lena")


# -- screening


def candidate_consents(story: Story) -> None:
    """Nils records the consent, and who the participant is."""
    nils = story.at("nils")
    nils.goes("/participants/")
    nils.takes("ConsentParticipant")
    nils.records(consent_version="1.0", consented_on=CONSENT)
    nils.goes(f"/participants/{WHO}/identity/")
    nils.takes("RegisterIdentity")
    nils.records(name="Quirin Xander", contact="quirin@example.org")
    nils.goes(f"/participants/{WHO}/")
    nils.takes("StartEncounter", "screening")
    nils.records(took_place_on=SCREENING)


def screening_forms_are_filled_in(story: Story) -> None:
    """Nils fills in the forms of the screening; what is wrong is said as he types."""
    nils = story.at("nils")
    page = nils.goes(f"{FORMS}/demographics/screening/")
    test = page.locator("#of-item-pregnancy_test")
    nils.answers(birth_date="1991-03-09", sex="m")
    expect(test).to_be_hidden()
    nils.answers(sex="f")
    expect(test).to_be_visible()
    nils.records(pregnancy_test="negative")
    nils.goes(f"{FORMS}/vitals/screening/")
    nils.answers(**VITALS | {"diastolic": "182"})
    page.keyboard.press("Tab")
    nils.sees("The systolic pressure must be above the diastolic.")
    picture(page, "form-checked")
    nils.sends()
    nils.sees("Nothing was recorded: answers contradict each other.")
    nils.records(diastolic=VITALS["diastolic"])
    nils.goes(f"{FORMS}/scan/screening/")
    nils.records(scanned_on=SCREENING, field="high")


def eligibility_is_explained(story: Story) -> None:
    """Priya sees why each criterion holds or does not; Nils brings what is lacking, a complete log."""
    priya, nils = story.at("priya"), story.at("nils")
    page = priya.goes(f"/participants/{WHO}/screening/?on={RANDOMISED}")
    page.locator("#criterion-I2 summary").click()
    expect(page.locator("#criterion-I2")).to_contain_text("71.5")
    open_one = page.locator("#criterion-E2")
    expect(open_one).to_contain_text("What would decide it")
    picture(page, "eligibility")
    nils.goes(f"{LOGS}/adverse_event/")
    nils.takes("ConfirmLog")
    nils.records(through=RANDOMISED)
    priya.goes(f"/participants/{WHO}/screening/?on={RANDOMISED}")
    expect(open_one).not_to_contain_text("What would decide it")


# -- treatment


def cells_are_collected_made_and_released(story: Story) -> None:
    """Priya records the collection; Cleo makes the lot up and releases it under her signature."""
    priya, cleo = story.at("priya"), story.at("cleo")
    priya.goes(f"/participants/{WHO}/")
    priya.takes("CollectSource")
    priya.records(collected_on=COLLECTION, volume="80")
    page = cleo.goes("/laboratory/")
    cleo.takes("RecordManufacture")
    cleo.records(recorded_on=MADE, yield_millions="120", sterile="true", viability="96.5")
    picture(page, "laboratory", height=900)
    cleo.takes("ReleaseLot")
    picture(page, "release")
    cleo.answers(released_on=RELEASED, proof_password="not her password")
    cleo.sends()
    expect(page.get_by_role("alert")).to_be_visible()
    sign_by_keyboard(page)
    cleo.sees("The lot is released.")


def sign_by_keyboard(page: Page) -> None:
    """Sign with the password, without the mouse."""
    page.locator("#proof_password").focus()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    expect(page.locator("#command .buttons button")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_load_state()


def participant_is_randomised(story: Story) -> None:
    """Priya freezes the assessment of the day and randomises; the page says nothing of what was drawn."""
    priya = story.at("priya")
    page = priya.goes(f"/participants/{WHO}/screening/")
    priya.takes("AssessEligibility")
    priya.records(assessed_on=RANDOMISED)
    priya.goes(f"/do/randomise-participant/?participant={WHO}")
    priya.answers(randomised_on=RANDOMISED)
    priya.records("randomised")
    shown = page.content()
    assert "Cells first" not in shown and "Vehicle first" not in shown


def unit_is_prepared(story: Story) -> None:
    """Cleo prepares a unit and prints its label, which bears a random number and nothing of what is in it."""
    nils, cleo = story.at("nils"), story.at("cleo")
    nils.goes(f"/participants/{WHO}/")
    nils.takes("StartEncounter", "week_0")
    nils.records(took_place_on=RANDOMISED)
    page = cleo.goes("/laboratory/")
    cleo.takes("PrepareUnit", "week_0")
    cleo.records(prepared_on=RANDOMISED)
    cleo.goes("/laboratory/")
    cleo.follows("Label")
    expect(page.locator(".bag-label svg")).to_be_visible()


def unit_is_given(story: Story) -> None:
    """Ines gives the unit to whom it was made for, by scanned codes."""
    unit = story.at("cleo").page.locator(".bag-unit").inner_text()
    ines = story.at("ines")
    given = ines.goes("/laboratory/give/")
    scan(given, unit)
    expect(given.locator(".verdict.half")).to_be_visible()
    scan(given, f"{SITE}-002")
    expect(given.locator(".verdict.stop")).to_be_visible()
    # What does not match begins anew.
    scan(given, unit)
    scan(given, WHO)
    expect(given.locator(".verdict.match")).to_be_visible()
    picture(given, "give")
    ines.takes("AdministerUnit")
    ines.records(given_on=RANDOMISED, minutes="30", reaction="false")
    expect(given.locator("h1")).to_contain_text(unit)
    story.leaves("ines")


def scan(page: Page, code: str) -> None:
    """Scan a code: a scanner types it where the cursor is, and presses Enter."""
    focused = page.evaluate("document.activeElement.name")
    assert focused in ("unit", "participant"), f"the cursor is in {focused}"
    page.keyboard.press("Control+A")
    page.keyboard.type(code)
    with page.expect_navigation():
        page.keyboard.press("Enter")


# -- safety, imaging


def serious_event_is_reported(story: Story) -> None:
    """Nils records a serious event on his phone; the desk assesses it and sends what the clocks ask for."""
    phone = Person(story.browser, story.watch, story.address, size=PHONE).comes(
        CAST["nils"].account, PASSWORD
    )
    phone.goes(f"{LOGS}/adverse_event/")
    phone.follows("Add a row")
    phone.records(
        term="Fever above 39 degrees",
        onset=EVENT,
        aware=f"{EVENT}T09:30",
        severity="severe",
        serious="true",
        causality="possible",
        expected="false",
        outcome="recovered",
        resolved=day(38),
    )
    phone.goes(f"/participants/{WHO}/")
    picture(phone.page, "phone-participant", height=900)
    phone.leaves()
    svea = story.at("svea")
    page = svea.goes("/safety/")
    picture(page, "safety-desk")
    svea.goes(f"/safety/{WHO}/1/")
    svea.takes("AssessEvent")
    svea.records(related="true", expected="false", text="Fever is not described for the product.")
    for _clock in ("serious", "suspected"):
        svea.takes("SubmitSafetyReport")
        svea.records(submitted_at=f"{day(39)}T06:00")
    expect(page.locator("a[href*=submit-safety-report]")).to_have_count(0)
    story.leaves("svea")


def scan_is_read_twice_and_adjudicated(story: Story) -> None:
    """Dana accepts a scan; Rita and Omar read it and disagree; Alba decides."""
    dana = story.at("dana")
    dana.goes("/scans/")
    dana.takes("ReceiveScan")
    dana.records(participant=WHO, encounter="screening", acquired_on=SCREENING)
    dana.goes("/scans/")
    dana.takes("AcceptScan")
    dana.records()
    for first, spots in (("rita", "3"), ("omar", "7")):
        reader = story.at(first)
        page = reader.goes("/reading/")
        assert WHO not in page.content()
        page.locator("#queue_list a[href*=record-read], main a[href*=record-read]").first.click()
        reader.records(spots=spots, volume="1.5")
        story.leaves(first)
    alba = story.at("alba")
    page = alba.goes("/reading/")
    page.locator("main a[href*=record-adjudication]").first.click()
    expect(page.locator("table.readings")).to_contain_text("7")
    picture(page, "adjudication")
    alba.records(spots="4", volume="1.5")
    story.leaves("alba")


# -- the quality of the data


def query_is_asked_answered_and_closed(story: Story) -> None:
    """Dana asks about a weight, Nils answers, Dana closes."""
    dana, nils = story.at("dana"), story.at("nils")
    page = dana.goes(f"{FORMS}/vitals/screening/")
    dana.takes("OpenQuery", "weight")
    dana.records(text="Was the weight taken without shoes?")
    nils.goes("/queries/")
    nils.page.locator("main a[href*='/queries/Q']").first.click()
    nils.takes("AnswerQuery")
    nils.records(text="No: with shoes. The weight without them is 70.5 kg.")
    dana.goes("/queries/")
    picture(page, "queries", height=700)
    page.locator("main a[href*='/queries/Q']").first.click()
    dana.takes("CloseQuery")
    dana.records()


def source_is_verified(story: Story) -> None:
    """Mona compares a form with its source, one answer first, then all that wait."""
    mona = story.at("mona")
    page = mona.goes(f"/monitoring/source/{WHO}/")
    picture(page, "source")
    assert page.locator("details.source").count() > 1
    first = page.locator("details.source").first
    first.get_by_role("checkbox").first.check()
    first.get_by_role("button", name="Verify what is ticked").click()
    page.locator(".note.success").wait_for()
    expect(page.locator("details.source td .badge.done")).to_have_count(1)
    first.get_by_role("button", name=re.compile("that wait")).click()
    expect(page.locator("details.source summary .badge.done")).to_have_count(1)
    story.leaves("mona")


def value_is_corrected(story: Story) -> None:
    """Nils corrects the weight and says why; the item's course shows both values."""
    nils = story.at("nils")
    page = nils.goes(f"{FORMS}/vitals/screening/")
    nils.follows("Correct")
    nils.answers(weight="70.5")
    nils.sends()
    expect(page.get_by_role("alert").first).to_be_visible()
    nils.records(reason="Weighed with shoes; without them as the source says.")
    page.locator("a[href*='/items/weight/']").first.click()
    course = page.locator("main table").first
    expect(course).to_contain_text("71.5")
    expect(course).to_contain_text("70.5")
    expect(course).to_contain_text("with shoes")


def code_is_broken_in_an_emergency(story: Story) -> None:
    """Priya breaks the code of this one participant, in two steps; others learn only that she did."""
    priya, dana = story.at("priya"), story.at("dana")
    page = priya.goes("/unblindings/break/")
    picture(page, "emergency")
    page.locator("#field-participant").select_option(WHO)
    page.locator("#field-cause").fill("Anaphylaxis: the treatment depends on what was given.")
    priya.presses("Go on to step 2")
    page.locator("#proof_password").fill(PASSWORD)
    priya.sends()
    page.locator(".note.success").first.wait_for()
    if "unblindings/of" not in page.url:
        priya.goes(f"/unblindings/of/{WHO}/")
    priya.presses("Show the allocation")
    expect(page.locator(".verdict h2")).to_contain_text(re.compile("Cells first|Vehicle first"))
    seen = dana.goes("/unblindings/").content()
    assert WHO in seen
    assert "Cells first" not in seen and "Vehicle first" not in seen


def draft_survives_and_two_versions_meet(story: Story) -> None:
    """Nils closes his browser over a half-filled form; meanwhile Nora records it; both versions are shown."""
    nils, nora = story.at("nils"), story.at("nora")
    nils.goes(f"/participants/{WHO}/")
    for encounter, when in (("week_4", WEEK_4), ("week_8", WEEK_8)):
        nils.takes("StartEncounter", encounter)
        nils.records(took_place_on=when)
        nils.goes(f"/participants/{WHO}/")
    place = f"{FORMS}/vitals/week_8/"
    nils.goes(place)
    nils.answers(**VITALS | {"taken_on": WEEK_8, "weight": "69"})
    nils.sees("Draft kept")
    story.leaves("nils")
    nils = story.at("nils")
    page = nils.goes(place)
    nils.follows("Go on with it")
    expect(page.locator("[name=item-weight]")).to_have_value("69")
    nora.goes(place)
    nora.records(**VITALS | {"taken_on": WEEK_8, "weight": "70"})
    story.leaves("nora")
    nils.sends()
    nils.sees("Somebody else recorded this form while you were at it")
    picture(page, "conflict")
    page.locator("input[name=take-weight][value=mine]").check()
    nils.records(reason="My scale was calibrated this morning.")
    expect(page.locator("main table").first).to_contain_text("69")


# -- the end


def what_is_open_is_listed(story: Story) -> None:
    """Dana sees what stands between the trial and its lock, which is refused until then."""
    dana = story.at("dana")
    page = dana.goes("/data/readiness/")
    expect(page.locator("main table")).to_contain_text(WHO)
    picture(page, "readiness", height=640)
    dana.goes(f"/participants/{WHO}/")
    picture(page, "participant")
    dana.goes("/data/readiness/")
    dana.goes("/do/lock-database/")
    dana.answers(proof_password=PASSWORD)
    dana.sends()
    dana.sees("The database cannot be locked")


def casebook_is_signed(story: Story) -> None:
    """Priya completes the participant and signs the casebook, by the keyboard."""
    priya = story.at("priya")
    page = priya.goes(f"/do/complete-participant/?participant={WHO}")
    priya.records(completed_on=WEEK_8)
    priya.takes("SignCasebook")
    priya.answers(meaning="I have reviewed all that is recorded; it is complete and correct.")
    picture(page, "signature")
    sign_by_keyboard(page)
    priya.sees("The casebook is signed.")


def data_are_frozen_and_locked(story: Story) -> None:
    """Dana freezes the participant, settles what is open, and locks the database."""
    dana = story.at("dana")
    dana.goes(f"/do/freeze-participant/?participant={WHO}")
    dana.records()
    dana.goes("/data/readiness/")
    dana.takes("LockDatabase")
    dana.sees("Nothing is open.")
    dana.records(proof_password=PASSWORD)
    nils = story.at("nils")
    nils.goes(f"{FORMS}/vitals/week_4/")
    nils.sees("The database is locked")


def ledger_verifies(folder: Path) -> None:
    """What was recorded is whole."""
    done = subprocess.run(
        command_line("verify", str(folder / "trial.sqlite")), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
