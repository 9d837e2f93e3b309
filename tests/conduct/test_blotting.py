"""A name typed into free text is blotted out; by whom, when and why is on record (ICH E6(R3) 4.2.2(b))."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.access.actor import Actor
from equipoise.access.content import KINDS
from equipoise.access.refusal import Refusal
from equipoise.allocation.commands import ReportUnblinding
from equipoise.capture.commands import AnswerQuery, CorrectForm, OpenQuery, RecordForm, StartEncounter
from equipoise.conduct.cut import replay
from equipoise.governance.commands import BlotText, PublishHead
from equipoise.ledger import MARK, Entry, StoreUnavailable, check_chain, find_head
from equipoise.ledger.blots import BLOT_KINDS
from tests.conduct.clinic import DANA, DAY, LENA, PETE, PRIYA, Clinic, FailingLedger, randomise

NAME = "Zyxwvut Qponmlk"
TEXT = f"Came with {NAME} as always"
WHY = "It names a relative."
VITALS = {"taken_on": DAY.isoformat(), "weight": "70", "systolic": 120, "diastolic": 80}


def noted(clinic: Clinic, text: str = TEXT, site: str = "SE01") -> tuple[str, Entry]:
    """Somebody in whose vital signs a remark names a person."""
    code = clinic.consent(site)
    actor = {"SE01": PRIYA, "CA01": PETE}[site]
    clinic.do(actor, StartEncounter(participant=code, encounter="screening", took_place_on=DAY))
    return code, record(clinic, code, text, actor)


def record(clinic: Clinic, code: str, text: str, actor: Actor = PRIYA) -> Entry:
    values = {**VITALS, "remark": text}
    command = RecordForm(participant=code, form="vitals", encounter="screening", values=values)
    return next(each for each in clinic.do(actor, command) if each.kind == "FormRecorded")


def blot(clinic: Clinic, position: int, path: str = "content.item_values.remark", words: str = "3,4") -> Any:
    return clinic.trial.record(DANA, BlotText(position=position, path=path, words=words), WHY)


def assert_sound(clinic: Clinic) -> None:
    """Every link holds, and the state in memory is what a replay leads to."""
    assert check_chain(clinic.ledger.records()).problems == ()
    assert find_head(clinic.ledger.records()) == clinic.trial.head
    assert clinic.trial.tables.digest() == replay(clinic.ledger).tables.digest()
    again = clinic.another("again")
    assert list(again.trail.page(None, None, newest_first=False)) == list(
        clinic.trial.trail.page(None, None, newest_first=False)
    )


def everything(clinic: Clinic) -> str:
    lines = list(clinic.trial.trail.page(None, None, newest_first=False))
    bodies = b"".join(entry.body for entry in clinic.ledger.read())
    return f"{clinic.trial.tables.dump()} {lines} {bodies.decode()}"


@pytest.mark.requirement("G4", "G13")
def test_spec_a_name_is_blotted_out_everywhere_and_who_when_and_why_is_on_record() -> None:
    clinic = Clinic()
    code, entry = noted(clinic)
    heads = [each.head for each in clinic.ledger.read()]
    (said,) = blot(clinic, entry.position)
    assert (said.kind, said.actor, said.reason) == ("TextBlotted", "dana", WHY)
    assert said.content["position"] == entry.position
    assert said.content["participant"] == code
    assert NAME not in everything(clinic)
    (line,) = (each for each in clinic.trial.as_seen_by(PRIYA).records(code) if each.form == "vitals")
    assert line.values["remark"] == f"Came with {MARK} as always"
    assert line.values["weight"] == "70"
    assert check_chain(clinic.ledger.records(), heads).problems == ()
    assert_sound(clinic)


@pytest.mark.requirement("G4")
def test_spec_the_copies_that_other_entries_hold_are_blotted_out_with_it() -> None:
    clinic = Clinic()
    code, entry = noted(clinic)
    _, other = noted(clinic, site="CA01")
    values = {"remark": "Came with a relative"}
    command = CorrectForm(participant=code, form="vitals", encounter="screening", values=values)
    (corrected, *_) = clinic.do(PRIYA, command, TEXT)
    (text,) = clinic.trial.as_seen_by(DANA).texts(entry.position)
    assert (text.field, text.words[2:4], text.copies) == (
        "remark",
        tuple(NAME.split()),
        (corrected.position,),
    )
    said = blot(clinic, corrected.position, "content.before")
    assert [(each.content["position"], each.content["path"]) for each in said] == [
        (entry.position, "content.item_values.remark"),
        (corrected.position, "reason"),
        (corrected.position, "content.before"),
    ]
    assert NAME not in str(list(clinic.trial.trail.of_participant(code)))
    assert NAME not in str(clinic.trial.as_seen_by(PRIYA).records(code))
    assert NAME in str(clinic.trial.trail.at(other.position).content), "another participant's is another text"
    assert_sound(clinic)


def test_spec_the_trail_shows_who_blotted_out_and_to_whom_the_text_is_shown() -> None:
    clinic = Clinic()
    code, entry = noted(clinic)
    (said,) = blot(clinic, entry.position)
    lines = {line.position: line for line in clinic.trial.as_seen_by(PRIYA).audit(code)}
    assert lines[entry.position].blotted_by == (said.position,)
    assert lines[said.position].reason == WHY
    at_the_other_site = {line.position for line in clinic.trial.as_seen_by(PETE).audit()}
    assert not at_the_other_site & {entry.position, said.position}


def test_spec_what_masked_roles_do_not_see_they_do_not_see_blotted_out() -> None:
    clinic = Clinic()
    code = clinic.consent()
    clinic.do(PRIYA, randomise(code))
    command = ReportUnblinding(participant=code, who="A nurse", how=f"Told by {NAME}", assessment="Minor")
    entries = clinic.do(PRIYA, command)
    entry = next(each for each in entries if each.kind == "UnblindingAssessed")
    refused = blot(clinic, entry.position, "content.how")
    assert isinstance(refused, Refusal)
    beyond = blot(clinic, 10**6, "content.how")
    assert (refused.code, refused.remedy) == (beyond.code, beyond.remedy) == ("GOV-BLOT-PLACE", beyond.remedy)
    (said,) = clinic.do(LENA, BlotText(position=entry.position, path="content.how", words="3, 4"), WHY)
    assert said.kind == "UnmaskingTextBlotted"
    assert "nonce" in said.content
    assert said.position not in {line.position for line in clinic.trial.as_seen_by(DANA).audit()}
    assert said.position in {line.position for line in clinic.trial.as_seen_by(LENA).audit()}
    assert "nonce" not in next(clinic.ledger.read(entry.position - 1)).content
    assert NAME not in everything(clinic)
    assert_sound(clinic)


def test_spec_queries_reasons_and_destinations_can_be_blotted_out() -> None:
    clinic = Clinic()
    code, entry = noted(clinic)
    asked = OpenQuery(
        participant=code, form="vitals", encounter="screening", item="remark", text=f"Who is {NAME}?"
    )
    (opened, *_) = clinic.do(DANA, asked)
    query = str(opened.content["query"])
    (answered, *_) = clinic.do(PRIYA, AnswerQuery(query=query, text=f"The aunt, {NAME}."))
    (published,) = clinic.do(DANA, PublishHead(destination=NAME), f"For {NAME}")
    texts = [(opened, "content.text"), (answered, "content.text"), (published, "content.destination")]
    for line, path in [*texts, (published, "reason"), (entry, "content.item_values.remark")]:
        assert not isinstance(blot(clinic, line.position, path, "all"), Refusal)
    assert NAME not in everything(clinic)
    assert [row.text for row in clinic.trial.as_seen_by(DANA).queries()] == [MARK]
    assert_sound(clinic)


REFUSED = [
    ("content.item_values.weight", "1", WHY, "GOV-BLOT-PLACE"),
    ("content.item_values", "1", WHY, "GOV-BLOT-PLACE"),
    ("content.participant", "all", WHY, "GOV-BLOT-PLACE"),
    ("content.dated", "all", WHY, "GOV-BLOT-PLACE"),
    ("reason", "all", WHY, "GOV-BLOT-PLACE"),
    ("content.item_values.remark", "", WHY, "GOV-BLOT-WORDS"),
    ("content.item_values.remark", "7", WHY, "GOV-BLOT-WORDS"),
    ("content.item_values.remark", "0", WHY, "GOV-BLOT-WORDS"),
    ("content.item_values.remark", "x", WHY, "GOV-BLOT-WORDS"),
    ("content.item_values.remark", "3", " ", "GOV-BLOT-REASON"),
    ("content.item_values.remark", "3,4", "It names Qponmlk.", "GOV-BLOT-REPEATED"),
    ("content.item_values.remark", "all", f"It said: {TEXT}.", "GOV-BLOT-REPEATED"),
]


@pytest.mark.parametrize(("path", "words", "reason", "code"), REFUSED)
def test_spec_only_free_text_is_blotted_out_and_with_a_reason_that_does_not_repeat_it(
    path: str, words: str, reason: str, code: str
) -> None:
    clinic = Clinic()
    _, entry = noted(clinic)
    before = list(clinic.ledger.read())
    command = BlotText(position=entry.position, path=path, words=words)
    refusal = clinic.trial.record(DANA, command, reason)
    assert isinstance(refusal, Refusal)
    assert refusal.code == code
    assert NAME not in str(refusal)
    assert list(clinic.ledger.read()) == before


def test_spec_a_blot_itself_cannot_be_blotted_out_and_a_text_only_once() -> None:
    clinic = Clinic()
    _, entry = noted(clinic)
    (said,) = blot(clinic, entry.position, words="all")
    for position, path in ((said.position, "reason"), (entry.position, "content.item_values.remark")):
        refusal = blot(clinic, position, path, "all")
        assert isinstance(refusal, Refusal)
        assert refusal.code == "GOV-BLOT-PLACE"


def test_spec_no_kind_about_the_structure_of_the_trial_has_free_text() -> None:
    free = {name for name, kind in KINDS.items() if kind.texts or kind.answers}
    structural = {
        *("TrialOpened", "RoleGranted", "StudyAmended", "ParticipantRandomised", "ParticipantConsented"),
        *("ConsentRenewed", "TrialUnblinded", "AllocationCommitted", "EligibilityAssessed", "CasebookSigned"),
        *("LotReleased", "UnitPrepared", "SafetyClockStarted", "DictionaryAdded", *BLOT_KINDS),
    }
    assert structural <= KINDS.keys() - free


def test_spec_another_process_learns_of_it_and_forgets_what_it_knew() -> None:
    clinic = Clinic()
    code, entry = noted(clinic)
    reading, writing = clinic.another("reads"), clinic.another("writes")
    blot(clinic, entry.position)
    with reading.reading():
        pass
    clinic_of = {"reads": reading, "writes": writing}
    asked = OpenQuery(participant=code, form="vitals", encounter="screening", item="remark", text="Who?")
    assert isinstance(writing.record(DANA, asked), tuple)
    reading.catch_up()
    for trial in clinic_of.values():
        assert NAME not in str(trial.tables.dump())
        assert NAME not in str(list(trial.trail.page(None, None, newest_first=False)))
        assert trial.tables.digest() == replay(clinic.ledger).tables.digest()


class UnreadableLedger(FailingLedger):
    """A ledger of which one read fails, the first one or a later one."""

    fails_in = 0

    def read(self, after: int = 0) -> Iterator[Entry]:
        self.fails_in -= 1
        if self.fails_in == 0:
            raise StoreUnavailable("STORE-BUSY", "The disk is busy.")
        return super().read(after)


@pytest.mark.parametrize("read", [1, 2, 3])
def test_spec_another_process_that_cannot_read_it_for_once_forgets_it_with_the_next_look(read: int) -> None:
    ledger = UnreadableLedger()
    clinic = Clinic(ledger)
    _, entry = noted(clinic)
    other = clinic.another("other")
    blot(clinic, entry.position)
    ledger.fails_in = read
    with pytest.raises(StoreUnavailable):
        other.catch_up()
    other.catch_up()
    assert NAME not in str(other.tables.dump())
    assert NAME not in str(list(other.trail.page(None, None, newest_first=False)))
    assert other.tables.digest() == replay(ledger).tables.digest()


@pytest.mark.parametrize("step", ["lock", "append", "commit"])
def test_spec_where_the_storage_fails_nothing_is_blotted_out(step: str) -> None:
    ledger = FailingLedger()
    clinic = Clinic(ledger)
    code, entry = noted(clinic)
    before, tables = list(ledger.read()), clinic.trial.tables.digest()
    ledger.fails_at = step
    with pytest.raises(StoreUnavailable):
        blot(clinic, entry.position)
    ledger.fails_at = None
    assert (list(ledger.read()), clinic.trial.tables.digest()) == (before, tables)
    assert NAME in str(clinic.trial.trail.at(entry.position).content)
    asked = OpenQuery(participant=code, form="vitals", encounter="screening", item="remark", text="Who?")
    clinic.do(DANA, asked)
    assert_sound(clinic)
    assert not isinstance(blot(clinic, entry.position), Refusal)
    assert_sound(clinic)


@settings(max_examples=15)
@given(st.data())
def test_law_whatever_is_blotted_out_the_tables_are_what_the_ledger_leads_to(data: st.DataObject) -> None:
    clinic = Clinic()
    code, _ = noted(clinic)
    values = {"remark": f"{NAME} again"}
    command = CorrectForm(participant=code, form="vitals", encounter="screening", values=values)
    clinic.do(PRIYA, command, f"{NAME} said so")
    for _ in range(data.draw(st.integers(1, 4))):
        seen = clinic.trial.as_seen_by(DANA)
        texts = [text for line in seen.audit() for text in seen.texts(line.position)]
        if not texts:
            break
        text = data.draw(st.sampled_from(texts))
        words = data.draw(st.sets(st.integers(1, len(text.words)), min_size=1))
        said = blot(clinic, text.position, text.path, ",".join(map(str, words)))
        assert not isinstance(said, Refusal) or MARK in text.text or said.code == "GOV-BLOT-REPEATED"
    assert_sound(clinic)
