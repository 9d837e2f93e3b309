"""Bad input: whatever is sent, a clear page with a stable code, nothing lost, nothing let in."""

import os
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from equipoise.web.accounts.models import Account
from equipoise.web.clinic import Clinic
from equipoise.web.protect import role_token
from equipoise.web.routes import ROUTES
from equipoise.web.settings import IDLE_SECONDS, POST_BYTES_MAX
from tests.web.blinding.places import addresses_of, facts_of, url_patterns
from tests.web.clinics import PASSWORD, actor_of, browser_of, form_of, read_form

CONSENT = "/do/consent-participant/"
SNAPSHOT = Path(__file__).with_name("refusals.txt")
SOURCES = Path(__file__).parents[2] / "src" / "equipoise" / "web"
REGENERATE = "EQUIPOISE_WRITE_SNAPSHOTS"


@pytest.fixture
def nurse(clinic: Clinic) -> Client:
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    browser.raise_request_exception = False
    return browser


@pytest.fixture
def unchanged(clinic: Clinic) -> Iterator[None]:
    before = clinic.trial.head
    yield
    assert clinic.trial.head == before, "something was recorded"


def posting_addresses(clinic: Clinic) -> list[str]:
    """One address of every page that forms are sent to."""
    facts, posts = facts_of(clinic), {route.name for route in ROUTES if route.posts}
    return [next(iter(addresses_of(each, facts))) for each in url_patterns() if each.name in posts]


def is_clear(answer: object) -> bool:
    """Whether an answer is a page with a code, a form that says what is wrong, or one that leads on."""
    status, text = answer.status_code, answer.content.decode()  # type: ignore[attr-defined]
    return status < 500 and (status < 400 or bool(re.search(r"[A-Z]{3}-[A-Z-]+|problem|wrong|refusal", text)))


LONG = "x" * 100_000
VALUES = {
    "NUL bytes": "a\x00b",
    "a very long value": LONG,
    "a path that leads out": "../../../etc/passwd",
    "a negative number": "-1",
    "a huge number": "9" * 400,
    "an exponent": "1e999999",
    "not a number": "NaN",
    "right to left": "\u202e\u200f",
    "markup": "<script>alert(1)</script>",
    "a template": "{{ request }}{% debug %}",
}


@pytest.mark.parametrize("what", VALUES)
def test_no_value_brings_a_page_down(what: str, clinic: Clinic, nurse: Client, unchanged: None) -> None:
    posted = form_of(nurse, CONSENT)
    told = {name: posted[name] for name in ("acting_as", "definition")}
    names = ["participant", "site", "encounter", "form", "row", "item", "values", "consent_version", "query"]
    names += ["role", "language", "page", "kind", "cause", "ticket", "next", "fixed", "consented_on"]
    wrong = []
    for address in posting_addresses(clinic):
        answer = nurse.post(address, dict.fromkeys(names, VALUES[what]) | told)
        if not is_clear(answer) or VALUES["markup"] in answer.content.decode():
            wrong.append((address, answer.status_code))
    for address in ("/participants/", "/queries/", "/audit/", CONSENT):
        for name in ("find", "sort", "page", "as", "participant", "next"):
            answer = nurse.get(address, {name: VALUES[what]})
            if not is_clear(answer) or VALUES["markup"] in answer.content.decode():
                wrong.append((address, answer.status_code))
    assert wrong == []


BODIES = {
    "no form at all": (b"\x00\xff\xfe", "application/x-www-form-urlencoded"),
    "invalid UTF-8": (b"participant=%ff%fe&consent_version=\xff", "application/x-www-form-urlencoded"),
    "JSON": (b'{"participant": 1}', "application/json"),
    "deep JSON": (b"[" * 100_000, "application/json"),
    "multipart without a boundary": (b"--x\r\n", "multipart/form-data"),
    "multipart that breaks off": (
        b"--x\r\nContent-Disposition: form-data; name=",
        "multipart/form-data; boundary=x",
    ),
    "an unknown charset": (b"a=b", "application/x-www-form-urlencoded; charset=nonsense"),
    "too many fields": (b"&".join(b"a%d=1" % n for n in range(10_000)), "application/x-www-form-urlencoded"),
    "too much": (b"a=" + b"x" * (POST_BYTES_MAX + 1), "application/x-www-form-urlencoded"),
}


@pytest.mark.parametrize("what", BODIES)
def test_no_body_brings_a_page_down(what: str, clinic: Clinic, nurse: Client, unchanged: None) -> None:
    body, content_type = BODIES[what]
    addresses = [*posting_addresses(clinic), "/accounts/login/", "/api/v1/commands/consent-participant"]
    answers = {each: nurse.generic("POST", each, body, content_type=content_type) for each in addresses}
    assert {address: answer.status_code for address, answer in answers.items() if not is_clear(answer)} == {}
    if what.startswith("too"):
        # A page that is not open to the role does not read what is sent to it.
        pages = [answer for address, answer in answers.items() if "/api/" not in address]
        assert {answer.status_code for answer in pages} in ({413}, {403, 413})
        assert all("WEB-TOO-LARGE" in each.content.decode() for each in pages if each.status_code == 413)


