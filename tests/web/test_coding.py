"""The page of coding: what is open, searching a dictionary, choosing, and accepting what it proposes."""

from equipoise.access.refusal import Refusal
from equipoise.capture.commands import CorrectForm
from equipoise.coding.commands import AddDictionary
from equipoise.coding.state import CodingRow
from equipoise.conduct.view.lines import CodingLine
from equipoise.web.clinic import Clinic
from tests.coding.test_coding import later_version
from tests.dictionaries import VERSION, invented
from tests.web.clinics import actor_of, browser_of, form_of


def add_dictionary(clinic: Clinic) -> None:
    content = invented()["meddra"]
    clinic.store.dictionaries.add(content)
    add = AddDictionary(dictionary="meddra", version=VERSION, sha256=content.sha256)
    assert not isinstance(clinic.trial.record(actor_of(clinic, "data_manager"), add), Refusal)


def lines_of(clinic: Clinic) -> tuple[CodingLine, ...]:
    return clinic.trial.as_seen_by(actor_of(clinic, "data_manager")).coding()


def correct(clinic: Clinic, line: CodingLine, term: str) -> None:
    nurse = actor_of(clinic, "nurse", line.participant[:4])
    command = CorrectForm(
        participant=line.participant, form=line.form, row=line.row, values={line.item: term}
    )
    assert not isinstance(clinic.trial.record(nurse, command, "misread"), Refusal)


def address_of(line: CodingLine) -> str:
    place = f"participant={line.participant}&form={line.form}&item={line.item}&row={line.row}"
    return f"/do/code-term/?{place}"


def test_the_longest_word_that_the_dictionary_has_is_searched_first(clinic: Clinic):
    add_dictionary(clinic)
    correct(clinic, lines_of(clinic)[0], "Ear shimmerings after infusion")
    browser = browser_of(actor_of(clinic, "data_manager"))
    page = browser.get(address_of(lines_of(clinic)[0])).content.decode()
    assert 'name="words" value="ear"' in page
    assert "Ear glimmer" in page
    assert "MedDRA 28.1</strong>, 9 terms." in browser.get("/coding/").content.decode()


def test_without_a_dictionary_the_page_says_what_is_missing(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "data_manager"))
    page = browser.get("/coding/").content.decode()
    assert "No version of MedDRA was added to this trial yet" in page
    assert lines_of(clinic)
    assert lines_of(clinic)[0].participant in page
    assert "terms are not coded" in browser.get("/data/").content.decode()


def test_spec_a_term_is_searched_chosen_and_recorded(clinic: Clinic):
    add_dictionary(clinic)
    correct(clinic, lines_of(clinic)[0], "Shimmering of ears")
    line = lines_of(clinic)[0]
    browser = browser_of(actor_of(clinic, "data_manager"))
    address = f"{address_of(line)}&words=ear"
    page = browser.get(address).content.decode()
    assert page.index("Ear glimmer") < page.index("Glimmering of the ears")
    assert "Upsets of head" in page
    answer = browser.post("/do/code-term/", form_of(browser, address) | {"code": "10000012"})
    assert answer.status_code == 302
    (row,) = clinic.trial.tables.all(CodingRow)
    assert (row.verbatim, row.codes[0], row.automatic) == ("Shimmering of ears", "10000012", False)
    assert line.verbatim not in browser.get("/coding/").content.decode()
    listed = browser.get("/coding/?show=coded").content.decode()
    assert "Glimmering of the ears" in listed
    audit = browser.get(f"/participants/{line.participant}/audit/").content.decode()
    assert "coded &#x27;Shimmering of ears&#x27;" in audit
    assert "MedDRA 28.1: LLT Glimmering of the ears (10000012); PT Glimmering (10000021)" in audit


def test_spec_another_choice_is_refused_without_a_reason_and_recorded_with_one(clinic: Clinic):
    add_dictionary(clinic)
    line = lines_of(clinic)[0]
    browser = browser_of(actor_of(clinic, "data_manager"))
    address = f"{address_of(line)}&words=ear"
    browser.post("/do/code-term/", form_of(browser, address) | {"code": "10000012"})
    again = form_of(browser, address) | {"code": "10000013"}
    refused = browser.post("/do/code-term/", again)
    assert refused.status_code == 409 or "COD-REASON" in refused.content.decode()
    answer = browser.post(
        "/do/code-term/", form_of(browser, address) | {"code": "10000013", "reason": "Both"}
    )
    assert answer.status_code == 302
    assert next(clinic.trial.tables.all(CodingRow)).codes[0] == "10000013"


