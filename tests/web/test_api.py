"""The JSON interface: reads, commands, what is refused, and that the table of operations is whole."""

import inspect
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver

from equipoise.access.content import KINDS
from equipoise.access.permissions import PERMITTED
from equipoise.access.visibility import UNMASKING
from equipoise.conduct.view import UnmaskedView
from equipoise.enrolment.state import ParticipantRow
from equipoise.ledger.protocol import StoreUnavailable
from equipoise.web.accounts.models import AccessEvent
from equipoise.web.api.shapes import body_model
from equipoise.web.api.table import API_ROUTES, BROWSER_ONLY, NOT_READ, READS, SIGNED, ApiRoute
from equipoise.web.clinic import Clinic
from equipoise.web.commands.catalogue import COMMANDS
from equipoise.web.settings import POST_BYTES_MAX
from tests.web.clinics import browser_of
from tests.web.programs import API, Program

CONSENT = {"site": "SE01", "consent_version": "2", "consented_on": "2026-01-15"}


@pytest.fixture
def nurse(clinic: Clinic) -> Program:
    return Program(clinic, "nurse", "SE01")


@pytest.fixture
def consent(clinic: Clinic) -> dict[str, str]:
    return {**CONSENT, "consented_on": clinic.today("SE01").isoformat()}


def test_every_method_of_a_view_is_an_operation_or_says_why_not():
    methods = {name for name, _ in inspect.getmembers(UnmaskedView, inspect.isfunction) if name[0] != "_"}
    assert methods == {read.method for read in READS} | NOT_READ.keys()


def test_the_addresses_are_those_of_the_table():
    def below(patterns: Any, prefix: str) -> Any:
        for each in patterns:
            path = prefix + str(each.pattern)
            yield from below(each.url_patterns, path) if hasattr(each, "url_patterns") else (path,)

    found = {path for path in below(get_resolver().url_patterns, "") if path.startswith("api/")}
    assert found == {route.path.replace("{", "<").replace("}", ">") for route in API_ROUTES}


@pytest.mark.requirement("G10", "G14")
def test_spec_a_role_reads_what_its_visibility_says_and_nothing_else(clinic: Clinic):
    participant = next(iter(clinic.trial.tables.all(ParticipantRow))).participant
    form = clinic.definition.forms[0]
    values = {"participant": participant, "form": form.id, "item": form.items[0].id}
    kinds = {role.kind for role in clinic.definition.study.roles}
    for program in (Program(clinic, kind) for kind in sorted(kinds)):
        viewer = clinic.trial.as_seen_by(program.actor).viewer
        for route in (each for each in API_ROUTES if each.method == "GET"):
            answer = program.client.get("/" + _filled(route, values))
            # What is named may not be there for them: another site's, another reader's.
            mine = (200,) if "{" not in route.path else (200, 403, 404)
            allowed = mine if route.visible.admits(viewer) else (403,)
            assert answer.status_code in allowed, (program.actor, route, answer.content)


def _filled(route: ApiRoute, values: dict[str, str]) -> str:
    path = route.path
    for name in ("participant", "form", "item", "task", "lot", "unit"):
        path = path.replace(f"{{{name}}}", values.get(name, f"no-{name}"))
    return path


def test_reads_say_what_the_view_says(clinic: Clinic, nurse: Program):
    seen = clinic.trial.as_seen_by(nurse.actor)
    (first, *_) = seen.participants()
    lines = nurse.read("participants")
    assert [line["participant"] for line in lines] == [each.participant for each in seen.participants()]
    on = clinic.today("SE01").isoformat()
    timeline = nurse.read(f"participants/{first.participant}/timeline", today=on)
    assert timeline == nurse.read(f"participants/{first.participant}/timeline")
    assert {line["encounter"] for line in timeline} >= {
        each.id for each in clinic.definition.schedule.encounters
    }
    explained = nurse.read(f"participants/{first.participant}/eligibility", on=on)
    for text in explained.values():
        assert text["outcome"] in ("met", "not met", "unknown") and text["lines"][0][0] in "+-?"
    assert nurse.read("definition")["hash"] == clinic.definition.hash
    assert nurse.read("head")["position"] == clinic.trial.head.position


def test_the_audit_trail_comes_in_pages(nurse: Program):
    first = nurse.read("audit", limit=3)
    second = nurse.read("audit", limit=3, after=first["next"])
    assert nurse.read("audit", limit=6)["lines"] == first["lines"] + second["lines"]
    last = nurse.read("audit", after=10**9)
    assert last == {"lines": [], "next": None}


@pytest.mark.requirement("G1")
def test_an_unmasked_role_reads_the_arms_and_the_access_log_says_so(clinic: Clinic):
    program = Program(clinic, "unblinded_statistician")
    arms = program.read("arms")
    participant, arm = next(iter(arms.items()))
    assert program.read(f"arms/{participant}") == {"arm": arm}
    assert AccessEvent.objects.filter(what="allocation_read", account=program.actor.account).count() == 2