def test_a_file_where_a_text_is_asked_for_is_no_answer(nurse: Client, unchanged: None) -> None:
    file = SimpleUploadedFile("x.txt", b"2")
    answer = nurse.post(CONSENT, form_of(nurse, CONSENT) | {"consent_version": file})
    assert (answer.status_code, "This must be answered." in answer.content.decode()) == (422, True)


def test_of_fields_sent_twice_one_counts(clinic: Clinic, nurse: Client) -> None:
    posted = form_of(nurse, CONSENT) | {"consent_version": ["1", "2"]}
    assert nurse.post(CONSENT, posted).status_code == 302
    (entry,) = clinic.trial.ledger.read(clinic.trial.head.position - 1)
    assert entry.content["consent_version"] == "2"


def test_methods_that_an_address_does_not_take_are_refused_on_a_page(
    clinic: Clinic, nurse: Client, unchanged: None
) -> None:
    facts, posts = facts_of(clinic), {route.name: route.posts for route in ROUTES}
    for pattern in url_patterns():
        if pattern.name not in posts:
            continue
        address = next(iter(addresses_of(pattern, facts)))
        methods = ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE"]
        for method in methods if posts[pattern.name] else [*methods, "POST"]:
            answer = nurse.generic(method, address)
            assert (answer.status_code, "WEB-METHOD" in answer.content.decode()) == (405, True), address
            assert answer["Allow"] == ("GET, HEAD, POST" if posts[pattern.name] else "GET, HEAD")


def test_a_post_from_another_site_is_refused_everywhere(clinic: Clinic, unchanged: None) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.cookies = browser_of(actor_of(clinic, "nurse", "SE01")).cookies
    page = read_form(browser.get(CONSENT).content.decode()) | {"consent_version": "2"}
    assert page["csrfmiddlewaretoken"]
    for address in posting_addresses(clinic):
        for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
            fields = page if headers else {"csrfmiddlewaretoken": "x" * 64}
            answer = browser.post(address, fields, headers=headers)
            assert (answer.status_code, "WEB-FORGED" in answer.content.decode()) == (403, True), address


def test_a_forged_session_is_nobody_and_one_that_ended_too(clinic: Clinic) -> None:
    browser = browser_of(actor_of(clinic, "nurse", "SE01"))
    kept = browser.cookies["clinic_session"].value
    assert browser.get("/").status_code == 200
    assert browser.post("/accounts/logout/").status_code == 302
    for value in (kept, "x" * 32, "", "../../etc", "a\x00b".replace("\x00", "%00"), "é"):
        replay = Client()
        replay.cookies["clinic_session"] = value
        answer = replay.get("/")
        assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/")


def test_a_ticket_of_another_account_or_none_records_nothing(clinic: Clinic, nurse: Client) -> None:
    fields = form_of(nurse, CONSENT) | {"consent_version": "2"}
    assert nurse.post(CONSENT, fields).status_code == 302
    before = clinic.trial.head
    other = browser_of(actor_of(clinic, "nurse", "IT01"))
    theirs = form_of(other, CONSENT) | {"consent_version": "2", "ticket": fields["ticket"]}
    answer = other.post(CONSENT, theirs)
    assert (answer.status_code, "WEB-SENT-TWICE" in answer.content.decode()) == (409, True)
    for ticket in ("", "short", "x" * 33, "../" * 11):
        answer = nurse.post(CONSENT, fields | {"ticket": ticket})
        assert (answer.status_code, "WEB-TICKET" in answer.content.decode()) == (409, True)
        assert len(read_form(answer.content.decode())["ticket"]) == 32, "it can be sent again from there"
    assert clinic.trial.head == before


def test_spec_a_form_whose_process_died_is_recorded_once_when_it_is_sent_again(
    clinic: Clinic, nurse: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields, record = form_of(nurse, CONSENT) | {"consent_version": "2"}, clinic.trial.record

    def die_before(*_: object) -> None:
        raise KeyboardInterrupt

    def die_after(*given: Any) -> None:
        record(*given)
        raise KeyboardInterrupt

    recorded = []
    for die in (die_before, die_after):
        monkeypatch.setattr(clinic.trial, "record", die)
        with pytest.raises(KeyboardInterrupt):
            nurse.post(CONSENT, fields)
        recorded.append(clinic.trial.head.position)
    monkeypatch.undo()
    for _ in range(2):
        answer = nurse.post(CONSENT, fields, follow=True)
        assert "recorded already" in answer.content.decode()
    assert recorded[0] < recorded[1] == clinic.trial.head.position


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "\t//evil.example"],
)
def test_nothing_leads_to_another_host(target: str, clinic: Clinic, nurse: Client) -> None:
    nils = actor_of(clinic, "nurse", "SE01")
    person = Account.objects.get(username=nils.account)
    person.set_password(PASSWORD)
    person.save()
    login = Client().post("/accounts/login/", {"login": nils.account, "password": PASSWORD, "next": target})
    language = nurse.post("/language/", {"language": "sv", "next": target})
    given = nurse.post(
        CONSENT,
        form_of(browser_of(actor_of(clinic, "nurse", "SE01")), CONSENT)
        | {"consent_version": "2", "next": target},
    )
    told = {"acting_as": role_token(actor_of(clinic, "nurse", "SE01")), "page": target, "discard": "1"}
    draft = nurse.post("/drafts/", told)
    for answer in (login, language, given, draft):
        assert answer.status_code in (302, 422)
        assert "evil" not in answer.get("Location", "")
        assert "javascript" not in answer.get("Location", "")
    assert f'href="{target}"' not in nurse.get(CONSENT, {"next": target}).content.decode()


