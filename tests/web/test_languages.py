"""The interface in the reader's language: catalogues that are whole, and pages that are in them."""

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import translation

import equipoise
from equipoise.access.actor import Actor
from equipoise.access.visibility import viewer_of
from equipoise.definition.languages import in_language
from equipoise.definition.load import load_study
from equipoise.exchange.archives import REFUSALS
from equipoise.exchange.study_folder import ZIP
from equipoise.studies import study_folder
from equipoise.web.clinic import Clinic
from equipoise.web.commands.catalogue import COMMANDS
from equipoise.web.commands.fields import field_types
from equipoise.web.menu import MENU
from equipoise.web.refusal_words import BY_CODE, BY_ENDING, words_of_refusal
from equipoise.web.routes import ROUTES
from equipoise.web.settings import LANGUAGES
from equipoise.web.words_of_values import STATES
from tests.web import catalogues
from tests.web.clinics import actor_of, browser_of, form_of
from tests.web.filled import VITAL_SIGNS, address_of, open_form, person_of, recorded_form

_PLACE = re.compile(r"%\(\w+\)[sd]|%%|</?\w+>")
_CODE = re.compile(r'"((?:ACC|ALL|CAP|COD|CON|ENR|GOV|IMG|SAF|SUP)-[A-Z-]+)"')
_OF_FILES = re.compile(r'"((?:E2B|EXTRA|PACKAGE|RESULTS)-[A-Z-]+)"')
_ROOMS = (
    "access",
    "allocation",
    "capture",
    "coding",
    "conduct",
    "enrolment",
    "governance",
    "imaging",
    "safety",
    "supply",
)
_WORK = (
    ("investigator", "sv"),
    ("laboratory", "sv"),
    ("data_manager", "sv"),
    ("monitor", "sv"),
    ("administrator", "sv"),
    ("administrator", "it"),
    ("safety_desk", "it"),
)


@cache
def template() -> Catalog:
    return catalogues.extract()


def texts_of(message: object) -> tuple[str, ...]:
    return tuple(message) if isinstance(message, tuple | list) else (str(message),)


# -- the catalogues


def test_the_catalogues_are_those_of_the_languages_offered():
    assert {tag for tag, _ in LANGUAGES} == {"en", *catalogues.LANGUAGES}


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_spec_every_text_of_the_interface_is_translated(language: str):
    catalogue = catalogues.read(language)
    wanted = {(texts_of(each.id), each.context) for each in template() if each.id}
    there = {(texts_of(each.id), each.context) for each in catalogue if each.id}
    assert wanted == there, "run `make messages`, and translate what is new"
    assert catalogues.missing_from(catalogue) == []
    assert [each.id for each in catalogue if each.id and each.fuzzy] == []
    assert not catalogue.obsolete


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_a_translation_has_the_places_and_the_markup_of_its_text(language: str):
    for message in catalogues.read(language):
        if not message.id:
            continue
        for source, translated in zip(texts_of(message.id), texts_of(message.string), strict=True):
            assert sorted(_PLACE.findall(source)) == sorted(_PLACE.findall(translated)), source
            # Texts stand in attributes, too.
            assert '"' not in translated or '"' in source, source
            assert translated.strip() == translated or source.strip() != source, source


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_what_the_clinic_reads_is_what_the_catalogue_says(language: str):
    compiled = catalogues.path_of(language).with_suffix(".mo")
    assert compiled.read_bytes() == catalogues.compiled(catalogues.read(language)), "run `make messages`"


def test_texts_of_code_and_templates_are_both_found():
    found = {texts_of(each.id)[0]: each for each in template() if each.id}
    assert found["Participants"].locations[0][0] == "menu.py"
    assert found["Skip to the content"].locations == [("templates/base.html", 0)]
    assert texts_of(found["%(number)s answer"].id) == ("%(number)s answer", "%(number)s answers")
    assert found["%(done)s of %(due)s"]


def test_every_word_to_choose_in_a_command_is_a_word_of_the_interface():
    options = {
        option for command in COMMANDS.values() for each in field_types(command) for option in each.options
    }
    assert options <= STATES.keys()


# -- pages