@pytest.mark.requirement("G8")
def test_spec_a_command_over_the_interface_is_an_entry_of_the_ledger(
    clinic: Clinic, nurse: Program, consent: dict[str, str]
):
    before = clinic.trial.head.position
    answer = nurse.give("ConsentParticipant", consent)
    (entry,) = clinic.trial.ledger.read(before)
    shown = {
        "position": entry.position,
        "kind": "ParticipantConsented",
        "hash": entry.hash,
        "recorded_at": entry.recorded_at,
    }
    assert (answer.status_code, answer.json()) == (200, {"entries": [shown]})
    assert (entry.actor, entry.role, entry.site) == (nurse.actor.account, nurse.actor.role, "SE01")


@pytest.mark.requirement("G8")
def test_spec_a_command_that_is_sent_twice_with_its_key_is_recorded_once(
    clinic: Clinic, nurse: Program, consent: dict[str, str]
):
    first, second = (nurse.give("ConsentParticipant", consent, **{"Idempotency-Key": "7"}) for _ in range(2))
    assert first.json() == second.json() and first.json()["entries"]
    assert second["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first
    assert clinic.trial.head.position == first.json()["entries"][-1]["position"]


def test_a_key_is_for_one_command_of_one_sender(clinic: Clinic, nurse: Program, consent: dict[str, str]):
    key = {"Idempotency-Key": "the-same"}
    assert nurse.give("ConsentParticipant", consent, **key).status_code == 200
    before = clinic.trial.head
    other = nurse.give("ConsentParticipant", {**consent, "consent_version": "1"}, **key)
    assert (other.status_code, other.json()["code"]) == (422, "WEB-KEY-REUSED")
    assert clinic.trial.head == before
    assert nurse.give("ConsentParticipant", consent, **key)["Idempotent-Replayed"] == "true"
    colleague = Program(clinic, "investigator", "SE01").give("ConsentParticipant", consent, **key)
    assert colleague.status_code == 200 and "Idempotent-Replayed" not in colleague


def test_a_refused_command_gives_its_key_back(clinic: Clinic, nurse: Program, consent: dict[str, str]):
    refused = nurse.give("ConsentParticipant", {**consent, "site": "IT01"}, **{"Idempotency-Key": "9"})
    assert (refused.status_code, refused.json()["code"]) == (403, "ACC-SITE")
    given = nurse.give("ConsentParticipant", consent, **{"Idempotency-Key": "9"})
    assert given.status_code == 200 and "Idempotent-Replayed" not in given


def test_spec_a_role_gives_no_command_of_another_role(clinic: Clinic, consent: dict[str, str]):
    before = clinic.trial.head
    for kind in sorted(
        {role.kind for role in clinic.definition.study.roles} - PERMITTED["ConsentParticipant"]
    ):
        answer = Program(clinic, kind).give("ConsentParticipant", consent)
        assert (answer.status_code, answer.json()["code"]) == (403, "ACC-COMMAND"), kind
    assert clinic.trial.head == before


def test_spec_a_command_whose_answer_was_lost_is_recorded_once_when_it_is_sent_again(
    clinic: Clinic, nurse: Program, consent: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    key, record = {"Idempotency-Key": "11"}, clinic.trial.record

    def record_and_die(*given: Any) -> None:
        record(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(clinic.trial, "record", record_and_die)
    with pytest.raises(KeyboardInterrupt):
        nurse.give("ConsentParticipant", consent, **key)
    monkeypatch.undo()
    before = clinic.trial.head
    answer = nurse.give("ConsentParticipant", consent, **key)
    assert answer.status_code == 200 and answer["Idempotent-Replayed"] == "true"
    assert answer.json()["entries"][-1]["position"] == before.position == clinic.trial.head.position


@pytest.mark.requirement("G10")
def test_spec_a_masked_giver_sees_no_entry_that_would_unmask(clinic: Clinic, nurse: Program):
    participant = next(each for each in nurse.read("participants") if each["randomised_on"])["participant"]
    body = {"participant": participant, "who": "she", "how": "a letter", "assessment": "It was placebo."}
    before = clinic.trial.head.position
    answer = nurse.give("ReportUnblinding", body)
    recorded = list(clinic.trial.ledger.read(before))
    hidden = [each.position for each in recorded if KINDS[each.kind].audience in UNMASKING]
    assert answer.status_code == 200 and hidden, answer.content
    shown = [each["position"] for each in answer.json()["entries"]]
    assert shown and shown == [each.position for each in recorded if each.position not in hidden]
    assert answer.json().keys() == {"entries"}


@pytest.mark.parametrize("name", sorted(SIGNED | BROWSER_ONLY))
@pytest.mark.requirement("G13", "P4")
def test_spec_a_token_signs_nothing_and_carries_no_name(clinic: Clinic, name: str):
    roles = {role.kind for role in clinic.definition.study.roles}
    program = Program(clinic, sorted(PERMITTED[name] & roles)[0])
    members = (
        *("participant", "cause", "meaning", "lot", "released_on", "recorded_on", "failed_on", "values"),
        *("position", "path"),
    )
    values = {"released_on": "2026-01-15", "recorded_on": "2026-01-15", "values": {}, "position": 1}
    fields = body_model(COMMANDS[name]).model_fields
    body = {each: values.get(each, "SE01-001") for each in (*members, "reason") if each in fields}
    before = clinic.trial.head
    answer = program.give(name, body)
    code = "WEB-SIGNED" if name in SIGNED else "WEB-BROWSER-ONLY"
    assert (answer.status_code, answer.json()["code"]) == (403, code), answer.content
    assert clinic.trial.head == before


BAD_BODIES = [
    (b"", "body"),
    (b"[" * 100_000, ""),
    (b"\xff", ""),
    (b"[]", "body"),
    ({**CONSENT, "site": 1}, "site"),
    ({**CONSENT, "site": "\ud800"}, "site"),
    ({**CONSENT, "site": "S\x00"}, "site"),
    ({**CONSENT, "site": "S" * 4001}, "site"),
    ({**CONSENT, "consented_on": "20260115"}, "consented_on"),
    ({**CONSENT, "consented_on": "2026-02-30"}, "consented_on"),
    ({**CONSENT, "consented_on": 5}, "consented_on"),
    ({**CONSENT, "arm": "A"}, "arm"),
    ({"site": "SE01"}, "consent_version"),
]


def test_a_body_that_is_none_is_refused_field_by_field(clinic: Clinic, nurse: Program):
    before = clinic.trial.head
    for body, place in BAD_BODIES:
        answer = nurse.give("ConsentParticipant", body)
        said = answer.json()
        assert (answer.status_code, said["code"]) == (422, "WEB-BODY"), body
        assert not place or any(each.startswith(f"{place}: ") for each in said["details"]), said
    assert clinic.trial.head == before


def test_times_need_their_distance_from_utc_and_numbers_are_no_texts(clinic: Clinic):
    desk = Program(clinic, "safety_desk")
    body = {"participant": "SE01-001", "row": "1", "clock": "x", "submitted_at": "2026-01-15T10:00:00"}
    details = desk.give("SubmitSafetyReport", body).json()["details"]
    assert [each.partition(":")[0] for each in details] == ["row", "submitted_at"]


def test_answers_are_text_numbers_and_yes_or_no(nurse: Program):
    body = {"participant": "SE01-001", "form": "demographics", "values": {"weight": 70.5, "x": {"y": 1}}}
    answer = nurse.give("RecordForm", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "WEB-BODY")


def test_a_refusal_of_the_trial_comes_with_its_code_and_remedy(nurse: Program):
    answer = nurse.client.get(f"{API}participants/SE01-999/records")
    assert answer.status_code == 404
    assert answer.json().keys() == {"code", "sentence", "remedy", "details"}
    assert answer.json()["code"] == "ACC-PARTICIPANT"
    assert nurse.client.get(f"{API}participants/SE01-001/records/nothing").json()["code"] == "WEB-NOT-FOUND"
    wrong = nurse.client.get(f"{API}due", {"today": "tomorrow"})
    assert wrong.json()["details"] == ["today: Write the day as YYYY-MM-DD."]


def test_a_wrong_method_a_wrong_address_and_too_much_are_told_as_json(nurse: Program):
    wrong = nurse.client.delete(f"{API}participants")
    assert (wrong.status_code, wrong["Allow"], wrong.json()["code"]) == (405, "GET", "WEB-METHOD")
    assert nurse.client.get(f"{API}nothing").json()["code"] == "WEB-NOT-FOUND"
    large = nurse.give("ConsentParticipant", b" " * (POST_BYTES_MAX + 1))
    assert (large.status_code, large.json()["code"]) == (413, "WEB-TOO-LARGE")


def test_a_trial_that_cannot_be_reached_is_worth_another_attempt(
    clinic: Clinic, nurse: Program, consent: dict[str, str], monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: Any) -> None:
        raise StoreUnavailable("STORE-BUSY", "Somebody else writes.")

    monkeypatch.setattr(clinic.trial, "record", fail)
    answer = nurse.give("ConsentParticipant", consent, **{"Idempotency-Key": "1"})
    assert (answer.status_code, answer.json()["code"]) == (503, "STORE-BUSY")
    assert answer["Retry-After"].isdigit()
    monkeypatch.undo()
    again = nurse.give("ConsentParticipant", consent, **{"Idempotency-Key": "1"})
    assert again.status_code == 200 and "Idempotent-Replayed" not in again


def test_a_logged_in_browser_is_nobody_here(clinic: Clinic, nurse: Program):
    answer = browser_of(nurse.actor).get(f"{API}participants")
    assert (answer.status_code, answer.json()["code"]) == (401, "WEB-TOKEN")


def test_the_openapi_document_is_for_everybody_and_names_every_operation(clinic: Clinic):
    answer = Client().get(f"{API}openapi.json")
    document = answer.json()
    named = {(path[1:], method.upper()) for path, methods in document["paths"].items() for method in methods}
    assert answer.status_code == 200
    assert named == {(each.path, each.method) for each in API_ROUTES if each.name != "openapi"}