def test_spec_a_form_drawn_under_another_definition_is_not_recorded_and_keeps_its_answers(
    nurse: Client, unchanged: None
) -> None:
    for definition in ("0" * 64, ""):
        fields = form_of(nurse, CONSENT) | {"consent_version": "2", "definition": definition}
        answer = nurse.post(CONSENT, fields)
        text = answer.content.decode()
        assert (answer.status_code, "WEB-DEFINITION" in text) == (409, True)
        assert read_form(text)["consent_version"] == "2"
        assert read_form(text)["definition"] not in ("0" * 64, "")


def test_a_clock_that_jumps_back_ends_no_session_and_breaks_no_chain(clinic: Clinic, nurse: Client) -> None:
    assert nurse.get("/").status_code == 200
    true = clinic.clock
    clinic.clock = clinic.trial._clock = lambda: true() - timedelta(days=400)
    fields = form_of(nurse, CONSENT) | {"consent_version": "2"}
    assert nurse.post(CONSENT, fields).status_code in (302, 422)
    entries = list(clinic.trial.ledger.read())
    assert [each.recorded_at for each in entries] == sorted(each.recorded_at for each in entries)


def test_spec_a_session_that_ends_while_somebody_signs_records_nothing_and_leads_back(clinic: Clinic) -> None:
    investigator = actor_of(clinic, "investigator", "SE01")
    browser, address = browser_of(investigator), "/do/sign-casebook/?participant=SE01-001&next=/participants/"
    fields = form_of(browser, address) | {"proof_password": PASSWORD, "meaning": "I agree."}
    before, true = clinic.trial.head, clinic.clock
    clinic.clock = lambda: true() + timedelta(seconds=IDLE_SECONDS + 60)
    answer = browser.post(address, fields)
    assert answer.status_code == 302
    led = Client().get(answer["Location"]).content.decode()
    assert answer["Location"].startswith(
        "/accounts/login/?next=%2Fdo%2Fsign-casebook%2F%3Fparticipant%3DSE01-001"
    )
    assert 'value="/do/sign-casebook/?participant=SE01-001&amp;next=/participants/"' in led
    assert clinic.trial.head == before
    assert browser.get("/").status_code == 302, "the session is over"


def test_an_unknown_host_is_refused(clinic: Clinic) -> None:
    for host in ("evil.example", "localhost.evil.example", "a b", ""):
        answer = Client(raise_request_exception=False).get("/accounts/login/", HTTP_HOST=host or "[")
        assert (answer.status_code, "WEB-REQUEST" in answer.content.decode()) == (400, True), host


def test_codes_that_are_paths_lead_nowhere(nurse: Client) -> None:
    for code in ("..", "%2e%2e%2f", "SE01-001%00", "a" * 5000, "SE01-001/../..", "é", "%ff"):
        answer = nurse.get(f"/participants/{code}/")
        assert (answer.status_code, "WEB-NOT-FOUND" in answer.content.decode()) == (404, True), code


# -- the wording


_CODE = re.compile(r'"(WEB-[A-Z-]+)"')


def test_every_code_of_the_clinic_is_known() -> None:
    text = "".join(f"{code}\n{sentences}" for code, sentences in sorted(codes_and_sentences().items()))
    if os.environ.get(REGENERATE):
        SNAPSHOT.write_text(text, encoding="utf-8")
    assert text == SNAPSHOT.read_text(encoding="utf-8"), f"read the changes, then set {REGENERATE}=1"


def codes_and_sentences() -> dict[str, str]:
    """The clinic's own codes, each with the sentences that stand before and in its refusals in the source."""
    found: dict[str, set[str]] = {}
    for path in sorted(SOURCES.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for match in _CODE.finditer(text):
            near = text[max(0, match.start() - 420) : match.end() + 260]
            start = near.rfind("\ndef ", 0, near.find(match[0]))
            sentences = re.findall(r'_\(\s*"([^"]+)"', near[max(0, start) :].split("\n\n\n")[0])
            found.setdefault(match[1], set()).update(sentences)
    return {code: "".join(f"    {each}\n" for each in sorted(said)) for code, said in found.items()}