def test_a_term_that_was_not_chosen_is_asked_for(clinic: Clinic):
    add_dictionary(clinic)
    browser = browser_of(actor_of(clinic, "data_manager"))
    fields = form_of(browser, f"{address_of(lines_of(clinic)[0])}&words=ear")
    fields.pop("code", None)
    answer = browser.post("/do/code-term/", fields)
    assert answer.status_code == 422
    assert "This must be answered." in answer.content.decode()


def test_spec_what_is_proposed_is_accepted_as_it_was_shown(clinic: Clinic):
    add_dictionary(clinic)
    first, second, *_ = lines_of(clinic)
    correct(clinic, first, "GLIMMERING of the ears")
    browser = browser_of(actor_of(clinic, "data_manager"))
    assert "It proposes a term for 1 line" in browser.get("/coding/").content.decode()
    fields = form_of(browser, "/do/code-matches/?dictionary=meddra")
    correct(clinic, second, "Humming")
    answer = browser.post("/do/code-matches/", fields)
    assert "COD-PROPOSALS-CHANGED" in answer.content.decode()
    fields = form_of(browser, "/do/code-matches/?dictionary=meddra")
    assert browser.post("/do/code-matches/", fields).status_code == 302
    assert {row.verbatim for row in clinic.trial.tables.all(CodingRow) if row.automatic} == {
        "GLIMMERING of the ears",
        "Humming",
    }


def test_a_corrected_verbatim_is_listed_as_changed(clinic: Clinic):
    add_dictionary(clinic)
    line = lines_of(clinic)[0]
    browser = browser_of(actor_of(clinic, "data_manager"))
    browser.post("/do/code-term/", form_of(browser, f"{address_of(line)}&words=ear") | {"code": "10000012"})
    correct(clinic, line, "Buzzing")
    assert "Buzzing" in browser.get("/coding/?show=lapsed").content.decode()
    page = browser.get(address_of(lines_of(clinic)[0])).content.decode()
    assert f"coded were: {line.verbatim}" in page


def test_whoever_does_not_code_has_no_page_of_it(clinic: Clinic):
    for role, site in (("nurse", "SE01"), ("monitor", None), ("reader", None)):
        assert browser_of(actor_of(clinic, role, site)).get("/coding/").status_code == 403


def test_the_list_leaves_as_csv(clinic: Clinic):
    browser = browser_of(actor_of(clinic, "data_manager"))
    text = browser.get("/coding/?show=all&as=csv").content.decode("utf-8-sig")
    assert text.startswith("Words of the site,Participant,Where,Status,Dictionary,Version,Coded as")


def test_spec_a_new_version_lists_what_has_moved_and_carries_the_rest_over(clinic: Clinic):
    add_dictionary(clinic)
    browser = browser_of(actor_of(clinic, "data_manager"))
    first, second, *_ = lines_of(clinic)
    for line, term, code in ((first, "Ears", "10000012"), (second, "Hums", "10000015")):
        correct(clinic, line, term)
        now = next(each for each in lines_of(clinic) if each.verbatim == term)
        asked = form_of(browser, f"{address_of(now)}&words=glim") | {"code": code}
        assert browser.post("/do/code-term/", asked).status_code == 302
    content = later_version(invented()["meddra"])
    clinic.store.dictionaries.add(content)
    add = AddDictionary(dictionary="meddra", version="29.0", sha256=content.sha256)
    assert not isinstance(clinic.trial.record(actor_of(clinic, "data_manager"), add), Refusal)
    assert "1 coding with an earlier version is unchanged" in browser.get("/coding/").content.decode()
    listed = browser.get("/coding/?show=outdated").content.decode()
    assert "Hums" in listed and "Humming, renamed" in listed and ">Ears<" not in listed
    fields = form_of(browser, "/do/carry-over-codings/?dictionary=meddra")
    assert browser.post("/do/carry-over-codings/", fields).status_code == 302
    versions = {row.verbatim: row.version for row in clinic.trial.tables.all(CodingRow)}
    assert versions == {"Ears": "29.0", "Hums": VERSION}
    again = browser.get("/do/carry-over-codings/?dictionary=meddra").content.decode()
    assert "Nothing is left to carry over." in again
    audit = browser.get(f"/participants/{first.participant}/audit/").content.decode()
    assert "over from MedDRA 28.1 to 29.0, unchanged: Glimmering of the ears (10000012)" in audit
