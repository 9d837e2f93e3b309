"""A trial under way takes a new version of its definition, site by site, and loses nothing recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from equipoise.access.actor import Actor
from equipoise.access.command import Command
from equipoise.access.refusal import Refusal
from equipoise.analysis.deviations import derive_deviations
from equipoise.analysis.report.content import Entries, Entry
from equipoise.analysis.report.sections import report_content
from equipoise.analysis.run import analyse
from equipoise.capture.commands import (
    AnswerQuery,
    CorrectForm,
    MissEncounter,
    OpenQuery,
    RecordForm,
    StartEncounter,
)
from equipoise.conduct.cut import cut_trial, replay
from equipoise.conduct.verify import verify_trial
from equipoise.definition.lock import canonical_json, hashed
from equipoise.definition.model.definition import StudyDefinition
from equipoise.definition.model.eligibility import Eligibility, Variant
from equipoise.definition.model.study import Site
from equipoise.enrolment.commands import RenewConsent
from equipoise.governance.commands import ActivateSite, ActivateVersion, AmendStudy, GrantRole, LockDatabase
from equipoise.ledger import StoreUnavailable
from tests.conduct.clinic import ADA, DANA, DAY, PETE, Clinic, FailingLedger, open_definition, randomise
from tests.conduct.test_verify import keep
from tests.factory import PRIYA
from tests.small_trial import item

VALUES = {"taken_on": DAY.isoformat(), "weight": "70", "systolic": 120, "diastolic": 80, "remark": "Well."}
LATER = {name: value for name, value in VALUES.items() if name != "remark"} | {"pulse": 66}


def second(base: StudyDefinition) -> StudyDefinition:
    """Version 2.0: the remark is retired, the pulse is new, week 4 has a wider window,
    scans and the call are dropped.
    """
    forms = tuple(
        replace(
            form,
            items=(
                *(replace(each, retired=each.id == "remark") for each in form.items),
                item("pulse", "integer", minimum=Decimal(20)),
            ),
        )
        if form.id == "vitals"
        else replace(form, retired=form.id == "scan")
        for form in base.forms
    )
    encounters = tuple(
        replace(each, retired=each.id == "call", late_days=10 if each.id == "week_4" else each.late_days)
        for each in base.schedule.encounters
    )
    return hashed(
        replace(
            base,
            study=replace(base.study, version="2.0"),
            forms=forms,
            schedule=replace(base.schedule, encounters=encounters),
        )
    )


def without_imaging() -> Clinic:
    """The small trial, in which nothing is read centrally, so that the form of a scan can be retired."""
    canadian = Variant(id="canadian", title="Canada", approved_from=DAY, criteria=())
    rules = Eligibility(criteria=(), variants=(canadian,))
    definition = hashed(replace(open_definition(), imaging=None, eligibility=rules))
    return Clinic(ledger=FailingLedger(), definition=definition)


def amend(
    clinic: Clinic,
    make: Callable[[StudyDefinition], StudyDefinition] = second,
    *,
    substantial: bool = True,
    reconsent: bool = False,
) -> StudyDefinition:
    amended = make(clinic.trial.definition)
    command = AmendStudy(
        title="Amendment 1",
        canonical=canonical_json(amended).decode(),
        substantial=substantial,
        reconsent=reconsent,
    )
    clinic.do(ADA, command)
    return amended


def approve(clinic: Clinic, site: str, version: str = "2.0") -> None:
    clinic.do(ADA, ActivateVersion(site=site, study_version=version, approved_on=DAY))


def entries_of(block: object) -> tuple[Entry, ...]:
    return block.entries if isinstance(block, Entries) else ()


def refused(clinic: Clinic, actor: Actor, command: Command, reason: str | None = None) -> str:
    outcome = clinic.trial.record(actor, command, reason)
    assert isinstance(outcome, Refusal), outcome
    return outcome.code


def start(clinic: Clinic, actor: Actor, code: str, encounter: str, day: date = DAY) -> None:
    clinic.do(actor, StartEncounter(participant=code, encounter=encounter, took_place_on=day))


def fill(code: str, values: dict[str, object], encounter: str = "week_0") -> RecordForm:
    return RecordForm(participant=code, form="vitals", values=values, encounter=encounter)


@pytest.mark.requirement("G17", "G16")
def test_spec_a_version_holds_at_a_site_from_its_approval_on() -> None:
    clinic = without_imaging()
    first = clinic.definition
    here, there = clinic.consent("SE01"), clinic.consent("CA01")
    for actor, code in ((PRIYA, here), (PETE, there)):
        clinic.do(actor, randomise(code))
        start(clinic, actor, code, "week_0")
    amended = amend(clinic)
    assert clinic.trial.definition == amended
    assert [clinic.trial.definition_for(each) for each in (PRIYA, PETE, DANA)] == [first, first, amended]
    approve(clinic, "SE01")
    assert [clinic.trial.definition_for(each) for each in (PRIYA, PETE, DANA)] == [amended, first, amended]
    assert refused(clinic, PRIYA, fill(here, VALUES)) == "CAP-VALUE"
    assert refused(clinic, PETE, fill(there, LATER)) == "CAP-VALUE"
    (new,) = clinic.do(PRIYA, fill(here, LATER))
    (old,) = clinic.do(PETE, fill(there, VALUES))
    assert [new.definition, old.definition] == [amended.hash, first.hash]


@pytest.mark.requirement("R20", "R21", "R22")
def test_spec_what_was_recorded_stays_and_is_read_and_corrected_and_asked_about() -> None:
    clinic = without_imaging()
    code = clinic.consent()
    clinic.do(PRIYA, randomise(code))
    start(clinic, PRIYA, code, "week_0")
    clinic.do(PRIYA, fill(code, VALUES))
    clinic.do(PRIYA, RecordForm(participant=code, form="labs", values={"crp": "1.5"}, encounter="week_0"))
    before = clinic.trial.as_seen_by(PRIYA).record(code, "vitals", "week_0")
    amend(clinic)
    approve(clinic, "SE01")
    after = clinic.trial.as_seen_by(PRIYA).record(code, "vitals", "week_0")
    assert before == after is not None
    assert after.values["remark"] == "Well."
    clinic.do(
        DANA,
        OpenQuery(
            participant=code,
            form="vitals",
            encounter="week_0",
            item="remark",
            text="In what respect?",
        ),
    )
    (query,) = clinic.trial.as_seen_by(PRIYA).queries()
    clinic.do(PRIYA, AnswerQuery(query=query.query, text="In all."))
    seen = clinic.trial.as_seen_by(PRIYA).record(code, "vitals", "week_0")
    assert seen is not None
    correct = CorrectForm(
        participant=code,
        form="vitals",
        values={"remark": "Very well."},
        encounter="week_0",
        seen=seen.position,
    )
    clinic.do(PRIYA, correct, "Misheard.")
    found = clinic.trial.as_seen_by(DANA).record(code, "vitals", "week_0")
    assert found is not None and found.values["remark"] == "Very well."
    cut = clinic.trial.as_seen_by(DANA).cut()
    (row,) = [row for person in cut.participants for row in person.rows if row.form == "vitals"]
    assert row.values["remark"].value == "Very well."


@pytest.mark.requirement("R20")
def test_spec_what_is_retired_is_not_asked_again() -> None:
    clinic = without_imaging()
    code = clinic.consent()
    clinic.do(PRIYA, randomise(code))
    start(clinic, PRIYA, code, "week_0")
    due = clinic.trial.as_seen_by(PRIYA).timeline(code, DAY)
    assert "call" in {line.encounter for line in due}
    amend(clinic)
    approve(clinic, "SE01")
    due = clinic.trial.as_seen_by(PRIYA).timeline(code, DAY)
    assert "call" not in {line.encounter for line in due}
    assert refused(clinic, PRIYA, StartEncounter(participant=code, encounter="call", took_place_on=DAY)) == (
        "CAP-RETIRED"
    )
    assert refused(clinic, PRIYA, MissEncounter(participant=code, encounter="call", cause="Away.")) == (
        "CAP-RETIRED"
    )
    scan = RecordForm(participant=code, form="scan", values={"scanned_on": "2024-06-03"}, encounter="week_0")
    assert refused(clinic, PRIYA, scan) == "CAP-RETIRED"
    assert [line.form for line in clinic.trial.as_seen_by(DANA).missing_forms()] == ["vitals", "labs"]


def test_spec_what_a_version_adds_is_not_missing_from_what_took_place_before_it() -> None:
    clinic = without_imaging()
    one, other = clinic.consent(), clinic.consent()
    clinic.do(PRIYA, randomise(one))
    start(clinic, PRIYA, one, "week_0")

    def adding(base: StudyDefinition) -> StudyDefinition:
        (history, *others) = base.schedule.activities
        history = replace(history, encounters=(*history.encounters, "week_0"))
        schedule = replace(base.schedule, activities=(history, *others))
        return hashed(replace(base, study=replace(base.study, version="2.0"), schedule=schedule))

    amend(clinic, adding)
    approve(clinic, "SE01")
    clinic.do(PRIYA, randomise(other))
    start(clinic, PRIYA, other, "week_0")
    missing = {(line.participant, line.form) for line in clinic.trial.as_seen_by(DANA).missing_forms()}
    assert (other, "demographics") in missing and (one, "demographics") not in missing
    cut = clinic.trial.as_seen_by(DANA).cut()
    found = [line for line in derive_deviations(cut) if line.kind == "missing_form"]
    assert {line.participant for line in found if "Demographics" in line.text} == {other}


def test_spec_a_window_is_the_one_that_held_when_the_visit_was_recorded() -> None:
    clinic = without_imaging()
    one, other = clinic.consent(), clinic.consent()
    for code in (one, other):
        clinic.do(PRIYA, randomise(code))
    clinic.clock.now += timedelta(days=60)
    day = DAY + timedelta(days=28 + 6)
    start(clinic, PRIYA, one, "week_4", day)
    amend(clinic)
    approve(clinic, "SE01")
    start(clinic, PRIYA, other, "week_4", day)
    seen = clinic.trial.as_seen_by(DANA)
    (line,) = seen.out_of_window()
    assert (line.participant, line.status) == (one, "late")


def test_spec_a_version_that_is_not_substantial_holds_where_the_one_before_it_does() -> None:
    clinic = without_imaging()
    amend(clinic)
    approve(clinic, "SE01")

    def third(base: StudyDefinition) -> StudyDefinition:
        return hashed(replace(base, study=replace(base.study, version="2.1", title="Another title")))

    amended = amend(clinic, third, substantial=False)
    assert clinic.trial.definition_for(PRIYA) == amended
    assert clinic.trial.definition_for(PETE) == clinic.definition
    approve(clinic, "CA01", "2.0")
    assert clinic.trial.definition_for(PETE) == amended
    lines = clinic.trial.as_seen_by(DANA).versions()
    assert [(line.number, line.study_version, line.sites) for line in lines] == [
        (1, "1.0", ()),
        (2, "2.0", ()),
        (3, "2.1", ("CA01", "SE01")),
    ]
    assert [change.place for change in clinic.trial.as_seen_by(PRIYA).changes(3)] == [
        ("study", "title"),
        ("study", "version"),
    ]
    assert clinic.trial.as_seen_by(PRIYA).changes(1) == clinic.trial.as_seen_by(PRIYA).changes(9) == ()


def test_spec_a_site_that_joins_with_a_version_begins_with_it() -> None:
    clinic = without_imaging()
    site = Site(id="NO01", name="Coast hospital", country="NO", time_zone="Europe/Oslo")

    def joined(base: StudyDefinition) -> StudyDefinition:
        study = replace(base.study, version="2.0", sites=(*base.study.sites, site))
        return hashed(replace(base, study=study))

    amended = amend(clinic, joined)
    nils = Actor("nils", "investigator", "NO01")
    clinic.do(ADA, ActivateSite(site="NO01", approved_on=DAY))
    clinic.do(ADA, GrantRole(account="nils", role="investigator", site="NO01"))
    assert clinic.trial.definition_for(nils) == amended
    rows = clinic.trial.as_seen_by(DANA).all_sites()
    assert {row.site: row.study_version for row in rows} == {"SE01": "1.0", "CA01": "1.0", "NO01": "2.0"}


@pytest.mark.requirement("G19")
def test_spec_who_takes_part_consents_anew_where_the_version_asks_for_it() -> None:
    clinic = without_imaging()
    here, there = clinic.consent("SE01"), clinic.consent("CA01")
    amend(clinic, reconsent=True)
    assert clinic.trial.as_seen_by(DANA).reconsents() == ()
    approve(clinic, "SE01")
    (line,) = clinic.trial.as_seen_by(PRIYA).reconsents()
    assert (line.participant, line.consent_version, line.study_version) == (here, "1.0", "2.0")
    assert clinic.trial.as_seen_by(PETE).reconsents() == ()
    later = clinic.consent("SE01")
    clinic.do(PRIYA, RenewConsent(participant=here, consent_version="2.0", consented_on=DAY))
    assert clinic.trial.as_seen_by(DANA).reconsents() == ()
    assert {here, there, later} == {each.participant for each in clinic.trial.as_seen_by(DANA).participants()}


@pytest.mark.requirement("G4", "E2")
def test_spec_the_ledger_holds_every_version_and_another_process_learns_it() -> None:
    clinic = without_imaging()
    other = clinic.another("other")
    amended = amend(clinic)
    other.catch_up()
    assert other.definition == amended == clinic.another("third").definition
    assert verify_trial(keep(clinic.definition, tuple(clinic.ledger.read()))).intact
    (line,) = (each for each in clinic.trial.as_seen_by(DANA).audit() if each.kind == "StudyAmended")
    assert line.content["definition"] == amended.hash and "canonical" not in line.content


def test_spec_a_cut_before_the_amendment_is_read_under_the_version_of_then() -> None:
    clinic = without_imaging()
    position = clinic.trial.head.position
    amended = amend(clinic)
    cut = [cut_trial(clinic.trial.versions, replay(clinic.ledger, each), None) for each in (position, None)]
    assert [each.definition for each in cut] == [clinic.definition, amended]
    assert cut[0].amendments == ()
    (said,) = cut[1].amendments
    assert (said.study_version, said.title, said.randomised) == ("2.0", "Amendment 1", 0)
    content = report_content(analyse(cut[1]))
    (section,) = (each for each in content.sections if each.id == "amendments")
    told = {entry.term: (entry.soft, entry.text) for block in section.blocks for entry in entries_of(block)}
    assert told["forms/vitals/items/remark"] == ("retired", "Remark")
    assert told["study/version"] == ("changed", "1.0 → 2.0")


def test_an_amendment_whose_record_fails_has_not_happened() -> None:
    clinic = without_imaging()
    assert isinstance(clinic.ledger, FailingLedger)
    clinic.ledger.fails_at = "commit"
    with pytest.raises(StoreUnavailable):
        amend(clinic)
    clinic.ledger.fails_at = None
    assert clinic.trial.definition == clinic.definition
    amend(clinic)
    clinic.do(ADA, GrantRole(account="dora", role="data_manager"))
    again = clinic.another("again")
    assert again.tables.digest() == clinic.trial.tables.digest()


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda base: replace(second(base), forms=second(base).forms[1:]), "GOV-AMEND-FAULTS"),
        (
            lambda base: replace(base, study=replace(base.study, title="Only another title")),
            "GOV-AMEND-VERSION",
        ),
        (lambda base: replace(base, study=replace(base.study, version="2.0")), "GOV-AMEND-NOTHING"),
        (
            lambda base: replace(
                second(base), forms=tuple(replace(form, dated_by=None) for form in second(base).forms)
            ),
            "GOV-AMEND-OBSTACLE",
        ),
    ],
)
def test_spec_a_version_that_a_trial_cannot_take_is_refused(
    make: Callable[[StudyDefinition], StudyDefinition], code: str
) -> None:
    clinic = without_imaging()
    amended = make(clinic.definition)
    command = AmendStudy(
        title="x", canonical=canonical_json(amended).decode(), substantial=True, reconsent=False
    )
    assert refused(clinic, ADA, command) == code
    assert refused(clinic, ADA, replace(command, title=" ")) == "GOV-TEXT"
    assert refused(clinic, ADA, replace(command, canonical=command.canonical.replace(",", ", ", 1))) == (
        "GOV-AMEND-FORM"
    )
    assert clinic.trial.definition == clinic.definition


def test_spec_a_site_goes_forward_and_never_back() -> None:
    clinic = without_imaging()
    amend(clinic)
    approve(clinic, "SE01")
    activate = ActivateVersion(site="SE01", study_version="2.0", approved_on=DAY)
    assert refused(clinic, ADA, activate) == "GOV-VERSION"
    assert refused(clinic, ADA, replace(activate, study_version="1.0")) == "GOV-VERSION"
    assert refused(clinic, ADA, replace(activate, site="CA01", study_version="9")) == "GOV-VERSION"
    assert refused(clinic, ADA, replace(activate, site="XX01")) == "GOV-UNKNOWN-SITE"
    future = replace(activate, site="CA01", approved_on=DAY + timedelta(days=300))
    assert refused(clinic, ADA, future) == "GOV-DATE"


def test_spec_nothing_is_amended_after_the_lock() -> None:
    clinic = without_imaging()
    clinic.do(DANA, LockDatabase())
    command = AmendStudy(
        title="x",
        canonical=canonical_json(second(clinic.definition)).decode(),
        substantial=True,
        reconsent=False,
    )
    assert refused(clinic, ADA, command) == "CON-LOCKED"


@pytest.mark.requirement("G9", "R3")
def test_spec_what_a_version_hides_is_hidden_at_once_and_everywhere() -> None:
    clinic = without_imaging()
    code = clinic.consent()
    clinic.do(PRIYA, randomise(code))
    start(clinic, PRIYA, code, "week_0")
    clinic.do(PRIYA, fill(code, VALUES))

    def hiding(base: StudyDefinition) -> StudyDefinition:
        forms = tuple(
            replace(form, items=tuple(replace(each, unmasking=each.id == "remark") for each in form.items))
            if form.id == "vitals"
            else form
            for form in base.forms
        )
        return hashed(replace(base, study=replace(base.study, version="2.0"), forms=forms))

    amend(clinic, hiding)
    for actor in (PRIYA, DANA):
        record = clinic.trial.as_seen_by(actor).record(code, "vitals", "week_0")
        assert record is not None and "remark" not in record.values
        told = [str(line.content) for line in clinic.trial.as_seen_by(actor).audit(code)]
        assert not any("Well." in each for each in told)
    assert clinic.trial.definition_for(PRIYA).hash == clinic.definition.hash
    form = clinic.trial.definition_for(PRIYA).form("vitals")
    assert form is not None and [each.id for each in form.items if each.unmasking] == ["remark"]
    guess = CorrectForm(participant=code, form="vitals", values={"remark": "Well."}, encounter="week_0")
    assert refused(clinic, PRIYA, guess, "Is it this?") == "CAP-UNKNOWN-ITEM"
    other = clinic.consent()
    clinic.do(PRIYA, randomise(other))
    start(clinic, PRIYA, other, "week_0")
    asked = {name: value for name, value in VALUES.items() if name != "remark"}
    entries = clinic.do(PRIYA, fill(other, asked))
    assert {each.definition for each in entries} == {clinic.definition.hash}
    assert [each.kind for each in entries] == ["FormRecorded", "UnmaskingFormRecorded"]