class _Reader(HTMLParser):
    """Collects the texts that stand between tags, and those of attributes that are read out."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.language = ""
        self._inside: list[str] = []
        """The tags that are open within one that says it is in English, that one included."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "html":
            self.language = given.get("lang") or ""
        if tag in ("div", "button") and (self._inside or given.get("lang") == "en"):
            self._inside.append(tag)
        if not self._inside:
            self.texts += [
                given[name] or "" for name in ("aria-label", "title", "placeholder") if name in given
            ]

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside and data.strip():
            self.texts.append(" ".join(data.split()))


def left_in_english(html: str, language: str) -> list[str]:
    """Return the texts of a page that are the interface's English, and are other words in a language."""
    reader = _Reader()
    reader.feed(html)
    assert reader.language == language
    return [text for text in reader.texts if text in english_words(language)]


@cache
def english_words(language: str) -> set[str]:
    """Return the English texts that are no words of a language's catalogue, and none of the study in it."""
    messages = [each for each in catalogues.read(language) if each.id]
    english = {texts_of(each.id)[0] for each in messages} - {texts_of(each.string)[0] for each in messages}
    definition = load_study(study_folder("mesems")).definition
    study = repr(in_language(definition, language))
    return {text for text in english if repr(text) not in study}


def browser_in(language: str, actor: Actor | None = None) -> Client:
    browser = browser_of(actor) if actor else Client()
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    return browser


def pages_of(clinic: Clinic, actor: Actor) -> list[str]:
    """Return the addresses that an account may come to and that need no name of anything in them."""
    viewer = viewer_of(clinic.definition, actor, unblinded=False)
    return [reverse(route.name) for route in ROUTES if "<" not in route.path and route.visible.admits(viewer)]


@pytest.mark.parametrize(("kind", "language"), _WORK)
def test_spec_no_page_of_a_role_is_left_in_english(clinic: Clinic, kind: str, language: str):
    actor = actor_of(clinic, kind)
    browser = browser_in(language, actor)
    left = {}
    for address in pages_of(clinic, actor):
        answer = browser.get(address)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            left[address] = left_in_english(answer.content.decode(), language)
    assert len(left) > 5
    assert {address: texts for address, texts in left.items() if texts} == {}


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_spec_the_pages_about_a_participant_are_in_the_readers_language(clinic: Clinic, language: str):
    nurse = actor_of(clinic, "nurse", "SE01")
    browser = browser_in(language, nurse)
    code = person_of(clinic)
    addresses = [
        f"/participants/{code}/",
        address_of(recorded_form(clinic)),
        open_form(clinic),
        reverse("screening", args=[code]),
        reverse("casebook", args=[code]),
        reverse("do_WithdrawParticipant") + f"?participant={code}",
    ]
    for address in addresses:
        answer = browser.get(address)
        assert answer.status_code == 200, address
        assert left_in_english(answer.content.decode(), language) == [], address


def test_the_menu_is_in_the_readers_language(clinic: Clinic):
    page = browser_in("sv", actor_of(clinic, "nurse", "SE01")).get("/participants/").content.decode()
    assert '<html lang="sv">' in page
    with translation.override("sv"):
        assert f'aria-current="page">{dict(MENU)["participants"]}</a>' in page
        assert f"<h1>{dict(MENU)['participants']}" in page


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Vital signs"), ("sv", "Vitalparametrar"), ("it", "")]
)
def test_spec_the_texts_of_a_form_are_in_the_readers_language(clinic: Clinic, language: str, title: str):
    folder = Path(equipoise.__file__).parent / "studies" / "mesems" / "languages"
    page = browser_in(language, actor_of(clinic, "nurse", "SE01")).get(open_form(clinic)).content.decode()
    found = re.search(r"<h1>\s*([^<]+?)\s*<", page)
    assert found
    if language == "en":
        assert found[1] == "Vital signs"
    else:
        assert found[1] != "Vital signs"
        assert found[1] in (folder / f"{language}.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(("language", "shown"), [("en", "36.7"), ("sv", "36,7"), ("it", "36,7")])
def test_spec_a_number_is_read_and_shown_as_the_reader_writes_it(clinic: Clinic, language: str, shown: str):
    browser = browser_in(language, actor_of(clinic, "nurse", "SE01"))
    address = open_form(clinic)
    before = clinic.trial.head.position
    assert browser.post(address, form_of(browser, address) | VITAL_SIGNS).status_code == 302
    (entry,) = clinic.trial.ledger.read(before)
    values: Any = entry.content["item_values"]
    assert values["temperature"] == "36.7"
    assert shown in browser.get(address).content.decode()


def test_spec_a_page_that_is_not_there_says_so_in_the_readers_language(clinic: Clinic):
    answer = browser_in("sv", actor_of(clinic, "nurse", "SE01")).get("/participants/SE01-999/")
    assert answer.status_code == 404
    assert left_in_english(answer.content.decode(), "sv") == []


# -- the choice of a language


def test_spec_a_language_is_chosen_below_every_page_and_kept(clinic: Clinic):
    browser = Client()
    answer = browser.post(reverse("set_language"), {"language": "it", "next": "/accounts/login/"})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/")
    assert '<html lang="it">' in browser.get("/accounts/login/").content.decode()
    cookie = answer.cookies[settings.LANGUAGE_COOKIE_NAME]
    assert (cookie.value, cookie["httponly"], cookie["samesite"]) == ("it", True, "Strict")
    assert int(cookie["max-age"]) > 0
    nurse = actor_of(clinic, "nurse", "SE01")
    browser.logout()
    browser.cookies[settings.LANGUAGE_COOKIE_NAME] = cookie.value
    assert '<html lang="it">' in browser_in(cookie.value, nurse).get("/").content.decode()


def test_without_a_choice_the_browsers_language_is_taken_and_else_english(clinic: Clinic):
    for accepted, shown in {"sv-SE,sv;q=0.9,en;q=0.5": "sv", "it": "it", "fi": "en", "": "en"}.items():
        page = Client().get("/accounts/login/", headers={"accept-language": accepted}).content.decode()
        assert f'<html lang="{shown}">' in page


# -- refusals


def codes_of_refusals() -> set[str]:
    """Return every code with which the rooms of the trial refuse."""
    package = Path(equipoise.__file__).parent
    sources = [path.read_text(encoding="utf-8") for room in _ROOMS for path in (package / room).rglob("*.py")]
    written = {code for source in sources for code in _CODE.findall(source)}
    snapshot = (Path(__file__).parents[1] / "conduct" / "refusals.txt").read_text(encoding="utf-8")
    return written | set(re.findall(r"^[A-Z]+-[A-Z-]+$", snapshot, re.MULTILINE))


def test_spec_every_refusal_has_words_in_every_language():
    codes = codes_of_refusals()
    assert len(codes) > 100
    for language in catalogues.LANGUAGES:
        with translation.override(language):
            assert {code for code in codes if not words_of_refusal(code)} == set()
    written = (Path(equipoise.__file__).parent / "exchange").rglob("*.py")
    exchange = {code for path in written for code in _OF_FILES.findall(path.read_text(encoding="utf-8"))}
    folders = {f"{ZIP.code}-{each}" for each in REFUSALS}
    assert folders <= BY_CODE.keys() <= codes | exchange | folders
    assert {code.partition("-")[2] for code in codes} >= BY_ENDING.keys() - {"CHECK"}


def test_the_clinics_own_refusals_and_readers_of_english_need_no_further_words():
    with translation.override("sv"):
        assert [words_of_refusal(code) for code in ("WEB-NOT-FOUND", "STORE-TEXT", "ACC-PAGE")] == [
            "",
            "",
            "",
        ]
    with translation.override("en"):
        assert words_of_refusal("CAP-TWICE") == ""


def test_spec_a_refusal_says_what_it_means_in_the_readers_language_above_the_english_detail(clinic: Clinic):
    investigator = actor_of(clinic, "investigator", "SE01")
    consented = person_of(clinic)
    pages = {}
    for language in ("en", "sv"):
        browser = browser_in(language, investigator)
        address = f"/do/complete-participant/?participant={consented}"
        answer = browser.post(address, form_of(browser, address) | {"completed_on": "2999-01-01"})
        assert answer.status_code == 422
        pages[language] = answer.content.decode()
    code = re.search(r'<p class="code">([A-Z-]+)</p>', pages["sv"])
    assert code
    with translation.override("sv"):
        general = words_of_refusal(code[1])
    assert pages["sv"].index(general) < pages["sv"].index('<div lang="en">')
    assert '<div lang="en">' not in pages["en"]
